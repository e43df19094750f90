"""Workers of dask, reached through the scheduler that they have: the one door to ``distributed``.

The scheduler is one that runs somewhere, or one of our own with processes of this machine. Workers whose
program, libraries or parameter files are not those of this machine are refused.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import resource_tracker
from types import TracebackType
from typing import Any

from data.errors import EtflowError, StrategyError, UsageError
from engine.strategy.loader import MODULE_PREFIX
from engine.tuning.outcome import Evaluate
from engine.tuning.worker import difference_of, identity_of

CONNECT_SECONDS = 10.0
# So long without any worker, and the search ends; one of our own cluster is back after about two seconds.
PATIENCE_SECONDS = 30.0
# Times that a cluster of our own is started: dask lets go of all where one worker dies before it has begun.
STARTS = 3
INSTALL = "Install it, in the clone of etflow: pip install -c constraints.txt -e '.[cluster]'."

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


class DaskClient:
    """A connection to the scheduler at ``address``, or to one of our own with ``own`` worker processes.

    A context manager. ``files`` are files named by parameters, which all machines must have. UsageError where
    distributed is not installed, there is no scheduler, no worker, or workers differ.
    """

    def __init__(self, address: str | None, own: int, files: Sequence[str]) -> None:
        self.address = address
        self._own = own
        self._files = files
        self._stack = contextlib.ExitStack()
        self._dask: Any = None
        self._client: Any = None

    def __enter__(self) -> DaskClient:
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

    @property
    def losses(self) -> tuple[type[BaseException], ...]:
        """What the result of a task raises whose worker disappeared."""
        return OSError, TimeoutError, self._dask.CancelledError, self._dask.KilledWorker

    def threads(self) -> Mapping[str, int]:
        """Return the workers that there are now, by address, and how many threads each has."""
        try:
            found: Mapping[str, int] = self._client.nthreads()
        except self.losses:
            return {}  # the scheduler is gone, or on its way
        return found

    def send(self, value: object) -> Any:
        """Give a value to the workers, which pass it on to each other; return what stands for it in tasks."""
        return self._client.scatter(pickle.dumps(value), hash=False)

    def submit(self, address: str, done: Callable[[Any], None], function: Any, *values: Any) -> Any:
        """Return a task for the worker at ``address``, with which ``done`` is called when it has ended."""
        future = self._client.submit(function, *values, workers=[address], pure=False)
        future.add_done_callback(done)
        return future

    def cancel(self, tasks: Sequence[Any]) -> None:
        """End tasks, None among them being none."""
        wanted = [task for task in tasks if task is not None]
        if wanted and self._running:
            self._client.cancel(wanted, force=True)

    def check_wait(self, seconds: float) -> None:
        """Raise UsageError if there has been no worker for too long, or the scheduler is gone."""
        if not self._running or seconds > PATIENCE_SECONDS:
            raise self._no_workers()

    def packed(self, evaluate: Evaluate) -> bytes:
        """Return what evaluates for sending: a strategy of the user's own file goes by value.

        StrategyError where it has what cannot be sent.
        """
        own = [module for name, module in sys.modules.items() if name.startswith(MODULE_PREFIX)]
        by_value = self._dask.protocol.pickle.cloudpickle
        for module in own:
            by_value.register_pickle_by_value(module)
        try:
            body: bytes = by_value.dumps(evaluate)
        except EtflowError:
            raise
        except Exception as error:
            raise StrategyError(
                "the strategy cannot be sent to workers",
                received=f"{type(error).__name__}: {error}",
                hint="Keep open files, locks and the like out of its class, or use --executor local.",
            ) from error
        finally:
            for module in own:
                by_value.unregister_pickle_by_value(module)
        return body

    @property
    def _running(self) -> bool:
        return bool(self._client.status == "running")

    def _connect(self) -> None:
        dask = self._dask
        target: Any = self.address
        if target is None:
            target = self._own_cluster()
            self._stack.callback(target.close, timeout=CONNECT_SECONDS)
        try:
            with warnings.catch_warnings():
                # Differences are refused later, with a reason of our own.
                warnings.filterwarnings("ignore", category=dask.versions.VersionMismatchWarning)
                self._client = _client_of(dask)(target, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            reason = "no answer" if isinstance(error, OSError) else error
            raise UsageError(
                f"there is no scheduler at {self.address}",
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
            for left in reversed(range(STARTS)):
                try:
                    return self._started(folder)
                except (RuntimeError, OSError, TimeoutError) as error:
                    if not left:
                        raise _failed_to_start(error) from error
        finally:
            if block:
                block(signal.SIG_SETMASK, before)

    def _started(self, folder: str) -> Any:
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

    def _require_same(self) -> None:
        ours = identity_of(self._files)
        try:
            theirs = self._client.run(identity_of, self._files, on_error="return")
        except ImportError as error:
            raise self._cannot_import(error) from error
        except self.losses as error:
            raise self._no_workers() from error
        for address, identity in theirs.items():
            if isinstance(identity, ImportError):
                raise self._cannot_import(identity) from identity
            if isinstance(identity, self.losses):
                continue  # it is gone; whoever comes is asked again when it is given work
            if isinstance(identity, BaseException):
                raise identity
            if different := difference_of(ours, identity):
                raise refused(address, different)

    def _cannot_import(self, error: ImportError) -> UsageError:
        return UsageError(
            f"the workers of {self.address} cannot import etflow",
            received=error,
            hint=f"{INSTALL} Do it where the scheduler runs, and on every worker.",
        )

    def _no_workers(self) -> UsageError:
        return UsageError(
            f"{self.address or 'the cluster'} has no workers",
            limit=f"{PATIENCE_SECONDS:g} s",
            hint=f"{START} What is finished is kept; go on with --resume.",
        )


def _failed_to_start(error: BaseException) -> UsageError:
    return UsageError(
        "worker processes ended while they started",
        received=str(error).rstrip("."),
        limit=f"{STARTS} attempts",
        hint="Look at what memory is free. Use fewer --workers, or --executor local.",
    )


def refused(address: str, reason: str) -> UsageError:
    """Return the error for a worker that would compute something else."""
    return UsageError(
        f"the worker {address} would not give the results of this machine",
        received=reason,
        hint="Install the same versions on all machines, with files of parameters at the same paths.",
    )


def _distributed() -> Any:
    try:
        import distributed
        import distributed.protocol.pickle
    except ImportError as error:
        raise UsageError(
            "--executor dask needs the package distributed",
            received=error,
            hint=INSTALL,
        ) from error
    return distributed


def _client_of(dask: Any) -> Any:
    """Return distributed's client, to be closed by its user alone.

    That of distributed 2026.8.0 closes itself when it is collected. One that could not be made, as for an
    address of no scheme, waits 20 s then, and prints a traceback.
    """
    return type("Client", (dask.Client,), {"__del__": lambda _client: None})


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
