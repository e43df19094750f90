"""The tape: the market over the sessions of a run, as plain arrays in the layout that machine code likes.

Sessions count from the first of the run. What an order sees of a fund in a session, a
:class:`engine.kernel.fills.Quote`, lies in one place of memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.actions import KINDS
from data.panel import Panel
from engine.kernel.costs import Costs
from engine.kernel.fills import Quote

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

DIVIDEND, SPLIT, LIQUIDATION = (KINDS.index(kind) for kind in ("dividend", "split", "liquidation"))


class Tape(NamedTuple):
    """Arrays over D sessions and S funds; ``quotes`` (D, S, fields of a Quote).

    ``tradable`` (D, S): listed, with a reference price. ``nights`` (D,) before each session, 0 before the
    first. Of E events: session, column, kind, ratio, cash and the session of payment.
    """

    quotes: Floats
    reference: Floats
    mark: Floats
    tradable: Bools
    nights: Integers
    event_session: Integers
    event_column: Integers
    event_kind: Integers
    event_ratio: Floats
    event_cash: Floats
    event_pay: Integers


def tape_of(panel: Panel, first: int, last: int, costs: Costs, fill: str) -> Tape:
    """Return the tape of the sessions ``first`` to ``last`` of a panel, both included."""
    market = panel.market
    span = slice(first, last + 1)
    reference = market.reference[span]
    quotes = np.empty((*reference.shape, len(Quote._fields)))
    volatility = market.volatility[span] if costs.impact > 0.0 else 0.0
    for place, name in enumerate(Quote._fields):
        if name == "volatility":
            quotes[:, :, place] = volatility
        else:
            quotes[:, :, place] = getattr(market, fill if name == "base" else name)[span]
    day_numbers: Integers = panel.days[span].astype(np.int64)
    nights = np.diff(day_numbers, prepend=day_numbers[:1])
    nights[0] = 0
    events = [event for event in market.events if first <= event.row <= last]
    return Tape(
        quotes=quotes,
        reference=np.ascontiguousarray(reference),
        mark=np.ascontiguousarray(market.mark[span]),
        tradable=market.listed[span] & ~np.isnan(reference),
        nights=nights,
        event_session=np.array([event.row - first for event in events], dtype=np.int64),
        event_column=np.array([event.column for event in events], dtype=np.int64),
        event_kind=np.array([KINDS.index(event.kind) for event in events], dtype=np.int64),
        event_ratio=np.array([event.ratio for event in events], dtype=np.float64),
        event_cash=np.array([event.cash for event in events], dtype=np.float64),
        event_pay=np.array([event.pay_row - first for event in events], dtype=np.int64),
    )
