"""How a store was fetched, as the store remembers it, so that nobody has to say it again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from data.errors import DataError
from data.facts.symbols import MARKET_CODES
from data.facts.universe import funds_of
from data.providers.joining import Gap
from data.store.removal import Removal

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Recipe:
    """One way in which rows of a store were fetched.

    ``indices`` are those besides the ones that the funds track, ``start`` the first day of all, ``through``
    the last day asked for, by table.
    """

    providers: tuple[str, ...]
    tables: tuple[str, ...]
    symbols: tuple[str, ...]
    indices: tuple[str, ...]
    start: date
    through: Mapping[str, date] = field(default_factory=dict)

    def joins(self, other: Recipe) -> bool:
        """Tell whether the two differ in nothing but funds and days."""
        return (self.providers, self.tables, self.indices) == (other.providers, other.tables, other.indices)


@dataclass(frozen=True)
class Memory:
    """What a store remembers: recipes, and what failed to come so far."""

    recipes: tuple[Recipe, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def with_recipe(self, recipe: Recipe) -> Memory:
        """Return the memory after a fetch by a recipe, joined with the one on record that it repeats."""
        rest = tuple(each for each in self.recipes if not each.joins(recipe))
        for each in self.recipes:
            if each.joins(recipe):
                # Funds that are new leave the others where they were.
                chosen = max if set(each.symbols) <= set(recipe.symbols) else min
                through = {
                    name: chosen(each.through.get(name, day), day) for name, day in recipe.through.items()
                }
                symbols = tuple(sorted({*each.symbols, *recipe.symbols}))
                recipe = replace(
                    recipe, symbols=symbols, start=min(each.start, recipe.start), through=through
                )
        return replace(self, recipes=(*rest, recipe))

    def with_gaps(self, asked: Iterable[Gap], missing: Sequence[Gap]) -> Memory:
        """Return the memory after a fetch: of what was asked for, only what is missing still is a gap."""
        boxes = list(asked)
        kept = [left for gap in self.gaps if (left := _without(gap, boxes)) is not None]
        new = [replace(gap, why="") for gap in missing]
        return replace(self, gaps=tuple(dict.fromkeys([*kept, *new])))

    def without(self, removal: Removal) -> Memory:
        """Return the memory of a store that lost rows.

        A fund of which no row is left is asked for no more, nor an index, unless a fund tracks it. Where a
        series lost its last days, the table was asked for until then. Actions come seldom, and a wrong one
        would come back.
        """
        symbols = {name for each in self.recipes for name in _others(each.symbols, removal.lost)}
        tracked = {fund.index for fund in funds_of(sorted(symbols)).values()}
        lost = _others(removal.lost, (*tracked, *MARKET_CODES))
        tails = {each.table.name: each.tail(lost) for each in removal.tables}
        ends = {name: day - _ONE_DAY for name, day in tails.items() if day}
        recipes = [
            replace(
                each,
                symbols=_others(each.symbols, lost),
                indices=_others(each.indices, lost),
                through={
                    name: day if name == "actions" else min(day, ends.get(name, day))
                    for name, day in each.through.items()
                },
            )
            for each in self.recipes
        ]
        gaps = [replace(gap, series=_others(gap.series, lost)) for gap in self.gaps]
        return Memory(
            tuple(each for each in recipes if each.symbols), tuple(gap for gap in gaps if gap.series)
        )


def _others(names: Sequence[str], lost: Collection[str | None]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in lost)


def _without(gap: Gap, asked: Sequence[Gap]) -> Gap | None:
    """Return the gap for the series that were not asked about on all of its days."""
    series = tuple(
        name
        for name in gap.series
        if not any(
            each.table == gap.table
            and name in each.series
            and each.first <= gap.first
            and gap.last <= each.last
            for each in asked
        )
    )
    return replace(gap, series=series) if series else None


def read_memory(document: Mapping[str, Any]) -> Memory:
    """Read what :func:`write_memory` wrote; DataError if it is something else."""
    try:
        return Memory(
            tuple(_recipe(each) for each in document.get("recipes", ())),
            tuple(
                Gap(each["table"], _names(each["series"]), _day(each["first"]), _day(each["last"]))
                for each in document.get("gaps", ())
            ),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            "the store does not say how it was fetched in a form that is understood",
            received=f"{type(error).__name__}: {error}",
            hint="Delete `recipe` from its store.json, and say --provider, --symbols and --start again.",
        ) from None


def _recipe(document: Mapping[str, Any]) -> Recipe:
    return Recipe(
        _names(document["providers"]),
        _names(document["tables"]),
        _names(document["symbols"]),
        _names(document["indices"]),
        _day(document["start"]),
        {name: _day(day) for name, day in document["through"].items()},
    )


def _names(document: Sequence[Any]) -> tuple[str, ...]:
    return tuple(map(str, document))


def _day(document: str) -> date:
    return date.fromisoformat(document)


def write_memory(memory: Memory) -> dict[str, Any]:
    """Return the memory in JSON's types."""
    return {
        "recipes": [
            {
                "providers": list(each.providers),
                "tables": list(each.tables),
                "symbols": list(each.symbols),
                "indices": list(each.indices),
                "start": str(each.start),
                "through": {name: str(day) for name, day in each.through.items()},
            }
            for each in memory.recipes
        ],
        "gaps": [
            {
                "table": gap.table,
                "series": list(gap.series),
                "first": str(gap.first),
                "last": str(gap.last),
            }
            for gap in memory.gaps
        ],
    }


def after_removal(document: Mapping[str, Any], removal: Removal) -> dict[str, Any]:
    """Return what a store remembers, in JSON's types, after a removal; see ``Memory.without``."""
    memory = read_memory(document).without(removal)
    return write_memory(memory) if memory.recipes else {}
