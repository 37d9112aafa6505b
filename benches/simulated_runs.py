"""Runs of the loop on simulated data whose fate is known, and a place that keeps their frames.

Every scenario is a function of a seed that runs :func:`tailwatch.recursion.run` and returns its
frame. *Fresh* scenarios are the null: their learner hands out new human rows in each generation,
and where it has a risk, that of a model which was fitted to new human rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.recursion import (
    Accumulate,
    Gaussian,
    GaussianMixture,
    KernelDensity,
    LinearRegression,
    Multinomial,
    Replace,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.recursion import Learner, Model, Policy
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.history import History, Portion

    Matrix: TypeAlias = NDArray[np.float64]

COLUMNS = 8
HOLDOUT = 1000
CLUSTERS = 10
CENTRES = 6 * np.random.default_rng(2718).normal(size=(CLUSTERS, COLUMNS))
TYPES = 1 / np.arange(1, 201)
TYPES /= TYPES.sum()

Draw: TypeAlias = Callable[[np.random.Generator, int], Any]


def gaussian(rng: np.random.Generator, rows: int) -> Matrix:
    """Draw rows of N(0, I)."""
    return rng.normal(size=(rows, COLUMNS))


def flat(rng: np.random.Generator, rows: int) -> Matrix:
    """Draw rows of N(0, I) in two columns."""
    return rng.normal(size=(rows, 2))


def clustered(rng: np.random.Generator, rows: int) -> Matrix:
    """Draw rows around ten centres."""
    return CENTRES[rng.integers(CLUSTERS, size=rows)] + rng.normal(size=(rows, COLUMNS))


def types(rng: np.random.Generator, rows: int) -> NDArray[np.int64]:
    """Draw types of Zipf's law."""
    return rng.choice(len(TYPES), rows, p=TYPES)


@dataclass(frozen=True)
class Fresh:
    """Hand out new human rows; the risk is that of `judge`, fitted to new human rows."""

    draw: Draw
    judge: Learner | None = None

    def fit(self, data: Data, *, rng: np.random.Generator) -> FreshModel:
        """Fit what gives the risk, if anything does, to as many new rows."""
        fitted = None
        if self.judge is not None:
            fitted = self.judge.fit(self.draw(rng, len(data)), rng=rng)
        return FreshModel(self.draw, fitted)


class FreshModel:
    """What hands out new human rows."""

    def __init__(self, draw: Draw, fitted: Model | None) -> None:
        self.draw = draw
        if fitted is not None:
            self.risk = getattr(fitted, "risk")  # noqa: B009  (an optional part of a model)

    def sample(self, size: int, *, rng: np.random.Generator) -> Data:
        """Draw human rows."""
        return self.draw(rng, size)


@dataclass(frozen=True)
class Few:
    """Remember some clusters of the training set, and draw from these alone."""

    clusters: int

    def fit(self, data: Matrix, *, rng: np.random.Generator) -> FewModel:
        """Keep the rows of the largest clusters, as k-means finds them."""
        from sklearn.cluster import KMeans

        seed = int(rng.integers(2**31))
        labels = KMeans(CLUSTERS, n_init=3, random_state=seed).fit_predict(data)
        largest = np.argsort(-np.bincount(labels, minlength=CLUSTERS))[: self.clusters]
        return FewModel([data[labels == cluster] for cluster in largest])


@dataclass(frozen=True)
class FewModel:
    """Gaussians of a few clusters."""

    parts: list[Matrix]

    def sample(self, size: int, *, rng: np.random.Generator) -> Matrix:
        """Draw from each part as often as it had rows."""
        counts = rng.multinomial(size, np.array([len(part) for part in self.parts]) / self._rows())
        drawn = [
            Gaussian(ddof=1).fit(part, rng=rng).sample(int(count), rng=rng)
            for part, count in zip(self.parts, counts, strict=True)
            if count
        ]
        return np.concatenate(drawn)

    def _rows(self) -> int:
        return sum(map(len, self.parts))


