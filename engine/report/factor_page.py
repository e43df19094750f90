"""The page about a score: one HTML file that needs nothing else.

Order: what is measured; rank IC by horizon and its decay; the IC through time and by year; what groups by
score earned; within and between index families; the score itself (how full, how fast it changes).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.words import NOT_AVAILABLE, count, number, percent
from engine.factors.diagnose import Diagnostics
from engine.report import assumptions, charts, html, sections, statements
from engine.report.factor_charts import factor_charts
from engine.report.html import Safe, join, section, shaded, table, tag
from engine.statistics.factor import MeanSummary

FULL_IC = 0.2  # a colour as strong as it gets; an IC of 0.1 is a good one
FULL_RETURN = 0.05

OF_HORIZONS = (
    "t is the mean over its error, which allows for horizons that overlap (Newey and West, with at least "
    "h−1 lags); beyond ±2 chance is unlikely. t, overlap ignored, takes sessions for independent: it is "
    "often quoted, and too large. ICIR is the mean over the deviation, a session. Decay is the IC with what "
    "is earned after the shorter horizon only: where it reaches zero, the score has said all that it knows."
)
OF_GROUPS = (
    "The spread is the top group's mean return less the bottom group's: long 100% and short 100%, 200% "
    "gross. By rank is the same with all funds weighted by their centred rank, which is steadier with few "
    "funds. Before costs; and few of these funds can be sold short."
)


def write_factor(found: Diagnostics, document: Mapping[str, Any], path: Path) -> None:
    """Write the page of diagnostics to ``path``, whole or not at all.

    ``document`` says what was diagnosed: ``strategy``, ``parameters``, ``data``, ``data_warnings`` and
    ``returns``. OSError if the file cannot be written.
    """
    html.write(path, _page(found, document))


def _page(found: Diagnostics, document: Mapping[str, Any]) -> str:
    synthetic = bool(document["data"]["synthetic"])
    ours = factor_charts(found)
    drawn = {each.name: charts.figure(each, synthetic=synthetic) for each in ours}
    main = found.main
    horizon = count(main.sessions, "session")
    parts: list[tuple[str, str, Safe]] = [
        ("summary", "Summary", _summary(found, document)),
        (
            "horizons",
            "Horizons",
            section(
                "Rank IC by horizon",
                _some(drawn, "ic", "decay"),
                _horizons(found),
                tag("p", OF_HORIZONS, class_="note"),
                id_="horizons",
                lead="Rank IC is the rank correlation, over the funds of one session, of score and later "
                "return: 1 is the same order, 0 is no relation, -1 the reverse order.",
            ),
        ),
        (
            "time",
            "Through time",
            section(
                "Through time",
                _some(drawn, "cumulated"),
                _years(found),
                id_="time",
                lead=f"By year of the score. {horizon} is the horizon closest to how often the strategy "
                "decides; for it also the robust t statistic. Last, the share of listed funds with a score.",
            ),
        ),
        (
            "quantiles",
            "Groups",
            section(
                f"Returns of {found.quantiles} groups by score",
                _some(drawn, "groups", "ends"),
                _groups(found),
                tag("p", OF_GROUPS, class_="note"),
                id_="quantiles",
                lead="On each session the funds are sorted by score into groups of the same size; funds with "
                "the same score are in the same group. Mean returns over the whole horizon, not a year.",
            ),
        ),
        ("families", "Families", _families(found)),
        (
            "score",
            "The score",
            section(
                "The score itself",
                _some(drawn, "persistence", "coverage"),
                _persistence(found) if found.measured else "",
                id_="score",
                lead="The faster scores change, the more must be traded, and the more costs eat of the IC.",
            ),
        ),
        ("method", "Method", _method(found, document)),
    ]
    if not found.measured:  # no session to rank on: nothing to draw, to group, or to list
        parts = [part for part in parts if part[0] in ("summary", "score", "method")]
    title = f"The score of {document['strategy']}"
    data = document["data"]
    funds = count(len(data["symbols"]), "fund")
    about = html.subtitle(*sections.over(found.days), funds, f"data {data['name']}")
    word, said = statements.of_score(found)
    warned = sections.data_warnings(document["data_warnings"])
    header = html.heading("Score", title, about, warned, word=word, said=said)
    return html.page(
        title,
        header,
        parts,
        banner=html.made_up() if synthetic else None,
        scripts=charts.scripts(ours, synthetic=synthetic),
    )


def _some(drawn: Mapping[str, Safe], *names: str) -> Safe:
    shown = [drawn[name] for name in names if name in drawn]
    return tag("div", *shown, class_="figures") if shown else Safe("")


def _summary(found: Diagnostics, document: Mapping[str, Any]) -> Safe:
    main = found.main
    cards = (
        ("Rank IC", number(main.ic.mean, 3), f"mean, {count(main.sessions, 'session')} ahead"),
        ("t statistic", number(main.ic.robust_t_statistic.value), "of the IC, Newey-West"),
        ("IC above zero", percent(main.ic.hit_rate, 0), f"of {count(main.ic.dates, 'session')}"),
        ("Spread", percent(main.spread.mean), f"top less bottom, {count(main.sessions, 'session')}"),
        ("Autocorrelation", number(main.autocorrelation.value), f"{count(main.sessions, 'session')} apart"),
        ("Funds", f"{found.scored:g} of {found.listed:g}", "scored of listed, median"),
    )
    shown = html.cards(cards if found.measured else cards[-1:])
    warned = [tag("p", tag("b", "Caution: "), each + ".") for each in found.warnings]
    return section(
        "Summary",
        *warned,
        shown,
        id_="summary",
        lead=f"Returns go {document['returns']}. Every session counts, not only those on which the strategy "
        "decides; costs, weights, top and threshold do not.",
    )


def _horizons(found: Diagnostics) -> Safe:
    rows = [
        (
            count(each.sessions, "session"),
            _ic(each.ic),
            _t(each.ic),
            number(each.ic.t_statistic),
            number(each.ic.ratio),
            percent(each.ic.hit_rate, 0),
            number(each.ic.dates, 0),
            number(each.funds.value, 1),
            f"{each.decay_after} to {each.sessions}",
            _ic(each.decay),
            _t(each.decay),
        )
        for each in found.horizons
    ]
    head = (
        *("Horizon", "Mean IC", "t", "t, overlap ignored", "ICIR", "IC above zero", "Sessions counted"),
        *("Funds, median", "Decay: sessions", "Decay: mean IC", "Decay: t"),
    )
    why = sections.not_available(
        ((str(each.sessions), each.ic.reason) for each in found.horizons), " sessions"
    )
    return join(table(head, rows, class_="compact", sort=True), why)


def _ic(summary: MeanSummary) -> Safe:
    if summary.mean != summary.mean:
        return tag("td", NOT_AVAILABLE)
    return shaded(summary.mean, number(summary.mean, 3), full=FULL_IC)


def _t(summary: MeanSummary) -> str:
    return number(summary.robust_t_statistic.value)


def _years(found: Diagnostics) -> Safe:
    main = found.main
    rows = [
        (
            str(year),
            *(_ic(each.by_year[year]) for each in found.horizons),
            _t(main.by_year[year]),
            number(main.by_year[year].dates, 0),
            percent(found.coverage_by_year[year], 0),
        )
        for year in main.by_year
    ]
    head = (
        "Year",
        *(str(each.sessions) for each in found.horizons),
        f"t at {main.sessions}",
        "Sessions",
        "Funds scored",
    )
    return table(head, rows, caption="Mean rank IC by horizon in sessions", class_="compact", sort=True)


def _groups(found: Diagnostics) -> Safe:
    middle = [str(number) for number in range(2, found.quantiles)]
    rows = [
        (
            count(each.sessions, "session"),
            *(
                shaded(float(value), percent(float(value)), full=FULL_RETURN) if value == value else None
                for value in each.quantile_means
            ),
            percent(each.spread.mean),
            _t(each.spread),
            percent(each.rank_weighted.mean),
            _t(each.rank_weighted),
        )
        for each in found.horizons
    ]
    head = ("Horizon", "Bottom", *middle, "Top", "Spread", "Its t", "By rank", "Its t")
    why = ((str(each.sessions), each.spread.reason) for each in found.horizons)
    return join(table(head, rows, class_="compact", sort=True), sections.not_available(why, " sessions"))


def _families(found: Diagnostics) -> Safe:
    main = found.main
    named: list[tuple[str, str, list[MeanSummary], MeanSummary]] = [
        (name, str(funds), [each.by_family[name] for each in found.horizons], main.by_family[name])
        for name, funds in found.families.items()
    ]
    named.append(
        ("between families", "", [each.between_families for each in found.horizons], main.between_families)
    )
    rows = [
        (name, funds, *(_ic(each) for each in summaries), _t(at_main))
        for name, funds, summaries, at_main in named
    ]
    head = (
        "Family",
        "Funds",
        *(str(each.sessions) for each in found.horizons),
        f"t at {main.sessions}",
    )
    return section(
        "Index families",
        table(head, rows, caption="Mean rank IC by horizon in sessions", class_="compact", sort=True),
        sections.not_available((name, at_main.reason) for name, _, _, at_main in named),
        id_="families",
        lead="Within a family: does the score order funds of the same kind of index? Between families: does "
        "the families' mean score order their mean returns? A score that works between families only is a "
        "bet on themes, not on funds.",
    )


def _persistence(found: Diagnostics) -> Safe:
    rows = [
        (
            count(each.sessions, "session"),
            number(each.autocorrelation.value),
            percent(each.turnover_top.value, 0),
            percent(each.turnover_bottom.value, 0),
        )
        for each in found.horizons
    ]
    head = ("Sessions apart", "Rank autocorrelation", "New in top group", "New in bottom group")
    return table(head, rows, class_="compact", sort=True)


def _method(found: Diagnostics, document: Mapping[str, Any]) -> Safe:
    point = "VWAP" if found.fill == "vwap" else found.fill
    parameters = assumptions.set_to(document["parameters"])
    rows: list[tuple[str, object]] = [
        ("Score", "known before the open of its session; funds that are listed then"),
        (
            "Return at horizon h",
            f"adjusted {point} of h sessions later over that of the session itself, less 1",
        ),
        ("Sessions", "of the exchange, none left out; the last h have no return yet and do not count"),
        ("Splits, dividends", "reinvested on the ex-day"),
        ("Cannot be bought", "halted, or at the upper limit: left out of that session"),
        ("Halted at the end", "valued at the last close, adjusted since"),
        ("Delisted on the way", "worth what its liquidation paid, as cash from then on"),
        ("Ties", "have the mean of their ranks"),
        ("Parameters", parameters or "none"),
        ("Data", f"{document['data']['name']}, fingerprint {document['data']['fingerprint']}"),
    ]
    return section("How it is measured", table(("", ""), rows, text_columns=2, class_="wrap"), id_="method")
