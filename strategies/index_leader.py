"""Rotate between index families, and hold the most traded fund of each.

AI funds follow a few families of indices (ChiNext AI, CSI AI, STAR AI), whose members differ far less than
families do. So first the family is chosen, by relative strength (industry momentum: Moskowitz, Grinblatt
1999), then the fund that is traded most.

Formula, for a session *d*, on what was public before its open, with ``n = lookback``::

    strength(fund)[d]   = I[d] / I[d-n] - 1    of the index it tracks; of the fund if that has no levels
    strength(family)[d] = mean of strength over the family's listed funds
    score[d]            = strength of the family for its most traded fund, NaN for the others

Turnover is averaged over ``liquidity_lookback`` sessions. A fund whose family is not known is one by itself.
Fees do not enter: those on file are today's, and choosing by them on past days would look ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from strategies.cross_section import group_means, ranks_in_group
from strategies.liquidity_leader import own_name_if_none
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change, rolling_mean

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class IndexLeader(Rotation):
    """Hold the most traded fund of the index families that rose most."""

    lookback: int = param(
        60, low=1, high=1000, unit="sessions", help="window of the return that ranks indices"
    )
    liquidity_lookback: int = param(20, low=1, high=1000, unit="sessions", help="window of average turnover")
    top: int = 1

    @property
    def warmup(self) -> int:
        """The level at the window's start is of the session before it."""
        return max(self.lookback + 1, self.liquidity_lookback)

    def scores(self, known: Known) -> Floats:
        """Return the strength of each family, for one fund of it."""
        strength = family_strength(known, self.lookback)
        turnover = where_listed(known, rolling_mean(known.amount, self.liquidity_lookback))
        families = own_name_if_none(known.families, known.symbols)
        return np.where(ranks_in_group(turnover, families, known.symbols) == 1, strength, np.nan)


def family_strength(known: Known, lookback: int) -> Floats:
    """Return (D, S) the mean return of each fund's family over ``lookback`` sessions; NaN if not listed."""
    strength = change(known.adjusted_close, lookback)
    for column, code in enumerate(known.tracked):
        if code in known.index_codes:
            strength[:, column] = change(known.index(code), lookback)
    families = own_name_if_none(known.families, known.symbols)
    return where_listed(known, group_means(where_listed(known, strength), families))
