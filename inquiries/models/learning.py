"""What POK learns from people's work, and what it needs to answer by it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from inquiries.states import DraftUse, Sentiment


class Outcome(models.Model):
    """One sent reply as a label: what the AI had said, what held in the end, and what became of its draft.

    It survives the erasure of the inquiry, because it holds nobody's words.
    """

    inquiry = models.ForeignKey("inquiries.Inquiry", null=True, on_delete=models.SET_NULL, related_name="outcomes")
    analysis = models.ForeignKey("inquiries.Analysis", null=True, on_delete=models.SET_NULL, related_name="+")
    engine = models.CharField(_("engine"), max_length=20, blank=True)
    model = models.CharField(_("model"), max_length=80, blank=True)
    prompt_version = models.CharField(_("prompt version"), max_length=40, blank=True)
    ai_category = models.CharField(_("AI's category"), max_length=60, blank=True)
    category = models.CharField(_("category"), max_length=60, blank=True)
    category_touched = models.BooleanField(_("category set by a person"), default=False)
    ai_sentiment = models.CharField(_("AI's sentiment"), max_length=8, blank=True, choices=Sentiment.choices)
    sentiment = models.CharField(_("sentiment"), max_length=8, blank=True, choices=Sentiment.choices)
    sentiment_touched = models.BooleanField(_("sentiment set by a person"), default=False)
    claimed_confidence = models.FloatField(_("claimed confidence"), null=True)
    confidence = models.FloatField(_("confidence"), null=True)
    draft_use = models.CharField(_("use of the draft"), max_length=10, choices=DraftUse.choices)
    edit_distance = models.FloatField(_("edit distance"), null=True)  # 0 the same text, 1 nothing in common
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ["-id"]
        # The quality page's question is always a span of time.
        indexes = [models.Index(fields=["created_at"], name="outcome_when")]

    def __str__(self) -> str:
        return f"#{self.inquiry_id} {self.ai_category} → {self.category}"


class InquiryVector(models.Model):
    """The meaning of an inquiry as 512 float16 numbers of length 1, written by a worker and read by everybody."""

    inquiry = models.OneToOneField(
        "inquiries.Inquiry", primary_key=True, on_delete=models.CASCADE, related_name="vector"
    )
    encoder = models.CharField(max_length=20)
    vector = models.BinaryField()

    def __str__(self) -> str:
        return f"#{self.inquiry_id}"


class Example(models.Model):
    """An answered or corrected inquiry that teaches: its texts with generic marks in place of personal data.

    Written by workers only. A change makes a new row, so that whoever holds the index reads on from its last id.
    """

    inquiry = models.OneToOneField("inquiries.Inquiry", on_delete=models.CASCADE, related_name="example")
    category = models.ForeignKey("inquiries.Category", null=True, on_delete=models.SET_NULL, related_name="+")
    sentiment = models.CharField(max_length=8, blank=True)
    text = models.TextField()
    answer = models.TextField(blank=True)
    is_corrected = models.BooleanField(default=False)  # a person set or confirmed the category
    is_sentiment_corrected = models.BooleanField(default=False)
    encoder = models.CharField(max_length=20)
    vector = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.inquiry_id}"


class HeadVersion(models.Model):
    """Trained heads of the embedded engine; every worker loads the newest without a restart."""

    fingerprint = models.CharField(max_length=64, db_index=True)
    encoder = models.CharField(_("encoder"), max_length=40)
    data = models.BinaryField()
    examples = models.PositiveIntegerField(_("examples"), default=0)
    labels = models.PositiveIntegerField(_("human labels"), default=0)
    temperature = models.FloatField(_("temperature"), null=True)
    ece = models.FloatField(_("calibration error"), null=True)
    seconds = models.FloatField(_("seconds of training"), default=0.0)
    created_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("trained version")
        verbose_name_plural = _("trained versions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"h{self.pk} ({self.fingerprint[:8]})"


class Calibration(models.Model):
    """How far an engine's claimed confidence is believed: sigmoid(logit(claim) / temperature + bias)."""

    engine = models.CharField(max_length=20)
    model = models.CharField(max_length=80, blank=True)
    temperature = models.FloatField(default=1.0)
    bias = models.FloatField(default=0.0)
    pairs = models.PositiveIntegerField(default=0)
    fitted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["engine", "model"], name="one_calibration")]

    def __str__(self) -> str:
        return f"{self.engine} {self.model} T={self.temperature:.2f}"
