"""Is the difference between runs more than chance? Every run against the first, and all of them at once.

1. Returns are those of the sessions that all runs have (``engine.comparisons.common``), so that what moves
   all of them cancels.
2. Each run's Sharpe ratio is held against the first run's: a stationary-bootstrap interval of the difference,
   and the tests of Ledoit and Wolf (2008), with long-run errors and with resampled blocks of 1, 5 and 10.
   These look at one pair each, and do not know how many runs were compared.
3. Superior predictive ability (Hansen 2005) asks whether any run beats the benchmark, or the first run, and
   allows for having looked at all of them.

Everything is undefined, with a reason, where two runs are the same or the sessions are too few. Formulas and
sources: ``engine.statistics.difference``, ``bootstrap`` and ``superiority``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.words import NOT_AVAILABLE
from engine.comparisons.common import paired
from engine.result import Floats, Result
from engine.statistics.bootstrap import sharpe_difference_interval
from engine.statistics.difference import sharpe_difference, sharpe_difference_bootstrap
from engine.statistics.estimate import Estimate, undefined
from engine.statistics.paths import compared
from engine.statistics.resampling import optimal_block
from engine.statistics.superiority import superiority

BLOCKS = (1, 5, 10)
LEVEL = 0.95
INTERVAL_DRAWS = 5000
TEST_DRAWS = 4999
SUPERIORITY_DRAWS = 10_000
SAME = 1e-12  # returns that differ by no more than the rounding of equity
FEWEST_FOR_BLOCK = 11  # below, the automatic choice asks for autocorrelations over all rows and more
IDENTICAL = "both runs have the same returns"


@dataclass(frozen=True)
class Difference:
    """One run against the first one.

    Attributes
    ----------
    run : int
        Its place among the runs; the first is 0.
    sharpe, first_sharpe, value : Estimate
        Annual Sharpe ratios over the common sessions, and the first less the second.
    low, high : Estimate
        Ends of the 95 % interval of ``value``: BCa, or of percentiles where ``interval`` says so.
    interval : str
        ``bca`` or ``percentile``.
    block : Estimate
        Mean block of the interval's resamples, sessions.
    p_hac, p_prewhitened : Estimate
        Two-sided, of equal Sharpe ratios, with long-run errors.
    p_bootstrap : mapping of int to Estimate
        The same from studentised resamples, by block length.
    note : str or None
        What to tell a reader of numbers that are defined.
    """

    run: int
    sharpe: Estimate
    first_sharpe: Estimate
    value: Estimate
    low: Estimate
    high: Estimate
    interval: str
    block: Estimate
    p_hac: Estimate
    p_prewhitened: Estimate
    p_bootstrap: Mapping[int, Estimate]
    note: str | None


@dataclass(frozen=True)
class Best:
    """Whether any of several runs has a higher mean return than one thing, after looking at all of them.

    Attributes
    ----------
    against : str
        ``benchmark`` or ``first``.
    p_value, p_lower, p_upper : Estimate
        Consistent, and its bounds.
    best : int or None
        Place of the run with the largest studentised mean.
    better : tuple of int
        Places of the runs that are better, with a family-wise error of 5 %.
    block : Estimate
    runs : int
        How many were tested.
    """

    against: str
    p_value: Estimate
    p_lower: Estimate
    p_upper: Estimate
    best: int | None
    better: tuple[int, ...]
    block: Estimate
    runs: int

    def winners(self, names: Sequence[str]) -> str:
        """Return which runs, by their ``names``, are better: some, none, or n/a."""
        if self.best is None:
            return NOT_AVAILABLE
        return ", ".join(names[place] for place in self.better) or "none"


@dataclass(frozen=True)
class Significance:
    """Every run against the first, and the best of all against the benchmark and against the first.

    Attributes
    ----------
    first_day, last_day : str
        Of the sessions that all runs have; empty where there is none.
    sessions : int
    seed : int
    differences : tuple of Difference
    best : tuple of Best
    """

    first_day: str
    last_day: str
    sessions: int
    seed: int
    differences: tuple[Difference, ...]
    best: tuple[Best, ...]

    def reasons(self, names: Sequence[str]) -> list[str]:
        """Return why numbers are not there, each reason once, with the runs or tests that lack them."""
        found: list[tuple[str | None, str]] = []
        for each in self.differences:
            tests = (each.value, each.low, each.p_hac, each.p_prewhitened, *each.p_bootstrap.values())
            found += [(test.reason, names[each.run]) for test in tests]
        found += [(best.p_value.reason, f"SPA against the {best.against}") for best in self.best]
        return _grouped(found)

    def notes(self, names: Sequence[str]) -> list[str]:
        """Return what to tell a reader of numbers that are there, with the runs that it is about."""
        return _grouped([(each.note, names[each.run]) for each in self.differences])


def _grouped(found: Sequence[tuple[str | None, str]]) -> list[str]:
    about: dict[str, list[str]] = {}
    for text, name in found:
        if text is not None:
            about.setdefault(text, []).append(name)
    return [f"{text} ({', '.join(dict.fromkeys(names))})" for text, names in about.items()]


def significance(results: Sequence[Result], *, seed: int = 0) -> Significance:
    """Return how significant the differences between runs are; the same seed gives the same bits.

    Benchmark and sessions per year are those of the first. Rows where a return is unknown are left out.
    """
    days, returns, benchmark = paired(results)
    per_year = results[0].sessions_per_year
    differences = tuple(
        _difference(place, returns[:, place], returns[:, 0], per_year, seed)
        for place in range(1, len(results))
    )
    theirs = benchmark[~np.isnan(benchmark)]
    best = [_best("benchmark", compared(returns, benchmark) - theirs[:, None], 0, seed)]
    if len(results) > 1:
        best.append(_best("first", returns[:, 1:] - returns[:, :1], 1, seed))
    return Significance(
        first_day=str(days[0]) if len(days) else "",
        last_day=str(days[-1]) if len(days) else "",
        sessions=len(days),
        seed=seed,
        differences=differences,
        best=tuple(best),
    )


def _difference(place: int, returns: Floats, first: Floats, per_year: float, seed: int) -> Difference:
    # an annual ratio is sqrt(sessions a year) times the one per session, and so is a difference
    scale = math.sqrt(per_year)
    tested = sharpe_difference(returns, first)
    if len(returns) and np.abs(returns - first).max() <= SAME:
        no = undefined(IDENTICAL)
        ratio = Estimate(tested.first * scale, tested.reason)
        by_block = dict.fromkeys(BLOCKS, no)
        return Difference(place, ratio, ratio, no, no, no, "percentile", no, no, no, by_block, None)
    block = _block(np.column_stack([returns, first]))
    interval = sharpe_difference_interval(
        returns, first, block=block.value, seed=seed, resamples=INTERVAL_DRAWS, level=LEVEL
    )
    corrected = interval.bca_reason is None
    low, high = interval.bca if corrected else interval.percentile
    why = None if math.isfinite(low) else block.reason or interval.reason or interval.bca_reason
    return Difference(
        run=place,
        sharpe=Estimate(tested.first * scale, tested.reason),
        first_sharpe=Estimate(tested.second * scale, tested.reason),
        value=Estimate(tested.value * scale, tested.reason),
        low=Estimate(low * scale, why),
        high=Estimate(high * scale, why),
        interval="bca" if corrected else "percentile",
        block=block,
        p_hac=Estimate(tested.p_value, tested.reason),
        p_prewhitened=Estimate(tested.prewhitened_p_value, tested.reason),
        p_bootstrap={
            length: sharpe_difference_bootstrap(returns, first, block=length, seed=seed, resamples=TEST_DRAWS)
            for length in BLOCKS
        },
        note=tested.note,
    )


def _block(series: Floats) -> Estimate:
    """Return the mean block length for the columns of (T, N); NaN with a reason where T is too small."""
    if len(series) < FEWEST_FOR_BLOCK:
        return undefined(f"it takes at least {FEWEST_FOR_BLOCK} sessions to choose a block length")
    return optimal_block(series)


def _best(against: str, differentials: Floats, offset: int, seed: int) -> Best:
    """Test differentials (T, N) of the runs from place ``offset`` on."""
    count = differentials.shape[1]
    known = differentials[np.isfinite(differentials).all(axis=1)]
    reason = None
    if not len(known):
        reason = "no session on which everything is known"
    elif np.abs(known).max() <= SAME:
        reason = f"no run differs from the {against}" if against == "benchmark" else IDENTICAL
    block = undefined(reason) if reason else _block(known)
    if reason or block.reason:
        nothing = undefined(reason or str(block.reason))
        return Best(against, nothing, nothing, nothing, None, (), block, count)
    found = superiority(
        differentials, block=block.value, seed=seed, resamples=SUPERIORITY_DRAWS, level=1.0 - LEVEL
    )
    return Best(
        against=against,
        p_value=Estimate(found.p_value, found.reason),
        p_lower=Estimate(found.p_lower, found.reason),
        p_upper=Estimate(found.p_upper, found.reason),
        best=None if found.best is None else offset + found.best,
        better=tuple(offset + place for place in found.survivors),
        block=block,
        runs=count,
    )


def significance_document(found: Significance, names: Sequence[str]) -> dict[str, Any]:
    """Return the same in JSON's own types, runs by ``names``; undefined is None, ``reasons`` say why."""

    def numbers(**estimates: Estimate) -> dict[str, Any]:
        values = {name: each.value if math.isfinite(each.value) else None for name, each in estimates.items()}
        reasons = {name: each.reason for name, each in estimates.items() if values[name] is None}
        return values | {"reasons": reasons}

    return {
        "first": names[0],
        "first_day": found.first_day or None,
        "last_day": found.last_day or None,
        "sessions": found.sessions,
        "seed": found.seed,
        "differences": [
            {"run": names[each.run], "interval": each.interval, "level": LEVEL, "note": each.note}
            | numbers(
                sharpe_ratio=each.sharpe,
                first_sharpe_ratio=each.first_sharpe,
                sharpe_difference=each.value,
                low=each.low,
                high=each.high,
                block=each.block,
                p_hac=each.p_hac,
                p_prewhitened=each.p_prewhitened,
                **{f"p_bootstrap_{length}": each.p_bootstrap[length] for length in BLOCKS},
            )
            for each in found.differences
        ],
        "superiority": [
            {
                "against": each.against,
                "runs": each.runs,
                "best": None if each.best is None else names[each.best],
                "better": [names[place] for place in each.better],
                "level": round(1.0 - LEVEL, 10),
            }
            | numbers(p_value=each.p_value, p_lower=each.p_lower, p_upper=each.p_upper, block=each.block)
            for each in found.best
        ],
    }
