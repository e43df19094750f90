"""``brief``: the flows of one fund on one day, as a market note tells them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data.facts.symbols import parse_symbol
from data.load import current
from data.source import DataSource, renamed
from data.synthetic import notice_of
from engine.briefs.brief import NONE, Brief, checked_day, make_brief
from engine.briefs.cycle import Strategies
from engine.briefs.lines import Windows
from engine.briefs.words import missing_by_input
from engine.pipeline import check_data
from engine.results.documents import json_text, plain, write_json
from engine.results.runs import ID_DIGITS, whole
from engine.spec import Spec

FILE = "brief.json"
PAGE = "brief.html"


@dataclass(frozen=True)
class FlowBrief:
    """A brief, and the data that it is of."""

    brief: Brief
    data: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return the document that ``brief --json`` prints.

        ``missing`` are the lines without a value by the tables, by commas, whose rows are not on file;
        ``older`` are the values that are not of the day, each with its session; fractions are fractions, not
        percent.
        """
        made = self.brief
        _, missing = missing_by_input(made.facts)
        return {
            "symbol": made.fund.symbol,
            "name": made.fund.name,
            "index": made.fund.index,
            "day": made.day,
            "next_session": made.next_session,
            "basis": made.basis,
            "values": {fact.name: fact.value for fact in made.facts},
            "reasons": {fact.name: fact.reason for fact in made.facts if fact.value is None},
            "missing": {table: [fact.name for fact in facts] for table, facts in missing.items()},
            "older": {fact.name: fact.older for fact in made.facts if fact.older},
            "notes": {fact.name: fact.note for fact in made.facts if fact.note},
            "currency": made.fund.currency,
            "units_of_measure": {fact.name: fact.unit for fact in made.facts},
            "late": made.late,
            "data": dict(self.data),
            **notice_of(self.data["synthetic"]),
        }

    @property
    def name(self) -> str:
        """The id that its folder is called by: fund, day, and a hash of all that it says."""
        digest = hashlib.sha256(json_text(plain(self.document())).encode())
        return f"brief-{self.brief.fund.symbol}-{self.brief.day}-{digest.hexdigest()[:ID_DIGITS]}"

    def save(self, out: str | Path = "results") -> Path:
        """Write the folder of the brief under ``out``, its page included, whole or not at all; return it."""
        from engine.report.brief_page import write_brief

        document = self.document()
        with whole(Path(out) / self.name) as folder:
            write_json(plain(document), folder / FILE)
            write_brief(self.brief, document, folder / PAGE)
        return Path(out) / self.name


def brief(
    source: DataSource,
    symbol: str,
    on: date | None = None,
    *,
    sessions: int | None = None,
    windows: Windows | None = None,
    theme: str = "optical",
    theme_index: str = "",
    strategies: Strategies = NONE,
    allow: tuple[str, ...] = (),
) -> FlowBrief:
    """Return the brief of ``symbol`` on the day ``on`` (None: the last on file).

    ``windows`` are those of sums and means, ``sessions`` alone the longer one of net inflow; ``theme`` is a
    tag of index constituents, ``theme_index`` an index that drifts its weight to the day. ``strategies`` is
    the table of the strategies that define macro, meso, micro and the drift (``strategies.STRATEGIES``);
    without it these lines have no value. Raises DataError where the data fail a check that is not in
    ``allow``.
    """
    source = renamed(source)
    chosen = current(source, parse_symbol(symbol))
    day = checked_day(source, chosen, on)
    check_data(Spec(strategy="brief", end=day, allow=allow), source, [chosen])
    made = make_brief(
        source,
        chosen,
        day,
        sessions=sessions,
        windows=windows,
        theme=theme,
        theme_index=theme_index,
        strategies=strategies,
    )
    data = {"name": source.name, "synthetic": source.synthetic, "fingerprint": made.fingerprint}
    return FlowBrief(made, data)
