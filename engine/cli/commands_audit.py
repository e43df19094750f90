"""The command that asks whether the numbers of a strategy can be believed."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import UsageError, ValidationError
from data.words import count, number, percent
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_audits, complete_strategy
from engine.cli.options import run_options
from engine.cli.output import Progress, paint, print_json, say, table, warn_of_data
from engine.cli.specs import make_spec, options_in_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine import Opinion

WIDTH = 100
INDENT = " " * 6
WORDS = {True: "PASS", False: "FAIL", None: "info"}
COLOURS = {True: "green", False: "red", None: "cyan"}


@click.command(short_help="Can the numbers of a strategy be believed?")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="Draws of placebo and of luck band.  [200 and 1000]",
)
@click.option(
    "--only",
    metavar="A,B",
    shell_complete=complete_audits,
    help="Ask these audits only; a word of a name will do.  [all]",
)
@run_options
@pass_app
def audit(
    app: App,
    /,
    strategy: str | None,
    draws: int | None,
    only: str | None,
    out: Path,
    as_json: bool,
    no_report: bool,
    **given: Any,
) -> None:
    """Ask of STRATEGY whether its numbers can be believed: a name, path/to/file.py:ClassName, or a spec file.

    look_ahead, purity, warm_up, order_and_scale and timing_luck are gates: exit code 5 where one is missed.
    lag_sensitivity, placebo, luck_band, survivorship and cost_and_capacity inform. The answers are saved with
    the run that they are of, in its folder under --out, as audit.json and as a page.

    Example: etflow audit share_inflow --only look_ahead,placebo --draws 50
    """
    from engine import Watch, audit_job, audit_names, check_writable, open_job

    spec = make_spec(strategy, given)
    written = options_in_file("audit", strategy, given)
    draws = written.get("draws", draws)
    check_writable(out)
    names = audit_names(written.get("only") or _words(only))
    with Progress(app, "audit", total=4 + len(names)) as progress:
        job = open_job(spec, app.catalogue.strategies, Watch(progress.begin), break_seal=given["break_seal"])
        found = audit_job(job, only=names, draws=draws, announce=progress.begin)
        with Watch(progress.begin)("report"):
            file = found.save(out / found.name, report=not no_report)
    warn_of_data(app, job.data_warnings(), spec.data)
    page = None if no_report else file.with_name("audit.html")
    if as_json:
        written = {"folder": str(file.parent), "page": None if page is None else str(page)}
        print_json(found.document() | written)
    elif app.quiet:
        say(str(file.parent))
    else:
        _print(found.document(), found.opinions)
        say()
        say(f"results  {file.parent}")
        if page is not None:
            say(f"page     {page}")
    if found.failed:
        first = found.failed[0]
        raise ValidationError(f"the audit `{first.name}` failed: {first.sentence.rstrip('.')}")


def _words(only: str | None) -> list[str] | None:
    if only is None:
        return None
    words = [word.strip() for word in only.split(",") if word.strip()]
    if not words:
        raise UsageError("--only names no audit", received=repr(only), hint="Leave it out for all.")
    return words


# --- for people ---------------------------------------------------------------------------------------


def _print(document: Mapping[str, Any], opinions: Sequence[Opinion]) -> None:
    data = document["data"]
    say(paint(f"{document['strategy']} on {data['name']}", bold=True))
    if "notice" in document:
        say(paint(document["notice"], fg="yellow"))
    say(
        f"{document['first_day']} to {document['last_day']}: {count(document['sessions'], 'session')}, "
        f"{count(len(data['symbols']), 'fund')}, seed {document['seed']}; "
        f"data from {data['first_day']} to {data['last_day']}"
    )
    for each in opinions:
        say()
        say(f"{paint(WORDS[each.passed], fg=COLOURS[each.passed], bold=True)}  {each.name}")
        for line in [*textwrap.wrap(each.sentence, WIDTH), *_table(each).splitlines()]:
            say(f"{INDENT}{line}".rstrip())


def _table(opinion: Opinion) -> str:
    """Return the curve of an audit as a table; nothing where it has none."""
    details = opinion.details
    if opinion.name == "timing_luck" and details["phases"]:
        phases = zip(range(details["phases"]), details["sharpe_ratio"], details["annual_return"], strict=True)
        return table(
            [[str(a), number(b), percent(c)] for a, b, c in phases],
            ("phase", "Sharpe", "a year"),
        )
    if opinion.name == "lag_sensitivity" and "lags" in details:
        rows = zip(details["lags"], details["sharpe_ratio"], details["annual_return"], strict=True)
        return table([[str(a), number(b), percent(c)] for a, b, c in rows], ("later by", "Sharpe", "a year"))
    if opinion.name == "placebo" and details.get("draws"):
        named = {"in_time": "shuffled in time", "between_funds": "other funds'"}
        return _bands({words: details[kind] for kind, words in named.items()})
    if opinion.name == "luck_band" and details.get("draws"):
        return _bands({"random": details["sharpe_ratio"]})
    if opinion.name == "cost_and_capacity" and "multiples" in details:
        costs = zip(details["multiples"], details["sharpe_ratio"], details["annual_return"], strict=True)
        sizes = zip(details["capitals"], details["capital_annual_return"], details["excess"], strict=True)
        first = table(
            [[f"{a:g}", number(b), percent(c)] for a, b, c in costs], ("costs times", "Sharpe", "a year")
        )
        second = table(
            [[number(a, 0), percent(b), percent(c)] for a, b, c in sizes],
            (f"capital, {details['currency']}", "a year", "excess"),
        )
        return f"{first}\n\n{second}"
    return ""


def _bands(bands: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [
            words,
            *(number(each) for each in band["quantiles"]),
            f"{band['rank']:,} of {band['of']:,}",
            f"{band['p_value']:.3f}",
        ]
        for words, band in bands.items()
    ]
    return table(rows, ("Sharpe of flows" if len(rows) > 1 else "Sharpe", "5%", "50%", "95%", "rank", "p"))
