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
from data.panel.known import Series
from data.panel.panel import Facts, Ingredients, Listings

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PRICES = ("open", "high", "low", "close", "pre_close")
MONEY = (*PRICES, "amount")
FLOW_TABLES = ("units", "nav", "margin")


def settled(given: Ingredients) -> Ingredients:
    """Return the same with everything said that is left to defaults: when each datum is public, listing days.

    A fund without a listing day is listed from its first bar on; a cut must not move that day.
    """
    facts, sessions = given.facts, len(given.days)
    rows = np.arange(sessions, dtype=np.int64)[:, None]
    lags = {"bars": 1} | {table: facts.lags.get(table, 1) for table in FLOW_TABLES}
    shape = facts.bars["close"].shape
    usable = {
        table: facts.usable_from.get(table, np.broadcast_to(rows + lag, shape)) for table, lag in lags.items()
    }
    indices_from = {code: facts.indices_from.get(code, rows + 1) for code in facts.indices}
    listed = list(given.listings.listed)
    for column, day in enumerate(listed):
        bars = np.flatnonzero(np.isfinite(facts.bars["close"][:, column]))
        if day is None and len(bars):
            listed[column] = given.days[bars[0]].item()
    return replace(
        given,
        facts=replace(facts, usable_from=usable, indices_from=indices_from),
        listings=replace(given.listings, listed=tuple(listed)),
    )


def cut(given: Ingredients, row: int) -> Ingredients:
    """Return what was public before the open of session ``row``, which is the last session that is left.

    Not only later sessions are gone: the facts of ``row`` itself too, and what was published late. What the
    known face says up to ``row`` stays the same.
    """
    given = settled(given)
    kept, facts = slice(0, row + 1), given.facts

    def public(values: Floats | None, usable_from: Integers) -> Floats | None:
        return None if values is None else np.where(usable_from <= row, values, np.nan)[kept]

    def public_series(series: Series) -> Series:
        values = np.where(series.usable_from <= row, series.values, np.nan)
        return Series(values[kept], series.usable_from[kept])

    usable = facts.usable_from
    return replace(
        given,
        days=given.days[kept],
        facts=replace(
            facts,
            bars={
                name: np.where(usable["bars"] <= row, bars, np.nan)[kept] for name, bars in facts.bars.items()
            },
            units=public(facts.units, usable["units"]),
            nav=public(facts.nav, usable["nav"]),
            margin_balance=public(facts.margin_balance, usable["margin"]),
            usable_from={table: each[kept] for table, each in usable.items()},
            market_margin=None if facts.market_margin is None else public_series(facts.market_margin),
            indices={
                code: np.where(facts.indices_from[code][:, 0] <= row, closes, np.nan)[kept]
                for code, closes in facts.indices.items()
            },
            indices_from={code: each[kept] for code, each in facts.indices_from.items()},
            macro={name: public_series(series) for name, series in facts.macro.items()},
            index_weights=tuple(each for each in facts.index_weights if each.row <= row),
        ),
        rules=_each_rule(given.rules, lambda values: values[kept]),
        actions=tuple(each for each in given.actions if begins(each) <= given.days[row]),
    )


def begins(action: Action) -> np.datetime64:
    """Return the first day on which an action shows in the data: its record day or its ex-day."""
    day = action.ex_day if action.record_day is None else min(action.record_day, action.ex_day)
    return np.datetime64(day, "D")


def delayed(given: Ingredients, sessions: int) -> Ingredients:
    """Return the market whose flows (units, NAV, margin) are all published ``sessions`` later."""
    given = settled(given)
    facts = given.facts
    later = {table: facts.usable_from[table] + sessions for table in FLOW_TABLES}
    margin = facts.market_margin
    return replace(
        given,
        facts=replace(
            facts,
            usable_from=dict(facts.usable_from) | later,
            market_margin=None if margin is None else Series(margin.values, margin.usable_from + sessions),
        ),
    )


