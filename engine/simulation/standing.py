"""How an account stands at a close: what a session of the books begins with, by name and day.

Books count funds and sessions of one panel; a standing outlives it, so that an account can go on with the
panel of another evening, which has more sessions and funds. What a strategy that is asked before each open
remembers does not outlive it: the strategy is asked again for the sessions that are done (``remind``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from data.errors import DataError, UsageError, did_you_mean
from data.facts.symbols import MARKETS, market_of, markets_of
from data.panel.panel import Panel
from engine.kernel.sizing import fraction_left
from engine.result import Result
from engine.simulation.books import Books
from engine.simulation.decisions import Decide


@dataclass(frozen=True)
class Due:
    """Money that is owed to an account: by which action of which session, and how much."""

    symbol: str
    kind: str
    day: date
    amount: float


@dataclass(frozen=True)
class Standing:
    """Cash, shares by symbol (none is absent), and money that is owed, in the order in which it arose.

    ``waiting`` are purchases, as symbol and shares, that wait for the next session (``Books.with_waiting``).
    """

    cash: float
    shares: Mapping[str, int] = field(default_factory=dict)
    due: tuple[Due, ...] = ()
    waiting: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, books: Books) -> Standing:
        """Return how the account of ``books`` stands."""
        symbols, days = books.panel.symbols, books.panel.days
        return cls(
            books.cash,
            {symbol: shares for symbol, shares in zip(symbols, books.shares, strict=True) if shares},
            tuple(
                Due(symbols[event.column], event.kind, days[event.row].item(), amount)
                for _, amount, event in books.due
            ),
            tuple((symbols[column], shares) for column, shares in books.carried.waiting),
        )

    @classmethod
    def after(cls, result: Result, panel: Panel, current: Callable[[str], str] = str) -> Standing:
        """Return how the account of a finished run stands; ``panel`` has its sessions.

        ``current`` tells the symbol that a fund of the run has in the panel. DataError where the actions of
        the panel do not say what is owed to it.
        """
        return cls._at(result, panel, current, len(result.days) - 1)

    @classmethod
    def before_each(
        cls, result: Result, panel: Panel, current: Callable[[str], str] = str
    ) -> Iterator[tuple[date, Standing]]:
        """Yield the sessions of a finished run, each with how its account stood at the close before.

        ``current`` and errors are those of ``after``.
        """
        before = cls(result.initial_cash)
        for number, day in enumerate(result.days.tolist()):
            yield day, before
            before = cls._at(result, panel, current, number)

    @classmethod
    def _at(cls, result: Result, panel: Panel, current: Callable[[str], str], number: int) -> Standing:
        """Return how the account of a run stands at the close of its session ``number``."""
        first = panel.row(result.days[0].item())
        last = panel.row(result.days[number].item())
        symbols = [current(each) for each in result.symbols]
        due = []
        for event in panel.market.events:
            if not (first < event.row <= last and event.pay_row > last):
                continue
            symbol = panel.symbols[event.column]
            if symbol not in symbols or not event.cash > 0.0:
                continue
            had = result.shares[event.row - first - 1].tolist()
            held = sum(shares for each, shares in zip(symbols, had, strict=True) if each == symbol)
            count = fraction_left(held, event.ratio) if event.kind == "merge" else held
            if count:
                due.append(Due(symbol, event.kind, panel.days[event.row].item(), count * event.cash))
        total = 0.0
        for each in due:
            total += each.amount
        if total != result.receivable[number]:
            raise DataError(
                f"the data do not say what is owed to the run {result.name} on {result.days[number]}",
                received=f"{total:,.2f} by the actions on file",
                limit=f"{result.receivable[number]:,.2f} in the run",
                hint="Make the run again on these data.",
            )
        held_then = zip(result.symbols, result.shares[number].tolist(), strict=True)
        shares = {symbol: n for symbol, n in held_then if n}
        waiting = tuple(_waiting(result, number))
        return cls(float(result.cash[number]), shares, tuple(due), waiting).renamed(current)

    def renamed(self, current: Callable[[str], str]) -> Standing:
        """Return the same under the symbols of ``current``; shares under two symbols of a fund add up."""
        shares: dict[str, int] = {}
        for symbol, count in self.shares.items():
            name = current(symbol)
            shares[name] = shares.get(name, 0) + count
        return Standing(
            self.cash,
            shares,
            tuple(replace(each, symbol=current(each.symbol)) for each in self.due),
            tuple((current(symbol), count) for symbol, count in self.waiting),
        )

    def put(self, books: Books) -> None:
        """Let ``books`` stand so before their next session.

        UsageError for a fund that the panel does not have, or shares below zero; DataError where an action
        that owes money is not on file any more.
        """
        symbols = books.panel.symbols
        for symbol, shares in self.shares.items():
            if symbol not in symbols:
                raise UsageError(
                    f"the holdings have {symbol}, which is not among the funds of the run",
                    hint=f"{did_you_mean(symbol, symbols)} Add funds with --symbols or --universe.",
                )
            if shares < 0:
                raise UsageError(f"the holdings of {symbol} are negative", received=shares, limit="0 or more")
        books.cash = self.cash
        waiting = [(symbols.index(each), shares) for each, shares in self.waiting if each in symbols]
        books.carried.waiting = waiting
        books.shares = [int(self.shares.get(symbol, 0)) for symbol in symbols]
        books.due = []
        for due in self.due:
            row = books.panel.row(due.day)
            events = (
                event
                for event in books.panel.market.events
                if (event.row, event.kind, symbols[event.column]) == (row, due.kind, due.symbol)
            )
            event = next(events, None)
            if event is None:
                raise DataError(
                    f"the {due.kind} of {due.symbol} of {due.day} owes the account {due.amount:,.2f}, "
                    "and is not among the actions any more",
                    hint="Import it again.",
                )
            books.due.append((event.pay_row, due.amount, event))


def _waiting(result: Result, number: int) -> Iterator[tuple[str, int]]:
    """Yield the purchases that wait after a session of a run: cut for cash while a later market sold."""
    day = result.days[number]
    if len(markets_of(result.symbols)) == 1 or day not in result.decision_days:
        return
    rejected = result.rejections[result.rejections["day"] == day]
    sales = [*result.fills.loc[(result.fills["day"] == day) & (result.fills["shares"] < 0), "symbol"]]
    sales += [*rejected.loc[rejected["shares"] < 0, "symbol"]]
    later = max((MARKETS.index(market_of(symbol)) for symbol in sales), default=0)
    for symbol, shares, reason in rejected[["symbol", "shares", "reason"]].itertuples(index=False):
        if reason == "cash" and shares > 0 and MARKETS.index(market_of(symbol)) < later:
            yield str(symbol), int(shares)


Past = Iterable[tuple[date, Standing]]
"""The sessions that an account has done, each with how it stood at the close before."""


def remind(decide: Decide, books: Books, past: Past) -> None:
    """Ask for the decisions of the sessions that are done again, with what the account held before them.

    ``books`` begin with the first of them. Errors are those of ``rows_of``.
    """
    done = tuple(past)
    rows = rows_of([day for day, _ in done], books.panel, books.first)
    for row, (_, before) in zip(rows, done, strict=True):
        books.row = row - 1
        before.put(books)
        books.open_session()
        decide(books)


def rows_of(done: Sequence[date], panel: Panel, first: int) -> list[int]:
    """Return the rows of the sessions that are done; DataError unless they are all from ``first`` on."""
    rows = [panel.row(day) for day in done]
    for day, row, expected in zip(done, rows, range(first, first + len(rows)), strict=True):
        if row != expected or panel.days[row].item() != day:
            raise DataError(
                "the sessions of the account are not those of the data",
                received=f"{day} in the account",
                limit=f"{panel.days[min(expected, len(panel.days) - 1)]} by the data",
                hint="A calendar, the first bars of a fund, or a file of weights was changed.",
            )
    return rows
