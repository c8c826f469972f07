"""What C, Cython and Python share, written once; setup.py runs this file before it compiles.

Read:     table.h and the headers of the families: types; the bodies: functions that begin with KERNEL, arrays of
          functions that are listed by KERNELS; runtime/shared.py: numbers and enumerations
Written:  _shared.h; _table.h, the table of one instruction set and dtype; _bodies.inc, which includes all bodies;
          runtime/_table.pxi, types and table for Cython

So a new micro-kernel is one file here, and nothing else has to name it.  A file whose text stays is not written again.
"""

from __future__ import annotations

import re
import runpy
from itertools import groupby
from pathlib import Path

HERE = Path(__file__).parent
FAMILIES = ("conv", "elementwise", "gemm", "pool", "filter")
NOTE = "Written by simd/interface.py."
KEYWORDS = ("from", "in", "is", "not", "with")  # names in C that Python does not allow


def shared_values() -> dict[str, int | tuple[str, ...]]:
    """Those of runtime/shared.py, in order: integers, and enumerations as tuples of lower-case names."""
    found = runpy.run_path(str(HERE.parent / "runtime" / "shared.py"))
    return {name: value for name, value in found.items() if name.isupper() and isinstance(value, (int, tuple))}


def members(name: str, values: tuple[str, ...]) -> list[str]:
    """POOL_OPS = ("max", "sum") is the enumeration POOL_MAX, POOL_SUM, POOL_OPS; the last one is their number."""
    prefix = name.rpartition("_")[0]
    return [*(f"{prefix}_{value}".upper() for value in values), name]


def shared_header() -> str:
    lines = [f"/* {NOTE} */", "#pragma once"]
    for name, value in shared_values().items():
        one = f"#define {name} {value}" if isinstance(value, int) else f"enum {{ {', '.join(members(name, value))} }};"
        lines.append(one)
    return "\n".join(lines) + "\n"


def plain(path: Path) -> str:
    """A file without comments and directives, which may span lines."""
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(encoding="utf-8"), flags=re.S)
    return re.sub(r"^\s*#(?:.*\\\n)*.*$", "", text, flags=re.M)


def headers() -> list[Path]:
    return [HERE / "table.h", *(path for family in FAMILIES for path in sorted((HERE / family).glob("*.h")))]


def bodies() -> list[Path]:
    return [*sorted(HERE.glob("[!_k]*.inc")), *(path for f in FAMILIES for path in sorted((HERE / f).glob("*.inc")))]


ALWAYS = "FC_STORED == FC_AS_IS"


def tables(path: Path) -> str:
    """The tables that have the functions of a body, as a condition for the preprocessor.

    Bodies that read and write STORED elements are in those of 16-bit floats, too, and bodies that sum by `v_dot` in
    those of pairs and of integers; bodies that do both are in all those of floats.
    """
    text = plain(path)
    sums = re.search(r"\bv_dot\b", text)
    if re.search(r"\bSTORED\b", text):
        return f"FC_STORED <= {'FC_BFLOAT16_PAIRS' if sums else 'FC_BFLOAT16'}"
    if sums:
        return f"{ALWAYS} || FC_STORED >= FC_BFLOAT16_PAIRS"
    return ALWAYS


def entries(paths: list[Path]) -> list[tuple[str, str, str, str]]:
    """(type of the result or of a function, name, parameters or sizes, value) of each entry of the table."""
    found = []
    for path in paths:
        text = plain(path)
        for result, name, parameters in re.findall(r"^KERNEL (\w+) (\w+)\(([^)]*)\)", text, re.M):
            found.append((result, name, f"({' '.join(parameters.split())})", name))
        listed = r"^KERNELS\((\w+), (\w+), ((?:\[[^\]]*\])+),\s*(.*?)\)$"
        for kind, name, sizes, value in re.findall(listed, text, re.M | re.S):
            found.append((kind, name, sizes, " ".join(value.split())))
    return found


