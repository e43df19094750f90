"""The space of a search: some parameters of a strategy, the values each takes, and conditions on them.

1. ``Space.from_words`` reads ``--param`` and ``--where`` against the fields of the strategy.
2. A set has an index: in mixed radix, one digit a dimension. ``set_at`` computes the set from it, so that a
   grid of any size needs no memory. The parameters in ``fastest`` (those that do not change the scores) are
   the last digits: sets with equal scores are neighbours.
3. ``size`` counts the sets that obey the conditions. Conditions tie together only the dimensions that they
   name; each such group is counted by itself, and the rest multiplies.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from data.errors import UsageError, check_choice
from data.expression import Condition, parse_condition
from engine.strategy.parameter import Parameter
from engine.tuning.dimensions import Dimension, Interval, parse_dimension

# Up to here the sets that obey the conditions are counted one by one, and searched without being asked.
LARGEST = 10_000_000


@dataclass(frozen=True)
class Space:
    """Dimensions in the order given, conditions, the values of all other fields, and what varies fastest."""

    dimensions: tuple[Dimension, ...]
    conditions: tuple[Condition, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    fastest: tuple[str, ...] = ()

    @classmethod
    def from_words(
        cls,
        words: Sequence[str],
        where: Sequence[str],
        fields: Sequence[Parameter],
        *,
        fixed: Mapping[str, Any],
        given: Sequence[str] = (),
        fastest: Sequence[str] = (),
    ) -> Space:
        """Return the space that the words of ``--param`` and ``--where`` describe.

        Parameters
        ----------
        words, where : sequence of str
        fields : sequence of Parameter
            All fields of the strategy.
        fixed : mapping
            The value that each field has where it is not searched.
        given : sequence of str
            Names that were set, which cannot be searched as well.
        fastest : sequence of str
            Names of the fields that do not change the scores.

        Raises UsageError for anything that is not exactly one non-empty space.
        """
        if not words:
            raise UsageError(
                "there is nothing to search over", hint="Name a parameter, as in --param lookback=5:60:5."
            )
        known = {each.name: each for each in fields}
        dimensions: dict[str, Dimension] = {}
        for word in words:
            name, equals, values = word.partition("=")
            name = name.strip()
            check_choice("parameter", name, known, "--param")
            if name in dimensions:
                raise UsageError(
                    f"--param {name} is given twice", received=word, hint="Put all its values into one."
                )
            if name in given:
                raise UsageError(
                    f"`{name}` is both set and searched", received=word, hint="Leave out --set or --param."
                )
            dimensions[name] = parse_dimension(name, values if equals else None, known[name])
        conditions = tuple(parse_condition(text, known, "--where") for text in where)
        others = {name: value for name, value in fixed.items() if name not in dimensions}
        return cls(tuple(dimensions.values()), conditions, others, tuple(fastest))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the searched parameters, in the order given."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def discrete(self) -> bool:
        """Whether the sets can be counted."""
        return self.product is not None

    @cached_property
    def product(self) -> int | None:
        """How many sets there are before any condition; None where a parameter takes any number."""
        counts = [dimension.count for dimension in self.dimensions]
        return None if None in counts else math.prod(count for count in counts if count is not None)

    @property
    def exact(self) -> bool:
        """Whether ``size`` is the number of sets that obey the conditions, and not of all."""
        return self.product is not None and (not self.conditions or self.product <= LARGEST)

    @cached_property
    def size(self) -> int | None:
        """How many sets obey the conditions, exactly up to ten million sets; beyond, how many there are."""
        if self.product is None or not self.exact:
            return self.product
        total = self.product
        for group, conditions in self._groups():
            part = Space(group, conditions, self.fixed)
            total = total // math.prod(each.count or 1 for each in group) * sum(1 for _ in part.sets())
        return total

    def allows(self, parameters: Mapping[str, Any]) -> bool:
        """Return whether a set obeys all conditions."""
        if not self.conditions:
            return True
        values = {**self.fixed, **parameters}
        return all(condition.holds(values) for condition in self.conditions)

    def set_at(self, index: int) -> dict[str, Any]:
        """Return the set at ``index`` of all, whether it obeys the conditions or not."""
        values = {}
        for dimension in reversed(self._digits):
            index, digit = divmod(index, dimension.count or 1)
            values[dimension.name] = dimension.value(digit)
        return {name: values[name] for name in self.names}

    def sets(self, start: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the sets that obey the conditions, one at a time, from an index of all sets on."""
        for index in range(start, self.product or 0):
            parameters = self.set_at(index)
            if self.allows(parameters):
                yield parameters

    def require_sets(self) -> None:
        """Raise UsageError where the conditions leave no set."""
        if self.size == 0:
            raise UsageError(
                "--where leaves no set",
                received=" and ".join(map(str, self.conditions)),
                limit=", ".join(map(str, self.dimensions)),
                hint="Loosen a condition or widen a range.",
            )

    @cached_property
    def _digits(self) -> tuple[Any, ...]:
        """The dimensions from the slowest to the fastest; all of them count."""
        return tuple(sorted(self.dimensions, key=lambda each: each.name in self.fastest))

    def _groups(self) -> list[tuple[tuple[Dimension, ...], tuple[Condition, ...]]]:
        """Return the dimensions that conditions tie together, with those conditions."""
        groups: list[tuple[frozenset[str], tuple[Condition, ...]]] = []
        for condition in self.conditions:
            names = condition.names & set(self.names)
            tied: tuple[Condition, ...] = (condition,)
            apart = []
            for group in groups:
                if group[0] & names or group[0] == names:
                    names, tied = names | group[0], (*group[1], *tied)
                else:
                    apart.append(group)
            groups = [*apart, (names, tied)]
        return [
            (tuple(each for each in self.dimensions if each.name in names), tied) for names, tied in groups
        ]


def intervals(space: Space) -> tuple[Interval, ...]:
    """Return the dimensions that take any number."""
    return tuple(each for each in space.dimensions if isinstance(each, Interval))
