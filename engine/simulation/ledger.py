"""The ledger: what an engine writes down, session by session, and what must hold for it.

Every run is checked (``Ledger.check``), in production too:

- cash is never negative, shares are whole and never negative;
- equity = cash + receivable + sum of shares * mark, exactly;
- the shares follow from the fills and the splits alone;
- the money follows from the initial cash, fills, costs, interest and dividends alone, to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.facts.actions import Event
from data.panel.panel import Panel
from engine.kernel.fills import ENDED, REASON_NAMES
from engine.kernel.sizing import split_shares
from engine.kernel.targets import Targets
from engine.result import FILL_COLUMNS, REJECTION_COLUMNS

Floats = NDArray[np.float64]

# Money is added up in another order than the engines do it; doubles carry 16 digits.
MONEY_TOLERANCE = 1e-9


class InvariantError(RuntimeError):
    """An engine broke its own books: a bug, never the user's fault."""


@dataclass(frozen=True)
class Ledger:
    """What a run did, as in :class:`engine.result.Result`; ``first`` is the row of its first session."""

    first: int
    equity: Floats
    cash: Floats
    receivable: Floats
    shares: NDArray[np.int64]
    mark: Floats
    interest: Floats
    dividend: Floats
    paid_out: Floats
    fills: pd.DataFrame
    rejections: pd.DataFrame
    targets: Targets
    days: NDArray[np.datetime64]
    symbols: tuple[str, ...]

    @property
    def orders(self) -> Floats:
        """Shares that were ordered in each session, signed, (D, S), whatever came of it; NaN: nothing.

        Without what was ordered at the close of the last session, which is for a session that is not there.
        """
        ordered = np.full(self.shares.shape, np.nan)
        refused = self.rejections[self.rejections["reason"] != REASON_NAMES[ENDED]]
        for rows in (self.fills, refused):
            for day, symbol, shares in zip(rows["day"], rows["symbol"], rows["shares"], strict=True):
                place = np.searchsorted(self.days, np.datetime64(day, "D")), self.symbols.index(symbol)
                ordered[place] = np.nan_to_num(ordered[place]) + shares
        return ordered

    def check(self, panel: Panel, initial_cash: float) -> None:
        """Raise InvariantError if the books are not consistent with themselves and with the panel."""
        rows = slice(self.first, self.first + len(self.days))
        _require(bool((self.cash >= 0.0).all()), "cash is negative")
        _require(bool((self.shares >= 0).all()), "shares are negative")
        for number in range(len(self.days)):
            value = total_equity(
                float(self.cash[number]),
                float(self.receivable[number]),
                self.shares[number].tolist(),
                panel.market.mark[self.first + number].tolist(),
            )
            _require(value == self.equity[number], f"equity does not add up on {self.days[number]}")
        traded = self._traded_shares()
        held = self._roll_forward(traded, panel.market.events)
        _require(bool((held == self.shares).all()), "shares do not follow from fills and splits")
        signed = np.sign(self.fills["shares"].to_numpy(dtype=np.float64))
        spent = signed * self.fills["notional"] + self.fills["commission"] + self.fills["fee"]
        booked = np.zeros(len(self.days))
        np.add.at(booked, np.searchsorted(self.days, self.fills["day"].to_numpy()), spent.to_numpy())
        earned = np.cumsum(self.interest + self.dividend + self.paid_out - booked)
        gap = np.abs(initial_cash + earned - self.cash - self.receivable)
        scale = initial_cash + np.cumsum(np.abs(booked))
        _require(bool((gap <= MONEY_TOLERANCE * scale).all()), "cash does not follow from the fills")
        _require(rows.stop <= len(panel.days), "the run is longer than the panel")

    def _traded_shares(self) -> NDArray[np.int64]:
        traded = np.zeros(self.shares.shape, dtype=np.int64)
        if len(self.fills):
            columns = {symbol: column for column, symbol in enumerate(self.symbols)}
            row = np.searchsorted(self.days, self.fills["day"].to_numpy())
            column = self.fills["symbol"].map(columns).to_numpy(dtype=np.int64)
            np.add.at(traded, (row, column), self.fills["shares"].to_numpy(dtype=np.int64))
        return traded

    def _roll_forward(self, traded: NDArray[np.int64], events: tuple[Event, ...]) -> NDArray[np.int64]:
        held = np.zeros(len(self.symbols), dtype=np.int64)
        result = np.zeros_like(self.shares)
        by_row: dict[int, list[Event]] = {}
        for event in events:
            by_row.setdefault(event.row - self.first, []).append(event)
        for row in range(len(self.days)):
            for event in by_row.get(row, ()):
                if event.kind == "split":
                    held[event.column] = split_shares(int(held[event.column]), event.ratio)
                elif event.kind == "liquidation":
                    held[event.column] = 0
            held = held + traded[row]
            result[row] = held
        return result


def total_equity(cash: float, receivable: float, shares: list[int], price: list[float]) -> float:
    """Return cash + receivable + sum of shares * price, added in symbol order; skips what is not held."""
    total = cash + receivable
    for held, each in zip(shares, price, strict=True):
        if held:
            total += held * each
    return total


def as_frame(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Return recorded rows as a frame with the columns and types of a result."""
    types: Mapping[str, Any] = {"day": "datetime64[us]", "symbol": "str", "shares": "int64", "reason": "str"}
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype=types.get(name, "float64"))
            for name, values in zip(columns, by_column, strict=True)
        }
    )


def fills_frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return fills as recorded, in the order in which they were made."""
    return as_frame(rows, FILL_COLUMNS)


def rejections_frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return rejections as recorded, in the order in which they happened."""
    return as_frame(rows, REJECTION_COLUMNS)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise InvariantError(what)
