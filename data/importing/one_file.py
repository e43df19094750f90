"""One file: the tables found in it, recognised and shaped into ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from data.errors import DataError
from data.importing.as_traded import Names, as_traded
from data.importing.maps import FileMap
from data.importing.matrix import is_code, is_dated
from data.importing.numbers import refuse_riddles
from data.importing.ratios import read_ratios
from data.importing.readers import read_sheets
from data.importing.recognise import UnknownColumns, listed, recognise
from data.importing.shape import shape
from data.importing.sheet import GUESSED, Given, Sheet
from data.store.order import Places
from data.store.tables import table


@dataclass(frozen=True)
class Imported:
    """What came out of one file for one table.

    ``unused`` are the file's columns that no table took. A note stands with the first file that it is about.
    """

    file: str
    map: str
    table: str
    rows: int
    left_out: int
    first_day: date | None
    last_day: date | None
    unused: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """Rows for one table out of a file, or of several that follow each other, and what is told of each file.

    Rows are sorted by key; ``places`` are those that they had in the files, None if they stand as they stood.
    The rows of one long file may come in pieces.
    """

    files: tuple[Imported, ...]
    frames: tuple[pd.DataFrame, ...]
    places: Places | None


class SkipFile(Exception):
    """A file that is not imported, for a good reason that the report names."""


def import_file(path: Path, given: FileMap | None) -> list[Found]:
    """Return what is in a file; of a workbook, the sheets that are known are enough."""
    layout = Given(given.header, given.separator, given.encoding, given.rows) if given else GUESSED
    found: list[Found] = []
    unknown: list[tuple[Sheet, DataError]] = []
    skipped: list[str] = []
    for sheet in read_sheets(path, layout):
        if sheet.cells.empty:
            skipped.append("it has no rows")
            continue
        try:
            used = fitting(given, sheet) if given else recognise(sheet)
        except UnknownColumns as error:
            unknown.append((sheet, error))
            continue
        if used.skip is None:
            found += import_sheet(path, sheet, used)
        else:
            skipped.append(used.skip)
    if unknown and not found:
        raise unknown[0][1]
    if not found:
        raise SkipFile(skipped[0] if skipped else "it has no rows")
    first, *others = found
    (told,) = first.files
    passed = tuple(f"passed over {sheet.origin}: no map knows what is in it" for sheet, _ in unknown)
    return [replace(first, files=(replace(told, notes=told.notes + passed),)), *others]


def fitting(given: FileMap, sheet: Sheet) -> FileMap:
    """Return the map that was named; UnknownColumns if the table shows that it is of another kind."""
    against = given.contradicted_by(sheet)
    if against:
        raise UnknownColumns(
            f"{sheet.origin} is not what the map `{given.name}` reads: it lacks {', '.join(against)}",
            received=listed(sheet),
            limit=given.title,
            hint="Name another map, or write one of your own (--map).",
        )
    return given


def import_sheet(path: Path, sheet: Sheet, used: FileMap) -> Iterator[Found]:
    """Yield the rows of a table in a file, for each of our tables that its map finds in it."""
    cells = sheet.cells
    known = used.known_columns()
    taken = {sheet.headers.column(name) for name in sheet.headers if name in known}
    if any(part.wide for part in used.tables):
        taken |= {name for name in cells.columns if is_code(name) or is_dated(name)}
    unused = tuple(name for name in cells.columns if name and name not in taken)
    if sheet.separator == ";" and all(part.decimal == "." for part in used.tables):
        refuse_riddles(cells[[name for name in cells.columns if name in taken]], sheet.origin)
    recorded = used.splits is not None and used.splits in cells
    if recorded:
        cells = cells.assign(**{str(used.splits): read_ratios(cells[used.splits], None, sheet.origin)})
        cells = as_traded(cells, _names(used, sheet), sheet.origin)
    for part in used.tables:
        if not part.applies(sheet.headers):
            continue
        if used.splits is not None and not recorded and part.table == "bars":
            part = replace(part, adjusted="splits")
        shaped = shape(cells, part, sheet.stem, sheet.origin, sheet.title)
        days = shaped.frame["day"] if "day" in shaped.frame else pd.Series(dtype="datetime64[us]")
        first, last = (None, None) if days.empty else (days.min().date(), days.max().date())
        told = Imported(
            str(path),
            used.name,
            part.table,
            len(shaped.frame),
            shaped.left_out,
            first,
            last,
            unused,
            shaped.notes,
        )
        yield Found((told,), (shaped.frame,), shaped.places)


def _names(used: FileMap, sheet: Sheet) -> Names:
    """Return what a file calls the columns that splits change, by its map."""
    called: dict[str, str] = {}
    for part in used.tables:
        found = {ours: part.column_in(ours, sheet.headers) for ours in table(part.table).names}
        called = {ours: sheet.headers.column(name) for ours, name in found.items() if name} | called
    of_bars = any(part.table == "bars" for part in used.tables)
    return Names(
        day=called.get("day") or called.get("ex_day", "day"),
        prices=tuple(called.get(each, each) for each in ("open", "high", "low", "close")) if of_bars else (),
        volume=called.get("volume", "volume") if of_bars else None,
        splits=str(used.splits),
        cash=called.get("cash"),
        ticker=called.get("symbol"),
    )
