"""What setup.py does where a compiler lacks something, on compilers that only pretend."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from setuptools import Distribution, Extension

from fastconv.backends.cython.runtime import native
from fastconv.bench.backends import found
from fastconv.core import machine
from fastconv.dispatch.registry import kernels
from fastconv.version import __version__
from tests.contract.cases import small

SETUP = Path(__file__).resolve().parent.parent / "setup.py"
PRETENDS = """#!/bin/sh
case "$*" in *"{refused}"*) echo "cc: note: about to fail" >&2; echo "cc: error: what is {refused}" >&2; exit 1;; esac
while [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done
"""
pytestmark = [
    pytest.mark.one_isa,
    pytest.mark.skipif(not SETUP.exists() or sys.platform != "linux", reason="needs the sources, and a shell"),
]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module setup.py, for one type of elements and two instruction sets, in a folder of its own."""
    spec = importlib.util.spec_from_file_location("fastconv_setup", SETUP)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table = next(table for table in module.TABLES if table.name == "f32")
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(module, "ISA_FLAGS", {"portable": [], "avx512": ["-march=x86-64-v4"]})
    monkeypatch.setattr(module, "BUILT", [("portable", table), ("avx512", table)])
    monkeypatch.setattr(module, "TILED", ["avx512"])
    (tmp_path / module.NATIVE).mkdir(parents=True)
    (tmp_path / "setup.py").touch()
    (tmp_path / "fastconv/version.py").write_text(f"__version__ = {__version__!r}")
    monkeypatch.delenv("FASTCONV_REQUIRE_NATIVE", raising=False)
    return module


def use(compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that refuses commands with this text in them."""
    path = tmp_path / "cc"
    path.write_text(PRETENDS.format(refused=compiler))
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))
    monkeypatch.setenv("LDSHARED", f"{path} -shared")


def build(setup: ModuleType, tmp_path: Path, compiler: str | None = None) -> Any:
    (tmp_path / "one.c").touch()
    extension, windows = (Extension(name, [str(tmp_path / "one.c")]) for name in (setup.LINKED, setup.WINDOWS))
    command = setup.Build(Distribution({"name": "fastconv", "ext_modules": [extension, windows]}))
    command.build_lib, command.build_temp = str(tmp_path / "lib"), str(tmp_path / "temp")
    command.compiler = compiler
    command.ensure_finalized()
    command.run()
    return extension


def report(setup: ModuleType, tmp_path: Path) -> Any:
    return json.loads((tmp_path / setup.NATIVE / "_build_report.json").read_text())


def test_an_instruction_set_that_the_compiler_lacks_is_left_out_alone(setup, tmp_path, monkeypatch, capfd):
    use("-march=x86-64-v4", tmp_path, monkeypatch)
    assert setup.version() == __version__
    extension = build(setup, tmp_path)
    assert report(setup, tmp_path) == {"lost": {"avx512": "cc: error: what is -march=x86-64-v4"}}
    assert ("FC_TABLES", "FC_TABLE_OF(portable_f32)") in extension.define_macros
    assert "FC_TILES" not in dict(extension.define_macros)
    assert all("portable_f32/" in name for name in extension.extra_objects)
    said = capfd.readouterr().err
    assert "built 2 modules for portable" in said
    assert "fastconv: WITHOUT avx512: cc: error: what is -march=x86-64-v4 (gcc 11 and" in said
    counted = [line for line in said.splitlines() if " of 7 built, " in line]
    assert len(counted) == 7 and "left (" in counted[0] and "left (" not in counted[-1]


def test_a_build_with_everything_leaves_no_report(setup, tmp_path, monkeypatch):
    use("no such flag", tmp_path, monkeypatch)
    extension = build(setup, tmp_path)
    assert dict(extension.define_macros)["FC_TILES"] == "fc_avx512_tiles"
    assert not (tmp_path / setup.NATIVE / "_build_report.json").exists()


SAVES = """#!/bin/sh
case "$*" in *kernels.c*) touch {source}; echo >> {log};; esac
while [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done
"""


def test_a_source_that_is_saved_while_it_is_compiled_is_compiled_again(setup, tmp_path, monkeypatch):
    use("", tmp_path, monkeypatch)
    source, log = tmp_path / "simd/tile.inc", tmp_path / "log"
    source.parent.mkdir()
    source.touch()
    (tmp_path / "cc").write_text(SAVES.format(source=source, log=log))
    monkeypatch.setattr(setup, "SIMD", source.parent)
    for builds in (1, 2):
        build(setup, tmp_path)
        assert len(log.read_text().splitlines()) == builds * len(setup.BUILT)


def test_the_version_says_that_no_compiler_works(setup, tmp_path, monkeypatch, capfd):
    """What a build prints is shown by ``pip -v`` only, and a version by every pip."""
    use("probe.c", tmp_path, monkeypatch)
    assert setup.version() == f"{__version__}+no.native.kernels"
    build(setup, tmp_path)
    reason = report(setup, tmp_path)["reason"]
    assert reason.startswith("no working C compiler: ") and "cc: error: what is probe.c" in reason
    assert "NATIVE KERNELS WERE NOT BUILT" in capfd.readouterr().err
    monkeypatch.setenv("CC", "no-such-compiler")
    assert setup.version() == f"{__version__}+no.native.kernels"
    monkeypatch.setenv("FASTCONV_REQUIRE_NATIVE", "1")
    with pytest.raises(RuntimeError, match="no working C compiler: 'no-such-compiler' was tried: No such file"):
        build(setup, tmp_path)


KNOWS = """#!/bin/sh
case "$*" in *x86-64-v3*) echo "{v3}";; *x86-64-v4*) echo "{v4}";; *native*) echo "{native}";; esac
"""
BELOW, OWN, ABOVE = "#define __AVX2__ 1\n", "#define __OTHER__ 1\n", "#define __AVX512F__ 1\n"


@pytest.mark.skipif("avx2" not in machine.ISAS, reason="of x86-64")
@pytest.mark.parametrize(
    ("host", "isa"), [(BELOW + ABOVE + OWN, "avx512"), (BELOW + OWN, "avx2"), (OWN, "portable"), ("", "portable")]
)
def test_native_is_the_widest_that_the_processor_has(host, isa, tmp_path, monkeypatch, setup):
    path = tmp_path / "cc"
    path.write_text(KNOWS.format(v3=BELOW, v4=BELOW + ABOVE, native=host))
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))
    monkeypatch.setitem(setup.ISA_FLAGS, "avx2", ["-march=x86-64-v3"])
    monkeypatch.setattr(setup, "ISA_FLAGS", {isa: setup.ISA_FLAGS[isa] for isa in ("portable", "avx2", "avx512")})
    assert setup.native() == isa
    monkeypatch.setenv("CC", "no-such-compiler")
    assert setup.native() == "portable"


@pytest.mark.skipif(shutil.which("gcc") is None, reason="asks gcc")
def test_native_is_what_this_host_runs(monkeypatch, setup):
    monkeypatch.setenv("CC", "gcc")
    monkeypatch.setenv("FASTCONV_ISAS", "native")
    again = importlib.util.module_from_spec(setup.__spec__)
    setup.__spec__.loader.exec_module(again)
    assert {isa for isa, _ in again.BUILT} == {machine.host_isas()[0]}


def test_info_has_the_words_about_an_instruction_set(tmp_path, monkeypatch):
    isa = machine.host_isas()[0]
    (tmp_path / "report").write_text(json.dumps({"lost": {isa: "cc: error: what is that"}}))
    monkeypatch.setattr(native, "REPORT", tmp_path / "report")
    monkeypatch.setattr(native, "build_problem", lambda: None)
    monkeypatch.setattr(native, "built", lambda isa, types: 0)
    monkeypatch.setattr(native, "unavailable", native.unavailable.__wrapped__)
    words = f"not compiled: {isa}: cc: error: what is that"
    assert native.unavailable(isa).startswith(words)
    assert found()["cython"].why.startswith(words) and words in str(found())
    assert native.unavailable("none") == "none is not available on this CPU, or FASTCONV_ISA caps it"


@pytest.mark.parametrize("absent", ["f64", "f16", "bf16"])
def test_a_kernel_whose_table_was_not_built_says_so(absent, monkeypatch):
    """A build may leave out single tables (FASTCONV_ISAS): nothing may call through one that is not there."""
    built, isa = native.built, machine.host_isas()[0]
    if native.unavailable(isa):
        pytest.skip("not compiled")
    gone = f"_{absent}"
    monkeypatch.setattr(native, "built", lambda i, t: 0 if native.table_name(i, t).endswith(gone) else built(i, t))
    for name in ("unavailable", "table", "any_table"):
        monkeypatch.setattr(native, name, getattr(native, name).__wrapped__)
    reasons = set()
    for op, cases in small().items():
        for kernel in kernels(op):
            ran = set()  # one case of each dtype
            for case in cases if kernel.backend == "cython" and kernel.isa in ("", isa) else ():
                reason = kernel.reject(case.problem)
                reasons.add(reason)
                if reason is None and case.x.dtype not in ran:
                    case.run(kernel)
                    ran.add(case.x.dtype)
    assert f"{isa}_{absent} was not compiled in" in reasons


CLANG_CL = """#!/bin/sh
echo "$0 $*" >> {log}
for given; do
    case "$given" in -f*|-m*|-O*) exit 1;; /Fo*) : > "${{given#/Fo}}";; /OUT:*) : > "${{given#/OUT:}}";; esac
