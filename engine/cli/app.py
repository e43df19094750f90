"""What all commands share: the catalogue of strategies, how much to say, the version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import click


class Catalogue(NamedTuple):
    """What the command line knows of strategies, given to it from outside.

    ``strategies`` is the table of the built-in ones, name to class; ``new_strategy(name, folder)`` returns
    the file, the class name and the source of a new one.
    """

    strategies: Mapping[str, type[Any]]
    new_strategy: Callable[[str, Path], tuple[Path, str, str]]


@dataclass
class App:
    """State of one call of the command line.

    Attributes
    ----------
    load_catalogue : callable
        Imports the strategies, which takes time; called when a command first asks for ``catalogue``.
    verbose, quiet : bool
        Set by ``-v`` and ``--quiet`` of whichever command runs.
    """

    load_catalogue: Callable[[], Catalogue]
    verbose: bool = False
    quiet: bool = False

    @cached_property
    def catalogue(self) -> Catalogue:
        """The strategies, imported now."""
        return self.load_catalogue()


pass_app = click.make_pass_decorator(App)
