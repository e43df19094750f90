"""What is worked out some funds at a time has the bits of the whole."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import data.panel.by_fund as by_fund_module
from data.facts.actions import Action
from data.numeric.shared import sharing
from data.panel.by_fund import by_fund
from data.panel.known import Known
from data.panel.panel import Panel
from data.panel.watched import watched
from engine.sweeps.sweep import Sweep
from strategies import STRATEGIES

DAYS = np.arange("2024-01-01", "2024-07-01", dtype="datetime64[D]")
DAYS = DAYS[np.is_busday(DAYS)]
SYMBOLS = tuple(f"15900{each}.SZ" for each in range(7))
SPLIT = Action("159001.SZ", "split", date(2024, 3, 6), ratio=2.0)
DIVIDEND = Action("159005.SZ", "dividend", date(2024, 4, 3), cash=0.05)
MERGE = Action("159003.SZ", "merge", date(2024, 5, 8), ratio=0.5, successor="159004.SZ")
CASES = [
    ("flow_blend", {"z_window": 10, "lookback": 3}),
    ("flow_blend", {"z_window": 8, "lookback": 5, "valuation": "prev_nav"}),
    ("flow_blend", {"z_window": 8, "lookback": 5, "valuation": "close", "margin_weight": -1.0}),
    ("leveraged_flow", {"lookback": 4, "level_weight": 0.5, "record_window": 9, "market_lookback": 2}),
    ("premium_reversal", {"lookback": 4, "usual_window": 20}),
    ("record_high", {"window": 12, "minimum": 4, "margin_weight": 0.5}),
    ("share_inflow", {"lookback": 5, "coverage": 0.4}),
    ("share_inflow", {"lookback": 3, "valuation": "nav", "excess_of_momentum": True}),
]


@cache
def panel_of(actions: tuple[Action, ...] = (), currency: str | None = None) -> Panel:
    """Return a torn market of seven funds."""
    rng = np.random.default_rng(17)
    shape = (len(DAYS), len(SYMBOLS))
    close = np.round(np.exp(np.cumsum(rng.normal(0.0, 0.02, shape), axis=0)), 3)
    bars = {"open": close, "high": close, "low": close, "close": close}
    bars |= {"volume": rng.integers(0, 9, shape) * 100.0, "amount": close * 350.0}
    torn = rng.random(shape) < 0.1
    bars = {name: np.where(torn, np.nan, each) for name, each in bars.items()}
    units = np.where(rng.random(shape) < 0.3, np.nan, rng.integers(1, 9, shape) * 1e6)
    units[:, 6] = np.where(np.arange(len(DAYS)) % 5 == 0, units[:, 0], np.nan)
    return Panel.from_events(
        DAYS,
        SYMBOLS,
        bars=bars,
        units=units,
        nav=np.where(rng.random(shape) < 0.2, np.nan, close),
        margin_balance=np.where(rng.random(shape) < 0.2, np.nan, rng.uniform(1e5, 1e6, shape)),
        market_margin=rng.uniform(1e9, 2e9, len(DAYS)),
        actions=actions,
        lags={"units": 2},
        fx={"USDCNY": rng.uniform(7.0, 7.2, len(DAYS))} if currency else None,
        currency=currency,
    )


def fresh(panel: Panel) -> Any:
    """Return the known face of which nothing is worked out yet."""
    return panel.ingredients.build().known


@pytest.fixture
def in_parts(monkeypatch):
    """Take every panel for a large one, of two funds at a time."""
    monkeypatch.setattr(by_fund_module, "LARGE", 0)
    monkeypatch.setattr(by_fund_module, "CELLS", 2 * len(DAYS))


@pytest.mark.parametrize(("name", "parameters"), CASES)
@pytest.mark.parametrize("actions", [(), (SPLIT, DIVIDEND), (SPLIT, MERGE)], ids=["plain", "split", "merge"])
@pytest.mark.parametrize("currency", [None, "USD"])
def test_scores_of_some_funds_at_a_time_are_those_of_the_whole(name, parameters, actions, currency, request):
    strategy, panel = STRATEGIES[name](**parameters), panel_of(actions, currency)
    whole = strategy.scores(fresh(panel))
    assert np.isfinite(whole).any(axis=0).sum() > 4
    request.getfixturevalue("in_parts")
    known = fresh(panel)
    for _ in range(3):  # the second time the parts are kept, the third time they are there
        assert strategy.scores(known).tobytes() == whole.tobytes()
    with sharing(known):
        assert strategy.scores(known).tobytes() == whole.tobytes()


def test_a_function_is_called_with_some_funds_at_a_time(in_parts):
    asked = []

    @by_fund
    def closes(known, factor):
        asked.append(known.symbols)
        return factor * known.close

    class Strategy:
        @by_fund
        def scores(self, known):
            asked.append(known.symbols)
            return 3.0 * known.close

    known, parts = fresh(panel_of()), [SYMBOLS[:2], SYMBOLS[2:4], SYMBOLS[4:6], SYMBOLS[6:]]
    np.testing.assert_array_equal(closes(known, 2.0), 2.0 * known.close)
    np.testing.assert_array_equal(Strategy().scores(known), 3.0 * known.close)
    assert asked == parts * 2


def test_funds_that_merge_are_not_parted(in_parts):
    asked = []

    @by_fund
    def closes(known):
        asked.append(len(known.symbols))
        return known.close

    closes(fresh(panel_of((MERGE,))))
    closes(panel_of().known.until(40))
    assert asked == [7, 7]


def test_parts_are_kept_from_the_second_time_on(in_parts):
    faces = []

    @by_fund
    def closes(known):
        faces.append(known)
        return known.close

    known = fresh(panel_of())
    for _ in range(3):
        closes(known)
    first, second, third = faces[:4], faces[4:8], faces[8:]
    assert not set(map(id, first)) & set(map(id, second))
    assert [id(each) for each in second] == [id(each) for each in third]


def test_parts_are_kept_at_once_where_they_will_be_asked_again(in_parts):
    faces = []

    @by_fund
    def closes(known, factor):
        faces.append(known)
        return factor * known.close

    known = fresh(panel_of())
    with sharing(known, again=True):
        closes(known, 1.0)
        closes(known, 2.0)
    assert [id(each) for each in faces[:4]] == [id(each) for each in faces[4:]]


def test_a_sweep_of_several_scores_makes_the_parts_once(in_parts, monkeypatch):
    made = []
    of = Known.of
    monkeypatch.setattr(Known, "of", lambda known, columns: made.append(columns) or of(known, columns))
    sets = [STRATEGIES["share_inflow"](lookback=lookback, top=1) for lookback in (3, 4, 5)]
    for several, count in ((sets, 4), (sets[:1] * 2, 4)):
        made.clear()
        panel = panel_of().ingredients.build()
        rows = Sweep(panel, 40, 60, workers=3).run(several)
        assert rows.failures == [None] * len(several)
        assert len(made) == count


def test_parts_are_worked_out_in_machine_code_as_the_whole_would_be():
    # A part alone would not be worth the compiler, which nothing has loaded yet when a run asks for scores.
    script = """
