"""Strategies that look ahead on purpose, one way each, and some that depend on what must not matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from strategies.rotation import Rotation, where_listed
from strategies.windows import change, rolling_mean, shift


@dataclass(frozen=True, kw_only=True)
class Biased(Rotation):
    """Base of the fixtures; looks back over 20 sessions."""

    @property
    def warmup(self) -> int:
        return 21


@dataclass(frozen=True, kw_only=True)
class ShiftByMinusOne(Biased):
    """The return of the session to come: ``returns.shift(-1)``."""

    def scores(self, known: Any) -> np.ndarray:
        returns = change(known.adjusted_close, 1)
        return where_listed(known, np.vstack([returns[1:], np.full((1, returns.shape[1]), np.nan)]))


@dataclass(frozen=True, kw_only=True)
class WholeSample(Biased):
    """Momentum, normalised with the mean and the deviation of the whole sample."""

    def scores(self, known: Any) -> np.ndarray:
        momentum = change(known.adjusted_close, 20)
        values, count = np.nan_to_num(momentum), np.isfinite(momentum).sum(axis=0) + 1
        mean, square = values.sum(axis=0) / count, (values**2).sum(axis=0) / count
        return where_listed(known, (momentum - mean) / np.sqrt(square + 1e-9))


@dataclass(frozen=True, kw_only=True)
class ForwardAdjusted(Biased):
    """The change in money of forward-adjusted prices, which later splits and dividends rewrite."""

    def scores(self, known: Any) -> np.ndarray:
        forward = known.adjusted_close / known._market.adjustment[-1]
        return where_listed(known, forward - shift(forward, 20))


@dataclass(frozen=True, kw_only=True)
class TodaysUniverse(Biased):
    """Momentum among the funds that still exist at the end of the data."""

    def scores(self, known: Any) -> np.ndarray:
        momentum = change(known.adjusted_close, 20)
        return where_listed(known, np.where(known.listed[-1], momentum, np.nan))


@dataclass(frozen=True, kw_only=True)
class TurnoverWithTodaysUnits(Biased):
    """Turnover as East Money computes it: volume of then over the units of today."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, known.volume / known.units_adjusted[-1])


@dataclass(frozen=True, kw_only=True)
class SameDayMargin(Biased):
    """The margin balance of the session itself, published on the next morning."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, change(known._published.series("margin").values, 5))


@dataclass(frozen=True, kw_only=True)
class WeeksLabelledLeft(Biased):
    """Weekly bars under the date of their first day: Monday knows the close of Friday."""

    def scores(self, known: Any) -> np.ndarray:
        weeks = (known.days.astype(np.int64) + 3) // 7
        last = np.searchsorted(weeks, weeks, side="right") - 1
        return where_listed(known, change(known.adjusted_close[last], 20))


@dataclass(frozen=True, kw_only=True)
class LatestIndexWeights(Biased):
    """The theme weight of the latest file of each index, on all days."""

    def scores(self, known: Any) -> np.ndarray:
        def weight(code: str | None) -> float:
            files = known.index_weights(code) if code else ()
            latest = max(files, key=lambda file: file.day, default=None)
            return sum(latest.weights[n] for n, t in latest.themes.items() if t) if latest else np.nan

        line = np.array([weight(code) for code in known.tracked])
        return where_listed(known, np.broadcast_to(line, known.listed.shape))


@dataclass(frozen=True, kw_only=True)
class BeforeHolidays(Biased):
    """Momentum on the days before a closed one, which only the next row of the calendar tells."""

    def scores(self, known: Any) -> np.ndarray:
        gap = np.append(np.diff(known.days.astype(np.int64)), 1)
        return where_listed(known, np.where(gap[:, None] > 1, change(known.adjusted_close, 20), np.nan))


@dataclass(frozen=True, kw_only=True)
class FinalCapex(Biased):
    """Momentum, its sign by the last value of a macro series."""

    def scores(self, known: Any) -> np.ndarray:
        capex = known.macro("capex")
        return where_listed(known, (capex[-1] - capex)[:, None] + change(known.adjusted_close, 20))


@dataclass(frozen=True)
class PeekingDecider:
    """Decides one by one, and reaches past the end of an array that it is given."""

    def decide(self, past: Any, held: Mapping[str, float]) -> dict[str, float] | None:
        row = len(past.days) - 1
        if row % 5:
            return None
        whole = past.close.base
        ahead = whole[min(row + 1, len(whole) - 1)]
        best = int(np.argmax(np.where(past.listed[-1], np.nan_to_num(ahead, nan=-1.0), -2.0)))
        return {past.symbols[best]: 1.0}


@dataclass(frozen=True)
class HonestDecider:
    """Decides one by one: the most expensive fund of yesterday."""

    def decide(self, past: Any, held: Mapping[str, float]) -> dict[str, float] | None:
        if len(past.days) % 5 or not np.isfinite(past.close[-1]).any():
            return None
        return {past.symbols[int(np.nanargmax(np.where(past.listed[-1], past.close[-1], np.nan)))]: 1.0}


@dataclass(frozen=True)
class RichDecider:
    """Decides one by one: all funds of which more than 50 million were traded, whatever the currency."""

    def decide(self, past: Any, held: Mapping[str, float]) -> dict[str, float] | None:
        rich = np.flatnonzero(past.listed[-1] & (np.nan_to_num(past.amount[-1]) > 5e7))
        if len(past.days) % 5:
            return None
        return {past.symbols[column]: 1.0 / len(rich) for column in rich.tolist()}


# --- what must not matter ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ShortWarmup(Biased):
    """Needs 21 sessions for its mean of 20 returns, and declares 20."""

    @property
    def warmup(self) -> int:
        return 20

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, rolling_mean(change(known.adjusted_close, 1), 20))


@dataclass(frozen=True, kw_only=True)
class ByColumn(Biased):
    """Prefers funds by their place in the table."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, np.broadcast_to(np.arange(len(known.symbols)) * 1.0, known.listed.shape))


@dataclass(frozen=True, kw_only=True)
class ByHeadCount(Biased):
    """Scores depend on how many columns there are, listed or not."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, change(known.adjusted_close, 20) * len(known.symbols))


@dataclass(frozen=True, kw_only=True)
class FloorOfMoney(Biased):
    """Momentum where more than 50 million were traded, whatever the currency."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, np.where(known.amount > 5e7, change(known.adjusted_close, 20), np.nan))


@dataclass(frozen=True, kw_only=True)
class LowPrice(Biased):
    """Prefers a low price per unit, which a split gives."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, -known.close)
