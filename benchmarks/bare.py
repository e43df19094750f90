"""The workload as a bare compiled loop: its definition and nothing else, to see how near we are to it.

No market rules, no rounding, no limits, no splits or dividends, nobody who asks; rankings are shared by all
sets that have one. One thread. Scores come from running sums, so that they know where history began.

1. ``zscore`` makes a table from the sums of ``running``, ``rank_days`` a ranking of two of them;
2. ``walk`` follows one set through all sessions, and returns its four metrics and final equity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.definition import (
    CASH,
    COMMISSION,
    COMMISSION_MIN,
    FIRST_DECISION,
    LOT,
    NO_VARIATION,
    PER_YEAR,
    SLIPPAGE,
    THRESHOLD,
    Floats,
    Integers,
    Set,
    flow_ratio,
    margin_growth,
)
from data.numeric.compiled import compiled

if TYPE_CHECKING:
    from benchmarks.workload import Workload


def sweep(data: Workload, sets: Sequence[Set]) -> tuple[Floats, Floats]:
    """Return metrics (P, 4) and final equity (P,)."""
    depth = min(max(each.top for each in sets), data.close.shape[1])
    groups: dict[tuple[int, int], dict[float, list[int]]] = {}
    for place, each in enumerate(sets):
        of_window = groups.setdefault((each.lookback, each.z_window), {})
        of_window.setdefault(each.margin_weight, []).append(place)
    days = len(data.close)
    flow, growth = np.empty(data.close.shape), np.empty(data.close.shape)
    ranking, ranked = np.empty((days, depth), dtype=np.int64), np.empty(days, dtype=np.int64)
    found = np.empty((len(sets), 5))
    known = None
    for lookback, window in sorted(groups):
        if lookback != known:
            known = lookback
            flow_sums, growth_sums = running(flow_ratio(data, known)), running(margin_growth(data, known))
        compiled(zscore)(*flow_sums, window, flow)
        compiled(zscore)(*growth_sums, window, growth)
        for weight, places in groups[lookback, window].items():
            compiled(rank_days)(flow, growth, weight, ranking, ranked)
            for place in places:
                each = sets[place]
                compiled(walk)(data.open, data.close, ranking, ranked, each.rebalance, each.top, found[place])
    return found[:, :4], found[:, 4]


def running(table: Floats) -> tuple[Floats, Floats, Floats]:
    """Return a table around its means, and the running sums of it and of its squares."""
    known = np.flatnonzero(np.isfinite(table).all(axis=1))
    values = np.zeros_like(table)
    values[known] = table[known] - table[known].mean(axis=0)
    return values, np.cumsum(values, axis=0), np.cumsum(values * values, axis=0)


def zscore(values: Floats, sums: Floats, squares: Floats, window: int, out: Floats) -> None:
    """Write the z-scores of a table from its running sums."""
    funds = values.shape[1]
    count, less = float(window), float(window - 1)
    for day in range(FIRST_DECISION, values.shape[0]):
        now, before, at = sums[day], sums[day - window], values[day]
        square, square_before, row = squares[day], squares[day - window], out[day]
        for column in range(funds):
            mean = (now[column] - before[column]) / count
            variance = (square[column] - square_before[column] - count * mean * mean) / less
            row[column] = (at[column] - mean) / math.sqrt(variance)
            if not variance > NO_VARIATION * NO_VARIATION:
                row[column] = math.nan


def rank_days(flow: Floats, growth: Floats, weight: float, ranking: Integers, ranked: Integers) -> None:
    """Write the best columns of each day, and how many are above the threshold."""
    depth = ranking.shape[1]
    best = np.empty(depth)
    scores = np.empty(flow.shape[1])
    for day in range(FIRST_DECISION, len(flow)):
        count, floor = 0, THRESHOLD
        for column in range(len(scores)):
            scores[column] = flow[day, column] + weight * growth[day, column]
        for column in range(len(scores)):
            score = scores[column]
            if not score > floor:
                continue
            place = min(count, depth - 1)
            count = min(count + 1, depth)
            while place > 0 and score > best[place - 1]:
                best[place] = best[place - 1]
                ranking[day, place] = ranking[day, place - 1]
                place -= 1
            best[place] = score
            ranking[day, place] = column
            if count == depth:
                floor = best[depth - 1]
        ranked[day] = count


def walk(
    opening: Floats, close: Floats, ranking: Integers, ranked: Integers, every: int, top: int, found: Any
) -> None:
    """Write total return, Sharpe ratio, deepest drawdown, turnover and final equity of one set."""
    sessions, funds = close.shape
    position = np.zeros(funds, dtype=np.int64)
    wanted = np.zeros(funds)
    held = np.empty(funds, dtype=np.int64)
    equity = np.empty(sessions - FIRST_DECISION)
    holding = 0
    cash = CASH
    traded = total = 0.0
    chosen = 0
    for day in range(FIRST_DECISION, sessions):
        if day > FIRST_DECISION and (day - 1 - FIRST_DECISION) % every == 0:
            before = day - 1
            value = equity[before - FIRST_DECISION]
            chosen = min(top, ranked[before])
            for place in range(chosen):
                wanted[ranking[before, place]] = 1.0 / top
            left = 0
            for place in range(holding):
                column = held[place]
                shares = wanted[column] * value / close[before, column] - position[column]
                if shares < 0.0:
                    order = math.floor(-shares / LOT) * LOT
                    if order > 0:
                        notional = order * (opening[day, column] * (1.0 - SLIPPAGE))
                        cash += notional - max(COMMISSION_MIN, COMMISSION * notional)
                        traded += notional
                        position[column] -= order
                if position[column] > 0:
                    held[left] = column
                    left += 1
            holding = left
            for place in range(chosen):
                column = ranking[before, place]
                shares = value / top / close[before, column] - position[column]
                wanted[column] = 0.0
                if shares < LOT:
                    continue
                order = math.floor(shares / LOT) * LOT
                price = opening[day, column] * (1.0 + SLIPPAGE)
                notional = order * price
                after = cash - notional - max(COMMISSION_MIN, COMMISSION * notional)
                if after < 0.0:
                    order = (
                        math.floor(min(cash - COMMISSION_MIN, cash / (1.0 + COMMISSION)) / price / LOT) * LOT
                    )
                    if order <= 0:
                        continue
                    notional = order * price
                    after = cash - notional - max(COMMISSION_MIN, COMMISSION * notional)
                cash = after
                traded += notional
                if position[column] == 0:
                    at = holding
                    while at > 0 and held[at - 1] > column:
                        held[at] = held[at - 1]
                        at -= 1
                    held[at] = column
                    holding += 1
                position[column] += order
        level = cash
        for place in range(holding):
            level += position[held[place]] * close[day, held[place]]
        equity[day - FIRST_DECISION] = level
        total += level
    days = len(equity)
    peak, deepest, mean = equity[0], 0.0, 0.0
    for day in range(1, days):
        mean += equity[day] / equity[day - 1] - 1.0
        peak = max(peak, equity[day])
        deepest = min(deepest, equity[day] / peak - 1.0)
    mean /= days - 1
    squares = 0.0
    for day in range(1, days):
        centred = equity[day] / equity[day - 1] - 1.0 - mean
        squares += centred * centred
    deviation = math.sqrt(squares / (days - 2))
    found[0] = equity[days - 1] / equity[0] - 1.0
    found[1] = mean / deviation * math.sqrt(PER_YEAR) if deviation > 0.0 else 0.0
    found[2] = deepest
    found[3] = 0.5 * traded / (total / days) * PER_YEAR / (days - 1)
    found[4] = equity[days - 1]
