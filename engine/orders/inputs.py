"""What a decision was computed from: each fact table that was read, its vintage, and how old its data are.

A datum is *late* where the rules of publication (``data/facts/availability.toml``) say that a newer one is
out before the open, and the data do not have it: a backtest would have decided with it. Bars are late where a
fund that is held or wanted has had none for longer than a halt takes.

Of two markets each has closed once more before the open that both share, perhaps on a day that it had alone;
a market whose bars end before that is *behind*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import DataError
from data.facts.actions import ends_of
from data.facts.availability import Availability
from data.facts.calendars import calendar_for
from data.facts.rules import LONGEST_HALT
from data.facts.symbols import market_of
from data.panel.facts import Grid
from data.panel.grids import waits
from data.panel.panel import Panel
from data.store.tables import FUND_TABLES, TABLES

if TYPE_CHECKING:
    from data.source import DataSource

OF_FUNDS = ("bars", *(each.name for each in FUND_TABLES))
DIGITS = 12


@dataclass(frozen=True)
class Input:
    """A fact table that a decision was computed from.

    ``session`` is that of its newest datum, and ``age`` the sessions from there to the open; ``due`` is the
    age that it has by the rules of publication, None where its rows say themselves when they were known.
    ``vintage`` names the contents of the table in the store, ``came`` and ``provider`` say when its latest
    rows were fetched, and who gave them. ``late`` are funds, or the series, whose datum is older than due,
    with their ages. None: not known.
    """

    table: str
    session: date | None
    age: int | None
    due: int | None
    vintage: str | None
    came: datetime | None
    provider: str | None
    late: tuple[tuple[str, int], ...]

    @property
    def oldest(self) -> int:
        """The age from which on a datum is late: what is due, of bars with the time that a halt may take."""
        return (self.due or 0) + (LONGEST_HALT if self.table == "bars" else 0)

    def __str__(self) -> str:
        named = ", ".join(f"{name} {age}" for name, age in self.late[:3])
        more = f" and {len(self.late) - 3} more" if len(self.late) > 3 else ""
        return f"{self.table} of {named}{more} sessions old"


def inputs_of(
    reads: Collection[str],
    panel: Panel,
    availability: Availability,
    source: DataSource,
    concerned: Collection[str],
) -> tuple[Input, ...]:
    """Return the tables ``reads`` as they are before the last open of ``panel``, in their order.

    They are what was read to decide there (``Signal.reads``). ``concerned`` are the funds that are held or
    wanted.
    """
    return tuple(_inputs(reads, panel, availability, source, concerned))


def _inputs(
    reads: Collection[str],
    panel: Panel,
    availability: Availability,
    source: Any,
    concerned: Collection[str],
) -> Iterator[Input]:
    seals, arrivals = getattr(source, "seals", {}), getattr(source, "arrivals", None)
    came = arrivals() if arrivals else None
    days, row = panel.days, len(panel.days) - 1
    for name in reads:
        table = name.removeprefix("market ")
        if name in OF_FUNDS:
            ages, dues = _of_funds(name, panel, availability, concerned)
        elif name == "index_weights":
            files = panel.ingredients.facts.index_weights
            ages, dues = {each.index: row - each.row for each in files if each.row <= row}, {}
        else:
            ages, dues = _of_series(name, panel, availability)
        if not ages:
            continue
        age, grace = min(ages.values()), LONGEST_HALT if name == "bars" else 0
        of_table = None if came is None else came[came["table"] == table]
        latest = None if of_table is None or of_table.empty else of_table.loc[of_table["came"].idxmax()]
        yield Input(
            name,
            days[row - age].item(),
            age,
            max(dues.values(), default=None),
            seals[table][:DIGITS] if table in seals else None,
            None if latest is None else latest["came"].to_pydatetime(),
            None if latest is None else str(latest["provider"]),
            tuple((each, ages[each]) for each in ages if each in dues and ages[each] > dues[each] + grace),
        )


def _of_funds(
    name: str, panel: Panel, availability: Availability, concerned: Collection[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the age of the newest datum of each fund that trades, and the age that it should have."""
    row, known = len(panel.days) - 1, panel.known
    before: date = panel.days[row - 1].item()
    price = row - known.session_of("price")[row]
    ages = price if name == "bars" else row - known.session_of(name)[row]
    awaited = known.sessions_awaited[row] if name == "units" else np.zeros(len(ages))
    found, due = {}, {}
    for column, symbol in enumerate(panel.symbols):
        if ages[column] > row or not panel.market.tradable[row, column]:
            continue  # it never had one, or cannot be ordered
        if name == "bars":
            found[symbol] = int(ages[column])
            if symbol in concerned:
                due[symbol] = availability.lag(name, symbol, before)
        elif price[column] <= 1 + LONGEST_HALT:
            found[symbol] = int(ages[column])
            wait = waits(name, symbol, panel.markets)
            due[symbol] = availability.lag(name, symbol, before) + wait + int(awaited[column])
    return found, due


