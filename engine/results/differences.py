"""Differences between two results folders: the first one, for a reproduction; all that matter, for people."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.results.layout import EXACT_FILES, WHERE_ANY
from engine.results.runs import MANIFEST

ABSENT = "absent"

# Other versions of libraries, and what the checks of data say in them, are no drift as long as every number
# is the same; numbers tell.
NOT_COMPARED = ("versions", "data_warnings", "allowed")


def other_files(recorded: Mapping[str, str]) -> Iterator[str]:
    """Yield what became of the files of a run, in words; nothing for those that are as they were.

    ``recorded`` is the beginning of the SHA-256 of each file by its path, as the manifest has it.
    """
    for name, digest in recorded.items():
        path = Path(name)
        if not path.is_file():
            yield f"{name} is gone"
        elif not hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest):
            yield f"{name} changed since the run"


def first_difference(expected: Path, found: Path) -> str | None:
    """Return where two folders differ first, in words: file, place, both values; None if they are the same.

    Every file but the tear sheet is compared byte by byte, of the manifest everything but ``versions``.
    """
    for name in (*EXACT_FILES, *WHERE_ANY):
        there = [(folder / name).is_file() for folder in (expected, found)]
        if name in WHERE_ANY and not all(there):
            if any(there):
                one, two = ("a file" if each else "none" for each in there)
                return f"{name}: {one} became {two}"
            continue
        if name == MANIFEST:
            place = next(differing(_compared(expected), _compared(found)), None)
        else:
            if (expected / name).read_bytes() == (found / name).read_bytes():
                continue
            finder = _in_csv if name.endswith(".csv") else _in_json
            place = finder(expected / name, found / name)
        if place is not None:
            return f"{name}, {place[0]}: {place[1]} became {place[2]}"
    return None


def differing(
    expected: Mapping[str, Any], found: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, first and second value of all leaves in which two JSON objects differ."""
    for name in [*expected, *(name for name in found if name not in expected)]:
        one, two = expected.get(name, ABSENT), found.get(name, ABSENT)
        if isinstance(one, dict) and isinstance(two, dict):
            yield from differing(one, two, f"{prefix}{name}.")
        elif one != two or type(one) is not type(two):
            yield f"{prefix}{name}", one, two


def _compared(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return {name: value for name, value in document.items() if name not in NOT_COMPARED}


def _in_json(expected: Path, found: Path) -> tuple[str, Any, Any]:
    one, two = (json.loads(path.read_text(encoding="utf-8")) for path in (expected, found))
    return next(differing(one, two), ("spelling", "one text", "another"))


def _in_csv(expected: Path, found: Path) -> tuple[str, Any, Any]:
    with expected.open(encoding="utf-8", newline="") as one, found.open(encoding="utf-8", newline="") as two:
        first, second = list(csv.reader(one)), list(csv.reader(two))
    header = first[0] if first else []
    for number, (left, right) in enumerate(zip(first, second, strict=False), start=1):
        for column, (a, b) in enumerate(zip(left, right, strict=False)):
            if a != b:
                name = header[column] if column < len(header) else f"column {column + 1}"
                return f"line {number} ({', '.join(left[:2])}), {name}", a or "nothing", b or "nothing"
    return "number of lines", len(first), len(second)
