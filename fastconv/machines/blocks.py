"""Sizes of blocks, as shares of caches.

Shares are those that measured best on Zen 4, whose cores have 32 KiB of L1 and 1 MiB of L2 cache.  Where a machine was
measured to want other sizes, its table says so (`Table.blocks`).
"""

from __future__ import annotations

L1, L2 = 0, 1

# By row and block: the cache, and the share of it.  What a block holds is said where it is used.
SHARES: dict[str, tuple[int, float]] = {
    "cython.conv.col2im/columns": (L2, 1 / 8),
    "cython.conv.col2im/weights": (L2, 1 / 2),
    "cython.conv.depthwise/band": (L1, 3 / 4),
    "cython.conv.depthwise/images": (L2, 1 / 8),
    "cython.conv.direct/all_sums": (L2, 1),
    "cython.conv.direct/band": (L2, 5 / 32),
    "cython.conv.direct/sums": (L2, 1 / 16),
    "cython.conv.direct_last/band": (L2, 1 / 4),
    "cython.conv.direct_last/weights": (L2, 1 / 16),
    "cython.conv.gathered/part": (L2, 2),
    "cython.conv.images/arrays": (L2, 1 / 2),
    "cython.conv.lanes_last/band": (L2, 1 / 8),
    "cython.conv.planes/band": (L2, 1 / 4),
    "cython.conv.pointwise/pixels": (L2, 1 / 4),
    "cython.conv.pointwise_blocked/pixels": (L2, 3 / 8),
    "cython.conv.row_sums/sums": (L2, 3 / 8),
    "cython.conv.row_sums/weights": (L2, 1 / 2),
    "cython.conv.tiles/band": (L2, 3 / 8),
    "cython.conv.winograd/transformed": (L2, 5 / 8),
    "cython.conv.winograd_rows/most": (L2, 5 / 8),
    "cython.conv.winograd_rows/transformed": (L2, 1 / 8),
    "cython.conv_weight.direct/band": (L2, 3 / 8),
    "cython.conv_weight.rows/band": (L1, 1 / 2),
    "cython.conv_weight.rows/sums": (L2, 1 / 16),
    "cython.gemm.dots/a": (L2, 1 / 4),
    "cython.gemm.in_place/b": (L2, 3 / 4),
    "cython.gemm.in_place/near": (L2, 6),
    "cython.gemm.packed/a": (L2, 1 / 4),
    "cython.gemm.packed/b": (L2, 2),
    "cython.gemm.packed/small": (L2, 1 / 4),
    "cython.gemm.thin/sums": (L1, 1),
    "cython.gemm.tiles/panels": (L2, 3 / 4),
    "cython.pool.adaptive/row": (L2, 1 / 4),
    "cython.pool.channels/image": (L2, 1 / 8),
    "cython.pool.flat/plane": (L1, 3 / 4),
    "cython.pool.lanes/block": (L2, 1 / 4),
    "cython.pool.powers/block": (L2, 1 / 4),
    "cython.pool.powers/row": (L1, 1),
    "cython.pool.separable/row": (L1, 1 / 2),
    "cython.pool.shifts/fetched": (L2, 8),
    "cython.pool.shifts/twice": (L1, 3 / 8),
    "cython.pool_backward.separable/row": (L2, 1 / 4),
    "numba.conv/band": (L2, 1 / 4),
    "numba.conv/channel": (L1, 3 / 4),
    "numba.conv/sums": (L2, 1 / 8),
    "numba.conv/weights": (L2, 1 / 8),
    "numba.filter/band": (L2, 1 / 8),
    "numba.filter/piece": (L2, 1 / 16),
    "numba.gemm/block": (L2, 2),
    "numba.gemm/depth": (L1, 5 / 128),
    "numba.gemm/rows": (L2, 7 / 64),
    "numba.pool/channel": (L1, 3 / 4),
    "numpy.conv.col2im/columns": (L2, 1),
    "numpy.conv.im2col/columns": (L2, 1),
    "numpy.gemm.matmul/band": (L2, 1),
}


def sizes(l1: int, l2: int) -> dict[str, int]:
    """Bytes of every block, with caches of these sizes."""
    return {name: int((l1, l2)[cache] * share) for name, (cache, share) in SHARES.items()}
