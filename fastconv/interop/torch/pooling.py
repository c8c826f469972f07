"""Pooling as torch operators: average, maximum with and without indices, and the adaptive ones.

An average is linear: the derivative of its gradient is the average itself.  The gradient of a maximum scatters dy to
the indices of the forward pass, and the derivative of that gathers from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

import fastconv
from fastconv.interop.torch.memory import array, check_dtypes, empty, is_channels_last, layout, spec, tensor
from fastconv.interop.torch.operators import RANKS, as_given, check_axes, join, op, pairs, register, threads

MAX_POOL = "SymInt[] kernel_size, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool ceil_mode"
AVG_POOL = (
    "SymInt[] kernel_size, SymInt[] stride, SymInt[] padding, bool ceil_mode, bool count_include_pad, "
    "SymInt? divisor_override, SymInt[] dilation"
)
ADAPTIVE_POOL = "SymInt[] output_size"


def pool_extents(
    spatial: Sequence[Any], kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> list[Any]:
    """Output extents, without branches on sizes, which may be symbols: a last window must start before input + lo."""
    extents = []
    for e, k, s, d, (lo, hi) in zip(spatial, kernel, stride, dilation, pairs(padding, len(kernel)), strict=True):
        reach = e + lo + hi - d * (k - 1) - 1
        if ceil_mode:
            extents.append(torch.sym_min((reach + s - 1) // s + 1, (e + lo + s - 1) // s))
        else:
            extents.append(reach // s + 1)
    return extents


def _max_pool_extents(spatial: Sequence[Any], settings: Sequence[Any]) -> list[Any]:
    kernel, stride, padding, dilation, ceil_mode = settings
    return pool_extents(spatial, kernel, stride, padding, dilation, ceil_mode)


def _avg_pool_extents(spatial: Sequence[Any], settings: Sequence[Any]) -> list[Any]:
    kernel, stride, padding, ceil_mode, _, _, dilation = settings
    return pool_extents(spatial, kernel, stride, padding, dilation, ceil_mode)


def _given_extents(spatial: Sequence[Any], settings: Sequence[Any]) -> list[Any]:
    return list(settings[0])


def _window_arguments(settings: Sequence[Any], rank: int) -> list[Any]:
    kernel, stride, padding, *rest = settings
    return [tuple(kernel), tuple(stride), as_given(padding, rank), *rest]


def _size_arguments(settings: Sequence[Any], rank: int) -> list[Any]:
    return [tuple(settings[0])]


def _register_average(
    name: str, rank: int, schema: str, extents: Callable[..., list[Any]], arguments: Callable[..., list[Any]]
) -> None:
    """A linear pooling: its gradient needs only the shape of x, and the gradient of that gradient is the pooling."""
    forward, gradient = getattr(fastconv, name), getattr(fastconv.grad, name)

    def run(x: Tensor, *settings: Any) -> Tensor:
        check_dtypes("input", x)
        last = is_channels_last(x, rank)
        y = forward(array(x, last), *arguments(settings, rank), layout=layout(last), **threads())
        return tensor(y, last)

    def fake(x: Tensor, *settings: Any) -> Tensor:
        check_dtypes("input", x)
        check_axes(x, rank)
        spatial = extents(x.shape[-rank:], settings)
        return empty(join(x, x.shape[-rank - 1], spatial, rank), x, is_channels_last(x, rank))

    def run_input(dy: Tensor, x_shape: list[int], *settings: Any) -> Tensor:
        check_dtypes("dy", dy)
        last = is_channels_last(dy, rank)
        dx = gradient(
            array(dy, last), spec(x_shape, dy.dtype, last), *arguments(settings, rank), layout=layout(last), **threads()
        )
        return tensor(dx, last)

    pool = register(name, f"(Tensor input, {schema}) -> Tensor", run, fake)
    to_input = register(
        f"{name}_grad",
        f"(Tensor dy, SymInt[] input_shape, {schema}) -> Tensor",
        run_input,
        lambda dy, x_shape, *_: empty(x_shape, dy, is_channels_last(dy, rank)),
    )
    f, f_input = op(name), op(f"{name}_grad")

    def save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, *ctx.settings = inputs
        ctx.x_shape = x.shape

    def save_gradient(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, _, *ctx.settings = inputs

    def backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
        return f_input(dy, ctx.x_shape, *ctx.settings), *[None] * len(ctx.settings)

    def backward_gradient(ctx: Any, g: Tensor) -> tuple[Any, ...]:
        return f(g, *ctx.settings), None, *[None] * len(ctx.settings)

    pool.register_autograd(backward, setup_context=save)
    to_input.register_autograd(backward_gradient, setup_context=save_gradient)


def _register_maximum(
    name: str, rank: int, schema: str, extents: Callable[..., list[Any]], arguments: Callable[..., list[Any]]
) -> None:
    """A max pooling, the same with indices, and the gradient, which scatters dy to them."""
    forward, gradient = getattr(fastconv, name), getattr(fastconv.grad, name)

    def run(indices: bool, x: Tensor, *settings: Any) -> Any:
        check_dtypes("input", x)
        last = is_channels_last(x, rank)
        y = forward(
            array(x, last), *arguments(settings, rank), return_indices=indices, layout=layout(last), **threads()
        )
        return (tensor(y[0], last), tensor(y[1], last)) if indices else tensor(y, last)

    def fake(indices: bool, x: Tensor, *settings: Any) -> Any:
        check_dtypes("input", x)
        check_axes(x, rank)
        shape = join(x, x.shape[-rank - 1], extents(x.shape[-rank:], settings), rank)
        y = empty(shape, x, is_channels_last(x, rank))
        return (y, torch.empty_like(y, dtype=torch.int64)) if indices else y

    def run_input(dy: Tensor, indices: Tensor, x_shape: list[int], *settings: Any) -> Tensor:
        check_dtypes("dy", dy)
        last = is_channels_last(dy, rank)
        dx = gradient(
            array(dy, last), spec(x_shape, dy.dtype, last), *arguments(settings, rank), indices=array(indices, last),
            layout=layout(last), **threads(),
        )  # fmt: skip
        return tensor(dx, last)

    pool = register(name, f"(Tensor input, {schema}) -> Tensor", partial(run, False), partial(fake, False))
    with_indices = register(
        f"{name}_with_indices", f"(Tensor input, {schema}) -> (Tensor, Tensor)", partial(run, True), partial(fake, True)
    )
    to_input = register(
        f"{name}_grad",
        f"(Tensor dy, Tensor indices, SymInt[] input_shape, {schema}) -> Tensor",
        run_input,
        lambda dy, indices, x_shape, *_: empty(x_shape, dy, is_channels_last(dy, rank)),
    )
    f_indices, f_input = op(f"{name}_with_indices"), op(f"{name}_grad")

    def save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, *ctx.settings = inputs
        ctx.save_for_backward(x)

    def save_indices(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        x, *ctx.settings = inputs
        ctx.x_shape = x.shape
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(output[1])

    def save_gradient(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, indices, _, *ctx.settings = inputs
        ctx.save_for_backward(indices)

    def backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
        (x,) = ctx.saved_tensors
        _, indices = f_indices(x.detach(), *ctx.settings)
        return f_input(dy, indices, x.shape, *ctx.settings), *[None] * len(ctx.settings)

    def backward_indices(ctx: Any, dy: Tensor, _: Any) -> tuple[Any, ...]:
        (indices,) = ctx.saved_tensors
        return f_input(dy, indices, ctx.x_shape, *ctx.settings), *[None] * len(ctx.settings)

    def backward_gradient(ctx: Any, g: Tensor) -> tuple[Any, ...]:
        (indices,) = ctx.saved_tensors
        places = indices.clamp(min=0).flatten(-rank)
        picked = g.flatten(-rank).gather(-1, places).view(indices.shape)
        return picked.masked_fill(indices < 0, 0.0), None, None, *[None] * len(ctx.settings)

    pool.register_autograd(backward, setup_context=save)
    with_indices.register_autograd(backward_indices, setup_context=save_indices)
    to_input.register_autograd(backward_gradient, setup_context=save_gradient)


for _rank in RANKS:
    _register_maximum(f"max_pool{_rank}d", _rank, MAX_POOL, _max_pool_extents, _window_arguments)
    _register_maximum(f"adaptive_max_pool{_rank}d", _rank, ADAPTIVE_POOL, _given_extents, _size_arguments)
    _register_average(f"avg_pool{_rank}d", _rank, AVG_POOL, _avg_pool_extents, _window_arguments)
    _register_average(f"adaptive_avg_pool{_rank}d", _rank, ADAPTIVE_POOL, _given_extents, _size_arguments)
