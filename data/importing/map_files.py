r"""Map files: the TOML form of a map, and the maps that ship with etflow.

A map says, all but ``table`` and ``columns`` being optional::

    title = "what the file is"          based_on = "eastmoney-daily"    # a ready map; sections are joined
    table = "bars"                      # ours; several of them as [[tables]], each with the keys below
    file_name = '(?P<symbol>\d{6})'      # columns of ours that the name of the file holds, not its cells
    date_format = "%d/%m/%Y"            # else: 2025-08-20, 20250820, 2025/8/20, Excel serials
    known_at_time = "23:59"             # when `known_at` is a day: the time of that day
    suffix = ".US"                      # put after codes that have none
    leave_out_without = ["units"]       # rows in which this column of ours is empty or zero are left out
    adjusted = "qfq"                    # "no" | "qfq" | "hfq" | "unknown": noted in report and `source`
    source = "where the rows are from"
    columns = { day = ["日期", "date"] }  # ours = the file's, or several names of which one is there
    constants = { symbol = "CN" }       # columns of ours that are the same in all rows
    measures = { volume = "lots until 2025-10-29, shares after", amount = "10^4" }   # see measures.py
    where = { "基金代码" = '159\d+' }      # only the rows whose cell matches all of the pattern
    next_session_of = { ex_day = "record_day" }
    if_present = ["cash"]               # of [[tables]]: only if the file has this column of ours

    # How a file is recognised without naming the map, and how a text file is read
    recognise = true                    # false: only when it is named
    signature = ["振幅"]                 # columns that must be there besides those of the required ones
    absent = ["Adj Close"]              # columns that must not be there
    values = { ts_code = '5\d{5}.SH' }   # what all cells of a column must match
    header = ["day", "open"]            # names for the columns of a file that has no header
    separator = ";"                     encoding = "big5"
    skip = "why a file of this kind is not imported"

Our own tables are maps too: ``tidy-bars``, ``tidy-units`` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from data.errors import UsageError, did_you_mean
from data.facts.dated import only, read_toml, tables
from data.importing.maps import ADJUSTED, FileMap, TableMap
from data.importing.measures import parse_measure
from data.store.tables import TABLES, table

READY = Path(__file__).parent / "maps"

_FILE_KEYS = (
    "title",
    "based_on",
    "recognise",
    "signature",
    "absent",
    "values",
    "header",
    "separator",
    "encoding",
    "skip",
    "tables",
)
_TABLE_KEYS = (
    "table",
    "columns",
    "constants",
    "file_name",
    "measures",
    "date_format",
    "known_at_time",
    "suffix",
    "where",
    "leave_out_without",
    "next_session_of",
    "if_present",
    "adjusted",
    "source",
)


@cache
def ready_maps() -> dict[str, FileMap]:
    """Return the maps that ship with etflow, and those of our own tables, by name."""
    own = {each.name: each for each in (_own(name) for name in TABLES)}
    return own | {path.stem: load_map(path) for path in sorted(READY.glob("*.toml"))}


def load_map(path: Path) -> FileMap:
    """Read a map file; UsageError naming the key if it cannot be read or says something unknown."""
    return _file_map(_document(path), path)


def find_map(name: str | Path) -> FileMap:
    """Return the map in a file, or the ready map of that name; UsageError with close matches if none."""
    path = Path(name)
    if path.is_file():
        return load_map(path)
    if str(name) in ready_maps():
        return ready_maps()[str(name)]
    raise UsageError(f"there is no map `{name}`", hint=did_you_mean(str(name), ready_maps()))


def _own(name: str) -> FileMap:
    columns: dict[str, tuple[str, ...]] = {each: (each,) for each in table(name).names}
    if table(name).markets is not None:
        columns["symbol"] = ("symbol", "market")
    # A lone column `symbol` is in every file; facts about funds have no day.
    signature, absent = (("listed",), ("day", "date")) if name == "funds" else ((), ())
    parts = (TableMap(name, columns),)
    return FileMap(f"tidy-{name}", f"the table `{name}` as etflow has it", parts, True, signature, absent)


def _document(path: Path) -> dict[str, Any]:
    document = read_toml(path)
    base = document.pop("based_on", None)
    if base is None:
        return document
    known = [each.stem for each in sorted(READY.glob("*.toml"))]
    if base not in known:
        raise UsageError(f"{path}: there is no ready map `{base}`", hint=did_you_mean(str(base), known))
    return _overlaid(_document(READY / f"{base}.toml"), document)


def _overlaid(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = {**base[key], **value} if both else value
    return merged


def _file_map(document: dict[str, Any], path: Path) -> FileMap:
    where = str(path)
    only(document, (*_FILE_KEYS, *_TABLE_KEYS), where)
    shared = {key: value for key, value in document.items() if key in _TABLE_KEYS}
    skip = _text(document, "skip", where)
    parts = document.get("tables", [] if skip and not shared else [{}])
    return FileMap(
        name=path.stem,
        title=_text(document, "title", where) or path.stem,
        tables=tuple(_table_map(_overlaid(shared, part), where) for part in tables(parts, where)),
        recognise=bool(document.get("recognise", True)),
        signature=_texts(document, "signature", where),
        absent=_texts(document, "absent", where),
        values=_patterns(document, "values", where),
        header=_texts(document, "header", where) or None,
        separator=_text(document, "separator", where),
        encoding=_text(document, "encoding", where),
        skip=skip,
    )


def _table_map(raw: dict[str, Any], where: str) -> TableMap:
    only(raw, _TABLE_KEYS, where)
    name = _text(raw, "table", where)
    if name is None:
        raise UsageError(f"{where} does not say its table", hint='Write, for instance, table = "bars".')
    file_name = _text(raw, "file_name", where)
    named = {key: _texts(raw["columns"], key, where) for key in _section(raw, "columns", where)}
    measures = {
        key: parse_measure(str(text), f"{where}, `{key}`")
        for key, text in _section(raw, "measures", where).items()
    }
    result = TableMap(
        table=name,
        columns=named,
        constants={key: str(value) for key, value in _section(raw, "constants", where).items()},
        file_name=None if file_name is None else _pattern(file_name, f"{where}, `file_name`"),
        measures=measures,
        date_format=_text(raw, "date_format", where),
        known_at_time=_text(raw, "known_at_time", where),
        suffix=_text(raw, "suffix", where) or "",
        where=_patterns(raw, "where", where),
        leave_out_without=_texts(raw, "leave_out_without", where),
        next_session_of={key: str(day) for key, day in _section(raw, "next_session_of", where).items()},
        if_present=_texts(raw, "if_present", where),
        adjusted=_text(raw, "adjusted", where) or "no",
        source=_text(raw, "source", where),
    )
    _check(result, where)
    return result


def _check(part: TableMap, where: str) -> None:
    ours = table(part.table).names
    groups = part.file_name.groupindex if part.file_name else ()
    derived = (*part.next_session_of, *part.next_session_of.values())
    asked = (*part.leave_out_without, *part.if_present)
    for name in (*part.columns, *part.constants, *part.measures, *groups, *derived, *asked):
        if name not in ours:
            hint = did_you_mean(name, ours)
            raise UsageError(f"{where}: table `{part.table}` has no column `{name}`", hint=hint)
    if part.adjusted not in ADJUSTED:
        known = ", ".join(ADJUSTED)
        raise UsageError(f"{where}: unknown `adjusted`", received=part.adjusted, limit=known)
    if part.known_at_time and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", part.known_at_time):
        raise UsageError(
            f"{where}: `known_at_time` is not a time of day",
            received=part.known_at_time,
            limit="00:00 to 23:59",
        )
    if "day" not in ours and any(measure.dated for measure in part.measures.values()):
        raise UsageError(
            f"{where}: table `{part.table}` has no `day` by which a unit of measure could change"
        )


def _section(raw: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise UsageError(f"{where}: `{key}` must be a section [{key}]", received=repr(value))
    return value


def _text(raw: Mapping[str, Any], key: str, where: str) -> str | None:
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{where}: `{key}` must be text", received=repr(value))
    return value


def _texts(raw: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = raw.get(key, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"{where}: `{key}` must be text, or a list of texts", received=repr(value))
    return tuple(texts)


def _patterns(raw: Mapping[str, Any], key: str, where: str) -> dict[str, re.Pattern[str]]:
    return {name: _pattern(text, f"{where}, `{key}`") for name, text in _section(raw, key, where).items()}


def _pattern(text: object, where: str) -> re.Pattern[str]:
    try:
        return re.compile(str(text))
    except re.error as error:
        raise UsageError(
            f"{where} is not a regular expression", received=repr(text), limit=str(error)
        ) from None
