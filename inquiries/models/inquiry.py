"""The inquiry: what came in, what holds now, and the one writer of its status."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.core.exceptions import EmptyResultSet
from django.db import connections, models, transaction
from django.db.models import F, Func, Q, Subquery, Value
from django.db.models.functions import Now, Upper
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from inquiries.models.category import Category
from inquiries.models.events import InquiryEvent
from inquiries.models.people import User
from inquiries.states import (
    LIVE,
    WAITING,
    AIReason,
    AnalysisState,
    EventKind,
    Sentiment,
    Source,
    SpamReason,
    Status,
    can_move,
)
from pok.compiled import Update

NAME_LENGTH = 120
MESSAGE_LENGTH = 10_000
REPLY_LENGTH = 20_000
COUNT_CAP = 10_000
COUNTS_KEY = "inquiry-counts"
COUNTS_SECONDS = 1
SHOWN_IN_QUEUE = (
    "customer_name",
    "email",
    "message",
    "status",
    "category__name",
    "category__colour",
    "category_by_person",
    "sentiment",
    "sentiment_by_person",
    "ai_state",
    "ai_error",
    "ai_started_at",
    "engine",
    "model",
    "confidence",
    "needs_review",
    "is_provisional",
    "flags",
    "created_at",
    "answered_at",
    "followed_up_at",
    "row_version",
)


class InquiryError(Exception):
    """A verb that could not be done; the text is for the person who asked."""


class InvalidMove(InquiryError):
    """The status machine has no such move."""


class StaleInquiry(InquiryError):
    """Somebody else changed the inquiry first; nothing was written."""


def new_token() -> str:
    """A 192-bit token for the customer's status page."""
    return secrets.token_urlsafe(24)


class IsWaiting(Func):
    """Tell whether a status is one that waits for a person.

    The values stand in the text: SQLite uses a partial index only where it can read its condition in the query.
    """

    template = "%(expressions)s IN ('new', 'open')"
    output_field = models.BooleanField()


class InquiryQuerySet(models.QuerySet["Inquiry"]):
    def visible_to(self, user: User | AnonymousUser) -> InquiryQuerySet:
        """What this person may see: everything for those who work the inbox, nothing for others."""
        return self if user.is_active and user.has_perm("inquiries.work_inbox") else self.none()

    def for_queue(self) -> InquiryQuerySet:
        """What a row of the inbox shows and nothing else: replies, and a category's examples, are long."""
        return self.select_related("category").only(*SHOWN_IN_QUEUE)

    def for_detail(self) -> InquiryQuerySet:
        """What the detail page and the API show."""
        return self.select_related("category", "assignee")

    def with_newest(self) -> InquiryQuerySet:
        """Each row with the highest number that there is, as `newest`; read by the same statement."""
        return self.annotate(newest=Subquery(Inquiry.objects.order_by("-pk").values("pk")[:1]))

    def newest(self) -> int:
        """The highest number among these."""
        return self.order_by("-pk").values_list("pk", flat=True).first() or 0

    def versions(self, shown: Collection[int]) -> dict[int, int]:
        """The row versions of these numbers that are still there, and of the highest number that there is."""
        last = Subquery(self.order_by("-pk").values("pk")[:1])
        return dict(self.filter(Q(pk__in=shown) | Q(pk=last)).values_list("pk", "row_version"))

    def waiting(self) -> InquiryQuerySet:
        """What still waits for a person."""
        return self.filter(IsWaiting("status"))

    def unread(self) -> InquiryQuerySet:
        """What waits for a person and has no reading, because the analysis failed or the AI was off."""
        switched_off = Q(ai_state=AnalysisState.SKIPPED, ai_error__in=[AIReason.DISABLED, AIReason.DAILY_CAP])
        return self.waiting().filter(Q(ai_state=AnalysisState.FAILED) | switched_off)

    def needing_review(self) -> InquiryQuerySet:
        """What waits for a person and the AI was unsure about."""
        return self.waiting().filter(needs_review=True)

    def remark(self, threshold: float) -> int:
        """Mark anew which waiting readings a person should review; return how many marks changed."""
        read = self.waiting().filter(ai_state=AnalysisState.DONE, category_by_person=False)
        in_doubt = Q(category__isnull=True) | Q(confidence__lt=threshold)
        return read.filter(in_doubt, needs_review=False).touch(needs_review=True) + read.exclude(in_doubt).filter(
            needs_review=True
        ).touch(needs_review=False)

    def provisional(self) -> InquiryQuerySet:
        """What waits for a person and only the stand-in engine has read."""
        return self.waiting().filter(is_provisional=True)

    def from_address(self, email: str) -> InquiryQuerySet:
        """What came from this address, in whatever case it was written; the database folds both sides."""
        return self.alias(folded=Upper("email")).filter(folded=Upper(Value(email.strip())))

    def capped_count(self, cap: int = COUNT_CAP) -> int:
        """Count up to `cap` + 1: the cost does not grow with the table."""
        # In the order of the partial indexes: without it SQLite would rather filter by status, row by row.
        return self.order_by("pk")[: cap + 1].count()

    def counted(self, cap: int = COUNT_CAP) -> dict[str, int]:
        """How many there are of each status, and to review, each counted up to `cap` + 1: one query for all."""
        asked = {status.value: self.filter(status=status).order_by() for status in Status}
        asked["review"] = self.needing_review().order_by("pk")  # see capped_count
        try:
            parts = [found.values("pk")[: cap + 1].query.sql_with_params() for found in asked.values()]
        except EmptyResultSet:  # who may see nothing
            return dict.fromkeys(asked, 0)
        counts = ", ".join(f"(SELECT COUNT(*) FROM ({text}) AS counted)" for text, _params in parts)  # noqa: S608
        with connections[self.db].cursor() as cursor:
            cursor.execute(f"SELECT {counts}", list(chain.from_iterable(params for _text, params in parts)))
            return dict(zip(asked, cursor.fetchone(), strict=True))

    def counted_lately(self) -> dict[str, int]:
        """The same, at most COUNTS_SECONDS old; what this process itself has changed shows at once."""
        if self.query.where:  # not all inquiries: these counts are nobody else's
            return self.counted()
        found: dict[str, int] | None = caches["local"].get(COUNTS_KEY)
        if found is None:
            found = self.counted()
            caches["local"].set(COUNTS_KEY, found, COUNTS_SECONDS)
        return found

    def touch(self, **fields: Any) -> int:
        """Update and raise the row version that the pollers compare; return the number of rows."""
        caches["local"].delete(COUNTS_KEY)
        return self.update(row_version=F("row_version") + 1, updated_at=Now(), **fields)


