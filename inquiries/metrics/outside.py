"""What POK leans on: the engine that reads, the AI service, the mail server, the backups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import caches
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inquiries import backups, breaker, budget, engines
from inquiries.models import ServiceState, SiteSettings
from inquiries.states import AIMode, AIReason, MailReason

NOTICE_KEY = "ai-notice"
NOTICE_SECONDS = 3
MAIL = "mail"  # the mail server's row among the services
FAILING_FOR_GOOD = 3  # failures in a row
BACKUP_IS_OLD = timedelta(hours=26)  # a night and a bit


class Light(TextChoices):
    """How a service is doing."""

    GREEN = "green", _("In order")
    AMBER = "amber", _("Trouble")
    RED = "red", _("Down")
    OFF = "off", _("Not set up")


@dataclass(frozen=True, slots=True)
class EngineInUse:
    """What reads the inquiries now: `name` is "openai", "embedded" or "off"; `by_supervisor` tells who switched off."""

    name: str
    model: str = ""
    has_stand_in: bool = False
    by_supervisor: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """An outside service as the workers last saw it; `error` is the last one, which may be over, in words."""

    light: Light
    error: str = ""
    detail: str = ""
    error_at: datetime | None = None
    retry_at: datetime | None = None  # nobody asks before
    success_at: datetime | None = None  # the last one that was noted, which not every one is


@dataclass(frozen=True, slots=True)
class Backup:
    """`state` is "ok", "old" (over BACKUP_IS_OLD), "none", or "off" where none are to be made.

    `error` tells in words why the last try failed, "" where it did not.
    """

    state: str
    at: datetime | None = None
    error: str = ""


def engine_in_use() -> EngineInUse:
    """Tell which engine reads the next inquiry."""
    if not engines.is_switched_on():
        return EngineInUse("off", by_supervisor=SiteSettings.current().ai_mode == AIMode.OFF)
    if engines.uses_openai():
        return EngineInUse("openai", settings.OPENAI_MODEL, has_stand_in=engines.has_stand_in())
    return EngineInUse("embedded")


def ai_service() -> Service | None:
    """Tell how the AI service is doing; None where none is in use.

    Red while its circuit breaker is open, amber while it fails or its budget is used up.
    """
    if not engines.is_switched_on() or not engines.uses_openai():
        return None
    row = ServiceState.objects.filter(name=breaker.SERVICE).first() or ServiceState(name=breaker.SERVICE)
    if not row.open_until and budget.is_exhausted():
        return Service(Light.AMBER, error=str(AIReason.BUDGET.label))
    light = Light.RED if row.open_until else Light.AMBER if row.failures else Light.GREEN
    return _service(row, light, AIReason)


def mail_service() -> Service:
    """Tell how the mail server is doing.

    Amber after a failure; red while no mail is tried because it failed FAILING_FOR_GOOD times, or refuses our password.
    """
    if not settings.HAS_MAIL:
        return Service(Light.OFF)
    row = ServiceState.objects.filter(name=MAIL).first() or ServiceState(name=MAIL)
    is_lasting = row.failures >= FAILING_FOR_GOOD or row.last_error == MailReason.AUTHENTICATION
    is_down = row.open_until is not None and is_lasting
    return _service(row, Light.RED if is_down else Light.AMBER if row.failures else Light.GREEN, MailReason)


def _service(row: ServiceState, light: Light, reasons: type[TextChoices]) -> Service:
    known = row.last_error in reasons.values
    return Service(
        light=light,
        error=str(reasons(row.last_error).label) if known else row.last_error,
        detail=row.last_detail,
        error_at=row.last_failure_at,
        retry_at=row.open_until,
        success_at=row.last_success_at,
    )


def spent() -> budget.Spent | None:
    """What the AI service took today and this month; None where none is in use."""
    return budget.spent() if engines.uses_openai() else None


def backup() -> Backup:
    """Tell how old the newest backup is."""
    if not settings.BACKUP_DAYS:
        return Backup("off")
    at, error = backups.last_success(), backups.last_error()
    why = str(error.label) if error else ""
    if at is None:
        return Backup("none", error=why)
    return Backup("old" if timezone.now() - at > BACKUP_IS_OLD else "ok", at, why)


def ai_notice() -> str:
    """Tell the people of the desk what keeps the AI from reading as it is set up to; "" in ordinary times.

    At most NOTICE_SECONDS old, because every page asks; a pause as old as the settings are.
    """
    if SiteSettings.current().is_analysis_paused:
        return "analysis_paused"
    found: str | None = caches["local"].get(NOTICE_KEY)
    if found is None:
        found = _notice()
        caches["local"].set(NOTICE_KEY, found, NOTICE_SECONDS)
    return found


def _notice() -> str:
    if not engines.is_switched_on() or not engines.uses_openai():
        return ""
    if budget.is_exhausted():
        return "budget"
    return "paused" if breaker.is_paused() else ""
