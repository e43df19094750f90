"""Valid files of every kind that an import knows."""

from __future__ import annotations

import gzip
import io
import json

import pandas as pd

from data.importing import ready_maps
from data.importing.map_files import READY
from data.importing.maps import FileMap, TableMap
from data.store.schema import Column
from data.store.tables import table
from tests.helpers.workbooks import xlsx

DAYS = ("2025-08-18", "2025-08-19", "2025-08-20")


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
        found[f"{kind} script of json"] = ("file.js", f"var a = 1; var rows = {json.dumps(rows)};".encode())
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
