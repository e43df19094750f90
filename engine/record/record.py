"""The record of a body of data: read as one, written to every place that keeps a copy.

It is kept beside the data, in the folder ``record`` of a store, so that it goes where they go, and in the
user's state folder (ETFLOW_STATE, XDG_STATE_HOME, ``~/.local/state/etflow``), so that importing the same
prices into another folder does not begin from zero; that of the demo market is in the latter alone. Each
place is one file, ``record.jsonl``, that only grows: any number of processes append whole lines to it at
once, and a line torn by a kill is passed over. A line is in both places under the same id and counts once;
one that a place refused is copied there when it takes lines again. A search is noted before its first set
and again when it ends, under one id: a kill leaves what it was to try.

What cannot be known is said: a place that cannot be read or written, a line that is damaged and that no other
place has, lines that were deleted.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from data.errors import UsageError
from data.folders import state_folder
from engine.record.body import Body
from engine.record.chain import decode, kept_lines, whole_lines
from engine.record.journal import append_line, try_line, write_anew, writing
from engine.record.lines import Forgotten, Line, Look, document, key_of, parse, replaces
from engine.record.owed import note_owed, settle

FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
FOLDER = "record"
FILE = "record.jsonl"
JUDGING = "judging.lock"
BODY = b'{"body":'
ID_DIGITS = 16


def now() -> str:
    """Return the time with its offset, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def new_id() -> str:
    """Return an id for a line; the record is a log of what was done, no result, so that it may be random."""
    return uuid.uuid4().hex[:ID_DIGITS]


