"""Shaping: the cells of a file into rows of our tables, as its map says.

1. Leave out the rows that the map does not want.
2. Take each of our columns from the file's, from its name, or from a constant.
3. Write codes, days and times our way, and bring numbers to shares, money and fractions.
4. Validate (``Table.validate``), and refuse what is implausible (``data.importing.plausible``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.errors import DataError, UsageError
from data.facts.calendars import calendar_for
from data.facts.symbols import MARKET_CODES, market_of, parse_symbol
from data.importing.maps import ADJUSTED, TableMap
from data.importing.plausible import check_plausible
from data.store.cells import blank, read_days, read_numbers
from data.store.schema import Column
from data.store.tables import table

# Adjustments that `source` names, so that they are not forgotten.
_NAMED = ("qfq", "hfq")
_INDEX_SUFFIX = re.compile(r"\.(CSI|CNI|SH|SZ|SI)$")
_SHARE_SUFFIX = re.compile(r"\.(SH|SZ|BJ)$")


@dataclass(frozen=True)
class Shaped:
    """Rows for one table, how many rows of the file were left out on purpose, and what to tell the user."""

    table: str
    frame: pd.DataFrame
    left_out: int
    notes: tuple[str, ...]


def shape(cells: pd.DataFrame, part: TableMap, stem: str, origin: str) -> Shaped:
    """Return the rows that ``part`` of a map finds in a file; no rows if there are none.

    ``stem`` is the file's name without its ending, ``origin`` how errors name the file. DataError if a column
    that the table needs is missing, or a cell cannot be what the map says.
    """
    wanted = _wanted_rows(cells, part, origin)
    taken = _take_columns(wanted, part, stem, origin)
    for ours in part.leave_out_without:
        taken = taken[~_empty_or_zero(taken[ours])]
    schema = table(part.table)
    for column in schema.columns:
        if column.name in taken:
            taken[column.name] = _written_our_way(taken, column, part, origin)
    for ours, day in part.next_session_of.items():
        taken[ours] = _next_sessions(taken[day], taken["symbol"], origin)
    if part.source or part.adjusted in _NAMED:
        taken["source"] = _sources(taken, part)
    frame = schema.validate(taken, origin)
    check_plausible(part.table, frame, origin)
    note = ADJUSTED[part.adjusted]
    return Shaped(part.table, frame, len(cells) - len(taken), () if note is None else (note,))


def _wanted_rows(cells: pd.DataFrame, part: TableMap, origin: str) -> pd.DataFrame:
    keep = pd.Series(True, index=cells.index)
    for name, pattern in part.where.items():
        if name not in cells:
            raise _missing(part, name, (name,), cells, origin)
        keep &= cells[name].astype("str").str.strip().str.fullmatch(pattern).fillna(False)
    return cells[keep]


def _take_columns(cells: pd.DataFrame, part: TableMap, stem: str, origin: str) -> pd.DataFrame:
    """Return our columns as they stand in the file; the index still tells the row."""
    present = set(cells.columns)
    found = {ours: part.column_in(ours, present) for ours in table(part.table).names}
    taken = pd.DataFrame({ours: cells[name] for ours, name in found.items() if name}, index=cells.index)
    wanted = part.named_by_file(present)
    if part.file_name and wanted:
        match = part.file_name.search(stem)
        if match is None:
            raise DataError(
                f"{origin}: the name of the file must hold the {' and the '.join(wanted)}",
                received=stem,
                limit=f"a name that contains {part.file_name.pattern}",
                hint="Rename the file, or say in a map file (--map) where to find it.",
            )
        taken = taken.assign(**{ours: match[ours] for ours in wanted if match[ours] is not None})
    taken = taken.assign(**part.constants)
    for ours, options in part.needs().items():
        if ours not in taken and ours not in part.where:
            raise _missing(part, ours, options, cells, origin)
    return taken


def _missing(
    part: TableMap, ours: str, options: tuple[str, ...], cells: pd.DataFrame, origin: str
) -> DataError:
    return DataError(
        f"{origin}: table `{part.table}` needs `{ours}`, but there is no column {' or '.join(options)}",
        received=", ".join(map(str, cells.columns)),
        hint="Rename the column, or say in a map file (--map) what it is called.",
    )


def _empty_or_zero(values: pd.Series) -> pd.Series:
    return blank(values) | (read_numbers(values)[0] == 0)


def _written_our_way(taken: pd.DataFrame, column: Column, part: TableMap, origin: str) -> pd.Series:
    values = taken[column.name]
    if column.name == "symbol":
        return _each(values, lambda code: _symbol(code, part), "symbol", origin)
    if column.name in ("index", "constituent"):
        suffix = _INDEX_SUFFIX if column.name == "index" else _SHARE_SUFFIX
        return _each(values, lambda code: _bare(code, suffix), column.name, origin)
    if column.kind in ("day", "time"):
        return _days(values, column, part, origin)
    if column.name in part.measures:
        numbers, wrong = read_numbers(values)
        measure = part.measures[column.name]
        days = read_days(taken["day"], written_as=part.date_format)[0] if measure.dated else None
        scaled = measure.scale(numbers, days)
        # What is no number goes on as it stands: the table knows how to refuse it.
        return scaled.astype(object).where(~wrong, values) if wrong.any() else scaled
    return values


def _each(values: pd.Series, written: Callable[[str], str], what: str, origin: str) -> pd.Series:
    """Rewrite each distinct code once; a cell that holds none stays empty."""
    text = values.astype("str").str.strip().where(~blank(values))
    codes = {}
    for code in text.dropna().unique():
        try:
            codes[code] = written(str(code))
        except UsageError as error:
            row = text.index[np.flatnonzero(text == code)[0]] + 1
            raise DataError(
                f"{origin}: `{what}` in row {row} is {error.what}",
                received=error.received,
                limit=error.limit,
                hint=error.hint,
            ) from None
    return text.map(codes).astype("str")


def _symbol(code: str, part: TableMap) -> str:
    if table(part.table).markets is not None and code.upper() in MARKET_CODES:
        return code.upper()
    code = code.removesuffix(".0")
    return parse_symbol(code if "." in code else code + part.suffix)


def _bare(code: str, suffix: re.Pattern[str]) -> str:
    """Return an index's or a share's code without exchange, with the zeros that spreadsheets drop."""
    bare = suffix.sub("", code.upper().removesuffix(".0"))
    return bare.zfill(6) if bare.isdecimal() else bare


def _days(values: pd.Series, column: Column, part: TableMap, origin: str) -> pd.Series:
    keep_time = column.kind == "time"
    at_time = pd.Timedelta(f"{part.known_at_time}:00") if keep_time and part.known_at_time else None
    if part.date_format is None and at_time is None:
        return values
    days, wrong = read_days(values, keep_time=keep_time, written_as=part.date_format)
    if part.date_format and wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{origin}: `{column.name}` is not written as the map says in row {values.index[row] + 1}",
            received=repr(values.iloc[row]),
            limit=part.date_format,
            hint="Correct `date_format` in the map file.",
        )
    moved = days if at_time is None else days.dt.normalize() + at_time
    return moved.astype(object).where(~wrong, values) if wrong.any() else moved


def _next_sessions(days: pd.Series, symbols: pd.Series, origin: str) -> pd.Series:
    """Return the first session after each day; what is no day stays as it is, for the table to refuse."""
    read, wrong = read_days(days)
    if wrong.any() or read.isna().any() or symbols.isna().any():
        return days
    markets = symbols.map(market_of)
    following = pd.Series(pd.NaT, index=days.index, dtype="datetime64[us]")
    for market in sorted(markets.unique()):
        calendar = calendar_for(market)
        here = read[markets == market]
        sessions = calendar.sessions(calendar.first_day, calendar.last_day)
        places = sessions.searchsorted(here.to_numpy().astype("datetime64[D]"), side="right")
        if places.max() >= len(sessions):
            raise DataError(
                f"{origin}: the session after {here.max():%Y-%m-%d} is not recorded",
                limit=f"the sessions of {market} are recorded through {calendar.last_day}",
                hint="Update the calendar (see data/facts/calendars.toml), or leave the row out.",
            )
        following[here.index] = sessions[places].astype("datetime64[us]")
    return following


def _sources(taken: pd.DataFrame, part: TableMap) -> pd.Series:
    given = taken["source"] if "source" in taken else pd.Series(None, index=taken.index, dtype="str")
    named = given.astype("str").where(~blank(given), part.source or "imported")
    return named + f", {part.adjusted}" if part.adjusted in _NAMED else named
