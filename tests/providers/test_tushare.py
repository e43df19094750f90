"""Tushare: the token, answers that are cut, limits of calls."""

from __future__ import annotations

import gzip
from datetime import date

import pandas as pd
import pytest

from data.errors import DataError, UsageError
from data.providers import Connection, fetch, load_provider
from tests.helpers.vendor_bench import FIRST, LAST, TOKEN


def test_a_missing_token_is_wrong_configuration(vendor, monkeypatch):
    vendor("tushare")
    monkeypatch.delenv("TUSHARE_TOKEN")
    with pytest.raises(UsageError, match="environment variable TUSHARE_TOKEN"):
        load_provider("tushare")


def test_the_token_is_neither_told_nor_written(tushare):
    tushare.library.TROUBLE["fund_share"] = [Exception(f"您的token不对，请确认: {TOKEN}")]
    tushare.library.TROUBLE["etf_share_size"] = [Exception(f"{TOKEN} refused")]
    report = tushare.fetch("bars", "units", symbols=("159363.SZ",))
    assert "TUSHARE_TOKEN refused" in report.missing[0].why
    assert TOKEN not in repr(report)
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
    provider = load_provider("tushare")
    provider._page = lambda function, arguments: pd.DataFrame(
        {"ts_code": ["159364.SZ"], "trade_date": ["20250820"]}
    )
    connection = Connection(provider, tushare.folder / "answers", sleep=tushare.waited.append)
    with pytest.raises(DataError, match=r"answered about something else: ts_code says 159364\.SZ"):
        fetch([connection], tushare.store, ("159363.SZ",), FIRST, LAST, tables=("bars",))


def test_units_come_from_the_second_function_where_points_do_not_reach(tushare):
    tushare.library.TROUBLE["fund_share"] = [Exception("抱歉，您没有访问该接口的权限")]
    tushare.fetch("units", symbols=("159363.SZ",))
    assert tushare.asked == ["fund_share", "etf_share_size"]
    assert tushare.store.read("units")["units"].tolist() == [3_861_000_000, 3_970_000_000]


def test_a_limit_of_calls_is_waited_out(tushare):
    tushare.library.TROUBLE["fund_daily"] = [Exception("抱歉，您每分钟最多访问该接口80次")] * 2
    tushare.fetch("bars", symbols=("159363.SZ",))
    first, second = (waited for waited in tushare.waited if waited > 1)
    assert 15.0 < first <= 15.0 * 1.25
    assert 30.0 < second <= 30.0 * 1.25


def test_a_frame_without_columns_is_an_error_of_the_server(tushare):
    provider = load_provider("tushare")
    tushare.library._Api.fund_daily = lambda self, **_: pd.DataFrame()
    with pytest.raises(DataError, match="the server answered with an error"):
        tushare.fetch("bars", symbols=("159363.SZ",))
    assert provider.tables


def test_suffixes_of_an_index_are_tried_in_turn(tushare):
    tushare.fetch("index_bars", symbols=("159363.SZ",))
    assert [arguments["ts_code"] for _, arguments in tushare.library.CALLS] == ["970070.SZ", "970070.CNI"]
