"""Checks of tables against each other: what ends before the bars do, and what is missing altogether."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import DATED
from data.facts.rules import LONGEST_HALT
from data.facts.symbols import MARKET_CODES
from data.store.tables import TABLES

# Tables whose single funds `lost-members` holds against the others: here only whole exchanges count.
_LISTS = ("bars", "units")
_SHOWN = 4
_HINT = "Values are unknown after that. Import what is missing, or end earlier."

Days = Mapping[str, date]


def ends_early(data: Inputs) -> Iterator[Finding]:
    """Find what ends more than ten sessions before the bars do: an exchange, a table, a series.

    1. Bars of an exchange are held against the last bar of their market.
    2. Rows about funds are held against the last bars of these funds, exchange by exchange. Funds that were
       delisted by then do not count. Of lists of funds, only the last row of all counts (`lost-members`).
    3. Index levels, and rows of a whole market, are held against the last bar of their market. A market's
       margin may come once a month, and so has 44 sessions.
    4. A table that has one exchange of a market, and nothing of another one with bars, lacks that one.
    """
    bars = _last_days(data, "bars")
    final: dict[str, date] = {}
    for symbol, day in bars.items():
        market = data.market(symbol)
        final[market] = max(day, final.get(market, day))
    for table, key in DATED.items():
        last = _last_days(data, table)
        funds = {each: day for each, day in last.items() if key == "symbol" and each not in MARKET_CODES}
        yield from _of_funds(data, table, funds, bars, final)
        allowed = max(TABLES[table].markets or 0, LONGEST_HALT)
        for series in sorted(last.keys() - funds.keys()):
            until = final.get(data.market(series), last[series])
            missing = _sessions(data, series, last[series], until)
            if missing > allowed:
                told = f"rows end {last[series]}, {missing} sessions before the last bar {until}"
                yield _finding(table, series, last[series], until, missing, told)


def _of_funds(data: Inputs, table: str, last: Days, bars: Days, final: Days) -> Iterator[Finding]:
    for exchange in sorted({symbol.rpartition(".")[2] for symbol in bars}):
        own = [symbol for symbol in sorted(bars) if symbol.endswith(f".{exchange}")]
        market = data.market(own[0])
        living = [symbol for symbol in own if not _is_over(data, symbol, final[market])]
        here = [symbol for symbol in living if symbol in last]
        until = {symbol: final[market] if table == "bars" else bars[symbol] for symbol in here}
        missing = {symbol: _sessions(data, symbol, last[symbol], until[symbol]) for symbol in here}
        if table in _LISTS and here:
            latest = max(last[symbol] for symbol in here)
            whole = _sessions(data, own[0], latest, max(until.values()))
            early = here if whole > LONGEST_HALT else []
        else:
            early = [symbol for symbol in here if missing[symbol] > LONGEST_HALT]
        if early:
            worst = max(early, key=lambda symbol: (last[symbol], symbol))
            told = (
                f"{len(early)} of {len(living)} funds end {missing[worst]} or more sessions before the "
                f"last bar {until[worst]}: {_named([f'{symbol} {last[symbol]}' for symbol in early])}"
            )
            first, most = min(last[symbol] for symbol in early), max(missing.values())
            yield _finding(table, exchange, first, max(until.values()), most, told)
        elif living and not here and _others(data, table, last, market):
            told = f"no rows of {exchange}, although its other exchange has some: {_named(living)}"
            first = min(data.rows_of("bars", symbol)["day"].iloc[0].date() for symbol in living)
            yield _finding(table, exchange, first, final[market], len(living), told)


def _others(data: Inputs, table: str, last: Days, market: str) -> bool:
    """Whether a table that should have all funds has any of a market; the others may be no margin targets."""
    return not TABLES[table].begins_at_zero and any(data.market(symbol) == market for symbol in last)


def _finding(table: str, what: str, first: date, last: date, count: int, told: str) -> Finding:
    return Finding("ends-early", "warning", table, what, first, last, count, told, _HINT)


def _named(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _last_days(data: Inputs, table: str) -> dict[str, date]:
    days = data.days(table)
    return {name: days[stop - 1].item() for name, (_, stop) in sorted(data.stretches(table).items())}


def _is_over(data: Inputs, symbol: str, day: date) -> bool:
    end = data.ends.get(symbol)
    return end is not None and end <= day


def _sessions(data: Inputs, key: str, first: date, last: date) -> int:
    """Return the number of sessions after one day up to another."""
    sessions = data.sessions(data.market(key))
    after, until = (int(np.searchsorted(sessions, np.datetime64(day), side="right")) for day in (first, last))
    return until - after
