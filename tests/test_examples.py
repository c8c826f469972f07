"""The examples run, and show what they promise."""

import re
import runpy
from pathlib import Path

import pytest

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
