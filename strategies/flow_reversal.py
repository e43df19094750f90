"""Follow the flows of the last days, and go against those of the last months.

The literature agrees on signs once horizons are told apart: flows carry information or pressure that goes
on for days (Chen, Xu, Zhao 2020, on Chinese equity ETFs), while funds that gathered money for months
disappoint (Brown, Davies, Ringgenberg 2021, Review of Finance; Ben-David, Franzoni, Kim, Moussawi 2023,
RFS). One number over one window mixes the two.

Formula, for a session *d*, on what was public before its open; z is over the funds of the session::

    recent[d] = sum(flow[d-n+1 .. d]) / aum[d-n],               n = lookback
    old[d]    = sum(flow[d-m+1 .. d-n]) / aum[d-m],             m = long_lookback
    score[d]  = recent_weight * z(recent[d]) - old_weight * z(old[d])

With ``recent_weight=0`` it is reversal alone, with ``old_weight=0`` it ranks as ``share_inflow`` does. What
would make it fail: pressure that reverses within days; a theme whose flows are right for a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.errors import UsageError
from strategies.cross_section import row_zscores
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.share_inflow import flow_ratio
from strategies.windows import shift

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class FlowReversal(Rotation):
    """Hold the funds with recent inflow and without inflow in the months before.

    NaN where either window has too few counts, and with fewer than three funds that have both.
    """

    lookback: int = param(5, low=1, high=250, unit="sessions", help="recent flows")
    long_lookback: int = param(60, low=2, high=1000, unit="sessions", help="recent and old flows together")
    recent_weight: float = param(1.0, low=0.0, high=10.0, help="weight of recent flows")
    old_weight: float = param(1.0, low=0.0, high=10.0, help="weight of old flows, which count against a fund")
    coverage: float = param(
        0.8, low=0.0, high=1.0, unit="fraction", help="smallest share of the sessions that flows cover"
    )

    def __post_init__(self) -> None:
        """Check all parameters, alone and together."""
        super().__post_init__()
        if self.long_lookback <= self.lookback:
            raise UsageError(
                "parameter `long_lookback` of FlowReversal is not above `lookback`",
                received=self.long_lookback,
                limit=f"above {self.lookback} sessions",
            )
        if self.recent_weight + self.old_weight == 0.0:
            raise UsageError("all weights of FlowReversal are 0", hint="Give one of the two a weight.")

    @property
    def warmup(self) -> int:
        """AUM at the start of the long window is of the session before it."""
        return self.long_lookback + 1

    def scores(self, known: Known) -> Floats:
        """Return the weighted difference of the two z-scores."""
        recent = flow_ratio(known, self.lookback, "vwap", self.coverage)
        old = shift(
            flow_ratio(known, self.long_lookback - self.lookback, "vwap", self.coverage), self.lookback
        )
        both = np.isfinite(where_listed(known, recent + old))
        scored = self.recent_weight * row_zscores(np.where(both, recent, np.nan))
        scored = scored - self.old_weight * row_zscores(np.where(both, old, np.nan))
        return where_listed(known, scored)
