"""NAV and bars of the synthetic funds, one session after the other, as the exchange would run them.

For each session: the reference price is the close before, adjusted for today's split or dividend, or the
last NAV on a fund's first day; the limits follow from it; the close is the NAV plus a small premium, to the
tick, within the limits; open, high and low are drawn around that path. A halted fund keeps its reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.demo.plan import DIVIDENDS, FAMILIES, LIMIT_DAYS, SYMBOLS
from data.demo.world import PLANS, Bools, Calendar, Days, Floats, normals, row_of, smoothed
from data.numeric.arithmetic import round_half_up_array

TICK = 0.001
NAV_SESSIONS_BEFORE_LISTING = 3
# Stocks move within the limit, and a fund keeps some cash: its NAV moves a little less.
_INVESTED = 0.98
_PREMIUM_SD, _OPEN_SD, _RANGE_SD, _OVERNIGHT_SHARE = 0.0008, 0.0030, 0.0040, 0.3


@dataclass(frozen=True)
class Prices:
    """(D, S) each. ``nav`` as published: on a record day already divided; NaN before the fund exists.

    The other arrays are NaN where the fund is not listed; in a halt, prices are the reference, volume 0.
    """

    nav: Floats
    reference: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    amount: Floats


def build_prices(seed: int, days: Days, calendar: Calendar, returns: Floats, units: Floats) -> Prices:
    """Return NAV and bars for funds whose NAV earns ``returns`` (D, S) and that have ``units`` (D, S)."""
    shape = returns.shape
    rate = np.array([FAMILIES[fund.family].price_limit for fund in PLANS])
    returns = np.clip(returns, -_INVESTED * rate, _INVESTED * rate)
    cash = np.zeros(shape)
    for dividend in DIVIDENDS:
        cash[row_of(days, dividend.ex_day), SYMBOLS.index(dividend.symbol)] = dividend.cash
    switched = np.ones(shape)
    switched[1:] = calendar.ratio[:-1]
    trading = calendar.listed & ~calendar.halted

    nav = _nav(calendar, returns, cash)
    published = np.rint(nav / calendar.ratio * 1e4) / 1e4
    premium = 1.0 + _PREMIUM_SD * smoothed(normals(seed, "premium", shape), 0.7)
    reference, close, up, down = (np.full(shape, np.nan) for _ in range(4))
    mark = np.array([fund.price for fund in PLANS])
    for row in range(shape[0]):
        first_nav = published[row - 1] if row else mark
        before = np.where(row == calendar.first, first_nav, (mark - cash[row]) / switched[row])
        reference[row] = mark = _to_tick(before)
        up[row], down[row] = _to_tick(mark * (1.0 + rate)), _to_tick(mark * (1.0 - rate))
        wanted = np.clip(_to_tick(nav[row] * premium[row]), down[row], up[row])
        mark = np.where(trading[row], wanted, mark)
        for column in np.flatnonzero(trading[row]):
            kind = LIMIT_DAYS.get((SYMBOLS[column], days[row].astype("O")), "")
            if kind in ("board_up", "close_up"):
                mark[column] = up[row, column]
            elif kind in ("board_down", "close_down"):
                mark[column] = down[row, column]
        close[row] = mark
    opening, high, low = _ranges(seed, days, reference, close, up, down)
    for prices in (opening, high, low):
        prices[calendar.halted] = reference[calendar.halted]
    volume, amount = _trading(seed, units, reference, close, high, low, trading)
    bars = (reference, opening, high, low, close, volume, amount)
    for values in bars:
        values[~calendar.listed] = np.nan
    return Prices(published, *bars)


def _nav(calendar: Calendar, returns: Floats, cash: Floats) -> Floats:
    """NAV at each close before that evening's split; NaN but for a few sessions before listing and after."""
    nav = np.full(returns.shape, np.nan)
    value = np.array([fund.price for fund in PLANS])
    exists = np.maximum(calendar.first - NAV_SESSIONS_BEFORE_LISTING, 0)
    for row in range(len(returns)):
        growing = row >= exists
        value = np.where(growing, (value - cash[row]) * (1.0 + returns[row]), value)
        ended = (row >= calendar.first) & ~calendar.listed[row]
        nav[row] = np.where(growing & ~ended, value, np.nan)
        value = value / calendar.ratio[row]
    return nav


def _ranges(
    seed: int, days: Days, reference: Floats, close: Floats, up: Floats, down: Floats
) -> tuple[Floats, Floats, Floats]:
    """Open, high and low: the open takes part of the session's move; limits and planted days hold."""
    move = close / reference - 1.0
    drawn = 1.0 + _OVERNIGHT_SHARE * move + _OPEN_SD * normals(seed, "opens", close.shape)
    opening = np.clip(_to_tick(reference * drawn), down, up)
    above = reference * _RANGE_SD * np.abs(normals(seed, "highs", close.shape))
    below = reference * _RANGE_SD * np.abs(normals(seed, "lows", close.shape))
    boards = np.zeros(close.shape, dtype=np.bool_)
    for (symbol, day), kind in LIMIT_DAYS.items():
        cell = row_of(days, day), SYMBOLS.index(symbol)
        if kind in ("board_up", "open_up"):
            opening[cell] = up[cell]
        elif kind in ("board_down", "open_down"):
            opening[cell] = down[cell]
        boards[cell] = kind in ("board_up", "board_down")
    high = np.clip(_to_tick(np.maximum(opening, close) + np.where(boards, 0.0, above)), down, up)
    low = np.clip(_to_tick(np.minimum(opening, close) - np.where(boards, 0.0, below)), down, up)
    return opening, high, low


def _trading(
    seed: int,
    units: Floats,
    reference: Floats,
    close: Floats,
    high: Floats,
    low: Floats,
    trading: Bools,
) -> tuple[Floats, Floats]:
    """Volume, in lots of 100, and amount, whose quotient lies between low and high."""
    outstanding = np.concatenate([units[:1], units[:-1]])
    outstanding = np.where(np.isnan(outstanding), units, outstanding)
    mood = np.clip(1.0 + 0.4 * smoothed(normals(seed, "turnover", close.shape), 0.8), 0.3, 2.5)
    activity = mood + 12.0 * np.abs(close / reference - 1.0)
    turnover = np.array([fund.turnover for fund in PLANS])
    volume = np.maximum(np.rint(turnover * activity * np.nan_to_num(outstanding) / 100.0), 1.0) * 100.0
    place = np.clip(0.5 + 0.15 * normals(seed, "vwap", close.shape), 0.1, 0.9)
    amount = np.rint(volume * (low + place * (high - low)) * 100.0) / 100.0
    return np.where(trading, volume, 0.0), np.where(trading, amount, 0.0)


def _to_tick(values: Floats) -> Floats:
    return round_half_up_array(values, np.full(values.shape, TICK))
