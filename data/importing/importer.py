"""Importing: files into a store, all of them or none.

1. Find the files; a folder is taken whole, but for what is plainly no data.
2. Read each file and find its map: the one given, or the ready one that its columns show.
3. Shape its rows into our tables.
4. Join what the files say of each table; two files that disagree are refused.
5. Append everything to the store at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import DataError
from data.importing.as_traded import Names, as_traded
from data.importing.files import find_files
from data.importing.map_files import find_map
from data.importing.maps import FileMap
from data.importing.matrix import is_code, is_dated
from data.importing.numbers import refuse_riddles
from data.importing.readers import NoTable, read_sheets
from data.importing.recognise import UnknownColumns, listed, recognise
from data.importing.shape import Shaped, shape
from data.importing.sheet import GUESSED, Given, Sheet
from data.store.merge import NOT_COMPARED, Change, differ, written
from data.store.rounding import grains, settle
from data.store.store import Store
from data.store.tables import table

Progress = Callable[[int, int, str], None]

_SHOWN = 3


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
class ImportReport:
    """What an import did: per file and table, the files skipped with the reason, and the store's changes."""

    imported: tuple[Imported, ...]
    skipped: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    revisions: pd.DataFrame


def import_files(
    sources: Sequence[Path],
    store: Store,
    *,
    map_file: Path | str | None = None,
    accept_revision: bool = False,
    on: date | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import files and folders into ``store``; it stays as it was if anything is refused.

    ``map_file`` is a map in TOML, or the name of a ready one, for all files; without it each file is
    recognised by its columns. In a folder a file that resembles nothing known is skipped, and the report says
    so. ``progress`` is called with the files done, their number, and the name of the next one.
    Raises UsageError for a path or map that is wrong, DataError for files that cannot be taken as they are.
    """
    given = None if map_file is None else find_map(map_file)
    files, skipped = find_files(sources)
    imported: list[Imported] = []
    refused: list[DataError] = []
    told: set[str] = set()
    rows: dict[str, list[tuple[str, pd.DataFrame]]] = {}
    for number, (path, in_folder) in enumerate(files):
        if progress is not None:
            progress(number, len(files), path.name)
        try:
            found = _import_file(path, given)
        except _SkipFile as reason:
            skipped.append((str(path), str(reason)))
            continue
        except (UnknownColumns, NoTable) as error:
            if not in_folder or (isinstance(error, UnknownColumns) and error.near):
                raise
            refused.append(error)
            skipped.append((str(path), f"no map knows what is in it: {error.received}"))
            continue
        for each, shaped in found:
            imported.append(replace(each, notes=tuple(note for note in each.notes if note not in told)))
            told.update(each.notes)
            rows.setdefault(shaped.table, []).append((path.name, shaped.frame))
    if not imported:
        if refused:
            raise refused[0]
        reasons = [f"`{Path(path).name}` ({reason})" for path, reason in skipped[:_SHOWN]]
        more = f" and {len(skipped) - _SHOWN} more" if len(skipped) > _SHOWN else ""
        raise DataError("nothing to import", received=(", ".join(reasons) or "no files") + more)
    if progress is not None:
        progress(len(files), len(files), store.name)
    joined = {name: _joined(name, parts) for name, parts in sorted(rows.items())}
    appended = store.append(joined, accept_revision=accept_revision, on=on)
    return ImportReport(tuple(imported), tuple(skipped), appended.changes, appended.revisions)


class _SkipFile(Exception):
    """A file that is not imported, for a good reason that the report names."""


def _import_file(path: Path, given: FileMap | None) -> list[tuple[Imported, Shaped]]:
    """Return what is in a file; of a workbook, the sheets that are known are enough."""
    layout = Given(given.header, given.separator, given.encoding, given.rows) if given else GUESSED
    found: list[tuple[Imported, Shaped]] = []
    unknown: list[tuple[Sheet, DataError]] = []
    skipped: list[str] = []
    for sheet in read_sheets(path, layout):
        if sheet.cells.empty:
            skipped.append("it has no rows")
            continue
        try:
            used = _fitting(given, sheet) if given else recognise(sheet)
        except UnknownColumns as error:
            unknown.append((sheet, error))
            continue
        if used.skip is None:
            found += _import_sheet(path, sheet, used)
        else:
            skipped.append(used.skip)
    if unknown and not found:
        raise unknown[0][1]
    if not found:
        raise _SkipFile(skipped[0] if skipped else "it has no rows")
    (first, shaped), *others = found
    passed = tuple(f"passed over {sheet.origin}: no map knows what is in it" for sheet, _ in unknown)
    return [(replace(first, notes=first.notes + passed), shaped), *others]


def _fitting(given: FileMap, sheet: Sheet) -> FileMap:
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


def _import_sheet(path: Path, sheet: Sheet, used: FileMap) -> Iterator[tuple[Imported, Shaped]]:
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
        cells = as_traded(cells, _names(used, sheet), sheet.origin)
    for part in used.tables:
        if not part.applies(sheet.headers):
            continue
        if used.splits is not None and not recorded and part.table == "bars":
            part = replace(part, adjusted="splits")
        shaped = shape(cells, part, sheet.stem, sheet.origin, sheet.title)
        days = shaped.frame["day"] if "day" in shaped.frame else pd.Series(dtype="datetime64[us]")
        first, last = (None, None) if days.empty else (days.min().date(), days.max().date())
        yield (
            Imported(
                str(path),
                used.name,
                part.table,
                len(shaped.frame),
                shaped.left_out,
                first,
                last,
                unused,
                shaped.notes,
            ),
            shaped,
        )


def _names(used: FileMap, sheet: Sheet) -> Names:
    """Return what a file calls the columns that splits change, by its map."""
    bars = next(part for part in used.tables if part.table == "bars")
    called = {ours: bars.column_in(ours, sheet.headers) for ours in table("bars").names}
    columns = {ours: sheet.headers.column(name) for ours, name in called.items() if name}
    cash = [name for part in used.tables if (name := part.column_in("cash", sheet.headers))]
    wanted = {ours: columns.get(ours, ours) for ours in ("day", "open", "high", "low", "close", "volume")}
    return Names(
        day=wanted["day"],
        prices=tuple(wanted[each] for each in ("open", "high", "low", "close")),
        volume=wanted["volume"],
        splits=str(used.splits),
        cash=sheet.headers.column(cash[0]) if cash else None,
        ticker=columns.get("symbol"),
    )


def _joined(name: str, parts: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Join the rows that several files have for one table; one value fills in where another is missing."""
    keys = list(table(name).key)
    rows = pd.concat([frame.assign(file=file) for file, frame in parts], ignore_index=True)
    repeated = rows.duplicated(keys, keep=False)
    if not repeated.any():
        return rows.drop(columns="file")
    shared = rows[repeated]
    by_key = shared.groupby(keys, sort=False)
    for column in shared.columns.difference([*keys, *NOT_COMPARED, "file"], sort=False):
        other = differ(by_key[column].transform("first"), shared[column])
        if other.any() and pd.api.types.is_float_dtype(shared[column]):
            shared, other = _finest(rows, shared, keys, column)
            by_key = shared.groupby(keys, sort=False)
        if other.any():
            raise _disagreement(name, column, by_key.get_group(tuple(shared.loc[other, keys].iloc[0])))
    return pd.concat([rows[~repeated], by_key.first().reset_index()], ignore_index=True).drop(columns="file")


def _finest(
    rows: pd.DataFrame, shared: pd.DataFrame, keys: list[str], column: str
) -> tuple[pd.DataFrame, pd.Series]:
    """Give rows of one key the value with the most digits, and return which of them say something else."""
    rough = pd.Series(grains(rows[column], rows["file"], column), index=rows.index)[shared.index]
    ordered = shared.assign(rough=rough.where(shared[column].notna(), np.inf)).sort_values(
        "rough", kind="stable"
    )
    by_key = ordered.groupby(keys, sort=False)
    finest, grain = by_key[column].transform("first"), by_key["rough"].transform("first")
    same, fine = settle(*(each.to_numpy() for each in (finest, ordered[column], grain, ordered["rough"])))
    other = differ(finest, ordered[column]) & ~same
    # Of two that differ by what 32 bits cannot hold, the shorter one is taken; any other is the finest.
    value = pd.Series(np.where(same, fine, finest), index=ordered.index)
    best = value.groupby([ordered[key] for key in keys], sort=False).transform("last")
    return shared.assign(**{column: best.where(~other, ordered[column])[shared.index]}), other[shared.index]


def _disagreement(name: str, column: str, rows: pd.DataFrame) -> DataError:
    there = rows[rows[column].notna()]
    said = [f"{value} in `{file}`" for value, file in zip(there[column], there["file"], strict=True)]
    key = " ".join(written(value) for value in rows[list(table(name).key)].iloc[0])
    return DataError(
        f"files disagree about `{column}` of {key} in table `{name}`",
        received=", ".join(said),
        hint="Import the right one only; the other can follow with --accept-revision.",
    )
