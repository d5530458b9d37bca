"""manage.py create_api_key."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from inquiries.models import ApiKey

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("create_api_key", *arguments, stdout=output)
    return output.getvalue()


def test_the_key_is_the_last_word_and_works(get):
    key = run("Tienda").split()[-1]
    assert get(key=key).status_code == 200
    row = ApiKey.objects.get()
    assert (row.name, row.can_create, row.can_read, row.owner) == ("Tienda", True, True, None)


@pytest.mark.parametrize(
    ("option", "can_create", "can_read"), [("--read-only", False, True), ("--create-only", True, False)]
)
def test_a_key_may_do_one_thing_only(option, can_create, can_read):
    run("Tienda", option)
    row = ApiKey.objects.get()
    assert (row.can_create, row.can_read) == (can_create, can_read)


def test_both_restrictions_at_once_make_no_sense():
    with pytest.raises(CommandError):
        run("Tienda", "--read-only", "--create-only")


def test_a_key_may_belong_to_a_person(agent):
    run("Tienda", "--owner", agent.username)
    assert ApiKey.objects.get().owner == agent


def test_an_unknown_or_inactive_owner_is_refused(agent):
    agent.is_active = False
    agent.save()
    for name in (agent.username, "nadie"):
        with pytest.raises(CommandError, match=name):
            run("Tienda", "--owner", name)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_a_name_is_needed(name):
    with pytest.raises(CommandError):
        run(name)
