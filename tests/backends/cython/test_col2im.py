"""Compiled transposed convolution by a product and a sum, of windows or of rows: blocks, remainders, guarded memory."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.common.outside import reads_outside
from fastconv.backends.cython.conv import col2im, row_sums
from fastconv.backends.cython.runtime import native
from fastconv.backends.reference.conv import ReferenceConv
from fastconv.core.caches import forget
from fastconv.core.problems.conv import ConvProblem
from fastconv.dispatch.choice import choose
from fastconv.dispatch.options import Options
from fastconv.dispatch.survey import survey
from tests.guard import guarded, guarded_copy
from tests.problems import in_dtype, in_layout, lay, transposed, transposed_corners

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

every_kernel = pytest.mark.parametrize("kernel", (*col2im.KERNELS, *row_sums.KERNELS), ids=lambda k: k.name)
every_layout = pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def skip_unavailable(kernel: Any) -> None:
    reason = native.unavailable(kernel.isa)
    if reason is not None:
        pytest.skip(reason)


def result(p: ConvProblem, at: str) -> np.ndarray:
    n, c, *spatial = p.y_shape
    if p.layout == "NHWC":
        return guarded((n, *spatial, c), p.out, at).transpose(0, 4, 1, 2, 3)
    return guarded(p.y_shape, p.out, at)


def check(kernel: Any, p: ConvProblem) -> None:
    """The oracle's values, exactly, because they are small whole numbers; for weights packed beforehand and not."""
    rng = np.random.default_rng(p.pixels + p.oc)
    x, w, bias = (rng.integers(-4, 5, s).astype(p.dtype) for s in (p.x_shape, p.w_shape, (p.oc,)))
    given = bias if p.bias else None
    want = np.empty(p.y_shape, p.out)
    ReferenceConv().prepare(p, (w, given), 1)(x, want)
    for at, packed, threads in (("end", False, 1), ("start", True, 2), ("end", True, 1), ("start", False, 3)):
        q = replace(p, packed=packed)
        if kernel.algorithm == "row_sums" and p.layout == "NHWC" and p.icg > row_sums.GIVEN_CHANNELS:
            assert kernel.reject(q) == "layout NHWC: more than 2 input channels per group"
            return
        assert kernel.reject(q) is None
        held = tuple(None if a is None else guarded_copy(a, at) for a in (w, given))
        y = result(p, at)
        kernel.prepare(q, held, threads)(guarded_copy(lay(x, p.layout), at), y)
        np.testing.assert_array_equal(y, want, err_msg=f"{kernel.name}, packed {packed}: {p}")


@every_dtype
@every_layout
@every_kernel
def test_strides_paddings_dilations_and_groups(kernel: Any, layout: str, dtype: str) -> None:
    skip_unavailable(kernel)
    some = product((1, 2, (3, 1)), (0, 1, (2, 0)), (1, 2, (1, 3)), (1, 2))
    for stride, padding, dilation, groups in some:
        p = transposed((2, 4, 4, 5), (4, 3, 3, 2), stride=stride, padding=padding, dilation=dilation, groups=groups)
        check(kernel, in_layout(in_dtype(p, dtype), layout))
    for p in transposed_corners():
        check(kernel, in_layout(in_dtype(p, dtype), layout))


@every_layout
@every_kernel
def test_every_remainder(kernel: Any, layout: str) -> None:
    """Of pixels, output channels, taps and depth."""
    skip_unavailable(kernel)
    for i in range(1, 40):
        width, taps = i % 17 + 1, (i % 3 + 1, i % 19 + 1)
        p = transposed((1 + i % 3, i % 5 + 1, 2, width), (i % 5 + 1, i, *taps), stride=(1 + i % 2, 1 + i % 4))
        check(kernel, in_layout(replace(p, bias=bool(i % 2)), layout))
    for n, pixels in product((1, 3, 16, 33), (1, 2, 3, 5)):  # tiles of several images
        check(kernel, in_layout(transposed((n, 7, 1, pixels), (7, 5, 2, 3), stride=2, padding=(0, 1)), layout))
    for c, multiple, groups, width in ((1, 3, 2, 9), (5, 1, 1, 33), (17, 1, 2, 9), (34, 3, 1, 1)):  # few input channels
        p = transposed((2, c * groups, 3, width), (c * groups, multiple, 4, 10), stride=(2, 5), padding=1, groups=c)
        check(kernel, in_layout(replace(p, bias=bool(c % 2)), layout))
    for taps in (15, 16, 17, 33, 70):
        check(kernel, in_layout(transposed((2, 3, 9), (3, 2, taps), stride=4, padding=3), layout))


