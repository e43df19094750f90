"""Hold the funds whose index has the most of a theme in it, by default optical modules.

The press ranks AI indices by their weight of optical modules ("above 41 %"), the part that the demand for
computing power reaches first. Weights are published at month-ends and stale in between, so they are
drifted: a theme that outruns its index has a growing part of it.

Formula, for a session *d* and an index I, on what was public before its open. The latest usable file of
weights belongs to the session *m*; T is ``theme_index``, an index that stands for the theme::

    weight[m] = sum of the weights of constituents tagged with the theme
    score[d]  = weight[m] * (T[d] / T[m]) / (I[d] / I[m])          at most 1

Without ``theme_index``, or where a level is missing, weights stay as published. NaN for a fund whose index is
not known, has no weights or none of the theme, and once the file is older than ``stale_after`` sessions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed

if TYPE_CHECKING:
    from data.panel.facts import IndexWeights
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class OpticalTilt(Rotation):
    """Hold the funds with the highest weight of a theme in the index that they track.

    DataError where the data have no ``theme_index``.
    """

    theme: str = param("optical", help="theme tag of the constituents, as in the table index_weights")
    theme_index: str = param("", help="code of an index that drifts the weights; empty = as published")
    stale_after: int = param(
        45, low=1, high=1000, unit="sessions", help="age at which published weights are too old to use"
    )
    rebalance: int | str = "monthly"

    @property
    def warmup(self) -> int:
        """The session of the oldest file in use."""
        return self.stale_after

    def scores(self, known: Known) -> Floats:
        """Return the theme's weight in each fund's index, a fraction."""
        exposure = {code: self._drifted(known, code) for code in dict.fromkeys(known.tracked) if code}
        nothing = np.full(len(known.days), np.nan)
        columns = [exposure.get(code, nothing) if code else nothing for code in known.tracked]
        return where_listed(known, np.column_stack(columns))

    def _drifted(self, known: Known, code: str) -> Floats:
        weight, drift = self.exposure(known, code)
        return np.minimum(weight * np.where(np.isfinite(drift), drift, 1.0), 1.0)

    def exposure(self, known: Known, code: str) -> tuple[Floats, Floats]:
        """Return the theme weight of one index as published, and its drift since, (D,).

        The drift is a factor, NaN without ``theme_index`` or where a level of either index is missing.
        """
        published, drift = (np.full(len(known.days), np.nan) for _ in range(2))
        relative = self._relative(known, code)
        for file in _in_order_of_use(known.index_weights(code)):
            weight = math.fsum(file.weights[name] for name, tag in file.themes.items() if tag == self.theme)
            # The levels of the file's own session stand in the row after it.
            start = int(np.searchsorted(known.days, file.day, side="right"))
            first, last = max(file.row, 0), start + self.stale_after
            published[first:], drift[first:] = np.nan, np.nan
            if weight > 0.0:
                published[first:last] = weight
                if 0 < start < len(relative):
                    drift[first:last] = relative[first:last] / relative[start]
        return published, drift

    def _relative(self, known: Known, code: str) -> Floats:
        if not self.theme_index or code not in known.index_codes:
            return np.full(len(known.days), np.nan)
        return known.index(self.theme_index) / known.index(code)


def _in_order_of_use(files: Sequence[IndexWeights]) -> Iterator[IndexWeights]:
    """Yield files by the row from which they are usable, without those older than one before."""
    newest = np.datetime64("0001-01-01")
    for file in sorted(files, key=lambda file: (file.row, file.day)):
        if file.day > newest:
            newest = file.day
            yield file
