"""How plain files with one header are read: by which map, and what each of their columns holds.

What may depend on the cells or the name of one of them is found out here, so that files which are read
together (``data.importing.plain``) are read as each would be alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import EtflowError
from data.importing.contents import stem_of
from data.importing.headers import Headers
from data.importing.layout import paired_names
from data.importing.map_files import ready_maps
from data.importing.maps import FileMap
from data.importing.one_file import fitting
from data.importing.recognise import recognise
from data.importing.sheet import GUESSED, Sheet, clean
from data.importing.text import SEPARATORS, find_separator, first_lines, read_text
from data.importing.typed import Cells
from data.store.tables import table

# So many bytes of a file show how it begins, or ends.
HEAD = 1 << 16
# How the words begin for what a map lacks that is in the name or the cells of a file, not in its headers.
_BY_FILE = ("a file name", "a unit of measure", "other codes")


@dataclass(frozen=True, eq=False)
class Plan:
    """How files with one header are read: the map, what separates cells, what each column holds.

    ``alone`` says that what a file is may depend on its cells or on its name, so that each is read by itself.
    """

    used: FileMap
    separator: str
    columns: dict[str, Cells]
    alone: bool

    def goes_with(self, other: Plan) -> bool:
        """Whether files of both plans may be read in any order: no two of them have rows for one table."""
        tables = ({part.table for part in plan.used.tables} for plan in (self, other))
        return self is other or set.isdisjoint(*tables)


def plan_of(path: Path, head: bytes, given: FileMap | None) -> Plan | None:
    """Return the plan for files with the header of this one, None if they are not plain.

    ``head`` is how the file begins, and ``given`` the map that it is to be read with.
    """
    head = head[: head.rfind(b"\n") + 1].removeprefix(b"\xef\xbb\xbf")
    if not head.split(b"\n")[0].strip():
        return None
    try:
        text = head.decode()
        separator, layout = find_separator(first_lines(text), None, path.name)
        frame, title, _ = read_text(text, path.name, GUESSED)
        names = [clean(each) for each in frame.columns]
        simple = layout.skipped == 1 and not (layout.levels or layout.apart or title) and all(names)
        if not simple or separator not in SEPARATORS or names != list(layout.names) or names[0] == "index":
            return None
        if frame.empty or paired_names(names) is not None or head.split(b"\n")[0].count(b'"') % 2:
            return None
        sheet = Sheet(frame.set_axis(names, axis=1), stem_of(path), f"`{path.name}`", "", separator)
        used = fitting(given, sheet) if given else recognise(sheet)
    except (UnicodeDecodeError, EtflowError):
        return None
    if used.skip is not None or any(part.wide for part in used.tables):
        return None
    looked_at = [given] if given else [each for each in ready_maps().values() if each.recognise]
    columns = _columns(used, looked_at, sheet.headers)
    open_to = looked_at if given else [each for each in looked_at if _may_fit(each, sheet)]
    alone = any(_depends_on_the_file(each, sheet) for each in open_to) or _goes_by_file(used, sheet.headers)
    return Plan(used, separator, columns, alone)


def _columns(used: FileMap, looked_at: Sequence[FileMap], headers: Headers) -> dict[str, Cells]:
    """Return what each column of a file holds, by all that somebody wants to read in it."""
    uses: dict[str, set[str]] = {}
    for part in (part for part in used.tables if part.applies(headers)):
        for column in table(part.table).columns:
            if name := part.column_in(column.name, headers):
                as_text = column.kind == "day" and bool(part.date_formats)
                unclear = column.kind == "number" and part.decimal != "."
                use = "text" if as_text else "other" if unclear else column.kind
                uses.setdefault(headers.column(name), set()).add(use)
        for key in part.where:
            for name in part.columns.get(key, (key,)):
                if name in headers:
                    uses.setdefault(headers.column(name), set()).add("text")
    for name in _matched(looked_at, headers):
        uses.setdefault(headers.column(name), set()).add("text")
    kinds: dict[frozenset[str], Cells] = {
        frozenset({"number"}): "number",
        frozenset({"day"}): "day",
        frozenset({"text"}): "text",
    }
    written = dict.fromkeys(headers.column(name) for name in headers)
    return {name: kinds.get(frozenset(uses.get(name, ())), "other") for name in written}


def _matched(maps: Sequence[FileMap], headers: Headers) -> list[str]:
    """Return the names of the columns whose cells tell whether one of some maps fits."""
    patterns = [each.values for each in maps]
    return [name for each in patterns for name in each if name in headers]


def _may_fit(each: FileMap, sheet: Sheet) -> bool:
    """Whether a map lacks nothing in a file but what another one with these headers may have."""
    return all(lack.startswith(_BY_FILE) for lack in each.lacks(sheet)[0])


def _depends_on_the_file(each: FileMap, sheet: Sheet) -> bool:
    """Whether it may depend on cells, or on the name of the file, if a map fits files with these headers."""
    headers = sheet.headers
    if _matched([each], headers):
        return True
    if any(part.column_in(ours, headers) for part in each.tables for ours in part.named_measures):
        return True
    named = any(part.named_by_file(headers) for part in each.tables)
    return named and all(lack.startswith("a file name") for lack in each.lacks(sheet)[0])


def _goes_by_file(used: FileMap, headers: Headers) -> bool:
    """Whether rows become something by the file that they are in."""
    parts = [part for part in used.tables if part.applies(headers)]
    return used.splits is not None or any(
        part.named_by_file(headers) or part.next_session_of or part.month_end or len(part.date_formats) > 1
        for part in parts
    )
