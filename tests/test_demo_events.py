"""Every event that is planted in the synthetic market is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.demo import Demo
from data.demo.plan import HALTS, LATE, LIMIT_DAYS, MISSING_UNITS, SPLITS, Halt, Split
from tests.helpers.demo import (
    PLANS,
    decimal,
    half_up,
    own_cache,
    rows_of,
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with own_cache(tmp_path_factory.mktemp("demo")):
        yield Demo()


def test_funds_list_over_the_years_and_one_closes(demo: Demo) -> None:
    funds = demo.read("funds").set_index("symbol")
    bars, nav = demo.read("bars"), demo.read("nav")
    first, last = bars.groupby("symbol")["day"].min(), bars.groupby("symbol")["day"].max()
    late = funds["listed"][funds["listed"] > pd.Timestamp("2020-08-21")]
    assert sorted(late.dt.year) == [2020, 2021, 2021, 2021, 2022, 2022, 2023, 2023, 2024, 2025]
    pd.testing.assert_series_equal(first[late.index], late, check_names=False)
    assert (first.drop(late.index) == pd.Timestamp("2020-08-21")).all()
    for symbol, listed in late.items():
        assert (nav.loc[nav["symbol"] == symbol, "day"] < listed).sum() == 3, "the first reference price"
    assert funds["delisted"].dropna().to_dict() == {"586022.SH": pd.Timestamp("2023-11-20")}
    assert last["586022.SH"] < pd.Timestamp("2023-11-20")
    assert (last.drop("586022.SH") == pd.Timestamp("2025-08-20")).all()
    (paid,) = demo.read("actions").query("kind == 'liquidation'").itertuples()
    assert (paid.symbol, paid.ex_day) == ("586022.SH", pd.Timestamp("2023-11-20"))
    assert paid.pay_day == pd.Timestamp("2023-12-04")
    assert paid.cash == rows_of(nav, "586022.SH")["nav"].iloc[-1]
    for table in ("units", "nav"):
        assert rows_of(demo.read(table), "586022.SH").index[-1] == pd.Timestamp("2023-11-17")


@pytest.mark.parametrize("halt", HALTS, ids=lambda halt: f"{halt.symbol}-{halt.first}")
def test_halted_funds_have_no_bar_or_one_without_volume(demo: Demo, halt: Halt) -> None:
    sessions = np.unique(demo.read("index_bars")["day"])
    start = int(np.searchsorted(sessions, np.datetime64(halt.first)))
    days = pd.DatetimeIndex(sessions[start : start + halt.sessions])
    bars = rows_of(demo.read("bars"), halt.symbol)
    if halt.has_bar:
        halted = bars.loc[days]
        assert (halted["volume"] == 0).all()
        for price in ("open", "high", "low", "close"):
            assert (halted[price] == halted["pre_close"]).all()
    else:
        assert not bars.index.isin(days).any()
    units = rows_of(demo.read("units"), halt.symbol)["units"]
    assert (units[days].diff().dropna() == 0).all()
    assert rows_of(demo.read("nav"), halt.symbol).index.isin(days).sum() == halt.sessions


def test_there_are_halts_of_both_kinds_and_no_others(demo: Demo) -> None:
    bars = demo.read("bars")
    assert (bars["volume"] == 0).sum() == 3 + 1
    listed = sum(len(rows_of(demo.read("units"), symbol)) for symbol in PLANS) + len(MISSING_UNITS)
    assert listed - len(bars) == 1 + 1 + 2 + 4 + 5


@pytest.mark.parametrize(("cell", "kind"), LIMIT_DAYS.items(), ids=lambda value: str(value))
def test_limit_days(demo: Demo, cell: tuple[str, date], kind: str) -> None:
    symbol, day = cell
    bar = rows_of(demo.read("bars"), symbol).loc[pd.Timestamp(day)]
    rate = demo.read("funds").set_index("symbol")["price_limit"][symbol]
    sign = 1 if kind.endswith("up") else -1
    limit = float(half_up(decimal(bar["pre_close"]) * (1 + sign * decimal(rate))))
    if kind.startswith("board"):
        assert (bar["open"], bar["high"], bar["low"], bar["close"]) == (limit, limit, limit, limit)
        assert bar["volume"] > 0
    else:
        assert bar[kind.partition("_")[0]] == limit
        assert bar["high"] > bar["low"], "it left the limit"


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: f"{split.symbol}-{split.record_day}")
def test_units_and_nav_switch_on_the_record_day_and_prices_a_session_later(demo: Demo, split: Split) -> None:
    record_day = pd.Timestamp(split.record_day)
    units = rows_of(demo.read("units"), split.symbol)["units"]
    nav = rows_of(demo.read("nav"), split.symbol)["nav"]
    bars = rows_of(demo.read("bars"), split.symbol)
    before = units.index[units.index.get_loc(record_day) - 1]
    # A session's flow is at most 2.8 * 0.6 %, its return far below 20 %, rounding apart.
    assert units[record_day] / units[before] == pytest.approx(split.ratio, rel=0.02)
    assert nav[before] / nav[record_day] == pytest.approx(split.ratio, rel=0.1)
    assert bars["close"][record_day] / bars["close"][before] == pytest.approx(1, rel=0.1)
    after = bars.loc[bars.index > record_day].iloc[0]
    assert after["pre_close"] == float(half_up(decimal(bars["close"][record_day]) / decimal(split.ratio)))
    aum = units * nav
    assert aum[record_day] / aum[before] == pytest.approx(1, rel=0.1)
    (action,) = (
        demo.read("actions").query(f"symbol == '{split.symbol}' and record_day == @record_day").itertuples()
    )
    assert (action.kind, action.ratio) == ("split", split.ratio)
    assert action.ex_day == units.index[units.index.get_loc(record_day) + 1]


def test_splits_include_a_fraction_a_merge_and_a_halted_ex_day(demo: Demo) -> None:
    splits = demo.read("actions").query("kind == 'split'")
    assert sorted(splits["ratio"]) == [0.49977589, 2.0, 2.0, 2.0, 2.5, 3.0]
    (halted,) = splits[splits["symbol"] == "586011.SH"]["ex_day"]
    assert halted not in rows_of(demo.read("bars"), "586011.SH").index


def test_a_fund_pays_dividends_some_days_after_the_ex_day(demo: Demo) -> None:
    dividends = demo.read("actions").query("kind == 'dividend'")
    assert list(dividends["ex_day"].dt.year) == [2020, 2021, 2022, 2023, 2024]
    assert set(dividends["symbol"]) == {"157011.SZ"}
    assert (dividends["pay_day"] > dividends["ex_day"]).all()
    assert (dividends["record_day"] < dividends["ex_day"]).all()
    sessions = set(demo.read("index_bars")["day"])
    for column in ("record_day", "ex_day", "pay_day"):
        assert set(dividends[column]) <= sessions


def test_margin_begins_with_eligibility_after_listing(demo: Demo) -> None:
    margin = demo.read("margin")
    first = margin[margin["symbol"] != "CN"].groupby("symbol")["day"].min()
    planned = {symbol: fund.margin_from for symbol, fund in PLANS.items() if fund.margin_from is not None}
    assert set(first.index) == set(planned)
    assert set(PLANS) - set(planned) == {"157006.SZ", "586022.SH"}
    for symbol, day in planned.items():
        assert day > PLANS[symbol].listed
        if day > date(2020, 8, 21):
            start = margin[(margin["symbol"] == symbol)].iloc[0]
            assert start["day"] == pd.Timestamp(day)
            assert start["balance"] == start["bought"] > 0, "nothing was financed before"


def test_only_late_rows_say_when_they_were_known(demo: Demo) -> None:
    for table in ("units", "margin"):
        frame = demo.read(table)
        late = frame[frame["known_at"].notna()]
        expected = {(row.symbol, pd.Timestamp(row.day)) for row in LATE if row.table == table}
        assert set(zip(late["symbol"], late["day"], strict=True)) == expected
        assert (late["known_at"] - late["day"] > pd.Timedelta(days=1, hours=18)).all()
    friday = rows_of(demo.read("units"), "586031.SH").loc["2022-03-11"]
    assert friday["known_at"] == pd.Timestamp("2022-03-15 19:00")
    for table in ("bars", "nav", "actions", "index_bars", "index_weights"):
        assert demo.read(table)["known_at"].isna().all()


@pytest.mark.parametrize(("symbol", "day"), MISSING_UNITS)
def test_some_counts_were_never_published(demo: Demo, symbol: str, day: date) -> None:
    assert pd.Timestamp(day) not in rows_of(demo.read("units"), symbol).index
    assert pd.Timestamp(day) in rows_of(demo.read("bars"), symbol).index
