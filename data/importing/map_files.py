r"""Map files: the TOML form of a map, and the maps that ship with etflow.

A map says, all but ``table`` and ``columns`` being optional::

    title = "what the file is"          based_on = "eastmoney-daily"    # a ready map; sections are joined
    table = "bars"                      # ours; several of them as [[tables]], each with the keys below
    file_name = '(?P<symbol>\d{6})'      # columns of ours that the name of the file holds, not its cells
    above = '(?P<symbol>\d{6}) .*不复权'  # what stands above the header, and columns of ours in it
    date_format = "%d/%m/%Y"            # else: 2025-08-20, 20250820, 2025/8/20, 2025年8月20日, Excel serials;
                                        # of several, ["%m/%d/%Y", "%d/%m/%Y"], the one that all days fit
    decimal = ","                       # the decimal mark, if it is a comma: 1.234,5
    known_at_time = "23:59"             # when `known_at` is a day: the time of that day
    dated = "publication"               # the day is that of publication: the row is the session's before;
                                        # "day-before": the row is the session's after; "session":
                                        # it is that of its day, else of the session before (bars stay)
    suffix = ".US"                      # put after codes that have none
    leave_out_without = ["units"]       # rows in which this column of ours is empty or zero are left out
    ratios = "new:old"                  # what a ratio written 3:1 means, "new:old" or "old:new"
    ratio_over = "split_from"           # the file's column by which `ratio` is divided
    adjusted = "qfq"                    # "no" | "qfq" | "hfq" | "splits" | "unknown": in report and `source`
    source = "where the rows are from"
    columns = { day = ["日期", "date"] }  # ours = the file's, or several names of which one is there
    constants = { symbol = "CN" }       # columns of ours that are the same in all rows
    measures = { volume = "lots until 2025-10-29, shares after", amount = "10^4" }   # see measures.py
    where = { "基金代码" = '159\d+' }      # only the rows whose cell (of a column of the file, or of ours)
                                        # matches all of the pattern
    wide = "units"                      # a matrix: the headers are codes (or days), its cells this column
    next_session_of = { ex_day = "record_day" }
    month_end = ["day"]                 # a month, 2025-08, is its last day
    if_present = ["cash"]               # of [[tables]]: only if the file has this column of ours

    # How a file is recognised without naming the map, and how a text file is read
    recognise = true                    # false: only when it is named
    general = true                      # only if no other map fits
    signature = ["振幅"]                 # columns that must be there besides those of the required ones
    absent = ["Adj Close"]              # columns that must not be there
    values = { ts_code = '5\d{5}.SH' }   # what all cells of a column must match
    order = ["Close", "High", "Open"]   # the order in which these columns stand
    header = ["day", "open"]            # names for the columns of a file that has no header
    separator = ";"                     encoding = "big5"
    rows = "data.history"               # where in a JSON file the rows are, if it has several tables
    skip = "why a file of this kind is not imported"
    splits = "Stock Splits"             # the column of the splits that prices, volumes and cash are adjusted
                                        # for: those as traded are rebuilt, as `data fetch` does

A header need not be written to the letter: 融资余额 is also 融资余额(元), 日期 is 日期Date (see headers.py).
What a map file of yours says in ``measures`` and ``adjusted`` counts, whatever the file says; where the two
differ, that is told. Against a ready map, also one that yours is based on, a unit of measure in the header or
above the table counts, unless the map names the header with it. A measure "as the file says" asks for one;
"if the file says" leaves the column alone where there is none.
A map that is named keeps ``signature``, ``absent``, ``values`` and
``above``.

Our own tables are maps too: ``tidy-bars``, ``tidy-units`` and so on.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from data.errors import UsageError, did_you_mean
from data.facts.dated import only, read_toml, tables
from data.importing import toml_fields as fields
from data.importing.adjusted import ADJUSTED
from data.importing.maps import DATED, FileMap, TableMap
from data.importing.measures import IF_NAMED, NAMED_BY_FILE, parse_measure
from data.importing.ratios import NEW_OLD, OLD_NEW
from data.store.tables import FUND_TABLES, TABLES, table

READY = Path(__file__).parent / "maps"

# Of a table `funds` any one shows what it is; the others are left blank.
_OF_FUNDS = ("listed", "delisted", "family", "price_limit")
_FILE_KEYS = (
    "title",
    "based_on",
    "recognise",
    "general",
    "signature",
    "absent",
    "order",
    "values",
    "header",
    "separator",
    "encoding",
    "rows",
    "skip",
    "splits",
    "tables",
)
_TABLE_KEYS = (
    "table",
    "columns",
    "constants",
    "file_name",
    "above",
    "measures",
    "date_format",
    "decimal",
    "known_at_time",
    "dated",
    "wide",
    "month_end",
    "suffix",
    "where",
    "leave_out_without",
    "next_session_of",
    "if_present",
    "ratios",
    "ratio_over",
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
    document = read_toml(path)
    ready = path.parent == READY
    return _file_map(_based(document, path), path, {} if ready else document)


def find_map(name: str | Path) -> FileMap:
    """Return the map in a file, or the ready map of that name; UsageError with close matches if none."""
    path = Path(name)
    if path.is_file():
        return load_map(path)
    if str(name) in ready_maps():
        return ready_maps()[str(name)]
    raise UsageError(f"there is no map `{name}`", hint=did_you_mean(str(name), ready_maps()))


def _own(name: str) -> FileMap:
    columns = {key: tuple(names) for key, names in _own_columns(name).items()}
    # A lone column `symbol` is in every file; facts about funds have no day.
    one_of, absent = (_OF_FUNDS, ("day", "date")) if name == "funds" else ((), ())
    return FileMap(
        f"tidy-{name}",
        f"the table `{name}` as etflow has it",
        (TableMap(name, columns),),
        one_of=one_of,
        absent=absent,
    )


def _own_columns(name: str) -> dict[str, list[str]]:
    columns = {each: [each] for each in table(name).names}
    if table(name).markets is not None:
        columns["symbol"] = ["symbol", "market"]
    if table(name) in FUND_TABLES and "day" in columns:
        # What records are called that stand under a code or a day; of bars nobody would know whose they are.
        columns["symbol"], columns["day"] = [*columns["symbol"], "code"], [*columns["day"], "date"]
    return columns


def _based(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return what a map file says, with what the ready map says that it is based on."""
    own_words = {key: value for key, value in document.items() if key != "based_on"}
    base = document.get("based_on")
    if base is None:
        return own_words
    own = {f"tidy-{name}": {"table": name, "columns": _own_columns(name)} for name in TABLES}
    known = [*(each.stem for each in sorted(READY.glob("*.toml"))), *own]
    if base not in known:
        raise UsageError(f"{path}: there is no ready map `{base}`", hint=did_you_mean(str(base), known))
    if base in own:
        return _overlaid(own[base], own_words)
    ready = READY / f"{base}.toml"
    return _overlaid(_based(read_toml(ready), ready), own_words)


