"""The band of phases: between which curves of equity a run lies by nothing but the day of its cycle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.errors import EtflowError
from data.numeric.compiled import loaded
from data.panel.panel import Panel
from engine.kernel.schedule import distinct_phases
from engine.simulation.batch import LARGE, equity_of, work_of
from engine.simulation.tape import tape_of
from engine.spec import Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import ScoreAdapter
from engine.sweeps.sweep import Sweep, must_compile

Floats = NDArray[np.float64]

# So much longer than loading the compiler takes making the machine code, where it is not kept.
COMPILING = 25


def phase_band(
    strategy: Adapter,
    panel: Panel,
    first: int,
    last: int,
    conditions: Conditions,
    scores: Floats | None = None,
) -> Floats | None:
    """Return the lowest and the highest equity over all phases at each close, (2, D).

    ``scores`` are the strategy's on the panel, where they are known already. None for a strategy that does
    not decide every so many sessions, or cannot be run on another phase.
    """
    if not isinstance(strategy, ScoreAdapter) or not hasattr(strategy.strategy, "phase"):
        return None
    count = distinct_phases(strategy.rotation.rebalance, strategy.tranches)
    if count is None or count < 2:
        return None
    try:
        scores = strategy.values_on(panel) if scores is None else scores
        phases = [ScoreAdapter(strategy.with_parameters({"phase": phase}).strategy) for phase in range(count)]
        targets = [each.decisions(panel, first, last, scores, fill=conditions.fill) for each in phases]
    except EtflowError:
        return None
    work = sum(work_of(each, first, last) for each in targets)
    if not loaded() and work <= (COMPILING if must_compile() else 1) * LARGE:
        tape = tape_of(panel, first, last, conditions, np.arange(last - first + 1))
        equity = np.array([equity_of(tape, each, first, conditions) for each in targets])
    else:
        equity = Sweep(panel, first, last, conditions).follow(targets)
    return np.array([equity.min(axis=0), equity.max(axis=0)])
