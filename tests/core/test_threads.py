"""Numbers of threads: one limit, stated wherever a number is given; and calls while the interpreter shuts down."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastconv as F
from fastconv import cli
from fastconv.core import threads as policy

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

X, W = np.ones((2, 2, 6, 6), "f"), np.ones((3, 2, 3, 3), "f")


@pytest.mark.parametrize("wrong", [0, -3, 1025, 70_000, 2**31, 2**70, -(2**70)])
def test_counts_out_of_bounds_are_refused_wherever_they_enter(wrong: int) -> None:
    for call in (
        lambda: F.conv2d(X, W, threads=wrong),
        lambda: F.relu(X, threads=wrong),
        lambda: F.plan(F.conv2d, X, W, threads=wrong),
        lambda: F.options(threads=wrong).__enter__(),
        lambda: F.compare(F.conv2d, X, W, peers=(), threads=wrong),
        lambda: F.grad.conv2d(np.ones((2, 3, 4, 4), "f"), X, W, threads=wrong),
    ):
        with pytest.raises(ValueError, match=f"threads must be from 1 to 1024, got {wrong}"):
            call()


@pytest.mark.parametrize("wrong", ["2", 2.0, True, (2,)])
def test_counts_that_are_no_ints_are_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="threads must be an int from 1 to 1024 or None, got "):
        F.conv2d(X, W, threads=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["cython", "numba"])
def test_the_largest_count_works(backend: str) -> None:
    np.testing.assert_array_equal(F.conv2d(X, W, threads=1024, backend=backend), F.conv2d(X, W, threads=1))


def test_the_command_line_has_the_same_bound(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("70000", "1180591620717411303424"):
        with pytest.raises(SystemExit):
            cli.main(["bench", "--suite", "tiny", "--threads", text])
        assert f"argument --threads: threads must be from 1 to 1024, got {text}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [("FASTCONV_NUM_THREADS", "3", 3), ("FASTCONV_NUM_THREADS", " 1024 ", 1024), ("OMP_NUM_THREADS", "4,2", 4),
     ("OMP_NUM_THREADS", "", None), ("FASTCONV_NUM_THREADS", "  ", None), ("FASTCONV_NUM_THREADS", "0002", 2)],
)  # fmt: skip
def test_the_environment_sets_the_default(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, count: int | None
) -> None:
    for n in ("FASTCONV_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(n, raising=False)
    monkeypatch.setenv(name, text)
    assert policy.default.__wrapped__() == (policy.available() if count is None else count)


@pytest.mark.parametrize("name", ["FASTCONV_NUM_THREADS", "OMP_NUM_THREADS"])
@pytest.mark.parametrize("text", ["abc", "-3", "²", "0", "1025", "2**70", "1.5", "9" * 5000, "0x10", "٣"])
def test_an_environment_that_makes_no_sense_is_told(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    for n in ("FASTCONV_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(n, raising=False)
    monkeypatch.setenv(name, text)
    with pytest.raises(ValueError) as caught:
        policy.default.__wrapped__()
    assert str(caught.value) == f"{name} is {text!r}; it must be an int from 1 to 1024"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120,
        env=os.environ | environment,
    )  # fmt: skip


def test_the_error_comes_at_first_use_and_at_every_other() -> None:
    code = """
import fastconv as F
for _ in range(2):
    try:
        F.relu([1.0])
    except ValueError as e:
        print(e)
"""
    message = "FASTCONV_NUM_THREADS is 'abc'; it must be an int from 1 to 1024\n"
    done = run(code, FASTCONV_NUM_THREADS="abc")
    assert (done.returncode, done.stdout, done.stderr) == (0, 2 * message, "")


# Warm: the kernels are compiled, so that what runs late is a call, and not an import.
LATE = """
import atexit, sys, threading, time
import numpy as np
import fastconv as F

x, w = np.ones((4, 4, 30, 30), "f"), np.ones((8, 4, 3, 3), "f")
def called(b):
    return lambda x: F.conv2d(x, w, backend=b, threads=3)
backends = ("numba", "cython", "numpy")
kernels = [F.plan(F.conv2d, x, w, backend=b, threads=3) for b in backends] + [called(b) for b in backends]
want = [k(x) for k in kernels]

def check(where):
    assert all(k(x).tobytes() == y.tobytes() for k, y in zip(kernels, want))
    print(where, flush=True)
check("now")
"""


def test_kernels_run_at_exit() -> None:
    done = run(LATE + 'atexit.register(check, "at exit")')
    assert (done.returncode, done.stdout, done.stderr) == (0, "now\nat exit\n", "")


def test_kernels_are_first_used_at_exit() -> None:
    code = """
import atexit, numpy as np, fastconv as F
x, w = np.ones((4, 4, 30, 30), "f"), np.ones((8, 4, 3, 3), "f")
backends = "numba", "cython", "numpy"
atexit.register(lambda: print([F.conv2d(x, w, backend=b, threads=3).sum().round() for b in backends]))
"""
    done = run(code)
    assert (done.returncode, done.stdout.count("903168.0"), done.stderr) == (0, 3, "")


def test_kernels_run_in_threads_that_outlive_the_main_one() -> None:
    code = """
def late():
    threading.main_thread().join()
    time.sleep(0.2)
    check("afterwards")
threading.Thread(target=late).start()
"""
    done = run(LATE + code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "now\nafterwards\n", "")


def test_kernels_run_while_objects_die() -> None:
    code = """
import os
class Last:
    def __init__(self):
        self.parts = kernels, want, x, os.write
    def __del__(self):
        kernels, want, x, write = self.parts
        write(1, b"at the end" if all(k(x).tobytes() == y.tobytes() for k, y in zip(kernels, want)) else b"wrong")