def _of_series(name: str, panel: Panel, availability: Availability) -> tuple[dict[str, int], dict[str, int]]:
    """Return the age of the newest datum of the series of a table, and what it should be, under its name."""
    grid: Grid = panel.ingredients.facts.grids[name]
    row, table = len(panel.days) - 1, grid.table
    rows, columns = np.nonzero(np.isfinite(grid.measure) & (grid.usable_from <= row))
    if not len(rows):
        return {}, {}
    newest = int(np.argmax(rows))
    if TABLES[table].good_for or name != table:
        return {name: row - int(rows[newest])}, {}  # monthly, or as it comes
    series = (grid.series or panel.symbols)[int(columns[newest])]
    try:
        due = availability.lag(table, series, panel.days[row - 1].item())
    except DataError:
        return {name: row - int(rows[newest])}, {}
    return {name: row - int(rows[newest])}, {name: due}


@dataclass(frozen=True)
class Behind:
    """A market whose bars end with ``last``, although it closed on ``due`` before the open; None: no bar."""

    market: str
    last: date | None
    due: date

    def __str__(self) -> str:
        return f"{self.market} to {self.last or 'no day'}"


def behind(panel: Panel) -> tuple[Behind, ...]:
    """Return the markets whose bars do not reach their last close before the last open of ``panel``.

    A bar of a fund that was halted counts. A market none of whose funds was listed then has none to wait for.
    A panel of one market goes on from its last session on file, and is not behind.
    """
    day: date = panel.days[-1].item()
    listings = panel.ingredients.listings
    ends = ends_of(listings.delisted, panel.symbols, panel.ingredients.actions)
    found = []
    for market, last in zip(panel.markets, panel.last_bars, strict=True):
        before = calendar_for(market).sessions(day - timedelta(days=31), day - timedelta(days=1))
        due: date = before[-1].item()
        awaited = any(
            market_of(symbol) == market and (first is None or first <= due) and (end is None or due < end)
            for symbol, first, end in zip(panel.symbols, listings.listed, ends, strict=True)
        )
        if awaited and (last is None or last < due):
            found.append(Behind(market, last, due))
    return tuple(found)


def require_closes(found: Collection[Behind], day: date, renewal: str) -> None:
    """Raise DataError where a market is behind; ``day`` is that of the open, ``renewal`` a command."""
    if found:
        raise DataError(
            f"the data do not have the last close before the open of {day}, which both markets share",
            received=" and ".join(map(str, found)),
            limit=" and ".join(f"{each.market} to {each.due}" for each in found),
            hint=f"Bring it once that session is over: `{renewal}`. Or decide without it: --allow-stale.",
        )


def require_fresh(inputs: Collection[Input], last: date, renewal: str) -> None:
    """Raise DataError where a datum is late; ``renewal`` is the command that brings newer ones."""
    late = [each for each in inputs if each.late]
    if late:
        raise DataError(
            "the data are stale: by the rules of publication, newer ones are out before the open",
            received="; ".join(map(str, late)),
            limit=", ".join(f"{each.table} {each.oldest}" for each in late),
            hint=f"Bring what is missing up to {last}: `{renewal}`, in the morning where it is published "
            "then. Or decide without it: --allow-stale.",
        )