def in_other_money(given: Ingredients, factor: float) -> Ingredients:
    """Return the market counted in another currency: all money and the tick times ``factor``.

    With a power of two every product and rounding is exact, so a decision that does not depend on the
    currency is the same to the last bit. Levels of indices and macro series are no money.
    """
    facts, margin = given.facts, given.facts.market_margin
    return replace(
        given,
        facts=replace(
            facts,
            bars={name: bars * factor if name in MONEY else bars for name, bars in facts.bars.items()},
            nav=None if facts.nav is None else facts.nav * factor,
            margin_balance=None if facts.margin_balance is None else facts.margin_balance * factor,
            market_margin=None if margin is None else Series(margin.values * factor, margin.usable_from),
        ),
        rules=replace(given.rules, tick=given.rules.tick * factor),
        actions=tuple(replace(each, cash=each.cash * factor) for each in given.actions),
    )


def split_from_the_start(given: Ingredients, ratios: Mapping[str, int]) -> Ingredients:
    """Return the market in which each fund of ``ratios`` always had so many units for each of its units.

    Units, volume and lot are multiplied, prices, NAV, tick and dividends divided; money stays. With powers of
    two all of it is exact.
    """
    facts = given.facts
    ratio = np.array([ratios.get(symbol, 1) for symbol in given.symbols], dtype=np.float64)
    bars = {
        name: bars / ratio if name in PRICES else bars * ratio if name == "volume" else bars
        for name, bars in facts.bars.items()
    }
    return replace(
        given,
        facts=replace(
            facts,
            bars=bars,
            units=None if facts.units is None else facts.units * ratio,
            nav=None if facts.nav is None else facts.nav / ratio,
        ),
        rules=replace(
            given.rules, lot=given.rules.lot * ratio.astype(np.int64), tick=given.rules.tick / ratio
        ),
        actions=tuple(replace(each, cash=each.cash / ratios.get(each.symbol, 1)) for each in given.actions),
    )


def columns_of(given: Ingredients, columns: Integers, symbols: tuple[str, ...]) -> Ingredients:
    """Return the market of the funds in ``columns``, a column for each of ``symbols``; actions stay."""

    def of(values: Floats | None) -> Floats | None:
        return None if values is None else values[:, columns]

    facts, listings = given.facts, given.listings
    recorded = facts.margin_recorded_from
    return replace(
        given,
        symbols=symbols,
        facts=Facts(
            bars={name: bars[:, columns] for name, bars in facts.bars.items()},
            units=of(facts.units),
            nav=of(facts.nav),
            margin_balance=of(facts.margin_balance),
            margin_recorded_from=None if recorded is None else recorded[columns],
            usable_from={table: each[:, columns] for table, each in facts.usable_from.items()},
            lags=facts.lags,
            market_margin=facts.market_margin,
            indices=facts.indices,
            indices_from=facts.indices_from,
            macro=facts.macro,
            index_weights=facts.index_weights,
        ),
        rules=_each_rule(given.rules, lambda values: values[:, columns]),
        listings=Listings(
            *(
                tuple(getattr(listings, field.name)[column] for column in columns)
                for field in fields(listings)
            )
        ),
    )


def rows_of(given: Ingredients, sessions: int) -> Ingredients:
    """Return the market of the first ``sessions`` sessions, whatever was public then."""
    kept, facts, margin = slice(0, sessions), given.facts, given.facts.market_margin

    def of(values: Floats | None) -> Floats | None:
        return None if values is None else values[kept]

    return replace(
        given,
        days=given.days[kept],
        facts=replace(
            facts,
            bars={name: bars[kept] for name, bars in facts.bars.items()},
            units=of(facts.units),
            nav=of(facts.nav),
            margin_balance=of(facts.margin_balance),
            usable_from={table: each[kept] for table, each in facts.usable_from.items()},
            market_margin=None if margin is None else Series(margin.values[kept], margin.usable_from[kept]),
            indices={code: closes[kept] for code, closes in facts.indices.items()},
            indices_from={code: each[kept] for code, each in facts.indices_from.items()},
            macro={
                name: Series(series.values[kept], series.usable_from[kept])
                for name, series in facts.macro.items()
            },
            index_weights=tuple(each for each in facts.index_weights if each.row < sessions),
        ),
        rules=_each_rule(given.rules, lambda values: values[kept]),
    )


def _each_rule(rules: RuleArrays, function: Callable[[Any], Any]) -> RuleArrays:
    return RuleArrays(**{field.name: function(getattr(rules, field.name)) for field in fields(rules)})
