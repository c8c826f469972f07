"""Gradients of convolutions: every kernel against the definition, and the functions against central differences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.reference.conv import ReferenceConv
from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import (
    ConvProblem,
    input_gradient,
    weight_gradient,
    weight_operands,
)
from fastconv.dispatch.registry import kernels
from tests.differences import check_gradients
from tests.guard import guarded, guarded_copy
from tests.problems import (
    forward,
    gradients_of_weights,
    in_dtype,
    in_layout,
    lay,
    random_problem,
    with_gradients,
)

WEIGHT = [k for k in kernels("conv") if k.relative == "weight"]
TURNED = [k for k in kernels("conv") if k.relative.endswith("transposed")]
SEEDS = 60

FORWARD = with_gradients()
WEIGHT_PROBLEMS = gradients_of_weights()
INPUT_PROBLEMS = [input_gradient(p) for p in FORWARD]


def arrays(p: ConvProblem, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(changing, constant) of a weight problem."""
    rng = np.random.default_rng(seed)
    x, y = (lay(rng.normal(size=s).astype(p.dtype), p.layout) for s in (p.x_shape, p.y_shape))
    return (y, x) if p.direction == "weight" else (x, y)


def definition(p: ConvProblem, changing: np.ndarray, constant: np.ndarray) -> np.ndarray:
    want = np.empty(p.w_shape)
    ReferenceConv().prepare(p, (constant,), 1)(changing, want)
    return want


def run(kernel: Kernel[ConvProblem], p: ConvProblem, changing: Any, constant: Any, threads: int = 1) -> np.ndarray:
    out = np.full(p.w_shape, 7, p.dtype)
    kernel.prepare(p, (constant,), threads)(changing, out)
    return out


def bound(kernel: Kernel[ConvProblem], p: ConvProblem, want: np.ndarray) -> float:
    scale = max(float(np.abs(want).max(initial=0.0)), (p.n * p.pixels) ** 0.5)
    return 2 * kernel.error(p) * scale


def test_three_backends_have_weight_gradients() -> None:
    assert {k.backend for k in WEIGHT} == {"cython", "numba", "numpy"}
    assert {k.backend for k in TURNED} == {"cython", "numba", "numpy"}


