"""Importing: files as people have them, right or wrong; every wrong one gives one clear message."""

from __future__ import annotations

import gzip
import json
import os
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from data.errors import DataError, EtflowError, UsageError
from data.facts.calendars import calendar_for
from data.importing import ImportReport, find_map, import_files, ready_maps
from data.importing.files import find_files
from data.importing.measures import parse_measure
from data.store.store import Store

HEADER = "symbol,day,open,high,low,close,volume,amount"
FIRST = "159363.SZ,2025-08-19,0.711,0.719,0.698,0.704,412000000,291500000"
SECOND = "159363.SZ,2025-08-20,0.700,0.731,0.690,0.729,523000000,371800000"
CLOSES = [0.704, 0.729]


def csv(*lines: str) -> str:
    return "\n".join(lines) + "\n"


TIDY = csv(HEADER, FIRST, SECOND)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    """Write a file and import it: ``take(name, content, map=toml)``."""

    def _take(name: str, content: str | bytes, **options: str) -> ImportReport:
        path = tmp_path / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        map_file = None
        if "map" in options:
            map_file = tmp_path / "my.toml"
            map_file.write_text(options["map"], encoding="utf-8")
        return import_files([path], store, map_file=options.get("named") or map_file)

    return _take


def closes(store: Store) -> list[float]:
    return store.read("bars")["close"].tolist()


# How files are written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_the_usual_encodings(take, store, encoding):
    text = csv(HEADER + ",名称", FIRST + ",人工智能", SECOND + ",人工智能")
    report = take("bars.csv", text.encode(encoding))
    assert closes(store) == CLOSES
    assert report.imported[0].unused == ("名称",)


def test_a_named_encoding_is_read(take, store):
    text = csv("代號,日期,單位淨值", "159363,2025-08-20,0.7291")
    toml = 'table = "nav"\nencoding = "big5"\ncolumns = {symbol = "代號", day = "日期", nav = "單位淨值"}'
    take("nav.csv", text.encode("big5"), map=toml)
    assert store.read("nav")["nav"].tolist() == [0.7291]


@pytest.mark.parametrize(
    ("name", "separator"), [("b.csv", ";"), ("b.tsv", "\t"), ("b.txt", "\t"), ("b.CSV", ",")]
)
def test_the_separator_is_found(take, store, name, separator):
    take(name, TIDY.replace(",", separator))
    assert closes(store) == CLOSES


def test_gzip_parquet_and_json_give_the_same_rows(tmp_path, store):
    frame = pd.DataFrame([row.split(",") for row in (FIRST, SECOND)], columns=HEADER.split(","))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TIDY.encode()))
    frame.to_parquet(tmp_path / "b.parquet", index=False)
    frame.to_json(tmp_path / "c.json", orient="records")
    (tmp_path / "d.json.gz").write_bytes(gzip.compress((tmp_path / "c.json").read_bytes()))
    for number, name in enumerate(["a.csv.gz", "b.parquet", "c.json", "d.json.gz"]):
        (change,) = import_files([tmp_path / name], store).changes
        assert (change.added, change.present) == ((2, 0) if number == 0 else (0, 2))
    assert closes(store) == CLOSES


def test_parquet_with_days_as_index_and_json_with_days_as_milliseconds(tmp_path, store):
    days = pd.to_datetime(["2025-08-19", "2025-08-20"])
    frame = pd.DataFrame({"symbol": "159363.SZ", "day": days, "units": [3.861e9, 3.97e9]})
    frame.set_index("day").to_parquet(tmp_path / "units.parquet")
    frame.astype({"day": "datetime64[ms]"}).assign(day=[1755561600000, 1755648000000]).to_json(
        tmp_path / "units.json", orient="records"
    )
    import_files([tmp_path / "units.parquet"], store)
    (change,) = import_files([tmp_path / "units.json"], store).changes
    assert (change.added, change.present) == (0, 2)


def test_a_headerless_file_is_read_through_its_map(take, store):
    text = csv(
        "2025/08/19,0.711,0.719,0.698,0.704,412000000,291500000.00",
        "2025/08/20,0.700,0.731,0.690,0.729,523000000,371800000.00",
    )
    with pytest.raises(DataError, match="no ready map knows the columns"):
        take("159363.csv", text)
    take("159363.csv", text, named="tdx")
    assert closes(store) == CLOSES
    assert store.read("bars")["source"].unique().tolist() == ["tdx"]


def test_unsorted_days_are_sorted_and_blank_lines_ignored(take, store):
    take("bars.csv", csv(HEADER, SECOND, "", FIRST, ""))
    assert closes(store) == CLOSES


def test_only_an_end_of_line_ends_a_line(take, store):
    # To str.splitlines a form feed is one too, and the header would be looked for a row further down.
    take("bars.csv", csv("Daily bars\x0cpage 1 of 1\x1c", HEADER, FIRST, SECOND))
    assert closes(store) == CLOSES


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("bars.csv", b"\x1c,0x", "no rows"),
        ("bars.csv", b"\xff\xfe", "is empty"),
        (
            "nav.csv",
            b"symbol,day,known_at,nav\n159363,2025-08-20,2025-08-21,1\n159363,2025-08-20,soon,1\n",
            "known_at",
        ),
        (
            "nav.json",
            b'[{"symbol": "159363", "day": ["2025-08-20"], "known_at": "2025-08-21", "nav": 1}]',
            "day",
        ),
        (
            "nav.json",
            b'[{"code": 1, "rows": [{"day": 1, "nav": 1}]}, {"code": 2, "rows": 3.5}]',
            "no ready map",
        ),
    ],
    ids=["a separator alone", "a mark of UTF-16 alone", "no time", "a list for a day", "a number for rows"],
)
def test_odd_files_are_refused_in_words(take, name, content, words):
    with pytest.raises(DataError, match=words):
        take(name, content)


