"""The tables: one kind of fact each, tidy, raw as published, never adjusted in place.

A table is a long DataFrame with one row per key. :meth:`Table.validate` is the only door through which
rows come in: it types every column, refuses what cannot be true of a single row (text in a number,
a price of zero, a high below a low, a key twice), sorts by key and returns a new frame. What can only be
seen by comparing rows or tables is found later, by ``data.checks``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError, UsageError, did_you_mean
from data.store.cells import DATES, TIMES, read_days, read_numbers

Kind = Literal["text", "day", "time", "number"]
Rows = NDArray[np.int64]

# Magnitudes beyond these are dates or codes read as values, never prices or counts of this market.
EARLIEST_DAY = pd.Timestamp("1990-01-01")
LATEST_DAY = pd.Timestamp("2100-01-01")


@dataclass(frozen=True)
class Column:
    """One column: its kind, whether a row may lack it, and the sign that its numbers must have."""

    name: str
    kind: Kind = "number"
    required: bool = True
    sign: Literal["positive", "nonnegative", "any"] = "any"
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A kind of fact: its key, its columns, and what must hold within one row."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, key first."""
        return tuple(column.name for column in self.columns)

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with the right columns and types."""
        return pd.DataFrame({column.name: pd.Series(dtype=_DTYPES[column.kind]) for column in self.columns})

    def validate(self, frame: pd.DataFrame, origin: str = "input") -> pd.DataFrame:
        """Return ``frame`` typed and sorted by key, or raise DataError naming the row and column.

        Rows are counted from 1, without the header; a whole-number index says which row of the input each
        one was, so that rows left out before do not shift the count. Columns that the table does not know
        are dropped; a missing required column, a value of the wrong kind or sign, an infinity, a bar whose
        high is below its low, and a key that comes twice with different values are refused. Rows that
        repeat another row exactly are dropped.
        """
        rows = _row_numbers(frame)
        typed: dict[str, pd.Series] = {}
        for column in self.columns:
            if column.name not in frame.columns:
                if column.required:
                    raise DataError(
                        f"{origin}: table `{self.name}` needs the column `{column.name}`",
                        received=", ".join(map(str, frame.columns)) or "no columns",
                        hint="Rename the column, or say in a map file (--map) what it is called.",
                    )
                typed[column.name] = pd.Series([None] * len(frame), dtype=_DTYPES[column.kind])
                continue
            values = frame[column.name].reset_index(drop=True)
            typed[column.name] = self._typed(values, column, origin, rows)
        result = pd.DataFrame(typed)
        self._check_choices(result, origin, rows)
        if {"open", "high", "low", "close"} <= set(self.names):
            _check_range(result, origin, rows)
        result = result.drop_duplicates(ignore_index=True)
        self._check_keys(result, origin)
        return result.sort_values(list(self.key), kind="stable", ignore_index=True)

    def _typed(self, values: pd.Series, column: Column, origin: str, rows: Rows) -> pd.Series:
        where = f"{origin}: `{column.name}` of table `{self.name}`"
        if column.kind == "text":
            typed = values.astype("str").str.strip().where(values.notna())
            typed = typed.where(typed != "")
        elif column.kind in ("day", "time"):
            typed = _to_days(values, where, rows, keep_time=column.kind == "time")
        else:
            typed = _to_numbers(values, where, rows)
            _check_sign(typed, column, where, rows)
        if column.required and typed.isna().any():
            raise DataError(
                f"{where} is empty in row {rows[_first(typed.isna())]}",
                received=f"{int(typed.isna().sum())} empty of {len(typed)}",
                hint="Fill the value in, or leave the row out.",
            )
        return typed.astype(_DTYPES[column.kind])

    def _check_choices(self, frame: pd.DataFrame, origin: str, rows: Rows) -> None:
        for name, allowed in self.choices.items():
            wrong = ~frame[name].isin(allowed)
            if wrong.any():
                value = str(frame.loc[wrong, name].iloc[0])
                raise DataError(
                    f"{origin}: unknown `{name}` in table `{self.name}`",
                    received=f"{value!r} in row {rows[_first(wrong)]}",
                    hint=did_you_mean(value, allowed),
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


def table(name: str) -> Table:
    """Return the table called ``name``; UsageError with close matches if there is none."""
    if name not in TABLES:
        raise UsageError(f"unknown table `{name}`", hint=did_you_mean(name, TABLES))
    return TABLES[name]


def _row_numbers(frame: pd.DataFrame) -> Rows:
    if pd.api.types.is_integer_dtype(frame.index.dtype):
        return frame.index.to_numpy(dtype=np.int64) + 1
    return np.arange(1, len(frame) + 1)


def _first(wrong: pd.Series) -> int:
    return int(np.flatnonzero(wrong)[0])


def _to_numbers(values: pd.Series, where: str, rows: Rows) -> pd.Series:
    numbers, wrong = read_numbers(values)
    if wrong.any():
        raise DataError(
            f"{where} is not a finite number in row {rows[_first(wrong)]}",
            received=_show(values.iloc[_first(wrong)]),
            hint="Correct the value, or leave it empty.",
        )
    return numbers


def _check_sign(numbers: pd.Series, column: Column, where: str, rows: Rows) -> None:
    if column.sign == "any":
        return
    wrong = numbers <= 0 if column.sign == "positive" else numbers < 0
    if wrong.any():
        raise DataError(
            f"{where} must be {column.sign} in row {rows[_first(wrong)]}",
            received=f"{numbers.iloc[_first(wrong)]:g}",
            hint="Correct the value, or leave the row out.",
        )


def _to_days(values: pd.Series, where: str, rows: Rows, *, keep_time: bool) -> pd.Series:
    days, wrong = read_days(values, keep_time=keep_time)
    wrong |= (days < EARLIEST_DAY) | (days > LATEST_DAY)
    if wrong.any():
        kind, limit = ("time", TIMES) if keep_time else ("date", DATES)
        raise DataError(
            f"{where} is not a {kind} in row {rows[_first(wrong)]}",
            received=_show(values.iloc[_first(wrong)]),
            limit=f"{limit}, from 1990 to 2100",
            hint="Correct it, or name its format in a map file (--map).",
        )
    return days


def _check_range(frame: pd.DataFrame, origin: str, rows: Rows) -> None:
    low = frame[["open", "close"]].min(axis=1)
    high = frame[["open", "close"]].max(axis=1)
    wrong = (frame["high"] < frame["low"]) | (frame["low"] > low) | (frame["high"] < high)
    if wrong.any():
        bar = frame.loc[_first(wrong), ["open", "high", "low", "close"]].to_dict()
        raise DataError(
            f"{origin}: the bar in row {rows[_first(wrong)]} does not lie within its high and low",
            received=", ".join(f"{name} {value:g}" for name, value in bar.items()),
            limit="low <= open, close <= high",
            hint="Check the order of the columns: some vendors write open, close, high, low.",
        )


def _show(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else str(value)
    return repr(value) if isinstance(value, str) else str(value)


def _columns(*columns: Column) -> tuple[Column, ...]:
    return (
        *columns,
        Column("source", "text", required=False),
        Column("known_at", "time", required=False),
    )


def _price(name: str, *, required: bool = True) -> Column:
    return Column(name, required=required, sign="positive", unit="money per share")


_DTYPES: dict[str, Any] = {
    "text": "str",
    "day": "datetime64[us]",
    "time": "datetime64[us]",
    "number": "float64",
}
_SYMBOL = Column("symbol", "text")
_DAY = Column("day", "day")
_INDEX = Column("index", "text")

_ALL: Sequence[Table] = (
    Table(
        "bars",
        ("symbol", "day"),
        _columns(
            _SYMBOL,
            _DAY,
            _price("open"),
            _price("high"),
            _price("low"),
            _price("close"),
            Column("volume", sign="nonnegative", unit="shares"),
            Column("amount", required=False, sign="nonnegative", unit="money"),
            _price("pre_close", required=False),
        ),
    ),
    Table(
        "units",
        ("symbol", "day"),
        _columns(_SYMBOL, _DAY, Column("units", sign="positive", unit="fund units")),
    ),
    Table(
        "nav",
        ("symbol", "day"),
        _columns(_SYMBOL, _DAY, Column("nav", sign="positive", unit="money per fund unit")),
    ),
    Table(
        "margin",
        ("symbol", "day"),
        _columns(
            _SYMBOL,
            _DAY,
            Column("balance", sign="nonnegative", unit="money"),
            Column("bought", required=False, sign="nonnegative", unit="money"),
            Column("repaid", required=False, sign="nonnegative", unit="money"),
        ),
    ),
    Table(
        "actions",
        ("symbol", "kind", "ex_day"),
        _columns(
            _SYMBOL,
            Column("kind", "text"),
            Column("ex_day", "day"),
            Column("record_day", "day", required=False),
            Column("ratio", required=False, sign="positive", unit="new units per old"),
            Column("cash", required=False, sign="nonnegative", unit="money per unit"),
            Column("pay_day", "day", required=False),
        ),
        choices={"kind": ("split", "dividend", "liquidation")},
    ),
    Table(
        "index_bars",
        ("index", "day"),
        _columns(
            _INDEX,
            _DAY,
            _price("open", required=False),
            _price("high", required=False),
            _price("low", required=False),
            _price("close"),
            Column("amount", required=False, sign="nonnegative", unit="money"),
        ),
    ),
    Table(
        "index_weights",
        ("index", "day", "constituent"),
        _columns(
            _INDEX,
            _DAY,
            Column("constituent", "text"),
            Column("weight", sign="nonnegative", unit="fraction"),
            Column("theme", "text", required=False),
        ),
    ),
    Table(
        "macro",
        ("series", "period"),
        _columns(Column("series", "text"), Column("period", "day"), Column("value")),
    ),
    Table(
        "funds",
        ("symbol",),
        _columns(
            _SYMBOL,
            Column("name", "text", required=False),
            Column("index", "text", required=False),
            Column("family", "text", required=False),
            Column("listed", "day", required=False),
            Column("delisted", "day", required=False),
            Column("price_limit", required=False, sign="positive", unit="fraction"),
        ),
    ),
)
TABLES: dict[str, Table] = {each.name: each for each in _ALL}
