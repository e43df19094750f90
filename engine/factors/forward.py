"""What a fund earned from where it can be traded: total returns between fill points, in sessions.

The score of row *d* is known before the open of session *d*, so the money is put in at the fill point of *d*
(its open, VWAP or close) and valued at the fill point of session *d* + h::

    return[d, h] = price[d + h] * adjustment[d + h] / (price[d] * adjustment[d]) - 1

``adjustment`` carries all splits and dividends (``data.panel.market``). h counts sessions of the exchange,
none left out. From fill point to fill point, so that it is what a rotation that trades every h sessions can
earn, and so that returns of shorter horizons compound to those of longer ones.

- A fund that cannot be bought at the fill point of *d* (halted, not listed, at its upper limit) has no
  return.
- A fund that does not trade on *d* + h is valued at its mark: the last close, adjusted since.
- A fund that was liquidated in between is worth what the liquidation paid, as cash from then on.
- Where session *d* + h is not in the data, nobody has a return, liquidated or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError, check_choice
from data.panel.market import Market
from engine.choices import FILLS
from engine.kernel.fills import at_limit_up

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Forward:
    """Adjusted prices at a fill point, (D, S), one row a session.

    Attributes
    ----------
    entry : at which a fund can be bought; NaN where it cannot
    value : what it is worth there; NaN before its first bar only
    """

    entry: Floats
    value: Floats

    @classmethod
    def of(cls, market: Market, fill: str = "open") -> Forward:
        """Return the prices of a market at the fill point ``fill``: open, vwap or close."""
        check_choice("fill", fill, FILLS)
        price: Floats = getattr(market, fill)
        price = np.where(market.traded, price, np.nan) * market.adjustment
        # as in the engine: over a whole session only a price that never left the limit blocks
        lowest = market.low if fill == "vwap" else getattr(market, fill)
        at_limit = at_limit_up(lowest, market.limit_up, market.tick)
        value = _carried(market.total_return_level)
        return cls(np.where(at_limit, np.nan, price), np.where(np.isfinite(price), price, value))

    def rows(self, first: int, last: int) -> Forward:
        """Return the sessions from ``first`` to ``last``, both included."""
        return Forward(self.entry[first : last + 1], self.value[first : last + 1])

    def returns(self, horizon: int, after: int = 0) -> Floats:
        """Return (D, S) total returns, fractions, from ``after`` to ``horizon`` sessions after each session.

        NaN where a fund cannot be bought on the session itself, whatever ``after`` is, and in the last
        ``horizon`` rows. UsageError unless 0 <= after < horizon.
        """
        if not 0 <= after < horizon:
            raise UsageError(
                "a horizon does not end after it begins", received=f"{after} to {horizon}", limit="sessions"
            )
        sessions = len(self.entry)
        result = np.full(self.entry.shape, np.nan)
        count = sessions - horizon
        if count <= 0:
            return result
        bought = self.entry[:count]
        start = (
            bought if after == 0 else np.where(np.isfinite(bought), self.value[after : after + count], np.nan)
        )
        # what a worthless liquidation left behind earns nothing
        start = np.where(start > 0.0, start, np.nan)
        result[:count] = self.value[horizon:] / start - 1.0
        return result


def _carried(level: Floats) -> Floats:
    """Return each column with gaps filled by the last value above them."""
    rows = np.where(np.isfinite(level), np.arange(len(level))[:, None], -1)
    latest = np.maximum.accumulate(rows, axis=0)
    columns = np.broadcast_to(np.arange(level.shape[1]), level.shape)
    return np.where(latest >= 0, level[np.maximum(latest, 0), columns], np.nan)
