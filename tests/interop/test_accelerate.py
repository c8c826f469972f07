"""`accelerate`: modules of a model are swapped, and restored exactly."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import subprocess
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import fastconv

pytestmark = pytest.mark.one_isa

torch = pytest.importorskip("torch")
FT = pytest.importorskip("fastconv.interop.torch")
nn = torch.nn


class Block(nn.Module):
    """Two convolutions with a skip connection."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding="same", groups=2, padding_mode="reflect")
        self.skip = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()

    def forward(self, x: Any) -> Any:
        return torch.relu(self.conv2(torch.relu(self.bn1(self.conv1(x)))) + self.skip(x))


class Net(nn.Module):
    """Like a ResNet; its block `shared` is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 5, 2, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.shared = Block(8)
        self.blocks = nn.Sequential(self.shared, Block(8, 2), self.shared)
        self.up = nn.ConvTranspose2d(8, 8, 2, 2)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(), nn.Linear(32, 10))

    def forward(self, x: Any) -> Any:
        return self.head(self.up(self.blocks(self.pool(self.stem(x)))))


SWAPPED = {"stem", "pool", "up", "head.0", "head.2", "blocks.1.conv1", "blocks.1.conv2", "blocks.1.skip",
           "shared.conv1, blocks.0.conv1, blocks.2.conv1", "shared.conv2, blocks.0.conv2, blocks.2.conv2"}  # fmt: skip

CALLS = 12  # of swapped modules in one forward pass


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    net = Net()
    net(torch.randn(8, 3, 33, 30))  # statistics of the normalisation
    return net.eval()


def image(batch: int = 2, dtype: Any = torch.float32) -> Any:
    torch.manual_seed(1)
    return torch.randn(batch, 3, 33, 30, dtype=dtype)


def close(a: Any, b: Any) -> None:
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(b.detach().abs().max()))


def modules(model: Any) -> dict[str, tuple[type, list[str]]]:
    return {name: (type(m), sorted(m.__dict__)) for name, m in model.named_modules(remove_duplicate=False)}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Operations whose plans ran, one entry per call."""
    calls: list[str] = []
    run = fastconv.Plan.__call__

    def watch(self: Any, x: Any, *, out: Any = None) -> Any:
        calls.append(self.problem.op)
        return run(self, x, out=out)

    monkeypatch.setattr(fastconv.Plan, "__call__", watch)
    yield calls


def test_results_and_undo(model: Any, served: list[str]) -> None:
    before, state, keys = modules(model), copy.deepcopy(model.state_dict()), list(model.state_dict())
    plain = copy.deepcopy(model)
    report = FT.accelerate(model)
    assert report.model is model and set(report.swapped) == SWAPPED
    for x in (image(), image(3), image().to(memory_format=torch.channels_last)):
        with torch.inference_mode():
            close(model(x), plain(x))
    assert len(served) == 3 * CALLS
    assert list(model.state_dict()) == keys and isinstance(model.stem, nn.Conv2d)
    assert model.shared is model.blocks[0] is model.blocks[2]
    assert report.undo() is model
    assert modules(model) == before and report.swapped == []
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), state.values(), strict=True))
    served.clear()
    with torch.inference_mode():
        model(image())
    assert served == []


def test_as_a_context_manager(model: Any) -> None:
    before = modules(model)
    with pytest.raises(KeyError), FT.accelerate(model) as report:
        assert modules(model) != before and set(report.swapped) == SWAPPED
        raise KeyError
    assert modules(model) == before


def test_a_copy_leaves_the_model_alone(model: Any) -> None:
    before = modules(model)
    report = FT.accelerate(model, inplace=False)
    assert modules(model) == before and report.model is not model
    with torch.no_grad():
        close(report.model(image()), model(image()))


def test_twice_and_restore(model: Any) -> None:
    before = modules(model)
    first, second = FT.accelerate(model), FT.accelerate(model)
    assert second.swapped == [] and second.left["stem"] == "accelerated already"
    second.undo()
    assert modules(model) != before
    copied = copy.deepcopy(model)
    assert FT.restore(model) == len(SWAPPED) and modules(model) == before
    first.undo()  # nothing is left to do, which is no error
    assert FT.restore(copied) == len(SWAPPED) and modules(copied) == before
    assert FT.restore(model) == 0


