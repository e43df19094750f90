"""The page of an event study: one HTML file that needs nothing else.

Order: what was measured, and how sure it is; the fan of returns around the event; the table by horizon; by
year and by index family; which events; how it is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data.words import NOT_AVAILABLE, count, number, percent
from engine.events.others import ALTERNATIVES
from engine.events.study import EventStudy, Measure
from engine.events.words import raw_rows
from engine.report import charts, html, sections, statements
from engine.report.charts import Chart, Panel, Series
from engine.report.html import Safe, section, shaded, table, tag
from engine.statistics.events import EventMean

FULL_RETURN = 0.05
MOST_EVENTS = 200

HOW_SURE = (
    "t allows for events that share a session and for returns that overlap (Driscoll and Kraay). By "
    "calendar is the mean a session of a portfolio of all funds with an event in the last h sessions. "
    "Placebo p is the share of other dates at which the same events, all moved together, are followed by a "
    "mean as far from the mean of all moves: below 5% chance is unlikely, if this is the only event that "
    "was looked for. How many were, the record knows (`etflow record show`)."
)


def write_event(found: EventStudy, document: Mapping[str, Any], path: Path) -> None:
    """Write the page of a study to ``path``, whole or not at all; ``document`` says what was studied.

    OSError if the file cannot be written.
    """
    html.write(path, _page(found, document))


def _page(found: EventStudy, document: Mapping[str, Any]) -> str:
    synthetic = bool(document["data"]["synthetic"])
    fans = [_fan(found, name) for name in found.measured]
    drawn = [charts.figure(each, synthetic=synthetic) for each in fans]
    parts: list[tuple[str, str, Safe]] = [
        ("summary", "Summary", _summary(found, document)),
        (
            "around",
            "Around the event",
            section(
                "Around the event",
                tag("div", *drawn, class_="figures"),
                id_="around",
                lead="Return of the fund less the mean of others: left of 0 over the sessions up to the "
                "event, right of it from where the fund could be bought. A rise on the left and nothing on "
                "the right is news that was in the price.",
            ),
        ),
        ("horizons", "Horizons", _horizons(found) if found.measured else _alone(found)),
        ("groups", "Years and families", _groups(found)),
        ("dates", "The events", _dates(document)),
        ("method", "Method", _method(found, document)),
    ]
    if not found.measured:  # nothing to draw, and nothing to group
        parts = [part for part in parts if part[0] in _kept(found)]
    title = f"After {document['event']}"
    data = document["data"]
    funds = count(len(data["symbols"]), "fund")
    about = html.subtitle(*sections.over(found.days), funds, f"data {data['name']}")
    word, said = statements.of_event(found)
    warned = sections.data_warnings(document["data_warnings"])
    header = html.heading("Event study", title, about, warned, word=word, said=said)
    return html.page(
        title,
        header,
        parts,
        banner=html.made_up() if synthetic else None,
        scripts=charts.scripts(fans, synthetic=synthetic),
    )


def _kept(found: EventStudy) -> tuple[str, ...]:
    """Return the sections that are left where nothing was held against others."""
    return (
        "summary",
        *(["horizons"] if found.held else []),
        *(["dates"] if found.events else []),
        "method",
    )


def _summary(found: EventStudy, document: Mapping[str, Any]) -> Safe:
    cards = [
        ("Events", count(found.events), f"on {count(document['sessions_with_events'], 'session')}"),
        ("Funds", count(document["funds_with_events"]), f"of {len(found.symbols)}"),
    ]
    for each in (found.at(sessions, "equal_weight") for sessions in found.horizons):
        if each.abnormal.events:
            cards.append(
                (
                    f"After {count(each.sessions, 'session')}",
                    percent(each.abnormal.mean),
                    f"less all others; placebo p {number(each.placebo.p.value, 3)}",
                )
            )
    shown = html.cards(cards)
    warned = [tag("p", tag("b", "Caution: "), each + ".") for each in found.warnings]
    return section("Summary", *warned, shown, id_="summary", lead=f"Returns go {document['returns']}.")


def _fan(found: EventStudy, name: str) -> Chart:
    after = int(np.searchsorted(found.fan_sessions, 0))
    offsets = np.insert(found.fan_sessions, after, 0)
    mean, q05, q25, q50, q75, q95 = np.insert(found.fan[name], after, 0.0, axis=0).T
    series = (
        Series("nine in ten events", "band", "run", q95, low=q05),
        Series("the middle half", "band", "run", q75, low=q25),
        Series("median", "line", "benchmark", q50),
        Series("mean", "line", "run", mean),
        Series("event", "flags", "fall", np.zeros(1), np.array([after]), labels=("event",)),
    )
    title = f"Less {ALTERNATIVES[name]}"
    return Chart(
        f"fan-{name}",
        title,
        "The middle half of the events lies in the stronger band, nine in ten in the fainter one.",
        np.array([f"{offset:+d}" if offset else "0" for offset in offsets.tolist()]),
        (Panel(title, series, height=220),),
        axis_title="Sessions from the event",
    )


def _horizons(found: EventStudy) -> Safe:
    head = (
        *("Sessions", "Events", "Return", "Less others", "t", "Median", "Above zero"),
        *("By calendar", "Its t", "Placebo", "Placebo p"),
    )
    tables = [
        table(
            head,
            [_row(found, found.at(each, name)) for each in found.horizons],
            caption=f"Less {label}",
            class_="compact",
            sort=True,
        )
        for name, label in ALTERNATIVES.items()
        if name in found.measured
    ]
    measures = [found.at(each, name) for each in found.horizons for name in found.measured]
    why = ((str(each.sessions), reason) for each in measures for reason in _reasons(each))
    note = sections.not_available(why, " sessions")
    return section("By horizon", *tables, note, tag("p", HOW_SURE, class_="note"), id_="horizons")


def _reasons(each: Measure) -> list[str]:
    estimates = (each.abnormal.t_statistic, each.calendar_t, each.placebo.p)
    return [estimate.reason for estimate in estimates if estimate.reason]


def _row(found: EventStudy, each: Measure) -> tuple[object, ...]:
    return (
        str(each.sessions),
        count(each.abnormal.events),
        percent(found.raw[each.sessions].mean),
        _shaded(each.abnormal),
        number(each.abnormal.t_statistic.value),
        percent(each.abnormal.median),
        percent(each.abnormal.hit_rate, 0),
        percent(each.calendar.value, 3),
        number(each.calendar_t.value),
        percent(each.placebo.mean.value),
        number(each.placebo.p.value, 3),
    )


def _alone(found: EventStudy) -> Safe:
    """Return what followed events that nothing could be held against."""
    head = ("Sessions", "Events", "Return", "t", "Median", "Above zero")
    return section("By horizon", table(head, raw_rows(found), class_="compact"), id_="horizons")


def _shaded(mean: EventMean) -> Safe:
    if mean.mean != mean.mean:
        return tag("td", NOT_AVAILABLE)
    return shaded(mean.mean, percent(mean.mean), full=FULL_RETURN)


def _groups(found: EventStudy) -> Safe:
    measures = [found.at(each, "equal_weight") for each in found.horizons]
    first, last = found.horizons[0], found.horizons[-1]
    head = ("", *(count(each, "session") for each in found.horizons), f"t at {last}", f"Events at {first}")
    tables = []
    for of, caption in (("by_year", "By year of the event"), ("by_family", "By index family")):
        rows = [
            (
                str(name),
                *(_shaded(getattr(each, of)[name]) for each in measures),
                number(getattr(measures[-1], of)[name].t_statistic.value),
                count(at_first.events),
            )
            for name, at_first in getattr(measures[0], of).items()
            if at_first.events
        ]
        tables.append(table(head, rows, caption=caption, class_="compact", sort=True))
    return section(
        "Years and families",
        *tables,
        id_="groups",
        lead="Mean return less that of all other funds. What holds in one year or family only is no rule.",
    )


def _dates(document: Mapping[str, Any]) -> Safe:
    dates = document["dates"]
    shown = dates[-MOST_EVENTS:][::-1]
    lead = "The latest first." + (
        f" The last {MOST_EVENTS} of {len(dates)}." if len(dates) > MOST_EVENTS else ""
    )
    rows = [(each["day"], each["symbol"]) for each in shown]
    return section(
        "The events",
        tag(
            "details",
            tag("summary", count(len(shown), "event")),
            table(("Day", "Fund"), rows, text_columns=2, sort=True),
        ),
        id_="dates",
        lead=lead,
    )


def _method(found: EventStudy, document: Mapping[str, Any]) -> Safe:
    point = "VWAP" if found.fill == "vwap" else found.fill
    rows: list[tuple[str, object]] = [
        ("Event", "known to hold before the open of the session, known not to hold the session before"),
        ("Return", f"adjusted {point} of h sessions later over that of the session itself, less 1"),
        ("Others", "the same return of the other funds that could be bought, the fund itself left out"),
        ("Could not be bought", f"{count(found.blocked, 'event')}: halted, or at the upper limit; left out"),
        ("Fewer than so many sessions left", "left out at that horizon"),
        ("Data", f"{document['data']['name']}, fingerprint {document['data']['fingerprint']}"),
    ]
    return section("How it is measured", table(("", ""), rows, text_columns=2, class_="wrap"), id_="method")