def test_an_index_column_without_a_name_is_ignored(take, store):
    report = take("bars.csv", csv("," + HEADER, "0," + FIRST, "1," + SECOND))
    assert closes(store) == CLOSES
    assert report.imported[0].map == "tidy-bars"


@pytest.mark.parametrize("days", [("20250819", "20250820"), ("2025/8/19", "2025/8/20"), ("45888", "45889")])
def test_days_are_read_in_every_usual_way(take, store, days):
    take("bars.csv", TIDY.replace("2025-08-19", days[0]).replace("2025-08-20", days[1]))
    assert store.read("bars")["day"].tolist() == [pd.Timestamp("2025-08-19"), pd.Timestamp("2025-08-20")]


@pytest.mark.parametrize("code", ["159363", "159363.SZ", "sz159363", "159363.XSHE", " 159363.SZ "])
def test_codes_become_symbols(take, store, code):
    take("units.csv", csv("symbol,day,units", f"{code},2025-08-20,3970000000"))
    assert store.read("units")["symbol"].tolist() == ["159363.SZ"]


# Bad files: each names what, where and what to do


BAD = {
    "missing column": (
        csv("symbol,day,open,high,low,volume", "a,b,1,1,1,1"),
        "tidy-bars` lacks the column close",
    ),
    "renamed column": (
        TIDY.replace("close", "closing"),
        r"received symbol, day, .*closing.*tidy-bars` lacks the co",
    ),
    "text in a number": (TIDY.replace("0.729", "soon"), r"`bad.csv`: `close` .* in row 2; received 'soon'"),
    "no value": (TIDY.replace("0.729", "N/A"), "`close` of table `bars` is empty in row 2"),
    "percentage": (TIDY.replace("0.729", "72.9%"), r"`close` .* in row 2; received '72.9%'"),
    "decimal comma": (
        TIDY.replace("0.729", '"0,729"'),
        r"a comma that is not a thousands separator; received '0,729'; .*decimal = \",\"",
    ),
    "price of a thousand": (
        TIDY.replace("0.729", '"1,729"'),
        r"`close` in row 2 has a comma .*; received '1,729'; .*decimal = \",\"",
    ),
    "nan": (TIDY.replace("0.729", "nan"), "`close` of table `bars` is empty in row 2"),
    "infinity": (TIDY.replace("0.729", "inf"), "`close` .* not a finite number in row 2; received 'inf'"),
    "zero price": (TIDY.replace("0.690", "0"), "`low` .* must be positive in row 2; received 0"),
    "negative price": (TIDY.replace("0.690", "-0.69"), "`low` .* must be positive in row 2; received -0.69"),
    "high below low": (TIDY.replace("0.731", "0.68"), "bar in row 2 does not lie within its high and low"),
    "open, close, high, low": (
        csv("symbol,day,open,close,high,low,volume", "159363,2025-08-20,0.700,0.731,0.690,0.729,5"),
        "does not lie within its high and low.*some vendors write open, close, high, low",
    ),
    "day twice": (
        csv(HEADER, FIRST, FIRST.replace("0.704", "0.705")),
        "159363.SZ, 2025-08-19 comes more than once",
    ),
    "no day": (TIDY.replace("2025-08-20", "20251320"), r"`day` .* not a date in row 2; received '20251320'"),
    "american day": (TIDY.replace("2025-08-20", "8/20/2025"), "not a date in row 2.*map file"),
    "empty day": (TIDY.replace("2025-08-20", ""), "`day` of table `bars` is empty in row 2"),
    "no code": (
        TIDY.replace("159363.SZ,2025-08-20", ",2025-08-20"),
        "`symbol` of table `bars` is empty in row 2",
    ),
    "index code": (
        TIDY.replace("159363.SZ", "000300"),
        r"`symbol` in row 1 is 000300 is not the code of a fund",
    ),
    "other exchange": (TIDY.replace("159363.SZ", "159363.SH"), r"is not listed on that exchange.*159363.SZ"),
    "long row": (csv(HEADER, FIRST, SECOND + ",7"), "rows of different lengths; received Expected 8 fields"),
    "long rows": (
        csv(HEADER, FIRST + ",7"),
        "different lengths; received rows that are longer than the header",
    ),
    "short row": (
        csv(HEADER, "159363.SZ,2025-08-19,0.711", SECOND),
        "`bad.csv` has lines with fewer cells than others; received line 2: 159363.SZ,2025-08-19,0.711;",
    ),
    "cut off": (
        csv(HEADER, FIRST, "159363.SZ,2025-08-20,0.711"),
        "`bad.csv` ends in the middle of a row; received 159363.SZ,2025-08-20,0.711",
    ),
    "open quote": (csv(HEADER, '"' + FIRST), "rows of different lengths; received EOF inside string"),
    "column twice": (csv(HEADER + ",close", FIRST + ",1"), "names a column twice; received close"),
    "column twice, apart": (
        "day open open\n2025-08-18,1,1\n2025-08-19,1,1\n",
        "names a column twice; received open",
    ),
    "empty file": ("", "`bad.csv` is empty"),
    "blank file": ("\n\n", "`bad.csv` is empty"),
    "header only": (csv(HEADER), r"nothing to import; received `bad.csv` \(it has no rows\)"),
    "unknown columns": (csv("a,b", "1,2"), "no ready map knows the columns of `bad.csv`; received a, b"),
}


