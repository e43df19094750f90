"""Cells: numbers and days out of what vendors write.

The readers take a whole column and return it typed, together with a mask of the cells that cannot be read.
An empty cell (also ``-``, ``.``, ``N/A``, ``null``, ``halted``, 停牌) is read as missing, and is not wrong.

A number may have a sign, a currency, groups of thousands, full-width digits, and a magnitude behind it::

    1234.5    1,234.5    ¥1,234.50    12.3亿    397,000万份    523.4M    15.89%    １２．５

Groups are of three digits, or the cell is wrong: 30,15 is no 3015. Where the comma is the decimal mark, a map
says so (``decimal = ","``), and 1.234,5 is read.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DecimalMark = Literal[".", ","]
Floats = NDArray[np.float64]

DATES = "2025-08-20, 20250820, 2025/8/20, 2025年8月20日 or an Excel serial number"
TIMES = "2025-08-20 21:30 in the market's local time, without an offset"

_NO_VALUE = ("", "nan", "none", "null", "nat", "<na>", "n/a", "na", "#n/a", "-", "--", "---", "—", "——", "－")
_NOT_SAID: tuple[str, ...] = (
    "停牌",
    "临时停牌",
    "停盘",
    "暂停",
    "暂停交易",
    "休市",
    "未交易",
    "无交易",
    "不适用",
)
_NOT_SAID += ("暂无", "暂无数据", "无", "无数据", "未披露", "未公布", "待公布", "--.--", "-.--")
_NOT_SAID += ("n.a.", "nd", "nil", "halt", "halted", "suspended", "not available", "not applicable")
_EMPTY = (*_NO_VALUE, ".", *_NOT_SAID)
# Signs that are not seen, which web pages and spreadsheets leave in cells.
UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
# The digits of a number by its decimal mark: groups of three have one mark, and none begins with zero.
_DIGITS = {
    mark: rf"(?:\d+|[1-9]\d{{0,2}}(?P<group>[{group} '])\d{{3}}(?:(?P=group)\d{{3}})*)"
    rf"(?:{mark}\d*)?|{mark}\d+"
    for mark, group in ((r"\.", ","), (",", r"\."))
}
_DIGITS = {".": _DIGITS[r"\."], ",": _DIGITS[","]}
# The same for a column, without the marks that only a few people use (RE2 knows no references).
_GROUPED = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?"
_COMMA = r"[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d*)?"
_MAGNITUDES = {"万亿": "1e12", "亿": "1e8", "千万": "1e7", "百万": "1e6", "万": "1e4", "千": "1e3"}
_MAGNITUDES |= {"萬億": "1e12", "億": "1e8", "萬": "1e4"}
_MAGNITUDES |= {"K": "1e3", "k": "1e3", "mn": "1e6", "M": "1e6", "m": "1e6"}
_MAGNITUDES |= {"bn": "1e9", "B": "1e9", "b": "1e9"}
_MAGNITUDES |= {"MM": "1e6", "mm": "1e6"}  # American books
_MAGNITUDES |= {"Million": "1e6", "million": "1e6", "Billion": "1e9", "billion": "1e9"}
_UNITS = {"%": "0.01", "美元": "1", "元": "1", "份": "1", "股": "1", "手": "100"}
_UNITS |= dict.fromkeys(("USD", "CNY", "RMB", "shares", "units"), "1")
_MARKED = {
    mark: re.compile(
        rf"(?:每份(?:派发?现金|分红))?(?P<sign>[+-]?)(?:CN¥|US\$|HK\$|[¥$€])?\s*(?P<digits>(?:{digits})(?:[eE][+-]?\d+)?)"
        rf"\s*(?P<magnitude>{'|'.join(_MAGNITUDES)})?(?P<unit>(?<=\d)%|\s*(?:{'|'.join([*_UNITS][1:])}))?"
    )
    for mark, digits in _DIGITS.items()
}
_WRAPPED = re.compile(r"""="(.*)"|'([^']*)""")
_DAY_MILLISECONDS = 86_400_000
_DAY_MICROSECONDS = 1_000 * _DAY_MILLISECONDS
_WRITTEN = (
    r"^(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})[日号]?"
    r"(?:[ T](?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r" ?(?P<offset>Z|[+-]\d\d:?\d\d)?)?$"
)
_NAMED_WEEKDAY = r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +"
_WEEKDAY = r"[ ,]*\(?(?:星期|周)?[一二三四五六日天]\)?$"

BARE, MAGNITUDE, UNIT, PERCENT = range(4)


class Numbers(NamedTuple):
    """A column as float64, the cells that are no finite numbers, and what each cell says of its own scale.

    ``own`` is BARE, MAGNITUDE (12.3亿, already multiplied), UNIT (12.3亿份: nothing else may scale it) or
    PERCENT (15.89%, read as 0.1589).
    """

    numbers: pd.Series
    wrong: pd.Series
    own: pd.Series


def magnitudes(values: pd.Series) -> Floats:
    """Return by what each cell of text multiplies its number: 1e8 for 12.3亿, 1 if it names nothing."""
    codes, distinct = pd.factorize(values.astype("str").str.strip())
    matches = [_MARKED["."].fullmatch(plain(str(each))) for each in distinct]
    named = [float(_MAGNITUDES.get(match["magnitude"] or "", "1")) if match else 1.0 for match in matches]
    return np.array(named, dtype=np.float64)[codes]


def is_text(values: pd.Series) -> bool:
    """Whether a column holds text, or objects of any kind."""
    return values.dtype == object or isinstance(values.dtype, pd.StringDtype)


def are_numbers(values: pd.Series) -> bool:
    """Whether a column holds numbers already, none of them infinite."""
    return values.dtype == np.float64 and not np.isinf(values.to_numpy()).any()


def blank(values: pd.Series) -> pd.Series:
    """Which cells say that there is no value."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return in_each(blank(values.cat.categories.to_series()), values, of_none=True)
    if not is_text(values):
        return values.isna()
    return values.isna() | values.astype("str").str.strip().str.lower().isin(_EMPTY)


