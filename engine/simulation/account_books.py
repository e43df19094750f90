"""The arrays of the compiled account: what it holds, is owed, orders, and lets wait.

How much of each is in use is a number beside them in ``engine.simulation.account``. Funds that are held are
kept in a short list in symbol order, so that a session costs what is held and not what is listed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class AccountBooks(NamedTuple):
    """Arrays of one account over S funds and E events; of several markets, W of what may wait.

    ``shares`` (S,) of each fund, and ``holding`` (S + 1,) the columns of those that are held, in order;
    ``due_session`` and ``due_amount`` (E,) of receivables; ``order_column`` and ``order_shares`` (S + 1,) of
    the orders of a session; ``wait_column`` and ``wait_shares`` (W,) of purchases that wait for money.
    """

    shares: Integers
    holding: Integers
    due_session: Integers
    due_amount: Floats
    order_column: Integers
    order_shares: Integers
    wait_column: Integers
    wait_shares: Integers


def blank_account(funds: int, events: int, may_wait: int) -> AccountBooks:
    """Return the arrays of an account that holds nothing."""
    return AccountBooks(
        np.zeros(funds, dtype=np.int64),
        np.empty(funds + 1, dtype=np.int64),
        np.empty(events, dtype=np.int64),
        np.empty(events),
        np.empty(funds + 1, dtype=np.int64),
        np.empty(funds + 1, dtype=np.int64),
        np.empty(may_wait, dtype=np.int64),
        np.empty(may_wait, dtype=np.int64),
    )


def add(holding: Integers, held: int, column: int) -> int:
    """Put ``column`` into its place among the first ``held`` of ``holding``; return how many there are."""
    place = held
    while place > 0 and holding[place - 1] > column:
        holding[place] = holding[place - 1]
        place -= 1
    holding[place] = column
    return held + 1


def drop(holding: Integers, held: int, column: int) -> int:
    """Take ``column`` out of the first ``held`` of ``holding``; return how many are left."""
    place = 0
    while holding[place] != column:
        place += 1
    for later in range(place + 1, held):
        holding[later - 1] = holding[later]
    return held - 1
