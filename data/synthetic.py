"""What comes from a made-up market says so: the word, the sentence, and documents that carry it.

Which data are made up their source knows (``data.source.DataSource.synthetic``).
"""

from __future__ import annotations

# How the source of every demo row begins; it stays with the row in whatever store that lands.
SYNTHETIC = "SYNTHETIC"
SYNTHETIC_NOTICE = f"{SYNTHETIC}: made from a made-up market, not from real prices"


def notice_of(synthetic: bool) -> dict[str, str]:
    """Return what a document about such data has on top of the rest: a ``notice``, or nothing."""
    return {"notice": SYNTHETIC_NOTICE} if synthetic else {}


def marked(name: str, synthetic: bool) -> str:
    """Return the name of data, with the word behind it if they are made up."""
    return f"{name} ({SYNTHETIC})" if synthetic else name
