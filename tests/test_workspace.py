"""What kernels state as `workspace` is what they use: no more, and not much less."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core import scratch
from fastconv.core.problems.base import Problem
from fastconv.dispatch.plan import Plan
from fastconv.dispatch.registry import kernels

SLACK = 128 << 10  # interpreter objects, buffers of NumPy's loops, and scratch on the stack of compiled kernels
LOOSE = 1 << 20  # so much more than is used may be stated: what a plan need not pack, above all
FACTOR = 4  # and so many times as much of large ones

S = F.Spec
RNG = np.random.default_rng(0)


def ones(*shape: int, dtype: Any = "f") -> np.ndarray:
    return np.ones(shape, dtype)


def plans() -> list[Callable[[], Plan]]:
    """Calls whose scratch is more than the slack: every family, direction, layout, and a few dtypes."""
    w = ones(16, 16, 3, 3)
    calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
    for dtype in ("f", "d", "e", "i1", "i4", "F"):
        calls.append((F.conv2d, (S((2, 16, 60, 70), dtype), w.astype(dtype)), {"padding": 1}))
    for kwargs in ({"stride": 2}, {"padding": 2, "dilation": 2}, {"padding": 1, "padding_mode": "reflect"}):
        calls.append((F.conv2d, (S((2, 16, 60, 70)), w), kwargs))
    calls += [
        (F.conv2d, (S((2, 60, 70, 16)), w), {"padding": 1, "layout": "NHWC"}),
        (F.conv2d, (S((1, 16, 60, 70)), ones(64, 16, 1, 1)), {}),
        (F.conv2d, (S((1, 32, 60, 70)), ones(32, 1, 3, 3)), {"groups": 32, "padding": 1}),
        (F.conv2d, (S((1, 32, 60, 70)), ones(32, 1, 3, 3)), {"groups": 32, "padding": 1, "padding_mode": "circular"}),
        (F.conv1d, (S((1, 2, 300_000)), ones(2, 2, 9)), {"padding": 4}),
        (F.conv3d, (S((1, 4, 12, 40, 40)), ones(8, 4, 3, 3, 3)), {"padding": 1}),
        (F.conv_transpose2d, (S((2, 16, 60, 70)), w), {"stride": 2, "padding": 1}),
        (F.conv_transpose2d, (S((1, 4, 600, 700)), ones(4, 4, 4, 4)), {"stride": 2, "padding": 1}),
        (F.conv_transpose2d, (S((1, 600, 700, 4)), ones(4, 4, 4, 4)), {"stride": 2, "padding": 1, "layout": "NHWC"}),
        (F.conv_transpose3d, (S((1, 4, 40, 80, 80)), ones(4, 4, 3, 3, 3)), {"stride": 2}),
        (F.conv_transpose2d, (S((1, 4, 60, 70), "i1"), ones(4, 4, 3, 3, dtype="i1")), {"stride": 2}),
        (F.matmul, (S((300, 400)), ones(400, 500)), {}),
        (F.matmul, (S((300, 400), "e"), ones(400, 500, dtype="e")), {}),
        (F.matmul, (S((3, 300, 400), "e"), ones(3, 400, 500, dtype="e")), {}),
        (F.conv2d, (S((2, 16, 600, 700), "e"), ones(16, 16, 3, 3, dtype="e")), {"padding": 1, "stride": 2}),
        (F.linear, (S((2, 4000)), ones(500, 4000)), {}),
    ]
    made: list[Callable[[], Plan]] = [lambda c=c: F.plan(c[0], *c[1], **c[2]) for c in calls]  # type: ignore[misc]
    x, dy = ones(2, 16, 60, 70), ones(2, 16, 60, 70)
    for layout, mode in (("NCHW", "zeros"), ("NCHW", "reflect"), ("NHWC", "zeros"), ("NHWC", "circular")):
        args = (dy, x, w) if layout == "NCHW" else (dy.transpose(0, 2, 3, 1).copy(), x.transpose(0, 2, 3, 1).copy(), w)
        for need in ((True, False, False), (False, True, False)):
            kwargs = {"padding": 1, "padding_mode": mode, "layout": layout, "need": need}
            made.append(lambda a=args, k=kwargs: F.plan(F.grad.conv2d, *a, **k))  # type: ignore[misc]
    return made


def measured(run: Callable[..., None], x: np.ndarray, outs: tuple[np.ndarray, ...]) -> int:
    """Peak of what a run allocates, scratch included."""
    run(x, *outs)  # what is made once: compiled loops, tables
    scratch._shelf.free.clear()
    tracemalloc.start()
    try:
        run(x, *outs)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def canonical(recipe: Any, problem: Problem) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    x = np.ones(recipe.x_shape, recipe.x_dtype)
    outs = tuple(recipe.view(np.empty(shape, dtype)) for shape, dtype in recipe.results)
    return recipe.enter(x), outs


@pytest.mark.parametrize("make", plans())
def test_workspace_is_what_a_run_uses(make: Callable[[], Plan]) -> None:
    plan = make()
    recipe, problem = plan._recipe, plan.problem
    x, outs = canonical(recipe, problem)
    wrong = []
    for kernel in kernels(problem.op)[:-1]:  # the oracle states nothing
        if kernel.reject(problem) is not None:
            continue
        used = measured(kernel.prepare(problem, plan._constants, 1), x, outs)
        stated = kernel.workspace(problem)
        if used > stated + SLACK:
            wrong.append(f"{kernel.name} uses {used} bytes and states {stated}")
        if stated > FACTOR * used + LOOSE:
            wrong.append(f"{kernel.name} states {stated} bytes and uses {used}")
    assert not wrong, "\n".join([str(problem), *wrong])
