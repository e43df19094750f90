"""Codes of constituents: six digits for Shanghai, Shenzhen and Beijing, five for Hong Kong.

00700 is Tencent's, and 000700 that of a share of Shenzhen. Five digits are Hong Kong's, because no code of
the mainland is left with five when a spreadsheet has taken its zeros; what is left with fewer, 700, is told
by the exchange beside it, and so is 000700, which AKShare makes of 00700.
"""

from __future__ import annotations

import re

import pandas as pd

from data.facts.symbols import EXCHANGES
from data.importing.headers import Headers

_EXCHANGES = ("交易所", "Exchange", "exchange", "交易所英文名称", "市场")
_HONG_KONG = r"香港|港交所|联交所|港股|Hong ?Kong|HKEX|SEHK|XHKG|^HKG?$"
# Marks before or behind a code, as vendors and index companies write them; 116 is East Money's number.
_MARKED = re.compile(
    r"(?:(?P<before>[A-Z]{2,5})[.:_# -]?|(?P<number>[01]|116)\.)?(?P<digits>\d{1,6})"
    r"(?:[.:_@ -]?(?P<after>[A-Z]{2,5}))?(?: EQUITY)?"
)
_OF_HONG_KONG = ("HK", "HKG", "HKEX", "SEHK", "XHKG", "116")
_OF_THE_MAINLAND = (*EXCHANGES, "BJ", "BJSE", "CH")
_MARK = ".HK"


def of_exchanges(codes: pd.Series, cells: pd.DataFrame, headers: Headers) -> pd.Series:
    """Return codes with .HK behind those that a column of exchanges puts into Hong Kong."""
    name = next((each for each in _EXCHANGES if each in headers), None)
    if name is None:
        return codes
    there = cells[headers.column(name)].astype("str").str.contains(_HONG_KONG, regex=True, case=False)
    text = codes.astype("str").str.strip().str.removesuffix(".0")
    marked = there.fillna(False).astype(bool) & text.str.fullmatch(r"\d{1,6}")
    return codes.astype(object).mask(marked, text + _MARK) if marked.any() else codes


def constituent(code: str) -> str:
    """Return a code without its exchange and with the zeros that spreadsheets drop; others as they are."""
    match = _MARKED.fullmatch(code.removesuffix(".0"))
    if match is None:
        return code
    marks = {mark for mark in match.group("before", "number", "after") if mark}
    digits = match["digits"]
    if marks and marks <= {*_OF_HONG_KONG}:
        return digits.lstrip("0").zfill(5)
    if not marks <= {*_OF_THE_MAINLAND}:
        return code
    return digits if len(digits) == 5 and not marks else digits.zfill(6)
