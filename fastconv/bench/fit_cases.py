"""The problems that `fastconv tune --fit` measures.

Designed ones are planned: each count of each kernel should vary apart from the others.  Drawn ones are called, as those
of `fastconv bench --drawn`: what is rare in networks, where choices went wrong most.  Some of these are kept out of the
fit, and show what its choices are worth.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from fastconv.bench.drawn_cases import draw
from fastconv.bench.suites import SUITES, Case
from fastconv.core.numbers import ceil_div

LEARNED = (
    "layers", "odd_layers", "more_layers", "gemm", "few_rows", "pool", "elementwise", "gradients", "transposed",
    "small_maps", "half",
)  # fmt: skip
LAST = ("layers", "pool")  # also with channels last
WIDE = ("layers", "gemm")  # also in double precision
MOST_FLOPS = 5e8  # of a convolution of the grid
DRAWN, UNSEEN, SEED = 260, 80, 15
CHANNELS, SIZES, KERNELS = (4, 24, 96, 384), (7, 15, 28, 60, 112), (1, 3, 5)


class Trial(NamedTuple):
    """A case to measure: called, with weights that are packed in each call, or planned; and whether it is fitted."""

    case: Case
    called: bool = False
    fitted: bool = True


def trials() -> list[Trial]:
    """All of them."""
    drawn = [Trial(draw(i, SEED), called=True, fitted=i < DRAWN) for i in range(DRAWN + UNSEEN)]
    return [*map(Trial, designed()), *drawn]


def designed() -> tuple[Case, ...]:
    """The cases that are planned, one after the other; their names are for a progress bar."""
    suites = chain.from_iterable(SUITES[name].cases for name in LEARNED)
    images = [case for name in LAST for case in SUITES[name].cases if len(case.shapes[0]) == 4]
    last = [_last(case) for case in images if case.operation != "pad"]  # whose last axes are what the user says
    wide = [replace(case, dtype="float64") for name in WIDE for case in SUITES[name].cases]
    return (*suites, *last, *wide, *grid())


def grid() -> list[Case]:
    """Square convolutions of all sizes, dense and depthwise, with and without a stride."""
    found = []
    for c in CHANNELS:
        for size in SIZES:
            for k in KERNELS:
                for stride in (1, 2):
                    kwargs = {"padding": k // 2, "stride": stride}
                    out = ceil_div(size, stride)
                    if 2 * c * c * k * k * out * out <= MOST_FLOPS:
                        shapes = ((1, c, size, size), (c, c, k, k))
                        found.append(Case(f"{c},{size} {k}x{k} s{stride}", "conv2d", shapes, (), kwargs))
                    if k > 1:
                        shapes = ((1, c, size, size), (c, 1, k, k))
                        name = f"depthwise {c},{size} {k}x{k} s{stride}"
                        found.append(Case(name, "conv2d", shapes, (), {**kwargs, "groups": c}))
    return found


def _last(case: Case) -> Case:
    """The same layer on images with channels last."""
    n, c, h, w = case.shapes[0]
    return replace(case, shapes=((n, h, w, c), *case.shapes[1:]), kwargs={**case.kwargs, "layout": "NHWC"})
