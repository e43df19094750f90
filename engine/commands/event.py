"""``event``: what funds earned after something happened to them, against funds to which it did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data.numeric.shared import sharing
from data.panel.panel import Panel
from engine.commands.job import Job, job_of
from engine.commands.looks import note_look
from engine.commands.seals import respect_seals
from engine.commands.subject import subject
from engine.events import HORIZONS, EventStudy, event_document, event_id, study_events
from engine.factors import checked_horizons
from engine.pipeline import Watch
from engine.results.documents import plain, write_json
from engine.results.runs import whole
from engine.spec import DEFAULT, Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.protocol import Strategy

FILE = "event.json"
PAGE = "event.html"


@dataclass(frozen=True)
class Event:
    """What events were followed by, and what they are."""

    job: Job
    study: EventStudy

    @property
    def name(self) -> str:
        """The id that the folder is called by."""
        return event_id(self.job.panel.fingerprint, self.study)

    @property
    def what(self) -> str:
        """The event in words: the condition, of a strategy that has one as ``when``."""
        return str(self.job.strategy.fields.get("when") or f"an event of {self.job.strategy.name}")

    @property
    def data_warnings(self) -> tuple[str, ...]:
        """What the checks warn of in the data that events and returns come from."""
        return self.job.data_warnings(self.study.days[0], self.study.days[-1])

    def document(self) -> dict[str, Any]:
        """Return the document that ``event --json`` prints, without places and times."""
        about = subject(self.job.spec, self.job.strategy, self.job.panel)
        notice = {"notice": about.pop("notice")} if "notice" in about else {}
        told = {"event": self.what, "data_warnings": list(self.data_warnings)}
        return {"event_id": self.name} | about | event_document(self.study) | told | notice

    def save(self, out: str | Path = "results", *, report: bool = True) -> Path:
        """Write the folder of the study under ``out``, whole or not at all, and return it."""
        document = self.document()
        with whole(Path(out) / self.name) as folder:
            write_json(plain(document), folder / FILE)
            if report:
                from engine.report.event_page import write_event

                write_event(self.study, document, folder / PAGE)
        return Path(out) / self.name


def event(
    strategy: Strategy | Adapter,
    panel: Panel,
    *,
    horizons: Sequence[int] = HORIZONS,
    start: date | None = None,
    end: date | None = None,
    fill: str = DEFAULT.fill,
    break_seal: bool = False,
) -> Event:
    """Return what the events of ``strategy`` were followed by on ``panel``, by horizon in sessions.

    For instance of ``strategies.event.Event(when="units_record")``. ``break_seal`` as for ``run``.
    """
    conditions = Conditions.of(start=start, end=end, fill=fill)
    return event_job(job_of(strategy, panel, conditions, break_seal=break_seal), horizons)


def event_job(job: Job, horizons: Sequence[int] = HORIZONS, watch: Watch | None = None) -> Event:
    """Return the event study of a job, put on record as a look."""
    lengths = checked_horizons(list(horizons))
    respect_seals(job, "event")
    with (watch or Watch())("event"), sharing(job.panel.known):
        found = study_events(job.strategy, job.panel, job.conditions, horizons=lengths)
    note_look("event", job, found.days[0], found.days[-1])
    return Event(job, found)
