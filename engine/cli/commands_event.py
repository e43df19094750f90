"""The command that asks what an event was followed by, before anybody trades on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import UsageError
from data.words import count, number, percent
from engine.cli.app import App, pass_app
from engine.cli.commands_factor import horizons_in
from engine.cli.options import run_options
from engine.cli.output import Progress, paint, print_json, say, table, warn, warn_of_data
from engine.cli.specs import make_spec

if TYPE_CHECKING:
    from engine import EventStudy

LEGEND = """\
Return: of the fund itself. Less others: less the mean of the other funds over the same sessions; t allows
for events that share a session or overlap. By calendar: a portfolio of all funds with an event in the last h
sessions, a session. Placebo p: how often the same events, all moved to other dates, are followed by a mean as
far from that of all moves; judge by it, since it needs no model of the error."""


@click.command(short_help="What was an event followed by?")
@click.argument("condition", required=False)
@click.option(
    "--horizons", metavar="A,B", default="1,5,20", show_default=True, help="Sessions to look ahead."
)
@click.option("--words", is_flag=True, help="List the words that a condition is made of.")
@run_options
@pass_app
def event(
    app: App,
    /,
    condition: str | None,
    horizons: str,
    words: bool,
    out: Path,
    as_json: bool,
    no_report: bool,
    **given: Any,
) -> None:
    r"""Measure what funds earned after CONDITION began to hold, less what other funds earned.

    An event is a session before whose open the condition is known to hold, while it did not the session
    before. The fund is bought at the fill point (--fill) of that session. Against the other funds of its
    index family, and against all others: mean, distribution, by year and family, as a portfolio by calendar
    time, and against the same events at other dates. Costs, cash and benchmark change nothing. The strategy
    `event` trades it.

    \b
    Example: etflow event "inflow_streak >= 5 and units_record" --horizons 1,5,20
             etflow event "financing_streak >= 4 and not price_record"
    """
    if words:
        _print_words(app, as_json)
        return
    from engine import Watch, check_writable, event_job, open_job

    if condition is None and given["spec_file"] is None:
        raise UsageError(
            "name an event", hint='As in etflow event "inflow_streak >= 5"; see etflow event --words.'
        )
    if condition is not None:
        given["settings"] = (*given["settings"], f"when={condition}")
    lengths = horizons_in(horizons)
    spec = make_spec("event", given)
    check_writable(out)
    with Progress(app, "event", total=5) as progress:
        watch = Watch(progress.begin)
        job = open_job(spec, app.catalogue.strategies, watch, break_seal=given["break_seal"])
        found = event_job(job, lengths, watch)
        with watch("report"):
            folder = found.save(out, report=not no_report)
    warn_of_data(app, found.data_warnings, spec.data)
    for each in found.study.warnings:
        warn(app, each)
    page = None if no_report else folder / "event.html"
    document = found.document()
    if as_json:
        print_json(
            document
            | {"folder": str(folder), "page": None if page is None else str(page), "seconds": watch.seconds}
        )
    elif app.quiet:
        say(str(folder))
    else:
        _print(found.study, document)
        say()
        say(f"results  {folder}")
        if page is not None:
            say(f"page     {page}")


def _print_words(app: App, as_json: bool) -> None:
    words = app.catalogue.strategies["event"].words
    if as_json:
        print_json([{"name": each.name, "unit": each.unit, "meaning": each.meaning} for each in words])
        return
    say(
        table(
            [[each.name, each.unit, each.meaning] for each in words], ("word", "unit", "what it is"), left=3
        )
    )
    say()
    say("{n}: 1 to 1000 sessions. Combined with and, or, not, < <= > >= == != + - * /.")


# --- for people ---------------------------------------------------------------------------------------


def _print(found: EventStudy, document: dict[str, Any]) -> None:
    say(paint(f"{document['event']} on {document['data']['name']}", bold=True))
    blocked = f"; {found.blocked} could not be bought" if found.blocked else ""
    say(
        f"{found.days[0]} to {found.days[-1]}: {count(found.events, 'event')} on "
        f"{count(document['sessions_with_events'], 'session')}, of "
        f"{count(document['funds_with_events'], 'fund')}{blocked}"
    )
    if "notice" in document:
        say(paint(document["notice"], fg="yellow"))
    if not found.held:
        return
    say(f"Returns go {document['returns']}.")
    if not found.measured:
        say()
        from engine import raw_rows

        head = ("sessions", "events", "return", "t", "median", "above 0")
        say(table(raw_rows(found), head))
        return
    for name, label in found.against.items():
        if name not in found.measured:
            continue
        say()
        say(paint(f"Less {label}", bold=True))
        header = (
            "sessions",
            "events",
            "return",
            "less others",
            "t",
            "median",
            "above 0",
            "by calendar",
            "t",
            "placebo p",
        )
        rows = []
        for each in (found.at(sessions, name) for sessions in found.horizons):
            rows.append(
                [
                    str(each.sessions),
                    count(each.abnormal.events),
                    percent(found.raw[each.sessions].mean),
                    percent(each.abnormal.mean),
                    number(each.abnormal.t_statistic.value),
                    percent(each.abnormal.median),
                    percent(each.abnormal.hit_rate, 0),
                    percent(each.calendar.value, 3),
                    number(each.calendar_t.value),
                    number(each.placebo.p.value, 3),
                ]
            )
        say(table(rows, header))
    say()
    say(paint("Mean less all other funds, by year of the event and by index family", bold=True))
    say(table(_groups(found), ("", *(str(each) for each in found.horizons), "events")))
    say()
    say(LEGEND)


def _groups(found: EventStudy) -> list[list[str]]:
    measures = [found.at(each, "equal_weight") for each in found.horizons]
    rows = []
    for of in ("by_year", "by_family"):
        for name, first in getattr(measures[0], of).items():
            if first.events:
                means = [percent(getattr(each, of)[name].mean) for each in measures]
                rows.append([str(name), *means, count(first.events)])
    return rows
