"""The folder of a store: one writer at a time, and nothing left in it that the store does not name."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from data.atomic import to_the_end
from data.errors import DataError, UsageError
from data.store.manifest import FILE, MANIFEST, read_manifest

_LOCK = ".lock"
_LEFTOVER = re.compile(rf"{FILE.pattern}|store\.json\.new|\.lock")


def has_leftovers(folder: Path, files: Collection[str]) -> bool:
    """Tell whether a killed writer left files that are not among those of the store."""
    return any(_is_leftover(path, files) for path in folder.iterdir())


def _is_leftover(path: Path, files: Collection[str]) -> bool:
    named = path.name in files or path.name == _LOCK
    return not named and _LEFTOVER.fullmatch(path.name) is not None


def refuse_foreign(folder: Path) -> None:
    """Raise DataError or UsageError for what can become no store."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"the store `{folder}` is not a folder", hint="Name another one with --data.")
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    foreign = [name for name in names if not (name.startswith(".") or _LEFTOVER.fullmatch(name))]
    if foreign:
        raise DataError(
            f"the folder `{folder}` is not a store",
            received=f"a folder that holds `{min(foreign)}`",
            limit="a store, an empty folder, or one that does not exist yet",
            hint="Name another folder with --data.",
        )


def sweep(folder: Path) -> None:
    """Delete what ``store.json`` does not name."""
    files = read_manifest(folder).files
    for path in folder.iterdir():
        if _is_leftover(path, files):
            # Windows keeps a file that somebody reads; it is deleted by whoever writes or opens next.
            try:
                path.unlink()
            except PermissionError:
                if sys.platform != "win32":
                    raise


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Lock the folder, making it if need be; leave no file or new folder that is not part of a store."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder):
            try:
                yield
            finally:
                with suppress(OSError, DataError):
                    to_the_end(lambda: sweep(folder))
                # By the one who holds the lock, so that nobody deletes another's.
                if made and not (folder / MANIFEST).exists():
                    with suppress(OSError):
                        (folder / _LOCK).unlink()
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise UsageError(
            f"cannot write the store `{folder}`; it is unchanged",
            received=error.strerror or str(error),
            hint="Make room on the disk." if full else "Name a folder that you may write with --data.",
        ) from error
    finally:
        if made and not (folder / MANIFEST).exists():
            with suppress(OSError):
                for path in made:
                    path.rmdir()  # which the system refuses where another process has begun a store


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder; UsageError if another process has it. The system frees it at exit."""
    with (folder / _LOCK).open("a") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise UsageError(
                f"the store `{folder}` is being written by another process",
                hint="Wait until it has finished, then try again.",
            ) from None
        if not _is_at(folder / _LOCK, file):  # its holder gave up the new store, and deleted it, a moment ago
            raise UsageError(f"the store `{folder}` was being made by another process", hint="Try again.")
        yield


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
