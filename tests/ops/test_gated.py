"""Gated linear units: every kernel against the definition, with guard pages; functions against torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.problems.activation import ElementwiseProblem
from fastconv.dispatch.registry import kernels
from tests.guard import guarded, guarded_copy

SIZES = ((1, 1), (5, 3), (3, 17), (40, 1), (2, 64), (1, 16), (7, 33), (3, 0), (0, 4), (300, 70), (2, 40_001))
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 88.0, -88.0, 100.0, -100.0, 1e30, -1e30)


def values(rng: np.random.Generator, size: int, dtype: Any) -> np.ndarray:
    x = 3 * rng.normal(size=size)
    with np.errstate(over="ignore"):
        return np.where(rng.random(size) < 0.1, rng.choice(SPECIAL, size), x).astype(dtype)


@pytest.mark.one_isa
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("at", ["start", "end"])
def test_kernels(direction: str, dtype: str, at: str) -> None:
    d = np.dtype(dtype)
    *able, reference = kernels("elementwise" if direction == "forward" else "elementwise_backward")
    if direction == "backward" and dtype == "float16":
        pytest.skip("gradients are of float32 and float64")
    rng = np.random.default_rng(0)
    tried = set()
    for rows, length in SIZES:
        x, dy = values(rng, 2 * rows * length, d), rng.normal(size=rows * length).astype(d)
        p = ElementwiseProblem("glu", (), rows * length, d, d, direction, rows)
        given, constants = (x, ()) if direction == "forward" else (dy, (x,))
        want = np.empty(p.results[0][0], d)
        if want.size < 50_000:
            reference.prepare(p, constants, 1)(given, want)
        else:
            next(k for k in able if k.backend == "numpy").prepare(p, constants, 1)(given, want)
        for kernel in able:
            if kernel.reject(p) is not None:
                continue
            tried.add(kernel.backend)
            got = guarded(want.size, d, at)
            kernel.prepare(p, tuple(guarded_copy(c, at) for c in constants), 2)(guarded_copy(given, at), got)
            np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=kernel.name)
            tiny = 1e31 * float(np.finfo(np.promote_types(d, "f")).smallest_normal)  # denormal slopes times 1e30
            np.testing.assert_allclose(got, want, rtol=max(16 * np.finfo(d).eps, kernel.error(p)), atol=tiny,
                                       err_msg=f"{kernel.name} {rows} {length}")  # fmt: skip
    assert "numpy" in tried


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_against_torch(dtype: str, dim: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    whole = rng.uniform(-6, 6, (6, 16, 10)).astype(dtype)  # torch's 1 - sigmoid cancels
    for x in (whole, whole[:, ::2], whole[::-1, :8], whole.transpose(2, 1, 0), np.asfortranarray(whole)):
        t = torch.tensor(np.ascontiguousarray(x), requires_grad=True)
        want = torch.nn.functional.glu(t, dim)
        dy = rng.normal(size=want.shape).astype(dtype)
        want.backward(torch.tensor(dy))
        eps = float(np.finfo(dtype).eps)
        np.testing.assert_allclose(F.glu(x, dim), want.detach().numpy(), rtol=8 * eps, atol=1e-37)
        out = np.empty(want.shape, dtype)
        assert F.glu(x, dim, out=out) is out
        np.testing.assert_array_equal(out, F.glu(x, dim))
        np.testing.assert_allclose(F.grad.glu(dy, x, dim), t.grad.numpy(), rtol=16 * eps, atol=64 * eps)
        np.testing.assert_array_equal(F.grad.glu(np.asfortranarray(dy), x, dim), F.grad.glu(dy, x, dim))


def test_out_may_be_a_part_of_x() -> None:
    x = np.random.default_rng(2).normal(size=(4, 10))
    want = F.glu(x)
    F.glu(x, out=x[:, :5])
    np.testing.assert_array_equal(x[:, :5], want)
