"""The ledger of all trials under a folder of results: ``trials.jsonl``, a line a chunk, never rewritten.

Each line says how many trials a study has so far, on which data. It outlives the studies themselves, so that
the number of trials ever run on a data set, which statistics of overfitting need, cannot be lowered by
deleting a study.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.record.journal import append_line
from engine.tuning.study import STUDY_FILE, count_trials, read_header, studies_in

LEDGER = "trials.jsonl"


def record_trials(out: Path, header: Mapping[str, Any], trials: int) -> None:
    """Put on record that the study with this header has ``trials`` trials."""
    data = header["data"]
    append_line(
        out / LEDGER,
        {
            "data": data["name"],
            "fingerprint": data["fingerprint"],
            "study": header["study_id"],
            "trials": trials,
        },
    )


def trials_on_record(out: Path, data_name: str) -> int:
    """Return how many trials were ever run under ``out`` on the data called so.

    Of each study counts what is larger: its last entry in the ledger, or its own file (a process may have
    been killed between the two). A study that was made again on other data counts once for each.
    """
    counts: dict[tuple[str, str], int] = {}

    def note(study: str, fingerprint: str, trials: int) -> None:
        counts[study, fingerprint] = max(counts.get((study, fingerprint), 0), trials)

    ledger = out / LEDGER
    if ledger.is_file():
        for line in ledger.read_bytes().splitlines():
            try:
                entry = json.loads(line)
                if entry["data"] == data_name:
                    note(entry["study"], entry["fingerprint"], int(entry["trials"]))
            except (ValueError, TypeError, KeyError):
                continue  # a line torn by a kill: the next one of the study says more
    for folder in studies_in(out):
        header = read_header(folder)
        if header is not None and header["data"]["name"] == data_name:
            note(header["study_id"], header["data"]["fingerprint"], count_trials(folder / STUDY_FILE))
    return sum(counts.values())
