"""Tables of several segments, without the rows of large ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pandas as pd
import pytest

from data.store import segments

FUNDS = ("159363.SZ", "510300.SH", "515980.SH")
SESSIONS = pd.bdate_range("2025-07-28", "2025-08-15").strftime("%Y-%m-%d").tolist()


@contextmanager
def short_segments(most: int = 6) -> Iterator[None]:
    """Let segments be cut and joined at some rows and days, as those of large tables are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "MOST", most)
        patch.setattr(segments, "RECENT", timedelta(days=3))
        patch.setattr(segments, "FAR", timedelta(days=6))
        patch.setattr(segments, "_BLOCK", 5)
        yield


def bars_of(keys: list[tuple[str, str]]) -> pd.DataFrame:
    """Bars whose close tells fund and day."""
    closes = [1 + FUNDS.index(fund) + SESSIONS.index(day) / 100 for fund, day in keys]
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    frame = pd.DataFrame(keys, columns=["symbol", "day"]).assign(**prices, volume=1e6)
    return frame.assign(amount=frame["close"] * 1e6, source="file")
