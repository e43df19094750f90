"""Where tables come from: the demo market, or the folder of a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from data.errors import DataError
from data.store.store import MANIFEST, Store
from data.synthetic import SYNTHETIC


class DataSource(Protocol):
    """Where tables come from: a store, or the demo market."""

    name: str
    synthetic: bool
    default_benchmark: str | None

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a table sorted by key, all or those of some symbols; no rows if it has none."""
        ...


def open_source(name: str | Path) -> DataSource:
    """Return the demo market for ``demo``, else the store in that folder; DataError if there is none."""
    if str(name) == "demo":
        from data.demo import Demo

        return Demo()
    folder = Path(name)
    if not (folder / MANIFEST).is_file():
        what = "is no store" if folder.exists() else "does not exist"
        raise DataError(
            f"the data folder `{folder}` {what}",
            hint=f"Make one with `data import FILES --data {folder}`, or use `--data demo`.",
        )
    return Store(folder)


def is_synthetic(source: DataSource) -> bool:
    """Return whether the market is made up: the demo, or a store into which demo bars were written."""
    return source.synthetic or bool(source.read("bars")["source"].str.startswith(SYNTHETIC, na=False).any())
