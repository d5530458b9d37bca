from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import caches
from django.test import Client

from inquiries import passwords, tasks
from inquiries.tests.factories import PASSWORD
from inquiries.tests.views.test_account import NEW_PASSWORD, is_signed_in, lock, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.HAS_MAIL = True
    settings.BASE_URL = "https://soporte.example.com"
    caches["default"].clear()


@pytest.fixture
def asked(monkeypatch):
    """Whom a worker was asked to send a link."""
    ids: list[int] = []
    monkeypatch.setattr("inquiries.bell.send_password_link", ids.append)
    return ids


@pytest.fixture
def link(agent) -> str:
    passwords.send_link(agent.pk)
    [received] = mail.outbox
    return re.search(r"https://soporte\.example\.com(/clave/nueva/\S+)", str(received.body))[1]  # type: ignore[index]


def ask(email, address="192.0.2.1", **headers):
    return Client().post("/clave/olvidada/", {"email": email}, REMOTE_ADDR=address, **headers)


def choose(client, link, password=NEW_PASSWORD):
    page = client.get(link, follow=True)
    return client.post(page.redirect_chain[-1][0], {"new_password1": password, "new_password2": password})


def test_the_sign_in_leads_there_only_where_mail_is_set_up(client, settings):
    assert "/clave/olvidada/" in client.get("/entrar/").content.decode()
    settings.HAS_MAIL = False
    assert "/clave/olvidada/" not in client.get("/entrar/").content.decode()
    assert client.get("/clave/olvidada/").status_code == 404


def test_a_known_and_an_unknown_address_are_answered_alike(agent, asked):
    answers = [ask(agent.email), ask("nadie@example.com")]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/clave/olvidada/enviada/")] * 2
    assert asked == [agent.pk]
    assert not mail.outbox


def test_who_may_not_sign_in_gets_no_link(agent, asked):
    agent.is_active = False
    agent.save()
    ask(agent.email)
    passwords.send_link(agent.pk)
    assert not asked
    assert not mail.outbox


def test_the_task_sends_the_link(agent):
    tasks.send_password_link.call_local(agent.pk)
    [received] = mail.outbox
    assert received.to == [agent.email]
    assert received.extra_headers["Auto-Submitted"] == "auto-generated"


@pytest.fixture
def elsewhere(agent) -> Client:
    """Where the person is signed in already; a later sign-in would end the link."""
    client = Client()
    sign_in(client, agent.username)
    return client


def test_the_link_gives_a_new_password_once(agent, elsewhere, link):
    client = Client()
    assert choose(client, link)["Location"] == "/entrar/"
    assert "message-success" in client.get("/entrar/").content.decode()
    assert not is_signed_in(elsewhere)
    assert sign_in(Client(), agent.username, PASSWORD).status_code == 200
    assert sign_in(Client(), agent.username, NEW_PASSWORD).status_code == 302
    assert client.get(link).context["validlink"] is False


def test_a_weak_password_is_refused_and_the_link_stays(agent, link):
    client = Client()
    assert choose(client, link, "12345678").status_code == 200
    assert choose(client, link).status_code == 302


def test_a_link_for_one_is_no_link_for_another(supervisor, link):
    theirs = passwords.urlsafe_base64_encode(str(supervisor.pk).encode())
    stolen = re.sub("/clave/nueva/[^/]+/", f"/clave/nueva/{theirs}/", link)
    assert Client().get(stolen).context["validlink"] is False


def test_a_new_password_ends_the_lockout(agent, link):
    lock(agent.username)
    assert sign_in(Client(), agent.username).status_code == 429
    choose(Client(), link)
    assert sign_in(Client(), agent.username, NEW_PASSWORD).status_code == 302


def test_nobody_floods_a_mailbox(agent, asked):
    assert [ask(agent.email, f"192.0.2.{number}").status_code for number in range(6)] == [302] * 6
    assert asked == [agent.pk] * 3


def test_an_address_asks_only_so_often(agent, asked):
    answers = [ask("nadie@example.com") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_a_mail_server_that_is_away_is_no_error(agent, settings, caplog):
    settings.EMAIL_BACKEND = "pok.mail.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 0.3
    passwords.send_link(agent.pk)
    assert "password_mail_failed" in caplog.text
    assert agent.email not in caplog.text