@pytest.mark.parametrize("kernel", WEIGHT, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_weight_kernels(kernel: Kernel[ConvProblem], dtype: str, layout: str) -> None:
    tried = 0
    for case in WEIGHT_PROBLEMS:
        p = in_layout(in_dtype(case, dtype), layout)
        if kernel.reject(p) is not None:
            continue
        changing, constant = arrays(p)
        want = definition(p, changing, constant)
        got = run(kernel, p, changing, constant)
        np.testing.assert_allclose(got, want, rtol=0, atol=bound(kernel, p, want), err_msg=str(p))
        tried += 1
    usable = kernel.reject(in_layout(in_dtype(WEIGHT_PROBLEMS[2], dtype), layout)) is None
    if kernel.algorithm != "depthwise" and usable:
        assert tried >= sum(c.ic > 0 for c in WEIGHT_PROBLEMS)


@pytest.mark.parametrize("kernel", WEIGHT, ids=lambda k: k.name)
def test_random_weight_problems(kernel: Kernel[ConvProblem]) -> None:
    for seed in range(SEEDS):
        p = weight_gradient(replace(random_problem(seed), activation=None))
        if kernel.reject(p) is not None:
            continue
        changing, constant = arrays(p, seed)
        want = definition(p, changing, constant)
        got = run(kernel, p, changing, constant)
        np.testing.assert_allclose(got, want, rtol=0, atol=bound(kernel, p, want), err_msg=f"seed {seed}: {p}")


@pytest.mark.parametrize("kernel", WEIGHT, ids=lambda k: k.name)
def test_widths_of_channels_and_pixels(kernel: Kernel[ConvProblem]) -> None:
    for width in [*range(1, 36), 47, 48, 63, 64, 65]:
        for shape in (((2, width, 4, 5), (3, width, 2, 2)), ((1, 2, 3, width), (width, 2, 1, 1))):
            p = weight_gradient(forward(*shape))
            if kernel.algorithm == "depthwise":
                p = weight_gradient(forward((1, width, 3, width), (width, 1, 1, 1), groups=width))
            if kernel.reject(p) is not None:
                continue
            changing, constant = arrays(p, width)
            want = definition(p, changing, constant)
            out = guarded(p.w_shape, p.dtype)
            kernel.prepare(p, (guarded_copy(constant),), 1)(guarded_copy(changing), out)
            np.testing.assert_allclose(out, want, rtol=0, atol=bound(kernel, p, want), err_msg=str(p))


@pytest.mark.parametrize("kernel", WEIGHT, ids=lambda k: k.name)
@pytest.mark.parametrize("data", ["normal", "relu-like", "positive"])
def test_errors_stay_within_what_is_stated(kernel: Kernel[ConvProblem], data: str) -> None:
    for p in (
        weight_gradient(forward((8, 8, 30, 30), (32, 8, 3, 3), padding=1)),
        weight_gradient(forward((4, 6, 40, 40), (6, 1, 3, 3), groups=6)),
    ):
        if kernel.reject(p) is not None:
            continue
        changing, constant = arrays(p)
        if data == "relu-like":
            changing, constant = np.maximum(changing, 0), np.maximum(constant, 0)
        elif data == "positive":
            changing, constant = np.abs(changing), np.abs(constant)
        want = definition(p, changing, constant)
        error = np.abs(run(kernel, p, changing, constant) - want).max() / np.abs(want).max()
        assert error <= 2 * kernel.error(p), (error, kernel.error(p), p)


@pytest.mark.parametrize("kernel", WEIGHT, ids=lambda k: k.name)
def test_figures_are_sane(kernel: Kernel[ConvProblem]) -> None:
    from fastconv.machines import host_table

    for p in WEIGHT_PROBLEMS:
        if kernel.reject(p) is None:
            assert 0 <= kernel.cost(p, host_table()) < 100
            assert 0 <= kernel.workspace(p) < 32 << 20
            assert 0 <= kernel.error(p) < 1e-3


@pytest.mark.parametrize("kernel", TURNED, ids=lambda k: k.name)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_input_gradients_through_every_padding(kernel: Kernel[ConvProblem], layout: str) -> None:
    tried = set()
    for case in INPUT_PROBLEMS:
        p = in_layout(case, layout)
        if kernel.reject(p) is not None:
            continue
        rng = np.random.default_rng(1)
        dy = lay(rng.normal(size=p.x_shape).astype(p.dtype), layout)
        w = rng.normal(size=p.w_shape).astype(p.dtype)
        want, got = np.empty(p.y_shape), lay(np.full(p.y_shape, 7, p.dtype), layout)
        ReferenceConv().prepare(replace(p, out=np.dtype(np.float64)), (w, None), 1)(dy, want)
        kernel.prepare(p, (w, None), 1)(dy, got)
        scale = max(float(np.abs(want).max(initial=0.0)), p.depth**0.5)
        np.testing.assert_allclose(got, want, rtol=0, atol=2 * kernel.error(p) * scale, err_msg=str(p))
        tried.add(p.mode)
    if kernel.algorithm in ("direct", "im2col", "depthwise") and kernel.reject(INPUT_PROBLEMS[7]) is None:
        assert tried == {"zeros", "reflect", "replicate", "circular", "symmetric"}


def test_problems_turn_into_each_other() -> None:
    p = forward((2, 4, 9, 9), (6, 2, 3, 3), stride=2, padding=1, groups=2)
    q = input_gradient(p)
    assert (q.direction, q.x_shape, q.y_shape, q.w_shape) == ("transposed", p.y_shape, p.x_shape, p.w_shape)
    back = input_gradient(q)
    assert (back.direction, back.x_shape, back.y_shape, back.w_shape) == ("forward", p.x_shape, p.y_shape, p.w_shape)
    w = weight_gradient(p)
    assert w.results == ((p.w_shape, p.out),)
    assert w.flops == p.flops
    t = weight_gradient(q)
    assert (t.direction, t.w_shape, t.x_shape, t.y_shape) == ("weight_transposed", p.w_shape, p.x_shape, p.y_shape)
    assert weight_operands(w, "changing", "fixed") == ("fixed", "changing")
    assert weight_operands(t, "changing", "fixed") == ("changing", "fixed")


CASES: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ("conv1d", (2, 4, 11), (6, 2, 3), {"stride": 2, "padding": "same", "groups": 2}),
    ("conv2d", (2, 3, 7, 6), (4, 3, 3, 2), {"padding": [(1, 2), (0, 1)], "dilation": (1, 2)}),
    ("conv2d", (3, 5, 6), (4, 3, 3, 2), {"padding": 1, "padding_mode": "reflect", "layout": "NHWC"}),  # not batched
    ("conv2d", (2, 6, 5, 3), (6, 1, 3, 3), {"padding": 1, "groups": 3, "layout": "NHWC", "activation": "silu"}),
    ("conv3d", (1, 2, 4, 5, 6), (3, 2, 2, 3, 2), {"stride": (1, 2, 1), "padding": 1, "padding_mode": "symmetric"}),
    ("conv_transpose1d", (2, 4, 5), (4, 3, 4), {"stride": 3, "padding": 1, "output_padding": 2}),
    ("conv_transpose2d", (2, 4, 4, 5), (4, 2, 3, 3), {"stride": 2, "padding": 1, "groups": 2, "activation": "tanh"}),
    ("conv_transpose3d", (1, 3, 3, 4, 2), (2, 3, 2, 2, 3), {"dilation": 2, "layout": "NHWC"}),
]


