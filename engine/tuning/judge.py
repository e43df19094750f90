"""From a study to its judgement: returns of all trials, splits, and what else is on record.

1. The returns of the trials are computed again from their parameters; of very many trials an even sample is
   used, and the page says so.
2. The default parameters and the neighbours of the best (``engine.tuning.neighbours``) are run too where they
   are no trials.
3. Walk-forward and combinatorial splits choose among the trials by the study's first objective, where returns
   alone determine it, else by Sharpe ratio (``engine.tuning.out_of_sample``).
4. ``engine.verdict`` makes the page of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, UsageError
from data.synthetic import SYNTHETIC
from engine.metrics.declared import OF_PATH
from engine.simulation.alternatives import benchmark_return
from engine.statistics.paths import simple_returns
from engine.statistics.splits import CombinatorialPurged
from engine.tuning.evaluate import Evaluator
from engine.tuning.methods import WITH_OPTUNA
from engine.tuning.neighbours import neighbours_of
from engine.tuning.objective import Trial
from engine.tuning.out_of_sample import (
    SHARPE,
    combinatorial,
    default_walk_forward,
    horizon_of,
    require_scores,
    walk_forward,
)
from engine.tuning.outcome import Parameters
from engine.tuning.phases import MEANING
from engine.tuning.space import Space
from engine.tuning.study import STUDY_FILE, Study, count_trials, read_header, studies_in
from engine.tuning.trial_log import trials_on_record
from engine.verdict.evidence import CombinatorialOutcome, Evidence, TrialLog, WalkForwardOutcome
from engine.verdict.verdict import Report, report

Floats = NDArray[np.float64]

FOLDS, TEST_FOLDS = 10, 2
# Numbers in the table of returns: at 1,200 sessions about ten thousand trials.
MOST_NUMBERS = 12_500_000

Announce = Callable[[str], object]


@dataclass(frozen=True)
class SplitSizes:
    """Sizes of splits in sessions, and the number of folds; None: as the length of the history suggests."""

    train_size: int | None = None
    test_size: int | None = None
    folds: int | None = None
    purged_size: int | None = None
    embargo_size: int | None = None

    @property
    def given(self) -> bool:
        """Whether any of them was asked for."""
        return any(value is not None for value in vars(self).values())


def judge_study(
    study: Study,
    evaluate: Evaluator,
    space: Space,
    *,
    splits: str = "both",
    sizes: SplitSizes | None = None,
    announce: Announce = lambda _step: None,
) -> Report:
    """Return the judgement of a finished study, or of one that was interrupted, as far as it is.

    UsageError where no trial ran, and for ``sizes`` that do not fit; sizes that are left to themselves and
    do not fit are named on the page.
    """
    sizes = sizes or SplitSizes()
    best = study.best or (study.ranked[0] if study.ranked else None)
    if best is None:
        raise UsageError(
            "there is nothing to judge: no trial of the study ran",
            received=study.folder,
            limit="one trial at least",
        )
    announce("returns of all trials")
    trials = _kept(study.ranked, best, evaluate.last - evaluate.first + 1)
    sets: list[Parameters] = [trial.parameters for trial in trials]
    default = _place(sets, _default(evaluate, space))
    neighbours = [_place(sets, each.parameters) for each in neighbours_of(space, best.parameters)]
    returns = returns_of_sets(evaluate, sets)
    panel = evaluate.market.panel
    span = slice(evaluate.first, evaluate.last + 1)
    benchmark = benchmark_return(panel, evaluate.conditions, evaluate.first, evaluate.last)
    walk, paths = None, None
    exclusions = (
        []
        if len(trials) == len(study.ranked)
        else [
            f"statistics of selection use {len(trials)} of {len(study.ranked)} trials, evenly spaced by rank"
        ]
    )
    if study.header["method"] in WITH_OPTUNA and splits != "none":
        exclusions.append(
            "the search learned from all sessions; out of sample is the choice among the sets that it found"
        )
    if evaluate.phases is not None:
        exclusions.append(f"{MEANING[evaluate.phases.how]}; out of sample the chosen set runs on phase 0")
    metric, smaller = _metric(study)
    horizon = horizon_of([evaluate.strategy(each).rebalance for each in sets[: len(trials)]])
    if splits in ("both", "walkforward"):
        announce("walk-forward")
        walk, why = _tried(
            lambda: _walk(evaluate, sets, returns, benchmark, horizon, metric, smaller, sizes), sizes
        )
        exclusions += [f"no walk-forward: {why}"] if why else []
    if splits in ("both", "cpcv"):
        announce("combinatorial splits")
        paths, why = _tried(
            lambda: _paths(evaluate, sets, returns, benchmark, horizon, metric, smaller, sizes), sizes
        )
        exclusions += [f"no combinatorial splits: {why}"] if why else []
    announce("statistics")
    return report(
        Evidence(
            returns=returns,
            benchmark=benchmark,
            selected=sets.index(best.parameters),
            sessions_per_year=evaluate.per_year,
            log=_log(study, space, beside=len(sets) - len(trials)),
            default=default,
            neighbours=tuple(neighbours),
            days=panel.days[span],
            rebalance=max(horizon - 1, 1),
            walk_forward=walk,
            combinatorial=paths,
            turnover=_number(best, "turnover"),
            cost_share=_number(best, "cost_share"),
            parameters=dict(best.parameters),
            header=_header(study, evaluate),
            exclusions=tuple(exclusions),
            benchmark_name=evaluate.conditions.benchmark or "equal weight",
            seed=int(study.header["seed"]),
        )
    )


def _kept(ranked: Sequence[Trial], best: Trial, sessions: int) -> list[Trial]:
    """Return the trials whose returns are used, by number: all, or evenly spaced ones and the best."""
    most = max(MOST_NUMBERS // sessions, 2)
    if len(ranked) <= most:
        chosen = list(ranked)
    else:
        places = np.unique(np.linspace(0, len(ranked) - 1, most).round().astype(int))
        chosen = [ranked[place] for place in places.tolist()]
        chosen += [] if best in chosen else [best]
    return sorted(chosen, key=lambda trial: trial.number)


def _place(sets: list[Parameters], parameters: Mapping[str, Any]) -> int:
    """Return where a set is, put at the end if it is not there yet."""
    if parameters not in sets:
        sets.append(dict(parameters))
    return sets.index(parameters)


def _default(evaluate: Evaluator, space: Space) -> dict[str, Any]:
    usual = evaluate.default_parameters
    return {name: usual[name] for name in space.names}


def returns_of_sets(evaluate: Evaluator, sets: Sequence[Parameters]) -> Floats:
    """Return the net returns of sets, session on session, (T, N); NaN for a set that fails."""
    return np.ascontiguousarray(simple_returns(evaluate.paths(sets), evaluate.conditions.cash).T)


def _metric(study: Study) -> tuple[str, bool]:
    first = study.goal.objectives[0]
    return (first.metric, not first.maximize) if first.metric in OF_PATH else (SHARPE, False)


def _tried(compute: Callable[[], Any], sizes: SplitSizes) -> tuple[Any, str | None]:
    """Return what is computed, or None and why it is not possible, unless that was asked for."""
    try:
        return compute(), None
    except (UsageError, DataError) as error:
        if sizes.given:
            raise
        return None, " ".join(str(error).split())


def _walk(
    evaluate: Evaluator,
    sets: Sequence[Parameters],
    returns: Floats,
    benchmark: Floats,
    horizon: int,
    metric: str,
    smaller: bool,
    sizes: SplitSizes,
) -> WalkForwardOutcome:
    require_scores(evaluate, sets[0])
    purged = horizon if sizes.purged_size is None else sizes.purged_size
    windows = default_walk_forward(len(returns), evaluate.per_year, purged)
    if sizes.train_size is not None:
        windows = replace(windows, train_size=sizes.train_size)
    if sizes.test_size is not None:
        windows = replace(windows, test_size=sizes.test_size)
    walk = walk_forward(evaluate, sets, returns, benchmark, windows, metric, smaller=smaller)
    return WalkForwardOutcome(walk.returns, walk.in_sample)


def _paths(
    evaluate: Evaluator,
    sets: Sequence[Parameters],
    returns: Floats,
    benchmark: Floats,
    horizon: int,
    metric: str,
    smaller: bool,
    sizes: SplitSizes,
) -> CombinatorialOutcome:
    require_scores(evaluate, sets[0])
    purged = horizon if sizes.purged_size is None else sizes.purged_size
    embargo = max(horizon - 1, 1) if sizes.embargo_size is None else sizes.embargo_size
    # Fewer folds where ten would be too short for what is purged.
    folds = sizes.folds or min(FOLDS, len(returns) // (purged + embargo + 2))
    splits = CombinatorialPurged(folds, TEST_FOLDS, purged, embargo)
    paths = combinatorial(evaluate, sets, returns, benchmark, splits, metric, smaller=smaller)
    return CombinatorialOutcome(paths, purged, embargo)


def _log(study: Study, space: Space, *, beside: int) -> TrialLog:
    """Return what is on record; the sets that are run ``beside`` the trials are looked at like these."""
    out, name = study.folder.parent, study.header["data"]["name"]
    total = trials_on_record(out, name)
    present = sum(
        count_trials(folder / STUDY_FILE)
        for folder in studies_in(out)
        if (header := read_header(folder)) is not None and header["data"]["name"] == name
    )
    grid = study.header["method"] == "grid" and space.exact
    return TrialLog(
        total + beside, len(study.trials), max(total - present, 0), (space.size or 0) if grid else 0
    )


def _number(trial: Trial, name: str) -> float:
    value = trial.outcome.metrics.get(name)
    return math.nan if value is None else value


def _header(study: Study, evaluate: Evaluator) -> dict[str, str]:
    header = study.header
    data = header["data"]
    made_up = f", {SYNTHETIC}" if data["synthetic"] else ""
    costs = ", ".join(f"{name} {value:g}" for name, value in vars(evaluate.conditions.costs).items() if value)
    return {
        "study": str(header["study_id"]),
        "strategy": str(header["strategy"]),
        "data": f"{data['name']}{made_up}, {len(data['symbols'])} funds",
        "sessions": f"{evaluate.day(evaluate.first)} to {evaluate.day(evaluate.last)}",
        "costs": costs or "none",
        "search space": "; ".join([*header["space"], *header["where"]]),
        "selection rule": ", ".join([*header["objectives"], *header["constraints"]])
        + (f", the {header['phases']} over phases" if "phases" in header else ""),
        "version": str(header["versions"]["etflow"]),
    }
