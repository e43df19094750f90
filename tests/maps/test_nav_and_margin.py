"""NAV, balances and indices as Chinese vendors and the exchanges have them."""

from __future__ import annotations

import pytest

from data.errors import DataError
from tests.helpers.maps import UNITS, rows

NETEASE = "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,涨跌额,涨跌幅,成交量,成交金额"


@pytest.mark.parametrize(("code", "name"), [("000300", "沪深300"), ("399006", "创业板指")])
def test_an_index_of_netease_is_no_fund(take, store, code, name):
    take(
        f"{code}.csv",
        NETEASE,
        f"2025-08-20,'{code},{name},4271.4,4280,4190,4200,4223,48.4,1.14,21000000000,371800000000",
    )
    assert store.tables == ("index_bars",)
    assert [(each["index"], each["close"], each["source"]) for each in rows(store, "index_bars")] == [
        (code, 4271.4, "netease")
    ]


@pytest.mark.parametrize(("code", "name"), [("600519", "贵州茅台"), ("000001", "平安银行")])
def test_a_share_of_netease_is_neither_fund_nor_index(take, code, name):
    with pytest.raises(
        DataError, match=rf"`netease-.* lacks other codes .* \(there is {code}\)|there is {name}"
    ):
        take(
            f"{code}.csv",
            NETEASE,
            f"2025-08-20,'{code},{name},11.4,11.5,11.2,11.3,11.3,0.1,0.9,2100000,37180000",
        )


def test_prices_that_their_headers_call_adjusted_are_refused(take):
    with pytest.raises(DataError, match="Its headers say that prices are adjusted"):
        take(
            "159363.csv",
            "日期,开盘(前复权),最高(前复权),最低(前复权),收盘(前复权),成交量(股),成交额(元)",
            "2025-08-20,0.7,0.731,0.69,0.729,523000000,371800000",
        )


def test_units_and_nav_of_tushare_in_one_file(take, store):
    report = take(
        "etf_share_size.csv",
        "trade_date,ts_code,etf_name,total_share,total_size,nav,close,exchange",
        "20250820,159363.SZ,创业板人工智能ETF华宝,397000.00,289452.70,0.7291,0.7290,SZSE",
        "20250819,159363.SZ,创业板人工智能ETF华宝,386100.00,271853.01,,0.7040,SZSE",
    )
    assert [(each.table, each.rows, each.left_out) for each in report.imported] == [
        ("units", 2, 0),
        ("nav", 1, 1),
    ]
    assert store.read("units")["units"].tolist() == [3.861e9, 3.97e9]
    assert store.read("nav")["nav"].tolist() == [0.7291]


def test_units_as_the_shanghai_exchange_answers(take, store):
    take(
        "sse.json",
        '{"result": [{"NUM": "1", "SEC_CODE": "588790", "SEC_NAME": "科创智能", "ETF_TYPE": "单市场ETF",',
        ' "STAT_DATE": "2025-08-20", "TOT_VOL": "701238.4"}]}',
    )
    assert store.read("units")["units"].tolist() == [7_012_384_000.0]


SNAPSHOT = (
    "基金代码,基金简称,基金类别,投资类别,上市日期,基金份额,基金管理人,基金发起人,基金托管人,净值",
    '159363,创业板人工智能ETF华宝,ETF,股票基金,2024-12-16,"3,970,000,000",华宝基金,华宝基金,行,0.7291',
)


def test_the_undated_list_of_shenzhen_needs_its_day_in_the_name(take, store):
    with pytest.raises(DataError, match="`akshare-etf-scale-szse` lacks a file name that holds the day"):
        take("scale.csv", *SNAPSHOT)
    take("scale_20250820.csv", *SNAPSHOT)
    assert rows(store, "units") == [UNITS | {"source": "SZSE"}]


def test_nav_of_east_money(take, store):
    take(
        "nav_159363.csv",
        "净值日期,单位净值,累计净值,日增长率,申购状态,赎回状态",
        "2025-08-20,0.7291,1.4582,3.55,场内交易,场内交易",
        "2025-08-19,,1.4082,,,",
    )
    assert rows(store, "nav") == [
        {"symbol": "159363.SZ", "day": "2025-08-20", "nav": 0.7291, "source": "eastmoney"}
    ]


def test_nav_of_tushare_is_known_on_the_day_of_its_announcement(take, store):
    take(
        "fund_nav.csv",
        "ts_code,ann_date,nav_date,unit_nav,accum_nav,accum_div,net_asset,total_netasset,adj_nav",
        "159363.SZ,20250821,20250820,0.7291,1.4582,,,2894527000.00,1.4582",
    )
    assert rows(store, "nav") == [
        {
            "symbol": "159363.SZ",
            "day": "2025-08-20",
            "nav": 0.7291,
            "source": "tushare",
            "known_at": "2025-08-21",
        }
    ]


