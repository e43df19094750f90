"""The command line: ``python run_backtest.py COMMAND ...``, and once installed ``etflow COMMAND ...``."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.cli.app import Catalogue


def load_catalogue() -> Catalogue:
    """Import the strategies; done only by commands that need them."""
    from engine.cli.app import Catalogue
    from strategies import STRATEGIES, new_strategy

    return Catalogue(STRATEGIES, new_strategy)


def main() -> int:
    """Run the command line and return its exit code."""
    # Before numpy is loaded: a sweep has threads of its own, and products of our size keep a second one
    # of the library busy with waiting. One thread also adds in one order, however many cores there are.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Python looks for garbage once there are 700 objects more. Modules are loaded and stay: looking at them
    # again and again takes a fifteenth of a short command.
    gc.set_threshold(50_000)
    # Every eleventh look is one at all that has been loaded so far: count from here on.
    gc.collect(1)
    # At the end all goes with the process: looking for garbage in it once more is a sixth of a `run`. What a
    # strategy of somebody's own has open is closed so: then it is looked for (`engine.strategy.loader`).
    atexit.register(gc.freeze)
    try:
        from engine.cli.main import main as run_command_line

        return run_command_line(load_catalogue)
    except KeyboardInterrupt:  # while modules load, before the command line can answer
        print("error: interrupted; nothing was half-written.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
