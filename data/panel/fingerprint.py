"""The fingerprint of a panel: a hash of everything that could change a result.

Run ids contain it. So tables that every panel has (``Table.always``) are hashed the way they always were, and
one that came later is added after them where the data have it: data without it keep their fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import Action
from data.facts.rules import RuleArrays
from data.panel.facts import Facts, Grid, Listings, of_markets, usable_after
from data.store.tables import FACT_TABLES, FUND_TABLES

Array = NDArray[np.generic]
Integers = NDArray[np.int64]


def fingerprint(
    days: NDArray[np.datetime64],
    symbols: Sequence[str],
    facts: Facts,
    rules: RuleArrays,
    listings: Listings,
    actions: Iterable[Action],
    currency: str | None = None,
) -> str:
    """Return a hash of all that a panel is made of; ``currency`` where money is converted to it."""
    digest = hashlib.sha256()

    def add(label: str, *arrays: Array | None) -> None:
        digest.update(label.encode())
        for array in arrays:
            digest.update(b"-" if array is None else np.ascontiguousarray(array).data)

    add("days", days.astype(np.int64))
    actions = tuple(actions)
    digest.update(repr((tuple(symbols), listings, actions)).encode())
    successors = [(each.symbol, each.ex_day, each.successor) for each in actions if each.successor]
    digest.update(repr(successors).encode() if successors else b"")
    always = {name: grid for name, grid in facts.grids.items() if grid.schema.always}
    of_funds = {name: grid for name, grid in always.items() if grid.series is None}
    for column in sorted(of_funds["bars"].columns):
        add(column, of_funds["bars"].columns[column])
    add("facts", *_of_funds(of_funds, len(symbols)))
    for name in sorted(of_funds):
        if (usable := _unless_lagged(of_funds[name], facts.lags)) is not None:
            add(name, usable)
    digest.update(repr(sorted(facts.lags.items())).encode())
    for name in (each.name for each in FACT_TABLES if each.name in always and each.name not in of_funds):
        usable, names = _unless_lagged(always[name], facts.lags), always[name].series or ()
        for series in sorted(names):
            place = names.index(series)
            add(series, always[name].measure[:, place], None if usable is None else usable[:, place])
            for column in always[name].schema.measures[1:]:
                values = always[name].columns.get(column)
                if values is not None and np.isfinite(values[:, place]).any():
                    add(column, values[:, place])
    for name in (of_markets(each.name) for each in FUND_TABLES if of_markets(each.name) in always):
        add(name, always[name].measure, always[name].usable_from)
    digest.update(repr(facts.index_weights).encode())
    add("rules", rules.lot, rules.tick, rules.price_limit, rules.buy_fee_rate, rules.sell_fee_rate)
    for name, grid in sorted(facts.grids.items()):
        if name not in always:
            digest.update(repr((name, grid.series, grid.recorded_from, sorted(grid.columns))).encode())
            add("", *(grid.columns[column] for column in sorted(grid.columns)), grid.usable_from)
    if currency is not None:
        digest.update(currency.encode())
    return digest.hexdigest()[:16]


def _of_funds(grids: Mapping[str, Grid], funds: int) -> Iterator[Array | None]:
    """Yield what is published about funds, table by table; None for what is not there."""
    for table in FUND_TABLES:
        if table.always:
            grid = grids.get(table.name)
            yield from (None if grid is None else grid.columns[name] for name in table.measures)
            if table.begins_at_zero:
                first = None if grid is None else grid.recorded_from
                yield None if first is None else np.full(funds, first, dtype=np.int64)


def _unless_lagged(grid: Grid, lags: Mapping[str, int]) -> Integers | None:
    """Return when the rows of a grid are usable; None where ``lags`` say the same."""
    sessions, series = grid.usable_from.shape
    lagged = usable_after(sessions, series, lags.get(grid.table, 1))
    return None if lags and np.array_equal(grid.usable_from, lagged) else grid.usable_from
