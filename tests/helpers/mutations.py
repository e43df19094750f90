"""Valid files of every kind that an import knows, and ways to spoil them."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from random import Random

import pandas as pd

from data.importing import ready_maps
from data.importing.map_files import READY
from data.importing.maps import FileMap, TableMap
from data.store.schema import Column
from data.store.tables import table
from tests.helpers.workbooks import xlsx

DAYS = ("2025-08-18", "2025-08-19", "2025-08-20")
WORDS = (
    *(
        "",
        "-",
        "--",
        "停牌",
        "nan",
        "inf",
        "-inf",
        "1e308",
        "1e400",
        "-1",
        "0",
        "1e5",
        "+5",
        " 12 ",
        "1,234",
        "30,15",
    ),
    *(
        "12.3亿",
        "15.89%",
        "２０２５",
        "2025年8月20日",
        "20250820",
        "45889",
        "0000-01-01",
        "9999-12-31",
        "2025-13-40",
    ),
    *(
        "159363",
        "sz159363",
        "BOTZ.US",
        "600000.SH",
        "CN",
        "合计",
        "数据来源: 某所",
        "true",
        "null",
        '"',
        '"a,b',
        "=1+1",
    ),
    *(
        "\0",
        "\r",
        "\u2028",
        "\ufeff",
        "\ud7ff",
        "😀",
        "1" * 400,
        "x" * 3_000,
        "[",
        "{",
        "{}",
        "[[]]",
        "\\",
        "'",
        "#",
    ),
    *(
        "9" * 25,
        "-0",
        "0x1A",
        "1_000",
        "２",
        "<html>",
        "PK\x03\x04",
        "PAR1",
        "1970-01-01T00:00:00Z",
        "08:00",
        "%d",
    ),
)
SEPARATORS = (b",", b";", b"\t", b"|", b" ", b"\n", b"\r\n")


def files() -> dict[str, tuple[str, bytes]]:
    """Return a valid file for each map, and other kinds of files, with their names, by what they are."""
    found = {name: _text(each) for name, each in ready_maps().items() if each.skip is None}
    for kind in ("tidy-bars", "tidy-units", "tidy-margin"):
        _, content = found[kind]
        frame = pd.read_csv(io.BytesIO(content))
        parquet = io.BytesIO()
        frame.to_parquet(parquet, index=False)
        rows = json.loads(frame.to_json(orient="records"))
        found[f"{kind} parquet"] = ("file.parquet", parquet.getvalue())
        found[f"{kind} json"] = ("file.json", json.dumps({"data": {"rows": rows}}).encode())
        found[f"{kind} lines"] = ("file.jsonl", "\n".join(map(json.dumps, rows)).encode())
        found[f"{kind} gzip"] = ("file.csv.gz", gzip.compress(content, mtime=0))
        found[f"{kind} workbook"] = ("file.xlsx", xlsx({"one": [[*frame], *frame.to_numpy().tolist()]}))
        found[f"{kind} utf-16"] = ("file.csv", content.decode().encode("utf-16"))
        found[f"{kind} gbk"] = ("file.csv", content.replace(b"symbol", "代码".encode("gbk")))
    return found


def maps() -> dict[str, bytes]:
    """Return the map files that ship, by name."""
    return {path.stem: path.read_bytes() for path in sorted(READY.glob("*.toml"))}


def _text(each: FileMap) -> tuple[str, bytes]:
    """Return a text file that a map should know: what it asks for, under the first of the names it allows."""
    columns: dict[str, list[str]] = {name: ["1", "1", "1"] for name in (*each.signature, *each.one_of[:1])}
    for part in each.tables:
        columns |= _matrix(part) if part.wide else _columns(part)
    names = list(each.header or [*each.order, *(name for name in columns if name not in each.order)])
    rows = [",".join(columns.get(name, ["1"] * 3)[row] for name in names) for row in range(3)]
    lines = rows if each.header else [",".join(names), *rows]
    name = "159363 20250820.csv" if any(part.file_name for part in each.tables) else "file.csv"
    return name, ("\n".join(lines) + "\n").encode()


def _columns(part: TableMap) -> dict[str, list[str]]:
    schema = table(part.table)
    named = {column: names[0] for column in schema.names if (names := part.names_of(column))}
    found = {name: _values(schema.column(column), part) for column, name in named.items()}
    for name in part.where:
        found.setdefault(part.columns.get(name, (name,))[0], ["159363"] * 3)
    return found


def _matrix(part: TableMap) -> dict[str, list[str]]:
    days = {part.names_of("day")[0]: list(DAYS)}
    return days | {code: ["400000000", "410000000", "420000000"] for code in ("159363", "515980")}


def _values(column: Column, part: TableMap) -> list[str]:
    if column.name in ("symbol", "successor"):
        return ["159363.SZ"] * 3
    if column.name in ("index", "constituent"):
        return ["930713", "930713", "930713"]
    if column.kind in ("day", "time"):
        days = pd.to_datetime(list(DAYS))
        return list(days.strftime(part.date_formats[0])) if part.date_formats else list(DAYS)
    if column.kind == "text":
        return [{"kind": "dividend", "pair": "USDCNY"}.get(column.name, "name")] * 3
    count = {"count": "523000000", "money": "371800000"}.get(column.scale, "0.7")
    return [{"high": "0.8", "low": "0.6", "ratio": "2"}.get(column.name, count)] * 3


def spoil(content: bytes, random: Random) -> bytes:
    """Return a file spoilt in one to three ways."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        content = random.choice(WAYS)(content, random)
    return content


