"""Transposed convolutions by blocks: the same values, little scratch and few problems for images of any size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastconv.backends.common import cuts
from fastconv.backends.common.borders import fold_runs
from fastconv.backends.common.cuts import Cut
from fastconv.backends.common.phases import ByPhases
from fastconv.core.problems.base import source_index, source_runs
from fastconv.core.problems.conv import ConvProblem, input_gradient
from fastconv.dispatch.registry import kernels
from tests.problems import forward, in_dtype, in_layout, transposed

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

WRAPPED = [k for k in kernels("conv") if isinstance(k, ByPhases)]


@pytest.fixture(params=[700, 6_000])
def small_blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Small problems are cut into blocks, as large ones are."""
    for name in ("PARTS_BYTES", "WHOLE_BYTES", "WINDOW_BYTES"):
        monkeypatch.setattr(cuts, name, request.param)
    yield request.param


CASES = [
    transposed((2, 4, 23, 37), (4, 3, 4, 4), stride=2, padding=1),
    transposed((1, 3, 19, 18), (3, 2, 3, 3), stride=2, padding=1, output_padding=1),
    transposed((1, 3, 19, 18), (3, 2, 2, 2), stride=3, output_padding=2),  # outputs without a tap
    transposed((1, 4, 301), (4, 3, 5), stride=3, dilation=2),
    transposed((1, 2, 5, 12, 11), (2, 3, 3, 3, 3), stride=2, padding=1),
    transposed((1, 4, 30, 21), (4, 2, 7, 7), stride=2, groups=2),  # kernels higher than a block
    input_gradient(forward((2, 3, 22, 25), (4, 3, 3, 3), padding=2, mode="reflect", bias=False)),
    input_gradient(forward((1, 3, 22, 25), (4, 3, 5, 5), stride=2, padding=((4, 1), (0, 3)), mode="circular")),
    input_gradient(forward((1, 3, 40), (4, 3, 3), padding=5, mode="replicate", bias=False)),
    input_gradient(forward((1, 2, 6, 7, 8), (2, 2, 3, 3, 3), padding=1, mode="symmetric", bias=False)),
]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_blocks_have_the_values_of_the_whole(case: ConvProblem, layout: str) -> None:
    p = in_layout(in_dtype(case, "float64"), layout)
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(p.x_shape), rng.standard_normal(p.w_shape)
    bias = rng.standard_normal(p.oc) if p.bias else None
    if layout == "NHWC":
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 4, 1)).transpose(0, 4, 1, 2, 3)

    def result(kernel: Any, threads: int = 1) -> np.ndarray:
        n, c, *spatial = p.y_shape
        out = np.full((n, *spatial, c) if layout == "NHWC" else p.y_shape, np.nan)
        out = out.transpose(0, 4, 1, 2, 3) if layout == "NHWC" else out
        kernel.prepare(p, (w, bias), threads)(x, out)
        return out

    wanted = result(kernels("conv")[-1])
    for kernel in WRAPPED:
        if kernel.reject(p) is None:
            found = result(kernel)
            np.testing.assert_allclose(found, wanted, atol=1e-9 * np.abs(wanted).max(), err_msg=kernel.name)
            assert result(kernel, 3).tobytes() == found.tobytes(), kernel.name


LARGE = [
    transposed((1, 3, 8192, 8192), (3, 3, 4, 4), stride=2, padding=1),
    transposed((1, 64, 4096, 4096), (64, 64, 2, 2), stride=2),
    transposed((1, 4, 1 << 24), (4, 4, 5), stride=4),
    transposed((1, 8, 128, 1024, 1024), (8, 8, 3, 3, 3), stride=2),
    transposed((1, 512, 64, 64), (512, 512, 4, 4), stride=2),
    input_gradient(forward((1, 64, 4096, 4096), (64, 64, 3, 3), padding=1, mode="reflect", bias=False)),
    input_gradient(forward((1, 4, 1 << 24), (4, 4, 5), padding=2, mode="circular", bias=False)),
]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("case", LARGE, ids=str)
def test_scratch_does_not_grow_with_the_image(case: ConvProblem, layout: str) -> None:
    p = in_layout(case, layout)
    weights = p.ic * p.ocg * p.taps * p.dtype.itemsize
    for kernel in WRAPPED:
        if kernel.reject(p) is None:
            assert kernel.workspace(p) <= (32 << 20) + 2 * weights, kernel.name


def test_every_output_is_in_a_block_and_fresh_in_one() -> None:
    for p in LARGE:
        cut = Cut.of(replace(p, mode="zeros"), always=True)
        assert cut.blocks > 1 or cut.steps == cut.total
        if cut.blocks < 10_000:
            blocks = list(cut.starts())
            assert len(blocks) == cut.blocks
            fresh = 0
            for first, new in blocks:
                assert all(0 <= f <= n < t for f, n, t in zip(first, new, cut.total, strict=True))
                fresh += int(np.prod([f + s - n for f, s, n in zip(first, cut.steps, new, strict=True)]))
            assert fresh == np.prod(cut.total)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "symmetric"])
def test_runs_are_the_table(mode: str) -> None:
    for extent, lo, hi in itertools.product((1, 2, 5, 9), (0, 1, 4), (0, 1, 4)):
        if mode != "replicate" and max(lo, hi) > extent - (mode == "reflect"):
            continue
        runs = source_runs(extent, lo, hi, mode)
        found = [source + j * step for begin, end, source, step in runs for j in range(end - begin)]
        assert found == source_index(extent, lo, hi, mode).tolist()


def test_runs_of_a_problem() -> None:
    p = input_gradient(forward((1, 1, 6), (1, 1, 3), padding=2, mode="reflect", bias=False))
    assert fold_runs(p)[2] == ((0, 2, 2, -1), (2, 8, 0, 1), (8, 10, 4, -1))
