"""What only the Numba kernels have: refusals, blocks, compiled functions, GEMM's and pooling's remainders.

Convolution is tested against the definition, with guard pages, in test_conv_kernels, pooling in test_pool;
here are the cases that their blocking and tiles make interesting.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastconv.backends.numba import base, gemm
from fastconv.backends.reference.conv import ReferenceConv
from fastconv.backends.reference.gemm import ReferenceGemm
from fastconv.backends.reference.pool import ReferencePool
from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.problems.pool import PoolProblem, pool_problem
from fastconv.core.scratch import borrow
from fastconv.dispatch.registry import kernels
from tests.guard import guarded, guarded_copy
from tests.problems import Arrays, corners, empty_result, forward, in_dtype, in_layout

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

pytest.importorskip("numba")

DTYPES = ("float32", "float64")


def ours(op: str, algorithm: str = "") -> list[Kernel[Any]]:
    found = [k for k in kernels(op) if k.backend == "numba" and k.isa and not k.relative]  # those with loops
    return [k for k in found if not algorithm or k.algorithm == algorithm]


def runnable(op: str, algorithm: str = "") -> list[Kernel[Any]]:
    from fastconv.core.machine import host_isas

    return [k for k in ours(op, algorithm) if k.isa in host_isas()]


def each(found: list[Kernel[Any]]) -> Any:
    return pytest.mark.parametrize("kernel", found, ids=lambda k: k.name)


ANY_CONV = forward((1, 4, 9, 9), (4, 1, 1, 1), groups=4)


# Refusals.


def test_every_algorithm_is_there_for_every_isa() -> None:
    from fastconv.core.machine import ISAS

    names = {k.name for op in ("conv", "gemm", "pool") for k in ours(op)}
    want = {f"numba.{a}@{isa}" for a in ("direct", "pointwise", "depthwise", "gemm") for isa in ISAS}
    assert names == want


@each(ours("conv"))
def test_absent_numba_is_said(kernel: Kernel[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    base.missing_numba.cache_clear()
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    try:
        assert kernel.reject(ANY_CONV) == "numba is not installed: pip install 'fastconv[numba]'"
    finally:
        base.missing_numba.cache_clear()


def test_disabled_compiler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    base.missing_numba.cache_clear()
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    try:
        assert runnable("conv")[0].reject(ANY_CONV) == "NUMBA_DISABLE_JIT is set: nothing is compiled"
    finally:
        base.missing_numba.cache_clear()


@each(ours("conv"))
def test_absent_isa_is_said(kernel: Kernel[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "host_isas", lambda: ())
    assert kernel.reject(ANY_CONV) == f"{kernel.isa} is not available here, or FASTCONV_ISA excludes it"


@each(runnable("conv"))
@pytest.mark.parametrize("dtype", ["float16", "int32", "complex64"])
def test_other_dtypes_are_refused(kernel: Kernel[Any], dtype: str) -> None:
    assert kernel.reject(in_dtype(ANY_CONV, dtype)) == f"dtype {dtype}: float32 and float64 only"


def test_reasons() -> None:
    def reason(op: str, algorithm: str, p: Any) -> str | None:
        return runnable(op, algorithm)[-1].reject(p)

    strided = forward((1, 4, 9, 9), (4, 4, 1, 1), stride=2)
    assert reason("conv", "pointwise", strided) == "not 1x1 with stride 1 and no padding"
    assert reason("conv", "pointwise", in_layout(ANY_CONV, "NHWC")) == "channels last: pixels are not adjacent"
    assert reason("conv", "depthwise", strided) == "more than one input channel per group"
    assert reason("conv", "direct", forward((1, 0, 6, 6), (4, 0, 3, 3))) == "no input channels"
    assert reason("gemm", "gemm", product(3, 4, 0)) == "no products to add up"
    assert reason("pool", "direct", pooling("lp", (1, 1, 8, 8), 2)) == "lp: no powers"
    assert reason("pool", "direct", pooling("max", (1, 1, 400, 400), 200)) == (
        "window of 40000 elements: at most 16384"
    )


def test_describing_kernels_does_not_import_numba() -> None:
    code = (
        "import sys, fastconv as F, numpy as np; from fastconv.dispatch.registry import kernels\n"
        "found = [k for op in ('conv', 'gemm', 'pool') for k in kernels(op) if k.backend == 'numba']\n"
        "x = F.Spec((1, 8, 16, 16), 'f4')\n"
        "text = str(F.plan(F.conv2d, x, np.ones((8, 8, 3, 3), 'f4'), backend='numpy').explain())\n"
        "assert len(found) > 12 and 'numba.direct@' in text\n"
        "assert 'numba' not in sys.modules and 'llvmlite' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Convolution: the blocks of the direct kernel.


def exact(p: ConvProblem, a: Arrays) -> np.ndarray:
    y = np.empty(p.y_shape)
    ReferenceConv().prepare(replace(p, activation=None, out=np.dtype(float)), (a.w, a.bias), 1)(a.x, y)
    return np.maximum(y, 0) if p.activation else y


def check_conv(kernel: Kernel[Any], p: ConvProblem, at: str = "end", threads: int = 1) -> None:
    a = Arrays.of(p)
    want = exact(p, a)
    y = guarded_copy(empty_result(p), at)
    kernel.prepare(p, (guarded_copy(a.w, at), a.bias), threads)(guarded_copy(a.x, at), y)
    scale = max(float(np.abs(want).max(initial=0)), p.depth**0.5)
    np.testing.assert_allclose(y, want, rtol=0, atol=2 * kernel.error(p) * scale, err_msg=str(p))


@each(runnable("conv", "direct"))
@pytest.mark.parametrize("dtype", DTYPES)
def test_direct_remainders(kernel: Kernel[Any], dtype: str) -> None:
    """Pixels and channels around every tile, in both layouts, flush against unreadable pages."""
    for ow, oc in itertools.product((1, 6, 7, 8, 13, 14, 15, 29), (1, 7, 8, 16, 17, 33, 63, 65)):
        layout = ("NCHW", "NHWC")[(ow + oc) % 2]
        p = in_dtype(forward((1, 2, 3, ow), (oc, 2, 3, 3), padding=1, layout=layout), dtype)
        check_conv(kernel, p, ("start", "end")[oc % 2])


@each(runnable("conv", "direct"))
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_direct_in_blocks(kernel: Kernel[Any], layout: str) -> None:
    """Several blocks of rows, of columns, of channels in a band and of channels per chain of additions."""
    cases = {
        "rows": forward((1, 16, 90, 40), (8, 16, 3, 3), padding=1, layout=layout),
        "columns": forward((1, 40, 3, 600), (8, 40, 3, 3), padding=1, layout=layout),
        "band": forward((2, 5000, 2, 16), (5, 5000, 1, 3), stride=(1, 2), layout=layout, activation="relu"),
        "chain": forward((1, 900, 4, 5), (70, 900, 3, 3), padding=1, layout=layout),
        "depth": forward((1, 30, 5, 8, 9), (6, 30, 3, 3, 3), padding=1, stride=(2, 1, 1), layout=layout),
    }
    for name, p in cases.items():
        b = kernel.blocking(p)  # type: ignore[attr-defined]
        assert {
            "rows": b.rows < p.output[1], "columns": b.cols < p.output[2], "band": b.entries < p.icg,
            "chain": b.chain < p.icg, "depth": p.kernel[0] > 1,
        }[name]  # fmt: skip
        check_conv(kernel, p)
        assert kernel.workspace(p) < 2 << 20


@each(runnable("conv"))
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_far_taps_and_crops(kernel: Kernel[Any], layout: str) -> None:
    depthwise = kernel.algorithm == "depthwise"
    if kernel.algorithm == "pointwise":
        pytest.skip("1x1 only")
    base_case = forward((1, 3, 30, 31), (6, 1, 3, 3), groups=3) if depthwise else forward((1, 3, 30, 31), (6, 3, 3, 3))
    cropped = replace(base_case, pads=((0, 0), (-3, 1), (2, -4)), output=(1, 26, 27), fill=1.5)
    far = replace(
        base_case, pads=((0, 0), (200, 200), (300, 300)), dilation=(1, 200, 300), output=(1, 30, 31), mode="zeros"
    )
    strided = replace(base_case, stride=(1, 5, 7), dilation=(1, 3, 2), output=(1, 5, 4))
    for p in (cropped, far, strided):
        check_conv(kernel, replace(p, layout=layout))


@pytest.fixture
def guarded_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scratch of exactly the bytes that are borrowed, flush against an unreadable page."""

    @contextmanager
    def borrow(nbytes: int) -> Iterator[np.ndarray]:
        scratch = guarded(nbytes, np.uint8)
        scratch[...] = 0xFF  # as floats: NaN
        yield scratch

    monkeypatch.setattr(base, "borrow", borrow)
    monkeypatch.setattr(gemm, "borrow", borrow)


