"""Metrics of a path against its benchmark, on the sessions where both are known, and why one is undefined.

Where the benchmark has gaps, both returns are over the gap, and there are fewer of them in a year.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.metrics.empyrical import empyrical
from engine.metrics.path import Path
from engine.statistics.estimate import NO_RETURN, NO_VARIATION


def absent(path: Path) -> str | None:
    """Return why there is nothing to compare with."""
    return None if len(path.pair[0]) else "there is no benchmark"


def short(path: Path) -> str | None:
    """Return why there is no spread to compare with."""
    enough = len(path.pair[0]) > 1
    return absent(path) or (None if enough else "it takes at least two sessions with a benchmark")


def flat(path: Path) -> str | None:
    """Return why there is no slope: the benchmark varies by rounding alone."""
    _, theirs = path.pair
    return short(path) or ("the benchmark does not vary" if np.std(theirs) < NO_VARIATION else None)


def equal(path: Path) -> str | None:
    """Return why the excess has no risk: it varies by rounding alone."""
    ours, theirs = path.pair
    reason = "the difference from the benchmark does not vary"
    return short(path) or (reason if np.std(ours - theirs) < NO_VARIATION else None)


def never_up(path: Path) -> str | None:
    """Return why there is no rise to take part in."""
    return absent(path) or (None if (path.pair[1] > NO_RETURN).any() else "the benchmark never rose")


def never_down(path: Path) -> str | None:
    """Return why there is no fall to take part in."""
    return absent(path) or (None if (path.pair[1] < -NO_RETURN).any() else "the benchmark never fell")


def alpha(path: Path) -> float:
    """Return what beta does not explain, compounded over a year."""
    return float(empyrical().alpha(*path.pair, annualization=path.pairs_per_year))


def beta(path: Path) -> float:
    """Return the slope on the benchmark."""
    return float(empyrical().beta(*path.pair))


def information_ratio(path: Path) -> float:
    """Return excess over its standard deviation a year."""
    return float(empyrical().excess_sharpe(*path.pair) * math.sqrt(path.pairs_per_year))


def up_capture(path: Path) -> float:
    """Return compound growth while the benchmark rose, over its own."""
    return _capture(path, path.pair[1] > NO_RETURN)


def down_capture(path: Path) -> float:
    """Return compound growth while the benchmark fell, over its own."""
    return _capture(path, path.pair[1] < -NO_RETURN)


def _capture(path: Path, chosen: NDArray[np.bool_]) -> float:
    ours, theirs = (
        empyrical().annual_return(each[chosen], annualization=path.pairs_per_year) for each in path.pair
    )
    return float(ours / theirs)
