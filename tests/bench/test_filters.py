"""Filters in measurements: peers do what functions of scipy.ndimage do, and blocks of large images are checked."""

import numpy as np
import pytest

import fastconv as F
import fastconv.ndimage as ndi
from fastconv.bench import peers
from fastconv.bench.filters import Unplanned, blocks_of
from fastconv.bench.measure import NEAR, measure
from fastconv.bench.peers.base import Unsupported
from fastconv.bench.suite import call_of, operations
from fastconv.bench.suites import SUITES
from fastconv.bench.work import error_of, exact, is_filter, make_work

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

S = F.Spec
CASES = {
    "correlate": (ndi.correlate, (S((90, 80)), S((5, 3))), {"mode": "mirror"}),
    "correlate f64": (ndi.correlate, (S((90, 80), "float64"), S((3, 3), "float64")), {"mode": "nearest"}),
    "correlate zeros": (ndi.correlate, (S((90, 80)), S((3, 3))), {"mode": "constant"}),
    "correlate u8": (ndi.correlate, (S((90, 80), "uint8"), S((5, 5), "uint8")), {"mode": "nearest", "output": "int32"}),
    "gaussian": (ndi.gaussian_filter, (S((90, 80)), 1.5), {"mode": "nearest"}),
    "uniform": (ndi.uniform_filter, (S((90, 80)), 5), {"mode": "nearest"}),
    "maximum": (ndi.maximum_filter, (S((90, 80), "uint8"), 7), {"mode": "nearest"}),
    "minimum": (ndi.minimum_filter, (S((90, 80)), 3), {"mode": "nearest"}),
    "opening": (ndi.grey_opening, (S((90, 80), "uint8"), 5), {"mode": "nearest"}),
    "sobel": (ndi.sobel, (S((90, 80)),), {"mode": "nearest"}),
    "sobel of columns": (ndi.sobel, (S((90, 80), "uint8"), 0), {"mode": "nearest", "output": "int16"}),
    "sobel u8": (ndi.sobel, (S((90, 80), "uint8"),), {"mode": "nearest", "output": "int16"}),
    "laplace": (ndi.laplace, (S((90, 80)),), {}),
    "magnitude": (ndi.gaussian_gradient_magnitude, (S((90, 80)), 2.0), {}),
    "median": (ndi.median_filter, (S((90, 80), "uint8"), 5), {"mode": "nearest"}),
    "median f32": (ndi.median_filter, (S((90, 80)), 3), {"mode": "nearest"}),
}
NONE = {
    "scipy": set(),
    "opencv": set(),
    "ipp": {"correlate u8", "laplace", "magnitude"},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("peer", NONE)
def test_peers_filter_as_the_definition(peer, case):
    for package in peers.PEERS[peer][0]:
        pytest.importorskip(package, exc_type=ImportError)
    function, args, kwargs = CASES[case]
    work = make_work(function, args, {**kwargs, "threads": 1})
    try:
        offered = peers.load(peer).contenders(work)
    except Unsupported as e:
        assert case in NONE[peer], e
        return
    assert case not in NONE[peer]
    for contender in offered:
        _, wrong = error_of(work, contender.results(contender.run()), exact(work))
        assert wrong is None, wrong


def test_filters_of_several_kernels_are_measured_as_they_are_called():
    work = make_work(ndi.laplace, (S((4, 20, 30)),), {"threads": 1})
    assert isinstance(work.plan, Unplanned)
    found = measure(ndi.laplace, (S((4, 20, 30)),), {"threads": 1}, (), 0.01, 1)
    assert found.door == "called"
    assert [(r.name, r.status) for r in found.rows] == [("called", "ok")]


@pytest.mark.parametrize("case", ["correlate", "gaussian", "opening", "magnitude", "median"])
def test_blocks_of_large_images_hold_what_the_whole_has(case):
    function, args, kwargs = CASES[case]
    shape = (130, 170)
    large = make_work(function, (S(shape, args[0].dtype), *args[1:]), {**kwargs, "threads": 1})
    assert len(large.blocks) == 3
    got = np.asarray(function(*large.args, **large.kwargs))
    assert error_of(large, (got.reshape(-1),), (exact(large)[0],))[1] is None
    middle = got.astype(got.dtype, copy=True)
    middle[65, 85] += 7
    assert error_of(large, (middle.reshape(-1),), exact(large))[1] is not None


def test_what_has_no_parts_is_checked_whole():
    for kwargs in ({"mode": "wrap"}, {"mode": ("wrap", "nearest")}):
        assert len(make_work(ndi.gaussian_laplace, (S((130, 170)), 1.0), {**kwargs, "threads": 1}).blocks) == 1


def test_a_peer_with_other_pixels_is_timed_and_marked():
    pytest.importorskip("cv2")
    found = measure(ndi.gaussian_filter, (S((90, 80), "uint8"), 2.0), {"mode": "nearest"}, ("opencv",), 0.01, 1)
    row = next(r for r in found.rows if r.kind == "peer")
    assert row.other
    assert row.seconds is not None
    assert 0 < row.error < NEAR
    assert "~ computes other pixels" in found.to_text()
    assert not any(r.other for r in found.rows if r.kind == "fastconv")


def test_the_suite_names_filters_that_exist():
    cases = [c for c in SUITES["images"].cases if c.operation in vars(ndi)]
    assert len(cases) > 60
    for c in cases:
        function, _, _ = call_of(c)
        assert is_filter(function)
    assert {f for f in operations() if f in ndi.__all__} >= {c.operation for c in cases}


def test_all_is_checked_where_no_part_can_be_filtered_by_itself():
    x = np.zeros((130, 170), np.float32)
    given = {"mode": "nearest"}
    assert len(blocks_of(ndi.sobel, x, (), given)) == 3
    for function, args, kwargs in (
        (ndi.sobel, (), {"mode": "wrap"}),
        (ndi.gaussian_filter, (1.0,), {"mode": ("nearest", "wrap")}),
        (ndi.generic_laplace, (ndi.sobel,), given),
        (ndi.sobel, (), given),
    ):
        image = x if function is not ndi.sobel or kwargs["mode"] == "wrap" else x[:50, :50]
        (block,) = blocks_of(function, image, args, kwargs)
        assert block.read == block.write == block.inner == (slice(None),) * 2


def test_a_missing_peer_is_named_as_it_is_installed():
    assert peers.missing("ipp") in (None, "ipp is not installed: pip install ipp")
