"""Where tables come from: the demo market, or the folder of a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from data.errors import DataError
from data.store.store import MANIFEST, Store


class DataSource(Protocol):
    """Where tables come from: a store, or the demo market."""

    name: str
    default_benchmark: str | None

    @property
    def synthetic(self) -> bool:
        """Whether the market is made up, or rows of a made-up one were written into it."""
        ...

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
        what = "is not a store" if folder.exists() else "does not exist"
        raise DataError(
            f"the data folder `{folder}` {what}",
            hint=f"Make one with `data import FILES --data {folder}`, or use `--data demo`.",
        )
    return Store(folder)
