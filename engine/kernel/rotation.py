"""From scores to target weights: the shared rotation rule.

For each decision session, with the scores of its known row (``target_weights``):

1. funds qualify that are listed, have a score, and whose score is above the threshold;
2. they are ranked by (-score, symbol), so that ties are decided;
3. the first ``top`` are held; a fund already chosen stays while its rank is within ``top + hysteresis``,
   and takes the place of the last newcomer;
4. they are weighed: equally (``1 / top`` each, an unfilled slot stays in cash), by score, or by inverse
   volatility; no fund gets more than ``cap``, and what the cap cuts off stays in cash;
5. when nothing qualifies, ``otherwise`` is held: cash, or one fund.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.arithmetic import sample_deviation, total
from data.errors import StrategyError, UsageError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

VOLATILITY_LOOKBACK = 20


@dataclass(frozen=True)
class Targets:
    """Target weights decided before the opens of some sessions.

    ``decisions`` (K,) are rows of the panel in rising order; ``weights`` (K, S) sum to 1 at most;
    ``rank`` (K, S) lists the columns in buying order, padded with -1; ``scores`` (K, S) are what they come
    from, NaN where a fund had none.
    """

    decisions: Integers
    weights: Floats
    rank: Integers
    scores: Floats

    @classmethod
    def of_weights(cls, decisions: Integers, weights: Floats, scores: Floats | None = None) -> Targets:
        """Return targets whose rank is by weight, largest first, then by symbol."""
        rank = np.full(weights.shape, -1, dtype=np.int64)
        for row, line in enumerate(weights):
            order = np.argsort(-line, kind="stable")
            wanted = order[line[order] > 0.0]
            rank[row, : len(wanted)] = wanted
        return cls(decisions, weights, rank, np.full_like(weights, np.nan) if scores is None else scores)


def decision_rows(rebalance: int | str, days: NDArray[np.datetime64], first: int, last: int) -> Integers:
    """Return the rows of the decision sessions from ``first`` to ``last``, both included.

    ``rebalance`` is a number of sessions, counted from ``first``, or ``weekly`` or ``monthly`` (the first
    session of the run, and of each week or month after it), or ``once``.
    """
    rows = np.arange(first, last + 1, dtype=np.int64)
    if rebalance == "once":
        return rows[:1]
    if rebalance in ("weekly", "monthly"):
        if rebalance == "weekly":
            # 1970-01-01 was a Thursday: shifted by three days, weeks begin on Monday.
            periods = (days[rows].astype("datetime64[D]").astype(np.int64) + 3) // 7
        else:
            periods = days[rows].astype("datetime64[M]").astype(np.int64)
        return rows[np.concatenate(([True], periods[1:] != periods[:-1]))]
    every = int(rebalance)
    if every < 1:
        raise UsageError("`rebalance` is out of bounds", received=rebalance, limit="1 session or more")
    return rows[::every]


def target_weights(
    scores: Floats,
    rotation: Any,
    decisions: Integers,
    listed: NDArray[np.bool_],
    adjusted_close: Floats,
    symbols: tuple[str, ...],
) -> Targets:
    """Return the targets of ``rotation`` (the shared fields of a strategy) for the rows ``decisions``.

    ``scores`` and ``adjusted_close`` (D, S) are known rows, NaN where a fund does not qualify; ``listed``
    (D, S). Everything is decided row by row, apart from hysteresis, which looks at the row before.
    """
    if scores.shape != listed.shape:
        raise StrategyError(
            "the strategy's scores have the wrong shape",
            received=scores.shape,
            limit=f"{listed.shape}, sessions by symbols",
            hint="Return one score for each session and symbol, NaN where a fund does not qualify.",
        )
    weights = np.zeros((len(decisions), len(symbols)))
    rank = np.full(weights.shape, -1, dtype=np.int64)
    held: tuple[int, ...] = ()
    fallback = _column(rotation.otherwise, symbols)
    for number, row in enumerate(decisions):
        line = scores[row]
        qualifies = listed[row] & np.isfinite(line)
        if rotation.threshold is not None:
            qualifies &= line > rotation.threshold
        order = [int(column) for column in np.argsort(-line, kind="stable") if qualifies[column]]
        chosen = _select(order, held, rotation.top, rotation.hysteresis)
        held = tuple(chosen)
        if chosen:
            weights[number, chosen] = _weigh(chosen, line, rotation, adjusted_close[: row + 1])
        elif fallback is not None and listed[row, fallback]:
            chosen = [fallback]
            weights[number, fallback] = min(1.0, rotation.cap)
        rank[number, : len(chosen)] = chosen
    return Targets(decisions, weights, rank, scores[decisions])


def _select(order: list[int], held: tuple[int, ...], top: int, hysteresis: int) -> list[int]:
    if top == 0:
        return order
    if hysteresis == 0:
        return order[:top]
    kept = [column for column in order[: top + hysteresis] if column in held]
    newcomers = [column for column in order[:top] if column not in held]
    chosen = set((kept + newcomers)[:top])
    return [column for column in order if column in chosen]


def _weigh(chosen: list[int], line: Floats, rotation: Any, adjusted_close: Floats) -> Floats:
    slots = len(chosen) if rotation.top == 0 else rotation.top
    if rotation.weighting == "equal":
        raw = np.full(len(chosen), 1.0 / slots)
    else:
        if rotation.weighting == "score":
            values = line[chosen]
            # Scores may be negative: they count from the threshold, or from the lowest of the chosen.
            floor = rotation.threshold if rotation.threshold is not None else min(values.min(), 0.0)
            parts = values - floor
        else:
            parts = _inverse_volatility(adjusted_close[:, chosen])
        whole = total(parts.tolist())
        invested = min(1.0, len(chosen) / slots)
        raw = parts / whole * invested if whole > 0.0 else np.full(len(chosen), 1.0 / slots)
    return np.asarray(np.minimum(raw, rotation.cap), dtype=np.float64)


def _inverse_volatility(adjusted_close: Floats) -> Floats:
    """Return 1 / volatility of the last 20 known returns; of the mean of the others where it is unknown."""
    window = adjusted_close[-(VOLATILITY_LOOKBACK + 1) :]
    returns = window[1:] / window[:-1] - 1.0
    volatility = np.full(returns.shape[1], np.nan)
    for column in range(returns.shape[1]):
        values = [value for value in returns[:, column].tolist() if value == value]
        if len(values) > 1:
            volatility[column] = sample_deviation(values)
    known = volatility[volatility > 0.0].tolist()
    typical = total(known) / len(known) if known else 1.0
    return 1.0 / np.where(volatility > 0.0, volatility, typical)


def _column(otherwise: str, symbols: tuple[str, ...]) -> int | None:
    if otherwise == "cash":
        return None
    if otherwise not in symbols:
        raise UsageError(
            "`otherwise` must be cash or one of the symbols of the run",
            received=otherwise,
            limit=", ".join(symbols),
            hint="Add the symbol with --symbols.",
        )
    return symbols.index(otherwise)
