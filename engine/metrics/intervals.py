"""How sure a headline number is: intervals of the annual return and of the Sharpe ratio.

Both are normal, and take returns as independent, of any law: a page must not wait for the libraries that
measure dependence. The comparison and the verdict resample.
"""

from __future__ import annotations

import math

from data.numeric.arithmetic import log_growth
from engine.result import Result
from engine.statistics.estimate import normal_quantile
from engine.statistics.sharpe import moments, standard_error

CONFIDENCE = 0.95
FEWEST = 60  # sessions: a quarter

Interval = tuple[float, float]


def sharpe_interval(result: Result) -> Interval | None:
    """Return the ends of the interval of the Sharpe ratio a year, with Mertens' error.

    None for a run shorter than FEWEST sessions, or without variation.
    """
    of = moments(result.returns)
    error = standard_error(of)
    if len(result.days) < FEWEST or of.reason is not None or error.reason is not None:
        return None
    scale, wide = math.sqrt(result.sessions_per_year), normal_quantile(0.5 + CONFIDENCE / 2.0)
    return (of.sharpe - wide * error.value) * scale, (of.sharpe + wide * error.value) * scale


def annual_return_interval(result: Result) -> Interval | None:
    """Return the ends of the interval of the annual return, from the mean of log returns.

    None for a run shorter than FEWEST sessions, one that lost all, or without variation.
    """
    if len(result.days) < FEWEST or not (result.returns > -1.0).all():
        return None
    growth = log_growth(result.returns)
    error = float(growth.std(ddof=1)) / math.sqrt(len(growth))
    if not error > 0.0:
        return None
    wide = normal_quantile(0.5 + CONFIDENCE / 2.0) * error
    middle, scale = float(growth.mean()), result.sessions_per_year
    return math.expm1((middle - wide) * scale), math.expm1((middle + wide) * scale)
