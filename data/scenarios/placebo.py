"""Placebo flows: real flows in the wrong order, or of the wrong fund.

A flow is taken as a rate, so that it can be moved: units created relative to the units before (split-safe),
and the relative change of the margin balance. From moved rates new unit counts and balances are made, which
were public when the real ones were; prices, NAV and everything else stay. So whatever a strategy earns on a
placebo, it does not earn by knowing flows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.panel.flows import row_before, unit_changes
from data.panel.known import Series
from data.panel.panel import Ingredients, Panel
from data.scenarios.perturb import settled

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
class Placebo:
    """The flows of a market as rates; ``in_time`` and ``between_funds`` return markets with moved ones."""

    given: Ingredients
    units: Chain | None
    margin: Chain | None
    market_margin: Chain | None

    @classmethod
    def of(cls, panel: Panel) -> Placebo:
        """Return the rates of a panel's flows."""
        given = settled(panel.ingredients)
        facts = given.facts
        units = margin = whole = None
        if facts.units is not None:
            growth = unit_changes(facts.units, panel.market.events).growth
            units = Chain.of(facts.units, np.where(np.isfinite(growth), growth, 1.0))
        if facts.margin_balance is not None:
            margin = Chain.of(np.maximum(facts.margin_balance, FLOOR), np.ones(facts.margin_balance.shape))
        if facts.market_margin is not None:
            values = np.maximum(facts.market_margin.values, FLOOR)
            whole = Chain.of(values, np.ones(values.shape))
        return cls(given, units, margin, whole)

    def in_time(self, rng: np.random.Generator, block: int = BLOCK) -> Ingredients:
        """Return the market in which each fund has its own flows in another order, in blocks of sessions."""
        return self._moved(lambda rates: _each_column(rates, rng, block), market_too=True)

    def between_funds(self, rng: np.random.Generator) -> Ingredients:
        """Return the market in which each fund has the flows of another, on the same days.

        On days on which the other has none, a fund keeps its own.
        """
        order = _without_fixed_points(len(self.given.symbols), rng)
        return self._moved(lambda rates: np.where(np.isfinite(rates[:, order]), rates[:, order], rates))

    def _moved(self, move: Callable[[Floats], Floats], *, market_too: bool = False) -> Ingredients:
        facts = self.given.facts
        if self.units is not None:
            facts = replace(facts, units=self.units.with_rates(move(self.units.rates)))
        if self.margin is not None:
            facts = replace(facts, margin_balance=self.margin.with_rates(move(self.margin.rates)))
        if market_too and self.market_margin is not None and facts.market_margin is not None:
            values = self.market_margin.with_rates(move(self.market_margin.rates))
            facts = replace(facts, market_margin=Series(values, facts.market_margin.usable_from))
        return replace(self.given, facts=facts)


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
