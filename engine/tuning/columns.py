"""The columns of a judgement: the returns of every set on record that can be run again.

1. The trials of the study, by number; the default parameters and the neighbours of the best where they are
   none.
2. Sets of the same source that were looked at beside them, by whatever command, in the order of
   ``on_record``.
3. Those of other versions of the strategy that are still there: a file with the same code, a built-in one.

All run on the data, sessions and conditions of the study. Of more than ``MOST`` an even sample is run. A
set of a version that is gone, that its strategy does not take any more, that a search was to try when it
was killed, or that gave another result than it did before, is counted as lost.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import EtflowError
from engine.statistics.paths import simple_returns
from engine.strategy.adapter import Adapter
from engine.strategy.loader import make_strategy, strategy_class
from engine.strategy.source import module_of, source_of
from engine.strategy.trusted import file_of, is_trusted
from engine.tuning.evaluate import Evaluator
from engine.tuning.families import family_of, relatives
from engine.tuning.inputs import named_files
from engine.tuning.neighbours import neighbours_of
from engine.tuning.objective import Trial
from engine.tuning.on_record import Family, Key, OnRecord, Seen, key_of_set
from engine.tuning.outcome import Parameters
from engine.tuning.space import Space
from engine.tuning.study import Study
from engine.verdict.evidence import TrialLog
from engine.verdict.table import BLOCK, Table

Floats = NDArray[np.float64]

MOST = 10_000
# Numbers in the table of returns: at 1,250 sessions about ten thousand trials.
MOST_NUMBERS = 12_500_000

EVENLY = "evenly spaced by rank"
DRIFTED = (
    "more results of single sets on the same terms and sessions are on record, and count as sets that cannot "
    "be run again: the strategy reads something besides its parameters, or the data were altered between"
)


@dataclass(frozen=True)
class Columns:
    """What a study is judged by.

    Attributes
    ----------
    sets : of the study's own strategy, in the order of the first columns
    returns : (T, N) net returns, session on session; NaN for a set that fails
    best, default : columns
    neighbours : columns
    log : how many there are
    unknown : what of the record cannot be known
    exclusions : what was left out
    """

    sets: Sequence[Parameters]
    returns: Table
    best: int
    default: int
    neighbours: tuple[int, ...]
    log: TrialLog
    unknown: tuple[str, ...]
    exclusions: tuple[str, ...]


def columns_of(
    study: Study,
    best: Trial,
    evaluate: Evaluator,
    space: Space,
    known: OnRecord,
    catalogue: Mapping[str, type[Any]],
) -> Columns:
    """Return the columns that a study is judged by, ``known`` being what is on record of its strategy."""
    family = family_of(evaluate.base)
    of = family.source, family.name
    usual = evaluate.default_parameters
    beside = [
        {name: usual[name] for name in space.names},
        *(each.parameters for each in neighbours_of(space, best.parameters)),
    ]
    tried = [{**space.fixed, **each.parameters} for each in study.trials]
    near = [{**space.fixed, **each} for each in beside]
    files = named_files(evaluate.base, (value for each in (*tried, *near) for value in each.values()))
    own = {key_of_set(*of, each, files) for each in tried}
    around = {key_of_set(*of, each, files) for each in near}
    ours = own | around
    others = [each for each in known.sets if each.key not in ours]
    whole = len(study.ranked) + len(others)
    share = min(most_used(evaluate) / whole, 1.0)
    trials = kept(study.ranked, best, max(int(len(study.ranked) * share), 1))
    sampled = evenly(others, int(len(others) * share) if share < 1.0 else len(others))
    sets: list[Parameters] = [trial.parameters for trial in trials]
    places = [_place(sets, each) for each in beside]
    made = again(sampled, evaluate.base, family, {**relatives(evaluate.base, tried), **catalogue})
    extra = [each for each in made.values() if _same(each, evaluate.base)]
    foreign = [each for each in made.values() if not _same(each, evaluate.base)]
    evaluate.keep_only(sets)
    returns = Table.filled(
        evaluate.last - evaluate.first + 1,
        len(sets) + len(made),
        (
            simple_returns(paths, evaluate.conditions.cash).T
            for paths in chain(
                _paths_of_sets(evaluate, sets, len(trials)), _paths_of(evaluate, (extra, foreign))
            )
        ),
    )
    unread = known.count - len(known.sets)
    lost = round((len(sampled) - len(made)) * (len(others) + unread) / max(len(sampled), 1)) + known.unnamed
    run = len(trials) + len(sampled)
    whole += unread
    count = len(ours) + len(others)
    total = max(count, known.count, len(study.trials) + len(around - own)) + known.unnamed
    missing = len(own - {each.key for each in known.sets}) if "on_record" in study.header else 0
    return Columns(
        sets=[*sets, *(each.parameters for each in extra)],
        returns=returns,
        best=sets.index(best.parameters),
        default=places[0],
        neighbours=tuple(places[1:]),
        log=TrialLog(total, len(study.trials), lost, 0, known.variants),
        unknown=(*known.unknown, *([_gone(missing)] if missing and not unread else [])),
        exclusions=(
            *([] if run == whole else [f"statistics of selection use {run} of {whole} trials, {EVENLY}"]),
            *([f"{known.drifted} {DRIFTED}"] if known.drifted else []),
        ),
    )


def most_used(evaluate: Evaluator) -> int:
    """Return of how many sets the returns are used at most."""
    return min(MOST, max(MOST_NUMBERS // (evaluate.last - evaluate.first + 1), 2))


def kept(ranked: Sequence[Trial], best: Trial, most: int) -> list[Trial]:
    """Return the trials whose returns are used, by number: all, or evenly spaced ones and the best."""
    chosen = evenly(ranked, most)
    chosen += [] if best in chosen else [best]
    return sorted(chosen, key=lambda trial: trial.number)


def evenly(items: Sequence[Any], most: int) -> list[Any]:
    """Return so many of some items, evenly spaced; all where there are no more."""
    if len(items) <= most:
        return list(items)
    places = np.linspace(0, len(items) - 1, most).round().astype(int)
    return [items[place] for place in np.unique(places).tolist()]


def _gone(missing: int) -> str:
    return (
        f"{missing} trials of this study are not on record, which was deleted or is elsewhere; restore "
        "`record/record.jsonl` beside the data or in the state folder from a copy"
    )


def _place(sets: list[Parameters], parameters: Mapping[str, Any]) -> int:
    """Return where a set is, put at the end if it is not there yet."""
    if parameters not in sets:
        sets.append(dict(parameters))
    return sets.index(parameters)


def _same(adapter: Adapter, other: Adapter) -> bool:
    return adapter.written is other.written


def _paths_of_sets(evaluate: Evaluator, sets: Sequence[Parameters], trials: int) -> Iterator[Floats]:
    """Yield the equity (k, D) of sets, the first of which are trials, some at a time.

    One that is none may need more history than there is: it stays in cash until it can decide.
    """
    for begin in range(0, len(sets), BLOCK):
        some = sets[begin : begin + BLOCK]
        paths = evaluate.paths(some)
        for place in range(max(trials - begin, 0), len(some)):
            if np.isnan(paths[place]).all():
                try:
                    made = evaluate.strategy(some[place])
                except EtflowError:
                    continue
                paths[place] = evaluate.paths_of([made])[0]
        yield paths


def _paths_of(evaluate: Evaluator, groups: Sequence[Sequence[Adapter]]) -> Iterator[Floats]:
    """Yield the equity (k, D) of strategies, those of one class at a time, in their order."""
    for group in groups:
        for written in dict.fromkeys(each.written for each in group):
            yield evaluate.paths_of([each for each in group if each.written is written])


def again(
    sets: Sequence[Seen], base: Adapter, family: Family, catalogue: Mapping[str, type[Any]]
) -> dict[Key, Adapter]:
    """Return the strategies of sets that can be made again, by what the sets are known by."""
    classes: dict[tuple[str, str, str], type[Any] | None] = {}
    found = {}
    for each in sets:
        version = (each.strategy, each.source, each.path)
        if version not in classes:
            classes[version] = _written(*version, base, family, catalogue)
        written = classes[version]
        if written is None or (each.files and named_files(base, each.files) != each.files):
            continue
        try:
            found[each.key] = (
                base.with_parameters(each.parameters)
                if written is base.written
                else make_strategy(written, each.parameters, each.strategy)
            )
        except EtflowError:
            continue
    return found


def _written(
    name: str, source: str, path: str, base: Adapter, family: Family, catalogue: Mapping[str, type[Any]]
) -> type[Any] | None:
    """Return the class of that code, if it is still there; its name is of no matter where it is at hand."""
    if not source:
        return None
    if source == family.source:
        return base.written
    beside = vars(sys.modules[base.written.__module__]).get(name)
    for each in (base.written, *catalogue.values(), beside):
        if isinstance(each, type) and each.__name__ == name and source in (source_of(each), module_of(each)):
            return each
    file = file_of(path)
    if not file or not is_trusted(Path(file)):
        return None  # a record lies beside the data, which may be somebody else's
    try:
        found = strategy_class(f"{file}:{name}", {})
    except EtflowError:
        return None
    return found if source in (source_of(found), module_of(found)) else None
