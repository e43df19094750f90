"""Files of vendors as they are passed around: understood with the right value, or refused in words.

Each value was written down before the file was imported.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from data.errors import DataError, UsageError
from data.importing import ImportReport, import_files
from data.load import load_panel
from data.store.store import Store
from tests.helpers.workbooks import Day, xlsx

BAR = ("159363.SZ", "2025-08-20", 0.7, 0.731, 0.69, 0.729, 523_000_000.0)
AMERICAN = ("BOTZ.US", "2025-08-20", 30.2, 30.3, 29.95, 30.15, 493_000.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    """Write a file (text, bytes, or what JSON writes) and import it."""

    def _take(name: str, content: object, named: str | None = None) -> ImportReport:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return import_files([path], store, map_file=named)

    return _take


def bars(store: Store) -> list[tuple[object, ...]]:
    """The bars of a store, without amounts."""
    rows = store.read("bars").assign(day=lambda rows: rows["day"].dt.strftime("%Y-%m-%d"))
    return list(
        rows[["symbol", "day", "open", "high", "low", "close", "volume"]].itertuples(index=False, name=None)
    )


def parquet(frame: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.to_parquet(content)
    return content.getvalue()


# --- Chinese terminals and libraries ---------------------------------------------------------------------
QMT = "time,open,high,low,close,volume,amount,settelementPrice,openInterest,preClose,suspendFlag"
QMT_ROW = "1755619200000,0.7,0.731,0.69,0.729,5230000,371800000.0,0.0,15,0.704,0"
CHINESE = {
    # xtquant counts lots: 002600 traded 9.1e8 yuan on 2025-01-02, 1,146,436 times 7.82 is 100 times less.
    "qmt-bars": ("159363.SZ.csv", f",{QMT}\n20250820,{QMT_ROW}\n"),
    "windpy": (
        "159363.csv",
        ",OPEN,HIGH,LOW,CLOSE,VOLUME,AMT\n2025-08-20,0.7,0.731,0.69,0.729,523000000,371800000\n",
    ),
    "ifind-bars": (
        "x.csv",
        "thscode,time,open,high,low,close,volume,amount\n"
        "159363.SZ,2025-08-20,0.7,0.731,0.69,0.729,523000000,371800000\n",
    ),
    "chinese-bars": (
        "159363.csv",
        "日期,代碼,開盤價,最高價,最低價,收盤價,成交量(股),成交額(萬元)\n2025-08-20,159363,0.7,0.731,0.69,0.729,523000000,37180\n",
    ),
}


@pytest.mark.parametrize("used", CHINESE)
def test_bars_of_chinese_terminals(take, store, used):
    report = take(*CHINESE[used])
    assert report.imported[0].map == used
    assert bars(store) == [BAR]
    assert store.read("bars")["amount"].tolist() == [371_800_000.0]


def test_bars_of_qmt_without_the_index_are_dated_in_shanghai(take, store):
    take("159363.SZ.csv", f"{QMT}\n{QMT_ROW}\n")
    assert bars(store) == [BAR]


def test_an_answer_of_ifind(take, store):
    cells = {
        "open": [0.7],
        "high": [0.731],
        "low": [0.69],
        "close": [0.729],
        "volume": [523000000],
        "amount": [1],
    }
    table = {"thscode": "159363.SZ", "time": ["2025-08-20"], "table": cells}
    take("x.json", {"errorcode": 0, "errmsg": "", "tables": [table]})
    assert bars(store) == [BAR]
    cells["close"] = [0.729, 0.73]
    with pytest.raises(DataError, match="columns of a table are not of one length; received time 1, open 1"):
        take("y.json", {"errorcode": 0, "tables": [table]})


def test_a_unit_of_measure_as_wind_writes_it(take, store):
    header = ["证券代码", "证券简称", "交易日期", "基金份额\n[单位] 亿份"]
    rows = [header, ["159363.SZ", "创AI", Day(45889), 39.7], ["数据来源：Wind"]]
    take("x.xlsx", xlsx({"Sheet1": rows}))
    assert store.read("units")["units"].tolist() == [3_970_000_000.0]


@pytest.mark.parametrize("corner", ["", "日期"])
@pytest.mark.parametrize("field", ["基金份额\n[单位]亿份", "基金份额(亿份)"])
def test_codes_of_wind_above_one_field_side_by_side(take, store, corner, field):
    rows = [
        ["", "159363.SZ", "515980.SH"],
        [corner, field, field],
        [Day(45889), 39.7, 12.3],
        [Day(45890), 39.8, 12.3],
    ]
    take("x.xlsx", xlsx({"Sheet1": [*rows, ["数据来源：Wind"]]}))
    assert store.read("units")[["symbol", "units"]].to_numpy().tolist() == [
        ["159363.SZ", 3_970_000_000.0],
        ["159363.SZ", 3_980_000_000.0],
        ["515980.SH", 1_230_000_000.0],
        ["515980.SH", 1_230_000_000.0],
    ]


def test_fields_of_one_code_of_wind_side_by_side(take, store):
    cells = [0.7, 0.731, 0.69, 0.729, 523000000, 371800000]
    rows = [
        ["", *["159363.SZ"] * 6],
        ["Date", "open", "high", "low", "close", "volume", "amt"],
        [Day(45889), *cells],
    ]
    assert take("x.xlsx", xlsx({"Sheet1": rows})).imported[0].map == "wind-plugin"
    assert bars(store) == [BAR]


def test_names_of_fields_in_capitals_are_no_tickers(take):
    with pytest.raises(DataError, match="do not say whether prices are adjusted"):
        take("159363.csv", "DATE,OPEN,HIGH,LOW,CLOSE,VOLUME\n2025-08-20,0.7,0.731,0.69,0.729,523000000\n")


# --- Pages and scripts of East Money, Tencent and Sina ---------------------------------------------------
PAGE = (
    'var ishb=false;var fS_name = "创AI";var fS_code = "159363";var stockCodes=["3003080","0022300"];'
    "/*单位净值走势*/var Data_netWorthTrend = {};"
    "/*累计净值走势*/var Data_ACWorthTrend = [[1755619200000,1.4582]];"
)
# Midnight in Shanghai, in milliseconds.
TREND = (
    '[{"x":1755532800000,"y":0.7213,"equityReturn":0.11,"unitMoney":""},'
    '{"x":1755619200000,"y":0.7291,"equityReturn":1.08,"unitMoney":""}]'
)
NAVS = [("159363.SZ", "2025-08-19", 0.7213), ("159363.SZ", "2025-08-20", 0.7291)]


def navs(store: Store) -> list[tuple[object, ...]]:
    rows = store.read("nav").assign(day=lambda rows: rows["day"].dt.strftime("%Y-%m-%d"))
    return list(rows[["symbol", "day", "nav"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("name", "text"),
    [("page.js", PAGE.format(TREND)), ("page.txt", PAGE.format(TREND)), ("159363.json", TREND)],
)
def test_nav_in_the_script_of_a_page_of_east_money(take, store, name, text):
    assert take(name, text).imported[0].map == "eastmoney-pingzhongdata"
    assert navs(store) == NAVS


def test_nav_of_the_last_two_days_with_the_days_in_the_header(take, store):
    header = "2025-08-20-单位净值,2025-08-20-累计净值,2025-08-19-单位净值,2025-08-19-累计净值,增长值,市价"
    take(
        "x.csv",
        f",基金代码,基金简称,{header}\n0,159363,创AI,0.7291,1.4582,0.7213,1.4426,0.0078,0.729\n"
        "1,515980,人工智能,,,1.1213,1.1213,,1.121\n",
    )
    assert navs(store) == [*NAVS, ("515980.SH", "2025-08-19", 1.1213)]


TENCENT = {
    "sz159363": {
        "day": [["2025-08-20", "0.700", "0.729", "0.731", "0.690", "5230000.000", {}, "13.17", "37180.0"]],
        "qt": {"sz159363": ["51", "创AI", "159363"], "market": ["2025-08-21"]},
        "prec": "0.704",
    }
}


@pytest.mark.parametrize(
    ("series", "used", "source"),
    [
        ("day", "tencent-day", "tencent"),
        ("qfqday", "tencent-day-qfq", "tencent, qfq"),
        ("hfqday", "tencent-day-hfq", "tencent, hfq"),
    ],
)
def test_bars_of_tencent_open_and_close_first_in_lots(take, store, series, used, source):
    text = json.dumps({"code": 0, "msg": "", "data": TENCENT}).replace('"day"', f'"{series}"')
    for name, content in (("a.json", text), ("b.js", f"kline_{series}={text}")):
        assert take(name, content).imported[0].map == used
    assert bars(store) == [BAR]
    assert store.read("bars")["source"].tolist() == [source]


def test_bars_of_tencent_that_are_cut_off_or_of_weeks(take):
    with pytest.raises(
        DataError, match=r"a bar of `day` has too few fields.*limit: date, open, close, high, low"
    ):
        take("a.json", {"data": {"sz159363": {"day": [["2025-08-20", "0.700", "0.729"]]}}})
    with pytest.raises(DataError, match="holds no table"):
        take("b.json", {"data": {"sz159363": {"week": TENCENT["sz159363"]["day"]}}})


def test_a_script_of_sina_asks_for_its_map(take, store):
    row = {"day": "2025-08-20", "open": "0.700", "high": "0.731", "low": "0.690", "close": "0.729"}
    rows = json.dumps([row | {"volume": "523000000"}])
    text = f"/*<script>location.href='//sina.com';</script>*/\n_sz159363_240=({rows});"
    with pytest.raises(DataError, match=r"`akshare-sina` \(as traded, volume in shares\)"):
        take("sz159363.txt", text)
    take("sz159363.txt", text, "akshare-sina")
    assert bars(store) == [BAR]


@pytest.mark.parametrize(
    "text",
    [
        'v_sz159363="51~创AI~159363~0.729~0.704";\n',
        'var hq_str_sz159363="创AI,0.700,0.704,0.729,0.731,0.690";\n',
    ],
)
def test_a_quote_of_one_moment_is_called_one(take, text):
    with pytest.raises(DataError, match=r"sz159363 = .*It is a quote of one moment"):
        take("quote.txt", text)


def test_a_script_with_comments_and_spaces_without_end_is_refused_at_once(take):
    for text in (
        "/**/" * 200_000 + "x",
        "var a = 1;" + " \n" * 500_000,
        "a=[" * 200_000,
        "var a=[" + "[" * 100_000,
    ):
        with pytest.raises(DataError):
            take("page.js", text)


def test_a_script_without_a_table(take):
    with pytest.raises(DataError, match="is a script that assigns no list and no object"):
        take("page.js", "var a = 1; var b = document.all;")


# --- Frames with their index, in Parquet -----------------------------------------------------------------
def test_days_of_an_index_with_a_zone(take, store):
    cells = {
        "open": [0.7],
        "close": [0.729],
        "high": [0.731],
        "low": [0.69],
        "volume": [523e6],
        "money": [1.0],
    }
    # Midnight in Shanghai, kept as 16:00 of the day before in UTC.
    index = pd.DatetimeIndex(["2025-08-20"], tz="Asia/Shanghai")
    for number, each in enumerate((index, index.tz_convert("UTC"))):
        take(f"159363_{number}.parquet", parquet(pd.DataFrame(cells, index=each)))
    assert bars(store) == [BAR]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("x.feather", r"Save it as Parquet: pandas\.read_feather"),
        ("x.pkl", r"Opening it would run what is in it\. Save it as Parquet"),
        ("x.h5", r"pandas\.read_hdf"),
        ("x.ods", "Save it as xlsx"),
        ("x.zip", "Unpack it first"),
        ("x.doc", "Save the table as CSV"),
    ],
)
def test_other_kinds_of_files_with_what_to_do_about_them(take, name, hint):
    with pytest.raises(UsageError, match=rf"is not a kind of file that is read.*{hint}"):
        take(name, b"1")


@pytest.mark.parametrize("cell", [[0.7291, 0.73], [0.7291]])
def test_a_list_in_a_cell_is_called_one(take, cell):
    rows = [{"symbol": "515980", "nav": 1.1}, {"symbol": "159363", "nav": cell}]
    with pytest.raises(DataError, match=r"`nav` in row 2 is a list, and no number; received \[0\.7291"):
        take("x.json", [{"day": "2025-08-20", **row} for row in rows])


# --- American vendors ------------------------------------------------------------------------------------
SHORT = {"v": 493000, "vw": 30.1, "o": 30.2, "c": 30.15, "h": 30.3, "l": 29.95, "n": 12}
LONG = {"open": 30.2, "high": 30.3, "low": 29.95, "close": 30.15, "volume": 493000}
OF_DAY = {"symbol": "BOTZ", "date": "2025-08-20", **LONG}
VENDORS = {
    "polygon-aggregates": {"ticker": "BOTZ", "adjusted": True, "results": [SHORT | {"t": 1755662400000}]},
    "polygon-aggregates-traded": {
        "ticker": "BOTZ",
        "adjusted": False,
        "results": [SHORT | {"t": 1755662400000}],
    },
    "alpaca-json": {"bars": {"BOTZ": [SHORT | {"t": "2025-08-20T04:00:00Z"}]}, "next_page_token": None},
    "fmp-full": [OF_DAY | {"change": -0.05, "changePercent": -0.17, "vwap": 30.1}],
    "sharadar-prices": [
        {"ticker": "BOTZ", "date": "2025-08-20", **LONG, "closeadj": 30.0, "closeunadj": 30.15}
    ],
}
SOURCES = ["polygon, split-adjusted", "polygon", "alpaca", "fmp, split-adjusted", "sharadar, split-adjusted"]


@pytest.mark.parametrize(("used", "source"), [*zip(VENDORS, SOURCES, strict=True)])
def test_bars_of_american_vendors(take, store, used, source):
    assert take("x.json", VENDORS[used]).imported[0].map == used
    assert bars(store) == [AMERICAN]
    assert store.read("bars")["source"].tolist() == [source]


REFUSED = {
    "Databento": (
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n"
        "1755648000000000000,35,2,1,30200000000,30300000000,29950000000,30150000000,493000,BOTZ\n",
        r"one venue and of days of UTC.*counted in 10\^-9",
    ),
    "Interactive Brokers": (
        "date,open,high,low,close,volume,average,barCount\n20250820,30.2,30.3,29.95,30.15,493000,30.12,1200\n",
        'volume in lots: write a map file .* adjusted = "splits"',
    ),
    "FMP": (
        "symbol,date,adjOpen,adjHigh,adjLow,adjClose,volume\nBOTZ,2025-08-20,30.2,30.3,29.95,30.15,493000\n",
        r"both for prices as traded \(non-split-adjusted\)",
    ),
    "Twelve Data": (
        "symbol,datetime,open,high,low,close,volume\nBOTZ,2025-08-20,30.2,30.3,29.95,30.15,493000\n",
        "do not say whether prices are adjusted, or volume is in lots",
    ),
    "Alpha Vantage, five minutes": (
        "date,open,high,low,close,volume\n2025-08-20 16:00:00,30.2,30.3,29.95,30.15,493\n",
        "Its rows have times, as bars of minutes or hours do",
    ),
    "Invesco": (
        "Fund Ticker,Holding Ticker,Shares/Par Value,MarketValue,Date\nQQQ,NVDA,208345678,36543,08/20/2025\n",
        r"lists what a fund holds: neither its units outstanding",
    ),
    "AKShare fund_portfolio_hold_em": (
        "序号,股票代码,股票名称,占净值比例,持股数,持仓市值,季度\n1,300308,中际旭创,10.11,300.5,1234.7,2025年2季度股票投资明细\n",
        "lists what a fund holds",
    ),
    "TWSE": (
        '"日期","成交股數","成交金額","開盤價","最高價","最低價","收盤價"\n"114/08/20","10,234","512","50","51","49","50"\n',
        "of the Taiwan exchange, whose funds are not known here",
    ),
    "FRED": (
        "observation_date,DEXUSEU\n2025-08-20,1.1645\n",
        "only DEXCHUS is an exchange rate that is used",
    ),
}


@pytest.mark.parametrize("vendor", REFUSED)
def test_files_that_are_refused_with_the_reason(take, vendor):
    text, words = REFUSED[vendor]
    with pytest.raises(DataError, match=words):
        take("file.csv", text)


def test_net_assets_fill_in_what_is_on_file_and_change_no_panel(take, store):
    rows = [f"BOTZ.US,2025-08-{day},30.2,30.3,29.95,30.15,493000" for day in (19, 20, 21)]
    take("bars.csv", "\n".join(["symbol,day,open,high,low,close,volume", *rows]))
    take("a.csv", "Ticker,Date,NAV,Shares Outstanding\nBOTZ,08/20/2025,30.15,86000000\n")
    before = load_panel(store).fingerprint
    report = take(
        "b.csv", "Ticker,Date,NAV,Shares Outstanding,Net Assets\nBOTZ,08/20/2025,30.15,86000000,2592900000\n"
    )
    assert {each.table: (each.completed, each.revised) for each in report.changes} == {
        "units": (0, 0),
        "nav": (1, 0),
    }
    assert store.read("nav")["net_assets"].tolist() == [2_592_900_000.0]
    assert load_panel(store).fingerprint == before


def test_net_assets_in_words_of_a_fund_company(take, store):
    take(
        "x.csv",
        "Ticker,Date,NAV,Net Assets,Shares Outstanding\nBOTZ,08/20/2025,$30.15,$2.59 Billion,86.0 million\n",
    )
    assert store.read("nav")["net_assets"].tolist() == [2.59e9]
    assert store.read("units")["units"].tolist() == [86e6]


@pytest.mark.parametrize("day", ["08/20/2025", "20-Aug-2025", '"Aug 20, 2025"', "2025-08-20"])
def test_units_and_nav_of_issuers_beside_net_assets_however_their_days_are_written(take, store, day):
    take(
        "BOTZ.csv",
        f'Date,NAV,Shares Outstanding,Total Net Assets\n{day},30.15,"86,000,000","2,592,900,000"\n',
    )
    assert navs(store) == [("BOTZ.US", "2025-08-20", 30.15)]
    assert store.read("units")["units"].tolist() == [86e6]
    assert store.read("nav")["net_assets"].tolist() == [2_592_900_000.0]


# --- Exchange rates --------------------------------------------------------------------------------------
def test_h10_as_the_federal_reserve_writes_it(take, store):
    lines = (
        '"Series Description","CHINA -- SPOT EXCHANGE RATE, YUAN/US$, P.R."',
        '"Unit:","Currency:_Per_USD"',
        '"Multiplier:","1"',
        '"Currency:","CNY"',
        '"Unique Identifier: ","H10/H10/RXI_N.B.CH"',
        '"Time Period","RXI_N.B.CH"',
        "2025-08-20,7.1784",
        "2025-08-21,ND",
    )
    assert take("FRB_H10.csv", "\n".join(lines)).imported[0].left_out == 1
    assert store.read("fx")[["pair", "rate"]].to_numpy().tolist() == [["USDCNY", 7.1784]]


def test_rates_of_the_bank_of_china_do_not_say_of_which_currency_they_are(take, store):
    text = "日期,中行汇买价,中行钞买价,中行钞卖价/汇卖价,央行中间价\n2025-08-20,716.67,716.67,719.68,713.84\n"
    with pytest.raises(DataError, match="name the map `boc-sina-usd` if it is of the dollar"):
        take("usd.csv", text)
    take("usd.csv", text, "boc-sina-usd")
    assert store.read("fx")["rate"].tolist() == [pytest.approx(7.1384, rel=1e-12)]


def test_the_answer_of_fred_does_not_name_its_series(take):
    row = {
        "realtime_start": "2025-08-25",
        "realtime_end": "2025-08-25",
        "date": "2025-08-20",
        "value": "7.1784",
    }
    with pytest.raises(DataError, match=r"FRED's JSON does not name its series: save it as CSV"):
        take("x.json", {"observation_start": "1600-01-01", "observations": [row]})


# --- Macro series ----------------------------------------------------------------------------------------
PERIODS = {
    "2025-07": "2025-07-31",
    "202508": "2025-08-31",
    "2025.09": "2025-09-30",
    "2024年2月份": "2024-02-29",
    "2025年11月": "2025-11-30",
    "2024Q2": "2024-06-30",
    "2024-Q4": "2024-12-31",
    "2023年第3季度": "2023-09-30",
    "2023年第1-2季度": "2023-06-30",
    "2022年": "2022-12-31",
    "2022-07-01": "2022-07-01",
}


def test_a_period_is_its_last_day(take, store):
    rows = [f"cpi,{written},0.4,2026-08-09 09:30" for written in PERIODS]
    take("macro.csv", "\n".join(["series,period,value,known_at", *rows]))
    assert store.read("macro")["period"].dt.strftime("%Y-%m-%d").tolist() == sorted(PERIODS.values())


def test_a_period_that_may_be_another_is_refused(take):
    for written in ("2025.1", "2025-13", "2025Q5", "2025年1-7月", "Jul-25", "0000年", "0000Q1"):
        with pytest.raises(DataError, match="`period` of table `macro` is not a date in row 1"):
            take("macro.csv", f"series,period,value\ncpi,{written},0.4\n")


def test_a_month_that_became_a_number_in_json(take, store):
    rows = [
        {"series": "cpi", "period": 202507, "value": 0.4},
        {"series": "cpi", "period": 202508, "value": 0.5},
    ]
    take("macro.json", rows)
    assert store.read("macro")["period"].dt.strftime("%m-%d").tolist() == ["07-31", "08-31"]
