"""Evaluate parameter sets on many processes, of this machine or of others.

1. ``Cluster`` connects to the workers of a scheduler (``engine.tuning.dask_client``), which are refused where
   they are not like this machine.
2. What evaluates, with its panel, is packed once and handed to the scheduler's workers, which pass it on to
   each other; a strategy of the user's own file is packed by value, so that no worker needs the file.
3. A worker unpacks it, compiles or loads the machine code (the first of each machine alone, so that the
   others find it compiled), and runs one set: its outcome must be that of this machine, to the bit.
4. Each worker has two pieces of the sets at a time, one to run and one in hand. Sizes follow the clock of
   the worker; a piece takes about a second. Outcomes are handed on in the order of the sets.

A piece whose worker disappears is done again by another. Nothing depends on who does what: outcomes are those
of ``evaluate`` itself. A worker runs one piece at a time, on as many threads of the batch engine as it has.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from data.errors import EtflowError, StrategyError
from engine.tuning.dask_client import DaskClient, refused
from engine.tuning.outcome import Evaluate, Outcome, Parameters
from engine.tuning.tune import clean
from engine.tuning.worker import Parcel, digest, identity_of, run_piece, take

PIECE_SECONDS, LEAST_SECONDS, MOST_SETS = 1.0, 0.05, 20_000
FIRST_SETS = 32
IN_HAND = 2
# What a scheduler and this process bear; with more workers than that, pieces take longer.
PIECES_A_SECOND = 150
GATHER_SECONDS, TICK_SECONDS = 10.0, 0.5
# A piece that was on so many workers when they disappeared is not given to another.
MOST_DEATHS = 3


@dataclass
class _Piece:
    """Sets ``first`` to ``last`` (exclusive), and how many workers disappeared that had them."""

    first: int
    last: int
    deaths: int = 0


@dataclass
class _Worker:
    """What is known of a worker: its task of unpacking, its pieces, its pace."""

    threads: int
    taking: Any = None
    ready: bool = False
    pieces: dict[Any, _Piece] = field(default_factory=dict)
    sets: int = 0
    seconds_a_set: float = 0.0

    def size(self, fair: int, seconds: float) -> int:
        """Return how many sets to give next: of ``seconds``; ``fair`` of them keep all busy to the end."""
        if not self.sets:
            return min(fair, FIRST_SETS)
        wanted = min(int(seconds / max(self.seconds_a_set, 1e-9)), 4 * self.sets, MOST_SETS)
        least = int(LEAST_SECONDS / max(self.seconds_a_set, 1e-9))
        return max(1, min(wanted, max(fair, least)))


class Cluster:
    """Runs ``evaluate`` on the workers of ``scheduler``, or on ``workers`` processes of its own.

    A context manager, and an ``Evaluate`` that works ahead (``parts``). ``files`` are files named by
    parameters, which all machines must have. UsageError where distributed is not installed, there is no
    scheduler, no worker, or workers differ; StrategyError for sets that end one worker after another.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        *,
        scheduler: str | None = None,
        workers: int | None = None,
        files: Sequence[str] = (),
    ) -> None:
        self._files = tuple(files)
        self._client = DaskClient(scheduler, workers or os.cpu_count() or 1, self._files)
        self._evaluate = evaluate
        self._workers: dict[str, _Worker] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._parcel: Parcel | None = None
        self._sent: Any = None
        self._expected: list[Outcome] = []
        self._seen = 0.0
        self._refreshed = 0.0

    def __enter__(self) -> Cluster:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    def __call__(self, sets: Sequence[Parameters]) -> list[Outcome]:
        """Return the outcome of each set, in their order."""
        return [outcome for part in self.parts(sets) for outcome in part]

    @property
    def workers(self) -> tuple[str, ...]:
        """The addresses of the workers that have been given work."""
        return tuple(address for address, worker in self._workers.items() if worker.ready)

    def parts(self, sets: Sequence[Parameters]) -> Generator[list[Outcome]]:
        """Yield the outcomes of ``sets`` in their order, some at a time, as soon as they are there."""
        if not sets:
            return
        if self._parcel is None:
            self._parcel = self._pack(sets[:1])
            self._expected = self._evaluate(sets[:1])
        again: deque[_Piece] = deque()
        found: dict[int, tuple[int, list[Outcome]]] = {}
        begun = handed = 0
        self._seen = time.monotonic()
        try:
            while handed < len(sets):
                again.extend(self._look())
                begun = self._give(sets, begun, again)
                for future in self._finished():
                    piece, outcomes = self._received(future)
                    if piece is not None and outcomes is None:
                        again.append(piece)
                    elif piece is not None and outcomes is not None:
                        found[piece.first] = (piece.last, outcomes)
                part: list[Outcome] = []
                while handed in found:
                    handed, outcomes = found.pop(handed)
                    part += outcomes
                if part:
                    yield part
        finally:
            self._client.cancel([future for worker in self._workers.values() for future in worker.pieces])
            for worker in self._workers.values():
                worker.pieces.clear()

    # --- workers

    def _pack(self, check: Sequence[Parameters]) -> Parcel:
        body = self._client.packed(self._evaluate)
        name = digest(body + os.urandom(8))
        return Parcel(name, identity_of(self._files), self._files, body, pickle.dumps(list(check)))

    def _look(self) -> Iterator[_Piece]:
        """See which workers there are; yield pieces of those that disappeared, send new ones the parcel."""
        now = time.monotonic()
        if now - self._refreshed < TICK_SECONDS:
            return
        self._refreshed = now
        there = self._client.threads()
        for address in [each for each in self._workers if each not in there]:
            gone = self._workers.pop(address)
            self._client.cancel([*gone.pieces, gone.taking])
            for piece in gone.pieces.values():
                yield self._died(piece)
        for address, threads in there.items():
            self._workers.setdefault(address, _Worker(threads))
        if self._workers:
            self._seen = now
        else:
            self._client.check_wait(now - self._seen)
        self._hand_out()

    def _hand_out(self) -> None:
        """Send the parcel to workers that do not have it; to the others of a machine after the first."""
        if self._sent is not None and self._sent.status != "finished":
            self._sent = None
        machines = {_machine(a) for a, worker in self._workers.items() if worker.ready}
        at_it = {_machine(a) for a, worker in self._workers.items() if worker.taking is not None}
        for address, worker in self._workers.items():
            if worker.taking is not None and worker.taking.status in ("lost", "cancelled"):
                worker.taking = None
            machine = _machine(address)
            if worker.ready or worker.taking is not None or machine in at_it - machines:
                continue
            if self._sent is None:
                try:
                    self._sent = self._client.send(self._parcel)
                except self._client.losses:
                    return  # those who were there are gone; they are looked for again
            worker.taking = self._submit(address, take, self._sent, worker.threads)
            at_it.add(machine)

    def _submit(self, address: str, function: Any, *values: Any) -> Any:
        return self._client.submit(address, self._done.put, function, *values)

    # --- pieces

    def _give(self, sets: Sequence[Parameters], begun: int, again: deque[_Piece]) -> int:
        """Fill the hands of all workers; return how many sets have been given."""
        assert self._parcel is not None
        ready = [(address, worker) for address, worker in self._workers.items() if worker.ready]
        seconds = max(PIECE_SECONDS, len(ready) / PIECES_A_SECOND)
        for hand in range(IN_HAND):
            for address, worker in ready:
                if len(worker.pieces) > hand or not (again or begun < len(sets)):
                    continue
                if again:
                    piece = again.popleft()
                else:
                    fair = -(-(len(sets) - begun) // (IN_HAND * len(ready)))
                    piece = _Piece(begun, min(begun + worker.size(fair, seconds), len(sets)))
                    begun = piece.last
                packed = pickle.dumps(list(sets[piece.first : piece.last]))
                worker.pieces[self._submit(address, run_piece, self._parcel.name, packed)] = piece
        return begun

    def _finished(self) -> Iterator[Any]:
        """Wait a moment for tasks to end, and yield those that did."""
        with contextlib.suppress(queue.Empty):
            yield self._done.get(timeout=TICK_SECONDS)
            while True:
                yield self._done.get_nowait()

    def _received(self, future: Any) -> tuple[_Piece | None, list[Outcome] | None]:
        """Return the piece of a task, with its outcomes; without them it has to be done again."""
        for address, worker in self._workers.items():
            if worker.taking is future:
                self._taken(address, worker)
                return None, None
            if future in worker.pieces:
                piece = worker.pieces.pop(future)
                break
        else:
            return None, None  # of a worker that disappeared, or of an earlier call
        try:
            outcomes, seconds = future.result(timeout=GATHER_SECONDS)
        except EtflowError:
            raise
        except self._client.losses:
            return self._died(piece), None
        finally:
            future.release()
        if outcomes is None:  # another process at the address of an earlier one
            worker.ready, worker.taking = False, None
            return piece, None
        worker.sets, worker.seconds_a_set = len(outcomes), seconds / len(outcomes)
        return piece, outcomes

    def _taken(self, address: str, worker: _Worker) -> None:
        try:
            found = worker.taking.result(timeout=GATHER_SECONDS)
        except self._client.losses:
            worker.taking = None
            return
        worker.taking = None
        if isinstance(found, str):
            raise refused(address, found)
        for ours, theirs in zip(map(clean, self._expected), map(clean, found), strict=True):
            if ours.metrics != theirs.metrics or (ours.failure is None) != (theirs.failure is None):
                raise refused(address, f"of the same set it makes {_differing_outcome(ours, theirs)}")
        worker.ready = True
        self._refreshed = 0.0

    def _died(self, piece: _Piece) -> _Piece:
        piece.deaths += 1
        if piece.deaths > MOST_DEATHS:
            raise StrategyError(
                f"{piece.deaths} workers ended while they had the same {piece.last - piece.first} sets",
                limit=MOST_DEATHS,
                hint="Look at the workers' memory and logs. What is finished is kept; go on with --resume.",
            )
        return piece


def _differing_outcome(ours: Outcome, theirs: Outcome) -> str:
    if theirs.failure is not None:
        return f"the failure: {theirs.failure}"
    name = next((each for each, value in ours.metrics.items() if theirs.metrics.get(each) != value), None)
    if name is None:
        return f"no failure, but here: {ours.failure}"
    return f"{name} {theirs.metrics.get(name)!r}, here it is {ours.metrics[name]!r}"


def _machine(address: str) -> str:
    return address.rpartition(":")[0]
