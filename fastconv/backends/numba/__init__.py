"""Kernels compiled by Numba at run time, on register tiles emitted as LLVM vectors.

What is where: `conv`, `gemm`, `pool` describe the kernels (when, how fast, how arrays are packed) and
import without Numba; `loops` holds the compiled loops, one file per operation; `tile` is the only
file that knows vectors; `axes` says where the taps of a window lie in a band of scratch.
"""
