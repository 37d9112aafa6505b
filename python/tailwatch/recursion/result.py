"""What came of runs: of one, and of several side by side.

:class:`Run` and :class:`Overlay` are results like all others (:mod:`tailwatch.results`); verdicts,
diagnosis, alarm and plan are made of the frame and the arguments when they are asked for. Both are
in one file, though a long one: what a run says of itself, several say of theirs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from tailwatch.arguments import integer
from tailwatch.comparison.findings import findings_of_generations
from tailwatch.comparison.registry import LABELS
from tailwatch.comparison.sentence import told
from tailwatch.exceptions import InputError
from tailwatch.recursion.frame import SCHEMA, checked
from tailwatch.recursion.reading import (
    STOPPED,
    check_described,
    check_stopped,
    read_arguments,
    read_frame,
)
from tailwatch.recursion.theory.plan import plan_of
from tailwatch.recursion.verdicts import (
    ALARMS,
    ONSETS,
    alarms,
    early_collapse,
    first_alarm,
    judge,
    late_collapse,
    onsets,
)
from tailwatch.recursion.verdicts import SCHEMA as VERDICTS
from tailwatch.recursion.verdicts.diagnosis import SCHEMA as DIAGNOSIS
from tailwatch.recursion.verdicts.diagnosis import diagnose
from tailwatch.report.loop import run_fragment, run_page, sentence_of_loop, stop_in_words
from tailwatch.results import Result, plain

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self

    from altair import FacetChart

    from tailwatch.comparison.questions import Finding
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.verdicts import Alarm, Onset
    from tailwatch.recursion.verdicts.diagnosis import Diagnosis

__all__ = ["Overlay", "Run", "overlay"]


@dataclass(frozen=True, repr=False, eq=False)
class Run(Result):
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
    stopped
        Why it has fewer generations than it was asked for: ``"alarm"``, ``"on_generation"``, or
        ``"interrupted"``, which a directory says of a run that is still at work too. None if it has
        them all.
    """

    KIND = "run"
    TABLES: ClassVar = {"frame": SCHEMA}

    frame: pl.DataFrame
    arguments: dict[str, Any]
    directory: Path | None = None
    sampled: Callable[[int], Data] | None = field(default=None, repr=False)
    stopped: str | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a run directory, or a file that :meth:`save` wrote; nothing in it is executed.

        Parameters
        ----------
        path
            A directory, of a run that is not finished too: the generations that are done. Or a
            file named ``*.tailwatch``; that has no samples.

        Raises
        ------
        SourceError
            Something in it is missing or damaged, is a link, or is not what a run writes.
        """
        if Path(path).is_file():
            return super().load(path)
        arguments = read_arguments(path)
        stopped, frame = arguments.pop(STOPPED, None), read_frame(path)
        is_whole = _last(frame) >= arguments["generations"]
        stopped = None if is_whole else stopped or "interrupted"
        return cls(frame, arguments, Path(path), stopped=stopped)

    def samples(self, generation: int) -> Data:
        """Return what a generation sampled: from memory, or from the directory of a run of arrays.

        Raises
        ------
        InputError
            The run has no such generation, or was loaded without its data.
        """
        last = _last(self.frame)
        number = integer(generation, "generation")
        if number > last:
            raise InputError(argument="generation", expected=f"at most {last}", got=str(number))
        if self.sampled is None:
            raise InputError(
                problem="this run was loaded from its frame, and has no samples at hand",
                argument="generation",
                expected="a run with its samples",
                got="one loaded from its frame",
                where=f"generation {number}",
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
        return judge(self.frame, confidence=self._confidence)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Which failure this looks like: model collapse, mode collapse, overfitting, forgetting."""
        return diagnose(self.frame, confidence=self._confidence)

    @property
    def early_collapse(self) -> Onset | None:
        """Since when tails are lost: the first generation from which they stay so, if any."""
        return early_collapse(self.frame, confidence=self._confidence)

    @property
    def late_collapse(self) -> Onset | None:
        """Since when variance is lost, if it is."""
        return late_collapse(self.frame, confidence=self._confidence)

    @cached_property
    def onsets(self) -> pl.DataFrame:
        """Both of these as a frame; see :func:`tailwatch.recursion.verdicts.onsets`."""
        return onsets(self.frame, confidence=self._confidence)

    @cached_property
    def alarm(self) -> Alarm | None:
        """The first generation at which a loss is sure, asked after each; None if there is none.

        Over all generations of a sound learner, however many, it rings with probability 1 −
        `confidence` at most: :mod:`tailwatch.recursion.verdicts.alarm` says what that means.
        """
        return first_alarm(self.frame, confidence=self._confidence)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What :func:`tailwatch.compare` asks of a candidate, asked of each generation.

        ``of`` says which; the rate of false discoveries is that over all of them. None where the
        data are no vectors.
        """
        return findings_of_generations(self.frame, confidence=self._confidence)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return sentence_of_loop(
            self.frame,
            self.verdicts,
            LABELS,
            findings={self.label: told(self.findings)},
            alarms=alarms(self.alarm),
            stops=self.stops(),
        )

    @property
    def _confidence(self) -> float:
        return float(self.arguments["confidence"])

    def stops(self) -> dict[str, str]:
        """Say why it has fewer generations than it was asked for: by its name, if it has."""
        return _stops({self.label: self.arguments}, {self.label: self.stopped}, self.frame)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        return run_page(
            self.frame,
            verdicts=self.verdicts,
            findings={self.label: told(self.findings)},
            diagnosis=self.diagnosis.frame,
            onsets=self.onsets,
            alarms=alarms(self.alarm),
            stops=self.stops(),
            arguments=_for_page(self.arguments),
            plan=plan_of(self.arguments),
            labels=LABELS,
        )

    def plot(self, metrics: str | Sequence[str] | None = None) -> FacetChart:
        """Return metrics by generation as an Altair chart, to look at and to change.

        Needs the extra: ``pip install 'tailwatch[plot]'``.

        Parameters
        ----------
        metrics
            Names of metrics; by default those of tails and of variance.

        Raises
        ------
        MissingDependencyError
            Altair is not installed.
        InputError
            A metric that the frame does not have.
        """
        from tailwatch.report.altair_charts import plot_generations

        return plot_generations(self.frame, LABELS, metrics)

    def _document(self) -> dict[str, Any]:
        return {
            "sentence": self.sentence,
            "arguments": self.arguments,
            "stopped": self.stopped,
            "alarm": None if self.alarm is None else plain(self.alarm),
            "findings": told(self.findings),
            "verdicts": self.verdicts,
            "diagnosis": self.diagnosis.frame,
            "onsets": self.onsets,
            "frame": self.frame,
        }

    def _parts(self) -> dict[str, Any]:
        # As a directory keeps them: JSON knows no tuples.
        arguments = json.loads(json.dumps(self.arguments))
        return {"frame": self.frame, "arguments": arguments, "stopped": self.stopped}

    @classmethod
    def _of_parts(cls, parts: dict[str, Any]) -> Self:
        check_described(parts["arguments"], "arguments")
        check_stopped(parts["stopped"], "stopped")
        frame = checked(parts["frame"], "frame")
        return cls(frame, parts["arguments"], stopped=parts["stopped"])

    def _repr_html_(self) -> str:
        return run_fragment(
            self.frame,
            verdicts=self.verdicts,
            findings={self.label: told(self.findings)},
            arguments=_for_page(self.arguments),
            labels=LABELS,
            alarms=alarms(self.alarm),
            stops=self.stops(),
        )

    def __repr__(self) -> str:
        """Say the finding and show the verdicts."""
        return f"{self.sentence} {self.diagnosis.sentence}\n{self.verdicts}"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Overlay(Result):
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
    alarms
        The alarm of each run, under a column ``run``; null where none rang.
    arguments
        What was run, by the name of each run.
    stopped
        Why each run has fewer generations than it was asked for; None where it has them all.
    """

    KIND = "runs"
    TABLES: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "frame": SCHEMA,
        "verdicts": {"run": pl.String, **VERDICTS},
        "diagnosis": {"run": pl.String, **DIAGNOSIS},
        "onsets": {"run": pl.String, **ONSETS},
        "alarms": {"run": pl.String, **ALARMS},
    }

    frame: pl.DataFrame
    verdicts: pl.DataFrame
    diagnosis: pl.DataFrame
    onsets: pl.DataFrame
    alarms: pl.DataFrame
    arguments: dict[str, dict[str, Any]]
    stopped: dict[str, str | None]

    @property
    def plan(self) -> pl.DataFrame | None:
        """What theory expects of each run, under a column ``run``; None where it says nothing."""
        plans = {name: plan_of(arguments) for name, arguments in self.arguments.items()}
        known = [_under(name, found) for name, found in plans.items() if found is not None]
        return pl.concat(known) if known else None

    @property
    def findings(self) -> dict[str, tuple[Finding, ...]]:
        """The findings of each run by its name, as :attr:`Run.findings` has them."""
        return {
            name: findings_of_generations(
                self.frame.filter(run=name), confidence=float(arguments["confidence"])
            )
            for name, arguments in self.arguments.items()
        }

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return sentence_of_loop(
            self.frame,
            self.verdicts,
            LABELS,
            findings=self._findings(),
            alarms=self.alarms,
            stops=self.stops(),
        )

    def _findings(self) -> dict[str, list[dict[str, Any]]]:
        return {name: told(found) for name, found in self.findings.items()}

    def stops(self) -> dict[str, str]:
        """Say of the runs with fewer generations than they were asked for why, by their names."""
        return _stops(self.arguments, self.stopped, self.frame)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        return run_page(
            self.frame,
            verdicts=self.verdicts,
            findings=self._findings(),
            diagnosis=self.diagnosis,
            onsets=self.onsets,
            alarms=self.alarms,
            stops=self.stops(),
            arguments=self._told(),
            plan=self.plan,
            labels=LABELS,
        )

    def plot(self, metrics: str | Sequence[str] | None = None) -> FacetChart:
        """Return metrics by generation as an Altair chart, as :meth:`Run.plot` does."""
        from tailwatch.report.altair_charts import plot_generations

        return plot_generations(self.frame, LABELS, metrics)

    def _document(self) -> dict[str, Any]:
        return {
            "sentence": self.sentence,
            "arguments": self.arguments,
            "stopped": self.stopped,
            "alarms": self.alarms,
            "findings": self._findings(),
            "verdicts": self.verdicts,
            "diagnosis": self.diagnosis,
            "onsets": self.onsets,
            "frame": self.frame,
        }

    def _parts(self) -> dict[str, Any]:
        frames = {name: getattr(self, name) for name in self.TABLES}
        arguments = json.loads(json.dumps(self.arguments))
        return {**frames, "arguments": arguments, "stopped": self.stopped}

    @classmethod
    def _of_parts(cls, parts: dict[str, Any]) -> Self:
        for name, arguments in parts["arguments"].items():
            check_described(arguments, f"arguments of {name}")
            checked(parts["frame"].filter(run=name), f"frame of {name}")
            check_stopped(parts["stopped"][name], f"stopped of {name}")
        return cls(**parts)

    def _repr_html_(self) -> str:
        return run_fragment(
            self.frame,
            verdicts=self.verdicts,
            findings=self._findings(),
            arguments=self._told(),
            labels=LABELS,
            alarms=self.alarms,
            stops=self.stops(),
        )

    def __repr__(self) -> str:
        """Say the finding and show the verdicts."""
        return f"{self.sentence}\n{self.verdicts}"

    def _told(self) -> dict[str, Any]:
        """Return the arguments as a page of one run, or of several, takes them."""
        told = {name: _for_page(arguments) for name, arguments in self.arguments.items()}
        return next(iter(told.values())) if len(told) == 1 else told


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
        alarms=pl.concat(_under(name, alarms(one.alarm)) for name, one in named.items()),
        arguments={name: one.arguments for name, one in named.items()},
        stopped={name: one.stopped for name, one in named.items()},
    )


def _for_page(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments without the numbers of a closed form, which the plan shows."""
    policy = {key: value for key, value in arguments["policy"].items() if key != "closed_form"}
    return arguments | {"policy": policy}


def _last(frame: pl.DataFrame) -> int:
    return max(frame["generation"].to_list(), default=0)


def _stops(
    arguments: Mapping[str, Mapping[str, Any]],
    stopped: Mapping[str, str | None],
    frame: pl.DataFrame,
) -> dict[str, str]:
    """Say of the runs that have fewer generations than they were asked for why, by their names."""
    return {
        name: stop_in_words(why, _last(frame.filter(run=name)), arguments[name]["generations"])
        for name, why in stopped.items()
        if why is not None
    }


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
