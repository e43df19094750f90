"""Days that may be read in two ways, pages of funds, money-market funds and parities."""

from __future__ import annotations

import pytest

from data.errors import DataError
from tests.helpers.maps import rows


def test_days_that_two_countries_read_otherwise_are_refused_until_one_tells(take, store):
    header = "Date,Price,Open,High,Low,Vol.,Change %"
    with pytest.raises(DataError, match="several ways; received '08/07/2025'; limit: %m/%d/%Y, or %d/%m/%Y"):
        take("AIQ ETF Stock Price History.csv", header, "08/07/2025,43.3,43.4,43.52,42.71,690.1K,0%")
    take(
        "AIQ ETF Stock Price History.csv",
        header,
        "13/08/2025,43.3,43.4,43.52,42.71,690.1K,0%",
        "07/08/2025,43.3,43.4,43.52,42.71,690.1K,0%",
    )
    assert [each["day"] for each in rows(store, "bars")] == ["2025-08-07", "2025-08-13"]


@pytest.mark.parametrize(
    ("name", "header", "row", "day"),
    [
        ("XLK.csv", "Date,NAV,Shares Outstanding", "{},250.12,300000000", "13.7.2025"),
        (
            "AIQ US Equity.csv",
            "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME",
            "{},43.4,43.52,42.71,43.3,690100",
            "20.08.2025",
        ),
    ],
)
def test_days_in_a_way_that_a_ready_map_does_not_know(take, store, name, header, row, day):
    with pytest.raises(DataError, match=rf"received '{day}'.* \(--map\) based_on this one: date_format"):
        take(name, header, row.format(day))
    take(name, header, row.format("45889"))
    table = "nav" if name == "XLK.csv" else "bars"
    assert [each["day"] for each in rows(store, table)] == ["2025-08-20"]


@pytest.mark.parametrize("name", ["S&P 500 Historical Data", "DAX", "GOLD", "AIQ"])
def test_what_investing_may_have_of_an_index_is_no_fund(take, name):
    line = "08/20/2025,6395.78,6400,6410,6350,2.1B,0%"
    with pytest.raises(DataError, match="`investing` lacks a file name that holds the symbol"):
        take(f"{name}.csv", "Date,Price,Open,High,Low,Vol.,Change %", line)


def test_a_bare_ticker_of_investing_by_the_name_of_its_map(take, store):
    line = '"08/20/2025","43.30","43.40","43.52","42.71","690.10K","-0.23%"'
    take("AIQ.csv", '"Date","Price","Open","High","Low","Vol.","Change %"', line, named="investing-by-ticker")
    (bar,) = rows(store, "bars")
    assert (bar["symbol"], bar["day"], bar["close"], bar["volume"]) == (
        "AIQ.US",
        "2025-08-20",
        43.3,
        690_100.0,
    )
    assert bar["source"] == "investing.com, split-adjusted"


def test_the_code_of_a_fund_in_the_name_is_no_index(take):
    # 515980 is a fund; nothing here says in which unit of measure its volume is.
    with pytest.raises(DataError, match="no ready map knows"):
        take(
            "515980.csv",
            "日期,开盘价,最高价,最低价,收盘价,成交量",
            "2025-08-20,1.143,1.156,1.143,1.149,179278980",
        )


def test_what_the_pages_of_funds_answer(take, store):
    # East Money's and Nasdaq's pages: balances and NAV of a fund, dividends in words and in dollars.
    take(
        "margin.json",
        '{"result": {"data": [{"DATE": "2025-08-20 00:00:00", "SCODE": "159363", "SECNAME": "创AI",',
        '"RZYE": 112000000, "RQYL": 0, "RZMRE": 41300000, "RZCHE": 27786000},',
        '{"DATE": "2025-08-20 00:00:00", "SCODE": "300308", "SECNAME": "中际旭创",',
        '"RZYE": 9000000000, "RQYL": 0, "RZMRE": 1, "RZCHE": 1}]}}',
    )
    take(
        "159363.json",
        '{"Data": {"LSJZList": [{"FSRQ": "2025-08-20", "DWJZ": "0.7291", "LJJZ": "1.4582", "FHSP": ""}]}}',
    )
    take(
        "510300.csv",
        "年份,权益登记日,除息日,每份分红,分红发放日",
        "2025年,2025-06-17,2025-06-18,每份派现金0.0880元,2025-06-23",
    )
    take(
        "BOTZ.csv",
        "Ex/EFF DATE,TYPE,CASH AMOUNT,DECLARATION DATE,RECORD DATE,PAYMENT DATE",
        "06/27/2025,CASH,$0.12,06/20/2025,06/27/2025,07/03/2025",
    )
    (margin,) = rows(store, "margin")
    assert (margin["symbol"], margin["balance"], margin["repaid"]) == ("159363.SZ", 1.12e8, 2.7786e7)
    (nav,) = rows(store, "nav")
    assert (nav["symbol"], nav["day"], nav["nav"]) == ("159363.SZ", "2025-08-20", 0.7291)
    assert [(each["symbol"], each["ex_day"], each["cash"]) for each in rows(store, "actions")] == [
        ("510300.SH", "2025-06-18", 0.088),
        ("BOTZ.US", "2025-06-27", 0.12),
    ]


INCOME = (
    '{"Data": {"LSJZList": [{"FSRQ": "2025-08-20", "DWJZ": "0.3541", "LJJZ": "1.3130"}],'
    '"FundType": "005", "SYType": "每万份收益"}, "ErrCode": 0}'
)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("511990.json", [INCOME]),
        ("511990.csv", ["净值日期,单位净值,累计净值,日增长率", "2025-08-20,0.3541,1.3130,"]),
        ("nav.csv", ["symbol,day,nav", "159363,2025-08-20,0.7291", "159001,2025-08-20,0.3541"]),
    ],
)
def test_the_income_of_a_money_market_fund_is_no_nav(take, store, name, lines):
    with pytest.raises(DataError, match=r"its income per 10,000 units; received (511990|159001).* 0.3541"):
        take(name, *lines)
    assert not store.tables


def test_nav_of_money_market_and_bond_funds_is_about_a_hundred(take, store):
    take("nav.csv", "symbol,day,nav", "511990,2025-08-20,100", "511010,2025-08-20,141.2")
    assert [each["nav"] for each in rows(store, "nav")] == [141.2, 100.0]


def test_central_parities_side_by_side(take, store):
    take("ccpr.csv", "日期,USD/CNY,EUR/CNY,100JPY/CNY", "2025-08-20,7.1384,8.3212,4.8456")
    assert rows(store, "fx") == [{"pair": "USDCNY", "day": "2025-08-20", "rate": 7.1384, "source": "CFETS"}]


def test_central_parities_are_of_a_hundred_dollars(take, store):
    report = take("parity.csv", "日期,美元,欧元,日元,港元", "2025-01-08,718.87,745.46,4.5688,92.452")
    assert report.imported[0].map == "safe-parity"
    assert rows(store, "fx") == [{"pair": "USDCNY", "day": "2025-01-08", "rate": 7.1887, "source": "SAFE"}]


def test_a_pair_that_no_run_needs_is_refused(take):
    with pytest.raises(DataError, match="unknown `pair`"):
        take("fx.csv", "pair,day,rate", "EURUSD,2025-01-08,1.03")
