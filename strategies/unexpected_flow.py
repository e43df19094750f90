"""Rotate into the funds whose inflow nobody could have expected from what was known the session before.

Part of a fund's flow follows its own past, past returns and the premium: it is old news. Xu, Yin, Zhao (2022)
find that the *unexpected* part of a day's flow predicts the next day's return of Chinese equity ETFs
positively, and that the expected part does not; Ben-David, Franzoni, Kim, Moussawi (2023, RFS) find that
flows which chase returns are followed by lower ones, over months. So ``sign=1``, a short ``lookback`` and
frequent decisions.

Formula, for a session *d*, on what was public before its open. With the flow ratio of a row
``f[d] = flow[d] / aum[d-1]``, a regression over all funds and the ``window`` rows before *d*::

    f[j] = a + b1 f[j-1] + b2 mean5(f)[j-1] + b3 mean20(f)[j-1]
             + c1 return1[j-1] + c2 return5[j-1] + c3 premium[j-1]
    unexpected[d] = f[d] - what the coefficients of *d* say of f[d]
    score[d]      = sign * sum(unexpected[d-n+1 .. d]),  n = lookback

Rows on which a fund has no new count, or no full past, are left out; a premium that is not known counts as 0.
What would make it fail: creations that market makers arrange ahead of news, so that they are in the price;
counts that come a day late; and costs, since the score forgets everything within days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.numeric.shared import shared
from strategies.cross_section import row_sums
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change, rolling_mean, rolling_sum, shift
from strategies.words import premium

if TYPE_CHECKING:
    from data.panel.known import Known

# The longest mean of past flows, and the row before it.
PAST = 20
# Cases a regression has for each of its coefficients, at least.
CASES = 10


@dataclass(frozen=True, kw_only=True)
class UnexpectedFlow(Rotation):
    """Hold the funds with the largest inflow that past flows, returns and premium do not explain.

    NaN until the regression has its window, and where fewer than ``coverage`` of the sessions have a count.
    """

    lookback: int = param(3, low=1, high=250, unit="sessions", help="window over which surprises add up")
    window: int = param(
        120, low=20, high=1000, unit="sessions", help="history that expectations are learned from"
    )
    sign: int = param(1, choices=(1, -1), help="1 = follow surprises, -1 = go against them")
    coverage: float = param(
        0.6, low=0.0, high=1.0, unit="fraction", help="smallest share of the sessions that have a count"
    )

    @property
    def warmup(self) -> int:
        """A window of rows before the oldest surprise, each with its own past, and AUM of the row before."""
        return self.lookback + self.window + PAST + 1

    def scores(self, known: Known) -> Floats:
        """Return the surprises of the last sessions, fractions of AUM."""
        at_least = max(math.ceil(self.coverage * self.lookback - 1e-9), 1)
        surprise = unexpected_flow(known, self.window)
        return where_listed(known, self.sign * rolling_sum(surprise, self.lookback, at_least))


@shared
def unexpected_flow(known: Known, window: int) -> Floats:
    """Return (D, S) the flow ratio of each row less what was expected of it; NaN without a new count."""
    aum = shift(known.aum, 1)
    ratio = known.flow("vwap") / np.where(aum > 0.0, aum, np.nan)
    before = shift(ratio, 1)
    known_premium = premium(known)
    reasons = [
        np.ones_like(ratio),
        np.where(np.isfinite(before), before, 0.0),
        shift(rolling_mean(ratio, 5, 1), 1),
        shift(rolling_mean(ratio, PAST, PAST // 2), 1),
        shift(change(known.adjusted_close, 1), 1),
        shift(change(known.adjusted_close, 5), 1),
        shift(np.where(np.isfinite(known_premium), known_premium, 0.0), 1),
    ]
    return ratio - _expected(ratio, reasons, window)


def _expected(y: Floats, reasons: Sequence[Floats], window: int) -> Floats:
    """Return (D, S) what a regression over the ``window`` rows before each row says of it."""
    cases = np.isfinite(y)
    for each in reasons:
        cases &= np.isfinite(each)
    count = len(reasons)
    products = np.zeros((len(y), count, count))
    moments = np.zeros((len(y), count))
    clean = [np.where(cases, each, 0.0) for each in reasons]
    target = np.where(cases, y, 0.0)
    for row in range(count):
        moments[:, row] = row_sums(clean[row] * target)[:, 0]
        for column in range(row, count):
            products[:, row, column] = products[:, column, row] = row_sums(clean[row] * clean[column])[:, 0]
    # shifted, so that a row is expected from the rows before it only
    products = shift(rolling_sum(products, window), 1)
    moments = shift(rolling_sum(moments, window), 1)
    fitted = products[:, 0, 0] >= CASES * count
    result = np.full(y.shape, np.nan)
    if not fitted.any():
        return result
    coefficients = np.full((len(y), count), np.nan)
    for row in np.flatnonzero(fitted).tolist():
        coefficients[row] = _solve(products[row], moments[row])
    known = np.stack(reasons, axis=-1)
    total = np.zeros(y.shape)
    for place in range(count):
        total += known[:, :, place] * coefficients[:, [place]]
    return np.where(fitted[:, None], total, np.nan)


def _solve(products: Floats, moments: Floats) -> Floats:
    """Return the coefficients of least squares; 0 for what others before it say already, or does not vary."""
    size = len(moments)
    lower = np.zeros((size, size))
    used: list[int] = []
    for row in range(size):
        for column in used:
            done = sum(lower[row, each] * lower[column, each] for each in used if each < column)
            lower[row, column] = (products[row, column] - done) / lower[column, column]
        left = products[row, row] - sum(lower[row, each] ** 2 for each in used)
        if left > 1e-10 * max(products[row, row], 1e-300):
            lower[row, row] = math.sqrt(left)
            used.append(row)
    forward = np.zeros(size)
    for row in used:
        done = sum(lower[row, each] * forward[each] for each in used if each < row)
        forward[row] = (moments[row] - done) / lower[row, row]
    result = np.zeros(size)
    for row in reversed(used):
        done = sum(lower[each, row] * result[each] for each in used if each > row)
        result[row] = (forward[row] - done) / lower[row, row]
    return result
