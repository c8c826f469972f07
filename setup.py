"""Builds the native kernels: micro-kernels once per instruction set and dtype, each with its flags, and Cython modules.

Also plain C: `fastconv.core._cpu`, which executes CPUID, and `fastconv.core._repeated`, which remembers calls.

``FASTCONV_ISAS="portable avx2_f32"`` builds for the instruction sets and the single tables that it names, and
``FASTCONV_ISAS=native`` for the widest instruction set of this processor alone, in half of the time.
``FASTCONV_SANITIZE=address`` or ``thread`` builds for the sanitizers of ``make sanitize`` and ``make threads``.
Metadata is in pyproject.toml.  Without a working C compiler the install goes on without them and leaves
the reason in a report that `fastconv info` shows; ``FASTCONV_REQUIRE_NATIVE=1`` makes it an error.  pip hides what a
build prints (``pip -v`` shows it), so then the version says it: 0.1.0+no.native.kernels.  An instruction set that the
compiler lacks is left out alone, and the report has the compiler's words.
"""

import json
import os
import platform
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, ExecError

HERE = Path(__file__).parent
NATIVE = "fastconv/backends/cython"  # every _*.pyx in its folders is a module
SIMD = HERE / NATIVE / "simd"
DTYPES = runpy.run_path(str(HERE / NATIVE / "runtime" / "dtypes.py"))
TABLES, TILES = DTYPES["TABLES"].values(), DTYPES["TILES"]
LINKED = "fastconv.backends.cython.runtime._simd"  # the module that links the micro-kernels
WINDOWS = "fastconv.backends.cython.filter._walk"  # the one that links those of filters by windows: simd/windows.c
OLDEST = "gcc 11 and clang 12 are the oldest that build everything"
NO_KERNELS = "+no.native.kernels"  # of a version
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


def compiler():
    """The C compiler that will be used, as a command; on Windows clang, which comes with clang-cl."""
    return (os.environ.get("CC") or sysconfig.get_config_var("CC") or ("clang" if os.name == "nt" else "")).split()


def native():
    """The widest instruction set of this processor; of one that the compiler does not know, the narrowest."""

    def macros(flags):  # features are defined as 1
        command = [*compiler(), *flags, "-dM", "-E", "-x", "c", os.devnull]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        except OSError:
            return set()
        return {line for line in done.stdout.splitlines() if line.endswith(" 1")}

    plain, host = macros([]), macros(["-march=native"])
    fit = [isa for isa, flags in ISA_FLAGS.items() if not flags or set() < macros(flags) - plain <= host]
    return fit[-1]


BUILT = [(isa, table) for isa in ISA_FLAGS for table in TABLES]
TILED = [isa for isa in ISA_FLAGS if isa in TILES]  # with matrix registers
if chosen := os.environ.get("FASTCONV_ISAS", "").split():
    chosen = [native() if name == "native" else name for name in chosen]
    BUILT = [(isa, table) for isa, table in BUILT if isa in chosen or f"{isa}_{table.name}" in chosen]
    TILED = [isa for isa in TILED if isa in chosen or f"{isa}_tiles" in chosen]
# Those with all functions take longest and come first, so that processors finish together.
BUILT.sort(key=lambda built: built[1].stored != "FC_AS_IS")


def windowed():
    """The instruction sets and tables for each of which windows.c is compiled."""
    return [(isa, table) for isa, table in BUILT if table.stored == "FC_AS_IS"]


def say(text):
    """A line for the user; pip shows it with -v."""
    print(f"fastconv: {text}", file=sys.stderr, flush=True)


