"""The instructions of the AI: a change makes a new version, and putting an older one into use is the way back."""

from __future__ import annotations

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from inquiries.models import PromptVersion, SiteSettings, User
from inquiries.models.inquiry import InquiryError
from pok.logging import get_logger

log = get_logger(__name__)
# What a model or a draft can tell two versions apart by; the note is for people.
TEXTS = ("facts", "tone", "style", "signature", "forbidden")
IN_USE = gettext_noop("in use")


class NothingChanged(InquiryError):
    """The new version says what the one that it started from says."""


@transaction.atomic
def save_version(  # noqa: PLR0913 -- the columns of a version
    *,
    actor: User,
    base: PromptVersion | None,
    note: str,
    facts: str,
    tone: str,
    style: str,
    signature: str,
    forbidden: str,
) -> PromptVersion:
    """Keep these texts as a new version, not yet in use; no version is ever changed.

    `base` is the version that was edited, None where there was none. Raises NothingChanged where nothing but the
    note differs from it.
    """
    texts = {"facts": facts, "tone": tone, "style": style, "signature": signature, "forbidden": forbidden}
    version = PromptVersion(note=_clean(note), created_by=actor, **{name: _clean(text) for name, text in texts.items()})
    if says_the_same(version, base or PromptVersion()):
        raise NothingChanged(_("Nothing differs from the version that you started from."))
    one_at_a_time()
    in_use()  # so that the way back leads to what held before the first version of their own, too
    version.save()
    version.refresh_from_db()
    log.info("prompt_saved", version=version.pk, actor_id=actor.pk)
    return version


@transaction.atomic
def activate(version: PromptVersion, *, actor: User) -> PromptVersion:
    """Put a version into use and note who did it; the one before stays where it can be chosen again.

    A version that is in use already stays so, without a second note.
    """
    one_at_a_time()
    version.refresh_from_db()
    if not version.is_active:
        version.activate()
        note_act(version, actor=actor, field=IN_USE)
        log.info("prompt_put_into_use", version=version.pk, actor_id=actor.pk)
    return version


def system_text(version: PromptVersion) -> str:
    """Return the whole system prompt that this version makes with today's categories."""
    # The engines' side of the house, which a web process needs for this page alone.
    from inquiries.ai.prompts import system_prompt
    from inquiries.asking import profile_of
    from inquiries.categories import live_categories

    return system_prompt(live_categories(), profile_of(version))


def says_the_same(one: PromptVersion, other: PromptVersion) -> bool:
    """Tell whether two versions make the same instructions."""
    return all(getattr(one, name) == getattr(other, name) for name in TEXTS)


def active() -> PromptVersion:
    """Return the version in use as the table says, without the cache; an unsaved empty one where there is none."""
    return PromptVersion.objects.filter(is_active=True).first() or PromptVersion()


def in_use() -> PromptVersion:
    """Return the version in use; where there is none yet, keep what POK does by itself as the first one."""
    found = active()
    if found.pk is None:
        found.note = _("As delivered")
        found.save()
        found.activate()
    return found


def one_at_a_time() -> None:
    """Let supervisors' changes pass one after the other; SQLite's write transactions do so by themselves."""
    SiteSettings.objects.select_for_update().get(pk=SiteSettings.get_solo().pk)


def note_act(row: models.Model, *, actor: User, field: str) -> None:
    """Write down who changed `field`, a msgid, where Django's admin keeps such notes."""
    LogEntry.objects.log_actions(
        user_id=actor.pk,
        queryset=[row],
        action_flag=CHANGE,
        change_message=[{"changed": {"fields": [field]}}],
        single_object=True,
    )


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
