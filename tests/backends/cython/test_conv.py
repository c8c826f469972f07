"""Compiled convolution kernels against the reference: every remainder of every tile, every option, guarded memory.

Kernels are called at their own door (`prepare`), because padding that crops and a fill value never come from a
public function, and because every array can then lie flush against an unreadable page.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from functools import cache
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.conv import winograd2d as winograd
from fastconv.backends.cython.runtime import native
from fastconv.backends.reference import conv as reference
from fastconv.core import machine
from fastconv.core import threads as thread_policy
from fastconv.core.problems.conv import ConvProblem, forward_extent
from fastconv.dispatch import registry
from fastconv.machines import host_table
from tests.guard import guarded, guarded_copy
from tests.problems import lay

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KERNELS = [k for k in registry.kernels("conv") if k.backend == "cython" and not k.relative]
DTYPES = (np.float32, np.float64)
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)


def problem(
    ic: int = 3, oc: int = 5, size: tuple[int, ...] = (7, 9), kernel: tuple[int, ...] = (3, 3), *, n: int = 1,
    stride: tuple[int, ...] = (1, 1), dilation: tuple[int, ...] = (1, 1),
    pads: tuple[tuple[int, int], ...] = ((0, 0), (0, 0)),
    groups: int = 1, mode: str = "zeros", fill: float = 0.0, layout: str = "NCHW", bias: bool = True,
    activation: str | None = None,
) -> ConvProblem:  # fmt: skip
    """A float64 problem of two or three spatial axes."""

    def three(values: tuple[Any, ...], lead: Any) -> Any:
        return (lead,) * (3 - len(values)) + values

    size, kernel, stride, dilation = three(size, 1), three(kernel, 1), three(stride, 1), three(dilation, 1)
    pads = three(pads, (0, 0))
    output = tuple(forward_extent(*a, *p) for *a, p in zip(size, kernel, stride, dilation, pads, strict=True))
    assert min(output) > 0
    wide = np.dtype(np.float64)
    return ConvProblem(
        "forward", n, ic, oc, groups, size, kernel, stride, dilation, pads, output, mode, fill, layout,
        wide, wide, wide, bias, activation, True,
    )  # fmt: skip


def as_dtype(p: ConvProblem, dtype: Any) -> ConvProblem:
    d = np.dtype(dtype)
    return dataclasses.replace(p, dtype=d, acc=d, out=d)


@cache
def case(p: ConvProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """x, w and bias that float32 holds exactly, and the reference's result in float64."""
    rng = np.random.default_rng(hash((p.ic, p.oc, p.input, p.kernel, p.n)) % 2**32)
    x, w, b = (rng.standard_normal(s).astype(np.float32).astype(float) for s in (p.x_shape, p.w_shape, (p.oc,)))
    y = np.empty(p.y_shape)
    bias = b if p.bias else None
    reference.ReferenceConv().prepare(p, (w, bias), 1)(x, y)
    if p.activation == "relu":
        y[y < 0] = 0
    return x, w, bias, y


def run(kernel: Any, p: ConvProblem, x: np.ndarray, w: np.ndarray, bias: Any, at: str, threads: int = 1) -> np.ndarray:
    """The kernel's result on guarded copies, in guarded memory."""
    x = guarded_copy(lay(x.astype(p.dtype), p.layout), at)
    w, bias = guarded_copy(w.astype(p.dtype), at), None if bias is None else guarded_copy(bias.astype(p.dtype), at)
    n, c, *spatial = p.y_shape
    if p.layout == "NHWC":
        y = guarded((n, *spatial, c), p.out, at).transpose(0, 4, 1, 2, 3)
    else:
        y = guarded(p.y_shape, p.out, at)
    kernel.prepare(p, (w, bias), threads)(x, y)
    return y


