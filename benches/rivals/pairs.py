"""Sums over all pairs but those of a row with itself: MMD² with either kernel, energy distance.

The peer is torch, float32, arithmetic in place, twice: a chunk of rows against everything, as it is
commonly done; and in tiles that stay in cache, with half of each sample's pairs with itself left
out, which is about as fast as torch can be.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from benches.rivals.task import Answer, Contender, Task, numbers
from benches.samples import Pair, Size

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 2048
TILE = 1024
BANDWIDTH = 4.0

Tile: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"
Means: TypeAlias = tuple[float, float, float]
Sums: TypeAlias = Callable[[Pair, Tile], Means]


def polynomial(x: Tensor, y: Tensor) -> Tensor:
    """(⟨x, y⟩/d + 1)³."""
    import torch

    one = torch.ones((), dtype=x.dtype)
    base = torch.addmm(one, x, y.T, alpha=1 / x.shape[1])
    return (base * base).mul_(base)


def gaussian(x: Tensor, y: Tensor) -> Tensor:
    """exp(−‖x−y‖²/2σ²)."""
    import torch

    norms = (x * x).sum(1)[:, None] + (y * y).sum(1)
    return torch.addmm(norms, x, y.T, alpha=-2).clamp_(min=0).mul_(-0.5 / BANDWIDTH**2).exp_()


def distance(x: Tensor, y: Tensor) -> Tensor:
    """‖x−y‖."""
    import torch

    return torch.cdist(x, y, compute_mode="use_mm_for_euclid_dist")


def means(pair: Pair, within: Callable[[Tensor], float], between: Callable[..., float]) -> Means:
    """Turn sums over all pairs into means within X, within Y and between them."""
    import torch

    with torch.inference_mode():
        x, y = map(torch.from_numpy, pair)
        n, m = len(x), len(y)
        return within(x) / (n * (n - 1)), within(y) / (m * (m - 1)), between(x, y) / (n * m)


def in_chunks(pair: Pair, tile: Tile) -> Means:
    """Take some rows against all of the other sample at a time."""

    def within(sample: Tensor) -> float:
        total = 0.0
        for i, rows in enumerate(sample.split(CHUNK)):
            values = tile(rows, sample)
            values.diagonal(i * CHUNK).zero_()
            total += float(values.sum())
        return total

    def between(x: Tensor, y: Tensor) -> float:
        return sum(float(tile(rows, y).sum()) for rows in x.split(CHUNK))

    return means(pair, within, between)


def in_tiles(pair: Pair, tile: Tile) -> Means:
    """Take tiles that stay in cache, and only half of each sample with itself."""

    def within(sample: Tensor) -> float:
        parts, total = sample.split(TILE), 0.0
        for i, rows in enumerate(parts):
            values = tile(rows, rows)
            values.diagonal().zero_()
            total += float(values.sum())
            total += 2 * sum(float(tile(rows, others).sum()) for others in parts[i + 1 :])
        return total

    def between(x: Tensor, y: Tensor) -> float:
        return sum(
            float(tile(rows, others).sum()) for rows in x.split(TILE) for others in y.split(TILE)
        )

    return means(pair, within, between)


def kernel_by_torch(pair: Pair, tile: Tile, sums: Sums) -> Answer:
    xx, yy, xy = sums(pair, tile)
    return numbers(xx + yy - 2 * xy, xx)


def energy_by_torch(pair: Pair, sums: Sums) -> Answer:
    xx, yy, xy = sums(pair, distance)
    return numbers(2 * xy - xx - yy, xx)


def polynomial_mmd(pair: Pair) -> Answer:
    import tailwatch as tw

    return numbers(tw.metrics.mmd(*pair, kernel="polynomial"))


def gaussian_mmd(pair: Pair) -> Answer:
    import tailwatch as tw

    return numbers(tw.metrics.mmd(*pair, kernel="gaussian", bandwidth=BANDWIDTH))


def energy(pair: Pair) -> Answer:
    import tailwatch as tw

    return numbers(tw.metrics.energy_distance(*pair))


def difference(_: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the difference of the values in units of the mean within X, as rounding has it."""
    value, scale = theirs[0]
    apart = abs(float(ours[0][0]) - value) / scale
    return apart, f"{ours[0][0]:.6g} and {value:.6g} differ by {apart:.1e} of the mean within X"


def of_all_pairs(
    name: str,
    title: str,
    ours: Callable[[Pair], Answer],
    theirs: Callable[..., Answer],
    to_reach: float,
) -> Task:
    """Make the task of one of the three."""
    # Three float32 means of a million values and more.
    by_torch = partial(Contender, package="torch", tolerance=2e-6)
    return Task(
        name=name,
        title=title,
        ours=Contender(name="tailwatch", package="tailwatch", call=ours, rate=150),
        peers=(
            by_torch(
                name="torch, in chunks",
                call=partial(theirs, sums=in_chunks),
                to_reach={20_000: to_reach},
                rate=45,
            ),
            by_torch(name="torch, in tiles", call=partial(theirs, sums=in_tiles), rate=130),
        ),
        smoke=(Size(1_000, 64),),
        full=(Size(20_000, 768),),
        operations=lambda size: 2 * 2 * size.rows**2 * size.columns,
        difference=difference,
    )


TASKS = (
    of_all_pairs(
        "mmd_polynomial",
        "polynomial MMD, all pairs",
        polynomial_mmd,
        partial(kernel_by_torch, tile=polynomial),
        4,
    ),
    of_all_pairs(
        "mmd_gaussian",
        "Gaussian MMD, all pairs",
        gaussian_mmd,
        partial(kernel_by_torch, tile=gaussian),
        3,
    ),
    of_all_pairs("energy_distance", "energy distance, all pairs", energy, energy_by_torch, 3),
)
