"""Out of sample: what a search would have earned had it chosen on other sessions than it is judged on.

1. ``choose``: of each split, the trial that was best on the training sessions alone.
2. ``Stitched``: one account that follows the choice of each test block, one block after the other. What is
   held at a seam stays held, and the next choice trades it to its own targets on the block's first session,
   at a cost like any other trade; adjacent blocks of one choice have no seam at all.
3. ``walk_forward`` and ``combinatorial`` put the two together for the splits of ``engine.statistics.splits``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from data.numeric.compiled import compiled, frozen
from engine.kernel.targets import Targets
from engine.metrics.compute import measured
from engine.metrics.path import Path
from engine.simulation.entries import Totals
from engine.statistics.estimate import NO_VARIATION
from engine.statistics.paths import simple_returns
from engine.statistics.sharpe import sharpe_ratios
from engine.statistics.splits import CombinatorialPurged, Split, WalkForward
from engine.strategy.adapters import ScoreAdapter
from engine.sweeps.compiled_metrics import COMPILED_METRICS, write_metrics
from engine.sweeps.sweep import Sweep
from engine.tuning.evaluate import Evaluator
from engine.tuning.outcome import Parameters
from engine.verdict.table import Table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SHARPE = "sharpe_ratio"
COLUMNS = 128  # measured at a time, on all splits, while their returns are in the cache


@dataclass(frozen=True)
class Walk:
    """A walk-forward.

    Attributes
    ----------
    splits : windows, in rows of the run
    chosen : place of the chosen trial, for each window
    in_sample : its Sharpe ratio per session in training, for each window
    returns : of one account over all test blocks, session on session
    first : row of the run on which they begin
    """

    splits: tuple[Split, ...]
    chosen: tuple[int, ...]
    in_sample: Floats
    returns: Floats
    first: int


def default_walk_forward(sessions: int, per_year: float, purged_size: int) -> WalkForward:
    """Return windows of two years and quarters after them; half and an eighth of what is shorter."""
    year = round(per_year)
    train, test = (2 * year, round(year / 4)) if sessions >= 3 * year else (sessions // 2, sessions // 8)
    return WalkForward(max(train - purged_size, 1), max(test, 1), purged_size, reduce_test=True)


def horizon_of(rebalances: Sequence[int | str | None]) -> int:
    """Return for how many sessions a decision of the slowest of these has consequences, its lag included.

    1 where they do not say how often they decide (None).
    """
    sessions = {"weekly": 5, "monthly": 22, "once": 22}
    said = [each for each in rebalances if each is not None]
    return 1 + max((sessions.get(str(each)) or min(int(each), 60) for each in said), default=0)


def require_scores(evaluate: Evaluator, parameters: Parameters) -> ScoreAdapter:
    """Return the strategy with a set of parameters; UsageError if it has no scores to follow."""
    strategy = evaluate.strategy(parameters)
    if not isinstance(strategy, ScoreAdapter):
        raise UsageError("splits need a strategy with scores")
    return strategy


def choose(
    returns: Floats | Table,
    training: Sequence[Integers],
    benchmark: Floats,
    per_year: float,
    metric: str,
    *,
    smaller: bool,
) -> list[int]:
    """Return, for the rows of each training, the column of ``returns`` (T, N) whose metric there is best.

    ``benchmark`` is (T,). The first of equals; a column with an unknown return is never chosen; the first
    column where the metric is undefined for all.
    """
    table = Table.of(returns)
    values = np.empty((len(training), table.shape[1]))
    for first, block in table.blocks():
        for begin in range(0, block.shape[1], COLUMNS):
            some = frozen(block[:, begin : begin + COLUMNS])
            found = values[:, first + begin : first + begin + some.shape[1]]
            for place, rows in enumerate(training):
                if metric == SHARPE:
                    compiled(write_sharpe)(some, frozen(rows), found[place])
                else:
                    found[place] = _measured(some[rows].T, benchmark[rows], per_year, metric)
    gains = np.where(np.isfinite(values), -values if smaller else values, -np.inf)
    return [int(each) for each in np.argmax(gains, axis=1)]


def _measured(returns: Floats, benchmark: Floats, per_year: float, metric: str) -> Floats:
    """Return a metric of each row of ``returns`` (N, D)."""
    if metric in COMPILED_METRICS:
        found = np.empty((len(returns), len(COMPILED_METRICS)))
        compiled(measure_columns, write_metrics)(frozen(returns), frozen(benchmark), per_year, found)
        return found[:, COMPILED_METRICS.index(metric)]
    paths = (Path.of_returns(each, per_year, benchmark) for each in returns)
    return np.array([measured([metric], path)[0] for path in paths], dtype=np.float64)


def walk_forward(
    evaluate: Evaluator,
    sets: Sequence[Parameters],
    returns: Floats | Table,
    benchmark: Floats,
    windows: WalkForward,
    metric: str = SHARPE,
    *,
    smaller: bool = False,
) -> Walk:
    """Return the walk of choosing among ``sets``, whose returns are (T, N), window by window."""
    table = Table.of(returns)
    splits = windows.split(len(table))
    training = [each.train for each in splits]
    chosen = choose(table, training, benchmark, evaluate.per_year, metric, smaller=smaller)
    blocks = [(int(split.tests[0][0]), int(split.tests[0][-1])) for split in splits]
    followed = Stitched(evaluate).returns(blocks, [sets[each] for each in chosen])
    in_sample = np.array(
        [
            sharpe_ratios(table.column(column)[split.train, np.newaxis])[0]
            for split, column in zip(splits, chosen, strict=True)
        ]
    )
    return Walk(tuple(splits), tuple(chosen), in_sample, followed, blocks[0][0])


def combinatorial(
    evaluate: Evaluator,
    sets: Sequence[Parameters],
    returns: Floats | Table,
    benchmark: Floats,
    folds: CombinatorialPurged,
    metric: str = SHARPE,
    *,
    smaller: bool = False,
) -> Floats:
    """Return the out-of-sample returns (paths, T) of combinatorial splits; each path is one account."""
    splits = folds.split(len(returns))
    training = [each.train for each in splits]
    chosen = choose(returns, training, benchmark, evaluate.per_year, metric, smaller=smaller)
    stitched = Stitched(evaluate)
    paths = []
    for path in folds.path_ids():
        blocks = []
        for fold, number in enumerate(path):
            rows = splits[number].tests[folds.test_folds()[number].index(fold)]
            blocks.append((int(rows[0]), int(rows[-1])))
        paths.append(stitched.returns(blocks, [sets[chosen[number]] for number in path]))
    return np.array(paths)


class Stitched:
    """Accounts that change from one parameter set to another at the seams of blocks of sessions."""

    def __init__(self, evaluate: Evaluator) -> None:
        self._evaluate = evaluate
        self._scores: dict[str, Floats] = {}
        self._engines: dict[tuple[int, int], Sweep] = {}

    def returns(self, blocks: Sequence[tuple[int, int]], sets: Sequence[Parameters]) -> Floats:
        """Return the returns of following ``sets[i]`` over ``blocks[i]``, (D,), blocks being adjacent.

        A block is its first and last row of the run. Orders decided before the open of a block's first
        session are those of its own set.
        """
        evaluate = self._evaluate
        first = evaluate.first + blocks[0][0]
        last = evaluate.first + blocks[-1][1]
        if (first, last) not in self._engines:  # all paths of combinatorial splits are over the same sessions
            engine = Sweep(evaluate.market.panel, first, last, evaluate.conditions)
            self._engines[first, last] = engine
        targets = [self._targets(begin, end, parameters) for begin, end, parameters in _joined(blocks, sets)]
        paths = self._engines[first, last].follow([Targets.joined(targets)])
        return simple_returns(paths[0], evaluate.conditions.cash)

    def _targets(self, begin: int, end: int, parameters: Parameters) -> Targets:
        evaluate, panel = self._evaluate, self._evaluate.market.panel
        strategy = require_scores(evaluate, parameters)
        first, last = evaluate.first + begin, evaluate.first + end
        key = repr(sorted(parameters.items()))
        if key not in self._scores:
            self._scores[key] = strategy.values_on(panel)
        fill = evaluate.conditions.fill
        return strategy.decisions(panel, first, last, self._scores[key], fill=fill, begin=evaluate.first)


def write_sharpe(returns: Floats, rows: Integers, out: Floats) -> None:
    """Write the Sharpe ratio per session of each column of ``returns`` (T, N) on ``rows``, in machine code.

    By far the most frequent choice, and a tenth of the time of all metrics.
    """
    means, squares = np.zeros(len(out)), np.zeros(len(out))
    for row in rows:
        for column in range(len(out)):
            means[column] += returns[row, column]
    for column in range(len(out)):
        means[column] /= len(rows)
    for row in rows:
        for column in range(len(out)):
            centred = returns[row, column] - means[column]
            squares[column] += centred * centred
    for column in range(len(out)):
        varies = len(rows) > 1 and math.sqrt(squares[column] / len(rows)) >= NO_VARIATION
        out[column] = means[column] / math.sqrt(squares[column] / (len(rows) - 1)) if varies else np.nan


def measure_columns(returns: Floats, benchmark: Floats, per_year: float, out: Floats) -> None:
    """Write the metrics of each row of ``returns`` (N, D) into ``out``, in machine code; no trades known."""
    equity = np.empty(returns.shape[1])
    for number in range(len(returns)):
        level = 1.0
        for row in range(len(equity)):
            level *= 1.0 + returns[number, row]
            equity[row] = level
        write_metrics(equity, 1.0, benchmark, per_year, Totals(0, 0, 0.0, 0.0, 0.0, -1), out[number])


def _joined(
    blocks: Sequence[tuple[int, int]], sets: Sequence[Parameters]
) -> list[tuple[int, int, Parameters]]:
    """Return blocks with their sets, adjacent ones of the same set as one."""
    joined: list[tuple[int, int, Parameters]] = []
    for (begin, end), parameters in zip(blocks, sets, strict=True):
        if joined and joined[-1][2] == parameters:
            joined[-1] = (joined[-1][0], end, parameters)
        else:
            joined.append((begin, end, parameters))
    return joined