@dataclass(frozen=True)
class Same:
    """A policy: learn from the same human rows each time."""

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:  # noqa: ARG002
        """Give the human rows."""
        return [history.human]


class Online:
    """Linear regression by gradient steps, which goes on where it was."""

    def __init__(self, weights: Matrix, rate: float) -> None:
        self.weights, self.rate = weights, rate

    def fit(self, data: Matrix, *, rng: np.random.Generator) -> OnlineModel:  # noqa: ARG002
        """Take one step on the squared error."""
        x, y = data[:, :-1], data[:, -1]
        step = x.T @ (y - x @ self.weights) / len(x)
        self.weights = self.weights + self.rate * step
        return OnlineModel(self.weights)


@dataclass(frozen=True)
class OnlineModel:
    """Weights at one time."""

    weights: Matrix

    def sample(self, size: int, *, rng: np.random.Generator) -> Matrix:
        """Label new features."""
        return task(rng, size, self.weights)

    def risk(self, data: Matrix) -> Matrix:
        """Square the errors."""
        squares: Matrix = (data[:, -1] - data[:, :-1] @ self.weights) ** 2
        return squares


def task(rng: np.random.Generator, rows: int, weights: Matrix) -> Matrix:
    """Draw features and labels of a linear task with noise 1."""
    x = rng.normal(size=(rows, len(weights)))
    return np.column_stack([x, x @ weights + rng.normal(size=rows)])


METRICS = (
    "coverage",
    "precision",
    "recall",
    "mode_coverage",
    "tail_coverage",
    "tail_odds_ratio",
    "directional_tails",
    "energy_distance",
    "total_variance",
    "effective_rank",
    "authenticity",
)
"""What verdicts and diagnosis read; the rest of the panel changes nothing for them."""


def loop(
    learner: Learner,
    draw: Draw,
    seed: int,
    *,
    policy: Policy | None = None,
    rows: int,
    generations: int,
    earlier: dict[str, Data] | None = None,
) -> pl.DataFrame:
    """Run a learner on new human rows, with others held out."""
    rng = np.random.default_rng([seed, rows, generations])
    human, held_out = draw(rng, rows), draw(rng, HOLDOUT)
    return run(
        learner,
        human,
        policy=Replace() if policy is None else policy,
        generations=generations,
        holdout=held_out,
        metrics=METRICS,
        seed=seed,
        threads=1,
        earlier=earlier,
    ).frame


def fresh_gaussian(seed: int) -> pl.DataFrame:
    """Null: new Gaussian rows, 100 at a time, with a risk."""
    return loop(Fresh(gaussian, Gaussian()), gaussian, seed, rows=100, generations=20)


def fresh_few_rows(seed: int) -> pl.DataFrame:
    """Null: new Gaussian rows in two columns, without a risk."""
    return loop(Fresh(flat), flat, seed, rows=100, generations=12)


def fresh_clusters(seed: int) -> pl.DataFrame:
    """Null: new rows of ten clusters."""
    return loop(Fresh(clustered), clustered, seed, rows=300, generations=8)


def fresh_types(seed: int) -> pl.DataFrame:
    """Null: new types of Zipf's law, with a risk."""
    return loop(Fresh(types, Multinomial()), types, seed, rows=500, generations=12)


def replace_gaussian(seed: int) -> pl.DataFrame:
    """Collapse: a Gaussian of 100 rows, 50 generations, maximum likelihood."""
    return loop(Gaussian(ddof=0), gaussian, seed, rows=100, generations=50)


def replace_unbiased(seed: int) -> pl.DataFrame:
    """Collapse: a Gaussian of 100 rows, 50 generations, unbiased covariances."""
    return loop(Gaussian(ddof=1), gaussian, seed, rows=100, generations=50)


def replace_flat(seed: int) -> pl.DataFrame:
    """Collapse: a Gaussian of 100 rows in two columns, 50 generations."""
    return loop(Gaussian(ddof=0), flat, seed, rows=100, generations=50)


