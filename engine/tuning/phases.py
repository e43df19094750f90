"""A trial over all phases of its cycle: one parameter set, run on each, and what of it is ranked and judged.

``mean``
    Every metric is the mean over the phases; undefined where it is on one of them. The path is that of an
    account divided equally among the phases and left so, which is what tranches hold, up to lots. It varies
    less than a phase does, so that its Sharpe ratio is above the mean that was ranked.
``median``, ``worst``
    The phase in the middle (of an even number the worse of two) or at the end, by the first objective: all
    metrics are those of this phase, so that constraints hold of something that can be traded. The path, which
    the judgement sees, is that of the median or worst phase by the Sharpe ratio, whatever the objective: what
    is worst by another measure may be the luckiest of all, and nobody shall choose which.

A set that does not decide every so many sessions has one phase, itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from engine.kernel.schedule import distinct_phases
from engine.strategy.adapter import Adapter
from engine.tuning.objective import Goal

Floats = NDArray[np.float64]

JUDGED_BY = "sharpe_ratio"

MEANING: Mapping[str, str] = MappingProxyType(
    {
        "mean": "the returns of a trial are those of an account divided equally among the phases of its "
        "cycle, which vary less than those of one phase",
        "median": "the returns of a trial are those of the phase in the middle, by the Sharpe ratio",
        "worst": "the returns of a trial are those of its worst phase, by the Sharpe ratio",
    }
)
"""What is taken of the phases of a trial (``engine.tuning.methods.PHASES``), said of its judgement."""


@dataclass(frozen=True)
class OverPhases:
    """What is taken of the phases of a trial: ``how``, by ``metric``."""

    how: str
    metric: str
    maximize: bool

    @classmethod
    def of(cls, how: str | None, goal: Goal) -> OverPhases | None:
        """Return what is taken under a goal; None where sets are run as they are."""
        first = goal.objectives[0]
        return None if how is None else cls(how, first.metric, first.maximize)

    def metrics(self, found: Floats, names: Sequence[str]) -> Floats:
        """Return the metrics of a trial, (M,), from those of its phases, (P, M)."""
        if self.how == "mean":
            mean: Floats = found.sum(axis=0) / len(found)
            return mean
        chosen: Floats = found[self._chosen(found[:, list(names).index(self.metric)], self.maximize)]
        return chosen

    def path(self, equity: Floats, found: Floats, names: Sequence[str]) -> Floats:
        """Return the equity of a trial, (D,), from that of its phases, (P, D), and their metrics."""
        if self.how == "mean":
            mean: Floats = equity.sum(axis=0) / len(equity)
            return mean
        chosen: Floats = equity[self._chosen(found[:, list(names).index(JUDGED_BY)], True)]
        return chosen

    def _chosen(self, values: Floats, maximize: bool) -> int:
        gains = np.where(np.isnan(values), -np.inf, values if maximize else -values)
        order = np.argsort(gains, kind="stable")
        return int(order[0 if self.how == "worst" else (len(order) - 1) // 2])


def phases_of_set(strategy: Adapter) -> list[Adapter]:
    """Return a strategy on each phase of its cycle that differs from the others."""
    rebalance = strategy.rebalance
    count = None if rebalance is None else distinct_phases(rebalance, strategy.tranches)
    if count is None:
        return [strategy]
    return [strategy.with_parameters({"phase": phase}) for phase in range(count)]
