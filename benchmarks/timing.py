"""How long something takes, and how much memory this process has had."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_clock: Callable[[], float] = time.perf_counter


def count_cpu_seconds() -> None:
    """Time in CPU seconds of all threads from now on, instead of those of a clock."""
    global _clock
    _clock = time.process_time


def peak_megabytes() -> float:
    """Return the most memory that this process has had; what its parent had does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024.0
    unit = 1024.0 * 1024.0 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long ``work`` takes, and what it returns."""
    begun = _clock()
    result = work()
    return _clock() - begun, result
