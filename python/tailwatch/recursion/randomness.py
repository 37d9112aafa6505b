"""Random numbers by (seed, generation, purpose).

Each purpose of each generation has a generator of its own, so that a generation can be computed
again from what is on disk, and no purpose takes numbers from another:

===============  ===============================================================================
purpose          what it draws
===============  ===============================================================================
``"holdout"``    which rows of `data` no generation trains on (generation 0)
``"order"``      in which order human rows are handed out by ``Mix`` and ``Augment``
                 (generation 0)
``"panel"``      halves of categories, rows that copies are looked for in (generation 0)
``"policy"``     rows of the training set of this generation, generations 2 and up
``"fit"``        whatever the learner draws in ``fit``
``"sample"``     whatever the model draws in ``sample``
``"measure"``    whatever the model draws in ``embed``, ``risk`` and ``measure``
===============  ===============================================================================

A generator is ``PCG64(SeedSequence([seed, generation, *words]))``, with the SHA-256 of
``tailwatch.recursion:`` and the purpose as eight little-endian words of 32 bits.
"""

from __future__ import annotations

import hashlib
import random
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.recursion.torch_generators import torch_seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["generator", "replayable"]


def generator(seed: int, generation: int, purpose: str) -> np.random.Generator:
    """Make the generator of a purpose in a generation.

    Examples
    --------
    >>> from tailwatch.recursion.randomness import generator
    >>> generator(0, 3, "fit").random() == generator(0, 3, "fit").random()
    True
    >>> generator(0, 3, "fit").random() == generator(0, 3, "sample").random()
    False
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, generation, purpose)))


@contextmanager
def replayable(seed: int, generation: int, purpose: str) -> Iterator[np.random.Generator]:
    """Make the generator, and seed the global ones until the block is left.

    These are those of NumPy, of Python and, where it is imported by then, of torch. A learner that
    calls ``np.random.normal`` or ``torch.randn``, or an estimator of scikit-learn without a
    ``random_state``, draws from the global generators and yet replays; whoever else uses them
    finds them as they were.
    """
    sequence = _sequence(seed, generation, purpose)
    legacy = np.random.get_state()  # noqa: NPY002  (what a learner may be using)
    plain = random.getstate()
    words = sequence.spawn(1)[0].generate_state(4)
    np.random.seed(words)  # noqa: NPY002
    random.seed(int(words[0]) << 32 | int(words[1]))
    try:
        with torch_seeded(int(words[2]) << 32 | int(words[3])):
            yield np.random.Generator(np.random.PCG64(sequence))
    finally:
        np.random.set_state(legacy)  # noqa: NPY002
        random.setstate(plain)


def _sequence(seed: int, generation: int, purpose: str) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, generation, *_words(purpose)])


@cache
def _words(purpose: str) -> tuple[int, ...]:
    digest = hashlib.sha256(f"tailwatch.recursion:{purpose}".encode()).digest()
    return tuple(int.from_bytes(digest[at : at + 4], "little") for at in range(0, 32, 4))
