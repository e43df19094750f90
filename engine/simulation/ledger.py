"""The ledger: what an engine writes down, session by session, and what must hold for it.

Every run is checked (``Ledger.check``), in production too:

- cash is never negative, shares are whole and never negative;
- equity = cash + receivable + sum of shares * mark, exactly;
- the shares follow from the fills, the splits and the merges alone;
- the money follows from the initial cash, fills, costs, interest, dividends and ended funds alone, to
  rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.facts.actions import ENDS, Event
from data.panel.panel import Panel
from engine.kernel.fills import ENDED, REASON_NAMES
from engine.kernel.sizing import fraction_left, split_shares
from engine.kernel.targets import EXITS, STOP_FIELDS, Targets
from engine.result import EXIT_COLUMNS, MERGE_COLUMNS, as_frame

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
        ever = np.flatnonzero(self.shares.any(axis=0))
        held, marks = self.shares[:, ever].tolist(), panel.market.mark[rows][:, ever].tolist()
        for number in range(len(self.days)):
            value = total_equity(
                float(self.cash[number]), float(self.receivable[number]), held[number], marks[number]
            )
            _require(value == self.equity[number], f"equity does not add up on {self.days[number]}")
        traded = self._traded_shares()
        rolled = self._roll_forward(traded, panel.market.events)
        _require(bool((rolled == self.shares).all()), "shares do not follow from fills, splits and merges")
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
                elif event.kind in ENDS:
                    if event.kind == "merge":
                        held[event.into] += split_shares(int(held[event.column]), event.ratio)
                    held[event.column] = 0
            held = held + traded[row]
            result[row] = held
        return result

    def merges(self, events: tuple[Event, ...]) -> pd.DataFrame:
        """Return what merges did to the shares that were held, ``MERGE_COLUMNS``, in the order of time."""
        held, row = np.zeros(len(self.symbols), dtype=np.int64), -1
        rows = []
        for event in events:
            if not 0 < event.row - self.first < len(self.days):
                continue
            if event.row != row:
                row = event.row
                held = self.shares[row - self.first - 1].copy()
            before = int(held[event.column])
            if event.kind == "split":
                held[event.column] = split_shares(before, event.ratio)
            elif event.kind == "merge" and before:
                received = split_shares(before, event.ratio)
                cash = fraction_left(before, event.ratio) * event.cash
                held[event.into] += received
                day = self.days[row - self.first].astype("datetime64[us]")
                symbols = self.symbols[event.column], self.symbols[event.into]
                rows.append((day, symbols[0], before, symbols[1], received, cash))
        return as_frame(rows, MERGE_COLUMNS)

    def exits(self) -> pd.DataFrame:
        """Return which funds stops sold, or tried to, and why, ``EXIT_COLUMNS``, in the order of time."""
        out: set[int] = set()
        rows = []
        for row, turn, reasons in zip(
            self.targets.decisions, self.targets.turns[:, 1], self.targets.exits, strict=True
        ):
            leaving = np.flatnonzero(reasons).tolist()
            day = self.days[row - self.first].astype("datetime64[us]")
            for column in leaving:
                # A decision on the session frees what left before.
                if column not in out or turn != EXITS:
                    rows.append((day, self.symbols[column], STOP_FIELDS[reasons[column] - 1]))
            out = {*leaving, *(out if turn == EXITS else ())}
        return as_frame(rows, EXIT_COLUMNS)


def total_equity(cash: float, receivable: float, shares: list[int], price: list[float]) -> float:
    """Return cash + receivable + sum of shares * price, added in symbol order; skips what is not held."""
    total = cash + receivable
    for held, each in zip(shares, price, strict=True):
        if held:
            total += held * each
    return total


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise InvariantError(what)
