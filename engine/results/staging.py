"""Folders that appear at once: made under a hidden name beside their place, and exchanged for what is there.

A process that is killed leaves its hidden folder. The next one that writes there deletes it, if it is one of
ours (by its name and by what is in it), its maker is dead (the system has freed its lock) and it has lain
for a while. Where the kill came between the two renames that some systems need, what was made is put in its
place instead.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data.atomic import abandoned, hold, to_the_end

NEW, OLD = "new", "old"

_STAGE = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}")
_HERE, _EXCHANGE = -100, 2  # of renameat2


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a folder that takes the place of ``folder`` if the block ends well, and vanishes otherwise."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    stage = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    lock = None
    try:
        lock = hold(stage)
        new = stage / NEW
        new.mkdir()
        yield new
        _put(new, folder, stage / OLD)
    finally:
        _delete(stage)
        if lock is not None:
            os.close(lock)


def sweep(parent: Path) -> None:
    """Delete what dead processes left under ``parent``; nothing that cannot be known to be that."""
    for stage in parent.glob(".*"):
        match = _STAGE.fullmatch(stage.name)
        with suppress(OSError):
            if match is None or stage.is_symlink() or not stage.is_dir():
                continue
            if not {path.name for path in stage.iterdir()} <= {NEW, OLD}:
                continue
            with abandoned(stage) as dead:
                if not dead:
                    continue
                folder = parent / match["name"]
                if (stage / OLD).exists() and (stage / NEW).exists() and not folder.exists():
                    (stage / NEW).rename(folder)
                _delete(stage)


def _delete(stage: Path) -> None:
    to_the_end(lambda: shutil.rmtree(stage, ignore_errors=True))


def _put(new: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        try:
            new.rename(folder)
            return
        except OSError:
            if not folder.exists():
                raise
            # Another process has put one there since.
    if _exchange(new, folder):
        return
    try:
        folder.rename(old)
        new.rename(folder)
    except BaseException:
        with suppress(OSError):
            old.rename(folder)
        raise


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step, where the system can do that; return whether it did."""
    if sys.platform != "linux":
        return False
    import ctypes

    call = getattr(ctypes.CDLL(None), "renameat2", None)
    return call is not None and call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
