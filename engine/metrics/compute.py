"""All metrics of a result, or one of a path.

1. The metrics of the table (``engine.metrics.declared``) are measured of the run, in the table's order.
2. The returns of the benchmark and of equal weight are measured like those of the run.
3. What is undefined is None with a reason; never infinite, never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, KeysView, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.metrics.declared import METRICS, OF_ALTERNATIVES, OF_RUN
from engine.metrics.metric import Metric
from engine.metrics.path import Path
from engine.result import Result
from engine.statistics.paths import observed

NOT_FINITE = "the sample is too short or too one-sided for a finite number"


@dataclass(frozen=True)
class Metrics:
    """Metrics of one run.

    Attributes
    ----------
    values : mapping
        Name -> number, or None where it is undefined; fractions, not percent.
    reasons : mapping
        Name -> why its value is None.
    """

    values: Mapping[str, float | None]
    reasons: Mapping[str, str]

    def __getitem__(self, name: str) -> float | None:
        return self.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def keys(self) -> KeysView[str]:
        """Return the names, so that ``dict(metrics)`` and ``in`` do what they say."""
        return self.values.keys()


def compute_metrics(result: Result) -> Metrics:
    """Return all metrics of a result, in the order of the table, then those of the alternatives.

    Sessions without a benchmark return are left out of what compares with it (never filled).
    """
    path = Path.of_result(result)
    found = {name: _measured(each, result if each.of == "trades" else path) for name, each in OF_RUN.items()}
    for prefix, returns, missing in (
        ("benchmark_", result.benchmark_return, "there is no benchmark"),
        ("equal_weight_", result.equal_weight_return, "no fund traded"),
    ):
        per_year = result.sessions_per_year * observed(returns)
        other = Path.of_returns(returns[~np.isnan(returns)], per_year, missing=missing)
        found |= {prefix + name: _measured(METRICS[name], other) for name in OF_ALTERNATIVES}
    return Metrics(
        {name: value for name, (value, _) in found.items()},
        {name: why for name, (_, why) in found.items() if why is not None},
    )


def measured(names: Sequence[str], path: Path) -> list[float]:
    """Return metrics of a path alone, in this order.

    NaN where one is undefined, and for all of a path that is not known throughout.
    """
    if np.isnan(path.levels).any():
        return [math.nan] * len(names)
    values = (_measured(METRICS[name], path)[0] for name in names)
    return [math.nan if value is None else value for value in values]


def _measured(metric: Metric, subject: Any) -> tuple[float | None, str | None]:
    """Return a number and None, or None and why there is none."""
    with np.errstate(all="ignore"):
        reason = metric.undefined(subject)
        value = metric.function(subject) if reason is None else math.nan
    if math.isfinite(value):
        return value, None
    return None, reason or NOT_FINITE
