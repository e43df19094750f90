"""A strategy asked in a process of its own: ``python -m engine.audits.apart REQUEST ANSWER``.

The process has never asked it anything before, and watches what it asks for besides its arguments
(``engine.audits.watching``). Files of pickles go in and out.
"""

from __future__ import annotations

import builtins
import io
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import EtflowError
from data.panel.panel import Ingredients
from data.scenarios.noise import PARTS, with_noise
from engine.audits.answers import OTHER_SHAPE, Answer, answer_of
from engine.audits.watching import Watching
from engine.spec import Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.fresh import fresh, renewed
from engine.strategy.loader import Place


@dataclass(frozen=True)
class Ask:
    """One question: about the market whose future from ``row`` on is noise (None: the real one).

    ``inputs`` are other files by the paths of those that the strategy declares, read instead of them.
    """

    row: int | None = None
    inputs: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Request:
    """What a process is to do: the place of the strategy, the market, how it is traded, the questions."""

    place: Place
    given: Ingredients
    conditions: Conditions
    first: int
    last: int
    asks: tuple[Ask, ...]


@dataclass(frozen=True)
class Reply:
    """What it answered to each question, or the error that it ended with; what it asked for besides."""

    answers: tuple[Answer, ...]
    error: str
    seen: tuple[tuple[str, str], ...]


def main(request: str, reply: str) -> None:
    """Answer the request in a file into another."""
    with open(request, "rb") as file:
        asked: Request = pickle.load(file)
    answered = answer(asked)
    with open(reply, "wb") as file:
        pickle.dump(answered, file)


def answer(request: Request) -> Reply:
    """Return what the strategy says to all questions, in their order."""
    watching, error = Watching(), ""
    answers: list[Answer] = []
    strategy: Adapter | None = None
    real = request.given.build()
    try:
        for ask in request.asks:
            panel, last = real, request.last
            if ask.row is not None:
                parts = [part for part in PARTS if part not in OTHER_SHAPE]
                noise = with_noise(request.given, ask.row, request.conditions.seed, parts)
                panel, last = noise.build(), ask.row
            with _reading(ask.inputs or {}), watching.on():
                strategy = strategy or request.place.load()
                copied = fresh(strategy) if answers else renewed(strategy)
                answers.append(answer_of(copied, panel, request.first, last, request.conditions))
    except EtflowError as raised:
        error = str(raised)
    return Reply(tuple(answers), error, tuple(watching.seen))


@contextmanager
def _reading(others: Mapping[str, str]) -> Iterator[None]:
    """Read other files instead of those by whose absolute paths they are given, within the block."""
    real: Callable[..., Any] = builtins.open

    def opened(file: Any, *given: Any, **named: Any) -> Any:
        with suppress(TypeError):  # it may be the number of a file that is open
            file = others.get(str(Path(file).resolve()), file)
        return real(file, *given, **named)

    if others:
        builtins.open = io.open = opened
    try:
        yield
    finally:
        builtins.open = io.open = real


if __name__ == "__main__":
    # As a module of its own name, so that what it pickles is found again.
    from engine.audits import apart

    apart.main(*sys.argv[1:])
