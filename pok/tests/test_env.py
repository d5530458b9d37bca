from __future__ import annotations

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pok import env

NAME = "POK_TEST_VARIABLE"


@pytest.fixture
def variable(monkeypatch):
    return lambda value: monkeypatch.setenv(NAME, value)


def test_an_empty_variable_counts_as_absent(variable):
    variable("  ")
    assert env.text(NAME, "default") == "default"


def test_text_loses_its_blanks(variable):
    variable(" a b ")
    assert env.text(NAME) == "a b"


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("Yes", True), ("sí", True), ("0", False), ("off", False), ("", False)]
)
def test_boolean(variable, value, expected):
    variable(value)
    assert env.boolean(NAME) is expected


def test_a_boolean_is_nothing_else(variable):
    variable("maybe")
    with pytest.raises(ImproperlyConfigured, match=f"{NAME}='maybe'"):
        env.boolean(NAME)


@pytest.mark.parametrize("value", ["x", "1.5", "0", "11", "--3", "²"])
def test_integer_refuses_what_is_outside(variable, value):
    variable(value)
    with pytest.raises(ImproperlyConfigured, match="whole number from 1 to 10"):
        env.integer(NAME, 5, low=1, high=10)


def test_integer(variable):
    assert env.integer(NAME, 5, low=1, high=10) == 5
    variable("10")
    assert env.integer(NAME, 5, low=1, high=10) == 10


def test_choice_ignores_case(variable):
    variable("OFF")
    assert env.choice(NAME, "on", ("on", "off")) == "off"
    variable("perhaps")
    with pytest.raises(ImproperlyConfigured, match="one of on, off"):
        env.choice(NAME, "on", ("on", "off"))


def test_names(variable):
    variable(" a.example, ,b.example ")
    assert env.names(NAME) == ["a.example", "b.example"]


def test_url_drops_the_last_slash(variable):
    variable("https://pok.example.com/")
    assert env.url(NAME, "", ("http", "https")) == "https://pok.example.com"


@pytest.mark.parametrize("value", ["pok.example.com", "ftp://x", "http://", "http://x:99999", "http://[::1"])
def test_url_refuses_other_things_without_repeating_them(variable, value):
    variable(value)
    with pytest.raises(ImproperlyConfigured) as caught:
        env.url(NAME, "", ("http", "https"))
    assert "should begin with http://" in str(caught.value)
    assert value not in str(caught.value).removesuffix("http://")


@pytest.mark.parametrize("value", ["Mars/Olympus", "../etc/passwd", "America"])
def test_time_zone_refuses_unknown_names(variable, value):
    variable(value)
    with pytest.raises(ImproperlyConfigured, match="America/Bogota"):
        env.time_zone(NAME, "UTC")


def test_database_is_sqlite_or_postgresql(variable, tmp_path):
    assert env.database(NAME, tmp_path / "x.sqlite3")["ENGINE"] == "django.db.backends.sqlite3"
    variable("postgres://ana:s%40c@db.example.com:5433/pok")
    config = env.database(NAME, tmp_path / "x.sqlite3")
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["USER"], config["PASSWORD"], config["PORT"]) == ("ana", "s@c", 5433)


def test_database_refuses_other_kinds_without_repeating_them(variable, tmp_path):
    variable("mysql://root:secret@db/pok")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.database(NAME, tmp_path / "x.sqlite3")
    assert "secret" not in str(caught.value)


MAIL_SERVERS = [
    # value, host, port, STARTTLS, TLS, user, password
    ("smtp://mail.example.com", "mail.example.com", 25, None, None, None, None),
    ("smtp+tls://ana:s%40c%2Bret@mail.example.com", "mail.example.com", 587, True, None, "ana", "s@c+ret"),
    (
        "smtp+ssl://ana%40example.com:secret@mail.example.com",
        "mail.example.com",
        465,
        None,
        True,
        "ana@example.com",
        "secret",
    ),
    ("SMTP+TLS://127.0.0.1:2525", "127.0.0.1", 2525, True, None, None, None),
]


