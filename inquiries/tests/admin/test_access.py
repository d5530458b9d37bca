from __future__ import annotations

import re

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from inquiries.models import ApiKey
from inquiries.tests import factories

KEYS = "admin:inquiries_apikey_changelist"


@pytest.fixture
def site(client, supervisor):
    client.force_login(supervisor)
    return client


def test_a_key_is_shown_once_and_works(site, agent):
    values = {"name": "Tienda", "can_create": "on", "owner": agent.pk}
    response = site.post(reverse("admin:inquiries_apikey_add"), values, follow=True)
    shown = re.search(r"pok_[\w-]{43}", response.content.decode())
    assert shown is not None
    key = ApiKey.objects.matching(shown.group())
    assert key is not None
    assert (key.name, key.can_create, key.can_read, key.owner) == ("Tienda", True, False, agent)
    pages = [site.get(reverse(KEYS)), site.get(reverse("admin:inquiries_apikey_change", args=[key.pk]))]
    for page in pages:
        assert shown.group() not in page.content.decode()
        assert key.digest not in page.content.decode()
    assert shown.group() not in str(list(LogEntry.objects.values()))
    assert ApiKey.objects.count() == 1


def test_a_key_is_renamed_without_a_new_one_being_made(site):
    key, text = ApiKey.issue("Tienda")
    url = reverse("admin:inquiries_apikey_change", args=[key.pk])
    site.post(url, {"name": "Tienda web", "can_read": "on", "digest": "0" * 64, "prefix": "x", "revoked_at": ""})
    changed = ApiKey.objects.get()
    assert (changed.name, changed.can_create, changed.can_read) == ("Tienda web", False, True)
    assert ApiKey.objects.matching(text) == changed


def test_revoked_keys_stay_revoked(site):
    first, text = ApiKey.issue("Una")
    ApiKey.issue("Otra")
    site.post(reverse(KEYS), {"action": "revoke", "_selected_action": [first.pk]})
    assert ApiKey.objects.matching(text) is None
    assert ApiKey.objects.usable().count() == 1
    when = ApiKey.objects.get(pk=first.pk).revoked_at
    site.post(reverse(KEYS), {"action": "revoke", "_selected_action": [first.pk]})
    site.post(reverse("admin:inquiries_apikey_change", args=[first.pk]), {"name": "Una", "revoked_at": ""})
    assert ApiKey.objects.get(pk=first.pk).revoked_at == when


def test_keys_are_revoked_and_never_deleted(site):
    key, _text = ApiKey.issue("Una")
    response = site.post(reverse("admin:inquiries_apikey_delete", args=[key.pk]), {"post": "yes"})
    assert response.status_code == 403
    assert ApiKey.objects.exists()


def test_the_list_says_which_keys_work(site, agent):
    ApiKey.issue("Sin dueño")
    owned, _text = ApiKey.issue("Con dueño", owner=agent)
    agent.is_active = False
    agent.save()
    rows = {row.name: row for row in site.get(reverse(KEYS)).context["cl"].result_list}
    model_admin = site.get(reverse(KEYS)).context["cl"].model_admin
    assert model_admin.is_usable(rows["Sin dueño"])
    assert not model_admin.is_usable(rows[owned.name])


def _fail_to_sign_in(times: int, agent_text: str) -> Client:
    stranger = Client(headers={"user-agent": agent_text})
    for _try in range(times):
        stranger.post(reverse("login"), {"username": "agente", "password": "no es esta"})
    return stranger


def test_a_supervisor_unlocks_a_locked_out_person_over_all_browsers(site, agent):
    _fail_to_sign_in(3, "uno")
    stranger = _fail_to_sign_in(2, "dos")
    right = {"username": "agente", "password": factories.PASSWORD}
    assert stranger.post(reverse("login"), right).status_code == 429
    url = reverse("admin:axes_accessattempt_changelist")
    response = site.get(url)
    attempts = response.context["cl"].result_list
    assert len(attempts) == 2
    assert all(response.context["cl"].model_admin.is_locked_out(attempt) for attempt in attempts)
    site.post(url, {"action": "unlock", "_selected_action": [attempts[0].pk]})
    assert not AccessAttempt.objects.exists()
    assert stranger.post(reverse("login"), right).status_code == 302


def test_a_few_failures_are_no_lockout(site, agent):
    _fail_to_sign_in(2, "uno")
    response = site.get(reverse("admin:axes_accessattempt_changelist"))
    (attempt,) = response.context["cl"].result_list
    assert not response.context["cl"].model_admin.is_locked_out(attempt)


def test_an_attempt_shows_no_password(site, agent):
    _fail_to_sign_in(1, "uno")
    attempt = AccessAttempt.objects.get()
    html = site.get(reverse("admin:axes_accessattempt_change", args=[attempt.pk])).content.decode()
    assert "no es esta" not in html
    assert "no es esta" not in attempt.post_data
