from __future__ import annotations

import pytest
from django.urls import reverse

from inquiries.models import Analysis, Comparison, Outcome, PromptVersion
from inquiries.services import prompts
from inquiries.states import DraftUse
from inquiries.views.text_diff import field_diff

HTMX = {"hx-request": "true"}
TEXTS = {
    "facts": "Abrimos a las 9.",
    "tone": "vos",
    "style": "",
    "signature": "Acme",
    "forbidden": "",
    "note": "Horario",
}


@pytest.fixture
def site(client, supervisor, categories):
    client.force_login(supervisor)
    return client


@pytest.fixture
def version(supervisor, categories) -> PromptVersion:
    return prompts.save_version(actor=supervisor, base=None, **TEXTS)


def _html(response) -> str:
    return response.content.decode()


# --- what they show ---
def test_the_list_shows_each_version_and_how_its_drafts_did(site, version, make_inquiry):
    analysis = make_inquiry(analysed=True).analyses.get()
    Analysis.objects.update(prompt=version)
    Outcome.objects.create(analysis=analysis, ai_category="Ventas", category="Ventas", draft_use=DraftUse.UNCHANGED)
    html = _html(site.get(reverse("prompts")))
    for pk in (version.pk, prompts.active().pk):
        assert reverse("prompt", args=[pk]) in html
    assert "Horario" in html
    assert html.count("100 %") == 2


def test_a_version_shows_its_texts_its_difference_and_the_whole_prompt(site, version):
    html = _html(site.get(reverse("prompt", args=[version.pk])))
    assert "<mark>Abrimos a las 9.</mark>" in html
    assert "Trata al cliente de vos." in html
    assert "Soporte Técnico" in html
    assert reverse("prompt_activate", args=[version.pk]) in html


def test_the_version_in_use_offers_neither_use_nor_comparison(site, version, supervisor):
    prompts.activate(version, actor=supervisor)
    html = _html(site.get(reverse("prompt", args=[version.pk])))
    assert reverse("prompt_activate", args=[version.pk]) not in html
    assert reverse("comparison_start") not in html
    assert reverse("prompt_preview", args=[version.pk]) in html


def test_while_the_ai_is_off_nothing_is_offered_to_try(site, version, settings, make_inquiry):
    make_inquiry(analysed=True, category_by_person=True)
    settings.AI_ENGINE = "off"
    html = _html(site.get(reverse("prompt", args=[version.pk])))
    assert reverse("prompt_preview", args=[version.pk]) not in html
    assert reverse("comparison_start") not in html


def test_texts_are_never_markup(site, version, supervisor):
    evil = prompts.save_version(actor=supervisor, base=version, **(TEXTS | {"facts": "<img src=x onerror=a()>"}))
    for url in (reverse("prompt", args=[evil.pk]), reverse("prompt_new") + f"?desde={evil.pk}"):
        assert "<img src=x" not in _html(site.get(url))


# --- who may ---
def test_only_supervisors_come_in(client, agent, outsider, version):
    pages = [reverse("prompts"), reverse("prompt", args=[version.pk]), reverse("prompt_new")]
    acts = [reverse("prompt_activate", args=[version.pk]), reverse("prompt_preview", args=[version.pk])]
    for url in pages:
        client.logout()
        assert client.get(url)["Location"] == f"{reverse('login')}?next={url}"
    for url in acts:
        client.logout()
        assert client.post(url)["Location"] == f"{reverse('login')}?next={pages[1]}"
    for person in (agent, outsider):
        client.force_login(person)
        answers = [client.get(url) for url in pages] + [client.post(url) for url in [*acts, reverse("prompt_new")]]
        assert {answer.status_code for answer in answers} == {403}
        assert not any("Abrimos" in _html(answer) for answer in answers)
    version.refresh_from_db()
    assert not version.is_active
    assert not Comparison.objects.exists()


def test_each_view_takes_its_own_method(site, version):
    assert site.post(reverse("prompts")).status_code == 405
    assert site.post(reverse("prompt", args=[version.pk])).status_code == 405
    assert site.delete(reverse("prompt_new")).status_code == 405
    page = reverse("prompt", args=[version.pk])
    for name in ("prompt_activate", "prompt_preview"):
        assert site.get(reverse(name, args=[version.pk]))["Location"] == page


def test_what_is_not_there_is_not_found(site, version):
    for name in ("prompt", "prompt_activate", "prompt_preview"):
        url = reverse(name, args=[987654])
        assert (site.get(url) if name == "prompt" else site.post(url)).status_code == 404
    for wrong in ("987654", "abc", "²", "-1", "9" * 30):
        assert site.get(reverse("prompt_new"), {"desde": wrong}).status_code == 404


# --- a new version ---
def test_the_form_starts_from_a_version_or_from_the_one_in_use(site, version):
    assert "Abrimos a las 9." in _html(site.get(reverse("prompt_new"), {"desde": version.pk}))
    html = _html(site.get(reverse("prompt_new")))
    assert "Abrimos a las 9." not in html
    assert "Horario" not in html  # the note is about the next change


