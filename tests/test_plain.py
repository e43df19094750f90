"""Plain files: what is read the fast way is, to the last bit and word, what is read with care."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import EtflowError
from data.importing import import_files, plain
from data.importing.typed import read_typed
from data.store.cells import blank, read_days, read_numbers
from data.store.store import Store

PLAIN_NUMBERS = st.decimals(0, 10**9, places=3).map(str) | st.integers(0, 10**10).map(str)
# What only looks like a plain number, or only to some readers.
ODD_NUMBERS = [
    *("1e5", "-1E-7", "nan", "NaN", "inf", "-inf", "+5", "0x1A", "1_000", "000001", "-0", "-0.0", "1.", ".5"),
    *(
        ".",
        "-",
        "--",
        "5-",
        "1e400",
        "1e-400",
        "1e",
        "1d5",
        "12%",
        "3万",
        "null",
        "N/A",
        "¥5",
        "1/2",
        "0.1.2",
    ),
    *("0.30000000000000004", "123456789012345", "1234567890123456", "0.00000000000001", "9007199254740993"),
    *("", " 12", "12 ", " ", "1 2", "١٢", "１２", '"12"', '""', '"1,234.5"', '1"2', '"1""2"', "=1", '="12"'),
]
ODD_DAYS = [
    *(
        "2024-02-30",
        "2024-1-5",
        "20240105",
        "2024/01/05",
        "2024年1月5日",
        "45296",
        "0000-01-01",
        "9999-12-31",
    ),
    *("2024-01", "24-01-05", "2024-01-05T00:00", "", "-", " 2024-01-05", "2024-01-05 ", '"2024-01-05"'),
]


@pytest.mark.parametrize("odd", ODD_NUMBERS)
def test_an_odd_number_is_that_of_a_careful_reader_or_text(odd):
    for cells in ([odd], ["1", odd], ["2.5", odd, ""]):
        check_numbers(cells)


@settings(max_examples=60)
@given(st.lists(PLAIN_NUMBERS | st.sampled_from(ODD_NUMBERS), min_size=1, max_size=6))
def test_numbers_are_those_of_a_careful_reader_or_text(cells):
    check_numbers(cells)


def check_numbers(cells: list[str]) -> None:
    body = "".join(f"a,{cell},2024-01-05\n" for cell in cells).encode()
    frame = read_typed(body, ",", {"text": "text", "number": "number", "day": "day"})
    if frame is None:
        return
    text = pd.Series([cell.strip('"').lstrip(" ") for cell in cells], dtype="str")
    numbers, wrong = read_numbers(text)
    if frame["number"].dtype == np.float64:
        assert not wrong.any()
        assert frame["number"].to_numpy().tobytes() == numbers.to_numpy(np.float64).tobytes()
    else:
        assert [cell.lstrip(" ") for cell in frame["number"]] == text.tolist()


@settings(max_examples=40)
@given(st.lists(st.dates().map(str) | st.sampled_from(ODD_DAYS), min_size=1, max_size=5))
def test_days_are_those_of_a_careful_reader_or_text(cells):
    body = "".join(f"{cell},1\n" for cell in cells).encode()
    frame = read_typed(body, ",", {"day": "day", "number": "number"})
    if frame is None:
        return
    text, read = pd.Series([cell.strip('"') for cell in cells], dtype="str"), frame["day"]
    days, wrong = read_days(text)
    found = read_days(read)
    assert (found[0].tolist(), found[1].tolist()) == (days.tolist(), wrong.tolist())
    assert blank(read).tolist() == blank(text).tolist()


@pytest.mark.parametrize("sign", ["\0", "\x1c", "\x0b", "\u2028", "\x85", "\r", '"', "\t", ";", "|"])
def test_rows_that_readers_split_differently_are_not_read(sign):
    assert read_typed(f"a{sign}b,1\n".encode(), ",", {"text": "text", "number": "number"}) is None


def test_a_mark_over_the_edge_of_what_is_looked_at_together_is_seen():
    for place in range((1 << 16) - 20, (1 << 16) + 20):
        body = b"a" * place + b'"b,1\n'
        assert read_typed(body, ",", {"text": "other", "number": "number"}) is None
        body = b"a,1\n" * 16_000 + b"a" * (place - 64_000) + b",1234567890.123456\n"
        frame = read_typed(body, ",", {"text": "other", "number": "number"})
        assert frame is not None
        assert frame["number"].dtype == "str"


def outcome(folder: Path, store: Path, together: int) -> Any:
    """Return all that an import tells and leaves on the disk; with care if nothing may be read together."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(plain, "TOGETHER", together))
        if not together:
            stack.enter_context(patch.object(plain.PlainFiles, "look", return_value=None))
        try:
            report = import_files([folder], Store(store))
        except EtflowError as error:
            return str(error)
    changes = [replace(each, revisions=None, came=None) for each in report.changes]
    files = {path.name: path.read_bytes() for path in store.iterdir() if path.name != ".lock"}
    return report.imported, report.skipped, changes, files


