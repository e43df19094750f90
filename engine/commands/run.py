"""``run``: one backtest, its metrics, its folder with a tear sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.panel.panel import Panel
from data.synthetic import notice_of
from data.words import count
from engine.commands.job import Job, job_of
from engine.commands.looks import note_look, told
from engine.commands.seals import respect_seals
from engine.kernel.costs import Costs
from engine.metrics import Metrics, compute_metrics
from engine.pipeline import Watch, execute
from engine.result import Result
from engine.results import folder as folders
from engine.results import loading
from engine.results.curves import drawdown
from engine.results.runs import writing
from engine.spec import DEFAULT, Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.protocol import Strategy


@dataclass(frozen=True)
class Run(Result):
    """A result that has its id, its metrics, and knows how to save itself.

    ``job`` is what it is of, where it was not loaded from a folder.
    """

    job: Job | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, result: Result, job: Job | None = None) -> Run:
        """Return a result as a run."""
        return cls(**{each.name: getattr(result, each.name) for each in fields(Result)}, job=job)

    @classmethod
    def load(cls, folder: str | Path, *, balanced: bool = True) -> Run:
        """Return the run in a results folder, with the metrics that it was saved with.

        DataError where a file is damaged, or its books do not balance, unless not ``balanced``.
        """
        run = cls.of(loading.load(Path(folder), balanced=balanced))
        run.__dict__["metrics"] = loading.read_metrics(Path(folder))
        return run

    @cached_property
    def metrics(self) -> Metrics:
        """Statistics by name, empyrical's names; None where undefined, and ``reasons`` beside them."""
        return compute_metrics(self)

    def save(self, out: str | Path = "results", *, report: bool = True, pyfolio: bool = False) -> Path:
        """Write the results folder under ``out``, whole or not at all, and return it.

        With ``report`` the tear sheet is in it, with ``pyfolio`` its figures and tables on that.
        UsageError where the disk does not allow it.
        """
        folder = Path(out) / self.name
        shown = self._shown if report else self
        page = partial(shown._write_page, pyfolio=pyfolio)
        folders.save(shown, self.metrics, folder, page if report else None)
        return folder

    @property
    def _shown(self) -> Run:
        """The run with what its tear sheet says beside the numbers; a loaded one has it from its folder."""
        if self.job is None:
            return self
        from engine.commands.context import with_verdict

        shown = replace(self, **with_verdict(self._beside, self.job, self))
        shown.__dict__["metrics"] = self.metrics
        return shown

    @cached_property
    def _beside(self) -> dict[str, Any]:
        from engine.commands.context import with_context

        return {} if self.job is None else with_context(self.job, self)

    @property
    def idle(self) -> str:
        """Why nothing was ever bought, as a sentence without its end; empty where something was."""
        if len(self.fills):
            return ""
        if len(self.rejections):
            reasons = self.rejections.groupby("reason", sort=True).size()
            return (
                f"no order traded: {', '.join(f'{reason} {number:,}' for reason, number in reasons.items())}"
            )
        threshold = self.manifest["parameters"].get("threshold")
        listed = np.isfinite(self.mark[np.searchsorted(self.days, self.decision_days)])
        scores = self.scores[listed]
        finite = scores[np.isfinite(scores)]
        if threshold is None or not len(finite) or finite.max() > threshold:
            return f"no fund was ever chosen, on {count(len(self.decision_days), 'decision')}"
        infinite = int(np.isinf(scores).sum())
        besides = f"; {infinite:,} of {scores.size:,} are infinite, which count as none" if infinite else ""
        span = f"they are from {finite.min():.6g} to {finite.max():.6g}{besides}"
        return f"no fund was ever chosen: no score is above the threshold of {threshold:g}, {span}"

    def document(
        self, folder: Path | None = None, seconds: Mapping[str, float] | None = None
    ) -> dict[str, Any]:
        """Return the document that ``run --json`` prints; numbers are fractions, undefined ones None."""
        manifest = self.manifest
        document: dict[str, Any] = {
            "run_id": self.name,
            "folder": None if folder is None else str(folder),
            "strategy": manifest["strategy"],
            "parameters": manifest["parameters"],
            "engine": manifest["engine"],
            "data": manifest["data"],
            "metrics": dict(self.metrics.values),
            "reasons": dict(self.metrics.reasons),
            "counts": {
                "sessions": len(self.days),
                "decisions": len(self.decision_days),
                "fills": len(self.fills),
                "rejections": len(self.rejections),
            },
            "data_warnings": list(self.data_warnings),
            "seconds": dict(seconds or {}),
            "benchmark": manifest.get("benchmark"),
            "benchmark_known": manifest.get("benchmark_known"),
        }
        return document | notice_of(self.synthetic)

    def to_pandas(self) -> pd.DataFrame:
        """Return the run by session: equity, cash, its returns and those of the alternatives, drawdown."""
        return pd.DataFrame(
            {
                "equity": self.equity,
                "cash": self.cash,
                "return": self.returns,
                "benchmark_return": self.benchmark_return,
                "equal_weight_return": self.equal_weight_return,
                "drawdown": drawdown(self.returns),
            },
            index=pd.DatetimeIndex(self.days, name="day"),
        )

    def report(self, path: str | Path, *, pyfolio: bool = False) -> Path:
        """Write the tear sheet alone to ``path``, whole or not at all, and return it.

        UsageError where the disk does not allow it.
        """
        with writing(Path(path)):
            self._shown._write_page(Path(path), pyfolio=pyfolio)
        return Path(path)

    def plot(self) -> Any:
        """Return equity, drawdown, flow and holdings as a figure of matplotlib; a notebook shows it."""
        from engine.report.notebook import plotted

        return plotted(self._shown)

    def _repr_html_(self) -> str:
        from engine.report.notebook import fragment

        return fragment(self, self.metrics)

    def _write_page(self, path: Path, *, pyfolio: bool) -> None:
        from engine.report.tearsheet import write_tearsheet

        write_tearsheet(self, self.metrics, path, pyfolio=pyfolio)


