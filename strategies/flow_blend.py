"""Rotate on both kinds of money at once: new fund units, and margin financing, each against its own past.

A blend of ``share_inflow`` and ``leveraged_flow`` in which each fund is compared with its own history, so
that large and small, leveraged and unleveraged funds are on one scale. Also the project's speed workload.

Formula, for a session *d*, on what was public before its open, with ``k = lookback`` and ``w = z_window``::

    F[d]     = sum(flow[d-k+1 .. d]) / aum[d]                        net inflow relative to AUM
    G[d]     = margin[d] / margin[d-k] - 1                           growth of the margin balance
    z(x)[d]  = (x[d] - mean(x[d-w+1 .. d])) / std(x[d-w+1 .. d])     ddof 1; NaN where std <= 1e-12
    score[d] = z(F)[d] + margin_weight * z(G)[d]

With ``valuation="close"``, flow is the change of units times close, and AUM is units times close.

What is missing:

- A session without a count adds nothing to a sum, its money comes with the next count, as long as the count
  before is still current. Before the first count, and once counts have expired, F is unknown.
- A fund that has no margin balance, or not for long enough to fill a window of G, is given that of the whole
  market. It is the same number for all such funds, so it does not change their order; against ``threshold``
  it is a regime, since it lifts all of them while leverage in the market grows faster than usual.
- If the data have no market margin either, the second term is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.choices import VALUATIONS
from data.numeric.shared import shared
from data.panel.by_fund import by_fund
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change, rolling_count, rolling_sum, shift, zscore

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class FlowBlend(Rotation):
    """Hold the funds whose inflow and margin growth stand out most against their own past.

    NaN until a fund has ``lookback + z_window`` sessions of counts, and where a series does not vary.
    """

    z_window: int = param(60, low=2, high=1000, unit="sessions", help="history that a value is compared with")
    lookback: int = param(5, low=1, high=1000, unit="sessions", help="window over which flows add up")
    margin_weight: float = param(
        0.5, low=-10.0, high=10.0, help="weight of the z-score of margin growth; inflow has 1"
    )
    valuation: str = param(
        "vwap", choices=VALUATIONS, help="price at which new units become money: vwap (press), nav (papers)"
    )
    threshold: float | None = 0.5

    @property
    def warmup(self) -> int:
        """A z-score over w values, each of which looks k sessions back."""
        return self.z_window + self.lookback

    def scores(self, known: Known) -> Floats:
        """Return the blended z-scores."""
        return blended(known, self.valuation, self.lookback, self.z_window, self.margin_weight)


@by_fund
def blended(known: Known, valuation: str, lookback: int, z_window: int, margin_weight: float) -> Floats:
    """Return (D, S) z(F) + margin_weight * z(G)."""
    inflow = inflow_zscore(known, valuation, lookback, z_window)
    blend = margin_weight * margin_zscore(known, lookback, z_window)
    blend += inflow
    return blend


@shared
def inflow_zscore(known: Known, valuation: str, lookback: int, z_window: int) -> Floats:
    """Return (D, S) z(F), of the funds that are listed."""
    # Here and not on each blend of it: there are many of those.
    return where_listed(known, zscore(inflow_ratio(known, valuation, lookback), z_window))


@shared
def margin_zscore(known: Known, lookback: int, z_window: int) -> Floats:
    """Return (D, S) z(G), that of the whole market where a fund has no margin balance of its own."""
    own = margin_growth(known, lookback)
    market = known.market_margin[:, None]
    of_market = np.where(np.isfinite(market), zscore(change(market, lookback), z_window), 0.0)
    has_own = rolling_count(own, z_window) == z_window
    return np.where(has_own, zscore(own, z_window), of_market)


@shared
def inflow_ratio(known: Known, valuation: str, lookback: int) -> Floats:
    """Return (D, S) F."""
    flow, units = known.flow(valuation), known.units
    current = np.isfinite(units) & np.isfinite(shift(units, 1))
    nothing_new = np.isnan(flow) & current
    assets = known.assets("close") if valuation == "close" else known.aum
    aum = np.where(assets > 0, assets, np.nan)
    return rolling_sum(np.where(nothing_new, 0.0, flow), lookback) / aum


@shared
def margin_growth(known: Known, lookback: int) -> Floats:
    """Return (D, S) G of the funds' own balances."""
    return change(known.margin_balance, lookback)
