"""Corporate actions on the compiled account, and receivables that are due: step 1 of a session.

Functions are compiled into ``engine.simulation.account``: they change arrays in place, and return numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.kernel.sizing import fraction_left, split_shares
from engine.simulation.account_books import AccountBooks, add, drop
from engine.simulation.sleeves import (
    Sleeves,
    collect_sleeves,
    merge_sleeves,
    move_due,
    pay_sleeves,
    split_sleeves,
)
from engine.simulation.tape import DIVIDEND, MERGE, SPLIT, Tape


class Acted(NamedTuple):
    """What the corporate actions of a session leave: the next event, and counts and money of the account."""

    event: int
    held: int
    due: int
    cash: float
    dividend: float
    paid_out: float


def take_actions(
    tape: Tape,
    session: int,
    event: int,
    books: AccountBooks,
    held: int,
    due: int,
    waiting: int,
    cash: float,
    sleeves: Sleeves | None,
    tranches: int,
) -> Acted:
    """Do to the account what the events of ``session`` say, from ``event`` on."""
    shares, holding = books.shares, books.holding
    dividend = paid_out = 0.0
    while event < len(tape.event_session) and tape.event_session[event] == session:
        column = tape.event_column[event]
        before = shares[column]
        kind = tape.event_kind[event]
        for place in range(waiting):
            if books.wait_column[place] == column and kind != DIVIDEND:
                ratio = tape.event_ratio[event] if kind == SPLIT else 0.0
                books.wait_shares[place] = split_shares(books.wait_shares[place], ratio)
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
                    books.due_session[due] = tape.event_pay[event]
                    books.due_amount[due] = amount
                    due += 1
            if shares[column] == 0:
                held = drop(holding, held, column)
        event += 1
    return Acted(event, held, due, cash, dividend, paid_out)


def collect_due(
    session: int, books: AccountBooks, due: int, cash: float, sleeves: Sleeves | None, tranches: int
) -> tuple[int, float]:
    """Turn what is due by ``session`` into cash; return how many receivables are left, and the cash."""
    left = 0
    for place in range(due):
        if books.due_session[place] <= session:
            cash += books.due_amount[place]
            if sleeves is not None and tranches > 1:
                collect_sleeves(sleeves, tranches, place)
        else:
            books.due_session[left] = books.due_session[place]
            books.due_amount[left] = books.due_amount[place]
            if sleeves is not None and tranches > 1:
                move_due(sleeves, tranches, place, left)
            left += 1
    return left, cash
