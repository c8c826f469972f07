"""How many cases the tests try: as many as fit the time of CI, or with FASTCONV_WIDE=1 all.

A case that is left out combines values that other cases have, too; none is the only one of its kind.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from typing import Any, TypeVar

from fastconv.core.kernel import Kernel
from fastconv.core.machine import host_isas

T = TypeVar("T")
WIDE = os.environ.get("FASTCONV_WIDE", "") not in ("", "0")


def half(*axes: Iterable[Any], first: int = 0) -> list[tuple[Any, ...]]:
    """Every second element of the product of three axes or more, which has every pair of values; in a wide run all.

    `first` is 0 or 1, for the one half or the other.
    """
    found = itertools.product(*map(enumerate, axes))
    return [tuple(v for _, v in one) for one in found if WIDE or sum(i for i, _ in one) % 2 == first % 2]


def share(kernel: Kernel[Any], cases: Iterable[T]) -> list[T]:
    """All cases on the widest instruction set, half of them on a narrower one, the next one another half.

    Half of the places, by the parity of their binary digits: not those that a short axis of options has in turn.  In a
    wide run, and where there is one case only, all.
    """
    found = list(cases)
    if WIDE or kernel.isa in ("", host_isas()[0]) or len(found) < 2:
        return found
    parity = host_isas().index(kernel.isa) % 2
    return [case for i, case in enumerate(found) if i.bit_count() % 2 == parity]


def of_two_isas(kernel: Kernel[Any]) -> bool:
    """Whether a kernel has no instruction set, or the widest or narrowest one that runs here; in a wide run always."""
    return WIDE or not kernel.isa or kernel.isa in (host_isas()[0], host_isas()[-1])
