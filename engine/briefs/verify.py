"""Whether what was said of funds is what the data say: a brief a fund and day, a verdict a statement.

- *agrees*: a line that the statement may mean has its value;
- *cannot be told*: none agrees, and one has no value, or is known for an earlier session only;
- *differs*: every line that it may mean is known, and none agrees; ``by`` is the smallest difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from data.errors import DataError, UsageError
from data.words import digits
from engine.briefs.brief import Brief
from engine.briefs.lines import Windows
from engine.briefs.series import Fact, Value
from engine.briefs.statements import Statement, windows_of

AGREES, DIFFERS, UNTOLD = "agrees", "differs", "cannot be told"
WORDS = (AGREES, DIFFERS, UNTOLD)


@dataclass(frozen=True)
class StatementVerdict:
    """The verdict on one statement: the word, the line that it rests on and its value; or why there is none.

    ``by`` is the value less what was said; None unless both are numbers and differ.
    """

    statement: Statement
    word: str
    line: str = ""
    value: Value = None
    by: float | None = None
    reason: str = ""

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.word == UNTOLD:
            return f"cannot be told because {self.reason}"
        if self.word == AGREES:
            return AGREES
        if self.by is None:
            return "differs"
        return f"differs by {'+' if self.by > 0.0 else ''}{digits(self.by, 6)}"


def verify(
    statements: Sequence[Statement], brief_of: Callable[[str, date, Windows], Brief]
) -> tuple[StatementVerdict, ...]:
    """Return the verdicts in the order of the statements.

    ``brief_of`` makes the brief of a fund on a day with windows. Where it says that data are missing, or that
    the day is no session, the statements about them cannot be told.
    """
    groups: dict[tuple[str, date], list[Statement]] = {}
    for each in statements:
        groups.setdefault((each.fund, each.day), []).append(each)
    found: dict[Statement, StatementVerdict] = {}
    for (fund, day), group in groups.items():
        windows = windows_of(line for each in group for line in each.lines)
        try:
            facts = {fact.name: fact for fact in brief_of(fund, day, windows).facts}
        except (DataError, UsageError) as error:
            reason = error.what if error.received is None else f"{error.what}: {error.received}"
            found.update({each: StatementVerdict(each, UNTOLD, reason=reason) for each in group})
            continue
        found.update({each: judge(each, facts) for each in group})
    return tuple(found[each] for each in statements)


def judge(statement: Statement, facts: dict[str, Fact]) -> StatementVerdict:
    """Return the verdict on a statement from the facts of its fund and day, by name."""
    untold: list[tuple[str, str]] = []
    others: list[Fact] = []
    for name in statement.lines:
        fact = facts.get(name)
        if fact is None or fact.value is None:
            reason = fact.reason if fact else f"the brief has no line `{name}` for this fund"
            untold.append((name, reason))
        elif fact.older:
            untold.append((name, f"the latest known is of {fact.older}: {_text(fact.value)}"))
        elif statement.agrees(fact.value):
            return StatementVerdict(statement, AGREES, name, fact.value)
        else:
            others.append(fact)
    if untold:
        name, reason = untold[0]
        return StatementVerdict(statement, UNTOLD, name, reason=reason)
    nearest = min(others, key=lambda fact: abs(_less(fact.value, statement.value) or 0.0))
    by = _less(nearest.value, statement.value)
    return StatementVerdict(statement, DIFFERS, nearest.name, nearest.value, by)


def _less(value: Value, said: Value) -> float | None:
    numbers = not isinstance(value, bool | str) and not isinstance(said, bool | str)
    return None if not numbers or value is None or said is None else float(value) - float(said)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.10g}"
