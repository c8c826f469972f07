"""Tables fit the terminal: no name is cut, few rows are shown, and doubtful times are marked."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

import fastconv as F
from fastconv.bench import busy
from fastconv.bench.html import bars, page
from fastconv.bench.records import Entry, Roofline, Row
from fastconv.bench.results import Comparison, Report
from fastconv.bench.suites import Case
from fastconv.bench.table import COLUMNS, comparison_text, report_text
from fastconv.core.units import bytes_text, time_text

pytestmark = pytest.mark.one_isa

NAMES = ("cython.winograd_rows3_widened_transposed@portable", "cython.winograd_f4@avx512", "cython.direct@avx512",
         "cython.direct@avx2", "numba.direct@avx512", "numpy.im2col")  # fmt: skip
PEERS = ("onnxruntime", "torch channels last", "torch", "openvino")


def row(name, kind="fastconv", seconds=1e-3, **more):
    filled = dict(seconds=seconds, low=seconds, high=seconds, samples=5, rate=1e9, roofline=0.5, workspace=1 << 20,
                  error=1e-6, bound=49483.0, ratio=1.25)  # fmt: skip
    return Row(name, kind, **(filled | more))


def comparison(*rows, **more):
    limits = Roofline(1e11, 1e10, "avx512 multiply-adds", 1)
    left_out = (("cython.depthwise@avx2", "more than one input channel per group"),)
    return Comparison("conv2d(...)", "", "float32", 1, "GFLOP/s", 1e6, 1e6, limits, rows, left_out, **more)


def filled():
    rows = [row(name, seconds=1e-3 * (i + 1), chosen=i == 1) for i, name in enumerate(NAMES)]
    rows += [row(name, "peer", 2e-3 * (i + 1)) for i, name in enumerate(PEERS)]
    return comparison(*sorted(rows, key=lambda r: r.seconds))


@pytest.mark.parametrize("width", [80, 100, 120])
def test_lines_fit_and_names_are_whole(width):
    text = comparison_text(filled(), width)
    assert max(map(len, text.splitlines())) <= width
    assert all(name in text for name in NAMES if "@avx2" not in name)
    assert "time" in text and "cython.direct@avx2" not in text
    suite = Report("s", "about", 1, (Entry(Case("64,56,56->64 3x3 p1", "conv2d", ()), filled()),))
    assert max(map(len, report_text(suite, width).splitlines())) <= width
    assert "64,56,56->64 3x3 p1" in report_text(suite, width)


def test_where_lines_may_be_long_every_column_is_there():
    text = comparison_text(filled())
    assert all(column.head in text for column in COLUMNS)


def test_names_are_whole_even_where_there_is_no_room():
    assert NAMES[0] in comparison_text(filled(), 40)


def test_the_short_table_has_the_choice_and_the_fastest_of_each_kind():
    c = filled()
    shown = [r.name for r in c.main_rows]
    assert shown == [*NAMES[:2], "onnxruntime", NAMES[2], "torch channels last", *NAMES[4:], "openvino"]
    text = c.to_text()
    assert "--all, or to_text(all=True), shows 2 more, and why 1 other kernels cannot do this" in text
    whole = c.to_text(all=True)
    assert "cython.direct@avx2" in whole and "more than one input channel per group" in whole
    failed = replace(c, rows=(*c.rows, row("numpy.pointwise", status="wrong", seconds=None, why="error 1 exceeds 0")))
    assert "wrong: numpy.pointwise: error 1 exceeds 0" in failed.to_text()
    loose = replace(c, rows=(row("cython.winograd_f8@avx512", seconds=1e-6, admitted=False), *c.rows))
    assert [r.name for r in loose.main_rows] == shown


def test_one_sample_is_marked():
    assert "1 sample" in comparison_text(comparison(row("numpy.im2col", samples=1)))


def test_times_that_scatter_are_said_to():
    quiet, noisy = row("numpy.im2col"), row("cython.direct@avx2", low=1e-3, high=2e-3, chosen=True)
    assert "warning" not in comparison_text(comparison(quiet, busy=0.1))
    text = comparison_text(comparison(quiet, noisy, busy=1.5))
    assert "warning: 1 of 2 times scatter by more than 20%, cython.direct@avx2 by 100%" in text
    assert "other programs used 1.5 processors" in text
    assert "warning: the machine is busy" in comparison_text(comparison(quiet, busy=1.5))
    report = Report("s", "about", 1, (Entry(Case("c", "conv2d", ()), comparison(quiet, noisy)),))
    assert "warning: 1 of 2 times" in report_text(report)


def test_peers_are_named_beside_the_mean():
    alone = comparison(row("numpy.im2col", ratio=None, chosen=True))
    entries = (Entry(Case("a", "conv2d", ()), filled()), Entry(Case("b", "conv2d", ()), alone))
    text = report_text(Report("s", "about", 1, entries))
    assert "(another library; onnxruntime in 1)" in text and "over 1 of 2 cases" in text


def test_a_terminal_of_80_columns(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    arrays = F.Spec((1, 3, 8, 8)), F.Spec((4, 3, 3, 3))
    found = F.compare(F.conv2d, *arrays, peers=(), seconds=0.002, rounds=1, threads=1)
    assert max(map(len, str(found).splitlines())) <= 80
    assert found.chosen.name in str(found)
    assert found.environment["cpu"] and found.environment["date"]


def test_what_other_programs_use(monkeypatch, tmp_path):
    stat = tmp_path / "stat"
    monkeypatch.setattr(busy, "STAT", stat)
    assert busy.Others().processors() is None
    clock = iter([(0.0, 0.0), (10.0, 4.0)])
    now = [0.0, 0.0]
    monkeypatch.setattr(busy.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(busy.time, "process_time", lambda: now[1])
    ticks = busy.os.sysconf("SC_CLK_TCK")
    now[:] = next(clock)
    stat.write_text("cpu  0 0 0 500 0 0 0 0 0 0\n")
    others = busy.Others()
    now[:] = next(clock)
    stat.write_text(f"cpu  {10 * ticks} 0 {4 * ticks} 900 0 0 0 0 {7 * ticks} 0\n")
    assert others.processors() == pytest.approx(1.0)  # 14 seconds of work in 10, 4 of them our own


def test_units():
    assert [time_text(s) for s in (None, 2.3, 0.0023, 2.3e-6)] == ["-", "2.30 s", "2.30 ms", "2.3 us"]
    assert [bytes_text(b) for b in (None, 12, 1172032, 3 << 30, 2048)] == ["-", "12 B", "1.1 MiB", "3.0 GiB", "2.0 KiB"]


def test_bars_that_one_would_flatten_are_logarithmic():
    flat = [("", [("a", 1000.0, "", "peer"), ("b", 1.0, "", "peer"), ("c", 2.0, "", "peer")])]
    widths = [float(w) for w in re.findall(r'class="bar" style="width:([\d.]+)%', bars(flat, "GB/s"))]
    assert widths[0] == 100 and 5 < widths[1] < widths[2] < 50
    assert "GB/s, logarithmic axis" in bars(flat, "GB/s")
    even = bars([("one", [("a", 2.0, "x < y", "chosen"), ("b", 1.0, "", "peer")])], "GFLOP/s", 4.0, "roofline")
    assert "logarithmic" not in even and "x &lt; y" in even and "dashed: roofline" in even
    assert [float(w) for w in re.findall(r'class="bar" style="width:([\d.]+)%', even)] == [50.0, 25.0]
    assert bars([("none", [])], "GB/s") == ""


def test_a_page_groups_by_backend_and_folds_the_rest():
    text = page("a title", [filled()])
    assert [text.index(f"<b>{head}</b>") for head in ("cython", "numba", "numpy", "other libraries")] == sorted(
        text.index(f"<b>{head}</b>") for head in ("cython", "numba", "numpy", "other libraries")
    )
    assert "All 10 rows" in text and "prefers-color-scheme:dark" in text and "overflow-x:auto" in text


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
@pytest.mark.parametrize("width", [420, 1400])
def test_a_page_fits_a_browser(width, tmp_path):
    """The page is as wide as its window: only tables scroll, on their own."""
    script = "<script>document.title = document.documentElement.scrollWidth + ' of ' + window.innerWidth</script>"
    file = tmp_path / "p.html"
    rows = [row("cython.winograd_f4x6@avx512", seconds=723.1e-6, rate=1319.7e9), *filled().rows]
    file.write_text(page("a title", [comparison(*rows)]).replace("</main>", f"</main>{script}"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'user'}"]
    command = ["chromium", *options, f"--window-size={width},900", "--dump-dom", file.as_uri()]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    wide, window = map(int, re.search(r"<title>(\d+) of (\d+)</title>", found).groups())
    assert wide <= window
