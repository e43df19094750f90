"""The synthetic market: what it is, the rules that hold in it, and the effect of known size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.checks import run_checks
from data.demo import Demo
from data.demo.plan import LIMIT_DAYS, MISSING_UNITS, SYMBOLS
from data.demo.prices import build_prices
from data.demo.world import calendar_of
from data.errors import UsageError
from data.facts.symbols import parse_symbol
from data.facts.universe import load_funds
from data.store.tables import TABLES
from tests.helpers.demo import (
    PLANS,
    SPLIT_RATIOS,
    decimal,
    half_up,
    nav_returns,
    own_cache,
    planted_flows,
    rank_correlations,
    rows_of,
    t_statistic,
    wide,
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with own_cache(tmp_path_factory.mktemp("demo")):
        yield Demo()


# What it is


def test_it_is_a_synthetic_source_with_a_benchmark_of_its_own(demo: Demo) -> None:
    assert (demo.name, demo.synthetic, demo.default_benchmark) == ("demo", True, "DEMO-ALL")
    assert set(demo.read("index_bars")["index"]) == {"DEMO-A", "DEMO-B", "DEMO-C", "DEMO-D", "DEMO-ALL"}


# The made-up market is one market: it needs no exchange rates.
@pytest.mark.parametrize("name", [name for name in TABLES if name != "fx"])
def test_every_table_is_filled_valid_and_says_synthetic_in_every_row(demo: Demo, name: str) -> None:
    frame = Demo(premium=True).read(name)
    assert len(frame) > 0
    assert name == "premium" or frame.equals(demo.read(name))
    pd.testing.assert_frame_equal(TABLES[name].validate(frame), frame)
    assert (frame["source"] == "SYNTHETIC demo").all()


def test_it_covers_five_years_of_real_sessions(demo: Demo) -> None:
    from data.facts.calendars import calendar_for

    sessions = calendar_for("cn_etf").sessions(date(2020, 8, 21), date(2025, 8, 20))
    for table in ("bars", "units", "nav", "margin", "index_bars"):
        days = np.unique(demo.read(table)["day"].to_numpy()).astype("datetime64[D]")
        np.testing.assert_array_equal(days, sessions)


def test_twenty_funds_in_four_families_with_codes_and_names_of_no_real_fund(demo: Demo) -> None:
    funds = demo.read("funds")
    assert len(funds) == 20
    assert funds["family"].nunique() == 4
    assert funds["name"].str.startswith("SYNTHETIC ").all()
    assert [parse_symbol(symbol[:6]) for symbol in funds["symbol"]] == list(funds["symbol"])
    assert not set(funds["symbol"]) & set(load_funds())
    assert set(funds["symbol"].str[:3]) == {"157", "586"}, "ranges without listed funds"


def test_reading_some_symbols_gives_their_rows_only_and_a_frame_of_ones_own(demo: Demo) -> None:
    some = demo.read("bars", ["157011.SZ", "586022.SH", "159363.SZ"])
    assert set(some["symbol"]) == {"157011.SZ", "586022.SH"}
    assert some.index[0] == 0
    some["close"] = 0.0
    demo.read("bars")["close"].to_numpy(copy=True)[:] = 0.0
    assert (demo.read("bars")["close"] > 0).all()
    assert set(demo.read("margin", ["CN"])["symbol"]) == {"CN"}
    assert set(demo.read("index_bars", ["DEMO-C"])["index"]) == {"DEMO-C"}
    assert demo.read("bars", []).dtypes.equals(demo.read("bars").dtypes)


def test_wrong_arguments_are_refused_with_their_limits(demo: Demo) -> None:
    with pytest.raises(UsageError, match=r"`seed`.*received -1"):
        Demo(seed=-1)
    for effect in (math.nan, math.inf, 10.5):
        with pytest.raises(UsageError, match=r"`flow_effect`.*limit: -10 to 10"):
            Demo(flow_effect=effect)
    with pytest.raises(UsageError, match="Did you mean `bars`"):
        demo.read("bar")


# The market's rules hold


def test_no_check_finds_an_error(demo: Demo) -> None:
    assert [str(finding) for finding in run_checks(demo) if finding.severity == "error"] == []


def test_pre_close_is_the_close_before_adjusted_for_the_actions_of_the_day(demo: Demo) -> None:
    actions = demo.read("actions").query("kind != 'liquidation'")
    checked = 0
    for symbol, bars in demo.read("bars").groupby("symbol"):
        expected = [decimal(price) for price in bars["close"].shift().iloc[1:]]
        for action in actions[actions["symbol"] == symbol].itertuples():
            # The first bar from the ex-day on: on the ex-day itself the fund may be halted.
            row = int((bars["day"] < action.ex_day).sum()) - 1
            old = expected[row]
            new = old / decimal(action.ratio) if action.kind == "split" else old - decimal(action.cash)
            expected[row] = half_up(new)
            checked += 1
        assert [decimal(price) for price in bars["pre_close"].iloc[1:]] == expected, symbol
        if PLANS[symbol].listed > date(2020, 8, 21):
            known = rows_of(demo.read("nav"), symbol)["nav"]
            last = known[known.index < bars["day"].iloc[0]].iloc[-1]
            assert decimal(bars["pre_close"].iloc[0]) == half_up(decimal(last)), symbol
            checked += 1
    assert checked == 6 + 5 + 10


def test_prices_are_in_ticks_and_never_beyond_the_limits(demo: Demo) -> None:
    limits = demo.read("funds").set_index("symbol")["price_limit"].map(decimal)
    for bar in demo.read("bars").itertuples():
        prices = [decimal(price) for price in (bar.open, bar.high, bar.low, bar.close)]
        up = half_up(decimal(bar.pre_close) * (1 + limits[bar.symbol]))
        down = half_up(decimal(bar.pre_close) * (1 - limits[bar.symbol]))
        assert all(price == half_up(price) and down <= price <= up for price in prices), bar


def test_after_a_halt_the_price_stops_at_the_limit_until_it_has_caught_up_with_nav(demo: Demo) -> None:
    days = np.unique(demo.read("bars")["day"].to_numpy()).astype("datetime64[D]")
    calendar = calendar_of(days)
    column = SYMBOLS.index("157001.SZ")
    halted = np.flatnonzero(calendar.halted[:, column])
    returns = np.zeros(calendar.listed.shape)
    returns[halted, column] = 0.10
    prices = build_prices(1, days, calendar, returns, np.full(returns.shape, 1e9))
    back = halted[-1] + 1
    # NAV rises by 1.1 ** 5 = 1.61, and the price by 1.2 a day: it takes 1.2 * 1.2, and the rest on the third.
    close = prices.close[back - 1 : back + 3, column]
    assert close[1] == float(half_up(decimal(close[0]) * Decimal("1.2")))
    assert close[2] == float(half_up(decimal(close[1]) * Decimal("1.2")))
    assert close[3] / prices.nav[back + 2, column] == pytest.approx(1, abs=0.01)


def test_volume_is_whole_lots_and_vwap_lies_in_the_range(demo: Demo) -> None:
    bars = demo.read("bars")
    assert (bars["volume"] % 100 == 0).all()
    traded = bars[bars["volume"] > 0]
    vwap = traded["amount"] / traded["volume"]
    assert (vwap >= traded["low"] * (1 - 1e-12)).all()
    assert (vwap <= traded["high"] * (1 + 1e-12)).all()
    assert (bars.loc[bars["volume"] == 0, "amount"] == 0).all()


def test_units_change_by_whole_creation_units(demo: Demo) -> None:
    for symbol, units in demo.read("units").groupby("symbol"):
        switched = units["day"].isin([pd.Timestamp(day) for fund, day in SPLIT_RATIOS if fund == symbol])
        change = units["units"].diff()[~switched].dropna()
        assert (units["units"] == np.floor(units["units"])).all()
        assert (change % PLANS[symbol].creation == 0).all(), symbol


def test_margin_adds_up_and_shenzhen_publishes_no_repayments(demo: Demo) -> None:
    margin = demo.read("margin")
    shenzhen = margin["symbol"].str.endswith(".SZ")
    assert margin.loc[shenzhen, "repaid"].isna().all()
    others = margin[~shenzhen].copy()
    others["expected"] = others.groupby("symbol")["balance"].shift() + others["bought"] - others["repaid"]
    others = others.dropna(subset="expected")
    assert (others["balance"] == others["expected"]).all()
    assert set(others["symbol"]) >= {"CN", "586011.SH"}


def test_nav_is_close_to_the_close_except_where_a_price_could_not_follow(demo: Demo) -> None:
    bars = demo.read("bars").merge(demo.read("nav"), on=["symbol", "day"], validate="one_to_one")
    exempt = bars["volume"] == 0
    basis = pd.Series(1.0, index=bars.index)
    for (symbol, record_day), ratio in SPLIT_RATIOS.items():
        basis[(bars["symbol"] == symbol) & (bars["day"] == pd.Timestamp(record_day))] = ratio
    for symbol, day in LIMIT_DAYS:
        exempt |= (bars["symbol"] == symbol) & (bars["day"] == pd.Timestamp(day))
    premium = (bars["close"] / basis / bars["nav"] - 1)[~exempt].abs()
    assert premium.max() < 0.02
    assert premium.median() < 0.001


def test_a_premium_is_the_close_over_nav_on_one_basis_where_a_fund_traded(demo: Demo) -> None:
    premium = Demo(premium=True).read("premium").set_index(["symbol", "day"])["premium"]
    assert len(demo.read("premium")) == 0
    bars = demo.read("bars")
    assert len(premium) == int((bars["volume"] > 0).sum())
    close = bars.set_index(["symbol", "day"])["close"]
    nav = demo.read("nav").set_index(["symbol", "day"])["nav"]
    # 157001.SZ: an ordinary day, and the record day of its split by two, which its NAV has been through.
    ordinary, record = (("157001.SZ", pd.Timestamp(day)) for day in ("2021-11-18", "2021-11-19"))
    assert premium[ordinary] == round(close[ordinary] / nav[ordinary] - 1, 4)
    assert premium[record] == round(close[record] / (2 * nav[record]) - 1, 4)
    assert premium.abs().max() < 0.20
    assert 0.0002 < premium.std() < 0.01


def test_index_weights_add_up_and_carry_themes_month_by_month(demo: Demo) -> None:
    weights = demo.read("index_weights")
    total = weights.groupby(["index", "day"])["weight"].sum()
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-12)
    assert set(weights["theme"]) == {"optical", "chips", "software", "robots"}
    members = weights.pivot_table(index="day", columns="index", values="weight", aggfunc="count")
    assert (members[["DEMO-A", "DEMO-B", "DEMO-C", "DEMO-D"]] == 12).all(axis=None)
    assert (members["DEMO-ALL"] == 56).all()
    months = members.index.to_period("M")
    assert months.is_unique
    assert (str(months[0]), str(months[-1]), len(months)) == ("2020-08", "2025-07", 60)
    optical = weights[weights["theme"] == "optical"].groupby("index")["weight"].sum() / len(months)
    assert optical["DEMO-A"] > 0.3
    assert optical["DEMO-A"] > 2 * optical["DEMO-D"]
    members_of_a = weights[weights["index"] == "DEMO-A"].groupby("day")["constituent"].agg(frozenset)
    assert len(set(members_of_a)) > 1, "constituents change"


def test_capital_expenditure_is_known_five_weeks_after_its_quarter(demo: Demo) -> None:
    macro = demo.read("macro")
    assert set(macro["series"]) == {"capex"}
    assert macro["period"].dt.is_quarter_end.all()
    assert set((macro["known_at"] - macro["period"]).dt.days) == {35}
    assert macro["known_at"].iloc[-1] < pd.Timestamp("2025-08-20")
    assert macro["period"].iloc[0] < pd.Timestamp("2019-08-20"), (
        "growth over a year from the first session on"
    )


def test_the_market_is_of_realistic_size(demo: Demo) -> None:
    returns = nav_returns(demo)
    volatility = returns.std() * math.sqrt(242)
    assert volatility.between(0.18, 0.35).all(), volatility.round(3).to_dict()
    broad = wide(demo.read("index_bars"), "close", "index")["DEMO-ALL"]
    trough = (broad / broad.cummax() - 1).idxmin()
    assert -0.65 < (broad / broad.cummax() - 1).min() < -0.25
    assert pd.Timestamp("2022-01-01") < trough < pd.Timestamp("2024-06-30")
    family = demo.read("funds").set_index("symbol")["family"]
    correlation = returns.corr(min_periods=250)
    same = np.equal.outer(family.to_numpy(), family.to_numpy())
    apart = ~np.eye(len(family), dtype=bool)
    assert np.nanmean(correlation.to_numpy()[same & apart]) > np.nanmean(correlation.to_numpy()[~same]) + 0.05


# The effect of flows


def test_without_the_effect_everything_but_prices_is_the_same(demo: Demo) -> None:
    off = Demo(flow_effect=0.0)
    assert off.known_flow_effect() == 0.0
    assert demo.known_flow_effect() == 0.001
    for table in ("units", "index_bars", "index_weights", "macro", "funds"):
        assert off.read(table).equals(demo.read(table)), table
    assert off.read("margin", ["CN"]).equals(demo.read("margin", ["CN"]))
    assert not off.read("bars")["close"].equals(demo.read("bars")["close"])


def test_the_effect_is_of_the_documented_size_to_rounding(demo: Demo) -> None:
    twice, off = Demo(flow_effect=2.0), Demo(flow_effect=0.0)
    added = nav_returns(twice) - nav_returns(off)
    flows = planted_flows(demo).fillna(0)
    expected = 2 * 0.001 / 5 * sum(flows.shift(lag, fill_value=0) for lag in range(1, 6))
    known = added.notna()
    for symbol, day in MISSING_UNITS:
        row = known.index.get_loc(pd.Timestamp(day))
        known.iloc[row : row + 7, known.columns.get_loc(symbol)] = False
    # A limit cuts the return itself.
    for day in ("2022-04-25", "2024-09-30"):
        known.loc[pd.Timestamp(day)] = False
    expected = expected.reindex_like(added).to_numpy()[known]
    added = added.to_numpy()[known]
    assert expected.std() > 0.001
    # NAV is published to 0.0001, of 0.3 at least, and four NAVs make a difference of returns.
    np.testing.assert_allclose(added, expected, rtol=0, atol=4 * 0.00005 / 0.25)
    assert (added * expected).sum() / (expected**2).sum() == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("seed", [20250820, 1])
def test_flows_predict_returns_with_the_effect_and_nothing_without(seed: int) -> None:
    # Over 30 seeds t was between 6.1 and 9.9 with the effect, and between -1.2 and 2.1 without.
    assert t_statistic(rank_correlations(Demo(seed=seed))) > 4.5
    assert abs(t_statistic(rank_correlations(Demo(seed=seed, flow_effect=0.0)))) < 3.0


def test_flows_chase_past_returns_even_without_the_effect() -> None:
    off = Demo(flow_effect=0.0)
    flows = planted_flows(off)
    past = nav_returns(off).rolling(5).sum().shift(1).reindex_like(flows)
    known = flows.notna() & past.notna()
    assert 0.15 < np.corrcoef(flows.to_numpy()[known], past.to_numpy()[known])[0, 1] < 0.5


@pytest.mark.slow
def test_a_rotation_on_flows_gains_what_the_docstring_says(tmp_path: Path) -> None:
    with own_cache(tmp_path):
        on = [Demo(seed=seed) for seed in range(10)]
        off = [Demo(seed=seed, flow_effect=0.0) for seed in range(10)]
        assert np.mean([rotation_gain(market, 5) for market in on]) == pytest.approx(0.9, abs=0.15)
        assert np.mean([rotation_gain(market, 20) for market in on]) == pytest.approx(0.6, abs=0.15)
        assert np.mean([rotation_gain(market, 5) for market in off]) == pytest.approx(0.0, abs=0.15)


def rotation_gain(source: Demo, sessions: int) -> float:
    """Sharpe ratio of the five funds with the largest flow, less that of all, from open to open, no costs."""
    bars = source.read("bars")
    bars = bars.assign(night=bars["open"] / bars["pre_close"], day_move=bars["close"] / bars["open"])
    night, day_move = wide(bars, "night").fillna(1.0), wide(bars, "day_move").fillna(1.0)
    returns = day_move * night.shift(-1) - 1
    known = planted_flows(source).rolling(sessions).sum().shift(1).reindex_like(returns)
    decisions = known.iloc[60::5].reindex(known.index).ffill(limit=4)
    chosen = returns.where(decisions.rank(axis=1, ascending=False) <= 5)
    among = returns.where(decisions.notna())
    sharpe = [
        values.mean(axis=1).mean() / values.mean(axis=1).std() * math.sqrt(242) for values in (chosen, among)
    ]
    return float(sharpe[0] - sharpe[1])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_any_seed_gives_a_valid_market(tmp_path: Path, seed: int) -> None:
    with own_cache(tmp_path):
        market = Demo(seed=seed)
        assert market.read("bars")["close"].min() > 0.1
        assert (nav_returns(market).std() * math.sqrt(242)).between(0.18, 0.35).all()
        assert 4.5 < t_statistic(rank_correlations(market)) < 15
        assert all(finding.severity != "error" for finding in run_checks(market))
