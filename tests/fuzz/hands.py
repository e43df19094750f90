"""Hands that spoil a table in one way each, and keep what it says: digits, commas, dates, rows, columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random

from tests.fuzz.written import EXCEL, Table, plain

NAME = "name"


def digit(made: Table, random: Random) -> None:
    """Mistype a digit."""
    row, name = random.choice(made.rows), made.number(random)
    text = row.cells[name]
    places = [place for place, letter in enumerate(text) if letter.isdecimal()]
    if places and plain(text):
        place = random.choice(places)
        text = text[:place] + random.choice("123456789") + text[place + 1 :]
        made.put(row, name, text, float(text))


def other_measure(made: Table, random: Random) -> None:
    """Write in other units of measure from a row on."""
    name, by = made.number(random), random.choice((4, 3, 2, -2, -3, -4, 8))
    for row in made.some(random):
        if plain(row.cells[name]):
            text = format(Decimal(row.cells[name]).scaleb(by), "f")
            made.put(row, name, text, float(text))


def other_columns(made: Table, random: Random) -> None:
    """Exchange two columns from a row on."""
    one, other = made.number(random), made.number(random)
    for row in made.some(random):
        if plain(row.cells[one]) and plain(row.cells[other]):
            first, second = row.cells[one], row.cells[other]
            made.put(row, one, second, float(second))
            made.put(row, other, first, float(first))


def dropped(made: Table, random: Random) -> None:
    """Lose a row."""
    if len(made.rows) > 1:
        made.rows.pop(random.randrange(len(made.rows)))


def doubled(made: Table, random: Random) -> None:
    """Write a row twice."""
    made.rows.insert(random.randrange(len(made.rows) + 1), random.choice(made.rows).copy())


def contradicted(made: Table, random: Random) -> None:
    """Write a row twice, with another number."""
    row = random.choice(made.rows).copy()
    made.rows.insert(random.randrange(len(made.rows) + 1), row)
    name = made.number(random)
    if plain(row.cells[name]):
        text = row.cells[name].translate(str.maketrans("3456", "6543"))
        made.put(row, name, text, float(text))


def other_fund(made: Table, random: Random) -> None:
    """Write a row under the code of another fund."""
    row, other = random.choice(made.rows), random.choice(made.rows)
    row.symbol, row.cells["symbol"] = other.symbol, other.cells["symbol"]


def mixed(made: Table, random: Random) -> None:
    """Sort the rows in another order."""
    random.choice((random.shuffle, list.reverse))(made.rows)


def ordered(made: Table, random: Random) -> None:
    """Put the columns into another order."""
    names = [*made.headers]
    random.shuffle(names)
    made.headers = {name: made.headers[name] for name in names}


def dated(made: Table, random: Random) -> None:
    """Write a date, or all, in another order or form."""
    form = random.choice(
        (
            *("%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%b-%Y", "%Y.%m.%d", "%d.%m.%Y", "%y-%m-%d"),
            *("%Y年%m月%d日", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00Z", "%Y-%m-%d 15:00:00", "%b %d, %Y"),
            *("%m/%d/%y", "%d/%m/%y", "%Y-%m-%dT00:00:00+08:00", "excel", "epoch", "milli"),
        )
    )
    for row in made.some(random):
        day = date.fromisoformat(row.day)
        seconds = (day - date(1970, 1, 1)).days * 86_400
        row.cells["day"] = {
            "excel": str((day - EXCEL).days),
            "epoch": str(seconds),
            "milli": str(seconds * 1_000),
        }.get(form) or day.strftime(form)


def coded(made: Table, random: Random) -> None:
    """Write a code, or all, as others do."""
    form = random.choice(
        ("{0}", "{1}{0}", "{0}.{1}", "{1}.{0}", "{0}.{2}", "{2}.{0}", "{0} CH Equity", "{0}.0")
    )
    for row in made.some(random):
        code, exchange = row.symbol.split(".")
        mark = random.choice((exchange, exchange.lower()))
        row.cells["symbol"] = form.format(code, mark, {"SZ": "XSHE", "SH": "XSHG"}[exchange])


def comma(made: Table, random: Random) -> None:
    """Write the decimal mark as a comma."""
    names = made.numbers(random)
    for row in made.some(random):
        row.cells |= {name: row.cells[name].replace(".", ",") for name in names}
        for name in {"volume", "amount", "units", "balance", "bought", "repaid"} & {*names}:
            if re.fullmatch(r"\d{1,3},\d{3}", row.cells[name]):  # may be a group of thousands there
                number = float(row.cells[name].replace(",", ""))
                row.says[name] = [*row.says[name], number * made.layout.numbers[name][1]]


def grouped(made: Table, random: Random) -> None:
    """Group thousands, in one of the ways of the world."""
    names, mark = made.numbers(random), random.choice((",", ",", "'", "\xa0", " ", "\u2009", "."))
    for row in made.some(random):
        for name in names:
            if not plain(row.cells[name]):
                continue
            whole, point, rest = row.cells[name].partition(".")
            text = f"{int(whole):,}".replace(",", mark) + (point and {".": ","}.get(mark, ".")) + rest
            row.cells[name] = text
            if plain(text):  # 82.127 is a number as it stands
                row.says[name] = [*row.says[name], float(text) * made.layout.numbers[name][1]]


def magnitude(made: Table, random: Random) -> None:
    """Write a large number with a magnitude."""
    name, (word, by) = (
        made.number(random),
        random.choice((("万", -4), ("亿", -8), ("M", -6), ("k", -3), ("bn", -9))),
    )
    for row in made.some(random):
        if plain(row.cells[name]) and len(row.cells[name]) > 5:
            row.cells[name] = format(Decimal(row.cells[name]).scaleb(by).normalize(), "f") + word
            factor = made.layout.numbers[name][1]
            if factor < 10**-by:  # a larger magnitude than the column's is meant in its place
                row.says[name] = [*row.says[name], row.says[name][0] / factor]


def blanked(made: Table, random: Random) -> None:
    """Leave a cell empty."""
    name, word = (
        made.number(random),
        random.choice(("", "", "--", "N/A", "NaN", "null", "None", "-", "#N/A", " ")),
    )
    for row in made.some(random)[:3]:
        row.cells[name], row.says[name] = word, []


def rounded(made: Table, random: Random) -> None:
    """Let a spreadsheet show few digits, or many."""
    name, form = made.number(random), random.choice((".2E", ".5e", ".1f", ".0f", ".17g", ".6g"))
    for row in made.some(random):
        if plain(row.cells[name]):
            text = format(float(row.cells[name]), form)
            made.put(row, name, text, float(text))


def adorned(made: Table, random: Random) -> None:
    """Put around a cell what spreadsheets and pages put there."""
    name = random.choice([*made.headers])
    form = random.choice(
        (" {} ", "\xa0{}", "{}\u3000", "'{}", '="{}"', "\t{}", "{}\u200b", "\ufeff{}", "{}\r", "+{}")
    )
    for row in made.some(random):
        row.cells[name] = form.format(row.cells[name])


def full_width(made: Table, random: Random) -> None:
    """Write digits as a Chinese keyboard does."""
    name = random.choice([*made.headers])
    wide = {ord(each): ord(each) + 0xFEE0 for each in "0123456789.-,"}
    for row in made.some(random):
        row.cells[name] = row.cells[name].translate(wide)


def headed(made: Table, random: Random) -> None:
    """Write a header, or all, otherwise: in capitals, padded, with a remark."""
    change: Callable[[str], str] = random.choice(
        (
            str.upper,
            str.title,
            str.capitalize,
            lambda text: f" {text} ",
            lambda text: f"{text} ",
            lambda text: f"\ufeff{text}",
        )
    )
    names = random.choice(([*made.headers], [random.choice([*made.headers])]))
    made.headers |= {name: change(made.headers[name]) for name in names}


def numbered(made: Table, random: Random) -> None:
    """Keep the row numbers of a data frame."""
    made.headers = {"index": random.choice(("", "Unnamed: 0", "index", "序号")), **made.headers}
    for number, row in enumerate(made.rows):
        row.cells["index"] = str(number)


def named(made: Table, random: Random) -> None:
    """Add a column of names."""
    made.headers = made.headers | {NAME: random.choice(("简称", "name", "备注"))}
    for row in made.rows:
        row.cells[NAME] = random.choice(
            ("创业板人工智能ETF", 'AI, "big"', "人工智能", "x;y|z", "", "第一\n第二")
        )


def stripped(made: Table, random: Random) -> None:
    """Lose a column."""
    lost = random.choice([*made.headers])
    made.headers = {name: header for name, header in made.headers.items() if name != lost}
    for row in made.rows:
        row.says |= {lost: []} if lost in row.says else {}


def titled(made: Table, random: Random) -> None:
    """Put a title above."""
    made.above = [
        random.choice(("基金行情", "ETF bars, daily", "数据来源: 某所", "", "# exported 2025-08-20", "sep=,"))
    ]


def summed(made: Table, random: Random) -> None:
    """Put sums, a remark, or the header again below."""
    word = random.choice(("合计", "Total", "总计", "数据来源: 某所", "--", ""))
    sums = [word, *("1000000" for _ in range(len(made.headers) - 1))]
    made.below.append(random.choice((sums, [word], [*made.headers.values()], ["" for _ in made.headers])))


HANDS: tuple[Callable[[Table, Random], None], ...] = (
    *(digit, digit, other_measure, other_columns, dropped, doubled, contradicted, other_fund, mixed, ordered),
    *(dated, dated, coded, comma, comma, grouped, magnitude, blanked, rounded, adorned, full_width, headed),
    *(numbered, named, stripped, titled, summed),
)
