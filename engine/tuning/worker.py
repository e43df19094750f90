"""What a worker of a cluster does: it takes what evaluates once, and then runs pieces of the sets with it.

Sent by ``engine.tuning.cluster`` to processes that may be on other machines, each with an etflow of its own;
one whose program, libraries or files are not those of the sender is refused, with the difference named.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import pickle
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.spec import versions
from engine.tuning.outcome import Evaluate, Outcome


@dataclass(frozen=True)
class Parcel:
    """What every worker gets once: ``body`` holds what evaluates, ``check`` the sets that are tried."""

    name: str
    identity: Mapping[str, str]
    files: tuple[str, ...]
    body: bytes
    check: bytes


_held: dict[str, Evaluate] = {}
_one_at_a_time = threading.Lock()


def identity_of(files: Sequence[str]) -> dict[str, str]:
    """Return all that must be the same on every machine: versions, sources, files that parameters name."""
    found = versions() | {"numba": importlib.metadata.version("numba")}
    kept = {name: found[name] for name in ("python", "etflow", "numpy", "pandas", "numba")}
    kept["python"] = kept["python"].rpartition(".")[0]  # 3.11, without the patch
    kept["etflow's sources"] = _source()
    for name in files:
        place = Path(name)
        kept[f"file {name}"] = digest(place.read_bytes()) if place.is_file() else "missing"
    return kept


def _source() -> str:
    """Return a hash of all modules."""
    root = Path(__file__).parents[2]
    found = {path for floor in ("data", "strategies", "engine") for path in root.glob(f"{floor}/**/*.py")}
    return digest(b"".join(path.read_bytes() for path in sorted(found)))


def digest(content: bytes) -> str:
    """Return a short hash."""
    return hashlib.sha256(content).hexdigest()[:16]


def take(packed: bytes, threads: int) -> str | list[Outcome]:
    """Unpack and try what evaluates; return the outcomes, or in words why this worker must not be used."""
    parcel: Parcel = pickle.loads(packed)
    different = difference_of(parcel.identity, identity_of(parcel.files))
    if different:
        return different
    with _one_at_a_time:
        try:
            evaluate = pickle.loads(parcel.body)
        except ImportError as error:
            return f"{error}; install it there, or put what is imported into the strategy's file"
        except Exception as error:  # whatever the strategy's file does when it is executed there
            return f"the strategy cannot be made there: {type(error).__name__}: {error}"
        if hasattr(evaluate, "workers"):
            evaluate.workers = threads
        _held.clear()
        _held[parcel.name] = evaluate
        outcomes: list[Outcome] = evaluate(pickle.loads(parcel.check))
        return outcomes


def run_piece(name: str, packed: bytes) -> tuple[list[Outcome] | None, float]:
    """Return outcomes and the seconds they took; None where this process does not hold what evaluates."""
    with _one_at_a_time:
        if name not in _held:
            return None, 0.0
        started = time.perf_counter()
        outcomes = _held[name](pickle.loads(packed))
        return outcomes, time.perf_counter() - started


def difference_of(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """Return in words what of an identity differs there; empty if nothing is."""
    differing = (name for name in ours if theirs.get(name) != ours[name])
    return ", ".join(f"{name} {theirs.get(name, 'missing')} instead of {ours[name]}" for name in differing)
