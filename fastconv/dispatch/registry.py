"""One ordered tuple of kernels per family of operations: the only file that names kernels.

Order breaks ties of predicted cost: earlier wins.  The reference comes last in every tuple.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fastconv.backends import phases, reference
from fastconv.backends.numpy import conv as numpy_conv
from fastconv.core.kernel import Kernel


@cache
def kernels(op: str) -> tuple[Kernel[Any], ...]:
    """Every kernel of the family `op`, preferred ones first."""
    return _TABLE[op]()


def ops() -> tuple[str, ...]:
    """The families of operations."""
    return tuple(_TABLE)


def _conv() -> tuple[Kernel[Any], ...]:
    forward = numpy_conv.KERNELS
    return (*forward, *phases.wrap(forward), reference.Conv())


_TABLE = {
    "conv": _conv,
}
