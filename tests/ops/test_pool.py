"""Pooling: every registered kernel against the definition, the rules that are easy to get wrong, refusals."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.numpy.pool import forward as pool
from fastconv.backends.reference.pool import ReferencePool as Reference
from fastconv.core.kernel import Kernel
from fastconv.core.machine import host_isas
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.pool import ROOM, PoolProblem, axis_counts, pool_extent
from fastconv.dispatch.choice import choice_for
from fastconv.dispatch.options import Options
from fastconv.dispatch.plan import Plan
from fastconv.dispatch.registry import kernels

OPS = ("pool", "adaptive_pool", "max_unpool")
KERNELS = [(op, k) for op in OPS for k in kernels(op)]
RANKS = (1, 2, 3)
FLOATS = ("float16", "float32", "float64")


def bfloat16() -> np.dtype:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16)


def run_with(kernel: Kernel[Any], plan: Plan, x: np.ndarray) -> Any:
    """What `kernel` makes of the operation of a plan."""
    choice = choice_for(kernel, plan.problem, Options(threads=2))
    return Plan(plan._recipe.with_choice(choice), plan._constants)(x)


def as_tuple(result: Any) -> tuple[np.ndarray, ...]:
    return result if isinstance(result, tuple) else (result,)


def data(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Values with ties, and for floats a few NaN and infinities."""
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(max(info.min, -9), 9, shape).astype(dtype)
    x = rng.standard_normal(shape)
    if rng.random() < 0.5:
        x = np.round(x)
    if rng.random() < 0.3:
        x = np.where(rng.random(shape) < 0.05, rng.choice([np.nan, np.inf, -np.inf], shape), x)
    return x.astype(dtype)


