"""Purchases that the compiled account carries over, as ``engine.simulation.carried`` does: of two markets.

Functions are compiled into ``engine.simulation.account``, and change the orders of a session in place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.simulation.account_books import AccountBooks
from engine.simulation.tape import Tape

Integers = NDArray[np.int64]


def in_order_of_opening(opening: Integers, columns: Integers, shares: Integers, count: int) -> int:
    """Sort the first ``count`` orders by the market of their fund, and leave those of one market in order.

    Return the place of the last market that sells, 0 if none or the first alone does.
    """
    sells = 0
    for later in range(count):
        column, order = columns[later], shares[later]
        if order < 0:
            sells = max(sells, opening[column])
        place = later
        while place > 0 and opening[columns[place - 1]] > opening[column]:
            columns[place], shares[place] = columns[place - 1], shares[place - 1]
            place -= 1
        columns[place], shares[place] = column, order
    return sells


def put_waiting_first(
    tape: Tape, session: int, books: AccountBooks, waiting: int, count: int, exits: Integers
) -> int:
    """Put what waits before the ``count`` orders of a session, if it can be ordered; return how much does.

    Not what is ordered now, nor what a stop puts out: ``exits`` are columns.
    """
    cells, rules = tape.cells[tape.lines[session]], tape.rules
    order_column, order_shares = books.order_column, books.order_shares
    wait_column, wait_shares = books.wait_column, books.wait_shares
    waited = 0
    for place in range(waiting):
        column = wait_column[place]
        cell = cells[column]
        lot = rules[cell["rule"]]["lot"]
        wanting = cell["tradable"] and wait_shares[place] >= lot
        for other in range(count):
            wanting = wanting and order_column[other] != column
        for other in range(len(exits)):
            wanting = wanting and exits[other] != column
        if wanting:
            wait_column[waited] = column
            wait_shares[waited] = wait_shares[place] // lot * lot
            waited += 1
    for place in range(count - 1, -1, -1):
        order_column[place + waited] = order_column[place]
        order_shares[place + waited] = order_shares[place]
    for place in range(waited):
        order_column[place] = wait_column[place]
        order_shares[place] = wait_shares[place]
    return waited
