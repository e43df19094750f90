"""What lies in a folder of a user, as pictures that can be held against each other.

A picture has a part for everything that must be whole by itself: a store, a folder of results, a file. Of
files that grow it has the lines. Times and drawn ids are left out: they differ by intent.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from data.store.manifest import BESIDE, FILE, MANIFEST, read_manifest
from engine.record.chain import whole_lines
from engine.record.reached import ENDING
from engine.results.sums import SUMS

# Of lines: when it was noted, the ids that were drawn for it, and the checksums of it and of the one before.
DRAWN = ("at", "look", "judgement", "seal", "forgotten", "opening", "run", "follows", "crc32")
TIME = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
TIMES = {"arrivals": ["came"], "revisions": ["replaced"]}
RECORD = "record.jsonl"
LOCKS = (".lock", "judging.lock")


@dataclass(frozen=True)
class Picture:
    """The parts by path; ``lines`` are of files that grow; ``left`` is what only the dead leave.

    ``standing`` are the lines of records that count: of each id the last, and what is equal once.
    """

    parts: dict[str, Any]
    lines: dict[str, list[str]]
    standing: dict[str, list[str]]
    left: tuple[str, ...]

    @property
    def whole(self) -> dict[str, Any]:
        """All that must be equal where two pictures are."""
        return {**self.parts, **self.lines, **self.standing}


def picture(top: Path) -> Picture:
    """Return the picture of a folder; nothing in it is changed. Where it lies is not in it."""
    parts: dict[str, Any] = {}
    lines: dict[str, list[str]] = {}
    left: list[str] = []
    _add(top, top, parts, lines, left)
    records = {name: _standing(top / name, top) for name in lines if name.endswith(RECORD)}
    return Picture(parts, lines, records, tuple(sorted(left)))


def _add(top: Path, place: Path, parts: dict[str, Any], lines: dict[str, list[str]], left: list[str]) -> None:
    for path in sorted(place.iterdir()):
        name = str(path.relative_to(top))
        if path.name in LOCKS or path.name.endswith(".jsonl.last"):
            continue  # whether that is the last line is in the order of lines
        if path.name.startswith(".") or path.name.endswith((".part", ".new", ENDING)):
            left.append(name)
        elif path.is_symlink():
            continue
        elif path.is_dir():
            if (path / MANIFEST).exists() or any(FILE.fullmatch(each.name) for each in path.iterdir()):
                tables = dict(_tables(path, name, left))
                if (path / MANIFEST).exists():
                    parts[name] = tables
                for record in (each for each in path.iterdir() if each.is_dir()):
                    _add(top, record, parts, lines, left)
            elif (path / "manifest.json").exists():
                parts[name] = {
                    str(each.relative_to(path)): _content(each, top)
                    for each in sorted(path.rglob("*"))
                    if each.is_file() and not each.name.endswith(".part")
                }
                left += [str(each.relative_to(top)) for each in path.rglob("*.part")]
            elif path.name not in ("tmp", "home", "files", "compiled") and name != "cache/answers":
                _add(top, path, parts, lines, left)
            elif name == "cache/answers":
                left += [str(each.relative_to(top)) for each in path.rglob("*.part")]
        elif path.suffix == ".jsonl":
            lines[name] = list(_lines(path, top))
            # Of which each says what it follows.
            parts[f"the order of {name}"] = [each for each in whole_lines(path) if isinstance(each, str)]
        else:
            parts[name] = _content(path, top)


def _tables(path: Path, name: str, left: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the tables of a store as digests of their files; those beside the data as rows without times."""
    manifest = read_manifest(path)
    for file in path.iterdir():
        if file.name == "store.json.new" or (FILE.fullmatch(file.name) and file.name not in manifest.files):
            left.append(f"{name}/{file.name}")
    for table, segments in manifest.tables.items():
        files = [path / segment.file for segment in segments]
        if not all(file.exists() for file in files):
            yield table, "a file is missing"
        elif table in BESIDE:
            rows = [pq.read_table(file).to_pandas() for file in files]
            times = TIMES[table]
            yield table, [each.drop(columns=times, errors="ignore").to_csv() for each in rows]
        else:
            yield table, [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    yield "recipe", TIME.sub(b"T", json.dumps(manifest.recipe, sort_keys=True).encode()).decode()


def _standing(path: Path, top: Path) -> list[str]:
    found = {}
    for raw, line in zip(path.read_bytes().splitlines(), _lines(path, top), strict=False):
        found[line if line == "damaged" else raw.partition(b",")[0]] = line
    return sorted({*found.values()} - {"damaged"})


def _neutral(path: Path, top: Path) -> bytes:
    """Return the bytes of a file without times, and without the place of the folder that it is in."""
    content = TIME.sub(b"T", path.read_bytes())
    for place in (top.resolve(), top):
        content = content.replace(os.fsencode(place), b"TOP")
    # Of a manifest that names places the sum is another one; it is compared itself.
    return re.sub(rb".*  manifest.json\n", b"", content) if path.name == SUMS else content


def _content(path: Path, top: Path) -> str:
    return hashlib.sha256(_neutral(path, top)).hexdigest()


def _lines(path: Path, top: Path) -> Iterator[str]:
    for line in _neutral(path, top).splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        try:
            value = json.loads(line)
        except ValueError:
            yield "damaged"
            continue
        yield json.dumps({key: each for key, each in value.items() if key not in DRAWN}, sort_keys=True)


def between(before: Picture, after: Picture, now: Picture) -> list[str]:
    """Return what is neither as it was nor as it would have become."""
    wrong = []
    for name in sorted({*before.parts, *after.parts, *now.parts}):
        found = now.parts.get(name)
        if found not in (before.parts.get(name), after.parts.get(name)):
            wrong.append(f"{name} is neither as before nor as after")
    for name in sorted({*before.lines, *after.lines, *now.lines}):
        was, will, found = (each.lines.get(name, []) for each in (before, after, now))
        if name.endswith(RECORD):
            kept = set(was) <= set(found) or set(found) == set(will)
            if not kept or not all(each in was or each in will or _is_part(each, will) for each in found):
                wrong.append(f"{name} has lost or gained lines")
        elif not (will[: len(found)] == found and found[: len(was)] == was) and found not in (was, will):
            wrong.append(f"{name} is no beginning of what it becomes")
    return wrong


def _is_part(line: str, will: list[str]) -> bool:
    """Tell whether a line is damaged, or of a search that was stopped: some or none of the sets of one there.

    It may not leave open how many there were.
    """
    if line == "damaged":
        return True
    value = json.loads(line)
    return not value.get("planned") and any(
        _rows(value) <= _rows(other) for other in map(json.loads, set(will) - {"damaged"}) if "sets" in value
    )


def _rows(value: dict[str, Any]) -> set[str]:
    """Return the sets of a look, as texts."""
    return {json.dumps(row) for row in value.get("sets", {}).get("rows", [])}


def differences(expected: Picture, found: Picture) -> list[str]:
    """Return the names of what differs."""
    one, two = expected.whole, found.whole
    return [name for name in sorted({*one, *two}) if one.get(name) != two.get(name)]
