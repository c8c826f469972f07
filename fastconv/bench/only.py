"""Which kernels take part in a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastconv.core.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Only:
    """Names that kernels must have; an empty tuple admits all.

    Attributes
    ----------
    backends, isas : tuple of str
    algorithms : tuple of str
        Names of algorithms, or how they begin: ``winograd`` admits all of its kinds.
    kernels : tuple of str
        Full names.
    """

    backends: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    kernels: tuple[str, ...] = ()
    isas: tuple[str, ...] = ()

    def reject(self, kernel: Kernel[Any]) -> str | None:
        """Why a kernel takes no part; None if it does."""
        for option, allowed, own in (
            ("backend", self.backends, kernel.backend),
            ("kernel", self.kernels, kernel.name),
            ("ISA", self.isas, kernel.isa),
        ):
            if allowed and own not in allowed:
                return f"{option} {' or '.join(allowed)} was asked for"
        if self.algorithms and not any(
            kernel.algorithm == name or kernel.algorithm.startswith(f"{name}_") for name in self.algorithms
        ):
            return f"algorithm {' or '.join(self.algorithms)} was asked for"
        return None


EVERY = Only()
