"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the caches of tests, and of the commands that they run, out of the user's folders."""
    os.environ["ETFLOW_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real market data, or skip the test where there is none."""
    folder = ROOT.parent / "shared" / "market-data"
    if not folder.is_dir():
        pytest.skip("real market data are not here")
    return folder
