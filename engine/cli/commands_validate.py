"""The command that judges a study: splits, overfitting statistics, warnings, one word; and the hold-out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.app import App, pass_app
from engine.cli.options import data_option, json_option, out_option, verbosity
from engine.cli.output import Progress, note_compiling, paint, percent, print_json, ratio, say, table

if TYPE_CHECKING:
    from engine.tuning.evaluate import Evaluator
    from engine.tuning.holdout import Opened
    from engine.tuning.space import Space
    from engine.tuning.study import Study
    from engine.verdict.verdict import Report

SPLITS = ("both", "walkforward", "cpcv", "none")
COLOURS = {"supported": "green", "unproven": "yellow", "rejected": "red", "withheld": "yellow"}
STEPS = 5


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
@click.argument("study")
@splits_options
@click.option("--open-holdout", is_flag=True, help="Try the best trial on the hold-out: once, on record.")
@click.option("--no-report", is_flag=True, help="Leave the study's page as it is.")
@data_option
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
    out: Path,
    as_json: bool,
    **sizes: int | None,
) -> None:
    """Judge STUDY by what all its trials did: an id, or a folder.

    Prints one page with a verdict in one word, and writes it to the study's folder. Trials are run again from
    their parameters, which takes seconds. With --open-holdout the best trial also runs on the sessions that
    `tune --holdout` kept shut; that works once.

    Example: etflow validate share_inflow-study-1a2b3c4d
    """
    from engine.pipeline import Watch
    from engine.tuning.holdout import open_holdout as open_now
    from engine.tuning.holdout import opened
    from engine.tuning.reopen import reopen

    note_compiling(app)
    with Progress(app, "validate", total=2 * STEPS) as progress:
        watch = Watch(progress.begin)
        again = reopen(study, out, app.catalogue.strategies, watch, data)
        report = judge(again.study, again.evaluate, again.space, splits, sizes, progress)
        if open_holdout:
            open_now(again, app.catalogue.strategies, out, watch)
        found = opened(again.study.folder)
        if not no_report:
            write_page(again.study, again.evaluate, again.space, report)
    if as_json:
        print_json(judgement_document(report, found))
    else:
        print_judgement(app, report)
        if found is not None:
            say()
            print_holdout(found)
        say()
        say(f"study  {again.study.folder}")


def judge(
    study: Study,
    evaluate: Evaluator,
    space: Space,
    splits: str,
    sizes: Mapping[str, int | None],
    progress: Progress,
) -> Report:
    """Return the judgement of a study, which is written to ``verdict.json`` beside it."""
    import json

    from engine.cli.output import plain
    from engine.results.runs import whole_file, writing
    from engine.tuning.judge import SplitSizes, judge_study
    from engine.verdict.text import document

    wanted = SplitSizes(**sizes)
    report = judge_study(study, evaluate, space, splits=splits, sizes=wanted, announce=progress.begin)
    place = study.folder / "verdict.json"
    with writing(study.folder), whole_file(place) as path:
        path.write_text(json.dumps(plain(document(report)), ensure_ascii=False, indent=2) + "\n")
    return report


def write_page(study: Study, evaluate: Evaluator, space: Space, report: Report | None) -> None:
    """Write ``study.html``, with the judgement in it if there is one; what that ran is known to the page."""
    from engine.report.study_page import STUDY_PAGE, write_study_page
    from engine.report.verdict_section import verdict_section
    from engine.results.runs import writing
    from engine.tuning.landscape import landscape

    found = landscape(study, space, None if report is None else evaluate)
    with writing(study.folder):
        section = None if report is None else verdict_section(report)
        write_study_page(study, found, study.folder / STUDY_PAGE, section)


def remake_page(app: App, study: str, out: Path) -> str:
    """Judge a study, write its page, and return where that lies."""
    from engine.pipeline import Watch
    from engine.report.study_page import STUDY_PAGE
    from engine.tuning.reopen import reopen

    note_compiling(app)
    with Progress(app, "report", total=2 * STEPS) as progress:
        again = reopen(study, out, app.catalogue.strategies, Watch(progress.begin))
        sizes = dict.fromkeys(SIZES)
        report = judge(again.study, again.evaluate, again.space, "both", sizes, progress)
        write_page(again.study, again.evaluate, again.space, report)
    return str(again.study.folder / STUDY_PAGE)


def judgement_document(report: Report, found: Opened | None) -> dict[str, Any]:
    """Return the document of a judgement; ``holdout`` is None while it is shut."""
    from engine.verdict.text import document

    return {**document(report), "holdout": None if found is None else dict(vars(found))}


def print_judgement(app: App, report: Report) -> None:
    """Print the page; warnings go to standard error too where the output is no terminal."""
    from engine.verdict.text import render

    first, _, rest = render(report).partition("\n")
    say(paint(first, bold=True, fg=COLOURS[report.verdict.word]))
    for line in rest.rstrip("\n").split("\n"):
        say(paint(line, fg="red") if line.startswith("WARNING") else line)


def print_holdout(found: Opened) -> None:
    """Print what came out of the hold-out, and when it was opened."""
    metrics: Mapping[str, float | None] = found.metrics
    say(paint(f"Hold-out, opened {found.at}", bold=True))
    rows = [
        ("sessions", f"{found.first_day} to {found.last_day}"),
        ("trial", str(found.trial)),
        ("total return", percent(metrics["cum_returns_final"])),
        ("annual return", percent(metrics["annual_return"])),
        ("Sharpe ratio", ratio(metrics["sharpe_ratio"])),
        ("maximum drawdown", percent(metrics["max_drawdown"])),
        ("run", found.run_id),
    ]
    say(table(rows, left=2))
