"""What the workers share with each other: leases on single-handed duties, the service's health, what was spent."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Lease(models.Model):
    """A duty that one worker at a time does, such as training; whoever holds it renews it before `until`.

    The row UNLEARNT is nobody's duty: its time is that of the last erasure that took a label.
    """

    UNLEARNT = "unlearnt"

    name = models.CharField(max_length=40, primary_key=True)
    holder = models.CharField(max_length=80, blank=True)
    until = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class ServiceState(models.Model):
    """How an outside service is doing, as all workers see it: the circuit breaker's memory."""

    name = models.CharField(max_length=20, primary_key=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    open_until = models.DateTimeField(null=True)  # nobody asks before; then one worker tries
    last_error = models.CharField(max_length=20, blank=True)
    last_detail = models.CharField(max_length=500, blank=True)
    last_failure_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.failures})"


class Usage(models.Model):
    """What the analyses of one day took, per engine and model. A day is one of TIME_ZONE."""

    day = models.DateField(_("day"))
    engine = models.CharField(_("engine"), max_length=20)
    model = models.CharField(_("model"), max_length=80, blank=True)
    calls = models.PositiveIntegerField(_("analyses"), default=0)
    tokens_in = models.PositiveBigIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveBigIntegerField(_("tokens out"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=6, default=0)
    milliseconds = models.PositiveBigIntegerField(_("milliseconds"), default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "engine", "model"], name="one_usage_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.engine} {self.model}"


class ReceiptPause(models.Model):
    """Until when an address gets no further receipt; the key is a digest, for the address itself is not needed."""

    address_key = models.CharField(max_length=64, primary_key=True)
    until = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.address_key
