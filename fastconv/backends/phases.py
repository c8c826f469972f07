"""Transposed convolution as forward convolutions, one per phase of the output: no zeros are inserted.

Along an axis with stride s, outputs whose padded position o + p is congruent to r modulo s meet
only the taps k with k*d = r (mod s).  Those taps form an arithmetic progression, so each
phase is a forward convolution with stride 1, reversed taps, dilation d / gcd(s, d) and its own
padding (negative where the output is cropped).  Any backend's forward kernel serves: this
wrapper is the transposed kernel of all of them.

With a stride, the phases of a few images at a time have results of their own, which are then interleaved.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Any, Protocol

import numpy as np

from fastconv.backends.borders import fold_border, padded_problem
from fastconv.core.arrays import aligned_empty
from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

REVISION = 1  # raised when phases come together faster, whatever the forward kernel's
PARTS_BYTES = 1 << 20  # of the results of phases that wait to be interleaved

Join = Callable[[Sequence[np.ndarray], np.ndarray], None]
"""``join(parts, out)``: the phases, in the order of their first outputs, into the images that they make up."""


class Interleaver(Protocol):
    """How phases become images."""

    def seconds(self, p: ConvProblem, machine: Machine) -> float:
        """Predicted time for all images of `p`."""

    def prepare(self, p: ConvProblem, images: int, threads: int) -> Join:
        """What does so many images of `p` at a time."""


class Assigned:
    """An `Interleaver` by NumPy's assignment."""

    def seconds(self, p: ConvProblem, machine: Machine) -> float:
        return 3 * p.n * image_bytes(p) / machine.bandwidth

    def prepare(self, p: ConvProblem, images: int, threads: int) -> Join:
        firsts = list(itertools.product(*map(range, phase_counts(p))))

        def join(parts: Sequence[np.ndarray], out: np.ndarray) -> None:
            for part, first in zip(parts, firsts, strict=True):
                where = (slice(f, None, s) for f, s in zip(first, p.stride, strict=True))
                out[:, :, *where] = part

        return join


@dataclass(frozen=True, slots=True)
class AxisPhase:
    """One phase of one axis: which outputs, which taps, and the forward convolution along it."""

    first: int  # first output of the phase; the next ones follow at the stride
    count: int
    taps: slice  # of the kernel, in forward order; empty where nothing lands on this phase
    dilation: int
    lo: int
    hi: int


