"""Maps: which columns of a file are which of ours, in which units of measure, written how."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd

from data.importing.measures import Measure
from data.store.tables import table

# What the user is told of prices that are not, or perhaps not, as they were traded.
ADJUSTED = {
    "no": None,
    "qfq": "prices are forward-adjusted: orders, price limits and flows need them as traded",
    "hfq": "prices are backward-adjusted: orders, price limits and flows need them as traded",
    "unknown": "the file does not say whether prices are adjusted; `data check` holds them against amounts",
}


@dataclass(frozen=True)
class TableMap:
    """How the rows of one of our tables come out of a file; see the module's text."""

    table: str
    columns: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str] = field(default_factory=dict)
    file_name: re.Pattern[str] | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)
    date_format: str | None = None
    known_at_time: str | None = None
    suffix: str = ""
    where: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    leave_out_without: tuple[str, ...] = ()
    next_session_of: Mapping[str, str] = field(default_factory=dict)
    if_present: tuple[str, ...] = ()
    adjusted: str = "no"
    source: str | None = None

    def applies(self, present: Collection[str]) -> bool:
        """Whether a file with these columns holds rows for this table at all."""
        return all(self.column_in(ours, present) is not None for ours in self.if_present)

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
        groups = self.file_name.groupindex if self.file_name else ()
        given = (*self.constants, *self.next_session_of, *groups)
        columns = {name: self.names_of(name) or (name,) for name in needed if name not in given}
        return columns | {name: (name,) for name in self.where}

    def named_by_file(self, present: Collection[str]) -> list[str]:
        """Return which of our columns must come from the file's name, because no column holds them."""
        groups = self.file_name.groupindex if self.file_name else ()
        return [ours for ours in groups if self.column_in(ours, present) is None]


@dataclass(frozen=True, eq=False)
class FileMap:
    """How a kind of file is recognised and read, and the tables in it; see the module's text."""

    name: str
    title: str
    tables: tuple[TableMap, ...]
    recognise: bool = True
    signature: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    values: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    header: tuple[str, ...] | None = None
    separator: str | None = None
    encoding: str | None = None
    skip: str | None = None

    def known_columns(self) -> set[str]:
        """Return the names of all columns that this map has a use for."""
        pairs = [(part, ours) for part in self.tables for ours in table(part.table).names]
        names = {name for part, ours in pairs for name in part.names_of(ours)}
        return names | set(self.signature) | {name for part in self.tables for name in part.where}

    def lacks(self, frame: pd.DataFrame, stem: str) -> tuple[list[str], int]:
        """Return what a file lacks to fit this map, in words, and how many things were looked for."""
        present = set(frame.columns)
        parts = [part for part in self.tables if part.applies(present)]
        needed = {options for part in parts for options in part.needs().values()}
        needed |= {(name,) for name in self.signature}
        lacking = [
            f"the column {' or '.join(options)}" for options in sorted(needed) if present.isdisjoint(options)
        ]
        lacking += [f"no column {name}" for name in self.absent if name in present]
        for name, pattern in self.values.items():
            if name in present and not _all_match(frame[name], pattern):
                lacking.append(f"other codes in the column {name}")
        for part in parts:
            wanted = part.named_by_file(present)
            if part.file_name and wanted and not part.file_name.search(stem):
                lacking.append(f"a file name that holds the {' and '.join(wanted)}")
        return list(dict.fromkeys(lacking)), len(needed)


def _all_match(values: pd.Series, pattern: re.Pattern[str]) -> bool:
    return all(pattern.fullmatch(str(value)) for value in values.dropna().unique())
