"""One set of a sweep alone: decided in Python, followed by an account in machine code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.numeric.compiled import compiled
from engine.kernel.targets import Targets
from engine.simulation import account
from engine.simulation.batch import ACCOUNT_CALLS, orders_of, sleeves_of
from engine.simulation.entries import Orders, Totals, blank_record
from engine.simulation.ledger import InvariantError
from engine.simulation.sleeves import Sleeves
from engine.sweeps.layout import Layout

Floats = NDArray[np.float64]


def follow(layout: Layout, targets: Targets) -> tuple[Floats, Totals]:
    """Return the equity (D,) of following target weights, and the totals of the account."""
    orders = orders_of(targets, layout.first, layout.last)
    return follow_orders(layout, orders, sleeves_of(targets, layout.inputs.tape))


def follow_orders(layout: Layout, orders: Orders, sleeves: Sleeves) -> tuple[Floats, Totals]:
    """Return the equity (D,) of following orders, and the totals of the account; ``sleeves`` is room."""
    decided = np.zeros(len(layout.days), dtype=np.bool_)
    decided[orders.sessions] = True
    inputs = layout.inputs_for(decided)
    equity = np.empty(len(layout.days))
    totals = compiled(account.follow_orders, *ACCOUNT_CALLS)(
        inputs.tape,
        inputs.terms,
        inputs.reserve,
        inputs.cash_rate,
        inputs.whole_session,
        inputs.initial_cash,
        orders,
        equity,
        sleeves,
        blank_record(0, 0, 0, 0),
    )
    if totals.broken >= 0:
        raise InvariantError(f"cash or shares below zero on {layout.days[totals.broken]}")
    return equity, totals
