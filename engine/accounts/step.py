"""Steps of a paper account: the sessions that the data have and the account has not, one after another.

Each is a session of the engine's own books (``engine.simulation.books``), begun as the account stood at the
close before. What is decided is decided by all data up to the session, so that a strategy that remembers what
it chose goes on from there; one that is asked before each open is asked again for the sessions that are done,
with what the account held.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from data.errors import DataError, UsageError
from data.panel.panel import Panel
from engine.accounts.lines import Account, Session
from engine.kernel.targets import EXITS, STOP_FIELDS, Targets
from engine.simulation.backtest import decisions_of
from engine.simulation.books import Books
from engine.simulation.decisions import Decide, Decision, OwnOrders, follow, orders_of
from engine.simulation.engines import require_market
from engine.simulation.standing import Standing, remind, rows_of
from engine.spec import Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import BacktraderAdapter


def require_steps(adapter: Adapter) -> None:
    """Raise UsageError for a strategy whose account cannot be kept from day to day."""
    if isinstance(adapter, BacktraderAdapter):
        raise UsageError(
            "a backtrader strategy has no paper account: it decides from orders and positions of its own run",
            received=adapter.name,
            hint="Write it with `scores` or `decide`; see `etflow strategies new`.",
        )
    if adapter.tranches > 1:
        raise UsageError(
            "a paper account is of one sleeve",
            received=f"tranches={adapter.tranches}",
            hint="Keep an account for each phase, with tranches=1 and its part of the cash.",
        )


def steps(account: Account, adapter: Adapter, panel: Panel, conditions: Conditions) -> Iterator[Session]:
    """Yield the sessions of ``panel`` that ``account`` has not done, in order.

    Errors of ``require_steps``, and DataError where the data end before the account does, or are not of its
    sessions.
    """
    last = len(panel.days) - 1
    require_steps(adapter)  # its file may say something else than when the account began
    done = account.last_day
    if conditions.start is not None and panel.days[last].item() < conditions.start:
        return  # it has not begun
    if done is not None and done > panel.days[last].item():
        raise DataError(
            "the data end before the account does",
            received=f"data to {panel.days[last]}",
            limit=f"the account is at {done}",
        )
    first, made = decisions_of(adapter, panel, conditions.start, last, fill=conditions.fill)
    assert not isinstance(made, OwnOrders)
    decide = follow(made) if isinstance(made, Targets) else made
    rows = rows_of([each.day for each in account.sessions], panel, first)
    require_market(panel, first, last, conditions)
    books = Books(panel, first, last, conditions)
    if not isinstance(made, Targets):
        remind(decide, books, account.past())
    books.row = rows[-1] if rows else first - 1
    account.standing().put(books)
    while books.row < last:
        yield _step(books, decide, panel)


def _step(books: Books, decide: Decide, panel: Panel) -> Session:
    diary = books.diary
    fills, rejections = len(diary.fills), len(diary.rejections)
    books.open_session()
    held = list(books.shares)
    decision = decide(books)
    orders = orders_of(books, decision)
    for column, order in orders:
        books.trade(column, order)
    books.close_session()
    symbols, row = panel.symbols, books.row
    ordered = {column for column, _ in orders}
    reference, mark = panel.market.reference[row].tolist(), panel.market.mark[row].tolist()
    standing = Standing.of(books)
    return Session(
        day=panel.days[row].item(),
        data={"fingerprint": panel.fingerprint, "last_day": str(panel.days[-1])},
        decision=None if decision is None or decision.sleeve == EXITS else _decided(decision, symbols),
        exits={
            symbols[each]: STOP_FIELDS[reason - 1]
            for each, reason in enumerate(decision.exits if decision else ())
            if reason
        },
        orders=tuple((symbols[column], order) for column, order in orders),
        fills=tuple(fill[1:] for fill in diary.fills[fills:]),
        rejections=tuple(each[1:] for each in diary.rejections[rejections:]),
        shares=standing.shares,
        marks={symbols[each]: mark[each] for each, shares in enumerate(books.shares) if shares},
        references={
            symbols[each]: reference[each]
            for each, shares in enumerate(held)
            if (shares or each in ordered) and reference[each] == reference[each]
        },
        due=tuple((due.symbol, due.kind, due.day.isoformat(), due.amount) for due in standing.due),
        waiting=standing.waiting,
        **diary.money(books.session),
    )


def _decided(decision: Decision, symbols: tuple[str, ...]) -> dict[str, dict[str, float]]:
    pairs = [*zip(symbols, decision.weights, decision.scores, strict=True)]
    return {
        "weights": {symbol: weight for symbol, weight, _ in pairs if weight},
        "scores": {symbol: score for symbol, _, score in pairs if math.isfinite(score)},
    }