def test_a_short_line_within_a_file_is_refused_where_the_cells_behind_the_lost_one_would_pass(take, store):
    header = "symbol,day,balance,bought,repaid"
    lines = [f"159363.SZ,2025-08-{day},64000000,5000000,4000000" for day in (13, 14, 15)]
    title = ["a title", ""]
    lost = [lines[0], "159363.SZ,2025-08-14,5000000,4000000", lines[2]]
    broken = [lines[0] + "\r7", lines[1].replace("4000000", ""), *lines]
    with pytest.raises(
        DataError, match=r"has lines with fewer cells than others; received line 3: 7; limit: 5 cells"
    ):
        take("returns.csv", csv(header, *broken))
    with pytest.raises(DataError, match=r"line 5: 159363\.SZ,2025-08-14,5000000,4000000; limit: 5 cells"):
        take("margin.csv", csv(*title, header, *lost))
    take("margin.csv", csv(*title, header, lines[0], "159363.SZ,2025-08-14,5000000,4000000,", lines[2]))
    assert store.read("margin")["bought"].tolist() == [5_000_000.0, 4_000_000.0, 5_000_000.0]


def test_cells_that_excel_leaves_out_at_the_ends_of_lines_are_empty(take, store):
    # of sixteen lines at once, the header being in the first of these (KB77295)
    extra = [*[",5000000"] * 15, *[""] * 16, *[",5000000"] * 3]
    sessions = calendar_for("cn_etf").sessions(date(2025, 3, 3), date(2025, 6, 30))[: len(extra)]
    lines = [f"159363.SZ,{day},64000000{end}" for day, end in zip(sessions, extra, strict=True)]
    take("margin.csv", csv("symbol,day,balance,bought", *lines))
    bought = store.read("margin")["bought"]
    assert bought.isna().tolist() == [False] * 15 + [True] * 16 + [False] * 3


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_refused_and_nothing_is_written(take, store, case):
    content, message = BAD[case]
    with pytest.raises(DataError, match=message) as refused:
        take("bad.csv", content)
    assert refused.value.exit_code == 3
    assert "\n" not in str(refused.value)
    assert not store.folder.exists()


BAD_BYTES = {
    "truncated gzip": ("b.csv.gz", gzip.compress(TIDY.encode())[:-9], "not a whole gzip file.*cut off"),
    "no gzip": ("b.csv.gz", TIDY.encode(), "not a whole gzip file"),
    "empty gzip": ("b.csv.gz", gzip.compress(b""), "`b.csv.gz` is empty"),
    "wrong encoding": ("b.csv", b"symbol,day\n\xff\x80\x80", "not written in UTF-8 or GBK"),
    "truncated parquet": ("b.parquet", b"PAR1 and no more", "not a whole Parquet file"),
    "truncated json": ("b.json", b'[{"symbol": "159363', "is not JSON; received .*line 1"),
    "json without rows": ("b.json", b'{"a": 1}', "holds no table; received an object with a"),
    "json of numbers": ("b.json", b"[1, 2]", "holds no table; received rows that do not name"),
    "json of a number": ("b.json", b"3", "holds no table; received int"),
    "json null": ("b.json", b'{"data": null}', "is an answer without data.*East Money answers so"),
    "short klines": ("b.json", b'{"data": {"klines": ["2025-08-20,0.7"]}}', "a kline has 2 fields"),
    "json infinity": (
        "b.json",
        b'[{"symbol": "159363", "day": "2025-08-20", "units": Infinity}]',
        "`units` .* not a finite number in row 1",
    ),
}


@pytest.mark.parametrize("case", BAD_BYTES)
def test_a_file_that_cannot_be_read_is_refused(take, store, case):
    name, content, message = BAD_BYTES[case]
    with pytest.raises(DataError, match=message):
        take(name, content)
    assert not store.folder.exists()


def test_a_path_that_does_not_exist_or_is_of_no_kind_we_read_is_a_usage_error(tmp_path, store):
    (tmp_path / "book.docx").write_bytes(b"PK")
    with pytest.raises(UsageError, match=r"there is no file or folder .*nowhere"):
        import_files([tmp_path / "nowhere"], store)
    with pytest.raises(UsageError, match=r"`book.docx` is not a kind of file.*\.csv.*Save the table as CSV"):
        import_files([tmp_path / "book.docx"], store)


def test_the_closest_maps_are_named(take):
    header = "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额"
    with pytest.raises(DataError, match=r"Closest: `eastmoney-daily` lacks the column 换手率"):
        take("159363.csv", csv(header, "2025-08-20,0.7,0.729,0.731,0.69,5230000,371800000.0,2.97,3.55,0.025"))


def test_a_file_that_could_be_several_things_is_refused(take):
    with pytest.raises(DataError, match=r"could be several things.*`tidy-units`.*`tidy-nav`.*--map"):
        take("x.csv", csv("symbol,day,units,nav", "159363,2025-08-20,3970000000,0.7291"))


