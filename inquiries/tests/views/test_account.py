from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from inquiries.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "otra-clave-larga-8"
CHANGE = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}


def sign_in(client, username, password=PASSWORD, address="192.0.2.1", **data):
    return client.post("/entrar/", {"username": username, "password": password, **data}, REMOTE_ADDR=address)


def is_signed_in(client):
    return client.get("/clave/").status_code == 200


def lock(username, address="192.0.2.1", times=5):
    return [sign_in(Client(), username, "mala", address).status_code for _ in range(times)]


# --- Sign-in -----------------------------------------------------------------------------------
def test_the_right_password_opens_the_inbox(client, agent):
    response = sign_in(client, "agente")

    assert response.status_code == 302
    assert response["Location"] == "/bandeja/"
    assert is_signed_in(client)


def test_the_page_is_ready_for_password_managers(client):
    page = client.get("/entrar/").content.decode()

    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page


def test_the_company_is_named_on_the_sign_in(client):
    from inquiries.models import SiteSettings

    desk = SiteSettings.current()
    desk.company_name = "Ferretería Sol"
    desk.save()

    assert "Ferretería Sol" in client.get("/entrar/").content.decode()


@pytest.mark.parametrize(("username", "password"), [("agente", "mala"), ("nadie", PASSWORD)])
def test_a_wrong_name_or_password_is_refused_alike(client, agent, username, password):
    response = sign_in(client, username, password)

    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert not is_signed_in(client)


@pytest.mark.parametrize("username", ["", "agente\x00", "a" * 100_000])
def test_a_name_that_cannot_be_is_refused(client, agent, username):
    assert sign_in(client, username).status_code == 200
    assert not is_signed_in(client)


def test_the_way_back_is_kept(client, agent):
    page = client.get("/entrar/?next=/bandeja/7/%3Fa%3D1").content.decode()

    assert 'name="next" value="/bandeja/7/?a=1"' in page
    assert sign_in(client, "agente", next="/bandeja/7/?a=1")["Location"] == "/bandeja/7/?a=1"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", r"\\evil.example", "http:evil.example"]
)
def test_a_way_back_to_elsewhere_is_dropped(client, agent, target):
    assert sign_in(client, "agente", next=target)["Location"] == "/bandeja/"


def test_who_is_signed_in_already_goes_on(client, agent):
    client.force_login(agent)

    assert client.get("/entrar/?next=/clave/")["Location"] == "/clave/"


# --- Lockout -----------------------------------------------------------------------------------
def test_too_many_wrong_passwords_lock_name_and_address_and_say_for_how_long(client, agent):
    codes = lock("agente")

    assert codes == [200, 200, 200, 200, 429]
    refused = sign_in(client, "agente")
    assert refused.status_code == 429
    assert refused["Retry-After"] == "900"
    assert "15" in refused.content.decode()
    assert not is_signed_in(client)


def test_another_spelling_of_the_name_has_no_attempts_of_its_own(client, agent):
    spellings = ("agente", "AGENTE", " Agente", "ａgente", "agentE")
    assert [lock(name, times=1)[0] for name in spellings] == [200, 200, 200, 200, 429]
    assert sign_in(client, "AgEnTe").status_code == 429
    assert set(AccessAttempt.objects.values_list("username", flat=True)) == {"agente"}


def test_a_stranger_cannot_lock_the_supervisor_out_from_elsewhere(client, supervisor):
    lock("supervisora", address="203.0.113.66")

    assert sign_in(client, "supervisora", address="192.0.2.1").status_code == 302


def test_one_persons_lockout_leaves_others_at_the_same_address_alone(client, agent, other_agent):
    lock("agente")

    assert sign_in(client, "colega").status_code == 302


def test_a_made_up_forwarded_address_does_not_unlock(client, agent):
    lock("agente")

    response = client.post(
        "/entrar/",
        {"username": "agente", "password": PASSWORD},
        REMOTE_ADDR="192.0.2.1",
        HTTP_X_FORWARDED_FOR="198.51.100.9",
    )

    assert response.status_code == 429


def test_after_the_wait_the_right_password_works(client, agent):
    lock("agente", times=6)  # an attempt during the lockout does not prolong it
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))

    assert sign_in(client, "agente").status_code == 302


def test_success_forgets_earlier_mistakes(client, agent):
    lock("agente", times=4)
    sign_in(Client(), "agente")

    assert lock("agente", times=4) == [200] * 4


def test_the_admin_has_no_door_without_lockout(client, supervisor):
    response = client.post("/admin/login/", {"username": "supervisora", "password": PASSWORD})

    assert response["Location"].startswith("/entrar/")
    assert not is_signed_in(client)


# --- Who may stay ------------------------------------------------------------------------------
def test_a_deactivated_person_loses_the_session_at_once(client, agent):
    client.force_login(agent)
    assert is_signed_in(client)

    agent.is_active = False
    agent.save()

    assert not is_signed_in(client)
    assert client.get("/bandeja/").status_code in {302, 403, 404}
    assert sign_in(client, "agente").status_code == 200


def test_a_person_without_a_role_is_told_whom_to_ask(client, outsider):
    response = client.post("/entrar/", {"username": "ajeno", "password": PASSWORD}, follow=True)

    page = response.content.decode()
    assert response.status_code in {403, 404}
    assert "ajeno" in page
    assert 'action="/salir/"' in page


# --- Sign-out ----------------------------------------------------------------------------------
def test_sign_out_ends_the_session_and_says_so(client, agent):
    client.force_login(agent)

    response = client.post("/salir/", follow=True)

    assert response.redirect_chain[0][0] == "/entrar/"
    assert 'class="message message-success"' in response.content.decode()
    assert not is_signed_in(client)


def test_a_link_cannot_sign_anybody_out(client, agent):
    client.force_login(agent)

    assert 'action="/salir/"' in client.get("/salir/").content.decode()
    assert is_signed_in(client)


def test_sign_out_needs_the_token(agent):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(agent)

    assert browser.post("/salir/").status_code == 403
    assert is_signed_in(browser)


# --- Password ----------------------------------------------------------------------------------
def test_a_new_password_ends_the_other_sessions(client, agent):
    elsewhere = Client()
    elsewhere.force_login(agent)
    client.force_login(agent)

    response = client.post("/clave/", CHANGE, follow=True)

    assert 'class="message message-success"' in response.content.decode()
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert sign_in(Client(), "agente", NEW_PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("field", "value"),
    [("old_password", "mala"), ("new_password2", "distinta"), ("new_password2", ""), ("old_password", "")],
)
def test_a_bad_change_is_refused_beside_its_field(client, agent, field, value):
    client.force_login(agent)

    page = client.post("/clave/", CHANGE | {field: value}).content.decode()

    assert f'id="id_{field}_error"' in page
    agent.refresh_from_db()
    assert agent.check_password(PASSWORD)


@pytest.mark.parametrize("weak", ["corta", "password1", "8273649182736"])
def test_a_weak_password_is_refused(client, agent, weak):
    client.force_login(agent)

    client.post("/clave/", CHANGE | {"new_password1": weak, "new_password2": weak})

    agent.refresh_from_db()
    assert agent.check_password(PASSWORD)


def test_the_password_page_needs_a_session(client):
    response = client.get("/clave/")

    assert response.status_code == 302
    assert response["Location"] == "/entrar/?next=/clave/"


@pytest.mark.parametrize("path", ["/entrar/", "/clave/"])
def test_pages_with_passwords_are_not_stored(client, agent, path):
    if path == "/clave/":
        client.force_login(agent)

    assert "no-store" in client.get(path)["Cache-Control"]
