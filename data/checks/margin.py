"""Checks of margin balances: their unit of measure, what they follow from, and sessions without one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import FEWEST, Bools, Floats, Integers, grouped, records, sides, worst
from data.facts.symbols import MARKET_CODES
from data.words import count

# Yuan, and the part of the balance by which figures printed in 10^8 are rounded.
_ROUNDING, _ROUNDING_RATE = 1.0, 1e-5
# Powers of ten between units of measure of money, how near a step is to one of them, and the least balance
# of the larger one: below it a single purchase makes as large a step.
_UNITS, _NEAR, _LARGE = (3.0, 4.0, 8.0), 0.3, 1e7
# Funds of one day's list that tell of the whole list.
_FUNDS = 5
# Rows that tell of a whole series, and the part of them that must say the same.
_LEAST_ROWS, _MOST = 20, 0.5
# Balances over what a fund is worth, or over what is traded of it on a day: exchanges stop purchases at a
# quarter of the first. Usual are 0.1 % to 5 % of it, so that in 10^4 yuan they are a millionth or so.
_MOST_OF_A_FUND, _LEAST_PART = 10.0, 1e-5
# Balances in the middle of a series that are no money: China's market had 70 billion in 2012. A fund may
# truly have a few thousand yuan, and hardly less than the price of a lot.
_LEAST_OF_A_FUND, _LEAST_OF_A_MARKET, _NO_MONEY = 1e4, 1e9, 100.0


def margin_scale(data: Inputs) -> Iterator[Finding]:
    """Find balances in another unit of measure, in all rows or from one on.

    1. Balances that change by a thousand, by 10^4 or by 10^8, of most of five funds or more on one day, or of
       a fund for good: so are those in the middle of up to 20 rows on either side, five at least. A fund that
       became eligible yesterday may have a thousand times as much today, and one holder may repay it all.
    2. Of a fund with units and closes, balances ten times what all of its units are worth, in the middle.
    3. Of 20 days or more, balances below a hundred thousandth of that in the middle: a warning. Where there
       are no units they are held against what is traded on a day.
    4. Balances below 10^9 of a market in the middle. Of a fund, those below 10,000 are a warning; an error of
       20 rows or more below 100, or with parts of a yuan, which exchanges do not publish.
    """
    yield from _against_the_fund(data)
    steps = data.steps("margin")
    balances = np.log10(steps["balance"].where(steps["balance"] > 0).to_numpy(np.float64))
    changes = np.log10(steps["ratio"].where(steps["ratio"] > 0).to_numpy(np.float64))
    large = (steps["balance"] >= _LARGE) | (steps["before"] >= _LARGE)
    near = large & _near_a_unit(changes)
    # Only days with such a change are looked at: there is seldom one.
    on_such_a_day = steps["before"].notna() & steps["day"].isin(steps["day"][near])
    by_day = near[on_such_a_day].groupby(steps["day"][on_such_a_day])
    part = by_day.mean()
    lists = part.index[(part > _MOST) & (by_day.size() >= _FUNDS)]
    changed = near & steps["day"].isin(lists)
    symbols = steps["symbol"].to_numpy()
    for place in map(int, np.flatnonzero(near & ~changed)):
        before, after = sides(balances, symbols, place)
        if min(len(before), len(after)) >= FEWEST:
            change = np.nanmedian(after) - np.nanmedian(before)
            changed.iloc[place] = _near_a_unit(np.array([change]))[0]
    yield from _next_to_nothing(data, set(symbols[changed]))
    for symbol, rows in grouped(steps[changed], "symbol"):
        first = next(records(rows))
        yield Finding.on(
            "margin-scale",
            "error",
            "margin",
            str(symbol),
            rows["day"],
            f"balances change from {first.before:,.0f} to {first.balance:,.0f} from one row to the next",
            "Import again with the unit of `balance` named in a map file (--map), each part from a file of "
            "its own.",
        )


def _near_a_unit(changes: Floats) -> Bools:
    """Tell which changes, in powers of ten, are near to one between two units of measure."""
    near: Bools = np.min([np.abs(np.abs(changes) - unit) for unit in _UNITS], axis=0) <= _NEAR
    return near


def _against_the_fund(data: Inputs) -> Iterator[Finding]:
    bars, places = data.tables["bars"], data.beside("margin", "bars")
    units = _at(data.tables["units"]["units"], data.beside("margin", "units"))
    closes, volume = _at(bars["close"], places), _at(bars["volume"], places)
    margin = data.tables["margin"]
    of_worth = margin["balance"] / (units * closes)
    of_trades: pd.Series = margin["balance"] / np.where(volume > 0, volume * closes, np.nan)
    # What no row of a fund is, its middle is not: there are seldom such funds.
    odd = (of_worth > _MOST_OF_A_FUND) | (of_worth < _LEAST_PART) | (of_trades < _LEAST_PART)
    some = margin["symbol"].isin(margin["symbol"][odd].unique())
    rows = margin.assign(of_worth=of_worth, of_trades=of_trades)[some]
    middle = rows.groupby("symbol")["of_worth"].median()
    above = rows[rows["symbol"].isin(middle.index[middle > _MOST_OF_A_FUND]) & rows["of_worth"].notna()]
    for symbol, found in grouped(above, "symbol"):
        yield Finding.on(
            "margin-scale",
            "error",
            "margin",
            str(symbol),
            found["day"],
            f"balances are {middle[symbol]:,.1f} times what all units of the fund are worth, in the middle",
            "Name the units of measure of `balance` and of `units` in a map file (--map).",
        )
    there = rows[rows["balance"] > 0]
    by_fund = there.groupby("symbol")[["balance", "of_worth", "of_trades"]]
    medians, counts = by_fund.median(), by_fund.count()
    valued = counts["of_worth"] > 0
    part = medians["of_worth"].where(valued, medians["of_trades"])
    many = counts["of_worth"].where(valued, counts["of_trades"]) >= _LEAST_ROWS
    small = part.index[(part < _LEAST_PART) & many & (medians["balance"] >= _LEAST_OF_A_FUND)]
    for symbol, found in grouped(there[there["symbol"].isin(small)], "symbol"):
        said = "of what all units of the fund are worth" if valued[symbol] else "of what is traded on a day"
        yield Finding.on(
            "margin-scale",
            "warning",
            "margin",
            str(symbol),
            found["day"],
            f"balances are {part[symbol]:.1e} {said}, in the middle: that is next to nothing",
            "If they are in 10^4, import them again with a map file (--map) that says so: "
            'measures = { balance = "10^4" }.',
        )


def _at(values: pd.Series, places: Integers) -> Floats:
    """Return the values at places, NaN at -1."""
    found: Floats = np.append(values.to_numpy(np.float64), np.nan)[places]
    return found


def _next_to_nothing(data: Inputs, changed: set[str]) -> Iterator[Finding]:
    margin = data.tables["margin"]
    margin = margin[~margin["symbol"].isin(changed)]
    middle = margin[margin["balance"] > 0].groupby("symbol")["balance"].median()
    of_markets = middle.index.isin(list(MARKET_CODES))
    small = middle[middle < np.where(of_markets, _LEAST_OF_A_MARKET, _LEAST_OF_A_FUND)]
    for symbol, found in grouped(margin[margin["symbol"].isin(small.index)], "symbol"):
        parts = (found["balance"] % 1 != 0).mean() > _MOST
        no_money = len(found) >= _LEAST_ROWS and (small[symbol] < _NO_MONEY or parts)
        yield Finding.on(
            "margin-scale",
            "error" if symbol in MARKET_CODES or no_money else "warning",
            "margin",
            str(symbol),
            found["day"],
            f"balances are {small[symbol]:,.6g} in the middle, next to nothing for a "
            f"{'market' if symbol in MARKET_CODES else 'fund'}",
            "If they are in 10^4 or 10^8, import them again with a map file (--map) that says so: "
            'measures = { balance = "10^8" }.',
        )


def margin_identity(data: Inputs) -> Iterator[Finding]:
    """Find balances that are not the balance before, plus bought, less repaid, or less than what was bought.

    1. Of a fund whose purchases are above its balance on most of 20 days or more, one column is the other.
    2. Else only rows that have both flows and follow the session before (SZSE publishes no repayments).
    3. The difference may be one yuan, plus 0.001 % of the balance for figures that were rounded.
    """
    steps = data.steps("margin")
    above = (steps["bought"] > steps["balance"]).groupby(steps["symbol"]).transform("mean") > _MOST
    many = steps.groupby("symbol")["balance"].transform("size") >= _LEAST_ROWS
    for symbol, rows in grouped(steps[above & many], "symbol"):
        yield Finding.on(
            "margin-identity",
            "warning",
            "margin",
            str(symbol),
            rows["day"],
            f"purchases of a day are larger than the balance: {rows['bought'].median():,.0f} against "
            f"{rows['balance'].median():,.0f} in the middle",
            "The two columns are exchanged, or one is in another unit: name them in a map file (--map).",
        )
    steps = steps[~(above & many)]
    steps = steps.assign(off=steps["balance"] - steps["before"] - steps["bought"] + steps["repaid"])
    wrong = (steps["skipped"] == 0) & (steps["off"].abs() > _ROUNDING + _ROUNDING_RATE * steps["balance"])
    for symbol, rows in grouped(steps[wrong], "symbol"):
        row = worst(rows, "off")
        yield Finding.on(
            "margin-identity",
            "warning",
            "margin",
            str(symbol),
            rows["day"],
            f"balance is not the one before + bought - repaid on {count(len(rows), 'day')}, "
            f"off by {row.off:,.0f} on {row.day:%Y-%m-%d}",
            "Net financing is taken from balances. Compare with another source; check units of measure.",
        )


def margin_gap(data: Inputs) -> Iterator[Finding]:
    """Find sessions without a balance after the first one, and balances of zero between positive ones.

    Before its first row a fund was not eligible. After it, no row is a gap in the data and never a zero.
    A series that skips sessions in most of its rows is published less often (FINRA's: monthly) and has none.
    """
    steps = data.steps("margin")
    followed = np.append(data.follows("margin"), False)[1:]
    after = steps["balance"].shift(-1).where(followed)
    steps = steps.assign(zero=(steps["balance"] == 0) & (steps["before"] > 0) & (after > 0))
    gap = steps["skipped"] > 0
    if not (gap | steps["zero"]).any():
        return
    daily = gap.groupby(steps["symbol"]).transform("mean") < 0.5
    for symbol, rows in grouped(steps[steps["zero"] | (gap & daily)], "symbol"):
        yield Finding.on(
            "margin-gap",
            "warning",
            "margin",
            str(symbol),
            rows["day"],
            f"{count(int(rows['skipped'].sum()), 'session')} without a balance after the first one, and "
            f"{count(int(rows['zero'].sum()), 'balance')} of zero",
            "Import the missing days. Leave days without a figure out, instead of writing zero.",
        )
