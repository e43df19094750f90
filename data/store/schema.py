"""What a table is: its columns, what must hold within one row, and what a panel makes of it.

A table is a long DataFrame with one row per key. :meth:`Table.check` is the only door through which
rows come in: it types every column, refuses what cannot be true of a single row (text in a number,
a price of zero, a high below a low, a key twice), sorts by key and returns a new frame. What can only be
seen by comparing rows or tables is found later, by ``data.checks``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError, did_you_mean
from data.store.cells import DATES, TIMES, are_midnights, read_days, read_numbers, recoded
from data.store.order import Places, are_in_order, order_of, ranks

Kind = Literal["text", "day", "time", "number"]
Wrong = pd.Series | NDArray[np.bool_]

# Magnitudes beyond these are dates or codes read as values, never prices or counts of this market.
EARLIEST_DAY = pd.Timestamp("1990-01-01")
LATEST_DAY = pd.Timestamp("2100-01-01")

# Of the prices of a bar, which one is at most which.
_WITHIN = (("low", "high"), ("low", "open"), ("open", "high"), ("low", "close"), ("close", "high"))

ANY = (-math.inf, math.inf)


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name, kind : what it is called and what it holds
    required : whether every row must have it
    sign : of its numbers
    scale : how its numbers change when money or units are counted in another way: a "price" is money per
        unit, which a split divides; "money" follows the currency alone; a "count" of units is multiplied by a
        split; a "ratio" and a "level" stay
    possible : the least and the largest number that it can be; an import refuses others
    usual : the same for numbers that `data check` lets pass
    """

    name: str
    kind: Kind = "number"
    required: bool = True
    sign: Literal["positive", "nonnegative", "any"] = "any"
    scale: Literal["price", "money", "count", "ratio", "level"] = "level"
    possible: tuple[float, float] = ANY
    usual: tuple[float, float] = ANY


