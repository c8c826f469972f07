"""What `fastconv bench --drawn` says: shares and means of problems that nobody chose, and commands for the lowest."""

from __future__ import annotations

from collections.abc import Sequence

from fastconv.bench.drawn_cases import family_of
from fastconv.bench.records import Entry, ReportData, geometric_mean
from fastconv.bench.table import align, warnings_of
from fastconv.core.units import time_text

LOWEST = 20
HEAD = ("family", "problems", "wins", "mean", "worst tenth", "lowest", "mean time", "peers'")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"


def _seconds(entry: Entry) -> tuple[float, float]:
    """Our time and that of the best peer."""
    own, peer = entry.comparison.chosen, entry.comparison.best_peer
    return (own and own.seconds) or 0.0, (peer and peer.seconds) or 0.0


def _family_row(name: str, raced: Sequence[Entry]) -> tuple[str, ...]:
    ratios = sorted(e.ratio for e in raced if e.ratio is not None)
    mean, ours, theirs = (
        geometric_mean(list(values)) or 0.0 for values in (ratios, *zip(*map(_seconds, raced), strict=True))
    )
    return (
        name, str(len(ratios)), _share(sum(r >= 1 for r in ratios), len(ratios)), f"{mean:.2f}",
        f"{ratios[len(ratios) // 10]:.2f}", f"{ratios[0]:.2f}", time_text(ours), time_text(theirs),
    )  # fmt: skip


def drawn_text(report: ReportData, peers: Sequence[str]) -> str:
    """The whole report as plain text: ratios are the time of the best peer over ours.

    Parameters
    ----------
    report : ReportData
        Of a suite that was drawn.
    peers : sequence of str
        Those that took part, for the commands.
    """
    raced = [e for e in report.entries if e.ratio is not None]
    lines = [
        f"{report.suite}: {report.about}, {report.threads} thread{'s' * (report.threads != 1)}",
        f"raced against the best peer of each: {len(raced)}; the others are beyond every peer",
    ]
    wrong = [(e, r) for e in report.entries for r in e.comparison.rows if r.status != "ok"]
    if raced:
        families: dict[str, list[Entry]] = {}
        for e in raced:
            families.setdefault(family_of(e.case), []).append(e)
        rows = [_family_row(name, families[name]) for name in sorted(families)]
        lines += align([HEAD, *rows, _family_row("all", raced)], left=(0,))
        lines += ["", f"the lowest {min(LOWEST, len(raced))}, with the commands that repeat them:"]
        options = f"--door called --threads {report.threads} --peers {','.join(peers) or 'none'}"
        for e in sorted(raced, key=lambda e: e.ratio or 0.0)[:LOWEST]:
            ours, theirs = _seconds(e)
            lines.append(f"{e.ratio:5.2f}  {time_text(ours):>9} {time_text(theirs):>9}  "
                         f"fastconv compare {e.case.name} {options}")  # fmt: skip
    lines += warnings_of([e.comparison for e in report.entries])
    lines += [f"{r.status}: {e.case.name}: {r.name}: {r.why}" for e, r in wrong]
    return "\n".join(lines)
