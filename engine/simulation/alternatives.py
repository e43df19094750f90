"""What a run is held against, over exactly its own interval: its benchmark, and all funds at equal weight.

A run over the sessions *d* to *e* begins where its first orders trade, at the fill point of *d*, and ends at
the close of *e*. So do the alternatives: on *d* they earn from the fill point to the close (nothing, where
orders fill at the close), and on later sessions from close to close. An index has no VWAP, so that with
``vwap`` its first session is unknown; so it is at the open where the data have no opening level.

A benchmark is never filled. A session without a level has no return, and the next one with a level has that
of the whole gap: what compares with it compounds the run over the same gap (``engine.statistics.paths``). A
return is therefore known only behind a known return, or behind a level on the session before; a gap right
behind the very first level is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import check_choice
from data.panel.panel import Panel
from engine.result import Result
from engine.simulation.stale import is_over
from engine.spec import Conditions

Floats = NDArray[np.float64]

EQUAL_WEIGHT = "equal_weight"
SESSIONS = 64


def require_benchmark(panel: Panel, benchmark: str | None) -> None:
    """Raise UsageError with close matches unless ``panel`` has the benchmark."""
    if benchmark is not None:
        check_choice("benchmark", benchmark, [*panel.index_closes, EQUAL_WEIGHT])


def benchmark_return(panel: Panel, conditions: Conditions, first: int, last: int) -> Floats:
    """Return the returns (D,) of an index, or of equal weight, over the rows ``first`` to ``last``.

    NaN on sessions without a level; UsageError for a benchmark that the panel does not have.
    """
    code = conditions.benchmark
    require_benchmark(panel, code)
    if code is None or code == EQUAL_WEIGHT:
        return equal_weight_return(panel, conditions, first, last)
    closes, fill = panel.index_closes[code][first : last + 1], conditions.fill
    at_fill = closes if fill == "close" else panel.index_fills.get(fill, {}).get(code, np.array([]))[first:]
    levels = np.concatenate((at_fill[:1] if len(at_fill) else [np.nan], closes))
    returns = np.full(len(closes), np.nan)
    known = np.flatnonzero(np.isfinite(levels)).tolist()
    for before, row in pairwise(known):
        if row - before == 1 or before != known[0]:
            returns[row - 1] = levels[row] / levels[before] - 1.0
    return returns


def equal_weight_return(panel: Panel, conditions: Conditions, first: int, last: int) -> Floats:
    """Return the mean total return of all funds over the rows ``first`` to ``last``, (D,), at no cost.

    On the first session of those that traded in it; later of those that were marked on both sessions and
    whose bars have not ended. NaN before there is one and after the last of them; in between, with nothing to
    hold, zero.
    """
    market, over = panel.market, is_over(panel)
    count = np.empty(last - first + 1, dtype=np.int64)
    mean = np.empty(len(count))
    # Some sessions at a time, which stay in the cache.
    for begin in range(first, last + 1, SESSIONS):
        rows = slice(max(begin - 1, first), min(begin + SESSIONS, last + 1))
        levels = np.where(over[rows], np.nan, market.total_return_level[rows])
        with np.errstate(invalid="ignore"):
            returns = levels[1:] / levels[:-1] - 1.0
            if begin == first:
                since_fill = market.close[first] / getattr(market, conditions.fill)[first] - 1.0
                returns = np.concatenate((since_fill[None], returns))
        known = np.isfinite(returns)
        place = slice(begin - first, begin - first + len(returns))
        count[place] = known.sum(axis=1)
        mean[place] = np.where(known, returns, 0.0).sum(axis=1) / np.maximum(count[place], 1)
    held = np.flatnonzero(count)
    mean[: held[0] if len(held) else None] = np.nan
    mean[held[-1] + 1 if len(held) else 0 :] = np.nan
    return mean


def known_part(result: Result) -> Mapping[str, Any] | None:
    """Return on which sessions of a result its benchmark is known, for the manifest; None: on all.

    ``text`` says it, with the totals of both over these sessions.
    """
    name = str(result.manifest["benchmark"])
    known = np.flatnonzero(~np.isnan(result.benchmark_return))
    sessions = len(result.days)
    if len(known) == sessions:
        return None
    if not len(known):
        text = f"The benchmark {name} has no level in this period; nothing is compared with it."
        return {"sessions": 0, "of": sessions, "text": text}
    first, last = int(known[0]), int(known[-1])
    capital = result.equity[first - 1] if first else result.initial_cash
    ours = float(result.equity[last] / capital - 1.0)
    theirs = float(np.prod(1.0 + result.benchmark_return[known]) - 1.0)
    missing = last - first + 1 - len(known)
    between = f", {missing} of them without a level" if missing else ""
    # It is in manifests, which `runs reproduce` compares: the spaces before % stay.
    text = (
        f"The benchmark {name} is known from {result.days[first]} to {result.days[last]}{between}, "
        f"and compared with on those sessions only: over them the run returned {100 * ours:.2f} %, "
        f"the benchmark {100 * theirs:.2f} %."
    )
    return {
        "first_day": str(result.days[first]),
        "last_day": str(result.days[last]),
        "sessions": len(known),
        "of": sessions,
        "run_return": ours,
        "benchmark_return": theirs,
        "text": text,
    }
