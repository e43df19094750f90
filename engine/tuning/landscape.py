"""What the trials of a study say about its space: importance, heat maps, the neighbourhood of the best.

**Importance.** An additive model ``y = mean + f1(x1) + f2(x2) + …``, each ``f`` free in every value (or bin)
of its parameter, is fitted by least squares to the trials that have the objective. The share of a parameter
is the variance of its ``f`` over the trials, over the sum of these variances and that of the rest. On a
complete grid these are exactly the main effects of the functional analysis of variance (Hooker 2007; Hutter,
Hoos and Leyton-Brown 2014); the joint fit keeps a search that learns, which tries parameters together, from
crediting one with the effect of the other.

**Neighbourhood.** Of an exact search: the trials that differ from the best in one ordered parameter, by one
step. Where fewer than two of these were tried (random draws, intervals): all trials within one step in every
parameter at once, a step of an interval being a twentieth of it. Choices without order have no steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from engine.tuning.axes import Axis, Floats, axes_of
from engine.tuning.objective import Objective, Trial
from engine.tuning.space import Space
from engine.tuning.study import Study

# The rule of "isolated peak": the median of the neighbours is below this share of the best.
PLATEAU = 0.7
CELLS = 24  # of an axis of a heat map, at most
BINS = 10  # of an interval
PER_LEVEL = 5  # trials that each free number of the additive model should have
FEWEST = 2  # neighbours to speak of

Cell = tuple[int, int, float, float, int]


@dataclass(frozen=True)
class Landscape:
    """All of it. By objective: of several dimensions importance and maps, of a single one profiles."""

    axes: tuple[Axis, ...]
    importance: tuple[Importance | None, ...]
    maps: tuple[tuple[HeatMap, ...], ...]
    profiles: tuple[Profile, ...]
    around: Neighbourhood | None


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of an objective: of each parameter, in their order, and of the rest."""

    shares: tuple[float, ...]
    rest: float


@dataclass(frozen=True)
class HeatMap:
    """One objective over two dimensions: cells as (column, row, best, median, trials); that of the best."""

    across: int
    up: int
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[Cell, ...]
    best: tuple[int, int] | None


