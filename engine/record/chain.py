"""Lines of a journal: each ends with a checksum of itself, and says which line it follows.

A bit that flips on a disk, or a number that is changed by hand, is damage and not another number. A line says
the checksum of the one before it as well, so that one that was deleted, repeated or moved is missed, books
that balance without it notwithstanding. Lines that were cut off the end are missed by what is noted beside
the file (``engine.record.last``). Lines of versions that wrote no checksums, or said not what they follow,
are read as they are.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from data.errors import DataError
from data.parsing import parse_json
from engine.record.last import NO_CHECKSUM, last_of, noted_last

# What the first line follows, and one behind a line without a checksum.
START = NO_CHECKSUM
LONGEST_END = 64
DAMAGED = "is damaged"
MOVED = "does not follow the line before it: a line was deleted, repeated or moved"
CUT = "is not there: lines were cut off the end of the file"

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CHECK = b',"crc32":"'
_FOLLOWS = b',"follows":"'


def encode(value: Mapping[str, Any], before: bytes = START) -> bytes:
    """Return a JSON line that follows the line whose checksum is ``before``.

    Numbers come back exactly as they were; NaN is refused.
    """
    return _ended(_JSON.encode(value).encode().removesuffix(b"}"), before)


def decode(line: bytes) -> Any:
    """Return the content of a line; ValueError where it is damaged."""
    content = _sealed(line)
    if content is None:
        value = parse_json(line)
        if isinstance(value, dict) and ("crc32" in value or "follows" in value):
            raise ValueError("somebody wrote the line anew, and left it its checksum")
        return value
    value = parse_json(content + b"}")
    if isinstance(value, dict):
        value.pop("follows", None)
    return value


def checksum_of(line: bytes) -> bytes:
    """Return the checksum that a line ends with; of a line without one that of no line."""
    return _marks(line)[1]


def content_of(line: bytes) -> bytes:
    """Return what a line says, without its end and checksums: the same wherever it stands."""
    line = line.rstrip(b"\r\n")
    return line.rpartition(_CHECK)[0].rpartition(_FOLLOWS)[0] or line


def whole_lines(path: Path, starts: tuple[bytes, ...] = ()) -> Iterator[dict[str, Any] | str]:
    """Yield the content of every line, or what is wrong, in words; a last line without its end is none.

    A line that does not follow the one before it comes behind these words. With ``starts`` only lines that
    begin so, and what is wrong with any: the others are held against their checksums, and not parsed.
    """
    before: bytes | None = START  # None: not known
    last = noted_last(path)  # before the file, to which lines may be appended meanwhile
    missed, right = last is not None, True
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            (follows, own), wanted = _marks(line), not starts or line.startswith(starts)
            value = _value(line, skim=not wanted)
            if value is None:
                yield DAMAGED
                before, right = None, False
                continue
            if follows is not None and before is not None and follows != before:
                yield MOVED
            if wanted:
                yield value
            before, missed = own, missed and own != last
    # Lines of former versions have no checksums; and a file may have been written anew meanwhile.
    if missed and right and before != START and noted_last(path) == last:
        yield CUT


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number (from 1) and content of every whole line; DataError names the first that is wrong."""
    for number, value in enumerate(whole_lines(path), start=1):
        if isinstance(value, str):
            raise damaged(path, number, value)
        yield number, value


def damaged(path: Path, line: int, wrong: str = DAMAGED) -> DataError:
    """Return the error for a line that nobody wrote so, or not there."""
    without = "begin a new study with another --out or --seed"
    return DataError(f"{path}: line {line} {wrong}", hint=next_step(path, wrong, without))


def next_step(path: Path, wrong: str, without: str) -> str:
    """Return what to do about a file in which something is wrong; ``without``: where there is no copy."""
    if wrong == CUT:
        without = f"delete {last_of(path).name}, and go on with the lines that are left"
    return f"Restore the file from a copy; without one, {without}."


def kept_lines(path: Path, gone: Callable[[dict[str, Any]], bool]) -> Iterator[bytes]:
    """Yield the lines of a file but those that are ``gone``; what followed them follows what is before them.

    What is damaged stays as it is, and what was missing is missed still.
    """
    was = now = START
    missed = False
    with path.open("rb") as file:
        for line in file:
            (follows, own), value = _marks(line), _value(line)
            right = follows == was
            was = own
            if value is not None and gone(value):
                missed = missed or not (right or follows is None)
                continue
            if value is not None and right and not missed:
                line = _ended(line.rpartition(_FOLLOWS)[0], now)
            yield line
            now, missed = checksum_of(line), False


def _ended(content: bytes, before: bytes) -> bytes:
    """Return a line of content without its last brace."""
    content = b'%s%s%s"' % (content, _FOLLOWS, before)
    return content + _check_of(content)


def _check_of(content: bytes) -> bytes:
    """Return what follows content without its last brace: the checksum of it with that, and the end."""
    return b'%s%08x"}\n' % (_CHECK, zlib.crc32(b"}", zlib.crc32(content)))


def _marks(line: bytes) -> tuple[bytes | None, bytes]:
    """Return the checksum that a line says it follows, None where it says none, and its own.

    Both are at fixed places, of eight digits each: a study has a million lines. One whose digits are damaged
    is none, since the next line repeats it.
    """
    if line.endswith(b"\r\n"):
        line = line[:-2] + b"\n"
    if line[-21:-11] != _CHECK:
        return None, START
    own = line[-11:-3]
    return line[-30:-22] if line[-42:-30] == _FOLLOWS else None, own if own.isalnum() else START


def _sealed(line: bytes) -> bytes | None:
    """Return a line without its last brace and checksum, None where it has none; ValueError for another's."""
    if line.endswith(b"\r\n"):
        line = line[:-2] + b"\n"  # a tool for text has changed ends of lines; it can change no number so
    content, marked, _ = line.rpartition(_CHECK)
    if not marked:
        return None
    if line[len(content) :] != _check_of(content):
        raise ValueError("the line is not what its checksum is of")
    return content


def _value(line: bytes, *, skim: bool = False) -> dict[str, Any] | None:
    """Return the content of a line, empty to ``skim`` one that has a checksum; None where it is damaged."""
    try:
        value = {} if skim and _sealed(line) is not None else decode(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
