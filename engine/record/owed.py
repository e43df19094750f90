"""What a place of the record owes another: lines that it took and the other refused, for want of room.

Beside such a line it notes ``{"owed": id, "to": places}``. Whoever notes a line in both later copies what the
other has not: the same lines under the same ids, so that nothing counts twice. A store that was moved since
has another place, and is owed nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.record.chain import content_of, decode, whole_lines
from engine.record.journal import append_line

OWED = b'{"owed":'


def note_owed(place: Path, name: str, others: Iterable[Path]) -> None:
    """Note in a place that it owes others the line of an id; not where it takes no more."""
    with suppress(OSError):
        append_line(place, {"owed": name, "to": [_called(other) for other in others]})


def settle(places: Iterable[Path], note: Callable[[Path, Mapping[str, Any]], None]) -> None:
    """Give each of some places what the others owe it; ``note`` appends the content of a line to one.

    Nothing to one in which lines are damaged or missing: which of its own these are could not be told then.
    """
    for place in places:
        for other in places:
            names = set(_owed(other, _called(place))) if other != place else set()
            if not names:
                continue
            theirs, own = (_lines(each, names) for each in (other, place))
            missing = [line for content, line in theirs.items() if content not in own]
            if missing and not any(isinstance(each, str) for each in whole_lines(place, (OWED,))):
                for line in missing:
                    with suppress(OSError, ValueError, LookupError):
                        note(place, decode(line))


def _called(place: Path) -> str:
    return os.path.realpath(place.parent)


def _owed(place: Path, to: str) -> Iterator[str]:
    """Yield the ids of the lines that a place owes another."""
    with place.open("rb") as file:
        for line in file:
            if line.startswith(OWED):
                with suppress(ValueError, LookupError, TypeError):
                    found = decode(line)
                    if to in found["to"]:
                        yield str(found["owed"])


def _lines(place: Path, names: set[str]) -> dict[bytes, bytes]:
    """Return the lines of some ids by what is in them besides checksums; ids stand first in a line."""
    ids = {f'"{name}"'.encode() for name in names}
    with place.open("rb") as file:
        found = (line for line in file if line.partition(b":")[2].partition(b",")[0] in ids)
        return {
            content_of(line): line for line in found if not line.startswith(OWED) and line.endswith(b"\n")
        }
