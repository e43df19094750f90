"""Workbooks, and what is refused before it is read.

Each small input is written here, and what must come out of it is worked out by hand.
"""

from __future__ import annotations

import gzip
import zipfile
from io import BytesIO

import pandas as pd
import pytest

from data.errors import DataError, EtflowError
from data.importing.contents import MOST_BYTES, check_size
from tests.helpers.formats import AUGUST_20, TDX, TDX_HEADER, csv, units
from tests.helpers.workbooks import Day, far_cell, margin_xls, xlsx

LIST = ["基金代码", "基金简称", "基金类别", "投资类别", "上市日期", "当前规模(份)", "基金管理人"]


@pytest.mark.parametrize("name", ["list_20250820.xlsx", "list_20250820.csv"])
@pytest.mark.parametrize("code", ["159363", 159363])
def test_a_workbook_is_known_by_its_bytes(take, store, name, code):
    rows = [LIST, [code, "创AI", "ETF", "股票基金", Day(45642), "3,970,000,000", "华宝基金"]]
    report = take(name, xlsx({"基金列表": rows}))
    assert report.imported[0].map == "szse-funds"
    assert units(store) == AUGUST_20


def test_a_workbook_with_title_days_and_source_below(take, store):
    rows = [
        ["份额数据"],
        ["单位：万份"],
        [],
        ["日期", "代码", "份额"],
        [Day(45889), "159363.SZ", 397000],
        [],
        ["数据来源：Wind"],
    ]
    take("wind.xlsx", xlsx({"Sheet1": rows}))
    assert units(store) == AUGUST_20


def test_sheets_that_no_map_knows_are_passed_over(take, store):
    rows = [["symbol", "day", "units"], ["159363", "20250820", 3970000000]]
    report = take("book.xlsx", xlsx({"about": [["who", "what"], ["a", "b"]], "empty": [], "units": rows}))
    assert [each.rows for each in report.imported] == [1]
    assert report.imported[0].notes == ("passed over `book.xlsx`, sheet `about`: no map knows what is in it",)
    assert units(store) == AUGUST_20
    with pytest.raises(DataError, match=r"no ready map knows the columns of `other.xlsx`, sheet `about`"):
        take("other.xlsx", xlsx({"about": [["who", "what"], ["a", "b"]]}))


def test_an_old_workbook_of_the_shanghai_exchange(take, store):
    take("rzrqjygk20250820.xls", margin_xls())
    (row,) = store.read("margin").to_dict("records")
    assert (row["symbol"], row["day"]) == ("515980.SH", pd.Timestamp("2025-08-20"))
    assert (row["balance"], row["bought"], row["repaid"]) == (234_567_890.0, 12_345_678.0, 1_000_000.0)


def test_text_under_the_name_of_a_workbook_is_text(take, store):
    rows = csv("159363 AI 日线 不复权", TDX_HEADER, *TDX).replace(",", "\t")
    take("159363.xls", rows.encode("gbk"))
    assert store.read("bars")["close"].tolist() == [0.704, 0.729]


def _archive(**parts: str) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_read(take, monkeypatch):
    monkeypatch.setattr("data.importing.workbooks.MOST_CELLS", 2_000)
    refusal = r"would fill the memory; received a sheet of 99 rows and 26 columns; limit: 2,000 cells"
    with pytest.raises(DataError, match=refusal):
        take("b.xlsx", far_cell())


@pytest.mark.parametrize("far", [b"Z00000099", b"AAAA9"])
def test_a_place_of_any_length_counts_for_the_memory(take, monkeypatch, far):
    monkeypatch.setattr("data.importing.workbooks.MOST_CELLS", 2_000)
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(far_cell())) as archive, zipfile.ZipFile(made, "w") as written:
        for name in archive.namelist():
            written.writestr(name, archive.read(name).replace(b"Z99", far))
    with pytest.raises(DataError, match="would fill the memory"):
        take("b.xlsx", made.getvalue())


BROKEN = {
    "half a workbook": ("b.xlsx", xlsx({"a": [["x"]]})[:400], "not a whole workbook"),
    "half an old one": ("b.xls", margin_xls()[:2000], "not a whole workbook"),
    "an archive": ("b.csv", _archive(readme="x"), "is no workbook; received an archive that holds readme"),
    "a web page": ("b.xls", b"<html><table></table></html>", "is no table that is read; received a web page"),
    "a PDF": ("b.csv", b"%PDF-1.7", "is no table that is read; received a PDF"),
    "no word": (
        "b.csv",
        csv("9" * 200_000 + ",a", "1,2"),
        "rows of different lengths; received field larger",
    ),
    "too many columns": (
        "b.csv",
        csv(",".join(f"a{n}" for n in range(20_001))[:130_000] + "," * 20_001, "1"),
        "too many columns|names a column twice|different lengths",
    ),
    "deep JSON": ("b.json", b"[" * 100_000, "is not JSON; received lists within lists"),
    "deep objects": ("b.json", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "lists within lists"),
    "thousands of digits": (
        "b.json",
        b'[{"a": ' + b"9" * 5000 + b"}]",
        "is not JSON; received a number of 5,000 digits",
    ),
    "hundreds of digits": (
        "b.json",
        b'[{"symbol": "159363", "day": "2025-08-20", "units": ' + b"9" * 400 + b"}]",
        "`units` .* not a finite number",
    ),
    "null for a list": ("b.json", b'{"fields": null, "items": null}', "`fields` is no list; received null"),
    "null for klines": ("b.json", b'{"data": {"klines": null}}', "`klines` is no list; received null"),
    "null for a line": ("b.json", b'{"data": {"klines": [null]}}', "a kline has 0 fields; received null"),
    "empty lines": ("b.csv", b"\n\n\na", "nothing to import; .*it has no rows"),
    "short row": (
        "b.json",
        b'{"fields": ["symbol", "day", "units"], "items": [["159363", "2025-08-20"]]}',
        r"row 1 of `items` does not have the cells that `fields` names; .*limit: 3 cells",
    ),
    "null for a chart": (
        "b.json",
        b'{"chart": {"result": [{"meta": null, "indicators": {"quote": [null]}}]}}',
        "no whole answer of Yahoo",
    ),
    "two tables": (
        "b.json",
        b'{"a": [{"x": 1}], "b": [{"y": 1}]}',
        r"holds several tables; received a, b\. .*rows = \"a\"",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_refused_in_words(take, store, case):
    name, content, message = BROKEN[case]
    with pytest.raises(EtflowError, match=message) as refused:
        take(name, content)
    assert refused.value.exit_code == 3
    assert not store.folder.exists()


def test_a_file_that_unpacks_to_a_hundred_times_its_size_is_refused(take, monkeypatch):
    monkeypatch.setattr("data.importing.contents._UNSUSPICIOUS", 1 << 20)
    content = gzip.compress(b"159363,2025-08-20,3970000000\n" * 100_000, 9)
    with pytest.raises(
        DataError, match=r"would fill the memory; received .* limit: 50 times the packed size"
    ):
        take("packed.csv.gz", content)


def test_large_files_that_are_packed_as_tables_are_may_be_read():
    check_size(2 << 30, 100 << 20, "a.csv.gz")
    with pytest.raises(DataError, match="would fill the memory"):
        check_size(MOST_BYTES + 1, MOST_BYTES, "a.csv.gz")
