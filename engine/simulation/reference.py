"""The reference engine: backtrader drives the sessions; it defines what is correct.

With ``broker``, ``working`` and ``feeds`` the only modules that know backtrader. Per session *d*, in the
order in which backtrader calls:

1. ``RotationStrategy.next_open`` opens the session on the broker (corporate actions, receivables), asks for
   the target weights decided before the open, and sends the orders (``Books.orders_for``);
2. ``SessionBroker.next`` fills or rejects them at the fill point of *d*, sells first, with what else the
   session reaches (``Waiting.session``), and closes the session (``Books.trade``, ``Books.close_session``);
3. ``next`` of a user's own ``backtrader.Strategy`` sees the bar of *d*; what it orders trades on *d* + 1.

A user's own gets its bars one by one (``feeds.BarFeed``), and is called after the session alone: what
backtrader would call before it, with the bar of the session in sight, is refused by name.

What of backtrader is not used, and why (each reproduced, see ``docs/decisions.md``): its broker, its
PandasData (most of its running time), its PyFolio analyzer (keeps the last fund only), its plots (break every
later figure of the process).
"""

from __future__ import annotations

import traceback
from typing import Any

import backtrader as bt

from data.errors import EtflowError, UsageError, ValidationError
from data.panel.currency import Converted
from data.panel.panel import Panel
from engine.simulation.books import Books
from engine.simulation.broker import OneLot, SessionBroker
from engine.simulation.decisions import Decide, Log, orders_of
from engine.simulation.feeds import WholeFeeds, bar_feeds, beyond
from engine.simulation.ledger import Ledger
from engine.spec import Conditions

# Called when the bar of the session is in sight, and before its orders trade.
BEFORE_THE_OPEN = ("next_open", "nextstart_open", "prenext_open")


class RotationStrategy(bt.Strategy):  # type: ignore[misc]
    """Sends the orders of the decided target weights before each open."""

    params = (("decide", None), ("log", None), ("books", None), ("feeds", None))

    def next_open(self) -> None:
        """Open the session, ask for a decision, send its orders."""
        self.broker.open_session()
        books = self.p.books
        decision = self.p.decide(books)
        if decision is not None:
            self.p.log.add(books.row, decision)
        for column, order in orders_of(books, decision):
            data = self.p.feeds[column].at(books.session)
            if order > 0:
                self.buy(data=data, size=order)
            else:
                self.sell(data=data, size=-order)

    # backtrader calls these instead while it thinks that indicators still warm up.
    prenext_open = next_open
    nextstart_open = next_open

    def next(self) -> None:
        """Do nothing at the close."""


class AfterTheClose(bt.Cerebro):  # type: ignore[misc]
    """backtrader's engine for a user's own strategy, which is called after each session only."""

    def _runnext(self, runstrats: Any) -> None:
        for strategy in runstrats:
            _refuse_shifted_ahead(strategy)
            sizer = strategy.getsizer()
            if type(sizer) is bt.sizers.FixedSize and sizer.p.stake == 1:  # backtrader's own default
                strategy.setsizer(OneLot())
        super()._runnext(runstrats)

    def _add_timer(self, *given: Any, cheat: bool = False, **options: Any) -> Any:
        if cheat:
            raise ValidationError(
                "a strategy looks ahead: a timer with `cheat=True` sees the bar before orders trade",
                hint="Leave `cheat` out: the timer then comes after the session.",
            )
        return super()._add_timer(*given, **options)


def simulate_reference(panel: Panel, decide: Decide, first: int, last: int, conditions: Conditions) -> Ledger:
    """Return the ledger of the sessions ``first`` to ``last``; the module tells the order of events."""
    log, books, feeds = Log(), Books(panel, first, last, conditions), WholeFeeds(panel, first, last)
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.addstrategy(RotationStrategy, decide=decide, log=log, books=books, feeds=feeds)
    # It tells the sessions, whichever fund it is of.
    cerebro.adddata(feeds.of(0))
    _run(cerebro, SessionBroker(books, conditions.fill, feeds, tells=False), books, last)
    return books.diary.ledger(log.targets(len(panel.symbols)))


def simulate_backtrader(
    panel: Panel,
    strategy: type[Any],
    parameters: dict[str, Any],
    first: int,
    last: int,
    conditions: Conditions,
) -> Ledger:
    """Run a plain ``backtrader.Strategy`` on our broker and data; it decides at the close, for the day after.

    Feeds are named by symbol. ValidationError if it reads a bar that is still to come, StrategyError for one
    before the first, and for an order of a kind that there is not.
    """
    _refuse_before_the_open(strategy)
    if isinstance(panel.market, Converted):
        raise UsageError(
            "a backtrader strategy trades in the currency of its bars",
            received=f"funds of another currency than {panel.currency}",
            hint="Choose funds of one market, and leave out --currency; or score funds as the others do.",
        )
    books = Books(panel, first, last, conditions)
    cerebro = AfterTheClose(stdstats=False, preload=False, runonce=False)
    cerebro.addstrategy(strategy, **parameters)
    feeds = dict(enumerate(bar_feeds(panel, first, last)))
    for column, symbol in enumerate(panel.symbols):
        cerebro.adddata(feeds[column], name=symbol)
    try:
        _run(cerebro, SessionBroker(books, conditions.fill, feeds), books, last)
    except IndexError as error:
        raise _beyond_a_line(error) or error from error
    return books.diary.ledger(Log().targets(len(panel.symbols)))


def _run(cerebro: Any, broker: SessionBroker, books: Books, last: int) -> None:
    broker.cerebro = cerebro
    cerebro.broker = broker
    cerebro.run()
    if books.row != last:
        raise RuntimeError(f"backtrader stopped at session {books.row} of {last}")


def _refuse_before_the_open(strategy: type[Any]) -> None:
    for name in BEFORE_THE_OPEN:
        if getattr(strategy, name) is not getattr(bt.Strategy, name):
            raise ValidationError(
                f"{strategy.__name__} looks ahead: `{name}` sees the open at which its orders trade",
                hint="Decide in `next`, after the session: orders trade on the session after.",
            )


def _refuse_shifted_ahead(owner: Any) -> None:
    """Raise ValidationError for a line that is shifted ahead, as ``close(1)``, by the user's own code."""
    own = not type(owner).__module__.startswith("backtrader")
    for each in owner.getindicators():
        if own and isinstance(each, bt.linebuffer._LineForward):
            raise beyond(each.ago, 0)
        _refuse_shifted_ahead(each)


def _beyond_a_line(error: IndexError) -> EtflowError | None:
    """Return what an IndexError of backtrader's lines means; None where it is another one."""
    frames = list(traceback.walk_tb(error.__traceback__))
    code, names = frames[-1][0].f_code, frames[-1][0].f_locals
    if not code.co_filename.endswith("linebuffer.py") or not isinstance(names.get("ago"), int):
        return None
    line = names["self"]
    return beyond(names["ago"], len(line))
