"""Drawn problems: the same for a seed, of the promised sizes, and each repeated by the command that names it."""

import subprocess
import sys
from functools import cache

import numpy as np
import pytest

import fastconv as F
from fastconv.bench.drawn import drawn_text
from fastconv.bench.drawn_cases import LEAST, MOST, draw, drawn_suite, family_of
from fastconv.bench.records import Entry, Roofline, Row
from fastconv.bench.results import Comparison, Report
from fastconv.bench.suite import call_of
from fastconv.bench.suites import Case, Suite
from fastconv.bench.work import make_work, outline
from fastconv.cli import main

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets


@cache
def suite() -> Suite:
    return drawn_suite(120, 7)


def test_a_seed_gives_the_same_problems_whatever_their_number():
    assert drawn_suite(9, 7).cases == suite().cases[:9]
    assert draw(5, 7) == suite().cases[5]
    assert draw(5, 8) != suite().cases[5]
    assert suite().about == "120 problems drawn with seed 7"


def test_problems_are_of_the_sizes_and_kinds_that_are_promised():
    for case in suite().cases:
        assert LEAST <= outline(*call_of(case)).problem.flops <= MOST
    families = {family_of(case).partition(",")[0] for case in suite().cases}
    assert families >= {"convolution", "depthwise", "grouped", "transposed", "max pooling", "avg pooling",
                        "adaptive pooling", "matmul", "linear"}  # fmt: skip
    convolutions = [c for c in suite().cases if c.operation.startswith("conv") and "transpose" not in c.operation]
    assert 0.35 < len(convolutions) / len(suite().cases) < 0.65
    assert {c.operation for c in convolutions} == {"conv1d", "conv2d", "conv3d"}
    assert {c.kwargs.get("layout") for c in convolutions} == {None, "NHWC"}
    assert {"stride", "padding", "dilation", "groups"} <= {name for c in convolutions for name in c.kwargs}
    assert any(len(set(c.shapes[1][2:])) > 1 for c in convolutions)


@pytest.mark.parametrize("number", range(0, 120, 8))
def test_the_name_of_a_problem_repeats_it(number, monkeypatch):
    case = suite().cases[number]
    seen = []

    def compare(operation, *args, **kwargs):
        seen.append((operation, args, kwargs))
        raise ValueError("enough")

    monkeypatch.setattr(F, "compare", compare)
    assert main(["compare", *case.name.split(), "--peers", "none", "--quick"]) == 2
    operation, args, kwargs = seen[0]
    wanted, arrays, options = call_of(case)
    assert operation is wanted
    assert kwargs["data"] == case.data
    got, want = (outline(operation, a, {k: v for k, v in o.items() if k in options}).problem
                 for a, o in ((args, kwargs), (arrays, options)))  # fmt: skip
    assert got == want


def test_names_of_dtypes_that_numpy_learns():
    """A new process: nothing has imported ml_dtypes before."""
    pytest.importorskip("ml_dtypes")
    code = ("import fastconv as F; from fastconv.bench.work import make_work; "
            "print(make_work(F.relu, (F.Spec((3,), 'bfloat16'),), {}).x.dtype)")  # fmt: skip
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "bfloat16\n"


@pytest.mark.parametrize(("dtype", "tiny"), [("float32", 1.2e-38), ("float64", 2.3e-308)])
def test_denormal_data(dtype, tiny):
    work = make_work(F.relu, (F.Spec((1000,), dtype),), {}, "denormal")
    assert 0 < np.abs(work.x).max() < tiny
    assert np.count_nonzero(work.x) == 1000
    kept = make_work(F.relu, (np.ones(3, dtype),), {}, "denormal")
    assert (kept.x == 1).all()
    found = F.compare(F.relu, F.Spec((1000,), dtype), peers=(), seconds=0.001, rounds=1, data="denormal")
    assert {row.status for row in found.rows} == {"ok"}
    with pytest.raises(ValueError, match="data must be one of normal, denormal, got 'tiny'"):
        F.compare(F.relu, F.Spec((1000,), dtype), peers=(), data="tiny")


def entry(name, operation, ours, theirs, **kwargs):
    def row(who, kind, seconds, **more):
        return Row(who, kind, "ok", None, seconds=seconds, low=seconds, high=seconds, rate=1.0, roofline=1.0, **more)

    rows = (row("called", "fastconv", ours, chosen=True, ratio=None if theirs is None else theirs / ours),)
    rows += () if theirs is None else (row("torch", "peer", theirs),)
    limits = Roofline(1e9, 1e9, "a guess", 1)
    case = Case(name, operation, ((1, 4, 9, 9), (4, 4, 3, 3)), (), kwargs)
    return Entry(case, Comparison(name, "", "float32", 1, "GFLOP/s", 1e6, 1e6, limits, rows, door="called"))


def test_the_report_in_words():
    entries = (
        entry("conv2d A", "conv2d", 1e-3, 4e-3),
        entry("conv2d B", "conv2d", 4e-3, 1e-3),
        entry("conv2d C", "conv2d", 1e-3, 1e-3, layout="NHWC"),
        entry("max_pool2d D", "max_pool2d", 2e-3, 1e-3),
        entry("lp_pool2d E", "lp_pool2d", 2e-3, None),
    )
    text = drawn_text(Report("drawn", "5 problems", 1, entries), ("torch",)).splitlines()
    assert text[0] == "drawn: 5 problems, 1 thread"
    assert text[1].startswith("raced against the best peer of each: 4;")
    cells = {line[:27].strip(): line[27:].split() for line in text[3:7]}
    assert cells["convolution"] == ["2", "50", "%", "1.00", "0.25", "0.25", "2.00", "ms", "2.00", "ms"]
    assert cells["convolution, channels last"][:4] == ["1", "100", "%", "1.00"]
    assert cells["all"][:4] == ["4", "50", "%", "0.84"]
    assert text[-4] == (" 0.25    4.00 ms   1.00 ms  "
                        "fastconv compare conv2d B --door called --threads 1 --peers torch")  # fmt: skip
    assert drawn_text(Report("drawn", "1 problem", 1, entries[-1:]), ()).count("\n") == 1


def test_the_command(capsys):
    assert main(["bench", "--drawn", "3", "--seed", "1", "--peers", "none", "--quick", "--threads", "1"]) == 0
    assert capsys.readouterr().out.startswith("drawn: 3 problems drawn with seed 1, functions as they are called, 1 th")
    assert main(["bench", "--drawn", "3", "--suite", "tiny"]) == 2
    assert "--drawn goes without --suite" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["bench", "--drawn", "3", "--seed", "-1"])
