"""Arrivals: which provider gave which rows, and when.

They are a table beside the data, so that a row has the same bytes whoever gave it. One row of it is a
*run*: rows of one series that follow each other in the table and came together. Where runs overlap, the
later one holds the row that it names: what is on file already ends a run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.store.schema import Column, Table
from data.store.spans import day_of

# Who gave rows that no provider gave.
IMPORTED = "import"

ARRIVALS = Table(
    "arrivals",
    ("came", "table", "series", "first"),
    (
        Column("came", "time"),
        Column("table", "text"),
        Column("series", "text"),
        Column("first", "day"),
        Column("last", "day"),
        Column("rows"),
        Column("provider", "text"),
    ),
)


def arrivals_of(
    schema: Table, rows: pd.DataFrame, came: NDArray[np.bool_], providers: pd.DataFrame, at: datetime
) -> pd.DataFrame:
    """Return the runs of the rows marked in ``came``, (N,); no runs for a table without days.

    ``rows`` is the table sorted by key, ``providers`` the key of each row that came and, as ``provider``, who
    gave it, ``at`` the time of the fetch in UTC.
    """
    day, places = day_of(schema), np.flatnonzero(came)
    if not day or not len(places):
        return ARRIVALS.empty()
    keys = rows.loc[came, list(schema.key)].merge(providers, how="left", on=list(schema.key))
    series = _series(schema, keys)
    provider = keys["provider"].fillna(IMPORTED)
    begins = (
        (np.diff(places, prepend=-2) != 1)
        | (series != series.shift()).to_numpy()
        | (provider != provider.shift()).to_numpy()
    )
    frame = pd.DataFrame({"series": series, "day": keys[day], "provider": provider})
    runs = frame.groupby(begins.cumsum(), sort=True).agg(
        series=("series", "first"),
        first=("day", "min"),
        last=("day", "max"),
        rows=("day", "size"),
        provider=("provider", "first"),
    )
    runs = runs.assign(came=pd.Timestamp(at), table=schema.name)
    return runs[list(ARRIVALS.names)].astype(ARRIVALS.types).reset_index(drop=True)


def arrivals_without(
    schema: Table, arrivals: pd.DataFrame, gone: pd.DataFrame, kept: pd.DataFrame
) -> pd.DataFrame:
    """Return the runs that are left when rows go: one that has some of them becomes the runs of its others.

    ``gone`` are the keys of the rows that go, ``kept`` those that their series keep.
    """
    day = day_of(schema)
    if not day or gone.empty or not (arrivals["table"] == schema.name).any():
        return arrivals
    rows = pd.concat([gone.assign(gone=True), kept.assign(gone=False)])
    rows = rows.sort_values(list(schema.key), kind="stable")
    rows = pd.DataFrame({"series": _series(schema, rows), "day": rows[day], "gone": rows["gone"]})
    of_series = {
        name: (each["day"].to_numpy(), each["gone"].to_numpy(), np.zeros(len(each), dtype=bool))
        for name, each in rows.groupby("series")
    }
    concerned = (arrivals["table"] == schema.name) & arrivals["series"].isin([*of_series])
    series, first, last = (arrivals[name].to_numpy() for name in ("series", "first", "last"))
    pieces, cut = list[tuple[int, Any, Any, int]](), list[int]()
    # Of runs that overlap, the later one holds the row: so they are gone through from the last one on.
    for place in np.flatnonzero(concerned)[::-1].tolist():
        days, leave, held = of_series[series[place]]
        span = slice(np.searchsorted(days, first[place]), np.searchsorted(days, last[place], "right"))
        mine = ~held[span]
        held[span] = True
        if (mine & leave[span]).any():
            cut.append(place)
            ends = np.flatnonzero(np.diff(mine & ~leave[span], prepend=False, append=False))
            for begin, end in ends.reshape(-1, 2).tolist():
                pieces.append((place, days[span][begin], days[span][end - 1], end - begin))
    left = arrivals.drop(index=arrivals.index[cut])
    if pieces:
        places, *changed = zip(*pieces, strict=True)
        runs = arrivals.iloc[[*places]].assign(**dict(zip(("first", "last", "rows"), changed, strict=True)))
        left = pd.concat([left, runs.astype(ARRIVALS.types)])
    return left.sort_index(kind="stable").reset_index(drop=True)


def _series(schema: Table, keys: pd.DataFrame) -> pd.Series:
    """Return what names the series of each row: the columns of the key before the day."""
    names = list(schema.key[: schema.key.index(day_of(schema))])
    return keys[names].agg(" ".join, axis=1) if len(names) > 1 else keys[names[0]]
