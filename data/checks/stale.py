"""Checks of series that stopped being facts: values that repeat too long, lists that lose their members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import Days, grouped, worst
from data.store.tables import FACT_TABLES
from data.words import count

_LOST_PART = 0.20
_LOST_LEAST = 3
_CUT_LEAST = 20


def frozen_series(data: Inputs) -> Iterator[Finding]:
    """Find values that repeat: a source that stopped and is filled forward, or a row copied to another day.

    1. Rows equal to the row before in what a panel carries of them, and how many of them follow each other.
    2. As many as the table allows (``Table.repeats``) are fine: of bars none with their volume (without
       volume they are halts, and may), of index levels one, of NAV and margin balances four, of units 39.
    """
    for table in FACT_TABLES:
        if table.repeats is None:
            continue
        frame, key = data.tables[table.name], table.key[0]
        columns = [column.name for column in table.measured if column.required]
        same = pd.Series(data.follows(table.name), index=frame.index)
        for column in columns:
            same &= frame[column] == frame[column].shift()
        if "volume" in columns:
            same &= frame["volume"] > 0
        if not same.any():
            continue
        runs = frame.assign(repeats=same.groupby((~same).cumsum()).transform("sum"), value=frame[columns[0]])
        for series, rows in grouped(runs[same & (runs["repeats"] > table.repeats)], key):
            longest = worst(rows, "repeats")
            yield Finding.on(
                "frozen-series",
                "warning",
                table.name,
                str(series),
                rows["day"],
                f"{count(len(rows), 'row')} the same as the row before, at most {longest.repeats} in a row, "
                f"at {columns[0]} {longest.value:,.10g}",
                "If the source stopped, end the series where it did. Leave copies of a row out.",
            )


def lost_members(data: Inputs) -> Iterator[Finding]:
    """Find lists of funds that lose members silently: a download cut short, a source that ended.

    1. Per exchange, the number of funds with a row: a fall by more than a fifth, and by three or more, from
       one day with rows to the next is a list cut short.
    2. Funds whose rows end before the last day of the table, without a delisting on file, were lost.
    3. A number of funds that stays the same while its members change is a list cut at a fixed length.
    """
    for table in ("bars", "units"):
        exchanges: dict[str, dict[str, Days]] = {}
        for symbol, (start, stop) in sorted(data.stretches(table).items()):
            exchanges.setdefault(symbol.rpartition(".")[2], {})[symbol] = data.days(table)[start:stop]
        for exchange, members in sorted(exchanges.items()):
            counts = _by_day(np.concatenate([*members.values()]))
            yield from _falls(table, exchange, counts)
            yield from _ended(data, table, exchange, members, counts)


def _by_day(days: Days) -> pd.Series:
    """Return the number of rows of each day that has some, by day; without sorting them."""
    counts = np.bincount((days - days.min()).astype(np.int64))
    there = np.flatnonzero(counts)
    index = pd.DatetimeIndex((days.min() + there).astype("datetime64[us]"), name="day")
    return pd.Series(counts[there], index=index)


def _falls(table: str, exchange: str, counts: pd.Series) -> Iterator[Finding]:
    before = counts.shift()
    for day in counts.index[(counts < before * (1 - _LOST_PART)) & (before - counts >= _LOST_LEAST)]:
        yield Finding.on(
            "lost-members",
            "warning",
            table,
            exchange,
            day,
            f"funds with a row: {counts[day]}, after {before[day]:.0f} on the day before",
            "Import the missing funds, or check that the download was not cut short.",
        )


def _ended(
    data: Inputs, table: str, exchange: str, members: Mapping[str, Days], counts: pd.Series
) -> Iterator[Finding]:
    last = pd.Series({symbol: days[-1] for symbol, days in members.items()}).astype("datetime64[us]")
    final = last.max()
    known = [symbol for symbol, end in data.ends.items() if end <= final.date()]
    ended = last[(last < final) & ~last.index.isin(known)]
    if ended.empty:
        return
    shown = ", ".join(f"{symbol} {day:%Y-%m-%d}" for symbol, day in ended.head(4).items())
    more = f" and {len(ended) - 4} more" if len(ended) > 4 else ""
    found = Finding.on(
        "lost-members",
        "warning",
        table,
        exchange,
        ended,
        f"{len(ended)} of {len(last)} funds end before the last day {final:%Y-%m-%d}: {shown}{more}"
        + _cut_at(members, counts),
        "A fund is not traded after its last bar. Import what is missing, or say in the table `funds` "
        "when it was delisted.",
    )
    yield replace(found, last=final.date())  # they are missing until then


def _cut_at(members: Mapping[str, Days], counts: pd.Series) -> str:
    """Say at which length a list is cut, if it has the same on 20 days while its members change."""
    usual = int(counts.mode().iloc[-1])
    same = counts.index[counts == usual].to_numpy("datetime64[D]")
    there = sum(bool(np.isin(days, same).any()) for days in members.values())
    if usual < _CUT_LEAST or len(same) < _CUT_LEAST or there == usual:
        return ""
    return f"; exactly {usual} funds on {len(same)} days, but not the same ones: the list is cut there"
