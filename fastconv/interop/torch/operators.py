"""fastconv as torch operators: what the dispatcher, autograd and the compiler see.

Every operator is registered as ``torch.ops.fastconv.NAME`` with a kernel for CPU tensors, a fake kernel (shapes by
arithmetic alone, so that they may be symbolic) and a derivative.  Derivatives are operators as well, because
`torch.compile` traces them; and since a convolution is linear in its input and in its weights, the derivative of a
derivative is again one of these operators: any order can be differentiated.

    conv(x, w)             -> input_grad(dy, w), weight_grad(dy, x), the sum of dy
    input_grad(dy, w)      -> conv(g, w), weight_grad(dy, g)
    weight_grad(dy, x)     -> conv(x, g), input_grad(dy, g)

Arguments are lists of ints, one per spatial axis; `padding` may also hold lo and hi of each axis in turn.  The
functions of `functional` accept what torch's do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

import fastconv
from fastconv.interop.torch.memory import (
    array,
    check_dtypes,
    count_threads,
    empty,
    is_channels_last,
    layout,
    spec,
    tensor,
)

RANKS = (1, 2, 3)
CONV = "SymInt[] stride, SymInt[] padding, SymInt[] dilation, SymInt groups, str padding_mode"
CONV_TRANSPOSE = "SymInt[] stride, SymInt[] padding, SymInt[] output_padding, SymInt groups, SymInt[] dilation"


def register(name: str, schema: str, run: Callable[..., Any], fake: Callable[..., Any]) -> Any:
    """Register ``torch.ops.fastconv.NAME``; its derivative is registered on the object that is returned."""
    operator = torch.library.custom_op(f"fastconv::{name}", run, mutates_args=(), device_types="cpu", schema=schema)
    operator.register_fake(fake)
    return operator


def op(name: str) -> Any:
    """The registered operator called `name`."""
    return getattr(torch.ops.fastconv, name).default


def pairs(padding: Sequence[Any], rank: int) -> list[tuple[Any, Any]]:
    """`padding` of an operator as (lo, hi) per axis."""
    if len(padding) == 2 * rank:
        return list(zip(padding[::2], padding[1::2], strict=True))
    return [(p, p) for p in padding]


def as_given(padding: Sequence[int], rank: int) -> Any:
    """`padding` of an operator in the form that the user gave, since ints and pairs have different limits."""
    return pairs(padding, rank) if len(padding) == 2 * rank else tuple(padding)


def threads() -> dict[str, Any]:
    return {"threads": count_threads()}


def join(x: Tensor, channels: Any, spatial: list[Any], rank: int) -> list[Any]:
    """The shape of a result: batched if `x` is."""
    return [*x.shape[: x.dim() - rank - 1], channels, *spatial]


def check_axes(x: Tensor, rank: int) -> None:
    """The check of fake kernels; in real ones, fastconv itself checks."""
    torch._check(
        x.dim() in (rank + 1, rank + 2), lambda: f"input must have {rank + 1} or {rank + 2} axes, got {x.dim()}"
    )


def _conv_extents(x: Tensor, weight: Tensor, stride: Any, padding: Any, dilation: Any, rank: int) -> list[Any]:
    sizes = zip(x.shape[-rank:], weight.shape[2:], stride, dilation, pairs(padding, rank), strict=True)
    return [(e + lo + hi - d * (k - 1) - 1) // s + 1 for e, k, s, d, (lo, hi) in sizes]


def _transposed_extents(
    x: Tensor, weight: Tensor, stride: Any, padding: Any, extra: Any, dilation: Any, rank: int
) -> list[Any]:
    sizes = zip(x.shape[-rank:], weight.shape[2:], stride, dilation, extra, pairs(padding, rank), strict=True)
    return [(e - 1) * s - lo - hi + d * (k - 1) + 1 + o for e, k, s, d, o, (lo, hi) in sizes]


def _register_conv(rank: int, transposed: bool) -> None:
    """conv, its gradients for the input and for the weights, and the derivatives of all three."""
    name = f"conv{'_transpose' * transposed}{rank}d"
    forward, gradient = getattr(fastconv, name), getattr(fastconv.grad, name)
    settings_schema = CONV_TRANSPOSE if transposed else CONV

    def arguments(settings: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """An operator's settings as fastconv's positional and keyword arguments."""
        positional = [settings[0], as_given(settings[1], rank), *settings[2:]]
        if transposed:
            return positional, threads()
        return positional[:-1], {"padding_mode": settings[-1], **threads()}

    def run(x: Tensor, weight: Tensor, bias: Tensor | None, *settings: Any) -> Tensor:
        check_dtypes("input weight bias", x, weight, bias)
        last = is_channels_last(x, rank)
        positional, keywords = arguments(settings)
        b = None if bias is None else array(bias)
        return tensor(forward(array(x, last), array(weight), b, *positional, layout=layout(last), **keywords), last)

    def fake(x: Tensor, weight: Tensor, bias: Tensor | None, *settings: Any) -> Tensor:
        check_dtypes("input weight bias", x, weight, bias)
        check_axes(x, rank)
        if transposed:
            stride, padding, extra, groups, dilation = settings
            channels = weight.shape[1] * groups
            extents = _transposed_extents(x, weight, stride, padding, extra, dilation, rank)
        else:
            stride, padding, dilation, groups, _ = settings
            channels = weight.shape[0]
            extents = _conv_extents(x, weight, stride, padding, dilation, rank)
        torch._check(
            x.shape[-rank - 1] == (weight.shape[0] if transposed else weight.shape[1] * groups),
            lambda: f"input of shape {tuple(x.shape)} and weight of shape {tuple(weight.shape)} do not fit",
        )
        return empty(join(x, channels, extents, rank), x, is_channels_last(x, rank))

    def run_input(dy: Tensor, weight: Tensor, x_shape: list[int], *settings: Any) -> Tensor:
        check_dtypes("dy weight", dy, weight)
        last = is_channels_last(dy, rank)
        positional, keywords = arguments(settings)
        dx, _, _ = gradient(
            array(dy, last), spec(x_shape, dy.dtype, last), array(weight), None, *positional,
            need=(True, False, False), layout=layout(last), **keywords,
        )  # fmt: skip
        return tensor(dx, last)

    def run_weight(dy: Tensor, x: Tensor, weight_shape: list[int], *settings: Any) -> Tensor:
        check_dtypes("dy input", dy, x)
        last = is_channels_last(x, rank)
        positional, keywords = arguments(settings)
        _, dw, _ = gradient(
            array(dy, last), array(x, last), spec(weight_shape, dy.dtype), None, *positional,
            need=(False, True, False), layout=layout(last), **keywords,
        )  # fmt: skip
        return tensor(dw)

    def to_bias(dy: Tensor) -> Tensor:
        return dy.sum([i for i in range(dy.dim()) if i != dy.dim() - rank - 1])

    _register_bilinear(
        name, settings_schema, run, fake, run_input, run_weight, to_bias,
        fake_input=lambda dy, weight, x_shape, *_: empty(x_shape, dy, is_channels_last(dy, rank)),
    )  # fmt: skip


def _register_bilinear(
    name: str,
    settings_schema: str,
    run: Callable[..., Tensor],
    fake: Callable[..., Tensor],
    run_input: Callable[..., Tensor],
    run_weight: Callable[..., Tensor],
    to_bias: Callable[[Tensor], Tensor],
    fake_input: Callable[..., Tensor],
) -> None:
    """A map that is linear in x, in weight and in bias, with its two gradients and the derivatives of all three."""
    tail = f", {settings_schema}" if settings_schema else ""
    forward = register(name, f"(Tensor input, Tensor weight, Tensor? bias{tail}) -> Tensor", run, fake)
    to_input = register(
        f"{name}_input_grad", f"(Tensor dy, Tensor weight, SymInt[] input_shape{tail}) -> Tensor", run_input, fake_input
    )
    to_weight = register(
        f"{name}_weight_grad",
        f"(Tensor dy, Tensor input, SymInt[] weight_shape{tail}) -> Tensor",
        run_weight,
        lambda dy, x, weight_shape, *_: empty(weight_shape, dy),
    )
    f, f_input, f_weight = op(name), op(f"{name}_input_grad"), op(f"{name}_weight_grad")

    def save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        a, b, _, *ctx.settings = inputs
        need = ctx.needs_input_grad
        ctx.save_for_backward(a if need[1] else None, b if need[0] else None)
        ctx.a_shape, ctx.b_shape = a.shape, b.shape

    def none(ctx: Any) -> list[None]:
        return [None] * len(ctx.settings)

    def backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
        x, weight = ctx.saved_tensors
        need = ctx.needs_input_grad
        return (
            f_input(dy, weight, ctx.a_shape, *ctx.settings) if need[0] else None,
            f_weight(dy, x, ctx.b_shape, *ctx.settings) if need[1] else None,
            to_bias(dy) if need[2] else None,
            *none(ctx),
        )

    def backward_input(ctx: Any, g: Tensor) -> tuple[Any, ...]:
        dy, weight = ctx.saved_tensors
        need = ctx.needs_input_grad
        return (
            f(g, weight, None, *ctx.settings) if need[0] else None,
            f_weight(dy, g, ctx.b_shape, *ctx.settings) if need[1] else None,
            None,
            *none(ctx),
        )

    def backward_weight(ctx: Any, g: Tensor) -> tuple[Any, ...]:
        dy, x = ctx.saved_tensors
        need = ctx.needs_input_grad
        return (
            f(x, g, None, *ctx.settings) if need[0] else None,
            f_input(dy, g, ctx.b_shape, *ctx.settings) if need[1] else None,
            None,
            *none(ctx),
        )

    forward.register_autograd(backward, setup_context=save)
    to_input.register_autograd(backward_input, setup_context=save)
    to_weight.register_autograd(backward_weight, setup_context=save)


def _register_linear() -> None:
    def run(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        check_dtypes("input weight bias", x, weight, bias)
        b = None if bias is None else array(bias)
        return tensor(fastconv.linear(array(x), array(weight), b, **threads()))

    def fake(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        check_dtypes("input weight bias", x, weight, bias)
        torch._check(
            x.shape[-1] == weight.shape[-1],
            lambda: f"input has {x.shape[-1]} features, weight {weight.shape[-1]}",
        )
        return empty([*x.shape[:-1], *weight.shape[:-1]], x)

    def run_input(dy: Tensor, weight: Tensor, x_shape: list[int]) -> Tensor:
        check_dtypes("dy weight", dy, weight)
        need = (True, False, False)
        return tensor(
            fastconv.grad.linear(array(dy), spec(x_shape, dy.dtype), array(weight), need=need, **threads())[0]
        )

    def run_weight(dy: Tensor, x: Tensor, weight_shape: list[int]) -> Tensor:
        check_dtypes("dy input", dy, x)
        need = (False, True, False)
        return tensor(
            fastconv.grad.linear(array(dy), array(x), spec(weight_shape, dy.dtype), need=need, **threads())[1]
        )

    def to_bias(dy: Tensor) -> Tensor:
        return dy.sum(list(range(dy.dim() - 1))) if dy.dim() > 1 else dy

    _register_bilinear(
        "linear", "", run, fake, run_input, run_weight, to_bias,
        fake_input=lambda dy, weight, x_shape: empty(x_shape, dy),
    )  # fmt: skip


for _rank in RANKS:
    _register_conv(_rank, transposed=False)
    _register_conv(_rank, transposed=True)
_register_linear()
