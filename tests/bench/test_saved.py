"""Results on disk: read again, continued, compared; layers of one's own; which kernels take part."""

import json
from dataclasses import replace

import pytest

import fastconv as F
from fastconv import cli
from fastconv.bench import suites
from fastconv.bench.diff import diff
from fastconv.bench.layers import suite_from
from fastconv.bench.only import Only
from fastconv.bench.records import Entry, Roofline, Row
from fastconv.bench.results import Comparison, Report, reports_csv, reports_json
from fastconv.bench.saved import load
from fastconv.bench.suites import Case, Suite, register_suite
from fastconv.cli import bench as command

pytestmark = pytest.mark.one_isa

TINY = Suite("tiny_two", "two small problems", (
    Case("one", "conv2d", ((1, 2, 6, 6), (3, 2, 3, 3)), (), {"padding": [(1, 0), (1, 1)]}, count=3),
    Case("two", "max_pool2d", ((1, 2, 6, 6),), (2,), dtype="float64"),
))  # fmt: skip


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    monkeypatch.setattr(command, "QUICK", (0.001, 1))
    monkeypatch.setattr(suites, "SUITES", suites.SUITES)
    suites.SUITES[TINY.name] = TINY
    yield
    del suites.SUITES[TINY.name]


def bench(*argv):
    return cli.main(["bench", "--suite", "tiny_two", "--peers", "none", "--threads", "1", "--quick", *map(str, argv)])


def test_a_saved_run_is_read_as_it_was_and_drawn_again(tmp_path, capsys):
    file = tmp_path / "r.json"
    assert bench("--json", file) == 0
    table = capsys.readouterr().out
    (report,) = load(file)
    assert json.loads(reports_json([report])) == json.loads(file.read_text())
    assert report.entries[0].case.shapes == TINY.cases[0].shapes
    assert {"date", "cpu", "load", "command", "numpy"} <= set(json.loads(file.read_text())[0]["environment"])
    assert cli.main(["view", str(file), "--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "r.csv")]) == 0
    assert capsys.readouterr().out == table
    assert "<table" in (tmp_path / "r.html").read_text()
    lines = (tmp_path / "r.csv").read_text().splitlines()
    assert lines[0].startswith("suite,case,count,dtype,threads") and len(lines) == 1 + sum(
        len(e.comparison.rows) for e in report.entries)  # fmt: skip
    assert reports_csv([report]).splitlines() == lines


def test_one_comparison_is_read_as_a_case(tmp_path, capsys):
    F.compare(F.relu, F.Spec((9,)), peers=(), seconds=0.001, rounds=1, title="mine").to_json(tmp_path / "c.json")
    (report,) = load(tmp_path / "c.json")
    assert [e.case.name for e in report.entries] == ["mine"]
    assert cli.main(["view", str(tmp_path / "c.json"), "--html", str(tmp_path / "c.html")]) == 0
    assert capsys.readouterr().out.startswith("mine\nfloat32")
    assert "<h1>mine</h1>" in (tmp_path / "c.html").read_text()


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"rows": 1}', '[{"suite": "a"}]', "[" * 9999])
def test_other_files_are_refused(tmp_path, capsys, content):
    file = tmp_path / "r.json"
    file.write_text(content)
    for argv in (["diff", file, file], ["view", file], ["bench", "--resume", file], ["bench", "--against", file]):
        assert cli.main([*map(str, argv)]) == 2
        assert "was not written by fastconv bench --json" in capsys.readouterr().err


def test_missing_files_are_refused(capsys):
    assert cli.main(["bench", "--resume", "/no/such.json"]) == 1
    assert "/no/such.json" in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_measured_and_resume_goes_on(tmp_path, capsys, monkeypatch):
    from fastconv.bench import suite as module

    true, seen = module.measure, []

    def measure(*args, **kwargs):
        if len(seen) == 1:
            raise KeyboardInterrupt
        seen.append(kwargs["title"])
        return true(*args, **kwargs)

    monkeypatch.setattr(module, "measure", measure)
    file = tmp_path / "r.json"
    assert bench("--json", file) == 130
    out, err = capsys.readouterr()
    assert "one" in out and "\ntwo" not in out
    assert err.splitlines()[-1] == f"fastconv: interrupted after 1 of 2 cases; --resume {file} goes on"
    seen[:] = []
    assert bench("--resume", file, "--json", file) == 0
    assert seen == ["two"]
    assert [e.case.name for e in load(file)[0].entries] == ["one", "two"]


@pytest.mark.parametrize(
    ("change", "more", "again"),
    [
        ({}, (), []),
        ({"shapes": ((1, 2, 9, 6),)}, (), ["two"]),
        ({"dtype": "float32"}, (), ["two"]),
        ({"kwargs": {"stride": 1}}, (), ["two"]),
        ({}, ("--threads", "2"), ["one", "two"]),
        ({}, ("--door", "called"), ["one", "two"]),
        ({}, ("--cold",), ["one", "two"]),
    ],
)
def test_resume_measures_again_what_is_another_case_now(tmp_path, capsys, monkeypatch, change, more, again):
    file = tmp_path / "r.json"
    assert bench("--json", file) == 0
    one, two = TINY.cases
    monkeypatch.setitem(suites.SUITES, TINY.name, replace(TINY, cases=(one, replace(two, **change))))
    capsys.readouterr()
    assert bench("--resume", file, "--json", file, *more) == 0
    err = capsys.readouterr().err
    said = f"fastconv: tiny_two: {len(again)} cases of {file} have other arguments, threads or doors"
    assert (said in err) == bool(again)
    assert not again or err.splitlines()[0].endswith(f"are measured again: {', '.join(again)}")
    (report,) = load(file)
    assert report.entries[1].case.dtype == change.get("dtype", "float64")
    assert {e.comparison.threads for e in report.entries} == {2 if "--threads" in more else 1}


def test_ctrl_c_before_the_first_case_is_done(monkeypatch, capsys):
    from fastconv.bench import suite as module

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "measure", interrupted)
    assert bench() == 130
    assert capsys.readouterr() == ("", "fastconv: interrupted\n")