@dataclass(frozen=True)
class Table:
    """A kind of fact: its key, its columns, and what must hold within one row.

    A table with ``measures`` is a fact table: a panel carries it. Whatever goes over the facts of a panel,
    from loading to `data check`, goes over these tables and asks them what is below.

    Attributes
    ----------
    name, key, columns : as in the store
    choices : the values that a text column may have
    needs : what a row needs besides what is required, by one of its values that there is a choice of
    measures : the columns that a panel carries, the main one first; none: no fact table
    title : what audits call it; its name if empty
    good_for : sessions for which a value is good, if that is longer than the availability's ``stale_after``
    markets : the same for rows of whole markets (CN, US), which a table may have besides those of funds;
        None: it has none
    begins_at_zero : a fund whose rows begin later than those of others had zero before
    always : every panel has it, with or without rows, and so every fingerprint
    rows_on : where `data check` misses a row: on "sessions" from the first row of a series to its last, on
        sessions with "bars" from the first row on; None: it does not ask
    own_days : its days are not those of an exchange; `data check` passes over rows on other days
    repeats : rows that may equal the row before, one after the other, before they look frozen; None: any
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    measures: tuple[str, ...] = ()
    title: str = ""
    good_for: int = 0
    markets: int | None = None
    begins_at_zero: bool = False
    always: bool = False
    rows_on: Literal["sessions", "bars"] | None = None
    own_days: bool = False
    repeats: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, key first."""
        return tuple(column.name for column in self.columns)

    @property
    def called(self) -> str:
        """What audits call it."""
        return self.title or self.name

    @property
    def measured(self) -> tuple[Column, ...]:
        """The columns of ``measures``."""
        return tuple(self.column(name) for name in self.measures)

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with the right columns and types."""
        return _no_rows(self.columns).copy()

    @property
    def types(self) -> dict[str, Any]:
        """The types of all columns in a frame."""
        return {column.name: _DTYPES[column.kind] for column in self.columns}

    def validate(self, frame: pd.DataFrame, origin: str = "input") -> pd.DataFrame:
        """Return ``frame`` typed and sorted by key, or raise DataError naming the row and column.

        Rows are counted from 1, without the header; a whole-number index says which row of the input each
        one was, so that rows left out before do not shift the count. Columns that the table does not know
        are dropped; a missing required column, a value of the wrong kind or sign, an infinity, a bar whose
        high is below its low, and a key that comes twice with different values are refused. Rows that
        repeat another row exactly are dropped.
        """
        return self.complete(self.check(frame, origin)[0])

    def complete(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return rows that were checked with all columns, and with texts in place of categories."""
        absent = [name for name in self.names if name not in frame]
        empty = {name: pd.Series(index=frame.index, dtype=self.types[name]) for name in absent}
        return _written_out(frame.assign(**empty))[list(self.names)]

    def check(self, frame: pd.DataFrame, origin: str) -> tuple[pd.DataFrame, Places | None]:
        """Return what ``validate`` does, and the places that its rows had; None if they stand as they stood.

        Columns of text that came as categories may be categories still, and those that did not come are
        absent: see ``complete``.
        """
        rows = frame.index
        typed: dict[str, pd.Series] = {}
        for column in self.columns:
            if column.name not in frame.columns:
                if column.required:
                    raise DataError(
                        f"{origin}: table `{self.name}` needs the column `{column.name}`",
                        received=", ".join(map(str, frame.columns)) or "no columns",
                        hint="Rename the column, or say in a map file (--map) what it is called.",
                    )
                continue
            values = frame[column.name].reset_index(drop=True)
            typed[column.name] = self._typed(values, column, origin, rows)
        result = pd.DataFrame(typed, copy=False)
        self._check_choices(result, origin, rows)
        self._check_needs(result, origin, rows)
        if {"high", "low"} <= set(self.names):
            _check_range(result, origin, rows)
        keys = [ranks(result[name]) for name in self.key]
        if are_in_order(keys):
            return result, None
        order = order_of(keys)
        if order is not None:
            return result.take(order).reset_index(drop=True), order
        result = _written_out(result).drop_duplicates()
        self._check_keys(result, origin)
        result = result.sort_values(list(self.key), kind="stable")
        return result.reset_index(drop=True), result.index.to_numpy()

    def _typed(self, values: pd.Series, column: Column, origin: str, rows: pd.Index) -> pd.Series:
        if _are_plain(values, column):
            return values
        where = f"{origin}: `{column.name}` of table `{self.name}`"
        if column.kind == "text":
            typed = _to_text(values)
        elif column.kind in ("day", "time"):
            typed = _to_days(values, where, rows, keep_time=column.kind == "time")
        else:
            typed = _to_numbers(values, where, rows)
            _check_sign(typed, column, where, rows)
        if column.required and typed.isna().any():
            raise DataError(
                f"{where} is empty in row {_row(rows, typed.isna())}",
                received=f"{int(typed.isna().sum())} empty of {len(typed)}",
                hint="Fill the value in, or leave the row out.",
            )
        return typed if _is_coded(typed) else typed.astype(_DTYPES[column.kind])

    def _check_choices(self, frame: pd.DataFrame, origin: str, rows: pd.Index) -> None:
        for name, allowed in self.choices.items():
            wrong = ~frame[name].isin(allowed)
            if wrong.any():
                value = str(frame.loc[wrong, name].iloc[0])
                raise DataError(
                    f"{origin}: unknown `{name}` in table `{self.name}`",
                    received=f"{value!r} in row {_row(rows, wrong)}",
                    hint=did_you_mean(value, allowed),
                )

    def _check_needs(self, frame: pd.DataFrame, origin: str, rows: pd.Index) -> None:
        kinds = [(name, kind) for name, allowed in self.choices.items() for kind in allowed]
        for name, kind, needed in [
            (*each, needed) for each in kinds for needed in self.needs.get(each[1], ())
        ]:
            here = frame[name] == kind
            lacks = here & frame[needed].isna() if needed in frame else here
            if lacks.any():
                raise DataError(
                    f"{origin}: the {kind} in row {_row(rows, lacks)} of `{self.name}` needs `{needed}`",
                    received=f"none in {int(lacks.sum())} of {int(here.sum())}",
                    hint="Fill the value in, or leave the row out.",
                )

    def _check_keys(self, frame: pd.DataFrame, origin: str) -> None:
        twice = frame.duplicated(list(self.key), keep=False)
        if twice.any():
            first = frame.loc[twice, list(self.key)].iloc[0]
            named = ", ".join(value if isinstance(value, str) else _show(value) for value in first)
            raise DataError(
                f"{origin}: {named} comes more than once in table `{self.name}` with different values",
                received=f"{int(twice.sum())} such rows",
                hint="Keep the row that is right.",
            )


@cache
def _no_rows(columns: tuple[Column, ...]) -> pd.DataFrame:
    return pd.DataFrame({column.name: _no_cells(column.kind) for column in columns})


@cache
def _no_cells(kind: Kind) -> pd.api.extensions.ExtensionArray:
    # To make a series for each column of all tables takes a twentieth of the time of a panel.
    cells: pd.api.extensions.ExtensionArray = pd.Series(dtype=_DTYPES[kind]).array
    return cells


