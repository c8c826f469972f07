"""What lies beyond the ends of an axis, in runs of equal distance: for the loops that move over arrays."""

from __future__ import annotations

from numba.extending import register_jitable

REFLECT, CONSTANT, NEAREST, MIRROR = 0, 1, 2, 3  # their places in `fastconv.typing.BoundaryMode`; then "wrap"


@register_jitable
def run_beyond(i, extent, mode):
    """(source of position i, how many follow at once, their distance); source -1 is the constant value."""
    if 0 <= i < extent:
        return i, extent - i, 1
    if mode == CONSTANT:
        return -1, max(-i, 1) if i < 0 else 1 << 62, 0
    if mode == NEAREST:
        return (0, -i, 0) if i < 0 else (extent - 1, 1 << 62, 0)
    if mode == MIRROR:
        period = max(2 * extent - 2, 1)
        i = i % period
        return (i, extent - i, 1) if i < extent else (period - i, period - i, -1)
    if mode == REFLECT:
        i = i % (2 * extent)
        return (i, extent - i, 1) if i < extent else (2 * extent - 1 - i, 2 * extent - i, -1)
    i = i % extent
    return i, extent - i, 1
