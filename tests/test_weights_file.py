"""The strategy `weights`: target weights from a file, and everything that can be wrong with one."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from data.errors import UsageError
from strategies.weights_file import WeightsFile

NAN = np.nan
# Monday to Friday, with a holiday on Wednesday.
DAYS = np.array(["2025-08-18", "2025-08-19", "2025-08-21", "2025-08-22"], dtype="datetime64[D]")
KNOWN = SimpleNamespace(days=DAYS, symbols=("159363.SZ", "515980.SH", "BOTZ.US"))


@pytest.fixture
def weights(tmp_path):
    def write(text: str | bytes) -> WeightsFile:
        path = tmp_path / "W.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return WeightsFile(file=str(path))

    return write


def test_weights_are_placed_on_their_sessions(weights):
    strategy = weights(
        "day,symbol,weight\n2025-08-19,159363.SZ,0.25\n2025-08-19,BOTZ.US,0.5\n2025-08-22,515980.SH,1\n"
    )
    np.testing.assert_array_equal(
        strategy.target_weights(KNOWN),
        [[NAN, NAN, NAN], [0.25, 0, 0.5], [NAN, NAN, NAN], [0, 1, 0]],
    )
    assert strategy.symbols == ("159363.SZ", "515980.SH", "BOTZ.US")
    assert strategy.days == (date(2025, 8, 19), date(2025, 8, 22))
    assert strategy.warmup == 0


def test_a_day_with_weight_zero_sells_everything(weights):
    targets = weights("day,symbol,weight\n2025-08-21,159363.SZ,0\n").target_weights(KNOWN)
    np.testing.assert_array_equal(targets[2], [0, 0, 0])
    assert np.isnan(targets[[0, 1, 3]]).all()


def test_order_of_columns_and_rows_case_blank_lines_bom_and_other_columns_do_not_matter(weights):
    text = "\ufeffWeight, Symbol ,Day,score\r\n0.5,159363,2025/8/22,9\r\n\r\n1e-1,sz159363,20250819,\r\n"
    targets = weights(text).target_weights(KNOWN)
    np.testing.assert_array_equal(targets[[1, 3], 0], [0.1, 0.5])


def test_a_time_of_midnight_is_a_day(weights):
    assert weights("day,symbol,weight\n2025-08-21 00:00:00,BOTZ,1\n").days == (date(2025, 8, 21),)


def test_ten_weights_of_a_tenth_are_not_above_one(weights):
    symbols = [f"15936{n}" for n in range(10)]
    weights("day,symbol,weight\n" + "".join(f"2025-08-21,{symbol},0.1\n" for symbol in symbols))


def test_rows_outside_the_data_are_left_out(weights):
    text = "day,symbol,weight\n2025-08-15,159363.SZ,1\n2025-08-21,159363.SZ,0.5\n2025-09-01,159363.SZ,1\n"
    targets = weights(text).target_weights(KNOWN)
    np.testing.assert_array_equal(np.isfinite(targets).all(axis=1), [False, False, True, False])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "2025-08-19,159363.SZ,-0.1",
            r"row 1: `weight` is not a fraction of equity; received '-0.1'; limit: 0 to 1",
        ),
        ("2025-08-19,159363.SZ,nan", "row 1: `weight`"),
        ("2025-08-19,159363.SZ,", "row 1: `weight`.*received ''"),
        ("2025-08-19,159363.SZ,inf", "row 1: `weight`"),
        ("2025-08-19,159363.SZ,50%", "row 1: `weight`"),
        ("2025-08-19,159363.SZ,0.1_5", "row 1: `weight`.*received '0.1_5'"),  # Python's float takes it
        ("2025-08-19,159363.SZ,1.5", "row 1: `weight`"),
        (
            "2025-08-19,159363.SZ,0.7\n2025-08-19,BOTZ.US,0.4",
            r"weights of 2025-08-19 are above one in sum, to row 2 \(2025-08-19 BOTZ.US\); received 1.1;",
        ),
        (
            "2025-08-19,159363.SZ,0.1\n2025-08-19,159363,0.1",
            r"row 2 \(2025-08-19 159363.SZ\) repeats row 1",
        ),
        ("2025-13-19,159363.SZ,0.1", "row 1: `day` is not a date; received '2025-13-19'"),
        ("19.8.2025,159363.SZ,0.1", "row 1: `day` is not a date"),
        ("2025/8,159363.SZ,0.1", "row 1: `day` is not a date"),
        ("2025-08-19,???,0.1", "row 1: "),
        ("2025-08-19,159363.SZ", "row 1 is too short"),
    ],
)
def test_a_bad_row_is_named(weights, rows, message):
    with pytest.raises(UsageError, match=message):
        weights(f"day,symbol,weight\n{rows}\n")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2025-08-19,515880.SH,0.1", r"row 1 \(2025-08-19 515880.SH\) is not a fund of this run"),
        ("2025-08-20,BOTZ.US,0.1", r"row 1 .* is not on a trading session.*next session is 2025-08-21"),
        ("2026-08-20,BOTZ.US,0.1", "no decision falls within the data; received 2026-08-20 to 2026-08-20"),
    ],
)
def test_a_row_that_does_not_fit_the_run_is_named(weights, rows, message):
    strategy = weights(f"day,symbol,weight\n{rows}\n")
    with pytest.raises(UsageError, match=message):
        strategy.target_weights(KNOWN)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "need the columns day, symbol, weight and at least one row; received columns none; 0 rows"),
        ("day,symbol,weight\n", "received columns day, symbol, weight; 0 rows"),
        ("day,symbol\n2025-08-19,BOTZ\n", "received columns day, symbol; 1 rows"),
        ("day,symbol,weight\n2025-08-19,BOTZ,\u6743\u91cd".encode("utf-16"), "is not a CSV file in UTF-8"),
    ],
)
def test_a_file_that_is_not_one_of_weights(weights, content, message):
    with pytest.raises(UsageError, match=message):
        weights(content)


def test_a_file_that_is_absent_or_a_folder(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*nowhere.csv; received No such file"):
        WeightsFile(file=str(tmp_path / "nowhere.csv"))
    with pytest.raises(UsageError, match="cannot read"):
        WeightsFile(file=str(tmp_path))


def test_a_file_must_be_named():
    with pytest.raises(UsageError, match=r"--set file=weights\.csv"):
        WeightsFile()


def test_a_file_that_changed_after_it_was_read_changes_nothing(weights):
    strategy = weights("day,symbol,weight\n2025-08-21,BOTZ,1\n")
    weights("day,symbol,weight\n2025-08-21,BOTZ,0\n")
    assert strategy.rows[0].weight == 1.0
