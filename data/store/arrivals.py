"""Arrivals: which provider gave which rows, and when.

They are a table beside the data, so that a row has the same bytes whoever gave it. One row of it is a
*run*: rows of one series that follow each other in the table and came together. Where runs overlap, the
later one holds the row that it names: what is on file already ends a run.
"""

from __future__ import annotations

from datetime import datetime

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
    names = list(schema.key[: schema.key.index(day)])
    series = keys[names].agg(" ".join, axis=1) if len(names) > 1 else keys[names[0]]
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
