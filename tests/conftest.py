"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


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
