"""Native softmax, losses and gradients of both: every width, both orders of axes in memory, between guard pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.elementwise import softmax
from fastconv.backends.cython.runtime import halves
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.softmax import KINDS, SoftmaxProblem
from fastconv.dispatch.plan import clear_cache
from fastconv.dispatch.registry import kernels
from tests.guard import guarded, guarded_copy
from tests.wide import share

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name


def native(op: str) -> list[Any]:
    return [k for k in kernels(op) if k.backend == "cython"]


def usable(kernel: Any, problem: Any) -> None:
    reason = kernel.reject(problem)
    if reason is not None:
        pytest.skip(reason)


# Rows of up to four vectors are processed as many at a time as a vector has lanes.
ROWS = [(3 + length % 40, length, 1) for length in (*range(1, 70), 127, 128, 129, 1000)]
COLUMNS = [(2, length, inner) for length in (1, 2, 5, 33) for inner in (*range(2, 70), 127, 128, 129, 515)]
# Few adjacent vectors that are long enough have elements in lanes.
PLANES = [(3, length, inner) for length in (8, 50, 129, 300) for inner in range(2, 16)]
SHAPES = ROWS + COLUMNS + PLANES


def close(got: np.ndarray, want: np.ndarray, kernel: Any, p: Any, scale: float = 1.0) -> None:
    """Within the stated error of the largest result; what is not finite, exactly."""
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got[~finite], want[~finite].astype(got.dtype), err_msg=f"{p}")
    limit = 2 * kernel.error(p) * max(np.abs(want[finite]).max(initial=0), scale)
    assert np.abs(got[finite] - want[finite]).max(initial=0) <= limit, p


@pytest.mark.parametrize("kernel", native("softmax"), ids=lambda k: k.name)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax(kernel: Any, kind: str, dtype: str) -> None:
    d = np.dtype(dtype)
    usable(kernel, SoftmaxProblem(kind, 1, 1, 1, d))
    rng = np.random.default_rng(0)
    for i, shape in share(kernel, enumerate(SHAPES)):
        p = SoftmaxProblem(kind, *shape, d)
        x = guarded_copy((rng.normal(size=shape) * 4).astype(d), ("start", "end")[i % 2])
        y, want = guarded(shape, d, ("start", "end")[i % 2]), np.empty(shape)
        kernel.prepare(p, (), 2)(x, y)
        kernels("softmax")[-1].prepare(p, (), 1)(x, want)
        close(y, want, kernel, p)


@pytest.mark.parametrize("kernel", native("softmax"), ids=lambda k: k.name)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inner", [1, 3, 8, 21])
def test_nan_infinity_and_what_underflows(kernel: Any, kind: str, inner: int) -> None:
    d = np.dtype("f")
    usable(kernel, SoftmaxProblem(kind, 1, 1, 1, d))
    rng = np.random.default_rng(1)
    special = [np.nan, np.inf, -np.inf, 3e38, -3e38, 90, -90, 104, -104]
    for length in (1, 2, 7, 40, 200):
        shape = (60, length, inner)
        rare = rng.random(shape) < 1 / max(length, 10)
        x = np.where(rare, rng.choice(special, shape), rng.normal(size=shape)).astype(d)
        x[0], x[1], x[2] = -np.inf, np.inf, -3e38
        p = SoftmaxProblem(kind, *shape, d)
        y, want = np.empty(shape, d), np.empty(shape, d)
        kernel.prepare(p, (), 1)(x, y)
        with np.errstate(all="ignore"):
            kernels("softmax")[-1].prepare(p, (), 1)(x, want)
        np.testing.assert_allclose(y, want, rtol=2e-6, atol=2e-7 if kind == "log_softmax" else 1e-37)


@pytest.mark.parametrize("kernel", native("softmax_backward"), ids=lambda k: k.name)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_backward(kernel: Any, kind: str, dtype: str) -> None:
    d = np.dtype(dtype)
    usable(kernel, SoftmaxProblem(kind, 1, 1, 1, d, "backward"))
    rng = np.random.default_rng(2)
    for i, shape in share(kernel, enumerate(SHAPES[::3])):
        p = SoftmaxProblem(kind, *shape, d, "backward")
        x, dy = (guarded_copy(rng.normal(size=shape).astype(d), ("start", "end")[i % 2]) for _ in range(2))
        dx, want = guarded(shape, d, ("start", "end")[i % 2]), np.empty(shape)
        kernel.prepare(p, (x,), 2)(dy, dx)
        kernels("softmax_backward")[-1].prepare(p, (x,), 1)(dy, want)
        close(dx, want, kernel, p)


def losses() -> list[LossProblem]:
    found = []
    shapes = ((1, 1, 1), (5, 10, 1), (3, 40, 1), (70, 3, 1), (2, 5, 3), (2, 21, 70), (2, 3, 600), (2100, 2, 1))
    for n, c, inner in shapes:
        for reduction in ("none", "mean", "sum"):
            for logits in (True, False):
                for smoothing in (0.0, 0.25) if logits else (0.0,):
                    for weighted in (False, True):
                        more = (logits, False, weighted, 1, reduction, smoothing, np.dtype("f"))
                        found.append(LossProblem(n, c, inner, *more))
    return found


def loss_arrays(p: LossProblem, at: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(p.n + p.c + p.inner)
    x = guarded_copy(rng.normal(size=(p.n, p.c, p.inner)).astype(p.dtype), at)
    target = guarded_copy(rng.integers(0, p.c, (p.n, p.inner)), at)
    return x, target, guarded_copy(rng.uniform(0.5, 2, p.c).astype(p.dtype), at) if p.weighted else None


@pytest.mark.parametrize("kernel", native("loss"), ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", ["start", "end"])
def test_loss(kernel: Any, dtype: str, at: str) -> None:
    for p in share(kernel, losses()):
        p = replace(p, dtype=np.dtype(dtype))
        usable(kernel, p)
        x, target, weight = loss_arrays(p, at)
        (shape, d), *_ = p.results
        want = np.empty(shape)
        kernels("loss")[-1].prepare(p, (target, weight), 1)(x, want)
        results = [guarded(shape, d, at) for _ in range(2)]
        for threads, y in zip((1, 2), results, strict=True):
            kernel.prepare(p, (target, weight), threads)(x, y)
        np.testing.assert_array_equal(*results)
        close(results[0], want, kernel, p, 1 if dtype == "float32" else 20)  # the definition adds one after the other


@pytest.mark.parametrize("kernel", native("loss_backward"), ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", ["start", "end"])
def test_loss_backward(kernel: Any, dtype: str, at: str) -> None:
    for p in share(kernel, losses()):
        if p.n * p.inner > 1000:
            continue
        p = replace(p, dtype=np.dtype(dtype), direction="backward")
        usable(kernel, p)
        x, target, weight = loss_arrays(p, at)
        dy = guarded_copy(np.random.default_rng(3).normal(size=p.loss_shape).astype(dtype), at)
        dx, want = guarded(x.shape, p.dtype, at), np.empty(x.shape)
        kernels("loss_backward")[-1].prepare(p, (x, target, weight), 1)(dy, want)
        kernel.prepare(p, (x, target, weight), 2)(dy, dx)
        close(dx, want, kernel, p, np.abs(dy).max())


@pytest.mark.parametrize("kernel", native("loss"), ids=lambda k: k.name)
def test_loss_of_what_is_not_finite(kernel: Any) -> None:
    p = LossProblem(6, 3, 1, True, False, False, -1, "none", 0.0, np.dtype("f"))
    usable(kernel, p)
    x = np.array([[0, -np.inf, 1], [0, -np.inf, 1], [np.nan, 0, 0], [np.inf, 0, 0], [-np.inf] * 3, [0, 0, np.nan]], "f")
    target = np.array([1, 0, 1, 1, 0, -1])[:, None]
    y, want = np.empty((6, 1), "f"), np.empty((6, 1), "f")
    kernel.prepare(p, (target, None), 1)(x[:, :, None], y)
    with np.errstate(all="ignore"):
        kernels("loss")[-1].prepare(p, (target, None), 1)(x[:, :, None], want)
    np.testing.assert_allclose(y, want, rtol=1e-6)


HALVES = ["float16", "bfloat16"]


def half(name: str) -> np.dtype:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def check_halves(kernel: Any, p: Any, x: np.ndarray, constants: tuple[Any, ...]) -> None:
    """The bits of a widened copy, rounded once; at both ends of memory."""
    (shape, d), wide = p.results[0], np.dtype(np.float32)
    want = np.empty(shape, wide)
    kernel.prepare(replace(p, dtype=wide), constants, 1)(halves.converted(kernel.isa, x, wide), want)
    want = halves.converted(kernel.isa, want, d)
    for at in ("start", "end"):
        given, got = guarded_copy(x, at), guarded(shape, d, at)
        kernel.prepare(p, constants, 2)(given, got)
        assert not np.isnan(want.astype(wide)).any()
        np.testing.assert_array_equal(got.view(np.uint16), want.view(np.uint16), err_msg=f"{p}")


@pytest.mark.parametrize("kernel", native("softmax"), ids=lambda k: k.name)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("longest", [softmax.LONGEST, 4])
def test_softmax_of_halves(
    kernel: Any, kind: str, dtype: str, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long vectors have no scratch, and their exponentials are computed twice."""
    monkeypatch.setattr(softmax, "LONGEST", longest)
    monkeypatch.setattr(softmax, "LONGEST_ROW", longest)
    d = half(dtype)
    usable(kernel, SoftmaxProblem(kind, 1, 1, 1, d))
    rng = np.random.default_rng(4)
    for shape in SHAPES[::2]:
        check_halves(kernel, SoftmaxProblem(kind, *shape, d), (rng.normal(size=shape) * 9).astype(d), ())


