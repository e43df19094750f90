"""Asking a vendor: patiently, a bounded number of times, and never twice for the same answer.

1. An answer on file is taken, unless it was given before what it is about had settled (``Connection._kept``).
2. Otherwise the vendor is asked. A network that breaks or a vendor that throttles is given time and asked
   again, four times at most; after that the same function gets one try only, until it answers. One that still
   says "too often", or that hung, is left alone (``Connection._patiently``).
3. The answer goes on file as the vendor gave it, and is read back from there, so that rows are the same to
   the bit whether they came over the network or from the file. ``data import`` reads these files too.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from data.atomic import whole_file
from data.errors import DataError, EtflowError, UsageError
from data.folders import cache_folder
from data.importing.readers import read_cells
from data.providers.provider import NoAnswer, Provider, Request, Verdict

WAITS: Mapping[Verdict, tuple[float, ...]] = {"again": (1.0, 3.0, 9.0), "later": (15.0, 30.0, 60.0)}
# Waits are longer by up to this share, so that machines that failed together do not ask again together.
JITTER = 0.25
TRIES = 4
# Most functions of the vendors' libraries set no limit of their own and can hang for ever; the longest that
# answer, ten years of NAV in pages of twenty rows, take about a minute.
LIMIT_SECONDS = 180.0
# Late rows and corrections come within days; after that an answer on file is as good as a new one.
SETTLING = timedelta(days=7)
FRESH_SECONDS = 3600.0
_HALF_TEXT = 100


class Hung(Exception):
    """No answer within the limit."""


class Connection:
    """Asks one provider, and keeps its answers on file.

    Parameters
    ----------
    provider : Provider
    folder : Path, optional
        Where answers are kept; ``answers`` in the cache folder of etflow if None.
    refresh : bool
        Take no answer that is older than this connection.
    sleep : callable
        Waits for a number of seconds.
    seed : int
        Draws the jitter of the waits.
    """

    def __init__(
        self,
        provider: Provider,
        folder: Path | None = None,
        *,
        refresh: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        seed: int = 0,
    ) -> None:
        self.provider = provider
        self.calls = 0
        # Another version of the library may name or count the same columns otherwise.
        answers = folder or (cache_folder() or Path(".etflow-cache")) / "answers"
        self.folder = answers / f"{provider.name}-{provider.version}"
        self._oldest = time.time() if refresh else 0.0
        self._sleep = sleep
        self._random = random.Random(seed)
        self._failing: set[str] = set()
        self._left_alone: dict[str, str] = {}

    def ask(self, request: Request) -> pd.DataFrame:
        """Return the answer's cells as text, no rows if there are none; DataError if nobody answers."""
        path = self._path(request)
        cells = self._kept(path, request)
        if cells is not None:
            return cells
        answer = self._patiently(request)
        if answer is None or answer.empty:
            return pd.DataFrame()
        self._keep(answer, path)
        return read_cells(path)

    def forget(self, request: Request) -> None:
        """Drop the answer on file, so that it is asked for again."""
        self._path(request).unlink(missing_ok=True)

    def _path(self, request: Request) -> Path:
        return self.folder / f"{request.name}.csv.gz"

    def _kept(self, path: Path, request: Request) -> pd.DataFrame | None:
        try:
            given = path.stat().st_mtime
        except OSError:
            return None
        settled = date.fromtimestamp(given) > request.last + SETTLING
        if given < self._oldest or not (settled or time.time() - given < FRESH_SECONDS):
            return None
        try:
            return read_cells(path)
        except DataError:
            return None

    def _keep(self, answer: pd.DataFrame, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as temporary:
                answer.to_csv(temporary, index=False, compression={"method": "gzip", "compresslevel": 1})
        except OSError as error:
            raise UsageError(
                f"cannot write the answers of {self.provider.name} to `{path.parent}`",
                received=error.strerror or str(error),
                hint="Name a folder that you may write in the environment variable ETFLOW_CACHE.",
            ) from None

    def _patiently(self, request: Request) -> pd.DataFrame | None:
        function = request.function
        if function in self._left_alone:
            raise DataError(f"{request} was not requested after that", received=self._left_alone[function])
        tries = 1 if function in self._failing else TRIES
        for number in range(1, tries + 1):
            if self.calls:
                self._sleep(self.provider.pause)
            self.calls += 1
            verdict, answer, failure = self._once(request)
            if verdict is None or verdict == "empty":
                self._failing.discard(function)
                return answer
            if verdict == "failed":
                raise _unanswered(request, number, failure)
            if number < tries:
                self._sleep(WAITS[verdict][number - 1] * (1 + JITTER * self._random.random()))
        self._failing.add(function)
        if verdict == "later":
            self._left_alone[function] = failure
        raise _unanswered(request, tries, failure)

    def _once(self, request: Request) -> tuple[Verdict | None, pd.DataFrame | None, str]:
        """Ask once: no verdict if there is an answer, else what its absence means, and how it was told."""
        try:
            return None, _within_limit(lambda: self.provider.call(request)), ""
        except EtflowError:
            raise
        except Hung as error:
            self._left_alone[request.function] = str(error)
            return "failed", None, str(error)
        except Exception as error:
            told = str(error) if isinstance(error, NoAnswer) else f"{type(error).__name__}: {error}"
            return self.provider.judge(error), None, told


def _unanswered(request: Request, tries: int, failure: str) -> DataError:
    told = " ".join(failure.split())
    # The cause of a failed connection stands at the end, behind a long address.
    short = told if len(told) <= 2 * _HALF_TEXT else f"{told[:_HALF_TEXT]} ... {told[-_HALF_TEXT:]}"
    return DataError(f"{request} failed" + (f" {tries} times" if tries > 1 else ""), received=short)


def _within_limit(call: Callable[[], pd.DataFrame | None]) -> pd.DataFrame | None:
    """Call in a thread that is left behind if it hangs; what the vendor prints goes to standard error."""
    answers: list[pd.DataFrame | None] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            answers.append(call())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    with redirect_stdout(sys.stderr):
        thread.start()
        thread.join(LIMIT_SECONDS)
    if errors:
        raise errors[0]
    if not answers:
        raise Hung(f"no answer within {LIMIT_SECONDS:.0f} seconds")
    return answers[0]
