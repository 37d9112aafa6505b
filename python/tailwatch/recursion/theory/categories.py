"""What becomes of categories: types that are drawn from shares, again and again.

Generation 1 counts M human labels of shares p, generation k + 1 counts M labels that were drawn
from the counts of generation k: the Wright–Fisher model of population genetics. A type that is not
drawn never comes back.

Two forms of the chance that a type is still there. The Poisson form lets every label have a Poisson
number of copies, so that types do not compete: with g₁ = 1, g_{k+1} = 1 − exp(−g_k) it is
1 − exp(−M p g_k), which needs no more than p; it is close while generations are few beside M. The
exact form follows the binomial chain over all counts: O(generations · M²) time.

Gini–Simpson's index is a variance, and shrinks as :func:`variance_kept` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.recursion.theory.fits import (
    LONGEST_CURVE,
    Curve,
    Generations,
    as_curve,
    as_generations,
    as_rows,
)
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "as_shares",
    "effective_sample_size",
    "time_to_one_type",
    "type_survival",
    "types_drawn",
    "types_expected",
]

Counts: TypeAlias = "Mapping[Any, float] | Sequence[float] | NDArray[Any]"
"""Counts or shares of types; they need not add up to 1."""

LARGEST_CHAIN = 4096
"""Rows up to which the exact chain is followed: a matrix of rows² numbers."""


def as_shares(counts: object, name: str = "counts") -> NDArray[np.float64]:
    """Return counts or shares of types as shares that add up to 1, types without any left out."""
    from collections.abc import Mapping

    values = list(counts.values()) if isinstance(counts, Mapping) else counts
    try:
        given = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.empty((0, 0))
    if given.ndim != 1 or not np.isfinite(given).all() or (given < 0).any() or not given.sum() > 0:
        raise InputError(
            argument=name, expected="counts or shares of types, not all 0", got=shown(counts)
        )
    shares: NDArray[np.float64] = given[given > 0] / given.sum()
    return shares


def types_drawn(counts: Counts, size: int) -> float:
    """Return the expected number of types among M labels: Σ 1 − (1 − p)^M.

    Parameters
    ----------
    counts
        Counts or shares of the types.
    size
        Labels M that are drawn.

    Returns
    -------
    float
        Above 0, at most the number of types.

    Raises
    ------
    InputError
        Counts that are not counts, no labels.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.types_drawn({"a": 90, "b": 9, "c": 1}, 100), 3)
    2.634
    """
    shares, rows = as_shares(counts), integer(size, "size")
    with np.errstate(divide="ignore"):
        return float(-np.expm1(rows * np.log1p(-shares)).sum())


def effective_sample_size(generations: Generations, size: int) -> Curve:
    """Labels of one clean sample that lose as many types as k generations of M: M g_k.

    Parameters
    ----------
    generations
        Fits k, one or an array.
    size
        Labels M of each generation.

    Returns
    -------
    float or numpy.ndarray
        At most M, and about 2M/k after many generations.

    Raises
    ------
    InputError
        A generation below 1, fewer than 2 labels.

    Notes
    -----
    g₁ = 1, g_{k+1} = 1 − exp(−g_k), whatever the shares: extinction in a branching process of
    Poisson offspring. Derived here, after Fisher 1930.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.effective_sample_size([1, 2, 20], 1000).round(1)
    array([1000. ,  632.1,   91.6])
    """
    k, rows = as_generations(generations, most=LONGEST_CURVE), as_rows(size)
    g = np.ones(int(k.max()))
    for step in range(1, len(g)):
        g[step] = -np.expm1(-g[step - 1])
    return as_curve(rows * g[k.astype(np.int64) - 1])


def type_survival(
    share: float | NDArray[np.float64], size: int, generation: int, *, exact: bool = False
) -> Curve:
    """Chance that a type of share p is still there in the counts of generation k.

    1 − exp(−M p g_k), or from the binomial chain.

    Parameters
    ----------
    share
        Shares p of types, in [0, 1], one or an array.
    size
        Labels M of each generation.
    generation
        The fit k.
    exact
        Follow the chain over all counts, of up to 4,096 labels.

    Returns
    -------
    float or numpy.ndarray
        In [0, 1], one for each share.

    Raises
    ------
    InputError
        A share out of range, a generation below 1, too few labels, or too many for the chain.

    Notes
    -----
    The Poisson form is too low for large shares after many generations: it lets a type die out that
    no other is left to replace. For p ≤ 0.1 and k ≤ M/5 it is off by less than 0.03.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(float(theory.type_survival(0.02, 100, 20)), 4)
    0.1675
    >>> round(float(theory.type_survival(0.02, 100, 20, exact=True)), 4)
    0.174
    """
    shares, rows, k = (
        np.asarray(share, dtype=np.float64),
        as_rows(size),
        integer(generation, "generation", most=LONGEST_CURVE),
    )
    if not ((shares >= 0) & (shares <= 1)).all():
        raise InputError(argument="share", expected="shares between 0 and 1", got=shown(share))
    if not exact:
        return as_curve(-np.expm1(-float(effective_sample_size(k, rows)) * shares))
    _check_chain(rows)
    *_, alive = _alive(shares, rows, k)
    return as_curve(alive)


def _alive(shares: NDArray[np.float64], rows: int, most: int) -> Iterator[NDArray[np.float64]]:
    """Yield the chance of a count above 0 after 1, 2, … binomial draws, by steps back in time."""
    from scipy.stats import binom

    counts = np.arange(rows + 1)
    alive = (counts > 0).astype(np.float64)
    first = binom.pmf(counts, rows, shares[..., None])
    yield first @ alive
    if most > 1:
        chain = binom.pmf(counts[None, :], rows, counts[:, None] / rows)
        for _ in range(most - 1):
            alive = chain @ alive
            yield first @ alive


def types_expected(
    counts: Counts, size: int, generations: Generations, *, exact: bool | None = None
) -> Curve:
    """Return the expected number of types in the counts of each generation.

    Parameters
    ----------
    counts
        Human counts or shares of the types.
    size
        Labels M of each generation.
    generations
        Fits k, one or an array; 1 counts human labels.
    exact
        As in :func:`type_survival`; by default for up to 512 labels.

    Returns
    -------
    float or numpy.ndarray
        Above 0, at most the number of types; at least 1 if exact.

    Raises
    ------
    InputError
        As in :func:`type_survival`; counts that are not counts.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> zipf = [1 / rank for rank in range(1, 101)]
    >>> theory.types_expected(zipf, 200, [1, 10, 50]).round(1)
    array([59.8, 20.8,  6.7])
    """
    shares, rows, k = (
        as_shares(counts),
        as_rows(size),
        as_generations(generations, most=LONGEST_CURVE),
    )
    by_chain = rows <= 512 if exact is None else exact
    if by_chain:
        _check_chain(rows)
        curve = np.array([alive.sum() for alive in _alive(shares, rows, int(k.max()))])
        return as_curve(curve[k.astype(np.int64) - 1])
    effective = np.asarray(effective_sample_size(generations, rows))
    expected = -np.expm1(-effective[..., None] * shares).sum(axis=-1)
    # The first sample is known exactly: it is drawn from the shares themselves.
    return as_curve(np.where(k == 1, types_drawn(shares, rows), expected))


def _check_chain(rows: int) -> None:
    if rows > LARGEST_CHAIN:
        raise InputError(
            argument="size",
            expected=f"at most {LARGEST_CHAIN} labels for the exact chain",
            got=str(rows),
        )


def time_to_one_type(counts: Counts, size: int) -> float:
    """Mean number of generations until one type is left: about −2M Σ (1−p) ln(1−p).

    Parameters
    ----------
    counts
        Human counts or shares of the types.
    size
        Labels M of each generation.

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    InputError
        As in :func:`types_expected`.

    Notes
    -----
    The diffusion limit; Kimura & Ohta 1969 for two types, Littler 1975 for more. Of M = 100 labels
    in two equal types, 1.5 % above the mean of the exact chain.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.time_to_one_type({"a": 1, "b": 1}, 100), 1)
    138.6
    """
    rest = 1 - as_shares(counts)
    rows = as_rows(size)
    logs = np.log(np.where(rest > 0, rest, 1.0))
    return float(-2 * rows * (rest * logs).sum())
