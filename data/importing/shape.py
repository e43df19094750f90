"""Shaping: the cells of a file into rows of our tables, as its map says.

1. Refuse rows that lost their code, and leave out those that the map does not want.
2. Take each of our columns from the file's, from its name or title, or from a constant.
3. Write codes, days and times our way, and bring numbers to shares, money and fractions.
4. Leave out rows of days on which there is nothing to tell, as of a halt, and give the others their sessions
   (``data.importing.sessions``).
5. Validate (``Table.check``), and refuse what is implausible (``data.importing.plausible``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.errors import DataError
from data.facts.symbols import market_of
from data.importing.adjusted import ADJUSTED, how_adjusted
from data.importing.codes import each_code, index_of, refuse_lost_codes, symbol_of
from data.importing.constituents import constituent, of_exchanges
from data.importing.file_names import find_named, refuse_others
from data.importing.headers import Headers
from data.importing.maps import TableMap
from data.importing.matrix import unpivot
from data.importing.moments import as_local
from data.importing.numbers import Measures, read_column
from data.importing.periods import period_ends
from data.importing.plausible import check_plausible
from data.importing.ratios import read_ratios
from data.importing.sessions import next_sessions, on_sessions, with_values, without_halts
from data.store.cells import blank, plain, read_days, read_numbers
from data.store.order import Places
from data.store.schema import Column
from data.store.tables import ADJUSTED_SOURCES, table

# Days from 1982 to 2064 as Excel counts them.
_SERIAL = re.compile(r"[3-5]\d{4}(?:\.0+)?")


@dataclass(frozen=True)
class Shaped:
    """Rows for one table, how many rows of the file were left out on purpose, and what to tell the user.

    Rows are sorted by key; ``places`` are those that they had before, None if they stand as they stood.
    """

    table: str
    frame: pd.DataFrame
    left_out: int
    notes: tuple[str, ...]
    places: Places | None


def shape(cells: pd.DataFrame, part: TableMap, stem: str, origin: str, title: str = "") -> Shaped:
    """Return the rows that ``part`` of a map finds in a file; no rows if there are none.

    ``stem`` is the file's name without its ending, ``origin`` how errors name the file, ``title`` what stands
    above its header. DataError if a column that the table needs is missing, or a cell cannot be what the map
    says.
    """
    if part.wide is not None:
        cells = unpivot(cells, part, origin)
    headers = Headers(cells.columns)
    refuse_lost_codes(cells, headers, part, origin)
    wanted = _wanted_rows(cells, headers, part, origin)
    said, unclear = how_adjusted(part, stem, wanted, headers, origin)
    part = replace(part, adjusted=said)
    taken = _take_columns(wanted, headers, part, {"file_name": stem, "above": title}, origin)
    if "constituent" in taken:
        taken["constituent"] = of_exchanges(taken["constituent"], wanted, headers)
    for ours in part.leave_out_without:
        taken = taken[~_empty_or_zero(taken[ours], part)]
    schema, measures = table(part.table), Measures(part, headers, title, origin)
    for column in schema.columns:
        if column.name in taken:
            taken[column.name] = _written_our_way(taken, column, part, measures, origin)
    for ours, day in part.next_session_of.items():
        taken[ours] = next_sessions(taken[day], taken["symbol"], origin)
    left_out = len(cells) - len(taken)
    taken, halted = without_halts(taken, part.table)
    taken, lacking = with_values(taken, part.table)
    taken, moved = on_sessions(taken, part, origin)
    if part.source or part.adjusted in ADJUSTED_SOURCES:
        taken["source"] = _sources(taken, part)
    taken = _as_first_known(taken, schema.key)
    try:
        frame, places = schema.check(taken, origin)
    except DataError as error:
        if part.table == "bars" and "comes more than once" in error.what:
            _refuse_intraday(taken, origin)
        raise
    if part.table == "bars" and len(frame) < len(taken):
        # Minutes in which the same was traded repeat each other but for the time.
        _refuse_intraday(taken, origin)
    plausible = check_plausible(part.table, frame, origin)
    notes = [ADJUSTED[part.adjusted], unclear, *measures.told, halted, lacking, *moved, plausible]
    return Shaped(part.table, frame, left_out, tuple(note for note in notes if note), places)


def _as_first_known(taken: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """Return rows without those that repeat another one, and differ in that they were announced later."""
    if "known_at" not in taken:
        return taken
    # A cell may be anything in JSON, a list too.
    odd = [name for name in taken if pd.api.types.is_object_dtype(taken[name])]
    cells = taken.astype(dict.fromkeys(odd, "str")) if odd else taken
    if not cells.duplicated([*key]).any():
        return taken
    known, wrong = read_days(taken["known_at"], keep_time=True)
    places = np.argsort(known.to_numpy(), kind="stable")
    again = cells.drop(columns="known_at").iloc[places].duplicated().to_numpy()
    # A time that cannot be read is no later one: its row stays, and is refused.
    return taken.iloc[np.sort(places[~again | np.asarray(wrong)[places]])]


def _refuse_intraday(taken: pd.DataFrame, origin: str) -> None:
    """Refuse several bars of a fund on a day, if their days are times, with words about that."""
    days, _ = read_days(taken["day"])
    of_a_day = taken.assign(day=days).duplicated(["symbol", "day"], keep=False)
    times = taken.loc[of_a_day, "day"].astype("str").str.extract(r"(\d{1,2}:\d\d(?::\d\d)?)")[0]
    if len(times.dropna().unique()) > 1:
        raise DataError(
            f"{origin}: the bars are not daily",
            received=f"several times of the day, such as {', '.join(times.dropna().unique()[:3])}",
            limit="one bar for each fund and session",
            hint="Import daily bars.",
        )


def _wanted_rows(cells: pd.DataFrame, headers: Headers, part: TableMap, origin: str) -> pd.DataFrame:
    if not part.where:
        return cells
    keep = pd.Series(True, index=cells.index)
    for key, pattern in part.where.items():
        options = part.columns.get(key, (key,))
        name = next((each for each in options if each in headers), None)
        if name is None:
            raise _missing(part, key, options, cells, origin)
        codes, distinct = pd.factorize(cells[headers.column(name)].astype("str"))
        fits = np.array(
            [pattern.fullmatch(plain(str(each)).removesuffix(".0")) is not None for each in distinct],
            dtype=bool,
        )
        # A cell without a value has the code -1.
        keep &= np.append(fits, False)[codes]
    return cells[keep]


def _take_columns(
    cells: pd.DataFrame, headers: Headers, part: TableMap, named: dict[str, str], origin: str
) -> pd.DataFrame:
    """Return our columns as they stand in the file; the index still tells the row."""
    found = {ours: part.column_in(ours, headers) for ours in table(part.table).names}
    for ours in part.if_measured:
        name = found[ours]
        if name and not part.says_its_unit(ours, name, cells, headers, named["above"]):
            found[ours] = None
    taken = pd.DataFrame(
        {ours: cells[headers.column(name)] for ours, name in found.items() if name},
        index=cells.index,
        copy=False,
    )
    for ours, name in found.items():
        if name in headers.several:
            raise DataError(
                f"{origin}: two columns could be `{ours}`",
                received=", ".join(headers.several[name]),
                hint="Say in a map file (--map) which one it is.",
            )
    wanted = part.named_by_file(headers)
    for pattern, text in ((part.file_name, named["file_name"]), (part.above, named["above"])):
        here = [ours for ours in wanted if pattern is not None and ours in pattern.groupindex]
        if pattern is None or not here:
            continue
        by_name = pattern is part.file_name
        match = find_named(pattern, here, text, origin) if by_name else pattern.search(text)
        if match is None:
            raise DataError(
                f"{origin}: the name of the file must hold the {' and the '.join(here)}",
                received=text,
                limit=f"a name that contains {pattern.pattern}",
                hint="Rename the file, or say in a map file (--map) where to find it.",
            )
        taken = taken.assign(**{ours: match[ours] for ours in here if match[ours] is not None})
        if by_name and "symbol" in here and match["symbol"] is not None:
            refuse_others(
                match["symbol"], stem=named["file_name"], end=match.end(), origin=origin, source=part.source
            )
    taken = taken.assign(**part.constants)
    for ours, options in part.needs().items():
        if ours not in taken and ours not in part.where:
            raise _missing(part, ours, options, cells, origin)
    if part.ratio_over is not None:
        if part.ratio_over not in headers:
            raise _missing(part, "ratio", (part.ratio_over,), cells, origin)
        below = cells[headers.column(part.ratio_over)]
        over, under = (each.astype("str").fillna("") for each in (taken["ratio"], below[taken.index]))
        taken["ratio"] = over + "/" + under
    return taken


def _missing(
    part: TableMap, ours: str, options: tuple[str, ...], cells: pd.DataFrame, origin: str
) -> DataError:
    return DataError(
        f"{origin}: table `{part.table}` needs `{ours}`, but there is no column {' or '.join(options)}",
        received=", ".join(map(str, cells.columns)),
        hint="Rename the column, or say in a map file (--map) what it is called.",
    )


def _empty_or_zero(values: pd.Series, part: TableMap) -> pd.Series:
    return blank(values) | (read_numbers(values, part.decimal)[0] == 0)


def _written_our_way(
    taken: pd.DataFrame, column: Column, part: TableMap, measures: Measures, origin: str
) -> pd.Series:
    values = taken[column.name]
    if column.name in ("symbol", "successor"):
        return each_code(values, lambda code: symbol_of(code, part), column.name, origin)
    if column.name == "index":
        return each_code(values, index_of, column.name, origin)
    if column.name == "constituent":
        return each_code(values, lambda code: constituent(plain(code).upper()), column.name, origin)
    if column.kind == "day" and "symbol" in taken:
        values = as_local(values, taken["symbol"], f"{origin}: `{column.name}`")
    if column.name == "period" and not part.date_formats:
        values = period_ends(values)
    if column.kind in ("day", "time"):
        if column.kind == "time" and "symbol" in taken and _are_chinese(taken["symbol"]):
            values = _without_local_offset(values)
        return _days(values, column, part, origin)
    if column.kind == "number":
        values = read_ratios(values, part.ratios, origin) if column.name == "ratio" else values
        measure = measures.of(column)
        dated = measure is not None and measure.dated
        days = read_days(taken["day"])[0] if dated else None
        return read_column(values, column, part, measure, days, origin)
    return values


def _are_chinese(symbols: pd.Series) -> bool:
    return bool(symbols.notna().all()) and all(market_of(each) == "cn_etf" for each in symbols.unique())


def _without_local_offset(values: pd.Series) -> pd.Series:
    """Return times of Chinese funds without the offset of their own time: 15:34:09+08:00."""
    return values.astype("str").str.replace(r"\+08:?00$", "", regex=True).where(values.notna())


def _days(values: pd.Series, column: Column, part: TableMap, origin: str) -> pd.Series:
    keep_time = column.kind == "time"
    at_time = pd.Timedelta(f"{part.known_at_time}:00") if keep_time and part.known_at_time else None
    at_end = column.name in part.month_end
    if not part.date_formats and at_time is None and not at_end:
        return values
    if at_end and not part.date_formats:
        values = values.astype("str").str.replace(r"^(\d{4}-\d\d)$", r"\1-01", regex=True)
    if part.date_formats:
        days, wrong = _written_as(part.date_formats, values, keep_time, f"{origin}: `{column.name}`")
    else:
        days, wrong = read_days(values, keep_time=keep_time)
    moved = days if at_time is None else days.dt.normalize() + at_time
    moved = moved + pd.offsets.MonthEnd(0) if at_end else moved
    return moved.astype(object).where(~wrong, values) if wrong.any() else moved


def _written_as(
    formats: tuple[str, ...], values: pd.Series, keep_time: bool, what: str
) -> tuple[pd.Series, pd.Series]:
    """Return a column read in the one format that all of its cells fit, or as Excel's serial numbers."""
    read = {each: read_days(values, keep_time=keep_time, written_as=each) for each in formats}
    fitting = {each: (days, wrong) for each, (days, wrong) in read.items() if not wrong.any()}
    if not fitting and values[~blank(values)].astype("str").str.fullmatch(_SERIAL).all():
        return read_days(values, keep_time=keep_time)
    if not fitting:
        row = int(np.flatnonzero(read[formats[0]][1])[0])
        raise DataError(
            f"{what} is not written as the map says in row {values.index[row] + 1}",
            received=repr(values.iloc[row]),
            limit=" or ".join(formats),
            hint="Say how they are written in a map file (--map) based_on this one: date_format.",
        )
    first, *others = fitting.values()
    if not all(first[0].equals(days) for days, _ in others):
        raise DataError(
            f"{what} could be written in several ways",
            received=repr(values.iloc[0]),
            limit=", or ".join(fitting),
            hint="Say which in a map file (--map) based_on this one: date_format.",
        )
    return first


def _sources(taken: pd.DataFrame, part: TableMap) -> pd.Series:
    given = taken["source"] if "source" in taken else pd.Series(None, index=taken.index, dtype="str")
    named = given.astype("str").where(~blank(given), part.source or "imported")
    if part.adjusted not in ADJUSTED_SOURCES:
        return named
    ending = ADJUSTED_SOURCES[part.adjusted]
    return named.where(named.str.endswith(ending), named + ending)