def test_of_several_maps_that_fit_the_one_that_knows_most_columns_is_taken(take, store):
    report = take("x.csv", csv(HEADER + ",units", FIRST + ",3861000000"))
    assert [(each.map, each.unused) for each in report.imported] == [("tidy-bars", ("units",))]


def test_an_unknown_file_that_is_named_itself_stops_the_import_of_the_others(tmp_path, store):
    (tmp_path / "a.csv").write_text(TIDY)
    (tmp_path / "b.csv").write_text(csv("who,what", "1,2"))
    with pytest.raises(DataError, match=r"no ready map knows the columns of `b.csv`"):
        import_files([tmp_path / "a.csv", tmp_path / "b.csv"], store)


def test_bars_whose_unit_of_measure_nothing_shows_are_refused(take):
    with pytest.raises(DataError, match="no ready map knows the columns"):
        take("159363.csv", csv("date,open,high,low,close,volume", "2025-08-20,0.7,0.731,0.69,0.729,5230000"))


# Values that cannot be


def test_a_date_read_as_a_count_is_refused(take):
    rows = csv("symbol,day,units", "SHV.US,2026-07-16,110500000", "SHV.US,2026-07-17,20260630")
    with pytest.raises(
        DataError, match=r"`units` is a date read as a number; received SHV.US 2026-07-17 20260630\."
    ):
        take("units.csv", rows)


@pytest.mark.parametrize("count", ["20260000", "20261301", "20200131", "20260630.5"])
def test_a_count_that_only_resembles_a_date_is_a_count(take, store, count):
    take("units.csv", csv("symbol,day,units", f"SHV.US,2026-07-17,{count}"))
    assert store.read("units")["units"].tolist() == [float(count)]


def test_one_of_many_balances_that_reads_as_a_date_is_let_through_with_a_note(take, store):
    days = calendar_for("cn_etf").sessions(date(2025, 1, 2), date(2025, 8, 20))
    rows = [f"159363,{day},{90_000_000 + number}" for number, day in enumerate(days)]
    rows[-1] = "159363,2025-08-20,20250605"
    report = take("margin.csv", csv("symbol,day,balance", *rows))
    assert report.imported[0].notes == (
        f"`balance` reads as a date in 1 of {len(days)} rows: 159363.SZ 2025-08-20 20250605",
    )
    assert len(store.read("margin")) == len(days)


@pytest.mark.parametrize(("dates", "of", "refused"), [(1, 20, False), (2, 20, True), (1, 19, True)])
def test_of_a_short_file_one_balance_may_read_as_a_date(take, store, dates, of, refused):
    days = calendar_for("cn_etf").sessions(date(2025, 1, 2), date(2025, 8, 20))[:of]
    rows = [f"159363,{day},{90_000_000 + number}" for number, day in enumerate(days)]
    for number in range(dates):
        rows[number] = f"159363,{days[number]},2025060{number + 1}"
    if refused:
        with pytest.raises(DataError, match="`balance` is a date read as a number"):
            take("margin.csv", csv("symbol,day,balance", *rows))
    else:
        (note,) = take("margin.csv", csv("symbol,day,balance", *rows)).imported[0].notes
        assert note.startswith("`balance` reads as a date in 1 of 20 rows")


def test_a_financing_balance_that_is_a_date_is_refused(take):
    with pytest.raises(DataError, match="`balance` is a date read as a number"):
        take("margin.csv", csv("symbol,day,balance", "159363,2026-07-17,20260716"))


def test_too_few_units_are_refused_with_the_way_to_say_their_unit_of_measure(take):
    with pytest.raises(DataError, match=r"`units` is below 10,000.*159363.SZ 2025-08-20 39.7\..*10\^8"):
        take("units.csv", csv("symbol,day,units", "159363,2025-08-20,39.7"))


def test_weights_in_percent_are_refused(take):
    with pytest.raises(DataError, match=r"`weight` is above 1.*percent"):
        take("w.csv", csv("index,day,constituent,weight", "970070,2025-07-31,300308,15.89"))


def test_a_premium_in_percent_is_refused_where_it_is_beyond_all(take, store):
    rows = ("symbol,day,premium", "159363,2025-08-20,-0.0012", "159363,2025-08-21,-1.2")
    with pytest.raises(
        DataError, match=r"`premium` is below -1; received 159363.SZ 2025-08-21 -1.2\..*percent"
    ):
        take("p.csv", csv(*rows))
    take("p.csv", csv(*rows[:2]))
    assert store.read("premium")["premium"].tolist() == [-0.0012]


def test_the_rows_named_are_of_different_funds(take):
    rows = [f"{fund},2025-08-{day},7" for fund in ("159363", "515980") for day in (18, 19, 20)]
    with pytest.raises(
        DataError, match=r"received 159363.SZ 2025-08-18 7, 515980.SH 2025-08-18 7 and 4 more rows"
    ):
        take("units.csv", csv("symbol,day,units", *rows))


# Maps


