"""The lecture's last table: classification error and mean cross-entropy of each set of images."""

from __future__ import annotations

from collections.abc import Mapping

from fastconv.training.loop import Score


def table(scores: Mapping[str, Score]) -> str:
    """One row for each set of images.

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv.training.loop import Score
    >>> print(table({"NN1": Score(np.zeros((3, 2)), 0.38, 1)}))
         classification error  mean cross-entropy
    NN1        1 / 3 = 33.33%              0.3800
    """
    width = max(map(len, scores))
    lines = [f"{'':{width}}  classification error  mean cross-entropy"]
    for name, s in scores.items():
        error = f"{s.wrong} / {len(s.probabilities)} = {s.error:.2%}"
        lines.append(f"{name:{width}}  {error:>20}  {s.loss:>18.4f}")
    return "\n".join(lines)
