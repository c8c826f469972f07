"""Native kernels for narrow types: every piece, both layouts, against the definitions."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.conv import tiles as conv_tiles
from fastconv.backends.cython.gemm import dots, tiles
from fastconv.backends.cython.runtime import halves, native
from fastconv.backends.cython.widened import pairs
from fastconv.backends.cython.widened import pieces as widened
from fastconv.backends.cython.widened import pool as widened_pool
from fastconv.backends.cython.widened import products as widened_products
from fastconv.core import machine
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.conv import conv_problem
from fastconv.core.problems.gemm import gemm_problem
from fastconv.core.problems.pool import pool_problem
from fastconv.dispatch.registry import kernels
from tests.guard import guarded_copy

ml_dtypes = pytest.importorskip("ml_dtypes")
pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name
HALVES = [np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
INTEGERS = [np.dtype(t) for t in ("int8", "uint8", "int16", "uint16", "int32", "uint32")]


def wide(op: str) -> list[Any]:
    return [k for k in kernels(op) if isinstance(k, widened.Widened)]


def usable(kernel: Any, problem: Any) -> None:
    reason = kernel.reject(problem)
    if reason is not None:
        pytest.skip(reason)


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        x = rng.integers(info.min, info.max, shape, endpoint=True).astype(dtype)
        x[rng.random(shape) < 0.3] = info.min
        return x
    x = rng.integers(-3, 4, shape).astype(dtype)
    x[rng.random(shape) < 0.02] = np.nan
    x[rng.random(shape) < 0.2] = -np.inf
    return x


def images(array: np.ndarray, layout: str) -> np.ndarray:
    """The same values, stored in `layout`."""
    if layout == "NCHW":
        return np.ascontiguousarray(array)
    return np.ascontiguousarray(array.transpose(0, 2, 3, 4, 1)).transpose(0, 4, 1, 2, 3)


def check(kernel: Any, p: Any, x: np.ndarray, layout: str) -> None:
    wants = [np.zeros(shape, t) for shape, t in p.results]
    kernels(p.op)[-1].prepare(p, (), 1)(x, *wants)
    got = [images(np.zeros_like(w), layout) for w in wants]
    before = x.copy()
    with np.errstate(all="raise"):
        kernel.prepare(p, (), 2)(images(x, layout), *got)
    np.testing.assert_array_equal(x.view(np.uint8), before.view(np.uint8))
    tol = 2 * kernel.error(p)
    np.testing.assert_allclose(got[0].astype(float), wants[0].astype(float), rtol=tol, atol=tol, err_msg=str(p))
    for more, want in zip(got[1:], wants[1:], strict=True):
        np.testing.assert_array_equal(more, want, err_msg=str(p))


@pytest.mark.parametrize("piece", [200, 1 << 18])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("kernel", wide("pool") + wide("adaptive_pool"), ids=lambda k: k.name)
def test_pooling(monkeypatch: pytest.MonkeyPatch, kernel: Any, layout: str, piece: int) -> None:
    monkeypatch.setattr(widened, "PIECE", piece)
    rng = np.random.default_rng(1)
    ways = [("max", False), ("max", True), ("avg", False), ("lp", False)]
    for (kind, indices), dtype in itertools.product(ways, HALVES + INTEGERS):
        if dtype.kind in "iu" and kind != "max":
            continue
        if kernel.inner in [k.inner for k in widened_pool.ADAPTIVE]:
            if kind == "lp":
                continue
            p: Any = AdaptivePoolProblem(kind, 3, 5, (2, 9, 10), (1, 4, 3), indices, layout, dtype, dtype)
        else:
            shape = (3, 5, 2, 9, 10) if layout == "NCHW" else (3, 2, 9, 10, 5)
            p = pool_problem(
                kind, 3, shape, dtype, (2, 3, 3), (1, 2, 2), 1, 1, True, True, None, 2.0, indices, layout
            )
        usable(kernel, p)
        x = values(rng, p.x_shape, dtype)
        if kind != "max":
            x = np.nan_to_num(x, neginf=1.0).astype(dtype)
        check(kernel, p, x, layout)
        assert kernel.workspace(p) < 32 << 20


@pytest.mark.parametrize("piece", [1, 13, 60])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("kernel", [k for k in wide("pool") if k.isa == machine.host_isas()[0]], ids=lambda k: k.name)
def test_rows_of_a_channel(monkeypatch: pytest.MonkeyPatch, kernel: Any, layout: str, piece: int) -> None:
    """Signals, images and volumes in pieces of one row and more, with every padding at either end."""
    monkeypatch.setattr(widened, "PIECE", piece)
    rng = np.random.default_rng(4)
    spatial = [(37,), (11, 5), (7, 3, 4), (1, 9, 6)]
    windows = [(3, 1, 1, False), (3, 2, 1, True), (2, 1, 3, True), (4, 3, 1, True), (5, 2, 2, False)]
    half, small = HALVES[0], np.dtype(np.int8)
    kinds = [("max", 1.0, half), ("max", 1.0, small), ("avg", 1.0, half), ("lp", 2.0, half), ("lp", 3.0, half)]
    tried = 0
    for shape, (k, s, d, ceil), pad, (kind, norm, dtype) in itertools.product(spatial, windows, (0, 1, 2), kinds):
        size = tuple(min(k, extent) for extent in shape)
        pads = tuple(0 if kind == "lp" else min(pad, n // 2) for n in size)
        fits = all((n - 1) * d < e + 2 * pad for n, e, pad in zip(size, shape, pads, strict=True))
        if not fits or (d > 1 and kind != "max"):
            continue
        full = (2, 3, *shape) if layout == "NCHW" else (2, *shape, 3)
        p = pool_problem(
            kind, len(shape), full, dtype, size, s, pads, d, ceil, pad == 1, None, norm, kind == "max", layout
        )
        if kernel.reject(p) is None:
            check(kernel, p, np.nan_to_num(values(rng, p.x_shape, dtype), neginf=1.0).astype(dtype), layout)
            tried += 1
    assert tried > 20


def test_what_it_leaves_to_others() -> None:
    kernel = next(k for k in wide("pool") if k.algorithm == "separable")
    p = pool_problem("max", 2, (1, 1, 4, 4), np.dtype(np.int64), 2, None, 0, 1, False, True, None, 1.0, False, "NCHW")
    assert "int64" in kernel.reject(p)
    p = pool_problem(
        "max", 2, (1, 1, 4, 1 << 21), np.dtype(np.float16), 2, None, 0, 1, False, True, None, 1.0, False, "NCHW"
    )
    assert "cannot be split" in kernel.reject(p)
    image = replace(p, input=(1, 1 << 12, 1 << 12), output=(1, 1 << 11, 1 << 11))
    assert kernel.reject(image) is None and kernel.workspace(image) < 8 << 20


TILED = [*tiles.CONVOLUTIONS, *conv_tiles.CONVOLUTIONS]
CONVOLUTIONS = [*widened_products.CONVOLUTIONS, *pairs.CONVOLUTIONS, *TILED]
BFLOAT16 = [*TILED, *pairs.CONVOLUTIONS, *tiles.KERNELS, *pairs.PRODUCTS, *dots.KERNELS]


@pytest.mark.parametrize("block", [400, 1 << 19])
@pytest.mark.parametrize("kernel", CONVOLUTIONS, ids=lambda k: k.name)
def test_convolutions(monkeypatch: pytest.MonkeyPatch, kernel: Any, block: int) -> None:
    """For all blocks: both layouts, padding of every kind, strides, dilation, groups, volumes."""
    monkeypatch.setattr(widened_products, "BLOCK", block)
    monkeypatch.setattr(widened_products, "NARROWEST", 4)
    monkeypatch.setattr(conv_tiles, "block_bytes", lambda name: block)
    widened_products.WidenedBlocks.of.cache_clear()
    conv_tiles.TiledBlocks.of.cache_clear()
    rng = np.random.default_rng(4)
    shapes = [  # input, weights, groups, stride, padding, dilation
        ((3, 4, 9, 30), (5, 4, 1, 1), 1, 1, 0, 1),
        ((3, 4, 9, 30), (8, 1, 3, 3), 4, 1, 1, 1),
        ((3, 4, 19, 30), (6, 2, 3, 5), 2, (2, 1), (2, 1), (1, 2)),
        ((2, 3, 4, 9, 10), (5, 3, 2, 3, 3), 1, 2, 1, 1),
        ((0, 4, 9, 30), (5, 4, 3, 3), 1, 1, 1, 1),
        ((2, 0, 9, 30), (5, 0, 3, 3), 1, 1, 1, 1),
    ]
    tried = 0
    ways = itertools.product(HALVES, shapes, ("zeros", "reflect", "circular"), ("NCHW", "NHWC"))
    for dtype, (xs, ws, groups, stride, padding, dilation), mode, layout in ways:
        user = xs if layout == "NCHW" else (xs[0], *xs[2:], xs[1])
        p = conv_problem(
            len(xs) - 2, user, dtype, ws, dtype, ws[:1], np.dtype(np.float32), stride, padding, dilation, groups,
            layout, mode, "relu" if "relu" in kernel.activations else None, False,
        )  # fmt: skip
        if kernel.reject(p) is not None:
            continue
        tried += 1
        x = images(rng.integers(-3, 4, p.x_shape).astype(dtype), layout)
        constants = rng.integers(-2, 3, p.w_shape).astype(dtype), rng.normal(size=p.oc).astype(np.float32)
        want, got, one = (images(np.zeros(p.y_shape, dtype), layout) for _ in range(3))
        kernels("conv")[-1].prepare(replace(p, activation=None), constants, 1)(x, want)
        want = np.maximum(want, 0) if p.activation else want
        with np.errstate(all="raise"):
            kernel.prepare(p, constants, 2)(x, got)
            kernel.prepare(replace(p, n=min(p.n, 1)), constants, 1)(x[:1], one[:1])
        np.testing.assert_array_equal(got[:1].view(np.uint16), one[:1].view(np.uint16), err_msg=str(p))
        atol = 1e-4 * np.abs(want.astype(float)).max(initial=1)
        np.testing.assert_allclose(
            got.astype(float), want.astype(float), rtol=2 * kernel.error(p), atol=atol, err_msg=str(p)
        )
    widened_products.WidenedBlocks.of.cache_clear()
    conv_tiles.TiledBlocks.of.cache_clear()
    if not tried:
        pytest.skip("not available here")


PRODUCTS = [*widened_products.PRODUCTS, *tiles.KERNELS, *pairs.PRODUCTS, *dots.KERNELS]


@pytest.mark.parametrize("block", [100, 1 << 19])
@pytest.mark.parametrize("kernel", PRODUCTS, ids=lambda k: k.name)
def test_products(monkeypatch: pytest.MonkeyPatch, kernel: Any, block: int) -> None:
    monkeypatch.setattr(widened_products, "BLOCK", block)
    monkeypatch.setattr(widened_products, "COLUMNS", block)
    monkeypatch.setattr(tiles, "block_bytes", lambda name: block)
    rng = np.random.default_rng(5)
    shapes = [((3, 7, 20), (20, 9)), ((4, 7, 5), (4, 5, 6)), ((1, 30), (30, 40)), ((2, 3, 0), (2, 0, 4))]
    shapes += [((0, 3), (3, 4)), ((2, 3), (3, 0))]
    ways = itertools.product(HALVES, shapes, (False, True), (False, True), (False, True), (False, True))
    tried = 0
    for dtype, (a, b), trans_a, trans_b, c, packed in ways:
        a = (*a[:-2], a[-1], a[-2]) if trans_a else a
        b = (*b[:-2], b[-1], b[-2]) if trans_b else b
        n = b[-2] if trans_b else b[-1]
        half = np.dtype(np.float32)
        p, _ = gemm_problem((a, dtype), (b, dtype), ((n,), dtype) if c else None, ((n,), half), trans_a=trans_a,
                            trans_b=trans_b, alpha=0.5, beta=2.0, activation="relu", packed=packed)
        if kernel.reject(p) is not None:
            continue
        tried += 1
        x = rng.integers(-3, 4, (p.batch, p.k, p.m) if trans_a else (p.batch, p.m, p.k)).astype(dtype)
        right = (p.n, p.k) if trans_b else (p.k, p.n)
        addend = np.broadcast_to(rng.integers(-3, 4, n).astype(p.acc), (p.batch, p.m, p.n)) if c else None
        constants = (
            rng.integers(-3, 4, (p.batch if p.b_batched else 1, *right)).astype(dtype), addend,
            rng.normal(size=n).astype(half),
        )  # fmt: skip
        want, got = (np.zeros((p.batch, p.m, p.n), dtype) for _ in range(2))
        kernels("gemm")[-1].prepare(replace(p, activation=None), constants, 1)(x, want)
        want = np.maximum(want, 0)
        with np.errstate(all="raise"):
            kernel.prepare(p, constants, 2)(x, got)
        np.testing.assert_allclose(
            got.astype(float), want.astype(float), rtol=2 * kernel.error(p), atol=1e-4, err_msg=str(p)
        )
    if not tried:
        pytest.skip("not available here")


@pytest.mark.parametrize("isa", machine.ISAS)
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_conversions_are_those_of_numpy(isa: str, dtype: np.dtype) -> None:
    """Every 16-bit float, what lies half-way between two, and any bits: NaN stays NaN, ties go to even."""
    if native.unavailable(isa):
        pytest.skip(str(native.unavailable(isa)))
    rng = np.random.default_rng(6)
    halves_, want = np.arange(1 << 16, dtype=np.uint16).view(dtype), np.zeros(1 << 16, np.float32)
    with np.errstate(all="ignore"):
        want[:] = halves_
        np.testing.assert_array_equal(halves.converted(isa, halves_, want.dtype), want)
        between = ((want[1:].astype(float) + want[:-1]) / 2).astype(np.float32)
        any_bits = rng.integers(0, 1 << 32, 100_003, dtype=np.uint32).view(np.float32)
        x = np.concatenate([between, np.nextafter(between, np.float32(0)), any_bits])
        narrow = x.astype(dtype)
    np.testing.assert_array_equal(halves.converted(isa, x, dtype).astype(np.float32), narrow.astype(np.float32))


def test_conversions_of_any_strides() -> None:
    isa = next(i for i in machine.ISAS if not native.unavailable(i))
    x = np.arange(3 * 4 * 5 * 6 * 7, dtype=np.float32).reshape(3, 4, 5, 6, 7).transpose(0, 2, 4, 1, 3)[:, ::-1, :, ::2]
    to = np.zeros(x.shape[::-1], np.float16).transpose()
    halves.convert(isa, to, x)
    np.testing.assert_array_equal(to, x.astype(np.float16))
    back = np.zeros(x.shape, np.float32)[..., ::-1]
    halves.convert(isa, back, to)
    np.testing.assert_array_equal(back, x.astype(np.float16))
    for shape in ((), (1, 1), (0, 3), (3, 0, 2)):
        assert halves.converted(isa, np.ones(shape, np.float16), np.dtype(np.float32)).shape == shape


def test_half_convolutions_and_products_are_native() -> None:
    """Of every dtype of 16 bits: these took up to sixty times as long as torch's."""
    for dtype in HALVES:
        x, w = np.ones((1, 8, 40, 40), dtype), np.ones((8, 8, 3, 3), dtype)
        plans = [F.plan(F.conv2d, x, w), F.plan(F.conv_transpose2d, x, w, stride=2), F.plan(F.linear, x[0, 0], x[0, 1])]
        for plan in plans:
            assert plan.kernel.startswith("cython."), plan.explain()


