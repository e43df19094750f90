"""The page of a comparison."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from data.words import number, percent
from engine.metrics import compute_metrics
from engine.report.compare_page import write_comparison
from engine.result import Result
from tests.helpers.pages import Page, without_scripts
from tests.helpers.results import from_returns, one_fund, rotation


@pytest.fixture(scope="module")
def result() -> Result:
    return rotation()


@pytest.fixture(scope="module")
def comparison(result, tmp_path_factory) -> str:
    other = rotation(seed=4)
    named = replace(other, manifest={**other.manifest, "strategy": "other", "parameters": {"window": 5}})
    path = tmp_path_factory.mktemp("compare") / "compare.html"
    results = [result, named]
    write_comparison(results, [compute_metrics(one) for one in results], path)
    return path.read_text(encoding="utf-8")


def test_the_comparison_shows_every_run_the_benchmark_and_equal_weight(result, comparison):
    page = Page(comparison)
    assert page.rows[0][1:] == ["Unit", "handmade", "other", "Benchmark", "Equal weight, no cost"]
    sharpe = next(row for row in page.rows if row[0] == "Sharpe ratio")
    metrics = compute_metrics(result)
    assert sharpe[2] == number(metrics["sharpe_ratio"])
    assert sharpe[4] == number(metrics["benchmark_sharpe_ratio"])
    assert [row[1:] for row in page.rows if row[0] == "parameters.window"] == [["20", "5"]]
    assert "SYNTHETIC: all runs are on a made-up market" in comparison
    assert re.search(r"https?:", without_scripts(comparison)) is None


def test_headers_of_the_comparison_never_break_inside_words(comparison):
    headers = re.findall(r"^[^{}\n]*\bth\b[^{}\n]*\{([^}]*)\}", comparison, flags=re.MULTILINE)
    assert len(headers) > 3
    assert not any("anywhere" in rule or "break" in rule for rule in headers)
    assert ".table { overflow-x: auto;" in comparison


def test_correlations_and_overlaps_of_a_run_with_itself_are_one(comparison):
    page = Page(comparison)
    first = [row for row in page.rows if row[0] == "handmade"]
    correlations, overlaps = first
    assert correlations[1] == overlaps[1] == "1.00"
    assert len(correlations) == 5
    assert len(overlaps) == 3


def test_correlation_and_overlap_are_of_returns_and_weights(tmp_path):
    one = one_fund([2.0, 2.2, 2.0], [2500, 2500, 2500], (0, 2500, 2.0, 0.0))
    other = one_fund([2.0, 1.8, 2.0], [1000, 1000, 1000], (0, 1000, 2.0, 0.0))
    results = [
        replace(one, manifest={**one.manifest, "strategy": "half"}),
        replace(other, manifest={**other.manifest, "strategy": "fifth"}),
    ]
    path = tmp_path / "compare.html"
    write_comparison(results, [compute_metrics(one) for one in results], path)
    rows = [row for row in Page(path.read_text(encoding="utf-8")).rows if row[0] == "half"]
    assert rows[0][2] == "-1.00"
    in_fund = (0.2, 1800 / 9800, 0.2)
    in_cash = (0.5, 5000 / 10500, 0.5)
    expected = np.mean([a + b for a, b in zip(in_fund, in_cash, strict=True)])
    assert rows[1][2] == number(float(expected))


def test_where_runs_differ_each_setting_says_what_it_means(tmp_path):
    one = one_fund([2.0, 2.2, 2.0], [2500, 2500, 2500], (0, 2500, 2.0, 0.0))
    spec = one.manifest.get("spec", {})
    results = [
        replace(
            one, manifest={**one.manifest, "spec": {**spec, "costs": {"slippage_rate": rate}, "cash": rate}}
        )
        for rate in (0.0005, 0.0012345678)
    ]
    path = tmp_path / "compare.html"
    write_comparison(results, [compute_metrics(one) for one in results], path)
    page = path.read_text(encoding="utf-8")
    told = page[page.index("Where the runs differ") :]
    assert "costs.slippage_rate<small>of the price, against us, on each side</small>" in told
    assert "0.0012345678" in told
    assert ">cash</" in told  # which explains itself


def test_runs_over_different_periods_are_compared_where_they_meet(tmp_path):
    days = np.arange("2024-01-01", "2024-02-10", dtype="datetime64[D]")
    early = from_returns([0.01] * 30, days=days[:30])
    late = from_returns([0.02] * 30, days=days[10:])
    apart = from_returns([0.01] * 3, days=days[37:])
    path = tmp_path / "compare.html"
    write_comparison([early, late], [compute_metrics(early), compute_metrics(late)], path)
    text = path.read_text(encoding="utf-8")
    head = text[text.index("<header>") : text.index("</header>")]
    about = re.sub("<[^>]+>", "", head)
    assert "2024-01-11 to 2024-01-30 · 20 sessions in common · 1 fund · data" in about
    assert "The runs cover different periods: everything is of the common one" in about
    assert f"{1.01**20 - 1:+.1%}" in text
    # The table is of these sessions; another one of what each made alone.
    rows = Page(text).rows
    totals = [row[2:4] for row in rows if row and row[0] == "Total return"]
    assert totals == [
        [percent(1.01**20 - 1).removesuffix("%"), percent(1.02**20 - 1).removesuffix("%")],
        [percent(1.01**30 - 1).removesuffix("%"), percent(1.02**30 - 1).removesuffix("%")],
    ]
    assert "These numbers stand alone" in text
    write_comparison([early, apart], [compute_metrics(early), compute_metrics(apart)], path)
    text = path.read_text(encoding="utf-8")
    assert "The runs have no session in common" in text
    assert 'id="growth"' not in text
