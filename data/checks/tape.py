"""A check of American bars from one venue: a hundredth of the volume, and stray prices."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import grouped

_LEAST_ROWS = 60
# On the whole tape a fund trades more than this part of its units on an ordinary day, and hardly ever at a
# single price all day.
_LEAST_TURNOVER = 0.001
_SINGLE_PRINTS = 0.05


def single_prints(data: Inputs) -> Iterator[Finding]:
    """Find American bars of one venue: more than a twentieth of those of a source have one price all day."""
    bars = data.of_market("bars", "us_etf")
    traded = bars[bars["volume"] > 0]
    for source, rows in traded.groupby(traded["source"].fillna("")):
        part = float((rows["high"] == rows["low"]).mean())
        if len(rows) >= _LEAST_ROWS and part > _SINGLE_PRINTS:
            told = f"{part:.0%} of the bars of {rows['symbol'].nunique()} funds"
            told += f" from `{source}`" if source else ""
            yield _finding("US", rows, f"{told} have one price all day")


def thin_volume(data: Inputs) -> Iterator[Finding]:
    """Find American funds whose volume in the middle is less than a thousandth of their units: one venue's.

    IEX has about 1 % of the whole market's.
    """
    bars = data.of_market("bars", "us_etf")
    traded = bars[bars["volume"] > 0]
    for symbol, rows in grouped(traded, "symbol"):
        seen = _turnover_of(data, str(symbol), rows)
        if seen is not None:
            yield _finding(str(symbol), rows, seen)


def _finding(symbol: str, rows: pd.DataFrame, seen: str) -> Finding:
    return Finding.on(
        "partial-tape",
        "warning",
        "bars",
        symbol,
        rows["day"],
        f"{seen}: these are probably the trades of one venue, not of the market",
        "Import consolidated bars: caps of participation, turnover and prices of thin funds are wrong.",
    )


def _turnover_of(data: Inputs, symbol: str, rows: pd.DataFrame) -> str | None:
    both = rows[["day", "volume"]].merge(data.rows_of("units", symbol)[["day", "units"]], on="day")
    if len(both) < _LEAST_ROWS:
        return None
    turnover = float((both["volume"] / both["units"]).median())
    return f"volume is {turnover:.4%} of the units a day" if turnover < _LEAST_TURNOVER else None
