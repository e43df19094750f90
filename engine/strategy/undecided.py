"""Why a strategy can decide on no session: too little history, tables without values, or no number at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError
from data.panel.facts import Facts, of_markets
from data.panel.watched import read_by
from data.words import count

if TYPE_CHECKING:
    from data.panel.panel import Panel

Floats = NDArray[np.float64]

_NEVER = np.iinfo(np.int64).max


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
        hint=_hint(panel, compute, warmup, last),
    )


def _hint(panel: Panel, compute: Callable[[Any], Floats], warmup: int, last: int) -> str:
    facts, read = panel.ingredients.facts, read_by(compute, panel)
    begins = {each: _usable_from(facts, each) for each in read}
    without = [each for each in read if begins[each] > last]
    if not without:
        late = [
            f"; {each} can be used from {panel.days[row]} on, {count(last + 1 - row, 'session')}"
            for each, row in begins.items()
            if last - row < warmup
        ]
        return (
            "What it reads is on file: a condition in it may never hold, for instance 5 where 0.05 is meant, "
            f"or a window may be too long{''.join(late)}."
        )
    empty = [each for each in without if each not in facts.on_file]
    nothing = [f"{', '.join(empty)}, of which nothing is on file for these funds"] if empty else []
    other = [
        f"{each}, of which rows of {begin} to {end} are on file, and none can be used by {panel.days[last]}"
        for each, (begin, end) in facts.on_file.items()
        if each in without
    ]
    markets = [each for each in without if _usable_from(facts, of_markets(each)) <= last]
    whole = (
        f" Of {', '.join(markets)} the whole market's is on file: `known.market_margin`." if markets else ""
    )
    what = "what belongs to these sessions" if other else "that"
    return f"It reads {'; '.join(nothing + other)}: import {what}, or decide without it.{whole}"


def _usable_from(facts: Facts, name: str) -> int:
    """Return the first session before whose open a row of a table is public; ``_NEVER`` if none is."""
    if name == "index_weights":
        return min((each.row for each in facts.index_weights), default=_NEVER)
    grid = facts.grids.get(name)
    return _NEVER if grid is None else int(grid.usable_from[np.isfinite(grid.measure)].min(initial=_NEVER))
