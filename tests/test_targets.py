"""The way from scores to equity against the oracle: rotations of random scores on random small markets.

Target weights, fills and every session of the account are equal to the last bit, on both engines; so is
equity in a sweep, where the same rotation stands behind another ranking. Weights are also held against
fractions, which do not round. Weights by inverse volatility are not equal but near, since the oracle makes
returns from closes and not from adjusted prices; there it trades the engine's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine import run
from engine.kernel.costs import Costs
from engine.result import Result
from engine.spec import Conditions
from engine.strategy.adapters import adapt
from engine.sweeps.sweep import Sweep
from strategies.rotation import Rotation
from tests import oracle
from tests.helpers.markets import scenarios
from tests.helpers.scenarios import day_of, panel_of, rows_of
from tests.oracle import Decision, Fill, Outcome, Rejection, Scenario
from tests.oracle_targets import Morning, Rules, rotate, volatilities_of

QUICK = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
HEAVY = settings(QUICK, max_examples=300)
EFFORTS = pytest.mark.parametrize(
    "effort", [QUICK, pytest.param(HEAVY, marks=pytest.mark.slow)], ids=("quick", "heavy")
)

# Ties, nothing, zero of either sign, neighbours in binary, tiny and huge.
SCORES = (
    *[1.0, 1.0, 2.0, 0.5, 0.25, -1.0, -0.5, 0.1, 0.2, 0.3, -0.3],
    *[math.nan, math.nan, math.inf, -math.inf, 0.0, -0.0],
    *[0.1 + 2**-56, 1e-250, -1e-250, 1e15, 1e300, -1e300, 1.7e308],
)
HUGE = (1.7e308, 1.7e308, -1.7e308, 1e300, 1.0)


@dataclass(frozen=True, kw_only=True)
class Given(Rotation):
    """Scores that are written down, session by session."""

    table: tuple[tuple[float, ...], ...] = ()
    warmup: ClassVar[int] = 1

    def scores(self, known: Any) -> np.ndarray:
        return np.array(self.table)[: len(known.days)]


@st.composite
def rules(draw: st.DrawFn, symbols: list[str]) -> Rules:
    top = draw(st.integers(0, 5))
    rebalance = draw(st.one_of(st.integers(1, 4), st.sampled_from(("weekly", "monthly", "once"))))
    return Rules(
        top=top,
        rebalance=rebalance,
        threshold=draw(st.sampled_from((None, None, 0.0, 0.1, -0.5, 1e300))),
        weighting=draw(st.sampled_from(("equal", "score", "inverse_volatility"))),
        cap=draw(st.sampled_from((1.0, 1.0, 0.4, 0.1))),
        hysteresis=draw(st.integers(0, 3)) if top else 0,
        otherwise=draw(st.sampled_from(("cash", *symbols))),
        **draw(turns(rebalance)),
        core=draw(st.sampled_from(((), (), (), tuple(symbols[:2]), tuple(symbols)))),
        core_weight=draw(st.sampled_from((0.5, 0.3, 1.0))),
    )


@st.composite
def turns(draw: st.DrawFn, rebalance: int | str) -> dict[str, int]:
    """A phase of the cycle, and sleeves that take turns."""
    if rebalance == "once":
        return {"tranches": draw(st.integers(1, 3))}
    if not isinstance(rebalance, int):
        return {}
    return {"phase": draw(st.integers(0, rebalance - 1)), "tranches": draw(st.integers(1, rebalance))}


@st.composite
def rotations(draw: st.DrawFn) -> tuple[Scenario, Rules, tuple[tuple[float, ...], ...]]:
    """A market, the parameters of a rotation, and a score of each session and fund."""
    scenario = draw(scenarios())
    pool = draw(st.sampled_from((SCORES, SCORES[:11], SCORES[:17], (1.0, 2.0, math.nan), HUGE)))
    row = st.tuples(*[st.sampled_from(pool)] * len(scenario.funds))
    table = tuple(draw(row) for _ in scenario.days)
    return scenario, draw(rules([fund.symbol for fund in scenario.funds])), table


def mornings_of(scenario: Scenario, table: Any) -> dict[date, Morning]:
    """What the oracle knows before each open."""
    listed: dict[date, list[str]] = {day: [] for day in scenario.days}
    volatilities: dict[str, dict[date, float]] = {}
    priced: dict[date, list[str]] = {day: [] for day in scenario.days}
    for fund in scenario.funds:
        volatilities[fund.symbol] = volatilities_of(fund, scenario.days, scenario.tick)
        sessions = 11  # since the last trade
        for day, quote in oracle.history(fund, scenario.days, scenario.tick).items():
            if quote.listed:
                listed[day].append(fund.symbol)
            if sessions < 10:
                priced[day].append(fund.symbol)
            sessions = 0 if quote.listed and quote.traded else sessions + 1
    return {
        day: Morning(
            listed[day],
            {fund.symbol: score for fund, score in zip(scenario.funds, table[row], strict=True)},
            {symbol: by_day[day] for symbol, by_day in volatilities.items()},
            priced[day],
        )
        for row, day in enumerate(scenario.days)
    }


def first_of(scenario: Scenario, mornings: dict[date, Morning]) -> date | None:
    """The first session after the first one on which a listed fund has a score: a run begins there."""
    for day in scenario.days[1:]:
        scores = mornings[day].scores
        if any(math.isfinite(scores[symbol]) for symbol in mornings[day].listed):
            return day
    return None


def result_of(scenario: Scenario, strategy: Given, engine: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        # That cash buys no lot of anything is an error of a run; here it is a market like any other.
        patch.setattr("engine.simulation.backtest._check_lot", lambda *_: None)
        return run(
            strategy,
            panel_of(scenario),
            cash=scenario.cash,
            costs=Costs(**vars(scenario.costs)),
            reserve=scenario.reserve,
            fill=scenario.fill,
            engine=engine,
        )


def equity_of(scenario: Scenario, first: date, strategy: Given, *, in_machine_code: bool) -> list[float]:
    """Equity in a sweep of one set."""
    with pytest.MonkeyPatch.context() as patch:
        if not in_machine_code:
            for module in ("sweep", "ranking"):
                patch.setattr(f"engine.sweeps.{module}.compiled", lambda function, *_: function)
        sweep = Sweep(
            panel_of(scenario),
            scenario.days.index(first),
            len(scenario.days) - 1,
            Conditions(
                cash=scenario.cash,
                costs=Costs(**vars(scenario.costs)),
                reserve=scenario.reserve,
                fill=scenario.fill,
            ),
            workers=1,
        )
        with np.errstate(all="ignore"):
            rows = sweep.run([strategy], equity=True)
    assert list(rows.failures) == [None]
    return rows.equity[0].tolist()


def decisions_of(scenario: Scenario, first: date, strategy: Given) -> dict[date, dict[str, float]]:
    """The weights above zero of each decision of the engine, those of a sleeve being of its own equity."""
    panel = panel_of(scenario)
    row = scenario.days.index(first)
    targets = adapt(strategy).decisions(panel, row, len(scenario.days) - 1)
    return {
        day_of(panel.days[row]): {
            symbol: float(weight) for symbol, weight in zip(panel.symbols, line, strict=True) if weight != 0.0
        }
        for row, line in zip(targets.decisions, targets.weights, strict=True)
    }


def positive(decisions: dict[date, Decision]) -> dict[date, dict[str, Any]]:
    return {
        day: {symbol: weight for symbol, weight in decision.weights.items() if float(weight) > 0}
        for day, decision in decisions.items()
    }


def assert_same(expected: Outcome, received: Result) -> None:
    assert [day_of(day) for day in received.days] == [session.day for session in expected.sessions]
    assert tuple(Fill(**row) for row in rows_of(received.fills)) == expected.fills
    assert tuple(Rejection(**row) for row in rows_of(received.rejections)) == expected.rejections
    for name in ("cash", "receivable", "equity", "interest"):
        wanted = [getattr(session, name) for session in expected.sessions]
        assert getattr(received, name).tolist() == wanted, name
    wanted = [[session.shares[symbol] for symbol in received.symbols] for session in expected.sessions]
    assert received.shares.tolist() == wanted


def near(rules: Rules, morning: Morning) -> float:
    """How near to fractions: by inverse volatility, the error of a return is divided by the smallest one."""
    moving = [volatility for volatility in morning.volatilities.values() if volatility > 0]
    if rules.weighting != "inverse_volatility" or not moving:
        return 1e-12
    return max(1e-12, 8 * float(np.finfo(float).eps) / min(moving))


def reached_by(rules: Rules, decisions: dict[date, Decision]) -> set[str]:
    reached = {rules.weighting, f"rebalance {rules.rebalance}"}
    reached.update(["a phase"] if rules.phase else [], ["tranches"] if rules.tranches > 1 else [])
    reached.update(["a core"] if rules.core else [])
    for decision in decisions.values():
        weight = sum(decision.weights.values())
        if not decision.weights:
            reached.add("nothing")
        if rules.top and 0 < len(decision.weights) < rules.top:
            reached.add("a slot unfilled")
        if rules.cap in decision.weights.values() and rules.cap < 1:
            reached.add("capped")
        if 0 < weight < 0.999:
            reached.add("cash left over")
        if list(decision.rank) == [rules.otherwise]:
            reached.add("otherwise")
    return reached


USUAL = {
    *["equal", "score", "inverse_volatility", "rebalance 1", "rebalance 3"],
    *["rebalance weekly", "rebalance monthly", "rebalance once"],
    *[
        "a phase",
        "tranches",
        "a core",
        "nothing",
        "a slot unfilled",
        "capped",
        "cash left over",
        "otherwise",
        "a fund stayed",
        "fill",
    ],
}


@EFFORTS
def test_rotations_of_random_scores_are_those_of_the_oracle(effort: Any) -> None:
    reached: set[str] = set()

    @effort
    @given(rotations())
    def compare(drawn: tuple[Scenario, Rules, Any]) -> None:
        scenario, rules, table = drawn
        mornings = mornings_of(scenario, table)
        first = first_of(scenario, mornings)
        if first is None:
            return
        days = [day for day in scenario.days if day >= first]
        strategy = Given(**vars(rules) | {"core": "+".join(rules.core)}, table=table)
        results = [result_of(scenario, strategy, engine) for engine in ("reference", "batch")]
        weights = decisions_of(scenario, first, strategy)

        exact = positive(rotate(rules, days, mornings, number=Fraction))
        assert {day: set(line) for day, line in weights.items()} == {
            d: set(line) for d, line in exact.items()
        }
        for day, line in exact.items():
            for symbol, weight in line.items():
                assert weights[day][symbol] == pytest.approx(
                    float(weight), rel=near(rules, mornings[day]), abs=0
                )

        decisions = rotate(rules, days, mornings)
        if rules.weighting == "inverse_volatility":
            decisions = {
                day: replace(each, weights={symbol: weights[day].get(symbol, 0.0) for symbol in each.weights})
                for day, each in decisions.items()
            }
        assert weights == positive(decisions)

        expected = oracle.simulate(replace(scenario, decisions=decisions, first=first))
        for result in results:
            assert_same(expected, result)
        equity = equity_of(scenario, first, strategy, in_machine_code=effort is HEAVY)
        assert equity == [session.equity for session in expected.sessions]

        reached.update(reached_by(rules, decisions), {"fill"} if expected.fills else set())
        forgetful = rotate(replace(rules, hysteresis=0), days, mornings)
        if any(forgetful[day].rank != decisions[day].rank for day in decisions):
            reached.add("a fund stayed")

    compare()
    # Sixty markets need not reach the rarest two or three.
    assert len(USUAL - reached) <= (0 if effort is HEAVY else 3)
