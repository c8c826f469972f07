"""The native backend: loops and threads in Cython, arithmetic in C micro-kernels compiled once per instruction set.

    direct.py, gemm.py, ...          kernel objects: reject, cost, block sizes, packing; always importable
    _direct.pyx, _gemm.pyx, ...      items of work, bands, packing order, OpenMP threads, without the GIL
    simd/*.inc                       micro-kernel bodies that know neither ISA nor dtype
    simd/isa_*.h                     the few words that differ between instruction sets
    simd/table.h                     the struct of function pointers through which the two halves meet
"""
