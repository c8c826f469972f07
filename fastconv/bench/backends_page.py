"""`fastconv backends`: what NumPy, Numba and Cython are like for the same operations: code, first calls, calls, speed.

Nothing is written by hand: lines are counted in the sources, times are measured, dtypes are what kernels accept.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.bench.environment import environment
from fastconv.bench.suite import call_of
from fastconv.bench.suites import Case
from fastconv.bench.table import align, folded
from fastconv.bench.timing import interleave, limit_blas
from fastconv.bench.work import make_work, outline
from fastconv.core.kernel import Kernel
from fastconv.core.units import time_text
from fastconv.dispatch.survey import Candidate

BACKENDS = ("cython", "numba", "numpy")
OPERATIONS = (
    Case("conv 3x3", "conv2d", ((1, 64, 56, 56), (64, 64, 3, 3)), kwargs={"padding": 1}),
    Case("conv 1x1", "conv2d", ((1, 64, 56, 56), (256, 64, 1, 1))),
    Case("depthwise", "conv2d", ((1, 96, 56, 56), (96, 1, 3, 3)), kwargs={"padding": 1, "groups": 96}),
    Case("conv 1-D", "conv1d", ((1, 32, 4000), (32, 32, 9)), kwargs={"padding": 4}),
    Case("transposed", "conv_transpose2d", ((1, 64, 28, 28), (64, 32, 4, 4)), (),
         {"stride": 2, "padding": 1}),
    Case("weights 3x3", "conv2d", ((1, 64, 28, 28), (64, 64, 3, 3)), (), {"padding": 1}, gradient="weight"),
    Case("max pooling", "max_pool2d", ((1, 64, 112, 112),), (3,), {"stride": 2, "padding": 1}),
    Case("avg pooling", "avg_pool2d", ((1, 64, 56, 56),), (2,)),
    Case("product", "matmul", ((384, 384), (384, 384))),
    Case("softmax", "softmax", ((256, 1000),), (1,)),
)  # fmt: skip
TINY = {"conv2d": ((1, 1, 4, 4), (1, 1, 3, 3)), "conv1d": ((1, 1, 8), (1, 1, 3)), "matmul": ((2, 2), (2, 2)),
        "conv_transpose2d": ((1, 1, 3, 3), (1, 1, 4, 4)), "softmax": ((2, 3),), "max_pool2d": ((1, 1, 6, 6),),
        "avg_pool2d": ((1, 1, 4, 4),)}  # fmt: skip
DTYPES = {"float32": "f4", "float64": "f8", "float16": "f2", "bfloat16": "bf16", "int8": "i1", "int64": "i8",
          "complex64": "c8"}  # fmt: skip
FIRST = """
import json, sys, time
import numpy, fastconv
from fastconv.bench.backends_page import case_called
from fastconv.bench.work import make_work
operation, args, kwargs = case_called(*json.loads(sys.argv[1]))
work = make_work(operation, args, {**kwargs, "backend": "reference"})
start = time.perf_counter()
operation(*work.args, **{**kwargs, "backend": sys.argv[2], "threads": 1})
print(time.perf_counter() - start)
"""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One operation by one backend; None where the backend has no kernel for it, or was not measured.

    Attributes
    ----------
    operation, backend, kernel : str
    lines : int
        Of code, without comments and empty lines: the kernel's module and those of its backend that it imports, for
        Cython with its compiled module and micro-kernels; without what all kernels of a backend share.
    first : float
        Seconds of the first call of a process, after ``import fastconv``; Numba compiles in it.
    call : float
        Seconds of a call on arrays of a few elements: what a call takes beside its work.
    seconds : float
        Of one run on one thread, weights packed beforehand.
    dtypes : str
        That it has kernels for.
    """

    operation: str
    backend: str
    kernel: str | None = None
    lines: int | None = None
    first: float | None = None
    call: float | None = None
    seconds: float | None = None
    dtypes: str = "-"


