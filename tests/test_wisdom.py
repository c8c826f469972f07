"""Measured times: in memory, on disk, and what becomes of a file that is no good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.cli import main
from fastconv.core import machine
from fastconv.dispatch import wisdom
from fastconv.dispatch.plan import clear_cache
from fastconv.dispatch.registry import kernels

pytestmark = pytest.mark.one_isa

X = F.Spec((2, 4, 12, 12))
W = np.ones((4, 4, 3, 3), "f")


def plan() -> Any:
    clear_cache()
    return F.plan(F.conv2d, X, W)


def usable() -> list[Any]:
    return [c.kernel for c in plan().explain().candidates if c.reason is None and c.kernel.backend != "reference"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for wisdom, which is read again in the test."""
    path = tmp_path / "deep" / "wisdom.json"
    monkeypatch.setenv("FASTCONV_WISDOM", str(path))
    monkeypatch.setattr(wisdom, "_loaded", False)
    monkeypatch.setattr(wisdom, "_state", "not read yet")
    yield path
    wisdom.clear()


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a new process."""
    wisdom.clear()
    monkeypatch.setattr(wisdom, "_loaded", False)


def test_measured_times_decide_for_every_batch() -> None:
    slow, other = usable()[-1], usable()[0]
    wisdom.record(slow, plan().problem, 1e-9)
    wisdom.record(other, plan().problem, 2e-9)
    assert plan().kernel == slow.name
    assert F.plan(F.conv2d, F.Spec((7, 4, 12, 12)), W).kernel == slow.name
    assert F.plan(F.conv2d, F.Spec((2, 4, 12, 13)), W).problem != plan().problem
    assert wisdom.measured(slow, plan().problem) == pytest.approx(0.5e-9)  # of one of two images


def test_another_revision_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = usable()[-1]
    wisdom.record(kernel, plan().problem, 1e-9)
    monkeypatch.setattr(type(kernel), "revision", kernel.revision + 1)
    assert wisdom.measured(kernel, plan().problem) is None
    assert plan().kernel != kernel.name


def test_files_are_kept_merged_and_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = usable()[-1]
    assert wisdom.state().startswith("none: there is no ")
    wisdom.record(slow, plan().problem, 1e-9)
    assert wisdom.save(file) == 1
    content = json.loads(file.read_text())
    assert content["cpu"] == machine.cpu_identity()
    (key,) = content["times"]
    assert "ConvProblem" in key
    assert content["times"][key] == {slow.name: [slow.revision, 0.5e-9]}
    forget(monkeypatch)
    wide = F.plan(F.conv2d, F.Spec((1, 4, 12, 40)), W)
    wisdom.clear()
    wisdom.record(slow, wide.problem, 3e-9)
    assert wisdom.save(file) == 2
    assert [p.name for p in file.parent.iterdir()] == [file.name]
    forget(monkeypatch)
    assert plan().kernel == slow.name
    assert wisdom.state() == f"2 problems from {file}"


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "JSONDecodeError"), ("[]", "TypeError"), ("{}", "KeyError: 'format'"), ('{"format": 9}', "format 9, not 1"),
     ('{"format": 1, "cpu": "x", "times": {"p": 3}}', "AttributeError"),
     ('{"format": 1, "cpu": "x", "times": {"p": {"k": [1]}}}', "not enough values"), ("\x00\xff", "JSONDecodeError")],
)  # fmt: skip
def test_a_broken_file_is_reported_and_ignored(
    file: Path, text: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.warns(RuntimeWarning, match="fastconv ignored .*wisdom.json: ") as caught:
        chosen = plan().kernel
    assert why in str(caught[0].message)
    assert why in wisdom.state()
    wisdom.record(usable()[-1], plan().problem, 1e-9)
    assert wisdom.save(file) == 1  # and replaced
    forget(monkeypatch)
    assert plan().kernel == usable()[-1].name != chosen


def test_a_folder_in_its_place_is_reported(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.warns(RuntimeWarning, match="ignored"):
        plan()


def test_another_processor_is_ignored_in_silence(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"format": 1, "cpu": "abacus", "times": {}}')
    plan()
    assert wisdom.state().endswith("made on another processor, abacus")


def test_no_file_is_wanted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FASTCONV_WISDOM", " ")
    assert wisdom.path() is None
    assert main(["tune"]) == 2
    assert "FASTCONV_WISDOM is empty" in capsys.readouterr().err
    monkeypatch.delenv("FASTCONV_WISDOM")
    monkeypatch.setenv("XDG_CACHE_HOME", os.path.join("some", "where"))
    assert wisdom.path() == Path("some", "where", "fastconv", "wisdom.json")


def test_tune(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["tune", "--suite", "lecture", "--cases", "volume", "full", "map", "--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("measured ") for line in lines)
    assert lines[-1].startswith(f"wrote {file}: ")
    times = json.loads(file.read_text())["times"]
    packed = [key for key in times if "packed=True" in key]
    assert packed
    for key in packed:
        called = times[key.replace("packed=True", "packed=False")]
        assert all(called[name][1] > seconds for name, (_, seconds) in times[key].items())
    assert main(["tune", "--suite", "nothing"]) == 2


def test_another_process_reads_it(file: Path) -> None:
    slow = usable()[-1]
    wisdom.record(slow, plan().problem, 1e-9)
    wisdom.save(file)
    code = (
        "import fastconv as F, numpy as np\n"
        "print(F.plan(F.conv2d, F.Spec((3, 4, 12, 12)), np.ones((4, 4, 3, 3), 'f')).kernel)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == slow.name


def test_keys_do_not_tell_batches_apart() -> None:
    p = plan().problem
    assert wisdom.key(p) == wisdom.key(replace(p, n=50))
    assert all(k.name not in wisdom.known(p) for k in kernels("conv"))
