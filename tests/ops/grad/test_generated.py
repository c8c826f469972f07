"""Every gradient against torch autograd on problems from a generator.

``FASTCONV_TEST_GRADIENTS=5000 pytest tests/ops/grad/test_generated.py`` tries that many, 300 by default, split
among the families; a failure names its seed.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.problems.activation import FUSED

torch = pytest.importorskip("torch")
T = torch.nn.functional

COUNT = int(os.environ.get("FASTCONV_TEST_GRADIENTS", "300"))
EPS = {"float32": 2e-5, "float64": 1e-12}


@dataclass
class Case:
    """One call in both worlds; arrays are those whose gradients are compared, in NCHW order."""

    name: str
    arrays: list[np.ndarray]
    theirs: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    between: tuple[Any, ...] = ()  # arguments between the arrays and the rest: none has a gradient
    layout: str = "NCHW"


def ints(rng: np.random.Generator, low: int, high: int, count: int) -> tuple[int, ...]:
    return tuple(int(v) for v in rng.integers(low, high, count))


def volume(rng: np.random.Generator, dtype: str, rank: int, channels: int, low: int = 1, ties: bool = False) -> Any:
    spatial = ints(rng, low, {1: 40, 2: 14, 3: 8}[rank], rank)
    x = rng.normal(size=(int(rng.integers(1, 4)), channels, *spatial))
    return (np.round(2 * x) / 2 if ties else x).astype(dtype)


def convolution(rng: np.random.Generator, dtype: str) -> Case:
    rank, groups = int(rng.integers(1, 4)), int(rng.choice([1, 1, 1, 2, 3]))
    icg, ocg = ints(rng, 1, 6, 2)
    if rng.random() < 0.15:
        icg, ocg, groups = 1, int(rng.integers(1, 3)), int(rng.integers(1, 20))
    if rng.random() < 0.1:
        ocg = int(rng.integers(1, 70))
    if rng.random() < 0.1:
        icg = int(rng.integers(1, 40))
    k, s, d = ints(rng, 1, 5, rank), ints(rng, 1, 4, rank), ints(rng, 1, 4, rank)
    p: Any = ints(rng, 0, 4, rank)
    x = volume(rng, dtype, rank, icg * groups)
    w = rng.normal(size=(ocg * groups, icg, *k)).astype(dtype)
    arrays = [x, w] + ([rng.normal(size=ocg * groups).astype(dtype)] if rng.random() < 0.6 else [])
    kwargs: dict[str, Any] = {}
    mode = str(rng.choice(["zeros", "zeros", "reflect", "replicate", "circular"]))
    layout = str(rng.choice(["NCHW", "NHWC"]))
    activation = str(rng.choice(["relu", "silu", "hardswish"])) if rng.random() < 0.15 else None
    if rng.random() < 0.1 and mode == "zeros":
        s, p = (1,) * rank, "same"
    if mode != "zeros":
        kwargs["padding_mode"] = mode
    if activation:
        kwargs["activation"] = activation

    def theirs(x: Any, w: Any, b: Any = None) -> Any:
        pads = p
        if mode != "zeros":
            x, pads = T.pad(x, [v for q in reversed(p) for v in (q, q)], mode=mode), 0
        y = getattr(T, f"conv{rank}d")(x, w, b, s, pads, d, groups)
        return getattr(T, activation)(y) if activation else y

    return Case(f"conv{rank}d", arrays, theirs, (s, p, d, groups), kwargs, layout=layout)


def transposed(rng: np.random.Generator, dtype: str) -> Case:
    rank, groups = int(rng.integers(1, 4)), int(rng.choice([1, 1, 2, 3]))
    icg, ocg = ints(rng, 1, 6, 2)
    k, s, d, p = (ints(rng, 1, 5, rank), ints(rng, 1, 4, rank), ints(rng, 1, 4, rank), ints(rng, 0, 3, rank))
    extra = tuple(int(rng.integers(0, max(a, b))) for a, b in zip(s, d, strict=True))
    x = volume(rng, dtype, rank, icg * groups)
    w = rng.normal(size=(icg * groups, ocg, *k)).astype(dtype)
    arrays = [x, w] + ([rng.normal(size=ocg * groups).astype(dtype)] if rng.random() < 0.6 else [])
    args = (s, p, extra, groups, d)
    function = getattr(T, f"conv_transpose{rank}d")
    return Case(f"conv_transpose{rank}d", arrays, lambda x, w, b=None: function(x, w, b, *args), args,
                layout=str(rng.choice(["NCHW", "NHWC"])))  # fmt: skip


def pooling(rng: np.random.Generator, dtype: str) -> Case:
    rank = int(rng.integers(1, 4))
    kind = str(rng.choice(["max", "avg", "lp"]))
    x = volume(rng, dtype, rank, int(rng.integers(1, 5)), ties=kind == "max")
    k, s = ints(rng, 1, 5, rank), ints(rng, 1, 4, rank)
    ceil = bool(rng.random() < 0.5)
    p = tuple(int(rng.integers(0, v // 2 + 1)) for v in k)
    name = f"{kind}_pool{rank}d"
    function = getattr(T, name)
    layout = str(rng.choice(["NCHW", "NHWC"]))
    if kind == "max":
        # A dilated window may lie wholly in padding: torch's index is then out of range, and its gradient writes there.
        d = ints(rng, 1, 3, rank) if not any(p) else (1,) * rank
        args: tuple[Any, ...] = (k, s, p, d, ceil)
        return Case(name, [x], lambda x: function(x, *args), args, layout=layout)
    if kind == "avg":
        include = bool(rng.random() < 0.5)
        args = (k, s, p, ceil, include)
        return Case(name, [x], lambda x: function(x, *args), args, layout=layout)
    # Odd norms of negative sums have no real value in either library.
    norm = float(rng.choice([1, 2, 3, 4]))
    x = np.abs(x) + x.dtype.type(0.1) if norm % 2 else x
    args = (norm, k if rank > 1 else k[0], s if rank > 1 else s[0], ceil)
    return Case(name, [x], lambda x: function(x, *args), args, layout=layout)


def adaptive(rng: np.random.Generator, dtype: str) -> Case:
    rank = int(rng.integers(1, 4))
    kind = str(rng.choice(["max", "avg"]))
    x = volume(rng, dtype, rank, int(rng.integers(1, 5)), ties=kind == "max")
    size = ints(rng, 1, 8, rank)
    function = getattr(T, f"adaptive_{kind}_pool{rank}d")
    return Case(f"adaptive_{kind}_pool{rank}d", [x], lambda x: function(x, size), (size,),
                layout=str(rng.choice(["NCHW", "NHWC"])))  # fmt: skip


def whole(rng: np.random.Generator, dtype: str) -> Case:
    rank = int(rng.integers(1, 4))
    x = volume(rng, dtype, rank, int(rng.integers(1, 5)), ties=True)
    axes = tuple(range(2, 2 + rank))
    if rng.random() < 0.5:
        return Case("global_max_pool", [x], lambda x: x.amax(axes, keepdim=True))
    return Case("global_avg_pool", [x], lambda x: x.mean(axes, keepdim=True))


def unpooling(rng: np.random.Generator, dtype: str) -> Case:
    rank = int(rng.integers(1, 4))
    x = volume(rng, dtype, rank, int(rng.integers(1, 4)), low=4)
    y, index = getattr(T, f"max_pool{rank}d")(torch.tensor(x), 2, return_indices=True)
    size = x.shape[2:]
    function = getattr(T, f"max_unpool{rank}d")
    return Case(
        f"max_unpool{rank}d", [y.numpy()], lambda y: function(y, index, 2, output_size=size), (2,),
        {"output_size": size}, (index.numpy(),),
    )  # fmt: skip


def product(rng: np.random.Generator, dtype: str) -> Case:
    m, k, n, batch = ints(rng, 1, 9, 4)
    shapes = [((m, k), (k, n)), ((batch, m, k), (k, n)), ((batch, 1, m, k), (2, k, n)), ((k,), (batch, k, n)),
              ((batch, m, k), (k,)), ((k,), (k,))]  # fmt: skip
    a, b = (rng.normal(size=s).astype(dtype) for s in shapes[int(rng.integers(len(shapes)))])
    return Case("matmul", [a, b], torch.matmul)


def general(rng: np.random.Generator, dtype: str) -> Case:
    m, k, n = ints(rng, 1, 40, 3)
    ta, tb = (bool(v) for v in rng.random(2) < 0.5)
    alpha, beta = (float(v) for v in rng.normal(size=2))
    shapes = ((k, m) if ta else (m, k), (n, k) if tb else (k, n), (m, n) if rng.random() < 0.5 else (n,))
    arrays = [rng.normal(size=s).astype(dtype) for s in shapes]

    def theirs(a: Any, b: Any, c: Any) -> Any:
        return alpha * (a.mT if ta else a) @ (b.mT if tb else b) + beta * c

    return Case("gemm", arrays, theirs, (), {"alpha": alpha, "beta": beta, "trans_a": ta, "trans_b": tb})


def connection(rng: np.random.Generator, dtype: str) -> Case:
    lead, (k, n) = ints(rng, 1, 6, int(rng.integers(0, 3))), ints(rng, 1, 50, 2)
    arrays = [rng.normal(size=s).astype(dtype) for s in ((*lead, k), (n, k), (n,))]
    return Case("linear", arrays[: int(rng.integers(2, 4))], T.linear)


def activation(rng: np.random.Generator, dtype: str) -> Case:
    name = str(rng.choice([*FUSED, "threshold", "prelu", "glu", "clamp"]))
    x = (3 * rng.normal(size=ints(rng, 1, 6, int(rng.integers(1, 4))))).astype(dtype)
    if name == "prelu":
        return Case(name, [x, rng.normal(size=1).astype(dtype)], T.prelu)
    if name == "glu":
        x = np.concatenate([x, x[::-1]], -1)
        return Case(name, [x], T.glu)
    if name == "clamp":
        return Case(name, [x], lambda x: torch.clamp(x, -1, 2), (-1, 2))
    args = (0.3, -2.0) if name == "threshold" else ()
    function = getattr(T, name)
    return Case(name, [x], lambda x: function(x, *args), args)


def softmax(rng: np.random.Generator, dtype: str) -> Case:
    name = str(rng.choice(["softmax", "log_softmax", "softmin"]))
    x = (4 * rng.normal(size=ints(rng, 1, 9, int(rng.integers(1, 4))))).astype(dtype)
    dim = int(rng.integers(-x.ndim, x.ndim))
    function = getattr(T, name)
    return Case(name, [x], lambda x: function(x, dim), (dim,))


def loss(rng: np.random.Generator, dtype: str) -> Case:
    name = str(rng.choice(["cross_entropy", "nll_loss"]))
    n, c = ints(rng, 1, 8, 2)
    rest = ints(rng, 1, 4, int(rng.integers(0, 3)))
    x = rng.normal(size=(n, c, *rest)).astype(dtype)
    target = rng.integers(0, c, (n, *rest))
    kwargs: dict[str, Any] = {"reduction": str(rng.choice(["mean", "sum", "none"]))}
    if rng.random() < 0.5:
        kwargs["weight"] = (rng.random(c) + 0.1).astype(dtype)
    if rng.random() < 0.4 and c > 1:
        kwargs["ignore_index"] = int(rng.integers(0, c))
        target.flat[0] = (kwargs["ignore_index"] + 1) % c  # something counts
    if name == "cross_entropy" and rng.random() < 0.4:
        kwargs["label_smoothing"] = float(rng.random())
    theirs = {k: torch.tensor(v) if k == "weight" else v for k, v in kwargs.items()}
    function = getattr(T, name)
    return Case(name, [x], lambda x: function(x, torch.tensor(target), **theirs), (), kwargs, (target,))


def padding(rng: np.random.Generator, dtype: str) -> Case:
    rank = int(rng.integers(1, 4))
    x = volume(rng, dtype, rank, 2, low=4)
    mode = str(rng.choice(["constant", "reflect", "replicate", "circular"]))
    pads = ints(rng, -1, 4, 2 * rank)
    return Case("pad", [x], lambda x: T.pad(x, pads, mode), (pads, mode))


def windows(rng: np.random.Generator, dtype: str) -> Case:
    x = volume(rng, dtype, 2, 2, low=5)
    k, d, p, s = ints(rng, 1, 4, 2), ints(rng, 1, 3, 2), ints(rng, 0, 3, 2), ints(rng, 1, 4, 2)
    if rng.random() < 0.5:
        return Case("unfold", [x], lambda x: T.unfold(x, k, d, p, s), (k, d, p, s))
    columns = T.unfold(torch.tensor(x), k, d, p, s).numpy()
    return Case("fold", [columns], lambda c: T.fold(c, x.shape[2:], k, d, p, s), (x.shape[2:], k, d, p, s))


# Convolutions, which have the most arguments, get the most problems.
FAMILIES = [convolution] * 6 + [transposed] * 3 + [
    pooling, pooling, adaptive, whole, unpooling, product, general, connection, activation, activation, softmax, loss,
    loss, padding, windows,
]  # fmt: skip
BACKENDS = ["auto", "auto", "numpy", "reference"]


def channels_last(a: np.ndarray) -> np.ndarray:
    return np.moveaxis(a, 1, -1)


def attempt(seed: int) -> bool:
    """Compare one problem; return whether torch supports it."""
    rng = np.random.default_rng([2026, seed])
    make = FAMILIES[seed % len(FAMILIES)]
    dtype = str(rng.choice(["float32", "float64"]))
    case = make(rng, dtype)
    tensors = [torch.tensor(a, requires_grad=True) for a in case.arrays]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch pads a copy for even kernels, and says so
            y = case.theirs(*tensors)
    except RuntimeError:
        return False  # a combination that has no output, or that torch refuses
    if y.numel() == 0:
        return False
    dy = rng.normal(size=tuple(y.shape)).astype(dtype)
    y.backward(torch.tensor(dy))
    last = case.layout == "NHWC"
    first, *others = case.arrays
    if last:
        dy, first = channels_last(dy), channels_last(first)
        case.kwargs["layout"] = "NHWC"
    if len(case.arrays) == 2 and case.name.startswith("conv"):
        others.append(None)  # type: ignore[arg-type]
    backend = str(rng.choice(BACKENDS))
    with F.options(backend=backend, threads=int(rng.integers(1, 3))):
        results = getattr(F.grad, case.name)(dy, first, *others, *case.between, *case.args, **case.kwargs)
    results = results if isinstance(results, tuple) else (results,)
    results = tuple(r for r in results if r is not None)
    assert len(results) == len(tensors)
    for i, (got, t) in enumerate(zip(results, tensors, strict=True)):
        want = t.grad.numpy()
        got = np.moveaxis(got, -1, 1) if last and i == 0 else got
        assert got.shape == want.shape, f"seed {seed}: {case}"
        assert got.dtype == want.dtype, f"seed {seed}: {case}"
        bound = EPS[dtype] * max(1.0, float(np.abs(want).max()))
        if case.name == "hardsigmoid":
            bound = max(bound, 1e-7)  # torch rounds 1/6 to float32
        difference = float(np.abs(got - want).max(initial=0))
        assert difference <= bound, f"seed {seed}, {backend}, argument {i}: off by {difference}: {case}"
    return True


@pytest.mark.parametrize("part", range(10))
def test_against_autograd(part: int) -> None:
    tried = sum(attempt(seed) for seed in _seeds(part))
    assert tried


def _seeds(part: int) -> range:
    """More seeds than problems: some that the generator makes have no output."""
    return range(part, COUNT * 5 // 4, 10)
