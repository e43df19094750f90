"""Files as public bug reports of the field's libraries show them, with small values and the right answer."""

from __future__ import annotations

import json
from pathlib import Path

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
    def _take(name: str, content: object):
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (tmp_path / name).write_text(text)
        return import_files([tmp_path / name], store)

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
    ],
)
def test_a_name_with_two_codes_is_of_neither_fund(take, name, said):
    head = "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率"
    with pytest.raises(DataError, match=said):
        take(f"{name}.csv", f"{head}\n2025-08-20,0.7,0.729,0.731,0.69,5230000,371812345,5,3.55,0.025,13\n")


def test_a_list_without_days_whose_name_has_two_is_of_neither(take, store):
    head = "证券代码,证券简称,融资买入额,融资余额,融券卖出量,融券余量,融券余额,融资融券余额"
    rows = f"{head}\n159363,创AI,12345678,234567890,0,0,0,234567890\n"
    with pytest.raises(DataError, match="several days, and the rows none"):
        take("融资融券交易明细_20250101_20250820.csv", rows)
    take("融资融券交易明细_20250820_2025-08-20.csv", rows)
    assert store.read("margin")["day"].dt.strftime("%Y-%m-%d").tolist() == ["2025-08-20"]
