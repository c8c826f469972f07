"""Compiled kernels touch nothing outside their arrays, write no input, and write every result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastconv.core.kernel import Kernel
from tests.contract.cases import EVERY, bits, for_each, small_of
from tests.guard import guarded_copy

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

COMPILED = [(op, k) for op, k in EVERY if k.backend in ("cython", "numba")]  # NumPy checks its bounds


@pytest.mark.parametrize("at", ["start", "end"])
@for_each(COMPILED)
def test_kernels_stay_inside_their_arrays(op: str, kernel: Kernel[Any], at: str) -> None:
    for case in small_of(op, kernel):
        inside = case.changed(lambda a, at=at: guarded_copy(a, at))  # type: ignore[misc]
        before = [a.copy() for a in (inside.x, *inside.constants) if isinstance(a, np.ndarray)]
        want = case.run(kernel)
        got = inside.run(kernel, outs=tuple(guarded_copy(a, at) for a in case.outs(99)))
        assert bits(got) == bits(want), str(case)
        after = [a for a in (inside.x, *inside.constants) if isinstance(a, np.ndarray)]
        assert bits(tuple(after)) == bits(tuple(before)), f"an input was written: {case}"
