"""Work for the background: each piece is a row, so that no crash can lose it (`inquiries.jobs`)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from inquiries.states import AIReason, AnalysisState, DeliveryKind, DeliveryState, MailReason, Purpose, Sentiment


class JobQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def live(self) -> JobQuerySet:
        """Jobs that still have something to do."""
        return self.filter(state__in=self.model.live_states())

    def due(self) -> JobQuerySet:
        """Jobs to start now: queued ones whose time has come, running ones whose worker fell silent."""
        return self.filter(due_at__lte=Now()).order_by("due_at", "pk")


class AnalysisQuerySet(JobQuerySet):
    def readings(self) -> AnalysisQuerySet:
        """What was read for the inquiry's sake; trials of other instructions or models are not."""
        return self.exclude(purpose=Purpose.COMPARE)


class Job(models.Model):
    """One piece of background work. `due_at` is NULL once it is over; while it runs it is the end of the lease.

    Every kind begins as "queued"; BUSY is its own word for being worked on.
    """

    QUEUED: ClassVar[str] = AnalysisState.QUEUED
    BUSY: ClassVar[str] = AnalysisState.RUNNING

    state = models.CharField(_("state"), max_length=8, choices=AnalysisState.choices, default=AnalysisState.QUEUED)
    due_at = models.DateTimeField(_("due"), null=True, db_default=Now())
    claim_token = models.UUIDField(null=True, editable=False)
    worker = models.CharField(_("worker"), max_length=80, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    crashes = models.PositiveSmallIntegerField(_("crashes"), default=0)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    error = models.CharField(_("reason"), max_length=20, blank=True, choices=AIReason.choices)
    error_detail = models.CharField(_("detail"), max_length=500, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def live_states(cls) -> tuple[str, str]:
        """The states in which there is still something to do."""
        return cls.QUEUED, cls.BUSY


class Analysis(Job):
    """One reading of an inquiry by an engine: what was sent, what came back, what it cost."""

    inquiry = models.ForeignKey("inquiries.Inquiry", on_delete=models.CASCADE, related_name="analyses")
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices, default=Purpose.ARRIVAL)
    engine = models.CharField(_("engine"), max_length=20, blank=True)
    model = models.CharField(_("model"), max_length=80, blank=True)
    prompt_version = models.CharField(_("prompt version"), max_length=40, blank=True)
    sent_text = models.TextField(_("text sent"), blank=True)
    sent_system = models.ForeignKey("inquiries.SentPrompt", null=True, on_delete=models.SET_NULL, related_name="+")
    masked = models.JSONField(_("hidden data"), default=dict, blank=True)  # kind -> how many were hidden
    shown_examples = models.PositiveSmallIntegerField(_("examples shown"), default=0)
    raw_answer = models.TextField(_("raw answer"), blank=True)
    category = models.CharField(_("category"), max_length=60, blank=True)
    category_row = models.ForeignKey(
        "inquiries.Category", null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    sentiment = models.CharField(_("sentiment"), max_length=8, blank=True, choices=Sentiment.choices)
    language = models.CharField(_("language"), max_length=8, blank=True)
    reply = models.TextField(_("draft"), blank=True)
    reason = models.TextField(_("explanation"), blank=True)
    claimed_confidence = models.FloatField(_("claimed confidence"), null=True)  # as the engine said it
    confidence = models.FloatField(_("confidence"), null=True)  # after calibration
    abstained = models.BooleanField(_("abstained"), default=False)
    flags = models.JSONField(_("warnings"), default=list, blank=True)  # values of AIFlag
    prompt = models.ForeignKey(
        "inquiries.PromptVersion",
        verbose_name=_("instructions"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="analyses",
    )
    comparison = models.ForeignKey(
        "inquiries.Comparison", null=True, editable=False, on_delete=models.CASCADE, related_name="analyses"
    )
    is_candidate = models.BooleanField(default=False)  # in a comparison: the one on trial, not the one in use
    tokens_in = models.PositiveIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveIntegerField(_("tokens out"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=12, decimal_places=6, null=True)
    duration_ms = models.PositiveIntegerField(_("milliseconds"), null=True)
    is_provisional = models.BooleanField(_("provisional"), default=False)

    objects = AnalysisQuerySet.as_manager()  # type: ignore[misc] # more than every Job has

    class Meta:
        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        constraints = [
            models.UniqueConstraint(
                fields=["inquiry"],
                condition=Q(state__in=["queued", "running"]) & ~Q(purpose="compare"),
                name="one_live_analysis",
            )
        ]
        indexes = [
            # The sweeper's and the monitor's question; rows that are over are not in it.
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="analysis_due"),
            models.Index(fields=["inquiry", "-id"], name="analysis_of_inquiry"),
            models.Index(fields=["-finished_at"], condition=Q(state="failed"), name="analysis_failed"),
            models.Index(fields=["-finished_at"], condition=Q(state="done"), name="analysis_done"),
            models.Index(
                fields=["comparison", "inquiry"], condition=Q(comparison__isnull=False), name="analysis_comparison"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.inquiry_id} {self.get_purpose_display()} · {self.get_state_display()}"


class Delivery(Job):
    """One email to a customer, sent at most once: `mail_id` is its key, fixed before the mail server is asked.

    `handed_at` is written before the text is handed over: who finds it set without a result cannot know whether the
    server took the mail, so a person decides.
    """

    BUSY: ClassVar[str] = DeliveryState.SENDING

    state = models.CharField(_("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    error = models.CharField(_("reason"), max_length=20, blank=True, choices=MailReason.choices)
    kind = models.CharField(_("kind"), max_length=10, choices=DeliveryKind.choices)
    inquiry = models.ForeignKey("inquiries.Inquiry", on_delete=models.CASCADE, related_name="deliveries")
    message = models.OneToOneField(
        "inquiries.Message", null=True, blank=True, on_delete=models.CASCADE, related_name="delivery"
    )
    recipient = models.EmailField(_("to"), max_length=254)
    mail_id = models.CharField(_("Message-ID"), max_length=200, unique=True)
    handed_at = models.DateTimeField(_("handed over"), null=True)

    class Meta:
        verbose_name = _("email")
        verbose_name_plural = _("emails")
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="delivery_due"),
            models.Index(fields=["inquiry", "-id"], name="delivery_of_inquiry"),
            # What a person has to decide about.
            models.Index(fields=["-id"], condition=Q(state__in=["failed", "unknown"]), name="delivery_troubled"),
            models.Index(fields=["-finished_at"], condition=Q(finished_at__isnull=False), name="delivery_finished"),
        ]

    def __str__(self) -> str:
        return f"#{self.inquiry_id} {self.get_kind_display()} · {self.get_state_display()}"


class Heartbeat(models.Model):
    """When each worker process was last heard of."""

    worker = models.CharField(_("worker"), max_length=80, unique=True)
    version = models.CharField(_("version"), max_length=20)
    threads = models.PositiveSmallIntegerField(_("threads"))
    started_at = models.DateTimeField(_("started"), db_default=Now())
    seen_at = models.DateTimeField(_("last seen"), db_default=Now())

    class Meta:
        ordering = ["worker"]

    def __str__(self) -> str:
        return self.worker
