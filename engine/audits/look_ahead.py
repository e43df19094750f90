"""The look-ahead audit: the past must not change when the future does.

For each of some days, drawn with the seed, one from each part of the run (``_days``):

1. the market is cut off before the open of the day: what was not public is gone
   (``data.scenarios.perturb.cut``);
2. or what was not public by then is replaced by noise: prices, volume, units, NAV, margin, index levels and
   weights, macro series, corporate actions, the universe and the calendar (``data.scenarios.noise``);
3. or, where the data can be loaded again, they are loaded up to the day, and cut;
4. scores and target weights are computed again, for the strategy and for sets of drawn parameters, and held
   against those on the whole market, cell by cell, up to the day.

The first difference is named. Which datum it comes from is found by replacing one part of the future at a
time. Unlike ``engine.strategy.causality``, which asks each run on a few sessions, the market itself is
altered, so that this also finds what does not go through the known face.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, EtflowError, UsageError
from data.panel.panel import Panel
from data.scenarios.noise import PARTS, with_noise
from data.scenarios.perturb import cut
from engine.audits.audited import Audited, targets_of
from engine.audits.mismatch import Mismatch, alike, first_mismatch
from engine.audits.opinion import Opinion
from engine.audits.parameter_sets import called, parameter_sets
from engine.audits.views import Recorder
from engine.kernel.targets import Targets
from engine.simulation.engines import simulate
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import ScoreAdapter

Floats = NDArray[np.float64]
# What differs, a score or a target weight, and where.
Found = tuple[str, Mismatch]

NAME = "look_ahead"
CUTS = 8
NOISES = 16
RELOADS = 2
SETS = 6
NAMED_BY_STRATEGIES = ("universe", "calendar")


@dataclass(frozen=True)
class Altered:
    """A panel whose sessions up to ``row`` must say what those of the real one say."""

    panel: Panel
    row: int
    how: str
    noisy: bool


@dataclass(frozen=True)
class Answer:
    """What a strategy says on a panel: its values, (D, S), None where it decides one by one, and targets."""

    values: Floats | None
    targets: Targets | None


def look_ahead(audited: Audited) -> Opinion:
    """Return whether scores and target weights of the past stay the same whatever the future is.

    ``details`` has what was compared; on failure ``day``, ``symbol``, ``what``, ``with_future`` and
    ``without``, ``size``, ``cut`` (the day before whose open the future begins), ``columns`` (the parts of
    the market that it looked ahead in), ``reads`` (what the strategy had read), and ``parameters``.
    """
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
    for altered in _alterations(audited, rng):
        for number, (strategy, answer, reads) in enumerate(answers):
            market, found, compared = _asked(audited, strategy, answer, altered)
            asked[number] += compared > 0
            cells += compared
            if found is not None:
                return _failed(audited, strategy, answer, market, found, reads)
    name = audited.strategy.name
    if not asked[0]:
        return Opinion(
            NAME, None, f"{name} can be asked on no market with another future; nothing is proved."
        )
    return Opinion(
        NAME,
        True,
        f"{name} says the same about the past on {asked[0]} markets with another future, with {len(answers)} "
        f"set(s) of parameters ({cells:,} cells).",
        {"markets": asked[0], "parameter_sets": [called(each) for each, _, _ in answers], "cells": cells},
    )


def _asked(
    audited: Audited, strategy: Adapter, whole: Answer, altered: Altered
) -> tuple[Altered, Found | None, int]:
    """Return the market that a strategy could be asked on, the first difference, and the cells compared.

    A strategy that names a fund or a day refuses a market without it: then those stay as they are.
    """
    try:
        return altered, *_compared(audited, strategy, whole, altered)
    except (UsageError, DataError):
        if not altered.noisy:
            return altered, None, 0
    parts = [part for part in PARTS if part not in NAMED_BY_STRATEGIES]
    noise = with_noise(audited.panel.ingredients, altered.row, audited.conditions.seed, parts).build()
    altered = replace(altered, panel=noise)
    try:
        return altered, *_compared(audited, strategy, whole, altered)
    except (UsageError, DataError):
        return altered, None, 0


def _days(audited: Audited, count: int, rng: np.random.Generator) -> list[int]:
    """Return one row drawn from each of ``count`` equal parts of the run, in the order of time."""
    first, last = audited.first(), audited.last
    edges = np.linspace(min(first + 1, last), last, count + 1).astype(np.int64).tolist()
    return sorted({int(rng.integers(low, max(high, low + 1))) for low, high in pairwise(edges)})


def _alterations(audited: Audited, rng: np.random.Generator) -> Iterator[Altered]:
    given, days = audited.panel.ingredients, audited.panel.days
    for row in _days(audited, NOISES, rng):
        noise = with_noise(given, row, audited.conditions.seed).build()
        yield Altered(noise, row, f"when what follows {days[row - 1]} is noise", noisy=True)
    for row in _days(audited, CUTS, rng):
        yield Altered(cut(given, row).build(), row, f"when the data end on {days[row - 1]}", noisy=False)
    if audited.reload is not None:
        for row in _days(audited, RELOADS, rng):
            loaded = cut(audited.reload(days[row].item()).ingredients, row).build()
            yield Altered(loaded, row, f"when data up to {days[row - 1]} are loaded", noisy=False)


def _answer(
    audited: Audited,
    strategy: Adapter,
    panel: Panel,
    last: int,
    reads: dict[str, None],
    whole: Answer | None = None,
) -> Answer:
    """Return what a strategy says up to the row ``last``; values that agree with ``whole`` take its bits.

    Without that, rounding in library code could break a tie between two scores in another way.
    """
    first = audited.first() if strategy is audited.strategy else strategy.warmup
    if not isinstance(strategy, AtOnceAdapter):
        decisions = targets_of(strategy, panel, first, last)
        conditions = replace(audited.conditions, engine="reference")
        return Answer(None, simulate(panel, decisions, first, last, conditions).targets)
    values = strategy.values(Recorder(panel.known, reads))
    if whole is not None and whole.values is not None:
        values = _same_bits(values, panel.symbols, whole.values, audited.panel.symbols, last)
    if not isinstance(strategy, ScoreAdapter) or first > last:
        return Answer(values, None)
    return Answer(values, strategy.decisions(panel, first, last, values))


def _same_bits(
    values: Floats, symbols: tuple[str, ...], whole: Floats, all_symbols: tuple[str, ...], last: int
) -> Floats:
    if values.ndim != 2 or len(values) <= last or values.shape[1] != len(symbols):
        return values
    values = values.copy()
    for column, symbol in enumerate(symbols):
        if symbol in all_symbols:
            expected = whole[: last + 1, all_symbols.index(symbol)]
            part = values[: last + 1, column]
            same = alike(part, expected)
            part[same] = expected[same]
    return values


def _compared(
    audited: Audited, strategy: Adapter, whole: Answer, altered: Altered
) -> tuple[Found | None, int]:
    """Return the first difference up to the altered market's day, and how many cells were compared."""
    again = _answer(audited, strategy, altered.panel, altered.row, {}, whole)
    symbols = [symbol for symbol in audited.panel.symbols if symbol in altered.panel.symbols]
    mine = [audited.panel.symbols.index(symbol) for symbol in symbols]
    other = [altered.panel.symbols.index(symbol) for symbol in symbols]
    end, compared = altered.row + 1, 0
    if whole.values is not None and again.values is not None:
        what = "score" if isinstance(strategy, ScoreAdapter) else "target weight"
        listed = audited.panel.known.listed[:end, mine]
        expected = np.where(listed, whole.values[:end, mine], np.nan)
        got = np.full(expected.shape, np.nan)
        got[: len(again.values)] = again.values[:end, other]
        got = np.where(listed, got, np.nan)
        compared += int(np.isfinite(expected).sum())
        found = first_mismatch(expected, got, audited.panel.days[:end], symbols)
        if found is not None:
            return (what, found), compared
    if whole.targets is not None and again.targets is not None:
        rows = whole.targets.decisions[whole.targets.decisions <= altered.row]
        expected = whole.targets.weights[: len(rows), mine]
        got = np.full(expected.shape, np.nan)
        there = np.isin(rows, again.targets.decisions)
        at = np.searchsorted(again.targets.decisions, rows[there])
        got[there] = again.targets.weights[at][:, other]
        compared += expected.size
        found = first_mismatch(expected, got, audited.panel.days[rows], symbols)
        if found is not None:
            return ("target weight", found), compared
    return None, compared


def _failed(
    audited: Audited, strategy: Adapter, whole: Answer, altered: Altered, found: Found, reads: dict[str, None]
) -> Opinion:
    what, cell = found
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
        altered = Altered(
            with_noise(given, row, audited.conditions.seed, [part]).build(), row, part, noisy=True
        )
        try:
            changed = _compared(audited, strategy, whole, altered)[0] is not None
        except (UsageError, DataError):
            continue
        if changed:
            found.append(part)
    return tuple(found)
