"""A sheet: one table of a file as it stands, before anybody knows what its columns mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from data.importing.headers import Headers
from data.store.cells import UNSEEN

# A cell that was written so that a spreadsheet keeps it as text: ="159363".
FORMULA = r'^="(.*)"$'
# What pandas calls a column whose name is empty.
_NAMELESS = re.compile(r"Unnamed: \d+")


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table of a file.

    ``cells`` has a column for each name in the header (empty for a column without one) and rows counted from
    0, ``stem`` is the name of the file without its ending, and of the sheet in a workbook: a code or a day
    may stand there. ``origin`` is how errors name it, ``title`` what stands above the header, ``separator``
    what separates the cells of a text file.
    """

    cells: pd.DataFrame
    stem: str
    origin: str
    title: str = ""
    separator: str = ""

    @cached_property
    def headers(self) -> Headers:
        """The names under which its columns can be found."""
        return Headers(self.cells.columns)


@dataclass(frozen=True)
class Given:
    """What a map says about how a file is read; the rest is found out."""

    header: Sequence[str] | None = None
    separator: str | None = None
    encoding: str | None = None
    rows: str | None = None


GUESSED = Given()


def clean(cell: object) -> str:
    """Return a name or a cell without marks, odd spaces, a spreadsheet's guard and pandas' name for none."""
    text = str(cell).translate(UNSEEN).replace("\xa0", " ").replace("\u3000", " ").strip()
    text = re.sub(FORMULA, r"\1", text)
    return "" if _NAMELESS.fullmatch(text) else text
