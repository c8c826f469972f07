"""fastconv's own kernels, one ordered tuple per family: the only file that imports kernels from all backends.

`fastconv.dispatch.extensions.all_kernels` adds kernels from outside; a choice is made among all of them.
If predicted costs are equal, the earlier kernel is chosen.  The reference comes last in every tuple.  All families
import their kernels when the first one is needed: `import fastconv` stays light, and a family may be used for the
first time while the interpreter shuts down, when nothing can be imported.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from fastconv.core.kernel import Kernel

Kernels = tuple[Kernel[Any], ...]

ORACLE = "reference"  # the backend that checks the others, and never replaces them silently


@cache
def _families() -> dict[str, Kernels]:
    _import_array_methods()
    return {op: made() for op, made in _TABLE.items()}


def _import_array_methods() -> None:
    """Call methods of arrays that NumPy partly imports on first use: kernels may need them at shutdown."""
    x = np.zeros(1)
    for method in (x.all, x.any, x.max, x.min, x.prod, x.sum):
        method()
    x.clip(0, 1)


def kernels(op: str) -> Kernels:
    """fastconv's own kernels of the family `op`, preferred ones first."""
    return _families()[op]


def ops() -> tuple[str, ...]:
    """The families of operations."""
    return tuple(_TABLE)


@cache
def algorithm_names() -> frozenset[str]:
    """Names of these kernels and of their algorithms, of all families."""
    return frozenset(name for op in _TABLE for k in kernels(op) for name in (k.algorithm, k.name))


def _conv() -> Kernels:
    from fastconv.backends.common import phases
    from fastconv.backends.cython.conv import depthwise, direct, grouped, interleave, pointwise, pointwise_blocked
    from fastconv.backends.cython.conv import strided_rows as windows
    from fastconv.backends.cython.conv import winograd1d as winograd_rows
    from fastconv.backends.cython.conv import winograd2d as winograd
    from fastconv.backends.cython.conv_weight import direct as weight
    from fastconv.backends.cython.conv_weight import rows as weight_rows
    from fastconv.backends.cython.conv_weight import winograd as winograd_weight
    from fastconv.backends.cython.gemm import skinny as thin
    from fastconv.backends.cython.widened import products as widened_products
    from fastconv.backends.numba import conv as numba
    from fastconv.backends.numba import conv_weight as numba_weight
    from fastconv.backends.numba import empty
    from fastconv.backends.numpy.conv import col2im as conv_col2im
    from fastconv.backends.numpy.conv import forward as numpy
    from fastconv.backends.numpy.conv import scatter as conv_scatter
    from fastconv.backends.numpy.conv import weight as numpy_weight
    from fastconv.backends.reference import conv as reference

    one = (*thin.CONVOLUTIONS, *pointwise.KERNELS, *pointwise_blocked.KERNELS)
    filtering = (*winograd_rows.KERNELS, *winograd.KERNELS)
    grouping = (*depthwise.KERNELS, *grouped.KERNELS)
    native = (*one, *grouping, *filtering, *direct.KERNELS)
    others = (*widened_products.CONVOLUTIONS, *numba.KERNELS, *empty.CONVOLUTIONS, *numpy.KERNELS)
    forward = (*native, *others)
    native_weights = (*winograd_weight.KERNELS, *weight.KERNELS, *weight_rows.KERNELS)
    weights = (*native_weights, *numba_weight.KERNELS, *numpy_weight.KERNELS)
    # With strides, phases have one tap and stride 1, where Winograd and `windows` save nothing.
    windowed = phases.wrap(filtering, direct.KERNELS, interleave.Interleave)
    plain = phases.wrap([k for k in native if k not in filtering], (), interleave.Interleave)
    transposed = (*windowed, *plain, *phases.wrap(others), *conv_scatter.KERNELS, *conv_col2im.KERNELS)
    return (*windows.KERNELS, *forward, *transposed, *weights, reference.Conv())


def _gemm() -> Kernels:
    from fastconv.backends.cython.gemm import packed as native
    from fastconv.backends.cython.gemm import skinny as thin
    from fastconv.backends.cython.widened import products as widened_products
    from fastconv.backends.numba import empty
    from fastconv.backends.numba import gemm as numba
    from fastconv.backends.numpy.gemm import product as numpy
    from fastconv.backends.reference import gemm as reference_gemm

    others = (*widened_products.PRODUCTS, *numba.KERNELS, *empty.PRODUCTS, *numpy.KERNELS)
    return (*thin.KERNELS, *native.KERNELS, *others, reference_gemm.Gemm())


def _pool() -> Kernels:
    from fastconv.backends.cython.pool import channels as pool_channels
    from fastconv.backends.cython.pool import flat as pool_flat
    from fastconv.backends.cython.pool import global_average as pool_means
    from fastconv.backends.cython.pool import pairs as pool_pairs
    from fastconv.backends.cython.pool import powers as pool_powers
    from fastconv.backends.cython.pool import separable as native
    from fastconv.backends.cython.pool import small_window as pool_shifts
    from fastconv.backends.cython.widened import pool as widened_pool
    from fastconv.backends.numba import pool as numba
    from fastconv.backends.numpy.pool import forward as numpy
    from fastconv.backends.reference import pool as reference_pool

    small = (*pool_flat.KERNELS, *pool_shifts.KERNELS, *pool_channels.KERNELS)
    special = (*pool_pairs.KERNELS, *pool_means.KERNELS, *small)
    native_ones = (*special, *native.KERNELS, *pool_powers.KERNELS, *widened_pool.POOLS)
    return (*native_ones, *numba.KERNELS, *numpy.KERNELS, reference_pool.Pool())


