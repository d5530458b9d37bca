"""Keys of integrators, and keys that make a repeated call harmless."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

KEY_PREFIX = "pok_"
REPLAY_WINDOW = timedelta(hours=24)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> ApiKeyQuerySet:
        """Keys that are not revoked and whose owner, if any, still works here."""
        return self.filter(revoked_at=None).exclude(owner__is_active=False).select_related("owner")

    def matching(self, key: str) -> ApiKey | None:
        """Return the usable key that this text is, if any."""
        return self.usable().filter(digest=digest_of(key)).first()


def digest_of(key: str) -> str:
    """SHA-256 of a key; a 256-bit random key needs no salt and no slow hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class ApiKey(models.Model):
    """A key of the JSON API. Only its SHA-256 is kept: the key itself is shown once."""

    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    can_create = models.BooleanField(_("may create inquiries"), default=True)
    can_read = models.BooleanField(_("may read inquiries"), default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="api_keys",
        help_text=_("The key stops working when this person is deactivated."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    # DRF and the log ask a requester for these two.
    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None

    @classmethod
    def issue(cls, name: str, **fields: object) -> tuple[ApiKey, str]:
        """Make a key; return its row and the key, which cannot be read again."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        row = cls.objects.create(name=name, prefix=key[:10], digest=digest_of(key), **fields)
        return row, key


class IdempotencyQuerySet(models.QuerySet["IdempotencyKey"]):
    def fresh(self) -> IdempotencyQuerySet:
        """Keys that still answer with what they made."""
        return self.filter(created_at__gt=Now() - REPLAY_WINDOW)

    def expired(self) -> IdempotencyQuerySet:
        """Keys past their 24 hours."""
        return self.filter(created_at__lte=Now() - REPLAY_WINDOW)


class IdempotencyKey(models.Model):
    """Which inquiry a caller's key made: a repeated call gets that one again."""

    scope = models.CharField(max_length=40)  # "key:<id>", "public" or "form"
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    inquiry = models.ForeignKey("inquiries.Inquiry", on_delete=models.CASCADE, related_name="idempotency_keys")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    objects = IdempotencyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("scope", "key", name="idempotency_scope_key")]

    def __str__(self) -> str:
        return f"{self.scope} → {self.inquiry_id}"