@each(runnable("conv"))
@pytest.mark.usefixtures("guarded_scratch")
def test_conv_stays_within_its_workspace(kernel: Kernel[Any]) -> None:
    """The contents of scratch before a call do not matter, either."""
    for corner, dtype, layout in itertools.product(corners(), DTYPES, ("NCHW", "NHWC")):
        p = in_layout(in_dtype(corner, dtype), layout)
        if kernel.reject(p) is None:
            check_conv(kernel, p)


@each(runnable("gemm"))
@pytest.mark.usefixtures("guarded_scratch")
def test_gemm_stays_within_its_workspace(kernel: Kernel[Any]) -> None:
    for m, n, k in ((1, 1, 1), (29, 65, 17), (150, 200, 700), (15, 3000, 33)):
        p = product(m, n, k, trans_b=bool(m & 2))
        check_gemm(kernel, p, operands(p))


@each(runnable("pool"))
@pytest.mark.usefixtures("guarded_scratch")
def test_pool_stays_within_its_workspace(kernel: Kernel[Any]) -> None:
    for layout, (kind, places) in itertools.product(("NCHW", "NHWC"), (("max", False), ("max", True), ("avg", False))):
        for x, k, stride, padding in (((1, 3, 5, 7), 3, 1, 1), ((2, 5, 20, 33), 2, 2, 0), ((1, 2, 130, 90), 5, 3, 2)):
            check_pool(kernel, pooling(kind, x, k, stride=stride, padding=padding, layout=layout, indices=places))