def _adaptive_pool() -> Kernels:
    from fastconv.backends.cython.pool import adaptive as native
    from fastconv.backends.cython.widened import pool as widened_pool
    from fastconv.backends.numpy.pool import forward as numpy
    from fastconv.backends.reference import pool as reference_pool

    return (*native.KERNELS, *widened_pool.ADAPTIVE, *numpy.ADAPTIVE, reference_pool.Pool())


def _pool_backward() -> Kernels:
    from fastconv.backends.cython.pool import backward as native
    from fastconv.backends.numpy.pool import backward as numpy
    from fastconv.backends.reference import pool_backward as reference_pool_backward

    return (*native.KERNELS, *numpy.KERNELS, reference_pool_backward.PoolBackward())


def _adaptive_pool_backward() -> Kernels:
    from fastconv.backends.cython.pool import backward as native
    from fastconv.backends.numpy.pool import backward as numpy
    from fastconv.backends.reference import pool_backward as reference_pool_backward

    return (*native.ADAPTIVE, *numpy.ADAPTIVE, reference_pool_backward.PoolBackward())


def _max_unpool() -> Kernels:
    from fastconv.backends.numpy.pool import unpool as numpy
    from fastconv.backends.reference import pool as reference_pool

    return (*numpy.KERNELS, reference_pool.Unpool())


def _max_unpool_backward() -> Kernels:
    from fastconv.backends.numpy.pool import unpool_backward as numpy
    from fastconv.backends.reference import pool_backward as reference_pool_backward

    return (*numpy.KERNELS, reference_pool_backward.UnpoolBackward())


def _elementwise() -> Kernels:
    from fastconv.backends.cython.elementwise import activation as native
    from fastconv.backends.cython.elementwise import gated
    from fastconv.backends.cython.widened import pieces as widened
    from fastconv.backends.numpy.elementwise import activation as numpy
    from fastconv.backends.reference import activation as reference_activation

    return (*native.KERNELS, *gated.KERNELS, *widened.ACTIVATIONS, *numpy.KERNELS, reference_activation.Elementwise())


def _elementwise_backward() -> Kernels:
    from fastconv.backends.cython.elementwise import activation as native
    from fastconv.backends.cython.elementwise import gated
    from fastconv.backends.numpy.elementwise import activation_backward as numpy
    from fastconv.backends.reference import activation_backward as reference

    return (*native.BACKWARD, *gated.KERNELS, *numpy.KERNELS, reference.ElementwiseBackward())


def _softmax_backward() -> Kernels:
    from fastconv.backends.cython.elementwise import softmax as native
    from fastconv.backends.numpy.elementwise import loss_backward as numpy
    from fastconv.backends.reference import loss_backward as reference

    return (*native.KERNELS, *numpy.SOFTMAX, reference.SoftmaxBackward())


def _loss_backward() -> Kernels:
    from fastconv.backends.cython.elementwise import loss as native
    from fastconv.backends.numpy.elementwise import loss_backward as numpy
    from fastconv.backends.reference import loss_backward as reference

    return (*native.KERNELS, *numpy.LOSS, reference.LossBackward())


def _softmax() -> Kernels:
    from fastconv.backends.cython.elementwise import softmax as native
    from fastconv.backends.cython.widened import pieces as widened
    from fastconv.backends.numpy.elementwise import softmax as numpy
    from fastconv.backends.reference import loss as reference_loss

    return (*native.KERNELS, *widened.SOFTMAX, *numpy.KERNELS, reference_loss.Softmax())


def _loss() -> Kernels:
    from fastconv.backends.cython.elementwise import loss as native
    from fastconv.backends.cython.widened import pieces as widened
    from fastconv.backends.numpy.elementwise import loss as numpy
    from fastconv.backends.reference import loss as reference_loss

    return (*native.KERNELS, *widened.LOSS, *numpy.KERNELS, reference_loss.Loss())


def _pad() -> Kernels:
    from fastconv.backends.numpy.shape import forward as numpy
    from fastconv.backends.reference import shape as reference_shape

    return (*numpy.PADS, reference_shape.Pad())


def _pad_backward() -> Kernels:
    from fastconv.backends.numpy.shape import backward as numpy
    from fastconv.backends.reference import shape_backward as reference_shape_backward

    return (*numpy.PADS, reference_shape_backward.PadBackward())


def _fold() -> Kernels:
    from fastconv.backends.numpy.shape import forward as numpy
    from fastconv.backends.reference import shape as reference_shape

    return (*numpy.FOLDS, reference_shape.Fold())


_TABLE = {
    "conv": _conv,
    "gemm": _gemm,
    "pool": _pool,
    "pool_backward": _pool_backward,
    "adaptive_pool": _adaptive_pool,
    "adaptive_pool_backward": _adaptive_pool_backward,
    "max_unpool": _max_unpool,
    "max_unpool_backward": _max_unpool_backward,
    "elementwise": _elementwise,
    "softmax": _softmax,
    "loss": _loss,
    "pad": _pad,
    "pad_backward": _pad_backward,
    "fold": _fold,
    "elementwise_backward": _elementwise_backward,
    "softmax_backward": _softmax_backward,
    "loss_backward": _loss_backward,
}
