"""Hold-outs as facts about data and days: which are shut, and who looked into one.

A period is shut by a search, for everybody: a look into it by any strategy tells what the search was not to
know. It is over once it was opened, or broken on purpose, on any of its days.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.record.body import Body
from engine.record.lines import Forgotten, Judgement, Line, Seal
from engine.record.record import LAST_DAY, Contents


def shut_on(contents: Contents, body: Body, first: object, last: object) -> tuple[Seal, ...]:
    """Return the seals of any of these data that are still shut on a day from ``first`` to ``last``."""
    shut: list[Seal] = []
    for line in contents.of(body):
        if isinstance(line, Seal):
            if line.kind == "shut":
                shut.append(line)
            else:
                shut = [each for each in shut if not _touches(each, line.first, line.last)]
    return tuple(each for each in shut if _touches(each, str(first), str(last)))


def into(contents: Contents, body: Body, first: object, last: object) -> Iterator[Line]:
    """Yield what looked into a period, oldest first: looks of any strategy, and seals opened or broken."""
    for line in contents.of(body, first, last):
        if isinstance(line, Forgotten | Judgement) or (isinstance(line, Seal) and line.kind == "shut"):
            continue
        yield line


def period_of(seal: Seal) -> str:
    """Return the sessions of a seal in words."""
    return f"{seal.first} on" if seal.last == LAST_DAY else f"{seal.first} to {seal.last}"


def _touches(seal: Seal, first: str, last: str) -> bool:
    return seal.first <= last and first <= seal.last
