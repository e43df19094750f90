"""Corporate actions: what happens to a fund's units without a trade.

An action is a dated row: a split multiplies units (a merge has a ratio below one), a dividend pays cash per
unit, a liquidation pays cash per unit and ends the listing. Prices change on the ex-day; the exchanges' unit
counts already on the record day (see ``data.panel.flows``). Dates that are no session take effect on the next
one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError

Days = NDArray[np.datetime64]

# Within one session a dividend is due on the shares of the evening before, so it comes before a split.
KINDS = ("dividend", "split", "liquidation")


@dataclass(frozen=True)
class Action:
    """One corporate action as announced; ``ratio`` is new units per old, ``cash`` is money per unit."""

    symbol: str
    kind: str
    ex_day: date
    record_day: date | None = None
    ratio: float = math.nan
    cash: float = math.nan
    pay_day: date | None = None

    def __post_init__(self) -> None:
        needed, value = ("ratio", self.ratio) if self.kind == "split" else ("cash", self.cash)
        if self.kind not in KINDS:
            raise DataError(f"{self.symbol}: unknown action", received=self.kind, limit=", ".join(KINDS))
        if not math.isfinite(value) or value < 0 or (self.kind == "split" and value == 0):
            raise DataError(
                f"{self.symbol}: the {self.kind} of {self.ex_day} needs `{needed}`",
                received=value,
                hint="Complete the row of the table `actions`.",
            )


@dataclass(frozen=True)
class Event:
    """An action placed on the sessions of a panel.

    ``row`` is the session before whose open it takes effect, ``record_row`` the session after whose close
    units switch, ``pay_row`` the session on which cash is paid (the number of sessions if after the last).
    ``cash`` of a liquidation is NaN when nobody announced it: then the last mark is paid
    (``data.panel.market``).
    """

    row: int
    column: int
    kind: str
    ratio: float
    cash: float
    record_row: int
    pay_row: int


def actions_from(frame: pd.DataFrame) -> tuple[Action, ...]:
    """Return the rows of table ``actions`` as :class:`Action` objects, in the order of the table."""
    return tuple(
        Action(
            symbol=str(row["symbol"]),
            kind=str(row["kind"]),
            ex_day=row["ex_day"].date(),
            record_day=None if pd.isna(row["record_day"]) else row["record_day"].date(),
            ratio=float(row["ratio"]),
            cash=float(row["cash"]),
            pay_day=None if pd.isna(row["pay_day"]) else row["pay_day"].date(),
        )
        for row in frame.to_dict("records")
    )


def place(
    actions: Iterable[Action],
    days: Days,
    symbols: Sequence[str],
    delisted: Sequence[date | None],
) -> tuple[Event, ...]:
    """Return the actions of ``symbols`` that take effect on ``days``, in the order in which they do.

    A fund whose listing ends without an announced liquidation is liquidated at its last mark, on the first
    session on which it is no longer listed. Actions of other symbols, and before the first or after the
    last day, are left out; but a split whose record day is among ``days`` stays, its row after the last.
    """
    columns = {symbol: column for column, symbol in enumerate(symbols)}
    events = []
    announced = set()
    for action in actions:
        column = columns.get(action.symbol)
        if column is None:
            continue
        if action.kind == "liquidation":
            announced.add(column)
        row = row_of(days, action.ex_day)
        record = row - 1 if action.record_day is None else row_of(days, action.record_day)
        # Counts may switch to the new basis before prices do, which then is after the last session.
        if row == 0 or (row == len(days) and (action.kind != "split" or record >= row)):
            continue
        paid = row if action.pay_day is None else max(row, row_of(days, action.pay_day))
        events.append(Event(row, column, action.kind, action.ratio, action.cash, min(record, row), paid))
    for column, last in enumerate(delisted):
        if last is not None and column not in announced and 0 < row_of(days, last) < len(days):
            row = row_of(days, last)
            events.append(Event(row, column, "liquidation", math.nan, math.nan, row - 1, row))
    return tuple(sorted(events, key=lambda event: (event.row, KINDS.index(event.kind), event.column)))


def row_of(days: Days, day: date) -> int:
    """Return the number of the first session on or after ``day``; ``len(days)`` if there is none."""
    return int(np.searchsorted(days, np.datetime64(day, "D")))
