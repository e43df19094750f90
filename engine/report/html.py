"""Pages without a template engine: elements as functions, everything escaped, nothing from the network.

A page is a header, sections and one style sheet; ``tag`` makes an element and escapes every child that is
not ``Safe`` already.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from data.atomic import whole_file
from data.synthetic import SYNTHETIC
from data.words import NOT_AVAILABLE


def made_up(said: str = "this market is made up") -> str:
    """Return the banner of a page about a made-up market."""
    return f"{SYNTHETIC}: {said}. Nothing here says anything about a real fund."


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


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    text_columns: int = 1,
    caption: object = None,
    class_: str | None = None,
) -> Safe:
    """Return a table; the first ``text_columns`` columns are text, the others numbers, aligned right."""

    def cells(name: str, values: Sequence[object]) -> Safe:
        return join(
            *(
                value
                if isinstance(value, Safe) and value.startswith(f"<{name}")
                else tag(name, value, class_="text" if index < text_columns else None)
                for index, value in enumerate(values)
            )
        )

    body = join(*(tag("tr", cells("td", row)) for row in rows))
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption) if caption is not None else Safe(""),
            tag("thead", tag("tr", cells("th", head))),
            tag("tbody", body),
        ),
        class_=f"table {class_}" if class_ else "table",
    )


def shaded(value: float | None, text: str, *, full: float, scale: str = "signed") -> Safe:
    """Return a cell of a heat map: coloured by value over ``full``, blank where the value is None or NaN.

    ``scale`` is ``signed`` (gain and loss) or ``plain`` (one colour; below zero that of a loss).
    """
    if value is None or value != value:
        return tag("td", "", class_="blank")
    strength = min(abs(value) / full, 1.0) if full > 0.0 else 0.0
    colour = "loss" if value < 0.0 else "plain" if scale == "plain" else "gain"
    return tag("td", text, style=f"background:rgb(var(--{colour})/{strength * 0.55:.2f})")


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


def write(path: Path, text: str) -> None:
    """Write a page under a temporary name and rename it, so that it is either whole or as it was."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def page(
    title: str, header: Safe, sections: Sequence[tuple[str, str, Safe]], *, banner: str | None = None
) -> str:
    """Return a whole document; ``sections`` are (id, name in the navigation, markup)."""
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    warning = tag("div", banner, class_="banner", role="note") if banner else Safe("")
    links = tag("nav", *(tag("a", name, href=f"#{id_}") for id_, name, _ in sections))
    head = join(
        Safe('<meta charset="utf-8">'),
        Safe('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", title),
        tag("style", Safe(style)),
    )
    body = tag("body", warning, tag("header", header), links, tag("main", *(part for _, _, part in sections)))
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>{body}</html>\n'