def test_few_functions_serve_many_problems() -> None:
    """Shapes, strides, dilations, pads and modes are run-time arguments."""
    from tests.problems import random_problem

    base.compiled_loop.cache_clear()
    for kernel in runnable("conv")[:3]:
        for seed in range(200):
            p = random_problem(seed)
            if kernel.reject(p) is None and p.activation in (None, "relu"):
                a = Arrays.of(p)
                kernel.prepare(p, (a.w, a.bias), 1)(a.x, empty_result(p))
    # direct 3, pointwise 3, depthwise 2 and 1 channels-last, the filler of bands; two dtypes
    assert base.compiled_loop.cache_info().currsize <= 20
    assert base.compiled_loop.cache_info().maxsize is not None


def test_many_threads_compile_and_run_at_once() -> None:
    p = forward((2, 20, 15, 17), (30, 20, 3, 3), padding=1)
    kernel = runnable("conv", "direct")[-1]
    a = Arrays.of(p)
    want = empty_result(p)
    shared = kernel.prepare(p, (a.w, a.bias), 2)
    shared(a.x, want)
    base.compiled_loop.cache_clear()
    gc.collect()  # what `shared` runs must live on

    def work(_: int) -> bool:
        run = kernel.prepare(p, (a.w, a.bias), 1)
        for which in (run, shared, run, shared):
            y = empty_result(p)
            which(a.x, y)
            if not np.array_equal(y, want):
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_computes() -> None:
    code = (
        "import os, sys, numpy as np, fastconv as F\n"
        "x, w = np.ones((4, 16, 40, 40), 'f'), np.ones((64, 16, 3, 3), 'f')\n"
        "plan = F.plan(F.conv2d, x, w, padding=1, backend='numba', threads=2)\n"
        "want = plan(x)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os._exit(0 if np.array_equal(plan(x), want) else 3)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    flags = ["-W", "ignore::DeprecationWarning"]  # of forking with threads, which is the point
    subprocess.run([sys.executable, *flags, "-c", code], check=True, timeout=60)


def test_compiled_code_is_kept_on_disk(tmp_path: Path) -> None:
    code = (
        "from fastconv.backends.numba.base import compiled_loop\n"
        "loop = compiled_loop('pointwise', 4, 2, 32, 16)\n"
        "print(sum(loop.stats.cache_hits.values()), sum(loop.stats.cache_misses.values()))"
    )
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    answers = [subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True).stdout
               for _ in range(2)]  # fmt: skip
    assert [a.split() for a in answers] == [["0", "1"], ["1", "0"]]


