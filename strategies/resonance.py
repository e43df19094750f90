"""Hold funds on which macro, meso and micro agree: the cycle, the index family, and the two flows.

Three weak signals from different sources are wrong together less often than each alone. Each is a strategy
of its own here, and keeps its formula:

1. macro: the macro series grows (``compute_cycle``); with ``series=""`` this condition is dropped;
2. meso: the fund's index family has risen at least as much as the average fund (``index_leader``);
3. micro: fund units and margin financing grow more than usual (``flow_blend``), which also is the score.

Formula, for a session *d*, on what was public before its open::

    score[d] = flow_blend[d] if growing[d] and strength(family)[d] >= mean of it over the funds, else NaN

A fund is held if its score is above ``threshold``, so that all three must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strategies.compute_cycle import growth, is_growing
from strategies.cross_section import row_means
from strategies.flow_blend import FlowBlend
from strategies.index_leader import family_strength
from strategies.parameters import param
from strategies.rotation import Floats

if TYPE_CHECKING:
    from data.panel.known import Known


class Condition(NamedTuple):
    """One of the three: what it goes by, and where it holds, (D, S) or (D, 1); NaN does not hold."""

    value: Floats
    holds: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Resonance(FlowBlend):
    """Hold the funds of strong families with unusual inflow, while capital expenditure grows.

    DataError where the data have no such macro series.
    """

    cash_without_score: ClassVar[bool] = True

    series: str = param("capex", help="macro series, as in the table macro; empty = no condition")
    growth_lookback: int = param(
        244, low=1, high=1000, unit="sessions", help="window over which growth is measured"
    )
    growth_threshold: float = param(
        0.0, low=-1.0, high=10.0, unit="fraction", help="growth above this counts as growing"
    )
    strength_lookback: int = param(
        60, low=1, high=1000, unit="sessions", help="window of the return that ranks indices"
    )
    threshold: float | None = 0.0

    @property
    def warmup(self) -> int:
        """The longest of the three."""
        cycle = self.growth_lookback + 1 if self.series else 0
        return max(super().warmup, cycle, self.strength_lookback + 1)

    def scores(self, known: Known) -> Floats:
        """Return the blended z-scores of flows where the other two conditions hold."""
        meso, *macro = self._outer(known).values()
        agrees = meso.holds
        for each in macro:
            agrees &= each.holds
        return np.where(agrees, super().scores(known), np.nan)

    def conditions(self, known: Known) -> dict[str, Condition]:
        """Return the three by name, ``macro`` only with a ``series``; the flows' against ``threshold``."""
        flows = super().scores(known)
        unusual = np.isfinite(flows) if self.threshold is None else flows > self.threshold
        return {**self._outer(known), "micro": Condition(flows, unusual)}

    def _outer(self, known: Known) -> dict[str, Condition]:
        strength = family_strength(known, self.strength_lookback)
        found = {"meso": Condition(strength, strength >= row_means(strength))}
        if self.series:
            grown = growth(known, self.series, self.growth_lookback)
            growing = is_growing(known, self.series, self.growth_lookback, self.growth_threshold)
            found["macro"] = Condition(grown[:, None], growing)
        return found
