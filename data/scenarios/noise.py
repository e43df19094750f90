"""A market whose past is the real one and whose future is noise.

``with_noise`` replaces everything that was not public before the open of one session, part by part
(``PARTS``). A strategy that is honest says the same about the past; where it does not, the parts tell which
datum it has looked ahead in. Each part draws from a generator of its own, so that one part alone gives the
same noise as all together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import Action
from data.panel.known import IndexWeights, Series
from data.panel.panel import Ingredients
from data.scenarios.perturb import PRICES, begins, columns_of, rows_of, settled

Floats = NDArray[np.float64]

PARTS = (
    "prices",
    "volume",
    "units",
    "NAV",
    "margin",
    "index levels",
    "index weights",
    "macro series",
    "corporate actions",
    "universe",
    "calendar",
)

# Noise is far larger than what one session moves, so that it outlasts ranks and windows.
SPREAD = 0.5
MISSING = 0.05


def with_noise(given: Ingredients, row: int, seed: int, parts: Sequence[str] = PARTS) -> Ingredients:
    """Return the market in which what was not public before the open of ``row`` is noise.

    Of the ``universe``, funds that list later are gone, come later, or are joined by one nobody knew, and
    funds that exist end, or go on where they ended; of the ``calendar``, later sessions fall on other days,
    and there are fewer.
    """
    given = settled(given)
    steps = {
        "prices": _prices,
        "volume": _volume,
        "units": _units,
        "NAV": _nav,
        "margin": _margin,
        "index levels": _indices,
        "index weights": _index_weights,
        "macro series": _macro,
        "corporate actions": _actions,
        "universe": _universe,
        "calendar": _calendar,
    }
    for number, (name, step) in enumerate(steps.items()):
        if name in parts:
            given = step(given, row, np.random.default_rng([seed, row, number]))
    return given


def _noisy(values: Any, future: Any, rng: np.random.Generator, holes: float = MISSING) -> Any:
    """Return values times noise where ``future``; some are gone."""
    factor = np.exp(SPREAD * rng.standard_normal(np.shape(values)))
    gone = rng.random(np.shape(values)) < holes
    return np.where(future, np.where(gone, np.nan, values * factor), values)


def _prices(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    facts = given.facts
    future = facts.usable_from["bars"] > row
    factor = np.where(future, np.exp(SPREAD * rng.standard_normal(future.shape)), 1.0)
    bars = {name: values * factor if name in PRICES else values for name, values in facts.bars.items()}
    if "amount" in bars:
        bars["amount"] = bars["amount"] * factor
    if "pre_close" in bars:
        bars["pre_close"] = np.where(future, np.nan, bars["pre_close"])
    return replace(given, facts=replace(facts, bars=bars))


def _volume(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    facts = given.facts
    future = facts.usable_from["bars"] > row
    factor = np.where(future, np.exp(SPREAD * rng.standard_normal(future.shape)), 1.0)
    factor = np.where(future & (rng.random(future.shape) < MISSING), 0.0, factor)
    bars = {
        name: values * factor if name in ("volume", "amount") else values
        for name, values in facts.bars.items()
    }
    return replace(given, facts=replace(facts, bars=bars))


def _units(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    if given.facts.units is None:
        return given
    units = _noisy(given.facts.units, given.facts.usable_from["units"] > row, rng)
    return replace(given, facts=replace(given.facts, units=units))


def _nav(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    if given.facts.nav is None:
        return given
    nav = _noisy(given.facts.nav, given.facts.usable_from["nav"] > row, rng)
    return replace(given, facts=replace(given.facts, nav=nav))


def _margin(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    facts, whole = given.facts, given.facts.market_margin
    balance = facts.margin_balance
    if balance is not None:
        balance = _noisy(balance, facts.usable_from["margin"] > row, rng)
    if whole is not None:
        whole = Series(_noisy(whole.values, whole.usable_from > row, rng), whole.usable_from)
    return replace(given, facts=replace(facts, margin_balance=balance, market_margin=whole))


def _indices(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    facts = given.facts
    indices = {
        code: _noisy(closes, facts.indices_from[code][:, 0] > row, rng)
        for code, closes in facts.indices.items()
    }
    return replace(given, facts=replace(facts, indices=indices))


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


def _macro(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    macro = {
        name: Series(_noisy(series.values, series.usable_from > row, rng), series.usable_from)
        for name, series in given.facts.macro.items()
    }
    return replace(given, facts=replace(given.facts, macro=macro))


def _actions(given: Ingredients, row: int, rng: np.random.Generator) -> Ingredients:
    """Leave out the actions to come; half of the funds split or merge instead, the others pay."""
    kept = [each for each in given.actions if begins(each) <= given.days[row]]
    made = []
    if row + 3 < len(given.days):
        for column, symbol in enumerate(given.symbols):
            at = int(rng.integers(row + 2, len(given.days)))
            ex_day, record_day = given.days[at].item(), given.days[at - 1].item()
            prices = given.facts.bars["close"][:at, column]
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
        each
        for each in given.actions
        if each.kind != "liquidation" or np.datetime64(each.ex_day, "D") <= today
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
    facts, listings = given.facts, given.listings

    def since(values: Floats | None) -> Floats | None:
        if values is None:
            return None
        values = values.copy()
        values[: row + 1, new] = np.nan
        return values

    bars = {field: since(values) for field, values in facts.bars.items()}
    listed, delisted = list(listings.listed), list(listings.delisted)
    listed[new], delisted[new] = _later(given, row, rng), None
    return replace(
        given,
        facts=replace(
            facts,
            bars={field: values for field, values in bars.items() if values is not None},
            units=since(facts.units),
            nav=since(facts.nav),
            margin_balance=since(facts.margin_balance),
        ),
        listings=replace(listings, listed=tuple(listed), delisted=tuple(delisted)),
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
