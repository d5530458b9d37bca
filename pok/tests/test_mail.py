"""`pok.mail`: the talk with a real server, and what is known after each way in which it breaks off."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core import mail as outbox
from django.core.mail import EmailMessage, send_mail

from inquiries.tests.smtp import DROP, SILENCE, MailServer
from pok.mail import MailError, MailTrouble, opened, public


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _smtp(settings) -> None:
    settings.HAS_MAIL = True
    settings.EMAIL_BACKEND = "pok.mail.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.EMAIL_TIMEOUT, settings.MAIL_PATIENCE = 0.3, 0.3


@pytest.fixture
def to(settings) -> Callable[[MailServer], None]:
    def point(server: MailServer) -> None:
        settings.EMAIL_PORT = server.port

    return point


def letter(**changes) -> EmailMessage:
    return EmailMessage(
        **({"subject": "Hola", "body": ".\nAdiós", "from_email": "pok@example.com", "to": ["a@example.com"]} | changes)
    )


def send(mail: EmailMessage | None = None) -> list[str]:
    """Send a letter; what happened on our side, in order."""
    steps: list[str] = []
    with opened() as post:
        post.send(mail or letter(), before_data=lambda: steps.append("handed"))
        steps.append("sent")
    return steps


def failure(mail: EmailMessage | None = None) -> MailError:
    with pytest.raises(MailError) as caught:
        send(mail)
    return caught.value


def facts(error: MailError) -> tuple:
    return error.kind, error.is_unknown, error.is_permanent, error.is_of_server, error.is_of_address


def test_a_mail_arrives_whole(server, to):
    to(server)
    assert send() == ["handed", "sent"]
    [received] = server.mails
    assert (received.sender, received.recipients) == ("pok@example.com", ["a@example.com"])
    assert received.part("plain") == ".\nAdiós\n"
    assert server.asked[-1] == "QUIT"


def test_the_handover_is_told_before_the_command(server, to):
    to(server)
    seen: list[list[str]] = []
    with opened() as post:
        post.send(letter(), before_data=lambda: seen.append(list(server.asked)))
    assert seen == [["GREETING", "EHLO", "MAIL", "RCPT"]]


def test_who_objects_at_the_handover_stops_the_mail(server, to):
    to(server)

    def object_to_it() -> None:
        raise LookupError

    with pytest.raises(LookupError), opened() as post:
        post.send(letter(), before_data=object_to_it)
    assert (server.mails, "DATA" in server.asked) == ([], False)


def test_other_mails_of_django_go_the_same_way(server, to):
    to(server)
    assert send_mail("Clave", "Hola", "pok@example.com", ["a@example.com"]) == 1
    assert server.mails[0].message["Subject"] == "Clave"


ANSWERS = {
    "GREETING": ("421 4.3.2 Later", MailTrouble.TEMPORARY, False, False, True, False),
    "GREETING-": ("554 5.7.1 Go away", MailTrouble.TEMPORARY, False, False, True, False),
    "EHLO": ("550 5.5.0 No", MailTrouble.TEMPORARY, False, False, True, False),
    "MAIL": ("451 4.7.1 Greylisted", MailTrouble.TEMPORARY, False, False, False, False),
    "MAIL-": ("553 5.7.1 Not yours", MailTrouble.REJECTED, False, True, False, False),
    "MAIL--": ("530 5.7.0 Sign in", MailTrouble.AUTHENTICATION, False, False, True, False),
    "RCPT": ("450 4.2.1 Busy", MailTrouble.TEMPORARY, False, False, False, True),
    "RCPT-": ("550 5.1.1 Unknown", MailTrouble.BAD_ADDRESS, False, True, False, True),
    "DATA": ("451 4.3.0 Disk full", MailTrouble.TEMPORARY, False, False, False, False),
    "DATA-": ("554 5.5.1 No", MailTrouble.REJECTED, False, True, False, False),
    "DATA--": ("250 What?", MailTrouble.TEMPORARY, False, False, False, False),
    "TEXT": ("452 4.3.1 Disk full", MailTrouble.TEMPORARY, False, False, False, False),
    "TEXT-": ("554 5.7.1 Spam", MailTrouble.REJECTED, False, True, False, False),
    "TEXT--": ("nonsense", MailTrouble.DROPPED, True, False, False, False),
    "TEXT---": ("354 Go on", MailTrouble.DROPPED, True, False, False, False),
}


@pytest.mark.parametrize("stage", ANSWERS)
def test_an_answer_says_that_the_mail_was_not_taken(server, to, stage):
    to(server)
    server.script[stage.strip("-")] = ANSWERS[stage][0]
    error = failure()
    assert facts(error) == ANSWERS[stage][1:]
    if not error.is_unknown:
        assert error.detail == ANSWERS[stage][0]


BREAKS = [
    ("GREETING", False, True),
    ("EHLO", False, True),
    ("MAIL", False, False),
    ("RCPT", False, False),
    ("DATA", False, False),
    ("TEXT", True, False),
]


@pytest.mark.parametrize(("stage", "is_unknown", "is_of_server"), BREAKS)
def test_a_line_that_breaks_leaves_doubt_only_after_the_text(server, to, stage, is_unknown, is_of_server):
    to(server)
    server.script[stage] = DROP
    kind = MailTrouble.DROPPED if is_unknown else MailTrouble.UNREACHABLE
    assert facts(failure()) == (kind, is_unknown, False, is_of_server, False)


@pytest.mark.parametrize(("stage", "is_unknown", "is_of_server"), BREAKS)
def test_a_line_that_falls_silent_does_too(server, to, stage, is_unknown, is_of_server):
    to(server)
    server.script[stage] = SILENCE
    assert facts(failure()) == (MailTrouble.TIMEOUT, is_unknown, False, is_of_server, False)


def test_the_last_word_is_waited_for_longer_than_others(server, to, settings):
    to(server)
    settings.EMAIL_TIMEOUT, settings.MAIL_PATIENCE = 5, 0.2
    server.script["TEXT"] = SILENCE
    assert failure().is_unknown


def test_any_yes_is_a_yes(server, to):
    to(server)
    server.script["TEXT"] = "252 Queued somewhere"
    assert send() == ["handed", "sent"]


@pytest.mark.parametrize("step", [DROP, SILENCE, "500 What?"])
def test_a_bad_goodbye_takes_nothing_back(server, to, step):
    to(server)
    server.script["QUIT"] = step
    assert send() == ["handed", "sent"]


def test_nobody_listens():
    error = failure()
    assert facts(error) == (MailTrouble.UNREACHABLE, False, False, True, False)
    assert error.detail == "Connection refused"


def test_a_host_without_an_address(settings):
    settings.EMAIL_HOST = "a" * 64 + ".invalid"  # longer than a name may be: it is asked for nowhere
    assert facts(failure()) == (MailTrouble.UNREACHABLE, False, False, True, False)


@pytest.mark.parametrize("address", ["ana@" + "ñ" * 80 + ".com", "ana@example.com\nBcc: b@example.com"])
def test_an_address_that_no_mail_can_have(server, to, address):
    to(server)
    assert facts(failure(letter(to=[address]))) == (MailTrouble.BAD_ADDRESS, False, True, False, True)
    assert not server.mails


def test_an_address_in_other_letters_is_written_as_the_wire_has_it(server, to):
    to(server)
    send(letter(to=["ana@ñandú.example"]))
    assert server.mails[0].recipients == ["ana@xn--and-6ma2c.example"]


# --- signing in ---
@pytest.fixture
def guarded() -> Iterator[MailServer]:
    with MailServer(password="right") as server:
        yield server


@pytest.fixture
def sign_in(settings, guarded, to) -> Callable[[str], None]:
    def with_password(password: str) -> None:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "pok", password

    to(guarded)
    return with_password


def test_the_right_password(sign_in, guarded):
    sign_in("right")
    send()
    assert guarded.mails[0].user == "pok"


@pytest.mark.parametrize("password", ["wrong", "contraseña"])
def test_a_wrong_password_is_the_servers_trouble(sign_in, guarded, password):
    sign_in(password)
    error = failure()
    assert facts(error) == (MailTrouble.AUTHENTICATION, False, False, True, False)
    assert password not in error.detail


def test_a_sign_in_that_is_down_for_now(sign_in, guarded):
    sign_in("right")
    guarded.script["AUTH"] = "454 4.7.0 Later"
    assert facts(failure()) == (MailTrouble.TEMPORARY, False, False, True, False)


def test_a_server_that_asks_for_a_user_where_none_is_set(guarded, to):
    to(guarded)
    assert facts(failure()) == (MailTrouble.AUTHENTICATION, False, False, True, False)


# --- encryption ---
@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A key and a certificate of our own for 127.0.0.1, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {path} -out {path}.crt -subj /CN=127.0.0.1"
    subprocess.run(
        [*make.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=60
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture(params=["starttls", "tls"])
def encrypted(request, settings, certificate, to) -> Iterator[MailServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    is_late = request.param == "starttls"
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = is_late, not is_late
    settings.EMAIL_TIMEOUT = 5
    options = {"tls_context": context, "require_starttls": True} if is_late else {"ssl_context": context}
    with MailServer(**options) as server:
        to(server)
        yield server


def test_a_mail_over_tls(encrypted, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send() == ["handed", "sent"]
    assert encrypted.mails[0].has_tls


def test_a_certificate_that_nobody_vouches_for_is_refused(encrypted):
    error = failure()
    assert facts(error) == (MailTrouble.UNREACHABLE, False, False, True, False)
    assert not encrypted.mails


def test_a_text_that_breaks_off_under_tls_is_unknown(encrypted, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    encrypted.script["TEXT"] = DROP
    assert failure().is_unknown


def test_a_server_without_encryption_gets_nothing(server, to, settings):
    to(server)
    settings.EMAIL_USE_TLS = True
    assert facts(failure()) == (MailTrouble.UNREACHABLE, False, False, True, False)
    assert not server.mails


# --- backends that write the mail down here ---
def test_without_mail_nothing_is_opened(settings):
    settings.HAS_MAIL = False
    assert facts(failure()) == (MailTrouble.NOT_CONFIGURED, False, False, True, False)


def test_a_mail_is_written_into_a_folder(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")
    assert send() == ["handed", "sent"]
    [file] = (tmp_path / "mails").iterdir()
    assert "To: a@example.com" in file.read_text()


def test_a_folder_that_cannot_be(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    (tmp_path / "file").touch()
    settings.EMAIL_FILE_PATH = str(tmp_path / "file")
    assert facts(failure()) == (MailTrouble.NOT_CONFIGURED, False, False, True, False)


def test_a_disk_that_is_full(settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("django.core.mail.backends.console.EmailBackend.write_message", full)
    error = failure()
    assert facts(error) == (MailTrouble.UNREACHABLE, False, False, True, False)
    assert error.detail == "No space left on device"


def test_a_mail_on_the_terminal(settings, capsys):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    send()
    assert "Subject: Hola" in capsys.readouterr().out


def test_a_mail_in_memory(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    send()
    assert [found.subject for found in outbox.outbox] == ["Hola"]


def test_a_servers_words_name_no_customer():
    said = "5.1.1 <juana@example.com>: juana@example.com\r\nis unknown, see https://example.com/?a=juana\x00"
    assert public(said) == "5.1.1 …: … is unknown, see …"
    assert len(public("x" * 900)) == 300
