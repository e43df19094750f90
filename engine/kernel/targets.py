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

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.errors import StrategyError, UsageError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

VOLATILITY_LOOKBACK = 20
# Returns that vary by their rounding alone, 1e-16 each, do not vary.
STILL = 1e-12
# A power of two changes no bit of a quotient, and keeps the sum of the largest scores below infinity.
SCALE = 2.0**-12

# The fields that all rotations share, of which scores know nothing. Those that came later may be missing:
# without ``phase`` and ``tranches`` it is one account that decides from its first session on.
TURN_FIELDS = ("phase", "tranches")
REQUIRED_FIELDS = ("top", "rebalance", "threshold", "weighting", "cap", "hysteresis", "otherwise")
STOP_FIELDS = ("stop_loss", "trailing_stop", "time_stop")
CORE_FIELDS = ("core", "core_weight")
LATER_FIELDS = (*TURN_FIELDS, *STOP_FIELDS, *CORE_FIELDS)
ROTATION_FIELDS = (*REQUIRED_FIELDS, *LATER_FIELDS)

ALL = -1
"""Instead of the number of a sleeve: all of them, as one account."""
EXITS = -2
"""Instead of it: no decision, but exits between two of them; what is not sold stays as it is."""

WEIGHTINGS = ("equal", "score", "inverse_volatility")
EQUALLY, BY_SCORE, BY_VOLATILITY = range(3)


class Rule(NamedTuple):
    """The shared fields of a rotation as numbers: no threshold is -inf, ``otherwise`` a column or -1."""

    top: int
    threshold: float
    weighting: int
    cap: float
    hysteresis: int
    otherwise: int


