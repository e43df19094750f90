"""Commands about strategies: list them, show the parameters of one, start a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from data.errors import UsageError
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_strategy
from engine.cli.options import json_option, verbosity
from engine.cli.output import note, print_json, say, table


@click.group()
def strategies() -> None:
    """List strategies, show one, start your own."""


@strategies.command("list")
@json_option
@verbosity
@pass_app
def list_strategies(app: App, as_json: bool) -> None:
    """List the built-in strategies.

    Example: etflow strategies list
    """
    found = [{"name": name, "summary": _summary(cls)} for name, cls in app.catalogue.strategies.items()]
    if as_json:
        print_json(found)
    elif app.quiet:
        say("\n".join(each["name"] for each in found))
    else:
        say(table([(each["name"], each["summary"]) for each in found], ("strategy", "idea"), left=2))
        note(app, "Parameters: etflow strategies show NAME. Your own: etflow strategies new NAME.")


@strategies.command("show", short_help="Show the parameters of a strategy.")
@click.argument("strategy", shell_complete=complete_strategy)
@json_option
@verbosity
@pass_app
def show_strategy(app: App, strategy: str, as_json: bool) -> None:
    """Show the idea and the parameters of STRATEGY: a built-in name, or path/to/file.py:ClassName.

    Example: etflow strategies show share_inflow
    """
    from engine import parameters_of, strategy_class

    cls = strategy_class(strategy, app.catalogue.strategies)
    parameters = parameters_of(cls)
    if as_json:
        print_json(
            {
                "name": strategy,
                "summary": _summary(cls),
                "description": _description(cls),
                "parameters": [
                    {
                        "name": each.name,
                        "type": each.type,
                        "default": each.default,
                        "low": each.low,
                        "high": each.high,
                        "choices": each.choices,
                        "unit": each.unit,
                        "help": each.help,
                    }
                    for each in parameters
                ],
            }
        )
        return
    say(_description(cls))
    say()
    rows = [(each.name, _shown(each.default), _limits(each), each.unit, each.help) for each in parameters]
    say(table(rows, ("parameter", "default", "allowed", "unit", "meaning"), left=5))
    note(app, f"Set one: etflow run {strategy} --set {rows[0][0]}={rows[0][1]}" if rows else "")


@strategies.command("new", short_help="Write a strategy to start from.")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="FOLDER",
    help="Folder to write the module into.  [here]",
)
@verbosity
@pass_app
def new_strategy(app: App, name: str, out: Path) -> None:
    """Write a commented strategy that runs, for you to change: NAME is my_flow, for instance.

    Example: etflow strategies new my_flow --out my
    """
    from data.atomic import whole_file

    path, class_name, source = app.catalogue.new_strategy(name, out)
    if path.exists():
        raise UsageError(f"{path} exists already", hint="Choose another name or folder.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            temporary.write_text(source, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}", received=error.strerror) from error
    say(f"{path}:{class_name}")
    note(app, f"Run it: etflow run {path}:{class_name}")


def _description(cls: type[Any]) -> str:
    import inspect

    return inspect.cleandoc(cls.__doc__ or "").replace("``", "")


def _summary(cls: type[Any]) -> str:
    return _description(cls).partition("\n")[0]


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _limits(parameter: Any) -> str:
    parts = [str(choice) for choice in parameter.choices or ()]
    if parameter.low is not None or parameter.high is not None:
        low = "" if parameter.low is None else f"{parameter.low:g}"
        high = "" if parameter.high is None else f"{parameter.high:g}"
        parts.insert(0, f"{low}..{high}")
    return "|".join(parts)
