"""The result of a run: its frame, what it means, and ways to keep and show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailwatch.comparison.saving import records, save, to_json
from tailwatch.recursion.directory import read_arguments, read_frame

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import polars as pl

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
    """

    frame: pl.DataFrame
    arguments: dict[str, Any]
    directory: Path | None = None

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Run:
        """Read a run directory; of a run that is not finished, the generations that are done."""
        from pathlib import Path

        return cls(read_frame(directory), read_arguments(directory), Path(directory))

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