@pytest.mark.parametrize(("name", "xshape", "wshape", "kwargs"), CASES)
@pytest.mark.parametrize("backend", ["auto", "cython", "numba", "numpy", "reference"])
def test_central_differences(name: str, xshape: Any, wshape: Any, kwargs: dict[str, Any], backend: str) -> None:
    rng = np.random.default_rng(3)
    if name == "conv2d" and kwargs.get("layout") == "NHWC" and len(xshape) == 3:
        xshape = (5, 6, 3)
    oc = wshape[1] * kwargs.get("groups", 1) if "transpose" in name else wshape[0]
    x, w, b = (rng.normal(size=s) for s in (xshape, wshape, (oc,)))
    if not any(k.reject(WEIGHT_PROBLEMS[2]) is None for k in kernels("conv") if backend in ("auto", k.backend)):
        pytest.skip(f"{backend} is not usable here")
    check_gradients(
        lambda x, w, b: getattr(F, name)(x, w, b, **kwargs),
        lambda dy, x, w, b: getattr(F.grad, name)(dy, x, w, b, backend=backend, **kwargs),
        (x, w, b),
        rtol=1e-6 if "activation" in kwargs else 1e-8,
    )


def test_need_leaves_out() -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 3, 6, 6)), rng.normal(size=(4, 3, 3, 3)), np.zeros(4)
    dy = rng.normal(size=(2, 4, 4, 4))
    full = F.grad.conv2d(dy, x, w, b)
    for need in [(True, False, False), (False, True, False), (False, False, True), (True, True, True)]:
        part = F.grad.conv2d(dy, x, w, b, need=need)
        for flag, one, whole in zip(need, part, full, strict=True):
            assert (one is None) == (not flag)
            if flag:
                np.testing.assert_array_equal(one, whole)
    assert F.grad.conv2d(dy, x, w)[2] is None
    np.testing.assert_allclose(full[2], dy.sum((0, 2, 3)), rtol=1e-12)


def test_dtypes_follow_the_arguments() -> None:
    x, w, b = np.ones((1, 2, 5, 5), "f"), np.ones((3, 2, 3, 3), "d"), np.ones(3, "f")
    dx, dw, db = F.grad.conv2d(np.ones((1, 3, 3, 3)), x, w, b)
    assert (dx.dtype, dw.dtype, db.dtype) == (np.float32, np.float64, np.float32)
    image = np.ones((1, 2, 5, 5), np.uint8)
    _, dw, _ = F.grad.conv2d(np.ones((1, 3, 3, 3), "f"), image, w.astype("f"), need=(False, True, False))
    assert dw.dtype == np.float32
    np.testing.assert_array_equal(dw, np.full(w.shape, 9, "f"))


