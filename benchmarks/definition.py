"""The workload's definition, without anything of ours: parameter sets, signal tables, decisions, an oracle.

1. ``parameter_sets`` draws the sets of a sweep: the first of one fixed permutation of the grid, so that
   sweeps are nested and no engine gets a lucky order.
2. ``Signals`` has the scores ranked, once for all sets that share them: what the peers are given.
3. ``oracle`` walks one account session by session in plain Python. Its scores are computed in two passes,
   window by window; peers and oracle have no arithmetic in common with the engine.

Imports numpy only, so that a peer that is started alone does not pay for our imports.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from benchmarks.workload import Workload

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FIRST_DECISION = 140
CASH = 1_000_000.0
SLIPPAGE = 0.0005
COMMISSION, COMMISSION_MIN = 0.00025, 5.0
LOT = 100
THRESHOLD = 0.5
PER_YEAR = 252
NO_VARIATION = 1e-12


class Set(NamedTuple):
    """One parameter set: w, k, a, R and K of the definition."""

    z_window: int
    lookback: int
    margin_weight: float
    rebalance: int
    top: int


GRID: tuple[tuple[float, ...], ...] = (
    (20, 30, 40, 50, 60, 70, 80, 90, 100, 120),
    (1, 3, 5, 10, 20),
    (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0),
    (1, 5, 10, 20),
    (1, 2, 3, 5, 8),
)
SINGLE = Set(60, 5, 0.5, 5, 5)


def parameter_sets(count: int) -> list[Set]:
    """Return the first ``count`` sets of the permuted grid of 10,000."""
    grid = [Set(*values) for values in itertools.product(*GRID)]  # type: ignore[arg-type]
    order = np.random.Generator(np.random.PCG64(7)).permutation(len(grid))
    return [grid[place] for place in order[:count]]


def decision_sessions(sessions: int, every: int) -> Integers:
    """Return the sessions at whose close is decided; executed at the next open."""
    return np.arange(FIRST_DECISION, sessions - 1, every, dtype=np.int64)


def flow_ratio(data: Workload, lookback: int) -> Floats:
    """Return F, (T, N), NaN for the first ``lookback`` sessions."""
    inflow = np.zeros_like(data.close)
    inflow[1:] = np.diff(data.units, axis=0) * data.close[1:]
    sums = np.full_like(inflow, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(inflow[1:], lookback, axis=0)
    sums[lookback:] = windows.sum(axis=-1)
    return sums / (data.units * data.close)


def margin_growth(data: Workload, lookback: int) -> Floats:
    """Return G, (T, N), NaN for the first ``lookback`` sessions."""
    growth = np.full_like(data.margin, np.nan)
    growth[lookback:] = data.margin[lookback:] / data.margin[:-lookback] - 1.0
    return growth


class Signals:
    """Rankings by (w, k, a), each made when it is first asked for.

    z-scores come from running sums, the fastest way in numpy; the oracle does without.
    """

    def __init__(self, data: Workload, depth: int) -> None:
        self._data = data
        self._depth = min(depth, data.close.shape[1])
        self._moments: dict[tuple[str, int], tuple[int, Floats, Floats, Floats]] = {}
        self._tables: dict[tuple[str, int, int], Floats] = {}
        self._rankings: dict[tuple[int, int, float], tuple[NDArray[np.int16], Integers]] = {}

    def ranking(self, z_window: int, lookback: int, weight: float) -> tuple[NDArray[np.int16], Integers]:
        """Return the best columns, (T - 140, depth), and how many of them are above the threshold."""
        key = z_window, lookback, weight
        if key not in self._rankings:
            scores = self._zscore("flow", lookback, z_window)
            scores = scores + weight * self._zscore("margin", lookback, z_window)
            below = np.where(scores > THRESHOLD, -scores, np.inf)
            order = np.argsort(below, axis=1, kind="stable")[:, : self._depth].astype(np.int16)
            self._rankings[key] = order, np.isfinite(below).sum(axis=1)
        return self._rankings[key]

    def chosen(self, each: Set) -> tuple[Integers, NDArray[np.int16], NDArray[np.bool_]]:
        """Return the decision sessions of a set, the best ``top`` columns at each, and which are taken."""
        sessions = decision_sessions(len(self._data.close), each.rebalance)
        order, counts = self.ranking(each.z_window, each.lookback, each.margin_weight)
        rows = sessions - FIRST_DECISION
        taken = np.arange(each.top)[None, :] < counts[rows, None]
        return sessions, order[rows, : each.top], taken

    def _zscore(self, kind: str, lookback: int, window: int) -> Floats:
        key = kind, lookback, window
        if key not in self._tables:
            begin, values, sums, squares = self._sums(kind, lookback)
            ends = np.arange(FIRST_DECISION, len(self._data.close)) + 1 - begin
            mean = (sums[ends] - sums[ends - window]) / window
            variance = (squares[ends] - squares[ends - window] - window * mean * mean) / (window - 1)
            deviation = np.sqrt(np.maximum(variance, 0.0))
            deviation[deviation <= NO_VARIATION] = np.nan
            self._tables[key] = (values[ends - 1] - mean) / deviation
        return self._tables[key]

    def _sums(self, kind: str, lookback: int) -> tuple[int, Floats, Floats, Floats]:
        key = kind, lookback
        if key not in self._moments:
            table = (flow_ratio if kind == "flow" else margin_growth)(self._data, lookback)
            values = table[lookback:] - table[lookback:].mean(axis=0)
            nothing = np.zeros((1, values.shape[1]))
            sums = np.vstack([nothing, np.cumsum(values, axis=0)])
            squares = np.vstack([nothing, np.cumsum(values * values, axis=0)])
            self._moments[key] = lookback, values, sums, squares
        return self._moments[key]


def performance(equity: Floats, traded: Floats) -> Floats:
    """Return (P, 4): total return, Sharpe ratio, deepest drawdown, turnover; ``equity`` (D, P) from t0."""
    returns = equity[1:] / equity[:-1] - 1.0
    deviation = returns.std(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpe = np.where(deviation > 0.0, returns.mean(axis=0) / deviation * math.sqrt(PER_YEAR), 0.0)
    drawdown = (equity / np.maximum.accumulate(equity, axis=0) - 1.0).min(axis=0)
    turnover = 0.5 * traded / equity.mean(axis=0) * PER_YEAR / (len(equity) - 1)
    return np.column_stack([equity[-1] / equity[0] - 1.0, sharpe, drawdown, turnover])


def oracle(data: Workload, each: Set) -> float:
    """Return the final equity of a set by sections 2 to 4 of the definition, session by session."""
    w, k, a, every, top = each
    flows, growth = flow_ratio(data, k), margin_growth(data, k)
    close, opening = data.close.tolist(), data.open.tolist()
    sessions, funds = data.close.shape
    cash, value, held = CASH, CASH, [0] * funds
    orders: list[tuple[int, int]] = []
    for t in range(FIRST_DECISION, sessions):
        for n, order in orders:
            if order < 0:
                notional = -order * (opening[t][n] * (1.0 - SLIPPAGE))
                cash += notional - max(COMMISSION_MIN, COMMISSION * notional)
                held[n] += order
                continue
            price, bought = opening[t][n] * (1.0 + SLIPPAGE), order
            while bought and cash - bought * price - max(COMMISSION_MIN, COMMISSION * bought * price) < 0.0:
                bought -= LOT
            if bought:
                cash -= bought * price + max(COMMISSION_MIN, COMMISSION * bought * price)
                held[n] += bought
        value = cash + sum(held[n] * close[t][n] for n in range(funds) if held[n])
        orders = []
        if (t - FIRST_DECISION) % every or t > sessions - 2:
            continue
        scores = _window_zscore(flows, t, w) + a * _window_zscore(growth, t, w)
        eligible = [n for n in range(funds) if scores[n] > THRESHOLD]
        chosen = sorted(eligible, key=lambda n: (-scores[n], n))[:top]
        weights = dict.fromkeys(chosen, 1.0 / top)
        wanted = {}
        for n in sorted({n for n in range(funds) if held[n]} | set(chosen)):
            delta = weights.get(n, 0.0) * value / close[t][n] - held[n]
            wanted[n] = int(math.copysign(math.floor(abs(delta) / LOT) * LOT, delta))
        orders = [(n, order) for n, order in wanted.items() if order < 0]
        orders += [(n, wanted[n]) for n in chosen if wanted[n] > 0]
    return value


def _window_zscore(table: Floats, t: int, window: int) -> Floats:
    values = table[t - window + 1 : t + 1]
    deviation = values.std(axis=0, ddof=1)
    deviation = np.where(deviation > NO_VARIATION, deviation, np.nan)
    scores: Floats = (values[-1] - values.mean(axis=0)) / deviation
    return scores
