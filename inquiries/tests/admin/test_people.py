from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from inquiries.models import User
from inquiries.tests import factories

PEOPLE = "admin:inquiries_user_changelist"


@pytest.fixture
def site(client, supervisor):
    client.force_login(supervisor)
    return client


@pytest.fixture
def root(make_user):
    return make_user("raiz", is_superuser=True, is_staff=True)


def _page(person: User) -> str:
    return reverse("admin:inquiries_user_change", args=[person.pk])


def _password_page(person: User) -> str:
    return reverse("admin:auth_user_password_change", args=[person.pk])


def _group(name: str) -> int:
    return Group.objects.get(name=name).pk


def _values(person: User, *groups: str, **changes: object) -> dict[str, object]:
    values: dict[str, object] = {"username": person.username, "is_active": "on"}
    return values | {"groups": [_group(name) for name in groups]} | changes


def _is_above(person: User) -> bool:
    return person.is_superuser or person.is_staff or person.user_permissions.exists()


def test_a_supervisor_makes_an_agent_in_one_step(site):
    values = {
        "username": "nueva",
        "password1": factories.PASSWORD,
        "password2": factories.PASSWORD,
        "groups": [_group("Agentes")],
        "first_name": "Ana",
        "language": "es",
        "time_zone": "America/Bogota",
        "signature": "Saludos",
        "is_superuser": "on",
        "is_staff": "on",
        "user_permissions": [Permission.objects.first().pk],
    }
    assert site.post(reverse("admin:inquiries_user_add"), values).status_code == 302
    person = User.objects.get(username="nueva")
    assert person.works_inbox
    assert not person.supervises
    assert (person.first_name, person.time_zone, person.signature) == ("Ana", "America/Bogota", "Saludos")
    assert not _is_above(person)
    assert person.check_password(factories.PASSWORD)


def test_a_supervisor_changes_the_role(site, agent):
    assert site.post(_page(agent), _values(agent, "Agentes", "Supervisores")).status_code == 302
    assert User.objects.get(pk=agent.pk).supervises
    assert site.post(_page(agent), _values(agent)).status_code == 302
    assert not User.objects.get(pk=agent.pk).works_inbox


def test_no_form_makes_a_superuser_or_gives_a_single_permission(site, agent):
    extra = {"is_superuser": "on", "is_staff": "on", "user_permissions": [Permission.objects.first().pk]}
    assert site.post(_page(agent), _values(agent, "Agentes", **extra)).status_code == 302
    agent.refresh_from_db()
    assert not _is_above(agent)


def test_only_the_two_groups_can_be_given(site, agent):
    powerful = Group.objects.create(name="Todopoderosos")
    response = site.post(_page(agent), {"username": "agente", "is_active": "on", "groups": [powerful.pk]})
    assert response.context["adminform"].form.errors.keys() == {"groups"}
    assert list(agent.groups.values_list("name", flat=True)) == ["Agentes"]


def _exceeding(make_user) -> list[User]:
    by_permission = make_user("permiso", "Agentes")
    by_permission.user_permissions.add(Permission.objects.get(codename="delete_user"))
    by_group = make_user("grupo", "Agentes")
    by_group.groups.add(Group.objects.create(name="Todopoderosos"))
    return [make_user("raiz", is_superuser=True), by_permission, by_group]


def test_who_may_do_more_is_out_of_a_supervisors_reach(site, make_user):
    new = "otra-clave-larga-9"
    for person in _exceeding(make_user):
        assert site.get(_page(person)).status_code == 200
        assert site.post(_page(person), _values(person, "Agentes", is_active="")).status_code == 403
        assert site.get(_password_page(person)).status_code == 403
        passwords = {"password1": new, "password2": new}
        assert site.post(_password_page(person), passwords).status_code == 403
        site.post(reverse(PEOPLE), {"action": "deactivate", "_selected_action": [person.pk]})
        person.refresh_from_db()
        assert person.is_active
        assert person.check_password(factories.PASSWORD)


def test_a_supervisor_sets_a_new_password_and_other_sessions_end(site, agent):
    elsewhere = Client()
    elsewhere.force_login(agent)
    new = "otra-clave-larga-9"
    assert site.post(_password_page(agent), {"password1": new, "password2": new}).status_code == 302
    agent.refresh_from_db()
    assert agent.check_password(new)
    assert elsewhere.get(reverse("inbox")).status_code == 302


def test_people_are_deactivated_and_not_deleted(site, agent):
    elsewhere = Client()
    elsewhere.force_login(agent)
    delete = reverse("admin:inquiries_user_delete", args=[agent.pk])
    assert site.post(delete, {"post": "yes"}).status_code == 403
    assert "delete_selected" not in site.get(reverse(PEOPLE)).content.decode()
    site.post(reverse(PEOPLE), {"action": "deactivate", "_selected_action": [agent.pk]})
    agent.refresh_from_db()
    assert not agent.is_active
    assert elsewhere.get(reverse("inbox")).status_code == 302
    site.post(reverse(PEOPLE), {"action": "activate", "_selected_action": [agent.pk]})
    agent.refresh_from_db()
    assert agent.is_active


def test_nobody_shuts_themselves_out(site, supervisor, client, root):
    site.post(_page(supervisor), {"username": "supervisora", "groups": []})
    site.post(reverse(PEOPLE), {"action": "deactivate", "_selected_action": [supervisor.pk]})
    supervisor = User.objects.get(pk=supervisor.pk)
    assert supervisor.is_active
    assert supervisor.supervises
    client.force_login(root)
    client.post(_page(root), {"username": "raiz"})
    root.refresh_from_db()
    assert root.is_superuser
    assert root.is_active


def test_a_superuser_can_do_it_all(client, root, agent):
    client.force_login(root)
    assert client.post(_page(agent), _values(agent, "Agentes", is_superuser="on")).status_code == 302
    agent.refresh_from_db()
    assert agent.is_superuser
    assert client.get(reverse("admin:auth_group_changelist")).status_code == 200


def test_a_time_zone_that_is_none_is_refused(site, agent):
    response = site.post(_page(agent), _values(agent, "Agentes", time_zone="Marte/Olympus"))
    assert response.context["adminform"].form.errors.keys() == {"time_zone"}


def test_groups_are_not_a_supervisors_matter(site):
    assert site.get(reverse("admin:auth_group_changelist")).status_code == 403


def test_passwords_cannot_be_guessed_by_filters(site, agent):
    response = site.get(reverse(PEOPLE), {"password__startswith": "pbkdf2"})
    assert response.status_code == 400
