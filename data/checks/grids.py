"""Checks against the tick: prices that a vendor rounded, and prices on the basis of a split nobody recorded.

Prices are whole ticks when they are traded: 0.001 yuan in China, a cent in the United States.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import TICK, Bools, Floats, grouped
from data.facts.symbols import market_of
from data.store.tables import ADJUSTED_SOURCES

_TICKS = {"cn_etf": TICK, "us_etf": 0.01}
_CENT = 0.01
# Grids on which no price of a market stays, by what happened to those that do.
_COARSE = {
    "cn_etf": (
        _CENT,
        f"cents, and funds trade in ticks of {TICK}: they were rounded, by up to {{error:.2%}}",
        "Import the bars from a source with three decimals.",
    ),
    "us_etf": (
        1.0,
        "dollars, {close:,.0f} in the middle, and funds trade in cents: they are probably counted in cents",
        'If they are, import them again with a map file (--map) that says so: measures = { open = "cents", '
        'high = "cents", low = "cents", close = "cents" }.',
    ),
}
# Of a tick: what 32-bit numbers and rounding to four digits leave.
_NEAR = 0.03
# Bars of a month, and different closes in it, that lie on whole cents by no accident.
_MONTH, _DIFFERENT = 10, 5
_SPLITS = (2, 3, 4, 5, 6, 8, 10, 15, 20)
_LEAST_ROWS = 20
# Half of the prices that are adjusted for a split by two are still whole ticks.
_OFF_PART = 0.25
_FITTING_PART = 0.98
# Since when American funds trade in cents, and the part of a month's closes that are none if adjusted.
_CENTS_SINCE, _OFF_MOST = pd.Timestamp("2001-04-09"), 0.8


def price_grid(data: Inputs) -> Iterator[Finding]:
    """Find months of prices that are too coarse: Chinese ones in whole cents, American ones in whole dollars.

    1. Open, high, low and close of a month of ten bars or more, with five different closes, are all on that
       grid, ten ticks or a hundred wide.
    2. A vendor who rounds 0.729 to 0.73 is off by half a per cent at a price of one yuan. American prices
       that are whole dollars for months were counted in cents.
    """
    for market, (grid, said, hint) in _COARSE.items():
        bars = data.of_market("bars", market)
        if bars.empty:
            continue
        prices = bars[["open", "high", "low", "close"]].to_numpy(np.float64)
        month = data.periods_of("bars", "M").reindex(bars.index)
        others = month[~np.asarray(_on_grid(prices, grid).all(axis=1))].unique()
        bars = bars[~month.isin(others)]
        closes = bars["close"].groupby(month[bars.index])
        coarse = (closes.transform("size") >= _MONTH) & (closes.transform("nunique") >= _DIFFERENT)
        for symbol, rows in grouped(bars[coarse], "symbol"):
            yield Finding.on(
                "price-grid",
                "warning",
                "bars",
                str(symbol),
                rows["day"],
                f"all prices of {len(rows)} bars are whole "
                + said.format(error=0.005 / rows["close"].median(), close=rows["close"].median()),
                hint,
            )


def split_adjusted(data: Inputs) -> Iterator[Finding]:
    """Find prices that a vendor adjusted for a split that is not recorded, as unit counts are not.

    1. Closes up to a day are often off the tick grid, later ones never are, and there is a whole number of up
       to 20 by which the early ones become whole ticks: the split.
    2. An error where the fund has unit counts: their jump would be a flow.
    """
    split = set(data.splits["symbol"])
    for symbol in data.tables["bars"]["symbol"].unique():
        rows = data.rows_of("bars", symbol)
        if symbol in split:
            continue
        closes, tick = rows["close"].to_numpy(np.float64), _TICKS[market_of(symbol)]
        found = _split_of(closes, tick)
        if found is not None:
            last, ratio = found
            yield Finding.on(
                "split-adjusted",
                "error" if len(data.rows_of("units", symbol)) else "warning",
                "bars",
                symbol,
                rows["day"].iloc[: last + 1],
                f"closes up to {rows['day'].iloc[last]:%Y-%m-%d} are no whole ticks, and are if multiplied "
                f"by {ratio}: prices are adjusted for a split 1:{ratio} that is not recorded",
                _AS_TRADED,
            )


def said_split_adjusted(data: Inputs) -> Iterator[Finding]:
    """Find prices whose source says that they are adjusted, because the file did not record the splits."""
    bars = data.tables["bars"]
    sources = bars["source"].dropna().unique()
    said = [name for name in sources if str(name).endswith(ADJUSTED_SOURCES["splits"])]
    named = bars[bars["source"].isin(said)]
    for exchange, rows in named.groupby(named["symbol"].str[-2:]):
        funds = sorted(rows["symbol"].unique())
        more = f" and {len(funds) - 4} more" if len(funds) > 4 else ""
        yield Finding.on(
            "split-adjusted",
            "warning",
            "bars",
            str(exchange),
            rows["day"],
            f"prices of {len(funds)} funds are on the basis of the splits up to their download, which are "
            f"not on file: {', '.join(funds[:4])}{more}",
            _AS_TRADED,
        )


def no_cents(data: Inputs) -> Iterator[Finding]:
    """Find American closes that are no whole cents for months: adjusted, or converted.

    1. Months of ten bars or more in which four fifths of the closes are off, and two of them at least. Of
       bars of one venue a tenth is, which has trades between two cents.
    2. From 2001-04-09 on, when cents took the place of fractions, and above one dollar. What its source
       calls adjusted, and what a split explains (``split-adjusted``), is told there.
    """
    bars = data.of_market("bars", "us_etf")
    bars = bars[(bars["day"] >= _CENTS_SINCE) & (bars["close"] >= 1.0)]
    bars = bars[~bars["source"].astype("str").str.endswith((*ADJUSTED_SOURCES.values(),))]
    if bars.empty:
        return
    month = data.periods_of("bars", "M").reindex(bars.index)
    off = pd.Series(~_on_grid(bars["close"].to_numpy(np.float64), _CENT), index=bars.index)
    by_month = off.groupby(month)
    wrong = (by_month.transform("mean") > _OFF_MOST) & (by_month.transform("size") >= _MONTH)
    for symbol, rows in grouped(bars[wrong], "symbol"):
        explained = _split_of(data.rows_of("bars", str(symbol))["close"].to_numpy(np.float64), _CENT)
        if len(rows) >= 2 * _MONTH and explained is None:
            yield Finding.on(
                "no-cents",
                "warning",
                "bars",
                str(symbol),
                rows["day"],
                f"closes of {len(rows)} bars are no whole cents, {rows['close'].iloc[0]:.6g} the first: they "
                "are adjusted for dividends or for several splits, or in another currency",
                "Import bars as traded (yfinance: auto_adjust=False), and dividends and splits as rows of "
                "`actions`.",
            )


_AS_TRADED = (
    "Take them out (`etflow data remove`), and import bars as traded, and the splits: yfinance's file with "
    "its column `Stock Splits` (actions=True) brings both."
)


def _split_of(closes: Floats, tick: float) -> tuple[int, int] | None:
    """Return the last row that is off the grid and the split that explains it, None if there is none."""
    off = np.flatnonzero(~_on_grid(closes, tick))
    if len(off) == 0:
        return None
    last = int(off[-1])
    early = closes[: last + 1]
    if min(len(early), len(closes) - len(early)) < _LEAST_ROWS or len(off) < _OFF_PART * len(early):
        return None
    for ratio in _SPLITS:
        if _on_grid(early * ratio, tick).mean() >= _FITTING_PART:
            return last, ratio
    return None


def _on_grid(prices: Floats, tick: float) -> Bools:
    ticks = prices / tick
    return np.abs(ticks - np.round(ticks)) <= _NEAR
