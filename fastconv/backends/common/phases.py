"""Transposed convolution as forward convolutions, one per phase of the output: no zeros are inserted.

Along an axis with stride s, outputs whose padded position o + p is congruent to r modulo s depend
only on the taps k with k*d = r (mod s).  Those taps form an arithmetic progression, so each
phase is a forward convolution with stride 1, reversed taps, dilation d / gcd(s, d) and its own
padding (negative where the output is cropped).  Any backend's forward kernel can compute it: this
wrapper makes a transposed kernel of each of them.

With a stride, the phases of a few images, or of a block of one image, are computed separately and then interleaved
(`cuts`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Any, Protocol

import numpy as np

from fastconv.backends.common.borders import add_folded, fold_runs, padded_problem
from fastconv.backends.common.cuts import Cut, Triple, buffer_volume, cut_window, image_bytes, window_bytes
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Kernel, Run, Specialised
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.scratch import borrow
from fastconv.machines import streamed

REVISION = 2  # raised when interleaving becomes faster; added to that of the forward kernel

Join = Callable[[Sequence[np.ndarray], np.ndarray], None]
"""``join(parts, out)``: interleave phases, in the order of their first outputs, into images.  Phases may have more
outputs along an axis than the images have room for; the rest is dropped."""


class Interleaver(Protocol):
    """Interleaves phases to images."""

    def features(self, p: ConvProblem) -> Counts:
        """What it does for all images of `p`, by the rates of the kernel that uses it."""

    def prepare(self, p: ConvProblem, images: int, threads: int) -> Join:
        """The function that interleaves up to `images` images of `p` at a time."""


class Assigned:
    """An `Interleaver` by NumPy's assignment."""

    def features(self, p: ConvProblem) -> Counts:
        return {"bytes": 3 * p.n * image_bytes(p)}

    def prepare(self, p: ConvProblem, images: int, threads: int) -> Join:
        firsts = list(itertools.product(*map(range, phase_counts(p))))

        @np.errstate(all="ignore")
        def join(parts: Sequence[np.ndarray], out: np.ndarray) -> None:
            for part, first in zip(parts, firsts, strict=True):
                where = (slice(f, None, s) for f, s in zip(first, p.stride, strict=True))
                target = out[:, :, *where]
                target[...] = part[:, :, *map(slice, target.shape[2:])]

        return join


@dataclass(frozen=True, slots=True)
class AxisPhase:
    """One phase of one axis: which outputs, which taps, and the forward convolution along it."""

    first: int  # first output of the phase; the next ones follow at the stride
    count: int
    taps: slice  # of the kernel, in forward order; empty where no tap lands on this phase
    dilation: int
    lo: int
    hi: int


def axis_phases(extent: int, kernel: int, stride: int, dilation: int, lo: int, output: int) -> list[AxisPhase]:
    """The phases of one axis that hold at least one output."""
    g = gcd(stride, dilation)
    step, spread = stride // g, dilation // g
    starts = {k * dilation % stride: k for k in range(min(step, kernel))}  # the first tap of each phase that has some
    phases = []
    for first in range(min(stride, output)):
        count = ceil_div(output - first, stride)
        r = (first + lo) % stride
        start = starts.get(r)
        if start is None:
            phases.append(AxisPhase(first, count, slice(0, 0), 1, 0, 0))
            continue
        taps = ceil_div(kernel - start, step)
        # Output number j of the phase reads input (first + lo)//stride + j - (start*dilation - r)//stride
        # through tap `start`, and earlier inputs, `spread` apart, through the later taps.
        last = (first + lo) // stride - (start * dilation - r) // stride
        pad_lo = (taps - 1) * spread - last
        pad_hi = count - 1 + last - (extent - 1)
        phases.append(AxisPhase(first, count, slice(start, None, step), spread, pad_lo, pad_hi))
    return phases


def phase_counts(p: ConvProblem) -> tuple[int, int, int]:
    """How many phases hold outputs, along each axis."""
    d, h, w = map(min, p.stride, p.output)
    return d, h, w


