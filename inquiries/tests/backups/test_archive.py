from __future__ import annotations

import errno
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from typing import IO, cast

import pytest

from inquiries.backups import archive
from inquiries.backups.errors import BackupError, BackupReason
from inquiries.backups.manifest import Manifest


def refusal(path) -> BackupError:
    with pytest.raises(BackupError) as caught:
        archive.check(path)
    return caught.value


def repacked(path, target, change) -> None:
    """Pack again what `change` makes of the members, a dict of bytes by name."""
    with tarfile.open(path) as tar:
        members = {info.name: cast("IO[bytes]", tar.extractfile(info)).read() for info in tar}
    with tarfile.open(target, "w:gz") as tar:
        for name, content in change(members).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def test_what_is_packed_comes_out_again(pack, tmp_path):
    path = pack(b"contenido" * 1_000)
    (tmp_path / "out").mkdir()
    manifest, dump = archive.extract(path, tmp_path / "out")
    assert dump.read_bytes() == b"contenido" * 1_000
    assert manifest == archive.read_manifest(path) == archive.check(path)
    assert (manifest.purpose, manifest.data_of, manifest.snapshot.tables) == ("by-hand", "0.1.0 (abc)", {"thing": 3})
    assert "secret key" in " ".join(manifest.not_included)


def test_its_name_tells_when_and_what(pack):
    assert pack().name == "pok-20260302-030007-sqlite.tar.gz"
    # A second one of the same second overwrites nothing.
    assert pack().name == "pok-20260302-030008-sqlite.tar.gz"
    assert pack(kind="postgres").name == "pok-20260302-030007-postgres.tar.gz"


def test_nobody_else_may_read_it(pack):
    path = pack()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_every_changed_byte_is_noticed(pack, tmp_path):
    whole = pack(os.urandom(3_000)).read_bytes()
    damaged = tmp_path / "damaged.tar.gz"
    # The ten bytes of gzip's header hold a time and the like; the last byte before its checksum may end in spare bits.
    last = len(whole) - 9
    for position in [*range(10, 60), *range(60, last, 37), *range(last + 1, len(whole))]:
        damaged.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        assert refusal(damaged).reason == BackupReason.DAMAGED, position


def test_a_file_that_was_cut_off_is_noticed(pack, tmp_path):
    whole = pack(os.urandom(3_000)).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    for length in (0, 5, 11, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        cut.write_bytes(whole[:length])
        assert refusal(cut).reason == BackupReason.DAMAGED, length


def test_another_content_of_the_same_length_is_noticed(pack, tmp_path):
    path = pack(b"a" * 5_000)
    repacked(path, tmp_path / "x.tar.gz", lambda members: members | {"database.sqlite3": b"b" * 5_000})
    assert "SHA-256" in str(refusal(tmp_path / "x.tar.gz"))


@pytest.mark.parametrize(
    "change",
    [
        lambda members: {"manifest.json": members["manifest.json"]},
        lambda members: members | {"../elsewhere": b"x"},
        lambda members: {"database.sqlite3": members["database.sqlite3"], "manifest.json": members["manifest.json"]},
        lambda members: {"manifest.json": b"{", "database.sqlite3": members["database.sqlite3"]},
        lambda members: members | {"manifest.json": b'{"format": 1}'},
    ],
    ids=["without a dump", "with another file", "in another order", "no manifest", "a poor manifest"],
)
def test_an_archive_of_another_make_is_refused(pack, tmp_path, change):
    repacked(pack(), tmp_path / "x.tar.gz", change)
    assert refusal(tmp_path / "x.tar.gz").reason == BackupReason.DAMAGED


def test_a_later_format_is_not_guessed_at(pack, tmp_path):
    def later(members):
        values = json.loads(members["manifest.json"]) | {"format": 2}
        return members | {"manifest.json": json.dumps(values).encode()}

    repacked(pack(), tmp_path / "x.tar.gz", later)
    error = refusal(tmp_path / "x.tar.gz")
    assert (error.reason, "its format is 2" in str(error)) == (BackupReason.REFUSED, True)


def test_any_other_file_is_no_backup(tmp_path):
    (tmp_path / "notes.txt").write_text("hola")
    with gzip.open(tmp_path / "notes.gz", "wb") as file:
        file.write(b"hola")
    assert refusal(tmp_path / "notes.txt").reason == BackupReason.DAMAGED
    assert refusal(tmp_path / "notes.gz").reason == BackupReason.DAMAGED
    assert "no such file" in str(refusal(tmp_path / "nothing"))


class FullDisk(io.FileIO):
    """A file on a disk with room for `left` bytes."""

    left = 0

    def write(self, data):
        if len(data) > type(self).left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        type(self).left -= len(data)
        return super().write(data)


@pytest.mark.parametrize("room", [0, 300, 20_000])
def test_a_full_disk_leaves_no_part_of_a_file(pack, tmp_path, monkeypatch, room):
    before = pack()
    monkeypatch.setattr(archive, "opened_for_itself", lambda path: FullDisk(path, "xb"))
    monkeypatch.setattr(FullDisk, "left", room)
    with pytest.raises(BackupError) as caught:
        pack(os.urandom(200_000))
    assert caught.value.reason == BackupReason.DISK_FULL
    assert sorted(path.name for path in before.parent.iterdir()) == [".lock", before.name]


def test_too_little_room_is_seen_before_anything_is_written(tmp_path):
    with pytest.raises(BackupError, match="MB are needed") as caught:
        archive.ensure_room(tmp_path, 1 << 60)
    assert caught.value.reason == BackupReason.DISK_FULL
    archive.ensure_room(tmp_path, 1)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BackupError, match="not a directory") as caught, archive.locked(tmp_path / "file" / "backups"):
        pass
    assert caught.value.reason == BackupReason.FOLDER


