"""Texts of small files as people have them, and what of them is in a store."""

from __future__ import annotations

from data.store.store import Store

AUGUST_20 = [("159363.SZ", "2025-08-20", 3_970_000_000.0)]

# Two days as TongDaXin exports them, and its header.
TDX = (
    "2025/08/19,0.711,0.719,0.698,0.704,412000000,291500000.00",
    "2025/08/20,0.700,0.731,0.690,0.729,523000000,371800000.00",
)
TDX_HEADER = "日期,开盘,最高,最低,收盘,成交量,成交额"


def csv(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def units(store: Store) -> list[tuple[str, str, float]]:
    frame = store.read("units")
    return list(zip(frame["symbol"], frame["day"].dt.strftime("%Y-%m-%d"), frame["units"], strict=True))
