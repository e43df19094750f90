"""The command that downloads data from a provider into a store."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from data.errors import UsageError
from engine.cli.app import App, pass_app
from engine.cli.options import day, json_option, symbol_words, verbosity
from engine.cli.output import Progress, cell, count, note, print_json, say, table, warn


@click.command("fetch", short_help="Download data into a store.")
@click.option("--provider", metavar="NAME", required=True, help="akshare, tushare or yfinance.")
@click.option("--data", metavar="STORE", required=True, help="Folder of the store; made if need be.")
@click.option("--symbols", metavar="A,B", help="Funds to fetch.")
@click.option("--universe", metavar="NAME", help="Named set of funds, for instance ai_cn.")
@click.option("--start", type=day, required=True, help="First day.")
@click.option("--end", type=day, help="Last day.  [the last that is over]")
@click.option("--tables", metavar="A,B", help="Tables to fetch.  [all that the provider has]")
@click.option("--indices", metavar="A,B", help="Indices besides those that the funds track.")
@click.option("--refresh", is_flag=True, help="Ask again for everything: take no answer that is on file.")
@click.option("--accept-revision", is_flag=True, help="Let new values replace old ones; the old are kept.")
@json_option
@verbosity
@pass_app
def fetch_data(
    app: App,
    provider: str,
    data: str,
    symbols: str | None,
    universe: str | None,
    start: date,
    end: date | None,
    tables: str | None,
    indices: str | None,
    refresh: bool,
    accept_revision: bool,
    as_json: bool,
) -> None:
    """Download bars, fund units, NAV, margin, indices and corporate actions from a provider into a store.

    Everything is stored at the end, or nothing. What came before a failure is kept apart and not asked again:
    the same command goes on from there.
    Example: etflow data fetch --provider akshare --universe chinext_ai --start 2025-01-01 --data store
    """
    from data.providers import Desk, fetch, load_provider
    from data.store.store import Store

    store = Store(Path(data))
    funds = _funds(symbols, universe)
    vendor = load_provider(provider)
    with Progress(app, "fetch", total=1) as progress:
        report = fetch(
            vendor,
            store,
            funds,
            start,
            end,
            tables=_words(tables),
            indices=_words(indices),
            desk=Desk(vendor, refresh=refresh),
            accept_revision=accept_revision,
            progress=progress.update,
        )
    if as_json:
        print_json(
            {
                "data": data,
                "provider": provider,
                "first_day": report.wanted.start,
                "last_day": report.wanted.end,
                "tables": [vars(each) for each in report.fetched],
                "notes": report.notes,
                "calls": report.calls,
                "revisions": report.revisions.astype(str).to_dict("records"),
            }
        )
        return
    rows = [
        (
            each.table,
            ", ".join(each.sources),
            count(each.series),
            count(each.rows),
            count(each.added),
            cell(each.first_day),
            cell(each.last_day),
        )
        for each in report.fetched
    ]
    say(table(rows, ("table", "source", "series", "rows", "new rows", "first day", "last day"), left=2))
    for line in report.notes:
        warn(app, line)
    note(app, f"Look at them: etflow data check --data {data}")


def _funds(symbols: str | None, universe: str | None) -> tuple[str, ...]:
    from data.facts.symbols import parse_symbol
    from data.facts.universe import universe as funds_of

    if (symbols is None) == (universe is None):
        raise UsageError("say which funds to fetch", hint="Give --symbols A,B or --universe NAME.")
    if universe is not None:
        return funds_of(universe)
    return tuple(dict.fromkeys(parse_symbol(word) for word in symbol_words(symbols or "")))


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())
