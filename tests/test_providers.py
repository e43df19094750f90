"""Providers: one contract for all on made-up answers, what each vendor gets wrong, and the command line.

The vendors' libraries are stood in for by tests/helpers/vendors; nothing here reaches a network.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import run_backtest
from data.errors import DataError, UsageError
from data.providers import PROVIDERS, Desk, FetchReport, fetch, load_provider
from data.providers import asking as desks
from data.providers.akshare import AkShare
from data.providers.fetching import ZONES
from data.store.store import Store
from engine.cli.commands_fetch import fetch_data
from engine.cli.main import main

ROOT = Path(run_backtest.__file__).parent
VENDORS = ROOT / "tests" / "helpers" / "vendors"
TOKEN = "0123456789abcdef-secret"
FIRST, LAST = date(2025, 8, 19), date(2025, 8, 20)


@dataclass
class Case:
    """A provider, what it is asked for, and what must come of it: rows written by hand, in our units."""

    symbols: tuple[str, ...]
    rows: dict[str, dict[tuple[str, ...], dict[str, float]]]
    first_function: str


BARS = {
    ("159363.SZ", "2025-08-19"): {
        "open": 0.711,
        "high": 0.719,
        "low": 0.698,
        "close": 0.704,
        "volume": 412_000_000,
        "amount": 291_500_000,
    },
    ("159363.SZ", "2025-08-20"): {"close": 0.729, "volume": 523_000_000, "amount": 371_800_000},
    ("588790.SH", "2025-08-20"): {"high": 0.662, "low": 0.640, "volume": 250_000_000, "amount": 163_000_000},
}
UNITS = {
    ("159363.SZ", "2025-08-19"): {"units": 3_861_000_000},
    ("159363.SZ", "2025-08-20"): {"units": 3_970_000_000},
    ("588790.SH", "2025-08-20"): {"units": 7_012_384_000},
}
NAV = {("159363.SZ", "2025-08-19"): {"nav": 0.7041}, ("159363.SZ", "2025-08-20"): {"nav": 0.7291}}
CASES = {
    "akshare": Case(
        symbols=("159363.SZ", "588790.SH"),
        rows={
            "bars": BARS,
            "units": UNITS,
            "nav": NAV,
            "margin": {
                ("588790.SH", "2025-08-20"): {
                    "balance": 231_500_000,
                    "bought": 48_200_000,
                    "repaid": 39_100_000,
                },
                ("159363.SZ", "2025-08-20"): {
                    "balance": 112_000_000,
                    "bought": 41_300_000,
                    "repaid": float("nan"),
                },
                ("CN", "2025-08-20"): {"balance": 2_105_550_000_000, "bought": 259_010_000_000},
            },
            "index_bars": {
                ("970070", "2025-08-20"): {"open": 3979.0, "close": 4113.42},
                ("950180", "2025-08-20"): {"high": 1533.2, "low": 1490.5, "amount": 51_230_000_000},
            },
            "index_weights": {
                ("970070", "2025-08-20", "300308"): {"weight": 0.1602},
                ("950180", "2025-08-20", "688256"): {"weight": 0.125},
            },
            "actions": {("588790.SH", "dividend", "2025-08-20"): {"cash": 0.012}},
        },
        first_function="fund_etf_hist_em",
    ),
    "tushare": Case(
        symbols=("159363.SZ", "588790.SH"),
        rows={
            "bars": {**BARS, ("159363.SZ", "2025-08-20"): {"pre_close": 0.704, "volume": 523_000_000}},
            "units": UNITS,
            "nav": NAV,
            "margin": {
                ("159363.SZ", "2025-08-20"): {
                    "balance": 112_000_000,
                    "bought": 41_300_000,
                    "repaid": 27_786_000,
                },
                ("588790.SH", "2025-08-20"): {"balance": 231_500_000, "repaid": 39_100_000},
            },
            "index_bars": {
                ("970070", "2025-08-20"): {"open": 3979.0, "close": 4113.42, "amount": 61_230_000_000},
                ("950180", "2025-08-20"): {"low": 1490.5, "amount": 51_230_000_000},
            },
            "index_weights": {
                ("970070", "2025-08-20", "300308"): {"weight": 0.1602},
                ("950180", "2025-08-20", "688256"): {"weight": 0.125},
            },
        },
        first_function="fund_daily",
    ),
    "yfinance": Case(
        symbols=("AIQ.US", "SOXL.US"),
        rows={
            "bars": {
                ("AIQ.US", "2025-08-19"): {
                    "open": 44.10,
                    "high": 44.22,
                    "low": 43.51,
                    "close": 43.60,
                    "volume": 512_300,
                },
                ("AIQ.US", "2025-08-20"): {"close": 43.30, "volume": 690_100},
                ("SOXL.US", "2025-08-19"): {"close": 5.15 * 3 * 2, "volume": 12_000 / 3 / 2},
                ("SOXL.US", "2025-08-20"): {"close": 5.25 * 2, "volume": 2_000 / 2},
            },
            "actions": {("SOXL.US", "split", "2025-08-20"): {"ratio": 3.0}},
        },
        first_function="history",
    ),
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a test reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Return a function that puts a fresh stand-in in the place of a vendor's library."""
    monkeypatch.setenv("TUSHARE_TOKEN", TOKEN)

    def stand_in(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, VENDORS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return stand_in


@dataclass
class Bench:
    """A provider on its stand-in, with a store, answers on file and a clock that does not wait."""

    library: ModuleType
    name: str
    folder: Path
    waited: list[float]

    @property
    def store(self) -> Store:
        return Store(self.folder / "store")

    @property
    def asked(self) -> list[str]:
        return [function for function, _ in self.library.CALLS]

    def desk(self, *, refresh: bool = False) -> Desk:
        return Desk(
            load_provider(self.name), self.folder / "answers", refresh=refresh, sleep=self.waited.append
        )

    def fetch(self, *tables: str, **options) -> FetchReport:
        """Fetch 2025-08-19 and 20 as of a day when they are long over."""
        desk = self.desk(refresh=options.pop("refresh", False))
        options.setdefault("now", datetime(2026, 1, 15, 12, tzinfo=ZoneInfo("UTC")))
        symbols = options.pop("symbols", CASES[self.name].symbols)
        start, end = options.pop("start", FIRST), options.pop("end", LAST)
        return fetch(desk.provider, self.store, symbols, start, end, tables=tables, desk=desk, **options)


@pytest.fixture
def bench(vendor: Callable[[str], ModuleType], tmp_path: Path) -> Callable[[str], Bench]:
    return lambda name: Bench(vendor(name), name, tmp_path, [])


@pytest.fixture
def akshare(bench: Callable[[str], Bench]) -> Bench:
    return bench("akshare")


@pytest.fixture
def tushare(bench: Callable[[str], Bench]) -> Bench:
    return bench("tushare")


@pytest.fixture
def yfinance(bench: Callable[[str], Bench]) -> Bench:
    return bench("yfinance")


@pytest.fixture(params=CASES)
def any_bench(request: pytest.FixtureRequest, bench: Callable[[str], Bench]) -> Bench:
    return bench(request.param)


def by_key(frame: pd.DataFrame, keys: int) -> dict[tuple[str, ...], dict[str, object]]:
    found = {}
    for row in frame.to_dict("records"):
        key = [
            f"{value:%Y-%m-%d}" if isinstance(value, date) else value for value in list(row.values())[:keys]
        ]
        found[tuple(key)] = row
    return found


# --- The contract of every provider -------------------------------------------------------------------


def test_there_is_a_case_for_every_provider():
    assert set(CASES) == set(PROVIDERS)


def test_every_table_comes_in_our_units(any_bench):
    case = CASES[any_bench.name]
    any_bench.fetch()
    assert set(any_bench.store.tables) == set(case.rows) == set(load_provider(any_bench.name).tables)
    for name, rows in case.rows.items():
        found = by_key(any_bench.store.read(name), len(next(iter(rows))))
        for key, values in rows.items():
            assert {column: found[key][column] for column in values} == pytest.approx(values, nan_ok=True)


def test_only_the_funds_and_days_asked_for_come_and_every_row_tells_its_source(any_bench):
    case = CASES[any_bench.name]
    report = any_bench.fetch()
    for name in any_bench.store.tables:
        rows = any_bench.store.read(name)
        assert rows["source"].notna().all()
        if "symbol" in rows:
            assert set(rows["symbol"]) <= {*case.symbols, "CN"}
        day = rows["ex_day" if name == "actions" else "day"]
        assert day.between("2025-08-19", "2025-08-20").all()
    assert {each.table: each.rows for each in report.fetched} == {
        name: len(any_bench.store.read(name)) for name in any_bench.store.tables
    }
    assert all(each.added == each.rows for each in report.fetched)


def test_a_fetch_again_asks_for_nothing_and_adds_nothing(any_bench):
    any_bench.fetch("bars")
    before = len(any_bench.asked)
    again = any_bench.fetch("bars")
    assert len(any_bench.asked) == before
    assert again.calls == 0
    assert [each.added for each in again.fetched] == [0]


def test_refresh_asks_for_everything_again(tushare):
    tushare.fetch("bars")
    before = len(tushare.asked)
    time.sleep(0.02)
    tushare.fetch("bars", refresh=True)
    assert len(tushare.asked) == 2 * before


def test_rows_are_the_same_from_the_network_and_from_the_file(tushare):
    tushare.fetch("bars")
    fresh = tushare.store.read("bars")
    tushare.fetch("bars")
    pd.testing.assert_frame_equal(tushare.store.read("bars"), fresh)


def test_a_broken_connection_is_tried_again(any_bench):
    any_bench.library.TROUBLE[CASES[any_bench.name].first_function] = [
        ConnectionError("reset"),
        TimeoutError(),
    ]
    any_bench.fetch("bars")
    assert any_bench.waited[:3] == [1.0, load_provider(any_bench.name).pause, 3.0]
    assert len(any_bench.store.read("bars"))


def test_calls_are_spaced(tushare):
    tushare.fetch("bars")
    assert tushare.waited == [load_provider(tushare.name).pause] * (len(tushare.asked) - 1)


@pytest.mark.parametrize("name", ["tushare", "yfinance"])
def test_a_connection_that_stays_broken_is_an_error_after_four_tries(bench, name):
    vendor = bench(name)
    function = CASES[name].first_function
    vendor.library.TROUBLE[function] = [ConnectionError("connection refused")] * 9
    with pytest.raises(DataError) as caught:
        vendor.fetch("bars")
    text = str(caught.value)
    assert vendor.asked == [function] * 4
    assert f"{name} {vendor.library.__version__} did not deliver `bars` of {CASES[name].symbols[0]}" in text
    assert f"{function}(" in text
    assert "failed 4 times (ConnectionError: connection refused)" in text
    assert "The store is as it was" in text
    assert not vendor.store.tables


def test_what_came_before_a_failure_is_not_asked_again(any_bench):
    case = CASES[any_bench.name]
    broken = "fund_etf_hist_sina" if any_bench.name == "akshare" else case.first_function
    second = case.symbols[1]
    real = any_bench.library.TROUBLE
    any_bench.fetch("bars", symbols=case.symbols[:1])
    any_bench.library.CALLS.clear()
    real[case.first_function] = [ConnectionError("reset")] * 9
    real[broken] = real[case.first_function]
    with pytest.raises(DataError, match=second):
        any_bench.fetch("bars")
    assert set(any_bench.store.read("bars")["symbol"]) == {case.symbols[0]}
    real.clear()
    any_bench.library.CALLS.clear()
    any_bench.fetch("bars")
    assert set(any_bench.store.read("bars")["symbol"]) == set(case.symbols)
    assert any_bench.asked == [case.first_function]


def test_a_refusal_is_not_tried_again(any_bench):
    function = CASES[any_bench.name].first_function
    any_bench.library.TROUBLE[function] = [RuntimeError("no permission")]
    any_bench.library.TROUBLE["fund_etf_hist_sina"] = [RuntimeError("no permission either")]
    with pytest.raises(DataError, match=r"failed \(RuntimeError: no permission"):
        any_bench.fetch("bars")
    assert any_bench.asked.count(function) == 1


def test_columns_that_have_changed_are_named(any_bench, monkeypatch):
    provider = type(load_provider(any_bench.name))
    call = provider.call

    def renamed(self, request):
        return call(self, request).rename(columns={"开盘": "开", "open": "o", "Open": "o"})

    monkeypatch.setattr(provider, "call", renamed)
    with pytest.raises(DataError, match="column") as caught:
        any_bench.fetch("bars")
    assert any(word in str(caught.value) for word in ("开盘", "open", "Open"))
    assert not any_bench.store.tables


def test_an_answer_that_cannot_be_read_is_not_kept(any_bench, monkeypatch):
    provider = type(load_provider(any_bench.name))
    with monkeypatch.context() as patch:
        patch.setattr(provider, "call", lambda self, request: pd.DataFrame({"nonsense": ["1"]}))
        with pytest.raises(DataError):
            any_bench.fetch("bars")
    any_bench.fetch("bars")
    assert len(any_bench.store.read("bars"))


def test_a_library_that_is_not_installed_is_named_with_what_to_install(any_bench, monkeypatch):
    monkeypatch.setitem(sys.modules, any_bench.name, None)
    extra = {"akshare": "cn", "tushare": "tushare", "yfinance": "yahoo"}[any_bench.name]
    with pytest.raises(UsageError) as caught:
        load_provider(any_bench.name)
    assert f"pip install 'etflow[{extra}]'" in str(caught.value)
    assert f'{extra} = ["{any_bench.name}' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_funds_of_another_market_are_refused(any_bench):
    other = ("159363.SZ",) if any_bench.name == "yfinance" else ("AIQ.US",)
    with pytest.raises(UsageError, match=r"does not have the funds of that market; received (159363|AIQ)"):
        any_bench.fetch("bars", symbols=other)
    assert any_bench.asked == []


def test_a_table_that_a_provider_lacks_is_refused(any_bench):
    with pytest.raises(UsageError, match=f"{any_bench.name} has no table `macro`"):
        any_bench.fetch("bars", "macro")


def test_no_funds_are_refused(tushare):
    with pytest.raises(UsageError, match="no funds to fetch"):
        tushare.fetch("bars", symbols=())


@pytest.mark.parametrize(
    ("hour", "over"), [(17, date(2025, 8, 19)), (18, date(2025, 8, 20))], ids=["before", "after"]
)
def test_a_day_is_fetched_when_it_is_over_in_its_market(any_bench, hour, over):
    zone = ZoneInfo(ZONES[load_provider(any_bench.name).market])
    report = any_bench.fetch("bars", end=date(2025, 9, 30), now=datetime(2025, 8, 20, hour, tzinfo=zone))
    assert report.wanted.end == over
    assert any_bench.store.read("bars")["day"].max() == pd.Timestamp(over)
    assert report.notes[0] == f"fetched through {over}: later days are not over yet"


def test_a_start_after_the_last_day_that_is_over_is_refused(tushare):
    with pytest.raises(UsageError, match="the start is after the end"):
        tushare.fetch("bars", start=date(2027, 1, 1), end=None)


def test_an_answer_is_asked_again_until_it_has_settled(tushare):
    tushare.fetch("bars")
    files = list((tushare.folder / "answers").rglob("*.csv.gz"))
    assert len(files) == 2
    # Given on the day after the last one asked about, and two hours old: late rows may have come since.
    moment = datetime(2025, 8, 21, 12).timestamp()
    for file in files:
        os.utime(file, (moment, moment))
    before = len(tushare.asked)
    tushare.fetch("bars")
    assert len(tushare.asked) == before + 2
    # Given months later: settled, however old the file is. What reaches until today never settles before.
    moment = datetime(2026, 2, 1, 12).timestamp()
    for file in files:
        os.utime(file, (moment, moment))
    tushare.fetch("bars")
    assert len(tushare.asked) == before + 2


def test_a_damaged_answer_on_file_is_asked_for_again(tushare):
    tushare.fetch("bars")
    for file in (tushare.folder / "answers").rglob("*.csv.gz"):
        file.write_bytes(file.read_bytes()[:20])
    before = len(tushare.asked)
    tushare.fetch("bars")
    assert len(tushare.asked) == before + 2


def test_answers_of_another_version_of_the_library_are_not_used(tushare):
    tushare.fetch("bars")
    before = len(tushare.asked)
    tushare.library.__version__ = "9.9"
    tushare.fetch("bars")
    assert len(tushare.asked) == 2 * before


def test_a_call_that_hangs_is_given_up(tushare, monkeypatch):
    monkeypatch.setattr(desks, "LIMIT_SECONDS", 0.01)
    provider = load_provider(tushare.name)
    monkeypatch.setattr(type(provider), "call", lambda self, request: time.sleep(0.2))
    with pytest.raises(DataError, match="no answer within"):
        tushare.fetch("bars")


def test_an_unknown_provider_is_refused_with_close_matches():
    with pytest.raises(UsageError, match=r"unknown provider `akshre`.*`akshare`"):
        load_provider("akshre")


# --- AKShare ------------------------------------------------------------------------------------------


def test_bars_come_from_sina_where_east_money_fails(akshare):
    akshare.library.TROUBLE["fund_etf_hist_em"] = [ConnectionError("reset")] * 9
    report = akshare.fetch("bars", symbols=("159363.SZ",))
    rows = akshare.store.read("bars")
    assert akshare.asked == ["fund_etf_hist_em"] * 4 + ["fund_etf_hist_sina"]
    assert list(rows["volume"]) == [412_000_000, 523_000_000]
    assert rows["amount"].isna().all()
    assert report.fetched[0].sources == ("sina",)


def test_a_second_source_without_rows_does_not_excuse_the_first(akshare):
    akshare.library.TROUBLE["fund_etf_hist_em"] = [ConnectionError("reset")] * 9
    with pytest.raises(DataError, match=r"`bars` of 159363\.SZ"):
        akshare.fetch("bars", symbols=("159363.SZ",), start=date(2025, 7, 1), end=date(2025, 7, 2))


def test_a_function_that_failed_gets_one_try_from_then_on(akshare):
    akshare.library.TROUBLE["fund_etf_hist_em"] = [ConnectionError("reset")] * 9
    akshare.library.BARS["159381"] = akshare.library.BARS["159363"]
    with pytest.raises(DataError, match=r"fund_etf_hist_em\(symbol=159381.*failed \(ConnectionError"):
        akshare.fetch("bars", symbols=("159363.SZ", "159381.SZ"))
    assert akshare.asked.count("fund_etf_hist_em") == 4 + 1


def test_prices_are_asked_for_unadjusted(akshare):
    akshare.fetch("bars")
    assert {arguments["adjust"] for _, arguments in akshare.library.CALLS} == {""}


def test_a_fund_without_rows_is_reported_and_holds_nobody_up(akshare):
    report = akshare.fetch("bars", "nav", symbols=("159363.SZ", "159243.SZ"))
    assert set(akshare.store.read("bars")["symbol"]) == {"159363.SZ"}
    assert report.notes == ("bars: nothing for 159243.SZ", "nav: nothing for 159243.SZ")


def test_days_without_a_list_are_reported_and_asked_for_again(akshare):
    report = akshare.fetch("units", "margin", symbols=("588790.SH",))
    assert "units: nothing of SSE 2025-08-19" in report.notes
    assert "margin: nothing of SSE 2025-08-19" in report.notes
    akshare.library.CALLS.clear()
    akshare.fetch("units", symbols=("588790.SH",))
    assert akshare.library.CALLS == [("fund_etf_scale_sse", {"date": "20250819"})]


def test_only_sessions_are_asked_for(akshare):
    akshare.fetch("units", symbols=("588790.SH",), start=date(2025, 8, 15), end=date(2025, 8, 20))
    assert [arguments["date"] for _, arguments in akshare.library.CALLS] == [
        "20250815",
        "20250818",
        "20250819",
        "20250820",
    ]


def test_margin_of_shenzhen_is_stamped_with_the_day_asked_for_and_has_no_repayments(akshare):
    akshare.fetch("margin", symbols=("159363.SZ",), start=LAST)
    rows = akshare.store.read("margin", ["159363.SZ"])
    assert rows["day"].tolist() == [pd.Timestamp("2025-08-20")]
    assert rows["repaid"].isna().all()


def test_units_of_shenzhen_are_asked_for_by_month(akshare):
    akshare.fetch("units", symbols=("159363.SZ",), start=date(2025, 6, 10))
    periods = [(each["start_date"], each["end_date"]) for _, each in akshare.library.CALLS]
    assert periods == [("20250601", "20250630"), ("20250701", "20250731"), ("20250801", "20250820")]


def test_the_undated_list_is_the_second_source_of_today_only(akshare):
    evening = datetime(2025, 8, 20, 19, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    akshare.library.TROUBLE["fund_scale_daily_szse"] = [ConnectionError("reset")] * 9
    akshare.fetch("units", symbols=("159363.SZ",), start=LAST, now=evening)
    (row,) = akshare.store.read("units").to_dict("records")
    assert (row["day"], row["units"]) == (pd.Timestamp("2025-08-20"), 3_970_000_000)
    assert row["known_at"] == pd.Timestamp("2025-08-20 19:30")


@pytest.mark.parametrize(
    ("start", "now"),
    [(LAST, datetime(2025, 8, 21, 20)), (FIRST, datetime(2025, 8, 20, 20))],
    ids=["yesterday", "two days"],
)
def test_the_undated_list_is_never_back_dated(akshare, start, now):
    akshare.library.TROUBLE["fund_scale_daily_szse"] = [ConnectionError("reset")] * 9
    with pytest.raises(DataError, match="fund_scale_daily_szse"):
        akshare.fetch(
            "units", symbols=("159363.SZ",), start=start, now=now.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
        )
    assert "fund_etf_scale_szse" not in akshare.asked


def test_a_split_comes_with_its_record_day_although_prices_change_after_the_end(akshare):
    akshare.fetch("actions", start=date(2025, 7, 1), end=date(2025, 7, 18))
    (row,) = akshare.store.read("actions").to_dict("records")
    assert (row["symbol"], row["kind"], row["ratio"]) == ("159363.SZ", "split", 2.0)
    assert (row["record_day"], row["ex_day"]) == (pd.Timestamp("2025-07-18"), pd.Timestamp("2025-07-21"))


def test_splits_of_the_year_before_are_asked_for_at_the_turn_of_the_year(akshare):
    akshare.library.SPLITS += "4,159363,创业板人工智能ETF华宝,2024-12-31,份额分拆,3.0\n"
    akshare.fetch("actions", start=date(2025, 1, 2), end=date(2025, 1, 10))
    assert akshare.store.read("actions")["ex_day"].tolist() == [pd.Timestamp("2025-01-02")]


def test_a_wrong_index_is_refused_and_the_second_source_asked(akshare):
    akshare.library.INDEX = akshare.library.INDEX.replace("950180", "000688")
    report = akshare.fetch("index_bars", symbols=("588790.SH",))
    assert akshare.asked == ["stock_zh_index_hist_csindex", "stock_zh_index_daily_em"]
    assert report.fetched[0].sources == ("eastmoney",)
    assert akshare.store.read("index_bars")["amount"].tolist() == [51_230_000_000]


def test_an_answer_about_another_day_is_refused(akshare):
    akshare.library.SCALE_SSE = akshare.library.SCALE_SSE.replace("2025-08-20", "2025-08-21")
    with pytest.raises(DataError, match="answered about something else: 统计日期 says 2025-08-21"):
        akshare.fetch("units", symbols=("588790.SH",))


def test_indices_of_cni_are_asked_for_at_cni_alone(akshare):
    akshare.library.TROUBLE["index_hist_cni"] = [ConnectionError("reset")] * 9
    with pytest.raises(DataError, match="`index_bars` of 970070"):
        akshare.fetch("index_bars", symbols=("159363.SZ",))
    assert set(akshare.asked) == {"index_hist_cni"}


def test_further_indices_can_be_asked_for(akshare):
    akshare.fetch("index_bars", symbols=("159363.SZ",), indices=("950180",))
    assert set(akshare.store.read("index_bars")["index"]) == {"970070", "950180"}
    with pytest.raises(UsageError, match="not the code of an index; received CSI300"):
        akshare.fetch("index_bars", indices=("CSI300",))


def test_another_number_of_columns_is_a_failure_not_an_empty_answer(akshare):
    akshare.library.TROUBLE["stock_margin_detail_sse"] = [
        ValueError("Length mismatch: Expected axis has 14 elements, new values have 13 elements")
    ]
    with pytest.raises(DataError, match=r"`margin` of SSE 2025-08-19.*Expected axis has 14 elements"):
        akshare.fetch("margin", symbols=("588790.SH",))


def test_a_function_that_is_gone_is_named(akshare):
    del akshare.library.fund_etf_fund_info_em
    with pytest.raises(DataError, match="has no attribute 'fund_etf_fund_info_em'"):
        akshare.fetch("nav")


def test_a_page_that_is_no_json_is_asked_for_again(akshare):
    akshare.library.TROUBLE["fund_etf_fund_info_em"] = [json.JSONDecodeError("Expecting value", "<html>", 0)]
    akshare.fetch("nav", symbols=("159363.SZ",))
    assert len(akshare.asked) == 2


def test_everything_empty_is_an_error(akshare):
    with pytest.raises(
        DataError, match=r"akshare has nothing of what was asked for; received bars of 159243\.SZ"
    ):
        akshare.fetch("bars", symbols=("159243.SZ",))
    assert not akshare.store.tables


def test_answers_on_file_can_be_imported_as_they_are(akshare):
    from data.importing import import_files

    akshare.fetch("bars", symbols=("159363.SZ",))
    (file,) = (akshare.folder / "answers").rglob("*.csv.gz")
    other = Store(akshare.folder / "other")
    import_files([file], other)
    pd.testing.assert_frame_equal(other.read("bars"), akshare.store.read("bars"))


# --- Tushare ------------------------------------------------------------------------------------------


def test_a_missing_token_is_wrong_configuration(vendor, monkeypatch):
    vendor("tushare")
    monkeypatch.delenv("TUSHARE_TOKEN")
    with pytest.raises(UsageError, match="environment variable TUSHARE_TOKEN"):
        load_provider("tushare")


def test_the_token_is_neither_told_nor_written(tushare):
    tushare.library.TROUBLE["fund_share"] = [Exception(f"您的token不对，请确认: {TOKEN}")]
    tushare.library.TROUBLE["etf_share_size"] = [Exception(f"{TOKEN} refused")]
    with pytest.raises(DataError) as caught:
        tushare.fetch("bars", "units")
    assert "TUSHARE_TOKEN refused" in str(caught.value)
    shown = [
        str(caught.value),
        repr(caught.value),
        repr(caught.value.__cause__),
        repr(caught.value.__context__),
    ]
    assert not any(TOKEN in text for text in shown)
    files = [path for path in tushare.folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        written = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert TOKEN.encode() not in written + str(path).encode()


def test_rows_beyond_the_cap_are_fetched_in_halves(tushare, monkeypatch):
    from data.providers import tushare as ours

    monkeypatch.setattr(ours, "CUT_ROWS", 4)
    tushare.library.ROWS = 4
    days = [f"202508{day:02}" for day in range(1, 21)]
    lines = [f"159363.SZ,{day},1,1,1,1,1,0,0,{100 + int(day[-2:])},1" for day in reversed(days)]
    code, day, text = tushare.library.ANSWERS["fund_daily"]
    tushare.library.ANSWERS["fund_daily"] = (code, day, "\n".join([text.strip().splitlines()[0], *lines]))
    tushare.fetch("bars", symbols=("159363.SZ",), start=date(2025, 8, 1))
    rows = tushare.store.read("bars")
    assert rows["day"].dt.strftime("%Y%m%d").tolist() == days
    assert rows["volume"].tolist() == [100.0 * (100 + number) for number in range(1, 21)]
    periods = [(each["start_date"][-2:], each["end_date"][-2:]) for _, each in tushare.library.CALLS]
    assert periods[:5] == [("01", "20"), ("01", "10"), ("01", "05"), ("01", "03"), ("04", "05")]


def test_one_day_at_the_cap_is_an_error(tushare, monkeypatch):
    from data.providers import tushare as ours

    monkeypatch.setattr(ours, "CUT_ROWS", 1)
    with pytest.raises(DataError, match="the answer may have been cut"):
        tushare.fetch("bars")


def test_nav_is_known_from_the_day_of_its_first_announcement(tushare):
    tushare.fetch("nav", symbols=("159363.SZ",))
    rows = tushare.store.read("nav")
    assert rows["nav"].tolist() == [0.7041, 0.7291]
    assert rows["known_at"].tolist() == [pd.Timestamp("2025-08-20"), pd.Timestamp("2025-08-21")]


def test_another_fund_than_asked_for_is_refused(tushare):
    code, day, text = tushare.library.ANSWERS["fund_daily"]
    tushare.library.ANSWERS["fund_daily"] = (code, day, text)
    provider = load_provider("tushare")
    provider._page = lambda function, arguments: pd.DataFrame(
        {"ts_code": ["159364.SZ"], "trade_date": ["20250820"]}
    )
    desk = Desk(provider, tushare.folder / "answers", sleep=tushare.waited.append)
    with pytest.raises(DataError, match=r"answered about something else: ts_code says 159364\.SZ"):
        fetch(provider, tushare.store, ("159363.SZ",), FIRST, LAST, tables=("bars",), desk=desk)


def test_units_come_from_the_second_function_where_points_do_not_reach(tushare):
    tushare.library.TROUBLE["fund_share"] = [Exception("抱歉，您没有访问该接口的权限")]
    tushare.fetch("units", symbols=("159363.SZ",))
    assert tushare.asked == ["fund_share", "etf_share_size"]
    assert tushare.store.read("units")["units"].tolist() == [3_861_000_000, 3_970_000_000]


def test_a_limit_of_calls_is_waited_out(tushare):
    tushare.library.TROUBLE["fund_daily"] = [Exception("抱歉，您每分钟最多访问该接口80次")] * 2
    tushare.fetch("bars", symbols=("159363.SZ",))
    assert [waited for waited in tushare.waited if waited > 1] == [15.0, 30.0]


def test_a_frame_without_columns_is_an_error_of_the_server(tushare):
    provider = load_provider("tushare")
    tushare.library._Api.fund_daily = lambda self, **_: pd.DataFrame()
    with pytest.raises(DataError, match="the server answered with an error"):
        tushare.fetch("bars", symbols=("159363.SZ",))
    assert provider.tables


def test_suffixes_of_an_index_are_tried_in_turn(tushare):
    tushare.fetch("index_bars", symbols=("159363.SZ",))
    assert [arguments["ts_code"] for _, arguments in tushare.library.CALLS] == ["970070.SZ", "970070.CNI"]


# --- yfinance -----------------------------------------------------------------------------------------


def test_an_empty_frame_is_an_error(yfinance):
    with pytest.raises(
        DataError, match=r"history.*failed 4 times .*no rows: no connection, or Yahoo does not know"
    ):
        yfinance.fetch("bars", symbols=("BOTZ.US",))
    assert not yfinance.store.tables


def test_prices_are_rebuilt_as_traded_also_from_splits_after_the_end(yfinance):
    yfinance.fetch(symbols=("SOXL.US",), start=date(2025, 8, 18), end=LAST)
    bars = yfinance.store.read("bars").set_index("day")
    # 2025-08-20 splits 1:3, 2025-08-25 splits 1:2: shares before the first were six times as much worth.
    assert bars["close"].tolist() == pytest.approx([5.05 * 6, 5.15 * 6, 5.25 * 2])
    assert bars["volume"].tolist() == [6000 / 6, 12000 / 6, 2000 / 2]
    actions = by_key(yfinance.store.read("actions"), 3)
    assert set(actions) == {("SOXL.US", "dividend", "2025-08-18"), ("SOXL.US", "split", "2025-08-20")}
    assert actions["SOXL.US", "dividend", "2025-08-18"]["cash"] == pytest.approx(0.01 * 6)


def test_prices_lose_the_noise_of_32_bit_numbers(yfinance):
    yfinance.fetch("bars", symbols=("AIQ.US",))
    assert yfinance.store.read("bars")["close"].tolist() == [43.6, 43.3]


def test_a_day_with_nothing_but_a_dividend_has_no_bar(yfinance):
    yfinance.fetch(symbols=("SOXL.US",), end=date(2025, 8, 25))
    assert pd.Timestamp("2025-08-22") not in set(yfinance.store.read("bars")["day"])
    assert yfinance.store.read("actions").query("kind == 'dividend'")["cash"].tolist() == [0.02 * 2]


def test_both_tables_come_from_one_call(yfinance):
    yfinance.fetch(symbols=("SOXL.US",))
    assert yfinance.asked == ["history"]
    assert yfinance.library.CALLS[0][1] == {"ticker": "SOXL", "start": "2025-08-19", "end": "2026-01-16"}


def test_another_ticker_than_asked_for_is_refused(yfinance):
    yfinance.library.MISTAKEN["AIQ"] = "AIQ.MX"
    with pytest.raises(DataError, match=r"answered about something else: Symbol says AIQ\.MX"):
        yfinance.fetch("bars")


def test_a_rate_limit_is_waited_out(yfinance):
    limited = type("YFRateLimitError", (Exception,), {})
    yfinance.library.TROUBLE["history"] = [limited("Too Many Requests")]
    yfinance.fetch("bars", symbols=("AIQ.US",))
    assert yfinance.waited[0] == 15.0


# --- The command line ---------------------------------------------------------------------------------


PERIOD = ("--start", "2025-08-19", "--end", "2025-08-20", "--data", "store")


def etflow(folder: Path, *words: object, **environment: str) -> tuple[int, str, str]:
    """Run the command line as a process of its own, with the stand-ins in the place of the vendors."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        timeout=120,
        env={
            **os.environ,
            "PYTHONPATH": str(VENDORS),
            "ETFLOW_CACHE": str(folder / "cache"),
            "TUSHARE_TOKEN": TOKEN,
            **environment,
        },
    )
    return done.returncode, done.stdout, done.stderr


def test_fetch_and_show(tmp_path):
    fetched = ("data", "fetch", "--provider", "akshare", "--symbols", "159363,588790", *PERIOD)
    code, printed, complained = etflow(tmp_path, *fetched, "--tables", "nav,bars", "--json")
    assert code == 0, complained
    document = json.loads(printed)
    assert (document["provider"], document["data"]) == ("akshare", "store")
    assert (document["first_day"], document["last_day"]) == ("2025-08-19", "2025-08-20")
    assert {each["table"]: (each["rows"], each["added"]) for each in document["tables"]} == {
        "bars": (4, 4),
        "nav": (2, 2),
    }
    assert document["notes"] == ["nav: nothing for 588790.SH"]
    assert not document["revisions"]
    code, printed, complained = etflow(tmp_path, "data", "show", "bars", "--data", "store")
    assert code == 0, complained
    assert "159363.SZ" in printed
    assert "588790.SH" in printed


def test_a_failed_fetch_exits_with_3_and_the_next_one_goes_on_from_there(tmp_path):
    fetched = ("data", "fetch", "--provider", "tushare", "--symbols", "159363", *PERIOD)
    tables = ("--tables", "bars,margin")
    code, printed, complained = etflow(tmp_path, *fetched, *tables, "-v", REFUSED="margin_detail")
    assert (code, printed) == (3, "")
    assert "error: tushare 1.4.29 did not deliver `margin` of 159363.SZ" in complained
    assert "margin_detail(ts_code=159363.SZ, start_date=20250819, end_date=20250820) failed" in complained
    assert "权限" in complained
    assert TOKEN not in complained
    assert not (tmp_path / "store").exists()
    code, printed, complained = etflow(tmp_path, *fetched, *tables, "--json")
    assert code == 0, complained
    assert json.loads(printed)["calls"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--provider", "tushare", "--symbols", "159363"), "TUSHARE_TOKEN"),
        (("--provider", "bloomberg", "--symbols", "159363"), "unknown provider `bloomberg`"),
        (("--provider", "akshare"), "--universe NAME"),
        (("--provider", "akshare", "--symbols", "159363", "--universe", "ai_cn"), "--universe NAME"),
        (("--provider", "akshare", "--universe", "ai_ch"), "Did you mean `ai_cn`"),
        (("--provider", "yfinance", "--universe", "chinext_ai"), "yfinance does not have the funds"),
    ],
)
def test_wrong_words_exit_with_2(vendor, tmp_path, monkeypatch, capsys, words, said):
    for name in PROVIDERS:
        vendor(name)
    monkeypatch.delenv("TUSHARE_TOKEN")
    monkeypatch.setenv("ETFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    code = main(run_backtest.load_catalogue, ["data", "fetch", *PERIOD, *words])
    printed, complained = capsys.readouterr()
    assert (code, printed) == (2, "")
    assert said in complained
    assert not list(tmp_path.iterdir())


def test_a_table_for_people_on_standard_output(vendor, tmp_path, monkeypatch, capsys):
    vendor("akshare")
    monkeypatch.setenv("ETFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(AkShare, "pause", 0.0)
    monkeypatch.chdir(tmp_path)
    words = ["--provider", "akshare", "--symbols", "159363,588790"]
    assert main(run_backtest.load_catalogue, ["data", "fetch", *PERIOD, *words]) == 0
    printed, complained = capsys.readouterr()
    assert [line.split() for line in printed.splitlines()] == [
        ["table", "source", "series", "rows", "new", "rows", "first", "day", "last", "day"],
        ["bars", "eastmoney", "2", "4", "4", "2025-08-19", "2025-08-20"],
        ["units", "SSE,", "SZSE", "2", "3", "3", "2025-08-19", "2025-08-20"],
        ["nav", "eastmoney", "1", "2", "2", "2025-08-19", "2025-08-20"],
        ["margin", "SSE,", "SZSE,", "eastmoney", "3", "3", "3", "2025-08-20", "2025-08-20"],
        ["index_bars", "cnindex,", "csindex", "2", "2", "2", "2025-08-20", "2025-08-20"],
        ["index_weights", "cnindex,", "csindex", "2", "2", "2", "2025-08-20", "2025-08-20"],
        ["actions", "eastmoney", "1", "1", "1", "2025-08-20", "2025-08-20"],
    ]
    assert "warning: units: nothing of SSE 2025-08-19" in complained
    assert "printed by the vendor" in complained


def test_the_help_names_every_provider():
    (option,) = [each for each in fetch_data.params if each.name == "provider"]
    assert all(name in option.help for name in PROVIDERS)