@pytest.mark.parametrize("kernel", BFLOAT16, ids=lambda k: k.name)
def test_every_remainder_of_bfloat16(kernel: Any) -> None:
    """Channels, pixels and depths around the sizes of tiles, with numbers that are not small integers."""
    rng = np.random.default_rng(10)
    dtype, tried = HALVES[1], 0
    for _ in range(150):
        layout = str(rng.choice(["NCHW", "NHWC"]))
        if kernel in (*pairs.PRODUCTS, *tiles.KERNELS, *dots.KERNELS):
            m, n, k = (int(v) for v in rng.integers(1, 70, 3))
            trans_a, trans_b = (bool(v) for v in rng.integers(2, size=2))
            a, b = (k, m) if trans_a else (m, k), (n, k) if trans_b else (k, n)
            packed = bool(rng.integers(2))
            p: Any = gemm_problem((a, dtype), (b, dtype), None, None, 1.0, 0.0, trans_a, trans_b, None, packed)[0]
            x, w = rng.normal(size=(1, *a)), rng.normal(size=(1, *b))
            constants: Any = w.astype(dtype), None, None
        else:
            ic, oc = int(rng.integers(1, rng.choice([5, 70]))), int(rng.integers(1, 70))
            kh, kw = (1, 1) if kernel.algorithm == "pointwise" else (int(v) for v in rng.integers(1, 5, 2))
            ih, iw = int(rng.integers(kh, 12)), int(rng.integers(kw, 40))
            step = (1, 1) if kernel.algorithm == "pointwise" else tuple(int(v) for v in rng.integers(1, 4, 2))
            padding = (int(rng.integers(kh)), int(rng.integers(kw)))
            shape = (2, ic, ih, iw) if layout == "NCHW" else (2, ih, iw, ic)
            p = conv_problem(2, shape, dtype, (oc, ic, kh, kw), dtype, None, None, step, padding, 1, 1, layout, "zeros",
                             None, False)  # fmt: skip
            x, w = rng.normal(size=p.x_shape), rng.normal(size=p.w_shape)
            constants = w.astype(dtype), None
        if kernel.reject(p) is not None:
            continue
        tried += 1
        given = images(x.astype(dtype), layout) if x.ndim == 5 else x.astype(dtype)
        at = str(rng.choice(["start", "end"]))
        given, constants = guarded_copy(given, at), (guarded_copy(constants[0], at), *constants[1:])
        wide = replace(p, dtype=np.dtype(float), acc=np.dtype(float), out=np.dtype(float))
        want = np.zeros(p.results[0][0])
        kernels(p.op)[-1].prepare(wide, (constants[0].astype(float), *constants[1:]), 1)(given.astype(float), want)
        got = np.full(p.results[0][0], np.nan, dtype)
        got = guarded_copy(images(got, layout) if x.ndim == 5 else got, at)
        kernel.prepare(p, constants, int(rng.integers(1, 3)))(given, got)
        atol = 1e-5 * np.abs(want).max()
        np.testing.assert_allclose(got.astype(float), want, rtol=2.0**-8, atol=atol, err_msg=str(p))
    if not tried:
        pytest.skip("not available here")


