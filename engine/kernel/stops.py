"""Exits between decisions: stop loss, trailing stop and time stop of a rotation.

A fund that a decision chose is followed from the fill point of that session on, by levels of total return. It
is sold on the first session before whose open one of these is known (``reason_of``):

1. the last close is ``stop_loss`` or more below the price of the fill point (*entry*);
2. it is ``trailing_stop`` or more below the highest of entry and all closes since;
3. ``time_stop`` sessions have passed since.

It then stays out, its weight in cash, until the next decision after that session; a decision on that session
itself does not bring it back. What could not be sold is tried again on every session until then. Decisions
look at scores alone, as if nothing had been sold: one that chooses the fund again enters it anew, one that
goes on holding it leaves its entry as it was. A fund that could not be bought (halted, or at its upper limit)
is entered by the next decision that chooses it.

Exits are a function of data and decisions, not of fills, as hysteresis is: the same in every engine.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernel.fills import at_limit_up
from engine.kernel.targets import ALL, EXITS, STOP_FIELDS, Targets

Floats = NDArray[np.float64]

# Why a fund is sold: the place of the parameter in STOP_FIELDS, from 1 on.
STAYS, STOP_LOSS, TRAILING_STOP, TIME_STOP = range(4)
# Levels carry splits and dividends as binary fractions, and a fall of exactly the stop is one.
ROUNDING = 1.0 + 1e-9


class Stops(NamedTuple):
    """When a fund is sold between decisions: falls as fractions, and sessions; 0 is never."""

    stop_loss: float
    trailing_stop: float
    time_stop: int


class Followed(NamedTuple):
    """What is known of S funds, by column.

    ``chosen`` is the last decision that chose one (-1: none, or it is free again after an exit), ``since``
    the session of its entry; ``entry`` and ``peak`` are levels, NaN where it could not be bought; ``out`` is
    why it was sold, ``STAYS`` while it was not.
    """

    chosen: Any
    since: Any
    entry: Any
    peak: Any
    out: Any


class Rows(NamedTuple):
    """Decisions and exits in the order of time, as :class:`engine.simulation.entries.Orders` has them.

    Beside each column, ``reasons`` say why it is sold, or ``STAYS``.
    """

    sessions: Any
    starts: Any
    ranked: Any
    columns: Any
    weights: Any
    turns: Any
    reasons: Any


def stops_of(rotation: Any) -> Stops | None:
    """Return the stops of a strategy; None where it has none."""
    loss, trailing, sessions = (getattr(rotation, name, 0) for name in STOP_FIELDS)
    return Stops(float(loss), float(trailing), int(sessions)) if loss or trailing or sessions else None


def entry_levels(market: Any, fill: str) -> Floats:
    """Return the level of total return at the fill point of each session, (D, S), on the basis of closes.

    NaN where a fund could not be bought there.
    """
    market = market.local
    base = getattr(market, fill)
    at_best = market.low if fill == "vwap" else base
    with np.errstate(invalid="ignore"):
        bought = market.traded & market.tradable & ~at_limit_up(at_best, market.limit_up, market.tick)
    return np.where(bought, base * market.adjustment, np.nan)


def blank_followed(funds: int) -> Followed:
    """Return what is known before the first decision."""
    return Followed(
        np.full(funds, -1, dtype=np.int64),
        np.zeros(funds, dtype=np.int64),
        np.full(funds, np.nan),
        np.full(funds, np.nan),
        np.zeros(funds, dtype=np.int64),
    )


def blank_rows(sessions: int, most: int) -> Rows:
    """Return room for a row a session, of so many columns each at the most."""
    return Rows(
        np.empty(sessions, dtype=np.int64),
        np.zeros(sessions + 1, dtype=np.int64),
        np.zeros(sessions, dtype=np.int64),
        np.empty(sessions * most, dtype=np.int64),
        np.zeros(sessions * most),
        np.ones((sessions, 2), dtype=np.int64),
        np.zeros(sessions * most, dtype=np.int64),
    )


def reason_of(session: int, since: int, entry: float, peak: float, level: float, stops: Stops) -> int:
    """Return why a fund is sold on ``session``, or ``STAYS``; ``level`` is its last known close."""
    if stops.stop_loss > 0.0 and level <= entry * (1.0 - stops.stop_loss) * ROUNDING:
        return STOP_LOSS
    if stops.trailing_stop > 0.0 and level <= peak * (1.0 - stops.trailing_stop) * ROUNDING:
        return TRAILING_STOP
    if stops.time_stop > 0 and not math.isnan(entry) and session - since >= stops.time_stop:
        return TIME_STOP
    return STAYS


def with_exits(
    first: int,
    last: int,
    sessions: Any,
    starts: Any,
    columns: Any,
    weights: Any,
    closes: Any,
    entries: Any,
    stops: Stops,
    followed: Followed,
    rows: Rows,
) -> int:
    """Write the decisions of a rotation, and the exits between them up to ``last``; return how many rows.

    A kernel. Decision k is on ``sessions[k]``, and has ``starts[k]`` to ``starts[k + 1]`` of ``columns``, in
    buying order, and ``weights``. Session 0 is the row ``first`` of ``closes`` (levels known before the open,
    (D, S)) and of ``entries`` (levels at the fill point).
    """
    count = size = number = begin = end = 0
    for session in range(sessions[0], last + 1):
        decides = number < len(sessions) and sessions[number] == session
        if decides:
            for place in range(begin, end):
                column = columns[place]
                if followed.out[column] != STAYS:
                    followed.chosen[column] = -1
        leaving = 0
        for place in range(begin, end):
            column = columns[place]
            if weights[place] > 0.0 and followed.chosen[column] == number - 1:
                if followed.out[column] == STAYS:
                    look(session, column, closes[first + session, column], stops, followed)
                leaving += 1 if followed.out[column] != STAYS else 0
        if decides:
            begin, end = starts[number], starts[number + 1]
            for place in range(begin, end):
                column = columns[place]
                rows.columns[size] = column
                rows.weights[size] = weights[place]
                rows.reasons[size] = STAYS
                if weights[place] > 0.0:
                    if followed.chosen[column] < 0 or followed.chosen[column] != number - 1:
                        followed.out[column] = STAYS
                        followed.entry[column] = math.nan
                    if followed.out[column] != STAYS:
                        rows.weights[size] = 0.0
                        rows.reasons[size] = followed.out[column]
                    elif math.isnan(followed.entry[column]):
                        followed.since[column] = session
                        followed.entry[column] = entries[first + session, column]
                        followed.peak[column] = followed.entry[column]
                    followed.chosen[column] = number
                size += 1
            rows.ranked[count] = end - begin
            rows.turns[count, 1] = ALL
            number += 1
        elif leaving > 0:
            start = size
            for place in range(begin, end):
                column = columns[place]
                if weights[place] > 0.0 and followed.out[column] != STAYS:
                    put(rows, start, size, column, followed.out[column])
                    size += 1
            rows.ranked[count] = 0
            rows.turns[count, 1] = EXITS
        if decides or leaving > 0:
            rows.sessions[count] = session
            count += 1
            rows.starts[count] = size
    return count


def look(session: int, column: int, level: float, stops: Stops, followed: Followed) -> None:
    """Note before the open of a session whether a fund is to be sold; ``level`` is its last known close."""
    if level > followed.peak[column]:
        followed.peak[column] = level
    followed.out[column] = reason_of(
        session, followed.since[column], followed.entry[column], followed.peak[column], level, stops
    )


def put(rows: Rows, start: int, end: int, column: int, reason: int) -> None:
    """Put an exit into its place, in the order of columns, among those from ``start`` to ``end``."""
    place = end
    while place > start and rows.columns[place - 1] > column:
        rows.columns[place] = rows.columns[place - 1]
        rows.reasons[place] = rows.reasons[place - 1]
        place -= 1
    rows.columns[place] = column
    rows.reasons[place] = reason
    rows.weights[end] = 0.0


def exits_between(targets: Targets, stops: Stops, closes: Floats, entries: Floats, last: int) -> Targets:
    """Return the decisions of a rotation with the exits between them up to the row ``last``.

    ``closes`` and ``entries`` (D, S) are rows of the panel, as in :func:`with_exits`.
    """
    count, funds = targets.weights.shape
    filled = targets.rank >= 0
    starts = np.concatenate(([0], np.cumsum(filled.sum(axis=1))))
    columns = targets.rank[filled]
    at = np.repeat(np.arange(count), filled.sum(axis=1))
    first = int(targets.decisions[0])
    rows = blank_rows(last - first + 1, max(1, int(filled.sum(axis=1).max())))
    found = with_exits(
        first,
        last - first,
        (targets.decisions - first).tolist(),
        starts.tolist(),
        columns.tolist(),
        targets.weights[at, columns].tolist(),
        closes,
        entries,
        stops,
        blank_followed(funds),
        rows,
    )
    decided = rows.turns[:found, 1] == ALL
    made = np.repeat(np.arange(found), np.diff(rows.starts[: found + 1]))
    columns, reasons = rows.columns[: len(made)], rows.reasons[: len(made)]
    weights, scores = np.zeros((found, funds)), np.full((found, funds), np.nan)
    exits = np.zeros((found, funds), dtype=np.int64)
    rank = np.full((found, funds), -1, dtype=np.int64)
    rank[decided], scores[decided] = targets.rank, targets.scores
    weights[made, columns] = rows.weights[: len(made)]
    exits[made, columns] = reasons
    return Targets(rows.sessions[:found] + first, weights, rank, scores, rows.turns[:found], exits)
