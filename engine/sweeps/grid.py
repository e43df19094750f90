"""``sweep``: a strategy over a grid of parameters, one row of a table each; for notebooks."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from data.errors import DataError, EtflowError, UsageError, did_you_mean
from data.panel.panel import Panel
from engine.kernel.costs import Costs
from engine.simulation.backtest import first_session, last_session
from engine.spec import DEFAULT, Conditions
from engine.sweeps.measures import MEASURES
from engine.sweeps.scores import by_own_fields
from engine.sweeps.sweep import Sweep

Grid = Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any]]

# Sets whose first session is looked for, of those that need the most history.
LATEST_ASKED = 8
# Strategy objects that exist at a time.
CHUNK = 20_000


def sweep(
    strategy: Any,
    panel: Panel,
    grid: Grid,
    *,
    start: date | None = None,
    end: date | None = None,
    cash: float = DEFAULT.cash,
    costs: Costs | Mapping[str, float] | None = None,
    fill: str = DEFAULT.fill,
    benchmark: str | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """Return one row per parameter set: its values, its metrics (``MEASURES``), and ``failure`` or None.

    ``grid`` is values by parameter, all combinations of which are run, or an iterable of sets; what it leaves
    out is as in ``strategy``. All sets run over the same sessions: from ``start``, or from the first on
    which those that need the most history can decide. ``costs`` may be a mapping, as for ``run``. Rows are in
    the order of the grid.
    """
    conditions = Conditions.of(start=start, end=end, cash=cash, costs=costs, fill=fill, benchmark=benchmark)
    sets = _sets(strategy, grid)
    made: list[Any] = [None] * len(sets)
    failures: list[str | None] = [None] * len(sets)
    metrics = np.full((len(sets), len(MEASURES)), np.nan)
    last = last_session(panel, conditions.end)
    first: int | None = max(1, panel.row(conditions.start)) if conditions.start else None
    engine: Sweep | None = None
    for begin in range(0, len(sets), CHUNK):
        places = []
        for place in range(begin, min(begin + CHUNK, len(sets))):
            try:
                made[place] = dataclasses.replace(strategy, **sets[place])
                places.append(place)
            except EtflowError as error:
                failures[place] = str(error)
        if first is None:
            first = common_start([made[place] for place in places], panel)
        engine = engine or Sweep(panel, first, last, conditions, workers=workers)
        rows = engine.run([made[place] for place in places])
        for place, row, failure in zip(places, rows.metrics, rows.failures, strict=True):
            metrics[place], failures[place], made[place] = row, failure, None
    table = pd.DataFrame(sets)
    for number, name in enumerate(MEASURES):
        table[name] = metrics[:, number]
    table["failure"] = pd.Series(failures, dtype=object)
    return table


def common_start(strategies: Sequence[Any], panel: Panel) -> int:
    """Return the row of the first session on which the strategies that need the most history can decide.

    DataError where none of them can.
    """
    if not strategies:
        return 1
    leaders = [strategies[places[0]] for places in by_own_fields(strategies)]
    leaders.sort(key=lambda each: -int(getattr(each, "warmup", 1)))
    found, refusal = [], None
    for leader in leaders[:LATEST_ASKED]:
        try:
            found.append(first_session(leader, panel))
        except DataError as error:
            refusal = error
        except EtflowError:
            continue
    if found:
        return max(found)
    if refusal is not None:
        raise refusal
    return max(1, int(getattr(leaders[0], "warmup", 1)))


def _sets(strategy: Any, grid: Grid) -> list[dict[str, Any]]:
    if not dataclasses.is_dataclass(strategy) or isinstance(strategy, type):
        raise UsageError("sweep needs a strategy object, a dataclass", received=strategy)
    if isinstance(grid, Mapping):
        names = list(grid)
        combinations = itertools.product(*grid.values())
        sets = [dict(zip(names, values, strict=True)) for values in combinations]
    else:
        sets = [dict(each) for each in grid]
    known = [field.name for field in dataclasses.fields(strategy)]
    for name in sorted({name for each in sets for name in each}):
        if name not in known:
            raise UsageError(
                f"{type(strategy).__name__} has no parameter `{name}`", hint=did_you_mean(name, known)
            )
    if not sets:
        raise UsageError("the grid has no parameter set", hint="Give each parameter at least one value.")
    return sets
