from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from inquiries import budget
from inquiries.models import Category, HeadVersion, Outcome, Usage
from inquiries.states import DraftUse


@pytest.fixture
def site(client, supervisor, categories):
    client.force_login(supervisor)
    return client


@pytest.fixture
def reply(db):
    def make(said: str = "Ventas", held: str = "Ventas", **fields) -> Outcome:
        values = {"engine": "openai", "model": "gpt-x", "prompt_version": "7", "draft_use": DraftUse.UNCHANGED}
        return Outcome.objects.create(ai_category=said, category=held, **(values | fields))

    return make


def _html(response) -> str:
    return response.content.decode()


def _specs(response) -> dict:
    found = re.search(r'<script id="quality-charts" type="application/json">(.*?)</script>', _html(response), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_it_shows_the_figures_as_charts_and_as_tables(site, reply):
    for _index in range(3):
        reply(confidence=0.9)
    reply("Ventas", "Reclamo", category_touched=True, confidence=0.6)
    response = site.get(reverse("quality"))
    html = _html(response)
    assert "75\xa0%" in html
    assert re.search(r'<th scope="row">Ventas</th><td class="words">Reclamo</td><td>1</td>', html)
    specs = _specs(response)
    assert set(specs) >= {"agreement", "people", "categories", "calibration", "drafts"}
    assert sum(filter(None, specs["people"]["sets"][0]["values"])) == 3
    drawn = re.findall(r'<canvas data-chart="(\w+)" role="img" aria-label="([^"]+)"', html)
    assert {name for name, _essence in drawn} <= set(specs)
    assert all(len(essence) > 20 for _name, essence in drawn)
    assert html.count('<details class="numbers" open>') >= 5
    assert "no-store" in response["Cache-Control"]


def test_no_edit_is_called_typical_where_none_was_made(site, reply):
    typical = "edición típica:"
    reply(draft_use=DraftUse.UNCHANGED)
    assert typical not in _html(site.get(reverse("quality")))
    reply(draft_use=DraftUse.EDITED, edit_distance=0.2)
    assert typical in _html(site.get(reverse("quality")))


def test_only_supervisors_come_in(client, agent, outsider, reply):
    reply("Secreta", "Secreta")
    url = reverse("quality")
    assert client.get(url)["Location"] == f"{reverse('login')}?next={url}"
    for person in (agent, outsider):
        client.force_login(person)
        response = client.get(url)
        assert response.status_code == 403
        assert "Secreta" not in _html(response)


def test_only_supervisors_see_the_link(client, agent, supervisor, categories):
    for person, is_there in ((agent, False), (supervisor, True)):
        client.force_login(person)
        assert (f'href="{reverse("quality")}"' in _html(client.get(reverse("inbox")))) is is_there


def test_it_only_reads(site):
    assert site.post(reverse("quality")).status_code == 405


@pytest.mark.parametrize("query", [{"dias": "8"}, {"dias": "todo' OR 1=1"}, {"motor": "\x00"}, {"version": "v" * 100}])
def test_a_question_that_cannot_be_is_refused_and_the_usual_span_shown(site, reply, query):
    reply()
    response = site.get(reverse("quality"), query)
    assert response.status_code == 422
    assert 'role="alert"' in _html(response)
    assert response.context["question"].span == "30"


def test_a_span_and_filters_are_kept_in_every_link(site, reply):
    reply()
    html = _html(site.get(reverse("quality"), {"dias": "90", "motor": "openai"}))
    assert f'href="{reverse("quality")}?dias=7&amp;motor=openai"' in html
    assert re.search(r'\?dias=90&amp;motor=openai" aria-current="page"', html)
    assert '<input type="hidden" name="dias" value="90">' in html
    assert '<option value="openai" selected>' in html
    assert f'href="{reverse("quality")}?dias=90"' in html  # without filters


def test_a_version_is_one_click_away(site, reply):
    reply()
    reply(engine="embedded", model="", prompt_version="")
    html = _html(site.get(reverse("quality")))
    url = "?dias=30&amp;motor=openai&amp;modelo=gpt-x&amp;version=7"
    assert url in html
    assert 'class="is-chosen"' not in html
    chosen = site.get(reverse("quality"), {"motor": "openai", "modelo": "gpt-x", "version": "7"})
    assert 'class="is-chosen"' in _html(chosen)
    assert chosen.context["report"].total.replies == 1


def test_filters_that_match_nothing_offer_a_way_back(site, reply):
    reply()
    html = _html(site.get(reverse("quality"), {"motor": "nadie"}))
    assert 'class="panel empty"' in html
    assert "<canvas" not in html
    assert f'href="{reverse("quality")}?dias=30"' in html


def test_a_new_desk_is_told_what_will_be_here(site):
    response = site.get(reverse("quality"))
    html = _html(response)
    assert response.status_code == 200
    assert 'class="panel empty"' in html
    assert "<canvas" not in html
    assert "None" not in html.split("<main")[1]


def test_what_was_spent_is_shown_before_the_first_reply(site):
    Usage.objects.create(day=budget.today(), engine="openai", calls=2, tokens_in=1_500, cost="0.25", milliseconds=900)
    html = _html(site.get(reverse("quality")))
    assert 'data-chart="cost"' in html
    assert "1\xa0500" in html


def test_a_poorly_taught_category_is_one_click_from_its_examples(site, categories):
    Category.objects.exclude(name="Ventas").update(examples="\n".join("abcde"))
    html = _html(site.get(reverse("quality")))
    url = reverse("admin:inquiries_category_change", args=[categories["Ventas"].pk])
    assert html.count("few-examples") == 1
    assert f'href="{url}"' in html


def test_names_are_text_and_never_markup(site, reply):
    reply("</script><img src=x>", "<b>otra</b>", model="<i>m</i>")
    response = site.get(reverse("quality"))
    html = _html(response)
    assert "<img src=x>" not in html
    assert "<b>otra</b>" not in html
    assert "<i>m</i>" not in html
    assert _specs(response)["categories"]["sets"][0]["label"] == "<b>otra</b>"


@pytest.mark.parametrize(("span", "queries"), [("30", 14), ("todo", 15)])
def test_it_costs_the_same_number_of_queries_however_much_there_is(
    site, reply, make_inquiry, django_assert_num_queries, span, queries
):
    def fill(number: int) -> None:
        for index in range(number):
            analysis = make_inquiry(analysed=True).analyses.get()
            reply(f"Una {index}", f"Otra {index}", analysis=analysis, prompt_version=str(index), confidence=0.5)
            HeadVersion.objects.create(fingerprint="f", encoder="use", data=b"x")
            Usage.objects.create(day=budget.today(), engine="openai", model=f"{number} {index}", calls=1)

    fill(2)
    query = {"dias": span}
    site.get(reverse("quality"), query)
    # session, person, two for permissions; usage (and the first reply), categories, agreement, three of versions,
    # pairs, calibration, inquiries received, trainings
    with django_assert_num_queries(queries):
        site.get(reverse("quality"), query)
    fill(12)
    with django_assert_num_queries(queries):
        site.get(reverse("quality"), query)
