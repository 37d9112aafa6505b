"""The result of a run: its frame, what it means, and ways to keep and show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailwatch.arguments import integer
from tailwatch.comparison.saving import records, save, to_json
from tailwatch.exceptions import InputError
from tailwatch.recursion.directory import read_arguments, read_frame

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

    from tailwatch.recursion.protocols import Data

__all__ = ["Run"]


@dataclass(frozen=True, repr=False, eq=False)
class Run:
    """What became of a learner that was trained on its own output.

    Attributes
    ----------
    frame
        One row per generation and metric: :mod:`tailwatch.recursion.frame` has the schema.
    arguments
        What was run: learner, policy, sizes, seed, fingerprints of data, versions.
    directory
        Where it is kept, if anywhere.
    sampled
        Gives what a generation sampled.
    """

    frame: pl.DataFrame
    arguments: dict[str, Any]
    directory: Path | None = None
    sampled: Callable[[int], Data] | None = field(default=None, repr=False)

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Run:
        """Read a run directory; of a run that is not finished, the generations that are done."""
        from pathlib import Path

        return cls(read_frame(directory), read_arguments(directory), Path(directory))

    def samples(self, generation: int) -> Data:
        """Give what a generation sampled: from memory, or from the directory of a run of arrays.

        Raises
        ------
        InputError
            The run has no such generation, or was loaded without its data.
        """
        last = self.frame["generation"].max()
        number = integer(generation, "generation")
        if number > int(last or 0):  # type: ignore[call-overload]
            message = f"generation: expected at most {last}, got {number}"
            raise InputError(message)
        if self.sampled is None:
            message = "generation: this run was loaded from its frame, and has no samples at hand"
            raise InputError(message)
        return self.sampled(number)

    @property
    def policy(self) -> str:
        """Name of the run: that of its policy, or the label it was given."""
        return str(self.arguments["label"])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the run: ``.parquet`` and ``.csv`` its frame, ``.json`` all.

        Raises
        ------
        InputError
            Another suffix.
        OSError
            The file cannot be written.
        """
        return save(self, path)

    def to_json(self) -> str:
        """Return arguments and frame as one JSON object; what is not finite is null."""
        return to_json({"arguments": self.arguments, "frame": records(self.frame)})
