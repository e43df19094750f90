"""What funds earned after events, less what other funds earned over the same sessions.

An event of row *d* is known before the open of session *d*, so the fund is bought at the fill point of *d*
and valued h sessions later (``engine.factors.forward``)::

    abnormal[d, h] = return[d, h] - mean return[d, h] of the other funds

once of the other funds of its index family, once of all others (equal weight). The fund itself is never among
those it is held against. An event does not count at a horizon where its fund cannot be bought on the session,
where session *d* + h is not in the data, or where there is no other fund.

1. ``Others`` makes abnormal returns over any span of sessions, before the event too.
2. Each horizon gets its mean over events, that of a portfolio by calendar time, and a placebo
   (``engine.statistics.events``), once for each alternative; by year and family too.
3. The fan is the distribution session by session, from before the event to the longest horizon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.errors import StrategyError, UsageError
from data.panel.panel import Panel
from engine.events.others import ALTERNATIVES, Others
from engine.events.warnings import at_once, few, never, without_others
from engine.factors.diagnose import checked_horizons
from engine.factors.families import families_of, sisters
from engine.factors.forward import Forward
from engine.simulation.backtest import last_session
from engine.spec import DEFAULT, Conditions
from engine.statistics.estimate import Estimate
from engine.statistics.events import EventMean, Placebo, calendar_mean, event_mean, placebo
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import ScoreAdapter, adapt
from engine.strategy.causality import require_causal
from engine.strategy.fresh import fresh
from engine.strategy.protocol import Strategy

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

HORIZONS = (1, 5, 20)
SESSIONS_BEFORE = 20


@dataclass(frozen=True)
class Measure:
    """What events were followed by at one horizon, against one alternative.

    Attributes
    ----------
    sessions : int
    alternative : str
        A key of ``ALTERNATIVES``.
    abnormal : EventMean
        Of the abnormal returns of events, fractions over the horizon.
    calendar, calendar_t : Estimate
        Mean abnormal return a session of a portfolio of all funds with an event in the last ``sessions``
        sessions, equally weighted, and its t statistic.
    calendar_sessions : int
        Sessions on which it holds something.
    placebo : Placebo
        The same events at all other dates.
    by_year, by_family : mappings to EventMean
    """

    sessions: int
    alternative: str
    abnormal: EventMean
    calendar: Estimate
    calendar_t: Estimate
    calendar_sessions: int
    placebo: Placebo
    by_year: Mapping[int, EventMean]
    by_family: Mapping[str, EventMean]


@dataclass(frozen=True)
class EventStudy:
    """Everything that is said of what events were followed by.

    Attributes
    ----------
    days : datetime64[D] (D,)
        Sessions on which events were looked for.
    symbols : tuple of str (S,)
    happened : (D, S) array of bool
    fill : str
        Point of the session at which funds are bought and valued.
    raw : mapping of int to EventMean
        Returns after events by horizon, less nothing.
    measures : tuple of Measure
        By horizon, then by alternative.
    fan_sessions : (F,) array
        Sessions from the event, negative ones before it, without 0.
    fan : mapping of str to (F, 6) array
        Mean, and 5 %, 25 %, 50 %, 75 %, 95 % of abnormal returns, by alternative: before the event from that
        session to it, after it from it to that session. NaN where no event has one.
    told : float
        Share of listed funds, over all sessions, for which it can be told whether the condition holds.
    shared : mapping of str to float
        By alternative, the share of what events are held against that has the same one on the same session.
    blocked : int
        Events whose fund could not be bought on the session.
    families : mapping of str to int
        Number of events by index family; of funds without one under "no family".
    warnings : tuple of str
    """

    days: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    happened: Bools
    fill: str
    raw: Mapping[int, EventMean]
    measures: tuple[Measure, ...]
    fan_sessions: Integers
    fan: Mapping[str, Floats]
    told: float
    shared: Mapping[str, float]
    blocked: int
    families: Mapping[str, int]
    warnings: tuple[str, ...]

    @property
    def events(self) -> int:
        """Number of events."""
        return int(self.happened.sum())

    @property
    def against(self) -> Mapping[str, str]:
        """What events are held against, and how it reads."""
        return ALTERNATIVES

    @property
    def horizons(self) -> tuple[int, ...]:
        """Horizons in sessions, by length."""
        return tuple(self.raw)

    @property
    def measured(self) -> tuple[str, ...]:
        """The keys of ``ALTERNATIVES`` that some event could be held against at some horizon."""
        return tuple(dict.fromkeys(each.alternative for each in self.measures if each.abnormal.events))

    @property
    def held(self) -> bool:
        """Whether some event could be bought and held to some horizon."""
        return any(each.events for each in self.raw.values())

    def at(self, sessions: int, alternative: str) -> Measure:
        """Return the measure of a horizon against an alternative."""
        return next(
            each for each in self.measures if (each.sessions, each.alternative) == (sessions, alternative)
        )


def study_events(
    strategy: Strategy | Adapter,
    panel: Panel,
    conditions: Conditions = DEFAULT,
    *,
    horizons: Sequence[int] = HORIZONS,
) -> EventStudy:
    """Return what the events of a strategy were followed by, on the sessions of ``conditions``.

    A strategy has events if it has scores, ``answers(known)`` (D, S), 1 where its condition holds, 0 where it
    does not, NaN where that cannot be told, and ``events(known)``, True where it begins to hold. Else it is a
    StrategyError; ValidationError for one that looks ahead, UsageError for a period without a session.
    """
    lengths = checked_horizons(horizons)
    adapter = adapt(strategy)
    if not isinstance(adapter, ScoreAdapter) or not _has_events(adapter.strategy):
        raise StrategyError(
            f"{adapter.name} has no events that could be studied",
            limit="strategies with methods `scores`, `answers` and `events`",
            hint='The built-in strategy `event` has them, as in --set when="inflow_streak >= 5".',
        )
    last = last_session(panel, conditions.end)
    first = adapter.warmup if conditions.start is None else max(panel.row(conditions.start), adapter.warmup)
    if first > last:
        raise UsageError(
            "the period has no session on which an event could be known",
            received=f"it begins with session {first + 1} of {last + 1}",
            hint="Choose an earlier --start or a later --end, or data with more history.",
        )
    untouched = fresh(adapter)
    require_causal(untouched, panel.known, adapter.values_on(panel), first, last)
    span = slice(first, last + 1)
    happened = np.asarray(adapter.strategy.events(panel.known), dtype=np.bool_)[span]
    days = panel.days[span]
    answers = adapter.strategy.answers(panel.known)[span][panel.known.listed[span]]
    told = float(np.isfinite(answers).mean())
    rows, columns = np.nonzero(happened)
    families = families_of(panel)
    forward = Forward.of(panel.market, conditions.fill).rows(first, last)
    others = {
        "family": Others(forward, sisters(families)),
        "equal_weight": Others(forward, [list(range(len(panel.symbols)))]),
    }
    measures = tuple(
        _measure(each, name, happened, others[name], _groups(days, rows), _groups_of(families, columns))
        for each in lengths
        for name in ALTERNATIVES
    )
    raw = {each: event_mean(forward.returns(each)[rows, columns], rows, each) for each in lengths}
    shared = {name: each.shared(happened) for name, each in others.items()}
    offsets = np.array([*range(-SESSIONS_BEFORE, 0), *range(1, lengths[-1] + 1)])
    return EventStudy(
        days=days,
        symbols=panel.symbols,
        happened=happened,
        fill=conditions.fill,
        raw=raw,
        measures=measures,
        fan_sessions=offsets,
        fan={name: _fan(each, offsets, rows, columns) for name, each in others.items()},
        told=told,
        shared=shared,
        blocked=int((~np.isfinite(forward.entry[rows, columns])).sum()),
        families={name: int(np.isin(columns, members).sum()) for name, members in families.items()},
        warnings=(
            *([] if len(rows) else never(adapter.strategy, panel, answers, span)),
            *few(raw, told),
            *without_others(measures, raw),
            *at_once(shared),
        ),
    )


def _has_events(strategy: object) -> bool:
    return all(hasattr(strategy, name) for name in ("answers", "events"))


def _measure(
    horizon: int,
    alternative: str,
    happened: Bools,
    others: Others,
    years: Mapping[int, Bools],
    families: Mapping[str, Bools],
) -> Measure:
    rows, columns = np.nonzero(happened)
    abnormal = others.after(horizon)
    values = abnormal[rows, columns]
    mean, t_statistic, sessions = calendar_mean(_portfolio(happened, others, horizon))
    return Measure(
        sessions=horizon,
        alternative=alternative,
        abnormal=event_mean(values, rows, horizon),
        calendar=mean,
        calendar_t=t_statistic,
        calendar_sessions=sessions,
        placebo=placebo(
            abnormal[: max(len(abnormal) - horizon, 0)],
            *_inside(rows, columns, len(abnormal) - horizon),
            horizon,
        ),
        by_year={year: event_mean(values[chosen], rows[chosen], horizon) for year, chosen in years.items()},
        by_family={
            name: event_mean(values[chosen], rows[chosen], horizon) for name, chosen in families.items()
        },
    )


def _inside(rows: Integers, columns: Integers, end: int) -> tuple[Integers, Integers]:
    """Return the events before row ``end``."""
    kept = rows < end
    return rows[kept], columns[kept]


def _portfolio(happened: Bools, others: Others, horizon: int) -> Floats:
    """Return (D,) the mean abnormal return, from each session to the next, of funds with a recent event.

    A fund is in it for ``horizon`` sessions after each event at which it could be bought.
    """
    bought = happened & np.isfinite(others.forward.entry)
    rows = np.arange(len(bought))[:, None]
    latest = np.maximum.accumulate(np.where(bought, rows, -horizon), axis=0)
    held = rows - latest < horizon
    value = others.forward.value
    growth = np.full(value.shape, np.nan)
    growth[:-1] = value[1:] / np.where(value[:-1] > 0.0, value[:-1], np.nan) - 1.0
    abnormal = np.where(held, others.less(growth), np.nan)
    some = np.isfinite(abnormal)
    counts = some.sum(axis=1)
    total = np.where(some, abnormal, 0.0).sum(axis=1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _fan(others: Others, offsets: Integers, rows: Integers, columns: Integers) -> Floats:
    """Return mean and quantiles of the abnormal returns of events at each offset, (F, 6)."""
    result = np.full((len(offsets), 6), np.nan)
    for place, offset in enumerate(offsets.tolist()):
        if abs(offset) >= len(others.forward.entry):
            continue
        table = others.before(-offset) if offset < 0 else others.after(offset)
        found = event_mean(table[rows, columns], rows, 1)
        result[place] = (found.mean, *found.quantiles)
    return result


def _groups(days: NDArray[np.datetime64], rows: Integers) -> dict[int, Bools]:
    """Return which events are of each calendar year."""
    years = days[rows].astype("datetime64[Y]").astype(int) + 1970
    return {int(year): years == year for year in np.unique(years)}


def _groups_of(families: Mapping[str, Sequence[int]], columns: Integers) -> dict[str, Bools]:
    """Return which events are of each index family."""
    return {name: np.isin(columns, members) for name, members in families.items()}