def replace_types(seed: int) -> pl.DataFrame:
    """Collapse: counts of 500 types of Zipf's law, again and again."""
    return loop(Multinomial(), types, seed, rows=500, generations=50)


def collapse(seed: int) -> pl.DataFrame:
    """Model collapse: a Gaussian of 150 rows that learns from itself."""
    return loop(Gaussian(ddof=0), gaussian, seed, rows=150, generations=24)


def healthy(seed: int) -> pl.DataFrame:
    """None: fresh human rows in each generation, with a risk on them and on an earlier task."""
    rng = np.random.default_rng([seed, 11])
    weights = rng.normal(size=COLUMNS - 1)
    return loop(
        Fresh(lambda draws, rows: task(draws, rows, weights), LinearRegression()),
        lambda draws, rows: task(draws, rows, weights),
        seed,
        rows=300,
        generations=12,
        earlier={"first": task(rng, HOLDOUT, rng.normal(size=COLUMNS - 1))},
    )


def few_modes(seed: int) -> pl.DataFrame:
    """Mode collapse: two of ten clusters are drawn from, at once."""
    return loop(Few(2), clustered, seed, policy=Same(), rows=400, generations=6)


def copies(seed: int) -> pl.DataFrame:
    """Overfitting: the training set, blurred by next to nothing."""
    return loop(KernelDensity(0.01), gaussian, seed, policy=Same(), rows=300, generations=6)


def forgetting(seed: int) -> pl.DataFrame:
    """Catastrophic forgetting: a task is learnt by a model that knew another one."""
    rng = np.random.default_rng([seed, 7])
    before, now = rng.normal(size=(2, COLUMNS - 1))
    # Halfway: a model that has begun to learn the new task, and goes on.
    learner = Online((before + now) / 2, rate=0.3)
    earlier = {"first": task(rng, HOLDOUT, before)}
    return loop(
        learner,
        lambda draws, rows: task(draws, rows, now),
        seed,
        policy=Same(),
        rows=300,
        generations=12,
        earlier=earlier,
    )


def merged(seed: int) -> pl.DataFrame:
    """Entanglement: three Gaussians for ten clusters, learnt from themselves."""
    learner = GaussianMixture(3)
    return loop(learner, clustered, seed, rows=400, generations=8)


def kernel_density_replace(seed: int) -> pl.DataFrame:
    """Unseen by variance: a kernel density estimate that resamples itself."""
    return loop(KernelDensity(0.5), flat, seed, rows=500, generations=16)


def kernel_density_accumulate(seed: int) -> pl.DataFrame:
    """Unseen by variance: a kernel density estimate of all data so far; no pool is safe as such."""
    policy = Accumulate()
    return loop(KernelDensity(0.7), flat, seed, policy=policy, rows=250, generations=12)


def keep_frame(
    directory: Path, name: str, scenario: Callable[[int], pl.DataFrame], seed: int
) -> None:
    """Run a scenario unless its frame is there; the file appears whole or not at all."""
    path = directory / f"{name}-{seed}.parquet"
    if path.exists():
        return
    half = directory / f"{name}-{seed}.unfinished"
    scenario(seed).write_parquet(half)
    half.replace(path)


def frames_of(
    directory: Path,
    scenarios: dict[str, Callable[[int], pl.DataFrame]],
    seeds: dict[str, range],
    seconds: float,
) -> dict[str, list[pl.DataFrame]] | None:
    """Run what is missing in the directory, until the time is up; None if something is left."""
    directory.mkdir(parents=True, exist_ok=True)
    stop = time.perf_counter() + seconds
    left = 0
    for name, scenario in scenarios.items():
        for seed in seeds[name]:
            if time.perf_counter() < stop:
                keep_frame(directory, name, scenario, seed)
            elif not (directory / f"{name}-{seed}.parquet").exists():
                left += 1
    if left:
        print(f"{left} runs are still to be done")
        return None
    return {
        name: [pl.read_parquet(directory / f"{name}-{seed}.parquet") for seed in seeds[name]]
        for name in scenarios
    }
