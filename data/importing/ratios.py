"""Ratios of splits as people write them: how many new units there are for an old one.

``3-for-1``, ``15-for-1 split``, ``3/1`` and ``1拆3`` say which number is which. ``3:1`` does not: in the US
it is three new shares for one, on the pages of Chinese funds ``1:3`` is. A map says so (``ratios``).
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.errors import DataError
from data.store.cells import is_text, plain

NEW_OLD, OLD_NEW = "new:old", "old:new"
_NUMBER = r"(\d+(?:\.\d*)?)"
_FOR = re.compile(
    rf"{_NUMBER}[ -]*for[ -]*{_NUMBER}(?: +(?P<kind>reverse|forward))?(?: +stock)?(?: +split)?", re.IGNORECASE
)
_OVER = re.compile(rf"{_NUMBER} */ *{_NUMBER}")
_BECOME = re.compile(rf"每?{_NUMBER}份?(?:拆分?|折算)(?:为|成)?{_NUMBER}份?")
_TO = re.compile(rf"{_NUMBER} *: *{_NUMBER}")


def read_ratios(values: pd.Series, order: str | None, origin: str) -> pd.Series:
    """Return a column of ratios with those that have two numbers as one number; the others as they stand.

    ``order`` says what 3:1 means: NEW_OLD or OLD_NEW. DataError for 3:1 without it, and for a percentage: a
    dividend of 5 % in units is the ratio 1.05.
    """
    if not is_text(values):
        return values
    codes, distinct = pd.factorize(values.astype("str"))
    written = [plain(str(each)) for each in distinct]
    read = [_read(each, order) for each in written]
    for place, (each, number) in enumerate(zip(written, read, strict=True)):
        if number is None and (_TO.fullmatch(each) or each.endswith("%")):
            row = values.index[(codes == place).argmax()] + 1
            raise DataError(
                f"{origin}: `ratio` in row {row} does not say how many new units there are for an old one",
                received=repr(each),
                limit="one number (3, or 0.25 for a reverse split of four), 3-for-1, or 3/1",
                hint="Write one of these, or say in a map file (--map) which number is the new one: "
                f'ratios = "{NEW_OLD}", or "{OLD_NEW}".',
            )
    numbers = np.append(np.array(read, dtype=np.float64), np.nan)[codes]
    return values.astype(object).where(np.isnan(numbers), numbers)


def _read(text: str, order: str | None) -> float | None:
    """Return the ratio that a text with two numbers says, None if it says none."""
    if match := _FOR.fullmatch(text):
        new, old = match[1], match[2]
        if (match["kind"] or "").lower() == "reverse" and float(new) >= float(old):
            return None
    elif match := _OVER.fullmatch(text):
        new, old = match[1], match[2]
    elif match := _BECOME.fullmatch(text):
        old, new = match[1], match[2]
    elif order is not None and (match := _TO.fullmatch(text)):
        new, old = (match[1], match[2]) if order == NEW_OLD else (match[2], match[1])
    else:
        return None
    return float(new) / float(old) if float(old) > 0 else None
