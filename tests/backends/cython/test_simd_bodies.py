"""Kernel bodies know no instruction set: they depend on the traits that its header states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fastconv

BODIES = sorted(Path(fastconv.__file__).parent.glob("backends/cython/simd/**/*.inc"))
NUMBER = r"\(?\s*\d"
COMPARISON = re.compile(rf"\b(VBYTES|MR)\b\s*[<>=!]=?\s*{NUMBER}|\d\s*[<>=!]=?\s*\(?\s*(VBYTES|MR)\b")
INTRINSIC = re.compile(r"\b(_mm\d*_\w+|v\w+q_[fsu]\d+|__m\d+\w*|__AVX\w*|__ARM\w*|__x86_64__|__aarch64__)\b")


@pytest.mark.parametrize("body", BODIES, ids=lambda path: path.name)
def test_bodies_ask_for_traits(body: Path) -> None:
    lines = body.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if COMPARISON.search(line)] == []
    assert [line for line in lines if INTRINSIC.search(line)] == []


def test_there_are_bodies() -> None:
    assert len(BODIES) > 10


@pytest.mark.parametrize("line", ["#if VBYTES == 64", "#elif MR > 4", "if (6 < MR)", "VBYTES>=32"])
def test_comparisons_are_found(line: str) -> None:
    assert COMPARISON.search(line)
