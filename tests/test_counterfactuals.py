"""What rejections cost, and what funds drawn by lot would have earned: cases for a pencil."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine import run
from engine.counterfactuals.luck import luck_of
from engine.counterfactuals.rules import decisions_followed, rejection_costs
from engine.statistics.random_rotation import random_rotations
from tests.helpers.scenarios import panel_of
from tests.oracle import Bar, Fund, Scenario

MON, TUE, WED, THU = DAYS = tuple(date(2024, 1, day) for day in (8, 9, 10, 11))
A, B = "510001.SH", "510002.SH"
FREE = {"commission_rate": 0.0, "commission_min": 0.0, "slippage_rate": 0.0, "participation_rate": 0.1}


@dataclass(frozen=True)
class Given:
    """Weights of the funds before the opens of some sessions, by row; nothing on the others."""

    weights: tuple[tuple[int, tuple[float, ...]], ...]
    warmup: int = 1

    def target_weights(self, known: Any) -> np.ndarray:
        found = np.full(known.listed.shape, np.nan)
        for row, weights in self.weights:
            if row < len(found):
                found[row] = weights
        return found


def flat(price: float, volume: float = 1e6) -> Bar:
    return Bar(price, price, price, price, volume, price * volume)


def bars(*each: Bar | float | None) -> dict[date, Bar]:
    made = [flat(one) if isinstance(one, float) else one for one in each]
    return {day: bar for day, bar in zip(DAYS, made, strict=False) if bar is not None}


def costs_of(*funds: Fund, weights: dict[int, tuple[float, ...]], cash: float = 10_000.0) -> tuple[Any, Any]:
    panel = panel_of(Scenario(days=DAYS, funds=funds, decisions={}))
    result = run(Given(tuple(weights.items())), panel, cash=cash, costs=FREE, reserve=0.0, engine="batch")
    decided = decisions_followed(result.job.strategy, panel, result)
    return result, rejection_costs(result, decided, panel, result.job.conditions)


def annual(result: Any, equity: float) -> float:
    return (equity / result.initial_cash) ** (result.sessions_per_year / len(result.days)) - 1.0


@pytest.mark.parametrize(
    ("reason", "fund", "weights", "ended", "without"),
    [
        # 1,000 shares are wanted, of which 10,000 pay for 900 at 11; what nobody sells would have gone to 12
        (
            "limit_up",
            Fund(A, bars(10.0, 11.0, 12.0, 12.0), price_limit=0.1),
            {1: (1.0,)},
            10_000.0,
            10_000 - 900 * 11 + 900 * 12,
        ),
        # 1,000 shares that nobody buys at 9 go to 8
        (
            "limit_down",
            Fund(A, bars(10.0, 10.0, 9.0, 8.0), price_limit=0.1),
            {1: (1.0,), 2: (0.0,)},
            1000 * 8.0,
            1000 * 9.0,
        ),
        # no bar on Tuesday: at the reference price of 10, 1,000 shares
        ("halted", Fund(A, bars(10.0, None, 12.0, 12.0)), {1: (1.0,)}, 10_000.0, 1000 * 12.0),
        # a tenth of 2,000 shares
        (
            "participation",
            Fund(A, bars(10.0, flat(10.0, 2000), 12.0, 12.0)),
            {1: (1.0,)},
            10_000 - 200 * 10 + 200 * 12,
            1000 * 12.0,
        ),
        # 1,000 shares at 10.5 take 500 more than there are: 900 are bought, or 500 are owed
        (
            "cash",
            Fund(A, bars(10.0, 10.5, 11.0, 11.0)),
            {1: (1.0,)},
            10_000 - 900 * 10.5 + 900 * 11,
            10_000 - 1000 * 10.5 + 1000 * 11,
        ),
    ],
)
def test_a_rejection_costs_what_the_same_decision_would_have_earned(
    reason: str, fund: Fund, weights: dict[int, tuple[float, ...]], ended: float, without: float
) -> None:
    result, costs = costs_of(fund, weights=weights)
    assert result.equity[-1] == ended
    assert costs[reason] == pytest.approx(annual(result, without) - annual(result, ended), rel=1e-12)


def test_reasons_that_never_came_up_are_left_out_and_those_without_a_price_are_not_known() -> None:
    late = Fund(B, {THU: flat(5.0)}, listed=THU)
    result, costs = costs_of(Fund(A, bars(10.0, 10.0, 10.0, 10.0)), late, weights={1: (0.5, 0.5)})
    assert set(result.rejections["reason"]) == {"not_listed"}
    assert costs == {"not_listed": None}


def test_a_strategy_that_orders_by_itself_has_no_cost_of_its_rejections() -> None:
    result, _ = costs_of(Fund(A, bars(10.0, None, 12.0, 12.0)), weights={1: (1.0,)})
    assert rejection_costs(result, None, result.job.panel, result.job.conditions) == {"halted": None}


def draw(weights: Any, returns: Any, eligible: Any = None, **more: Any) -> np.ndarray:
    weights, returns = np.array(weights, dtype=float), np.array(returns, dtype=float)
    free = np.ones(weights.shape, dtype=bool) if eligible is None else np.array(eligible, dtype=bool)
    settings = {"draws": 50, "seed": 0} | more
    return random_rotations(
        weights, returns, np.zeros_like(returns), free, np.zeros(len(weights)), **settings
    )


def test_a_draw_holds_another_fund_while_the_account_holds_one() -> None:
    # the account holds the first fund from session 0 to 1, and half of equity; only the second can be drawn
    grown = draw([[0.5, 0.0], [0.5, 0.0], [0.0, 0.0]], [[9.0, 9.0], [0.1, 0.2], [0.1, 0.4]], [[0, 1]] * 3)
    # what it earns from the close before its sale to the sale is its too
    np.testing.assert_allclose(grown, np.tile([1.0, 1.1, 1.1 * 1.2], (50, 1)), rtol=1e-15)


def test_a_draw_never_holds_a_fund_twice() -> None:
    grown = draw([[0.5, 0.5, 0.0]] * 2, [[0.0] * 3, [0.02, 0.04, 0.08]])
    found = set(np.round(grown[:, 1], 10))
    assert found == {1 + 0.5 * 0.06, 1 + 0.5 * 0.10, 1 + 0.5 * 0.12}  # and not 1 + 0.08


def test_without_another_fund_a_draw_is_the_account_and_the_same_seed_draws_the_same() -> None:
    weights, returns = [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [[0.0, 0.0], [0.1, 0.0], [0.0, 0.3]]
    np.testing.assert_allclose(
        draw(weights, returns, [[0, 0]] * 3), np.tile([1.0, 1.1, 1.1 * 1.3], (50, 1)), rtol=1e-15
    )
    one, again, other = (draw(weights, returns, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_the_luck_of_a_run_pays_its_costs_and_earns_within_the_session() -> None:
    funds = (
        Fund(A, bars(10.0, 10.0, 10.0, 10.0)),
        Fund(B, bars(10.0, Bar(10, 12, 10, 12, 1e6, 1e7), 12.0, 6.0)),
    )
    panel = panel_of(Scenario(days=DAYS, funds=funds, decisions={}))
    paid = {**FREE, "commission_rate": 0.01}
    result = run(Given(((1, (0.5, 0.0)),)), panel, cash=10_000.0, costs=paid, reserve=0.0, engine="batch")
    luck = luck_of(result, panel, result.job.conditions)
    assert luck is not None
    # 500 shares of A, which stands still; or as much of B, from its open of 10 to its close of 12, then to 6
    weight, paid_in = 5000 / 9950, 1 - 50 / 10_000
    rise = (1 + 0.2 * weight) * paid_in
    of_a, of_b = [paid_in] * 3, [rise, rise, rise * (1 - weight * 6 / 12)]
    expected = 10_000 * np.array([np.minimum(of_a, of_b), np.maximum(of_a, of_b)])
    np.testing.assert_allclose(luck.band, expected, rtol=1e-12)
    assert luck.beaten == pytest.approx(0.5, abs=0.1)  # those of B: half of them


def test_who_holds_all_there_is_has_no_luck() -> None:
    funds = (Fund(A, bars(10.0, 10.0, 10.0, 10.0)), Fund(B, bars(10.0, 10.0, 12.0, 6.0)))
    panel = panel_of(Scenario(days=DAYS, funds=funds, decisions={}))
    result = run(Given(((1, (0.5, 0.5)),)), panel, cash=1e4, costs=FREE, engine="batch")
    assert luck_of(result, panel, result.job.conditions) is None


def test_who_bought_nothing_has_no_luck() -> None:
    panel = panel_of(Scenario(days=DAYS, funds=(Fund(A, bars(10.0, 10.0, 10.0, 10.0)),), decisions={}))
    result = run(Given(((1, (0.0,)),)), panel, cash=1e4, engine="batch")
    assert luck_of(result, panel, result.job.conditions) is None
