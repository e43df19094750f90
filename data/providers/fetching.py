"""Fetching: what providers answer into a store.

1. Settle what is wanted: funds of the providers' market, days that are over there (``settle``).
2. Ask for it table by table, the best provider first (``data.providers.joining``).
3. Append all tables to the store at once, with who gave which row and when, and with what was asked for and
   what failed to come, so that ``data.providers.updating`` can go on from there (``keep``).

What came is kept whatever else failed; what failed is reported with its reason, and nothing stands in for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from data.errors import DataError, UsageError, did_you_mean
from data.facts.symbols import MARKET_CODES, ZONES, market_of
from data.facts.universe import funds_of
from data.providers.answers import listed
from data.providers.asking import Connection
from data.providers.joining import Gap, Joined, join
from data.providers.published import Published
from data.providers.recipe import Memory, Recipe, read_memory, write_memory
from data.store.schema import Table
from data.store.spans import day_of
from data.store.store import Store
from data.store.tables import TABLES

Progress = Callable[[int, int, str], None]

# The hour from which the day of a market is over, in its zone: some vendors revise bars until 18:00.
DAY_IS_OVER = 18
_INDEX = re.compile(r"[0-9H]\d{5}")
_MARKET = {market: code for code, market in MARKET_CODES.items()}


@dataclass(frozen=True)
class Fetched:
    """What came for one table; ``added`` rows are new in the store, the others were there."""

    table: str
    series: int
    rows: int
    added: int
    first_day: date
    last_day: date
    providers: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did.

    ``providers`` were asked, from ``first_day`` to ``last_day``. ``missing`` is what did not come, ``notes``
    tell what else there is to know, ``calls`` counts the calls of the vendors.
    """

    providers: tuple[str, ...]
    fetched: tuple[Fetched, ...]
    missing: tuple[Gap, ...]
    notes: tuple[str, ...]
    calls: int
    first_day: date
    last_day: date
    revisions: pd.DataFrame


@dataclass(frozen=True)
class Market:
    """Where is asked: the connections, all of one market, its local time, its last day that is over."""

    connections: tuple[Connection, ...]
    name: str
    now: datetime
    over: date


