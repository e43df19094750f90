"""Codes of constituents: six digits for Shanghai, Shenzhen and Beijing, five for Hong Kong.

00700 is Tencent's, and 000700 that of a share of Shenzhen. Five digits are Hong Kong's, because no code of
the mainland is left with five when a spreadsheet has taken its zeros; what is left with fewer, 700, is told
by the exchange beside it, and so is 000700, which AKShare makes of 00700.
"""

from __future__ import annotations

import re

import pandas as pd

from data.importing.headers import Headers

_EXCHANGES = ("交易所", "Exchange", "exchange", "交易所英文名称", "市场")
_HONG_KONG = r"香港|港交所|联交所|Hong ?Kong|HKEX|SEHK|XHKG"
_MAINLAND = re.compile(r"\.(SH|SZ|BJ)$")
_MARK = ".HK"


def of_exchanges(codes: pd.Series, cells: pd.DataFrame, headers: Headers) -> pd.Series:
    """Return codes with .HK behind those that a column of exchanges puts into Hong Kong."""
    name = next((each for each in _EXCHANGES if each in headers), None)
    if name is None:
        return codes
    there = cells[headers.column(name)].astype("str").str.contains(_HONG_KONG, regex=True)
    text = codes.astype("str").str.strip().str.removesuffix(".0")
    marked = there.fillna(False).astype(bool) & text.str.fullmatch(r"\d{1,6}")
    return codes.astype(object).mask(marked, text + _MARK) if marked.any() else codes


def constituent(code: str) -> str:
    """Return a code without its exchange and with the zeros that spreadsheets drop; others as they are."""
    bare = _MAINLAND.sub("", code.removesuffix(".0"))
    digits = bare.removesuffix(_MARK)
    if not digits.isdecimal():
        return bare
    if digits != bare:
        return digits.lstrip("0").zfill(5)
    return digits if len(digits) == 5 else digits.zfill(6)
