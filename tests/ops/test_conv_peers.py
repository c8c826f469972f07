"""Convolutions and matrix products against SciPy and torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(7, 7), (16, 31), (1, 40), (33, 5)])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 5), (4, 4)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int32"])
def test_correlate2d(shape: tuple[int, int], kernel: tuple[int, int], dtype: str) -> None:
    signal = pytest.importorskip("scipy.signal")
    x, w = (RNG.normal(size=shape) * 9).astype(dtype), (RNG.normal(size=kernel) * 9).astype(dtype)
    tol = {"float32": 1e-4, "int32": 0}.get(dtype, 1e-11)
    w_conj = w.conj()  # SciPy's correlation conjugates its second argument, a network's does not
    full = [(k - 1, k - 1) for k in kernel]
    np.testing.assert_allclose(
        F.conv2d(x[None], w[None, None], padding=full)[0], signal.correlate2d(x, w_conj, "full"), rtol=0, atol=tol * 9
    )
    if all(a >= b for a, b in zip(shape, kernel, strict=True)):
        np.testing.assert_allclose(
            F.conv2d(x[None], w[None, None])[0], signal.correlate2d(x, w_conj, "valid"), rtol=0, atol=tol * 9
        )
    np.testing.assert_allclose(
        F.conv2d(x[None], w[None, None], padding="same")[0], signal.correlate2d(x, w_conj, "same"), rtol=0, atol=tol * 9
    )


@pytest.mark.parametrize(
    ("rank", "shape", "kernel"), [(1, (50,), (7,)), (2, (12, 14), (3, 4)), (3, (6, 7, 8), (3, 2, 3))]
)
@pytest.mark.parametrize("mode", ["full", "valid"])
def test_correlate(rank: int, shape: tuple[int, ...], kernel: tuple[int, ...], mode: str) -> None:
    signal = pytest.importorskip("scipy.signal")
    x, w = RNG.normal(size=shape), RNG.normal(size=kernel)
    padding = [(k - 1, k - 1) for k in kernel] if mode == "full" else 0
    got = getattr(F, f"conv{rank}d")(x[None], w[None, None], padding=padding)[0]
    np.testing.assert_allclose(got, signal.correlate(x, w, mode, method="direct"), atol=1e-12)


def torch_call(name: str, *args: Any, **kwargs: Any) -> np.ndarray:
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(np.ascontiguousarray(a)) if isinstance(a, np.ndarray) else a for a in args]
    return getattr(torch.nn.functional, name)(*tensors, **kwargs).numpy()


@pytest.mark.parametrize("seed", range(150))
def test_generated_problems_against_torch(seed: int) -> None:
    pytest.importorskip("torch")
    rng = np.random.default_rng(seed)

    def pick(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    rank, groups, flip = pick(1, 2, 2, 3), pick(1, 1, 2, 4), bool(pick(0, 0, 1))
    ic, oc = groups * pick(1, 2, 3, 9), groups * pick(1, 2, 5, 18)
    kernel = [pick(1, 2, 3, 5) for _ in range(rank)]
    stride, dilation = (tuple(pick(1, 1, 2, 3) for _ in range(rank)) for _ in range(2))
    spatial = [pick(1, 3, 6, 14) + d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    dtype = pick("float32", "float64", "float64", "complex128", "int64")
    options: dict[str, Any] = {
        "stride": stride, "dilation": dilation, "groups": groups,
        "padding": tuple(pick(0, 0, 1, 2) for _ in range(rank)),
    }  # fmt: skip
    if flip:
        options["output_padding"] = tuple(pick(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))
    x = (rng.normal(size=(pick(0, 1, 2), ic, *spatial)) * 5).astype(dtype)
    w = (rng.normal(size=(*((ic, oc // groups) if flip else (oc, ic // groups)), *kernel)) * 5).astype(dtype)
    b = (rng.normal(size=oc) * 5).astype(dtype) if pick(0, 1) else None
    if dtype == "int64" and flip:
        return
    name = f"conv{'_transpose' * flip}{rank}d"
    try:
        want = torch_call(name, x, w, b, **options)
    except RuntimeError:
        with pytest.raises((ValueError, TypeError)):
            getattr(F, name)(x, w, b, **options)
        return
    got = getattr(F, name)(x, w, b, **options)
    assert got.shape == want.shape and got.dtype == want.dtype
    scale = max(1.0, float(np.abs(want).max(initial=0.0)))
    np.testing.assert_allclose(got, want, rtol=0, atol=scale * {"float32": 3e-6, "int64": 0}.get(dtype, 1e-14))
    last = getattr(F, name)(np.moveaxis(x, 1, -1), w, b, layout="NHWC", **options)
    np.testing.assert_allclose(
        np.moveaxis(last, -1, 1), want, rtol=0, atol=scale * {"float32": 3e-6, "int64": 0}.get(dtype, 1e-14)
    )


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_named_padding_against_torch(padding: str, kernel: int, dilation: int) -> None:
    x, w = RNG.normal(size=(2, 3, 11, 12)), RNG.normal(size=(4, 3, kernel, kernel))
    want = torch_call("conv2d", x, w, None, padding=padding, dilation=dilation)
    np.testing.assert_allclose(F.conv2d(x, w, padding=padding, dilation=dilation), want, atol=1e-12)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_against_torch(mode: str) -> None:
    torch = pytest.importorskip("torch")
    for rank in (1, 2, 3):
        module = getattr(torch.nn, f"Conv{rank}d")(2, 3, 3, padding=2, padding_mode=mode).double()
        x = RNG.normal(size=(2, 2, *(7, 6, 5)[:rank]))
        want = module(torch.tensor(x)).detach().numpy()
        w, b = module.weight.detach().numpy(), module.bias.detach().numpy()
        np.testing.assert_allclose(
            getattr(F, f"conv{rank}d")(x, w, b, padding=2, padding_mode=mode), want, atol=1e-12
        )


SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((4, 2, 3), (3, 5)), ((2, 3), (4, 3, 5)), ((4, 1, 2, 3), (5, 3, 2)),
    ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((4, 2, 3), (3,)), ((3,), (4, 3, 2)), ((1, 3), (3, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int64"])
def test_matmul_against_torch(a: tuple[int, ...], b: tuple[int, ...], dtype: str) -> None:
    torch = pytest.importorskip("torch")
    x, y = (RNG.normal(size=a) * 5).astype(dtype), (RNG.normal(size=b) * 5).astype(dtype)
    want = torch.matmul(torch.tensor(x), torch.tensor(y)).numpy()
    got = F.matmul(x, y)
    assert got.shape == want.shape and got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-4 if dtype in ("float32", "complex64") else 1e-12, atol=1e-4)


@pytest.mark.parametrize("x", [(4,), (3, 4), (2, 3, 4), (0, 4), (2, 0, 4)])
@pytest.mark.parametrize("w", [(5, 4), (4,), (1, 4)])
@pytest.mark.parametrize("bias", [False, True])
def test_linear_against_torch(x: tuple[int, ...], w: tuple[int, ...], bias: bool) -> None:
    a, b = RNG.normal(size=x), RNG.normal(size=w)
    if bias and len(w) == 1:
        pytest.skip("torch has no bias for a 1-D weight")
    c = RNG.normal(size=w[:-1]) if bias else None
    want = torch_call("linear", a, b, c)
    got = F.linear(a, b, c)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize("threads", [1, 2])
def test_gemm_blocks_of_depth_and_columns(threads: int) -> None:
    """Large enough for every backend to cut its operands into blocks, with everything that is added at the end."""
    a, b = RNG.normal(size=(37, 5003)), RNG.normal(size=(5003, 301))
    c, bias = RNG.normal(size=(37, 1)), RNG.normal(size=301)
    want = np.maximum(2 * (a @ b) + 3 * c + bias, 0)
    run = F.plan(F.gemm, a, b, c, alpha=2, beta=3, bias=bias, activation="relu", threads=threads)
    called = F.gemm(a, b, c, alpha=2, beta=3, bias=bias, activation="relu", threads=threads)
    np.testing.assert_allclose(called, want, atol=1e-9)
    for candidate in run.explain().candidates:
        if candidate.reason is None:
            np.testing.assert_allclose(run.with_kernel(candidate.kernel.name)(a), want, atol=1e-9)


def test_gemm_ignores_c_when_beta_is_zero() -> None:
    a = RNG.normal(size=(5, 5))
    np.testing.assert_allclose(F.gemm(a, a, np.full((5, 5), np.nan)), a @ a, atol=1e-13)
