"""Strategies that do not look ahead, and may be taken for such as do."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import backtrader as bt
import numpy as np
import pandas as pd

from strategies.rotation import Rotation, where_listed
from strategies.windows import change


@dataclass(frozen=True, kw_only=True)
class Honest(Rotation):
    """Base of the fixtures; looks back over 20 sessions."""

    @property
    def warmup(self) -> int:
        return 21


@dataclass(frozen=True, kw_only=True)
class Expanding(Honest):
    """The price over its mean since the data begin."""

    history: ClassVar[str] = "all"

    def scores(self, known: Any) -> np.ndarray:
        close = pd.DataFrame(known.adjusted_close)
        return where_listed(known, (close / close.expanding(20).mean()).to_numpy())


@dataclass(frozen=True, kw_only=True)
class Exponential(Honest):
    """The price over its exponential mean, whose memory fades and does not end."""

    history: ClassVar[str] = "all"

    def scores(self, known: Any) -> np.ndarray:
        close = pd.DataFrame(known.adjusted_close)
        return where_listed(known, (close / close.ewm(span=20).mean()).to_numpy())


@dataclass(frozen=True, kw_only=True)
class LongExponential(Honest):
    """The same, of which after 250 sessions less is left than counts."""

    @property
    def warmup(self) -> int:
        return 250

    def scores(self, known: Any) -> np.ndarray:
        close = pd.DataFrame(known.adjusted_close)
        return where_listed(known, (close / close.ewm(span=20).mean()).to_numpy())


@dataclass(frozen=True, kw_only=True)
class UnitsSinceListing(Honest):
    """Units over those of the first day on which they are known."""

    history: ClassVar[str] = "all"

    def scores(self, known: Any) -> np.ndarray:
        units = pd.DataFrame(known.units_adjusted)
        return where_listed(known, (known.units_adjusted / units.bfill().iloc[0].to_numpy()))


@dataclass(frozen=True, kw_only=True)
class Floor(Honest):
    """Momentum of funds with assets above a floor in money."""

    floor: float = 5e8

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, np.where(known.aum > self.floor, change(known.adjusted_close, 20), np.nan))


@dataclass(frozen=True, kw_only=True)
class MonthEnds(Honest):
    """Momentum in the last three sessions of a month, and in the first."""

    cash_without_score: ClassVar[bool] = True

    def scores(self, known: Any) -> np.ndarray:
        months = known.days.astype("datetime64[M]").astype(np.int64)
        near = (known.sessions_left("month") < 3) | (np.diff(months, prepend=months[:1]) > 0)
        return where_listed(known, np.where(near[:, None], change(known.adjusted_close, 20), np.nan))


@dataclass(frozen=True, kw_only=True)
class Memo(Honest):
    """Momentum, row by row, which it remembers by day."""

    rows: dict[Any, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    def scores(self, known: Any) -> np.ndarray:
        close = known.adjusted_close
        for row, day in enumerate(known.days.tolist()):
            if day not in self.rows:
                past = close[row - 20] if row >= 20 else np.full(close.shape[1], np.nan)
                self.rows[day] = close[row] / past - 1.0
        return where_listed(known, np.array([self.rows[day] for day in known.days.tolist()]))


@dataclass(frozen=True, kw_only=True)
class CrossSection(Honest):
    """Momentum as a z-score over the funds of the session, tied to a coarse grid."""

    def scores(self, known: Any) -> np.ndarray:
        momentum = where_listed(known, change(known.adjusted_close, 20))
        frame = pd.DataFrame(momentum)
        z = frame.sub(frame.mean(axis=1), axis=0).div(frame.std(axis=1), axis=0)
        return z.to_numpy()


@dataclass(frozen=True, kw_only=True)
class Breadth(Honest):
    """How many funds rose, the same for all of them, by a product of matrices."""

    def scores(self, known: Any) -> np.ndarray:
        rose = np.nan_to_num(where_listed(known, change(known.adjusted_close, 20)) > 0.0)
        return where_listed(known, (rose @ np.full(rose.shape[1], 0.1))[:, None] + np.zeros(rose.shape))


@dataclass(frozen=True, kw_only=True)
class Macro(Honest):
    """Momentum, its sign by the latest row of a file that it declares."""

    inputs: ClassVar[tuple[str, ...]] = ("macro.csv",)

    def scores(self, known: Any) -> np.ndarray:
        with (Path(__file__).parent / "macro.csv").open(encoding="utf-8") as file:
            rows = [(np.datetime64(row["day"]), float(row["value"])) for row in csv.DictReader(file)]
        days = np.array([day for day, _ in rows])
        values = np.array([np.nan, *(value for _, value in rows)])
        latest = values[np.searchsorted(days, known.days, side="right")]
        return where_listed(known, latest[:, None] * change(known.adjusted_close, 20))


@dataclass(frozen=True)
class Remembering:
    """Holds a fund until it has fallen by a tenth below its highest price since."""

    symbol: str = "157001.SZ"
    top: list[float] = field(default_factory=list, compare=False, repr=False)

    def decide(self, past: Any, held: Mapping[str, float]) -> dict[str, float] | None:
        close = past.adjusted_close[-1, past.symbols.index(self.symbol)]
        self.top.append(close)
        if held and close < 0.9 * np.nanmax(self.top):
            self.top.clear()
            return {}
        return None if held or len(past.days) < 20 else {self.symbol: 1.0}


@dataclass(frozen=True)
class Fixed:
    """A tenth of each of the first five funds, decided for all sessions at once."""

    def target_weights(self, known: Any) -> np.ndarray:
        weights = np.where(known.listed & (np.arange(len(known.symbols)) < 5), 0.1, 0.0)
        return np.where(np.arange(len(known.days))[:, None] % 20 == 1, weights, np.nan)


class Average(bt.Strategy):
    """Above its average of 20 sessions a fund is held."""

    def __init__(self) -> None:
        self.averages = [bt.indicators.EMA(data.close, period=20) for data in self.datas]

    def next(self) -> None:
        for data, average in zip(self.datas[:3], self.averages, strict=False):
            self.order_target_percent(data, 0.3 if data.close[0] > average[0] else 0.0)
