from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.urls import reverse

from inquiries.models import Analysis, Comparison, PromptVersion
from inquiries.services import comparisons, prompts
from inquiries.states import AIReason, AnalysisState
from inquiries.views.trials import comparison_form, estimate_of

HTMX = {"hx-request": "true"}


@pytest.fixture
def site(client, supervisor, categories):
    client.force_login(supervisor)
    return client


@pytest.fixture
def version(supervisor, categories) -> PromptVersion:
    return prompts.save_version(
        actor=supervisor, base=None, note="Voseo", facts="", tone="vos", style="", signature="", forbidden=""
    )


@pytest.fixture
def corrected(make_inquiry, categories) -> list:
    return [make_inquiry(analysed=True, category_by_person=True) for _ in range(3)]


@pytest.fixture
def trial(supervisor, version, corrected) -> Comparison:
    return comparisons.start(
        actor=supervisor, kind=Comparison.Kind.COMPARE, prompt=version, engine="embedded", model="", size=10
    )


def _html(response) -> str:
    return response.content.decode()


def _finish(trial: Comparison, categories, candidate="Soporte Técnico", current="Ventas") -> None:
    for is_candidate, name in ((True, candidate), (False, current)):
        trial.analyses.filter(is_candidate=is_candidate).update(
            state=AnalysisState.DONE,
            due_at=None,
            category=name,
            category_row=categories[name],
            sentiment="Negativo",
            confidence=0.9,
            reply=f"Borrador {name}",
            flags=["link_cut", "de otra época"],
            duration_ms=10,
        )


# --- what they show ---
def test_while_it_runs_the_page_shows_its_progress_and_no_result(site, trial):
    html = _html(site.get(reverse("comparison", args=[trial.pk])))
    assert 'max="6"' in html
    assert "data-poll" in html
    assert reverse("comparison_cancel", args=[trial.pk]) in html
    assert 'id="verdict"' not in html


def test_a_finished_one_shows_both_sides_and_offers_the_candidate(site, trial, categories):
    _finish(trial, categories)
    response = site.get(reverse("comparison", args=[trial.pk]))
    html = _html(response)
    results = response.context["results"]
    assert (results.candidate.agreement, results.current.agreement, results.differing_count) == (1.0, 0.0, 3)
    assert "data-poll" not in html
    assert "Borrador Ventas" in html
    assert 'id="verdict"' in html
    assert reverse("prompt_activate", args=[trial.prompt_id]) in html
    assert reverse("comparison_cancel", args=[trial.pk]) not in html


def test_where_only_the_model_was_tried_no_instructions_are_offered(site, trial, categories):
    _finish(trial, categories)
    Comparison.objects.update(prompt=trial.current_prompt, model="m2")
    PromptVersion.objects.update(is_active=False)
    html = _html(site.get(reverse("comparison", args=[trial.pk])))
    assert 'id="activate"' not in html
    assert "OPENAI_MODEL" in html


def test_why_readings_failed_is_said(site, trial):
    trial.analyses.update(state=AnalysisState.FAILED, due_at=None, error=AIReason.MODEL_NOT_FOUND)
    assert str(AIReason.MODEL_NOT_FOUND.label) in _html(site.get(reverse("comparison", args=[trial.pk])))


def test_a_preview_shows_the_draft_beside_the_one_there_is(site, supervisor, version, corrected, categories):
    trial = comparisons.start(
        actor=supervisor, kind=Comparison.Kind.PREVIEW, prompt=version, engine="embedded", model="", size=3
    )
    _finish(trial, categories)
    html = _html(site.get(reverse("comparison", args=[trial.pk])))
    assert html.count("Borrador Soporte Técnico") == 3
    assert html.count(corrected[0].suggested_reply) == 3
    assert reverse("prompt_activate", args=[version.pk]) in html


def test_drafts_and_messages_are_never_markup(site, trial, categories, corrected):
    _finish(trial, categories)
    trial.analyses.update(reply="<img src=x onerror=a()>")
    type(corrected[0]).objects.update(message="<script>alert(1)</script>")
    html = _html(site.get(reverse("comparison", args=[trial.pk])))
    assert "<img src=x" not in html
    assert "<script>alert" not in html


def test_the_list_shows_past_comparisons_and_the_form(site, trial, categories):
    _finish(trial, categories)
    html = _html(site.get(reverse("comparisons")))
    assert reverse("comparison", args=[trial.pk]) in html
    assert "100 %" in html
    assert reverse("comparison_start") in html


# --- the poller ---
def test_the_poller_gets_the_region_when_there_is_news_and_nothing_else(site, trial):
    page = site.get(reverse("comparison", args=[trial.pk]))
    seen = re.search(r"\?seen=(\d+)", _html(page))
    assert seen is not None
    assert "HX-Request" in page["Vary"]
    assert "no-store" in page["Cache-Control"]
    url = reverse("comparison", args=[trial.pk])
    quiet = site.get(url, {"seen": seen[1]}, headers=HTMX)
    assert (quiet.status_code, quiet.content) == (204, b"")
    first = trial.analyses.order_by("pk")[0]
    Analysis.objects.filter(pk=first.pk).update(state=AnalysisState.FAILED, due_at=None)
    news = site.get(url, {"seen": seen[1]}, headers=HTMX)
    assert news.status_code == 200
    assert _html(news).lstrip().startswith('<div id="comparison"')


def test_the_poller_ends_with_the_results(site, trial, categories):
    _finish(trial, categories)
    last = site.get(reverse("comparison", args=[trial.pk]), {"seen": "4"}, headers=HTMX)
    assert last.status_code == 286
    assert "<html" not in _html(last)
    assert "data-poll" not in _html(last)


