"""What a record consists of: looks, judgements, and seals of hold-outs; one JSON line each.

A *look* is anything that measured a strategy on data: a run, a sweep, a search, a comparison, an audit,
diagnostics of a score, a signal; from the command line or a notebook. A *seal* shuts a period until it is
opened; ``opened`` and ``broken`` say when that was. Parsed here, frozen, and trusted from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.record.sets import ParameterSets


@dataclass(frozen=True)
class Look:
    """Somebody measured a strategy on a body of data.

    Attributes
    ----------
    look : an id of its own
    at : when, ISO 8601 with its offset
    command : what it was done with: run, sweep, tune, compare, audit, factor, signal, validate
    strategy : the name of its class
    source : a hash of its code (``engine.strategy.source``); empty where that cannot be read
    path : where a user's own strategy lay, as ``file.py:Class``; empty for a built-in one
    body : the data, by the name of their :class:`engine.record.body.Body`
    first, last : the sessions, as days
    sets : the parameter sets
    benchmark : what it was held against
    best : the best value of each metric that it told, by name; a hint for people, never used to judge
    bases : the names of the strategies that it derives from, or is made of
    shape : a hash of its code without numbers; empty where that is not known
    start : the first session that was asked for; empty: as early as the data allow
    conditions : a hash of money, costs and fill; empty where that is not known
    files : hashes of the files that values of parameters name, by value
    planned : sets that a search was to try beside these, when it was noted before its first; the line that
        is noted when it ends has the same id, and takes its place
    phases : of how many phases of its cycle the result was told one by one; 0: of its own alone
    run : which run of a search noted it; empty where that is not known
    begun : it was noted before the first set of that run, so that ``sets`` of a grid are what is to be tried
    """

    look: str
    at: str
    command: str
    strategy: str
    source: str
    path: str
    body: str
    first: str
    last: str
    sets: ParameterSets
    benchmark: str = ""
    best: Mapping[str, float] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    shape: str = ""
    start: str = ""
    conditions: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    planned: int = 0
    phases: int = 0
    run: str = ""
    begun: bool = False


@dataclass(frozen=True)
class Judgement:
    """A search was judged.

    Attributes
    ----------
    judgement, at, study : ids and time
    strategy, source, path, body, first, last, shape, files : as of a :class:`Look`
    word : what the page said in the end
    splits, benchmark, seed : what it was judged with
    parameters : the set that was chosen, all of it
    """

    judgement: str
    at: str
    study: str
    strategy: str
    body: str
    first: str
    last: str
    word: str
    splits: str
    benchmark: str
    seed: int
    source: str = ""
    path: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    shape: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seal:
    """A period was ``shut``, looked into on purpose (``broken``), or ``opened`` to judge: its ``kind``.

    ``study`` is the study whose hold-out it is, or the command that broke it.
    """

    seal: str
    at: str
    kind: str
    study: str
    body: str
    first: str
    last: str


@dataclass(frozen=True)
class Forgotten:
    """The user had lines of the record deleted: how many, when, and of which data."""

    forgotten: str
    at: str
    lines: int
    body: str
    first: str
    last: str


Line = Look | Judgement | Seal | Forgotten
KINDS: tuple[type[Line], ...] = (Look, Judgement, Seal, Forgotten)
_TEXTS = {
    "look",
    "judgement",
    "seal",
    "kind",
    "study",
    "strategy",
    "source",
    "path",
    "body",
    "first",
    "last",
    "run",
}

# Not written where there is none.
_OPTIONAL = frozenset({"bases", "shape", "start", "conditions", "files", "planned", "phases", "run", "begun"})


def document(line: Line) -> dict[str, Any]:
    """Return a line as JSON types."""
    found = dict(vars(line))
    if isinstance(line, Look):
        found["sets"] = line.sets.document()
        found["best"] = dict(line.best)
    if isinstance(line, Judgement):
        found["parameters"] = dict(line.parameters)
    if isinstance(line, Look | Judgement):
        found["files"] = dict(line.files)
    return {name: value for name, value in found.items() if value or name not in _OPTIONAL}


def parse(found: Mapping[str, Any]) -> Line | None:
    """Return what :func:`document` wrote; None for a line of another kind; ValueError where it is damaged."""
    for kind in KINDS:
        key = kind.__name__.lower()
        if key in found:
            given = dict(found)
            try:
                if kind is Look:
                    given["sets"] = ParameterSets.from_document(given["sets"])
                    given["bases"] = tuple(map(str, given.get("bases", ())))
                line = kind(**given)
                datetime.fromisoformat(line.at)
                if any(not isinstance(given[name], str) for name in _TEXTS & given.keys()):
                    raise TypeError("not a text")
                return line
            except (LookupError, TypeError, AttributeError, OverflowError) as error:
                raise ValueError(str(error)) from None
    return None


def replaces(line: Line, other: Line) -> bool:
    """Return whether a line takes the place of another of the same id: of looks, the one noted last.

    Within a second the later run counts, and of one run its end; of two that know nothing of each other that
    which has not ended.
    """
    if not isinstance(line, Look) or not isinstance(other, Look):
        return False
    mine, theirs = (
        (datetime.fromisoformat(each.at).timestamp(), _number(each.run)) for each in (line, other)
    )
    if mine != theirs:
        return mine > theirs
    if line.begun != other.begun:
        own = line.run == other.run
        return own if other.begun else not own
    return (-line.planned, len(line.sets)) > (-other.planned, len(other.sets))


def next_run(run: str, chance: str) -> str:
    """Return what the run of a search after ``run`` is called: its number, and something by ``chance``."""
    return f"{_number(run) + 1}-{chance}"


def _number(run: str) -> int:
    number = run.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def key_of(line: Line) -> str:
    """Return the id of a line, which is the same in every copy of it."""
    return str(getattr(line, type(line).__name__.lower()))
