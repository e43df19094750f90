"""Core and satellite: a fixed part of equity in named funds, the rest by the rotation.

At each decision every fund of the core that is listed and has a known price gets an equal part of
``core_weight``, and what the rotation decides is scaled down to the rest. Where no fund of the core can be
held, its part stays in cash. The core is bought first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError, did_you_mean
from engine.kernel.targets import Targets

EQUAL_WEIGHT = "equal_weight"


def core_of(rotation: Any, symbols: tuple[str, ...]) -> tuple[list[int], float] | None:
    """Return the columns of a strategy's core and its weight, or None where it has none.

    A fund that is named twice is one fund. UsageError for a fund that is not among ``symbols``.
    """
    core = getattr(rotation, "core", "")
    if not core:
        return None
    names = symbols if core == EQUAL_WEIGHT else core.split("+")
    for name in names:
        if name not in symbols:
            raise UsageError(
                "`core` has a fund that is not in the run",
                received=name,
                hint=f"{did_you_mean(name, symbols)} Add the symbol with --symbols.",
            )
    return sorted({symbols.index(name) for name in names}), float(rotation.core_weight)


def beside_core(
    core: Any,
    core_weight: float,
    there: Any,
    funds: int,
    sessions: Any,
    columns: Any,
    weights: Any,
    starts: Any,
    chosen: Any,
    scaled: Any,
    all_columns: Any,
    all_weights: Any,
    all_starts: Any,
) -> None:
    """Write what a rotation decides together with a core, the columns ``core`` in rising order.

    A kernel: it takes flat lists or arrays. Decision k of the rotation has ``starts[k]`` to
    ``starts[k + 1]`` of ``columns``, in buying order, and ``weights``; ``all_starts``, ``all_columns`` and
    ``all_weights`` are the same with the core. ``sessions[k]`` is its row in ``there``, ``funds`` to a row:
    whether each can be held. ``chosen`` is false and ``scaled`` 0 for each column, before and after.
    """
    size = 0
    for number in range(len(sessions)):
        of = sessions[number] * funds
        held = 0
        for column in core:
            held += 1 if there[of + column] else 0
        for place in range(starts[number], starts[number + 1]):
            chosen[columns[place]] = True
            scaled[columns[place]] = (1.0 - core_weight) * weights[place]
        for column in core:
            if there[of + column]:
                all_columns[size] = column
                all_weights[size] = scaled[column] + core_weight / held
                chosen[column] = False
                size += 1
        for place in range(starts[number], starts[number + 1]):
            column = columns[place]
            if chosen[column]:
                all_columns[size] = column
                all_weights[size] = scaled[column]
                chosen[column] = False
                size += 1
            scaled[column] = 0.0
        all_starts[number + 1] = size


def with_core(targets: Targets, columns: list[int], weight: float, there: NDArray[np.bool_]) -> Targets:
    """Return targets of which ``weight`` is in the columns of the core; ``there`` (K, S) can be held."""
    (count, funds), filled = targets.weights.shape, targets.rank >= 0
    at, ranked = np.nonzero(filled)[0], targets.rank[filled]
    room = len(ranked) + count * len(columns)
    all_columns, all_weights, starts = [0] * room, [0.0] * room, [0] * (count + 1)
    beside_core(
        columns,
        weight,
        there.ravel().tolist(),
        funds,
        range(count),
        ranked.tolist(),
        targets.weights[at, ranked].tolist(),
        [0, *np.cumsum(filled.sum(axis=1)).tolist()],
        [False] * funds,
        [0.0] * funds,
        all_columns,
        all_weights,
        starts,
    )
    weights, rank = np.zeros((count, funds)), np.full((count, funds), -1, dtype=np.int64)
    for number in range(count):
        decided = slice(starts[number], starts[number + 1])
        weights[number, all_columns[decided]] = all_weights[decided]
        rank[number, : starts[number + 1] - starts[number]] = all_columns[decided]
    return replace(targets, weights=weights, rank=rank)
