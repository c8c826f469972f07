"""`fastconv.interop.torch`: operators against torch itself, as torch's own tools check them, and compiled.

`accelerate` has its own file.
"""

from __future__ import annotations

import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastconv

pytestmark = pytest.mark.one_isa

torch = pytest.importorskip("torch")
FT = pytest.importorskip("fastconv.interop.torch")
TF = torch.nn.functional
FORMATS = {2: torch.channels_last, 3: torch.channels_last_3d}
ALL = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")


def rand(*shape: int, dtype: Any = torch.float64, grad: bool = False, last: bool = False) -> Any:
    x = torch.randn(shape, dtype=dtype)
    if last:
        x = x.contiguous(memory_format=FORMATS[len(shape) - 2])
    return x.requires_grad_(grad)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def operator_cases(last: bool = False) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Arguments for every operator; with `last`, for those that know channels-last tensors, in that format."""
    for r in (2, 3) if last else (1, 2, 3):
        size, ones, twos = (5, 6, 4)[:r], [1] * r, [2] * r

        def x(channels: int, size: tuple[int, ...] = size) -> Any:
            return rand(2, channels, *size, grad=True, last=last)

        k = (3, 2, 2)[:r]
        conv = (twos, [1, 0, 0, 1, 1, 1][: 2 * r], ones, 2, "reflect")
        y = FT.functional._conv[r](x(4), w := rand(6, 2, *k, grad=True), None, *conv)
        yield f"conv{r}d", (x(4), w, rand(6, grad=True), *conv)
        yield f"conv{r}d_input_grad", (x(6, y.shape[2:]), w, [2, 4, *size], *conv)
        yield f"conv{r}d_weight_grad", (x(6, y.shape[2:]), x(4), list(w.shape), *conv)
        turned = (twos, ones, ones, 2, ones)
        y = FT.functional._conv_transpose[r](x(4), w := rand(4, 3, *k, grad=True), None, *turned)
        yield f"conv_transpose{r}d", (x(4), w, rand(6, grad=True), *turned)
        yield f"conv_transpose{r}d_input_grad", (x(6, y.shape[2:]), w, [2, 4, *size], *turned)
        yield f"conv_transpose{r}d_weight_grad", (x(6, y.shape[2:]), x(4), list(w.shape), *turned)
        windows = ([3] * r, twos, ones)
        for name, settings in (
            (f"max_pool{r}d", (*windows, ones, True)),
            (f"adaptive_max_pool{r}d", ([2, 3, 1][:r],)),
        ):
            y, indices = getattr(torch.ops.fastconv, f"{name}_with_indices")(x(3), *settings)
            yield name, (x(3), *settings)
            yield f"{name}_with_indices", (x(3), *settings)
            yield f"{name}_grad", (x(3, y.shape[2:]), indices, [2, 3, *size], *settings)
        for name, settings in (
            (f"avg_pool{r}d", (*windows, True, False, None, ones)),
            (f"adaptive_avg_pool{r}d", ([2, 3, 1][:r],)),
        ):
            y = getattr(torch.ops.fastconv, name)(x(3), *settings)
            yield name, (x(3), *settings)
            yield f"{name}_grad", (x(3, y.shape[2:]), [2, 3, *size], *settings)
    if not last:
        yield "linear", (rand(2, 3, 5, grad=True), rand(4, 5, grad=True), rand(4, grad=True))
        yield "linear_input_grad", (rand(2, 3, 4, grad=True), rand(4, 5, grad=True), [2, 3, 5])
        yield "linear_weight_grad", (rand(2, 3, 4, grad=True), rand(2, 3, 5, grad=True), [4, 5])


def test_the_cases_cover_every_operator() -> None:
    registered = {n.split("::")[1] for n in torch._C._dispatch_get_all_op_names() if n.startswith("fastconv::")}
    assert {name for name, _ in operator_cases()} == registered


@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
def test_opcheck(last: bool) -> None:
    for name, args in operator_cases(last):
        # Tracing with symbolic shapes is slow: once per kind, and with each its gradients.
        checks = ALL if not last and ("2d" in name or "linear" in name) and "grad" not in name else ALL[:3]
        torch.library.opcheck(getattr(torch.ops.fastconv, name).default, args, test_utils=checks)


@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
def test_first_and_second_derivatives(last: bool) -> None:
    for name, args in operator_cases(last):
        operator = getattr(torch.ops.fastconv, name).default
        floats = [i for i, a in enumerate(args) if isinstance(a, torch.Tensor) and a.requires_grad]

        def run(*values: Any, operator: Any = operator, args: Any = args, floats: Any = floats) -> Any:
            given = list(args)
            for i, v in zip(floats, values, strict=True):
                given[i] = v
            y = operator(*given)
            return y[0] if isinstance(y, tuple) else y

        values = [args[i] for i in floats]
        assert torch.autograd.gradcheck(run, values, fast_mode=True), name
        assert torch.autograd.gradgradcheck(run, values, fast_mode=True), name


def convolution(rng: random.Random, r: int, dtype: Any, last: bool) -> tuple[Any, Any, tuple[Any, ...], dict[str, Any]]:
    """(x, weight, arguments after them, keywords) of a convolution that torch takes too."""
    groups = rng.choice([1, 1, 2, 3])
    ic, oc = groups * rng.randint(1, 3), groups * rng.randint(1, 3)
    kernel = [rng.randint(1, 3) for _ in range(r)]
    dilation = tuple(rng.randint(1, 2) for _ in range(r))
    size = [rng.randint(6, 9) for _ in range(r)]
    stride = tuple(rng.randint(1, 3) for _ in range(r))
    padding: Any = tuple(rng.randint(0, 2) for _ in range(r))
    if rng.random() < 0.25:
        padding, stride = rng.choice(["same", "valid"]), 1
    batched = last or rng.random() < 0.8
    x = rand(*([rng.randint(1, 2)] if batched else []), ic, *size, dtype=dtype, last=last)
    w = rand(oc, ic // groups, *kernel, dtype=dtype)
    return x, w, (rand(oc, dtype=dtype) if rng.random() < 0.7 else None, stride, padding, dilation, groups), {}


def same(ours: Any, theirs: Any, dtype: Any) -> None:
    assert ours.dtype == theirs.dtype
    scale = float(theirs.detach().abs().max()) if theirs.numel() else 1.0
    torch.testing.assert_close(ours, theirs, rtol=0, atol=scale * (1e-5 if dtype == torch.float32 else 1e-12))


@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_convolutions_equal_torch(dtype: Any, last: bool) -> None:
    rng = random.Random(1)
    for i in range(30):
        r = rng.choice([2, 3] if last else [1, 2, 3])
        x, w, rest, _ = convolution(rng, r, dtype, last)
        x.requires_grad_()
        w.requires_grad_()
        ours = getattr(FT, f"conv{r}d")(x, w, *rest)
        theirs = getattr(TF, f"conv{r}d")(x, w, *rest)
        same(ours, theirs, dtype)
        if last and not x.is_contiguous():  # of one channel both orders are the same
            assert ours.is_contiguous(memory_format=FORMATS[r]), i
        dy = torch.randn_like(theirs)
        for a, b in zip(torch.autograd.grad(ours, (x, w), dy), torch.autograd.grad(theirs, (x, w), dy), strict=True):
            same(a, b, dtype)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_equal_torch(mode: str) -> None:
    for r, module in enumerate((torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d), 1):
        m = module(2, 4, 3, padding=2, stride=2, groups=2, padding_mode=mode, dtype=torch.float64)
        x = rand(2, 2, *(6, 7, 5)[:r], grad=True)
        ours = getattr(FT, f"conv{r}d")(x, m.weight, m.bias, 2, 2, 1, 2, mode)
        theirs = m(x)
        same(ours, theirs, torch.float64)
        variables = (x, m.weight, m.bias)
        dy = torch.randn_like(theirs)
        for a, b in zip(
            torch.autograd.grad(ours, variables, dy), torch.autograd.grad(theirs, variables, dy), strict=True
        ):
            same(a, b, torch.float64)


@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
def test_transposed_convolutions_equal_torch(last: bool) -> None:
    rng = random.Random(2)
    for _ in range(20):
        r = rng.choice([2, 3] if last else [1, 2, 3])
        groups = rng.choice([1, 2])
        ic, oc = groups * rng.randint(1, 3), groups * rng.randint(1, 3)
        stride = [rng.randint(1, 3) for _ in range(r)]
        dilation = [rng.randint(1, 2) for _ in range(r)]
        extra = [rng.randrange(max(s, d)) for s, d in zip(stride, dilation, strict=True)]
        padding = [rng.randint(0, 1) for _ in range(r)]
        x = rand(2, ic, *(rng.randint(3, 5) for _ in range(r)), grad=True, last=last)
        w = rand(ic, oc // groups, *(rng.randint(2, 3) for _ in range(r)), grad=True)
        b = rand(oc, grad=True)
        rest = (stride, padding, extra, groups, dilation)
        ours = getattr(FT, f"conv_transpose{r}d")(x, w, b, *rest)
        theirs = getattr(TF, f"conv_transpose{r}d")(x, w, b, *rest)
        same(ours, theirs, torch.float64)
        dy = torch.randn_like(theirs)
        for p, q in zip(
            torch.autograd.grad(ours, (x, w, b), dy), torch.autograd.grad(theirs, (x, w, b), dy), strict=True
        ):
            same(p, q, torch.float64)


@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
def test_pooling_equals_torch(last: bool) -> None:
    rng = random.Random(3)
    for _ in range(30):
        r = rng.choice([2, 3] if last else [1, 2, 3])
        # Few distinct values: ties must give torch's gradients too.
        x = rand(2, 3, *(rng.randint(5, 8) for _ in range(r)), last=last)
        x = (x * 2).round().requires_grad_()
        kernel = tuple(rng.randint(1, 3) for _ in range(r))
        stride = rng.choice([None, 1, 2])
        padding = tuple(rng.randint(0, k // 2) for k in kernel)
        ceil = rng.random() < 0.5
        dilation = rng.choice([1, 2])
        sizes = tuple(rng.randint(1, 4) for _ in range(r))
        calls: list[tuple[str, tuple[Any, ...]]] = [
            (f"max_pool{r}d", (kernel, stride, padding, dilation, ceil)),
            (f"avg_pool{r}d", (kernel, stride, padding, ceil, rng.random() < 0.5)),
            (f"adaptive_max_pool{r}d", (sizes,)),
            (f"adaptive_avg_pool{r}d", (sizes if r > 1 else sizes[0],)),
        ]
        for name, args in calls:
            ours, theirs = getattr(FT, name)(x, *args), getattr(TF, name)(x, *args)
            same(ours, theirs, torch.float64)
            if last:
                assert ours.is_contiguous(memory_format=FORMATS[r])
            dy = torch.randn_like(theirs)
            same(torch.autograd.grad(ours, x, dy)[0], torch.autograd.grad(theirs, x, dy)[0], torch.float64)
            if "max" in name:
                ours, ours_at = getattr(FT, name)(x, *args, return_indices=True)
                theirs, theirs_at = getattr(TF, name)(x, *args, return_indices=True)
                same(ours, theirs, torch.float64)
                assert torch.equal(ours_at, theirs_at)
                assert not ours_at.requires_grad


def test_linear_equals_torch() -> None:
    for shape, wshape in (((5,), (3, 5)), ((2, 5), (3, 5)), ((2, 4, 5), (3, 5)), ((2, 4, 5), (5,)), ((0, 5), (3, 5))):
        x, w, b = rand(*shape, grad=True), rand(*wshape, grad=True), rand(*wshape[:-1], grad=True)
        ours, theirs = FT.linear(x, w, b), TF.linear(x, w, b)
        same(ours, theirs, torch.float64)
        dy = torch.randn_like(theirs)
        for p, q in zip(
            torch.autograd.grad(ours, (x, w, b), dy), torch.autograd.grad(theirs, (x, w, b), dy), strict=True
        ):
            same(p, q, torch.float64)


def test_same_padding_with_a_stride_and_pairs() -> None:
    x, w = rand(1, 2, 7, 8), rand(3, 2, 4, 3)
    for padding in ("same", "same_lower", [(1, 0), (0, 2)], "valid"):
        ours = FT.conv2d(x, w, None, (2, 3), padding)
        assert torch.equal(ours, torch.from_numpy(fastconv.conv2d(x.numpy(), w.numpy(), None, (2, 3), padding)))


def test_only_wanted_gradients_are_computed() -> None:
    seen: list[str] = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(func.name())
            return func(*args, **(kwargs or {}))

    x, w = rand(1, 2, 5, 5), rand(3, 2, 3, 3, grad=True)
    y = FT.conv2d(x, w)
    with Watch():
        y.sum().backward()
    assert "fastconv::conv2d_weight_grad" in seen
    assert "fastconv::conv2d_input_grad" not in seen


def test_memory_is_shared() -> None:
    """Inputs and results are not copied, whether they are channels-last or contiguous."""
    from fastconv.interop.torch import memory

    x = rand(2, 3, 4, 5, last=True)
    a = memory.array(x, last=True)
    assert a.flags.c_contiguous and a.shape == (2, 4, 5, 3) and a.ctypes.data == x.data_ptr()
    t = memory.tensor(a, last=True)
    assert t.data_ptr() == x.data_ptr() and t.stride() == x.stride()


def test_any_strides_and_negative_views() -> None:
    base, w = rand(2, 9, 6, 4), rand(5, 4, 3, 3)
    for x in (
        base.permute(0, 3, 1, 2),
        base.permute(0, 3, 2, 1)[:, :, ::2],
        base[:1].expand(3, 9, 6, 4).transpose(1, 3),
    ):
        same(FT.conv2d(x, w), TF.conv2d(x, w), torch.float64)
    negative = torch.view_as_complex(rand(2, 4, 6, 6, 2)).conj().imag
    assert negative.is_neg()
    same(FT.conv2d(negative, w), TF.conv2d(negative, w), torch.float64)


def test_empty_batches() -> None:
    for last in (False, True):
        x, w = rand(0, 4, 6, 6, grad=True, last=last), rand(5, 4, 3, 3, grad=True)
        y = FT.conv2d(x, w)
        assert y.shape == (0, 5, 4, 4)
        y.sum().backward()
        assert x.grad.shape == x.shape and torch.equal(w.grad, torch.zeros_like(w))
        torch.library.opcheck(torch.ops.fastconv.conv2d.default, (x, w, None, [1, 1], [0, 0], [1, 1], 1, "zeros"),
                              test_utils="test_faketensor")  # fmt: skip
        assert FT.max_pool2d(x, 2).shape == (0, 4, 3, 3)


def test_inference_mode_and_no_grad() -> None:
    x, w = rand(1, 2, 6, 6, grad=True), rand(3, 2, 3, 3, grad=True)
    with torch.inference_mode():
        y = FT.conv2d(x, w)
        assert y.is_inference() and torch.equal(FT.max_pool2d(y, 2), TF.max_pool2d(y, 2))
    with torch.no_grad():
        assert not FT.conv2d(x, w).requires_grad


def test_torchs_threads_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastconv.dispatch import plan

    seen: set[int] = set()
    choose = plan.choose

    def watch(problem: Any, options: Any) -> Any:
        seen.add(options.thread_count())
        return choose(problem, options)

    monkeypatch.setattr(plan, "choose", watch)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            seen.clear()
            torch.manual_seed(5)
            x, w = rand(2, 3, 20, 20, grad=True), rand(4, 3, 3, 3, grad=True)
            y = FT.conv2d(x, w, padding=1)
            results.append((y, *torch.autograd.grad(y.square().sum(), (x, w))))
            assert seen == {threads}
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def network(x: Any, w: Any, b: Any) -> Any:
    y = torch.relu(FT.conv2d(x, w, b, padding="same"))
    y = FT.max_pool2d(y, 3, 2, 1, ceil_mode=True)
    y = FT.conv_transpose2d(y, w, None, 2, 1, 1)
    y = FT.avg_pool2d(y, 2, count_include_pad=False, padding=1)
    y = FT.adaptive_avg_pool2d(y, (2, None)).flatten(1)
    return FT.linear(y[:, :8], w.flatten(1)[:, :8])


def network_of_torch(x: Any, w: Any, b: Any) -> Any:
    y = torch.relu(TF.conv2d(x, w, b, padding="same"))
    y = TF.max_pool2d(y, 3, 2, 1, ceil_mode=True)
    y = TF.conv_transpose2d(y, w, None, 2, 1, 1)
    y = TF.avg_pool2d(y, 2, count_include_pad=False, padding=1)
    y = TF.adaptive_avg_pool2d(y, (2, None)).flatten(1)
    return TF.linear(y[:, :8], w.flatten(1)[:, :8])


def compiler_works() -> bool:
    import shutil

    return any(shutil.which(c) for c in ("g++", "c++", "clang++"))


@pytest.mark.parametrize("dynamic", [None, True], ids=["static", "dynamic"])
@pytest.mark.parametrize(
    "backend",
    ["aot_eager", pytest.param("inductor", marks=pytest.mark.skipif(not compiler_works(), reason="no C++ compiler"))],
)
def test_compile(backend: str, dynamic: bool | None) -> None:
    torch.compiler.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # inductor's own imports are full of them
        from torch._dynamo.testing import CompileCounterWithBackend

        counter = CompileCounterWithBackend(backend)
        compiled = torch.compile(network, fullgraph=True, backend=counter, dynamic=dynamic)
        shapes = [(2, 4, 9, 8), (3, 4, 10, 13), (5, 4, 16, 11)]
        for shape in shapes if dynamic else shapes[:1]:
            args = rand(*shape, grad=True), rand(4, 4, 3, 3, grad=True), rand(4, grad=True)
            ours, theirs = compiled(*args), network_of_torch(*args)
            same(ours, theirs, torch.float64)
            dy = torch.randn_like(theirs)
            for p, q in zip(torch.autograd.grad(ours, args, dy), torch.autograd.grad(theirs, args, dy), strict=True):
                same(p, q, torch.float64)
            if not dynamic:
                with torch.inference_mode():
                    same(compiled(*args), network_of_torch(*args), torch.float64)
    if dynamic:
        assert counter.frame_count == 1, "shapes are symbolic: one graph serves them all"
    torch.compiler.reset()


def test_compiled_channels_last() -> None:
    """The compiler infers the operators' memory format, even where a size of 1 makes it ambiguous."""
    torch.compiler.reset()
    compiled = torch.compile(channels_last_network, fullgraph=True, backend="aot_eager")
    for shape, channels in (((2, 3, 6, 6), 4), ((2, 1, 6, 7), 4), ((2, 3, 5, 5), 1), ((1, 3, 1, 1), 2)):
        args = rand(*shape, grad=True, last=True), rand(channels, shape[1], 3, 3, grad=True)
        ours, theirs = compiled(*args), channels_last_network(*args)
        assert ours.stride() == theirs.stride()
        same(ours, theirs, torch.float64)
        dy = torch.randn_like(theirs)
        for p, q in zip(torch.autograd.grad(ours, args, dy), torch.autograd.grad(theirs, args, dy), strict=True):
            same(p, q, torch.float64)
    torch.compiler.reset()


