"""Decisions as an engine asks for them: target weights before the open of a session, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data.numeric.arithmetic import total
from engine.kernel.targets import EXITS, Targets
from engine.simulation.books import Books
from engine.strategy.adapters import BacktraderAdapter, SessionAdapter
from engine.strategy.causality import remembered, same_decision
from engine.strategy.fresh import renewed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """One of the decisions of ``targets``, as plain numbers by column.

    In tranches, ``sleeve`` is whose decision it is, or all of them. With the sleeve ``EXITS``, exits are all.
    """

    targets: Targets
    number: int

    @cached_property
    def weights(self) -> list[float]:
        """Target weights."""
        weights: list[float] = self.targets.weights[self.number].tolist()
        return weights

    @cached_property
    def rank(self) -> list[int]:
        """The columns in buying order."""
        rank = self.targets.rank[self.number]
        columns: list[int] = rank[rank >= 0].tolist()
        return columns

    @cached_property
    def scores(self) -> list[float]:
        """The scores behind the weights; NaN: none."""
        scores: list[float] = self.targets.scores[self.number].tolist()
        return scores

    @cached_property
    def exits(self) -> list[int]:
        """Why a fund is sold; 0 where it is not."""
        exits: list[int] = self.targets.exits[self.number].tolist()
        return exits

    @property
    def tranches(self) -> int:
        """Among how many sleeves it is decided."""
        return int(self.targets.turns[self.number, 0])

    @property
    def sleeve(self) -> int:
        """Whose decision it is."""
        return int(self.targets.turns[self.number, 1])


# Asked once before the open of each session, with the books after corporate actions.
Decide = Callable[[Books], Decision | None]


@dataclass(frozen=True)
class OwnOrders:
    """What a ``backtrader.Strategy`` decides: it sends orders of its own within the reference engine."""

    strategy: BacktraderAdapter


def orders_of(books: Books, decision: Decision | None) -> list[tuple[int, int]]:
    """Return (column, signed shares) that are sent in the session of ``books``, sells first.

    They are those of ``decision``, and what waited for the session (``Books.with_waiting``).
    """
    if decision is None:
        return books.with_waiting([], anew=False)
    if decision.sleeve == EXITS:
        exits = decision.exits
        return books.with_waiting(books.exits_for(exits), anew=False, exits=exits)
    wanted = books.orders_for(decision.weights, decision.rank, decision.tranches, decision.sleeve)
    return books.with_waiting(wanted, anew=True)


def follow(targets: Targets) -> Decide:
    """Return a decision maker that follows ``targets``."""
    rows = {row: Decision(targets, number) for number, row in enumerate(targets.decisions.tolist())}
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
        reference = panel.market.reference[books.row]
        values = [books.shares[column] * float(reference[column]) for column in books.holding]
        equity = books.cash + books.receivable + total(values)
        held = {
            panel.symbols[column]: value / equity
            for column, value in zip(books.holding, values, strict=True)
            if value
        }
        copied = remembered(current) if books.row in twice else None
        wanted = current.decision(panel, books.row, dict(held))
        if copied is not None:
            same_decision(copied, panel.known, books.row, held, wanted)
        targets = current.targets_of(panel, books.row, wanted)
        return None if targets is None else Decision(targets, 0)

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
        nothing: Floats = np.empty((0, funds))
        none = Targets(np.empty(0, dtype=np.int64), nothing, nothing.astype(np.int64), nothing)
        made = Targets.joined(
            [none, *(each.targets.at(slice(each.number, each.number + 1)) for each in self.decisions)]
        )
        return replace(made, decisions=np.array(self.rows, dtype=np.int64))
