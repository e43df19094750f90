"""Unexpected flow, reversal by horizon and the premium, each against its formula written another way."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from data.errors import UsageError
from data.load import load_panel
from data.panel.panel import Panel
from data.source import open_source
from strategies.flow_reversal import FlowReversal
from strategies.premium_reversal import PremiumReversal
from strategies.share_inflow import flow_ratio
from strategies.unexpected_flow import UnexpectedFlow, unexpected_flow
from strategies.words import premium

NAN = np.nan


@pytest.fixture(scope="module")
def known():
    return load_panel(open_source("demo")).known


def table(ratio, close, of_nav):
    """Return the seven columns of the regression for each (row, fund), by loops."""
    rows, funds = ratio.shape
    found = np.full((rows, funds, 7), NAN)
    for row in range(21, rows):
        for fund in range(funds):
            past = ratio[row - 20 : row, fund]
            five, twenty = past[-5:][np.isfinite(past[-5:])], past[np.isfinite(past)]
            if not len(five) or len(twenty) < 10 or row < 6:
                continue
            before, then = close[row - 1, fund], close[row - 2, fund]
            dear = of_nav[row - 1, fund]
            found[row, fund] = (
                1.0,
                past[-1] if np.isfinite(past[-1]) else 0.0,
                five.mean(),
                twenty.mean(),
                before / then - 1,
                before / close[row - 6, fund] - 1,
                dear if np.isfinite(dear) else 0.0,
            )
    return found


def test_the_surprise_is_what_least_squares_over_the_rows_before_leave(known):
    window = 60
    aum = np.vstack([np.full((1, known.aum.shape[1]), NAN), known.aum[:-1]])
    ratio = known.flow("vwap") / aum
    columns = table(ratio, known.adjusted_close, premium(known))
    found = unexpected_flow(known, window)
    for row in (400, 777, 1200):
        x, y = columns[row - window : row].reshape(-1, 7), ratio[row - window : row].ravel()
        cases = np.isfinite(x).all(axis=1) & np.isfinite(y)
        coefficients = np.linalg.lstsq(x[cases], y[cases], rcond=None)[0]
        expected = ratio[row] - columns[row] @ coefficients
        np.testing.assert_allclose(found[row], expected, rtol=1e-6, atol=1e-12)


def test_a_flow_that_repeats_itself_is_no_surprise():
    """Flows of 1 % of AUM every session: the constant explains them."""
    shape = (200, 4)
    steps = np.random.default_rng(1).normal(0, 0.01, shape)
    face = SimpleNamespace(
        aum=np.full(shape, 100.0),
        adjusted_close=np.cumprod(1 + steps, axis=0),
        premium=np.full(shape, NAN),
        nav_premium=np.full(shape, NAN),
        flow=lambda _: np.where(np.arange(200)[:, None] == 150, 5.0, 1.0) + np.zeros(shape),
        listed=np.ones(shape, dtype=bool),
    )
    found = unexpected_flow(face, 60)
    np.testing.assert_allclose(found[100:150], 0.0, atol=1e-12)
    np.testing.assert_allclose(found[150], 0.04, atol=1e-12)


def test_it_scores_surprises_of_the_last_sessions_and_needs_enough_of_them(known):
    surprise = unexpected_flow(known, 120)
    scores = UnexpectedFlow(lookback=3, sign=-1, coverage=1.0).scores(known)
    last = surprise[-3:]
    whole = np.isfinite(last).all(axis=0) & known.listed[-1]
    np.testing.assert_allclose(scores[-1][whole], -last.sum(axis=0)[whole])
    assert np.isnan(scores[-1][~whole]).all()


def test_flow_reversal_is_recent_flows_less_those_of_before(known):
    strategy = FlowReversal(lookback=5, long_lookback=30, recent_weight=2.0, old_weight=1.0, coverage=0.5)
    recent = flow_ratio(known, 5, "vwap", 0.5)[-1]
    old = flow_ratio(known, 25, "vwap", 0.5)[-6]
    both = np.isfinite(recent) & np.isfinite(old)

    def z(x):
        return (x[both] - x[both].mean()) / x[both].std(ddof=1)

    scores = strategy.scores(known)[-1]
    np.testing.assert_allclose(scores[both], 2.0 * z(recent) - z(old), rtol=1e-9)
    assert np.isnan(scores[~both]).all()


def test_flow_reversal_refuses_windows_and_weights_that_make_no_difference():
    with pytest.raises(UsageError, match="`long_lookback` of FlowReversal is not above `lookback`"):
        FlowReversal(lookback=60, long_lookback=60)
    with pytest.raises(UsageError, match="all weights of FlowReversal are 0"):
        FlowReversal(recent_weight=0.0, old_weight=0.0)


def test_the_premium_is_the_close_over_the_nav_of_the_same_session_or_as_published():
    # NAV comes a session later than closes; fund 0: NAV; fund 1: a published premium too; fund 2: no NAV
    close = np.array([[1.0] * 3, [1.1] * 3, [1.2] * 3, [1.3] * 3])
    nav = np.array([[1.0, 1.0, NAN], [1.05, 1.05, NAN], [1.0, 1.0, NAN], [1.0, 1.0, NAN]])
    published = np.full((4, 3), NAN)
    published[2, 1] = 0.007
    panel = Panel.from_events(
        np.arange("2024-01-01", "2024-01-05", dtype="datetime64[D]"),
        ("510001.SH", "510002.SH", "510003.SH"),
        bars=dict.fromkeys(("open", "high", "low", "close"), close)
        | {"volume": np.full((4, 3), 1e6), "amount": 1e6 * close},
        nav=nav,
        facts={"premium": published},
        lags={"nav": 2},
    )
    np.testing.assert_allclose(premium(panel.known)[3], [1.1 / 1.05 - 1, 0.007, NAN])
    np.testing.assert_allclose(premium(panel.known)[2], [0.0, 0.0, NAN])


def test_premium_reversal_holds_what_is_cheaper_than_usual(known):
    found = premium(known)
    scores = PremiumReversal(lookback=4, usual_window=30).scores(known)[-1]
    listed = known.listed[-1] & (np.isfinite(found[-30:]).sum(axis=0) >= 15)
    listed &= np.isfinite(found[-4:]).sum(axis=0) >= 2
    assert listed.sum() > 10
    expected = np.full(len(listed), NAN)
    expected[listed] = np.nanmean(found[-30:, listed], axis=0) - np.nanmean(found[-4:, listed], axis=0)
    np.testing.assert_allclose(scores[listed], expected[listed], rtol=1e-9, atol=1e-15)
    plain = PremiumReversal(lookback=1, usual_window=0, sign=1).scores(known)[-1]
    np.testing.assert_allclose(plain[listed], found[-1][listed])
