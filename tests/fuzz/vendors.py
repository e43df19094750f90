"""The door of what a vendor answers: rows that it says, or a refusal in words."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from random import Random

import pandas as pd

from data.providers.answers import rows_of
from data.providers.asking import Connection
from data.providers.provider import Piece, Request, Verdict, Wanted, parts_of
from data.store.tables import TABLES
from tests.fuzz.door import Open
from tests.fuzz.forms import answer_file, write
from tests.fuzz.importing import check_cell, said_by
from tests.fuzz.written import FUNDS, LAYOUTS

KINDS = ("tushare-fund-daily", "tushare-fund-share", "eastmoney-daily")
WANTED = Wanted(FUNDS, (), date(2025, 8, 1), date(2025, 9, 30), datetime(2025, 11, 3))


class Vendor:
    """A vendor that answers with one table, whatever it is asked."""

    name, version, market, tables, pause = "vendor", "1", "cn_etf", ("bars", "units"), 0.0

    def __init__(self, answer: pd.DataFrame) -> None:
        self.answer = answer

    def pieces(self, table: str, wanted: Wanted) -> Iterator[Piece]:
        """Ask nothing: the door asks."""
        yield from ()

    def call(self, request: Request) -> pd.DataFrame | None:
        """Give the answer."""
        return self.answer

    def judge(self, error: Exception) -> Verdict:
        """Try nothing again."""
        return "failed"


def answers(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Answers as data frames: of the rows that are taken each is one that the vendor gave."""

    def open_(_name: str, content: bytes) -> bool:
        head, _, written = content.partition(b"\n")
        told = json.loads(head)
        kind, table = told["kind"], LAYOUTS[told["kind"]].table
        if b"\r" in written.replace(b"\r\n", b""):
            return False  # pandas parts a row there, as no library of a vendor does
        try:
            answer = pd.read_csv(io.BytesIO(written), dtype=None if len(content) % 2 else str)
        except (pd.errors.ParserError, pd.errors.EmptyDataError):
            return False
        request = Request(kind, {}, parts_of(kind, table), WANTED.end)
        piece = Piece("funds", (request,), FUNDS, WANTED.start, WANTED.end)
        kept = folder / "answers"
        try:
            rows = rows_of(piece, TABLES[table], WANTED, Connection(Vendor(answer), kept))
            again = rows_of(piece, TABLES[table], WANTED, Connection(Vendor(answer), kept))
        finally:
            shutil.rmtree(kept, ignore_errors=True)
        pd.testing.assert_frame_equal(rows, again, check_exact=True)
        says = said_by(told)
        for row in rows.to_dict("records"):
            key = row["symbol"], str(row["day"].date())
            assert key in says, f"{key} is in no row of the answer"
            for column in TABLES[table].columns:
                header = LAYOUTS[kind].numbers.get(column.name, ("", 1.0))[0]
                if column.kind == "number" and told["columns"].get(column.name) == header:
                    check_cell(key, column.name, row[column.name], says[key])
        return len(rows) > 0

    return {kind: write(kind, Random(kind), 0, answer_file) for kind in KINDS}, open_


def answers_spoilt(content: bytes, random: Random, _others: Sequence[bytes]) -> bytes:
    """Return another answer of the same function, spoilt by hands that know what they do."""
    kind = json.loads(content.partition(b"\n")[0])["kind"]
    return write(kind, random, random.choice((0, 1, 1, 1, 2, 3)), answer_file)
