"""What this computer is: instruction sets, caches, memory.

How fast it is stands in `fastconv.machines`.
"""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastconv.core import cpu


class Isa(NamedTuple):
    """A vector instruction set.

    Attributes
    ----------
    bytes, registers : int
        Size of a vector, and number of vector registers.
    fma : bool
        Whether it multiplies and adds with one rounding.
    needs : tuple of str
        CPU features beyond those that every processor of the architecture has, by NumPy's names.
    """

    bytes: int
    registers: int
    fma: bool
    needs: tuple[str, ...] = ()


def _isas(architecture: str) -> dict[str, Isa]:
    match architecture.lower():
        case "x86_64" | "amd64":
            return {
                "avx512": Isa(64, 32, True, ("AVX512F", "AVX512BW", "AVX512DQ", "AVX512VL", "FMA3")),
                "avx2": Isa(32, 16, True, ("AVX2", "FMA3", "F16C")),
                "portable": Isa(16, 16, False),
            }
        case "aarch64" | "arm64":
            return {"neon": Isa(16, 32, True)}
        case _:
            return {"portable": Isa(16, 16, False)}


ISAS = _isas(platform.machine())  # of this architecture, widest first


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts of a computer that block sizes and counts depend on.

    Attributes
    ----------
    l1, l2, l3 : int
        Data cache sizes in bytes; l1 and l2 of one core, l3 shared.
    """

    l1: int
    l2: int
    l3: int


@cache
def host_isas() -> tuple[str, ...]:
    """Instruction sets that this host can run, widest first; ``FASTCONV_ISA`` caps the list.

    Raises
    ------
    ValueError
        If ``FASTCONV_ISA`` is set to an unknown name.
    """
    usable = [name for name, isa in ISAS.items() if cpu.features().issuperset(isa.needs)]
    cap = os.environ.get("FASTCONV_ISA", "").strip().lower()
    if not cap:
        return tuple(usable)
    if cap not in ISAS:
        raise ValueError(f"FASTCONV_ISA is {cap!r}; allowed are {', '.join(ISAS)}")
    order = list(ISAS)
    return tuple(name for name in usable if order.index(name) >= order.index(cap))


@cache
def memory() -> int:
    """Bytes of memory that this process can have at most: those of the machine, or a limit set for the process.

    Arrays that are larger are refused before anything is allocated.
    """
    limits = [sys.maxsize]
    with suppress(ValueError, OSError, AttributeError):  # not on Windows
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for group in ("memory.max", "memory/memory.limit_in_bytes"):  # cgroups of a container: version 2, version 1
        with suppress(ValueError, OSError):  # absent, or "max"
            limits.append(int((Path("/sys/fs/cgroup") / group).read_text()))
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft = resource.getrlimit(resource.RLIMIT_AS)[0]
        if soft != resource.RLIM_INFINITY:
            limits.append(soft)
    return min(limit for limit in limits if limit > 0)


def check_memory(nbytes: int, what: str) -> None:
    """MemoryError unless `nbytes` fit into the memory of this machine."""
    if nbytes > memory():
        raise MemoryError(f"{what} would take {nbytes} bytes; this machine has {memory()}")


def _cache_bytes(level: int, fallback: int) -> int:
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            if int((index / "level").read_text()) != level or (index / "type").read_text().strip() == "Instruction":
                continue
            text = (index / "size").read_text().strip()
            return int(text[:-1]) << {"K": 10, "M": 20}[text[-1]]
        except (OSError, ValueError, KeyError):
            continue
    return fallback


@cache
def host() -> Machine:
    """This computer."""
    return Machine(
        l1=_cache_bytes(1, 32 << 10),
        l2=_cache_bytes(2, 1 << 20),
        l3=_cache_bytes(3, 16 << 20),
    )
