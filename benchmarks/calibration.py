"""How far each number of the verdict can be trusted: searches whose truth is known, judged often.

``python -m benchmarks.calibration [--simulations 300] [--row NAME] [--processes 2] [--slope]`` simulates
searches of 48 trials on ten years of daily returns, passes each through the report of ``engine.verdict``, and
prints how often each number says "skill", beside the reference values and in units of the Monte Carlo error.

Returns are normal, independent in time, with equal volatility (1 % a session) and one common correlation; the
benchmark is cash. The true annual Sharpe ratios of the trials are the rows of the table.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.statistics.overfitting import overfitting
from engine.verdict.evidence import Evidence, TrialLog
from engine.verdict.thresholds import Resamples
from engine.verdict.verdict import report

TRIALS = 48
YEARS = 10
PER_YEAR = 252
VOLATILITY = 0.01
FEW = Resamples(superiority=1_000, difference=1, interval=1, paths=1)  # only the first is counted


@dataclass(frozen=True)
class Row:
    """A truth, and the reference: mean, five shares, mean and standard deviation."""

    name: str
    truth: str
    sharpes: NDArray[np.float64]
    correlation: float
    reference: tuple[float, ...]


def one_of(best: float) -> NDArray[np.float64]:
    """Return zeros but for the first."""
    return np.concatenate(([best], np.zeros(TRIALS - 1)))


ROWS = (
    Row("null", "all SR 0, uncorrelated", np.zeros(TRIALS), 0.0, (0.71, 0.93, 0.0, 0.0, 0.04, 0.49, 0.17)),
    Row("null-0.8", "all SR 0, corr 0.8", np.zeros(TRIALS), 0.8, (0.32, 0.23, 0.05, 0.09, 0.07, 0.52, 0.18)),
    Row(
        "half", "all SR 0.5, corr 0.8", np.full(TRIALS, 0.5), 0.8, (0.81, 0.83, 0.46, 0.62, 0.54, 0.51, 0.18)
    ),
    Row("one", "all SR 1, corr 0.8", np.ones(TRIALS), 0.8, (1.33, 1.0, 0.97, 0.98, 0.97, 0.52, 0.17)),
    Row(
        "single",
        "one SR 1, rest 0, corr 0.5",
        one_of(1.0),
        0.5,
        (1.01, 0.94, 0.35, 0.42, 0.61, 0.10, 0.10),
    ),
    Row(
        "even",
        "SR evenly 0 to 1, corr 0.8",
        np.linspace(0.0, 1.0, TRIALS),
        0.8,
        (1.17, 0.98, 0.40, 0.66, 0.89, 0.03, 0.03),
    ),
)

WORDS = ("supported", "unproven", "rejected", "withheld")
COLUMNS = (
    "best IS SR",
    "PSR(0) ≥ .95",
    "DSR(N) ≥ .95",
    "DSR(N_eff) ≥ .95",
    "SPA < .05",
    "PBO mean",
    "PBO sd",
)


def search(row: Row, seed: int) -> Evidence:
    """Return one simulated search, the best trial in sample selected."""
    random = np.random.default_rng(seed)
    rows = YEARS * PER_YEAR
    common = math.sqrt(row.correlation) * random.standard_normal((rows, 1))
    own = math.sqrt(1.0 - row.correlation) * random.standard_normal((rows, TRIALS))
    returns = VOLATILITY * (common + own + row.sharpes / math.sqrt(PER_YEAR))
    return Evidence(
        returns=returns,
        benchmark=np.zeros(rows),
        selected=int(np.argmax(returns.mean(axis=0) / returns.std(axis=0, ddof=1))),
        sessions_per_year=PER_YEAR,
        log=TrialLog(TRIALS, TRIALS),
        benchmark_name="cash",
        seed=seed,
    )


def numbers(row: Row, seed: int) -> tuple[float, ...]:
    """Return what the report says of one search: as ``COLUMNS`` without the last, then ``WORDS``."""
    found = report(search(row, seed), resamples=FEW)
    luck, blocks = found.blocks.luck, found.blocks
    return (
        blocks.selected.in_sample,
        luck.probabilistic >= 0.95,
        luck.deflated >= 0.95,
        luck.deflated_effective >= 0.95,
        blocks.skill.spa < 0.05,
        blocks.selection.overfitting,
        *(found.verdict.word == word for word in WORDS),
    )


@dataclass(frozen=True)
class Measured:
    """Of one row: the numbers of ``COLUMNS``, their Monte Carlo errors, and the shares of ``WORDS``."""

    values: tuple[float, ...]
    errors: tuple[float, ...]
    words: tuple[float, ...]


def summary(row: Row, outcomes: NDArray[np.float64]) -> Measured:
    """Return means with errors; a share's error is that of the reference's simulation and ours together."""
    count = len(outcomes)
    means = outcomes.mean(axis=0)
    spreads = outcomes.std(axis=0, ddof=1)
    errors = []
    for column, expected in enumerate(row.reference[:6]):
        if column in (0, 5):
            errors.append(math.sqrt(2.0 / count) * spreads[column])
            continue
        # a share that was never seen is not certain: one more of each is counted
        share = (count * (means[column] + expected) + 1.0) / (2.0 * count + 2.0)
        errors.append(math.sqrt(2.0 * share * (1.0 - share) / count))
    # that of a standard deviation depends on the fourth moment, which is large for skewed outcomes
    centred = outcomes[:, 5] - means[5]
    fourth = float(np.mean(centred**4)) / max(float(np.mean(centred**2)) ** 2, 1e-300)
    errors.append(math.sqrt(2.0 * max(fourth - 1.0, 0.0) / (4.0 * count)) * spreads[5])
    return Measured(
        values=(*means[:6].tolist(), float(spreads[5])),
        errors=tuple(errors),
        words=tuple(means[6:].tolist()),
    )


def measure(row: Row, simulations: int, processes: int) -> Measured:
    """Simulate a row; the same simulations for the same number."""
    first = 100_000 * ROWS.index(row)
    with ProcessPoolExecutor(processes) as pool:
        outcomes = list(pool.map(partial(numbers, row), range(first, first + simulations), chunksize=5))
    return summary(row, np.array(outcomes, dtype=np.float64))


def written(values: tuple[float, ...]) -> list[str]:
    """Return the numbers of a row as the table writes them."""
    shares = [f"{value:.0%}" for value in values[1:5]]
    return [f"{values[0]:.2f}", *shares, f"{values[5]:.2f} ({values[6]:.2f})"]


def table(measured: dict[str, Measured]) -> Iterator[str]:
    """Yield the lines of the table, ours (with the reference) a cell, as Markdown."""
    yield "| Truth | " + " | ".join(COLUMNS[:5]) + " | PBO mean (sd) | " + " | ".join(WORDS[:3]) + " |"
    yield "|---" * 10 + "|"
    for row in ROWS:
        if row.name in measured:
            ours = measured[row.name]
            cells = [f"{a} ({b})" for a, b in zip(written(ours.values), written(row.reference), strict=True)]
            yield "| " + " | ".join([row.truth, *cells, *(f"{word:.0%}" for word in ours.words[:3])]) + " |"


def distances(measured: dict[str, Measured]) -> Iterator[tuple[str, str, float]]:
    """Yield row, column, and how many errors ours is from the reference, beyond half of its last digit."""
    for row in ROWS:
        if row.name not in measured:
            continue
        ours = measured[row.name]
        for column, value, error, expected in zip(
            COLUMNS, ours.values, ours.errors, row.reference, strict=True
        ):
            beyond = max(0.0, abs(value - expected) - 0.005)
            yield row.truth, column, beyond / error if error > 0.0 else 0.0


def slopes(row: Row, simulations: int) -> str:
    """Return what the line of out of sample on in sample is in searches of a row, in one sentence."""
    first = 100_000 * ROWS.index(row)
    found = [overfitting(search(row, seed).returns) for seed in range(first, first + simulations)]
    slope, fit = (np.array([getattr(each, name).value for each in found]) for name in ("slope", "r_squared"))
    low, middle, high = np.quantile(slope, (0.05, 0.5, 0.95))
    falling = float(np.mean((slope < 0.0) & (fit > 0.1)))
    return (
        f"{row.truth}: slope {middle:.2f} ({low:.2f} to {high:.2f}), R² {np.median(fit):.2f}, "
        f"falling with an R² above 0.1 in {falling:.0%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Calibrate the numbers of the verdict.")
    parser.add_argument("--simulations", type=int, default=300)
    parser.add_argument("--row", choices=[row.name for row in ROWS], help="only this row")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--slope", action="store_true", help="the slope of out of sample on in sample alone")
    options = parser.parse_args()
    if options.slope:
        print(
            *(slopes(row, options.simulations) for row in ROWS if options.row in (None, row.name)), sep="\n"
        )
        return
    measured = {}
    for row in ROWS:
        if options.row in (None, row.name):
            begun = time.perf_counter()
            measured[row.name] = measure(row, options.simulations, options.processes)
            print(f"{row.truth} ({row.name}), {time.perf_counter() - begun:.0f} s", flush=True)
            ours = measured[row.name]
            for each in zip(COLUMNS, ours.values, row.reference, ours.errors, strict=True):
                print("  {:<18}{:6.3f}  reference {:5.2f}  error of the difference {:.3f}".format(*each))
    print(*table(measured), sep="\n")
    far = [each for each in distances(measured) if each[2] > 2.0]
    count = sum(1 for _ in distances(measured))
    print(f"{count - len(far)} of {count} numbers are within two errors of the reference")
    for truth, column, distance in far:
        print(f"  {truth}, {column}: {distance:.1f} errors")


if __name__ == "__main__":
    main()
