"""Runs side by side: one frame, one page, verdicts on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.comparison.saving import records, save, to_json
from tailwatch.exceptions import InputError
from tailwatch.recursion.result import Run
from tailwatch.recursion.theory.plan import plan_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Overlay", "overlay"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Overlay:
    """Several runs, told apart by the column ``run`` of all their frames.

    Attributes
    ----------
    frame
        The frames of the runs, one below the other.
    verdicts
        The verdicts on each run, under a column ``run``.
    diagnosis
        What failure each run looks like, under a column ``run``.
    onsets
        When tails and variance were lost, under a column ``run``.
    arguments
        What was run, by the name of each run.
    """

    frame: pl.DataFrame
    verdicts: pl.DataFrame
    diagnosis: pl.DataFrame
    onsets: pl.DataFrame
    arguments: dict[str, dict[str, Any]]

    @property
    def plan(self) -> pl.DataFrame | None:
        """What theory expects of each run, under a column ``run``; None where it says nothing."""
        plans = {name: plan_of(arguments) for name, arguments in self.arguments.items()}
        known = [_under(name, found) for name, found in plans.items() if found is not None]
        return pl.concat(known) if known else None

    @property
    def sentence(self) -> str:
        """The finding in words."""
        from tailwatch.report.loop import sentence_of_loop

        return sentence_of_loop(self.frame, self.verdicts)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the runs to a file; the suffix says which form.

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
        from tailwatch.report.loop import run_page

        return run_page(
            self.frame,
            verdicts=self.verdicts,
            diagnosis=self.diagnosis,
            onsets=self.onsets,
            arguments=self._told(),
            plan=self.plan,
        )

    def to_json(self) -> str:
        """Return all of it as one JSON object; what is not finite is null."""
        return to_json(
            {
                "sentence": self.sentence,
                "arguments": self.arguments,
                "verdicts": records(self.verdicts),
                "diagnosis": records(self.diagnosis),
                "onsets": records(self.onsets),
                "frame": records(self.frame),
            }
        )

    def _repr_html_(self) -> str:
        from tailwatch.report.loop import run_fragment

        return run_fragment(self.frame, verdicts=self.verdicts, arguments=self._told())

    def __repr__(self) -> str:
        """Say the finding and show the verdicts."""
        return f"{self.sentence}\n{self.verdicts}"

    def _told(self) -> dict[str, Any]:
        """Return the arguments as a page of one run, or of several, takes them."""
        only = len(self.arguments) == 1
        return next(iter(self.arguments.values())) if only else self.arguments


def overlay(runs: Iterable[Run]) -> Overlay:
    """Put runs side by side, on one page and in one frame.

    Parameters
    ----------
    runs
        At least one. Runs of the same name get a number behind it, in their order.

    Returns
    -------
    Overlay
        ``.frame``, ``.verdicts``, ``.save(path)``.

    Raises
    ------
    InputError
        No run, or something else than runs.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> from tailwatch.recursion import Accumulate, Gaussian, Replace
    >>> human = np.random.default_rng(0).normal(size=(200, 2))
    >>> policies = (Replace(), Accumulate())
    >>> both = tw.recursion.overlay(
    ...     tw.recursion.run(Gaussian(), human, policy=policy, generations=3, size=100)
    ...     for policy in policies
    ... )
    >>> both.frame["run"].unique(maintain_order=True).to_list()
    ['replace', 'accumulate']
    """
    chosen = list(runs)
    for place, one in enumerate(chosen):
        if not isinstance(one, Run):
            raise InputError(argument=f"runs[{place}]", expected="a Run", got=type(one).__name__)
    if not chosen:
        raise InputError(argument="runs", expected="at least one run", got="none")
    named = dict(zip(_names([one.label for one in chosen]), chosen, strict=True))
    frames = {name: _renamed(one.frame, name) for name, one in named.items()}
    return Overlay(
        frame=pl.concat(frames.values()),
        verdicts=pl.concat(_under(name, one.verdicts) for name, one in named.items()),
        diagnosis=pl.concat(_under(name, one.diagnosis.frame) for name, one in named.items()),
        onsets=pl.concat(_under(name, one.onsets) for name, one in named.items()),
        arguments={name: one.arguments for name, one in named.items()},
    )


def _under(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.lit(name).alias("run"), pl.all())


def _renamed(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.with_columns(run=pl.lit(name))


def _names(labels: list[str]) -> list[str]:
    """Give each run a name of its own: a label that is taken gets a number."""
    names: list[str] = []
    for label in labels:
        name, number = label, 1
        while name in names:
            number += 1
            name = f"{label} ({number})"
        names.append(name)
    return names
