"""Every strategy in the table: pure, causal to the bit, blind to the order of funds, exact about its warm-up.

And the numbers of each, with a pencil. A new strategy needs one line in ``CASES``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data.errors import DataError, UsageError
from data.facts.actions import Action
from data.panel.facts import IndexWeights
from data.panel.panel import Panel
from strategies import STRATEGIES, WeightsFile
from strategies.baselines import BuyHold, EqualWeight, RandomChoice
from strategies.compute_cycle import ComputeCycle
from strategies.dual_momentum import DualMomentum
from strategies.flow_blend import FlowBlend
from strategies.index_leader import IndexLeader, family_strength
from strategies.leveraged_flow import LeveragedFlow
from strategies.liquidity_leader import LiquidityLeader
from strategies.momentum import Momentum
from strategies.optical_tilt import OpticalTilt
from strategies.record_high import RecordHigh
from strategies.resonance import Resonance
from strategies.share_inflow import ShareInflow
from strategies.template import Template

NAN = math.nan
SESSIONS, SYMBOLS = 90, ("159363.SZ", "159381.SZ", "512480.SH", "515980.SH", "588790.SH", "BOTZ.US")
DAYS = np.busday_offset("2025-01-06", np.arange(SESSIONS))

CASES: list[tuple[str, dict[str, Any]]] = [
    ("share_inflow", {}),
    ("share_inflow", {"lookback": 5, "sign": -1, "valuation": "nav", "coverage": 0.4}),
    ("share_inflow", {"lookback": 7, "excess_of_momentum": True, "valuation": "close", "coverage": 0.0}),
    ("leveraged_flow", {}),
    ("leveraged_flow", {"lookback": 12, "level_weight": -0.5, "record_window": 9, "momentum_lookback": 30}),
    ("leveraged_flow", {"record_window": 3, "market_lookback": 33, "market_threshold": -0.5}),
    ("flow_blend", {"z_window": 10, "lookback": 3}),
    ("flow_blend", {"z_window": 20, "lookback": 1, "margin_weight": -1.0, "valuation": "prev_nav"}),
    ("record_high", {"window": 30, "minimum": 5}),
    ("record_high", {"window": 12, "minimum": 12, "margin_weight": 0.0, "units_weight": 2.0}),
    ("event", {"when": "units_record_10 or net_inflow_5_ratio > 0.01", "hold": 7}),
    ("event", {"when": "margin_growth_5 > 0 and not adtv_9_rank > 2", "hold": 20}),
    ("unexpected_flow", {"window": 20}),
    ("unexpected_flow", {"window": 25, "lookback": 1, "sign": -1}),
    ("premium_reversal", {"usual_window": 20}),
    ("premium_reversal", {"lookback": 9, "usual_window": 0, "sign": 1}),
    ("flow_reversal", {"lookback": 3, "long_lookback": 15, "coverage": 0.5}),
    ("flow_reversal", {"lookback": 10, "long_lookback": 25, "recent_weight": 0.0, "coverage": 0.0}),
    ("blend", {"lookback": 9, "first": "share_inflow:lookback={lookback},coverage=0.5"}),
    ("blend", {"combine": "vote", "first": "momentum:lookback=12", "second": "", "when": "aum > 1"}),
    ("blend", {"scale": "rank", "third": "event:when=adtv_3_rank < 2,hold=4", "when": "family_lead_6 > 0"}),
    ("index_leader", {"lookback": 15}),
    ("index_leader", {"lookback": 4, "liquidity_lookback": 25}),
    ("liquidity_leader", {}),
    ("liquidity_leader", {"lookback": 5, "leaders": 2}),
    ("optical_tilt", {}),
    ("optical_tilt", {"theme": "chips", "theme_index": "C", "stale_after": 15}),
    ("compute_cycle", {"growth_lookback": 40, "lookback": 20}),
    ("compute_cycle", {"growth_lookback": 25, "lookback": 45}),
    ("resonance", {"z_window": 10, "lookback": 3, "growth_lookback": 30, "strength_lookback": 20}),
    ("resonance", {"z_window": 10, "lookback": 3, "series": "", "strength_lookback": 30}),
    ("dual_momentum", {"lookback": 20}),
    ("dual_momentum", {"lookback": 25, "hurdle": -0.5, "index": "B"}),
    ("momentum", {"lookback": 20}),
    ("momentum", {"lookback": 10, "skip": 5}),
    ("equal_weight", {}),
    ("buy_hold", {}),
    ("buy_hold", {"symbol": "512480.SH"}),
    ("random", {}),
    ("random", {"seed": 7}),
    ("weights", {}),
]
NAMED = pytest.mark.parametrize(("name", "parameters"), CASES)


# What these would miss of the session before their warm-up is a record, a regime or an old file: it need not
# make a difference. All others must be wrong one session earlier, or their warm-up is too long.
NOT_TIGHT = {"leveraged_flow", "record_high", "event", "blend", "optical_tilt", "compute_cycle", "resonance"}

TRACKED: tuple[str | None, ...] = ("A", "A", "B", None, "B", "C")
FAMILIES: tuple[str | None, ...] = ("F", "F", "G", None, "G", "G")


# --- a small market ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StandIn:
    """The known face as plain arrays, so that a test can cut, reorder and widen it."""

    symbols: tuple[str, ...]
    days: np.ndarray
    arrays: dict[str, np.ndarray]
    flows: dict[str, np.ndarray]
    series: dict[str, np.ndarray]
    tracked: tuple[str | None, ...]
    families: tuple[str | None, ...]
    files: tuple[IndexWeights, ...]
    index_codes: tuple[str, ...] = ("A", "B", "C")

    @classmethod
    def of(cls, known: Any) -> StandIn:
        names = ("adjusted_close", "listed", "units", "units_adjusted", "aum", "margin_balance", "amount")
        names += ("close", "nav", "premium", "nav_premium", "sessions_awaited")
        arrays = {name: getattr(known, name) for name in names}
        session = known.session_of("nav")
        arrays["age of nav"] = np.where(session >= 0, np.arange(len(session))[:, None] - session, NAN)
        valuations = ("vwap", "nav", "prev_nav", "close")
        flows = {name: known.flow(name) for name in valuations}
        flows |= {f"{name} sessions": known.flow_sessions(name) for name in valuations}
        series = {code: known.index(code) for code in cls.index_codes}
        series |= {"capex": known.macro("capex"), "market margin": known.market_margin}
        files = tuple(file for code in cls.index_codes for file in known.index_weights(code))
        groups = (known.tracked, known.families)
        return cls(known.symbols, known.days, arrays, flows, series, *groups, files)

    def __getattr__(self, name: str) -> np.ndarray:
        try:
            return self.arrays[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def market_margin(self) -> np.ndarray:
        return self.series["market margin"]

    def flow(self, valuation: str = "vwap") -> np.ndarray:
        return self.flows[valuation]

    def flow_sessions(self, valuation: str = "vwap") -> np.ndarray:
        return self.flows[f"{valuation} sessions"]

    def session_of(self, datum: str) -> np.ndarray:
        age = self.arrays[f"age of {datum}"]
        session = np.where(np.isfinite(age), np.arange(len(age))[:, None] - age, -1)
        return np.maximum(session, -1).astype(np.int64)

    def index(self, code: str) -> np.ndarray:
        return self.series[code]

    def macro(self, name: str) -> np.ndarray:
        return self.series[name]

    def index_weights(self, code: str) -> tuple[IndexWeights, ...]:
        return tuple(file for file in self.files if file.index == code)

    def from_row(self, first: int) -> StandIn:
        part = self._each(lambda array: array[first:])
        series = {name: values[first:] for name, values in self.series.items()}
        files = tuple(replace(file, row=file.row - first) for file in self.files)
        return replace(part, days=self.days[first:], series=series, files=files)

    def reordered(self, order: list[int]) -> StandIn:
        part = self._each(lambda array: array[:, order])
        names = (self.symbols, self.tracked, self.families)
        symbols, tracked, families = (tuple(each[column] for column in order) for each in names)
        return replace(part, symbols=symbols, tracked=tracked, families=families)

    def with_a_fund_of_which_nothing_is_known(self) -> StandIn:
        def wider(array: np.ndarray) -> np.ndarray:
            nothing = np.full((len(array), 1), False if array.dtype == bool else NAN)
            return np.hstack([array[:, :2], nothing.astype(array.dtype), array[:, 2:]])

        def with_one_more(names: tuple[Any, ...], name: str) -> tuple[Any, ...]:
            return (*names[:2], name, *names[2:])

        return replace(
            self._each(wider),
            symbols=with_one_more(self.symbols, "512000.SH"),
            tracked=with_one_more(self.tracked, "A"),
            families=with_one_more(self.families, "F"),
        )

    def _each(self, function: Callable[[np.ndarray], np.ndarray]) -> StandIn:
        arrays = {name: function(array) for name, array in self.arrays.items()}
        return replace(self, arrays=arrays, flows={name: function(flow) for name, flow in self.flows.items()})


def facts() -> dict[str, Any]:
    """Return a market without a hole, by session."""
    rng = np.random.default_rng(20250820)
    shape = (SESSIONS, len(SYMBOLS))
    close = np.round(1.0 + 0.2 * np.cumsum(rng.normal(0, 0.05, shape), axis=0) ** 2, 3)
    volume = np.round(rng.uniform(1e6, 1e8, shape))
    bars = {
        "open": close - 0.001,
        "high": close + 0.01,
        "low": close - 0.01,
        "close": close,
        "volume": volume,
        "amount": volume * (close - 0.002),
    }
    units = np.round(1e9 * np.exp(np.cumsum(rng.normal(0, 0.01, shape), axis=0)))
    return {
        "bars": bars,
        "units": units,
        "nav": np.round(close * (1 + rng.normal(0, 0.002, shape)), 4),
        "margin_balance": np.round(1e7 * np.exp(np.cumsum(rng.normal(0, 0.03, shape), axis=0)), 2),
        "market_margin": np.round(1e12 * np.exp(np.cumsum(rng.normal(0, 0.004, SESSIONS)))),
        "indices": {code: 1e3 * np.exp(np.cumsum(rng.normal(0, 0.02, SESSIONS))) for code in "ABC"},
        "macro": {"capex": 100.0 + np.arange(SESSIONS) // 20 * rng.uniform(-1, 3, SESSIONS)},
    }


def weight_files(first: int) -> tuple[IndexWeights, ...]:
    """Return files of weights, one each 20 sessions, usable five later; rows count from session ``first``."""
    themes = {"a": "optical", "b": "chips", "c": "optical"}
    return tuple(
        IndexWeights(
            code, max(row + 5 - first, 0), DAYS[row], {"a": 0.2 + row / 200, "b": 0.3, "c": size}, themes
        )
        for code, size in (("A", 0.11), ("B", 0.07))
        for row in range(3, SESSIONS - 5, 20)
        if row + 5 - first < SESSIONS - first
    )


def torn(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the market with late listings, halts, funds without margin, and counts that are missing."""
    rng = np.random.default_rng(159363)
    shape = (SESSIONS, len(SYMBOLS))
    absent = np.zeros(shape, dtype=bool)
    absent[:35, 3] = True
    absent[75:, 4] = True
    halted = absent | (rng.random(shape) < 0.03)
    result = dict(whole, bars={name: np.where(halted, NAN, bar) for name, bar in whole["bars"].items()})
    result["nav"] = np.where(absent, NAN, whole["nav"])
    result["units"] = np.where(absent | (rng.random(shape) < 0.1), NAN, whole["units"])
    margin = np.where(absent, NAN, whole["margin_balance"])
    margin[:, 5] = NAN
    margin[:50, 1] = NAN
    margin[60:75, 2] = NAN
    result["margin_balance"] = margin
    return result


