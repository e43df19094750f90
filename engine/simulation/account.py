"""One account over all sessions of a run, as one function that is compiled.

The steps are those of ``engine.simulation.books``, in the same order, with the same kernel functions, so that
shares, fills, rejections, cash and equity are equal to the last bit:

1. corporate actions of the session, then receivables that are due;
2. on a decision session, orders from target weights, sized with reference prices and the equity at them;
3. sells in symbol order, then buys in rank order: each filled, cut or rejected;
4. interest on the cash held overnight, marks, equity.

Funds that are held are kept in a short list in symbol order, so that a session costs what is held and not
what is listed. In tranches the books of sleeves are kept beside it (``engine.simulation.sleeves``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernel.costs import interest
from engine.kernel.fills import (
    CASH,
    NOT_LISTED,
    PARTICIPATION,
    TRADES,
    Quote,
    Terms,
    blocked,
    fill_order,
    slippage_of,
)
from engine.kernel.sizing import fraction_left, size_order, split_shares
from engine.kernel.targets import ALL
from engine.simulation.sleeves import (
    Sleeves,
    begin_session,
    collect_sleeves,
    divide_account,
    earn_interest,
    equity_of_sleeve,
    merge_sleeves,
    move_due,
    pay_sleeves,
    settled,
    split_sleeves,
    whole_sale,
)
from engine.simulation.tape import DIVIDEND, MERGE, SPLIT, Tape

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
    """Where an account is written down: (D,) money, (D, S) or empty ``held``, rows of fills and rejections.

    Rows that do not fit are counted and not written.
    """

    equity: Floats
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


def blank_record(sessions: int, funds: int, fills: int, rejections: int, held: bool) -> Record:
    """Return room for a record, with so many rows of fills and rejections."""
    return Record(
        np.empty(sessions),
        np.empty(sessions),
        np.empty(sessions),
        np.empty(sessions),
        np.empty(sessions),
        np.empty(sessions),
        np.zeros((sessions if held else 0, funds), dtype=np.int64),
        np.empty((fills, FILL_FIELDS)),
        np.empty((rejections, REJECTION_FIELDS), dtype=np.int64),
    )


def keep_account(
    tape: Tape,
    terms: Terms,
    cash_rate: float,
    whole_session: bool,
    initial_cash: float,
    orders: Orders,
    sleeves: Sleeves,
    record: Record,
) -> Totals:
    """Follow ``orders`` from ``initial_cash`` on, write the account down, and return its totals.

    ``sleeves`` is room for the books of as many as the orders have (``blank_sleeves``).
    """
    sessions, funds = tape.mark.shape
    shares = np.zeros(funds, dtype=np.int64)
    holding = np.empty(funds, dtype=np.int64)
    held = 0
    weight_of = np.zeros(funds)
    order_column = np.empty(funds, dtype=np.int64)
    order_shares = np.empty(funds, dtype=np.int64)
    due_session = np.empty(len(tape.event_session), dtype=np.int64)
    due_amount = np.empty(len(tape.event_session))
    due = 0
    tranches = 1
    cash = initial_cash
    event = decision = fills = rejections = 0
    traded = costs = exposure = 0.0
    broken = -1
    for session in range(sessions):
        overnight = cash
        dividend = paid_out = 0.0
        divided = 0
        if tranches > 1:
            begin_session(sleeves, tranches)
        while event < len(tape.event_session) and tape.event_session[event] == session:
            column = tape.event_column[event]
            before = shares[column]
            kind = tape.event_kind[event]
            if before > 0:
                if kind == SPLIT:
                    shares[column] = split_shares(before, tape.event_ratio[event])
                    if tranches > 1:
                        split_sleeves(sleeves, tranches, column, tape.event_ratio[event])
                else:
                    amount_each = tape.event_cash[event]
                    amount = before * amount_each
                    if kind == MERGE:
                        into = tape.event_into[event]
                        amount = fraction_left(before, tape.event_ratio[event]) * amount_each
                        amount_each = amount / before
                        joined = split_shares(before, tape.event_ratio[event])
                        if joined > 0 and shares[into] == 0:
                            held = add(holding, held, into)
                        shares[into] += joined
                        if tranches > 1:
                            merge_sleeves(sleeves, tranches, column, into, tape.event_ratio[event])
                    if kind == DIVIDEND:
                        dividend += amount
                    else:
                        shares[column] = 0
                        paid_out += amount
                    if tranches > 1:
                        place = -1 if tape.event_pay[event] <= session else due
                        pay_sleeves(sleeves, tranches, column, amount_each, place, kind != DIVIDEND)
                    if tape.event_pay[event] <= session:
                        cash += amount
                    else:
                        due_session[due] = tape.event_pay[event]
                        due_amount[due] = amount
                        due += 1
                if shares[column] == 0:
                    held = drop(holding, held, column)
            event += 1
        if due > 0:
            left = 0
            for place in range(due):
                if due_session[place] <= session:
                    cash += due_amount[place]
                    if tranches > 1:
                        collect_sleeves(sleeves, tranches, place)
                else:
                    due_session[left] = due_session[place]
                    due_amount[left] = due_amount[place]
                    if tranches > 1:
                        move_due(sleeves, tranches, place, left)
                    left += 1
            due = left
        receivable = 0.0
        for place in range(due):
            receivable += due_amount[place]

        if decision < len(orders.sessions) and orders.sessions[decision] == session:
            first, end = orders.starts[decision], orders.starts[decision + 1]
            among, sleeve = 1, ALL
            if len(orders.turns) > 0:
                among, sleeve = orders.turns[decision, 0], orders.turns[decision, 1]
            # All sleeves trade as one, in whole lots of each.
            lots = among if sleeve == ALL else 1
            if sleeve == ALL:
                divided = among
                equity = cash + receivable
                for place in range(held):
                    equity += shares[holding[place]] * tape.reference[session, holding[place]]
            else:
                equity = equity_of_sleeve(sleeves, sleeve, tape.reference[session], due)
            missing = False
            for place in range(first, end):
                column = orders.columns[place]
                weight_of[column] = orders.weights[place]
                if orders.weights[place] > 0.0 and not tape.tradable[session, column]:
                    missing = True
            if missing:
                for column in range(funds):
                    if weight_of[column] > 0.0 and not tape.tradable[session, column]:
                        rejections = reject(record.rejections, rejections, session, column, 0, NOT_LISTED)
            count = 0
            for place in range(held):
                column = holding[place]
                if tape.tradable[session, column]:
                    order = size_order(
                        weight_of[column],
                        equity,
                        tape.reference[session, column],
                        shares[column] if sleeve == ALL else sleeves.shares[sleeve, column],
                        tape.lot[session, column] * lots,
                    )
                    if sleeve != ALL:
                        order = whole_sale(
                            order, sleeves.shares[sleeve, column], shares[column], tape.lot[session, column]
                        )
                    if order < 0:
                        order_column[count] = column
                        order_shares[count] = order
                        count += 1
            for place in range(first, first + orders.ranked[decision]):
                column = orders.columns[place]
                if orders.weights[place] > 0.0 and tape.tradable[session, column]:
                    order = size_order(
                        orders.weights[place],
                        equity,
                        tape.reference[session, column],
                        shares[column] if sleeve == ALL else sleeves.shares[sleeve, column],
                        tape.lot[session, column] * lots,
                    )
                    if order > 0:
                        order_column[count] = column
                        order_shares[count] = order
                        count += 1
            for place in range(first, end):
                weight_of[orders.columns[place]] = 0.0
            decision += 1

            for place in range(count):
                column = order_column[place]
                order = order_shares[place]
                quote = Quote(
                    tape.base[session, column],
                    tape.low[session, column],
                    tape.high[session, column],
                    tape.volume[session, column],
                    tape.limit_up[session, column],
                    tape.limit_down[session, column],
                    tape.tick[session, column],
                    tape.lot[session, column] * lots,
                    tape.volatility[session, column],
                    tape.buy_fee_rate[session, column],
                    tape.sell_fee_rate[session, column],
                )
                reason = blocked(order, quote, whole_session)
                if reason != TRADES:
                    rejections = reject(record.rejections, rejections, session, column, order, reason)
                    continue
                at_hand = cash if sleeve == ALL else min(cash, sleeves.cash[sleeve])
                filled = fill_order(order, quote, terms, at_hand)
                if filled.over_participation != 0:
                    rejections = reject(
                        record.rejections,
                        rejections,
                        session,
                        column,
                        filled.over_participation,
                        PARTICIPATION,
                    )
                if filled.over_cash != 0:
                    rejections = reject(
                        record.rejections, rejections, session, column, filled.over_cash, CASH
                    )
                if filled.shares == 0:
                    continue
                if shares[column] == 0:
                    held = add(holding, held, column)
                if sleeve == ALL:
                    cash = filled.cash
                else:
                    cash = settled(cash, filled)
                    sleeves.cash[sleeve] = settled(sleeves.cash[sleeve], filled)
                    sleeves.shares[sleeve, column] += filled.shares
                shares[column] += filled.shares
                if shares[column] == 0:
                    held = drop(holding, held, column)
                slippage = slippage_of(filled, quote)
                if fills < len(record.fills):
                    row = record.fills[fills]
                    row[0] = session
                    row[1] = column
                    row[2] = filled.shares
                    row[3] = filled.price
                    row[4] = filled.notional
                    row[5] = filled.commission
                    row[6] = filled.fee
                    row[7] = slippage
                fills += 1
                traded += filled.notional
                costs += filled.commission + filled.fee + slippage

        earned = 0.0
        if cash_rate > 0.0:
            earned = interest(overnight, cash_rate, tape.nights[session])
            cash += earned
            if tranches > 1:
                earn_interest(sleeves, tranches, cash_rate, tape.nights[session])
        if divided > 0:
            tranches = divided
            if tranches > 1:
                divide_account(sleeves, tranches, cash, shares, tape.lot[session], due_amount, due)
        equity = cash + receivable
        for place in range(held):
            equity += shares[holding[place]] * tape.mark[session, holding[place]]
            if shares[holding[place]] < 0 and broken < 0:
                broken = session
        if cash < 0.0 and broken < 0:
            broken = session
        record.equity[session] = equity
        record.cash[session] = cash
        record.receivable[session] = receivable
        record.interest[session] = earned
        record.dividend[session] = dividend
        record.paid_out[session] = paid_out
        exposure += (equity - cash - receivable) / equity
        if len(record.held) > 0:
            for place in range(held):
                record.held[session, holding[place]] = shares[holding[place]]
    return Totals(fills, rejections, traded, costs, exposure / sessions, broken)


def follow_orders(
    tape: Tape,
    terms: Terms,
    cash_rate: float,
    whole_session: bool,
    initial_cash: float,
    orders: Orders,
    sleeves: Sleeves,
    record: Record,
) -> Totals:
    """Do what ``keep_account`` does: the door to it from Python.

    What machine code calls is compiled once in a process, so that after a sweep this costs a third.
    """
    return keep_account(tape, terms, cash_rate, whole_session, initial_cash, orders, sleeves, record)


def reject(rows: Integers, count: int, session: int, column: int, shares: int, reason: int) -> int:
    """Write a rejection down as row ``count`` if it fits; return how many there are."""
    if count < len(rows):
        rows[count, 0] = session
        rows[count, 1] = column
        rows[count, 2] = shares
        rows[count, 3] = reason
    return count + 1


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
