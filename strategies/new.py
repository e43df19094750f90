"""A new strategy for the user to start from: the source of ``template.py`` under another name."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path

from data.errors import UsageError


def new_strategy(name: str, folder: Path = Path()) -> tuple[Path, str, str]:
    """Return the file, the class name and the source of a new strategy called ``name`` in ``folder``.

    ``my_flow`` (or ``my-flow``, ``MyFlow``) gives ``my_flow.py`` with the class ``MyFlow``. UsageError if
    the name cannot be that of a Python module.
    """
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).replace("-", "_").lower().split("_")
    module = "_".join(words)
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", module) or keyword.iskeyword(module):
        raise UsageError(
            "a strategy's name becomes the name of a Python module",
            received=repr(name),
            limit="letters, digits and _, beginning with a letter",
            hint="For instance: strategies new my_flow.",
        )
    class_name = "".join(word.capitalize() for word in words)
    template = resources.files("strategies").joinpath("template.py").read_text(encoding="utf-8")
    path = folder / f"{module}.py"
    source = re.sub(r"\bTemplate\b", class_name, template)
    return path, class_name, source.replace("THIS_FILE.py", path.as_posix())