def test_a_discount_in_percent_of_east_money_becomes_a_premium(take, store):
    report = take(
        "etf_spot.csv",
        "代码,名称,最新价,IOPV实时估值,基金折价率,成交量,最新份额,数据日期,更新时间",
        # 3.048 is above 3.0431: a premium of 0.16 %, which the vendor writes as a discount of -0.16.
        "512100,中证1000ETF,3.048,3.0431,-0.16,1,3e9,2025-08-20,2025-08-20 15:34:33+08:00",
        "159363,创业板人工智能ETF华宝,0.729,0.7297,0.10,1,3e9,2025-08-20,2025-08-20 16:11:57+08:00",
        "515980,人工智能ETF,1.2,1.2,0,1,3e9,2025-08-20,2025-08-20 15:34:33+08:00",
        "588790,科创AI,0.7,0.7,0.02,1,3e9,2025-08-20,2025-08-20 14:59:57+08:00",
        "511880,银华日利,100.1,-,-,1,3e9,2025-08-20,2025-08-20 15:34:33+08:00",
    )
    assert [(each.map, each.table, each.left_out) for each in report.imported] == [
        ("akshare-etf-spot", "units", 0),
        ("akshare-etf-spot", "premium", 2),
    ]
    assert [(each["symbol"], each["premium"]) for each in rows(store, "premium")] == [
        ("159363.SZ", -0.001),
        ("512100.SH", 0.0016),
        ("515980.SH", 0.0),
    ]
    assert {each["day"] for each in rows(store, "premium")} == {"2025-08-20"}


def test_margin_detail_of_shanghai_without_its_shares(take, store):
    report = take(
        "sse_margin.csv",
        "信用交易日期,标的证券代码,标的证券简称,融资余额,融资买入额,融资偿还额,融券余量,融券卖出量,融券偿还量",
        "20250820,588790,科创智能,231500000,48200000,39100000,1250000,30000,12000",
        "20250820,600000,浦发银行,5000000000,1,1,1,1,1",
    )
    assert report.imported[0].left_out == 1
    assert rows(store, "margin") == [
        {
            "symbol": "588790.SH",
            "day": "2025-08-20",
            "balance": 231_500_000.0,
            "bought": 48_200_000.0,
            "repaid": 39_100_000.0,
            "source": "SSE",
        }
    ]


def test_margin_detail_of_shenzhen_has_no_repayments_and_its_day_in_the_name(take, store):
    lines = (
        "证券代码,证券简称,融资买入额,融资余额,融券卖出量,融券余量,融券余额,融资融券余额",
        "000001,平安银行,41300000,112000000,0,1,1,1",
        "159363,创业板人工智能ETF华宝,41300000,112000000,0,152000,110808,112110808",
    )
    with pytest.raises(DataError, match="`akshare-margin-detail-szse` lacks a file name that holds the day"):
        take("szse.csv", *lines)
    take("szse-2025-08-20.csv", *lines)
    assert rows(store, "margin") == [
        {
            "symbol": "159363.SZ",
            "day": "2025-08-20",
            "balance": 112_000_000.0,
            "bought": 41_300_000.0,
            "source": "SZSE",
        }
    ]


def test_margin_detail_of_tushare(take, store):
    take(
        "margin_detail.csv",
        "trade_date,ts_code,name,rzye,rqye,rzmre,rqyl,rzche,rqchl,rqmcl,rzrqye",
        "20250820,159363.SZ,创业板人工智能ETF华宝,112000000,110808,41300000,152000,27786000,0,0,112110808",
        "20250820,000001.SZ,平安银行,112000000,110808,41300000,152000,27786000,0,0,112110808",
    )
    (row,) = rows(store, "margin")
    assert (row["symbol"], row["balance"], row["bought"], row["repaid"]) == (
        "159363.SZ",
        1.12e8,
        4.13e7,
        2.7786e7,
    )


def test_margin_of_the_whole_market(take, store):
    take(
        "account.csv",
        "日期,融资余额,融券余额,融资买入额,融券卖出额,证券公司数量,平均维持担保比例",
        "2025-08-20,21300.55,140.1,2155.11,9.5,94,280.1",
    )
    (row,) = rows(store, "margin")
    assert (row["symbol"], row["balance"], row["bought"]) == ("CN", 2_130_055_000_000.0, 215_511_000_000.0)
