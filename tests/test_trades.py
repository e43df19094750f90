"""What was held and traded, as pages take it from a result; round trips as pyfolio has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine.report.entry_charts import entry_charts
from engine.report.pyfolio_inputs import Inputs, corrected
from engine.result import Result
from engine.results.trades import holdings, round_trips
from tests.helpers.results import one_fund, rotation, sessions


@pytest.fixture(scope="module")
def result() -> Result:
    return rotation()


def test_a_holding_lasts_from_flat_to_flat():
    result = one_fund(
        [2.0, 2.1, 2.2, 2.3, 2.4],
        [1000, 1500, 0, 0, 200],
        (0, 1000, 2.0, 5.0),
        (1, 500, 2.1, 5.0),
        (2, -1500, 2.2, 5.0),
        (4, 200, 2.4, 5.0),
    )
    first, second = holdings(result)
    assert (first.entry, first.exit, first.sessions) == (0, 2, 2)
    assert first.price_return == pytest.approx(2.2 / 2.0 - 1.0)
    assert first.profit == pytest.approx(1500 * 2.2 - 1000 * 2.0 - 500 * 2.1 - 15.0)
    assert (second.entry, second.exit, second.sessions) == (4, None, 1)
    assert second.profit == pytest.approx(-5.0)


def test_a_split_leaves_no_trace_in_holdings_and_round_trips():
    # two for one before the third session; 2,000 of the doubled shares are sold at half the price plus 10 %
    result = one_fund([2.0, 2.0, 1.0, 1.1], [1000, 1000, 2000, 0], (0, 1000, 2.0, 0.0), (3, -2000, 1.1, 0.0))
    (held,) = holdings(result)
    assert held.price_return == pytest.approx(0.1)
    assert held.profit == pytest.approx(200.0)
    (trip,) = round_trips(result).to_dict("records")
    assert trip["pnl"] == pytest.approx(200.0)
    assert trip["rt_returns"] == pytest.approx(0.1)


def test_a_trade_on_the_day_of_a_split_is_in_new_shares():
    # 1,000 become 2,000 before the second session, which adds 500; all are sold in the third
    trades = ((0, 1000, 2.0, 0.0), (1, 500, 1.0, 0.0), (2, -2500, 1.1, 0.0))
    result = one_fund([2.0, 1.0, 1.1], [1000, 2500, 0], *trades)
    (trip,) = round_trips(result).to_dict("records")
    assert trip["pnl"] == pytest.approx(2500 * 1.1 - 1000 * 2.0 - 500 * 1.0)
    (held,) = holdings(result)
    assert held.price_return == pytest.approx(0.1)


def test_a_merger_that_loses_a_fraction_of_a_share_still_ends_flat():
    result = one_fund([1.0, 3.0, 3.0], [1000, 333, 0], (0, 1000, 1.0, 0.0), (2, -333, 3.0, 0.0))
    (held,) = holdings(result)
    assert held.exit == 2
    assert held.profit == pytest.approx(333 * 3.0 - 1000.0)


def test_a_liquidated_fund_is_sold_at_its_last_mark():
    result = one_fund(
        [2.0, 2.5, np.nan], [1000, 1000, 0], (0, 1000, 2.0, 0.0), paid=np.array([0.0, 0.0, 2500.0])
    )
    (held,) = holdings(result)
    assert (held.exit, held.sessions) == (2, 2)
    assert held.price_return == pytest.approx(0.25)
    assert held.profit == pytest.approx(500.0)


def test_profits_of_holdings_and_dividends_add_up_to_the_profit_of_the_run(result):
    profit = sum(holding.profit for holding in holdings(result))
    assert profit + result.dividend.sum() == pytest.approx(result.equity[-1] - result.initial_cash)


def test_holdings_carry_the_decision_they_came_from(result):
    held = next(holding for holding in holdings(result) if holding.entry > 20)
    decision = int(np.flatnonzero(result.decision_days == result.days[held.entry])[0])
    column = result.symbols.index(held.symbol)
    assert held.weight == result.weights[decision, column]
    assert held.score == result.scores[decision, column]
    assert held.flow == result.decision_flows[decision, column]


def test_a_purchase_that_waited_carries_the_decision_of_the_session_before():
    days = sessions(4)
    bought = one_fund([2.0] * 4, [0, 1000, 1000, 1000], (1, 1000, 2.0, 0.0))
    decided = {"decision_days": days[:1], "weights": np.array([[0.5]]), "scores": np.array([[1.5]])}
    waited = replace(bought, **decided, decision_flows=np.array([[0.02]]))
    (held,) = holdings(waited)
    assert (held.weight, held.score, held.flow, held.decision) == (0.5, 1.5, 0.02, 0)
    # In a run in tranches the next sleeve has decided since, and does not want the fund.
    decided = {
        name: np.vstack([value, [[0.0]]]) for name, value in decided.items() if name != "decision_days"
    }
    flows = np.array([[0.02], [0.0]])
    (held,) = holdings(replace(bought, **decided, decision_days=days[:2], decision_flows=flows))
    assert (held.weight, held.score, held.flow, held.decision) == (0.5, 1.5, 0.02, 0)
    # What was not wanted in either session came another way, as by a merge.
    (held,) = holdings(replace(waited, weights=np.array([[0.0]])))
    assert np.isnan(held.weight)
    assert held.decision is None


def test_purchases_that_waited_are_on_the_charts_of_the_reasons(result):
    days = result.decision_days
    earlier = result.days[np.maximum(np.searchsorted(result.days, days) - 1, 0)]
    names = [each.name for each in entry_charts(result, holdings(result))]
    waited = replace(result, decision_days=earlier)
    assert [each.name for each in entry_charts(waited, holdings(waited))] == names
    assert "rank_at_entry" in names


def test_round_trips_are_first_in_first_out():
    result = one_fund(
        [2.0, 3.0, 4.0, 5.0],
        [100, 200, 50, 50],
        (0, 100, 2.0, 1.0),
        (1, 100, 3.0, 1.0),
        (2, -150, 4.0, 1.0),
    )
    closed, still_open = round_trips(result).to_dict("records")
    assert closed["pnl"] == pytest.approx(150 * 4.0 - 100 * 2.0 - 50 * 3.0)
    assert closed["rt_returns"] == pytest.approx(closed["pnl"] / 350.0)
    assert closed["duration"] == pd.Timestamp(result.days[2]) - pd.Timestamp(result.days[0])
    assert still_open["pnl"] == pytest.approx(50 * (5.0 - 3.0))
    assert still_open["open_dt"] == pd.Timestamp(result.days[1], tz="UTC")


# pyfolio


def test_positions_of_all_funds_and_cash_add_up_to_equity(result):
    positions = Inputs.of(result).positions
    assert list(positions) == [*result.symbols, "cash"]
    assert str(positions.index.tz) == "UTC"
    assert positions.sum(axis=1).to_numpy() == pytest.approx(result.equity, rel=1e-12)
    assert (result.receivable > 0.0).any()


def test_positions_that_do_not_add_up_are_an_error(result):
    wrong = result.equity.copy()
    wrong[7] += 1.0
    with pytest.raises(RuntimeError, match=f"differ from equity by 1.00 on {result.days[7]}"):
        Inputs.of(replace(result, equity=wrong))


def test_round_trips_equal_those_of_pyfolio_where_nothing_splits():
    result = one_fund(
        [2.0, 2.2, 2.1, 2.4, 2.3, 2.6],
        [300, 300, 100, 400, 0, 200],
        (0, 300, 2.0, 5.0),
        (2, -200, 2.1, 5.0),
        (3, 300, 2.4, 5.0),
        (4, -400, 2.3, 5.0),
        (5, 200, 2.5, 5.0),
    )
    inputs = Inputs.of(result)
    with corrected(243.0):
        from pyfolio import round_trips as theirs

        closed = theirs.add_closing_transactions(inputs.positions, inputs.transactions)
        value = inputs.positions.sum(axis=1) / (1.0 + inputs.returns)
        expected = theirs.extract_round_trips(closed, portfolio_value=value)
    ours = inputs.trades[list(expected.columns)]
    pd.testing.assert_frame_equal(ours, expected, check_dtype=False, rtol=1e-9)
