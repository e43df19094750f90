"""One contract for all providers, on answers made up by hand."""

from __future__ import annotations

import os
import sys
import time
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from data.errors import DataError, UsageError
from data.providers import PROVIDERS, Connection, fetch, load_provider
from data.providers import asking as connections
from data.providers.answers import rows_of
from data.providers.fetching import ZONES
from data.providers.provider import Piece, Request, Wanted, parts_of
from data.store.tables import TABLES
from tests.fuzz.vendors import Vendor
from tests.helpers.vendor_bench import CASES, FIRST, LAST, LONG_AFTER, ROOT, by_key


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
    first, pause, second = any_bench.waited[:3]
    assert pause == load_provider(any_bench.name).pause
    assert 1.0 < first <= 1.25
    assert 3.0 < second <= 3.75
    assert len(any_bench.store.read("bars"))


def test_calls_are_spaced(tushare):
    tushare.fetch("bars")
    assert tushare.waited == [load_provider(tushare.name).pause] * (len(tushare.asked) - 1)


@pytest.mark.parametrize("name", ["tushare", "yfinance"])
def test_a_connection_that_stays_broken_is_an_error_after_four_tries(bench, name):
    vendor = bench(name)
    function, (fund, *_) = CASES[name].first_function, CASES[name].symbols
    vendor.library.TROUBLE[function] = [ConnectionError("connection refused")] * 9
    with pytest.raises(DataError) as caught:
        vendor.fetch("bars", symbols=(fund,))
    text = str(caught.value)
    assert vendor.asked == [function] * 4
    assert f"bars of {fund}: {name} {vendor.library.__version__}: {function}(" in text
    assert "failed 4 times (ConnectionError: connection refused)" in text
    assert "The store is unchanged" in text
    assert not vendor.store.tables


def test_one_fund_that_fails_loses_its_table_and_no_other(any_bench):
    case = CASES[any_bench.name]
    first, second = case.symbols
    trouble = any_bench.library.TROUBLE
    any_bench.fetch("bars", symbols=(first,))
    any_bench.library.CALLS.clear()
    trouble[case.first_function] = trouble["fund_etf_hist_sina"] = [ConnectionError("reset")] * 9
    report = any_bench.fetch("bars")
    assert set(any_bench.store.read("bars")["symbol"]) == {first}
    assert [str(gap) for gap in report.missing] == [f"bars of {second} from 2025-08-19 to 2025-08-20"]
    assert "ConnectionError: reset" in report.missing[0].why
    assert [(each.table, each.series, each.added) for each in report.fetched] == [("bars", 1, 0)]
    trouble.clear()
    any_bench.library.CALLS.clear()
    assert not any_bench.fetch("bars").missing
    assert set(any_bench.store.read("bars")["symbol"]) == set(case.symbols)
    assert any_bench.asked == [case.first_function]


def test_a_refusal_is_not_tried_again(any_bench):
    case = CASES[any_bench.name]
    any_bench.library.TROUBLE[case.first_function] = [RuntimeError("no permission")]
    any_bench.library.TROUBLE["fund_etf_hist_sina"] = [RuntimeError("no permission either")]
    with pytest.raises(DataError, match=r"failed \(RuntimeError: no permission"):
        any_bench.fetch("bars", symbols=case.symbols[:1])
    assert any_bench.asked.count(case.first_function) == 1


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
    assert f"pip install -c constraints.txt -e '.[{extra}]'" in str(caught.value)
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
    assert report.last_day == over
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


def test_a_function_that_hangs_is_left_alone(tushare, monkeypatch):
    monkeypatch.setattr(connections, "LIMIT_SECONDS", 0.01)
    called = []

    def hang(self, request):
        called.append(request.function)
        time.sleep(0.2)

    monkeypatch.setattr(type(load_provider(tushare.name)), "call", hang)
    with pytest.raises(DataError, match=r"159363.*no answer within.*588790.*was not requested after that"):
        tushare.fetch("bars")
    assert called == ["fund_daily"]


