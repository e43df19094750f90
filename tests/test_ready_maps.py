"""Ready maps: what each vendor saves, recognised without a map and brought to our units of measure.

The cells are made up in the vendors' form; the expected numbers are worked out by hand.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from data.checks import run_checks
from data.errors import DataError
from data.importing import ImportReport, import_files
from data.load import load_panel
from data.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    """Write a file and import it: ``take(name, *lines)``."""

    def _take(name: str, *lines: str, named: str | None = None) -> ImportReport:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return import_files([path], store, map_file=named)

    return _take


def rows(store: Store, table: str) -> list[dict[str, object]]:
    """The rows of a table as far as they are filled in, days as text."""
    frame = store.read(table)
    for name in frame.columns:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            frame[name] = frame[name].dt.strftime("%Y-%m-%d").astype("str")
    return [{key: value for key, value in row.items() if pd.notna(value)} for row in frame.to_dict("records")]


BAR = {
    "symbol": "159363.SZ",
    "day": "2025-08-20",
    "open": 0.7,
    "high": 0.731,
    "low": 0.69,
    "close": 0.729,
    "volume": 523_000_000.0,
    "amount": 371_800_000.0,
}


def test_east_money_bars_of_akshare(take, store):
    report = take(
        "159363.csv",
        "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        "2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.0,5.82,3.55,0.025,13.17",
    )
    assert report.imported[0].map == "eastmoney-daily"
    assert report.imported[0].unused == ("涨跌幅", "涨跌额")
    assert rows(store, "bars") == [BAR | {"source": "eastmoney"}]


def test_east_money_bars_of_efinance_with_the_code_in_a_column(take, store):
    take(
        "anything.csv",
        "股票名称,股票代码,日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        "创业板人工智能ETF华宝,159363,2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.0,5.82,3.55,0.025,13.17",
    )
    assert rows(store, "bars") == [BAR | {"source": "eastmoney"}]


def test_east_money_bars_with_mixed_names(take, store):
    take(
        "etf_159363_daily.csv",
        "datetime,open,close,high,low,volume,成交额,振幅,涨跌幅,涨跌额,换手率",
        "2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.0,5.82,3.55,0.025,13.17",
    )
    assert rows(store, "bars") == [BAR | {"source": "eastmoney"}]


def test_east_money_bars_of_an_index_are_known_by_the_code_in_the_name(take, store):
    lines = (
        "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        "2025-08-20,4200,4271.4,4280,4190.5,211000000,567000000000.0,1.5,1.1,48,0.9",
    )
    assert take("sh000300.csv", *lines).imported[0].map == "eastmoney-index"
    assert rows(store, "index_bars")[0] == {
        "index": "000300",
        "day": "2025-08-20",
        "open": 4200.0,
        "high": 4280.0,
        "low": 4190.5,
        "close": 4271.4,
        "amount": 5.67e11,
        "source": "eastmoney",
    }
    with pytest.raises(DataError, match="`eastmoney-daily` lacks a file name that holds the symbol"):
        take("bars.csv", *lines)


def test_tushare_fund_daily(take, store):
    take(
        "fund_daily.csv",
        "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount",
        "159363.SZ,20250820,0.700,0.731,0.690,0.729,0.704,0.025,3.5511,5230000.00,371800.000",
    )
    assert rows(store, "bars") == [BAR | {"pre_close": 0.704, "source": "tushare"}]


def test_tushare_index_daily_is_told_from_fund_daily_by_its_codes(take, store):
    header = "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount"
    take("a.csv", header, "930713.CSI,20250820,4263.62,4200,4270,4190,4210,53,1.2,100,567000000.0")
    take("b.csv", header, "399006.SZ,20250820,2607.65,2600,2620,2590,2601,6,0.2,100,1.5")
    assert [(row["index"], row["close"], row["amount"]) for row in rows(store, "index_bars")] == [
        ("399006", 2607.65, 1500.0),
        ("930713", 4263.62, 5.67e11),
    ]


def test_tushare_adjustment_factors_are_refused_with_the_reason(take):
    with pytest.raises(DataError, match=r"nothing to import.*factors are not split ratios"):
        take("fund_adj.csv", "ts_code,trade_date,adj_factor", "512480.SH,20260423,1.964")


UNITS = {"symbol": "159363.SZ", "day": "2025-08-20", "units": 3_970_000_000.0}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ("ts_code,trade_date,fd_share", "159363.SZ,20250820,397000.00"),
            UNITS | {"source": "tushare"},
        ),
        (
            (
                "trade_date,ts_code,etf_name,total_share,total_size",
                "20250820,159363.SZ,AI,397000.00,289452.70",
            ),
            UNITS | {"source": "tushare"},
        ),
        (
            ("日期,基金代码,基金简称,基金份额", "2025-08-20,159363,创业板人工智能ETF华宝,3970000000"),
            UNITS | {"source": "SZSE"},
        ),
        (
            (
                "序号,基金代码,基金简称,ETF类型,统计日期,基金份额",
                "1,588790,科创智能,单市场ETF,2025-08-20,7012384000.0",
            ),
            {"symbol": "588790.SH", "day": "2025-08-20", "units": 7_012_384_000.0, "source": "SSE"},
        ),
    ],
)
def test_fund_units(take, store, lines, expected):
    take("units.csv", *lines)
    assert rows(store, "units") == [expected]


def test_open_funds_of_tushare_are_left_out(take, store):
    take(
        "s.csv", "ts_code,trade_date,fd_share", "159363.SZ,20250820,397000.00", "000171.OF,20250820,423419.3"
    )
    take(
        "n.csv",
        "ts_code,ann_date,nav_date,unit_nav",
        "159363.OF,20250821,20250820,0.7291",
        "519674.OF,20250821,20250820,9.9",
    )
    assert rows(store, "units") == [UNITS | {"source": "tushare"}]
    assert [(row["symbol"], row["nav"]) for row in rows(store, "nav")] == [("159363.SZ", 0.7291)]


# Of the funds of managers, codes of those that are not traded, and of those that only may be.
OPEN = ["161601", "161725", "150001", "180001", "519674", "530001", "550001", "560002", "580001", "000171"]
BOTH = {"159363": "SZ", "510300": "SH", "520830": "SH", "562500": "SH", "588790": "SH"}


@pytest.mark.parametrize(
    ("header", "row", "table"),
    [
        ("ts_code,ann_date,nav_date,unit_nav", "{}.OF,20250821,20250820,0.7291", "nav"),
        ("ts_code,trade_date,fd_share", "{}.OF,20250820,397000.00", "units"),
    ],
)
def test_of_the_funds_with_of_those_that_are_surely_traded_are_taken(take, store, header, row, table):
    report = take("of.csv", header, *(row.format(code) for code in (*OPEN, *BOTH)))
    assert report.imported[0].left_out == len(OPEN)
    assert [each["symbol"] for each in rows(store, table)] == [
        f"{code}.{exchange}" for code, exchange in BOTH.items()
    ]


@pytest.mark.parametrize("code", OPEN)
def test_a_fund_that_may_not_be_traded_is_refused_elsewhere(take, code):
    with pytest.raises(DataError, match=r"`symbol` in row 1 is"):
        take("of.csv", "symbol,day,nav", f"{code}.OF,2025-08-20,0.7291")


@pytest.mark.parametrize("name", ["navhist-us-en-xlk.csv", "XLK.csv"])
def test_the_history_of_a_fund_of_state_street_with_the_ticker_above_it(take, store, name):
    report = take(
        name,
        "Fund Name:,The Technology Select Sector SPDR Fund,,",
        "Ticker Symbol:,XLK,,",
        ",,,",
        "Date,NAV,Shares Outstanding,Total Net Assets",
        "20-Aug-2025,250.12,300000000,75036000000",
        "19-Aug-2025,251.00,299500000,75174500000",
        ",,,",
        "Past performance is not a guarantee of future results.,,,",
    )
    assert {each.map for each in report.imported} == {"spdr-navhist"}
    assert [(row["symbol"], row["day"], row["units"]) for row in rows(store, "units")] == [
        ("XLK.US", "2025-08-19", 299_500_000.0),
        ("XLK.US", "2025-08-20", 300_000_000.0),
    ]
    found = [(row["nav"], row["net_assets"]) for row in rows(store, "nav")]
    assert found == [(251.0, 75_174_500_000.0), (250.12, 75_036_000_000.0)]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("159363_qfq.csv", "eastmoney, qfq"),
        ("159363后复权.csv", "eastmoney, hfq"),
        ("159363_2025.csv", "eastmoney"),
    ],
)
def test_prices_that_the_name_of_their_file_calls_adjusted(tmp_path, store, name, source):
    header = "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率"
    # Another file with the same header, so that both could be read at once.
    for code in (name, "515980.csv"):
        (tmp_path / code).write_text(
            f"{header}\n2025-08-20,0.7,0.729,0.731,0.69,5230000,371800000,5,3.55,0.025,13\n"
        )
    import_files([tmp_path], store)
    assert [(row["symbol"], row["source"]) for row in rows(store, "bars")] == [
        ("159363.SZ", source),
        ("515980.SH", "eastmoney"),
    ]


@pytest.mark.parametrize(
    ("header", "row", "source"),
    [
        (
            "ts_code,trade_date,open,high,low,close,pre_close,vol,amount",
            "159363.SZ,20250820,0.7,0.731,0.69,0.729,0.704,5230000,371800",
            "tushare, qfq",
        ),
        (
            "symbol,day,open,high,low,close,volume",
            "159363,2025-08-20,0.7,0.731,0.69,0.729,523000000",
            "imported, qfq",
        ),
        (
            "symbol,day,open,high,low,close,volume,source",
            '159363,2025-08-20,0.7,0.731,0.69,0.729,523000000,"eastmoney, qfq"',
            "eastmoney, qfq",
        ),
        (
            "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,涨跌额,涨跌幅,成交量,成交金额",
            "2025-08-20,'159363,创AI,0.729,0.731,0.69,0.7,0.704,0.025,3.55,523000000,371800000",
            "netease, qfq",
        ),
    ],
)
def test_a_name_that_calls_prices_adjusted_counts_also_where_the_vendor_has_others(
    take, store, header, row, source
):
    report = take("159363_qfq.csv", header, row)
    assert [each["source"] for each in rows(store, "bars")] == [source]
    assert any("prices are forward-adjusted" in note for note in report.imported[0].notes)


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


INDEX_BAR = {"day": "2025-08-20", "open": 4200.0, "high": 4270.0, "low": 4190.0, "close": 4263.62}


def test_history_of_a_csi_index(take, store):
    take(
        "hist.csv",
        "日期,指数代码,指数中文全称,指数中文简称,指数英文全称,指数英文简称,开盘,最高,最低,收盘,涨跌,涨跌幅,成交量,成交金额,样本数量,滚动市盈率",
        "2025-08-20,930713,x,x,x,x,4200,4270,4190,4263.62,53,1.2,100,1312.18,50,47.5",
    )
    expected = {"index": "930713", "amount": 131_218_000_000.0, "source": "csindex"} | INDEX_BAR
    assert rows(store, "index_bars") == [expected]


def test_history_of_a_csi_index_in_english_with_its_code_in_the_name(take, store):
    take(
        "H30184.csv",
        "date,open,high,low,close,amount_yi,pe",
        "2025-08-19,,,,4210,1300.5,",
        "2025-08-20,4200,4270,4190,4263.62,1312.18,47.5",
    )
    first, second = rows(store, "index_bars")
    assert first == {
        "index": "H30184",
        "day": "2025-08-19",
        "close": 4210.0,
        "amount": 1.3005e11,
        "source": "csindex",
    }
    assert second == {"index": "H30184", "amount": 131_218_000_000.0, "source": "csindex"} | INDEX_BAR


def test_history_of_a_cni_index_without_the_amount_of_unsure_unit(take, store):
    take(
        "970070.csv",
        "日期,开盘价,最高价,最低价,收盘价,涨跌幅,成交量,成交额",
        "2025-08-20,4200,4270,4190,4263.62,0.0312,1894000000,61230000000",
    )
    assert rows(store, "index_bars") == [{"index": "970070", "source": "cnindex"} | INDEX_BAR]


@pytest.mark.parametrize(
    ("name", "lines", "index", "source"),
    [
        (
            "closeweight.csv",
            (
                "日期,指数代码,指数名称,指数英文名称,成分券代码,成分券名称,成分券英文名称,交易所,交易所英文名称,权重",
                "2025-07-31,930713,x,x,300308,中际旭创,x,深圳证券交易所,x,15.89",
            ),
            "930713",
            "csindex",
        ),
        (
            "970070.csv",
            (
                "日期,样本代码,样本简称,所属行业,总市值,权重",
                "2025-07-31,300308,中际旭创,信息技术,2350.12,15.89",
            ),
            "970070",
            "cnindex",
        ),
        (
            "weight.csv",
            ("index_code,con_code,trade_date,weight", "930713.CSI,300308.SZ,20250731,15.89"),
            "930713",
            "tushare",
        ),
    ],
)
def test_index_weights_become_fractions(take, store, name, lines, index, source):
    take(name, *lines)
    assert rows(store, "index_weights") == [
        {"index": index, "day": "2025-07-31", "constituent": "300308", "weight": 0.1589, "source": source}
    ]


def test_codes_that_a_spreadsheet_shortened_get_their_zeros_back(take, store):
    take("300.csv", "symbol,day,units", "159363,2025-08-20,3970000000")
    take("w.csv", "index,day,constituent,weight", "300,2025-07-31,1,0.01", "300.0,2025-07-31,858,0.02")
    assert [(row["index"], row["constituent"]) for row in rows(store, "index_weights")] == [
        ("000300", "000001"),
        ("000300", "000858"),
    ]


def test_splits_take_effect_at_the_session_after_the_record_day(take, store):
    report = take(
        "splits.csv",
        "序号,基金代码,基金简称,拆分折算日,拆分类型,拆分折算",
        "1,159363,创业板人工智能ETF华宝,2025-07-18,份额分拆,2.0",
        "2,588790,科创AIETF博时,2025-03-18,份额分拆,2.0",
        "3,515880,通信ETF,2025-09-30,份额分拆,3.0",
        "4,519300,大成沪深300,2025-03-18,份额分拆,2.0",
    )
    assert report.imported[0].left_out == 1
    # 18 July is a Friday; after 30 September come the eight days of the National Day holiday.
    assert [
        (row["symbol"], row["record_day"], row["ex_day"], row["ratio"]) for row in rows(store, "actions")
    ] == [
        ("159363.SZ", "2025-07-18", "2025-07-21", 2.0),
        ("515880.SH", "2025-09-30", "2025-10-09", 3.0),
        ("588790.SH", "2025-03-18", "2025-03-19", 2.0),
    ]
    assert {row["kind"] for row in rows(store, "actions")} == {"split"}


def test_a_split_after_the_recorded_sessions_is_refused(take):
    with pytest.raises(DataError, match=r"session after 2099-12-31 is not recorded.*through 20"):
        take("splits.csv", "基金代码,拆分折算日,拆分折算", "159363,2099-12-31,2.0")


def test_dividends_of_east_money(take, store):
    take(
        "dividends.csv",
        "序号,基金代码,基金简称,权益登记日,除息日期,分红,分红发放日",
        "1,510880,红利ETF,2025-01-20,2025-01-21,0.05,2025-01-24",
        "2,000001,华夏成长,2025-01-20,2025-01-21,0.05,2025-01-24",
    )
    assert rows(store, "actions") == [
        {
            "symbol": "510880.SH",
            "kind": "dividend",
            "ex_day": "2025-01-21",
            "record_day": "2025-01-20",
            "cash": 0.05,
            "pay_day": "2025-01-24",
            "source": "eastmoney",
        }
    ]


YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits,Capital Gains"


def test_yahoo_bars_are_brought_back_to_what_was_traded_with_splits_and_dividends(take, store):
    # A split 1:2 on 20 August: Yahoo has halved the prices and dividends of before, and doubled the volume.
    take(
        "AIQ.csv",
        YAHOO,
        "2025-08-18 00:00:00-04:00,44.10,44.22,43.51,43.599998474121094,43.55,512300,0.0,0.0,0.0",
        "2025-08-19 00:00:00-04:00,44.10,44.22,43.51,43.60,43.55,512300,0.025,0.0,0.0",
        "2025-08-20 00:00:00-04:00,43.40,43.52,42.71,43.30,43.25,690100,0.0,2.0,0.0",
        "2025-08-21 00:00:00-04:00,43.40,43.52,42.71,43.30,43.25,690100,0.05,0.0,0.0",
    )
    assert store.read("bars")["close"].tolist() == [87.2, 87.2, 43.3, 43.3]
    assert store.read("bars")["volume"].tolist() == [256_150.0, 256_150.0, 690_100.0, 690_100.0]
    assert store.read("bars")["symbol"].unique().tolist() == ["AIQ.US"]
    assert rows(store, "actions") == [
        {"symbol": "AIQ.US", "kind": "dividend", "ex_day": "2025-08-19", "cash": 0.05, "source": "yahoo"},
        {"symbol": "AIQ.US", "kind": "dividend", "ex_day": "2025-08-21", "cash": 0.05, "source": "yahoo"},
        {"symbol": "AIQ.US", "kind": "split", "ex_day": "2025-08-20", "ratio": 2.0, "source": "yahoo"},
    ]


def test_yahoo_bars_without_dividends(take, store):
    report = take(
        "AIQ.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume",
        "2025-08-20,43.4,43.52,42.71,43.3,43.25,690100",
    )
    assert [each.table for each in report.imported] == ["bars"]
    assert "does not record the splits" in report.imported[0].notes[0]
    assert rows(store, "bars")[0]["source"] == "yahoo, split-adjusted"


def test_yahoo_prices_with_dividends_in_them_are_flagged(take, store):
    report = take(
        "159363.SZ.csv",
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
        "2025-08-20 00:00:00+08:00,0.700,0.731,0.690,0.729,523000000,0.0,0.0",
    )
    assert "forward-adjusted" in report.imported[0].notes[0]
    assert rows(store, "bars")[0]["source"] == "yahoo, qfq"
    assert store.tables == ("bars",)


def test_sina_bars_by_the_name_of_their_map(take, store):
    lines = ("date,open,high,low,close,volume", "2025-08-20,0.700,0.731,0.690,0.729,523000000")
    take("sz159363.csv", *lines, named="akshare-sina")
    assert rows(store, "bars")[0]["volume"] == 523_000_000.0


def test_facts_about_funds_of_tushare(take, store):
    take(
        "etf_basic.csv",
        "ts_code,csname,extname,cname,index_code,index_name,setup_date,list_date,list_status,exchange",
        "159363.SZ,创业板人工智能ETF华宝,x,x,970070.CNI,创业板人工智能,20241206,20241216,L,SZ",
    )
    assert rows(store, "funds") == [
        {
            "symbol": "159363.SZ",
            "name": "创业板人工智能ETF华宝",
            "index": "970070",
            "listed": "2024-12-16",
            "source": "tushare",
        }
    ]


def test_the_files_of_one_vendor_together_in_one_folder(tmp_path, store):
    folder = tmp_path / "tushare"
    folder.mkdir()
    (folder / "a.csv").write_text("ts_code,trade_date,fd_share\n159363.SZ,20250820,397000\n")
    (folder / "b.csv").write_text("ts_code,trade_date,adj_factor\n159363.SZ,20250820,2\n")
    (folder / "c.csv").write_text("ts_code,ann_date,nav_date,unit_nav\n159363.SZ,20250821,20250820,0.7291\n")
    report = import_files([folder], store)
    assert store.tables == ("nav", "units")
    assert len(report.skipped) == 1


# --- Issuers of American funds: units and NAV of each day, which make flows --------------------------

PROSHARES = (
    "Date,ProShares Name,Ticker,NAV,Prior NAV,NAV Change (%),NAV Change ($),Shares Outstanding (000),"
    "Assets Under Management"
)


def test_proshares_own_file_newest_first_in_thousands(take, store):
    report = take(
        "USD-historical_nav.csv",
        PROSHARES,
        "03/05/2026,Ultra Semiconductors,USD,53.6845,53.3486,0.63,0.3359,31540,1693209130.00",
        "03/04/2026,Ultra Semiconductors,USD,53.3486,52.0,2.59,1.3486,31660,1689016676.00",
        # Reverse splits since have made none of what were shares then.
        "09/02/2010,Ultra Semiconductors,USD,9212800.0,9212800.0,0,0,0,99.00",
    )
    assert [(each.map, each.table, each.rows) for each in report.imported] == [
        ("proshares-nav", "units", 2),
        ("proshares-nav", "nav", 3),
    ]
    assert rows(store, "units") == [
        {"symbol": "USD.US", "day": "2026-03-04", "units": 31_660_000.0, "source": "proshares"},
        {"symbol": "USD.US", "day": "2026-03-05", "units": 31_540_000.0, "source": "proshares"},
    ]
    assert rows(store, "nav")[-1]["nav"] == 53.6845
    assert rows(store, "nav")[-1]["net_assets"] == 1_693_209_130.0


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("AIQ_nav.csv", ("Date,NAV,Shares Outstanding", '08/20/2025,43.31,"98,560,000"')),
        ("all.csv", ("Fund Ticker,NAV Date,Fund,NAV,Shares Outstanding", "AIQ,8/20/2025,AI,43.31,98560000")),
    ],
)
def test_an_american_issuers_units_and_nav(take, store, name, lines):
    assert {each.map for each in take(name, *lines).imported} == {"issuer-shares"}
    (units,), (nav,) = rows(store, "units"), rows(store, "nav")
    assert (units["symbol"], units["day"], units["units"]) == ("AIQ.US", "2025-08-20", 98_560_000.0)
    assert (nav["symbol"], nav["nav"]) == ("AIQ.US", 43.31)


def test_prices_of_tiingo_are_as_traded_with_splits_and_dividends(take, store):
    rest = "226,228,223,225,3000000"
    report = take(
        "SOXX.csv",
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
        f"2024-03-06T00:00:00.000Z,680.0,685.0,670.0,675.0,1000000,{rest},0.0,1.0",
        f"2024-03-07T00:00:00.000Z,229.0,230.0,227.0,228.0,3000000,{rest},0.0,3.0",
        f"2024-03-25T00:00:00.000Z,224.0,226.0,223.0,225.0,3000000,{rest},0.31,1.0",
    )
    assert {each.map for each in report.imported} == {"tiingo"}
    assert [bar["close"] for bar in rows(store, "bars")] == [680.0, 229.0, 224.0]
    dividend, split = rows(store, "actions")
    assert (dividend["kind"], dividend["ex_day"], dividend["cash"]) == ("dividend", "2024-03-25", 0.31)
    assert (split["kind"], split["ex_day"], split["ratio"]) == ("split", "2024-03-07", 3.0)


def test_what_a_fund_holds_is_no_count_of_its_units(take):
    lines = (
        "Global X Artificial Intelligence & Technology ETF",
        "Fund Holdings Data as of 08/20/2025",
        "% of Net Assets,Ticker,Name,SEDOL,Market Price ($),Shares Held,Market Value ($)",
        '3.5,NVDA,NVIDIA CORP,2379504,175.4,100000,"17,540,000.00"',
    )
    with pytest.raises(DataError, match=r"lists what a fund holds.*`issuer-shares`"):
        take("aiq_full-holdings_20250820.csv", *lines)


def test_bars_with_english_headers_are_known_if_an_amount_can_tell_lots_from_shares(take, store):
    head, cells = "date,{},open,high,low,close,volume", "2025-08-20,{},0.7,0.731,0.69,0.729,523000000"
    report = take("a.csv", head.format("vt_symbol") + ",amount", cells.format("159363.SZSE") + ",371800000")
    assert report.imported[0].map == "english-bars"
    assert "does not say whether prices are adjusted" in report.imported[0].notes[0]
    assert rows(store, "bars")[0]["symbol"] == "159363.SZ"
    with pytest.raises(DataError, match=r"or volume is in lots.*`tidy-bars`"):
        take("b.csv", head.format("code"), cells.format("159363"))
    # What the hint asks for works.
    take("c.csv", head.format("symbol").replace("date", "day"), cells.format("515980"))
    assert [row["symbol"] for row in rows(store, "bars")] == ["159363.SZ", "515980.SH"]


def test_history_of_a_fund_of_proshares_with_the_ticker_in_the_name(take, store):
    lines = (
        "Date,NAV,Shares Outstanding,Total Net Assets",
        "Mar 04 2026,53.3486,31660000,1689016676",
    )
    assert take("USD_nav_shares_2026.csv", *lines).imported[0].map == "proshares-history"
    assert rows(store, "units")[0]["units"] == 31_660_000.0
    assert rows(store, "nav")[0] == {
        "symbol": "USD.US",
        "day": "2026-03-04",
        "nav": 53.3486,
        "net_assets": 1_689_016_676.0,
        "source": "proshares",
    }


@pytest.mark.parametrize(
    ("header", "assets"),
    [
        ("Net Assets", '"2,592,900,000"'),
        ("Net Assets ($mm)", '"2,592.9"'),
        ("Net Assets", '"$2,592.9MM"'),
    ],
)
@pytest.mark.parametrize(("shares", "wrong"), [("86,000,000", False), ("860,000,000", True)])
def test_published_net_assets_tell_a_count_of_one_fund_that_is_ten_times_too_large(
    take, store, header, assets, shares, wrong
):
    take("BOTZ.csv", f"Date,NAV,Shares Outstanding,{header}", f'08/20/2025,30.15,"{shares}",{assets}')
    assert rows(store, "nav")[0]["net_assets"] == 2_592_900_000.0
    found = [each for each in run_checks(store) if each.check == "net-assets"]
    assert [each.severity for each in found] == ["error"] * wrong
    assert all("860,000,000 x 30.15 against 2,592,900,000" in each.message for each in found)


def test_the_sheet_of_a_fund_of_ishares(take, store):
    lines = (
        "As Of,Index Level,NAV per Share,Ex-Dividends,Shares Outstanding",
        '"Nov 05, 2020","2,457.00",22.85,--,"603,600,000.00"',
        '"Nov 04, 2020","2,410.00",22.40,--,"601,000,000.00"',
    )
    assert take("SLV.csv", *lines).imported[0].map == "ishares-historical"
    assert [(row["symbol"], row["day"], row["units"]) for row in rows(store, "units")] == [
        ("SLV.US", "2020-11-04", 601_000_000.0),
        ("SLV.US", "2020-11-05", 603_600_000.0),
    ]
    assert rows(store, "nav")[1]["nav"] == 22.85
    # As iShares names it: no ticker there.
    with pytest.raises(DataError, match="`ishares-historical` lacks a file name that holds the symbol"):
        take("iShares-Silver-Trust_fund.csv", *lines)


def test_units_of_an_issuer_make_flows_of_an_american_fund(take, store):
    take(
        "USD-historical_nav.csv",
        PROSHARES,
        "03/06/2026,x,USD,50.0,54.0,0,0,31440,1572000000",
        "03/05/2026,x,USD,54.0,53.0,0,0,31540,1703160000",
        "03/04/2026,x,USD,53.0,52.0,0,0,31660,1677980000",
    )
    days = ("04", "05", "06", "09", "10", "11")
    take(
        "bars.csv",
        "symbol,day,open,high,low,close,volume,amount",
        *(f"USD.US,2026-03-{day},53,54,50,53,1000000,53000000" for day in days),
    )
    panel = load_panel(store)
    flow = dict(zip(days, panel.known.flow("nav")[:, 0], strict=True))
    # A count of session T is known at the open of T + 2: that of Thursday the 5th on Monday the 9th.
    assert flow["09"] == (31_540_000 - 31_660_000) * 54.0
    assert flow["10"] == (31_440_000 - 31_540_000) * 50.0


def test_units_on_the_basis_of_a_later_split_stop_a_run(take, store):
    """ProShares restates what was before a split; the recorded split tells, and a run does not start."""
    take(
        "TQQQ-historical_nav.csv",
        PROSHARES,
        "11/21/2025,x,TQQQ,50.3,50.2,0,0,660000,33198000000",
        "11/20/2025,x,TQQQ,50.2,50.1,0,0,650000,32630000000",
        "11/19/2025,x,TQQQ,50.1,50.0,0,0,640000,32064000000",
        "11/18/2025,x,TQQQ,50.0,49.9,0,0,630000,31500000000",
    )
    take("actions.csv", "symbol,kind,ex_day,ratio", "TQQQ.US,split,2025-11-20,2")
    take(
        "bars.csv",
        "symbol,day,open,high,low,close,volume",
        "TQQQ.US,2025-11-18,100,100,100,100,1000000",
        "TQQQ.US,2025-11-19,100.2,100.2,100.2,100.2,1000000",
        "TQQQ.US,2025-11-20,50.2,50.2,50.2,50.2,1000000",
        "TQQQ.US,2025-11-21,50.3,50.3,50.3,50.3,1000000",
    )
    assert "split-ratio" in {finding.check for finding in run_checks(store) if finding.severity == "error"}


def test_a_real_file_of_proshares(shared, store):
    """NAV times shares is what the file calls net assets."""
    path = shared / "us-etf" / "proshares-USD" / "USD_nav_shares_2026.csv"
    report = import_files([path], store)
    assert {each.table: each.rows for each in report.imported} == {"units": 123, "nav": 123}
    assert [each for each in run_checks(store) if each.check == "net-assets"] == []
    product = store.read("units")["units"] * store.read("nav")["nav"]
    assert store.read("nav")["net_assets"].tolist() == pytest.approx(product.tolist(), rel=1e-12)
    assert product.tolist() == pytest.approx(pd.read_csv(path)["Total Net Assets"].tolist(), rel=1e-12)


# Originals of the exchanges, and other tools


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


@pytest.mark.parametrize(
    ("name", "lines", "source"),
    [
        (
            "AIQ.csv",
            ("Date,Close/Last,Volume,Open,High,Low", "08/20/2025,$43.30,690100,$43.40,$43.52,$42.71"),
            "nasdaq, split-adjusted",
        ),
        (
            "x.txt",
            (
                "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
                "AIQ.US,D,20250820,000000,43.40,43.52,42.71,43.30,690100,0",
            ),
            "stooq",
        ),
        # Midnight in New York of 20 August is 04:00 in UTC.
        (
            "2025-08-20.csv",
            (
                "ticker,volume,open,close,high,low,window_start,transactions",
                "AIQ,690100,43.40,43.30,43.52,42.71,1755662400000000000,129",
                "BRK.A,10,700000,700000,700000,700000,1755662400000000000,9",
            ),
            "polygon",
        ),
        (
            "AIQ.json",
            (
                '{"ticker": "AIQ", "adjusted": true, "status": "OK", "results": [{"v": 690100, "vw": 43.1,',
                '"o": 43.4, "c": 43.3, "h": 43.52, "l": 42.71, "t": 1755662400000, "n": 129}]}',
            ),
            "polygon, split-adjusted",
        ),
        (
            "AIQ ETF Stock Price History.csv",
            (
                '"Date","Price","Open","High","Low","Vol.","Change %"',
                '"Aug 20, 2025","43.30","43.40","43.52","42.71","0.6901M","-0.23%"',
            ),
            "investing.com, split-adjusted",
        ),
        (
            "AIQ US Equity.csv",
            (
                "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME",
                "08/20/2025,43.40,43.52,42.71,43.30,690100",
            ),
            "bloomberg",
        ),
        (
            "bdh.csv",
            (
                ",AIQ US Equity,,,,,BOTZ US Equity,,,,",
                "Dates" + 2 * ",PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME",
                "2025-08-20,43.40,43.52,42.71,43.30,690100,,,,,",
            ),
            "bloomberg",
        ),
        (
            "AIQ.US.csv",
            (
                "Date,Open,High,Low,Close,Adjusted_close,Volume",
                "2025-08-20,43.40,43.52,42.71,43.30,43.1,690100",
            ),
            "eodhd",
        ),
        (
            "a.csv",
            (
                "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
                "AIQ,2025-08-20 04:00:00+00:00,43.40,43.52,42.71,43.30,690100.0,1200.0,43.1",
            ),
            "alpaca",
        ),
        (
            "a.json",
            (
                '{"symbol": "AIQ", "historical": [{"date": "2025-08-20", "open": 43.4, "high": 43.52,',
                '"low": 42.71, "close": 43.3, "adjClose": 43.1, "volume": 690100, "changeOverTime": 0.0}]}',
            ),
            "fmp, split-adjusted",
        ),
    ],
)
def test_american_bars_of_other_pages(take, store, name, lines, source):
    take(name, *lines)
    assert rows(store, "bars") == [
        {
            "symbol": "AIQ.US",
            "day": "2025-08-20",
            "open": 43.4,
            "high": 43.52,
            "low": 42.71,
            "close": 43.3,
            "volume": 690_100.0,
            "source": source,
        }
    ]


@pytest.mark.parametrize("header", ["observation_date,DEXCHUS", "DATE,DEXCHUS"])
def test_dollars_of_the_federal_reserve_bank_of_st_louis(take, store, header):
    # Holidays are empty cells since 2025, and dots before.
    report = take("DEXCHUS.csv", header, "2025-01-08,7.3316", "2025-01-09,", "2025-01-10,.")
    assert report.imported[0].map == "fred-dexchus"
    assert rows(store, "fx") == [
        {"pair": "USDCNY", "day": "2025-01-08", "rate": 7.3316, "source": "FRED DEXCHUS"}
    ]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (
            "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
            "{},43.4,43.52,42.71,43.3,14.4,690100,{},{}",
        ),
        (
            "ticker,date,open,high,low,close,volume,ex-dividend,split_ratio,adj_close",
            "AIQ,{},43.4,43.52,42.71,43.3,690100,{},{},14.4",
        ),
    ],
)
def test_bars_as_traded_with_splits_and_dividends_beside_them(take, store, header, row):
    take(
        "AIQ.csv", header, row.format("2025-08-20", "0.0000", "1.0"), row.format("2025-08-21", "0.12", "3.0")
    )
    assert [(each["day"], each["close"]) for each in rows(store, "bars")] == [
        ("2025-08-20", 43.3),
        ("2025-08-21", 43.3),
    ]
    dividend, split = rows(store, "actions")
    assert (dividend["kind"], dividend["ex_day"], dividend["cash"]) == ("dividend", "2025-08-21", 0.12)
    assert (split["kind"], split["ex_day"], split["ratio"]) == ("split", "2025-08-21", 3.0)


def test_an_adjusted_series_of_alpha_vantage_keeps_its_splits_and_dividends(take, store):
    names = (
        "open",
        "high",
        "low",
        "close",
        "adjusted close",
        "volume",
        "dividend amount",
        "split coefficient",
    )
    cells = {"2025-08-21": (43.4, 43.52, 42.71, 43.3, 14.4, 9, 0.12, 3.0)}
    cells |= {"2025-08-20": (43.4, 43.52, 42.71, 43.3, 14.4, 9, 0.0, 1.0)}
    days = {
        day: {
            f"{place}. {name}": str(cell)
            for place, (name, cell) in enumerate(zip(names, each, strict=True), 1)
        }
        for day, each in cells.items()
    }
    meta = {"2. Symbol": "AIQ", "3. Last Refreshed": "2025-08-21"}
    take("answer.json", json.dumps({"Meta Data": meta, "Time Series (Daily)": days}))
    assert [each["close"] for each in rows(store, "bars")] == [43.3, 43.3]
    assert [(each["kind"], each["ex_day"]) for each in rows(store, "actions")] == [
        ("dividend", "2025-08-21"),
        ("split", "2025-08-21"),
    ]


def test_a_nav_that_is_announced_again_was_known_the_first_time(take, store):
    header = "ts_code,ann_date,nav_date,unit_nav,net_asset"
    take(
        "nav.csv",
        header,
        "159363.SZ,20250822,20250820,0.7291,2894527000",
        "159363.SZ,20250821,20250820,0.7291,",
        "159363.SZ,20250822,20250821,0.7301,",
    )
    announced = [(0.7291, "2025-08-21"), (0.7301, "2025-08-22")]
    assert [(row["nav"], row["known_at"]) for row in rows(store, "nav")] == announced
    take("later.csv", header, "159363.SZ,20250823,20250821,0.7301,")
    assert [(row["nav"], row["known_at"]) for row in rows(store, "nav")] == announced
    with pytest.raises(DataError, match=r"more than once .* with different values"):
        take(
            "other.csv", header, "159363.SZ,20250821,20250820,0.7291,", "159363.SZ,20250822,20250820,0.7391,"
        )


def test_bars_of_openbb_are_brought_back_to_what_was_traded(take, store):
    take(
        "SOXX.csv",
        "date,open,high,low,close,volume,dividend,split_ratio",
        "2024-03-06,220,221,219,220,3000000,0.0,0.0",
        "2024-03-07,222,223,221,222,3000000,0.15,3.0",
    )
    # A split 3:1: before it a share cost three times as much, and a third as many were traded.
    assert [(each["close"], each["volume"]) for each in rows(store, "bars")] == [(660.0, 1e6), (222.0, 3e6)]
    assert [(each["kind"], each.get("cash"), each.get("ratio")) for each in rows(store, "actions")] == [
        ("dividend", 0.15, None),
        ("split", None, 3.0),
    ]


def test_bars_of_openbb_with_adjusted_prices_beside_them_are_as_traded(take, store):
    adjusted = "adj_open,adj_high,adj_low,adj_close,adj_volume"
    report = take(
        "BOTZ.csv",
        f"date,open,high,low,close,volume,{adjusted},split_ratio,dividend",
        "2025-08-19,940,950,930,944.1,1000,94,95,93,94.41,10000,1.0,0.0",
        "2025-08-20,94,95,93,94.5,10000,94,95,93,94.5,10000,10.0,0.12",
        "2025-08-21,94,95,93,94.6,10000,94,95,93,94.6,10000,1.0,0.0",
    )
    assert report.imported[0].map == "openbb-as-traded"
    assert [(each["close"], each["volume"]) for each in rows(store, "bars")] == [
        (944.1, 1e3),
        (94.5, 1e4),
        (94.6, 1e4),
    ]
    assert [(each["ex_day"], each.get("cash"), each.get("ratio")) for each in rows(store, "actions")] == [
        ("2025-08-20", 0.12, None),
        ("2025-08-20", None, 10.0),
    ]


PLAIN = "43.4,43.52,42.71,43.3,690100"
OF_THEIR_NAMES = {
    "bloomberg": ("Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME", f"2025-08-20,{PLAIN}"),
    "eodhd": ("Date,Open,High,Low,Close,Adjusted_close,Volume", "2025-08-20,43.4,43.52,42.71,43.3,43,690100"),
    "alphavantage": (
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
        "2025-08-20,43.4,43.52,42.71,43.3,43,690100,0.0,1.0",
    ),
    "openbb": ("date,open,high,low,close,volume,dividend", f"2025-08-20,{PLAIN},0.0"),
    "tiingo": (
        "date,close,high,low,open,volume,adjClose,divCash,splitFactor",
        "2025-08-20,43.3,43.52,42.71,43.4,690100,43,0.0,1.0",
    ),
    "yfinance": ("Date,Open,High,Low,Close,Adj Close,Volume", "2025-08-20,43.4,43.52,42.71,43.3,43,690100"),
    "nasdaq": ("Date,Close/Last,Volume,Open,High,Low", "08/20/2025,$43.3,690100,$43.4,$43.52,$42.71"),
}
LISTED_ELSEWHERE = {
    "bloomberg": ["VUSA LN Equity", "AIQ MM Equity"],
    "eodhd": ["VUSA.LSE", "AIQ.MX"],
    "alphavantage": ["TSCO.LON", "TSCO LN Equity"],
    "openbb": ["VUSA.L"],
    "tiingo": ["VUSA.L"],
    "yfinance": ["VUSA.L", "EXSA.DE"],
    "nasdaq": ["VUSA.L"],
}


@pytest.mark.parametrize(
    ("vendor", "name"), [(vendor, name) for vendor, names in LISTED_ELSEWHERE.items() for name in names]
)
def test_a_listing_elsewhere_in_a_files_name_is_no_american_fund(take, vendor, name):
    with pytest.raises(DataError, match=rf"is not a symbol of a fund; received '{name.split(' E')[0]}'"):
        take(f"{name}.csv", *OF_THEIR_NAMES[vendor])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("VUSA_LN", "LN is the mark of an exchange of another country"),
        ("VUSA_L", "L is the mark"),
        ("VUSA-LON_2025", "LON is the mark"),
        ("XAIX_GY", "GY is the mark"),
        ("VUSA.l", "L is the mark"),
        ("LSE_VUSA", "LSE and VUSA may both be tickers"),
        ("AMEX_AIQ, 1D", "AMEX and AIQ may both be tickers"),
        ("BRK-B", "BRK and B may both be tickers, or one security"),
        ("SPY_QQQ", "SPY and QQQ may both be tickers"),
        ("ETF_BOTZ", "ETF is a word, unless it is written ETF.US"),
        ("NAV", "NAV is a word, unless it is written NAV.US"),
    ],
)
def test_a_ticker_in_a_files_name_that_is_none_or_of_another_security(take, name, why):
    with pytest.raises(DataError, match=rf"not clearly that of a fund; received {name}: {why}"):
        take(f"{name}.csv", *OF_THEIR_NAMES["yfinance"])


def test_a_ticker_that_is_a_word_is_believed_with_its_mark(take, store):
    take("FLOW.US.csv", *OF_THEIR_NAMES["yfinance"])
    assert [each["symbol"] for each in rows(store, "bars")] == ["FLOW.US"]


@pytest.mark.parametrize("name", ["3191.HK", "2854.T", "0050.TW", "005930.KS"])
def test_a_code_of_another_country_in_a_files_name_is_said_to_be_one(take, name):
    with pytest.raises(DataError, match="a listing in another country: only funds of Shanghai, Shenzhen and"):
        take(f"{name}.csv", *OF_THEIR_NAMES["yfinance"])


def test_a_code_of_seoul_in_a_files_name_is_none_of_shenzhen(take, store):
    bars = ("date,open,high,low,close,volume,amount", "2025-08-20,9.7,9.8,9.6,9.75,1000,9700")
    with pytest.raises(DataError, match=r"152100\.KS: KS is the mark of an exchange of another country"):
        take("152100.KS.csv", *bars)
    take("159363.XSHE.csv", *bars)
    assert rows(store, "bars")[0]["symbol"] == "159363.SZ"


@pytest.mark.parametrize(
    "name",
    [
        *("AIQ_US", "AIQ-UQ", "AIQ_NAV", "AIQ ETF Stock Price", "AIQ_max", "AIQ_D"),
        *("AIQ_SPLITS", "AIQ_SHARES", "AIQ-SPLIT", "AIQ_TIINGO", "AIQ_STOOQ", "AIQ_CLOSE"),
    ],
)
def test_words_beside_a_ticker_that_say_something_of_the_data(take, store, name):
    take(f"{name}.csv", *OF_THEIR_NAMES["yfinance"])
    assert [each["symbol"] for each in rows(store, "bars")] == ["AIQ.US"]


@pytest.mark.parametrize("vendor", OF_THEIR_NAMES)
def test_the_ticker_of_an_american_fund_in_a_files_name(take, store, vendor):
    names = ["AIQ US Equity"] if vendor == "bloomberg" else ["AIQ.US", "AIQ_2025-08-20", "AIQ.daily"]
    for name in ["AIQ", *names]:
        take(f"{name}.csv", *OF_THEIR_NAMES[vendor])
    assert [(each["symbol"], each["close"]) for each in rows(store, "bars")] == [("AIQ.US", 43.3)]


SPLIT = {"symbol": "SOXL.US", "kind": "split", "ex_day": "2021-03-02", "ratio": 15.0}
DIVIDEND = {"symbol": "BOTZ.US", "kind": "dividend", "ex_day": "2025-06-27", "cash": 0.137}
ACTIONS = {
    "massive-splits": (
        '{"results": [{"execution_date": "2021-03-02", "id": "E1", "split_from": 1, "split_to": 15, '
        '"ticker": "SOXL"}], "status": "OK"}',
        SPLIT | {"source": "polygon"},
    ),
    "massive-dividends": (
        '{"results": [{"cash_amount": 0.137, "currency": "USD", "declaration_date": "2025-06-26", '
        '"ex_dividend_date": "2025-06-27", "pay_date": "2025-07-03", "split_adjusted_cash_amount": 0.07, '
        '"record_date": "2025-06-27", "ticker": "BOTZ"}]}',
        DIVIDEND | {"record_day": "2025-06-27", "pay_day": "2025-07-03", "source": "polygon"},
    ),
    "fmp-splits": (
        '[{"symbol": "SOXL", "date": "2021-03-02", "numerator": 15, "denominator": 1}]',
        SPLIT | {"source": "fmp"},
    ),
    "fmp-dividends": (
        '[{"symbol": "BOTZ", "date": "2025-06-27", "recordDate": "2025-06-27", "adjDividend": 0.0685, '
        '"dividend": 0.137}]',
        DIVIDEND | {"record_day": "2025-06-27", "source": "fmp"},
    ),
    "alpaca-splits": (
        '{"corporate_actions": {"forward_splits": [{"symbol": "SOXL", "new_rate": 15, "old_rate": 1, '
        '"ex_date": "2021-03-02", "record_date": "2021-02-25"}]}, "next_page_token": null}',
        SPLIT | {"record_day": "2021-02-25", "source": "alpaca"},
    ),
    "alpaca-dividends": (
        '{"corporate_actions": {"cash_dividends": [{"symbol": "BOTZ", "rate": 0.137, "special": false, '
        '"foreign": false, "ex_date": "2025-06-27"}]}, "next_page_token": null}',
        DIVIDEND | {"source": "alpaca"},
    ),
    "twelvedata-splits": (
        '{"meta": {"symbol": "SOXL"}, "splits": [{"date": "2021-03-02", "description": "15-for-1 split", '
        '"ratio": 0.06667, "from_factor": 15, "to_factor": 1}]}',
        SPLIT | {"source": "twelvedata"},
    ),
    "nasdaq-splits": (
        '{"data": {"rows": [{"symbol": "SOXL", "name": "x", "ratio": "15 : 1", "payableDate": "3/2/2021", '
        '"executionDate": "3/2/2021", "announcedDate": "2/5/2021"}]}}',
        SPLIT | {"source": "nasdaq"},
    ),
}


@pytest.mark.parametrize("vendor", ACTIONS)
def test_splits_and_dividends_of_american_vendors(take, store, vendor):
    text, expected = ACTIONS[vendor]
    assert take("x.json", text).imported[0].map == vendor
    assert rows(store, "actions") == [expected]


def test_splits_and_dividends_of_eodhd_with_the_ticker_in_the_files_name(take, store):
    take("SOXL.US.json", '[{"date": "2021-03-02", "split": "15.000000/1.000000"}]')
    dividend = '"paymentDate": "2025-07-03", "value": 0.0685, "unadjustedValue": 0.137, "currency": "USD"'
    take("BOTZ.US.json", f'[{{"date": "2025-06-27", "recordDate": "2025-06-27", {dividend}}}]')
    days = {"record_day": "2025-06-27", "pay_day": "2025-07-03"}
    assert rows(store, "actions") == [DIVIDEND | days | {"source": "eodhd"}, SPLIT | {"source": "eodhd"}]
    # Its CSV of splits has the header of yfinance.
    take("TECL.US.csv", 'Date,"Stock Splits"', "2021-03-02,10.000000/1.000000")
    assert rows(store, "actions")[-1]["ratio"] == 10.0


def test_a_reverse_split_and_dividends_that_are_not_in_dollars(take, store):
    row = '{{"execution_date": "{}", "split_from": {}, "split_to": 1, "ticker": "SQQQ"}}'
    take("x.json", f"[{row.format('2025-11-20', 5)}, {row.format('2024-11-07', 4)}]")
    assert [each["ratio"] for each in rows(store, "actions")] == [0.25, 0.2]
    with pytest.raises(DataError, match=r"`ratio` of table `actions` is not a finite number.*received '1/0'"):
        take("y.json", f"[{row.format('2024-11-07', 0)}]")
    with pytest.raises(DataError, match=r"not a finite number.*received '1/'"):
        take("y.json", f"[{row.format('2024-11-07', 'null')}]")
    paid = '"cash_amount": 0.2, "ex_dividend_date": "2025-06-27", "ticker": "BOTZ"'
    with pytest.raises(DataError, match="every row is left out"):
        take("z.json", f'[{{{paid}, "currency": "CAD"}}]')


def test_actions_of_yfinance_alone(take, store):
    report = take(
        "BOTZ.csv",
        "Date,Dividends,Stock Splits",
        "2024-06-27 00:00:00-04:00,0.05,0.0",
        "2024-09-03 00:00:00-04:00,0.0,2.0",
        "2025-06-27 00:00:00-04:00,0.137,0.0",
    )
    assert report.imported[0].map == "yfinance-actions"
    # Yahoo halves the dividend from before the split 2:1, and 0.10 was paid.
    assert [(each["ex_day"], each.get("cash"), each.get("ratio")) for each in rows(store, "actions")] == [
        ("2024-06-27", 0.1, None),
        ("2025-06-27", 0.137, None),
        ("2024-09-03", None, 2.0),
    ]
    take("SOXL_splits.csv", "Date,Stock Splits", "2021-03-02 00:00:00-05:00,15.0")
    assert rows(store, "actions")[-1] == SPLIT | {"source": "yahoo"}
    # Nothing tells of later splits there.
    with pytest.raises(
        DataError, match="on the basis of later splits, which are not in the file: save `actions`"
    ):
        take("AIQ.csv", "Date,Dividends", "2025-06-27 00:00:00-04:00,0.137")


RATIOS = {
    "3": 3.0,
    "3-for-1": 3.0,
    "15 for 1 forward split": 15.0,
    "1-for-4 reverse split": 0.25,
    "3/1": 3.0,
    "3.000000/2.000000": 1.5,
    "1拆2": 2.0,
    "每1份拆分为1.5份": 1.5,
}


def test_a_ratio_of_a_split_that_says_which_number_is_the_new_one(take, store):
    splits = [f"159363,split,2025-08-{day},{written}" for day, written in enumerate(RATIOS, 18)]
    take("actions.csv", "symbol,kind,ex_day,ratio", *splits)
    assert store.read("actions")["ratio"].tolist() == list(RATIOS.values())


@pytest.mark.parametrize("written", ["3:1", "1：3", "1 : 2.0000", "5%"])
def test_a_ratio_that_does_not_say_which_number_is_the_new_one_is_refused(take, store, tmp_path, written):
    lines = ("symbol,kind,ex_day,ratio", f"159363,split,2025-08-20,{written}")
    with pytest.raises(DataError, match=r"how many new units there are for an old one.*3-for-1, or 3/1"):
        take("actions.csv", *lines)
    if written == "1：3":
        (tmp_path / "my.toml").write_text('based_on = "tidy-actions"\nratios = "old:new"\n')
        take("actions.csv", *lines, named=tmp_path / "my.toml")
        assert rows(store, "actions")[0]["ratio"] == 3.0


def test_a_ratio_that_contradicts_itself_is_none(take):
    for written in ("4-for-1 reverse split", "3-1", "three", "0/0"):
        with pytest.raises(DataError, match="`ratio` of table `actions` is not a finite number in row 1"):
            take("actions.csv", "symbol,kind,ex_day,ratio", f"159363,split,2025-08-20,{written}")


def test_splits_on_the_page_of_a_fund_of_east_money(take, store):
    take("159363.csv", "年份,拆分折算日,拆分类型,拆分折算比例", "2025年,2025-08-20,份额分拆,1:2.0000")
    (split,) = rows(store, "actions")
    assert (split["record_day"], split["ex_day"], split["ratio"]) == ("2025-08-20", "2025-08-21", 2.0)


def test_bars_of_openbb_that_may_be_either_are_refused(take):
    # Of Alpha Vantage: as traded or on the basis of later splits, as was asked.
    with pytest.raises(DataError, match="`openbb-historical` lacks no column adj_close"):
        take(
            "BOTZ.csv",
            "date,open,high,low,close,volume,adj_close,split_ratio,dividend",
            "2025-08-19,940,950,930,944.1,1000,94.41,1.0,0.0",
        )


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
