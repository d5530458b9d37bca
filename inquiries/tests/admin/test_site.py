from __future__ import annotations

from gettext import GNUTranslations
from pathlib import Path

import django.contrib.admin
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import WARNING, get_messages
from django.urls import reverse
from django.utils import translation

from inquiries.admin.base import SAVED
from inquiries.models import ApiKey, Category, Correction, Inquiry, User
from inquiries.tests import factories

LISTS = ("category", "inquiry", "analysis", "correction", "apikey", "user")


def _make_rows(number: int, start: int = 0) -> None:
    """`number` rows in every list, none like another."""
    for index in range(start, start + number):
        category = Category.objects.create(name=f"Tema {index}", examples="uno\ndos")
        person = factories.make_user(f"persona{index}", "Agentes")
        inquiry = factories.make_inquiry(analysed=True, category=category, assignee=person)
        Correction.objects.create(
            inquiry=inquiry, field="category", ai_value="a", human_value="b", actor=person, engine="embedded"
        )
        ApiKey.issue(f"clave {index}", owner=person)


@pytest.fixture
def site(client, supervisor, categories):
    client.force_login(supervisor)
    return client


@pytest.mark.parametrize("name", LISTS)
def test_each_list_costs_the_same_with_few_and_many_rows(
    site, name, django_assert_num_queries, django_assert_max_num_queries
):
    url = reverse(f"admin:inquiries_{name}_changelist")
    _make_rows(3)
    site.get(url)  # the desk's settings are in the cache now
    with django_assert_max_num_queries(20) as few:
        assert site.get(url).status_code == 200
    expected = len(few)
    assert expected
    _make_rows(27, start=3)
    with django_assert_num_queries(expected):
        response = site.get(url)
    assert len(response.context["cl"].result_list) >= 30


@pytest.mark.parametrize("name", ["inquiry", "analysis", "correction"])
def test_lists_of_large_tables_count_no_further_than_the_cap(site, name, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr("inquiries.admin.base.COUNT_CAP", 2)
    _make_rows(4)
    with django_assert_max_num_queries(20) as queries:
        response = site.get(reverse(f"admin:inquiries_{name}_changelist"))
    counts = [query["sql"] for query in queries.captured_queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 2" in sql for sql in counts if f"inquiries_{name}" in sql)
    assert response.context["cl"].result_count == 2


def test_an_anonymous_visitor_is_led_to_our_sign_in(client, db):
    for url in (reverse("admin:index"), reverse("admin:inquiries_inquiry_changelist")):
        response = client.get(url, follow=True)
        assert response.redirect_chain[-1][0] == f"{reverse('login')}?next={url}"


def test_the_admin_has_no_sign_in_of_its_own(client, agent):
    response = client.post(reverse("admin:login"), {"username": "agente", "password": factories.PASSWORD})
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))
    assert "_auth_user_id" not in client.session


def test_the_way_back_never_leaves_this_site(site):
    response = site.get(reverse("admin:login"), {"next": "https://evil.example/"})
    assert response["Location"] == reverse("admin:index")


def test_an_agent_and_an_outsider_are_refused_everywhere(client, agent, outsider, inquiry):
    urls = [reverse("admin:index"), reverse("admin:login"), reverse("admin:jsi18n")]
    urls += [reverse(f"admin:inquiries_{name}_changelist") for name in LISTS]
    urls += [
        reverse("admin:inquiries_inquiry_change", args=[inquiry.pk]),
        reverse("admin:inquiries_sitesettings_change"),
    ]
    for person in (agent, outsider):
        client.force_login(person)
        for url in urls:
            response = client.get(url)
            assert response.status_code == 403, url
            assert "Juana" not in response.content.decode()


def test_an_agent_who_is_staff_is_refused_all_the_same(client, agent):
    User.objects.filter(pk=agent.pk).update(is_staff=True)
    client.force_login(agent)
    assert client.get(reverse("admin:index")).status_code == 403


def test_a_supervisor_needs_no_staff_flag(site, supervisor):
    assert not supervisor.is_staff
    assert site.get(reverse("admin:index")).status_code == 200


