"""Folders of the user: what belongs to the user and not to a body of data, and what can be had again."""

from __future__ import annotations

import os
from pathlib import Path

STATE_VARIABLE = "ETFLOW_STATE"
CACHE_VARIABLE = "ETFLOW_CACHE"


def state_folder() -> Path | None:
    """Return the user's state folder, which may not exist yet; None for a user without a home.

    The folder that ETFLOW_STATE names, else ``etflow`` in XDG_STATE_HOME, else ``~/.local/state/etflow``.
    """
    return _folder(STATE_VARIABLE, "XDG_STATE_HOME", ".local/state")


def cache_folder() -> Path | None:
    """Return the user's cache folder, which may not exist yet; None for a user without a home.

    The folder that ETFLOW_CACHE names, else ``etflow`` in XDG_CACHE_HOME, else ``~/.cache/etflow``.
    """
    return _folder(CACHE_VARIABLE, "XDG_CACHE_HOME", ".cache")


def _folder(variable: str, general: str, usual: str) -> Path | None:
    own, shared = os.environ.get(variable), os.environ.get(general, "")
    if own:
        return Path(own)
    if os.path.isabs(shared):
        return Path(shared) / "etflow"
    try:
        return Path.home() / usual / "etflow"
    except RuntimeError:
        return None