def test_a_byte_of_zero_in_a_header_is_for_the_careful_reader(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.csv").write_bytes(b"symbol,day,units,\0\n159363.SZ,2024-01-05,1000000,a\n")
    fast, careful = (outcome(files, tmp_path / str(way), way) for way in (1 << 20, 0))
    assert fast == careful


@pytest.mark.parametrize("second", ["2024-01-08,1.5,3", "2024-01-08,1.5,", "2024-01-08,1.6,3"])
def test_files_that_differ_in_the_day_of_publication_go_the_same_way(tmp_path, second):
    files = tmp_path / "files"
    files.mkdir()
    for name, told in {"a": "2024-01-09,1.5,3", "b": second}.items():
        known, balance, bought = told.split(",")
        row = f"159363.SZ,2024-01-05,{balance},{bought},{known}\n"
        (files / f"{name}.csv").write_text("symbol,day,balance,bought,known_at\n" + row, encoding="utf-8")
    fast, careful = (outcome(files, tmp_path / str(way), way) for way in (1 << 20, 0))
    assert fast == careful
    if second.endswith("1.5,3"):
        assert Store(tmp_path / "0").read("margin")["known_at"].tolist() == [pd.Timestamp("2024-01-08")]
    else:
        assert "files disagree about" in fast


SYMBOLS = ["159363.SZ", "515980.SH", "159363", "sz159363", "BOTZ.US", "CN", "nonsense", "", "600000.SH"]
DAYS = ["2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-06", "2026-12-31", "2027-01-05"]
BARS = ["symbol", "day", "open", "high", "low", "close", "volume", "amount"]
KINDS: dict[str, list[str]] = {
    "bars": BARS,
    "source": [*BARS, "source", "known_at"],
    "units": ["symbol", "day", "units"],
    "margin": ["symbol", "day", "balance", "bought", "repaid"],
    "nav": ["基金代码", "净值日期", "单位净值"],
    "fund_daily": ["ts_code", "trade_date", "open", "high", "low", "close", "pre_close", "vol", "amount"],
    "weights": ["index", "day", "constituent", "weight"],
}


@st.composite
def tables(draw: st.DrawFn, kind: str, number: int) -> bytes:
    """Draw a file of a kind: most of it as it should be, some of it not."""
    names, odd = KINDS[kind], draw(st.sampled_from([*[0] * 12, 6, 7, 8]))
    funds = [f"1593{60 + number}.SZ", f"5159{80 + number}.SH"]
    keys = [(symbol, day) for symbol in draw(st.sampled_from([funds, funds[::-1]])) for day in DAYS[:4]]
    others = [keys, keys, keys[::-1], [*keys, keys[0]], sorted(keys, key=lambda key: key[1])]
    keys = draw(st.sampled_from(others))
    rows = []
    for symbol, day in keys[: draw(st.integers(1, 8))]:
        close = draw(st.integers(500, 2_000)) / 1_000
        bar = [f"{each:.3f}" for each in (close, close * 1.01, close * 0.99, close, close)]
        number = str(
            draw(st.integers(10_000, 10**9) | st.sampled_from([20_240_105, 10_000, *[0, 1] * (odd > 6)]))
        )
        cells = {"fund_daily": [symbol, day.replace("-", ""), *bar, number, number]}
        cells["bars"] = cells["source"] = [symbol, day, *bar[:4], number, number, "somebody", day]
        cells["units"] = cells["margin"] = [symbol, day, number, number, "5"]
        cells |= {"nav": [symbol[:6], day, bar[0]], "weights": ["930713", day, symbol[:6], f"{close / 10}"]}
        rows.append(cells[kind][: len(names)])
    for _ in range(odd - 6):
        row = draw(st.sampled_from(rows))
        place = draw(st.integers(0, len(row) - 1))
        odds = [SYMBOLS, [*DAYS, *ODD_DAYS]][place] if place < 2 else [*ODD_NUMBERS, "0", "停牌", "20240105"]
        row[place] = draw(st.sampled_from(odds))
    if odd == 6:
        volume = names.index("volume") if "volume" in names else -1
        rows[0][2 : volume + 1] = ["0"] * (volume - 1) if volume > 0 else rows[0][2:]
    end, mark = draw(st.sampled_from([("\n", ""), ("\n", '"'), ("\r\n", ""), ("\n\n", "")]))
    lines = [",".join(names), *(",".join([f"{mark}{row[0]}{mark}", *row[1:]]) for row in rows)]
    last = [["合计" + "," * (len(names) - 1)], ["注: 数据"], [lines[0]], ["1"]]
    lines += draw(st.sampled_from([*[[]] * 20, *last]))
    return (end.join(lines) + draw(st.sampled_from([end, end, ""]))).encode()


@pytest.mark.slow
@settings(max_examples=12)
@given(st.data())
def test_an_import_is_the_same_to_the_last_bit_and_word(data):
    kinds = data.draw(st.permutations([*KINDS]))[: data.draw(st.sampled_from([1, 1, 2]))]
    with TemporaryDirectory() as scratch:
        files = Path(scratch, "files")
        files.mkdir()
        for number in range(data.draw(st.integers(1, 4))):
            kind = data.draw(st.sampled_from(kinds))
            (files / f"{number} {kind}.csv").write_bytes(data.draw(tables(kind, number)))
        ways = (data.draw(st.sampled_from([400, 1 << 20])), 0)
        fast, careful = (outcome(files, Path(scratch, str(way)), way) for way in ways)
        assert fast == careful


@pytest.mark.parametrize("times", [" 16:00:00", " 15:00:00"])
def test_times_without_a_zone_are_the_same_to_both_readers(tmp_path, times):
    files = tmp_path / "files"
    files.mkdir()
    for code, time in (("159363", times), ("515980", "")):
        (files / f"{code}.csv").write_text(f"symbol,day,nav\n{code},2024-01-05{time},0.7\n")
    fast, careful = (outcome(files, tmp_path / str(way), way) for way in (1 << 20, 0))
    assert fast == careful
    assert isinstance(fast, str) == ("16:00" in times)


NETEASE = "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,涨跌额,涨跌幅,成交量,成交金额"


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        # What a file is for goes by its cells: a fund, an index, a share.
        (
            NETEASE,
            {
                "159363": "2024-01-05,'159363,创AI,0.73,0.74,0.72,0.73,0.72,0.01,1.4,1000000,730000",
                "000300": "2024-01-05,'000300,沪深300,3329,3380,3320,3350,3347,-18,-0.5,1000000,730000",
            },
        ),
        (NETEASE, {"000001": "2024-01-05,'000001,平安银行,9.3,9.4,9.2,9.3,9.2,0.1,1.1,1000000,730000"}),
        # Or it does not, though a map asks after cells of a column of that name.
        (
            "基金代码,名称,净值日期,单位净值",
            {"a": "159363,沪深300,2024-01-05,0.7", "b": "515980,创AI,2024-01-05,0.8"},
        ),
    ],
)
def test_what_a_file_is_for_is_the_same_to_both_readers(tmp_path, header, rows):
    files = tmp_path / "files"
    files.mkdir()
    for name, row in rows.items():
        (files / f"{name}.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    fast, careful = (outcome(files, tmp_path / str(way), way) for way in (1 << 20, 0))
    assert fast == careful
    assert isinstance(fast, str) == ("000001" in rows)


def test_a_store_holds_the_same_bytes_whoever_looked_at_the_rows(tmp_path):
    later = "symbol,day,close,open,high,low,volume,source\n515980.SH,2024-01-05,1.5,1.5,1.6,1.4,100,one\n"
    first = later.replace("515980.SH", "159363.SZ").replace("one", "").replace("1.5,1.5", "1.5,1.45")
    files = {"a": later, "b": first, "units": "symbol,day,units\n159363.SZ,2024-01-05,123456789\n"}
    (tmp_path / "files").mkdir()
    for name, text in files.items():
        (tmp_path / "files" / f"{name}.csv").write_text(text, encoding="utf-8")
    import_files([tmp_path / "files"], Store(tmp_path / "imported"))
    imported, appended = Store(tmp_path / "imported"), Store(tmp_path / "appended")
    bars = imported.read("bars")
    assert bars["symbol"].tolist() == ["159363.SZ", "515980.SH"]
    assert bars["open"].tolist() == [1.45, 1.5]
    assert bars["source"].isna().tolist() == [True, False]
    assert bars["amount"].isna().all()
    assert imported.read("units")["units"].tolist() == [123_456_789.0]
    appended.append({name: imported.read(name) for name in imported.tables})
    for path in (tmp_path / "imported").glob("*.parquet"):
        assert path.read_bytes() == (tmp_path / "appended" / path.name).read_bytes()


UNSORTED = {
    # Of each day a file, of each fund a file that begins with the last day.
    "by day": {"05": ["510001 05 11", "510002 05 12"], "04": ["510001 04 13", "510002 04 14"]},
    "newest first": {"a": ["510002 05 11", "510002 04 12"], "b": ["510001 05 13", "510001 04 14"]},
}


@pytest.mark.parametrize("kind", UNSORTED)
def test_files_whose_rows_are_not_by_key_are_read_together(tmp_path, kind):
    files = tmp_path / "files"
    files.mkdir()
    for name, rows in UNSORTED[kind].items():
        lines = ["{}.SH,2024-01-{},{}00000".format(*row.split()) for row in rows]
        (files / f"{name}.csv").write_text("\n".join(["symbol,day,units", *lines]))
    with patch.object(plain.PlainFiles, "_read_alone", side_effect=AssertionError):
        together = outcome(files, tmp_path / "together", 1 << 20)
    assert together == outcome(files, tmp_path / "careful", 0)
    units = Store(tmp_path / "together").read("units")
    assert units["day"].dt.day.tolist() == [4, 5] * 2
    expected = {"by day": [13e5, 11e5, 14e5, 12e5], "newest first": [14e5, 13e5, 12e5, 11e5]}
    assert units["units"].tolist() == expected[kind]
    days = [(each.rows, each.first_day.day, each.last_day.day) for each in together[0]]
    assert days == {"by day": [(2, 4, 4), (2, 5, 5)], "newest first": [(2, 4, 5)] * 2}[kind]


def test_a_disagreement_names_the_file_of_rows_that_were_not_by_key(tmp_path):
    """1 and 2 are read together, and 3 and 4; 3 differs from 2, and 4 from 1 in a fund that comes before."""
    files = tmp_path / "files"
    files.mkdir()
    named = {"1": ["510004 14", "510001 11"], "2": ["510003 13", "510002 12"]}
    named |= {"3": ["510006 16", "510002 99"], "4": ["510005 15", "510001 88"]}
    for name, rows in named.items():
        lines = ["{}.SH,2024-01-05,{}00000".format(*row.split()) for row in rows]
        (files / f"{name}.csv").write_text("\n".join(["symbol,day,units", *lines]))
    with patch.object(plain, "_FILES", 2):
        words = outcome(files, tmp_path / "together", 1 << 20)
    assert "files disagree about `units` of 510002.SH 2024-01-05" in words
    assert "1200000.0 in `2.csv`, 9900000.0 in `3.csv`" in words
    assert words == outcome(files, tmp_path / "careful", 0)


@pytest.mark.parametrize("first", [0, 100])
def test_funds_of_many_files_keep_their_rows_in_whatever_order_the_files_are(tmp_path, first):
    """More funds than are read together, and than a byte can number."""
    funds = [f"{510_000 + number}" for number in range(300)]
    files = tmp_path / "files"
    files.mkdir()
    for place, fund in enumerate([*funds[first:], *funds[:first]]):
        text = f"symbol,day,units\n{fund}.SH,2024-01-04,{fund}00\n{fund}.SH,2024-01-05,{fund}01\n"
        (files / f"{place:03}.csv").write_text(text)
    import_files([files], Store(tmp_path / "store"))
    units = Store(tmp_path / "store").read("units")
    assert units["symbol"].tolist() == [f"{fund}.SH" for fund in funds for _ in range(2)]
    assert units["units"].tolist() == [float(f"{fund}{end}") for fund in funds for end in ("00", "01")]
    assert units["day"].dt.day.tolist() == [4, 5] * 300
