"""Why a strategy can decide on no session: too little history, tables without values, or no number at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError
from data.panel.facts import of_markets
from data.panel.watched import read_by
from data.words import count

if TYPE_CHECKING:
    from data.panel.panel import Panel

Floats = NDArray[np.float64]


def undecided(
    name: str,
    warmup: int,
    panel: Panel,
    last: int,
    what: str = "",
    values: Floats | None = None,
    compute: Callable[[Any], Floats] | None = None,
) -> DataError:
    """Return the error that says why nothing can be decided up to the row ``last``.

    ``what`` its ``values`` are called, which ``compute`` makes of the known face of a panel; None of one
    that is asked session by session.
    """
    sessions = last + 1
    begun = f"{panel.days[0]} to {panel.days[last]}, {count(sessions, 'session')}"
    if values is None or compute is None or sessions <= warmup:
        return DataError(
            f"{name} can decide on no session of the data",
            received=begun,
            limit=f"it needs {count(warmup, 'session')} of history before the first",
            hint="Import more history, or shorten its windows.",
        )
    of_listed = values[warmup:sessions][panel.known.listed[warmup:sessions]]
    infinite = int(np.isinf(of_listed).sum())
    held = f"{infinite:,} of {of_listed.size:,} are infinite, the others NaN" if infinite else "all are NaN"
    return DataError(
        f"{name} can decide on no session of the data",
        received=f"{begun}, {warmup} of warm-up; no {what} of a listed fund is a number: {held}",
        hint=_hint(panel, compute),
    )


def _hint(panel: Panel, compute: Callable[[Any], Floats]) -> str:
    grids = panel.ingredients.facts.grids
    empty = [
        each
        for each in read_by(compute, panel)
        if each != "index_weights" and not (each in grids and np.isfinite(grids[each].measure).any())
    ]
    if not empty:
        return (
            "What it reads is on file: a condition in it may never hold, for instance 5 where 0.05 is meant, "
            "or a window may be too long."
        )
    markets = [each for each in empty if of_markets(each) in grids]
    whole = (
        f" Of {', '.join(markets)} the whole market's is on file: `known.market_margin`." if markets else ""
    )
    return (
        f"It reads {', '.join(empty)}, of which nothing is on file for these funds: import that, or decide "
        f"without it.{whole}"
    )
