"""Checks of recorded corporate actions that prices or unit counts contradict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from data.checks.finding import Finding, Severity
from data.checks.inputs import Inputs
from data.checks.jumps import NEARBY, likely
from data.checks.reading import TICK, days_of, grouped, records
from data.facts.symbols import market_of

# Days of the table that lie so far apart tell nothing of what happened between them.
_APART = np.timedelta64(2 * NEARBY)
# Bars that tell how far prices move in a night, and how many times that is no chance: 6.75 medians are 4.5
# standard deviations.
_NIGHTS, _BEYOND_CHANCE = 40, 6.75


def split_ratio(data: Inputs) -> Iterator[Finding]:
    """Find recorded splits that prices or unit counts contradict.

    1. Prices: on the ex-day, open or close must lie within the limit of the close before over the ratio.
       If not, the same move is looked for within ten days (wrong day); no move at all means prices that
       someone adjusted, or a split that never was; any other move is a wrong ratio.
    2. The exchange's reference price of the ex-day, where there is one, must agree within 1 %, or 3 % for
       each session without a bar since, in which NAV moved. An error if it is twice as far off.
    3. Units: the count must switch between the record day and the ex-day, and not elsewhere or never. Files
       of the Chinese exchanges switch on the record day. What switches on the ex-day may be dated a session
       late, as Tushare's `fund_share` of Shenzhen was seen to be: a note.
    """
    for split in records(data.splits):
        yield from _split_against_prices(data, split)
        yield from _split_against_units(data, split)


def dividend_cash(data: Inputs) -> Iterator[Finding]:
    """Find recorded dividends that prices contradict.

    1. One of no less than the price, or that makes prices jump beyond the limit.
    2. Those of a fund together: prices open lower by less than half of what they come to, and so much less
       than their usual gap of a night does not explain it. A warning: somebody took them out of the prices,
       or the cash is too much.
    """
    actions = data.tables["actions"]
    for symbol, dividends in grouped(actions[actions["kind"] == "dividend"], "symbol"):
        found = [(each, _bar_on_or_after(data, each)) for each in records(dividends)]
        paid = []
        for dividend, bar in found:
            if bar is not None and dividend.cash < bar.before and bar.beyond == 0:
                paid.append((dividend.cash / bar.before, 1 - bar.open / bar.before))
            elif bar is not None:
                yield _of_dividends(
                    "error",
                    dividends[dividends["ex_day"] == dividend.ex_day],
                    f"a dividend of {dividend.cash:g} per unit is recorded, but prices went from "
                    f"{bar.before:g} to {bar.open:g}",
                )
        moves = data.moves_of(str(symbol))
        if not paid or len(moves) < _NIGHTS:
            continue
        whole, lower = np.sum(paid, axis=0)
        night = float((moves["open"] / moves["before"] - 1).abs().median())
        if lower < whole / 2 and whole - lower > _BEYOND_CHANCE * night * np.sqrt(len(paid)):
            yield _of_dividends(
                "warning",
                dividends,
                f"dividends of {whole:.1%} of the price are recorded, and prices opened {lower:.1%} lower: "
                "somebody took them out of the prices, or the cash is too much",
            )


def _of_dividends(severity: Severity, dividends: pd.DataFrame, said: str) -> Finding:
    return Finding.on(
        "dividend-cash",
        severity,
        "actions",
        str(dividends["symbol"].iloc[0]),
        dividends["ex_day"],
        said,
        "Correct the rows of `actions`: cash is per unit, and some sources print it per ten. Or import the "
        "prices as traded.",
    )


def _split_against_prices(data: Inputs, split: Any) -> Iterator[Finding]:
    bar = _bar_on_or_after(data, split)
    if bar is None:
        return
    if bar.beyond == 0:
        off = abs(bar.pre_close - bar.reference)
        allowed = (0.03 * bar.skipped or 0.01) * bar.reference
        if off > allowed and off > 1.5 * TICK:
            said = (
                f"the exchange's reference price of {bar.pre_close:g} says {bar.before / bar.pre_close:.4g}"
            )
            yield _contradicted("bars", split, said, "error" if off > 2 * allowed else "warning")
        return
    plain = bar.open / bar.before
    if not bar.fall < plain < bar.rise:
        twice = bar.fall < plain * split.ratio**2 < bar.rise
        why = (
            "twice the split: the vendor had not adjusted them for it"
            if twice
            else likely(1 / plain, told=False)
        )
        yield _contradicted("bars", split, f"prices moved x{plain:.3f}: {why}")
        return
    moves = data.moves_of(split.symbol)
    switched = moves["open"] / moves["before"] * split.ratio
    near = np.abs(days_of(moves["day"]) - np.datetime64(split.ex_day)) <= np.timedelta64(NEARBY)
    elsewhere = moves["day"][near & (switched > bar.fall) & (switched < bar.rise)]
    if elsewhere.empty:
        said = f"prices show no trace of it (close {bar.before:g}, then open {bar.open:g})"
    else:
        said = f"prices switched on {elsewhere.iloc[0]:%Y-%m-%d}, not on the recorded ex-day"
    yield _contradicted("bars", split, said)


def _split_against_units(data: Inputs, split: Any) -> Iterator[Finding]:
    rows = data.rows_of("units", split.symbol)
    days, counts = days_of(rows["day"]), rows["units"].to_numpy(np.float64)
    record_day, ex_day = np.datetime64(split.record_day, "D"), np.datetime64(split.ex_day, "D")
    before = int(np.searchsorted(days, record_day)) - 1
    after = int(np.searchsorted(days, ex_day))
    if before < 0 or after == len(days) or days[after] - days[before] > _APART:
        return
    growth = counts[after] / counts[before]
    if max(split.ratio, 1 / split.ratio) < 1.5:
        return
    if abs(np.log(growth)) > abs(np.log(growth / split.ratio)):
        late = counts[after] / counts[after - 1]
        if (
            market_of(split.symbol) == "cn_etf"
            and days[after] == ex_day
            and record_day <= days[after - 1]
            and abs(np.log(late)) > abs(np.log(late / split.ratio))
        ):
            yield _dated_late(split, days[after - 1])
        return
    elsewhere = [
        days[row]
        for row in range(1, len(days))
        if abs(days[row] - ex_day) <= np.timedelta64(NEARBY)
        and not before < row <= after
        and abs(np.log(counts[row] / counts[row - 1] / split.ratio)) < np.log(1.25)
    ]
    if elsewhere:
        said = f"units switched on {elsewhere[0]}, not from the recorded record day {record_day} on"
    else:
        said = f"units show no trace of it ({counts[before]:,.0f}, then {counts[after]:,.0f})"
    yield _contradicted("units", split, said)


def _bar_on_or_after(data: Inputs, action: Any) -> Any:
    """Return the bar on which an action takes effect; None if it is the fund's first, or far away."""
    moves = data.moves_of(action.symbol)
    after = moves[(moves["day"] >= action.ex_day) & (moves["day"] <= action.ex_day + NEARBY)]
    bar = next(records(after), None)
    return None if bar is None or np.isnan(bar.before) else bar


def _dated_late(split: Any, day: Any) -> Finding:
    return Finding.on(
        "split-ratio",
        "note",
        "units",
        split.symbol,
        split.ex_day,
        f"units switched on the ex-day {split.ex_day:%Y-%m-%d}, and were still of before the split on {day}: "
        "files of the exchanges switch on the record day, so that these may be dated a session late",
        "Import the exchange's own counts, or say that days are of publication in a map file (--map): "
        'dated = "publication".',
    )


def _contradicted(table: str, split: Any, said: str, severity: Severity = "error") -> Finding:
    return Finding.on(
        "split-ratio",
        severity,
        table,
        split.symbol,
        split.ex_day,
        f"a split of {split.ratio:g} is recorded, but {said}",
        "Correct the row of `actions`, or import prices and units as published, adjusted by nobody: a file "
        "of yfinance with its column `Stock Splits` is brought back to that.",
    )
