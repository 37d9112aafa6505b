"""Where a run without a directory keeps what it sampled: in memory, while it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.result import Run

__all__ = ["Memory", "Store"]


class Store(Protocol):
    """Where the generations of a run are kept."""

    def has(self, generation: int) -> bool:
        """Say whether a generation is complete."""
        ...

    def rows(self, generation: int) -> list[Row]:
        """Give the rows of the frame that a generation has."""
        ...

    def samples(self, generation: int) -> Data:
        """Give what a generation sampled."""
        ...

    def keep(
        self,
        generation: int,
        *,
        model: Any,  # noqa: ANN401
        samples: Data,
        rows: Sequence[Row],
        seconds: Mapping[str, float],
    ) -> None:
        """Keep a generation."""
        ...

    def finish(self, run: Run) -> None:
        """Keep what the whole run gave."""
        ...

    def close(self) -> None:
        """Let others have the place."""
        ...


class Memory:
    """Keeps all samples: generations × size rows."""

    def __init__(self) -> None:
        self._samples: dict[int, Data] = {}
        self._rows: dict[int, list[Row]] = {}

    def has(self, generation: int) -> bool:
        """Say whether a generation is complete."""
        return generation in self._samples

    def rows(self, generation: int) -> list[Row]:
        """Give the rows of the frame that a generation has."""
        return self._rows[generation]

    def samples(self, generation: int) -> Data:
        """Give what a generation sampled."""
        return self._samples[generation]

    def keep(
        self,
        generation: int,
        *,
        model: Any,  # noqa: ANN401, ARG002
        samples: Data,
        rows: Sequence[Row],
        seconds: Mapping[str, float],  # noqa: ARG002
    ) -> None:
        """Keep a generation."""
        self._samples[generation] = samples
        self._rows[generation] = list(rows)

    def finish(self, run: Run) -> None:
        """Keep nothing more: the caller gets the run."""

    def close(self) -> None:
        """Hold nothing that others want."""
