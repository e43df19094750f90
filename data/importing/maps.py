"""Maps: which columns of a file are which of ours, in which units of measure, written how."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd

from data.importing.headers import Headers, unit_above
from data.importing.measures import Measure
from data.importing.sheet import Sheet
from data.store.cells import BARE, DecimalMark, blank, plain, read_measured
from data.store.tables import table

# What a map may say of the days of its rows, and by how many days they are off.
DATED = {"session": 0, "publication": -1, "day-before": 1}


@dataclass(frozen=True)
class TableMap:
    """How the rows of one of our tables come out of a file; see the module's text."""

    table: str
    columns: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str] = field(default_factory=dict)
    file_name: re.Pattern[str] | None = None
    above: re.Pattern[str] | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)
    named_measures: tuple[str, ...] = ()
    if_measured: tuple[str, ...] = ()
    decimal: DecimalMark = "."
    wide: str | None = None
    dated: str | None = None
    month_end: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    known_at_time: str | None = None
    suffix: str = ""
    where: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    leave_out_without: tuple[str, ...] = ()
    next_session_of: Mapping[str, str] = field(default_factory=dict)
    if_present: tuple[str, ...] = ()
    ratios: str | None = None
    ratio_over: str | None = None
    adjusted: str = "no"
    source: str | None = None
    # Columns of `measures`, and "adjusted", that somebody wrote down for these very files: no word of a file
    # counts against them. What a ready map says is of a kind of file, so that the file at hand knows better.
    insists: Collection[str] = ()

    def applies(self, present: Collection[str]) -> bool:
        """Whether a file with these columns holds rows for this table at all.

        Where a column of ours must be there (``if_present``), so must those of ``where``.
        """
        asked = [self.names_of(ours) for ours in self.if_present]
        asked += [self.columns.get(name, (name,)) for name in self.where] if self.if_present else []
        return all(any(name in present for name in options) for options in asked)

    def names_of(self, ours: str) -> tuple[str, ...]:
        """Return the names that a file may give our column; one that must be there may have our own name."""
        required = any(column.name == ours and column.required for column in table(self.table).columns)
        return self.columns.get(ours, (ours,) if required else ())

    def column_in(self, ours: str, present: Collection[str]) -> str | None:
        """Return the name that our column has in a file with these columns, None if it is not there."""
        return next((name for name in self.names_of(ours) if name in present), None)

    def needs(self) -> dict[str, tuple[str, ...]]:
        """Return, by what is needed, the names that a file may give it: one column each must be there."""
        needed = [column.name for column in table(self.table).columns if column.required]
        needed += [*self.next_session_of.values(), *self.leave_out_without]
        needed += ["ratio"] if self.ratio_over else []
        given = {*self.constants, *self.next_session_of, *self._named_groups()}
        if self.wide is not None:
            given |= {self.wide, *(key for key in table(self.table).key if key not in self.columns)}
        columns = {name: self.names_of(name) or (name,) for name in needed if name not in given}
        return columns | {name: self.columns.get(name, (name,)) for name in self.where}

    def named_by_file(self, present: Collection[str]) -> list[str]:
        """Return which of our columns the file's name or title must hold, because no column does."""
        return [ours for ours in self._named_groups() if self.column_in(ours, present) is None]

    def says_its_unit(self, ours: str, name: str, cells: pd.DataFrame, headers: Headers, title: str) -> bool:
        """Whether the unit of measure of a column stands in its header, above it, or in its first cell."""
        column = headers.column(name)
        if column in headers.units or unit_above(title, table(self.table).column(ours)) is not None:
            return True
        filled = cells[column][~blank(cells[column])].head(1)
        return bool((read_measured(filled).own != BARE).any())

    def _named_groups(self) -> list[str]:
        patterns = [each for each in (self.file_name, self.above) if each]
        return list(dict.fromkeys(name for each in patterns for name in each.groupindex))


@dataclass(frozen=True, eq=False)
class FileMap:
    """How a kind of file is recognised and read, and the tables in it; see the module's text."""

    name: str
    title: str
    tables: tuple[TableMap, ...]
    recognise: bool = True
    general: bool = False
    signature: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    values: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    header: tuple[str, ...] | None = None
    separator: str | None = None
    encoding: str | None = None
    rows: str | None = None
    skip: str | None = None
    splits: str | None = None

    def known_columns(self) -> set[str]:
        """Return the names of all columns that this map has a use for."""
        pairs = [(part, ours) for part in self.tables for ours in table(part.table).names]
        names = {name for part, ours in pairs for name in part.names_of(ours)}
        names |= {
            each for part in self.tables for name in part.where for each in part.columns.get(name, (name,))
        }
        over = {part.ratio_over for part in self.tables if part.ratio_over}
        return names | over | {*self.signature, *([self.splits] if self.splits else ())}

    def lacks(self, sheet: Sheet) -> tuple[list[str], int]:
        """Return what a table lacks to fit this map, in words, and how many things were looked for."""
        present = sheet.headers
        parts = [part for part in self.tables if part.applies(present)]
        needed = {options for part in parts for options in part.needs().values()}
        needed |= {(part.ratio_over,) for part in parts if part.ratio_over}
        needed |= {(name,) for name in self.signature} | ({self.one_of} if self.one_of else set())
        lacking = [
            f"the column {' or '.join(options)}"
            for options in sorted(needed)
            if not any(name in present for name in options)
        ]
        lacking += self.contradicted_by(sheet)
        if self.order and [name for name in sheet.cells.columns if name in self.order] != list(self.order):
            lacking.append(f"the columns in the order {', '.join(self.order)}")
        for part in parts:
            lacking += _not_named(part, sheet)
        return list(dict.fromkeys(lacking)), len(needed)

    def contradicted_by(self, sheet: Sheet) -> list[str]:
        """Return what shows that a table is of another kind, in words, also to a map that was named."""
        present = sheet.headers
        found = [f"the column {name}" for name in self.signature if name not in present]
        if self.one_of and not any(name in present for name in self.one_of):
            found.append(f"the column {' or '.join(self.one_of)}")
        found += [f"no column {name}" for name in self.absent if name in present]
        for name, pattern in self.values.items():
            other = _other_than(pattern, sheet.cells[present.column(name)]) if name in present else None
            if other is not None:
                found.append(f"other codes in the column {name} (there is {other})")
        for part in self.tables:
            if part.above and not part.above.search(sheet.title):
                found.append(f"a line above the header that says {part.above.pattern}")
        return found


def _not_named(part: TableMap, sheet: Sheet) -> list[str]:
    """Return what the name, the title and the headers of a table do not say, in words."""
    lacking, present = [], sheet.headers
    wanted = part.named_by_file(present)
    if part.file_name and wanted and not part.file_name.search(sheet.stem):
        lacking.append(f"a file name that holds the {' and the '.join(wanted)}")
    for ours in part.named_measures:
        name = part.column_in(ours, present)
        if name and not part.says_its_unit(ours, name, sheet.cells, present, sheet.title):
            lacking.append(f"a unit of measure in the header {name}")
    return lacking


def _other_than(pattern: re.Pattern[str], values: pd.Series) -> str | None:
    """Return the first cell that does not match, None if all do."""
    distinct = (plain(value) for value in values.dropna().astype("str").unique())
    return next((value for value in distinct if not pattern.fullmatch(value)), None)