def _place(content: bytes, random: Random) -> tuple[int, int]:
    begin = random.randrange(len(content) + 1)
    return begin, min(len(content), begin + random.choice((1, 1, 2, 8, 64)))


def _flip(content: bytes, random: Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(random.choice((1, 1, 4))) if spoilt else ():
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
    return bytes(spoilt)


def _delete(content: bytes, random: Random) -> bytes:
    begin, end = _place(content, random)
    return content[:begin] + content[end:]


def _double(content: bytes, random: Random) -> bytes:
    begin, end = _place(content, random)
    return content[:end] + content[begin:end] * random.choice((1, 2, 50)) + content[end:]


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _insert(content: bytes, random: Random) -> bytes:
    begin, _ = _place(content, random)
    return content[:begin] + random.choice(WORDS).encode() + content[begin:]


def _exchange(content: bytes, random: Random) -> bytes:
    """Put a word in place of a cell, a number or a name."""
    cells = list(re.finditer(rb"[^,;\t\n\r\"=\[\]{}: ]+", content))
    if not cells:
        return content
    begin, end = random.choice(cells).span()
    return content[:begin] + random.choice(WORDS).encode() + content[end:]


def _separate(content: bytes, random: Random) -> bytes:
    return content.replace(random.choice(SEPARATORS), random.choice(SEPARATORS))


def _lines(content: bytes, random: Random) -> bytes:
    """Double, drop, or move lines."""
    lines = content.split(b"\n")
    line = lines.pop(random.randrange(len(lines)))
    for _ in range(random.choice((0, 1, 2, 40))):
        lines.insert(random.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


def _swap(content: bytes, random: Random) -> bytes:
    """Swap two cells of every line."""
    rows = [line.split(b",") for line in content.split(b"\n")]
    one, other = random.randrange(len(rows[0])), random.randrange(len(rows[0]))
    for row in rows:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]
    return b"\n".join(b",".join(row) for row in rows)


def _write_again(content: bytes, random: Random) -> bytes:
    """Put into another encoding, or pack."""
    if random.random() < 0.3:
        return gzip.compress(content, mtime=0)
    try:
        return content.decode().encode(
            random.choice(("utf-16", "utf-8-sig", "gb18030", "utf-32", "utf-16-be"))
        )
    except UnicodeError:
        return content + content


WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_flip, _delete, _double, _cut, _insert, _exchange, _exchange, _exchange, _separate, _lines, _swap),
    _write_again,
)


def spoilt(first: int, count: int) -> Iterator[tuple[int, str, str, bytes, str | bytes | None]]:
    """Yield spoilt inputs by number: what it was, name and content of the file, the map (name or content)."""
    valid, shipped = files(), maps()
    kinds = list(valid)
    for number in range(first, first + count):
        random = Random(number)
        kind = random.choice(kinds)
        name, content = valid[kind]
        base = kind.split(" ", maxsplit=1)[0]
        way = random.random()
        if way < 0.25 and base in shipped:
            yield number, kind, name, content, spoil(shipped[base], random)
        else:
            yield number, kind, name, spoil(content, random), base if way < 0.5 else None
