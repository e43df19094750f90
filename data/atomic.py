"""Files that are written whole or not at all, and answers kept in files, which can be had again.

What is being made has a lock, which the system frees when its maker dies. So what a kill left is known, once
it has lain for a while, and the next process that writes there deletes it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OLD_SECONDS = 60.0

_PART = re.compile(r"\..+\.\d+-\d+\.part")
_PROBE = ".etflow-"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name that becomes ``path`` if the block ends well, and vanishes otherwise."""
    _sweep(path.parent)
    writer = f"{os.getpid()}-{threading.get_ident()}"
    temporary = path.with_name(f".{path.name}.{writer}.part")
    lock = None
    try:
        temporary.touch()
        lock = hold(temporary)
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def _sweep(folder: Path) -> None:
    """Delete the files that dead processes were writing in a folder."""
    with suppress(OSError):
        names = [name for name in os.listdir(folder) if _PART.fullmatch(name)]
        for name in names:
            with suppress(OSError), abandoned(folder / name) as dead:
                if dead:
                    (folder / name).unlink()


def hold(path: Path) -> int | None:
    """Lock a file or folder for as long as this process lives; None where that cannot be had."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe of such a name holds nobody up
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


@contextmanager
def abandoned(path: Path) -> Iterator[bool]:
    """Tell whether the maker of a file or folder is dead; nobody else takes it for that meanwhile."""
    lock = hold(path) if time.time() - path.stat().st_mtime >= OLD_SECONDS else None
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def try_folder(folder: Path) -> None:
    """Raise OSError where nothing can be made in a folder; leave nothing there, of earlier trials neither."""
    import tempfile

    def clear() -> None:
        for each in folder.glob(f"{_PROBE}*"):
            with suppress(OSError):  # another process is as quick
                each.rmdir()

    tempfile.mkdtemp(prefix=_PROBE, dir=folder)
    to_the_end(clear)


def to_the_end(clear: Callable[[], object]) -> None:
    """Clear something away, once more where Ctrl-C, or being asked to end, comes meanwhile."""
    try:
        clear()
    except BaseException:
        clear()
        raise


def keep_answer(path: Path, body: bytes) -> None:
    """Keep an answer, its digest in the first line; without a folder that can be written do nothing."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as written:
            written.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def kept_answer(path: Path) -> bytes | None:
    """Return an answer that was kept; None if there is none, or it is damaged."""
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return body if hashlib.sha256(body).hexdigest().encode() == digest else None
