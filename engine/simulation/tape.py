"""The tape: the market over the sessions of a run, as machine code likes to read it.

Sessions count from the first of the run. What an order needs of a fund in a session lies in one line of the
cache, a *cell*; what an account needs of each session, the marks, lies fund by fund.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import KINDS
from data.facts.symbols import MARKETS, market_of
from data.numeric.compiled import frozen
from data.panel.panel import Panel
from engine.kernel.costs import COMMISSION
from engine.simulation.commissions import commissions
from engine.spec import Conditions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

DIVIDEND, SPLIT, MERGE = (KINDS.index(kind) for kind in ("dividend", "split", "merge"))

# Of one fund in one session, in a line of the cache. ``base`` is the price of the fill point; what changes
# rarely stands in the table of rules, in the row ``rule``.
LINE = 64
NUMBERS = ("reference", "base", "volume", "volatility", "limit_up", "limit_down")
CELL = np.dtype(
    {
        "names": [*NUMBERS, "rule", "tradable"],
        "formats": [*(np.float64 for _ in NUMBERS), np.int32, np.bool_],
        "offsets": [8 * place for place in range(len(NUMBERS))] + [48, 52],
        "itemsize": LINE,
    }
)
FEES = ("buy_fee_rate", "sell_fee_rate")
RULE = np.dtype(
    [("tick", np.float64), ("lot", np.int64), *((name, np.float64) for name in (*FEES, *COMMISSION))]
)


class Tape(NamedTuple):
    """The market over D sessions and S funds.

    ``cells`` (K, S) are records as in ``CELL``, of the K sessions that somebody decides on; ``lines`` (D,)
    is the row of each session there, -1 for the others. ``rules`` (R,) are records as in ``RULE``. ``low``
    and ``high`` are (D, S), and ``marks`` (S, D). ``nights`` (D,) before each session, 0 before the first.
    Of E events: session, column, kind, ratio, cash, the session of payment, and the column of a merge's
    successor. ``opening`` is that of ``opening_of``.
    """

    cells: NDArray[Any]
    lines: Integers
    rules: NDArray[Any]
    low: Floats
    high: Floats
    marks: Floats
    nights: Integers
    event_session: Integers
    event_column: Integers
    event_kind: Integers
    event_ratio: Floats
    event_cash: Floats
    event_pay: Integers
    event_into: Integers
    opening: Integers


def tape_of(panel: Panel, first: int, last: int, conditions: Conditions, decided: Integers) -> Tape:
    """Return the tape of the sessions ``first`` to ``last`` of a panel, both included.

    Nothing may be ordered but on the sessions ``decided``, in rising order.
    """
    market = panel.market
    span = slice(first, last + 1)
    cells, lines, rules = cells_of(panel, first, last, conditions, decided)
    events = [event for event in market.events if first <= event.row <= last]
    return Tape(
        cells=cells,
        lines=lines,
        rules=rules,
        low=frozen(market.low[span]),
        high=frozen(market.high[span]),
        marks=frozen(market.mark[span].T),
        nights=nights_before(panel.days[span]),
        event_session=np.array([event.row - first for event in events], dtype=np.int64),
        event_column=np.array([event.column for event in events], dtype=np.int64),
        event_kind=np.array([KINDS.index(event.kind) for event in events], dtype=np.int64),
        event_ratio=np.array([event.ratio for event in events], dtype=np.float64),
        event_cash=np.array([event.cash for event in events], dtype=np.float64),
        event_pay=np.array([event.pay_row - first for event in events], dtype=np.int64),
        event_into=np.array([event.into for event in events], dtype=np.int64),
        opening=opening_of(panel),
    )


def cells_of(
    panel: Panel, first: int, last: int, conditions: Conditions, decided: Integers
) -> tuple[NDArray[Any], Integers, NDArray[Any]]:
    """Return cells, lines and rules, as in :class:`Tape`, of the sessions ``decided``.

    Of two markets the sessions after them are there too: a purchase may wait for one.
    """
    market = panel.market
    sessions, funds = last - first + 1, market.mark.shape[1]
    if len(opening_of(panel)):
        decided = np.union1d(decided, decided[decided < sessions - 1] + 1)
    rows, shape = first + decided, (len(decided), funds)
    span: Any = slice(first, last + 1) if len(rows) == sessions else rows
    lines = np.full(sessions, -1, dtype=np.int64)
    lines[decided] = np.arange(len(decided))
    room = np.empty(LINE * (shape[0] * shape[1] + 1), dtype=np.uint8)
    begin = -room.ctypes.data % LINE
    cells = room[begin : begin + LINE * shape[0] * shape[1]].view(CELL).reshape(shape)
    for name in (*NUMBERS, "tradable"):
        source = conditions.fill if name == "base" else name
        # Nobody reads volatility without impact, and it takes a while to compute.
        unread = name == "volatility" and conditions.costs.impact == 0.0
        cells[name] = 0.0 if unread else getattr(market, source)[span]
    fees = market.fee_rates(conditions.costs.fx_fee_rate)
    fixed = {name: values[span] for name, values in zip(FEES, fees, strict=True)}
    fixed |= {name: values[span] for name, values in commissions(panel, conditions.costs).items()}
    fixed |= {name: getattr(market, name)[span] for name in ("tick", "lot")}
    new = np.zeros(shape, dtype=np.bool_)
    new[:1] = True
    for values in fixed.values():
        if values.strides[0]:  # one row does not stand for all
            new[1:] |= values[1:] != values[:-1]
    # Fund by fund, one row of the table for each time that its rules changed.
    column, row = np.nonzero(new.T)
    rules = np.empty(len(row), dtype=RULE)
    for name, values in fixed.items():
        rules[name] = values[row, column]
    cells["rule"] = (np.cumsum(new.T.ravel()) - 1).reshape(new.T.shape).T
    return cells, lines, rules


def opening_of(panel: Panel) -> Integers:
    """Return the place of each fund's market in the order in which markets open, (S,); (0,) if all are one's.

    Funds of two markets have an account in one currency, so that a panel without one is of one market.
    """
    if panel.currency is None:
        return np.empty(0, dtype=np.int64)
    places = np.array([MARKETS.index(market_of(symbol)) for symbol in panel.symbols], dtype=np.int64)
    return places if len(set(places.tolist())) > 1 else places[:0]


def nights_before(days: NDArray[np.datetime64]) -> Integers:
    """Return the nights between each session and the one before it, (D,); 0 before the first."""
    numbers: Integers = days.astype(np.int64)
    return np.diff(numbers, prepend=numbers[:1])
