"""The latent market: what happens, before anybody publishes it, as (session, column) arrays.

In order, each step a function:

1. stocks: market, theme and own return, within each stock's limit (``stock_returns``);
2. indices: the largest stocks of a family, weights capped every quarter, drifting between (``indices``);
3. each fund's return without the planted effect: its index, less fees, and a part of its own
   (``base_returns``);
4. flows: persistent pressure of the family and of the fund, noise, and the chase after past returns of
   step 3, in whole creation units; they do not depend on the size of the effect (``unit_counts``);
5. the planted effect of published flows on later returns (``flow_effects``);
6. NAV and bars, within the limits of the exchange, with the planted events (``data.demo.prices``).

Each component draws from a stream of its own, named after it. Only sums, products, comparisons and rounding
are used, element by element: results do not depend on a platform's exponential or BLAS.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from data.demo.plan import (
    BROAD_INDEX,
    FAMILIES,
    FLOW_CLIP,
    FLOW_SCALE,
    FLOW_SESSIONS,
    FLOW_SIZE,
    FUNDS,
    HALTS,
    REGIMES,
    SHOCKS,
    SPLITS,
    SYMBOLS,
    THEMES,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Days = NDArray[np.datetime64]

PLANS = tuple(sorted(FUNDS, key=lambda fund: fund.symbol))
MEMBERS = 12
WEIGHT_CAP = 0.15
STOCK_FAMILY = np.repeat(np.arange(len(FAMILIES)), [sum(family.stocks) for family in FAMILIES])
STOCK_THEME = np.concatenate([np.repeat(np.arange(len(THEMES)), family.stocks) for family in FAMILIES])
STOCK_LIMIT = np.array([family.price_limit for family in FAMILIES])[STOCK_FAMILY]
INDICES = (*(family.index for family in FAMILIES), BROAD_INDEX)

_MARKET_SD, _THEME_SD, _STOCK_SD, _FUND_SD = 0.0100, 0.0085, 0.018, 0.0085
_ANNUAL_FEE = 0.006


def stream(seed: int, component: str) -> np.random.Generator:
    """Return the random stream of one component; no component's draws depend on another's."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *component.encode()])))


def normals(seed: int, component: str, shape: tuple[int, ...]) -> Floats:
    """Return standard normals on a grid of 2**-20, which swallows differences of the last bit."""
    grid = 2.0**20
    return np.rint(stream(seed, component).standard_normal(shape) * grid) / grid


def smoothed(noise: Floats, memory: float) -> Floats:
    """Return the AR(1) process of unit variance that ``noise`` (D, S) drives, starting from its first row."""
    result = noise.copy()
    fresh = np.sqrt(1.0 - memory * memory)
    for row in range(1, len(noise)):
        result[row] = memory * result[row - 1] + fresh * noise[row]
    return result


def row_of(days: Days, day: date) -> int:
    """Return the row of ``day``, or of the first session after it; ``len(days)`` past the end."""
    return int(np.searchsorted(days, np.datetime64(day, "D")))


def stock_returns(seed: int, days: Days) -> Floats:
    """Return daily stock returns (D, K), each within its stock's price limit."""
    count, stocks = len(days), len(STOCK_FAMILY)
    ends = np.array([each.end for each in REGIMES], dtype="datetime64[D]")
    regime = np.searchsorted(ends, days)
    drift = np.array([each.drift for each in REGIMES])[regime]
    scale = np.array([each.volatility for each in REGIMES])[regime]
    market = drift + scale * _MARKET_SD * normals(seed, "market", (count,))
    for day, move in SHOCKS.items():
        market[row_of(days, day)] = move
    themes = scale[:, None] * _THEME_SD * normals(seed, "themes", (count, len(THEMES)))
    own = scale[:, None] * _STOCK_SD * normals(seed, "stocks", (count, stocks))
    spread = 0.8 + 0.4 * stream(seed, "betas").random(stocks)
    beta = spread * np.array([family.beta for family in FAMILIES])[STOCK_FAMILY]
    returns: Floats = market[:, None] * beta + themes[:, STOCK_THEME] + own
    return np.clip(returns, -STOCK_LIMIT, STOCK_LIMIT)


@dataclass(frozen=True)
class Indices:
    """``returns`` (D, I) a session; ``weights`` (D, I, K) of each stock at the close of each session."""

    returns: Floats
    weights: Floats


def indices(seed: int, days: Days, stocks: Floats) -> Indices:
    """Return the family indices and the broad index, in the order of ``INDICES``.

    A family index holds the ``MEMBERS`` largest of its stocks, the broad index all of them; both are
    reset to market size after the last session of each quarter, and drift between.
    """
    count, number = stocks.shape
    size = (1.0 + 4.0 * stream(seed, "sizes").random(number)) * np.multiply.accumulate(1.0 + stocks, axis=0)
    quarter = days.astype("datetime64[M]").astype(np.int64) // 3
    starts = [int(row) for row in np.flatnonzero(np.diff(quarter, prepend=quarter[0] - 1))]
    returns = np.empty((count, len(INDICES)))
    weights = np.zeros((count, len(INDICES), number))
    for start, end in zip(starts, [*starts[1:], count], strict=True):
        before = size[max(start - 1, 0)]
        growth = np.multiply.accumulate(1.0 + stocks[start:end], axis=0)
        for column in range(len(INDICES)):
            held = _reset_weights(before, column)
            drifted = held * growth
            value = _row_sums(drifted)
            returns[start:end, column] = value / np.concatenate([[1.0], value[:-1]]) - 1.0
            weights[start:end, column] = drifted / value[:, None]
    return Indices(returns, weights)


