"""Maxima of integers with their places: keys that hold both, and what happens where they need too many bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.numpy.pool.keys import keys
from fastconv.dispatch.registry import kernels

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
KERNELS = ("numpy.direct", "numpy.separable")
RNG = np.random.default_rng(0)


def check(x: np.ndarray, **kwargs: Any) -> None:
    """Values and places of the oracle."""
    plan = F.plan(F.max_pool2d, x, return_indices=True, **kwargs)
    want = plan.with_kernel("reference.definition")(x)
    for kernel in KERNELS:
        for found, right in zip(plan.with_kernel(kernel)(x), want, strict=True):
            assert found.dtype == right.dtype
            np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spread", ["few", "narrow", "all"])
def test_the_first_of_the_largest(dtype: str, spread: str) -> None:
    """Few values have many ties; narrow ones lie at an end of the dtype; all of 64 bits leave no room for places."""
    info = np.iinfo(dtype)
    low, high = {"few": (0, 2), "narrow": (info.max - 50, info.max), "all": (info.min, info.max)}[spread]
    x = RNG.integers(low, high, (2, 3, 9, 11), dtype, endpoint=True)
    assert (keys(x, np.arange(99).reshape(9, 11)) is None) == (spread == "all" and x.dtype.itemsize == 8)
    for kwargs in ({"stride": 1}, {"stride": 2, "padding": 1}, {"stride": (1, 3), "dilation": 2, "ceil_mode": True}):
        check(x, kernel_size=3, **kwargs)
    check(-x if dtype.startswith("i") else x[..., ::-1], kernel_size=(2, 5), stride=(3, 1), layout="NHWC")


@pytest.mark.parametrize("dtype", [*DTYPES, "float16", "float32", "float64"])
@pytest.mark.parametrize("return_indices", [False, True])
def test_windows_without_inputs(dtype: str, return_indices: bool) -> None:
    """Dilation may place every tap of a window in the padding: it has the lowest value and place -1."""
    x = np.full((1, 1, 2, 2), 5, dtype)
    plan = F.plan(F.max_pool2d, x, 2, dilation=3, padding=1, return_indices=return_indices)
    tried = 0
    for kernel in kernels("pool"):
        try:
            found = plan.with_kernel(kernel.name)(x)
        except F.UnsupportedError:
            continue
        value, place = found if return_indices else (found, None)
        assert value == (-np.inf if x.dtype.kind == "f" else np.iinfo(dtype).min), kernel.name
        assert place is None or place == -1, kernel.name
        tried += 1
    assert tried > 2


@pytest.mark.parametrize("shape", [(0, 2, 4, 4), (1, 1, 1, 1)])
def test_no_image_and_one_pixel(shape: tuple[int, ...]) -> None:
    check(np.full(shape, -7, np.int32), kernel_size=1)


def test_adaptive_windows() -> None:
    x = RNG.integers(-5, 5, (2, 3, 10, 13))
    plan = F.plan(F.adaptive_max_pool2d, x, (4, 5), return_indices=True)
    want = plan.with_kernel("reference.definition")(x)
    for found, right in zip(plan.with_kernel("numpy.separable")(x), want, strict=True):
        np.testing.assert_array_equal(found, right)
