"""The control arm of a study: human data in every generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from tailwatch.recursion.history import History, Portion

__all__ = ["HumanOnly"]


@dataclass(frozen=True)
class HumanOnly:
    """Learn from the human rows alone, as often and as long as the other arms.

    What changes here from generation to generation is training and not the loop.

    Examples
    --------
    >>> from tailwatch.yolo import HumanOnly
    >>> HumanOnly()
    HumanOnly()
    """

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:  # noqa: ARG002
        """Give the human rows."""
        return [history.human]
