"""The thread of an inquiry, its history, and the labels that people gave."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from inquiries.states import EventKind, MessageKind


class MessageQuerySet(models.QuerySet["Message"]):
    def published(self) -> MessageQuerySet:
        """The answers that the customer may read: those whose undo window is over."""
        return self.filter(kind=MessageKind.ANSWER, published_at__lte=Now())

    def pending(self) -> MessageQuerySet:
        """The answers that can still be taken back."""
        return self.filter(kind=MessageKind.ANSWER, published_at__gt=Now())

    def thread(self) -> MessageQuerySet:
        """What both sides have read: follow-ups and published answers, without notes."""
        return self.filter(kind__in=[MessageKind.ANSWER, MessageKind.CUSTOMER], published_at__lte=Now())


class Message(models.Model):
    """What was written after the first message: answers, follow-ups, notes.

    An answer lies in the future until its undo window is over: `published_at` is when the customer may read it.
    """

    inquiry = models.ForeignKey("inquiries.Inquiry", on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(_("kind"), max_length=10, choices=MessageKind.choices)
    body = models.TextField(_("text"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())
    published_at = models.DateTimeField(_("published"), db_default=Now())

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"#{self.inquiry_id} {self.get_kind_display()}"


class InquiryEvent(models.Model):
    """Who changed what, from, to, and why. An empty actor is the machine or the customer."""

    inquiry = models.ForeignKey("inquiries.Inquiry", on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(_("kind"), max_length=12, choices=EventKind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("actor"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    old = models.CharField(_("from"), max_length=60, blank=True)
    new = models.CharField(_("to"), max_length=60, blank=True)
    reason = models.CharField(_("why"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("when"), db_default=Now())
    updated_at = models.DateTimeField(_("until"), db_default=Now())

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"#{self.inquiry_id} {self.get_kind_display()}"


class Correction(models.Model):
    """A label by a person: what the AI said, what is right, and which engine had said it."""

    class Field(models.TextChoices):
        CATEGORY = "category", _("Category")
        SENTIMENT = "sentiment", _("Sentiment")

    inquiry = models.ForeignKey("inquiries.Inquiry", on_delete=models.CASCADE, related_name="corrections")
    field = models.CharField(_("field"), max_length=10, choices=Field.choices)
    ai_value = models.CharField(_("AI's value"), max_length=60, blank=True)
    human_value = models.CharField(_("person's value"), max_length=60)
    previous_value = models.CharField(_("value before"), max_length=60, blank=True)
    # A name may change while it is used, so what an undo brings back is remembered by its row.
    previous_category = models.ForeignKey(
        "inquiries.Category", null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    previous_by_person = models.BooleanField(default=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    engine = models.CharField(_("engine"), max_length=20, blank=True)
    model = models.CharField(_("model"), max_length=80, blank=True)
    prompt_version = models.CharField(_("prompt version"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("when"), db_default=Now())
    undone_at = models.DateTimeField(_("undone"), null=True)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        ordering = ["-id"]
        indexes = [models.Index(fields=["inquiry", "field"], name="correction_of_inquiry")]

    def __str__(self) -> str:
        return f"#{self.inquiry_id} {self.field}: {self.ai_value} → {self.human_value}"