def market(given: dict[str, Any], **others: Any) -> Any:
    first = SESSIONS - len(given["units"])
    panel = Panel.from_events(DAYS[first:], SYMBOLS, **given, **others)
    whole = replace(panel.ingredients.facts, index_weights=weight_files(first))
    known = panel.with_facts(whole).known
    known.tracked, known.families = TRACKED, FAMILIES
    return known


def later(given: Any, first: int) -> Any:
    """Return the market as on file for somebody whose data begin with session ``first``."""
    if isinstance(given, dict):
        return {name: later(values, first) for name, values in given.items()}
    return given[first:]


@pytest.fixture(scope="module")
def known() -> Any:
    """A market with everything that can be missing, a split and a dividend."""
    split = Action("159363.SZ", "split", date(2025, 2, 10), date(2025, 2, 7), ratio=2.0)
    dividend = Action("588790.SH", "dividend", date(2025, 3, 3), cash=0.05)
    return market(torn(facts()), actions=(split, dividend))


@pytest.fixture
def strategy(name: str, parameters: dict[str, Any], tmp_path: Any) -> Any:
    if name != "weights":
        return STRATEGIES[name](**parameters)
    file = tmp_path / "W.csv"
    rows = [f"{day},{SYMBOLS[n % 6]},0.{n % 10}\n" for n, day in enumerate(DAYS[::3].tolist())]
    file.write_text("day,symbol,weight\n" + "".join(rows))
    return WeightsFile(file=str(file))


