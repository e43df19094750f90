"""What a strategy asks besides its arguments: files, network, clock, environment, chance, the market itself.

Files, network and processes are seen by the interpreter's audit events, calls of the clock and the like by
its profiler. Counted is what the strategy's own code asks, itself or through a library; not what a library
asks for its own sake, nor code that is loaded. A watch of intervals (``time.perf_counter``) tells no time.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib"))
INSTALLED = tuple(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))
OURS = tuple(str(ROOT / name) for name in ("engine", "data", "run_backtest.py"))
SYSTEM = ("/proc", "/sys", "/dev", "/etc/localtime", "/usr/share/zoneinfo")
CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".dylib")

EVENTS = {
    "socket.connect": "network",
    "socket.getaddrinfo": "network",
    "socket.gethostbyname": "network",
    "urllib.Request": "network",
    "subprocess.Popen": "process",
    "os.system": "process",
    "os.posix_spawn": "process",
    "os.listdir": "file",
    "os.scandir": "file",
    "sqlite3.connect": "file",
    "open": "file",
}
"""Audit events by what they are; the first argument says of what."""

CALLS = {
    **{("time", name): "clock" for name in ("time", "time_ns", "localtime", "gmtime", "ctime", "strftime")},
    **{("posix", name): "chance" for name in ("urandom", "getrandom")},
    **{("nt", name): "chance" for name in ("urandom",)},
    **{("posix", name): "environment" for name in ("getpid", "uname", "getlogin", "getcwd")},
    ("_socket", "gethostname"): "environment",
}
"""Functions of the interpreter that answer otherwise each time, by module and name."""
NOW = ("now", "today", "utcnow")
LOADERS = {str(ROOT / "data" / "load.py"): "load_panel", str(ROOT / "data" / "store" / "store.py"): "read"}
"""Where a strategy would load the market itself, by file and function."""


class Watching:
    """Notes what is asked while it is on, once each, as kind and name, in order."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], None] = {}
        self._on = False
        sys.addaudithook(self._event)
        os.environ.__class__ = _environ(self)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch within the block."""
        self._on = True
        sys.setprofile(self._call)
        threading.setprofile(self._call)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
            self._on = False

    def note(self, kind: str, name: str) -> None:
        """Write down what the strategy's own code asks for."""
        self.seen[kind, name] = None

    def environment(self, name: object, frame: FrameType | None) -> None:
        """Write down that a variable of the environment was asked for by the strategy's own code."""
        if self._on and asks_itself(frame):
            self.note("environment", str(name))

    def _event(self, event: str, given: tuple[Any, ...]) -> None:
        kind = EVENTS.get(event) if self._on else None
        if kind is None or not _on_stack(sys._getframe()):
            return
        what = given[1] if event in ("socket.connect",) else given[0] if given else ""
        if kind == "file" and (not isinstance(what, str | bytes | os.PathLike) or _is_code(os.fspath(what))):
            return
        self.note(kind, os.fsdecode(what) if isinstance(what, str | bytes | os.PathLike) else str(what))

    def _call(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "call":
            wanted = LOADERS.get(frame.f_code.co_filename)
            if wanted == frame.f_code.co_name and _on_stack(frame):
                self.note("market", wanted)
        elif event == "c_call":
            kind = _kind(called)
            if kind and asks_itself(frame):
                owner = getattr(called, "__module__", None) or "datetime"
                self.note(kind, f"{owner}.{called.__name__}")


def _kind(called: Any) -> str | None:
    name = getattr(called, "__name__", "")
    if name in NOW and getattr(called.__self__, "__name__", "") in ("datetime", "date"):
        return "clock"
    return CALLS.get((getattr(called, "__module__", None) or "", name))


def _environ(watching: Watching) -> type[Any]:
    kind: type[Any] = type(os.environ)

    class Environ(kind):  # type: ignore[misc]
        def __getitem__(self, key: Any) -> Any:
            watching.environment(key, sys._getframe(1))
            return super().__getitem__(key)

    return Environ


def is_own(frame: FrameType) -> bool:
    """Return whether a frame is of code of the strategy: of no library, and not of the engine."""
    return not _is_library(frame.f_code.co_filename) and not _is_foreign(frame.f_code.co_filename)


def asks_itself(frame: FrameType | None) -> bool:
    """Return whether the strategy's own code asks, itself or through the standard library; not in a log."""
    while frame is not None and _is_library(frame.f_code.co_filename):
        if Path(frame.f_code.co_filename).parent.name == "logging":
            return False
        frame = frame.f_back
    return frame is not None and is_own(frame)


def _on_stack(frame: FrameType | None) -> bool:
    """Return whether code of the strategy asks, itself or through any library; not where one is imported."""
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        if is_own(frame):
            return True
        frame = frame.f_back
    return False


def _is_library(file: str) -> bool:
    return file.startswith("<") or (file.startswith(LIBRARY) and not file.startswith(INSTALLED))


def _is_foreign(file: str) -> bool:
    return file.startswith(INSTALLED) or file.startswith(OURS)


def _is_code(path: str | bytes) -> bool:
    name = os.fsdecode(path)
    place = os.path.abspath(name)
    return name.endswith(CODE) or place.startswith((*LIBRARY, *INSTALLED, *OURS, *SYSTEM))
