"""``brief --universe``: the flows of the funds of a universe on one day, side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data.errors import DataError
from data.facts.universe import known_funds, universe
from data.load import choose_symbols
from data.source import DataSource, renamed
from data.synthetic import notice_of
from engine.briefs.brief import NONE, Brief, make_brief
from engine.briefs.cycle import DEFINED_BY_STRATEGIES, Strategies
from engine.briefs.lines import Windows
from engine.briefs.ranking import BY, Ranking, rank_funds
from engine.pipeline import check_data
from engine.results.documents import json_text, plain, write_json
from engine.results.runs import ID_DIGITS, whole
from engine.spec import Spec

FILE = "ranking.json"
PAGE = "ranking.html"


@dataclass(frozen=True)
class FundRanking:
    """A ranking, and what it is of.

    ``not_on_file`` were listed on the day and have no bars in the data; ``unsure`` may have been listed.
    """

    universe: str
    ranking: Ranking
    not_on_file: tuple[str, ...]
    unsure: tuple[str, ...]
    data: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return the document that ``brief --universe NAME --json`` prints."""
        made = self.ranking
        return {
            "universe": self.universe,
            "day": made.day,
            "by": made.by,
            "funds": [
                {
                    "rank": row.rank,
                    "symbol": row.symbol,
                    "name": row.name,
                    "values": {fact.name: fact.value for fact in row.facts},
                    "older": {fact.name: fact.older for fact in row.facts if fact.older},
                    "reasons": {fact.name: fact.reason for fact in row.facts if fact.value is None},
                    "reason": row.reason or None,
                }
                for row in made.rows
            ],
            "units_of_measure": {fact.name: fact.unit for row in made.rows for fact in row.facts},
            "not_on_file": self.not_on_file,
            "listing_not_on_file": self.unsure,
            "data": dict(self.data),
            **notice_of(self.data["synthetic"]),
        }

    def save(self, out: str | Path = "results") -> Path:
        """Write the folder of the ranking under ``out``, its page included, whole or not at all; return it.

        Its name is the universe, the day, and a hash of all that it says.
        """
        from engine.report.ranking_page import write_ranking

        document = plain(self.document())
        digest = hashlib.sha256(json_text(document).encode()).hexdigest()[:ID_DIGITS]
        place = Path(out) / f"ranking-{self.universe}-{self.ranking.day}-{digest}"
        with whole(place) as folder:
            write_json(document, folder / FILE)
            write_ranking(self.ranking, document, folder / PAGE)
        return place


def rank(
    source: DataSource,
    name: str,
    on: date | None = None,
    *,
    by: str = BY,
    strategies: Strategies = NONE,
    allow: tuple[str, ...] = (),
) -> FundRanking:
    """Return the funds of the universe ``name`` on the day ``on`` (None: the last bar of any of them).

    ``by`` is the line that they are ranked by; ``strategies`` define some of them. DataError where the data
    have no fund that was listed then, or fail a check that is not in ``allow``.
    """
    source = renamed(source)
    on_file = choose_symbols(source, universe_name=name)
    bars = source.read("bars", on_file)
    day: date = on or bars["day"].max().date()
    facts = known_funds(source.read("funds"))
    listed = universe(name, day, facts)
    chosen = [symbol for symbol in on_file if symbol in listed]
    if not chosen:
        raise DataError(f"no fund of the universe `{name}` on file was listed on that day", received=day)
    check_data(Spec(strategy="brief", end=day, allow=allow), source, chosen)
    defining = strategies if by in DEFINED_BY_STRATEGIES else NONE

    def brief_of(symbol: str, windows: Windows) -> Brief:
        return make_brief(source, symbol, day, windows=windows, strategies=defining)

    made = rank_funds({each: facts[each].on(day).name for each in chosen}, day, by, brief_of)
    return FundRanking(
        name,
        made,
        tuple(symbol for symbol in listed if symbol not in on_file),
        tuple(each for each in universe(name, funds=facts) if facts[each].may_be_listed_on(day)),
        {"name": source.name, "synthetic": source.synthetic},
    )
