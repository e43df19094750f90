"""Cost and capacity: what is left when trading costs more, and when more money is traded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.audits.audited import (
    Audited,
    Simulation,
    annual_return,
    net_returns,
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


def cost_and_capacity(audited: Audited) -> Opinion:
    """Return net results against costs times 0, 1, 2 and 4, and against capital from 1e5 to 1e10.

    Capital is run with participation cap and impact on: those it is traded with, else 0.1 and 0.5.
    ``details``: ``multiples`` with ``sharpe_ratio`` and ``annual_return``; ``capitals`` with
    ``annual_return`` and ``excess`` over the benchmark; ``capacity``, the capital at which half of the
    largest excess is gone (NaN: none to lose, or not within the range), ``participation_rate`` and
    ``impact``.
    """
    first, last = audited.first(), audited.last
    per_year = audited.per_year(first)
    given = audited.conditions
    targets = targets_of(audited.strategy, audited.panel, first, last)
    with_impact = replace(
        given.costs,
        participation_rate=given.costs.participation_rate or PARTICIPATION,
        impact=given.costs.impact or IMPACT,
    )
    tried = [replace(given, costs=_times(given.costs, each)) for each in MULTIPLES]
    tried += [replace(given, cash=capital, costs=with_impact) for capital in CAPITALS]
    returns = net_returns(audited.panel, [Simulation(targets, each) for each in tried], first, last)
    annual, ratios = annual_return(returns, per_year), sharpe(returns, per_year)
    alternative = benchmark_return(audited.panel, given, first, last)
    passive = float(annual_return(np.nan_to_num(alternative, nan=0.0)[None, :], per_year)[0])
    costly, rich = slice(0, len(MULTIPLES)), slice(len(MULTIPLES), None)
    excess = annual[rich] - passive
    capacity = half_gone(np.array(CAPITALS), excess)
    details: dict[str, Any] = {
        "multiples": list(MULTIPLES),
        "sharpe_ratio": ratios[costly],
        "annual_return": annual[costly],
        "benchmark_annual_return": passive,
        "capitals": list(CAPITALS),
        "capital_annual_return": annual[rich],
        "excess": excess,
        "capacity": capacity,
        "participation_rate": with_impact.participation_rate,
        "impact": with_impact.impact,
    }
    by_cost = ", ".join(f"{100 * each:.1f} %" for each in annual[costly])
    return Opinion(
        NAME, None, f"{by_cost} a year with costs times 0, 1, 2, 4. {_of_capacity(excess, capacity)}", details
    )


def half_gone(capitals: Floats, excess: Floats) -> float:
    """Return the capital at which half of the largest excess return is gone, interpolated in log capital.

    NaN where the largest excess is not above zero, or more than half of it is left at the largest capital.
    """
    best = int(np.argmax(excess))
    half = excess[best] / 2.0
    if not excess[best] > 0.0:
        return float("nan")
    for place in range(best + 1, len(excess)):
        if excess[place] <= half:
            part = (excess[place - 1] - half) / (excess[place - 1] - excess[place])
            low, high = np.log(capitals[place - 1]), np.log(capitals[place])
            return float(np.exp(low + part * (high - low)))
    return float("nan")


def _times(costs: Costs, multiple: float) -> Costs:
    return replace(
        costs,
        commission_rate=min(costs.commission_rate * multiple, 1.0),
        commission_min=costs.commission_min * multiple,
        slippage_rate=min(costs.slippage_rate * multiple, 1.0),
    )


def _of_capacity(excess: Floats, capacity: float) -> str:
    if capacity == capacity:
        return f"Half of the excess over the benchmark is gone at a capital of {capacity:.2g}."
    if not excess.max() > 0.0:
        return "There is no excess over the benchmark that capital could eat up."
    return f"More than half of the excess over the benchmark is left at {CAPITALS[-1]:.0e}."
