"""The command line: what is written where, exit codes, one-line errors, silence when piped."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

import fastconv
from fastconv import cli
from fastconv.bench.suites import SUITES
from fastconv.cli import bench
from tests.bench.test_compare import check_self_contained

pytestmark = pytest.mark.one_isa

LAYER = ["compare", "conv2d", "1x3x8x8", "4x3x3x3", "--peers", "none", "--threads", "1", "--quick"]


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    monkeypatch.setattr(bench, "QUICK", (0.002, 1))


def refused(capsys, *argv):
    """The one line on stderr of a command that fails, and its exit status."""
    try:
        code = cli.main(list(argv))
    except SystemExit as e:
        code = e.code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return code, err.strip().splitlines()[-1]


def test_version(capsys):
    with pytest.raises(SystemExit) as e:
        cli.main(["--version"])
    assert e.value.code == 0
    assert capsys.readouterr().out == f"fastconv {fastconv.__version__}\n"


def test_info(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("FASTCONV_ISA", "avx2")
    assert cli.main(["info", "--json", str(tmp_path / "i.json")]) == 0
    out, err = capsys.readouterr()
    for word in ("CPU", "cores", "ISA", "FASTCONV_ISA=avx2", "caches", "GFLOP/s float32", "copy", "packages", "numpy"):
        assert word in out
    assert err == f"wrote {tmp_path / 'i.json'}\n"
    data = json.loads((tmp_path / "i.json").read_text())
    assert set(data["backends"]) == set(fastconv.backends())
    assert data["measured"]["1"]["float32_flops"] > 1e8
    assert data["isa_cap"] == "avx2"


def test_compare_prints_a_table_and_nothing_else(capsys):
    assert cli.main(LAYER) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("conv2d(1x3x8x8, 4x3x3x3)\nfloat32, 1 thread;")
    assert "numpy.im2col" in out
    assert "\x1b" not in out


def test_compare_writes_what_was_asked_for(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    names = {kind: str(tmp_path / f"c.{kind}") for kind in ("json", "html", "png")}
    assert cli.main([*LAYER, "--json", names["json"], "--html", names["html"], "--plot", names["png"]]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("conv2d(")
    assert err.splitlines() == [f"wrote {names[kind]}" for kind in ("json", "html", "png")]
    assert json.loads((tmp_path / "c.json").read_text())["threads"] == 1
    check_self_contained((tmp_path / "c.html").read_text())
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_json_on_stdout_takes_the_place_of_the_table(capsys):
    assert cli.main([*LAYER, "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert {r["status"] for r in json.loads(out)["rows"]} == {"ok"}


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ("conv1d 1x4x20 6x2x3 6 --groups 2 --padding same", "conv1d(1x4x20, 6x2x3, 6, padding='same', groups=2)"),
        ("conv2d 1x3x8x8 4x3x3x3 --padding 1:2,0:1 --stride 2,1 --activation relu",
         "conv2d(1x3x8x8, 4x3x3x3, stride=(2, 1), padding=[(1, 2), (0, 1)], activation='relu')"),
        ("conv2d 1x8x8x3 4x3x3x3 --layout NHWC --dilation 2 --dtype float64",
         "conv2d(1x8x8x3, 4x3x3x3, dilation=2, layout='NHWC')"),
        ("conv_transpose2d 1x3x4x4 3x2x3x3 --stride 2 --output-padding 1",
         "conv_transpose2d(1x3x4x4, 3x2x3x3, stride=2, output_padding=1)"),
        ("max_pool2d 1x3x9x9 2 --ceil-mode", "max_pool2d(1x3x9x9, 2, ceil_mode=True)"),
        ("avg_pool2d 1x3x9x9 3x2 --padding 1", "avg_pool2d(1x3x9x9, (3, 2), padding=1)"),
        ("lp_pool1d 1x3x9 2.0 3", "lp_pool1d(1x3x9, 2.0, 3)"),
        ("matmul 2x3x4 2x4x5", "matmul(2x3x4, 2x4x5)"),
        ("linear 3x4 5x4 5", "linear(3x4, 5x4, 5)"),
        ("prelu 2x4 4", "prelu(2x4, 4)"),
        ("max_unpool2d 1x2x3x3 1x2x3x3 2", "max_unpool2d(1x2x3x3, 1x2x3x3, 2)"),
        ("correlate1d 9x8 3 --axis 0", "correlate1d(9x8, 3, axis=0)"),
    ],
)  # fmt: skip
def test_arguments_reach_the_operation(arguments, title, capsys):
    assert cli.main(["compare", *arguments.split(), "--peers", "none", "--threads", "1", "--quick"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == title
    assert out.splitlines()[1].startswith("float64" if "float64" in arguments else "float32")
    assert "WRONG" not in out
    assert "FAILED" not in out


def test_bench(capsys, tmp_path):
    argv = ["bench", "--suite", "lecture", "pool", "--cases", "detector", "20,20", "5x5 map", "--peers", "none"]
    assert cli.main([*argv, "--threads", "1", "--quick", "--json", str(tmp_path / "b.json"), "--html",
                     str(tmp_path / "b.html")]) == 0  # fmt: skip
    out, err = capsys.readouterr()
    assert "lecture: what the lecture computes" in out
    assert "pool: pooling layers" in out
    assert err.splitlines() == [f"wrote {tmp_path / name}" for name in ("b.json", "b.html")]
    data = json.loads((tmp_path / "b.json").read_text())
    assert [(r["suite"], len(r["cases"])) for r in data] == [("lecture", 2), ("pool", 1)]
    check_self_contained((tmp_path / "b.html").read_text())


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (
            "compare conv2d 1x3x8x8 4x2x3x3",
            "fastconv: error: weight has shape (4, 2, 3, 3) and groups=1, so input must have 2 channels",
        ),
        ("compare conv2d 1x3x8xq 4x2x3x3", "fastconv: error: a shape must read as 1x64x56x56, got '1x3x8xq'"),
        ("compare relu 3x-4", "fastconv: error: an argument is a Spec of shape (3, -4); extents must be at least 0"),
        ("compare dense 1x3 4x3", "fastconv: error: operation must be one of conv1d, "),
        ("compare backends 1x3", "fastconv: error: operation must be one of conv1d, "),
        ("compare linear 1x3 4x3 --stride 2", "fastconv: error: linear has no argument stride"),
        ("compare max_pool2d 1x3x8x8 two", "fastconv: error: kernel_size"),
        ("compare median_filter 8x8", "fastconv: error: no footprint or filter size provided"),
        ("compare sobel 8x8 --mode round", "fastconv: error: boundary mode not supported: 'round'"),
        ("compare relu 4 --json - --csv -", "fastconv: error: --json - goes without --csv -: there is one stdout"),
        ("compare softmax 4x4 7", "fastconv: error: dim must be between -2 and 1, got 7"),
        ("compare conv2d 1x3x8x8 4x3x3x3 --dtype float12", "fastconv: error: dtype must be a dtype, got 'float12'"),
        ("compare conv2d 1x3x8x8 4x3x3x3 --padding 1:x", "fastconv compare: error: argument --padding"),
        ("compare conv2d 1x3x8x8 4x3x3x3 --peers tensorflow", "fastconv compare: error: argument --peers: all, none"),
        ("compare conv2d 1x3x8x8 4x3x3x3 --threads 0", "fastconv compare: error: argument --threads: must be an int"),
        ("bench --suite resnet", "fastconv: error: suite must be one of all, resnet50"),
        ("bench --suite lecture --cases 99x99", "fastconv: error: suite lecture has no case with '99x99' in its name"),
        ("train", "fastconv: error: argument COMMAND: invalid choice: 'train'"),
        ("", "fastconv: error: the following arguments are required: COMMAND"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(argv, line, capsys):
    code, last = refused(capsys, *argv.split())
    assert code == 2
    assert last.startswith(line)


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        ("comparee", "compare"),
        ("compare rellu 4", "relu"),
        ("compare relu 4 --peers scpy", "scipy"),
        ("compare relu 4 --layout nhwc", "NHWC"),
        ("compare relu 4 --dtype floa32", "float32"),
        ("compare relu 4 --backend cythn", "cython"),
        ("bench --suite lectur", "lecture"),
    ],
)
def test_mistakes_name_what_was_probably_meant(argv, meant, capsys):
    assert refused(capsys, *argv.split())[1].endswith(f"; did you mean {meant!r}?")


def test_csv_on_stdout_takes_the_place_of_the_table(capsys):
    assert cli.main([*LAYER, "--csv", "-"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("suite,case,count") and all(line.startswith("compare,") for line in lines[1:])


@pytest.mark.parametrize("option", ["--json", "--csv", "--html"])
def test_a_folder_in_place_of_a_file_is_refused_before_measuring(option, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(fastconv, "compare", lambda *a, **k: pytest.fail("measured first"))
    code, last = refused(capsys, *LAYER, option, str(tmp_path))
    assert (code, last) == (1, f"fastconv: error: {tmp_path} is a folder, not a file to write")


def test_a_folder_that_is_not_there_is_refused_before_measuring(capsys, monkeypatch):
    monkeypatch.setattr(fastconv, "compare", lambda *a, **k: pytest.fail("measured first"))
    for option in ("--json", "--html", "--plot"):
        code, last = refused(capsys, *LAYER, option, "/no/such/folder/f")
        assert (code, last) == (1, "fastconv: error: no such folder: /no/such/folder")


def test_a_plot_without_matplotlib_is_refused_before_measuring(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(fastconv, "compare", lambda *a, **k: pytest.fail("measured first"))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, last = refused(capsys, *LAYER, "--plot", str(tmp_path / "p.png"))
    assert code == 1
    assert "pip install 'fastconv[plot]'" in last


def test_a_picture_that_is_none_is_refused_before_measuring(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(fastconv, "compare", lambda *a, **k: pytest.fail("measured first"))
    for argv in ([*LAYER, "--plot", str(tmp_path / "p.xyz")], ["demo", "--output", str(tmp_path / "x.txt")]):
        code, last = refused(capsys, *argv)
        assert code == 2
        assert last.startswith("fastconv: error: a picture's name must end with .png, .svg")


def test_losses_and_softmax_are_compared(capsys):
    for arguments in ("cross_entropy 8x10 8", "nll_loss 8x10 8", "softmax 8x10 1", "relu 80"):
        assert cli.main(["compare", *arguments.split(), "--peers", "none", "--threads", "1", "--quick"]) == 0
        out = capsys.readouterr().out
        assert "*  " in out and "WRONG" not in out and "FAILED" not in out


def test_without_rich_a_line_now_and_then_says_what_is_left(monkeypatch):
    from fastconv.bench import progress

    for name in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    stream = Terminal()
    with progress.bar(stream) as tell:
        for done in range(11):
            tell("layers", done, 10)
            now[0] += 2.0
    assert stream.getvalue().splitlines() == [
        "fastconv: layers (3 of 10, about 14 s left)", "fastconv: layers (6 of 10, about 8 s left)",
        "fastconv: layers (9 of 10, about 2 s left)",
    ]  # fmt: skip
    assert progress.duration(240) == "4 min"


def test_an_interrupt_exits_130(capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(fastconv, "compare", interrupted)
    assert refused(capsys, *LAYER) == (130, "fastconv: interrupted")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_and_colours(monkeypatch):
    pytest.importorskip("rich")
    out, err = Terminal(), Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert cli.main(LAYER) == 0
    assert "numpy.im2col" in out.getvalue()
    assert "\x1b[" in out.getvalue()
    assert "timing" in err.getvalue()
    assert "numpy.im2col" not in err.getvalue().splitlines()[-1]  # the bar is gone at the end


def test_a_terminal_without_rich_gets_plain_text(monkeypatch):
    out, err = Terminal(), Terminal()
    for name in ("rich", "rich.console", "rich.progress", "rich.table"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert cli.main(LAYER) == 0
    assert out.getvalue().startswith("conv2d(1x3x8x8, 4x3x3x3)\n")
    assert "\x1b" not in out.getvalue()
    assert err.getvalue() == ""


def start(*argv, **kwargs):
    return subprocess.Popen([sys.executable, "-m", "fastconv", *argv], **kwargs)


def test_ctrl_c_ends_a_long_run_cleanly():
    """A real signal, on a real terminal that shows it is at work."""
    master, slave = pty.openpty()
    with start("bench", "--suite", "vgg16", "--peers", "none", stdout=subprocess.PIPE, stderr=slave) as process:
        os.close(slave)
        seen = b""
        deadline = time.monotonic() + 60
        while b"vgg16" not in seen and time.monotonic() < deadline:
            seen += os.read(master, 4096)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                more = os.read(master, 4096)
            except OSError:  # how Linux reports that the other side has closed
                break
            if not more:
                break
            seen += more
        process.stdout.read()
        assert process.wait(60) == 130
    os.close(master)
    assert b"fastconv: interrupted" in seen
    assert b"Traceback" not in seen


def test_a_reader_that_leaves_early_is_no_error():
    with start("info", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_the_command_line_needs_numpy_only():
    code = (
        "import sys\n"
        "for name in ('scipy', 'numba', 'torch', 'matplotlib', 'rich', 'onnx', 'onnxruntime', 'openvino', 'ncnn',\n"
        "             'cv2', 'threadpoolctl', 'ml_dtypes', 'PIL'):\n"
        "    sys.modules[name] = None\n"
        "from fastconv import cli\n"
        f"sys.exit(cli.main({LAYER!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "numpy.im2col" in done.stdout
    assert "threadpoolctl: pip install 'fastconv[bench]'" in done.stdout


def test_help_names_every_suite_and_peer(capsys):
    code, last = refused(capsys, "bench", "--suite", "nothing")
    assert code == 2
    assert all(name in last for name in SUITES)
