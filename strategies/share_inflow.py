"""Rotate into the funds that grow by creations of new units (net inflow), relative to their size.

The idea is the Chinese fund press's: "net inflow on five sessions in a row, fund units at a record". The
literature disagrees on the sign and on the horizon, so both are parameters:

- Brown, Davies, Ringgenberg (2021, Review of Finance): a month's creations predict *lower* returns;
  Ben-David, Franzoni, Kim, Moussawi (2023, RFS): specialised ETFs attract money at the top. Use ``sign=-1``
  with a long ``lookback``.
- Xu, Yin, Zhao (2022): the *unexpected* part of a day's flow predicts the next day's return positively; Chen,
  Xu, Zhao (2020): Chinese equity ETF flows carry information. Use ``sign=1``, a short ``lookback``, and
  ``excess_of_momentum``, which removes the part of the flow that merely follows past returns.

Formula, for a session *d* and ``n = lookback``, on what was public before its open::

    ratio[d] = sum(flow[d-n+1 .. d]) / aum[d-n]          flow ratio, as the press and fund reports define it
    score[d] = sign * ratio[d]                           or sign * residual of ratio[d] on return[d]

where flow is split-safe money (``valuation``), and return is ``adjusted_close[d] / adjusted_close[d-n] - 1``.
The residual is that of a regression over the funds of the same session.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.choices import VALUATIONS
from data.numeric.shared import shared
from data.panel.by_fund import by_fund
from strategies.cross_section import residuals
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change, rolling_reach, rolling_sum, shift

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class ShareInflow(Rotation):
    """Hold the funds with the largest net inflow over ``lookback`` sessions, relative to their AUM.

    NaN where AUM at the window's start is unknown, or flows cover less than ``coverage`` of its sessions.
    """

    lookback: int = param(20, low=1, high=1000, unit="sessions", help="window over which net inflow adds up")
    valuation: str = param(
        "vwap", choices=VALUATIONS, help="price at which new units become money: vwap (press), nav (papers)"
    )
    sign: int = param(1, choices=(1, -1), help="1 = follow inflow, -1 = go against it")
    excess_of_momentum: bool = param(
        False, help="rank by the inflow that past return does not explain (needs three funds)"
    )
    coverage: float = param(
        0.8, low=0.0, high=1.0, unit="fraction", help="smallest share of the sessions that flows cover"
    )

    @property
    def warmup(self) -> int:
        """AUM at the window's start is of the session before it."""
        return self.lookback + 1

    def scores(self, known: Known) -> Floats:
        """Return the flow ratio, or its residual, times the sign."""
        ratio = flow_ratio(known, self.lookback, self.valuation, self.coverage)
        if self.excess_of_momentum:
            ratio = residuals(ratio, change(known.adjusted_close, self.lookback))
        return where_listed(known, self.sign * ratio)


@shared
@by_fund
def flow_ratio(known: Known, lookback: int, valuation: str, coverage: float) -> Floats:
    """Return (D, S) net inflow over ``lookback`` sessions relative to AUM at the window's start, a fraction.

    A session on which nothing was published adds nothing: its money comes with the next count, which covers
    it. So weekly and monthly counts cover all sessions, also those before the next count is due. NaN where
    fewer than ``coverage`` of the sessions (and always at least one) are covered by the flows published in
    the window, or where none was.
    """
    # The small number keeps 0.8 * 20 from asking for 17 where it is 16.000000000000004.
    at_least = max(math.ceil(coverage * lookback - 1e-9), 1)
    covered = rolling_reach(known.flow_sessions(valuation), lookback)
    covered = np.where(covered > 0, covered + known.sessions_awaited, 0)
    inflow = np.where(covered >= at_least, rolling_sum(known.flow(valuation), lookback, 1), np.nan)
    aum = shift(known.aum, lookback)
    return np.where(aum > 0, inflow / np.where(aum > 0, aum, np.nan), np.nan)
