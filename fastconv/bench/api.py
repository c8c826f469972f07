"""`fastconv.compare` and `fastconv.backends`: public functions, which import what they need when they are called.

`fastconv.backends` is a function and, to the import system, a package too.  The package is imported here, before
the name is given to the function: importing it later would take the name back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, get_args

import fastconv.backends  # noqa: F401
from fastconv.typing import Data, Door, Peer

PEERS: tuple[Peer, ...] = get_args(Peer)

if TYPE_CHECKING:
    from fastconv.bench.backends import Backends
    from fastconv.bench.only import Only
    from fastconv.bench.results import Comparison


def compare(
    operation: Callable[..., Any],
    /,
    *args: Any,
    peers: Peer | Iterable[Peer] = PEERS,
    seconds: float = 0.5,
    rounds: int = 15,
    record: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    title: str | None = None,
    door: Door = "planned",
    cold: bool = False,
    data: Data = "normal",
    budget: float | None = None,
    only: Only | None = None,
    **kwargs: Any,
) -> Comparison:
    """Measure every kernel that can do an operation, and every installed peer, in one interleaved run.

    Each result is checked against float64 before it is timed; a wrong one is shown as wrong and not timed.  Kernels
    run as plans do, with weights packed beforehand; so do the peers that can.

    Parameters
    ----------
    operation : callable
        One of fastconv's operations, as `fastconv.conv2d`.
    *args, **kwargs
        Its arguments.  A `Spec` stands for normally distributed data.  ``threads`` holds for peers too;
        ``backend`` and ``algorithm`` restrict the kernels.
    peers : iterable of str
        Any of ``numpy``, ``scipy``, ``torch``, ``onnxruntime``, ``openvino``, ``ncnn``, ``opencv``, ``ipp``.  A
        missing one becomes a note.  One name may stand alone.
    seconds : float
        Time to spend on each contender.
    rounds : int
        Samples of each contender, at most; contenders five times slower than the fastest get one.  Where times scatter
        by more than a fifth, up to three times as many are taken.
    record : bool
        Whether later choices in this process follow the times measured here, and `Plan.explain` shows them.  Off by
        default: looking at a problem does not change how it is computed.  Times that scatter so much that they do not
        tell which kernel is the fastest are not recorded, and a note says so.
    progress : callable, optional
        Called as ``progress(what, done, total)``.
    title : str, optional
        Headline of the result.
    door : {'planned', 'called'}
        ``called`` measures the function itself as it is called, weights packed in the call, against the peers that do
        the same; kernels are not told apart then.
    cold : bool
        Write 48 MB of other memory before each run, so that nothing is found in the caches, as inside a large network.

    data : {'normal', 'denormal'}
        What fills the first argument where it is a `Spec`: normally distributed numbers, or these so small that they
        are denormal, which some processors and libraries compute slowly or flush to zero.
    budget : float, optional
        Seconds for all samples together: where they would take longer, fewer are taken.
    only : fastconv.bench.only.Only, optional
        Names of backends, algorithms, kernels and instruction sets, apart from which no kernel takes part.

    Returns
    -------
    Comparison
        Prints as a table; ``rows``, ``to_json()``, ``to_html()``, ``plot()``.

    Examples
    --------
    >>> import fastconv as F
    >>> found = F.compare(F.conv2d, F.Spec((1, 3, 8, 8)), F.Spec((4, 3, 3, 3)), peers=(), seconds=0.01)
    >>> {row.status for row in found.rows}
    {'ok'}
    """
    from fastconv.bench.measure import EVERY, measure

    only = only or EVERY
    return measure(
        operation, args, kwargs, peers, seconds, rounds, record, progress, title, door, cold, data, budget, only
    )  # fmt: skip


def backends() -> Backends:
    """Which backends work here, and why the others do not.

    Returns
    -------
    Backends
        A mapping from the name of each backend to its state; it prints as a table.

    Examples
    --------
    >>> import fastconv
    >>> sorted(fastconv.backends())
    ['cython', 'numba', 'numpy', 'reference']
    """
    from fastconv.bench.backends import found

    return found()
