"""Measured times: in memory, on disk, and in files that cannot be used."""

from __future__ import annotations

import json
import math
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
from fastconv.bench import timing
from fastconv.cli import main
from fastconv.core import cpu
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
    assert content["cpu"] == cpu.description()
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


def test_tune_keeps_no_times_that_scatter(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "STEADY", -1.0)
    assert main(["tune", "--suite", "lecture", "--cases", "full", "--quick"]) == 0
    assert "not kept, because times scatter" in capsys.readouterr().out
    assert json.loads(file.read_text())["times"] == {}


def test_tune(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "STEADY", math.inf)  # whatever else this machine does
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


def wisdom_of(times: str) -> str:
    return f'{{"format": 1, "cpu": {json.dumps(cpu.description())}, "times": {times}}}'


UNREADABLE = {
    "deep nesting": "[" * 100_000,
    "deep nesting within": wisdom_of('{"p": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}"),
    "infinity": wisdom_of('{"p": {"k": [1, Infinity]}}'),
    "a number beyond floats": wisdom_of('{"p": {"k": [1, 1' + "0" * 400 + "]}}"),
    "a number beyond all": wisdom_of('{"p": {"k": [1, 1' + "0" * 5000 + "]}}"),
    "not a number": wisdom_of('{"p": {"k": [1, NaN]}}'),
    "negative": wisdom_of('{"p": {"k": [1, -1e-6]}}'),
    "nothing": wisdom_of('{"p": {"k": [1, 0]}}'),
    "a word": wisdom_of('{"p": {"k": [1, "1e-6"]}}'),
    "a fraction of a revision": wisdom_of('{"p": {"k": [1.5, 1e-6]}}'),
    "one number": wisdom_of('{"p": {"k": [1]}}'),
    "times that are a list": wisdom_of("[1, 2]"),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_content_that_makes_no_sense_is_reported_once_and_ignored(
    file: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    file.parent.mkdir()
    file.write_text(content)
    reported_once_and_ignored(monkeypatch)


def reported_once_and_ignored(monkeypatch: pytest.MonkeyPatch) -> str:
    """A choice works, with one warning; and the next ones without."""
    monkeypatch.setattr(wisdom, "_reported", set())
    with pytest.warns(RuntimeWarning, match="fastconv (ignored|none)") as caught:
        assert plan().kernel
        monkeypatch.setattr(wisdom, "_loaded", False)
        assert plan().kernel
    assert len(caught) == 1
    assert len(str(caught[0].message)) < 500
    return wisdom.state()


@pytest.mark.parametrize(
    "place", ["~nobody-of-this-name/x", "/" + "long" * 2000, "a\0b", "FOLDER", "FIFO", "/dev/zero"]
)
def test_places_that_cannot_be_read_are_reported_once_and_ignored(
    file: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    file.parent.mkdir()
    if place == "a\0b":  # not for the environment
        monkeypatch.setattr(wisdom, "path", lambda: Path(place))
    elif place == "FIFO":
        os.mkfifo(file)  # without a writer, reading would block for ever
    else:
        monkeypatch.setenv("FASTCONV_WISDOM", str(file.parent) if place == "FOLDER" else place)
    reported_once_and_ignored(monkeypatch)


def test_nobody_at_home_is_reported_once_and_ignored(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("FASTCONV_WISDOM")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert "Could not determine home directory" in reported_once_and_ignored(monkeypatch)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission_are_reported_once_and_ignored(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.mkdir()
    file.write_text(wisdom_of("{}"))
    file.chmod(0)
    reported_once_and_ignored(monkeypatch)


def test_times_of_the_oracle_decide_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = F.plan(F.conv2d, X, W)
    kept = usable()[-1]
    oracle = {"reference.definition": [1, 1e-9]}
    both = json.dumps({wisdom.key(usual.problem): oracle | {kept.name: [kept.revision, 1e-6]}})
    alone = json.dumps({wisdom.key(usual.problem): oracle})
    file.parent.mkdir()
    file.write_text(wisdom_of(alone))
    forget(monkeypatch)
    assert "0 problems" in reported_once_and_ignored(monkeypatch)
    assert plan().kernel == usual.kernel
    file.write_text(wisdom_of(both))
    forget(monkeypatch)
    assert plan().kernel == kept.name
    wisdom.record(kernels("conv")[-1], usual.problem, 1e-12)
    assert set(wisdom.known(usual.problem)) == {kept.name}


WRITER = """
import sys
from pathlib import Path
from fastconv.dispatch import wisdom
for i in range(30):
    wisdom.clear()
    wisdom._put(f"{sys.argv[2]} {i}", {"a kernel": (1, 1e-6)})
    wisdom.save(Path(sys.argv[1]))
"""


def test_two_writers_lose_nothing(file: Path) -> None:
    environment = os.environ | {"FASTCONV_WISDOM": ""}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), name], env=environment) for name in ("one", "two")
    ]
    assert [w.wait(timeout=120) for w in writers] == [0, 0]
    found = json.loads(file.read_text())["times"]
    assert set(found) == {f"{name} {i}" for name in ("one", "two") for i in range(30)}


def test_tune_leaves_filters_of_several_kernels_out(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--suite", "images", "--cases", "grey_opening 64x64", "--quick"]) == 0
    assert "measured 0 cases" in capsys.readouterr().out
