"""Every kernel of every family takes an empty axis, or says why not.

Public functions, and their gradients, are called with batches, channels, extents, rows, columns and depths of 0.  The
problems that they make are recorded and given to every kernel in the registry, so that a new kernel is tested as soon
as it is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

import fastconv as F
import fastconv.ndimage as ndi
from fastconv.backends.cython.runtime import native
from fastconv.backends.numba import base
from fastconv.core.errors import ShapeError
from fastconv.dispatch.registry import ops
from tests.contract.requests import Request, recorded
from tests.wide import of_two_isas

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

Call = Callable[[], Any]
LAYOUTS = ("NCHW", "NHWC")


def array(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def images(layout: str, n: int, c: int, *spatial: int) -> np.ndarray:
    return array(n, c, *spatial) if layout == "NCHW" else array(n, *spatial, c)


def convolutions(layout: str) -> Iterator[tuple[str, Call]]:
    channels = [(0, 4, 6, 1), (2, 0, 6, 1), (2, 4, 0, 1), (0, 4, 4, 4), (0, 0, 0, 1), (2, 0, 0, 2), (0, 4, 8, 2)]
    for n, ic, oc, groups in channels:
        windows = [(3, 1, 1), (1, 1, 0), (3, 2, 1), (1, 2, 0), (3, 1, 0)]
        for size, (k, s, p) in zip([(5, 6), (5, 6), (6, 6), (6, 6), (3, 3)], windows, strict=True):
            args: Any = (s, p, 1, groups)
            x, w, b = images(layout, n, ic, *size), array(oc, ic // groups, k, k), array(oc)
            out = [(e + 2 * p - k) // s + 1 for e in size]
            name = f"n{n} ic{ic} oc{oc} g{groups} {size} k{k} s{s} p{p} {layout}"
            yield f"conv2d {name}", partial(F.conv2d, x, w, b, *args, layout=layout)
            yield f"conv2d elu {name}", partial(F.conv2d, x, w, b, *args, layout=layout, activation="elu")
            yield f"conv2d planned {name}", partial(planned, F.conv2d, x, w, b, *args, layout=layout)
            dy = images(layout, n, oc, *out)
            yield f"grad.conv2d {name}", partial(F.grad.conv2d, dy, x, w, b, *args, layout=layout)
            args = (s, p, 0, groups)
            out = [(e - 1) * s - 2 * p + k for e in size]
            t = array(ic, oc // groups, k, k)
            yield f"conv_transpose2d {name}", partial(F.conv_transpose2d, x, t, b, *args, layout=layout)
            dy = images(layout, n, oc, *out)
            yield f"grad.conv_transpose2d {name}", partial(F.grad.conv_transpose2d, dy, x, t, b, *args, layout=layout)
    for size in [(0, 5), (5, 0), (0, 0)]:
        x, w = images(layout, 2, 3, *size), array(4, 3, 3, 3)
        yield f"conv2d of {size} {layout}", partial(F.conv2d, x, w, padding=2, layout=layout)
        yield f"conv_transpose2d of {size} {layout}", partial(F.conv_transpose2d, x, array(3, 4, 3, 3), layout=layout)


def pools(layout: str) -> Iterator[tuple[str, Call]]:
    for n, c in [(0, 3), (2, 0), (0, 0), (0, 40)]:
        for size, k, s, p in [((6, 6), 2, 2, 0), ((7, 7), 3, 1, 1), ((7, 8), 3, 2, 1), ((4, 4), 4, 1, 0)]:
            x, out = images(layout, n, c, *size), [(e + 2 * p - k) // s + 1 for e in size]
            y, index = images(layout, n, c, *out), images(layout, n, c, *out).astype(np.int64)
            name, kw = f"n{n} c{c} {size} k{k} s{s} p{p} {layout}", {"layout": layout}
            for indices in (False, True):
                yield f"max_pool2d {name} {indices}", partial(F.max_pool2d, x, k, s, p, return_indices=indices, **kw)
            yield f"avg_pool2d {name}", partial(F.avg_pool2d, x, k, s, p, **kw)
            yield f"lp_pool2d {name}", partial(F.lp_pool2d, x, 2.0, k, s, **kw)
            yield f"grad.max_pool2d {name}", partial(F.grad.max_pool2d, y, x, k, s, p, **kw)
            yield f"grad.avg_pool2d {name}", partial(F.grad.avg_pool2d, y, x, k, s, p, **kw)
            if p == 0 and k == s:
                yield f"max_unpool2d {name}", partial(F.max_unpool2d, y, index, k, s, **kw)
                yield f"grad.max_unpool2d {name}", partial(F.grad.max_unpool2d, x, y, index, k, s, **kw)
        x, kw = images(layout, n, c, 6, 7), {"layout": layout}
        for size in [(2, 3), (0, 3), (1, 1)]:
            y = images(layout, n, c, *size)
            yield f"adaptive_avg {n} {c} {size} {layout}", partial(F.adaptive_avg_pool2d, x, size, **kw)
            yield f"adaptive_max {n} {c} {size} {layout}", partial(F.adaptive_max_pool2d, x, size, True, **kw)
            yield f"grad.adaptive_avg {n} {c} {size} {layout}", partial(F.grad.adaptive_avg_pool2d, y, x, size, **kw)
            yield f"grad.adaptive_max {n} {c} {size} {layout}", partial(F.grad.adaptive_max_pool2d, y, x, size, **kw)
        yield f"global_avg {n} {c} {layout}", partial(F.global_avg_pool, x, **kw)
        yield f"global_max {n} {c} {layout}", partial(F.global_max_pool, x, **kw)


def products() -> Iterator[tuple[str, Call]]:
    sizes: list[tuple[Any, ...]] = [(0, 5, 3), (5, 0, 3), (5, 40, 0), (0, 0, 0)]
    for *batch, m, n, k in [*sizes, (0, 5, 6, 3), (2, 40, 0, 3), (2, 1, 6, 0)]:
        for ta in (False, True):
            a, b = array(*batch, *((k, m) if ta else (m, k))), array(*batch, *((n, k) if ta else (k, n)))
            name = f"{batch} {m} {n} {k} {ta}"
            c, kw = array(*batch, m, n), {"trans_a": ta, "trans_b": ta}
            yield f"gemm {name}", partial(F.gemm, a, b, c, beta=0.5, bias=array(n), activation="relu", **kw)
            yield f"grad.gemm {name}", partial(F.grad.gemm, c, a, b, c, bias=array(n), **kw)
            if not ta:
                yield f"matmul {name}", partial(F.matmul, a, b)
    for rows, i, o in [(0, 3, 4), (3, 0, 4), (3, 4, 0)]:
        x, w, b = array(rows, i), array(o, i), array(o)
        yield f"linear {rows} {i} {o}", partial(F.linear, x, w, b)
        yield f"linear planned {rows} {i} {o}", partial(planned, F.linear, x, w, b)
        yield f"grad.linear {rows} {i} {o}", partial(F.grad.linear, array(rows, o), x, w, b)


def vectors() -> Iterator[tuple[str, Call]]:
    for shape in [(0,), (0, 4), (4, 0), (2, 0, 3), (2, 3, 0)]:
        x = array(*shape)
        for name in ("relu", "gelu", "tanh", "elu", "softplus"):
            yield f"{name} {shape}", partial(getattr(F, name), x)
            yield f"grad.{name} {shape}", partial(getattr(F.grad, name), x, x)
        for dim in range(len(shape)):
            for name in ("softmax", "log_softmax", "softmin"):
                yield f"{name} {shape} {dim}", partial(getattr(F, name), x, dim)
            yield f"grad.softmax {shape} {dim}", partial(F.grad.softmax, x, x, dim)
    for n, c, inner in [(0, 3, ()), (2, 3, (0,)), (0, 3, (4,))]:
        x, t = array(n, c, *inner), np.zeros((n, *inner), np.int64)
        for reduction in ("none", "sum"):
            kw = {"reduction": reduction}
            dy = array(n, *inner) if reduction == "none" else array()
            for name in ("cross_entropy", "nll_loss"):
                yield f"{name} {n} {c} {inner} {reduction}", partial(getattr(F, name), x, t, **kw)
                yield f"grad.{name} {n} {c} {inner} {reduction}", partial(getattr(F.grad, name), dy, x, t, **kw)


def shapes() -> Iterator[tuple[str, Call]]:
    for n, c in [(0, 3), (2, 0)]:
        x = array(n, c, 5, 6)
        for mode in ("constant", "reflect", "replicate", "circular"):
            yield f"pad {n} {c} {mode}", partial(F.pad, x, (1, 2, 2, 1), mode)
            yield f"grad.pad {n} {c} {mode}", partial(F.grad.pad, array(n, c, 8, 9), x, (1, 2, 2, 1), mode)
        yield f"unfold {n} {c}", partial(F.unfold, x, 3)
        yield f"fold {n} {c}", partial(F.fold, array(n, c * 9, 12), (5, 6), 3)
        yield f"grad.unfold {n} {c}", partial(F.grad.unfold, array(n, c * 9, 12), x, 3)
        yield f"grad.fold {n} {c}", partial(F.grad.fold, x, array(n, c * 9, 12), (5, 6), 3)


def filters() -> Iterator[tuple[str, Call]]:
    for shape in [(0,), (0, 4), (4, 0), (2, 0, 3), (2, 3, 0)]:
        for mode in ("reflect", "constant", "nearest", "mirror", "wrap"):
            yield f"gaussian_filter {shape} {mode}", partial(ndi.gaussian_filter, array(*shape), 1.0, mode=mode)
            yield f"laplace {shape} {mode}", partial(ndi.laplace, array(*shape), mode=mode)
            yield f"uniform_filter {shape} {mode}", partial(ndi.uniform_filter, array(*shape), 4, mode=mode)
            yield f"grey_opening {shape} {mode}", partial(ndi.grey_opening, array(*shape), 3, mode=mode)
            x, sizes = array(*shape), (3,) * len(shape)
            yield f"correlate {shape} {mode}", partial(ndi.correlate, x, np.ones(sizes), mode=mode)
            yield f"median_filter {shape} {mode}", partial(ndi.median_filter, x, 3, mode=mode)


def planned(operation: Callable[..., Any], x: np.ndarray, *args: Any, **kwargs: Any) -> Any:
    return F.plan(operation, x, *args, **kwargs)(x)


def calls() -> dict[str, Call]:
    found = [*products(), *vectors(), *shapes(), *filters()]
    for layout in LAYOUTS:
        found += [*convolutions(layout), *pools(layout)]
    return dict(found)


CALLS = calls()
CALLS["no taps"] = partial(F.conv_transpose2d, array(1, 8, 2, 100), array(8, 8, 1, 1), stride=(2, 1), padding=(1, 0))
GROUPS: dict[str, list[str]] = {}
for _name in CALLS:
    GROUPS.setdefault("no taps" if _name == "no taps" else _name.split()[0], []).append(_name)

@cache
def recorded_problems(group: str) -> list[tuple[str, Request]]:
    """The problems and arrays that kernels receive from the calls of a group, each with the name of the call."""
    found: list[tuple[str, Request]] = []
    answered = 0
    for name in GROUPS[group]:
        with recorded() as requests:
            try:
                CALLS[name]()
            except ShapeError:  # an output of no pixels is refused where that is the rule
                continue
        answered += 1
        found += ((name, request) for request in requests)
    assert answered
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_every_kernel(group: str) -> None:
    for name, request in recorded_problems(group):
        *others, oracle = request.kernels()
        want = request.run(oracle)
        for kernel in others:
            if of_two_isas(kernel) and request.rejects(kernel) is None:
                for g, w in zip(request.run(kernel), want, strict=True):
                    assert g.shape == w.shape and g.dtype == w.dtype
                    np.testing.assert_allclose(g, w, rtol=1e-5, atol=1e-6, err_msg=f"{kernel.name}: {name}")


def test_every_family_was_tested() -> None:
    seen = {request.problem.op for group in GROUPS for _, request in recorded_problems(group)}
    assert seen == set(ops()) - {"footprint", "binary"}  # whose empty results need no kernel


@pytest.mark.parametrize("group", GROUPS)
def test_what_a_kernel_lacks_it_lacks_everywhere(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel for an absent instruction set, or another dtype, takes no problem, not even an empty one."""
    requests = recorded_problems(group)
    half, pairs = np.dtype(np.float16), np.dtype(np.complex64)
    for name, request in requests:
        for kernel in request.kernels():
            if kernel.isa and hasattr(request.problem, "acc"):
                halves = "widened" in kernel.name or kernel.row == "cython.gemm.dots"
                for dtype in (pairs,) if halves else (half, pairs):
                    assert kernel.reject(replace(request.problem, dtype=dtype, out=dtype)), f"{kernel.name}: {name}"
    monkeypatch.setattr(native, "unavailable", lambda isa, types=None: "not here")
    monkeypatch.setattr(base, "host_isas", lambda: ())
    for name, request in requests:
        for kernel in request.kernels():
            assert not kernel.isa or request.rejects(kernel), f"{kernel.name}: {name}"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_transposed_convolution_without_taps_is_its_bias(dtype: str, layout: str) -> None:
    x = images(layout, 1, 8, 2, 1000).astype(dtype)
    for bias in (None, np.arange(8, dtype=dtype)):
        for kwargs in ({}, {"activation": "relu"}):
            y = F.conv_transpose2d(
                x, np.ones((8, 8, 1, 1), dtype), bias, stride=(2, 1), padding=(1, 0), layout=layout, **kwargs
            )
            want = np.zeros(8) if bias is None else bias
            want = want[:, None, None] if layout == "NCHW" else want
            np.testing.assert_array_equal(y, np.broadcast_to(want, y.shape))
