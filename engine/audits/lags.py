"""Lag sensitivity: what is left when every flow is known some sessions later than it was published."""

from __future__ import annotations

import numpy as np

from data.scenarios.perturb import delayed
from engine.audits.audited import Audited, annual_return, returns_of, sharpe, targets_of
from engine.audits.opinion import Opinion

NAME = "lag_sensitivity"
LAGS = (0, 1, 2, 3, 5)


def lag_sensitivity(audited: Audited) -> Opinion:
    """Return Sharpe ratio and annual return with all but bars known 0, 1, 2, 3 and 5 sessions later.

    Delayed is what is published about funds, as units, NAV and margin; indices and macro series are not.
    All on the same sessions: from the first on which the slowest can decide. Trading prices do not change.
    ``details``: ``lags``, ``sharpe_ratio``, ``annual_return`` (fractions), ``first_day``.
    """
    panels = [delayed(audited.panel.ingredients, lag).build() if lag else audited.panel for lag in LAGS]
    first = max(audited.first(panel=panel) for panel in panels)
    targets = [targets_of(audited.strategy, panel, first, audited.last) for panel in panels]
    returns = returns_of(audited, targets, first)
    per_year = audited.per_year(first)
    ratios = sharpe(returns, per_year)
    annual = annual_return(returns, per_year)
    curve = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    if (returns == returns[0]).all():
        sentence = "Nothing depends on when flows are known: the strategy does not use them."
    else:
        lost = ratios[0] - ratios[1]
        sentence = (
            f"Sharpe ratio {curve} with flows known {', '.join(map(str, LAGS))} sessions later; "
            f"the first session costs {lost:.2f}."
            if lost >= 0.0
            else f"Sharpe ratio {curve} with flows known {', '.join(map(str, LAGS))} sessions later; "
            f"the first session adds {-lost:.2f}, so speed is not what it earns from."
        )
    return Opinion(
        NAME,
        None,
        sentence,
        {
            "lags": list(LAGS),
            "sharpe_ratio": ratios,
            "annual_return": annual,
            "first_day": str(np.datetime64(audited.panel.days[first], "D")),
        },
    )
