"""The file of a backup: written beside its name, read back, then renamed. What has the name is whole."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from inquiries.backups.errors import BackupError, BackupReason, files_explained
from inquiries.backups.manifest import Manifest, Member

NAME = re.compile(r"pok-\d{8}-\d{6}-(sqlite|postgres)\.tar\.gz")
PARTIAL = ".partial"
MANIFEST = "manifest.json"
LONGEST_MANIFEST = 1 << 20  # bytes
CHUNK = 1 << 20
LEVEL = 6
Pulse = Callable[[], object]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder of the backups, made if need be; what an interrupted backup left behind goes.

    Raises BackupError where another backup is being made or the folder cannot be written.
    """
    with files_explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BackupError(BackupReason.BUSY, f"another backup is being made in {folder}.") from error
        for left in folder.glob(f".*{PARTIAL}"):
            left.unlink(missing_ok=True)
        yield
    finally:
        os.close(handle)


@contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder for this owner alone, gone at the end; those that killed processes left behind go at the beginning."""
    for left in parent.glob(f".{prefix}-*"):
        _remove_if_left(left)
    with files_explained(parent):
        folder = Path(tempfile.mkdtemp(prefix=f".{prefix}-", dir=parent))
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _remove_if_left(folder: Path) -> None:
    """Remove a folder whose process no longer holds it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)


def ensure_room(folder: Path, needed: int) -> None:
    """Raise BackupError where so many bytes would fill the disk, which a database on it may need the next moment."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        text = f"{folder}: {free >> 20} MB are free, {(needed >> 20) + 1} MB are needed."
        raise BackupError(BackupReason.DISK_FULL, text)


def write(folder: Path, manifest: Manifest, dump: Path, pulse: Pulse) -> tuple[Path, Manifest]:
    """Pack the dump with its manifest into a file of `folder`, whose lock is held; return the file and the manifest."""
    whole = replace(manifest, members={dump.name: Member(dump.stat().st_size, _digest(dump, pulse))})
    target = _free_name(folder, manifest)
    partial = folder / f".{target.name}{PARTIAL}"
    try:
        with files_explained(folder):
            _pack(partial, whole, dump, pulse)
            check(partial, pulse)
            partial.rename(target)
            sync(folder)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return target, whole


def _free_name(folder: Path, manifest: Manifest) -> Path:
    """Name the file by its time; a second one of the same second takes the next."""
    at = manifest.created_at
    while (path := folder / f"pok-{at:%Y%m%d-%H%M%S}-{manifest.kind}.tar.gz").exists():
        at += timedelta(seconds=1)
    return path


def _pack(path: Path, manifest: Manifest, dump: Path, pulse: Pulse) -> None:
    with opened_for_itself(path) as raw:
        with (
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=LEVEL) as packed,
            tarfile.open(fileobj=packed, mode="w|") as tar,
            dump.open("rb") as content,
        ):
            text, size = manifest.to_json(), dump.stat().st_size
            tar.addfile(_info(MANIFEST, len(text), manifest.created_at), io.BytesIO(text))
            tar.addfile(_info(dump.name, size, manifest.created_at), _Pulsing(content, pulse))
        raw.flush()
        os.fsync(raw.fileno())


def opened_for_itself(path: Path) -> BinaryIO:
    """Make a file, which must not exist, readable by its owner alone from its first byte on."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _info(name: str, size: int, at: datetime) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(at.timestamp()), 0o600
    return info


