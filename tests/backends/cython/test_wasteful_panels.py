"""Few output channels and very many weights: panels as wide as a tile would be mostly empty, and are not made."""

from __future__ import annotations

import numpy as np

import fastconv as F
from fastconv.dispatch.registry import kernels


def test_panels_that_are_mostly_empty_are_refused() -> None:
    spec, big = F.Spec((1, 64, 3001, 301)), np.broadcast_to(np.ones((), "f"), (1, 64, 3000, 300))
    problem = F.plan(F.conv2d, F.Spec((1, 64, 11, 11)), np.ones((1, 64, 3, 3), "f"), backend="numpy").problem
    assert all("packed weights" not in (k.reject(problem) or "") for k in kernels("conv"))
    plan = F.plan(F.conv2d, spec, big, backend="numpy")
    said = {k.name: k.reject(plan.problem) or "" for k in kernels("conv")}
    for name in ("cython.direct@portable", "numba.direct@portable"):
        if "packed weights would take" not in said[name]:
            assert "not compiled" in said[name] or "Numba" in said[name], said[name]
