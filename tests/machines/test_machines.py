"""Costs are counts times rates: kernels state counts, tables of machines hold the rates, the processor chooses one."""

from __future__ import annotations

import ast
import inspect
import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest

import fastconv
from fastconv.core import cpu, machine
from fastconv.core.costs import Features, Table
from fastconv.core.kernel import Kernel
from fastconv.dispatch.registry import kernels, ops
from fastconv.machines import SHIPPED, block_bytes, blocks, host_table, shipped, stored
from tests.problems import corners, random_problem

pytestmark = pytest.mark.one_isa

BACKENDS = Path(fastconv.__file__).parent / "backends"
SMALLEST = 1e-4
EXCEPTIONS = {
    "numpy/elementwise/erf.py": 2,  # coefficients of a polynomial
    "common/integers.py": 1,  # how far the roundings of a bound itself may lead
}
ALL = [kernel for op in ops() for kernel in kernels(op)]
KNOWN = [shipped(name) for name in ("generic", *SHIPPED)]
TABLE = Table(
    "toy",
    {"avx2": 100.0, "portable": 50.0},
    10.0,
    {"k@avx2": {"call": 1.0, "multiply": 0.5, "bytes": 0.1}, "n": {"call": 2.0, "multiply": 0.25}},
)


def named(features: Features) -> set[str]:
    return {*features.counts, *(name for parts in features.overlaps for counts in parts for name in counts)}


def test_fitted_numbers_stand_in_tables() -> None:
    found: dict[str, int] = {}
    for path in BACKENDS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < SMALLEST:
                name = path.relative_to(BACKENDS).as_posix()
                found[name] = found.get(name, 0) + 1
    assert found == EXCEPTIONS


@pytest.mark.parametrize("kernel", ALL, ids=lambda kernel: kernel.name)
def test_kernels_state_counts_only(kernel: Kernel[Any]) -> None:
    assert type(kernel).cost is Kernel.cost
    assert list(inspect.signature(kernel.features).parameters) == ["problem"]
    assert kernel.row


@pytest.mark.parametrize("table", KNOWN, ids=lambda table: table.name)
def test_tables_have_a_row_for_every_kernel(table: Table) -> None:
    assert {kernel.rates for kernel in ALL} <= set(table.rates)
    assert {kernel.isa for kernel in ALL} - {""} <= set(table.peak)
    assert all(rate >= 0 for row in table.rates.values() for rate in row.values())


@pytest.mark.parametrize("table", KNOWN, ids=lambda table: table.name)
def test_tables_have_a_rate_for_every_count(table: Table) -> None:
    for p in [*corners(), *(random_problem(seed) for seed in range(40))]:
        for kernel in kernels("conv"):
            plain = replace(p, activation=None) if p.activation not in kernel.activations else p
            if kernel.reject(plain) is None:
                seconds = table.seconds(kernel.work(plain))
                assert 0 < seconds < 1e4
                assert seconds == kernel.cost(plain, table)


def test_counts_add_up_and_overlapping_parts_do_not() -> None:
    features = Features({"call": 2}, {"multiply": 10}, {"bytes": 20}).of("k@avx2")
    assert named(features) == {"k@avx2/call", "k@avx2/multiply", "k@avx2/bytes"}
    assert TABLE.seconds(features) == 2 + max(5, 2)
    assert TABLE.seconds(features * 3) == TABLE.seconds(3 * features) == 3 * 7
    both = features + Features({"call": 1}).of("n")
    assert TABLE.seconds(both) == 7 + 2
    assert TABLE.seconds(both + features) == 7 + 2 + 7
    assert named(both.of("other")) == named(both)  # names that are complete stay


def test_scaling_changes_what_depends_on_peak_and_bandwidth() -> None:
    scaled = TABLE.scaled("other", {"avx2": 200.0, "portable": 50.0}, 40.0)
    assert scaled.name == "other"
    assert scaled.rates["k@avx2"] == {"call": 1.0, "multiply": 0.25, "bytes": 0.025}
    assert scaled.rates["n"] == {"call": 2.0, "multiply": 0.125}  # the widest that there is
    assert (scaled.flops("avx2"), scaled.flops("avx2", 8)) == (200.0, 100.0)


def test_an_instruction_set_without_rates_has_those_of_portable() -> None:
    table = replace(TABLE, rates={**TABLE.rates, "k@portable": {"call": 1.0, "multiply": 2.0}})
    scaled = table.scaled("other", {"portable": 50.0, "neon": 200.0}, 10.0)
    assert scaled.rates["k@neon"] == {"call": 1.0, "multiply": 0.5}
    assert scaled.rates["k@portable"] == {"call": 1.0, "multiply": 2.0}


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        TABLE.name = "mine"  # type: ignore[misc]
    with pytest.raises(TypeError):
        TABLE.rates["k@avx2"]["call"] = 0.0  # type: ignore[index]


def test_the_processor_chooses_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTCONV_TABLE", raising=False)
    monkeypatch.setattr(cpu, "microarchitecture", lambda: "zen4")
    assert host_table.__wrapped__().name == "zen4"
    monkeypatch.setattr(cpu, "microarchitecture", lambda: None)
    assert host_table.__wrapped__().name == "generic"
    monkeypatch.setenv("FASTCONV_TABLE", "Zen4")
    assert host_table.__wrapped__().name == "zen4"
    monkeypatch.setenv("FASTCONV_TABLE", "z80")
    with pytest.raises(ValueError, match=r"FASTCONV_TABLE is 'z80'; allowed are generic, "):
        host_table.__wrapped__()


