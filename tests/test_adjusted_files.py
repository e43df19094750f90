"""Files that say in a column how their prices were adjusted, and prices multiplied by a factor."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.checks import blocking, run_checks
from data.errors import DataError
from data.importing import import_files
from data.store.store import Store

HEAD = "symbol,date,open,high,low,close,volume,amount"
ROW = "0.7,0.731,0.69,0.729,523000000,371812345"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    def _take(text: str, name: str = "bars.csv", given: str | None = None):
        (tmp_path / name).write_text(text)
        return import_files([tmp_path / name], store, map_file=given)

    return _take


def written(column: str, *kinds: str) -> str:
    days = range(18, 18 + len(kinds))
    rows = (f"159363.SZ,2025-08-{day},{ROW},{kind}" for day, kind in zip(days, kinds, strict=True))
    return "\n".join((f"{HEAD},{column}", *rows)) + "\n"


@pytest.mark.parametrize(
    ("column", "cell", "source"),
    [
        ("adjust", "qfq", "imported, qfq"),
        ("adjust_type", "HFQ", "imported, hfq"),
        ("adjustment", "split", "imported, split-adjusted"),
        ("fqt", "1", "imported, qfq"),
        ("fqt", "2.0", "imported, hfq"),
        ("dividend_type", "front", "imported, qfq"),
        ("复权方式", "前复权", "imported, qfq"),
        ("复权", "后复权", "imported, hfq"),
        # TongDaXin's and East Money's own words.
        ("adjust", "等比前复权", "imported, qfq"),
        ("复权方式", "等比后复权", "imported, hfq"),
        ("dividend_type", "front_ratio", "imported, qfq"),
        ("adj", "split-adjusted", "imported, split-adjusted"),
    ],
)
def test_a_column_that_calls_prices_adjusted_is_believed(take, store, column, cell, source):
    take(written(column, cell, cell))
    assert store.read("bars")["source"].tolist() == [source] * 2
    found = {each.check: each for each in run_checks(store)}
    named = "split-adjusted" if "split" in source else "adjusted-prices"
    assert named in found
    assert bool(blocking(found.values(), ())) == (named == "adjusted-prices")


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("adjust", "bfq"),
        ("adjust", "raw"),
        ("fqt", "0"),
        ("复权", "不复权"),
        ("adjust", "False"),
        ("adj", "0"),
        ("adjust", ""),
    ],
)
def test_a_column_that_calls_prices_traded_or_says_nothing_changes_nothing(take, store, column, cell):
    (told,) = take(written(column, cell)).imported
    assert store.read("bars")["source"].isna().all()
    # An empty cell leaves it open.
    assert bool(told.notes) == (cell == "")


def test_rows_of_several_kinds_are_refused_until_a_map_picks_one(take, store, tmp_path):
    text = written("adjust", "bfq", "qfq").replace("2025-08-19", "2025-08-18")
    with pytest.raises(DataError, match="adjusted in several ways; received adjust: bfq, qfq"):
        take(text)
    (tmp_path / "my.toml").write_text('based_on = "english-bars"\nwhere = { adjust = "bfq" }\n')
    take(text, given=str(tmp_path / "my.toml"))
    assert store.read("bars")["source"].isna().tolist() == [True]


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("adjust", ["True"]),
        ("复权", ["是"]),
        ("adjusted", ["true"]),
        ("adj", ["1"]),
        ("adjust", ["False", "True"]),
    ],
)
def test_prices_that_are_adjusted_in_a_way_not_said_are_refused(take, column, cells):
    said = rf"in which way is not said; received {column}: {cells[-1]}; .*adjusted = \"qfq\""
    with pytest.raises(DataError, match=said):
        take(written(column, *cells))


@pytest.mark.parametrize("cells", [("bfq", "等比前复权"), ("bfq", "定点"), ("raw", "ratio")])
def test_a_word_beside_one_that_is_known_is_refused(take, cells):
    with pytest.raises(DataError, match=f"in several ways; received adjust: {', '.join(cells)}"):
        take(written("adjust", *cells))


# "unadjusted" with "split" is both, and so neither.
@pytest.mark.parametrize("word", ["定点", "split-unadjusted"])
def test_a_word_that_is_not_known_is_told_beside_what_the_file_does_not_say(take, store, word):
    (told,) = take(written("adjust", word)).imported
    silent, unclear = told.notes
    assert silent.startswith("the file does not say whether prices are adjusted")
    assert unclear == f"`adjust` says {word} of the prices, which is not known here"
    assert store.read("bars")["source"].isna().all()


def test_a_column_of_adjusted_prices_says_nothing_of_the_others(take):
    # As tidyquant has it.
    (told,) = take(written("adjusted", "0.729", "1")).imported
    assert len(told.notes) == 1


@pytest.mark.parametrize("factor", ["", "n/a", "-"])
def test_a_factor_that_is_no_number_is_none(take, store, factor):
    take(f"time,code,{HEAD[12:-7]},money,factor\n2025-08-20,159363.XSHE,{ROW},{factor}\n")
    assert store.read("bars")["close"].tolist() == [0.729]


def test_baostock_with_two_flags_is_not_read_as_anybodys_bars(take):
    head = "date,code,open,high,low,close,preclose,volume,amount,adjustflag,turn,tradestatus,pctChg,isST"
    row = "sz.159363,0.7,0.731,0.69,0.729,0.721,523000000,371812345"
    with pytest.raises(DataError, match="adjustflag: 3, 2"):
        take(f"{head}\n2025-08-20,{row},3,13,1,1.1,0\n2025-08-21,{row},2,13,1,1.1,0\n")


def test_prices_of_qlib_are_multiplied_by_a_factor_and_refused(take):
    head = "symbol,date,open,high,low,close,volume,amount,vwap,factor,change"
    with pytest.raises(DataError, match=r"multiplied by `factor`.*a factor of 2 in row 1"):
        take(f"{head}\nSZ159363,2025-08-20,1.4,1.462,1.38,1.458,261500000,371812345,1.42,2.0,0.01\n")


def test_a_factor_of_one_is_no_adjustment(take, store):
    # JoinQuant's, with fq=None.
    take(f"time,code,{HEAD[12:-7]},money,factor\n2025-08-20,159363.XSHE,{ROW},1.0\n")
    assert store.read("bars")["close"].tolist() == [0.729]
    assert store.read("bars")["source"].tolist() == ["joinquant"]
