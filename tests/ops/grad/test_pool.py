"""Gradients of poolings: every kernel against the definition, central differences and torch autograd."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.reference.pool_backward import ReferencePoolBackward, ReferenceUnpoolBackward
from fastconv.core.kernel import Kernel
from fastconv.core.problems.unpool import unpool_problem
from fastconv.dispatch.registry import kernels
from fastconv.machines import host_table
from tests.differences import check_gradients
from tests.pool_problems import adaptive, corners, everywhere, operands, pool, random_problem, variants
from tests.problems import lay

SEEDS = 60
POOL, ADAPTIVE, UNPOOL = (kernels(f"{op}_backward") for op in ("pool", "adaptive_pool", "max_unpool"))
EPS = {"float32": 1.2e-7, "float64": 2.3e-16}
CORNERS = corners()


def run(kernel: Kernel[Any], p: Any, dy: np.ndarray, constants: tuple[np.ndarray, ...], threads: int = 1) -> np.ndarray:
    ((shape, dtype),) = p.results
    out = lay(np.full(shape, 7, dtype), p.layout)
    kernel.prepare(p, constants, threads)(dy, out)
    return out


def definition(p: Any, dy: np.ndarray, constants: tuple[np.ndarray, ...]) -> np.ndarray:
    wide = replace(p, dtype=np.dtype(np.float64), out=np.dtype(np.float64))
    return run(ReferencePoolBackward(), wide, dy, constants)


def check(kernel: Kernel[Any], p: Any, seed: int = 0) -> None:
    dy, constants = operands(p, seed)
    before = [a.copy() for a in (dy, *constants)]
    want, got = definition(p, dy, constants), run(kernel, p, dy, constants)
    assert got.dtype == p.dtype
    scale = float(np.abs(want).max(initial=0.0))
    # Errors are stated for sums of normally distributed values; here few of them are added up, some with large factors.
    bound = 4 * max(kernel.error(p), EPS[p.dtype.name]) * scale
    np.testing.assert_allclose(got, want, rtol=0, atol=bound, err_msg=str(p))
    for a, b in zip((dy, *constants), before, strict=True):
        np.testing.assert_array_equal(a, b)


def of_family(p: Any) -> tuple[Kernel[Any], ...]:
    return kernels(p.op)


FAMILIES = [(k, ps) for ks, ps in ((POOL, "pool_backward"), (ADAPTIVE, "adaptive_pool_backward")) for k in ks]
per_kernel = pytest.mark.parametrize(("kernel", "op"), FAMILIES, ids=lambda v: getattr(v, "name", v))


@per_kernel
def test_corners(kernel: Kernel[Any], op: str) -> None:
    done = 0
    for p in itertools.chain.from_iterable(map(variants, CORNERS)):
        large = kernel.backend == "reference" and int(np.prod(p.x_shape)) > 10_000
        if p.op == op and kernel.reject(p) is None and not large:
            check(kernel, p)
            done += 1
    if kernel.backend != "cython":
        assert done > 3


@per_kernel
def test_random_problems(kernel: Kernel[Any], op: str) -> None:
    for seed in range(SEEDS):
        p = random_problem(seed)
        if p.op == op and kernel.reject(p) is None:
            check(kernel, p, seed)


def test_every_problem_has_a_kernel_besides_the_definition() -> None:
    for p in CORNERS:
        assert any(k.reject(p) is None for k in of_family(p)[:-1]), p


@pytest.mark.parametrize("kernel", UNPOOL, ids=lambda k: k.name)
def test_unpool_kernels(kernel: Kernel[Any]) -> None:
    rng = np.random.default_rng(0)
    for spatial, layout, dtype, n in itertools.product(
        [(5,), (3, 4), (2, 3, 2)], ["NCHW", "NHWC"], ["f4", "f8"], [0, 2]
    ):
        shape = (n, 3, *spatial) if layout == "NCHW" else (n, *spatial, 3)
        p = unpool_problem(len(spatial), shape, np.dtype(dtype), shape, np.dtype(np.int64), 2, None, 0, None, layout)
        p = replace(p, direction="backward")
        dy = lay(rng.normal(size=p.y_shape).astype(dtype), layout)
        at = rng.integers(0, p.pixels, p.x_shape)
        got = lay(np.full(p.x_shape, 7, p.dtype), layout)
        want = got.copy()
        kernel.prepare(p, (at,), 1)(dy, got)
        ReferenceUnpoolBackward().prepare(p, (at,), 1)(dy, want)
        np.testing.assert_array_equal(got, want)
        assert kernel.workspace(p) < 32 << 20
        assert 0 <= kernel.cost(p, host_table()) < 1
        assert kernel.error(p) == 0


NAMES: list[tuple[str, tuple[int, ...], tuple[Any, ...], dict[str, Any]]] = [
    ("max_pool1d", (2, 3, 11), (3, 2, 1), {}),
    ("max_pool2d", (3, 7, 8), (3, 1), {"padding": [(1, 2), (0, 1)], "dilation": (1, 2)}),  # not batched
    ("max_pool2d", (2, 7, 8, 3), (3, 2, 1), {"ceil_mode": True, "layout": "NHWC"}),
    ("max_pool3d", (1, 2, 4, 5, 6), (2,), {}),
    ("avg_pool1d", (2, 3, 11), (3, 2, 1), {"ceil_mode": True}),
    ("avg_pool2d", (2, 7, 8, 3), (3, 2), {"padding": "same", "count_include_pad": False, "layout": "NHWC"}),
    ("avg_pool2d", (7, 8, 3), (2,), {"divisor_override": 3, "layout": "NHWC"}),  # not batched
    ("avg_pool3d", (1, 2, 4, 5, 6), ((2, 3, 2), 1, 1), {}),
    ("lp_pool1d", (2, 3, 11), (2, 3, 2, True), {}),
    ("lp_pool2d", (2, 7, 8, 3), (3, 3, 1), {"padding": 1, "layout": "NHWC"}),
    ("lp_pool2d", (2, 3, 7, 8), (-1.5, 2), {}),
    ("lp_pool2d", (2, 3, 7, 8), (np.inf, 3, 2), {"padding": 1}),
    ("lp_pool2d", (2, 3, 7, 8), (-np.inf, 3, 2), {"padding": 1}),
    ("lp_pool3d", (1, 2, 4, 5, 6), (0.5, 2), {"dilation": 2}),
    ("adaptive_max_pool1d", (2, 3, 11), (4,), {}),
    ("adaptive_max_pool2d", (2, 7, 8, 3), ((3, 9),), {"layout": "NHWC"}),
    ("adaptive_max_pool3d", (1, 2, 4, 5, 6), ((2, None, 4),), {}),
    ("adaptive_avg_pool1d", (3, 11), (4,), {}),
    ("adaptive_avg_pool2d", (2, 7, 8, 3), ((3, 9),), {"layout": "NHWC"}),
    ("adaptive_avg_pool3d", (1, 2, 4, 6, 6), ((2, 3, 4),), {}),
    ("global_max_pool", (2, 3, 4, 5), (), {}),
    ("global_max_pool", (2, 2, 3, 2, 2, 3), (), {"layout": "NHWC"}),
    ("global_avg_pool", (2, 4, 5, 3), (), {"layout": "NHWC"}),
    ("global_avg_pool", (2, 2, 2, 3, 2, 3), (), {}),
]


@pytest.mark.parametrize(("name", "shape", "arguments", "kwargs"), NAMES)
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_central_differences(name: str, shape: Any, arguments: Any, kwargs: dict[str, Any], backend: str) -> None:
    rng = np.random.default_rng(3)
    # Values with distinct magnitudes, so that no small step changes what is a maximum; positive, as powers need.
    x = rng.permutation(np.arange(1.0, np.prod(shape) + 1)).reshape(shape) / 10
    x = x if name.startswith("lp") and np.isfinite(arguments[0]) else x * rng.choice([-1, 1], shape)
    check_gradients(
        lambda x: getattr(F, name)(x, *arguments, **kwargs),
        lambda dy, x: getattr(F.grad, name)(dy, x, *arguments, backend=backend, **kwargs),
        (x,),
        rtol=1e-6,
    )


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_unpool_differences(rank: int, layout: str) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(2, *(6, 4, 8)[:rank], 4))
    y, at = getattr(F, f"max_pool{rank}d")(x, 2, return_indices=True, layout=layout)
    check_gradients(
        lambda y: getattr(F, f"max_unpool{rank}d")(y, at, 2, layout=layout),
        lambda dy, y: getattr(F.grad, f"max_unpool{rank}d")(dy, y, at, 2, layout=layout),
        (y,),
    )


@pytest.mark.parametrize(("name", "shape", "arguments", "kwargs"), NAMES)
def test_shapes_dtypes_and_layout_of_memory(name: str, shape: Any, arguments: Any, kwargs: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    operation, gradient = getattr(F, name), getattr(F.grad, name)
    for dtype in ("f4", "f8"):
        x = rng.uniform(0.5, 2, shape).astype(dtype)
        dy = rng.normal(size=operation(x, *arguments, **kwargs).shape).astype(dtype)
        dx = gradient(dy, x, *arguments, **kwargs)
        assert dx.shape == x.shape
        assert dx.dtype == x.dtype
        strided, dy_strided = (np.repeat(a[..., ::-1], 2, -1)[..., ::-2] for a in (x, dy))
        strided.setflags(write=False)
        np.testing.assert_array_equal(gradient(dy_strided, strided, *arguments, **kwargs), dx)
        other = gradient(dy.astype("f8" if dtype == "f4" else "f4"), x, *arguments, **kwargs)
        assert other.dtype == x.dtype
        assert gradient(dy, x, *arguments, need=(False,), **kwargs) is None
        full = gradient(dy, x, *arguments, need=(True,), **kwargs)
        np.testing.assert_array_equal(full, dx)
        for threads in (1, 2):
            np.testing.assert_array_equal(gradient(dy, x, *arguments, threads=threads, **kwargs), dx)
        if len(shape) == 2 + int(name[-2] if name[-1] == "d" else len(shape) - 2):
            assert gradient(dy[:0], x[:0], *arguments, **kwargs).shape == (0, *shape[1:])


@pytest.mark.parametrize(("name", "shape", "arguments", "kwargs"), NAMES)
def test_plans(name: str, shape: Any, arguments: Any, kwargs: dict[str, Any]) -> None:
    rng = np.random.default_rng(6)
    operation, gradient = getattr(F, name), getattr(F.grad, name)
    x = rng.uniform(0.5, 2, shape).astype("f")
    dy = rng.normal(size=operation(x, *arguments, **kwargs).shape).astype("f")
    want = gradient(dy, x, *arguments, **kwargs)
    run = F.plan(gradient, F.Spec(dy.shape), x, *arguments, **kwargs)
    assert run.result_shapes == (shape,)
    assert run.problem.op.endswith("_backward")
    assert run.kernel in str(run.explain())
    x[...] = 0  # the plan has its own
    np.testing.assert_array_equal(run(dy), want)
    out = np.empty_like(want)
    assert run(dy, out=out) is out
    np.testing.assert_array_equal(out, want)
    with pytest.raises(ValueError, match="a plan is one gradient"):
        F.plan(gradient, dy, x, *arguments, need=(False,), **kwargs)


@pytest.mark.parametrize("name", [n for n, *_ in NAMES if "max_pool" in n and "global" not in n])
def test_indices_of_the_forward_call(name: str) -> None:
    rng = np.random.default_rng(7)
    _, shape, arguments, kwargs = next(row for row in NAMES if row[0] == name)
    x = np.round(rng.normal(size=shape)).astype("f")
    y, at = getattr(F, name)(x, *arguments, return_indices=True, **kwargs)
    dy = rng.normal(size=y.shape).astype("f")
    gradient = getattr(F.grad, name)
    want = gradient(dy, x, *arguments, **kwargs)
    np.testing.assert_array_equal(gradient(dy, F.Spec(shape), *arguments, indices=at, **kwargs), want)
    np.testing.assert_array_equal(gradient(dy, x * 0, *arguments, indices=at[..., ::1], **kwargs), want)
    kept = at.copy()
    run = F.plan(gradient, dy, F.Spec(shape), *arguments, indices=kept, **kwargs)
    kept[...] = 0  # the plan has its own
    np.testing.assert_array_equal(run(dy), want)
    nothing = gradient(dy, F.Spec(shape), *arguments, indices=np.full_like(at, -1), **kwargs)
    np.testing.assert_array_equal(nothing, np.zeros(shape, "f"))


def test_maxima() -> None:
    dy = np.arange(1.0, 5.0)[None]
    ties = np.array([[2.0, 2.0, 1.0, 2.0, 2.0]])
    np.testing.assert_array_equal(F.grad.max_pool1d(dy, ties, 2, 1), [[1, 2, 0, 7, 0]])
    nan = np.array([[1.0, np.nan, np.nan, 3.0, 3.0]])
    np.testing.assert_array_equal(F.grad.max_pool1d(dy, nan, 2, 1), [[0, 3, 3, 4, 0]])
    padding = F.grad.max_pool1d(np.full((1, 1, 1), np.nan), np.ones((1, 1, 1)), 2, 1, 1, 2)  # nothing but
    np.testing.assert_array_equal(padding, [[[0]]])


def test_global_maxima_share() -> None:
    x = np.array([[[1.0, 3.0, 3.0, -1.0], [2.0, 2.0, 2.0, 2.0], [1.0, np.nan, 3.0, 3.0]]])
    got = F.grad.global_max_pool(np.array([[[1.0], [2.0], [3.0]]]), x)
    np.testing.assert_array_equal(got, [[[0, 0.5, 0.5, 0], [0.5] * 4, [np.nan] * 4]])


def test_blocks_join(monkeypatch: pytest.MonkeyPatch) -> None:
    """The definition would be too slow on problems of several blocks of the usual size."""
    problems = [everywhere("max", (9, 11)), pool("max", (12, 13), 3, stride=2), adaptive("max", (12, 13), 7)]
    for p in itertools.chain.from_iterable(map(variants, problems)):
        dy, constants = operands(p)
        with monkeypatch.context() as patch:
            patch.setattr(import_module("fastconv.backends.numpy.pool.backward"), "BLOCK", 16)
            got = run(next(k for k in of_family(p) if k.reject(p) is None and k.backend == "numpy"), p, dy, constants)
        np.testing.assert_allclose(got, definition(p, dy, constants), rtol=1e-5, atol=1e-5)


def test_lp_of_zeros_and_powers() -> None:
    x = np.array([[0.0, 0.0, 0.0, 1e-30, 3e30, 4e30]], "f")
    np.testing.assert_allclose(F.grad.lp_pool1d(np.ones((1, 3), "f"), x, 2, 2), [[0, 0, 0, 1, 0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(F.grad.lp_pool1d(np.ones((1, 3), "f"), x, 8, 2)[0, :4], [0, 0, 0, 1], rtol=1e-6)
    signs = np.array([[-2.0, 2.0, 0.0, 0.0, 1.0, -3.0]])
    np.testing.assert_array_equal(F.grad.lp_pool1d(np.ones((1, 3)), signs, np.inf, 2), [[-1, 0, 0, 0, 0, -1]])
    np.testing.assert_array_equal(F.grad.lp_pool1d(np.ones((1, 3)), signs, -np.inf, 2), [[-1, 0, 0, 0, 1, 0]])


def test_unpool_repeats() -> None:
    got = F.grad.max_unpool1d(np.arange(6.0)[None], np.ones((1, 3)), np.array([[1, 1, 4]]), 2)
    np.testing.assert_array_equal(got, [[1, 1, 4]])


def raises(error: type[Exception], text: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=text):
        call()


def test_errors() -> None:
    x, dy = np.ones((1, 2, 6, 6), "f"), np.ones((1, 2, 3, 3), "f")
    g = F.grad
    at = np.zeros((1, 2, 3, 3), np.int64)
    raises(F.ShapeError, r"dy has shape \(1, 2, 3\); it must be \(1, 2, 3, 3\), that of the result of max_pool2d",
           lambda: g.max_pool2d(np.ones((1, 2, 3)), x, 2))  # fmt: skip
    raises(F.ShapeError, "that of the result of avg_pool2d", lambda: g.avg_pool2d(x, x, 2))
    raises(F.ShapeError, "that of the result of lp_pool2d", lambda: g.lp_pool2d(x, x, 2, 2))
    raises(F.ShapeError, "that of the result of adaptive_max_pool2d", lambda: g.adaptive_max_pool2d(dy, x, 2))
    raises(F.ShapeError, "that of the result of adaptive_avg_pool2d", lambda: g.adaptive_avg_pool2d(dy, x, 2))
    raises(F.ShapeError, "that of the result of global_max_pool", lambda: g.global_max_pool(dy, x))
    raises(F.ShapeError, "that of the result of max_unpool2d", lambda: g.max_unpool2d(dy, dy, at, 2))
    for name, arguments in (
        ("max_pool2d", (2,)),
        ("avg_pool2d", (2,)),
        ("lp_pool2d", (2, 2)),
        ("adaptive_avg_pool2d", (3,)),
    ):
        raises(F.DTypeError, "input has dtype float16; gradients are defined for float32 and float64",
               lambda n=name, a=arguments: getattr(g, n)(dy, x.astype("e"), *a))  # fmt: skip
        raises(F.DTypeError, "dy has dtype int64", lambda n=name, a=arguments: getattr(g, n)(at, x, *a))
        raises(ValueError, r"need must hold 1 bools \(input\), got 2",
               lambda n=name, a=arguments: getattr(g, n)(dy, x, *a, need=(True, True)))  # fmt: skip
    raises(F.DTypeError, "input has dtype int64", lambda: g.global_max_pool(dy[..., :1, :1], x.astype(np.int64)))
    raises(F.DTypeError, "indices must have dtype int64, as max pooling returns them, got int32",
           lambda: g.max_pool2d(dy, x, 2, indices=at.astype(np.int32)))  # fmt: skip
    raises(F.ShapeError, r"indices must have the shape of the result, \(1, 2, 3, 3\), got \(1, 2, 9\)",
           lambda: g.max_pool2d(dy, x, 2, indices=at.reshape(1, 2, 9)))  # fmt: skip
    for wrong in (36, -2):
        raises(ValueError, f"indices must be positions 0 to 35 of input, or -1, got {wrong}",
               lambda w=wrong: g.adaptive_max_pool2d(dy, x, 3, indices=at + w))  # fmt: skip
    for call in (lambda: g.max_pool2d(dy, F.Spec(x.shape), 2), lambda: g.lp_pool2d(dy, F.Spec(x.shape), 2, 2),
                 lambda: g.global_max_pool(dy[..., :1, :1], F.Spec(x.shape))):  # fmt: skip
        raises(TypeError, "input is a Spec, but its values are needed: pass an array", call)
    raises(F.ShapeError, "output height would be 0", lambda: g.max_pool2d(dy, x, 7))
    raises(
        ValueError, "divisor_override must be an int other than 0", lambda: g.avg_pool2d(dy, x, 2, divisor_override=0)
    )
    raises(F.UnsupportedError, "no kernel can do this", lambda: g.avg_pool2d(dy, x, 2, backend="numba"))
    np.testing.assert_array_equal(g.avg_pool2d(dy, F.Spec(x.shape), 2), np.full(x.shape, 0.25, "f"))
    np.testing.assert_array_equal(g.max_pool2d(dy, x, 2, algorithm="scatter")[..., ::2, ::2], dy)


@pytest.mark.parametrize("seed", range(4))
def test_against_torch(seed: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    done = 0
    for _ in range(150):
        rank = int(rng.integers(1, 4))
        dtype = str(rng.choice(["float32", "float64"]))
        batch = ((), (1,), (2,))[int(rng.integers(3))]
        x = rng.normal(size=(*batch, 2, *rng.integers(4, 9, rank)))
        x = (np.round(x) + 0.0 if rng.random() < 0.4 else x).astype(dtype)
        k = tuple(int(v) for v in rng.integers(1, 4, rank))
        s = None if rng.random() < 0.3 else tuple(int(v) for v in rng.integers(1, 4, rank))
        p = tuple(int(rng.integers(0, v // 2 + 1)) for v in k)
        ceil, flag = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        norm = float(rng.choice([1, 2, 3, 2.5, -1, np.inf, -np.inf]))
        size = tuple(int(v) for v in rng.integers(1, 10, rank))
        kind, arguments = [
            ("max_pool", (k, s, p, tuple(int(v) for v in rng.integers(1, 3, rank)), ceil)),
            ("avg_pool", (k, s, p, ceil, flag, *([] if rank == 1 else [None if flag else 3]))),
            ("lp_pool", (norm, k if rank > 1 else k[0], s if rank > 1 or s is None else s[0], ceil)),
            ("adaptive_max_pool", (size if rank > 1 else size[0],)),
            ("adaptive_avg_pool", (size if rank > 1 else size[0],)),
        ][int(rng.integers(5))]
        name = f"{kind}{rank}d"
        x = np.abs(x).astype("f8") if kind == "lp_pool" and np.isfinite(norm) else x
        t = torch.tensor(x, requires_grad=True)
        try:
            y = getattr(torch.nn.functional, name)(t, *arguments)
        except RuntimeError:
            continue  # no output; the forward tests compare refusals
        dy = rng.normal(size=tuple(y.shape)).astype(x.dtype)
        y.backward(torch.tensor(dy))
        got = getattr(F.grad, name)(dy, x, *arguments)
        tol = 1e-5 if x.dtype == np.float32 else 1e-12
        assert got.dtype == x.dtype
        np.testing.assert_allclose(got, t.grad.numpy(), rtol=tol, atol=tol, err_msg=f"{name} {x.shape} {arguments}")
        done += 1
    assert done > 80


def test_strange_values_as_in_torch() -> None:
    torch = pytest.importorskip("torch")
    x = np.array([[[0.0, 0.0, 0.0, 1.0, np.nan, 2.0, -3.0, np.inf, 4.0, -np.inf]]])
    for norm, stride in itertools.product((1.0, 2.0, 3.0, 0.5, -1.0, np.inf, -np.inf), (1, 2)):
        t = torch.tensor(x, requires_grad=True)
        y = torch.nn.functional.lp_pool1d(t, norm, 2, stride)
        dy = np.arange(1.0, y.numel() + 1).reshape(y.shape)
        y.backward(torch.tensor(dy))
        for backend in ("auto", "reference"):
            got = F.grad.lp_pool1d(dy, x, norm, 2, stride, backend=backend)
            np.testing.assert_allclose(got, t.grad.numpy(), rtol=1e-12, err_msg=f"{norm} {stride} {backend}")
    x = np.array([[[1.0, 5.0, 5.0, -np.inf], [np.nan, 1.0, 2.0, np.nan], [np.inf, 1.0, np.inf, 0.0]]])
    for dy in (np.array([[[1.0], [2.0], [3.0]]]), np.array([[[np.inf], [0.0], [np.nan]]])):
        t = torch.tensor(x, requires_grad=True)
        t.amax(2, keepdim=True).backward(torch.tensor(dy))
        for backend in ("auto", "reference"):
            np.testing.assert_array_equal(F.grad.global_max_pool(dy, x, backend=backend), t.grad.numpy())


def test_unpool_as_in_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(8)
    for rank in (1, 2, 3):
        x = rng.normal(size=(2, 3, *(6, 4, 8)[:rank])).astype("f")
        t = torch.tensor(x)
        y, at = getattr(torch.nn.functional, f"max_pool{rank}d")(t, 3, 1, return_indices=True)  # positions repeat
        y.requires_grad_()
        back = getattr(torch.nn.functional, f"max_unpool{rank}d")(y, at, 3, 1)
        dy = rng.normal(size=tuple(back.shape)).astype("f")
        back.backward(torch.tensor(dy))
        got = getattr(F.grad, f"max_unpool{rank}d")(dy, y.detach().numpy(), at.numpy(), 3, 1)
        np.testing.assert_array_equal(got, y.grad.numpy())