def check(kernel: Any, p: ConvProblem, dtype: Any) -> bool:
    """Whether `kernel` takes `p`; if so, its results are right, both ends guarded, for one thread and two."""
    p64, p = p, as_dtype(p, dtype)
    if kernel.reject(p) is not None:
        return False
    x, w, bias, expected = case(p64)
    y = run(kernel, p, x, w, bias, "end")
    scale = max(np.abs(expected).max(initial=0.0), p.depth**0.5)
    np.testing.assert_allclose(y, expected, rtol=0, atol=4 * kernel.error(p) * scale, err_msg=f"{kernel.name} {p}")
    again = run(kernel, p, x, w, bias, "start", threads=2)
    assert y.tobytes() == again.tobytes(), f"{kernel.name}, 1 and 2 threads: {p}"
    return True


def skip_unavailable(kernel: Any, dtype: Any, p: ConvProblem) -> None:
    reason = kernel.reject(as_dtype(p, dtype))
    if reason is not None and any(word in reason for word in ("not compiled", "not available", "compiled in")):
        pytest.skip(reason)


ONE = problem(1, 1, (1, 1), (1, 1))  # taken by every algorithm
LAYERS = (  # each algorithm takes one of them at least
    problem(3, 40, (40, 40), (3, 3)),
    problem(8, 70, (40, 40), (1, 1)),
    problem(8, 8, (20, 20), (3, 3), groups=8, n=2),
    problem(200, 300, (1, 1), (1, 1), n=20),
    problem(1, 70, (1, 900), (1, 30), stride=(1, 4), n=20),
)


@every_dtype
@every_kernel
def test_every_width_and_every_number_of_channels(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel, dtype, ONE)
    done = 0
    for i in range(1, 68):  # widths 1 to 30, output channels 1 to 67, kernels 1x1 and 2x3
        for k in ((1, 1), (2, 3)):
            ow = i % 30 + 1
            done += check(kernel, problem(2, i, (2 + k[0], ow + k[1] - 1), k), dtype)
            done += check(kernel, problem(i % 5 + 1, i * (i % 5 + 1), (3, ow + 2), k, groups=i % 5 + 1), dtype)
    for i in range(1, 68):  # windows that cover the image, images of few pixels
        window, layout = (i % 3 + 1, i % 5 + 1), ("NCHW", "NHWC")[i % 2]
        done += check(kernel, problem(i % 7 + 1, i, window, window, n=i % 3 + 1), dtype)
        done += check(kernel, problem(i, 2 * i % 37 + 1, (1, i % 4 + 1), (1, 1), n=3, layout=layout), dtype)
    for pixels in range(1, 70):
        layout = "NCHW" if pixels % 4 else "NHWC"
        done += check(kernel, problem(3, 70 - pixels, (1, pixels), (1, 1), layout=layout), dtype)
        done += check(kernel, problem(1, 70 - pixels, (1, pixels + 4), (1, 3), n=2, stride=(1, pixels % 3 + 1)), dtype)
    assert done > 30


