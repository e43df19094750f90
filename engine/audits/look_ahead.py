"""The look-ahead audit: the past must not change when the future does.

For each of some days, drawn with the seed, one from each part of the run, and for the last days (``_days``):

1. what was not public by then is replaced by noise: prices, volume, units, NAV, margin, index levels and
   weights, macro series, corporate actions (``data.scenarios.noise``);
2. or, besides, the universe and the calendar, so that there are other funds and other, fewer sessions;
3. or the market is cut off before the open of the day: what was not public is gone
   (``data.scenarios.perturb.cut``);
4. or, where the data can be loaded again, they are loaded up to the day, and cut;
5. or other rows are shown through a view of the known face (``data.panel.until.OtherFuture``): on many more
   days and each of the last thirty, for scores and target weights;
6. what the strategy says is asked again of a copy that remembers nothing, for the strategy and for sets of
   drawn parameters: scores and target weights, of a backtrader strategy its orders; and held against what it
   said on the whole market, cell by cell, up to the day. On markets of the same sessions and funds (1) it
   must have the same bits; on others up to rounding (``engine.strategy.causality.alike``).

The first difference is named. Which datum it comes from is found by replacing one part of the future at a
time. Unlike ``engine.strategy.causality``, which asks each run on a few sessions, the market itself is
altered, so that this also finds what does not go through the known face.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, EtflowError, StrategyError, UsageError, ValidationError
from data.panel.panel import Panel
from data.panel.until import OtherFuture
from data.scenarios.noise import PARTS, with_noise
from data.scenarios.perturb import cut
from engine.audits.answers import OTHER_SHAPE, Answer, Cells, Found, answer_of, first_difference
from engine.audits.audited import Audited
from engine.audits.opinion import Opinion
from engine.audits.parameter_sets import called, parameter_sets
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import BacktraderAdapter
from engine.strategy.causality import latest_of, require_apart
from engine.strategy.fresh import fresh, renewed

Integers = NDArray[np.int64]
REFUSED = (UsageError, DataError, StrategyError)

NAME = "look_ahead"
CUTS = 6
NOISES = 12
RELOADS = 2
SETS = 6
VIEWS, LAST_VIEWS = 60, 30
LAST = (1, 3, 8, 20)
"""Sessions before the last on which everything is asked, whatever the seed."""


@dataclass(frozen=True)
class Altered:
    """A panel whose sessions up to ``row`` must say what those of the real one say, ``exact``: in bits."""

    panel: Panel
    row: int
    how: str
    noisy: bool
    exact: bool = False


def look_ahead(audited: Audited) -> Opinion:
    """Return whether scores and target weights of the past stay the same whatever the future is.

    ``details`` has what was compared; on failure ``day``, ``symbol``, ``what``, ``with_future`` and
    ``without``, ``size``, ``cut`` (the day before whose open the future begins), ``columns`` (the parts of
    the market that it looked ahead in), ``reads`` (what the strategy had read), and ``parameters``.
    """
    try:
        require_apart(audited.strategy)
    except ValidationError as error:
        return Opinion(NAME, False, str(error))
    rng = np.random.default_rng([audited.conditions.seed, 1])
    sets = parameter_sets(audited.strategy, SETS, rng)
    answers: list[tuple[Adapter, Answer, dict[str, None]]] = []
    for strategy in sets:
        reads: dict[str, None] = {}
        try:
            answers.append((strategy, _answer(audited, strategy, audited.panel, audited.last, reads), reads))
        except EtflowError:
            # What cannot run here, for instance for want of a table, has nothing to be compared.
            if strategy is audited.strategy:
                raise
    asked, cells = [0] * len(answers), 0
    for altered in _alterations(audited, answers[0][1].decided, rng):
        for number, (strategy, answer, reads) in enumerate(answers):
            market, found, compared = _asked(audited, strategy, answer, altered)
            asked[number] += compared > 0
            cells += compared
            if found is not None:
                return _failed(audited, strategy, answer, market, found, reads)
    main, answer, reads = answers[0]
    seen, found, compared = _asked_through_views(audited, main, answer)
    if seen is not None and found is not None:
        return _failed(audited, main, answer, seen, found, reads)
    cells += compared
    name = audited.strategy.name
    if not asked[0]:
        return Opinion(
            NAME, None, f"{name} can be asked on no market with another future; nothing is proved."
        )
    return Opinion(
        NAME,
        True,
        f"{name} says the same about the past on {asked[0]} markets with another future, with {len(answers)} "
        f"set{'s' * (len(answers) != 1)} of parameters ({cells:,} cells).",
        {"markets": asked[0], "parameter_sets": [called(each) for each, _, _ in answers], "cells": cells},
    )


def _asked(
    audited: Audited, strategy: Adapter, whole: Answer, altered: Altered
) -> tuple[Altered, Found | None, int]:
    """Return the market that a strategy could be asked on, the first difference, and the cells compared.

    A strategy that names a fund or a day refuses a market without it, or fails: then those stay as they are.
    """
    try:
        return altered, *_compared(audited, strategy, whole, altered)
    except REFUSED:
        if not altered.noisy or altered.exact:
            return altered, None, 0
    altered = _noisy(audited, altered.row)
    try:
        return altered, *_compared(audited, strategy, whole, altered)
    except REFUSED:
        return altered, None, 0


def _asked_through_views(
    audited: Audited, strategy: Adapter, whole: Answer
) -> tuple[Altered | None, Found | None, int]:
    """Return what ``_asked`` does of the known face with other futures, on many more rows and the last ones.

    It is far cheaper than to make a market, and finds who looks ahead seldom; of values alone.
    """
    if not isinstance(strategy, AtOnceAdapter):
        return None, None, 0
    panel, first, last, compared = audited.panel, audited.first(), audited.last, 0
    end = min(last, len(panel.days) - 2)
    spread = np.linspace(first, end, VIEWS).astype(np.int64).tolist()
    wanted = [*spread, *range(max(first, last - LAST_VIEWS), end + 1)]
    for row in sorted({*wanted, *(latest_of(whole.decided, each) for each in wanted)}):
        try:
            again = Answer(renewed(strategy).values(OtherFuture(panel.known, row)), None)
        except REFUSED:
            continue
        cells = Cells.of(panel, panel, row)
        found, count = first_difference(replace(whole, targets=None), again, cells, strategy.what, exact=True)
        compared += count
        if found is not None:
            how = f"when what follows {panel.days[row]} is another"
            return Altered(panel, row, how, noisy=True, exact=True), found, compared
    return None, None, compared


def _days(audited: Audited, decided: Integers, count: int, rng: np.random.Generator) -> list[int]:
    """Return one row drawn from each of ``count`` equal parts of the run, in the order of time.

    Every other one is moved to where something is ``decided``: who looks one session ahead shows it there
    alone, if he decides then, and anywhere else, if he does not.
    """
    first, last = audited.first(), audited.last
    edges = np.linspace(min(first + 1, last), last, count + 1).astype(np.int64).tolist()
    drawn = [int(rng.integers(low, max(high, low + 1))) for low, high in pairwise(edges)]
    moved = [latest_of(decided[decided > first], each) for each in drawn]
    return sorted({*drawn[::2], *moved[1::2]})


def _last_days(audited: Audited, decided: Integers) -> list[int]:
    """Return rows among the last of the run, whatever the seed, in the order of time."""
    first, last = audited.first(), audited.last
    wanted = [max(min(first + 1, last), last - each) for each in LAST]
    return sorted({latest_of(decided[decided > first], each) for each in wanted})


def _alterations(audited: Audited, decided: Integers, rng: np.random.Generator) -> Iterator[Altered]:
    given, days = audited.panel.ingredients, audited.panel.days
    for number, row in enumerate(_days(audited, decided, NOISES, rng)):
        yield _noisy(audited, row) if number % 2 else _noisy_throughout(audited, row)
    for row in _last_days(audited, decided):
        yield _noisy(audited, row)
        yield _noisy_throughout(audited, row)
    for row in [*_days(audited, decided, CUTS, rng), *_last_days(audited, decided)]:
        yield Altered(cut(given, row).build(), row, f"when the data end on {days[row - 1]}", noisy=False)
    if audited.reload is not None:
        for row in _days(audited, decided, RELOADS, rng):
            loaded = cut(audited.reload(days[row].item()).ingredients, row).build()
            yield Altered(loaded, row, f"when data up to {days[row - 1]} are loaded", noisy=False)


def _noisy(audited: Audited, row: int) -> Altered:
    """Return the market of the same funds and sessions in which the numbers to come are noise."""
    parts = [part for part in PARTS if part not in OTHER_SHAPE]
    return replace(_noisy_throughout(audited, row, parts), exact=True)


def _noisy_throughout(audited: Audited, row: int, parts: Sequence[str] = PARTS) -> Altered:
    """Return the market in which all that is to come is noise.

    The universe stays for a strategy of backtrader, which may know its funds by their place.
    """
    if isinstance(audited.strategy, BacktraderAdapter):
        parts = [part for part in parts if part != "universe"]
    noise = with_noise(audited.panel.ingredients, row, audited.conditions.seed, parts).build()
    return Altered(noise, row, f"when what follows {audited.panel.days[row - 1]} is noise", noisy=True)


def _answer(
    audited: Audited,
    strategy: Adapter,
    panel: Panel,
    last: int,
    reads: dict[str, None],
    whole: Answer | None = None,
) -> Answer:
    """Return what a copy that remembers nothing says up to the row ``last``."""
    main = strategy is audited.strategy
    first = audited.first() if main else strategy.warmup
    copied = fresh(strategy) if main else renewed(strategy)
    symbols = audited.panel.symbols
    return answer_of(copied, panel, first, last, audited.conditions, reads, whole, symbols)


def _compared(
    audited: Audited, strategy: Adapter, whole: Answer, altered: Altered
) -> tuple[Found | None, int]:
    """Return the first difference up to the altered market's day, and how many cells were compared."""
    again = _answer(audited, strategy, altered.panel, altered.row, {}, None if altered.exact else whole)
    what = strategy.what if isinstance(strategy, AtOnceAdapter) else ""
    cells = Cells.of(audited.panel, altered.panel, altered.row)
    return first_difference(whole, again, cells, what, exact=altered.exact)


