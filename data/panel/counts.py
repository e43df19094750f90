"""Counts of fund units: from when on each is known, for how long it is good, and what it changed.

Counts come daily, or seldom (weekly, monthly): those are good until the next one is due. What a change is
worth is known once the count, the one before it and the price are.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data.panel.facts import Facts
from data.panel.flows import UnitFlows, row_before, unit_changes, unit_prices
from data.panel.market import Market
from data.panel.publication import Published, Series, read_only, since

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Sessions between counts from which on they come seldom, as weekly ones do: fewer are holes among daily ones.
SELDOM = 4


class UnitCounts:
    """The counts of the funds of a panel, (D, S) by the session that each is of; computed when asked for.

    Bars are not looked at before a price is: what a strategy reads is noted (``data.panel.watched``).
    """

    def __init__(self, facts: Facts, published: Published, market: Market) -> None:
        self._facts = facts
        self._published = published
        self._market = market

    @cached_property
    def series(self) -> Series:
        """Fund units outstanding, as published."""
        return self._published.series("units")

    @cached_property
    def nav(self) -> Series:
        """Net asset value per fund unit, as published."""
        return self._published.series("nav")

    @cached_property
    def changes(self) -> UnitFlows:
        """Units created less redeemed from one count to the next, split-safe."""
        return unit_changes(self.series.values, self._market.events, self.series.usable_from)

    @cached_property
    def change_from(self) -> Integers:
        """First session whose open may use each change."""
        return since(self.series.usable_from, self.changes.before)

    @cached_property
    def every(self) -> Integers:
        """Sessions from one count to the next as they come seldom, by the session of a count; 0: daily.

        The fewer of those to the count before and of those between the two before that, so that a hole among
        daily counts makes none of them seldom. What is known with the count decides.
        """
        gap, before = self.changes.merged, self.changes.before
        if not (gap >= SELDOM).any():
            return np.broadcast_to(np.int64(0), gap.shape)
        columns = np.broadcast_to(np.arange(gap.shape[1]), gap.shape)
        earlier = gap[np.maximum(before, 0), columns]
        usual = np.where((before >= 0) & (earlier > 0), np.minimum(gap, earlier), gap)
        seldom = np.isfinite(self.series.values) & (usual >= SELDOM)
        return np.where(seldom, usual, 0)

    @cached_property
    def good_for(self) -> Integers:
        """Sessions for which each count is good: up to the next one, and once more if that is late."""
        return 2 * self.every if self.every.any() else self.every

    def awaited(self) -> Floats:
        """Return by row of the known face the sessions since the latest count that comes seldom; 0: daily."""
        if not self.every.any():
            return read_only(np.zeros(self.every.shape))
        rows = np.arange(len(self.every))[:, None]
        since_then = rows - self._published.of_latest(self.series, self.series.usable_from)
        usual = self._published.of_latest(self.series, self.every)
        return read_only(np.nan_to_num(np.minimum(since_then, usual), nan=0.0))

    def price(self, valuation: str) -> Floats:
        """Return the price that a unit is valued at in each session, on the basis of its count."""
        market = self._market
        return unit_prices(
            valuation,
            self.changes,
            vwap=market.vwap,
            close=market.close,
            mark=market.mark,
            nav=self.nav.values,
        )

    def price_from(self, valuation: str) -> Integers:
        """Return the first session whose open may use the price of each session."""
        if valuation == "nav":
            return self.nav.usable_from
        if valuation == "prev_nav":
            before = row_before(self.nav.values)
            columns = np.broadcast_to(np.arange(before.shape[1]), before.shape)
            return self.nav.usable_from[np.where(before >= 0, before, 0), columns]
        return self._facts.grids["bars"].usable_from
