"""Spoilt files: an import takes them or refuses them in words, and its store is whole or unchanged.

``python -m tests.test_import_fuzz COUNT [FIRST]`` tries as many as one likes.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from data.errors import DataError, UsageError
from data.importing import import_files
from data.store.store import Store
from data.store.tables import TABLES
from tests.helpers.mutations import files, spoilt

COUNT = 400
# No single file of a few lines takes as long on any machine.
_SECONDS = 60


def attempt(folder: Path, name: str, content: bytes, named: str | bytes | None) -> str:
    """Import a file into a new store; return how it ended. AssertionError if the store is not right."""
    path = folder / name
    path.write_bytes(content)
    if isinstance(named, bytes):
        (folder / "my.toml").write_bytes(named)
        named = str(folder / "my.toml")
    store = folder / "store"
    try:
        report = import_files([path], Store(store), map_file=named)
    except (DataError, UsageError):
        assert not store.exists(), "a refused import left something"
        return "refused"
    assert sum(each.added for each in report.changes) > 0
    again = Store(store)
    for table in again.tables:
        rows = again.read(table)
        assert TABLES[table].validate(rows).equals(rows)
    return "taken"


def attempt_all(first: int, count: int) -> Counter[str]:
    """Try inputs by number; AssertionError with the number of the first that fails."""
    ended: Counter[str] = Counter()
    for number, kind, name, content, named in spoilt(first, count):
        with TemporaryDirectory() as scratch:
            try:
                ended[attempt(Path(scratch), name, content, named)] += 1
            except Exception as error:
                raise AssertionError(f"input {number}, {kind}: {error!r}\n{content!r}\n{named!r}") from error
    return ended


@pytest.mark.slow
def test_the_files_that_are_spoilt_are_valid(tmp_path):
    ended = Counter()
    for place, (kind, (name, content)) in enumerate(files().items()):
        folder = tmp_path / str(place)
        folder.mkdir()
        base = kind.split(" ", maxsplit=1)[0]
        ended[attempt(folder, name, content, base if " " not in kind else None)] += 1
    assert ended["taken"] > 2 * ended["refused"]


@pytest.mark.slow
def test_a_spoilt_file_is_taken_or_refused_and_nothing_is_half_written():
    ended = attempt_all(0, COUNT)
    assert min(ended["taken"], ended["refused"]) > COUNT / 10


if __name__ == "__main__":
    begun, first = time.monotonic(), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    told: Counter[str] = Counter()
    for number, kind, name, content, named in spoilt(first, int(sys.argv[1])):
        signal.alarm(_SECONDS)
        with TemporaryDirectory() as scratch:
            try:
                told[attempt(Path(scratch), name, content, named)] += 1
            except Exception as error:
                told["failed"] += 1
                where = traceback.extract_tb(error.__traceback__)[-1]
                print(
                    f"{number} {kind} {named!r:.40} {error!r:.200} {where.filename}:{where.lineno}",
                    flush=True,
                )
        signal.alarm(0)
        if number % 1_000 == 999:
            print(number + 1, dict(told), f"{time.monotonic() - begun:.0f} s", flush=True)
    print(dict(told))