def test_code_that_cannot_be_kept_is_compiled_all_the_same() -> None:
    from fastconv.backends.numba.loops import build

    def make(keep: bool) -> str:
        if keep:
            raise RuntimeError("cannot cache function 'run': no locator available for file 'direct.py'")
        return "compiled"

    def fail(keep: bool) -> str:
        raise RuntimeError("something else")

    assert build._compile(make) == "compiled"
    with pytest.raises(RuntimeError, match="something else"):
        build._compile(fail)


# GEMM.


def product(m: int, n: int, k: int, **change: Any) -> GemmProblem:
    d = np.dtype(change.pop("dtype", "float32"))
    p = GemmProblem(
        batch=1, m=m, n=n, k=k, b_batched=False, trans_a=False, trans_b=False, alpha=1.0, beta=0.0, c=False,
        bias=False, dtype=d, acc=d, out=d, activation=None, packed=False,
    )  # fmt: skip
    return replace(p, **change)


def operands(p: GemmProblem, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(p.batch, *((p.k, p.m) if p.trans_a else (p.m, p.k)))).astype(p.dtype)
    b = rng.normal(size=(p.batch if p.b_batched else 1, *((p.n, p.k) if p.trans_b else (p.k, p.n)))).astype(p.dtype)
    c = np.broadcast_to(rng.normal(size=(p.batch, p.m, 1)).astype(p.dtype), (p.batch, p.m, p.n)) if p.c else None
    bias = rng.normal(size=p.n).astype(p.dtype) if p.bias else None
    return a, b, c, bias  # type: ignore[return-value]


def check_gemm(kernel: Kernel[Any], p: GemmProblem, given: tuple[Any, ...], threads: int = 1) -> np.ndarray:
    a, *constants = given
    want = np.empty((p.batch, p.m, p.n))
    ReferenceGemm().prepare(replace(p, activation=None, out=np.dtype(float)), tuple(constants), 1)(a, want)
    if p.activation == "relu":
        want[want < 0] = 0
    y = guarded((p.batch, p.m, p.n), p.dtype)
    kernel.prepare(p, tuple(constants), threads)(a, y)
    scale = max(float(np.abs(want[np.isfinite(want)]).max(initial=0)), p.k**0.5)
    np.testing.assert_allclose(y, want, rtol=0, atol=2 * kernel.error(p) * scale, err_msg=str(p))
    return y


