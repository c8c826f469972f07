"""Every installed peer gives the same results as the definition, or says in words why it does not take part."""

import numpy as np
import pytest

import fastconv as F
from fastconv.bench import peers
from fastconv.bench.peers.base import Unsupported
from fastconv.bench.work import error_of, exact, make_work

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

S = F.Spec
CONV = {
    "plain": (((1, 4, 9, 10), (6, 4, 3, 3)), {}),
    "bias, stride, padding": (((1, 4, 9, 10), (6, 4, 3, 3), (6,)), {"stride": (2, 1), "padding": (1, 2)}),
    "dilation, groups": (((1, 4, 9, 10), (6, 2, 3, 2)), {"dilation": 2, "groups": 2}),
    "depthwise": (((1, 4, 9, 10), (4, 1, 3, 3), (4,)), {"padding": 1, "groups": 4}),
    "two images": (((2, 4, 9, 10), (6, 4, 3, 3)), {"padding": 1}),
    "uneven padding": (((1, 4, 9, 10), (6, 4, 3, 3)), {"padding": [(1, 0), (0, 2)]}),
    "one plane": (((1, 1, 9, 10), (1, 1, 3, 5), (1,)), {"padding": (1, 2)}),
    "reflect": (((1, 1, 9, 10), (1, 1, 3, 3)), {"padding": 1, "padding_mode": "reflect"}),
    "replicate": (((1, 1, 9, 10), (3, 1, 3, 3)), {"padding": 1, "padding_mode": "replicate"}),
    "circular": (((1, 1, 9, 10), (1, 1, 3, 3)), {"padding": 1, "padding_mode": "circular"}),
    "symmetric": (((1, 1, 9, 10), (1, 1, 3, 3)), {"padding": 1, "padding_mode": "symmetric"}),
    "NHWC": (((1, 9, 10, 4), (6, 4, 3, 3)), {"padding": 1, "layout": "NHWC"}),
    "unbatched": (((4, 9, 10), (6, 4, 3, 3)), {"padding": 1}),
}
OTHER = {
    "conv1d": ("conv1d", ((1, 4, 30), (6, 2, 5), (6,)), (), {"padding": 2, "groups": 2, "stride": 2}),
    "conv3d": ("conv3d", ((1, 2, 5, 6, 7), (3, 2, 3, 2, 3)), (), {"padding": 1}),
    "transposed 1": ("conv_transpose1d", ((1, 4, 9), (4, 3, 4), (3,)), (), {"stride": 3, "padding": 1}),
    "transposed 2": ("conv_transpose2d", ((1, 4, 5, 6), (4, 3, 3, 4), (3,)), (), {"stride": 2, "padding": 1}),
    "transposed groups": (
        "conv_transpose2d",
        ((1, 4, 5, 6), (4, 3, 3, 4)),
        (),
        {"stride": 2, "output_padding": (1, 0), "groups": 2, "dilation": 2},
    ),
    "transposed 3": ("conv_transpose3d", ((1, 2, 3, 4, 4), (2, 3, 2, 2, 2)), (), {"stride": 2}),
    "max": ("max_pool2d", ((1, 3, 9, 10),), (3, 2, 1), {}),
    "max ceil": ("max_pool2d", ((1, 3, 9, 10),), (2,), {"ceil_mode": True}),
    "max indices": ("max_pool2d", ((2, 3, 9, 10),), (2,), {"return_indices": True}),
    "max dilated": ("max_pool2d", ((1, 3, 9, 10),), (2,), {"dilation": 2}),
    "max 1": ("max_pool1d", ((1, 3, 20),), (3, 2), {}),
    "max 3": ("max_pool3d", ((1, 3, 5, 6, 7),), (2,), {}),
    "avg": ("avg_pool2d", ((1, 3, 9, 10),), (3, 2, 1), {}),
    "avg without padding": ("avg_pool2d", ((1, 3, 9, 10),), (3, 2, 1), {"count_include_pad": False}),
    "avg ceil": ("avg_pool2d", ((1, 3, 9, 10),), (2,), {"ceil_mode": True}),
    "avg 1": ("avg_pool1d", ((1, 3, 20),), (3, 2, 1), {}),
    "avg divisor": ("avg_pool2d", ((1, 3, 9, 10),), (2,), {"divisor_override": 3}),
    "lp": ("lp_pool2d", ((1, 3, 9, 10),), (2.0, 2), {}),
    "adaptive": ("adaptive_avg_pool2d", ((1, 3, 9, 10),), (4,), {}),
    "adaptive max": ("adaptive_max_pool2d", ((1, 3, 9, 10),), (4,), {}),
    "global": ("global_avg_pool", ((1, 3, 9, 10),), (), {}),
    "matmul": ("matmul", ((8, 5), (5, 7)), (), {}),
    "matmul batch": ("matmul", ((3, 8, 5), (3, 5, 7)), (), {}),
    "linear": ("linear", ((8, 5), (7, 5), (7,)), (), {}),
    "linear, 3 axes": ("linear", ((2, 3, 5), (7, 5)), (), {}),
    "gemm": ("gemm", ((8, 5), (7, 5), (8, 7)), (), {"trans_b": True, "alpha": 0.5, "beta": 2.0}),
    "gemm, both transposed": ("gemm", ((5, 8), (7, 5)), (), {"trans_a": True, "trans_b": True}),
}
CASES = {f"conv2d {name}": ("conv2d", shapes, (), kwargs) for name, (shapes, kwargs) in CONV.items()} | OTHER

