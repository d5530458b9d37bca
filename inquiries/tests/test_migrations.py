from __future__ import annotations

import pytest
from django.core.management import call_command

from inquiries.models import PromptVersion, SiteSettings

BEFORE_PROMPTS = "0002"


@pytest.mark.django_db(transaction=True)
def test_the_instructions_survive_the_way_back_and_forth_with_one_version_in_use():
    SiteSettings.get_solo()
    PromptVersion.objects.create(facts="Abrimos de 9 a 18.", tone="vos").activate()
    call_command("migrate", "inquiries", BEFORE_PROMPTS, verbosity=0)
    call_command("migrate", verbosity=0)
    in_use = PromptVersion.objects.get(is_active=True)
    assert (in_use.facts, in_use.tone) == ("Abrimos de 9 a 18.", "vos")
