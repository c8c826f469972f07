"""torch: the functional API (oneDNN and MKL underneath), and oneDNN convolution with weights packed beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from fastconv.bench.peers.base import Contender, Unsupported, last, symmetric
from fastconv.bench.work import Work, canonical_results
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.conv import ConvProblem, weight_operands
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.problems.pool import PoolProblem

PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


@contextmanager
def limit(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def contenders(work: Work) -> list[Contender]:
    p = work.problem
    if isinstance(p, ConvProblem):
        return _conv(work, p)
    if isinstance(p, PoolProblem):
        return [_contender(work, name, _pool(work, p, x)) for name, x in _orders(_input(work)).items()]
    if isinstance(p, AdaptivePoolProblem) and p.direction == "forward":
        return [_contender(work, name, _adaptive(work, p, x)) for name, x in _orders(_input(work)).items()]
    if isinstance(p, GemmProblem):
        return [_contender(work, "torch", _gemm(work, p))]
    return [_by_name(work)]


def _contender(work: Work, name: str, run: Callable[[], Any]) -> Contender:
    shapes = [shape for shape, _ in work.problem.results]

    def results(y: Any) -> tuple[np.ndarray, ...]:
        parts = y if isinstance(y, tuple) else (y,)
        return tuple(_numpy(a).reshape(s) for a, s in zip(parts, shapes, strict=True))

    def without_gradients() -> Any:
        with torch.inference_mode():
            return run()

    return Contender(name, without_gradients, results)


def _numpy(t: torch.Tensor) -> np.ndarray:
    return t.float().numpy() if t.dtype == torch.bfloat16 else t.numpy()


def tensor(a: np.ndarray) -> torch.Tensor:
    """A tensor on the same memory, strides kept."""
    if a.dtype.name == "bfloat16":
        return torch.from_numpy(np.ascontiguousarray(a).view(np.int16)).view(torch.bfloat16)
    if any(s < 0 for s in a.strides) or not a.flags.writeable:
        a = a.copy()
    try:
        return torch.from_numpy(a)
    except TypeError as e:
        raise Unsupported(str(e)) from None


def _added(a: np.ndarray | None, x: torch.Tensor) -> torch.Tensor | None:
    """What is added to products of `x`, in its dtype: torch takes no other."""
    return None if a is None else tensor(a).to(x.dtype)


def _input(work: Work) -> torch.Tensor:
    """(N, C, spatial...); an NHWC array gives a channels-last tensor, as torch wants it."""
    n, c = work.canonical.shape[:2]
    x = work.canonical
    return tensor(x.reshape(n, c, *x.shape[5 - work.rank :]) if work.rank < 3 else x)


def _activation(name: str | None) -> Callable[[torch.Tensor], torch.Tensor]:
    return (lambda y: y) if name is None else getattr(F, name)


def _flat_pads(pads: Any) -> list[int]:
    """In torch's order: last axis first."""
    return [v for pair in reversed(pads) for v in pair]


def _weight_gradient(work: Work, p: ConvProblem) -> Contender:
    """What autograd runs for the gradient of the weights alone."""
    rank = work.rank
    if p.mode != "zeros" or not symmetric(p.pads):
        raise Unsupported("has gradients through even padding with zeros only")
    x, y = (
        tensor(a.reshape(*a.shape[:2], *a.shape[5 - rank :]) if rank < 3 else a)
        for a in weight_operands(p, work.canonical, work.constants[0])
    )
    w = torch.empty(p.w_shape[:2] + last(p.kernel, rank), dtype=x.dtype)
    stride, dilation, pads = (list(last(v, rank)) for v in (p.stride, p.dilation, tuple(lo for lo, _ in p.pads)))
    backward = torch.ops.aten.convolution_backward
    none = [0] * rank

    def run() -> Any:
        return backward(y, x, w, None, stride, pads, dilation, False, none, p.groups, [False, True, False])[1]

    return _contender(work, "torch", run)


def _conv(work: Work, p: ConvProblem) -> list[Contender]:
    if p.weights_wanted:
        return [_weight_gradient(work, p)]
    if p.direction == "transposed" and p.mode != "zeros":
        raise Unsupported("has gradients through padding with zeros only")
    rank = work.rank
    x = _input(work)
    w = work.constants[0]
    w = tensor(w.reshape(*w.shape[:2], *w.shape[5 - rank :]))
    b = _added(work.constants[1], x)
    stride, dilation, pads = last(p.stride, rank), last(p.dilation, rank), last(p.pads, rank)
    act = _activation(p.activation)
    if p.direction == "transposed":
        if not symmetric(pads):
            raise Unsupported("has no uneven padding of transposed convolutions")
        padding = tuple(lo for lo, _ in pads)
        extra = tuple(
            o - ((i - 1) * s - 2 * pad + d * (k - 1) + 1)
            for o, i, s, pad, d, k in zip(
                last(p.output, rank), last(p.input, rank), stride, padding, dilation, last(p.kernel, rank), strict=True
            )
        )
        transposed = getattr(F, f"conv_transpose{rank}d")
        return _in_orders(work, x, lambda x: act(transposed(x, w, b, stride, padding, extra, p.groups, dilation)))
    forward = getattr(F, f"conv{rank}d")
    if symmetric(pads) and p.mode == "zeros":
        padding = tuple(lo for lo, _ in pads)
        found = _in_orders(work, x, lambda x: act(forward(x, w, b, stride, padding, dilation, p.groups)))
        if rank == 2 and x.dtype == torch.float32:
            found += _packed(work, p, x, w, b, padding, act)
        return found
    if p.mode not in PAD_MODES:
        raise Unsupported(f"has no padding mode {p.mode!r}")
    flat, mode = _flat_pads(pads), PAD_MODES[p.mode]
    return [_contender(work, "torch", lambda: act(forward(F.pad(x, flat, mode), w, b, stride, 0, dilation, p.groups)))]