def test_going_back_in_history_gets_the_whole_page(site, trial):
    back = HTMX | {"hx-history-restore-request": "true"}
    for url in (reverse("comparison", args=[trial.pk]), reverse("comparisons")):
        assert "<html" in _html(site.get(url, headers=back))


def test_a_progress_poll_costs_two_queries_more_than_the_sign_in(site, trial, django_assert_num_queries):
    url = reverse("comparison", args=[trial.pk])
    site.get(url)
    with django_assert_num_queries(6):
        site.get(url, {"seen": "0"}, headers=HTMX)


def test_changing_the_form_shows_what_it_will_cost(site, corrected):
    values = {"engine": "embedded", "model": "", "size": "10"}
    response = site.get(reverse("comparisons"), values, headers=HTMX)
    assert response.context["estimate"].tokens == 0
    assert "<html" not in _html(response)
    broken = site.get(reverse("comparisons"), {"size": "abc"}, headers=HTMX)
    assert broken.status_code == 200


def test_a_refused_comparison_shows_what_the_chosen_one_would_cost(site, settings):
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"
    chosen = {"prompt": prompts.in_use().pk, "engine": "embedded", "model": "m", "size": "10"}
    form = comparison_form(100, QueryDict(urlencode(chosen)))
    form.add_error(None, "The budget is used up.")
    assert estimate_of(form, 100).inquiries == 10
    assert estimate_of(comparison_form(100), 100).inquiries == 50


# --- who may ---
def test_only_supervisors_come_in(client, agent, outsider, trial):
    page, form = reverse("comparison", args=[trial.pk]), reverse("comparisons")
    acts = {reverse("comparison_start"): form, reverse("comparison_cancel", args=[trial.pk]): page}
    for url in (page, form):
        client.logout()
        assert client.get(url)["Location"] == f"{reverse('login')}?next={url}"
    for url, way_back in acts.items():
        client.logout()
        assert client.post(url)["Location"] == f"{reverse('login')}?next={way_back}"
    for person in (agent, outsider):
        client.force_login(person)
        answers = [client.get(page), client.get(form), *(client.post(url) for url in acts)]
        assert {answer.status_code for answer in answers} == {403}
    trial.refresh_from_db()
    assert trial.cancelled_at is None


def test_each_view_takes_its_own_method(site, trial):
    assert site.post(reverse("comparisons")).status_code == 405
    assert site.post(reverse("comparison", args=[trial.pk])).status_code == 405
    assert site.get(reverse("comparison_start"))["Location"] == reverse("comparisons")
    cancel = reverse("comparison_cancel", args=[trial.pk])
    assert site.get(cancel)["Location"] == reverse("comparison", args=[trial.pk])


def test_what_is_not_there_is_not_found(site):
    assert site.get(reverse("comparison", args=[987654])).status_code == 404
    assert site.post(reverse("comparison_cancel", args=[987654])).status_code == 404


# --- starting and cancelling ---
def test_starting_leads_to_the_page(site, version, corrected):
    values = {"prompt": version.pk, "engine": "embedded", "model": "", "size": "10"}
    response = site.post(reverse("comparison_start"), values)
    trial = Comparison.objects.get()
    assert response["Location"] == reverse("comparison", args=[trial.pk])
    assert (trial.prompt, trial.analyses.count()) == (version, 6)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", "987654"),
        ("engine", "openai"),
        ("engine", ""),
        ("model", "dos palabras"),
        ("model", "m" * 81),
        ("size", "7"),
        ("size", "abc"),
        ("size", ""),
    ],
)
def test_a_bad_value_is_named_and_the_others_stay(site, version, corrected, field, value):
    values = {"prompt": version.pk, "engine": "embedded", "model": "mi-modelo", "size": "10"} | {field: value}
    response = site.post(reverse("comparison_start"), values)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert values["model"] in _html(response)
    assert not Comparison.objects.exists()


def test_what_cannot_be_compared_is_said_above_the_form(site, corrected):
    values = {"prompt": prompts.in_use().pk, "engine": "embedded", "model": "mi-modelo", "size": "10"}
    response = site.post(reverse("comparison_start"), values)
    assert response.status_code == 422
    assert response.context["form"].non_field_errors()
    assert "mi-modelo" in _html(response)


def test_without_labels_the_answer_says_what_is_missing(site, version):
    assert reverse("comparison_start") not in _html(site.get(reverse("comparisons")))
    values = {"prompt": version.pk, "engine": "embedded", "size": "10"}
    response = site.post(reverse("comparison_start"), values)
    assert response.status_code == 422
    assert response.context["form"].non_field_errors()


def test_a_second_start_leads_to_the_one_that_runs(site, trial, version):
    values = {"prompt": version.pk, "engine": "embedded", "size": "10"}
    assert site.post(reverse("comparison_start"), values)["Location"] == reverse("comparison", args=[trial.pk])
    assert Comparison.objects.count() == 1


def test_cancelling(site, trial):
    response = site.post(reverse("comparison_cancel", args=[trial.pk]), follow=True)
    trial.refresh_from_db()
    assert trial.cancelled_at is not None
    assert "data-poll" not in _html(response)
    assert [message.level_tag for message in response.context["messages"]] == ["success"]


def test_the_list_costs_the_same_however_many_there_are(site, trial, supervisor, django_assert_num_queries):
    site.get(reverse("comparisons"))
    # session, person, two for permissions; comparisons, their figures; labels, the version in use, and twice the
    # choice of versions, because its widget looks at the first one
    with django_assert_num_queries(10):
        site.get(reverse("comparisons"))
    for _ in range(5):
        Comparison.objects.create(engine="embedded", prompt=trial.prompt, created_by=supervisor)
    with django_assert_num_queries(10):
        site.get(reverse("comparisons"))
