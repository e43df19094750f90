"""Evidence small enough for a pencil: trials whose ratios are whole multiples of one unit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.verdict.evidence import Evidence, TrialLog
from engine.verdict.thresholds import Resamples, Thresholds

LINES = Thresholds()
FEW = Resamples(superiority=200, difference=50, interval=50, paths=20)

# Four sessions around k with a swing of 1 have a mean of k and a standard deviation (ddof 1) of sqrt(4/3).
SWING = np.array([1.0, -1.0, 1.0, -1.0])
UNIT = math.sqrt(3.0 / 4.0)
YEAR = math.sqrt(252.0)


def levels(*multiples: float) -> np.ndarray:
    """Return four sessions of trials with ratios of so many units."""
    return 0.001 * np.column_stack([k + SWING for k in multiples])


def evidence(returns: np.ndarray, chosen: int = 0, total: int | None = None, **more: Any) -> Evidence:
    """Return what is known of a search for trials with these returns, without a benchmark."""
    count = returns.shape[1]
    log = TrialLog(count if total is None else total, count)
    return Evidence(
        returns=returns, selected=chosen, sessions_per_year=252.0, log=log, **{"benchmark": None, **more}
    )


def random_returns(rows: int = 300, columns: int = 12, seed: int = 4) -> np.ndarray:
    """Return trials without skill."""
    return np.random.default_rng(seed).normal(0.0003, 0.01, (rows, columns))
