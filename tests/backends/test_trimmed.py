"""Convolutions without the taps that read nothing but padding: which those are, and the same results without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.common import trimmed
from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem
from fastconv.dispatch.plan import clear_cache
from fastconv.dispatch.registry import kernels
from fastconv.machines import host_table
from tests.backends.cython.test_conv import as_dtype, problem

TRIMMED = [k for k in kernels("conv") if isinstance(k, trimmed.Trimmed)]
PLAIN = as_dtype(problem(3, 5, (9, 8), (3, 3), pads=((0, 0), (0, 0))), np.float32)
CASES = [
    problem(40, 24, (1, 64), (7, 7), pads=((3, 3), (3, 3))),
    problem(33, 20, (2, 30), (11, 4), stride=(1, 2), pads=((5, 5), (1, 2)), n=3, activation="relu"),
    problem(20, 17, (5, 3), (4, 9), stride=(3, 2), dilation=(1, 2), pads=((3, 0), (8, 9)), layout="NHWC", n=2),
    problem(64, 64, (1, 1), (3, 3), pads=((1, 1), (1, 1)), layout="NHWC"),
    problem(16, 16, (2, 40), (9, 3), pads=((4, 4), (1, 1)), groups=4, n=2),
    problem(64, 64, (2, 40), (9, 3), pads=((4, 4), (1, 1)), groups=64, n=2),
    problem(12, 9, (3, 2, 31), (7, 5, 3), stride=(2, 1, 1), pads=((3, 3), (2, 2), (1, 4))),
]  # fmt: skip


@pytest.fixture(autouse=True)
def whatever_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimmed, "LEAST_FLOPS", 1.0)


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_taps_that_read_something(stride: int, dilation: int) -> None:
    for extent in (1, 2, 3, 7):
        for kernel in (1, 2, 5, 8):
            for lo in (-1, 0, 1, 3, 9):
                for outputs in (1, 2, 4):
                    at = np.arange(outputs)[:, None] * stride + np.arange(kernel) * dilation - lo
                    used = np.flatnonzero((source_of(at, extent, "zeros") >= 0).any(0))
                    found = trimmed.useful_taps(extent, kernel, stride, dilation, lo, outputs)
                    if used.size:
                        assert (found.start, found.stop) == (used[0], used[-1] + 1)
                    else:
                        assert found == slice(0, 0)


DIVIDED = [
    problem(17, 20, (4, 30), (10, 3), stride=(3, 1), pads=((5, 5), (0, 1)), n=3, activation="relu"),
    problem(20, 17, (9, 5), (7, 3), dilation=(2, 1), pads=((6, 4), (1, 1)), layout="NHWC", n=2),
    problem(16, 16, (8, 21), (9, 4), stride=(2, 2), pads=((4, 4), (1, 1)), groups=16, n=2),
    problem(5, 9, (4, 3, 11), (5, 2, 3), pads=((2, 2), (1, 1), (1, 0)), groups=1),
    problem(6, 12, (1, 13), (1, 9), stride=(1, 2), dilation=(1, 2), pads=((0, 0), (8, 6)), groups=2),
]  # fmt: skip


@pytest.mark.parametrize("p", CASES, ids=str)
@pytest.mark.parametrize("bad", [None, np.nan, np.inf])
def test_every_kernel_gives_what_the_definition_gives(p: ConvProblem, bad: float | None) -> None:
    """Infinite and NaN weights are multiplied by padding, too: 0 times infinity is NaN."""
    fewer, _ = trimmed.trimmed(as_dtype(p, np.float32))
    assert fewer.taps < p.taps
    assert fewer.output == p.output
    defined(p, bad)


@pytest.mark.parametrize("p", DIVIDED, ids=str)
@pytest.mark.parametrize("bad", [None, np.nan])
@pytest.mark.parametrize("way", [0, 1])
def test_parts_give_what_the_definition_gives(
    p: ConvProblem, bad: float | None, way: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trimmed, "PART_FLOPS", 0.0)
    divisions = trimmed.divisions(as_dtype(p, np.float32))
    assert divisions

    def one_way(self: trimmed.Trimmed, q: ConvProblem) -> tuple[trimmed.OutputPart, ...]:
        parts = trimmed.divisions(q)[way % len(divisions)]
        return () if any(self.inner.reject(part.problem) for part in parts) else parts

    monkeypatch.setattr(trimmed.Trimmed, "_parts", one_way)
    clear_cache()
    defined(p, bad)
    clear_cache()


def test_parts_are_taken_where_they_save_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the batch, and whether weights are packed beforehand."""
    kernel = next(k for k in reversed(TRIMMED) if k.algorithm == "direct" and k.reject(PLAIN) is None)
    p = as_dtype(problem(16, 128, (4, 386), (10, 10), stride=(3, 3), pads=((5, 5), (0, 0))), np.float32)
    parts = kernel._parts(p)
    assert [part.taps[1] for part in parts] == [slice(5, 9), slice(2, 6)]
    for same in (replace(p, n=7), replace(p, packed=True)):
        assert [part.taps for part in kernel._parts(same)] == [part.taps for part in parts]
    slow = host_table().with_rates({"trimmed/part": 1.0})
    monkeypatch.setattr(trimmed, "host_table", lambda: slow)
    clear_cache()
    assert kernel._parts(p) == ()
    clear_cache()


def defined(p: ConvProblem, bad: float | None) -> None:
    rng = np.random.default_rng(5)
    shape = (p.n, *p.input, p.ic) if p.layout == "NHWC" else (p.n, p.ic, *p.input)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in (shape, p.w_shape))
    if bad is not None:
        w[0].flat[0] = w[-1].flat[-1] = bad
    bias = rng.standard_normal(p.oc).astype(np.float32)
    options = {"stride": p.stride, "padding": list(p.pads), "dilation": p.dilation, "groups": p.groups,
               "layout": p.layout, "activation": p.activation}  # fmt: skip
    wide = (a.astype(np.float64) for a in (x, w, bias))
    expected = F.conv3d(*wide, **options, backend="reference")
    used = 0
    for kernel in TRIMMED:
        if kernel.reject(as_dtype(p, np.float32)) is not None:
            continue
        y = F.conv3d(x, w, bias, **options, algorithm=kernel.name)
        np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected))
        scale = np.abs(expected[np.isfinite(expected)]).max()
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4 * scale)
        used += 1
    assert used >= 2


def test_what_is_left_as_it_is() -> None:
    p = as_dtype(CASES[0], np.float32)
    assert trimmed.trimmed(p)[0].kernel == (1, 1, 7)
    one_row = replace(p, pads=((0, 0), (0, 0), (3, 3)), kernel=(1, 1, 7))
    for same in (replace(p, mode="replicate"), replace(p, fill=1.0), one_row):
        assert trimmed.trimmed(same)[0] is same


def test_a_problem_that_is_equal_to_one_seen_before_is_left_as_it_is() -> None:
    """What is kept is another object; taking it for a shorter problem copied all weights in every call."""
    kernel = next(k for k in TRIMMED if k.algorithm == "direct" and k.reject(PLAIN) is None)
    for same in (PLAIN, replace(PLAIN)):
        assert type(kernel.specialise(same, 1)) is type(kernel.inner.specialise(same, 1))
