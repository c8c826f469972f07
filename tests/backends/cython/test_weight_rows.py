"""Gradients of weights with pixels in lanes: every remainder and option of the tiles, in guarded memory."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from fastconv.backends.reference import conv as reference
from fastconv.core.problems.conv import ConvProblem, weight_gradient
from fastconv.dispatch import registry
from tests.backends.cython.test_conv import DTYPES, as_dtype, problem, skip_unavailable
from tests.guard import guarded, guarded_copy
from tests.problems import lay

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KERNELS = [k for k in registry.kernels("conv") if k.name.startswith("cython.rows_weight")]
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)

ONE = weight_gradient(problem(1, 1, (3, 3), (1, 1)))


def deep(groups: int, *args: Any, multiplier: int = 1, **kwargs: Any) -> ConvProblem:
    return problem(groups, groups * multiplier, *args, groups=groups, **kwargs)


@cache
def case(p: ConvProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, the gradient of the output, and that of the weights by the definition."""
    rng = np.random.default_rng(hash((p.ic, p.oc, p.input, p.kernel, p.n)) % 2**32)
    x, y = (rng.standard_normal(s).astype(np.float32).astype(float) for s in (p.x_shape, p.y_shape))
    w = np.empty(p.w_shape)
    reference.ReferenceConv().prepare(p, (x,), 1)(y, w)
    return x, y, w


def run(kernel: Any, p: ConvProblem, x: np.ndarray, y: np.ndarray, at: str, threads: int = 1) -> np.ndarray:
    """The kernel's result on guarded copies, in guarded memory."""
    x, y = (guarded_copy(lay(a.astype(p.dtype), p.layout), at) for a in (x, y))
    out = guarded(p.w_shape, p.out, at)
    kernel.prepare(p, (x,), threads)(y, out)
    return out


def check(kernel: Any, forward: ConvProblem, dtype: Any) -> None:
    """Whether results are right, both ends guarded, for one thread and two."""
    p64 = weight_gradient(forward)
    p = as_dtype(p64, dtype)
    assert kernel.reject(p) is None
    x, y, expected = case(p64)
    w = run(kernel, p, x, y, "end")
    scale = max(np.abs(expected).max(initial=0.0), (p.n * p.pixels) ** 0.5)
    np.testing.assert_allclose(w, expected, rtol=0, atol=4 * kernel.error(p) * scale, err_msg=f"{kernel.name} {p}")
    again = run(kernel, p, x, y, "start", threads=2)
    assert w.tobytes() == again.tobytes(), f"{kernel.name}, 1 and 2 threads: {p}"