@dataclass(frozen=True)
class Profile:
    """One objective over the only dimension: the cells of a heat map with a single row."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...]


def landscape(study: Study, space: Space) -> Landscape:
    """Return what the trials of a study say about the space that it searched."""
    axes, objectives = axes_of(space), study.goal.objectives
    alone = axes[0] if len(axes) == 1 else None
    return Landscape(
        axes,
        () if alone else tuple(importance(axes, scored(study, each), each) for each in objectives),
        tuple(tuple(heat_maps(axes, study, each)) for each in objectives),
        tuple(profile(alone, study, each) for each in objectives) if alone else (),
        neighbourhood(axes, study),
    )


def scored(study: Study, objective: Objective) -> list[Trial]:
    """Return the trials that have an objective, constraints met or not, in their order."""
    return [
        trial
        for trial in study.trials
        if trial.outcome.failure is None and trial.outcome.metrics.get(objective.metric) is not None
    ]


def values_of(trials: Sequence[Trial], metric: str) -> Floats:
    """Return a metric of trials that have it."""
    return np.array([trial.outcome.metrics[metric] for trial in trials], dtype=np.float64)


def importance(axes: Sequence[Axis], trials: Sequence[Trial], objective: Objective) -> Importance | None:
    """Return how much of an objective's variance each parameter explains; None where nothing varies."""
    level = values_of(trials, objective.metric)
    if len(level) < 3 or np.ptp(level) <= 1e-12 * max(1.0, float(np.abs(level).max())):
        return None
    sets = math.prod(len(axis.values) for axis in axes)  # 0 where there is an interval
    # On a complete grid every value counts by itself; draws need enough trials for each.
    complete = sets == len(level)
    most = sets if complete else max(2, len(level) // (PER_LEVEL * len(axes)))
    columns: list[Floats] = [np.ones((len(level), 1))]
    for axis in axes:
        cell, names = axis.cells(axis.positions(trials), min(most, BINS) if axis.kind == "interval" else most)
        columns.append(np.eye(len(names))[cell])
    design = np.hstack(columns)
    weights = np.linalg.lstsq(design, level - level.mean(), rcond=None)[0]
    parts, start = [], 1
    for column in columns[1:]:
        parts.append(float(np.var(column @ weights[start : start + column.shape[1]])))
        start += column.shape[1]
    rest = float(np.var(level - level.mean() - design @ weights))
    total = sum(parts) + rest
    return Importance(tuple(part / total for part in parts), rest / total)


def heat_maps(axes: Sequence[Axis], study: Study, objective: Objective) -> list[HeatMap]:
    """Return a heat map for every pair of dimensions, over the feasible trials.

    Each cell has the best and the median of the objective over all other dimensions, and its trials.
    """
    trials = [trial for trial in scored(study, objective) if study.goal.obeys(trial.outcome)]
    level = values_of(trials, objective.metric)
    placed = []
    for axis in axes:
        most = BINS if axis.kind == "interval" else CELLS
        placed.append(axis.cells(axis.positions(trials), most))
    row_of = {trial.number: row for row, trial in enumerate(trials)}
    best = row_of.get(study.best.number) if study.best is not None else None
    maps = []
    for one, two in combinations(range(len(axes)), 2):
        # The longer axis runs across, where there is more room.
        across, up = (one, two) if len(placed[one][1]) >= len(placed[two][1]) else (two, one)
        (x, columns), (y, rows) = placed[across], placed[up]
        maps.append(
            HeatMap(
                across,
                up,
                columns,
                rows,
                _cells(x * len(rows) + y, len(rows), level, maximize=objective.maximize),
                None if best is None else (int(x[best]), int(y[best])),
            )
        )
    return maps


def _cells(
    key: np.ndarray[tuple[int], np.dtype[np.intp]], rows: int, level: Floats, *, maximize: bool
) -> tuple[Cell, ...]:
    order = np.argsort(key, kind="stable")
    keys, starts = np.unique(key[order], return_index=True)
    groups = np.split(level[order], starts[1:]) if len(keys) else []
    return tuple(
        (
            int(each // rows),
            int(each % rows),
            float(group.max() if maximize else group.min()),
            float(np.median(group)),
            len(group),
        )
        for each, group in zip(keys, groups, strict=True)
    )


def profile(axis: Axis, study: Study, objective: Objective) -> Profile:
    """Return an objective over one dimension alone, over the feasible trials."""
    trials = [trial for trial in scored(study, objective) if study.goal.obeys(trial.outcome)]
    cell, names = axis.cells(axis.positions(trials), 3 * CELLS if axis.kind != "interval" else 2 * BINS)
    level = values_of(trials, objective.metric)
    return Profile(names, _cells(cell, 1, level, maximize=objective.maximize))


@dataclass(frozen=True)
class Neighbour:
    """A place next to the best: the step that leads there, and the trial, if it was tried."""

    step: str
    trial: Trial | None


@dataclass(frozen=True)
class Neighbourhood:
    """What lies around the best trial, and whether it is a plateau.

    ``ratio`` is the median of the neighbours over the best, such that 1 is as good and less is worse; None
    where there is no ratio (fewer than two neighbours, or values of different sign).
    """

    places: tuple[Neighbour, ...]
    exact: bool
    median: float | None
    worst: float | None
    ratio: float | None
    verdict: Literal["plateau", "isolated peak", "unknown"]


def neighbourhood(axes: Sequence[Axis], study: Study) -> Neighbourhood | None:
    """Return the neighbourhood of the best trial by the first objective; None where there is no best."""
    best = study.best
    if best is None:
        return None
    objective = study.goal.objectives[0]
    places = _steps(axes, study, best)
    found = [place.trial for place in places if place.trial is not None]
    near = _around(axes, study, best) if len(found) < FEWEST else []
    exact = len(near) <= len(found)
    if not exact:
        found = near
        places = tuple(Neighbour("near", trial) for trial in found)
    level = np.array([value for each in found if (value := _value(each, objective)) is not None])
    top = _value(best, objective)
    if len(level) < FEWEST or top is None:
        return Neighbourhood(places, exact, None, None, None, "unknown")
    median = float(np.median(level))
    worst = float(level.min() if objective.maximize else level.max())
    ratio = relative(median, top, maximize=objective.maximize)
    if ratio is None:
        # From a positive best to a median of the other sign is further down than any share.
        worse = median < top if objective.maximize else median > top
        return Neighbourhood(places, exact, median, worst, None, "isolated peak" if worse else "plateau")
    return Neighbourhood(
        places, exact, median, worst, ratio, "isolated peak" if ratio < PLATEAU else "plateau"
    )


def relative(value: float, best: float, *, maximize: bool) -> float | None:
    """Return how good a value is beside the best: 1 is as good, less is worse; None for unequal signs."""
    if value * best <= 0.0:
        return 1.0 if value == best else None
    return value / best if (best > 0.0) == maximize else best / value


def _value(trial: Trial, objective: Objective) -> float | None:
    return trial.outcome.metrics.get(objective.metric) if trial.outcome.failure is None else None


def _steps(axes: Sequence[Axis], study: Study, best: Trial) -> tuple[Neighbour, ...]:
    stepped = [axis for axis in axes if axis.kind != "interval" and axis.ordered]
    known = {tuple(trial.parameters[axis.name] for axis in axes): trial for trial in study.trials}
    places = []
    for axis in stepped:
        here = int(axis.position(best.parameters[axis.name]))
        for there in (here - 1, here + 1):
            if 0 <= there < len(axis.values):
                moved = {**best.parameters, axis.name: axis.values[there]}
                trial = known.get(tuple(moved[each.name] for each in axes))
                places.append(Neighbour(f"{axis.name} {'−' if there < here else '+'}1 step", trial))
    return tuple(places)


def _around(axes: Sequence[Axis], study: Study, best: Trial) -> list[Trial]:
    """Return the trials within one step of the best in every parameter at once, the nearest first."""
    trials = [trial for trial in study.trials if trial.outcome.failure is None]
    near, far = np.ones(len(trials), dtype=bool), np.zeros(len(trials))
    for axis in axes:
        steps = np.abs(axis.positions(trials) - axis.position(best.parameters[axis.name])) / axis.step
        near &= steps <= (1.0 + 1e-9 if axis.ordered else 0.0)
        far += steps
    near &= np.array([trial.number != best.number for trial in trials], dtype=bool)
    return [trials[index] for index in np.argsort(far, kind="stable").tolist() if near[index]]
