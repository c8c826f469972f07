"""The lecture's named image filters: sharpen, blur, edge enhance, edge detect, Sobel, emboss.

Each is a 3x3 kernel that slides over the image (cross-correlation, as in `fastconv.conv2d`), over every colour channel
separately.  Arithmetic is float32, or float64 for float64 images.  Results for uint8 images are uint8, rounded to the
nearest value (ties to even) and clipped to 0..255.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array
from fastconv.core.errors import DTypeError, ShapeError
from fastconv.ops.conv import conv2d
from fastconv.typing import ArrayLike, PaddingMode


def _kernel(*rows: tuple[int, int, int]) -> np.ndarray:
    """A constant kernel, read-only because all callers use the same array."""
    kernel = np.array(rows, np.float32)
    kernel.flags.writeable = False
    return kernel


SHARPEN = _kernel((0, -1, 0), (-1, 5, -1), (0, -1, 0))
BLUR = _kernel((1, 1, 1), (1, 1, 1), (1, 1, 1))  # sums to 9; `blur` divides by that
EDGE_ENHANCE = _kernel((0, 0, 0), (-1, 1, 0), (0, 0, 0))
EDGE_DETECT = _kernel((0, 1, 0), (1, -4, 1), (0, 1, 0))
SOBEL_X = _kernel((1, 0, -1), (2, 0, -2), (1, 0, -1))
SOBEL_Y = _kernel((1, 2, 1), (0, 0, 0), (-1, -2, -1))
EMBOSS = _kernel((-2, -1, 0), (-1, 1, 1), (0, 1, 2))

KERNELS = {
    "sharpen": SHARPEN,
    "blur": BLUR,
    "edge_enhance": EDGE_ENHANCE,
    "edge_detect": EDGE_DETECT,
    "sobel_x": SOBEL_X,
    "sobel_y": SOBEL_Y,
    "emboss": EMBOSS,
}


def _as_image(image: Any) -> np.ndarray:
    a = as_array(image, "image")
    if a.ndim not in (2, 3):
        raise ShapeError(f"image must have shape (H, W) or (H, W, C), got {a.shape}")
    if 0 in a.shape:
        raise ShapeError(f"image has shape {a.shape}: every axis must have at least one element")
    if a.dtype != np.uint8 and a.dtype not in (np.float32, np.float64):
        raise DTypeError(f"image has dtype {a.dtype}; filters take uint8, float32 and float64")
    return a


def _correlate(a: np.ndarray, kernel: np.ndarray, padding_mode: PaddingMode) -> np.ndarray:
    """`kernel` over each channel of an image, in float, same shape."""
    dtype = np.float64 if a.dtype == np.float64 else np.float32
    planes = a[None] if a.ndim == 2 else np.moveaxis(a, 2, 0)
    x = np.ascontiguousarray(planes, dtype)
    c = x.shape[0]
    weight = np.broadcast_to(kernel.astype(dtype), (c, 1, *kernel.shape))
    pads = [((k - 1) // 2, k // 2) for k in kernel.shape]
    y = conv2d(x, weight, padding=pads, groups=c, padding_mode=padding_mode)
    return y[0] if a.ndim == 2 else np.ascontiguousarray(np.moveaxis(y, 0, 2))


def _as_dtype(y: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype == np.uint8:
        return np.clip(np.rint(y), 0, 255).astype(np.uint8)
    return y


def apply(image: ArrayLike, kernel: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Slide a kernel over an image, channel by channel.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C), uint8, float32 or float64
    kernel : array_like, shape (kh, kw)
        Not flipped.  Its middle element is aligned with the pixel; of an even extent, the one before the middle.
    padding_mode : {"replicate", "zeros", "reflect", "circular", "symmetric"}
        Values outside the image, by torch's names.

    Returns
    -------
    ndarray
        Shape and dtype of `image`; uint8 is rounded (ties to even) and clipped.

    Raises
    ------
    ShapeError, DTypeError, ValueError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.apply(np.array([[1, 2, 3], [4, 5, 6]], np.uint8), [[0, 2, 0]])
    array([[ 2,  4,  6],
           [ 8, 10, 12]], dtype=uint8)
    """
    a = _as_image(image)
    k = as_array(kernel, "kernel")
    if k.ndim != 2 or 0 in k.shape:
        raise ShapeError(f"kernel must have shape (kh, kw), each at least 1, got {k.shape}")
    if k.dtype.kind not in "fiu":
        raise DTypeError(f"kernel has dtype {k.dtype}; it must hold real numbers")
    return _as_dtype(_correlate(a, k, padding_mode), a.dtype)