def duration(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def words(output):
    """What a compiler says is wrong: its first line with an error, or else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")[:300]


class Failed(ExecError, OSError):
    """What setuptools expects of `run`, of whichever version."""


def run(command, **_):
    """Run a compiler; its words are the error if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as e:
        raise Failed(f"{command[0]!r} was tried: {e.strerror}") from None
    if done.stderr:
        print(subprocess.list2cmdline(command), done.stderr[:10_000], sep="\n", file=sys.stderr, flush=True)
    if done.returncode:
        raise Failed(words(done.stderr) or f"{command[0]} failed with status {done.returncode}")


class Progress:
    """A line on stderr when a part of the build is done: how many are, and about how long the rest takes."""

    def __init__(self, seconds):
        """`seconds` are what each part takes on one processor, roughly."""
        self.seconds, self.done, self.running = seconds, [], set()
        self.start, self.lock = time.monotonic(), threading.Lock()

    def __call__(self, name, work, *arguments):
        """Do the work of one part."""
        with self.lock:
            self.running.add(name)
        result = work(*arguments)
        with self.lock:
            self.running.discard(name)
            self.done.append(name)
            gone = sum(map(self.seconds.get, self.done)) + sum(map(self.seconds.get, self.running)) / 2
            passed = time.monotonic() - self.start
            left = passed * (sum(self.seconds.values()) - gone) / gone
            rest = f", about {duration(left)} left" if len(self.done) < len(self.seconds) else ""
            say(f"{len(self.done)} of {len(self.seconds)} built, {duration(passed)} gone{rest} ({name})")
        return result


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
            define_macros=[*numpy_api],
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
    say(f"translating {len(modules)} Cython modules, where they are new")
    # No module has a variable that changes, so none needs the interpreter's lock.
    modules = cythonize(modules, language_level=3, show_all_warnings=False, nthreads=processes,
                        shared_utility_qualified_name=VIEWS,
                        compiler_directives={"freethreading_compatible": True})  # fmt: skip
    return [*modules, *plain]


def as_clang_cl(compiler):
    """Have setuptools' class for MSVC run clang-cl: MSVC itself knows no vectors and no attributes of gcc."""
    compiler.initialize()
    compiler.cc = shutil.which("clang-cl") or "clang-cl"
    compiler.compiler_so = [compiler.cc]
    compiler.compile_options = [option for option in compiler.compile_options if option != "/GL"]
    compiler.add_library_dir(str(Path(compiler.cc).parent.parent / "lib"))  # libomp.lib


class Build(build_ext):
    """build_ext with per-file flags for the micro-kernels, OpenMP where it works, and a report instead of a failure."""

    def run(self):
        self.lost = {}  # instruction sets that the compiler cannot build, with its words
        (HERE / NATIVE / "_build_report.json").unlink(missing_ok=True)
        try:
            if not self.extensions:
                raise RuntimeError("Cython or NumPy is not installed")
            super().run()
        except Exception as e:
            if os.environ.get("FASTCONV_REQUIRE_NATIVE") == "1":
                raise
            reason = " ".join(str(e).split())[:500] or type(e).__name__
            say(f"NATIVE KERNELS WERE NOT BUILT: {reason}. The other backends work, and are several times slower")
            self.report({"reason": reason})
        else:
            if self.lost:
                self.report({"lost": self.lost})

    def report(self, found):
        """Leave what is missing where `fastconv info` finds it."""
        for folder in (HERE, *([Path(self.build_lib)] if not self.inplace else [])):
            if (folder / NATIVE).is_dir():
                (folder / NATIVE / "_build_report.json").write_text(json.dumps(found))

    def build_extensions(self):
        if msvc := self.compiler.compiler_type == "msvc":
            as_clang_cl(self.compiler)
        if reason := problem(self.compiler.compiler_so, ["/c"] * msvc):  # to link needs Python's library
            raise RuntimeError(f"no working C compiler: {reason} ({OLDEST})")
        self.compiler.spawn = self.compiler.call = run  # setuptools calls the one, newer versions the other
        self.common = [flag for flag in COMMON if self.compiles([flag])]
        openmp = ["-fopenmp"] if self.compiles(["-fopenmp"]) else []
        for extension in self.extensions:
            extension.extra_compile_args = self.told([*self.common, *SANITIZE, *openmp])
            extension.extra_link_args = ["libomp.lib"] * bool(openmp) if msvc else [*openmp, *SANITIZE]
        self.check_extensions_list(self.extensions)
        linked, windows = (next(e for e in self.extensions if e.name == name) for name in (LINKED, WINDOWS))
        others = [e for e in self.extensions if e not in (linked, windows)]
        # Roughly: all functions of a table, most of them, few.
        of = {"FC_AS_IS": 30, "FC_FLOAT16": 10, "FC_BFLOAT16": 10}
        seconds = {f"{isa}_{table.name}": of.get(table.stored, 3) for isa, table in BUILT}
        seconds |= {f"{isa}_{table.name}_windows": 2 for isa, table in windowed()}
        seconds |= {f"{isa}_tiles": 3 for isa in TILED} | {e.name.removeprefix("fastconv."): 3 for e in self.extensions}
        progress = Progress(seconds)
        say(f"compiling {len(seconds)} parts with {self.compiler.compiler_so[0]}, some minutes of two processors")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            tables = self.micro_kernels(pool, progress)
            jobs = [pool.submit(progress, e.name.removeprefix("fastconv."), self.build_extension, e) for e in others]
            self.link_tables(linked, windows, {built: job.result() for built, job in tables.items()})
            for job in jobs:
                job.result()
        for extension in (linked, windows):
            progress(extension.name.removeprefix("fastconv."), self.build_extension, extension)
        isas = [isa for isa in ISA_FLAGS if isa in {isa for isa, _ in BUILT} and isa not in self.lost]
        threads = "OpenMP" if openmp else "one thread, as the compiler has no OpenMP"
        say(f"built {len(self.extensions)} modules for {', '.join(reversed(isas))}; {threads}")
        for isa, reason in self.lost.items():
            say(f"WITHOUT {isa}: {reason} ({OLDEST})")

    def link_tables(self, linked, windows, objects):
        """Have the modules `linked` and `windows` link those micro-kernels whose instruction set was built."""
        for (isa, _), made in objects.items():
            if isinstance(made, str):
                self.lost.setdefault(isa, made)
        objects = {(isa, kind): made for (isa, kind), made in objects.items() if isa not in self.lost}
        if not any(kind != "tiles" for _, kind in objects):
            raise RuntimeError(f"no instruction set was built: {next(iter(self.lost.values()), 'none was chosen')}")
        by_window = {(isa, kind): made for (isa, kind), made in objects.items() if kind.endswith("_windows")}
        windows.extra_objects = [name for made in by_window.values() for name in made]
        names = [f"{isa}_{kind.removesuffix('_windows')}" for isa, kind in by_window]
        windows.define_macros += [("FC_WINDOWS", "".join(f"FC_WINDOWS_OF({name})" for name in names))]
        windows.depends = [*windows.depends, *windows.extra_objects, self.list_of_tables("windows", by_window)]
        objects = {built: made for built, made in objects.items() if built not in by_window}
        linked.extra_objects = [name for made in objects.values() for name in made]
        linked.define_macros += [
            ("FC_TABLES", "".join(f"FC_TABLE_OF({isa}_{kind})" for isa, kind in objects if kind != "tiles")),
            *[("FC_TILES", f"fc_{isa}_tiles") for isa, kind in objects if kind == "tiles"],
        ]
        linked.depends = [*linked.depends, *linked.extra_objects, self.list_of_tables("tables", objects)]

    def list_of_tables(self, name, objects):
        """A file that changes with the tables that are built, so that the module which has them is linked again."""
        path, text = Path(self.build_temp) / name, " ".join(f"{isa}_{kind}" for isa, kind in objects)
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(path)

    def micro_kernels(self, pool, progress):
        """Compile kernels.c for each instruction set and each of `TABLES`, windows.c and tiles.c, unless up to date.

        The results, by instruction set and table, are names of files, or the compiler's words where it failed.
        """
        sources = (path for path in SIMD.rglob("*") if path.is_file())
        changed = max(path.stat().st_mtime for path in (*sources, HERE / "setup.py"))

        def compile_one(source, isa, kind, macros, extra):
            source, name = f"{NATIVE}/simd/{source}", f"{isa}_{kind}"
            folder = f"{self.build_temp}/{name}"
            made = [Path(name) for name in self.compiler.object_filenames([source], output_dir=folder)]
            if all(path.exists() and path.stat().st_mtime > changed for path in made):
                return [str(path) for path in made]
            seen = [] if SANITIZER == "thread" and isa != "portable" else SANITIZE
            macros = [("FC_HEADER", f'"isa/{isa}.h"'), ("FC_TABLE", f"fc_{name}"), *macros]
            features = [flag for flag in extra if self.compiles([flag])]
            arguments = self.told([*self.common, *ISA_FLAGS[isa], *features, *seen])
            began = time.time() - 0.1  # the clock of files lags behind by some milliseconds
            try:
                made = self.compiler.compile([source], output_dir=folder, macros=macros, extra_preargs=arguments)
            except CompileError as e:
                return str(e)
            for path in made:
                os.utime(path, (began, began))  # a source that was saved meanwhile is newer
            return made

        jobs = {}
        for isa, table in BUILT:
            macros = [("FC_DOUBLE", str(table.double)), ("FC_STORED", table.stored)]
            features = [FEATURE_FLAGS[feature] for of, feature in table.features if of == isa]
            arguments = ("kernels.c", isa, table.name, macros, features)
            jobs[isa, table.name] = pool.submit(progress, f"{isa}_{table.name}", compile_one, *arguments)
        for isa, table in windowed():
            kind = f"{table.name}_windows"
            # Without it, gcc adds up many addresses in tiles of correlations, which take 1.3 times as long.
            arguments = ("windows.c", isa, kind, [("FC_DOUBLE", str(table.double))], ["-fno-ivopts"])
            jobs[isa, kind] = pool.submit(progress, f"{isa}_{kind}", compile_one, *arguments)
        for isa in TILED:
            features = [FEATURE_FLAGS[feature] for feature in TILES[isa]]
            arguments = ("tiles.c", isa, "tiles", [("FC_DOUBLE", "0")], features)
            jobs[isa, "tiles"] = pool.submit(progress, f"{isa}_tiles", compile_one, *arguments)
        return jobs

    def compiles(self, flags):
        """Whether a trivial program compiles and links with `flags`."""
        return problem(self.compiler.compiler_so, self.told(flags), "") is None

    def told(self, flags):
        """Flags of gcc and clang as the compiler takes them."""
        return [f"/clang:{flag}" for flag in flags] if self.compiler.compiler_type == "msvc" else list(flags)


PROBE = "#ifdef _OPENMP\n#include <omp.h>\n#endif\nint main(void) { return 0; }\n"


def problem(command, flags=(), first="#include <Python.h>\n"):
    """Why a trivial program neither compiles nor links; None if it does."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text(first + PROBE)
        include = f"-I{sysconfig.get_path('include')}"
        command = [*command, include, *flags, str(source), "-o", str(Path(folder) / "probe")]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        except OSError as e:
            return f"{command[0]!r} was tried: {e.strerror}"
    return f"{command[0]!r} was tried: {words(done.stderr)}" if done.returncode else None


def version():
    """Of the package; with `NO_KERNELS` where no compiler is found, which is all that pip shows of a build."""
    number = runpy.run_path(str(HERE / "fastconv" / "version.py"))["__version__"]
    command = compiler()
    lost = os.name == "posix" and (not command or problem(command) is not None)
    return number + NO_KERNELS * (lost and os.environ.get("FASTCONV_REQUIRE_NATIVE") != "1")


if __name__ == "__main__":  # processes that translate modules may import this file
    setup(version=version(), ext_modules=extensions(), cmdclass={"build_ext": Build})
