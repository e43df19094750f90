"""Performance statistics of a result, annualised on the exchange's real session count.

``declared`` is the table of metrics; their functions are in ``returns`` (of a path of equity), ``benchmark``
(of a path against its benchmark) and ``trading`` (of fills, costs and holdings); ``compute`` measures a
result. ``docs/metrics.md`` has names, formulas, units and differences from empyrical and pyfolio.
"""

from engine.metrics.compute import Metrics, compute_metrics
from engine.metrics.drawdowns import Drawdown, drawdowns
from engine.metrics.intervals import annual_return_interval, sharpe_interval
from engine.metrics.periods import (
    extreme_days,
    monthly_returns,
    trailing_returns,
    win_rates,
    yearly_returns,
)

__all__ = [
    "Drawdown",
    "Metrics",
    "annual_return_interval",
    "compute_metrics",
    "drawdowns",
    "extreme_days",
    "monthly_returns",
    "sharpe_interval",
    "trailing_returns",
    "win_rates",
    "yearly_returns",
]
