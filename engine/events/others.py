"""What events are held against: the mean of the other funds of a group, over any span of sessions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.factors.forward import Forward

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ALTERNATIVES: Mapping[str, str] = {
    "family": "other funds of its index family",
    "equal_weight": "all other funds, equally weighted",
}
"""What events are held against, and how it reads."""


class Others:
    """Returns less the mean of the other funds of the same group, over any span of sessions."""

    def __init__(self, forward: Forward, groups: Sequence[Sequence[int]]) -> None:
        self.forward = forward
        self.groups = groups

    def after(self, horizon: int) -> Floats:
        """Return (D, S) abnormal returns over ``horizon`` sessions from each one; NaN where there is none."""
        return self.less(self.forward.returns(horizon))

    def before(self, sessions: int) -> Floats:
        """Return (D, S) abnormal returns over the ``sessions`` sessions up to each one."""
        value = self.forward.value
        result = np.full(value.shape, np.nan)
        start = value[:-sessions]
        result[sessions:] = value[sessions:] / np.where(start > 0.0, start, np.nan) - 1.0
        return self.less(result)

    def shared(self, happened: Bools) -> float:
        """Return which share of the others has the event on the same session, a mean over events; 0 of none.

        If all funds of a group have it, their returns less those of the others add up to zero: of what
        sets funds with the event apart from those without, one less the share is left.
        """
        there = np.isfinite(self.forward.entry)
        shares: list[float] = []
        for members in self.groups:
            funds = there[:, members].sum(axis=1)
            events = (happened & there)[:, members].sum(axis=1)
            some = (events > 0) & (funds > 1)
            shares += np.repeat((events[some] - 1) / (funds[some] - 1), events[some]).tolist()
        return math.fsum(shares) / len(shares) if shares else 0.0

    def less(self, returns: Floats) -> Floats:
        """Return (D, S) returns less the mean of the others in their group that have one."""
        result = np.full(returns.shape, np.nan)
        for members in self.groups:
            group = returns[:, members]
            some = np.isfinite(group)
            filled = np.where(some, group, 0.0)
            counts = some.sum(axis=1, keepdims=True) - 1
            # column after column, so that the sum does not depend on how many funds there are besides
            total = np.zeros(len(group))
            for column in filled.T:
                total += column
            mean = (total[:, None] - filled) / np.maximum(counts, 1)
            result[:, members] = np.where(some & (counts > 0), group - mean, np.nan)
        return result
