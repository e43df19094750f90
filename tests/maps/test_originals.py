"""Files as exchanges, index companies and other tools write them."""

from __future__ import annotations

import pandas as pd
import pytest

from data.errors import DataError
from tests.helpers.maps import BAR, INDEX_BAR, UNITS, rows


def test_closeweight_of_csi_with_both_languages_in_its_headers(take, store):
    for name, code in (("a.csv", "成份券代码Constituent Code"), ("b.csv", "成分券代码 Constituent Code")):
        report = take(
            name,
            f"日期Date,指数代码 Index Code,指数名称 Index Name,{code},成份券名称Name,权重(%)weight",
            "20250829,930713,CS人工智,300308,中际旭创,60.0",
            "20250829,930713,CS人工智,2230,科大讯飞,40.0",
        )
        assert report.imported[0].map == "csindex-weights"
    assert [(row["constituent"], row["weight"]) for row in rows(store, "index_weights")] == [
        ("002230", 0.4),
        ("300308", 0.6),
    ]


def test_history_of_a_csi_index_as_the_page_exports_it(take, store):
    take(
        "perf.csv",
        "日期Date,指数代码Index Code,指数中文全称Index Chinese Name(Full),开盘Open,最高High,"
        "最低Low,收盘Close,涨跌幅(%)Change(%),成交量（万手）Volume(M Shares),"
        "成交金额（亿元）Turnover,样本数量ConsNumber",
        "20250820,930713,x,4200,4270,4190,4263.62,1.2,100,1312.18,50",
    )
    expected = {"index": "930713", "amount": 131_218_000_000.0, "source": "csindex"} | INDEX_BAR
    assert rows(store, "index_bars") == [expected]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "list_2025-08-20.csv",
            (
                "基金代码,基金简称,基金类别,投资类别,上市日期,当前规模(份),基金管理人",
                '="159363",创AI,ETF,股票基金,2024-12-16,"3,970,000,000",华宝基金',
            ),
        ),
        ("daily.csv", ("日期,基金代码,基金简称,基金规模（份）", '2025-08-20,159363,创AI,"3,970,000,000"')),
    ],
)
def test_units_as_the_shenzhen_exchange_writes_them(take, store, name, lines):
    take(name, *lines)
    assert rows(store, "units") == [UNITS | {"source": "SZSE"}]


def test_margin_as_the_exchanges_export_it(take, store):
    take(
        "rzrqjygk20250820.csv",
        "标的证券代码,标的证券简称,本日融资余额(元),本日融资买入额(元),本日融资偿还额(元)",
        "515980,人工智能,234567890,12345678,1000000",
        "600000,浦发银行,5000000000,1,1",
    )
    take(
        "融资融券交易明细_2025-08-20.csv",
        "证券代码,证券简称,融资买入额(元),融资余额(亿元),融券卖出量(股/份),融资融券余额(亿元)",
        '159363,创AI,"12,345,678",2.3456,0,2.3456',
    )
    assert [
        (row["symbol"], row["balance"], row["bought"], row.get("repaid")) for row in rows(store, "margin")
    ] == [
        ("159363.SZ", 234_560_000.0, 12_345_678.0, None),
        ("515980.SH", 234_567_890.0, 12_345_678.0, 1_000_000.0),
    ]


def test_margin_as_the_shanghai_exchange_answers(take, store):
    take(
        "sse.json",
        'jsonpCallback1({"result": [{"stockCode": "515980", "securityAbbr": "x", "rzye": 234567890,',
        '"rzmre": 12345678, "rzche": 1000000, "rqyl": 0, "opDate": "20250820"}]})',
    )
    (row,) = rows(store, "margin")
    assert (row["symbol"], row["balance"], row["repaid"]) == ("515980.SH", 234_567_890.0, 1_000_000.0)


SPOT = "代码,名称,最新价,成交量,成交额,开盘价,最高价,最低价,昨收,最新份额,数据日期,更新时间"
FUND = "159363,AI,0.729,5230000,371800000.0,0.700,0.731,0.690,0.704,3970000000.0,2025-08-20,2025-08-20 "
HALTED = "515980,AI,0.729,-,-,-,-,-,0.729,4300000000.0,2025-08-20,2025-08-20 "


def test_a_snapshot_of_east_money_after_the_close_has_units_and_bars(take, store):
    take("spot.csv", SPOT, FUND + "15:34:09+08:00", HALTED + "15:34:09+08:00")
    known = {"source": "eastmoney", "known_at": "2025-08-20"}
    assert rows(store, "bars") == [BAR | known | {"pre_close": 0.704}]
    assert [row["units"] for row in rows(store, "units")] == [3.97e9, 4.3e9]
    assert store.read("units")["known_at"].unique().tolist() == [pd.Timestamp("2025-08-20 15:34:09")]


def test_a_snapshot_of_east_money_before_the_close_has_units_only(take, store):
    take("spot.csv", SPOT, FUND + "10:34:09+08:00")
    assert store.tables == ("units",)


def test_a_snapshot_of_east_money_as_the_page_answers(take, store):
    take(
        "clist.json",
        '{"data": {"total": 2, "diff": [{"f12": "159363", "f14": "AI", "f38": 3970000000, "f297": 20250820},',
        '{"f12": "510300", "f14": "300", "f38": "-", "f297": 20250820}]}}',
    )
    assert rows(store, "units") == [UNITS | {"source": "eastmoney"}]


