"""`services.prompts`: versions of the instructions."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry

from inquiries.models import PromptVersion
from inquiries.services import prompts

pytestmark = pytest.mark.django_db
TEXTS = {
    "facts": "Abrimos de 9 a 18.",
    "tone": "vos",
    "style": "Breve y cálido.",
    "signature": "El equipo de Acme",
    "forbidden": "reembolso total",
}


def saved(actor, base=None, **changes) -> PromptVersion:
    return prompts.save_version(actor=actor, base=base, **({"note": "Nueva"} | TEXTS | changes))


def test_a_version_keeps_what_was_written_and_by_whom(supervisor):
    version = saved(supervisor, note=" Horario ", facts="Lunes\r\nMartes\r\n")
    version.refresh_from_db()
    assert (version.note, version.facts, version.tone) == ("Horario", "Lunes\nMartes", "vos")
    assert (version.created_by, version.is_active) == (supervisor, False)
    assert version.created_at is not None


def test_a_change_makes_a_new_version_and_leaves_the_old_one(supervisor):
    first = saved(supervisor)
    second = saved(supervisor, first, facts="Abrimos de 8 a 20.")
    first.refresh_from_db()
    assert second.pk != first.pk
    assert first.facts == TEXTS["facts"]


@pytest.mark.parametrize("changes", [{}, {"note": "Otra nota"}, {"facts": "  Abrimos de 9 a 18.\r\n"}])
def test_a_version_that_says_the_same_is_refused(supervisor, changes):
    first = saved(supervisor)
    before = PromptVersion.objects.count()
    with pytest.raises(prompts.NothingChanged) as caught:
        saved(supervisor, first, **changes)
    assert str(caught.value)
    assert PromptVersion.objects.count() == before


@pytest.fixture
def _no_versions(db) -> None:
    PromptVersion.objects.all().delete()


@pytest.mark.usefixtures("_no_versions")
def test_without_a_base_the_way_pok_works_by_itself_is_no_new_version(supervisor):
    with pytest.raises(prompts.NothingChanged):
        prompts.save_version(
            actor=supervisor, base=None, note="", facts="", tone="usted", style="", signature="", forbidden=""
        )
    assert not PromptVersion.objects.exists()


@pytest.mark.usefixtures("_no_versions")
def test_the_first_version_leaves_a_way_back_to_what_held_before(supervisor):
    version = saved(supervisor)
    delivered = PromptVersion.objects.exclude(pk=version.pk).get()
    assert (delivered.is_active, delivered.facts, delivered.created_by) == (True, "", None)
    saved(supervisor, version, facts="Otra cosa.")
    assert PromptVersion.objects.count() == 3


def test_putting_into_use_is_noted_and_can_be_taken_back(supervisor, make_user):
    version, other = saved(supervisor), make_user("otra", "Supervisores")
    delivered = prompts.active()
    assert delivered != version
    assert prompts.activate(version, actor=supervisor).is_active
    assert prompts.active() == version
    prompts.activate(delivered, actor=other)
    assert prompts.active() == delivered
    notes = [(entry.object_id, entry.user) for entry in LogEntry.objects.order_by("pk")]
    assert notes == [(str(version.pk), supervisor), (str(delivered.pk), other)]


def test_a_second_click_notes_nothing(supervisor):
    version = saved(supervisor)
    prompts.activate(version, actor=supervisor)
    since = prompts.active().activated_at
    prompts.activate(version, actor=supervisor)
    assert LogEntry.objects.count() == 1
    assert prompts.active().activated_at == since


def test_the_system_text_holds_the_texts_and_the_categories(supervisor, categories):
    text = prompts.system_text(saved(supervisor))
    for part in ("Abrimos de 9 a 18.", "Breve y cálido", "El equipo de Acme", "reembolso total", "Facturación"):
        assert part in text
