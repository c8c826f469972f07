"""The bits of a row, an image or an element depend neither on how many there are nor on its position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core import machine
from fastconv.core.problems.activation import ElementwiseProblem
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.problems.softmax import KINDS, SoftmaxProblem
from fastconv.dispatch import wisdom
from fastconv.dispatch.choice import choose
from fastconv.dispatch.options import Options
from fastconv.dispatch.plan import clear_cache
from fastconv.dispatch.registry import kernels
from tests.problems import corners

# BLAS chooses its loops by sizes, and so do NumPy's own loops.
OURS = [k for k in kernels("gemm") if k.backend in ("cython", "numba")]
DTYPES = ("float32", "float64")
ROWS = 70
# Without SIMD kernels BLAS is chosen, whose bits depend on the number of rows.
BACKEND = "auto" if len(machine.host_isas()) > 1 else "cython"
EPILOGUES: tuple[dict[str, Any], ...] = (
    {}, {"alpha": 1.7}, {"beta": 0.3, "c": True}, {"alpha": -0.3, "bias": True, "activation": "relu"},
    {"alpha": 1.7, "beta": -0.6, "c": True, "bias": True},
)  # fmt: skip


def problem(m: int, n: int, k: int, dtype: str, **options: Any) -> GemmProblem:
    d = np.dtype(dtype)
    plain = {"trans_a": False, "trans_b": False, "alpha": 1.0, "beta": 0.0, "c": False, "bias": False}
    given = {**plain, "batch": 1, "b_batched": False, "activation": None, "packed": False, **options}
    return GemmProblem(m=m, n=n, k=k, dtype=d, acc=d, out=d, **given)


def random(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(abs(hash(shape))).standard_normal(shape).astype(dtype)


def same(got: np.ndarray, want: np.ndarray) -> bool:
    return got.tobytes() == np.ascontiguousarray(want).tobytes()


def multiply(kernel: Any, p: GemmProblem, a: np.ndarray, b: np.ndarray, c: Any, bias: Any, threads: int) -> np.ndarray:
    """`kernel` on operands that are not transposed."""
    y = np.empty((p.batch, p.m, p.n), p.out)
    a, b = (np.ascontiguousarray(x.swapaxes(1, 2)) if t else x for x, t in ((a, p.trans_a), (b, p.trans_b)))
    kernel.prepare(p, (b, c if p.c else None, bias if p.bias else None), threads)(a, y)
    return y


def orders() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for kernel in OURS:
        if kernel.reject(problem(1, 1, 1, "float32")) is None:
            found.setdefault(kernel.order, []).append(kernel)
    return found


@pytest.mark.one_isa
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [1, 5, 32, 300, 512, 513, 1000, 2500])
def test_kernels_of_one_order_give_a_row_the_same_bits(k: int, dtype: str) -> None:
    """For every kernel, number of rows and order of the operands in memory, with packed weights and without."""
    for n, epilogue in zip((1, 3, 17, 33, 70), EPILOGUES, strict=True):
        a, b, c, bias = (random(*s, dtype=dtype) for s in ((1, ROWS, k), (1, k, n), (1, ROWS, n), (n,)))
        for order, members in orders().items():
            whole = problem(ROWS, n, k, dtype, **epilogue)
            one = next((kernel for kernel in members if kernel.reject(whole) is None), None)
            if one is None:
                continue
            want = multiply(one, whole, a, b, c, bias, 1)
            for kernel, m, lies, packed in product(members, (1, 2, 4, 7, 16, 33), range(4), (False, True)):
                if kernel.backend == "numba" and (m, lies) not in ((1, 0), (7, 1), (16, 2), (33, 3)):
                    continue  # it packs everything, so these differ little
                p = problem(m, n, k, dtype, trans_a=lies > 1, trans_b=lies % 2 > 0, packed=packed, **epilogue)
                first = m % 3  # rows from the middle
                if kernel.reject(p) is None:
                    mine = np.ascontiguousarray(a[:, first : first + m]), b, c[:, first : first + m], bias
                    got = multiply(kernel, p, *mine, 1 + m % 3)
                    assert same(got, want[:, first : first + m]), f"{kernel.name}, {order}: {p}"


@pytest.mark.one_isa
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("trans_b", [False, True])
def test_kernels_of_one_order_give_a_product_of_a_batch_the_same_bits(trans_b: bool, dtype: str) -> None:
    for m, n, k in ((1, 20, 700), (5, 3, 40), (20, 33, 600)):
        a, b = random(5, m, k, dtype=dtype), random(5, k, n, dtype=dtype)
        for members in orders().values():
            alone = problem(m, n, k, dtype, trans_b=trans_b)
            want = [multiply(members[0], alone, a[i : i + 1], b[i : i + 1], None, None, 1) for i in range(5)]
            for kernel, batch in product(members, (1, 2, 5)):
                p = replace(alone, batch=batch, b_batched=True)
                if kernel.reject(p) is None:
                    got = multiply(kernel, p, a[:batch], b[:batch], None, None, 2)
                    assert same(got, np.concatenate(want[:batch])), f"{kernel.name}: {p}"


CALLS: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {
    "linear": lambda x, w: (F.linear, x, w),
    "gemm": lambda x, w: (F.gemm, x, w.T),
    "matmul": lambda x, w: (F.matmul, x, np.ascontiguousarray(w.T)),
}


@pytest.mark.parametrize("name", [*CALLS, "trans_b", "trans_a", "bias"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_number_of_rows_changes_no_bit(name: str, dtype: str) -> None:
    """Called and planned, on any number of threads; one row for all of them."""
    shallow = () if name == "trans_b" else ((90, 1), (700, 2), (300, 9))  # with a factor, BLAS may be faster
    for n, k in ((1, 64), (10, 700), (40, 1029), (300, 64), *shallow):
        x, w, bias = (random(*s, dtype=dtype) for s in ((ROWS, k), (n, k), (n,)))

        def call(x: np.ndarray, w: np.ndarray = w, bias: np.ndarray = bias) -> tuple[Any, dict[str, Any]]:
            if name == "bias":
                return (F.linear, x, w, bias), {"activation": "gelu"}
            if name == "trans_b":
                return (F.gemm, x, w), {"trans_b": True, "alpha": 0.5}
            if name == "trans_a":
                return (F.gemm, np.ascontiguousarray(x.T), w), {"trans_a": True, "trans_b": True}
            return CALLS[name](x, w), {}

        (function, *args), kwargs = call(x)
        with F.options(backend=BACKEND):
            want = function(*args, **kwargs)
            planned = F.plan(function, *args, **kwargs)(args[0])
        for m in (*range(1, 20), 31, 32, 33, 64, 65):
            (function, *args), kwargs = call(x[-m:])
            with F.options(threads=(1, 2, 3, 5)[m % 4], backend=BACKEND):
                assert same(function(*args, **kwargs), want[-m:]), (n, k, m)
                assert same(F.plan(function, *args, **kwargs)(args[0]), planned[-m:]), (n, k, m)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_batch_of_a_product_changes_no_bit(dtype: str) -> None:
    for m, n, k in ((1, 20, 700), (7, 30, 40), (40, 33, 600)):
        a, b, one = random(5, m, k, dtype=dtype), random(5, k, n, dtype=dtype), random(k, n, dtype=dtype)
        both, shared = F.matmul(a, b, backend=BACKEND), F.matmul(a, one, backend=BACKEND)
        for batch in (1, 2, 5):
            with F.options(threads=batch, backend=BACKEND):
                assert same(F.matmul(a[:batch], b[:batch]), both[:batch])
                assert same(F.matmul(a[:batch], one), shared[:batch])
        assert same(F.matmul(a[2], b[2], backend=BACKEND), both[2])
        assert same(F.matmul(a[2], one, backend=BACKEND), shared[2])


def rows_of(p: Any, count: int) -> Any:
    """`p` with another number of rows, elements or images."""
    axis = {"gemm": "m", "elementwise": "size", "softmax": "outer", "conv": "n", "pool": "n"}[p.op]
    return replace(p, **{axis: count})


@pytest.mark.parametrize("backend", ["auto", "cython", "numba", "numpy"])
def test_the_number_of_rows_does_not_choose_among_orders(backend: str) -> None:
    f = np.dtype("float32")
    rng = np.random.default_rng(0)
    families: list[Any] = [
        problem(1, *(int(2**v) for v in rng.uniform(0, 11, 2)), dtype, trans_b=t, packed=q)
        for dtype, t, q in product(DTYPES, (False, True), (False, True))
        for _ in range(2)
    ]
    families += [ElementwiseProblem(name, (), 1, f, f) for name in ("relu", "sigmoid", "tanh", "gelu", "softsign")]
    families += [SoftmaxProblem(kind, 1, c, inner, f) for kind in KINDS for c, inner in ((10, 1), (1000, 1), (21, 400))]
    families += corners()
    options = Options(backend=backend)
    for i, p in enumerate(families):
        found = set()
        for count in (1, *((2, 8, 33, 500), (3, 15, 70, 10_000))[i % 2]):
            try:
                found.add(choose(rows_of(p, count), options).kernel.order)
            except F.UnsupportedError:
                found.add("none")
        assert len(found) == 1, f"{p}: {found}"


def test_measured_times_do_not_choose_among_orders() -> None:
    p = problem(3, 300, 400, "float32", trans_b=True)
    usual = choose(p, Options()).kernel
    try:
        for kernel in kernels("gemm"):
            wisdom.record(kernel, p, 1e-9 if kernel.order != usual.order else 1.0)
        clear_cache()
        assert choose(p, Options()).kernel.order == usual.order
    finally:
        wisdom.clear()
        clear_cache()


FUNCTIONS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "logsigmoid",
    "tanh", "softplus", "softsign", "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "tanhshrink",
)  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_element_has_the_same_value_wherever_it_stands(name: str, dtype: str) -> None:
    x = random(1000, dtype=dtype) * 4
    f = getattr(F, name)
    whole = f(x)
    for lo in (0, 1, 2, 7, 16, 501):
        for size in (*range(1, 36), 64, 100, 401):
            assert same(f(x[lo : lo + size]), whole[lo : lo + size]), (lo, size)
    assert same(f(np.tile(x, 40)), np.tile(whole, 40))
    assert same(f(x[::-1]), whole[::-1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_softmax_does_not_depend_on_the_others(kind: str, dtype: str) -> None:
    f = getattr(F, kind)
    for length in (1, 5, 10, 33, 1000):
        x = random(70, length, dtype=dtype)
        whole = f(x, -1)
        for m in (1, 2, 3, 17, 64):
            assert same(f(x[m : m + m], -1), whole[m : m + m]), (length, m)
    x = random(6, 21, 40, dtype=dtype)
    whole = f(x, 1)
    assert same(f(x[2:4], 1), whole[2:4])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_loss_without_reduction_does_not_depend_on_the_others(dtype: str) -> None:
    x, target = random(70, 33, dtype=dtype), np.arange(70) % 33
    whole = F.cross_entropy(x, target, reduction="none")
    for m in (1, 2, 5, 33):
        assert same(F.cross_entropy(x[m : 2 * m], target[m : 2 * m], reduction="none"), whole[m : 2 * m])
