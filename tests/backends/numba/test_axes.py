"""Where taps lie in a band: the tables that the Numba kernels are driven by, against their definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fastconv.backends.numba.axes import (
    Repeated,
    Window,
    axis_slots,
    band_slots,
    choose_block,
    make_bands,
    runs,
    slots,
    sources,
    tap_sources,
)
from fastconv.core.problems.base import source_index

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

MODES = ("zeros", "reflect", "replicate", "circular", "symmetric")


def test_output_and_tap_find_their_position() -> None:
    for outputs, k, s, d in itertools.product((1, 2, 5, 14), (1, 2, 3, 7), (1, 2, 3, 5), (1, 2, 3, 40)):
        offset, position = axis_slots(outputs, k, s, d)
        i, t = np.arange(outputs)[:, None], np.arange(k)
        np.testing.assert_array_equal(position[i + offset[t]], i * s + t * d)
        assert position.size <= slots(outputs, k, s, d) <= k * outputs


def test_slots_are_shared_where_windows_overlap() -> None:
    assert axis_slots(56, 3, 1, 1)[1].size == 58
    assert axis_slots(56, 7, 2, 1)[1].size == 56 + 3 + 56 + 2
    assert axis_slots(10, 3, 1, 1000)[1].size == 30  # the gaps between far taps are not kept


def test_runs_say_the_same_as_the_sources() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        source = np.repeat(rng.integers(-1, 6, rng.integers(1, 12)), rng.integers(1, 3))
        again = np.full(source.size, -9)
        for slot, first, count, step in runs(source):
            again[slot : slot + count] = -1 if first < 0 else first + step * np.arange(count)
        np.testing.assert_array_equal(again, source)
    assert runs(np.arange(3, 50)) == [(0, 3, 47, 1)]
    assert runs(np.array([-1, -1, 0, 2, 4, -1])) == [(0, -1, 2, 0), (2, 0, 3, 2), (5, -1, 1, 0)]


@pytest.mark.parametrize("mode", MODES)
def test_sources_are_those_of_the_problem(mode: str) -> None:
    for extent, lo, hi in ((7, 3, 2), (5, -1, 4), (6, 0, 0), (4, 3, -2)):
        want = source_index(extent, lo, hi, mode)
        position = np.arange(want.size)
        np.testing.assert_array_equal(sources(position, extent, lo, hi, mode), want)
        beyond = sources(want.size + np.arange(3), extent, lo, hi, mode)
        np.testing.assert_array_equal(beyond, [-1, -1, -1])


def window(**change: object) -> Window:
    given: dict[str, object] = {
        "input": (1, 56, 56), "kernel": (1, 3, 3), "stride": (1, 1, 1), "dilation": (1, 1, 1),
        "pads": ((0, 0), (1, 1), (1, 1)), "output": (1, 56, 56), "mode": "zeros", "layout": "NCHW", "c": 64,
    }  # fmt: skip
    return Window(**{**given, **change})  # type: ignore[arg-type]


def test_blocks_stay_within_their_bounds() -> None:
    for w, planes in ((window(), 64), (window(), 2048), (window(kernel=(1, 31, 31)), 3), (window(stride=(1, 2, 2)), 7)):
        rows, cols = choose_block(w, planes, 4, 14, 32, 256 << 10)
        assert 1 <= rows <= w.output[1]
        assert 1 <= cols <= w.output[2]
        smallest = (rows, cols) == (1, 14)
        assert smallest or planes * band_slots(w, rows, cols) * 4 <= 256 << 10


def test_tables_do_not_grow_with_padding_or_stride() -> None:
    huge = 10**9
    w = window(
        input=(1, 3, 3), kernel=(1, 1, 1), stride=(1, huge, huge), pads=((0, 0), (huge, huge), (huge, huge)),
        output=(1, 3, 3),
    )  # fmt: skip
    assert make_bands(w, 3, 3).table.size < 100
    np.testing.assert_array_equal(tap_sources(w), [0, -1, 0, -1, -1, 0, -1])


def test_tables_are_kept_and_shared() -> None:
    first = make_bands(window(), 8, 56)
    assert make_bands(window(), 8, 56) is first
    assert not first.table.flags.writeable


@pytest.mark.parametrize("mode", MODES)
def test_blocks_in_the_middle_of_an_axis_are_kept_once(mode: str) -> None:
    for extent, (lo, hi), s, d, k, cols in itertools.product(
        (3, 40, 400), ((0, 0), (2, 1), (-2, -3), (30, 30)), (1, 3), (1, 2), (1, 4), (1, 5, 16)
    ):
        positions = source_index(extent, lo, hi, mode) if mode == "zeros" or max(lo, hi) < extent else ()
        outputs = (len(positions) - (k - 1) * d - 1) // s + 1
        if outputs < 1:
            continue
        reads = axis_slots(cols, k, s, d)[1]
        blocks = -(-outputs // cols)
        few = Repeated.of(blocks, cols * s, reads, extent, lo, hi)
        kept = sources(few.kept[:, None] * few.step + reads, extent, lo, hi, mode)
        assert len(kept) == blocks - few.skip
        for block in range(blocks):
            on = max(0, min(block - few.first, few.skip))
            found = kept[block - on] + (on * few.step if block - on == few.first else 0)
            np.testing.assert_array_equal(found, sources(block * few.step + reads, extent, lo, hi, mode))


def test_tables_are_as_long_as_borders() -> None:
    pads = ((0, 0), (0, 0), (4, 4))
    w = Window((1, 1, 2**40), (1, 1, 9), (1, 1, 2), (1, 1, 1), pads, (1, 1, 2**39), "zeros", "NCHW", 1)
    assert make_bands(w, 1, 512).table.size < 1000
