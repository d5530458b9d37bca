from __future__ import annotations

import pytest
from django.urls import reverse

from inquiries import services
from inquiries.models import Analysis, Correction, Inquiry
from inquiries.states import AIReason, AnalysisState, Sentiment
from inquiries.templatetags.desk import engine_name


@pytest.fixture
def site(client, supervisor, categories):
    client.force_login(supervisor)
    return client


def _found(response) -> list[int]:
    return [row.pk for row in response.context["cl"].result_list]


@pytest.mark.parametrize("name", ["inquiry", "analysis", "correction"])
def test_nobody_writes_here_not_even_a_superuser(client, make_user, inquiry, supervisor, name):
    services.correct_sentiment(inquiry, actor=supervisor, sentiment=Sentiment.POSITIVE)
    model = {"inquiry": Inquiry, "analysis": Analysis, "correction": Correction}[name]
    row = model.objects.get()
    before = model.objects.values().get()
    for person in (supervisor, make_user("raiz", is_superuser=True)):
        client.force_login(person)
        page = reverse(f"admin:inquiries_{name}_change", args=[row.pk])
        assert client.get(page).status_code == 200
        assert client.post(page, {"status": "closed", "state": "failed", "human_value": "x"}).status_code == 403
        assert client.post(reverse(f"admin:inquiries_{name}_add"), {}).status_code == 403
        delete = reverse(f"admin:inquiries_{name}_delete", args=[row.pk])
        assert client.post(delete, {"post": "yes"}).status_code == 403
    assert model.objects.values().get() == before


def test_the_search_is_the_full_text_one(site, make_inquiry):
    wanted = make_inquiry(message="La facturación de mi último pedido está mal")
    make_inquiry(message="No puedo entrar")
    url = reverse("admin:inquiries_inquiry_changelist")
    assert _found(site.get(url, {"q": "FACTURACION pedi"})) == [wanted.pk]
    assert _found(site.get(url, {"q": f"#{wanted.pk}"})) == [wanted.pk]
    assert _found(site.get(url, {"q": "nadaqueexista"})) == []
    assert len(_found(site.get(url, {"q": "  "}))) == 2


@pytest.mark.parametrize("name", ["analysis", "correction"])
def test_what_belongs_to_an_inquiry_is_found_by_its_number_and_its_words(site, supervisor, make_inquiry, name):
    wanted = make_inquiry(analysed=True, message="El cargador llegó roto")
    other = make_inquiry(analysed=True)
    for inquiry in (wanted, other):
        services.correct_sentiment(inquiry, actor=supervisor, sentiment=Sentiment.POSITIVE)
    url = reverse(f"admin:inquiries_{name}_changelist")
    for text in (f"#{wanted.pk}", "cargador"):
        rows = site.get(url, {"q": text}).context["cl"].result_list
        assert {row.inquiry_id for row in rows} == {wanted.pk}, text
    assert len(_found(site.get(url))) == 2


def test_filters_narrow_the_lists(site, make_inquiry):
    done = make_inquiry(analysed=True)
    failed = make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA, needs_review=True, source="api")
    url = reverse("admin:inquiries_inquiry_changelist")
    assert _found(site.get(url, {"ai_state__exact": "failed"})) == [failed.pk]
    assert _found(site.get(url, {"needs_review__exact": "1"})) == [failed.pk]
    assert _found(site.get(url, {"source__exact": "api"})) == [failed.pk]
    assert _found(site.get(url, {"sentiment__exact": "Negativo"})) == [done.pk]
    assert _found(site.get(url, {"category__id__exact": done.category_id})) == [done.pk]
    analyses = reverse("admin:inquiries_analysis_changelist")
    assert _found(site.get(analyses, {"engine": "embedded"})) == [done.analyses.get().pk]
    assert _found(site.get(analyses, {"error__exact": "quota"})) == [failed.analyses.get().pk]


def test_an_inquiry_shows_its_analyses_messages_and_history(site, supervisor, inquiry):
    services.send_answer(inquiry, actor=supervisor, text="Ya está resuelto.", version=0)
    html = site.get(reverse("admin:inquiries_inquiry_change", args=[inquiry.pk])).content.decode()
    assert "Ya está resuelto." in html
    assert reverse("admin:inquiries_analysis_change", args=[inquiry.analyses.get().pk]) in html
    assert reverse("detail", args=[inquiry.pk]) in html


def test_the_page_of_an_inquiry_costs_the_same_however_long_its_history(
    site, supervisor, inquiry, django_assert_num_queries, django_assert_max_num_queries
):
    url = reverse("admin:inquiries_inquiry_change", args=[inquiry.pk])
    services.close(inquiry, actor=supervisor)
    site.get(url)  # the desk's settings are in the cache now
    with django_assert_max_num_queries(25) as few:
        site.get(url)
    expected = len(few)
    assert expected
    for _round in range(5):
        services.reopen(inquiry, actor=supervisor)
        services.close(inquiry, actor=supervisor)
    site.get(url)  # the desk's settings are in the cache now
    with django_assert_num_queries(expected):
        site.get(url)


def test_what_a_customer_wrote_is_text_and_never_markup(site, make_inquiry):
    inquiry = make_inquiry(message="<script>alert(1)</script> hola", customer_name="<b>Ana</b>")
    for url in (
        reverse("admin:inquiries_inquiry_changelist"),
        reverse("admin:inquiries_inquiry_change", args=[inquiry.pk]),
    ):
        html = site.get(url).content.decode()
        assert "<script>alert" not in html
        assert "<b>Ana</b>" not in html


def test_engine_and_confidence_are_in_the_words_of_the_inbox(site, supervisor, inquiry):
    inquiry.analyses.update(confidence=0.7959)
    Inquiry.objects.update(confidence=0.7959)
    services.correct_sentiment(inquiry, actor=supervisor, sentiment=Sentiment.POSITIVE)
    analysis = inquiry.analyses.get()
    for url in (
        reverse("admin:inquiries_analysis_changelist"),
        reverse("admin:inquiries_analysis_change", args=[analysis.pk]),
        reverse("admin:inquiries_inquiry_change", args=[inquiry.pk]),
    ):
        html = site.get(url).content.decode()
        assert engine_name("embedded") in html.split('id="content"')[1]
        assert "80 %" in html
        for raw in ("0,7959", "0.7959", ">embedded<"):
            assert raw not in html, url
    assert ">embedded<" not in site.get(reverse("admin:inquiries_correction_changelist")).content.decode()


def test_the_filter_of_doubts_has_a_name_of_its_own(site, inquiry):
    filters = site.get(reverse("admin:inquiries_inquiry_changelist")).context["cl"].filter_specs
    assert str(Inquiry._meta.get_field("needs_review").verbose_name) not in [str(spec.title) for spec in filters]
