"""Extrema of windows of any shape, native, and binary erosion and dilation; see _shape.pyx."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.cython.filter.flat import MODES, filter_type, reject_filter, schedule_flat, without_weights
from fastconv.backends.cython.filter.walk import MOST_AXES, MOST_BYTES, Walk
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.binary import BinaryProblem
from fastconv.core.problems.footprint import FootprintProblem
from fastconv.core.problems.neighbors import Lines, Neighbors, merged

HELD_BYTES = 256 << 10  # of rows that an item holds, unless windows need more
NARROWEST = 64  # results of a strip, at least
WIDEST = 1 << 14  # numbers of a strip, about
ROWS = 64  # of an item, at least
LINE = 64
ALIASES = 128  # bytes between rows, beyond a multiple of 2 KiB, at least: stores delay loads that are 4 KiB apart
SHORT_RUN = 4  # taps; longer ones are two loads of a level
STACK = 1 << 16  # elements that have changed and wait
BYTES, REALS, OTHERS = range(3)  # what is compared; _shape.pyx says the same


class Runs(NamedTuple):
    """Taps of a window as loads: of each the row, the level, and the number from the start of the row."""

    loads: np.ndarray
    levels: int


@keep_few()
def tap_runs(lines: Lines, window: Neighbors, single: bool) -> Runs:
    """Runs of taps along rows; a long one is two overlapping loads of a level.  `single`: each tap is a load."""
    flat, wide = window.flat_offsets(), lines.width[1]
    rows, columns = flat // wide, flat % wide
    if single:
        return Runs(np.stack((rows, np.zeros_like(rows), columns * lines.inner), 1), 1)
    starts = np.flatnonzero(np.diff(flat, prepend=-2) != 1)
    starts = np.union1d(starts, np.flatnonzero(columns == 0)).astype(np.intp)
    lengths = np.diff(starts, append=flat.size)
    longest = int(lengths.max())
    levels = 1 if longest < SHORT_RUN else longest.bit_length()
    found = []
    for row, first, length in zip(rows[starts].tolist(), columns[starts].tolist(), lengths.tolist(), strict=True):
        level = min(length.bit_length(), levels) - 1
        step = 1 << level
        at = [*range(0, length - step + 1, step)]
        if at[-1] + step < length:
            at.append(length - step)
        found += [(row, level, (first + i) * lines.inner) for i in at]
    return Runs(np.array(found, np.intp), levels)


class HeldRows(NamedTuple):
    """How windows of some iterations walk over an image.

    Attributes
    ----------
    lines : Lines
    runs : Runs
    walk : Walk
    stages : int
        Iterations that advance together.
    level, front : int
        Bytes of a level of a row, and before the first one, so that results begin on a cache line.
    """

    lines: Lines
    runs: Runs
    walk: Walk
    stages: int
    level: int
    front: int

    @property
    def scratch(self) -> int:
        """Bytes of one item, without a row of results."""
        pointers = whole_lines(self.lines.planes * 8) + whole_lines(len(self.runs.loads) * 8)
        pointers += whole_lines(self.lines.planes * self.walk.slots * 8)
        return pointers + (1 + max(self.lines.planes, self.stages) * self.walk.slots) * self.walk.pitch

    def loads(self, size: int) -> np.ndarray:
        """Of each load the row, and bytes from its start."""
        row, level, at = self.runs.loads.T
        return np.ascontiguousarray(np.stack((row, level * self.level + at * size), 1), np.intp)


@keep_few()
def held_rows(
    shape: tuple[int, ...], window: Neighbors, size: int, vl: int, iterations: int, single: bool = False
) -> HeldRows:  # fmt: skip
    """As many iterations together as rows fit the cache; one, where windows see several planes.

    `single`: taps are no runs.
    """
    lines = merged(shape, window)
    runs = tap_runs(lines, window, single)
    (_, tall, _), (width, wide, _), inner = lines.height, lines.width, lines.inner

    def level(block: int, stages: int) -> int:
        found = whole_lines(LINE + ((block + stages * (wide - 1)) * inner + vl) * size)
        return found + ALIASES if found % (ALIASES << 4) < ALIASES else found

    most = max(1, min(width, ceil_div(WIDEST, inner)))
    stages = 1 if lines.planes > 1 else max(1, iterations)
    while stages > 1 and stages * tall * runs.levels * level(most, stages) > HELD_BYTES:
        stages -= 1
    held = max(lines.planes, stages) * tall * runs.levels
    block = max(1, min(most, max(NARROWEST, HELD_BYTES // (held * size * inner) - stages * (wide - 1))))
    block = max(1, ceil_div(width, ceil_div(width, block))) if width else 1
    pitch = runs.levels * level(block, stages)
    rows = max(ROWS, 4 * stages * (tall - 1))
    front = -stages * lines.width[2] * inner * size % LINE
    return HeldRows(lines, runs, Walk(rows, 1, block, 0, 1, pitch, tall, vl), stages, pitch // runs.levels, front)


def counts_of(rows: HeldRows, size: int, lanes: float) -> dict[str, float]:
    """What all iterations of `rows` do."""
    lines, walk, stages = rows.lines, rows.walk, rows.stages
    (height, tall, _), (width, wide, _) = lines.height, lines.width
    items, strips = ceil_div(height, walk.rows), ceil_div(width, walk.block)
    computed = lines.outer * (height + items * stages * (tall - 1) / 2) * stages
    entered = lines.outer * (height + items * stages * (tall - 1)) * lines.planes
    vectors = (width + strips * stages * (wide - 1)) * lines.inner / lanes
    return {
        "tap": computed * vectors * len(rows.runs.loads),
        "held": (entered + computed - computed / stages) * vectors * (2 * rows.runs.levels - 1),
        "row": (computed + entered * rows.runs.levels) * strips, "item": lines.outer * items * strips,
    }  # fmt: skip


def walk_held(
    shape: Any, rows: HeldRows, isa: str, types: np.dtype, converted: np.dtype, sizes: tuple[int, int, int],
    plain: tuple[bool, bool], mode: str,
) -> None:  # fmt: skip
    given, made, size = sizes
    shape.walk(
        native.table_name(isa, types), native.table(isa, converted), rows.lines, rows.walk, size, (given, made), *plain,
        MODES.index(mode), None,
    )


class Footprint(Specialised[FootprintProblem]):
    """Any dtype, without heights."""

    backend = "cython"
    algorithm = "runs"
    row = "cython.footprint"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def _rows(self, p: FootprintProblem) -> HeldRows:
        return held_rows(p.shape, neighbors_of(p), p.acc.itemsize, native.lanes(self.isa, p.acc.itemsize), 1)

    def reject(self, problem: FootprintProblem) -> str | None:
        p = problem
        if p.heights:
            return "heights"
        rows = self._rows(p)
        if self.workspace(p) > MOST_BYTES:
            return "the window is too large for scratch"
        if len(rows.lines.extents) > MOST_AXES:
            return f"more than {MOST_AXES} axes"
        return reject_filter(self.isa, types_of(p.acc), p)

    def features(self, problem: FootprintProblem) -> Features:
        p, rows = problem, self._rows(problem)
        counts = counts_of(rows, p.acc.itemsize, native.lanes(self.isa, p.acc.itemsize))
        changed = (p.dtype != p.acc) * rows.lines.planes + (p.out != p.acc)
        return Features({"call": 1}, counts | {"element": p.size * changed}, {"bytes": p.bytes})

    def workspace(self, problem: FootprintProblem) -> int:
        p, rows = problem, self._rows(problem)
        result = 0 if p.out == p.acc else whole_lines(rows.walk.block * rows.lines.inner * p.acc.itemsize)
        return rows.scratch + result

    def error(self, problem: FootprintProblem) -> float:
        return 0.0

    def specialise(self, problem: FootprintProblem, threads: int) -> Bind:
        _shape = native.compiled("filter._shape")
        p, rows = problem, self._rows(problem)
        same = p.dtype if p.dtype.kind != "b" else np.dtype(np.uint8)
        kind = BYTES if p.acc == np.uint8 else REALS if p.acc.kind == "f" else OTHERS
        prepared = _shape.Shape(
            (filter_type(p.dtype), filter_type(p.out), filter_type(p.acc)), kind, p.join == "max", False, False,
            constant_of(p, p.acc), 1, (rows.runs.levels, rows.level, rows.front), 0, rows.loads(p.acc.itemsize),
        )  # fmt: skip
        sizes = p.dtype.itemsize, p.out.itemsize, p.acc.itemsize
        stored = p.out == p.acc or (p.out.kind == "b" and p.acc == np.uint8)
        types = types_of(p.acc)
        walk_held(prepared, rows, self.isa, types, types, sizes, (same == p.acc, stored), p.mode)
        schedule_flat(self, p, prepared, threads)
        return without_weights(prepared)


@keep_few()
def neighbors_of(p: FootprintProblem) -> Neighbors:
    taps = np.zeros(prod(p.window), np.uint8)
    taps[list(p.chosen)] = 1
    return Neighbors(p.window, p.before, p.mode, p.cval, taps.tobytes() if len(p.chosen) < taps.size else None)


def types_of(acc: np.dtype) -> np.dtype:
    """The types of the table that compares elements: that of floats has the integers, too."""
    return np.dtype(np.float64 if acc == np.float64 else np.float32)


def constant_of(p: FootprintProblem, acc: np.dtype) -> np.ndarray:
    """The constant in the dtype of the input, where it wraps around, as one of those that are compared."""
    dtype = p.dtype if p.dtype.kind != "b" else np.dtype(np.uint8)
    if dtype.kind == "f":
        with np.errstate(all="ignore"):
            return np.array([p.cval], dtype).astype(acc)
    value = np.array([int(p.cval)], object) % (1 << 8 * dtype.itemsize) if np.isfinite(p.cval) else np.array([0])
    return value.astype(f"u{dtype.itemsize}").view(dtype).astype(acc)


class Binary(Specialised[BinaryProblem]):
    """Any window, some iterations at a time."""

    backend = "cython"
    algorithm = "runs"
    row = "cython.binary"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def _rows(self, p: BinaryProblem, iterations: int) -> HeldRows:
        return held_rows(p.shape, p.window, 1, native.lanes(self.isa, 1), iterations)

    def reject(self, problem: BinaryProblem) -> str | None:
        p, rows = problem, self._rows(problem, problem.iterations)
        if rows.scratch > MOST_BYTES:
            return "the window is too large for scratch"
        if len(rows.lines.extents) > MOST_AXES or len(p.shape) > MOST_AXES:
            return f"more than {MOST_AXES} axes"
        return native.unavailable(self.isa)

    def features(self, problem: BinaryProblem) -> Features:
        p, rows = problem, self._rows(problem, problem.iterations)
        calls = ceil_div(p.rounds, rows.stages)
        runs = p.rounds / rows.stages
        counts = {k: n * runs for k, n in counts_of(rows, 1, native.lanes(self.isa, 1)).items()}
        return Features({"call": calls}, counts, {"bytes": runs * p.bytes})

    def workspace(self, problem: BinaryProblem) -> int:
        p, rows = problem, self._rows(problem, problem.iterations)
        spare = 0 if rows.stages == p.iterations else 2 * whole_lines(p.size) + 8 * STACK
        return rows.scratch + spare

    def error(self, problem: BinaryProblem) -> float:
        return 0.0

    def specialise(self, problem: BinaryProblem, threads: int) -> Bind:
        p, stages = problem, self._rows(problem, problem.iterations).stages
        if stages == p.iterations:
            return Masked(p, self._prepared(p, stages, threads))
        if p.iterations == 0:
            return UntilStable(p, Masked(p, self._prepared(p, 1, threads)))
        parts = {n: Masked(p, self._prepared(p, n, threads)) for n in {stages, p.iterations % stages} - {0}}
        left = p.iterations % stages
        return Iterated(p, [*[parts[stages]] * (p.iterations // stages), *([parts[left]] if left else [])])

    def _prepared(self, p: BinaryProblem, stages: int, threads: int) -> Any:
        _shape = native.compiled("filter._shape")
        rows = self._rows(p, stages)
        assert rows.stages == stages
        center = 0
        for size, before in zip(rows.lines.sizes, rows.lines.before, strict=True):
            center = center * size + before
        byte, border = filter_type(np.dtype(np.uint8)), np.array([p.window.cval != 0], np.uint8)
        prepared = _shape.Shape(
            (byte, byte, byte), BYTES, p.join == "max", True, p.masked, border, stages,
            (rows.runs.levels, rows.level, rows.front), center, rows.loads(1),
        )  # fmt: skip
        types = np.dtype(np.float32)
        walk_held(prepared, rows, self.isa, types, types, (1, 1, 1), (True, True), "constant")
        schedule_flat(self, p, prepared, threads, rows.scratch)
        return prepared


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
        spread = native.compiled("filter._shape").spread
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


FOOTPRINTS = tuple(Footprint(isa) for isa in machine.ISAS)
BINARIES = tuple(Binary(isa) for isa in machine.ISAS)
