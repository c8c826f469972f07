"""What the processor is and which instructions it has, by its CPUID instruction.

NumPy's dictionary of CPU features is private and lacks AMX and AVX-VNNI.  It is used where the extension that executes
CPUID was not compiled, and on processors other than x86.
"""

from __future__ import annotations

import platform
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

# Registers that the system must save between threads, as bits of XCR0.
AVX_STATE, AVX512_STATE, AMX_STATE = 0x6, 0xE6, 0x60000
EAX, EBX, ECX, EDX = range(4)

# By NumPy's names where it has one: leaf, subleaf, register and bit of the feature, and the state that it needs.
BITS: dict[str, tuple[int, int, int, int, int]] = {
    "F16C": (1, 0, ECX, 29, AVX_STATE),
    "FMA3": (1, 0, ECX, 12, AVX_STATE),
    "AVX": (1, 0, ECX, 28, AVX_STATE),
    "AVX2": (7, 0, EBX, 5, AVX_STATE),
    "AVX_VNNI": (7, 1, EAX, 4, AVX_STATE),
    "AVX512F": (7, 0, EBX, 16, AVX512_STATE),
    "AVX512DQ": (7, 0, EBX, 17, AVX512_STATE),
    "AVX512BW": (7, 0, EBX, 30, AVX512_STATE),
    "AVX512VL": (7, 0, EBX, 31, AVX512_STATE),
    "AVX512VNNI": (7, 0, ECX, 11, AVX512_STATE),
    "AVX512FP16": (7, 0, EDX, 23, AVX512_STATE),
    "AVX512BF16": (7, 1, EAX, 5, AVX512_STATE),
    "AMX_TILE": (7, 0, EDX, 24, AMX_STATE),
    "AMX_BF16": (7, 0, EDX, 22, AMX_STATE),
    "AMX_INT8": (7, 0, EDX, 25, AMX_STATE),
}


class Identity(NamedTuple):
    """Vendor and numbers of a processor; empty and zeros where they are unknown."""

    vendor: str
    family: int
    model: int


AMD, INTEL = "AuthenticAMD", "GenuineIntel"

# Vendor, family, first and last model.
MICROARCHITECTURES: dict[str, tuple[tuple[str, int, int, int], ...]] = {
    "zen": ((AMD, 0x17, 0x00, 0x2F),),
    "zen2": ((AMD, 0x17, 0x30, 0xFF),),
    "zen3": ((AMD, 0x19, 0x00, 0x0F), (AMD, 0x19, 0x20, 0x5F)),
    "zen4": ((AMD, 0x19, 0x10, 0x1F), (AMD, 0x19, 0x60, 0xAF)),
    "zen5": ((AMD, 0x1A, 0x00, 0xFF),),
    "haswell": ((INTEL, 6, 0x3C, 0x3C), (INTEL, 6, 0x3F, 0x3F), (INTEL, 6, 0x45, 0x46)),
    "broadwell": ((INTEL, 6, 0x3D, 0x3D), (INTEL, 6, 0x47, 0x47), (INTEL, 6, 0x4F, 0x4F), (INTEL, 6, 0x56, 0x56)),
    "skylake": ((INTEL, 6, 0x4E, 0x4E), (INTEL, 6, 0x5E, 0x5E), (INTEL, 6, 0x8E, 0x8E), (INTEL, 6, 0x9E, 0x9E)),
    "skylake_server": ((INTEL, 6, 0x55, 0x55),),
    "ice_lake_server": ((INTEL, 6, 0x6A, 0x6A), (INTEL, 6, 0x6C, 0x6C)),
    "alder_lake": ((INTEL, 6, 0x97, 0x97), (INTEL, 6, 0x9A, 0x9A), (INTEL, 6, 0xB7, 0xB7), (INTEL, 6, 0xBA, 0xBA)),
    "sapphire_rapids": ((INTEL, 6, 0x8F, 0x8F), (INTEL, 6, 0xCF, 0xCF), (INTEL, 6, 0xAD, 0xAE)),  # and successors
}


@cache
def features() -> frozenset[str]:
    """Instructions that programs may use here, by NumPy's names."""
    found = _by_cpuid()
    return _by_numpy() if found is None else found


def _by_cpuid() -> frozenset[str] | None:
    """None where CPUID cannot be executed."""
    try:
        from fastconv.core._cpu import cpuid, saved_state
    except ImportError:
        return None
    most = cpuid(0, 0)[EAX]
    if most == 0:
        return None
    state = saved_state()
    return frozenset(
        name
        for name, (leaf, subleaf, register, bit, needed) in BITS.items()
        if leaf <= most and state & needed == needed and cpuid(leaf, subleaf)[register] >> bit & 1
    )


def _by_numpy() -> frozenset[str]:
    from numpy._core._multiarray_umath import __cpu_features__

    return frozenset(name for name, there in __cpu_features__.items() if there)


@cache
def identity() -> Identity:
    """Who made the processor, and its family and model."""
    with suppress(ImportError):
        from fastconv.core._cpu import cpuid

        _, *words = cpuid(0, 0)
        ebx, ecx, edx = words
        if any(words):
            vendor = b"".join(word.to_bytes(4, "little") for word in (ebx, edx, ecx)).decode("ascii", "replace")
            return Identity(vendor, *_numbers(cpuid(1, 0)[EAX]))
    fields = system_fields()
    numbers = (fields.get(name, "") for name in ("cpu family", "model"))
    return Identity(fields.get("vendor_id", ""), *(int(text) if text.isdigit() else 0 for text in numbers))


def _numbers(signature: int) -> tuple[int, int]:
    """Family and model from their parts."""
    family, model = signature >> 8 & 0xF, signature >> 4 & 0xF
    if family in (6, 0xF):
        model |= (signature >> 16 & 0xF) << 4
    return (family + (signature >> 20 & 0xFF) if family == 0xF else family), model


@cache
def microarchitecture() -> str | None:
    """A key of `MICROARCHITECTURES`, or None."""
    vendor, family, model = identity()
    if vendor == INTEL and "AMX_TILE" in features():
        return "sapphire_rapids"  # hypervisors may report the model of an older one
    for name, ranges in MICROARCHITECTURES.items():
        for maker, of_family, first, last in ranges:
            if (maker, of_family) == (vendor, family) and first <= model <= last:
                return name
    return None


@cache
def system_fields() -> dict[str, str]:
    """What the system reports about the first processor; empty where it has no /proc/cpuinfo."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]
    except OSError:
        return {}
    fields = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in fields}


def name() -> str:
    """The processor's name as the system reports it."""
    return system_fields().get("model name") or platform.processor() or platform.machine()


def description() -> str:
    """The processor's name and generation: hypervisors use one name for several generations."""
    fields = system_fields()
    told = [f"{field} {value}" for field in ("cpu family", "model", "stepping") if (value := fields.get(field))]
    return ", ".join([name(), *told])
