"""The command that lists the funds of a universe as they were on a day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from engine.cli.app import App, pass_app
from engine.cli.complete import complete_data, complete_universe
from engine.cli.options import day, json_option, verbosity
from engine.cli.output import cell, note, print_json, say, table, warn

if TYPE_CHECKING:
    from data.facts.universe import Fund
    from data.source import DataSource


@click.command("universe", short_help="List the funds of a universe, as of a day.")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=complete_universe)
@click.option("--as-of", type=day, metavar="DAY", help="Funds, names and indices as they were then.  [today]")
@click.option(
    "--data",
    metavar="STORE",
    shell_complete=complete_data,
    help="Go by its table `funds` too, and tell which bars it has.",
)
@json_option
@verbosity
@pass_app
def list_universe(app: App, name: str | None, as_of: date | None, data: str | None, as_json: bool) -> None:
    """List the funds of the universe NAME that were listed on a day, under the name and index of that day.

    Without NAME, list the universes. Facts come from the project's own tables, each with its source; funds of
    which it is not on file whether they were listed are told apart, and those that are gone are not in it:
    the table `funds` of a store can bring them, with family and days of listing.

    Example: etflow data universe chinext_ai --as-of 2025-08-20
    """
    from data.facts.universe import LISTED_THROUGH, known_funds, universe, universe_names
    from data.source import open_source, renamed

    on = as_of or date.today()
    source = None if data is None else renamed(open_source(data))
    facts = known_funds(None if source is None else source.read("funds"))
    if name is None:
        found = [
            {
                "name": each,
                "listed": len(universe(each, on, facts)),
                "known": len(universe(each, funds=facts)),
            }
            for each in universe_names()
        ]
        if as_json:
            print_json(found)
        else:
            say(
                table(
                    [tuple(cell(value) for value in each.values()) for each in found],
                    ("universe", "listed", "known"),
                )
            )
        return
    funds = [facts[symbol] for symbol in universe(name, funds=facts)]
    bars = None if source is None else _bars(source, [fund.symbol for fund in funds])
    listed = [fund for fund in funds if fund.listed_on(on)]
    unsure = [fund for fund in funds if fund.may_be_listed_on(on)]
    if as_json:
        print_json(
            {
                "universe": name,
                "as_of": on,
                "funds": [_document(fund, on, bars) for fund in listed],
                "listing_not_on_file": [fund.symbol for fund in unsure],
                "listed_through": LISTED_THROUGH,
            }
        )
        return
    rows = [tuple(cell(value) for value in _document(fund, on, bars).values()) for fund in listed]
    of_bars = () if bars is None else ("first bar", "last bar")
    header = ("fund", "ticker", "name", "index", "index name", "listed", "delisted", "source", *of_bars)
    say(table(rows, header, left=len(header)) if rows else "None was listed.")
    if unsure:
        names = ", ".join(each.symbol for each in unsure)
        warn(app, f"it is not on file whether these were listed by then: {names}")
    if on > LISTED_THROUGH:
        warn(app, f"funds that listed after {LISTED_THROUGH} may be missing")
    if source is None:
        note(app, "Funds that are gone are not in the list.")
    else:
        note(app, f"Of funds that are gone those are in the list that the table `funds` of {data} has.")


def _bars(source: DataSource, symbols: list[str]) -> dict[str, tuple[date, date]]:
    """Return the first and the last day on which each fund has a bar."""
    days = source.read("bars", symbols).groupby("symbol")["day"].agg(["min", "max"])
    return {str(symbol): (first.date(), last.date()) for symbol, first, last in days.itertuples()}


def _document(fund: Fund, on: date, bars: dict[str, tuple[date, date]] | None) -> dict[str, Any]:
    first, last = (None, None) if bars is None else bars.get(fund.symbol, (None, None))
    of_bars = {} if bars is None else {"first_bar": first, "last_bar": last}
    then = fund.on(on)
    return {
        "symbol": fund.symbol,
        "ticker": then.ticker,
        "name": then.name,
        "index": then.index,
        "index_name": then.index_name,
        "listed": fund.listed,
        "delisted": fund.delisted,
        "source": then.source,
        **of_bars,
    }
