"""Element types that micro-kernels are compiled for: with the instruction set, the keys of their tables.

setup.py compiles simd/kernels.c once for each instruction set and each of `TABLES`.
"""

from __future__ import annotations

from typing import NamedTuple


class DType(NamedTuple):
    """Types of the elements of one table, by NumPy's names.

    Attributes
    ----------
    input, output : str
        As memory holds them.
    accumulator : str
        In registers: elements become this type when they are loaded, and are rounded once, when they are stored.
    k_group : int
        Adjacent products of a sum that one instruction adds.
    """

    input: str
    accumulator: str
    output: str
    k_group: int = 1


class Table(NamedTuple):
    """The end of a table's name, the macros of simd/isa/simd.h that describe its types, and what a CPU needs for it.

    `features` are those that a table needs in addition to its instruction set, by its name.
    """

    name: str
    double: int
    stored: str = "FC_AS_IS"
    features: tuple[tuple[str, str], ...] = ()


# An element of pairs is two numbers, adjacent along the sum.
BFLOAT16_PAIRS = DType("bfloat16", "float32", "float32", 2)
INT16_PAIRS = DType("int16", "int32", "int32", 2)
INT64 = DType("int64", "int64", "int64")  # products and sums wrap around

TABLES = {
    DType("float32", "float32", "float32"): Table("f32", 0),
    DType("float64", "float64", "float64"): Table("f64", 1),
    DType("float16", "float32", "float16"): Table("f16", 0, "FC_FLOAT16"),
    DType("bfloat16", "float32", "bfloat16"): Table("bf16", 0, "FC_BFLOAT16"),
    BFLOAT16_PAIRS: Table("bf16_pairs", 0, "FC_BFLOAT16_PAIRS", (("avx512", "AVX512BF16"),)),
    INT16_PAIRS: Table("i16_pairs", 0, "FC_INT16_PAIRS", (("avx512", "AVX512VNNI"),)),
    INT64: Table("i64", 1, "FC_INT64"),
}
BY_NAME = {key.input: key for key in TABLES if key.input == key.output}  # what arrays of one dtype need
TILES = {"avx512": ("AVX512BF16", "AMX_TILE", "AMX_BF16")}  # what a CPU needs for matrix registers: simd/tiles.c
