"""The facts of a panel: a mapping from the fact tables of the schema to arrays on its sessions.

What goes over all facts, from the fingerprint to noise, goes over ``Facts.grids`` and asks the schema
(``data.store.tables``) what their columns are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.errors import DataError, UsageError, did_you_mean
from data.store.schema import Table
from data.store.tables import FUND_TABLES, TABLES

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class IndexWeights:
    """Constituents of an index as one published file has them; usable from session ``row`` on."""

    index: str
    row: int
    day: np.datetime64
    weights: Mapping[str, float]
    themes: Mapping[str, str]


@dataclass(frozen=True)
class Grid:
    """The rows of a fact table on the sessions of a panel.

    Attributes
    ----------
    table : the table's name
    columns : (D, K) by column of the table, row *t* for the session that a value belongs to; NaN without one
    usable_from : (D, K), the first session whose open may use each of them
    series : the K indices, macro series or markets; None: the funds of the panel
    recorded_from : the first session on which any fund has a row; None: not asked
    """

    table: str
    columns: Mapping[str, Floats]
    usable_from: Integers
    series: tuple[str, ...] | None = None
    recorded_from: int | None = None

    @property
    def schema(self) -> Table:
        """The table as it is declared."""
        return TABLES[self.table]

    @property
    def measure(self) -> Floats:
        """The main column."""
        return self.columns[self.schema.measures[0]]

    def each(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Grid:
        """Return the grid with ``function`` done to each of its arrays."""
        columns = {name: function(array) for name, array in self.columns.items()}
        return replace(self, columns=columns, usable_from=function(self.usable_from))

    def with_columns(self, function: Callable[[str, Floats], Floats]) -> Grid:
        """Return the grid with what ``function`` makes of the name and the values of each column."""
        return replace(self, columns={name: function(name, array) for name, array in self.columns.items()})


@dataclass(frozen=True)
class Facts:
    """The raw facts of a panel.

    Attributes
    ----------
    grids : by name of the table; rows of whole markets stand under ``of_markets`` of it. A table that has no
        rows may be absent
    lags : sessions until rows are usable, by table, where that is all that is known of it (plain arrays)
    index_weights : the files, by index and day
    on_file : first and last day of the rows by table, on whatever days they are; what no source has is absent
    """

    grids: Mapping[str, Grid]
    lags: Mapping[str, int] = field(default_factory=dict)
    index_weights: tuple[IndexWeights, ...] = ()
    on_file: Mapping[str, tuple[date, date]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Floats:
        """Return the main column of a table by its name, (D, K), as ``facts.units``."""
        # A copy is asked for names before it has any grids.
        grids = self.__dict__.get("grids", {})
        if name not in grids:
            raise AttributeError(f"there are no facts `{name}`")
        measure: Floats = grids[name].measure
        return measure

    def of(self, columns: slice) -> Facts:
        """Return the facts of some funds, as windows on these, and all that is not about funds."""
        return replace(self, grids=_OfFunds(self.grids, columns))

    def each(self, function: Callable[[Grid], Grid]) -> Facts:
        """Return the facts with ``function`` done to each grid."""
        return replace(self, grids={name: function(grid) for name, grid in self.grids.items()})


class _OfFunds(Mapping[str, Grid]):
    """Grids of which those about funds are cut when they are asked for: somebody may note what is asked."""

    def __init__(self, grids: Mapping[str, Grid], columns: slice) -> None:
        self._grids = grids
        self._columns = columns

    def __getitem__(self, name: str) -> Grid:
        grid = self._grids[name]
        return grid if grid.series is not None else grid.each(lambda array: array[:, self._columns])

    def __iter__(self) -> Iterator[str]:
        return iter(self._grids)

    def __len__(self) -> int:
        return len(self._grids)


@dataclass(frozen=True)
class Listings:
    """What is fixed about each fund, by symbol: listing, and the index it tracks."""

    listed: tuple[date | None, ...]
    delisted: tuple[date | None, ...]
    tracked: tuple[str | None, ...]
    families: tuple[str | None, ...]


def of_markets(table: str) -> str:
    """Return the name under which the rows of whole markets of a table stand."""
    return f"market {table}"


def usable_after(sessions: int, series: int, lag: int) -> Integers:
    """Return the first usable session of rows that are public ``lag`` sessions later, (D, K)."""
    rows = np.arange(lag, sessions + lag, dtype=np.int64)[:, None]
    return np.broadcast_to(rows, (sessions, series))


def facts_of_arrays(
    shape: tuple[int, int],
    *,
    bars: Mapping[str, ArrayLike],
    funds: Mapping[str, ArrayLike],
    market_margin: ArrayLike | None,
    indices: Mapping[str, ArrayLike],
    index_opens: Mapping[str, ArrayLike],
    macro: Mapping[str, ArrayLike],
    fx: Mapping[str, ArrayLike],
    lags: Mapping[str, int],
) -> Facts:
    """Return the facts that plain arrays hold, for a panel of ``shape`` (D, S).

    ``bars`` are by column, ``funds`` by table about funds (its main column); indices (closing levels, of some
    opening levels too) and macro series are by name, (D,). Rows are usable ``lags`` sessions later, 1 for a
    table that is not named, 0 for macro series.
    """
    sessions, count = shape
    known = [table.name for table in FUND_TABLES]
    for name in funds:
        if name not in known:
            raise UsageError(f"there is no table `{name}` about funds", hint=did_you_mean(name, known))
    lagged = {table.name: 1 for table in FUND_TABLES if table.always} | dict(lags)

    def grid(table: str, values: Mapping[str, Floats], lag: int, series: tuple[str, ...] | None) -> Grid:
        columns = count if series is None else len(series)
        return Grid(table, values, usable_after(sessions, columns, lag), series)

    def lines(table: str, given: Mapping[str, ArrayLike], lag: int) -> Grid:
        columns = [_array(value, (sessions,)) for value in given.values()]
        return grid(table, {TABLES[table].measures[0]: np.column_stack(columns)}, lag, tuple(given))

    grids = {"bars": grid("bars", {key: _array(value, shape) for key, value in bars.items()}, 1, None)}
    for name, value in funds.items():
        values = {TABLES[name].measures[0]: _array(value, shape)}
        grids[name] = grid(name, values, lagged.get(name, 1), None)
    if market_margin is not None:
        grids[of_markets("margin")] = lines("margin", {"": market_margin}, lagged["margin"])
    if indices:
        closes = lines("index_bars", indices, 1)
        unknown = np.full(sessions, np.nan)
        opens = [_array(index_opens.get(code, unknown), (sessions,)) for code in indices]
        columns = {**closes.columns, "open": np.column_stack(opens)}
        grids["index_bars"] = replace(closes, columns=columns)
    if macro:
        grids["macro"] = lines("macro", macro, 0)
    if fx:
        grids["fx"] = lines("fx", fx, lags.get("fx", 1))
    return Facts(grids, lagged)


def _array(values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    array = values if _is_settled(values) else np.array(values, dtype=np.float64, order="C")
    if array.shape != shape:
        raise DataError("an array of the panel has the wrong shape", received=array.shape, limit=shape)
    return array


def _is_settled(values: ArrayLike) -> TypeGuard[Floats]:
    """Return whether values are an array that nobody writes to any more, so that no copy of it is needed."""
    if type(values) is not np.ndarray or values.dtype != np.float64:
        return False
    return values.flags.owndata and values.flags.c_contiguous and not values.flags.writeable