def answer(strategy: Any, known: Any) -> np.ndarray:
    return strategy.target_weights(known) if isinstance(strategy, WeightsFile) else strategy.scores(known)


# --- what holds for all -----------------------------------------------------------------------------------


def test_every_strategy_is_tested():
    assert {name for name, _ in CASES} == set(STRATEGIES)


@NAMED
def test_it_scores_every_fund_on_every_session(strategy, known):
    scores = answer(strategy, known)
    assert scores.shape == (SESSIONS, len(SYMBOLS))
    assert scores.dtype == np.float64
    assert not np.isinf(scores).any()
    assert np.isfinite(scores[strategy.warmup :]).any(), "the case must score something to test anything"


@NAMED
def test_a_fund_that_is_not_listed_has_no_score(strategy, known):
    scores = answer(strategy, known)
    if not isinstance(strategy, WeightsFile):
        assert np.isnan(scores[~known.listed]).all()


@NAMED
def test_it_gives_the_same_bits_again_and_leaves_its_input_alone(strategy, known):
    before = StandIn.of(known)._each(np.copy)
    first, second = answer(strategy, known), answer(replace(strategy), known)
    assert first.tobytes() == second.tobytes()
    after = StandIn.of(known)
    for name, array in before.arrays.items():
        np.testing.assert_array_equal(after.arrays[name], array)


@NAMED
@pytest.mark.parametrize("row", [3, 17, 34, 40, 62, 88])
def test_what_comes_later_changes_nothing(strategy, known, row):
    scores = answer(strategy, known)[: row + 1]
    assert answer(strategy, known.until(row)).tobytes() == scores.tobytes()


@NAMED
@pytest.mark.parametrize("first", [1, 2, 20, 35])
def test_what_came_before_the_warmup_changes_nothing(strategy, known, first):
    whole = StandIn.of(known)
    scores = answer(strategy, whole)[first:]
    without = answer(strategy, whole.from_row(first))
    assert without[strategy.warmup :].tobytes() == scores[strategy.warmup :].tobytes()


@NAMED
def test_warmup_is_enough_for_data_that_begin_then_and_not_more(strategy, name):
    whole, first = facts(), 20
    whole["margin_balance"][:, 5] = NAN
    expected = answer(strategy, market(whole))[first:]
    found = answer(strategy, market(later(whole, first)))
    needed = strategy.warmup
    assert found[needed:].tobytes() == expected[needed:].tobytes()
    if needed and name not in NOT_TIGHT:
        assert found[needed - 1].tobytes() != expected[needed - 1].tobytes()


