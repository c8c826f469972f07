"""dask-image's own functions on fastconv: its dispatchers choose a function for chunks by their type."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv import ndimage
from fastconv.core.errors import missing_extra

PREFIX = "dispatch_"
MODULES = ("ndfilters", "ndmorph")


def register() -> tuple[str, ...]:
    """Have dask-image compute its filters of NumPy chunks with fastconv.ndimage, from now on.

    Halos and modes between chunks remain dask-image's own.

    Returns
    -------
    tuple of str
        Names of these filters.

    Raises
    ------
    MissingExtraError
        If dask-image is not installed.

    Examples
    --------
    >>> from fastconv.interop.dask import register
    >>> "gaussian_filter" in register()  # doctest: +SKIP
    True
    """
    try:
        modules = [importlib.import_module(f"dask_image.dispatch._dispatch_{name}") for name in MODULES]
    except ModuleNotFoundError as e:
        raise missing_extra("dask-image", "dask", "register") from e
    found = []
    for name in ndimage.__all__:
        for module in modules:
            dispatcher = getattr(module, PREFIX + name, None)
            if dispatcher is not None:
                dispatcher.register(np.ndarray, _always(getattr(ndimage, name)))
                found.append(name)
    return tuple(found)


def _always(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: function
