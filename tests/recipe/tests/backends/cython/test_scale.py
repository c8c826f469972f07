"""Native depthwise 1x1 convolution: every remainder of a vector, with and without bias, on several threads."""

from __future__ import annotations

import numpy as np
import pytest

import fastconv as F


@pytest.mark.parametrize("width", range(1, 36))
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_remainder(width: int, bias: bool, dtype: str) -> None:
    rng = np.random.default_rng(width)
    x = rng.standard_normal((2, 3, 2, width)).astype(dtype)
    w, b = rng.standard_normal((3, 1, 1, 1)).astype(dtype), rng.standard_normal(3).astype(dtype) if bias else None
    want = F.conv2d(x, w, b, groups=3, backend="reference")
    for threads in (1, 3):
        got = F.conv2d(x, w, b, groups=3, algorithm="cython.scale@portable", threads=threads)
        np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)
