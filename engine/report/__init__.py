"""Reports of results: the tear sheet, the comparison page, and both on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.result import Result

Kind = Literal["html", "png", "pdf"]


def render(result: Result, folder: Path, kind: Kind = "html", *, pyfolio: bool = False) -> list[Path]:
    """Write the tear sheet of a result into a folder that exists; return the files written.

    ``html`` and ``pdf`` are one file each (``tearsheet.html``, ``tearsheet.pdf``); ``png`` is one file for
    each page of ours, ``tearsheet-1.png`` and on. With ``pyfolio`` its figures and tables are on the page
    too; the PDF always has its figures. OSError if the folder cannot be written.
    """
    from engine.metrics import compute_metrics

    metrics = compute_metrics(result)
    if kind == "png":
        from engine.report.paper import write_png

        return write_png(result, metrics, folder)
    path = folder / f"tearsheet.{kind}"
    if kind == "pdf":
        from engine.report.paper import write_pdf

        write_pdf(result, metrics, path)
    else:
        from engine.report.tearsheet import write_tearsheet

        write_tearsheet(result, metrics, path, pyfolio=pyfolio)
    return [path]
