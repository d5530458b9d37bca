"""manage.py evaluate."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from inquiries import evaluation
from inquiries.ai.engine import AIError, ErrorKind
from inquiries.ai.fake_server import FakeOpenAI
from inquiries.tests.ai.openai_helpers import make_engine
from inquiries.tests.fakes import FakeEngine, result
from inquiries.tests.processes import Box

pytestmark = pytest.mark.django_db
LINES = [
    {"text": "¿Cuánto sale el plan anual?", "category": "Ventas", "sentiment": "Neutral"},
    {"text": "Es una vergüenza, nadie responde", "category": "Reclamo", "sentiment": "Negativo"},
    {"text": "Gracias por todo", "sentiment": "Positivo"},
]


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in LINES), encoding="utf-8")
    return path


@pytest.fixture
def engine(monkeypatch, categories):
    fake = FakeEngine()
    monkeypatch.setattr(evaluation, "make_engine", lambda _name, _desk: fake)
    return fake


def run(*arguments, stderr=None):
    """The command's two outputs."""
    output, errors = StringIO(), stderr or StringIO()
    call_command("evaluate", *map(str, arguments), stdout=output, stderr=errors, no_color=True)
    return output.getvalue(), errors.getvalue()


def test_a_person_reads_scores_confusion_and_times(engine, file):
    engine.answers = [
        result(category="Ventas", confidence=0.9),
        AIError(ErrorKind.TIMEOUT, permanent=False),
        result(sentiment="Positivo", confidence=0.2, abstains=True),
    ]
    output, errors = run(file)
    lines = [" ".join(line.split()) for line in output.splitlines()]
    for expected in (
        "Engine embedded (fake-1)",
        "Messages 3",
        "Errors (count as wrong) 1 (timeout 1)",
        "Skipped lines 0",
        "To be reviewed 1 (33.3 %)",
        "Abstained (best guess counts) 1 (33.3 %)",
        "Ventas 100.0 % 100.0 % 100.0 % 1",
        "Reclamo 0.0 % 0.0 % 0.0 % 1",
        "1 2 none",
        "1 Reclamo · · 1",
        "2 Ventas · 1 ·",
        "Calibration error of the confidence (ECE): 10.0 %",
    ):
        assert expected in lines
    assert any(line.startswith("accuracy 50.0 %, macro-F1 50.0 % (95 %: ") for line in lines)
    assert any(line.startswith("Milliseconds p50 ") for line in lines)
    assert "Cost" not in output
    assert "\n3 messages were read in " in errors


def test_json_holds_the_figures(engine, file, tmp_path):
    out = tmp_path / "figures.json"
    run(file, "--json", out)
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["category"]["confusion"] == {"Reclamo": {"Ventas": 1}, "Ventas": {"Ventas": 1}}
    assert figures["category"].keys() == {"accuracy", "macro_f1", "macro_f1_interval", "classes", "confusion"}
    assert figures["sentiment"]["classes"]["Neutral"] == {
        "precision": pytest.approx(1 / 3),
        "recall": 1.0,
        "f1": 0.5,
        "support": 1,
    }
    assert figures["milliseconds"].keys() == {"p50", "p95", "cpu"}
    assert (figures["engine"], figures["model"], figures["messages"]) == ("embedded", "fake-1", 3)
    assert (figures["abstained"], figures["needs_review"], figures["skipped"]) == (0, 0, [])
    assert figures["tokens"] == {"in": 300, "out": 150}


def test_bad_lines_are_named_and_skipped(engine, file, tmp_path):
    out = tmp_path / "figures.json"
    with file.open("a", encoding="utf-8") as more:
        more.write('\nnada\n{"text": "hola", "category": "Astrología"}\n')
    _, errors = run(file, "--json", out)
    assert "Line 4 is skipped: it is not JSON." in errors
    assert 'Line 5 is skipped: category "Astrología" is unknown; known: ' in errors
    assert [entry["line"] for entry in json.loads(out.read_text(encoding="utf-8"))["skipped"]] == [4, 5]
    assert len(engine.history) == 3