def test_two_backups_do_not_run_at_once(tmp_path):
    with archive.locked(tmp_path):
        with pytest.raises(BackupError) as caught, archive.locked(tmp_path):
            pass
        assert caught.value.reason == BackupReason.BUSY
    with archive.locked(tmp_path):
        pass


def test_what_a_killed_process_left_behind_goes(tmp_path, pack):
    whole = pack()
    partial = whole.parent / f".{whole.name}{archive.PARTIAL}"
    partial.write_bytes(b"half of it")
    # Never taken for a backup, not even before.
    assert archive.all_in(whole.parent) == [whole]
    left = (
        "import os; from pathlib import Path; from inquiries.backups import archive\n"
        f"with archive.work_folder(Path({str(tmp_path)!r}), 'backup') as folder:\n"
        "    (folder / 'copy').touch(); os._exit(1)"
    )
    setup = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'pok.settings'; django.setup()\n"
    subprocess.run([sys.executable, "-c", setup + left], check=False, timeout=60)
    (killed,) = tmp_path.glob(".backup-*")
    with archive.locked(whole.parent), archive.work_folder(tmp_path, "backup") as mine:
        assert not partial.exists()
        assert not killed.exists()
        # Another process's folder stays while that one works.
        with archive.work_folder(tmp_path, "backup"):
            assert mine.is_dir()
    assert list(tmp_path.glob(".backup-*")) == []


def test_the_newest_comes_first_and_other_files_do_not_count(pack):
    first, second = pack(), pack()
    for name in ("pok-20260302-030007-sqlite.tar.gz.old", "pok-hoy-sqlite.tar.gz", "notes.txt"):
        (first.parent / name).touch()
    assert archive.all_in(first.parent) == [second, first]


class TestManifest:
    def test_it_reads_what_it_wrote(self, make_manifest):
        manifest = make_manifest()
        assert Manifest.from_json(manifest.to_json()) == manifest

    def test_it_names_every_difference(self, make_manifest):
        from inquiries.backups.manifest import Snapshot

        manifest = make_manifest()
        assert manifest.differences(manifest.snapshot) == []
        other = Snapshot("2.0", {"thing": 2, "new": 0}, {"inquiries": []})
        assert manifest.differences(other) == [
            "new: 0 rows instead of no table",
            "thing: 2 rows instead of 3 rows",
            "inquiries: other migrations",
        ]
