"""What a store has after an import, and rows that many files have in the form of their vendor."""

from __future__ import annotations

import pandas as pd

from data.store.store import Store

BAR = {
    "symbol": "159363.SZ",
    "day": "2025-08-20",
    "open": 0.7,
    "high": 0.731,
    "low": 0.69,
    "close": 0.729,
    "volume": 523_000_000.0,
    "amount": 371_800_000.0,
}
INDEX_BAR = {"day": "2025-08-20", "open": 4200.0, "high": 4270.0, "low": 4190.0, "close": 4263.62}
UNITS = {"symbol": "159363.SZ", "day": "2025-08-20", "units": 3_970_000_000.0}


def rows(store: Store, table: str) -> list[dict[str, object]]:
    """The rows of a table as far as they are filled in, days as text."""
    frame = store.read(table)
    for name in frame.columns:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            frame[name] = frame[name].dt.strftime("%Y-%m-%d").astype("str")
    return [{key: value for key, value in row.items() if pd.notna(value)} for row in frame.to_dict("records")]
