"""Searches on real worker processes: the bytes of a study, deaths, strangers, refusals, interruption."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import backtrader as bt
import pytest

import run_backtest
from data.demo import Demo
from data.errors import StrategyError, UsageError
from data.load import load_panel
from engine.cli.main import main
from engine.pipeline import OpenMarket
from engine.spec import Spec
from engine.strategy.adapters import adapt
from engine.strategy.loader import load_strategy, parameters_of, strategy_class
from engine.tuning import cluster, dask_client, worker
from engine.tuning.cluster import Cluster
from engine.tuning.evaluate import Evaluator
from engine.tuning.outcome import InParts, Outcome
from engine.tuning.space import Space
from engine.tuning.study import studies_in
from tests.helpers.tuning import evaluate, goal_of_words, search_in, space_of

ROOT = Path(run_backtest.__file__).parent
SMALL = ("--symbols", "157001.SZ,157002.SZ,157003.SZ", "--end", "2021-09-30")
GOAL = goal_of_words("sharpe_ratio")
SPACE = space_of("lookback=3:60", "top=1:5")
MINE = """
from __future__ import annotations
from dataclasses import dataclass
from strategies.momentum import Momentum

FACTOR = 2.0

def doubled(values):
    return values * FACTOR

@dataclass(frozen=True, kw_only=True)
class Mine(Momentum):
    def scores(self, known):
        return doubled(super().scores(known))
"""

CROSS = """
import backtrader as bt

class Base(bt.Strategy):
    params = (("part", 0.3),)

class Cross(Base):
    params = (("period", 10),)

    def __init__(self):
        self.averages = [bt.indicators.SMA(data.close, period=self.p.period) for data in self.datas]

    def next(self):
        for data, average in zip(self.datas, self.averages):
            self.order_target_percent(data, self.p.part if data.close[0] > average[0] else 0.0)
"""

pytestmark = pytest.mark.filterwarnings(
    # Sockets and loops of distributed that are closed by the collector of garbage, not by itself.
    "ignore:unclosed:ResourceWarning",
)


class Machines:
    """A scheduler and workers without nanny, in folders of their own, as the guide starts them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, workers: int) -> None:
        file = self.folder / "scheduler.json"
        words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        self._run("scheduler", *words)
        # The scheduler makes the file first, and writes it then.
        until(lambda: file.is_file() and file.read_text().endswith("}"))
        self.address = json.loads(file.read_text())["address"]
        for _ in range(workers):
            self.add()

    def add(self) -> None:
        words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder))
        self.workers.append(self._run("worker", self.address, *words))

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(timeout=30)


