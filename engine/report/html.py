"""Pages without a template engine: elements as functions, everything escaped, nothing from the network.

A page is a header, sections and one style sheet; ``tag`` makes an element and escapes every child that is
not ``Safe`` already.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from data.atomic import whole_file
from data.synthetic import SYNTHETIC
from data.words import NOT_AVAILABLE


def made_up(said: str = "this market is made up") -> str:
    """Return the banner of a page about a made-up market."""
    return f"{SYNTHETIC}: {said}. Nothing here says anything about a real fund."


DAY = re.compile(r"(?<![-\w])\d{4}-\d\d-\d\d(?![-\w])")


class Safe(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


def escape(value: object) -> Safe:
    """Return a value as markup; ``Safe`` passes, None is "n/a", everything else is escaped."""
    if isinstance(value, Safe):
        return value
    return Safe(html.escape(NOT_AVAILABLE if value is None else str(value)))


def join(*parts: object) -> Safe:
    """Return all parts as markup, one after the other."""
    return Safe("".join(escape(part) for part in parts))


def tag(name: str, *children: object, **attributes: object) -> Safe:
    """Return an element; ``class_`` is its class; attributes that are None are left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Safe(f"<{name}{written}>{join(*children)}</{name}>")


def unbroken(text: object) -> Safe:
    """Return text as markup in which days stay whole where a narrow screen breaks its lines; Safe passes."""
    if isinstance(text, Safe):
        return text
    return Safe(DAY.sub(r'<span class="day">\g<0></span>', escape(text)))


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    text_columns: int = 1,
    caption: object = None,
    class_: str | None = None,
    sort: bool = False,
) -> Safe:
    """Return a table; the first ``text_columns`` columns are text, the others numbers, aligned right.

    With ``sort`` a reader can sort it by a column; rows of ``total`` stay at the end.
    """

    def cells(name: str, values: Sequence[object]) -> Safe:
        return join(
            *(
                value
                if isinstance(value, Safe) and value.startswith(f"<{name}")
                else tag(name, unbroken(value), class_="text")
                if index < text_columns
                else tag(name, value)
                for index, value in enumerate(values)
            )
        )

    body = join(
        *(
            row if isinstance(row, Safe) and row.startswith("<tr") else tag("tr", cells("td", row))
            for row in rows
        )
    )
    classes = " ".join(filter(None, ("table", "sort" if sort else None, class_)))
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption) if caption is not None else Safe(""),
            tag("thead", tag("tr", cells("th", head))),
            tag("tbody", body),
        ),
        class_=classes,
    )


def total(*cells: object) -> Safe:
    """Return the row of a total, which stays at the end of its table; cells as the table has them."""
    return tag(
        "tr",
        *(tag("td", each, class_=None if place else "text") for place, each in enumerate(cells)),
        class_="total",
    )


def coded(symbol: str, name: str) -> Safe:
    """Return the cell of a fund: its code, and its name where it has one."""
    return tag("td", symbol, tag("small", name) if name else Safe(""), class_="text")


def heading(kind: str, title: object, *below: object, word: str = "", said: object = "") -> Safe:
    """Return how every page begins: what it is, its title, the verdict in one word with what it is of."""
    return join(
        tag("p", kind, class_="kind"),
        tag("h1", title),
        tag("p", tag("b", word, class_=f"word {word.replace(' ', '-')}"), " ", said, class_="judged")
        if word
        else Safe(""),
        *below,
    )


def subtitle(*facts: object) -> Safe:
    """Return the line below a title: the period first, the data last; what is empty is left out."""
    return tag("p", unbroken(" · ".join(str(each) for each in facts if each)), class_="subtitle")


def shaded(value: float | None, text: str, *, full: float, scale: str = "signed") -> Safe:
    """Return a cell of a heat map: coloured by value over ``full``, blank where the value is None or NaN.

    ``scale`` is ``signed`` (gain and loss) or ``plain`` (one colour; below zero that of a loss).
    """
    if value is None or value != value:
        return tag("td", "", class_="blank")
    strength = min(abs(value) / full, 1.0) if full > 0.0 else 0.0
    colour = "loss" if value < 0.0 else "plain" if scale == "plain" else "gain"
    return tag("td", text, style=f"background:rgb(var(--{colour})/{strength * 0.55:.2f})")


def cards(shown: Iterable[tuple[object, object, object]]) -> Safe:
    """Return the numbers that a page begins with, each as (name, value, what else to know)."""
    each = (
        tag("div", tag("span", name), tag("b", value), tag("small", more), class_="card")
        for name, value, more in shown
    )
    return tag("div", *each, class_="cards")


def section(title: str, *children: object, id_: str, lead: object = None) -> Safe:
    """Return a section with a heading that can be linked to, and a sentence about it."""
    intro = tag("p", lead, class_="lead") if lead is not None else Safe("")
    return tag("section", tag("h2", title), intro, *children, id=id_)


def figure(picture: Safe, caption: object, *, wide: bool) -> Safe:
    """Return a picture with its caption; wide ones take a row, others half of it."""
    return tag(
        "figure",
        tag("div", picture, class_="picture"),
        tag("figcaption", caption) if caption else Safe(""),
        class_="wide" if wide else "half",
    )


def json_block(data: Any, id_: str) -> Safe:
    """Return data as a JSON element; nothing in it can end the element or begin another."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Safe(f'<script type="application/json" id="{id_}">{text}</script>')


def write(path: Path, text: str) -> None:
    """Write a page under a temporary name and rename it, so that it is either whole or as it was."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def page(
    title: str,
    header: Safe,
    sections: Sequence[tuple[str, str, Safe]],
    *,
    banner: str | None = None,
    scripts: Safe | None = None,
) -> str:
    """Return a whole document; ``sections`` are (id, name in the navigation, markup).

    ``scripts`` are what brings the page to life, if anything but its tables.
    """
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    tables = Path(__file__).with_name("tables.js").read_text(encoding="utf-8")
    warning = tag("div", banner, class_="banner", role="note") if banner else Safe("")
    links = tag("nav", *(tag("a", name, href=f"#{id_}") for id_, name, _ in sections))
    head = join(
        Safe('<meta charset="utf-8">'),
        Safe('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", title),
        tag("style", Safe(style)),
    )
    body = tag(
        "body",
        warning,
        tag("header", header),
        links,
        tag("main", *(part for _, _, part in sections)),
        Safe(f"<script>{tables}</script>"),
        scripts or Safe(""),
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>{body}</html>\n'
