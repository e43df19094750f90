"""Which version of this program runs, and the name by which pip knows it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "etfrotor"
UNKNOWN = "source"


@cache
def version() -> str:
    """Return the version that is installed; else what ``pyproject.toml`` beside it says, or UNKNOWN."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        recipe = Path(__file__).parents[1] / "pyproject.toml"
    try:
        return str(tomllib.loads(recipe.read_text(encoding="utf-8"))["project"]["version"])
    except OSError:
        return UNKNOWN