def until(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def machines(tmp_path_factory, own_folders):
    """Two workers that stay for all tests of this module."""
    started = Machines(tmp_path_factory.mktemp("machines"))
    try:
        started.start(2)
        yield started
    finally:
        started.stop()


@pytest.fixture
def mortal(tmp_path):
    """Two workers to be killed."""
    started = Machines(tmp_path)
    try:
        started.start(2)
        yield started
    finally:
        started.stop()


@pytest.fixture
def here(capsys, tmp_path, monkeypatch):
    """Run the command line within this process, in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(run_backtest.load_catalogue, [str(word) for word in words])
        return code, *capsys.readouterr()

    return call


class Slowly:
    """Made-up outcomes that take their time; ``workers`` is set by whoever unpacks it."""

    workers: int | None = None

    def __init__(self, seconds: float = 0.01) -> None:
        self.seconds = seconds

    def __call__(self, sets):
        time.sleep(self.seconds * len(sets))
        return evaluate(sets)


def pid_as_metric(sets):
    return [Outcome({"sharpe_ratio": float(os.getpid())}) for _ in sets]


def kept(out: Path) -> bytes:
    (folder,) = studies_in(out)
    return (folder / "study.jsonl").read_bytes()


def search(out: Path, evaluator, method: str = "grid", trials: int | None = None, **more) -> bytes:
    return search_in(out, SPACE, GOAL, method, trials, evaluator=evaluator, **more)[0].read_bytes()


@pytest.mark.parametrize(("method", "trials"), [("grid", None), ("random", 120), ("tpe", 60)])
def test_a_study_made_by_workers_has_the_bytes_of_a_local_one(machines, tmp_path, method, trials):
    with Cluster(evaluate, scheduler=machines.address) as workers:
        assert isinstance(workers, InParts)
        assert search(tmp_path / "far", workers, method, trials) == search(
            tmp_path / "near", evaluate, method, trials
        )
        assert 1 <= len(workers.workers) <= 2


@pytest.mark.slow
def test_a_strategy_file_need_not_be_on_the_workers(machines, here):
    Path("mine.py").write_text(MINE)
    words = ("tune", "mine.py:Mine", "--param", "lookback=3:20", "--param", "top=1:3", *SMALL)
    assert here(*words, "--out", "near", "--executor", "local", "--workers", 1)[0] == 0
    code, printed, complained = here(
        *words, "--out", "far", "--executor", "dask", "--scheduler", machines.address
    )
    assert (code, [line for line in complained.splitlines() if "compiled" not in line]) == (0, [])
    assert kept(Path("far")) == kept(Path("near"))
    assert b'"failure":"' not in kept(Path("far"))
    assert "the same on the reference engine" in printed
    assert not list(machines.folder.rglob("mine.py"))


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_costs_its_piece_only(mortal, tmp_path):
    slowly = Slowly()
    killed = []

    def kill_one(state):
        if state.done > 40 and not killed:
            killed.append(mortal.workers[0].pid)
            mortal.workers[0].send_signal(signal.SIGKILL)

    with Cluster(slowly, scheduler=mortal.address) as workers:
        far = search(tmp_path / "far", workers, progress=kill_one)
        assert killed
        assert len(workers.workers) == 1
    assert far == search(tmp_path / "near", evaluate)


@pytest.mark.slow
def test_workers_may_all_die_and_others_come(mortal, tmp_path):
    def replace_all(state):
        if state.done > 40 and len(mortal.workers) == 2:
            mortal.add()
            for worker in mortal.workers[:2]:
                worker.send_signal(signal.SIGKILL)

    with Cluster(Slowly(), scheduler=mortal.address) as workers:
        assert search(tmp_path / "far", workers, progress=replace_all) == search(tmp_path / "near", evaluate)


@pytest.mark.slow
def test_a_search_without_workers_ends_and_can_be_resumed(mortal, tmp_path, monkeypatch):
    def kill_all(state):
        if state.done > 40:
            monkeypatch.setattr(dask_client, "PATIENCE_SECONDS", 1.0)
            for worker in mortal.workers:
                worker.send_signal(signal.SIGKILL)

    with (
        Cluster(Slowly(), scheduler=mortal.address) as workers,
        pytest.raises(UsageError, match=rf"{mortal.address} has no workers.*dask worker.*--resume"),
    ):
        search(tmp_path / "far", workers, progress=kill_all)
    with (
        pytest.raises(UsageError, match="has no workers"),
        Cluster(Slowly(), scheduler=mortal.address),
    ):
        pass
    assert kept(tmp_path / "far").count(b'{"number"') > 40
    whole = search(tmp_path / "near", evaluate)
    assert whole.startswith(kept(tmp_path / "far"))
    assert search(tmp_path / "far", evaluate, resume=True) == whole


@pytest.mark.slow
def test_a_worker_of_our_own_that_is_killed_comes_back(tmp_path):
    def kill_all(state):
        if state.done > 40 and not killed:
            for pid in workers._client._client.run(os.getpid).values():
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)

    killed: list[int] = []
    with Cluster(Slowly(), workers=1) as workers:
        assert search(tmp_path / "far", workers, progress=kill_all) == search(tmp_path / "near", evaluate)
    assert killed


def test_a_cluster_whose_workers_die_as_they_start_is_started_again(monkeypatch):
    starts = []

    def started(_self, folder):
        starts.append(folder)
        if len(starts) < fails:
            raise RuntimeError("Nanny failed to start.")
        return "a cluster"

    monkeypatch.setattr(dask_client.DaskClient, "_started", started)
    fails = dask_client.STARTS
    client = dask_client.DaskClient(None, 1, ())
    with client._stack:
        assert client._own_cluster() == "a cluster"
        assert len(starts) == fails
        starts.clear()
        fails += 1
        with pytest.raises(UsageError, match=r"ended while they started; received Nanny .*; limit: 3 att"):
            client._own_cluster()


def test_a_worker_that_dies_before_it_says_what_it_is_is_passed_over(machines):
    class Half:
        """A client of which one worker is gone by the time it is asked."""

        def run(self, function, files, on_error):
            assert on_error == "return"
            return {"tcp://a:1": function(files), "tcp://b:2": OSError("gone")}

    with dask_client.DaskClient(machines.address, 1, ()) as client:
        whole, client._client = client._client, Half()
        try:
            client._require_same()
        finally:
            client._client = whole


@pytest.mark.slow
def test_a_worker_uses_as_many_threads_as_it_has(machines):
    class Told:
        workers = 7

        def __call__(self, sets):
            return [Outcome({}, f"{self.workers} threads") for _ in sets]

    with Cluster(Told(), scheduler=machines.address) as workers:
        assert {outcome.failure for outcome in workers([{"top": each} for each in range(40)])} == {
            "1 threads"
        }


def test_a_scheduler_that_is_not_there(here, monkeypatch):
    monkeypatch.setattr(dask_client, "CONNECT_SECONDS", 1.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    words = ("tune", "momentum", "--param", "lookback=3:8", *SMALL, "--executor", "dask", "--scheduler")
    code, printed, complained = here(*words, address)
    assert (code, printed) == (2, "")
    assert complained.splitlines()[-1].startswith(f"error: there is no scheduler at {address}; received no")
    assert "dask scheduler" in complained
    assert list(Path().iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("address", ["nonsense://x", "tcp://127.0.0.1:abc"])
def test_an_address_that_is_none_is_refused_at_once(tmp_path, address):
    words = ("tune", "momentum", "--param", "lookback=3:8", *SMALL, "--executor", "dask", "--scheduler")
    command = [sys.executable, str(ROOT / "run_backtest.py"), *words, address]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    # A client that could not be made waits for 20 s when the process ends, and prints a traceback.
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: there is no scheduler at {address}; received")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["etflow", "numpy", "python"])
def test_workers_of_another_version_are_refused(machines, monkeypatch, name):
    ours = {**worker.versions(), name: "9.8.7"}
    monkeypatch.setattr(worker, "versions", lambda: ours)
    with (
        pytest.raises(UsageError, match=rf"worker tcp://.*received {name} \S+ instead of 9\.8"),
        Cluster(evaluate, scheduler=machines.address),
    ):
        pass


@pytest.mark.slow
def test_workers_without_a_file_that_a_parameter_names_are_refused(machines, here):
    Path("weights.csv").write_text("day,symbol,weight\n2021-03-01,157001.SZ,1\n")
    words = ("tune", "weights", "--param", "file=weights.csv", *SMALL)
    assert here(*words, "--out", "near")[0] == 0
    code, _, complained = here(*words, "--out", "far", "--executor", "dask", "--scheduler", machines.address)
    assert code == 2
    assert "file weights.csv missing instead of" in complained
    assert not Path("far").exists()


def test_a_worker_that_makes_other_numbers_is_refused(machines):
    with (
        Cluster(pid_as_metric, scheduler=machines.address) as workers,
        pytest.raises(
            UsageError, match=rf"of the same set it makes sharpe_ratio \d+\.0, here it is {os.getpid()}"
        ),
    ):
        workers([{"top": 1}, {"top": 2}])


def test_a_strategy_that_cannot_be_sent_is_refused(machines):
    slowly = Slowly()
    slowly.lock = threading.Lock()
    with (
        Cluster(slowly, scheduler=machines.address) as workers,
        pytest.raises(StrategyError, match="cannot be sent to workers; received TypeError"),
    ):
        workers([{"top": 1}])


@pytest.mark.slow
def test_sets_of_a_backtrader_class_have_the_bits_of_this_process(machines, tmp_path):
    (tmp_path / "mine.py").write_text(CROSS)
    name = f"{tmp_path}/mine.py:Cross"
    space = Space.from_words(["period=4:6"], [], parameters_of(strategy_class(name, {})), fixed={})
    panel = load_panel(Demo(), ("157001.SZ", "157002.SZ"))
    spec = Spec(name, start=date(2021, 1, 4), end=date(2021, 4, 30))
    evaluator = Evaluator(spec, {}, OpenMarket(panel, None, ()), space)
    sets = list(space.sets())
    with Cluster(evaluator, scheduler=machines.address) as workers:
        far = workers(sets)
    assert far == evaluator(sets)
    assert [outcome.failure for outcome in far] == [None] * 3
    assert len({outcome.metrics["sharpe_ratio"] for outcome in far}) == 3


def test_a_class_of_backtrader_travels_as_its_file_and_one_without_a_file_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text(CROSS)
    sent = pickle.loads(pickle.dumps(load_strategy(f"{tmp_path}/mine.py:Cross", {"period": "3"}, {})))
    assert (sent.fields, sent.name) == ({"part": 0.3, "period": 3}, "Cross")

    class Local(bt.Strategy):
        """In no file by its name."""

    with pytest.raises(StrategyError, match=r"Local cannot be sent .* file and name that, as path/to"):
        pickle.dumps(adapt(Local))


@pytest.mark.slow
def test_a_strategy_file_that_cannot_be_executed_on_a_worker_is_refused(machines, here):
    Path("list.txt").write_text("157001.SZ")
    Path("mine.py").write_text(CROSS + "LIST = open('list.txt').read()\n")
    words = ("tune", "mine.py:Cross", "--param", "period=4,5", *SMALL, "--executor", "dask")
    code, _, complained = here(*words, "--scheduler", machines.address)
    assert code == 2
    assert "the strategy cannot be made there: FileNotFoundError" in complained


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(UsageError, match=re.escape("pip install -c constraints.txt -e '.[cluster]'")),
        Cluster(evaluate),
    ):
        pass


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--scheduler", "tcp://a:1"], "Add --executor dask"),
        (["--executor", "dask", "--scheduler", "tcp://a:1", "--workers", "2"], "has its own workers"),
        (["--executor", "ray"], "ray"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_options_that_do_not_go_together(here, words, says):
    code, printed, complained = here("tune", "momentum", "--param", "lookback=3:8", *SMALL, *words)
    assert (code, printed) == (2, "")
    assert says in complained
    assert list(Path().iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_at_a_terminal_leaves_a_study_to_resume(tmp_path):
    # SIGINT to the whole group, workers included, as a terminal sends it.
    pause = "import os, time\ntime.sleep(float(os.environ.get('PAUSE', '0')))\n".replace("\n", "\n        ")
    (tmp_path / "mine.py").write_text(MINE.replace("return doubled(super", pause + "return doubled(super"))
    words = ("tune", "mine.py:Mine", "--param", "lookback=3:60", "--param", "top=1:2", *SMALL)
    call = [sys.executable, str(ROOT / "run_backtest.py"), *words]
    process = subprocess.Popen(
        [*call, "--executor", "dask", "--workers", "2"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PAUSE": "0.2"},
    )
    study = tmp_path / "results"
    until(lambda: process.poll() is not None or (studies_in(study) and kept(study).count(b"\n") > 1), 60)
    os.killpg(process.pid, signal.SIGINT)
    printed, complained = process.communicate(timeout=30)
    assert (process.returncode, printed) == (130, "")
    lines = [line for line in complained.splitlines() if "compiled" not in line]
    assert len(lines) == 2, complained
    assert re.search(r"^\d+ trials are in results/Mine-study-\w+; go on with --resume\.$", lines[0])
    assert lines[1] == "error: interrupted; nothing was half-written."
    until(lambda: no_processes_of(process.pid), 10)
    before = kept(study)
    done = subprocess.run([*call, "--resume", "--quiet"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert kept(study).startswith(before)
    assert kept(study).count(b"\n") == 1 + 116


def no_processes_of(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_pieces_follow_the_clock_and_the_number_of_sets_left():
    worker = cluster._Worker(1)
    assert worker.size(1000, 1.0) == cluster.FIRST_SETS
    assert worker.size(5, 1.0) == 5
    worker.sets, worker.seconds_a_set = 32, 0.001
    assert worker.size(10_000, 1.0) == 128  # four times the last
    worker.sets = 500
    assert worker.size(10_000, 1.0) == 1000  # a second
    assert worker.size(200, 1.0) == 200  # so that all have some to the end
    assert worker.size(3, 1.0) == 50  # but no crumbs
    worker.seconds_a_set = 20.0
    assert worker.size(3, 1.0) == 1