# What each peer must be able to do: otherwise "it says no" would pass for everything.
MUST = {
    "numpy": {"matmul", "matmul batch", "linear", "linear, 3 axes", "gemm", "gemm, both transposed"},
    "scipy": {"conv2d plain", "conv2d circular", "conv1d", "conv3d", "matmul"},
    "torch": {*CASES} - {"conv2d symmetric", "global"},
    "onnxruntime": {"conv2d plain", "conv2d replicate", "conv1d", "conv3d", "transposed 2", "transposed groups",
                    "max indices", "avg without padding", "matmul", "matmul batch", "linear", "gemm"},
    "openvino": {"conv2d plain", "conv2d depthwise", "conv2d symmetric", "transposed 2", "max", "avg", "matmul",
                 "linear"},
    "ncnn": {"conv2d plain", "conv2d depthwise", "conv1d", "conv3d", "transposed 2", "max", "max ceil", "avg",
             "matmul"},
    "opencv": {"conv2d one plane", "conv2d depthwise", "conv2d reflect", "conv2d symmetric", "matmul", "gemm"},
    "ipp": set(),  # filters of images only: see test_filters
}  # fmt: skip


def load(peer):
    for package in peers.PEERS[peer][0]:
        pytest.importorskip(package, exc_type=ImportError)
    return peers.load(peer)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("peer", peers.PEERS)
def test_results(peer, case):
    module = load(peer)
    operation, shapes, args, kwargs = CASES[case]
    work = make_work(getattr(F, operation), (*map(S, shapes), *args), {**kwargs, "threads": 1})
    try:
        offered = module.contenders(work)
    except Unsupported as e:
        assert len(str(e)) > 10
        assert case not in MUST[peer], e
        return
    assert offered
    with module.limit(1):
        for contender in offered:
            error, wrong = error_of(work, contender.results(contender.run()), exact(work))
            assert wrong is None, contender.name
            assert error < 2e-5
            again, _ = error_of(work, contender.results(contender.run()), exact(work))
            assert again == error


def test_torch_with_packed_weights_is_a_contender_of_its_own():
    module = load("torch")
    work = make_work(F.conv2d, (S((1, 4, 9, 10)), S((6, 4, 3, 3))), {"threads": 1})
    names = [c.name for c in module.contenders(work)]
    assert names[0] == "torch"
    assert set(names) <= {"torch", "torch channels last", "torch packed"}


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_torch_pools_in_both_orders_of_memory(layout):
    module = load("torch")
    for pool, spatial in ((F.avg_pool1d, (9,)), (F.max_pool2d, (9, 10)), (F.max_pool3d, (5, 6, 7))):
        shape = (2, 3, *spatial) if layout == "NCHW" else (2, *spatial, 3)
        names = [c.name for c in module.contenders(make_work(pool, (S(shape), 2), {"threads": 1, "layout": layout}))]
        other = "torch channels last" if layout == "NCHW" else "torch channels first"
        assert names == ["torch", other] if len(spatial) > 1 else names == ["torch"]


@pytest.mark.parametrize("peer", ["openvino", "ncnn"])
def test_float32_peers_say_so(peer):
    module = load(peer)
    work = make_work(F.conv2d, (S((1, 4, 9, 10), np.float64), S((6, 4, 3, 3), np.float64)), {"threads": 1})
    with pytest.raises(Unsupported, match="computes in float32, not float64"):
        module.contenders(work)


def test_onnxruntime_has_no_double_convolution():
    module = load("onnxruntime")
    work = make_work(F.conv2d, (S((1, 4, 9, 10), np.float64), S((6, 4, 3, 3), np.float64)), {"threads": 1})
    with pytest.raises(Unsupported, match="has no kernel for Conv of float64 on a CPU"):
        module.contenders(work)


def test_scipy_is_left_out_where_it_would_take_seconds():
    module = load("scipy")
    work = make_work(
        F.conv2d, (S((1, 64, 56, 56)), S((64, 64, 3, 3))), {"threads": 1, "padding": 1, "backend": "numpy"}
    )
    with pytest.raises(Unsupported, match=r"left out: it would take about \d+\.\d s a run"):
        module.contenders(work)


@pytest.mark.parametrize("peer", ["torch", "opencv"])
def test_thread_limits_are_put_back(peer):
    module = load(peer)
    read = {"torch": lambda: __import__("torch").get_num_threads(), "opencv": lambda: __import__("cv2").getNumThreads()}
    before = read[peer]()
    with pytest.raises(RuntimeError), module.limit(1):
        assert read[peer]() == 1
        raise RuntimeError
    assert read[peer]() == before


@pytest.mark.parametrize("peer", [p for p in peers.PEERS if MUST[p]])
def test_contenders_own_what_they_read(peer):
    """Results stay although only the contender is kept and memory is used again."""
    module = load(peer)
    work = make_work(F.matmul, (S((2, 60, 50)), S((2, 50, 40))), {"threads": 1})
    want = exact(work)
    try:
        (contender,) = module.contenders(work)
    except Unsupported:
        work = make_work(F.matmul, (S((60, 50)), S((50, 40))), {"threads": 1})
        want = exact(work)
        (contender,) = module.contenders(work)
    noise = [np.full((2, 60, 50), np.nan, np.float32) for _ in range(50)]
    assert error_of(work, contender.results(contender.run()), want)[1] is None
    assert len(noise) == 50
