"""What an account is given and what is written down of it: plain arrays for machine code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernel.fills import NOT_LISTED, Filled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Of a fill: session, column, shares, price, notional, commission, fee, slippage.
FILL_FIELDS = 8
# Of a rejection: session, column, shares, reason.
REJECTION_FIELDS = 4
# Of orders that are never in tranches.
NO_TURNS = np.empty((0, 2), dtype=np.int64)


class Orders(NamedTuple):
    """Target weights of K decisions; decision k has ``starts[k]`` to ``starts[k + 1]`` of them.

    ``sessions`` (K,) in rising order. ``columns`` are in buying order; the first ``ranked[k]`` of a decision
    may be bought, the others only be reduced. ``turns`` are as in :class:`engine.kernel.targets.Targets`, or
    empty where no decision is in tranches.
    """

    sessions: Integers
    starts: Integers
    ranked: Integers
    columns: Integers
    weights: Floats
    turns: Integers


class Record(NamedTuple):
    """Where an account is written down beside its equity: money (D,) and ``held`` (D, S), or all empty.

    Rows of fills and rejections that do not fit are counted and not written.
    """

    cash: Floats
    receivable: Floats
    interest: Floats
    dividend: Floats
    paid_out: Floats
    held: Integers
    fills: Floats
    rejections: Integers


class Totals(NamedTuple):
    """Sums over a run; ``broken`` is the first session on which cash or shares were below zero, or -1."""

    fills: int
    rejections: int
    traded: float
    costs: float
    exposure: float
    broken: int


def blank_record(sessions: int, funds: int, fills: int, rejections: int) -> Record:
    """Return room for a record of so many sessions, fills and rejections; with 0, for none."""
    return Record(
        np.empty(sessions),
        np.empty(sessions),
        np.zeros(sessions),
        np.zeros(sessions),
        np.zeros(sessions),
        np.zeros((sessions, funds), dtype=np.int64),
        np.empty((fills, FILL_FIELDS)),
        np.empty((rejections, REJECTION_FIELDS), dtype=np.int64),
    )


def reject(record: Record, count: int, session: int, column: int, shares: int, reason: int) -> None:
    """Write a rejection down as row ``count`` if it fits."""
    rows = record.rejections
    if count < len(rows):
        rows[count, 0] = session
        rows[count, 1] = column
        rows[count, 2] = shares
        rows[count, 3] = reason


def reject_unlisted(
    record: Record | None, count: int, session: int, cells: NDArray[Any], columns: Integers, weights: Floats
) -> int:
    """Reject, in symbol order, what is wanted of funds that cannot be ordered; return how many there are now.

    They are written down from row ``count`` on. ``cells`` (S,) are the session's, as in
    ``engine.simulation.tape.CELL``.
    """
    for column in range(len(cells)):
        for place in range(len(columns)):
            if columns[place] == column and weights[place] > 0.0 and not cells[column]["tradable"]:
                if record is not None:
                    reject(record, count, session, column, 0, NOT_LISTED)
                count += 1
    return count


def write_fill(
    record: Record, count: int, session: int, column: int, filled: Filled, slippage: float
) -> None:
    """Write a fill down as row ``count`` if it fits."""
    rows = record.fills
    if count < len(rows):
        rows[count, 0] = session
        rows[count, 1] = column
        rows[count, 2] = filled.shares
        rows[count, 3] = filled.price
        rows[count, 4] = filled.notional
        rows[count, 5] = filled.commission
        rows[count, 6] = filled.fee
        rows[count, 7] = slippage
