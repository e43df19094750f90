"""The workload on which engines are compared: a panel with flows and margin, a signal, a rotation, its costs.

No limits, halts, participation cap or rounding of commissions: those are matters of correctness.
Sizes: S 20 funds x 1,250 sessions, M 200 x 2,500, L 1,000 x 5,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from data.panel.panel import Panel
from engine.kernel.costs import Costs

Floats = NDArray[np.float64]

SIZES = {"S": (20, 1250), "M": (200, 2500), "L": (1000, 5000)}
FIRST_DECISION = 140
CASH = 1_000_000.0
COSTS = Costs(commission_tick=0.0, participation_rate=0.0)


@dataclass(frozen=True)
class Workload:
    """Eight (T, N) arrays and T weekdays from 2015-01-05."""

    days: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    amount: Floats
    units: Floats
    margin: Floats

    def __post_init__(self) -> None:
        """Settle the arrays, so that a panel of them needs no copy."""
        for each in fields(self):
            if each.type == "Floats":
                getattr(self, each.name).flags.writeable = False

    def of(self, columns: Sequence[int]) -> Workload:
        """Return the workload of some of the funds."""
        arrays = {each.name: getattr(self, each.name) for each in fields(self)}
        some = {name: array[:, columns] for name, array in arrays.items() if name not in ("days", "symbols")}
        return Workload(days=self.days, symbols=tuple(self.symbols[each] for each in columns), **some)

    def panel(self) -> Panel:
        """Return the workload as a panel of ours."""
        bars = {name: getattr(self, name) for name in ("open", "high", "low", "close", "volume", "amount")}
        return Panel.from_events(
            self.days,
            self.symbols,
            bars=bars,
            units=self.units,
            margin_balance=self.margin,
            name="workload",
        )


def make_workload(size: str) -> Workload:
    """Return the workload of a size, always the same."""
    return draw_workload(*SIZES[size])


def draw_workload(funds: int, sessions: int) -> Workload:
    """Return a workload of so many funds and sessions, always the same."""
    rng = np.random.Generator(np.random.PCG64(20240607 + funds))
    shape = (sessions, funds)
    pressure = _ar1(rng, shape)
    leverage = _ar1(rng, shape)
    market = rng.normal(0.0002, 0.009, (sessions, 1))
    own = rng.normal(0.0, 0.008, shape)
    beta = rng.uniform(0.5, 1.5, (1, funds))
    first_price = rng.uniform(0.8, 5.0, (1, funds))
    returns = beta * market + own
    returns[1:] += 0.0008 * pressure[:-1] + 0.0004 * leverage[:-1]
    returns[0] = 0.0
    close = np.maximum(_round(first_price * np.exp(np.cumsum(returns, axis=0))), 0.05)
    before = np.vstack([close[:1], close[:-1]])
    opening = np.maximum(_round(before * np.exp(rng.normal(0.0, 0.003, shape))), 0.05)
    high = _round(np.maximum(opening, close) * np.exp(np.abs(rng.normal(0.0, 0.004, shape))))
    low = _round(np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0.0, 0.004, shape))))
    high = np.maximum(high, np.maximum(opening, close))
    low = np.maximum(np.minimum(low, np.minimum(opening, close)), 0.001)
    start_units = 5e8 * np.exp(rng.normal(0.0, 0.5, (1, funds)))
    growth = 0.002 * pressure + rng.normal(0.0, 0.003, shape)
    units = np.round(start_units * np.exp(np.cumsum(growth, axis=0)) / 1000.0) * 1000.0
    start_margin = rng.uniform(0.01, 0.05, (1, funds)) * start_units * first_price
    growth = 0.008 * leverage + rng.normal(0.0, 0.006, shape)
    margin = np.round(start_margin * np.exp(np.cumsum(growth, axis=0)), 2)
    volume = np.round(0.02 * units * np.exp(rng.normal(0.0, 0.4, shape)) / 100.0) * 100.0
    amount = volume * (opening + high + low + close) / 4.0
    days = np.arange("2015-01-05", "2060-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)][:sessions]
    symbols = tuple(f"{100000 + number}.SZ" for number in range(funds))
    return Workload(days, symbols, opening, high, low, close, volume, amount, units, margin)


def _ar1(rng: np.random.Generator, shape: tuple[int, int], rho: float = 0.9) -> Floats:
    shocks = rng.normal(0.0, 1.0, shape)
    series = np.empty(shape)
    series[0] = shocks[0]
    for row in range(1, len(series)):
        series[row] = rho * series[row - 1] + (1.0 - rho * rho) ** 0.5 * shocks[row]
    return series


def _round(prices: Floats) -> Floats:
    return np.round(prices, 3)
