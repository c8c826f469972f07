"""Filters of arrays, as those of scipy.ndimage.

Two loops move through arrays, and know neither dtypes nor filters: `neighbors` takes windows of any axes, `lines` one
axis after the other.  They load elements into scratch, in the dtype in which they are combined, call the function that
combines them, and store what it found; each of these functions is compiled once for a dtype and called by its address.
Vectors are as wide as this host allows, so there is one kernel for all instruction sets.
"""
