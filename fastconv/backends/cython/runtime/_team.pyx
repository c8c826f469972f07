# cython: language_level=3
"""Threads of OpenMP for a run: how many, and on which processors."""

from fastconv.core.threads import openmp_threads

cdef extern from "runtime/team.h" nogil:
    void fc_place(int threads)


cdef int team(int requested) except -1:
    """How many of `requested` threads a run may use; they are on different processors where possible."""
    cdef int threads = 1
    if requested > 1:
        threads = openmp_threads(requested)
        if threads > 1:
            with nogil:
                fc_place(threads)
    return threads
