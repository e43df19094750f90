"""What must not matter: history before the warm-up, the order of funds, strangers, the currency, old splits.

Each comparison alters one thing that carries no information and asks the strategy again:

- warm-up: rows of the known face before the declared ``warmup`` are taken away;
- order: funds in another order; a fund of which nothing is known among them;
- scale: all money times four, cash and costs too: decisions and returns stay;
- splits: half of the funds have always had twice as many units at half the price: decisions stay. Returns may
  not, since a later split that leaves fractions of a unit rounds another number of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.panel.panel import Panel
from data.scenarios.noise import unused_symbol
from data.scenarios.perturb import in_other_money, split_from_the_start
from engine.audits.audited import Audited, Simulation, net_returns, returns_of, targets_of
from engine.audits.mismatch import Mismatch, first_mismatch
from engine.audits.opinion import Opinion
from engine.audits.views import View
from engine.kernel.targets import Targets
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import ScoreAdapter
from engine.strategy.fresh import fresh
from engine.strategy.loader import parameters_of

Floats = NDArray[np.float64]

WARMUP, ORDER_AND_SCALE = "warm_up", "order_and_scale"
STARTS = 6
LATER = 3
# A parameter without a unit from here on is money: no window, rank or rate is so large.
LARGE = 100_000
CURRENCY = 4.0
SPLIT = 2


def warm_up(audited: Audited) -> Opinion:
    """Return whether more history than ``warmup`` declares changes no score.

    Rows of the known face before some sessions are taken away, as if data began there; so gaps in the data
    do not count. ``details``: ``warmup``, ``starts``, and on failure the first difference.
    """
    strategy, known = audited.strategy, audited.panel.known
    warmup = strategy.declared_warmup
    if not isinstance(strategy, ScoreAdapter) or warmup is None:
        return Opinion(WARMUP, None, "The strategy gives no scores, so it declares no warm-up to hold it to.")
    if strategy.needs_all_history:
        return _of_all_history(audited, strategy, warmup)
    # What a session shows of the one before takes one session more than rows.
    needed = max(warmup - 1, 0)
    whole = fresh(strategy).values(known)
    scored = np.flatnonzero(np.isfinite(whole).any(axis=1))
    end = len(known.days) - needed - 1
    if not len(scored) or end < 1:
        return Opinion(WARMUP, None, f"The data are too short for a warm-up of {warmup} sessions.")
    rng = np.random.default_rng([audited.conditions.seed, 2])
    edges = np.linspace(1, end + 1, STARTS + 1).astype(np.int64)
    starts = sorted({int(rng.integers(a, max(b, a + 1))) for a, b in pairwise(edges.tolist())})
    for since in starts:
        again = fresh(strategy).values(View(known, since=since))
        expected, got = whole[since + needed :], again[needed:]
        found = first_mismatch(expected, got, known.days[since + needed :], known.symbols)
        if found is not None:
            return Opinion(
                WARMUP,
                False,
                f"{strategy.name} declares {warmup} sessions of warm-up and uses more: "
                f"its score of {found.symbol} on {found.day} is {found.whole:.6g} with all history, and "
                f"{found.altered:.6g} with data from {known.days[since]} on. One that uses all history says "
                '`history = "all"`.',
                found.details("before", "after") | {"warmup": warmup},
            )
    return Opinion(
        WARMUP,
        True,
        f"No score needs more than the {warmup} sessions of history that are declared.",
        {"warmup": warmup, "starts": [str(known.days[each]) for each in starts]},
    )


def _of_all_history(audited: Audited, strategy: ScoreAdapter, warmup: int) -> Opinion:
    """Return what of the scores of the last day is another if the data begin later; it informs.

    ``details``: ``starts``, and for each of them ``changed``, the largest change as a part of the spread of
    the scores, and ``ranks``, how many funds have another rank.
    """
    known = audited.panel.known
    last = audited.last
    starts = [int(start) for start in np.linspace(0, last - warmup, LATER + 2)[1:-1] if last - warmup > LATER]
    whole = fresh(strategy).values(known)[last]
    scored = np.isfinite(whole)
    if not starts or not scored.any():
        return Opinion(WARMUP, None, f"The data are too short for a warm-up of {warmup} sessions.")
    spread = float(whole[scored].max() - whole[scored].min())
    changed, moved = [], []
    for since in starts:
        again = fresh(strategy).values(View(known, since=since))[last - since]
        both = scored & np.isfinite(again)
        change = float(np.abs(again - whole)[both].max()) if both.any() else np.nan
        changed.append(change / spread if spread > 0.0 else np.nan)
        moved.append(int((_ranks(again) != _ranks(whole)).sum()))
    days = [str(known.days[each]) for each in starts]
    return Opinion(
        WARMUP,
        None,
        f"{strategy.name} declares that it uses all history. With data from {', '.join(days)} on, "
        f"{', '.join(map(str, moved))} of {int(scored.sum())} funds have another rank on {known.days[last]}.",
        {"warmup": warmup, "starts": days, "changed": changed, "ranks": moved},
    )


def _ranks(scores: Floats) -> Floats:
    """Return the rank of each score, 0 the highest, ties by place; NaN where there is none."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(len(scores))
    return np.where(np.isfinite(scores), ranks, -1.0)


