"""What no single row of a table may say, because a vendor's program read a wrong field or a map a wrong unit.

These are the errors that spoil a store for good; what needs several rows or tables to be seen is found later,
by ``data.checks``.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError
from data.store.schema import Column
from data.store.tables import FUND_TABLES, table

# A count that reads as a date this near to its own row's day is that date.
NEAR_DAYS = 366
# Of true balances one in 100,000 reads as a date near to its row's day; of a wrong field most rows do.
_BY_CHANCE = 0.01
# Of so few rows one may be by chance: a file of one day has as many rows as there are funds.
_FEW = 20
_SHOWN = 3
# Money-market funds that are traded, in units of 100 yuan. Vendors have the income of 10,000 of another
# class of units where other funds have NAV: 0.3541.
_MONEY_MARKET = re.compile(r"511[6-9]\d\d\.SH|15900\d\.SZ")
_NAV_OF_MONEY_MARKET = 50.0


def check_plausible(name: str, frame: pd.DataFrame, origin: str) -> str | None:
    """Raise DataError, naming the rows, if values of a validated frame cannot be what the column says.

    A few of many counts read as dates by chance; they are let through, and the note returned says so.
    """
    schema, notes = table(name), []
    for column in schema.measures if schema in FUND_TABLES and "day" in schema.key else ():
        if column not in frame:
            continue
        dates = frame.iloc[_read_as_dates(frame[column], frame["day"])]
        allowed = max(_BY_CHANCE * len(frame), 1 if len(frame) >= _FEW else 0)
        if len(dates) > allowed:
            _refuse(
                dates,
                column,
                f"{origin}: `{column}` is a date read as a number",
                "The vendor's file took a wrong field: get these rows elsewhere, or leave them out.",
            )
        elif len(dates):
            of_all = f"{len(dates)} of {len(frame):,} rows"
            notes.append(f"`{column}` reads as a date in {of_all}: {_named(dates, column)}")
    if name == "nav":
        _refuse_income(frame, origin)
    for each in (each for each in schema.columns if each.name in frame):
        low, high = each.possible
        if math.isfinite(low) and (wrong := frame[each.name] < low).any():
            _refuse(frame[wrong], each.name, f"{origin}: `{each.name}` is below {low:,g}", _hint(each))
        if math.isfinite(high) and (wrong := frame[each.name] > high).any():
            _refuse(frame[wrong], each.name, f"{origin}: `{each.name}` is above {high:,g}", _hint(each))
    return "; ".join(notes) or None


def _refuse_income(frame: pd.DataFrame, origin: str) -> None:
    """Refuse NAV of money-market funds that is their income per 10,000 units."""
    symbols = frame["symbol"].astype("str")
    money = [each for each in symbols.unique() if _MONEY_MARKET.fullmatch(each)]
    wrong = frame[symbols.isin(money) & (frame["nav"] < _NAV_OF_MONEY_MARKET)] if money else frame[:0]
    if len(wrong):
        _refuse(
            wrong,
            "nav",
            f"{origin}: `nav` of a money-market fund is no net asset value, but its income per 10,000 units",
            "Leave these funds out: one unit of theirs on the exchange is worth about 100 yuan.",
        )


def _hint(column: Column) -> str:
    """Return how to name the unit of measure that numbers so far off are probably in."""
    usual, unit = ("percent", "percent") if column.scale == "ratio" else ("10^4 or 10^8", "10^8")
    return f'If they are in {usual}, say so in a map file: measures = {{ {column.name} = "{unit}" }}.'


def _read_as_dates(values: pd.Series, days: pd.Series) -> NDArray[np.intp]:
    """Return the places of the numbers that read as a date near to the day of their row."""
    numbers = values.to_numpy()
    places: NDArray[np.intp] = np.flatnonzero((numbers >= 1990_01_01) & (numbers <= 2100_12_31))
    places = places[numbers[places] % 1 == 0]
    if len(places):
        text = pd.Series(numbers[places].astype(np.int64).astype("str"))
        dates = pd.to_datetime(text, format="%Y%m%d", errors="coerce").to_numpy("datetime64[us]")
        near = np.abs(dates - days.to_numpy()[places]) <= np.timedelta64(NEAR_DAYS, "D")
        places = places[near]
    return places


def _refuse(wrong: pd.DataFrame, column: str, what: str, hint: str) -> None:
    raise DataError(what, received=_named(wrong, column), hint=hint)


def _named(wrong: pd.DataFrame, column: str) -> str:
    key = wrong.columns[0]
    # One row of each fund shows more than the first three of one.
    shown = wrong.drop_duplicates(key).head(_SHOWN)
    named = [
        f"{name} {day:%Y-%m-%d} {value:.12g}"
        for name, day, value in zip(shown[key], shown["day"], shown[column], strict=True)
    ]
    rest = f" and {len(wrong) - len(named)} more rows" if len(wrong) > len(named) else ""
    return ", ".join(named) + rest