def forward_problem(p: ConvProblem, axes: Sequence[AxisPhase], cut: Cut) -> ConvProblem:
    """The forward convolution of one phase, of as many images or as large a block as are processed at once."""
    d, h, w = (
        (inputs_under(k, a, n), (0, 0), n) if part else (i, (a.lo, a.hi), a.count)
        for part, k, i, n, a in zip(cut.axes, p.kernel, p.input, cut.steps, axes, strict=True)
    )
    return replace(
        p,
        direction="forward",
        n=cut.images,
        input=(d[0], h[0], w[0]),
        kernel=(phase_taps(p.kernel[0], axes[0]), phase_taps(p.kernel[1], axes[1]), phase_taps(p.kernel[2], axes[2])),
        stride=(1, 1, 1),
        dilation=(axes[0].dilation, axes[1].dilation, axes[2].dilation),
        pads=(d[1], h[1], w[1]),
        output=(d[2], h[2], w[2]),
    )


def single_tap(p: ConvProblem) -> ConvProblem:
    """A forward convolution to test kernels with where no phase has a tap."""
    ones, pads = (1, 1, 1), ((0, 0),) * 3
    return replace(p, direction="forward", kernel=ones, stride=ones, dilation=ones, pads=pads, output=p.input)


def inputs_under(kernel: int, phase: AxisPhase, outputs: int) -> int:
    """Inputs along an axis under so many outputs of a phase."""
    return outputs + (phase_taps(kernel, phase) - 1) * phase.dilation


def phase_taps(kernel: int, phase: AxisPhase) -> int:
    """How many of `kernel` taps belong to a phase."""
    return len(range(kernel)[phase.taps])


def reversed_taps(kernel: int, phase: AxisPhase) -> slice:
    """Those of `kernel` taps that belong to a phase, the last one first."""
    taps = range(kernel)[phase.taps][::-1]
    return slice(taps.start, taps.stop if taps.stop >= 0 else None, taps.step) if taps else slice(0, 0)


def forward_weights(w: np.ndarray, p: ConvProblem, taps: tuple[slice, slice, slice]) -> np.ndarray:
    """(ic, ocg, kd, kh, kw) -> (oc, icg, taps of the phase in reverse)."""
    w = w[:, :, *taps]
    if p.groups == 1:
        return np.ascontiguousarray(w.swapaxes(0, 1))
    w = w.reshape(p.groups, p.icg, p.ocg, *w.shape[2:]).swapaxes(1, 2)
    return np.ascontiguousarray(w).reshape(p.oc, p.icg, *w.shape[3:])


def axes_of(p: ConvProblem) -> list[list[AxisPhase]]:
    """The phases of each axis."""
    lows = (lo for lo, _ in p.pads)
    along = zip(p.input, p.kernel, p.stride, p.dilation, lows, p.output, strict=True)
    return [axis_phases(*of_axis) for of_axis in along]


@keep_few()
def kinds_of(p: ConvProblem) -> tuple[tuple[tuple[AxisPhase, ...], int], ...]:
    """One phase of each kind, and how many there are: most phases of an axis differ in their start only."""
    axes = []
    for kernel, phases in zip(p.kernel, axes_of(p), strict=True):
        kinds: dict[Any, tuple[AxisPhase, int]] = {}
        for phase in phases:
            kind = phase.count, phase.dilation, phase.lo, phase.hi, phase_taps(kernel, phase)
            first, number = kinds.get(kind, (phase, 0))
            kinds[kind] = first, number + 1
        axes.append(kinds.values())
    return tuple(
        (tuple(phase for phase, _ in some), math.prod(number for _, number in some))
        for some in itertools.product(*axes)
    )


@keep_few()
def cut_of(problem: ConvProblem) -> tuple[ConvProblem, Cut]:
    """The problem that is divided, and how; with padding from the input, it is the padded volume of one image."""
    if problem.mode == "zeros":
        return problem, Cut.of(problem)
    padded = padded_problem(problem)
    return padded, Cut.of(padded, always=True)


@keep_few()
def counted(p: ConvProblem, cut: Cut) -> tuple[tuple[ConvProblem, int], ...]:
    """The forward problems of all phases, and how often each occurs; phases without taps need no kernel."""
    full = (kind for kind in kinds_of(p) if all(map(phase_taps, p.kernel, kind[0])))
    return tuple((forward_problem(p, ph, cut), number) for ph, number in full)


