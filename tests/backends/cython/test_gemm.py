"""Compiled matrix products against the reference: every remainder of the tile, every operand layout, guarded memory."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.gemm import skinny
from fastconv.backends.reference import gemm as reference_gemm
from fastconv.core import threads as thread_policy
from fastconv.core.problems.gemm import GemmProblem, gemm_problem
from fastconv.dispatch import registry
from fastconv.dispatch.choice import choose
from fastconv.dispatch.options import resolve
from fastconv.machines import host_table
from tests.guard import guarded, guarded_copy
from tests.wide import half, share

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KERNELS = [k for k in registry.kernels("gemm") if k.backend == "cython"]
DTYPES = (np.float32, np.float64)
SHORT = ((35, 70, 3), (4, 1001, 7))  # m, n, k of sums of few products
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)


def problem(
    m: int, n: int, k: int, dtype: Any = np.float32, *, batch: int = 1, b_batched: bool = False, trans_a: bool = False,
    trans_b: bool = False, alpha: float = 1.0, beta: float = 0.0, bias: bool = False, activation: str | None = None,
    packed: bool = False,
) -> GemmProblem:  # fmt: skip
    d = np.dtype(dtype)
    return GemmProblem(
        batch=batch, m=m, n=n, k=k, b_batched=b_batched, trans_a=trans_a, trans_b=trans_b, alpha=alpha, beta=beta,
        c=beta != 0, bias=bias, dtype=d, acc=d, out=d, activation=activation, packed=packed,
    )  # fmt: skip


def operands(p: GemmProblem, at: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """a, b, c and bias in guarded memory."""
    rng = np.random.default_rng(p.m * 10007 + p.n * 101 + p.k)

    def fresh(*shape: int) -> np.ndarray:
        return guarded_copy(rng.standard_normal(shape).astype(p.dtype), at)

    a = fresh(p.batch, *((p.k, p.m) if p.trans_a else (p.m, p.k)))
    b = fresh(p.batch if p.b_batched else 1, *((p.n, p.k) if p.trans_b else (p.k, p.n)))
    return a, b, fresh(p.batch, p.m, p.n) if p.c else None, fresh(p.n) if p.bias else None


def expect(p: GemmProblem, a: np.ndarray, b: np.ndarray, c: Any, bias: Any) -> np.ndarray:
    y = np.empty((p.batch, p.m, p.n), p.dtype)
    reference_gemm.ReferenceGemm().prepare(p, (b, c, bias), 1)(a, y)
    if p.activation == "relu":
        y[y < 0] = 0
    return y


def run(
    kernel: Any, p: GemmProblem, a: np.ndarray, constants: tuple[Any, ...], at: str = "end", threads: int = 1
) -> np.ndarray:
    y = guarded((p.batch, p.m, p.n), p.out, at)
    kernel.prepare(p, constants, threads)(a, y)
    return y


def check(kernel: Any, p: GemmProblem) -> bool:
    """Whether `kernel` takes `p`; if so, its results are right, both ends guarded, for one thread and two."""
    if kernel.reject(p) is not None:
        return False
    a, *constants = operands(p, "end")
    y = run(kernel, p, a, tuple(constants))
    expected = expect(p, a, *constants)
    scale = max(np.abs(expected).max(initial=0.0), abs(p.alpha) * p.k**0.5)
    np.testing.assert_allclose(y, expected, rtol=0, atol=4 * kernel.error(p) * scale, err_msg=f"{kernel.name} {p}")
    a, *constants = operands(p, "start")
    again = run(kernel, p, a, tuple(constants), "start", threads=2)
    assert y.tobytes() == again.tobytes(), f"{kernel.name}, 1 and 2 threads: {p}"
    return True


def skip_unavailable(kernel: Any) -> None:
    reason = kernel.reject(problem(1, 1, 1))
    if reason is not None:
        pytest.skip(reason)


@every_dtype
@every_kernel
def test_every_remainder(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel)
    # Rows 1 to 43, columns 1 to 66, depths 1 to 35; few rows or columns and many of the other.
    shapes = ((lambda i: (i % 43 + 1, i)), (lambda i: (i % 17 + 1, 3 * i)), (lambda i: (3 * i, i % 17 + 1)))
    cases = itertools.product(range(1, 67), shapes, *[(False, True)] * 3)
    for i, shape, trans_a, trans_b, packed in share(kernel, cases):
        m, n = shape(i)
        check(kernel, problem(m, n, i * 7 % 35 + 1, dtype, trans_a=trans_a, trans_b=trans_b, packed=packed))


OPTIONS = [
    dict(alpha=0.5),
    dict(alpha=-2.0, beta=0.25),
    dict(beta=1.0, bias=True),
    dict(bias=True, activation="relu"),
    dict(alpha=1.5, beta=-1.0, bias=True, activation="relu"),
]


@every_dtype
@every_kernel
def test_every_option(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel)
    sizes = ((5, 7, 3), (29, 33, 40), (65, 70, 1100), (3, 200, 600), (70, 1, 50), (1, 90, 40))
    for i, ((m, n, k), options) in enumerate(itertools.product(sizes, OPTIONS)):
        packed = i % 2 == 0
        check(kernel, problem(m, n, k, dtype, packed=packed, **options))
        check(kernel, problem(m, n, k, dtype, packed=packed, trans_a=True, batch=2, **options))
        check(kernel, problem(m, n, k, dtype, packed=packed, trans_b=True, batch=3, b_batched=True, **options))


@every_dtype
@every_kernel
def test_blocks_of_depth_and_of_columns(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel)
    shapes = ((20, 1500, 700), (50, 100, 2500), (2, 1100, 1300), (4, 4200, 70), (1000, 5, 4200), (30, 1024, 5))
    for (m, n, k), packed in share(kernel, itertools.product(shapes, (False, True))):
        check(kernel, problem(m, n, k, dtype, packed=packed, alpha=0.5, beta=2.0, bias=True))
    check(kernel, problem(70, 300, 600, dtype, batch=2, b_batched=True, beta=1.0))
    for m, n, k in ((3, 1101, 18), (30, 1061, 28), (50, 2100, 70), (20, 1024, 128)):  # panels that are read in groups
        check(kernel, problem(m, n, k, dtype, activation="relu"))


@every_dtype
@every_kernel
def test_rows_that_lie_in_few_sets_of_the_cache(kernel: Any, dtype: Any) -> None:
    """A multiple of 2 KiB apart: of few columns, dot products are those of the transposed product."""
    skip_unavailable(kernel)
    addends: tuple[dict[str, Any], ...] = ({}, {"alpha": 0.5, "beta": 2.0}, {"bias": True})
    some = itertools.product((1, 5, 9, 40), (1, 2, 3, 4, 17), (2048, 6144), addends)
    for m, n, row_bytes, options in share(kernel, some):
        check(kernel, problem(m, n, row_bytes // np.dtype(dtype).itemsize, dtype, trans_b=True, **options))


def reversed_columns(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a[:, ::-1])[:, ::-1]


def every_second(a: np.ndarray) -> np.ndarray:
    wide = np.full((a.shape[0], 2 * a.shape[1]), np.nan, a.dtype)
    wide[:, ::2] = a
    return wide[:, ::2]


def equal_rows(a: np.ndarray) -> np.ndarray:
    return np.broadcast_to(a[0], a.shape)


LAYOUTS = (np.asarray, np.asfortranarray, reversed_columns, every_second, equal_rows)


@every_dtype
@every_kernel
def test_operands_in_every_layout(kernel: Any, dtype: Any) -> None:
    """Also rows a multiple of 2 KiB apart, and none; more columns than a kernel copies at a time."""
    skip_unavailable(kernel)
    rng = np.random.default_rng(17)
    sizes = [(m, n, k) for m in (1, 2, 9, 40) for n in (2, 5, 40) for k in (3, 512)]
    for (m, n, k), of_a, of_b, trans_b in share(kernel, half(sizes, LAYOUTS, LAYOUTS, (False, True))):
        a = of_a(rng.standard_normal((m, k)).astype(dtype))
        b = of_b(rng.standard_normal((n, k) if trans_b else (k, n)).astype(dtype))
        want = a.astype(float) @ (b.T if trans_b else b).astype(float)
        try:
            got = F.gemm(a, b, trans_b=trans_b, algorithm=kernel.name, threads=1)
        except F.UnsupportedError:
            continue
        message = f"{m}x{k} @ {k}x{n}, {of_a.__name__}, {of_b.__name__}, trans_b={trans_b}"
        tiny = 40 * np.finfo(dtype).eps * (np.abs(a).astype(float) @ np.abs(b.T if trans_b else b).astype(float)).max()
        np.testing.assert_allclose(got, want, rtol=0, atol=tiny, err_msg=message)


@pytest.mark.parametrize(("batch", "m", "k", "n"), [(8, 1, 256, 127), (1, 9, 33, 40), (3, 70, 64, 20), (2, 2, 3, 2)])
def test_transposed_views_have_the_bits_of_copies(batch: int, m: int, k: int, n: int) -> None:
    """As in attention, q @ k.T: another kernel computes them, of the same order of summation."""
    rng = np.random.default_rng(18)
    for dtype in DTYPES:
        a, b = rng.standard_normal((batch, m, k)).astype(dtype), rng.standard_normal((batch, n, k)).astype(dtype)
        view = b.swapaxes(1, 2)
        np.testing.assert_array_equal(F.matmul(a, view), F.matmul(a, np.ascontiguousarray(view)))
    given = ((batch, m, k), np.dtype("f")), ((batch, k, n), np.dtype("f"))
    p, _ = gemm_problem(*given, None, None, 1.0, 0.0, False, False, None, False, apart=True)
    assert choose(p, resolve(threads=1)).kernel.algorithm != "in_place"


@every_dtype
@every_kernel
def test_operands_in_place(kernel: Any, dtype: Any) -> None:
    """Rows far apart, rows of which the cache keeps few, transposed, reversed and repeated operands."""
    skip_unavailable(kernel)
    rng = np.random.default_rng(1)
    for m, n, k in ((1, 70, 40), (9, 100, 60), (16, 65, 600), (30, 130, 30), (45, 40, 70), (60, 33, 100), *SHORT):
        for row in (n, n + 3, 1024, 4096):
            b = rng.standard_normal((k, row)).astype(dtype)[:, :n]
            a = rng.standard_normal((k, m)).astype(dtype).T
            wide = rng.standard_normal((m, 2 * k)).astype(dtype)
            same = np.broadcast_to(b[:1], b.shape)
            pairs = ((a, b), (wide[:, ::2], b), (a, b[::-1]), (wide[:, :k], b[:, ::-1]), (a, same))
            for left, right in pairs:
                p = problem(m, n, k, dtype, bias=row == n, activation="relu" if row == n + 3 else None)
                if kernel.reject(p) is not None:
                    continue
                bias = rng.standard_normal(n).astype(dtype) if p.bias else None
                constants = right[None], None, bias
                y = run(kernel, p, left[None], constants)
                again = run(kernel, p, left.copy()[None], (right.copy()[None], None, bias), "start", threads=2)
                assert y.tobytes() == again.tobytes(), f"{kernel.name}: {p}"
                expected = expect(p, left[None], *constants)
                scale = max(np.abs(expected).max(), k**0.5)
                np.testing.assert_allclose(y, expected, rtol=0, atol=4 * kernel.error(p) * scale)


@every_dtype
@every_kernel
def test_short_sums(kernel: Any, dtype: Any) -> None:
    """Products whose second operand stays in registers: every depth, every remainder of a tile, guarded memory."""
    skip_unavailable(kernel)
    if kernel.algorithm != "in_place" or kernel.reject(problem(1, 1, 1, dtype)) is not None:
        return
    columns = itertools.cycle((7, 16, 33, 47, 64, 130, 259))
    for k, m, trans_b in itertools.product(range(1, 10), (1, 3, 32, 71), (False, True)):
        n = next(columns)
        ends = dict(bias=m != 3, activation="relu" if k % 2 else None)
        for p in (problem(m, n, k, dtype, trans_b=trans_b), problem(m, n, k, dtype, trans_b=trans_b, **ends)):
            for at in ("start", "end"):
                a, b, c, bias = operands(p, at)
                y = run(kernel, p, a, (b, c, bias), at)
                one = problem(1, n, k, dtype, trans_b=trans_b, bias=p.bias, activation=p.activation)
                last = run(kernel, one, a[:, -1:], (b, c, bias), at)
                assert y[0, -1].tobytes() == last.tobytes(), f"{kernel.name}: the last row of {p}"
            np.testing.assert_allclose(y, expect(p, a, b, c, bias), rtol=0, atol=4 * kernel.error(p) * k * 4)


@every_dtype
@every_kernel
def test_transposed_operands_in_place(kernel: Any, dtype: Any) -> None:
    """Rows of both that begin anywhere, far apart or reversed: the bits of contiguous ones, whatever the rows."""
    skip_unavailable(kernel)
    rng = np.random.default_rng(2)
    for m, n, k in ((1, 70, 40), (37, 66, 100), (19, 9, 35), (16, 130, 64), (3, 5, 1), (70, 65, 513)):
        for step, beyond in ((1, 0), (1, 3), (2, 1), (-1, 0)):
            a = rng.standard_normal((m, abs(step) * k + beyond)).astype(dtype)[:, ::step][:, :k]
            b = rng.standard_normal((n, abs(step) * k + beyond)).astype(dtype)[:, ::step][:, :k]
            p = problem(m, n, k, dtype, trans_b=True, bias=step == 2, activation="relu" if beyond else None)
            if kernel.reject(p) is not None:
                continue
            bias = rng.standard_normal(n).astype(dtype) if p.bias else None
            y = run(kernel, p, a[None], (b[None], None, bias))
            one = problem(1, n, k, dtype, trans_b=True, bias=p.bias, activation=p.activation)
            for left, right in ((a.copy(), b.copy()), (a, b.copy()), (a.copy(), b)):
                constants = right[None], None, bias
                again = run(kernel, p, left[None], constants, "start", threads=2)
                assert y.tobytes() == again.tobytes(), f"{kernel.name}: {p}"
                last = run(kernel, one, left[None, -1:], constants)
                assert y[0, -1].tobytes() == last.tobytes(), f"{kernel.name}: the last row of {p}"
            expected = expect(p, a[None], b[None], None, bias)
            scale = max(np.abs(expected).max(), k**0.5)
            np.testing.assert_allclose(y, expected, rtol=0, atol=4 * kernel.error(p) * scale)


@every_dtype
@every_kernel
def test_empty(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel)
    for m, n, k, batch in ((0, 5, 3, 1), (5, 0, 3, 1), (5, 6, 0, 1), (5, 6, 0, 3), (5, 6, 7, 0)):
        for options in ({}, dict(beta=2.0, bias=True, activation="relu")):
            for packed in (False, True):
                check(kernel, problem(m, n, k, dtype, batch=batch, packed=packed, **options))


@every_kernel
def test_slices_of_long_work_change_nothing(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_unavailable(kernel)
    calls: list[Any] = []
    real = thread_policy.slices
    done = 0
    for p in (
        problem(100, 300, 80),
        problem(20, 30, 40, batch=9, b_batched=True),
        problem(50, 1100, 700, batch=2),
        problem(30, 40, 50, batch=5, trans_a=True),
        problem(7, 300, 800),
        problem(2, 70, 60, batch=9, b_batched=True),
        problem(300, 200, 90, trans_b=True),
        problem(20, 100, 70, batch=3, b_batched=True, trans_b=True),
    ):
        if kernel.reject(p) is not None:
            continue
        done += 1
        a, *constants = operands(p, "end")
        whole = run(kernel, p, a, tuple(constants))
        monkeypatch.setattr(thread_policy, "SLICE_SECONDS", 1e-12)
        monkeypatch.setattr(thread_policy, "slices", lambda *args: calls.append(real(*args)) or calls[-1])
        assert run(kernel, p, a, tuple(constants), threads=2).tobytes() == whole.tobytes()
        monkeypatch.undo()
        assert len(calls.pop()) > 1 and not calls
    assert done > 1


@every_kernel
def test_refusals_predictions_and_workspace(kernel: Any) -> None:
    skip_unavailable(kernel)
    assert kernel.reject(problem(2, 2, 2, np.int32)) == "dtype int32: float32 and float64 only"
    long = [problem(10, 100000, 10000, dtype) for dtype in DTYPES]
    for p in (problem(1, 1, 1), problem(1000, 1000, 1000), *long, problem(8, 8, 8, batch=1000)):
        if kernel.reject(p) is None:
            assert 0 < kernel.cost(p, host_table()) < 10
            assert 0 < kernel.workspace(p) <= 3 << 20


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("kernel", skinny.CONVOLUTIONS, ids=lambda k: k.name)
def test_one_pixel_by_either_product(kernel: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them is faster depends on the number of images, on which the bits must not."""
    rng = np.random.default_rng(17)
    for n, ic, oc in ((1, 5, 3), (1, 300, 70), (2, 24, 72), (5, 1153, 48), (9, 64, 65), (40, 33, 129), (3, 700, 1)):
        x, w = (rng.standard_normal(shape).astype(dtype) for shape in ((n, ic, 1, 1), (oc, ic, 1, 1)))
        bias, results = rng.standard_normal(oc).astype(dtype), []
        plan = F.plan(F.conv2d, F.Spec(x.shape, x.dtype), w, bias, activation="relu")
        if kernel.reject(plan.problem) is not None:
            pytest.skip("not here")
        for product in (kernel.inner, kernel._packed):
            asked = []
            monkeypatch.setattr(type(kernel), "_product", lambda _, p, of=product, to=asked: to.append(p) or of)
            results.append(plan.with_kernel(kernel.name)(x))
            assert asked
        np.testing.assert_array_equal(results[0], results[1])
        want = np.maximum(x[:, :, 0, 0].astype("f8") @ w[:, :, 0, 0].T.astype("f8") + bias, 0)
        np.testing.assert_allclose(results[0][:, :, 0, 0], want, rtol=1e-4, atol=1e-3 if dtype == "f4" else 1e-9)
