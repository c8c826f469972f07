"""One ordered tuple of kernels per family of operations: the only file that names kernels.

Order breaks ties of predicted cost: earlier wins.  The reference comes last in every tuple.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fastconv.backends import phases, reference, reference_gemm, reference_pool
from fastconv.backends.cython import depthwise as cython_depthwise
from fastconv.backends.cython import direct as cython_direct
from fastconv.backends.cython import gemm as cython_gemm
from fastconv.backends.cython import pointwise as cython_pointwise
from fastconv.backends.cython import pool as cython_pool
from fastconv.backends.numba import conv as numba_conv
from fastconv.backends.numba import gemm as numba_gemm
from fastconv.backends.numba import pool as numba_pool
from fastconv.backends.numpy import conv as numpy_conv
from fastconv.backends.numpy import gemm as numpy_gemm
from fastconv.backends.numpy import pool as numpy_pool
from fastconv.backends.numpy import unpool as numpy_unpool
from fastconv.core.kernel import Kernel


@cache
def kernels(op: str) -> tuple[Kernel[Any], ...]:
    """Every kernel of the family `op`, preferred ones first."""
    return _TABLE[op]()


def ops() -> tuple[str, ...]:
    """The families of operations."""
    return tuple(_TABLE)


def _conv() -> tuple[Kernel[Any], ...]:
    native = (*cython_pointwise.KERNELS, *cython_depthwise.KERNELS, *cython_direct.KERNELS)
    forward = (*native, *numba_conv.KERNELS, *numpy_conv.KERNELS)
    return (*forward, *phases.wrap(forward), reference.Conv())


def _gemm() -> tuple[Kernel[Any], ...]:
    return (*cython_gemm.KERNELS, *numba_gemm.KERNELS, *numpy_gemm.KERNELS, reference_gemm.Gemm())


def _pool() -> tuple[Kernel[Any], ...]:
    return (*cython_pool.KERNELS, *numba_pool.KERNELS, *numpy_pool.KERNELS, reference_pool.Pool())


def _adaptive_pool() -> tuple[Kernel[Any], ...]:
    return (*numpy_pool.ADAPTIVE, reference_pool.Pool())


def _max_unpool() -> tuple[Kernel[Any], ...]:
    return (*numpy_unpool.KERNELS, reference_pool.Unpool())


_TABLE = {
    "conv": _conv,
    "gemm": _gemm,
    "pool": _pool,
    "adaptive_pool": _adaptive_pool,
    "max_unpool": _max_unpool,
}
