"""What somebody writes into a map file counts, whatever a file says of itself; a difference is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from data.importing import import_files
from data.importing.map_files import find_map
from data.store.store import Store

UNITS = 'table = "units"\ncolumns = {{ symbol = "基金代码", day = "日期", units = "{}" }}\n{}'
TEN_THOUSANDS = 'measures = { units = "10^4" }'
BARS = "symbol,date,open,high,low,close,volume,amount"
ROW = "159363.SZ,2025-08-20,0.7,0.731,0.69,0.729,523000000,371812345"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def notes(tmp_path: Path, store: Store):
    """Import a file by a map that somebody wrote, or by a ready one that is named; return what is told."""

    def _notes(name: str, lines: list[str], *, written: str = "", named: str = "") -> tuple[str, ...]:
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        (tmp_path / "my.toml").write_text(written)
        given = named or tmp_path / "my.toml"
        (told,) = import_files([tmp_path / name], store, map_file=given).imported
        return told.notes

    return _notes


# 397,000 of 10^4 are 3,970,000,000 units, as the map says it; 39.7 of 10^8 would be another number.
@pytest.mark.parametrize(
    ("header", "above", "where"),
    [
        ("份额(亿份)", "基金份额统计,,", "the header 份额(亿份)"),
        ("份额", "单位：亿份,,", "a line above the header"),
    ],
)
def test_a_unit_of_measure_that_a_user_writes_counts_and_another_of_the_file_is_told(
    notes, store, header, above, where
):
    lines = [above, f"日期,基金代码,{header}", "2025-08-20,159363,397000"]
    told = notes("a.csv", lines, written=UNITS.format("份额", TEN_THOUSANDS))
    assert store.read("units")["units"].tolist() == [3_970_000_000.0]
    assert told == (f"{where} says that `units` is in 10^8; your map says otherwise, and counts",)


def test_nothing_is_told_where_map_and_file_agree_or_the_map_names_the_header_with_its_brackets(notes, store):
    row = "2025-08-20,159363,397000"
    for number, (header, named) in enumerate([("份额(万份)", "份额"), ("份额(亿份)", "份额(亿份)")]):
        lines = [f"日期,基金代码,{header}", row]
        assert notes(f"{number}.csv", lines, written=UNITS.format(named, TEN_THOUSANDS)) == ()
    assert store.read("units")["units"].tolist() == [3_970_000_000.0]


def test_a_unit_of_measure_of_the_file_still_counts_where_the_user_writes_none(notes, store):
    # Also against the one of a ready map, named or built upon: 523 of 10^4 are 5,230,000, not 52,300 of lots.
    header = "日期,开盘,收盘,最高,最低,成交量(万股),成交额,振幅,涨跌幅,涨跌额,换手率"
    lines = [header, "2025-08-20,0.7,0.729,0.731,0.69,523,3812667,1,1,1,1"]
    assert notes("159363.csv", lines, named="eastmoney-daily") == notes(
        "159381.csv", lines, written='based_on = "eastmoney-daily"\nmeasures = { amount = "yuan" }'
    )
    assert store.read("bars")["volume"].tolist() == [5_230_000.0] * 2
    lines = ["日期,基金代码,份额(亿份)", "2025-08-20,159363,39.7"]
    notes("u.csv", lines, written=UNITS.format("份额", ""))
    assert store.read("units")["units"].tolist() == [3_970_000_000.0]


def test_a_header_of_another_kind_is_refused_with_the_way_to_insist(notes, store):
    lines = ["日期,基金代码,规模(亿元)", "2025-08-20,159363,39.7"]
    hundred_millions = 'measures = { units = "10^8" }'
    insist = r"`units` is a count, .* as it stands, brackets and all, and its unit"
    with pytest.raises(DataError, match=insist):
        notes("u.csv", lines, written=UNITS.format("规模", hundred_millions))
    notes("u.csv", lines, written=UNITS.format("规模(亿元)", hundred_millions))
    assert store.read("units")["units"].tolist() == [3_970_000_000.0]


@pytest.mark.parametrize(
    ("name", "column", "cell", "said"),
    [
        ("159363_qfq.csv", "note", "", "the file says that prices are adjusted: qfq"),
        ("bars.csv", "adjust", "hfq", "the file says that prices are adjusted: hfq"),
        ("bars.csv", "adjust", "True", "prices are adjusted, but in which way is not said (adjust: True)"),
    ],
)
def test_prices_are_adjusted_as_a_user_writes_it_and_other_words_of_the_file_are_told(
    notes, store, name, column, cell, said
):
    lines = [f"{BARS},{column}", f"{ROW},{cell}"]
    told = notes(name, lines, written='based_on = "english-bars"\nadjusted = "no"\n')
    assert told == (f'{said}; your map says adjusted = "no", which counts',)
    assert store.read("bars")["source"].isna().all()
    written = 'based_on = "english-bars"\nadjusted = "splits"\n'
    (_, told) = notes(name, [lines[0], lines[1].replace("08-20", "08-21")], written=written)
    assert told == f'{said}; your map says adjusted = "splits", which counts'
    assert store.read("bars")["source"].tolist()[1:] == ["imported, split-adjusted"]


def test_without_such_words_in_the_map_the_file_is_believed(notes, store):
    lines = [f"{BARS},adjust", f"{ROW},hfq"]
    for name, written in (("a.csv", ""), ("b.csv", 'adjusted = "unknown"')):
        (told,) = notes(name, lines, written=f'based_on = "english-bars"\n{written}')
        assert told.startswith("prices are backward-adjusted")
    assert store.read("bars")["source"].tolist() == ["imported, hfq"]


def test_what_is_written_for_all_tables_of_a_ready_map_holds_in_each(tmp_path):
    (tmp_path / "my.toml").write_text('based_on = "tushare-etf-share-size"\ncolumns = { symbol = "code" }\n')
    ready, mine = find_map("tushare-etf-share-size"), find_map(tmp_path / "my.toml")
    assert [part.columns["symbol"] for part in ready.tables] == [("ts_code",)] * 2
    assert [part.columns["symbol"] for part in mine.tables] == [("code",)] * 2
    assert [part.measures for part in mine.tables] == [part.measures for part in ready.tables]


def test_the_table_that_a_map_names_is_none_of_the_others_of_a_ready_map(tmp_path):
    (tmp_path / "my.toml").write_text('based_on = "yfinance"\ntable = "bars"\nadjusted = "qfq"\n')
    mine = find_map(tmp_path / "my.toml").tables
    assert [(part.table, part.adjusted) for part in mine] == [
        ("bars", "qfq"),
        ("actions", "qfq"),
        ("actions", "qfq"),
    ]
