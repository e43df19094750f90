"""One account over all sessions of a run, as one function that is compiled.

The steps are those of ``engine.simulation.books``, in the same order, with the same kernel functions, so that
shares, fills, rejections, cash and equity are equal to the last bit:

1. corporate actions of the session, then receivables that are due;
2. on a decision session, orders from target weights, sized with reference prices and the equity at them;
3. sells in symbol order, then buys in rank order, market by market: each filled, cut or rejected. What a
   buy lacks cash for that a market which opens later brings in waits for the next session;
4. interest on the cash held overnight, marks, equity.

From one session on which something happens to the next, marks alone change: equity is added up for all of
these sessions at once, fund by fund. Funds that are held are kept in a short list in symbol order, so that a
session costs what is held and not what is listed. In tranches the books of sleeves are kept beside it
(``engine.simulation.sleeves``).
"""

from __future__ import annotations

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
from engine.kernel.sizing import fraction_left, investable, size_order, split_shares
from engine.kernel.targets import ALL, EXITS
from engine.simulation.entries import Orders, Record, Totals
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


def keep_account(
    tape: Tape,
    terms: Terms,
    reserve: float,
    cash_rate: float,
    whole_session: bool,
    initial_cash: float,
    orders: Orders,
    equities: Floats,
    sleeves: Sleeves | None,
    record: Record | None,
) -> Totals:
    """Follow ``orders`` from ``initial_cash`` on, write ``equities`` (D,) down, and return the totals.

    ``sleeves`` is room for the books of as many as the orders have (``blank_sleeves``), None if they have no
    turns; ``record`` is for what else is to be written down. For None, machine code is made that has nothing
    of what they need, and is a fifth faster.
    """
    # Arrays have names of their own: one that is read out of a tuple in a loop is counted each time.
    funds, sessions = tape.marks.shape
    cells, rules, marks = tape.cells.reshape(-1), tape.rules, tape.marks.reshape(-1)
    lines = tape.lines
    events, event_session = len(tape.event_session), tape.event_session
    decisions, decided, starts, ranked = len(orders.sessions), orders.sessions, orders.starts, orders.ranked
    columns, weights = orders.columns, orders.weights
    shares = np.zeros(funds, dtype=np.int64)
    holding = np.empty(funds + 1, dtype=np.int64)
    held = 0
    sized = np.zeros(funds, dtype=np.int64)
    order_column = np.empty(funds + 1, dtype=np.int64)
    order_shares = np.empty(funds + 1, dtype=np.int64)
    due_session = np.empty(events, dtype=np.int64)
    due_amount = np.empty(events)
    due = 0
    opening = tape.opening
    wait_column = np.empty(len(opening), dtype=np.int64)
    wait_shares = np.empty(len(opening), dtype=np.int64)
    waiting, wait_sleeve = 0, ALL
    tranches = 1
    cash = initial_cash
    event = decision = fills = rejections = 0
    traded = costs = exposure = 0.0
    broken = -1
    session = 0
    while session < sessions:
        row = lines[session] * funds
        overnight = cash
        dividend = paid_out = 0.0
        divided = 0
        if sleeves is not None and tranches > 1:
            begin_session(sleeves, tranches)
        while event < events and event_session[event] == session:
            column = tape.event_column[event]
            before = shares[column]
            kind = tape.event_kind[event]
            for place in range(waiting):
                if wait_column[place] == column and kind != DIVIDEND:
                    ratio = tape.event_ratio[event] if kind == SPLIT else 0.0
                    wait_shares[place] = split_shares(wait_shares[place], ratio)
            if before > 0:
                if kind == SPLIT:
                    shares[column] = split_shares(before, tape.event_ratio[event])
                    if sleeves is not None and tranches > 1:
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
                        if sleeves is not None and tranches > 1:
                            merge_sleeves(sleeves, tranches, column, into, tape.event_ratio[event])
                    if kind == DIVIDEND:
                        dividend += amount
                    else:
                        shares[column] = 0
                        paid_out += amount
                    if sleeves is not None and tranches > 1:
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
                    if sleeves is not None and tranches > 1:
                        collect_sleeves(sleeves, tranches, place)
                else:
                    due_session[left] = due_session[place]
                    due_amount[left] = due_amount[place]
                    if sleeves is not None and tranches > 1:
                        move_due(sleeves, tranches, place, left)
                    left += 1
            due = left
        receivable = 0.0
        for place in range(due):
            receivable += due_amount[place]

        count = waited = 0
        among, sleeve, lots = 1, ALL, 1
        anew = False
        out = out_end = 0
        if decision < decisions and decided[decision] == session:
            first, end = starts[decision], starts[decision + 1]
            if sleeves is not None and len(orders.turns) > 0:
                among, sleeve = orders.turns[decision, 0], orders.turns[decision, 1]
            between = sleeves is not None and sleeve == EXITS
            if between:
                sleeve = ALL
            # All sleeves trade as one, in whole lots of each.
            lots = among if sleeve == ALL else 1
            if sleeves is None or sleeve == ALL:
                divided = among
                equity = cash + receivable
                for place in range(held):
                    equity += shares[holding[place]] * cells[row + holding[place]]["reference"]
            else:
                equity = equity_of_sleeve(sleeves, sleeve, tape.cells[lines[session]]["reference"], due)
            missing = False
            wanted = 0.0
            for place in range(first, end):
                wanted += weights[place]
                if weights[place] > 0.0 and not cells[row + columns[place]]["tradable"]:
                    missing = True
            if missing:
                for column in range(funds):
                    tradable = cells[row + column]["tradable"]
                    for place in range(first, end):
                        if columns[place] == column and weights[place] > 0.0 and not tradable:
                            if record is not None:
                                reject(record, rejections, session, column, 0, NOT_LISTED)
                            rejections += 1
            equity = investable(equity, wanted, reserve)
            anew = not between
            if between:
                out, out_end = first, end
                for place in range(first, end):
                    column = columns[place]
                    if shares[column] > 0 and cells[row + column]["tradable"]:
                        order_column[count] = column
                        order_shares[count] = -shares[column]
                        count += 1
            else:
                # What is held is sold, unless it is wanted: so each fund is sized once.
                for place in range(held):
                    column = holding[place]
                    cell = cells[row + column]
                    sized[column] = 0
                    if cell["tradable"]:
                        mine = shares[column]
                        if sleeves is not None and sleeve != ALL:
                            mine = sleeves.shares[sleeve, column]
                        order = size_order(0.0, equity, cell["reference"], mine, 1)
                        if sleeves is not None and sleeve != ALL:
                            order = whole_sale(order, mine, shares[column], rules[cell["rule"]]["lot"])
                        sized[column] = order
                for place in range(first, end):
                    column = columns[place]
                    cell = cells[row + column]
                    sized[column] = 0
                    if cell["tradable"]:
                        lot = rules[cell["rule"]]["lot"]
                        mine = shares[column]
                        if sleeves is not None and sleeve != ALL:
                            mine = sleeves.shares[sleeve, column]
                        order = size_order(weights[place], equity, cell["reference"], mine, lot * lots)
                        if sleeves is not None and sleeve != ALL:
                            order = whole_sale(order, mine, shares[column], lot)
                        sized[column] = order
                for place in range(held):
                    column = holding[place]
                    order_column[count] = column
                    order_shares[count] = sized[column]
                    if sized[column] < 0:
                        count += 1
                for place in range(first, first + ranked[decision]):
                    column = columns[place]
                    order_column[count] = column
                    order_shares[count] = sized[column]
                    if sized[column] > 0:
                        count += 1
            decision += 1

        sold_later = 0
        if len(opening) > 0:
            sold_later = in_order_of_opening(opening, order_column, order_shares, count)
            if waiting > 0 and not (anew and sleeve in (ALL, wait_sleeve)):
                left = 0
                for place in range(waiting):
                    column = wait_column[place]
                    cell = cells[row + column]
                    lot = rules[cell["rule"]]["lot"]
                    wanting = cell["tradable"] and wait_shares[place] >= lot
                    for other in range(count):
                        wanting = wanting and order_column[other] != column
                    for other in range(out, out_end):
                        wanting = wanting and columns[other] != column
                    if wanting:
                        wait_column[left] = column
                        wait_shares[left] = wait_shares[place] // lot * lot
                        left += 1
                waited = left
                for place in range(count - 1, -1, -1):
                    order_column[place + waited] = order_column[place]
                    order_shares[place + waited] = order_shares[place]
                for place in range(waited):
                    order_column[place] = wait_column[place]
                    order_shares[place] = wait_shares[place]
                count += waited
            waiting = 0

        for place in range(count):
            column = order_column[place]
            order = order_shares[place]
            # Those that waited stand first.
            whose = wait_sleeve if place < waited else sleeve
            cell = cells[row + column]
            rule = rules[cell["rule"]]
            low = high = cell["base"]
            if whole_session:  # nobody looks at them otherwise
                low, high = tape.low[session, column], tape.high[session, column]
            quote = Quote(
                cell["base"],
                low,
                high,
                cell["volume"],
                cell["limit_up"],
                cell["limit_down"],
                rule["tick"],
                rule["lot"] * (1 if place < waited else lots),
                cell["volatility"],
                rule["buy_fee_rate"],
                rule["sell_fee_rate"],
                rule["commission_rate"],
                rule["commission_min"],
                rule["commission_tick"],
            )
            reason = blocked(order, quote, whole_session)
            if reason != TRADES:
                if record is not None:
                    reject(record, rejections, session, column, order, reason)
                rejections += 1
                continue
            at_hand = cash
            if sleeves is not None and whose != ALL:
                at_hand = min(cash, sleeves.cash[whose])
            filled = fill_order(order, quote, terms, at_hand)
            if filled.over_participation != 0:
                if record is not None:
                    reject(record, rejections, session, column, filled.over_participation, PARTICIPATION)
                rejections += 1
            if filled.over_cash != 0:
                if record is not None:
                    reject(record, rejections, session, column, filled.over_cash, CASH)
                rejections += 1
                # Of one market nothing is sold later, and nobody asks for its opening.
                may = place >= waited and lots == 1 and order > 0 and sold_later > 0
                if may and opening[column] < sold_later:
                    wait_column[waiting] = column
                    wait_shares[waiting] = filled.over_cash
                    waiting += 1
            if filled.shares == 0:
                continue
            if shares[column] == 0:
                held = add(holding, held, column)
            if sleeves is None or whose == ALL:
                cash = filled.cash
            else:
                cash = settled(cash, filled)
                sleeves.cash[whose] = settled(sleeves.cash[whose], filled)
                sleeves.shares[whose, column] += filled.shares
            shares[column] += filled.shares
            if shares[column] == 0:
                held = drop(holding, held, column)
            elif shares[column] < 0 and broken < 0:
                broken = session
            slippage = slippage_of(filled, quote)
            if record is not None and fills < len(record.fills):
                record.fills[fills, 0] = session
                record.fills[fills, 1] = column
                record.fills[fills, 2] = filled.shares
                record.fills[fills, 3] = filled.price
                record.fills[fills, 4] = filled.notional
                record.fills[fills, 5] = filled.commission
                record.fills[fills, 6] = filled.fee
                record.fills[fills, 7] = slippage
            fills += 1
            traded += filled.notional
            costs += filled.commission + filled.fee + slippage
        if waiting > 0:
            wait_sleeve = sleeve

        earned = 0.0
        if cash_rate > 0.0:
            earned = interest(overnight, cash_rate, tape.nights[session])
            cash += earned
            if sleeves is not None and tranches > 1:
                earn_interest(sleeves, tranches, cash_rate, tape.nights[session])
        if sleeves is not None and divided > 0:
            tranches = divided
            if tranches > 1:
                lot_of = np.empty(funds, dtype=np.int64)
                for column in range(funds):
                    lot_of[column] = rules[cells[row + column]["rule"]]["lot"]
                divide_account(sleeves, tranches, cash, shares, lot_of, due_amount, due)
        if cash < 0.0 and broken < 0:
            broken = session

        until = sessions if cash_rate == 0.0 else session + 1
        if decision < decisions:
            until = min(until, decided[decision])
        if waiting > 0:
            until = min(until, session + 1)
        if event < events:
            until = min(until, event_session[event])
        for place in range(due):
            until = min(until, due_session[place])
        if until == session + 1:
            equity = cash + receivable
            for place in range(held):
                equity += shares[holding[place]] * marks[holding[place] * sessions + session]
            equities[session] = equity
            exposure += (equity - cash - receivable) / equity
        else:
            # The same sums, session by session, in an order that machines like.
            equities[session:until] = cash + receivable
            for place in range(held):
                column = holding[place]
                owned = shares[column]
                for at in range(session, until):
                    equities[at] += owned * marks[column * sessions + at]
            for at in range(session, until):
                exposure += (equities[at] - cash - receivable) / equities[at]
        if record is not None and len(record.cash) > 0:
            record.cash[session:until] = cash
            record.receivable[session:until] = receivable
            record.interest[session] = earned
            record.dividend[session] = dividend
            record.paid_out[session] = paid_out
            for place in range(held):
                record.held[session:until, holding[place]] = shares[holding[place]]
        session = until
    return Totals(fills, rejections, traded, costs, exposure / sessions, broken)


def follow_orders(
    tape: Tape,
    terms: Terms,
    reserve: float,
    cash_rate: float,
    whole_session: bool,
    initial_cash: float,
    orders: Orders,
    equities: Floats,
    sleeves: Sleeves,
    record: Record,
) -> Totals:
    """Do what ``keep_account`` does, and write all of it down: the door to it from Python."""
    return keep_account(
        tape, terms, reserve, cash_rate, whole_session, initial_cash, orders, equities, sleeves, record
    )


def reject(record: Record, count: int, session: int, column: int, shares: int, reason: int) -> None:
    """Write a rejection down as row ``count`` if it fits."""
    rows = record.rejections
    if count < len(rows):
        rows[count, 0] = session
        rows[count, 1] = column
        rows[count, 2] = shares
        rows[count, 3] = reason


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
