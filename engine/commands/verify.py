"""``brief --verify``: what notes and reports said of funds, held against the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data.errors import UsageError
from data.facts.dated import FACTS
from data.facts.symbols import parse_symbol
from data.source import DataSource
from data.synthetic import notice_of
from engine.briefs.brief import NONE, Brief
from engine.briefs.cycle import DEFINED_BY_STRATEGIES, Strategies
from engine.briefs.lines import Windows
from engine.briefs.statements import read_statements
from engine.briefs.verify import WORDS, StatementVerdict
from engine.briefs.verify import verify as verify_statements
from engine.commands.brief import brief

SHIPPED = "shipped"


@dataclass(frozen=True)
class Verified:
    """The verdicts on the statements of a file, and the data that they rest on."""

    verdicts: tuple[StatementVerdict, ...]
    data: Mapping[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        """How many statements have each verdict."""
        return {word: sum(each.word == word for each in self.verdicts) for word in WORDS}

    def document(self) -> dict[str, Any]:
        """Return the document that ``brief --verify FILE --json`` prints."""
        return {
            "statements": [
                {
                    "statement": each.statement.name,
                    "fund": each.statement.fund,
                    "day": each.statement.day,
                    "said": each.statement.said,
                    "tolerance": each.statement.tolerance,
                    "source": each.statement.source,
                    "verdict": each.word,
                    "line": each.line or None,
                    "value": each.value,
                    "by": each.by,
                    "reason": each.reason or None,
                }
                for each in self.verdicts
            ],
            "counts": self.counts,
            "data": dict(self.data),
            **notice_of(self.data["synthetic"]),
        }


def verify(
    source: DataSource,
    statements: Path | str = SHIPPED,
    *,
    symbol: str | None = None,
    on: date | None = None,
    theme: str = "optical",
    theme_index: str = "",
    strategies: Strategies = NONE,
    allow: tuple[str, ...] = (),
) -> Verified:
    """Return the verdicts on a file of statements, or on those that ship with etflow (``"shipped"``).

    Theme and strategies are those of :func:`engine.commands.brief.brief`; ``symbol`` and ``on`` keep those
    about one fund, or about one day. UsageError for a file that is none of statements
    (``engine.briefs.statements``), or has none that is asked for.
    """
    path = FACTS / "statements.csv" if statements == SHIPPED else Path(statements)
    fund = None if symbol is None else parse_symbol(symbol)
    asked = [each for each in read_statements(path) if fund in (None, each.fund) and on in (None, each.day)]
    if not asked:
        raise UsageError(
            f"{path} has no statement about that",
            received=" on ".join(str(each) for each in (fund, on) if each),
        )
    needed = any(line in DEFINED_BY_STRATEGIES for each in asked for line in each.lines)

    def brief_of(fund: str, day: date, windows: Windows) -> Brief:
        return brief(
            source,
            fund,
            day,
            windows=windows,
            theme=theme,
            theme_index=theme_index,
            strategies=strategies if needed else NONE,
            allow=allow,
        ).brief

    data = {"name": source.name, "synthetic": source.synthetic}
    return Verified(verify_statements(asked, brief_of), data)
