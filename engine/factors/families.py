"""How funds are grouped by the family of the index that they track."""

from __future__ import annotations

from collections.abc import Mapping

from data.panel.panel import Panel

NO_FAMILY = "no family"


def families_of(panel: Panel) -> dict[str, list[int]]:
    """Return the columns of each index family, in order of its name; without one ``NO_FAMILY``."""
    columns: dict[str, list[int]] = {}
    for column, name in enumerate(panel.known.families):
        columns.setdefault(name or NO_FAMILY, []).append(column)
    return dict(sorted(columns.items()))


def sisters(families: Mapping[str, list[int]]) -> list[list[int]]:
    """Return the columns that belong together: those of a family; a fund without one is by itself."""
    alone = [[column] for column in families.get(NO_FAMILY, ())]
    return [columns for name, columns in families.items() if name != NO_FAMILY] + alone
