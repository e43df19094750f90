"""Columns of a table as arrays: what a panel is made of, without frames and without texts.

A store has them without reading of which series each row is, which its footers say (``data.store.files``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.store.schema import Table
from data.store.spans import Readable
from data.store.tables import table


class Columns(NamedTuple):
    """The columns of some rows that hold no texts; ``codes`` says of which of ``series`` each row is."""

    series: Sequence[str]
    codes: NDArray[np.intp]
    arrays: Mapping[str, NDArray[Any]]


def columns_of(source: Readable, name: str, parts: Iterable[Sequence[str]]) -> Iterator[Columns]:
    """Yield the columns of a table, some series after the others; a source without any is read for them."""
    own: Any = getattr(source, "columns", None)
    columns: Iterator[Columns] = read_columns(source, name, parts) if own is None else own(name, parts)
    return columns


def read_columns(source: Readable, name: str, parts: Iterable[Sequence[str]]) -> Iterator[Columns]:
    """Yield the columns of what is read of a table, some series after the others."""
    return (columns_in(table(name), source.read(name, series)) for series in parts)


def columns_in(schema: Table, frame: pd.DataFrame) -> Columns:
    """Return the columns of a frame."""
    codes, series = pd.factorize(frame[schema.key[0]])
    return Columns(list(series), codes, {name: frame[name].to_numpy() for name in without_texts(schema)})


def without_texts(schema: Table) -> list[str]:
    """Return the names of the columns that hold no texts."""
    return [column.name for column in schema.columns if column.kind != "text"]
