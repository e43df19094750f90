"""Checks of funds that became others: the terms of merges, names given up, indices changed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import days_of, records
from data.facts.universe import later_name

# What a unit gives may differ from its last price by premiums and by a day of trading, not by more.
_FURTHEST = 0.10
_RECENT = np.timedelta64(20, "D")
_TERMS = "Correct the row of `actions`: ratio is units of the successor for one of the fund."


def merge_terms(data: Inputs) -> Iterator[Finding]:
    """Find merges into a fund without bars, or whose ratio prices contradict.

    1. The successor has bars when it takes the fund over; else what is held is paid out at its last price.
    2. Ratio times the successor's last close before the ex-day is within 10 % of the fund's last close.
    """
    actions = data.tables["actions"]
    for action in records(actions[actions["kind"] == "merge"]):
        yield from _terms(data, action)


def another_index(data: Inputs) -> Iterator[Finding]:
    """Find funds whose bars begin when they tracked another index: that history is of another portfolio."""
    days = data.days("bars")
    for symbol, (start, _) in data.stretches("bars").items():
        fund, day = data.funds[symbol], days[start].item()
        now = (fund.index, fund.index_name)
        for before in reversed(fund.history):
            other = (before.index, before.index_name)
            if before.until > day and other != now:
                name = before.index_name or before.index or "another index"
                rows = data.rows_of("bars", symbol)
                yield Finding.on(
                    "another-index",
                    "warning",
                    "bars",
                    symbol,
                    rows["day"][days_of(rows["day"]) < np.datetime64(before.until)],
                    f"until {before.until} it tracked {name}, and since then {fund.index_name or fund.index}"
                    + (f"; it traded as {before.ticker}" if before.ticker != fund.ticker else ""),
                    "That is the history of another portfolio: begin a run on that day or later.",
                )
                break


def announced_rename(data: Inputs) -> Iterator[Finding]:
    """Find bars under a symbol that a fund has given up, without a rename on file that joins them."""
    for symbol in data.tables["bars"]["symbol"].unique():
        later = later_name(str(symbol))
        rows = data.rows_of("bars", str(symbol))
        if later is None or rows["day"].iloc[0].date() >= later.until:
            continue
        yield Finding.on(
            "announced-rename",
            "warning",
            "bars",
            str(symbol),
            rows["day"],
            f"{symbol} became {later.symbol} on {later.until}; they are two funds without its row",
            f"Add to the table `actions`: symbol {symbol}, kind rename, ex_day {later.until}, successor "
            f"{later.symbol}.",
        )


def _terms(data: Inputs, action: Any) -> Iterator[Finding]:
    mine, theirs = (_last_before(data, symbol, action.ex_day) for symbol in (action.symbol, action.successor))
    if mine is not None and theirs is None:
        message = f"{action.successor}, into which it merges, has no bar before {action.ex_day:%Y-%m-%d}"
        hint = "What is held is paid out at its last price. Import bars of the successor."
        yield _finding("warning", action, message, hint)
    elif mine is not None and theirs is not None:
        worth = action.ratio * theirs[1]
        near = max(mine[0], theirs[0]) - min(mine[0], theirs[0]) < _RECENT
        if near and abs(worth / mine[1] - 1) > _FURTHEST:
            message = (
                f"a unit at {mine[1]:g} gives {action.ratio:g} units of {action.successor} at {theirs[1]:g}, "
                f"which is {worth:.4g}: prices say a ratio of about {mine[1] / theirs[1]:.4g}"
            )
            yield _finding("error", action, message, _TERMS)


def _last_before(data: Inputs, symbol: str, day: date) -> tuple[np.datetime64, float] | None:
    """Return day and close of the last bar before a day, None without one."""
    rows = data.rows_of("bars", symbol)
    before = int(np.searchsorted(days_of(rows["day"]), np.datetime64(day, "D")))
    if before == 0:
        return None
    return days_of(rows["day"])[before - 1], float(rows["close"].iloc[before - 1])


def _finding(severity: Any, action: Any, message: str, hint: str) -> Finding:
    return Finding.on("merge-terms", severity, "actions", action.symbol, action.ex_day, message, hint)
