"""Checks against the calendar and a fund's life: rows without a session, sessions without a row, weeks."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import DATED, frequency, grouped, worst
from data.facts.calendars import COMMAND
from data.facts.rules import LONGEST_HALT
from data.facts.symbols import MARKET_CODES
from data.store.tables import FACT_TABLES, TABLES
from data.words import count

# Fewer rows than these say nothing about how often a series is published.
_FEWEST_ROWS = 10
_HALTED_PART = 0.02
# Bars of so few sessions are those of something else than a fund that trades.
_MISSING_PART = 0.5


def phantom_session(data: Inputs) -> Iterator[Finding]:
    """Find rows on days on which the exchange was closed, weekends and holidays.

    1. Each row of each dated table is held against the recorded sessions of its market.
    2. The finding says how many of them fall on weekends, and how many copy the row beside them.
    3. A bar is an error, for nothing traded; in other tables the row is a warning, and is not used. The
       margin of a whole market may be dated with the end of a month, and counts from the session before.
    """
    for table, key in DATED.items():
        if TABLES[table].own_days:
            continue
        frame = data.tables[table]
        wrong = ~data.is_session(table) & ~data.is_beyond(table)
        if TABLES[table].markets is not None:
            wrong &= ~frame[key].isin([*MARKET_CODES]).to_numpy()
        if not wrong.any():
            continue
        for series, rows in grouped(frame.assign(copy=_copies(frame, key))[wrong], key):
            weekend = int((rows["day"].dt.day_of_week >= 5).sum())
            yield Finding.on(
                "phantom-session",
                "error" if table == "bars" else "warning",
                table,
                str(series),
                rows["day"],
                f"{count(len(rows), 'row')} on days without a session, {weekend} on weekends, "
                f"{int(rows['copy'].sum())} equal to the row beside it",
                "Take them out: etflow data remove, with their file or their days. "
                f"If the exchange was open, import its notice of closed days: {COMMAND}.",
            )


def beyond_calendar(data: Inputs) -> Iterator[Finding]:
    """Find rows on days after the last for which the sessions of their market are known.

    Whether the exchange was open on them cannot be told: bars are an error, so that nothing runs over them;
    in other tables they are a warning, and are not used.
    """
    for table, key in DATED.items():
        frame = data.tables[table]
        late = data.is_beyond(table)
        if not late.any():
            continue
        for series, rows in grouped(frame[late], key):
            yield Finding.on(
                "beyond-calendar",
                "error" if table == "bars" else "warning",
                table,
                str(series),
                rows["day"],
                f"{count(len(rows), 'row')} on days for which it is not known yet "
                "whether the exchange was open",
                f"Import the exchange's notice of closed days: {COMMAND}. Or end earlier.",
            )


def missing_session(data: Inputs) -> Iterator[Finding]:
    """Find sessions without a row, in tables that should have one (``Table.rows_on``).

    1. Of bars, NAV and index levels on each session from the first to the last of a series. Halts are
       legitimate and few, so the count is what tells: of bars no more than ten sessions in a row, and no more
       than 2 % of all, are a note; more than half of all are an error. Units have `units-gap`, margin
       `margin-gap`.
    2. Of what comes with trading wherever the fund has a bar with volume, from its first row on.
    """
    for table in FACT_TABLES:
        if table.rows_on == "sessions":
            yield from _between_rows(data, table.name)
        elif table.rows_on == "bars":
            yield from _beside_bars(data, table.name)


def _between_rows(data: Inputs, table: str) -> Iterator[Finding]:
    steps, key = data.steps(table), DATED[table]
    for series, rows in grouped(steps[(steps["skipped"] > 0) & ~_seldom(steps, key)], key):
        missing, longest = int(rows["skipped"].sum()), worst(rows, "skipped")
        part = missing / (missing + len(data.rows_of(table, str(series))))
        halts = table == "bars" and longest.skipped <= LONGEST_HALT and part <= _HALTED_PART
        yield Finding(
            "missing-session",
            "note" if halts else "error" if table == "bars" and part > _MISSING_PART else "warning",
            table,
            str(series),
            rows["before_day"].min().date(),
            rows["day"].max().date(),
            missing,
            f"{count(missing, 'session')} without a row, {part:.1%}, at "
            f"most {longest.skipped} in a row after {longest.before_day:%Y-%m-%d}",
            "A day or two may be a halt, on which nothing trades. For more, import a fuller source.",
        )


def _beside_bars(data: Inputs, table: str) -> Iterator[Finding]:
    bars, rows = data.tables["bars"], data.tables[table][["symbol", "day"]]
    if rows.empty:
        return
    first = bars["symbol"].map(rows.groupby("symbol")["day"].min())
    traded = bars.loc[(bars["volume"] > 0) & (bars["day"] >= first), ["symbol", "day"]]
    lacking = traded.merge(rows, how="left", indicator=True)["_merge"].to_numpy() == "left_only"
    counts = traded.groupby("symbol").size()
    for symbol, missing in grouped(traded[lacking], "symbol"):
        yield Finding.on(
            "missing-session",
            "warning",
            table,
            str(symbol),
            missing["day"],
            f"{count(len(missing), 'session')} with a bar and without a row, "
            f"{len(missing) / counts[symbol]:.1%}",
            "A value is known for some sessions and then unknown. Import a fuller source.",
        )


def not_daily(data: Inputs) -> Iterator[Finding]:
    """Find series of bars, NAV or index levels that are weekly, monthly or sparser than every session.

    1. Most of ten or more rows skip sessions.
    2. Bars are an error: on the sessions between nothing trades, and windows count sessions.
    """
    for table in (each.name for each in FACT_TABLES if each.rows_on == "sessions"):
        steps, key = data.steps(table), DATED[table]
        for series, rows in grouped(steps[_seldom(steps, key)], key):
            yield Finding.on(
                "not-daily",
                "error" if table == "bars" else "warning",
                table,
                str(series),
                rows["day"],
                f"rows are {frequency(rows)}, {len(rows)} in all",
                "Import daily rows. Everything here counts in sessions.",
            )


def _seldom(steps: pd.DataFrame, key: str) -> pd.Series:
    """Return which rows belong to a series that skips sessions in most of its rows."""
    skipping = steps["skipped"] > 0
    if not skipping.any():
        return skipping
    skips = skipping.groupby(steps[key])
    return (skips.transform("sum") > (skips.transform("size") - 1) / 2) & (
        skips.transform("size") >= _FEWEST_ROWS
    )


def outside_listing(data: Inputs) -> Iterator[Finding]:
    """Find bars from before a fund was listed, or from after its listing ended."""
    for symbol in data.tables["bars"]["symbol"].unique():
        days, fund = data.rows_of("bars", symbol)["day"], data.funds[symbol]
        if fund.listed is not None:
            early = days[days < pd.Timestamp(fund.listed)]
            yield from _outside(symbol, early, f"before the fund was listed on {fund.listed}")
        if symbol in data.ends:
            late = days[days >= pd.Timestamp(data.ends[symbol])]
            yield from _outside(symbol, late, f"after its listing ended on {data.ends[symbol]}")


def _outside(symbol: str, days: pd.Series, when: str) -> Iterator[Finding]:
    if len(days):
        yield Finding.on(
            "outside-listing",
            "warning",
            "bars",
            symbol,
            days,
            f"{count(len(days), 'bar')} from {when}",
            "They are not traded. If the day is wrong, say the right one in the table `funds`.",
        )


def _copies(frame: pd.DataFrame, key: str) -> pd.Series:
    """Return which rows equal, in all their values, the row before or after in their series."""
    values = [name for name in frame if name not in (key, "day", "source", "known_at")]
    copies = pd.Series(False, index=frame.index)
    for rows in (1, -1):
        beside = frame.shift(rows)
        same = (frame[values] == beside[values]) | (frame[values].isna() & beside[values].isna())
        copies |= same.all(axis=1) & (frame[key] == beside[key])
    return copies