def sharpen(image: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Five times the pixel minus its four neighbours: contrast at edges grows, flat areas stay.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.sharpen(np.array([[10, 10, 20, 20]], np.uint8))
    array([[10,  0, 30, 20]], dtype=uint8)
    """
    return apply(image, SHARPEN, padding_mode)


@np.errstate(all="ignore")
def blur(image: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Mean of the 3x3 neighbourhood: `BLUR` divided by its sum.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.blur(np.array([[0, 0, 90, 0, 0]], np.uint8))
    array([[ 0, 30, 30, 30,  0]], dtype=uint8)
    """
    a = _as_image(image)
    # Sums of 8-bit pixels are exact in float32, so the division is the only rounding.
    return _as_dtype(_correlate(a, BLUR, padding_mode) / BLUR.sum(), a.dtype)


def edge_enhance(image: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Pixel minus its left neighbour: bright where the image grows brighter to the right.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.edge_enhance(np.array([[1.0, 1.0, 4.0, 2.0]]))
    array([[ 0.,  0.,  3., -2.]])
    """
    return apply(image, EDGE_ENHANCE, padding_mode)


def edge_detect(image: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Sum of the four neighbours minus four times the pixel (the Laplacian): zero in flat areas.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.edge_detect(np.array([[1.0, 1.0, 4.0, 4.0]]))
    array([[ 0.,  3., -3.,  0.]])
    """
    return apply(image, EDGE_DETECT, padding_mode)


def sobel_x(image: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Smoothed horizontal difference, left minus right, as on the lecture's slide.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.sobel_x(np.array([[1.0, 1.0, 3.0, 3.0]]))
    array([[ 0., -8., -8.,  0.]])
    """
    return apply(image, SOBEL_X, padding_mode)


def sobel_y(image: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Smoothed vertical difference, upper minus lower: `sobel_x` transposed.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.sobel_y(np.array([[1.0], [1.0], [3.0]])).ravel()
    array([ 0., -8., -8.])
    """
    return apply(image, SOBEL_Y, padding_mode)


@np.errstate(all="ignore")
def sobel(image: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Gradient magnitude: the root of the sum of squares of `sobel_x` and `sobel_y`.

    Parameters, result and errors are as in `apply`; uint8 is rounded once, at the end.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.sobel(np.array([[1.0, 1.0, 3.0, 3.0]]))
    array([[0., 8., 8., 0.]])
    """
    a = _as_image(image)
    return _as_dtype(np.hypot(_correlate(a, SOBEL_X, padding_mode), _correlate(a, SOBEL_Y, padding_mode)), a.dtype)


def emboss(image: ArrayLike, padding_mode: PaddingMode = "replicate") -> np.ndarray:
    """Relief lit from one corner: flat areas keep their value, diagonal edges stand out.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.emboss(np.array([[1.0, 1.0, 2.0, 2.0]]))
    array([[1., 4., 5., 2.]])
    """
    return apply(image, EMBOSS, padding_mode)


FILTERS = {
    "sharpen": sharpen,
    "blur": blur,
    "edge_enhance": edge_enhance,
    "edge_detect": edge_detect,
    "sobel_x": sobel_x,
    "sobel_y": sobel_y,
    "sobel": sobel,
    "emboss": emboss,
}
