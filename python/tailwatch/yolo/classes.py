"""Classes: what they are called in frames, pages and options, and which of them are rare.

The number of a class is its identity: names may come twice (``names: [a, b, a]``), be empty, or be
those of the groups that statistics are given for. Where a name does not say which class is meant,
its number is put behind it: ``a #0``, ``b``, ``a #2``. So two classes never share a row, a seed's
mean or a line of a chart.

Tail classes are the rarest that together have at most a tenth of the human boxes, at least one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ALL_CLASSES", "TAIL", "TAIL_CLASSES", "class_labels", "tail_classes"]

TAIL = 0.10
"""Most human boxes that tail classes have together."""

TAIL_CLASSES = "tail classes"
"""The rarest classes together, where a class is named."""

ALL_CLASSES = "all classes"
"""All classes of the human data together."""


def class_labels(names: Sequence[str]) -> tuple[str, ...]:
    """Return a label for each class that no other class has, in the order of their numbers.

    Parameters
    ----------
    names
        The classes' names, in the order of their numbers.

    Examples
    --------
    >>> from tailwatch.yolo.classes import class_labels
    >>> class_labels(["cat", "dog", "cat"])
    ('cat #0', 'dog', 'cat #2')
    """
    labels = list(names)
    while True:
        times = Counter([*labels, TAIL_CLASSES, ALL_CLASSES])
        shared = [
            number for number, label in enumerate(labels) if times[label] > 1 or not label.strip()
        ]
        if not shared:
            return tuple(labels)
        # A label that was made may be another class's name: then both are numbered, and so on.
        for number in shared:
            labels[number] = f"{labels[number]} #{number}"


def tail_classes(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of the tail classes, in ascending order.

    Parameters
    ----------
    counts
        Human boxes of each class; classes without any are none.
    """
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    inside = np.cumsum(counts[order]) <= TAIL * counts.sum()
    return np.sort(order[: max(int(inside.sum()), 1)])
