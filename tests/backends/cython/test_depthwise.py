"""The native depthwise kernels: every width of a tile, edge, stride, mode and layout, against unreadable pages."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.conv import depthwise
from fastconv.backends.cython.runtime import native
from fastconv.backends.cython.runtime.shared import FC_MODES
from fastconv.backends.reference.conv import ReferenceConv as Reference
from fastconv.core.kernel import Kernel
from fastconv.core.problems.base import freeze, source_index
from fastconv.core.problems.conv import ConvProblem, conv_problem
from fastconv.dispatch.registry import kernels
from tests.guard import guarded_copy
from tests.problems import lay

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KERNELS = depthwise.KERNELS
MODES = ("zeros", "reflect", "replicate", "circular", "symmetric")


@pytest.fixture(params=KERNELS, ids=lambda k: k.name)
def kernel(request: pytest.FixtureRequest) -> Kernel[ConvProblem]:
    """Each variant that this host can run."""
    reason = native.unavailable(request.param.isa)
    if reason is not None:
        pytest.skip(reason)
    return request.param


def problem(
    spatial: tuple[int, ...],
    taps: tuple[int, ...],
    *,
    n: int = 1,
    channels: int = 2,
    icg: int = 1,
    multiplier: int = 1,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    mode: str = "zeros",
    layout: str = "NCHW",
    dtype: str = "float32",
    bias: bool = True,
    activation: str | None = None,
) -> ConvProblem:
    d = np.dtype(dtype)
    ic, oc = channels * icg, channels * multiplier
    x = (n, ic, *spatial) if layout == "NCHW" else (n, *spatial, ic)
    b = ((oc,), d) if bias else (None, None)
    return conv_problem(
        len(taps),
        x,
        d,
        (oc, icg, *taps),
        d,
        *b,
        stride,
        freeze(padding, "padding"),
        dilation,
        channels,
        layout,
        mode,
        activation,
        False,
    )


@cache
def example(p: ConvProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """x, weights, bias, and the result by definition."""
    rng = np.random.default_rng(len(repr(p)))
    x, w, b = (rng.standard_normal(s).astype(p.dtype) for s in (p.x_shape, p.w_shape, (p.oc,)))
    bias = b if p.bias else None
    want = np.empty(p.y_shape, p.out)
    Reference().prepare(replace(p, activation=None), (w, bias), 1)(x, want)
    if p.activation == "relu":
        want = np.maximum(want, 0)
    return x, w, bias, want


def check(kernel: Kernel[ConvProblem], problems: Iterable[ConvProblem], places: tuple[str, ...] = ("end",)) -> None:
    for p, at in itertools.product(problems, places):
        x, w, bias, want = example(p)
        assert kernel.reject(p) is None
        constants = (guarded_copy(w, at), None if bias is None else guarded_copy(bias, at))
        out = guarded_copy(lay(np.full(p.y_shape, 77, p.out), p.layout), at)
        kernel.prepare(p, constants, 1)(guarded_copy(lay(x, p.layout), at), out)
        tolerance = 4 * kernel.error(p) * np.abs(want).max(initial=1)
        np.testing.assert_allclose(out, want, rtol=0, atol=tolerance, err_msg=str(p))


def lanes(kernel: Kernel[ConvProblem], dtype: str) -> int:
    return native.lanes(kernel.isa, np.dtype(dtype).itemsize)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "taps, stride, padding",
    [(3, 1, 1), (5, 1, 2), (7, 1, 3), (7, 1, 0), (3, 2, 1), (5, 2, 2), (3, 2, 0), (5, 2, 0), (2, 1, 1), (4, 3, 0)],
)
def test_every_width(kernel: Kernel[ConvProblem], dtype: str, taps: int, stride: int, padding: int) -> None:
    widths = range(max(1, taps - 2 * padding), 3 * lanes(kernel, dtype) + 2)
    check(
        kernel,
        (
            problem((9, w), (taps, taps), stride=stride, padding=padding, dtype=dtype, channels=1 + w % 2)
            for w in widths
        ),
        ("start", "end"),
    )


@pytest.mark.parametrize("taps", [5, 7])
def test_the_end_of_a_row_in_half_a_vector(kernel: Kernel[ConvProblem], taps: int) -> None:
    """Rows read from a band and from the image, every height of tile, dilated rows, and several planes."""
    vl, half, many = lanes(kernel, "float32"), taps // 2, taps - 1
    widths = (vl + 1, vl + vl // 2, 3 * vl + vl // 4)
    sizes = itertools.product((4, 5, 7, 12), widths)
    same = [(half, half), (half, half)]
    check(
        kernel,
        (
            *(problem(size, (taps, taps), padding=half, mode=m) for size in sizes for m in ("zeros", "reflect")),
            *(problem((13, w), (taps, taps), padding=[(many, many), same[1]], dilation=(2, 1)) for w in widths),
            *(problem((3, 8, w), (2, taps, taps), padding=[(1, 0), *same]) for w in widths),
        ),
        ("start", "end"),
    )


@pytest.mark.parametrize("taps, stride", [(3, 1), (5, 1), (7, 1), (3, 2), (5, 2), (7, 2)])
def test_two_channels_in_a_vector(kernel: Kernel[ConvProblem], taps: int, stride: int) -> None:
    """Maps of every height and width up to half a vector, some of uneven padding or with a channel left over."""
    sizes = itertools.product(range(3, 9), range(2, 10))
    check(
        kernel,
        (
            problem(
                ((oh - 1) * stride + 1 + h % 2, (ow - 1) * stride + 1 + w % 2),
                (taps, taps),
                n=2,
                channels=2 + (oh + ow) % 4,
                stride=stride,
                padding=[(taps // 2, taps // 2 - (oh + ow) % 3 // 2), (taps // 2, taps // 2 - ow % 3 // 2)],
                activation="relu" if ow % 2 else None,
                bias=oh % 3 > 0,
            )
            for oh, ow in sizes
            for h, w in ((0, 1), (1, 0))
        ),
        ("start", "end"),
    )


@pytest.mark.parametrize("tiles", [4, 5, 7])
def test_widths_of_several_tiles(kernel: Kernel[ConvProblem], tiles: int) -> None:
    vl = lanes(kernel, "float32")
    check(
        kernel,
        (
            problem((8, tiles * vl + extra), (3, kw), padding=[(1, 1), (kw // 2, kw // 2)], stride=stride)
            for extra in (-1, 0, 1)
            for kw in (3, 7)
            for stride in (1, 2)
        ),
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_number_of_rows(kernel: Kernel[ConvProblem], dtype: str) -> None:
    check(
        kernel,
        (
            problem((rows, width), (taps, taps), padding=taps // 2, stride=stride, dtype=dtype, channels=1)
            for rows in range(1, 18)
            for width in (7, 2 * lanes(kernel, dtype) + 1)
            for taps, stride in ((3, 1), (5, 1), (7, 1), (3, 2), (5, 2))
        ),
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_maps(kernel: Kernel[ConvProblem], dtype: str) -> None:
    pads = (((1, 1), (1, 1)), ((2, 0), (1, 1)), ((0, 0), (2, 0)))
    check(
        kernel,
        (
            problem((rows, width), (3, 3), padding=pad, dtype=dtype, channels=3, multiplier=1 + rows % 2)
            for rows in range(3, 10)
            for width in range(3, 10)
            for pad in pads
        ),
        ("start", "end"),
    )
    volume = problem((3, 5, 5), (3, 3, 3), padding=1, dtype=dtype, activation="relu")
    dilated = problem((6, 6), (3, 3), padding=2, dilation=2, dtype=dtype)
    check(kernel, [volume, dilated, problem((6, 6), (3, 1), padding=[(1, 1), (0, 0)], mode="reflect")])


def test_fewer_output_rows_than_the_dilation(kernel: Kernel[ConvProblem]) -> None:
    check(
        kernel,
        (
            problem(((k - 1) * d + rows, w), (k, kw), dilation=(d, 1), stride=(1, sw), padding=((0, 0), (1, 0)))
            for k, d in ((3, 2), (4, 3), (5, 2), (3, 7))
            for rows in (1, 2)
            for kw in (1, 3)
            for w in (6, 40)
            for sw in (1, 2)
        ),
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("multiplier", [1, 2, 5])
def test_every_number_of_channels_in_lanes(kernel: Kernel[ConvProblem], dtype: str, multiplier: int) -> None:
    counts = range(1, 3 * lanes(kernel, dtype) + 2) if multiplier == 1 else (1, 3, 4)
    check(
        kernel,
        (
            problem((3, 5), (3, 3), padding=1, channels=c, multiplier=multiplier, layout="NHWC", dtype=dtype)
            for c in counts
        ),
        ("start", "end"),
    )
    wide = 2 * lanes(kernel, dtype) + 3
    check(kernel, [problem((2, 6), (1, 2), channels=2, multiplier=wide, layout="NHWC", dtype=dtype)], ("start", "end"))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("mode", MODES)
def test_modes_strides_dilations_and_pads(kernel: Kernel[ConvProblem], mode: str, layout: str) -> None:
    check(
        kernel,
        (
            problem(
                (11, 21), taps, stride=stride, dilation=dilation, padding=padding, mode=mode, layout=layout,
                dtype="float64" if sum(stride) % 2 else "float32", n=2,
            )
            for taps in ((3, 3), (1, 4), (5, 2))
            for stride in ((1, 1), (2, 1), (1, 2), (3, 4))
            for dilation in (1, (2, 3))
            for padding in (0, [(2, 0), (1, 5)])
        ),
    )  # fmt: skip


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_volumes_and_multipliers(kernel: Kernel[ConvProblem], mode: str, layout: str) -> None:
    check(
        kernel,
        (
            problem(
                (5, 7, 9), taps, stride=stride, dilation=dilation, padding=[(1, 2), (0, 1), (1, 1)], mode=mode,
                layout=layout, multiplier=3, activation="relu",
            )
            for taps in ((3, 3, 3), (2, 1, 4))
            for stride in (1, (2, 1, 2))
            for dilation in (1, (1, 2, 1))
        ),
        ("start", "end"),
    )  # fmt: skip


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_padding_that_crops_and_padding_with_a_value(kernel: Kernel[ConvProblem], layout: str) -> None:
    whole = problem((9, 23), (3, 3), layout=layout)
    cropped = replace(whole, pads=((0, 0), (-2, -1), (-3, 1)), output=(1, 4, 19))
    filled = replace(problem((9, 23), (3, 3), padding=2, layout=layout), fill=-1.5)
    check(kernel, [cropped, filled, replace(filled, stride=(1, 2, 2), output=(1, 6, 13))], ("start", "end"))


def test_long_rows_are_cut_into_blocks(kernel: Kernel[ConvProblem]) -> None:
    signal = problem((5000,), (65,), padding=32, dilation=2, mode="reflect", channels=1)
    masked = problem((5000,), (9,), padding=4, channels=1)
    strided = problem((3, 4001), (3, 4), stride=2, channels=1, padding=[(1, 1), (2, 2)])
    check(kernel, [signal, masked, strided])
    assert kernel.workspace(signal) < 1 << 20


def test_tall_images_are_cut_into_blocks(kernel: Kernel[ConvProblem]) -> None:
    check(kernel, [problem((h, 20), (3, 3), padding=1, stride=s, channels=1) for h in (57, 130, 301) for s in (1, 2)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blocks_are_prefetched(kernel: Kernel[ConvProblem], dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses of the next block lie beyond the arrays at their ends, on unreadable pages."""
    sizes = ((130, 20), (3, 1), 1), ((61, 50), (5, 5), 2), ((40, 40), (7, 2), 1), ((3, 30, 33), (2, 3, 3), 1)
    problems = [
        problem(spatial, taps, stride=s, padding=1, dilation=d, channels=9, multiplier=m, n=2, dtype=dtype)
        for (spatial, taps, s), d, m in itertools.product(sizes, (1, 3), (1, 2))
    ]
    vl = lanes(kernel, dtype)
    of: Any = depthwise.DepthwiseBlocks.of
    near = [of(p, vl) for p in problems]
    monkeypatch.setattr(depthwise, "l3_bytes", lambda: 0)
    monkeypatch.setattr(depthwise.DepthwiseBlocks, "of", classmethod(of.__func__.__wrapped__))
    far = [depthwise.DepthwiseBlocks.of(p, vl) for p in problems]
    assert far == [replace(blocks, far=blocks.in_place) for blocks in near] and any(blocks.far for blocks in far)
    check(kernel, problems, ("start", "end"))


