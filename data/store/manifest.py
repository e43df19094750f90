"""``store.json``: the segments of each table, and how the tables were fetched."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from data.errors import DataError
from data.parsing import parse_json
from data.store.arrivals import ARRIVALS
from data.store.files import OpenFile, Seal, Segment, damaged, flush
from data.store.merge import REVISIONS
from data.store.schema import Table
from data.store.segments import OpenTable
from data.store.tables import TABLES

FORMAT = 2
MANIFEST = "store.json"
# What the store says of itself, in tables beside the data.
BESIDE = {table.name: table for table in (REVISIONS, ARRIVALS)}

FILE = re.compile(r"([a-z_]+)-(\d{6})\.parquet")


@dataclass(frozen=True)
class Manifest:
    """What ``store.json`` says: the segments of each table, in order, and how the tables were fetched."""

    tables: Mapping[str, tuple[Segment, ...]] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> frozenset[str]:
        """The names of all files."""
        return frozenset(segment.file for segments in self.tables.values() for segment in segments)

    @property
    def generation(self) -> int:
        """The largest number that a file has; 0 if there is none."""
        return max((int(name[-14:-8]) for name in self.files), default=0)

    def open(self, folder: Path, name: str) -> OpenTable:
        """Return a table, open; FileNotFoundError if a file of it is gone."""
        schema = schema_of(name)
        return OpenTable(schema, [OpenFile(folder, schema, segment) for segment in self.tables[name]])


def schema_of(name: str) -> Table:
    """Return a table of a store, of its own ones too."""
    return BESIDE[name] if name in BESIDE else TABLES[name]


def read_manifest(folder: Path) -> Manifest:
    """Read what the store in a folder says, nothing if there is none; DataError if it is damaged or newer."""
    path = folder / MANIFEST
    if not path.is_file():
        return Manifest()
    try:
        written = parse_json(path.read_text(encoding="utf-8"))
        version, recipe = int(written["format"]), dict(written.get("recipe", {}))
        if version > FORMAT:
            raise DataError(
                f"the store `{folder}` was written by a newer version of etflow",
                received=f"format {version}",
                limit=f"format {FORMAT}",
                hint="Update etflow.",
            )
        tables: dict[str, tuple[Segment, ...]]
        if version == 1:
            seals = {name: Seal(**seal) for name, seal in written.get("seals", {}).items()}
            tables = {
                name: (Segment(file, seal=seals.get(name)),) for name, file in dict(written["tables"]).items()
            }
        else:
            tables = {name: tuple(map(_segment, each)) for name, each in dict(written["tables"]).items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise damaged(path, error) from None
    for name, segments in tables.items():
        known = name in TABLES or name in BESIDE
        for file in (segment.file for segment in segments):
            match = FILE.fullmatch(file) if isinstance(file, str) else None
            if not known or match is None or match[1] != name:
                raise damaged(path, ValueError(f"`{file}` is no file of the table `{name}`"))
    return Manifest(tables, recipe)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put ``store.json`` in the place of the one before, whole or not at all."""
    temporary = folder / f"{MANIFEST}.new"
    tables = {name: [asdict(each) for each in segments] for name, segments in sorted(manifest.tables.items())}
    written: dict[str, Any] = {"format": FORMAT, "tables": tables}
    if manifest.recipe:
        written["recipe"] = dict(manifest.recipe)
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(written, file, indent=2, default=str)
        flush(file)
    os.replace(temporary, folder / MANIFEST)


def _segment(document: Mapping[str, Any]) -> Segment:
    days = (document["first"], document["last"])
    first, last = (None if day is None else date.fromisoformat(day) for day in days)
    seal = None if document["seal"] is None else Seal(**document["seal"])
    rows = int(document["rows"])
    if rows < 0:
        raise ValueError(f"{rows} rows")
    return Segment(document["file"], rows, first, last, seal)
