"""Plain files: text that is read many files at a time, because nothing in it needs a look of its own.

Files with one header follow each other by the thousand in a folder. Their rows are put behind each other,
read at once (``data.importing.typed``), and shaped at once, by the functions that shape a single file. If
then there was nothing to say (no error, no row left out, moved or told of), there is nothing to say of any
file. Otherwise each is shaped by itself. A file that is not plain comes back without an answer, and is read
with care by ``data.importing.one_file``, which also has the words for whatever is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from data.errors import DataError, EtflowError
from data.facts.calendars import calendar_for
from data.facts.symbols import market_of
from data.importing.adjusted import ADJUSTED, adjusted_by_name
from data.importing.contents import format_of, read_contents, stem_of
from data.importing.displaced import all_sessions
from data.importing.layout import footer_length, holds_values
from data.importing.maps import FileMap
from data.importing.one_file import Found, Imported, fitting, import_sheet
from data.importing.plain_plan import HEAD, Plan, plan_of
from data.importing.recognise import recognise
from data.importing.sessions import MOVED, TRADED
from data.importing.sheet import Sheet
from data.importing.text import split_lines
from data.importing.typed import count_lines, read_typed
from data.store.files import as_rows
from data.store.order import order_of, ranks
from data.store.tables import table

# Rows of so many bytes are read at once: many for one call, few for the memory.
TOGETHER = 16 << 20
_FILES = 200


@dataclass(frozen=True, eq=False)
class Text:
    """A file that may be plain: its content, of which the rows begin behind the header, and their number."""

    path: Path
    content: bytes
    begin: int
    lines: int
    plan: Plan

    def __len__(self) -> int:
        return len(self.content) - self.begin

    def pieces(self) -> Iterator[memoryview]:
        """Yield the rows, so many at a time as are read at once."""
        begin, view = self.begin, memoryview(self.content)
        while begin < len(view):
            end = (
                self.content.rfind(b"\n", begin, begin + TOGETHER) + 1 or self.content.find(b"\n", begin) + 1
            )
            yield view[begin:end]
            begin = end


@dataclass
class Batch:
    """Files that are read together: few, small, and such that the order of all does not matter."""

    texts: list[Text] = field(default_factory=list)
    _size: int = 0
    _plans: set[Plan] = field(default_factory=set)

    def has_room_for(self, text: Text) -> bool:
        """Whether a file may be read with those that are here."""
        few = len(self.texts) < _FILES and self._size < TOGETHER
        return few and all(text.plan.goes_with(plan) for plan in self._plans)

    def add(self, text: Text) -> None:
        """Take a file."""
        self.texts.append(text)
        self._size += len(text)
        self._plans.add(text.plan)


class PlainFiles:
    """The reader of plain files; it makes one plan for all files that have the same header."""

    def __init__(self, given: FileMap | None) -> None:
        self._given = given
        self._told = given is not None and any((given.header, given.separator, given.encoding))
        self._plans: dict[bytes, Plan | None] = {}

    def look(self, path: Path) -> Text | None:
        """Return the text of a file, None if it is not plain at first sight, or cannot be read."""
        if self._told or format_of(path) != "text":
            return None
        try:
            content, kind = read_contents(path)
        except DataError:
            return None
        end = content.find(b"\n") + 1
        header = content[:end]
        # By a byte of zero the careful reader knows UTF-16.
        zero = b"\0" in header
        if kind != "text" or not end or zero or adjusted_by_name(stem_of(path)):
            return None
        if header not in self._plans:
            self._plans[header] = plan_of(path, content[:HEAD], self._given)
        plan = self._plans[header]
        if plan is None or not _has_plain_ends(content, end, plan):
            return None
        # The last line has an end, so that another file can follow.
        content = content if content.endswith(b"\n") else content + b"\n"
        return Text(path, content, end, count_lines(content, end), plan)

    def read(self, texts: Sequence[Text]) -> list[list[Found] | None]:
        """Return what is in each of some files, None for one that is not plain.

        What several of them hold together is with the first of these.
        """
        found: dict[Text, list[Found] | None] = {}
        for plan in dict.fromkeys(text.plan for text in texts):
            members = [text for text in texts if text.plan is plan]
            together = None if plan.alone or len(members) == 1 else _read_together(members)
            if together is None:
                found |= {text: self._read_alone(text) for text in members}
            else:
                found |= {text: [] for text in members} | {members[0]: together}
        return [found[text] for text in texts]

    def _read_alone(self, text: Text) -> list[Found] | None:
        if len(text) > TOGETHER and not text.plan.alone and (pieces := _read_in_pieces(text)) is not None:
            return pieces
        cells = _cells(text.plan, [memoryview(text.content)[text.begin :]])
        if cells is None:
            return None
        sheet = _sheet(cells, text)
        try:
            used = text.plan.used
            if text.plan.alone:
                used = fitting(self._given, sheet) if self._given else recognise(sheet)
            return list(import_sheet(text.path, sheet, used)) if used is text.plan.used else None
        except EtflowError:
            return None


def _has_plain_ends(content: bytes, begin: int, plan: Plan) -> bool:
    """Whether the first row is one of values, and no second header, and the last one no remark."""
    after = content.find(b"\n", begin)
    tail = content[max(len(content) - HEAD, begin) :].rstrip(b"\r\n")
    ends = content[begin : after if after > 0 else len(content)], tail[tail.rfind(b"\n") + 1 :]
    try:
        rows = [_cells_of(each.decode(), plan.separator) for each in ends]
    except (UnicodeDecodeError, DataError):
        return False
    if any(len(row) != len(plan.columns) for row in rows):
        return False
    return holds_values(rows[0]) and not footer_length(rows[1:])


def _cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of a line, cleaned; of most lines there is nothing to clean but quotation marks."""
    if not line.isascii() or "Unnamed" in line:
        return split_lines([line], separator, "")[0]
    return [cell.strip(' "\r') for cell in line.split(separator)]


