"""A market whose past is the real one and whose future is noise.

``with_noise`` replaces everything that was not public before the open of one session, part by part
(``PARTS``). A strategy that is honest says the same about the past; where it does not, the parts tell which
datum it has looked ahead in. Each part draws from a generator of its own, so that one part alone gives the
same noise as all together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import ENDS, Action
from data.panel.facts import Grid, IndexWeights
from data.panel.panel import Ingredients
from data.scenarios.perturb import begins, columns_of, rows_of, settled
from data.store.schema import Table
from data.store.tables import FACT_TABLES

Floats = NDArray[np.float64]

# Noise is far larger than what one session moves, so that it outlasts ranks and windows.
SPREAD = 0.5
MISSING = 0.05


def with_noise(given: Ingredients, row: int, seed: int, parts: Sequence[str] | None = None) -> Ingredients:
    """Return the market in which what was not public before the open of ``row`` is noise, all or some parts.

    Of the ``universe``, funds that list later are gone, come later, or are joined by one nobody knew, and
    funds that exist end, or go on where they ended; of the ``calendar``, later sessions fall on other days,
    and there are fewer.
    """
    given = settled(given)
    for name, step in _STEPS.items():
        if parts is None or name in parts:
            given = step(given, row, np.random.default_rng([seed, row, PARTS.index(name)]))
    return given


def _prices(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    def noisy(grid: Grid, future: NDArray[np.bool_], factor: Floats) -> Grid:
        def of(name: str, values: Floats) -> Floats:
            if name == "pre_close":
                return np.where(future, np.nan, values)
            return values * factor if name != "volume" else values

        return grid.with_columns(of)

    return _of_bars(given, row, rng, noisy)


def _volume(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    def noisy(grid: Grid, future: NDArray[np.bool_], factor: Floats) -> Grid:
        factor = np.where(future & (rng.random(future.shape) < MISSING), 0.0, factor)
        return grid.with_columns(lambda name, bars: bars * factor if name in ("volume", "amount") else bars)

    return _of_bars(given, row, rng, noisy)


def _of_bars(
    given: Ingredients,
    row: int,
    rng: np.random.Generator,
    noisy: Callable[[Grid, NDArray[np.bool_], Floats], Grid],
) -> Ingredients:
    bars = given.facts.grids["bars"]
    future = bars.usable_from > row
    factor = np.where(future, np.exp(SPREAD * rng.standard_normal(future.shape)), 1.0)
    grids = dict(given.facts.grids) | {"bars": noisy(bars, future, factor)}
    return replace(given, facts=replace(given.facts, grids=grids))


def _of_table(table: Table, given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    """Return the market in which a table, of funds and of whole markets, is noise."""

    def noisy(grid: Grid) -> Grid:
        if grid.table != table.name:
            return grid
        future = grid.usable_from > row
        # Series that are not those of funds draw one by one, so that one more leaves the others alone.
        blocks = [slice(None)] if grid.series is None else [slice(k, k + 1) for k in range(len(grid.series))]

        def of(name: str, values: Floats) -> Floats:
            ratio = table.column(name).scale == "ratio"
            drawn = [_noisy(values[:, block], future[:, block], rng, signs=ratio) for block in blocks]
            return np.hstack(drawn)

        return grid.with_columns(of)

    return replace(given, facts=given.facts.each(noisy))


def _noisy(values: Any, future: Any, rng: np.random.Generator, *, signs: bool) -> Any:
    """Return values times noise where ``future``; some are gone. A ratio may change its sign too."""
    factor = np.exp(SPREAD * rng.standard_normal(np.shape(values)))
    gone = rng.random(np.shape(values)) < MISSING
    if signs:
        factor = np.where(rng.random(np.shape(values)) < 0.5, -factor, factor)
    return np.where(future, np.where(gone, np.nan, values * factor), values)


def _index_weights(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    def shuffled(file: IndexWeights) -> IndexWeights:
        weights = rng.permutation(np.array(list(file.weights.values()))) * rng.uniform(0.2, 1.0)
        return replace(file, weights=dict(zip(file.weights, weights.tolist(), strict=True)))

    files = tuple(
        file if file.row <= row else shuffled(file)
        for file in given.facts.index_weights
        if file.row <= row or rng.random() > MISSING
    )
    return replace(given, facts=replace(given.facts, index_weights=files))


def _actions(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    """Leave out the actions to come; half of the funds split or merge instead, the others pay."""
    kept = [each for each in given.actions if begins(each) <= given.days[row]]
    made = []
    if row + 3 < len(given.days):
        for column, symbol in enumerate(given.symbols):
            at = int(rng.integers(row + 2, len(given.days)))
            ex_day, record_day = given.days[at].item(), given.days[at - 1].item()
            prices = given.facts.grids["bars"].columns["close"][:at, column]
            prices = prices[np.isfinite(prices)]
            ratio = float(rng.choice([0.5, 2.0, 3.0]))
            if rng.random() < 0.5 or not len(prices):
                made.append(Action(symbol, "split", ex_day, record_day, ratio=ratio))
            else:
                made.append(Action(symbol, "dividend", ex_day, record_day, cash=float(prices.min()) / 20))
    return replace(given, actions=(*kept, *made))


def _universe(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    listings, today = given.listings, given.days[row]
    kept, listed, delisted = [], list(listings.listed), list(listings.delisted)
    actions = [
        each for each in given.actions if each.kind not in ENDS or np.datetime64(each.ex_day, "D") <= today
    ]
    for column in range(len(given.symbols)):
        first, end = listed[column], delisted[column]
        if first is not None and np.datetime64(first, "D") > today:
            if rng.random() < 0.5:
                continue
            listed[column] = _later(given, row, rng)
        elif end is None or np.datetime64(end, "D") > today:
            delisted[column] = None if end is not None or rng.random() < 0.5 else _later(given, row, rng)
        kept.append(column)
    given = replace(
        given,
        listings=replace(listings, listed=tuple(listed), delisted=tuple(delisted)),
        actions=tuple(actions),
    )
    return _with_another(given, kept, row, rng)


def _with_another(given: Ingredients, kept: list[int], row: int, rng: np.random.Generator) -> Ingredients:
    """Return the funds ``kept``, and one that lists after ``row`` and looks like some other since then."""
    like = int(rng.integers(len(given.symbols)))
    name = unused_symbol(given.symbols, given.symbols[like])
    symbols = [given.symbols[column] for column in kept] + [name]
    order = np.argsort(symbols)
    columns = np.array([*kept, like], dtype=np.int64)[order]
    symbols = [symbols[place] for place in order.tolist()]
    given = columns_of(given, columns, tuple(symbols))
    new = symbols.index(name)

    def since(grid: Grid) -> Grid:
        def of(_: str, values: Floats) -> Floats:
            values = values.copy()
            values[: row + 1, new] = np.nan
            return values

        return grid.with_columns(of) if grid.series is None else grid

    listed, delisted = list(given.listings.listed), list(given.listings.delisted)
    listed[new], delisted[new] = _later(given, row, rng), None
    return replace(
        given,
        facts=given.facts.each(since),
        listings=replace(given.listings, listed=tuple(listed), delisted=tuple(delisted)),
    )


def _later(given: Ingredients, row: int, rng: np.random.Generator) -> date:
    day: date = given.days[int(rng.integers(min(row + 1, len(given.days) - 1), len(given.days)))].item()
    return day


def unused_symbol(symbols: Sequence[str], like: str) -> str:
    """Return a symbol of the market of ``like`` that is not among ``symbols``."""
    code, dot, market = like.partition(".")
    tried = (f"{code[:-1]}{letter}{dot}{market}" for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return next((each for each in tried if each not in symbols), f"{code}X{dot}{market}")


def _calendar(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    days = given.days.copy()
    left = len(days) - row - 1
    if left < 1:
        return given
    days[row + 1 :] += np.cumsum(rng.integers(0, 3, left)).astype("timedelta64[D]")
    return rows_of(replace(given, days=days), len(days) - int(rng.integers(0, max(1, left // 10) + 1)))


Step = Callable[[Ingredients, int, np.random.Generator], Ingredients]

# In the order in which they are done: what changes funds and sessions comes last.
_STEPS: Mapping[str, Step] = {
    "prices": _prices,
    "volume": _volume,
    **{table.called: partial(_of_table, table) for table in FACT_TABLES if table.name != "bars"},
    "index weights": _index_weights,
    "corporate actions": _actions,
    "universe": _universe,
    "calendar": _calendar,
}
# Places in here number the generators, and those of the first version keep theirs.
_FIRST = (
    *("prices", "volume", "units", "NAV", "margin", "index levels", "index weights", "macro series"),
    *("corporate actions", "universe", "calendar"),
)
PARTS = (*_FIRST, *(name for name in _STEPS if name not in _FIRST))
