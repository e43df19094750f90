"""``compare``: runs side by side, over the same sessions, and whether their differences are chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from data.panel.panel import Panel
from engine.commands.job import Job, job_of
from engine.commands.run import Run, run_job
from engine.comparisons.common import begin_within, differ, together
from engine.comparisons.significance import Significance, significance, significance_document
from engine.pipeline import Watch, open_market, strategy_of
from engine.results.runs import comparison_id, finished, writing
from engine.spec import Conditions, Spec
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import adapt
from engine.strategy.protocol import Strategy


@dataclass(frozen=True)
class Comparison:
    """Runs by the name that they are called by, and the significance of their differences.

    ``together`` are the same runs over the sessions that all of them have, which their metrics are of; where
    they have none in common, or all the same, the runs themselves.
    """

    results: Mapping[str, Run]
    significance: Significance

    @property
    def differ(self) -> bool:
        """Whether the runs cover different periods, so that ``together`` is only part of some."""
        return differ([*self.results.values()])

    @property
    def begin_within(self) -> str:
        """Which runs begin on the first common session, in words; empty where all of them do, or none."""
        return begin_within([*self.results.values()], [*self.results])

    @cached_property
    def together(self) -> Mapping[str, Run]:
        """The runs over the sessions that all have, annualised as the first."""
        return dict(zip(self.results, together([*self.results.values()]), strict=True))

    @property
    def name(self) -> str:
        """An id made of the runs'; their order counts."""
        return comparison_id([run.name for run in self.results.values()])

    @property
    def data_warnings(self) -> tuple[str, ...]:
        """What there is to know of the data; what is not of all runs begins with the name of its run."""
        said = {name: run.data_warnings for name, run in self.results.items()}
        shared = set.intersection(*map(set, said.values()))
        own = [f"{name}: {text}" for name, texts in said.items() for text in texts if text not in shared]
        return (*own, *(text for text in next(iter(said.values())) if text in shared))

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Metrics by name, a column a run, over the sessions that all have."""
        return pd.DataFrame({name: dict(run.metrics.values) for name, run in self.together.items()})

    def save(
        self, out: str | Path = "results", *, report: bool = True, runs: Iterable[str] | None = None
    ) -> Path | None:
        """Write the page of the comparison under ``out`` and return it; without ``report`` None.

        The folders of its runs, all or those called ``runs``, are written too, without tear sheets.
        """
        for name in self.results if runs is None else runs:
            self.results[name].save(out, report=False)
        if not report:
            return None
        from engine.report.compare_page import write_comparison

        page = Path(out) / f"{self.name}.html"
        with writing(page):
            write_comparison(
                [*self.results.values()],
                [run.metrics for run in self.results.values()],
                page,
                self.significance,
                self.data_warnings,
            )
        return page

    def document(
        self, folders: Mapping[str, Path], page: Path | None, seconds: Mapping[str, float]
    ) -> dict[str, Any]:
        """Return the document that ``compare --json`` prints.

        Each run is measured over its ``period``, which is that of all; where it has another of its own, that
        and the metrics over it stand under ``alone``.
        """
        return {
            "runs": [self._run_document(name, folders.get(name)) for name in self.results],
            "significance": significance_document(self.significance, [*self.results]),
            "page": None if page is None else str(page),
            "seconds": dict(seconds),
        }

    def _run_document(self, name: str, folder: Path | None) -> dict[str, Any]:
        own, run = self.results[name], self.together[name]
        document = run.document(folder) | {"period": _period(run)}
        if self.differ:
            document["alone"] = _period(own) | {"metrics": dict(own.metrics.values)}
        return document


def _period(run: Run) -> dict[str, Any]:
    return {"first_day": str(run.days[0]), "last_day": str(run.days[-1]), "sessions": len(run.days)}


def compare(
    strategies: Mapping[str, Strategy | Adapter] | Iterable[Strategy | Adapter],
    panel: Panel,
    *,
    start: date | None = None,
    seed: int = 0,
    break_seal: bool = False,
    **options: Any,
) -> Comparison:
    """Run strategies over the same sessions and compare them; ``options`` are those of ``run``.

    ``break_seal`` among them. By name, or called by their classes. Without ``start`` they begin on the
    first session on which all of them can decide.
    """
    conditions = Conditions.of(start=start, seed=seed, **options)
    named: Mapping[str, Strategy | Adapter]
    if isinstance(strategies, Mapping):
        named = strategies
    else:
        named = {each.name: each for each in map(adapt, strategies)}
    jobs = {name: job_of(each, panel, conditions, break_seal=break_seal) for name, each in named.items()}
    return compare_runs(run_together(jobs), seed=seed)


def finished_runs(words: Iterable[str], out: str | Path = "results") -> dict[str, tuple[Path, Run]]:
    """Return folder and run of those words that name a finished run in full: a path, an id, ``last``."""
    folders = {word: finished(word, Path(out)) for word in words}
    return {word: (folder, Run.load(folder)) for word, folder in folders.items() if folder is not None}


def open_together(
    specs: Mapping[str, Spec],
    catalogue: Mapping[str, type[Any]],
    watch: Watch | None = None,
    *,
    break_seal: bool = False,
) -> dict[str, Job]:
    """Return the jobs of specs that differ in their strategies alone: all on the data of the first."""
    made = {name: strategy_of(spec, catalogue) for name, spec in specs.items()}
    market = open_market(next(iter(specs.values())), watch or Watch())
    return {name: Job(spec, made[name], market, catalogue, break_seal) for name, spec in specs.items()}


def run_together(jobs: Mapping[str, Job], watch: Watch | None = None) -> dict[str, Run]:
    """Run jobs on one market from the same day: the given one, or the first on which all can decide."""
    if not jobs:
        return {}
    first = next(iter(jobs.values()))
    if first.spec.start is None:
        row = max(job.strategy.first_session(job.panel) for job in jobs.values())
        start = first.panel.days[row].item()
        jobs = {name: job.as_of(job.spec.with_(start=start)) for name, job in jobs.items()}
    return {name: run_job(job, watch, command="compare") for name, job in jobs.items()}


def compare_runs(runs: Mapping[str, Run], *, seed: int = 0, watch: Watch | None = None) -> Comparison:
    """Return the comparison of runs that were made, each called by a name."""
    with (watch or Watch())("significance"):
        return Comparison(runs, significance([*runs.values()], seed=seed))
