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
    from fastconv.backends import phases, reference
    from fastconv.backends.cython import (
        depthwise,
        direct,
        grouped,
        interleave,
        pointwise,
        pointwise_blocked,
        thin,
        weight,
        weight_rows,
        widened_products,
        windows,
        winograd,
        winograd_rows,
        winograd_weight,
    )
    from fastconv.backends.numba import conv as numba
    from fastconv.backends.numba import conv_weight as numba_weight
    from fastconv.backends.numba import empty
    from fastconv.backends.numpy import conv as numpy
    from fastconv.backends.numpy import conv_col2im, conv_scatter
    from fastconv.backends.numpy import conv_weight as numpy_weight

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
    from fastconv.backends import reference_gemm
    from fastconv.backends.cython import gemm as native
    from fastconv.backends.cython import thin, widened_products
    from fastconv.backends.numba import empty
    from fastconv.backends.numba import gemm as numba
    from fastconv.backends.numpy import gemm as numpy

    others = (*widened_products.PRODUCTS, *numba.KERNELS, *empty.PRODUCTS, *numpy.KERNELS)
    return (*thin.KERNELS, *native.KERNELS, *others, reference_gemm.Gemm())


def _pool() -> Kernels:
    from fastconv.backends import reference_pool
    from fastconv.backends.cython import pool as native
    from fastconv.backends.cython import (
        pool_channels,
        pool_flat,
        pool_means,
        pool_pairs,
        pool_powers,
        pool_shifts,
        widened_pool,
    )
    from fastconv.backends.numba import pool as numba
    from fastconv.backends.numpy import pool as numpy

    small = (*pool_flat.KERNELS, *pool_shifts.KERNELS, *pool_channels.KERNELS)
    special = (*pool_pairs.KERNELS, *pool_means.KERNELS, *small)
    native_ones = (*special, *native.KERNELS, *pool_powers.KERNELS, *widened_pool.POOLS)
    return (*native_ones, *numba.KERNELS, *numpy.KERNELS, reference_pool.Pool())


def _adaptive_pool() -> Kernels:
    from fastconv.backends import reference_pool
    from fastconv.backends.cython import pool_adaptive as native
    from fastconv.backends.cython import widened_pool
    from fastconv.backends.numpy import pool as numpy

    return (*native.KERNELS, *widened_pool.ADAPTIVE, *numpy.ADAPTIVE, reference_pool.Pool())


def _pool_backward() -> Kernels:
    from fastconv.backends import reference_pool_backward
    from fastconv.backends.cython import pool_backward as native
    from fastconv.backends.numpy import pool_backward as numpy

    return (*native.KERNELS, *numpy.KERNELS, reference_pool_backward.PoolBackward())


def _adaptive_pool_backward() -> Kernels:
    from fastconv.backends import reference_pool_backward
    from fastconv.backends.cython import pool_backward as native
    from fastconv.backends.numpy import pool_backward as numpy

    return (*native.ADAPTIVE, *numpy.ADAPTIVE, reference_pool_backward.PoolBackward())


def _max_unpool() -> Kernels:
    from fastconv.backends import reference_pool
    from fastconv.backends.numpy import unpool as numpy

    return (*numpy.KERNELS, reference_pool.Unpool())


def _max_unpool_backward() -> Kernels:
    from fastconv.backends import reference_pool_backward
    from fastconv.backends.numpy import unpool_backward as numpy

    return (*numpy.KERNELS, reference_pool_backward.UnpoolBackward())


def _elementwise() -> Kernels:
    from fastconv.backends import reference_activation
    from fastconv.backends.cython import elementwise as native
    from fastconv.backends.cython import gated, widened
    from fastconv.backends.numpy import activation as numpy

    return (*native.KERNELS, *gated.KERNELS, *widened.ACTIVATIONS, *numpy.KERNELS, reference_activation.Elementwise())


def _elementwise_backward() -> Kernels:
    from fastconv.backends import reference_activation_backward as reference
    from fastconv.backends.cython import elementwise as native
    from fastconv.backends.cython import gated
    from fastconv.backends.numpy import activation_backward as numpy

    return (*native.BACKWARD, *gated.KERNELS, *numpy.KERNELS, reference.ElementwiseBackward())


def _softmax_backward() -> Kernels:
    from fastconv.backends import reference_loss_backward as reference
    from fastconv.backends.cython import softmax as native
    from fastconv.backends.numpy import loss_backward as numpy

    return (*native.KERNELS, *numpy.SOFTMAX, reference.SoftmaxBackward())


def _loss_backward() -> Kernels:
    from fastconv.backends import reference_loss_backward as reference
    from fastconv.backends.cython import loss as native
    from fastconv.backends.numpy import loss_backward as numpy

    return (*native.KERNELS, *numpy.LOSS, reference.LossBackward())


def _softmax() -> Kernels:
    from fastconv.backends import reference_loss
    from fastconv.backends.cython import softmax as native
    from fastconv.backends.cython import widened
    from fastconv.backends.numpy import softmax as numpy

    return (*native.KERNELS, *widened.SOFTMAX, *numpy.KERNELS, reference_loss.Softmax())


def _loss() -> Kernels:
    from fastconv.backends import reference_loss
    from fastconv.backends.cython import loss as native
    from fastconv.backends.cython import widened
    from fastconv.backends.numpy import loss as numpy

    return (*native.KERNELS, *widened.LOSS, *numpy.KERNELS, reference_loss.Loss())


def _pad() -> Kernels:
    from fastconv.backends import reference_shape
    from fastconv.backends.numpy import shape as numpy

    return (*numpy.PADS, reference_shape.Pad())


def _pad_backward() -> Kernels:
    from fastconv.backends import reference_shape_backward
    from fastconv.backends.numpy import shape_backward as numpy

    return (*numpy.PADS, reference_shape_backward.PadBackward())


def _fold() -> Kernels:
    from fastconv.backends import reference_shape
    from fastconv.backends.numpy import shape as numpy

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
