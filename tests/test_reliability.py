"""Threads, forks, interrupts, memory: what a library must survive inside other people's programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core import arrays, caches, machine
from fastconv.dispatch import choice
from fastconv.dispatch import plan as plans
from fastconv.dispatch.registry import kernels
from fastconv.ops import conv

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

ROOT = Path(__file__).resolve().parents[1]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 16, 24, 24)).astype("f")
W = RNG.normal(size=(24, 16, 3, 3)).astype("f")
WT = np.ascontiguousarray(W.swapaxes(0, 1))
D = RNG.normal(size=(16, 1, 3, 3)).astype("f")
P = RNG.normal(size=(40, 16, 1, 1)).astype("f")
A, B = RNG.normal(size=(90, 70)).astype("f"), RNG.normal(size=(70, 110)).astype("f")

CALLS = {
    "dense": (F.conv2d, (X, W), {"padding": 1}),
    "depthwise": (F.conv2d, (X, D), {"padding": 1, "groups": 16}),
    "pointwise": (F.conv2d, (X, P), {}),
    "transposed": (F.conv_transpose2d, (X, WT), {"stride": 2}),
    "max": (F.max_pool2d, (X, 3), {"stride": 2, "padding": 1}),
    "average": (F.avg_pool2d, (X, 2), {}),
    "gemm": (F.gemm, (A, B), {}),
}  # fmt: skip


def every_plan(threads: int) -> dict[str, plans.Plan]:
    """One plan per call and per kernel that can run it, apart from the reference."""
    found = {}
    for name, (function, args, kwargs) in CALLS.items():
        base = F.plan(function, *args, **kwargs, threads=threads)
        for c in base.explain().candidates:
            if c.reason is None and c.kernel.backend != "reference":
                found[f"{name}: {c.kernel.name}"] = base.with_kernel(c.kernel.name)
    return found


def argument(name: str) -> np.ndarray:
    return A if name.startswith("gemm") else X


def test_eight_threads_share_plans() -> None:
    shared = every_plan(threads=2)
    assert any("cython" in n for n in shared) or any("numpy" in n for n in shared)
    want = {n: p(argument(n)) for n, p in shared.items()}
    names = list(shared)

    def hammer(seed: int) -> None:
        for i in np.random.default_rng(seed).permutation(len(names) * 3):
            n = names[i % len(names)]
            got = shared[n](argument(n))
            assert np.array_equal(got, want[n]), n

    with ThreadPoolExecutor(8) as pool:
        for f in [pool.submit(hammer, seed) for seed in range(8)]:
            f.result(timeout=120)


def test_eight_threads_call_the_same_functions() -> None:
    want = {n: f(*a, **k) for n, (f, a, k) in CALLS.items()}

    def hammer(_: int) -> None:
        for _ in range(5):
            for n, (f, a, k) in CALLS.items():
                assert np.array_equal(f(*a, **k), want[n]), n

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8), timeout=120))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fork_after_use() -> None:
    """A child of a process that used every kernel with threads computes the same, with threads, and ends."""
    code = """
        import os, sys
        sys.path.insert(0, {root!r})
        import numpy as np
        from tests.test_reliability import argument, every_plan
        shared = every_plan(threads=2)
        want = {{n: p(argument(n)) for n, p in shared.items()}}
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # "multi-threaded, fork may deadlock": the point
            child = os.fork()
        ok = all(np.array_equal(p(argument(n)), want[n]) for n, p in shared.items())
        ok = ok and all(np.array_equal(p(argument(n)), want[n]) for n, p in every_plan(threads=2).items())
        if child == 0:
            os._exit(0 if ok else 3)
        _, status = os.waitpid(child, 0)
        print("parent", ok, "child", os.waitstatus_to_exitcode(status))
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code.format(root=str(ROOT)))],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert out.stdout.strip() == "parent True child 0", out.stderr


def backends_here() -> list[str]:
    problem = F.plan(F.conv2d, X, W, padding=1).explain().candidates
    return sorted({c.kernel.backend for c in problem if c.reason is None and c.kernel.backend != "reference"})


