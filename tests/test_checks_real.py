"""The checks find in real files what is known to be wrong with them, and call nothing else an error.

Files are read with pandas alone, with the columns as each vendor names them; see the list of real data.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from data.checks import blocking, run_checks
from tests.helpers.small_market import Source

EAST_MONEY = {"datetime": "day", "成交额": "amount"}
CHINESE = {
    "日期": "day",
    "开盘": "open",
    "最高": "high",
    "最低": "low",
    "收盘": "close",
    "成交量": "volume",
    "成交额": "amount",
}
TUSHARE = {"ts_code": "symbol", "trade_date": "day", "vol": "volume", "fd_share": "units"}


def symbol_of(path: Path) -> str:
    code = path.name[:6]
    return code + (".SZ" if code.startswith("1") else ".SH")


def errors(source: Source) -> list[tuple[str, str, date]]:
    return [(each.check, each.symbol, each.last) for each in blocking(run_checks(source))]


@pytest.fixture(scope="module")
def tidy(shared):
    folder = shared / "tidy-cn"
    return {
        "bars": pd.read_csv(folder / "bars.csv.gz"),
        "units": pd.read_csv(folder / "units.csv.gz"),
        "margin": pd.read_csv(folder / "margin.csv.gz").rename(columns={"market": "symbol"}),
        "index_bars": pd.read_csv(folder / "index_bars.csv.gz", dtype={"index": str}),
        "actions": pd.read_csv(folder / "actions.csv"),
    }


@pytest.fixture(scope="module")
def tidy_findings(tidy):
    return run_checks(Source(tidy))


# Of funds without AI, and in no list of actions: 1:4 and 1:2 with a halt, a merge, a dividend of 0.350 on
# 1.323, and 1:2. All five are also in the vendor's own adjustment factors, and all five are true.
NOT_RECORDED = [
    ("unrecorded-split", "512010.SH", date(2021, 6, 28)),
    ("unrecorded-split", "512200.SH", date(2024, 8, 12)),
    ("unrecorded-split", "512690.SH", date(2021, 5, 17)),
    ("unrecorded-split", "512690.SH", date(2021, 12, 31)),
    ("unrecorded-split", "515220.SH", date(2024, 4, 12)),
]


def test_the_only_errors_of_tidy_data_are_splits_that_its_list_lacks(tidy_findings):
    found = [(each.check, each.symbol, each.last) for each in blocking(tidy_findings)]
    assert found == NOT_RECORDED


def test_without_the_actions_exactly_the_splits_are_found(tidy):
    del (without := dict(tidy))["actions"]
    assert sorted(errors(Source(without))) == sorted(
        [
            *NOT_RECORDED,
            ("unrecorded-split", "159363.SZ", date(2025, 7, 21)),
            ("unrecorded-split", "512480.SH", date(2021, 3, 29)),
            ("unrecorded-split", "512800.SH", date(2025, 7, 7)),
            ("unrecorded-split", "515880.SH", date(2026, 2, 3)),
            ("unrecorded-split", "515980.SH", date(2025, 9, 30)),
        ]
    )


def test_the_funds_of_the_walk_through_have_no_error(tidy):
    symbols = ["159995.SZ", "515050.SH", "159852.SZ", "588080.SH", "588050.SH", "159915.SZ"]
    assert blocking(run_checks(Source(tidy), symbols)) == ()


def test_what_else_is_known_of_tidy_data_is_no_error(tidy_findings):
    found = {(each.check, each.symbol): each for each in tidy_findings if each.severity != "error"}
    # A fund that really doubled, twice, and one whose split is announced but not in the list.
    assert found["unit-jump", "512100.SH"].count == 2
    assert found["unit-jump", "159381.SZ"].first == date(2026, 6, 2)
    # Sessions without trade around two splits, and a row that the crawl lacks.
    assert found["missing-session", "512480.SH"].count == 1
    assert found["missing-session", "159363.SZ"].first == date(2025, 11, 12)
    # Cash dividends that nobody recorded.
    assert found["reference-price", "515080.SH"].count == 16
    assert found["reference-price", "515220.SH"].count == 5
    # Weekly counts.
    assert found["units-gap", "515980.SH"].message.startswith("279 sessions")
    assert {key for name, key in found if name == "index-before-launch"} == {
        "930851",
        "931071",
        "931160",
        "H30184",
        "H30590",
    }


@pytest.mark.slow
def test_all_checks_over_68_thousand_bars_take_less_than_three_seconds(tidy):
    source = Source(tidy)
    run_checks(source)
    start = time.process_time()
    run_checks(source)
    assert time.process_time() - start < 3.0


def east_money(shared: Path) -> pd.DataFrame:
    files = sorted((shared / "cn-etf" / "eastmoney-daily-qfq-20250704").glob("*.csv"))
    frames = [pd.read_csv(path).rename(columns=EAST_MONEY).assign(symbol=symbol_of(path)) for path in files]
    return pd.concat(frames)


# Fund, and the eve of the last split or dividend that its prices are adjusted for.
ADJUSTED = {
    "159801.SZ": date(2023, 8, 30),
    "510300.SH": date(2025, 6, 17),
    "510880.SH": date(2025, 1, 20),
    "512480.SH": date(2021, 3, 25),
    "512760.SH": date(2020, 9, 8),
    "512930.SH": date(2024, 6, 21),
    "588760.SH": date(2025, 2, 20),
    "588790.SH": date(2025, 3, 18),
}


def test_forward_adjusted_files_are_found_fund_by_fund(shared):
    bars = east_money(shared)
    found = run_checks(Source({"bars": bars}))
    adjusted = {each.symbol: each.last for each in found if each.check == "adjusted-prices"}
    lots = {
        each.symbol for each in found if each.check == "lots-for-shares" and "in all rows" in each.message
    }
    assert adjusted == ADJUSTED
    assert lots == set(bars["symbol"])
    assert {each.check for each in blocking(found)} == {"adjusted-prices", "lots-for-shares"}


def test_forward_adjusted_prices_contradict_the_recorded_splits(shared, tidy):
    bars = east_money(shared)
    bars["volume"] *= 100
    found = errors(Source({"bars": bars, "actions": tidy["actions"]}))
    assert {symbol for check, symbol, _ in found if check == "split-ratio"} == {
        "159801.SZ",
        "512480.SH",
        "512760.SH",
        "588760.SH",
        "588790.SH",
    }
    assert {check for check, _, _ in found} == {"split-ratio", "adjusted-prices"}


def test_the_crawl_of_159363(shared):
    path = shared / "cn-etf" / "fish-etf-159363" / "159363.csv"
    bars = pd.read_csv(path).rename(columns=CHINESE).assign(symbol="159363.SZ")
    split, lots, announced, missing = run_checks(Source({"bars": bars}))
    assert (announced.check, announced.first) == ("announced-split", date(2025, 7, 21))
    assert split.hint == "It is on file with its source: etflow data splits --data STORE --add."
    assert (split.check, split.first) == ("unrecorded-split", date(2025, 7, 21))
    assert (lots.check, lots.first, lots.last) == ("lots-for-shares", date(2025, 7, 4), date(2025, 10, 29))
    assert "in shares from 2025-10-30 on" in lots.message
    assert (missing.check, missing.count) == ("missing-session", 1)
    assert "after 2025-11-12" in missing.message


def test_a_clean_pair_of_prices_and_units_in_vendor_units(shared):
    folder = shared / "cn-shares" / "pair-589720"
    bars = pd.read_csv(folder / "fund_daily.csv").rename(columns=TUSHARE)
    units = pd.read_csv(folder / "fund_share.csv").rename(columns=TUSHARE)
    found = errors(Source({"bars": bars, "units": units}))
    assert {(check, symbol) for check, symbol, _ in found if symbol == "589720.SH"} == {
        ("lots-for-shares", "589720.SH"),
        ("amount-scale", "589720.SH"),
        ("implausible-units", "589720.SH"),
    }
    bars["volume"] *= 100
    bars["amount"] *= 1000
    units["units"] *= 1e4
    # One of the three funds beside it did split 1:2: close 1.864, then a reference price of 0.932.
    expected = [("unrecorded-split", "159567.SZ", date(2025, 8, 11))]
    assert errors(Source({"bars": bars, "units": units})) == expected


def test_tushare_bars(shared):
    path = shared / "cn-etf" / "tushare-daily" / "fund_daily_34.parquet"
    bars = pd.read_parquet(path).rename(columns=TUSHARE)
    found = errors(Source({"bars": bars}))
    for check in ("lots-for-shares", "amount-scale"):
        assert {symbol for name, symbol, _ in found if name == check} == set(bars["symbol"])
    bars["volume"] *= 100
    bars["amount"] *= 1000
    # The five above, and the four of funds in the list of actions.
    assert [each[0] for each in errors(Source({"bars": bars}))] == ["unrecorded-split"] * 9


def test_dirt_of_the_index_files(shared):
    files = sorted((shared / "cn-index" / "csindex-daily").glob("*.csv"))
    levels = pd.concat([pd.read_csv(path).assign(index=path.stem) for path in files])
    found = run_checks(Source({"index_bars": levels.rename(columns={"date": "day"})}))
    phantoms = {each.symbol: each for each in found if each.check == "phantom-session"}
    assert {each.first for each in phantoms.values()} == {date(2015, 1, 1)}
    assert {symbol for symbol, each in phantoms.items() if each.last == date(2018, 6, 18)} == {
        "930713",
        "000985",
        "930651",
        "930851",
        "H30184",
        "H30590",
    }
    (jump,) = [each for each in found if each.check == "index-jump"]
    assert (jump.symbol, jump.first) == ("931160", date(2019, 2, 22))
    assert "+26.5%" in jump.message
    assert blocking(found) == ()


def test_counts_that_are_dates_fields_and_memories_are_refused(shared):
    path = shared / "us-etf" / "shares-dirty-2026" / "shares_history.parquet"
    raw = pd.read_parquet(path).dropna(subset=["shares_outstanding"])
    days = raw["snapshot_date"].dt.tz_localize(None).dt.normalize()
    units = pd.DataFrame({"symbol": raw["ticker"] + ".US", "day": days, "units": raw["shares_outstanding"]})
    found = run_checks(Source({"units": units}))
    by_check = {
        name: {each.symbol for each in found if each.check == name} for name in {e.check for e in found}
    }
    assert {"SHV.US", "AGG.US", "EEM.US"} <= by_check["date-as-number"]
    assert {"BIL.US", "ARKK.US", "XLK.US"} <= by_check["implausible-units"]
    assert {"SMH.US", "SPY.US", "QQQ.US"} <= by_check["frozen-series"]
    assert "KWEB.US" not in by_check["frozen-series"] | by_check["date-as-number"]
    assert len(by_check["date-as-number"]) == 25
    assert len(by_check["implausible-units"]) == 13
    assert {each.check for each in blocking(found)} == {"date-as-number", "implausible-units", "units-scale"}


@pytest.mark.slow
def test_a_list_of_codes_that_is_cut_at_its_end(shared):
    files = sorted((shared / "cn-shares" / "all-etf-daily-2026").glob("etf_shares_*.csv.gz"))
    raw = pd.concat([pd.read_csv(path, dtype={"code": str}) for path in files])
    raw = raw[raw["total_shares_wanfen"] > 0]
    units = pd.DataFrame(
        {
            "symbol": raw["code"] + raw["exchange"].map({"SSE": ".SH", "SZSE": ".SZ"}),
            "day": raw["date"],
            "units": raw["total_shares_wanfen"] * 1e4,
        }
    )
    found = run_checks(Source({"units": units}))
    lost = [each for each in found if each.check == "lost-members"]
    ended = next(each for each in lost if each.symbol == "SZ" and each.count > 1)
    assert "39 of 339 funds end" in ended.message
    assert "exactly 280 funds on 46 days" in ended.message
    short = next(each for each in lost if each.count == 1)
    assert (short.first, "funds with a row: 220, after 280" in short.message) == (date(2026, 6, 8), True)
    # Funds that doubled without a split are among the jumps, and no jump is an error.
    assert "588660.SH" in {each.symbol for each in found if each.check == "unit-jump"}
    assert blocking(found) == ()


def test_prices_and_units_side_by_side(shared, tidy):
    """Every split shows in both, and units that double without a move of prices are no error."""
    bars, units = [], []
    for path in sorted((shared / "cn-shares" / "daily-price-and-shares").glob("*/*.json")):
        raw = pd.read_json(path, typ="series")
        symbol = symbol_of(path.parent)
        bars.append(pd.DataFrame(raw["prices"], columns=["day", "close"]).assign(symbol=symbol))
        units.append(pd.DataFrame(raw["shares"], columns=["day", "units"]).assign(symbol=symbol))
    prices = pd.concat(bars, ignore_index=True)
    prices = prices.assign(
        **dict.fromkeys(["open", "high", "low"], prices["close"]), volume=1e6 + prices.index
    )
    tables = {"bars": prices, "units": pd.concat(units)}
    found = blocking(run_checks(Source(tables)))
    assert [(each.symbol, each.first) for each in found] == [
        ("159851.SZ", date(2025, 7, 14)),
        ("159995.SZ", date(2026, 7, 7)),
        ("512100.SH", date(2022, 9, 5)),
        ("515050.SH", date(2026, 5, 13)),
    ]
    assert all("units x" in each.message for each in found)
    assert errors(Source({**tables, "actions": tidy["actions"]})) == []
