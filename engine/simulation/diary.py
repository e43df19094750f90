"""The diary of an account: what its books write down as they go, bound into a ledger at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.panel.panel import Panel
from engine.kernel.fills import REASON_NAMES, Filled
from engine.kernel.targets import Targets
from engine.result import FILL_COLUMNS, REJECTION_COLUMNS, as_frame
from engine.simulation.ledger import Ledger


class Diary:
    """Money, holdings, fills and rejections of the sessions from row ``first`` to ``last`` of a panel.

    Sessions count from the first of the run. ``fills`` and ``rejections`` are rows of ``FILL_COLUMNS`` and
    ``REJECTION_COLUMNS``, in the order in which they happened.
    """

    def __init__(self, panel: Panel, first: int, last: int) -> None:
        span = slice(first, last + 1)
        self._panel, self._first, self._span = panel, first, span
        self._days = panel.days[span].astype("datetime64[us]")
        self._money: dict[str, NDArray[Any]] = {
            name: np.zeros(len(self._days))
            for name in ("equity", "cash", "receivable", "interest", "dividend", "paid_out")
        }
        self._held = np.zeros((len(self._days), len(panel.symbols)), dtype=np.int64)
        self.fills: list[tuple[Any, ...]] = []
        self.rejections: list[tuple[Any, ...]] = []

    def fill(self, session: int, column: int, filled: Filled, slippage: float, reference: float) -> None:
        """Write a fill down, with what it slipped and the price that its order was sized with."""
        self.fills.append(
            (
                self._days[session],
                self._panel.symbols[column],
                filled.shares,
                filled.price,
                filled.notional,
                filled.commission,
                filled.fee,
                slippage,
                reference,
            )
        )

    def reject(self, session: int, column: int, shares: int, reason: int) -> None:
        """Write down that shares, signed, of an order did not trade, and why (``engine.kernel.fills``)."""
        self.rejections.append(
            (self._days[session], self._panel.symbols[column], shares, REASON_NAMES[reason])
        )

    def pay(self, session: int, name: str, amount: float) -> None:
        """Add to the ``interest``, ``dividend`` or ``paid_out`` of a session."""
        self._money[name][session] += amount

    def close(
        self, session: int, cash: float, receivable: float, equity: float, holding: list[int], held: list[int]
    ) -> None:
        """Write down what an account has at a close: money, and the shares of the funds that it holds."""
        money = self._money
        money["cash"][session], money["receivable"][session], money["equity"][session] = (
            cash,
            receivable,
            equity,
        )
        self._held[session, holding] = held

    def money(self, session: int) -> dict[str, float]:
        """Return equity, cash, receivable, interest and payments of a session."""
        return {name: float(values[session]) for name, values in self._money.items()}

    def ledger(self, targets: Targets) -> Ledger:
        """Return the record of the run."""
        return Ledger(
            first=self._first,
            **self._money,
            shares=self._held,
            mark=self._panel.market.mark[self._span],
            fills=as_frame(self.fills, FILL_COLUMNS),
            rejections=as_frame(self.rejections, REJECTION_COLUMNS),
            targets=targets,
            days=self._panel.days[self._span],
            symbols=self._panel.symbols,
        )
