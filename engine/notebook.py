"""``tune`` and ``compare`` for notebooks: what the commands do, on a panel and strategy objects.

The study of a search lies under ``out`` like that of the command, so that its trials are on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from data.errors import UsageError
from data.panel.panel import Panel
from engine.comparisons.significance import Significance, significance
from engine.kernel.costs import Costs
from engine.kernel.rotation import ROTATION_FIELDS
from engine.metrics import compute_metrics
from engine.pipeline import OpenMarket
from engine.result import Result
from engine.simulation.backtest import first_session, run
from engine.spec import DEFAULT, Conditions, Spec, check_choice
from engine.strategy.loader import parameter_values, parameters_of
from engine.sweeps.measures import MEASURES

if TYPE_CHECKING:
    from engine.tuning.space import Space
    from engine.tuning.study import Study
    from engine.verdict.verdict import Report


@dataclass(frozen=True)
class Tuned:
    """A finished search: its study on disk, and the judgement of it (None: no trial ran)."""

    study: Study
    report: Report | None

    @property
    def table(self) -> pd.DataFrame:
        """The trials that ran, best first: number, searched parameters, metrics."""
        rows = [
            {"number": trial.number, **trial.parameters, **trial.outcome.metrics}
            for trial in self.study.ranked
        ]
        return pd.DataFrame(rows)

    @property
    def best(self) -> Mapping[str, Any]:
        """The parameters of the best trial that meets all constraints; empty where none does."""
        best = self.study.best
        return dict(best.parameters) if best is not None else {}


@dataclass(frozen=True)
class Comparison:
    """Results by name, over the same sessions; metrics, a column a run; the significance of differences."""

    results: Mapping[str, Result]
    metrics: pd.DataFrame
    significance: Significance


def tune(
    strategy: Any,
    panel: Panel,
    params: Sequence[str],
    *,
    method: str = "grid",
    trials: int | None = None,
    where: Sequence[str] = (),
    objective: str | Sequence[str] = "sharpe_ratio",
    constraints: Sequence[str] = (),
    splits: str = "both",
    seed: int = DEFAULT.seed,
    start: date | None = None,
    end: date | None = None,
    cash: float = DEFAULT.cash,
    costs: Costs | Mapping[str, float] | None = None,
    fill: str = DEFAULT.fill,
    benchmark: str | None = None,
    out: str | Path = "results",
    resume: bool = False,
) -> Tuned:
    """Search over parameters and judge the search; ``params`` are words as for ``tune --param``.

    What ``params`` leaves out is as in ``strategy``. Raises UsageError for words that make no space, and for
    a study that exists already unless ``resume``.
    """
    from engine.tuning.evaluate import Evaluator
    from engine.tuning.judge import SPLITS, judge_study
    from engine.tuning.methods import DEFAULT_BATCH, DEFAULT_TRIALS, WITH_OPTUNA
    from engine.tuning.objective import Goal
    from engine.tuning.search import make_search
    from engine.tuning.study import Plan, Study, study_header
    from engine.tuning.tune import tune as search_on
    from engine.tuning.writer import open_study

    check_choice("splits", splits, SPLITS)
    conditions = Conditions.of(
        start=start,
        end=end,
        cash=cash,
        costs=costs,
        fill=fill,
        benchmark=benchmark,
        engine="batch",
        seed=seed,
    )
    if isinstance(params, str | Mapping):
        raise UsageError(
            "`params` is no list of words", received=repr(params), hint='Write ["lookback=3:20", "top=1,2"].'
        )
    space = _space(strategy, params, where)
    spec = Spec(
        type(strategy).__name__,
        {name: value for name, value in parameter_values(strategy).items() if name not in space.names},
        data=panel.name,
        symbols=panel.symbols,
        **vars(conditions),
    )
    goal = Goal.from_words([objective] if isinstance(objective, str) else objective, constraints, MEASURES)
    wanted = None if method == "grid" else trials or DEFAULT_TRIALS
    plan = Plan(method, wanted, DEFAULT_BATCH if method in WITH_OPTUNA else None)
    market = OpenMarket(panel, benchmark, ())
    evaluate = Evaluator(spec, {spec.strategy: type(strategy)}, market, space)
    header = study_header(spec, space, goal, plan, panel, {})
    header["period"] = [str(evaluate.day(evaluate.first)), str(evaluate.day(evaluate.last))]
    search = make_search(method, space, goal, seed=seed, batch=DEFAULT_BATCH)
    with open_study(Path(out), header, resume=resume) as writer:
        search_on(search, evaluate, writer, goal, trials=wanted)
    study = Study.load(writer.folder)
    return Tuned(study, judge_study(study, evaluate, space, splits=splits) if study.ranked else None)


def compare(
    strategies: Mapping[str, Any] | Iterable[Any],
    panel: Panel,
    *,
    start: date | None = None,
    seed: int = DEFAULT.seed,
    **options: Any,
) -> Comparison:
    """Run strategies over the same sessions and compare them; ``options`` are those of ``run``.

    By name, or called by their classes. Without ``start`` they begin on the first session on which all of
    them can decide.
    """
    named = (
        dict(strategies)
        if isinstance(strategies, Mapping)
        else {f"{type(each).__name__}": each for each in strategies}
    )
    if start is None:
        start = panel.days[max(first_session(each, panel) for each in named.values())].item()
    results = {name: run(each, panel, start=start, **options) for name, each in named.items()}
    metrics = pd.DataFrame({name: dict(compute_metrics(each).values) for name, each in results.items()})
    return Comparison(results, metrics, significance([*results.values()], seed=seed))


def _space(strategy: Any, params: Sequence[str], where: Sequence[str]) -> Space:
    from dataclasses import replace

    from engine.tuning.space import Space

    space = Space.from_words(params, where, parameters_of(type(strategy)), fixed={}, fastest=ROTATION_FIELDS)
    values = parameter_values(strategy)
    return replace(space, fixed={name: value for name, value in values.items() if name not in space.names})
