"""Suites are the networks that they claim to be; a report holds what was measured and sums it up."""

import json
import math
from dataclasses import replace

import pytest

import fastconv as F
from fastconv.bench import suite as suite_module
from fastconv.bench.html import page
from fastconv.bench.records import Entry, Roofline, Row
from fastconv.bench.results import Comparison, Report, reports_json
from fastconv.bench.suite import bench, call_of, operation_called
from fastconv.bench.suites import SUITES, Case, Suite
from fastconv.bench.work import is_filter, outline
from tests.bench.test_compare import check_self_contained

pytestmark = pytest.mark.one_isa

NAMES = ["resnet50", "vgg16", "mobilenet_v2", "inception_v3", "resnext50", "convnext", "lecture", "images", "audio",
         "gemm", "few_rows", "pool", "layers", "odd_layers", "more_layers", "half", "nhwc", "elementwise", "tiny",
         "transposed", "small_maps", "gradients"]  # fmt: skip


def problem_of(case):
    operation, args, kwargs = call_of(case)
    return outline(operation, args, kwargs | {"backend": "reference"}).problem


def test_the_suites():
    assert list(SUITES) == NAMES
    for suite in SUITES.values():
        assert suite.about
        names = [c.name for c in suite.cases]
        assert len(set(names)) == len(names)
        assert all(c.count >= 1 for c in suite.cases)


@pytest.mark.parametrize("name", NAMES)
def test_every_case_is_a_problem(name):
    for case in SUITES[name].cases:
        assert is_filter(operation_called(case.operation)) or problem_of(case).flops > 0


@pytest.mark.parametrize(
    ("name", "convolutions", "products"),
    [  # as published: multiply-adds of one forward pass, in 1e9
        ("resnet50", 53, 4.09),
        ("vgg16", 13, 15.47),
        ("mobilenet_v2", 52, 0.301),
        ("inception_v3", 94, 5.71),
        ("resnext50", 53, 4.23),
        ("convnext", 22, 4.46),
    ],
)
def test_networks_have_their_layers(name, convolutions, products):
    cases = SUITES[name].cases
    assert sum(c.count for c in cases if c.operation == "conv2d") == convolutions
    summed = sum(c.count * problem_of(c).flops for c in cases if c.operation in ("conv2d", "linear")) / 2e9
    assert summed == pytest.approx(products, rel=0.01)


TINY = Suite(
    "tiny",
    "two small problems",
    (
        Case("one", "conv2d", ((1, 2, 6, 6), (3, 2, 3, 3)), (), {"padding": 1}, count=3),
        Case("two", "max_pool2d", ((1, 2, 6, 6),), (2,), dtype="float64"),
    ),
)


@pytest.fixture(scope="module")
def tiny():
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(suite_module.SUITES, "tiny", TINY)
        report = bench("tiny", peers=(), threads=1, seconds=0.005, rounds=2, progress=lambda *a: told.append(a))
    return report, told


def test_bench_measures_every_case(tiny):
    report, told = tiny
    assert [e.case.name for e in report.entries] == ["one", "two"]
    assert [e.comparison.title for e in report.entries] == ["one", "two"]
    assert [e.comparison.dtype for e in report.entries] == ["float32", "float64"]
    assert report.threads == 1
    assert {(done, total) for _, done, total in told} == {(0, 2), (1, 2)}
    assert told[0][0].startswith("tiny: one: ")
    for e in report.entries:
        assert e.regret == e.comparison.chosen.seconds / e.comparison.best.seconds
        assert e.ratio is None
    summary = report.summary
    assert (summary.cases, summary.with_peers, summary.wrong, summary.ratio, summary.below) == (2, 0, 0, None, 0)
    assert summary.regret >= 1


def test_the_best_kernel_is_one_that_may_be_chosen(tiny):
    comparison = tiny[0].entries[0].comparison
    best = comparison.best
    faster = replace(best, name="loose", chosen=False, seconds=best.seconds / 2, admitted=False)
    assert replace(comparison, rows=(faster, *comparison.rows)).best == best
    assert replace(comparison, rows=(replace(faster, admitted=True), *comparison.rows)).best.name == "loose"