def test_blocks_are_shares_of_caches_unless_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    zen4 = blocks.sizes(32 << 10, 1 << 20)
    assert zen4["cython.conv.direct/band"] == 160 << 10
    assert all(size % 64 == 0 for size in zen4.values())
    monkeypatch.setattr(machine, "host", lambda: machine.Machine(48 << 10, 2 << 20, 32 << 20))
    monkeypatch.setattr("fastconv.machines.host_table", lambda: TABLE)
    assert block_bytes.__wrapped__("cython.conv.direct/band") == 320 << 10
    assert block_bytes.__wrapped__("numba.conv/channel") == 36 << 10
    measured = replace(TABLE, blocks={"cython.conv.direct/band": 100})
    monkeypatch.setattr("fastconv.machines.host_table", lambda: measured)
    assert block_bytes.__wrapped__("cython.conv.direct/band") == 100


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "folder" / "machine.json"
    monkeypatch.setenv("FASTCONV_RATES", str(path))
    return path


def test_fitted_rates_come_first(file: Path) -> None:
    assert stored.load(TABLE) is None  # there is no file
    fitted = TABLE.with_rates({"k@avx2/call": 7.0, "n/multiply": 0.0})
    stored.save(replace(fitted, bandwidth=5.0), file)
    found = stored.load(replace(TABLE, blocks={"k/band": 3}))
    assert found is not None
    assert (found.name, found.bandwidth, dict(found.blocks)) == (stored.NAME, 5.0, {"k/band": 3})
    assert found.rates == fitted.rates
    content = json.loads(file.read_text())
    content["rates"] = {"k@avx2": {"call": 3.0, "gone": 1.0}, "gone": {}}
    file.write_text(json.dumps(content))
    found = stored.load(TABLE)
    assert found is not None
    assert found.rates == {**TABLE.rates, "k@avx2": {**TABLE.rates["k@avx2"], "call": 3.0}}


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"rates": {"k@avx2": {"call": -1.0}}}, {"rates": {"k@avx2": {"call": "1"}}}, {"bandwidth": 0},
     {"peak": None}, {"rates": 3}],
)  # fmt: skip
def test_broken_files_are_reported_and_ignored(change: dict[str, Any], file: Path) -> None:
    stored.save(TABLE, file)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.warns(RuntimeWarning, match="fastconv ignored fitted rates: "):
        assert stored.load(TABLE) is None


def test_files_of_another_processor_are_ignored(file: Path) -> None:
    stored.save(TABLE, file)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"cpu": "abacus"}))
    assert stored.load(TABLE) is None


def test_no_file_where_the_variable_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTCONV_RATES", " ")
    assert stored.path() is None
    assert stored.load(TABLE) is None


def test_cpuid_agrees_with_numpy() -> None:
    by_cpuid, by_numpy = cpu._by_cpuid(), cpu._by_numpy()
    if by_cpuid is None:
        pytest.skip("no CPUID here")
    from numpy._core._multiarray_umath import __cpu_features__

    assert {name for name in cpu.BITS if name in by_numpy} == by_cpuid & set(__cpu_features__)
    assert set(machine.host_isas()) <= set(machine.ISAS)


def test_cpuid_agrees_with_the_system() -> None:
    flags = set(cpu.system_fields().get("flags", "").split())
    by_cpuid = cpu._by_cpuid()
    if by_cpuid is None or not flags:
        pytest.skip("no CPUID here, or no /proc/cpuinfo")
    names = {"AMX_TILE": "amx_tile", "AMX_INT8": "amx_int8", "AMX_BF16": "amx_bf16", "AVX_VNNI": "avx_vnni"}
    assert {name for name, flag in names.items() if flag in flags} == by_cpuid & set(names)
    fields = cpu.system_fields()
    assert cpu.identity() == (fields["vendor_id"], int(fields["cpu family"]), int(fields["model"]))


def test_without_the_extension_numpy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "_by_cpuid", lambda: None)
    cpu.features.cache_clear()
    try:
        assert cpu.features() == cpu._by_numpy()
    finally:
        cpu.features.cache_clear()


@pytest.mark.parametrize(
    ("vendor", "family", "model", "amx", "name"),
    [
        (cpu.AMD, 0x19, 0x11, False, "zen4"), (cpu.AMD, 0x19, 0x61, False, "zen4"),
        (cpu.AMD, 0x19, 0x21, False, "zen3"), (cpu.AMD, 0x1A, 0x02, False, "zen5"),
        (cpu.INTEL, 6, 0x55, False, "skylake_server"), (cpu.INTEL, 6, 0x8F, True, "sapphire_rapids"),
        (cpu.INTEL, 6, 0xA7, True, "sapphire_rapids"), (cpu.INTEL, 6, 0xA7, False, None), ("", 0, 0, False, None),
    ],
)  # fmt: skip
def test_microarchitectures(
    vendor: str, family: int, model: int, amx: bool, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "identity", lambda: cpu.Identity(vendor, family, model))
    monkeypatch.setattr(cpu, "features", lambda: frozenset({"AMX_TILE"} if amx else ()))
    assert cpu.microarchitecture.__wrapped__() == name
