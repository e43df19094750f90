"""How an account stands at a close: what a session of the books begins with, by name and day.

Books count funds and sessions of one panel; a standing outlives it, so that an account can go on with the
panel of another evening, which has more sessions and funds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from data.errors import DataError, UsageError, did_you_mean
from data.panel.panel import Panel
from engine.kernel.sizing import fraction_left
from engine.result import Result
from engine.simulation.books import Books


@dataclass(frozen=True)
class Due:
    """Money that is owed to an account: by which action of which session, and how much."""

    symbol: str
    kind: str
    day: date
    amount: float


@dataclass(frozen=True)
class Standing:
    """Cash, shares by symbol (none is absent), and money that is owed, in the order in which it arose."""

    cash: float
    shares: Mapping[str, int] = field(default_factory=dict)
    due: tuple[Due, ...] = ()

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
        )

    @classmethod
    def after(cls, result: Result, panel: Panel) -> Standing:
        """Return how the account of a finished run stands; ``panel`` has its sessions.

        DataError where the actions of the panel do not say what is owed to it.
        """
        first, last = panel.row(result.days[0].item()), panel.row(result.days[-1].item())
        due = []
        for event in panel.market.events:
            if not (first < event.row <= last and event.pay_row > last):
                continue
            symbol = panel.symbols[event.column]
            if symbol not in result.symbols or not event.cash > 0.0:
                continue
            held = int(result.shares[event.row - first - 1, result.symbols.index(symbol)])
            count = fraction_left(held, event.ratio) if event.kind == "merge" else held
            if count:
                due.append(Due(symbol, event.kind, panel.days[event.row].item(), count * event.cash))
        total = 0.0
        for each in due:
            total += each.amount
        if total != result.receivable[-1]:
            raise DataError(
                f"the data do not say what is owed to the run {result.name} on {result.days[-1]}",
                received=f"{total:,.2f} by the actions on file",
                limit=f"{result.receivable[-1]:,.2f} in the run",
                hint="Make the run again on these data.",
            )
        held_last = zip(result.symbols, result.shares[-1].tolist(), strict=True)
        return cls(float(result.cash[-1]), {symbol: n for symbol, n in held_last if n}, tuple(due))

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