@dataclass(frozen=True)
class Targets:
    """Target weights decided before the opens of some sessions.

    ``decisions`` (K,) are rows of the panel in rising order; ``weights`` (K, S) sum to 1 at most;
    ``rank`` (K, S) lists the columns in buying order, padded with -1; ``scores`` (K, S) are what they come
    from, NaN where a fund had none. ``turns`` (K, 2) say of how many sleeves which one decides, the weights
    being of its own equity; with ``ALL`` the account is decided on as one, and so many sleeves share it from
    then on. Left out: the account is never shared. ``exits`` (K, S) say why a fund is sold
    (``engine.kernel.stops``), 0 where it is not; of a row whose turn is ``EXITS`` nothing else is traded.
    """

    decisions: Integers
    weights: Floats
    rank: Integers
    scores: Floats
    turns: Integers = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    exits: Integers = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))

    def __post_init__(self) -> None:
        if len(self.turns) != len(self.decisions):
            object.__setattr__(self, "turns", undivided(len(self.decisions)))
        if self.exits.shape != self.weights.shape:
            object.__setattr__(self, "exits", np.zeros(self.weights.shape, dtype=np.int64))

    @property
    def decided(self) -> Targets:
        """The decisions alone, without the exits between them."""
        exits = self.turns[:, 1] == EXITS
        return self.at(~exits) if exits.any() else self

    @property
    def weights_of_account(self) -> Floats:
        """Weights as fractions of the account's equity, sleeves being equal parts of it, (K, S)."""
        alone = self.turns[:, 1] >= 0
        return (
            np.where(alone, 1.0 / self.turns[:, 0], 1.0)[:, None] * self.weights
            if alone.any()
            else self.weights
        )

    def at(self, rows: Any) -> Targets:
        """Return the decisions at some places, by an index or a mask."""
        return Targets(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @classmethod
    def joined(cls, parts: Sequence[Targets]) -> Targets:
        """Return the decisions of all parts, one after another."""
        return cls(
            *(np.concatenate([getattr(each, name) for each in parts]) for name in cls.__dataclass_fields__)
        )

    @classmethod
    def of_weights(cls, decisions: Integers, weights: Floats, scores: Floats | None = None) -> Targets:
        """Return targets whose rank is by weight, largest first, then by symbol."""
        rank = np.full(weights.shape, -1, dtype=np.int64)
        for row, line in enumerate(weights):
            order = np.argsort(-line, kind="stable")
            wanted = order[line[order] > 0.0]
            rank[row, : len(wanted)] = wanted
        return cls(decisions, weights, rank, np.full_like(weights, np.nan) if scores is None else scores)


def undivided(count: int) -> Integers:
    """Return the turns of so many decisions on an account that is never shared, (K, 2)."""
    return np.tile(np.array([1, ALL], dtype=np.int64), (count, 1))


def target_weights(
    scores: Floats,
    rotation: Any,
    decisions: Integers,
    listed: NDArray[np.bool_],
    adjusted_close: Floats,
    symbols: tuple[str, ...],
    turns: Integers | None = None,
) -> Targets:
    """Return the targets of ``rotation`` (the shared fields of a strategy) for the rows ``decisions``.

    ``scores`` and ``adjusted_close`` (D, S) are known rows, NaN where a fund does not qualify; ``listed``
    (D, S). ``turns`` (K, 2) are as in :class:`Targets`, and may be left out. Everything is
    decided row by row, apart from hysteresis, which looks at the row before of the same sleeve.
    """
    if scores.shape != listed.shape:
        raise StrategyError(
            "the strategy's scores have the wrong shape",
            received=scores.shape,
            limit=f"{listed.shape}, sessions by symbols",
            hint="Return one score for each session and symbol, NaN where a fund does not qualify.",
        )
    count, funds = len(decisions), len(symbols)
    rule = rule_of(rotation, symbols)
    turns = undivided(count) if turns is None else turns
    lines, may_hold = scores[decisions], listed[decisions]
    ranking, ranked = rank_columns(lines, may_hold, rule.threshold)
    columns, parts = [0] * (count * funds), [0.0] * (count * funds)
    starts = [0] * (count + 1)
    rotate(
        ranking.ravel().tolist(),
        funds,
        ranked.tolist(),
        lines.ravel().tolist(),
        may_hold.ravel().tolist(),
        adjusted_close.ravel().tolist() if rule.weighting == BY_VOLATILITY else [],
        funds,
        list(range(count)),
        decisions.tolist(),
        turns.ravel().tolist(),
        rule,
        [False] * funds,
        columns,
        parts,
        starts,
    )
    weights = np.zeros((count, funds))
    rank = np.full(weights.shape, -1, dtype=np.int64)
    for number in range(count):
        chosen = slice(starts[number], starts[number + 1])
        weights[number, columns[chosen]] = parts[chosen]
        rank[number, : starts[number + 1] - starts[number]] = columns[chosen]
    return Targets(decisions, weights, rank, lines, turns)


def rank_columns(scores: Floats, listed: NDArray[np.bool_], threshold: float) -> tuple[Integers, Integers]:
    """Return the columns of each row by (-score, column), and how many qualify: listed, above the threshold.

    ``scores``, ``listed`` and the ranking are (K, S); what does not qualify stands at the end of its row.
    """
    eligible = listed & np.isfinite(scores) & (scores > threshold)
    ranking = np.argsort(np.where(eligible, -scores, np.inf), axis=1, kind="stable")
    return ranking, eligible.sum(axis=1)


def rule_of(rotation: Any, symbols: tuple[str, ...]) -> Rule:
    """Return the shared fields of a strategy as numbers."""
    return Rule(
        int(rotation.top),
        -math.inf if rotation.threshold is None else float(rotation.threshold),
        WEIGHTINGS.index(rotation.weighting),
        float(rotation.cap),
        int(rotation.hysteresis),
        _column(rotation.otherwise, symbols),
    )


def rotate(
    ranking: Any,
    depth: int,
    ranked: Any,
    scores: Any,
    listed: Any,
    closes: Any,
    funds: int,
    sessions: Any,
    rows: Any,
    turns: Any,
    rule: Rule,
    before: Any,
    columns: Any,
    weights: Any,
    starts: Any,
) -> None:
    """Write what to hold, in buying order, and its weights, for all decisions of one rotation.

    A kernel: it takes flat lists or arrays. For decision k: ``sessions[k]`` is its row in ``ranking``
    (``depth`` columns to a row, best first, of which ``ranked`` qualify), in ``scores`` and in ``listed``
    (``funds`` to a row); ``rows[k]`` is its row in ``closes`` (known total-return prices, used by inverse
    volatility alone); ``turns[2 * k + 1]`` is the sleeve whose it is. ``before`` is false for each column.
    Decision k has ``starts[k]`` to ``starts[k + 1]`` of ``columns`` and ``weights``.
    """
    start = 0
    reach = rule.top + rule.hysteresis
    for number in range(len(sessions)):
        at, of = sessions[number] * depth, sessions[number] * funds
        qualified = ranked[sessions[number]]
        if rule.top > 0 and reach < qualified:
            qualified = reach
        count = qualified
        if rule.top > 0 and rule.hysteresis > 0:
            # Those held before stay; newcomers take the places that are left. All sleeves decide first.
            last = number - 1
            while last > 0 and turns[2 * last + 1] != turns[2 * number + 1]:
                last -= 1
            begin = end = 0
            if last >= 0 and ranked[sessions[last]] > 0:  # or it held `otherwise`, which nobody chose
                begin, end = starts[last], starts[last + 1]
            for place in range(begin, end):
                before[columns[place]] = True
            room = rule.top
            for place in range(at, at + qualified):
                room -= 1 if before[ranking[place]] else 0
            count = 0
            for place in range(at, at + qualified):
                column = ranking[place]
                if not before[column]:
                    if room == 0:
                        continue
                    room -= 1
                columns[start + count] = column
                count += 1
            for place in range(begin, end):
                before[columns[place]] = False
        else:
            for place in range(qualified):
                columns[start + place] = ranking[at + place]
        if count > 0 and rule.weighting == EQUALLY:
            weight = min(1.0 / (count if rule.top == 0 else rule.top), rule.cap)
            for place in range(start, start + count):
                weights[place] = weight
        elif count > 0:
            weigh(columns, start, count, scores, of, closes, rows[number], funds, rule, weights)
        elif rule.otherwise >= 0 and listed[of + rule.otherwise]:
            columns[start] = rule.otherwise
            weights[start] = min(1.0, rule.cap)
            count = 1
        start += count
        starts[number + 1] = start


def weigh(
    columns: Any,
    start: int,
    count: int,
    scores: Any,
    of: int,
    closes: Any,
    row: int,
    funds: int,
    rule: Rule,
    weights: Any,
) -> None:
    """Write the weights of ``count`` columns from ``start`` on, by score or inverse volatility."""
    slots = count if rule.top == 0 else rule.top
    end = start + count
    if rule.weighting == BY_SCORE:
        # Scores may be negative: they count from the threshold, or from the lowest of the chosen.
        floor = rule.threshold
        if floor == -math.inf:
            floor = 0.0
            for place in range(start, end):
                floor = min(floor, scores[of + columns[place]])
        for place in range(start, end):
            weights[place] = scores[of + columns[place]] * SCALE - floor * SCALE
    else:
        known, sum_known = 0, 0.0
        for place in range(start, end):
            weights[place] = recent_volatility(closes, row, funds, columns[place])
            if weights[place] > STILL:
                known += 1
                sum_known += weights[place]
        # The mean of the others where it is unknown, or where the price stood still.
        typical = sum_known / known if known else 1.0
        for place in range(start, end):
            weights[place] = 1.0 / (weights[place] if weights[place] > STILL else typical)
    whole = 0.0
    for place in range(start, end):
        whole += weights[place]
    invested = count / slots
    for place in range(start, end):
        raw = weights[place] / whole * invested if whole > 0.0 else 1.0 / slots
        weights[place] = min(raw, rule.cap)


def recent_volatility(closes: Any, row: int, funds: int, column: int) -> float:
    """Return the sample deviation of the last 20 known returns up to ``row``; 0 with fewer than two."""
    first = max(1, row - VOLATILITY_LOOKBACK + 1)
    count, mean = 0, 0.0
    for at in range(first, row + 1):
        value = closes[at * funds + column] / closes[(at - 1) * funds + column] - 1.0
        if value == value:
            count += 1
            mean += value
    if count < 2:
        return 0.0
    mean /= count
    squares = 0.0
    for at in range(first, row + 1):
        value = closes[at * funds + column] / closes[(at - 1) * funds + column] - 1.0
        if value == value:
            squares += (value - mean) * (value - mean)
    return math.sqrt(squares / (count - 1))


def _column(otherwise: str, symbols: tuple[str, ...]) -> int:
    if otherwise == "cash":
        return -1
    if otherwise not in symbols:
        raise UsageError(
            "`otherwise` must be cash or one of the symbols of the run",
            received=otherwise,
            limit=", ".join(symbols),
            hint="Add the symbol with --symbols.",
        )
    return symbols.index(otherwise)
