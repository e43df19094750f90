"""Hold AI funds while the companies that buy computing power spend more than a year before.

The demand for chips, optical modules and servers is capital expenditure of a few hyperscalers, published with
their quarterly reports, weeks after the quarter. While it grows, funds are ranked by momentum; otherwise
nothing is held (or ``otherwise`` is).

Formula, for a session *d*, on what was public before its open. C is the latest published value of the macro
series (each value from the first open after its publication on)::

    growing[d] = C[d] / C[d - growth_lookback] - 1 > growth_threshold
    score[d]   = adjusted_close[d] / adjusted_close[d - lookback] - 1 while growing, else NaN

244 sessions are a year of the Shanghai exchange, so that each quarter is compared with the same one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class ComputeCycle(Rotation):
    """Hold the funds with the highest total return while a macro series grows.

    DataError where the data have no such series; NaN until it has been published for ``growth_lookback``.
    """

    cash_without_score: ClassVar[bool] = True

    series: str = param("capex", help="macro series, as in the table macro")
    growth_lookback: int = param(
        244, low=1, high=1000, unit="sessions", help="window over which growth is measured"
    )
    growth_threshold: float = param(
        0.0, low=-1.0, high=10.0, unit="fraction", help="growth above this counts as growing"
    )
    lookback: int = param(60, low=1, high=1000, unit="sessions", help="total return that ranks the funds")

    @property
    def warmup(self) -> int:
        """Values at the start of both windows; prices are of the session before."""
        return max(self.growth_lookback, self.lookback) + 1

    def scores(self, known: Known) -> Floats:
        """Return total return while the series grows."""
        growing = is_growing(known, self.series, self.growth_lookback, self.growth_threshold)
        return where_listed(known, np.where(growing, change(known.adjusted_close, self.lookback), np.nan))


def is_growing(known: Known, series: str, lookback: int, threshold: float) -> NDArray[np.bool_]:
    """Return (D, 1) whether a macro series is above its value ``lookback`` sessions before; False unknown."""
    return (growth(known, series, lookback) > threshold)[:, None]


def growth(known: Known, series: str, lookback: int) -> Floats:
    """Return (D,) the growth of a macro series over ``lookback`` sessions, by what was published then."""
    return change(known.macro(series), lookback)
