"""Kernels from outside that state no cost: measured once where a problem is first met, and remembered."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.kernel import Kernel
from fastconv.dispatch import trials, wisdom
from fastconv.dispatch.plan import clear_cache

pytestmark = pytest.mark.one_isa

X = np.arange(-8, 8, dtype="f")
W = np.ones((2, 3, 1, 1), "f")
IMAGES = np.ones((2, 3, 5, 6), "f")


class Silent(Kernel[Any]):
    """ReLU or 1x1 convolution, without a cost; it sleeps for `delay` seconds, and counts its runs."""

    backend = "mine"
    delay = 0.0

    def __init__(self, op: str) -> None:
        self.op, self.algorithm, self.runs = op, f"silent_{op}", 0

    def reject(self, problem: Any) -> str | None:
        if self.op == "elementwise":
            return None if problem.function == "relu" else "does relu only"
        return problem.not_forward or (None if problem.kernel == (1, 1, 1) else "does 1x1 only")

    def workspace(self, problem: Any) -> int:
        return 0

    def error(self, problem: Any) -> float:
        return 0.0

    def prepare(self, problem: Any, constants: Any, threads: int) -> Callable[..., None]:
        def run(x: np.ndarray, out: np.ndarray) -> None:
            self.runs += 1
            time.sleep(self.delay)
            if self.op == "elementwise":
                np.maximum(x, 0, out=out)
            else:
                out[...] = np.einsum("nchwd,kc->nkhwd", x, constants[0][:, :, 0, 0, 0])

        return run


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Silent]]:
    """Registers kernels until the test ends, and forgets what was measured."""
    monkeypatch.setattr(trials, "BUDGET", 0.0)
    done: list[Silent] = []

    def register(op: str, delay: float = 0.0) -> Silent:
        kernel = Silent(op)
        kernel.delay = delay
        F.register(kernel)
        done.append(kernel)
        return kernel

    yield register
    for kernel in done:
        F.unregister(kernel)
    wisdom.clear()


def test_a_slow_one_is_measured_once_and_not_chosen(registered: Any) -> None:
    kernel = registered("conv", 0.02)
    np.testing.assert_array_equal(F.conv2d(IMAGES, W), np.full((2, 2, 5, 6), 3))
    measured = kernel.runs
    assert measured == 1 + trials.FEWEST
    run = F.plan(F.conv2d, IMAGES, W)  # weights are packed beforehand: another problem
    assert run.kernel != kernel.name
    assert kernel.runs == 2 * measured
    F.plan(F.conv2d, IMAGES, W)
    clear_cache()
    F.plan(F.conv2d, IMAGES[:1], W)  # of one kind, whatever the batch
    F.conv2d(IMAGES, W)
    assert kernel.runs == 2 * measured


def test_a_fast_one_is_chosen_and_explained(registered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = registered("conv")
    monkeypatch.setattr(trials, "medians", lambda calls: [2.0, *(1.0 for _ in calls[1:])])
    run = F.plan(F.conv2d, IMAGES, W)
    assert run.kernel == kernel.name
    np.testing.assert_array_equal(run(IMAGES), np.full((2, 2, 5, 6), 3))
    (row,) = (c for c in run.explain().candidates if c.kernel is kernel)
    assert np.isnan(row.cost)
    assert row.able
    assert row.measured == 0.5  # of one image
    text = str(run.explain())
    assert "measured where a problem is first met, because they state no cost: mine.silent_conv\n" in text
    assert re.search(r"\* +mine\.silent_conv +- +500\.00 ms ", text)


def test_the_first_number_of_elements_decides_for_all(registered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = registered("elementwise")
    monkeypatch.setattr(trials, "medians", lambda calls: [2.0, *(1.0 for _ in calls[1:])])
    for size in (4, 16):
        assert F.plan(F.relu, X[:size]).kernel == kernel.name
        np.testing.assert_array_equal(F.relu(X[:size]), np.maximum(X[:size], 0))
    wisdom.clear()
    clear_cache()
    monkeypatch.setattr(trials, "medians", lambda calls: [1.0, *(2.0 for _ in calls[1:])])
    assert {F.plan(F.relu, X[:size]).kernel for size in (4, 16)}.isdisjoint({kernel.name})


def test_what_is_named_or_too_large_is_not_measured(registered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = registered("conv")
    assert F.plan(F.conv2d, IMAGES, W, backend="mine").kernel == kernel.name
    monkeypatch.setattr(trials, "LARGEST", 8)
    assert F.plan(F.conv2d, IMAGES, W).kernel != kernel.name
    assert F.plan(F.conv2d, IMAGES, np.ones((2, 3, 3, 3), "f")).kernel != kernel.name
    assert kernel.runs == 0


def test_times_last_longer_than_a_process(registered: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "folder" / "wisdom.json"
    monkeypatch.setenv("FASTCONV_WISDOM", str(file))
    kernel = registered("conv")
    chosen = F.plan(F.conv2d, IMAGES, W).kernel
    (times,) = json.loads(file.read_text())["times"].values()
    assert kernel.name in times
    assert len(times) == 2
    before = kernel.runs
    wisdom.clear()
    clear_cache()
    wisdom.load(file)
    assert (F.plan(F.conv2d, IMAGES, W).kernel, kernel.runs) == (chosen, before)
    F.plan(F.conv2d, IMAGES, np.ones((4, 3, 1, 1), "f"))
    assert len(json.loads(file.read_text())["times"]) == 2