@pytest.mark.parametrize("kernel", native("loss"), ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", HALVES)
def test_loss_of_halves(kernel: Any, dtype: str) -> None:
    d = half(dtype)
    for p in share(kernel, losses()):
        p = replace(p, dtype=d)
        usable(kernel, p)
        x, target, weight = loss_arrays(p, "start")
        if p.reduction == "mean" and np.all(target == p.ignore_index):
            continue
        check_halves(kernel, p, x, (target, weight))


@pytest.mark.parametrize("kernel", native("softmax"), ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64", *HALVES])
def test_a_row_has_the_same_bits_in_every_batch(kernel: Any, dtype: str) -> None:
    d = half(dtype)
    usable(kernel, SoftmaxProblem("softmax", 1, 1, 1, d))
    rng = np.random.default_rng(5)
    for length in (1, 2, 3, 7, 10, 15, 16, 17, 31, 33, 50, 64, 65, 100):
        x = rng.normal(size=(70, length, 1)).astype(d)
        target = rng.integers(0, length, (70, 1))
        for kind in KINDS:
            want = np.empty_like(x)
            kernel.prepare(SoftmaxProblem(kind, *x.shape, d), (), 1)(x, want)
            for first, last in ((0, 1), (3, 6), (5, 22), (16, 48)):
                y = np.empty_like(x[first:last])
                kernel.prepare(SoftmaxProblem(kind, *y.shape, d), (), 1)(x[first:last], y)
                assert y.tobytes() == want[first:last].tobytes(), (length, kind)
        loss = next(k for k in native("loss") if k.isa == kernel.isa)
        p = LossProblem(70, length, 1, True, False, False, -1, "none", 0.25, d)
        want = np.empty(p.loss_shape, d)
        loss.prepare(p, (target, None), 1)(x, want)
        for first, last in ((0, 1), (5, 22)):
            y = np.empty((last - first, 1), d)
            loss.prepare(replace(p, n=last - first), (target[first:last], None), 1)(x[first:last], y)
            assert y.tobytes() == want[first:last].tobytes(), length


def test_what_is_left_to_others() -> None:
    p = LossProblem(2, 0, 1, True, False, False, -1, "mean", 0.0, np.dtype("f"))
    for kernel in native("loss"):
        assert kernel.reject(p) == "no classes"


@pytest.mark.parametrize("direction", ["forward", "backward", "target"])
def test_probabilities_as_targets(direction: Any) -> None:
    """Rows and columns with every remainder of a vector, against the definition; a block more than one item has."""
    family = "loss" if direction == "forward" else "loss_backward"
    rng = np.random.default_rng(7)
    shapes = [(n, c, inner) for c in (1, 2, 15, 16, 33, 100) for n, inner in ((1, 1), (5, 1), (3, 2), (2, 17), (1, 70))]
    for i, shape in enumerate([*shapes, (2100, 10, 1), (2, 3, 600)]):
        for dtype in ("f", "d", "e") if direction == "forward" else ("f", "d"):
            d = np.dtype(dtype)
            reduction = ("none", "mean", "sum")[i % 3]
            p = LossProblem(*shape, True, True, i % 2 == 0, -1, reduction, 0.25 * (i % 4 == 0), d, direction)
            x, target = (rng.normal(size=shape).astype(d), rng.random(shape).astype(d))
            weight = rng.uniform(0.5, 2, p.c).astype(d) if p.weighted else None
            dy = rng.normal(size=p.loss_shape).astype(d)
            first, *constants = (x, target, weight) if direction == "forward" else (dy, x, target, weight)
            want = np.empty(p.results[0][0], d)
            kernels(family)[-1].prepare(p, tuple(constants), 1)(first, want)
            for kernel in native(family):
                if kernel.reject(p) is None:
                    y = guarded(want.shape, d, "end")
                    kernel.prepare(p, tuple(constants), 2)(first, y)
                    atol = 4 * kernel.error(p) * max(1.0, float(np.abs(want).max()))
                    np.testing.assert_allclose(y.astype("d"), want.astype("d"), 0, atol, err_msg=f"{kernel.name} {p}")


def test_a_target_of_another_dtype() -> None:
    rng = np.random.default_rng(8)
    x, target = rng.normal(size=(4, 9)).astype("f"), rng.random((4, 9))
    for _ in range(4):  # later calls are remembered
        wide = F.cross_entropy(x, target)
        np.testing.assert_allclose(wide, F.cross_entropy(x, target.astype("f")), rtol=1e-6)


@pytest.mark.parametrize("inner", [2, 7, 16, 70, 130])
@pytest.mark.parametrize("kernel", native("softmax"), ids=str)
def test_long_vectors_side_by_side_have_the_same_bits(
    kernel: Any, inner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their exponentials are kept in the result, those of short vectors in scratch."""
    x, dy = np.random.default_rng(inner).normal(size=(2, 2, 30, inner)).astype("f")

    def results() -> list[bytes]:
        with F.options(algorithm=kernel.name):
            given = [F.plan(getattr(F, kind), x, 1)(x) for kind in KINDS]
            back = [F.plan(getattr(F.grad, kind), dy, x, 1)(dy) for kind in KINDS]
        return [y.tobytes() for y in given + back]

    if kernel.reject(SoftmaxProblem("softmax", 2, 30, inner, x.dtype)) is not None:
        pytest.skip("not on this machine")
    clear_cache()
    short = results()
    monkeypatch.setattr(softmax, "LONGEST", 4)
    clear_cache()
    assert results() == short


def test_softmax_of_one_element() -> None:
    x = np.array([[[1.0], [np.inf], [-np.inf], [np.nan], [-3.0]]], "f")
    with np.errstate(all="ignore"):
        want = np.where(np.isfinite(x), 1, np.nan)
    np.testing.assert_array_equal(F.softmax(x, 2), want)
    np.testing.assert_array_equal(F.log_softmax(x, 2), want - 1)
    np.testing.assert_array_equal(F.grad.softmax(np.ones_like(x), x, -1)[np.isfinite(x)], 0)