def test_called_and_cold(monkeypatch):
    monkeypatch.setitem(suite_module.SUITES, "tiny", TINY)
    report = bench("tiny", peers=("torch", "onnxruntime"), threads=1, seconds=0.005, rounds=2, door="called", cold=True)
    assert report.about.endswith(", functions as they are called, cold caches")
    for e in report.entries:
        c = e.comparison
        assert (c.door, c.cold, e.regret) == ("called", True, None)
        assert c.chosen.name == "called" and c.chosen.status == "ok" and c.chosen.error < 1e-4
        assert "torch packed" not in {r.name for r in c.rows}
    first = report.entries[0].comparison
    assert "onnxruntime" not in {r.name for r in first.rows}
    assert report.summary.regret is None
    with pytest.raises(ValueError, match="door must be one of planned, called, got 'back'"):
        F.compare(F.relu, F.Spec((3,)), door="back")


def test_report_as_text_json_and_page(tiny, tmp_path):
    report, _ = tiny
    text = str(report)
    assert text.startswith("tiny: two small problems\n")
    assert "regret, the time of the kernel that fastconv chooses over that of its fastest: geometric mean" in text
    data = json.loads(reports_json([report], tmp_path / "r.json"))
    assert data == json.loads((tmp_path / "r.json").read_text())
    (only,) = data
    assert set(only) == {"fastconv", "suite", "about", "threads", "environment", "summary", "cases"}
    assert [c["count"] for c in only["cases"]] == [3, 1]
    assert only["cases"][0]["comparison"]["rows"]
    check_self_contained(page("tiny", [report]))


def row(name, kind, seconds, chosen=False, status="ok", ratio=None):
    low, high = (None, None) if seconds is None else (seconds, seconds)
    rate = None if seconds is None else 1e6 / seconds
    return Row(
        name, kind, status, "bad" if status != "ok" else None, chosen, seconds, low, high, 3, rate, 0.5, 0, 0.0,
        bound=0.0, ratio=ratio,
    )  # fmt: skip


def entry(name, count, *rows):
    limits = Roofline(1e9, 1e9, "a guess", 1)
    return Entry(
        Case(name, "conv2d", (), count=count),
        Comparison(name, "", "float32", 1, "GFLOP/s", 1e6, 1e6, limits, rows),
    )


def made_up():
    return Report(
        "made-up",
        "figures that can be added in the head",
        1,
        (
            entry(
                "fast", 2, row("cython.a", "fastconv", 1.0, True, ratio=4.0), row("torch", "peer", 4.0),
                row("ncnn", "peer", None, status="wrong"),
            ),
            entry(
                "slow", 1, row("cython.b", "fastconv", 1.0), row("torch", "peer", 2.0),
                row("cython.a", "fastconv", 4.0, True, ratio=0.5),
            ),
            entry("alone", 5, row("cython.a", "fastconv", 3.0, True)),
            entry("broken", 1, row("cython.a", "fastconv", None, True, status="failed")),
        ),
    )  # fmt: skip


def test_the_summary():
    s = made_up().summary
    assert (s.cases, s.with_peers, s.wrong, s.below) == (4, 2, 2, 1)
    assert s.ratio == pytest.approx(math.sqrt(4.0 * 0.5))
    assert s.regret == pytest.approx((1.0 * 4.0 * 1.0) ** (1 / 3))
    assert s.seconds == 2 * 1.0 + 4.0
    assert s.peer_seconds == 2 * 4.0 + 2.0


def test_the_summary_in_words():
    text = str(made_up())
    assert "geometric mean 1.41 over 2 of 4 cases, 1 of them below 1.0, a tenth of them below 0.50" in text
    assert "the same cases, as often as they occur: 6.00 s here, 10.00 s with the fastest peer for each" in text
    assert "worst 4.00 (slow: cython.a, best cython.b)" in text
    assert "wrong: fast: ncnn: bad" in text
    assert "failed: broken: cython.a: bad" in text
    twice = made_up()
    text = str(replace(twice, entries=(*twice.entries, twice.entries[-1], twice.entries[-1])))
    assert "failed: broken and 2 other cases: cython.a: bad" in text


@pytest.mark.parametrize("with_peers", [True, False])
def test_plots(with_peers, tmp_path):
    pytest.importorskip("matplotlib")
    from fastconv.bench.plot import plot_reports

    report = made_up()
    entries = report.entries if with_peers else report.entries[2:]
    plot_reports([Report("a", "b", 1, entries), Report("c", "d", 2, entries)], tmp_path / "r.png")
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_unknown_suites_are_refused():
    with pytest.raises(ValueError, match=r"suite must be one of resnet50, .*, gradients, got 'alexnet'"):
        bench("alexnet")