def test_modules_alone() -> None:
    """Every supported class, in both memory formats."""
    torch.manual_seed(0)
    cases: list[tuple[Any, tuple[int, ...]]] = [(nn.Linear(6, 3), (2, 4, 6)), (nn.Linear(6, 3, bias=False), (6,))]
    for r in (1, 2, 3):
        size = (2, 4, *(7, 8, 6)[:r])
        conv, turned = getattr(nn, f"Conv{r}d"), getattr(nn, f"ConvTranspose{r}d")
        cases += [
            (conv(4, 6, 3, 2, 1, 2, 2, padding_mode=mode), size)
            for mode in ("zeros", "reflect", "replicate", "circular")
        ]
        cases += [(conv(4, 2, 4, padding="same", padding_mode="circular"), size), (conv(4, 2, 3), size[1:])]
        cases += [(turned(4, 6, 3, 2, 1, 1, 2, dilation=2), size), (turned(4, 2, 2, bias=False), size[1:])]
        cases += [
            (getattr(nn, f"MaxPool{r}d")(3, 2, 1, ceil_mode=True), size),
            (getattr(nn, f"MaxPool{r}d")(2, return_indices=True), size),
            (getattr(nn, f"AvgPool{r}d")(3, 2, 1, True, False), size),
            (getattr(nn, f"AdaptiveAvgPool{r}d")(3), size),
            (getattr(nn, f"AdaptiveMaxPool{r}d")(3, return_indices=True), size),
        ]
    cases += [
        (nn.AvgPool2d(2, divisor_override=3), (1, 2, 6, 6)),
        (nn.AdaptiveAvgPool2d((None, 3)), (1, 2, 6, 6)),
        (nn.AdaptiveAvgPool3d([1, None, 2]), (1, 2, 6, 6, 6)),
    ]
    for module, shape in cases:
        module.eval()
        plain = copy.deepcopy(module)
        report = FT.accelerate(module)
        assert report.swapped == [""], module
        formats = [torch.contiguous_format]
        if len(shape) > 3 and shape[0] < 4:  # batched
            formats.append({4: torch.channels_last, 5: torch.channels_last_3d}[len(shape)])
        for memory in formats:
            for dtype in (torch.float32, torch.float64):
                x = torch.randn(shape, dtype=dtype).contiguous(memory_format=memory)
                module.to(dtype)
                plain.to(dtype)
                with torch.no_grad():
                    ours, theirs = module(x), plain(x)
                assert module.__dict__["_fastconv_state"].declined is None, module
                for a, b in zip(*((y if isinstance(y, tuple) else (y,)) for y in (ours, theirs)), strict=True):
                    close(a, b)
                    if memory is not torch.contiguous_format:
                        assert a.is_contiguous(memory_format=memory), module


def test_gradients_go_through_the_operators(model: Any) -> None:
    plain = copy.deepcopy(model)
    FT.accelerate(model)
    for frozen in (False, True):
        for m in (model, plain):
            m.requires_grad_(not frozen)
            m.zero_grad(set_to_none=True)
        x, y = image().requires_grad_(), image().requires_grad_()
        out = model(x)
        out.square().sum().backward()
        plain(y).square().sum().backward()
        close(x.grad, y.grad)
        for p, q in zip(model.parameters(), plain.parameters(), strict=True):
            assert (p.grad is None) == frozen == (q.grad is None)
            if not frozen:
                close(p.grad, q.grad)


def test_training_mode_is_torchs(model: Any, served: list[str]) -> None:
    FT.accelerate(model)
    model.train()
    with torch.no_grad():
        model(image())
    assert served == []


def test_changed_weights_are_seen(model: Any) -> None:
    conv = model.stem
    FT.accelerate(conv)
    x = image()

    def check() -> None:
        with torch.no_grad():
            close(conv(x), nn.functional.conv2d(x, conv.weight, conv.bias, 2, 2))

    check()
    with torch.no_grad():
        conv.weight.mul_(2)
    check()
    with torch.no_grad():
        conv.bias.add_(1)
    check()
    conv.load_state_dict({k: v + 1 for k, v in conv.state_dict().items()})
    check()
    conv.weight.data = torch.randn_like(conv.weight)
    check()
    conv.weight = nn.Parameter(torch.randn_like(conv.weight))
    check()
    conv.bias = None
    check()
    conv.weight.data.mul_(3)  # not counted by torch
    conv.train()
    conv.eval()
    check()


def test_refresh() -> None:
    layer = nn.Linear(3, 2, bias=False).eval()
    report, x = FT.accelerate(layer), torch.ones(1, 3)
    with torch.no_grad():
        before = layer(x)
        layer.weight.data.mul_(2)
        assert torch.equal(layer(x), before), "the reason for refresh"
        report.refresh()
        close(layer(x), 2 * before)


