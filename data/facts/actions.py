"""Corporate actions: what happens to a fund's units without a trade.

An action is a dated row: a split multiplies units (a consolidation has a ratio below one), a dividend pays
cash per unit, a merge turns units into those of a successor and ends the listing, a liquidation pays cash per
unit and ends it. A rename is another symbol and nothing else; sources are read under the later one
(``data.source``). Prices change on the ex-day; the exchanges' unit counts already on the record day (see
``data.panel.flows``). Dates that are no session take effect on the next one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError

Days = NDArray[np.datetime64]

# Within one session a dividend is due on the shares of the evening before, so it comes before a split; the
# ratio of a merge counts units as they are after the splits of its day.
KINDS = ("dividend", "split", "merge", "liquidation")
ENDS = ("merge", "liquidation")
RENAME = "rename"


@dataclass(frozen=True)
class Action:
    """One corporate action as announced; ``ratio`` is new units per old, ``cash`` is money per unit.

    Of a merge ``ratio`` is units of the ``successor`` for each unit, and ``cash`` what a whole unit of the
    successor is worth where a fraction of one is paid out; NaN: its reference price.
    """

    symbol: str
    kind: str
    ex_day: date
    record_day: date | None = None
    ratio: float = math.nan
    cash: float = math.nan
    pay_day: date | None = None
    # Not shown, so that the fingerprint of actions without one stays as it was (`data.panel.fingerprint`).
    successor: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"{self.symbol}: unknown action", received=self.kind, limit=", ".join(KINDS))
        changes = self.kind in ("split", "merge")
        needed, value = ("ratio", self.ratio) if changes else ("cash", self.cash)
        if not math.isfinite(value) or value < 0 or (changes and value == 0):
            raise self._incomplete(needed, value)
        if self.kind == "merge" and self.successor in ("", self.symbol):
            raise self._incomplete("successor", self.successor or None)

    def _incomplete(self, needed: str, value: object) -> DataError:
        return DataError(
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
    (``data.panel.market``). ``into`` is the column of a merge's successor; -1 of other actions.
    """

    row: int
    column: int
    kind: str
    ratio: float
    cash: float
    record_row: int
    pay_row: int
    into: int = -1


def actions_from(frame: pd.DataFrame) -> tuple[Action, ...]:
    """Return the rows of table ``actions`` as :class:`Action` objects, in the order of the table.

    Renames are none: the table is read under the later symbol.
    """
    return tuple(
        Action(
            symbol=str(row["symbol"]),
            kind=str(row["kind"]),
            ex_day=row["ex_day"].date(),
            record_day=None if pd.isna(row["record_day"]) else row["record_day"].date(),
            ratio=float(row["ratio"]),
            cash=float(row["cash"]),
            pay_day=None if pd.isna(row["pay_day"]) else row["pay_day"].date(),
            successor="" if pd.isna(row["successor"]) else str(row["successor"]),
        )
        for row in frame[frame["kind"] != RENAME].to_dict("records")
    )


def place(
    actions: Iterable[Action],
    days: Days,
    symbols: Sequence[str],
    delisted: Sequence[date | None],
) -> tuple[Event, ...]:
    """Return the actions of ``symbols`` that take effect on ``days``, in the order in which they do.

    A fund whose listing ends without an announced liquidation or merge is liquidated at its last mark, on the
    first session on which it is no longer listed; so is one that merges into a fund that is not among
    ``symbols`` or has ended by then. Actions of other symbols, and before the first or after the
    last day, are left out; but a split whose record day is among ``days`` stays, its row after the last.
    ``delisted`` is that of :func:`ends_of`.
    """
    columns = {symbol: column for column, symbol in enumerate(symbols)}
    events = []
    announced = set()
    for action in actions:
        column = columns.get(action.symbol)
        if column is None:
            continue
        if action.kind in ENDS:
            announced.add(column)
        row = row_of(days, action.ex_day)
        record = row - 1 if action.record_day is None else row_of(days, action.record_day)
        # Counts may switch to the new basis before prices do, which then is after the last session.
        if row == 0 or (row == len(days) and (action.kind != "split" or record >= row)):
            continue
        paid = row if action.pay_day is None else max(row, row_of(days, action.pay_day))
        into = columns.get(action.successor, -1)
        event = Event(row, column, action.kind, action.ratio, action.cash, min(record, row), paid, into)
        if action.kind == "merge" and (into < 0 or _is_over(days, delisted[into], row)):
            event = paid_at_last_mark(row, column)
        events.append(event)
    for column, last in enumerate(delisted):
        if last is not None and column not in announced and 0 < row_of(days, last) < len(days):
            events.append(paid_at_last_mark(row_of(days, last), column))
    return in_order(events)


def paid_at_last_mark(row: int, column: int) -> Event:
    """Return the liquidation of a fund that ends and of which nobody announced what it pays."""
    return Event(row, column, "liquidation", math.nan, math.nan, row - 1, row)


def _is_over(days: Days, end: date | None, row: int) -> bool:
    return end is not None and row_of(days, end) <= row


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return events in the order in which they take effect."""
    return tuple(sorted(events, key=lambda event: (event.row, KINDS.index(event.kind), event.column)))


def ends_of(
    delisted: Sequence[date | None], symbols: Sequence[str], actions: Iterable[Action]
) -> tuple[date | None, ...]:
    """Return the first day on which each fund is no longer listed: its delisting, or what ``ENDS`` it."""
    ends = dict(zip(symbols, delisted, strict=True))
    for action in actions:
        if action.kind in ENDS and action.symbol in ends:
            known = ends[action.symbol]
            ends[action.symbol] = action.ex_day if known is None else min(known, action.ex_day)
    return tuple(ends[symbol] for symbol in symbols)


def row_of(days: Days, day: date) -> int:
    """Return the number of the first session on or after ``day``; ``len(days)`` if there is none."""
    return int(np.searchsorted(days, np.datetime64(day, "D")))
