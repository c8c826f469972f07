"""Planning takes neither memory nor steps that grow with extents."""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.dispatch.plan import clear_cache

pytestmark = pytest.mark.one_isa  # nothing here depends on the instruction set

LONG = 1 << 24
MOST_BYTES = 1 << 20
MOST_CALLS = 300_000  # of Python functions, generators included; the smallest layers take about a tenth

W = np.ones((8, 8, 3, 3), "f")
CONVS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "tall": ((1, 8, LONG, 4), {"padding": 1}),
    "wide": ((1, 8, 4, LONG), {"padding": 1}),
    "tall, three threads": ((1, 8, LONG, 4), {"padding": 1, "threads": 3}),
    "reflected": ((1, 8, LONG, 4), {"padding": 1, "padding_mode": "reflect"}),
    "tall, dilated": ((1, 8, LONG, 4), {"padding": (1 << 20, 1), "dilation": (1 << 20, 1)}),
    "wide, dilated": ((1, 8, 4, LONG), {"padding": (1, 1 << 20), "dilation": (1, 1 << 20)}),
    "channels last": ((1, LONG, 4, 8), {"padding": 1, "layout": "NHWC"}),
    "strided": ((1, 8, LONG, 4), {"padding": 1, "stride": 2}),
}


def cost_of(operation: Any, *args: Any, **kwargs: Any) -> tuple[int, int]:
    """Most bytes that planning holds at a time, and how many Python functions it calls."""
    calls = 0

    def count(frame: Any, event: str, arg: Any) -> None:
        nonlocal calls
        calls += event == "call"

    plan = F.plan(operation, *args, **kwargs)  # modules are loaded, Numba has compiled
    if "numba." in str(plan.kernel) and "dilation" in kwargs:  # chosen where there are no SIMD kernels
        pytest.skip("Numba's kernels of convolution keep tables for borders, which are as wide as windows")
    clear_cache()
    tracemalloc.start()
    sys.setprofile(count)
    try:
        F.plan(operation, *args, **kwargs)
        return tracemalloc.get_traced_memory()[1], calls
    finally:
        sys.setprofile(None)
        tracemalloc.stop()


@pytest.mark.parametrize("name", CONVS)
def test_convolutions(name: str) -> None:
    shape, kwargs = CONVS[name]
    held, calls = cost_of(F.conv2d, F.Spec(shape), W, **kwargs)
    assert held < MOST_BYTES
    assert calls < MOST_CALLS


