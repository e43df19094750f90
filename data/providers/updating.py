"""Updating: a store brought to the last day that is over, by what it remembers of how it was fetched.

1. Take the recipes on record; without any, the tables and funds on file and the providers that are named.
2. Ask for each series of each table from its last day on file, with an overlap, and for what failed before.
3. Keep what comes as a fetch does: a value that is not the one on file is a revision, and refused unless it
   is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from data.errors import UsageError
from data.facts.actions import ENDS, RENAME
from data.facts.symbols import MARKET_CODES, market_of
from data.facts.universe import later_name
from data.providers.answers import listed
from data.providers.asking import Connection
from data.providers.fetching import (
    FetchReport,
    Market,
    Progress,
    Tally,
    ask,
    is_index,
    keep,
    refuse_synthetic,
    series_of,
    settle,
)
from data.providers.joining import Gap, Joined
from data.providers.published import Published
from data.providers.recipe import Memory, Recipe, read_memory
from data.store.merge import REVISIONS
from data.store.store import Store
from data.store.tables import TABLES

# Sessions on file that are asked for again. Vendors correct the last days: Friday's margin comes on Monday,
# bars are revised overnight, late creations change a count of units; a week of sessions sees all of that.
OVERLAP = 5
# Sessions after which a series without a row has ended: a fund that is gone, or not bought on margin any
# more.
ENDED = 20
_ONE_DAY = timedelta(days=1)


def update(
    store: Store,
    connection_to: Callable[[str], Connection],
    *,
    providers: Sequence[str] = (),
    symbols: Sequence[str] = (),
    end: date | None = None,
    accept_revision: bool = False,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> FetchReport:
    """Bring the tables of ``store`` to ``end``, the last day that is over if None.

    ``connection_to`` makes the connection of a provider. ``providers`` and ``symbols`` are those on record;
    what is given stands in for them this once. Raises as ``fetch`` does, and UsageError where the store does
    not remember a provider and none is named.
    """
    refuse_synthetic(store)
    memory = read_memory(store.recipe)
    of_files = not memory.recipes
    connections: dict[str, Connection] = {}
    markets: list[tuple[Recipe, Market]] = []
    for recipe in [_of_files(store, providers, connection_to)] if of_files else memory.recipes:
        for name in providers or recipe.providers:
            connections.setdefault(name, connection_to(name))
        chosen = [connections[name] for name in providers or recipe.providers]
        if market_of(recipe.symbols[0]) == chosen[0].provider.market:
            markets.append((recipe, settle(chosen, recipe.symbols, recipe.indices, now)))
    _check_symbols(symbols, [recipe for recipe, _ in markets])
    ends = ends_on_file(store)
    tell = Tally(progress)
    joined: list[Joined] = []
    wanted: dict[str, list[Gap]] = {}
    after = list(memory.recipes)
    # What two recipes have is asked for by the newer one.
    for recipe, market in reversed(markets):
        last = market.over if end is None else min(end, market.over)
        gaps = {
            table: _not_among(some, wanted.get(table, ()))
            for table, some in _gaps(
                store, memory, _only(recipe, symbols), market, last, of_files, ends
            ).items()
        }
        joined += ask(market, store, gaps, tell)
        for name, some in gaps.items():
            wanted.setdefault(name, []).extend(some)
        if not symbols:
            through = {name: max(last, recipe.through.get(name, last)) for name in recipe.tables}
            done = replace(recipe, through=through)
            after = [done if each is recipe else each for each in after] or [done]
    if not any(wanted.values()):
        nothing = ("there is nothing to ask for: what is on file goes on after that day",)
        day = end or date.today()
        return FetchReport(tuple(connections), (), (), nothing, 0, day, day, REVISIONS.empty())
    memory = Memory(tuple(after), memory.gaps)
    notes = _successors_to_fetch(ends, [name for recipe, _ in markets for name in recipe.symbols])
    return keep(store, list(connections.values()), joined, wanted, memory, notes, accept_revision)


def _of_files(store: Store, providers: Sequence[str], connection_to: Callable[[str], Connection]) -> Recipe:
    """Return a recipe for a store made of files: its tables, funds and indices that the providers have."""
    if not providers or not store.tables:
        fetch = f"etflow data fetch --provider akshare --symbols … --start … --data {store.folder}"
        if not store.tables:
            raise UsageError(f"there is no store `{store.folder}` yet", hint=f"Make it first: {fetch}")
        raise UsageError(
            f"the store `{store.folder}` does not remember how it was fetched",
            hint=f"Name a provider (--provider akshare), or fetch into it first: {fetch}",
        )
    connections = [connection_to(name) for name in providers]
    market, offered = (
        connections[0].provider.market,
        {name for connection in connections for name in connection.provider.tables},
    )
    names: dict[str, set[str]] = {"symbol": set(), "index": set()}
    days: list[date] = []
    for table in (name for name in store.tables if name in offered):
        spans = store.spans(table)
        names[TABLES[table].key[0]].update(spans)
        days += [span.first for span in spans.values() if span.first is not None]
    symbols = [name for name in names["symbol"] if name not in MARKET_CODES and market_of(name) == market]
    if not symbols:
        raise UsageError(
            f"the store `{store.folder}` has no funds that {' and '.join(providers)} has",
            hint="Name another provider.",
        )
    # Without the splits of the days that are added, prices and units of those days would be wrong.
    tables = tuple(name for name in TABLES if name in offered and (name in store.tables or name == "actions"))
    indices = tuple(sorted(code for code in names["index"] if is_index(code)))
    return Recipe(tuple(providers), tables, tuple(sorted(symbols)), indices, min(days))


def _check_symbols(symbols: Sequence[str], recipes: Sequence[Recipe]) -> None:
    on_record = {symbol for recipe in recipes for symbol in recipe.symbols}
    unknown = [symbol for symbol in symbols if symbol not in on_record]
    if unknown or not on_record:
        raise UsageError(
            "the store was not fetched with these funds" if unknown else "no provider has funds of the store",
            received=listed(unknown) if unknown else None,
            hint="Fetch them into it first: etflow data fetch --symbols … --start …",
        )


def _only(recipe: Recipe, symbols: Sequence[str]) -> Recipe:
    chosen = tuple(name for name in recipe.symbols if name in symbols)
    return replace(recipe, symbols=chosen) if symbols else recipe


def _not_among(gaps: Sequence[Gap], others: Sequence[Gap]) -> list[Gap]:
    """Return the gaps for the series that are in no other gap."""
    taken = {name for gap in others for name in gap.series}
    left = [replace(gap, series=tuple(name for name in gap.series if name not in taken)) for gap in gaps]
    return [gap for gap in left if gap.series]


@dataclass(frozen=True)
class End:
    """The first day on which a symbol is not that of its fund any more, and the one that it has since."""

    day: date
    successor: str | None = None


def ends_on_file(store: Store) -> Mapping[str, End]:
    """Return what ends which symbols: a rename, a merge or a liquidation, and renames that ship with etflow.

    A symbol that has a bar on that day or later has been given to another fund, and is in use.
    """
    last = _last_days(store, "bars")
    ends = {name: End(later.until, later.symbol) for name in last if (later := later_name(name)) is not None}
    actions = store.read("actions")
    rows: Iterable[Any] = actions[actions["kind"].isin((RENAME, *ENDS))].itertuples(index=False)
    for action in rows:
        renamed = action.kind == RENAME and isinstance(action.successor, str)
        ends[action.symbol] = End(action.ex_day.date(), action.successor if renamed else None)
    return {name: end for name, end in ends.items() if last.get(name, date.min) < end.day}


def _successors_to_fetch(ends: Mapping[str, End], symbols: Sequence[str]) -> list[str]:
    return [
        f"{name} became {end.successor} on {end.day}, which is not fetched: "
        f"etflow data fetch --symbols {end.successor}"
        for name in sorted(symbols)
        if (end := ends.get(name)) is not None and end.successor and end.successor not in symbols
    ]


def _gaps(
    store: Store,
    memory: Memory,
    recipe: Recipe,
    market: Market,
    last: date,
    of_files: bool,
    ends: Mapping[str, End],
) -> dict[str, list[Gap]]:
    """Return what is asked for, by table: the days since the last on file, and what failed before.

    A symbol that has ended is asked for until then, and not at all once its last days were asked for again.
    """
    offered = {name for connection in market.connections for name in connection.provider.tables}
    published = Published(market.name, market.now, {})
    gaps: dict[str, list[Gap]] = {}
    for table in (name for name in recipe.tables if name in offered and recipe.symbols):
        days = _last_days(store, "bars" if table == "actions" else table)
        series = series_of(table, recipe, market)
        going_on: dict[str, Gap] = {}
        for name in series:
            gap = _going_on(table, name, days.get(name), recipe, published, last)
            if (end := ends.get(name)) is not None:
                asked = recipe.through.get(table, end.day)
                over = published.between(end.day, asked) > OVERLAP
                gap = replace(gap, last=date.min if over else min(last, end.day - _ONE_DAY))
            if gap.first <= gap.last and (name in days or not of_files):
                going_on[name] = gap
        before = []
        for gap in (each for each in memory.gaps if each.table == table and each.first <= last):
            apart = []
            for name in (name for name in gap.series if name in series):
                if name in going_on and gap.meets(going_on[name]):
                    first = min(gap.first, going_on[name].first)
                    going_on[name] = replace(going_on[name], first=first)
                else:
                    apart.append(name)
            if apart:
                before.append(replace(gap, series=tuple(apart), last=min(gap.last, last)))
        gaps[table] = [*going_on.values(), *before]
    return gaps


def _going_on(
    table: str, name: str, on_file: date | None, recipe: Recipe, published: Published, last: date
) -> Gap:
    """Return the days of one series from its last on file, or else the last that was asked for."""
    asked = recipe.through.get(table)
    expected: bool | None = None if on_file is None else True
    base = on_file or asked
    if table == "actions":
        # Of which there are few: their last day tells nothing about what has been asked for.
        base, expected = asked or on_file, False
    elif on_file and asked and table != "index_weights" and published.between(on_file, asked) > ENDED:
        base, expected = asked, False
    first = recipe.start if base is None else max(published.first_of(OVERLAP, base), recipe.start)
    return Gap(table, (name,), first, last, expected=expected)


def _last_days(store: Store, table: str) -> Mapping[str, date]:
    return {name: span.last for name, span in store.spans(table).items() if span.last is not None}
