"""The dask door: filters of fastconv.ndimage on chunked arrays, also larger than memory, on any of dask's schedulers.

>>> import dask.array as da
>>> import fastconv.ndimage as ndi
>>> from fastconv.interop.dask import apply
>>> image = da.ones((4000, 4000), chunks=1000)
>>> apply(ndi.gaussian_filter, image, 2, mode="wrap")[:3, :3].compute().round(6)
array([[1., 1., 1.],
       [1., 1., 1.],
       [1., 1., 1.]])

Needs the extra ``fastconv[dask]``.
"""

from fastconv.core.errors import missing_extra

try:
    import dask.array as _array  # noqa: F401
except ModuleNotFoundError as e:
    raise missing_extra("dask", "dask", "fastconv.interop.dask") from e

from fastconv.interop.dask.chunks import apply
from fastconv.interop.dask.dispatchers import register

__all__ = ["apply", "register"]
