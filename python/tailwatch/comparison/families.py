"""How each family of metrics is computed: with halves for a comparison, and on all rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.arguments import tail_size
from tailwatch.comparison.estimates import (
    ClosedVariance,
    Estimate,
    HalfSamples,
    NoInterval,
    NoValue,
)
from tailwatch.comparison.heaviness import tail_index
from tailwatch.comparison.samples import REPLICATES
from tailwatch.metrics.divergence import median_distance, polynomial_parameters
from tailwatch.metrics.modes import default_clusters, mode_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.comparison.estimates import Scale
    from tailwatch.comparison.registry import Family
    from tailwatch.comparison.samples import Samples
    from tailwatch.running import Settings

    Full = Iterator[tuple[str, float | None, float | None]]

__all__ = ["FAMILIES", "Panel"]

DIRECTIONAL_LEVEL = 0.01
DIRECTIONS = 256
MODE_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Panel:
    """How a comparison was asked for.

    Attributes
    ----------
    names
        Metrics to compute.
    k
        Neighbour that rarity and balls reach to.
    levels
        Tail levels.
    seed
        Seed of all random choices.
    """

    names: frozenset[str]
    k: int
    levels: tuple[float, ...]
    seed: int

    def halves(self, *, complementary: bool = False) -> tuple[int, int, bool]:
        """Say how half-samples are drawn."""
        return REPLICATES, self.seed, complementary


@dataclass(frozen=True, slots=True)
class FamilyOf:
    """The two ways in which a family is computed."""

    estimates: Callable[[Samples, Panel, Settings], Iterator[Estimate]]
    full: Callable[[Samples, Panel, Settings], Full]


def _neighbors(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    rows = samples.bounded[0].shape[0]
    replicates = (REPLICATES, panel.seed, "density" in panel.names)
    found = _core.neighbor_metrics(samples.bounded, replicates, panel.levels, panel.k, settings)
    for metric, level, values, nulls in found:
        if metric == "density":
            error = HalfSamples(values, nulls, "ratio", kept=0.75)
        elif level is None:
            error = HalfSamples(values, nulls, "share", rows)
        elif metric in {"tail_coverage", "tail_recall"}:
            error = HalfSamples(values, nulls, "share", tail_size(level, rows))
        elif metric == "tail_odds_ratio":
            tail = tail_size(level, 2 * rows)
            odds = partial(odds_ratio, tail=tail, reference=rows, candidate=rows)
            error = HalfSamples(values, nulls, "share", tail, present=odds)
        else:
            error = HalfSamples(values, nulls, "share", rows, present=partial(_over, level=level))
        yield _estimate(metric, level, error)


def odds_ratio(
    share: NDArray[np.float64], *, tail: int, reference: int, candidate: int
) -> NDArray[np.float64]:
    """Odds of a candidate row in the pooled tail over those of a reference row.

    Parameters
    ----------
    share
        Of the tail's rows, those of the candidate.
    tail, reference, candidate
        Rows in the tail and in the samples. An empty side counts as half a row, so that the odds
        are finite.
    """
    of_candidate = share * tail
    of_reference = np.maximum(tail - of_candidate, 0.5)
    odds = of_candidate / np.maximum(candidate - of_candidate, 0.5)
    found: NDArray[np.float64] = odds * np.maximum(reference - of_reference, 0.5) / of_reference
    return found


def _over(share: NDArray[np.float64], *, level: float) -> NDArray[np.float64]:
    return share / level


def _neighbors_full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    reference, candidate = samples.bounded_wholes
    found = _core.whole_neighbor_metrics(reference, candidate, panel.levels, panel.k, settings)
    for metric, level, counted in found:
        value = np.array(counted)
        if metric in {"tail_mass", "tail_supported_mass"} and level is not None:
            value = _over(value, level=level)
        elif metric == "tail_odds_ratio" and level is not None:
            n, m = reference.shape[0], candidate.shape[0]
            tail = tail_size(level, n + m)
            value = odds_ratio(value, tail=tail, reference=n, candidate=m)
        yield metric, level, float(value)


def _modes(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    a, b, c = samples.bounded
    value, null = (_modes_kept(a, other, panel, settings) for other in (c, b))
    reason = "a mode counts as lost only where its own 95 % interval says so"
    yield Estimate("mode_coverage", MODE_LEVEL, value, null, NoInterval(reason))


def _modes_full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    reference, candidate = samples.bounded_wholes
    yield "mode_coverage", MODE_LEVEL, _modes_kept(reference, candidate, panel, settings)


def _modes_kept(reference: Rows, candidate: Rows, panel: Panel, settings: Settings) -> float:
    clusters = default_clusters(reference.shape[0])
    labels = _core.modes(reference, [reference, candidate], clusters, panel.seed, settings)
    counts = [np.bincount(of_sample, minlength=clusters) for of_sample in labels]
    table = mode_table(counts[0], counts[1], level=MODE_LEVEL)
    return 1 - int(table["lost"].sum()) / int(table["rare"].sum())


def _directional(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    found = _core.directional_metrics(
        samples.halves, panel.halves(), DIRECTIONAL_LEVEL, DIRECTIONS, settings
    )
    # A row counts in every direction, but only as many directions as columns are independent.
    rows, columns = samples.halves[0].shape
    total = rows * min(columns, DIRECTIONS)
    over = partial(_over, level=DIRECTIONAL_LEVEL)
    for metric, level, values, nulls in found:
        shares = (values * DIRECTIONAL_LEVEL, nulls * DIRECTIONAL_LEVEL)
        yield _estimate(metric, level, HalfSamples(*shares, "share", total, present=over))


def _directional_full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    reference, candidate = samples.wholes
    directions = _core.directions(reference, DIRECTIONS, panel.seed, settings)
    ratios = _core.directional_tails(reference, candidate, directions, DIRECTIONAL_LEVEL, settings)
    yield "directional_tails", DIRECTIONAL_LEVEL, float(ratios.mean())


def _gaussian(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    found = _core.gaussian_metrics(samples.halves, panel.halves(complementary=True), settings)
    heavy = _heavy(samples.halves, settings)
    for metric, level, values, nulls in found:
        scale: Scale = "real" if metric == "frechet_distance" else "ratio"
        estimate = _estimate(metric, level, HalfSamples(values, nulls, scale, complementary=True))
        yield replace(estimate, error=heavy) if heavy else estimate


def _heavy(samples: tuple[Rows, Rows, Rows], settings: Settings) -> NoInterval | None:
    """Say why second moments have no interval, if they have none."""
    a, b, c = samples
    indices = (tail_index([a, b], settings), tail_index([c], settings))
    index = next((index for index, heavy in indices if heavy), None)
    if index is None:
        return None
    return NoInterval(
        f"tails too heavy for one: squared distances from the centre have tail index {index:.1f}, "
        "and their variance is finite above 2 only"
    )


def _gaussian_full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    reference, candidate = samples.wholes
    if "frechet_distance" in panel.names:
        yield "frechet_distance", None, _core.frechet_distance(reference, candidate, settings)
    names = ("total_variance", "effective_rank", "participation_ratio")
    if panel.names.intersection(names):
        _, trace, _, effective_rank, participation_ratio = _core.spectrum(candidate, settings)
        values = (trace, effective_rank, participation_ratio)
        yield from ((name, None, value) for name, value in zip(names, values, strict=True))


def _kernels(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    names, kernels = _named_kernels(list(samples.bounded), panel)
    found = _core.kernel_metrics(samples.bounded, kernels, settings)
    for name, numbers in zip(names, found, strict=True):
        if isinstance(numbers, str):
            yield Estimate(name, None, math.nan, math.nan, NoValue(numbers))
            continue
        value, null, *variances = numbers
        # The polynomial kernel is unbounded and takes moments of the rows with it.
        heavy = _heavy(samples.bounded, settings) if name == "mmd_polynomial" else None
        yield Estimate(name, None, value, null, heavy or ClosedVariance(*variances))


def _kernels_full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    reference, candidate = samples.bounded_wholes
    # The bandwidth is the comparison's: a kernel that changed would be another metric.
    names, kernels = _named_kernels(list(samples.bounded), panel)
    found = _core.whole_kernel_metrics(reference, candidate, kernels, settings)
    for name, value in zip(names, found, strict=True):
        yield name, None, None if isinstance(value, str) else value


def _named_kernels(
    pooled: list[Rows], panel: Panel
) -> tuple[list[str], list[tuple[str, list[float]]]]:
    """Return the metrics asked for and their kernels, which share one pass over the pairs."""
    kernels: dict[str, tuple[str, list[float]]] = {}
    if "mmd_polynomial" in panel.names:
        kernels["mmd_polynomial"] = ("polynomial", polynomial_parameters(pooled[0].shape[1]))
    if "mmd_gaussian" in panel.names:
        kernels["mmd_gaussian"] = ("gaussian", [median_distance(pooled)])
    if "energy_distance" in panel.names:
        kernels["energy_distance"] = ("distance", [])
    return list(kernels), list(kernels.values())


def _estimate(metric: str, level: float | None, error: HalfSamples) -> Estimate:
    value, null = (float(error.present(counted[:1])[0]) for counted in (error.values, error.nulls))
    return Estimate(metric, level, value, null, error)


FAMILIES: dict[Family, FamilyOf] = {
    "neighbors": FamilyOf(_neighbors, _neighbors_full),
    "modes": FamilyOf(_modes, _modes_full),
    "directional": FamilyOf(_directional, _directional_full),
    "gaussian": FamilyOf(_gaussian, _gaussian_full),
    "kernels": FamilyOf(_kernels, _kernels_full),
}