@NAMED
def test_the_order_of_funds_changes_nothing(strategy, known):
    whole, order = StandIn.of(known), [4, 0, 5, 2, 1, 3]
    expected = np.ascontiguousarray(answer(strategy, whole)[:, order])
    assert answer(strategy, whole.reordered(order)).tobytes() == expected.tobytes()


@NAMED
def test_a_fund_of_which_nothing_is_known_changes_nothing(strategy, known):
    whole = StandIn.of(known)
    wider = answer(strategy, whole.with_a_fund_of_which_nothing_is_known())
    assert np.delete(wider, 2, axis=1).tobytes() == answer(strategy, whole).tobytes()
    if not isinstance(strategy, WeightsFile):
        assert np.isnan(wider[:, 2]).all()


# --- each, with a pencil ----------------------------------------------------------------------------------


def pencil(symbols: int = 3, **arrays: Any) -> Any:
    """Return a known face of the arrays given, everything else known and quiet."""
    length = max(len(array) for array in arrays.values())
    ones = np.ones((length, symbols))
    flow = np.asarray(arrays.pop("flow", ones * 0.0), dtype=float)
    quiet = {"adjusted_close": ones, "aum": ones, "units": ones, "margin_balance": ones * NAN}
    quiet |= {"listed": ones > 0, "market_margin": np.full(length, NAN)}
    quiet |= {"sessions_awaited": ones * 0.0}
    sessions = np.asarray(arrays.pop("flow_sessions", np.where(np.isfinite(flow), 1.0, NAN)), dtype=float)
    given = {name: np.asarray(array) for name, array in arrays.items()}
    return SimpleNamespace(
        symbols=SYMBOLS[:symbols],
        days=DAYS[:length],
        flow=lambda valuation: flow,
        flow_sessions=lambda valuation: sessions,
        **(quiet | given),
    )


def test_share_inflow_is_money_over_aum_at_the_windows_start():
    known = pencil(1, flow=[[NAN], [10], [20], [-5]], aum=[[100], [200], [400], [800]])
    scores = ShareInflow(lookback=2).scores(known)
    np.testing.assert_array_equal(scores[:, 0], [NAN, NAN, (10 + 20) / 100, (20 - 5) / 200])
    np.testing.assert_array_equal(ShareInflow(lookback=2, sign=-1).scores(known), -scores)


def test_share_inflow_needs_flows_on_enough_sessions():
    known = pencil(1, flow=[[NAN], [NAN], [20], [-5]], aum=[[100], [200], [400], [800]])
    two = ShareInflow(lookback=2, coverage=1.0).scores(known)[:, 0]
    np.testing.assert_array_equal(two, [NAN, NAN, NAN, (20 - 5) / 200])
    one = ShareInflow(lookback=2, coverage=0.5).scores(known)[:, 0]
    np.testing.assert_array_equal(one, [NAN, NAN, 20 / 100, (20 - 5) / 200])


def test_share_inflow_of_eight_in_ten_sessions_is_enough_for_a_coverage_of_four_fifths():
    flow = np.ones((21, 1))
    flow[[3, 7, 11, 15]] = NAN
    assert ShareInflow(lookback=20, coverage=0.8).scores(pencil(1, flow=flow))[20, 0] == 16.0
    flow[19] = NAN
    assert math.isnan(ShareInflow(lookback=20, coverage=0.8).scores(pencil(1, flow=flow))[20, 0])


def test_share_inflow_of_weekly_counts_covers_the_sessions_between_them():
    flow, spans = np.full((21, 1), NAN), np.full((21, 1), NAN)
    # A count on every fifth session; the last one of the window came two sessions ago.
    flow[[3, 8, 13, 18]], spans[[3, 8, 13, 18]] = 1.0, 5.0
    known = pencil(1, flow=flow, flow_sessions=spans)
    # The window of 20 holds rows 1 to 20; flows cover 1 to 18 of it, and the first two sessions before it.
    assert ShareInflow(lookback=20, coverage=0.9).scores(known)[20, 0] == 4.0
    assert math.isnan(ShareInflow(lookback=20, coverage=0.91).scores(known)[20, 0])
    # A single count after four weeks covers no more of a window than the rows up to its own.
    spans[[3, 8, 13]] = flow[[3, 8, 13]] = NAN
    spans[18] = 20.0
    known = pencil(1, flow=flow, flow_sessions=spans)
    assert ShareInflow(lookback=20, coverage=0.9).scores(known)[20, 0] == 1.0
    assert math.isnan(ShareInflow(lookback=5, coverage=0.8).scores(known)[20, 0])


def test_share_inflow_of_monthly_counts_waits_for_the_next_one():
    flow, spans = np.full((44, 1), NAN), np.full((44, 1), NAN)
    flow[[21, 42]], spans[[21, 42]] = 1.0, 21.0
    awaited = np.zeros((44, 1))
    awaited[21:42, 0], awaited[42:, 0] = np.arange(21), np.arange(2)
    scores = ShareInflow(lookback=20).scores(
        pencil(1, flow=flow, flow_sessions=spans, sessions_awaited=awaited)
    )
    # A window of 20 sessions without a count, of which there is one of 21, knows nothing of them.
    np.testing.assert_array_equal(scores[:, 0], [*[NAN] * 21, *[1.0] * 20, NAN, 1.0, 1.0])