OPTIONS = [
    dict(stride=(2, 2)),
    dict(stride=(1, 3), size=(7, 31)),
    dict(stride=(3, 5), kernel=(2, 2), size=(11, 33)),
    dict(stride=(2, 2), size=(30, 41), kernel=(3, 3), pads=((1, 1), (1, 1)), oc=17),
    dict(stride=(2, 2), size=(9, 90), kernel=(1, 1), pads=((0, 0), (0, 0)), oc=33),
    dict(dilation=(2, 3), size=(9, 15)),
    dict(dilation=(3, 2), stride=(2, 2), size=(13, 21), pads=((2, 1), (0, 3))),
    dict(dilation=(1, 4), stride=(1, 2), size=(5, 40)),
    dict(pads=((1, 1), (1, 1))),
    dict(pads=((2, 0), (0, 3))),
    dict(pads=((5, 4), (6, 7)), kernel=(2, 2)),
    dict(pads=((-1, 2), (2, -3))),
    dict(pads=((-2, -1), (-1, -2)), stride=(1, 2)),
    dict(pads=((1, 1), (1, 1)), fill=2.5, stride=(2, 3)),
    dict(pads=((1, 1), (9, 9)), size=(3, 1), kernel=(3, 7)),
    dict(kernel=(1, 1), pads=((1, 0), (0, 2))),
    dict(kernel=(7, 1), pads=((3, 3), (0, 0)), oc=33),
    dict(kernel=(1, 7), pads=((0, 0), (3, 3)), oc=33),
    dict(ic=8, oc=12, groups=4, pads=((1, 1), (1, 1))),
    dict(ic=6, oc=6, groups=6, pads=((1, 1), (1, 1)), n=2),
    dict(ic=6, oc=18, groups=6, stride=(2, 1)),
    dict(bias=False, activation="relu"),
    dict(activation="relu", oc=40, n=3),
    dict(n=0),
    dict(size=(4, 5, 6), kernel=(2, 3, 3), stride=(1, 1, 1), dilation=(1, 1, 1), pads=((0, 1), (1, 1), (1, 0))),
    dict(
        size=(7, 5, 9), kernel=(3, 2, 2), stride=(2, 1, 2), dilation=(2, 1, 2), pads=((1, 2), (-1, 1), (1, 1)),
        ic=4, oc=6, groups=2,
    ),
    dict(size=(3, 4, 20), kernel=(1, 1, 1), stride=(1, 1, 1), dilation=(1, 1, 1), pads=((0, 0),) * 3, oc=37),
    *(
        dict(mode=mode, pads=((2, 3), (3, 1)), size=(5, 6), stride=stride)
        for mode in ("reflect", "replicate", "circular", "symmetric")
        for stride in ((1, 1), (2, 2))
    ),
    dict(
        mode="reflect", pads=((1, 1), (1, 0), (2, 2)), size=(3, 4, 5), kernel=(3, 2, 3), stride=(1,) * 3,
        dilation=(1,) * 3,
    ),
    dict(mode="circular", pads=((-1, 2), (3, -2)), size=(5, 8)),
]  # fmt: skip


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@every_dtype
@every_kernel
def test_every_option(kernel: Any, dtype: Any, layout: str) -> None:
    skip_unavailable(kernel, dtype, ONE)
    sizes = ({}, dict(ic=1, oc=1), dict(ic=1, oc=3))  # many channels; one of each; one in, several out
    problems = [problem(**{**o, **s}, layout=layout) for o in OPTIONS for s in sizes if not (s and "groups" in o)]
    accepted = sum(check(kernel, p, dtype) for p in problems)
    assert accepted or any(kernel.reject(as_dtype(p, dtype)) for p in problems)


BLOCKED = [
    problem(1500, 5, (3, 60), (3, 3), pads=((1, 1), (1, 1))),  # too many channels for one band
    problem(70, 3, (2, 2100), (2, 5), stride=(1, 1)),  # rows longer than a block of columns
    problem(600, 70, (7, 7), (3, 3), pads=((1, 1), (1, 1)), n=2),
    problem(64, 200, (3, 3), (3, 3)),  # one item, split among threads by output channels
    problem(3, 40, (70, 70), (3, 3), stride=(2, 2)),
    problem(300, 300, (9, 9), (1, 1)),
    problem(300, 39, (9, 11), (1, 1), n=2, activation="relu"),  # several parts of the channels of a small map in place
]


@every_dtype
@every_kernel
def test_blocks(kernel: Any, dtype: Any) -> None:
    skip_unavailable(kernel, dtype, ONE)
    for p in BLOCKED:
        check(kernel, p, dtype)


