"""Funds of two markets in one account: common sessions, each fund's own rules, money of the run's currency.

What the sessions and the rates are is held against a pencil, trading against the oracle on random markets.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

import run_backtest
from data.errors import DataError, UsageError
from data.facts.actions import Action
from data.facts.calendars import calendar_for
from data.load import load_panel
from data.panel.panel import Panel
from data.source import open_source
from data.store.store import Store
from engine.cli.main import main
from engine.commands.looks import body_of_panel
from engine.kernel.costs import Costs
from engine.kernel.targets import Targets
from engine.simulation.alternatives import benchmark_return, equal_weight_return
from engine.simulation.engines import simulate
from engine.simulation.ledger import Ledger
from engine.spec import Conditions, Spec
from tests import oracle
from tests.helpers.markets import abroad
from tests.helpers.scenarios import IMPLEMENTATIONS, assert_same
from tests.oracle import Scenario
from tests.test_parity import FEW

CN, US = "159363.SZ", "BOTZ.US"
FREE = Costs(0.0, 0.0, 0.0, 0.0, 0.0)
ENGINES = ("reference", "batch")


# --- Against the oracle -----------------------------------------------------------------------------------
@pytest.mark.parametrize("engine", ENGINES)
def test_engines_equal_the_oracle_with_funds_of_two_currencies(engine: str) -> None:
    traded: set[bool] = set()

    @FEW
    @given(abroad())
    def compare(scenario: Scenario) -> None:
        expected = oracle.simulate(scenario)
        traded.update(fill.symbol.endswith(".US") for fill in expected.fills)
        assert_same(expected, IMPLEMENTATIONS[engine](scenario))

    compare()
    assert traded == {True, False}


# --- With a pencil ----------------------------------------------------------------------------------------
WEEK = np.arange("2025-01-06", "2025-01-11", dtype="datetime64[D]")


def flat(rates: list[float], days: Any = WEEK, **given: Any) -> Panel:
    """A fund in New York that is always at 100 dollars."""
    price = np.full((len(rates), 1), 100.0)
    bars = dict.fromkeys(("open", "high", "low", "close"), price)
    return Panel.from_events(
        days[: len(rates)],
        [US],
        bars={**bars, "volume": np.full_like(price, 1e9)},
        lot=1,
        tick=0.01,
        fx={"USDCNY": rates},
        currency="CNY",
        **given,
    )


def bought(panel: Panel, costs: Costs = FREE, engine: str = "reference", **given: Any) -> Ledger:
    """All of 700,000 yuan in the first fund from the second session on."""
    weights = np.zeros((1, len(panel.symbols)))
    weights[0, 0] = 1.0
    conditions = Conditions(cash=700_000.0, costs=costs, reserve=0.0, engine=engine, **given)
    targets = Targets.of_weights(np.array([1]), weights)
    return simulate(panel, targets, 1, len(panel.days) - 1, conditions)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fund_that_stands_still_earns_what_its_currency_does(engine: str) -> None:
    ledger = bought(flat([7.0, 7.0, 7.0, 7.07]), engine=engine)
    assert ledger.shares[:, 0].tolist() == [1000, 1000, 1000]
    assert ledger.equity.tolist() == pytest.approx([700_000.0, 700_000.0, 707_000.0], rel=1e-15)


def test_an_order_is_sized_at_the_rate_before_the_open_and_filled_at_that_of_the_day() -> None:
    ledger = bought(flat([7.0, 7.14, 7.14, 7.14]))
    # 700,000 / 700 = 1,000 shares are wanted, 700,000 / 714 = 980.4 can be paid for.
    assert ledger.shares[0, 0] == 980
    assert ledger.fills["price"].tolist() == pytest.approx([714.0])
    assert ledger.rejections[["shares", "reason"]].to_numpy().tolist() == [[20, "cash"]]


def test_a_day_without_a_rate_has_the_one_before() -> None:
    ledger = bought(flat([7.0, np.nan, 7.0, np.nan, 7.07]))
    assert ledger.equity.tolist() == pytest.approx([700_000.0] * 3 + [707_000.0], rel=1e-15)


def test_a_pair_may_stand_the_other_way_round() -> None:
    panel = flat([7.0, 7.0, 7.0, 7.07])
    grid = panel.ingredients.facts.grids["fx"]
    other = replace(grid.with_columns(lambda _, rate: 1.0 / rate), series=("CNYUSD",))
    facts = replace(panel.ingredients.facts, grids={**panel.ingredients.facts.grids, "fx": other})
    assert bought(replace(panel.ingredients, facts=facts).build()).equity[-1] == pytest.approx(707_000.0)


def test_a_dividend_is_paid_at_the_rate_before_the_open_and_the_fund_marked_at_that_of_the_day() -> None:
    paid = [Action(US, "dividend", date(2025, 1, 9), cash=2.0)]
    ledger = bought(flat([7.0, 7.0, 7.0, 7.07], actions=paid))
    assert ledger.dividend.tolist() == [0.0, 0.0, 1000 * 2.0 * 7.0]
    assert ledger.equity[-1] == pytest.approx(14_000.0 + 707_000.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_changing_money_costs_its_fee_for_foreign_funds_alone(engine: str) -> None:
    costs = replace(FREE, fx_fee_rate=0.001)
    ledger = bought(flat([7.0, 7.0, 7.0]), costs, engine)
    # 999 shares: 1,000 and their fee of 700 are more than there is.
    assert ledger.fills["fee"].tolist() == pytest.approx([999 * 700.0 * 0.001])
    home = replace(flat([7.0, 7.0, 7.0]).ingredients, currency="USD").build()
    assert bought(home, costs, engine).fills["fee"].tolist() == [0.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_market_has_a_commission_of_its_own_in_its_own_money(engine: str) -> None:
    # A dollar at least, and 1 % in cents: 2 yuan more a share at 700 yuan, 990 shares, at 7.1 on the day.
    costs = Costs.from_words({"us.commission_rate": "0.01", "us.commission_min": "1", "slippage_rate": "0"})
    ledger = bought(flat([7.0, 7.1, 7.1]), replace(costs, participation_rate=0.0), engine)
    shares = int(ledger.fills["shares"][0])
    assert ledger.fills["commission"].tolist() == pytest.approx([shares * 1.0 * 7.1])
    few = replace(costs, participation_rate=9e-8)  # 90 of a thousand million shares: 90 dollars
    assert bought(flat([7.0, 7.1, 7.1]), few, engine).fills["commission"].tolist() == pytest.approx([639.0])
    least = replace(few, by_market=(("us.commission_min", 100.0), ("us.commission_rate", 0.0)))
    assert bought(flat([7.0, 7.1, 7.1]), least, engine).fills["commission"].tolist() == pytest.approx([710.0])
    # The other market's is nothing to it.
    home = Costs.from_words({"cn.commission_min": "9"})
    assert bought(flat([7.0, 7.1, 7.1]), home, engine).fills["commission"].tolist() == pytest.approx(
        bought(flat([7.0, 7.1, 7.1]), Costs(), engine).fills["commission"].tolist()
    )


def test_equal_weight_is_in_the_currency_of_the_run() -> None:
    panel = flat([7.0, 7.0, 7.0, 7.07])
    assert equal_weight_return(panel, Conditions(), 1, 3) == pytest.approx([0.0, 0.0, 0.01])


def test_an_index_is_in_the_currency_that_its_code_tells() -> None:
    levels = {"NDX": [100.0] * 4, "930713": [100.0] * 4}
    panel = flat([7.0, 7.0, 7.0, 7.07], indices=levels)
    assert panel.index_closes["NDX"][2:].tolist() == pytest.approx([700.0, 707.0])
    assert panel.index_closes["930713"].tolist() == levels["930713"]
    assert panel.known.index("NDX")[1:].tolist() == [100.0] * 3


def test_nobody_sells_below_a_tick_of_the_funds_own_currency() -> None:
    panel = flat([7.0, 7.0, 7.0])
    targets = Targets.of_weights(np.array([1, 2]), np.array([[1.0], [0.0]]))
    conditions = Conditions(cash=700_000.0, costs=replace(FREE, slippage_rate=1.0))
    fills = simulate(panel, targets, 1, 2, conditions).fills
    assert fills["price"].tolist() == pytest.approx([2 * 100.0 * 7.0, 0.01 * 7.0])


def test_a_rate_is_good_for_ten_sessions_and_then_a_run_is_refused() -> None:
    days = np.arange("2025-01-06", "2025-01-18", dtype="datetime64[D]")
    panel = flat([7.0, *[np.nan] * 11], days)
    targets = Targets.of_weights(np.array([1]), np.ones((1, 1)))
    conditions = Conditions(cash=700_000.0, costs=FREE, reserve=0.0)
    assert simulate(panel, targets, 1, 10, conditions).equity.tolist() == [700_000.0] * 10
    with pytest.raises(DataError) as error:
        simulate(panel, targets, 1, 11, conditions)
    text = str(error.value)
    assert "no exchange rate of USD is known for the account in CNY" in text
    assert f"none before {days[11]} that is recent enough" in text
    assert "limit: one of the 10 sessions before" in text
    assert "Import rates" in text


# --- Out of a store ---------------------------------------------------------------------------------------
FIRST, LAST = date(2025, 1, 2), date(2025, 3, 14)


def rows_of(symbol: str, market: str, price: float, tick: float, seed: int) -> pd.DataFrame:
    days = calendar_for(market).sessions(FIRST, LAST).astype("datetime64[us]")
    rng = np.random.default_rng(seed)
    close = np.round(price * np.exp(np.cumsum(rng.normal(0.0, 0.01, len(days)))) / tick) * tick
    open_ = np.round(close * (1 + rng.normal(0.0, 0.003, len(days))) / tick) * tick
    high, low = np.maximum(open_, close) + tick, np.minimum(open_, close) - tick
    volume = np.full(len(days), 5e7)
    bars = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    return pd.DataFrame({"symbol": symbol, "day": days, **bars, "amount": volume * close})


def made(folder: Path, nav_row: dict[str, Any] | None = None) -> Store:
    """Two funds of each market, units and NAV of each, and the central parity of each Chinese session.

    ``nav_row`` takes the place of the NAV of its fund and day.
    """
    bars = pd.concat(
        [
            rows_of(CN, "cn_etf", 1.2, 0.001, 1),
            rows_of("515980.SH", "cn_etf", 0.8, 0.001, 2),
            rows_of(US, "us_etf", 33.0, 0.01, 3),
            rows_of("AIQ.US", "us_etf", 40.0, 0.01, 4),
        ]
    )
    parity = calendar_for("cn_etf").sessions(FIRST, LAST).astype("datetime64[us]")
    rates = 7.18 + 0.001 * np.arange(len(parity))
    units = np.round(1e9 + 1e6 * np.random.default_rng(5).normal(size=len(bars)).cumsum())
    keys = bars[["symbol", "day"]]
    nav = keys.assign(nav=bars["close"], known_at=pd.NaT)
    if nav_row is not None:
        row = pd.DataFrame([nav_row]).astype({"day": "datetime64[us]", "known_at": "datetime64[us]"})
        nav = nav[~((nav["symbol"] == nav_row["symbol"]) & (nav["day"] == row["day"][0]))]
        nav = pd.concat([nav, row])
    store = Store(folder)
    store.append(
        {
            "bars": bars,
            "units": keys.assign(units=units),
            "nav": nav,
            "fx": pd.DataFrame({"pair": "USDCNY", "day": parity, "rate": rates}),
        }
    )
    return store


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("stores") / "both"
    made(place)
    return place


@pytest.fixture(scope="module")
def panel(folder: Path) -> Panel:
    return load_panel(open_source(str(folder)))


def test_sessions_are_those_on_which_both_markets_are_open(panel: Panel) -> None:
    days = {str(day) for day in panel.days}
    assert {"2025-01-17", "2025-01-27", "2025-02-05"} <= days
    # Mr Carter's funeral and Presidents' Day in New York, the Spring Festival in Shanghai.
    assert not days & {"2025-01-09", "2025-02-17", "2025-01-28", "2025-02-04"}
    assert panel.markets == ("cn_etf", "us_etf")
    assert panel.currency == "CNY"


def test_each_fund_has_the_rules_of_its_market(panel: Panel) -> None:
    row = panel.row(date(2025, 2, 6))
    assert panel.symbols == (CN, "515980.SH", "AIQ.US", US)
    assert panel.market.lot[row].tolist() == [100, 100, 1, 1]
    assert panel.market.local.tick[row].tolist() == [0.001, 0.001, 0.01, 0.01]
    assert np.isfinite(panel.market.limit_up[row]).tolist() == [True, True, False, False]


def test_a_reference_price_is_that_of_the_markets_own_session(panel: Panel) -> None:
    """New York was open while Shanghai was not: what its fund begins from is its close of the day before."""
    row = panel.row(date(2025, 2, 5))
    own = rows_of(US, "us_etf", 33.0, 0.01, 3).set_index("day")["close"]
    assert panel.days[row - 1] == np.datetime64("2025-01-27")
    assert panel.market.local.reference[row, 3] == own["2025-02-04"]
    # The rate that was public: that of the last common session before.
    parity = calendar_for("cn_etf").sessions(FIRST, LAST)
    known = 7.18 + 0.001 * int(np.searchsorted(parity, np.datetime64("2025-01-27")))
    assert panel.market.reference[row, 3] == own["2025-02-04"] * known


def test_prices_are_known_in_the_currency_of_the_fund_and_money_in_that_of_the_run(panel: Panel) -> None:
    row = panel.row(date(2025, 1, 16))
    own = rows_of(US, "us_etf", 33.0, 0.01, 3).set_index("day").loc["2025-01-15"]
    assert panel.known.close[row, 3] == own["close"]
    rate = panel.known.fx("USDCNY")[row]
    assert rate == pytest.approx(7.18 + 0.001 * 9)
    assert panel.known.amount[row, 3] == pytest.approx(own["amount"] * rate)


@pytest.mark.parametrize(
    ("symbol", "known_at", "known"),
    [
        (CN, None, [True, False]),
        (CN, "2025-01-16 09:00", [True, False]),
        # Before the open of the 16th in New York, and after that in Shanghai.
        (US, "2025-01-16 08:00", [False, True]),
        (US, "2025-01-15 20:00", [True, True]),
        (US, "2025-01-15 20:30", [False, True]),
        # All that is on file is that it is public before New York opens.
        (US, None, [False, True]),
    ],
)
def test_all_is_decided_before_shanghai_opens(
    tmp_path: Path, symbol: str, known_at: str | None, known: list[bool]
) -> None:
    """Whether the NAV of the 15th is the latest that is known on the 16th, and on the 17th."""
    store = made(
        tmp_path / "store", {"symbol": symbol, "day": "2025-01-15", "nav": 99.0, "known_at": known_at}
    )
    panel = load_panel(store)
    column, row = panel.symbols.index(symbol), panel.row(date(2025, 1, 16))
    assert [bool(panel.known.nav[at, column] == 99.0) for at in (row, row + 1)] == known


def test_what_is_known_does_not_change_with_what_comes_later(folder: Path, panel: Panel) -> None:
    early = load_panel(open_source(str(folder)), end=date(2025, 2, 20))
    rows = len(early.days)
    assert rows < len(panel.days)
    for name in ("close", "adjusted_close", "amount", "volume", "units", "nav", "aum", "listed"):
        np.testing.assert_array_equal(getattr(early.known, name), getattr(panel.known, name)[:rows])
    np.testing.assert_array_equal(early.known.flow("vwap"), panel.known.flow("vwap")[:rows])
    for name in ("reference", "mark", "limit_up", "open", "tick"):
        np.testing.assert_array_equal(getattr(early.market, name), getattr(panel.market, name)[:rows])


def test_a_run_in_one_market_is_not_converted(folder: Path) -> None:
    alone = load_panel(open_source(str(folder)), [US])
    assert alone.currency is None
    assert alone.market is alone.market.local
    assert np.datetime64("2025-02-04") in alone.days
    in_yuan = load_panel(open_source(str(folder)), [US], currency="CNY")
    row = in_yuan.row(date(2025, 2, 5))
    assert in_yuan.market.mark[row, 0] > 7 * alone.market.mark[row, 0]
    assert in_yuan.fingerprint != alone.fingerprint


def test_a_fund_to_compare_with_is_in_the_currency_of_the_run(folder: Path) -> None:
    panel = load_panel(open_source(str(folder)), [CN, "515980.SH"], currency="USD", benchmark=CN)
    conditions = Conditions(benchmark=CN, fill="close")
    found = benchmark_return(panel, conditions, 5, 20)
    mark = panel.market.mark[4:21, 0]
    assert found[1:] == pytest.approx(mark[2:] / mark[1:-1] - 1.0)


def test_who_looked_at_both_markets_looked_at_each(folder: Path, panel: Panel) -> None:
    """A search over one of them counts it, although the panel of both leaves sessions out."""
    alone = load_panel(open_source(str(folder)), [US])
    assert body_of_panel(panel).months_in_common(body_of_panel(alone), FIRST, LAST) == 3


# --- Through the command line -----------------------------------------------------------------------------
@pytest.fixture
def here(capsys: Any, tmp_path: Path, monkeypatch: Any, folder: Path) -> Any:
    """Call the command line in an empty folder, on the store of both markets."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        code = main(run_backtest.load_catalogue, [str(word) for word in (*words, "--data", folder)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_run_says_its_sessions_and_its_currency(here: Any) -> None:
    words = ("run", "momentum", "--set", "lookback=5", "--set", "top=2", "--engine", "batch", "--no-report")
    code, said, _ = here(*words)
    assert code == 0
    told = (
        "Sessions are those on which cn_etf and us_etf both are open. The account, its prices and its costs "
    )
    assert told + "are in CNY." in said
    manifest = json.loads(next(Path("results").glob("*/manifest.json")).read_text(encoding="utf-8"))
    assert manifest["data"]["currency"] == "CNY"
    code, said, _ = here(*words, "--currency", "USD")
    assert code == 0
    assert "are in USD." in said


