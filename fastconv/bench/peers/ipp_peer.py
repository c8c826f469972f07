"""Intel IPP: its filters of grey images of uint8, float32 and float64."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import CDLL, Structure, byref, c_float, c_int, c_uint8, c_void_p
from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.bench.peers import ipp
from fastconv.bench.peers.base import Contender, Unsupported, unlimited
from fastconv.bench.peers.images import Image, image_of
from fastconv.bench.work import Work
from fastconv.core.problems.filter import FilterProblem

TYPES = {"uint8": (1, "8u"), "float32": (13, "32f"), "float64": (19, "64f")}  # its numbers and names of dtypes
BORDERS = {"nearest": 1, "mirror": 3, "reflect": 4, "constant": 6}
MASK_3X3 = 33
LINE = 64

limit = unlimited  # these functions use one thread


class _Size(Structure):
    _fields_ = (("width", c_int), ("height", c_int))


def contenders(work: Work) -> list[Contender]:
    if not isinstance(work.problem, FilterProblem):
        raise Unsupported("is measured with filters of images only")
    image = image_of(work)
    if image.x.dtype.name not in TYPES:
        raise Unsupported(f"filters of {image.x.dtype} are not built here")
    if work.name not in _FILTERS:
        raise Unsupported(f"{work.name} is not built for it here")
    if work.name != "correlate" and image.mode != "nearest":
        raise Unsupported("is measured with repeated edges (mode='nearest') here")
    return [Contender("ipp", _FILTERS[work.name](image), lambda y: (y.reshape(-1).astype(image.out),))]


def _room(size: c_int) -> np.ndarray:
    """Memory of that size that begins with a cache line."""
    whole = np.zeros(size.value + LINE, np.uint8)
    return whole[-whole.ctypes.data % LINE :]


def _at(a: np.ndarray) -> c_void_p:
    return c_void_p(a.ctypes.data)


def _roi(image: Image) -> _Size:
    return _Size(image.x.shape[1], image.x.shape[0])


def _function(library: CDLL, name: str) -> Callable[..., int]:
    found: Callable[..., int] | None = getattr(library, name, None)
    if found is None:
        raise Unsupported(f"has no {name}")
    return found


def _call(function: Callable[..., int], *args: Any) -> None:
    status = function(*args)
    if status != 0:
        raise Unsupported(f"answers {status}")


def _run(function: Callable[..., int], image: Image, out: Any, *args: Any) -> Callable[[], np.ndarray]:
    """A call that writes a new image, as those of other libraries do; `args` follow the size of the image."""
    x, roi = image.x, _roi(image)

    def run() -> np.ndarray:
        y = np.empty(x.shape, out)
        _call(function, _at(x), x.strides[0], _at(y), y.strides[0], roi, *(_at(a) if isinstance(a, np.ndarray) else a
                                                                        for a in args))  # fmt: skip
        return y

    return run


def _zero(image: Image) -> Any:
    return c_uint8(0) if image.x.dtype == np.uint8 else c_float(0)


def _window(kind: str) -> Callable[[Image], Callable[[], np.ndarray]]:
    """A median, maximum or minimum."""

    def made(image: Image) -> Callable[[], np.ndarray]:
        code, suffix = TYPES[image.x.dtype.name]
        size, bytes_ = _Size(image.size, image.size), c_int()
        function = _function(ipp.images, f"ippiFilter{kind}Border_{suffix}_C1R")
        _call(
            _function(ipp.images, f"ippiFilter{kind}BorderGetBufferSize"), _roi(image), size, code, 1, byref(bytes_)
        )  # fmt: skip
        return _run(function, image, image.x.dtype, size, BORDERS["nearest"], _zero(image), _room(bytes_))

    return made


def _box(image: Image) -> Callable[[], np.ndarray]:
    code, suffix = TYPES[image.x.dtype.name]
    size, bytes_ = _Size(image.size, image.size), c_int()
    function = _function(ipp.images, f"ippiFilterBoxBorder_{suffix}_C1R")
    _call(ipp.images.ippiFilterBoxBorderGetBufferSize, _roi(image), size, code, 1, byref(bytes_))
    return _run(
        function, image, image.x.dtype, size, BORDERS["nearest"], np.zeros(1, image.x.dtype), _room(bytes_)
    )  # fmt: skip


def _correlation(image: Image) -> Callable[[], np.ndarray]:
    code, suffix = TYPES[image.x.dtype.name]
    if image.x.dtype.kind != "f":
        raise Unsupported("filters floats by floats")
    if image.mode not in BORDERS or image.mode == "reflect":
        raise Unsupported(f"filters have no edges {image.mode!r}")
    assert image.weights is not None
    weights = image.weights
    size, spec_bytes, bytes_ = _Size(*reversed(weights.shape)), c_int(), c_int()
    function = _function(ipp.images, f"ippiFilterBorder_{suffix}_C1R")
    _call(
        ipp.images.ippiFilterBorderGetSize, size, _roi(image), code, code, 1, byref(spec_bytes), byref(bytes_)
    )  # fmt: skip
    spec = _room(spec_bytes)
    _call(_function(ipp.images, f"ippiFilterBorderInit_{suffix}"), _at(weights), size, code, 1, 1, _at(spec))
    return _run(
        function, image, image.x.dtype, BORDERS[image.mode], np.zeros(1, image.x.dtype), spec, _room(bytes_)
    )  # fmt: skip


def _gaussian(image: Image) -> Callable[[], np.ndarray]:
    code, suffix = TYPES[image.x.dtype.name]
    spec_bytes, bytes_ = c_int(), c_int()
    function = _function(ipp.vision, f"ippiFilterGaussianBorder_{suffix}_C1R")
    _call(
        ipp.vision.ippiFilterGaussianGetBufferSize, _roi(image), image.size, code, 1, byref(spec_bytes), byref(bytes_)
    )  # fmt: skip
    spec, room = _room(spec_bytes), _room(bytes_)
    _call(
        ipp.vision.ippiFilterGaussianInit, _roi(image), image.size, c_float(image.sigma), BORDERS["nearest"], code, 1,
        _at(spec), _at(room),
    )  # fmt: skip
    return _run(function, image, image.x.dtype, _zero(image), spec, room)


def _sobel(image: Image) -> Callable[[], np.ndarray]:
    names = {("uint8", "int16"): "8u16s", ("float32", "float32"): "32f"}
    suffix = names.get((image.x.dtype.name, image.out.name))
    if suffix is None:
        raise Unsupported(f"has no differences of {image.x.dtype} into {image.out}")
    # Differences along rows are its vertical mask, with the sign that `Neg` turns.
    name = "SobelNegVert" if image.axis == 1 else "SobelHoriz"
    kinds, bytes_ = {"8u16s": (1, 7), "32f": (13, 13)}[suffix], c_int()
    _call(
        _function(ipp.images, f"ippiFilter{name}BorderGetBufferSize"), _roi(image), MASK_3X3, *kinds, 1, byref(bytes_)
    )  # fmt: skip
    function = _function(ipp.images, f"ippiFilter{name}Border_{suffix}_C1R")
    return _run(function, image, image.out, MASK_3X3, BORDERS["nearest"], _zero(image), _room(bytes_))


def _opening(image: Image) -> Callable[[], np.ndarray]:
    first = _window("Min")(image)
    middle = replace(image, x=first())
    second = _window("Max")(middle)

    def run() -> np.ndarray:
        middle.x[...] = first()
        return second()

    return run


_FILTERS: dict[str, Callable[[Image], Callable[[], np.ndarray]]] = {
    "correlate": _correlation,
    "gaussian_filter": _gaussian,
    "grey_opening": _opening,
    "maximum_filter": _window("Max"),
    "median_filter": _window("Median"),
    "minimum_filter": _window("Min"),
    "sobel": _sobel,
    "uniform_filter": _box,
}
