"""A dozen more ways to look ahead: too small for a tolerance, late, hidden, or through another door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from data.demo import Demo
from data.load import load_panel
from strategies.rotation import where_listed
from strategies.windows import change, rolling_mean
from tests.helpers.biased import Biased


def tomorrow(known: Any) -> np.ndarray:
    """The return of each session that its own row does not know yet."""
    returns = change(known.adjusted_close, 1)
    return np.vstack([returns[1:], np.zeros((1, returns.shape[1]))])


@dataclass(frozen=True, kw_only=True)
class TinyScale(Biased):
    """Tomorrow's return, times 1e-11."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, 1e-11 * tomorrow(known))


@dataclass(frozen=True, kw_only=True)
class TieBreak(Biased):
    """Above or below the mean of 20 sessions, and of those above the best of tomorrow."""

    def scores(self, known: Any) -> np.ndarray:
        close = known.adjusted_close
        above = np.where(close > rolling_mean(close, 20), 1.0, 0.0)
        return where_listed(known, above + 1e-10 * np.nan_to_num(tomorrow(known)))


@dataclass(frozen=True, kw_only=True)
class TinyTieBreak(Biased):
    """The same among those at zero, where a difference of 1e-22 is one."""

    def scores(self, known: Any) -> np.ndarray:
        close = known.adjusted_close
        above = np.where(close > rolling_mean(close, 20), 0.0, -1.0)
        return where_listed(known, np.where(above < 0.0, above, 1e-20 * np.nan_to_num(tomorrow(known))))


@dataclass(frozen=True, kw_only=True)
class FullSampleZ(Biased):
    """Momentum as a z-score over the whole sample of each fund."""

    def scores(self, known: Any) -> np.ndarray:
        momentum = pd.DataFrame(change(known.adjusted_close, 20))
        return where_listed(known, ((momentum - momentum.mean()) / momentum.std()).to_numpy())


@dataclass(frozen=True, kw_only=True)
class FullSampleRank(Biased):
    """Momentum as a quantile of the whole sample of each fund."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, pd.DataFrame(change(known.adjusted_close, 20)).rank(pct=True).to_numpy())


@dataclass(frozen=True, kw_only=True)
class BackFilled(Biased):
    """Momentum of every fifth session, filled backwards in between."""

    def scores(self, known: Any) -> np.ndarray:
        weekly = np.arange(len(known.days))[:, None] % 5 == 4
        momentum = np.where(weekly, change(known.adjusted_close, 20), np.nan)
        return where_listed(known, pd.DataFrame(momentum).bfill().to_numpy())


@dataclass(frozen=True, kw_only=True)
class CentredWindow(Biased):
    """The price over its mean of five sessions, two of them to come."""

    def scores(self, known: Any) -> np.ndarray:
        close = pd.DataFrame(known.adjusted_close)
        return where_listed(known, (close.rolling(5, center=True).mean() / close).to_numpy())


@dataclass(frozen=True, kw_only=True)
class MinMax(Biased):
    """Momentum between the lowest and the highest that there ever will be."""

    def scores(self, known: Any) -> np.ndarray:
        momentum = change(known.adjusted_close, 20)
        low, high = np.nanmin(momentum), np.nanmax(momentum)
        return where_listed(known, (momentum - low) / (high - low))


@dataclass(frozen=True, kw_only=True)
class MonthLabel(Biased):
    """Momentum times what the fund earned in the calendar month: a label of training, joined to its days."""

    def scores(self, known: Any) -> np.ndarray:
        months = known.days.astype("datetime64[M]")
        close = pd.DataFrame(known.adjusted_close)
        label = close.groupby(months).transform("last") / close.groupby(months).transform("first") - 1.0
        return where_listed(known, label.to_numpy() + 0.01 * change(known.adjusted_close, 20))


@dataclass(frozen=True, kw_only=True)
class LastThirty(Biased):
    """Momentum; in the last thirty sessions of the data as they are, tomorrow's return."""

    since: str = "2025-07-15"

    def scores(self, known: Any) -> np.ndarray:
        late = (known.days >= np.datetime64(self.since))[:, None]
        return where_listed(known, np.where(late, tomorrow(known), change(known.adjusted_close, 20)))


@dataclass(frozen=True, kw_only=True)
class Seldom(Biased):
    """Momentum; tomorrow's return on one session in ten."""

    def scores(self, known: Any) -> np.ndarray:
        now = (np.arange(len(known.days)) % 10 == 5)[:, None]
        return where_listed(known, np.where(now, tomorrow(known), change(known.adjusted_close, 20)))


KEPT: dict[str, np.ndarray] = {}


@dataclass(frozen=True, kw_only=True)
class FirstPanel(Biased):
    """Keeps the prices of the first panel that it is asked about, and reads the row after from them."""

    def scores(self, known: Any) -> np.ndarray:
        close = KEPT.setdefault("close", np.array(known.adjusted_close))
        if len(close) < len(known.days):
            KEPT["close"] = close = np.array(known.adjusted_close)
        ahead = np.vstack([close[1:], close[-1:]])[: len(known.days)]
        return where_listed(known, ahead / known.adjusted_close)


@dataclass(frozen=True, kw_only=True)
class WeightOfTomorrow:
    """All in what rises most tomorrow, decided for all sessions at once."""

    def target_weights(self, known: Any) -> np.ndarray:
        ahead = np.nan_to_num(where_listed(known, tomorrow(known)), nan=-1.0)
        best = np.zeros(ahead.shape)
        best[np.arange(len(best)), ahead.argmax(axis=1)] = 1.0
        return np.where(np.arange(len(best))[:, None] % 5 == 1, best, np.nan)


@dataclass(frozen=True)
class PrivateDecider:
    """Decides one by one, by the market behind what it is given."""

    def decide(self, past: Any, held: Mapping[str, float]) -> dict[str, float] | None:
        return {past.symbols[int(np.nanargmax(past._market.close[len(past.days)]))]: 1.0}


def globally() -> type[Any]:
    """A strategy that has loaded the market for itself."""
    panel = load_panel(Demo())

    @dataclass(frozen=True)
    class ByClosure:
        """Decides one by one, by a panel in its closure."""

        def decide(self, past: Any, held: Mapping[str, float]) -> dict[str, float] | None:
            row = min(len(past.days), len(panel.days) - 1)
            rise = panel.market.close[row] / panel.market.close[row - 1]
            return {past.symbols[int(np.nanargmax(rise[: len(past.symbols)]))]: 1.0}

    return ByClosure


class CloseOfTomorrow(bt.Strategy):
    """Buys what rises tomorrow."""

    def next(self) -> None:
        rises = self.data.close[1] > self.data.close[0]
        self.order_target_percent(self.data, 0.9 if rises else 0.0)
