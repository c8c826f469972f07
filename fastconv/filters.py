"""The lecture's named image filters: sharpen, blur, edge enhance, edge detect, Sobel, emboss.

Each is a 3x3 kernel that slides over the image (cross-correlation, as in `fastconv.conv2d`), over every colour channel
by itself, on the kernels of `fastconv.ndimage`.

*Range of values.*  Images are bool, integers, float16, float32 or float64, and a result has the dtype of its image
unless `dtype` or `out` says otherwise.  Integers are rounded to the nearest value (ties to even) and clipped to the
range of their dtype, once, at the end; bool counts as 0 and 1.  Floats are neither scaled nor clipped.  So the negative
half of an edge filter is lost in an image of uint8: ``absolute=True`` shows both halves bright on black, ``offset=128``
both around grey (as GIMP does where a kernel sums to zero), and ``dtype=np.int16`` keeps the signs.

*Arithmetic* is that of float32 for images of 8 bits, float16 and float32, and for 16-bit integers where that is exact;
all else is computed in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from fastconv.core.arrays import as_array, dtype_called, limits_of
from fastconv.core.errors import DTypeError, ShapeError, shown
from fastconv.ndimage import correlate
from fastconv.ndimage.arguments import not_planned
from fastconv.ndimage.calls import BAND
from fastconv.typing import ArrayLike, BoundaryMode

Border: TypeAlias = Literal[
    "replicate", "nearest", "reflect", "mirror", "symmetric", "circular", "wrap", "zeros", "constant"
]
ImageLayout: TypeAlias = Literal["HWC", "CHW"]

# By torch's names, and by those of scipy.ndimage that mean the same in both.
BORDERS: dict[str, BoundaryMode] = {
    "replicate": "nearest", "nearest": "nearest", "reflect": "mirror", "mirror": "mirror", "symmetric": "reflect",
    "circular": "wrap", "wrap": "wrap", "zeros": "constant", "constant": "constant",
}  # fmt: skip
LAYOUTS = ("HWC", "CHW")
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
EXACT = {SINGLE: 1 << 24, DOUBLE: 1 << 53}  # integers up to here have no gaps
SMALLEST = float(np.finfo(np.float64).eps)  # weights up to here do not count in `ndimage.correlate`


def _kernel(*rows: tuple[int, int, int]) -> np.ndarray:
    """A constant kernel, read-only because all callers use the same array."""
    kernel = np.array(rows, np.float32)
    kernel.flags.writeable = False
    return kernel


SHARPEN = _kernel((0, -1, 0), (-1, 5, -1), (0, -1, 0))
BLUR = _kernel((1, 1, 1), (1, 1, 1), (1, 1, 1))  # sums to 9, by which `blur` divides
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


class _Range(NamedTuple):
    """What becomes of sums: ``abs(sum / divisor) + offset``, or without `abs`."""

    divisor: float
    offset: float
    absolute: bool

    @property
    def is_plain(self) -> bool:
        return self == (1, 0, False)

    def store(self, sums: np.ndarray, out: np.ndarray, are_whole: bool, are_finite: bool) -> None:
        """Put the results in `out`; `sums` are lost.  Of these it may be known that they are integers, or finite."""
        if self.divisor != 1:
            np.divide(sums, self.divisor, sums)
        if self.absolute:
            np.abs(sums, sums)
        if self.offset:
            np.add(sums, self.offset, sums)
        if out.dtype.kind == "f":
            np.copyto(out, sums, casting="unsafe")
            return
        if not are_whole or self.divisor != 1 or not self.offset.is_integer():
            np.rint(sums, sums)
        if not are_finite:
            sums[np.isnan(sums)] = limits_of(out.dtype)[0]
        _store_integers(sums, out)


def _store_integers(whole: np.ndarray, out: np.ndarray) -> None:
    """Whole numbers of a float dtype, clipped to the range of `out`."""
    low, high = limits_of(out.dtype)
    top, beyond = whole.dtype.type(high), None
    if int(top) > high:  # rounded up: it would wrap
        beyond = whole >= top
        top = np.nextafter(top, whole.dtype.type(0))
    np.clip(whole, low, top, out=whole)
    np.copyto(out, whole, casting="unsafe")
    if beyond is not None:
        out[beyond] = high


def _as_image(image: Any, layout: Any) -> np.ndarray:
    a = as_array(image, "image")
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(map(repr, LAYOUTS))}, got {shown(layout)}")
    if a.ndim not in (2, 3):
        raise ShapeError(f"image must have shape (H, W) or ({', '.join(layout)}), got {a.shape}")
    if 0 in a.shape:
        raise ShapeError(f"image has shape {a.shape}: every axis must have at least one element")
    _check_dtype(a.dtype, "image")
    return a


def _check_dtype(dtype: np.dtype, name: str) -> None:
    if dtype.kind not in "biu" and dtype not in (np.float16, np.float32, np.float64):
        raise DTypeError(f"{name} has dtype {dtype}; filters take bool, integers, float16, float32 and float64")


def _result(a: np.ndarray, dtype: Any, out: Any) -> np.ndarray:
    """Where the result goes: `out`, or a new array."""
    if dtype is not None:
        dtype = dtype_called(dtype, "dtype")
        _check_dtype(dtype, "the result")
    if out is None:
        return np.empty(a.shape, a.dtype if dtype is None else dtype)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array, got {type(out).__name__}")
    if out.shape != a.shape:
        raise ShapeError(f"out has shape {out.shape}; the result has {a.shape}")
    if dtype is not None and out.dtype != dtype:
        raise DTypeError(f"out has dtype {out.dtype}; the result has {dtype}")
    _check_dtype(out.dtype, "out")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
    return out


class _Weights(NamedTuple):
    """Kernels, of which only the root of the sum of squares is wanted if they are several.

    Attributes
    ----------
    kernels : tuple of ndarray
    total : float
        The largest sum of the absolute values of one, or infinity.
    are_whole : bool
        Whether all weights are integers.
    """

    kernels: tuple[np.ndarray, ...]
    total: float
    are_whole: bool

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, *kernels: np.ndarray) -> _Weights:
        total = max(float(np.abs(k).sum(dtype=np.float64)) for k in kernels)
        total = total if total < np.inf else np.inf
        return cls(kernels, total, all(bool((k == np.rint(k)).all()) for k in kernels))

    def arithmetic(self, dtype: np.dtype, out: np.dtype) -> tuple[np.dtype, bool]:
        """The dtype of sums of an image, and whether they, or the sums of squares of several, are exact integers."""
        narrow = DOUBLE if DOUBLE in (dtype, out) else SINGLE
        if dtype.kind == "f":
            return narrow, False
        if not self.are_whole:
            return narrow if dtype.itemsize == 1 else DOUBLE, False
        largest = max(map(abs, limits_of(dtype))) * self.total
        if len(self.kernels) > 1:
            largest *= largest * len(self.kernels)
        sums = narrow if largest <= EXACT[narrow] else DOUBLE
        return sums, largest <= EXACT[sums]


def _bands(a: np.ndarray, reach: int, border: BoundaryMode) -> Iterator[tuple[slice, np.ndarray, int]]:
    """Parts of an image's rows: which ones, these with neighbors, and the number of those before."""
    height = a.shape[0]
    rows = max(BAND * height // a.size, reach, 1)
    for low in range(0, height, rows):
        high = min(low + rows, height)
        first, last = low - reach, high + reach
        if rows >= height:
            yield slice(0, height), a, 0
        elif border == "wrap":
            yield slice(low, high), a.take(range(first, last), 0, mode="wrap"), reach
        else:
            first = max(first, 0)
            yield slice(low, high), a[first:last], low - first


def _correlated(a: np.ndarray, kernel: np.ndarray, border: BoundaryMode, output: Any = None) -> np.ndarray:
    origin = [-(k % 2 == 0) for k in kernel.shape]  # of an even extent, the one before the middle
    return correlate(a, kernel, output, border, origin=origin, axes=(0, 1))


def _filter_rows(
    a: np.ndarray, weights: _Weights, border: BoundaryMode, scale: _Range, out: np.ndarray
) -> None:  # fmt: skip
    """Of an image (H, W) or (H, W, C)."""
    dtype, is_exact = weights.arithmetic(a.dtype, out.dtype)
    kernels, are_finite = weights.kernels, a.dtype.kind != "f" and weights.total < np.inf
    if scale.is_plain and len(kernels) == 1 and a.dtype == out.dtype == dtype:
        _correlated(a, kernels[0], border, out)
        return
    for rows, part, before in _bands(a, kernels[0].shape[0], border):
        x = part.astype(dtype, copy=False)
        sums, *others = (_correlated(x, k, border)[before : before + rows.stop - rows.start] for k in kernels)
        for other in others:
            if is_exact:
                np.sqrt(np.add(np.square(sums, sums), np.square(other, other), sums), sums)
            else:
                np.hypot(sums, other, sums)
        scale.store(sums, out[rows], is_exact and not others, are_finite)


@np.errstate(all="ignore")
def _filter(
    image: Any, weights: _Weights, padding_mode: Any, divisor: Any, offset: Any, absolute: Any, layout: Any,
    dtype: Any, out: Any,
) -> np.ndarray:  # fmt: skip
    not_planned()
    a = _as_image(image, layout)
    if padding_mode not in BORDERS:
        raise ValueError(f"padding_mode must be one of {', '.join(map(repr, BORDERS))}, got {shown(padding_mode)}")
    scale = _Range(float(divisor), float(offset), bool(absolute))
    if not scale.divisor:
        raise ValueError("divisor must not be 0")
    result = _result(a, dtype, out)
    if out is not None and np.may_share_memory(a, result):
        a = a.copy()
    by_channel = a.ndim == 3 and layout == "CHW"
    for part, stored in zip(a, result, strict=True) if by_channel else ((a, result),):
        _filter_rows(part, weights, BORDERS[padding_mode], scale, stored)
    return result


_NAMED = {name: _Weights.of(kernel) for name, kernel in KERNELS.items()}
_NAMED["sobel"] = _Weights.of(SOBEL_X, SOBEL_Y)


def _counting(kernel: np.ndarray, divisor: float) -> tuple[np.ndarray, float]:
    """A kernel whose weights are large enough to count, and what sums are then divided by."""
    sizes = np.abs(kernel)
    if not ((sizes > 0) & (sizes <= SMALLEST)).any() or not np.isfinite(sizes.max()):
        return kernel, divisor
    scale = 2.0 ** -np.frexp(sizes.max())[1]
    return kernel * scale, divisor * scale


def apply(
    image: ArrayLike, kernel: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 1, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Slide a kernel over an image, channel by channel.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C)
        bool, integers, float16, float32 or float64.
    kernel : array_like, shape (kh, kw)
        Not flipped.  Its middle element is aligned with the pixel; of an even extent, the one before the middle.  Zeros
        do not count: what lies under them may be NaN.
    padding_mode : {"replicate", "zeros", "reflect", "circular", "symmetric"}
        Values outside the image, by torch's names, or SciPy's for the same: "nearest", "constant", "mirror" and "wrap".
        Only "reflect" means another thing there, which is "symmetric" here.
    divisor : float
        Sums are divided by it.
    offset : float
        Is then added.
    absolute : bool
        Whether to take the absolute value, before `offset` is added.
    layout : {"HWC", "CHW"}
        The order of the axes of colour images.
    dtype : dtype, optional
        That of the result, by default that of `image`.  Integers are rounded (ties to even) and clipped to its range.
    out : ndarray, optional
        Where the result is written; its dtype is then that of the result.  It may be `image`.

    Returns
    -------
    ndarray
        Of the shape of `image`.

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
    >>> filters.apply(np.array([[1, 2, 4]], np.uint8), [[-1, 1, 0]], offset=128)
    array([[128, 129, 130]], dtype=uint8)
    """
    k = as_array(kernel, "kernel")
    if k.ndim != 2 or 0 in k.shape:
        raise ShapeError(f"kernel must have shape (kh, kw), each at least 1, got {k.shape}")
    if k.dtype.kind not in "fiu":
        raise DTypeError(f"kernel has dtype {k.dtype}; it must hold real numbers")
    k, divisor = _counting(k.astype(np.float64), divisor)
    return _filter(image, _Weights.of(k), padding_mode, divisor, offset, absolute, layout, dtype, out)


def sharpen(
    image: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 1, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Five times the pixel minus its four neighbours: contrast at edges grows, flat areas stay.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.sharpen(np.array([[10, 10, 20, 20]], np.uint8))
    array([[10,  0, 30, 20]], dtype=uint8)
    """
    return _filter(image, _NAMED["sharpen"], padding_mode, divisor, offset, absolute, layout, dtype, out)


def blur(
    image: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 9, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Mean of the 3x3 neighbourhood: `BLUR` divided by its sum.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.blur(np.array([[0, 0, 90, 0, 0]], np.uint8))
    array([[ 0, 30, 30, 30,  0]], dtype=uint8)
    """
    return _filter(image, _NAMED["blur"], padding_mode, divisor, offset, absolute, layout, dtype, out)


def edge_enhance(
    image: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 1, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Pixel minus its left neighbour: bright where the image grows brighter to the right.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.edge_enhance(np.array([[1.0, 1.0, 4.0, 2.0]]))
    array([[ 0.,  0.,  3., -2.]])
    """
    return _filter(image, _NAMED["edge_enhance"], padding_mode, divisor, offset, absolute, layout, dtype, out)


def edge_detect(
    image: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 1, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Sum of the four neighbours minus four times the pixel (the Laplacian): zero in flat areas.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.edge_detect(np.array([[1.0, 1.0, 4.0, 4.0]]))
    array([[ 0.,  3., -3.,  0.]])
    """
    return _filter(image, _NAMED["edge_detect"], padding_mode, divisor, offset, absolute, layout, dtype, out)


def sobel_x(
    image: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 1, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Smoothed horizontal difference, left minus right, as on the lecture's slide.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.sobel_x(np.array([[1.0, 1.0, 3.0, 3.0]]))
    array([[ 0., -8., -8.,  0.]])
    """
    return _filter(image, _NAMED["sobel_x"], padding_mode, divisor, offset, absolute, layout, dtype, out)


def sobel_y(
    image: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 1, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Smoothed vertical difference, upper minus lower: `sobel_x` transposed.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.sobel_y(np.array([[1.0], [1.0], [3.0]])).ravel()
    array([ 0., -8., -8.])
    """
    return _filter(image, _NAMED["sobel_y"], padding_mode, divisor, offset, absolute, layout, dtype, out)


def sobel(
    image: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 1, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Gradient magnitude: the root of the sum of squares of `sobel_x` and `sobel_y`.

    Parameters, result and errors are as in `apply`; uint8 is rounded once, at the end.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.sobel(np.array([[1.0, 1.0, 3.0, 3.0]]))
    array([[0., 8., 8., 0.]])
    """
    return _filter(image, _NAMED["sobel"], padding_mode, divisor, offset, absolute, layout, dtype, out)


def emboss(
    image: ArrayLike, padding_mode: Border = "replicate", *, divisor: float = 1, offset: float = 0,
    absolute: bool = False, layout: ImageLayout = "HWC", dtype: DTypeLike | None = None, out: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Relief lit from one corner: flat areas keep their value, diagonal edges stand out.

    Parameters, result and errors are as in `apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv import filters
    >>> filters.emboss(np.array([[1.0, 1.0, 2.0, 2.0]]))
    array([[1., 4., 5., 2.]])
    """
    return _filter(image, _NAMED["emboss"], padding_mode, divisor, offset, absolute, layout, dtype, out)


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
