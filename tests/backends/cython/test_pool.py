"""The native pooling kernels: every width and channel count, window, layout and norm, against unreadable pages."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest

from fastconv.backends.cython.pool import flat, global_pool, lanes, separable, small_window, strided
from fastconv.backends.cython.runtime import native
from fastconv.backends.reference.pool import ReferencePool as Reference
from fastconv.core.kernel import Kernel
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.base import freeze
from fastconv.core.problems.pool import PoolProblem, pool_problem
from fastconv.dispatch.registry import kernels
from tests.guard import guarded_copy
from tests.problems import lay
from tests.wide import half, share

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KINDS = (
    separable.SeparablePool, small_window.SmallWindow, flat.FlatPool, small_window.SmallWindowLast, lanes.LanesPool,
    strided.StridedWindow,
)  # fmt: skip
KERNELS = [k for k in kernels("pool") if isinstance(k, KINDS)]
RUNS = [k for k in kernels("pool") if isinstance(k, global_pool.GlobalPool)]
WAYS = ("max", "indices", "avg", "exclude", "lp1", "lp2", "lpinf", "lp-inf")


@pytest.fixture(params=KERNELS, ids=lambda k: k.name)
def kernel(request: pytest.FixtureRequest) -> Kernel[PoolProblem]:
    """Each variant that this host can run."""
    reason = native.unavailable(request.param.isa)
    if reason is not None:
        pytest.skip(reason)
    return request.param


def takes(kernel: Kernel[PoolProblem], p: PoolProblem) -> bool:
    """Whether `kernel` does `p`: the separable one does everything here."""
    reason = kernel.reject(p)
    assert reason is None or kernel.algorithm in ("shifts", "flat", "channels", "lanes", "strided"), reason
    return reason is None


def problem(
    way: str,
    spatial: tuple[int, ...],
    window: tuple[int, ...],
    *,
    n: int = 1,
    channels: int = 2,
    stride: object = None,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: bool = False,
    divisor: int | None = None,
    layout: str = "NCHW",
    dtype: str = "float32",
) -> PoolProblem:
    x = (n, channels, *spatial) if layout == "NCHW" else (n, *spatial, channels)
    kind = "max" if way == "indices" else "avg" if way == "exclude" else way[:2] if way[:2] == "lp" else way
    return pool_problem(
        kind,
        len(window),
        x,
        np.dtype(dtype),
        window,
        stride,
        freeze(padding, "padding"),
        dilation,
        ceil_mode,
        way != "exclude",
        divisor,
        float(way[2:]) if kind == "lp" else 2.0,
        way == "indices",
        layout,
    )


def results(p: PoolProblem, at: str = "end") -> list[np.ndarray]:
    return [guarded_copy(lay(np.full(shape, 77, dtype), p.layout), at) for shape, dtype in p.results]


@cache
def example(p: PoolProblem) -> tuple[np.ndarray, list[np.ndarray]]:
    """x, rich in ties, with some NaN and infinities; and the results by definition."""
    rng = np.random.default_rng(len(repr(p)))
    x = rng.integers(-3, 4, p.x_shape).astype(p.dtype)
    special = (np.nan, np.inf, -np.inf) if p.kind == "max" else (np.nan,)
    for value in special:
        x[rng.random(p.x_shape) < 0.04] = value
    want = [np.empty(shape, dtype) for shape, dtype in p.results]
    Reference().prepare(p, (), 1)(x, *want)
    return x, want


def check(kernel: Kernel[PoolProblem], problems: Iterable[PoolProblem], places: tuple[str, ...] = ("end",)) -> None:
    for p, at in share(kernel, itertools.product((p for p in problems if takes(kernel, p)), places)):
        x, want = example(p)
        got = results(p, at)
        kernel.prepare(p, (), 1)(guarded_copy(lay(x, p.layout), at), *got)
        assert kernel.error(p) < 1e-4
        np.testing.assert_allclose(got[0], want[0], rtol=4 * kernel.error(p), atol=4 * kernel.error(p), err_msg=str(p))
        if p.indices:
            np.testing.assert_array_equal(got[1], want[1], err_msg=str(p))


def vector(kernel: Kernel[PoolProblem], dtype: str) -> int:
    return native.lanes(kernel.isa, np.dtype(dtype).itemsize)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", WAYS)
def test_every_width(kernel: Kernel[PoolProblem], way: str, dtype: str) -> None:
    check(
        kernel,
        (
            problem(way, (5, w), (3, 3), stride=stride, padding=1, dtype=dtype, channels=1 + w % 2)
            for w in range(1, 3 * vector(kernel, dtype) + 2)
            for stride in ((1, 2) if w % 2 else (2, 3))
        ),
        ("start", "end"),
    )


@pytest.mark.parametrize("way", ["max", "avg", "indices"])
def test_rows_are_prefetched(kernel: Kernel[PoolProblem], way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images from memory: addresses of later rows lie beyond the last one, on unreadable pages."""
    if kernel.algorithm not in ("shifts", "strided"):
        pytest.skip("prefetches nothing")
    fetched, sizes = small_window.FETCHED, small_window.block_bytes
    monkeypatch.setattr(small_window, "block_bytes", lambda name: 0 if name == fetched else sizes(name))
    problems = [
        problem(way, (11, w), window, stride=stride, padding=1, n=2, dtype=dtype)
        for w in (7, 33, 150, 253)
        for window, stride in (((2, 2), 2), ((3, 3), 2), ((3, 3), 3), ((2, 5), (3, 5)), ((4, 3), (2, 7)))
        for dtype in ("float32", "float64")
    ]
    assert all(small_window.ahead_of(p) for p in problems)
    check(kernel, problems, ("start", "end"))


