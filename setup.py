"""Builds the native kernels: micro-kernels once per instruction set and dtype, each with its flags, and Cython modules.

Also plain C: `fastconv.core._cpu`, which executes CPUID, and `fastconv.core._repeated`, which remembers calls.

``FASTCONV_ISAS="portable avx2_f32"`` builds for the instruction sets and the single tables that it names.
``FASTCONV_SANITIZE=address`` or ``thread`` builds for the sanitizers of ``make sanitize`` and ``make threads``.
Metadata is in pyproject.toml.  Without a working C compiler the install goes on without them and leaves
the reason in a report that `fastconv info` shows; ``FASTCONV_REQUIRE_NATIVE=1`` makes it an error.
"""

import json
import os
import platform
import runpy
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent
NATIVE = "fastconv/backends/cython"  # every _*.pyx in its folders is a module
SIMD = HERE / NATIVE / "simd"
DTYPES = runpy.run_path(str(HERE / NATIVE / "runtime" / "dtypes.py"))
TABLES, TILES = DTYPES["TABLES"].values(), DTYPES["TILES"]
LINKED = "fastconv.backends.cython.runtime._simd"  # the module that links the micro-kernels
VIEWS = "fastconv.backends.cython.runtime._views"  # Cython's code for memory views, which is the same in all modules

# gcc's predictive commoning turns register tiles into chains of moves.
COMMON = ["-O3", "-g0", "-fno-math-errno", "-fno-predictive-commoning"]
# Instrumented register tiles take compilers long: functions check addresses, and of pointers nothing else is checked.
# Which thread does what is the same for every instruction set, so ThreadSanitizer sees the micro-kernels of one.
SANITIZERS = {
    "address": ["-fsanitize=address,undefined", "-fno-sanitize=null,alignment,object-size,pointer-overflow",
                "-fno-sanitize-recover=undefined", "--param=asan-instrumentation-with-call-threshold=0"],
    "thread": ["-fsanitize=thread"],
}
SANITIZER = os.environ.get("FASTCONV_SANITIZE", "")
SANITIZE = SANITIZERS[SANITIZER] if SANITIZER else []
if SANITIZE:
    COMMON = ["-O1", "-g1", "-fno-omit-frame-pointer", "-fno-math-errno"]
if "-O" in os.environ.get("CFLAGS", ""):  # which come before ours: the last one counts
    COMMON = [flag for flag in COMMON if not flag.startswith("-O")]
ISA_FLAGS = {"portable": []}  # the instruction sets that fastconv/core/machine.py lists
if platform.machine().lower() in ("x86_64", "amd64"):
    ISA_FLAGS["avx2"] = ["-march=x86-64-v3", "-mprfchw"]
    ISA_FLAGS["avx512"] = ["-march=x86-64-v4", "-mprfchw", "-mprefer-vector-width=512"]
elif platform.machine().lower() in ("aarch64", "arm64"):
    ISA_FLAGS = {"neon": []}
FEATURE_FLAGS = {
    "AVX512BF16": "-mavx512bf16", "AVX512VNNI": "-mavx512vnni", "AMX_TILE": "-mamx-tile", "AMX_BF16": "-mamx-bf16",
}  # a compiler without them makes slower code for these tables
BUILT = [(isa, table) for isa in ISA_FLAGS for table in TABLES]
TILED = [isa for isa in ISA_FLAGS if isa in TILES]  # with matrix registers
if chosen := os.environ.get("FASTCONV_ISAS", "").split():
    BUILT = [(isa, table) for isa, table in BUILT if isa in chosen or f"{isa}_{table.name}" in chosen]
    TILED = [isa for isa in TILED if isa in chosen or f"{isa}_tiles" in chosen]
# Those with all functions take longest and come first, so that processors finish together.
BUILT.sort(key=lambda built: built[1].stored != "FC_AS_IS")


def extensions():
    try:
        import numpy as np
        from Cython.Build import cythonize
    except ImportError:
        return []
    runpy.run_path(str(SIMD / "interface.py"), run_name="__main__")
    numpy_api = [(name, "NPY_2_0_API_VERSION") for name in ("NPY_TARGET_VERSION", "NPY_NO_DEPRECATED_API")]
    modules = [
        Extension(
            ".".join(path.with_suffix("").parts),
            [str(path)],
            include_dirs=[NATIVE, np.get_include()],
            define_macros=[
                *numpy_api,
                ("FC_TABLES", "".join(f"FC_TABLE_OF({isa}_{table.name})" for isa, table in BUILT)),
                *[("FC_TILES", f"fc_{isa}_tiles") for isa in TILED],
            ],
            # Not only the headers: _simd links the micro-kernels, and must be linked again when one changes.
            depends=sorted(
                str(path.relative_to(HERE))
                for path in (*(HERE / NATIVE).rglob("*.h"), *SIMD.rglob("*.inc"), *SIMD.glob("*.c"))
            ),
        )
        for path in sorted(path.relative_to(HERE) for path in (HERE / NATIVE).glob("*/_*.pyx"))
    ]
    plain = [
        Extension(f"fastconv.core.{name}", [f"fastconv/core/{name}.c"], include_dirs=[np.get_include()],
                  define_macros=numpy_api)
        for name in ("_cpu", "_repeated")
    ]
    modules.append(Extension(VIEWS, [VIEWS.replace(".", "/") + ".c"]))
    processes = os.cpu_count() if sys.platform == "linux" else 0
    modules = cythonize(modules, language_level=3, show_all_warnings=False, nthreads=processes,
                        shared_utility_qualified_name=VIEWS)  # fmt: skip
    return [*modules, *plain]