def test_a_map_says_columns_measures_dates_symbols_and_constants(take, store):
    toml = """
        table = "bars"
        date_format = "%d/%m/%Y"
        file_name = '^(?P<symbol>[A-Z]+)'
        suffix = ".US"
        source = "broker"
        measures = {volume = "10^4", amount = "million"}
        [columns]
        day = ["when", "date"]
        open = "o"
        high = "h"
        low = "l"
        close = "c"
        volume = "v"
        amount = "a"
    """
    take("BOTZ-history.csv", csv("date,o,h,l,c,v,a", "20/08/2025,30,31,29,30.5,12.5,3.8125"), map=toml)
    row = store.read("bars").iloc[0]
    assert (row["symbol"], row["day"]) == ("BOTZ.US", pd.Timestamp("2025-08-20"))
    assert (row["volume"], row["amount"], row["source"]) == (125_000.0, 3_812_500.0, "broker")


def test_a_ready_map_is_the_base_of_another(take, store):
    # Volume is in lots of 100 up to 29 October, in shares after.
    rows = csv(
        "日期,开盘,最高,最低,收盘,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        "2025-10-29,0.943,0.947,0.912,0.929,9529315,883987313.257,3.79,0.65,0.006,24.87",
        "2025-10-30,0.913,0.93,0.897,0.898,971894800,872761532.25,0.0,0.0,,0.0",
    )
    toml = 'based_on = "eastmoney-daily"\n[measures]\nvolume = "lots until 2025-10-29, shares after"'
    take("159363.csv", rows, map=toml)
    bars = store.read("bars")
    assert bars["volume"].tolist() == [952_931_500.0, 971_894_800.0]
    assert bars["amount"].tolist() == [883_987_313.257, 872_761_532.25]


def test_a_map_may_leave_rows_out_and_hold_several_tables(take, store):
    toml = """
        constants = {symbol = "USD.US"}
        date_format = "%b %d %Y"
        columns = {day = "Date"}
        where = {Kind = "final"}
        [[tables]]
        table = "units"
        columns = {units = "Shares Outstanding"}
        [[tables]]
        table = "nav"
        columns = {nav = "NAV"}
        leave_out_without = ["nav"]
    """
    rows = csv(
        "Date,NAV,Shares Outstanding,Kind",
        "Mar 04 2026,53.3486,31660000,final",
        "Mar 05 2026,,31540000,final",
        "Mar 06 2026,50,1,estimate",
    )
    report = take("usd.csv", rows, map=toml)
    assert store.read("units")["units"].tolist() == [31_660_000.0, 31_540_000.0]
    assert store.read("nav")["nav"].tolist() == [53.3486]
    assert [(each.table, each.rows, each.left_out) for each in report.imported] == [
        ("units", 2, 1),
        ("nav", 1, 2),
    ]


def test_an_import_that_leaves_every_row_out_is_refused(take, store):
    toml = """
        table = "nav"
        columns = {symbol = "code", day = "day", nav = "nav"}
        where = {code = '159\\d+'}
    """
    words = "every row is left out; received 2 rows in `nav.csv` \\(map `my`\\)"
    with pytest.raises(DataError, match=words):
        take("nav.csv", csv("code,day,nav", "515980,2025-08-19,1", "515980,2025-08-20,1"), map=toml)
    assert not store.folder.exists()


def test_a_row_left_out_does_not_shift_the_row_that_an_error_names(take):
    toml = """
        table = "nav"
        columns = {symbol = "code", day = "day", nav = "nav"}
        where = {code = '\\d+'}
    """
    with pytest.raises(DataError, match="in row 3; received 'x'"):
        take("nav.csv", csv("code,day,nav", "sum,,", "159363,2025-08-19,1", "159363,2025-08-20,x"), map=toml)


def test_a_day_of_publication_gets_the_time_that_the_map_says(take, store):
    toml = 'based_on = "tushare-fund-nav"\nknown_at_time = "21:30"'
    take("nav.csv", csv("ts_code,ann_date,nav_date,unit_nav", "159363.SZ,20250821,20250820,0.7291"), map=toml)
    assert store.read("nav")["known_at"].tolist() == [pd.Timestamp("2025-08-21 21:30")]


def test_prices_that_the_map_calls_adjusted_are_flagged(take, store):
    toml = 'based_on = "tdx"\nadjusted = "qfq"'
    report = take("159363.csv", csv("2025/08/20,0.7,0.731,0.69,0.729,5230000,3718000"), map=toml)
    assert report.imported[0].notes == (
        "prices are forward-adjusted: orders, price limits and flows need them as traded",
    )
    assert store.read("bars")["source"].tolist() == ["tdx, qfq"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("lots", [100.0, 200.0]),
        ("shares", [1.0, 2.0]),
        ("thousand", [1e3, 2e3]),
        ("10^4", [1e4, 2e4]),
        ("10^8", [1e8, 2e8]),
        ("percent", [0.01, 0.02]),
        ("lots until 2025-08-19, shares after", [100.0, 2.0]),
        ("lots until 2025-08-01, 10^4 until 2025-08-20, shares after", [1e4, 2e4]),
    ],
)
def test_a_unit_of_measure_scales(text, numbers):
    days = pd.Series(pd.to_datetime(["2025-08-19", "2025-08-20"]))
    assert parse_measure(text, "test").scale(pd.Series([1.0, 2.0]), days).tolist() == numbers


