"""One account on the batch engine: targets in, ledger out, with the bits of the reference engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from data.numeric.arithmetic import round_half_up
from data.numeric.compiled import compiled, loaded
from data.panel.panel import Panel
from engine.kernel import costs, fills, sizing
from engine.kernel.fills import REASON_NAMES, Terms, terms_of
from engine.kernel.targets import ALL, EXITS, Targets
from engine.result import FILL_COLUMNS, REJECTION_COLUMNS, as_frame
from engine.simulation import account, account_actions, account_books, account_carried, entries, sleeves
from engine.simulation.entries import NO_TURNS, Orders, Record, Totals, blank_record
from engine.simulation.ledger import InvariantError, Ledger
from engine.simulation.sleeves import Sleeves, blank_sleeves
from engine.simulation.tape import Tape, tape_of
from engine.spec import Conditions

Floats = NDArray[np.float64]

# What ``follow_orders`` calls, for the compiler.
ACCOUNT_CALLS = (
    account.keep_account,
    account_actions.take_actions,
    account_actions.collect_due,
    account_books.blank_account,
    account_books.add,
    account_books.drop,
    account_carried.put_waiting_first,
    account_carried.in_order_of_opening,
    entries.reject,
    entries.reject_unlisted,
    entries.write_fill,
    sleeves.begin_session,
    sleeves.split_sleeves,
    sleeves.merge_sleeves,
    sleeves.pay_sleeves,
    sleeves.collect_sleeves,
    sleeves.move_due,
    sleeves.equity_of_sleeve,
    sleeves.whole_sale,
    sleeves.settled,
    sleeves.earn_interest,
    sleeves.divide_account,
    fills.blocked,
    fills.at_limit_up,
    fills.at_limit_down,
    fills.fill_order,
    fills.within_participation,
    fills.most_shares,
    fills.cut_to_cash,
    fills.charge,
    fills.slippage_of,
    costs.commission,
    costs.adverse_rate,
    costs.interest,
    round_half_up,
    sizing.investable,
    sizing.size_order,
    sizing.split_shares,
    sizing.fraction_left,
)
# Rows to begin with, by decision; where they do not suffice, the account is kept once more.
ROWS_PER_DECISION = 8
# Sessions, and orders at so many sessions each, that Python walks through while the compiler is loaded (0.6 s
# at 4 to 6 us): the same function either way, with the same bits.
LARGE, ORDER_WORK = 100_000, 4


def simulate_batch(panel: Panel, targets: Targets, first: int, last: int, conditions: Conditions) -> Ledger:
    """Return the ledger of following ``targets`` over the sessions ``first`` to ``last`` of ``panel``."""
    follow_orders = follower(work_of(targets, first, last))
    orders = orders_of(targets, first, last)
    tape = tape_of(panel, first, last, conditions, orders.sessions)
    expected = ROWS_PER_DECISION * len(orders.sessions) + 1
    rows = (expected, expected)
    while True:
        equity = np.empty(last - first + 1)
        record = blank_record(len(equity), len(panel.symbols), rows[0], rows[1])
        totals = follow_orders(
            tape,
            terms_of(conditions.costs),
            float(conditions.reserve),
            conditions.costs.cash_rate,
            conditions.fill == "vwap",
            float(conditions.cash),
            orders,
            equity,
            sleeves_of(targets, tape),
            record,
        )
        if totals.fills <= rows[0] and totals.rejections <= rows[1]:
            break
        rows = (totals.fills, totals.rejections)
    if totals.broken >= 0:
        raise InvariantError(f"cash or shares below zero on {panel.days[first + totals.broken]}")
    return _ledger(panel, targets, first, last, equity, record, totals.fills, totals.rejections)


def follower(work: int) -> Callable[..., Totals]:
    """Return ``follow_orders`` in machine code, or in Python where that walks so much sooner."""
    if loaded() or work > LARGE:
        return compiled(account.follow_orders, *ACCOUNT_CALLS)
    return account.follow_orders


def equity_of(
    tape: Tape,
    targets: Targets,
    first: int,
    conditions: Conditions,
    terms: Terms | None = None,
    follow_orders: Callable[..., Totals] = account.follow_orders,
) -> Floats:
    """Return the equity (D,) of following ``targets`` on a tape that begins with the row ``first``.

    ``terms`` are those of the conditions where they are left out.
    """
    equity = np.empty(tape.marks.shape[1])
    follow_orders(
        tape,
        terms_of(conditions.costs) if terms is None else terms,
        float(conditions.reserve),
        conditions.costs.cash_rate,
        conditions.fill == "vwap",
        float(conditions.cash),
        orders_of(targets, first, first + len(equity) - 1),
        equity,
        sleeves_of(targets, tape),
        blank_record(0, 0, 0, 0),
    )
    return equity


def work_of(targets: Targets, first: int, last: int) -> int:
    """Return how much there is to walk through, in sessions."""
    return (last - first + 1) + ORDER_WORK * int((targets.weights > 0.0).sum())


def orders_of(targets: Targets, first: int, last: int) -> Orders:
    """Return the weights of ``targets`` in a run that are not zero, by decision, in buying order."""
    in_run = (targets.decisions >= first) & (targets.decisions <= last)
    turns = np.ascontiguousarray(targets.turns[in_run])
    columns: list[int] = []
    starts, ranked = [0], []
    for weights, rank, turn, exits in zip(
        targets.weights[in_run], targets.rank[in_run], turns, targets.exits[in_run], strict=True
    ):
        wanted = rank[rank >= 0].tolist()
        columns += np.flatnonzero(exits).tolist() if turn[1] == EXITS else wanted
        columns += sorted(set(np.flatnonzero(weights).tolist()) - set(wanted))
        starts.append(len(columns))
        ranked.append(len(wanted))
    decided = np.repeat(np.flatnonzero(in_run), np.diff(starts))
    places = np.array(columns, dtype=np.int64)
    return Orders(
        targets.decisions[in_run] - first,
        np.array(starts, dtype=np.int64),
        np.array(ranked, dtype=np.int64),
        places,
        np.ascontiguousarray(targets.weights[decided, places]),
        turns if (turns != (1, ALL)).any() else NO_TURNS,
    )


def sleeves_of(targets: Targets, tape: Tape) -> Sleeves:
    """Return room for the books of as many sleeves as share the account that follows ``targets``."""
    most = int(targets.turns[:, 0].max(initial=1))
    return blank_sleeves(most, len(tape.marks), len(tape.event_session))


def _ledger(
    panel: Panel,
    targets: Targets,
    first: int,
    last: int,
    equity: NDArray[np.float64],
    record: Record,
    fills: int,
    rejections: int,
) -> Ledger:
    span = slice(first, last + 1)
    days = panel.days[span].astype("datetime64[us]")
    reference = panel.market.reference[span]
    fill_rows = [
        (days[int(row[0])], panel.symbols[int(row[1])], int(row[2]), *row[3:], float(at))
        for row in record.fills[:fills].tolist()
        for at in (reference[int(row[0]), int(row[1])],)
    ]
    rejection_rows = [
        (days[session], panel.symbols[column], shares, REASON_NAMES[reason])
        for session, column, shares, reason in record.rejections[:rejections].tolist()
    ]
    in_run = (targets.decisions >= first) & (targets.decisions <= last)
    return Ledger(
        first=first,
        equity=equity,
        cash=record.cash,
        receivable=record.receivable,
        shares=record.held,
        mark=panel.market.mark[span],
        interest=record.interest,
        dividend=record.dividend,
        paid_out=record.paid_out,
        fills=as_frame(fill_rows, FILL_COLUMNS),
        rejections=as_frame(rejection_rows, REJECTION_COLUMNS),
        targets=targets.at(in_run),
        days=panel.days[span],
        symbols=panel.symbols,
    )
