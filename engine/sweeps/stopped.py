"""Orders of a set with stops: its rotation and its exits, in machine code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.numeric.compiled import compiled
from engine.kernel.stops import Stops, blank_followed, blank_rows, look, put, reason_of, with_exits
from engine.kernel.targets import recent_volatility, rotate, rule_of, weigh
from engine.simulation.entries import Orders
from engine.sweeps.layout import Layout
from engine.sweeps.ranking import rank, reach_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def orders_with_stops(
    layout: Layout, rotation: Any, schedule: tuple[Integers, Integers], stops: Stops, scores: Floats
) -> Orders:
    """Return the decisions of a rotation in the run, with the exits between them, as orders.

    ``schedule`` is that of ``Rotations.schedule``. ``scores`` (D, S) are by session of the run.
    """
    rule, (days, funds) = rule_of(rotation, layout.panel.symbols), scores.shape
    listed, closes, first = layout.inputs.listed, layout.closes, layout.first
    sessions, turns = schedule
    depth = reach_of(rule, funds)
    wanted = np.zeros(days, dtype=np.bool_)
    wanted[sessions] = True
    ranking, ranked = rank(scores, listed, wanted, depth, rule.threshold)
    starts = np.zeros(len(sessions) + 1, dtype=np.int64)
    columns = np.empty(len(sessions) * ranking.shape[1] + 1, dtype=np.int64)
    weights = np.empty(len(columns))
    compiled(rotate, weigh, recent_volatility)(
        ranking.reshape(-1),
        ranking.shape[1],
        ranked,
        scores.reshape(-1),
        listed.reshape(-1),
        closes.reshape(-1),
        funds,
        sessions,
        sessions + first,
        turns.reshape(-1),
        rule,
        np.zeros(funds, dtype=np.bool_),
        columns,
        weights,
        starts,
    )
    rows = blank_rows(days, max(depth, 1))
    count = compiled(with_exits, look, put, reason_of)(
        first,
        days - 1,
        sessions,
        starts,
        columns,
        weights,
        closes,
        layout.entries,
        stops,
        blank_followed(funds),
        rows,
    )
    size = rows.starts[count]
    return Orders(
        rows.sessions[:count],
        rows.starts[: count + 1],
        rows.ranked[:count],
        rows.columns[:size],
        rows.weights[:size],
        rows.turns[:count],
    )
