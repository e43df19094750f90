"""The searched dimensions of a study as axes: what stands where, what is next to what, and bins.

A header writes dimensions as ``--param`` does (``lookback=3:20:1``, ``cap=0.1:1``, ``w=0.01:10:log``,
``rebalance=5,weekly``). ``axes_of`` reads them back without the strategy: numbers from the text, choices from
the values that the trials have, in the order of the text.

A position is a number: of listed values the place in the list, of an interval the value, or its logarithm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.tuning.study import Study

Floats = NDArray[np.float64]
Cells = NDArray[np.intp]
Kind = Literal["steps", "choices", "interval"]

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}|log))?")
# Of an interval, what counts as one step: a twentieth of its length.
STEPS_OF_INTERVAL = 20


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
        return float([text_of(each) for each in self.values].index(text_of(value)))

    @property
    def step(self) -> float:
        """How far apart neighbours are, in positions."""
        if self.kind != "interval":
            return 1.0
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        return (high - low) / STEPS_OF_INTERVAL

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
            edges = np.linspace(*self._ends, most + 1)
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
    def _ends(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)


def axes_of(study: Study) -> tuple[Axis, ...]:
    """Return the dimensions of a study, in the order of its command."""
    return tuple(_axis(str(text), study) for text in study.header["space"])


def _axis(text: str, study: Study) -> Axis:
    name, _, values = text.partition("=")
    found = _RANGE.fullmatch(values)
    if found is None:
        return _choices(name, values.split(","), study)
    low, high, step = found.groups()
    if step is None or step == "log":
        return Axis(name, "interval", low=float(low), high=float(high), log=step == "log")
    first, width = Decimal(low), Decimal(step)
    count = int((Decimal(high) - first) / width) + 1
    numbers = (first + width * index for index in range(count))
    whole = not any(isinstance(trial.parameters.get(name), float) for trial in study.trials[:1])
    return Axis(name, "steps", tuple(int(each) if whole else float(each) for each in numbers))


def _choices(name: str, words: Sequence[str], study: Study) -> Axis:
    """Return an axis of the values that were tried; one that never was stays the word that it is."""
    seen: dict[float | str, Any] = {}
    for trial in study.trials:
        value = trial.parameters[name]
        seen.setdefault(_same(value), value)
    values = [seen.pop(_same(word), word) for word in words]
    values += seen.values()
    numbers = [_same(value) for value in values]
    ordered = len(values) > 1 and all(
        isinstance(one, float) and isinstance(two, float) and one < two for one, two in pairwise(numbers)
    )
    return Axis(name, "choices", tuple(values), ordered)


def _same(value: Any) -> float | str:
    """Return what a value and its word in the header have in common."""
    if isinstance(value, bool) or value is None:
        return text_of(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


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
