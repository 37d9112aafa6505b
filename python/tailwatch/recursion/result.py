"""The result of a run: its frame, what it means, and ways to keep and show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tailwatch.arguments import integer
from tailwatch.comparison.saving import records, save, to_json
from tailwatch.exceptions import InputError
from tailwatch.recursion.reading import read_arguments, read_frame

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.diagnosis import Diagnosis
    from tailwatch.recursion.verdicts import Onset

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
        """Read a run directory; of a run that is not finished, the generations that are done.

        Raises
        ------
        SourceError
            Something in it is missing or damaged, is a link, or is not what a run writes.
        """
        from pathlib import Path

        arguments = read_arguments(directory)
        return cls(read_frame(directory), arguments, Path(directory))

    def samples(self, generation: int) -> Data:
        """Give what a generation sampled: from memory, or from the directory of a run of arrays.

        Raises
        ------
        InputError
            The run has no such generation, or was loaded without its data.
        """
        last = max(self.frame["generation"].to_list(), default=0)
        number = integer(generation, "generation")
        if number > last:
            raise InputError(argument="generation", expected=f"at most {last}", got=str(number))
        if self.sampled is None:
            raise InputError(
                problem="this run was loaded from its frame, and has no samples at hand",
                argument="generation",
                got=str(number),
            )
        return self.sampled(number)

    @property
    def policy(self) -> str:
        """The policy as text, such as ``mix:0.25``."""
        return str(self.arguments["policy"]["text"])

    @property
    def label(self) -> str:
        """Name of the run: the label that it was given, by default the text of its policy."""
        return str(self.arguments["label"])

    @cached_property
    def verdicts(self) -> pl.DataFrame:
        """Whether this is collapse, by each of the eight definitions there are.

        See :func:`tailwatch.recursion.verdicts.judge` for columns and thresholds.
        """
        from tailwatch.recursion.verdicts import judge

        return judge(self.frame, confidence=self._confidence)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Which failure this looks like: model collapse, mode collapse, overfitting, forgetting."""
        from tailwatch.recursion.diagnosis import diagnose

        return diagnose(self.frame, confidence=self._confidence)

    @property
    def early_collapse(self) -> Onset | None:
        """Since when tails are lost: the first generation from which they stay so, if any."""
        from tailwatch.recursion.verdicts import early_collapse

        return early_collapse(self.frame, confidence=self._confidence)

    @property
    def late_collapse(self) -> Onset | None:
        """Since when variance is lost, if it is."""
        from tailwatch.recursion.verdicts import late_collapse

        return late_collapse(self.frame, confidence=self._confidence)

    @cached_property
    def onsets(self) -> pl.DataFrame:
        """Both of these as a frame; see :func:`tailwatch.recursion.verdicts.onsets`."""
        from tailwatch.recursion.verdicts import onsets

        return onsets(self.frame, confidence=self._confidence)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        from tailwatch.report.loop import sentence_of_loop

        return sentence_of_loop(self.frame, self.verdicts)

    @property
    def _confidence(self) -> float:
        return float(self.arguments["confidence"])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the run to a file; the suffix says which form.

        Parameters
        ----------
        path
            ``.html`` for the report page, ``.parquet`` or ``.csv`` for the frame, ``.json`` for
            all: ``sentence``, ``arguments``, ``verdicts``, ``diagnosis``, ``onsets`` and ``frame``.
            The file appears whole or not at all.

        Returns
        -------
        pathlib.Path
            The path that was written.

        Raises
        ------
        InputError
            Another suffix.
        OSError
            The file cannot be written.
        """
        return save(self, path)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        from tailwatch.recursion.theory.plan import plan_of
        from tailwatch.report.loop import run_page

        return run_page(
            self.frame,
            verdicts=self.verdicts,
            diagnosis=self.diagnosis.frame,
            onsets=self.onsets,
            arguments=self.arguments,
            plan=plan_of(self.arguments),
        )

    def to_json(self) -> str:
        """Return all of it as one JSON object; what is not finite is null."""
        return to_json(
            {
                "sentence": self.sentence,
                "arguments": self.arguments,
                "verdicts": records(self.verdicts),
                "diagnosis": records(self.diagnosis.frame),
                "onsets": records(self.onsets),
                "frame": records(self.frame),
            }
        )

    def _repr_html_(self) -> str:
        from tailwatch.report.loop import run_fragment

        return run_fragment(self.frame, verdicts=self.verdicts, arguments=self.arguments)

    def __repr__(self) -> str:
        """Say the finding and show the verdicts."""
        return f"{self.sentence} {self.diagnosis.sentence}\n{self.verdicts}"
