"""Headers as exchanges and vendors write them: two languages, units of measure in brackets, full-width signs.

``成份券代码Constituent Code`` is found as 成份券代码, ``融资余额(元)`` as 融资余额 in yuan,
``份额（万份）``, ``份额/万份`` and ``份额万份`` as 份额 in 10^4 units, ``market value($)`` as market value in
dollars. Brackets with anything else in them stay part of the name: 收盘(前复权) is not 收盘.
``基金份额 [单位] 亿份`` is how Wind writes it, and 收盤價 is 收盘价 in traditional characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from data.store.schema import Column

Kind = Literal["money", "count", "fraction", "any"]

_KINDS: dict[str, Kind] = {"count": "count", "price": "money", "money": "money", "ratio": "fraction"}
# 一 to 鿿: the Chinese signs.
_CHINESE = re.compile(
    r"(?P<name>[\u4e00-\u9fff][^A-Za-z()\[\]]*?)\s*(?:[(\[](?P<unit>[^()\[\]]*)[)\]])?\s*(?P<english>[A-Za-z].*)?"
)
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_OTHER = re.compile(r"(?P<name>[^()\[\]]+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")
# Wind's way to name a unit of measure.
_OF_WIND = re.compile(r"\s*\[单位\]\s*(\S+)")
# The traditional characters of headers, and the simplified ones.
_SIMPLIFIED = str.maketrans(
    "開盤價額證碼單淨數億萬餘資買償還總場內規當漲權類簡稱時間統計聯週歷復積產贖購發產動換點據備來註變戶劃業幣從與",
    "开盘价额证码单净数亿万余资买偿还总场内规当涨权类简称时间统计联周历复积产赎购发产动换点据备来注变户划业币从与",
)
_OTHER_BRACKETS = str.maketrans("【】〔〕〖〗<>{}", "[][][][][]")
_APART = re.compile(r"(?P<name>[\u4e00-\u9fff][^()\[\]]*?)(?:\s*[/_:,、|-]\s*|\s+)(?P<unit>[^\s()\[\]]+)")
# Without anything between them only a magnitude tells the name from its unit: 份额万份, and not 流通份.
_ATTACHED = re.compile(r"(?P<name>[\u4e00-\u9fff]{2,}?)(?P<unit>(?:千|万|百万|亿)(?:元|美元|股|份|手))")
# 单位:万元,万份 above a table; of 单位净值 the rest is no unit of measure.
_TITLE_UNITS = re.compile(r"单位\s*[:(]?\s*([^\s;()]+)")
_BETWEEN = re.compile("[,、和及]")
_CHINESE_UNIT = re.compile(
    r"(?:人民币)?(?P<magnitude>千|万|百万|亿)?(?P<noun>元|美元|股|份|手|分)(?:[/|](?:股|份))?"
)
_CHINESE_MAGNITUDES = {"千": "thousand", "万": "10^4", "百万": "million", "亿": "10^8"}
_ZEROS = {"1000": "千", "10000": "万", "1000000": "百万", "100000000": "亿"}
_NOUNS: dict[str, tuple[str, Kind]] = {
    "元": ("yuan", "money"),
    "美元": ("dollars", "money"),
    "股": ("shares", "count"),
    "份": ("units", "count"),
    "手": ("lots", "count"),
    "分": ("cents", "money"),
}
_ENGLISH: dict[str, tuple[str, Kind]] = {
    **dict.fromkeys(("%", "percent", "pct"), ("percent", "fraction")),
    **dict.fromkeys(("$", "us$", "usd", "dollars"), ("dollars", "money")),
    **dict.fromkeys(("¥", "cny", "rmb", "yuan"), ("yuan", "money")),
    **dict.fromkeys(("shares", "units"), ("shares", "count")),
    "lots": ("lots", "count"),
    **{sign: (name, "any") for sign, name in _CHINESE_MAGNITUDES.items()},
    **dict.fromkeys(("000", "000s", "thousands", "in thousands", "thousand"), ("thousand", "any")),
    **dict.fromkeys(("millions", "in millions", "million", "mil", "mln", "mm", "mn"), ("million", "any")),
    **dict.fromkeys(
        ("$m", "$mm", "$mn", "$ millions", "$ in millions", "usd m", "usd mn", "usd millions"),
        ("million", "money"),
    ),
    **dict.fromkeys(("billions", "in billions", "billion", "bn"), ("billion", "any")),
    **dict.fromkeys(("$bn", "$ billions", "usd bn"), ("billion", "money")),
}


@dataclass(frozen=True)
class Unit:
    """A unit of measure that stands in a file: its name in ``measures.FACTORS``, and what it measures."""

    measure: str
    kind: Kind


class Headers(Collection[str]):
    """The names under which the columns of a file can be found: as written, and as described above.

    A name as written wins over one that something was taken off. ``several`` has the names that two columns
    could have, with both.
    """

    def __init__(self, columns: Iterable[str]) -> None:
        self._columns: dict[str, str] = {}
        self.units: dict[str, Unit] = {}
        self.several: dict[str, tuple[str, ...]] = {}
        written = list(columns)
        as_written = set(written)
        for column in written:
            name, unit = split_header(column)
            if unit is not None:
                self.units[column] = unit
            for each in {name, half_width(column)}:
                if each in as_written:
                    continue
                if each in self._columns:
                    self.several[each] = (*self.several.get(each, (self._columns[each],)), column)
                else:
                    self._columns[each] = column
        self._columns.update({column: column for column in written})

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def column(self, name: str) -> str:
        """Return the column of the file that has this name."""
        return self._columns[name]


def half_width(header: str) -> str:
    """Return a header in half-width signs and simplified characters, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", header).translate(_SIMPLIFIED).split())


