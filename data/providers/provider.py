"""What a provider is: what it is asked for, what it asks its vendor, and what errors mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

import pandas as pd

from data.errors import UsageError
from data.importing import find_map
from data.importing.maps import TableMap

# What an error means: the network or the vendor's server failed; we asked too often; it is how the vendor
# says that there are no rows; anything else, which another try does not mend.
Verdict = Literal["again", "later", "empty", "failed"]


class NoAnswer(Exception):
    """The vendor's library returned nothing where it should have raised: it is asked again."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for, on days that are over; ``now`` is the local time of the market.

    Among ``symbols`` is the market's code (CN, US) where its total is asked for.
    """

    symbols: tuple[str, ...]
    indices: tuple[str, ...]
    start: date
    end: date
    now: datetime

    @property
    def today(self) -> date:
        """The day it is in the market."""
        return self.now.date()


@dataclass(frozen=True)
class Request:
    """One call of a vendor's function, and how its answer is read.

    Attributes
    ----------
    arguments : mapping
        By name, as text.
    parts : tuple of TableMap
        Find rows in the answer; what no column says (a code, a day) they find in ``name``.
    last : date
        Last day that the answer can be about.
    says : mapping
        What every row must say in a column; anything else is an answer to another question.
    prepare : callable, optional
        Makes the cells that ``parts`` read out of those that the vendor gave.
    """

    function: str
    arguments: Mapping[str, str]
    parts: tuple[TableMap, ...]
    last: date
    says: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None

    @property
    def name(self) -> str:
        """The values of the arguments and the function: the name of the answer's file."""
        words = [value for value in self.arguments.values() if value]
        return re.sub(r"[^\w.-]", "_", "-".join([*words, self.function]))

    def __str__(self) -> str:
        return f"{self.function}({', '.join(f'{name}={value}' for name, value in self.arguments.items())})"


@dataclass(frozen=True)
class Piece:
    """Some rows of one table: what they are about, and the requests that can give them, the best first.

    ``series`` are the funds or indices, ``first`` to ``last`` the days that are lost if none of them does.
    """

    about: str
    requests: tuple[Request, ...]
    series: tuple[str, ...]
    first: date
    last: date


class Provider(Protocol):
    """A vendor.

    ``version`` is that of its library, ``market`` the one whose funds it has, ``tables`` what it gives, and
    ``pause`` the seconds between two calls that keep it friendly.
    """

    name: str
    version: str
    market: str
    tables: tuple[str, ...]
    pause: float

    def pieces(self, table: str, wanted: Wanted) -> Iterator[Piece]:
        """Say what to ask for one of ``tables``."""
        ...

    def call(self, request: Request) -> pd.DataFrame | None:
        """Ask the vendor, once, and return what it answers; whatever goes wrong is raised."""
        ...

    def judge(self, error: Exception) -> Verdict:
        """Say what an error of ``call`` means."""
        ...


def parts_of(name: str, table: str) -> tuple[TableMap, ...]:
    """Return what the ready map ``name`` says about ``table``."""
    return tuple(part for part in find_map(name).tables if part.table == table)


def not_installed(library: str, extra: str, error: ImportError) -> UsageError:
    """Return the error for a vendor's library that cannot be imported."""
    return UsageError(
        f"the provider {library} needs the library `{library}`",
        received=str(error),
        hint=f"Install it, in the clone of etflow: pip install -c constraints.txt -e '.[{extra}]'.",
    )