def _packed(
    work: Work, p: ConvProblem, x: torch.Tensor, w: torch.Tensor, b: Any, padding: tuple[int, ...], act: Any
) -> list[Contender]:
    """oneDNN's convolution on weights in its own blocked order, through the operators that torch's compiler uses."""
    stride, dilation, pads = list(p.stride[1:]), list(p.dilation[1:]), list(padding)
    reorder: Any = getattr(torch._C._nn, "mkldnn_reorder_conv2d_weight", None)
    try:
        packed = reorder(w.to_mkldnn(), pads, stride, dilation, p.groups, list(x.shape))
        pointwise = torch.ops.mkldnn._convolution_pointwise
    except (AttributeError, RuntimeError, TypeError):
        return []  # internal operators: other builds of torch lack them, or give them other arguments

    def run() -> Any:
        return act(pointwise(x, packed, b, pads, stride, dilation, p.groups, "none", [], ""))

    return [replace(_contender(work, "torch packed", run), prepacked=True)]


def _orders(x: torch.Tensor) -> dict[str, torch.Tensor]:
    """An image as it is, and with its channels at the other end: torch does some work several times as fast so."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    found = {"torch": x}
    if x.ndim in formats:
        first, last = x.is_contiguous(), x.is_contiguous(memory_format=formats[x.ndim])
        if first and not last:
            found["torch channels last"] = x.contiguous(memory_format=formats[x.ndim])
        elif last and not first:
            found["torch channels first"] = x.contiguous()
    return found


def _in_orders(work: Work, x: torch.Tensor, function: Callable[[torch.Tensor], Any]) -> list[Contender]:
    """The work on each order of an image: torch is judged by its best."""
    return [_contender(work, name, partial(function, image)) for name, image in _orders(x).items()]


def _pool(work: Work, p: PoolProblem, x: torch.Tensor) -> Callable[[], Any]:
    rank = work.rank
    k, s, d, pads = (last(v, rank) for v in (p.kernel, p.stride, p.dilation, p.pads))
    if not symmetric(pads) or any(lo > kk // 2 for (lo, _), kk in zip(pads, k, strict=True)):
        raise Unsupported("pads both sides of a window alike, by half of it at most")
    padding = tuple(lo for lo, _ in pads)
    floor = [
        (e + 2 * pad - dd * (kk - 1) - 1) // ss + 1
        for e, pad, dd, kk, ss in zip(last(p.input, rank), padding, d, k, s, strict=True)
    ]
    ceil = floor != list(last(p.output, rank))
    if p.kind == "max":
        pool = getattr(F, f"max_pool{rank}d")
        return lambda: pool(x, k, s, padding, d, ceil, p.indices)
    if any(v != 1 for v in d):
        raise Unsupported("has no dilation of averages")
    if p.kind == "avg":
        pool = getattr(F, f"avg_pool{rank}d")
        if rank == 1:
            if p.divisor is not None:
                raise Unsupported("has no divisor_override in one dimension")
            return lambda: pool(x, k, s, padding, ceil, p.include_pad)
        return lambda: pool(x, k, s, padding, ceil, p.include_pad, p.divisor)
    if any(padding):
        raise Unsupported("has no padding of lp_pool")
    pool = getattr(F, f"lp_pool{rank}d")
    return lambda: pool(x, p.norm, k, s, ceil)


def _adaptive(work: Work, p: AdaptivePoolProblem, x: torch.Tensor) -> Callable[[], Any]:
    pool, size = getattr(F, f"adaptive_{p.kind}_pool{work.rank}d"), last(p.output, work.rank)
    return lambda: pool(x, size, p.indices) if p.kind == "max" else pool(x, size)


def _gemm(work: Work, p: GemmProblem) -> Callable[[], Any]:
    a, b = tensor(work.canonical), tensor(work.constants[0])
    c, bias = (_added(v, a) for v in work.constants[1:])
    a, b = a.mT if p.trans_a else a, b.mT if p.trans_b else b
    if p.batch == 1 and b.shape[0] == 1:
        a, b, c = a[0], b[0], None if c is None else c[0]
    act = _activation(p.activation)
    if a.ndim == 2 and c is None and p.alpha == 1:
        return lambda: act(F.linear(a, b.T, bias))
    if a.ndim == 2 and c is not None and bias is None:
        return lambda: act(torch.addmm(c, a, b, beta=p.beta, alpha=p.alpha))

    def run() -> Any:
        y = torch.matmul(a, b)
        y = y if p.alpha == 1 else y * p.alpha
        y = y if c is None else y + p.beta * c
        return act(y if bias is None else y + bias)

    return run


def _by_name(work: Work) -> Contender:
    """Every other operation has torch's name and arguments already."""
    own = ("backend", "algorithm", "threads", "tol", "max_workspace", "layout", "padding_mode")
    if work.kwargs.get("layout", "NCHW") != "NCHW" or work.kwargs.get("padding_mode", "zeros") != "zeros":
        raise Unsupported("takes layout NCHW and zero padding only")
    function = getattr(F, work.name, None)
    if function is None:
        raise Unsupported(f"has no function called {work.name}")

    def given(value: Any) -> Any:
        return tensor(value) if isinstance(value, np.ndarray) else value

    args = tuple(map(given, work.args))
    kwargs = {k: given(v) for k, v in work.kwargs.items() if k not in own}

    def results(y: Any) -> tuple[np.ndarray, ...]:
        parts = y if isinstance(y, tuple) else (y,)
        return canonical_results(work, tuple(np.ascontiguousarray(_numpy(a)) for a in parts))

    return Contender("torch", lambda: function(*args, **kwargs), results)
