"""What became of the sets of a sweep: their metrics and paths, and which of them failed, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.errors import EtflowError
from engine.simulation.ledger import InvariantError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """What became of N sets.

    Attributes
    ----------
    names : of the M metrics, ``COMPILED_METRICS`` and what else was asked for
    metrics : (N, M); NaN where undefined, and for a set that failed
    failures : why a set has no metrics, or None
    equity : (N, D) at the close of each session; (0, D) where it was not asked for
    """

    names: tuple[str, ...]
    metrics: Floats
    failures: list[str | None]
    equity: Floats


@contextmanager
def failing(places: Sequence[int], rows: Rows) -> Iterator[None]:
    """Let what the user can do something about be the failure of these sets, as far as they have not run."""
    try:
        yield
    except InvariantError:
        raise
    except EtflowError as error:
        for place in places:
            if rows.failures[place] is None and np.isnan(rows.metrics[place, 0]):
                rows.failures[place] = str(error)
