"""A backtest from strategy to result: where it begins, what a strategy may be, what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest

import engine
from data.demo import Demo
from data.errors import DataError, StrategyError, UsageError, ValidationError
from data.facts.actions import Action
from data.load import load_panel
from data.panel.panel import Panel
from engine import OF_RUN, compare, run, sweep, tune
from engine.commands.spec_file import SpecFile
from engine.kernel.costs import Costs
from engine.spec import Spec
from engine.strategy.adapters import adapt
from engine.strategy.loader import load_strategy, make_strategy
from strategies import STRATEGIES

FREE = Costs(commission_rate=0.0, commission_min=0.0, slippage_rate=0.0, participation_rate=0.0)
SYMBOLS = ("159001.SZ", "159002.SZ", "515001.SH")


@pytest.fixture(scope="module")
def panel() -> Panel:
    rng = np.random.Generator(np.random.PCG64(7))
    days = np.arange("2024-01-01", "2024-12-31", dtype="datetime64[D]")
    days = days[np.is_busday(days)][:120]
    close = np.round(np.exp(rng.normal(0.0, 0.01, (120, 3)).cumsum(axis=0)), 3)
    close[:30, 2] = np.nan  # the third fund lists late
    volume = np.where(np.isfinite(close), 1e6, 0.0)
    return Panel.from_events(
        days,
        SYMBOLS,
        bars=dict.fromkeys(("open", "high", "low", "close"), close)
        | {"volume": volume, "amount": volume * close},
        units=np.full((120, 3), 1e9),
        actions=[Action(SYMBOLS[0], "split", days[60].item(), None, 2.0)],
        indices={"930713": np.linspace(1000.0, 1100.0, 120)},
    )


def day(panel: Panel, row: int) -> date:
    return panel.days[row].item()


def test_a_run_begins_when_the_strategy_can_decide(panel: Panel) -> None:
    momentum = STRATEGIES["momentum"](lookback=20)
    assert adapt(momentum).first_session(panel) == momentum.warmup
    assert run(momentum, panel).days[0] == panel.days[momentum.warmup]


def test_a_start_before_that_names_the_first_possible_day(panel: Panel) -> None:
    momentum = STRATEGIES["momentum"](lookback=20)
    with pytest.raises(DataError, match=str(panel.days[momentum.warmup])):
        run(momentum, panel, start=day(panel, 5))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (date(2025, 6, 1), None, "no session with data"),
        (None, date(2023, 1, 1), "before the data begin"),
        (date(2024, 3, 30), date(2024, 3, 31), "no session with data"),
    ],
)
def test_a_period_without_data_is_refused(
    panel: Panel, start: date | None, end: date | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        run(STRATEGIES["equal_weight"](), panel, start=start, end=end)


def test_a_history_too_short_for_the_warm_up_is_refused(panel: Panel) -> None:
    with pytest.raises(DataError, match="can decide on no session"):
        run(STRATEGIES["momentum"](lookback=200), panel)


def test_cash_too_small_for_one_lot_is_refused(panel: Panel) -> None:
    with pytest.raises(UsageError, match="too little for one lot"):
        run(STRATEGIES["equal_weight"](), panel, cash=100.0)


def test_the_benchmark_is_an_index_or_equal_weight(panel: Panel) -> None:
    result = run(STRATEGIES["equal_weight"](), panel, benchmark="930713")
    level = panel.index_closes["930713"]
    # The run begins at the open of its first session, at which nobody knows the index.
    expected = [np.nan, *(level[2:] / level[1:-1] - 1.0)]
    assert result.benchmark_return == pytest.approx(expected, nan_ok=True)
    assert np.array_equal(
        run(STRATEGIES["equal_weight"](), panel).benchmark_return, result.equal_weight_return
    )
    with pytest.raises(UsageError, match="930713"):
        run(STRATEGIES["equal_weight"](), panel, benchmark="930712")


def test_costs_may_be_given_by_name(panel: Panel) -> None:
    strategy, named = STRATEGIES["equal_weight"](), {"commission_rate": 0.001, "slippage_rate": 0.0}
    costs = Costs(commission_rate=0.001, slippage_rate=0.0)
    expected = run(strategy, panel, costs=costs)
    assert expected.fills["commission"].sum() > run(strategy, panel).fills["commission"].sum()
    np.testing.assert_array_equal(run(strategy, panel, costs=named).equity, expected.equity)
    rows = sweep(strategy, panel, {"rebalance": [20]}, costs=named)
    assert rows["cum_returns_final"][0] == expected.equity[-1] / 1e6 - 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"start": "2024-05-01"}, "`start` is not a day; received '2024-05-01'"),
        ({"start": date(2024, 5, 2), "end": date(2024, 5, 1)}, "`start` is after `end`"),
        ({"cash": 0.0}, "`cash` is out of bounds; received 0.0"),
        ({"cash": "1000"}, "`cash` is out of bounds; received 1000"),
        ({"fill": "opne"}, "unknown fill `opne`. Did you mean `open`"),
        ({"costs": {"comission_rate": 0.1}}, "unknown cost `comission_rate`. Did you mean `commission_rate`"),
        ({"costs": {"impact": "much"}}, "cost `impact` is not a number"),
        ({"costs": 0.001}, "`costs` is not a table of costs"),
        ({"benchmark": "930712"}, "unknown benchmark `930712`. Did you mean `930713`"),
    ],
)
def test_conditions_that_cannot_be_are_refused_at_every_door(
    panel: Panel, tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    strategy = STRATEGIES["equal_weight"]()
    doors = (
        lambda: run(strategy, panel, **given),
        lambda: sweep(strategy, panel, {"top": [0, 1]}, **given),
        lambda: compare([strategy, STRATEGIES["momentum"](lookback=5)], panel, **given),
        lambda: tune(strategy, panel, ["top=1,2"], out=tmp_path, **given),
    )
    for door in doors:
        with pytest.raises(UsageError, match=re.escape(said)):
            door()
    assert not list(tmp_path.iterdir())


def test_a_day_may_be_one_of_numpy_or_pandas(panel: Panel) -> None:
    strategy = STRATEGIES["equal_weight"]()
    for start in (panel.days[50], pd.Timestamp(panel.days[50])):
        assert run(strategy, panel, start=start).days[0] == panel.days[50]


def made(closes: list[float], opens: list[float], vwaps: list[float], **more: Any) -> Panel:
    """A fund, and the index 930713 that is the fund, over so many days."""
    close, opening, vwap = (np.array([each]).T for each in (closes, opens, vwaps))
    days = np.arange("2024-01-01", "2024-12-31", dtype="datetime64[D]")[: len(closes)]
    bars = {"open": opening, "high": np.fmax(opening, close), "low": np.fmin(opening, close), "close": close}
    bars |= {"volume": np.full_like(close, 1e9), "amount": 1e9 * vwap}
    indices = {"930713": closes} | more.pop("indices", {})
    opened = {"930713": opens} | more.pop("index_opens", {})
    return Panel.from_events(days, SYMBOLS[:1], bars=bars, indices=indices, index_opens=opened, **more)


@pytest.mark.parametrize(
    ("fill", "first", "of_index"),
    [("open", 2.2 / 2.0 - 1, 2.2 / 2.0 - 1), ("vwap", 2.2 / 2.1 - 1, np.nan), ("close", 0.0, 0.0)],
)
def test_alternatives_earn_from_the_fill_point_of_the_first_session_on(
    fill: str, first: float, of_index: float
) -> None:
    # The run begins on the second day, whose open is far above the close of the first.
    market = made([1.0, 2.2, 3.3], [1.0, 2.0, 2.2], [1.0, 2.1, 3.0])
    result = run(STRATEGIES["buy_hold"](), market, costs=FREE, cash=1e9, fill=fill, benchmark="930713")
    # Bought by the reference price of 1, as far as cash goes; what is left of it is less than a lot.
    assert result.returns == pytest.approx([first, 0.5], abs=1e-6)
    assert result.equal_weight_return == pytest.approx([first, 0.5])
    assert result.benchmark_return == pytest.approx([of_index, 0.5], nan_ok=True)
    (row,) = sweep(
        STRATEGIES["buy_hold"](), market, {"top": [0]}, costs=FREE, cash=1e9, fill=fill, benchmark="930713"
    ).to_dict("records")
    beta = result.metrics["beta"]
    assert row["beta"] == pytest.approx(np.nan if beta is None else beta, nan_ok=True)


def test_a_fund_that_is_the_index_has_beta_1_and_alpha_0_though_the_index_has_gaps_and_ends() -> None:
    rng = np.random.default_rng(3)
    closes = np.round(10.0 * np.exp(rng.normal(0.0, 0.02, 120).cumsum()), 3)
    known = closes.copy()
    known[[1, 2, 7, 8, 9, 30]] = np.nan
    known[80:] = np.nan
    opens = [closes[0], *closes[:-1]]
    market = made(
        closes.tolist(), opens, closes.tolist(), indices={"931071": known}, index_opens={"931071": opens}
    )
    result = run(STRATEGIES["buy_hold"](), market, costs=FREE, reserve=0.0, cash=1e12, benchmark="931071")
    # The first two closes are missing behind the level at the open: their move is left out. Session numbers
    # are those of the panel, less one.
    assert np.flatnonzero(np.isnan(result.benchmark_return[:79])).tolist() == [0, 1, 2, 6, 7, 8, 29]
    assert result.benchmark_return[9] == pytest.approx(closes[10] / closes[6] - 1.0)
    metrics = result.metrics
    assert metrics["beta"] == pytest.approx(1.0, abs=1e-6)
    assert metrics["alpha"] == pytest.approx(0.0, abs=1e-6)
    said = result.manifest["benchmark_known"]
    assert (said["first_day"], said["last_day"]) == (str(market.days[4]), str(market.days[79]))
    assert (said["sessions"], said["of"]) == (72, 119)
    assert said["benchmark_return"] == pytest.approx(closes[79] / closes[3] - 1.0)
    assert said["run_return"] == pytest.approx(said["benchmark_return"], abs=1e-6)
    assert metrics["benchmark_cum_returns_final"] == pytest.approx(said["benchmark_return"])
    assert "4 of them without a level" in said["text"]
    whole = run(STRATEGIES["buy_hold"](), market, costs=FREE, reserve=0.0, cash=1e12, benchmark="930713")
    assert "benchmark_known" not in whole.manifest
    (row,) = sweep(
        STRATEGIES["buy_hold"](),
        market,
        {"top": [0]},
        costs=FREE,
        reserve=0.0,
        cash=1e12,
        benchmark="931071",
    ).to_dict("records")
    assert row["beta"] == pytest.approx(metrics["beta"], rel=1e-9)
    assert row["alpha"] == pytest.approx(metrics["alpha"], abs=1e-9)


def test_a_level_of_the_benchmark_that_is_missing_is_not_filled() -> None:
    market = made([1.0] * 5, [1.0] * 5, [1.0] * 5, indices={"931071": [np.nan, 100.0, np.nan, 150.0, 75.0]})
    result = run(STRATEGIES["equal_weight"](), market, benchmark="931071")
    # The first move is over a gap right behind the first level, and cannot be told from that of a session.
    assert result.benchmark_return.tolist() == pytest.approx([np.nan, np.nan, np.nan, -0.5], nan_ok=True)
    nothing = made([1.0] * 5, [1.0] * 5, [1.0] * 5, indices={"931071": [np.nan] * 5})
    result = run(STRATEGIES["equal_weight"](), nothing, benchmark="931071")
    assert "no level in this period" in result.manifest["benchmark_known"]["text"]
    assert result.metrics.reasons["beta"] == "there is no benchmark"


@pytest.mark.parametrize("fill", ["open", "vwap", "close"])
def test_a_fund_as_benchmark_is_its_total_return_on_the_days_on_which_it_traded(fill: str) -> None:
    alone = load_panel(Demo(), ["157001.SZ"], benchmark="157001.SZ")
    strategy = STRATEGIES["equal_weight"]()
    result = run(strategy, alone, fill=fill, benchmark="157001.SZ", start=date(2022, 1, 4))
    halted = ~alone.market.traded[-len(result.days) :, 0]
    np.testing.assert_array_equal(np.isnan(result.benchmark_return), halted)
    known = result.benchmark_return[~halted]
    assert known[0] == pytest.approx(result.equal_weight_return[0])
    assert np.prod(1.0 + known) == pytest.approx(np.prod(1.0 + result.equal_weight_return))
    # One that lists during the run is known from its second day on, and by itself on no other.
    later = load_panel(Demo(), ["157001.SZ"], benchmark="157006.SZ")
    result = run(strategy, later, fill=fill, benchmark="157006.SZ", start=date(2025, 3, 3))
    assert result.manifest["benchmark_known"]["first_day"] == "2025-03-25"


def test_equal_weight_earns_from_the_open_of_the_first_session_on() -> None:
    days = np.arange("2024-01-01", "2024-01-06", dtype="datetime64[D]")
    close = np.array([[1.0, 1.0], [1.1, 2.0], [1.21, np.nan], [1.331, 2.2], [1.4641, np.nan]])
    bars = dict.fromkeys(("open", "high", "low", "close"), close)
    volume = np.where(np.isfinite(close), 1e6, 0.0)
    bars |= {"volume": volume, "amount": volume * np.nan_to_num(close)}
    bars["open"] = np.where(np.arange(5)[:, None] == 1, close / [1.1, 1.25], close)
    result = run(STRATEGIES["buy_hold"](symbol=SYMBOLS[0]), Panel.from_events(days, SYMBOLS[:2], bars=bars))
    # From the open: 10 % and 25 %. A halt is a session without a return.
    assert result.equal_weight_return == pytest.approx([0.175, 0.05, 0.1, 0.05])


def test_annual_figures_do_not_depend_on_what_else_was_loaded() -> None:
    # The fund lists in March 2023, the one beside it in 2020.
    alone, beside = (load_panel(Demo(), ["586012.SH", *more]) for more in ((), ("157001.SZ",)))
    assert alone.sessions_per_year != beside.sessions_per_year
    given = {"start": date(2024, 7, 1), "end": date(2025, 6, 30), "benchmark": "DEMO-ALL"}
    strategy = STRATEGIES["buy_hold"](symbol="586012.SH")
    one, other = (run(strategy, each, **given) for each in (alone, beside))
    np.testing.assert_array_equal(one.equity, other.equity)
    assert one.sessions_per_year == (242 + 243) / 2
    for name in OF_RUN:
        assert one.metrics[name] == other.metrics[name], name
    swept = [sweep(strategy, each, {"symbol": ["586012.SH"]}, **given) for each in (alone, beside)]
    np.testing.assert_array_equal(swept[0]["sharpe_ratio"], swept[1]["sharpe_ratio"])
    assert swept[0]["sharpe_ratio"][0] == pytest.approx(one.metrics["sharpe_ratio"], rel=1e-9)


def test_buy_hold_of_one_fund_at_no_cost_earns_what_its_shares_earn(panel: Panel) -> None:
    result = run(STRATEGIES["buy_hold"](symbol=SYMBOLS[0]), panel, costs=FREE, reserve=0.0, cash=1e9)
    close = panel.market.close[:, 0]
    # Sized at the reference price, the close of row 0; bought at the open of row 1, which is its close.
    bought = int(result.shares[0, 0])
    assert bought == min(1e9 / close[0], 1e9 / close[1]) // 100 * 100
    assert result.equity[-1] == pytest.approx(1e9 - bought * close[1] + 2 * bought * close[-1])
    # The split doubles the shares, and the prices of this market did not fall with it.
    assert result.shares[60, 0] == 2 * result.shares[58, 0]


def test_a_fund_that_lists_late_holds_nobody_up(panel: Panel) -> None:
    result = run(STRATEGIES["equal_weight"](rebalance=1), panel)
    assert result.weights[0].tolist() == [0.5, 0.5, 0.0]
    late = np.flatnonzero(result.weights[:, 2] > 0)[0]
    # Its first bar is that of row 30; it is known, and bought, on row 31.
    assert result.decision_days[late] == panel.days[31]


@dataclass(frozen=True)
class StopLoss:
    """Hold the first fund until it has lost 2 % from its highest known close; an own-position strategy."""

    loss: float = 0.02
    warmup: int = 1

    def decide(self, past: Any, held: Mapping[str, float]) -> Mapping[str, float] | None:
        close = past.close[:, 0]
        assert len(past.close) == len(past.flow("vwap")), "the past is cut everywhere"
        if close[-1] < np.nanmax(close) * (1.0 - self.loss):
            return {} if held else None
        return None if held else {SYMBOLS[0]: 0.9}


def test_a_strategy_may_decide_session_by_session(panel: Panel) -> None:
    result = run(StopLoss(), panel, end=day(panel, 55))
    assert set(np.sign(result.fills["shares"])) == {1, -1}
    sold = result.fills[result.fills["shares"] < 0]
    assert sold["shares"].tolist() == [-result.shares[0, 0]]


@dataclass(frozen=True)
class Greedy:
    """A strategy that returns what its field says."""

    weights: Any = None

    def decide(self, past: Any, held: Mapping[str, float]) -> Mapping[str, float] | None:
        return self.weights


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({SYMBOLS[0]: 0.7, SYMBOLS[1]: 0.7}, "more than one"),
        ({SYMBOLS[0]: -0.1}, "impossible weight for 159001.SZ; received -0.1"),
        ({SYMBOLS[0]: float("nan")}, "received nan"),
        ({SYMBOLS[0]: "a"}, "received 'a'"),
        ({"159009.SZ": 0.5}, "not in the run"),
        (3, "weights by symbol"),
    ],
)
def test_impossible_weights_are_refused(panel: Panel, weights: Any, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        run(Greedy(weights), panel)


@dataclass(frozen=True)
class Biased(STRATEGIES["momentum"]):  # type: ignore[name-defined,misc]
    """Strategies that look ahead, each in its way."""

    how: str = "none"

    def scores(self, known: Any) -> Any:
        scores = super().scores(known)
        if self.how == "tomorrow":
            return np.roll(known.adjusted_close, -1, axis=0) / known.adjusted_close
        if self.how == "whole sample":
            return scores - np.nansum(scores, axis=0)
        if self.how == "last row":
            return np.broadcast_to(scores[-1], scores.shape)
        return scores


@pytest.mark.parametrize("how", ["tomorrow", "whole sample", "last row"])
def test_a_strategy_that_looks_ahead_is_stopped(panel: Panel, how: str) -> None:
    with pytest.raises(ValidationError, match="looks ahead: the score of"):
        run(Biased(lookback=5, how=how), panel)
    run(Biased(lookback=5), panel)


BACKTRADER = """
    import backtrader as bt

    class Cross(bt.Strategy):
        params = (("period", 10),)

        def __init__(self):
            self.average = bt.indicators.SMA(self.datas[0].close, period=self.p.period)

        def next(self):
            if self.data.close[0] > self.average[0]:
                self.order_target_percent(self.data, 0.9)
            else:
                self.close(self.data)
