"""How far long work is: a bar on a terminal where rich is installed, a line now and then where it is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Tell = Callable[[str, int, int], None]
LINES = 5.0  # seconds between two lines


@contextmanager
def bar(stream: TextIO) -> Iterator[Tell]:
    """``tell(what, done, total)`` for the block's length; nothing is shown where `stream` is no terminal."""
    if not stream.isatty():
        yield lambda what, done, total: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.text import Text
    except ImportError:
        yield _lines(stream)
        return

    class Left(TimeRemainingColumn):
        def render(self, task: Task) -> Text:
            """Nothing before the first step, which says how many there are."""
            return Text("gone") if task.total is None else Text("gone, ") + super().render(task) + Text(" left")

    columns = (BarColumn(20), TimeElapsedColumn(), Left(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)


def _lines(stream: TextIO) -> Tell:
    """What is done, and how long the rest may take, at most once in `LINES` seconds."""
    start = last = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < LINES:
            return
        last = now
        left = f", about {duration((now - start) / done * (total - done))} left" if done else ""
        print(f"fastconv: {what} ({done} of {total}{left})", file=stream, flush=True)

    return tell


def duration(seconds: float) -> str:
    """Seconds or minutes, in words."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