@pytest.mark.parametrize("kernel", pairs.PRODUCTS, ids=lambda k: k.name)
def test_columns_left_over_of_bfloat16(kernel: Any) -> None:
    """The last vector of a tile repeats some columns of the one before: for every number of them, and sums in parts."""
    rng = np.random.default_rng(11)
    dtype, tried = HALVES[1], 0
    for i, n in enumerate((*range(17, 33), *range(49, 64), 87, 90)):
        m, k, trans_b = i * 5 % 31 + 1, (6, 33, 70, 1100, 2500)[i % 5], i % 4 == 0
        bias = ((n,), np.dtype(np.float32)) if i % 3 == 0 else None
        p, _ = gemm_problem(((m, k), dtype), ((n, k) if trans_b else (k, n), dtype), None, bias, 1.0, 0.0, False,
                            trans_b, "relu" if i % 2 else None, False)  # fmt: skip
        if kernel.reject(p) is not None:
            continue
        tried += 1
        x, w = rng.normal(size=(1, m, k)).astype(dtype), rng.normal(size=(1, k, n)).astype(dtype)
        row = None if bias is None else rng.normal(size=n).astype(np.float32)
        want, got = x.astype(float) @ w.astype(float) + (0 if row is None else row), np.full((1, m, n), np.nan, dtype)
        want = np.maximum(want, 0) if p.activation else want
        w = np.ascontiguousarray(w.swapaxes(1, 2)) if trans_b else w
        kernel.prepare(p, (w, None, row), 2)(x, got)
        np.testing.assert_allclose(got.astype(float), want, rtol=2.0**-8, atol=1e-5 * k, err_msg=str(p))
    if not tried:
        pytest.skip("not available here")


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_products_of_one_order_give_a_row_the_same_bits(dtype: np.dtype) -> None:
    rng, bias_dtype = np.random.default_rng(12), np.dtype(np.float32)
    sizes = ((7, 64, False), (40, 300, False), (33, 1030, False), (50, 700, True), (20, 41, True), (3, 9, True))
    for n, k, trans_b in sizes:
        x = rng.normal(size=(1, 40, k)).astype(dtype)
        w = rng.normal(size=(1, n, k) if trans_b else (1, k, n)).astype(dtype)
        bias, seen = rng.normal(size=n).astype(bias_dtype), dict[str, np.ndarray]()
        for kernel, m in itertools.product(kernels("gemm"), (40, 1, 2, 3, 7, 16, 33)):
            p, _ = gemm_problem(((m, k), dtype), (w.shape[1:], dtype), None, ((n,), bias_dtype), 1.0, 0.0, False,
                                trans_b, None, False)  # fmt: skip
            if kernel.backend == "cython" and kernel.reject(p) is None:
                got = np.full((1, m, n), np.nan, dtype)
                kernel.prepare(p, (w, None, bias), 1 + m % 2)(x[:, 40 - m :], got)
                want = seen.setdefault(kernel.order, got)
                rows = min(m, want.shape[1])
                assert got[:, -rows:].tobytes() == want[:, -rows:].tobytes(), f"{kernel.name}: {p}"