@every_layout
@pytest.mark.parametrize("kernel", col2im.KERNELS, ids=lambda k: k.name)
def test_blocks_of_channels_and_images(kernel: Any, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_unavailable(kernel)
    for kernel_size, stride, padding, groups in ((3, 2, 1, 2), (2, 2, 0, 1), (2, 3, 0, 2)):
        p = transposed((5, 6, 3, 4), (6, 11, kernel_size, kernel_size), stride=stride, padding=padding, groups=groups)
        check_blocks(kernel, in_layout(replace(p, bias=groups == 1), layout), monkeypatch)


def check_blocks(kernel: Any, p: ConvProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = (np.random.default_rng(1).standard_normal(s).astype("f") for s in (p.x_shape, p.w_shape))
    bits = set()
    for channels, images in product((1, 2, 3, 4, 11), (1, 2, 5)):
        blocks = col2im.Col2imBlocks(channels, images, *col2im._apart(p))
        monkeypatch.setattr(col2im.Col2imBlocks, "of", lambda *_, b=blocks: b)
        check(kernel, p)
        y = result(p, "end")
        kernel.prepare(p, (w, np.zeros(p.oc, "f")), 1)(lay(x, p.layout), y)
        bits.add(np.ascontiguousarray(y).tobytes())
    assert len(bits) == 1


@pytest.mark.parametrize("kernel", row_sums.KERNELS, ids=lambda k: k.name)
def test_strips_of_images_rows_and_pixels(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every size of a strip, none of them, and every block of channels give the same bits."""
    skip_unavailable(kernel)
    monkeypatch.setattr(row_sums, "DEEP", 4)
    for p in (
        transposed((5, 6, 3, 4), (6, 11, 3, 3), stride=2, padding=1, groups=2),
        transposed((2, 3, 19, 37), (3, 4, 5, 3), stride=(2, 3), padding=(2, 0), dilation=(2, 1)),
        transposed((2, 3, 23, 10), (3, 4, 7, 2), stride=(1, 2), padding=(5, 0)),
        replace(transposed((1, 5, 21, 36), (5, 3, 2, 3), stride=(2, 3)), bias=True),
        replace(transposed((9, 5, 3, 5), (5, 7, 1, 2), stride=(3, 2), padding=(1, 0)), bias=True),
        transposed((2, 4, 3, 4, 5), (4, 9, 2, 1, 3), stride=(2, 2, 3), padding=(1, 0, 0)),
        transposed((2, 4, 301), (4, 3, 16), stride=8, padding=4),
        transposed((1, 4, 290), (4, 2, 40), stride=3, padding=60, dilation=2),
        transposed((1, 4, 3, 5, 6), (4, 3, 3, 2, 3), stride=(2, 1, 3), padding=(2, 1, 3), dilation=(3, 2, 1)),
    ):
        rng = np.random.default_rng(1)
        x, w, bias = (rng.standard_normal(s).astype("f") for s in (p.x_shape, p.w_shape, (p.oc,)))
        bits = set()
        for sums, weights in ((1, 1), (1 << 13, 1 << 20), (1 << 15, 300), (1 << 20, 1 << 20)):
            sizes = {row_sums.SUMS: sums, row_sums.WEIGHTS: weights}
            monkeypatch.setattr(row_sums, "block_bytes", sizes.__getitem__)
            forget()
            check(kernel, p)
            y = result(p, "end")
            kernel.prepare(p, (w, bias if p.bias else None), 1)(x.reshape(p.x_shape), y)
            bits.add(np.ascontiguousarray(y).tobytes())
        assert len(bits) == 1
    forget()


@every_kernel
def test_planes_and_rows_that_are_cut_off(kernel: Any) -> None:
    skip_unavailable(kernel)
    for p in (
        transposed((1, 2, 8, 9), (2, 2, 2, 2), padding=3),
        transposed((1, 1, 9), (1, 1, 1), stride=2, padding=5),
        transposed((2, 2, 3, 4, 5), (2, 3, 3, 2, 3), stride=(2, 1, 3), padding=(2, 1, 3), dilation=(3, 2, 1)),
    ):
        check(kernel, p)


@every_kernel
def test_it_leaves_other_problems_to_others(kernel: Any) -> None:
    skip_unavailable(kernel)
    p = transposed((1, 512, 4, 4), (512, 2, 64, 64), stride=32)
    assert kernel.reject(p) == "one output channel takes more than 4 MiB"
    assert kernel.reject(transposed((1, 0, 4, 4), (0, 2, 3, 3))) == "no channels"
    assert kernel.reject(replace(p, direction="forward")) == "direction forward: transposed only"


def test_where_zeros_beside_the_input_take_part() -> None:
    assert not reads_outside(transposed((1, 3, 5, 5), (3, 4, 2, 2), stride=2))
    assert not reads_outside(transposed((1, 3, 5, 5), (3, 4, 1, 2), stride=2, padding=(0, 1)))
    assert reads_outside(transposed((1, 3, 5, 5), (3, 4, 3, 3), stride=2))
    assert reads_outside(transposed((1, 3, 1, 1), (3, 4, 2, 2)))
    assert not reads_outside(transposed((1, 3, 5, 5), (3, 4, 1, 1)))
    assert reads_outside(transposed((1, 3, 5, 5), (3, 4, 2, 2), stride=4, output_padding=3))


def test_few_pixels_of_many_channels_choose_products() -> None:
    generator = transposed((16, 100, 1, 1), (100, 512, 4, 4))
    vocoder = transposed((1, 512, 32), (512, 256, 16), stride=8)
    for p, products in ((generator, {"col2im"}), (replace(generator, packed=True), {"col2im"}),
                        (vocoder, {"col2im", "row_sums"})):  # fmt: skip
        kernel = choose(p, Options()).kernel
        if kernel.backend == "cython" and kernel.isa != "portable":
            costs = {c.kernel: c.cost for c in survey(p, Options())}
            # A build of one instruction set leaves products that are a little slower than another kernel.
            assert min(cost for k, cost in costs.items() if k.algorithm in products) <= 1.25 * costs[kernel]


def test_called_and_planned_have_the_same_bits() -> None:
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((3, 20, 5, 6)).astype("f"), rng.standard_normal((20, 9, 4, 4)).astype("f")
    options: dict[str, Any] = {"stride": 2, "padding": 1, "algorithm": "col2im", "backend": "cython"}
    y = F.conv_transpose2d(x, w, **options)
    assert F.plan(F.conv_transpose2d, x, w, **options)(x).tobytes() == y.tobytes()
    for i in range(3):
        assert F.conv_transpose2d(x[i : i + 1], w, **options).tobytes() == y[i : i + 1].tobytes()
