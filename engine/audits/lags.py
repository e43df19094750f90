"""Lag sensitivity: what is left when every flow is known some sessions later than it was published."""

from __future__ import annotations

import numpy as np

from data.scenarios.perturb import delayed
from engine.audits.case import Case, annual_return, returns_of, sharpe, targets_of
from engine.audits.opinion import Outcome

NAME = "lag_sensitivity"
LAGS = (0, 1, 2, 3, 5)


def lag_sensitivity(case: Case) -> Outcome:
    """Return Sharpe ratio and annual return with units, NAV and margin known 0, 1, 2, 3 and 5 sessions later.

    All on the same sessions: from the first on which the slowest can decide. Trading prices do not change.
    ``details``: ``lags``, ``sharpe_ratio``, ``annual_return`` (fractions), ``first_day``.
    """
    panels = [delayed(case.panel.ingredients, lag).build() if lag else case.panel for lag in LAGS]
    first = max(case.first(panel=panel) for panel in panels)
    targets = [targets_of(case.strategy, panel, first, case.last) for panel in panels]
    returns = returns_of(case, targets, first)
    ratios = sharpe(returns, case.panel.sessions_per_year)
    annual = annual_return(returns, case.panel.sessions_per_year)
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
    return Outcome(
        NAME,
        None,
        sentence,
        {
            "lags": list(LAGS),
            "sharpe_ratio": ratios,
            "annual_return": annual,
            "first_day": str(np.datetime64(case.panel.days[first], "D")),
        },
    )
