"""Enums of the trade and the allowed moves between them. Pure: no table, no query."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Status(TextChoices):
    """Where people are with an inquiry."""

    NEW = "new", _("New")
    OPEN = "open", _("Open")
    ANSWERED = "answered", _("Answered")
    CLOSED = "closed", _("Closed")
    SPAM = "spam", _("Spam")


class AnalysisState(TextChoices):
    """Where the machine is with an inquiry."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")


class Sentiment(TextChoices):
    """The customer's mood; the values are the contract of the API."""

    POSITIVE = "Positivo", _("Positive")
    NEUTRAL = "Neutral", _("Neutral")
    NEGATIVE = "Negativo", _("Negative")


class Purpose(TextChoices):
    """Why an analysis was asked for."""

    ARRIVAL = "arrival", _("On arrival")
    RETRY = "retry", _("Retried by a person")
    REDO = "redo", _("Redone after an outage")
    FOLLOW_UP = "follow-up", _("After a follow-up")
    COMPARE = "compare", _("Comparison")


class Source(TextChoices):
    """Which door an inquiry came in by."""

    FORM = "form", _("Form")
    API = "api", _("API")


class MessageKind(TextChoices):
    """What a message of the thread is."""

    CUSTOMER = "customer", _("Customer")
    ANSWER = "answer", _("Answer")
    NOTE = "note", _("Note")


class EventKind(TextChoices):
    """What somebody, or the machine, did to an inquiry."""

    STATUS = "status", _("Status changed")
    CATEGORY = "category", _("Category corrected")
    SENTIMENT = "sentiment", _("Sentiment corrected")
    CONFIRMED = "confirmed", _("AI's value confirmed")
    UNDONE = "undone", _("Correction undone")
    REPLY = "reply", _("Reply edited")
    DRAFT = "draft", _("Back to the AI's draft")
    PUBLISHED = "published", _("Answer sent")
    WITHDRAWN = "withdrawn", _("Sending undone")
    FOLLOW_UP = "follow-up", _("The customer wrote again")
    RETRIED = "retried", _("Analysis asked for again")
    DISMISSED = "dismissed", _("Failed analysis set aside")
    RESENT = "resent", _("Email sent again")
    ARRIVED = "arrived", _("Email marked as arrived")


class DraftUse(TextChoices):
    """What became of the AI's draft when a reply was sent."""

    UNCHANGED = "unchanged", _("Sent unchanged")
    EDITED = "edited", _("Edited")
    DISCARDED = "discarded", _("Thrown away")
    NONE = "none", _("No draft")


class AIMode(TextChoices):
    """Which engine a supervisor lets read: the best there is, only the one in this machine, or none."""

    AUTO = "auto", _("Automatic")
    EMBEDDED = "embedded", _("Embedded engine only")
    OFF = "off", _("Off")


class AIFlag(TextChoices):
    """What a person should know before they trust a draft or a text; the values are those of `ai.guard`."""

    SUSPICIOUS = "suspicious", _("The message tries to give the AI orders.")
    LINK_CUT = "link_cut", _("A link that is not in the company facts was cut from the draft.")
    EMAIL_CUT = "email_cut", _("An email address that is not in the company facts was cut from the draft.")
    PHONE_CUT = "phone_cut", _("A telephone number that is not in the company facts was cut from the draft.")
    PLACEHOLDER_CUT = "placeholder_cut", _("A mark without a meaning was cut from the draft.")
    PROMISE = "promise", _("The draft holds a forbidden promise.")
    LEAK = "leak", _("The draft repeated our own instructions; that part was cut.")