def _cells(plan: Plan, rows: Sequence[memoryview]) -> pd.DataFrame | None:
    """Return the cells of rows that are put behind each other; None if they are not plain."""
    cells = read_typed(b"".join(rows), plan.separator, plan.columns)
    if cells is None:
        return None
    # Files that were put behind each other by somebody else bring their headers along.
    first = cells.iloc[:, 0]
    is_text = isinstance(first.dtype, pd.CategoricalDtype | pd.StringDtype)
    return None if is_text and (first == first.name).any() else cells


def _sheet(cells: pd.DataFrame, text: Text) -> Sheet:
    return Sheet(cells, stem_of(text.path), f"`{text.path.name}`", "", text.plan.separator)


def _read_together(texts: Sequence[Text]) -> list[Found] | None:
    """Return what is in files with one plan, if there is nothing to say of any of them; None otherwise."""
    rows = [memoryview(text.content)[text.begin :] for text in texts]
    found = _read_quietly(texts[0], rows)
    lines = [text.lines for text in texts]
    if found is None or any(each.files[0].rows != sum(lines) for each in found):
        return None
    return [replace(each, files=tuple(_told(each, texts, lines))) for each in found]


def _told(found: Found, texts: Sequence[Text], lines: Sequence[int]) -> Iterator[Imported]:
    """Yield what is told of each of some files, whose rows are in one frame."""
    (of_all,), (frame,) = found.files, found.frames
    starts = np.cumsum([0, *lines[:-1]])
    days = frame["day"].to_numpy("datetime64[D]") if "day" in frame else None
    if days is not None and found.places is not None:
        days = days[np.argsort(found.places)]
    for text, begin, count in zip(texts, starts, lines, strict=True):
        first, last = None, None
        if days is not None:
            here = days[begin : begin + count]
            first, last = here.min().item(), here.max().item()
        yield replace(of_all, file=str(text.path), rows=count, first_day=first, last_day=last)


def _read_in_pieces(text: Text) -> list[Found] | None:
    """Return what is in a long file, if there is nothing to say of any piece of it; None otherwise."""
    pieces = []
    for rows in text.pieces():
        found = _read_quietly(text, [rows])
        if found is None:
            return None
        pieces.append(found)
    joined = [_in_one(list(parts)) for parts in zip(*pieces, strict=True)]
    return joined if all(_are_different(each) for each in joined) else None


def _in_one(pieces: Sequence[Found]) -> Found:
    """Return what was found in the pieces of a file as one."""
    told = [each.files[0] for each in pieces]
    first, last = (
        [each.first_day for each in told if each.first_day],
        [each.last_day for each in told if each.last_day],
    )
    rows = sum(each.rows for each in told)
    whole = replace(told[0], rows=rows, first_day=min(first, default=None), last_day=max(last, default=None))
    return Found((whole,), tuple(frame for each in pieces for frame in each.frames), places=None)


def _are_different(found: Found) -> bool:
    """Whether no key comes twice in the pieces of a file."""
    schema = table(found.files[0].table)
    keys = pa.concat_tables([as_rows(schema, frame[list(schema.key)]) for frame in found.frames]).to_pandas()
    return order_of([ranks(keys[key]) for key in schema.key]) is not None


def _read_quietly(text: Text, rows: Sequence[memoryview]) -> list[Found] | None:
    """Return what is in rows of one plan, if there is nothing to say of any of them; None otherwise.

    Of files together that is so only if all days are sessions, and then none of these files is a day off.
    """
    plan = text.plan
    cells = _cells(plan, rows)
    if cells is None:
        return None
    sheet = _sheet(cells, text)
    try:
        found = list(import_sheet(text.path, sheet, plan.used))
    except EtflowError:
        return None
    parts = [part for part in plan.used.tables if part.applies(sheet.headers)]
    for each, part in zip(found, parts, strict=True):
        (told,) = each.files
        always = (ADJUSTED[part.adjusted],) if ADJUSTED[part.adjusted] else ()
        if told.left_out or told.rows != len(cells) or told.notes != always:
            return None
        if part.table in MOVED and not _in_one_calendar(each.frames[0]):
            return None
        if part.table in TRADED and not all_sessions(each.frames[0]["day"].to_numpy("datetime64[D]")):
            return None
    return found


def _in_one_calendar(frame: pd.DataFrame) -> bool:
    """Whether rows are of one market and its recorded days: then what holds of all holds of some of them."""
    markets = {market_of(symbol) for symbol in frame["symbol"].unique()}
    if len(markets) != 1:
        return False
    calendar = calendar_for(markets.pop())
    first, last = calendar.first_day, calendar.last_day
    return bool(frame["day"].min() > pd.Timestamp(first) and frame["day"].max() < pd.Timestamp(last))
