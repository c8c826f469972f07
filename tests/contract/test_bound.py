"""No kernel errs more than its `bound` states, whatever the data."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import ConvProblem, weight_gradient
from fastconv.core.problems.gemm import GemmProblem, gemm_problem
from fastconv.core.problems.pool import PoolProblem
from fastconv.dispatch.registry import kernels
from tests.contract.bounds import KINDS, WIDE, allowed, data, exact, magnitudes, normal
from tests.contract.cases import EVERY, Case, Results, for_each, small_of
from tests.problems import empty_result, forward, in_dtype, in_layout, lay, transposed
from tests.wide import share

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

CONVOLUTIONS = (
    forward((1, 20, 13, 15), (7, 20, 3, 3), padding=1),
    forward((1, 3, 17, 35), (6, 3, 5, 5), padding=2),
    forward((2, 9, 11, 12), (5, 9, 3, 3), stride=2, padding=1),
    forward((1, 4, 12, 40), (3, 4, 1, 7), padding=(0, 3)),
    forward((1, 6, 9, 9), (5, 6, 9, 9), padding=4),
    forward((1, 24, 9, 10), (20, 24, 1, 1)),
    forward((1, 5, 14, 15), (10, 1, 3, 3), padding=1, groups=5),
    forward((1, 6, 12, 12), (6, 3, 3, 3), padding=2, dilation=2, groups=2, bias=False),
    forward((1, 1, 90), (4, 1, 20), stride=3),
    forward((1, 7, 5, 9, 9), (4, 7, 3, 3, 3), padding=1),
    forward((1, 40, 1, 1), (30, 40, 1, 1)),
    forward((1, 4, 9, 10), (3, 4, 3, 3), padding=2, mode="circular"),
    transposed((1, 8, 9, 11), (8, 5, 4, 4), stride=2, padding=1),
    transposed((1, 9, 9, 11), (9, 5, 3, 3), padding=1),
    *(
        weight_gradient(p)
        for p in (
            forward((2, 9, 13, 15), (7, 9, 3, 3), padding=1),
            forward((2, 5, 13, 15), (6, 5, 3, 3), padding=1, stride=2),
            forward((2, 6, 13, 15), (6, 1, 5, 5), padding=2, groups=6),
        )
    ),
)
DTYPES = ("float32", "float64", "bfloat16")


def problems(dtype: str) -> list[ConvProblem]:
    some = [replace(in_dtype(p, dtype), activation=None) for p in CONVOLUTIONS]
    return [in_layout(p, layout) for p in some for layout in ("NCHW", "NHWC")]


PAIRS = [
    pytest.param(k, d, id=f"{k.name}-{d}")
    for k in kernels("conv")
    for d in DTYPES
    if any(k.reject(p) is None for p in problems(d))
]


@cache
def case(p: ConvProblem, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The input, the constants and the exact result, in either layout."""
    if p.weights_wanted:
        fixed, changing = data(kind, p.x_shape, p.y_shape, p.dtype)
    else:
        changing, fixed = data(kind, p.x_shape, p.w_shape, p.dtype)
    return changing, fixed, exact(p, changing, fixed)


@cache
def sums(p: ConvProblem, kind: str, reach: tuple[int, int, int]) -> np.ndarray:
    return magnitudes(p, reach, *case(p, kind)[:2])


@cache
def normal_sums(p: ConvProblem, kind: str, reach: tuple[int, int, int]) -> np.ndarray:
    return magnitudes(p, reach, *map(normal, case(p, kind)[:2]))