@pytest.mark.parametrize(
    ("number", "measure", "expected"), [(701238.4, "10^4", 7_012_384_000.0), (0.07, "lots", 7.0)]
)
def test_scaling_leaves_no_float_noise(number, measure, expected):
    assert parse_measure(measure, "test").scale(pd.Series([number])).tolist() == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "lot",
        "lots until 2025-10-29",
        "lots, shares",
        "lots until soon, shares after",
        "lots until 2025-13-01, shares after",
        "lots until 2025-10-29, shares until 2025-10-28, lots after",
        "shares after",
    ],
)
def test_an_unknown_unit_of_measure_is_refused(text):
    with pytest.raises(
        UsageError, match=r"my map, `volume`: unknown unit of measure; received '.*limit: shares"
    ):
        parse_measure(text, "my map, `volume`")


BAD_MAPS = {
    "not TOML": ("table = ", "is not a TOML file"),
    "no table": ('columns = {day = "d"}', "does not say its table"),
    "unknown table": ('table = "bar"', "unknown table `bar`. Did you mean `bars`"),
    "unknown key": ('table = "bars"\ncolumn = {}', "unknown name `column`. Did you mean `columns`"),
    "unknown column": (
        'table = "bars"\ncolumns = {closing = "c"}',
        "no column `closing`. Did you mean `close`",
    ),
    "columns no section": ('table = "bars"\ncolumns = "close"', r"`columns` must be a section"),
    "number for a name": (
        'table = "bars"\ncolumns = {close = 4}',
        "`close` must be text, or a list of texts",
    ),
    "unknown measure": ('table = "bars"\nmeasures = {volume = "lot"}', "`volume`: unknown unit of measure"),
    "dated measure without days": (
        'table = "funds"\nmeasures = {price_limit = "percent until 2025-01-01, fraction after"}',
        "has no `day` by which a unit of measure could change",
    ),
    "bad pattern": ('table = "bars"\nfile_name = "("', "`file_name` is not a regular expression"),
    "unknown group": ("table = \"bars\"\nfile_name = '(?P<code>.*)'", "no column `code`"),
    "unknown base": ('based_on = "eastmoney"', "no ready map `eastmoney`.*Did you mean `eastmoney-"),
    "unknown adjustment": (
        'table = "bars"\nadjusted = "yes"',
        "unknown `adjusted`; received yes; limit: no, qfq",
    ),
    "no time": ('table = "nav"\nknown_at_time = "9 pm"', "`known_at_time` is not a time of day"),
    "wide without days": ('table = "macro"\nwide = "value"', "table `macro` cannot be `wide`"),
    "two decimal marks": ('table = "bars"\ndecimal = ".,"', "unknown `decimal`; received '.,'"),
    "a word for a truth": ('table = "bars"\nrecognise = "no"', "`recognise` must be true or false"),
    "a list for a pattern": ('table = "bars"\nwhere = {symbol = ["1"]}', "`where` must be text"),
    "two signs": ('table = "bars"\nseparator = ",,"', "`separator` is not one sign"),
    "no date format": ('table = "bars"\ndate_format = "%Q"', "'Q' is a bad directive"),
    "thousands of digits": ("table = " + "9" * 5000, "is not a TOML file; received Exceeds the limit"),
    "lists within lists": ("table = " + "[" * 5000 + "]" * 5000, "is not a TOML file"),
    "splits without bars": ('table = "units"\nsplits = "s"', "`splits` needs the table `bars`"),
    "text for a list of tables": ('tables = "bars"', "is not a list of rows"),
}


@pytest.mark.parametrize("case", BAD_MAPS)
def test_a_bad_map_is_a_usage_error(take, case):
    toml, message = BAD_MAPS[case]
    with pytest.raises(UsageError, match=message):
        take("bars.csv", TIDY, map=toml)


def test_a_map_that_is_named_keeps_its_signature(take):
    flat = csv("Date,Close,High,Low,Open,Volume", "2025-08-20,43.3,43.52,42.71,43.4,690100")
    with pytest.raises(
        DataError, match=r"not what the map `yfinance` reads: it lacks the column Adj Close; received Date"
    ):
        take("AIQ.csv", flat, named="yfinance")
    with pytest.raises(DataError, match=r"`tdx-export` reads: it lacks a line above the header"):
        take("159363.csv", csv("日期,成交额", "2025-08-20,1"), named="tdx-export")


def test_a_map_that_does_not_fit_the_file_names_what_is_missing(take):
    with pytest.raises(
        DataError, match=r"table `bars` needs `symbol`, but there is no column ts_code; received symbol"
    ):
        take("bars.csv", TIDY, named="tushare-fund-daily")
    with pytest.raises(DataError, match=r"the name of the file must hold the symbol; received bars"):
        take("bars.csv", csv("2025/08/20,1,1,1,1,1,1"), named="tdx")
    with pytest.raises(
        DataError, match=r"`day` is not written as the map says in row 1; received '2025-08-19'"
    ):
        take(
            "bars.csv",
            TIDY,
            map='table = "bars"\ndate_format = "%Y"',
        )


def test_an_unknown_map_names_close_ones():
    with pytest.raises(UsageError, match=r"there is no map `tushare-daily`.*Did you mean `tushare-"):
        find_map("tushare-daily")


def test_every_ready_map_can_be_loaded_and_says_what_it_reads():
    for name, each in ready_maps().items():
        assert each.name == name
        assert each.title
        assert each.tables or each.skip


# Folders, several files, and the store


