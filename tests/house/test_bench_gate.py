"""The bench's own arithmetic, what it says when a program is missing, and that it can write its page."""

import os
import subprocess
import sys

import pytest
from tools.bench_gate import report
from tools.bench_gate.load import Slice
from tools.bench_gate.machine import BenchError
from tools.bench_gate.measure import Run, figure, spread


def part(requests, cpu, **more):
    return Slice(**{"requests": requests, "bytes": requests * 1000, "seconds": 2.0, "errors": 0, "bad_status": 0,
                    "p50": 400, "p99": 1200, "cpu": {1: cpu}, "core": cpu / 2, **more})  # fmt: skip


def test_the_interval_comes_from_the_order_of_the_values_alone():
    eight = figure([8, 1, 7, 2, 6, 3, 5, 400])
    assert (eight.value, eight.low, eight.high) == (5.5, 2, 8)
    three = figure([0.7, 0.9, 0.8])
    assert (three.value, three.low, three.high) == (0.8, 0.7, 0.9)
    assert spread([90, 100, 108]) == pytest.approx(0.18)


def test_a_ratio_is_of_slices_that_were_neighbours():
    # The machine was half as fast in the second round; both were slower, so the ratio is what it was.
    gate, nginx = [part(1000, 0.5), part(500, 0.5), part(700, 0.5)], [part(2000, 0.5), part(1000, 0.5), part(1400, 0.5)]
    run = Run({"gate": gate, "nginx": nginx}, {"gate": [1], "nginx": [1]}, {"gate": [1], "nginx": [1]})
    assert (run.ratio("gate", "nginx").low, run.ratio("gate", "nginx").high) == (0.5, 0.5)
    assert report.row("cookie", "new", run)["quiet"] is False


def test_a_server_that_used_no_cpu_has_not_answered():
    with pytest.raises(BenchError, match="another process"):
        part(1000, 0.0).per_cpu([1])


def test_a_missing_program_is_named_and_the_status_is_3():
    env = {**os.environ, "PATH": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench_gate"],
        env={**env, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert "is not installed; on Debian: apt install" in done.stderr


def test_the_page_takes_the_table_and_keeps_its_words(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- measured -->\nold\n<!-- end of measured -->\nafter\n")
    gate = [part(1000, 0.5), part(990, 0.5)]
    run = Run({"gate": gate, "nginx": gate}, {"gate": [1], "nginx": [1]}, {"gate": [1], "nginx": [1]})
    about = {"cpu": "a CPU", "system": "a system", "nginx": "1.22"}
    report.write([report.row("cookie", "new", run)], about, (38.9, 9.4), page)
    text = page.read_text()
    assert text.startswith("before\n<!-- measured -->\n")
    assert text.endswith("<!-- end of measured -->\nafter\n")
    assert "| cookie | new | 1.00 (1.00-1.00) |" in text
    assert "old" not in text
    assert "<!-- measured -->" in report.PAGE.read_text()
