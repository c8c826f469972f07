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
    from fastconv.backends.common import phases, trimmed
    from fastconv.backends.cython.conv import col2im as native_col2im
    from fastconv.backends.cython.conv import (
        depthwise,
        direct,
        direct_last,
        gathered,
        grouped,
        interleave,
        pointwise,
        pointwise_blocked,
        pointwise_last,
        row_sums,
        strided_rows,
        winograd1d,
        winograd2d,
    )
    from fastconv.backends.cython.conv import tiles as conv_tiles
    from fastconv.backends.cython.conv_weight import direct as weight
    from fastconv.backends.cython.conv_weight import rows as weight_rows
    from fastconv.backends.cython.conv_weight import winograd as winograd_weight
    from fastconv.backends.cython.gemm import dots, skinny, tiles
    from fastconv.backends.cython.widened import integers, pairs, products
    from fastconv.backends.numba import conv as numba
    from fastconv.backends.numba import conv_weight as numba_weight
    from fastconv.backends.numba import empty
    from fastconv.backends.numpy.conv import col2im, scatter
    from fastconv.backends.numpy.conv import forward as numpy
    from fastconv.backends.numpy.conv import weight as numpy_weight
    from fastconv.backends.reference.conv import ReferenceConv

    pixel = (*skinny.CONVOLUTIONS, *dots.CONVOLUTIONS)
    one = (*pixel, *pointwise.KERNELS, *pointwise_last.KERNELS, *pointwise_blocked.KERNELS)
    filtering = (*winograd1d.KERNELS, *winograd2d.KERNELS)
    grouping = (*depthwise.KERNELS, *grouped.KERNELS)
    native = (*one, *grouping, *filtering, *direct_last.KERNELS, *direct.KERNELS)
    exact = numpy.KERNELS[-1]  # does any convolution
    integer = (*pairs.integer_convolutions(exact), *integers.convolutions(exact))
    narrow = (*tiles.CONVOLUTIONS, *conv_tiles.CONVOLUTIONS, *pairs.CONVOLUTIONS, *products.CONVOLUTIONS, *integer)
    others = (*narrow, *numba.KERNELS, *empty.CONVOLUTIONS, *numpy.KERNELS)
    forward = (*trimmed.trim(gathered.or_gathered(native)), *others)
    native_weights = (*winograd_weight.KERNELS, *weight.KERNELS, *weight_rows.KERNELS)
    weights = (*native_weights, *numba_weight.KERNELS, *numpy_weight.KERNELS)
    # With strides, phases have one tap and stride 1, where Winograd and `strided_rows` save nothing.
    windowed = phases.wrap(trimmed.trim(filtering), trimmed.trim(direct.KERNELS), interleave.Interleave)
    unfiltered = trimmed.trim([k for k in native if k not in filtering])
    plain = phases.wrap(unfiltered, (), interleave.Interleave)
    summing = (*row_sums.KERNELS, *native_col2im.KERNELS)
    transposed = (*summing, *windowed, *plain, *phases.wrap(others), *scatter.KERNELS, *col2im.KERNELS)
    return (*strided_rows.KERNELS, *forward, *transposed, *weights, ReferenceConv())


def _gemm() -> Kernels:
    from fastconv.backends.cython.gemm import dots, in_place, skinny, tiles
    from fastconv.backends.cython.gemm import packed as native
    from fastconv.backends.cython.widened import integers, pairs, products
    from fastconv.backends.numba import empty
    from fastconv.backends.numba import gemm as numba
    from fastconv.backends.numpy.gemm import product as numpy
    from fastconv.backends.reference.gemm import ReferenceGemm

    integer = (*pairs.integer_products(*numpy.KERNELS), *integers.products(*numpy.KERNELS))
    narrow = (*tiles.KERNELS, *pairs.PRODUCTS, *products.PRODUCTS, *integer)
    others = (*narrow, *numba.KERNELS, *empty.PRODUCTS, *numpy.KERNELS)
    return (*in_place.KERNELS, *skinny.KERNELS, *dots.KERNELS, *native.KERNELS, *others, ReferenceGemm())


