"""Functions with the signatures of `torch.nn.functional` on fastconv's operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

import fastconv.interop.torch.pooling  # noqa: F401  (registers its operators)
from fastconv.core.errors import shown
from fastconv.interop.torch.memory import check_tensors
from fastconv.interop.torch.operators import RANKS, op
from fastconv.typing import AdaptiveSize, Padding, PaddingMode, Size, TransposedPadding

_conv = {rank: op(f"conv{rank}d") for rank in RANKS}
_conv_transpose = {rank: op(f"conv_transpose{rank}d") for rank in RANKS}
_linear = op("linear")
_max_pool = {rank: (op(f"max_pool{rank}d"), op(f"max_pool{rank}d_with_indices")) for rank in RANKS}
_adaptive_max_pool = {
    rank: (op(f"adaptive_max_pool{rank}d"), op(f"adaptive_max_pool{rank}d_with_indices")) for rank in RANKS
}
_avg_pool = {rank: op(f"avg_pool{rank}d") for rank in RANKS}
_adaptive_avg_pool = {rank: op(f"adaptive_avg_pool{rank}d") for rank in RANKS}


def _ints(value: Any, rank: int, name: str) -> list[Any]:
    """`value`, an int or one per spatial axis, as a list."""
    if not isinstance(value, (tuple, list)):
        return [value] * rank
    if len(value) == 1:
        return list(value) * rank
    if len(value) != rank:
        raise ValueError(f"{name} must be an int or {rank} ints, got {shown(value)}")
    return list(value)


def _padding(
    padding: Any, rank: int, x: Tensor, kernel: Sequence[Any], stride: Sequence[Any], dilation: Sequence[Any]
) -> list[Any]:
    """Every form of `padding` as the operators take it: one int per axis, or lo and hi of each in turn."""
    if isinstance(padding, str):
        if padding == "valid":
            return [0] * rank
        if padding not in ("same", "same_upper", "same_lower"):
            raise ValueError(
                f"padding must be ints, pairs, 'valid', 'same', 'same_upper' or 'same_lower', got {shown(padding)}"
            )
        flat = []
        for e, k, s, d in zip(x.shape[-rank:], kernel, stride, dilation, strict=True):
            total = d * (k - 1) if s == 1 else torch.sym_max(0, ((e + s - 1) // s - 1) * s + d * (k - 1) + 1 - e)
            small = total // 2
            flat += [total - small, small] if padding == "same_lower" else [small, total - small]
        return flat
    if isinstance(padding, (tuple, list)) and any(isinstance(p, (tuple, list)) for p in padding):
        if len(padding) != rank or any(not isinstance(p, (tuple, list)) or len(p) != 2 for p in padding):
            raise ValueError(f"padding must have {rank} (lo, hi) pairs, got {shown(padding)}")
        return [v for pair in padding for v in pair]
    return _ints(padding, rank, "padding")


def _convolve(
    rank: int, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int,
    padding_mode: str,
) -> Tensor:  # fmt: skip
    check_tensors("input weight bias", x, weight, bias)
    s, d = _ints(stride, rank, "stride"), _ints(dilation, rank, "dilation")
    pads = _padding(padding, rank, x, weight.shape[2:], s, d)
    return _conv[rank](x, weight, bias, s, pads, d, groups, padding_mode)


def _convolve_transposed(
    rank: int, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, output_padding: Any,
    groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    check_tensors("input weight bias", x, weight, bias)
    s, d = _ints(stride, rank, "stride"), _ints(dilation, rank, "dilation")
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding of a transposed convolution must be ints, pairs or 'valid', got {shown(padding)}")
    pads = _padding(padding, rank, x, weight.shape[2:], s, d)
    return _conv_transpose[rank](x, weight, bias, s, pads, _ints(output_padding, rank, "output_padding"), groups, d)


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Size = 1, padding: Padding = 0,
    dilation: Size = 1, groups: int = 1, padding_mode: PaddingMode = "zeros",
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv1d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.conv1d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.conv1d(torch.ones(1, 2, 5), torch.ones(3, 2, 3)).shape
    torch.Size([1, 3, 3])
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups, padding_mode)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Size = 1, padding: Padding = 0,
    dilation: Size = 1, groups: int = 1, padding_mode: PaddingMode = "zeros",
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv2d` by fastconv.

    Differentiable any number of times, traceable by `torch.compile`, run on `torch.get_num_threads` threads.
    Neither `input` nor the result is copied: a channels-last `input` gives a channels-last result.

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W) or (C, H, W)
        On the CPU, float32 or float64; `weight` and `bias` are of the same dtype.
    weight : Tensor, shape (K, C / groups, kh, kw)
    bias : Tensor, shape (K,), optional
    stride, dilation : int or tuple of 2 int
    padding : int, tuple of 2 int, list of 2 (lo, hi) pairs, "valid", "same", "same_upper" or "same_lower"
        As in `fastconv.conv2d`: "same" works with any stride.
    groups : int
    padding_mode : {"zeros", "reflect", "replicate", "circular", "symmetric", "constant"}

    Returns
    -------
    Tensor, shape (N, K, OH, OW) or (K, OH, OW)

    Raises
    ------
    TypeError, DTypeError, UnsupportedError
        For what is not a strided float32 or float64 tensor on the CPU.
    ShapeError, ValueError
        As `fastconv.conv2d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> w = torch.ones(2, 3, 3, 3, requires_grad=True)
    >>> y = FT.conv2d(torch.ones(1, 3, 4, 4), w, padding=1)
    >>> y.sum().backward()
    >>> y.shape, w.grad[0, 0].tolist()
    (torch.Size([1, 2, 4, 4]), [[9.0, 12.0, 9.0], [12.0, 16.0, 12.0], [9.0, 12.0, 9.0]])
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups, padding_mode)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Size = 1, padding: Padding = 0,
    dilation: Size = 1, groups: int = 1, padding_mode: PaddingMode = "zeros",
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv3d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.conv3d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.conv3d(torch.ones(1, 2, 5, 5, 5), torch.ones(3, 2, 3, 3, 3)).shape
    torch.Size([1, 3, 3, 3, 3])
    """
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups, padding_mode)


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Size = 1, padding: TransposedPadding = 0,
    output_padding: Size = 0, groups: int = 1, dilation: Size = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv_transpose1d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.conv_transpose1d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.conv_transpose1d(torch.ones(1, 2, 5), torch.ones(2, 3, 3), stride=2).shape
    torch.Size([1, 3, 11])
    """
    return _convolve_transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Size = 1, padding: TransposedPadding = 0,
    output_padding: Size = 0, groups: int = 1, dilation: Size = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv_transpose2d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.conv_transpose2d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.conv_transpose2d(torch.ones(1, 2, 5, 5), torch.ones(2, 3, 3, 3), stride=2).shape
    torch.Size([1, 3, 11, 11])
    """
    return _convolve_transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Size = 1, padding: TransposedPadding = 0,
    output_padding: Size = 0, groups: int = 1, dilation: Size = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.conv_transpose3d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.conv_transpose3d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.conv_transpose3d(torch.ones(1, 2, 5, 5, 5), torch.ones(2, 3, 3, 3, 3), stride=2).shape
    torch.Size([1, 3, 11, 11, 11])
    """
    return _convolve_transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`torch.nn.functional.linear` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.linear`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.linear(torch.ones(2, 3), torch.ones(1, 3))
    tensor([[3.],
            [3.]])
    """
    check_tensors("input weight bias", input, weight, bias)
    return _linear(input, weight, bias)


