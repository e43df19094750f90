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

    UsageError for a fund that is not among ``symbols``.
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
    return sorted(symbols.index(name) for name in names), float(rotation.core_weight)


def with_core(targets: Targets, columns: list[int], weight: float, there: NDArray[np.bool_]) -> Targets:
    """Return targets of which ``weight`` is in the columns of the core; ``there`` (K, S) can be held."""
    weights, rank = (1.0 - weight) * targets.weights, np.full_like(targets.rank, -1)
    for row, ranked in enumerate(targets.rank):
        core = [column for column in columns if there[row, column]]
        for column in core:
            weights[row, column] += weight / len(core)
        bought = [*core, *(column for column in ranked[ranked >= 0].tolist() if column not in core)]
        rank[row, : len(bought)] = bought
    return replace(targets, weights=weights, rank=rank)