last = Last()
"""
    done = run(LATE + code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "now\nat the end", "")


# Families of which none was used before something of another was; kernels of all backends that are here.
FIRST = """
import atexit, os, sys, threading, time
import numpy as np
import fastconv as F

x, w, h = np.ones((2, 4, 12, 12), "f"), np.ones((8, 4, 3, 3), "f"), np.ones((2, 4, 12, 12), "e")
target, dy = np.zeros(4, int), np.array(1, "f")
calls = {
    "relu": lambda: F.conv2d(x, w, activation="gelu"), "half": lambda: F.conv2d(h, w.astype("e")),
    "transposed": lambda: F.conv_transpose2d(x, w[:4], stride=2),
    "weight": lambda: F.grad.conv2d(np.ones((2, 8, 10, 10), "f"), x, w),
    "1x1": lambda: F.conv2d(x, w[:, :, :1, :1]), "depthwise": lambda: F.conv2d(x, w[:4, :1], groups=4),
    "grouped": lambda: F.conv2d(x, w[:, :2], groups=2), "max": lambda: F.max_pool2d(x, 2, return_indices=True),
    "average": lambda: F.avg_pool2d(x, 3, 1, 1),
    "norm": lambda: F.lp_pool2d(x, 3.0, 2), "last": lambda: F.max_pool2d(x, 2, layout="NHWC"),
    "global": lambda: F.global_avg_pool(x), "adaptive": lambda: F.adaptive_avg_pool2d(x, 5),
    "gradient of pooling": lambda: F.grad.max_pool2d(x[:, :, :6, :6], x, 2), "gelu": lambda: F.gelu(x),
    "softmax": lambda: F.softmax(x, 1), "loss": lambda: F.cross_entropy(x[0, :, 0], target),
    "gradient of loss": lambda: F.grad.cross_entropy(dy, x[0, :, 0], target),
    "gradient of gelu": lambda: F.grad.gelu(x, x), "product": lambda: F.matmul(x, x),
    "row": lambda: F.matmul(x[0, 0, :1], x[0, 0]),
    "pad": lambda: F.pad(x, (1, 1, 1, 1), "reflect"), "unfold": lambda: F.unfold(x, 2),
    "unpool": lambda: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2),
    "plan": lambda: F.plan(F.conv2d, x, w)(x), "numpy": lambda: F.conv2d(x, w, backend="numpy"),
}

def check(calls=calls, write=os.write):
    for name, call in calls.items():
        try:
            call()
        except BaseException as e:
            write(1, f"{name}: {e!r}\\n".encode())
    write(1, b"done")
"""
LATER = {
    "at exit": "atexit.register(check)",
    "in a late thread": """def late():
    threading.main_thread().join()
    time.sleep(0.1)
    check()
threading.Thread(target=late).start()
""",
    "while objects die": """F.conv2d(x, w)
class Last:
    def __init__(self):
        self.check = check
    def __del__(self):
        self.check()
last = Last()
""",
}


def test_no_kernel_imports_its_compiled_module_itself() -> None:
    """`native.compiled` keeps all of them: nothing can be imported while the interpreter shuts down."""
    folder = Path(F.__file__).parent / "backends" / "cython"
    texts = {file.name: file.read_text().split("\n\n\n", 1)[-1] for file in folder.rglob("*.py")}
    found = [name for name, text in texts.items() if re.search(r"from fastconv\.backends\.cython\S* import _", text)]
    assert found == []


@pytest.mark.parametrize("when", LATER)
def test_every_family_may_be_used_for_the_first_time(when: str) -> None:
    done = run(FIRST + LATER[when])
    assert (done.returncode, done.stdout, done.stderr) == (0, "done", "")


def test_a_system_without_threads_to_spare_leaves_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausted:
        def submit(self, _: object) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(policy, "_executor", lambda threads: Exhausted())
    done: list[int] = []
    policy.parallel_ranges(lambda lo, hi: done.extend(range(lo, hi)), 100, 4, 0.0)
    assert sorted(done) == list(range(100))


LIMITED = """if True:
    import resource, sys
    import numpy as np, fastconv as F
    x, w = np.ones((8, 4, 300, 300), "f"), np.ones((4, 4, 3, 3), "f")
    with open("/proc/self/statm") as f:
        limit = int(f.read().split()[0]) * resource.getpagesize() + (int(sys.argv[1]) << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    for call in (lambda n: F.conv2d(x, w, threads=n), lambda n: F.max_pool2d(x, 3, threads=n)):
        assert (call(1024) == call(1)).all()
"""


@pytest.mark.one_isa
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs limits on memory")
@pytest.mark.parametrize("megabytes", [200, 1500, 6000])
def test_threads_that_memory_does_not_allow_are_not_made(megabytes: int) -> None:
    """libgomp would end the process."""
    done = subprocess.run([sys.executable, "-c", LIMITED, str(megabytes)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_threads_that_the_system_refuses_are_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = policy.threading.Thread.start, []

    def refuse(thread: policy.threading.Thread) -> None:
        if len(started) == available + 20:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    available = policy.available()
    monkeypatch.setattr(policy, "_startable", 1)
    monkeypatch.setattr(policy, "_refused", False)
    monkeypatch.setattr(policy, "_memory_left", lambda: 1 << 62)
    monkeypatch.setattr(policy.threading.Thread, "start", refuse)
    assert policy.openmp_threads(available) == available and not started
    assert policy.openmp_threads(available + 10) == available + 10
    started.clear()
    assert policy.openmp_threads(available + 100) == (available + 21) // 2
    assert policy.openmp_threads(available + 200) == (available + 21) // 2
    assert not any(thread.is_alive() for thread in started)
