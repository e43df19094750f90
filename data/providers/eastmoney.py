"""East Money's lists of splits and dividends, read without running what the site sends.

AKShare 1.19 hands these answers to Python's ``eval``, so that whoever answers for the site, or on the way
to it, can run any program here. Its ``fund_cf_em`` and ``fund_fh_em`` are therefore not called: the same
pages are asked for with the same HTTP library, and nothing but JSON is taken from them::

    var pageinfo = [3,50,1];var jjcf_data=[["159363","…","2025-07-18","份额分拆","2.0",""],…];var jjcf_jjgs=…

``pageinfo`` holds the number of pages, the rows of a whole page, and the page.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from data.errors import DataError

URL = "https://fund.eastmoney.com/Data/funddataIndex_Interface.aspx"
# What a site answers who asks too often.
THROTTLED = (403, 429)
TIMEOUT_SECONDS = 30.0
PAUSE_SECONDS = 0.2
# A year has about three thousand dividends, fifty a page; more pages than this are no list of a year.
MOST_PAGES = 500

_SPLITS = ("基金代码", "基金简称", "拆分折算日", "拆分类型", "拆分折算", "-")
_DIVIDENDS = ("基金代码", "基金简称", "权益登记日", "除息日期", "分红", "分红发放日", "-")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


# Numbers with decimals stay as they are written; Python would also take NaN and Infinity, which are no JSON.
_DECODER = json.JSONDecoder(parse_float=str, parse_constant=_refuse)


class BrokenPage(OSError):
    """The page was cut off, or is another one, as that of a site that throttles."""


def splits(year: str) -> pd.DataFrame:
    """Return the splits of all funds in a year, in the columns of AKShare's ``fund_cf_em``, as text."""
    return _list({"dt": "9", "rank": "FSRQ", "sort": "desc"}, "jjcf_data", _SPLITS, year)


def dividends(year: str) -> pd.DataFrame:
    """Return the dividends of all funds in a year, in the columns of AKShare's ``fund_fh_em``, as text."""
    return _list({"dt": "8", "rank": "BZDM", "sort": "asc"}, "jjfh_data", _DIVIDENDS, year)


# By the names of AKShare's functions, under which answers are on file.
FUNCTIONS: Mapping[str, Callable[..., pd.DataFrame]] = {"fund_cf_em": splits, "fund_fh_em": dividends}


def _list(which: Mapping[str, str], name: str, columns: tuple[str, ...], year: str) -> pd.DataFrame:
    rows: list[list[Any]] = []
    page, pages = 1, 1
    while page <= pages:
        if page > 1:
            time.sleep(PAUSE_SECONDS)
        text = _page({**which, "page": str(page), "gs": "", "ftype": "", "year": year})
        info, found = _json(text, "pageinfo"), _json(text, name)
        pages = _number_of_pages(info, page, found)
        wrong = [row for row in found if not (isinstance(row, list) and len(row) == len(columns))]
        if wrong:
            raise DataError(
                f"the rows of {name} have changed", received=str(wrong[0])[:80], limit=", ".join(columns)
            )
        rows += found
        page += 1
    return pd.DataFrame(rows, columns=list(columns), dtype="str").drop(columns="-")


def _page(arguments: Mapping[str, str]) -> str:
    import requests

    answer = requests.get(URL, params=dict(arguments), timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()
    text: str = answer.text
    return text


def _json(text: str, name: str) -> list[Any]:
    """Return the list behind ``var name =``; BrokenPage if there is none."""
    place = re.search(rf"\bvar\s+{name}\s*=\s*", text)
    if place is None:
        raise BrokenPage(f"no {name} in an answer that begins {text[:60]!r}")
    try:
        value, _ = _DECODER.raw_decode(text, place.end())
    except ValueError as error:
        raise BrokenPage(f"{name} is not JSON: {error}") from None
    if not isinstance(value, list):
        raise BrokenPage(f"{name} is not a list: {str(value)[:60]}")
    return value


def _number_of_pages(info: list[Any], page: int, found: list[Any]) -> int:
    whole = len(info) == 3 and all(type(number) is int for number in info)
    if not whole or info[0] > MOST_PAGES or (found and info[2] != page):
        raise BrokenPage(f"pageinfo says {info}, asked for was page {page}")
    pages: int = info[0]
    if page < pages and len(found) != info[1]:
        raise BrokenPage(f"page {page} of {pages} has {len(found)} rows of {info[1]}")
    return pages
