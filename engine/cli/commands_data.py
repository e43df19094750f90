"""Commands about data: check them, show what there is, make a demo market; others have their own modules."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from data.errors import DataError
from data.synthetic import SYNTHETIC, marked
from engine.cli.app import App, pass_app
from engine.cli.commands_calendar import calendar_group
from engine.cli.commands_facts import show_facts
from engine.cli.commands_fetch import fetch_data, update_data
from engine.cli.commands_import import import_data
from engine.cli.commands_remove import remove_data
from engine.cli.commands_splits import list_splits
from engine.cli.commands_universe import list_universe
from engine.cli.complete import complete_check
from engine.cli.options import data_option, json_option, symbol_words, symbols_option, verbosity
from engine.cli.output import Progress, cell, note, paint, print_json, say, table

if TYPE_CHECKING:
    from data.checks import Finding
    from data.source import DataSource

# Tables of a store about its own rows.
BESIDE = ("arrivals", "revisions")
COLOURS = {"error": "red", "warning": "yellow"}


@click.group()
def data() -> None:
    """Import data, check them, show what there is, and until when sessions are known."""


data.add_command(import_data)
data.add_command(fetch_data)
data.add_command(update_data)
data.add_command(remove_data)
data.add_command(calendar_group)
data.add_command(list_universe)
data.add_command(list_splits)
data.add_command(show_facts)


@data.command("check", short_help="Check data for their usual faults.")
@data_option
@symbols_option
@click.option(
    "--allow",
    multiple=True,
    metavar="CHECK",
    shell_complete=complete_check,
    help="Check whose errors are acceptable; repeatable; or all.",
)
@click.option("--list", "list_checks", is_flag=True, help="List the checks and what each finds.")
@json_option
@verbosity
@pass_app
def check(
    app: App,
    data: str | None,
    symbols: str | None,
    allow: tuple[str, ...],
    list_checks: bool,
    as_json: bool,
) -> None:
    """Check data for what raw market data get wrong; exit code 3 if there is an error.

    A run on data with errors stops, unless it allows the check by name.

    Example: etflow data check --data store
    """
    from data.checks import CHECKS, allowing, blocking, run_checks
    from data.checks.finding import SEVERITIES

    if list_checks:
        found = [{"name": name, "finds": each.summary} for name, each in CHECKS.items()]
        if as_json:
            print_json(found)
        else:
            say(table([(each["name"], each["finds"]) for each in found], ("check", "finds"), left=2))
        return
    source, chosen = _open(data, symbols)
    findings = run_checks(source, chosen)
    stopping = blocking(findings, allow)
    if as_json:
        print_json(
            {
                "data": source.name,
                "synthetic": source.synthetic,
                "findings": [_finding_document(finding) for finding in findings],
                "counts": {
                    each: sum(finding.severity == each for finding in findings) for each in SEVERITIES
                },
                "passed": not stopping,
            }
        )
    else:
        _print_findings(app, source, findings)
    if stopping:
        names = sorted({finding.check for finding in stopping})
        raise DataError(
            f"`{source.name}` failed {len(names)} of {len(CHECKS)} checks: {', '.join(names)}",
            hint=f"Mend the data, or allow checks by name: `{allowing(stopping, allow)}`.",
        )


@data.command("show", short_help="Show what data there are.")
@click.argument("name", metavar="[TABLE]", required=False)
@data_option
@symbols_option
@json_option
@verbosity
@pass_app
def show(app: App, name: str | None, data: str | None, symbols: str | None, as_json: bool) -> None:
    """Show what data there are: rows and days by table, or of TABLE by symbol.

    TABLE may also be `arrivals`, which provider gave which rows and when, or `revisions`, the values that
    were replaced.

    Example: etflow data show bars --data store
    """
    source, chosen = _open(data, symbols)
    if name in BESIDE:
        rows = _beside(source, name)
    else:
        rows = _coverage_of(source, name, chosen) if name else _coverage(source, chosen)
    if as_json:
        print_json({"data": source.name, "synthetic": source.synthetic, "coverage": rows})
        return
    _head(app, source)
    header = tuple(rows[0]) if rows else ("table",)
    shown = [tuple(cell(value) for value in row.values()) for row in rows]
    say(table(shown, header) if shown else "There are no rows.")


@data.command("demo", short_help="Write a demo market into a store.")
@click.option("--data", metavar="FOLDER", required=True, help="New store to write the market into.")
@click.option("--seed", type=int, metavar="NUMBER", help="Draws the noise.  [that of --data demo]")
@click.option("--flow-effect", type=float, default=1.0, show_default=True, help="Size of the planted effect.")
@click.option("--premium", is_flag=True, help="Include the table `premium`.")
@verbosity
@pass_app
def demo(app: App, data: str, seed: int | None, flow_effect: float, premium: bool) -> None:
    """Write the demo market into a store of its own: with another seed, or another size of the flow effect.

    `--data demo` needs no store.

    Example: etflow data demo --flow-effect 0 --data placebo
    """
    from data.demo import Demo
    from data.source import store_to_write
    from data.store.tables import TABLES

    store = store_to_write(data)
    seeded = {} if seed is None else {"seed": seed}
    market = Demo(**seeded, flow_effect=flow_effect, premium=premium)
    with Progress(app, "demo", total=2) as progress:
        progress.begin("make")
        tables = {name: frame for name in TABLES if len(frame := market.read(name))}
        progress.begin("write")
        store.append(tables)
    say(f"{data}: {SYNTHETIC} market, seed {market.seed}, flow effect {market.flow_effect:g}")
    note(app, f"Run on it: etflow run share_inflow --data {data}")


def _open(data: str | None, symbols: str | None) -> tuple[DataSource, tuple[str, ...] | None]:
    from data.load import choose_symbols
    from data.source import open_source

    wanted = None if symbols is None else symbol_words(symbols)
    source = open_source(data or "demo")
    return source, choose_symbols(source, wanted) if wanted else None


def _coverage(source: DataSource, symbols: tuple[str, ...] | None) -> list[dict[str, Any]]:
    from data.store.tables import TABLES

    rows = []
    for name, schema in TABLES.items():
        frame = source.read(name, symbols)
        if frame.empty:
            continue
        series = frame[schema.key[0]].nunique()
        rows.append({"table": name, "series": series, "rows": len(frame), **_days(frame, schema.key)})
    return rows


def _coverage_of(source: DataSource, name: str, symbols: tuple[str, ...] | None) -> list[dict[str, Any]]:
    from data.store.tables import table as schema_of

    schema = schema_of(name)
    frame = source.read(name, symbols)
    key = schema.key[0]
    return [
        {key: str(series), "rows": len(rows), **_days(rows, schema.key)}
        for series, rows in frame.groupby(key, sort=True)
    ]


def _beside(source: DataSource, name: str) -> list[dict[str, Any]]:
    """Return what a store says of its own rows, days and times as text; the demo market says nothing."""
    from data.store.merge import written

    if not hasattr(source, name):
        return []
    return [
        {key: int(value) if key == "rows" else written(value) for key, value in row.items()}
        for row in getattr(source, name)().to_dict("records")
    ]


def _days(frame: Any, key: tuple[str, ...]) -> dict[str, str | None]:
    column = next((name for name in ("day", "ex_day", "period") if name in key), None)
    if column is None:
        return {"first": None, "last": None}
    return {"first": str(frame[column].min().date()), "last": str(frame[column].max().date())}


def _finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": finding.severity,
        "table": finding.table,
        "symbol": finding.symbol,
        "first": str(finding.first),
        "last": str(finding.last),
        "count": finding.count,
        "message": finding.message,
        "hint": finding.hint,
    }


def _print_findings(app: App, source: DataSource, findings: tuple[Finding, ...]) -> None:
    _head(app, source)
    for hint, alike in groupby(findings, key=lambda finding: finding.hint):
        for finding in alike:
            severity = paint(finding.severity, fg=COLOURS.get(finding.severity), bold=True)
            where = f"{finding.check}: {finding.table} {finding.symbol}, {finding.period}"
            say(f"{severity}: {where}: {finding.message}.")
        if not app.quiet:
            say(f"    {hint}")
    if not findings:
        say("Every check passed.")


def _head(app: App, source: DataSource) -> None:

    if not app.quiet:
        say(paint(marked(source.name, source.synthetic), bold=True))