@pytest.mark.parametrize("backend", backends_here())
def test_the_gil_is_released(backend: str) -> None:
    x = np.ones((1, 64, 160, 160), "f")
    run = F.plan(F.conv2d, x, np.ones((64, 64, 3, 3), "f"), padding=1, threads=1, backend=backend)
    run(x)
    beats: list[float] = []
    stop = threading.Event()

    def beat() -> None:
        while not stop.is_set():
            beats.append(time.perf_counter())
            time.sleep(0.001)

    counter = threading.Thread(target=beat)
    counter.start()
    try:
        start = time.perf_counter()
        while time.perf_counter() - start < 0.3:
            run(x)
    finally:
        stop.set()
        counter.join()
    assert len(beats) > 20


@pytest.mark.parametrize("backend", backends_here())
@pytest.mark.parametrize("threads", [1, 2])
def test_keyboard_interrupt_stops_long_work(backend: str, threads: int) -> None:
    code = f"""
        import numpy as np, fastconv as F
        x, w = np.ones((1, 128, 256, 256), "f"), np.ones((128, 128, 3, 3), "f")
        run = F.plan(F.conv2d, x, w, padding=1, backend={backend!r}, threads={threads})
        small = F.plan(F.conv2d, x[:, :, :8, :8], w, padding=1, backend={backend!r}, threads={threads})
        small(x[:, :, :8, :8])
        print("ready", flush=True)
        try:
            for _ in range(200):
                run(x)
        except KeyboardInterrupt:
            y = small(x[:, :, :8, :8])
            print("stopped", round(float(y[0, 0, 4, 4]), 2), flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert out.strip() == "stopped 1152.0", err
    assert time.monotonic() - sent < 10  # generous for a busy machine; slices are about 50 ms


@pytest.mark.parametrize(("dtype", "size"), [("float32", 6000), ("int64", 1500)])
def test_keyboard_interrupt_stops_one_long_product_of_numpy(dtype: str, size: int) -> None:
    code = f"""
        import numpy as np, fastconv as F
        a = np.ones(({size}, {size}), {dtype!r})
        out = np.full(a.shape, 7, a.dtype)
        print("ready", flush=True)
        try:
            F.matmul(a, a, out=out, backend="numpy")
        except KeyboardInterrupt:
            print("stopped", out[-1, -1], flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out.split() in (["stopped", "7"], ["stopped", "7.0"]), err  # the last row was never reached


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer")
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_a_signal_is_seen_within_one_long_window_of_numpy(dtype: str) -> None:
    """A kernel as large as its image: one output, the sum of 57.6 million products, which is never finished."""

    class Stop(Exception):
        pass

    def stop(number: int, frame: object) -> None:
        raise Stop

    x, w = (np.ones((1, 64, 3000, 300), dtype) for _ in range(2))
    out = np.full((1, 1, 1, 1), 7, np.int64 if dtype == "int16" else dtype)
    F.conv2d(x[:, :, :4, :4], w[:, :, :4, :4], backend="numpy")
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Stop):
            F.conv2d(x, w, backend="numpy", out=out)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert out.item() == 7


def copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each copy that is made from now on."""
    made: list[int] = []
    copyto = np.copyto

    def noted(to: np.ndarray, source: np.ndarray, **kwargs: Any) -> None:
        made.append(to.nbytes)
        copyto(to, source, **kwargs)

    monkeypatch.setattr(np, "copyto", noted)
    return made


LARGE = np.arange(3 << 20, dtype="f4")
VIEWS = {
    "flat": LARGE, "reversed": LARGE[::-1], "matrix": LARGE.reshape(3, -1), "columns": LARGE.reshape(-1, 3).T,
    "transposed": LARGE.reshape(1 << 10, -1).T, "weights": LARGE.reshape(3, 64, 128, 128)[:, ::2],
    "images": LARGE.reshape(1, 3, 1, 1024, 1024), "repeated": np.broadcast_to(LARGE[:4096], (600, 4096)),
    "channels last": LARGE.reshape(1, 1, 1024, 1024, 3).transpose(0, 4, 1, 2, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_long_copies_are_made_in_parts_between_which_signals_are_seen(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    made, view = copies(monkeypatch), VIEWS[name]
    for copy in (arrays.own_copy(view), arrays.clean(view, np.dtype("f8"))):
        assert copy.shape == view.shape and not np.may_share_memory(copy, view)
        assert np.array_equal(copy, view)
    assert max(made) <= arrays.PART_BYTES
    assert sum(made) == 3 * view.size * 4


def test_numpy_packs_weights_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a kernel as large as its image, of several output channels: blocks of channels lie apart."""
    x, w = np.ones((1, 20, 300, 300), "f"), np.ones((3, 20, 300, 300), "f")
    made = copies(monkeypatch)
    assert F.conv2d(x, w, backend="numpy").ravel().tolist() == [20 * 300 * 300] * 3
    assert w.nbytes <= sum(made) and max(made) <= arrays.PART_BYTES


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_nothing_leaks() -> None:
    """FASTCONV_TEST_CALLS=100000 for the long version."""
    calls = int(os.environ.get("FASTCONV_TEST_CALLS", "4000"))
    x, w = np.ones((1, 3, 8, 8), "f"), np.ones((4, 3, 3, 3), "f")
    out = np.empty((1, 4, 6, 6), "f")
    jobs = [
        lambda: F.conv2d(x, w),
        lambda: F.conv2d(x, w, threads=2, out=out),
        lambda: F.max_pool2d(x, 2),
        lambda: F.matmul(x[0, 0], x[0, 0]),
        F.plan(F.conv2d, x, w, backend="numpy").__call__,
    ]

    def burst(count: int) -> None:
        for i in range(count):
            job = jobs[i % len(jobs)]
            job(x) if job is jobs[-1] else job()

    burst(500)
    before = resident()
    burst(calls)
    assert resident() - before < 4 << 20


def test_caches_are_bounded() -> None:
    for n in range(1, caches.KEEP_FEW + 200):
        F.conv1d(np.ones((1, 1, n)), np.ones((1, 1, 1)), backend="numpy")
    assert choice._choose.cache_info().currsize == caches.KEEP_FEW
    assert conv._recipe.cache_info().currsize == caches.KEEP_FEW


@pytest.mark.parametrize("name", [k.name for k in kernels("conv") if k.backend == "numpy"
                                  and not k.relative])  # fmt: skip
def test_memory_is_bounded(name: str) -> None:
    """A run allocates its stated workspace and its result, never the im2col matrix or a padded copy."""
    channels, k = 64, 1 if name == "numpy.pointwise" else 5
    groups = channels if name == "numpy.depthwise" else 1
    x = np.ones((1, channels, 200, 200), "f")
    w = np.ones((channels, channels // groups, k, k), "f")
    run = F.plan(F.conv2d, x, w, padding=k // 2, groups=groups).with_kernel(name)
    out = np.empty((1, channels, 200, 200), "f")
    stated = next(c for c in run.explain().candidates if c.kernel.name == name).workspace
    tracemalloc.start()
    try:
        run(x, out=out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 1.5 * stated + (1 << 16)
    assert stated < 8 << 20 < x.nbytes


def test_isa_cap() -> None:
    for cap, want in (("portable", ["portable"]), ("avx2", ["avx2", "portable"])):
        out = subprocess.run(
            [sys.executable, "-c", "from fastconv.core import machine; print(*machine.host_isas())"],
            capture_output=True, text=True, check=True, env={**os.environ, "FASTCONV_ISA": cap},
        ).stdout.split()  # fmt: skip
        assert out == [isa for isa in want if isa in machine.host_isas()] or set(machine.host_isas()) < set(want)
    wrong = subprocess.run(
        [sys.executable, "-c", "from fastconv.core import machine; machine.host_isas()"],
        capture_output=True, text=True, env={**os.environ, "FASTCONV_ISA": "sse9"},
    )  # fmt: skip
    assert "FASTCONV_ISA is 'sse9'; allowed are avx512, avx2, portable" in wrong.stderr
