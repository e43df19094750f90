"""What the blocks share: the reasons of numbers that are undefined, and the block length of any history."""

from __future__ import annotations

import math

import numpy as np

from engine.statistics.estimate import Estimate, Floats, undefined
from engine.statistics.resampling import optimal_block


class Collected(dict[str, str]):
    """Name of a field -> why it is NaN."""

    def number(
        self, name: str, value: float | Estimate, reason: str | None = None, scale: float = 1.0
    ) -> float:
        """Return ``value * scale``; if that is not finite, NaN, with its reason kept under ``name``."""
        if isinstance(value, Estimate):
            reason = value.reason or reason
            value = value.value
        if math.isfinite(value):
            return float(value) * scale
        self[name] = reason or "undefined"
        return math.nan


def block_length(returns: Floats) -> Estimate:
    """Return the mean block length for a (T,) series; NaN with a reason also for an empty one."""
    if not len(returns):
        return undefined("there is no return")
    with np.errstate(all="ignore"):  # a stretch without variation, such as cash, has no autocorrelation
        return optimal_block(returns)
