"""Suites: the distinct layers of real networks, and other everyday work, as data.

Each case is an operation, the shapes of its arrays, and the other arguments; `count` says how often the layer
occurs in its network.  Batch 1, float32, as in inference, unless a case says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """One problem of a suite.

    Attributes
    ----------
    name : str
        Readable and unique in its suite.
    operation : str
        Name of a public function of fastconv.
    shapes : tuple of tuple of int
        Of the leading array arguments, the input first.
    args : tuple
        Positional arguments after the arrays.
    kwargs : dict
    count : int
        How often it occurs.
    dtype : str
    gradient : str, optional
        Name of the argument whose gradient is computed, in place of the operation.
    indices : tuple of int
        Which of the arrays hold indices, as those of classes, in int64.
    data : str
        What fills the first array, as in `fastconv.compare`.
    """

    name: str
    operation: str
    shapes: tuple[tuple[int, ...], ...]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    count: int = 1
    dtype: str = "float32"
    gradient: str | None = None
    indices: tuple[int, ...] = ()
    data: str = "normal"


@dataclass(frozen=True, slots=True)
class Suite:
    """A named list of cases."""

    name: str
    about: str
    cases: tuple[Case, ...]


def _conv(
    c: int,
    size: int | tuple[int, int],
    k: int,
    kernel: int | tuple[int, int] = 1,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    groups: int = 1,
    count: int = 1,
    n: int = 1,
    dilation: int = 1,
) -> Case:
    """An image of `size` (one number: square), `c` -> `k` channels."""
    kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
    ih, iw = (size, size) if isinstance(size, int) else size
    given = {"stride": (stride, 1), "padding": (padding, 0), "dilation": (dilation, 1), "groups": (groups, 1)}
    name = f"{f'{n}x' if n > 1 else ''}{c},{ih},{iw}->{k} {kh}x{kw}"
    step = f"{stride}" if isinstance(stride, int) else "x".join(map(str, stride))
    name += f" s{step}" * (stride != 1)
    name += f" p{padding if isinstance(padding, int) else 'same'}" * (padding != 0) + f" d{dilation}" * (dilation != 1)
    if groups == c == k:
        name = f"depthwise {name}"
    elif groups > 1:
        name += f" g{groups}"
    kwargs = {key: value for key, (value, default) in given.items() if value != default}
    return Case(name, "conv2d", ((n, c, ih, iw), (k, c // groups, kh, kw)), (), kwargs, count)


def _deep(c: int, size: int | tuple[int, int], kernel: int, stride: int | tuple[int, int] = 1, count: int = 1) -> Case:
    """Depthwise with padding that keeps the size."""
    return _conv(c, size, c, kernel, stride, kernel // 2, c, count)


def _pool(kind: str, c: int, size: int, kernel: int, stride: int, padding: int = 0, count: int = 1) -> Case:
    name = f"{kind}_pool {c},{size},{size} {kernel}x{kernel} s{stride}" + f" p{padding}" * (padding != 0)
    kwargs = {"stride": stride} | ({"padding": padding} if padding else {})
    return Case(name, f"{kind}_pool2d", ((1, c, size, size),), (kernel,), kwargs, count)


def _global(c: int, size: int) -> Case:
    return Case(f"global_avg_pool {c},{size},{size}", "global_avg_pool", ((1, c, size, size),))


def _linear(m: int, k: int, n: int, count: int = 1) -> Case:
    return Case(f"linear {m}x{k}->{n}", "linear", ((m, k), (n, k), (n,)), count=count)


def _stage(c_in: int, mid: int, out: int, size: int, blocks: int, groups: int = 1) -> tuple[Case, ...]:
    """One stage of ResNet with bottlenecks, at input `size`; the first halves it, except at 56."""
    stride = 1 if size == 56 and c_in == 64 else 2
    small = size // stride
    first = (
        _conv(c_in, size, mid),
        _conv(mid, size, mid, 3, stride, 1, groups, 1 if stride == 2 else blocks),
    )
    rest: tuple[Case, ...] = (_conv(out, small, mid, count=blocks - 1),)
    if stride == 2:
        rest += (_conv(mid, small, mid, 3, 1, 1, groups, blocks - 1),)
        return (*first, *rest, _conv(mid, small, out, count=blocks), _conv(c_in, size, out, 1, 2))
    if c_in == mid:  # the projection has the shape of the last layer of a block
        return (*first, *rest, _conv(mid, small, out, count=blocks + 1))
    return (*first, *rest, _conv(mid, small, out, count=blocks), _conv(c_in, size, out))


def _resnet(width: int, groups: int) -> tuple[Case, ...]:
    return (
        _conv(3, 224, 64, 7, 2, 3),
        _pool("max", 64, 112, 3, 2, 1),
        *_stage(64, width, 256, 56, 3, groups),
        *_stage(256, 2 * width, 512, 56, 4, groups),
        *_stage(512, 4 * width, 1024, 28, 6, groups),
        *_stage(1024, 8 * width, 2048, 14, 3, groups),
        _global(2048, 7),
        _linear(1, 2048, 1000),
    )


_VGG16 = (
    _conv(3, 224, 64, 3, 1, 1), _conv(64, 224, 64, 3, 1, 1), _pool("max", 64, 224, 2, 2),
    _conv(64, 112, 128, 3, 1, 1), _conv(128, 112, 128, 3, 1, 1), _pool("max", 128, 112, 2, 2),
    _conv(128, 56, 256, 3, 1, 1), _conv(256, 56, 256, 3, 1, 1, count=2), _pool("max", 256, 56, 2, 2),
    _conv(256, 28, 512, 3, 1, 1), _conv(512, 28, 512, 3, 1, 1, count=2), _pool("max", 512, 28, 2, 2),
    _conv(512, 14, 512, 3, 1, 1, count=3), _pool("max", 512, 14, 2, 2),
    _linear(1, 25088, 4096), _linear(1, 4096, 4096), _linear(1, 4096, 1000),
)  # fmt: skip

_MOBILENET_V2 = (
    _conv(3, 224, 32, 3, 2, 1), _deep(32, 112, 3), _conv(32, 112, 16),
    _conv(16, 112, 96), _deep(96, 112, 3, 2), _conv(96, 56, 24),
    _conv(24, 56, 144, count=2), _deep(144, 56, 3), _conv(144, 56, 24), _deep(144, 56, 3, 2), _conv(144, 28, 32),
    _conv(32, 28, 192, count=3), _deep(192, 28, 3, count=2), _conv(192, 28, 32, count=2), _deep(192, 28, 3, 2),
    _conv(192, 14, 64),
    _conv(64, 14, 384, count=4), _deep(384, 14, 3, count=4), _conv(384, 14, 64, count=3), _conv(384, 14, 96),
    _conv(96, 14, 576, count=3), _deep(576, 14, 3, count=2), _conv(576, 14, 96, count=2), _deep(576, 14, 3, 2),
    _conv(576, 7, 160),
    _conv(160, 7, 960, count=3), _deep(960, 7, 3, count=3), _conv(960, 7, 160, count=2), _conv(960, 7, 320),
    _conv(320, 7, 1280), _global(1280, 7), _linear(1, 1280, 1000),
)  # fmt: skip


def _row(c: int, k: int, length: int, size: int, count: int) -> tuple[Case, ...]:
    """1 x length and length x 1, each `count` times."""
    return (
        _conv(c, size, k, (1, length), 1, (0, length // 2), count=count),
        _conv(c, size, k, (length, 1), 1, (length // 2, 0), count=count),
    )


_INCEPTION_V3 = (
    _conv(3, 299, 32, 3, 2), _conv(32, 149, 32, 3), _conv(32, 147, 64, 3, 1, 1), _pool("max", 64, 147, 3, 2),
    _conv(64, 73, 80), _conv(80, 73, 192, 3), _pool("max", 192, 71, 3, 2),
    _conv(192, 35, 64, count=2), _conv(192, 35, 48), _conv(192, 35, 32),
    _conv(256, 35, 64, count=3), _conv(256, 35, 48),
    _conv(288, 35, 64, count=4), _conv(288, 35, 48), _conv(48, 35, 64, 5, 1, 2, count=3),
    _conv(64, 35, 96, 3, 1, 1, count=4), _conv(96, 35, 96, 3, 1, 1, count=3),
    _pool("avg", 192, 35, 3, 1, 1), _pool("avg", 256, 35, 3, 1, 1), _pool("avg", 288, 35, 3, 1, 1),
    _conv(288, 35, 384, 3, 2), _conv(96, 35, 96, 3, 2), _pool("max", 288, 35, 3, 2),
    _conv(768, 17, 192, count=12), _conv(768, 17, 128, count=2), _conv(768, 17, 160, count=4),
    *_row(128, 128, 7, 17, 2), *_row(128, 192, 7, 17, 1), *_row(160, 160, 7, 17, 4), *_row(160, 192, 7, 17, 2),
    *_row(192, 192, 7, 17, 4), _pool("avg", 768, 17, 3, 1, 1, 4),
    _conv(192, 17, 320, 3, 2), _conv(192, 17, 192, 3, 2), _pool("max", 768, 17, 3, 2),
    _conv(1280, 8, 320), _conv(1280, 8, 384), _conv(1280, 8, 448), _conv(1280, 8, 192), _pool("avg", 1280, 8, 3, 1, 1),
    _conv(2048, 8, 320), _conv(2048, 8, 384), _conv(2048, 8, 448), _conv(2048, 8, 192), _pool("avg", 2048, 8, 3, 1, 1),
    *_row(384, 384, 3, 8, 4), _conv(448, 8, 384, 3, 1, 1, count=2), _global(2048, 8), _linear(1, 2048, 1000),
)  # fmt: skip


def _convnext(c: int, size: int, blocks: int) -> tuple[Case, ...]:
    """Blocks of ConvNeXt: depthwise 7x7, then two full connections on every pixel."""
    return (
        _deep(c, size, 7, count=blocks),
        _linear(size * size, c, 4 * c, blocks),
        _linear(size * size, 4 * c, c, blocks),
    )


_CONVNEXT = (
    _conv(3, 224, 96, 4, 4), *_convnext(96, 56, 3), _conv(96, 56, 192, 2, 2), *_convnext(192, 28, 3),
    _conv(192, 28, 384, 2, 2), *_convnext(384, 14, 9), _conv(384, 14, 768, 2, 2), *_convnext(768, 7, 3),
    _global(768, 7), _linear(1, 768, 1000),
)  # fmt: skip

_LECTURE = (
    Case("7x7 image, 3x3 detector", "conv2d", ((1, 1, 7, 7), (1, 1, 3, 3))),
    Case("5x5x3 volume, two 3x3 filters", "conv2d", ((1, 3, 5, 5), (2, 3, 3, 3), (2,)), (),
         {"stride": 2, "padding": 1}),
    Case("5x5 map, 2x2 maximum", "max_pool2d", ((1, 1, 5, 5),), (2,), {"stride": 2, "ceil_mode": True}),
    Case("9 -> 2 full connection", "linear", ((1, 9), (2, 9), (2,))),
    _conv(1, 28, 32, 5, 1, 2, n=32),
    Case("32x 32,28,28 2x2 maximum", "max_pool2d", ((32, 32, 28, 28),), (2,)),
    Case("photograph 512x600, 3x3 filter", "conv2d", ((3, 1, 600, 512), (1, 1, 3, 3)), (),
         {"padding": 1, "padding_mode": "replicate"}),
)  # fmt: skip


def _filter(size: int, channels: int = 1, filters: int = 1, dtype: str = "float32") -> Case:
    """Filters of a full-HD image, edges repeated."""
    groups = channels if filters == channels else 1
    name = f"{channels},1080,1920->{filters} {size}x{size}" + " f64" * (dtype == "float64")
    kwargs: dict[str, Any] = {"padding": size // 2, "padding_mode": "replicate"}
    kwargs |= {"groups": groups} if groups > 1 else {}
    shapes = ((1, channels, 1080, 1920), (filters, channels // groups, size, size))
    return Case(name, "conv2d", shapes, (), kwargs, dtype=dtype)


def _nd(operation: str, dtype: str, shape: tuple[int, ...] = (1080, 1920), **kwargs: Any) -> Case:
    """A filter of `fastconv.ndimage` that repeats edges."""
    words = [operation, "x".join(map(str, shape)), *(f"{k}={v}" for k, v in kwargs.items()), dtype]
    return Case(" ".join(words), operation, (shape,), (), {"mode": "nearest", **kwargs}, dtype=dtype)


def _correlation(k: int, dtype: str, mode: str, shape: tuple[int, ...] = (1080, 1920), **kwargs: Any) -> Case:
    name = f"correlate {'x'.join(map(str, shape))} {k}x{k} {mode} {dtype}"
    return Case(name, "correlate", (shape, (k, k)), (), {"mode": mode, **kwargs}, dtype=dtype)


_SMALL = (64, 64)
_FILTERS = (
    *(_correlation(k, dtype, mode) for dtype in ("float32", "float64")
      for k, mode in ((3, "nearest"), (3, "constant"), (5, "mirror"), (5, "nearest"), (7, "constant"), (7, "nearest"),
                      (9, "mirror"), (9, "nearest"), (11, "constant"), (15, "mirror"), (15, "nearest"))),
    *(_nd("gaussian_filter", "float32", sigma=sigma) for sigma in (1.0, 2.0, 5.0)),
    *(_nd(f"{kind}_filter", "float32", size=k) for kind in ("uniform", "maximum") for k in (3, 9, 31)),
    _nd("sobel", "float32"), _nd("laplace", "float32"), _nd("gaussian_gradient_magnitude", "float32", sigma=2.0),
    _nd("gaussian_filter", "float32", sigma=1.0, shape=(96, 128, 160)),
    *(_nd("median_filter", dtype, size=k) for dtype in ("uint8", "float32") for k in (3, 5, 9, 15, 31)),
    *(_nd("percentile_filter", dtype, percentile=20, size=7) for dtype in ("uint8", "float32")),
    _nd("median_filter", "float32", size=7, shape=(1_000_000,)),
    _nd("gaussian_filter", "uint8", sigma=2.0), _nd("uniform_filter", "uint8", size=9),
    _nd("maximum_filter", "uint8", size=5), _nd("maximum_filter", "uint8", size=15),
    _correlation(5, "uint8", "nearest", output="int32"), _nd("sobel", "uint8", output="int16"),
    _nd("grey_opening", "uint8", size=5), _nd("grey_opening", "uint8", size=15),
    *(Case(f"binary_erosion 1080x1920 iterations={n} uint8", "binary_erosion", ((1080, 1920),), (), {"iterations": n},
           dtype="uint8") for n in (1, 5)),
    _correlation(3, "float32", "nearest", _SMALL), _correlation(9, "float64", "mirror", _SMALL),
    _nd("gaussian_filter", "float32", sigma=2.0, shape=_SMALL), _nd("uniform_filter", "uint8", size=5, shape=_SMALL),
    _nd("maximum_filter", "uint8", size=5, shape=_SMALL), _nd("sobel", "float32", shape=_SMALL),
    _nd("laplace", "float32", shape=_SMALL), _nd("median_filter", "uint8", size=3, shape=_SMALL),
    _nd("median_filter", "float32", size=5, shape=_SMALL), _nd("grey_opening", "uint8", size=5, shape=_SMALL),
)  # fmt: skip

_IMAGES = (
    *_FILTERS,
    _filter(3), _filter(5), _filter(7), _filter(11), _filter(5, 3, 3), _filter(5, 1, 8), _filter(3, dtype="float64"),
    Case("3,1080,1920 2x2 average", "avg_pool2d", ((1, 3, 1080, 1920),), (2,)),
)  # fmt: skip


def _fir(taps: int) -> Case:
    return Case(f"1e6 samples, {taps} taps", "conv1d", ((1, 1, 1_000_000), (1, 1, taps)), (), {"padding": taps // 2})


def _conv1d(name: str, c: int, length: int, k: int, taps: int, **kwargs: Any) -> Case:
    return Case(f"{name}: {c},{length}->{k} {taps} taps", "conv1d", ((1, c, length), (k, c, taps), (k,)), (), kwargs)


_AUDIO = (
    _fir(8), _fir(32), _fir(129),
    _conv1d("wav2vec2 first", 1, 16000, 512, 10, stride=5), _conv1d("wav2vec2 second", 512, 3199, 512, 3, stride=2),
    _conv1d("Whisper first", 80, 3000, 512, 3, padding=1),
    _conv1d("Whisper second", 512, 3000, 512, 3, padding=1, stride=2),
    _conv1d("TCN dilated", 64, 4000, 64, 3, padding=8, dilation=8),
    Case("HiFi-GAN upsampling: 512,128->256 16 taps s8", "conv_transpose1d",
         ((1, 512, 128), (512, 256, 16), (256,)), (),
         {"stride": 8, "padding": 4}),
    Case("envelope: 1,1000000 maximum of 64", "max_pool1d", ((1, 1, 1_000_000),), (64,)),
)  # fmt: skip


def _matmul(m: int, k: int, n: int, batch: int = 0, dtype: str = "float32") -> Case:
    lead = (batch,) if batch else ()
    name = f"{f'{batch}x ' if batch else ''}{m}x{k} @ {k}x{n}" + " f64" * (dtype == "float64")
    return Case(name, "matmul", ((*lead, m, k), (*lead, k, n)), dtype=dtype)


_GEMM = (
    *(_matmul(n, n, n) for n in (64, 128, 256, 512, 1024)),
    *(_matmul(n, n, n, dtype="float64") for n in (128, 512, 1024)),
    _matmul(1, 1000, 2048), _matmul(1, 1000, 2048, dtype="float64"), _matmul(1, 4096, 4096), _matmul(2048, 1000, 1),
    _matmul(8, 1024, 1024), _matmul(1024, 1024, 8), _matmul(1000, 8, 1000), _matmul(4096, 64, 64),
    _matmul(197, 64, 197, 12), _matmul(1, 64, 197, 12),
    _linear(1, 2048, 1000), _linear(8, 2048, 1000), _linear(197, 768, 3072), _linear(197, 3072, 768),
    Case("gemm 256x256, alpha, beta, b transposed", "gemm", ((256, 256), (256, 256), (256, 256)), (),
         {"alpha": 0.5, "beta": 2.0, "trans_b": True}),
)  # fmt: skip

_FEW_ROWS = (  # both operands in the call, and a large one that aliases in the cache or has columns left over
    *(_matmul(m, 1024, 4096) for m in (4, 16, 48, 100)), *(_matmul(m, 2048, 1000) for m in (12, 33)),
    *(_matmul(m, 777, 3000) for m in (2, 20, 77)), _matmul(16, 1024, 4096, dtype="float64"),
    _matmul(29, 777, 3000, dtype="float64"), _matmul(60, 1100, 1100, dtype="float64"),
    *(_linear(m, 1024, 1000) for m in (3, 11, 40, 128)),
    _matmul(100, 100, 100), _matmul(1000, 30, 20), _matmul(24, 24, 24, 50), _matmul(8, 8, 8),
)  # fmt: skip

_POOL = (
    _pool("max", 64, 112, 3, 2, 1), _pool("max", 64, 224, 2, 2), _pool("max", 480, 14, 3, 1, 1),
    _pool("max", 256, 20, 5, 1, 2),
    _pool("avg", 192, 35, 3, 1, 1), _pool("avg", 128, 56, 2, 2), _global(2048, 7),
    _pool("avg", 64, 224, 2, 2), _pool("avg", 512, 14, 2, 2), _pool("max", 512, 14, 2, 2),
    _pool("avg", 832, 7, 3, 1, 1), _pool("max", 832, 7, 3, 1, 1), _pool("max", 113, 31, 5, 3, 2),
    Case("max_pool with indices 64,112,112 2x2 s2", "max_pool2d", ((1, 64, 112, 112),), (2,),
         {"return_indices": True}),
    Case("lp_pool 64,56,56 norm 2 2x2 s2", "lp_pool2d", ((1, 64, 56, 56),), (2.0, 2)),
    Case("max_pool3d 16,16,56,56 2x2x2 s2", "max_pool3d", ((1, 16, 16, 56, 56),), (2,)),
    Case("avg_pool1d 100,1000 3 s3", "avg_pool1d", ((1, 100, 1000),), (3,)),
    Case("adaptive_avg_pool 256,13,13 to 6,6", "adaptive_avg_pool2d", ((1, 256, 13, 13),), (6,)),
    Case("adaptive_max_pool 64,56,56 to 1", "adaptive_max_pool2d", ((1, 64, 56, 56),), (1,)),
    Case("pad 64,56,56 reflect 1", "pad", ((1, 64, 56, 56),), ((1, 1, 1, 1), "reflect")),
)  # fmt: skip


_LAYERS = (
    _conv(64, 56, 64, 3, 1, 1), _conv(128, 28, 128, 3, 1, 1), _conv(256, 14, 256, 3, 1, 1), _conv(512, 7, 512, 3, 1, 1),
    _conv(128, 112, 128, 3, 1, 1), _conv(64, 224, 64, 3, 1, 1), _conv(64, 56, 64, 3, 1, 1, n=8),
    _conv(128, 56, 128, 3, 2, 1), _conv(3, 224, 64, 7, 2, 3), _conv(3, 224, 64, 3, 1, 1),
    _conv(64, 56, 64), _conv(64, 56, 256), _conv(1024, 14, 256), _conv(512, 7, 2048), _conv(96, 56, 24),
    _conv(32, 28, 96, 5, 1, 2), _conv(192, 17, 192, (1, 7), 1, (0, 3)), _conv(256, 33, 256, 3, 1, 2, dilation=2),
    _deep(32, 112, 3), _deep(144, 56, 3, 2), _deep(384, 14, 3), _deep(96, 56, 7),
    _conv(128, 56, 128, 3, 1, 1, 32), _conv(1, 28, 32, 5, 1, 2, n=32),
)  # fmt: skip

# Layers of text recognition, detection, audio, segmentation and classification networks unlike ResNet's.
_ODDS = (
    _conv(3, (48, 320), 16, 3, 2, 1), _deep(16, (24, 160), 3), _conv(16, (24, 160), 32), _deep(32, (24, 160), 3),
    _conv(32, (24, 160), 48), _deep(48, (24, 160), 3, (2, 1)), _deep(120, (12, 80), 5), _deep(240, (12, 80), 5, (2, 1)),
    _conv(240, (6, 80), 240), _conv(480, (3, 80), 480), _conv(480, (3, 80), 60, (1, 3), 1, (0, 1)),
    _conv(60, (1, 40), 120), _conv(64, (16, 100), 128, 3, 1, 1), _conv(256, (8, 25), 256, 3, 1, 1),
    _conv(512, (4, 26), 512, 3, 1, 1), _conv(512, (2, 27), 512, 2),
    _conv(3, 320, 16, 3, 2, 1), _conv(32, 160, 64, 3, 2, 1), _conv(64, 80, 64), _conv(32, 80, 32, 3, 1, 1),
    _conv(64, 40, 64, 3, 1, 1), _conv(128, 20, 128, 3, 1, 1), _conv(128, 40, 256, 3, 2, 1), _conv(256, 20, 80, 1),
    _conv(512, 20, 256), _conv(255, 13, 255), _conv(1024, 13, 255), _conv(256, 10, 256, 3, 2, 1),
    _conv(256, 5, 24, 3, 1, 1), _conv(128, 3, 256, 3), _conv(96, 10, 96), _conv(40, 20, 240), _deep(240, 20, 5),
    _deep(116, 20, 5, 2), _deep(72, 28, 5), _conv(72, 1, 24), _conv(24, 1, 72), _conv(960, 1, 1280),
    _conv(1, (128, 1000), 32, 3, 2, 1), _conv(1, (1, 16000), 64, (1, 256), (1, 128)), _conv(1, (40, 98), 64, (8, 20)),
    _conv(64, (20, 49), 64, (10, 4)), _conv(64, (25, 5), 64), _deep(64, (25, 5), 3), _conv(80, (1, 400), 256, (1, 5)),
    _conv(256, (1, 400), 256, (1, 3), 1, (0, 1)), _conv(512, (1, 200), 512),
    _conv(512, (1, 200), 512, (1, 15), 1, (0, 7), 512),
    _conv(3, 227, 96, 11, 4), _conv(96, 27, 256, 5, 1, 2, 2), _conv(256, 13, 384, 3, 1, 1),
    _conv(384, 13, 256, 3, 1, 1, 2), _conv(3, 224, 32, 3, 2, 1), _conv(16, 224, 16, 3, 1, 1),
    _conv(64, 33, 64, 3, 1, 6, dilation=6),
    _conv(320, 33, 256, 3, 1, 12, dilation=12), _conv(48, 55, 64, 3, 1, 1), _conv(112, 28, 112, 1, 1, 0, 4),
    _conv(232, 14, 232, 3, 1, 1, 29), _conv(3, 224, 768, 16, 16), _conv(64, 112, 3, 9, 1, 4),
)  # fmt: skip


# Layers of other networks, measured only after the kernels for those above were finished: face detection, EfficientNet,
# SqueezeNet, GoogLeNet, DenseNet, speech, super-resolution, pose.
_MORE = (
    _conv(3, (32, 280), 64, 3, 1, 1), _conv(64, (16, 140), 128, 3, 1, 1), _conv(128, (8, 70), 256, 3, 1, 1),
    _conv(256, (8, 70), 256, 3, 1, 1), _conv(512, (4, 71), 512, 3, 1, 1), _conv(512, (2, 71), 512, 2),
    _conv(3, 12, 10, 3), _conv(10, 5, 16, 3), _conv(16, 3, 32, 3), _conv(3, 24, 28, 3), _conv(28, 11, 48, 3),
    _conv(48, 4, 64, 2), _conv(32, 46, 64, 3), _conv(64, 21, 64, 3),
    _conv(8, 160, 16), _deep(8, 160, 3), _deep(16, 160, 3, 2), _deep(32, 80, 3), _conv(64, 40, 64), _deep(128, 20, 3),
    _conv(128, 20, 128), _deep(256, 10, 3), _conv(64, 40, 64, 3, 1, 1),
    _conv(3, 128, 24, 5, 2, 2), _deep(24, 64, 5), _deep(48, 32, 5, 2), _conv(48, 32, 96), _deep(96, 16, 5),
    _deep(480, 14, 5), _deep(672, 14, 5, 2), _conv(112, 14, 672), _conv(672, 7, 192), _deep(1152, 7, 5),
    _conv(192, 7, 1152), _conv(1152, 1, 48),
    _conv(64, 55, 16), _conv(16, 55, 64, 3, 1, 1), _conv(512, 13, 1000),
    _conv(480, 14, 192), _conv(96, 14, 208, 3, 1, 1), _conv(16, 14, 48, 5, 1, 2), _conv(112, 14, 224, 3, 1, 1),
    _conv(32, 14, 64, 5, 1, 2),
    _conv(128, 28, 32, 3, 1, 1), _conv(512, 14, 128), _conv(128, 7, 32, 3, 1, 1),
    _conv(16, 208, 32, 3, 1, 1), _conv(128, 26, 256, 3, 1, 1), _conv(512, 13, 1024, 3, 1, 1),
    _conv(384, 26, 256, 3, 1, 1), _conv(1, (64, 96), 32, 3, 2, 1), _deep(32, (48, 32), 3),
    _conv(1, (161, 200), 32, (41, 11), (2, 2), (20, 5)),
    _conv(257, (1, 300), 256, (1, 3), 1, (0, 1)), _conv(250, (1, 200), 250, (1, 7), 1, (0, 3)),
    _conv(80, (1, 600), 512, (1, 5), 1, (0, 2)),
    _conv(1, 200, 64, 9, 1, 4), _conv(64, 200, 32, 5, 1, 2), _conv(128, 46, 128, 7, 1, 3), _conv(185, 46, 128, 7, 1, 3),
    _conv(12, 160, 32, 3, 1, 1), _conv(256, 7, 256, 3, 2, 1), _conv(64, 17, 64, 3, 1, 2, dilation=2),
    _conv(24, 27, 24, 3, 1, 1), _conv(58, 28, 58), _deep(58, 28, 3), _deep(116, 14, 3),
)  # fmt: skip


def _channels_last(*layers: Case) -> tuple[Case, ...]:
    """The same layers on images with channels last."""

    def turned(case: Case) -> Case:
        n, c, *spatial = case.shapes[0]
        return replace(case, shapes=((n, *spatial, c), *case.shapes[1:]), kwargs={**case.kwargs, "layout": "NHWC"})

    return tuple(map(turned, layers))


# Beside the layers of other suites: remainders of channels and pixels, few channels, strides, 1-D and 3-D.
_NHWC = _channels_last(
    *_LAYERS,
    _conv(363, 40, 363, 1, 3, groups=363), _conv(281, 20, 7, 3), _conv(512, 13, 144), _conv(512, 13, 112),
    _conv(544, 7, 544, groups=4), _conv(1, (100, 301), 20, 3, 1, 1), _conv(3, 113, 17, 3, 2, 1),
    _conv(20, 45, 20, 3, 1, 1), _conv(112, 13, 144, 3, 1, 1), _conv(64, 27, 144, 1, 2), _deep(20, 57, 3),
    _deep(144, 13, 5), _deep(112, 27, 3, 2), _deep(17, 60, 7), _conv(96, 28, 96, 3, 1, 1, 12), _conv(58, 28, 58),
    _conv(48, 33, 80, 3, 1, 2, dilation=2),
    Case("conv1d 20,1000->112 5 taps p2", "conv1d", ((1, 20, 1000), (112, 20, 5)), (), {"padding": 2}),
    Case("conv3d 17,9,20,20->20 3x3x3 p1", "conv3d", ((1, 17, 9, 20, 20), (20, 17, 3, 3, 3)), (), {"padding": 1}),
)  # fmt: skip


def _gradients(*layers: Case) -> tuple[Case, ...]:
    """Both gradients of convolutions, at a batch of 8."""
    batch = [replace(c, shapes=((8, *c.shapes[0][1:]), *c.shapes[1:])) for c in layers]
    return tuple(replace(c, name=f"{c.name}: {g}", gradient=g) for c in batch for g in ("input", "weight"))


_GRADIENTS = _gradients(
    _conv(64, 56, 64, 3, 1, 1), _conv(128, 28, 128, 3, 1, 1), _conv(256, 14, 256, 3, 1, 1), _conv(512, 7, 512, 3, 1, 1),
    _conv(64, 56, 256), _conv(256, 14, 1024), _conv(128, 56, 128, 3, 2, 1), _conv(16, 12, 32, 5), _deep(96, 56, 3),
    _deep(144, 56, 3, 2), _deep(384, 14, 5),
)  # fmt: skip


def _each(operation: str, **kwargs: Any) -> Case:
    """A function of every element of a map of 1M elements."""
    name = " ".join((operation, *map(str, kwargs.values()), "64,128,128"))
    return Case(name, operation, ((1, 64, 128, 128),), (), kwargs)


def _softmax(operation: str, *shape: int) -> Case:
    return Case(f"{operation} {','.join(map(str, shape))}", operation, (shape,), (1,))


def _entropy(n: int, classes: int) -> Case:
    return Case(f"cross_entropy {n},{classes}", "cross_entropy", ((n, classes), (n,)), indices=(1,))


def _up(
    c: int, size: int | tuple[int, ...], k: int, kernel: int | tuple[int, ...], stride: int = 1, padding: int = 0,
    n: int = 1, groups: int = 1, output_padding: int = 0,
) -> Case:  # fmt: skip
    """A transposed convolution of a square map, or of a signal, whose `size` is a tuple of one number."""
    rank = len(size) if isinstance(size, tuple) else 2
    extents = size if isinstance(size, tuple) else (size,) * 2
    taps = kernel if isinstance(kernel, tuple) else (kernel,) * rank
    map_, kernels = ",".join(map(str, extents)), "x".join(map(str, taps))
    name = f"{f'{n}x' if n > 1 else ''}{c},{map_}->{k} {kernels} s{stride}" + f" p{padding}" * (padding > 0)
    name += f" op{output_padding}" * (output_padding > 0) + f" g{groups}" * (groups > 1)
    given = {"padding": (padding, 0), "groups": (groups, 1), "output_padding": (output_padding, 0)}
    kwargs = {"stride": stride} | {key: value for key, (value, default) in given.items() if value != default}
    return Case(name, f"conv_transpose{rank}d", ((n, c, *extents), (c, k // groups, *taps)), (), kwargs)


# Generators of images, U-Net, segmentation by FCN, decoders, vocoders, and small ones.
_TRANSPOSED = (
    _up(100, 1, 512, 4, n=16), _up(512, 4, 256, 4, 2, 1, n=16), _up(256, 8, 128, 4, 2, 1, n=16),
    _up(128, 16, 64, 4, 2, 1, n=4), _up(64, 32, 3, 4, 2, 1, n=16),
    _up(1024, 14, 512, 2, 2), _up(256, 56, 128, 2, 2), _up(128, 112, 64, 2, 2),
    _up(21, 16, 21, 4, 2), _up(21, 34, 21, 16, 8), _up(21, 9, 21, 64, 32), _up(21, 34, 21, 16, 8, groups=21),
    _up(128, 28, 64, 3, 2, 1, output_padding=1), _up(32, 14, 16, 3, 2, 1, n=8, output_padding=1),
    _up(48, 23, 20, 5, 3, 2),
    _up(512, (32,), 256, 16, 8, 4), _up(256, (256,), 128, 16, 8, 4), _up(128, (2048,), 64, 4, 2, 1),
    _up(64, (4096,), 32, 4, 2, 1), _up(24, (5, 7, 6), 12, 3, 2, 1),
    _up(10, (7, 26), 1, 3, 2), _up(62, (6,), 6, 5, 2), _up(3, (5, 5), 7, 3, 1, 1),
)  # fmt: skip


def _many(n: int, c: int, size: int, k: int, kernel: int = 1, padding: int = 0) -> Case:
    return _conv(c, size, k, kernel, 1, padding, n=n)


# Feature vectors, boards, patches, sensor windows.
_SMALL_MAPS = (
    _many(50_000, 6, 1, 10), _many(20_000, 6, 3, 10), _many(20_000, 6, 3, 10, 3, 1), _many(20_000, 8, 3, 16, 2),
    _many(5_000, 3, 8, 8, 5), _many(5_000, 4, 8, 20, 5, 2), _many(10_000, 2, 5, 12, 3), _many(2_000, 16, 7, 24, 3, 1),
    _many(30_000, 3, 2, 5, 2), Case("60000x1,7->4 3", "conv1d", ((60_000, 1, 7), (4, 1, 3))),
    Case("20000x3,7->10 3 p1", "conv1d", ((20_000, 3, 7), (10, 3, 3)), (), {"padding": 1}),
    Case("8000x12,13->7 5", "conv1d", ((8_000, 12, 13), (7, 12, 5))),
)  # fmt: skip

_ELEMENTWISE = (
    _each("relu"), _each("sigmoid"), _each("tanh"), _each("silu"), _each("gelu"), _each("gelu", approximate="tanh"),
    _each("softplus"), _each("mish"),
    _softmax("softmax", 64, 1000), _softmax("softmax", 128, 10), _softmax("softmax", 32, 21, 64, 64),
    _softmax("log_softmax", 32, 5000), _entropy(64, 10), _entropy(256, 1000),
)  # fmt: skip

_TINY = (
    _conv(16, 8, 32, 3, 1, 1), _conv(16, 8, 32), _deep(32, 8, 3), _conv(1, 28, 8, 5), _conv(3, 32, 16, 3, 1, 1),
    _conv(64, 4, 64, 3, 1, 1), _conv(64, 1, 64),
    Case("conv1d 16,64->32 3 p1", "conv1d", ((1, 16, 64), (32, 16, 3)), (), {"padding": 1}),
    _pool("max", 16, 8, 2, 2), _pool("avg", 16, 8, 2, 2), _linear(1, 64, 10), _linear(8, 128, 64),
    Case("64x64 @ 64x64", "matmul", ((64, 64), (64, 64))), Case("relu 16,8,8", "relu", ((1, 16, 8, 8),)),
    Case("gelu 16,8,8", "gelu", ((1, 16, 8, 8),)), _softmax("softmax", 1, 64),
)  # fmt: skip

def _in_types(case: Case, *dtypes: str) -> tuple[Case, ...]:
    return tuple(replace(case, name=f"{case.name} {dtype}", dtype=dtype) for dtype in dtypes)


_FLOATS, _INTEGERS = ("bfloat16", "float16"), ("int16", "int32", "int64")
_HALF = tuple(
    typed
    for case, dtypes in (
        (_matmul(300, 700, 500), (*_FLOATS, *_INTEGERS)), (_linear(20, 1100, 900), (*_FLOATS, "int8", "int64")),
        (_linear(1, 1100, 900), _FLOATS), (_matmul(60, 64, 197, 12), ("bfloat16", "int32")),
        (_conv(72, 30, 80, 3, 1, 1), (*_FLOATS, "int8", "uint8", *_INTEGERS)),
        (_conv(3, 112, 40, 7, 2, 3), ("bfloat16", "int8")), (_conv(136, 13, 144), (*_FLOATS, "int8", "int32")),
        (_conv(24, 57, 130), ("bfloat16", "uint8")),
        (_deep(90, 29, 3), (*_FLOATS, "int8", "int32")),
        (_conv1d("signal", 48, 1500, 56, 5, padding=2), (*_FLOATS, "int8", "int32")),
    )
    for typed in _in_types(case, *dtypes)
)  # fmt: skip

SUITES: dict[str, Suite] = {
    s.name: s
    for s in (
        Suite("resnet50", "ResNet-50 at 224 x 224: every distinct layer", _resnet(64, 1)),
        Suite("vgg16", "VGG-16 at 224 x 224: every distinct layer", _VGG16),
        Suite("mobilenet_v2", "MobileNetV2 at 224 x 224: every distinct layer", _MOBILENET_V2),
        Suite("inception_v3", "Inception v3 at 299 x 299: every distinct layer", _INCEPTION_V3),
        Suite("resnext50", "ResNeXt-50 32x4d at 224 x 224: every distinct layer", _resnet(128, 32)),
        Suite("convnext", "ConvNeXt-T at 224 x 224: every distinct layer", _CONVNEXT),
        Suite("lecture", "what the lecture computes, and a first layer on digits", _LECTURE),
        Suite("images", "filters of a full-HD image and of small ones, those of SciPy: for --door called", _IMAGES),
        Suite("audio", "FIR filters and layers of audio networks", _AUDIO),
        Suite("gemm", "matrix products", _GEMM),
        Suite("few_rows", "products of few rows with a large matrix, and small ones: for --door called", _FEW_ROWS),
        Suite("pool", "pooling layers", _POOL),
        Suite("layers", "one of each kind: dense, strided, first, pointwise, dilated, depthwise, grouped", _LAYERS),
        Suite(
            "odd_layers", "layers of text, detection and audio networks: uneven sizes, small maps, wide kernels", _ODDS
        ),
        Suite("more_layers", "layers of face, EfficientNet, GoogLeNet, speech, super-resolution, pose networks", _MORE),
        Suite("half", "products and convolutions of 16-bit floats and of integers", _HALF),
        Suite("nhwc", "layers of the suite `layers`, and others beside them, on images with channels last", _NHWC),
        Suite("elementwise", "activations, softmax and cross-entropy", _ELEMENTWISE),
        Suite("tiny", "calls so short that checking, looking up and allocating count", _TINY),
        Suite("transposed", "transposed convolutions: generators, U-Net, FCN, vocoders, small ones", _TRANSPOSED),
        Suite("small_maps", "batches of many small images and short signals", _SMALL_MAPS),
        Suite("gradients", "gradients of convolutions for input and weights, batch 8", _GRADIENTS),
    )
}


def register_suite(suite: Suite) -> None:
    """Add a suite of one's own to those that ``bench`` and ``tune`` know by name; ValueError if the name is taken.

    Parameters
    ----------
    suite : Suite

    Examples
    --------
    >>> from fastconv.bench.suites import SUITES, Case, Suite, register_suite
    >>> register_suite(Suite("mine", "a first layer", (Case("stem", "conv2d", ((1, 3, 64, 64), (8, 3, 3, 3))),)))
    >>> SUITES.pop("mine").cases[0].name
    'stem'
    """
    if suite.name in SUITES or suite.name == "all":
        raise ValueError(f"there is a suite called {suite.name} already")
    SUITES[suite.name] = suite
