"""Cost and capacity: what is left when trading costs more, and when more money is traded."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.facts.symbols import account_currency
from data.words import number, percent, rough
from engine.audits.audited import (
    Audited,
    Simulation,
    annual_return,
    net_returns_and_exposure,
    sharpe,
    targets_of,
)
from engine.audits.opinion import Opinion
from engine.kernel.costs import Costs
from engine.simulation.alternatives import benchmark_return

Floats = NDArray[np.float64]

NAME = "cost_and_capacity"
MULTIPLES = (0.0, 1.0, 2.0, 4.0)
CAPITALS = tuple(10.0 ** (exponent / 2) for exponent in range(10, 21))
# What the literature finds for the coefficient of the square-root law is of the order of one.
IMPACT = 0.5
PARTICIPATION = 0.1
# A return a year over the benchmark up to this, a hundredth of a percent, is none.
LEAST = 1e-4
# Shares of the largest exposure: from the first on money counts as in funds, below the second as in cash.
WHOLE, HALF = 0.9, 0.5


def cost_and_capacity(audited: Audited) -> Opinion:
    """Return net results against costs times 0, 1, 2 and 4, and against capital from 1e5 to 1e10.

    Capital is run with participation cap and impact on: those it is traded with, else 0.1 and 0.5.
    ``details``: ``multiples`` with ``sharpe_ratio`` and ``annual_return``; ``capitals``, in ``currency``,
    with ``annual_return``, ``exposure`` (mean share of equity in funds) and ``excess`` over the benchmark, on
    the sessions from the first to the last on which that is known; ``capacity``, the capital at which half of
    the largest excess is gone (NaN: none to lose, or not within the range), ``participation_rate`` and
    ``impact``. Capital that for the most part finds no fill stays in cash, and its excess is that of cash: it
    is not looked at. Nor is an excess one to lose that begins where more than a tenth finds no fill.
    """
    first, last = audited.first(), audited.last
    per_year = audited.per_year(first)
    given = audited.conditions
    targets = targets_of(audited.strategy, audited.panel, first, last, fill=audited.conditions.fill)
    with_impact = replace(
        given.costs,
        participation_rate=given.costs.participation_rate or PARTICIPATION,
        impact=given.costs.impact or IMPACT,
    )
    tried = [replace(given, costs=_times(given.costs, each)) for each in MULTIPLES]
    tried += [replace(given, cash=capital, costs=with_impact) for capital in CAPITALS]
    returns, exposure = net_returns_and_exposure(
        audited.panel, [Simulation(targets, each) for each in tried], first, last
    )
    annual, ratios = annual_return(returns, per_year), sharpe(returns, per_year)
    alternative = benchmark_return(audited.panel, given, first, last)
    known = np.flatnonzero(np.isfinite(alternative))
    costly, rich = slice(0, len(MULTIPLES)), slice(len(MULTIPLES), None)
    passive, excess = float("nan"), np.full(len(CAPITALS), np.nan)
    if len(known):
        common = slice(known[0], known[-1] + 1)  # a gap in it is in the return behind it
        passive = float(annual_return(np.nan_to_num(alternative[None, common], nan=0.0), per_year)[0])
        excess = annual_return(returns[rich, common], per_year) - passive
    filled, whole = invested(exposure[rich]), invested(exposure[rich], WHOLE)
    capacity = half_gone(np.array(CAPITALS)[:filled], excess[:filled], whole)
    details: dict[str, Any] = {
        "multiples": list(MULTIPLES),
        "sharpe_ratio": ratios[costly],
        "annual_return": annual[costly],
        "benchmark_annual_return": passive,
        "currency": account_currency(audited.panel.symbols, audited.panel.currency),
        "capitals": list(CAPITALS),
        "capital_annual_return": annual[rich],
        "exposure": exposure[rich],
        "excess": excess,
        "capacity": capacity,
        "participation_rate": with_impact.participation_rate,
        "impact": with_impact.impact,
    }
    by_cost = ", ".join(percent(each, 1) for each in annual[costly])
    said = sentence_on(excess, capacity, filled, whole, details["currency"])
    return Opinion(
        NAME,
        None,
        f"{by_cost} a year with costs times 0, 1, 2, 4. {said} {_conditions_of(given.costs, with_impact)}",
        details,
    )


def invested(exposure: Floats, part: float = HALF) -> int:
    """Return up to which of the capitals at least ``part`` of the largest share of equity is in funds."""
    best = int(np.argmax(exposure))
    if not exposure[best] > 0.0:
        return 0
    idle = np.flatnonzero(exposure[best:] < exposure[best] * part)
    return best + int(idle[0]) if len(idle) else len(exposure)


def half_gone(capitals: Floats, excess: Floats, whole: int) -> float:
    """Return the capital at which half of the largest excess return is gone, interpolated in log capital.

    The largest is that of the first ``whole`` capitals. NaN where it is not above ``LEAST``, or more than
    half of it is left at the largest capital.
    """
    if not whole or not excess[:whole].max() > LEAST:
        return float("nan")
    best = int(np.argmax(excess[:whole]))
    half = excess[best] / 2.0
    for place in range(best + 1, len(excess)):
        if excess[place] <= half:
            part = (excess[place - 1] - half) / (excess[place - 1] - excess[place])
            low, high = math.log(capitals[place - 1]), math.log(capitals[place])
            return math.exp(low + part * (high - low))
    return float("nan")


def _conditions_of(given: Costs, used: Costs) -> str:
    """Say with which impact and cap each capital is traded, and whether the run had them."""
    others = "" if used == given else ", unlike the run"
    cap = f"at most {100 * used.participation_rate:g}% of a session's volume"
    return f"Each capital is traded with an impact of {used.impact:g} and {cap}{others}."


def _times(costs: Costs, multiple: float) -> Costs:
    return costs.times(multiple, ("commission_rate", "commission_min", "slippage_rate"))


def sentence_on(excess: Floats, capacity: float, filled: int, whole: int, money: str) -> str:
    """Return what the excess by capital says, in ``money``; the first ``filled`` found fills for most.

    An excess is one to lose where the first ``whole`` have it, which found fills for nearly all.

    A capital that was run is written as in the tables, what lies between two is rough.
    """
    idle = ""
    if filled < len(excess):
        least = f"{number(CAPITALS[filled], 0)} {money}"
        idle = f" From a capital of {least} on, most of it finds no fill and stays in cash."
    if np.isnan(excess).all():
        return f"There is no benchmark in this period to have an excess over.{idle}"
    if capacity == capacity:
        return (
            f"Half of the excess over the benchmark is gone at a capital of {rough(capacity)} {money}.{idle}"
        )
    if not whole or not excess[:whole].max() > LEAST:
        return f"There is no excess over the benchmark that capital could eat up.{idle}"
    most = f"{number(CAPITALS[filled - 1], 0)} {money}"
    return f"More than half of the excess over the benchmark is left at a capital of {most}.{idle}"