def _pool() -> Kernels:
    from fastconv.backends.cython.pool import flat, global_pool, lanes, pairs, powers, small_window, strided
    from fastconv.backends.cython.pool import separable as native
    from fastconv.backends.cython.widened import pool as widened_pool
    from fastconv.backends.numba import pool as numba
    from fastconv.backends.numpy.pool import forward as numpy
    from fastconv.backends.reference.pool import ReferencePool

    small = (*flat.KERNELS, *small_window.KERNELS, *small_window.KERNELS_LAST, *strided.KERNELS)
    special = (*pairs.KERNELS, *global_pool.KERNELS, *small, *lanes.KERNELS)
    native_ones = (*special, *native.KERNELS, *powers.KERNELS, *widened_pool.POOLS)
    return (*native_ones, *numba.KERNELS, *numpy.KERNELS, ReferencePool())


def _adaptive_pool() -> Kernels:
    from fastconv.backends.cython.pool import lanes
    from fastconv.backends.cython.pool import separable as native
    from fastconv.backends.cython.widened import pool as widened_pool
    from fastconv.backends.numpy.pool import forward as numpy
    from fastconv.backends.reference.pool import ReferencePool

    return (*lanes.ADAPTIVE, *native.ADAPTIVE, *widened_pool.ADAPTIVE, *numpy.ADAPTIVE, ReferencePool())


def _pool_backward() -> Kernels:
    from fastconv.backends.cython.pool import backward as native
    from fastconv.backends.numpy.pool import backward as numpy
    from fastconv.backends.reference.pool_backward import ReferencePoolBackward

    return (*native.KERNELS, *numpy.KERNELS, ReferencePoolBackward())


def _adaptive_pool_backward() -> Kernels:
    from fastconv.backends.cython.pool import backward as native
    from fastconv.backends.numpy.pool import backward as numpy
    from fastconv.backends.reference.pool_backward import ReferencePoolBackward

    return (*native.ADAPTIVE, *numpy.ADAPTIVE, ReferencePoolBackward())


def _max_unpool() -> Kernels:
    from fastconv.backends.cython.pool import unpool as native
    from fastconv.backends.numpy.pool import unpool as numpy
    from fastconv.backends.reference.pool import ReferenceUnpool

    return (*native.KERNELS, *numpy.KERNELS, ReferenceUnpool())


def _max_unpool_backward() -> Kernels:
    from fastconv.backends.numpy.pool import unpool_backward as numpy
    from fastconv.backends.reference.pool_backward import ReferenceUnpoolBackward

    return (*numpy.KERNELS, ReferenceUnpoolBackward())


def _elementwise() -> Kernels:
    from fastconv.backends.cython.elementwise import activation as native
    from fastconv.backends.cython.elementwise import gated
    from fastconv.backends.numpy.elementwise import activation as numpy
    from fastconv.backends.reference.activation import ReferenceElementwise

    return (*native.KERNELS, *gated.KERNELS, *numpy.KERNELS, ReferenceElementwise())


def _elementwise_backward() -> Kernels:
    from fastconv.backends.cython.elementwise import activation as native
    from fastconv.backends.cython.elementwise import gated
    from fastconv.backends.numpy.elementwise import activation_backward as numpy
    from fastconv.backends.reference.activation_backward import ReferenceElementwiseBackward

    return (*native.BACKWARD, *gated.KERNELS, *numpy.KERNELS, ReferenceElementwiseBackward())


def _softmax_backward() -> Kernels:
    from fastconv.backends.cython.elementwise import softmax as native
    from fastconv.backends.numpy.elementwise import loss_backward as numpy
    from fastconv.backends.reference.loss_backward import ReferenceSoftmaxBackward

    return (*native.KERNELS, *numpy.SOFTMAX, ReferenceSoftmaxBackward())


def _loss_backward() -> Kernels:
    from fastconv.backends.cython.elementwise import loss as native
    from fastconv.backends.numpy.elementwise import loss_backward as numpy
    from fastconv.backends.reference.loss_backward import ReferenceLossBackward

    return (*native.KERNELS, *numpy.LOSS, ReferenceLossBackward())


def _softmax() -> Kernels:
    from fastconv.backends.cython.elementwise import softmax as native
    from fastconv.backends.numpy.elementwise import softmax as numpy
    from fastconv.backends.reference.loss import ReferenceSoftmax

    return (*native.KERNELS, *numpy.KERNELS, ReferenceSoftmax())


