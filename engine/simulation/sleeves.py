"""Sleeves of an account: what of its cash, its receivables and its shares belongs to which tranche.

The account's own books are kept as those of any account. A sleeve's books beside it change by what happens
to its part: its shares always add up to the account's with those of the others, and its money does to
rounding. Functions are kernels, shared by both engines; ``tranches`` is how many of the rows are in use.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernel.costs import interest
from engine.kernel.fills import Filled
from engine.kernel.sizing import split_shares

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Sleeves(NamedTuple):
    """Books of N sleeves over S funds: ``due`` (E, N) are parts of the account's receivables, in its order.

    ``overnight`` is cash at the close before.
    """

    cash: Floats
    overnight: Floats
    shares: Integers
    due: Floats


def blank_sleeves(tranches: int, funds: int, receivables: int) -> Sleeves:
    """Return room for so many sleeves; none where there is only one, which is the account."""
    count = tranches if tranches > 1 else 0
    return Sleeves(
        np.zeros(count),
        np.zeros(count),
        np.zeros((count, funds), dtype=np.int64),
        np.zeros((receivables if count else 0, count)),
    )


def divide_account(
    sleeves: Sleeves, tranches: int, cash: float, shares: Any, lots: Any, due: Any, count: int
) -> None:
    """Give each sleeve an equal part of an account; of each fund whole lots, the last one what is no lot.

    ``due`` are the ``count`` receivables of the account.
    """
    for sleeve in range(tranches):
        sleeves.cash[sleeve] = cash / tranches
        for place in range(count):
            sleeves.due[place, sleeve] = due[place] / tranches
        for column in range(sleeves.shares.shape[1]):
            held = shares[column]
            part = 0
            if held > 0:
                whole = held // lots[column]
                part = (whole * (sleeve + 1) // tranches - whole * sleeve // tranches) * lots[column]
                if sleeve == tranches - 1:
                    part += held - whole * lots[column]
            sleeves.shares[sleeve, column] = part


def begin_session(sleeves: Sleeves, tranches: int) -> None:
    """Note the cash that earns interest."""
    for sleeve in range(tranches):
        sleeves.overnight[sleeve] = sleeves.cash[sleeve]


def split_sleeves(sleeves: Sleeves, tranches: int, column: int, ratio: float) -> None:
    """Split shares such that those of the first sleeves together are what an account of so many has."""
    together = 0
    before = 0
    for sleeve in range(tranches):
        together += sleeves.shares[sleeve, column]
        after = split_shares(together, ratio)
        sleeves.shares[sleeve, column] = after - before
        before = after


def merge_sleeves(sleeves: Sleeves, tranches: int, column: int, into: int, ratio: float) -> None:
    """Give each sleeve shares of the successor, dealt out as in a split; the old ones stay, to be paid."""
    together = 0
    before = 0
    for sleeve in range(tranches):
        together += sleeves.shares[sleeve, column]
        after = split_shares(together, ratio)
        sleeves.shares[sleeve, into] += after - before
        before = after


def pay_sleeves(sleeves: Sleeves, tranches: int, column: int, amount: float, place: int, ends: bool) -> None:
    """Pay ``amount`` a share: at once (``place`` -1), or as part of the receivable ``place``."""
    for sleeve in range(tranches):
        held = sleeves.shares[sleeve, column]
        paid = held * amount if held > 0 else 0.0
        if place < 0:
            sleeves.cash[sleeve] += paid
        else:
            sleeves.due[place, sleeve] = paid
        if ends:
            sleeves.shares[sleeve, column] = 0


def collect_sleeves(sleeves: Sleeves, tranches: int, place: int) -> None:
    """Turn the parts of a receivable into cash."""
    for sleeve in range(tranches):
        sleeves.cash[sleeve] += sleeves.due[place, sleeve]


def move_due(sleeves: Sleeves, tranches: int, place: int, left: int) -> None:
    """Move the parts of a receivable up to where the account has it now."""
    for sleeve in range(tranches):
        sleeves.due[left, sleeve] = sleeves.due[place, sleeve]


def equity_of_sleeve(sleeves: Sleeves, sleeve: int, holding: Any, reference: Any, count: int) -> float:
    """Return cash, the parts of ``count`` receivables, and shares at reference prices, in symbol order.

    ``holding`` are the columns that the account holds.
    """
    receivable = 0.0
    for place in range(count):
        receivable += sleeves.due[place, sleeve]
    equity: float = sleeves.cash[sleeve] + receivable
    for column in holding:
        held = sleeves.shares[sleeve, column]
        if held > 0:
            equity += held * reference[column]
    return equity


def whole_sale(order: int, of_sleeve: int, of_account: int, lot: int) -> int:
    """Return an order of a sleeve: all that it has in whole lots, while other sleeves hold the fund."""
    if order >= 0 or order != -of_sleeve or of_sleeve == of_account:
        return order
    return -(of_sleeve // lot * lot)


def settled(cash: float, filled: Filled) -> float:
    """Return what a fill leaves of cash, added in the order of ``engine.kernel.fills.charge``."""
    paid = cash - filled.notional if filled.shares > 0 else cash + filled.notional
    return paid - filled.commission - filled.fee


def earn_interest(sleeves: Sleeves, tranches: int, rate: float, nights: int) -> None:
    """Credit interest on each sleeve's own cash overnight."""
    for sleeve in range(tranches):
        sleeves.cash[sleeve] += interest(sleeves.overnight[sleeve], rate, nights)
