"""Pages as tests look at them: elements, rows of tables, what is not a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """A page as a list of elements and of rows of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))
        if name == "tr":
            self.rows.append([])
        if name in ("td", "th"):
            self.rows[-1].append("")
        if name not in ("meta",):
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name, f"</{name}> closes another element"

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))

    def handle_data(self, text: str) -> None:
        if {"td", "th"} & set(self.open) and self.rows:
            self.rows[-1][-1] += text

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if attributes.get("id")]


def without_scripts(text: str) -> str:
    return re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