def _reset_weights(size: Floats, column: int) -> Floats:
    if column == len(FAMILIES):
        return size / _row_sums(size[None, :])
    eligible = np.where(np.equal(STOCK_FAMILY, column), size, 0.0)
    smallest = np.sort(eligible)[-MEMBERS]
    weights = np.where(eligible >= smallest, eligible, 0.0)
    weights = weights / _row_sums(weights[None, :])
    for _ in range(MEMBERS):
        capped = weights >= WEIGHT_CAP
        free = np.where(capped, 0.0, weights)
        room = 1.0 - WEIGHT_CAP * capped.sum()
        weights = np.where(capped, WEIGHT_CAP, free * (room / _row_sums(free[None, :])))
    return weights


def _row_sums(values: Floats) -> Floats:
    """Add up the columns from left to right; ``sum`` may add in another order on another machine."""
    return np.add.accumulate(values, axis=1)[:, -1]


@dataclass(frozen=True)
class Calendar:
    """Where each fund is listed, halted or split: (D, S), and the row of each fund's first session."""

    first: NDArray[np.int64]
    listed: Bools
    halted: Bools
    ratio: Floats


def calendar_of(days: Days) -> Calendar:
    """Place the planned listings, halts and splits on ``days``; ``ratio`` is in its record day's row."""
    rows = np.arange(len(days))[:, None]
    first = np.array([row_of(days, fund.listed) for fund in PLANS])
    end = np.array([row_of(days, fund.delisted) if fund.delisted else len(days) for fund in PLANS])
    listed = (rows >= first) & (rows < end)
    halted = np.zeros_like(listed)
    for halt in HALTS:
        start = row_of(days, halt.first)
        halted[start : start + halt.sessions, SYMBOLS.index(halt.symbol)] = True
    ratio = np.ones(listed.shape)
    for split in SPLITS:
        ratio[row_of(days, split.record_day), SYMBOLS.index(split.symbol)] = split.ratio
    return Calendar(first, listed, halted, ratio)


def base_returns(seed: int, index_returns: Floats) -> Floats:
    """Return each fund's NAV returns (D, S) without the planted effect."""
    own = _FUND_SD * normals(seed, "funds", (len(index_returns), len(PLANS)))
    return index_returns[:, [fund.family for fund in PLANS]] + own - _ANNUAL_FEE / 252.0


def past_sum(values: Floats, sessions: int) -> Floats:
    """Return the sum of the ``sessions`` rows before each row; rows before the first count as zero."""
    result = np.zeros_like(values)
    for lag in range(1, sessions + 1):
        result[lag:] += values[:-lag]
    return result


def unit_counts(seed: int, calendar: Calendar, base: Floats) -> Floats:
    """Return fund units (D, S) at the end of each session, on the basis the exchanges publish; NaN unlisted.

    Counts change by whole creation units. On a record day the old units are multiplied (fractions are
    lost), and the flow of that session is in new units.
    """
    shape = base.shape
    family = np.array([fund.family for fund in PLANS])
    pressure = 0.5 * smoothed(normals(seed, "family-flows", (shape[0], len(FAMILIES))), 0.9)[:, family]
    pressure += 0.7 * smoothed(normals(seed, "fund-flows", shape), 0.9)
    chase = np.clip(past_sum(base, 5) / 0.035, -2.0, 2.0)
    wanted = pressure + 0.5 * normals(seed, "flow-noise", shape) + 0.35 * chase
    closing = np.array([fund.delisted is not None for fund in PLANS])
    wanted = FLOW_SCALE * np.clip(wanted + 0.08 - 0.5 * closing, -2.8, 2.8)
    creation = np.array([fund.creation for fund in PLANS])
    units = np.full(shape, np.nan)
    now = np.array([fund.units for fund in PLANS])
    for row in range(shape[0]):
        ratio = calendar.ratio[row]
        now = np.floor(now * ratio)
        creation = np.where(ratio == np.floor(ratio), creation * ratio, creation)
        moving = calendar.listed[row] & (row > calendar.first) & ~calendar.halted[row]
        change = np.where(moving, np.rint(wanted[row] * now / creation) * creation, 0.0)
        now = np.where(now + change < 20.0 * creation, now, now + change)
        units[row] = np.where(calendar.listed[row], now, np.nan)
    return units


def standardised_flows(units: Floats, calendar: Calendar) -> Floats:
    """Return z (D, S): the split-safe relative change of units over ``FLOW_SCALE``, clipped; else 0."""
    before = np.floor(units[:-1] * calendar.ratio[1:])
    change = np.zeros_like(units)
    change[1:] = (units[1:] - before) / before
    return np.clip(np.nan_to_num(change) / FLOW_SCALE, -FLOW_CLIP, FLOW_CLIP)


def flow_effects(flow_effect: float, flows: Floats) -> Floats:
    """Return what standardised ``flows`` add to the return of each later session (D, S)."""
    return flow_effect * FLOW_SIZE / FLOW_SESSIONS * past_sum(flows, FLOW_SESSIONS)
