"""Commands about the days that are known: until when, from whom, and what the user adds."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import UsageError
from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.options import day, json_option, verbosity
from engine.cli.output import note, paint, print_json, say, table, warn

if TYPE_CHECKING:
    from data.facts.calendars import Calendar, Span
    from data.facts.rules import RuleBook

MARKETS = click.Choice(["cn_etf", "us_etf"])


@click.group(
    "calendar", invoke_without_command=True, short_help="Until when sessions are known, and from whom."
)
@click.option("--market", type=MARKETS, help="One market.  [both]")
@json_option
@verbosity
@pass_app
@click.pass_context
def calendar_group(ctx: click.Context, app: App, market: str | None, as_json: bool) -> None:
    """Say until when the sessions and trading rules of a market are known, from whom, and what you added.

    Nothing is computed for a later day: whatever would need one says so and stops. Import the exchange's
    notice of closed days to go on.

    Example: etflow data calendar --market cn_etf
    """
    if ctx.invoked_subcommand is not None:
        return
    from data.facts.calendars import calendar_for, market_names, own_file
    from data.facts.rules import RuleBook

    shown = [(calendar_for(name), RuleBook.load(name)) for name in market_names() if market in (None, name)]
    if as_json:
        print_json({"file": str(own_file()), "markets": [_document(*each) for each in shown]})
        return
    for calendar, book in shown:
        _print(app, calendar, book)
    note(app, f"Your own rows are in {own_file()}.")


@calendar_group.command("import", short_help="Import an exchange's notice of closed days.")
@click.argument("notice", type=click.Path(path_type=Path), metavar="NOTICE")
@click.option("--market", type=MARKETS, help="Market of the notice.  [in Chinese: cn_etf]")
@click.option("--year", type=int, metavar="YEAR", help="Year of the notice, where it does not say so.")
@click.option("--through", type=day, metavar="DAY", help="Last day that it covers.  [the end of its year]")
@click.option("--source", metavar="TEXT", help="Who says so.  [the title, or the file]")
@click.option("--besides", is_flag=True, help="Close its days besides those recorded.")
@click.option("--replace", is_flag=True, help="Let it replace what is recorded for its days.")
@json_option
@verbosity
@pass_app
def import_notice(
    app: App,
    notice: Path,
    market: str | None,
    year: int | None,
    through: date | None,
    source: str | None,
    besides: bool,
    replace: bool,
    as_json: bool,
) -> None:
    """Import NOTICE, the exchange's list of closed days, into your calendar file.

    NOTICE is a text, CSV or TOML file: the exchange's own words in Chinese (1月1日至1月3日休市), or a list
    with one day or range a line (2027-02-05 to 2027-02-11). It must go on where the recorded days end, and
    agree with those that are recorded. Take it back with `data calendar remove`.

    Example: etflow data calendar import notice-2027.txt
    """
    from data.facts.notices import read_notice
    from data.facts.own_calendar import add_notice

    read = read_notice(notice, year)
    market = market or read.market
    if market is None:
        raise UsageError(
            "the notice does not say which market it is about", hint="Name it: --market cn_etf, or us_etf."
        )
    added = add_notice(read, market, through=through, source=source, replace=replace, besides=besides)
    if as_json:
        print_json(
            {
                "file": str(added.path),
                "market": market,
                "rows": [_row(span) for span in added.rows],
                "changed": [str(each) for each in added.changed],
                "sessions_through": added.last_day,
            }
        )
        return
    for span in added.rows:
        say(
            f"{market}: {span.first} to {span.last}, {count(span.closed, 'weekday')} closed, "
            f"{count(span.sessions, 'session')}; row {span.number} of {added.path}"
        )
    if not added.rows:
        say(f"{market}: the notice agrees with what is recorded; nothing was added.")
    if added.changed:
        warn(app, f"recorded otherwise until now: {', '.join(map(str, added.changed))}")
    _note_rules(app, market, added.last_day)


@calendar_group.command("remove", short_help="Take one of your own rows out again.")
@click.argument("number", type=int, metavar="NUMBER")
@verbosity
@pass_app
def remove(app: App, number: int) -> None:
    """Take row NUMBER out of your calendar file, as `data calendar` counts them, and print it.

    Example: etflow data calendar remove 1
    """
    from data.facts.own_calendar import remove_row

    path, text = remove_row(number)
    say(text)
    note(app, f"Taken out of {path}.")


@calendar_group.command("confirm", short_help="Write down that the trading rules still hold.")
@click.option("--market", type=MARKETS, default="cn_etf", show_default=True, help="Market of the rules.")
@click.option(
    "--through", type=day, metavar="DAY", required=True, help="Last day that they are known to hold for."
)
@click.option("--source", metavar="TEXT", required=True, help="Who says so: what you have looked at.")
@verbosity
@pass_app
def confirm(app: App, market: str, through: date, source: str) -> None:
    """Write down that the trading rules of a market (lots, ticks, limits, fees) hold through DAY.

    Do it once you have seen that the exchange changed none of them. A rule that did change is a row of your
    own in the same file; the top of data/facts/markets/cn_etf.toml describes the form.

    Example: etflow data calendar confirm --through 2027-06-30 --source "SSE and SZSE notices to 2027-01-04"
    """
    from data.facts.own_rules import confirm_rules

    path, book = confirm_rules(market, through, source)
    say(f"{market}: rules known through {book.known_through}; {path}")


def _print(app: App, calendar: Calendar, book: RuleBook) -> None:
    say(
        paint(
            f"{calendar.market}: sessions known from {calendar.first_day} to {calendar.last_day}", bold=True
        )
    )
    rows = [
        (
            "" if span.number is None else f"row {span.number}",
            str(span.first),
            str(span.last),
            count(span.sessions),
            count(span.closed),
            span.source,
        )
        for span in calendar.spans
    ]
    say(table(rows, ("yours", "from", "through", "sessions", "closed", "  from whom"), left_too=(1, 2, 5)))
    say(f"rules known from {book.first_day} to {book.known_through}")
    say()
    from data.facts.calendars import SOON

    left = (calendar.last_day - date.today()).days
    if left < SOON:
        warn(
            app,
            f"{calendar.market}: the known sessions end in {count(left, 'day')}"
            if left >= 0
            else f"{calendar.market}: the known sessions have ended",
        )
        note(app, "Import the exchange's notice once it is out: etflow data calendar import NOTICE")
    _note_rules(app, calendar.market, calendar.last_day)


def _note_rules(app: App, market: str, last: date) -> None:
    import numpy as np

    from data.facts.rules import RuleBook

    known = RuleBook.load(market).known_through
    if known < np.datetime64(last):
        note(
            app,
            f"The trading rules of {market} are known through {known}; once you have seen that none changed: "
            f"etflow data calendar confirm --market {market} --through {last} --source TEXT",
        )


def _document(calendar: Calendar, book: RuleBook) -> dict[str, Any]:
    return {
        "market": calendar.market,
        "first_day": calendar.first_day,
        "last_day": calendar.last_day,
        "spans": [_row(span) for span in calendar.spans],
        "rules_from": str(book.first_day),
        "rules_through": str(book.known_through),
    }


def _row(span: Span) -> dict[str, Any]:
    return {
        "row": span.number,
        "from": span.first,
        "through": span.last,
        "sessions": span.sessions,
        "closed_weekdays": span.closed,
        "source": span.source,
    }
