"""Studies on the disk: exact, append-only, safe from torn ends and second writers, and never mixed up."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import run_backtest
from data.errors import DataError, UsageError
from engine.record.chain import decode, encode, read_lines
from engine.record.journal import Journal
from engine.record.last import last_of
from engine.tuning.objective import Trial
from engine.tuning.outcome import Outcome
from engine.tuning.study import Study, find_study, read_header, studies_in, trials_wanted
from engine.tuning.writer import id_to_resume, open_study
from tests.helpers.sums import without_sums
from tests.helpers.tuning import evaluate, goal_of_words, header_of, search_in, space_of

ROOT = Path(run_backtest.__file__).parent
SPACE = space_of("lookback=3:8", "threshold=none,0.1")
SHARPE = goal_of_words("sharpe_ratio")
GOAL = goal_of_words("sharpe_ratio", "turnover", constraints=["max_drawdown > -0.155"])


def grid(out, **changes):
    return search_in(out, SPACE, GOAL, "grid", **changes)[0]


def test_a_study_has_a_header_and_a_line_for_each_trial(tmp_path):
    path = grid(tmp_path)
    header, *lines = [decode(line) for line in path.read_bytes().splitlines(keepends=True)]
    assert path == tmp_path / header["study_id"] / "study.jsonl"
    assert header["study_id"].startswith("momentum-study-")
    assert header["space"] == ["lookback=3:8:1", "threshold=none,0.1"]
    assert header["objectives"] == ["sharpe_ratio:max", "turnover:min"]
    assert header["constraints"] == ["max_drawdown > -0.155"]
    assert header["data"]["fingerprint"] == "f00d"
    assert [line["number"] for line in lines] == list(range(12))
    assert lines[1]["parameters"] == {"lookback": 3, "threshold": 0.1}
    # Numbers are exactly those that were measured.
    assert lines[1]["metrics"] == dict(evaluate([lines[1]["parameters"]])[0].metrics)
    assert lines[8] == {
        "number": 8,
        "parameters": {"lookback": 7, "threshold": None},
        "metrics": {},
        "failure": "ValueError: seven\nis not lucky: 七",
    }


def test_a_study_is_read_as_it_was_written(tmp_path):
    path = grid(tmp_path)
    study = Study.load(path.parent)
    assert study == Study.load(path)
    assert study.goal == GOAL
    outcomes = evaluate([trial.parameters for trial in study.trials])
    assert [trial.outcome for trial in study.trials] == outcomes
    assert [trial.parameters for trial in study.trials] == list(SPACE.sets())
    assert [trial.number for trial in study.failures] == [8, 9]
    feasible = [trial for trial in study.trials if GOAL.feasible(trial.outcome)]
    assert 0 < len(feasible) < 10
    assert study.best == max(feasible, key=lambda trial: trial.outcome.metrics["sharpe_ratio"])
    assert study.best == study.pareto[0] == study.ranked[0]
    with pytest.raises(UsageError, match=f"Did you mean `{path.parent.name}`"):
        Study.load(tmp_path / path.parent.name[:-2])


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
def test_every_number_and_text_comes_back(first, second, text):
    value = {"cap": first, "x": second, "failure": text}
    back = decode(encode(value))
    assert back == value
    assert repr(back["cap"]) == repr(first)


def alone(line):
    """Return a line with a checksum, as versions wrote it that did not say what it follows."""
    content = line.rpartition(b',"follows"')[0]
    return content + b',"crc32":"%08x"}\n' % zlib.crc32(content + b"}")


def test_a_digit_that_is_changed_is_damage_and_lines_from_before_there_were_checksums_are_read(tmp_path):
    path = grid(tmp_path)
    study, lines = Study.load(path), path.read_bytes().splitlines(keepends=True)
    assert lines[3].endswith(b',"crc32":"%08x"}\n' % zlib.crc32(lines[3].rpartition(b',"crc32"')[0] + b"}"))
    path.write_bytes(b"".join(lines).replace(b'"lookback":5', b'"lookback":4'))
    with pytest.raises(DataError, match="line 6 is damaged"):
        Study.load(path)
    path.write_bytes(without_sums(b"".join(lines[:4])))
    assert Study.load(path).trials == study.trials[:3]
    assert Study.load(grid(tmp_path, resume=True)) == study
    last_of(path).unlink()
    path.write_bytes(b"".join(alone(line) for line in lines[:4]))  # that say not what they follow
    assert Study.load(grid(tmp_path, resume=True)) == study
    last_of(path).unlink()
    path.write_bytes(b"".join(lines).replace(b"\n", b"\r\n"))  # by a tool for text
    assert Study.load(path) == study


def test_a_torn_end_is_cut_off_at_every_byte(tmp_path):
    whole = grid(tmp_path / "whole")
    content = whole.read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1
    out = tmp_path / "torn"
    folder = out / whole.parent.name
    folder.mkdir(parents=True)
    for cut in range(last, len(content)):
        (folder / "study.jsonl").write_bytes(content[:cut])
        last_of(folder / "study.jsonl").unlink(missing_ok=True)  # a kill comes before the last line is noted
        assert len(Study.load(folder).trials) == 11
        assert grid(out, resume=True).read_bytes() == content, cut


def test_a_torn_header_is_begun_again(tmp_path):
    whole = grid(tmp_path / "whole")
    content = whole.read_bytes()
    folder = tmp_path / "torn" / whole.parent.name
    folder.mkdir(parents=True)
    for cut in range(0, content.index(b"\n") + 1, 17):
        (folder / "study.jsonl").write_bytes(content[:cut])
        assert read_header(folder) is None
        assert grid(tmp_path / "torn", resume=cut % 2 == 0).read_bytes() == content, cut


@pytest.mark.parametrize("line", [1, 2, 7])
@pytest.mark.parametrize("damage", [b"x\n", b"[]\n", b'{"number":3}\n', b"\x00\xff\n", b"\n"])
def test_a_line_damaged_in_the_middle_is_named(tmp_path, line, damage):
    path = grid(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[: line - 1], damage, *lines[line:]]))
    for read in (lambda: Study.load(path), lambda: grid(tmp_path, resume=True)):
        with pytest.raises(DataError, match=rf"study\.jsonl: line {line} is damaged"):
            read()


def test_a_missing_line_is_a_damage(tmp_path):
    path = grid(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4] + lines[5:]))
    with pytest.raises(DataError, match="line 5 does not follow the line before it"):
        Study.load(path)
    path.write_bytes(without_sums(path.read_bytes()))
    with pytest.raises(DataError, match="line 5 is damaged"):  # which its number tells
        Study.load(path)


def test_a_line_that_has_no_number_is_missed_too(tmp_path):
    def begin(trials):
        return search_in(tmp_path, space_of("lookback=3:90"), GOAL, "random", trials=trials, resume=True)[0]

    begin(3)
    path = begin(4)
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines.pop(4).startswith(b'{"trials":4')
    path.write_bytes(b"".join(lines))
    with pytest.raises(DataError, match=r"line 5 does not follow the line before it: a line was deleted"):
        begin(5)


# --- writing ------------------------------------------------------------------------------------------


def test_a_study_that_exists_is_not_begun_again(tmp_path):
    grid(tmp_path)
    with pytest.raises(UsageError, match=r"exists already; received 12 trials\. Go on with --resume"):
        grid(tmp_path)
    with pytest.raises(UsageError, match=r"received 12 trials\. Choose another --out or --seed"):
        grid(tmp_path, fingerprint="beef")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fingerprint": "beef"}, "data.fingerprint: f00d became beef"),
        ({"files": {"mine.py": "22"}}, "files.mine.py: 11 became 22"),
        ({"files": {}}, "files.mine.py: 11 became absent"),
    ],
)
def test_a_resume_on_other_data_or_strategy_names_the_difference(tmp_path, changes, says):
    same = {"files": {"mine.py": "11"}}
    before = grid(tmp_path, **same).read_bytes()
    with pytest.raises(UsageError, match=says):
        grid(tmp_path, resume=True, **(same | changes))
    assert grid(tmp_path, resume=True, **same).read_bytes() == before


def test_a_resume_with_another_version_names_it(tmp_path, monkeypatch):
    grid(tmp_path)
    monkeypatch.setattr("engine.spec.versions", lambda: {"etflow": "9.9", "numpy": "1"})
    with pytest.raises(UsageError, match=r"versions\.etflow: \S+ became 9\.9\. Restore that"):
        grid(tmp_path, resume=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"words": ["lookback=3:9"]}, r"space: \['lookback=3:8:1'\] became \['lookback=3:9:1'\]"),
        ({"where": ["lookback > 3"]}, r"where: \[\] became \['lookback > 3'\]"),
        ({"seed": 2}, "seed: 0 became 2"),
        ({"method": "tpe"}, "method: random became tpe"),
        (
            {"goal": goal_of_words("turnover")},
            r"objectives: \['sharpe_ratio:max'\] became \['turnover:min'\]",
        ),
        ({"parameters": {"top": 1}}, "parameters.top: absent became 1"),
        ({"cash": 5.0}, r"spec\.cash: 1000000\.0 became 5\.0"),
    ],
)
def test_a_resume_of_another_search_names_the_difference(tmp_path, change, says):
    def begin(words=("lookback=3:8",), where=(), goal=SHARPE, method="random", **more):
        return search_in(tmp_path, space_of(*words, where=where), goal, method, trials=4, **more)

    begin()
    with pytest.raises(UsageError, match=says):
        begin(resume=True, **change)
    assert len(studies_in(tmp_path)) == 1


def test_a_resume_of_nothing_begins(tmp_path):
    path = grid(tmp_path, resume=True)
    assert path.read_bytes() == grid(tmp_path / "other").read_bytes()


def test_trials_can_be_raised_and_not_lowered(tmp_path):
    def begin(out, trials, **more):
        return search_in(out, space_of("lookback=3:90"), GOAL, "random", trials=trials, **more)[0]

    path = begin(tmp_path, 5)
    with pytest.raises(UsageError, match="can be raised only; received 4; limit: at least 5"):
        begin(tmp_path, 4, resume=True)
    begin(tmp_path, 9, resume=True)
    assert trials_wanted(path.parent, read_header(path.parent)) == 9
    with pytest.raises(UsageError, match=r"9 trials of 9"):
        begin(tmp_path, 9)
    assert Study.load(path).trials == Study.load(begin(tmp_path / "at once", 9)).trials


def test_a_number_of_trials_that_was_changed_by_hand_is_damage(tmp_path):
    def begin(trials):
        return search_in(tmp_path, space_of("lookback=3:90"), GOAL, "random", trials=trials, resume=True)[0]

    begin(3)
    path = begin(4)
    path.write_bytes(path.read_bytes().replace(b'{"trials":4', b'{"trials":9'))
    number = next(
        place for place, line in enumerate(path.read_bytes().splitlines(), 1) if b'{"trials":9' in line
    )
    with pytest.raises(DataError, match=f"line {number} is damaged"):
        begin(9)


def test_a_study_that_a_former_version_called_by_the_path_of_a_file_is_gone_on_with(tmp_path):
    path = grid(tmp_path, strategy="own/idea.py")
    now = path.parent.name
    assert now.startswith("idea-study-")
    header, *lines = (decode(line) for line in path.read_bytes().splitlines(keepends=True))
    assert id_to_resume(tmp_path, header) == now
    former = f"own_idea_py-study-{now.rpartition('-')[2]}"
    path.unlink()
    with Journal(path) as journal:
        journal.append([{**header, "study_id": former}, *lines])
    path.parent.rename(tmp_path / former)
    assert id_to_resume(tmp_path, header) == former
    assert id_to_resume(tmp_path, {**header, "seed": 7}) == now
    assert id_to_resume(tmp_path / "elsewhere", header) == now


def test_two_processes_do_not_write_to_the_same_study(tmp_path):
    header = header_of(SPACE, GOAL, "grid", None)
    script = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from engine.record.journal import Journal\n"
        "Journal(pathlib.Path(sys.argv[2]))\n"
    )
    with open_study(tmp_path, header, resume=False) as study:
        path = study.folder / "study.jsonl"
        done = subprocess.run(
            [sys.executable, "-c", script, str(ROOT), str(path)], capture_output=True, text=True, timeout=60
        )
        assert "is being written by another process" in done.stderr
        link = tmp_path / "elsewhere" / "study.jsonl"
        link.parent.mkdir()
        link.symlink_to(path)
        for name in (path, link):
            with pytest.raises(UsageError, match="is being written by another process"):
                Journal(name)
    Journal(link).__exit__(None, None, None)
    Journal(path).__exit__(None, None, None)


def test_a_worker_that_outlives_its_study_does_not_hold_the_lock(tmp_path):
    script = (
        "import os, pathlib, sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from engine.record.journal import Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[2]))\n"
        "child = os.fork()\n"
        "if child == 0:\n    os.close(1); os.close(2); time.sleep(60)\n"
        "print(child, flush=True); os._exit(0)\n"
    )
    path = tmp_path / "study.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT), str(path)], capture_output=True, text=True, timeout=60
    )
    worker = int(done.stdout)
    try:
        with Journal(path) as journal:
            assert journal.empty
        os.kill(worker, 0)  # it is alive still
    finally:
        os.kill(worker, signal.SIGKILL)


@pytest.mark.parametrize("written", [0, 5])
def test_a_full_disk_leaves_whole_chunks_and_can_be_resumed(tmp_path, monkeypatch, written):
    complete = grid(tmp_path / "complete").read_bytes()
    real, calls = os.write, []

    def full(file, data):
        if not calls and b'"number":7' not in data:
            return real(file, data)
        calls.append(len(data))
        if len(calls) == 1 and written:
            return real(file, data[:written])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(UsageError, match=r"its 7 trials are kept; received No space left.*--resume"):
            grid(tmp_path)
    assert calls
    (folder,) = studies_in(tmp_path)
    assert len(list(read_lines(folder / "study.jsonl"))) == 8
    assert (folder / "study.jsonl").read_bytes() == b"".join(complete.splitlines(keepends=True)[:8])
    assert grid(tmp_path, resume=True).read_bytes() == complete


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write results to .*file"):
        grid(tmp_path / "file")


def test_numbers_that_are_not_finite_are_not_written(tmp_path):
    with open_study(tmp_path, header_of(SPACE, GOAL, "grid", None), resume=False) as study:
        before = (study.folder / "study.jsonl").read_bytes()
        with pytest.raises(ValueError, match="not JSON compliant"):
            study.append([Trial(0, {}, Outcome({"sharpe_ratio": float("nan")}))])
        assert (study.folder / "study.jsonl").read_bytes() == before


# --- finding ------------------------------------------------------------------------------------------


def test_a_study_is_found_by_path_id_and_beginning(tmp_path):
    folder = grid(tmp_path).parent
    for word in (str(folder), folder.name, folder.name[:-3]):
        assert find_study(word, tmp_path) == folder
    for word in ("momentum", "momentum-study", "other-study-1"):
        assert find_study(word, tmp_path) is None