def _loss() -> Kernels:
    from fastconv.backends.cython.elementwise import loss as native
    from fastconv.backends.numpy.elementwise import loss as numpy
    from fastconv.backends.reference.loss import ReferenceLoss

    return (*native.KERNELS, *numpy.KERNELS, ReferenceLoss())


def _pad() -> Kernels:
    from fastconv.backends.cython.shape import pad as native
    from fastconv.backends.numpy.shape import forward as numpy
    from fastconv.backends.reference.shape import ReferencePad

    return (*native.KERNELS, *numpy.PADS, ReferencePad())


def _pad_backward() -> Kernels:
    from fastconv.backends.numpy.shape import backward as numpy
    from fastconv.backends.reference.shape_backward import ReferencePadBackward

    return (*numpy.PADS, ReferencePadBackward())


def _fold() -> Kernels:
    from fastconv.backends.numpy.shape import forward as numpy
    from fastconv.backends.reference.shape import ReferenceFold

    return (*numpy.FOLDS, ReferenceFold())


def _separable() -> Kernels:
    from fastconv.backends.cython.filter import separable as native
    from fastconv.backends.cython.filter import small, truncated
    from fastconv.backends.numba.filter import separable as numba
    from fastconv.backends.numpy.filter import separable as numpy
    from fastconv.backends.reference.separable import ReferenceSeparable

    others = (*numba.KERNELS, *numpy.KERNELS, ReferenceSeparable())
    return (*small.SEPARABLE, *truncated.KERNELS, *native.KERNELS, *others)


def _separable_sum() -> Kernels:
    from fastconv.backends.cython.filter import separable as native
    from fastconv.backends.numba.filter import separable as numba
    from fastconv.backends.numpy.filter import separable as numpy
    from fastconv.backends.reference.separable import ReferenceSum

    return (*native.SUMS, *numba.SUMS, *numpy.SUMS, ReferenceSum())


def _window() -> Kernels:
    from fastconv.backends.cython.filter import window as native
    from fastconv.backends.numba.filter import window as numba
    from fastconv.backends.numpy.filter import window as numpy
    from fastconv.backends.reference.window import ReferenceWindow

    return (*native.KERNELS, *numba.KERNELS, *numpy.KERNELS, ReferenceWindow())


def _footprint() -> Kernels:
    from fastconv.backends.cython.filter import heights, shape
    from fastconv.backends.numba.filter import footprint as numba
    from fastconv.backends.numpy.filter import footprint as numpy
    from fastconv.backends.reference.footprint import ReferenceFootprint

    return (*shape.KERNELS, *heights.KERNELS, *numba.KERNELS, *numpy.KERNELS, ReferenceFootprint())


def _binary() -> Kernels:
    from fastconv.backends.cython.filter import bits as native
    from fastconv.backends.numba.filter import footprint as numba
    from fastconv.backends.numpy.filter import binary as numpy
    from fastconv.backends.reference.binary import ReferenceBinary

    return (*native.KERNELS, *numba.BINARIES, *numpy.KERNELS, ReferenceBinary())


def _correlation() -> Kernels:
    from fastconv.backends.cython.filter import correlation as native
    from fastconv.backends.cython.filter import small
    from fastconv.backends.numba.filter import correlation as numba
    from fastconv.backends.numpy.filter import correlation as numpy
    from fastconv.backends.reference.correlation import ReferenceCorrelation

    return (*small.CORRELATIONS, *native.KERNELS, *numba.KERNELS, *numpy.KERNELS, ReferenceCorrelation())


def _rank() -> Kernels:
    from fastconv.backends.cython.filter import histogram
    from fastconv.backends.cython.filter import rank as native
    from fastconv.backends.numba.filter import rank as numba
    from fastconv.backends.numpy.filter import rank as numpy
    from fastconv.backends.reference.rank import ReferenceRank

    return (*native.KERNELS, *histogram.KERNELS, *numba.KERNELS, *numpy.KERNELS, ReferenceRank())


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
    "separable": _separable,
    "separable_sum": _separable_sum,
    "window": _window,
    "footprint": _footprint,
    "binary": _binary,
    "correlation": _correlation,
    "rank": _rank,
}
