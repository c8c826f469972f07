"""Phases become images: every width, stride and layout, guarded, with the bits that NumPy's assignment gives."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastconv.backends.common.cuts import Cut
from fastconv.backends.common.phases import Assigned, phase_counts
from fastconv.backends.cython.conv.interleave import Interleave
from fastconv.backends.cython.runtime import native
from fastconv.core.machine import ISAS
from fastconv.core.problems.conv import ConvProblem
from tests.guard import guarded
from tests.problems import in_dtype, in_layout, transposed

pytestmark = pytest.mark.one_isa  # every instruction set, by name

every_isa = pytest.mark.parametrize("isa", ISAS)


def volume(p: ConvProblem, images: int, spatial: tuple[int, ...], at: str) -> np.ndarray:
    """(images, oc, D, H, W) in the problem's layout, in guarded memory."""
    if p.layout == "NHWC":
        return guarded((images, *spatial, p.oc), p.out, at).transpose(0, 4, 1, 2, 3)
    return guarded((images, p.oc, *spatial), p.out, at)


def check(isa: str, p: ConvProblem, at: str = "end") -> None:
    rng = np.random.default_rng(p.pixels)
    images = Cut.of(p).images
    whole = rng.standard_normal((images, p.oc, *p.output)).astype(p.out)
    parts = []
    for first in itertools.product(*map(range, phase_counts(p))):
        source = whole[:, :, *(slice(f, None, s) for f, s in zip(first, p.stride, strict=True))]
        part = volume(p, images, source.shape[2:], at)
        part[...] = source
        parts.append(part)
    for interleaver, threads in ((Assigned(), 1), (Interleave(isa), 1), (Interleave(isa), 2), (Interleave(isa), 3)):
        out = volume(p, images, p.output, at)
        interleaver.prepare(p, images, threads)(parts, out)
        assert out.tobytes() == whole.tobytes(), f"{interleaver}, {threads} threads: {p}"


def skip_unavailable(isa: str) -> None:
    reason = native.unavailable(isa)
    if reason is not None:
        pytest.skip(reason)


@every_isa
def test_columns(isa: str) -> None:
    """Rows of one pixel follow each other in memory, as columns do elsewhere."""
    skip_unavailable(isa)
    for height, strides in itertools.product((1, 2, 7, 16, 40), ((2, 1), (3, 2), (5, 4))):
        check(isa, transposed((2, 3, height, 1), (3, 4, 2, 1), stride=strides))


@every_isa
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stride", [2, 3, 5])
def test_every_width(isa: str, dtype: str, stride: int) -> None:
    skip_unavailable(isa)
    for width, at in itertools.product([*range(1, 70), 95, 96, 97, 128], ("start", "end")):
        check(isa, in_dtype(wide(width, stride), dtype), at)
        check(isa, in_dtype(replace(wide(width, stride), stride=(1, 1, stride)), dtype), at)  # perhaps one run of rows


def wide(width: int, stride: int) -> ConvProblem:
    """Outputs of 5 rows and so many columns."""
    return replace(transposed((1, 2, 2, 2), (2, 3, 1, 1), stride=(2, stride)), output=(1, 5, width))


@every_isa
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    "case",
    [
        transposed((4, 6, 9, 11), (6, 5, 3, 3), stride=2, padding=1, output_padding=1),
        transposed((6, 8, 40, 40), (8, 40, 2, 2), stride=2),  # more than one thread, some images at a time
        transposed((2, 3, 4, 5, 6), (3, 4, 2, 3, 4), stride=(2, 3, 4)),
        transposed((1, 3, 1, 1), (3, 7, 2, 3), stride=(4, 5)),  # fewer outputs than phases
        transposed((2, 3, 30), (3, 5, 4), stride=4),
    ],
    ids=str,
)
def test_every_layout(isa: str, layout: str, case: Any) -> None:
    skip_unavailable(isa)
    for dtype in ("float32", "float64"):
        check(isa, in_layout(in_dtype(case, dtype), layout))
