from __future__ import annotations

import time

import pytest
from django.core import signing

from inquiries import forms
from inquiries.forms import InquiryForm, Ticket, new_ticket, read_ticket
from inquiries.states import SpamReason

GOOD = {"customer_name": "Ana López", "email": "ana@example.com", "message": "No puedo entrar a mi cuenta."}


def filled(**changes):
    return InquiryForm({**GOOD, "web": "", "ticket": new_ticket(age=60), **changes})


def test_a_fresh_form_carries_a_ticket_of_its_own():
    first, second = (read_ticket(InquiryForm.fresh()["ticket"].value()) for _ in range(2))

    assert first
    assert second
    assert first.key != second.key
    assert first.is_too_fast


def test_a_good_form_is_valid_and_clean():
    form = filled(customer_name="  Ana\n López ", message="uno\r\ndos")

    assert form.is_valid()
    assert form.cleaned_data["customer_name"] == "Ana López"
    assert form.cleaned_data["message"] == "uno\ndos"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer_name", ""),
        ("customer_name", "\x00Ana"),
        ("email", "ana"),
        ("message", "a" * 10_001),
        ("message", "\x00hola"),
    ],
)
def test_the_rules_of_validation_speak_for_each_field(field, value):
    form = filled(**{field: value})

    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert len(form.errors[field]) == 1


def test_absent_fields_are_named_and_break_nothing():
    assert set(InquiryForm({}).errors) == set(GOOD)


def test_a_too_long_message_stays_in_the_form():
    form = filled(message="ñ" * 10_001)

    assert "ñ" * 10_001 in str(form["message"])
    assert "maxlength" not in str(form["message"])


@pytest.mark.parametrize(
    ("age", "is_too_fast"), [(0.0, True), (1.5, True), (2.5, False), (90_000.0, False), (-60.0, False)]
)
def test_a_ticket_knows_who_is_too_fast(age, is_too_fast):
    ticket = read_ticket(new_ticket(age=age))

    assert ticket is not None
    assert ticket.is_too_fast is is_too_fast


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "\x00",
        "a:b:c",
        # Made in the test: xdist wants the same names in each of its workers.
        lambda: new_ticket()[:-1],
        lambda: signing.dumps(["key", 0.0], salt="another purpose"),
        lambda: signing.dumps("no list", salt=forms.TICKET_SALT),
        lambda: signing.dumps(["key"], salt=forms.TICKET_SALT),
        lambda: signing.dumps(["key", "soon"], salt=forms.TICKET_SALT),
    ],
    ids=lambda value: "made" if callable(value) else None,
)
def test_a_ticket_that_is_not_ours_is_none(value):
    assert read_ticket(value() if callable(value) else value) is None


@pytest.mark.parametrize(
    ("web", "age", "reason"),
    [
        ("", 60.0, None),
        ("", 0.0, SpamReason.TOO_FAST),
        ("http://spam.example", 60.0, SpamReason.HONEYPOT),
        ("http://spam.example", 0.0, SpamReason.HONEYPOT),
    ],
)
def test_the_guard_names_its_reason(web, age, reason):
    form = filled(web=web)

    assert form.is_valid()
    assert form.spam_reason(Ticket("key", time.time() - age)) == reason


def test_a_new_ticket_keeps_the_text_and_accuses_nobody():
    form = filled()

    again = form.with_new_ticket()

    assert again.is_valid()
    assert again.cleaned_data["message"] == GOOD["message"]
    assert again.given_ticket
    assert form.given_ticket
    assert again.given_ticket.key != form.given_ticket.key
    assert not again.given_ticket.is_too_fast