def test_a_budget_leaves_cases_out(capsys):
    assert bench("--budget", "0.0001") == 0
    assert capsys.readouterr().err == "fastconv: tiny_two: the budget was over after 1 of 2 cases\n"


def run(*times, cpu="abacus", peer=1.0):
    """A report of cases a, b, c, ... of these quartiles."""
    entries = []
    for name, (low, median, high) in zip("abcdef", times, strict=False):
        own = Row("cython.k", "fastconv", chosen=True, seconds=median, low=low, high=high, samples=9, rate=1.0)
        theirs = Row("torch", "peer", seconds=peer, low=peer, high=peer, samples=9, rate=1.0)
        c = Comparison(name, "", "float32", 1, "GFLOP/s", 1.0, 1.0, Roofline(1.0, 1.0, "", 1), (own, theirs),
                       environment={"cpu": cpu})  # fmt: skip
        entries.append(Entry(Case(name, "conv2d", ()), c))
    return Report("s", "", 1, tuple(entries))


def test_what_changed_beyond_noise():
    before = run((0.9, 1.0, 1.1), (0.9, 1.0, 1.1), (0.9, 1.0, 1.1), (0.999, 1.0, 1.001), (1, 1, 1))
    now = run((0.4, 0.5, 0.6), (1.9, 2.0, 2.1), (1.0, 1.3, 1.5), (1.02, 1.03, 1.04), peer=2.0)
    found = diff([before], [now])
    assert [c.verdict for c in found.changes] == ["faster", "slower", "", ""]
    assert found.missing == ("e",)
    text = str(found)
    assert "4 cases in both: 1 slower, 1 faster, 2 the same within noise" in text
    assert "whose code is the same: 0.50" in text and "only in one of them: e" in text
    other = diff([before], [run((1, 1, 1), cpu="slide rule")])
    assert other.notes == ("processor: abacus before, slide rule now",)


def test_the_exit_status_says_whether_something_is_slower(tmp_path, capsys):
    fast, slow = tmp_path / "fast.json", tmp_path / "slow.json"
    reports_json([run((1, 1, 1))], fast)
    reports_json([run((2, 2, 2))], slow)
    assert cli.main(["diff", str(fast), str(slow)]) == 1
    assert "slower  a" in capsys.readouterr().out
    assert cli.main(["diff", str(slow), str(fast)]) == 0
    reports_json([replace(run((1, 1, 1)), suite="other")], slow)
    assert cli.main(["diff", str(fast), str(slow)]) == 2


