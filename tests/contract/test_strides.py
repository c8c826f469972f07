"""Strides of images, channels and matrices are free, and those of axes of length 1 mean nothing, for every kernel.

NumPy keeps what slicing left there (``x[:, :, 7:8]``, ``x[:, ::3]``), calls such arrays contiguous all the same, and
exports other strides through the buffer protocol.  A kernel that takes one for the step between pixels writes anywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import fastconv as F
from fastconv.core.kernel import Kernel
from fastconv.core.problems.adaptive import adaptive_problem
from fastconv.core.problems.conv import ConvProblem, weight_gradient
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.problems.pool import pool_problem
from fastconv.dispatch.registry import kernels
from tests.contract.cases import EVERY, Case, Results, bits, for_each, small_of
from tests.guard import guarded, guarded_copy
from tests.problems import Arrays, empty_result, forward, in_layout, lay, transposed
from tests.wide import of_two_isas

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

ODD = (40, -24, 8 << 30, 0, 12 * 8)  # bytes; whole floats of both widths
F32 = np.dtype(np.float32)
able = [k for k in kernels("conv") if k.backend != "reference" and of_two_isas(k)]  # addresses are the same in all
every_conv = pytest.mark.parametrize("kernel", able, ids=lambda k: k.name)
of_two = for_each((op, k) for op, k in EVERY if of_two_isas(k))
every_layout = pytest.mark.parametrize("layout", ["NCHW", "NHWC"])


def odd(a: np.ndarray) -> np.ndarray:
    """The same elements; strides that no index is multiplied by have changed."""
    strides = [s if e > 1 else ODD[i % len(ODD)] for i, (e, s) in enumerate(zip(a.shape, a.strides, strict=True))]
    view = as_strided(a, a.shape, strides)
    np.testing.assert_array_equal(view, a)
    return view


def narrow() -> Iterator[ConvProblem]:
    """Convolutions of images in which some axis has length 1, before or after."""
    for spatial in [(14,), (1, 14), (14, 1), (1, 1), (3, 1, 1), (1, 5, 1)]:
        rank = len(spatial)
        for n, ic, oc, groups in [(1, 48, 32, 1), (2, 1, 1, 1), (1, 20, 20, 20), (2, 8, 16, 4), (1, 1, 40, 1)]:
            for k, pad in [(1, 0), (3, 1)]:
                yield forward(
                    (n, ic, *spatial), (oc, ic // groups, *(k,) * rank), padding=pad, groups=groups, activation="relu"
                )
    yield forward((1, 4, 14, 2), (32, 4, 1, 1), stride=(1, 2))
    yield forward((1, 4, 2, 14), (6, 4, 2, 3), padding=(0, 1))
    yield forward((2, 3, 9, 9), (8, 3, 9, 9))
    yield forward((2, 3, 9, 4), (8, 3, 3, 4), stride=2)
    yield forward((3, 1, 100), (4, 1, 99), stride=5)


@cache
def example(p: ConvProblem) -> tuple[Arrays, np.ndarray]:
    """Arrays of a convolution, and its result."""
    a, want = Arrays.of(p), empty_result(p)
    kernels("conv")[-1].prepare(replace(p, activation=None), (a.w, a.bias), 1)(a.x, want)
    return a, np.maximum(want, 0) if p.activation else want


@cache
def gradient(p: ConvProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, dy and the gradient of the weights."""
    rng = np.random.default_rng(0)
    x, y = (lay(rng.normal(size=s).astype("f"), p.layout) for s in (p.x_shape, (p.n, p.oc, *p.output)))
    want = np.empty(p.w_shape, "f")
    kernels("conv")[-1].prepare(p, (x,), 1)(y, want)
    return x, y, want


def close(got: np.ndarray, want: np.ndarray, p: Any) -> None:
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-4 * float(np.abs(want).max(initial=1.0)), err_msg=str(p))


@every_layout
@every_conv
def test_convolution(kernel: Any, layout: str) -> None:
    for p in (in_layout(q, layout) for q in narrow()):
        p = replace(p, activation=p.activation if "relu" in kernel.activations else None)
        if kernel.reject(p) is None:
            a, want = example(p)
            got = guarded_copy(empty_result(p))
            kernel.prepare(p, (a.w, a.bias), 2)(odd(guarded_copy(a.x)), odd(got))
            close(got, want, p)


@every_layout
@every_conv
def test_transposed_convolution(kernel: Any, layout: str) -> None:
    for spatial, k, stride in itertools.product([(1, 14), (14, 1), (1, 1)], (1, 2, 3), (1, 2)):
        for ic, oc, groups in [(8, 16, 1), (1, 1, 1), (20, 1, 20)]:
            p = in_layout(transposed((1, ic, *spatial), (ic, oc, k, k), stride=stride, groups=groups), layout)
            if kernel.reject(p) is None:
                a, want = example(p)
                got = guarded_copy(empty_result(p))
                kernel.prepare(p, (a.w, a.bias), 2)(odd(guarded_copy(a.x)), odd(got))
                close(got, want, p)


