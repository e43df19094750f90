"""Rotate into the funds that investors buy on margin (leveraged inflow), relative to their size.

The idea is the press's "leveraged money buys for four sessions, margin balance at a record". Margin buyers
chase trends (Kang, Gu 2021); their purchases predict higher returns for a while (*Margin trading and stock
return predictability*, J. Management Sciences in China 2018; Hansman, Hong, Jiang, Liu, Meng on the credit
boom of 2010-15), and their forced sales deepen a fall (Bian, Da, He, Lou, Shue, Zhou 2021). So this is a
trend follower with a tail: pair it with a short rebalancing interval.

Formula, for a session *d*, on what was public before its open, with ``n = lookback`` and the financing
balance B. All terms are fractions of the fund's AUM:

1. A fund with a margin balance of its own::

       score[d] = (B[d] - B[d-n]) / aum[d-n]                net financing purchases
                + level_weight * B[d] / aum[d]              how leveraged its holders are
                + record_bonus, while B[d] is the highest balance of ``record_window`` sessions

2. A fund without one, or with one for fewer than n sessions (not eligible for margin until now, or the data
   do not go into funds): the margin balance M of the whole market decides whether it may be held at all, its
   own momentum how it ranks::

       risk on:   M[d] / M[d - market_lookback] - 1 > market_threshold
       score[d] = momentum_weight * (adjusted_close[d] / adjusted_close[d - momentum_lookback] - 1)

   and NaN while risk is off or M is unknown: the fund is not eligible, and what is not held is cash.
   ``momentum_weight`` brings both kinds to one scale: a month's return of a theme ETF varies about ten times
   as much as its net financing purchases do relative to AUM. With 0 all such funds score 0 (neither
   bought nor sold on margin), and symbols decide: set ``top=0`` then.

Where the data have market margin only, rule 2 holds for every fund: momentum rotation while leverage in the
market grows, cash while it shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from data.panel.by_fund import by_fund
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change, is_record, shift

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class LeveragedFlow(Rotation):
    """Hold the funds with the largest net financing purchases relative to AUM.

    A fund without a margin balance of its own is ranked by momentum while the market's balance grows by more
    than ``market_threshold``, and not held otherwise. NaN where neither balance is known.
    """

    cash_without_score: ClassVar[bool] = True

    lookback: int = param(5, low=1, high=1000, unit="sessions", help="window over which net purchases add up")
    level_weight: float = param(
        0.0, low=-10.0, high=10.0, help="weight of balance / AUM; negative avoids leveraged holders"
    )
    record_window: int = param(60, low=2, high=1000, unit="sessions", help="window of a record")
    record_bonus: float = param(
        0.01, low=-1.0, high=1.0, unit="fraction of AUM", help="added while the balance is at a record"
    )
    market_lookback: int = param(
        20, low=1, high=1000, unit="sessions", help="window of the growth of the market's balance"
    )
    market_threshold: float = param(
        0.0,
        low=-1.0,
        high=10.0,
        unit="fraction",
        help="risk is on while the market's balance grew by more than this",
    )
    momentum_lookback: int = param(
        20, low=1, high=1000, unit="sessions", help="total return that ranks funds without margin data"
    )
    momentum_weight: float = param(0.1, low=0.0, high=10.0, help="weight of that return; 0 = all score alike")

    @property
    def warmup(self) -> int:
        """The longest of the four windows, and the session before it."""
        return 1 + max(self.lookback, self.record_window - 1, self.market_lookback, self.momentum_lookback)

    @by_fund
    def scores(self, known: Known) -> Floats:
        """Return net financing purchases relative to AUM, or the regime's score of funds without margin."""
        balance = known.margin_balance
        has_margin = np.isfinite(balance) & np.isfinite(shift(balance, self.lookback))
        return where_listed(known, np.where(has_margin, self._of_own(known), self._of_market(known)))

    def _of_own(self, known: Known) -> Floats:
        balance, aum = known.margin_balance, np.where(known.aum > 0, known.aum, np.nan)
        purchases = (balance - shift(balance, self.lookback)) / shift(aum, self.lookback)
        # A fund that has become eligible sets records from its first day on: any known row will do.
        record = is_record(balance, self.record_window, at_least=1)
        return purchases + self.level_weight * (balance / aum) + self.record_bonus * record

    def _of_market(self, known: Known) -> Floats:
        growth = change(known.market_margin, self.market_lookback)[:, None]
        momentum = change(known.adjusted_close, self.momentum_lookback)
        return np.where(growth > self.market_threshold, self.momentum_weight * momentum, np.nan)
