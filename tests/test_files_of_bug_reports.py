"""Files as public bug reports of the field's libraries show them, with small values and the right answer."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from data.checks import run_checks
from data.errors import DataError
from data.importing import import_files
from data.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    def _take(name: str, content: object, given: str | None = None):
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (tmp_path / name).write_text(text)
        return import_files([tmp_path / name], store, map_file=given)

    return _take


def test_bars_of_akshare_from_tencent_with_volume_in_shares(take, store):
    # AKShare 7328: from 1.18.74 on stock_zh_a_hist_tx has shares and yuan, and a turnover in percent.
    head = "date,open,close,high,low,volume,turnover,amount"
    take("sz159363.csv", f"{head}\n2025-08-20,0.700,0.729,0.731,0.690,523000000.0,13.1,371812345.0\n")
    bars = store.read("bars").iloc[0]
    assert (bars.symbol, bars.close, bars.volume, bars.amount) == (
        "159363.SZ",
        0.729,
        523_000_000,
        371_812_345,
    )


def test_a_volume_of_a_denormal_is_none(take, store):
    # pytdx 134: what TongDaXin's servers have for a halted fund; four equal prices.
    head = "symbol,day,open,high,low,close,volume,amount"
    halted = "159363.SZ,2025-08-20,0.729,0.729,0.729,0.729,5.877472e-39,5.877472e-39"
    (told,) = take(
        "a.csv", f"{head}\n{halted}\n159363.SZ,2025-08-21,0.7,0.731,0.69,0.729,5e8,3.7e8\n"
    ).imported
    assert told.notes == ("without volume and prices, and left out as halts: 1 row",)
    assert store.read("bars")["volume"].tolist() == [500_000_000]


def test_the_split_of_a_csvdir_is_new_shares_for_an_old_one(take, store):
    # zipline's csvdir_equities writes 1 / split into its tables.
    head = "date,open,high,low,close,volume,dividend,split"
    before = "2024-03-06,690.2,695.9,689.9,691.0,1600000,0.0,1.0"
    take("SOXX.csv", f"{head}\n{before}\n2024-03-07,230.2,231.3,229.95,230.15,4930000,0.31,3.0\n")
    actions = store.read("actions").set_index("kind")
    assert actions.loc["split", "ratio"] == 3
    assert actions.loc["dividend", "cash"] == 0.31
    assert store.read("bars")["close"].tolist() == [691.0, 230.15]
    assert "split-ratio" not in {each.check for each in run_checks(store)}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("159363_159819", "several codes, and the rows none; received 159363_159819: 159363, 159819"),
        ("512880 vs sz159819", "several codes"),
        # A time before a code may be a code.
        ("153012_159363", "several codes"),
        ("159363_153000_159819", "several codes"),
    ],
)
def test_a_name_with_two_codes_is_of_neither_fund(take, name, said):
    head = "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率"
    with pytest.raises(DataError, match=said):
        take(f"{name}.csv", f"{head}\n2025-08-20,0.7,0.729,0.731,0.69,5230000,371812345,5,3.55,0.025,13\n")


@pytest.mark.parametrize(
    "name",
    [
        "159363_20250820_153012",
        "159363_153000",
        "159363 180000",
        "159363_净值_20250820_153012",
        "159363-150815-250820",
        "500000_159363",
        "159363_500000",
    ],
)
def test_times_and_sums_in_a_name_are_no_second_code(take, store, name):
    head = "date,open,high,low,close,volume,amount"
    take(f"{name}.csv", f"{head}\n2025-08-20,0.7,0.731,0.69,0.729,523000000,371812345\n")
    assert store.read("bars")["symbol"].tolist() == ["159363.SZ"]


def test_a_name_with_a_fund_and_an_index_may_be_of_either_until_a_map_says(take, store):
    text = "date,open,high,low,close,volume,amount\n2025-08-20,0.7,0.731,0.69,0.729,523000000,371812345\n"
    with pytest.raises(DataError, match=r"several things; .*limit: `english-bars` .*`index-daily`"):
        take("159915_sz399006.csv", text)
    take("159915_sz399006.csv", text, "english-bars")
    assert store.read("bars")["symbol"].tolist() == ["159915.SZ"]


def test_a_list_without_days_whose_name_has_two_is_of_neither(take, store):
    head = "证券代码,证券简称,融资买入额,融资余额,融券卖出量,融券余量,融券余额,融资融券余额"
    rows = f"{head}\n159363,创AI,12345678,234567890,0,0,0,234567890\n"
    with pytest.raises(DataError, match="several days, and the rows none"):
        take("融资融券交易明细_20250101_20250820.csv", rows)
    take("融资融券交易明细_20250820_2025-08-20.csv", rows)
    assert store.read("margin")["day"].dt.strftime("%Y-%m-%d").tolist() == ["2025-08-20"]


def test_a_split_that_yahoo_did_not_apply_is_called_that(take, store):
    # yfinance 1531: the column has the split, and prices before it are as traded; 90.00 became 30.00.
    head = "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits"
    days = pd.bdate_range("2025-05-01", "2025-05-22")
    rows = []
    for number, day in enumerate(days):
        price = (90.0 if number < 10 else 30.0) + number / 100
        split = 3.0 if number == 10 else 0.0
        prices = f"{price},{price + 0.1},{price - 0.1},{price},{price}"
        rows.append(f"{day:%Y-%m-%d} 00:00:00-04:00,{prices},9e5,0,{split}")
    take("BOTZ.csv", "\n".join((head, *rows)) + "\n")
    (found,) = (each for each in run_checks(store) if each.check == "split-ratio")
    assert (found.severity, str(found.first)) == ("error", "2025-05-15")
    assert "prices moved x0.111: twice the split: the vendor had not adjusted them" in found.message


HONG_KONG = "20250829,931487,沪深港AI50,{},腾讯控股,香港联合交易所,60.0"


@pytest.mark.parametrize("code", ["00700", "700", "000700", "700.0", "00700.HK", "700.HK"])
def test_a_share_of_hong_kong_is_no_share_of_shenzhen(take, store, code):
    # 000700 is another company; AKShare fills codes of Hong Kong up to six digits.
    head = "日期,指数代码,指数名称,成分券代码,成分券名称,交易所,权重"
    rows = (HONG_KONG.format(code), "20250829,931487,沪深港AI50,000700,模塑科技,深圳证券交易所,40.0")
    take("931487closeweight.csv", "\n".join((head, *rows)) + "\n")
    weights = store.read("index_weights").set_index("constituent")["weight"].to_dict()
    assert weights == {"00700": 0.6, "000700": 0.4}


@pytest.mark.parametrize(
    ("hong_kong", "shenzhen", "exchange"),
    [
        ("HK00700", "sz000700", ""),
        ("00700.XHKG", "000700.XSHE", ""),
        ("HK.00700", "SZ.000700", ""),
        ("SEHK.700", "SZSE.700", ""),
        ("116.00700", "0.000700", ""),
        ("700 HK Equity", "000700 CH Equity", ""),
        *(("000700", "000700", exchange) for exchange in ("港股通", "XHKG", "hk", "hong kong")),
    ],
)
def test_marks_of_exchanges_at_constituents(take, store, hong_kong, shenzhen, exchange):
    head = "index,day,constituent,weight,交易所"
    rows = (f"931487,2025-08-29,{hong_kong},0.6,{exchange}", f"931487,2025-08-29,{shenzhen},0.4,")
    take("weights.csv", "\n".join((head, *rows, "931487,2025-08-29,005930.KS,0,")) + "\n")
    weights = store.read("index_weights").set_index("constituent")["weight"].to_dict()
    assert weights == {"00700": 0.6, "000700": 0.4, "005930.KS": 0.0}


def test_five_digits_are_of_hong_kong_without_an_exchange_too(take, store):
    rows = "931487.CSI,00700,20250829,60\n931487.CSI,2230,20250829,30\n931487.CSI,9988.HK,20250829,10\n"
    take("weights.csv", "index_code,con_code,trade_date,weight\n" + rows)
    assert set(store.read("index_weights")["constituent"]) == {"00700", "002230", "09988"}


# Files that were refused without need


def actions_of(store: Store) -> list[tuple[object, ...]]:
    rows = store.read("actions")[["symbol", "kind", "ex_day", "ratio", "cash"]]
    rows["ex_day"] = rows["ex_day"].dt.strftime("%Y-%m-%d")
    return [tuple(None if each != each else each for each in row) for row in rows.itertuples(index=False)]


FORWARD = {
    "symbol": "SOXL",
    "new_rate": 15,
    "old_rate": 1,
    "ex_date": "2021-03-02",
    "record_date": "2021-03-01",
}
REVERSE = {
    "symbol": "SQQQ",
    "new_rate": 1,
    "old_rate": 5,
    "ex_date": "2024-11-07",
    "process_date": "2024-11-07",
}
DIVIDEND = {"symbol": "AIQ", "rate": 0.12, "special": False, "foreign": False, "ex_date": "2025-06-27"}


def test_splits_of_both_kinds_and_dividends_in_one_answer_of_alpaca(take, store):
    lists = {
        "cash_dividends": [DIVIDEND],
        "forward_splits": [FORWARD],
        "reverse_splits": [REVERSE],
        "mergers": [],
    }
    take("actions.json", {"corporate_actions": lists, "next_page_token": None})
    assert actions_of(store) == [
        ("AIQ.US", "dividend", "2025-06-27", None, 0.12),
        ("SOXL.US", "split", "2021-03-02", 15.0, None),
        ("SQQQ.US", "split", "2024-11-07", 0.2, None),
    ]


def test_splits_of_both_kinds_alone_and_what_is_not_understood(take, store):
    take("actions.json", {"corporate_actions": {"forward_splits": [FORWARD], "reverse_splits": [REVERSE]}})
    assert [row[3] for row in actions_of(store)] == [15.0, 0.2]
    lists = {"forward_splits": [FORWARD], "stock_dividends": [{"symbol": "X", "rate": 0.05}]}
    with pytest.raises(DataError, match="several tables; received forward_splits, stock_dividends"):
        take("others.json", {"corporate_actions": lists})


def test_of_which_kind_an_action_is_the_list_says_that_it_is_in(take, store):
    lists = {
        "forward_splits": [{**FORWARD, "corporate_action": "cash_dividends"}],
        "cash_dividends": [DIVIDEND],
    }
    take("actions.json", {"corporate_actions": lists})
    assert [row[1:4] for row in actions_of(store)] == [
        ("dividend", "2025-06-27", None),
        ("split", "2021-03-02", 15.0),
    ]


def test_an_action_of_a_list_that_is_incomplete_or_none_is_refused(take):
    bare = {key: value for key, value in DIVIDEND.items() if key != "rate"}
    lists = {"forward_splits": [FORWARD], "cash_dividends": [DIVIDEND, bare | {"symbol": "BOTZ"}]}
    with pytest.raises(DataError, match="the dividend in row 3 of `actions` needs `cash`"):
        take("actions.json", {"corporate_actions": lists})
    with pytest.raises(DataError, match='one of the `forward_splits` is no action; received "SOXL"'):
        take("actions.json", {"corporate_actions": lists | {"forward_splits": [FORWARD, "SOXL"]}})


def test_the_answer_of_cni_has_rows_without_names(take, store):
    # AKShare's index_hist_cni gives their cells these names, by their places.
    row = [
        "2025-08-20",
        None,
        "2110.1",
        "2098.0",
        "2090.5",
        "2103.5",
        "5.5",
        "0.26%",
        "902150000",
        "5230",
        "0",
    ]
    answer = {"code": 200, "message": "", "data": {"data": [row, ["2025-08-19", *row[1:]]], "total": 2}}
    with pytest.raises(
        DataError, match="Name the map `cni-answer` if they are CNI's; else say in a map file"
    ):
        take("399006.json", answer)
    take("399006.json", answer, "cni-answer")
    prices = store.read("index_bars")[["index", "open", "high", "low", "close"]]
    assert prices.to_numpy().tolist() == [["399006", 2098.0, 2110.1, 2090.5, 2103.5]] * 2


@pytest.mark.parametrize(
    "answer",
    [
        '{"num": 1, "name": "A", "data": "20250820,0.700,0.731,0.690,0.729,523000000,371800000.00,13.1,,,0"}',
        '{"sortYear": [[2025, 2]], "price": "690,10,41,39", "dates": "0820", "volumn": "523000000"}',
    ],
)
def test_a_chart_of_tonghuashun_is_told_by_its_name(take, answer):
    with pytest.raises(DataError, match=r"It is a chart of TongHuaShun.*adjusted if 01 or 02"):
        take("159363.js", f"quotebridge_v6_line_hs_159363_01_last({answer})")


def test_a_title_that_looks_like_a_script_is_a_title(take, store):
    take("units.csv", 'name="x159363"\nsymbol,day,units\n159363.SZ,2025-08-20,3970000000\n')
    assert store.read("units")["units"].tolist() == [3_970_000_000]
    with pytest.raises(DataError, match="quote of one moment"):
        take("quote.txt", 'v_sz159363="51~159363~0.729~0.721";\n')


def test_av_behind_a_ticker_is_alpha_vantage_where_the_file_is_its(take, store):
    head = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient"
    take("BOTZ_AV.csv", f"{head}\n2025-08-20,30.2,30.3,29.95,30.15,30.15,4930000,0.0,1.0\n")
    assert store.read("bars")["symbol"].tolist() == ["BOTZ.US"]
    with pytest.raises(DataError, match="AV is the mark of an exchange of another country"):
        take("BOTZ_AV.csv", "Date,NAV,Shares Outstanding\n2025-08-20,30.12,84500000\n")


def test_net_assets_beside_nav_count_where_their_unit_is_named(take, store):
    # 3.97 billion units at 0.7290.
    take("159363.csv", "净值日期,单位净值,累计净值,资产净值(亿元)\n2025-08-20,0.7290,1.4580,28.9413\n")
    take("159819.csv", "净值日期,单位净值,累计净值,资产净值\n2025-08-20,0.7290,1.4580,28.9413\n")
    nav = store.read("nav").set_index("symbol")
    assert nav["nav"].tolist() == [0.729, 0.729]
    assert nav.loc["159363.SZ", "net_assets"] == 2_894_130_000
    assert nav["net_assets"].isna()["159819.SZ"]


@pytest.mark.parametrize(
    ("name", "text", "source"),
    [
        (
            "jq.csv",
            "id,code,day,net_value,sum_value,factor,acc_factor,refactor_net_value\n"
            "1,159363,2025-08-20,0.7291,1.4582,1.0,2.0,1.4590\n",
            "joinquant",
        ),
        (
            "nav_159363.csv",
            "datetime,unit_net_value,acc_net_value,adjusted_net_value,change_rate\n"
            "2025-08-20,0.7291,1.4582,1.4590,0.0108\n",
            "ricequant",
        ),
    ],
)
def test_of_three_net_values_that_of_the_unit_is_the_nav(take, store, name, text, source):
    take(name, text)
    nav = store.read("nav")
    assert nav[["symbol", "nav", "source"]].to_numpy().tolist() == [["159363.SZ", 0.7291, source]]


def test_an_index_as_csindex_answers_and_as_akshare_saves_it(take, store):
    row = {"tradeDate": "20250820", "indexCode": "930713", "indexNameCn": "CS人工智", "open": 2100.0}
    row |= {"high": 2110.0, "low": 2090.0, "close": 2103.5, "tradingVol": 5e5, "tradingValue": 1200.5}
    take("perf.json", {"code": "200", "success": True, "data": [row | {"consNumber": 50.0, "peg": 45.1}]})
    # stock_zh_index_daily_em, and Sina's without an amount; sz000001 is a share, sh000001 is an index.
    take(
        "sh000300.csv", "date,open,close,high,low,volume,amount\n2025-08-20,4200,4240,4250,4190,2e8,4.8e11\n"
    )
    take("sz399006.csv", "date,open,high,low,close,volume\n2025-08-20,2600,2650,2590,2640,2e8\n")
    levels = store.read("index_bars").set_index("index")
    assert levels["close"].to_dict() == {"930713": 2103.5, "000300": 4240.0, "399006": 2640.0}
    assert levels.loc["930713", "amount"] == 120_050_000_000
    with pytest.raises(DataError, match="do not say whether prices are adjusted"):
        take("sz000001.csv", "date,open,high,low,close,volume\n2025-08-20,12.1,12.2,12.0,12.1,2.1e7\n")


def test_files_behind_each_other_with_their_marks_of_utf8(take, store):
    one, two = (f"\ufeffsymbol,day,units\n159363.SZ,2025-08-{day},3970000000\n" for day in (20, 21))
    take("units.csv", one + two)
    assert store.read("units")["day"].dt.day.tolist() == [20, 21]


def test_an_amount_that_is_a_volume_in_lots_is_called_that(take):
    # AKShare 7328, before 1.18.74.
    with pytest.raises(DataError, match="volume in lots: update AKShare"):
        take("sz159363.csv", "date,open,close,high,low,amount\n2025-08-20,0.7,0.729,0.731,0.69,5230000.0\n")


def test_bars_of_adata_with_their_code_and_day(take, store):
    head = "fund_code,trade_time,trade_date,open,high,low,close,volume,amount,change,change_pct"
    row = "159363,2025-08-20 00:00:00,2025-08-20,0.7,0.731,0.69,0.729,523000000,371812345,0.008,1.1"
    take("adata.csv", f"{head}\n{row}\n")
    assert store.read("bars")[["symbol", "close"]].to_numpy().tolist() == [["159363.SZ", 0.729]]


@pytest.mark.parametrize("plan", ["预案,,,0.088", "预案,--,--,0.088"])
def test_a_dividend_with_chinese_headers_counts_once_and_for_a_unit(take, store, plan):
    head = "基金代码,方案进度,权益登记日,除息日,每份分红(元)"
    take("div.csv", f"{head}\n510300,实施,2025-06-17,2025/6/18,0.088\n510300,{plan}\n")
    assert actions_of(store) == [("510300.SH", "dividend", "2025-06-18", None, 0.088)]
    with pytest.raises(DataError, match="`chinese-dividends` lacks the column 每份分红"):
        take("ten.csv", "基金代码,权益登记日,除息日,每10份分红(元)\n510300,2025-06-17,2025-06-18,0.88\n")


@pytest.mark.parametrize("day", ["20250814", "2025-08-14", "2025/8/14"])
def test_a_row_that_lost_its_code_is_refused_and_not_left_out_as_nobodys(take, store, day):
    # as of Tushare's fund_share, whose funds that are not traded are left out by their code
    lines = [
        "ts_code,trade_date,fd_share",
        "159363.SZ,20250813,64000",
        f"{day},64817,",
        "159363.SZ,20250815,65000",
    ]
    with pytest.raises(DataError, match="row 2 has a day where its code belongs; received"):
        take("fund_share.csv", "\n".join(lines) + "\n")
    # 200011.OF is a fund of Great Wall, and no first of January 2000.
    lines[2:3] = ["161725.OF,20250814,64817", "200011.OF,20250814,64817", "200012.SZ,20250814,64817"]
    take("fund_share.csv", "\n".join(lines) + "\n")
    assert store.read("units")["units"].tolist() == [640_000_000.0, 650_000_000.0]


@pytest.mark.parametrize("code", ["", "--", "nan"])
def test_a_row_without_a_code_is_refused_and_not_left_out_as_nobodys(take, code):
    lines = ["ts_code,trade_date,fd_share", "159363.SZ,20250813,64000", f"{code},20250814,64817"]
    with pytest.raises(DataError, match="row 2 has a day and no code; received 1 of 3 rows"):
        take("fund_share.csv", "\n".join([*lines, "159363.SZ,20250815,65000"]) + "\n")


def test_a_row_that_lost_its_code_is_not_left_out_as_one_without_units(take):
    lines = [
        "基金代码,日期,份额(万份)",
        "159363,2025-08-15,27861",
        "2025-08-18,20544,",
        "159363,2025-08-19,62013",
    ]
    with pytest.raises(DataError, match="row 2 has a day where its code belongs"):
        take("units.csv", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "lines",
    [
        ["index,day,close", "000300,2025-08-19,4100.5", "20250820,4110.5,", "000300,2025-08-21,4120.5"],
        ["index,day,open,close", "000300,2025-08-19,4100,4101", "2025-08-20,4110,4112,"],
        ["constituent,index,day,weight", "600519,000300,2025-08-19,0.5", "2025/8/19,000300,2025-08-19,0.5"],
    ],
)
def test_a_row_of_an_index_that_lost_its_code_is_refused(take, lines):
    # an index may be called anything: it was left out, or an index of that name
    with pytest.raises(DataError, match="row 2 has a day where its code belongs; received 202"):
        take("levels.csv", "\n".join(lines) + "\n")


def test_a_row_that_lost_its_code_has_a_day_as_its_map_writes_days(take, tmp_path):
    (tmp_path / "map.toml").write_text(
        'table = "units"\ndate_format = "%d.%m.%Y"\nwhere = { symbol = \'\\d{6}\' }\n[columns]\n'
        'symbol = "code"\nday = "day"\nunits = "units"\n'
    )
    lines = ["code,day,units", "159363,13.08.2025,640000000", "14.08.2025,650000000,1"]
    with pytest.raises(DataError, match=r"row 2 has a day where its code belongs; received 14\.08\.2025"):
        take("units.csv", "\n".join(lines) + "\n", tmp_path / "map.toml")


def test_a_column_of_row_numbers_that_pandas_calls_index_names_no_index(take, store):
    # DataFrame.reset_index().to_csv(index=False), of bars that do not say which fund they are of
    head = "index,date,open,high,low,close,volume,amount"
    bars = ["2.72,2.76,2.652,2.704,75392900,203896075", "1.144,1.183,1.142,1.168,73239500,85568775"]
    lines = [head, *(f"{row},2025-09-0{row + 2},{bar}" for row, bar in enumerate(bars))]
    with pytest.raises(DataError, match="`english-bars` lacks a file name that holds the symbol"):
        take("file.csv", "\n".join(lines) + "\n")
    ours = [line.replace("date", "day") for line in lines]
    with pytest.raises(DataError, match="`index` in row 1 is no code of an index; received 0"):
        take("levels.csv", "\n".join(ours) + "\n")
    codes = [ours[0], *(f"00000{row},2025-09-02,{bars[1]}" for row in (1, 2, 3))]
    take("index.csv", "\n".join(codes) + "\n")
    assert store.read("index_bars")["index"].tolist() == ["000001", "000002", "000003"]
    # the file's name says which index it is
    take("sh000300.csv", "\n".join(lines) + "\n")
    assert store.read("index_bars", ["000300"])["close"].tolist() == [2.704, 1.168]
    other = "\n".join([head, *(f"000905,2025-09-0{row + 2},{bar}" for row, bar in enumerate(bars))])
    with pytest.raises(DataError, match="no ready map knows the columns"):
        take("sh000300.csv", other + "\n")


@pytest.mark.parametrize("first", [0, 5])
def test_a_column_of_row_numbers_does_not_make_an_index_of_a_fund(take, store, first):
    for name, lines in {
        "159363.csv": [
            "index,date,open,high,low,close,volume,amount",
            f"{first},2025-09-02,1.144,1.183,1.142,1.168,73239500,85568775",
            f"{first + 2},2025-09-03,1.168,1.19,1.16,1.18,50000000,58750000",
        ],
        "515980.csv": [
            "index,日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
            f"{first},2025-09-02,1.144,1.168,1.183,1.142,732395,85568775.0,3.5,2.1,0.024,7.1",
            f"{first + 2},2025-09-03,1.168,1.18,1.19,1.16,500000,58750000.0,2.6,1.0,0.012,4.8",
        ],
    }.items():
        take(name, "\n".join(lines) + "\n")
        bars = store.read("bars", [name.replace(".csv", ".SZ" if name[0] == "1" else ".SH")])
        assert bars["close"].tolist() == [1.168, 1.18]
        assert bars["volume"].tolist() == [73_239_500.0, 50_000_000.0]
    assert store.read("index_bars").empty
