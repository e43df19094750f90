"""Checks of closes against NAV: on another basis, of another day, and premiums that contradict both."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import grouped, worst
from data.facts.availability import load_availability
from data.facts.symbols import market_of

# How far a close is from its NAV at most, and in the middle.
_PREMIUM, _MIDDLE = 0.20, 0.03
# Days on which a premium must be comparable, and what it is by the slope on the one of closes over NAV.
_ALIKE_LEAST = 20
# The latest days that tell of which session NAV is, and how far closes are from that of another.
_YEAR, _APART, _EQUAL = 250, 0.002, 0.001
# By how many sessions NAV may be dated late.
_SHIFTS = (1, -1, 2, -2)
# How codes of listed open-ended funds begin, in Shenzhen and in Shanghai.
_LOFS = ("16", "50")
_SLOPES = {
    -1.0: "a discount, above zero where the price is below",
    100.0: "in percent",
    -100.0: "a discount in percent, above zero where the price is below",
}


def nav_premium(data: Inputs) -> Iterator[Finding]:
    """Find closes more than 20 % away from NAV, and funds whose closes are 3 % away from it in the middle.

    1. Premium = close / NAV - 1, on days that have both; the middle of 20 of them at least.
    2. Chinese funds of foreign stocks, as far as etflow knows them, and all LOFs are left out of the second:
       quotas keep their premiums up for months.
    3. From the record day of a split to the eve of its ex-day NAV may be on the new basis already, and
       prices are not yet: there the nearer of both bases counts (``data.panel.flows.nav_premium``).
    """
    if data.tables["nav"].empty:
        return
    both = data.against_nav
    far = both["premium"].abs() > _PREMIUM
    for symbol, rows in grouped(both[far], "symbol"):
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
    near = both[~far & ~both["symbol"].isin(_maybe_of_foreign_stocks(both))]
    by_fund = near.groupby("symbol")["premium"]
    middle = by_fund.median()[by_fund.count() >= _ALIKE_LEAST]
    for symbol, rows in grouped(near[near["symbol"].isin(middle.index[middle.abs() > _MIDDLE])], "symbol"):
        yield Finding.on(
            "nav-premium",
            "warning",
            "nav",
            str(symbol),
            rows["day"],
            f"closes are {middle[symbol]:+.1%} away from NAV in the middle of {len(rows)} days",
            "Accumulated NAV (累计净值), or adjusted prices? Import 单位净值, and prices as traded. A fund "
            "of foreign stocks that etflow does not know as one may be that far off.",
        )


def nav_shifted(data: Inputs) -> Iterator[Finding]:
    """Find NAV that is dated a session or two late or early: closes of that session are nearer by far.

    1. Of a fund's latest 250 days, 20 at least: how far NAV is in the middle from the close of its day, from
       the two before and from the two after. From its own it is 0.2 % away at least, or chance could tell.
    2. Late in China: closes of the session before are four times as near.
    3. Early, or in the US: besides, closes of the session beside are within 0.1 %. NAV of stocks that trade
       in other hours is of before or after the fund's own close, and rightly nearer to the close of a session
       beside; but not as near as that, since some news comes in its own hours too.
    4. Chinese funds of foreign stocks, as far as etflow knows them, and all LOFs are left out: NAV that is
       public later than that of others may be so dated.
    """
    if data.tables["nav"].empty:
        return
    both = data.against_nav
    both = both[~both["symbol"].isin(_maybe_of_foreign_stocks(both))].groupby("symbol").tail(_YEAR)
    closes = both.groupby("symbol")["close"]
    away = pd.DataFrame({"own": both["premium"].abs()})
    for sessions in _SHIFTS:
        away[sessions] = (closes.shift(sessions) / both["nav"] - 1).abs()
    middle = away.groupby(both["symbol"]).agg("median")[closes.count() >= _ALIKE_LEAST]
    for symbol, distances in middle[middle["own"] >= _APART].iterrows():
        sessions = int(distances[[*_SHIFTS]].argmin())
        shift, own = _SHIFTS[sessions], float(distances["own"])
        nearer = float(distances[shift])
        said, beside = ("late", "before") if shift > 0 else ("early", "after")
        sure = said == "late" and market_of(str(symbol)) == "cn_etf"
        if nearer < (own / 4 if sure else min(own / 4, _EQUAL)):
            apart = "a session" if abs(shift) == 1 else f"{abs(shift)} sessions"
            yield Finding.on(
                "nav-shifted",
                "warning",
                "nav",
                str(symbol),
                both.loc[both["symbol"] == symbol, "day"],
                f"NAV is dated {apart} {said}: closes are {own:.2%} away from it in the middle, and those of "
                f"{apart} {beside} {nearer:.2%}",
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


def _maybe_of_foreign_stocks(both: pd.DataFrame) -> list[str]:
    """Return the Chinese funds whose NAV is public later than that of others, and those of which it may be.

    The lags of NAV name the traded funds of foreign stocks; no list says which LOFs are, as 162411 is of oil.
    """
    lags = load_availability()
    return [
        str(symbol)
        for symbol, last in both.groupby("symbol")["day"].max().items()
        if market_of(str(symbol)) == "cn_etf"
        and (str(symbol).startswith(_LOFS) or lags.lag("nav", str(symbol), last.date()) > 1)
    ]
