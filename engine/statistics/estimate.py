"""What the statistics share: an estimate or the reason why there is none, checks of input, the normal law.

1. A number that is undefined is NaN with a reason; never infinite, never an exception (``Estimate``).
2. Rows with a return that is not known are dropped before anything else, in all series at once (``known``).
3. A Sharpe ratio is per period; a figure above one in size is almost certainly annual, and refused; what was
   given by hand comes back with its unit, and above 0.3 with a warning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.errors import UsageError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SUSPICIOUS, SESSIONS = 0.3, 252  # a ratio per period above which it may be an annual one
NO_VARIATION = 1e-12  # a standard deviation up to this is rounding around a constant
# A return up to this in size is rounding: equity is a sum over cash and funds, its quotient is off by some
# units in the last place of 1 (2.2e-16 each). A cent of a hundred billion is ten times as much.
NO_RETURN = 1e-14

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Estimate:
    """A number, or NaN and the reason why it is undefined; ``note`` is what to tell a reader beside it."""

    value: float
    reason: str | None = None
    note: str | None = field(default=None, compare=False)


def undefined(reason: str) -> Estimate:
    """Return NaN with its reason."""
    return Estimate(math.nan, reason)


def finite(value: float, otherwise: str) -> Estimate:
    """Return the number, or NaN with the reason ``otherwise`` if it is not finite."""
    return Estimate(float(value)) if math.isfinite(value) else undefined(otherwise)


def known(*series: ArrayLike) -> list[Floats]:
    """Return the series as floats without the rows in which any of them is not finite.

    Each is (T,) or (T, N), all with the same T; UsageError otherwise. What has no such row is not copied.
    """
    arrays = [np.asarray(each, dtype=np.float64) for each in series]
    lengths = [len(each) if each.ndim else -1 for each in arrays]
    if len(set(lengths)) != 1 or min(lengths) < 0 or max(each.ndim for each in arrays) > 2:
        raise UsageError(
            "series to compare do not have the same rows",
            received=[each.shape for each in arrays],
            limit="one row a period in each",
            hint="Align them by date first.",
        )
    kept = np.ones(lengths[0], dtype=np.bool_)
    for each in arrays:
        finite_rows = np.isfinite(each)
        kept &= finite_rows if each.ndim == 1 else finite_rows.all(axis=1)
    return [np.ascontiguousarray(each) if kept.all() else each[kept] for each in arrays]


def known_matrix(matrix: ArrayLike, what: str) -> Floats:
    """Return a (T, N) matrix without the rows in which any column is not finite."""
    (values,) = known(matrix)
    if values.ndim != 2 or not values.shape[1]:
        raise UsageError(
            f"{what} are not a table", received=values.shape, limit="rows are periods, columns are trials"
        )
    return values


def check_at_least(name: str, value: float, low: float) -> None:
    """Raise UsageError if a size is below what makes sense."""
    if not value >= low:
        raise UsageError(f"{name} is too small", received=value, limit=f"at least {low}")


def check_share(name: str, value: float) -> None:
    """Raise UsageError unless a probability is strictly between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise UsageError(f"{name} is not a probability", received=value, limit="above 0 and below 1")


def check_per_period(name: str, sharpe: float) -> None:
    """Raise UsageError for a Sharpe ratio per period above one in size; NaN passes."""
    if abs(sharpe) > 1.0:
        raise UsageError(
            f"{name} is not per period",
            received=sharpe,
            limit="between -1 and 1",
            hint="Divide an annual figure by the square root of the periods per year.",
        )


def unit_of(sharpe: float) -> str:
    """Return in words that a ratio is per period, with a warning where that is more than a market gives.

    0.3 a session is 4.7 a year.
    """
    said = f"the Sharpe ratio {sharpe:g} is taken per period"
    if abs(sharpe) <= SUSPICIOUS:
        return said
    return (
        f"{said}, which is {sharpe * math.sqrt(SESSIONS):.1f} a year of {SESSIONS} sessions: "
        "divide an annual figure by the square root of the periods per year"
    )


def normal_cdf(z: float) -> float:
    """Return the standard normal distribution function, precise in the lower tail too."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_quantile(p: float) -> float:
    """Return the standard normal quantile of 0 < p < 1."""
    return _NORMAL.inv_cdf(p)


def two_sided_p(z: float) -> float:
    """Return the probability of a standard normal at least as far from zero as ``z``."""
    return math.erfc(abs(z) / math.sqrt(2.0))
