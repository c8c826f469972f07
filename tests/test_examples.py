"""The examples run, and show what they promise."""

import re
import runpy
import sys
from pathlib import Path

import pytest

import fastconv

pytestmark = pytest.mark.one_isa

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_the_lectures_network_learns(capsys):
    pytest.importorskip("sklearn")
    example = runpy.run_path(str(EXAMPLES / "lecture_cnn.py"))
    example["main"](epochs=6)
    lines = capsys.readouterr().out.splitlines()
    losses = [float(line.split()[-1]) for line in lines[:6]]
    assert losses[-1] < 0.2 * losses[0]
    found = re.fullmatch(r"test set +classification error +(\d+\.\d\d)% +cross-entropy (\d\.\d{3})", lines[7])
    assert float(found[1]) < 4
    assert float(found[2]) < 0.2
    assert re.fullmatch(r"the first test image is a (\d); the network says \d, with \d+\.\d%", lines[8])


def test_it_is_short_enough_to_read_aloud():
    lines = (EXAMPLES / "lecture_cnn.py").read_text().splitlines()
    assert len(lines) < 90
    assert max(map(len, lines)) <= 120


def test_the_benchmark_of_an_epoch_compares_before_it_times(capsys, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)  # other tests keep theirs
    bench = runpy.run_path(str(EXAMPLES.parent / "benchmarks" / "bench_lecture_epoch.py"))
    argv = ["bench", "--images", "40", "--batch", "16", "--rounds", "1", "--threads", "1", "--optimizer", "sgd"]
    monkeypatch.setattr(sys, "argv", argv)
    before = fastconv.conv2d
    assert bench["main"]() == 0
    assert fastconv.conv2d is before
    out = capsys.readouterr().out
    assert float(re.search(r"apart by (\S+) at most", out)[1]) < 1e-4
    assert re.search(r"ratio \d+\.\d\d, from", out)
    assert re.search(r"% +grad\.conv2d 16x32x14x14", out)
    monkeypatch.setitem(bench["main"].__globals__, "CLOSE", -1.0)
    assert bench["main"]() == 1
    found = capsys.readouterr()
    assert "nothing is timed" in found.err
    assert "ratio" not in found.out
