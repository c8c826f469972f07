"""This computer: instruction sets, caches, estimated rates.

The cost model uses the rates.  There only ratios between kernels matter, so they are estimates
and not measured.  `fastconv info` and `compare` measure the real ones.
"""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Widest first: bytes per vector, number of vector registers, required CPU features by NumPy's names.
ISAS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "avx512": (64, 32, ("AVX512F", "AVX512BW", "AVX512DQ", "AVX512VL", "FMA3")),
    "avx2": (32, 16, ("AVX2", "FMA3", "F16C")),
    "portable": (16, 16, ()),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """Rates that kernels use to predict their time.

    Attributes
    ----------
    peak : tuple of (str, float)
        Estimated float32 FLOP/s of one core for each instruction set.
    bandwidth : float
        Estimated bytes/s of streaming memory access by one core.
    l1, l2, l3 : int
        Data cache sizes in bytes; l1 and l2 of one core, l3 shared.
    """

    peak: tuple[tuple[str, float], ...]
    bandwidth: float
    l1: int
    l2: int
    l3: int

    def flops(self, isa: str, itemsize: int = 4) -> float:
        """Estimated FLOP/s of one core with `isa` for floats of `itemsize` bytes."""
        return dict(self.peak)[isa] * 4 / itemsize


@cache
def cpu_features() -> frozenset[str]:
    """CPU features of this host, by NumPy's names."""
    from numpy._core._multiarray_umath import __cpu_features__

    return frozenset(k for k, v in __cpu_features__.items() if v)


@cache
def host_isas() -> tuple[str, ...]:
    """Instruction sets that this host can run, widest first; ``FASTCONV_ISA`` caps the list.

    Raises
    ------
    ValueError
        If ``FASTCONV_ISA`` is set to an unknown name.
    """
    usable = [name for name, (_, _, need) in ISAS.items() if cpu_features().issuperset(need)]
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
def _cpu_fields() -> dict[str, str]:
    """What the system reports about the first processor; empty where it has no /proc/cpuinfo."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]
    except OSError:
        return {}
    fields = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in fields}


def cpu_name() -> str:
    """The processor's name as the system reports it."""
    return _cpu_fields().get("model name") or platform.processor() or platform.machine()


def cpu_identity() -> str:
    """The processor's name and generation: hypervisors use one name for several generations."""
    told = [f"{name} {value}" for name in ("cpu family", "model", "stepping") if (value := _cpu_fields().get(name))]
    return ", ".join([cpu_name(), *told])


def halved_avx512() -> bool:
    """Whether AVX-512 instructions run as two halves, so that they are no faster than AVX2: AMD before Zen 5."""
    family = _cpu_fields().get("cpu family", "")
    return _cpu_fields().get("vendor_id") == "AuthenticAMD" and family.isdigit() and int(family) < 26


@cache
def host() -> Machine:
    """This computer."""
    # AVX-512 in halves still has twice the registers, which makes it a quarter faster than AVX2.
    lanes = {"avx512": 10 if halved_avx512() else 16, "avx2": 8, "portable": 4}
    clock, fma_per_cycle = 3.5e9, 2
    return Machine(
        peak=tuple((isa, clock * fma_per_cycle * 2 * n) for isa, n in lanes.items()),
        bandwidth=15e9,
        l1=_cache_bytes(1, 32 << 10),
        l2=_cache_bytes(2, 1 << 20),
        l3=_cache_bytes(3, 16 << 20),
    )