def in_each(answers: pd.Series, values: pd.Series, of_none: bool = False) -> pd.Series:
    """Return for each cell of a categorical column the answer, true or not, that its category has."""
    return pd.Series(np.append(answers, of_none)[values.cat.codes], index=values.index, copy=False)


def recoded(values: pd.Series, places: NDArray[np.intp], names: pd.Index) -> pd.Series:
    """Return a categorical column whose categories became those of ``names`` at ``places``, -1 for none."""
    if (places == np.arange(len(places))).all():
        renamed: pd.Series = values.cat.rename_categories(names.tolist())
        return renamed
    coded = pd.Categorical.from_codes(np.append(places, -1)[values.cat.codes], names)
    return pd.Series(coded, index=values.index, copy=False)


def plain(text: str) -> str:
    """Return a cell's text as it is meant: half-width signs, no spaces around, not Excel's ``="159363"``."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(UNSEEN)).replace("\u2212", "-")
    text = text.strip()
    match = _WRAPPED.fullmatch(text)
    return (match[1] or match[2] or "").strip() if match else text


def read_numbers(values: pd.Series, decimal: DecimalMark = ".") -> tuple[pd.Series, pd.Series]:
    """Return a column as float64, and which cells are no finite numbers; percentages are none.

    A column of dates or of booleans has no numbers in it: all of its cells are wrong.
    """
    read = read_measured(values, decimal)
    return read.numbers, read.wrong | (read.own == PERCENT)


def read_measured(values: pd.Series, decimal: DecimalMark = ".") -> Numbers:
    """Return the numbers of a column, and which cells name their magnitude or their unit of measure."""
    if values.dtype == np.float64:
        wrong, own = np.isinf(values.to_numpy()), np.zeros(len(values), dtype=np.int8)
        return Numbers(values, *(pd.Series(each, index=values.index) for each in (wrong, own)))
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_bool_dtype(values):
        found = pd.Series(np.nan, index=values.index)
    elif decimal == "," and is_text(values):
        found = pd.to_numeric(_with_point(values.astype("str").str.strip()), errors="coerce")
    else:
        found = _to_numeric(values)
    numbers = found.to_numpy(np.float64, na_value=np.nan, copy=True)
    if values.dtype == object:
        numbers[[isinstance(cell, bool) for cell in values]] = np.nan
    wrong, own = np.isnan(numbers), np.zeros(len(numbers), dtype=np.int8)
    if wrong.any():
        wrong &= ~blank(values).to_numpy()
    if wrong.any() and is_text(values):
        places = np.flatnonzero(wrong)
        numbers[places], own[places] = _read_marked(values.iloc[places], decimal)
        wrong &= np.isnan(numbers)
    wrong |= np.isinf(numbers)
    return Numbers(*(pd.Series(each, index=values.index) for each in (numbers, wrong, own)))


def read_days(
    values: pd.Series, *, keep_time: bool = False, written_as: str | None = None
) -> tuple[pd.Series, pd.Series]:
    """Return a column as datetime64[us], and which cells cannot be read; see DATES and TIMES.

    With ``written_as`` (a ``strptime`` format) no other way of writing is accepted. A day that carries an
    offset from UTC is the day as written; one in the afternoon of UTC is refused, because it is the next day
    in China. With ``keep_time`` an offset is refused: nothing here knows the market that the row belongs to.
    """
    if pd.api.types.is_datetime64_dtype(values):
        days = values.astype("datetime64[us]")
        plain_days = keep_time or are_midnights(days.to_numpy())
        return days if plain_days else days.dt.normalize(), pd.Series(False, index=values.index)
    codes, distinct = pd.factorize(values.astype("str").str.strip().where(values.notna()))
    text = pd.Series(distinct, dtype="str")
    if written_as is None:
        parsed = _parse(text, keep_time)
    else:
        parsed = pd.to_datetime(text, format=written_as, errors="coerce").astype("datetime64[us]")
    days = parsed.reindex(codes)
    days.index = values.index
    wrong = days.isna() & ~blank(values)
    return (days if keep_time else days.dt.normalize()), wrong


def are_midnights(days: NDArray[np.datetime64]) -> bool:
    """Whether days in microseconds are all there and have no time of the day."""
    stamps = days.view(np.int64)
    return bool((stamps // _DAY_MICROSECONDS * _DAY_MICROSECONDS == stamps).all())


def _to_numeric(values: pd.Series) -> pd.Series:
    try:
        numbers: pd.Series = pd.to_numeric(values, errors="coerce")
    except OverflowError:
        # A whole number of hundreds of digits, as JSON may hold.
        numbers = pd.to_numeric(values.astype("str"), errors="coerce")
    return numbers


def _with_point(text: pd.Series) -> pd.Series:
    """Return numbers with a decimal comma as numbers with a point; nothing where a cell is none."""
    return text.where(text.str.fullmatch(_COMMA)).str.replace(".", "").str.replace(",", ".")


def _read_marked(values: pd.Series, decimal: DecimalMark) -> tuple[Floats, NDArray[np.int8]]:
    """Read cells that have more than digits in them: most have groups of thousands and nothing else."""
    text = values.astype("str").str.strip()
    numbers, own = np.full(len(text), np.nan), np.zeros(len(text), dtype=np.int8)
    grouped = text.str.fullmatch(_GROUPED).to_numpy(bool) if decimal == "." else np.zeros(len(text), bool)
    numbers[grouped] = pd.to_numeric(text[grouped].str.replace(",", ""))
    codes, distinct = pd.factorize(text[~grouped])
    read = np.array([_marked(str(each), decimal) for each in distinct]).reshape(-1, 2)
    numbers[~grouped], own[~grouped] = read[codes, 0], read[codes, 1]
    return numbers, own


def _marked(cell: str, mark: DecimalMark) -> tuple[float, int]:
    """Return the number in a cell that has more than digits in it, NaN if none, and its own scale."""
    match = _MARKED[mark].fullmatch(plain(cell))
    if match is None:
        return np.nan, 0
    digits = match["digits"].replace(match["group"] or " ", "").replace(mark, ".")
    magnitude, unit = match["magnitude"], (match["unit"] or "").strip()
    number = Decimal(match["sign"] + digits) * Decimal(_MAGNITUDES.get(magnitude, "1"))
    own = PERCENT if unit == "%" else UNIT if unit else MAGNITUDE if magnitude else BARE
    return float(number * Decimal(_UNITS.get(unit, "1"))), own


def _parse(text: pd.Series, keep_time: bool) -> pd.Series:
    days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").astype("datetime64[us]")
    unread = days.isna() & text.notna()
    if unread.any():
        days[unread] = _parse_others(text[unread], keep_time)
    return days


def _parse_others(text: pd.Series, keep_time: bool) -> pd.Series:
    text = text.map(plain).astype("str")
    text = text.str.replace(r"\.0+$", "", regex=True)
    days = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    left = pd.Series(True, index=text.index)
    for pattern, read in _WAYS:
        here = left & text.str.fullmatch(pattern)
        if here.any():
            days[here] = read(text[here]).astype("datetime64[us]")
            left &= ~here
        if not left.any():
            return days
    days[left] = _parse_written(text[left].str.replace(_WEEKDAY, "", regex=True), keep_time)
    return days


def _parse_compact(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="%Y%m%d", errors="coerce")


def _parse_serial(text: pd.Series) -> pd.Series:
    # Excel counts days from 1899-12-30 (its 1900 is wrongly a leap year).
    return pd.Timestamp("1899-12-30") + pd.to_timedelta(pd.to_numeric(text), unit="D")


def _parse_milliseconds(text: pd.Series) -> pd.Series:
    # Pandas writes a date to JSON as milliseconds since 1970; at another hour than 0 it is a time elsewhere.
    since = pd.to_numeric(text).astype("int64")
    return pd.to_datetime(since.where(since % _DAY_MILLISECONDS == 0), unit="ms")


def _parse_named_months(text: pd.Series) -> pd.Series:
    # With the name of the month there is one way only to read a day.
    text = text.str.replace(_NAMED_WEEKDAY, "", regex=True)
    days = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    for written in ("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y"):
        days = days.fillna(pd.to_datetime(text, format=written, errors="coerce"))
    return days


_WAYS = (
    (r"\d{8}", _parse_compact),
    (r"\d{5}(?:\.\d+)?", _parse_serial),
    (r"\d{12,13}", _parse_milliseconds),
    (r".*[A-Za-z]{3}.*", _parse_named_months),
)


def _parse_written(text: pd.Series, keep_time: bool) -> pd.Series:
    part = text.str.extract(_WRITTEN)
    universal = part["offset"].isin(["Z", "+00:00", "+0000"])
    afternoon = pd.to_numeric(part["hour"]) >= 12
    refused = part["offset"].notna() if keep_time else universal & afternoon
    iso = part["year"] + "-" + part["month"].str.zfill(2) + "-" + part["day"].str.zfill(2)
    clock = " " + part["hour"].str.zfill(2) + ":" + part["minute"] + ":" + part["second"].fillna("00")
    return pd.to_datetime((iso + clock.fillna("")).mask(refused), format="ISO8601", errors="coerce")
