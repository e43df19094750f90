"""Decisions as an engine asks for them: target weights before the open of a session, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engine.kernel.rotation import Targets
from engine.simulation.books import Books


@dataclass(frozen=True)
class Decision:
    """Target weights by column, the columns in buying order, and the scores behind them (NaN: none)."""

    weights: list[float]
    rank: list[int]
    scores: list[float]


# Asked once before the open of each session, with the books after corporate actions.
Decide = Callable[[Books], Decision | None]


def follow(targets: Targets) -> Decide:
    """Return a decision maker that follows ``targets``."""
    rows = {
        int(row): Decision(
            targets.weights[number].tolist(),
            [int(column) for column in targets.rank[number] if column >= 0],
            targets.scores[number].tolist(),
        )
        for number, row in enumerate(targets.decisions)
    }
    return lambda books: rows.get(books.row)


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
        )
