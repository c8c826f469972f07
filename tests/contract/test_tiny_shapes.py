"""Every window that fits on a few pixels, along both axes, in every kernel, between guard pages.

Tables and masks are easiest to get wrong where an image is smaller than a kernel, a stride or a vector.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from fastconv.core.problems.conv import conv_problem
from fastconv.core.problems.pool import pool_problem
from fastconv.dispatch.registry import kernels
from tests.guard import guarded, guarded_copy
from tests.wide import share

FORWARD = [k for k in kernels("conv") if "transposed" not in k.relative and k.relative != "weight"]
F32 = np.dtype(np.float32)


def axes() -> Iterator[tuple[int, int, int, int, int, int]]:
    """(extent, kernel, stride, dilation, lo, hi) with at least one output."""
    pads = ((0, 0), (1, 0), (0, 2), (1, 1), (2, 1))
    for e, k, s, d, (lo, hi) in itertools.product((1, 2, 3), (1, 2, 3), (1, 2, 3), (1, 2), pads):
        if e + lo + hi > d * (k - 1):
            yield e, k, s, d, lo, hi


@cache
def example(p: Any) -> tuple[np.ndarray, tuple[Any, ...], np.ndarray]:
    """x, constants, and the result by definition."""
    rng, want = np.random.default_rng(len(repr(p))), np.full(p.y_shape, 7, p.out)
    x = rng.normal(size=p.x_shape).astype("f")
    constants = (rng.normal(size=p.w_shape).astype("f"), None) if p.op == "conv" else ()
    kernels(p.op)[-1].prepare(p, constants, 1)(x, want)
    return x, constants, want


def check(kernel: Any, p: Any) -> None:
    x, constants, want = example(p)
    for at in ("start", "end"):
        got = guarded(p.y_shape, p.out, at)
        kernel.prepare(p, constants, 1)(guarded_copy(x, at), got)
        np.testing.assert_allclose(got, want, atol=1e-5, err_msg=str(p))


@pytest.mark.parametrize("vertical", [False, True], ids=["width", "height"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kernel", FORWARD, ids=lambda k: k.name)
def test_convolution(kernel: Any, groups: int, vertical: bool) -> None:
    for e, k, s, d, lo, hi in share(kernel, axes()):
        pads: Any = ((lo, hi), (0, 0)) if vertical else ((0, 0), (lo, hi))
        pair = (lambda v: (v, 1)) if vertical else (lambda v: (1, v))
        p = conv_problem(
            2, (1, 2, *pair(e)), F32, (2, 2 // groups, *pair(k)), F32, None, None, pair(s), pads, pair(d), groups,
            "NCHW", "zeros", None, True,
        )  # fmt: skip
        if kernel.reject(p) is None:
            check(kernel, p)


@pytest.mark.parametrize("vertical", [False, True], ids=["width", "height"])
@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("kernel", kernels("pool"), ids=lambda k: k.name)
def test_pooling(kernel: Any, kind: str, vertical: bool) -> None:
    for e, k, s, d, lo, hi in share(kernel, axes()):
        for ceil_mode in (False, True):
            pads: Any = ((lo, hi), (0, 0)) if vertical else ((0, 0), (lo, hi))
            pair = (lambda v: (v, 1)) if vertical else (lambda v: (1, v))
            try:
                p = pool_problem(
                    kind, 2, (1, 2, *pair(e)), F32, pair(k), pair(s), pads, pair(d), ceil_mode, True, None, 1.0, False,
                    "NCHW",
                )  # fmt: skip
            except ValueError:
                continue
            if kernel.reject(p) is None:
                check(kernel, p)