def order_and_scale(audited: Audited) -> Opinion:
    """Return whether order and number of funds, currency and old splits leave decisions alone.

    ``details``: ``checks`` with what was asked, and on failure the first difference.
    """
    checks = []
    for name, found in _checks(audited):
        if found is not None:
            return Opinion(
                ORDER_AND_SCALE,
                False,
                f"{audited.strategy.name} depends on {name}: for {found.symbol} on "
                f"{found.day} it says {found.whole:.6g}, and {found.altered:.6g} after the change.",
                found.details("before", "after") | {"check": name},
            )
        checks.append(name)
    return Opinion(ORDER_AND_SCALE, True, f"Nothing depends on {_or(checks)}.", {"checks": checks})


def _or(names: list[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} or {last}" if before else last


def _checks(audited: Audited) -> Iterator[tuple[str, Mismatch | None]]:
    strategy, panel = audited.strategy, audited.panel
    rng = np.random.default_rng([audited.conditions.seed, 3])
    known, count = panel.known, len(panel.symbols)
    if isinstance(strategy, AtOnceAdapter):
        whole = fresh(strategy).values(known)
        order = rng.permutation(count).astype(np.int64)
        again = fresh(strategy).values(View(known, order))
        yield "the order of funds", first_mismatch(whole[:, order], again, known.days, _named(panel, order))
        place = int(rng.integers(count + 1))
        columns = np.insert(np.arange(count, dtype=np.int64), place, -1)
        stranger = unused_symbol(panel.symbols, panel.symbols[0])
        again = np.delete(fresh(strategy).values(View(known, columns, stranger=stranger)), place, axis=1)
        yield "a fund that is never held", first_mismatch(whole, again, known.days, panel.symbols)
    first, last = audited.first(), audited.last
    targets = targets_of(strategy, panel, first, last, fill=audited.conditions.fill)
    returns = returns_of(audited, [targets], first)
    other = in_other_money(panel.ingredients, CURRENCY).build()
    yield "the currency", _same_run(audited, other, targets, returns, first, CURRENCY)
    chosen = rng.permutation(count)[: max(1, count // 2)].tolist()
    ratios = {panel.symbols[column]: SPLIT for column in chosen}
    other = split_from_the_start(panel.ingredients, ratios).build()
    yield "splits before the first day", _same_run(audited, other, targets, returns, first, 1.0)


def _named(panel: Panel, order: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(panel.symbols[column] for column in order.tolist())


def _same_run(
    audited: Audited, other: Panel, targets: Any, returns: Floats, first: int, factor: float
) -> Mismatch | None:
    """Return the first difference between decisions, then returns, on a panel counted in another way."""
    strategy = _in_other_money(audited.strategy, factor)
    again = targets_of(strategy, other, first, audited.last, fill=audited.conditions.fill)
    if isinstance(targets, Targets) and isinstance(again, Targets):
        days = audited.panel.days[targets.decisions]
        found = first_mismatch(targets.weights, again.weights, days, audited.panel.symbols)
        if found is not None:
            return found
    if factor == 1.0:
        return None
    given = audited.conditions
    costs = given.costs.times(factor, ("commission_min", "commission_tick"))
    simulation = Simulation(again, replace(given, cash=given.cash * factor, costs=costs))
    got = net_returns(other, [simulation], first, audited.last)
    days = audited.panel.days[first : audited.last + 1]
    return first_mismatch(returns.T, got.T, days, ("the portfolio's return",))


def _in_other_money(strategy: Adapter, factor: float) -> Adapter:
    """Return the strategy with those of its parameters that are amounts of money in the other currency.

    They have the unit ``money``; without units, they are the numbers that are too large for anything else.
    """
    values = strategy.fields
    units = {each.name: each.unit for each in parameters_of(strategy.written)}
    money = {
        name: values[name] * factor
        for name, unit in units.items()
        if unit.startswith("money") or (not unit and name != "seed" and _is_large(values[name]))
        if values[name] is not None
    }
    return strategy.with_parameters(money) if money else strategy


def _is_large(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= LARGE
