"""Merging new rows with those on file: what is new, what fills a gap, and what would change the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError
from data.store.rounding import grains, settle
from data.store.schema import Column, Table

# Numbers closer than this are one number that two programs scaled in two ways, not a revision.
SAME_NUMBER = 1e-12
# Where a row comes from is no fact about the market: it is kept as first seen and never compared.
NOT_COMPARED = ("source",)
SHOWN = 3

REVISIONS = Table(
    "revisions",
    ("table", "key", "column", "replaced"),
    (
        Column("table", "text"),
        Column("key", "text"),
        Column("column", "text"),
        Column("old", "text"),
        Column("new", "text"),
        Column("replaced", "day"),
    ),
)

_NOTHING = pd.DataFrame(columns=["key", "column", "old", "new"], dtype="str")


@dataclass(frozen=True)
class Change:
    """What an append does to one table, counted in rows.

    ``present`` counts the rows whose key was on file; of these, ``completed`` had a missing value filled in,
    or a rounded one by one with more digits, and ``revised`` had a value changed. ``revisions`` lists the
    values changed: key, column, old, new. ``differing`` rows stayed as they are, because another source says
    otherwise; ``came`` marks the rows of the new table that are new or altered, (N,).
    """

    table: str
    added: int
    present: int
    completed: int
    revised: int
    revisions: pd.DataFrame
    differing: int
    came: NDArray[np.bool_]

    @property
    def alters(self) -> bool:
        """Whether the table on file becomes another one."""
        return bool(self.added or self.completed or self.revised)


def added(schema: Table, rows: int) -> Change:
    """Return what happens to a table when so many rows come to none."""
    return Change(schema.name, rows, 0, 0, 0, _NOTHING.copy(), 0, np.ones(rows, dtype=bool))


def differ(old: pd.Series, new: pd.Series) -> pd.Series:
    """Which values are there on both sides and are not the same; the indices must be equal."""
    both = old.notna() & new.notna()
    if pd.api.types.is_float_dtype(old):
        return both & ~pd.Series(np.isclose(new, old, rtol=SAME_NUMBER, atol=0.0), index=old.index)
    return both & (old != new)


def merge(
    schema: Table,
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    each_source: bool = False,
    all_old: Callable[[str], pd.DataFrame] | None = None,
    all_new: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, Change]:
    """Return the rows of both frames sorted by key, new values winning, and what changed.

    Both frames must have passed ``Table.validate``. Where a new value is missing, the old one stays; with
    ``each_source`` also where the row on file came from another source, which may count otherwise. Two values
    that are one up to rounding (``data.store.rounding``) do not differ: the finer one is kept, save in a row
    of another source. A later ``known_at`` of a row that says nothing else that is new is no difference: what
    is announced again was known the first time. An earlier one is a revision.
    Where both frames are parts, ``all_old`` returns a column of the whole table, with ``source``, and
    ``all_new`` has all rows that come: what a source rounds to shows in all of its numbers.
    """
    keys = list(schema.key)
    if old.empty:
        return new, added(schema, len(new))
    rows = new[keys].merge(old[keys].assign(at=np.arange(len(old))), how="left", on=keys)["at"]
    known = rows.notna().to_numpy()
    at = rows[known].to_numpy(dtype=np.int64)
    there, here = old.iloc[at].reset_index(drop=True), new[known].reset_index(drop=True)

    result = old.copy()
    gained, completed, revised, differing = (np.zeros(len(at), dtype=bool) for _ in range(4))
    foreign = np.full(len(at), each_source) & (there["source"] != here["source"]).to_numpy(dtype=bool)
    listed: list[pd.DataFrame] = []
    for name in [name for name in schema.names if name not in (*keys, *NOT_COMPARED)]:
        changed = differ(there[name], here[name]).to_numpy()
        filled = (there[name].isna() & here[name].notna()).to_numpy()
        gained |= filled
        if changed.any() and pd.api.types.is_float_dtype(old[name]):
            same, finer = settle(
                there[name].to_numpy(),
                here[name].to_numpy(),
                grains(there[name], there["source"], name, all_old(name) if all_old else old),
                grains(here[name], here["source"], name, new if all_new is None else all_new),
            )
            ours = changed & same & ~foreign
            here[name] = here[name].mask(ours, finer)
            filled = filled | (ours & (finer != there[name].to_numpy()))
            changed = changed & ~same
        if name == "known_at":
            again = ~(gained | revised | differing) & (here[name] > there[name]).to_numpy()
            changed = changed & ~again
        differing |= changed & foreign
        changed = changed & ~foreign
        taken = changed | filled
        if not taken.any():
            continue
        values = old[name].copy()
        values.iloc[at[taken]] = here.loc[taken, name].to_numpy()
        result[name] = values
        completed |= filled
        revised |= changed
        listed.append(_listed(there[changed], here[changed], keys, name))

    fresh = new[~known]
    came = np.zeros(len(old), dtype=bool)
    came[at] = completed | revised
    if len(fresh):
        result = (
            pd.concat([result, fresh], ignore_index=True) if len(result) else fresh.reset_index(drop=True)
        )
        came = np.concatenate([came, np.ones(len(fresh), dtype=bool)])
        order = result[keys].sort_values(keys, kind="stable").index.to_numpy()
        result, came = result.take(order).reset_index(drop=True), came[order]
    change = Change(
        table=schema.name,
        added=len(fresh),
        present=len(at),
        completed=int((completed & ~revised).sum()),
        revised=int(revised.sum()),
        revisions=_in_order(listed),
        differing=int(differing.sum()),
        came=came,
    )
    return result, change


def together(changes: Sequence[Change]) -> Change:
    """Return the changes of parts of one table, which have no key in common, as one."""
    if len(changes) == 1:
        return changes[0]
    counts = ("added", "present", "completed", "revised", "differing")
    return Change(
        table=changes[0].table,
        revisions=_in_order([each.revisions for each in changes]),
        came=np.concatenate([each.came for each in changes]),
        **{name: sum(getattr(each, name) for each in changes) for name in counts},
    )


def _in_order(revisions: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([_NOTHING, *revisions]).sort_values(["key", "column"], ignore_index=True)


def refuse(changes: Sequence[Change]) -> None:
    """Raise DataError if any of the changes revises the past, naming the first few old and new values."""
    revising = [change for change in changes if change.revised]
    if not revising:
        return
    shown = [
        f"`{change.table}` {row.key} {row.column} {row.old} -> {row.new}"
        for change in revising
        for row in change.revisions.head(SHOWN).itertuples()
    ]
    count = sum(change.revised for change in revising)
    values = sum(len(change.revisions) for change in revising)
    more = f", and {values - SHOWN} more values" if values > SHOWN else ""
    raise DataError(
        f"{count} {'row' if count == 1 else 'rows'} would change the past",
        received=", ".join(shown[:SHOWN]) + more,
        limit="rows on file never change",
        hint="Compare days first: values of the session before or after are dated a day off, and their file "
        "needs a map that says so (`dated`). If the new values are right, --accept-revision takes them and "
        "keeps the old ones with their date; if those on file came from a bad file, `data remove` takes that "
        "out; if the new ones come from another vendor, import them into another store.",
    )


def revisions_of(changes: Sequence[Change], on: date) -> pd.DataFrame:
    """Return the values that the changes replaced, as rows of the table ``revisions``."""
    listed = [
        change.revisions.assign(table=change.table, replaced=pd.Timestamp(on))
        for change in changes
        if change.revised
    ]
    if not listed:
        return REVISIONS.empty()
    rows = pd.concat(listed, ignore_index=True)[list(REVISIONS.names)]
    return rows.astype(REVISIONS.types)


def _listed(old: pd.DataFrame, new: pd.DataFrame, keys: list[str], column: str) -> pd.DataFrame:
    named = [" ".join(written(value) for value in row) for row in old[keys].itertuples(index=False)]
    values = {
        "key": named,
        "column": column,
        "old": [written(value) for value in old[column]],
        "new": [written(value) for value in new[column]],
    }
    return pd.DataFrame(values, index=range(len(named)), dtype="str")


def written(value: object) -> str:
    """Write a value so that it reads back exactly."""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M:%S}"
    return repr(float(value)) if isinstance(value, float) else str(value)
