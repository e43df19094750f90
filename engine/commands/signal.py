"""``signal``: what to hold at the next open, as orders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.errors import UsageError
from data.facts.availability import load_availability
from data.load import choose_symbols
from data.panel.panel import Panel
from data.source import DataSource, renewal
from engine.commands.context import names_of
from engine.commands.job import Job, job_of
from engine.commands.looks import note_look
from engine.commands.seals import respect_seals
from engine.commands.subject import subject
from engine.orders.formats import Format, write_orders
from engine.orders.inputs import Behind, Input, behind, inputs_of, require_closes, require_fresh
from engine.orders.next_open import Signal, decide_next, next_panel
from engine.orders.opens import Open, opens_of
from engine.orders.tickets import BAND, Ticket, Tickets, tickets_of
from engine.pipeline import Watch
from engine.results.documents import json_text, plain, write_json
from engine.results.runs import ID_DIGITS, stem_of, whole
from engine.simulation.standing import Past, Standing
from engine.spec import Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.protocol import Strategy

FILE = "signal.json"
PAGE = "signal.html"


@dataclass(frozen=True)
class NextOrders:
    """The decision before the next open: its orders, what they are computed from, and what they are about.

    ``signal`` has what a backtest would send, ``tickets`` what can be sent of it, ``inputs`` the vintage and
    age of what the strategy read. ``opens`` are those of its markets, ``behind`` the markets that lack their
    last close before.
    """

    job: Job
    panel: Panel
    signal: Signal
    tickets: Tickets
    inputs: tuple[Input, ...]
    opens: tuple[Open, ...]
    behind: tuple[Behind, ...] = ()

    @property
    def currency(self) -> str:
        """The currency of the account."""
        return self.panel.currency or self.opens[0].currency

    @property
    def data_warnings(self) -> tuple[str, ...]:
        """What the checks warn of in the data that the decision comes from."""
        return self.job.data_warnings(self.signal.last_day, self.signal.last_day)

    def document(self) -> dict[str, Any]:
        """Return the document that ``signal --json`` prints."""
        signal = self.signal
        about = subject(self.job.spec, self.job.strategy, self.job.panel)
        notice = {"notice": about.pop("notice")} if "notice" in about else {}
        about["data"] |= {
            "first_day": str(self.panel.days[0]),
            "last_day": str(signal.last_day),
            "symbols": list(self.panel.symbols),
        }
        decided = {
            "day": signal.day,
            "start": signal.start,
            "decision_session": signal.decides,
            "next_decision": signal.next_decision,
            "currency": self.currency,
            "cash": signal.cash,
            "equity": signal.equity,
            "cash_after": self.tickets.cash_after,
            "orders": self.orders(),
            "not_sent": [_ticket(each) for each in self.tickets.dropped],
            "inputs": [asdict(each) | {"late": dict(each.late)} for each in self.inputs],
            "funds": [asdict(line) | {"target_shares": line.target_shares} for line in signal.lines],
            "actions": signal.actions,
            "rebalance": about["parameters"].get("rebalance"),
            "costs": self.job.spec.costs.to_dict(),
            "data_warnings": list(self.data_warnings),
        }
        if self.panel.currency is not None:
            decided |= {"markets": [asdict(each) for each in self.opens]}
            decided |= {"behind": [asdict(each) for each in self.behind]}
        return about | decided | notice

    def orders(self) -> list[dict[str, Any]]:
        """Return the orders in the order in which they are sent, each with an id that tells day and place."""
        return [
            {"id": f"{self.signal.day:%Y%m%d}-{place:02d}", **_ticket(ticket)}
            for place, ticket in enumerate(self.tickets.sent, start=1)
        ]

    def orders_file(self, wanted: Format) -> str:
        """Return the orders as the text of a file of a format."""
        about = {"day": self.signal.day, "strategy": stem_of(self.job.spec.strategy)}
        rows = [about | order | {"price": order["limit_price"]} for order in self.orders()]
        return write_orders(rows, wanted)

    @property
    def name(self) -> str:
        """The id that its folder is called by: strategy, day, and a hash of all that it says."""
        digest = hashlib.sha256(json_text(plain(self.document())).encode()).hexdigest()
        return f"signal-{stem_of(self.job.spec.strategy)}-{self.signal.day}-{digest[:ID_DIGITS]}"

    def save(self, out: str | Path = "results") -> Path:
        """Write the folder of the signal under ``out``, its page included, whole or not at all; return it."""
        from engine.report.signal_page import write_signal

        document = plain(self.document())
        names = names_of(self.job.market, [line.symbol for line in self.signal.lines])
        with whole(Path(out) / self.name) as folder:
            write_json(document, folder / FILE)
            write_signal(document, names, folder / PAGE)
        return Path(out) / self.name


def signal(
    strategy: Strategy | Adapter,
    panel: Panel,
    source: DataSource,
    *,
    holdings: Mapping[str, int] | None = None,
    cash: float | None = None,
    band: float = BAND,
    allow_stale: bool = True,
    break_seal: bool = False,
    **conditions: Any,
) -> NextOrders:
    """Return what ``strategy`` sends before the open after the last session of ``panel``.

    ``source`` is what the panel was loaded from: the next session is laid out on it. ``holdings`` are shares
    by symbol at the last close, ``cash`` what lies beside them; ``band`` is the fraction by which a limit
    price may be worse than the reference. Unless ``allow_stale``, DataError where newer data should be on
    file. ``conditions`` and ``break_seal`` are those of ``run``.
    """
    job = job_of(strategy, panel, Conditions.of(**conditions), source, break_seal=break_seal)
    return signal_job(job, holdings=holdings, cash=cash, band=band, allow_stale=allow_stale)


def signal_job(
    job: Job,
    *,
    holdings: Mapping[str, int] | None = None,
    cash: float | None = None,
    standing: Standing | None = None,
    past: Past = (),
    band: float = BAND,
    allow_stale: bool = True,
    watch: Watch | None = None,
) -> NextOrders:
    """Return the orders of a job before the next open; ``standing`` is that of an account that is kept.

    ``past`` are its sessions (``engine.simulation.standing``), for a strategy that remembers.
    """
    source, spec = job.market.source, job.spec
    if source is None:
        raise UsageError("orders for the next open need the source that the panel was loaded from")
    respect_seals(job, "signal", job.panel.days[-1], job.panel.days[-1])
    with (watch or Watch())("signal"):
        panel = next_panel(
            source,
            choose_symbols(source, spec.symbols, spec.universe),
            job.panel.days[-1].item(),
            availability=spec.availability,
            lags=spec.lags,
            currency=job.panel.currency,
        )
        lagging = behind(panel)
        if not allow_stale:
            require_closes(lagging, panel.days[-1].item(), renewal(source))
        standing = standing or Standing(spec.cash if cash is None else cash, holdings or {})
        current = job.current
        found = decide_next(
            job.strategy,
            panel,
            job.conditions,
            standing=standing.renamed(current),
            past=((day, before.renamed(current)) for day, before in past),
        )
        published = load_availability(spec.availability, spec.lags)
        concerned = {line.symbol for line in found.lines if line.weight or line.shares}
        inputs = inputs_of(found.reads, panel, published, source, concerned)
        if not allow_stale:
            require_fresh(inputs, found.last_day, renewal(source))
        tickets = tickets_of(found, panel, job.conditions.costs, band)
    note_look("signal", job, found.last_day, found.last_day)
    return NextOrders(job, panel, found, tickets, inputs, opens_of(panel, published), lagging)


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return asdict(ticket) | {"cut": dict(ticket.cut)}
