"""A study: several policies, several seeds, one budget, and a control that sees human data alone.

::

    DIRECTORY/
      images/                 copies of images on another device, one of each for the study
      seed-0/fits/            what was fitted, and on which sets; arms share the first one
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.progress import reporting
from tailwatch.recursion.loop import run
from tailwatch.recursion.policies import HumanOnly
from tailwatch.text_form import shown
from tailwatch.writing import fill, owned_directory, write_owned
from tailwatch.yolo.checks import Checks
from tailwatch.yolo.dataset import DetectionDataset
from tailwatch.yolo.detector import MOST
from tailwatch.yolo.image_copies import ImageCopies, made_within
from tailwatch.yolo.origins import UNKNOWN
from tailwatch.yolo.pictures import side_by_side
from tailwatch.yolo.statistics import boxes_of_classes
from tailwatch.yolo.study_result import CONTROL, CONTROL_OF_UNKNOWN, Study, over_seeds

if TYPE_CHECKING:
    import os

    from tailwatch.progress import ProgressOption, ProgressReport
    from tailwatch.recursion.policies import Policy
    from tailwatch.recursion.result import Run
    from tailwatch.yolo.learner import YoloLearner

__all__ = ["Experiment", "study"]


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
    stop_on: str | None = None,
    progress: ProgressOption = None,
) -> Study:
    """Run every policy with every seed, and put them side by side.

    Parameters
    ----------
    experiment
        Data, test data and learner; or a function that makes them for a seed, so that data are new
        with each seed and intervals are for a new experiment.
    policies
        Policy of each arm, by its label.
    generations
        Generations of each run.
    seeds
        Number of seeds (0, 1, …), or the seeds themselves.
    size
        Images that each generation labels; by default as many as there are human ones.
    directory
        Folder of the study. A study that was killed goes on where it was.
    control
        Whether to add an arm that learns from human data alone, as often and as long.
    confidence
        Confidence of the intervals.
    stop_on
        ``"alarm"`` ends each run where its alarm rings, as :func:`tailwatch.recursion.run` does:
        when classes that the first generation still labelled are lost for sure.
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
    first: list[DetectionDataset] = []
    checks = Checks()
    copies = ImageCopies(folder)
    with reporting(progress) as report:
        for seed in numbers:
            made = experiment if isinstance(experiment, Experiment) else experiment(seed)
            first = first or [made.data]
            for argument, part in (("data", made.data), ("test", made.test)):
                made.learner.check_task(part, argument)
            checks.look(made.data, made.test, made.learner.pool)
            made_within(folder, f"seed-{seed}", keeps="the study")
            near = [
                copies.bring(each, report=report)
                for each in (made.data, made.test, made.learner.pool)
            ]
            made = Experiment(near[0], near[1], replace(made.learner, pool=near[2]))
            runs[seed] = {}
            arms = _arms(policies, made.data, control=control)
            for label, policy in arms.items():
                steps = _ArmProgress(report, f"seed {seed}, {label}")
                learner = replace(
                    made.learner,
                    directory=owned_directory(folder, f"seed-{seed}/fits"),
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
                    stop_on=stop_on,
                    progress=steps.loop,
                )
    by_seed = {seed: pl.concat([each.frame for each in of.values()]) for seed, of in runs.items()}
    numbered = pl.concat(
        [frame.with_columns(seed=pl.lit(seed, pl.Int64)) for seed, frame in by_seed.items()]
    )
    frame = over_seeds(by_seed, confidence=confidence)
    write_owned(folder, "seeds.parquet", lambda file: fill(file, numbered.write_parquet))
    write_owned(folder, "frame.parquet", lambda file: fill(file, frame.write_parquet))
    (human,) = first
    found = Study(
        frame,
        numbered,
        runs,
        folder,
        checks.remarks,
        checks.held_out,
        confidence,
        boxes_of_classes(human),
        tuple(side_by_side(human, _ends(runs[numbers[0]]))),
    )
    page = found.to_html()
    write_owned(folder, "report.html", lambda file: file.write_text(page, encoding="utf-8"))
    return found


def _ends(
    runs: Mapping[str, Run],
) -> dict[str, tuple[DetectionDataset, DetectionDataset]]:
    """Return what the first and the last generation of each run labelled."""
    return {
        label: (_samples(run.directory, 1), _samples(run.directory, max(run.frame["generation"])))
        for label, run in runs.items()
        if run.directory is not None
    }


def _samples(directory: Path, generation: int) -> DetectionDataset:
    return DetectionDataset.load(directory / "generations" / f"{generation:04d}" / "samples")


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
