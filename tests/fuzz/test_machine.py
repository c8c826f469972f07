"""The fuzzer itself: a seed is one case, everything is drawn, and faults planted in a kernel are found and shrunk."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.reference.conv import ReferenceConv
from fastconv.dispatch import registry

from . import check as checks
from . import regressions
from .arrays import FORMS, VALUES, Array, build
from .cases import Case, snippet
from .check import check, fails
from .generate import FAMILIES, generate
from .minimise import minimise

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

ROOT = Path(__file__).parents[2]
NOT_CALLS = {"backends", "compare", "options", "plan", "register", "set_options", "unregister"}


def test_a_seed_is_one_case_and_reads_back() -> None:
    for seed in range(300):
        case = generate(seed)
        assert case == generate(seed)
        assert eval(repr(case), {"Case": Case, "Array": Array, "inf": np.inf}) == case


def test_every_operation_is_drawn() -> None:
    calls = {generate(seed, family).call for family in FAMILIES for seed in range(400)}
    public = {n for n in F.__all__ if inspect.isfunction(getattr(F, n))} - NOT_CALLS
    gradients = {f"grad.{n}" for n in F.grad.__all__}
    assert calls >= public
    assert calls >= gradients


@pytest.mark.parametrize("form", ["plain", *FORMS])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "complex128", "bool"])
def test_every_form_holds_the_same_values(form: str, dtype: str) -> None:
    for shape in ((2, 3, 4), (5,), (1, 1), (0, 3), ()):
        want = build(Array(shape, dtype, seed=3), ())
        got = build(Array(shape, dtype, form=form, seed=3), ())
        assert got.shape == want.shape
        if form == "broadcast" and shape:
            want = np.broadcast_to(want[:1], shape)
        assert np.array_equal(got, want)


@pytest.mark.parametrize("values", VALUES)
def test_values_are_of_their_dtype(values: str) -> None:
    for dtype in ("float16", "float32", "float64", "int8", "uint64", "complex64"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert build(Array((4, 5), dtype, values), ()).dtype == dtype


def test_snippets_run() -> None:
    names: dict[str, Any] = {}
    exec(snippet(Case("conv2d", (Array((1, 2, 5, 5)), Array((3, 2, 3, 3)), None), {"padding": 1}, "plain")), names)
    assert names["y"].shape == (1, 3, 5, 5)
    exec(snippet(Case("grad.relu", (Array(None), Array((3, 4), form="step:0")))), names)
    assert names["y"].shape == (3, 4)


class Broken(ReferenceConv):
    """The oracle under another name, with one fault where an image has more than three columns."""

    backend, algorithm = "numpy", "broken"

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def reject(self, problem: Any) -> str | None:
        return problem.not_forward

    def prepare(self, problem: Any, constants: tuple[Any, ...], threads: int) -> Any:
        run = super().prepare(problem, constants, threads)

        def corrupted(x: np.ndarray, out: np.ndarray) -> None:
            run(x, out)
            if problem.input[2] > 3:
                self.corrupt(x, out, threads)

        return corrupted

    def corrupt(self, x: np.ndarray, out: np.ndarray, threads: int) -> None:
        if self.fault == "value":
            out[..., -1] += 1
        elif self.fault == "threads" and threads > 1:
            out[...] = np.nextafter(out, np.float32(np.inf))
        elif self.fault == "canary" and out.base is not None:
            memory = checks.whole_memory(out)
            if memory.dtype == np.uint8:
                memory[0] = 0
        elif self.fault == "input written":
            x[...] = 0
        elif self.fault == "exception":
            warnings.warn("a kernel speaks", RuntimeWarning, stacklevel=1)
        elif self.fault == "batch" and len(x) > 1:
            out[...] = np.nextafter(out, np.float32(np.inf))


@pytest.mark.parametrize("fault", ["value", "threads", "canary", "input written", "exception", "batch"])
def test_planted_faults_are_found_and_shrunk(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Broken(fault)
    monkeypatch.setattr(checks, "kernels", lambda op: (kernel, *registry.kernels(op)))
    monkeypatch.setattr(checks, "_blas", lambda seen: False)
    out = "plain" if fault == "canary" else None
    arrays = (Array((3, 4, 9, 11), values="bright"), Array((5, 4, 3, 3)), Array((5,)))
    case = Case("conv2d", arrays, {"padding": (1, 1), "stride": (2, 1)}, out)
    found: list[Any] = []
    for seed in range(12):  # some checks are made now and then
        found += [f for f in check(case, seed, lambda k: k is kernel)[0] if f.kind == fault]
    assert found
    small = minimise(case, fails(found[0], lambda k: k is kernel))
    x, w, b = small.arrays
    assert x is not None and w is not None
    assert b is None
    assert not small.options
    assert x.shape == (2 if fault == "batch" else 1, 1, 1, 4)
    assert w.shape == (1, 1, 1, 1)


def test_a_sound_kernel_is_not_blamed() -> None:
    case = Case("conv2d", (Array((2, 3, 7, 8)), Array((4, 3, 3, 3)), None), {"padding": 1}, "strided")
    failures, counts = check(case, 1)
    assert not failures
    assert counts.runs > counts.pairs > 1


def test_regressions_are_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regressions, "FILE", tmp_path / "kept.txt")
    regressions.FILE.write_text("# a title\n")
    case = Case("lp_pool1d", (Array((1, 2, 9)),), {"norm_type": float("inf"), "kernel_size": 3})
    for _ in range(2):
        regressions.keep(case, "value: as called")
    assert regressions.regressions() == [case]


def test_the_program_counts_its_runs() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--runs", "40", "--seed", "3", "--family", "softmax", "--no-keep"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 3), done.stderr
    assert done.stdout.startswith("seed 3\n")
    assert "runs" in done.stdout


def test_a_crash_is_a_finding(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    from . import __main__ as program

    calls: list[list[str]] = []

    def dies(command: list[str]) -> int:
        calls.append(command)
        state = Path(command[command.index("--state") + 1])
        state.write_text("17 9 1 100 250 200 cython.direct@avx2   ")
        return -11 if len(calls) == 1 else 0

    monkeypatch.setattr(program.subprocess, "call", dies)
    argv = ["--runs", "1000", "--seed", "15"]
    assert program.supervise(program.parse(argv), argv) == program.FAILED
    line = "CRASHED with status -11 in case 17, cython.direct@avx2: python -m tests.fuzz --case 17"
    assert line in capfd.readouterr().out
    second = calls[1]
    assert second[second.index("--seed") + 1] == "18"
    assert second[second.index("--before") + 1] == "9 1 100 250 200"
