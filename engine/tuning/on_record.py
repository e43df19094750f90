"""What the record says of a strategy on some sessions: which sets were looked at, and how it was judged.

A family is what has the same class name, whatever file it is in and however it was edited; what has the same
code, or the same but for its numbers, whatever it is called and wherever it stands; and what it derives from.
A look counts where its data share a fund and a month with these, and its period a day with this one. The same
parameters of the same code, and files of the same content that they name, are one set, however often it was
looked at. Where one set was looked at on several choices of funds, first sessions or conditions, those but
the first are *variants*: chances that somebody took, though no other sets. Sessions and funds that came
since, and another order, make none.

What gives the same bits for the same input gave two results only where the input was not the same: a strategy
reads something that is not on record (a global that a notebook changed, the environment), or flows were
altered. Each result beyond the first *drifted*, and was another set.

An audit that tells what each phase of a cycle came to is a look at all of them as soon as another phase than
that which was audited is taken.

What cannot be known is said in words, with the next step: a place that cannot be read or written, lines
that are damaged, lines that were deleted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.record.body import Body
from engine.record.lines import Forgotten, Judgement, Line, Look
from engine.record.record import Contents

Key = tuple[str, str]
Setting = tuple[tuple[str, ...], str, str]

ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)
MOST_COUNTED = 200_000
"""Sets that are told apart; beyond, the sets of all looks are added up, and an even part of them is read."""


@dataclass(frozen=True)
class Family:
    """A strategy: the name of its class, the hashes of its code, and ``bases``, what it derives from.

    Looks at a strategy that it derives from, at one that derives from it, and at one that derives from the
    same are looks at its family; the words on these are not on it. A blend derives from its parts.
    """

    name: str
    source: str
    bases: tuple[str, ...] = ()
    shape: str = ""

    def has(self, line: Look | Judgement) -> bool:
        """Return whether a line is of this family."""
        if line.strategy == self.name or (bool(self.source) and line.source == self.source):
            return True
        if self.shape and line.shape == self.shape:
            return True
        if not isinstance(line, Look):
            return False
        return line.strategy in self.bases or not {self.name, *self.bases}.isdisjoint(line.bases)


@dataclass(frozen=True)
class Seen:
    """A set of parameters that somebody looked at: all of them, and whose they are."""

    key: Key
    strategy: str
    source: str
    path: str
    parameters: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OnRecord:
    """What the record says.

    Attributes
    ----------
    sets : distinct sets in an order of their own, which is not that in which they were looked at
    count : how many there are; more than ``sets`` where only a part of them was read
    variants : of sets that were looked at on several funds, first sessions or conditions, all but the first
    planned : sets of searches that were killed, and have not said which they tried; not in ``count``
    drifted : results beyond the first of single sets on the same terms and sessions; not in ``count``
    judgements : oldest first
    seen_until : the last session that was looked at before the first judgement that was not withheld
    unknown : what cannot be known
    """

    sets: tuple[Seen, ...] = ()
    count: int = 0
    judgements: tuple[Judgement, ...] = ()
    seen_until: str = ""
    unknown: tuple[str, ...] = ()
    variants: int = 0
    planned: int = 0
    drifted: int = 0

    @property
    def unnamed(self) -> int:
        """Sets that were looked at and nobody can name, so that they cannot be run again."""
        return self.planned + self.drifted


def key_of_set(
    source: str, strategy: str, parameters: Mapping[str, Any], files: Mapping[str, str] | None = None
) -> Key:
    """Return what a set is known by: the code, if that is known, else the name; 5 and 5.0 are one value.

    A value that names one of ``files`` is known by the content too.
    """
    plain = {name: _plain(value) for name, value in parameters.items()}
    if files:
        plain |= {name: [value, files[value]] for name, value in plain.items() if _is_in(value, files)}
    return source or strategy, ENCODER.encode(plain)


def on_record(
    contents: Contents, body: Body, first: object, last: object, family: Family, refusing: Iterable[str] = ()
) -> OnRecord:
    """Return what a record says of ``family`` on some days; ``refusing`` are places that take no line."""
    lines = [*contents.of(body, first, last)]
    ours = [line for line in lines if isinstance(line, Look) and family.has(line)]
    looks: dict[tuple[str, str, str, str, str], Look] = {}
    setting_of: dict[str, Setting | None] = {}
    for line in ours:
        text = json.dumps(line.sets.document(), sort_keys=True, default=str)
        setting = _setting(line, contents.bodies[line.body], body)
        place = (line.strategy, line.source, text, json.dumps(dict(line.files)), repr(setting))
        looks.setdefault(place, line)
        setting_of[repr(setting)] = setting
    total = sum({key[:4]: len(look.sets) for key, look in looks.items()}.values())
    step = math.ceil(total / MOST_COUNTED) if total > MOST_COUNTED else 1
    found: dict[Key, Seen] = {}
    settings: dict[Key, set[Setting | None]] = {}
    # In this order, because the path of two copies of a file is that of the first.
    for place in sorted(looks, key=lambda key: (*key, looks[key].path)):
        look = looks[place]
        for number, parameters in enumerate(look.sets):
            if number % step == 0:
                named = {each: look.files[each] for each in look.files if each in parameters.values()}
                key = key_of_set(look.source, look.strategy, parameters, named)
                found.setdefault(key, Seen(key, look.strategy, look.source, look.path, parameters, named))
                settings.setdefault(key, set()).add(setting_of[place[-1]])
    for each in _phases_to_choose_from(ours, found.values()):
        found.setdefault(each.key, each)
    return OnRecord(
        tuple(found[key] for key in sorted(found)),
        len(found) if step == 1 else total,
        tuple(line for line in lines if isinstance(line, Judgement) and family.has(line)),
        _seen_until(lines, family),
        (*_unknown(contents, refusing), *_forgotten(lines)),
        step * sum(max(len(each - {None}) - 1, 0) for each in settings.values()),
        sum(line.planned for line in ours),
        _drifted(ours),
    )


def _phases_to_choose_from(looks: Iterable[Look], sets: Iterable[Seen]) -> list[Seen]:
    """Return the sets that an audit told of: one on every phase, where a set of that cycle is on another.

    Who stays on the phase that was audited chose none.
    """
    cycles: dict[tuple[Any, ...], set[Any]] = {}
    for each in sets:
        cycles.setdefault(_cycle(each.parameters), set()).add(each.parameters.get("phase"))
    told = []
    for look in looks:
        parameters = next(iter(look.sets)) if look.phases else {}
        if parameters and cycles.get(_cycle(parameters), set()) - {parameters.get("phase")}:
            for phase in range(look.phases):
                other = {**parameters, "phase": phase}
                key = key_of_set(look.source, look.strategy, other, look.files)
                told.append(Seen(key, look.strategy, look.source, look.path, other, look.files))
    return told


def _cycle(parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    return _plain(parameters.get("rebalance")), _plain(parameters.get("tranches"))


def _drifted(looks: Iterable[Look]) -> int:
    """Return how many results beyond the first single sets gave, by one command on the same terms and days.

    Lines of before, which do not say their terms, tell nothing.
    """
    results: dict[tuple[Any, ...], set[str]] = {}
    for look in looks:
        if look.conditions and look.best and len(look.sets) == 1:
            key = key_of_set(look.source, look.strategy, next(iter(look.sets)), look.files)
            terms = (look.command, look.body, look.first, look.last, look.start, look.conditions)
            result = json.dumps({name: f"{value:.9g}" for name, value in look.best.items()}, sort_keys=True)
            results.setdefault((key, *terms), set()).add(result)
    return sum(len(each) - 1 for each in results.values())


def _setting(look: Look, of: Body, body: Body) -> Setting | None:
    """Return on what a look looked: its funds, if they are not all of ``body``'s of that time, and the rest.

    None for a line of before, which does not say.
    """
    if not look.conditions:
        return None
    funds = of.funds_until(look.last)
    same = funds == body.funds_until(look.last)
    return (() if same else tuple(sorted(funds))), look.start, look.conditions


def _seen_until(lines: Iterable[Line], family: Family) -> str:
    """Return the last session that anything was looked at on when a family was first judged."""
    last = ""
    for line in lines:
        if isinstance(line, Look | Judgement):
            last = max(last, line.last)
        if isinstance(line, Judgement) and line.word != "withheld" and family.has(line):
            return last
    return ""


def _unknown(contents: Contents, refusing: Iterable[str]) -> list[str]:
    found = [
        f"the record in {place}: it cannot be read; give yourself the right to, and judge again"
        for place in contents.unread
    ]
    found += [
        f"the record in {place}: it cannot be written, so that looks and judgements are missing there; make "
        "room or make it writable, or copy the data to where you can write"
        for place in refusing
    ]
    if contents.damaged:
        lines = "1 line" if contents.damaged == 1 else f"{contents.damaged} lines"
        found.append(
            f"{lines} of the record damaged, missing or moved, and whole nowhere; restore it from a copy, "
            "record.jsonl.last with it"
        )
    return found


def _forgotten(lines: Iterable[Line]) -> list[str]:
    return [
        f"{line.lines} lines on sessions from {line.first} to {line.last} were deleted by `record forget` on "
        f"{line.at[:10]}; sessions after {line.last} can be judged"
        for line in lines
        if isinstance(line, Forgotten)
    ]


def _is_in(value: Any, files: Mapping[str, str]) -> bool:
    return isinstance(value, str) and value in files


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
