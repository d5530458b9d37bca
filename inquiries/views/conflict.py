"""Two texts for one reply: what differs between them, and who ended an inquiry that is over."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.translation import gettext as _

from inquiries.models import Inquiry
from inquiries.states import EventKind, Status
from inquiries.templatetags.desk import person

MOST_LINES = 400  # the comparison's cost grows with the square of the lines


@dataclass(frozen=True, slots=True)
class Difference:
    """Lines of mine and the lines that stand in their place in theirs; either may be empty."""

    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two texts for one reply; `version` is that of theirs. Where `is_over`, mine cannot be kept any more."""

    mine: str
    theirs: str
    theirs_by: str
    version: int
    reason: str
    is_over: bool = False

    @property
    def differences(self) -> list[Difference]:
        """What differs, line by line and in order."""
        mine, theirs = self.mine.splitlines()[:MOST_LINES], self.theirs.splitlines()[:MOST_LINES]
        return [
            Difference("\n".join(mine[i:j]), "\n".join(theirs[k:m]))
            for tag, i, j, k, m in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
            if tag != "equal"
        ]


def clash_of(inquiry: Inquiry, mine: str, reason: str) -> Conflict:
    """The conflict between `mine` and what holds; an inquiry that is over says who ended it instead of `reason`."""
    return Conflict(
        mine=mine,
        theirs=inquiry.reply_text,
        theirs_by=person(inquiry.reply_by) if inquiry.reply_by else "",
        version=inquiry.reply_version,
        reason=reason if inquiry.is_waiting else who_ended(inquiry),
        is_over=not inquiry.is_waiting,
    )


def who_ended(inquiry: Inquiry) -> str:
    """Who did what to an inquiry that no longer waits, in a sentence."""
    event = inquiry.events.filter(kind=EventKind.STATUS).select_related("actor").order_by("-id").first()
    sentences = {
        Status.ANSWERED: _("%(name)s has answered this inquiry."),
        Status.CLOSED: _("%(name)s has closed this inquiry."),
        Status.SPAM: _("%(name)s has marked this inquiry as spam."),
    }
    return sentences[Status(inquiry.status)] % {"name": person(event.actor if event else None)}
