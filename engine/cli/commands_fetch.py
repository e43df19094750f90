"""The commands that download data from providers into a store, and keep it current."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import click

from data.errors import DataError, UsageError
from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_data, complete_universe
from engine.cli.options import day, json_option, symbol_words, verbosity
from engine.cli.output import Progress, cell, note, print_json, say, table, warn

if TYPE_CHECKING:
    from data.providers import Connection, FetchReport

Command = TypeVar("Command", bound=Callable[..., Any])


def _answers(command: Command) -> Command:
    """Add what fetching and updating share."""
    options = (
        click.option(
            "--refresh", is_flag=True, help="Ask for everything again; use no answer that is on file."
        ),
        click.option(
            "--accept-revision", is_flag=True, help="Let new values replace old ones; the old are kept."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("fetch", short_help="Download data into a store.")
@click.option("--provider", metavar="A,B", help="akshare, tushare or yfinance; several: the best first.")
@click.option(
    "--data",
    metavar="STORE",
    shell_complete=complete_data,
    required=True,
    help="Folder of the store; created if needed.",
)
@click.option("--symbols", metavar="A,B", help="Funds to fetch.")
@click.option(
    "--universe",
    metavar="NAME",
    shell_complete=complete_universe,
    help="Named set of funds, for instance ai_cn.",
)
@click.option("--start", type=day, help="First day.  [that of the store's last fetch]")
@click.option("--end", type=day, help="Last day.  [the last that is over]")
@click.option("--tables", metavar="A,B", help="Tables to fetch.  [all that the providers have]")
@click.option("--indices", metavar="A,B", help="Indices besides those that the funds track.")
@_answers
@json_option
@verbosity
@pass_app
def fetch_data(
    app: App,
    provider: str | None,
    data: str,
    symbols: str | None,
    universe: str | None,
    start: date | None,
    end: date | None,
    tables: str | None,
    indices: str | None,
    refresh: bool,
    accept_revision: bool,
    as_json: bool,
) -> None:
    """Download bars, fund units, NAV, margin, indices and corporate actions into a store.

    What comes is stored, what does not is listed with the reason, and the exit code is 3. The store remembers
    the words of this command: `data update` goes on from there, and for further funds the provider and the
    start need not be said again.

    Example: etflow data fetch --provider akshare --universe chinext_ai --start 2025-01-01 --data store
    """
    from data.providers import fetch
    from data.providers.recipe import read_memory
    from data.source import store_to_write

    store = store_to_write(data)
    known = read_memory(store.recipe).recipes
    _require_words(universe if symbols is None else True, known or provider, known or start)
    funds = _funds(symbols, universe)
    names = known[-1].providers if provider is None else _words(provider)
    first = known[-1].start if start is None else start
    connection_to = _desks(refresh)
    connections = [connection_to(name) for name in names]
    with Progress(app, "fetch", total=1) as progress:
        report = fetch(
            connections,
            store,
            funds,
            first,
            end,
            tables=_words(tables),
            indices=_words(indices),
            accept_revision=accept_revision,
            progress=progress.update,
        )
    _print_report(app, data, report, as_json)


@click.command("update", short_help="Bring a store to today.")
@click.option(
    "--data", metavar="STORE", shell_complete=complete_data, required=True, help="Folder of the store."
)
@click.option("--provider", metavar="A,B", help="Whom to ask, the best first.  [as the store was fetched]")
@click.option("--symbols", metavar="A,B", help="Funds to update.  [all of the store]")
@click.option("--end", "--on", "end", type=day, help="Last day.  [the last that is over]")
@_answers
@json_option
@verbosity
@pass_app
def update_data(
    app: App,
    data: str,
    provider: str | None,
    symbols: str | None,
    end: date | None,
    refresh: bool,
    accept_revision: bool,
    as_json: bool,
) -> None:
    """Bring every table of a store to the last day that is over, and ask again for what failed before.

    The store remembers how it was fetched; one made of files needs --provider the first time. The last
    sessions on file are asked for again: a value that is another one now is a revision, and refused unless it
    is accepted. What comes is stored, what does not is listed with the reason, and the exit code is 3.

    Example: etflow data update --data store
    """
    from data.facts.symbols import parse_symbol
    from data.providers import update
    from data.source import store_to_write

    with Progress(app, "update", total=1) as progress:
        report = update(
            store_to_write(data),
            _desks(refresh),
            providers=_words(provider),
            symbols=() if symbols is None else tuple(map(parse_symbol, symbol_words(symbols))),
            end=end,
            accept_revision=accept_revision,
            progress=progress.update,
        )
    _print_report(app, data, report, as_json)


def _desks(refresh: bool) -> Callable[[str], Connection]:
    import os

    from data.providers import Connection, load_provider

    # Only waits are drawn with the seed: machines that were refused together do not come back together.
    return lambda name: Connection(load_provider(name), refresh=refresh, seed=os.getpid())


def _print_report(app: App, data: str, report: FetchReport, as_json: bool) -> None:
    """Print what came, and end with DataError if something is missing."""
    if as_json:
        print_json(
            {
                "data": data,
                "provider": ",".join(report.providers),
                "first_day": report.first_day,
                "last_day": report.last_day,
                "tables": [vars(each) for each in report.fetched],
                "missing": [vars(gap) for gap in report.missing],
                "notes": report.notes,
                "calls": report.calls,
                "revisions": report.revisions.astype(str).to_dict("records"),
            }
        )
    else:
        _print_tables(app, data, report)
    if report.missing:
        first = report.missing[0]
        raise DataError(
            f"{count(len(report.missing), 'piece')} of what was asked for did not come",
            received=f"{first}: {first.why}",
            hint=f"What came is in the store; this asks for the rest: etflow data update --data {data}.",
        )


def _print_tables(app: App, data: str, report: FetchReport) -> None:
    rows = [
        (
            each.table,
            ", ".join(each.providers),
            ", ".join(each.sources),
            count(each.series),
            count(each.rows),
            count(each.added),
            cell(each.first_day),
            cell(each.last_day),
        )
        for each in report.fetched
    ]
    header = ("table", "provider", "source", "series", "rows", "new rows", "first day", "last day")
    say(table(rows, header, left=3) if rows else "Nothing was asked for.")
    for line in report.notes:
        warn(app, line)
    for gap in report.missing:
        warn(app, f"missing: {gap}: {gap.why}")
    if rows:
        note(app, f"Look at them: etflow data check --data {data}")


def _require_words(funds: object, provider: object, start: object) -> None:
    """Raise UsageError naming all that a first fetch has to be told and was not."""
    lacking = [
        (what, option)
        for given, what, option in (
            (provider, "whom to ask", "--provider NAME"),
            (funds, "which funds to fetch", "--symbols A,B or --universe NAME"),
            (start, "from which day", "--start DAY"),
        )
        if not given
    ]
    if lacking:
        raise UsageError(
            f"say {' and '.join(what for what, _ in lacking)}",
            hint=f"Give {', '.join(option for _, option in lacking)}.",
        )


def _funds(symbols: str | None, universe: str | None) -> tuple[str, ...]:
    from data.facts.symbols import parse_symbol
    from data.facts.universe import universe as funds_of

    if (symbols is None) == (universe is None):
        raise UsageError("say which funds to fetch in one way", hint="Give --symbols A,B or --universe NAME.")
    if universe is not None:
        return funds_of(universe)
    return tuple(dict.fromkeys(parse_symbol(word) for word in symbol_words(symbols or "")))


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())
