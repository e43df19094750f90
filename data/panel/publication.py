"""Publication: which values are known before each open, and which became known with it.

Values are (D, S) by the session to which they belong, beside ``usable_from``, the first session whose open
may use each. ``Published`` asks this of the facts of a panel; ``latest_known`` and ``newly_known`` work it
out, with the same bits in machine code, which large arrays are worth.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, did_you_mean
from data.numeric.compiled import compiled, frozen, loaded
from data.panel.facts import Facts, Grid, of_markets
from data.store.tables import table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Cells above which machine code pays, although the compiler has to be loaded, and where it is there already.
LARGE, LOADED = 1_000_000, 30_000


@dataclass(frozen=True)
class Series:
    """Values by the session they belong to, and the first session whose open may use each, (D, S)."""

    values: Floats
    usable_from: Integers


class Published:
    """The facts of a panel as they become public; arrays are read-only.

    A value is good for ``stale_after`` sessions, or for longer if its table says so.
    """

    def __init__(self, facts: Facts, shape: tuple[int, ...], stale_after: int) -> None:
        self._grids = facts.grids
        self._sessions, self._funds = shape
        self.stale_after = stale_after

    def series(self, name: str, column: str = "") -> Series:
        """Return a column of a table about funds, (D, S), the main one if none is named; NaN without rows."""
        grid = self._grids.get(name)
        if grid is None:
            return no_series(self._sessions, self._funds)
        return Series(grid.columns[column] if column else grid.measure, grid.usable_from)

    def recorded_from(self, name: str) -> int:
        """Return the first session on which a table about funds has a row."""
        grid = self._grids.get(name)
        return 0 if grid is None else grid.recorded_from or 0

    def latest(self, name: str, column: str = "") -> Floats:
        """Return the latest public value of a column of a table about funds, (D, S)."""
        return self.level(self.series(name, column), table(name).good_for)

    def names(self, name: str) -> tuple[str, ...]:
        """Return what a table that is not about funds has series of."""
        grid = self._grids.get(name)
        return () if grid is None else grid.series or ()

    def named(self, name: str, series: str, kind: str) -> Floats:
        """Return the latest public value of one of them, (D,); DataError, which calls it ``kind``, if not."""
        names = self.names(name)
        require(series, names, kind)
        return self._line(self._grids[name], names.index(series), table(name).good_for)

    def of_market(self, name: str) -> Floats:
        """Return the latest public value of a table for the whole market, (D,)."""
        grid = self._grids.get(of_markets(name))
        if grid is None:
            return read_only(np.full(self._sessions, np.nan))
        return self._line(grid, 0, table(name).markets or 0)

    def level(self, series: Series, good_for: int | Integers = 0) -> Floats:
        """Return the latest public value, NaN once it is stale.

        ``good_for``: sessions for which all values are good, or each (D, S), if longer than ``stale_after``.
        """
        values, usable_from = series.values, series.usable_from
        if isinstance(good_for, int):
            return read_only(latest_known(values, usable_from, max(self.stale_after, good_for)))
        if not (good_for > self.stale_after).any():
            return read_only(latest_known(values, usable_from, self.stale_after))
        stale_from = usable_from + np.maximum(good_for, self.stale_after)
        rows = np.arange(len(values))[:, None]
        fresh = rows < self.of_latest(series, stale_from)
        return read_only(np.where(fresh, latest_known(values, usable_from, len(values)), np.nan))

    def of_latest(self, series: Series, numbers: Integers) -> Floats:
        """Return for each row the number that belongs to the latest public value, however old; NaN: none."""
        of_values = np.where(np.isfinite(series.values), numbers, np.nan)
        return latest_known(of_values, series.usable_from, len(of_values))

    def newly(self, values: Floats, usable_from: Integers) -> Floats:
        """Return the sum of what became public with each row, NaN where nothing did."""
        return read_only(newly_known(values, usable_from))

    def _line(self, grid: Grid, column: int, good_for: int) -> Floats:
        series = Series(grid.measure[:, [column]], grid.usable_from[:, [column]])
        return self.level(series, good_for)[:, 0]


def latest_known(values: Floats, usable_from: Integers, stale_after: int) -> Floats:
    """Return for each row the value of the latest session that is usable by then; NaN once it is stale.

    ``values`` and ``usable_from`` are (D, S), by the session to which a value belongs. The value of a later
    session wins even if it was published earlier. It is usable on ``stale_after`` sessions, then it is stale.
    """
    if _in_machine_code(values):
        result = np.full(values.shape, np.nan)
        compiled(pick_latest)(frozen(values), frozen(usable_from), stale_after, result)
        return result
    latest = np.full(values.shape, -1, dtype=np.int64)
    rows, columns = np.nonzero(np.isfinite(values) & (usable_from < len(values)))
    np.maximum.at(latest, (usable_from[rows, columns], columns), rows)
    latest = np.maximum.accumulate(latest, axis=0)
    every = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    age = np.arange(len(values))[:, None] - usable_from[np.maximum(latest, 0), every]
    fresh = (latest >= 0) & (age < stale_after)
    return np.where(fresh, values[np.where(fresh, latest, 0), every], np.nan)


def newly_known(values: Floats, usable_from: Integers) -> Floats:
    """Return for each row the sum of the values that become usable with it; NaN where none does."""
    result = np.zeros(values.shape)
    if _in_machine_code(values):
        compiled(add_new)(frozen(values), frozen(usable_from), result)
        return result
    rows, columns = np.nonzero(np.isfinite(values) & (usable_from < len(values)))
    some = np.zeros(values.shape, dtype=bool)
    np.add.at(result, (usable_from[rows, columns], columns), values[rows, columns])
    some[usable_from[rows, columns], columns] = True
    return np.where(some, result, np.nan)


def _in_machine_code(values: Floats) -> bool:
    return values.size > (LOADED if loaded() else LARGE)


def pick_latest(values: Floats, usable_from: Integers, stale_after: int, result: Floats) -> None:
    """Do what ``latest_known`` does, in machine code; ``result`` is NaN before."""
    sessions, funds = values.shape
    newest = np.full((sessions, funds), -1, dtype=np.int64)
    for row in range(sessions):
        for column in range(funds):
            usable = usable_from[row, column]
            if usable < sessions and abs(values[row, column]) < np.inf and newest[usable, column] < row:
                newest[usable, column] = row
    latest = np.full(funds, -1, dtype=np.int64)
    for row in range(sessions):
        for column in range(funds):
            latest[column] = max(latest[column], newest[row, column])
            source = latest[column]
            if source >= 0 and row - usable_from[source, column] < stale_after:
                result[row, column] = values[source, column]


def add_new(values: Floats, usable_from: Integers, result: Floats) -> None:
    """Do what ``newly_known`` does, in machine code; ``result`` is zero before."""
    sessions, funds = values.shape
    some = np.zeros((sessions, funds), dtype=np.bool_)
    for row in range(sessions):
        for column in range(funds):
            usable = usable_from[row, column]
            if usable < sessions and abs(values[row, column]) < np.inf:
                result[usable, column] += values[row, column]
                some[usable, column] = True
    for row in range(sessions):
        for column in range(funds):
            if not some[row, column]:
                result[row, column] = np.nan


def no_series(sessions: int, columns: int) -> Series:
    """Return a series without values; it takes no memory."""
    shape = (sessions, columns)
    return Series(np.broadcast_to(np.nan, shape), np.broadcast_to(np.int64(sessions), shape))


def since(usable_from: Integers, before: Integers) -> Integers:
    """Return from when a change is usable: when both its values are."""
    columns = np.broadcast_to(np.arange(before.shape[1]), before.shape)
    earlier = usable_from[np.where(before >= 0, before, 0), columns]
    return np.where(before >= 0, np.maximum(usable_from, earlier), usable_from)


def require(name: str, known: Collection[str], kind: str) -> None:
    """Raise DataError, with close matches, if the data have nothing of that name."""
    if name not in known:
        raise DataError(f"the data have no {kind} `{name}`", hint=did_you_mean(name, known))


def read_only(values: NDArray[Any]) -> NDArray[Any]:
    """Return values, contiguous, that cannot be written."""
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    return values
