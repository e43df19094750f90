"""The searched dimensions of a study as axes: what stands where, and bins.

A position is a number: of listed values the place in the list, of an interval the value, or its logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.tuning.dimensions import Dimension, Interval, Steps
from engine.tuning.space import Space

Floats = NDArray[np.float64]
Cells = NDArray[np.intp]
Kind = Literal["steps", "choices", "interval"]


@dataclass(frozen=True)
class Axis:
    """One searched dimension.

    Attributes
    ----------
    name : str
    kind : {"steps", "choices", "interval"}
    values : tuple
        All that can be tried, in order; empty for an interval.
    ordered : bool
        Whether values that stand side by side resemble each other.
    low, high : float
        Ends of an interval.
    log : bool
        Whether an interval runs evenly over orders of magnitude.
    """

    name: str
    kind: Kind
    values: tuple[Any, ...] = ()
    ordered: bool = True
    low: float = 0.0
    high: float = 1.0
    log: bool = False

    def position(self, value: Any) -> float:
        """Return where a value stands."""
        if self.kind == "interval":
            return math.log(value) if self.log else float(value)
        if self.kind == "steps":
            first, second = self.values[0], self.values[min(1, len(self.values) - 1)]
            return float(round((value - first) / (second - first))) if second != first else 0.0
        return float(self.values.index(value))

    def positions(self, trials: Sequence[Any]) -> Floats:
        """Return where the trials stand."""
        known: dict[Any, float] = {}
        found = np.empty(len(trials))
        for index, trial in enumerate(trials):
            value = trial.parameters[self.name]
            key = (type(value), value)
            if key not in known:
                known[key] = self.position(value)
            found[index] = known[key]
        return found

    def cells(self, positions: Floats, most: int) -> tuple[Cells, tuple[str, ...]]:
        """Return the cell of each position and the names of all cells, at most ``most`` where there is order.

        Values are cells of their own as long as that is few enough; otherwise bins of equal width.
        """
        if self.kind == "interval":
            edges = np.linspace(*self.ends, most + 1)
            place = np.clip(np.searchsorted(edges, positions, side="right") - 1, 0, most - 1)
            ends = [math.exp(edge) if self.log else edge for edge in edges.tolist()]
            return place, tuple(f"{one:.3g}–{two:.3g}" for one, two in pairwise(ends))
        count = len(self.values)
        if count <= most or not self.ordered:
            return positions.astype(np.intp), tuple(map(text_of, self.values))
        width = -(-count // most)
        firsts = range(0, count, width)
        lasts = [min(first + width, count) - 1 for first in firsts]
        names = [
            text_of(self.values[one]) + (f"–{text_of(self.values[two])}" if two > one else "")
            for one, two in zip(firsts, lasts, strict=True)
        ]
        return (positions // width).astype(np.intp), tuple(names)

    def text(self, value: Any) -> str:
        """Return a value as people write it; of an interval with four digits, as no more of them matter."""
        return f"{value:.4g}" if self.kind == "interval" else text_of(value)

    @property
    def ends(self) -> tuple[float, float]:
        """Positions of the ends of an interval."""
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)


def axes_of(space: Space) -> tuple[Axis, ...]:
    """Return the dimensions of a space, in the order of its command."""
    return tuple(map(_axis, space.dimensions))


def _axis(dimension: Dimension) -> Axis:
    if isinstance(dimension, Interval):
        return Axis(dimension.name, "interval", low=dimension.low, high=dimension.high, log=dimension.log)
    values = tuple(dimension.value(index) for index in range(dimension.count))
    return Axis(
        dimension.name, "steps" if isinstance(dimension, Steps) else "choices", values, dimension.ordered
    )


def text_of(value: Any) -> str:
    """Return a value of a parameter as people write it."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:.4g}"
        return short if float(short) == value else f"{value:.6g}"
    return str(value)


def words_of(parameters: Mapping[str, Any]) -> str:
    """Return a set of parameters as one line."""
    return ", ".join(f"{name}={text_of(value)}" for name, value in parameters.items())
