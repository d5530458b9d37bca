"""Backups of the database that the tests run on: SQLite, or PostgreSQL with POK_TEST_ON=postgres."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from inquiries import backups
from inquiries.backups import archive, history, making, restoring, stores
from inquiries.backups.errors import BackupError, BackupReason
from inquiries.backups.making import make, make_and_note, prune
from inquiries.backups.manifest import Purpose
from inquiries.models import Inquiry


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.BACKUP_DIR, settings.DATA_DIR = tmp_path / "backups", tmp_path
    return tmp_path / "backups"


@pytest.mark.django_db(transaction=True)
def test_it_holds_the_rows_and_can_be_restored(make_inquiry, categories, folder):
    make_inquiry(analysed=True)
    history.note_version("0.1.0 (abc1234)")
    backup = make(Purpose.BY_HAND)
    tables = backup.manifest.snapshot.tables
    assert (tables["inquiries_inquiry"], tables["inquiries_analysis"], tables["inquiries_category"]) == (1, 1, 5)
    assert "0001_first" in backup.manifest.snapshot.migrations["inquiries"]
    assert backup.manifest.kind == {"sqlite": "sqlite", "postgresql": "postgres"}[connection.vendor]
    assert (backup.manifest.made_by, backup.manifest.data_of) == ("0.1.0", "0.1.0 (abc1234)")
    assert restoring.verify(backup.path) == restoring.examine(backup.path) == backup.manifest
    assert [path.name for path in folder.parent.iterdir()] == ["backups"]


@pytest.mark.django_db(transaction=True)
def test_it_gives_signs_of_life_but_not_at_every_step(make_inquiry, monkeypatch):
    make_inquiry()
    signs: list[int] = []
    make(Purpose.NIGHTLY, pulse=lambda: signs.append(1))
    assert signs == []
    monkeypatch.setattr(making, "PULSE_EVERY", 0.0)
    make(Purpose.NIGHTLY, pulse=lambda: signs.append(1))
    assert len(signs) > 2


@pytest.mark.django_db(transaction=True)
def test_the_monitor_learns_of_success_and_failure(folder, monkeypatch):
    assert (backups.last_success(), backups.last_error()) == (None, None)

    def full(path, size):
        raise BackupError(BackupReason.DISK_FULL, "no room")

    with monkeypatch.context() as patched:
        patched.setattr(archive, "ensure_room", full)
        with pytest.raises(BackupError):
            make_and_note(Purpose.BY_HAND)
    assert (backups.last_success(), backups.last_error()) == (None, BackupReason.DISK_FULL)
    backup = make_and_note(Purpose.BY_HAND)
    assert (backups.last_success(), backups.last_error()) == (backup.manifest.created_at, None)
    assert timezone.now() - backup.manifest.created_at < timedelta(minutes=5)


@pytest.mark.django_db(transaction=True)
def test_a_disk_that_fills_up_leaves_nothing(folder, monkeypatch):
    def full(path):
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(archive, "opened_for_itself", full)
    with pytest.raises(BackupError, match="no space left") as caught:
        make(Purpose.BY_HAND)
    assert caught.value.reason == BackupReason.DISK_FULL
    assert [path.name for path in folder.iterdir()] == [".lock"]
    assert [path.name for path in folder.parent.iterdir()] == ["backups"]


@pytest.mark.django_db
def test_without_a_database_there_is_nothing_to_back_up(folder, monkeypatch):
    class Nothing:
        name = "pok"

        def exists(self) -> bool:
            return False

    monkeypatch.setattr(stores, "current", Nothing)
    with pytest.raises(BackupError, match="no database pok yet"):
        make(Purpose.BY_HAND)
    assert not folder.exists()


class TestFitting:
    @pytest.fixture
    def file(self, pack) -> Path:
        return pack(kind="postgres" if connection.vendor == "sqlite" else "sqlite")

    def test_a_backup_of_the_other_kind_is_refused(self, file):
        with pytest.raises(BackupError, match="DATABASE_URL names a database of"):
            restoring.examine(file)

    def test_a_newer_version_is_refused(self, pack, make_manifest):
        kind = "sqlite" if connection.vendor == "sqlite" else "postgres"
        snapshot = replace(make_manifest().snapshot, migrations={"inquiries": ["0001_first", "0999_later"]})
        file = pack(kind=kind, snapshot=snapshot, data_of="9.0.0")
        with pytest.raises(BackupError, match=r"newer POK \(9.0.0; unknown here: inquiries.0999_later\)"):
            restoring.examine(file)

    def test_an_app_that_is_gone_does_not_matter(self, pack, make_manifest):
        kind = "sqlite" if connection.vendor == "sqlite" else "postgres"
        snapshot = replace(make_manifest().snapshot, migrations={"gone": ["0001_initial"]})
        assert restoring.examine(pack(kind=kind, snapshot=snapshot)).kind == kind

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="for installations on SQLite")
    def test_one_of_postgresql_needs_a_server_to_be_verified(self, file):
        with pytest.raises(BackupError, match="--database-url"):
            restoring.verify(file)
        with pytest.raises(BackupError) as caught:
            restoring.verify(file, database_url="nonsense:geheim")
        assert "geheim" not in str(caught.value)


class TestPruning:
    def days_ago(self, days: float):
        return timezone.now() - timedelta(days=days)

    def test_old_nightly_ones_go_and_all_others_stay(self, pack, folder):
        old = pack(purpose="nightly", created_at=self.days_ago(15))
        stays = [
            pack(purpose="nightly", created_at=self.days_ago(13)),
            pack(purpose="by-hand", created_at=self.days_ago(400)),
            pack(purpose="before-upgrade", created_at=self.days_ago(401)),
        ]
        strangers = [folder / name for name in ("pok-20200101-000000-sqlite.tar.gz", "notes.txt", "old.tar.gz")]
        for path in strangers:
            path.write_bytes(b"not of our make")
        assert prune(14) == [old]
        assert {*stays, *strangers} == {path for path in folder.iterdir() if path.name != ".lock"}

    def test_the_last_good_one_stays_however_old_it_is(self, pack, folder):
        older = pack(purpose="nightly", created_at=self.days_ago(101))
        newest = pack(purpose="nightly", created_at=self.days_ago(100))
        (folder / "pok-20991231-000000-sqlite.tar.gz").write_bytes(b"not whole")
        assert prune(14) == [older]
        assert newest.exists()


@pytest.mark.django_db
def test_the_version_is_written_once_and_kept(django_assert_num_queries):
    assert backups.installed_version() == ""
    history.note_version("0.1.0 (abc)")
    with django_assert_num_queries(1):
        history.note_version("0.1.0 (abc)")
    history.note_version("0.2.0")
    assert backups.installed_version() == "0.2.0"
    assert Inquiry.objects.count() == 0
