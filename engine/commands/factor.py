"""``factor``: whether the score itself predicts returns, before it becomes a portfolio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data.panel.panel import Panel
from engine.commands.job import Job, job_of
from engine.commands.looks import note_look
from engine.commands.seals import respect_seals
from engine.commands.subject import subject
from engine.factors import HORIZONS, Diagnostics, checked_horizons, diagnose, factor_document, factor_id
from engine.pipeline import Watch
from engine.results.documents import plain, write_json
from engine.results.runs import whole
from engine.spec import DEFAULT, Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.protocol import Strategy

FILE = "factor.json"
PAGE = "factor.html"


@dataclass(frozen=True)
class Factor:
    """Diagnostics of a score, and what they are about."""

    job: Job
    diagnostics: Diagnostics

    @property
    def name(self) -> str:
        """The id that their folder is called by."""
        return factor_id(self.job.spec.strategy, self.job.panel.fingerprint, self.diagnostics)

    @property
    def data_warnings(self) -> tuple[str, ...]:
        """What the checks warn of in the data that the scores come from."""
        return self.job.data_warnings(self.diagnostics.days[0], self.diagnostics.days[-1])

    def document(self) -> dict[str, Any]:
        """Return the document that ``factor --json`` prints, without places and times."""
        about = subject(self.job.spec, self.job.strategy, self.job.panel)
        notice = {"notice": about.pop("notice")} if "notice" in about else {}
        told = {"data_warnings": list(self.data_warnings)}
        return {"factor_id": self.name} | about | factor_document(self.diagnostics) | told | notice

    def save(self, out: str | Path = "results", *, report: bool = True) -> Path:
        """Write the folder of the diagnostics under ``out``, whole or not at all, and return it."""
        document = self.document()
        with whole(Path(out) / self.name) as folder:
            write_json(plain(document), folder / FILE)
            if report:
                from engine.report.factor_page import write_factor

                write_factor(self.diagnostics, document, folder / PAGE)
        return Path(out) / self.name


def factor(
    strategy: Strategy | Adapter,
    panel: Panel,
    *,
    horizons: Sequence[int] = HORIZONS,
    start: date | None = None,
    end: date | None = None,
    fill: str = DEFAULT.fill,
    break_seal: bool = False,
) -> Factor:
    """Return the diagnostics of the scores of ``strategy`` on ``panel``, by horizon in sessions.

    ``break_seal`` as for ``run``.
    """
    conditions = Conditions.of(start=start, end=end, fill=fill)
    return factor_job(job_of(strategy, panel, conditions, break_seal=break_seal), horizons)


def factor_job(job: Job, horizons: Sequence[int] = HORIZONS, watch: Watch | None = None) -> Factor:
    """Return the diagnostics of a job's scores, put on record as a look."""
    lengths = checked_horizons(list(horizons))
    respect_seals(job, "factor")
    with (watch or Watch())("factor"):
        found = diagnose(job.strategy, job.panel, job.conditions, horizons=lengths)
    note_look("factor", job, found.days[0], found.days[-1])
    return Factor(job, found)