@dataclass(frozen=True, slots=True)
class BackendTable:
    """What `compare_backends` returns; prints as a table."""

    lines: tuple[Line, ...]
    about: dict[str, Any]

    def to_text(self, width: int | None = None) -> str:
        """The table, its notes in lines of up to `width` characters."""
        rows: list[tuple[str, ...]] = [("operation", "backend", "code", "first call", "a call", "one run", "dtypes")]
        last = ""
        for line in self.lines:
            name, last = ("" if line.operation == last else line.operation), line.operation
            times = (time_text(t) if t is not None else "-" for t in (line.first, line.call, line.seconds))
            rows.append((name, line.backend, "-" if line.lines is None else str(line.lines), *times, line.dtypes))
        about = self.about
        notes = [
            f"{about['cpu']}, {about['date'][:10]}, Python {about['python']}, one thread. Code: lines without "
            "comments, of the kernel and what it alone needs. First call: of a new process. A call: on a few elements. "
            "One run: of the problem below, planned. Dtypes by NumPy's letters and bytes.",
            *(f"{case.name}: {case.operation} {' '.join('x'.join(map(str, s)) for s in case.shapes)}"
              + "".join(f" {v}" for v in case.args) + "".join(f" {k}={v}" for k, v in case.kwargs.items())
              + (f", gradient of {case.gradient}" if case.gradient else "")
              for case in OPERATIONS),
            "Platforms: NumPy wherever NumPy runs; Numba on x86-64 and aarch64, where Numba has wheels; Cython "
            "wherever gcc or clang compiles it, with AVX-512, AVX2 and plain C on x86-64 and NEON on aarch64.",
        ]  # fmt: skip
        return "\n".join([*align(rows, left=(0, 1)), "", *folded(notes, width)])

    __str__ = to_text


