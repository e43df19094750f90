"""``sweep``: a strategy over a grid of parameters, one row of a table each; for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from data.panel.panel import Panel
from engine.commands.job import job_of
from engine.commands.looks import TOLD, note_look
from engine.commands.seals import respect_seals
from engine.kernel.costs import Costs
from engine.record.sets import ParameterSets
from engine.spec import DEFAULT, Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import adapt
from engine.strategy.protocol import Strategy
from engine.sweeps.grid import Grid, sweep_grid


def sweep(
    strategy: Strategy | Adapter,
    panel: Panel,
    grid: Grid,
    *,
    start: date | None = None,
    end: date | None = None,
    cash: float = DEFAULT.cash,
    costs: Costs | Mapping[str, float] | None = None,
    reserve: float = DEFAULT.reserve,
    fill: str = DEFAULT.fill,
    benchmark: str | None = None,
    metrics: Sequence[str] = (),
    workers: int | None = None,
    break_seal: bool = False,
) -> pd.DataFrame:
    """Return one row per parameter set: its values, its metrics, and ``failure`` or None.

    ``grid`` is values by parameter, all combinations of which are run, or an iterable of sets; what it leaves
    out is as in ``strategy``. All sets run over the same sessions: from ``start``, or from the first on
    which those that need the most history can decide. ``costs`` may be a mapping, as for ``run``. Rows are in
    the order of the grid. ``metrics`` are asked for beside those in machine code, and take their time. It is
    a look on record, in one line. ``break_seal`` as for ``run``.
    """
    listed = {name: list(values) for name, values in grid.items()} if isinstance(grid, Mapping) else [*grid]
    conditions = Conditions.of(
        start=start, end=end, cash=cash, costs=costs, reserve=reserve, fill=fill, benchmark=benchmark
    )
    adapter = adapt(strategy)
    job = job_of(adapter, panel, conditions, break_seal=break_seal)
    respect_seals(job, "sweep")
    table = sweep_grid(adapter, panel, listed, conditions, metrics=metrics, workers=workers)
    first, last = table.attrs.get("period", (panel.days[0], panel.days[-1]))
    best = {name: float(np.nanmax(table[name])) for name in TOLD if table[name].notna().any()}
    note_look("sweep", job, first, last, sets=_sets(job.strategy, listed), best=best)
    return table


def _sets(adapter: Adapter, grid: Grid) -> ParameterSets:
    if isinstance(grid, Mapping):
        fixed = {name: value for name, value in adapter.parameters.items() if name not in grid}
        return ParameterSets(fixed, {name: tuple(map(_plain, values)) for name, values in grid.items()})
    return ParameterSets.of(
        {**adapter.parameters, **{name: _plain(value) for name, value in each.items()}} for each in grid
    )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