def test_against_an_earlier_run(tmp_path, capsys):
    file = tmp_path / "r.json"
    bench("--json", file)
    assert bench("--against", file) in (0, 1)
    assert "2 cases in both" in capsys.readouterr().out


TOML = """
[[layer]]
name = "stem"
operation = "conv2d"
input = "1x3x32x32"
weight = [8, 3, 3, 3]
stride = 2
padding = [1, 0]
count = 4
[[layer]]
operation = "max_pool2d"
input = "1x8x16x16"
kernel_size = 2
ceil_mode = true
dtype = "float64"
"""
CSV = """name,operation,input,weight,stride,padding,count,dtype,kernel_size,ceil_mode
stem,conv2d,1x3x32x32,8x3x3x3,2,1x0,4,,,
,max_pool2d,1x8x16x16,,,,,float64,2,true
"""


@pytest.mark.parametrize(("name", "text"), [("layers.toml", TOML), ("layers.csv", CSV)])
def test_layers_of_ones_own(tmp_path, name, text, capsys):
    (tmp_path / name).write_text(text)
    suite = suite_from(tmp_path / name)
    pooling = Case("max_pool2d 1x8x16x16 kernel_size=2 ceil_mode=True", "max_pool2d", ((1, 8, 16, 16),), (),
                   {"kernel_size": 2, "ceil_mode": True}, 1, "float64")  # fmt: skip
    stem = Case("stem", "conv2d", ((1, 3, 32, 32), (8, 3, 3, 3)), (), {"stride": 2, "padding": (1, 0)}, 4)
    assert suite.cases == (stem, pooling)
    argv = ["bench", "--from", str(tmp_path / name), "--peers", "none", "--quick", "--threads", "1"]
    assert cli.main([*argv, "--dtype", "float32"]) == 0
    assert "stem" in capsys.readouterr().out
    assert cli.main([*argv, "--list"]) == 0
    assert "max_pool2d 1x8x16x16 float64 kernel_size=2, ceil_mode=True" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("l.csv", "operation,input\nconv3,1x3x8x8\n", "layer 1: operation must be one of .*did you mean 'conv3d'"),
        ("l.csv", "operation,input,strid\nconv2d,1x3x8x8,1\n", "keys must be one of .*did you mean 'stride'"),
        ("l.csv", "operation,input\nconv2d,1x3xq\n", "a shape must read as 1x64x56x56, got '1x3xq'"),
        ("l.csv", "operation,weight\nconv2d,1x3x8x8\n", "from the first on: input, weight, bias"),
        ("l.csv", "input\n1x3\n", "operation is missing"),
        ("l.toml", "layer = 1 2", "l.toml: "),
        ("l.toml", "", "has no layers"),
        ("l.toml", "layer = 3", r"a layer must be a table \[\[layer\]\], got layer = 3"),
        ("l.toml", "[layer]\noperation = 'relu'", r"a layer must be a table \[\[layer\]\]"),
        ("l.toml", "[[layer]]\noperation = 'relu'\ninput = [3, 4.5]", r"must read as 1x64x56x56, got \[3, 4.5\]"),
        ("l.csv", "operation,input,count\nrelu,3,0\n", "count must be an int of at least 1, got '0'"),
        ("l.toml", "[[layer]]\noperation = 'relu'\ninput = '3'\ncount = 2.5", "count must be an int .*, got 2.5"),
        ("l.csv", "\udcff", "l.csv: 'utf-8' codec"),
        ("l.toml", "\udcff", "l.toml: 'utf-8' codec"),
        ("l.json", "", "read from .toml and .csv files"),
    ],
)
def test_wrong_layers_are_named(tmp_path, name, text, why):
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=why):
        suite_from(tmp_path / name)


def test_a_registered_suite_is_one_of_all():
    register_suite(replace(TINY, name="mine"))
    try:
        assert suites.SUITES["mine"].cases == TINY.cases
        with pytest.raises(ValueError, match="a suite called mine already"):
            register_suite(replace(TINY, name="mine"))
    finally:
        del suites.SUITES["mine"]