class AIReason(TextChoices):
    """Why there is no analysis, or only a provisional one; the engines' kinds of error and our own."""

    RATE_LIMITED = "rate_limited", _("The AI service is busy (too many requests).")
    QUOTA = "quota", _("The AI account has no credit left.")
    TIMEOUT = "timeout", _("The AI service took too long to answer.")
    UNREACHABLE = "unreachable", _("The AI service cannot be reached.")
    SERVER_ERROR = "server_error", _("The AI service has an internal error.")
    AUTHENTICATION = "authentication", _("The AI service refuses the key.")
    MODEL_NOT_FOUND = "model_not_found", _("The AI service does not know the model.")
    BAD_REQUEST = "bad_request", _("The AI service refused the request.")
    BAD_ANSWER = "bad_answer", _("The AI's answer could not be read.")
    UNKNOWN_CATEGORY = "unknown_category", _("The AI named a category that does not exist.")
    TRUNCATED = "truncated", _("The AI's answer was cut off.")
    REFUSED = "refused", _("The AI declined to answer this message.")
    CONTENT_FILTER = "content_filter", _("The AI service's content filter blocked this message.")
    NO_CATEGORIES = "no_categories", _("There is no active category.")
    NOT_CONFIGURED = "not_configured", _("No AI engine is set up.")
    INTERNAL = "internal", _("The analysis failed unexpectedly.")
    CRASHED = "crashed", _("The analysis stopped several times without finishing.")
    DISABLED = "disabled", _("The AI is switched off.")
    BUDGET = "budget", _("The budget of the AI service is used up.")
    PAUSED = "paused", _("The AI service is paused after repeated failures.")
    CANCELLED = "cancelled", _("A person has cancelled it.")
    OVERTAKEN = "overtaken", _("A person has worked on the inquiry meanwhile.")
    SPAM = "spam", _("Spam is not analysed.")
    DAILY_CAP = "daily_cap", _("More inquiries came today than the AI may read.")
    DISMISSED = "dismissed", _("A person has set the failed analysis aside.")


class DeliveryKind(TextChoices):
    """What an email to the customer carries."""

    ANSWER = "answer", _("Answer")
    RECEIPT = "receipt", _("Receipt")


class DeliveryState(TextChoices):
    """Where an email to the customer is."""

    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Not known whether it arrived")
    CANCELLED = "cancelled", _("Cancelled")


class MailReason(TextChoices):
    """Why an email was not sent, or why nobody can tell."""

    UNREACHABLE = "unreachable", _("The mail server cannot be reached.")
    TIMEOUT = "timeout", _("The mail server took too long to answer.")
    AUTHENTICATION = "authentication", _("The mail server refuses the user or the password.")
    TEMPORARY = "temporary", _("The mail server could not take it for now.")
    REJECTED = "rejected", _("The mail server refused the message.")
    BAD_ADDRESS = "bad_address", _("The mail server refused the customer's address.")
    DROPPED = "dropped", _("The connection broke while the message was handed over.")
    CRASHED = "crashed", _("The sending stopped while the message was handed over.")
    NOT_CONFIGURED = "not_configured", _("No mail server is set up.")
    INTERNAL = "internal", _("The sending failed unexpectedly.")
    UNDONE = "undone", _("A person has undone the sending.")


class SpamReason(TextChoices):
    """Why the form's guard set an inquiry aside."""

    HONEYPOT = "honeypot", _("A field that people do not see was filled in.")
    TOO_FAST = "too_fast", _("The form was sent faster than a person can write.")
    PERSON = "person", _("Marked by a person.")


# The inbox's first view: what still waits for a person.
WAITING = frozenset({Status.NEW, Status.OPEN})
LIVE = frozenset({AnalysisState.QUEUED, AnalysisState.RUNNING})
# A service that is down, refuses us or answers in no form that can be read says nothing about the message: another
# engine may read it meanwhile.
SERVICE_FAILURES = frozenset(
    {
        AIReason.BAD_ANSWER,
        AIReason.RATE_LIMITED,
        AIReason.QUOTA,
        AIReason.TIMEOUT,
        AIReason.UNREACHABLE,
        AIReason.SERVER_ERROR,
        AIReason.AUTHENTICATION,
        AIReason.MODEL_NOT_FOUND,
        AIReason.NOT_CONFIGURED,
        AIReason.PAUSED,
    }
)

MOVES: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.OPEN, Status.ANSWERED, Status.CLOSED, Status.SPAM}),
    Status.OPEN: frozenset({Status.ANSWERED, Status.CLOSED, Status.SPAM}),
    Status.ANSWERED: frozenset({Status.OPEN, Status.CLOSED, Status.SPAM}),
    Status.CLOSED: frozenset({Status.OPEN, Status.SPAM}),
    Status.SPAM: frozenset({Status.OPEN}),
}


def can_move(old: str, new: str) -> bool:
    """Tell whether people may take an inquiry from one status to the other."""
    return new in MOVES[Status(old)]
