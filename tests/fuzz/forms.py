"""Forms in which a table is written as a file: text, JSON, workbooks, Parquet; what it says may change."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pandas as pd

from tests.fuzz.hands import HANDS
from tests.fuzz.written import EXCEL, Row, Table, plain, table
from tests.helpers.workbooks import Day, xlsx


def text_file(made: Table, random: Random) -> tuple[str, bytes]:
    """Write a text file."""
    mark = random.choice((",", ",", ",", ";", "\t", "|"))
    end = random.choice(("\n", "\n", "\r\n", "\r"))
    quoted = random.random() < 0.2
    names = [*made.headers]

    def line(cells: Sequence[str]) -> str:
        return mark.join(_quoted(cell, mark, quoted) for cell in cells)

    lines = [line([row.cells[name] for name in names]) for row in made.rows]
    lines += [line(each) for each in made.below]
    head = [*made.above, line([*made.headers.values()])]
    way = random.random()
    if way < 0.05:
        head[-1] = head[-1].partition(mark)[2]  # a header is one cell short
        made.hands.append("header short")
    elif way < 0.1:
        lines = [each + mark for each in lines]
        head[-1] += random.choice(("", mark))
        made.hands.append("marks at the end")
    elif way < 0.15:
        place = random.randrange(len(lines))
        lines[place] = lines[place].partition(mark)[2]
        made.hands.append("row short")
    elif way < 0.2:
        place = random.randrange(len(lines))
        lines[place] = lines[place].replace(mark, mark * 2, 1)
        made.hands.append("row long")
    elif way < 0.25:
        lines.insert(
            random.randrange(len(lines)), random.choice(("", mark * (len(names) - 1), head[-1], " "))
        )
        made.hands.append("line between")
    text = end.join([*head, *lines]) + random.choice((end, end, "", end * 2))
    return "file.csv", _encoded(text, random, made)


def _encoded(text: str, random: Random, made: Table) -> bytes:
    form = random.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "gb18030", "utf-16", "mixed", "gzip"))
    made.hands.append(form)
    if form == "gzip":
        return gzip.compress(text.encode(), mtime=0)
    if form != "mixed":
        return text.encode(form)
    half = len(text) // 2
    one, other = random.choice(
        (("utf-8", "gb18030"), ("gb18030", "utf-8"), ("utf-8", "utf-16-le"), ("utf-8", "utf-8-sig"))
    )
    return text[:half].encode(one) + text[half:].encode(other)


def _quoted(cell: str, mark: str, always: bool) -> str:
    plain = not always and not any(each in cell for each in (mark, '"', "\n", "\r"))
    return cell if plain else '"' + cell.replace('"', '""') + '"'


def _value(text: str, random: Random) -> Any:
    return float(text) if plain(text) and random.random() < 0.9 else text


def document(made: Table, random: Random) -> tuple[str, bytes]:
    """Write JSON: records, lines, names and rows, or columns."""
    names = [*made.headers]
    rows = [{made.headers[name]: _typed(row, name, random) for name in names} for row in made.rows]
    way = random.choice(("records", "lines", "split", "columns", "keys"))
    made.hands.append(f"JSON {way}")
    ascii_ = random.random() < 0.5
    if way == "lines":
        return "file.jsonl", "\n".join(json.dumps(row, ensure_ascii=ascii_) for row in rows).encode()
    if way == "split":
        made_of: Any = {"fields": [*made.headers.values()], "items": [[*row.values()] for row in rows]}
    elif way == "columns":
        made_of = {header: [row[header] for row in rows] for header in made.headers.values()}
    else:
        made_of = rows
        if way == "keys" and rows:
            row = random.choice(rows)
            spoilt = random.choice(("case", "order", "lost", "null", "extra"))
            header = random.choice([*row])
            value = row.pop(header)
            if spoilt != "lost":
                row |= {"case": {header.upper(): value}, "extra": {header: value, "note": 1}}.get(
                    spoilt, {header: None if spoilt == "null" else value}
                )
            if spoilt in ("lost", "null", "case"):
                _unsaid(made, made.rows[rows.index(row)], header, keep=spoilt == "case")
            made.hands.append(spoilt)
    return "file.json", json.dumps(
        {"data": made_of} if random.random() < 0.5 else made_of, ensure_ascii=ascii_
    ).encode()


def _unsaid(made: Table, row: Row, header: str, *, keep: bool) -> None:
    """A cell is not there, or under another name: nothing is said of it, or what was."""
    for name, written in made.headers.items():
        if written == header and name in row.says:
            row.says[name] = [*row.says[name], float("nan")] if keep else []


def _typed(row: Row, name: str, random: Random) -> Any:
    text = row.cells.get(name, "")
    return _value(text, random) if name in row.says else text


def workbook(made: Table, random: Random) -> tuple[str, bytes]:
    """Write a workbook: numbers or text, days or serial numbers."""
    names = [*made.headers]

    def cell(row: Row, name: str) -> Any:
        text = row.cells[name]
        if name == "day" and text == row.day and random.random() < 0.5:
            return Day((date.fromisoformat(row.day) - EXCEL).days)
        return _value(text, random) if name != "symbol" else text

    rows: list[list[Any]] = [[each] for each in made.above]
    rows += [
        [*made.headers.values()],
        *([cell(row, name) for name in names] for row in made.rows),
        *made.below,
    ]
    sheets = {"one": rows}
    if random.random() < 0.2:
        sheets = {"notes": [["about", 1], ["x", 2]], **sheets}
    if random.random() < 0.1:
        sheets |= {"again": rows}
    return random.choice(("file.xlsx", "file.xls", "file.csv")), xlsx(sheets)


def parquet(made: Table, random: Random) -> tuple[str, bytes]:
    """Write Parquet, with columns of any types that hold the same."""
    frame = pd.DataFrame(
        {header: [row.cells[name] for row in made.rows] for name, header in made.headers.items()}
    )
    for name, header in made.headers.items():
        if list(made.headers.values()).count(header) > 1:
            continue
        if name in made.layout.numbers:
            _typed_numbers(made, frame, name, header, random)
        elif name == "day":
            _typed_days(made, frame, header, random)
        elif name == "symbol":
            way = random.choice(("str", "object", "category", "bytes", "int"))
            if way == "category":
                frame[header] = frame[header].astype("category")
            elif way == "bytes":
                frame[header] = frame[header].map(str.encode)
            elif way == "int" and frame[header].str.fullmatch(r"[1-9]\d{5}").all():
                frame[header] = frame[header].astype("int64")
            made.hands.append(f"symbol {way}")
    out = io.BytesIO()
    if random.random() < 0.15 and "index" not in made.headers:
        frame = frame.set_index(random.choice([*made.headers.values()]))
        made.hands.append("index")
    frame.to_parquet(out, index=None, compression=random.choice(("snappy", "none", "zstd")))
    return "file.parquet", out.getvalue()


def _typed_numbers(made: Table, frame: pd.DataFrame, name: str, header: str, random: Random) -> None:
    if not all(plain(row.cells[name]) for row in made.rows):
        return
    values = frame[header].map(float)
    way = random.choice(
        ("float64", "float64", "float32", "Int64", "decimal", "str", "category", "object", "int32")
    )
    whole = (values % 1 == 0).all() and (values.abs() < 2**31).all()
    if way == "decimal":
        frame[header] = frame[header].map(Decimal)
    elif way == "category":
        frame[header] = values.astype("category")
    elif way in ("Int64", "int32"):
        frame[header] = values.astype(way if whole else "float64")
    elif way == "float32":
        frame[header] = values.astype("float32")
        for row, value in zip(made.rows, frame[header].tolist(), strict=True):
            row.says[name] = [value * made.layout.numbers[name][1], *row.says[name]]
    elif way == "float64":
        frame[header] = values
    made.hands.append(f"{name} {way}")


def _typed_days(made: Table, frame: pd.DataFrame, header: str, random: Random) -> None:
    days = pd.to_datetime(pd.Series([row.day for row in made.rows]))
    way = random.choice(("text", "ns", "ms", "date", "utc", "shanghai", "new york", "int", "category"))
    if way == "date":
        frame[header] = days.dt.date
    elif way in ("ns", "ms"):
        frame[header] = days.astype(f"datetime64[{way}]")
    elif way == "int":
        frame[header] = days.dt.strftime("%Y%m%d").astype("int64")
    elif way == "category":
        frame[header] = days.astype("category")
    elif way != "text":
        zone = {"utc": "UTC", "shanghai": "Asia/Shanghai", "new york": "America/New_York"}[way]
        frame[header] = days.dt.tz_localize(zone)
    made.hands.append(f"day {way}")


def answer_file(made: Table, _random: Random) -> tuple[str, bytes]:
    """Write the data frame that a vendor's library returns, as CSV."""
    frame = pd.DataFrame([[row.cells[name] for name in made.headers] for row in made.rows])
    return "answer.csv", frame.to_csv(index=False, header=[*made.headers.values()]).encode()


Form = Callable[[Table, Random], tuple[str, bytes]]
FORMS: tuple[Form, ...] = (text_file, text_file, text_file, document, workbook, parquet)


def write(kind: str, random: Random, spoilings: int, form: Form | None = None) -> bytes:
    """Return a file, spoilt so many times, behind a line of JSON that has its name and what it says."""
    made = table(kind, random)
    for _ in range(spoilings):
        hand = random.choice(HANDS)
        made.hands.append(hand.__name__)
        hand(made, random)
    name, content = (form or random.choice(FORMS))(made, random)
    says = [[row.symbol, row.day, row.says] for row in made.rows]
    told = {"kind": kind, "name": name, "hands": made.hands, "columns": made.headers, "says": says}
    return json.dumps(told, ensure_ascii=False).encode() + b"\n" + content
