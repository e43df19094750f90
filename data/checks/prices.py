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
from data.facts.availability import load_availability
from data.facts.symbols import market_of

_PREMIUM = 0.20
# Days on which a premium must be comparable, and what it is by the slope on the one of closes over NAV.
_ALIKE_LEAST = 20
# The latest days that tell of which session NAV is, and how far closes are from that of another.
_YEAR, _APART, _EQUAL = 250, 0.002, 0.001
_SLOPES = {
    -1.0: "a discount, above zero where the price is below",
    100.0: "in percent",
    -100.0: "a discount in percent, above zero where the price is below",
}
_ADJUSTED_SOURCES = (", qfq", ", hfq")
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
    named = bars[bars["source"].astype("str").str.endswith(_ADJUSTED_SOURCES)]
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


def nav_premium(data: Inputs) -> Iterator[Finding]:
    """Find closes more than 20 % away from NAV.

    1. Premium = close / NAV - 1, on days that have both.
    2. From the record day of a split to the eve of its ex-day NAV may be on the new basis already, and
       prices are not yet: there the nearer of both bases counts (``data.panel.flows.nav_as_prices``).
    """
    if data.tables["nav"].empty:
        return
    both = data.against_nav
    for symbol, rows in grouped(both[both["premium"].abs() > _PREMIUM], "symbol"):
        row = worst(rows, "premium")
        yield Finding.on(
            "nav-premium",
            "warning",
            "nav",
            str(symbol),
            rows["day"],
            f"close and NAV differ by more than {_PREMIUM:.0%}, at worst {row.premium:+.0%} on "
            f"{row.day:%Y-%m-%d} ({row.close:g} against {row.nav:g})",
            "Check that both are unadjusted and on one split basis. Cross-border funds may be that far off.",
        )


def nav_shifted(data: Inputs) -> Iterator[Finding]:
    """Find NAV that is dated a session late or early: closes of that session are nearer by far.

    1. Of a fund's latest 250 days, 20 at least: how far NAV is in the middle from the close of its day, from
       the one before and from the one after. From its own it is 0.2 % away at least, or chance could tell.
    2. Late in China: closes of the session before are four times as near.
    3. Early, or in the US: besides, closes of the session beside are within 0.1 %. NAV of stocks that trade
       in other hours is of before or after the fund's own close, and rightly nearer to the close of a session
       beside; but not as near as that, since some news comes in its own hours too.
    4. Chinese funds of foreign stocks, whose NAV is public later than that of others, are left out.
    """
    if data.tables["nav"].empty:
        return
    both = data.against_nav
    lags = load_availability()
    abroad = [
        str(symbol)
        for symbol, last in both.groupby("symbol")["day"].max().items()
        if market_of(str(symbol)) == "cn_etf" and lags.lag("nav", str(symbol), last.date()) > 1
    ]
    both = both[~both["symbol"].isin(abroad)].groupby("symbol").tail(_YEAR)
    closes = both.groupby("symbol")["close"]
    away = pd.DataFrame(
        {
            "own": both["premium"].abs(),
            "late": (closes.shift() / both["nav"] - 1).abs(),
            "early": (closes.shift(-1) / both["nav"] - 1).abs(),
        }
    )
    middle = away.groupby(both["symbol"]).agg("median")[closes.count() >= _ALIKE_LEAST]
    for row in records(middle[middle["own"] >= _APART].reset_index()):
        nearer = min(row.late, row.early)
        said, beside = ("late", "before") if nearer == row.late else ("early", "after")
        sure = said == "late" and market_of(row.symbol) == "cn_etf"
        if nearer < (row.own / 4 if sure else min(row.own / 4, _EQUAL)):
            yield Finding.on(
                "nav-shifted",
                "warning",
                "nav",
                row.symbol,
                both.loc[both["symbol"] == row.symbol, "day"],
                f"NAV is dated a session {said}: closes are {row.own:.2%} away from it in the middle, and "
                f"those of the session {beside} {nearer:.2%}",
                "Import it with the day that it is of. What is dated early is known before it was public.",
            )


def premium_sign(data: Inputs) -> Iterator[Finding]:
    """Find premiums on file that are discounts, or in percent: closes and NAV tell.

    1. Per fund, on 20 days or more that have all three, the slope of the premium on file on close / NAV - 1,
       through zero, where the two go together or against each other (cosine beyond a half).
    2. A slope of about 1 is right. About -1 is a discount, about 100 percent, and -100 both.
    """
    if data.tables["premium"].empty:
        return
    both = data.against_nav.merge(data.tables["premium"], on=["symbol", "day"], suffixes=("", "_on_file"))
    for symbol, rows in grouped(both, "symbol"):
        ours, theirs = (rows[name].to_numpy(np.float64) for name in ("premium", "premium_on_file"))
        product, square = float((ours * theirs).sum()), float((ours**2).sum())
        if len(rows) < _ALIKE_LEAST or abs(product) <= 0.5 * np.sqrt(square * float((theirs**2).sum())):
            continue
        slope = product / square
        said = next((words for about, words in _SLOPES.items() if 0.5 < slope / about < 2.0), None)
        if said is not None:
            yield Finding.on(
                "premium-sign",
                "error",
                "premium",
                str(symbol),
                rows["day"],
                f"the premium is {slope:.3g} times close / NAV - 1: it is {said}",
                "Import it again with what it is named in a map file (--map): measures = { premium = "
                '"percent" }, or "discount", or "percent-discount".',
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
