"""One account over all sessions of a run, as one function that is compiled.

The steps are those of ``engine.simulation.books``, in the same order, with the same kernel functions, so that
shares, fills, rejections, cash and equity are equal to the last bit:

1. corporate actions of the session, then receivables that are due (``engine.simulation.account_actions``);
2. on a decision session, orders from target weights, sized with reference prices and the equity at them;
3. sells in symbol order, then buys in rank order, market by market: each filled, cut or rejected. What a
   buy lacks cash for that a market which opens later brings in waits for the next session
   (``engine.simulation.account_carried``);
4. interest on the cash held overnight, marks, equity.

From one session on which something happens to the next, marks alone change: equity is added up for all of
these sessions at once, fund by fund. In tranches the books of sleeves are kept beside it
(``engine.simulation.sleeves``).

What happens on few sessions has functions of its own. Decisions and fills stand here: machine code counts
references for each array that a call is given, which made a sweep half as long again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.kernel.costs import interest
from engine.kernel.fills import (
    CASH,
    PARTICIPATION,
    TRADES,
    Quote,
    Terms,
    blocked,
    fill_order,
    slippage_of,
)
from engine.kernel.sizing import investable, size_order
from engine.kernel.targets import ALL, EXITS
from engine.simulation.account_actions import collect_due, take_actions
from engine.simulation.account_books import add, blank_account, drop
from engine.simulation.account_carried import in_order_of_opening, put_waiting_first
from engine.simulation.entries import Orders, Record, Totals, reject, reject_unlisted, write_fill
from engine.simulation.sleeves import (
    Sleeves,
    begin_session,
    divide_account,
    earn_interest,
    equity_of_sleeve,
    settled,
    whole_sale,
)
from engine.simulation.tape import Tape

Floats = NDArray[np.float64]


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
    opening = tape.opening
    books = blank_account(funds, events, len(opening))
    shares, holding = books.shares, books.holding
    sized = np.zeros(funds, dtype=np.int64)
    order_column, order_shares = books.order_column, books.order_shares
    due_session, due_amount = books.due_session, books.due_amount
    held = due = waiting = 0
    wait_sleeve = ALL
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
        if event < events and event_session[event] == session:
            event, held, due, cash, dividend, paid_out = take_actions(
                tape, session, event, books, held, due, waiting, cash, sleeves, tranches
            )
        if due > 0:
            due, cash = collect_due(session, books, due, cash, sleeves, tranches)
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
                reference = tape.cells[lines[session]]["reference"]
                equity = equity_of_sleeve(sleeves, sleeve, holding[:held], reference, due)
            missing = False
            wanted = 0.0
            for place in range(first, end):
                wanted += weights[place]
                if weights[place] > 0.0 and not cells[row + columns[place]]["tradable"]:
                    missing = True
            if missing:
                there = tape.cells[lines[session]]
                rejections = reject_unlisted(
                    record, rejections, session, there, columns[first:end], weights[first:end]
                )
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
                    mine = shares[column]
                    if sleeves is not None and sleeve != ALL:
                        mine = sleeves.shares[sleeve, column]
                    if mine > 0 and cell["tradable"]:
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
                waited = put_waiting_first(tape, session, books, waiting, count, columns[out:out_end])
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
                    books.wait_column[waiting] = column
                    books.wait_shares[waiting] = filled.over_cash
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
            if record is not None:
                write_fill(record, fills, session, column, filled, slippage)
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