def test_share_inflow_without_aum_is_unknown():
    known = pencil(2, flow=[[1.0, 1.0]] * 3, aum=[[NAN, 0.0]] * 3)
    assert np.isnan(ShareInflow(lookback=1).scores(known)).all()


def test_share_inflow_in_excess_of_momentum_is_what_return_does_not_explain():
    # Returns 0, 1, 2 and flow ratios 0, 0, 3: a slope of 1.5 around the means 1 and 1.
    known = pencil(3, flow=[[0, 0, 3]] * 2, adjusted_close=[[1.0, 1, 1], [1, 2, 3]])
    scores = ShareInflow(lookback=1, excess_of_momentum=True).scores(known)
    np.testing.assert_array_equal(scores[1], [-1 + 1.5, -1, 2 - 1.5])


def test_leveraged_flow_of_a_fund_with_margin():
    known = pencil(1, margin_balance=[[10.0], [30], [20]], aum=[[100.0], [200], [400]])
    plain = LeveragedFlow(lookback=1, record_window=2, record_bonus=0.0).scores(known)
    np.testing.assert_array_equal(plain[:, 0], [NAN, 20 / 100, -10 / 200])
    level = LeveragedFlow(lookback=1, record_window=2, record_bonus=0.0, level_weight=2.0).scores(known)
    np.testing.assert_array_equal(level[:, 0], [NAN, 20 / 100 + 2 * (30 / 200), -10 / 200 + 2 * (20 / 400)])
    record = LeveragedFlow(lookback=1, record_window=2, record_bonus=0.5).scores(known)
    np.testing.assert_array_equal(record[:, 0], [NAN, 20 / 100 + 0.5, -10 / 200])


def test_leveraged_flow_of_a_fund_without_margin_is_momentum_while_the_market_leverages_up():
    known = pencil(
        2,
        adjusted_close=[[1.0, 2.0], [1.5, 2.0], [3.0, 1.0], [3.0, 2.0]],
        market_margin=[100.0, 101.0, 100.0, NAN],
        margin_balance=[[NAN, 10.0]] * 4,
        aum=[[100.0, 100.0]] * 4,
    )
    strategy = LeveragedFlow(
        lookback=1, record_window=2, record_bonus=0.0, market_lookback=1, momentum_lookback=1
    )
    np.testing.assert_array_equal(strategy.scores(known)[:, 0], [NAN, 0.1 * 0.5, NAN, NAN])
    np.testing.assert_array_equal(strategy.scores(known)[:, 1], [NAN, 0, 0, 0])
    np.testing.assert_array_equal(replace(strategy, momentum_weight=0.0).scores(known)[1], [0, 0])
    at_limit = replace(strategy, market_threshold=101 / 100 - 1)
    assert math.isnan(at_limit.scores(known)[1, 0])


def test_leveraged_flow_takes_a_newly_eligible_fund_for_one_without_margin():
    known = pencil(
        1,
        adjusted_close=[[1.0], [2.0], [4.0]],
        market_margin=[100.0, 101.0, 102.0],
        margin_balance=[[NAN], [5.0], [6.0]],
        aum=[[100.0]] * 3,
    )
    strategy = LeveragedFlow(
        lookback=1, record_window=2, record_bonus=0.0, market_lookback=1, momentum_lookback=1
    )
    np.testing.assert_array_equal(strategy.scores(known)[:, 0], [NAN, 0.1 * 1.0, 1 / 100])


def blend_by_hand(units: list, close: list, margin: list, w: int, k: int, a: float, t: int) -> float:
    """Return the score after the close of session ``t`` of one fund, from the formula and nothing else."""

    def inflow(t: int) -> float:
        return (units[t] - units[t - 1]) * close[t]

    def relative_inflow(t: int) -> float:
        return sum(inflow(i) for i in range(t - k + 1, t + 1)) / (units[t] * close[t])

    def growth(t: int) -> float:
        return margin[t] / margin[t - k] - 1

    def z(x: Callable[[int], float]) -> float:
        past = [x(i) for i in range(t - w + 1, t + 1)]
        return (x(t) - statistics.mean(past)) / statistics.stdev(past)

    return z(relative_inflow) + a * z(growth)


@pytest.mark.parametrize(("w", "k", "a"), [(20, 5, 0.5), (3, 1, -1.0), (30, 20, 0.0), (2, 3, 2.0)])
def test_flow_blend_is_the_formula_and_defined_from_the_first_possible_session(w, k, a):
    given = facts()
    del given["nav"], given["market_margin"]
    strategy = FlowBlend(z_window=w, lookback=k, margin_weight=a, valuation="close")
    scores = strategy.scores(market(given))
    expected = np.full(scores.shape, NAN)
    for s in range(len(SYMBOLS)):
        units, margin = given["units"][:, s].tolist(), given["margin_balance"][:, s].tolist()
        close = given["bars"]["close"][:, s].tolist()
        for t in range(k + w - 1, SESSIONS - 1):
            expected[t + 1, s] = blend_by_hand(units, close, margin, w, k, a, t)
    np.testing.assert_allclose(scores, expected, rtol=1e-8, atol=1e-8)


