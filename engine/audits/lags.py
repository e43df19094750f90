"""Lag sensitivity: what is left when every flow is known some sessions later than it was published."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from data.scenarios.perturb import delayed
from engine.audits.audited import Audited, annual_return, returns_of, sharpe, targets_of, written
from engine.audits.opinion import Opinion

Floats = NDArray[np.float64]

NAME = "lag_sensitivity"
LAGS = (0, 1, 2, 3, 5)
# Of a strategy that reads no flows, and of one that reads them and holds the same whatever they are.
SAME = (
    f"Returns are the same with flows known {', '.join(map(str, LAGS))} sessions later: when they are known "
    "decides nothing here."
)


def lag_sensitivity(audited: Audited) -> Opinion:
    """Return Sharpe ratio and annual return with all but bars known 0, 1, 2, 3 and 5 sessions later.

    Delayed is what is published about funds, as units, NAV and margin; indices and macro series are not.
    All on the same sessions: from the first on which the slowest can decide. Trading prices do not change.
    ``details``: ``lags``, ``sharpe_ratio``, ``annual_return`` (fractions), ``first_day``.
    """
    panels = [delayed(audited.panel.ingredients, lag).build() if lag else audited.panel for lag in LAGS]
    first = max(audited.first(panel=panel) for panel in panels)
    targets = [
        targets_of(audited.strategy, panel, first, audited.last, fill=audited.conditions.fill)
        for panel in panels
    ]
    returns = returns_of(audited, targets, first)
    per_year = audited.per_year(first)
    ratios = sharpe(returns, per_year)
    annual = annual_return(returns, per_year)
    same = bool((returns == returns[0]).all())
    day = str(np.datetime64(audited.panel.days[first], "D"))
    later = f" All begin on {day}, when the slowest can decide." if first > audited.first() else ""
    return Opinion(
        NAME,
        None,
        (SAME if same else sentence_on(ratios)) + later,
        {
            "lags": list(LAGS),
            "sharpe_ratio": ratios,
            "annual_return": annual,
            "first_day": day,
        },
    )


def sentence_on(ratios: Floats) -> str:
    """Return what Sharpe ratios with flows known ``LAGS`` sessions later say, (5,), NaN where undefined."""
    curve = ", ".join(map(written, ratios))
    said = f"Sharpe ratio {curve} with flows known {', '.join(map(str, LAGS))} sessions later"
    lost = float(ratios[0] - ratios[1])
    if not math.isfinite(lost):
        return f"{said}; what the first session costs is not known."
    if ratios[0] <= 0.0:
        return f"{said}; without a delay it earns nothing that one could cost."
    if lost >= 0.0:
        return f"{said}; the first session costs {lost:.2f}."
    return f"{said}; the first session adds {-lost:.2f}, so speed is not what it earns from."