def test_the_first_page_shows_our_sections_and_no_groups_to_supervisors(site):
    sections = site.get(reverse("admin:index")).context["app_list"]
    shown = [[model["object_name"] for model in section["models"]] for section in sections]
    assert shown == [
        ["Category", "SiteSettings", "ApiKey"],
        ["User", "AccessAttempt"],
        ["Inquiry", "Analysis", "Correction"],
    ]


def test_every_page_of_the_index_opens(site):
    for section in site.get(reverse("admin:index")).context["app_list"]:
        for model in section["models"]:
            assert site.get(model["admin_url"]).status_code == 200, model["object_name"]
            if model["add_url"]:
                assert site.get(model["add_url"]).status_code == 200, model["object_name"]


def test_sign_out_and_password_change_are_ours(site):
    assert site.get(reverse("admin:password_change"))["Location"] == reverse("password_change")
    site.post(reverse("admin:logout"))
    assert "_auth_user_id" not in site.session


def test_settings_are_saved_and_bad_prices_refused(site):
    url = reverse("admin:inquiries_sitesettings_change")
    values = {
        "company_name": "Acme",
        "ai_mode": "embedded",
        "review_threshold": "0.6",
        "few_shot_tokens": "800",
        "daily_cost": "2.50",
        "retention_days": "365",
        "prices": "{}",
    }
    saved = site.post(url, values, follow=True)
    assert [str(message) for message in saved.context["messages"]] != []
    assert "was changed" not in saved.content.decode()
    response = site.post(url, values | {"prices": '{"m": {"input": "mucho"}}'})
    assert response.context["adminform"].form.errors.keys() == {"prices"}
    assert LogEntry.objects.filter(content_type__model="sitesettings").count() == 1


@pytest.mark.parametrize(
    ("limits", "prices", "warnings"),
    [
        ({"daily_cost": "2"}, "{}", ["The settings name no price, so that no money is counted."]),
        ({"monthly_cost": "2"}, '{"other": {"input": 1, "output": 1}}', ["The settings name no price for a model."]),
        ({"daily_cost": "2"}, '{"small": {"input": 1, "output": 1}}', []),
        ({"daily_cost": "0"}, "{}", []),
        ({"daily_tokens": "100"}, "{}", []),
    ],
)
def test_a_limit_of_money_that_nothing_counts_is_warned_of(site, settings, limits, prices, warnings):
    settings.OPENAI_MODEL = "small"
    site.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    values = {"ai_mode": "auto", "review_threshold": "0.6", "few_shot_tokens": "800", "prices": prices}
    response = site.post(reverse("admin:inquiries_sitesettings_change"), values | limits)
    told = get_messages(response.wsgi_request)
    assert [str(message) for message in told if message.level == WARNING] == warnings


def test_nothing_in_the_admin_shows_a_customers_token(site, inquiry):
    for name in ("inquiry", "analysis"):
        for url in (reverse(f"admin:inquiries_{name}_changelist"),):
            assert inquiry.public_token not in site.get(url).content.decode()
    page = site.get(reverse("admin:inquiries_inquiry_change", args=[inquiry.pk])).content.decode()
    assert "no puedo entrar a mi cuenta" in page
    assert Inquiry.objects.get().public_token not in page


@pytest.mark.parametrize("text", SAVED)
def test_what_we_say_in_place_of_djangos_messages_is_still_what_django_says(text):
    """Were Django to change its ids, its masculine Spanish would come back unseen."""
    admin_words = Path(django.contrib.admin.__file__).parent / "locale/es/LC_MESSAGES/django.mo"
    with admin_words.open("rb") as file:
        assert text in GNUTranslations(file)._catalog


@pytest.mark.parametrize("text", SAVED)
def test_a_message_of_the_admin_fits_every_gender(text):
    with translation.override("es"):
        assert not translation.gettext(text).startswith("El ")


def test_the_language_can_be_switched_in_the_admin(site):
    url = reverse("admin:inquiries_category_changelist") + "?is_active__exact=1"
    page = site.get(url).content.decode()
    assert f'action="{reverse("set_language")}"' in page
    assert f'name="next" value="{url}"' in page
    assert site.post(reverse("set_language"), {"language": "en", "next": url})["Location"] == url
    assert "Sign out" in site.get(url).content.decode()
