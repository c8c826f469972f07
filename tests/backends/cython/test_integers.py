"""Native kernels for integers: exact on every CPU, whatever the values, or an OverflowError."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.runtime import halves, native
from fastconv.backends.cython.widened import products as widened_products
from fastconv.backends.cython.widened.integers import Integers
from fastconv.backends.cython.widened.pairs import PairedKernel
from fastconv.core import machine
from fastconv.core.problems.conv import ConvProblem, conv_problem
from fastconv.core.problems.gemm import GemmProblem, gemm_problem
from fastconv.dispatch.registry import kernels
from tests.wide import half, share

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name
TYPES = [(np.dtype(a), np.dtype(b)) for a, b in (
    ("int8", "int8"), ("uint8", "uint8"), ("uint8", "int8"), ("int16", "int16"), ("uint16", "uint16"),
    ("int32", "int32"), ("uint32", "int16"), ("int64", "int64"), ("uint64", "uint64"), ("int64", "int8"))]  # fmt: skip


def native_kernels(op: str) -> list[Any]:
    found = [k for k in kernels(op) if isinstance(k, Integers) or (isinstance(k, PairedKernel) and k.otherwise)]
    assert found
    return found


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype, bits: int) -> np.ndarray:
    """Of up to `bits` bits, often the largest ones."""
    info = np.iinfo(dtype)
    low, high = max(info.min, -(2**bits)), min(info.max, 2**bits)
    x = rng.integers(low, high, shape, dtype=dtype, endpoint=True)
    x[rng.random(shape) < 0.3] = low
    x[rng.random(shape) < 0.3] = high
    return x


def convolutions() -> Iterator[ConvProblem]:
    shapes = [  # input, weights, groups, stride, padding, dilation
        ((2, 5, 9, 30), (7, 5, 1, 1), 1, 1, 0, 1),
        ((1, 6, 9, 30), (6, 1, 3, 3), 6, 1, 1, 1),
        ((1, 8, 13, 30), (6, 4, 3, 5), 2, (2, 1), (2, 1), (1, 2)),
        ((1, 3, 4, 9, 10), (35, 3, 2, 3, 3), 1, 2, 1, 1),
        ((1, 4, 5, 7), (3, 4, 3, 3), 1, 1, 1, 1),
        ((0, 4, 9, 30), (5, 4, 3, 3), 1, 1, 1, 1),
        ((2, 0, 9, 30), (5, 0, 3, 3), 1, 1, 1, 1),
    ]
    for i, (shape, (x, w)) in enumerate(itertools.product(shapes, TYPES)):
        xs, ws, groups, stride, padding, dilation = shape
        for mode, layout, bias in half(("zeros", "reflect"), ("NCHW", "NHWC"), (False, True), first=i):
            user = xs if layout == "NCHW" else (xs[0], *xs[2:], xs[1])
            yield conv_problem(
                len(xs) - 2, user, x, ws, w, ws[:1] if bias else None, np.dtype(np.uint8) if bias else None, stride,
                padding, dilation, groups, layout, mode, "relu" if bias else None, False,
            )  # fmt: skip


def checked(kernel: Any, p: Any, x: np.ndarray, constants: tuple[Any, ...], want: np.ndarray, got: np.ndarray) -> None:
    """The same as the definition, an OverflowError included."""
    reference = kernels(p.op)[-1]
    try:
        reference.prepare(replace(p, activation=None), constants, 1)(x, want)
    except OverflowError:
        if not p.activation:  # relu may make a sum fit
            with pytest.raises(OverflowError):
                kernel.prepare(p, constants, 2)(x, got)
        return
    with np.errstate(all="raise"):
        kernel.prepare(p, constants, 2)(x, got)
    np.testing.assert_array_equal(got, np.maximum(want, 0) if p.activation else want, err_msg=str(p))


@pytest.mark.parametrize("block", [300, 1 << 19])
@pytest.mark.parametrize("kernel", native_kernels("conv"), ids=lambda k: k.name)
def test_convolutions(monkeypatch: pytest.MonkeyPatch, kernel: Any, block: int) -> None:
    if not hasattr(kernel, "bounded") and not hasattr(kernel, "types"):
        pytest.skip("the transposed kernel of another one")
    monkeypatch.setattr(widened_products, "BLOCK", block)
    monkeypatch.setattr(widened_products, "NARROWEST", 4)
    widened_products.WidenedBlocks.of.cache_clear()
    rng = np.random.default_rng(7)
    tried = 0
    for p in convolutions():
        if kernel.reject(p) is not None:
            continue
        tried += 1
        bits = int(rng.choice([3, 8, 14, 24, 30]))
        last = (0, 2, 3, 4, 1), (0, 4, 1, 2, 3)

        def images(array: np.ndarray, layout: str = p.layout, last: Any = last) -> np.ndarray:
            return array if layout == "NCHW" else np.ascontiguousarray(array.transpose(last[0])).transpose(last[1])

        x, w = images(values(rng, p.x_shape, p.dtype, bits)), values(rng, p.w_shape, p.dtype, bits)
        if p.acc == np.int32:  # as 8-bit integers, which may be stored as 16 bits
            x, w = np.clip(x, -128, 255), np.clip(w, -128, 127)
        bias = rng.integers(0 if p.acc.kind == "u" else -100, 100, p.oc).astype(p.acc) if p.bias else None
        checked(kernel, p, x, (w, bias), images(np.zeros(p.y_shape, p.out)), images(np.zeros(p.y_shape, p.out)))
    widened_products.WidenedBlocks.of.cache_clear()
    if not tried:
        pytest.skip("not available here")


def products() -> Iterator[GemmProblem]:
    shapes = [((7, 20), (20, 9)), ((1, 33), (33, 70)), ((40, 301), (301, 35)), ((4, 7, 5), (4, 5, 6))]
    shapes += [((33, 260), (260, 75))]  # streamed: in pieces, by more than one strip
    shapes += [((50, 6), (6, 1)), ((2, 0), (0, 4)), ((0, 3), (3, 4)), ((2, 3), (3, 0))]
    for (a, b), (x, w), trans_a, trans_b, bias in half(shapes, TYPES, *[(False, True)] * 3):
        left = (*a[:-2], a[-1], a[-2]) if trans_a else a
        right = (*b[:-2], b[-1], b[-2]) if trans_b else b
        yield gemm_problem(
            (left, x), (right, w), None, ((b[-1],), np.dtype(np.uint8)) if bias else None, 1.0, 0.0, trans_a, trans_b,
            "relu" if bias else None, False,
        )[0]  # fmt: skip


@pytest.mark.parametrize("block", [100, 1 << 19])
@pytest.mark.parametrize("kernel", native_kernels("gemm"), ids=lambda k: k.name)
def test_products(monkeypatch: pytest.MonkeyPatch, kernel: Any, block: int) -> None:
    monkeypatch.setattr(widened_products, "BLOCK", block)
    rng = np.random.default_rng(8)
    tried = 0
    for p in share(kernel, products()):
        if kernel.reject(p) is not None:
            continue
        tried += 1
        bits = int(rng.choice([3, 8, 14, 24, 30, 62]))
        x = values(rng, (p.batch, p.k, p.m) if p.trans_a else (p.batch, p.m, p.k), p.dtype, bits)
        b = values(rng, (p.batch if p.b_batched else 1, *((p.n, p.k) if p.trans_b else (p.k, p.n))), p.dtype, bits)
        if p.acc == np.int32:
            x, b = np.clip(x, -128, 255), np.clip(b, -128, 127)
        bias = rng.integers(0 if p.acc.kind == "u" else -100, 100, p.n).astype(p.acc) if p.bias else None
        want, got = (np.zeros((p.batch, p.m, p.n), p.out) for _ in range(2))
        checked(kernel, p, x, (b, None, bias), want, got)
    if not tried:
        pytest.skip("not available here")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint32", "int64"])
def test_integers_are_native(dtype: str) -> None:
    """These took up to 16 times as long as torch's."""
    if native.build_problem() is not None:
        pytest.skip("not compiled")
    x, w = np.ones((1, 16, 40, 40), dtype), np.ones((16, 16, 3, 3), dtype)
    for plan in (F.plan(F.conv2d, x, w), F.plan(F.matmul, x[0, 0], x[0, 0])):
        assert plan.kernel.startswith("cython."), plan.explain()