class Touch(Update):
    """`touch` of these rows, compiled once; what a worker does with every inquiry."""

    def __init__(self, rows: InquiryQuerySet, **fields: Any) -> None:
        super().__init__(rows, row_version=F("row_version") + 1, updated_at=Now(), **fields)

    def __call__(self, **given: Any) -> int:
        caches["local"].delete(COUNTS_KEY)
        return super().__call__(**given)


class Inquiry(models.Model):
    """A customer's message and what became of it.

    The effective category, sentiment and reply come from the newest finished analysis while no person has set
    them (`category_by_person`, `sentiment_by_person`, `reply` not NULL); afterwards the person's value stands.
    """

    customer_name = models.CharField(_("name"), max_length=NAME_LENGTH)
    email = models.EmailField(_("email"), max_length=254)
    message = models.TextField(_("message"), max_length=MESSAGE_LENGTH)
    source = models.CharField(_("source"), max_length=8, choices=Source.choices, default=Source.FORM)
    public_token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)

    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.NEW)
    spam_reason = models.CharField(_("spam reason"), max_length=10, blank=True, choices=SpamReason.choices)
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="inquiries",
    )
    category_by_person = models.BooleanField(default=False)
    sentiment = models.CharField(_("sentiment"), max_length=8, null=True, blank=True, choices=Sentiment.choices)
    sentiment_by_person = models.BooleanField(default=False)
    suggested_reply = models.TextField(_("AI's draft"), null=True, blank=True)
    reply = models.TextField(_("reply"), null=True, blank=True)
    reply_version = models.PositiveIntegerField(default=0)
    reply_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("assignee"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="assigned",
    )

    ai_state = models.CharField(
        _("AI state"), max_length=8, choices=AnalysisState.choices, default=AnalysisState.QUEUED
    )
    ai_error = models.CharField(_("AI reason"), max_length=20, blank=True, choices=AIReason.choices)
    engine = models.CharField(_("engine"), max_length=20, blank=True)
    model = models.CharField(_("model"), max_length=80, blank=True)
    confidence = models.FloatField(_("confidence"), null=True)
    needs_review = models.BooleanField(_("needs review"), default=False)
    is_provisional = models.BooleanField(_("provisional"), default=False)
    flags = models.JSONField(_("warnings"), default=list, blank=True)  # values of AIFlag
    language = models.CharField(_("language"), max_length=8, blank=True)
    ai_started_at = models.DateTimeField(null=True)
    analysed_at = models.DateTimeField(_("analysed"), null=True)

    created_at = models.DateTimeField(_("received"), db_default=Now())
    updated_at = models.DateTimeField(_("changed"), db_default=Now())
    answered_at = models.DateTimeField(_("answered"), null=True)
    followed_up_at = models.DateTimeField(_("wrote again"), null=True)  # the customer's newest follow-up
    row_version = models.PositiveIntegerField(default=0)
    # Raised by every label and every sent reply, cleared by the worker that has learnt from it.
    to_learn = models.BooleanField(default=False, editable=False)

    objects = InquiryQuerySet.as_manager()

    class Meta:
        verbose_name = _("inquiry")
        verbose_name_plural = _("inquiries")
        ordering = ["-id"]
        permissions = [
            ("work_inbox", _("Can read and answer inquiries")),
            ("supervise", _("Can supervise the desk")),
        ]
        indexes = [
            models.Index(fields=["status", "-id"], name="inquiry_status"),
            models.Index(fields=["category", "-id"], name="inquiry_category"),
            models.Index(fields=["status", "category", "-id"], name="inquiry_status_category"),
            models.Index(fields=["sentiment", "-id"], name="inquiry_sentiment"),
            models.Index(fields=["ai_state", "-id"], name="inquiry_ai_state"),
            models.Index(fields=["-created_at", "-id"], name="inquiry_created"),
            # The inbox's first view and its counters; answered and closed rows are not in it.
            models.Index(fields=["id"], condition=Q(status__in=["new", "open"]), name="inquiry_waiting"),
            models.Index(
                fields=["id"],
                condition=Q(needs_review=True, status__in=["new", "open"]),
                name="inquiry_review",
            ),
            models.Index(
                fields=["id"],
                condition=Q(is_provisional=True, status__in=["new", "open"]),
                name="inquiry_provisional",
            ),
            models.Index(fields=["id"], condition=Q(to_learn=True), name="inquiry_to_learn"),
            # What a comparison measures by: few rows on most desks.
            models.Index(fields=["id"], condition=Q(category_by_person=True), name="inquiry_labelled"),
            # A person's own inquiries: beside the one that is read, for export and for erasure.
            models.Index(Upper("email"), F("id").desc(), name="inquiry_email"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.customer_name}"

    def get_absolute_url(self) -> str:
        return reverse("detail", args=[self.pk])

    @property
    def status_url(self) -> str:
        """The customer's private page, absolute."""
        return settings.BASE_URL + reverse("status", args=[self.public_token])

    @property
    def reply_text(self) -> str:
        """The text in the editor: the person's, else the AI's draft, else nothing."""
        return self.reply if self.reply is not None else (self.suggested_reply or "")

    @property
    def is_waiting(self) -> bool:
        """Tell whether a person still has to act."""
        return self.status in WAITING

    @property
    def is_being_analysed(self) -> bool:
        """Tell whether the machine still works on it."""
        return self.ai_state in LIVE

    def can_move(self, new: str) -> bool:
        """Tell whether the status machine has this move."""
        return can_move(self.status, new)

    def move_to(self, new: Status, *, actor: User | None, reason: str = "", **fields: Any) -> None:
        """Change the status and record who did it, in one transaction.

        Raises InvalidMove where the machine has no such move, StaleInquiry where somebody was faster.
        """
        if not self.can_move(new):
            raise InvalidMove(
                _("An inquiry that is “%(old)s” cannot become “%(new)s”.")
                % {"old": self.get_status_display().lower(), "new": new.label.lower()}
            )
        old = self.status
        with transaction.atomic():
            if not Inquiry.objects.filter(pk=self.pk, status=old).touch(status=new, **fields):
                raise StaleInquiry(_("Somebody else has just changed this inquiry."))
            InquiryEvent.objects.create(
                inquiry=self, kind=EventKind.STATUS, actor=actor, old=old, new=new, reason=reason
            )
        self.refresh_from_db()