def split_header(header: str) -> tuple[str, Unit | None]:
    """Return a header without its second language and its unit of measure, and the unit."""
    text = _OF_WIND.sub(r"(\1)", half_width(header))
    bracketed = text.translate(_OTHER_BRACKETS)
    for pattern in (_APART, _ATTACHED):
        match = pattern.fullmatch(bracketed)
        unit = match and unit_of(match["unit"])
        if match and unit:
            return match["name"], unit
    match = _CHINESE.fullmatch(bracketed) or _OTHER.fullmatch(bracketed)
    if match is None:
        return text, None
    if match["unit"] is not None:
        unit = unit_of(match["unit"])
        return (text, None) if unit is None else (match["name"], unit)
    units = map(unit_of, _BRACKETS.findall(match["english"] or ""))
    return match["name"], next((unit for unit in units if unit), None)


def unit_above(title: str, column: Column) -> Unit | None:
    """Return the unit of measure that a line above the header, 单位:万元,万份, names for one of our columns.

    None for prices, which nobody counts in 10^4, and for levels, which have no unit. A magnitude alone,
    单位:亿, is that of all money and counts; 元/份 is of prices, or of either.
    """
    kind = kind_of(column)
    if column.scale == "price" or kind == "any":
        return None
    text = unicodedata.normalize("NFKC", title)
    named = [each for match in _TITLE_UNITS.finditer(text) for each in _BETWEEN.split(match[1])]
    units = {unit for each in named if "/" not in each and (unit := unit_of(each)) is not None}
    of_kind = {each for each in units if each.kind == kind}
    of_any = {each for each in units if each.kind == "any" and kind != "fraction"}
    found = of_kind or of_any
    return found.pop() if len(found) == 1 else None


def kind_of(column: Column) -> Kind:
    """Return what the unit of measure of one of our columns measures, by its scale."""
    return _KINDS.get(column.scale, "any")


def unit_of(text: str) -> Unit | None:
    """Return the unit of measure that a text names, None if it names none."""
    text = " ".join(text.lower().removeprefix("单位:").split())
    zeros = re.match(r"10+", text.replace(",", ""))
    if zeros and zeros[0] in _ZEROS:
        text = text.replace(",", "").replace(zeros[0], _ZEROS[zeros[0]], 1)
    match = _CHINESE_UNIT.fullmatch(text.replace(" ", ""))
    if match is None:
        return Unit(*_ENGLISH[text]) if text in _ENGLISH else None
    measure, kind = _NOUNS[match["noun"]]
    magnitude = match["magnitude"]
    if measure == "cents" and magnitude is not None:
        return None
    if measure == "lots" and magnitude is not None:
        return Unit("10^4 lots", kind) if magnitude == "万" else None
    return Unit(_CHINESE_MAGNITUDES[magnitude] if magnitude else measure, kind)
