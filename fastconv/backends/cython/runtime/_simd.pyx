# cython: language_level=3
"""Access to the tables of micro-kernels, and the measured peak of one core."""

import time

from fastconv.backends.cython.runtime._simd cimport Panels, View, address, axis_of, fc_axis, fc_source, fc_table, pack_panels, view
from fastconv.backends.cython.runtime._tiles cimport fc_tiles


cdef extern from "simd/table.h":
    """
    #include <string.h>
    #define FC_TABLE_OF(name) extern const fc_table fc_##name;
    FC_TABLES
    #undef FC_TABLE_OF
    #define FC_TABLE_OF(name) {#name, &fc_##name},
    static const struct {
        const char *name;
        const fc_table *table;
    } fc_tables[] = {FC_TABLES {NULL, NULL}};
    static const fc_table *fc_find(const char *name)
    {
        int i = 0;
        while (fc_tables[i].name && strcmp(fc_tables[i].name, name)) i++;
        return fc_tables[i].table;
    }
    #if defined(__linux__) && defined(__x86_64__)
    #include <sys/syscall.h>
    #include <unistd.h>
    static int fc_request_tiles(void) { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }
    #else
    static int fc_request_tiles(void) { return 0; }
    #endif
    #include "simd/tiles/tiles.h"
    #ifdef FC_TILES
    extern const fc_tiles FC_TILES;
    #define FC_TILES_FOUND (&FC_TILES)
    #else
    #define FC_TILES_FOUND ((const fc_tiles *)NULL)
    #endif
    #ifdef _OPENMP
    #define FC_OPENMP 1
    #else
    #define FC_OPENMP 0
    #endif
    """
    int fc_request_tiles()
    const fc_table *fc_find(const char *name)
    int FC_OPENMP
    const fc_tiles *FC_TILES_FOUND

HAS_OPENMP = bool(FC_OPENMP)


def table(str name):
    """Address of the table of this name, such as ``avx2_f32``; 0 where it was not built."""
    return <size_t>fc_find(name.encode())


def request_tiles():
    """Whether the system lets this process use AMX, the matrix registers; it must be asked once."""
    return bool(fc_request_tiles())


def tiles():
    """Address of the micro-kernels of matrix registers; 0 where they were not built."""
    return <size_t>FC_TILES_FOUND if FC_TILES_FOUND != NULL and FC_TILES_FOUND.multiply_tiles != NULL else 0


def sizes(size_t table):
    """(VL, MR, NR) of a table: lanes of a vector, rows and lanes of the register tile."""
    cdef const fc_table *t = <const fc_table *>table
    return t.vl, t.mr, t.nr


def pack(size_t table, w, packed, Py_ssize_t groups, Py_ssize_t rows, Py_ssize_t depth, bint lanes):
    """w, (groups * rows, depth), into panels (groups, blocks, depth, NR), zero after the last row.

    Without `lanes`, panels are MR wide and have near-equal numbers of rows.  Up to VL elements after the last panel are
    clobbered.
    """
    cdef Panels panels
    panels.groups, panels.rows, panels.depth, panels.lanes = groups, rows, depth, lanes
    cdef const char *src = address(w)
    cdef char *dst = address(packed)
    with nogil:
        pack_panels(<const fc_table *>table, &panels, src, dst)


def largest(size_t table, x):
    """The largest magnitude in x, C-contiguous; NaN or infinity if an element is."""
    cdef const fc_table *t = <const fc_table *>table
    cdef const char *data = address(x)
    cdef Py_ssize_t n = x.size
    cdef double found
    with nogil:
        found = t.largest(data, n)
    return found


def pack_columns(size_t table, w, packed):
    """w, (columns, depth) with any strides, into panels (blocks, depth, NR), zero after the last column."""
    cdef const fc_table *t = <const fc_table *>table
    cdef View v = view(w)
    cdef char *dst = address(packed)
    cdef Py_ssize_t columns = w.shape[0], depth = w.shape[1], nr = t.nr, size = t.itemsize, i, j
    with nogil:
        for i in range((columns + nr - 1) // nr):
            j = i * nr
            t.pack_b(
                dst + j * depth * size, v.data + j * v.stride[0] * size, v.stride[0], v.stride[1],
                min(nr, columns - j), depth)


def peak(size_t table, double seconds=0.02):
    """Measured FLOP/s of one core: multiply-adds on registers alone, the best of several runs."""
    cdef const fc_table *t = <const fc_table *>table
    cdef double done, best = 0.0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        with nogil:
            done = t.peak(20000)
        best = max(best, done / (time.perf_counter() - start))
    return best


def source(tuple axis, Py_ssize_t at):
    """Input index of a position of a padded axis; see `native.padded_axes`."""
    cdef fc_axis a = axis_of(axis)
    return fc_source(&a, at)
