"""Generated tables on disk, so that a second process need not generate them.

One Parquet file a table, in a folder named after the generator's own source, the seed and the effect: a
changed generator never meets an old cache. Whatever goes wrong here, the caller generates again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from data.atomic import whole_file
from data.folders import cache_folder
from data.numeric import arithmetic
from data.store import schema, tables
from data.store.tables import TABLES


def load(key: str, name: str) -> pd.DataFrame | None:
    """Return table ``name`` as it was saved under ``key``, or None if it is absent, damaged or shut."""
    folder = _folder(key)
    if folder is None:
        return None
    path = folder / f"{name}.parquet"
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            frame = pd.read_parquet(file, engine="pyarrow", page_checksum_verification=True)
        if not set(frame.columns) <= set(TABLES[name].names):
            return None  # names stand behind the pages, where no checksum is
        return TABLES[name].validate(frame, str(path))
    except Exception:
        # Damaged Parquet raises whatever the damage leads to; the tables can always be made again.
        return None


def save(key: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Save ``tables`` under ``key``, each file whole or not at all; without a writable folder do nothing."""
    folder = _folder(key)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in tables.items():
            # Pyarrow opens no file whose name is not in UTF-8.
            with whole_file(folder / f"{name}.parquet") as written, written.open("wb") as file:
                frame.to_parquet(file, engine="pyarrow", index=False, write_page_checksum=True)
    except OSError:
        return


def _folder(key: str) -> Path | None:
    root = cache_folder()
    if root is None:
        return None
    return root / f"demo-{version()}-{key}"


@cache
def version() -> str:
    """Return a digest of everything that the tables are made by."""
    here = Path(__file__).parent
    beside = (schema.__file__, tables.__file__, arithmetic.__file__)
    sources = [*sorted(here.glob("*.py")), *map(Path, beside)]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:12]
