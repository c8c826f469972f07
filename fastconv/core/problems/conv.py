"""Convolution as one canonical problem, whatever its rank, layout or direction.

Spatial rank is always three: a 1-D signal is a volume of one row, an image a volume of one
plane.  `direction` is one of:

``forward``      y[n, k, o] = b[k] + sum_{c, t} x[n, c, o*s - p + t*d] w[k, c, t]
``transposed``   y[n, k, i*s - p + t*d] += x[n, c, i] w[c, k, t]      (b[k] where no tap lands)
``weight``       w[k, c, t] = sum_{n, o} y[n, k, o] x[n, c, o*s - p + t*d]

Outside the input x is the fill value, or what the padding mode says; in transposed convolutions it is zero.  Products
with those values are part of the sums, so that zero times infinity is NaN there, too.

Each is a gradient of another: the input gradient of a forward convolution is a transposed one and the
other way round (`input_gradient`); its weight gradient is ``weight`` (`weight_gradient`).

Letters, here and in every kernel: n batch, ic oc channels, id ih iw input, od oh ow output,
kd kh kw kernel, sd sh sw stride, dd dh dw dilation, g groups.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import DTypeError, ShapeError, not_among, shown
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.activation import check_activation
from fastconv.core.problems.base import (
    NOMINAL_ROWS,
    PADDING_MODES,
    SMALL_IMAGE,
    Pads,
    Problem,
    as_int,
    as_ints,
    check_dtype,
    check_mode_pads,
    check_size,
    check_span,
    description,
    product_dtypes,
    split_batch,
    to3,
)
from fastconv.typing import Activation, Layout, PaddingMode, SamePadding, TransposedPaddingMode

SAME: tuple[str, ...] = get_args(SamePadding)
TRANSPOSED_PADDING_MODES: tuple[str, ...] = get_args(TransposedPaddingMode)
ConvDirection: TypeAlias = Literal["forward", "transposed", "weight", "weight_transposed"]
DIRECTIONS: tuple[str, ...] = get_args(ConvDirection)
AXES = ("depth", "height", "width")
PACKED_IMAGE, SOME_IMAGES = 1 << 17, 8  # as SMALL_IMAGE, of gradients and decoders that pack weights; a batch of them


@description
class ConvProblem(Problem):
    """One convolution.

    Attributes
    ----------
    direction : str
        ``forward``, ``transposed``, ``weight`` or ``weight_transposed``.  The fields of the last two are those of the
        forward convolution.  A run of ``weight`` receives y, the gradient of the output, and has x as its constant;
        ``weight_transposed``, for the weights of a transposed convolution, receives x and has y as its constant.
    n, ic, oc, groups : int
        Batch, input channels, output channels (over all groups), groups.
    input, kernel, output : tuple of 3 int
        Extents along depth, height, width.
    stride, dilation : tuple of 3 int
    pads : tuple of 3 (lo, hi)
        Of the forward convolution; for ``transposed`` those of the convolution that it
        transposes.  Negative values crop (transposed convolutions create them).
    mode : str
        ``zeros`` (the fill value is `fill`), ``reflect``, ``replicate``, ``circular``, ``symmetric``.  For
        ``transposed``: what lands in the padding is added to the position that the padding copies.
    fill : float
        Value outside the input in mode ``zeros``.
    layout : str
        Memory order of the user's arrays: ``NCHW`` or ``NHWC``.  Kernels always see (N, C, D, H, W) views.
    dtype, acc, out : numpy.dtype
        Of input and weights (promoted already), of sums, of the result.
    bias : bool
    activation : str or None
        Applied to the finished sum.
    packed : bool
        Whether weights are packed once, for many runs, so that packing costs nothing.
    """

    direction: ConvDirection
    n: int
    ic: int
    oc: int
    groups: int
    input: tuple[int, int, int]
    kernel: tuple[int, int, int]
    stride: tuple[int, int, int]
    dilation: tuple[int, int, int]
    pads: Pads
    output: tuple[int, int, int]
    mode: PaddingMode
    fill: float
    layout: Layout
    dtype: np.dtype
    acc: np.dtype
    out: np.dtype
    bias: bool
    activation: Activation | None
    packed: bool

    @property
    def op(self) -> str:
        return "conv"

    @property
    def icg(self) -> int:
        """Input channels of one group."""
        return self.ic // self.groups

    @property
    def ocg(self) -> int:
        """Output channels of one group."""
        return self.oc // self.groups

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1] * self.kernel[2]

    @property
    def depth(self) -> int:
        """Products summed into one output value (at most, for ``transposed``)."""
        return self.icg * self.taps

    @property
    def terms(self) -> int:
        summed = max(self.n, 1) * self.pixels if self.weights_wanted else self.depth
        return summed + self.bias

    @property
    def pixels(self) -> int:
        """Output positions of one channel of one image."""
        return self.output[0] * self.output[1] * self.output[2]

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (self.n, self.ic, *self.input)

    @property
    def w_shape(self) -> tuple[int, ...]:
        """Canonical shape of the weights: (oc, icg, kd, kh, kw), or (ic, ocg, kd, kh, kw) transposed."""
        if self.direction == "transposed":
            return (self.ic, self.ocg, *self.kernel)
        return (self.oc, self.icg, *self.kernel)

    @property
    def y_shape(self) -> tuple[int, ...]:
        return (self.n, self.oc, *self.output)

    @property
    def not_forward(self) -> str | None:
        """Why a kernel of forward convolutions cannot do this; None if it can."""
        return None if self.direction == "forward" else f"direction {self.direction}: other kernels do it"

    @property
    def not_pointwise(self) -> str | None:
        """Why a kernel of 1x1 convolutions, which are products of matrices, cannot do this; None if it can."""
        other = self.taps != 1 or self.stride != (1, 1, 1) or any(pad != (0, 0) for pad in self.pads)
        return self.not_forward or ("not 1x1 with stride 1 and no padding" if other else None)

    @property
    def not_weight(self) -> str | None:
        """Why a kernel of gradients of weights cannot do this; None if it can."""
        return None if self.weights_wanted else f"direction {self.direction}: no gradient of weights"

    @property
    def pads_with_zeros(self) -> bool:
        """Whether windows may contain zeros outside the input, whose products with infinity and NaN are NaN."""
        return self.mode == "zeros" and self.fill == 0 and any(max(pads) > 0 for pads in self.pads)

    @property
    def weights_wanted(self) -> bool:
        """Whether the result is a gradient of weights."""
        return self.direction in ("weight", "weight_transposed")

    @property
    def flops(self) -> float:
        if self.direction == "transposed":
            i = self.input
            return 2.0 * self.n * self.ic * i[0] * i[1] * i[2] * self.ocg * self.taps
        return 2.0 * self.n * self.oc * self.pixels * self.depth

    @property
    def bytes(self) -> float:
        size = self.dtype.itemsize
        x, w, y = (float(prod(s)) for s in (self.x_shape, self.w_shape, self.y_shape))
        return (x + w) * size + y * self.out.itemsize

    def one_image(self) -> ConvProblem:
        return self if self.n <= 1 or self.weights_wanted else replace(self, n=1)

    def many_images(self) -> ConvProblem | None:
        elements = self.ic * self.input[0] * self.input[1] * self.input[2] + self.oc * self.pixels
        if self.direction == "transposed" and not self.packed:  # gradients are those of batches
            return replace(self, n=SOME_IMAGES) if SMALL_IMAGE < elements <= PACKED_IMAGE else None
        return None if self.not_forward or elements > SMALL_IMAGE else replace(self, n=NOMINAL_ROWS)

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return ((self.w_shape if self.weights_wanted else self.y_shape, self.out),)


def input_gradient(p: ConvProblem) -> ConvProblem:
    """The problem that computes the gradient of the input of `p`, from the gradient of its output and its weights."""
    direction: ConvDirection = "transposed" if p.direction == "forward" else "forward"
    return replace(
        p, direction=direction, ic=p.oc, oc=p.ic, input=p.output, output=p.input, pads=_reached(p), bias=False,
        activation=None,
    )  # fmt: skip


def weight_gradient(p: ConvProblem) -> ConvProblem:
    """The problem that computes the gradient of the weights of `p`, a forward or transposed convolution."""
    if p.direction == "forward":
        return replace(p, direction="weight", bias=False, activation=None, packed=False)
    return replace(input_gradient(p), direction="weight_transposed", packed=False)


def bias_gradient(p: ConvProblem) -> ConvProblem:
    """The problem that computes the gradient of the bias of `p`: the weights of a 1x1 convolution of a channel of ones.

    Channels last, the batch is one long row of pixels.
    """
    n, output = (1, (1, 1, p.n * p.pixels)) if p.layout == "NHWC" else (p.n, p.output)
    return replace(
        p, direction="weight", n=n, ic=1, groups=1, input=output, kernel=(1, 1, 1), stride=(1, 1, 1),
        dilation=(1, 1, 1), pads=((0, 0),) * 3, output=output, mode="zeros", bias=False, activation=None, packed=False,
    )  # fmt: skip


def weight_operands(p: ConvProblem, changing: Any, fixed: Any) -> tuple[Any, Any]:
    """(x, y) of a ``weight`` or ``weight_transposed`` problem from the array of a run and the constant."""
    return (fixed, changing) if p.direction == "weight" else (changing, fixed)


def _reached(p: ConvProblem) -> Pads:
    """Pads of the forward convolution that `p` transposes, without what output_padding leaves unread."""
    if p.direction == "forward":
        return p.pads
    return tuple(
        (lo, (i - 1) * s + d * (k - 1) + 1 - o - lo)
        for (lo, _), i, s, d, k, o in zip(p.pads, p.input, p.stride, p.dilation, p.kernel, p.output, strict=True)
    )


def forward_extent(extent: int, k: int, s: int, d: int, lo: int, hi: int) -> int:
    """Output extent of a convolution; 0 or less when the kernel does not fit."""
    return (extent + lo + hi - d * (k - 1) - 1) // s + 1


def same_pads(extent: int, k: int, s: int, d: int, upper: bool) -> tuple[int, int]:
    """Padding for an output of ceil(extent / s); the odd one goes to the end if `upper`."""
    total = max(0, (ceil_div(extent, s) - 1) * s + d * (k - 1) + 1 - extent)
    small, large = total // 2, total - total // 2
    return (small, large) if upper else (large, small)


def as_pads(padding: Any, rank: int, extents: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...],
            dilation: tuple[int, ...]) -> Pads:
    """Every form of `padding` as (lo, hi) per spatial axis."""
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * rank
        if padding in SAME:
            upper = padding != "same_lower"
            return tuple(same_pads(*a, upper) for a in zip(extents, kernel, stride, dilation, strict=True))
        raise ValueError(
            f"padding must be an int, a tuple of {rank} ints, a list of (lo, hi) pairs, 'valid', 'same', "
            f"'same_upper' or 'same_lower', got {shown(padding)}"
        )
    if isinstance(padding, tuple) and any(isinstance(pair, tuple) for pair in padding):
        if len(padding) != rank or any(not isinstance(pair, tuple) or len(pair) != 2 for pair in padding):
            raise ValueError(f"padding must have {rank} (lo, hi) pairs, got {shown(padding)}")
        return tuple((as_int(lo, "padding", 0), as_int(hi, "padding", 0)) for lo, hi in padding)
    return tuple((p, p) for p in as_ints(padding, rank, "padding", 0))


def _conv_dtypes(x: np.dtype, w: np.dtype, bias: np.dtype | None) -> tuple[np.dtype, np.dtype, np.dtype]:
    for d, name in ((x, "input"), (w, "weight"), (bias, "bias")):
        if d is not None:
            check_dtype(d, name)
    dtype, acc, out = product_dtypes(x, w)
    if bias is not None and not np.can_cast(bias, acc, "same_kind"):
        raise DTypeError(f"bias has dtype {bias}, which cannot be added to sums of {acc}")
    return dtype, acc, out


class _Sizes(NamedTuple):
    """Sizes that forward and transposed convolutions check in the same way: all but the weight's first two axes."""

    n: int
    ic: int
    spatial: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def _sizes(
    rank: int, xshape: tuple[int, ...], layout: Layout, wshape: tuple[int, ...], weight_axes: str,
    stride: Any, dilation: Any, groups: Any,
) -> _Sizes:  # fmt: skip
    """Check the sizes; `weight_axes` names the weight's first two, for the error message."""
    _, n, ic, spatial = split_batch(xshape, rank, layout)
    if len(wshape) != rank + 2:
        raise ShapeError(f"weight must have {rank + 2} axes ({weight_axes}, {rank} kernel axes), got shape {wshape}")
    kernel = wshape[2:]
    if min(kernel) < 1:
        raise ShapeError(f"weight has shape {wshape}: every kernel extent must be at least 1")
    s, d = as_ints(stride, rank, "stride", 1), as_ints(dilation, rank, "dilation", 1)
    g = as_int(groups, "groups", 1)
    if ic % g:
        raise ShapeError(f"input has {ic} channels, which {g} groups do not divide")
    return _Sizes(n, ic, spatial, kernel, s, d, g)


