"""Types of the public functions: what strict checkers accept and refuse, and that types agree with what is checked."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from doctest import DocTestParser
from pathlib import Path
from textwrap import indent
from types import SimpleNamespace
from typing import Any, get_args, get_overloads, get_type_hints

import pytest

import fastconv as F
from fastconv import typing as types
from fastconv.bench.peers import PEERS
from fastconv.core.problems.base import LAYOUTS, PADDING_MODES
from fastconv.ops.grad import activation as unary
from fastconv.ops.grad import signatures as gradients
from fastconv.ops.signatures import AdaptiveMaxPool, MaxPool

pytestmark = pytest.mark.one_isa

ROOT = Path(__file__).resolve().parent.parent
RIGHT = Path(__file__).with_name("typed") / "right.py"

FUNCTIONS = {f"F.{name}": getattr(F, name) for name in F.__all__ if inspect.isfunction(getattr(F, name))}
FUNCTIONS |= {f"F.grad.{name}": getattr(F.grad, name) for name in F.grad.__all__}
FUNCTIONS |= {f"F.filters.{f.__name__}": f for f in (F.filters.apply, *F.filters.FILTERS.values())}
FREE = ("F.plan", "F.compare", "F.backends")  # they take the arguments of others, or none

# One wrong value for each parameter whose type says more than `Any`.
WRONG = {
    "activation": '"rleu"', "approximate": '"tan"', "backend": '"cuda"', "dilation": '"2"', "groups": '"2"',
    "input": "None", "kernel_size": "2.5", "layout": '"NHCW"', "mode": '"mirror"', "need": "True", "out": "[0.0]",
    "output_padding": '"1"', "output_size": '"4"', "pad": "1.5", "padding": '"smae"', "padding_mode": '"around"',
    "reduction": '"average"', "return_indices": '"yes"', "stride": '"2"', "threads": '"all"', "tol": '"1e-5"',
    "weight": "object()",
}  # fmt: skip
NUMBERS = {"dim": "1", "kernel_size": "2", "norm_type": "2.0", "output_size": "2", "pad": "(1, 1)", "threshold": "0.5",
           "value": "0.0"}  # fmt: skip


def call(name: str, function: Callable[..., Any], **wrong: str) -> str:
    """The text of a call with arrays `x` and numbers for all that must be given, and the `wrong` arguments."""
    required = (p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty)
    return f"{name}({', '.join(f'{k}={v}' for k, v in ({n: NUMBERS.get(n, 'x') for n in required} | wrong).items())})"


def wrong_calls() -> list[str]:
    """Each parameter of each function with a wrong value, a name that no function has, and calls of other kinds."""
    calls = [
        "F.conv9d(x, x)",
        'F.options(backend="cuda")',
        'F.options(bakend="numpy")',
        'F.plan(F.conv2d, x, x, layout="NHCW")',
        'F.plan(F.grad.conv2d, F.Spec((1, 1, 4, 4)), x, x, bakend="numpy")',
        "F.plan(F.relu, None)",
        "F.plan(None, x)",
        "F.plan(F.relu, x)(None)",
        'F.compare(F.relu, x, door="open")',
        'F.compare(F.relu, x, peers=("tensorflow",))',
        "F.register(None)",
        "F.unregister(F.relu)",
        "F.Spec(4)",
        "F.conv2d(F.Spec((1, 1, 4, 4)), x)",
        "F.max_pool2d(x, 2, return_indices=True).shape",
        "F.conv2d(x, x).shaep",
        'F.conv_transpose2d(x, x, padding="same")',
        'F.conv_transpose2d(x, x, padding_mode="reflect")',
        "F.conv2d(x, x, padding=[(1.5, 0), (0, 1)])",
    ]
    for name, function in FUNCTIONS.items():
        if name not in FREE:
            given = [p for p in inspect.signature(function).parameters if p in WRONG]
            calls += [call(name, function, **{p: WRONG[p]}) for p in given]
            calls.append(call(name, function, bakend='"numpy"'))
    return calls


def shown_in_documents() -> str:
    """The programs of README and the sessions of all pages, each page as a function, but for those that need torch or
    dask, whose own types take long to read or are not there."""
    programs = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)
    texts = ["".join(p for p in programs if "torch" not in p.split("\n")[0])]
    for page in sorted((ROOT / "docs").glob("*.md")):
        blocks = re.findall(r"^```python\n(>>> .*?)^```", page.read_text(), re.S | re.M)
        session = "".join(example.source for example in DocTestParser().get_examples("\n".join(blocks)))
        if session and not re.search(r"^(import|from) .*\b(torch|dask)\b", session, re.M):
            texts.append(session)
    assert len(programs) >= 2 and len(texts) >= 8
    return "\n".join(f"def part_{i}() -> None:\n{indent(text, '    ')}" for i, text in enumerate(texts))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str], list[str]]:
    """(lines on the right calls, lines on the wrong ones, the wrong calls) of one strict run of mypy.

    Right calls are those in typed/right.py, in README and on the pages of the site.
    """
    api = pytest.importorskip("mypy.api")
    folder = tmp_path_factory.mktemp("typed")
    wrong, calls = folder / "wrong.py", wrong_calls()
    wrong.write_text("\n".join(["import numpy as np", "import fastconv as F", "x = np.ones(4)", *calls]))
    shown = folder / "shown.py"
    shown.write_text(shown_in_documents())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        out, err, _ = api.run(
            ["--strict", "--config-file=", "--follow-imports=silent", "--ignore-missing-imports",
             f"--cache-dir={folder / 'cache'}", "--no-pretty",
             "--no-error-summary", "--python-executable", sys.executable, str(RIGHT), str(wrong), str(shown)]
        )  # fmt: skip
    assert not err
    errors = [line for line in out.splitlines() if ": error: " in line]
    return [e for e in errors if wrong.name not in e], [e for e in errors if wrong.name in e], calls


def test_right_calls_are_accepted(report: tuple[list[str], list[str], list[str]]) -> None:
    assert report[0] == []


def test_wrong_calls_are_refused(report: tuple[list[str], list[str], list[str]]) -> None:
    _, errors, calls = report
    refused = {int(line.split(":")[1]) for line in errors}
    assert [text for i, text in enumerate(calls, start=4) if i not in refused] == []
    assert len(calls) > 900
    assert refused <= set(range(4, 4 + len(calls)))


def test_right_calls_run() -> None:
    done = subprocess.run([sys.executable, "-W", "error", str(RIGHT)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_right_calls_are_of_every_function() -> None:
    seen = {ast.unparse(node) for node in ast.walk(ast.parse(RIGHT.read_text())) if isinstance(node, ast.Attribute)}
    assert sorted(set(FUNCTIONS) - seen) == []


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(F.__file__).with_name("py.typed").exists()


def test_names_are_those_that_exist() -> None:
    assert get_args(types.Peer) == tuple(PEERS)
    assert set(get_args(types.Backend)) <= {"auto", *F.backends()}
    assert list(types.Execution.__annotations__) == list(inspect.signature(F.options).parameters)
    assert set(get_args(types.Activation)) < set(F.__all__)
    assert get_args(types.Layout) == LAYOUTS
    assert get_args(types.PaddingMode) == PADDING_MODES
    assert set(get_args(types.PadMode)) == set(PADDING_MODES) - {"zeros"}
    assert set(get_args(types.TransposedPaddingMode)) < set(PADDING_MODES)


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - set(FREE)))
def test_types_can_be_read_at_run_time(name: str) -> None:
    types = get_type_hints(FUNCTIONS[name])
    assert [p for p in inspect.signature(FUNCTIONS[name]).parameters if types.get(p) is Any] == []


def check_signature(declared: inspect.Signature, real: inspect.Signature) -> None:
    """Raise unless `declared`, of a method of a protocol, takes the arguments of `real`."""
    own = {name: p for name, p in declared.parameters.items() if name != "self"}
    assert list(own) == list(real.parameters)
    for name, p in own.items():
        given = real.parameters[name]
        assert p.default in (given.default, p.empty), name
        assert p.kind in (given.kind, p.KEYWORD_ONLY), name


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name, protocol", [("max_pool", MaxPool), ("adaptive_max_pool", AdaptiveMaxPool)])
def test_overloads_have_the_parameters_of_their_function(name: str, protocol: type, rank: int) -> None:
    method: Any = SimpleNamespace(__module__=protocol.__module__, __qualname__=f"{protocol.__qualname__}.__call__")
    overloads = get_overloads(method)
    assert len(overloads) == 3
    for one in overloads:
        check_signature(inspect.signature(one), inspect.signature(getattr(F, f"{name}{rank}d")))


@pytest.mark.parametrize("name", sorted(unary.__annotations__.keys() - {"_PARAMETERS"}))
def test_protocols_of_gradients_have_the_parameters_of_their_function(name: str) -> None:
    protocol = getattr(gradients, unary.__annotations__[name])
    check_signature(inspect.signature(protocol.__call__), inspect.signature(getattr(F.grad, name)))
