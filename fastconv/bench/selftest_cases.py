"""What `fastconv selftest` computes: small problems of every family, whose sizes leave remainders in every tile.

They are chosen so that every kernel gets some; `fastconv selftest` names those that got none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fastconv.bench.suite import operation_called
from fastconv.core.arrays import Spec
from fastconv.ndimage import (
    correlate,
    correlate1d,
    gaussian_filter,
    maximum_filter,
    median_filter,
    minimum_filter,
    percentile_filter,
    uniform_filter,
)
from fastconv.ops import grad

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One call: a public function and its arguments, arrays as `Spec`."""

    operation: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        words = [f"{'x'.join(map(str, a.shape))} {a.dtype}" if isinstance(a, Spec) else repr(a) for a in self.args]
        words += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{self.operation.__name__}({', '.join(words)})"


IMAGES: tuple[tuple[Shape, Shape, dict[str, Any]], ...] = (  # of convolutions, channels first
    ((2, 19, 13, 21), (21, 19, 3, 3), {"padding": 1}),
    ((1, 5, 14, 37), (18, 5, 3, 3), {"padding": 1}),
    ((1, 70, 9, 9), (40, 70, 3, 3), {"padding": 1}),
    ((1, 3, 30, 33), (17, 3, 5, 5), {"stride": 2, "padding": 2}),
    ((1, 1, 26, 39), (3, 1, 3, 3), {}),
    ((2, 37, 7, 9), (29, 37, 1, 1), {}),
    ((1, 33, 12, 15), (20, 33, 1, 1), {"stride": 2}),
    ((3, 40, 1, 1), (50, 40, 1, 1), {}),
    ((1, 40, 5, 6), (23, 40, 5, 6), {}),
    ((2, 21, 11, 14), (21, 1, 3, 3), {"padding": 1, "groups": 21}),
    ((1, 18, 12, 31), (36, 1, 5, 5), {"padding": 2, "stride": 2, "groups": 18}),
    ((1, 12, 10, 11), (20, 3, 3, 3), {"padding": 1, "groups": 4}),
    ((1, 64, 9, 10), (32, 16, 3, 3), {"padding": 1, "groups": 4}),
    ((1, 8, 15, 16), (9, 8, 3, 3), {"padding": 2, "dilation": 2}),
    ((1, 9, 13, 20), (17, 9, 5, 5), {"padding": 2}),
    ((1, 16, 12, 25), (16, 16, 7, 7), {"padding": 3}),
    ((1, 6, 11, 24), (10, 6, 1, 7), {"padding": (0, 3)}),
    ((1, 6, 24, 11), (10, 6, 3, 3), {"padding": 1, "padding_mode": "reflect"}),
    ((1, 4, 9, 10), (3, 4, 3, 3), {"padding": 2, "padding_mode": "circular", "activation": "relu"}),
    ((1, 20, 17, 18), (24, 20, 3, 3), {"padding": 1, "stride": 2}),
    ((1, 40, 8, 9), (24, 40, 1, 1), {}),
)
SIGNALS: tuple[tuple[str, Shape, Shape, dict[str, Any]], ...] = (
    ("conv1d", (2, 7, 83), (9, 7, 5), {"padding": 2}),
    ("conv1d", (1, 1, 900), (33, 1, 128), {"stride": 40}),
    ("conv3d", (1, 5, 6, 9, 11), (7, 5, 3, 3, 3), {"padding": 1}),
    ("conv_transpose1d", (1, 9, 30), (9, 5, 8), {"stride": 4, "padding": 2}),
    ("conv_transpose2d", (1, 17, 9, 11), (17, 12, 4, 4), {"stride": 2, "padding": 1}),
    ("conv_transpose2d", (1, 17, 9, 11), (17, 12, 2, 2), {"stride": 2}),
    ("conv_transpose2d", (2, 21, 8, 9), (21, 10, 3, 3), {"padding": 1}),
    ("conv_transpose2d", (1, 12, 8, 9), (12, 1, 3, 3), {"stride": 2, "padding": 1, "groups": 12}),
    ("conv_transpose2d", (1, 4, 14, 33), (4, 9, 3, 3), {"padding": 1}),
    ("conv_transpose2d", (1, 40, 3, 3), (40, 24, 1, 1), {}),
    ("conv_transpose3d", (1, 4, 4, 5, 6), (4, 6, 3, 3, 3), {"stride": 2}),
)
POOLS: tuple[tuple[str, Shape, tuple[Any, ...], dict[str, Any]], ...] = (
    ("max_pool2d", (2, 5, 17, 21), (3, 2, 1), {}),
    ("max_pool2d", (1, 19, 12, 37), (2,), {}),
    ("max_pool2d", (1, 6, 9, 24), (3, 1, 1), {}),
    ("max_pool2d", (1, 6, 13, 15), (3, 2), {"return_indices": True}),
    ("max_pool2d", (1, 7, 14, 38), (2,), {"return_indices": True}),
    ("max_pool2d", (40, 12, 7, 7), (2,), {}),
    ("max_pool3d", (1, 3, 6, 7, 9), (2,), {}),
    ("avg_pool2d", (2, 5, 17, 21), (3, 2, 1), {}),
    ("avg_pool2d", (1, 6, 9, 24), (3, 1, 1), {}),
    ("avg_pool2d", (1, 3, 23, 24), (9, 1), {}),
    ("avg_pool1d", (2, 3, 70), (4,), {}),
    ("lp_pool2d", (1, 5, 12, 19), (2.0, 3), {"stride": 2}),
    ("lp_pool2d", (1, 5, 12, 19), (3.0, 2), {}),
    ("global_avg_pool", (2, 21, 7, 9), (), {}),
    ("global_max_pool", (2, 21, 7, 9), (), {}),
    ("adaptive_avg_pool2d", (1, 17, 13, 11), (7,), {}),
    ("adaptive_max_pool2d", (1, 17, 13, 11), ((4, 5),), {}),
    ("adaptive_max_pool2d", (1, 17, 13, 11), (3,), {"return_indices": True}),
    ("adaptive_avg_pool2d", (1, 6, 40, 37), ((2, 3),), {}),
)
ELEMENTWISE = ("relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "softplus", "hardswish", "mish")
PRODUCTS: tuple[tuple[str, tuple[Shape, ...], dict[str, Any]], ...] = (
    ("matmul", ((37, 70), (70, 45)), {}),
    ("matmul", ((3, 18, 33), (3, 33, 29)), {}),
    ("matmul", ((1, 300), (300, 90)), {}),
    ("matmul", ((65, 300), (300, 3)), {}),
    ("linear", ((5, 130), (70, 130), (70,)), {}),
    ("linear", ((1, 257), (33, 257)), {}),
    ("gemm", ((40, 31), (53, 31)), {"trans_b": True, "activation": "relu"}),
)
INTEGERS: tuple[tuple[str, Shape, Shape, dict[str, Any]], ...] = (
    ("conv2d", (1, 9, 11, 13), (7, 9, 3, 3), {"padding": 1}),
    ("conv2d", (1, 11, 13, 9), (7, 9, 3, 3), {"padding": 1, "layout": "NHWC"}),
    ("conv2d", (1, 37, 6, 9), (21, 37, 1, 1), {}),
    ("conv2d", (1, 9, 11, 13), (9, 1, 3, 3), {"padding": 1, "groups": 9}),
    ("conv2d", (1, 12, 10, 11), (20, 3, 3, 3), {"padding": 1, "groups": 4}),
    ("conv2d", (3, 40, 1, 1), (50, 40, 1, 1), {}),
    ("conv_transpose2d", (1, 9, 7, 9), (9, 6, 4, 4), {"stride": 2, "padding": 1}),
    ("conv_transpose2d", (1, 17, 7, 9), (17, 6, 1, 1), {}),
    ("conv_transpose2d", (1, 9, 7, 9), (9, 1, 3, 3), {"groups": 9}),
    ("conv_transpose2d", (1, 12, 7, 9), (12, 5, 3, 3), {"groups": 4}),
    ("matmul", (19, 30), (30, 21), {}),
    ("matmul", (1, 90), (90, 33), {}),
)
FLOATS = ("float32", "float64", "float16", "bfloat16")
QUICK = ("float32", "float64")


def checks(dtypes: tuple[str, ...]) -> Iterator[Check]:
    """All calls, in these dtypes, and some in integers."""
    for dtype in dtypes:
        yield from _convolutions(dtype)
        yield from _pools(dtype)
        yield from _products(dtype)
        yield from _elements(dtype)
        yield from _shapes(dtype)
    for dtype in ("int8", "int32", "int64"):
        for name, x, w, kwargs in INTEGERS:
            yield Check(operation_called(name), (Spec(x, dtype), Spec(w, dtype)), kwargs)
        for layout in ("NCHW", "NHWC"):
            yield Check(operation_called("max_pool2d"), (Spec((1, 5, 11, 13), dtype), 3, 2), {"layout": layout})
        yield Check(operation_called("max_pool2d"), (Spec((1, 5, 11, 13), dtype), 2), {"return_indices": True})
        yield Check(operation_called("relu"), (Spec((3, 50), dtype),))
    yield Check(operation_called("conv2d"), (Spec((1, 3, 9, 9), "complex64"), Spec((4, 3, 3, 3), "complex64")))


def _layouts(number: int, dtype: str) -> tuple[str, ...]:
    """Both, or in dtypes other than float32 either."""
    return ("NCHW", "NHWC") if dtype == "float32" else (("NCHW", "NHWC")[number % 2],)


def _last(shape: Shape) -> Shape:
    return (shape[0], *shape[2:], shape[1])


def _convolutions(dtype: str) -> Iterator[Check]:
    named = [("conv2d", x, w, kwargs) for x, w, kwargs in IMAGES] + list(SIGNALS)
    for number, (name, x, w, kwargs) in enumerate(named):
        outputs = w[1] * kwargs.get("groups", 1) if "transpose" in name else w[0]
        for layout in _layouts(number, dtype):
            image = Spec(x if layout == "NCHW" else _last(x), dtype)
            arrays = (image, Spec(w, dtype), Spec((outputs,), dtype))
            operation = operation_called(name)
            yield Check(operation, arrays, {**kwargs, "layout": layout})
            if dtype in QUICK and name == "conv2d" and "activation" not in kwargs:
                yield from _gradients(operation, arrays[:2], {**kwargs, "layout": layout})


def _gradients(operation: Callable[..., Any], arrays: tuple[Spec, ...], kwargs: dict[str, Any]) -> Iterator[Check]:
    from fastconv.bench.gradients import gradient_call

    for argument in ("input", "weight"):
        yield Check(*gradient_call(operation, arrays, kwargs, argument))


def _pools(dtype: str) -> Iterator[Check]:
    for number, (name, x, args, kwargs) in enumerate(POOLS):
        for layout in _layouts(number, dtype):
            image = Spec(x if layout == "NCHW" else _last(x), dtype)
            yield Check(operation_called(name), (image, *args), {**kwargs, "layout": layout})
    if dtype not in QUICK:
        return
    whole, pooled, places = Spec((1, 5, 12, 18), dtype), Spec((1, 5, 6, 9), dtype), Spec((1, 5, 6, 9), "int64")
    yield Check(grad.avg_pool2d, (pooled, whole, 2))
    yield Check(grad.max_pool2d, (pooled, whole, 2))
    yield Check(grad.lp_pool2d, (pooled, whole, 2.0, 2))
    yield Check(grad.max_pool2d, (Spec((1, 5, 1, 1), dtype), whole, (12, 18)))
    yield Check(grad.global_max_pool, (Spec((1, 5, 1, 1), dtype), whole))
    yield Check(grad.max_unpool2d, (whole, pooled, places, 2))
    yield Check(operation_called("max_unpool2d"), (pooled, places, 2))
    yield Check(grad.adaptive_avg_pool2d, (Spec((1, 5, 5, 7), dtype), whole, (5, 7)))
    yield Check(grad.adaptive_max_pool2d, (Spec((1, 5, 5, 7), dtype), whole, (5, 7)))


def _products(dtype: str) -> Iterator[Check]:
    for name, shapes, kwargs in PRODUCTS:
        yield Check(operation_called(name), tuple(Spec(shape, dtype) for shape in shapes), kwargs)


def _elements(dtype: str) -> Iterator[Check]:
    x = Spec((3, 4, 37), dtype)
    for name in ELEMENTWISE:
        yield Check(operation_called(name), (x,))
        if dtype in QUICK:
            yield Check(getattr(grad, name), (x, x))
    yield Check(operation_called("prelu"), (x, Spec((4,), dtype)))
    yield Check(operation_called("glu"), (Spec((5, 38), dtype), 1))
    for axis in (1, -1):
        yield Check(operation_called("softmax"), (x, axis))
        yield Check(operation_called("log_softmax"), (x, axis))
        if dtype in QUICK:
            yield Check(grad.softmax, (x, x, axis))
    classes = Spec((30,), "int64")
    yield Check(operation_called("cross_entropy"), (Spec((30, 10), dtype), classes))
    yield Check(operation_called("nll_loss"), (Spec((30, 10), dtype), classes))
    if dtype in QUICK:
        yield Check(grad.cross_entropy, (Spec((), dtype), Spec((30, 10), dtype), classes))


def _shapes(dtype: str) -> Iterator[Check]:
    x = Spec((1, 3, 9, 17), dtype)
    for mode in ("constant", "reflect", "replicate", "circular"):
        yield Check(operation_called("pad"), (x, (2, 3, 1, 2)), {"mode": mode})
    if dtype in QUICK:
        yield Check(grad.pad, (Spec((1, 3, 12, 22), dtype), x, (2, 3, 1, 2), "reflect"))
    yield Check(operation_called("unfold"), (x, 3), {"padding": 1})
    yield Check(operation_called("fold"), (Spec((1, 18, 80), dtype), (8, 10), 3), {"padding": 1})
    if dtype in QUICK:
        yield Check(gaussian_filter, (Spec((19, 37), dtype), 1.0))
        yield Check(correlate, (Spec((19, 137), dtype), Spec((5, 4), "float64")), {"mode": "constant"})
        yield Check(median_filter, (Spec((9, 137), dtype), 3))
        yield Check(percentile_filter, (Spec((9, 37), dtype), 20, (3, 4)))
        yield Check(correlate1d, (Spec((5, 60), dtype), Spec((6,), "float64")), {"mode": "mirror"})
        yield Check(uniform_filter, (Spec((19, 37), dtype), 7))
        yield Check(maximum_filter, (Spec((19, 37), dtype), (3, 9)))
        yield Check(minimum_filter, (Spec((19, 37), dtype),), {"footprint": [[0, 1], [1, 1]]})