"""


def test_a_plain_backtrader_strategy_runs_on_our_broker(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "cross.py"
    file.write_text(dedent(BACKTRADER))
    strategy = load_strategy(f"{file}:Cross", {"period": "5"}, {})
    result = run(strategy, panel, end=day(panel, 55))
    assert strategy.parameters == {"period": 5}
    assert len(result.fills) > 2
    buys = result.fills[result.fills["shares"] > 0]
    assert (buys["shares"] % 100 == 0).all()
    # Decided at a close, traded at the open of the session after.
    first = np.searchsorted(panel.days, buys["day"].to_numpy()[0])
    assert first == 6
    with pytest.raises(UsageError, match="period"):
        load_strategy(f"{file}:Cross", {"perod": "5"}, {})


def test_a_parameter_may_be_a_long_text(panel: Panel) -> None:
    """Parameters that name files are hashed; no name of a file is as long as this."""

    @dataclass(frozen=True)
    class Noted(StopLoss):
        note: str = ""

    assert engine.run(Noted(note="x" * 5000), panel).manifest["files"] == {}


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("import nothing_like_this", StrategyError, "could not be loaded"),
        ("x = ", StrategyError, "could not be loaded"),
        ("class Wrong: pass", UsageError, "no class"),
    ],
)
def test_a_file_that_is_no_strategy_is_refused(
    tmp_path: Path, source: str, error: type[Exception], message: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(source)
    with pytest.raises(error, match=message):
        load_strategy(f"{file}:Mine", {}, {})


def test_unknown_names_answer_with_close_ones() -> None:
    with pytest.raises(UsageError, match="share_inflow"):
        load_strategy("share_inflo", {}, STRATEGIES)
    with pytest.raises(UsageError, match="`lookback`"):
        load_strategy("momentum", {"lookbak": "3"}, STRATEGIES)
    with pytest.raises(UsageError, match="whole number"):
        load_strategy("momentum", {"lookback": "three"}, STRATEGIES)


def test_text_becomes_the_type_of_its_field() -> None:
    made = make_strategy(
        STRATEGIES["momentum"],
        {"top": "4", "threshold": "none", "cap": "0.5", "rebalance": "weekly"},
        "momentum",
    )
    assert made.read(("top", "threshold", "cap", "rebalance")) == (4, None, 0.5, "weekly")


def test_a_spec_survives_json_and_a_file_says_the_same(tmp_path: Path) -> None:
    spec = Spec(
        "momentum",
        {"lookback": 30, "threshold": 0.1, "otherwise": 'a "b" \\ c'},
        symbols=("159001.SZ",),
        start=date(2024, 1, 2),
        costs=Costs(commission_rate=0.0001),
        lags={"units": 1},
        allow=("frozen-bars",),
    )
    assert Spec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    file = tmp_path / "run.toml"
    file.write_text(
        'strategy = "momentum"\nsymbols = ["159001.SZ"]\nstart = 2024-01-02\nallow = ["frozen-bars"]\n'
        '[parameters]\nlookback = 30\nthreshold = 0.1\notherwise = "a \\"b\\" \\\\ c"\n'
        "[costs]\ncommission_rate = 0.0001\n[lags]\nunits = 1\n"
    )
    assert Spec.from_dict(SpecFile.read(file).settings) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('strateg = "momentum"', "`strategy`"),
        ('data = "demo"', "`strategy` is missing"),
        ('strategy = "momentum"\nstart = "2024-13-01"', "is not a date"),
        ('strategy = "momentum"\n[costs]\ncommision_rate = 1', "commission_rate"),
        ("strategy = ", "the spec .*run.toml is not a TOML file"),
        ('strategy = "m"\nsymbols = [1, 2]', "`symbols` must be a list of texts; received \\[1, 2]"),
        ('strategy = "m"\nstart = 2022-01-04T09:30:00', "`start` must be a day as 2025-08-20; received"),
        ('strategy = "m"\nreserve = 0.6', "`reserve` is out of bounds; received 0.6; limit: 0 to 0.5"),
        ('strategy = "m"\nreserve = "1 %"', "`reserve` must be a number; received '1 %'"),
        ('strategy = "m"\nseed = true', "`seed` must be a whole number; received True"),
        ('strategy = "m"\nstart = "2024-02-01"\nend = "2024-01-01"', "after `end`"),
    ],
)
def test_a_spec_file_that_is_wrong_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        Spec.from_dict(SpecFile.read(file).settings, str(file))


def test_a_document_without_a_reserve_is_of_a_run_without_one() -> None:
    spec = Spec("momentum")
    document = spec.to_dict()
    assert document.pop("reserve") == spec.reserve == 0.0025
    before = Spec.from_document(document, "manifest.json")
    assert before == spec.with_(reserve=0.0)
    assert before.to_dict() == document  # so that ids of runs without one are what they were


def test_a_strategy_that_is_in_cash_may_start_in_cash() -> None:
    """Dual momentum holds nothing while everything falls; that is a decision, and no missing history."""
    days = np.arange("2022-01-03", "2024-12-31", dtype="datetime64[D]")
    days = days[np.is_busday(days)][:300]
    falls_then_rises = np.where(np.arange(300) < 200, -0.004, 0.004).cumsum()[:, None]
    close = np.round(20.0 * np.exp(falls_then_rises + np.array([0.0, 0.01])), 3)
    bars = dict.fromkeys(("open", "high", "low", "close"), close)
    volume = np.full(close.shape, 1e9)
    market = Panel.from_events(days, SYMBOLS[:2], bars=bars | {"volume": volume, "amount": volume * close})
    strategy = STRATEGIES["dual_momentum"](lookback=60)
    assert adapt(strategy).first_session(market) == strategy.warmup
    result = run(strategy, market, start=day(market, 100))
    assert result.days[0] == market.days[100]
    assert result.shares[0].sum() == 0
    assert result.shares[-1].sum() > 0


def test_a_liquidation_counts_in_what_the_run_is_held_against() -> None:
    days = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)][:8]
    close = np.full((8, 2), 10.0)
    close[4:, 1] = np.nan
    bars = dict.fromkeys(("open", "high", "low", "close"), close)
    volume = np.nan_to_num(close) * 1e6
    market = Panel.from_events(
        days,
        SYMBOLS[:2],
        bars=bars | {"volume": volume, "amount": volume * 10.0},
        actions=[Action(SYMBOLS[1], "liquidation", days[4].item(), cash=2.0)],
    )
    result = run(STRATEGIES["buy_hold"](), market, costs=FREE, reserve=0.0)
    # Half of the money falls from 10 to 2.
    assert result.returns[3] == pytest.approx(-0.4)
    assert result.equal_weight_return[3] == pytest.approx(-0.4)


def test_weights_before_the_first_session_are_refused(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "w.csv"
    file.write_text(f"day,symbol,weight\n{panel.days[0]},{SYMBOLS[0]},0.5\n")
    with pytest.raises(DataError, match="before the first session"):
        run(STRATEGIES["weights"](file=str(file)), panel)
