"""`fastconv selftest` finds wrong results, and lists the kernels that did not run."""

from __future__ import annotations

import numpy as np
import pytest

from fastconv.bench import selftest as module
from fastconv.bench.selftest import selftest
from fastconv.bench.selftest_cases import FLOATS, QUICK, Check, checks
from fastconv.cli import main
from fastconv.core.arrays import Spec
from fastconv.ops.conv import conv2d

CALLS = [Check(conv2d, (Spec((1, 3, 9, 17), dtype), Spec((5, 3, 3, 3), dtype)), {"padding": 1}) for dtype in QUICK]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_calls", lambda quick: CALLS)


def test_kernels_that_are_right_pass(few, capsys):
    assert main(["selftest", "--quick", "--backend", "numpy,cython", "--threads", "1"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].split() == ["backend", "instructions", "kernels", "runs", "wrong"]
    assert "on 2 problems in " in shown and shown.endswith("s: all right\n")
    assert "not run:" not in shown


def test_kernels_that_are_wrong_fail(few, monkeypatch, capsys):
    right = module.canonical_results
    monkeypatch.setattr(module, "canonical_results", lambda work, y: tuple(r + np.float32(1) for r in right(work, y)))
    assert main(["selftest", "--backend", "numpy"]) == 1
    shown = capsys.readouterr().out
    assert "WRONG: numpy.im2col: conv2d(1x3x9x17 float32, 5x3x3x3 float32, padding=1): error " in shown
    assert " wrong\n" in shown


def test_a_kernel_that_raises_is_wrong(few, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(module, "canonical_results", broken)
    found = selftest(backends=["numpy"])
    assert not found.right and all(words.endswith("RuntimeError: broken") for words in found.failures)


def test_what_does_not_run_is_named_with_its_reason(few):
    found = selftest(backends=["numpy"])
    assert found.right
    assert any(line.startswith("not run: numpy.") for line in found.to_text().splitlines())
    assert not selftest(backends=[]).right


def test_unknown_backends_are_refused(capsys):
    assert main(["selftest", "--backend", "numpi"]) == 2
    assert "numpi" in capsys.readouterr().err


def test_the_problems_are_of_all_families():
    names = {check.operation.__name__ for check in checks(FLOATS)}
    assert {"conv2d", "conv_transpose3d", "max_pool2d", "matmul", "prelu", "cross_entropy", "gaussian_filter"} <= names
    assert len({str(check) for check in checks(FLOATS)}) > 400
