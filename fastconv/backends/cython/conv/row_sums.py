"""Transposed convolution with pixels in lanes: each phase of a result row is a sum of shifted rows, one for each tap.

As in `col2im`, one product has all taps as its rows and is followed by a sum of windows, and the phases of a stride are
no convolutions of their own.  But its columns are pixels, so that the sum, too, works on whole vectors, which are
interleaved when they are stored: with channels first, the windows of a pixel are rows of a few elements, and take as
long as the product.  With few input channels there is no product: the sum multiplies rows of the image, or with
channels last of planes that are transposed beforehand.

Register tile: MR rows of weights x 2 vectors of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np

from fastconv.backends.common.outside import reads_outside
from fastconv.backends.cython.conv.transposed import PackedOnce, Transposed
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few, keep_tables
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind
from fastconv.core.numbers import ceil_div, even_part, round_up, whole_lines
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, streamed, traffic

# Blocks: of the packed weights of an item, and of the products of a strip.
WEIGHTS, SUMS = "cython.conv.row_sums/weights", "cython.conv.row_sums/sums"
LARGEST_BYTES = 4 << 20  # of one output channel: of its weights, or of the products of a strip
PIXELS = 4096  # of an item, at least: packing the weights takes a small part of its time
GIVEN_CHANNELS = 2  # with so many input channels there is no product
MANY_PHASES = 5  # of a row are lanes, as interleaving them would take longer
POINTER = 8

# Products are stored tile by tile with so many input channels, at least, and a result of so many strips' sizes.
DEEP, LARGE = 32, 6
PANELS = 2  # of pixels, for which that is done; the same as in _row_sums.pyx

TILE_STEPS = 4.3  # as in `col2im`


@dataclass(frozen=True, slots=True)
class PhaseAxes:
    """Which taps the elements of each phase have: along a row as tables, along the others as the first and the step.

    Element j of a phase of a row has pixels j + `early` to j + `late`.
    """

    starts: np.ndarray
    taps: np.ndarray
    first_d: np.ndarray
    first_h: np.ndarray
    steps: tuple[int, int]
    early: int
    late: int

    @classmethod
    @keep_tables(lambda made: made.starts.nbytes + made.taps.nbytes + made.first_d.nbytes + made.first_h.nbytes)
    def of(cls, p: ConvProblem) -> PhaseAxes:
        (_, _, k), (_, _, s), (_, _, d), (_, _, o) = p.kernel, p.stride, p.dilation, p.output
        t = np.arange(k)
        q = (t * d - p.pads[2][0]) % s
        shift = (q + p.pads[2][0] - t * d) // s
        first, end = np.maximum(0, -shift), np.minimum(-((q - o) // s), p.input[2] - shift)
        order = np.argsort(q, kind="stable")
        order = order[(q < o)[order] & (first < end)[order]]
        table = np.stack((t, shift, first, end), 1)[order].astype(np.intp)
        starts = np.searchsorted(q[order], np.arange(min(s, o) + 1)).astype(np.intp)
        firsts, steps = [], []
        for axis in (0, 1):
            k, s, d = p.kernel[axis], p.stride[axis], p.dilation[axis]
            steps.append(s // gcd(s, d))
            found = {t * d % s: t for t in reversed(range(min(k, steps[-1])))}
            firsts.append(np.array([found.get(r, k) for r in range(s)], np.intp))
        shifts = table[:, 1]
        early, late = (int(shifts.min()), int(shifts.max())) if len(table) else (0, 0)
        return cls(starts, table, firsts[0], firsts[1], (steps[0], steps[1]), early, late)


@dataclass(frozen=True, slots=True)
class SumBlocks:
    """Output channels and images of an item; images of a strip (`together`), or else its rows or pixels (`lines`)."""

    given: bool  # there is no product
    in_lanes: bool  # phases are lanes
    single: bool  # each element of the result is one product
    at_once: bool  # and is stored with its tile, of which the result's lines are prefetched before
    channels: int
    images: int
    together: int
    lines: int
    pitch: int
    part: int
    pieces: tuple[int, int, int, int, int, int, int]
    groups: int  # of an item
    line: int

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, isa: str, threads: int) -> SumBlocks:
        size = p.acc.itemsize
        mr, nr = native.tile(isa, size)
        vl = nr // 2
        given, single = p.icg <= GIVEN_CHANNELS, _is_single(p)
        result = p.oc * p.pixels * size
        # The result leaves the cache, and tiles take a while.
        at_once = single and p.icg >= DEEP and result > LARGE * block_bytes(SUMS)
        (kd, kh, _), (d, h, w), sw = p.kernel, p.input, p.stride[2]
        outputs, pixels = ceil_div(p.output[2], sw), d * h * w
        images = min(max(p.n, 1), ceil_div(PIXELS, max(1, pixels)))
        most = p.ocg if given else min(p.ocg, max(1, block_bytes(WEIGHTS) // (p.icg * p.taps * size)))
        if threads > 1:  # enough items for all threads
            images = min(images, ceil_div(max(p.n, 1), threads))
            items = p.groups * ceil_div(max(p.n, 1), images)
            most = min(most, ceil_div(p.ocg, ceil_div(2 * threads, items)))
        together, lines, width, held = 1, 0, pixels, 0
        if not given and not at_once:
            whole, held, least = _strip(p)
            budget = block_bytes(SUMS) // (p.taps * size)
            wanted = pixels if whole else held + max(least, 4 * nr)
            most = min(most, max(1, budget // max(1, min(pixels, wanted))))
        last, groups, line = p.layout == "NHWC", 1, 0
        if last:  # whole vectors of channels, to be transposed
            most, line = p.ocg, round_up(p.output[2], nr)
            groups = min(p.groups, ceil_div(vl, p.ocg))
        channels = even_part(p.ocg, max(1, most))
        if not given and not at_once:
            fit = budget // channels
            if whole or pixels <= fit:
                together = min(images, max(1, fit // max(1, pixels)))
                width = together * pixels
            else:
                lines = max(1, (fit - held) // least)
                lines = even_part(h if h > 1 else w, lines)
                together, width = 0, lines * least + held
        pitch = 0 if given else round_up(width, vl) + nr + vl
        if pitch * size % 4096 == 0:
            pitch += vl
        axes = PhaseAxes.of(p)
        longest = outputs
        if lines and h == 1:
            longest = min(outputs, lines + abs(axes.late) + abs(axes.early) + max(0, outputs - w))
        part = round_up(longest, vl)
        rows, panels = channels * p.taps, 1
        height = rows  # of products that are kept
        if at_once:
            panels, pitch, height = PANELS, PANELS * nr, mr + sw
        planes = whole_lines(groups * p.icg * round_up(pixels, nr) * size) if last else 0
        pieces = (
            whole_lines(panels * nr * p.icg * groups * size) if last or not given else 0,
            0 if given else whole_lines(height * pitch * size),
            0 if given else whole_lines(rows * size), whole_lines(kd * kh * (p.icg if given else 1) * POINTER),
            whole_lines(min(sw, p.output[2]) * part * size), whole_lines(sw * POINTER), planes,
        )  # fmt: skip
        in_lanes = given and _are_lanes(p)
        return cls(
            given, in_lanes, single, at_once, channels, images, together, lines, pitch, part, pieces, groups, line,
        )  # fmt: skip


def _strip(p: ConvProblem) -> tuple[bool, int, int]:
    """Whether strips are whole images; else pixels that are kept for the next strip, and those of a line."""
    (d, h, w), kh = p.input, p.kernel[1]
    if h > 1:
        return d > 1 or p.kernel[0] > 1 or p.output[0] > 1, (kh - 1) * p.dilation[1] // p.stride[1] * w, w
    axes = PhaseAxes.of(p)
    whole = d > 1 or kh > 1 or p.kernel[0] > 1 or p.output[0] * p.output[1] > 1
    return whole, max(axes.late, axes.late - axes.early, 0), 1


def _are_lanes(p: ConvProblem) -> bool:
    """Whether phases are lanes, where there is no product."""
    k, s = p.kernel[2], p.stride[2]
    return MANY_PHASES <= s <= p.output[2] and k % s == 0 and p.dilation[2] == 1 and p.pads[2][0] >= 0


def _is_single(p: ConvProblem) -> bool:
    """Whether each element of the result is one product, in rows that have any; rows of products are its phases."""
    (kd, kh, kw), (sd, sh, sw), (dd, dh, dw) = p.kernel, p.stride, p.dilation
    along = kw == sw <= p.output[2] <= p.input[2] * sw and dw == 1 and p.pads[2][0] == 0
    return along and p.icg > GIVEN_CHANNELS and kh <= sh // gcd(sh, dh) and kd <= sd // gcd(sd, dd)


class RowSums(Transposed):
    """Transposed convolutions of float32 or float64, padded with zeros; channels first, or few input channels."""

    algorithm = "row_sums"
    row = "cython.conv.row_sums"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if (reason := super().reject(p)) is not None:
            return reason
        if p.layout != "NCHW" and p.icg > GIVEN_CHANNELS:
            return f"layout {p.layout}: more than {GIVEN_CHANNELS} input channels per group"
        if p.taps * p.icg * p.dtype.itemsize > LARGEST_BYTES:
            return f"one output channel takes more than {LARGEST_BYTES >> 20} MiB"
        reason = native.reject_common(self.isa, p.dtype)
        if reason is not None:
            return reason
        pieces = SumBlocks.of(p, self.isa, 1).pieces
        if pieces[1] > LARGEST_BYTES:
            return f"products of a strip take more than {LARGEST_BYTES >> 20} MiB"
        if pieces[4] > LARGEST_BYTES:
            return f"phases of a row take more than {LARGEST_BYTES >> 20} MiB"
        if pieces[6] > LARGEST_BYTES:
            return f"planes of a few channels take more than {LARGEST_BYTES >> 20} MiB"
        return None

    def features(self, problem: ConvProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        vl, blocks, images = nr // 2, SumBlocks.of(p, self.isa, 1), max(p.n, 1)
        (d, h, w), (od, oh, ow) = p.input, p.output
        pixels, axes = d * h * w, PhaseAxes.of(p)
        phases = min(p.stride[2], ow)
        rows = images * p.oc * od * oh
        reached = 1.0  # taps along depth and height of a result row
        for i, k, s, dil, o in zip(p.input[:2], p.kernel[:2], p.stride[:2], p.dilation[:2], p.output[:2], strict=True):
            reached *= min(i * k / max(o, 1), ceil_div(k, s // gcd(s, dil)))
        vectors = rows * ceil_div(ceil_div(ow, phases), vl)  # of each phase
        single, in_lanes = blocks.single, blocks.in_lanes
        sums = 0.0 if single else vectors * reached * len(axes.taps) * (p.icg if blocks.given else 1)
        if in_lanes:
            sums = rows * (w + 1) * ceil_div(p.stride[2], vl) * reached * p.icg * p.kernel[2] / p.stride[2]
        weights = p.oc * p.depth * size
        counts = {
            "call": 1, "row": rows, "phase": 0 if single or in_lanes else rows * phases,
            "vector": rows if in_lanes else vectors * phases,
            "sum_given" if blocks.given else "sum": sums, "bytes_streamed": streamed(weights),
            **traffic(p.bytes - weights),
        }  # fmt: skip
        if p.layout == "NHWC":
            counts["turn"] = images * (p.ic * pixels + p.oc * od * oh * ow) * size / 4
        if not blocks.given:
            together = max(1, blocks.together)
            lanes = round_up(together * pixels, vl) / together
            parts = p.groups * ceil_div(p.ocg, blocks.channels)
            tiles = ceil_div(blocks.channels * p.taps, mr)
            steps = max(blocks.channels * p.taps, TILE_STEPS * tiles)
            panels = images * ceil_div(together * pixels, nr) / together * parts
            counts |= {
                "multiply": images * parts * steps * lanes * p.icg * 2 * size / 4,
                "panel": panels * p.icg, "tile": panels * tiles, "pack": 0 if p.packed else p.oc * p.depth,
                "store": images * lanes * p.oc * p.taps * size / 4,
            }  # fmt: skip
        return Features(counts)

    def workspace(self, problem: ConvProblem) -> int:
        return self._scratch(problem, SumBlocks.of(problem, self.isa, 1))

    def _scratch(self, p: ConvProblem, blocks: SumBlocks) -> int:
        """Of one thread."""
        mr, nr = native.tile(self.isa, p.acc.itemsize)
        panels = round_up(blocks.channels * p.taps, mr) * p.icg + nr
        weights = 0 if p.packed or blocks.given else whole_lines(panels * p.acc.itemsize)
        lines = blocks.groups * blocks.channels * (blocks.line + nr) * p.acc.itemsize if blocks.line else 0
        return sum(blocks.pieces) + blocks.pieces[3] + weights + lines

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _row_sums = native.compiled("conv._row_sums")
        p, table = problem, native.table(self.isa, problem.acc)
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        blocks = SumBlocks.of(p, self.isa, threads)
        prepared = _row_sums.RowSums(table, p, blocks, PhaseAxes.of(p), reads_outside(p))
        native.schedule(prepared, self._scratch(p, blocks), threads, native.seconds(self, p), *native.images(p))
        return PackedOnce(p, prepared, p.packed and not blocks.given)


KERNELS = tuple(RowSums(isa) for isa in machine.ISAS)
