"""Placebo data: what is published about funds in the wrong order, or about the wrong fund.

Flows are taken as rates, so that they can be moved: units created relative to the units before (split-safe),
and the relative change of the margin balance. From moved rates new unit counts and balances are made. Ratios
and levels, as a premium, are moved as they are. All were public when the real ones were; prices, NAV and
everything else stay. So whatever a strategy earns on a placebo, it does not earn by knowing those data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import Event
from data.panel.facts import of_markets
from data.panel.flows import row_before, unit_changes
from data.panel.panel import Ingredients, Panel
from data.scenarios.perturb import settled
from data.store.schema import Column, Table
from data.store.tables import FUND_TABLES

Floats = NDArray[np.float64]

BLOCK = 20
# Balances are taken as at least this much money: from nothing there is no rate.
FLOOR = 1.0


@dataclass(frozen=True)
class Chain:
    """Levels as a product of rates: ``level[t] = level[t before] * carried[t] * (1 + rate[t])``, (D, S).

    ``rates`` are NaN on a first level and where there is none; ``carried`` is the split ratio in between.
    """

    levels: Floats
    carried: Floats
    rates: Floats

    @classmethod
    def of(cls, levels: Floats, carried: Floats) -> Chain:
        """Return the chain of ``levels``, NaN where there is none."""
        before = row_before(levels)
        columns = np.broadcast_to(np.arange(levels.shape[1]), levels.shape)
        earlier = np.where(before >= 0, levels[np.maximum(before, 0), columns], np.nan)
        return cls(levels, carried, levels / (earlier * carried) - 1.0)

    def with_rates(self, rates: Floats) -> Floats:
        """Return the levels that other rates give, from the first level of each column on."""
        first = np.isfinite(self.levels) & np.isnan(self.rates)
        growth = np.where(np.isfinite(self.rates), self.carried * (1.0 + rates), 1.0)
        start = np.where(first, self.levels, 0.0).sum(axis=0)
        levels = start * np.multiply.accumulate(np.where(np.isnan(growth), 1.0, growth), axis=0)
        return np.where(np.isfinite(self.levels), levels, np.nan)


@dataclass(frozen=True)
class Values:
    """Levels that are moved as they are, (D, S)."""

    rates: Floats

    def with_rates(self, rates: Floats) -> Floats:
        """Return other levels where there were some."""
        return np.where(np.isfinite(self.rates), rates, np.nan)


@dataclass(frozen=True)
class Placebo:
    """What can be moved of a market, by name of the grid and column; methods return markets with it moved."""

    given: Ingredients
    moves: Mapping[tuple[str, str], Chain | Values]

    @classmethod
    def of(cls, panel: Panel) -> Placebo:
        """Return what can be moved in a panel."""
        given, events = settled(panel.ingredients), panel.market.events
        return cls(
            given,
            {
                (name, column.name): _move(column, grid.columns[column.name], events)
                for name, grid in given.facts.grids.items()
                for column in _moving(grid.schema)
            },
        )

    def in_time(self, rng: np.random.Generator, block: int = BLOCK) -> Ingredients:
        """Return the market in which each fund has its own data in another order, in blocks of sessions."""
        return self._moved(lambda rates: _each_column(rates, rng, block), markets=True)

    def between_funds(self, rng: np.random.Generator) -> Ingredients:
        """Return the market in which each fund has the data of another, on the same days.

        On days on which the other has none, a fund keeps its own. What is of the whole market stays.
        """
        order = _without_fixed_points(len(self.given.symbols), rng)
        return self._moved(lambda rates: np.where(np.isfinite(rates[:, order]), rates[:, order], rates))

    def _moved(self, move: Callable[[Floats], Floats], *, markets: bool = False) -> Ingredients:
        grids = dict(self.given.facts.grids)
        for (name, column), each in self.moves.items():
            if markets or grids[name].series is None:
                columns = dict(grids[name].columns) | {column: each.with_rates(move(each.rates))}
                grids[name] = replace(grids[name], columns=columns)
        return replace(self.given, facts=replace(self.given.facts, grids=grids))


def _moving(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table that are moved: of what is published about funds, all but prices."""
    if table not in FUND_TABLES:
        return ()
    return tuple(column for column in table.measured if column.scale != "price")


MOVED = frozenset(
    name for table in FUND_TABLES if _moving(table) for name in (table.name, of_markets(table.name))
)
"""Names of the grids of which a placebo moves something."""


def _move(column: Column, levels: Floats, events: tuple[Event, ...]) -> Chain | Values:
    if column.sign == "any" or column.scale not in ("count", "money"):
        return Values(levels)
    if column.scale == "money":
        return Chain.of(np.maximum(levels, FLOOR), np.ones(levels.shape))
    growth = unit_changes(levels, events).growth
    return Chain.of(levels, np.where(np.isfinite(growth), growth, 1.0))


def _each_column(rates: Floats, rng: np.random.Generator, block: int) -> Floats:
    """Return the finite rates of each column in another order: turned by chance, then blocks shuffled."""
    result = rates.copy()
    for column in range(rates.shape[1]):
        rows = np.flatnonzero(np.isfinite(rates[:, column]))
        if len(rows):
            turned = np.roll(rates[rows, column], int(rng.integers(len(rows))))
            blocks = np.array_split(turned, max(1, len(rows) // block))
            result[rows, column] = np.concatenate([blocks[each] for each in rng.permutation(len(blocks))])
    return result


def _without_fixed_points(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return an order of ``count`` funds in which none keeps its place, where there are two or more."""
    order = rng.permutation(count)
    while count > 1 and (order == np.arange(count)).any():
        order = rng.permutation(count)
    return order.astype(np.int64)
