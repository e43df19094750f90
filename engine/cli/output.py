"""What people and scripts see: tables, JSON, colour, progress, warnings.

Results go to standard output, everything else to standard error. Colour and progress bars appear on a
terminal only, and colour not where ``NO_COLOR`` is set (https://no-color.org).
"""

from __future__ import annotations

import os
import sys
import threading
import time
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from types import TracebackType
from typing import Any, TextIO

import click

from data.words import NOT_AVAILABLE, count, number
from engine.cli.app import App
from engine.cli.streams import can_print

BAR_WIDTH = 24
BARS = "▁▂▃▄▅▆▇█"
PATIENCE_SECONDS = 2.0
REPAINT_SECONDS = 0.2


def colourful(stream: TextIO) -> bool:
    """Return whether text on ``stream`` may be coloured."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, stream: TextIO | None = None, **style: Any) -> str:
    """Return ``text`` in the style of ``click.style`` where the stream (standard output) shows colour."""
    return click.style(text, **style) if colourful(stream or sys.stdout) else text


def say(text: str = "") -> None:
    """Print one result line for people to standard output."""
    print(text)


def complain(text: str) -> None:
    """Print one error line to standard error."""
    line = " ".join(text.split())
    print(f"{paint('error:', sys.stderr, fg='red', bold=True)} {line}", file=sys.stderr)


def warn(app: App, text: str) -> None:
    """Print one warning line to standard error, unless ``--quiet``."""
    if not app.quiet:
        print(f"{paint('warning:', sys.stderr, fg='yellow')} {text}", file=sys.stderr)


def warn_of_data(app: App, said: Sequence[str], name: str) -> None:
    """Print the warnings about the data ``name``: the first of each check, and how many follow."""
    groups: dict[str, list[str]] = {}
    for text in said:
        head, colon, _ = text.partition(": ")
        groups.setdefault(head if colon else text, []).append(text)
    for texts in groups.values():
        head = texts[0].partition(": ")[0]
        more = f" ({count(len(texts) - 1, 'more finding')} of `{head}`)" if len(texts) > 1 else ""
        warn(app, f"data: {texts[0]}{more}")
    if groups:
        note(app, f"All that the checks find: etflow data check --data {name}")
    _warn_of_record(app, name)


def _warn_of_record(app: App, name: str) -> None:
    """Print a warning where lines of the record of the data are lost: among them may be a hold-out shut."""
    from engine import lines_lost

    lost = lines_lost(name)
    if lost:
        warn(
            app,
            f"record: {count(lost, 'line')} damaged, missing or moved, so that a hold-out may be shut "
            f"without a word, and no search is judged. What to do: etflow doctor --data {name}",
        )


def note(app: App, text: str) -> None:
    """Print one line of information to standard error, unless ``--quiet``."""
    if not app.quiet:
        print(text, file=sys.stderr)


def note_compiling(app: App) -> None:
    """Say that the batch engine is compiled first, where it is not kept from an earlier call."""
    from engine import must_compile

    if must_compile():
        note(app, "The batch engine is compiled first: once, about ten seconds.")


@contextmanager
def quiet_libraries(app: App) -> Iterator[None]:
    """Show the warnings of libraries, one line each, with ``-v`` only."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if app.verbose:
            warn(app, f"{message} ({category.__name__}, {filename}:{lineno})")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


# --- JSON ---------------------------------------------------------------------------------------------


def print_json(document: object) -> None:
    """Print ``document`` to standard output as one JSON document; NaN and infinity become null."""
    from engine import json_text, plain

    found = plain(document)
    text = json_text(found)
    print(text if can_print(text) else json_text(found, ascii=True))


# --- tables -------------------------------------------------------------------------------------------


def table(
    rows: Sequence[Sequence[str]],
    header: Sequence[str] = (),
    *,
    left: int = 1,
    left_too: Sequence[int] = (),
) -> str:
    """Return rows of text as aligned columns: the first ``left`` and ``left_too`` to the left, others right.

    Chinese characters count as two columns of the terminal, as they are drawn.
    """
    lines = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    if not lines:
        return ""
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    text = [
        "  ".join(
            _pad(cell, width, to_the_left=index < left or index in left_too)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    if header:
        text[0] = paint(text[0], bold=True)
    return "\n".join(text)


def sparkline(values: Sequence[float], width: int) -> str:
    """Return numbers as a row of bars, one a letter, from the lowest to the highest of those that are shown.

    Of more numbers than ``width`` so many are shown, evenly spread, the first and the last among them. Empty
    where standard output has no bars, or where there is nothing to compare.
    """
    if len(values) < 2 or width < 2 or not can_print(BARS):
        return ""
    count = min(width, len(values))
    shown = [values[place * (len(values) - 1) // (count - 1)] for place in range(count)]
    low, spread = min(shown), max(shown) - min(shown)
    return "".join(
        BARS[int((each - low) / spread * (len(BARS) - 1) + 0.5) if spread else 0] for each in shown
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, width: int, *, to_the_left: bool) -> str:
    space = " " * (width - _width(text))
    return text + space if to_the_left else space + text


def points(value: float | None) -> str:
    """Return basis points with their sign, which zero does not have; ``n/a`` where they are undefined."""
    shown = number(value)
    return f"+{shown}" if value is not None and round(value, 2) > 0.0 else shown


def money(value: float | None, currency: str = "") -> str:
    """Return money with thousands separated, ``n/a`` where it is undefined."""
    shown = number(value)
    return shown if shown == NOT_AVAILABLE else f"{shown} {currency}".rstrip()


def cell(value: object) -> str:
    """Return a cell of a table: whole numbers with thousands separated, None as nothing."""
    return count(value) if isinstance(value, int) else "" if value is None else str(value)


# --- progress -----------------------------------------------------------------------------------------


JUDGEMENT_STEPS = 5  # that a judgement announces


class Progress:
    """A progress bar on standard error, for what takes longer than two seconds at a terminal.

    ``with Progress(app, "import", total=8) as progress: progress.step("bars.csv")``. Nothing is drawn
    where standard error is no terminal, or with ``--quiet``. A thread repaints it, so that it also lives
    within a step that says nothing. What a strategy prints meanwhile goes to standard error: standard output
    is ours.
    """

    def __init__(self, app: App, label: str, total: int) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self.text = ""
        self._wanted = sys.stderr.isatty() and not app.quiet
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._paint, daemon=True)
        self._started = 0.0
        self._drawn = False
        self._aside = redirect_stdout(sys.stderr)

    def __enter__(self) -> Progress:
        self._started = time.monotonic()
        self._aside.__enter__()
        if self._wanted:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._aside.__exit__(kind, error, trace)
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def begin(self, text: str) -> None:
        """Say what is being done now; the step before it is done."""
        if self.text:
            self.done += 1
        self.text = text

    def update(self, done: int, total: int, text: str = "") -> None:
        """Say how much of how much is done."""
        self.done, self.total, self.text = done, total, text or self.text

    def _paint(self) -> None:
        self._stop.wait(PATIENCE_SECONDS)
        while not self._stop.is_set():
            sys.stderr.write(f"\r\x1b[K{self._line()}")
            sys.stderr.flush()
            self._drawn = True
            self._stop.wait(REPAINT_SECONDS)

    def _line(self) -> str:
        filled = BAR_WIDTH * self.done // max(self.total, 1)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        seconds = time.monotonic() - self._started
        return f"{self.label} [{bar}] {self.done}/{self.total} {self.text} {seconds:.0f} s"
