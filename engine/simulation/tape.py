"""The tape: the market over the sessions of a run, as plain arrays in the layout that machine code likes.

Sessions count from the first of the run. What an order sees of a fund in a session, a
:class:`engine.kernel.fills.Quote`, lies in one place of memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import KINDS
from data.numeric.compiled import frozen
from data.panel.panel import Panel
from engine.spec import Conditions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

DIVIDEND, SPLIT, MERGE = (KINDS.index(kind) for kind in ("dividend", "split", "merge"))


class Tape(NamedTuple):
    """Arrays over D sessions and S funds, the first eleven as in :class:`engine.kernel.fills.Quote`.

    They are views of the panel where they can be, as are ``reference``, ``mark`` and ``tradable``.
    ``nights`` (D,) before each session, 0 before the first. Of E events: session, column, kind, ratio, cash,
    the session of payment, and the column of a merge's successor.
    """

    base: Floats
    low: Floats
    high: Floats
    volume: Floats
    limit_up: Floats
    limit_down: Floats
    tick: Floats
    lot: Integers
    volatility: Floats
    buy_fee_rate: Floats
    sell_fee_rate: Floats
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
    event_into: Integers


def tape_of(panel: Panel, first: int, last: int, conditions: Conditions) -> Tape:
    """Return the tape of the sessions ``first`` to ``last`` of a panel, both included."""
    market = panel.market
    span = slice(first, last + 1)
    reference = market.reference[span]
    # Nobody reads it then; a calloc'd page of nothing costs nothing.
    no_volatility = frozen(np.zeros(reference.shape))
    events = [event for event in market.events if first <= event.row <= last]
    return Tape(
        base=frozen(getattr(market, conditions.fill)[span]),
        low=frozen(market.low[span]),
        high=frozen(market.high[span]),
        volume=frozen(market.volume[span]),
        limit_up=frozen(market.limit_up[span]),
        limit_down=frozen(market.limit_down[span]),
        tick=frozen(market.tick[span]),
        lot=frozen(market.lot[span]),
        volatility=frozen(market.volatility[span]) if conditions.costs.impact > 0.0 else no_volatility,
        buy_fee_rate=frozen(market.buy_fee_rate[span]),
        sell_fee_rate=frozen(market.sell_fee_rate[span]),
        reference=frozen(reference),
        mark=frozen(market.mark[span]),
        tradable=frozen(market.tradable[span]),
        nights=nights_before(panel.days[span]),
        event_session=np.array([event.row - first for event in events], dtype=np.int64),
        event_column=np.array([event.column for event in events], dtype=np.int64),
        event_kind=np.array([KINDS.index(event.kind) for event in events], dtype=np.int64),
        event_ratio=np.array([event.ratio for event in events], dtype=np.float64),
        event_cash=np.array([event.cash for event in events], dtype=np.float64),
        event_pay=np.array([event.pay_row - first for event in events], dtype=np.int64),
        event_into=np.array([event.into for event in events], dtype=np.int64),
    )


def nights_before(days: NDArray[np.datetime64]) -> Integers:
    """Return the nights between each session and the one before it, (D,); 0 before the first."""
    numbers: Integers = days.astype(np.int64)
    return np.diff(numbers, prepend=numbers[:1])
