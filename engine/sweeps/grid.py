"""A strategy over a grid of parameters: a table with one row for each set."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from data.errors import DataError, EtflowError, UsageError, check_choice, did_you_mean
from data.panel.panel import Panel
from engine.metrics.declared import SEARCHABLE
from engine.simulation.backtest import last_session
from engine.spec import Conditions
from engine.strategy.adapter import Adapter
from engine.sweeps.compiled_metrics import COMPILED_METRICS
from engine.sweeps.scores import by_own_fields
from engine.sweeps.sweep import Sweep

# Values by parameter, all combinations of which are run, or parameter sets one by one.
Grid = Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any]]

# Sets whose first session is looked for, of those that need the most history.
LATEST_ASKED = 8
# Strategy objects that exist at a time.
CHUNK = 20_000


def sweep_grid(
    adapter: Adapter,
    panel: Panel,
    grid: Grid,
    conditions: Conditions,
    *,
    metrics: Sequence[str] = (),
    workers: int | None = None,
) -> pd.DataFrame:
    """Return one row per parameter set, in the order of the grid: values, metrics, and ``failure`` or None.

    Metrics are those in machine code (``COMPILED_METRICS``), and the ``metrics`` that are asked for beside
    them, which take their time (``engine.sweeps.sweep``). Without a start in ``conditions``, all sets begin
    on the first session on which those that need the most history can decide.
    """
    sets = _sets(adapter, grid)
    failures: list[str | None] = [None] * len(sets)
    for name in metrics:
        check_choice("metric", name, SEARCHABLE, "`metrics`")
    names = tuple(dict.fromkeys((*COMPILED_METRICS, *metrics)))
    found = np.full((len(sets), len(names)), np.nan)
    last = last_session(panel, conditions.end)
    first: int | None = max(1, panel.row(conditions.start)) if conditions.start else None
    engine: Sweep | None = None
    for begin in range(0, len(sets), CHUNK):
        made: dict[int, Adapter] = {}
        for place in range(begin, min(begin + CHUNK, len(sets))):
            try:
                made[place] = adapter.with_parameters(sets[place])
            except EtflowError as error:
                failures[place] = str(error)
        if first is None:
            first = common_start([*made.values()], panel)
        engine = engine or Sweep(panel, first, last, conditions, workers=workers)
        rows = engine.run([*made.values()], also=metrics)
        for place, row, failure in zip(made, rows.metrics, rows.failures, strict=True):
            found[place], failures[place] = row, failure
    table = pd.DataFrame(sets)
    for number, name in enumerate(names):
        table[name] = found[:, number]
    table["failure"] = pd.Series(failures, dtype=object)
    table.attrs["period"] = (str(panel.days[first or 1]), str(panel.days[last]))
    return table


def common_start(strategies: Sequence[Adapter], panel: Panel) -> int:
    """Return the row of the first session on which the strategies that need the most history can decide.

    DataError where none of them can.
    """
    if not strategies:
        return 1
    leaders = [strategies[places[0]] for places in by_own_fields(strategies)]
    leaders.sort(key=lambda each: -each.warmup)
    found, refusal = [], None
    for leader in leaders[:LATEST_ASKED]:
        try:
            found.append(leader.first_session(panel))
        except DataError as error:
            refusal = error
        except EtflowError:
            continue
    if found:
        return max(found)
    if refusal is not None:
        raise refusal
    return leaders[0].warmup


def _sets(strategy: Adapter, grid: Grid) -> list[dict[str, Any]]:
    if isinstance(grid, Mapping):
        names = list(grid)
        combinations = itertools.product(*grid.values())
        sets = [dict(zip(names, values, strict=True)) for values in combinations]
    else:
        sets = [dict(each) for each in grid]
    known = list(strategy.fields)
    for name in sorted({name for each in sets for name in each}):
        if name not in known:
            raise UsageError(f"{strategy.name} has no parameter `{name}`", hint=did_you_mean(name, known))
    if not sets:
        raise UsageError("the grid has no parameter set", hint="Give each parameter at least one value.")
    return sets
