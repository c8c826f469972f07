"""Both kinds of bands of the compiled direct convolution, in one part and in several, with channels and with pixels in
lanes, on every kind of problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.common.trimmed import trimmed
from fastconv.backends.cython.conv import direct
from fastconv.backends.cython.runtime import native
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes
from tests.backends.cython.test_conv import DTYPES, KERNELS, as_dtype, case, check, problem, run

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

DIRECT = [k for k in KERNELS if k.algorithm == "direct"]
every_kernel = pytest.mark.parametrize("kernel", DIRECT, ids=lambda k: k.name)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)

ONE = ((1, 1), (1, 1))
STRIDES = ((2, 2), (3, 1), (1, 3), (4, 5))
PROBLEMS = [
    *(problem(5, 37, (h, w), (3, 3), pads=ONE) for h, w in ((7, 7), (2, 1), (9, 2), (3, 13), (6, 31))),
    *(problem(3, 20, (11, 13), (3, 4), stride=s, pads=((2, 0), (1, 3)), layout="NHWC") for s in STRIDES),
    *(problem(3, 20, (11, 13), (3, 2), stride=(2, 1), dilation=d, pads=((2, 4), (3, 1))) for d in ((2, 3), (3, 2))),
    *(problem(4, 18, (5, 6), (3, 3), pads=((2, 1), (1, 2)), mode=m) for m in ("reflect", "replicate", "circular")),
    problem(4, 18, (5, 6), (3, 3), pads=((2, 1), (-1, 2)), mode="constant", fill=1.5),
    problem(6, 34, (7, 5), (3, 3), groups=2, n=3, pads=ONE, activation="relu"),
    problem(3, 19, (4, 5, 6), (3, 2, 3), stride=(2, 1, 1), dilation=(1, 2, 1), pads=((1, 1), (1, 0), (1, 1))),
    problem(2, 17, (9, 1), (5, 1), bias=False),
    *(problem(3, 20, (17, 13), (k, 2), stride=(s, 3), dilation=(d, 1), pads=((2, 1), (0, 1)))
      for k, s, d in ((1, 3, 1), (2, 4, 1), (2, 3, 2), (2, 5, 3))),  # rows that no window reads
]  # fmt: skip


def force(monkeypatch: pytest.MonkeyPatch, flat: bool, channels: int, pixels: bool = False) -> None:
    """Bands of one kind, `channels` at a time, `pixels` in lanes or channels, and accumulators of two blocks of output
    channels at most."""

    def of(p: ConvProblem, isa: str, threads: int, apart: bool = False) -> direct.DirectBlocks:
        tile = native.tile(isa, p.acc.itemsize)
        blocks = direct.DirectBlocks.flattened(p, *tile) if flat else direct.DirectBlocks.in_rows(p, *tile, threads)
        return replace(blocks, channels=min(channels, p.icg * p.kernel[0]), k_chunk=2, pixels=pixels)

    monkeypatch.setattr(direct.DirectBlocks, "of", of)


@pytest.mark.parametrize("channels", [2, 1000])
@pytest.mark.parametrize("flat", [False, True], ids=["rows", "flat"])
@every_dtype
@every_kernel
def test_both_bands(kernel: Any, dtype: Any, flat: bool, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = kernel.reject(as_dtype(PROBLEMS[0], dtype))
    if reason is not None:
        pytest.skip(reason)
    for pixels in (False, True):
        force(monkeypatch, flat, channels, pixels)
        for p in PROBLEMS:
            assert check(kernel, p, dtype)


@pytest.mark.parametrize("flat", [False, True], ids=["rows", "flat"])
@every_kernel
def test_planes_are_prefetched(kernel: Any, flat: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images from memory: addresses of the plane after the last one lie on unreadable pages."""
    if kernel.reject(as_dtype(PROBLEMS[0], np.float32)) is not None:
        pytest.skip("not here")
    force(monkeypatch, flat, 2)
    monkeypatch.setattr(direct, "l3_bytes", lambda: 0.0)
    for p in (*PROBLEMS, *VOLUMES):
        assert check(kernel, p, np.float32)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("flat", [False, True], ids=["rows", "flat"])