def test_flow_blend_gives_no_score_to_a_series_that_does_not_vary():
    constant = pencil(1, margin_balance=[[5.0]] * 9, flow=[[NAN], *([float(n % 3)] for n in range(8))])
    assert np.isnan(FlowBlend(z_window=3, lookback=1).scores(constant)).all()
    assert np.isnan(FlowBlend(z_window=3, lookback=1).scores(pencil(1, flow=[[1.0]] * 9))).all()


def test_flow_blend_gives_a_fund_without_margin_the_markets():
    flow, balance = [[NAN], [3.0], [1.0], [2.0]], [4.0, 6.0, 5.0, 9.0]
    strategy = FlowBlend(z_window=2, lookback=1)
    own = strategy.scores(pencil(1, flow=flow, margin_balance=[[b] for b in balance]))
    of_market = strategy.scores(pencil(1, flow=flow, market_margin=balance))
    np.testing.assert_array_equal(of_market, own)
    assert np.isfinite(own[2:]).all()


def test_flow_blend_gives_a_newly_eligible_fund_the_markets_until_its_own_fills_a_window():
    flow, balance = [[NAN], [3.0], [1.0], [2.0], [5.0], [1.0]], [4.0, 6.0, 5.0, 9.0, 8.0, 9.0]
    own = [[NAN], [NAN], [7.0], [9.0], [8.0], [6.0]]
    strategy = FlowBlend(z_window=2, lookback=1)
    found = strategy.scores(pencil(1, flow=flow, margin_balance=own, market_margin=balance))[:, 0]
    as_market = strategy.scores(pencil(1, flow=flow, market_margin=balance))[:, 0]
    as_fund = strategy.scores(pencil(1, flow=flow, margin_balance=own))[:, 0]
    np.testing.assert_array_equal(found, [*as_market[:4], *as_fund[4:]])


def test_flow_blend_without_any_margin_is_the_inflow_alone():
    scores = FlowBlend(z_window=3, lookback=1, margin_weight=9.0).scores(pencil(1, flow=[[1.0], [2], [6]]))
    np.testing.assert_array_equal(scores[2], [(6 - 3) / math.sqrt((4 + 1 + 9) / 2)])


def test_flow_blend_takes_a_session_without_a_count_for_one_without_money():
    known = pencil(1, flow=[[1.0], [NAN], [6]])
    np.testing.assert_array_equal(
        FlowBlend(z_window=3, lookback=1).scores(known),
        FlowBlend(z_window=3, lookback=1).scores(pencil(1, flow=[[1.0], [0.0], [6]])),
    )
    known.units = np.array([[1.0], [NAN], [1.0]])
    assert np.isnan(FlowBlend(z_window=3, lookback=1).scores(known)).all()


def test_record_high_is_the_mean_nearness_to_the_highest_of_a_window():
    known = pencil(
        2,
        units_adjusted=[[1.0, 4], [4, 4], [2, 4], [3, 4]],
        adjusted_close=[[5.0, 5], [4, 4], [4, 4], [5, 2]],
        margin_balance=[[NAN, 8.0], [NAN, 8], [NAN, 8], [NAN, 4]],
    )
    strategy = RecordHigh(window=3, minimum=3, units_weight=2.0)
    expected = [[NAN] * 2] * 2 + [[(2 * 2 / 4 + 4 / 5) / 3, (2 + 1 + 4 / 5) / 4]]
    expected += [[(2 * 3 / 4 + 5 / 5) / 3, (2 + 4 / 8 + 2 / 4) / 4]]
    np.testing.assert_array_equal(strategy.scores(known), expected)


def test_record_high_of_a_young_fund_needs_the_minimum_and_a_price():
    known = pencil(2, adjusted_close=[[NAN, 1.0], [5, 1], [4, 1], [4, NAN]], units_adjusted=np.ones((4, 2)))
    found = RecordHigh(window=3, minimum=2, units_weight=0.0).scores(known)
    np.testing.assert_array_equal(found, [[NAN] * 2, [NAN] * 2, [4 / 5, 1], [4 / 5, NAN]])


def test_record_high_refuses_parameters_that_do_not_go_together():
    with pytest.raises(UsageError, match="`minimum` of RecordHigh is above `window`; received 20; limit: 10"):
        RecordHigh(window=10)
    with pytest.raises(UsageError, match="all weights of RecordHigh are 0"):
        RecordHigh(units_weight=0, margin_weight=0, price_weight=0)


def test_liquidity_leader_is_the_most_traded_fund_of_each_index():
    known = pencil(4, amount=[[1.0, 3, 9, 5], [5, 3, 9, 7]])
    known.tracked = ("A", "A", None, "A")
    found = LiquidityLeader(lookback=1).scores(known)
    np.testing.assert_array_equal(found, [[NAN, NAN, 9, 5], [NAN, NAN, 9, 7]])
    mean = LiquidityLeader(lookback=2, leaders=2).scores(known)
    np.testing.assert_array_equal(mean[1], [3, NAN, 9, 6])  # 159363 before 159381, by symbol