@every_layout
@every_conv
def test_gradient_of_weights(kernel: Any, layout: str) -> None:
    for q in narrow():
        p = in_layout(weight_gradient(replace(q, activation=None)), layout)
        if kernel.reject(p) is None:
            x, y, want = gradient(p)
            got = guarded(p.w_shape, "f")
            kernel.prepare(p, (odd(guarded_copy(x)),), 2)(odd(guarded_copy(y)), odd(got))
            close(got, want, p)


def pooled(layout: str) -> Iterator[tuple[str, Any]]:
    """(family, problem)"""
    for spatial, c in itertools.product([(1, 14), (14, 1), (1, 1), (2, 2)], (1, 20)):
        shape = (2, c, *spatial) if layout == "NCHW" else (2, *spatial, c)
        for kind, indices, k in [("max", False, 2), ("max", True, 2), ("avg", False, 3)]:
            yield "pool", pool_problem(kind, 2, shape, F32, k, k, (1, 1), 1, True, True, None, 1.0, indices, layout)
        yield "adaptive_pool", adaptive_problem("avg", 2, shape, F32, (1, 2), False, layout)


@every_layout
def test_pooling(layout: str) -> None:
    rng = np.random.default_rng(0)
    for family, p in pooled(layout):
        x = lay(rng.normal(size=p.x_shape).astype("f"), layout)
        want = [lay(np.zeros(shape, dtype), layout) for shape, dtype in p.results]
        kernels(family)[-1].prepare(p, (), 1)(x, *want)
        for kernel in kernels(family)[:-1]:
            if kernel.reject(p) is None:
                got = [guarded_copy(np.zeros_like(w)) for w in want]
                kernel.prepare(p, (), 2)(odd(guarded_copy(x)), *map(odd, got))
                for g, w in zip(got, want, strict=True):
                    np.testing.assert_allclose(g, w, atol=1e-6, err_msg=f"{kernel.name}: {p}")


@pytest.mark.parametrize("kernel", kernels("gemm")[:-1], ids=lambda k: k.name)
def test_products(kernel: Any) -> None:
    rng = np.random.default_rng(0)
    for batch, m, n, k, ta, tb in itertools.product((1, 2), (1, 40), (1, 40), (1, 30), (False, True), (False, True)):
        p = GemmProblem(batch, m, n, k, True, ta, tb, 2.0, 0.5, True, True, F32, F32, F32, None, False)
        if kernel.reject(p) is not None:
            continue
        a = rng.normal(size=(batch, k, m) if ta else (batch, m, k)).astype("f")
        b = rng.normal(size=(batch, n, k) if tb else (batch, k, n)).astype("f")
        c, bias = rng.normal(size=(batch, m, n)).astype("f"), rng.normal(size=n).astype("f")
        want = 2 * (a.swapaxes(1, 2) if ta else a) @ (b.swapaxes(1, 2) if tb else b) + 0.5 * c + bias
        got = guarded((batch, m, n), "f")
        kernel.prepare(p, (odd(guarded_copy(b)), odd(guarded_copy(c)), bias), 2)(odd(guarded_copy(a)), odd(got))
        close(got, want, p)


@of_two
def test_strides_of_axes_of_length_1_mean_nothing(op: str, kernel: Kernel[Any]) -> None:
    for case in small_of(op, kernel):
        if any(1 in a.shape for a in (case.x, *case.constants, *case.outs()) if isinstance(a, np.ndarray)):
            got = case.changed(odd).run(kernel, outs=tuple(map(odd, case.outs())))
            assert bits(got) == bits(case.run(kernel)), str(case)


def between(a: np.ndarray) -> float:
    """What shows in results if it is read from between the elements of `a`."""
    return 99 if a.dtype.kind in "iub" else np.nan


