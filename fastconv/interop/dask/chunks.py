"""Filters on chunked arrays: each chunk with as much of its neighbors as its windows reach.

What lies beyond the ends of the array is left to the filter itself, on the chunks that have the ends; only with mode
``wrap`` these get the other end of the array.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from fastconv import ndimage
from fastconv.ndimage.reach import arguments_of, reaches, wrapped


def _on_chunk(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], chunk: np.ndarray) -> np.ndarray:
    """A task; by name, as it travels to other processes.  Tasks run side by side, so each on one thread."""
    result: np.ndarray = getattr(ndimage, name)(chunk, *args, **{"threads": 1, **kwargs})
    return result


def apply(function: Callable[..., np.ndarray], input: Any, *args: Any, **kwargs: Any) -> da.Array:
    """A filter of fastconv.ndimage on a dask array, lazily; its result has the bits of the filter of the whole.

    Parameters
    ----------
    function : callable
        ``fastconv.ndimage.gaussian_filter``, for example; any but those that call a function of the user.
    input : dask.array.Array
        Chunks should be several times as large as windows.  Axes that are shorter than twice a window are one chunk.
    *args, **kwargs
        Other arguments of the function.  ``output`` may be a dtype, but no array.  ``threads``, of each task, is 1 by
        default: tasks run side by side.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    UnsupportedError
        For another function, or arguments that chunks cannot have.
    TypeError
        If `input` is no dask array, or ``output`` is an array.

    Examples
    --------
    >>> import dask.array as da, numpy as np
    >>> import fastconv.ndimage as ndi
    >>> from fastconv.interop.dask import apply
    >>> image = np.arange(10000, dtype=np.uint16).reshape(100, 100)
    >>> by_chunks = apply(ndi.median_filter, da.from_array(image, chunks=30), size=5)
    >>> np.array_equal(by_chunks.compute(), ndi.median_filter(image, size=5))
    True
    """
    if not isinstance(input, da.Array):
        raise TypeError(f"input must be a dask array, got {type(input).__name__}: dask.array.from_array makes one")
    given = arguments_of(function, args, kwargs)
    if isinstance(given.get("output"), (np.ndarray, da.Array)):
        raise TypeError("output must be a dtype: dask arrays are not written; dask.array.store writes a result")
    depths, periodic = reaches(function, input.ndim, given), wrapped(function, input.ndim, given)
    task = partial(_on_chunk, function.__name__, args, kwargs)
    dtype = task(np.zeros((1,) * input.ndim, input.dtype)).dtype
    whole = {a: -1 for a, n in enumerate(input.shape) if depths[a] and (n < 2 * depths[a] or input.numblocks[a] == 1)}
    depth = {a: 0 if a in whole else d for a, d in enumerate(depths)}
    boundary = {a: "periodic" if p and a not in whole else "none" for a, p in enumerate(periodic)}
    result: da.Array = da.map_overlap(
        task, input.rechunk(whole), depth=depth, boundary=boundary, dtype=dtype, meta=np.empty((0,) * input.ndim, dtype)
    )
    return result