done
"""


def test_on_windows_clang_cl_gets_the_flags_behind_a_prefix(setup, tmp_path, monkeypatch):
    """By setuptools' own class for MSVC, and without a Windows: nobody has tried more than that."""
    msvc = pytest.importorskip("distutils.compilers.C.msvc")  # under the name by which setuptools finds it
    monkeypatch.setattr(msvc, "get_platform", lambda: "win-amd64")
    monkeypatch.setattr(msvc, "get_host_platform", lambda: "win-amd64")
    monkeypatch.setenv("DISTUTILS_USE_SDK", "1")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    (tmp_path / "bin").mkdir()
    for name in ("clang-cl", "link.exe"):
        (tmp_path / "bin" / name).write_text(CLANG_CL.format(log=tmp_path / "log"))
        (tmp_path / "bin" / name).chmod(0o755)
    build(setup, tmp_path, compiler="msvc")
    assert not (tmp_path / setup.NATIVE / "_build_report.json").exists()
    ran = (tmp_path / "log").read_text().splitlines()
    kernels = next(line for line in ran if "kernels.c" in line and "-DFC_TABLE=fc_avx512_f32" in line)
    assert "/clang:-O3" in kernels and "/clang:-march=x86-64-v4" in kernels and "/GL" not in kernels
    links = [line for line in ran if "link.exe" in line]
    assert len(links) == 2 and all("libomp.lib" in line for line in links)
