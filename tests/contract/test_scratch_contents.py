"""Results of native convolutions have the same bits for any previous contents of scratch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core import scratch
from fastconv.dispatch.registry import kernels

pytestmark = [
    pytest.mark.one_isa,
    pytest.mark.skipif(scratch.DEBUG, reason="scratch is poisoned anyway, and never kept"),
]
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((1, 16, 29, 31), (16, 16, 3, 3), {"padding": 1}),
    ((1, 16, 29, 31), (16, 16, 3, 3), {"padding": 1, "stride": 2}),
    ((1, 8, 29, 31), (17, 8, 5, 3), {"stride": 3}),
    ((1, 16, 29, 31), (16, 1, 3, 3), {"groups": 16, "stride": 3}),
    ((1, 16, 29, 31), (16, 1, 5, 5), {"groups": 16, "padding": 2, "padding_mode": "reflect"}),
    ((1, 3, 61, 61), (8, 3, 3, 3), {"padding": 1}),
    ((1, 16, 7, 7), (40, 16, 1, 1), {}),
]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("shape", "weights", "kwargs"), SHAPES)
@pytest.mark.parametrize("sparse", [False, True])
def test_scratch_may_hold_anything(
    shape: tuple[int, ...], weights: tuple[int, ...], kwargs: dict[str, Any], sparse: bool, layout: str
) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=shape).astype("f"), rng.normal(size=weights).astype("f")
    if sparse:
        x *= rng.random(shape) < 0.01
    x = x if layout == "NCHW" else np.moveaxis(x, 1, -1).copy()
    plan = F.plan(F.conv2d, x, w, layout=layout, **kwargs)
    given = plan._recipe.enter(x)
    for kernel in kernels("conv"):
        if kernel.backend != "cython" or kernel.reject(plan.problem) is not None:
            continue
        run = kernel.prepare(plan.problem, plan._constants, 1)
        outs = [plan._recipe.view(np.zeros(*plan._recipe.results[0])) for _ in range(4)]
        for out, pattern in zip(outs, (0, 77, 0x7FC00000, 0x70000000), strict=True):  # 77 is denormal; NaN; 1.6e29
            run(given, out)
            for buffer in scratch._shelf.free:
                buffer[: buffer.nbytes // 4 * 4].view(np.int32)[:] = pattern
            run(given, out)
        for out in outs[1:]:
            np.testing.assert_array_equal(out.view(np.int32), outs[0].view(np.int32), err_msg=kernel.name)
