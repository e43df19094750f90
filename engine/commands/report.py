"""``report``: the page of a run or of a study once more, as HTML, PDF or PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from data.errors import UsageError
from engine.commands.validate import validate
from engine.pipeline import Watch
from engine.results.folder import load
from engine.results.runs import find, writing
from engine.tuning.study import find_study

Kind = Literal["html", "pdf", "png"]


def make_report(
    word: str | Path,
    catalogue: Mapping[str, type[Any]],
    out: str | Path = "results",
    *,
    kind: Kind = "html",
    pyfolio: bool = False,
    trust: bool = False,
    watch: Watch | None = None,
) -> tuple[str, list[Path]]:
    """Make the tear sheet of a run again, or the page of a study with its judgement; return id and files.

    ``word`` is an id under ``out``, the beginning of one, a folder, or ``last``; ``catalogue`` are strategies
    by name, for a study, and ``trust`` lets it run a strategy's file that this user has never named. With
    ``pyfolio`` the page of a run has its figures and tables too.
    """
    watch = watch or Watch()
    study = find_study(str(word), Path(out))
    if study is not None:
        if kind != "html":
            raise UsageError("the page of a study is HTML only", received=kind, hint="Leave out --format.")
        judged = validate(study, catalogue, out=out, trust=trust, watch=watch)
        return study.name, [judged.save()]
    from engine.report import render

    folder = find(str(word), Path(out))
    result = load(folder)
    with watch("tear sheet"), writing(folder):
        return result.name, render(result, folder, kind, pyfolio=pyfolio)
