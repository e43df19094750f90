"""Completion of words in the shell: names of strategies, ids of runs. Never an error, at worst nothing."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.app import App


def complete_strategy(ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the built-in strategies that begin so."""
    app = ctx.find_object(App)
    names = app.catalogue.strategies if app is not None else {}
    return [name for name in names if name.startswith(beginning)]


def complete_run(ctx: click.Context, _parameter: click.Parameter, beginning: str) -> list[str]:
    """Return the ids of runs under ``--out`` that begin so."""
    from engine import LAST, runs_in

    parent = Path(ctx.params.get("out") or "results")
    names = [*(folder.name for folder in runs_in(parent)), LAST]
    return [name for name in names if name.startswith(beginning)]


def complete_strategy_or_run(ctx: click.Context, parameter: click.Parameter, beginning: str) -> list[str]:
    """Return strategies, then runs."""
    return [*complete_strategy(ctx, parameter, beginning), *complete_run(ctx, parameter, beginning)]
