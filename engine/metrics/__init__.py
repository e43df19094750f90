"""Performance statistics of a result, annualised on the exchange's real session count.

``declared`` is the table of metrics; their functions are in ``returns`` (of a path of equity), ``benchmark``
(of a path against its benchmark) and ``trading`` (of fills, costs and holdings); ``compute`` measures a
result. ``docs/metrics.md`` has names, formulas, units and differences from empyrical and pyfolio.
"""

from engine.metrics.compute import Metrics, compute_metrics
from engine.metrics.drawdowns import Drawdown, drawdowns
from engine.metrics.periods import monthly_returns, yearly_returns

__all__ = ["Drawdown", "Metrics", "compute_metrics", "drawdowns", "monthly_returns", "yearly_returns"]