import sys
from data.demo import Demo
from data.load import load_panel
from data.panel import by_fund
from strategies import STRATEGIES
by_fund.LARGE = 0
known = load_panel(Demo()).known
print(known.merges, "numba" in sys.modules)
STRATEGIES["share_inflow"](lookback=5).scores(known)
print("numba" in sys.modules)
"""
    root = Path(__file__).resolve().parents[1]
    told = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert told.split() == ["False", "False", "True"]


def test_a_part_has_the_families_indices_and_actions_of_its_funds():
    known = panel_of((SPLIT, DIVIDEND)).known
    part = known.of(slice(1, 3))
    assert part.symbols == SYMBOLS[1:3]
    assert [(event.kind, event.column) for event in part._market.events] == [("split", 0)]
    assert part.market_margin.tobytes() == known.market_margin.tobytes()
    for name in ("units_adjusted", "adjusted_close", "premium", "nav_premium", "net_financing", "aum"):
        assert (
            getattr(part, name).tobytes() == np.ascontiguousarray(getattr(known, name)[:, 1:3]).tobytes()
        ), name


def test_what_a_strategy_reads_is_noted_of_parts_too(in_parts):
    reads: dict[str, None] = {}
    panel = watched(panel_of(), reads)
    STRATEGIES["share_inflow"](lookback=5, valuation="close").scores(panel.known)
    assert {"bars", "units"} <= set(reads)
    assert "margin" not in reads


def test_arrays_that_nobody_can_write_to_are_not_copied():
    close = np.arange(1.0, 7.0).reshape(3, 2)
    bars = dict.fromkeys(("open", "high", "low", "close"), close) | {"volume": np.full((3, 2), 100.0)}

    def closes():
        panel = Panel.from_events(DAYS[:3], SYMBOLS[:2], bars=bars)
        return panel.ingredients.facts.grids["bars"].columns["close"], panel.market.close

    facts, market = closes()
    close[0, 0] = 9.0
    assert (facts[0, 0], market[0, 0]) == (1.0, 1.0)
    settled = close.copy()
    settled.flags.writeable = False
    bars["close"] = settled
    assert all(np.shares_memory(each, settled) for each in closes())
    window = close[:]
    window.flags.writeable = False  # its owner can still write
    bars["close"] = window
    assert not any(np.shares_memory(each, window) for each in closes())
    kind = type("Matrix", (np.ndarray,), {})  # whose products may be others
    matrix = kind((3, 2))
    matrix[:] = close
    matrix.flags.writeable = False
    bars["close"] = matrix
    assert [type(each) for each in closes()] == [np.ndarray, np.ndarray]


def test_a_bar_of_a_session_without_trade_is_no_price_of_the_market():
    close = np.array([[2.0], [3.0], [4.0]])
    bars = dict.fromkeys(("open", "high", "low", "close"), close)
    panel = Panel.from_events(
        DAYS[:3], SYMBOLS[:1], bars=bars | {"volume": np.array([[100.0], [0.0], [100.0]])}
    )
    np.testing.assert_array_equal(panel.market.close[:, 0], [2.0, np.nan, 4.0])
    np.testing.assert_array_equal(panel.market.mark[:, 0], [2.0, 2.0, 4.0])