class Build(build_ext):
    """build_ext with per-file flags for the micro-kernels, OpenMP where it works, and a report instead of a failure."""

    def run(self):
        report = HERE / NATIVE / "_build_report.json"
        report.unlink(missing_ok=True)
        try:
            if not self.extensions:
                raise RuntimeError("Cython or NumPy is not installed")
            super().run()
        except Exception as e:
            if os.environ.get("FASTCONV_REQUIRE_NATIVE") == "1":
                raise
            reason = " ".join(str(e).split())[:500] or type(e).__name__
            print(f"fastconv: native kernels were not built: {reason}", file=sys.stderr)
            for folder in (HERE, *([Path(self.build_lib)] if not self.inplace else [])):
                if (folder / NATIVE).is_dir():
                    (folder / NATIVE / "_build_report.json").write_text(json.dumps({"reason": reason}))

    def build_extensions(self):
        if not hasattr(self.compiler, "compiler_so"):
            raise RuntimeError(f"gcc or clang is needed, the compiler here is {self.compiler.compiler_type!r}")
        if not self.compiles([]):
            raise RuntimeError(f"no working C compiler: {self.compiler.compiler_so[0]!r} was tried")
        self.common = [flag for flag in COMMON if self.compiles([flag])]
        openmp = ["-fopenmp"] if self.compiles(["-fopenmp"]) else []
        for extension in self.extensions:
            extension.extra_compile_args = [*self.common, *SANITIZE, *openmp]
            extension.extra_link_args = [*openmp, *SANITIZE]
        self.check_extensions_list(self.extensions)
        linked = next(e for e in self.extensions if e.name == LINKED)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            tables = self.micro_kernels(pool)
            others = [pool.submit(self.build_extension, e) for e in self.extensions if e is not linked]
            linked.extra_objects = [name for job in tables for name in job.result()]
            for job in others:
                job.result()
        linked.depends = [*linked.depends, *linked.extra_objects, self.list_of_tables()]
        self.build_extension(linked)

    def list_of_tables(self):
        """A file that changes with the tables that are built, so that the module which has them is linked again."""
        path, text = Path(self.build_temp) / "tables", " ".join([f"{isa}_{table.name}" for isa, table in BUILT] + TILED)
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(path)

    def micro_kernels(self, pool):
        """Compile kernels.c for each instruction set and each of `TABLES`, and tiles.c; what is up to date stays."""
        sources = (path for path in SIMD.rglob("*") if path.is_file())
        changed = max(path.stat().st_mtime for path in (*sources, HERE / "setup.py"))

        def compile_one(source, isa, kind, macros, features):
            source, name = f"{NATIVE}/simd/{source}", f"{isa}_{kind}"
            folder = f"{self.build_temp}/{name}"
            made = [Path(name) for name in self.compiler.object_filenames([source], output_dir=folder)]
            if all(path.exists() and path.stat().st_mtime > changed for path in made):
                return [str(path) for path in made]
            seen = [] if SANITIZER == "thread" and isa != "portable" else SANITIZE
            macros = [("FC_HEADER", f'"isa/{isa}.h"'), ("FC_TABLE", f"fc_{name}"), *macros]
            extra = [FEATURE_FLAGS[feature] for feature in features]
            arguments = [*self.common, *ISA_FLAGS[isa], *filter(lambda flag: self.compiles([flag]), extra), *seen]
            return self.compiler.compile([source], output_dir=folder, macros=macros, extra_preargs=arguments)

        jobs = []
        for isa, table in BUILT:
            macros = [("FC_DOUBLE", str(table.double)), ("FC_STORED", table.stored)]
            features = [feature for of, feature in table.features if of == isa]
            jobs.append(pool.submit(compile_one, "kernels.c", isa, table.name, macros, features))
        floats = [("FC_DOUBLE", "0")]
        return jobs + [pool.submit(compile_one, "tiles.c", isa, "tiles", floats, TILES[isa]) for isa in TILED]

    def compiles(self, flags):
        """Whether a trivial program compiles and links with `flags`."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "probe.c"
            source.write_text("#ifdef _OPENMP\n#include <omp.h>\n#endif\nint main(void) { return 0; }\n")
            command = [*self.compiler.compiler_so[:1], *flags, str(source), "-o", str(Path(folder) / "probe")]
            try:
                return subprocess.run(command, capture_output=True, check=False).returncode == 0
            except OSError:
                return False


if __name__ == "__main__":  # processes that translate modules may import this file
    setup(ext_modules=extensions(), cmdclass={"build_ext": Build})
