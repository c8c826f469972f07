"""fastconv.compare and backends(): structure, checking before timing, notes. No time is asserted."""

import dataclasses
import itertools
import json
import math
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import fastconv as F
from fastconv.bench import timing
from fastconv.bench.peers import PEERS, missing
from fastconv.bench.records import Row
from fastconv.bench.roofline import roofline
from fastconv.bench.work import error_of, exact, make_work
from fastconv.core.kernel import Kernel
from fastconv.dispatch import plan as plan_module
from fastconv.dispatch import registry, wisdom

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

QUICK = {"seconds": 0.005, "rounds": 2, "threads": 1}
S = F.Spec


def small(**kwargs):
    return F.compare(F.conv2d, S((1, 3, 8, 9)), S((4, 3, 3, 3)), S((4,)), padding=1, **(QUICK | {"peers": ()} | kwargs))


def test_every_kernel_that_can_run_is_a_row_and_every_other_has_a_reason():
    found = small()
    names = {r.name for r in found.rows}
    problem = F.plan(F.conv2d, S((1, 3, 8, 9)), np.ones((4, 3, 3, 3), "f"), np.ones(4, "f"), padding=1).problem
    can = {k.name for k in registry.kernels("conv") if k.reject(problem) is None}
    assert names == can
    assert {n for n, _ in found.left_out} == {k.name for k in registry.kernels("conv")} - can
    assert all(reason for _, reason in found.left_out)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("operation", "shapes", "args", "kwargs"),
    [
        ("conv1d", ((2, 4, 20), (6, 4, 3), (6,)), (), {"padding": "same"}),
        ("conv2d", ((1, 4, 9, 9), (8, 2, 3, 3)), (), {"groups": 2, "stride": 2, "padding": [(1, 0), (2, 1)]}),
        ("conv2d", ((1, 9, 9, 4), (8, 4, 3, 3)), (), {"layout": "NHWC"}),
        ("conv2d", ((4, 9, 9), (8, 4, 3, 3)), (), {"padding": 1, "padding_mode": "reflect"}),
        ("conv3d", ((1, 2, 5, 6, 7), (3, 2, 2, 3, 3)), (), {}),
        ("conv_transpose1d", ((1, 4, 9), (4, 3, 4)), (), {"stride": 2}),
        ("conv_transpose2d", ((1, 4, 5, 5), (4, 3, 3, 3)), (), {"stride": 2, "output_padding": 1}),
        ("conv_transpose3d", ((1, 2, 3, 4, 4), (2, 3, 2, 2, 2)), (), {"padding": 1}),
        ("max_pool1d", ((1, 3, 20),), (3,), {}),
        ("max_pool2d", ((1, 3, 9, 9),), (2,), {"ceil_mode": True, "return_indices": True}),
        ("max_pool3d", ((1, 3, 5, 6, 7),), (2,), {}),
        ("avg_pool1d", ((1, 3, 20),), (3, 2, 1), {}),
        ("avg_pool2d", ((1, 3, 9, 9),), (3, 2, 1), {"count_include_pad": False}),
        ("avg_pool3d", ((1, 3, 5, 6, 7),), (2,), {}),
        ("adaptive_avg_pool2d", ((1, 3, 9, 9),), (4,), {}),
        ("global_avg_pool", ((1, 3, 9, 9),), (), {}),
        ("matmul", ((2, 5, 6), (2, 6, 7)), (), {}),
        ("linear", ((5, 6), (7, 6), (7,)), (), {}),
        ("gemm", ((5, 6), (7, 6), (5, 7)), (), {"trans_b": True, "alpha": 0.5, "beta": 2.0}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_operations_are_measured_and_right(operation, shapes, args, kwargs, dtype):
    arrays = [S(shape, dtype) for shape in shapes]
    found = F.compare(getattr(F, operation), *arrays, *args, peers=(), **QUICK, **kwargs)
    assert found.rows
    assert {(r.name, r.status, r.why) for r in found.rows if r.status != "ok"} == set()
    assert found.dtype == dtype
    assert found.unit == ("GB/s" if "pool" in operation else "GFLOP/s")
    assert [r.chosen for r in found.rows].count(True) == 1
    limit = 1e-12 if dtype == "float64" else 2e-5
    for r in found.rows:
        assert r.kind == "fastconv"
        assert 0 <= r.error <= limit
        assert 0 < r.low <= r.seconds <= r.high
        assert 1 <= r.samples <= QUICK["rounds"]
        work = found.bytes if found.unit == "GB/s" else found.flops
        assert r.rate == pytest.approx(work / r.seconds)
        assert r.roofline > 0
        assert r.workspace >= 0
        assert r.ratio is None  # nothing to compare with
    assert [r.seconds for r in found.rows] == sorted(r.seconds for r in found.rows)


def test_the_users_arrays_are_computed():
    x, w = np.zeros((1, 1, 4, 4)), np.ones((1, 1, 2, 2))
    x[0, 0, 1, 1] = np.nan
    work = make_work(F.conv2d, (x, w), {})
    assert work.x is x
    want = exact(work)
    assert want[0].dtype == np.float64
    assert np.isnan(want[0]).sum() == 4
    assert error_of(work, want, want) == (0.0, None)
    without = (np.zeros_like(want[0]),)
    assert error_of(work, without, want)[1] == "infinities or NaN in other places than the definition's"


def test_errors_are_relative_and_shapes_are_checked():
    work = make_work(F.conv2d, (np.ones((1, 1, 4, 4), "f"), np.ones((1, 1, 2, 2), "f")), {})
    want = exact(work)
    off = (want[0].astype("f") * np.float32(1.001),)
    error, why = error_of(work, off, want)
    assert error == pytest.approx(1e-3, rel=1e-3)
    assert why == "error 1.0e-03 exceeds 1.2e-04"
    assert error_of(work, (want[0][:, :, :, 1:],), want)[1].startswith(
        "gave shape (1, 1, 1, 2, 3), (1, 1, 1, 3, 3) was"
    )
    assert error_of(work, want + want, want)[1] == "gave 2 results, 1 were expected"


class Faulty(Kernel):
    """Claims everything; gives a constant, or raises."""

    op, backend, algorithm = "conv", "numpy", "faulty"

    def __init__(self, raises):
        self.raises = raises
        self.calls = 0

    def reject(self, problem):
        return None

    def cost(self, problem, table):
        return 1e9

    def workspace(self, problem):
        return 0

    def error(self, problem):
        return 0.0

    def prepare(self, problem, constants, threads):
        def run(x, out):
            self.calls += 1
            if self.raises:
                raise RuntimeError("broke down\nwith details")
            out[...] = 1e6

        return run


@pytest.mark.parametrize("raises", [False, True], ids=["wrong", "failed"])
def test_a_wrong_or_failing_kernel_is_shown_and_not_timed(raises):
    faulty = Faulty(raises)
    F.register(faulty)
    try:
        found = small()
    finally:
        F.unregister(faulty)
    row = found.rows[-1]
    assert row.name == "numpy.faulty"
    assert row.status == ("failed" if raises else "wrong")
    assert row.why == "RuntimeError: broke down" if raises else "exceeds" in row.why
    assert (row.seconds, row.rate, row.ratio) == (None, None, None)
    assert faulty.calls == 1  # to be checked; not once more
    assert row.status.upper() in str(found)
    json.loads(found.to_json())


def test_backend_and_algorithm_restrict_the_kernels():
    found = small(backend="numpy", algorithm="im2col")
    assert [r.name for r in found.rows] == ["numpy.im2col"]
    assert ("reference.definition", "backend='numpy' was asked for") in found.left_out


def test_the_reference_is_not_timed_on_large_problems():
    found = F.compare(F.conv2d, S((1, 16, 30, 30)), S((16, 16, 3, 3)), peers=(), backend="auto", **QUICK)
    assert not any(r.name.startswith("reference") for r in found.rows)
    assert dict(found.left_out)["reference.definition"].startswith("the definition: it checks the others")


def test_later_choices_follow_only_if_asked(monkeypatch):
    monkeypatch.setattr(timing, "STEADY", math.inf)  # whatever else this machine does
    wisdom.clear()
    try:
        small()
        problem = F.plan(F.conv2d, S((1, 3, 8, 9)), np.ones((4, 3, 3, 3), "f"), np.ones(4, "f"), padding=1).problem
        assert all(wisdom.measured(k, problem) is None for k in registry.kernels("conv"))
        found = small(record=True, rounds=3)
        times = {k.name: wisdom.measured(k, problem) for k in registry.kernels("conv")}
        timed = {r.name: r.seconds for r in found.rows}
        assert timed.pop("reference.definition") > 0  # decides nothing, and is not kept
        assert {n: t for n, t in times.items() if t is not None} == timed
    finally:
        wisdom.clear()
        plan_module.clear_cache()


def test_times_that_scatter_are_not_recorded(monkeypatch):
    monkeypatch.setattr(timing, "STEADY", -1.0)
    wisdom.clear()
    found = small(record=True, rounds=3)
    assert any(note.startswith("nothing was recorded: the times of the fastest") for note in found.notes)
    problem = F.plan(F.conv2d, S((1, 3, 8, 9)), np.ones((4, 3, 3, 3), "f"), np.ones(4, "f"), padding=1).problem
    assert all(wisdom.measured(k, problem) is None for k in registry.kernels("conv"))


def test_peers_take_part_or_say_why_not():
    pytest.importorskip("scipy")
    found = small(peers=("scipy",))
    row = next(r for r in found.rows if r.kind == "peer")
    assert (row.name, row.status, row.ratio, row.workspace) == ("scipy", "ok", 1.0, None)
    assert found.best_peer is row
    own = found.chosen
    assert own.ratio == pytest.approx(row.seconds / own.seconds)
    assert found.versions["scipy"]
    pooled = F.compare(F.max_pool2d, S((1, 1, 4, 4)), 2, peers=("scipy",), **QUICK)
    assert "scipy: has correlation and matrix products only" in pooled.notes


@pytest.mark.parametrize("peer", [p for p in PEERS if p != "numpy"])
def test_a_missing_peer_is_a_note_with_the_command(peer, monkeypatch):
    packages, command = PEERS[peer]
    monkeypatch.setitem(sys.modules, packages[0], None)  # what Python sees for a blocked import
    assert missing(peer).endswith(command)
    found = small(peers=(peer,))
    assert [n for n in found.notes if command in n] == [missing(peer)]
    assert all(r.kind == "fastconv" for r in found.rows)
    assert missing(peer) in str(found)


def test_unknown_peers_and_operations_are_refused():
    with pytest.raises(ValueError, match=r"peers must be among numpy, scipy, torch, .* got 'tensorflow'"):
        small(peers=("tensorflow",))
    with pytest.raises(TypeError, match="plan needs one of fastconv's operations"):
        F.compare(np.abs, np.ones(3), peers=())
    with pytest.raises(TypeError, match="compare needs the arguments of conv2d, the input first"):
        F.compare(F.conv2d, peers=())
    with pytest.raises(F.ShapeError, match="input must have 3 channels"):
        F.compare(F.conv2d, S((1, 2, 8, 8)), S((4, 3, 3, 3)), peers=())


def test_progress_is_told():
    told = []
    small(progress=lambda what, done, total: told.append((what, done, total)))
    assert told[0][0] == "float64 result"
    assert told[-1] == ("timing", 2, 2)
    assert all(done <= total for _, done, total in told)


def test_as_text_and_json():
    found = small(title="a title")
    text = str(found)
    assert text == repr(found)
    assert text.startswith("a title\nfloat32, 1 thread;")
    for word in ("time", "spread", "samples", "rate", "roofline", "workspace", "max error", "GFLOP/s"):
        assert word in text
    assert sum(line.startswith("* ") and found.chosen.name in line for line in text.splitlines()) == 1
    data = json.loads(found.to_json())
    assert set(data) == {"fastconv", *(f.name for f in dataclasses.fields(found))}
    assert data["fastconv"] == F.__version__
    assert [r["name"] for r in data["rows"]] == [r.name for r in found.rows]
    assert set(data["rows"][0]) == {f.name for f in dataclasses.fields(Row)}
    assert data["roofline"]["peak"] > 1e8
    assert data["roofline"]["bandwidth"] > 1e8


def test_json_and_html_files(tmp_path):
    found = small(title="1 < 2 & so on")
    text = found.to_json(tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text()) == json.loads(text)
    page = found.to_html(tmp_path / "c.html")
    assert (tmp_path / "c.html").read_text(encoding="utf-8") == page
    check_self_contained(page)
    assert "1 &lt; 2 &amp; so on" in page
    assert page.count('class="bar"') == sum(r.rate is not None for r in found.main_rows)
    assert page.count("1 &lt; 2 &amp; so on") == 2  # the title of the page, and its heading
    assert found.environment["date"] in page
    assert all(word in found._repr_html_() for word in ("<style>", 'class="bar"', found.chosen.name))


class _Walk(HTMLParser):
    """Open tags close in order, and nothing is fetched."""

    void = ("meta", "br")

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base")
        for name, value in attrs:
            assert name not in ("src", "href", "srcset", "data", "xlink:href")
            assert name == "xmlns" or "://" not in (value or "")
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.void:
            assert self.open.pop() == tag


def check_self_contained(page):
    walk = _Walk()
    walk.feed(page)
    walk.close()
    assert walk.open == []
    assert {"html", "style", "table", "td"} <= walk.seen
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_plot(tmp_path, suffix):
    pytest.importorskip("matplotlib")
    target = tmp_path / f"c.{suffix}"
    small().plot(target)
    start = target.read_bytes()[:500]
    assert start.startswith(b"\x89PNG\r\n\x1a\n" if suffix == "png" else b"<?xml")


def test_plot_without_matplotlib_says_what_to_install(tmp_path, monkeypatch):
    found = small()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(F.MissingExtraError, match=r"a plot needs matplotlib, .* pip install 'fastconv\[plot\]'"):
        found.plot(tmp_path / "c.png")


def test_rounds_are_shared_out_in_turns(monkeypatch):
    monkeypatch.setattr(timing, "STEADY", math.inf)  # no repeats, whatever else this machine does
    order = []
    runs = [lambda i=i: order.append(i) for i in range(3)]
    steps = []
    times = timing.interleave(runs, seconds=1.0, rounds=4, step=lambda: steps.append(len(order)))
    assert [t.samples for t in times] == [4, 4, 4]
    assert len(steps) == 4
    for begin, end in itertools.pairwise(steps):
        assert set(order[begin:end]) == {0, 1, 2}  # all contenders, in each round


def test_slow_contenders_get_fewer_samples(monkeypatch):
    work = clocked(monkeypatch)
    fast, slow, endless = timing.interleave([work(1e-3), work(0.1), work(5.0)], seconds=1.0, rounds=10)
    assert (fast.samples, slow.samples, endless.samples) == (10, 5, 1)
    assert fast.median == pytest.approx(1e-3)
    assert slow.median == pytest.approx(0.1)
    assert endless.median == pytest.approx(5.0)
    assert fast.spread == pytest.approx(0)


def clocked(monkeypatch):
    """Work that takes as long as it says, on a clock that nothing else moves."""
    clock = [0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])

    def work(*seconds):
        durations = itertools.cycle(seconds)

        def run():
            clock[0] += next(durations)

        return run

    return work


def test_those_far_behind_get_one_sample_unless_they_are_kept(monkeypatch):
    work = clocked(monkeypatch)
    runs = [work(1e-3), work(0.006), work(0.006)]
    first, slow, kept = timing.interleave(runs, seconds=1.0, rounds=10, slow=5.0, keep=[2])
    assert (first.samples, slow.samples, kept.samples) == (10, 1, 10)
    hiccup = [0.5, *[1e-3] * 1000]  # one run that another program stopped does not make a contender slow
    _, steady = timing.interleave([work(1e-3), work(*hiccup)], seconds=1.0, rounds=10, slow=5.0)
    assert steady.samples >= 10


def test_a_budget_holds_for_all_together(monkeypatch):
    work = clocked(monkeypatch)
    times = timing.interleave([work(0.1), work(0.1)], seconds=10.0, rounds=20, budget=2.0)
    assert all(3 <= t.samples <= 6 for t in times)
    assert all(t.samples == 1 for t in timing.interleave([work(0.1)] * 9, seconds=10.0, rounds=20, budget=0.2))


def test_times_that_scatter_are_taken_again(monkeypatch):
    work = clocked(monkeypatch)
    steady, unsteady = timing.interleave([work(1e-2), work(1e-2, 1e-2, 2e-2, 3e-2, 4e-2)], seconds=1.0, rounds=5)
    assert (steady.samples, steady.steady) == (5, True)
    assert (unsteady.samples, unsteady.steady) == (15, False)


def test_whether_times_tell_the_fastest():
    def times(median, spread=0.0, samples=5):
        return timing.Times(median, median - spread / 2, median + spread / 2, samples)

    assert timing.settled([times(1.0), times(2.0), times(9.0, samples=1), times(9.0, spread=8.0)])
    assert not timing.settled([times(1.0, spread=0.5), times(2.0)])
    assert not timing.settled([times(1.0), times(1.2, spread=0.5)])
    assert not timing.settled([times(1.0, samples=1)])


def test_roofline_is_measured_for_both_widths():
    single, double = roofline(1, np.dtype("f4")), roofline(1, np.dtype("f8"))
    assert single.bandwidth == double.bandwidth
    problem = F.plan(F.conv2d, S((1, 3, 8, 9)), np.ones((4, 3, 3, 3), "f")).problem
    assert single.seconds(problem) == max(problem.flops / single.peak, problem.bytes / single.bandwidth)
    pooled = F.plan(F.max_pool2d, S((1, 3, 8, 8)), 2).problem
    assert single.seconds(pooled) == pooled.bytes / single.bandwidth


def test_backends_is_data_and_a_table(monkeypatch):
    found = F.backends()
    assert list(found) == ["cython", "numba", "numpy", "reference"]
    assert {"numpy", "reference"} <= set(found.usable)
    assert found["numpy"].version == np.__version__
    lines = str(found).splitlines()
    assert lines[0].split()[:3] == ["backend", "usable", "version"]
    assert [line.split()[0] for line in lines[1:]] == list(found)


def test_backends_say_why_they_are_missing(monkeypatch):
    from fastconv.backends.cython.runtime import native
    from fastconv.bench import backends

    monkeypatch.setattr(native, "build_problem", lambda: "not compiled: no C compiler")
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    found = F.backends()
    assert not found["cython"].usable
    assert found["cython"].why == "not compiled: no C compiler"
    assert not found["numba"].usable
    assert found["numba"].why == "numba is not installed: pip install 'fastconv[numba]'"
    assert found.usable == ("numpy", "reference")
    assert "pip install 'fastconv[numba]'" in str(found)


def test_the_public_doors_cost_nothing_at_import():
    ours = ("measure", "results", "records", "backends")
    peers = [p for p in PEERS if p != "numpy"]
    lazy = (*(f"fastconv.bench.{name}" for name in ours), "importlib.metadata", "rich", "threadpoolctl", *peers)
    code = (
        "import sys, fastconv\n"
        f"heavy = [m for m in sys.modules if m in {lazy}]\n"
        "assert not heavy, heavy\n"
        "fastconv.plan(fastconv.conv2d, fastconv.Spec((1, 1, 4, 4)), [[[[1.0]]]])\n"
        "assert 'numpy' in fastconv.backends()\n"
        "assert fastconv.compare.__doc__ and fastconv.backends.__doc__\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_native_code_the_peak_is_that_of_a_matrix_product(monkeypatch):
    from fastconv.backends.cython.runtime import native
    from fastconv.bench import roofline as module

    # The answer is kept.
    monkeypatch.setattr(native, "unavailable", lambda isa, types=None: "not compiled: no C compiler")
    rate, source = module.peak.__wrapped__(1, 4)
    assert source == "NumPy matmul"
    assert rate > 1e8
