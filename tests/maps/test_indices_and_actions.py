"""Levels and weights of indices, splits and dividends, and facts about funds."""

from __future__ import annotations

import pytest

from data.errors import DataError
from data.importing import import_files
from tests.helpers.maps import INDEX_BAR, rows


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
