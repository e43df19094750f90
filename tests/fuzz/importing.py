"""Doors of the import: files of all kinds, and maps."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
import shutil
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from data.errors import DataError, EtflowError
from data.importing import import_files, plain
from data.store.files import Rows, as_frame, completed
from data.store.merge import Change
from data.store.store import Appended, Store
from data.store.tables import TABLES
from tests.fuzz.door import Open
from tests.fuzz.files import files, maps
from tests.fuzz.forms import write
from tests.fuzz.written import LAYOUTS

NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class Kept:
    """A store in memory: it takes what an import brings, validated as a store does."""

    name = "kept"

    def __init__(self) -> None:
        self.tables: dict[str, pd.DataFrame] = {}

    def append(self, rows: Mapping[str, Rows], **_how: Any) -> Appended:
        """Take the rows of every table, which an import has checked."""
        for name in rows:
            given = rows[name]
            frame = (
                given
                if isinstance(given, pd.DataFrame)
                else as_frame(TABLES[name], completed(TABLES[name], given))
            )
            try:
                self.tables[name] = TABLES[name].validate(frame, f"table `{name}`")
            except DataError as error:
                raise AssertionError(f"rows that were not checked: {error}") from error
        return Appended(tuple[Change, ...](), pd.DataFrame())


def texts(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Text files of all maps, recognised or with the map named, on the fast path and on the careful one."""
    valid = {name: each for name, each in files().items() if " " not in name}
    examples = {f"{way} {name}": content for name, (_, content) in valid.items() for way in ("map", "seen")}

    def open_(name: str, content: bytes) -> bool:
        way, _, kind = name.partition(" ")
        path = folder / valid[kind][0]
        path.write_bytes(content)
        named = kind if way == "map" else None
        fast = outcome(path, named)
        with patch.object(plain.PlainFiles, "look", return_value=None):
            careful = outcome(path, named)
        path.unlink()
        assert isinstance(fast, str) == isinstance(careful, str), f"{fast!r:.500} and {careful!r:.500}"
        if isinstance(fast, str):
            assert fast == careful
            return False
        assert fast[0] == careful[0]
        assert fast[1].keys() == careful[1].keys()
        for table, frame in fast[1].items():
            pd.testing.assert_frame_equal(frame, careful[1][table], check_exact=True)
        if kind.startswith("tidy"):
            check_against(content, fast[1])
        return True

    return examples, open_


def outcome(path: Path, named: str | None) -> str | tuple[Any, dict[str, pd.DataFrame]]:
    """Return what an import tells and brings; the words of a refusal."""
    kept = Kept()
    try:
        report = import_files([path], kept, map_file=named)  # type: ignore[arg-type]
    except EtflowError as error:
        return str(error)
    return (report.imported, report.skipped), kept.tables


def check_against(content: bytes, tables: Mapping[str, pd.DataFrame]) -> None:
    """AssertionError if a number out of a file in our own form does not stand in it, read plainly."""
    text = unicodedata.normalize("NFKC", decoded(content))
    there = {0.0}
    for found in NUMBER.findall(text):
        for way in {found, found.replace(",", ""), *found.split(",")}:
            try:
                number = float(way)
            except ValueError:
                continue
            there |= {number, -number}
    scaled = {each * by for each in there for by in (1e4, 1e8, 1e-2)}
    about = np.array(sorted(there | scaled))
    for name, frame in tables.items():
        for column in TABLES[name].columns:
            if column.kind != "number" or column.name not in frame:
                continue
            for value in frame[column.name].dropna().unique().tolist():
                near = about[np.abs(about - value) <= 1e-9 * abs(value)]
                assert len(near), f"{name}.{column.name} has {value!r}, which does not stand in the file"


def decoded(content: bytes) -> str:
    """Return a text in any of the encodings that files are spoilt into."""
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError):
            return ""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") and content[2:4] != b"\0\0":
        return content.decode("utf-16", "replace")
    if content[:4] == b"\xff\xfe\0\0":
        return content.decode("utf-32", "replace")
    text = content.decode("utf-8", "replace")
    return text + content.decode("gb18030", "replace") + content.decode("utf-16-be", "replace")


