"""Exact neighbours: k = 5 of every candidate row among the reference rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benches.rivals.task import Answer, Contender, Task
from benches.samples import Pair, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray

K = 5
CHUNK = 1024


def tailwatch(pair: Pair) -> Answer:
    import tailwatch as tw

    return tw.metrics.nearest_neighbors(pair.candidate, pair.reference, k=K)


def faiss_flat(pair: Pair) -> Answer:
    import faiss

    index = faiss.IndexFlatL2(pair.reference.shape[1])
    index.add(pair.reference)
    squared, indices = index.search(pair.candidate, K)
    return np.sqrt(squared), indices


def sklearn_brute(pair: Pair) -> Answer:
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=K, algorithm="brute", n_jobs=-1).fit(pair.reference)
    return index.kneighbors(pair.candidate)


def torch_topk(pair: Pair) -> Answer:
    import torch

    base, queries = map(torch.from_numpy, pair)
    with torch.inference_mode():
        found = [
            torch.cdist(chunk, base, compute_mode="use_mm_for_euclid_dist").topk(K, largest=False)
            for chunk in queries.split(CHUNK)
        ]
        return (
            torch.cat([one.values for one in found]).numpy(),
            torch.cat([one.indices for one in found]).numpy(),
        )


def measured(pair: Pair, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Measure the distances to the named rows anew, ascending."""
    distances = np.empty(indices.shape)
    for i, chosen in enumerate(indices):
        difference = pair.reference[chosen].astype(np.float64) - pair.candidate[i]
        distances[i] = np.sqrt((difference**2).sum(axis=1))
    return np.sort(distances, axis=1)


def difference(pair: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the largest relative excess of their neighbours' true distances over those of ours."""
    apart = sum(
        K - len(set(a) & set(b)) for a, b in zip(ours[1].tolist(), theirs[1].tolist(), strict=True)
    )
    far, near = measured(pair, theirs[1]), measured(pair, ours[1])
    # Of texts that are coded alike the distance is 0, and nothing but 0 is as near.
    excess = np.divide(far, near, out=np.where(far > 0, np.inf, 1.0), where=near > 0) - 1
    # Ours farther than theirs would be our error: no tolerance is wide enough for it.
    largest = np.inf if excess.min() < -1e-12 else float(excess.max())
    return largest, f"{apart} of {ours[1].size} neighbours differ, by {largest:.1e} in distance"


TASK = Task(
    name="neighbors",
    title=f"exact nearest neighbours, k = {K}",
    ours=Contender(name="tailwatch", package="tailwatch", call=tailwatch, rate=500),
    # Distances from float32 norms and products order near ties by their rounding.
    peers=(
        Contender(
            name="faiss-cpu IndexFlatL2",
            package="faiss-cpu",
            call=faiss_flat,
            # Its bundled OpenBLAS is older than some processors and may take them for lesser ones.
            environments=({"OPENBLAS_CORETYPE": "SkylakeX"}, {}),
            tolerance=1e-4,
            to_reach={20_000: 4},
            rate=150,
        ),
        Contender(
            name="scikit-learn brute",
            package="scikit-learn",
            call=sklearn_brute,
            tolerance=1e-4,
            to_reach={20_000: 9},
            rate=70,
        ),
        Contender(
            name="torch cdist + topk",
            package="torch",
            call=torch_topk,
            tolerance=1e-4,
            to_reach={20_000: 9},
            rate=60,
        ),
    ),
    smoke=(Size(1_000, 64),),
    full=(Size(20_000, 768),),
    operations=lambda size: 2 * size.rows**2 * size.columns,
    difference=difference,
)
