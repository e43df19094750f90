"""The board of a run: what each fund costs and how it may be traded, session by session, for one account.

Reading one number of an array costs ten times as much as of a list, and most funds are never asked for.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from data.panel.panel import Panel
from engine.kernel.fills import Quote
from engine.simulation.commissions import commissions
from engine.spec import Conditions


class Columns(dict[int, list[Any]]):
    """Numbers of a market over a run, as plain lists by fund: made when the fund is first asked for."""

    def __init__(self, values: NDArray[Any]) -> None:
        super().__init__()
        self._values = values

    def __missing__(self, column: int) -> list[Any]:
        found: list[Any] = self._values[:, column].tolist()
        self[column] = found
        return found


class Board:
    """Quotes, reference prices and marks of the funds of ``panel`` on the sessions of ``span``.

    Sessions count from the first of the run; columns are those of the panel.
    """

    def __init__(self, panel: Panel, span: slice, conditions: Conditions) -> None:
        market, costs = panel.market, conditions.costs
        self.reference = Columns(market.reference[span])
        self.mark = Columns(market.mark[span])
        self._tradable = Columns(market.tradable[span])
        self._base = Columns(getattr(market, conditions.fill)[span])
        self._quotes = {
            name: Columns(getattr(market, name)[span])
            for name in ("low", "high", "volume", "limit_up", "limit_down", "tick", "lot")
        }
        charges = (*market.fee_rates(costs.fx_fee_rate), *commissions(panel, costs).values())
        self._charges = tuple(Columns(each[span]) for each in charges)
        self._volatility = Columns(market.volatility[span]) if costs.impact > 0.0 else None

    def lot(self, column: int, session: int) -> int:
        """Return the shares to a lot of a fund."""
        lot: int = self._quotes["lot"][column][session]
        return lot

    def tradable(self, column: int, session: int) -> bool:
        """Return whether a fund can be ordered: it is listed, and has a reference price."""
        tradable: bool = self._tradable[column][session]
        return tradable

    def quote(self, column: int, session: int, lot: int) -> Quote:
        """Return what an order meets at the fill point, in lots of ``lot`` shares."""
        quotes = self._quotes
        return Quote(
            self._base[column][session],
            quotes["low"][column][session],
            quotes["high"][column][session],
            quotes["volume"][column][session],
            quotes["limit_up"][column][session],
            quotes["limit_down"][column][session],
            quotes["tick"][column][session],
            lot,
            0.0 if self._volatility is None else self._volatility[column][session],
            *(each[column][session] for each in self._charges),
        )
