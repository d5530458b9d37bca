"""Backup, verification, restoring and upgrade as an operator calls them: real processes, both databases."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from inquiries.backups import archive
from inquiries.tests.backups.servers import database_of_its_own
from inquiries.tests.processes import ROOT, Box
from pok.tests.test_launch import free_port

pytestmark = pytest.mark.process
ANSWER = """
from inquiries.models import Delivery, Inquiry
Delivery.objects.create(inquiry=Inquiry.objects.first(), kind="answer", recipient="a@example.com", mail_id="<1@pok>")
"""


class Desk(Box):
    """A box whose database is either kind."""

    def run(self, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command that may fail, with `said` as what the operator types."""
        return self.start("manage.py", *arguments, said=said)

    def start(self, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def url(self) -> str:
        return self.environment["DATABASE_URL"]

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2] if self.url else str(self.folder / "pok.sqlite3")

    @property
    def backups(self) -> list[Path]:
        return archive.all_in(self.folder / "backups")

    @contextmanager
    def connected(self) -> Iterator[Any]:
        if self.url:
            with psycopg.connect(self.url) as postgres:
                yield postgres
        else:
            with closing(sqlite3.connect(self.folder / "pok.sqlite3")) as connection, connection:
                yield connection

    def column(self, query: str) -> list:
        with self.connected() as connection:
            return [row[0] for row in connection.execute(query).fetchall()]

    @property
    def inquiries(self) -> int:
        """How many there are, all of which hold the word that is looked for."""
        match = "search @@ pok_query('cuenta')" if self.url else "id IN (SELECT rowid FROM inquiry_fts('cuenta'))"
        (found,) = self.column(f"SELECT count(*) FROM inquiries_inquiry WHERE {match}")
        assert self.column("SELECT count(*) FROM inquiries_inquiry") == [found]
        return found

    @property
    def mails(self) -> list[str]:
        return self.column("SELECT state FROM inquiries_delivery")

    @property
    def is_migrated(self) -> bool:
        return self.column("SELECT count(*) FROM django_migrations WHERE name = '0006_published_at'") == [1]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Callable[[str], Desk]:
    """A desk with three inquiries and an email on its way for each kind of database, to be copied."""

    @cache
    def prepare(url: str) -> Desk:
        # Debugging leaves the static files uncompressed, which takes a tenth of the time.
        variables = {"DJANGO_DEBUG": "1", "POK_ADMIN_PASSWORD": "una-clave-larga-7", "POK_AI_ENGINE": "off"}
        desk = Desk(tmp_path_factory.mktemp("prepared"), DATABASE_URL=url, **variables)
        desk.prepare()
        desk.submit(3)
        desk.shell(ANSWER)
        return desk

    return prepare


@pytest.fixture(scope="module")
def template(postgres_url) -> Iterator[str]:
    with database_of_its_own(postgres_url) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def desk(request, prepared, tmp_path) -> Iterator[Desk]:
    folder = tmp_path / "data"
    if request.param == "sqlite":
        original = prepared("")
        shutil.copytree(original.folder, folder)
        yield Desk(folder, **(original.environment | {"POK_DATA_DIR": str(folder)}))
        return
    folder.mkdir()
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("template")
    original = prepared(template)
    with database_of_its_own(server, template=template.rpartition("/")[2]) as url:
        yield Desk(folder, **(original.environment | {"POK_DATA_DIR": str(folder), "DATABASE_URL": url}))


def test_there_and_back_again(desk):
    said = desk.manage("backup")
    (first,) = desk.backups
    assert str(first) in said
    assert "secret key" in said
    desk.submit(2)

    good = desk.manage("verify_backup", "--latest")
    assert f"{first.name} is good." in good
    assert "3 inquiries" in good

    # Whoever only presses Enter changes nothing.
    refused = desk.run("restore", first.name, said="\n")
    assert refused.returncode == 1
    assert "5 inquiries are in the database" in refused.stdout
    assert "Nothing was changed." in refused.stderr
    assert (desk.inquiries, desk.mails) == (5, ["queued"])

    done = desk.run("restore", first.name, said=f"{desk.name}\n")
    assert done.returncode == 0, done.stderr
    assert "when the backup was made: 1." in done.stdout
    assert "customer_data erase EMAIL" in done.stdout
    assert (desk.inquiries, desk.mails) == (3, ["unknown"])
    desk.submit(1)
    assert desk.inquiries == 4

    # The state of before was saved, and is as good a backup.
    safety, _first = desk.backups
    assert str(safety) in done.stdout
    desk.manage("restore", str(safety), "--yes", "--no-safety")
    assert desk.inquiries == 5
    assert len(desk.backups) == 2


