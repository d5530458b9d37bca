"""What the AI is told about the company and how to write: versions that a supervisor edits and switches between."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import caches
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from pok.kept import Kept

CACHE_KEY = "prompt-in-use"
CACHE_SECONDS = 5


class Tone(models.TextChoices):
    USTED = "usted", "usted"
    TU = "tu", "tú"
    VOS = "vos", "vos"


class PromptVersion(models.Model):
    """One version of the instructions; a change makes a new version, and exactly one is in use."""

    note = models.CharField(_("what changed"), max_length=120, blank=True)
    facts = models.TextField(
        _("company facts"),
        blank=True,
        max_length=4_000,
        help_text=_("What a reply may state: opening hours, addresses, links, policies."),
    )
    tone = models.CharField(_("form of address"), max_length=8, choices=Tone.choices, default=Tone.USTED)
    style = models.CharField(
        _("tone of voice"),
        max_length=300,
        blank=True,
        help_text=_("In your own words: warm and short, formal, without exclamation marks …"),
    )
    signature = models.TextField(_("signature of replies"), blank=True, max_length=500)
    forbidden = models.TextField(
        _("forbidden promises"),
        blank=True,
        max_length=2_000,
        help_text=_(
            "One on each line, such as “full refund”. The AI is told never to write it; a draft that does is marked."
        ),
    )
    is_active = models.BooleanField(_("in use"), default=False, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    activated_at = models.DateTimeField(_("in use since"), null=True, editable=False)

    class Meta:
        verbose_name = _("version of the instructions")
        verbose_name_plural = _("versions of the instructions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["is_active"], condition=Q(is_active=True), name="one_prompt_in_use")
        ]

    def __str__(self) -> str:
        return f"v{self.pk}"

    def forbidden_lines(self) -> tuple[str, ...]:
        """The promises that no draft may hold, one phrase each."""
        return tuple(line.strip() for line in self.forbidden.splitlines() if line.strip())

    @classmethod
    def current(cls) -> PromptVersion:
        """The version in use, at most five seconds old in any process; an unsaved empty one where there is none."""
        return _current.get()

    @transaction.atomic
    def activate(self) -> None:
        """Put this version into use in place of the one before."""
        PromptVersion.objects.filter(is_active=True).exclude(pk=self.pk).update(is_active=False)
        PromptVersion.objects.filter(pk=self.pk).update(is_active=True, activated_at=Now())
        caches["local"].delete(CACHE_KEY)
        self.refresh_from_db()


def _in_use() -> PromptVersion:
    return PromptVersion.objects.filter(is_active=True).first() or PromptVersion()


_current = Kept(CACHE_KEY, CACHE_SECONDS, _in_use)


class SentPrompt(models.Model):
    """A system prompt as it was sent, kept once however many analyses used it. It holds no customer's words."""

    digest = models.CharField(max_length=64, unique=True)
    text = models.TextField(_("instructions sent"))
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.digest[:12]


class Comparison(models.Model):
    """A trial of other instructions, another model or engine on past inquiries, beside what is in use."""

    class Kind(models.TextChoices):
        PREVIEW = "preview", _("Preview")
        COMPARE = "compare", _("Comparison")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.COMPARE)
    prompt = models.ForeignKey(
        PromptVersion, verbose_name=_("instructions"), null=True, on_delete=models.SET_NULL, related_name="trials"
    )
    engine = models.CharField(_("engine"), max_length=20)
    model = models.CharField(_("model"), max_length=80, blank=True)
    current_prompt = models.ForeignKey(
        PromptVersion, verbose_name=_("instructions in use"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    current_engine = models.CharField(_("engine in use"), max_length=20, blank=True)
    current_model = models.CharField(_("model in use"), max_length=80, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("when"), db_default=Now())
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)

    class Meta:
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
