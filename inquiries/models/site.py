"""What a supervisor sets for the whole desk."""

from __future__ import annotations

from typing import Any

from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from solo.models import SingletonModel

from inquiries.states import AIMode
from pok.kept import Kept

CACHE_KEY = "site-settings"
CACHE_SECONDS = 5


def validate_prices(value: Any) -> None:
    """Prices look like {"model": {"input": 0.25, "output": 2.0}}: money for a million tokens."""
    try:
        valid = all(float(prices[side]) >= 0 for prices in value.values() for side in ("input", "output"))
    except (AttributeError, KeyError, TypeError, ValueError):
        valid = False
    if not valid:
        raise ValidationError(_('Write {"model": {"input": 0.25, "output": 2.0}}: money for a million tokens.'))


class SiteSettings(SingletonModel):
    """One row: the company, the AI switch, the threshold of doubt, privacy, budget and retention."""

    company_name = models.CharField(_("company name"), max_length=120, blank=True)
    notice = models.TextField(_("notice on the public form"), blank=True, max_length=1_000)
    ai_mode = models.CharField(
        _("AI"),
        max_length=10,
        choices=AIMode.choices,
        default=AIMode.AUTO,
        help_text=_("Automatic: the AI service where one is set up, else the embedded engine."),
    )
    review_threshold = models.FloatField(
        _("review below this confidence"),
        default=0.5,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("From 0 to 1; inquiries that the AI is less sure about are marked for review."),
    )
    masking = models.BooleanField(
        _("hide personal data"),
        default=True,
        help_text=_(
            "Names, addresses and numbers of customers are replaced by marks before a text leaves this machine."
        ),
    )
    few_shot = models.BooleanField(
        _("learn from answered inquiries"),
        default=True,
        help_text=_(
            "The AI service is shown the most similar corrected and answered inquiries, without personal data."
        ),
    )
    few_shot_tokens = models.PositiveIntegerField(
        _("tokens for these examples"),
        default=1_200,
        validators=[MaxValueValidator(20_000)],
        help_text=_("At most this many for each inquiry, about four letters each."),
    )
    daily_tokens = models.PositiveBigIntegerField(
        _("tokens a day"),
        null=True,
        blank=True,
        help_text=_("Past a limit the embedded engine goes on until the next day or month. Empty: no limit."),
    )
    daily_cost = models.DecimalField(
        _("money a day"), max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    monthly_cost = models.DecimalField(
        _("money a month"), max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    daily_public_inquiries = models.PositiveIntegerField(
        _("public inquiries a day that the AI service reads"),
        null=True,
        blank=True,
        default=2_000,
        help_text=_("From the public form and API calls without a key. Later ones wait for a person. Empty: no limit."),
    )
    prices = models.JSONField(
        _("prices per model"),
        default=dict,
        blank=True,
        validators=[validate_prices],
        help_text=_('Money for a million tokens: {"model": {"input": 0.25, "output": 2.0}}'),
    )

    retention_days = models.PositiveIntegerField(
        _("erase answered and closed inquiries after days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Counted from the last change. Empty: they are kept. “manage.py retention --dry-run” shows what would go."
        ),
    )
    spam_retention_days = models.PositiveIntegerField(
        _("erase spam after days"), null=True, blank=True, validators=[MinValueValidator(1)]
    )

    send_receipts = models.BooleanField(
        _("send receipts"),
        default=True,
        help_text=_("An email with the number and the link, at most one per address and hour, where mail is set up."),
    )
    is_analysis_paused = models.BooleanField(_("analysis paused"), default=False)  # switched on the monitor

    class Meta:
        verbose_name = _("settings")
        verbose_name_plural = _("settings")

    def __str__(self) -> str:
        return str(_("Settings"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        caches["local"].delete(CACHE_KEY)

    @classmethod
    def current(cls) -> SiteSettings:
        """The settings to read, at most five seconds old in any process; to change them, get the row."""
        return _current.get()

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """Money for one call; None where the supervisor named no price for the model."""
        # Vendors answer with a dated name (gpt-5-mini-2025-08-07): the longest priced beginning counts.
        priced = max((name for name in self.prices if model.startswith(name)), key=len, default=None)
        if priced is None:
            return None
        prices = self.prices[priced]
        return (float(prices["input"]) * tokens_in + float(prices["output"]) * tokens_out) / 1_000_000


_current = Kept(CACHE_KEY, CACHE_SECONDS, SiteSettings.get_solo)