def test_without_bias_and_with_a_huge_kernel(kernel: Kernel[ConvProblem]) -> None:
    check(
        kernel,
        [
            problem((6, 40), (3, 3), padding=1, bias=False),
            problem((20, 90), (20, 70), padding=30, bias=False, channels=1),
            problem((4, 5), (9, 9), padding=4, bias=False, layout="NHWC", channels=33),
        ],
    )


def test_transposed_convolution_is_served(kernel: Kernel[ConvProblem]) -> None:
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((1, 4, 6, 17)).astype("f"), rng.standard_normal((4, 2, 3, 3)).astype("f")
    turned = [k for k in kernels("conv") if k.name == f"cython.depthwise_transposed@{kernel.isa}"]
    plan = F.plan(F.conv_transpose2d, x, w, stride=2, padding=1, groups=4)
    p = plan.problem
    assert len(turned) == 1 and turned[0].reject(p) is None
    out, want = np.empty(p.y_shape, "f"), np.empty(p.y_shape, "f")
    turned[0].prepare(p, (w[:, :, None], None), 1)(x[:, :, None], out)
    Reference().prepare(p, (w[:, :, None], None), 1)(x[:, :, None], want)
    np.testing.assert_allclose(out, want, rtol=0, atol=4 * kernel.error(p) * np.abs(want).max())