def test_index_leader_is_the_most_traded_fund_of_each_family_with_the_familys_strength():
    known = pencil(
        4,
        adjusted_close=[[1.0, 1, 1, 1], [9, 9, 3, 5]],
        amount=[[1.0, 2, 7, 6]] * 2,
    )
    known.tracked, known.families = ("A", "B", "X", "X"), ("F", "F", "G", "G")
    known.index_codes = ("A", "B")
    known.index = {"A": np.array([10.0, 12.0]), "B": np.array([10.0, 16.0])}.__getitem__
    found = IndexLeader(lookback=1, liquidity_lookback=1).scores(known)
    # Indices A and B rose by 0.2 and 0.6; the funds of G, whose index has no levels, by 2 and 4.
    np.testing.assert_allclose(found[1], [NAN, 0.4, 3.0, NAN], rtol=1e-15)


def tilted(**others: Any) -> Any:
    known = pencil(3, adjusted_close=np.ones((9, 3)))
    known.tracked = ("A", "B", None)
    known.index_codes = ("A", "T")
    known.index = {
        "A": np.array([NAN, 10.0, 10, 10, 10, 10, 20, 20, 20]),
        "T": np.array([NAN, 1.0, 1, 1, 1.5, 1.5, 6, 6, 6]),
    }.__getitem__
    themes = {"a": "optical", "b": "chips", "c": "optical"}
    files = {
        "A": (
            IndexWeights("A", 2, DAYS[0], {"a": 0.25, "b": 0.5, "c": 0.125}, themes),
            IndexWeights("A", 7, DAYS[5], {"a": 0.5, "b": 0.25, "c": 0.0}, themes),
            IndexWeights("A", 8, DAYS[3], {"a": 0.1, "b": 0.1, "c": 0.1}, themes),
        ),
        "B": (IndexWeights("B", 2, DAYS[0], {"b": 1.0}, {"b": "chips"}),),
    }
    known.index_weights = lambda code: files[code]
    return OpticalTilt(**others).scores(known)


def test_optical_tilt_is_the_tagged_weight_of_the_latest_file_that_is_usable():
    found = tilted()
    np.testing.assert_array_equal(found[:, 0], [NAN, NAN, 0.375, 0.375, 0.375, 0.375, 0.375, 0.5, 0.5])
    assert np.isnan(found[:, 1:]).all()


def test_optical_tilt_drifts_with_the_theme_relative_to_the_index():
    # The file of session 0 starts from the levels of row 1; that of session 5 from those of row 6.
    expected = [NAN, NAN, 0.375, 0.375, 0.375 * 1.5, 0.375 * 1.5, 1.0, 0.5, 0.5]
    np.testing.assert_allclose(tilted(theme_index="T")[:, 0], expected, rtol=1e-15)


def test_optical_tilt_of_an_old_file_is_unknown():
    expected = [NAN, NAN, 0.375, 0.375, NAN, NAN, NAN, 0.5, 0.5]
    np.testing.assert_array_equal(tilted(stale_after=3)[:, 0], expected)


def test_compute_cycle_is_momentum_while_the_series_grows():
    known = pencil(1, adjusted_close=[[1.0], [2.0], [3.0], [6.0], [9.0]])
    known.macro = {"capex": np.array([NAN, 5.0, 5.0, 6.0, 6.0])}.__getitem__
    found = ComputeCycle(growth_lookback=1, lookback=1).scores(known)[:, 0]
    np.testing.assert_array_equal(found, [NAN, NAN, NAN, 1.0, NAN])
    longer = ComputeCycle(growth_lookback=2, lookback=1, growth_threshold=0.1).scores(known)[:, 0]
    np.testing.assert_array_equal(longer, [NAN, NAN, NAN, 1.0, 0.5])


def test_compute_cycle_without_its_series_says_which_there_are(known):
    with pytest.raises(DataError, match=r"no macro series `capx`\. Did you mean `capex`"):
        ComputeCycle(series="capx").scores(known)


def test_resonance_is_flow_blend_where_macro_and_meso_agree(known):
    flows = {"z_window": 10, "lookback": 3}
    blend = FlowBlend(**flows).scores(known)
    cycle = ComputeCycle(growth_lookback=30, lookback=1).scores(known)
    strength = family_strength(known, 20)
    mean = np.array([[np.mean([s for s in row if not math.isnan(s)] or [NAN])] for row in strength])
    found = Resonance(**flows, growth_lookback=30, strength_lookback=20).scores(known)
    agree = np.isfinite(cycle) & (strength >= mean)
    np.testing.assert_array_equal(found, np.where(agree, blend, NAN))
    assert np.isfinite(found).any()
    without = Resonance(**flows, series="", strength_lookback=20).scores(known)
    np.testing.assert_array_equal(without, np.where(strength >= mean, blend, NAN))


def test_the_conditions_of_resonance_are_what_its_scores_go_by(known):
    flows = {"z_window": 10, "lookback": 3}
    resonance = Resonance(**flows, growth_lookback=30, strength_lookback=20)
    found = resonance.conditions(known)
    assert set(found) == {"macro", "meso", "micro"}
    agree = found["macro"].holds & found["meso"].holds
    np.testing.assert_array_equal(
        resonance.scores(known), np.where(agree, FlowBlend(**flows).scores(known), NAN)
    )
    np.testing.assert_array_equal(found["micro"].holds, found["micro"].value > 0.0)
    np.testing.assert_array_equal(found["macro"].holds, found["macro"].value > 0.0)
    assert set(Resonance(**flows, series="").conditions(known)) == {"meso", "micro"}