def test_nothing_is_restored_over_a_running_pok(desk):
    desk.manage("backup")
    file = desk.backups[0].name
    with desk.connected() as connection:
        connection.execute("SELECT count(*) FROM inquiries_inquiry")
        refused = desk.run("restore", file, "--yes")
    assert refused.returncode == 1
    assert "POK is running: " in refused.stderr

    with (desk.folder / "launch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["restore", file, "--yes"], ["upgrade"]):
            refused = desk.run(*command)
            assert (refused.returncode, "POK runs on this data folder" in refused.stderr) == (1, True)
    assert len(desk.backups) == 1


def test_a_damaged_file_is_refused_before_anything_else(desk):
    desk.manage("backup")
    (file,) = desk.backups
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    for command in (["verify_backup", file.name], ["restore", file.name, "--yes"]):
        refused = desk.run(*command)
        assert (refused.returncode, "damaged" in refused.stderr) == (1, True)
        assert "Traceback" not in refused.stderr
    assert desk.inquiries == 3
    assert desk.run("restore", "no-such-file", "--yes").returncode == 1


def test_an_upgrade_and_the_way_back(desk):
    desk.manage("migrate", "inquiries", "0005", "-v", "0")
    done = desk.run("upgrade")
    assert done.returncode == 0, done.stderr
    (file,) = desk.backups
    assert "inquiries.0006_published_at" in done.stdout
    assert done.stdout.index("Is it good?") < done.stdout.index("Planned operations")
    assert f"manage.py restore {file}" in done.stdout
    assert desk.is_migrated
    # An older state is taken over to this version at once.
    assert "0006_published_at" not in archive.read_manifest(file).snapshot.migrations["inquiries"]
    desk.manage("restore", file.name, "--yes")
    assert (desk.inquiries, desk.mails) == (3, ["unknown"])
    # The next one knows what ran here before.
    assert "Go back to the version of before: 0." in desk.run("upgrade").stdout


def test_a_start_that_migrates_saves_the_state_of_before(desk):
    desk.manage("migrate", "inquiries", "0005", "-v", "0")
    # Where it cannot be saved, nothing is migrated.
    (desk.folder / "file").touch()
    desk.environment["POK_BACKUP_DIR"] = str(desk.folder / "file" / "backups")
    desk.environment["PORT"] = str(free_port())
    refused = desk.start("-m", "pok.launch")
    assert refused.returncode == 1
    assert refused.stderr.startswith("POK: the database has to be migrated, and the backup before that failed: ")
    assert refused.stderr.endswith(" set POK_BACKUP_DAYS=0 to go on without one.\n")
    assert not desk.is_migrated

    del desk.environment["POK_BACKUP_DIR"]
    said = desk.manage("setup")
    (file,) = desk.backups
    assert f"as it was before, it is in {file}" in said
    assert desk.is_migrated
    assert desk.manage("setup") == ""
    assert len(desk.backups) == 1

    desk.manage("migrate", "inquiries", "0005", "-v", "0")
    desk.environment["POK_BACKUP_DAYS"] = "0"
    assert "without a backup" in desk.manage("setup")
    assert len(desk.backups) == 1


def test_there_is_no_newest_where_there_is_none(tmp_path):
    box = Desk(tmp_path)
    refused = box.run("verify_backup", "--latest")
    assert (refused.returncode, "There is no backup in" in refused.stderr) == (1, True)
    refused = box.run("backup")
    assert (refused.returncode, "there is no database" in refused.stderr) == (1, True)