def _windows(
    rank: int, x: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Kernel, stride, padding and dilation as the operators take them."""
    check_tensors("input", x)
    k, d = _ints(kernel_size, rank, "kernel_size"), _ints(dilation, rank, "dilation")
    s = k if stride is None or stride == () else _ints(stride, rank, "stride")
    return k, s, _padding(padding, rank, x, k, s, d), d


def _maximum(plain: Any, with_indices: Any, return_indices: bool, x: Tensor, *settings: Any) -> Any:
    """Run the operator, with indices if they are returned or if the gradient will need them."""
    if return_indices:
        return with_indices(x, *settings)
    if x.requires_grad and torch.is_grad_enabled():
        return with_indices(x, *settings)[0]
    return plain(x, *settings)


def _max(
    rank: int, x: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    return_indices: bool,
) -> Any:  # fmt: skip
    windows = _windows(rank, x, kernel_size, stride, padding, dilation)
    return _maximum(*_max_pool[rank], return_indices, x, *windows, ceil_mode)


def max_pool1d(
    input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Tensor | Any:  # fmt: skip
    """`torch.nn.functional.max_pool1d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.max_pool1d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.max_pool1d(torch.ones(1, 2, 5), 2).shape
    torch.Size([1, 2, 2])
    """
    return _max(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Tensor | Any:  # fmt: skip
    """`torch.nn.functional.max_pool2d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.max_pool2d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.max_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2, return_indices=True)
    (tensor([[[ 5.,  7.],
             [13., 15.]]]), tensor([[[ 5,  7],
             [13, 15]]]))
    """
    return _max(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Tensor | Any:  # fmt: skip
    """`torch.nn.functional.max_pool3d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.max_pool3d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.max_pool3d(torch.ones(1, 2, 5, 5, 5), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _max(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _average(
    rank: int, x: Tensor, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool,
    divisor_override: int | None, dilation: Any,
) -> Tensor:  # fmt: skip
    k, s, pads, d = _windows(rank, x, kernel_size, stride, padding, dilation)
    return _avg_pool[rank](x, k, s, pads, ceil_mode, count_include_pad, divisor_override, d)


def avg_pool1d(
    input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.avg_pool1d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.avg_pool1d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.avg_pool1d(torch.ones(1, 2, 5), 2).shape
    torch.Size([1, 2, 2])
    """
    return _average(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, dilation)


def avg_pool2d(
    input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.avg_pool2d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.avg_pool2d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.avg_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return _average(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, dilation)


def avg_pool3d(
    input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.avg_pool3d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.avg_pool3d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.avg_pool3d(torch.ones(1, 2, 5, 5, 5), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _average(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, dilation)


def _sizes(rank: int, x: Tensor, output_size: Any) -> list[Any]:
    """`output_size` per axis; None keeps the input's extent."""
    check_tensors("input", x)
    sizes = output_size if isinstance(output_size, (tuple, list)) else [output_size] * rank
    if len(sizes) == 1:
        sizes = [*sizes] * rank
    if len(sizes) != rank:
        raise ValueError(f"output_size must be an int or {rank} ints (None keeps an axis), got {shown(output_size)}")
    return [e if size is None else size for size, e in zip(sizes, x.shape[-rank:], strict=True)]


def _adaptive_max(rank: int, x: Tensor, output_size: Any, return_indices: bool) -> Any:
    return _maximum(*_adaptive_max_pool[rank], return_indices, x, _sizes(rank, x, output_size))


def adaptive_max_pool1d(input: Tensor, output_size: AdaptiveSize, return_indices: bool = False) -> Tensor | Any:
    """`torch.nn.functional.adaptive_max_pool1d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.adaptive_max_pool1d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.adaptive_max_pool1d(torch.ones(1, 2, 5), 3).shape
    torch.Size([1, 2, 3])
    """
    return _adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: AdaptiveSize, return_indices: bool = False) -> Tensor | Any:
    """`torch.nn.functional.adaptive_max_pool2d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.adaptive_max_pool2d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.adaptive_max_pool2d(torch.ones(1, 2, 5, 5), 3).shape
    torch.Size([1, 2, 3, 3])
    """
    return _adaptive_max(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: AdaptiveSize, return_indices: bool = False) -> Tensor | Any:
    """`torch.nn.functional.adaptive_max_pool3d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.adaptive_max_pool3d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.adaptive_max_pool3d(torch.ones(1, 2, 5, 5, 5), 3).shape
    torch.Size([1, 2, 3, 3, 3])
    """
    return _adaptive_max(3, input, output_size, return_indices)


def adaptive_avg_pool1d(input: Tensor, output_size: AdaptiveSize) -> Tensor:
    """`torch.nn.functional.adaptive_avg_pool1d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.adaptive_avg_pool1d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.adaptive_avg_pool1d(torch.ones(1, 2, 5), 3).shape
    torch.Size([1, 2, 3])
    """
    return _adaptive_avg_pool[1](input, _sizes(1, input, output_size))


def adaptive_avg_pool2d(input: Tensor, output_size: AdaptiveSize) -> Tensor:
    """`torch.nn.functional.adaptive_avg_pool2d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.adaptive_avg_pool2d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.adaptive_avg_pool2d(torch.ones(1, 2, 5, 5), 3).shape
    torch.Size([1, 2, 3, 3])
    """
    return _adaptive_avg_pool[2](input, _sizes(2, input, output_size))


def adaptive_avg_pool3d(input: Tensor, output_size: AdaptiveSize) -> Tensor:
    """`torch.nn.functional.adaptive_avg_pool3d` by fastconv.

    Tensors are as in `conv2d`, the rest is as in `fastconv.adaptive_avg_pool3d`.

    Examples
    --------
    >>> import torch, fastconv.interop.torch as FT
    >>> FT.adaptive_avg_pool3d(torch.ones(1, 2, 5, 5, 5), 3).shape
    torch.Size([1, 2, 3, 3, 3])
    """
    return _adaptive_avg_pool[3](input, _sizes(3, input, output_size))
