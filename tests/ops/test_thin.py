"""Public functions are thin: what their arguments mean is said in core/problems, and how they run in dispatch."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastconv

pytestmark = pytest.mark.one_isa

OPS = Path(fastconv.__file__).parent / "ops"
MOST_LINES = 5000  # two thirds are docstrings and signatures


def test_ops_stay_thin() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in OPS.rglob("*.py")}
    assert len(lines) > 20
    assert sum(lines.values()) < MOST_LINES
