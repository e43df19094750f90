"""Checks of prices that are no split: past the limit, adjusted by a vendor, off for a day.

VWAP, amount over volume, comes from the exchange and nobody adjusts it. It must lie between the low and the
high of its bar; where it does not, prices were adjusted, or a number is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.jumps import LARGE_CUT, NEARBY
from data.checks.reading import TICK, Bools, grouped, records, worst
from data.store.tables import ADJUSTED_SOURCES

# Those that are told elsewhere are adjusted for splits alone.
_ADJUSTED = (ADJUSTED_SOURCES["qfq"], ADJUSTED_SOURCES["hfq"])
_COMPARE = "Compare with another source, and import the right row."


def price_spike(data: Inputs) -> Iterator[Finding]:
    """Find single sessions whose close is impossible and which the next open takes back: a wrong price."""
    for row in records(data.moves[data.moves["spike"]]):
        yield Finding.on(
            "price-spike",
            "error",
            "bars",
            row.symbol,
            row.day,
            f"close {row.close:g} after {row.before:g} on {row.before_day:%Y-%m-%d}, the next open is back",
            _COMPARE,
        )


def beyond_limit(data: Inputs) -> Iterator[Finding]:
    """Find prices beyond the price limit on days that are neither a split nor a spike.

    1. The reference is the exchange's own where it is on file, else the adjusted close before.
    2. High and low may not pass it by more than the limit and two ticks of rounding. Bars after a gap are
       judged with one limit for each session, as in `Inputs.moves`.
    3. Within ten days of a recorded split a bar may be on the other side of it: within the limits of the
       reference times or over the ratio.
    """
    moves = data.moves
    reference = moves["pre_close"].fillna(moves["reference"])
    past = (moves["high"] > reference * moves["rise"] + 2 * TICK) | (
        moves["low"] < reference * moves["fall"] - 2 * TICK
    )
    other = (moves["beyond"] != 0) | moves["spike"] | moves["after_spike"]
    other |= _on_other_side(data, moves, reference)
    for symbol, rows in grouped(moves[past & ~other & np.isfinite(moves["limit"])], "symbol"):
        first = next(records(rows))
        yield Finding.on(
            "beyond-limit",
            "warning",
            "bars",
            str(symbol),
            rows["day"],
            f"prices pass the limit of {first.limit:.0%}: first {first.low:g} to {first.high:g} after "
            f"{first.before:g}",
            "If the fund has another price limit, say so in the table `funds`. " + _COMPARE,
        )


def reference_price(data: Inputs) -> Iterator[Finding]:
    """Find exchange reference prices that differ from the close before, with no action to explain it.

    1. Only bars that follow the session before are judged: over a gap the reference may be newer.
    2. A reference below the adjusted close by more than a tick and less than 10 % is a cash dividend that
       is not recorded: without it the fund's return is too low by as much.
    3. A reference above it is an error of one of the two prices.
    """
    moves = data.moves
    cut = moves["reference"] - moves["pre_close"]
    near = np.abs(np.log(moves["pre_close"] / moves["reference"])) <= np.log(LARGE_CUT)
    off = moves.assign(cut=cut)[near & (moves["skipped"] == 0) & (np.abs(cut) > 1.5 * TICK)]
    for symbol, rows in grouped(off, "symbol"):
        for side, part in (("below", rows[rows["cut"] > 0]), ("above", rows[rows["cut"] < 0])):
            if part.empty:
                continue
            shown = ", ".join(f"{abs(row.cut):.3f} on {row.day:%Y-%m-%d}" for row in records(part.head(3)))
            more = f" and {len(part) - 3} more" if len(part) > 3 else ""
            dividend = "Probably dividends: add the cash per unit of each ex-day to the table `actions`."
            yield Finding.on(
                "reference-price",
                "warning",
                "bars",
                str(symbol),
                part["day"],
                f"the exchange's reference price is {side} the close before by {shown}{more}",
                dividend if side == "below" else _COMPARE,
            )


def adjusted_prices(data: Inputs) -> Iterator[Finding]:
    """Find stretches of prices that a vendor adjusted for later splits or dividends.

    1. VWAP = amount / volume, both in the units of measure that they show (`lots-for-shares`).
    2. A bar is off if its VWAP lies outside its low and high, beyond what rounding explains.
    3. Bars that are off are adjusted if they are most of their month, or five in a row (`data.checks.vwap`).
    4. Rows whose source says that they are forward- or backward-adjusted are, whatever their VWAP.
    """
    bars = data.tables["bars"]
    named = bars[bars["source"].astype("str").str.endswith(_ADJUSTED)]
    adjusted = data.vwap["adjusted"] & ~data.vwap.index.isin(named.index)
    for symbol, rows in grouped(data.vwap[adjusted], "symbol"):
        yield _adjusted(
            str(symbol),
            rows,
            "VWAP (amount / volume) lies outside low to high, in the middle at "
            f"x{rows['plain_ratio'].median():.3f} of the close: these prices were adjusted",
        )
    for symbol, rows in grouped(named, "symbol"):
        yield _adjusted(
            str(symbol), rows, f"their source says that they are adjusted: {rows['source'].iloc[0]}"
        )


def _adjusted(symbol: str, rows: pd.DataFrame, message: str) -> Finding:
    return Finding.on(
        "adjusted-prices",
        "error",
        "bars",
        symbol,
        rows["day"],
        message,
        "Import unadjusted prices (AKShare adjust='', East Money fqt=0, Yahoo auto_adjust=False), and "
        "splits and dividends as rows of `actions`.",
    )


def vwap_outside_bar(data: Inputs) -> Iterator[Finding]:
    """Find single bars whose VWAP lies outside their low and high: a wrong volume, amount or price."""
    bars = data.vwap.assign(distance=np.log(data.vwap["plain_ratio"]))
    for symbol, rows in grouped(bars[bars["off"] & ~bars["adjusted"]], "symbol"):
        row = worst(rows, "distance")
        yield Finding.on(
            "vwap-outside-bar",
            "warning",
            "bars",
            str(symbol),
            rows["day"],
            f"VWAP outside low to high, at worst x{row.plain_ratio:.3f} of the close on {row.day:%Y-%m-%d}",
            _COMPARE,
        )


def volume_consistency(data: Inputs) -> Iterator[Finding]:
    """Find bars that moved without volume, and bars with volume or an amount but not both."""
    bars = data.tables["bars"]
    moved = (bars["high"] != bars["low"]) | (bars["amount"] > 0)
    wrong = ((bars["volume"] == 0) & moved) | ((bars["volume"] > 0) & (bars["amount"] == 0))
    for symbol, rows in grouped(bars[wrong], "symbol"):
        yield Finding.on(
            "volume-consistency",
            "warning",
            "bars",
            str(symbol),
            rows["day"],
            "bars have a range or an amount without volume, or volume without an amount",
            "A bar without volume counts as a halt: no order fills. " + _COMPARE,
        )


def _on_other_side(data: Inputs, moves: pd.DataFrame, reference: pd.Series) -> Bools:
    """Return bars near a split that are within the limits if prices switched on another day than recorded."""
    explained = np.zeros(len(moves), dtype=np.bool_)
    for split in records(data.splits):
        near = (moves["day"] >= split.ex_day - NEARBY) & (moves["day"] <= split.ex_day + NEARBY)
        near &= moves["symbol"] == split.symbol
        for ratio in (split.ratio, 1 / split.ratio):
            inside = (moves["high"] <= reference * ratio * moves["rise"] + 2 * TICK) & (
                moves["low"] >= reference * ratio * moves["fall"] - 2 * TICK
            )
            explained |= (near & inside).to_numpy()
    return explained
