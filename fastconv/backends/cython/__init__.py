"""The native backend: loops and threads in Cython, arithmetic in C micro-kernels compiled once per instruction set.

    direct.py, gemm.py, ...          kernel objects: reject, cost, block sizes, packing; always importable
    _direct.pyx, _gemm.pyx, ...      items of work, bands, packing order, OpenMP threads, without the GIL
    simd/*.inc                       bodies of micro-kernels, one source for all instruction sets and dtypes
    simd/isa_*.h                     the few functions that differ between instruction sets
    simd/table.h                     the struct of function pointers through which Cython calls C
"""