class ByPhases(Specialised[ConvProblem]):
    """The transposed kernel of a forward kernel.

    Parameters
    ----------
    forward : Kernel
    instead : Kernel or None
        For the phases that `forward` cannot do, such as a single tap for Winograd; `forward` must do at least one.
    interleaver : Interleaver
    """

    row = "phases"

    def __init__(
        self, forward: Kernel[ConvProblem], instead: Kernel[ConvProblem] | None, interleaver: Interleaver
    ) -> None:
        self.forward, self.instead, self.interleaver = forward, instead, interleaver
        self.backend, self.algorithm, self.isa = forward.backend, forward.algorithm, forward.isa
        self.relative = f"{forward.relative}_transposed" if forward.relative else "transposed"
        self.exact, self.revision = forward.exact, forward.revision + REVISION
        self.flushes, self.note = forward.flushes, forward.note
        # Outputs on which no tap lands are written here, so the plan computes the activation.
        self.activations = frozenset()

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.direction != "transposed":
            return f"direction {problem.direction}: no phases"
        p, cut = cut_of(problem)
        problems = [q for q, _ in counted(p, cut)] or [single_tap(p)]
        reasons = [r for r in map(self.forward.reject, problems) if r is not None]
        if self.instead is None or len(reasons) == len(problems):
            return next(iter(reasons), None)
        return next((r for r in (self._kernel(q).reject(q) for q in problems) if r is not None), None)

    def _kernel(self, q: ConvProblem) -> Kernel[ConvProblem]:
        """The kernel for the forward problem of a phase."""
        return self.forward if self.instead is None or self.forward.reject(q) is None else self.instead

    @keep_few()
    def _parts(self, p: ConvProblem, cut: Cut) -> tuple[tuple[ConvProblem, int, Kernel[ConvProblem]], ...]:
        """The forward problems of all phases, how often each occurs, and its kernel."""
        return tuple((q, number, self._kernel(q)) for q, number in counted(p, cut))

    def features(self, problem: ConvProblem) -> Features:
        p, cut = cut_of(problem)
        images = max(problem.n, 1)
        times = max(1, images * cut.blocks // max(cut.images, 1))  # weights are packed for the first only
        moved = 0.0
        if cut.blocks > 1:  # windows at the ends are copied
            moved += 2 * window_bytes(p, cut.steps) * min(times, 2 * images)
        if problem.mode != "zeros":
            moved += 4 * images * image_bytes(p)
        features = Features({"bytes": moved, "weight": 0 if p.packed else p.oc * p.depth})
        if p.stride != (1, 1, 1):
            features += Features(self.interleaver.features(replace(p, n=images)))
        features = features.of(self.rates)
        for q, number, kernel in self._parts(p, cut):
            features += kernel.work(q) * number + Features({f"{self.rates}/block": number * times})
            if times > 1:
                features += kernel.work(replace(q, packed=True)) * (number * (times - 1))
        cycled = self._cycled(p, cut)
        if p.packed:
            return features + Features({f"{self.rates}/bytes_cycled": times * streamed(cycled)})
        return features + Features({f"{self.rates}/bytes": times * cycled})  # which packing writes, too

    def _cycled(self, p: ConvProblem, cut: Cut) -> float:
        """Bytes of the weights of all phases, if one phase's leave the L2 cache before it is computed again.

        What a kernel states counts the weights of one phase as if there were no others.  Those of Winograd's algorithm
        grow as its tiles do.
        """
        found, phases = 0.0, 0
        for q, number, kernel in self._parts(p, cut):
            reach = zip(kernel.reach(q), q.kernel, strict=True)
            found += number * q.oc * q.depth * q.dtype.itemsize * math.prod(max(1.0, r / k) for r, k in reach)
            phases += number
        return found if phases > 1 and found > machine.host().l2 / 2 else 0.0

    def _own_bytes(self, problem: ConvProblem) -> int:
        """Scratch in addition to that of the forward kernels: phases, padded block, copied windows."""
        return sum(self._pieces(*cut_of(problem), problem.mode != "zeros"))

    def _pieces(self, p: ConvProblem, cut: Cut, folded: bool) -> tuple[int, int, int, int]:
        """Bytes of the results of phases, of a block that is to be folded, and of windows: of all phases, of one."""
        strided = p.stride != (1, 1, 1)
        if not strided and not folded:
            return 0, 0, 0, 0
        parts = sum(
            number * whole_lines(cut.images * p.oc * math.prod(forward_problem(p, ph, cut).output) * p.out.itemsize)
            for ph, number in kinds_of(p)
        )
        block = whole_lines(p.oc * math.prod(cut.result(p)) * p.out.itemsize) if strided and folded else 0
        windows = whole_lines(window_bytes(p, cut.steps)) if any(cut.axes) else 0
        return parts, block, windows, windows

    def workspace(self, problem: ConvProblem) -> int:
        return self.total_workspace(problem, 1)

    def total_workspace(self, problem: ConvProblem, threads: int) -> int:
        parts = self._parts(*cut_of(problem))
        inside = max((kernel.total_workspace(q, threads) for q, _, kernel in parts), default=0)
        return self._own_bytes(problem) + inside

    def error(self, problem: ConvProblem) -> float:
        return max((kernel.error(q) for q, _, kernel in self._parts(*cut_of(problem))), default=0.0)

    def bound(self, problem: ConvProblem) -> float:
        # Several terms are added on elements of the border.
        added = 0 if problem.mode == "zeros" else sum(lo + hi for lo, hi in problem.pads)
        return max((kernel.bound(q) for q, _, kernel in self._parts(*cut_of(problem))), default=1.0) + added

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        found = [kernel.reach(q) for q, _, kernel in self._parts(*cut_of(problem))] or [(0, 0, 0)]
        d, h, w = map(max, zip(*found, strict=True))
        return d, h, w

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p, cut = cut_of(problem)
        folded = problem.mode != "zeros"
        steps = [Step.of(p, axes, forward_problem(p, axes, cut)) for axes in itertools.product(*axes_of(p))]
        binds = [self._kernel(s.problem).specialise(s.problem, threads) if s.problem.taps else None for s in steps]
        result = cut.result(p)
        join = self.interleaver.prepare(replace(p, n=cut.images, output=result), cut.images, threads)
        blocks = PhaseBlocks(p, cut, steps, self._pieces(p, cut, folded))
        folds = fold_runs(problem) if folded else ()

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, bias = constants
            runs = [
                one and one((forward_weights(weights, p, step.taps), bias))
                for step, one in zip(steps, binds, strict=True)
            ]
            if p.stride == (1, 1, 1) and not folded and runs and runs[0] is not None:
                return runs[0]

            def run(x: np.ndarray, out: np.ndarray) -> None:
                with borrow(blocks.bytes) as scratch:
                    for n, (first, _), parts in blocks.walk(x, scratch, runs, bias):
                        images = out[n : n + cut.images]
                        if cut.blocks > 1:
                            where = (slice(f * s, f * s + r) for f, s, r in zip(first, p.stride, result, strict=True))
                            images = images[:, :, *where]
                        join(parts, images)

            def run_folded(x: np.ndarray, out: np.ndarray) -> None:
                out[...] = 0
                with borrow(blocks.bytes) as scratch, np.errstate(all="ignore"):
                    for n, (first, fresh), parts in blocks.walk(x, scratch, runs, bias):
                        whole = parts[0] if p.stride == (1, 1, 1) else blocks.padded(scratch)
                        if len(parts) > 1:
                            join(parts, whole)
                        ends = (o - f * s for o, f, s in zip(p.output, first, p.stride, strict=True))
                        skip = ((g - f) * s for g, f, s in zip(fresh, first, p.stride, strict=True))
                        at = tuple(g * s for g, s in zip(fresh, p.stride, strict=True))
                        add_folded(whole[:, :, *map(slice, skip, ends)], at, folds, out[n : n + 1])

            return run_folded if folded else run

        return bind


@dataclass(frozen=True, slots=True)
class Step:
    """One phase: its problem, and its taps in the order of a forward convolution."""

    axes: tuple[AxisPhase, ...]
    problem: ConvProblem
    taps: tuple[slice, slice, slice]

    @classmethod
    def of(cls, p: ConvProblem, axes: tuple[AxisPhase, ...], forward: ConvProblem) -> Step:
        d, h, w = map(reversed_taps, p.kernel, axes)
        return cls(axes, forward, (d, h, w))


class PhaseBlocks:
    """Runs the phases block by block: see `cuts`.  A phase without taps has None in place of a run."""

    def __init__(self, p: ConvProblem, cut: Cut, steps: list[Step], pieces: tuple[int, int, int, int]) -> None:
        self.p, self.cut, self.steps = p, cut, steps
        self.bytes = sum(pieces)
        self._offsets = [0, *itertools.accumulate(pieces)]
        # Whether windows have gaps: only those along the outermost axis have none.
        self._gaps = any(cut.axes) and any(e > 1 for e in p.input[: 2 - cut.axes[::-1].index(True)])

    def padded(self, scratch: np.ndarray) -> np.ndarray:
        """Memory for the interleaved phases of a block that is folded afterwards."""
        p = self.p
        return buffer_volume(scratch[self._offsets[1] :], self.cut.images, p.oc, self.cut.result(p), p.layout, p.out)

    def walk(
        self, x: np.ndarray, scratch: np.ndarray, runs: Sequence[Run | None], bias: np.ndarray | None
    ) -> Iterator[tuple[int, tuple[Triple, Triple], Sequence[np.ndarray]]]:
        """First image, starts (see `Cut.starts`) and phases of each block, one after the other in the same memory."""
        p, cut = self.p, self.cut
        parts, at = [], 0
        for step, run in zip(self.steps, runs, strict=True):
            part = buffer_volume(scratch[at:], cut.images, p.oc, step.problem.output, p.layout, p.out)
            if run is None:
                with np.errstate(all="ignore"):
                    part[...] = 0 if bias is None else bias[:, None, None, None]
            parts.append(part)
            at += whole_lines(part.nbytes)
        for n in range(0, x.shape[0], max(cut.images, 1)):
            images = x[n : n + cut.images]
            for starts in cut.starts():
                self._compute(images, starts[0], parts, scratch, runs)
                yield n, starts, parts

    def _compute(
        self, x: np.ndarray, first: Triple, parts: Sequence[np.ndarray], scratch: np.ndarray, runs: Sequence[Run | None]
    ) -> None:
        p, cut = self.p, self.cut
        if not any(cut.axes):
            for run, part in zip(runs, parts, strict=True):
                if run is not None:
                    run(x, part)
            return
        all_phases, one = scratch[self._offsets[2] : self._offsets[3]], scratch[self._offsets[3] :]
        running = [(s, r, part) for s, r, part in zip(self.steps, runs, parts, strict=True) if r is not None]
        corners = [self._corner(s, first) for s, _, _ in running]
        origin = (0, 0, 0)
        if not self._gaps and running:  # one window for all phases, whose parts of it are contiguous
            extents = [s.problem.input for s, _, _ in running]
            origin = tuple(min(c[a] for c in corners) for a in range(3))  # type: ignore[assignment]
            ends = [max(c[a] + e[a] for c, e in zip(corners, extents, strict=True)) for a in range(3)]
            extent = tuple(e - o for e, o in zip(ends, origin, strict=True))
            limits = x.shape[2:]
            if any(o < 0 or e > limit for o, e, limit in zip(origin, ends, limits, strict=True)):
                x = cut_window(x, origin, extent, p.layout, all_phases)  # type: ignore[arg-type]
            else:
                origin = (0, 0, 0)
        for (step, run, part), corner in zip(running, corners, strict=True):
            at = tuple(c - o for c, o in zip(corner, origin, strict=True))
            run(cut_window(x, at, step.problem.input, p.layout, one), part)  # type: ignore[arg-type]

    def _corner(self, step: Step, first: Triple) -> Triple:
        """First input position that a block of a phase reads."""
        d, h, w = (f - a.lo if cut else 0 for f, a, cut in zip(first, step.axes, self.cut.axes, strict=True))
        return d, h, w


def wrap(
    forward: Sequence[Kernel[ConvProblem]],
    instead: Sequence[Kernel[ConvProblem]] = (),
    interleaver: Callable[[str], Interleaver] = lambda isa: Assigned(),
) -> tuple[ByPhases, ...]:
    """The transposed kernel of each forward kernel; `instead` has one per ISA for the phases that it cannot do."""
    by_isa = {k.isa: k for k in instead}
    return tuple(ByPhases(k, by_isa.get(k.isa), interleaver(k.isa)) for k in forward)
