"""Prices as they were traded, out of those that Yahoo adjusts for later splits.

Yahoo gives prices, volumes and dividends of the past on the basis of the splits until the download::

    price as traded   = price * k        k = product of the splits after the day
    shares as traded  = volume / k
    cash as paid      = dividend * k

A split after the last row cannot be taken out: it is not among the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.errors import DataError
from data.store.cells import read_days, read_numbers

# Yahoo sends prices as 32-bit numbers, good for seven digits.
_DECIMALS = 4
_CASH_DECIMALS = 6


@dataclass(frozen=True)
class Names:
    """What a file calls the day and the splits; prices, volume, dividends and tickers may be absent."""

    day: str = "Date"
    prices: tuple[str, ...] = ("Open", "High", "Low", "Close")
    volume: str | None = "Volume"
    splits: str = "Stock Splits"
    cash: str | None = "Dividends"
    ticker: str | None = None


YAHOO = Names()


def as_traded(cells: pd.DataFrame, names: Names = YAHOO, origin: str = "the history") -> pd.DataFrame:
    """Return cells with the splits after each row taken out of its prices, volume and dividend, by day.

    Where there is a column of tickers each is taken by itself. DataError if a column is missing, or a cell of
    prices, volume, dividends or splits is no number.
    """
    taken = [*names.prices, names.splits, *(each for each in (names.volume, names.cash) if each)]
    lacking = [name for name in (names.day, *taken) if name not in cells]
    if lacking:
        raise DataError(f"{origin} lacks the column {' and '.join(lacking)}")
    days = read_days(cells[names.day])[0].to_numpy()
    ordered = cells.iloc[np.argsort(days, kind="stable")]
    number = {name: _numbers(ordered, name, origin) for name in taken}
    ratio = number[names.splits].where(number[names.splits] > 0, 1.0)[::-1]
    tickers = np.full(len(ordered), "")
    if names.ticker:
        tickers = ordered[names.ticker].astype("str").to_numpy()[::-1]
    later = ratio.groupby(tickers).cumprod().groupby(tickers).shift(1, fill_value=1.0)[::-1]
    traded = {name: (number[name] * later).round(_DECIMALS) for name in names.prices}
    if names.volume:
        traded[names.volume] = (number[names.volume] / later).round()
    if names.cash:
        traded[names.cash] = (number[names.cash] * later).round(_CASH_DECIMALS)
    return ordered.assign(**traded)


def _numbers(cells: pd.DataFrame, name: str, origin: str) -> pd.Series:
    numbers, wrong = read_numbers(cells[name])
    if wrong.any():
        first = cells[name][wrong.to_numpy()].head(1)
        raise DataError(
            f"{origin}: `{name}` is not a finite number in row {first.index[0] + 1}",
            received=repr(first.iloc[0]),
            hint="Correct the value, or leave it empty.",
        )
    return numbers
