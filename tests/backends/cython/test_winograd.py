"""Winograd convolution: every scheme on every remainder, stated errors, and infinities that keep to their windows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.conv import winograd2d
from fastconv.backends.cython.conv.winograd2d import POINTS, TILES, Axis, Scheme, Tall, Winograd, points_of
from fastconv.backends.cython.conv_weight.winograd import WeightScheme
from fastconv.backends.cython.runtime import native
from fastconv.backends.reference import conv as reference
from fastconv.core.problems.conv import weight_gradient
from fastconv.dispatch import registry
from tests.backends.cython.test_conv import DTYPES, as_dtype, case, check, problem, run, skip_unavailable
from tests.guard import guarded, guarded_copy
from tests.problems import lay

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KERNELS = winograd2d.KERNELS
WEIGHT_KERNELS = [k for k in registry.kernels("conv") if k.algorithm == "winograd" and k.relative.endswith("weight")]
every_weight_kernel = pytest.mark.parametrize("kernel", WEIGHT_KERNELS, ids=lambda k: k.name)
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)

ONE = problem(1, 1, (4, 4), (3, 3))
SCHEMES = (
    problem(17, 40, (13, 17), (3, 3), pads=((1, 1), (1, 1))),
    problem(16, 33, (14, 15), (3, 3), pads=((2, 1), (0, 3)), n=2),
    problem(20, 5, (15, 22), (5, 5), pads=((2, 2), (2, 2))),
    problem(8, 7, (12, 19), (1, 7), pads=((0, 0), (3, 3))),
    problem(8, 7, (19, 12), (7, 1), pads=((3, 3), (0, 0)), activation="relu"),
    problem(33, 6, (5, 23), (1, 9)),
    problem(8, 40, (19, 22), (3, 3), stride=(2, 2), pads=((1, 1), (1, 1))),
    problem(8, 4, (19, 22), (5, 5), stride=(2, 2), pads=((2, 2), (2, 2))),
    problem(3, 4, (19, 22), (7, 7), stride=(2, 2), pads=((3, 3), (3, 3))),
    problem(4, 4, (23, 25), (7, 5), stride=(3, 1), pads=((3, 3), (2, 2))),
    problem(4, 4, (20, 21), (3, 4), stride=(1, 2), pads=((0, 1), (1, 2)), bias=False),
    problem(8, 4, (19, 22), (3, 3), dilation=(2, 3), pads=((2, 2), (3, 3))),
    problem(4, 6, (10, 10), (3, 3), dilation=(7, 1), pads=((7, 7), (0, 0))),
    problem(4, 6, (3, 30), (1, 5), dilation=(1, 4), pads=((0, 0), (8, 8))),
    problem(5, 3, (9, 11), (2, 2)),
    problem(5, 3, (9, 11), (4, 6)),
    problem(18, 4, (5, 9, 12), (2, 3, 3), pads=((0, 1), (1, 1), (1, 1))),
    problem(18, 4, (9, 5, 12), (3, 1, 3), pads=((2, 2), (0, 0), (1, 1)), n=2),
    problem(7, 4, (9, 5, 12), (3, 3, 3), pads=((2, 1), (1, 1), (1, 1))),
    problem(3, 40, (12, 3, 12), (3, 3, 5), dilation=(3, 1, 1), activation="relu"),
    problem(3, 4, (9, 5, 12), (3, 3, 5), stride=(2, 1, 1)),
    problem(33, 7, (12, 15), (7, 7), pads=((3, 3), (3, 3))),
    problem(16, 7, (12, 15), (2, 7), stride=(3, 1), dilation=(2, 1)),
    problem(16, 8, (9, 12), (3, 3), groups=2, mode="reflect", pads=((1, 1), (2, 2))),
    problem(6, 6, (9, 12), (3, 3), groups=6, mode="circular", pads=((1, 1), (2, 2)), fill=0.0),
    problem(4, 5, (9, 12), (3, 3), fill=1.5, pads=((1, 2), (2, 1))),
    problem(70, 33, (6, 7), (3, 3), layout="NHWC", pads=((1, 1), (1, 1))),
    problem(9, 3, (9, 12), (5, 3), stride=(2, 1), layout="NHWC"),
)


@every_dtype
@every_kernel
def test_every_scheme(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel, dtype, ONE)
    taken = sum(check(kernel, p, dtype) for p in SCHEMES)
    assert taken >= 12


@every_dtype
@every_kernel
def test_every_remainder(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel, dtype, ONE)
    for extra in range(1, 13):
        assert check(kernel, problem(2, 3, (2 + extra, 15 - extra), (3, 3)), dtype)
        if kernel.relative in ("f4", "f2"):
            assert check(kernel, problem(1 + extra, 2 * extra, (4 + extra, 4), (3, 1), stride=(2, 1)), dtype)


@every_kernel
def test_infinities_and_nan_stay_in_their_windows(kernel: Any) -> None:
    skip_unavailable(kernel, np.float32, ONE)
    for p64 in SCHEMES:
        p = as_dtype(p64, np.float32)
        if kernel.reject(p) is not None or p.activation:
            continue
        x, w, bias, _ = case(p64)
        x = x.copy()
        x[0, 0, 0, 1, 2], x[0, -1, 0, -1, -3] = np.inf, np.nan
        want = np.empty(p.y_shape)
        with np.errstate(invalid="ignore"):
            reference.ReferenceConv().prepare(p64, (w, bias), 1)(x, want)
        got = run(kernel, p, x, w, bias, "end")
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=str(p))
        np.testing.assert_array_equal(got[np.isinf(want)], want[np.isinf(want)], err_msg=str(p))
        finite = np.isfinite(want)
        scale = np.abs(want[finite]).max(initial=p.depth**0.5)
        np.testing.assert_allclose(got[finite], want[finite], rtol=0, atol=4 * kernel.error(p) * scale)


@pytest.mark.parametrize("data", ["normal", "relu-like", "positive", "badly scaled"])
@every_kernel
def test_stated_errors(kernel: Any, data: str) -> None:
    skip_unavailable(kernel, np.float32, ONE)
    rng = np.random.default_rng(12)
    layers: tuple[Any, ...] = (
        problem(160, 32, (14, 15), (3, 3), pads=((1, 1), (1, 1))),
        problem(64, 32, (14, 15), (5, 5)),
        problem(96, 32, (4, 31), (1, 7)),
        problem(48, 32, (15, 17), (3, 3), stride=(2, 2)),
        problem(32, 32, (19, 17), (7, 7), stride=(2, 2)),
        problem(64, 32, (12, 17), (7, 7)),
        problem(48, 32, (12, 17), (9, 9)),
    )
    for p64 in layers:
        p64 = dataclasses.replace(p64, bias=False)
        p = as_dtype(p64, np.float32)
        if kernel.reject(p) is not None:
            continue
        x, w = (rng.standard_normal(s).astype(np.float32).astype(float) for s in (p.x_shape, p.w_shape))
        if data == "relu-like":
            x = np.maximum(x, 0)
        elif data == "positive":
            x, w = np.abs(x), np.abs(w)
        elif data == "badly scaled":
            x = (x * np.exp(rng.normal(size=(1, p.ic, 1, 1, 1)) * 4)).astype(np.float32).astype(float)
        want = np.empty(p.y_shape)
        reference.ReferenceConv().prepare(p64, (w, None), 1)(x, want)
        error = np.abs(run(kernel, p, x, w, None, "end") - want).max() / np.abs(want).max()
        assert error <= 2 * kernel.error(p), (error, kernel.error(p), p)


def test_the_tolerance_decides() -> None:
    def plan(*kernel: int, **options: Any) -> Any:
        w = np.ones((64, 64, *kernel), np.float32)
        return F.plan(F.conv2d, F.Spec((1, 64, 56, 56)), w, threads=1, backend="cython", **options)

    if "winograd" not in plan(3, 3).kernel:
        pytest.skip("no compiled kernels")
    assert "winograd_f" in plan(3, 3).kernel and "winograd_f6@" not in plan(3, 3).kernel
    assert "direct" in plan(3, 3, tol=0).kernel
    isa = plan(3, 3).kernel.split("@")[1]

    def refusal(plan: Any) -> str:
        return {c.kernel.name: c.reason for c in plan.explain().candidates}[f"cython.winograd_f6@{isa}"] or ""

    assert refusal(plan(3, 3)).endswith("exceeds tol 4.0e-06")
    assert refusal(plan(3, 3, tol=1e-5)) == ""
    doubles = F.plan(F.conv2d, F.Spec((1, 64, 56, 56), float), np.ones((64, 64, 3, 3)), threads=1, backend="cython")
    assert "winograd_f" in doubles.kernel and "winograd_f6@" not in doubles.kernel
    assert refusal(doubles).endswith("exceeds tol 7.5e-15")
    assert "winograd_f4x2" in plan(5, 5).kernel and "winograd_f4@" in plan(5, 5, tol=1e-5).kernel


@every_kernel
def test_refusals(kernel: Any) -> None:
    skip_unavailable(kernel, np.float32, ONE)
    tall = isinstance(kernel, Tall)
    m = (kernel.inner if tall else kernel).m[0]
    for p, why in (
        (problem(4, 4, (9, 9), (1, 1)), "one axis only, as equal tiles have it" if tall else "not windowed"),
        (problem(4, 4, (20, 20), (3, 3), stride=(2, 2), dilation=(2, 2)), "both strided and dilated"),
        (problem(4, 4, (9, 9), (2, 2), stride=(2, 2)), f"no F({m}, 2) with stride 2"),
        (problem(4, 4, (40, 40), (13, 13)), f"no F({m}, 13)"),
        (problem(4, 4, (9, 9), (3, 3), fill=float("inf")), "no channels, or padding that is not finite"),
    ):
        reason = kernel.reject(as_dtype(p, np.float32))
        if m == 6 and why == "both strided and dilated":
            assert reason is not None
        else:
            assert reason == why


GRADIENTS = (
    problem(17, 40, (13, 17), (3, 3), pads=((1, 1), (1, 1)), n=3),
    problem(16, 33, (14, 15), (3, 3), pads=((2, 1), (0, 3)), n=2, layout="NHWC"),
    problem(35, 5, (9, 11), (5, 5), pads=((2, 2), (2, 2)), n=2),
    problem(8, 7, (4, 19), (1, 7), pads=((0, 0), (3, 3))),
    problem(8, 7, (19, 4), (7, 1), pads=((3, 3), (0, 0)), n=2),
    problem(3, 4, (9, 9), (2, 3), n=2),
    problem(3, 4, (9, 9), (7, 5), n=2),
    problem(16, 8, (9, 12), (3, 3), groups=2, mode="reflect", pads=((1, 1), (2, 2)), n=2),
    problem(4, 6, (9, 12), (3, 2), groups=2, fill=1.5, pads=((1, 1), (2, 0))),
    problem(40, 70, (20, 30), (3, 3), pads=((1, 1), (1, 1)), n=2),  # several chunks
    problem(17, 40, (13, 18), (3, 3), stride=(2, 2), pads=((1, 1), (1, 1)), n=3),
    *(problem(3, 4, (11 + i, 24 - i), (3, 3), stride=(2, 2), pads=((i % 3, 1), (1, i % 2))) for i in range(9)),
    problem(5, 33, (19, 12), (4, 3), stride=(2, 1), pads=((-1, 2), (2, -1)), n=2, layout="NHWC"),
    problem(8, 4, (9, 31), (3, 4), stride=(1, 2), pads=((1, 1), (1, 1)), groups=2, mode="circular"),
    problem(4, 6, (15, 26), (5, 6), stride=(3, 3), pads=((2, 2), (2, 2)), fill=1.5),
    problem(3, 4, (4, 19), (1, 3), stride=(1, 2), pads=((0, 0), (1, 1))),
    problem(3, 4, (19, 4), (3, 1), stride=(2, 1), pads=((1, 1), (0, 0)), n=2),
    problem(40, 70, (28, 36), (3, 3), stride=(2, 2), pads=((1, 1), (1, 1)), n=2),  # several chunks
)


def gradient(kernel: Any, p: Any, x: np.ndarray, y: np.ndarray, at: str, threads: int) -> np.ndarray:
    arrays = [guarded_copy(lay(a.astype(p.dtype), p.layout), at) for a in (x, y)]
    w = guarded(p.w_shape, p.out, at)
    kernel.prepare(p, (arrays[0],), threads)(arrays[1], w)
    return w


@every_dtype
@every_weight_kernel
def test_gradients_of_weights(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel, dtype, weight_gradient(ONE))
    taken = 0
    for forward in GRADIENTS:
        p64 = weight_gradient(forward)
        p = as_dtype(p64, dtype)
        if kernel.reject(p) is not None:
            continue
        taken += 1
        rng = np.random.default_rng(3)
        x, y = (rng.standard_normal(s).astype(np.float32).astype(float) for s in (p.x_shape, p.y_shape))
        want = np.empty(p.w_shape)
        reference.ReferenceConv().prepare(p64, (x,), 1)(y, want)
        got = gradient(kernel, p, x, y, "end", 1)
        scale = np.abs(want).max()
        np.testing.assert_allclose(got, want, rtol=0, atol=2 * kernel.error(p) * scale, err_msg=str(p))
        assert got.tobytes() == gradient(kernel, p, x, y, "start", 2).tobytes()
        x[0, 0, 0, 0, 0], y[-1, -1, 0, 0, 0] = np.inf, np.nan
        with np.errstate(invalid="ignore"):
            reference.ReferenceConv().prepare(p64, (x,), 1)(y, want)
        got = gradient(kernel, p, x, y, "end", 1)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
        np.testing.assert_array_equal(got[np.isinf(want)], want[np.isinf(want)])
    assert taken >= 16


@every_weight_kernel
@pytest.mark.parametrize(("channels", "images"), [(24, 12), (120, 3)], ids=["segments", "shared chunks"])
def test_gradients_of_weights_on_many_threads(kernel: Any, channels: int, images: int) -> None:
    """The bits are the same for every assignment of chunks to threads, and whether chunks are split or not."""
    p = as_dtype(weight_gradient(problem(channels, channels, (30, 26), (3, 3), n=images, bias=False)), np.float32)
    skip_unavailable(kernel, np.float32, weight_gradient(ONE))
    assert (WeightScheme.of(p, kernel.isa, kernel.tile).segments > 1) == (channels == 24)
    rng = np.random.default_rng(4)
    x, y = (rng.standard_normal(s).astype(np.float32) for s in (p.x_shape, p.y_shape))
    one, out = np.empty(p.w_shape, np.float32), np.empty(p.w_shape, np.float32)
    kernel.prepare(p, (x,), 1)(y, one)
    for threads in (2, 3, 5):
        runner = kernel.prepare(p, (x,), threads)
        for _ in range(5):
            out.fill(np.nan)
            runner(y, out)
            assert out.tobytes() == one.tobytes()


def test_gradients_of_weights_take_it() -> None:
    if not any(k.reject(weight_gradient(ONE)) is None for k in WEIGHT_KERNELS):
        pytest.skip("no compiled kernels")
    x, w, dy = F.Spec((8, 64, 56, 56)), np.ones((64, 64, 3, 3), "f"), np.ones((8, 64, 56, 56), "f")
    plan = F.plan(F.grad.conv2d, F.Spec(dy.shape), np.ones(x.shape, "f"), w, padding=1, need=(False, True, False))
    assert plan.kernel.startswith("cython.winograd_f4_weight")


def test_filters_are_minimal() -> None:
    """F(m, r) takes m + r - 1 points, and in exact arithmetic its three matrices give the filter."""
    for m in {each for tile in TILES for each in tile}:
        for taps in range(2, 10):
            points = points_of(m, taps, 1)
            assert points == (m + taps - 1 if m + taps - 1 in POINTS else None)
            if points is None:
                continue
            axis = Axis.of(m, taps, 1, 1, np.dtype(np.float64))
            assert axis.used == (points,) and axis.depth == points
            assert axis.weights.shape == (1, points * taps)
    strided = Axis.of(4, 3, 2, 1, np.dtype(np.float64))
    assert (strided.points, strided.used, strided.depth) == (5, (5, 4), 9)


SHARED = (  # of more operations than one thread does alone
    problem(16, 100, (29, 30), (3, 3), pads=((1, 1), (1, 1))),
    problem(20, 33, (27, 25), (5, 5), pads=((2, 2), (2, 2)), n=3),
    problem(40, 70, (9, 40), (3, 3), stride=(2, 2), pads=((1, 1), (1, 1))),
    problem(32, 64, (23, 21), (3, 3), dilation=(2, 2), pads=((2, 2), (2, 2)), groups=2),
    problem(70, 65, (1, 90), (1, 3)),
    problem(8, 24, (4, 20, 20), (3, 3, 3), pads=((1, 1), (1, 1), (1, 1))),
)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16])
def test_items_cover_everything_once(count: int) -> None:
    """Every row of tiles of every lattice is combined with every block of output channels, on any number of threads."""
    skip_unavailable(Winograd("portable", (2, 2)), np.float64, ONE)
    taken = 0
    for m in TILES:
        for p in SHARED:
            if Winograd("portable", m).reject(p) is not None:
                continue
            taken += 1
            h = Axis.of(m[0], p.kernel[1], p.stride[1], p.dilation[1], p.acc)
            blocks = -(-p.ocg // native.tile("portable", p.acc.itemsize)[1])
            met = [
                (lattice, row, block)
                for some in Scheme.of(p, "portable", m, count).items
                for lattice in range(some.lattice, some.lattice + some.lattices)
                for row in range(some.first, some.first + some.rows * some.stretches)
                for block in range(blocks)
            ]
            wanted = [
                (lattice, row, block)
                for lattice in range(p.dilation[1])
                for row in range(h.lattice(p.output[1], lattice))
                for block in range(blocks)
            ]
            assert sorted(met) == wanted, (m, p)
    assert taken > len(TILES)
