"""Sets of documents cut to one number of tokens, with their n-grams counted by group of documents.

A half-sample of documents then is half of the groups, and its counts are sums of counts: no token
is looked at again. Documents are in random order, so every G-th makes a group.

O(tokens) time and memory for the sets; O(different n-grams · groups) for a half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import Frequencies
from tailwatch.metrics.text.documents import Documents, cut, ngrams
from tailwatch.metrics.text.repetition import repeated_share, repetition_variance
from tailwatch.metrics.text.types import ratios_by_owner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.metrics.categorical.counts import Floats, Integers

    Groups = NDArray[np.bool_]

__all__ = ["REPEATED", "Texts", "frequencies", "in_groups"]

_MOST_GROUPS = 32
_FEWEST = 4

REPEATED = 4
"""Tokens of the n-grams whose repetition is looked at."""


@dataclass(frozen=True, slots=True)
class Grams:
    """n-grams of one set of documents by group: how often, and in how many documents."""

    key: Integers
    group: Integers
    count: Integers
    documents: Integers


@dataclass(frozen=True, slots=True)
class Texts:
    """One set of documents, cut and dealt into groups.

    Attributes
    ----------
    grams
        By n. Keys of single tokens are the same in all sets.
    kinds
        Keys, by n.
    members
        Documents of each group.
    ratios
        Sum of distinct-2 over the documents of each group, and how many have one.
    """

    grams: dict[int, Grams]
    kinds: dict[int, int]
    members: Integers
    ratios: tuple[Floats, Floats]

    def counts(self, n: int, groups: Groups) -> Integers:
        """Count each n-gram in some of the groups."""
        grams = self.grams[n]
        return self._sums(n, grams.count, groups)

    def repeated(self, groups: Groups) -> float:
        """Return self-repetition within some of the groups; NaN without n-grams."""
        having = frequencies(self._sums(REPEATED, self.grams[REPEATED].documents, groups))
        if not having.total:
            return float("nan")
        members = int(self.members[groups].sum())
        return repeated_share(having, members, members)

    def repetition_variance(self) -> float:
        """Estimate the sampling variance of self-repetition within all groups."""
        grams = self.grams[REPEATED]
        return repetition_variance(grams.key, grams.group, grams.documents, len(self.members))

    def distinct_by_document(self, groups: Groups) -> float:
        """Return the mean distinct-2 of the documents of some groups; NaN without 2-grams."""
        total, many = (float(sums[groups].sum()) for sums in self.ratios)
        return total / many if many else float("nan")

    def _sums(self, n: int, numbers: Integers, groups: Groups) -> Integers:
        chosen = groups[self.grams[n].group]
        # Sums of integers below 2⁵³ are exact in floats.
        weights, keys = numbers[chosen], self.grams[n].key[chosen]
        return np.bincount(keys, weights=weights, minlength=self.kinds[n]).astype(np.int64)


def frequencies(counts: Integers) -> Frequencies:
    """Return how many keys have which count."""
    of_count = np.bincount(counts)
    present = np.flatnonzero(of_count[1:]) + 1
    return Frequencies(present.astype(np.float64), of_count[present].astype(np.float64))


def in_groups(
    sets: dict[str, Documents], tokens: int, rng: np.random.Generator
) -> tuple[list[Texts], int]:
    """Cut every set to so many tokens and count its n-grams by group.

    Parameters
    ----------
    sets
        Documents by the name of their argument.
    tokens
        At most as many as each set has.
    rng
        Chooses the documents.

    Returns
    -------
    list of Texts
        In the order of `sets`.
    int
        Number of groups: 32, or one per document where there are fewer.

    Raises
    ------
    InputError
        Fewer than four documents of a set hold the tokens.
    """
    parts = []
    for name, documents in sets.items():
        part = documents.take(*cut(documents.lengths, tokens, rng))
        if len(part) < _FEWEST:
            raise InputError(
                argument=name,
                expected=(
                    f"at least {_FEWEST} documents among the {tokens} tokens that are compared"
                ),
                got=str(len(part)),
            )
        parts.append(part)
    groups = min(_MOST_GROUPS, *(len(part) for part in parts))
    whole = Documents(
        pl.concat([part.tokens for part in parts]),
        np.concatenate([part.lengths for part in parts]),
    )
    codes, owners = whole.codes(), whole.owners
    found: list[dict[int, Grams]] = [{} for _ in parts]
    kinds: list[dict[int, int]] = [{} for _ in parts]
    ratios = []
    ends = np.cumsum([len(part) for part in parts])
    for n in (1, 2, REPEATED):
        keys, places = ngrams(codes, owners, n)
        owner = owners[places]
        for end, part, grams, many in zip(ends, parts, found, kinds, strict=True):
            first = end - len(part)
            inside = (owner >= first) & (owner < end)
            key, own = keys[inside], owner[inside] - first
            if n == 1:
                many[n] = int(codes.max()) + 1
            else:
                # Only words are compared between sets.
                distinct, key = np.unique(key, return_inverse=True)
                many[n] = len(distinct)
            grams[n] = _counted(key, own, groups)
            if n == 2:
                ratios.append(_ratios(key, own, groups))
    members = [np.bincount(np.arange(len(part)) % groups) for part in parts]
    return [Texts(found[i], kinds[i], members[i], ratios[i]) for i in range(len(parts))], groups


def _counted(key: Integers, owner: Integers, groups: int) -> Grams:
    counted = (
        pl.DataFrame({"key": key, "owner": owner})
        .group_by("key", "owner")
        .agg(pl.len().cast(pl.Int64).alias("count"))
        .group_by("key", (pl.col("owner") % groups).alias("group"))
        .agg(pl.col("count").sum(), pl.len().cast(pl.Int64).alias("documents"))
    )
    return Grams(*(counted[name].to_numpy() for name in ("key", "group", "count", "documents")))


def _ratios(key: Integers, owner: Integers, groups: int) -> tuple[Floats, Floats]:
    ratios, owners = ratios_by_owner(key, owner, None)
    sums: Floats = np.zeros(groups)
    np.add.at(sums, owners % groups, ratios)
    many = np.bincount(owners % groups, minlength=groups).astype(np.float64)
    return sums, many
