from __future__ import annotations

import builtins
import json
import logging
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from inquiries.models import Inquiry
from inquiries.tests.test_erasing import lived

pytestmark = pytest.mark.django_db
EMAIL = "juana@example.com"


@pytest.fixture(autouse=True)
def hers(make_inquiry, agent) -> Inquiry:
    make_inquiry(email="otra@example.com")
    return lived(make_inquiry, agent)


def run(*words: str) -> str:
    output = StringIO()
    call_command("customer_data", *words, stdout=output)
    return output.getvalue()


@pytest.fixture
def typing(monkeypatch):
    def answer(text: str | None) -> None:
        def read(prompt: str) -> str:
            if text is None:
                raise EOFError
            return text

        monkeypatch.setattr(builtins, "input", read)

    return answer


def test_an_export_goes_to_the_terminal_as_json(hers):
    data = json.loads(run("export", "JUANA@example.com"))
    assert [row["number"] for row in data["inquiries"]] == [hers.pk]


def test_no_line_of_the_log_gets_into_a_redirected_export(hers, capsys):
    handler = logging.StreamHandler(sys.stdout)
    logging.getLogger().addHandler(handler)
    try:
        call_command("customer_data", "export", EMAIL)
    finally:
        logging.getLogger().removeHandler(handler)
    printed = capsys.readouterr()
    assert json.loads(printed.out)["email"] == EMAIL
    assert "person_exported" in printed.err


def test_an_export_goes_to_a_file_that_nobody_else_reads(hers, tmp_path):
    path = tmp_path / "datos.json"
    path.write_text("an older export, longer than nothing")
    path.chmod(0o644)
    assert str(path) in run("export", EMAIL, "--out", str(path))
    assert json.loads(path.read_text())["inquiries"][0]["message"] == hers.message
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(CommandError, match="datos"):
        run("export", EMAIL, "--out", str(tmp_path / "nowhere" / "datos.json"))


@pytest.mark.parametrize("words", [("export",), ("erase", "--yes"), ("erase",)])
def test_nobody_with_the_address_is_an_error(words):
    with pytest.raises(CommandError, match=r"nadie@example\.com") as caught:
        run(words[0], "nadie@example.com", *words[1:])
    assert caught.value.returncode == 1
    assert Inquiry.objects.count() == 2


def test_erasing_prints_the_report(hers):
    text = run("erase", "JUANA@EXAMPLE.COM", "--yes")
    assert "Consultas: 1" in text
    assert not Inquiry.objects.from_address(EMAIL).exists()
    assert Inquiry.objects.count() == 1


def test_it_asks_for_the_address_first(typing):
    typing(" Juana@example.com ")
    run("erase", EMAIL)
    assert not Inquiry.objects.from_address(EMAIL).exists()


@pytest.mark.parametrize("answer", ["", "y", "otra@example.com", None])
def test_any_other_answer_erases_nothing(typing, answer):
    typing(answer)
    with pytest.raises(CommandError):
        run("erase", EMAIL)
    assert Inquiry.objects.count() == 2


@pytest.mark.parametrize("words", [(), ("erase",), ("nothing", EMAIL)])
def test_a_call_that_makes_no_sense_is_refused(words):
    with pytest.raises(CommandError):
        run(*words)
    assert Inquiry.objects.count() == 2
