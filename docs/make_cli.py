"""Write ``docs/cli.md`` from the help of the commands: ``python docs/make_cli.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.cli.main import group

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 100

HEAD = """# Commands

Made from the help texts by `python docs/make_cli.py`; do not edit. `etflow` is the same as
`python run_backtest.py`.

A RUN is the id of a run under `--out`, the beginning of one, the path of its folder, `last`, or `last~2` for
the one two before the last. A strategy may carry its settings: `momentum:lookback=60,top=2`.

Exit codes: 0 done · 1 our bug · 2 wrong usage or configuration · 3 data missing or failed their checks ·
4 the strategy could not be loaded or raised · 5 a validation failed · 130 interrupted ·
141 the reader of the output is gone.

## Completion in the shell

Commands, options, and the names of strategies, their parameters (`--set`, `--param`), costs, metrics,
universes, checks, audits, runs and studies are completed by pressing tab, after one line in the start-up
file of the shell:

```bash
eval "$(_ETFLOW_COMPLETE=bash_source etflow)"    # bash: ~/.bashrc
eval "$(_ETFLOW_COMPLETE=zsh_source etflow)"     # zsh: ~/.zshrc
_ETFLOW_COMPLETE=fish_source etflow | source     # fish: ~/.config/fish/config.fish
```

## Colour

Colour and progress bars appear on a terminal only; `NO_COLOR=1` turns colour off there too.
"""


def make_page() -> str:
    """Return the page: what is said of all commands, then the help of each."""
    return "\n".join([HEAD, *_sections(group, "etflow", None)])


def _sections(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=WIDTH, **group.context_settings
    )
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _sections(command.commands[each], each, context)


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
