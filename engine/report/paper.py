"""A page on paper: the whole page as a PDF, or as one picture, printed by a browser without a window.

The rules of print of ``style.css`` hold for both: light colours, still pictures, everything unfolded. Nothing
but a browser draws all of it as it is on the page: WeasyPrint 68 knows no variables within SVG, so that
charts come out black, and lets wide ones fall out of their grid. Nothing is asked of the network, and the
same page printed by the same browser gives the same bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from data.atomic import whole_file
from data.errors import UsageError

Paper = Literal["pdf", "png"]
PAPERS: tuple[Paper, ...] = ("pdf", "png")

VARIABLE = "ETFLOW_BROWSER"
BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "msedge", "brave-browser"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PATIENCE = 180  # seconds
SCRIPTS = 10_000  # milliseconds of the page's own time, so that whatever it draws is drawn
WIDTH, SHEET = 820, 720  # pixels, of a picture and of what is printed
DENSITY, TALLEST = 1.5, 16_000  # of a picture: pixels for one of the page, and the most that a browser draws

_HEIGHT = "data-height"
_AROUND = "<style>body { padding: 0 30px 30px; } figure.wide .picture svg { max-height: none; }</style>"
_PROBE = (
    "<script>addEventListener('load', () => setTimeout(() => document.documentElement.setAttribute("
    f"'{_HEIGHT}', document.documentElement.scrollHeight), 500));</script>"
)


def require_browser() -> str:
    """Return the browser that prints; UsageError where there is none."""
    named = os.environ.get(VARIABLE)
    for name in (named,) if named else BROWSERS:
        if found := shutil.which(name):
            return found
    raise UsageError(
        "there is no browser to print a page with",
        received=f"{VARIABLE}={named}" if named else "none of Chromium, Chrome, Edge and Brave",
        hint=f"Install Chromium or Chrome, or name one in {VARIABLE}; or open the HTML page and print it.",
    )


def print_page(page: Path, papers: Collection[Paper]) -> list[Path]:
    """Print a page onto ``papers``, each beside it under its name; return the files, in the order of PAPERS.

    Each is written whole or not at all. UsageError where there is no browser, or it does not print.
    """
    if not papers:
        return []
    browser = require_browser()
    made = []
    for paper in PAPERS:
        if paper in papers:
            path = page.with_suffix(f".{paper}")
            with whole_file(path) as temporary, tempfile.TemporaryDirectory() as room:
                write = _pdf if paper == "pdf" else _png
                temporary.write_bytes(write(browser, page.resolve(), Path(room)))
            made.append(path)
    return made


def _pdf(browser: str, page: Path, room: Path) -> bytes:
    path = room / "page.pdf"
    _run(
        browser,
        [f"--window-size={SHEET},1000", "--no-pdf-header-footer", f"--print-to-pdf={path}", page.as_uri()],
        room,
    )
    document = path.read_bytes() if path.exists() else b""
    if not document.startswith(b"%PDF"):
        raise _refused(browser, "wrote no PDF")
    # The hour of printing, overwritten by as many signs: places of objects are counted in bytes.
    return re.sub(rb"(/(?:Creation|Mod)Date \(D:)\d{14}", rb"\g<1>20000101000000", document)


def _png(browser: str, page: Path, room: Path) -> bytes:
    # A browser knows the format by the name.
    path = room / "page.png"
    text = page.read_text(encoding="utf-8").replace("@media print {", "@media all {")
    copy = room / "page.html"
    copy.write_text((_AROUND + _PROBE).join(_cut(text)), encoding="utf-8")
    dom = _run(browser, [f"--window-size={WIDTH},1000", "--dump-dom", copy.as_uri()], room)
    found = re.search(rf'{_HEIGHT}="(\d+)"', dom)
    if found is None:
        raise _refused(browser, "does not say how tall the page is")
    height = int(found[1])
    density = min(DENSITY, TALLEST / height)
    options = [
        f"--window-size={WIDTH},{height}",
        f"--force-device-scale-factor={density:.3f}",
        "--hide-scrollbars",
        f"--screenshot={path}",
        copy.as_uri(),
    ]
    _run(browser, options, room)
    picture = path.read_bytes() if path.exists() else b""
    if not picture.startswith(b"\x89PNG"):
        raise _refused(browser, "wrote no picture")
    return picture


def _cut(text: str) -> tuple[str, str]:
    """Return a page before and from the end of its body."""
    head, end, tail = text.rpartition("</body>")
    return head, end + tail


def _run(browser: str, options: Sequence[str], room: Path) -> str:
    """Run a browser without a window, with a profile of its own and no network; return what it says."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0  # who may not have a sandbox
    command = [
        browser,
        *("--headless", "--disable-gpu", "--no-first-run", "--disable-extensions"),
        *(("--no-sandbox",) if root else ()),
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={room / 'profile'}",
        f"--virtual-time-budget={SCRIPTS}",
        *options,
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise _refused(browser, f"did not end within {PATIENCE} seconds") from None
    except OSError as error:
        raise _refused(browser, error.strerror or str(error)) from error
    return done.stdout.decode("utf-8", errors="replace")


def _refused(browser: str, what: str) -> UsageError:
    return UsageError(
        f"{browser} cannot print the page: it {what}",
        hint=f"Name another browser in {VARIABLE}, or open the HTML page and print it there.",
    )
