"""MAUVE with the authors' number of clusters, and what its value depends on.

The two find their clusters differently (in rows as they are, or in rows divided by their lengths
and cut to the axes that hold 90 % of the variance), so that the values differ; the frontier must
not. The peer hands over its histograms, and our frontier is computed on them.
"""

from __future__ import annotations

import numpy as np

from benches.rivals.task import Answer, Contender, Task, numbers
from benches.samples import Pair, Size


def tailwatch(pair: Pair) -> Answer:
    import tailwatch as tw

    return numbers(tw.metrics.mauve(*pair))


def mauve_text(pair: Pair) -> Answer:
    from mauve import compute_mauve

    found = compute_mauve(*pair)
    shares = [
        (one, len(sample)) for one, sample in zip((found.p_hist, found.q_hist), pair, strict=True)
    ]
    counts = [np.rint(share * rows).astype(np.int64) for share, rows in shares]
    return (*numbers(found.mauve), *counts)


def difference(_: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return by how much the areas under the frontier of the peer's histograms differ."""
    from tailwatch import _core
    from tailwatch.metrics.embeddings.mauve import FRONTIER

    value, *counts = theirs
    area = _core.mauve_of_counts(
        *(one.tolist() for one in counts), FRONTIER, {"threads": 1, "progress": None}
    )
    apart = abs(area - float(value[0]))
    values = f"{ours[0][0]:.4f} and {value[0]:.4f} with clusters of their own"
    return apart, f"{values}; the frontier of the same clusters differs by {apart:.1e}"


TASK = Task(
    name="mauve",
    title="MAUVE, defaults",
    ours=Contender(name="tailwatch", package="tailwatch", call=tailwatch, rate=150),
    peers=(
        Contender(
            name="mauve-text",
            package="mauve-text",
            call=mauve_text,
            environments=({"OPENBLAS_CORETYPE": "SkylakeX"}, {}),
            to_reach={10_000: 4.0},
            # Both sum logarithms of a thousand bins.
            tolerance=1e-9,
            rate=10,
        ),
    ),
    smoke=(Size(1_000, 64),),
    full=(Size(10_000, 768),),
    # Ten steps of k-means, about what the seeds and the assignments come to.
    operations=lambda size: 10 * 2 * 2 * size.rows * size.columns * size.rows / 10,
    difference=difference,
)