def test_dual_momentum_is_momentum_above_both_hurdles():
    known = pencil(3, adjusted_close=[[1.0, 1.0, 1.0], [2.0, 1.25, 0.5]])
    np.testing.assert_array_equal(DualMomentum(lookback=1).scores(known)[1], [1.0, 0.25, NAN])
    np.testing.assert_array_equal(DualMomentum(lookback=1, hurdle=0.25).scores(known)[1], [1.0, NAN, NAN])
    known.index = lambda code: {"A": np.array([1.0, 1.5])}[code]
    np.testing.assert_array_equal(DualMomentum(lookback=1, index="A").scores(known)[1], [1.0, NAN, NAN])


def test_momentum_is_total_return_with_the_latest_sessions_left_out():
    known = pencil(1, adjusted_close=[[2.0], [3.0], [6.0], [9.0]])
    np.testing.assert_array_equal(Momentum(lookback=1).scores(known)[:, 0], [NAN, 0.5, 1.0, 0.5])
    np.testing.assert_array_equal(Momentum(lookback=1, skip=1).scores(known)[:, 0], [NAN, NAN, 0.5, 1.0])


def test_momentum_does_not_see_a_split():
    given = facts()
    plain = Momentum(lookback=10).scores(market(given))
    halved = {name: bar.copy() for name, bar in given["bars"].items()}
    for name in ("open", "high", "low", "close"):
        halved[name][40:, 0] /= 2
    split = Action(SYMBOLS[0], "split", DAYS[40].item(), DAYS[39].item(), ratio=2.0)
    found = Momentum(lookback=10).scores(market(given | {"bars": halved}, actions=(split,)))
    np.testing.assert_array_equal(found, plain)


@pytest.mark.parametrize("valuation", ["vwap", "nav", "close"])
@pytest.mark.parametrize("name", ["share_inflow", "flow_blend"])
def test_flows_do_not_see_a_split_whose_units_switch_a_session_early(name, valuation):
    given = facts()
    strategy = STRATEGIES[name](valuation=valuation, lookback=5)
    plain = strategy.scores(market(given))
    split = {name: bar.copy() for name, bar in given["bars"].items()}
    for price in ("open", "high", "low", "close"):
        split[price][40:, 0] /= 2
    split["volume"][40:, 0] *= 2
    units, nav = given["units"].copy(), given["nav"].copy()
    units[39:, 0] *= 2
    nav[40:, 0] /= 2
    action = Action(SYMBOLS[0], "split", DAYS[40].item(), DAYS[39].item(), ratio=2.0)
    found = strategy.scores(market(given | {"bars": split, "units": units, "nav": nav}, actions=(action,)))
    np.testing.assert_allclose(found, plain, rtol=1e-9, atol=1e-9)


def test_equal_weight_holds_what_is_listed_and_has_a_price():
    known = pencil(3, adjusted_close=[[1.0, NAN, 1.0]], listed=np.array([[True, True, False]]))
    np.testing.assert_array_equal(EqualWeight().scores(known), [[1, NAN, NAN]])


def test_buy_hold_buys_once_all_or_one():
    assert BuyHold().rebalance == "once"
    known = pencil(3, aum=[[1.0] * 3])
    np.testing.assert_array_equal(BuyHold().scores(known), [[1, 1, 1]])
    np.testing.assert_array_equal(BuyHold(symbol="159381").scores(known), [[NAN, 1, NAN]])


def test_buy_hold_of_a_fund_that_is_not_there_names_close_matches():
    with pytest.raises(UsageError, match=r"received 159382\.SZ\. Did you mean `159381\.SZ`"):
        BuyHold(symbol="159382").scores(pencil(3, aum=[[1.0] * 3]))


def test_random_draws_are_spread_over_the_unit_interval_and_differ_by_seed_day_and_fund():
    known = pencil(3, aum=np.ones((SESSIONS, 3)))
    lots = RandomChoice(seed=1).scores(known)
    assert len(np.unique(lots)) == lots.size
    assert 0 <= lots.min() < 0.05 < 0.95 < lots.max() < 1
    assert not (lots == RandomChoice(seed=2).scores(known)).any()


def test_random_draws_of_a_fund_are_one_stream_with_a_number_for_each_day():
    known = pencil(1, aum=np.ones((SESSIONS, 1)))
    stream = np.random.Generator(np.random.PCG64([5, *SYMBOLS[0].encode()]))
    every_day = stream.random(30_000)
    expected = every_day[known.days.astype(int)]
    np.testing.assert_array_equal(RandomChoice(seed=5).scores(known)[:, 0], expected)


def test_the_template_scores_the_ratio_of_mean_to_deviation():
    known = pencil(1, adjusted_close=[[1.0], [2.0], [2.0]])
    scores = Template(lookback=2).scores(known)
    np.testing.assert_array_equal(scores[:, 0], [NAN, NAN, 0.5 / math.sqrt(0.25 + 0.25)])
    assert np.isnan(Template(lookback=2).scores(pencil(1, adjusted_close=[[1.0]] * 4))).all()
