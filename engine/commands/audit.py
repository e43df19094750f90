"""``audit``: whether the numbers of a strategy can be believed: gates, and numbers that inform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.atomic import whole_file
from data.facts.universe import Fund, known_funds, universe
from data.load import choose_symbols, load_panel
from data.panel.panel import Panel
from engine.audits import AUDITS, Audited, Opinion, named
from engine.audits import audit as ask
from engine.audits.timing import NAME as TIMING_LUCK
from engine.commands.job import Job, job_of
from engine.commands.looks import days_of, note_look
from engine.commands.seals import respect_seals
from engine.commands.subject import subject
from engine.pipeline import run_name
from engine.results.documents import plain, write_json
from engine.results.runs import writing
from engine.spec import Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.protocol import Strategy

Days = NDArray[np.datetime64]

FILE = "audit.json"
PAGE = "audit.html"


@dataclass(frozen=True)
class Audit:
    """The answers of all audits that were asked, in their order, of a run over ``days``."""

    job: Job
    opinions: tuple[Opinion, ...]
    days: Days

    @property
    def failed(self) -> tuple[Opinion, ...]:
        """The gates that were missed."""
        return tuple(each for each in self.opinions if each.failed)

    @property
    def passed(self) -> bool:
        """Whether no gate was missed."""
        return not self.failed

    def __getitem__(self, name: str) -> Opinion:
        return next(each for each in self.opinions if each.name == name)

    def document(self) -> dict[str, Any]:
        """Return the document that ``audit --json`` prints."""
        answers = [
            {"name": each.name, "passed": each.passed, "sentence": each.sentence, "details": each.details}
            for each in self.opinions
        ]
        head = subject(self.job.spec, self.job.strategy, self.job.panel, seed=self.job.spec.seed)
        return head | {
            "first_day": str(self.days[0]),
            "last_day": str(self.days[-1]),
            "sessions": len(self.days),
            "passed": self.passed,
            "audits": answers,
            "data_warnings": list(self.job.data_warnings()),
        }

    @property
    def name(self) -> str:
        """The id of the run that it is of, whose folder it belongs to."""
        return run_name(self.job.spec, self.job.strategy, self.job.market)

    def save(self, folder: str | Path, *, report: bool = True) -> Path:
        """Write ``audit.json`` into a folder, which is created if needed, and return it.

        With ``report`` its page, ``audit.html``, lies beside it. UsageError where the disk does not allow it.
        """
        place, document = Path(folder) / FILE, plain(self.document())
        with writing(Path(folder)):
            place.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(place) as path:
                write_json(document, path)
            if report:
                from engine.report.audit_page import write_audit

                write_audit(document, place.with_name(PAGE))
        return place


def audit(
    strategy: Strategy | Adapter,
    panel: Panel,
    *,
    only: Iterable[str] = (),
    draws: int | None = None,
    catalogue: Mapping[str, type[Any]] | None = None,
    break_seal: bool = False,
    **conditions: Any,
) -> Audit:
    """Ask all audits of a strategy, or those named in ``only``; ``conditions`` are those of ``run``.

    ``draws`` is how often chance is asked. ``catalogue`` are strategies by name (``strategies.STRATEGIES``):
    placebo and luck band hold the strategy against `momentum` and `random` among them. ``break_seal`` as for
    ``run``.
    """
    made = job_of(strategy, panel, Conditions.of(**conditions), break_seal=break_seal)
    job = replace(made, catalogue=catalogue or {})
    return audit_job(job, only=tuple(only), draws=draws)


def audit_job(
    job: Job,
    *,
    only: Iterable[str] = (),
    draws: int | None = None,
    announce: Callable[[str], object] = lambda _name: None,
) -> Audit:
    """Return what the audits say of a job; ``announce`` is told the name of each before it begins."""
    respect_seals(job, "audit")
    audited = Audited(
        job.strategy,
        job.panel,
        job.conditions,
        draws=draws,
        catalogue=job.catalogue,
        reload=_reload(job),
        members=_members(job),
    )
    opinions = tuple(ask(audited, tuple(only), announce))
    phases = next((int(each.details.get("phases", 0)) for each in opinions if each.name == TIMING_LUCK), 0)
    note_look("audit", job, *days_of(job), phases=phases)
    return Audit(job, opinions, job.panel.days[audited.first() : audited.last + 1])


def audit_names(only: Iterable[str] | None) -> tuple[str, ...]:
    """Return the names of audits in the order in which they are asked; None: all.

    A word that only one name has will do for it; UsageError for another.
    """
    if only is None:
        return tuple(AUDITS)
    wanted = {named(word) for word in only}
    return tuple(name for name in AUDITS if name in wanted)


def _members(job: Job) -> Mapping[str, Fund]:
    """Return what is known of the funds of the named universe of a job, whether or not the data have them."""
    source, name = job.market.source, job.spec.universe
    if source is None or name is None:
        return {}
    facts = known_funds(source.read("funds"))
    return {symbol: facts[symbol] for symbol in universe(name, funds=facts)}


def _reload(job: Job) -> Callable[[date], Panel] | None:
    """Return what loads the data of a job afresh up to a day; None where their source is not known."""
    source, spec = job.market.source, job.spec
    if source is None:
        return None
    symbols = choose_symbols(source, spec.symbols, spec.universe)

    def reload(end: date) -> Panel:
        return load_panel(
            source,
            symbols,
            end=end,
            availability=spec.availability,
            lags=spec.lags,
            currency=spec.currency,
        )

    return reload
