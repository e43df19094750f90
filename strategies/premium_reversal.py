"""Hold the funds that trade cheapest against their value, or dearest.

A premium is what a buyer pays above what the fund holds. Arbitrage by creation and redemption closes it, so
it should come back: Petajisto (2017, Financial Analysts Journal) earns from ETFs at a discount to their
peers, over days. Where creation is shut or slow (QDII funds, limits on subscription) it can last for
months, and then says that money wants in: ``sign=1``.

Formula, for a session *d* and ``n = lookback``, on what was public before its open::

    premium = close / NAV of the same session - 1, or as published (table premium)
    usual   = mean of it over ``usual_window`` sessions; 0 with usual_window = 0
    score   = sign * (mean(premium[d-n+1 .. d]) - usual)

What would make it fail: a NAV that is a day older than the close, as of funds on foreign indices, whose
premium is last night's news; a spread that is wider than the premium.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.panel.by_fund import by_fund
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import rolling_mean
from strategies.words import premium

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class PremiumReversal(Rotation):
    """Hold the funds at the lowest premium over NAV, against their own usual one.

    NaN where fewer than half of the sessions of a window have a premium.
    """

    lookback: int = param(
        5, low=1, high=250, unit="sessions", help="window over which the premium is averaged"
    )
    usual_window: int = param(
        60, low=0, high=1000, unit="sessions", help="history of a fund's usual premium; 0 = compare with 0"
    )
    sign: int = param(-1, choices=(-1, 1), help="-1 = buy what is cheap, 1 = buy what is dear")

    @property
    def warmup(self) -> int:
        """The longer window of closes and NAVs, each of the session before its row."""
        return max(self.lookback, self.usual_window)

    @by_fund
    def scores(self, known: Known) -> Floats:
        """Return the premium against the usual one, a fraction, times the sign."""
        found = premium(known)
        score = rolling_mean(found, self.lookback, (self.lookback + 1) // 2)
        if self.usual_window:
            score = score - rolling_mean(found, self.usual_window, (self.usual_window + 1) // 2)
        return where_listed(known, self.sign * score)