def test_saving_makes_a_version_that_is_not_in_use(site, supervisor, version):
    url = reverse("prompt_new") + f"?desde={version.pk}"
    response = site.post(url, TEXTS | {"facts": "Abrimos a las 8.\r\nCerramos a las 20."})
    made = PromptVersion.objects.order_by("-pk")[0]
    assert response["Location"] == reverse("prompt", args=[made.pk])
    assert (made.facts, made.created_by, made.is_active) == (
        "Abrimos a las 8.\nCerramos a las 20.",
        supervisor,
        False,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tone", "rey"),
        ("facts", "x" * 4_001),
        ("style", "x" * 301),
        ("note", "x" * 121),
        ("signature", "a\x00b"),
        ("forbidden", "a\x07b"),
    ],
)
def test_a_bad_value_is_named_and_nothing_typed_is_lost(site, version, field, value):
    before = PromptVersion.objects.count()
    texts = TEXTS | {"facts": "Recién escrito."} | {field: value}
    response = site.post(reverse("prompt_new"), texts)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    kept = texts["facts"] if field != "facts" else texts["signature"]
    assert kept in _html(response)
    assert PromptVersion.objects.count() == before


def test_line_breaks_count_once(site, version):
    facts = "\r\n".join(["x" * 39] * 100)  # 3999 characters with plain line breaks
    assert site.post(reverse("prompt_new"), TEXTS | {"facts": facts}).status_code == 302


def test_a_version_without_a_change_is_refused_with_its_text(site, version):
    response = site.post(reverse("prompt_new") + f"?desde={version.pk}", TEXTS | {"note": "Otra"})
    assert response.status_code == 422
    assert response.context["form"].non_field_errors()
    assert "Abrimos a las 9." in _html(response)


def test_a_session_that_ended_while_writing_costs_no_text(client, version):
    response = client.post(reverse("prompt_new"), TEXTS | {"facts": "Una hora de trabajo."})
    assert response.status_code == 403
    assert "Una hora de trabajo." in _html(response)
    assert client.post(reverse("prompt_new"))["Location"].startswith(reverse("login"))


# --- putting into use, trying ---
def test_putting_into_use(site, version):
    response = site.post(reverse("prompt_activate", args=[version.pk]), follow=True)
    version.refresh_from_db()
    assert version.is_active
    assert [message.level_tag for message in response.context["messages"]] == ["success"]
    assert len(response.context["uses"]) == 1


def test_a_preview_starts_and_leads_to_its_page(site, version, make_inquiry):
    inquiry = make_inquiry(analysed=True)
    make_inquiry(analysed=True)
    for number, rows in (("", 2), (str(inquiry.pk), 1)):
        response = site.post(reverse("prompt_preview", args=[version.pk]), {"number": number})
        trial = Comparison.objects.order_by("-pk")[0]
        assert response["Location"] == reverse("comparison", args=[trial.pk])
        assert (trial.kind, trial.analyses.count()) == (Comparison.Kind.PREVIEW, rows)
        trial.analyses.all().delete()


@pytest.mark.parametrize("number", ["987654", "0", "-4", "abc", "9" * 30, "1.5"])
def test_a_number_that_names_no_inquiry_is_refused(site, version, number):
    response = site.post(reverse("prompt_preview", args=[version.pk]), {"number": number})
    assert response.status_code == 422
    assert response.context["preview_form"].errors["number"]
    assert f'value="{number}"' in _html(response)
    assert not Comparison.objects.exists()


def test_a_second_click_on_the_preview_leads_to_the_first(site, version, make_inquiry):
    make_inquiry(analysed=True)
    url = reverse("prompt_preview", args=[version.pk])
    assert site.post(url)["Location"] == site.post(url)["Location"]
    assert Comparison.objects.count() == 1


def test_the_list_costs_the_same_however_many_there_are(site, supervisor, version, django_assert_num_queries):
    site.get(reverse("prompts"))  # the desk's settings are in the cache now
    # session, person, two for permissions, figures, versions
    with django_assert_num_queries(6):
        site.get(reverse("prompts"))
    for number in range(8):
        prompts.save_version(actor=supervisor, base=version, **(TEXTS | {"facts": str(number)}))
    with django_assert_num_queries(6):
        site.get(reverse("prompts"))


# --- marks ---
@pytest.mark.parametrize(
    ("mine", "theirs", "marked", "marked_there"),
    [
        ("Abrimos a las 9", "Abrimos a las 8", ["9"], ["8"]),
        ("uno dos", "uno", [" dos"], []),
        ("", "algo", [], ["algo"]),
        ("a\nb\nc", "a\nc", ["b\n"], []),
        ("uno\ndos", "uno", ["\ndos"], []),
    ],
)
def test_the_words_that_differ_are_marked_on_both_sides(mine, theirs, marked, marked_there):
    diff = field_diff("x", mine, theirs)
    assert "".join(piece.text for piece in diff.mine) == mine
    assert "".join(piece.text for piece in diff.theirs) == theirs
    assert [piece.text for piece in diff.mine if piece.is_changed] == marked
    assert [piece.text for piece in diff.theirs if piece.is_changed] == marked_there