@pytest.mark.parametrize("way", ["max", "avg", "indices"])
@pytest.mark.parametrize("stride", [1, 2])
def test_widths_of_several_vectors(kernel: Kernel[PoolProblem], way: str, stride: int) -> None:
    vl = vector(kernel, "float32")
    check(
        kernel,
        (
            problem(way, (4, vectors * vl * stride + extra), (2, 2), stride=stride)
            for vectors in (4, 5, 8, 9)
            for extra in (-1, 0, 1, 2)
        ),
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", ["max", "avg", "exclude"])
def test_planes_that_keep_their_size(kernel: Kernel[PoolProblem], way: str, dtype: str) -> None:
    windows = [(1, 3), (2, 3), (3, 3), (7, 3), (3, 5), (5, 5)]
    some = half((1, 2, 3, 5, 7), (*range(1, 20), 33, 35), (0,), first=dtype == "float64")
    sizes = [*((h, w) for h, w, _ in some), (14, 14), (20, 20), (35, 35), (4, 130)]
    problems = (
        problem(way, size, (kh, kw), stride=1, dilation=(d, 1), channels=3, dtype=dtype,
                padding=((d * (kh - 1) // 2, -(-d * (kh - 1) // 2)), (kw // 2, kw // 2)))
        for i, size in enumerate(sizes)
        for kh, kw in windows[i % 2 :: 2]
        for d in (1, 2)
        if d == 1 or (way == "max" and kh % 2)
    )  # fmt: skip
    check(kernel, (p for p in problems if p.output == p.input), ("start", "end"))


def test_averages_of_infinities_and_of_what_overflows(kernel: Kernel[PoolProblem]) -> None:
    p = problem("avg", (9, 9), (3, 3), stride=1, padding=1, channels=1)
    if not takes(kernel, p):
        return
    x = np.random.default_rng(3).normal(size=p.x_shape).astype("f")
    x[..., 1, 1], x[..., 7, 7], x[..., 1, 7] = np.inf, -np.inf, np.nan
    y, want = np.empty(p.y_shape, "f"), np.empty(p.y_shape)
    kernel.prepare(p, (), 1)(x, y)
    Reference().prepare(p, (), 1)(x, want)
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-6)
    kernel.prepare(p, (), 1)(np.full(p.x_shape, 3e38, "f"), y)
    assert np.all(np.isposinf(y))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", WAYS)
def test_every_number_of_channels_in_lanes(kernel: Kernel[PoolProblem], way: str, dtype: str) -> None:
    check(
        kernel,
        (
            problem(way, (4, 5), (3, 2), stride=stride, padding=1, dtype=dtype, channels=c, layout="NHWC")
            for c in range(1, 3 * vector(kernel, dtype) + 2)
            for stride in ((1,) if c % 3 else (1, 2))
        ),
        ("start", "end"),
    )


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("way", WAYS)
def test_windows_strides_dilations_and_pads(kernel: Kernel[PoolProblem], way: str, layout: str) -> None:
    check(
        kernel,
        (
            problem(
                way,
                (9, 23),
                window,
                stride=stride,
                dilation=dilation,
                padding=padding,
                ceil_mode=ceil_mode,
                layout=layout,
                n=2,
                dtype="float64" if ceil_mode else "float32",
            )
            for window in ((3, 3), (2, 5), (4, 1))
            for stride in ((1, 1), (2, 2), (3, 4))
            for dilation in (1, (2, 3))
            for padding in (0, tuple((k // 2, 0) for k in window), tuple((0, k // 2) for k in window))
            for ceil_mode in (False, True)
            if all(d * (k - 1) < e for d, k, e in zip((2, 3), window, (9, 23), strict=True))
        ),
    )


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("way", WAYS)
def test_signals_and_volumes(kernel: Kernel[PoolProblem], way: str, layout: str) -> None:
    check(
        kernel,
        [
            problem(way, (40,), (5,), stride=2, padding=2, layout=layout, channels=3),
            problem(way, (5, 6, 11), (3, 2, 3), stride=(2, 1, 2), padding=1, layout=layout, channels=3),
            problem(way, (6, 5, 9), (2, 2, 2), dilation=(2, 1, 3), stride=1, padding=1, layout=layout, channels=3),
        ],
        ("start", "end"),
    )


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("divisor", [1, 7, -3])
def test_divisor_override(kernel: Kernel[PoolProblem], layout: str, divisor: int) -> None:
    check(kernel, [problem("avg", (6, 9), (3, 3), stride=2, padding=1, ceil_mode=True, divisor=divisor, layout=layout)])


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_first_nan_first_tie_and_padding(kernel: Kernel[PoolProblem], layout: str) -> None:
    p = problem("indices", (4, 4), (3, 3), stride=3, padding=1, channels=3, ceil_mode=True, layout=layout)
    x = np.zeros(p.x_shape, p.dtype)
    x[0, 0, 0, 1, 0] = x[0, 0, 0, 0, 1] = np.nan  # row 0 comes first, though column 0 comes first in a row
    x[0, 1, 0, 1, 0] = x[0, 1, 0, 0, 1] = 5
    x[0, 2] = -np.inf
    if not takes(kernel, p):
        return
    value, index = results(p)
    kernel.prepare(p, (), 1)(guarded_copy(lay(x, layout)), value, index)
    assert np.isnan(value[0, 0, 0, 0, 0]) and index[0, 0, 0, 0, 0] == 1
    assert value[0, 1, 0, 0, 0] == 5 and index[0, 1, 0, 0, 0] == 1
    np.testing.assert_array_equal(value[0, 2], -np.inf)
    np.testing.assert_array_equal(index[0, 2, 0], [[0, 2], [8, 10]])


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_window_wholly_in_padding(kernel: Kernel[PoolProblem], layout: str) -> None:
    shape = {"spatial": (1, 1), "window": (2, 2), "dilation": 2, "padding": 1, "stride": 1, "layout": layout}
    for way, expected in (("indices", -np.inf), ("exclude", 0), ("avg", 0), ("lpinf", 0), ("lp-inf", np.inf)):
        p = problem(way, **shape)  # type: ignore[arg-type]
        assert p.output == (1, 1, 1)
        if not takes(kernel, p):
            continue
        got = results(p)
        kernel.prepare(p, (), 1)(guarded_copy(lay(np.ones(p.x_shape, p.dtype), layout)), *got)
        np.testing.assert_array_equal(got[0], expected)
        if p.indices:
            np.testing.assert_array_equal(got[1], -1)


def test_huge_windows_cost_what_they_can_reach(kernel: Kernel[PoolProblem]) -> None:
    huge = (2**31 - 1, 2**31 - 1)
    half = ((2**30, 2**30), (2**30, 2**30))
    p = problem("max", (6, 7), huge, stride=1, padding=half)
    assert p.output == (1, 8, 9) or max(p.output) <= 12
    assert kernel.workspace(p) < 1 << 16
    check(kernel, [p, problem("exclude", (6, 7), huge, stride=1, padding=half)])


@pytest.mark.parametrize("way", ["max", "indices", "avg"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_long_rows_are_cut_into_blocks(kernel: Kernel[PoolProblem], way: str, layout: str) -> None:
    for stride in (1, 2):
        p = problem(way, (3, 9001), (2, 4), stride=stride, padding=1, channels=3, layout=layout, dtype="float64")
        check(kernel, [p])
        assert not takes(kernel, p) or kernel.workspace(p) < 1 << 18


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", ["max", "avg", "exclude"])
def test_every_distance_and_number_of_columns(kernel: Kernel[PoolProblem], way: str, dtype: str) -> None:
    if kernel.algorithm not in ("strided", "shifts"):
        pytest.skip("the other kernels know no distances of their own")
    vl = vector(kernel, dtype)
    sizes = [*itertools.product(range(2, 11), range(1, 11)), (12, 12), (15, 13), (16, 16), (17, 33), (3, 20), (64, 64)]
    problems = (
        problem(
            way, (5, width), (kh, kw),
            stride=(2, stride), padding=((int(kh > 1), 0), (before, 0)), channels=3, dtype=dtype,
        )
        for i, (stride, kw) in enumerate(sizes)
        for kh, before, width in (
            (1 + i % 3, 0, kw + stride * (3 * vl - 1) + i % stride),
            (2, kw // 2, kw + stride * (vl + i % vl)),
            (2, kw // 2, max(kw // 2, 1)),
        )
        if width + before >= kw
    )
    check(kernel, problems, ("start", "end"))


@pytest.mark.parametrize("runs", RUNS, ids=lambda k: k.name)
@pytest.mark.parametrize("way", ["max", "indices", "avg", "exclude"])
def test_windows_that_are_runs_of_memory(runs: Kernel[PoolProblem], way: str) -> None:
    if native.unavailable(runs.isa):
        pytest.skip("not an instruction set of this host")
    covering = {"padding": ((1, 2), (3, 3))}  # which means count, but for "exclude"
    sizes: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, object]]] = [
        ((61,), (1,), {}), ((61,), (4,), {"stride": 4}), ((700,), (100,), {}), ((7, 9), (1, 9), {"stride": 1}),
        ((9, 4), (3, 4), {}), ((10, 4), (3, 4), {}), ((6, 6, 5), (1, 2, 5), {}), ((6, 3, 5), (2, 3, 5), {}),
        ((1, 40), (1, 5), {}), ((5, 12), (1, 3), {}), ((9, 40), (4, 40), {"stride": (7, 1)}),
        ((3, 5), (6, 11), {"stride": 1, **covering}),
    ]  # fmt: skip
    problems = [
        problem(way, s, k, n=2, channels=c, dtype=d, **more) for s, k, more in sizes for c, d in ((3, "f"), (70, "d"))
    ]
    assert all(runs.reject(p) is None for p in problems)
    check(runs, problems, ("start", "end"))
    for p in problems:  # channels that are not adjacent
        x, want = example(p)
        apart, got = np.full((p.n, 2 * p.c, *p.input), np.nan, p.dtype)[:, ::2], results(p)
        apart[...] = x
        runs.prepare(p, (), 2)(apart, *got)
        for y, expected in zip(got, want, strict=True):
            np.testing.assert_allclose(y, expected, rtol=4 * runs.error(p), atol=4 * runs.error(p), err_msg=str(p))
    refused = (((3, 3), {}), ((2, 9), {"stride": 1}), ((3, 9), {"padding": (1, 0)}), ((2, 9), {"layout": "NHWC"}))
    for window, other in refused:
        assert runs.reject(problem(way, (5, 9), window, **other)) is not None, (window, other)
    if way in ("max", "indices"):
        assert runs.reject(problem(way, (5, 17), (5, 9), dilation=(1, 2))) is not None


@pytest.mark.parametrize("runs", RUNS, ids=lambda k: k.name)
@pytest.mark.parametrize("way", ["max", "avg"])
def test_small_maps_of_every_size(runs: Kernel[PoolProblem], way: str) -> None:
    """Up to four vectors and a few more elements, with NaN, infinity and -0 among them; any number of maps."""
    if native.unavailable(runs.isa):
        pytest.skip("not an instruction set of this host")
    rng = np.random.default_rng(3)
    for length in range(1, 67):
        for dtype in ("f", "d", "e"):
            p = problem(way, (length,), (length,), n=1, channels=int(rng.integers(1, 70)), dtype=dtype)
            x = rng.normal(size=p.x_shape).astype(dtype)
            x[rng.random(x.shape) < 0.01] = rng.choice([np.nan, np.inf, -np.inf, -0.0])
            for at in ("start", "end"):
                given, (got,) = guarded_copy(x, at), results(p, at)
                runs.prepare(p, (), 1)(given, got)
                with np.errstate(invalid="ignore"):
                    wide = x.astype(float)
                    want = wide.max((2, 3, 4)) if way == "max" else wide.mean((2, 3, 4))
                tol = 2 * runs.error(p)
                np.testing.assert_allclose(got.reshape(want.shape), want, rtol=tol, atol=4 * tol, err_msg=str(p))


def test_refusals_say_why(kernel: Kernel[PoolProblem]) -> None:
    if kernel.algorithm == "shifts":
        assert kernel.reject(problem("lp2", (5, 5), (2, 2))) == "maxima and averages, channels first"
        assert kernel.reject(problem("max", (5, 5), (2, 2), stride=3)) == "columns further apart than a shift"
        assert kernel.reject(problem("max", (5, 9), (2, 6))) is not None
        assert kernel.reject(problem("max", (40, 5), (33, 2), stride=1)) is not None
        return
    if kernel.algorithm == "channels":
        assert kernel.reject(problem("max", (5, 5), (3, 3))) == "maxima without positions and averages, channels last"
        assert kernel.reject(problem("indices", (5, 5), (3, 3), layout="NHWC")) is not None
        assert kernel.reject(problem("avg", (9, 9), (9, 8), layout="NHWC")) == "windows of more than 64 places"
        return
    if kernel.algorithm == "strided":
        assert kernel.reject(problem("indices", (9, 9), (3, 3))) is not None
        assert kernel.reject(problem("max", (5, 5), (3, 3), stride=1)) == "windows 2 to 64 columns apart"
        assert kernel.reject(problem("max", (5, 9), (2, 2), stride=3, dilation=2)) == "columns of a window side by side"
        assert kernel.reject(problem("max", (40, 9), (33, 2), stride=2)) is not None
        return
    if kernel.algorithm == "lanes":
        assert kernel.reject(problem("lp2", (5, 5), (2, 2))) == "maxima and averages, channels first"
        assert kernel.reject(problem("max", (5, 5), (2, 2), layout="NHWC")) is not None
        return
    if kernel.algorithm == "flat":
        same = "windows one apart on planes that keep their size"
        assert kernel.reject(problem("indices", (5, 5), (3, 3), stride=1, padding=1)) is not None
        assert kernel.reject(problem("max", (5, 5), (3, 3), stride=2, padding=1)) == same
        assert kernel.reject(problem("max", (5, 5), (3, 3), stride=1)) == same
        assert kernel.reject(problem("max", (5, 15), (7, 7), stride=1, padding=3)) is not None
        large = problem("max", (100, 100), (3, 3), stride=1, padding=1)
        assert kernel.reject(large) == "planes of more than 24576 bytes"
        return
    assert kernel.reject(problem("lp3", (5, 5), (2, 2))) == (
        "norm 3: only 1, 2 and the infinities, which need no powers"
    )
    assert kernel.reject(problem("max", (5, 5), (2, 2), dtype="int32")) == "dtype int32: float32 and float64 only"
    wide = problem("indices", (5, 5), (2, 2**25), padding=((0, 0), (2**24, 2**24)), stride=2**26)
    assert kernel.reject(wide) == ("positions within a window are counted in floats: at most 16777216 rows and columns")


ADAPTIVE = [k for k in kernels("adaptive_pool") if k.backend == "cython"]


@pytest.mark.parametrize("kernel", ADAPTIVE, ids=lambda k: k.name)
@pytest.mark.parametrize("kind", ["max", "avg", "indices"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_windows_of_uneven_sizes(kernel: Kernel[AdaptivePoolProblem], kind: str, layout: str, dtype: str) -> None:
    d = np.dtype(dtype)
    sizes = [((1, 5, 7), (1, 3, 3)), ((1, 10, 33), (1, 7, 7)), ((4, 3, 2), (3, 5, 1)), ((1, 1, 40), (1, 1, 40)),
             ((1, 2, 300), (1, 1, 7))]  # fmt: skip
    rng = np.random.default_rng(12)
    for (extents, output), c, at in itertools.product(sizes, (1, 3, 16, 35), ("start", "end")):
        indices = kind == "indices"
        p = AdaptivePoolProblem("max" if indices else kind, 2, c, extents, output, indices, layout, d, d)
        reason = kernel.reject(p)
        if reason is not None:
            pytest.skip(reason)
        x = rng.integers(-3, 4, p.x_shape).astype(d)
        x[rng.random(p.x_shape) < 0.02] = np.nan
        if indices:
            x[rng.random(p.x_shape) < 0.3] = -np.inf
        wants = [np.empty(shape, t) for shape, t in p.results]
        Reference().prepare(p, (), 1)(x, *wants)
        got = [guarded_copy(lay(np.zeros_like(want), layout), at) for want in wants]
        kernel.prepare(p, (), 2)(guarded_copy(lay(x, layout), at), *got)
        np.testing.assert_allclose(got[0], wants[0], rtol=4 * kernel.error(p), atol=4 * kernel.error(p))
        if indices:
            np.testing.assert_array_equal(got[1], wants[1])
