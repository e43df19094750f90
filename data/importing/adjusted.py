"""Adjusted prices: how a vendor adjusted them, by the name of a file or by a column in it."""

from __future__ import annotations

import re

import pandas as pd

from data.errors import DataError
from data.importing.headers import Headers
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
# Columns that say it row by row, and their words, in small letters.
_COLUMNS = (
    *("adjust", "adjust_type", "adjusttype", "adjust_method", "adjustment", "adj_type", "adj", "fq"),
    *("fq_type", "adjustflag", "adjust_flag", "fqt", "dividend_type"),
    *("复权", "复权类型", "复权方式", "复权标志", "复权状态"),
)
_WORDS = {
    **dict.fromkeys(("no", "none", "raw", "bfq", "不复权", "未复权", "除权", "false"), "no"),
    **dict.fromkeys(("qfq", "前复权", "forward", "front", "pre", "front_ratio", "前"), "qfq"),
    **dict.fromkeys(("hfq", "后复权", "backward", "back", "post", "back_ratio", "后"), "hfq"),
    **dict.fromkeys(("split", "splits"), "splits"),
}
# And their numbers: those of baostock, and those of East Money.
_BAOSTOCK = {"1": "hfq", "2": "qfq", "3": "no"}
_NUMBERS = {"adjustflag": _BAOSTOCK, "adjust_flag": _BAOSTOCK, "fqt": {"0": "no", "1": "qfq", "2": "hfq"}}
_FACTOR = "factor"


def adjusted_by_name(stem: str) -> str | None:
    """Return how prices are adjusted by the name of their file, 159363_qfq; None if it does not say."""
    return next((kind for kind, pattern in _NAMED.items() if pattern.search(stem)), None)


def adjusted_by_cells(cells: pd.DataFrame, headers: Headers, origin: str) -> str | None:
    """Return how the prices of a table are adjusted by a column that says it; None if none does.

    DataError if rows are adjusted in several ways, or if there is a factor that prices may be multiplied by.
    """
    _refuse_factors(cells, headers, origin)
    for name in headers:
        if str(name).lower() not in _COLUMNS:
            continue
        said = _said(cells[headers.column(name)], str(name).lower())
        if len(said) > 1:
            raise DataError(
                f"{origin}: prices are adjusted in several ways",
                received=f"{name}: {', '.join(said)}",
                limit="rows of one kind",
                hint=f'Pick those as traded in a map file (--map): where = {{ "{name}" = "…" }}.',
            )
        if said:
            return next(iter(said.values()))
    return None


def _said(values: pd.Series, name: str) -> dict[str, str]:
    """Return what the cells of a column say of prices, by how they say it; other words say nothing."""
    words = _WORDS | _NUMBERS.get(name, {})
    distinct = [plain(each) for each in values[~blank(values)].astype("str").unique()]
    known = {each: words.get(each.lower().removesuffix(".0")) for each in distinct}
    return {each: kind for each, kind in known.items() if kind is not None}


def _refuse_factors(cells: pd.DataFrame, headers: Headers, origin: str) -> None:
    if _FACTOR not in headers:
        return
    factors, wrong = read_numbers(cells[headers.column(_FACTOR)])
    other = factors[(factors != 1) & factors.notna() & ~wrong]
    if len(other):
        raise DataError(
            f"{origin}: prices may be multiplied by `{_FACTOR}`, as those of qlib and JoinQuant are",
            received=f"a factor of {other.iloc[0]:.6g} in row {other.index[0] + 1}",
            limit="prices as traded",
            hint="Divide prices by it, and multiply volume by it. If they are as traded, leave it out.",
        )