def test_dividends_of_tushare_once_and_not_as_planned(take, store):
    report = take(
        "fund_div.csv",
        "ts_code,ann_date,imp_anndate,div_proc,record_date,ex_date,pay_date,div_cash",
        "510300.SH,20250613,20250613,实施,20250617,20250618,20250623,0.088",
        "510300.SH,20250606,,预案,,,,0.088",
        "510300.SH,20250614,20250613,实施,20250617,20250618,20250623,0.088",
        "000001.OF,20250613,20250613,实施,20250617,20250618,20250623,0.1",
    )
    assert report.imported[0].left_out == 2
    assert rows(store, "actions") == [
        {
            "symbol": "510300.SH",
            "kind": "dividend",
            "ex_day": "2025-06-18",
            "record_day": "2025-06-17",
            "cash": 0.088,
            "pay_day": "2025-06-23",
            "source": "tushare",
        }
    ]


def test_sums_of_dividends_are_refused_with_the_reason(take):
    with pytest.raises(DataError, match=r"nothing to import.*累计分红 holds sums"):
        take("510300.csv", "日期,累计分红", "2025-06-18,0.088")


@pytest.mark.parametrize(
    ("map_name", "name", "lines"),
    [
        (
            "baostock",
            "a.csv",
            (
                "date,code,open,high,low,close,preclose,volume,amount,adjustflag,turn,tradestatus,pctChg",
                "2025-08-20,sz.159363,0.7,0.731,0.69,0.729,,523000000,371800000.0000,3,,1,3.55",
            ),
        ),
        (
            "joinquant-bars",
            "a.csv",
            (
                ",time,code,open,close,high,low,volume,money",
                "0,2025-08-20,159363.XSHE,0.7,0.729,0.731,0.69,523000000.0,371800000.0",
            ),
        ),
        (
            "ricequant-bars",
            "a.csv",
            (
                "order_book_id,date,open,close,high,low,volume,total_turnover,prev_close,num_trades",
                "159363.XSHE,2025-08-20,0.7,0.729,0.731,0.69,523000000.0,371800000.0,0.704,9",
            ),
        ),
        (
            "vnpy-bars",
            "a.csv",
            (
                "symbol,exchange,datetime,open,high,low,close,volume,turnover,open_interest",
                "159363,SZSE,2025-08-20 00:00:00+08:00,0.7,0.731,0.69,0.729,523000000,371800000,0",
            ),
        ),
        (
            "goldminer-bars",
            "a.csv",
            (
                "symbol,frequency,open,close,high,low,amount,volume,bob,eob",
                "SZSE.159363,1d,0.7,0.729,0.731,0.69,371800000,523000000,2025-08-20 00:00:00+08:00,x",
            ),
        ),
        (
            "chinese-bars",
            "a.csv",
            (
                "交易日期,证券代码,开盘价(元),最高价(元),最低价(元),收盘价(元),成交量(万股|份),成交额(万元)",
                "2025年8月20日,159363.SZ,0.7,0.731,0.69,0.729,52300,37180",
                "数据来源：Wind,,,,,,,",
            ),
        ),
        (
            "netease-daily",
            "159363.csv",
            (
                "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,涨跌额,涨跌幅,换手率,成交量,成交金额,总市值,流通市值",
                "2025-08-21,'159363,创AI,0.0,0.0,0.0,0.0,0.729,None,None,0.0,0,0.0,0.0,0.0",
                "2025-08-20,'159363,创AI,0.729,0.731,0.69,0.7,0.704,0.025,3.55,0.1,523000000,371800000.0,1e9,1e9",
            ),
        ),
        (
            "tonghuashun",
            "159363.xls",
            (
                "时间\t开盘\t最高\t最低\t收盘\t涨幅\t振幅\t总手\t金额\t换手%\t成交次数\t",
                "2025-08-20,三\t0.700\t0.731\t0.690\t0.729\t--\t--\t523,000,000\t371,800,000\t0\t0\t",
            ),
        ),
        (
            "english-bars",
            "answer.json",
            (
                '{"data": {"symbol": "SZ159363", "column": ["timestamp", "volume", "open", "high", "low",',
                '"close", "amount"], "item": [[1755619200000, 523000000, 0.7, 0.731, 0.69, 0.729,',
                "371800000]]}}",
            ),
        ),
        (
            "english-bars",
            "sz159363.csv",
            (
                "date,prevclose,open,high,low,close,volume,amount",
                "2025-08-20,0.704,0.7,0.731,0.69,0.729,523000000,371800000",
            ),
        ),
    ],
)
def test_bars_of_other_tools(take, store, map_name, name, lines):
    report = take(name, *lines)
    assert report.imported[0].map == map_name
    (row,) = rows(store, "bars")
    assert BAR.items() <= row.items()


def test_bars_of_baostock_that_are_adjusted_do_not_pass_as_traded(take, store):
    take(
        "a.csv",
        "date,code,open,high,low,close,preclose,volume,amount,adjustflag,turn,tradestatus,pctChg",
        "2025-08-20,sz.159363,0.7,0.731,0.69,0.729,0.704,523000000,371800000.0000,2,,1,3.55",
    )
    assert rows(store, "bars")[0]["source"] == "baostock, qfq"


def test_units_and_margin_of_joinquant(take, store):
    take("s.csv", "code,name,exchange_code,date,shares", "159363.XSHE,x,XSHE,2025-08-20,3970000000")
    take(
        "m.csv",
        "date,sec_code,fin_value,fin_buy_value,fin_refund_value",
        "2025-08-20,159363.XSHE,112000000,41300000,27786000",
        "2025-08-20,000001.XSHE,112000000,41300000,27786000",
    )
    assert rows(store, "units") == [UNITS | {"source": "joinquant"}]
    assert [(row["symbol"], row["repaid"]) for row in rows(store, "margin")] == [("159363.SZ", 2.7786e7)]
