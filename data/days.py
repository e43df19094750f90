"""A day as people write it: 2025-08-20, 20250820 or 2025/8/20."""

from __future__ import annotations

import re
from datetime import date

FORMS = "2025-08-20, 20250820 or 2025/8/20"

_WRITTEN = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})|([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})|([0-9]{4})([0-9]{2})([0-9]{2})"
)


def parse_day(text: str) -> date | None:
    """Return the calendar day that ``text`` means; None where it means none."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None
