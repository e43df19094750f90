"""``tune``: search over parameters; every trial is kept in a study, and the search is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import UsageError, check_choice
from data.panel.panel import Panel
from engine.choices import SPLITS
from engine.commands.job import Job
from engine.commands.looks import body_of_panel, record_of
from engine.commands.order import Order, SearchWords, order_of
from engine.commands.seals import respect_seals, shut_seal
from engine.commands.search_looks import SearchLooks, grid_of
from engine.commands.study import judge, judgement_document, study_document, write_page
from engine.kernel.costs import Costs
from engine.pipeline import OpenMarket, Watch, open_market
from engine.record.lines import Look
from engine.spec import DEFAULT, Conditions, Spec
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import adapt
from engine.strategy.protocol import Strategy
from engine.tuning.columns import most_used
from engine.tuning.evaluate import Evaluator
from engine.tuning.families import family_of
from engine.tuning.judge import SplitSizes
from engine.tuning.methods import EXECUTORS
from engine.tuning.objective import Leaderboard
from engine.tuning.on_record import on_record
from engine.tuning.outcome import Evaluate
from engine.tuning.phases import OverPhases
from engine.tuning.study import Study, study_header
from engine.tuning.tune import State
from engine.tuning.tune import tune as search_on
from engine.tuning.verify import check_best
from engine.tuning.writer import StudyWriter, id_to_resume, open_study
from engine.verdict.selection import trials_borne
from engine.verdict.thresholds import Thresholds
from engine.verdict.verdict import Report


@dataclass(frozen=True)
class Executor:
    """What evaluates the sets: threads of this process, or workers of a dask cluster.

    ``scheduler`` is the address of one that is there; None: dask's own on this machine. ``workers`` are
    threads, or processes of dask; None: all cores.
    """

    kind: str = "local"
    scheduler: str | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        check_choice("executor", self.kind, EXECUTORS)
        if self.scheduler is not None and self.kind != "dask":
            raise UsageError(
                "only dask has a scheduler",
                received=f"--scheduler {self.scheduler}",
                hint="Add --executor dask.",
            )
        if self.scheduler is not None and self.workers is not None:
            raise UsageError(
                "the scheduler has its own workers",
                received=f"--workers {self.workers}",
                hint="Leave out --workers, or --scheduler for so many processes on this machine.",
            )

    def begin(self, evaluate: Evaluator, files: Sequence[str]) -> AbstractContextManager[Evaluate]:
        """Return what evaluates sets, open for a search; ``files`` are those that parameters name."""
        if self.kind == "local":
            if self.workers is not None:
                evaluate.workers = self.workers
            return nullcontext(evaluate)
        from engine.tuning.cluster import Cluster

        return Cluster(evaluate, scheduler=self.scheduler, workers=self.workers, files=files)


@dataclass(frozen=True)
class Tuned:
    """A finished search: its study on disk, its best trials, and the judgement of it.

    ``report`` is None where no trial is feasible or none was asked for; ``best_run`` is the results folder
    of the best trial on the reference engine.
    """

    search: Search
    study: Study
    leaderboard: Leaderboard
    report: Report | None = None
    best_run: Path | None = None

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

    def save(self) -> Path | None:
        """Write ``study.html`` beside the study, and return it; None where no trial ran."""
        if not self.study.ranked:
            return None
        return write_page(self.study, self.search.evaluate, self.search.order.space, self.report)

    @property
    def on_record(self) -> int:
        """How many sets of the strategy were looked at on these data and days, those of the judgement too."""
        return self.search.on_record if self.report is None else self.report.evidence.log.total

    def document(self, page: Path | None = None) -> dict[str, Any]:
        """Return the document that ``tune --json`` prints."""
        space = self.search.order.space
        search = self.search
        header = self.study.header
        found = study_document(self.study.folder, header, self.leaderboard, space.size, self.on_record)
        found["counts"]["history_bears"] = search.borne[1]
        return found | {
            "best_run": None if self.best_run is None else str(self.best_run),
            "judgement": None if self.report is None else judgement_document(self.report, None),
            "page": None if page is None else str(page),
            "data_warnings": list(self.search.data_warnings),
        }


class Search:
    """A search whose data are open: it can be estimated, and run."""

    def __init__(
        self,
        order: Order,
        market: OpenMarket,
        executor: Executor | None = None,
        *,
        break_seal: bool = False,
    ) -> None:
        self.order = order
        self.break_seal = break_seal
        self.market = market
        self.executor = executor or Executor()
        self.evaluate = Evaluator(
            order.spec,
            order.catalogue,
            market,
            order.space,
            order.goal.metrics,
            None,  # as many workers as there are cores
            OverPhases.of(order.plan.phases, order.goal),
        )

    @classmethod
    def open(
        cls, order: Order, watch: Watch, executor: Executor | None = None, *, break_seal: bool = False
    ) -> Search:
        """Return the search of an order: its data are opened and checked."""
        return cls(order, open_market(order.spec, watch), executor, break_seal=break_seal)

    @cached_property
    def header(self) -> dict[str, Any]:
        """The header of its study."""
        order, evaluate = self.order, self.evaluate
        found = study_header(order.spec, order.space, order.goal, order.plan, self.market.panel, order.files)
        if order.held_out:
            found["holdout"] = dict(order.held_out)
        found["period"] = [str(evaluate.day(evaluate.first)), str(evaluate.day(evaluate.last))]
        return found

    @property
    def data_warnings(self) -> tuple[str, ...]:
        """What the checks warn of in the data of the search."""
        evaluate = self.evaluate
        job = Job(self.order.spec, evaluate.base, self.market, self.order.catalogue)
        return job.data_warnings(evaluate.day(evaluate.first), evaluate.day(evaluate.last))

    def run(
        self,
        out: Path,
        *,
        resume: bool = False,
        rows: int = 10,
        judged: bool = False,
        progress: Callable[[State], object] = lambda _state: None,
        interrupted: Callable[[StudyWriter], object] = lambda _study: None,
    ) -> Tuned:
        """Search, each trial written down under ``out`` as it comes, and return the best ``rows`` of them.

        Of a search that is ``judged`` next, paths are kept for it as far as there is room. ``interrupted`` is
        told where the study is as far as it came. UsageError where a hold-out is shut on
        its sessions, unless the seal may be broken; its own is put on record first.
        """
        order = self.order
        if resume:
            self.header["study_id"] = id_to_resume(out, self.header)
        respect_seals(self._job, "tune", *self.days)
        if order.held_out:
            first, last = order.held_out["start"], order.held_out["end"]
            shut_seal(order.spec, self.market, self.header["study_id"], str(first), last)
        self.evaluate.keeps = most_used(self.evaluate) if judged else 0
        with (
            self.executor.begin(self.evaluate, order.parameter_files) as evaluate,
            open_study(out, self.header, resume=resume) as study,
            self.looks.noted(study),
        ):
            try:
                leaderboard = search_on(
                    order.sampler(),
                    evaluate,
                    study,
                    order.goal,
                    trials=order.plan.trials,
                    rows=rows,
                    progress=progress,
                )
            except KeyboardInterrupt:
                interrupted(study)
                raise
        return Tuned(self, Study.load(study.folder), leaderboard)

    @property
    def looks(self) -> SearchLooks:
        """What the record is to say of one run of the search."""
        return SearchLooks(self.order, self._job, self.days, self.header["study_id"])

    @property
    def _job(self) -> Job:
        order = self.order
        return Job(order.spec, self.evaluate.base, self.market, order.catalogue, self.break_seal)

    @property
    def borne(self) -> tuple[float, int]:
        """The years of its history, and how many sets these bear (MinBTL)."""
        first, last = self.evaluate.first, self.evaluate.last
        years = (last - first + 1) / self.market.panel.per_year(first, last)
        return years, trials_borne(years, Thresholds().target_sharpe)

    @property
    def on_record(self) -> int:
        """How many sets of the strategy are on record on these data and days."""
        contents, body = record_of(self.market).read(Look), body_of_panel(self.market.panel)
        family = family_of(self.evaluate.base, grid_of(self.order) or ())
        return on_record(contents, body, *self.days, family).count

    @property
    def days(self) -> tuple[object, object]:
        """The first and the last session."""
        return self.evaluate.day(self.evaluate.first), self.evaluate.day(self.evaluate.last)

    def judge(
        self,
        tuned: Tuned,
        *,
        verdict: bool = True,
        splits: str = "both",
        sizes: SplitSizes | None = None,
        announce: Callable[[str], object] = lambda _step: None,
    ) -> Tuned:
        """Return a search with its best trial run on the reference engine, and its judgement.

        ValidationError where the engines differ. Nothing is done where no trial meets the constraints.
        """
        best = tuned.leaderboard.best
        if best is None:
            return tuned
        announce("best trial on the reference engine")
        run = check_best(self.order.spec, self.evaluate, best, tuned.study.folder.parent)
        report = None
        if verdict:
            report = judge(
                tuned.study,
                self.evaluate,
                self.order.space,
                splits=splits,
                sizes=sizes,
                catalogue=self.order.catalogue,
                announce=announce,
            )
        return replace(tuned, report=report, best_run=run)


def tune(
    strategy: Strategy | Adapter,
    panel: Panel,
    params: Sequence[str],
    *,
    method: str = "grid",
    trials: int | None = None,
    where: Sequence[str] = (),
    objective: str | Sequence[str] = "sharpe_ratio",
    constraints: Sequence[str] = (),
    phases: str | None = None,
    splits: str = "both",
    seed: int = DEFAULT.seed,
    start: date | None = None,
    end: date | None = None,
    cash: float = DEFAULT.cash,
    costs: Costs | Mapping[str, float] | None = None,
    reserve: float = DEFAULT.reserve,
    fill: str = DEFAULT.fill,
    benchmark: str | None = None,
    executor: Executor | None = None,
    out: str | Path = "results",
    resume: bool = False,
    break_seal: bool = False,
) -> Tuned:
    """Search over parameters and judge the search; ``params`` are words as for ``tune --param``.

    What ``params`` leaves out is as in ``strategy``. ``phases`` (``mean``, ``median`` or ``worst``) ranks
    sets by that of all phases of their cycle. The study lies under ``out`` like that of the command;
    :meth:`Tuned.save` writes its page. Where no trial is feasible there is no best one, and no judgement.
    ``break_seal`` as for ``run``. Raises UsageError for words that make no space, and for a study that
    exists already unless ``resume``.
    """
    check_choice("splits", splits, SPLITS)
    conditions = Conditions.of(
        start=start,
        end=end,
        cash=cash,
        costs=costs,
        reserve=reserve,
        fill=fill,
        benchmark=benchmark,
        engine="batch",
        seed=seed,
    )
    objectives = [objective] if isinstance(objective, str) else objective
    words = SearchWords(params, where, method, trials, None, objectives, constraints, phases=phases)
    adapter = adapt(strategy)
    spec = Spec(
        adapter.name,
        {name: value for name, value in adapter.stated.items() if name not in words.names},
        data=panel.name,
        symbols=panel.symbols,
        **vars(conditions),
    )
    order = order_of(spec, {spec.strategy: adapter.written}, words)
    search = Search(order, OpenMarket(panel, benchmark), executor, break_seal=break_seal)
    tuned = search.run(Path(out), resume=resume, judged=True)
    if tuned.study.best is not None:
        report = judge(tuned.study, search.evaluate, order.space, splits=splits, catalogue=order.catalogue)
        tuned = replace(tuned, report=report)
    return tuned
