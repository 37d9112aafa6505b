"""A study: several policies, several seeds, one budget, and a control that sees human data alone.

::

    DIRECTORY/
      seed-0/fits/            what was fitted; the arms share their first generation
      seed-0/replace/         the run directory of one arm
      frame.parquet           all arms, means and intervals over seeds
      seeds.parquet           every run, by seed
      report.html             the page of the study

Arms differ in their policy alone: within a seed they have the same human data, the same pool, the
same first generation, the same number of images shown in each training.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.owned import make_owned, owned_directory, write_owned
from tailwatch.progress import reporting
from tailwatch.recursion.loop import run
from tailwatch.recursion.policies import HumanOnly
from tailwatch.text_form import path_text, shown
from tailwatch.writing import fill
from tailwatch.yolo.checks import Checks
from tailwatch.yolo.detector import MOST
from tailwatch.yolo.origins import UNKNOWN
from tailwatch.yolo.seeds import CONTROL, CONTROL_OF_UNKNOWN, over_seeds
from tailwatch.yolo.study_page import study_page

if TYPE_CHECKING:
    import os

    from tailwatch.progress import ProgressOption, ProgressReport
    from tailwatch.recursion.policies import Policy
    from tailwatch.recursion.result import Run
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.learner import YoloLearner

__all__ = ["Experiment", "Study", "study"]


@dataclass(frozen=True, eq=False)
class Experiment:
    """What all arms of one seed have in common.

    Attributes
    ----------
    data
        Human data that the first generation learns from.
    test
        Human data that no generation learns from and nothing is chosen on.
    learner
        The learner; its folder and the name of the arm are set by the study.
    """

    data: DetectionDataset
    test: DetectionDataset
    learner: YoloLearner


Experiments: TypeAlias = Experiment | Callable[[int], Experiment]


@dataclass(frozen=True, eq=False)
class Study:
    """What came of a study.

    Attributes
    ----------
    frame
        All arms in the schema of a run's frame: means and intervals over seeds.
    seeds
        The same for each seed on its own, with a column ``seed``.
    runs
        The runs, by seed and arm.
    directory
        Where all of it is.
    remarks
        What has to be said of the data: labels of unknown origin, test images that are learned
        from, images that were left out.
    held_out
        Whether no test image is learned from, in any seed.
    """

    frame: pl.DataFrame
    seeds: pl.DataFrame
    runs: Mapping[int, Mapping[str, Run]] = field(repr=False)
    directory: Path = field(default_factory=Path)
    remarks: tuple[str, ...] = ()
    held_out: bool = True


def study(
    experiment: Experiments,
    *,
    policies: Mapping[str, Policy],
    generations: int,
    seeds: int | Sequence[int] = 3,
    size: int | None = None,
    directory: str | os.PathLike[str],
    control: bool = True,
    confidence: float = 0.95,
    progress: ProgressOption = None,
) -> Study:
    """Run every policy with every seed, and put them side by side.

    Parameters
    ----------
    experiment
        Data, test data and learner; or a function that makes them for a seed, so that data are new
        with each seed and intervals are for a new experiment.
    policies
        By label, what each arm learns from.
    generations
        Of each run.
    seeds
        How many (0, 1, …), or which.
    size
        Images that each generation labels; by default as many as there are human ones.
    directory
        Where to keep it. A study that was killed goes on where it was.
    control
        Whether to add an arm that learns from human data alone, as long.
    confidence
        Of the intervals.
    progress
        ``None``, ``True`` for a display on standard error, or a callable ``(stage, done, total)``.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        Arguments out of range; data or test data with labels of a detector, or without a box;
        images that cannot be learned from; a directory of another study. All of it before
        anything is trained.

    Warns
    -----
    TailwatchWarning
        Nobody has said who made the labels, test images are learned from, or images of the test
        data are left out: what is measured then is said with it.
    """
    numbers = _seeds(seeds)
    integer(generations, "generations", most=MOST["generations"])
    if size is not None:
        integer(size, "size", most=MOST["size"])
    if not policies and not control:
        raise InputError(argument="policies", expected="at least one, or the control", got="none")
    folder = Path(directory)
    runs: dict[int, dict[str, Run]] = {}
    human: DetectionDataset | None = None
    checks = Checks()
    with reporting(progress) as report:
        for seed in numbers:
            made = experiment if isinstance(experiment, Experiment) else experiment(seed)
            human = made.data if human is None else human
            checks.look(made.data, made.test, made.learner.pool)
            place = _made(folder, f"seed-{seed}")
            runs[seed] = {}
            arms = _arms(policies, made.data, control=control)
            for label, policy in arms.items():
                steps = _ArmProgress(report, f"seed {seed}, {label}")
                learner = replace(
                    made.learner,
                    directory=place / "fits",
                    arm=_file_name(label),
                    # The same number of images in each training, whatever a policy hands over.
                    budget=made.learner.budget or made.learner.epochs * len(made.data),
                    report=steps.within,
                )
                runs[seed][label] = run(
                    learner,
                    made.data,
                    holdout=made.test,
                    policy=policy,
                    generations=generations,
                    size=size,
                    directory=owned_directory(folder, f"seed-{seed}/{_file_name(label)}"),
                    seed=seed,
                    label=label,
                    confidence=confidence,
                    progress=steps.loop,
                )
    by_seed = {seed: pl.concat([each.frame for each in of.values()]) for seed, of in runs.items()}
    numbered = pl.concat(
        [frame.with_columns(seed=pl.lit(seed, pl.Int64)) for seed, frame in by_seed.items()]
    )
    frame = over_seeds(by_seed, confidence=confidence)
    write_owned(folder, "seeds.parquet", lambda file: fill(file, numbered.write_parquet))
    write_owned(folder, "frame.parquet", lambda file: fill(file, frame.write_parquet))
    if human is not None:
        page = study_page(
            frame,
            runs,
            human,
            generations=generations,
            confidence=confidence,
            remarks=checks.remarks,
            held_out=checks.held_out,
        )
        write_owned(folder, "report.html", lambda file: file.write_text(page, encoding="utf-8"))
    return Study(frame, numbered, runs, folder, checks.remarks, checks.held_out)


def _seeds(seeds: int | Sequence[int]) -> list[int]:
    """List the seeds of a study."""
    if isinstance(seeds, int):
        return list(range(integer(seeds, "seeds", most=MOST["seeds"])))
    numbers = [integer(seed, "seeds", least=0) for seed in seeds]
    if not 0 < len(set(numbers)) == len(numbers) <= MOST["seeds"]:
        raise InputError(
            argument="seeds", expected="different numbers, at least one", got=shown(numbers)
        )
    return numbers


def _arms(
    policies: Mapping[str, Policy], data: DetectionDataset, *, control: bool
) -> dict[str, Policy]:
    """Return the policies by label, with the control among them."""
    arms = dict(policies)
    if control:
        human = not data.origins().get(UNKNOWN, 0)
        arms.setdefault(CONTROL if human else CONTROL_OF_UNKNOWN, HumanOnly())
    if len({_file_name(label) for label in arms}) < len(arms):
        raise InputError(
            argument="policies",
            expected="labels that differ in letters and digits",
            got=shown(list(arms)),
        )
    return arms


def _made(folder: Path, name: str) -> Path:
    """Make a folder of the study."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            argument="directory",
            expected="a folder to keep the study in",
            got=f"{path_text(folder)} ({error.strerror})",
        ) from error
    return make_owned(folder, name)


def _file_name(label: str) -> str:
    """Return the name of the folder of a label: ``mix-0.25`` for ``mix:0.25``."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-.") or "arm"


class _ArmProgress:
    """Progress of an arm: a step of the loop, and the steps of a training within it."""

    def __init__(self, report: ProgressReport, arm: str) -> None:
        self._report, self._arm, self._stage = report, arm, ""

    def loop(self, stage: str, done: int, total: int) -> None:
        self._stage = stage
        self._report(f"{self._arm}: {stage}", done, total)

    def within(self, stage: str, done: int, total: int) -> None:
        self._report(f"{self._arm}: {self._stage}, {stage}", done, total)