def case_called(
    name: str, shapes: list[list[int]]
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The call of the operation of that name in `OPERATIONS`, on arrays of these shapes."""
    case = next(case for case in OPERATIONS if case.name == name)
    return call_of(replace(case, shapes=tuple(map(tuple, shapes))))


def compare_backends(seconds: float = 0.3, first: bool = True, progress: Progress | None = None) -> BackendTable:
    """Count, call and time ten operations of each backend.

    Parameters
    ----------
    seconds : float
        To spend on each time.
    first : bool
        Also measure first calls, each in a process of its own.
    progress : callable, optional
        ``progress(what, done, total)``.

    Returns
    -------
    BackendTable
    """
    about = environment()
    lines: list[Line] = []
    with ExitStack() as stack:
        limit_blas(stack, 1, [])
        for done, case in enumerate(OPERATIONS):
            if progress is not None:
                progress(case.name, done, len(OPERATIONS))
            lines += _lines(case, seconds, first)
    return BackendTable(tuple(lines), about)


def _lines(case: Case, seconds: float, first: bool) -> Iterator[Line]:
    operation, args, kwargs = call_of(case)
    kwargs["threads"] = 1
    work = make_work(operation, args, kwargs)
    fastest = {b: _fastest(work.plan.explain().candidates, b) for b in BACKENDS}
    able = [b for b in BACKENDS if fastest[b] is not None]
    tiny = make_work(*_tiny(case))
    plans = [work.plan.with_kernel(fastest[b].name) for b in able]  # type: ignore[union-attr]
    times = interleave([lambda plan=plan: plan(work.x) for plan in plans], seconds, 1)  # type: ignore[misc]
    calls = [
        lambda b=b: tiny.operation(*tiny.args, **{**tiny.kwargs, "backend": b})
        for b in able
    ]
    overheads = interleave(calls, seconds, 1)
    for backend in BACKENDS:
        kernel = fastest[backend]
        if kernel is None:
            yield Line(case.name, backend)
            continue
        at = able.index(backend)
        yield Line(
            case.name, backend, kernel.name, lines_of(kernel), _first_call(case, backend) if first else None,
            overheads[at].median, times[at].median, " ".join(_dtypes(case, backend)),
        )  # fmt: skip


def _tiny(case: Case) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    shapes = TINY[case.operation]
    given = {name: value for name, value in case.kwargs.items() if name != "groups"}
    operation, args, kwargs = call_of(replace(case, shapes=shapes, kwargs=given))
    return operation, args, {**kwargs, "threads": 1}


def _fastest(candidates: tuple[Candidate, ...], backend: str) -> Kernel[Any] | None:
    """The kernel that a backend would choose if it were alone."""
    own = [c for c in candidates if c.kernel.backend == backend and np.isfinite(c.cost)]
    return min(own, key=lambda c: (c.reason is not None and "error" in c.reason, c.cost)).kernel if own else None


def _dtypes(case: Case, backend: str) -> Iterator[str]:
    for dtype, letters in DTYPES.items():
        try:
            plan = outline(*call_of(replace(case, dtype=dtype)))
        except (TypeError, NotImplementedError, ImportError):  # bfloat16 needs a package
            continue
        if _fastest(plan.explain().candidates, backend) is not None:
            yield letters


def _first_call(case: Case, backend: str) -> float:
    """Seconds of the first call of a new process, with nothing kept from earlier ones."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "NUMBA_CACHE_DIR": folder, "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-c", FIRST, json.dumps([case.name, case.shapes]), backend]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return float(done.stdout)


def lines_of(kernel: Kernel[Any]) -> int:
    """Lines of the code of a kernel, as `Line` counts them."""
    return sum(_code(path) for path in _sources(kernel))


def _sources(kernel: Kernel[Any]) -> set[Path]:
    """The kernel's module, modules of its backend that it imports, compiled ones, and their micro-kernels."""
    package = native.BACKEND.parent
    root, function = package / kernel.backend, re.compile(r"^KERNEL(?: \w+ |S\(\w+, )(\w+)[(,]", re.M)
    bodies = {name: path for path in root.rglob("*.inc") for name in function.findall(_text(path))}
    found: set[Path] = set()
    left = []
    for one in _wrapped(kernel):
        left.append(Path(inspect.getfile(type(one))))
        loops = re.findall(r'self\.loop\("(\w+)"', inspect.getsource(type(one)))  # of Numba
        left += [root / "loops" / f"{name}.py" for name in loops]
    while left:
        path = left.pop()
        if path in found or not path.exists() or path.parent.name in ("runtime", "isa") or package not in path.parents:
            continue
        found.add(path)
        text = _text(path)
        if path.suffix == ".py":
            left += _imported(text, package, root)
            left += [root / f"{name.replace('.', '/')}.pyx" for name in re.findall(r'compiled\("([\w.]+)"\)', text)]
        elif path.suffix == ".pyx":
            left.append(path.with_suffix(".pxd"))
            left += [bodies[name] for name in set(re.findall(r"\bt\.(\w+)", text)) if name in bodies]
    return found


def _wrapped(kernel: Kernel[Any]) -> Iterator[Kernel[Any]]:
    """A kernel and those that it is made of, as a transposed convolution of one that is not."""
    yield kernel
    for inner in vars(kernel).values():
        if isinstance(inner, Kernel):
            yield from _wrapped(inner)


def _imported(text: str, package: Path, root: Path) -> Iterator[Path]:
    """Files of the modules below `root`, or shared by backends, that a module imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                path = package.parent.parent / f"{name.replace('.', '/')}.py"
                if root in path.parents or package / "common" in path.parents:
                    yield path


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _code(path: Path) -> int:
    """Lines that are neither empty nor comments nor docstrings."""
    text = _text(path)
    if path.suffix in (".py", ".pyx", ".pxd"):
        text = re.sub(r'^\s*(?:[ru]?""".*?""")', "", text, flags=re.M | re.S)
        return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return sum(1 for line in text.splitlines() if line.strip())
