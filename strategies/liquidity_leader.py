"""Hold the most traded fund of each index.

Where several funds track the same index, the one that is traded most has the narrowest spread, the smallest
impact and the press ("first by average daily turnover among the six funds on the index"). It is a choice
between like things, not a forecast: a cheap way to hold all indices of a universe and none of them twice.

Formula, for a session *d*, on what was public before its open, with ``n = lookback``::

    turnover[d] = mean(amount[d-n+1 .. d])               money a session; halted sessions count as zero
    score[d]    = turnover[d] if the fund is among the ``leaders`` first of its index on that day, else NaN

A fund whose index is not known stands alone. A fund must have been listed for the whole window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from strategies.cross_section import ranks_in_group
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import rolling_mean

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class LiquidityLeader(Rotation):
    """Hold the fund with the highest average daily turnover among those that track the same index."""

    lookback: int = param(20, low=1, high=1000, unit="sessions", help="window of average turnover")
    leaders: int = param(1, low=1, high=100, unit="funds", help="funds of an index that may be held")
    top: int = 0
    rebalance: int | str = 20

    @property
    def warmup(self) -> int:
        """A window of turnover, each of the session before its row."""
        return self.lookback

    def scores(self, known: Known) -> Floats:
        """Return average daily turnover, money, of the leaders of each index."""
        turnover = where_listed(known, rolling_mean(known.amount, self.lookback))
        indices = own_name_if_none(known.tracked, known.symbols)
        leads = ranks_in_group(turnover, indices, known.symbols) <= self.leaders
        return np.where(leads, turnover, np.nan)


def own_name_if_none(groups: tuple[str | None, ...], symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Return the name of each fund's group; a fund without one is a group of its own."""
    return tuple(group or symbol for group, symbol in zip(groups, symbols, strict=True))