def _first(wrong: Wrong) -> int:
    return int(np.flatnonzero(wrong)[0])


def _row(rows: pd.Index, wrong: Wrong) -> int:
    """Return the number of the first row that is wrong, by an index that says which row of a file each is."""
    place = _first(wrong)
    return int(rows[place] if pd.api.types.is_integer_dtype(rows.dtype) else place) + 1


def _are_plain(values: pd.Series, column: Column) -> bool:
    """Whether the least and the largest of a column show that all of its numbers or days may stay."""
    if values.empty or values.dtype != _DTYPES[column.kind]:
        return False
    if column.kind == "number":
        numbers = values.to_numpy()
        # Of both, one that is missing makes a NaN.
        least, most = numbers.min(), numbers.max()
        allowed = {"positive": least > 0, "nonnegative": least >= 0, "any": least > -math.inf}
        return bool(allowed[column.sign] and most < math.inf)
    if column.kind == "day":
        days = values.to_numpy()
        # Of both, one that is missing makes a NaT, which is neither before nor after another day.
        first, last = days.min(), days.max()
        within = first >= EARLIEST_DAY.to_datetime64() and last <= LATEST_DAY.to_datetime64()
        return bool(within and are_midnights(days))
    return False


def _is_coded(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)


def _written_out(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with texts in place of categories."""
    coded = {str(name): frame[name] for name in frame if _is_coded(frame[name])}
    texts = {
        name: each.cat.categories.array.take(each.cat.codes.to_numpy(), allow_fill=True)
        for name, each in coded.items()
    }
    return frame.assign(**texts)


def _to_text(values: pd.Series) -> pd.Series:
    """Return texts without spaces around; what is empty is missing. Categories are looked at once each."""
    if _is_coded(values):
        return recoded(values, *pd.factorize(_to_text(values.cat.categories.to_series())))
    typed = values.astype("str").str.strip().where(values.notna())
    return typed.where(typed != "")


def _to_numbers(values: pd.Series, where: str, rows: pd.Index) -> pd.Series:
    numbers, wrong = read_numbers(values)
    if wrong.any():
        raise DataError(
            f"{where} is not a finite number in row {_row(rows, wrong)}",
            received=_show(values.iloc[_first(wrong)]),
            hint="Correct the value, or leave it empty.",
        )
    return numbers


def _check_sign(numbers: pd.Series, column: Column, where: str, rows: pd.Index) -> None:
    if column.sign == "any":
        return
    wrong = numbers <= 0 if column.sign == "positive" else numbers < 0
    if wrong.any():
        raise DataError(
            f"{where} must be {column.sign} in row {_row(rows, wrong)}",
            received=f"{numbers.iloc[_first(wrong)]:g}",
            hint="Correct the value, or leave the row out.",
        )


def _to_days(values: pd.Series, where: str, rows: pd.Index, *, keep_time: bool) -> pd.Series:
    days, wrong = read_days(values, keep_time=keep_time)
    wrong |= (days < EARLIEST_DAY) | (days > LATEST_DAY)
    if wrong.any():
        kind, limit = ("time", TIMES) if keep_time else ("date", DATES)
        raise DataError(
            f"{where} is not a {kind} in row {_row(rows, wrong)}",
            received=_show(values.iloc[_first(wrong)]),
            limit=f"{limit}, from 1990 to 2100",
            hint="Correct it, or name its format in a map file (--map).",
        )
    return days


def _check_range(frame: pd.DataFrame, origin: str, rows: pd.Index) -> None:
    prices = [name for name in ("open", "high", "low", "close") if name in frame]
    wrong = np.zeros(len(frame), dtype=bool)
    for below, above in _WITHIN:
        if below in prices and above in prices:
            wrong |= frame[below].to_numpy() > frame[above].to_numpy()
    if wrong.any():
        bar = frame.loc[_first(wrong), prices].to_dict()
        raise DataError(
            f"{origin}: the bar in row {_row(rows, wrong)} does not lie within its high and low",
            received=", ".join(f"{name} {value:g}" for name, value in bar.items()),
            limit="low <= open, close <= high",
            hint="Check the order of the columns: some vendors write open, close, high, low.",
        )


def _show(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        # Python's own dates end with the years 1 and 9999, those of a file need not.
        day = value.to_datetime64().astype("datetime64[D]")
        return str(day if value == value.normalize() else value)
    return repr(value) if isinstance(value, str) else str(value)


_DTYPES: dict[str, Any] = {
    "text": "str",
    "day": "datetime64[us]",
    "time": "datetime64[us]",
    "number": "float64",
}
