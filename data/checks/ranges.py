"""Checks of the four prices of a bar against each other, and against the bar before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import TICK, grouped, worst

# How far an open, a high or a low is from the closes around it: seldom, and never.
_WILD, _IMPOSSIBLE = 1.35, 4.0
# Bars of a year that tell which column is which, and how much larger the gap between the wrong two is.
_YEAR_LEAST = 20
_GAP = 1.5
# Bars that tell how a fund opens and trades, and the part of them that a market never has: of 64 Chinese
# funds an open was the close before on a third of the days at most, and four prices one on half a per cent.
_LEAST_BARS, _COPIED, _FLAT = 60, 0.8, 0.5
# Shares of a day that may have been a single trade, at one price and near the close before: ten lots.
_ONE_TRADE = 1_000


def wild_range(data: Inputs) -> Iterator[Finding]:
    """Find opens, highs and lows that neither the close nor the close before comes near.

    1. Held against the larger and the smaller of the close and of the reference: the close before, adjusted
       for the actions since. So a fund whose price changes its level passes, and so does one that opens far
       from the close before and stays there. Where there is a price limit, `beyond-limit` is stricter.
    2. A third more is a warning: funds of volatility and of leverage do it on a day in years. Four
       times as much is an error: a digit too many, or one too few.
    """
    moves = data.moves
    near = moves[["close", "reference"]]
    top, bottom = near.max(axis=1), near.min(axis=1)
    above = np.maximum(moves["high"], moves["open"]) / top
    below: pd.Series = bottom / np.minimum(moves["low"], moves["open"])
    moves = moves.assign(away=np.maximum(above, below), up=above >= below)
    for symbol, rows in grouped(moves[moves["away"] > _WILD], "symbol"):
        row = worst(rows, "away")
        said = (
            f"high {row.high:g} and open {row.open:g} are"
            if row.up and row.open > row.close * _WILD
            else f"high {row.high:g} is"
            if row.up
            else f"low {row.low:g} is"
        )
        yield Finding.on(
            "wild-range",
            "error" if row.away > _IMPOSSIBLE else "warning",
            "bars",
            str(symbol),
            rows["day"],
            f"{said} x{row.away if row.up else 1 / row.away:.3g} of the prices around it on "
            f"{row.day:%Y-%m-%d}: the close {row.close:g}"
            + (f", and {row.before:g} before" if row.before == row.before else ""),
            "Compare with another source, and import the right row.",
        )


def swapped_prices(data: Inputs) -> Iterator[Finding]:
    """Find years in which the columns of open and close are exchanged.

    1. A fund opens near the close before: in the middle of a year's bars that gap is smaller than the one
       from an open to the close of the session after, which has two sessions of trading in it.
    2. Where it is half as large again as that one instead, the open is called close.
    """
    moves = data.steps("bars")
    opens = moves["open"].shift().where(moves["before"].notna())
    gaps = pd.DataFrame(
        {
            "named": np.abs(np.log(moves["open"] / moves["before"])),
            "exchanged": np.abs(np.log(moves["close"] / opens)),
        }
    )
    year = data.periods_of("bars", "Y")
    by_year = gaps.groupby(year)
    middle = by_year.median()
    enough = by_year["named"].count() >= _YEAR_LEAST
    wrong = middle.index[enough & (middle["named"] > _GAP * middle["exchanged"])]
    for symbol, rows in grouped(moves[year.isin(wrong)], "symbol"):
        named, exchanged = middle.loc[year[rows.index]].median()
        yield Finding.on(
            "swapped-prices",
            "error",
            "bars",
            str(symbol),
            rows["day"],
            f"opens are {named:.2%} away from the close before, and closes only {exchanged:.2%} from the "
            "open before: the two columns are exchanged",
            "Take them out (`etflow data remove FILE`), name the columns `open` and `close` in a map file "
            "(--map), and import again.",
        )


def copied_prices(data: Inputs) -> Iterator[Finding]:
    """Find funds whose opens are the close before, or whose bars have one price: made of closes alone.

    1. Of the sessions on which the price changed, 60 at least: the open is the close before, adjusted for the
       actions since, on more than four fifths. Orders at the open would fill at a price that was known.
    2. Of all bars, 60 at least: all four prices are one on more than half.
    3. Bars of up to 1,000 shares are left out: a fund that hardly trades has one price a day.
    """
    moves = data.moves
    bars = moves["volume"] > _ONE_TRADE
    moved = bars & moves["reference"].notna() & (moves["close"] != moves["reference"])
    opened: pd.Series = (moves["open"] - moves["reference"]).abs() <= TICK / 10
    flat = (moves["high"] == moves["low"]) & (moves["open"] == moves["close"])
    for rows, copied, most, said in (
        (moved, opened, _COPIED, ("the open is the close before", "")),
        (bars, flat, _FLAT, ("all four prices are one", ", or it hardly trades")),
    ):
        by_fund = copied[rows].groupby(moves["symbol"][rows])
        part = by_fund.mean()[by_fund.size() >= _LEAST_BARS]
        some = moves["symbol"].isin(part.index[part > most])
        for symbol, found in grouped(moves[rows & some], "symbol"):
            yield Finding.on(
                "copied-prices",
                "warning",
                "bars",
                str(symbol),
                found["day"],
                f"{said[0]} on {part[symbol]:.0%} of the days: these bars were made of closes{said[1]}",
                "Import bars with opens, highs and lows: orders at the open would fill at a known price.",
            )