def tables(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Tables of which it is known what they say, brought in just so, left out aloud, or refused."""

    def open_(_name: str, content: bytes) -> bool:
        head, _, written = content.partition(b"\n")
        told = json.loads(head)
        path = folder / told["name"]
        path.write_bytes(written)
        found = outcome(path, None)
        path.unlink()
        if isinstance(found, str):
            return False
        (imported, _), brought = found
        says = said_by(told)
        ((name, frame),) = brought.items()
        assert name == LAYOUTS[told["kind"]].table
        keys = zip(frame["symbol"], frame["day"].astype("str"), strict=True)
        rows = dict(zip(keys, frame.to_dict("records"), strict=True))
        notes = [note for each in imported for note in each.notes if "left out" in note]
        left_out = sum(each.left_out for each in imported) + sum(
            map(int, re.findall(r"\d+", " ".join(notes)))
        )
        unused = {name for each in imported for name in each.unused}
        missing = [key for key in says if key not in rows]
        assert len(missing) <= left_out, f"{missing[0]} is not there, and {left_out} rows are left out"
        for key, row in rows.items():
            assert key in says, f"{key} is in no row of the file"
            for column in TABLES[name].columns:
                if column.kind == "number" and told["columns"].get(column.name) not in unused:
                    check_cell(key, column.name, row[column.name], says[key])
        return True

    return {kind: write(kind, Random(kind), 0) for kind in LAYOUTS}, open_


def said_by(told: Mapping[str, Any]) -> dict[tuple[str, str], list[dict[str, list[float]]]]:
    """Return what a file says of each fund and day, row by row."""
    says: dict[tuple[str, str], list[dict[str, list[float]]]] = {}
    for symbol, day, values in told["says"]:
        says.setdefault((symbol, day), []).append(values)
    return says


def check_cell(
    key: tuple[str, str], column: str, value: float, said: Sequence[Mapping[str, Sequence[float]]]
) -> None:
    """AssertionError if a number is none of those that a file says, or nothing although it says one."""
    there = [each for values in said for each in values.get(column, ())]
    empty = any(not values.get(column) for values in said) or any(map(math.isnan, there))
    if math.isnan(value):
        assert empty, f"{key} has no {column}; the file says {there}"
        return
    # Rows that say something else are refused, and are not taken in turn.
    for values in said:
        near = any(abs(each - value) <= 1e-6 * abs(each) for each in values.get(column, ()))
        assert near or not values.get(column), f"{key} has {column} {value!r}; the file says {there}"
    near = any(abs(each - value) <= 1e-9 * abs(each) for each in there)
    assert near, f"{key} has {column} {value!r}; the file says {there}"


def tables_spoilt(content: bytes, random: Random, _others: Sequence[bytes]) -> bytes:
    """Return another table in the same layout, spoilt by hands that know what they do."""
    kind = json.loads(content.partition(b"\n")[0])["kind"]
    return write(kind, random, random.choice((0, 1, 1, 1, 1, 2, 2, 3)))


def containers(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """JSON, JSON lines, Parquet, workbooks, packed files, other encodings."""
    valid = {name: each for name, each in files().items() if " " in name}

    def open_(name: str, content: bytes) -> bool:
        path = folder / valid[name][0]
        path.write_bytes(content)
        found = outcome(path, None)
        path.unlink()
        if isinstance(found, str):
            return False
        if "json" in name or "lines" in name or "gzip" in name:
            check_against(content, found[1])
        return True

    return {name: content for name, (_, content) in valid.items()}, open_


def sheets(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Workbooks and packed files whose inside is spoilt, so that the outside holds."""
    valid = {name: each for name, each in files().items() if "workbook" in name or "gzip" in name}
    examples: dict[str, bytes] = {}
    for name, (_, content) in valid.items():
        if "gzip" in name:
            examples[name] = gzip.decompress(content)
            continue
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            examples |= {f"{name}!{part}": archive.read(part) for part in archive.namelist()}

    def open_(name: str, content: bytes) -> bool:
        kind, _, part = name.partition("!")
        path = folder / valid[kind][0]
        path.write_bytes(
            gzip.compress(content, mtime=0) if not part else packed(valid[kind][1], part, content)
        )
        found = outcome(path, None)
        path.unlink()
        return not isinstance(found, str)

    return examples, open_


def packed(workbook: bytes, part: str, content: bytes) -> bytes:
    """Return a workbook with one part replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive, zipfile.ZipFile(made, "w") as written:
        for name in archive.namelist():
            written.writestr(name, content if name == part else archive.read(name))
    return made.getvalue()


def own_maps(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Maps of the user's own, over a valid file."""
    valid = files()
    examples = {name: content for name, content in maps().items() if name in valid}
    places = {}
    for name in examples:
        places[name] = folder / name / valid[name][0]
        places[name].parent.mkdir()
        places[name].write_bytes(valid[name][1])
    given = folder / "my.toml"

    def open_(name: str, content: bytes) -> bool:
        given.write_bytes(content)
        found = outcome(places[name], str(given))
        return not isinstance(found, str)

    return {name: content for name, content in examples.items() if open_(name, content)}, open_


def stores(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Files of all kinds into a store on the disk: whole afterwards, or not there."""
    valid = files()

    def open_(name: str, content: bytes) -> bool:
        path, place = folder / valid[name][0], folder / "store"
        path.write_bytes(content)
        try:
            import_files([path], Store(place))
        except EtflowError:
            assert not place.exists(), "a refused import left something"
            return False
        finally:
            found = Store(place) if place.exists() else None
            path.unlink()
            tables = {} if found is None else {each: found.read(each) for each in found.tables}
            shutil.rmtree(place, ignore_errors=True)
        assert tables
        for table, rows in tables.items():
            pd.testing.assert_frame_equal(TABLES[table].validate(rows), rows, check_exact=True)
        return True

    return {name: content for name, (_, content) in valid.items()}, open_


def rows_of(content: bytes) -> list[list[str]]:
    """Return the cells of a CSV file, read in the plainest way."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
