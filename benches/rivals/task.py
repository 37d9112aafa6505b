"""What is raced: one job, our way of doing it, and those of the peers.

A new task is a `Task` in a module beside this one and its name in `registry`; nothing else has to
know of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from benches.samples import Pair, Size

Answer: TypeAlias = "tuple[NDArray[Any], ...]"


def as_drawn(pair: Pair) -> Pair:
    """Take both samples as they are."""
    return pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way of doing a job.

    Attributes
    ----------
    name
        As the results show it.
    package
        Distribution that has to be installed, and whose version is recorded.
    call
        Takes what `prepare` made, returns the answer; this is what is timed. Imports belong into
        it: the first call is a warm-up.
    prepare
        Makes the input from both samples, untimed.
    environments
        Environments that may suit its kernels best; the one with the fastest first call is used.
    to_reach
        By rows of the full size, how many times our time this one is to take.
    tolerance
        Largest difference from our answer, in the unit of the task's `difference`.
    rate
        Operations per second and 1e9 on two Zen 4 cores: makes the estimate, not the result.
    """

    name: str
    package: str
    call: Callable[[Any], Answer]
    prepare: Callable[[Pair], Any] = as_drawn
    environments: tuple[Mapping[str, str], ...] = ({},)
    to_reach: Mapping[int, float] = field(default_factory=dict)
    tolerance: float = 0.0
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A job and who does it.

    Attributes
    ----------
    name
        Of the file of results.
    title
        As the README shows it.
    ours, peers
        Who does it.
    smoke, full
        Sizes of the two ladders.
    operations
        Multiplications and additions of the job at a size, as far as they count.
    difference
        Takes both samples, our answer and a peer's; returns how far apart they are and what that
        number is.
    """

    name: str
    title: str
    ours: Contender
    peers: tuple[Contender, ...]
    smoke: tuple[Size, ...]
    full: tuple[Size, ...]
    operations: Callable[[Size], float]
    difference: Callable[[Pair, Answer, Answer], tuple[float, str]]

    def contender(self, name: str) -> Contender:
        """Return ours or the peer of that name."""
        return next(one for one in (self.ours, *self.peers) if one.name == name)


def numbers(*values: float) -> Answer:
    """Make an answer of plain numbers."""
    return (np.asarray(values, dtype=np.float64),)
