"""`fastconv tune --fit`: rates that were known are found again from the times that they predict."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fastconv.bench import fit, fit_solve
from fastconv.bench.fit import regret, source
from fastconv.bench.fit_cases import Trial, designed
from fastconv.bench.fit_solve import Sample, solve
from fastconv.bench.suite import call_of
from fastconv.bench.suites import Case
from fastconv.bench.work import outline
from fastconv.core.costs import Features, Table
from fastconv.machines import host_table, stored

pytest.importorskip("scipy")
pytestmark = pytest.mark.one_isa

TRUE = Table("true", {"avx2": 1.0}, 1.0, {"a": {"call": 3.0, "multiply": 0.5, "bytes": 0.25}, "b": {"call": 1.0}})
PRIOR = Table("prior", {"avx2": 1.0}, 1.0, {"a": {"call": 1.0, "multiply": 1.0, "bytes": 0.1}, "b": {"call": 4.0}})


def samples() -> list[Sample]:
    rng = np.random.default_rng(0)
    found = []
    for case in range(60):
        m, b = rng.uniform(1, 30, 2)
        first = Features({"call": 1}, {"multiply": m}, {"bytes": b}).of("a")
        second = first + Features({"call": 2}).of("b")
        found += [Sample(case, "a", first, TRUE.seconds(first)), Sample(case, "b", second, TRUE.seconds(second))]
    return found


def test_rates_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CLOSE_TIMES", 100.0), ("CLOSE_RATES", 1e-4), ("STEPS", 1000)):
        monkeypatch.setattr(fit_solve, name, value)
    table = solve(samples(), PRIOR)
    for name in ("a/call", "a/multiply", "a/bytes", "b/call"):
        assert table.rate(name) == pytest.approx(TRUE.rate(name), rel=0.02)
    assert table.name == "prior"


def test_what_was_packed_beforehand_is_not_dearer() -> None:
    """Of a kernel that is never the best, whatever its times say."""
    rates = {"thin": {"bytes": 2.0, "bytes_packed": 1.0}}
    measured = [
        Sample(case, "thin", Features({f"thin/{name}": float(case)}), seconds * case)
        for case in range(1, 30)
        for name, seconds in (("bytes", 1.0), ("bytes_packed", 3.0))
    ]
    table = solve(measured, Table("prior", {"avx2": 1.0}, 1.0, rates))
    assert table.rate("thin/bytes") >= table.rate("thin/bytes_packed") > 1.5


def test_what_was_not_measured_stays() -> None:
    few = [s for s in samples() if s.kernel == "a"]
    assert solve(few, PRIOR).rate("b/call") == PRIOR.rate("b/call")


def test_only_the_longest_of_overlapping_parts_takes_time() -> None:
    rows = [Sample(0, "a", Features({"call": 1, "none": 0}, {"multiply": 10}, {"bytes": 30}).of("a"), 1.0)]
    names = ["a/bytes", "a/call", "a/multiply", "a/none"]
    seconds, gradient = fit_solve._Prediction(rows, names)(np.array([0.1, 1.0, 1.0, 1.0]))
    assert seconds.tolist() == [11.0]
    assert gradient(np.ones(1)).tolist() == [0.0, 1.0, 10.0, 0.0]


def test_the_choice_counts_more_than_the_times() -> None:
    """No rates predict all times; those of the fit put the fast kernel first in every case."""
    two, one = ({name: 1.0} for name in ("x/call", "y/call"))
    rows = [row for case, (x, y) in enumerate([(1.0, 1.2), (1.0, 5.0), (1.0, 1.3)])
            for row in (Sample(case, "x", Features(two), x), Sample(case, "y", Features(one), y))]  # fmt: skip
    rows += [Sample(3, "y", Features(one), 0.02)]  # it draws the rate of y below that of x
    table = solve(rows, Table("known", {}, 1.0, {"x": {"call": 1.0}, "y": {"call": 0.9}}))
    assert regret(rows, table, "abcd")[:2] == (1.0, 1.0)


def test_regret() -> None:
    f = [Features({"call": n}).of("b") for n in (1, 2)]
    some = [Sample(0, "x", f[0], 2.0), Sample(0, "y", f[1], 1.0), Sample(1, "x", f[0], 1.0)]
    assert regret(some, TRUE, ["first", "second"]) == (pytest.approx(2**0.5), 2.0, "first: x for y")


def test_a_table_reads_back_from_its_module(tmp_path: Path) -> None:
    file = tmp_path / "toy.py"
    table = replace(TRUE, blocks={"a/band": 1 << 14, "a/sums": 3})
    file.write_text(source(table, "toy", "A toy."))
    found = runpy.run_path(str(file))["TABLE"]
    assert found.blocks == table.blocks
    assert (found.name, found.peak, found.bandwidth, found.rates) == ("toy", TRUE.peak, TRUE.bandwidth, TRUE.rates)


def test_designed_problems_are_calls() -> None:
    cases = designed()
    assert len(cases) > 200
    for case in cases:
        operation, arguments, kwargs = call_of(case)
        assert outline(operation, arguments, kwargs).problem


def test_called_problems_pack_their_weights() -> None:
    """Which takes time, so that other kernels are faster."""
    case = Case("a", "conv2d", ((1, 4, 7, 7), (4, 4, 3, 3)))
    counts = [{s.kernel: s.features for s in fit.measured(0, Trial(case, called), host_table())}
              for called in (False, True)]  # fmt: skip
    both = counts[0].keys() & counts[1].keys()
    assert any(counts[0][name] != counts[1][name] for name in both)


def test_unknown_machines_start_from_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "host_isas", lambda: ("avx2", "portable"))
    monkeypatch.setattr(fit, "isa_peak", lambda isa: {"avx2": 2e11}.get(isa))
    monkeypatch.setattr(fit, "bandwidth", lambda threads: 3e10)
    table = fit.measured_machine()
    assert (table.name, dict(table.peak), table.bandwidth) == ("generic", {"avx2": 2e11}, 3e10)
    monkeypatch.setattr(fit, "isa_peak", lambda isa: None)
    assert fit.measured_machine().name == "generic"


def test_fit_measures_and_predicts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A few small problems: what it returns can be written, read, and used."""
    small = [Trial(c) for c in designed() if c.name.endswith(("4,7 3x3 s1", "24,7 1x1 s1"))]
    image, weights = (1, 4, 7, 7), (4, 4, 3, 3)
    small += [Trial(Case("a", "conv2d", (image, weights)), called=True)]
    small += [Trial(Case("b", "max_pool2d", (image,), (2,)), called=True)]
    small += [Trial(Case("c", "gelu", (image,)), called=True, fitted=False)]
    monkeypatch.setattr(fit, "trials", small.copy)
    monkeypatch.setattr(fit, "SECONDS", 1e-4)
    told: list[tuple[str, int, int]] = []
    done = fit.fit(lambda *what: told.append(what))
    assert [what[1:] for what in told] == [(i, len(small)) for i in range(len(small))]
    assert (done.cases, done.unseen) == (len(small) - 1, 1)
    assert done.samples >= done.cases
    assert min(r.mean for r in (done.before, done.after, done.unseen_before, done.unseen_after)) >= 1
    monkeypatch.setenv("FASTCONV_RATES", str(tmp_path / "machine.json"))
    stored.save(done.table, tmp_path / "machine.json")
    found = stored.load(host_table())
    assert found is not None
    assert found.rates == done.table.rates