def errors(kernel: Kernel[ConvProblem], p: ConvProblem, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The errors of a kernel on one kind of data, and what it is allowed."""
    plain = in_layout(p, "NCHW")
    changing, fixed, want = case(plain, kind)
    if p.weights_wanted:
        got = np.empty(p.w_shape, p.out)
        constants: tuple[Any, ...] = (lay(fixed, p.layout),)
    else:
        got = empty_result(p)
        constants = fixed, np.zeros(p.oc, p.acc) if p.bias else None
    kernel.prepare(p, constants, 1)(lay(changing, p.layout), got)
    reach = kernel.reach(p)
    return np.abs(got - want), allowed(kernel, p, sums(plain, kind, reach), normal_sums(plain, kind, reach))


@pytest.mark.parametrize(("kernel", "dtype"), PAIRS)
def test_convolutions(kernel: Kernel[ConvProblem], dtype: str) -> None:
    able = [p for p in problems(dtype) if kernel.reject(p) is None]
    for p, kind in share(kernel, product(able, KINDS)):
        off, most = errors(kernel, p, kind)
        assert (off <= most).all(), f"{kind}: {(off / most).max():.3g} of the bound, {p}"


PRODUCTS = ((1, 40, 300), (34, 33, 70), (60, 3, 500), (4, 5, 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", kernels("gemm"), ids=lambda k: k.name)
def test_products(kernel: Kernel[GemmProblem], dtype: str) -> None:
    d = np.dtype(dtype)
    for m, n, k in PRODUCTS:
        p, _ = gemm_problem(((m, k), d), ((k, n), d), None, None, 1.0, 0.0, False, False, None, False)
        if kernel.reject(p) is not None:
            continue
        for kind in KINDS:
            x, y = data(kind, (1, m, k, 1, 1), (1, k, n, 1, 1), d)
            a, b = x[..., 0, 0], y[..., 0, 0]
            want, scale, usual = (
                np.matmul(left.astype(WIDE), right.astype(WIDE))
                for left, right in ((a, b), (abs(a), abs(b)), (normal(abs(a)), normal(abs(b))))
            )
            got = np.empty((1, m, n), d)
            kernel.prepare(p, (b, None, None), 1)(a, got)
            assert (abs(got - want) <= allowed(kernel, p, scale, usual)).all(), (kind, p)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", kernels("pool"), ids=lambda k: k.name)
def test_averages(kernel: Kernel[PoolProblem], dtype: str) -> None:
    """The scale of an average that cancels is the average of the magnitudes."""
    d = np.dtype(dtype)
    cases = (((2, 3, 12, 13), (3, 3)), ((1, 2, 7, 7), (7, 7)), ((1, 16, 9, 40), (2, 5)), ((1, 1, 30, 31), (8, 8)))
    for shape, size in cases:
        for layout in ("NCHW", "NHWC"):
            x_shape = shape if layout == "NCHW" else (shape[0], *shape[2:], shape[1])
            plan = F.plan(F.avg_pool2d, F.Spec(x_shape, d), size, layout=layout, backend="reference")
            p: Any = plan.problem
            if kernel.reject(p) is not None:
                continue
            for kind in KINDS:
                x, _ = data(kind, p.x_shape, (1, 1, 1, 1, 1), d)
                got = lay(np.empty(p.y_shape, d), layout)
                kernel.prepare(p, (), 1)(lay(x, layout), got)
                want, scale = (mean_of(a.astype(WIDE), p) for a in (x, abs(x)))
                assert (abs(got - want) <= allowed(kernel, p, scale)).all(), (kind, p)


def mean_of(x: np.ndarray, p: PoolProblem) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, p.kernel, (2, 3, 4))
    return windows[:, :, :: p.stride[0], :: p.stride[1], :: p.stride[2]].mean((-3, -2, -1))


@pytest.mark.parametrize(
    ("dtype", "least", "most"),
    [("F", 1e-7, 1e-6), ("D", 2e-16, 2e-15), ("f", 1e-7, 1e-6), ("d", 2e-16, 2e-15), ("b", 0, 0)],
)
def test_the_expected_error_is_that_of_the_dtype(dtype: str, least: float, most: float) -> None:
    """Bytes say nothing: complex64 has as many as float64."""
    plan = F.plan(F.conv2d, F.Spec((1, 3, 8, 8), dtype), np.ones((4, 3, 3, 3), dtype))
    able = [c for c in plan.explain().candidates if c.kernel.name in ("numpy.im2col", "reference.definition")]
    assert len(able) == 2
    for candidate in able:
        assert least <= candidate.error <= most, candidate


def is_linear(p: Any) -> bool:
    """Whether results are sums of elements of x times what does not change."""
    if p.op in ("pool", "adaptive_pool"):
        return p.kind == "avg"
    if p.op in ("pool_backward", "adaptive_pool_backward"):
        return p.kind != "lp"
    return p.op in ("pad_backward", "fold", "max_unpool_backward")


def softmax_terms(case: Case) -> np.ndarray:
    """Sums of the magnitudes in each gradient: differences, which cancel where a probability is almost 1."""
    p, dy = case.problem, np.abs(case.x)
    y = Case(replace(p, direction="forward"), case.constants[0], ()).expected()[0]
    if p.kind == "log_softmax":
        return dy + np.exp(y) * dy.sum(1, keepdims=True)
    return y * (dy + (y * dy).sum(1, keepdims=True))


@cache
def scaled(case: Case, factor: float) -> tuple[Case, Results, list[Any]]:
    """The case with larger arrays; its results; and what their errors are relative to."""
    more = case.changed(lambda a: (a * a.dtype.type(factor)) if a.dtype.kind == "f" else a)
    wanted = more.expected()
    if is_linear(case.problem):
        return more, wanted, [np.abs(w) for w in replace(more, x=np.abs(more.x)).expected()]
    if case.problem.op == "softmax_backward":
        return more, wanted, [softmax_terms(more).max(initial=0)]
    smallest = 1.0 if case.problem.op == "loss" else 0.0  # a difference of numbers about that large
    return more, wanted, [max(np.abs(w).max(initial=0), smallest) for w in wanted]


@pytest.mark.parametrize("factor", [1.0, 30.0])
@for_each((op, k) for op, k in EVERY if op not in ("conv", "gemm"))
def test_other_families(op: str, kernel: Kernel[Any], factor: float) -> None:
    for case in small_of(op, kernel):
        if case.x.dtype.kind != "f":
            continue
        more, wanted, sums = scaled(case, factor)
        for got, want, scale in zip(more.run(kernel), wanted, sums, strict=True):
            if want.dtype.kind in "iu":
                np.testing.assert_array_equal(got, want, err_msg=str(case))
                continue
            most = allowed(kernel, case.problem, np.asarray(scale, float))
            most *= 1 + (got.dtype.itemsize == 8)  # the definition is rounded, too
            assert (np.abs(got - want) <= most).all(), f"{(np.abs(got - want) / most).max():.3g} of the bound: {case}"


def tightness() -> None:
    """Print the largest part of its bound that each kernel reaches on each kind of data.

    Run it by `python -m tests.contract.test_bound`.
    """
    print(f"{'':40}" + "".join(f"{kind[:9]:>10}" for kind in KINDS))
    for kernel in kernels("conv"):
        parts: dict[str, list[float]] = {kind: [0.0] for kind in KINDS}
        for p in (p for dtype in DTYPES for p in problems(dtype)):
            if kernel.reject(p) is None:
                for kind in KINDS:
                    off, most = errors(kernel, p, kind)
                    parts[kind].append(float((off / most).max()))
        print(f"{kernel.name:40}" + "".join(f"{max(s):10.4f}" for s in parts.values()))


if __name__ == "__main__":
    tightness()
