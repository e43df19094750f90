"""Decisions as an engine asks for them: target weights before the open of a session, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from data.numeric.arithmetic import total
from engine.kernel.targets import ALL, EXITS, Targets
from engine.simulation.books import Books
from engine.strategy.adapters import BacktraderAdapter, SessionAdapter
from engine.strategy.causality import remembered, same_decision
from engine.strategy.fresh import renewed


@dataclass(frozen=True)
class Decision:
    """Target weights by column, the columns in buying order, and the scores behind them (NaN: none).

    In tranches, ``sleeve`` is whose decision it is, or ``ALL``. ``exits`` say by column why a fund is sold, 0
    where it is not; with the sleeve ``EXITS`` that is all.
    """

    weights: list[float]
    rank: list[int]
    scores: list[float]
    tranches: int = 1
    sleeve: int = ALL
    exits: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, targets: Targets, number: int) -> Decision:
        """Return one of the decisions of ``targets``."""
        return cls(
            targets.weights[number].tolist(),
            [int(column) for column in targets.rank[number] if column >= 0],
            targets.scores[number].tolist(),
            tranches=int(targets.turns[number, 0]),
            sleeve=int(targets.turns[number, 1]),
            exits=targets.exits[number].tolist(),
        )


# Asked once before the open of each session, with the books after corporate actions.
Decide = Callable[[Books], Decision | None]


@dataclass(frozen=True)
class OwnOrders:
    """What a ``backtrader.Strategy`` decides: it sends orders of its own within the reference engine."""

    strategy: BacktraderAdapter


def orders_of(books: Books, decision: Decision | None) -> list[tuple[int, int]]:
    """Return (column, signed shares) that ``decision`` sends in the session of ``books``, sells first."""
    if decision is None:
        return []
    if decision.sleeve == EXITS:
        return books.exits_for(decision.exits)
    return books.orders_for(decision.weights, decision.rank, decision.tranches, decision.sleeve)


def follow(targets: Targets) -> Decide:
    """Return a decision maker that follows ``targets``."""
    rows = {int(row): Decision.of(targets, number) for number, row in enumerate(targets.decisions)}
    return lambda books: rows.get(books.row)


def asking(strategy: SessionAdapter, twice: frozenset[int] = frozenset()) -> Decide:
    """Return a decision maker that asks ``strategy`` before each open, with the weights that are held.

    These are at reference prices; a fund that is not held is not among them. On the sessions ``twice`` a copy
    is asked too, without any future: ValidationError if it decides otherwise.
    """
    current = strategy

    def decide(books: Books) -> Decision | None:
        nonlocal current
        if books.row == books.first:
            current = renewed(strategy)  # what it remembers is of this account
        panel = books.panel
        reference = panel.market.reference[books.row].tolist()
        values = [
            shares * price if shares else 0.0 for shares, price in zip(books.shares, reference, strict=True)
        ]
        equity = books.cash + books.receivable + total(values)
        held = {symbol: value / equity for symbol, value in zip(panel.symbols, values, strict=True) if value}
        copied = remembered(current) if books.row in twice else None
        wanted = current.decision(panel, books.row, dict(held))
        if copied is not None:
            same_decision(copied, panel.known, books.row, held, wanted)
        targets = current.targets_of(panel, books.row, wanted)
        return None if targets is None else Decision.of(targets, 0)

    return decide


@dataclass
class Log:
    """Decisions in the order in which they were made."""

    rows: list[int] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def add(self, row: int, decision: Decision) -> None:
        """Write down the decision made before the open of session ``row``."""
        self.rows.append(row)
        self.decisions.append(decision)

    def targets(self, funds: int) -> Targets:
        """Return all that was decided."""
        count = len(self.rows)
        rank = np.full((count, funds), -1, dtype=np.int64)
        for number, decision in enumerate(self.decisions):
            rank[number, : len(decision.rank)] = decision.rank
        return Targets(
            np.array(self.rows, dtype=np.int64),
            np.array([each.weights for each in self.decisions], dtype=np.float64).reshape(count, funds),
            rank,
            np.array([each.scores for each in self.decisions], dtype=np.float64).reshape(count, funds),
            np.array([(each.tranches, each.sleeve) for each in self.decisions], dtype=np.int64).reshape(
                count, 2
            ),
            np.array([each.exits or [0] * funds for each in self.decisions], dtype=np.int64).reshape(
                count, funds
            ),
        )
