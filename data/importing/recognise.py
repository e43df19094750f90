"""Which ready map a file is for, by its columns, and by its name where that holds the code or the day."""

from __future__ import annotations

import pandas as pd

from data.errors import DataError
from data.importing.map_files import ready_maps
from data.importing.maps import FileMap

# A file that lacks more than half of what a map looks for is not a spoilt file of that kind.
_NEAR = 0.5
_NAMED = 3


class UnknownColumns(DataError):
    """No ready map fits a file, or several do; ``near`` tells whether one of them almost does."""

    near = True


def recognise(frame: pd.DataFrame, stem: str, origin: str) -> FileMap:
    """Return the ready map that fits a file, the one that knows the most of its columns.

    Raises UnknownColumns, naming the columns found and the closest maps, if none or several fit.
    """
    lacking = {each: each.lacks(frame, stem) for each in ready_maps().values() if each.recognise}
    fitting = [each for each, (lacks, _) in lacking.items() if not lacks]
    if not fitting:
        raise _unknown(frame, lacking, origin)
    known = {each: len(each.known_columns().intersection(frame.columns)) for each in fitting}
    best = [each for each in fitting if known[each] == max(known.values())]
    if len(best) > 1:
        raise UnknownColumns(
            f"`{origin}` could be several things",
            received=_listed(frame),
            limit=", ".join(f"`{each.name}` ({each.title})" for each in best),
            hint="Name one of them, or a map file of your own, with --map.",
        )
    return best[0]


def _unknown(
    frame: pd.DataFrame, lacking: dict[FileMap, tuple[list[str], int]], origin: str
) -> UnknownColumns:
    share = {each: len(lacks) / wanted for each, (lacks, wanted) in lacking.items()}
    closest = sorted(share, key=lambda each: (share[each], each.name))
    near = [each for each in closest if share[each] <= _NEAR][:_NAMED]
    named = "; ".join(f"`{each.name}` lacks {', '.join(lacking[each][0][:_NAMED])}" for each in near)
    error = UnknownColumns(
        f"no ready map knows the columns of `{origin}`",
        received=_listed(frame),
        hint=(f"Closest: {named}. " if near else "")
        + "Say in a map file (--map) which columns are which, or name a ready map.",
    )
    error.near = bool(near)
    return error


def _listed(frame: pd.DataFrame) -> str:
    return ", ".join(str(name) or "(no name)" for name in frame.columns)
