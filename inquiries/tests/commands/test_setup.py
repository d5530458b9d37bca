from __future__ import annotations

import os
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import RequestFactory

from inquiries.management.commands import setup
from inquiries.models import Category, User


@pytest.fixture(autouse=True)
def _own_static_folder(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"


def run_setup() -> str:
    output = StringIO()
    call_command("setup", stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_it_loads_the_five_default_categories():
    assert setup.load_categories() == 5
    names = list(Category.objects.live().values_list("name", flat=True))
    assert names == ["Soporte Técnico", "Ventas", "Facturación", "Reclamo", "Consulta General"]
    for category in Category.objects.all():
        category.full_clean()
        assert len(category.example_lines()) >= 10
        assert category.keyword_lines()


@pytest.mark.django_db
def test_it_leaves_a_supervisors_categories_alone():
    Category.objects.create(name="Envíos")
    assert setup.load_categories() == 0
    assert Category.objects.count() == 1


@pytest.mark.django_db
def test_the_first_supervisor_gets_a_password_that_is_said_once(settings):
    settings.ADMIN_USER, settings.ADMIN_PASSWORD = "jefa", ""
    line = setup.make_first_supervisor()
    assert line is not None
    password = line.split("password ")[1].split()[0]
    person = authenticate(RequestFactory().post("/"), username="jefa", password=password)
    assert person is not None
    assert person.supervises
    assert person.works_inbox
    assert person.is_staff
    assert not person.is_superuser
    assert setup.make_first_supervisor() is None


@pytest.mark.django_db
def test_a_given_password_is_not_repeated(settings):
    settings.ADMIN_PASSWORD = "una-clave-larga-7"
    assert setup.make_first_supervisor() is None
    assert User.objects.get().check_password("una-clave-larga-7")


@pytest.mark.django_db
def test_a_later_start_resets_nothing(settings, make_user):
    settings.ADMIN_USER, settings.ADMIN_PASSWORD = "jefa", "otra-clave-larga-8"
    make_user("jefa")
    assert setup.make_first_supervisor() is None
    assert not User.objects.get().check_password("otra-clave-larga-8")
    assert User.objects.count() == 1


def test_made_up_passwords_differ_and_have_no_look_alikes():
    words = {setup.made_up_password() for _ in range(50)}
    assert len(words) == 50
    assert not set("".join(words)) & set("0O1lIi")


@pytest.mark.django_db
def test_the_whole_of_it_twice(settings):
    settings.ADMIN_PASSWORD = ""
    first, second = run_setup(), run_setup()
    assert "5 default categories" in first
    assert first.count("shown only this once") == 1
    assert second == ""
    assert (settings.STATIC_ROOT / "css/pok.css").is_file()
    assert (User.objects.count(), Category.objects.count()) == (1, 5)


def test_static_files_are_published_again_when_a_source_changes(settings, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "one.css").write_text("a{}")
    settings.STATICFILES_DIRS = [source]
    from django.contrib.staticfiles import finders

    finders.get_finder.cache_clear()
    before = setup.fingerprint()
    setup.collect_static(before)
    assert setup.is_collected(setup.fingerprint())
    (source / "one.css").write_text("b{}")
    os.utime(source / "one.css", (1, 1))
    assert not setup.is_collected(setup.fingerprint())
    finders.get_finder.cache_clear()


def test_an_image_is_built_without_a_database(settings):
    # No database mark: a query would fail the test.
    output = StringIO()
    call_command("setup", "--static", stdout=output)
    assert settings.STATIC_ROOT.is_dir()
    assert "static files" in output.getvalue()