def test_a_file_of_bad_lines_alone_asks_nothing(engine, file):
    file.write_text("nada\n{}\n", encoding="utf-8")
    errors = StringIO()
    with pytest.raises(CommandError, match="has no usable line"):
        run(file, stderr=errors)
    assert errors.getvalue().count("is skipped") == 2
    assert engine.history == []


def test_a_missing_file_is_one_clear_error(engine, tmp_path):
    with pytest.raises(CommandError, match=r"nowhere\.jsonl cannot be read: No such file"):
        run(tmp_path / "nowhere.jsonl")


def test_a_limit_ends_the_reading(engine, file):
    run(file, "--limit", 2)
    assert [request.text for request in engine.history] == [line["text"] for line in LINES[:2]]


@pytest.mark.parametrize("option", ["--limit", "--concurrency"])
@pytest.mark.parametrize("value", ["0", "-1", "dos"])
def test_numbers_start_at_one(engine, file, option, value):
    with pytest.raises(CommandError, match="whole number"):
        run(file, f"{option}={value}")


def test_an_unknown_engine_is_refused(engine, file):
    with pytest.raises(CommandError, match="--engine"):
        run(file, "--engine", "oracle")


def test_figures_that_could_not_be_written_are_not_even_computed(engine, file, tmp_path):
    for out in (tmp_path, tmp_path / "missing" / "figures.json"):
        with pytest.raises(CommandError, match="cannot be written"):
            run(file, "--json", out)
    assert engine.history == []


def test_the_messages_are_never_overwritten(engine, file):
    before = file.read_bytes()
    with pytest.raises(CommandError, match="the file to read"):
        run(file, "--json", file)
    assert file.read_bytes() == before


def test_earlier_figures_survive_an_evaluation_that_fails(engine, file, tmp_path):
    kept, new = tmp_path / "kept.json", tmp_path / "new.json"
    kept.write_text("{}", encoding="utf-8")
    file.write_text("nada", encoding="utf-8")
    for out in (kept, new):
        with pytest.raises(CommandError, match="no usable line"):
            run(file, "--json", out)
    assert kept.read_text(encoding="utf-8") == "{}"
    assert not new.exists()


def test_an_interrupted_evaluation_says_so(engine, file):
    def interrupt(_request):
        raise KeyboardInterrupt

    engine.answers = [result(), interrupt]
    with pytest.raises(CommandError, match="Interrupted") as failure:
        run(file)
    assert failure.value.returncode == 130


def test_a_terminal_sees_a_bar(engine, file, capsys):
    _, errors = run(file, stderr=Terminal())
    assert "3/3" in capsys.readouterr().err
    assert "were read in" not in errors


def test_openai_is_asked_with_tokens_counted(monkeypatch, categories, file, tmp_path):
    out = tmp_path / "figures.json"
    with FakeOpenAI() as server, make_engine(server.base_url) as engine:
        monkeypatch.setattr(evaluation, "make_engine", lambda _name, _desk: engine)
        server.play("500", "refusal")
        output, _ = run(file, "--engine", "openai", "--concurrency", 1, "--json", out)
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["errors"] == {"server_error": 1, "refused": 1}
    assert (figures["engine"], figures["model"], figures["cost"]) == ("openai", "small-fake", None)
    assert figures["tokens"]["in"] > 0 < figures["tokens"]["out"]
    assert "no price is set" in output


@pytest.mark.process
def test_it_works_before_there_is_any_table(tmp_path, file):
    with FakeOpenAI() as server:
        box = Box(tmp_path / "var", OPENAI_BASE_URL=server.base_url, OPENAI_MODEL="small")
        out = tmp_path / "figures.json"
        box.manage("evaluate", str(file), "--engine", "openai", "--json", str(out))
        asked = {recorded.text for recorded in server.requests}
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert asked == {line["text"] for line in LINES}
    assert (figures["messages"], figures["errors"], figures["model"]) == (3, {}, "small-fake")
    assert figures["category"]["classes"].keys() == {"Ventas", "Reclamo"}
