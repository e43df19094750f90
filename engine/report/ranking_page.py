"""The page of a ranking: the funds of a universe on one day, as bars and as a table that sorts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data.facts.symbols import currency_of
from data.words import count, number
from engine.briefs.lines import DIFFERENCE, FRACTION, MONEY
from engine.briefs.ranking import RankedFund, Ranking
from engine.briefs.series import Fact
from engine.briefs.words import value_text
from engine.report import charts, html, statements
from engine.report.charts import Chart, Panel, Series
from engine.report.html import Safe, coded, section, table, tag

MILLION = 1e6


def write_ranking(made: Ranking, document: Mapping[str, Any], path: Path) -> None:
    """Write the page of a ranking to ``path``, whole or not at all; OSError if the file cannot be written."""
    html.write(path, _page(made, document))


def _page(made: Ranking, document: Mapping[str, Any]) -> str:
    synthetic = bool(document["data"]["synthetic"])
    heads = {fact.name: fact for row in made.rows for fact in row.facts}
    drawn = _chart(made, heads)
    figures = tag("div", *(charts.figure(each, synthetic=synthetic) for each in drawn), class_="figures")
    body = table(
        ("Rank", tag("th", "Fund", class_="text"), *(_head(name, heads, made) for name in made.known)),
        [_row(row, made) for row in made.listed],
        class_="compact",
        sort=True,
    )
    listed = section("Funds", body if made.listed else "", *_notes(made, document), id_="funds")
    parts = [("chart", "Chart", section(f"Ranked by {made.by}", figures, id_="chart"))] if drawn else []
    title = f"Funds of {document['universe']}"
    word, said = statements.of_ranking(made, _label(made.by, heads))
    ranked = sum(row.rank is not None for row in made.rows)
    about = html.subtitle(
        made.day,
        f"{ranked} of {count(len(made.rows), 'fund')} ranked by {made.by}",
        f"data {document['data']['name']}",
    )
    return html.page(
        title,
        html.heading("Flow brief", title, about, word=word, said=said),
        [*parts, ("funds", "Funds", listed)],
        banner=html.made_up() if synthetic else None,
        scripts=charts.scripts(drawn, synthetic=synthetic),
    )


def _label(name: str, heads: Mapping[str, Fact]) -> str:
    """Return what a column is called; its own name where no fund has it."""
    label = heads[name].label.strip() if name in heads else name
    return label[:1].upper() + label[1:]


def _head(name: str, heads: Mapping[str, Fact], made: Ranking) -> Safe:
    """Return the head of a column: the line, its unit, and the name that ``--by`` knows it by."""
    money = name in heads and heads[name].unit == MONEY
    unit = f", {currency_of(made.rows[0].symbol)} m" if money else ""
    return tag("th", _label(name, heads), tag("small", name + unit))


def _row(row: RankedFund, made: Ranking) -> tuple[object, ...]:
    values = [
        _shown(fact) + "*" * bool(fact.older)
        for name, fact in zip(made.columns, row.facts, strict=True)
        if name in made.known
    ]
    rank = "" if row.rank is None else str(row.rank)
    return (rank, coded(row.symbol, row.name), *values)


def _shown(fact: Fact) -> str:
    """Return a value as a column has room for: money in millions."""
    if fact.unit == MONEY and isinstance(fact.value, float):
        return number(fact.value / MILLION)
    return value_text(fact)


def _chart(made: Ranking, heads: Mapping[str, Fact]) -> list[Chart]:
    """Return the ranked funds as bars, the largest first; nothing for fewer than two."""
    place = made.columns.index(made.by)
    ranked = [row for row in made.rows if row.rank is not None]
    if len(ranked) < 2:
        return []
    values = np.array([float(row.facts[place].value or 0.0) for row in ranked])
    share = heads[made.by].unit in (FRACTION, DIFFERENCE)
    title = _label(made.by, heads)
    panel = Panel(title, (Series(made.by, "bars", "run", values),), "percent" if share else "number", 200)
    axis = np.array([row.symbol for row in ranked])
    return [
        Chart("ranking", title, "A bar for each ranked fund, the largest first.", axis, (panel,), wide=True)
    ]


def _notes(made: Ranking, document: Mapping[str, Any]) -> list[Safe]:
    """Return what is to know of the rows: values of an earlier session, rows without any, funds left out."""
    older = sorted({str(fact.older) for row in made.rows for fact in row.facts if fact.older})
    said = [f"*: the latest known, of {', '.join(older)}; it counts for no rank."] if older else []
    empty = [name for name in made.columns if name not in made.known]
    said += [f"No fund has {', '.join(empty)}."] if empty else []
    without = [row for row in made.rows if row.reason]
    if without:
        others = ", ".join(row.symbol for row in without[1:])
        said.append(without[0].reason + (f"; the same holds for {others}." if others else "."))
    for symbols, what in (
        (document["not_on_file"], "Listed, but not on file"),
        (document["listing_not_on_file"], "Not on file whether these were listed by then"),
    ):
        said += [f"{what}: {', '.join(symbols)}."] if symbols else []
    return [tag("p", each, class_="note") for each in said]