def test_a_run_that_ends_with_one_market_says_which(here: Any, folder: Path, capsys: Any) -> None:
    whole, short = Store(folder), Store("short")
    tables = {name: whole.read(name) for name in whole.tables}
    bars = tables["bars"]
    late = bars["symbol"].str.endswith((".SZ", ".SH")) & (bars["day"] > "2025-03-07")
    short.append({**tables, "bars": bars[~late]})
    words = ("run", "momentum", "--set", "lookback=5", "--engine", "batch", "--no-report")
    said = "bars of cn_etf end on 2025-03-07, and those of us_etf on 2025-03-14: sessions are those of both"
    assert main(run_backtest.load_catalogue, [*words, "--data", "short"]) == 0
    assert f"{said}, and the last one is 2025-03-07" in " ".join(capsys.readouterr().err.split())
    # What was asked for is there.
    assert main(run_backtest.load_catalogue, [*words, "--data", "short", "--end", "2025-03-06"]) == 0
    assert "and those of us_etf" not in capsys.readouterr().err
    assert "and those of us_etf" not in here(*words)[2]


@pytest.mark.slow
def test_a_tear_sheet_says_them_too(here: Any) -> None:
    assert here("run", "momentum", "--set", "lookback=5")[0] == 0
    page = next(Path("results").glob("*/tearsheet.html")).read_text(encoding="utf-8")
    assert "are in CNY." in page


