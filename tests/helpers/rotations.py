"""Rotations of random scores on random small markets, and what the oracle makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import strategies as st

from engine.strategy.adapters import adapt
from engine.sweeps.sweep import Sweep
from strategies.rotation import Rotation
from tests import oracle
from tests.helpers.markets import abroad, between, choice, scenarios
from tests.helpers.scenarios import conditions_of, day_of, panel_of
from tests.oracle import Decision, Outcome, Scenario
from tests.oracle_targets import Morning, Rules, Stops, rotate, volatilities_of, with_exits

# Ties, nothing, zero of either sign, neighbours in binary, tiny and huge.
SCORES = (
    *[1.0, 1.0, 2.0, 0.5, 0.25, -1.0, -0.5, 0.1, 0.2, 0.3, -0.3],
    *[math.nan, math.nan, math.inf, -math.inf, 0.0, -0.0],
    *[0.1 + 2**-56, 1e-250, -1e-250, 1e15, 1e300, -1e300, 1.7e308],
)
HUGE = (1.7e308, 1.7e308, -1.7e308, 1e300, 1.0)
POOLS = (SCORES, SCORES[:11], SCORES[:17], (1.0, 2.0, math.nan), HUGE)

NEVER = Stops()
Table = tuple[tuple[float, ...], ...]
Weights = dict[date, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Given(Rotation):
    """Scores that are written down, session by session."""

    table: Table = ()
    warmup: ClassVar[int] = 1

    def scores(self, known: Any) -> np.ndarray:
        return np.array(self.table)[: len(known.days)]


@dataclass(frozen=True)
class Drawn:
    """A market, the parameters of a rotation, and a score of each session and fund."""

    scenario: Scenario
    rules: Rules
    table: Table
    stops: Stops = NEVER

    @property
    def strategy(self) -> Given:
        """The rotation as the engines have it."""
        core = "+".join(self.rules.core)
        return Given(**vars(self.rules) | {"core": core}, **vars(self.stops), table=self.table)

    @cached_property
    def panel(self) -> Any:
        return panel_of(self.scenario)

    @cached_property
    def mornings(self) -> dict[date, Morning]:
        """What the oracle knows before each open."""
        scenario = self.scenario
        listed: dict[date, list[str]] = {day: [] for day in scenario.days}
        priced: dict[date, list[str]] = {day: [] for day in scenario.days}
        volatilities: dict[str, dict[date, float]] = {}
        for fund in scenario.funds:
            volatilities[fund.symbol] = volatilities_of(fund, scenario.days, scenario.terms)
            sessions = 11  # since the last trade
            for day, quote in oracle.history(fund, scenario.days, scenario.terms).items():
                if quote.listed:
                    listed[day].append(fund.symbol)
                if sessions < 10:
                    priced[day].append(fund.symbol)
                sessions = 0 if quote.listed and quote.traded else sessions + 1
        return {
            day: Morning(
                listed[day],
                {fund.symbol: score for fund, score in zip(scenario.funds, self.table[row], strict=True)},
                {symbol: by_day[day] for symbol, by_day in volatilities.items()},
                priced[day],
            )
            for row, day in enumerate(scenario.days)
        }

    @cached_property
    def first(self) -> date | None:
        """The first session after the first one on which a listed fund has a score: a run begins there."""
        for day in self.scenario.days[1:]:
            scores = self.mornings[day].scores
            if any(math.isfinite(scores[symbol]) for symbol in self.mornings[day].listed):
                return day
        return None


# --- To draw them -----------------------------------------------------------------------------------------
@st.composite
def rules(draw: st.DrawFn, symbols: list[str]) -> Rules:
    top = draw(between(0, 5))
    rebalance = draw(st.one_of(between(1, 4), choice("weekly", "monthly", "once")))
    return Rules(
        top=top,
        rebalance=rebalance,
        threshold=draw(choice(None, None, 0.0, 0.1, -0.5, 1e300)),
        weighting=draw(choice("equal", "score", "inverse_volatility")),
        cap=draw(choice(1.0, 1.0, 0.4, 0.1)),
        hysteresis=draw(between(0, 3)) if top else 0,
        otherwise=draw(choice("cash", *symbols)),
        **draw(turns(rebalance)),
        core=draw(choice((), (), (), tuple(symbols[:2]), tuple(symbols))),
        core_weight=draw(choice(0.5, 0.3, 1.0)),
    )


@st.composite
def turns(draw: st.DrawFn, rebalance: int | str) -> dict[str, int]:
    """A phase of the cycle, and sleeves that take turns."""
    if rebalance == "once":
        return {"tranches": draw(between(1, 3))}
    if not isinstance(rebalance, int):
        return {}
    return {"phase": draw(between(0, rebalance - 1)), "tranches": draw(between(1, rebalance))}


@st.composite
def stops(draw: st.DrawFn) -> Stops:
    """Some stops, tight ones, as markets of a few sessions go."""
    return Stops(draw(choice(0.0, 0.02, 0.1)), draw(choice(0.0, 0.05)), draw(choice(0, 0, 2, 4)))


@st.composite
def rotations(draw: st.DrawFn) -> Drawn:
    """A rotation without stops, on a market of one currency."""
    scenario = draw(scenarios())
    rotation = draw(rules([fund.symbol for fund in scenario.funds]))
    return Drawn(scenario, rotation, draw(tables(scenario)))


@st.composite
def hard_rotations(draw: st.DrawFn) -> Drawn:
    """A rotation of any kind, on a market of one currency or two that may be harder in every way."""
    scenario = draw(draw(choice(scenarios(hard=True), scenarios(hard=True), abroad(hard=True))))
    rotation = draw(rules([fund.symbol for fund in scenario.funds]))
    stopped = draw(choice(False, True))
    if stopped:  # which nobody has in tranches, or beside a core
        rotation = replace(rotation, tranches=1, core=())
    return Drawn(scenario, rotation, draw(tables(scenario)), draw(stops()) if stopped else NEVER)


@st.composite
def tables(draw: st.DrawFn, scenario: Scenario) -> Table:
    pool = draw(choice(*POOLS))
    row = st.tuples(*[choice(*pool)] * len(scenario.funds))
    return tuple(draw(row) for _ in scenario.days)


# --- To compare them --------------------------------------------------------------------------------------
def expected_of(drawn: Drawn) -> tuple[dict[date, Decision], Outcome]:
    """Return decisions and outcome by the oracle, once the engines' weights are found to be the oracle's.

    Weights by inverse volatility are near and not equal, since the oracle makes returns from closes and not
    from adjusted prices; there it trades the engines'.
    """
    rotation, scenario = drawn.rules, drawn.scenario
    days = [day for day in scenario.days if day >= drawn.first]
    weights = decided_by_engines(drawn, replace(drawn.strategy, **vars(NEVER)))
    exact = positive(rotate(rotation, days, drawn.mornings, number=Fraction))
    assert {day: set(line) for day, line in weights.items()} == {
        day: set(line) for day, line in exact.items()
    }
    for day, line in exact.items():
        for symbol, weight in line.items():
            near = tolerance(rotation, drawn.mornings[day])
            assert weights[day][symbol] == pytest.approx(float(weight), rel=near, abs=0)

    decisions = rotate(rotation, days, drawn.mornings)
    if rotation.weighting == "inverse_volatility":
        decisions = {
            day: replace(each, weights={symbol: weights[day].get(symbol, 0.0) for symbol in each.weights})
            for day, each in decisions.items()
        }
    assert weights == positive(decisions)
    scenario = replace(scenario, decisions=decisions, first=drawn.first)
    if drawn.stops != NEVER:
        scenario = replace(scenario, decisions=with_exits(scenario, drawn.stops))
        assert decided_by_engines(drawn, drawn.strategy) == positive(scenario.decisions)
    return dict(scenario.decisions), oracle.simulate(scenario)


def targets_of(drawn: Drawn, strategy: Given) -> Any:
    """Return what the engines decide from the first session on."""
    panel, adapter = drawn.panel, adapt(strategy)
    row, last = drawn.scenario.days.index(drawn.first), len(panel.days) - 1
    assert adapter.first_session(panel) == row
    return adapter.decisions(panel, row, last, fill=drawn.scenario.fill)


def decided_by_engines(drawn: Drawn, strategy: Given) -> Weights:
    """Return the weights above zero of each decision, those of a sleeve being of its own equity."""
    targets = targets_of(drawn, strategy)
    return {
        day_of(drawn.panel.days[row]): {
            symbol: float(weight)
            for symbol, weight in zip(drawn.panel.symbols, line, strict=True)
            if weight != 0.0
        }
        for row, line in zip(targets.decisions, targets.weights, strict=True)
    }


def positive(decisions: dict[date, Decision]) -> Weights:
    return {
        day: {symbol: weight for symbol, weight in decision.weights.items() if float(weight) > 0}
        for day, decision in decisions.items()
    }


def tolerance(rotation: Rules, morning: Morning) -> float:
    """How near to fractions: by inverse volatility, the error of a return is divided by the smallest one."""
    moving = [volatility for volatility in morning.volatilities.values() if volatility > 0]
    if rotation.weighting != "inverse_volatility" or not moving:
        return 1e-12
    return max(1e-12, 8 * float(np.finfo(float).eps) / min(moving))


def equity_in_a_sweep(drawn: Drawn) -> list[float]:
    """Return equity in a sweep of one set, which ranks and accounts in other code than a run."""
    panel = drawn.panel
    row = drawn.scenario.days.index(drawn.first)
    sweep = Sweep(panel, row, len(panel.days) - 1, conditions_of(drawn.scenario), workers=1)
    with np.errstate(all="ignore"):
        rows = sweep.run([drawn.strategy], equity=True)
    assert list(rows.failures) == [None]
    return rows.equity[0].tolist()