def test_sums_that_no_float_holds() -> None:
    """Between 2^24 and 2^53, and beyond: exact, or an error."""
    x, w = np.full((1, 3), 2**12 + 1, np.int64), np.full((3, 1), 2**12, np.int64)
    assert F.matmul(x, w)[0, 0] == 3 * (2**24 + 2**12)
    x, w = np.full((1, 3), 2**30 + 1, np.int64), np.full((3, 1), 2**31 - 1, np.int64)
    assert F.matmul(x, w)[0, 0] == 3 * (2**30 + 1) * (2**31 - 1)
    with pytest.raises(OverflowError):
        F.matmul(x, np.full((3, 1), 2**33, np.int64))
    bias = np.full(1, 2**31 - 1, np.int32)
    with pytest.raises(OverflowError):
        F.linear(np.ones((1, 8), np.int8), np.ones((1, 8), np.int8), bias)
    assert F.linear(np.ones((1, 8), np.int8), -np.ones((1, 8), np.int8), bias)[0, 0] == 2**31 - 9


@pytest.mark.parametrize("isa", machine.ISAS)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "float16"])
def test_pairs_of_any_strides(isa: str, dtype: str) -> None:
    if native.unavailable(isa):
        pytest.skip(str(native.unavailable(isa)))
    rng = np.random.default_rng(9)
    shapes = [(3, 5, 70), (4, 6, 33), (1, 1, 1), (2, 131, 2), (0, 4, 3), (3, 0, 2)]
    for (a, b, c), axis in itertools.product(shapes, range(3)):
        whole = rng.integers(-100, 100, (a, b, 2 * c)).astype(dtype)
        for x in (np.ascontiguousarray(whole[..., :c]), whole[..., ::2], whole[..., :c].transpose(2, 0, 1)):
            count = (x.shape[axis] + 1) // 2
            got = np.empty((*x.shape[:axis], count, *x.shape[axis + 1 :]), np.float32)
            halves.join_pairs(isa, got, x, axis)
            wide = x.view(np.int16) if dtype == "float16" else x.astype(np.int16)
            padded = np.concatenate([wide, np.zeros_like(wide[(slice(None),) * axis + (slice(0, 1),)])], axis)
            lead = (slice(None),) * axis
            first, second = padded[*lead, 0 : 2 * count : 2], padded[*lead, 1 : 2 * count : 2]
            want = first.astype(np.uint16).astype(np.uint32) | second.astype(np.uint16).astype(np.uint32) << 16
            np.testing.assert_array_equal(got.view(np.uint32), want)