def test_refusals_say_why(kernel: Kernel[ConvProblem]) -> None:
    d = np.dtype("float32")
    dense = conv_problem(
        2, (1, 4, 5, 5), d, (2, 4, 3, 3), d, None, None, 1, 0, 1, 1, "NCHW", "zeros", None, False
    )  # fmt: skip
    assert kernel.reject(dense) == "more than one input channel per group"
    half = np.dtype("float16")
    assert kernel.reject(replace(problem((5, 5), (3, 3)), dtype=half)) == "dtype float16: float32 and float64 only"
    turned = replace(problem((5, 5), (3, 3)), direction="transposed")
    assert kernel.reject(turned) == "direction transposed: other kernels do it"


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_workspace_is_stated_and_bounded(kernel: Kernel[ConvProblem], layout: str) -> None:
    for p in (
        problem((1000, 3000), (7, 7), padding=3, mode="reflect", layout=layout, channels=16),
        problem((64, 64, 64), (3, 3, 3), padding=1, stride=2, layout=layout, channels=64),
    ):
        assert 0 < kernel.workspace(p) < 1 << 20


@pytest.mark.parametrize("mode", FC_MODES)
def test_sources_of_positions_follow_the_padding_of_the_problem(mode: str) -> None:
    source = native.simd().source
    for pads in ([(1, 2), (2, 0)], [(3, 3), (0, 4)], [(0, 0), (1, 1)]):
        p = problem((4, 5), (3, 3), padding=pads, mode=mode)
        _, rows, cols, run0, run1 = native.padded_axes(p, p.mode)
        for axis, extent, (lo, hi) in ((rows, 4, pads[0]), (cols, 5, pads[1])):
            wanted = source_index(extent, lo, hi, mode)
            np.testing.assert_array_equal([source(axis, j) for j in range(wanted.size)], wanted)
            assert [source(axis, wanted.size + j) for j in range(3)] == [-1] * 3
        np.testing.assert_array_equal([source(cols, j) for j in range(run0, run1)], np.arange(5))
    assert [source((5, -2, 3, 0), j) for j in range(4)] == [2, 3, 4, -1]  # cropped
