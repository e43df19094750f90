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
from engine.comparisons.significance import Significance, significance, significance_document
from engine.pipeline import Watch, open_market, strategy_of
from engine.results.runs import comparison_id, finished, writing
from engine.spec import Conditions, Spec
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import adapt
from engine.strategy.protocol import Strategy


@dataclass(frozen=True)
class Comparison:
    """Runs by the name that they are called by, and the significance of their differences."""

    results: Mapping[str, Run]
    significance: Significance

    @property
    def name(self) -> str:
        """An id made of the runs'; their order counts."""
        return comparison_id([run.name for run in self.results.values()])

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Metrics by name, a column a run."""
        return pd.DataFrame({name: dict(run.metrics.values) for name, run in self.results.items()})

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
            )
        return page

    def document(
        self, folders: Mapping[str, Path], page: Path | None, seconds: Mapping[str, float]
    ) -> dict[str, Any]:
        """Return the document that ``compare --json`` prints."""
        return {
            "runs": [run.document(folders.get(name)) for name, run in self.results.items()],
            "significance": significance_document(self.significance, [*self.results]),
            "page": None if page is None else str(page),
            "seconds": dict(seconds),
        }


def compare(
    strategies: Mapping[str, Strategy | Adapter] | Iterable[Strategy | Adapter],
    panel: Panel,
    *,
    start: date | None = None,
    seed: int = 0,
    **options: Any,
) -> Comparison:
    """Run strategies over the same sessions and compare them; ``options`` are those of ``run``.

    By name, or called by their classes. Without ``start`` they begin on the first session on which all of
    them can decide.
    """
    conditions = Conditions.of(start=start, seed=seed, **options)
    named: Mapping[str, Strategy | Adapter]
    if isinstance(strategies, Mapping):
        named = strategies
    else:
        named = {each.name: each for each in map(adapt, strategies)}
    jobs = {name: job_of(each, panel, conditions) for name, each in named.items()}
    return compare_runs(run_together(jobs), seed=seed)


def finished_runs(words: Iterable[str], out: str | Path = "results") -> dict[str, tuple[Path, Run]]:
    """Return folder and run of those words that name a finished run in full: a path, an id, ``last``."""
    folders = {word: finished(word, Path(out)) for word in words}
    return {word: (folder, Run.load(folder)) for word, folder in folders.items() if folder is not None}


def open_together(
    specs: Mapping[str, Spec], catalogue: Mapping[str, type[Any]], watch: Watch | None = None
) -> dict[str, Job]:
    """Return the jobs of specs that differ in their strategies alone: all on the data of the first."""
    made = {name: strategy_of(spec, catalogue) for name, spec in specs.items()}
    market = open_market(next(iter(specs.values())), watch or Watch())
    return {name: Job(spec, made[name], market, catalogue) for name, spec in specs.items()}


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
