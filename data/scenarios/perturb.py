"""Altered markets: the same ingredients of a panel, cut off, delayed, in other units of measure.

Audits ask what a strategy does on them (``engine.audits``). All work on the facts of a panel
(``data.panel.panel.Ingredients``) and know when each was public, so that they touch what they mean to and no
more. What may change without changing a decision, and what must not, is each time said in the docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import Action
from data.facts.rules import RuleArrays
from data.panel.facts import Grid, Listings
from data.panel.panel import Ingredients
from data.store.tables import FUND_TABLES

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def settled(given: Ingredients) -> Ingredients:
    """Return the same with listing days said that are left to the data.

    A fund without a listing day is listed from its first bar on; a cut must not move that day.
    """
    close = given.facts.grids["bars"].columns["close"]
    listed = list(given.listings.listed)
    for column, day in enumerate(listed):
        bars = np.flatnonzero(np.isfinite(close[:, column]))
        if day is None and len(bars):
            listed[column] = given.days[bars[0]].item()
    return replace(given, listings=replace(given.listings, listed=tuple(listed)))


def cut(given: Ingredients, row: int) -> Ingredients:
    """Return what was public before the open of session ``row``, which is the last session that is left.

    Not only later sessions are gone: the facts of ``row`` itself too, and what was published late. What the
    known face says up to ``row`` stays the same.
    """

    def public(grid: Grid) -> Grid:
        known = grid.usable_from <= row
        return grid.with_columns(lambda _, values: np.where(known, values, np.nan))

    left = rows_of(settled(given), row + 1)
    return replace(
        left,
        facts=left.facts.each(public),
        actions=tuple(each for each in given.actions if begins(each) <= given.days[row]),
    )


def begins(action: Action) -> np.datetime64:
    """Return the first day on which an action shows in the data: its record day or its ex-day."""
    day = action.ex_day if action.record_day is None else min(action.record_day, action.ex_day)
    return np.datetime64(day, "D")


def delayed(given: Ingredients, sessions: int) -> Ingredients:
    """Return the market in which all that is published about funds but bars is so ``sessions`` later."""
    late = [table.name for table in FUND_TABLES]

    def later(grid: Grid) -> Grid:
        return replace(grid, usable_from=grid.usable_from + sessions) if grid.table in late else grid

    return replace(given, facts=given.facts.each(later))


def in_other_money(given: Ingredients, factor: float) -> Ingredients:
    """Return the market counted in another currency: all money and the tick times ``factor``.

    With a power of two every product and rounding is exact, so a decision that does not depend on the
    currency is the same to the last bit. Ratios, levels of indices and macro series are no money.
    """
    return replace(
        given,
        facts=given.facts.each(lambda grid: _scaled(grid, price=factor, money=factor)),
        rules=replace(given.rules, tick=given.rules.tick * factor),
        actions=tuple(replace(each, cash=each.cash * factor) for each in given.actions),
    )


def split_from_the_start(given: Ingredients, ratios: Mapping[str, int]) -> Ingredients:
    """Return the market in which each fund of ``ratios`` always had so many units for each of its units.

    Counts and lot are multiplied, prices, tick and dividends divided; money stays. With powers of two all of
    it is exact.
    """
    ratio = np.array([ratios.get(symbol, 1) for symbol in given.symbols], dtype=np.float64)

    def split(grid: Grid) -> Grid:
        return _scaled(grid, price=1.0 / ratio, count=ratio) if grid.series is None else grid

    return replace(
        given,
        facts=given.facts.each(split),
        rules=replace(
            given.rules, lot=given.rules.lot * ratio.astype(np.int64), tick=given.rules.tick / ratio
        ),
        actions=tuple(_action_split(each, ratios) for each in given.actions),
    )


def _action_split(action: Action, ratios: Mapping[str, int]) -> Action:
    """Return an action in units so many times as many; ratio and cash of a merge count the successor's."""
    mine = ratios.get(action.symbol, 1)
    if not action.successor:
        return replace(action, cash=action.cash / mine)
    theirs = ratios.get(action.successor, 1)
    return replace(action, ratio=action.ratio * theirs / mine, cash=action.cash / theirs)


def _scaled(grid: Grid, **factors: float | Floats) -> Grid:
    """Return a grid with the columns of each scale that is named times its factor."""

    def of(name: str, values: Floats) -> Floats:
        scale = grid.schema.column(name).scale
        return values * factors[scale] if scale in factors else values

    return grid.with_columns(of)


def columns_of(given: Ingredients, columns: Integers, symbols: tuple[str, ...]) -> Ingredients:
    """Return the market of the funds in ``columns``, a column for each of ``symbols``; actions stay."""

    def of(values: NDArray[Any]) -> NDArray[Any]:
        return values[:, columns]

    listings = given.listings
    return replace(
        given,
        symbols=symbols,
        facts=given.facts.each(lambda grid: grid.each(of) if grid.series is None else grid),
        rules=_each_rule(given.rules, of),
        listings=Listings(
            *(
                tuple(getattr(listings, field.name)[column] for column in columns)
                for field in fields(listings)
            )
        ),
    )


def rows_of(given: Ingredients, sessions: int) -> Ingredients:
    """Return the market of the first ``sessions`` sessions, whatever was public then."""

    def of(values: NDArray[Any]) -> NDArray[Any]:
        return values[:sessions]

    files = tuple(each for each in given.facts.index_weights if each.row < sessions)
    return replace(
        given,
        days=given.days[:sessions],
        facts=replace(given.facts.each(lambda grid: grid.each(of)), index_weights=files),
        rules=_each_rule(given.rules, of),
    )


def _each_rule(rules: RuleArrays, function: Callable[[Any], Any]) -> RuleArrays:
    return RuleArrays(**{field.name: function(getattr(rules, field.name)) for field in fields(rules)})
