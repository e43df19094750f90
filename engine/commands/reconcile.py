"""``signal reconcile``: what became of the orders of an evening, against what the engine would have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from data.errors import DataError
from engine.commands.job import Job
from engine.commands.looks import note_look
from engine.commands.seals import respect_seals
from engine.commands.subject import subject
from engine.orders.formats import Row
from engine.orders.reconcile import Reconciliation, reconcile
from engine.orders.tickets import BAND
from engine.pipeline import Watch
from engine.simulation.standing import Past, Standing


@dataclass(frozen=True)
class Reconciled:
    """A session held against the engine, and what it is about."""

    job: Job
    found: Reconciliation

    def document(self) -> dict[str, Any]:
        """Return the document that ``signal reconcile --json`` prints; causes are in basis points."""
        about = subject(self.job.spec, self.job.strategy, self.job.panel)
        return about | asdict(self.found)


def reconcile_job(
    job: Job,
    day: date,
    standing: Standing,
    orders: Sequence[Row],
    fills: Sequence[Row],
    *,
    past: Past = (),
    band: float = BAND,
    watch: Watch | None = None,
) -> Reconciled:
    """Return why ``fills`` earned something else in the session of ``day`` than the engine would have.

    ``standing`` is that of the account at the close before, ``past`` its sessions until then.
    DataError where the data do not end with ``day``.
    """
    panel = job.panel
    if panel.days[-1].item() != day:
        raise DataError(
            f"the data have no session of {day}, for which the orders are",
            received=f"data to {panel.days[-1]}",
            hint="Fetch or import the day first.",
        )
    respect_seals(job, "signal", panel.days[-1], panel.days[-1])
    with (watch or Watch())("reconcile"):
        current = job.current
        orders, fills = (
            [replace(row, symbol=current(row.symbol)) for row in rows] for rows in (orders, fills)
        )
        standing, past = standing.renamed(current), ((each, before.renamed(current)) for each, before in past)
        found = reconcile(job.strategy, panel, job.conditions, standing, orders, fills, past=past, band=band)
    note_look("signal", job, panel.days[-1], panel.days[-1])
    return Reconciled(job, found)
