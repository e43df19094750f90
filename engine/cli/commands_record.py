"""Commands about the record: what was ever looked at on some data."""

from __future__ import annotations

import click

from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.options import data_option, json_option, verbosity
from engine.cli.output import note, print_json, say, table


@click.group()
def record() -> None:
    """Show what has ever been looked at in some data, export it, or forget it.

    Whatever measures a strategy on data is put on record: runs, sweeps, searches, comparisons, audits,
    diagnostics of scores, signals. Data are known by their prices, so that a copy under another name has the
    same record, and another market in the same folder has none.
    """


@record.command("show", short_help="Show what has been looked at.")
@data_option
@json_option
@verbosity
@pass_app
def show_record(app: App, data: str | None, as_json: bool) -> None:
    """Show the looks at these data, oldest first, and how many parameter sets of each strategy they were.

    Example: etflow record show --data store
    """
    from data.source import open_source
    from engine import describe, recorded

    found = recorded(open_source(data or "demo"))
    if as_json:
        print_json(found.document())
        return
    rows = [describe(line) for line in found.lines]
    header = ("when", "what", "strategy", "sessions", "")
    say(table(rows, header, left=5) if rows else f"Nothing is on record of {found.name}.")
    if found.sets:
        say()
        for name, sets in found.sets.items():
            say(f"{name}: {count(sets, 'parameter set')}")
    if found.forgotten:
        say(f"Deleted by `record forget`: {count(found.forgotten, 'line')}.")
    if found.damaged:
        say(f"Damaged, missing or moved: {count(found.damaged, 'line')}.")
    for place in found.places:
        note(app, f"kept in {place}")


@record.command("export", short_help="Print the record as JSON.")
@data_option
@verbosity
@pass_app
def export_record(app: App, data: str | None) -> None:
    """Print every line of the record of these data as one JSON document.

    Example: etflow record export --data store > record.json
    """
    from data.source import open_source
    from engine import recorded

    print_json(recorded(open_source(data or "demo")).document())


@record.command("forget", short_help="Delete the record of some data.")
@data_option
@click.option("--yes", is_flag=True, help="Do it; without it, only say what would be deleted.")
@verbosity
@pass_app
def forget_record(app: App, data: str | None, yes: bool) -> None:
    """Delete the record of these data, wherever it is kept. That it was deleted, when, and how much, stays.

    Example: etflow record forget --data store --yes
    """
    from data.source import open_source
    from engine import forget, recorded

    source = open_source(data or "demo")
    if not yes:
        lines = [line for line in recorded(source).document()["lines"] if line["kind"] != "forgotten"]
        say(f"{count(len(lines), 'line')} would be deleted. Add --yes to do it.")
        return
    say(f"{count(forget(source), 'line')} deleted.")