def fetch(
    connections: Sequence[Connection],
    store: Store,
    symbols: Sequence[str],
    start: date,
    end: date | None = None,
    *,
    tables: Sequence[str] = (),
    indices: Sequence[str] = (),
    accept_revision: bool = False,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> FetchReport:
    """Fetch funds from ``start`` to ``end`` (the last day that is over if None) into ``store``.

    Each of ``connections`` asks a provider, the best first. ``tables`` are all that they have if empty;
    ``indices`` come besides those that the funds track. ``progress`` is called with the pieces done, their
    number so far, and what is next; ``now`` stands in for the clock. UsageError for what no provider has;
    DataError if nothing comes, or would change the past: then the store is as it was.
    """
    refuse_synthetic(store)
    market = settle(connections, symbols, indices, now)
    last = market.over if end is None else min(end, market.over)
    if start > last:
        raise UsageError(
            "the start is after the end",
            received=f"{start} to {last}",
            limit=f"to {market.over}, the last day that is over there",
        )
    recipe = Recipe(
        tuple(connection.provider.name for connection in connections),
        choose_tables(connections, tables),
        tuple(sorted(set(symbols))),
        tuple(sorted(set(indices))),
        start,
    )
    wanted = {
        name: [Gap(name, series, start, last)] if (series := series_of(name, recipe, market)) else []
        for name in recipe.tables
    }
    if not any(wanted.values()):
        raise UsageError(
            "which indices the funds track is not known", hint="Name some: --indices 930713,970070."
        )
    joined = ask(market, store, wanted, Tally(progress))
    memory = read_memory(store.recipe).with_recipe(
        replace(recipe, through=dict.fromkeys(recipe.tables, last))
    )
    late = [f"fetched through {last}: later days are not over yet"] if end is not None and end > last else []
    return keep(store, connections, joined, wanted, memory, late, accept_revision)


def refuse_synthetic(store: Store) -> None:
    """Raise UsageError for a store that holds a made-up market, which real rows must not be mixed with."""
    if store.synthetic:
        raise UsageError(
            f"the store `{store.folder}` holds a SYNTHETIC market", hint="Fetch into another store."
        )


class Tally:
    """Counts the pieces that are planned and done, for ``progress``."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._planned = 0
        self._done = -1

    def __call__(self, planned: int, text: str) -> None:
        """Note that so many more pieces are planned, and that the one before ``text`` is done."""
        self._planned += planned
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._planned, text)


def settle(
    connections: Sequence[Connection], symbols: Sequence[str], indices: Sequence[str], now: datetime | None
) -> Market:
    """Return the one market of the connections; UsageError if the funds are of another one."""
    names = " and ".join(connection.provider.name for connection in connections)
    name = connections[0].provider.market
    foreign = [symbol for symbol in symbols if market_of(symbol) != name]
    if foreign or not symbols or any(connection.provider.market != name for connection in connections):
        raise UsageError(
            f"{names} does not have the funds of that market" if symbols else "no funds to fetch",
            received=listed(foreign) if foreign else None,
            hint="akshare and tushare have Chinese funds, yfinance has American ones.",
        )
    unknown = [code for code in indices if not is_index(code)]
    if unknown:
        raise UsageError("not the code of an index", received=listed(unknown), limit="000300, 930713, H30184")
    local = (now or datetime.now().astimezone()).astimezone(ZoneInfo(ZONES[name]))
    over = local.date() - timedelta(days=0 if local.hour >= DAY_IS_OVER else 1)
    return Market(tuple(connections), name, local, over)


def is_index(code: str) -> bool:
    """Tell whether a code is that of an index as providers know it."""
    return _INDEX.fullmatch(code) is not None


def choose_tables(connections: Sequence[Connection], tables: Sequence[str]) -> tuple[str, ...]:
    """Return the tables named, all if none is, in the order of the schema; UsageError for one nobody has."""
    offered = {name for connection in connections for name in connection.provider.tables}
    for name in tables:
        if name not in offered:
            names = " and ".join(connection.provider.name for connection in connections)
            raise UsageError(f"{names} has no table `{name}`", hint=did_you_mean(name, sorted(offered)))
    return tuple(name for name in TABLES if name in (tables or offered))


def series_of(table: str, recipe: Recipe, market: Market) -> tuple[str, ...]:
    """Return the funds of a recipe, or the indices that they track and those that it names besides."""
    if TABLES[table].key[0] == "index":
        tracked = {fund.index for fund in funds_of(recipe.symbols).values() if fund.index}
        return tuple(sorted({code for code in tracked if is_index(code)} | set(recipe.indices)))
    whole = (_MARKET[market.name],) if table == "margin" else ()
    return (*recipe.symbols, *whole)


def ask(market: Market, store: Store, wanted: Mapping[str, Sequence[Gap]], tell: Tally) -> list[Joined]:
    """Ask for the gaps of each table."""
    symbols = {name for gaps in wanted.values() for gap in gaps for name in gap.series if "." in name}
    published = Published(market.name, market.now, funds_of(sorted(symbols), store.read("funds")))
    return [
        join(
            [connection for connection in market.connections if name in connection.provider.tables],
            name,
            gaps,
            published,
            tell,
        )
        for name, gaps in wanted.items()
        if gaps
    ]


def keep(
    store: Store,
    connections: Sequence[Connection],
    joined: Sequence[Joined],
    wanted: Mapping[str, Sequence[Gap]],
    memory: Memory,
    notes: Sequence[str],
    accept_revision: bool,
) -> FetchReport:
    """Append what came, and report; DataError if nothing did that must have, or nothing for a new store."""
    asked = [gap for gaps in wanted.values() for gap in gaps]
    missing = tuple(gap for each in joined for gap in each.missing)
    parts: dict[str, list[pd.DataFrame]] = {}
    for each in joined:
        if len(each.rows):
            parts.setdefault(each.table, []).append(each.rows)
    frames = {name: pd.concat(rows, ignore_index=True) for name, rows in parts.items()}
    if not frames and (missing or not store.tables):
        raise DataError(
            f"nothing came of what was asked for, {listed([str(gap) for gap in asked])}",
            received="; ".join(f"{gap.table} of {listed(gap.series)}: {gap.why}" for gap in missing[:3])
            or None,
            hint="The store is unchanged. Check symbols and days, try later, or take another provider.",
        )
    appended = store.append(
        frames,
        accept_revision=accept_revision,
        fetched=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        recipe=write_memory(memory.with_gaps(asked, missing)),
    )
    changes = {change.table: change for change in appended.changes}
    told = [*notes, *(note for each in joined for note in each.notes)]
    told += [
        f"{name}: rows on file of another source differ and stay as they are: {change.differing}"
        for name, change in changes.items()
        if change.differing
    ]
    return FetchReport(
        tuple(connection.provider.name for connection in connections),
        tuple(_fetched(TABLES[name], frame, changes[name].added) for name, frame in frames.items()),
        missing,
        tuple(told),
        sum(connection.calls for connection in connections),
        min(gap.first for gap in asked),
        max(gap.last for gap in asked),
        appended.revisions,
    )


def _fetched(schema: Table, frame: pd.DataFrame, added: int) -> Fetched:
    days = frame[day_of(schema)]
    providers, sources = (tuple(sorted(frame[name].dropna().unique())) for name in ("provider", "source"))
    series = int(frame[schema.key[0]].nunique())
    return Fetched(
        schema.name, series, len(frame), added, days.min().date(), days.max().date(), providers, sources
    )
