"""Convolution problems that the tests share: hand-picked corners, and random ones from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import ml_dtypes  # noqa: F401  (gives bfloat16 its name)
import numpy as np

from fastconv.core.problems.base import is_half
from fastconv.core.problems.conv import (
    ConvProblem,
    bias_gradient,
    conv_problem,
    conv_transpose_problem,
    weight_gradient,
)

MODES = ("zeros", "reflect", "replicate", "circular", "symmetric")


def forward(
    x: tuple[int, ...],
    w: tuple[int, ...],
    *,
    stride: object = 1,
    padding: object = 0,
    dilation: object = 1,
    groups: int = 1,
    layout: str = "NCHW",
    mode: str = "zeros",
    bias: bool = True,
    activation: str | None = None,
    dtype: str = "float32",
    packed: bool = False,
) -> ConvProblem:
    """The problem of conv{1,2,3}d for shapes in NCHW order."""
    shape = x if layout == "NCHW" else (x[0], *x[2:], x[1])
    d = np.dtype(dtype)
    b = ((w[0],), d) if bias else (None, None)
    return conv_problem(
        len(w) - 2, shape, d, w, d, *b, stride, padding, dilation, groups, layout, mode, activation, packed
    )


def transposed(
    x: tuple[int, ...],
    w: tuple[int, ...],
    *,
    stride: object = 1,
    padding: object = 0,
    output_padding: object = 0,
    dilation: object = 1,
    groups: int = 1,
    layout: str = "NCHW",
    dtype: str = "float32",
) -> ConvProblem:
    """The problem of conv_transpose{1,2,3}d for shapes in NCHW order, with bias."""
    shape = x if layout == "NCHW" else (x[0], *x[2:], x[1])
    d = np.dtype(dtype)
    return conv_transpose_problem(
        len(w) - 2, shape, d, w, d, (w[1] * groups,), d, stride, padding, output_padding, groups, dilation, layout,
        "zeros", None, False,
    )  # fmt: skip


def corners() -> list[ConvProblem]:
    """Each a case that some kernel could get wrong, named by its reason."""
    return [
        forward((1, 1, 1, 1), (1, 1, 1, 1)),  # the smallest
        forward((2, 3, 5, 7), (4, 3, 3, 3), padding=1),  # odd everything
        forward((1, 16, 14, 14), (32, 16, 3, 3), padding=1),  # exact tiles
        forward((1, 17, 15, 15), (33, 17, 3, 3), padding=1),  # one more than a tile
        forward((1, 15, 13, 29), (31, 15, 3, 3)),  # one less
        forward((1, 8, 9, 9), (65, 8, 1, 1)),  # pointwise with a remainder in both directions
        forward((2, 8, 4, 8), (14, 8, 1, 1)),  # pointwise, exact
        forward((1, 12, 9, 9), (12, 1, 3, 3), padding=1, groups=12),  # depthwise
        forward((1, 5, 11, 37), (15, 1, 5, 5), padding=2, groups=5),  # depthwise with a multiplier, wide
        forward((1, 12, 9, 9), (24, 4, 3, 3), padding=1, groups=3),  # grouped
        forward((1, 4, 20, 20), (8, 4, 3, 3), stride=2, padding=1),
        forward((1, 4, 20, 23), (8, 4, 2, 3), stride=(3, 2), padding=(0, 2)),
        forward((1, 4, 20, 20), (8, 4, 3, 3), dilation=(2, 3), padding=((3, 1), (0, 4))),  # asymmetric
        forward((1, 3, 7, 7), (2, 3, 7, 7), padding=6),  # windows mostly in padding
        forward((1, 2, 50), (3, 2, 9), padding=4),  # 1-D
        forward((1, 1, 300), (1, 1, 33), dilation=3),  # FIR
        forward((1, 3, 6, 7, 8), (4, 3, 3, 2, 3), padding=1),  # 3-D
        forward((2, 2, 5, 6, 7), (4, 1, 2, 3, 3), stride=2, padding=1, groups=2),  # 3-D, depthwise with a multiplier
        forward((1, 4, 6, 6), (4, 4, 3, 3), padding="same", stride=2),
        forward((1, 2, 6, 6), (3, 2, 4, 4), padding="same_lower"),
        forward((0, 4, 6, 6), (4, 4, 3, 3)),  # no images
        forward((2, 0, 6, 6), (4, 0, 3, 3)),  # no channels: the bias
        forward((1, 3, 9, 9), (8, 3, 3, 3), padding=1, bias=False, activation="relu"),
        *(forward((1, 3, 6, 8), (5, 3, 3, 5), padding=(2, 3), mode=m) for m in MODES[1:]),
        *(forward((1, 6, 6, 8), (6, 1, 3, 5), padding=(2, 3), mode=m, groups=6) for m in MODES[1:]),
        replace(forward((1, 3, 6, 6), (4, 3, 3, 3), padding=1), fill=2.5),
        replace(  # cropping, as phases of transposed convolutions do
            forward((1, 3, 9, 9), (4, 3, 3, 3)), pads=((0, 0), (-1, 0), (-2, -1)), output=(1, 6, 4)
        ),
    ]


def transposed_corners() -> list[ConvProblem]:
    """The same of transposed convolutions."""
    return [
        transposed((1, 4, 5, 5), (4, 3, 3, 3)),
        transposed((2, 4, 5, 6), (4, 3, 3, 3), stride=2, padding=1, output_padding=1),
        transposed((1, 6, 4, 5), (6, 2, 4, 4), stride=2, padding=1, groups=3),
        transposed((1, 2, 5, 5), (2, 3, 2, 2), stride=3, dilation=2),  # phases without taps
        transposed((1, 2, 5, 5), (2, 3, 2, 2), stride=2, dilation=3, output_padding=2),
        transposed((1, 2, 5, 5), (2, 3, 1, 1), stride=2, output_padding=1),
        transposed((1, 2, 7, 7), (2, 2, 3, 3), padding=3),  # crops beyond the kernel's reach
        transposed((1, 3, 9), (3, 2, 5), stride=4, padding=2, output_padding=3),
        transposed((1, 2, 3, 4, 5), (2, 2, 3, 2, 3), stride=(2, 1, 3), padding=(1, 0, 1)),
        transposed((1, 5, 6, 6), (5, 1, 3, 3), stride=2, groups=5),
        transposed((0, 2, 5, 5), (2, 3, 3, 3)),
    ]


def with_gradients() -> list[ConvProblem]:
    """Convolutions that have gradients, some of them corners of the gradient alone."""
    return [replace(c, fill=0.0, activation=None) for c in corners() if min(lo for lo, _ in c.pads) >= 0] + [
        forward((2, 9, 12, 12), (40, 9, 3, 3), padding=1),  # two blocks of lanes, rows of channels
        forward((3, 1, 16, 16), (6, 1, 5, 5)),  # rows of taps
        forward((1, 1, 9, 40), (3, 1, 1, 17), dilation=(1, 2)),  # more taps than a tile has rows
        forward((1, 2, 700), (3, 2, 3), padding=1),  # a row longer than a block
        forward((5, 4, 4, 4), (3, 4, 3, 3), padding=1),  # several images in a block
        forward((1, 30, 6, 6), (4, 30, 3, 3), padding=1),
        forward((2, 4, 9, 9), (4, 2, 3, 3), stride=3, padding=1, groups=2, mode="circular"),
    ]


def gradients_of_weights() -> list[ConvProblem]:
    """Of all these convolutions, and of some biases."""
    backwards = [p for p in transposed_corners() if p.n]
    return [weight_gradient(p) for p in (*with_gradients(), *backwards)] + [
        bias_gradient(p) for p in with_gradients()[:6]
    ]


def in_layout(p: ConvProblem, layout: str) -> ConvProblem:
    return replace(p, layout=layout)


def in_dtype(p: ConvProblem, dtype: str) -> ConvProblem:
    d = np.dtype(dtype)
    return replace(p, dtype=d, acc=np.dtype("f") if is_half(d) else d, out=d)


@dataclass
class Arrays:
    """Arrays of a problem, as kernels take them."""

    x: np.ndarray
    w: np.ndarray
    bias: np.ndarray | None

    @classmethod
    def of(cls, p: ConvProblem, seed: int = 0) -> Arrays:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=p.x_shape).astype(p.dtype)
        w = rng.normal(size=p.w_shape).astype(p.dtype)
        bias = rng.normal(size=p.oc).astype(p.acc) if p.bias else None
        return cls(lay(x, p.layout), w, bias)


def lay(x: np.ndarray, layout: str) -> np.ndarray:
    """The same (N, C, D, H, W) values, stored in `layout`."""
    if layout == "NCHW":
        return np.ascontiguousarray(x)
    return np.ascontiguousarray(x.transpose(0, 2, 3, 4, 1)).transpose(0, 4, 1, 2, 3)


def empty_result(p: ConvProblem, filler: float = 7.0) -> np.ndarray:
    """Memory for a result, filled so that what is not written shows."""
    return lay(np.full(p.y_shape, filler, p.out), p.layout)


def random_problem(seed: int) -> ConvProblem:
    """A small problem with every option drawn at random."""
    rng = np.random.default_rng(seed)

    def pick(*values: int) -> int:
        return int(rng.choice(values))

    rank, groups = pick(1, 2, 2, 3), pick(1, 1, 2, 5)
    icg = 1 if rng.random() < 0.4 else pick(1, 2, 3, 17)
    ocg = pick(1, 2, 3, 14, 33)
    kernel = [pick(1, 1, 2, 3, 5) for _ in range(rank)]
    stride = tuple(pick(1, 2, 3) for _ in range(rank))
    dilation = tuple(pick(1, 2, 3) for _ in range(rank))
    if rng.random() < 0.25:
        kernel, stride = [1] * rank, (1,) * rank
    spatial = [pick(1, 2, 5, 7, 13, 16, 31) + d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if rank == 3:
        spatial[0] = min(spatial[0], 3 + dilation[0] * (kernel[0] - 1))
    padding = tuple((pick(0, 1, 3) % s, pick(0, 1, 2) % s) for s in spatial)
    return forward(
        (pick(1, 2), icg * groups, *spatial),
        (ocg * groups, icg, *kernel),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        layout=str(rng.choice(["NCHW", "NHWC"])),
        mode=str(rng.choice(MODES)),
        bias=bool(rng.random() < 0.5),
        activation=None if rng.random() < 0.7 else "relu",
        dtype=str(rng.choice(["float32", "float64"])),
        packed=bool(rng.random() < 0.5),
    )