INPUT_ONLY = (True, False, False)
OTHERS: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
    "transposed, wide": (F.conv_transpose2d, (F.Spec((1, 8, 4, LONG)), W), {"stride": 2, "padding": 1}),
    "transposed signal": (F.conv_transpose1d, (F.Spec((1, 8, LONG)), W[:, :, 0]), {"stride": 2}),
    "transposed, long strides": (F.conv_transpose2d, (F.Spec((1, 8, 5, 5)), np.ones((8, 2, 96, 96), "f")),
                                 {"stride": 96, "backend": "numpy"}),
    "input gradient": (F.grad.conv2d, (F.Spec((1, 8, 4, LONG)), F.Spec((1, 8, 4, LONG)), W),
                       {"padding": 1, "need": INPUT_ONLY}),
    "input gradient, reflected": (F.grad.conv2d, (F.Spec((1, 8, 4, LONG)), F.Spec((1, 8, 4, LONG)), W),
                                  {"padding": 1, "padding_mode": "reflect", "need": INPUT_ONLY}),
    "maximum": (F.max_pool2d, (F.Spec((1, 4, 4, LONG)), 3, 1, 1), {}),
    "average": (F.avg_pool2d, (F.Spec((1, 4, 4, LONG)), 3, 1, 1), {}),
    "average, tall": (F.avg_pool2d, (F.Spec((1, 4, LONG, 4)), 3, 2, 1), {"count_include_pad": False}),
    "average, channels last": (F.avg_pool2d, (F.Spec((1, 4, LONG, 8)), 3, 1, 1), {"layout": "NHWC"}),
    "average, divisor": (F.avg_pool2d, (F.Spec((1, 4, LONG, 4)), (9, 3), 3), {"divisor_override": 5}),
    "average, NumPy": (F.avg_pool2d, (F.Spec((1, 4, LONG, 4)), 3, 1, 1), {"backend": "numpy"}),
    "average, Numba": (F.avg_pool2d, (F.Spec((1, 4, 4, LONG)), 3, 2, 1), {"backend": "numba"}),
    "maximum, tall, Numba": (F.max_pool2d, (F.Spec((1, 4, LONG, 4)), 3, 1, 1), {"backend": "numba"}),
    "direct, Numba": (F.conv2d, (F.Spec((1, 8, 4, LONG)), W), {"padding": 1, "backend": "numba"}),
    "average, integers": (F.avg_pool1d, (F.Spec((1, 4, LONG), "int64"), 3, 1, 1), {}),
    "norm": (F.lp_pool2d, (F.Spec((1, 4, 4, LONG)), 2, 3, 2), {}),
    "norm, powers": (F.lp_pool1d, (F.Spec((1, 4, LONG)), 3, 9, 2), {}),
    "gradient of average": (F.grad.avg_pool2d, (F.Spec((1, 4, 4, LONG)), F.Spec((1, 4, 4, LONG)), 3, 1, 1), {}),
    "gradient of average, NumPy": (F.grad.avg_pool2d, (F.Spec((1, 4, 4, LONG)), F.Spec((1, 4, 4, LONG)), 3, 1, 1),
                                   {"backend": "numpy"}),
    "adaptive average": (F.adaptive_avg_pool2d, (F.Spec((1, 4, 3, LONG)), (2, LONG // 2 + 1)), {}),
    "adaptive average, tall": (F.adaptive_avg_pool2d, (F.Spec((1, 4, LONG, 4)), (LONG // 2 + 1, 3)), {}),
    "adaptive maximum, channels last": (F.adaptive_max_pool2d, (F.Spec((1, 3, LONG, 4)), (2, LONG // 3), True),
                                        {"layout": "NHWC"}),
    "gradient of adaptive average": (F.grad.adaptive_avg_pool2d,
                                     (F.Spec((1, 4, 2, LONG // 2 + 1)), F.Spec((1, 4, 3, LONG)), (2, LONG // 2 + 1)),
                                     {}),
    "adaptive average, NumPy": (F.adaptive_avg_pool2d, (F.Spec((1, 4, 3, LONG)), (2, LONG // 2 + 1)),
                                {"backend": "numpy"}),
    "pad": (F.pad, (F.Spec((1, 4, LONG, 4)), (1, 1, 1, 1), "reflect"), {}),
    "pad, half of it": (F.pad, (F.Spec((1, 4, LONG)), (LONG // 2, LONG // 2), "circular"), {}),
    "gradient of pad": (F.grad.pad, (F.Spec((1, 4, LONG + 2, 6)), F.Spec((1, 4, LONG, 4)), (1, 1, 1, 1), "reflect"),
                        {}),
    "unfold": (F.unfold, (F.Spec((1, 1, LONG, 4)), 2), {}),
    "fold": (F.fold, (F.Spec((1, 4, (LONG - 1) * 3)), (LONG, 4), 2), {}),
    "relu": (F.relu, (F.Spec((LONG,)),), {}),
    "softmax": (F.softmax, (F.Spec((4, LONG)), 1), {}),
    "product": (F.gemm, (F.Spec((LONG, 4)), np.ones((4, 4), "f")), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_families(name: str) -> None:
    operation, args, kwargs = OTHERS[name]
    if kwargs.get("backend") == "numba":
        pytest.importorskip("numba")
    F.plan(operation, *args, **kwargs)  # modules are loaded
    held, calls = cost_of(operation, *args, **kwargs)
    assert held < MOST_BYTES
    assert calls < MOST_CALLS


def test_poolings_of_ever_new_lengths_hold_little() -> None:
    x = np.ones((1, 1, 1_500_000), "f")
    clear_cache()
    F.avg_pool1d(x[..., :9], 3, 1, 1), F.adaptive_avg_pool1d(x[..., :9], 4), F.lp_pool1d(x[..., :9], 2, 3)
    tracemalloc.start()
    try:
        for n in range(1_499_988, 1_500_000):
            F.avg_pool1d(x[..., :n], 3, 1, 1, count_include_pad=False)
            F.lp_pool1d(x[..., :n], 2, 3)
            F.adaptive_avg_pool1d(x[..., :n], n // 2 + 1)
        held = tracemalloc.get_traced_memory()[0]
        clear_cache()
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 8 << 20  # 6 MB of it are scratch: a row of the image, of adaptive pooling
    assert left < held
