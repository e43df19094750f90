"""Rotate into the funds that have risen most.

Industry and country ETFs with high past returns go on outperforming for months: Moskowitz, Grinblatt (1999);
Andreu, Swinkels, Tjong-A-Tjoe (2013), about 5 % a year after spreads; Vanstone, Hahn, Earea (2021). It is the
yardstick for flow strategies, since flows follow returns. The latest sessions are often skipped, because
they tend to reverse.

Formula, for a session *d*, on what was public before its open::

    score[d] = adjusted_close[d - skip] / adjusted_close[d - skip - lookback] - 1        total return
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change, shift

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class Momentum(Rotation):
    """Hold the funds with the highest total return over ``lookback`` sessions, the latest ``skip`` left out.

    NaN for a fund without a price at both ends of the window.
    """

    lookback: int = param(60, low=1, high=1000, unit="sessions", help="window over which return is measured")
    skip: int = param(0, low=0, high=1000, unit="sessions", help="latest sessions to leave out")

    @property
    def warmup(self) -> int:
        """The price at the window's start is of the session before it."""
        return self.lookback + self.skip + 1

    def scores(self, known: Known) -> Floats:
        """Return the total return over the window, a fraction."""
        return where_listed(known, shift(change(known.adjusted_close, self.lookback), self.skip))
