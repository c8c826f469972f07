"""What a call costs beside its arithmetic: the two doors, and recycled output, on a tiny layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F

DOORS = ("called", "called, out", "planned", "planned, out", "plan made")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("problem", ["conv2d 16,8,8->32 3x3", "max_pool2d 16,8,8 2x2", "linear 1x16->32"])
def test_overhead(benchmark: Any, rng: np.random.Generator, problem: str, door: str) -> None:
    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    operation, args = {
        "conv2d": (F.conv2d, (normal(1, 16, 8, 8), normal(32, 16, 3, 3))),
        "max_pool2d": (F.max_pool2d, (normal(1, 16, 8, 8), 2)),
        "linear": (F.linear, (normal(1, 16), normal(32, 16))),
    }[problem.split()[0]]
    plan = F.plan(operation, *args, threads=1)
    x = args[0]
    want = operation(*args, backend="reference")
    out = np.empty_like(want)
    runs = {
        "called": lambda: operation(*args, threads=1),
        "called, out": lambda: operation(*args, threads=1, out=out),
        "planned": lambda: plan(x),
        "planned, out": lambda: plan(x, out=out),
        "plan made": lambda: F.plan(operation, *args, threads=1),
    }
    result = runs[door]()
    np.testing.assert_allclose(result(x) if door == "plan made" else result, want, rtol=1e-4, atol=1e-5)
    benchmark(runs[door])
