"""Units of measure: what a vendor's number has to be multiplied by to become shares, money or a fraction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from data.errors import UsageError, did_you_mean

FACTORS: dict[str, Fraction] = {
    "shares": Fraction(1),
    "units": Fraction(1),
    "lots": Fraction(100),
    "10^4 lots": Fraction(10**6),
    "money": Fraction(1),
    "yuan": Fraction(1),
    "dollars": Fraction(1),
    "cents": Fraction(1, 100),
    "thousand": Fraction(10**3),
    "10^4": Fraction(10**4),
    "million": Fraction(10**6),
    "10^8": Fraction(10**8),
    "billion": Fraction(10**9),
    "fraction": Fraction(1),
    "percent": Fraction(1, 100),
    "discount": Fraction(-1),
    "percent-discount": Fraction(-1, 100),
}
# In place of a unit of measure: the file itself must name one, or the column is left alone if it does not.
NAMED_BY_FILE = "as the file says"
IF_NAMED = "if the file says"

# What is left of a unit where a number brings its magnitude: 52.3万 in a column of lots is 523,000 lots.
_NOUNS = {FACTORS["lots"]: FACTORS["lots"], FACTORS["10^4 lots"]: FACTORS["lots"]}
_PERIOD = re.compile(r"(?P<unit>\S.*) until (?P<day>\d{4}-\d\d-\d\d)")
_AFTER = re.compile(r"(?P<unit>\S.*) after")
# A product of floats is off by one unit in the last place or two; a real fraction is not so near a whole.
_FLOAT_NOISE = 1e-14


@dataclass(frozen=True)
class Measure:
    """A unit of measure, or several that follow each other: the factor up to each day, and the last one."""

    until: tuple[tuple[np.datetime64, Fraction], ...]
    last: Fraction

    @property
    def dated(self) -> bool:
        """Whether the unit of measure changes, so that the day of each row is needed."""
        return bool(self.until)

    @property
    def without_magnitude(self) -> Measure:
        """The unit of measure of numbers that bring their magnitude along."""
        until = tuple((day, _NOUNS.get(factor, Fraction(1))) for day, factor in self.until)
        return Measure(until, _NOUNS.get(self.last, Fraction(1)))

    @property
    def of_percent(self) -> bool:
        """Whether a number is in percent."""
        return abs(self.last) == FACTORS["percent"]

    def scale(self, numbers: pd.Series, days: pd.Series | None = None) -> pd.Series:
        """Return the numbers in shares, money or fractions (NaN stays NaN); ``days`` are needed if dated."""
        scaled = _times(numbers, self.last)
        if days is not None:
            for day, factor in reversed(self.until):
                scaled = scaled.where(days > day, _times(numbers, factor))
        return scaled


def parse_measure(text: str, where: str) -> Measure:
    """Read ``lots``, or ``lots until 2025-10-29, shares after``; UsageError otherwise, naming ``where``."""
    *periods, last = (part.strip() for part in text.split(","))
    matches = [_PERIOD.fullmatch(period) for period in periods]
    after = _AFTER.fullmatch(last)
    if bool(periods) != bool(after) or not all(matches):
        raise _refused(where, text, "Write `lots`, or `lots until 2025-10-29, shares after`.")
    until = []
    for match in matches:
        if match is not None:
            day = pd.to_datetime(match["day"], format="%Y-%m-%d", errors="coerce")
            if pd.isna(day):
                raise _refused(where, text, f"`{match['day']}` is no date.")
            until.append((np.datetime64(day.date()), _factor(match["unit"], where, text)))
    days = [day for day, _ in until]
    if days != sorted(set(days)):
        raise _refused(where, text, "The days must go up.")
    return Measure(tuple(until), _factor(after["unit"] if after else last, where, text))


def _times(numbers: pd.Series, factor: Fraction) -> pd.Series:
    if factor == 1:
        return numbers
    product = numbers * factor.numerator / factor.denominator
    whole = product.round()
    noise = (product - whole).abs() <= _FLOAT_NOISE * product.abs()
    return product.mask(noise, whole) if factor.numerator > 1 else product


def _factor(unit: str, where: str, text: str) -> Fraction:
    if unit not in FACTORS:
        raise _refused(where, text, did_you_mean(unit, FACTORS))
    return FACTORS[unit]


def _refused(where: str, text: str, hint: str) -> UsageError:
    limit = ", ".join(FACTORS)
    return UsageError(f"{where}: unknown unit of measure", received=repr(text), limit=limit, hint=hint)