@every_kernel
def test_lanes_do_not_change_bits(kernel: Any, flat: bool, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of channels of a tile, and pixels around a vector and two: lanes are chosen by speed alone."""
    p = replace(problem(5, 1, (3, 4), (2, 3), activation="relu", pads=ONE), layout=layout)
    if kernel.reject(as_dtype(p, np.float32)) is not None:
        pytest.skip("not here")
    sizes = ((1, 31), (2, 32), (3, 7), (4, 65), (5, 16), (6, 17), (7, 33), (13, 5), (14, 64), (15, 9), (29, 3))
    for channels, width in sizes:
        width = min(width, direct.FLAT_COLS) if flat else width
        p = replace(problem(5, channels, (3, width), (2, 3), activation="relu", pads=ONE), layout=layout)
        x, w, bias, _ = case(p)
        found = []
        for pixels in (False, True):
            force(monkeypatch, flat, 2, pixels)
            found.append(run(kernel, as_dtype(p, np.float32), x, w, bias, "end"))
        np.testing.assert_array_equal(*found)


VOLUMES = [
    problem(3, 19, (4, 5, 6), (3, 2, 3), stride=(2, 1, 1), dilation=(1, 2, 1), pads=((1, 1), (1, 0), (1, 1))),
    problem(4, 34, (7, 3, 5), (2, 3, 2), pads=((0, 1), (1, 1), (2, 0)), groups=2, n=2, layout="NHWC"),
    problem(5, 40, (9, 1, 1), (4, 2, 3), stride=(2, 1, 1), pads=((1, 2), (1, 1), (1, 1)), activation="relu"),
    problem(3, 18, (9, 1), (5, 2), pads=((2, 1), (1, 1)), bias=False),
    problem(3, 2, (9, 2, 7), (3, 2, 3), pads=((1, 1), (1, 0), (1, 1))),
    problem(2, 5, (3, 6, 1), (2, 3, 1), pads=((1, 0), (2, 1), (0, 0)), mode="replicate", n=3),
]


@every_dtype
@every_kernel
def test_axes_in_every_order(kernel: Any, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if kernel.reject(as_dtype(VOLUMES[0], dtype)) is not None:
        pytest.skip("not here")
    for p64 in VOLUMES:
        orders = direct.axis_orders(as_dtype(p64, dtype))
        assert orders[0] == direct.GIVEN and len(orders) > 1
        for order in orders:
            monkeypatch.setattr(direct.Direct, "_order", lambda self, p, order=order: order)
            assert check(kernel, p64, dtype), order


def test_a_column_is_a_row() -> None:
    """Of a volume of one column, output pixels lie side by side, also in a plan and in a repeated call."""
    kernel = next((k for k in direct.KERNELS if native.unavailable(k.isa) is None), None)
    if kernel is None:
        pytest.skip("nothing compiled")
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((1, 56, 300, 1, 1)).astype("f"), rng.standard_normal((4, 56, 4, 4, 4)).astype("f")
    p = replace(F.plan(F.conv3d, x, w, padding=(0, 2, 2)).problem, packed=False)
    assert kernel._order(trimmed(p)[0])[2] == 0
    want = F.conv3d(x, w, padding=(0, 2, 2), backend="reference")
    for got in (*(F.conv3d(x, w, padding=(0, 2, 2), algorithm=kernel.name) for _ in range(4)),
                F.plan(F.conv3d, x, w, padding=(0, 2, 2), algorithm=kernel.name)(x)):  # fmt: skip
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_few_channels_have_pixels_in_lanes() -> None:
    few, many = (as_dtype(problem(64, c, (9, 64), (3, 3), pads=ONE), np.float32) for c in (3, 64))
    assert direct.DirectBlocks.of(few, "avx512", 1).pixels
    assert not direct.DirectBlocks.of(many, "avx512", 1).pixels


@every_kernel
def test_a_flat_band_in_blocks_of_rows(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last block has fewer rows, and the band keeps its shape."""
    p = problem(3, 20, (11, 6), (3, 3), stride=(2, 1), pads=((2, 2), (1, 1)))
    if kernel.reject(as_dtype(p, np.float32)) is not None:
        pytest.skip("not here")
    force(monkeypatch, True, 1000)
    sums = 3 * 6 * native.tile(kernel.isa, 4)[1] * 4
    monkeypatch.setattr(direct, "block_bytes", lambda name: sums if name == direct.SUMS else block_bytes(name))
    blocks = direct.DirectBlocks.of(as_dtype(p, np.float32), kernel.isa, 1)
    assert (blocks.flat, blocks.rows, p.output[1]) == (True, 3, 7)
    assert check(kernel, p, np.float32)


def test_narrow_maps_are_flat_where_tiles_gain() -> None:
    """Seven pixels are a tile of 6 and a remainder with AVX2, and half a tile of 14 with AVX-512."""
    narrow = as_dtype(problem(64, 256, (7, 7), (3, 3), pads=ONE), np.float32)
    wide = as_dtype(problem(64, 256, (24, 24), (3, 3), pads=ONE), np.float32)
    assert direct.DirectBlocks.of(narrow, "avx2", 1).flat
    assert not direct.DirectBlocks.of(wide, "avx2", 1).flat
    many = as_dtype(problem(512, 512, (7, 7), (3, 3), pads=ONE), np.float32)
    blocks = [direct.DirectBlocks.of(many, "avx2", threads) for threads in (1, 2, 4)]
    assert all(b.flat and b.channels == blocks[0].channels < 512 for b in blocks)
    assert blocks[0].channels * blocks[0].channel(many) * 4 <= block_bytes(direct.BAND)


@every_kernel
def test_planes_that_run_backwards_are_copied_for_kernels(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    p64 = problem(3, 20, (6, 7), (3, 3), pads=ONE)
    p = as_dtype(p64, np.float32)
    if kernel.reject(p) is not None:
        pytest.skip("not here")
    force(monkeypatch, True, 1000)
    x, w, bias, _ = case(p64)
    expected = run(kernel, p, x, w, bias, "end")
    backwards = np.ascontiguousarray(x[..., ::-1, :].astype(np.float32))[..., ::-1, :]
    assert backwards.strides[3] < 0
    weights, sums = w.astype(np.float32), bias.astype(np.float32)
    with pytest.raises(AssertionError, match="axis 3 of a canonical view has stride -7, not 7"):
        kernel.prepare(p, (weights, sums), 1)(backwards, np.empty_like(expected))
    y = F.conv2d(backwards[:, :, 0], weights[:, :, 0], sums, padding=1, algorithm=kernel.name)
    np.testing.assert_array_equal(y[:, :, None], expected)