def table_header() -> str:
    fields = ["ptrdiff_t itemsize, vl, mr, nr;"]
    for kind, name, rest, _ in entries(bodies()):
        fields.append(f"{kind} (*{name}){rest};" if rest.startswith("(") else f"{kind} *{name}{rest};")
    includes = [f'#include "{path.relative_to(HERE).as_posix()}"' for path in headers()[1:]]
    struct = ["", "typedef struct {", *(f"    {field}" for field in fields), "} fc_table;"]

    macros, names = [], []
    for number, condition in enumerate(dict.fromkeys(map(tables, bodies()))):
        some = ", ".join(f".{name} = {value}" for path in bodies() if tables(path) == condition
                         for _, name, _, value in entries([path]))  # fmt: skip
        names.append(f"FC_ENTRIES_{number}")
        macros += [f"#if {condition}", f"#define {names[-1]} {some},", "#else", f"#define {names[-1]}", "#endif"]
    macros.append(f"#define FC_ENTRIES {' '.join(names)}")
    return "\n".join([f"/* {NOTE} */", *includes, *struct, *macros]) + "\n"


def cython(text: str) -> str:
    """Types and names of C as Cython writes them."""
    text = re.sub(r"\bptrdiff_t\b", "Py_ssize_t", " ".join(text.split()))
    return re.sub(r"\((void)\)", "()", text)


def field(declaration: str) -> list[str]:
    """The declarations of one line of a struct, one each."""
    kind, rest = re.match(r"((?:const )?\w+) (.*)", cython(declaration)).groups()  # type: ignore[union-attr]
    found = []
    for one in rest.split(","):
        name = one.strip()
        word = name.rsplit("*", 1)[-1].removeprefix("const ").strip()
        found.append(f'{kind} {name}_ "{word}"' if word in KEYWORDS else f"{kind} {name}")
    return found


def sized(sizes: str) -> str:
    """[FC_MAX_MR + 1] -> [15]"""
    known = {name: value for name, value in shared_values().items() if isinstance(value, int)}
    return re.sub(r"\[([^\]]*)\]", lambda m: f"[{eval(m[1], {'__builtins__': {}}, known)}]", sizes)


def parameters(text: str) -> str:
    words = "|".join(KEYWORDS)
    return re.sub(rf"\b({words})\b(?=[,)])", r"\1_", cython(text))


def declarations() -> str:
    """For Cython: types, inline functions, constants and the table."""
    lines = [f"# {NOTE}", 'cdef extern from "simd/table.h" nogil:']
    for name, value in shared_values().items():
        lines += ["    enum:", *(f"        {n}" for n in ([name] if isinstance(value, int) else members(name, value)))]
    for path in headers():
        text = plain(path)
        pattern = (
            r"typedef struct \{(?P<fields>[^}]*)\} (?P<struct>\w+);"
            r"|typedef (?P<result>\w+) (?P<function>\w+)(?P<given>\([^)]*\));"
            r"|static inline (?P<inline>\w+ \w+\([^)]*\))"
        )
        for m in re.finditer(pattern, text):
            if m["struct"]:
                lines.append(f"    ctypedef struct {m['struct']}:")
                parts = filter(None, map(str.strip, m["fields"].split(";")))
                lines += [f"        {declared}" for part in parts for declared in field(part)]
            elif m["function"]:
                lines.append(f"    ctypedef {m['result']} {m['function']}{parameters(m['given'])} noexcept nogil")
            else:
                lines.append(f"    {parameters(m['inline'])}")
    lines += ["    ctypedef struct fc_table:", "        Py_ssize_t itemsize, vl, mr, nr"]
    for kind, name, rest, _ in entries(bodies()):
        if rest.startswith("("):
            lines.append(f"        {kind} (*{name}){parameters(rest)} noexcept nogil")
        else:
            lines.append(f"        {kind} *{name}{sized(rest)}")
    return "\n".join(lines) + "\n"


def includes() -> str:
    lines = [f"/* {NOTE} */"]
    for condition, paths in groupby(bodies(), tables):
        some = (f'#include "{path.relative_to(HERE).as_posix()}"' for path in paths)
        lines += [f"#if {condition}", *some, "#endif"]
    return "\n".join(lines) + "\n"


def write() -> None:
    for path, text in (
        (HERE / "_shared.h", shared_header()),
        (HERE / "_table.h", table_header()),
        (HERE / "_bodies.inc", includes()),
        (HERE.parent / "runtime" / "_table.pxi", declarations()),
    ):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
