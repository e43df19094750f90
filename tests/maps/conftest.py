"""A store, and a file that is written and imported into it.

Cells are made up in the form of the vendors; the expected numbers are worked out by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from data.importing import ImportReport, import_files
from data.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    """Write a file and import it: ``take(name, *lines)``."""

    def _take(name: str, *lines: str, named: str | None = None) -> ImportReport:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return import_files([path], store, map_file=named)

    return _take
