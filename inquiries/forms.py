"""Forms of customers and of people who sign in. What a customer may send, `validation` decides."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    PasswordResetForm,
    SetPasswordForm,
    UsernameField,
)
from django.core import signing
from django.utils.translation import gettext_lazy as _

from inquiries import validation
from inquiries.models.inquiry import MESSAGE_LENGTH
from inquiries.states import SpamReason

# Pasting a prepared text into three filled-in fields takes a person longer than this, a script less.
MIN_FILL_SECONDS = 2.0
TICKET_SALT = "inquiries.form"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the page was given when it was shown: its idempotency key, and when (seconds since the epoch)."""

    key: str
    shown_at: float

    @property
    def is_too_fast(self) -> bool:
        """Tell whether no person could have filled the form in; a clock that was set back accuses nobody."""
        return 0 <= time.time() - self.shown_at < MIN_FILL_SECONDS


def new_ticket(*, age: float = 0.0) -> str:
    """A signed ticket with a fresh key; `age` in seconds for a person who has had the form before."""
    return signing.dumps([uuid.uuid4().hex, time.time() - age], salt=TICKET_SALT)


def read_ticket(value: str) -> Ticket | None:
    """Return the ticket, however old, or None where it is missing or not ours."""
    try:
        key, shown_at = signing.loads(value, salt=TICKET_SALT)
        return Ticket(str(key), float(shown_at))
    except (signing.BadSignature, ValueError, TypeError):
        return None


class Styled(forms.BaseForm):
    """Bootstrap's classes on every control."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for bound in self.visible_fields():
            bound.field.widget.attrs["class"] = "form-control"


class RuleField(forms.Field):
    """A text field with one rule of `validation`, which answers for length and emptiness too."""

    def __init__(self, rule: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule = rule

    def clean(self, value: Any) -> str:
        return self.rule(value or "")


class Ticketed(forms.Form):
    """A form whose ticket proves when the page was shown and makes twins one."""

    ticket = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    @classmethod
    def fresh(cls) -> Self:
        """An empty form with its ticket."""
        return cls(initial={"ticket": new_ticket()})

    def with_new_ticket(self) -> Self:
        """The same text with another key, for a person who has had the form long enough."""
        return type(self)({**dict(self.data.items()), "ticket": new_ticket(age=2 * MIN_FILL_SECONDS)})

    @property
    def given_ticket(self) -> Ticket | None:
        """The ticket that came with the text, if it is one of ours."""
        return read_ticket(self.data.get("ticket", ""))


class InquiryForm(Styled, Ticketed):
    """The public form. `web` is the honeypot."""

    customer_name = RuleField(
        validation.clean_name,
        label=_("Your name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = RuleField(
        validation.clean_email,
        label=_("Your email"),
        help_text=_("So that we know who writes. It is not published and not used for advertising."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}),
    )
    message = RuleField(
        validation.clean_message,
        label=_("Your message"),
        help_text=_("Tell us what happened and what you need. An order or invoice number helps."),
        widget=forms.Textarea(attrs={"rows": 8, "data-limit": MESSAGE_LENGTH}),
    )
    web = forms.CharField(
        required=False,
        label=_("Leave this field empty"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def spam_reason(self, ticket: Ticket) -> SpamReason | None:
        """Why the guard sets this inquiry aside, if it does; a person can bring it back."""
        if self.cleaned_data["web"]:
            return SpamReason.HONEYPOT
        return SpamReason.TOO_FAST if ticket.is_too_fast else None


class FollowUpForm(Styled, Ticketed):
    """What a customer adds to an inquiry that we have."""

    message = RuleField(
        validation.clean_message,
        label=_("Your message"),
        widget=forms.Textarea(attrs={"rows": 5, "data-limit": MESSAGE_LENGTH}),
    )


class SignInForm(Styled, AuthenticationForm):
    """Name and password; what is wrong with them is said once, above the fields."""

    # Django limits the control but not the text, and the record of failed attempts has room for 255 characters.
    username = UsernameField(max_length=150, widget=forms.TextInput(attrs={"autofocus": True}))


class ChangePasswordForm(Styled, PasswordChangeForm):
    """The old password once, the new one twice."""


class ForgottenPasswordForm(Styled, PasswordResetForm):
    """The address of an account."""


class NewPasswordForm(Styled, SetPasswordForm):  # type: ignore[type-arg]
    """The new password, twice."""
