"""Momentum twice: hold the funds that rose most, and only while they rise at all.

Relative momentum chooses among funds, absolute momentum (of a fund with itself) says when to stay away:
Antonacci (2014), *Dual Momentum Investing*; Moskowitz, Ooi, Pedersen (2012) on the second half. What
does not qualify leaves its slot in cash, or all of it in ``otherwise`` (a money-market fund, say).

Formula, for a session *d*, on what was public before its open, with ``n = lookback``::

    return[d] = adjusted_close[d] / adjusted_close[d-n] - 1
    score[d]  = return[d] if return[d] > hurdle and return[d] is above that of ``index``, else NaN
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class DualMomentum(Rotation):
    """Hold the funds with the highest total return, as far as it is positive (or above an index's).

    NaN for a fund without a price at both ends of the window. DataError where the data have no ``index``.
    """

    cash_without_score: ClassVar[bool] = True

    lookback: int = param(120, low=1, high=1000, unit="sessions", help="window over which return is measured")
    hurdle: float = param(0.0, low=-1.0, high=10.0, unit="fraction", help="a fund must have returned more")
    index: str = param("", help="code of an index that a fund must have beaten; empty = none")

    @property
    def warmup(self) -> int:
        """The price at the window's start is of the session before it."""
        return self.lookback + 1

    def scores(self, known: Known) -> Floats:
        """Return the total return over the window, a fraction, where it clears both hurdles."""
        total_return = change(known.adjusted_close, self.lookback)
        clears = total_return > self.hurdle
        if self.index:
            clears &= total_return > change(known.index(self.index), self.lookback)[:, None]
        return where_listed(known, np.where(clears, total_return, np.nan))
