from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from inquiries.models import Inquiry
from inquiries.services import privacy
from inquiries.tests.test_erasing import lived

EMAIL = "juana@example.com"
URL = "admin:inquiries_inquiry_changelist"


@pytest.fixture
def hers(make_inquiry, other_agent, categories) -> Inquiry:
    return lived(make_inquiry, other_agent)


@pytest.fixture
def site(client, supervisor, hers):
    client.force_login(supervisor)
    return client


def act(client, action: str, *inquiries: Inquiry, follow: bool = False, **fields: str):
    data = {"action": action, "_selected_action": [str(inquiry.pk) for inquiry in inquiries], **fields}
    return client.post(reverse(URL), data, follow=follow)


def told(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_an_export_is_a_file_that_no_cache_keeps(site, hers):
    response = act(site, "export_person", hers)
    assert json.loads(response.content)["inquiries"][0]["number"] == hers.pk
    assert response["Content-Type"].startswith("application/json")
    assert response["Content-Disposition"].startswith("attachment")
    assert "juana" not in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]


def test_several_inquiries_of_one_address_are_one_person(site, hers, make_inquiry):
    more = make_inquiry(email="JUANA@example.com")
    response = act(site, "export_person", more)
    assert len(json.loads(response.content)["inquiries"]) == 2
    assert act(site, "export_person", hers, more)["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("action", ["export_person", "erase_person"])
def test_several_addresses_are_refused(site, hers, make_inquiry, action):
    response = act(site, action, hers, make_inquiry(email="otra@example.com"), follow=True, address=EMAIL)
    assert response.status_code == 200
    assert told(response)
    assert Inquiry.objects.count() == 2


def test_the_page_before_shows_what_would_go_and_changes_nothing(site, hers, make_inquiry):
    make_inquiry(email="Juana@Example.com")
    html = act(site, "erase_person", hers).content.decode()
    assert EMAIL in html.lower()
    assert "Consultas: 2" in html
    assert "csrfmiddlewaretoken" in html
    assert Inquiry.objects.count() == 2


@pytest.mark.parametrize("typed", ["", "juana", "otra@example.com"])
def test_a_mistyped_address_erases_nothing(site, hers, typed):
    response = act(site, "erase_person", hers, address=typed)
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert Inquiry.objects.count() == 1


def test_the_typed_address_erases_and_leaves_a_report_and_a_trail(site, supervisor, hers, make_inquiry):
    make_inquiry(email="Juana@Example.com")
    other = make_inquiry(email="otra@example.com")
    response = act(site, "erase_person", hers, address=" JUANA@example.com", follow=True)
    assert response.redirect_chain[-1] == (reverse(URL), 302)
    assert "Consultas: 2" in told(response)
    assert list(Inquiry.objects.all()) == [other]
    entry = LogEntry.objects.get()
    assert entry.user == supervisor
    assert privacy.digest_of(EMAIL) in entry.object_repr
    page = site.get(reverse("admin:index")).content.decode()
    assert privacy.digest_of(EMAIL) in page
    assert "juana" not in page.lower()


def test_what_went_meanwhile_is_told(site, hers):
    privacy.erase_person(EMAIL, actor=None)
    assert told(act(site, "erase_person", hers, address=EMAIL, follow=True))


def test_a_search_that_is_open_does_not_get_in_the_way(site, hers):
    data = {"action": "erase_person", "_selected_action": [str(hers.pk)], "address": EMAIL}
    site.post(f"{reverse(URL)}?q=cuenta", data)
    assert not Inquiry.objects.exists()


@pytest.mark.parametrize("action", ["export_person", "erase_person"])
def test_agents_and_outsiders_may_not(client, agent, outsider, hers, action):
    for person in (agent, outsider):
        client.force_login(person)
        response = act(client, action, hers, address=EMAIL)
        assert response.status_code == 403
        assert EMAIL not in response.content.decode()
    client.logout()
    assert act(client, action, hers, address=EMAIL).status_code == 302
    assert Inquiry.objects.count() == 1


def test_a_page_of_another_site_cannot_erase(supervisor, hers):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(supervisor)
    assert act(strict, "erase_person", hers, address=EMAIL).status_code == 403
    assert Inquiry.objects.count() == 1


def test_asking_by_address_line_does_nothing(site, hers):
    site.get(reverse(URL), {"action": "erase_person", "_selected_action": hers.pk, "address": EMAIL})
    assert Inquiry.objects.count() == 1


def test_the_list_offers_these_two_actions_alone(site):
    choices = site.get(reverse(URL)).context["action_form"].fields["action"].choices
    assert [name for name, _label in choices if name] == ["export_person", "erase_person"]


@pytest.mark.parametrize("name", ["analysis", "correction"])
def test_other_lists_offer_no_action(site, name):
    assert site.get(reverse(f"admin:inquiries_{name}_changelist")).context["action_form"] is None


def test_what_a_customer_calls_themself_is_text_and_never_markup(site, make_inquiry):
    odd = make_inquiry(email="a&b'<i>@example.com")
    html = act(site, "erase_person", odd).content.decode()
    assert "<i>@" not in html


def test_an_empty_notice_comes_with_a_suggestion(site):
    html = site.get(reverse("admin:inquiries_sitesettings_changelist")).content.decode()
    assert 'name="notice"' in html
    assert "placeholder=" in html.split('name="notice"')[1].split(">")[0]
