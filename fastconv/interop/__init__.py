"""Doors, the interfaces to other libraries, each imported by its own name.

`fastconv.interop.torch`, `fastconv.interop.scipy`, `fastconv.interop.dask`.
"""
