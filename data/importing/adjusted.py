"""Adjusted prices: how a vendor adjusted them, by the name of a file or by a column in it."""

from __future__ import annotations

import re

import pandas as pd

from data.errors import DataError
from data.importing.headers import Headers
from data.importing.maps import TableMap
from data.store.cells import blank, plain, read_numbers

# What the user is told of prices that are not, or perhaps not, as they were traded.
ADJUSTED = {
    "no": None,
    "qfq": "prices are forward-adjusted: orders, price limits and flows need them as traded",
    "hfq": "prices are backward-adjusted: orders, price limits and flows need them as traded",
    "splits": "prices are on the basis of splits up to the download, unit counts are not, and the file does "
    "not record the splits: download it with them (yfinance: actions=True)",
    "volume": "prices are as traded, and volumes on the basis of splits up to the download: before a split "
    "they are off by its ratio",
    "unknown": "the file does not say whether prices are adjusted; `data check` holds them against amounts",
}

_NAMED = {
    "qfq": re.compile(r"(?<![a-z])qfq(?![a-z])|前复权", re.IGNORECASE),
    "hfq": re.compile(r"(?<![a-z])hfq(?![a-z])|后复权", re.IGNORECASE),
}
# Columns that say it row by row, in small letters.
_COLUMNS = (
    *("adjust", "adjust_type", "adjusttype", "adjust_method", "adjusted", "adjustment"),
    *("is_adjusted", "adj_type", "adj", "fq"),
    *("fq_type", "adjustflag", "adjust_flag", "fqt", "dividend_type"),
    *("复权", "复权类型", "复权方式", "复权标志", "复权状态"),
)
# What their words contain. A word that fits two of these says neither.
_WORDS = {
    "no": r"不复权|未复权|^除权$|bfq|^否$|^0$|<(?:no|none|not|non|raw|false|unadj|unadjusted|n)>",
    "qfq": r"前复权|^前$|<(?:qfq|pre|front|forward)>",
    "hfq": r"后复权|^后$|<(?:hfq|post|back|backward)>",
    "splits": r"<splits?>",
    # Adjusted, but how?
    "which": r"^(?:是|有|已?复权|1|true|t|yes|y|adj|adjusted)$",
}
_PATTERNS = {
    kind: re.compile(each.replace("<", "(?<![a-z])").replace(">", "(?![a-z])"))
    for kind, each in _WORDS.items()
}
# And their numbers: those of baostock, and those of East Money.
_BAOSTOCK = {"1": "hfq", "2": "qfq", "3": "no"}
_NUMBERS = {"adjustflag": _BAOSTOCK, "adjust_flag": _BAOSTOCK, "fqt": {"0": "no", "1": "qfq", "2": "hfq"}}
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?", re.IGNORECASE)
_FLAGS = ("0", "1")
_FACTOR = "factor"


def adjusted_by_name(stem: str) -> str | None:
    """Return how prices are adjusted by the name of their file, 159363_qfq; None if it does not say."""
    return next((kind for kind, pattern in _NAMED.items() if pattern.search(stem)), None)


def how_adjusted(
    part: TableMap, stem: str, cells: pd.DataFrame, headers: Headers, origin: str
) -> tuple[str, str | None]:
    """Return how the prices of a table are adjusted, and what else is to be told of it.

    A user's own map knows best, then the file's name, then a column that says it, then a ready map. Where the
    file says something else than the user's map, that is told. Without one DataError as of
    ``adjusted_by_cells``.
    """
    insists = "adjusted" in part.insists
    if part.table != "bars" or (part.adjusted not in ("no", "unknown") and not insists):
        return part.adjusted, None
    try:
        by_name = adjusted_by_name(stem)
        said, unclear = (by_name, None) if by_name else adjusted_by_cells(cells, headers, origin)
        other = (
            f"the file says that prices are adjusted: {said}" if said not in (None, part.adjusted) else None
        )
    except DataError as error:
        if not insists:
            raise
        other = f"{error.what.removeprefix(f'{origin}: ')} ({error.received})"
    if not insists:
        return said or part.adjusted, unclear
    told = f'{other}; your map says adjusted = "{part.adjusted}", which counts' if other else None
    return part.adjusted, told


def adjusted_by_cells(cells: pd.DataFrame, headers: Headers, origin: str) -> tuple[str | None, str | None]:
    """Return how the prices of a table are adjusted by a column that says it, and a note of words not known.

    None if no column says it. DataError if rows are adjusted in several ways, if it is not said in which, or
    if there is a factor that prices may be multiplied by.
    """
    _refuse_factors(cells, headers, origin)
    unclear = None
    for name in headers:
        if str(name).lower() not in _COLUMNS:
            continue
        said = _said(cells[headers.column(name)], str(name).lower())
        kinds = {*said.values()}
        if "which" in kinds:
            word = next(each for each, kind in said.items() if kind == "which")
            raise DataError(
                f"{origin}: prices are adjusted, but in which way is not said",
                received=f"{name}: {word}",
                limit="qfq (forward, 前复权), hfq (backward, 后复权), splits, or none",
                hint='Say in a map file (--map) which it is: adjusted = "qfq", "hfq" or "splits".',
            )
        if kinds - {None} and len(said) > 1:
            raise DataError(
                f"{origin}: prices are adjusted in several ways",
                received=f"{name}: {', '.join(said)}",
                limit="rows of one kind",
                hint=f'Pick those as traded in a map file (--map): where = {{ "{name}" = "…" }}.',
            )
        if kinds - {None}:
            return kinds.pop(), None
        if said:
            unclear = f"`{name}` says {next(iter(said))} of the prices, which is not known here"
    return None, unclear


def _said(values: pd.Series, name: str) -> dict[str, str | None]:
    """Return what the cells of a column say of prices, by how they say it: None for a word not known.

    A column of numbers, as of factors or prices, says nothing.
    """
    distinct = [plain(each).removesuffix(".0") for each in values[~blank(values)].astype("str").unique()]
    if name in _NUMBERS:
        return {each: _NUMBERS[name].get(each) or _kind_of(each) for each in distinct}
    if any(_NUMBER.fullmatch(each) and each not in _FLAGS for each in distinct):
        return {}
    return {each: _kind_of(each) for each in distinct}


def _kind_of(word: str) -> str | None:
    kinds = [kind for kind, pattern in _PATTERNS.items() if pattern.search(word.lower())]
    return kinds[0] if len(kinds) == 1 else None


def _refuse_factors(cells: pd.DataFrame, headers: Headers, origin: str) -> None:
    if _FACTOR not in headers:
        return
    factors, _ = read_numbers(cells[headers.column(_FACTOR)])
    other = factors[factors.notna() & (factors != 1)]
    if len(other):
        raise DataError(
            f"{origin}: prices may be multiplied by `{_FACTOR}`, as those of qlib and JoinQuant are",
            received=f"a factor of {other.iloc[0]:.6g} in row {other.index[0] + 1}",
            limit="prices as traded",
            hint="Divide prices by it, and multiply volume by it. If they are as traded, leave it out.",
        )