@dataclass(frozen=True)
class Record:
    """The record that ``home``, the folder of a store, has beside it; of the demo market ``home`` is None."""

    home: Path | None = None

    @cached_property
    def places(self) -> tuple[Path, ...]:
        """The files that keep a copy: beside the data, and in the state folder."""
        state = state_folder()
        folders = [self.home, state]
        return tuple(dict.fromkeys(folder / FOLDER / FILE for folder in folders if folder is not None))

    def note(self, line: Line, body: Body | None = None, *, once: bool = False) -> tuple[str, ...]:
        """Append a line, and its body where a place does not have it; return the places that refused it.

        ``once``: the line too only where a place does not have it. What a place refused before it gets now,
        if it takes this line (``engine.record.owed``).
        """
        refused: dict[Path, str] = {}
        for place in self.places:
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                if once and _holds(place, _start(type(line)), key_of(line)):
                    continue
                if body is not None:
                    _note_body(place, body)
                append_line(place, document(line))
            except OSError as error:
                refused[place] = f"{place.parent}: {error.strerror or error}"
        took = [place for place in self.places if place not in refused]
        for place in took if refused else ():
            note_owed(place, key_of(line), refused)
        with suppress(OSError):
            settle(took, self._copy)
        return tuple(refused.values())

    def _copy(self, place: Path, found: Mapping[str, Any]) -> None:
        """Append a line of another place, and its body; LookupError where no place has that."""
        if not _holds(place, BODY, found["body"]):
            _note_body(place, self.read().bodies[found["body"]])
        append_line(place, found)

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Let nobody else judge in any of the places meanwhile; one that takes no file holds nobody up."""
        with ExitStack() as held:
            for place in self.places:
                try:
                    held.enter_context(writing(place.with_name(JUDGING)))
                except OSError:
                    continue
            yield

    def has(self, kind: type[Line]) -> bool:
        """Return whether there is any line of a kind, which takes no parsing."""
        start = _start(kind)
        for place in self.places:
            try:
                with place.open("rb") as file:
                    if any(line.startswith(start) for line in file):
                        return True
            except OSError:
                continue
        return False

    @property
    def whole(self) -> bool:
        """Whether no line of any place is damaged, missing or moved, which takes no parsing."""
        with suppress(OSError):
            there = [place for place in self.places if place.is_file()]
            return not any(isinstance(each, str) for place in there for each in whole_lines(place, (b"\0",)))
        return True

    def read(self, *kinds: type[Line]) -> Contents:
        """Return all lines that any place has, or those of some kinds, those noted first in front."""
        lines: dict[str, Line] = {}
        bodies: dict[str, Body] = {}
        held: list[set[str]] = []
        damaged: list[int] = []
        unread = []
        starts = tuple(map(_start, kinds))
        for place in self.places:
            held.append(set())
            damaged.append(0)
            try:
                for found in whole_lines(place, (*starts, BODY) if starts else ()) if place.is_file() else ():
                    try:
                        if isinstance(found, str):
                            damaged[-1] += 1
                        elif "body" in found and "cells" in found:
                            bodies.setdefault(str(found["body"]), Body.from_document(found, bodies))
                        elif (line := parse(found)) is not None:
                            if replaces(line, lines.setdefault(key_of(line), line)):
                                lines[key_of(line)] = line
                            held[-1].add(key_of(line))
                    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
                        damaged[-1] += 1
            except OSError as error:
                unread.append(f"{place.parent}: {error.strerror or error}")
        # A line that is damaged here may be one that is whole elsewhere.
        lost = sum(max(count - len(lines.keys() - own), 0) for count, own in zip(damaged, held, strict=True))
        ordered = sorted(lines.values(), key=lambda line: datetime.fromisoformat(line.at).timestamp())
        return Contents(tuple(ordered), bodies, lost, tuple(unread))

    def refusing(self) -> tuple[str, ...]:
        """Return the places that would not take a line, and why."""
        refused = []
        for place in self.places:
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                try_line(place)
            except OSError as error:
                refused.append(f"{place.parent}: {error.strerror or error}")
        return tuple(refused)

    def forget(self, body: Body) -> int:
        """Delete the lines that are of any of these data, noting that first; return how many they were.

        UsageError where a place has lines, and has not taken that.
        """
        lines = [line for line in self.read().of(body) if not isinstance(line, Forgotten)]
        if lines:
            gone = {key_of(line) for line in lines}
            first, last = min(line.first for line in lines), max(line.last for line in lines)
            # Before the first is gone, so that a kill hides nothing; begun again, it is the same line.
            name = hashlib.sha256(" ".join(sorted(gone)).encode()).hexdigest()[:ID_DIGITS]
            refused = self.note(Forgotten(name, now(), len(gone), body.name, first, last), body)
            places = [place for place in self.places if place.is_file()]
            if not all(_holds(place, _start(Forgotten), name) for place in places):
                raise UsageError(
                    "what is forgotten cannot be put on record, so that nothing is",
                    received="; ".join(refused),
                    hint="Make room on the disk, or the folder of the data and ETFLOW_STATE writable.",
                )
            for place in places:
                _drop(place, gone)
        return len(lines)


@dataclass(frozen=True)
class Contents:
    """What a record holds: lines in order of time, and bodies by name.

    ``damaged`` lines cannot be read and are whole in no other place; where some kinds alone were read, those
    of others count too that are whole elsewhere. ``unread`` are places that cannot be read, and why.
    """

    lines: tuple[Line, ...]
    bodies: dict[str, Body]
    damaged: int
    unread: tuple[str, ...] = ()

    def of(self, body: Body, first: object = FIRST_DAY, last: object = LAST_DAY) -> Iterator[Line]:
        """Yield the lines that are of any of these data, between two days.

        A fund is the same where any month of it is: its last month is another one after every update.
        """
        known: dict[tuple[str, str, str], bool] = {}
        for line in self.lines:
            key = (line.body, line.first, line.last)
            if key not in known:
                known[key] = self._overlaps(line, body, str(first), str(last))
            if known[key]:
                yield line

    def looks(self, body: Body, first: object = FIRST_DAY, last: object = LAST_DAY) -> Iterator[Look]:
        """Yield the looks at any of these data, between two days."""
        return (line for line in self.of(body, first, last) if isinstance(line, Look))

    def look(self, name: str) -> Look | None:
        """Return the look with an id; None where there is no such look."""
        return next((line for line in self.lines if isinstance(line, Look) and line.look == name), None)

    def _overlaps(self, line: Line, body: Body, first: str, last: str) -> bool:
        begin, end = max(line.first, first), min(line.last, last)
        other = self.bodies.get(line.body)
        if begin > end or other is None:
            return False
        return body.months_in_common(other, FIRST_DAY, LAST_DAY) > 0


def _start(kind: type[Line]) -> bytes:
    """Return what lines of a kind begin with: their key is written first."""
    return b'{"' + kind.__name__.lower().encode() + b'":'


def _drop(place: Path, gone: set[str]) -> None:
    """Write a file again without some lines."""

    def is_gone(found: dict[str, Any]) -> bool:
        try:
            line = parse(found)
        except ValueError:
            return False
        return found.get("owed") in gone if line is None else key_of(line) in gone

    write_anew(place, lambda: kept_lines(place, is_gone))


def _holds(place: Path, start: bytes, name: str) -> bool:
    """Tell whether a file has a line of a kind and name, and not one that a kill or a full disk tore."""
    if not place.is_file():
        return False
    with place.open("rb") as file:
        return any(line.startswith(b'%s"%s"' % (start, name.encode())) and _is_whole(line) for line in file)


def _is_whole(line: bytes) -> bool:
    try:
        decode(line)
    except ValueError:
        return False
    return line.endswith(b"\n")


def _note_body(place: Path, body: Body) -> None:
    """Append a body unless the file has it, as what it adds to the body noted before it."""
    if _holds(place, BODY, body.name):
        return
    parent: Body | None = None
    if place.is_file():
        lines = [line for line in place.read_bytes().splitlines(keepends=True) if line.startswith(BODY)]
        bodies: dict[str, Body] = {}
        for line in lines:
            try:
                parent = Body.from_document(decode(line), bodies)
            except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
                continue
            bodies[parent.name] = parent
        if parent is not None and not parent.rounded:
            parent = None
    append_line(place, body.document(parent))
