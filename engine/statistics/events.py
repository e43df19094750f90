"""Means over events that are near each other: what happened to one fund this week happened to others too.

Events of one session share its news, and returns over a horizon overlap with those of later events. Taken for
independent they make any mean look certain. Two ways around it, both here:

- ``event_mean`` weighs every event alike and lets the error allow for both: sums by session, and a long-run
  variance over sessions (Driscoll and Kraay 1998, Review of Economics and Statistics).
- ``calendar_mean`` weighs every session alike: the mean return of whoever had an event lately, as a portfolio
  earns it (Jaffe 1974; Fama 1998, Journal of Financial Economics).

``placebo`` needs no model of the error: the same events, all moved by the same number of sessions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.statistics.estimate import Estimate, Floats, Integers, check_at_least, undefined
from engine.statistics.long_run import NO_VARIANCE, bartlett_sum, default_lags, mean_t_statistic

# Sessions with events, below which no error is told: it would be that of a handful of days.
FEWEST_SESSIONS = 10
# Moves of the calendar that are looked at, at most; evenly spread over all there are.
MOST_MOVES = 2_000
FEWEST_MOVES = 20


@dataclass(frozen=True)
class EventMean:
    """Mean over events, and how sure it is.

    Attributes
    ----------
    mean, median : float
        NaN without an event.
    quantiles : (5,) array
        5 %, 25 %, 50 %, 75 % and 95 %.
    hit_rate : float
        Share of events above zero.
    t_statistic : Estimate
        Of the mean; its error allows for events that share a session or overlap.
    events, sessions : int
        Events that have a value, and sessions on which they are.
    """

    mean: float
    median: float
    quantiles: Floats
    hit_rate: float
    t_statistic: Estimate
    events: int
    sessions: int


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def event_mean(values: Floats, rows: Integers, horizon: int) -> EventMean:
    """Summarise (E,) values of events on the sessions ``rows``, each over ``horizon`` sessions.

    NaN is left out. The variance of the mean is ``G / (G - 1) / E² Σ_l w_l Σ_t S_t S_{t-l}``, where S_t
    is the sum of deviations of the events of session t, w_l = 1 - |l| / (L + 1), L = 2 (h - 1), and G the
    number of sessions with events. L is twice the overlap, since the weights fall to zero within it.
    Undefined below ten sessions with events.
    """
    check_at_least("the horizon", horizon, 1)
    known = np.isfinite(values)
    values, rows = values[known], rows[known]
    count, sessions = len(values), len(np.unique(rows))
    if not count:
        nan = math.nan
        return EventMean(nan, nan, np.full(len(QUANTILES), nan), nan, undefined("no event"), 0, 0)
    mean = math.fsum(values.tolist()) / count
    return EventMean(
        mean=mean,
        median=float(np.median(values)),
        quantiles=np.quantile(values, QUANTILES),
        hit_rate=float((values > 0.0).mean()),
        t_statistic=_t_statistic(values - mean, mean, rows, 2 * (horizon - 1)),
        events=count,
        sessions=sessions,
    )


def _t_statistic(deviations: Floats, mean: float, rows: Integers, lags: int) -> Estimate:
    days = len(np.unique(rows))
    if days < FEWEST_SESSIONS:
        return undefined(f"events on {days} sessions only, {FEWEST_SESSIONS} are needed")
    sums = np.zeros(int(rows.max() - rows.min()) + 1)
    np.add.at(sums, rows - rows.min(), deviations)
    variance = days / (days - 1) * bartlett_sum(sums, lags) / len(deviations) ** 2
    if not variance > NO_VARIANCE:
        return undefined("the values do not vary")
    return Estimate(mean / math.sqrt(variance))


def calendar_mean(returns: Floats) -> tuple[Estimate, Estimate, int]:
    """Return mean and t statistic of a portfolio's returns, (D,), and how many sessions it is invested.

    NaN where it holds nothing. The error is Newey and West's, with ``default_lags``.
    """
    held = returns[np.isfinite(returns)]
    if not len(held):
        reason = "no session with a fund that had an event"
        return undefined(reason), undefined(reason), 0
    return Estimate(float(held.mean())), mean_t_statistic(held, default_lags(len(held))), len(held)


@dataclass(frozen=True)
class Placebo:
    """The mean at other dates: of all moves of the calendar, their mean, and the share that is as far out.

    ``p`` is two-sided and counts the real one: (1 + moves with a mean as far from theirs) / (1 + moves).
    """

    mean: Estimate
    p: Estimate
    moves: int


def placebo(returns: Floats, rows: Integers, columns: Integers, horizon: int) -> Placebo:
    """Hold the mean of (D, S) ``returns`` at events against the same events, all moved by some sessions.

    The sessions are a ring: what leaves the last enters at the first. So the events of one session stay
    together, and the distances between sessions stay what they are. Moves by less than the horizon overlap
    with the real events, and are left out; so are those at which less than half of the events have a
    return.
    """
    length = len(returns)
    real = returns[rows, columns]
    some = int(np.isfinite(real).sum())
    moves = np.arange(horizon, length - horizon + 1)
    if len(moves) > MOST_MOVES:
        moves = moves[np.linspace(0, len(moves) - 1, MOST_MOVES).astype(int)]
    means = []
    for move in moves.tolist():
        moved = returns[(rows + move) % length, columns]
        known = moved[np.isfinite(moved)]
        if len(known) * 2 >= max(some, 1):
            means.append(float(known.mean()))
    if not some or len(means) < FEWEST_MOVES:
        reason = "no event" if not some else f"{len(means)} other dates only, {FEWEST_MOVES} are needed"
        return Placebo(undefined(reason), undefined(reason), len(means))
    others: NDArray[np.float64] = np.array(means)
    middle = float(others.mean())
    distance = abs(float(real[np.isfinite(real)].mean()) - middle)
    beyond = int((np.abs(others - middle) >= distance).sum())
    return Placebo(Estimate(middle), Estimate((1 + beyond) / (1 + len(others))), len(others))