@every_dtype
@every_kernel
@pytest.mark.parametrize("k", [(3, 3), (5, 5), (7, 7), (4, 3), (2, 5), (8, 7)])
def test_every_width_and_height(kernel: Any, dtype: Any, k: tuple[int, int]) -> None:
    skip_unavailable(kernel, dtype, ONE)
    for i in range(1, 50):
        pads = ((i % 3, i % 2), (k[1] // 2, i % (k[1] - 1)))
        for stride in ((1, 1), (2, 2), (2, 1)):
            size = tuple(max(kk - sum(pad), 0) + (o - 1) * s + (i % s) + 1
                         for kk, pad, o, s in zip(k, pads, (i % 11 + 1, i), stride, strict=True))  # fmt: skip
            check(kernel, deep(2, size, k, stride=stride, pads=pads), dtype)


OPTIONS = [
    deep(3, (9, 30), (1, 1), n=3),
    deep(3, (9, 30), (1, 1), stride=(2, 2)),
    deep(2, (9, 30), (1, 19)),
    deep(2, (19, 21), (9, 2), stride=(1, 2)),
    deep(2, (13, 40), (3, 3), stride=(3, 3), pads=((1, 1), (1, 1))),
    deep(2, (13, 40), (3, 3), stride=(1, 2), pads=((1, 1), (1, 1))),
    deep(2, (13, 40), (5, 5), stride=(2, 4), pads=((2, 1), (2, 0))),
    deep(2, (13, 40), (3, 3), dilation=(2, 2), pads=((2, 2), (2, 2))),
    deep(2, (13, 40), (3, 3), dilation=(1, 5), pads=((1, 1), (5, 5))),
    deep(2, (13, 40), (3, 3), dilation=(3, 1), stride=(2, 2), pads=((1, 1), (1, 1))),
    deep(2, (13, 40), (3, 3), dilation=(1, 2), stride=(2, 2), pads=((1, 1), (1, 1))),
    deep(3, (9, 20), (3, 3), pads=((1, 1), (1, 1)), multiplier=3, n=2),
    deep(40, (9, 20), (3, 3), pads=((1, 1), (1, 1)), n=2),
    *(
        deep(2, (9, 21), (k, k), pads=pads, stride=(s, s))
        for k in (3, 5)
        for s in (1, 2)
        for pads in (((5, 6), (7, 8)), ((-1, 2), (2, -3)), ((-2, -1), (-1, -2)), ((0, 0), (20, 0)))
    ),
    *(
        deep(2, (7, 9), (3, 3), mode=mode, pads=((2, 3), (3, 1)), stride=stride)
        for mode in ("reflect", "replicate", "circular", "symmetric")
        for stride in ((1, 1), (2, 2))
    ),
    deep(2, (7, 9), (3, 3), fill=2.5, pads=((2, 3), (3, 1))),
    deep(2, (7, 9), (3, 3), fill=2.5, pads=((2, 3), (3, 1)), stride=(2, 2)),
    deep(2, (40, 1100), (3, 3), pads=((1, 1), (1, 1))),  # several blocks of rows and columns
    deep(2, (80, 1100), (3, 5), pads=((1, 1), (2, 2)), stride=(2, 2)),
    problem(1, 16, (12, 20), (5, 5), pads=((2, 2), (2, 2)), n=11),  # segments
    problem(1, 300, (6, 6), (5, 5), n=2),  # several blocks of output channels
    problem(3, 5, (8, 18), (3, 3), n=2, pads=((1, 1), (1, 1))),
    problem(6, 4, (8, 18), (3, 3), groups=2),
    deep(2, (4, 5, 6), (2, 3, 3), stride=(1, 1, 1), dilation=(1, 1, 1), pads=((0, 1), (1, 1), (1, 0))),
    deep(
        2, (7, 5, 19), (3, 2, 3), stride=(2, 2, 2), dilation=(2, 1, 1), pads=((1, 2), (-1, 1), (1, 1)), n=2,
    ),
]  # fmt: skip


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@every_dtype
@every_kernel
def test_every_option(kernel: Any, dtype: Any, layout: str) -> None:
    skip_unavailable(kernel, dtype, ONE)
    for p in OPTIONS:
        check(kernel, replace(p, layout=layout), dtype)


@every_kernel
def test_nan_and_infinity_meet_only_their_products(kernel: Any) -> None:
    """Memory after the last column, and pixels that a tap skips, are not multiplied, not even by zeros."""
    skip_unavailable(kernel, np.float32, ONE)
    for k, stride, width in ((3, 1, 20), (3, 2, 22), (5, 2, 40), (5, 1, 13), (2, 3, 30)):
        forward = deep(3, (9, width), (k, k), stride=(stride, stride))
        p = as_dtype(weight_gradient(forward), np.float32)
        x, y, _ = case(weight_gradient(forward))
        x = x.copy()
        x[0, 0, 0, 4, 1], x[0, 1, 0, 0, -1], x[0, 2, 0, -1, 0] = np.nan, np.inf, -np.inf
        expected = np.empty(p.w_shape)
        reference.ReferenceConv().prepare(weight_gradient(forward), (x,), 1)(y, expected)
        assert np.isfinite(expected).any() and not np.isfinite(expected).all()
        np.testing.assert_allclose(run(kernel, p, x, y, "end"), expected, rtol=1e-4, atol=1e-4, err_msg=str(p))
