"""What must hold for the ledger of any run, on any market. ``check`` needs nothing but the ledger.

Every run of an engine against the oracle passes through here, and so may any other ledger.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

MONEY = ("equity", "cash", "receivable", "interest", "dividend", "paid_out")
REASONS = {"not_listed", "halted", "limit_up", "limit_down", "participation", "cash"}


def check(ledger: Any) -> None:
    days_go_forward(ledger)
    money_is_finite_and_never_borrowed(ledger)
    shares_are_whole_and_never_short(ledger)
    what_is_held_has_a_price(ledger)
    equity_is_cash_receivables_and_positions(ledger)
    cash_moves_by_fills_interest_and_payments_alone(ledger)
    fills_balance(ledger)
    sells_come_before_buys(ledger)
    rejections_say_why(ledger)


def days_go_forward(ledger: Any) -> None:
    assert (np.diff(ledger.days) > np.timedelta64(0, "D")).all()
    assert list(ledger.symbols) == sorted(set(ledger.symbols))
    sessions, funds = len(ledger.days), len(ledger.symbols)
    for name in MONEY:
        assert getattr(ledger, name).shape == (sessions,), name
    for name in ("shares", "mark"):
        assert getattr(ledger, name).shape == (sessions, funds), name


def money_is_finite_and_never_borrowed(ledger: Any) -> None:
    for name in MONEY:
        assert np.isfinite(getattr(ledger, name)).all(), name
        assert (getattr(ledger, name) >= 0).all(), name


def shares_are_whole_and_never_short(ledger: Any) -> None:
    assert np.issubdtype(ledger.shares.dtype, np.integer)
    assert (ledger.shares >= 0).all()


def what_is_held_has_a_price(ledger: Any) -> None:
    assert (ledger.mark[ledger.shares > 0] > 0).all()


def equity_is_cash_receivables_and_positions(ledger: Any) -> None:
    """Exactly: added up from left to right, the positions in symbol order."""
    for k in range(len(ledger.days)):
        equity = ledger.cash[k] + ledger.receivable[k]
        for held, mark in zip(ledger.shares[k].tolist(), ledger.mark[k].tolist(), strict=True):
            if held:
                equity += held * mark
        assert ledger.equity[k] == equity, ledger.days[k]


def cash_moves_by_fills_interest_and_payments_alone(ledger: Any) -> None:
    """What we are owed grows by dividends and ended funds, and shrinks into cash; nothing else touches it."""
    flows = -np.sign(ledger.fills["shares"]) * ledger.fills["notional"]
    flows = flows - ledger.fills["commission"] - ledger.fills["fee"]
    traded = np.zeros(len(ledger.days))
    rows = np.searchsorted(ledger.days, ledger.fills["day"].to_numpy().astype("datetime64[D]"))
    np.add.at(traded, rows, flows.to_numpy(dtype=np.float64))
    liquid = ledger.cash + ledger.receivable
    earned = ledger.interest + ledger.dividend + ledger.paid_out
    np.testing.assert_allclose(liquid[1:], liquid[:-1] + traded[1:] + earned[1:], rtol=1e-12, atol=1e-6)


def fills_balance(ledger: Any) -> None:
    fills = ledger.fills
    assert not fills.isna().any().any()
    assert (fills["shares"] != 0).all()
    assert (fills["price"] > 0).all()
    assert (fills["notional"] == fills["shares"].abs() * fills["price"]).all()
    for name in ("commission", "fee", "slippage"):
        assert (fills[name] >= 0).all(), name
    assert not fills.duplicated(["day", "symbol"]).any()
    known = np.isin(fills["day"].to_numpy().astype("datetime64[D]"), ledger.days)
    assert known.all()
    assert fills["symbol"].isin(ledger.symbols).all()


def sells_come_before_buys(ledger: Any) -> None:
    assert ledger.fills["day"].is_monotonic_increasing
    cut = ledger.rejections[ledger.rejections["reason"] == "cash"]
    for day, fills in ledger.fills.groupby("day"):
        row = int(np.searchsorted(ledger.days, np.datetime64(day, "D")))
        yesterday = pd.Timestamp(ledger.days[max(row - 1, 0)])
        before = set(cut.loc[cut["day"] == yesterday, "symbol"])  # may have waited, and comes first then
        american = fills["symbol"].str.endswith(".US")
        assert american.is_monotonic_increasing  # Shanghai opens first
        for _, traded in fills.groupby(american):
            if ledger.symbols[-1].endswith(".US"):
                traded = traded[~((traded["shares"] > 0) & traded["symbol"].isin(before))]
            assert (traded["shares"] > 0).is_monotonic_increasing
            assert traded.loc[traded["shares"] < 0, "symbol"].is_monotonic_increasing


def rejections_say_why(ledger: Any) -> None:
    rejections = ledger.rejections
    assert set(rejections["reason"]) <= REASONS
    assert ((rejections["shares"] == 0) == (rejections["reason"] == "not_listed")).all()
    assert (rejections.loc[rejections["reason"] == "limit_up", "shares"] > 0).all()
    assert (rejections.loc[rejections["reason"] == "limit_down", "shares"] < 0).all()
    assert rejections["day"].is_monotonic_increasing
    assert not rejections.duplicated(["day", "symbol", "reason"]).any()


def check_trading(ledger: Any, panel: Any, participation_rate: float) -> None:
    """What must hold for every fill on its market: traded, inside the limits, in lots, within the volume."""
    market = panel.market
    rows = np.searchsorted(panel.days, ledger.fills["day"].to_numpy().astype("datetime64[D]"))
    columns = np.searchsorted(panel.symbols, ledger.fills["symbol"].to_numpy(dtype=str))
    for fill, row, column in zip(ledger.fills.itertuples(), rows, columns, strict=True):
        cell = row, column
        assert market.traded[cell]
        assert market.listed[cell]
        assert fill.reference == market.reference[cell]
        if fill.shares > 0:
            assert fill.price <= market.limit_up[cell]
            assert fill.shares % market.lot[cell] == 0
        else:
            assert fill.price >= market.limit_down[cell]
        if participation_rate > 0:
            assert abs(fill.shares) <= participation_rate * market.volume[cell] * (1 + 1e-12)
