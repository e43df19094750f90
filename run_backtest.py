"""The command line: ``python run_backtest.py COMMAND ...``, and once installed ``etflow COMMAND ...``."""

from __future__ import annotations

import sys

from engine.cli.app import Catalogue
from engine.cli.main import main as run_command_line


def load_catalogue() -> Catalogue:
    """Import the strategies; done only by commands that need them."""
    from strategies import STRATEGIES, new_strategy

    return Catalogue(STRATEGIES, new_strategy)


def main() -> int:
    """Run the command line and return its exit code."""
    return run_command_line(load_catalogue)


if __name__ == "__main__":
    sys.exit(main())