def axis_phases(extent: int, kernel: int, stride: int, dilation: int, lo: int, output: int) -> list[AxisPhase]:
    """The phases of one axis that hold at least one output."""
    g = gcd(stride, dilation)
    step, spread = stride // g, dilation // g
    phases = []
    for first in range(min(stride, output)):
        count = -(-(output - first) // stride)
        r = (first + lo) % stride
        start = next((k for k in range(min(step, kernel)) if k * dilation % stride == r), None)
        if start is None:
            phases.append(AxisPhase(first, count, slice(0, 0), 1, 0, 0))
            continue
        taps = -(-(kernel - start) // step)
        # Output number j of the phase meets input (first + lo)//stride + j - (start*dilation - r)//stride
        # through tap `start`, and earlier inputs, `spread` apart, through the later taps.
        last = (first + lo) // stride - (start * dilation - r) // stride
        pad_lo = (taps - 1) * spread - last
        pad_hi = count - 1 + last - (extent - 1)
        phases.append(AxisPhase(first, count, slice(start, None, step), spread, pad_lo, pad_hi))
    return phases


def image_bytes(p: ConvProblem) -> int:
    """Of the result of one image."""
    return p.oc * p.pixels * p.out.itemsize


def phase_counts(p: ConvProblem) -> tuple[int, int, int]:
    """How many phases hold outputs, along each axis."""
    d, h, w = map(min, p.stride, p.output)
    return d, h, w


def images_at_once(p: ConvProblem) -> int:
    """How many images the phases do before they are interleaved, a divisor of `p.n`; all where nothing is."""
    if p.stride == (1, 1, 1):
        return p.n
    most = PARTS_BYTES // max(1, image_bytes(p))
    return next((m for m in range(min(most, p.n), 1, -1) if p.n % m == 0), 1)


def forward_problem(p: ConvProblem, axes: Sequence[AxisPhase]) -> ConvProblem:
    """The forward convolution of one phase, of as many images as are done at once."""
    d, h, w = axes
    return replace(
        p,
        direction="forward",
        n=images_at_once(p),
        kernel=(taps_of(p.kernel[0], d), taps_of(p.kernel[1], h), taps_of(p.kernel[2], w)),
        stride=(1, 1, 1),
        dilation=(d.dilation, h.dilation, w.dilation),
        pads=((d.lo, d.hi), (h.lo, h.hi), (w.lo, w.hi)),
        output=(d.count, h.count, w.count),
    )


def taps_of(kernel: int, phase: AxisPhase) -> int:
    """How many of `kernel` taps belong to a phase."""
    return len(range(kernel)[phase.taps])


def forward_weights(w: np.ndarray, p: ConvProblem, axes: Sequence[AxisPhase]) -> np.ndarray:
    """(ic, ocg, kd, kh, kw) -> (oc, icg, taps of the phase in reverse)."""
    w = w[:, :, axes[0].taps, axes[1].taps, axes[2].taps][:, :, ::-1, ::-1, ::-1]
    w = w.reshape(p.groups, p.icg, p.ocg, *w.shape[2:]).swapaxes(1, 2)
    return np.ascontiguousarray(w).reshape(p.oc, p.icg, *w.shape[3:])


class ByPhases(Kernel[ConvProblem]):
    """A forward kernel, turned round.

    Parameters
    ----------
    forward : Kernel
    instead : Kernel or None
        For the phases that `forward` cannot do, such as a single tap for Winograd; it must do one of them.
    interleaver : Interleaver
    """

    def __init__(
        self, forward: Kernel[ConvProblem], instead: Kernel[ConvProblem] | None, interleaver: Interleaver
    ) -> None:
        self.forward, self.instead, self.interleaver = forward, instead, interleaver
        self.backend, self.algorithm, self.isa = forward.backend, forward.algorithm, forward.isa
        self.relative = f"{forward.relative}_transposed" if forward.relative else "transposed"
        self.exact, self.revision = forward.exact, forward.revision + REVISION
        # Outputs on which no tap lands are written here, so an activation is left to the plan.
        self.activations = frozenset()

    def _phases(self, p: ConvProblem) -> list[tuple[AxisPhase, ...]]:
        axes = (
            axis_phases(*a)
            for a in zip(p.input, p.kernel, p.stride, p.dilation, (lo for lo, _ in p.pads), p.output, strict=True)
        )
        return list(itertools.product(*axes))

    def _problems(self, p: ConvProblem) -> list[ConvProblem]:
        """The distinct forward problems; phases without taps need no kernel."""
        full = (ph for ph in self._phases(p) if all(map(taps_of, p.kernel, ph)))
        return list({forward_problem(p, ph): None for ph in full})

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.direction != "transposed":
            return f"direction {problem.direction}: no phases"
        if problem.mode != "zeros":
            problem = padded_problem(problem)
        problems = self._problems(problem)
        reasons = [r for r in map(self.forward.reject, problems) if r is not None]
        if self.instead is None or len(reasons) == len(problems):
            return next(iter(reasons), None)
        return next((r for r in (self._kernel(q).reject(q) for q in problems) if r is not None), None)

    def _kernel(self, q: ConvProblem) -> Kernel[ConvProblem]:
        """Who does the forward problem of a phase."""
        return self.forward if self.instead is None or self.forward.reject(q) is None else self.instead

    def cost(self, problem: ConvProblem, machine: Machine) -> float:
        p = problem
        if p.mode != "zeros":
            copied = 2 * p.n * image_bytes(p) / machine.bandwidth
            return max(p.n, 1) * self.cost(padded_problem(p), machine) + copied
        phases = sum(self._kernel(q).cost(q, machine) * p.n / max(q.n, 1) for q in self._problems(p))
        return phases + (0.0 if p.stride == (1, 1, 1) else self.interleaver.seconds(p, machine))

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        if p.mode != "zeros":
            q = padded_problem(p)
            return self.workspace(q) + image_bytes(q)
        parts = images_at_once(p) * image_bytes(p) if p.stride != (1, 1, 1) else 0
        return parts + max((self._kernel(q).workspace(q) for q in self._problems(p)), default=0)

    def error(self, problem: ConvProblem) -> float:
        if problem.mode != "zeros":
            problem = padded_problem(problem)
        return max((self._kernel(q).error(q) for q in self._problems(problem)), default=0.0)

    def bound(self, problem: ConvProblem) -> float:
        p, added = problem, 0
        if p.mode != "zeros":
            p, added = padded_problem(p), sum(lo + hi for lo, hi in p.pads)  # slabs of the border, onto each other
        return max((self._kernel(q).bound(q) for q in self._problems(p)), default=1.0) + added

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        p = padded_problem(problem) if problem.mode != "zeros" else problem
        found = [self._kernel(q).reach(q) for q in self._problems(p)] or [(0, 0, 0)]
        d, h, w = map(max, zip(*found, strict=True))
        return d, h, w

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        if p.mode != "zeros":
            return self._prepare_with_border(p, constants, threads)
        weights, bias = constants
        steps: list[tuple[ConvProblem, Run | None]] = []
        for axes in self._phases(p):
            q = forward_problem(p, axes)
            run_phase = None
            if q.taps:
                run_phase = self._kernel(q).prepare(q, (forward_weights(weights, p, axes), bias), threads)
            steps.append((q, run_phase))
        untouched = np.zeros(p.oc, p.acc) if bias is None else bias.copy()
        if p.stride == (1, 1, 1) and steps and steps[0][1] is not None:
            return steps[0][1]
        images = images_at_once(p)
        join = self.interleaver.prepare(p, images, threads)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            parts = [_empty_result(q) for q, _ in steps]
            for part, (_, run_phase) in zip(parts, steps, strict=True):
                if run_phase is None:
                    part[...] = untouched[:, None, None, None]
            for n in range(0, p.n, images):
                for part, (_, run_phase) in zip(parts, steps, strict=True):
                    if run_phase is not None:
                        run_phase(x[n : n + images], part)
                join(parts, out[n : n + images])

        return run

    def _prepare_with_border(self, p: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        q = padded_problem(p)
        run_padded = self.prepare(q, constants, threads)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            for n in range(p.n):
                volume = _empty_result(q)
                run_padded(x[n : n + 1], volume)
                out[n : n + 1] = fold_border(volume, p)

        return run


def _empty_result(q: ConvProblem) -> np.ndarray:
    if q.layout == "NHWC":
        n, c, *spatial = q.y_shape
        return aligned_empty((n, *spatial, c), q.out).transpose(0, 4, 1, 2, 3)
    return aligned_empty(q.y_shape, q.out)


def wrap(
    forward: Sequence[Kernel[ConvProblem]],
    instead: Sequence[Kernel[ConvProblem]] = (),
    interleaver: Callable[[str], Interleaver] = lambda isa: Assigned(),
) -> tuple[ByPhases, ...]:
    """The transposed kernel of each forward kernel; `instead` has one per ISA for the phases that it cannot do."""
    by_isa = {k.isa: k for k in instead}
    return tuple(ByPhases(k, by_isa.get(k.isa), interleaver(k.isa)) for k in forward)
