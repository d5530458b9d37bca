from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from inquiries.backups.errors import BackupError, BackupReason
from inquiries.backups.manifest import Snapshot
from inquiries.backups.sqlite import SqliteStore


def count(path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM thing").fetchone()[0]


@pytest.fixture
def backed_up(database, tmp_path, make_manifest):
    """A dump of `database` and its manifest."""
    dump = tmp_path / "dump.sqlite3"
    snapshot = SqliteStore(database).snapshot(dump, lambda: None)
    return dump, make_manifest(snapshot=snapshot)


def test_a_snapshot_tells_rows_and_migrations(backed_up):
    dump, manifest = backed_up
    assert manifest.snapshot == Snapshot(
        sqlite3.sqlite_version,
        {"django_migrations": 1, "inquiries_delivery": 3, "thing": 2_000},
        {"inquiries": ["0001_first"]},
    )
    assert dump.stat().st_mode & 0o777 == 0o600
    SqliteStore(dump).verify(dump, manifest)


def test_it_is_one_moment_while_others_write(database, tmp_path, make_manifest):
    """Writers go on, and the copy holds what was there when it began: whole transactions, never half of one."""
    done, written = threading.Event(), []

    def write() -> None:
        with closing(sqlite3.connect(database, timeout=20)) as connection:
            while not done.is_set():
                connection.executemany("INSERT INTO thing (text) VALUES (?)", [("zwei" * 100,)] * 2)
                connection.commit()
                written.append(2)

    store, dump = SqliteStore(database), tmp_path / "dump.sqlite3"
    at_pulse: list[int] = []

    def pulse() -> None:
        # The copy under way waits here until somebody has written meanwhile.
        seen = len(written)
        while len(written) < seen + 3 and writer.is_alive():
            done.wait(0.01)
        at_pulse.append(len(written))

    store.pages = 50
    writer = threading.Thread(target=write)
    writer.start()
    try:
        snapshot = store.snapshot(dump, pulse)
    finally:
        done.set()
        writer.join(20)
    assert len(at_pulse) > 3
    assert at_pulse[-1] > at_pulse[0]
    assert snapshot.tables["thing"] == count(dump) < count(database)
    assert snapshot.tables["thing"] % 2 == 0
    store.verify(dump, make_manifest(snapshot=snapshot))


def test_a_damaged_database_gives_no_backup(database, tmp_path):
    content = bytearray(database.read_bytes())
    content[40_000:60_000] = os.urandom(20_000)
    database.write_bytes(content)
    with pytest.raises(BackupError) as caught:
        SqliteStore(database).snapshot(tmp_path / "dump", lambda: None)
    assert caught.value.reason == BackupReason.DATABASE


def test_verifying_notices_a_missing_row(backed_up):
    dump, manifest = backed_up
    with closing(sqlite3.connect(dump)) as connection:
        connection.execute("DELETE FROM thing WHERE id = 7")
        connection.commit()
    with pytest.raises(BackupError, match="thing: 1999 rows instead of 2000 rows"):
        SqliteStore(dump).verify(dump, manifest)


def test_verifying_notices_other_migrations(backed_up):
    dump, manifest = backed_up
    other = replace(manifest.snapshot, migrations={"inquiries": []})
    with pytest.raises(BackupError, match="inquiries: other migrations"):
        SqliteStore(dump).verify(dump, replace(manifest, snapshot=other))


def test_it_takes_the_place_of_what_was_written_since(database, backed_up):
    dump, manifest = backed_up
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM thing WHERE id > 100")
        connection.execute("CREATE TABLE newer (id INTEGER)")
        connection.commit()
        # A process that is killed leaves its log beside the file: it must not be taken for one of the new file.
        beside = database.with_name("pok.sqlite3-wal").read_bytes()
    database.with_name("pok.sqlite3-wal").write_bytes(beside)
    database.chmod(0o640)
    SqliteStore(database).replace(dump, manifest)
    assert count(database) == 2_000
    assert database.stat().st_mode & 0o777 == 0o640
    assert not list(database.parent.glob("pok.sqlite3-*"))
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'newer'").fetchone() == (0,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_no_email_on_its_way_is_sent_again(database, backed_up):
    assert SqliteStore(database).replace(*backed_up) == 2
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT state, error, due_at, finished_at IS NOT NULL FROM inquiries_delivery")
        assert rows.fetchall() == [
            ("unknown", "crashed", None, 1),
            ("unknown", "crashed", None, 1),
            ("sent", "", None, 0),
        ]


def test_a_backup_from_before_there_were_emails(database, tmp_path, make_manifest):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE inquiries_delivery")
    store, dump = SqliteStore(database), tmp_path / "dump.sqlite3"
    manifest = make_manifest(snapshot=store.snapshot(dump, lambda: None))
    assert store.replace(dump, manifest) == 0


def test_nothing_changes_while_somebody_has_it_open(database, backed_up):
    with closing(sqlite3.connect(database)) as other:
        other.execute("INSERT INTO thing (text) VALUES ('neu')")
        other.commit()
        with pytest.raises(BackupError, match="POK is running") as caught:
            SqliteStore(database).replace(*backed_up)
        assert caught.value.reason == BackupReason.REFUSED
        assert count(database) == 2_001


def test_nothing_changes_where_the_dump_is_not_what_it_says(database, backed_up):
    dump, manifest = backed_up
    wrong = replace(manifest.snapshot, tables=dict(manifest.snapshot.tables, thing=5))
    before = database.read_bytes()
    with pytest.raises(BackupError, match="differs"):
        SqliteStore(database).replace(dump, replace(manifest, snapshot=wrong))
    assert database.read_bytes() == before


def test_a_file_that_is_no_database_any_more_is_kept_beside(database, backed_up):
    database.write_bytes(b"not a database at all" * 1_000)
    SqliteStore(database).replace(*backed_up)
    assert count(database) == 2_000
    assert database.with_name("pok.sqlite3.damaged").read_bytes().startswith(b"not a database")


def test_it_makes_the_database_where_there_is_none(tmp_path, backed_up):
    new = SqliteStore(tmp_path / "new.sqlite3")
    assert not new.exists()
    new.replace(*backed_up)
    assert count(new.path) == 2_000
    assert new.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_leaves_the_file_to_whom_it_belonged(database, backed_up):
    os.chown(database, 12_345, 12_346)
    SqliteStore(database).replace(*backed_up)
    assert (database.stat().st_uid, database.stat().st_gid) == (12_345, 12_346)
