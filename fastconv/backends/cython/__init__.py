"""The native backend: loops and threads in Cython, arithmetic in C micro-kernels compiled once per instruction set.

    conv/direct.py, gemm/packed.py, ...      kernel objects: reject, cost, block sizes, packing; always importable
    conv/_direct.pyx, gemm/_packed.pyx, ...  items of work, bands, packing order, OpenMP threads, without the GIL
    runtime/                                 what all families use; native.py for Python, the .pxd files for Cython
    simd/conv/*.inc, simd/gemm/*.inc, ...    bodies of micro-kernels, one source for all instruction sets and dtypes
    simd/isa/*.h                             the few functions that differ between instruction sets
    simd/table.h                             the struct of function pointers through which Cython calls C
"""
