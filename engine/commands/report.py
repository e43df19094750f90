"""``report``: the page of a run or of a study once more, and on paper."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from engine.commands.run import Run
from engine.pipeline import Watch
from engine.results.runs import TEARSHEET, find, writing
from engine.tuning.study import find_study

Paper = Literal["pdf", "png"]


def check_printable(papers: Collection[Paper]) -> None:
    """Raise UsageError if pages are to be printed, and there is nothing to print them with."""
    if papers:
        from engine.report.paper import require_browser

        require_browser()


def print_page(page: Path, papers: Collection[Paper]) -> list[Path]:
    """Print a page onto ``papers``, each beside it under its name, and return the files.

    UsageError where nothing prints, or the disk does not allow it.
    """
    if not papers:
        return []
    from engine.report import paper

    with writing(page.parent):
        return paper.print_page(page, papers)


def make_report(
    word: str | Path,
    catalogue: Mapping[str, type[Any]],
    out: str | Path = "results",
    *,
    papers: Collection[Paper] = (),
    pyfolio: bool = False,
    allow: Sequence[str] = (),
    trust: bool = False,
    watch: Watch | None = None,
) -> tuple[str, list[Path]]:
    """Make the tear sheet of a run again, or the page of a study with its judgement; return id and files.

    It is printed onto ``papers`` too. UsageError where nothing prints.
    ``word`` is an id under ``out``, the beginning of one, a folder, or ``last``; ``catalogue`` are strategies
    by name, for a study, ``allow`` are checks of its data that may fail besides, and ``trust`` lets it run a
    strategy's file that this user has never named. With ``pyfolio`` the page of a run has its figures and
    tables too.
    """
    watch = watch or Watch()
    check_printable(papers)
    study = find_study(str(word), Path(out))
    if study is not None:
        from engine.commands.validate import validate

        page = validate(study, catalogue, out=out, allow=allow, trust=trust, watch=watch).save()
        return study.name, [page, *print_page(page, papers)]
    folder = find(str(word), Path(out))
    run = Run.load(folder)
    with watch("tear sheet"), writing(folder):
        page = run.report(folder / TEARSHEET, pyfolio=pyfolio)
        return run.name, [page, *print_page(page, papers)]