def _check_not_empty(shape: tuple[int, ...], n: int, ic: int, spatial: tuple[int, ...]) -> None:
    if n and ic and 0 in spatial:
        raise ShapeError(f"input has shape {shape}: only the batch and the channels may be empty")


def _effective(
    spatial: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], pads: Pads
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Stride and dilation, reduced where a smaller value gives the same result: kernels size their bands by both.

    A stride as long as the padded input gives one output; dilation does not matter for a single tap.
    """
    padded = (e + lo + hi for e, (lo, hi) in zip(spatial, pads, strict=True))
    return (
        tuple(min(s, max(e, 1)) for s, e in zip(stride, padded, strict=True)),
        tuple(1 if k == 1 else d for d, k in zip(dilation, kernel, strict=True)),
    )


def _check_bias(shape: tuple[int, ...] | None, oc: int) -> None:
    if shape is not None and shape != (oc,):
        raise ShapeError(f"bias has shape {shape}; it must be ({oc},), one value per output channel")


def _described(
    direction: ConvDirection, sizes: _Sizes, oc: int, pads: Pads, output: list[int], mode: PaddingMode, layout: Layout,
    dtypes: tuple[np.dtype, np.dtype, np.dtype], bias: bool, activation: Activation | None, packed: bool,
) -> ConvProblem:  # fmt: skip
    """The canonical problem of checked arguments; `dtypes` as `_conv_dtypes` returns them."""
    n, ic, spatial, kernel, stride, dilation, groups = sizes
    dtype, acc, out = dtypes
    check_activation(activation, out)
    problem = ConvProblem(
        direction=direction, n=n, ic=ic, oc=oc, groups=groups,
        input=to3(spatial, 1), kernel=to3(kernel, 1), stride=to3(stride, 1), dilation=to3(dilation, 1),
        pads=to3(pads, (0, 0)), output=to3(tuple(output), 1),
        mode=mode, fill=0.0, layout=layout, dtype=dtype, acc=acc, out=out,
        bias=bias, activation=activation, packed=packed,
    )  # fmt: skip
    check_size(problem.y_shape, "the result")
    return problem


@keep_few(1024)
def _other_layout(rank: int, shape: tuple[int, ...], layout: str, channels: int) -> str:
    """A hint for an error message, where an image has the wanted channels on the axis of the other layout."""
    last, first = shape[-1], shape[-rank - 1]
    if layout == "NCHW" and last == channels:
        return '; if channels are its last axis: layout="NHWC"'
    return '; if channels come before height and width: layout="NCHW"' if layout == "NHWC" and first == channels else ""


def conv_problem(
    rank: int,
    xshape: tuple[int, ...],
    xdtype: np.dtype,
    wshape: tuple[int, ...],
    wdtype: np.dtype,
    bshape: tuple[int, ...] | None,
    bdtype: np.dtype | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    layout: Layout,
    padding_mode: Any,
    activation: Activation | None,
    packed: bool,
) -> ConvProblem:
    """Check the arguments of conv1d/2d/3d and describe the convolution.

    Raises
    ------
    ShapeError, DTypeError, ValueError, TypeError
        Naming the argument, what it was and what is allowed.
    """
    sizes = _sizes(rank, xshape, layout, wshape, "oc, ic/groups", stride, dilation, groups)
    n, ic, spatial, kernel, s, d, g = sizes
    oc, icg = wshape[:2]
    if icg * g != ic:
        raise ShapeError(
            f"weight has shape {wshape} and groups={g}, so input must have {icg * g} channels; it has {ic} "
            f"(shape {xshape}){_other_layout(rank, xshape, layout, icg * g)}"
        )
    if oc % g:
        raise ShapeError(f"weight has {oc} output channels, which {g} groups do not divide")
    _check_bias(bshape, oc)
    dtypes = _conv_dtypes(xdtype, wdtype, bdtype)
    if padding_mode not in PADDING_MODES:
        raise ValueError(not_among("padding_mode", padding_mode, PADDING_MODES))
    mode: PaddingMode = "zeros" if padding_mode == "constant" else padding_mode
    _check_not_empty(xshape, n, ic, spatial)
    pads = as_pads(padding, rank, spatial, kernel, s, d)
    names = AXES[3 - rank :]
    output = []
    for axis, e, kk, ss, dd, (lo, hi) in zip(names, spatial, kernel, s, d, pads, strict=True):
        check_mode_pads(mode, e, lo, hi, f"the {axis} of input")
        o = forward_extent(e, kk, ss, dd, lo, hi)
        if o < 1:
            raise ShapeError(
                f"output {axis} would be {o}: input has {axis} {e} with padding ({lo}, {hi}), the kernel spans "
                f"{dd * (kk - 1) + 1} (kernel {kk}, dilation {dd})"
            )
        check_span(e + lo + hi, e, kk, o, axis)
        output.append(o)
    s, d = _effective(spatial, kernel, s, d, pads)
    return _described(
        "forward", sizes._replace(stride=s, dilation=d), oc, pads, output, mode, layout, dtypes, bshape is not None,
        activation, packed,
    )  # fmt: skip


@keep_few(1024)
def conv_transpose_problem(
    rank: int,
    xshape: tuple[int, ...],
    xdtype: np.dtype,
    wshape: tuple[int, ...],
    wdtype: np.dtype,
    bshape: tuple[int, ...] | None,
    bdtype: np.dtype | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
    layout: Layout,
    padding_mode: Any,
    activation: Activation | None,
    packed: bool,
) -> ConvProblem:
    """Check the arguments of conv_transpose1d/2d/3d and describe the convolution."""
    sizes = _sizes(rank, xshape, layout, wshape, "ic, oc/groups", stride, dilation, groups)
    n, ic, spatial, kernel, s, d, g = sizes
    wic, ocg = wshape[:2]
    if wic != ic:
        raise ShapeError(
            f"weight has shape {wshape}, so input must have {wic} channels; it has {ic} "
            f"(shape {xshape}){_other_layout(rank, xshape, layout, wic)}"
        )
    oc = ocg * g
    _check_bias(bshape, oc)
    dtypes = _conv_dtypes(xdtype, wdtype, bdtype)
    if padding_mode not in TRANSPOSED_PADDING_MODES:
        raise ValueError(f"padding_mode of a transposed convolution must be 'zeros', got {shown(padding_mode)}")
    if isinstance(padding, str) and padding != "valid":
        allowed = "ints, (lo, hi) pairs or 'valid'"
        raise ValueError(f"padding of a transposed convolution must be {allowed}, got {shown(padding)}")
    _check_not_empty(xshape, n, ic, spatial)
    pads = as_pads(padding, rank, spatial, kernel, s, d)
    extra = as_ints(output_padding, rank, "output_padding", 0)
    output = []
    for axis, e, kk, ss, dd, (lo, hi), op in zip(AXES[3 - rank :], spatial, kernel, s, d, pads, extra, strict=True):
        if op >= max(ss, dd):
            raise ValueError(
                f"output_padding must be smaller than stride or dilation; on {axis} it is {op}, "
                f"stride {ss}, dilation {dd}"
            )
        o = (e - 1) * ss - lo - hi + dd * (kk - 1) + 1 + op
        if o < 1:
            raise ShapeError(
                f"output {axis} would be {o}: input has {axis} {e}, stride {ss}, padding ({lo}, {hi}), kernel {kk}, "
                f"dilation {dd}, output_padding {op}"
            )
        check_span((e - 1) * ss + dd * (kk - 1) + 1 + op, e, kk, o, axis)
        output.append(o)
    return _described(
        "transposed", sizes, oc, pads, output, "zeros", layout, dtypes, bshape is not None, activation, packed
    )