def test_plans_are_few() -> None:
    from fastconv.interop.torch.modules import PLANS

    conv = nn.Conv2d(1, 1, 3).eval()
    FT.accelerate(conv)
    with torch.no_grad():
        for size in range(4, 4 + 3 * PLANS):
            conv(torch.ones(1, 1, size, 5))
        with fastconv.options(backend="numpy"):
            conv(torch.ones(1, 1, size, 5))
    plans = conv.__dict__["_fastconv_state"].packed.plans
    assert list(plans.values())[-1].kernel.startswith("numpy.")
    assert len(plans) == PLANS and next(reversed(plans))[0] == (1, 1, 3 + 3 * PLANS, 5)


def test_plans_of_large_weights_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["fastconv.interop.torch.modules"], "BUDGET", 1000)
    for features, kept in ((3, 8), (8, 1), (5, 5), (20, 1)):  # 8 bytes per weight: itself and packed
        layer = nn.Linear(features, features, bias=False).eval()
        FT.accelerate(layer)
        with torch.no_grad():
            for batch in range(1, 12):
                layer(torch.ones(batch, features))
        assert len(layer.__dict__["_fastconv_state"].packed.plans) == kept


def test_from_two_threads(model: Any) -> None:
    plain = copy.deepcopy(model)
    FT.accelerate(model)

    inputs = [image(1)[:, :, :, : 20 + i % 4] for i in range(16)]

    def run(x: Any) -> Any:
        with torch.no_grad():
            return model(x)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, inputs))
    for x, y in zip(inputs, results, strict=True):
        with torch.no_grad():
            close(y, plain(x))


def test_the_unusual_is_torchs(model: Any, served: list[str]) -> None:
    """What observes or changes operations on tensors sees those of torch, and the report says so."""
    from torch.utils.flop_counter import FlopCounterMode

    plain = copy.deepcopy(model)
    report = FT.accelerate(model)
    x = image()

    def declined() -> str:
        assert served == []
        return model.stem.__dict__["_fastconv_state"].declined

    with torch.no_grad():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert model.stem(x).dtype == torch.bfloat16
        assert declined() == "autocast is on"
        with FlopCounterMode(display=False) as flops:
            model(x)
        assert flops.get_total_flops() > 0 and declined() == "a torch dispatch mode is active"
        close(torch.func.vmap(model)(x[:, None]), plain(x)[:, None])
        assert declined() == "inside a torch.func transform"
        model.stem.double()
        with pytest.raises(RuntimeError, match="same"):
            model.stem(x)
        assert declined() == "input is torch.float32, weight torch.float64"
        model.stem.half()
        assert model.stem(x.half()).dtype == torch.float16
        assert declined() == "input is torch.strided, torch.float16 on cpu"
        model.stem.float()
        with pytest.raises(RuntimeError, match="to have 3 channels"):
            model.stem(x[:, :2])
        assert declined().startswith("ShapeError: weight has shape (8, 3, 5, 5)")
        assert "torch ran a call: ShapeError" in str(report)
        size = model.up(torch.ones(1, 8, 4, 4), output_size=(9, 8)).shape
        assert size == (1, 8, 9, 8) and served == []
        model.stem(x)
        assert served == ["conv"]


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_derivatives_and_traces_that_only_torch_knows(model: Any) -> None:
    plain = copy.deepcopy(model)
    FT.accelerate(model)
    x = image()
    tangent = torch.ones_like(x)
    for p, q in zip(torch.func.jvp(model, (x,), (tangent,)), torch.func.jvp(plain, (x,), (tangent,)), strict=True):
        close(p, q)
    with torch.autograd.forward_ad.dual_level(), torch.no_grad():
        dual = torch.autograd.forward_ad.make_dual(x, tangent)
        close(*(torch.autograd.forward_ad.unpack_dual(m(dual)).tangent for m in (model, plain)))
    with torch.no_grad():
        traced = torch.jit.trace(model, x)
        assert "aten::_convolution" in str(traced.inlined_graph) and "fastconv::" not in str(traced.inlined_graph)
        close(traced(x), plain(x))
        close(torch.fx.symbolic_trace(model)(x), plain(x))
        close(torch.func.functional_call(model, {"stem.weight": torch.zeros_like(model.stem.weight)}, x),
              torch.func.functional_call(plain, {"stem.weight": torch.zeros_like(plain.stem.weight)}, x))  # fmt: skip


def test_hooks_run(model: Any) -> None:
    seen: list[str] = []
    model.stem.register_forward_pre_hook(lambda m, args: seen.append("before"))
    FT.accelerate(model)
    model.stem.register_forward_hook(lambda m, args, y: seen.append("after"))
    with torch.no_grad():
        model(image())
    assert seen == ["before", "after"]