def apart(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same (N, C, D, H, W), backwards and with others between its planes; and the whole memory."""
    room = np.full((2 * a.shape[0], 3 * a.shape[1], *a.shape[2:]), between(a), a.dtype)
    view = room[::-2, ::-3]
    view[...] = a
    return view, room


def check(kernel: Kernel[Any], got: Results, want: Results, case: Case) -> None:
    """The same bits, except of sums by BLAS, which has loops of its own for each order of memory."""
    if kernel.backend == "numpy" and case.problem.op in ("conv", "gemm"):
        close(got[0], want[0], case)
    else:
        assert bits(got) == bits(want), str(case)


@of_two
def test_batch_and_channel_strides_are_free(op: str, kernel: Kernel[Any]) -> None:
    """Of images and of what is as large, channels first; nothing between the planes of a result is written."""
    for case in small_of(op, kernel):
        p = case.problem
        if not case.pictures or p.layout != "NCHW" or 0 in case.x.shape:
            continue
        of_weights = getattr(p, "weights_wanted", False)
        pictures = of_weights or op in ("pool_backward", "adaptive_pool_backward")  # among the constants
        constants = tuple(apart(c)[0] if pictures and isinstance(c, np.ndarray) else c for c in case.constants)
        # Kernels of NumPy may see results as flat arrays, because those of calls are contiguous.
        flat = of_weights or kernel.backend == "numpy"
        outs = [(a, a) if flat else apart(a) for a in case.outs()]
        replace(case, x=apart(case.x)[0], constants=constants).run(kernel, outs=tuple(view for view, _ in outs))
        want = case.run(kernel)
        check(kernel, tuple(view for view, _ in outs), want, case)
        if not flat:
            assert bits(tuple(room for _, room in outs)) == bits(tuple(apart(a)[1] for a in want)), str(case)
        if not of_weights:
            repeated = replace(case, x=np.broadcast_to(apart(case.x)[0][:1], case.x.shape))
            check(kernel, repeated.run(kernel), replace(case, x=repeated.x.copy()).run(kernel), case)


def matrices(a: np.ndarray) -> Iterator[np.ndarray]:
    """The same matrices (batch, rows, columns): every second row and third column of others, and column by column."""
    room = np.full((a.shape[0], 2 * a.shape[1], 3 * a.shape[2]), between(a), a.dtype)
    room[:, ::2, ::-3] = a
    yield room[:, ::2, ::-3]
    room = np.full((a.shape[0], 2 * a.shape[1], 3 * a.shape[2]), between(a), a.dtype)
    room[:, ::-2, ::3] = a
    yield room[:, ::-2, ::3]
    yield np.ascontiguousarray(a.swapaxes(1, 2)).swapaxes(1, 2)


@for_each((op, k) for op, k in EVERY if op == "gemm")
def test_strides_of_matrices_are_free(op: str, kernel: Kernel[Any]) -> None:
    def changed(a: np.ndarray, i: int) -> np.ndarray:
        return a if a.ndim < 3 else tuple(matrices(a))[i]

    for case in small_of(op, kernel):
        want = case.run(kernel)
        repeated = replace(case, x=np.broadcast_to(case.x[:, :1], case.x.shape))
        check(kernel, repeated.run(kernel), replace(case, x=repeated.x.copy()).run(kernel), case)
        for i in range(3):
            moved = case.changed(lambda a, i=i: changed(a, i))  # type: ignore[misc]
            check(kernel, moved.run(kernel, outs=(changed(case.outs()[0], i),)), want, case)


CALLS = {
    "column of a wider image": (np.ones((1, 14, 9, 48), "f")[:, :, 7:8], {}),
    "every second row": (np.ones((1, 28, 1, 48), "f")[:, ::2], {}),
    "column that a step made": (np.ones((1, 14, 1, 48), "f")[:, :, ::3], {}),
    "stride along the width": (np.ones((1, 14, 2, 48), "f"), {"stride": (1, 2)}),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    """Images of width 1, channels last: each of these wrote beyond its result once."""
    x, kwargs = CALLS[name]
    w = np.ones((32, 48, 1, 1), "f")
    for _ in range(50):
        y = F.conv2d(x, w, layout="NHWC", activation="relu", **kwargs)
        np.testing.assert_array_equal(y, np.full((1, 14, 1, 32), 48, "f"))
    dx, dw, _ = F.grad.conv2d(np.ones((1, 14, 1, 32), "f"), x, w, layout="NHWC", **kwargs)
    assert dx.shape == x.shape and (dx[:, :, 0] == 32).all()
    np.testing.assert_array_equal(dw, np.full(w.shape, 14, "f"))


def test_out_over_the_input() -> None:
    memory = np.ones((1, 14, 1, 48), "f")
    y = F.conv2d(memory, np.ones((48, 48, 1, 1), "f"), layout="NHWC", out=memory)
    assert y is memory and (y == 48).all()


def test_volumes_of_one_column() -> None:
    x, w = np.ones((1, 20, 1, 1, 48), "f"), np.ones((32, 48, 1, 1, 1), "f")
    assert (F.conv3d(x, w, layout="NHWC") == 48).all()


def test_a_plan_keeps_images_that_repeat_as_kernels_want_them() -> None:
    """A constant whose batch is one image, repeated with strides of 0 or sharing rows."""
    rows = np.random.default_rng(0).normal(size=(1, 3, 40, 8)).astype("f")
    repeated = np.broadcast_to(rows[:, :, :8], (4, 3, 8, 8))
    shared = as_strided(rows, (4, 3, 8, 8), (32, *rows.strides[1:]))
    dy = np.random.default_rng(1).normal(size=(4, 5, 6, 6)).astype("f")
    w = np.zeros((5, 3, 3, 3), "f")
    for x in (repeated, shared):
        want = F.grad.conv2d(dy, x.copy(), w, need=(False, True, False))[1]
        run = F.plan(F.grad.conv2d, dy, x, w, need=(False, True, False))
        np.testing.assert_array_equal(run(dy), want)
