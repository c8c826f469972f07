"""Arithmetic of sizes, which is written once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import fastconv
from fastconv.core.numbers import ceil_div, even_part, near_equal, rectangles, round_up, slices, whole_lines

ROOT = Path(fastconv.__file__).parent


@pytest.mark.parametrize("total", range(20))
@pytest.mark.parametrize("most", range(1, 8))
def test_quotients_and_parts(total: int, most: int) -> None:
    assert ceil_div(total, most) == -(-total // most) == int(np.ceil(total / most))
    assert round_up(total, most) == next(n for n in range(total, 40) if n % most == 0)
    edges = near_equal(total, most)
    assert [a for a, _ in edges] == [0, *(b for _, b in edges[:-1])] and edges[-1][1] == total
    assert {b - a for a, b in edges} <= {total // most, ceil_div(total, most)}
    size = even_part(total, most)
    assert size <= most and (total == 0 or ceil_div(total, size) == ceil_div(total, most))
    covered = [i for part in slices(total, most) for i in range(total)[part]]
    assert covered == list(range(total))


def test_parts_that_are_multiples() -> None:
    assert [even_part(n, 8, 4) for n in (0, 3, 8, 9, 17)] == [0, 3, 8, 8, 8]
    assert ceil_div(np.array([0, 3, 4]), 2).tolist() == [0, 2, 2]
    assert [whole_lines(n) for n in (0, 1, 64, 65)] == [0, 64, 64, 128]
    assert list(rectangles(3, 2, 2, 2)) == [
        (slice(0, 2), slice(0, 2)), (slice(2, 4), slice(0, 2)),
    ]  # fmt: skip


def test_divisions_that_round_up_are_written_once() -> None:
    """Numba compiles its loops, which therefore contain their own."""
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if "loops" not in path.parts and re.search(r"-\(-.*//", path.read_text())
    ]
    assert elsewhere == ["core/numbers.py"]