def test_explain_says_that_denormal_numbers_count_as_zero() -> None:
    x = np.ones((64, 64), HALVES[1])
    plan = F.plan(F.matmul, x, x, backend="cython")
    special = "pairs" in plan.kernel or "tiles" in plan.kernel
    assert ("denormal numbers count as zero" in str(plan.explain())) == (special and plan.kernel.endswith("avx512"))


def test_kernels_that_flush_denormal_numbers_say_so() -> None:
    """Transposed convolutions, too, whose phases are those of other kernels."""
    flushing = set()
    for kernel in (*kernels("conv"), *kernels("gemm")):
        assert kernel.flushes == ("denormal numbers count as zero" in kernel.note), kernel
        if kernel.flushes:
            assert kernel.relative.startswith(("pairs", "tiles")) and kernel.isa == "avx512", kernel
            flushing.add(kernel.name)
    for kernel in kernels("conv"):
        forward = kernel.name.replace("_transposed", "")
        assert (kernel.name in flushing) == (forward in flushing), kernel


def test_products_of_pairs_that_are_repeated() -> None:
    """The same bits as in the first call, also of rows that do not begin at a pair."""
    rng = np.random.default_rng(12)
    dtype = HALVES[1]
    for a, b in (((5, 7, 12), (5, 12, 33)), ((9, 64), (64, 40)), ((2, 14, 6), (6, 17)), ((3, 20, 9), (3, 9, 18))):
        room = rng.normal(size=prod(a) + 1).astype(dtype)
        x, w = room[1:].reshape(a), rng.normal(size=b).astype(dtype)
        want = F.matmul(x.copy(), w, backend="reference").astype(float)
        first = F.matmul(x.copy(), w)
        np.testing.assert_allclose(first.astype(float), want, rtol=2.0**-7, atol=2.0**-7)
        out = np.empty_like(first)
        for _ in range(6):
            for given in (x, x.copy()):
                for got in (F.matmul(given, w), F.matmul(given, w, out=out)):
                    np.testing.assert_array_equal(got.view(np.uint16), first.view(np.uint16))
