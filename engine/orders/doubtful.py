"""Fills that the market of their session cannot have given, as the data have it.

A digit too many, the price of another fund, or one from before a split makes a difference of its size under
the cause *price*, which looks like a bad fill. So each fill is held against its session: against the price
limits where there are any, then the low and the high. The closing auction, trades at the closing price after
hours and averages of fills are all within. What trades in New York before or after the session may not be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from data.panel.panel import Panel
from data.words import digits
from engine.orders.formats import Row

DOUBTS: Mapping[str, str] = {
    "not_traded": "the fund did not trade",
    "beyond_limits": "the price limits",
    "beyond_range": "its lowest and its highest price",
}


@dataclass(frozen=True)
class Doubtful:
    """A fill of ``day``, ``where`` it stands in its file, and why it is doubted, of ``DOUBTS``.

    ``low`` and ``high`` are the bounds that ``price`` is beyond, in the currency of the fund; None where the
    fund did not trade.
    """

    why: str
    day: date
    where: str
    symbol: str
    price: float
    low: float | None
    high: float | None

    @property
    def text(self) -> str:
        """What is doubted, in words, with the next step."""
        limit = DOUBTS[self.why]
        if self.low is not None and self.high is not None:
            limit = f"{digits(self.low)} to {digits(self.high)}, {limit}"
        return (
            f"{self.why}: {self.where}: {self.symbol} at {digits(self.price)}; limit: {limit} on {self.day}. "
            "Look whether price, fund and day are right, and its bar; the fill counts as it stands."
        )


def doubtful(fills: Sequence[Row], panel: Panel) -> tuple[Doubtful, ...]:
    """Return the fills that the last session of ``panel`` cannot have given, to half a tick."""
    found, day = [], panel.days[-1].item()
    for row in fills:
        if row.shares and row.price is not None and (doubt := _doubt(row.price, row.symbol, panel)):
            why, low, high = doubt
            found.append(Doubtful(why, day, row.where, row.symbol, row.price, low, high))
    return tuple(found)


def _doubt(price: float, symbol: str, panel: Panel) -> tuple[str, float | None, float | None] | None:
    market, at = panel.market.local, (-1, panel.symbols.index(symbol))
    if not market.traded[at]:
        return "not_traded", None, None
    half = float(market.tick[at]) / 2.0
    for why, low, high in (
        ("beyond_limits", float(market.limit_down[at]), float(market.limit_up[at])),
        ("beyond_range", float(market.low[at]), float(market.high[at])),
    ):
        if not low - half <= price <= high + half:
            return why, low, high
    return None