def test_errors() -> None:
    x, w = np.ones((1, 2, 5, 5), "f"), np.ones((3, 2, 3, 3), "f")
    dy = np.ones((1, 3, 3, 3), "f")
    with pytest.raises(F.ShapeError, match=r"dy has shape \(1, 3, 4, 3\); it must be \(1, 3, 3, 3\), that of the"):
        F.grad.conv2d(np.ones((1, 3, 4, 3), "f"), x, w)
    with pytest.raises(F.DTypeError, match="input has dtype float16; gradients are defined for float32 and float64"):
        F.grad.conv2d(dy, x.astype("e"), w)
    with pytest.raises(F.DTypeError, match="dy has dtype complex64"):
        F.grad.conv2d(dy.astype("F"), x, w)
    with pytest.raises(ValueError, match="need asks for the gradient of bias, which is None"):
        F.grad.conv2d(dy, x, w, need=(True, True, True))
    with pytest.raises(ValueError, match=r"need must hold 3 bools \(input, weight, bias\), got 2"):
        F.grad.conv2d(dy, x, w, need=(True, True))
    with pytest.raises(TypeError, match="need must be a bool, got 1"):
        F.grad.conv2d(dy, x, w, need=(1, 0, 0))
    with pytest.raises(TypeError, match="need must be None or a tuple of 3 bools"):
        F.grad.conv2d(dy, x, w, need=True)
    with pytest.raises(F.ShapeError, match="so input must have 4 channels"):
        F.grad.conv2d(dy, x, np.ones((3, 4, 3, 3), "f"))


def test_plans_are_one_gradient() -> None:
    rng = np.random.default_rng(0)
    x, w, b = (rng.normal(size=s).astype("f") for s in ((2, 3, 8, 8), (4, 3, 3, 3), (4,)))
    dy = rng.normal(size=(2, 4, 6, 6)).astype("f")
    full = F.grad.conv2d(dy, x, w, b)
    kinds = []
    for i, need in enumerate([(True, False, False), (False, True, False), (False, False, True)]):
        run = F.plan(F.grad.conv2d, F.Spec(dy.shape), x, w, b, need=need)
        assert run.result_shapes == (full[i].shape,)
        np.testing.assert_allclose(run(dy), full[i], rtol=1e-5, atol=1e-5)
        kinds.append(run.problem.direction)
        assert run.kernel in str(run.explain())
    assert kinds == ["transposed", "weight", "weight"]
    with pytest.raises(ValueError, match=r"a plan is one gradient: pick it, as in need=\(True, False, False\)"):
        F.plan(F.grad.conv2d, dy, x, w, b)
    last = np.moveaxis(x, 1, -1).copy()
    run = F.plan(F.grad.conv2d, np.moveaxis(dy, 1, -1), last, w, layout="NHWC", need=(False, True, False))
    last[...] = 0  # the plan has its own
    np.testing.assert_allclose(run(np.moveaxis(dy, 1, -1)), full[1], rtol=1e-5, atol=1e-5)


def test_inputs_are_not_written() -> None:
    rng = np.random.default_rng(0)
    x, w, b = (rng.normal(size=s) for s in ((2, 3, 8, 8), (4, 3, 3, 3), (4,)))
    dy = rng.normal(size=(2, 4, 8, 8))
    for a in (dy, x, w, b):
        a.setflags(write=False)
    before = [a.copy() for a in (dy, x, w, b)]
    F.grad.conv2d(dy, x, w, b, padding=1, padding_mode="circular")
    for a, was in zip((dy, x, w, b), before, strict=True):
        np.testing.assert_array_equal(a, was)


def test_an_empty_batch_has_zero_gradients() -> None:
    w, b = np.ones((4, 3, 3, 3), "f"), np.ones(4, "f")
    for layout, x, dy in (("NCHW", (0, 3, 6, 6), (0, 4, 4, 4)), ("NHWC", (0, 6, 6, 3), (0, 4, 4, 4))):
        dx, dw, db = F.grad.conv2d(np.ones(dy, "f"), np.ones(x, "f"), w, b, layout=layout)
        assert dx.shape == x
        np.testing.assert_array_equal(dw, np.zeros_like(w))
        np.testing.assert_array_equal(db, np.zeros_like(b))
