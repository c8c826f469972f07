"""Gradients of flatten, pad, unfold and fold: every kernel against the definition, differences and torch."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.reference.shape_backward import ReferencePadBackward
from fastconv.core.kernel import Kernel
from fastconv.core.problems.shape import MODES, pad_problem
from fastconv.dispatch.registry import kernels
from fastconv.machines import host_table
from tests.differences import check_gradients

PADS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((2, 3, 5), (1, 2)),
    ((2, 3, 5), (4, 0)),
    ((3, 5), (-1, 2)),
    ((3, 5), (-2, -2)),
    ((3, 5), (3, -4)),
    ((3, 5), (-5, 3)),
    ((2, 3, 4, 5), (1, 2, 3, 0)),
    ((3, 4, 5), (2, -1, -1, 2)),
    ((2, 3, 4, 5, 6), (1, 1, 2, 2, 3, 3)),
    ((2, 3, 4, 5, 6), (0, 0, -1, 3, 0, 1)),
    ((0, 3, 5), (1, 2)),
    ((1, 1, 40, 50), (20, 31, 5, 7)),
    ((700, 2, 9), (3, 4)),  # several blocks
]


def problems() -> list[Any]:
    found = []
    for mode, (shape, pads), dtype in itertools.product(MODES, PADS, ("f4", "f8")):
        try:
            p, _ = pad_problem(shape, np.dtype(dtype), pads, mode, None)
        except F.ShapeError:
            continue
        found.append(replace(p, direction="backward"))
    more: list[Any] = [((4, 5), ()), ((5,), (2, 1)), ((5,), (-5, 9)), ((0, 3), (1, 1)), ((2, 0), (1, 1))]
    return found + [replace(pad_problem(s, np.dtype("f8"), w, "constant", 3)[0], direction="backward") for s, w in more]


PROBLEMS = problems()


def test_problems_are_many() -> None:
    assert len({p.mode for p in PROBLEMS}) == len(MODES)
    assert len(PROBLEMS) > 80


@pytest.mark.parametrize("kernel", kernels("pad_backward"), ids=lambda k: k.name)
def test_pad_kernels(kernel: Kernel[Any]) -> None:
    rng = np.random.default_rng(0)
    for p in PROBLEMS:
        dy = rng.normal(size=p.y_shape).astype(p.dtype)
        before = dy.copy()
        got, want = np.full(p.x_shape, 7, p.dtype), np.full(p.x_shape, 7.0)
        kernel.prepare(p, (), 1)(dy, got)
        ReferencePadBackward().prepare(replace(p, dtype=np.dtype(np.float64)), (), 1)(dy, want)
        bound = max(kernel.error(p), float(np.finfo(p.dtype).eps)) * float(np.abs(want).max(initial=0.0))
        np.testing.assert_allclose(got, want, rtol=0, atol=bound, err_msg=str(p))
        np.testing.assert_array_equal(dy, before)
        assert 0 <= kernel.workspace(p) < 16 << 20
        assert 0 <= kernel.cost(p, host_table()) < 10
        assert 0 <= kernel.error(p) < 1e-4
        assert p.results == ((p.x_shape, p.dtype),)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape", "pads"), PADS[:10])
def test_pad_differences(mode: str, shape: Any, pads: Any) -> None:
    x = np.random.default_rng(1).normal(size=shape)
    try:
        F.pad(x, pads, mode)
    except F.ShapeError as e:
        with pytest.raises(F.ShapeError, match=str(e)[:20].replace("(", r"\(").replace(")", r"\)")):
            F.grad.pad(x, x, pads, mode)
        return
    check_gradients(lambda x: F.pad(x, pads, mode), lambda dy, x: F.grad.pad(dy, x, pads, mode), (x,))


@pytest.mark.parametrize("batch", [(), (2,), (0,)])
def test_windows(batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    for k, d, p, s in itertools.product((2, (3, 2)), (1, (1, 2)), (0, (1, 2)), (1, (2, 3))):
        x = rng.normal(size=(*batch, 3, 6, 7))
        columns = F.unfold(x, k, d, p, s)
        check_gradients(
            lambda x, a=(k, d, p, s): F.unfold(x, *a), lambda dy, x, a=(k, d, p, s): F.grad.unfold(dy, x, *a), (x,)
        )
        check_gradients(
            lambda x, a=(k, d, p, s): F.fold(x, (6, 7), *a),
            lambda dy, x, a=(k, d, p, s): F.grad.fold(dy, x, (6, 7), *a),
            (columns,),
        )


def test_flatten() -> None:
    x = np.random.default_rng(3).normal(size=(2, 3, 4))
    for dims in ((), (1,), (0, 1), (-2, -1), (1, 1)):
        check_gradients(lambda x, d=dims: F.flatten(x, *d), lambda dy, x, d=dims: F.grad.flatten(dy, x, *d), (x,))
    dy = np.arange(24.0).reshape(2, 12)
    assert np.shares_memory(F.grad.flatten(dy, x, 1), dy)
    assert F.grad.flatten(dy, x.astype("f"), 1).dtype == np.float32
    assert F.grad.flatten(np.ones(1), np.array(2.0)).shape == ()
    assert F.grad.flatten(np.ones((0, 12)), F.Spec((0, 3, 4)), 1).shape == (0, 3, 4)


def calls() -> list[tuple[str, tuple[int, ...], tuple[Any, ...], dict[str, Any]]]:
    return [
        ("flatten", (2, 3, 4), (1,), {}),
        ("pad", (2, 3, 4), ((1, 2),), {"mode": "reflect"}),
        ("pad", (2, 3, 4), ((-1, 2, 1, 0),), {"value": 5}),
        ("unfold", (2, 3, 5, 6), (2,), {"padding": 1}),
        ("fold", (2, 12, 20), ((5, 6), 2), {}),
    ]


@pytest.mark.parametrize(("name", "shape", "arguments", "kwargs"), calls())
def test_dtypes_need_memory_and_plans(name: str, shape: Any, arguments: Any, kwargs: dict[str, Any]) -> None:
    rng = np.random.default_rng(4)
    gradient = getattr(F.grad, name)
    for dtype in ("f4", "f8"):
        x = rng.normal(size=shape).astype(dtype)
        dy = rng.normal(size=getattr(F, name)(x, *arguments, **kwargs).shape).astype(dtype)
        dx = gradient(dy, x, *arguments, **kwargs)
        assert (dx.shape, dx.dtype) == (x.shape, x.dtype)
        assert gradient(dy.astype("f8"), x, *arguments, **kwargs).dtype == x.dtype
        np.testing.assert_array_equal(gradient(dy, F.Spec(shape, dtype), *arguments, **kwargs), dx)
        strided = np.repeat(dy[..., ::-1], 2, -1)[..., ::-2]
        np.testing.assert_array_equal(gradient(strided, x, *arguments, **kwargs), dx)
        assert gradient(dy, x, *arguments, need=(False,), **kwargs) is None
        for threads in (1, 2):
            np.testing.assert_array_equal(gradient(dy, x, *arguments, threads=threads, **kwargs), dx)
        run = F.plan(gradient, F.Spec(dy.shape, dtype), x, *arguments, **kwargs)
        assert run.result_shapes == (shape,)
        np.testing.assert_array_equal(run(dy), dx)
        np.testing.assert_allclose(gradient(dy, x, *arguments, backend="reference", **kwargs), dx, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "shape", "arguments", "kwargs"), calls())
def test_errors(name: str, shape: Any, arguments: Any, kwargs: dict[str, Any]) -> None:
    gradient = getattr(F.grad, name)
    x = np.ones(shape)
    dy = getattr(F, name)(x, *arguments, **kwargs)
    with pytest.raises(F.ShapeError, match=rf"dy has shape \(3,\); it must be .*, that of the result of {name}"):
        gradient(np.ones(3), x, *arguments, **kwargs)
    with pytest.raises(F.DTypeError, match="input has dtype complex128; gradients are defined for float32 and float64"):
        gradient(dy, x + 0j, *arguments, **kwargs)
    with pytest.raises(F.DTypeError, match="dy has dtype float16"):
        gradient(dy.astype("e"), x, *arguments, **kwargs)
    with pytest.raises(ValueError, match=r"need must hold 1 bools \(input\), got 0"):
        gradient(dy, x, *arguments, need=(), **kwargs)
    with pytest.raises(TypeError, match="dy must be an array, got None"):
        gradient(None, x, *arguments, **kwargs)


def test_arguments_are_checked_as_in_the_forward_call() -> None:
    x = np.ones((2, 3, 4))
    with pytest.raises(TypeError, match="pad must be a sequence of ints, got 3"):
        F.grad.pad(x, x, 3)
    with pytest.raises(ValueError, match="mode must be one of"):
        F.grad.pad(x, x, (1, 1), "mirror")
    with pytest.raises(IndexError, match="start_dim must be from -3 to 2"):
        F.grad.flatten(x, x, 3)
    with pytest.raises(F.ShapeError, match="axis -2 of input must be a multiple of the kernel's size, 4"):
        F.grad.fold(x, x, 3, 2)


def test_against_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    done = 0
    for (shape, pads), mode, dtype in itertools.product(PADS[:10], MODES[:-1], ("float32", "float64")):
        x = rng.normal(size=shape).astype(dtype)
        t = torch.tensor(x, requires_grad=True)
        try:
            y = torch.nn.functional.pad(t, pads, mode)
            F.pad(x, pads, mode)
        except (RuntimeError, NotImplementedError, F.ShapeError):
            continue  # one of them refuses, as the forward tests say
        dy = rng.normal(size=tuple(y.shape)).astype(dtype)
        y.backward(torch.tensor(dy))
        tol = 1e-5 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(F.grad.pad(dy, x, pads, mode), t.grad.numpy(), rtol=tol, atol=tol)
        done += 1
    assert done > 40
    for a in ((2, 1, 0, 1), ((3, 2), (1, 2), (2, 1), (2, 3))):
        t = torch.tensor(rng.normal(size=(2, 3, 8, 7)), requires_grad=True)
        y = torch.nn.functional.unfold(t, *a)
        dy = rng.normal(size=tuple(y.shape))
        y.backward(torch.tensor(dy))
        np.testing.assert_allclose(F.grad.unfold(dy, t.detach().numpy(), *a), t.grad.numpy(), rtol=1e-12, atol=1e-12)
        t = torch.tensor(dy, requires_grad=True)
        y = torch.nn.functional.fold(t, (8, 7), *a)
        dy = rng.normal(size=tuple(y.shape))
        y.backward(torch.tensor(dy))
        np.testing.assert_allclose(F.grad.fold(dy, t.detach().numpy(), (8, 7), *a), t.grad.numpy(), rtol=1e-12)