@each(runnable("gemm"))
@pytest.mark.parametrize("dtype", DTYPES)
def test_gemm_remainders(kernel: Kernel[Any], dtype: str) -> None:
    sizes = itertools.product((1, 4, 7, 13, 15, 29), (1, 7, 16, 31, 33, 65), (1, 3, 17))
    for i, (m, n, k) in enumerate(sizes):
        p = product(m, n, k, dtype=dtype, trans_a=bool(i & 1), trans_b=bool(i & 2), packed=bool(i & 4))
        a, b, c, bias = operands(p)
        at = ("start", "end")[i // 8 % 2]
        check_gemm(kernel, p, (guarded_copy(a, at), guarded_copy(b, at), c, bias))


@each(runnable("gemm"))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("packed", [False, True])
def test_gemm_in_blocks(kernel: Kernel[Any], dtype: str, packed: bool) -> None:
    """Several blocks of depth, of rows and of columns; every term of the result."""
    full = {"alpha": -0.5, "beta": 2.0, "c": True, "bias": True, "activation": "relu"}
    for p in (
        product(150, 90, 700, dtype=dtype, packed=packed, **full),
        product(9, 3000, 400, dtype=dtype, packed=packed, bias=True),
        product(20, 40, 350, dtype=dtype, packed=packed, batch=3, b_batched=True, trans_b=True, **full),
        product(20, 40, 33, dtype=dtype, packed=packed, batch=3, trans_a=True, beta=1.0, c=True),
        product(40, 700, 700, dtype=dtype, packed=packed, batch=2, b_batched=True),
    ):
        given = operands(p)
        one = check_gemm(kernel, p, given)
        y = np.empty_like(one)
        kernel.prepare(p, given[1:], 2)(given[0], y)
        np.testing.assert_array_equal(y, one)


def test_gemm_of_nothing() -> None:
    kernel = runnable("gemm")[-1]
    for p in (product(0, 3, 2), product(3, 0, 2), product(3, 2, 4, batch=0)):
        given = operands(p)
        y = np.empty((p.batch, p.m, p.n), p.dtype)
        kernel.prepare(p, given[1:], 1)(given[0], y)


# Pooling.


def pooling(kind: str, x: tuple[int, ...], kernel: Any, **given: Any) -> PoolProblem:
    layout, dtype = given.pop("layout", "NCHW"), np.dtype(given.pop("dtype", "float32"))
    shape = x if layout == "NCHW" else (x[0], *x[2:], x[1])
    asked = {"stride": None, "padding": 0, "dilation": 1, "ceil_mode": False, "include_pad": True, "divisor": None,
             "norm": 2.0 if kind == "lp" else 1.0, "indices": False, **given}  # fmt: skip
    return pool_problem(kind, len(x) - 2, shape, dtype, kernel, *asked.values(), layout)


def check_pool(kernel: Kernel[Any], p: PoolProblem, at: str = "end") -> None:
    from tests.problems import lay

    rng = np.random.default_rng(p.output[2])
    x = rng.integers(-3, 4, p.x_shape).astype(p.dtype)  # many ties
    if p.kind == "max":
        x[rng.random(x.shape) < 0.05] = np.nan
        x[rng.random(x.shape) < 0.05] = -np.inf
    want = [np.empty(shape, d) for shape, d in p.results]
    ReferencePool().prepare(p, (), 1)(x, *want)
    x = guarded_copy(lay(x, p.layout), at)
    for threads in (1, 2):
        got = [guarded_copy(lay(np.full(shape, 7, d), p.layout), at) for shape, d in p.results]
        kernel.prepare(p, (), threads)(x, *got)
        tolerance = 4 * kernel.error(p) * 3
        np.testing.assert_allclose(got[0], want[0], rtol=0, atol=tolerance, err_msg=str(p))
        for g, w in zip(got[1:], want[1:], strict=True):
            np.testing.assert_array_equal(g, w, err_msg=str(p))


@each(runnable("pool"))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("kind", ["max", "places", "avg"])
def test_pool_remainders(kernel: Kernel[Any], dtype: str, layout: str, kind: str) -> None:
    more: dict[str, Any] = {"layout": layout, "dtype": dtype, "indices": kind == "places"}
    name = "max" if kind == "places" else kind
    at = "start" if layout == "NHWC" else "end"
    for width in (3, 8, 9, 17, 33, 40, 70):
        check_pool(kernel, pooling(name, (1, width, 7, width), 3, stride=1 + width % 3, padding=1, **more), at)
    excluded = {} if name == "max" else {"include_pad": False}
    check_pool(kernel, pooling(name, (2, 3, 6, 7, 9), (2, 3, 2), stride=(2, 1, 3), padding=1, **excluded, **more))
    check_pool(kernel, pooling(name, (1, 2, 6, 7), 4, stride=1, padding=2, dilation=(2, 2), **excluded, **more))
    check_pool(kernel, pooling(name, (1, 2, 9, 9), 2, ceil_mode=True, **excluded, **more))
    check_pool(kernel, pooling(name, (2, 20, 130, 150), 2, **more))
    if name == "avg":
        check_pool(kernel, pooling(name, (1, 5, 9, 9), 3, padding=1, divisor=-4, **more))


def test_scratch_is_zero_at_first() -> None:
    """What other kernels left there could be denormal, with which tiles compute what they then leave out."""
    seen: list[np.ndarray] = []
    with borrow(4096) as dirty:
        dirty[:] = 1

    def call(lo: int, hi: int, at: int) -> None:
        seen.append(np.ctypeslib.as_array((ctypes.c_uint8 * 4096).from_address(at)).copy())

    base.run_items(call, 3, 1, 1e-6, 4096)
    assert len(seen) == 1 and not seen[0].any()
