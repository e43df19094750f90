"""The command line as a whole: the group of commands, and the one place that decides exit codes.

1. ``main`` hands the words of the command line to click (``group``).
2. A command parses its options, calls the library and prints (``commands_*``).
3. What goes wrong comes back here and becomes one line on standard error and an exit code (``_run``).

==== =====================================================================
code meaning
==== =====================================================================
0    done
1    a bug of ours: traceback, please report
2    wrong usage or configuration
3    data missing, or failed their checks
4    the strategy could not be loaded, or raised
5    a validation failed: look-ahead found, drift, no feasible trial
130  interrupted
141  the reader of standard output is gone
==== =====================================================================
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import click

from data.errors import EtflowError, StrategyError, UsageError, did_you_mean, shortened
from engine.cli import output
from engine.cli.app import App, Catalogue
from engine.cli.commands_account import account
from engine.cli.commands_audit import audit
from engine.cli.commands_brief import brief
from engine.cli.commands_data import data
from engine.cli.commands_doctor import doctor
from engine.cli.commands_event import event
from engine.cli.commands_factor import factor
from engine.cli.commands_reconcile import reconcile
from engine.cli.commands_record import record
from engine.cli.commands_run import compare, report, run
from engine.cli.commands_runs import runs
from engine.cli.commands_signal import signal_command
from engine.cli.commands_strategies import strategies
from engine.cli.commands_tune import tune
from engine.cli.commands_validate import validate
from engine.cli.streams import OutputLost, drop_output, secure

DONE, BUG, USAGE, DATA, INTERRUPTED, BROKEN_PIPE, TERMINATED = 0, 1, 2, 3, 130, 141, 143

# What the system answers to a name, a place or a disk that cannot be: no fault of ours.
REFUSALS = {
    getattr(errno, name)
    for name in (
        *("ENAMETOOLONG", "ENOTDIR", "EISDIR", "ELOOP", "EACCES", "EPERM", "EROFS"),
        *("ENOSPC", "EDQUOT", "EFBIG", "EMFILE", "ENFILE", "EIO"),
    )
    if hasattr(errno, name)
}

# Where click is older than 8.2, it prints the help of a group without arguments by itself.
NO_ARGUMENTS: type[click.ClickException] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())

COMMANDS = (
    run,
    compare,
    tune,
    validate,
    audit,
    factor,
    event,
    signal_command,
    account,
    brief,
    report,
    data,
    strategies,
    runs,
    record,
    doctor,
)

HELP = """Backtest strategies that rotate among AI-theme ETFs on fund flows.

\b
etflow run share_inflow                   one backtest on the demo market
etflow data import FILES --data store     your own data
etflow run share_inflow --data store      the same strategy on them
etflow tune share_inflow --param top=1:5  search over its parameters
"""

EPILOG = """\b
Exit codes: 0 done, 1 our bug, 2 wrong usage, 3 data missing or failed checks,
4 strategy failed, 5 validation failed, 130 interrupted,
141 reader of the output gone.

\b
Completion in bash: eval "$(_ETFLOW_COMPLETE=bash_source etflow)"
in zsh: zsh_source instead; in fish: _ETFLOW_COMPLETE=fish_source etflow | source
"""


class Terminated(SystemExit):
    """The system asked this process to end; any other SystemExit is one that a strategy raised."""


class Interrupted(Exception):
    """Ctrl-C, or a reader of our output that is gone, before click makes something else of them."""


@contextmanager
def _past_click() -> Iterator[None]:
    # click would print an empty line for Ctrl-C, exit with 1 for a closed pipe, and take EOFError for Ctrl-C
    try:
        yield
    except EOFError as error:
        raise RuntimeError(f"EOFError: {error}") from error
    except (KeyboardInterrupt, BrokenPipeError) as error:
        raise Interrupted from error


class Commands(click.Group):
    """A group that keeps the order of its commands and answers an unknown one with close matches."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the command line, and print the help where it asks for that."""
        with _past_click():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _past_click():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name those that are close."""
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            hint = did_you_mean(args[0], self.commands)
            ctx.fail(f"There is no command `{args[0]}`. {hint}")
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from engine import version

        click.echo(f"etflow {version()}")
        ctx.exit()


@click.group(cls=Commands, help=HELP, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def group() -> None:
    """Hold the commands; the text for people is ``HELP``."""


signal_command.add_command(reconcile)
for _command in COMMANDS:
    group.add_command(_command)


def main(load_catalogue: Callable[[], Catalogue], args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    load_catalogue : callable without arguments
        Imports the strategies and returns their catalogue; called only by commands that need it.
    args : sequence of str, optional
        Words of the command line; ``sys.argv[1:]`` where there are none given.
    """
    app = App(load_catalogue)
    # pyarrow's own keeps what was freed: 40 MB of a run. It asks for this as it is imported.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    secure()
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        code = _run(app, args)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        drop_output()
        return BROKEN_PIPE
    except OutputLost as error:
        drop_output()
        output.complain(f"standard output takes nothing more: {error}. What the command made is kept.")
        return USAGE
    finally:
        signal.signal(signal.SIGTERM, before)
    return code


def _run(app: App, args: Sequence[str] | None) -> int:
    try:
        if sys.flags.optimize > 1:
            # empyrical-reloaded 0.7.1 formats its own docstrings when it is imported, and there are none.
            raise UsageError(
                "Python runs without docstrings, which libraries that are used here need",
                received="-OO, or PYTHONOPTIMIZE=2",
                hint="Run it with -O, or without.",
            )
        with output.quiet_libraries(app):
            code = group.main(args, standalone_mode=False, obj=app)
        return code if isinstance(code, int) else DONE
    except EtflowError as error:
        if app.verbose:
            traceback.print_exc()
        output.complain(str(error))
        return error.exit_code
    except NO_ARGUMENTS as error:
        error.show()  # the help
        return USAGE
    except click.ClickException as error:
        output.complain(_usage_text(error))
        return USAGE
    except (OutputLost, Terminated):
        raise
    except SystemExit as error:
        if _answered_the_shell(error):
            return error.code if isinstance(error.code, int) else DONE
        output.complain(
            f"the strategy called sys.exit({shortened(str(error.code))}). Raise an error instead."
        )
        return StrategyError.exit_code
    except (Interrupted, KeyboardInterrupt, click.Abort) as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise error.__cause__ from None
        if sys.stderr.isatty():  # which shows ^C
            print(file=sys.stderr)
        output.complain("interrupted; nothing was half-written.")
        return INTERRUPTED
    except MemoryError:
        output.complain("the data do not fit into memory. Take fewer funds or a shorter period.")
        return DATA
    except Exception as error:
        if isinstance(error, OSError) and error.errno in REFUSALS:
            if app.verbose:
                traceback.print_exc()
            named = (
                f" `{shortened(os.fsdecode(error.filename))}`"
                if isinstance(error.filename, str | bytes)
                else ""
            )
            output.complain(f"the system refuses a file{named}: {error.strerror}.")
            return USAGE
        traceback.print_exc()
        output.complain(
            "this is a bug in etflow, not in your input. Please report it with the lines above "
            "and the command that you typed."
        )
        return BUG


def _answered_the_shell(error: SystemExit) -> bool:
    """Return whether this is how click ends once it has completed words for a shell."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name == "_main_shell_completion" for frame, _ in frames)


def _usage_text(error: click.ClickException) -> str:
    text = error.format_message()
    context = getattr(error, "ctx", None)
    return f"{text} See `{context.command_path} --help`." if context is not None else text


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    # As an exception, so that temporary folders are removed on the way out.
    raise Terminated(TERMINATED)