@every_kernel
def test_slices_of_long_work_change_nothing(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_unavailable(kernel, np.float32, ONE)
    calls: list[Any] = []
    real = thread_policy.slices
    several = False
    for p64 in LAYERS:
        p = as_dtype(p64, np.float32)
        if kernel.reject(p) is not None:
            continue
        x, w, bias, _ = case(p64)
        whole = run(kernel, p, x, w, bias, "end")
        monkeypatch.setattr(thread_policy, "SLICE_SECONDS", 1e-12)
        monkeypatch.setattr(thread_policy, "slices", lambda n, s: calls.append((n, real(n, s))) or calls[-1][1])
        assert run(kernel, p, x, w, bias, "end", threads=2).tobytes() == whole.tobytes()
        monkeypatch.undo()
        assert all(len(parts) == items for items, parts in calls)  # of a product's weights, too, which are packed
        several |= calls[0][0] > 1
        calls.clear()
    assert several


@every_kernel
def test_one_run_from_many_threads(kernel: Any) -> None:
    skip_unavailable(kernel, np.float32, ONE)
    p64 = next(p for p in LAYERS if kernel.reject(as_dtype(p, np.float32)) is None)
    p = as_dtype(p64, np.float32)
    x, w, bias, _ = case(p64)
    w, bias = w.astype(np.float32), bias.astype(np.float32)
    runner = kernel.prepare(p, (w, bias), 2)
    inputs = [(x * (i + 1)).astype(np.float32) for i in range(8)]
    expected = [run(kernel, p, a, w, bias, "end").tobytes() for a in inputs]
    wrong: list[int] = []

    def work(i: int) -> None:
        y = np.empty(p.y_shape, np.float32)
        for _ in range(10):
            y[...] = np.nan
            runner(inputs[i], y)
            if y.tobytes() != expected[i]:
                wrong.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    assert not wrong


def test_runs_made_before_a_fork_work_in_the_child() -> None:
    code = """if True:
        import os, sys, numpy as np, fastconv
        x = np.ones((1, 8, 64, 64), "f")
        w = np.ones((32, 8, 3, 3), "f")
        a, stack = np.ones((300, 300), "f"), np.ones((2, 300, 300), "f")
        with fastconv.options(threads=2, backend="cython"):
            conv, one = fastconv.plan(fastconv.conv2d, x, w), fastconv.plan(fastconv.conv2d, x, w[:, :, :1, :1])
            product, batch = fastconv.plan(fastconv.gemm, a, a), fastconv.plan(fastconv.matmul, stack, stack)

            def total():
                parts = conv(x), one(x), product(a), batch(stack), fastconv.gemm(a, a)
                return sum(float(p.sum(dtype=float)) for p in parts)

            before, pid = total(), os.fork()
            if pid == 0:
                os._exit(0 if total() == before else 1)
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    if all(k.reject(as_dtype(ONE, np.float32)) for k in KERNELS):
        pytest.skip("no compiled kernel")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


@every_kernel
def test_refusals_have_reasons(kernel: Any) -> None:
    skip_unavailable(kernel, np.float32, ONE)
    p = as_dtype(ONE, np.float32)
    half = dataclasses.replace(p, dtype=np.dtype(np.float16), out=np.dtype(np.float16))
    assert kernel.reject(half) == "dtype float16: float32 and float64 only"
    assert "transposed" in kernel.reject(dataclasses.replace(p, direction="transposed"))


@every_kernel
def test_predictions_and_workspace(kernel: Any) -> None:
    skip_unavailable(kernel, np.float32, ONE)
    for p in (as_dtype(p, np.float32) for p in BLOCKED):
        if kernel.reject(p) is None:
            assert 0 < kernel.cost(p, host_table()) < 1
            assert 0 <= kernel.workspace(p) <= 4 << 20, p


@pytest.mark.one_isa
@pytest.mark.parametrize("channels", [40, 64, 72, 96, 120])
def test_packed_weights_start_on_a_cache_line(channels: int) -> None:
    """Otherwise every vector load touches two cache lines, which costs some percent of time, by chance."""
    w = np.zeros((channels, channels, 3, 3), np.float32)
    p: Any = F.plan(F.conv2d, np.zeros((1, channels, 14, 14), np.float32), w, padding=1).problem
    isa = next(isa for isa in machine.ISAS if native.unavailable(isa) is None)
    assert native.Packer(isa, p)(w.reshape(p.w_shape)).ctypes.data % 64 == 0
    kernel = next(k for k in winograd.KERNELS if k.isa == isa and k.reject(p) is None)
    scheme = winograd.Scheme.of(p, isa, kernel.m, 1)
    assert kernel.transform(p, scheme, 1)(w.reshape(p.w_shape)).ctypes.data % 64 == 0
