"""Completion of words in the shell: names that the words stand for. Never an error, at worst nothing.

A shell puts a space behind the only completion. So where a value must follow, as in ``lookback=``, values are
offered beside it: what all have in common is then completed, and no space comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.app import App

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Words = list[str] | list[CompletionItem]


def complete_strategy(ctx: click.Context, _parameter: click.Parameter, beginning: str) -> Words:
    """Return the built-in strategies that begin so; where none does, the files: a strategy or a spec."""
    return _built_in(ctx, beginning) or _paths(beginning, "file")


def complete_data(_ctx: click.Context, _parameter: click.Parameter, beginning: str) -> Words:
    """Return the demo market and the stores that begin so; where none does, the folders."""
    from data.store.manifest import MANIFEST

    place, sign, _ = beginning.rpartition("/")
    try:
        stores = sorted(
            f"{place}{sign}{each.parent.name}" for each in Path(place + sign).glob(f"*/{MANIFEST}")
        )
    except OSError:
        stores = []
    return _beginning(["demo", *stores], beginning) or _paths(beginning, "dir")


def complete_run(ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the ids of runs under ``--out`` that begin so."""
    from engine import LAST, runs_in

    return _beginning([*(folder.name for folder in runs_in(_out(ctx))), LAST], beginning)


def complete_study(ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the ids of studies under ``--out`` that begin so."""
    from engine import studies_in

    return _beginning([folder.name for folder in studies_in(_out(ctx))], beginning)


def complete_strategy_or_run(ctx: click.Context, parameter: click.Parameter, beginning: str) -> Words:
    """Return strategies, then runs; where none begins so, the files."""
    names = [*_built_in(ctx, beginning), *complete_run(ctx, parameter, beginning)]
    return names or _paths(beginning, "file")


def complete_run_or_study(ctx: click.Context, parameter: click.Parameter, beginning: str) -> list[str]:
    """Return runs, then studies."""
    return [*complete_run(ctx, parameter, beginning), *complete_study(ctx, parameter, beginning)]


def complete_setting(ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the parameters of the built-in strategy that the line names; of one alone, its values too."""
    from engine import parameters_of

    # click leaves the words that are no options where an option still waits for its value.
    app, strategy = ctx.find_object(App), ctx.params.get("strategy") or next(iter(ctx.args), "")
    if app is None or strategy not in app.catalogue.strategies:
        return []
    found = {each.name: each for each in parameters_of(app.catalogue.strategies[strategy])}
    values = {name: [*(each.choices or ()), each.default] for name, each in found.items()}
    return _assigned(values, beginning)


def complete_cost(_ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the costs; of one alone, its default too."""
    from engine import Costs

    return _assigned({name: [value] for name, value in vars(Costs()).items()}, beginning)


def complete_metric(_ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the metrics of a run."""
    from engine import OF_RUN

    return _beginning(OF_RUN, beginning)


def complete_objective(_ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the metrics that a search can improve, or be held to."""
    from engine import SEARCHABLE

    return _beginning(SEARCHABLE, beginning)


def complete_universe(_ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the named sets of funds."""
    from data.facts.universe import universe_names

    return _beginning(universe_names(), beginning)


def complete_check(_ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the checks of data, and ``all``."""
    from data.checks import CHECKS

    return _beginning([*CHECKS, "all"], beginning)


def complete_audits(_ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the audits, behind those that are named already."""
    from engine import audit_names

    before, comma, word = beginning.rpartition(",")
    return [before + comma + name for name in _beginning(audit_names(None), word)]


def _built_in(ctx: click.Context, beginning: str) -> list[str]:
    app = ctx.find_object(App)
    return _beginning(app.catalogue.strategies if app is not None else {}, beginning)


def _paths(beginning: str, kind: str) -> list[CompletionItem]:
    """Return what lets the shell complete a path by itself."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(beginning, type=kind)]


def _out(ctx: click.Context) -> Path:
    return Path(ctx.params.get("out") or "results")


def _beginning(names: Iterable[str], beginning: str) -> list[str]:
    return [name for name in names if name.startswith(beginning)]


def _assigned(values: dict[str, list[Any]], beginning: str) -> list[str]:
    """Return names with ``=`` behind; where only one begins so, with each of its values too."""
    names = _beginning(values, beginning.partition("=")[0])
    found = [f"{name}=" for name in names]
    if len(names) == 1:
        found += dict.fromkeys(f"{names[0]}={value}" for value in values[names[0]] if value not in (None, ""))
    return _beginning(found, beginning)
