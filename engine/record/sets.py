"""Parameter sets of a look, written small: a grid is its axes, whatever their product.

A look has ``fixed`` values and either ``axes``, the values of each searched parameter, of which all
combinations were looked at or only those ``picked`` by their number, or ``rows``, one list of values a set.
Combinations are numbered with the last axis running fastest.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ParameterSets:
    """Which sets of parameters a look looked at.

    Attributes
    ----------
    fixed : what all sets share, by name
    axes : values by name; all combinations of them, unless ``picked`` lists some
    picked : numbers of combinations as ranges, both ends included; None: all
    names, rows : where there are no axes, the searched names and one row of values a set
    """

    fixed: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    picked: tuple[tuple[int, int], ...] | None = None
    names: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()

    @classmethod
    def single(cls, parameters: Mapping[str, Any]) -> ParameterSets:
        """Return the one set ``parameters``."""
        return cls(fixed=dict(parameters))

    @classmethod
    def of(cls, sets: Iterable[Mapping[str, Any]], fixed: Mapping[str, Any] | None = None) -> ParameterSets:
        """Return any sets of the same names, beside what is fixed for all of them."""
        listed = list(sets)
        names = tuple(listed[0]) if listed else ()
        return cls(
            fixed or {}, names=names, rows=tuple(tuple(each[name] for name in names) for each in listed)
        )

    def __len__(self) -> int:
        if self.names:
            return len(self.rows)
        if self.picked is not None:
            return sum(last - first + 1 for first, last in self.picked)
        return math.prod(len(values) for values in self.axes.values())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self.names:
            for row in self.rows:
                yield {**self.fixed, **dict(zip(self.names, row, strict=True))}
            return
        combinations = itertools.product(*self.axes.values())
        wanted = self._numbers()
        for number, values in enumerate(combinations):
            if wanted is None or number in wanted:
                yield {**self.fixed, **dict(zip(self.axes, values, strict=True))}

    def united(self, other: ParameterSets) -> ParameterSets:
        """Return these sets and those of another, each once; of what both fix these have the values."""
        mine, theirs = (
            {json.dumps(each, sort_keys=True, default=str): each for each in sets} for sets in (self, other)
        )
        if theirs.keys() <= mine.keys():
            return self
        if mine.keys() <= theirs.keys():
            return other
        every = (theirs | mine).values()
        searched = ({name: each[name] for name in each if name not in self.fixed} for each in every)
        return ParameterSets.of(searched, self.fixed)

    def _numbers(self) -> frozenset[int] | None:
        if self.picked is None:
            return None
        return frozenset(number for first, last in self.picked for number in range(first, last + 1))

    @property
    def values(self) -> Iterator[Any]:
        """All values that occur."""
        yield from self.fixed.values()
        for each in (*self.axes.values(), *self.rows):
            yield from each

    def document(self) -> dict[str, Any]:
        """Return them as JSON types, without what is empty."""
        found = {
            "fixed": dict(self.fixed),
            "axes": {name: list(values) for name, values in self.axes.items()},
            "picked": None if self.picked is None else [list(each) for each in self.picked],
            "names": list(self.names),
            "rows": [list(row) for row in self.rows],
        }
        return {name: value for name, value in found.items() if value not in (None, [], {})}

    @classmethod
    def from_document(cls, found: Mapping[str, Any]) -> ParameterSets:
        """Return what :meth:`document` wrote; KeyError, TypeError or ValueError for anything else."""
        picked = found.get("picked")
        return cls(
            dict(found.get("fixed", {})),
            {str(name): tuple(values) for name, values in found.get("axes", {}).items()},
            None if picked is None else tuple((int(first), int(last)) for first, last in picked),
            tuple(map(str, found.get("names", ()))),
            tuple(tuple(row) for row in found.get("rows", ())),
        )


def ranges(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return rising numbers as ranges, both ends included."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)
