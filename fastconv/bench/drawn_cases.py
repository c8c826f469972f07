"""Problems drawn at random, for `fastconv bench --drawn`: what lies beside and between the cases of the suites.

Half of them are convolutions; the rest are transposed ones, pooling, products and elementwise operations.  Sizes are
log-uniform from 1 up, and powers of two as often as not: rows of such lengths meet in few sets of the caches.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, prod
from typing import Any

import numpy as np

from fastconv.bench.suite import call_of
from fastconv.bench.suites import Case, Suite
from fastconv.bench.work import outline
from fastconv.core.problems.base import Problem

LEAST, MOST = 1e4, 6e8  # operations of a problem
MOST_BYTES = 64e6
CHANNELS = 512
TAPS = 15  # along an axis, at most
EXTENT = {1: 1 << 17, 2: 1 << 11, 3: 1 << 7}  # of an image, at most, by its spatial axes
ACTIVATIONS = ("relu", "gelu", "sigmoid", "tanh", "silu", "elu", "softplus", "hardswish", "leaky_relu")

Generator = np.random.Generator


def drawn_suite(count: int, seed: int) -> Suite:
    """Draw `count` problems; the first ones of a seed are the same whatever the count."""
    cases = tuple(draw(number, seed) for number in range(count))
    return Suite("drawn", f"{count} problems drawn with seed {seed}", cases)


def draw(number: int, seed: int) -> Case:
    """One problem of the wanted size, named by the command that compares it."""
    rng = np.random.default_rng((seed, number))
    family = rng.choice(list(_FAMILIES), p=[share for share, _ in _FAMILIES.values()])
    while True:
        operation, shapes, args, kwargs = _FAMILIES[family][1](rng)
        if sum(map(prod, shapes)) * 4 > MOST_BYTES:
            continue
        dtype = "float64" if rng.random() < 0.1 else "float32"
        data = "denormal" if rng.random() < 0.03 else "normal"
        case = Case(_command(operation, shapes, args, kwargs, dtype, data), operation, shapes, args, kwargs,
                    dtype=dtype, data=data)  # fmt: skip
        problem = _problem(case)
        if problem is not None and LEAST <= problem.flops <= MOST and problem.bytes <= MOST_BYTES:
            return case


def family_of(case: Case) -> str:
    """The family of a drawn case, as its operation and its data show it."""
    name = case.operation
    if name.startswith("conv"):
        kind = "transposed" if "transpose" in name else "convolution"
        groups = case.kwargs.get("groups", 1)
        if kind == "convolution" and groups > 1:
            kind = "depthwise" if case.shapes[1][1] == 1 else "grouped"
        return kind + ", channels last" * (case.kwargs.get("layout") == "NHWC")
    if "pool" in name:
        kind = "adaptive pooling" if name.startswith(("adaptive", "global")) else f"{name[:3]} pooling"
        return kind + ", channels last" * (case.kwargs.get("layout") == "NHWC")
    return "activation" if name in ACTIVATIONS else name


def _problem(case: Case) -> Problem | None:
    """The problem of a case; None where its arguments leave no output, or are refused."""
    try:
        return outline(*call_of(case)).problem
    except ValueError:
        return None


def _size(rng: Generator, most: int) -> int:
    """Log-uniform from 1 to `most`; every second one is a power of two."""
    value = np.exp(rng.uniform(0, log(most + 1)))
    return int(min(2 ** round(np.log2(value)) if rng.random() < 0.5 else value, most))


def _each(rng: Generator, rank: int, draw: Callable[[], int]) -> tuple[int, ...]:
    """One value for all axes, or one for each."""
    if rng.random() < 0.6:
        return (draw(),) * rank
    return tuple(draw() for _ in range(rank))


def _windows(rng: Generator, rank: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Kernel, stride, padding and dilation."""
    kernel = _each(rng, rank, lambda: _size(rng, TAPS))
    stride = (1,) * rank if rng.random() < 0.6 else _each(rng, rank, lambda: int(rng.integers(1, 5)))
    padding = tuple(int(rng.integers(0, k // 2 + 1)) if rng.random() < 0.3 else k // 2 * (rng.random() < 0.5)
                    for k in kernel)  # fmt: skip
    dilation = (1,) * rank if rng.random() < 0.8 else _each(rng, rank, lambda: int(rng.integers(1, 4)))
    return kernel, stride, padding, dilation


def _groups(rng: Generator) -> tuple[int, int, int]:
    """Input channels, output channels and groups."""
    c, k, what = _size(rng, CHANNELS), _size(rng, CHANNELS), rng.random()
    if what < 0.7:
        return c, k, 1
    if what < 0.85:
        return c, c * int(rng.choice([1, 1, 1, 2])), c
    groups = _size(rng, 32)
    return groups * _size(rng, CHANNELS // groups), groups * _size(rng, CHANNELS // groups), groups


def _image(rng: Generator, channels: int, last: bool) -> tuple[int, tuple[int, ...]]:
    """Spatial axes, and the shape of a batch of images."""
    rank = int(rng.choice([1, 2, 3], p=[0.25, 0.55, 0.2]))
    spatial = tuple(_size(rng, EXTENT[rank]) for _ in range(rank))
    batch = 1 if rng.random() < 0.5 else _size(rng, 64)
    return rank, (batch, *spatial, channels) if last else (batch, channels, *spatial)


def _kwargs(rank: int, last: bool, **given: Any) -> dict[str, Any]:
    """What differs from the defaults, in its shortest form."""
    defaults = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    found: dict[str, Any] = {"layout": "NHWC"} if last else {}
    for name, value in given.items():
        short = value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value
        if short != defaults[name]:
            found[name] = short
    return found


_Drawn = tuple[str, tuple[tuple[int, ...], ...], tuple[Any, ...], dict[str, Any]]


def _conv(rng: Generator, transposed: bool = False) -> _Drawn:
    last = rng.random() < 0.3
    c, k, groups = _groups(rng)
    rank, image = _image(rng, c, last)
    kernel, stride, padding, dilation = _windows(rng, rank)
    ends = (c, k // groups) if transposed else (k, c // groups)
    kwargs = _kwargs(rank, last, stride=stride, padding=padding, dilation=dilation, groups=groups)
    shapes = (image, (*ends, *kernel)) + (((k,),) if rng.random() < 0.5 else ())
    return f"conv_transpose{rank}d" if transposed else f"conv{rank}d", shapes, (), kwargs


def _pool(rng: Generator) -> _Drawn:
    last = rng.random() < 0.3
    rank, image = _image(rng, _size(rng, CHANNELS), last)
    kernel, stride, padding, dilation = _windows(rng, rank)
    kind = "max" if rng.random() < 0.5 else "avg"
    if rng.random() < 0.4:
        stride = kernel
    given = {"padding": padding} | ({"dilation": dilation} if kind == "max" else {})
    kwargs = {"stride": stride} | _kwargs(rank, last, **given)
    return f"{kind}_pool{rank}d", (image,), (kernel,), kwargs


def _adaptive(rng: Generator) -> _Drawn:
    last = rng.random() < 0.2
    rank, image = _image(rng, _size(rng, CHANNELS), last)
    size = _each(rng, rank, lambda: _size(rng, 32))
    kind = "max" if rng.random() < 0.4 else "avg"
    return f"adaptive_{kind}_pool{rank}d", (image,), (size,), _kwargs(rank, last)


def _matmul(rng: Generator) -> _Drawn:
    m, k, n = (_size(rng, 4096) for _ in range(3))
    lead = () if rng.random() < 0.7 else (_size(rng, 64),)
    return "matmul", ((*lead, m, k), (*lead, k, n)), (), {}


def _linear(rng: Generator) -> _Drawn:
    m, k, n = _size(rng, 1024), _size(rng, 4096), _size(rng, 4096)
    return "linear", ((m, k), (n, k)) + (((n,),) if rng.random() < 0.7 else ()), (), {}


def _activation(rng: Generator) -> _Drawn:
    shape = tuple(_size(rng, 512) for _ in range(int(rng.integers(1, 5))))
    return str(rng.choice(ACTIVATIONS)), (shape,), (), {}


def _softmax(rng: Generator) -> _Drawn:
    shape = tuple(_size(rng, 1024) for _ in range(int(rng.integers(1, 5))))
    axis = -1 if rng.random() < 0.7 else int(rng.integers(0, len(shape)))
    return "softmax" if rng.random() < 0.6 else "log_softmax", (shape,), (axis,), {}


_FAMILIES: dict[str, tuple[float, Callable[[Generator], _Drawn]]] = {
    "convolution": (0.5, _conv),
    "transposed": (0.12, lambda rng: _conv(rng, transposed=True)),
    "pooling": (0.12, _pool),
    "adaptive pooling": (0.06, _adaptive),
    "matmul": (0.07, _matmul),
    "linear": (0.05, _linear),
    "activation": (0.05, _activation),
    "softmax": (0.03, _softmax),
}


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _command(
    operation: str,
    shapes: tuple[tuple[int, ...], ...],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    dtype: str,
    data: str,
) -> str:
    """The arguments of ``fastconv compare`` for a problem."""
    words = [operation, *("x".join(map(str, shape)) for shape in shapes), *map(_text, args)]
    words += [word for name, value in kwargs.items() for word in (f"--{name}", _text(value))]
    words += ["--dtype", dtype] * (dtype != "float32") + ["--data", data] * (data != "normal")
    return " ".join(words)