def test_filters(capsys):
    layer = (F.conv2d, F.Spec((1, 3, 8, 8)), F.Spec((4, 3, 3, 3)))
    quick = {"peers": (), "seconds": 0.001, "rounds": 1, "threads": 1}
    found = F.compare(*layer, only=Only(backends=("numpy", "cython"), algorithms=("im2col", "direct")), **quick)
    assert {r.library for r in found.rows} <= {"numpy", "cython"}
    assert {r.kin.partition(".")[2] for r in found.rows} <= {"im2col", "direct"}
    assert found.chosen is not None
    only = F.compare(*layer, only=Only(kernels=("numpy.im2col",)), **quick)
    assert [(r.name, r.chosen) for r in only.rows] == [("numpy.im2col", True)]
    called = F.compare(*layer, only=Only(kernels=("numpy.im2col",)), door="called", **quick)
    assert [r.name for r in called.rows] == ["called"]
    argv = ["compare", "conv2d", "1x3x8x8", "4x3x3x3", "--peers", "none", "--quick", "--threads", "1"]
    assert cli.main([*argv, "--isa", "portable", "--all"]) == 0
    table = capsys.readouterr().out
    assert "@portable" in table and "@avx2 " not in table
    assert cli.main([*argv, "--backend", "nunpy"]) == 2
    assert "did you mean 'numpy'" in capsys.readouterr().err
    assert cli.main([*argv, "--algorithm", "fft"]) == 2
    assert cli.main([*argv, "--algorithm", "depthwise"]) == 2
    assert "no kernel that is asked for can do this" in capsys.readouterr().err


def test_suites_are_listed(capsys):
    assert cli.main(["bench", "--list"]) == 0
    assert "resnet50" in capsys.readouterr().out
    assert cli.main(["bench", "--suite", "tiny_two", "--list"]) == 0
    assert "one       3  conv2d 1x2x6x6 3x2x3x3 float32" in capsys.readouterr().out


def test_the_layers_of_a_model(tmp_path, capsys):
    onnx = pytest.importorskip("onnx")
    np = pytest.importorskip("numpy")
    h, t = onnx.helper, onnx.TensorProto

    def weights(name, *shape):
        return onnx.numpy_helper.from_array(np.ones(shape, "f"), name)

    nodes = [
        h.make_node("Conv", ["x", "w"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        h.make_node("Conv", ["a", "v", "b"], ["c"], pads=[1, 0, 1, 2], group=2),
        h.make_node("Conv", ["a", "v", "b"], ["d"], pads=[1, 0, 1, 2], group=2),
        h.make_node("Add", ["c", "d"], ["e"]),
        h.make_node("MaxPool", ["e"], ["f"], kernel_shape=[2, 2], strides=[2, 2]),
        h.make_node("GlobalAveragePool", ["f"], ["g"]),
        h.make_node("Flatten", ["g"], ["i"]),
        h.make_node("Gemm", ["i", "k", "l"], ["y"], transB=1),
    ]
    x = h.make_tensor_value_info("x", t.FLOAT, ["batch", 3, 32, 32])
    y = h.make_tensor_value_info("y", t.FLOAT, None)
    arrays = [weights("w", 4, 3, 3, 3), weights("v", 4, 2, 3, 3), weights("b", 4), weights("k", 10, 4)]
    arrays.append(weights("l", 10))
    model = h.make_model(h.make_graph(nodes, "g", [x], [y], arrays), opset_imports=[h.make_opsetid("", 17)])
    file = tmp_path / "net.onnx"
    onnx.save(model, str(file))
    argv = ["bench", "--onnx", str(file), "--peers", "none", "--quick", "--threads", "1"]
    assert cli.main([*argv, "--list"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("net: layers of net.onnx: 6 in all, 5 distinct; 2 nodes of other kinds")
    assert "conv2d 1x3x32x32 4x3x3x3 float32 padding=(1, 1), stride=(2, 2)" in out
    assert "2  conv2d 1x4x16x16 4x2x3x3 4 float32 groups=2, padding=((1, 1), (0, 2))" in out
    assert "linear 1x4 10x4 10 float32" in out
    assert cli.main(argv) == 0
    assert cli.main(["bench", "--onnx", str(tmp_path / "none.onnx")]) == 1
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    assert cli.main(["bench", "--onnx", str(tmp_path / "bad.onnx")]) == 2
