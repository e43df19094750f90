"""What it takes to declare a metric; one without a unit or a direction cannot be declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

Unit = Literal["percent", "percent a year", "ratio", "times a year", "money", "count"]
"""Numbers are fractions where the unit begins with percent: 0.12 is shown as 12%."""

Better = Literal["larger", "smaller", "neutral"]
"""Which way is better; neutral where that depends on what one wants, as with beta."""

Group = Literal["alternatives", "shape", "benchmark", "trading", "counts"]
"""The table in which it stands (``TITLES``). Those of ``alternatives`` are measured of the benchmark and of
equal weight too; ``counts`` are no statistics and stand under ``counts`` in the document of a run."""

Source = Literal["returns", "days", "benchmark", "trades"]
"""What it is computed of: the path of equity alone; also its calendar days; also the benchmark's returns; or
the fills, costs and holdings of the whole run. All but the last are functions of a ``Path``."""

TITLES: dict[Group, str] = {
    "alternatives": "Against the alternatives",
    "shape": "Risk and shape",
    "benchmark": "Against the benchmark",
    "trading": "Trading",
    "counts": "Counts",
}


@dataclass(frozen=True)
class Metric:
    """A metric: its function, and everything that tables, searches and the documentation say of it.

    Attributes
    ----------
    function : from a ``Path``, or of ``trades`` from a ``Result``, to the number; its name is the metric's
    undefined : from the same to the reason why there is no number, or None; asked before ``function``
    label, short : what to call it, and what on a card, where that is less
    unit, better, group, of : see their types
    compiled : whether ``engine.sweeps.compiled_metrics`` has it in machine code, and so every set of a sweep
    loss : whether it is zero or less by nature, so that a share of its best value has a meaning
    repeats : the metric that it says in another way; pages show it only where the two differ
    formula, what, differs : for ``docs/metrics.md``; what the label does not say, and how empyrical or
        pyfolio differ
    """

    function: Callable[[Any], float]
    undefined: Callable[[Any], str | None]
    label: str
    unit: Unit
    better: Better
    group: Group
    of: Source
    formula: str
    what: str = ""
    differs: str = "no"
    compiled: bool = False
    short: str = ""
    repeats: str = ""
    loss: bool = False

    def __post_init__(self) -> None:
        for value, kind in (
            (self.unit, Unit),
            (self.better, Better),
            (self.group, Group),
            (self.of, Source),
        ):
            if value not in get_args(kind):
                raise ValueError(f"{self.name}: {value!r} is not one of {', '.join(get_args(kind))}")

    @property
    def name(self) -> str:
        """The name in documents, options and columns: that of the function."""
        return self.function.__name__

    @property
    def searchable(self) -> bool:
        """Whether a search may ask for it: in machine code, or a function of the path that every set has."""
        return self.compiled or self.of != "trades"


def is_percent(unit: Unit) -> bool:
    """Return whether numbers of this unit are fractions that people read as percent."""
    return unit.startswith("percent")
