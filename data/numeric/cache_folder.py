"""Where what can be had again is kept: the folder that ETFLOW_CACHE names, else the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "ETFLOW_CACHE"


def cache_folder() -> Path | None:
    """Return the folder, which may not exist yet; None for a user without a home."""
    own, general = os.environ.get(VARIABLE), os.environ.get("XDG_CACHE_HOME", "")
    if own:
        return Path(own)
    if os.path.isabs(general):
        return Path(general) / "etflow"
    try:
        return Path.home() / ".cache" / "etflow"
    except RuntimeError:
        return None
