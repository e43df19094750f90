"""Where in a session an order with a limit or a stop trades. Scalar kernels: numbers in, numbers out.

A daily bar tells that the open came first and the close last, and of what lay between only the highest and
the lowest price. What it does not tell is decided against the order:

- an order that the open reaches trades at the open, also where that is better than its limit or worse than
  its stop (a gap);
- else a limit within the range of the session fills at the limit, and a stop within it trades at the stop;
- a limit behind a stop that triggered in mid-session counts in that session if the stop is within the limit,
  or the close is, since only then is it certain that the price came there afterwards.

Prices are money per share on ticks; NaN stands for no stop, or no limit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

# Parts of a session, in the order of time; ``ALL_DAY`` is for fills at VWAP.
NEVER, OPEN, ALL_DAY, DURING, CLOSE = range(5)


class Reached(NamedTuple):
    """When in the session an order trades, at what price, and whether its stop has triggered by the close."""

    when: int
    price: float
    triggered: bool


def reach(
    buys: bool, stop: float, limit: float, open_: float, high: float, low: float, close: float
) -> Reached:
    """Return where an order trades that is at the market from the open on; ``NEVER`` if it does not."""
    if not buys:
        mirrored = _reach(-stop, -limit, -open_, -low, -high, -close)
        return mirrored._replace(price=-mirrored.price)
    return _reach(stop, limit, open_, high, low, close)


def reach_after(
    buys: bool, stop: float, limit: float, price: float, high: float, low: float, close: float
) -> Reached:
    """Return where an order trades that is at the market from mid-session on, when the price was ``price``.

    ``OPEN`` stands for the moment from which it is.

    Whether the extremes of the session came before or after is unknown: a stop counts as reached by them, an
    order without a stop does not.
    """
    if math.isnan(stop):
        return Reached(NEVER, math.nan, False)
    return reach(buys, stop, limit, price, high, low, close)


def _reach(stop: float, limit: float, open_: float, high: float, low: float, close: float) -> Reached:
    """Return :func:`reach` of a purchase; a sale is one at negative prices."""
    unlimited = math.isnan(limit)
    if math.isnan(stop) or open_ >= stop:
        if unlimited or open_ <= limit:
            return Reached(OPEN, open_, True)
        if low <= limit:
            return Reached(DURING, limit, True)
        return Reached(NEVER, math.nan, True)
    if high >= stop:
        if unlimited or limit >= stop:
            return Reached(DURING, stop, True)
        if close <= limit:
            return Reached(DURING, limit, True)
        return Reached(NEVER, math.nan, True)
    return Reached(NEVER, math.nan, False)
