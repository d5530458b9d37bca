from __future__ import annotations

import pytest
from django.db.models import ProtectedError
from django.urls import reverse

from inquiries.models import Category
from inquiries.models.category import Colour

VALUES = {
    "name": "Devoluciones",
    "description": "",
    "keywords": "devol",
    "colour": "rosa",
    "is_active": "on",
    "position": "7",
}


@pytest.fixture
def site(client, supervisor):
    client.force_login(supervisor)
    return client


def _texts(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_a_supervisor_adds_a_category_and_hears_that_it_has_few_examples(site):
    url = reverse("admin:inquiries_category_add")
    response = site.post(url, VALUES | {"examples": "Quiero devolver\nNo me quedó"}, follow=True)
    category = Category.objects.get()
    assert (category.colour, category.example_lines()) == ("rosa", ("Quiero devolver", "No me quedó"))
    assert "Devoluciones" in _texts(response)
    assert "10" in _texts(response)


def test_enough_examples_are_no_matter_for_a_warning(site):
    examples = "\n".join(f"Ejemplo {index}" for index in range(5))
    response = site.post(reverse("admin:inquiries_category_add"), VALUES | {"examples": examples}, follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["success"]


def test_the_list_marks_categories_with_few_examples(site):
    Category.objects.create(name="Pobre", examples="uno\n\n dos ")
    Category.objects.create(name="Rica", examples="\n".join("abcde"))
    html = site.get(reverse("admin:inquiries_category_changelist")).content.decode()
    assert html.count("few-examples") == 1


def test_the_form_previews_every_colour_of_the_palette(site):
    html = site.get(reverse("admin:inquiries_category_add")).content.decode()
    for colour in Colour.values:
        assert f'class="swatch swatch-{colour}"' in html
        assert f'value="{colour}"' in html


def test_positions_are_changed_in_the_list(site):
    first = Category.objects.create(name="A", position=1)
    second = Category.objects.create(name="B", position=2)
    values = {
        "form-TOTAL_FORMS": "2",
        "form-INITIAL_FORMS": "2",
        "form-0-id": first.pk,
        "form-0-position": "9",
        "form-1-id": second.pk,
        "form-1-position": "2",
        "_save": "1",
    }
    assert site.post(reverse("admin:inquiries_category_changelist"), values).status_code == 302
    assert list(Category.objects.values_list("name", flat=True)) == ["B", "A"]


def test_a_category_in_use_is_renamed(site, inquiry):
    url = reverse("admin:inquiries_category_change", args=[inquiry.category.pk])
    site.post(url, VALUES | {"name": "Ayuda técnica", "examples": "x"})
    inquiry.refresh_from_db()
    assert inquiry.category.name == "Ayuda técnica"


def test_a_category_in_use_is_not_deleted_and_deactivation_is_offered(site, inquiry, django_assert_max_num_queries):
    url = reverse("admin:inquiries_category_delete", args=[inquiry.category.pk])
    for request in (site.get, lambda path, **kwargs: site.post(path, {"post": "yes"}, **kwargs)):
        response = request(url, follow=True)
        assert response.redirect_chain == [
            (reverse("admin:inquiries_category_change", args=[inquiry.category.pk]), 302)
        ]
        assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert Category.objects.filter(pk=inquiry.category.pk).exists()


def test_an_inquiry_that_comes_in_between_stops_the_deletion(site, categories, monkeypatch):
    category = categories["Ventas"]

    def protect(self, request, obj) -> None:
        raise ProtectedError("in use", set())

    monkeypatch.setattr("inquiries.admin.categories.CategoryAdmin.delete_model", protect)
    response = site.post(reverse("admin:inquiries_category_delete", args=[category.pk]), {"post": "yes"}, follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert Category.objects.filter(pk=category.pk).exists()


def test_an_unused_category_is_deleted(site, categories):
    site.post(reverse("admin:inquiries_category_delete", args=[categories["Ventas"].pk]), {"post": "yes"})
    assert not Category.objects.filter(name="Ventas").exists()


def test_deleting_a_category_that_is_not_there_answers_like_the_admin_does(site):
    response = site.get(reverse("admin:inquiries_category_delete", args=[987654]))
    assert response.status_code == 302


def test_mass_actions_switch_and_never_delete(site, categories):
    url = reverse("admin:inquiries_category_changelist")
    assert "delete_selected" not in site.get(url).content.decode()
    pks = [category.pk for category in categories.values()]
    response = site.post(url, {"action": "deactivate", "_selected_action": pks}, follow=True)
    assert not Category.objects.live().exists()
    assert [message.level_tag for message in response.context["messages"]] == ["success", "error"]
    site.post(url, {"action": "activate", "_selected_action": pks[:2]})
    assert Category.objects.live().count() == 2


def test_the_same_name_in_other_letters_is_refused(site, categories):
    response = site.post(reverse("admin:inquiries_category_add"), VALUES | {"name": "VENTAS", "examples": ""})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
