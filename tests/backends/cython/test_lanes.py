"""Pooling with planes in lanes: numbers of planes, blocks of rows and of depth, adaptive windows; unreadable pages."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from fastconv.backends.cython.pool import lanes
from fastconv.backends.cython.runtime import native
from fastconv.backends.reference.pool import ReferencePool
from fastconv.core.problems.adaptive import adaptive_problem
from fastconv.core.problems.pool import pool_problem
from tests.guard import guarded, guarded_copy

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name


@pytest.fixture(params=[k.isa for k in lanes.KERNELS])
def isa(request: pytest.FixtureRequest) -> str:
    """Each instruction set that this host has."""
    reason = native.unavailable(request.param)
    if reason is not None:
        pytest.skip(reason)
    return str(request.param)


def fixed(kind: Any, shape: tuple[int, ...], kernel: Any, dtype: str = "float32", **how: Any) -> Any:
    return pool_problem(
        kind, len(shape) - 2, shape, np.dtype(dtype), kernel, how.get("stride"), how.get("padding", 0),
        how.get("dilation", 1), how.get("ceil", False), how.get("include", True), how.get("divisor"), 1.0,
        how.get("indices", False), "NCHW",
    )  # fmt: skip


def adaptive(kind: Any, shape: tuple[int, ...], output: Any, indices: bool) -> Any:
    return adaptive_problem(kind, len(shape) - 2, shape, np.dtype(np.float32), output, indices, "NCHW")


def check(isa: str, p: Any) -> None:
    kernel: Any = next(k for k in (lanes.KERNELS if p.op == "pool" else lanes.ADAPTIVE) if k.isa == isa)
    assert kernel.reject(p) is None
    rng = np.random.default_rng(len(repr(p)))
    x = rng.integers(-3, 4, p.x_shape).astype(p.dtype)
    if p.kind == "max":
        for value in (np.nan, np.inf, -np.inf):
            x[rng.random(p.x_shape) < 0.04] = value
    want = [np.empty(shape, dtype) for shape, dtype in p.results]
    ReferencePool().prepare(p, (), 1)(x, *want)
    for at, threads in (("start", 1), ("end", 2)):
        got = [guarded(shape, dtype, at) for shape, dtype in p.results]
        kernel.prepare(p, (), threads)(guarded_copy(x, at), *got)
        limit = 4 * kernel.error(p)
        np.testing.assert_allclose(got[0].astype(float), want[0].astype(float), rtol=limit, atol=limit, err_msg=str(p))
        if p.indices:
            np.testing.assert_array_equal(got[1], want[1], err_msg=str(p))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("n", "c"), [(1, 1), (1, 3), (3, 5), (1, 16), (2, 17), (33, 1), (5, 7)])
def test_every_number_of_planes(isa: str, dtype: str, n: int, c: int) -> None:
    for kind, indices in (("max", False), ("max", True), ("avg", False)):
        check(isa, fixed(kind, (n, c, 7, 9), (2, 3), dtype, stride=(3, 2), padding=1, indices=indices))
        check(isa, fixed(kind, (n, c, 2, 3), 2, dtype, stride=3, ceil=True, indices=indices))


@pytest.mark.parametrize("nbytes", [1, 3000, 20_000])
def test_blocks(isa: str, nbytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "block_bytes", lambda name: nbytes)
    for kind, indices in (("max", True), ("avg", False)):
        how: dict[str, Any] = {"indices": indices}
        check(isa, fixed(kind, (2, 9, 23, 17), (3, 2), stride=(3, 4), padding=1, **how))
        check(isa, fixed(kind, (1, 18, 5, 9, 6), 2, stride=(1, 3, 2), padding=1, **how))
        check(isa, fixed(kind, (1, 17, 301), 3, stride=4, padding=1, **how))  # a row is a column
        check(isa, fixed(kind, (1, 3, 21, 19), 3, stride=3, dilation=(4, 5), padding=((2, 2), (2, 1)), **how))
        check(isa, adaptive(kind, (1, 20, 31, 29), (7, 5), indices))
        check(isa, adaptive(kind, (2, 9, 7, 6, 5), (3, 4, 7), indices))
        check(isa, adaptive(kind, (3, 8, 100), 7, indices))


def test_windows_of_nothing_but_padding(isa: str) -> None:
    for kind, indices in (("max", True), ("avg", False)):
        how: dict[str, Any] = {"indices": indices, "padding": ((1, 1), (2, 2)), "dilation": (5, 4)}
        check(isa, fixed(kind, (1, 19, 4, 5), (2, 3), stride=(1, 1), **how))


def test_divisors(isa: str) -> None:
    for how in ({"include": False}, {"divisor": -3}, {"divisor": 7}):
        check(isa, fixed("avg", (1, 17, 8, 11), (3, 2), stride=(3, 5), padding=1, ceil=True, **how))


def test_what_is_refused(isa: str) -> None:
    kernel = next(k for k in lanes.KERNELS if k.isa == isa)
    assert "windows along an axis" in str(kernel.reject(fixed("max", (1, 1, 100_000), 2)))
    assert "too long for scratch" in str(kernel.reject(fixed("max", (1, 1, 9, 30_000), 3, stride=3)))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_scratch_does_not_grow_with_rows_or_windows(isa: str, dtype: str) -> None:
    kernel = next(k for k in lanes.KERNELS if k.isa == isa)
    taken = 0
    for indices, width, size, stride in itertools.product(
        (False, True), (60, 500, 1300, 3000, 9001, 30_000), ((2, 4), (9, 2), (1, 60)), (1, 2, 9)
    ):
        for shape in ((1, 3, 9, width), (2, 3, 4, 9, width), (1, 3, width, 9)):
            extents = (1, *size) if len(shape) == 5 else size if shape[-1] == width else size[::-1]
            p = fixed("max", shape, extents, dtype, stride=stride, indices=indices)
            assert kernel.reject(p) is not None or kernel.workspace(p) <= lanes.block_bytes(lanes.BLOCK), p
            taken += kernel.reject(p) is None
    assert taken > 50


def test_long_sums_are_left_to_kernels_that_add_in_blocks(isa: str) -> None:
    for shape, size in (((1, 9, 4000), 1000), ((1, 9, 3000, 2), (400, 2)), ((1, 9, 40, 20, 5), (20, 20, 5))):
        for p in (fixed("avg", shape, size, stride=3), adaptive("avg", shape, 2, False)):
            kernel: Any = next(k for k in (lanes.KERNELS if p.op == "pool" else lanes.ADAPTIVE) if k.isa == isa)
            assert "add in blocks" in str(kernel.reject(p)) or kernel.error(p) < 1e-6
    kernel = next(k for k in lanes.KERNELS if k.isa == isa)
    assert "add in blocks" in str(kernel.reject(fixed("avg", (1, 9, 4000), 1000)))
    assert kernel.reject(fixed("avg", (1, 9, 4000), 1000, "float16")) is None  # added in float32, rounded once
    assert kernel.reject(fixed("max", (1, 9, 4000), 1000)) is None
    check(isa, fixed("avg", (1, 9, 900), 319, stride=50))