def run(
    strategy: Strategy | Adapter,
    panel: Panel,
    *,
    start: date | None = None,
    end: date | None = None,
    cash: float = DEFAULT.cash,
    costs: Costs | Mapping[str, float] | None = None,
    reserve: float = DEFAULT.reserve,
    fill: str = DEFAULT.fill,
    benchmark: str | None = None,
    engine: str = DEFAULT.engine,
    break_seal: bool = False,
) -> Run:
    """Return the run of ``strategy`` on ``panel`` from ``start`` to ``end``, both included.

    Without ``start`` it begins on the first session on which the strategy can decide. ``costs`` may be a
    mapping, as ``{"commission_rate": 0.0001}``; ``benchmark`` is an index code of the panel, or
    ``equal_weight``. Errors of the strategy come as StrategyError. UsageError for a period into which a
    hold-out reaches that is shut, unless ``break_seal``, which is put on record.
    """
    conditions = Conditions.of(
        start=start,
        end=end,
        cash=cash,
        costs=costs,
        reserve=reserve,
        fill=fill,
        benchmark=benchmark,
        engine=engine,
    )
    return run_job(job_of(strategy, panel, conditions, break_seal=break_seal))


def run_job(job: Job, watch: Watch | None = None, *, command: str = "run") -> Run:
    """Return the run of a job, put on record as a look; its folder is written by :meth:`Run.save`."""
    watch = watch or Watch()
    respect_seals(job, command)
    with watch("simulation"):
        found = Run.of(execute(job.spec, job.strategy, job.market), job)
    with watch("metrics"):
        best = told(found.metrics)
    note_look(command, job, found.days[0], found.days[-1], best=best)
    return found