def test_deep_copies_are_swapped_and_pickles_are_not(model: Any, served: list[str]) -> None:
    x = image()
    with torch.no_grad():
        expected = model(x)
        FT.accelerate(model)
        model(x)
        served.clear()
        twin = copy.deepcopy(model)
        close(twin(x), expected)
        assert len(served) == CALLS
        twin.stem.weight.zero_()
        close(model(x), expected)
        served.clear()
        loaded = pickle.loads(pickle.dumps(model))
        assert type(loaded.stem) is nn.Conv2d and torch.equal(loaded(x), FT.accelerate(loaded).undo()(x))
        assert served == []
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        assert type(torch.load(file, weights_only=False).stem) is nn.Conv2d


def test_a_pickle_needs_no_fastconv(tmp_path: Any) -> None:
    layer = nn.Sequential(nn.Conv2d(1, 1, 3))
    FT.accelerate(layer)
    (tmp_path / "m.pickle").write_bytes(pickle.dumps(layer))
    code = (
        "import sys, pickle; m = pickle.load(open(sys.argv[1], 'rb')); "
        "print(type(m[0]).__name__, [n for n in sys.modules if n.startswith('fastconv')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "m.pickle")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "Conv2d []"


def test_weights_are_freed_with_the_model() -> None:
    layer = nn.Linear(4, 4).eval()
    FT.accelerate(layer)
    with torch.no_grad():
        layer(torch.ones(1, 4))
    gone = weakref.ref(layer)
    gc.disable()
    try:
        del layer
        assert gone() is None, "no cycle keeps it"
    finally:
        gc.enable()


@pytest.mark.parametrize("grad", [False, True])
def test_compiled(model: Any, grad: bool) -> None:
    from torch._dynamo.testing import EagerAndRecordGraphs

    torch.compiler.reset()
    plain, x = copy.deepcopy(model), image()
    FT.accelerate(model)
    graphs = EagerAndRecordGraphs()
    with torch.set_grad_enabled(grad):
        close(torch.compile(model, fullgraph=True, backend=graphs)(x), plain(x))
    code = "".join(g.code for g in graphs.graphs)
    assert code.count("fastconv.conv2d") == 7 and code.count("fastconv.linear") == 1
    torch.compiler.reset()
    FT.restore(model)
    with torch.no_grad():
        close(torch.compile(model, fullgraph=True, backend="aot_eager")(x), plain(x))
    torch.compiler.reset()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_exported_model_is_torchs(model: Any) -> None:
    FT.accelerate(model)
    code = torch.export.export(model, (image(),)).graph_module.code
    assert "aten.conv2d" in code and "fastconv" not in code


class Own(nn.Conv2d):
    def forward(self, input: Any) -> Any:
        return super().forward(input) + 1


class Named(nn.Conv2d):
    """Adds nothing to what is computed."""


@pytest.mark.filterwarnings("ignore:.*(weight_norm|LazyModule|Lazy modules|sparse|Sparse):Warning")
def test_what_is_left_alone_and_why() -> None:
    from torch.nn.utils import prune

    parametrised = torch.nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    pruned = nn.Linear(2, 2)
    prune.l1_unstructured(pruned, "weight", 0.5)
    sparse = nn.Linear(2, 2)
    sparse.weight = nn.Parameter(torch.eye(2).to_sparse_csr())
    patched = nn.Linear(2, 2)
    patched.forward = lambda x: x
    with torch.inference_mode():
        inference = nn.Linear(2, 2)
    net = nn.ModuleDict(
        {
            "own": Own(1, 1, 1), "named": Named(1, 1, 1), "parametrised": parametrised, "pruned": pruned,
            "sparse": sparse, "patched": patched, "inference": inference, "lazy": nn.LazyConv2d(1, 1),
            "sixteen": nn.Conv2d(1, 1, 1).half(), "elsewhere": nn.Conv2d(1, 1, 1, device="meta"), "relu": nn.ReLU(),
            "norm": nn.BatchNorm2d(1),
            "qat": torch.ao.nn.qat.Linear(2, 2, qconfig=torch.ao.quantization.default_qconfig),
        }
    ).eval()  # fmt: skip
    report = FT.accelerate(net)
    assert report.swapped == ["named"] and isinstance(net["named"], Named)
    assert report.left == {
        "own": "a Conv2d with its own forward",
        "parametrised": "parametrised: its weights are computed on every call",
        "pruned": "its weights are computed, not parameters",
        "sparse": "its weight is sparse_csr",
        "patched": "a Linear with its own forward",
        "inference": "its weight was made in inference mode, where torch does not count changes",
        "lazy": "lazy: it has no weights before its first call",
        "sixteen": "its weight is float16",
        "elsewhere": "its weight is on meta",
        "relu": "fastconv has no operation for it",
        "norm": "fastconv has no operation for it",
        "qat": "quantised, or prepared for quantisation",
        "qat.weight_fake_quant": "quantised, or prepared for quantisation",
    }
    copied = copy.deepcopy(net["named"])
    assert isinstance(copied, Named) and isinstance(pickle.loads(pickle.dumps(copied)), Named)


def test_parametrised_later() -> None:
    layer = nn.Linear(2, 2).eval()
    report, x = FT.accelerate(layer), torch.ones(1, 2)
    torch.nn.utils.parametrize.register_parametrization(layer, "weight", nn.Softmax(0))
    with torch.no_grad():
        close(layer(x), nn.functional.linear(x, layer.weight, layer.bias))
    with pytest.raises(RuntimeError, match="ParametrizedFastLinear was changed after it was accelerated"):
        report.undo()
    torch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    report.undo()
    assert type(layer) is nn.Linear


def test_report_prints_a_table(model: Any) -> None:
    report = FT.accelerate(model)
    with torch.no_grad():
        model(image())
    lines = str(report).splitlines()
    assert lines[0] == "10 of 14 modules run on fastconv"
    assert lines[1].split() == ["module", "class", "runs", "on"]
    found = {line.split("  ")[0]: line for line in lines[2:]}
    assert found["stem"].split()[1:3] == ["Conv2d", "fastconv"]
    assert found["stem"].endswith(next(iter(model.stem.__dict__["_fastconv_state"].packed.plans.values())).kernel)
    assert found["head.1"].endswith("torch     fastconv has no operation for it")
    report.undo()
    assert str(report).splitlines()[0] == "0 of 14 modules run on fastconv"


def test_on_an_example(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastconv.interop.torch import modules as rooms

    faster = {"Conv2d"}
    trial = sys.modules["fastconv.interop.torch.accelerate"]
    fast, same = [[2.0] * 3, [1.0] * 3], [[1.0] * 3, [0.95] * 3]
    monkeypatch.setattr(trial, "_times", lambda own, ours: fast if current() in faster else same)
    seen: list[str] = []
    swap = rooms.swap
    monkeypatch.setattr(trial, "swap", lambda m, k: (seen.append(type(m).__name__), swap(m, k)))

    def current() -> str:
        return seen[-1]

    plain, before = copy.deepcopy(model), modules(model)
    report = FT.accelerate(model, example=image())
    assert set(report.swapped) == {n for n in SWAPPED if "conv" in n or n == "stem"}
    assert report.left["pool"] == "no faster on the example: 950.000 ms, torch 1000.000 ms"
    assert "1000.000 ms, torch 2000.000 ms" in str(report)
    with torch.no_grad():
        close(model(image()), plain(image()))
    report.undo()
    assert modules(model) == before


def test_times_that_scatter_swap_nothing(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = sys.modules["fastconv.interop.torch.accelerate"]
    monkeypatch.setattr(trial, "_times", lambda own, ours: [[1.0, 2.0, 2.0, 9.0], [0.5, 0.6, 0.7, 8.0]])
    report = FT.accelerate(model, example=image())
    assert report.swapped == []
    assert report.left["pool"] == "times scatter too much on the example: 650.000 ms, torch 2000.000 ms"


def test_an_example_that_misses_a_module_or_disagrees(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model.spare = nn.Linear(2, 2)
    trial = sys.modules["fastconv.interop.torch.accelerate"]
    monkeypatch.setattr(trial, "_agree", lambda a, b: False)
    report = FT.accelerate(model, example=(image(),))
    assert report.swapped == [] and report.left["spare"] == "the example does not reach it"
    assert report.left["stem"] == "its result differs from torch's on the example"


def test_an_interrupted_trial_leaves_the_model_alone(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = modules(model)
    turns = iter([[[2.0] * 3, [1.0] * 3]] * 3)

    def times(*calls: Any) -> list[list[float]]:
        for t in turns:
            return t
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["fastconv.interop.torch.accelerate"], "_times", times)
    with pytest.raises(KeyboardInterrupt):
        FT.accelerate(model, example=image())
    assert modules(model) == before


def test_wrong_arguments(model: Any) -> None:
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module, got function"):
        FT.accelerate(lambda x: x)
    with pytest.raises(ValueError, match="example needs a model in eval mode"):
        FT.accelerate(model.train(), example=image())
