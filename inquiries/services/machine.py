"""What a supervisor may do to the machine: pause the analysis, resume it, set a failed one aside."""

from __future__ import annotations

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.cache import caches
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from inquiries.models import Inquiry, SiteSettings, StaleInquiry, User
from inquiries.models.site import CACHE_KEY
from inquiries.services.shared import add_event, expect
from inquiries.states import AIReason, AnalysisState, EventKind
from pok.logging import get_logger

log = get_logger(__name__)


@transaction.atomic
def pause_analysis(*, actor: User) -> None:
    """Let no worker begin an analysis; what is under way is finished, what comes in waits in its row.

    A worker notices within CACHE_SECONDS of the settings. Raises StaleInquiry where it is paused already.
    """
    if not _switch(is_paused=True):
        raise StaleInquiry(_("The analysis is paused already."))
    _note(actor, pause_note())
    log.warning("analysis_paused", user_id=actor.pk)


@transaction.atomic
def resume_analysis(*, actor: User) -> None:
    """Let the workers go on; their sweepers find what waits within seconds. Raises StaleInquiry where they do."""
    if not _switch(is_paused=False):
        raise StaleInquiry(_("The analysis goes on already."))
    with translation.override(settings.LANGUAGE_CODE):
        _note(actor, _("Analysis resumed."))
    log.warning("analysis_resumed", user_id=actor.pk)


def pause_note() -> str:
    """What the history of the settings says of a pause, in the language of the site whoever reads it."""
    with translation.override(settings.LANGUAGE_CODE):
        return _("Analysis paused.")


def _switch(*, is_paused: bool) -> bool:
    site = SiteSettings.get_solo()
    changed = SiteSettings.objects.filter(pk=site.pk, is_analysis_paused=not is_paused).update(
        is_analysis_paused=is_paused
    )
    # After the commit: what another thread caches before it is the old value still.
    transaction.on_commit(lambda: caches["local"].delete(CACHE_KEY))
    return bool(changed)


def _note(actor: User, text: str) -> None:
    site = SiteSettings.objects.filter(pk=SiteSettings.singleton_instance_id)
    LogEntry.objects.log_actions(actor.pk, site, CHANGE, change_message=text, single_object=True)


@transaction.atomic
def dismiss(inquiry: Inquiry, *, actor: User) -> Inquiry:
    """Set a failed analysis aside: a person reads the inquiry without one. Raises StaleInquiry where none failed."""
    failed = Inquiry.objects.filter(pk=inquiry.pk, ai_state=AnalysisState.FAILED)
    expect(failed.touch(ai_state=AnalysisState.SKIPPED, ai_error=AIReason.DISMISSED))
    add_event(inquiry, EventKind.DISMISSED, actor)
    inquiry.refresh_from_db()
    return inquiry
