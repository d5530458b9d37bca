"""What a supervisor sets for the whole desk."""

from __future__ import annotations

from typing import Any

from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from solo.models import SingletonModel

CACHE_KEY = "site-settings"
CACHE_SECONDS = 5


class Tone(models.TextChoices):
    USTED = "usted", "usted"
    TU = "tu", "tú"
    VOS = "vos", "vos"


def validate_prices(value: Any) -> None:
    """Prices look like {"model": {"input": 0.25, "output": 2.0}}: money for a million tokens."""
    try:
        valid = all(float(prices[side]) >= 0 for prices in value.values() for side in ("input", "output"))
    except (AttributeError, KeyError, TypeError, ValueError):
        valid = False
    if not valid:
        raise ValidationError(_('Write {"model": {"input": 0.25, "output": 2.0}}: money for a million tokens.'))


class SiteSettings(SingletonModel):
    """One row: the company, its tone, the AI switch and the threshold of doubt."""

    company_name = models.CharField(_("company name"), max_length=120, blank=True)
    company_facts = models.TextField(
        _("company facts"),
        blank=True,
        max_length=4_000,
        help_text=_("What a reply may state: opening hours, addresses, links, policies."),
    )
    tone = models.CharField(_("tone"), max_length=8, choices=Tone.choices, default=Tone.USTED)
    reply_signature = models.TextField(_("signature of replies"), blank=True, max_length=500)
    notice = models.TextField(_("notice on the public form"), blank=True, max_length=1_000)
    ai_enabled = models.BooleanField(_("AI switched on"), default=True)
    review_threshold = models.FloatField(
        _("review below this confidence"),
        default=0.3,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("From 0 to 1; inquiries that the AI is less sure about are marked for review."),
    )
    prices = models.JSONField(
        _("prices per model"),
        default=dict,
        blank=True,
        validators=[validate_prices],
        help_text=_('Money for a million tokens: {"model": {"input": 0.25, "output": 2.0}}'),
    )

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
        """The settings, at most five seconds old in any process."""
        found: SiteSettings | None = caches["local"].get(CACHE_KEY)
        if found is None:
            found = cls.get_solo()
            caches["local"].set(CACHE_KEY, found, CACHE_SECONDS)
        return found

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """Money for one call; None where the supervisor named no price for the model."""
        # Vendors answer with a dated name (gpt-5-mini-2025-08-07): the longest priced beginning counts.
        priced = max((name for name in self.prices if model.startswith(name)), key=len, default=None)
        if priced is None:
            return None
        prices = self.prices[priced]
        return (float(prices["input"]) * tokens_in + float(prices["output"]) * tokens_out) / 1_000_000
