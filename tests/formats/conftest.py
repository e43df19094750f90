"""An empty store, and a file imported into it."""

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
    """Write a file and import it: ``take(name, content, map=toml, named="map")``."""

    def _take(name: str, content: str | bytes, map: str = "", named: str | None = None) -> ImportReport:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if map:
            (tmp_path / "my.toml").write_text(map, encoding="utf-8")
        return import_files([path], store, map_file=tmp_path / "my.toml" if map else named)

    return _take