def test_a_folder_is_taken_whole_and_what_is_skipped_is_named(tmp_path, store):
    folder = tmp_path / "downloads"
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "a.csv").write_text(csv(HEADER, FIRST))
    (folder / "deep" / "b.csv").write_text(csv(HEADER, SECOND))
    (folder / "README.md").write_text("about")
    (folder / "LICENSE.txt").write_text("MIT")
    (folder / "SHA256SUMS").write_text("0")
    (folder / ".hidden.csv").write_text("x")
    (folder / "chart.png").write_bytes(b"PNG")
    (folder / "nothing.csv").write_text(csv(HEADER))
    (folder / "other.csv").write_text(csv("who,what", "1,2"))
    (folder / "settings.json").write_text('{"colour": "red"}')
    (folder / "factors.csv").write_text(csv("ts_code,trade_date,adj_factor", "512480.SH,20260423,1.964"))
    Store(folder / "store").append(
        {"units": pd.DataFrame({"symbol": ["159363"], "day": ["20250820"], "units": [9]})}
    )
    report = import_files([folder], store)
    assert closes(store) == CLOSES
    assert store.tables == ("bars",)
    reasons = {Path(path).name: reason for path, reason in report.skipped}
    for name in (".git", ".hidden.csv", "chart.png", "README.md", "LICENSE.txt", "SHA256SUMS"):
        assert reasons.pop(name) in ("hidden", "not data", "not a kind of file that is read")
    assert set(reasons) == {"nothing.csv", "other.csv", "settings.json", "factors.csv", "store"}
    assert reasons["other.csv"] == "no map knows what is in it: who, what"
    assert "adjustment factors are not split ratios" in reasons["factors.csv"]
    assert (reasons["nothing.csv"], reasons["store"]) == ("it has no rows", "a store")


def test_a_spoilt_file_in_a_folder_stops_the_import(tmp_path, store):
    (tmp_path / "a.csv").write_text(csv(HEADER, FIRST))
    (tmp_path / "b.csv").write_text(csv(HEADER.replace("close", "closing"), SECOND))
    with pytest.raises(DataError, match=r"columns of `b.csv`.*`tidy-bars` lacks the column close"):
        import_files([tmp_path], store)
    assert not store.folder.exists()


def test_a_store_is_imported_like_any_folder(tmp_path, store):
    other = Store(tmp_path / "other")
    other.append({"units": pd.DataFrame({"symbol": ["159363.SZ"], "day": ["20250820"], "units": [3.97e9]})})
    import_files([other.folder], store)
    pd.testing.assert_frame_equal(store.read("units"), other.read("units"))


def test_files_that_agree_are_joined_and_gaps_filled(tmp_path, store):
    (tmp_path / "a.csv").write_text(
        csv("symbol,day,balance,bought", "159363,20250819,9,", "159363,20250820,8,5")
    )
    (tmp_path / "b.csv").write_text(
        csv("symbol,day,balance,bought", "159363,20250819,9,4", "159363,20250820,8,")
    )
    import_files([tmp_path], store)
    assert store.read("margin")["bought"].tolist() == [4.0, 5.0]


def test_files_that_disagree_are_refused_with_both_values(tmp_path, store):
    (tmp_path / "a.csv").write_text(TIDY)
    (tmp_path / "b.csv").write_text(csv(HEADER, SECOND.replace("0.729", "0.728")))
    with pytest.raises(DataError) as refused:
        import_files([tmp_path / "a.csv", tmp_path / "b.csv"], store)
    assert "disagree about `close` of 159363.SZ 2025-08-20 in table `bars`" in str(refused.value)
    assert "0.729 in `a.csv`, 0.728 in `b.csv`" in str(refused.value)


def test_a_revision_is_refused_until_it_is_accepted(tmp_path, store, take):
    take("bars.csv", TIDY)
    path = tmp_path / "later.csv"
    path.write_text(csv(HEADER, SECOND.replace("0.729", "0.728")))
    with pytest.raises(DataError, match=r"1 row would change the past.*close 0.729 -> 0.728"):
        import_files([path], store)
    report = import_files([path], store, accept_revision=True, on=date(2025, 9, 1))
    assert closes(store) == [0.704, 0.728]
    assert report.revisions["replaced"].tolist() == [pd.Timestamp("2025-09-01")]


def test_progress_is_told_before_each_file_and_before_writing(tmp_path, store):
    (tmp_path / "a.csv").write_text(csv(HEADER, FIRST))
    (tmp_path / "b.csv").write_text(csv(HEADER, SECOND))
    told: list[tuple[int, int, str]] = []
    import_files([tmp_path], store, progress=lambda *step: told.append(step))
    assert told == [(0, 2, "a.csv"), (1, 2, "b.csv"), (2, 2, "store")]


def test_an_interrupted_import_leaves_the_store_as_it_was(tmp_path, store, take):
    take("bars.csv", csv(HEADER, FIRST))
    (tmp_path / "b.csv").write_text(csv(HEADER, SECOND))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_files([tmp_path / "b.csv"], store, progress=interrupt)
    assert closes(store) == [0.704]


# Real files


@pytest.mark.slow
def test_the_tidy_files_are_imported_whole_without_a_map(shared, store):
    report = import_files([shared / "tidy-cn"], store)
    assert {each.table: each.added for each in report.changes} == {
        "actions": 19,
        "bars": 68_450,
        "index_bars": 24_445,
        "margin": 3_373,
        "units": 19_669,
    }
    assert report.skipped == ()
    assert store.read("bars")["symbol"].nunique() == 66
    assert store.read("margin", ["CN"])["day"].max() == pd.Timestamp("2026-08-20")
    split = store.read("actions", ["159363.SZ"]).iloc[0]
    assert (split["ratio"], split["ex_day"]) == (2.0, pd.Timestamp("2025-07-21"))
    assert not any(change.alters for change in import_files([shared / "tidy-cn"], store).changes)


