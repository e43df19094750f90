"""Rows of many files, joined table by table; what two files say of one key must agree.

They may differ in ``known_at`` alone: what is announced again was known the first time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from data.errors import DataError
from data.importing.one_file import Found
from data.store.files import Rows, as_rows
from data.store.merge import NOT_COMPARED, differ, written
from data.store.order import Places, order_of, ranks
from data.store.rounding import grains, settle
from data.store.schema import Table
from data.store.tables import table


@dataclass(frozen=True)
class _Part:
    """Rows of a table by key, without the columns that have no value, and how many are of each of some files.

    ``places`` are those that the rows had in the files, None if they stand as they stood.
    ``ends`` are the keys of the first and of the last row.
    """

    rows: pa.Table
    files: tuple[tuple[str, int], ...]
    places: Places | None
    ends: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(
        cls, schema: Table, frame: pd.DataFrame, files: Sequence[tuple[str, int]], places: Places | None
    ) -> Self:
        """Return what is in some files."""
        columns = {name: frame[name] for name in frame.columns}
        columns = {name: values for name, values in columns.items() if _has_values(values)}
        for name, values in columns.items():
            if isinstance(values.dtype, pd.StringDtype):
                columns[name] = values.astype("category")
        key = [frame[name] for name in schema.key]
        ends = tuple(tuple(each.iloc[row] for each in key) for row in (0, -1))
        return cls(as_rows(schema, pd.DataFrame(columns, copy=False)), tuple(files), places, ends)


class Joined(Mapping[str, Rows]):
    """What files say of each table: kept small, joined when the table is asked for, and given away then.

    The rows are as ``Table.check`` returns them: each file was looked at, and what several files say of one
    key is looked at again. Texts are categories in it, and columns without a value absent. DataError, when
    the table is asked for, if files disagree.
    """

    def __init__(self) -> None:
        self._parts: dict[str, list[_Part]] = {}

    def add(self, found: Found) -> None:
        """Take the rows that were found in one file or several, in the order of the files."""
        schema = table(found.files[0].table)
        files = [(Path(each.file).name, each.rows) for each in found.files]
        parts = self._parts.setdefault(schema.name, [])
        for frame in found.frames:
            here = files if len(found.frames) == 1 else [(files[0][0], len(frame))]
            places = found.places if len(files) > 1 else None
            if len(frame):
                parts.append(_Part.of(schema, frame, here, places))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._parts))

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, name: str) -> Rows:
        schema = table(name)
        parts, self._parts[name] = self._parts[name], []
        if not parts:
            return schema.empty()
        files = [(part.files, part.places) for part in parts]
        whole = pa.concat_tables([part.rows for part in parts], promote_options="default")
        ends = [part.ends for part in parts]
        if all(before[1] < after[0] for before, after in pairwise(ends)):
            # They are written as they stand, and nobody needs them in one place of memory.
            return whole
        parts.clear()
        whole = whole.select([each for each in schema.names if each in whole.column_names])
        frame: pd.DataFrame = whole.to_pandas(split_blocks=True, self_destruct=True)
        del whole
        order = order_of([ranks(frame[key]) for key in schema.key])
        if order is None:
            return schema.check(_settled(schema, _by_file(frame, files)), f"table `{name}`")[0]
        return frame.take(order).reset_index(drop=True)


def _has_values(values: pd.Series) -> bool:
    # Mostly the first cell tells.
    return len(values) > 0 and bool(pd.notna(values.iloc[0]) or values.notna().any())


def _by_file(
    frame: pd.DataFrame, parts: Sequence[tuple[Sequence[tuple[str, int]], Places | None]]
) -> pd.DataFrame:
    """Return rows file by file, with the name of the file of each; ``parts`` is what ``_Part`` says of it."""
    names: list[str] = []
    numbers = []
    for files, places in parts:
        of_rows = np.repeat(np.arange(len(files)) + len(names), [count for _, count in files])
        numbers.append(of_rows if places is None else of_rows[places])
        names += [name for name, _ in files]
    number = np.concatenate(numbers)
    order = np.argsort(number, kind="stable")
    return frame.take(order).reset_index(drop=True).assign(file=np.array(names)[number[order]])


def _settled(schema: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Join the rows that several files have for one key; one value fills in where another is missing.

    The column ``file`` says of which file each row is.
    """
    keys = list(schema.key)
    types = {name: kind for name, kind in schema.empty().dtypes.items() if name in frame}
    rows = frame.astype(types)
    repeated = rows.duplicated(keys, keep=False)
    shared = rows[repeated]
    by_key = shared.groupby(keys, sort=False)
    compared = shared.columns.difference([*keys, *NOT_COMPARED, "file"], sort=False)
    for column in compared:
        if column == "known_at":
            shared = _as_first_known(shared, keys, compared.drop(column))
            by_key = shared.groupby(keys, sort=False)
        other = differ(by_key[column].transform("first"), shared[column])
        if other.any() and pd.api.types.is_float_dtype(shared[column]):
            shared, other = _finest(rows, shared, keys, column)
            by_key = shared.groupby(keys, sort=False)
        if other.any():
            raise _disagreement(schema.name, column, by_key.get_group(tuple(shared.loc[other, keys].iloc[0])))
    return pd.concat([rows[~repeated], by_key.first().reset_index()], ignore_index=True).drop(columns="file")


def _as_first_known(shared: pd.DataFrame, keys: list[str], values: pd.Index) -> pd.DataFrame:
    """Give rows of one key, whose values agree, the first ``known_at`` of all, if each has all values."""
    groups = [shared[key] for key in keys]
    there = shared[values].notna()
    alike = (there == there.groupby(groups, sort=False).transform("first")).all(axis=1)
    whole = alike.groupby(groups, sort=False).transform("all")
    first = shared["known_at"].groupby(groups, sort=False).transform("min")
    return shared.assign(known_at=shared["known_at"].mask(whole, first))


def _finest(
    rows: pd.DataFrame, shared: pd.DataFrame, keys: list[str], column: str
) -> tuple[pd.DataFrame, pd.Series]:
    """Give rows of one key the value with the most digits, and return which of them say something else."""
    rough = pd.Series(grains(rows[column], rows["file"], column), index=rows.index)[shared.index]
    ordered = shared.assign(rough=rough.where(shared[column].notna(), np.inf)).sort_values(
        "rough", kind="stable"
    )
    by_key = ordered.groupby(keys, sort=False)
    finest, grain = by_key[column].transform("first"), by_key["rough"].transform("first")
    same, fine = settle(*(each.to_numpy() for each in (finest, ordered[column], grain, ordered["rough"])))
    other = differ(finest, ordered[column]) & ~same
    # Of two that differ by what 32 bits cannot hold, the shorter one is taken; any other is the finest.
    value = pd.Series(np.where(same, fine, finest), index=ordered.index)
    best = value.groupby([ordered[key] for key in keys], sort=False).transform("last")
    return shared.assign(**{column: best.where(~other, ordered[column])[shared.index]}), other[shared.index]


def _disagreement(name: str, column: str, rows: pd.DataFrame) -> DataError:
    there = rows[rows[column].notna()]
    said = [f"{value} in `{file}`" for value, file in zip(there[column], there["file"], strict=True)]
    key = " ".join(written(value) for value in rows[list(table(name).key)].iloc[0])
    return DataError(
        f"files disagree about `{column}` of {key} in table `{name}`",
        received=", ".join(said),
        hint="Import the right one only; the other can follow with --accept-revision.",
    )
