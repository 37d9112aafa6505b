"""Precision, recall, density and coverage, k = 5."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benches.rivals.task import Answer, Contender, Task, numbers
from benches.samples import Pair, Size

if TYPE_CHECKING:
    from torch import Tensor

K = 5
CHUNK = 1024
REACH = {10_000: 15.0, 20_000: 20.0}


def tailwatch(pair: Pair) -> Answer:
    import tailwatch as tw

    found = tw.metrics.precision_recall_density_coverage(*pair, k=K)
    return numbers(found.precision, found.recall, found.density, found.coverage)


def prdc(pair: Pair) -> Answer:
    from prdc import compute_prdc

    found = compute_prdc(*pair, nearest_k=K)
    return numbers(*(found[name] for name in ("precision", "recall", "density", "coverage")))


def torch_chunked(pair: Pair) -> Answer:
    import torch

    def distances(rows: Tensor, base: Tensor) -> Tensor:
        return torch.cdist(rows, base, compute_mode="use_mm_for_euclid_dist")

    def radii(sample: Tensor) -> Tensor:
        # The nearest of K + 1 is the row itself.
        found = [
            distances(rows, sample).topk(K + 1, largest=False).values[:, -1]
            for rows in sample.split(CHUNK)
        ]
        return torch.cat(found)

    with torch.inference_mode():
        x, y = map(torch.from_numpy, pair)
        of_x, of_y = radii(x), radii(y)
        precise = torch.zeros(len(y), dtype=torch.bool)
        recalled = covered = inside = 0
        for rows, radius in zip(x.split(CHUNK), of_x.split(CHUNK), strict=True):
            between = distances(rows, y)
            recalled += int((between <= of_y).any(dim=1).sum())
            held = between <= radius[:, None]
            inside += int(held.sum())
            covered += int(held.any(dim=1).sum())
            precise |= held.any(dim=0)
    n, m = len(x), len(y)
    return numbers(float(precise.sum()) / m, recalled / n, inside / (K * m), covered / n)


def difference(pair: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the rows of a thousand on which the worst of the four numbers differs."""
    rows = np.abs(ours[0] - theirs[0]).max() * len(pair.reference)
    worst = 1000 * rows / len(pair.reference)
    return float(worst), f"{rows:.1f} rows differ, {worst:.2g} of a thousand"


TASK = Task(
    name="prdc",
    title=f"precision, recall, density, coverage, k = {K}",
    ours=Contender(name="tailwatch", package="tailwatch", call=tailwatch, rate=500),
    # A row as far away as a radius, but for float32 rounding, may fall on either side.
    peers=(
        Contender(
            name="prdc",
            package="prdc",
            call=prdc,
            tolerance=1.0,
            to_reach=REACH,
            rate=40,
        ),
        Contender(
            name="torch, in chunks",
            package="torch",
            call=torch_chunked,
            tolerance=1.0,
            to_reach=REACH,
            rate=50,
        ),
    ),
    smoke=(Size(1_000, 64),),
    full=(Size(10_000, 768), Size(20_000, 768)),
    # Both samples with themselves, of which half would do, and with each other.
    operations=lambda size: 3 * 2 * size.rows**2 * size.columns,
    difference=difference,
)