def _failed(
    audited: Audited, strategy: Adapter, whole: Answer, altered: Altered, found: Found, reads: dict[str, None]
) -> Opinion:
    what, cell = found
    # The same market once more: what is not the same there either has not looked ahead for it.
    same = Altered(audited.panel, audited.last, "", noisy=False, exact=True)
    if _compared(audited, strategy, whole, same)[0] is not None:
        return Opinion(
            NAME,
            False,
            f"{called(strategy)} is impure: asked twice about the same market, it does not say the same, so "
            "that nothing can be told of look-ahead.",
        )
    parts = _looked_ahead_in(audited, strategy, whole, altered.row)
    where = f" of {', '.join(parts)}" if parts else ""
    read = f" (it reads {', '.join(reads)})" if reads else ""
    return Opinion(
        NAME,
        False,
        f"{called(strategy)} looks ahead: its {what} of {cell.symbol} on {cell.day} is "
        f"{cell.whole:.6g} with the real future{where}, and {cell.altered:.6g} {altered.how}"
        f"{f', {cell.size:.3g} apart' if cell.size == cell.size else ''}{read}.",
        {
            "what": what,
            **cell.details("with_future", "without"),
            "cut": str(audited.panel.days[altered.row]),
            "columns": list(parts),
            "reads": list(reads),
            "parameters": called(strategy),
        },
    )


def _looked_ahead_in(audited: Audited, strategy: Adapter, whole: Answer, row: int) -> tuple[str, ...]:
    """Return the parts of the market whose future alone changes the past."""
    given, found = audited.panel.ingredients, []
    for part in PARTS:
        if part == "universe" and isinstance(strategy, BacktraderAdapter):
            continue
        altered = Altered(
            with_noise(given, row, audited.conditions.seed, [part]).build(),
            row,
            part,
            noisy=True,
            exact=part not in OTHER_SHAPE,
        )
        try:
            changed = _compared(audited, strategy, whole, altered)[0] is not None
        except REFUSED:
            continue
        if changed:
            found.append(part)
    return tuple(found)