class _Pulsing(io.RawIOBase):
    """A file that gives a sign of life whenever it is read from."""

    def __init__(self, file: BinaryIO, pulse: Pulse) -> None:
        self.file, self.pulse = file, pulse

    def read(self, size: int = -1) -> bytes:
        self.pulse()
        return self.file.read(size)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest, which stands first. Raises BackupError where there is none."""
    with _opened(path) as tar:
        return _manifest_of(tar)


def check(path: Path, pulse: Pulse = lambda: None) -> Manifest:
    """Read the whole file and compare every checksum. Raises BackupError where a single bit is not as it was."""
    return _read(path, None, pulse)


def extract(path: Path, folder: Path, pulse: Pulse = lambda: None) -> tuple[Manifest, Path]:
    """Unpack the dump into `folder`, checked as by `check`; return the manifest and the file."""
    manifest = _read(path, folder, pulse)
    (name,) = manifest.members
    return manifest, folder / name


def _read(path: Path, folder: Path | None, pulse: Pulse) -> Manifest:
    with _opened(path) as tar:
        manifest = _manifest_of(tar)
        missing = set(manifest.members)
        while (info := tar.next()) is not None:
            if info.name not in missing or not info.isreg():
                raise BackupError(BackupReason.DAMAGED, f"{path.name}: it holds {info.name!r}, which it should not.")
            missing.discard(info.name)
            target = None if folder is None else folder / Path(info.name).name
            _compare(path, info.name, _copy(tar, info, target, pulse), manifest.members[info.name])
        if missing:
            raise BackupError(BackupReason.DAMAGED, f"{path.name}: {', '.join(sorted(missing))} is missing.")
        # To the very end, where the checksum of gzip stands.
        while cast("BinaryIO", tar.fileobj).read(CHUNK):
            pass
    return manifest


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive; whatever is wrong with its bytes is a BackupError."""
    try:
        with gzip.open(path, "rb") as packed, tarfile.open(fileobj=packed, mode="r:") as tar:
            yield tar
    except FileNotFoundError as error:
        raise BackupError(BackupReason.REFUSED, f"{path}: there is no such file.") from error
    except (gzip.BadGzipFile, EOFError, tarfile.TarError, zlib.error) as error:
        raise BackupError(BackupReason.DAMAGED, f"{path.name}: it is damaged or cut off, or no backup.") from error
    except OSError as error:
        raise BackupError(BackupReason.FOLDER, f"{path}: {(error.strerror or str(error)).lower()}.") from error


def _manifest_of(tar: tarfile.TarFile) -> Manifest:
    info = tar.next()
    if info is None or info.name != MANIFEST or not info.isreg() or info.size > LONGEST_MANIFEST:
        raise BackupError(BackupReason.DAMAGED, "it does not begin with a manifest, so it is no backup of POK.")
    manifest = Manifest.from_json(cast("BinaryIO", tar.extractfile(info)).read())
    if len(manifest.members) != 1:
        raise BackupError(BackupReason.DAMAGED, "its manifest names no dump, or more than one.")
    return manifest


def _copy(tar: tarfile.TarFile, info: tarfile.TarInfo, target: Path | None, pulse: Pulse) -> Member:
    """Read a member, into `target` where one is given; return what it is."""
    digest, size = hashlib.sha256(), 0
    with files_explained(target or info.name), (target or Path(os.devnull)).open("wb") as output:
        source = cast("BinaryIO", tar.extractfile(info))
        while chunk := _next_chunk(source):
            output.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            pulse()
        output.flush()
        if target is not None:
            os.fsync(output.fileno())
    return Member(size, digest.hexdigest())


def _next_chunk(source: BinaryIO) -> bytes:
    try:
        return source.read(CHUNK)
    except OSError as error:  # a wrong checksum is one, too: let it not be taken for a disk's error
        raise EOFError from error


def _compare(path: Path, name: str, found: Member, expected: Member) -> None:
    if found != expected:
        raise BackupError(BackupReason.DAMAGED, f"{path.name}: it is damaged: {name} is not what was packed (SHA-256).")


def _digest(path: Path, pulse: Pulse) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            pulse()
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Wait until a file or the names in a folder are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def all_in(folder: Path) -> list[Path]:
    """The backups of a folder by their names, the newest first; half-written ones have no such name."""
    found = [path for path in folder.glob("pok-*.tar.gz") if NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.name, reverse=True)
