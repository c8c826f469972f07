"""Kernels compiled by Numba at run time, on register tiles emitted as LLVM vectors.

`conv`, `gemm`, `pool` contain the kernel objects (what they accept, how fast they are, how arrays are packed) and
import without Numba; `loops` contains the compiled loops, one file per operation; `tile` is the only
file that uses vectors; `axes` computes where the taps of a window lie in a band of scratch.
"""
