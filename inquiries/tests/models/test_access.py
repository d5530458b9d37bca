from __future__ import annotations

import pytest
from django.utils import timezone

from inquiries.models import ApiKey

pytestmark = pytest.mark.django_db


def test_a_key_is_kept_as_a_hash_only():
    row, key = ApiKey.issue("tienda")
    assert key.startswith("pok_")
    assert len(key) > 40
    assert key not in str(row.__dict__)
    assert ApiKey.objects.matching(key) == row


@pytest.mark.parametrize("text", ["", "pok_", "pok_otra", "\x00", "ñ" * 500, "\udcff"])
def test_other_texts_match_no_key(text):
    ApiKey.issue("tienda")
    assert ApiKey.objects.matching(text) is None


def test_a_revoked_key_does_not_match():
    row, key = ApiKey.issue("tienda")
    ApiKey.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    assert ApiKey.objects.matching(key) is None


def test_a_key_ends_with_its_owner(agent):
    _, key = ApiKey.issue("tienda", owner=agent)
    assert ApiKey.objects.matching(key) is not None
    agent.is_active = False
    agent.save()
    assert ApiKey.objects.matching(key) is None