def test_engines_write_the_same_account_of_both_markets(here: Any) -> None:
    for engine in ENGINES:
        options = ("--set", "lookback=5", "--engine", engine, "--no-report", "--out", engine)
        assert here("run", "share_inflow", *options, "--cost", "fx_fee_rate=0.0002")[0] == 0
    for name in ("equity.csv", "fills.csv", "rejections.csv"):
        reference, batch = (next(Path(engine).glob(f"*/{name}")).read_bytes() for engine in ENGINES)
        assert reference == batch


def test_strategies_on_both_markets_are_compared(here: Any) -> None:
    code, said, _ = here("compare", "momentum:lookback=5", "share_inflow:lookback=5", "--no-report")
    assert code == 0
    assert "are in CNY." in said


@pytest.mark.slow
def test_parameters_are_searched_on_both_markets(here: Any) -> None:
    assert here("tune", "momentum", "--param", "lookback=3,5", "--param", "top=1,2", "--no-report")[0] == 0


def test_a_backtrader_strategy_on_funds_of_another_currency_is_refused(here: Any, tmp_path: Path) -> None:
    text = "import backtrader as bt\n\n\nclass Mine(bt.Strategy):\n    def next(self):\n        pass\n"
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    code, _, said = here("run", "mine.py:Mine")
    assert code == 2
    assert "a backtrader strategy trades in the currency of its bars" in said


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UsageError, match="currency"):
        Spec("momentum", currency="EUR")
