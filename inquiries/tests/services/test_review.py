from __future__ import annotations

import pytest
from django.urls import reverse

from inquiries import services
from inquiries.models import Inquiry, SiteSettings

pytestmark = pytest.mark.django_db


def marks() -> list[bool]:
    return list(Inquiry.objects.order_by("id").values_list("needs_review", flat=True))


@pytest.fixture
def read(make_inquiry, categories) -> list[Inquiry]:
    """Sure, unsure, without a category, answered, and set by a person."""
    return [
        make_inquiry(analysed=True, confidence=0.9),
        make_inquiry(analysed=True, confidence=0.4),
        make_inquiry(analysed=True, confidence=0.9, category=None, needs_review=True),
        make_inquiry(analysed=True, confidence=0.1, status="answered"),
        make_inquiry(analysed=True, confidence=0.1, category_by_person=True),
    ]


def test_a_new_threshold_counts_for_what_waits(read):
    SiteSettings.objects.update_or_create(pk=1, defaults={"review_threshold": 0.5})
    assert services.remark_doubtful() == 1
    assert marks() == [False, True, True, False, False]
    SiteSettings.objects.update(review_threshold=0.95)
    services.remark_doubtful()
    assert marks() == [True, True, True, False, False]
    SiteSettings.objects.update(review_threshold=0.0)
    services.remark_doubtful()
    assert marks() == [False, False, True, False, False]


def test_the_settings_page_applies_it(client, supervisor, read):
    client.force_login(supervisor)
    values = {"ai_mode": "auto", "review_threshold": "0.95", "few_shot_tokens": "800", "prices": "{}"}
    assert client.post(reverse("admin:inquiries_sitesettings_change"), values).status_code == 302
    assert marks()[0]