@pytest.mark.parametrize(("value", "host", "port", "starttls", "tls", "user", "password"), MAIL_SERVERS)
def test_a_mail_server(variable, value, host, port, starttls, tls, user, password):
    variable(value)
    config = env.email(NAME, "dummymail://")
    assert config["EMAIL_BACKEND"] == "pok.mail.EmailBackend"
    assert (config["EMAIL_HOST"], config["EMAIL_PORT"]) == (host, port)
    assert (config.get("EMAIL_USE_TLS"), config.get("EMAIL_USE_SSL")) == (starttls, tls)
    assert (config["EMAIL_HOST_USER"], config["EMAIL_HOST_PASSWORD"]) == (user, password)


@pytest.mark.parametrize("kind", ["console", "memory", "dummy"])
def test_mail_that_stays_here(variable, kind):
    variable(f"{kind}mail://")
    backend = {"memory": "locmem"}.get(kind, kind)
    assert env.email(NAME, "smtp://x")["EMAIL_BACKEND"] == f"django.core.mail.backends.{backend}.EmailBackend"


@pytest.mark.parametrize("value", ["filemail:///var/spool/pok mail", "filemail:////var/spool/pok mail"])
def test_mail_into_a_folder_named_in_full(variable, value):
    variable(value)
    config = env.email(NAME, "dummymail://")
    assert config["EMAIL_BACKEND"].endswith("filebased.EmailBackend")
    assert config["EMAIL_FILE_PATH"] == "/var/spool/pok mail"


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("carrier-pigeon://user:secret@coop", "smtp\\+tls://"),
        ("smtp://", "smtp\\+tls://"),
        ("smtp+tls://user:secret@:587", "smtp\\+tls://"),
        ("smtp://user:secret@host:mail", "smtp\\+tls://"),
        ("smtps://user:secret@host", "smtp\\+ssl://"),
        ("filemail://mails", "three strokes"),
        ("filemail:///", "three strokes"),
    ],
)
def test_email_refuses_other_things_without_repeating_them(variable, value, hint):
    variable(value)
    with pytest.raises(ImproperlyConfigured, match=hint) as caught:
        env.email(NAME, "dummymail://")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "mailbox"),
    [
        ("soporte@example.com", "soporte@example.com"),
        ("pok@localhost", "pok@localhost"),
        ("Atención <soporte@example.com>", "Atención <soporte@example.com>"),
        ('"Sol, S.A." <soporte@example.com>', '"Sol, S.A." <soporte@example.com>'),
        ("soporte@ñandú.example", "soporte@xn--and-6ma2c.example"),
        ("", ""),
    ],
)
def test_a_mailbox(variable, value, mailbox):
    variable(value)
    assert env.mailbox(NAME, "") == mailbox


@pytest.mark.parametrize(
    "value",
    [
        "soporte",
        "@example.com",
        "soporte@",
        "a@example.com, b@example.com",
        "Sol soporte@example.com",
        "ñ@example.com",
        "a@example.com\nBcc: b@example.com",
        "soporte@" + "ñ" * 80 + ".com",
    ],
)
def test_a_mailbox_that_no_mail_can_have(variable, value):
    variable(value)
    with pytest.raises(ImproperlyConfigured, match="use an address"):
        env.mailbox(NAME, "")


def test_data_folder_is_made(tmp_path):
    assert env.data_folder(tmp_path / "a" / "b").is_dir()


def test_a_data_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="the folder cannot be written"):
        env.data_folder(tmp_path / "file" / "folder")


def test_the_secret_key_is_made_once_and_private(tmp_path):
    key = env.secret_key(NAME, tmp_path)
    assert len(key) >= 50
    assert env.secret_key(NAME, tmp_path) == key
    assert stat.S_IMODE(Path(tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_given_secret_key_makes_no_file(variable, tmp_path):
    variable("given")
    assert env.secret_key(NAME, tmp_path) == "given"
    assert not list(tmp_path.iterdir())


def test_an_empty_key_file_is_no_key(tmp_path):
    (tmp_path / "secret_key").touch()
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        env.secret_key(NAME, tmp_path)
