"""Whether the order of the scores foretells the order of what the funds earn afterwards.

1. The strategy computes its scores once, on the whole known panel; a few rows are computed again with their
   future cut away, as in every run (``engine.strategy.causality``).
2. Forward returns from the fill point are taken from one pair of price tables (``engine.factors.forward``).
3. Each horizon gets its rank IC, decay, quantiles, and the same by year of the score and by index family.

Every session has a cross-section, not only those on which the strategy would decide. Neither ``top`` nor
``threshold``, weights or costs count: it is the score that is judged, over all listed funds that have one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.errors import StrategyError, UsageError
from data.panel.panel import Panel
from engine.factors.families import families_of
from engine.factors.forward import Forward
from engine.factors.section import Horizon, Section
from engine.simulation.backtest import last_session
from engine.spec import DEFAULT, Conditions
from engine.statistics.factor import FEW_ASSETS, coverage
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import ScoreAdapter, adapt
from engine.strategy.causality import require_causal
from engine.strategy.fresh import fresh
from engine.strategy.protocol import Strategy

Floats = NDArray[np.float64]

HORIZONS = (1, 2, 3, 5, 10, 20, 40, 60)
LONGEST = 10_000  # sessions of forty years
FEW_FOR_QUINTILES = 30
FEW_PERIODS = 10
# What the words of a rotation mean in sessions, to choose the horizon that the details are shown for.
REBALANCES: Mapping[str, int] = {"weekly": 5, "monthly": 20}


@dataclass(frozen=True)
class Diagnostics:
    """Everything that is said of a score.

    Attributes
    ----------
    days : datetime64[D] (D,)
        Sessions with a cross-section: from the first on which the strategy can decide.
    symbols : tuple of str (S,)
    scores : (D, S) array
        Of listed funds; NaN where a fund has none.
    fill : str
        Point of the session at which funds are bought and valued.
    quantiles : int
        Groups: 3 with fewer than 30 scored funds a session, otherwise 5.
    horizons : tuple of Horizon
        By length.
    main : Horizon
        The one closest to how often the strategy decides; details are shown of it.
    coverage : (D,) array
        Share of listed funds with a score; NaN on sessions without a listed fund.
    coverage_by_year : mapping of int to float
    scored, listed : float
        Median number of funds a session with a score, and listed.
    families : mapping of str to int
        Number of funds of each index family; of those without one under "no family".
    warnings : tuple of str
    """

    days: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    scores: Floats
    fill: str
    quantiles: int
    horizons: tuple[Horizon, ...]
    main: Horizon
    coverage: Floats
    coverage_by_year: Mapping[int, float]
    scored: float
    listed: float
    families: Mapping[str, int]
    warnings: tuple[str, ...]

    @property
    def measured(self) -> bool:
        """Whether there is any session with a rank IC, at whatever horizon."""
        return any(each.ic.dates for each in self.horizons)


def diagnose(
    strategy: Strategy | Adapter,
    panel: Panel,
    conditions: Conditions = DEFAULT,
    *,
    horizons: Sequence[int] = HORIZONS,
) -> Diagnostics:
    """Return the diagnostics of a strategy's scores on the sessions of ``conditions``, between fill points.

    Returns end with the last session too: a score that is followed by fewer sessions than a horizon does not
    count for it. Statistics that are undefined are NaN with a reason. StrategyError for a strategy without
    scores, ValidationError for one that looks ahead, DataError where it can decide on no session.
    """
    lengths = checked_horizons(horizons)
    adapter = adapt(strategy)
    if not isinstance(adapter, ScoreAdapter):
        raise StrategyError(
            f"{adapter.name} has no scores that could be diagnosed",
            limit="strategies with a method `scores`",
            hint="`etflow audit` asks what it can of strategies that decide otherwise.",
        )
    last = last_session(panel, conditions.end)
    untouched = fresh(adapter)
    values = adapter.values_on(panel)
    first = adapter.first_session(panel, values=values)
    if conditions.start is not None:
        first = max(first, panel.row(conditions.start))
    if first > last:
        raise UsageError(
            "the period has no session with scores",
            received=f"from {panel.days[min(first, len(panel.days) - 1)]} to {panel.days[last]}",
            hint="Choose an earlier --start or a later --end.",
        )
    require_causal(untouched, panel.known, values, first, last)

    span = slice(first, last + 1)
    listed = panel.known.listed[span]
    scores = np.where(listed & np.isfinite(values[span]), values[span], np.nan)
    scored = float(np.median(np.isfinite(scores).sum(axis=1)))
    quantiles = 3 if scored < FEW_FOR_QUINTILES else 5
    section = Section(
        scores,
        Forward.of(panel.market, conditions.fill).rows(first, last),
        panel.days[span],
        families_of(panel),
        quantiles,
    )
    found = tuple(section.at(h, before) for before, h in zip((0, *lengths[:-1]), lengths, strict=True))
    main = _main(adapter.rebalance, found)
    share = coverage(scores, listed)
    return Diagnostics(
        days=panel.days[span],
        symbols=panel.symbols,
        scores=scores,
        fill=conditions.fill,
        quantiles=quantiles,
        horizons=found,
        main=main,
        coverage=share,
        coverage_by_year={year: _mean(share[rows]) for year, rows in section.years.items()},
        scored=scored,
        listed=float(np.median(listed.sum(axis=1))),
        families={name: len(columns) for name, columns in section.families.items()},
        warnings=tuple(_warnings(found, main)),
    )


def checked_horizons(horizons: Sequence[int]) -> tuple[int, ...]:
    """Return horizons in sessions by length, each once; UsageError for none, or beyond 1 to ``LONGEST``."""
    lengths = tuple(sorted(set(horizons)))
    if not lengths or lengths[0] < 1 or lengths[-1] > LONGEST:
        raise UsageError(
            "a horizon is not a number of sessions",
            received=", ".join(map(str, horizons)) or "none",
            limit=f"whole numbers, 1 to {LONGEST:,}",
            hint="For instance --horizons 1,5,20.",
        )
    return lengths


def _mean(series: Floats) -> float:
    known = series[np.isfinite(series)]
    return float(known.mean()) if len(known) else math.nan


def _main(often: int | str | None, horizons: Sequence[Horizon]) -> Horizon:
    """Return the horizon closest to how often a strategy decides; the middle one where it does not say."""
    sessions = REBALANCES.get(often) if isinstance(often, str) else often
    if not isinstance(sessions, int):
        return horizons[len(horizons) // 2]
    return min(horizons, key=lambda each: abs(math.log(each.sessions / max(sessions, 1))))


def _warnings(horizons: Sequence[Horizon], main: Horizon) -> list[str]:
    found = []
    if main.funds.value < FEW_ASSETS:
        found.append(
            f"a median of {main.funds.value:g} fund{'' if main.funds.value == 1 else 's'} a session is fewer "
            f"than {FEW_ASSETS}: the rank "
            "correlation of so few is coarse, and so are groups of them"
        )
    short = [str(each.sessions) for each in horizons if 0 < each.ic.dates < FEW_PERIODS * each.sessions]
    if short:
        found.append(
            f"fewer than {FEW_PERIODS} periods without overlap at a horizon of {', '.join(short)} sessions: "
            "even the robust t statistic is no guide there"
        )
    if main.ic.reason is not None:
        found.append(f"there is no rank IC at {main.sessions} sessions: {main.ic.reason}")
    return found
