"""The command that judges a study: splits, overfitting statistics, warnings, one word; and the hold-out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.words import number, percent
from engine import SPLITS
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_study
from engine.cli.options import (
    allow_option,
    json_option,
    other_data_option,
    out_option,
    trust_option,
    verbosity,
)
from engine.cli.output import (
    JUDGEMENT_STEPS,
    Progress,
    note_compiling,
    paint,
    print_json,
    say,
    table,
)

if TYPE_CHECKING:
    from engine import Opened, Report

COLOURS = {"supported": "green", "unproven": "yellow", "rejected": "red", "withheld": "yellow"}

# Options that are sizes of splits, under the names that ``SplitSizes`` has.
SIZES = {
    "train_size": "Sessions to choose on, of a walk-forward.  [two years]",
    "test_size": "Sessions that follow.  [a quarter]",
    "folds": "Folds of the combinatorial splits, two of which are tested at a time.  [10]",
    "purged_size": "Sessions left out before a test.  [the slowest rebalancing, and one]",
    "embargo_size": "Sessions left out after a test as well.  [the slowest rebalancing]",
}


def splits_options(command: Any) -> Any:
    """Add ``--splits``, and the sizes of splits."""
    for name, text in reversed(SIZES.items()):
        word = "--" + name.replace("_", "-")
        command = click.option(word, name, type=click.IntRange(min=0), metavar="N", help=text)(command)
    return click.option(
        "--splits",
        type=click.Choice(SPLITS),
        default="both",
        show_default=True,
        help="Out-of-sample tests: walk-forward, combinatorial purged folds, both, or none.",
    )(command)


@click.command(short_help="Judge a study: can its best trial be believed?")
@click.argument("study", shell_complete=complete_study)
@splits_options
@click.option("--open-holdout", is_flag=True, help="Try the best trial on the hold-out: once, on record.")
@click.option("--no-report", is_flag=True, help="Leave the study's page as it is.")
@other_data_option
@allow_option
@trust_option
@out_option
@json_option
@verbosity
@pass_app
def validate(
    app: App,
    /,
    study: str,
    splits: str,
    open_holdout: bool,
    no_report: bool,
    data: str | None,
    allow: tuple[str, ...],
    trust: bool,
    out: Path,
    as_json: bool,
    **sizes: int | None,
) -> None:
    """Judge STUDY by what all its trials did: an id, a folder, or `last`.

    Prints one page with a verdict in one word, and writes it to the study's folder. Trials are run again from
    their parameters, which takes seconds. With --open-holdout the best trial also runs on the sessions that
    `tune --holdout` kept shut; that works once. The code of the strategy that STUDY names runs; a file
    that you have never run by its name needs --trust.

    Example: etflow validate share_inflow-study-1a2b3c4d
    """
    from engine import SplitSizes, Watch
    from engine import validate as judge_study

    note_compiling(app)
    with Progress(app, "validate", total=2 * JUDGEMENT_STEPS) as progress:
        judged = judge_study(
            study,
            app.catalogue.strategies,
            out=out,
            data=data,
            splits=splits,
            sizes=SplitSizes(**sizes),
            open_holdout=open_holdout,
            allow=allow,
            trust=trust,
            watch=Watch(progress.begin),
        )
        if not no_report:
            judged.save()
    if as_json:
        print_json(judged.document())
    else:
        print_judgement(app, judged.report)
        if judged.holdout is not None:
            say()
            print_holdout(judged.holdout)
        say()
        say(f"study  {judged.study.folder}")


def print_judgement(app: App, report: Report) -> None:
    """Print the page; warnings go to standard error too where the output is no terminal."""
    from engine import judgement_text

    first, _, rest = judgement_text(report).partition("\n")
    say(paint(first, bold=True, fg=COLOURS[report.verdict.word]))
    for line in rest.rstrip("\n").split("\n"):
        say(paint(line, fg="red") if line.startswith("WARNING") else line)


def print_holdout(found: Opened) -> None:
    """Print what came out of the hold-out, when it was opened, and who had seen it before."""
    metrics: Mapping[str, float | None] = found.metrics
    if found.seen:
        say(paint(f"Hold-out, opened {found.when}: seen before, it confirms nothing", bold=True, fg="red"))
    else:
        say(paint(f"Hold-out, opened {found.when}: not seen before, as far as is on record", bold=True))
    rows = [
        ("sessions", f"{found.first_day} to {found.last_day}"),
        ("trial", str(found.trial)),
        ("total return", percent(metrics["cum_returns_final"])),
        ("annual return", percent(metrics["annual_return"])),
        ("Sharpe ratio", number(metrics["sharpe_ratio"])),
        ("maximum drawdown", percent(metrics["max_drawdown"])),
        ("run", found.run_id),
    ]
    say(table(rows, left=2))
    if found.seen:
        say()
        say("what had looked at these sessions")
        for each in found.looks:
            say(f"  {each}")
