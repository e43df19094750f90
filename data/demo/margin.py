"""Money that enters on credit: financing balances of the eligible funds, and of the whole market.

Each session a fund's holders buy on margin a share of what is traded, and repay a share of the balance; both
follow a persistent mood and chase past returns. A placebo: nothing later depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.demo.plan import FIRST_DAY
from data.demo.prices import Prices
from data.demo.world import PLANS, Days, Floats, normals, past_sum, row_of, smoothed

_SHARE = 0.06
_MARKET_START, _MARKET_SHARE = 1.38e12, 0.055


@dataclass(frozen=True)
class Margin:
    """Money, whole yuan, (D, S) or (D,): balance = balance before + bought - repaid; NaN if not eligible."""

    balance: Floats
    bought: Floats
    repaid: Floats


def fund_margin(seed: int, days: Days, base: Floats, units: Floats, prices: Prices) -> Margin:
    """Return the financing balances of the funds; those eligible before the first day start with a stock."""
    mood = 0.8 * smoothed(normals(seed, "margin", base.shape), 0.9)
    mood = np.clip(mood + np.clip(past_sum(base, 5) / 0.05, -1.5, 1.5), -2.5, 2.5)
    start = np.array([row_of(days, fund.margin_from) if fund.margin_from else len(days) for fund in PLANS])
    amount = np.nan_to_num(prices.amount)
    turnover = np.array([fund.turnover for fund in PLANS])
    held = np.array([fund.margin_from is not None and fund.margin_from < FIRST_DAY for fund in PLANS])
    before = np.where(held, np.rint(turnover * np.nan_to_num(units[0] * prices.reference[0])), 0.0)
    balance, bought, repaid = (np.full(base.shape, np.nan) for _ in range(3))
    for row in range(len(days)):
        eligible = row >= start
        new = np.rint(_SHARE * amount[row] * (1.0 + 0.35 * mood[row]))
        back = np.rint(_SHARE * before * (1.0 - 0.2 * mood[row]))
        before = np.where(eligible, before + new - back, before)
        for array, values in ((bought, new), (repaid, back), (balance, before)):
            array[row] = np.where(eligible, values, np.nan)
    return Margin(balance, bought, repaid)


def market_margin(seed: int, broad_returns: Floats) -> Margin:
    """Return the balances of the whole market, which follow the returns (D,) of the broad index."""
    drawn = normals(seed, "market-margin", broad_returns.shape)
    growth = 0.03 * past_sum(broad_returns[:, None], 5)[:, 0] + 0.0012 * drawn
    balance = np.rint(_MARKET_START * np.multiply.accumulate(1.0 + growth))
    before = np.concatenate([[_MARKET_START], balance[:-1]])
    activity = np.clip(1.0 + 0.25 * smoothed(drawn[:, None], 0.8)[:, 0], 0.4, 2.0)
    bought = np.rint(_MARKET_SHARE * before * activity)
    return Margin(balance, bought, before + bought - balance)
