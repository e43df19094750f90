"""The command that looks at the score itself, before it becomes a portfolio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import UsageError
from data.words import count, number, percent
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_strategy
from engine.cli.options import run_options
from engine.cli.output import Progress, paint, print_json, say, table, warn, warn_of_data
from engine.cli.specs import make_spec

if TYPE_CHECKING:
    from engine import Diagnostics, MeanSummary

LEGEND = """\
t is Newey-West's with at least h - 1 lags; t iid ignores that horizons overlap. Decay: the IC with what is
earned after the horizon before. Spread: top less bottom; by rank: all funds weighted by rank; both 200%
gross and before costs. Autocorr and top changes: against the scores of so many sessions before."""


@click.command(short_help="Does the score predict returns?")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@click.option(
    "--horizons",
    metavar="A,B",
    help="Sessions to look ahead.  [1,2,3,5,10,20,40,60]",
)
@run_options
@pass_app
def factor(
    app: App,
    /,
    strategy: str | None,
    horizons: str | None,
    out: Path,
    as_json: bool,
    no_report: bool,
    **given: Any,
) -> None:
    """Diagnose the scores of STRATEGY: a built-in name, or path/to/file.py:ClassName.

    Rank IC with Newey-West t by horizon in sessions, decay, quantile returns and spread, by year and by index
    family, autocorrelation, turnover and coverage. Returns are from the fill point (--fill) of the session
    that the score is for to the same point so many sessions later. Cash, costs, engine and benchmark change
    nothing.

    Example: etflow factor share_inflow --horizons 1,5,20
    """
    from engine import HORIZONS, Watch, check_writable, checked_horizons, factor_job, open_job

    lengths = HORIZONS if horizons is None else checked_horizons(horizons_in(horizons))
    spec = make_spec(strategy, given)
    check_writable(out)
    with Progress(app, "factor", total=5) as progress:
        watch = Watch(progress.begin)
        found = factor_job(
            open_job(spec, app.catalogue.strategies, watch, break_seal=given["break_seal"]), lengths, watch
        )
        with watch("report"):
            folder = found.save(out, report=not no_report)
    warn_of_data(app, found.data_warnings, spec.data)
    for each in found.diagnostics.warnings:
        warn(app, each)
    page = None if no_report else folder / "factor.html"
    document = found.document()
    if as_json:
        print_json(
            document
            | {"folder": str(folder), "page": None if page is None else str(page), "seconds": watch.seconds}
        )
    elif app.quiet:
        say(str(folder))
    else:
        _print(found.diagnostics, document)
        say()
        say(f"results  {folder}")
        if page is not None:
            say(f"page     {page}")


def horizons_in(words: str) -> list[int]:
    """Return the numbers of ``--horizons``; UsageError where one is none."""
    try:
        return [int(word) for word in words.split(",") if word.strip()]
    except ValueError:
        raise UsageError(
            "--horizons needs whole numbers of sessions", received=words, hint="For instance 1,5,20."
        ) from None


# --- for people ---------------------------------------------------------------------------------------


def _print(found: Diagnostics, document: dict[str, Any]) -> None:
    main, middle = found.main, [str(number) for number in range(2, found.quantiles)]
    say(paint(f"{document['strategy']} on {document['data']['name']}", bold=True))
    say(
        f"{found.days[0]} to {found.days[-1]}: {count(len(found.days), 'session')}, a median of "
        f"{found.scored:g} of {found.listed:g} listed funds have a score"
    )
    if "notice" in document:
        say(paint(document["notice"], fg="yellow"))
    if not found.measured:
        say(f"Nothing to measure: {main.ic.reason}.")
        return
    say(f"Returns go {document['returns']}.")
    say()
    say(paint("Rank correlation of score and return (IC), by sessions held", bold=True))
    header = ("horizon", "mean IC", "t", "t iid", "ICIR", "IC > 0", "sessions", "  decay from", "IC", "t")
    rows = [
        [
            str(each.sessions),
            number(each.ic.mean, 3),
            number(each.ic.robust_t_statistic.value),
            number(each.ic.t_statistic),
            number(each.ic.ratio),
            percent(each.ic.hit_rate, 0),
            count(each.ic.dates),
            str(each.decay_after),
            number(each.decay.mean, 3),
            number(each.decay.robust_t_statistic.value),
        ]
        for each in found.horizons
    ]
    say(table(rows, header))
    say()
    say(paint("Return over the horizon by group of the score; long top, short bottom", bold=True))
    columns = ("horizon", "bottom", *middle, "top", "spread", "t", "by rank", "t", "autocorr", "top changes")
    rows = [
        [
            str(each.sessions),
            *(percent(float(value)) for value in each.quantile_means),
            percent(each.spread.mean),
            number(each.spread.robust_t_statistic.value),
            percent(each.rank_weighted.mean),
            number(each.rank_weighted.robust_t_statistic.value),
            number(each.autocorrelation.value),
            percent(each.turnover_top.value, 0),
        ]
        for each in found.horizons
    ]
    say(table(rows, columns))
    say()
    say(paint(f"IC at {count(main.sessions, 'session')}, by year and by index family", bold=True))
    groups = [
        *(
            (str(year), summary, percent(found.coverage_by_year[year], 0))
            for year, summary in main.by_year.items()
        ),
        *((name, summary, count(found.families[name], "fund")) for name, summary in main.by_family.items()),
        ("between families", main.between_families, ""),
    ]
    say(
        table(
            [_group(*each) for each in groups], ("", "mean IC", "t", "IC > 0", "sessions", "scored or funds")
        )
    )
    say()
    say(LEGEND)


def _group(name: str, summary: MeanSummary, more: str) -> list[str]:
    return [
        name,
        number(summary.mean, 3),
        number(summary.robust_t_statistic.value),
        percent(summary.hit_rate, 0),
        count(summary.dates),
        more,
    ]