@pytest.mark.slow
def test_raw_east_money_files_equal_the_tidy_ones_where_those_are_unadjusted(shared, store, tmp_path):
    report = import_files([shared / "cn-etf" / "eastmoney-daily-qfq-20250704"], store)
    assert len(report.imported) == 38
    assert report.imported[0].notes == (
        "the file does not say whether prices are adjusted; `data check` holds them against amounts",
    )
    tidy = Store(tmp_path / "tidy")
    import_files([shared / "tidy-cn" / "bars.csv.gz"], tidy)
    for symbol in ("159363.SZ", "588080.SH"):
        raw, expected = (each.read("bars", [symbol]) for each in (store, tidy))
        both = raw.merge(expected, on=["symbol", "day"], suffixes=("", "_tidy"))
        assert len(both) == len(raw)
        for column in ("open", "high", "low", "close", "volume"):
            assert (both[column] == both[f"{column}_tidy"]).all()


def test_real_files_of_tushare_are_recognised(shared, store):
    report = import_files([shared / "cn-etf" / "tushare-daily", shared / "cn-shares" / "pair-589720"], store)
    assert {each.map for each in report.imported} == {"tushare-fund-daily", "tushare-fund-share"}
    assert len(report.skipped) == 3
    units = store.read("units", ["589720.SH"])
    assert units["units"].iloc[0] == 485_823_000.0
    assert units["source"].iloc[0] == "sse_fund_etf_scale"
    bar = store.read("bars", ["589720.SH"]).iloc[-1]
    assert (bar["volume"], bar["amount"]) == (1_188_627_221.0, 1_111_610_682.0)


def test_the_file_whose_lots_become_shares_is_imported_right_by_a_dated_measure(shared, store, tmp_path):
    folder = shared / "cn-etf" / "fish-etf-159363"
    import_files([folder], store)
    bars = store.read("bars")
    ratio = bars["amount"] / (bars["volume"] * bars["close"])
    assert (ratio < 0.02).sum() == 48
    map_file = tmp_path / "fish.toml"
    map_file.write_text(
        'based_on = "eastmoney-daily"\nmeasures = {volume = "lots until 2025-10-29, shares after"}'
    )
    right = Store(tmp_path / "right")
    import_files([folder], right, map_file=map_file)
    bars = right.read("bars")
    assert (bars["amount"] / (bars["volume"] * bars["close"])).between(0.9, 1.1).all()
    assert len(bars) == 126


def test_the_dirty_share_counts_are_refused(shared, store):
    with pytest.raises(EtflowError) as refused:
        import_files([shared / "us-etf" / "shares-dirty-2026"], store)
    assert refused.value.exit_code == 3
    assert "`units` is a date read as a number; received AGG.US 2026-07-17 20260630" in str(refused.value)
    assert "and 444 more rows" in str(refused.value)


def test_a_real_market_margin_file_is_read_through_a_map(shared, store, tmp_path):
    map_file = tmp_path / "margin.toml"
    map_file.write_text(
        'table = "margin"\nconstants = {symbol = "CN"}\n'
        'columns = {day = "date", balance = "fin_balance", bought = "fin_buy"}\n'
        'measures = {balance = "10^8", bought = "10^8"}'
    )
    import_files([shared / "cn-margin" / "market-2012-2026" / "margin.csv"], store, map_file=map_file)
    tidy = Store(tmp_path / "tidy")
    import_files([shared / "tidy-cn" / "margin.csv.gz"], tidy)
    both = store.read("margin"), tidy.read("margin")
    pd.testing.assert_frame_equal(
        *(each[["symbol", "day", "balance", "bought"]] for each in both), rtol=1e-12
    )


def test_klines_of_east_money_are_read(take, store):
    answer = {
        "data": {
            "code": "159363",
            "klines": [
                "2025-08-19,0.711,0.704,0.719,0.698,4120000,291500000.000,2.97,-0.42,-0.003,10.67",
                "2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.000,5.82,3.55,0.025,13.17",
            ],
        }
    }
    report = take("answer.json", json.dumps(answer))
    assert report.imported[0].map == "eastmoney-daily"
    bars = store.read("bars")
    assert closes(store) == CLOSES
    assert bars["volume"].tolist() == [412_000_000.0, 523_000_000.0]
    assert bars["high"].tolist() == [0.719, 0.731]


def test_a_map_may_say_only_what_differs_from_our_own_names(take, store):
    take(
        "bars.csv",
        TIDY,
        map='table = "bars"\ncolumns = {amount = "amount"}\nmeasures = {amount = "thousand"}',
    )
    assert store.read("bars")["amount"].tolist() == [291_500_000_000.0, 371_800_000_000.0]


def test_a_dead_link_and_a_pipe_in_a_folder_are_passed_over(tmp_path):
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nothing.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    files, skipped = find_files([tmp_path])
    assert files == []
    assert [(Path(path).name, reason) for path, reason in skipped] == [
        ("gone.csv", "a link to nothing"),
        ("pipe.csv", "not a file"),
    ]
