"""Placebo: the same strategy on flows that mean nothing, and what momentum alone would have earned.

Flows, and what else is published about funds, are shuffled in time in blocks of sessions, or exchanged
between funds (``data.scenarios.placebo``); the market that is traded stays the real one. If flows matter, the
real Sharpe ratio stands above most of those.
The p-value is that of a permutation test with the real one counted in: (1 + #{placebo >= real}) / (B + 1)
(Phipson, Smyth 2010, Permutation P-values Should Never Be Zero).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError
from data.panel.panel import Ingredients
from data.panel.watched import read_by
from data.scenarios.placebo import MOVED, Placebo
from data.words import count, percent
from engine.audits.audited import (
    Audited,
    annual_return,
    returns_of,
    sharpe,
    targets_of,
)
from engine.audits.controls import momentum_control
from engine.audits.opinion import Opinion
from engine.statistics import linear
from engine.strategy.adapter import AtOnceAdapter
from engine.strategy.adapters import BacktraderAdapter
from engine.strategy.fresh import renewed

Floats = NDArray[np.float64]

NAME = "placebo"
DRAWS = 200
KINDS = ("in_time", "between_funds")


def placebo(audited: Audited) -> Opinion:
    """Return where the real Sharpe ratio stands among those on shuffled and on exchanged flows.

    ``details``: ``draws``, ``sharpe_ratio``, for each of ``in_time`` and ``between_funds`` the 5, 50 and 95 %
    quantiles, ``rank`` (1 = best, of draws + 1), ``tied`` and ``p_value``; and ``momentum`` (see
    ``momentum_part``).
    """
    first = audited.first()
    per_year = audited.per_year(first)
    real = returns_of(
        audited,
        [targets_of(audited.strategy, audited.panel, first, audited.last, fill=audited.conditions.fill)],
        first,
    )
    ratio = float(sharpe(real, per_year)[0])
    momentum = momentum_part(audited)
    details: dict[str, Any] = {"sharpe_ratio": ratio, "momentum": momentum}
    adapter = audited.strategy
    at_once = isinstance(adapter, AtOnceAdapter) and MOVED.isdisjoint(
        read_by(renewed(adapter).values, audited.panel)
    )
    if at_once or isinstance(adapter, BacktraderAdapter):
        return Opinion(
            NAME,
            None,
            f"The strategy reads no flows, so there is nothing to exchange.{_of_momentum(momentum)}",
            details | {"draws": 0},
        )
    draws = DRAWS if audited.draws is None else audited.draws
    details["draws"] = draws
    standings = []
    for kind, words in zip(KINDS, ("shuffled in time", "exchanged between funds"), strict=True):
        targets = [
            targets_of(
                audited.strategy,
                audited.panel.with_facts(given.facts),
                first,
                audited.last,
                fill=audited.conditions.fill,
            )
            for given in _draws(audited, kind, draws)
        ]
        ratios = sharpe(returns_of(audited, targets, first), per_year)
        details[kind] = standing(ratio, ratios)
        standings.append((words, details[kind]))
    return Opinion(NAME, None, sentence_on(ratio, standings) + _of_momentum(momentum), details)


def sentence_on(ratio: float, standings: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Return where a Sharpe ratio stands among those on flows that were shuffled in some ways, in words."""
    if not math.isfinite(ratio):
        return "The strategy's returns do not vary, so there is no Sharpe ratio to rank."
    parts = [_stands(words, each) for words, each in standings]
    nothing = " What flows say decides nothing here." if all(_all_tied(each) for _, each in standings) else ""
    return f"Sharpe ratio {ratio:.2f} is {' and '.join(parts)}.{nothing}"


def _all_tied(standing: Mapping[str, Any]) -> bool:
    """Return whether a number is that of every draw, so that its rank says nothing."""
    return bool(0 < standing["tied"] == standing["of"] - 1)


def _stands(words: str, standing: Mapping[str, Any]) -> str:
    if _all_tied(standing):
        return f"the same in {count(standing['tied'], 'draw')} with flows {words}"
    if standing["of"] > 1:
        rank = f"rank {standing['rank']:,} of {standing['of']:,}"
        return f"{rank} with flows {words} (p = {standing['p_value']:.3f})"
    return f"not ranked with flows {words}, on which none is defined"


def _draws(audited: Audited, kind: str, draws: int) -> Iterator[Ingredients]:
    flows = Placebo.of(audited.panel)
    for number in range(draws):
        rng = np.random.default_rng([audited.conditions.seed, 4, KINDS.index(kind), number])
        yield flows.in_time(rng) if kind == "in_time" else flows.between_funds(rng)


def standing(real: float, drawn: Floats) -> dict[str, Any]:
    """Return where a number stands among drawn ones, (B,), of which NaN are left out.

    ``quantiles`` are 5, 50 and 95 %; ``rank`` is 1 plus the number of drawn ones that are not smaller, of
    which ``tied`` are as large;
    NaN quantiles and a p-value of 1 where nothing was drawn, or the number itself is NaN.
    """
    drawn = drawn[np.isfinite(drawn)]
    at_least = int((drawn >= real).sum()) if real == real else len(drawn)
    quantiles = np.quantile(drawn, [0.05, 0.5, 0.95]) if len(drawn) else np.full(3, np.nan)
    return {
        "quantiles": quantiles,
        "rank": 1 + at_least,
        "of": 1 + len(drawn),
        "tied": int((drawn == real).sum()),
        "p_value": (1 + at_least) / (1 + len(drawn)),
    }


def momentum_part(audited: Audited) -> Mapping[str, float]:
    """Return how a strategy's returns relate to its momentum control's, from the day when both can decide.

    ``annual_return`` of the control, ``excess`` over it, ``beta`` to it, ``alpha`` a year beyond beta times
    the control, and ``correlation``; empty where the catalogue has no ``momentum`` or it cannot run.
    """
    control = momentum_control(audited)
    if control is None:
        return {}
    try:
        first = max(audited.first(), audited.first(control))
    except DataError:
        return {}
    both = returns_of(
        audited,
        [
            targets_of(each, audited.panel, first, audited.last, fill=audited.conditions.fill)
            for each in (audited.strategy, control)
        ],
        first,
    )
    per_year = audited.per_year(first)
    annual = annual_return(both, per_year)
    ours, controls = both - both.mean(axis=1, keepdims=True)
    shared, variance = linear.inner(ours, controls), linear.inner(controls, controls)
    beta = shared / variance if variance > 0.0 else math.nan
    return {
        "annual_return": float(annual[1]),
        "excess": float(annual[0] - annual[1]),
        "beta": beta,
        "alpha": float((both[0].mean() - beta * both[1].mean()) * per_year),
        "correlation": linear.correlation(*both),
    }


def _of_momentum(momentum: Mapping[str, float]) -> str:
    if not momentum:
        return ""
    excess, correlation = 100 * momentum["excess"], momentum["correlation"]
    by = f"{abs(excess):.1f} points {'more' if excess > 0 else 'less'}" if abs(excess) >= 0.05 else "as much"
    alike = f" (correlation {correlation:.2f})" if math.isfinite(correlation) else ""
    return (
        f" Momentum with the same rotation earns {percent(momentum['annual_return'], 1)} a year, "
        f"the strategy {by}{alike}."
    )
