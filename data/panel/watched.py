"""A panel that notes which fact tables are read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from data.panel.facts import Grid, IndexWeights
from data.panel.known import Known
from data.panel.panel import Panel


class Watched(Mapping[str, Grid]):
    """The grids of a panel, which write the names of those that are asked for into ``reads``, in order."""

    def __init__(self, grids: Mapping[str, Grid], reads: dict[str, None]) -> None:
        self._grids = grids
        self._reads = reads

    def __getitem__(self, name: str) -> Grid:
        self._reads[name] = None
        return self._grids[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._grids)

    def __len__(self) -> int:
        return len(self._grids)


class _Files(tuple[IndexWeights, ...]):
    """Files of index weights, which note that they are asked for."""

    reads: dict[str, None]

    def __iter__(self) -> Iterator[IndexWeights]:
        self.reads["index_weights"] = None
        return super().__iter__()


def read_by(compute: Callable[[Known], object], panel: Panel) -> tuple[str, ...]:
    """Return the names of the facts that something reads of the known face of a panel, in order."""
    reads: dict[str, None] = {}
    compute(watched(panel, reads).known)
    return tuple(reads)


def watched(panel: Panel, reads: dict[str, None]) -> Panel:
    """Return the panel with the names of the facts that are read of it written into ``reads``, in order.

    Those of whole markets are called ``market margin`` and so on (``data.panel.facts.of_markets``).
    """
    facts = panel.ingredients.facts
    files = _Files(facts.index_weights)
    files.reads = reads
    return panel.with_facts(replace(facts, grids=Watched(facts.grids, reads), index_weights=files))
