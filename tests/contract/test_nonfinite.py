"""Infinities and NaN: every kernel has them where the definition has them.

Padding is a value like others, so its zeros take part in products: with an infinity or NaN they are NaN.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.kernel import Kernel
from fastconv.core.problems.base import is_half
from fastconv.core.problems.conv import ConvProblem, input_gradient, weight_gradient
from fastconv.dispatch.registry import kernels
from tests.contract.bounds import allowed, exact, magnitudes
from tests.contract.cases import EVERY, Case, Results, for_each, small_of
from tests.problems import MODES, empty_result, forward, in_dtype, in_layout, lay, transposed
from tests.wide import half, share

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

FORWARD = (
    forward((2, 3, 7, 9), (5, 3, 3, 3), padding=1),
    forward((1, 18, 9, 6), (4, 18, 3, 3), padding=(2, 0)),
    forward((1, 1, 5, 17), (3, 1, 3, 3), padding=1),
    forward((1, 6, 9, 37), (6, 1, 3, 3), padding=1, groups=6),
    forward((1, 4, 12, 10), (8, 1, 5, 5), padding=2, stride=2, groups=4),
    forward((2, 4, 8, 40), (4, 1, 3, 3), padding=(3, 4), stride=(1, 3), dilation=(2, 3), groups=4),
    forward((1, 20, 6, 6), (20, 1, 7, 7), padding=3, groups=20),
    forward((1, 8, 9, 11), (6, 4, 3, 3), padding=1, groups=2),
    forward((1, 6, 5, 3), (4, 6, 6, 7), padding=3, stride=(1, 3)),
    forward((1, 9, 70, 30), (9, 1, 3, 3), padding=1, groups=9),  # several blocks
    forward((1, 3, 9, 9), (3, 1, 3, 3), padding=2, groups=3, activation="relu"),
    forward((1, 2, 6, 40), (35, 2, 3, 3), padding=1, activation="relu"),
    forward((1, 2, 6, 33), (17, 2, 1, 1), activation="relu"),
    forward((1, 1, 200), (5, 1, 20), stride=7, activation="relu"),
    forward((1, 4, 9, 10), (3, 4, 1, 1)),
    forward((3, 5, 1, 1), (4, 5, 1, 1)),
    forward((1, 1, 90), (3, 1, 9), stride=5),
    forward((1, 4, 9, 10), (3, 4, 1, 1), padding=1),
    forward((1, 3, 8, 8), (4, 3, 4, 4), padding="same_lower"),
    forward((1, 2, 4, 6, 5), (4, 2, 3, 3, 3), padding=1),
    forward((1, 4, 5, 6, 7), (4, 1, 3, 1, 3), padding=(2, 1, 1), groups=4),
    forward((1, 3, 23), (2, 3, 9), padding=4),
    forward((1, 2, 3, 3), (4, 2, 2, 2), padding=4, dilation=3),  # windows of padding alone
    *(forward((1, 3, 6, 8), (5, 3, 3, 5), padding=(2, 3), mode=m) for m in MODES[1:]),
    *(forward((1, 4, 6, 8), (4, 1, 3, 3), padding=2, mode=m, groups=4) for m in MODES[1:]),
)
TURNED = (
    transposed((1, 4, 5, 6), (4, 3, 3, 3), padding=1),
    transposed((2, 4, 5, 6), (4, 3, 3, 3), stride=2, padding=1, output_padding=1),
    transposed((1, 6, 4, 5), (6, 2, 4, 4), stride=2, padding=1, groups=3),
    transposed((1, 5, 6, 9), (5, 1, 3, 3), stride=2, groups=5),
    transposed((1, 2, 5, 5), (2, 3, 2, 2), stride=3, dilation=2),  # phases without taps
    transposed((1, 2, 3, 4, 5), (2, 2, 3, 2, 3), stride=(2, 1, 3), padding=(1, 0, 1)),
    transposed((1, 3, 9), (3, 2, 5), stride=4, padding=2, output_padding=3),
    transposed((1, 2, 6, 7), (2, 3, 5, 3), padding=1),  # filters of more than three rows, which Winograd splits
)
FILLED = (
    replace(forward((1, 3, 6, 6), (3, 1, 3, 3), padding=(1, 0), groups=3), fill=2.5),
    replace(forward((1, 3, 6, 6), (4, 3, 3, 3), padding=1), fill=-1.0),
)
PROBLEMS = (
    *FORWARD,
    *FILLED,
    *TURNED,
    *(input_gradient(p) for p in FORWARD),
    *(weight_gradient(p) for p in (*FORWARD, *FILLED, *TURNED)),
)
KERNELS = [k for k in kernels("conv") if k.backend != "reference"]
VALUES = (np.inf, np.nan)
HALVES = ("float16", "bfloat16")


def typed(p: ConvProblem, dtype: str) -> ConvProblem:
    """Without a bias."""
    return replace(in_dtype(p, dtype), bias=False)


@cache
def problems(dtype: str) -> list[ConvProblem]:
    """In every layout; there are no gradients of half floats."""
    layouts = ("NCHW", "NHWC") if dtype != "float64" else ("NCHW",)
    some = (*FORWARD, *TURNED) if dtype in HALVES else PROBLEMS
    return [in_layout(typed(p, dtype), layout) for p in some for layout in layouts]


def able(kernel: Kernel[ConvProblem], p: ConvProblem) -> bool:
    return p.activation in (None, *kernel.activations) and kernel.reject(p) is None


PAIRS = [
    pytest.param(k, d, id=f"{k.name}-{d}")
    for k in KERNELS
    for d in ("float32", "float64", *HALVES)
    if any(able(k, p) for p in problems(d))
]


@cache
def case(p: ConvProblem, where: int, value: float) -> tuple[Any, ...]:
    """Arrays with +-`value` in a few places of one of them, with zeros there instead, and the exact result."""
    rng = np.random.default_rng(11)
    shapes = (p.y_shape, p.x_shape) if p.direction == "weight" else (p.x_shape, p.w_shape)
    if p.direction == "weight_transposed":
        shapes = p.x_shape, p.y_shape
    arrays = [rng.standard_normal(s).astype(p.dtype) for s in shapes]
    clean = [a.copy() for a in arrays]
    a = arrays[where]
    for at, sign in ((0, 1), (a.size // 2, -1), (a.size - 1, 1))[: 1 + (a.size > 60) + (a.size > 200)]:
        a.flat[at], clean[where].flat[at] = sign * value, 0
    with np.errstate(all="ignore"):
        want = exact(p, *arrays)
    if p.activation == "relu":
        want = np.maximum(want, 0)
    return arrays, clean, want


def computed(kernel: Kernel[ConvProblem], p: ConvProblem, changing: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    got = np.full(p.w_shape, 7, p.out) if p.weights_wanted else empty_result(p)
    constants = (lay(fixed, p.layout),) if p.weights_wanted else (fixed, None)
    kernel.prepare(p, constants, 2)(lay(changing, p.layout), got)
    return got.astype(np.float64) if is_half(got.dtype) else got


def check(kernel: Kernel[ConvProblem], p: ConvProblem, where: int, value: float) -> None:
    plain = in_layout(p, "NCHW")
    arrays, clean, want = case(plain, where, value)
    got = computed(kernel, p, *arrays)
    message = f"{value:+} in {('what changes', 'what is fixed')[where]}, {p}"
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=message)
    infinite, finite = np.isinf(want), np.isfinite(want)
    np.testing.assert_array_equal(got[infinite], want[infinite], err_msg=message)
    most = allowed(kernel, p, scale(plain, where, kernel.reach(p)))
    assert (np.abs(got[finite] - want[finite]) <= most[finite]).all(), message
    if kernel.exact and np.isnan(value):  # whose windows do not hold it are not touched
        np.testing.assert_array_equal(got[finite], computed(kernel, p, *clean)[finite], err_msg=message)


@cache
def scale(p: ConvProblem, where: int, reach: tuple[int, int, int]) -> np.ndarray:
    """Sums of the magnitudes of all finite values."""
    return magnitudes(p, reach, *case(p, where, VALUES[0])[1])


@pytest.mark.parametrize(("kernel", "dtype"), PAIRS)
def test_what_is_not_finite_is_where_the_definition_has_it(kernel: Kernel[ConvProblem], dtype: str) -> None:
    some = [p for p in problems(dtype) if able(kernel, p)]
    for p, where, value in share(kernel, half(some, (0, 1), VALUES)):
        check(kernel, p, where, value)


def with_nonfinite(a: np.ndarray) -> np.ndarray:
    """The same array with an infinity of each sign and a NaN in it."""
    a = a.copy(order="K")
    for at, value in ((0, np.inf), (a.size // 2, np.nan), (a.size - 1, -np.inf)):
        a.flat[at] = value
    return a


@cache
def changed(case: Case, fixed: bool) -> tuple[Case, Results]:
    """The case with values that are not finite in x, or in the first constant; and its results."""
    if fixed:
        found = replace(case, constants=(with_nonfinite(case.constants[0]), *case.constants[1:]))
    else:
        found = replace(case, x=with_nonfinite(case.x))
    return found, found.expected()


def of_floats(case: Case) -> bool:
    return case.x.dtype.kind == "f" or is_half(case.x.dtype)


@for_each((op, k) for op, k in EVERY if op != "conv")
def test_other_families(op: str, kernel: Kernel[Any]) -> None:
    for case in small_of(op, kernel):
        if not of_floats(case) or case.x.size < 3:
            continue
        for fixed in (False, True) if op == "gemm" else (False,):
            given, wanted = changed(case, fixed)
            for got, want in zip(given.run(kernel), wanted, strict=True):
                if want.dtype.kind in "iu":
                    np.testing.assert_array_equal(got, want, err_msg=str(case))
                    continue
                np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=str(case))
                infinite = np.isinf(want)
                np.testing.assert_array_equal(got[infinite], want[infinite], err_msg=str(case))
                assert np.isfinite(got[np.isfinite(want)]).all(), str(case)


def test_every_kernel_is_tried() -> None:
    """But those of integers alone, and `empty`, which sums nothing; `test_figures` sees to it that all have cases."""
    tried = {p.values[0] for p in PAIRS}
    left = [k for k in KERNELS if k not in tried and k.algorithm != "empty"]
    assert [k.name for k in left if any(map(of_floats, small_of("conv", k)))] == []


def test_padding_zeros_take_part() -> None:
    """A small case of the rule: results that read padding through an infinite tap are NaN."""
    x, w = np.ones((1, 1, 3, 3), "f"), np.ones((1, 1, 3, 3), "f")
    w[0, 0, 0, 1] = np.inf
    first, rest = [[np.nan] * 3], [[np.inf] * 3] * 2
    for backend in ("cython", "numpy", "reference"):
        with F.options(backend=backend):
            np.testing.assert_array_equal(F.conv2d(x, w, padding=1)[0, 0], first + rest)
            np.testing.assert_array_equal(F.conv_transpose2d(x, w, padding=1)[0, 0], rest + first)
            dy = np.ones_like(x)
            dy[0, 0, 0, 1] = np.inf
            dw = F.grad.conv2d(dy, x, w, padding=1, need=(False, True, False))[1]
            np.testing.assert_array_equal(dw[0, 0], first + rest)
