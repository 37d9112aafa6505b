"""What a model is, apart from what it does: its state, its name, its file."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.contamination.model_file import (
    fingerprint_of,
    read_state,
    state_bytes,
    state_of,
    write_state,
)
from tailwatch.contamination.portable import Portable

if TYPE_CHECKING:
    import os
    from typing import Self

    from tailwatch.contamination.state import ModelState

__all__ = ["StoredModel"]


class StoredModel(Portable):
    """What was learnt from the references, kept in a file.

    Parameters
    ----------
    state
        All that the model knows.
    """

    def __init__(self, state: ModelState) -> None:
        self._state = state

    @cached_property
    def fingerprint(self) -> str:
        """64 hexadecimal digits over all that the model knows: encoder, probe, bins, counts."""
        return fingerprint_of(self._state)

    @property
    def columns(self) -> int:
        """Numbers in a row."""
        return self._state.probe.columns

    @property
    def encoder(self) -> str | None:
        """Name of the encoder, if one was given."""
        return self._state.encoder

    @property
    def human_only(self) -> bool:
        """Whether there is no synthetic reference, so that only a lower bound is known."""
        return self._state.human_only

    @property
    def strata(self) -> tuple[str, ...]:
        """Names of the human strata; empty without strata."""
        return self._state.strata

    @property
    def fitted_on(self) -> tuple[int, int]:
        """Human and other rows that the probe was fitted on, out of those that were given."""
        return self._state.fitted_on

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to a file, which appears whole or not at all.

        Parameters
        ----------
        path
            The file to make or replace.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        OSError
            The folder does not exist, or the file cannot be written.
        """
        file = Path(path)
        write_state(self._state, file)
        return file

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model that :meth:`save` wrote; nothing in a file is executed.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Self
            Equal to the saved one in every bit.

        Raises
        ------
        SourceError
            If it cannot be read, is no model, or not the file that was written.
        """
        return cls(read_state(Path(path)))

    def to_bytes(self) -> bytes:
        """Give the bytes of the file that :meth:`save` writes."""
        return state_bytes(self._state)

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        return cls(state_of(data, "what was given"))

    def __repr__(self) -> str:
        human, other = self._state.rows
        known = "human only" if self.human_only else f"{other:,} synthetic rows"
        return (
            f"{type(self).__name__}({human:,} human rows, {known}, {self.columns:,} columns, "
            f"{len(self._state.edges) + 1} bins, {self.fingerprint[:12]})"
        )
