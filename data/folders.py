"""Folders of the user: where etflow keeps what belongs to the user and not to a body of data."""

from __future__ import annotations

import os
from pathlib import Path

STATE_VARIABLE = "ETFLOW_STATE"


def state_folder() -> Path | None:
    """Return the user's state folder, which may not exist yet; None for a user without a home.

    The folder that ETFLOW_STATE names, else ``etflow`` in XDG_STATE_HOME, else ``~/.local/state/etflow``.
    """
    own, general = os.environ.get(STATE_VARIABLE), os.environ.get("XDG_STATE_HOME", "")
    if own:
        return Path(own)
    if os.path.isabs(general):
        return Path(general) / "etflow"
    try:
        return Path.home() / ".local" / "state" / "etflow"
    except RuntimeError:
        return None
