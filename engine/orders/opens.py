"""The opens that orders are for: of each market by when they are sent, in its own time and in the others'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from data.facts.availability import Availability
from data.facts.symbols import CURRENCIES, ZONES, market_of, markets_of
from data.panel.panel import Panel


@dataclass(frozen=True)
class Open:
    """The next open of a market.

    ``rate`` is what its ``currency`` is worth in that of the account, as it was public before the decision.
    ``send_before`` are moments as ``2025-10-09 09:15`` by time zone, that of the market first.
    """

    market: str
    currency: str
    rate: float
    send_before: Mapping[str, str]

    @property
    def told(self) -> str:
        """By when its orders are sent, in words."""
        (zone, there), *others = self.send_before.items()
        elsewhere = "".join(f" ({moment} {other})" for other, moment in others)
        return f"{there} {zone}{elsewhere}"


def opens_of(panel: Panel, availability: Availability) -> tuple[Open, ...]:
    """Return the opens of the last session of ``panel``, in the order in which they come."""
    day: date = panel.days[-1].item()
    worth = panel.market.known_money[-1].tolist()
    markets = markets_of(panel.symbols)
    found = []
    for market in markets:
        here = ZoneInfo(ZONES[market])
        moment = datetime.combine(day, time.fromisoformat(availability.cutoff(market)), here)
        zones = [ZONES[market], *(ZONES[each] for each in markets if each != market)]
        found.append(
            Open(
                market,
                CURRENCIES[market],
                next(
                    rate
                    for symbol, rate in zip(panel.symbols, worth, strict=True)
                    if market_of(symbol) == market
                ),
                {zone: f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for zone in zones},
            )
        )
    return tuple(found)