def random_call(
    rng: np.random.Generator, op: str, dtype: Any
) -> tuple[Any, np.ndarray, tuple[Any, ...], dict[str, Any]]:
    """(function, x, arguments, keywords) of a valid operation of the family `op`."""
    rank = int(rng.integers(1, 4))
    layout = str(rng.choice(["NCHW", "NHWC"]))
    largest = {1: 40, 2: 14, 3: 7}[rank]
    spatial = tuple(int(v) for v in rng.integers(1, largest, rank))
    channels = int(rng.choice([1, 2, 3, 17]))
    batch = (int(rng.integers(0, 4)),) if rng.random() < 0.8 else ()
    shape = (*batch, channels, *spatial) if layout == "NCHW" else (*batch, *spatial, channels)
    x = data(rng, shape, dtype)
    kernel = tuple(int(rng.integers(1, min(5, e) + 1)) for e in spatial)
    stride = tuple(int(v) for v in rng.integers(1, 5, rank))
    if op == "pool" and rng.random() < 0.15:  # the everyday windows, which have a kernel of their own
        image = data(rng, (*batch, channels, int(rng.integers(2, 70)), int(rng.integers(2, 70))), dtype)
        how = {"ceil_mode": bool(rng.random() < 0.5), "return_indices": bool(rng.random() < 0.5)}
        return F.max_pool2d, image, (2,), how
    if op == "pool" and rng.random() < 0.1:  # and so have whole channels
        whole = (int(rng.integers(1, 3)), channels, *(int(v) for v in rng.integers(1, 40, rank)))
        return F.global_avg_pool, data(rng, whole, dtype), (), {}
    if op == "pool" and rng.random() < 0.1:  # and windows that keep the size
        image = data(rng, (*batch, channels, int(rng.integers(1, 30)), int(rng.integers(3, 30))), dtype)
        k = int(rng.choice([3, 5]))
        pooling = F.max_pool2d if rng.random() < 0.5 else F.avg_pool2d
        return pooling, image, (k,), {"stride": 1, "padding": k // 2}
    common: dict[str, Any] = {"layout": layout}
    if op == "adaptive_pool" or rng.random() < 0.15:
        size = tuple(int(v) for v in rng.integers(1, 9, rank))
        if rng.random() < 0.5:
            return getattr(F, f"adaptive_max_pool{rank}d"), x, (size, bool(rng.random() < 0.5)), common
        return getattr(F, f"adaptive_avg_pool{rank}d"), x, (size,), common
    padding: Any = [(int(rng.integers(0, k)), int(rng.integers(0, k))) for k in kernel]
    if rng.random() < 0.2:
        padding = str(rng.choice(["valid", "same", "same_lower"]))
    common |= {
        "stride": stride if rng.random() < 0.7 else None,
        "padding": padding,
        "ceil_mode": bool(rng.random() < 0.5),
    }
    if rng.random() < 0.5:
        common["dilation"] = tuple(
            int(rng.integers(1, max(1, (e - 1) // max(k - 1, 1)) + 1)) for e, k in zip(spatial, kernel, strict=True)
        )
    kind = rng.choice(["max", "avg", "lp"])
    if kind == "lp":
        return (
            getattr(F, f"lp_pool{rank}d"),
            x,
            (float(rng.choice([1, 2, 3, 0.5, -1, np.inf, -np.inf])), kernel),
            common,
        )
    if kind == "avg":
        common["count_include_pad"] = bool(rng.random() < 0.5)
        if rng.random() < 0.2:
            common["divisor_override"] = int(rng.choice([-3, 7]))
        return getattr(F, f"avg_pool{rank}d"), x, (kernel,), common
    common["return_indices"] = bool(rng.random() < 0.5)
    return getattr(F, f"max_pool{rank}d"), x, (kernel,), common


def tolerance(problem: Any, kernel: Kernel[Any]) -> float:
    """The rounding error that is allowed, relative to the largest magnitude; 0 where the kernel states 0."""
    claimed = kernel.error(problem)
    return 8 * claimed if problem.kind == "lp" else 4 * claimed


def assert_same(got: np.ndarray, want: np.ndarray, tol: float) -> None:
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if got.dtype.kind in "iu":
        np.testing.assert_array_equal(got, want)
        return
    a, b = got.astype(np.float64), want.astype(np.float64)  # NumPy's own comparison takes no NaN in bfloat16
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    np.testing.assert_array_equal(np.where(np.isinf(a), a, 0), np.where(np.isinf(b), b, 0))
    a, b = (np.where(np.isfinite(v), v, 0) for v in (a, b))
    np.testing.assert_allclose(a, b, rtol=tol, atol=tol * max(1.0, float(np.abs(b).max(initial=0))))


@cache
def drawn(op: str) -> list[tuple[Plan, np.ndarray, tuple[np.ndarray, ...]]]:
    """Plans of random calls of a family, their inputs, and the results by definition."""
    rng, found = np.random.default_rng(1), []
    dtypes = [*FLOATS, "float32", bfloat16()]
    for _ in range(400):
        dtype = dtypes[int(rng.integers(len(dtypes)))]
        function, x, args, kwargs = random_call(rng, op, dtype)
        try:
            plan = F.plan(function, x, *args, **kwargs)
        except F.ShapeError as e:
            assert "output" in str(e) or "kernel_size" in str(e)
            continue
        if plan.problem.op == op:
            found.append((plan, x, as_tuple(run_with(Reference(), plan, x))))
    return found


@pytest.mark.parametrize(("op", "kernel"), [(op, k) for op, k in KERNELS if op != "max_unpool"], ids=str)
def test_kernel_equals_definition(op: str, kernel: Kernel[Any]) -> None:
    if kernel.isa and kernel.isa not in host_isas():
        pytest.skip(f"{kernel.isa} cannot run here")
    done = 0
    for plan, x, want in drawn(op):
        if kernel.reject(plan.problem) is not None:
            continue
        got = as_tuple(run_with(kernel, plan, x))
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            assert_same(g, w, 0.0 if i else tolerance(plan.problem, kernel))
        done += 1
        if done == 100:
            break
    assert done >= 5, f"{kernel.name} accepted {done} problems"


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_max_of_integers(dtype: str) -> None:
    info = np.iinfo(dtype)
    rng = np.random.default_rng(2)
    x = rng.integers(info.min, info.max, (2, 3, 9, 10), dtype, endpoint=True)
    for kernel in kernels("pool"):
        for indices in (False, True):
            plan = F.plan(F.max_pool2d, x, 3, 2, 1, return_indices=indices)
            if kernel.reject(plan.problem) is None:
                want = as_tuple(run_with(Reference(), plan, x))
                for g, w in zip(as_tuple(run_with(kernel, plan, x)), want, strict=True):
                    assert_same(g, w, 0.0)
    y, where = F.max_pool2d(x, 3, 2, 1, return_indices=True)
    assert y.dtype == np.dtype(dtype)
    assert where.dtype == np.int64
    np.testing.assert_array_equal(
        np.take_along_axis(x.reshape(2, 3, -1), where.reshape(2, 3, -1), 2), y.reshape(2, 3, -1)
    )


def test_average_of_int64_truncates_and_never_wraps() -> None:
    x = np.array([[-7, 0, 7, 1, -1, 0, 5, 5]])
    np.testing.assert_array_equal(F.avg_pool1d(x, 2), [[-3, 4, 0, 5]])
    for kernel in kernels("pool"):
        plan = F.plan(F.avg_pool1d, x, 3, 2, 1, divisor_override=-2)
        if kernel.reject(plan.problem) is None:
            np.testing.assert_array_equal(run_with(kernel, plan, x), [[3, -4, 0, -5]])
            far = [int(v) + 2**62 for v in x[0]]  # whose sums need 65 bits
            windows = [[0, *far[:2]], *(far[i - 1 : i + 2] for i in (2, 4, 6))]
            want = [[-(sum(w) // 2) for w in windows]]
            np.testing.assert_array_equal(run_with(kernel, plan, x + 2**62), want)
            alone = F.plan(F.avg_pool1d, x, 3, 2, 1, divisor_override=1)
            with pytest.raises(OverflowError, match="does not fit int64"):
                run_with(kernel, alone, x + 2**62)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_averages_are_rounded_once(kind: str) -> None:
    dtype = bfloat16() if kind == "bfloat16" else np.dtype(kind)
    # In half precision most terms would vanish in the sum of those before.
    x = np.ones((1, 1, 1024), dtype)
    x[..., ::2] = 0.5
    y = F.avg_pool1d(x, 1024)
    assert y.dtype == dtype
    assert float(y[0, 0, 0]) == 0.75
    big = np.full((1, 1, 8), 60000, np.float16)
    assert float(F.avg_pool1d(big, 8)[0, 0, 0]) == 60000  # a sum in float16 would be infinite


def test_float32_sums_of_many_terms_are_accurate() -> None:
    x = np.random.default_rng(3).random((1, 2, 500, 600), np.float32)
    want = x.astype(np.float64).mean((2, 3), keepdims=True)
    for y in (F.global_avg_pool(x), F.avg_pool2d(x, (500, 600)), F.adaptive_avg_pool2d(x, 1)):
        np.testing.assert_allclose(y, want, rtol=2e-7)
    line = x.reshape(1, 1, -1)[..., :60000]
    plan = F.plan(F.avg_pool1d, line, 20001, 9999)
    exact = [line[0, 0, o : o + 20001].mean(dtype=np.float64) for o in range(0, 39999, 9999)]
    for kernel in kernels("pool"):
        if kernel.reject(plan.problem) is None:
            assert kernel.error(plan.problem) < 1e-6, kernel.name
            np.testing.assert_allclose(
                run_with(kernel, plan, line)[0, 0], exact, rtol=4 * kernel.error(plan.problem), err_msg=kernel.name
            )


def test_lp_powers_do_not_overflow() -> None:
    x = np.full((1, 1, 4), 3e30, np.float32)
    np.testing.assert_allclose(F.lp_pool1d(x, 4, 2), [[[3e30 * 2**0.25] * 2]], rtol=1e-6)


def test_ceil_mode_extent_and_divisors() -> None:
    ones = np.ones((1, 1, 6))
    np.testing.assert_allclose(F.avg_pool1d(ones, 3, 2, 1, ceil_mode=True), [[[2 / 3, 1, 1, 1 / 2]]])
    np.testing.assert_allclose(F.avg_pool1d(ones, 3, 2, 1, ceil_mode=True, count_include_pad=False), [[[1, 1, 1, 1]]])
    # The fourth window would start at 5 + 1, the end of input and first padding.
    assert F.max_pool1d(np.ones((1, 1, 5)), 2, 2, 1, ceil_mode=True).shape == (1, 1, 3)
    assert F.max_pool1d(np.ones((1, 1, 5)), 2, 2, ceil_mode=True).shape == (1, 1, 3)
    assert F.max_pool1d(np.ones((1, 1, 5)), 2, 2, ceil_mode=False).shape == (1, 1, 2)


@pytest.mark.parametrize("include_pad", [False, True])
@pytest.mark.parametrize("extent", [1, 40, 90, 200, 700])
@pytest.mark.parametrize(
    ("k", "s", "d", "pad"), [(3, 1, 1, 1), (5, 2, 3, 2), (64, 3, 1, 32), (7, 9, 1, 3), (2, 1, 90, 1)]
)
def test_counts_of_windows_are_kept_for_the_borders_only(
    extent: int, k: int, s: int, d: int, pad: int, include_pad: bool
) -> None:
    output = pool_extent(extent, k, s, d, pad, pad, True)
    if output < 1:
        return
    counts = axis_counts(extent, k, s, d, pad, pad, output, include_pad)
    end, begin = (extent + pad, -pad) if include_pad else (extent, 0)
    taps = np.arange(output)[:, None] * s - pad + np.arange(k) * d
    want = ((taps >= begin) & (taps < end)).sum(1)
    np.testing.assert_array_equal(counts.of(slice(0, output)), want)
    assert counts.values.size <= ROOM + 2 * (pad + k * d)
    for q in range(output):  # vectors that start at any window
        n = min(ROOM, output - q)
        np.testing.assert_array_equal(counts.values[counts.at(q) :][:n], want[q : q + n])


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_averages_of_long_axes_on_every_kernel(layout: str) -> None:
    x = np.random.default_rng(11).standard_normal((1, 3, 150, 300)).astype("f")
    x = x if layout == "NCHW" else np.moveaxis(x, 1, -1).copy()
    for args in ((3, 1, 1), (5, 2, 2, True, False), (4, 3, 2, False, False), (3, 1, 1, False, True, 7)):
        for f, given in ((F.avg_pool2d, (x, *args)), (F.lp_pool2d, (x, 2, *args[:2]))):
            plan = F.plan(f, *given, layout=layout)
            want = plan.with_kernel("reference.definition")(x)
            for candidate in plan.explain().candidates:
                if candidate.reason is None:
                    got = plan.with_kernel(candidate.kernel.name)(x)
                    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6, err_msg=candidate.kernel.name)


def test_nan_propagates_with_the_first_index() -> None:
    nan = np.nan
    x = np.array([[[1.0, nan, 3.0, nan, 2.0, 2.0, 1.0, -np.inf]]])
    for kernel in kernels("pool"):
        plan = F.plan(F.max_pool1d, x, 4, return_indices=True)
        if kernel.reject(plan.problem) is None:
            y, where = run_with(kernel, plan, x)
            np.testing.assert_array_equal(y, [[[nan, 2.0]]], err_msg=kernel.name)
            np.testing.assert_array_equal(where, [[[1, 4]]], err_msg=kernel.name)
        plain = F.plan(F.max_pool1d, x, 4)
        if kernel.reject(plain.problem) is None:
            np.testing.assert_array_equal(run_with(kernel, plain, x), [[[nan, 2.0]]], err_msg=kernel.name)
    y, where = F.adaptive_max_pool1d(x, 3, return_indices=True)
    np.testing.assert_array_equal(y, [[[nan, nan, 2.0]]])
    np.testing.assert_array_equal(where, [[[1, 3, 5]]])
    # A window of nothing but -inf still has a first element.
    np.testing.assert_array_equal(F.max_pool1d(np.full((1, 4), -np.inf), 2, return_indices=True)[1], [[0, 2]])


def test_window_that_is_all_padding() -> None:
    one = np.ones((1, 1, 1))
    for kernel in kernels("pool"):
        plan = F.plan(F.max_pool1d, one, 2, 1, 1, 2, return_indices=True)
        if kernel.reject(plan.problem) is None:
            y, where = run_with(kernel, plan, one)
            assert (y[0, 0, 0], where[0, 0, 0]) == (-np.inf, -1), kernel.name
        plan = F.plan(F.avg_pool1d, one, 2, 1, 1, dilation=2, count_include_pad=False)
        if kernel.reject(plan.problem) is None:
            np.testing.assert_array_equal(run_with(kernel, plan, one), [[[0.0]]], err_msg=kernel.name)
    assert F.max_pool1d(np.ones((1, 1, 1), np.int8), 2, 1, 1, 2)[0, 0, 0] == -128


@pytest.mark.parametrize("rank", RANKS)
def test_empty_batches_and_what_may_not_be_empty(rank: int) -> None:
    spatial = (6,) * rank
    half = (3,) * rank
    for name, args in (("max_pool", (2,)), ("avg_pool", (2,)), ("lp_pool", (2, 2)), ("adaptive_max_pool", (3,)),
                       ("adaptive_avg_pool", (3,))):  # fmt: skip
        function = getattr(F, f"{name}{rank}d")
        assert function(np.ones((0, 3, *spatial), "f"), *args).shape == (0, 3, *half)
        with pytest.raises(F.ShapeError, match="at least one element"):
            function(np.ones((2, 3, *spatial[1:], 0), "f"), *args)
    y, where = getattr(F, f"max_pool{rank}d")(np.ones((0, 3, *spatial), "f"), 2, return_indices=True)
    assert y.shape == where.shape == (0, 3, *half)
    assert getattr(F, f"max_unpool{rank}d")(y, where, 2).shape == (0, 3, *spatial)
    with pytest.raises(F.ShapeError, match="at least one element"):
        getattr(F, f"max_pool{rank}d")(np.ones((2, 0, *spatial), "f"), 2)
    empty = getattr(F, f"adaptive_max_pool{rank}d")(np.ones((2, 3, *spatial), "f"), 0)
    assert empty.shape == (2, 3, *(0,) * rank)


def test_padding_forms() -> None:
    x = np.arange(1.0, 6.0).reshape(1, 5)
    np.testing.assert_array_equal(F.max_pool1d(x, 2, 1, "same"), [[2, 3, 4, 5, 5]])
    np.testing.assert_array_equal(F.max_pool1d(x, 2, 1, "same_upper"), [[2, 3, 4, 5, 5]])
    np.testing.assert_array_equal(F.max_pool1d(x, 2, 1, "same_lower"), [[1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(F.max_pool1d(x, 2, 1, [(1, 0)]), [[1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(F.avg_pool1d(x, 3, 1, [(2, 0)]) * 3, [[1, 3, 6, 9, 12]])
    np.testing.assert_array_equal(F.max_pool1d(x, 2, 1, "valid"), F.max_pool1d(x, 2, 1))
    np.testing.assert_array_equal(F.max_pool1d(x, 2, []), F.max_pool1d(x, 2, None))
    np.testing.assert_array_equal(F.avg_pool1d(x, 2, 2, "same", count_include_pad=False), [[1.5, 3.5, 5]])
    for stride in (1, 2, 3):
        image = np.ones((1, 2, 7, 8), "f")
        want = (1, 2, -(-7 // stride), -(-8 // stride))
        assert F.max_pool2d(image, 3, stride, "same").shape == want
        assert F.avg_pool2d(image, 3, stride, "same_lower", ceil_mode=True).shape == want
        assert F.max_pool2d(image, 2, stride, "same", 3).shape == want


@pytest.mark.parametrize("rank", (1, 2, 3, 4, 5))
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_global_pooling_of_any_rank(rank: int, layout: str) -> None:
    spatial = (3, 4, 2, 5, 2)[:rank]
    shape = (2, 6, *spatial) if layout == "NCHW" else (2, *spatial, 6)
    axes = tuple(range(2, rank + 2)) if layout == "NCHW" else tuple(range(1, rank + 1))
    x = np.random.default_rng(rank).standard_normal(shape)
    np.testing.assert_array_equal(F.global_max_pool(x, layout=layout), x.max(axes, keepdims=True))
    np.testing.assert_allclose(F.global_avg_pool(x, layout=layout), x.mean(axes, keepdims=True), rtol=1e-12, atol=1e-14)
    swapped = x.swapaxes(1, -1)
    np.testing.assert_array_equal(F.global_max_pool(swapped, layout=layout), swapped.max(axes, keepdims=True))
    assert F.global_max_pool((x * 9).astype(np.int8), layout=layout).dtype == np.int8


def test_adaptive_that_divides_has_fixed_windows() -> None:
    x = np.random.default_rng(4).standard_normal((2, 3, 8, 12)).astype("f")
    plan = F.plan(F.adaptive_avg_pool2d, x, (4, 3))
    assert isinstance(plan.problem, PoolProblem)
    assert plan.problem.kernel == plan.problem.stride == (1, 2, 4)
    np.testing.assert_allclose(plan(x), F.avg_pool2d(x, (2, 4)), rtol=1e-6, atol=1e-7)
    assert isinstance(F.plan(F.adaptive_avg_pool2d, x, (5, 3)).problem, AdaptivePoolProblem)
    assert isinstance(F.plan(F.global_avg_pool, x).problem, PoolProblem)
    np.testing.assert_array_equal(F.adaptive_max_pool2d(x, (None, 3)), F.max_pool2d(x, (1, 4)))


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_unpooling_kernels(rank: int, layout: str) -> None:
    rng = np.random.default_rng(5)
    spatial = (6, 7, 5)[:rank]
    for dtype in FLOATS:
        shape = (2, 3, *spatial) if layout == "NCHW" else (2, *spatial, 3)
        x = rng.standard_normal(shape).astype(dtype)
        y, where = getattr(F, f"max_pool{rank}d")(x, 3, 2, 1, return_indices=True, layout=layout)
        function = getattr(F, f"max_unpool{rank}d")
        channel = 1 if layout == "NCHW" else -1
        flat_x = np.moveaxis(x, channel, 1).reshape(2, 3, -1)
        flat_at = np.moveaxis(where, channel, 1).reshape(2, 3, -1)
        want = np.zeros_like(flat_x)
        np.put_along_axis(want, flat_at, np.take_along_axis(flat_x, flat_at, 2), 2)
        plan = F.plan(function, y, where, 3, 2, 1, spatial, layout=layout)
        for kernel in kernels("max_unpool"):
            got = run_with(kernel, plan, y)
            assert (got.shape, got.dtype) == (x.shape, x.dtype)
            np.testing.assert_array_equal(np.moveaxis(got, channel, 1).reshape(2, 3, -1), want, err_msg=kernel.name)


def test_unpooling_keeps_the_last_of_equal_positions_and_a_copy_of_them() -> None:
    x, where = np.array([[1.0, 2.0, 3.0]]), np.array([[1, 1, 4]])
    np.testing.assert_array_equal(F.max_unpool1d(x, where, 2), [[0, 2, 0, 0, 3, 0]])
    plan = F.plan(F.max_unpool1d, x, where, 2)
    where[...] = 10**9
    np.testing.assert_array_equal(plan(x), [[0, 2, 0, 0, 3, 0]])


AWKWARD = {
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
    "strided": lambda x: np.repeat(x, 2, -1)[..., ::2],
    "reversed": lambda x: np.ascontiguousarray(x[..., ::-1])[..., ::-1],
    "swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "unaligned": lambda x: np.frombuffer(b"\0" + x.tobytes(), x.dtype, offset=1).reshape(x.shape),
    "broadcast channels": lambda x: np.broadcast_to(x[:, :1], x.shape),
}


@pytest.mark.parametrize("form", AWKWARD)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_awkward_memory_gives_the_same_and_is_not_written(form: str, layout: str) -> None:
    clean = np.random.default_rng(6).standard_normal((2, 8, 6, 8)).astype("f")
    x = AWKWARD[form](clean)
    clean = np.ascontiguousarray(x, "f")
    before = clean.copy()
    if x.flags.owndata:
        x.setflags(write=False)
    for function, args in ((F.max_pool2d, (3, 2, 1)), (F.avg_pool2d, (3, 2, 1)), (F.lp_pool2d, (2, 2)),
                           (F.adaptive_avg_pool2d, (3,)), (F.global_max_pool, ())):  # fmt: skip
        np.testing.assert_array_equal(function(x, *args, layout=layout), function(clean, *args, layout=layout))
    np.testing.assert_array_equal(np.asarray(x, "f"), before)


def test_out() -> None:
    x = np.random.default_rng(7).standard_normal((2, 3, 8, 8))
    want, want_at = F.max_pool2d(x, 2, return_indices=True)
    y, at = np.empty_like(want), np.empty_like(want_at)
    got = F.max_pool2d(x, 2, return_indices=True, out=(y, at))
    assert got[0] is y and got[1] is at
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(at, want_at)
    same = x.copy()
    view = same[:, :, :4, :4]
    assert F.avg_pool2d(same, 2, out=view) is view  # overlapping and not contiguous
    np.testing.assert_array_equal(view, F.avg_pool2d(x, 2))
    with pytest.raises(F.ShapeError, match=r"out has shape \(1,\)"):
        F.max_pool2d(x, 2, out=np.empty(1))
    with pytest.raises(F.DTypeError, match="out has dtype float32"):
        F.max_pool2d(x, 2, out=np.empty((2, 3, 4, 4), "f"))
    with pytest.raises(TypeError, match="out must be a tuple of 2 arrays"):
        F.max_pool2d(x, 2, return_indices=True, out=y)


def test_plans() -> None:
    x = np.random.default_rng(8).standard_normal((2, 3, 8, 8)).astype("f")
    for function, args in ((F.max_pool2d, (2,)), (F.avg_pool2d, (3, 1)), (F.adaptive_avg_pool2d, (3,)),
                           (F.global_avg_pool, ())):  # fmt: skip
        plan = F.plan(function, F.Spec(x.shape, x.dtype), *args)
        np.testing.assert_array_equal(plan(x), function(x, *args))
        assert plan.explain().chosen == plan.kernel
    with pytest.raises(F.ShapeError, match="this plan was made for"):
        plan(x[:1])


X = np.ones((1, 2, 8, 8), "f")
REFUSED: list[tuple[Any, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    (F.max_pool2d, (X, 0), {}, ValueError, "kernel_size must be at least 1, got 0"),
    (F.max_pool2d, (X, 2.0), {}, TypeError, "kernel_size must be an int, got 2.0 of type float"),
    (F.max_pool2d, (X, True), {}, TypeError, "kernel_size must be an int, got True of type bool"),
    (F.max_pool2d, (X, (2, 2, 2)), {}, ValueError, "kernel_size must be an int or 2 ints"),
    (F.max_pool2d, (X, ()), {}, ValueError, "kernel_size must be an int or 2 ints"),
    (F.max_pool2d, (X, 2, 0), {}, ValueError, "stride must be at least 1, got 0"),
    (F.max_pool2d, (X, 2, 2, -1), {}, ValueError, "padding must be at least 0, got -1"),
    (F.max_pool2d, (X, 3, 2, 2), {}, ValueError, "padding must be at most half of kernel_size, 1 on height for 3"),
    (F.max_pool2d, (X, 3, 1, [(0, 0), (1, 3)]), {}, ValueError, r"less than kernel_size, 3 on width, got \(1, 3\)"),
    (F.max_pool2d, (X, 3, 1, "full"), {}, ValueError, "padding must be an int"),
    (F.max_pool2d, (X, 3, 1, 0, 0), {}, ValueError, "dilation must be at least 1, got 0"),
    (F.max_pool2d, (X, 9), {}, F.ShapeError, "output height would be 0: input has height 8"),
    (F.max_pool2d, (X, (1, 5), 1, 0, (1, 2)), {}, F.ShapeError, "output width would be 0: .* spans 9"),
    (F.max_pool2d, (X, 2**40, 2, 2**39), {}, ValueError, "must be at most 2147483647"),
    (F.max_pool2d, (X[0, 0], 2), {}, F.ShapeError, r"input must have shape \(N, C, H, W\) or \(C, H, W\), got"),
    (F.max_pool2d, (X, 2), {"ceil_mode": 1}, TypeError, "ceil_mode must be a bool, got 1"),
    (F.max_pool2d, (X, 2), {"return_indices": None}, TypeError, "return_indices must be a bool"),
    (F.max_pool2d, (X, 2), {"layout": "CHWN"}, ValueError, "layout must be one of NCHW, NHWC"),
    (F.max_pool2d, (X, 2), {"backend": "cuda"}, ValueError, "backend must be one of"),
    (F.max_pool2d, (X > 0, 2), {}, F.DTypeError, "input has dtype bool"),
    (F.max_pool2d, (X.astype(complex), 2), {}, F.DTypeError, "input has dtype complex128"),
    (F.max_pool2d, (None, 2), {}, TypeError, "input must be an array"),
    (F.avg_pool2d, (X, 2), {"divisor_override": 0}, ValueError, "divisor_override must be an int other than 0"),
    (F.avg_pool2d, (X, 2), {"divisor_override": 1.5}, TypeError, "divisor_override must be an int"),
    (F.avg_pool2d, (X, 2), {"count_include_pad": 0}, TypeError, "count_include_pad must be a bool"),
    (F.avg_pool2d, (X.astype(np.int32), 2), {}, F.DTypeError, "input has dtype int32; averages are defined for"),
    (F.avg_pool3d, (np.ones((1, 2, 4, 4, 4)), (2, 2, 6), 1, (0, 0, 3)), {}, F.ShapeError, "kernel_size is 6 on width"),
    (F.lp_pool2d, (X, 0, 2), {}, ValueError, "norm_type must be a number other than 0"),
    (F.lp_pool2d, (X, "2", 2), {}, TypeError, "norm_type must be a number, got '2'"),
    (F.lp_pool2d, (X.astype(int), 2, 2), {}, F.DTypeError, "input has dtype int64"),
    (F.adaptive_max_pool2d, (X, (3,)), {}, ValueError, "output_size must be an int or 2 ints"),
    (F.adaptive_max_pool2d, (X, -1), {}, ValueError, "output_size must be at least 0, got -1"),
    (F.adaptive_max_pool2d, (X, 2.0), {}, TypeError, "output_size must be an int, got 2.0"),
    (F.adaptive_max_pool2d, (X, None), {}, TypeError, "output_size must be an int, got None"),
    (F.adaptive_max_pool2d, (X.astype(bool), 2), {}, F.DTypeError, "input has dtype bool"),
    (F.adaptive_avg_pool2d, (X[0, 0], 2), {}, F.ShapeError, "input must have shape"),
    (F.adaptive_avg_pool2d, (X, 2**40), {}, F.ShapeError, "the result would have shape"),
    (F.global_avg_pool, (X[0, 0],), {}, F.ShapeError, "at least one spatial axis"),
    (F.global_avg_pool, (X.astype(np.int32),), {}, F.DTypeError, "input has dtype int32"),
    (F.max_unpool2d, (X, np.zeros(X.shape, np.int32), 2), {}, F.DTypeError, "indices must have dtype int64"),
    (F.max_unpool2d, (X, np.zeros((1, 2, 8, 7), int), 2), {}, F.ShapeError, "indices must have the shape of input"),
    (F.max_unpool2d, (X, np.full(X.shape, -1), 2), {}, ValueError, "indices must be positions 0 to 255 .* got -1"),
    (F.max_unpool2d, (X, np.full(X.shape, 256), 2), {}, ValueError, "indices must be positions 0 to 255 .* got 256"),
    (F.max_unpool2d, (X, np.zeros(X.shape, int), 2), {"output_size": (18, 16)}, F.ShapeError, "between 15 and 17"),
    (F.max_unpool2d, (X, np.zeros(X.shape, int), 2), {"output_size": 16}, ValueError, "must have 2 or 4 ints"),
    (F.max_unpool2d, (X, np.zeros(X.shape, int), 2, 2, 8), {}, F.ShapeError, "output height would be 0"),
    (F.max_unpool2d, (X.astype(int), np.zeros(X.shape, int), 2), {}, F.DTypeError, "input has dtype int64"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "args", "kwargs", "error", "text"), REFUSED, ids=[r[4] for r in REFUSED])
def test_refusals(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        function(*args, **kwargs)
    # The same again: a cached result for an equal value (2 for 2.0, 1 for True) must not accept it.
    with pytest.raises(error, match=text):
        function(*args, **kwargs)


def test_a_cached_problem_does_not_admit_equal_values_of_another_type() -> None:
    assert F.max_pool2d(X, 1, 2).shape == (1, 2, 4, 4)
    for bad in (2.0, np.float64(2)):
        with pytest.raises(TypeError, match="stride must be an int"):
            F.max_pool2d(X, 1, bad)
    with pytest.raises(TypeError, match="kernel_size must be an int"):
        F.max_pool2d(X, (True, 1), 2)
    assert F.max_pool2d(X, np.int64(1), np.array([2, 2])).shape == (1, 2, 4, 4)


def test_a_window_far_larger_than_the_input_ends() -> None:
    x = np.arange(4.0).reshape(1, 4)
    assert F.max_pool1d(x, 2**31 - 1, 2**31 - 1, 2**30 - 1, ceil_mode=True).tolist() == [[3.0]]
    assert F.avg_pool1d(x, 2**31 - 1, 2**31 - 1, 2**30 - 1, ceil_mode=True, count_include_pad=False).tolist() == [[1.5]]


@pytest.mark.parametrize("elements", [7, 64, 1 << 19])
@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_positions_of_large_windows_by_parts(
    monkeypatch: pytest.MonkeyPatch, elements: int, dtype: str, layout: str
) -> None:
    monkeypatch.setattr(pool, "TILES_BLOCK", elements)
    d = np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype)
    rng = np.random.default_rng(8)
    (windows,) = (k for k in kernels("adaptive_pool") if k.name == "numpy.windows")
    for spatial, output in (((1, 13, 17), (1, 3, 5)), ((1, 30, 31), (1, 7, 4)), ((5, 7, 11), (2, 3, 4))):
        p = AdaptivePoolProblem("max", 2, 3, spatial, output, True, layout, d, d)
        x = rng.integers(-3, 3, p.x_shape).astype(d)
        x[rng.random(p.x_shape) < 0.03] = np.nan
        x[rng.random(p.x_shape) < 0.3] = -np.inf
        got, want = ([np.empty(shape, t) for shape, t in p.results] for _ in range(2))
        windows.prepare(p, (), 1)(x, *got)
        kernels("adaptive_pool")[-1].prepare(p, (), 1)(x, *want)
        np.testing.assert_array_equal(got[0].astype(float), want[0].astype(float))
        np.testing.assert_array_equal(got[1], want[1])


@pytest.mark.parametrize("norm", [1, 2, 3, 2.5, 8, -1.5, 9])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_powers_of_lp(norm: float, dtype: str) -> None:
    x = np.random.default_rng(9).uniform(0.5, 3, (2, 3, 11, 12)).astype(dtype)
    x[0, 0, 0, :3] = 0, np.inf, 1
    y = F.lp_pool2d(x, norm, 3, 2, backend="numpy")
    with np.errstate(divide="ignore"):
        taken = np.lib.stride_tricks.sliding_window_view(x.astype(float), (3, 3), (2, 3))[:, :, ::2, ::2] ** norm
        want = taken.sum((4, 5)) ** (1 / norm)
    np.testing.assert_allclose(y.astype(float), want, rtol={"float16": 1e-3, "float32": 1e-6, "float64": 1e-14}[dtype])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "uint64"])
def test_adaptive_pooling_of_integers(dtype: str) -> None:
    x = np.random.default_rng(10).integers(0, 120, (2, 3, 11, 13)).astype(dtype)
    x -= np.array(60 if x.dtype.kind == "i" else 0, dtype)
    calls: list[Any] = [(F.adaptive_max_pool2d, {"return_indices": i}) for i in (False, True)]
    if dtype == "int64":
        calls.append((F.adaptive_avg_pool2d, {}))
    for f, kwargs in calls:
        p = F.plan(f, x, 4, **kwargs)
        want = p.with_kernel("reference.definition")(x)
        for candidate in p.explain().candidates:
            if candidate.reason is None:
                got = p.with_kernel(candidate.kernel.name)(x)
                np.testing.assert_array_equal(got, want, err_msg=candidate.kernel.name)
    np.testing.assert_array_equal(F.global_max_pool(x)[..., 0, 0], x.max((2, 3)))


def test_positions_of_an_unpooling_are_checked_in_every_call() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 10)).astype("f")
    y, where = F.max_pool2d(x, 2, return_indices=True)
    want = F.max_unpool2d(y, where, 2, backend="reference")
    for _ in range(5):  # later calls are remembered
        np.testing.assert_array_equal(F.max_unpool2d(y, where, 2), want)
    for bad in (80, -1):
        wrong = where.copy()
        wrong[1, 2, 3, 4] = bad
        with pytest.raises(ValueError, match=f"positions 0 to 79 of the output, got {bad}"):
            F.max_unpool2d(y, wrong, 2)
    for batch in (y[:, ::-1], y[::-1]):
        same = F.max_unpool2d(np.ascontiguousarray(batch), where, 2, backend="reference")
        np.testing.assert_array_equal(F.max_unpool2d(batch, where, 2), same)


@pytest.mark.parametrize("kernel", [((1, 1), (1, 1)), ((2, 1), (2, 1)), ((3, 1), (1, 1)), ((1, 1), (2, 1))], ids=str)
def test_windows_of_one_place_along_an_axis_with_channels_last(kernel: tuple[Any, Any]) -> None:
    """Their axis may be one of channels, too."""
    x = np.random.default_rng(1).normal(size=(2, 6, 5, 3)).astype("f")
    x[1, 2, 3, 1] = np.nan
    for function in (F.max_pool2d, F.avg_pool2d):
        got = function(x, *kernel, layout="NHWC", backend="cython")
        np.testing.assert_allclose(got, function(x, *kernel, layout="NHWC", backend="reference"), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16"])
def test_few_channels_last_are_those_of_channels_first(dtype: str) -> None:
    rng = np.random.default_rng(3)
    x = (rng.standard_normal((2, 9, 7, 3)) * 50).astype(dtype)
    uneven = ((2, 5), (3, 1), (0, 2)), ((4, 7), 1, (2, 3))
    for windows in (((1, 1), (1, 1)), ((3, 1), (2, 1)), (3, 1, 1), (3, 2, 1), *uneven):
        for image in (x, x[:, ::-1, 1::2], x[1], x[:0], np.asfortranarray(x)):
            if windows[0] == (4, 7) and image.shape[-2] < 7:
                continue
            first = np.ascontiguousarray(np.moveaxis(image, -1, -3))
            for more in ({"dilation": 1}, {"count_include_pad": True}, {"count_include_pad": False}):
                if dtype == "int16" and "dilation" not in more:
                    continue
                pool_of = F.max_pool2d if "dilation" in more else F.avg_pool2d
                expected = np.moveaxis(pool_of(first, *windows, **more), -3, -1)
                tolerance = {"rtol": 2e-3 if dtype == "float16" else 2e-6, "atol": 1e-5}
                np.testing.assert_allclose(pool_of(image, *windows, **more, layout="NHWC"), expected, **tolerance)
