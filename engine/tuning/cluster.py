"""Evaluate parameter sets on many processes, of this machine or of others: the one door to ``distributed``.

1. ``Cluster`` connects to a scheduler, or starts one with worker processes of its own, and refuses workers
   whose program, libraries or parameter files are not those of this machine.
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
import logging
import os
import pickle
import queue
import signal
import sys
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from types import TracebackType
from typing import Any

from data.errors import EtflowError, StrategyError, UsageError
from engine.strategy.loader import MODULE_PREFIX
from engine.tuning.outcome import Evaluate, Outcome, Parameters
from engine.tuning.tune import clean
from engine.tuning.worker import Parcel, difference_of, digest, identity_of, run_piece, take

PIECE_SECONDS, LEAST_SECONDS, MOST_SETS = 1.0, 0.05, 20_000
FIRST_SETS = 32
IN_HAND = 2
# What a scheduler and this process bear; with more workers than that, pieces take longer.
PIECES_A_SECOND = 150
CONNECT_SECONDS, GATHER_SECONDS, TICK_SECONDS = 10.0, 10.0, 0.5
# So long without any worker, and the search ends; one of our own cluster is back after about two seconds.
PATIENCE_SECONDS = 30.0
# A piece that was on so many workers when they disappeared is not given to another.
MOST_DEATHS = 3

START = (
    "Start one with `dask scheduler`, and on each machine `dask worker tcp://HOST:8786 --nworkers -1 "
    "--nthreads 1`."
)

LOGGERS = (
    "distributed",
    "distributed.client",
    "distributed.core",
    "distributed.nanny",
    "distributed.scheduler",
    "distributed.worker",
    "tornado.application",
    "asyncio",
)


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
        self.scheduler = scheduler
        self._evaluate = evaluate
        self._own = workers or os.cpu_count() or 1
        self._files = tuple(files)
        self._stack = contextlib.ExitStack()
        self._workers: dict[str, _Worker] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._parcel: Parcel | None = None
        self._sent: Any = None
        self._expected: list[Outcome] = []
        self._seen = 0.0
        self._refreshed = 0.0
        self._dask: Any = None
        self._client: Any = None

    def __enter__(self) -> Cluster:
        self._dask = _distributed()
        try:
            self._stack.enter_context(_silence())
            self._connect()
            self._require_same()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

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
            self._drop([future for worker in self._workers.values() for future in worker.pieces])
            for worker in self._workers.values():
                worker.pieces.clear()

    # --- connection

    def _connect(self) -> None:
        dask = self._dask
        target: Any = self.scheduler
        if target is None:
            target = self._own_cluster()
            self._stack.callback(target.close, timeout=CONNECT_SECONDS)
        try:
            with warnings.catch_warnings():
                # Differences are refused later, with a reason of our own.
                warnings.filterwarnings("ignore", category=dask.versions.VersionMismatchWarning)
                self._client = dask.Client(target, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            reason = "no answer" if isinstance(error, OSError) else error
            raise UsageError(
                f"there is no scheduler at {self.scheduler}",
                received=reason,
                limit=f"{CONNECT_SECONDS:g} s, tcp://HOST:PORT",
                hint=START,
            ) from error
        self._stack.callback(self._client.close, timeout=CONNECT_SECONDS)
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
        except (OSError, TimeoutError) as error:
            raise self._no_workers() from error

    def _own_cluster(self) -> Any:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        # Ctrl-C reaches all processes of a terminal. Workers inherit that they do not listen to it, so that
        # it is this process that ends them. The tracker unblocks the signal where it is started.
        resource_tracker.ensure_running()
        block = getattr(signal, "pthread_sigmask", None)
        before = block(signal.SIG_BLOCK, {signal.SIGINT}) if block else None
        try:
            return self._dask.LocalCluster(
                n_workers=self._own,
                threads_per_worker=1,
                memory_limit=0,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # any free port, not 8787
                local_directory=folder,
                silence_logs=logging.CRITICAL,
            )
        finally:
            if block:
                block(signal.SIG_SETMASK, before)

    def _require_same(self) -> None:
        ours = identity_of(self._files)
        try:
            theirs = self._client.run(identity_of, self._files)
        except ImportError as error:
            raise UsageError(
                f"the workers of {self.scheduler} cannot import etflow",
                received=error,
                hint="Install `etflow[cluster]` in the environment of the scheduler and of every worker.",
            ) from error
        for address, identity in theirs.items():
            if different := difference_of(ours, identity):
                raise _refused(address, different)

    def _no_workers(self) -> UsageError:
        return UsageError(
            f"{self.scheduler or 'the cluster'} has no workers",
            limit=f"{PATIENCE_SECONDS:g} s",
            hint=f"{START} What is finished is kept; go on with --resume.",
        )

    def _pack(self, check: Sequence[Parameters]) -> Parcel:
        own = [module for name, module in sys.modules.items() if name.startswith(MODULE_PREFIX)]
        by_value = self._dask.protocol.pickle.cloudpickle
        for module in own:
            by_value.register_pickle_by_value(module)
        try:
            body = by_value.dumps(self._evaluate)
        except Exception as error:
            raise StrategyError(
                "the strategy cannot be sent to workers",
                received=f"{type(error).__name__}: {error}",
                hint="Keep open files, locks and the like out of its class, or use --executor local.",
            ) from error
        finally:
            for module in own:
                by_value.unregister_pickle_by_value(module)
        name = digest(body + os.urandom(8))
        return Parcel(name, identity_of(self._files), self._files, body, pickle.dumps(list(check)))

    # --- workers

    def _look(self) -> Iterator[_Piece]:
        """See which workers there are; yield pieces of those that disappeared, send new ones the parcel."""
        now = time.monotonic()
        if now - self._refreshed < TICK_SECONDS:
            return
        self._refreshed = now
        there: Mapping[str, int] = self._client.nthreads()
        for address in [each for each in self._workers if each not in there]:
            gone = self._workers.pop(address)
            self._drop([*gone.pieces, gone.taking])
            for piece in gone.pieces.values():
                yield self._died(piece)
        for address, threads in there.items():
            self._workers.setdefault(address, _Worker(threads))
        if self._workers:
            self._seen = now
        elif self._client.status != "running" or now - self._seen > PATIENCE_SECONDS:
            raise self._no_workers()
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
                self._sent = self._client.scatter(pickle.dumps(self._parcel), hash=False)
            worker.taking = self._submit(address, take, self._sent, worker.threads)
            at_it.add(machine)

    def _submit(self, address: str, function: Any, *values: Any) -> Any:
        future = self._client.submit(function, *values, workers=[address], pure=False)
        future.add_done_callback(self._done.put)
        return future

    def _drop(self, futures: Sequence[Any]) -> None:
        wanted = [future for future in futures if future is not None]
        if wanted and self._client.status == "running":
            self._client.cancel(wanted, force=True)

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
        except (OSError, TimeoutError, self._dask.CancelledError, self._dask.KilledWorker):
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
        except (OSError, TimeoutError, self._dask.CancelledError, self._dask.KilledWorker):
            worker.taking = None
            return
        worker.taking = None
        if isinstance(found, str):
            raise _refused(address, found)
        for ours, theirs in zip(map(clean, self._expected), map(clean, found), strict=True):
            if ours.metrics != theirs.metrics or (ours.failure is None) != (theirs.failure is None):
                raise _refused(address, f"of the same set it makes {_differing_outcome(ours, theirs)}")
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


def _refused(address: str, reason: str) -> UsageError:
    return UsageError(
        f"the worker {address} would not give the results of this machine",
        received=reason,
        hint="Install the same versions on all machines, with files of parameters at the same paths.",
    )


def _differing_outcome(ours: Outcome, theirs: Outcome) -> str:
    if theirs.failure is not None:
        return f"the failure: {theirs.failure}"
    name = next((each for each, value in ours.metrics.items() if theirs.metrics.get(each) != value), None)
    if name is None:
        return f"no failure, but here: {ours.failure}"
    return f"{name} {theirs.metrics.get(name)!r}, here it is {ours.metrics[name]!r}"


def _machine(address: str) -> str:
    return address.rpartition(":")[0]


def _distributed() -> Any:
    try:
        import distributed
        import distributed.protocol.pickle
    except ImportError as error:
        raise UsageError(
            "--executor dask needs the package distributed",
            received=error,
            hint="Install it with: pip install 'etflow[cluster]'.",
        ) from error
    return distributed


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the log of distributed, which reports every worker that comes or goes, off the terminal."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