def channels_last_network(x: Any, w: Any) -> Any:
    y = FT.max_pool2d(torch.relu(FT.conv2d(x, w, None, 1, 1)), 2, ceil_mode=True)
    return FT.adaptive_avg_pool2d(y, 1) * y


def test_without_torch_one_sentence() -> None:
    code = "import sys; sys.modules['torch'] = None; import fastconv.interop.torch"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    want = (
        "MissingExtraError: fastconv.interop.torch needs torch, which is not installed: pip install 'fastconv[torch]'"
    )
    assert want in done.stderr


def test_meta_and_fake_tensors() -> None:
    with torch.device("meta"):
        y = FT.conv2d(torch.empty(2, 3, 8, 8), torch.empty(4, 3, 3, 3), padding=1)
    assert y.shape == (2, 4, 8, 8) and y.device.type == "meta"


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_fake_shapes_of_pooling_are_the_real_ones(ceil_mode: bool) -> None:
    rng = random.Random(4)
    for _ in range(300):
        kernel = rng.randint(1, 4)
        args = (kernel, rng.randint(1, 4), rng.randint(0, kernel // 2), rng.randint(1, 2), ceil_mode)
        x = rand(1, 1, rng.randint(8, 12))
        assert FT.max_pool1d(x, *args).shape == FT.max_pool1d(x.to("meta"), *args).shape


def test_errors() -> None:
    x, w = rand(1, 3, 5, 5), rand(4, 3, 3, 3)
    with pytest.raises(TypeError, match=r"input must be a torch\.Tensor, got ndarray; arrays go to fastconv itself"):
        FT.conv2d(x.numpy(), w)
    with pytest.raises(
        fastconv.DTypeError, match=r"input has dtype torch\.float16; fastconv's operators take torch\.float32"
    ):
        FT.conv2d(x.half(), w.half())
    with pytest.raises(fastconv.DTypeError, match=r"weight has dtype torch\.float32, but input torch\.float64"):
        FT.conv2d(x, w.float())
    with pytest.raises(fastconv.UnsupportedError, match=r"input has layout torch\.sparse_coo"):
        FT.linear(x[0, 0].to_sparse(), w[0, 0, :, :1].T)
    with pytest.raises(fastconv.ShapeError, match="so input must have 3 channels; it has 2"):
        FT.conv2d(x[:, :2], w)
    with pytest.raises(fastconv.ShapeError, match="output height would be"):
        FT.conv2d(x[:, :, :2], w)
    with pytest.raises(fastconv.ShapeError, match="weight must have 4 axes"):
        FT.conv2d(x, w[0])
    with pytest.raises(ValueError, match="stride must be an int or 2 ints"):
        FT.conv2d(x, w, stride=(1, 1, 1))
    with pytest.raises(ValueError, match="padding must be ints, pairs, 'valid', 'same'"):
        FT.conv2d(x, w, padding="full")
    with pytest.raises(ValueError, match=r"padding must have 2 \(lo, hi\) pairs"):
        FT.conv2d(x, w, padding=[(1, 1)])
    with pytest.raises(ValueError, match="padding_mode must be one of"):
        FT.conv2d(x, w, padding_mode="mirror")
    with pytest.raises(ValueError, match="padding of a transposed convolution"):
        FT.conv_transpose2d(x, w.transpose(0, 1), padding="same")
    with pytest.raises(ValueError, match="padding must be at most half of kernel_size"):
        FT.max_pool2d(x, 2, padding=2)
    with pytest.raises(ValueError, match="output_size must be an int or 2 ints"):
        FT.adaptive_avg_pool2d(x, (1, 2, 3))


def test_another_device_is_refused() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(), pytest.raises(fastconv.UnsupportedError, match=r"input is on device cuda:0; .* cpu tensors"):
        FT.linear(torch.empty(2, 3, device="cuda"), torch.empty(4, 3, device="cuda"))


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_forward_mode_is_refused() -> None:
    x, w = rand(1, 2, 5, 5), rand(3, 2, 3, 3)
    with pytest.raises(fastconv.UnsupportedError, match="input has a tangent"):
        torch.func.jvp(lambda t: FT.conv2d(t, w), (x,), (torch.ones_like(x),))


def test_double_backward_of_a_network() -> None:
    """A gradient penalty: the gradient of the norm of a gradient."""
    args = rand(2, 4, 9, 8, grad=True), rand(4, 4, 3, 3, grad=True), rand(4, grad=True)

    def penalty(f: Callable[..., Any]) -> Any:
        (dx,) = torch.autograd.grad(f(*args).square().sum(), args[0], create_graph=True)
        return torch.autograd.grad(dx.square().sum(), args[:2])

    for ours, theirs in zip(penalty(network), penalty(network_of_torch), strict=True):
        same(ours, theirs, torch.float64)