def _overlaid(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = {**base[key], **value} if both else value
    if "tables" in base and "tables" not in own:
        # What is said of all tables of a map holds for each, also where the map said something else of one.
        of_all = {key: value for key, value in _of_tables(own).items() if key != "table"}
        merged["tables"] = [_overlaid(each, of_all) for each in base["tables"]]
    return merged


def _of_tables(document: dict[str, Any]) -> dict[str, Any]:
    """Return what a document says of every one of its tables."""
    return {key: value for key, value in document.items() if key in _TABLE_KEYS}


def _file_map(document: dict[str, Any], path: Path, own: dict[str, Any]) -> FileMap:
    """Return a map as its document says it, ``own`` of which is what somebody wrote for files of theirs."""
    where = str(path)
    only(document, (*_FILE_KEYS, *_TABLE_KEYS), where)
    shared = _of_tables(document)
    skip, splits = fields.text(document, "skip", where), fields.text(document, "splits", where)
    parts = tables(document.get("tables", [] if skip and not shared else [{}]), where)
    of_own = own["tables"] if "tables" in own else [{}] * len(parts)
    read = tuple(
        _table_map(_overlaid(shared, part), _overlaid(_of_tables(own), own_part), where)
        for part, own_part in zip(parts, of_own, strict=True)
    )
    if splits is not None and not any(part.table in ("bars", "actions") for part in read):
        raise UsageError(f"{where}: `splits` needs the table `bars` or `actions`", received=repr(splits))
    return FileMap(
        name=path.stem,
        title=fields.text(document, "title", where) or path.stem,
        tables=read,
        recognise=fields.truth(document, "recognise", where, default=True),
        general=fields.truth(document, "general", where, default=False),
        signature=fields.texts(document, "signature", where),
        absent=fields.texts(document, "absent", where),
        order=fields.texts(document, "order", where),
        values=fields.patterns(document, "values", where),
        header=fields.header(document, where),
        separator=fields.separator(document, where),
        encoding=fields.text(document, "encoding", where),
        rows=fields.text(document, "rows", where),
        skip=skip,
        splits=splits,
    )


def _table_map(raw: dict[str, Any], own: dict[str, Any], where: str) -> TableMap:
    only(raw, _TABLE_KEYS, where)
    name = fields.text(raw, "table", where)
    if name is None:
        raise UsageError(f"{where} does not say its table", hint='Write, for instance, table = "bars".')
    file_name, above = fields.text(raw, "file_name", where), fields.text(raw, "above", where)
    named = {key: fields.texts(raw["columns"], key, where) for key in fields.section(raw, "columns", where)}
    measures = fields.section(raw, "measures", where)
    by_file, if_named = (
        tuple(key for key, text in measures.items() if text == each) for each in (NAMED_BY_FILE, IF_NAMED)
    )
    result = TableMap(
        table=name,
        columns=named,
        constants=fields.constants(raw, where),
        file_name=None if file_name is None else fields.pattern(file_name, f"{where}, `file_name`"),
        above=None if above is None else fields.pattern(above, f"{where}, `above`"),
        measures={
            key: parse_measure(str(text), f"{where}, `{key}`")
            for key, text in measures.items()
            if key not in (*by_file, *if_named)
        },
        named_measures=by_file,
        if_measured=if_named,
        date_formats=fields.date_formats(raw, where),
        decimal="," if fields.choice(raw, "decimal", (".", ","), where) == "," else ".",
        wide=fields.text(raw, "wide", where),
        dated=fields.choice(raw, "dated", (*DATED,), where),
        month_end=fields.texts(raw, "month_end", where),
        known_at_time=fields.text(raw, "known_at_time", where),
        suffix=fields.text(raw, "suffix", where) or "",
        where=fields.patterns(raw, "where", where),
        leave_out_without=fields.texts(raw, "leave_out_without", where),
        next_session_of={key: str(day) for key, day in fields.section(raw, "next_session_of", where).items()},
        if_present=fields.texts(raw, "if_present", where),
        ratios=fields.choice(raw, "ratios", (NEW_OLD, OLD_NEW), where),
        ratio_over=fields.text(raw, "ratio_over", where),
        adjusted=fields.text(raw, "adjusted", where) or "no",
        source=fields.text(raw, "source", where),
        insists=(
            *own.get("measures", {}),
            *(["adjusted"] if own.get("adjusted", "unknown") != "unknown" else []),
        ),
    )
    _check(result, where)
    return result


def _check(part: TableMap, where: str) -> None:
    ours = table(part.table).names
    groups = [name for each in (part.file_name, part.above) if each for name in each.groupindex]
    derived = (*part.next_session_of, *part.next_session_of.values(), *part.month_end)
    asked = (*part.leave_out_without, *part.if_present, *([part.wide] if part.wide else ()))
    asked += ("ratio",) if part.ratios or part.ratio_over else ()
    measured = (*part.measures, *part.named_measures, *part.if_measured)
    for name in (*part.columns, *part.constants, *measured, *groups, *derived, *asked):
        if name not in ours:
            hint = did_you_mean(name, ours)
            raise UsageError(f"{where}: table `{part.table}` has no column `{name}`", hint=hint)
    if part.wide and not {"symbol", "day"} <= {*ours}:
        raise UsageError(
            f"{where}: table `{part.table}` cannot be `wide`", limit="tables with symbol and day"
        )
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
