"""Hold the funds whose units, margin balance and price are at or near their records.

The idea is the press's "units at a record since listing, margin balance at a record, a new high". For prices
there is evidence, from stocks: nearness to the 52-week high predicts returns better than past return does
(George, Hwang 2004, Journal of Finance).

Formula, for a session *d*, on what was public before its open, with ``n = window``::

    nearness(x)[d] = x[d] / max(x[d-n+1 .. d])                   1 = at the record
    score[d]       = weighted mean of nearness(units), nearness(margin balance), nearness(price)

Units are split-adjusted, and the price is a total return: on raw numbers a split would fake a record of units
and rule out one of the price. A series that a fund does not have is left out of its mean; the price must be
known. Records are those of a window and not since listing, so that the score does not depend on how much
history is on file; a fund younger than the window is compared with its whole past, after ``minimum``
sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.errors import UsageError
from data.panel.by_fund import by_fund
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import rolling_max

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class RecordHigh(Rotation):
    """Hold the funds nearest to their records of units, margin balance and price.

    A ``threshold`` just below 1 holds only funds at records. NaN before ``minimum`` sessions of price.
    """

    window: int = param(120, low=2, high=1000, unit="sessions", help="window of a record")
    minimum: int = param(
        20, low=2, high=1000, unit="sessions", help="known sessions that a record takes at least"
    )
    units_weight: float = param(1.0, low=0.0, high=10.0, help="weight of fund units in the mean")
    margin_weight: float = param(1.0, low=0.0, high=10.0, help="weight of the margin balance")
    price_weight: float = param(1.0, low=0.0, high=10.0, help="weight of the price")

    def __post_init__(self) -> None:
        """Check all parameters, alone and together."""
        super().__post_init__()
        if self.minimum > self.window:
            raise UsageError(
                "parameter `minimum` of RecordHigh is above `window`",
                received=self.minimum,
                limit=f"{self.window} sessions",
            )
        if self.units_weight + self.margin_weight + self.price_weight == 0.0:
            raise UsageError("all weights of RecordHigh are 0", hint="Give at least one series a weight.")

    @property
    def warmup(self) -> int:
        """A window of levels, each of the session before its row."""
        return self.window

    @by_fund
    def scores(self, known: Known) -> Floats:
        """Return the weighted mean of nearness, 0 to 1."""
        price = self._nearness(known.adjusted_close)
        weighted = (
            (self.units_weight, self._nearness(known.units_adjusted)),
            (self.margin_weight, self._nearness(known.margin_balance)),
            (self.price_weight, price),
        )
        total, weights = np.zeros(known.listed.shape), np.zeros(known.listed.shape)
        for weight, nearness in weighted:
            usable = np.isfinite(nearness)
            total += np.where(usable, weight * nearness, 0.0)
            weights += np.where(usable, weight, 0.0)
        scored = (weights > 0.0) & np.isfinite(price)
        return where_listed(known, np.where(scored, total / np.where(scored, weights, 1.0), np.nan))

    def _nearness(self, level: Floats) -> Floats:
        highest = rolling_max(level, self.window, self.minimum)
        return level / np.where(highest > 0.0, highest, np.nan)
