"""Binary erosion and dilation on rows that are packed into bits, native; see _bits.pyx."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.cython.filter.flat import MODES, schedule_flat
from fastconv.backends.cython.filter.shape import HELD_BYTES, ROWS, SHORT_RUN, Runs, tap_runs
from fastconv.backends.cython.filter.walk import MOST_AXES, MOST_BYTES, Walk
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised
from fastconv.core.numbers import ceil_div, near_equal, round_up, whole_lines
from fastconv.core.problems.binary import BinaryProblem
from fastconv.core.problems.neighbors import Lines, Neighbors, merged

STACK = 1 << 16  # elements that have changed and wait
WORD = 64  # elements
TALLEST = 64  # rows of a box that several iterations grow to, at most
WIDER = 16  # times as many columns, as these double
ALIGNED = 8  # words of a cache line


class BitRows(NamedTuple):
    """How windows of some iterations walk over an image.

    Attributes
    ----------
    lines : Lines
    runs : Runs
    walk : Walk
    stages : int
        Iterations that advance together.
    masks : int
        Rows of a mask that these need at a time.
    front, words, seen, level : int
        Words before a row, of it in whole vectors, from the first one to behind what windows see, and of a level.
    box : bool
        Whether windows are boxes: the last level of a row then holds windows along it, and each row is one load.
    """

    lines: Lines
    runs: Runs
    walk: Walk
    stages: int
    masks: int
    front: int
    words: int
    seen: int
    level: int
    box: bool

    @property
    def scratch(self) -> int:
        """Bytes of one item."""
        pointers = whole_lines(self.lines.planes * 8) + whole_lines(len(self.runs.loads) * 8)
        pointers += whole_lines(self.lines.planes * self.walk.slots * 8)
        held = 1 + max(self.lines.planes, self.stages) * self.walk.slots
        return pointers + held * self.walk.pitch + 8 * (self.masks + 1) * self.words

    def loads(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each load the row and words from the result, and bits that it is shifted by; those first that are not."""
        row, level, at = self.runs.loads.T
        at = at - self.lines.width[2] * self.lines.inner
        order = np.argsort(at % WORD != 0, kind="stable")
        found = np.stack((row, level * self.level + at // WORD), 1)[order]
        return np.ascontiguousarray(found, np.intp), np.ascontiguousarray((at % WORD)[order], np.intp)


@keep_few()
def bit_rows(shape: tuple[int, ...], window: Neighbors, lanes: int, iterations: int, masked: bool) -> BitRows:
    """As many iterations together as rows fit the cache; one, where windows see several planes.  `lanes`: words."""
    lines = merged(shape, window)
    (_, tall, up), (width, wide, before), inner = lines.height, lines.width, lines.inner
    box = window.taps is None and wide >= SHORT_RUN
    runs = _box_runs(lines) if box else tap_runs(lines, window, False)
    words = round_up(max(1, ceil_div(width * inner, WORD)), lanes)
    front = round_up(ceil_div(before * inner, WORD), ALIGNED)
    seen = front + words + ceil_div((wide - 1 - before) * inner, WORD) + 1
    level = round_up(seen + 2 * lanes + (inner << runs.levels - 1) // WORD + 1, ALIGNED)
    pitch = 8 * runs.levels * level
    stages = 1 if lines.planes > 1 else max(1, min(iterations, HELD_BYTES // (tall * pitch)))
    rows = max(ROWS, 4 * stages * (tall - 1))
    masks = stages * (tall - 1 - up) + 1 if masked else 0
    walk = Walk(rows, 1, max(1, width), 0, 1, pitch, tall, lanes)
    return BitRows(lines, runs, walk, stages, masks, front, words, seen, level, box)


def _box_runs(lines: Lines) -> Runs:
    """One load of the last level for each row."""
    rows = lines.planes * lines.height[1]
    doubled, at = lines.width[1].bit_length(), lines.width[2] * lines.inner
    loads = np.stack((np.arange(rows), np.full(rows, doubled), np.full(rows, at)), 1)
    return Runs(loads.astype(np.intp), doubled + 1)


def grown(p: BinaryProblem, n: int) -> BinaryProblem:
    """Of a box, `n` iterations as one of a larger box: steps to an element of it need not leave the image."""
    w = p.window
    sizes = tuple(n * (size - 1) + 1 for size in w.sizes)
    return replace(p, window=w._replace(sizes=sizes, before=tuple(n * b for b in w.before)), iterations=1)


@keep_few()
def grown_boxes(p: BinaryProblem) -> tuple[BinaryProblem, ...]:
    """A problem as some that are solved one after the other: iterations of boxes grow the boxes instead."""
    lines = merged(p.shape, p.window)
    if p.masked or p.iterations < 2 or p.window.taps is not None or lines.planes > 1:
        return (p,)
    most = max(1, (TALLEST - 1) // max(1, lines.height[1] - 1, (lines.width[1] - 1) // WIDER))
    parts = ceil_div(p.iterations, most)
    return tuple(grown(p, end - first) for first, end in near_equal(p.iterations, parts))


class Bits(Specialised[BinaryProblem]):
    """Any window, some iterations at a time."""

    backend = "cython"
    algorithm = "bits"
    row = "cython.bits"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def _rows(self, p: BinaryProblem, iterations: int) -> BitRows:
        return bit_rows(p.shape, p.window, native.lanes(self.isa, 8), iterations, p.masked)

    def reject(self, problem: BinaryProblem) -> str | None:
        p, steps = problem, grown_boxes(problem)
        if max(self._rows(step, step.iterations).scratch for step in steps) > max(MOST_BYTES, p.size // 2):
            return "the window is too large for scratch"
        if len(merged(p.shape, p.window).extents) > MOST_AXES or len(p.shape) > MOST_AXES:
            return f"more than {MOST_AXES} axes"
        return native.unavailable(self.isa)

    def features(self, problem: BinaryProblem) -> Features:
        calls, moved, counts = 0.0, 0.0, dict.fromkeys(("tap", "row", "packed", "item"), 0.0)
        for step in grown_boxes(problem):
            rows = self._rows(step, step.iterations)
            runs = step.rounds / rows.stages
            calls, moved = calls + ceil_div(step.rounds, rows.stages), moved + runs * step.bytes
            for name, n in self._counts(step, rows).items():
                counts[name] += n * runs
        return Features({"call": calls}, counts, {"bytes": moved})

    def workspace(self, problem: BinaryProblem) -> int:
        p, steps = problem, grown_boxes(problem)
        rows = [self._rows(step, step.iterations) for step in steps]
        alone = len(steps) == 1 and rows[0].stages == steps[0].iterations
        return max(r.scratch for r in rows) + (0 if alone else 2 * whole_lines(p.size) + 8 * STACK)

    def error(self, problem: BinaryProblem) -> float:
        return 0.0

    def specialise(self, problem: BinaryProblem, threads: int) -> Bind:
        p, steps = problem, grown_boxes(problem)
        if p.iterations == 0:
            return UntilStable(p, Masked(p, self._scheduled(p, 1, threads)))
        parts: list[Masked] = []
        made: dict[tuple[BinaryProblem, int], Masked] = {}
        for step in steps:
            left = step.iterations
            while left:
                n = min(left, self._rows(step, step.iterations).stages)
                if (step, n) not in made:
                    made[step, n] = Masked(step, self._scheduled(step, n, threads))
                parts.append(made[step, n])
                left -= n
        return parts[0] if len(parts) == 1 else Iterated(p, parts)

    def _scheduled(self, p: BinaryProblem, stages: int, threads: int) -> Any:
        rows = self._rows(p, stages)
        assert rows.stages == stages
        prepared = self._prepared(p, rows)
        schedule_flat(self, p, prepared, threads, rows.scratch)
        return prepared

    def _counts(self, p: BinaryProblem, rows: BitRows) -> dict[str, float]:
        lines, walk, stages = rows.lines, rows.walk, rows.stages
        height, tall, _ = lines.height
        items = ceil_div(height, walk.rows)
        computed = lines.outer * (height + items * stages * (tall - 1) / 2) * stages
        entered = lines.outer * (height + items * stages * (tall - 1)) * lines.planes
        lengthened = (entered + computed * (1 - 1 / stages)) * (rows.runs.levels - 1)
        vectors, row = rows.words / walk.vl, lines.width[0] * lines.inner
        packed = entered * (1 + p.masked / lines.planes) + lines.outer * height
        return {
            "tap": (computed * len(rows.runs.loads) + 2 * lengthened) * vectors, "row": computed + lengthened + packed,
            "packed": packed * row / native.lanes(self.isa, 1), "item": lines.outer * items,
        }  # fmt: skip

    def _prepared(self, p: BinaryProblem, rows: BitRows) -> Any:
        prepared = native.compiled("filter._bits").Bits(
            p.join == "max", p.masked, p.window.cval != 0, rows, center_of(rows.lines), *rows.loads()
        )
        types = np.dtype(np.float32)
        prepared.walk(
            native.table_name(self.isa, types), native.table(self.isa, types), rows.lines, rows.walk, 1, (1, 1), True,
            True, MODES.index("constant"), None,
        )  # fmt: skip
        return prepared


def center_of(lines: Lines) -> int:
    """Of the planes that windows see, the one that results are in."""
    center = 0
    for size, before in zip(lines.sizes, lines.before, strict=True):
        center = center * size + before
    return center


class Masked:
    """Runs of some iterations, with the mask if there is one."""

    __slots__ = ("_prepared", "_run")

    def __init__(self, p: BinaryProblem, prepared: Any) -> None:
        self._prepared = prepared
        self._run: Run | None = None if p.masked else prepared.bind()

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        if self._run is not None:
            return self._run
        run: Run = self._prepared.bind(np.ascontiguousarray(constants[0]))
        return run


class Iterated:
    """Runs of iterations one after the other, through an array in between."""

    __slots__ = ("_parts", "_size")

    def __init__(self, p: BinaryProblem, parts: list[Masked]) -> None:
        self._size, self._parts = p.size, parts

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        runs, size = [part(constants) for part in self._parts], self._size

        def run(x: np.ndarray, out: np.ndarray) -> None:
            spare = aligned_empty((size,), out.dtype)
            for i, step in enumerate(runs):
                to = (out, spare)[(len(runs) - 1 - i) % 2]
                step(x, to)
                x = to

        return run


class UntilStable:
    """Runs until nothing changes."""

    __slots__ = ("_once", "_problem")

    def __init__(self, p: BinaryProblem, once: Masked) -> None:
        self._problem, self._once = p, once

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        spread = native.compiled("filter._bits").spread
        p, once = self._problem, self._once(constants)
        mask = np.ascontiguousarray(constants[0]) if p.masked else None
        offsets = np.ascontiguousarray(np.array(p.window.before, np.intp) - p.window.offsets(), np.intp)
        extents, monotonous, largest = np.array(p.shape, np.intp), p.monotonous, p.join == "max"

        def run(x: np.ndarray, out: np.ndarray) -> None:
            stack = np.empty(STACK, np.intp)
            before, after, spare = x, out, aligned_empty((p.size,), out.dtype)
            while True:
                once(before, after)
                if monotonous:
                    stable = not spread(before, after, mask, extents, offsets, largest, stack)
                else:
                    stable = np.array_equal(before.view(np.uint8) != 0, after)
                if stable:
                    break
                before, after = after, spare if after is out else out
            if after is not out:
                out[...] = after

        return run


KERNELS = tuple(Bits(isa) for isa in machine.ISAS)
