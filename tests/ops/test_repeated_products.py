"""Products that repeat are the same products, whatever differs from one call to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F

RNG = np.random.default_rng(5)


def numbers(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return RNG.integers(-4, 5, shape).astype(dtype)


A, B, BIAS = numbers(5, 7), numbers(7, 9), numbers(9)
TIMES = 4  # the third call is remembered


def test_values_are_read_again() -> None:
    a, bias = A.copy(), BIAS.copy()
    for _ in range(TIMES):
        np.testing.assert_array_equal(F.gemm(a, B, bias=bias), a @ B + bias)
        a *= 2
        bias += 1
    first = F.gemm(A, B, bias=BIAS)
    np.testing.assert_array_equal(F.gemm(A, 3 * B, bias=BIAS), 3 * (A @ B) + BIAS)
    np.testing.assert_array_equal(first, A @ B + BIAS)


def test_what_differs() -> None:
    product = A @ B
    for _ in range(TIMES):
        np.testing.assert_array_equal(F.matmul(A, B), product)
    strided, transposed, read_only = numbers(5, 14)[:, ::2], np.asfortranarray(A), A.copy()
    read_only.flags.writeable = False
    for a, b in (
        (A.astype(np.float64), B), (A, B.astype(np.float64)), (A.astype(">f4"), B), (strided, B), (transposed, B),
        (A.tolist(), B), (A, B.tolist()), (A[::-1], B), (A[:4], B), (A, B[:, :8]), (A[None], B), (read_only, B),
    ):  # fmt: skip
        expected = np.matmul(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
        for _ in range(TIMES):
            result = F.matmul(a, b)
            np.testing.assert_array_equal(result, expected)
            assert result.dtype == np.result_type(np.asarray(a).dtype, np.asarray(b).dtype).newbyteorder("=")
    for _ in range(TIMES):
        np.testing.assert_array_equal(F.gemm(A, B, product, beta=1.0), 2 * product)
        np.testing.assert_array_equal(F.gemm(A, B, product, beta=0.5, alpha=2.0), 2.5 * product)
    assert F.matmul(np.ones((5, 7), np.int32), np.ones((7, 9), np.int32)).dtype == np.int64


def test_out() -> None:
    square = numbers(6, 6)
    product = square @ square
    for _ in range(TIMES):
        a, out = square.copy(), np.empty((6, 6), np.float32)
        assert F.matmul(a, a, out=out) is out
        np.testing.assert_array_equal(out, product)
        assert F.matmul(a, square, out=a) is a
        np.testing.assert_array_equal(a, product)
        wide = np.empty((6, 12), np.float32)[:, ::2]
        assert F.matmul(square, square, out=wide) is wide
        np.testing.assert_array_equal(wide, product)
        with pytest.raises(ValueError, match="read-only"):
            F.matmul(square, square, out=np.broadcast_to(out, (6, 6)))


def test_options_and_plans() -> None:
    for _ in range(TIMES):
        F.matmul(A, B)
        with F.options(backend="numpy"):
            np.testing.assert_array_equal(F.matmul(A, B), A @ B)
            assert F.plan(F.matmul, A, B).kernel == "numpy.matmul"
        np.testing.assert_array_equal(F.plan(F.matmul, A, B)(2 * A), 2 * (A @ B))
    with pytest.raises(ValueError, match="backend"):
        F.matmul(A, B, backend="none")  # type: ignore[arg-type]


def test_arguments_are_told_apart_by_type() -> None:
    square = numbers(4, 4)
    for _ in range(TIMES):
        np.testing.assert_array_equal(F.gemm(square, square, trans_a=True), square.T @ square)
        with pytest.raises(TypeError, match="trans_a"):
            F.gemm(square, square, trans_a=1)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="alpha"):
            F.gemm(square, square, alpha=True)
        with pytest.raises(TypeError, match="masked"):
            F.gemm(np.ma.masked_array(square), square)


def test_empty_and_large_results() -> None:
    for m, k, n in ((0, 3, 4), (3, 0, 4), (3, 4, 0), (200, 4, 200)):
        a, b = numbers(m, k), numbers(k, n)
        for _ in range(TIMES):
            np.testing.assert_array_equal(F.matmul(a, b), a @ b)