def test_a_function_whose_limit_of_calls_is_reached_is_left_alone(tushare):
    tushare.library.TROUBLE["fund_daily"] = [Exception("抱歉，您每天最多访问该接口80次")] * 9
    report = tushare.fetch("bars", "nav")
    assert tushare.asked.count("fund_daily") == 4
    assert [gap.series for gap in report.missing if gap.table == "bars"] == [("159363.SZ",), ("588790.SH",)]
    assert "was not requested after that (RuntimeError" in report.missing[1].why


def test_waits_are_the_same_for_the_same_seed_and_others_for_another(tushare):
    waits = []
    for seed in (1, 1, 2):
        slept: list[float] = []
        tushare.library.TROUBLE["fund_daily"] = [ConnectionError("reset")] * 2
        folder = tushare.folder / f"answers-{len(waits)}"
        connection = Connection(load_provider("tushare"), folder, sleep=slept.append, seed=seed)
        fetch([connection], tushare.store, ("159363.SZ",), FIRST, LAST, tables=("bars",), now=LONG_AFTER)
        waits.append(slept)
    assert waits[0] == waits[1] != waits[2]


def test_an_unknown_provider_is_refused_with_close_matches():
    with pytest.raises(UsageError, match=r"unknown provider `akshre`.*`akshare`"):
        load_provider("akshre")


def test_rows_of_a_fund_are_its_own_however_its_code_is_marked(tmp_path):
    # the second row contradicts the first; taken for another fund's it was left out, without a word
    answer = pd.DataFrame(
        [
            ["515980", "2025-08-13", 2.124],
            ["XSHG.515980", "2025-08-13", 2.125],
            ["161725.OF", "2025-08-13", 1.0],
        ],
        columns=["代码", "日期", "最低"],
    ).assign(**{"开盘": 2.174, "收盘": 2.179, "最高": 2.224, "成交量": 188105, "成交额": 40988899})
    symbols, first, last = ("515980.SH",), date(2025, 8, 1), date(2025, 9, 30)
    request = Request("eastmoney-daily", {}, parts_of("eastmoney-daily", "bars"), last)
    piece = Piece("funds", (request,), symbols, first, last)
    wanted = Wanted(symbols, (), first, last, datetime(2025, 11, 3))
    with pytest.raises(DataError, match=r"515980.SH, 2025-08-13 comes more than once"):
        rows_of(piece, TABLES["bars"], wanted, Connection(Vendor(answer), tmp_path / "one"))
    answer.loc[1, "最低"] = 2.124
    rows = rows_of(piece, TABLES["bars"], wanted, Connection(Vendor(answer), tmp_path / "other"))
    assert rows[["symbol", "low"]].to_numpy().tolist() == [["515980.SH", 2.124]]


@pytest.mark.parametrize(
    ("table", "code", "wanted"),
    [
        ("bars", "NASDAQ:BOTZ", "BOTZ.US"),
        ("bars", "BOTZ US Equity", "BOTZ.US"),
        ("bars", "botz", "BOTZ.US"),
        ("bars", "515980 人工智能", "515980.SH"),
        ("index_bars", "300", "000300"),
        ("index_bars", "h30590.CSI", "H30590"),
    ],
)
def test_rows_are_of_what_is_wanted_however_an_import_may_read_their_code(tmp_path, table, code, wanted):
    key = TABLES[table].key[0]
    prices = {"open": 2.1, "high": 2.2, "low": 2.0, "close": 2.15, "volume": 100.0}
    answer = pd.DataFrame(
        [{key: each, "day": "2025-08-13", **prices} for each in (code, "161725.OF", "XXX.L")]
    )
    first, last = date(2025, 8, 1), date(2025, 9, 30)
    request = Request("tidy", {}, parts_of(f"tidy-{table}", table), last)
    symbols, indices = ((wanted,), ()) if key == "symbol" else ((), (wanted,))
    asked = Wanted(symbols, indices, first, last, datetime(2025, 11, 3))
    piece = Piece("series", (request,), (wanted,), first, last)
    rows = rows_of(piece, TABLES[table], asked, Connection(Vendor(answer), tmp_path))
    assert rows[[key, "close"]].to_numpy().tolist() == [[wanted, 2.15]]
