"""``tailwatch yolo-loop``: YOLO26 that labels its own training images."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.cli.options import POLICIES, AsJson, StopOn
from tailwatch.cli.outputs import check_directory
from tailwatch.cli.parts import blaming, policy_named
from tailwatch.cli.wording import ExitCode
from tailwatch.cli.yolo_check import BadFiles, SingleCls, task_named
from tailwatch.exceptions import InputError, TailwatchWarning
from tailwatch.text_form import path_text, shown, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.recursion.policies import Policy
    from tailwatch.yolo import Task
    from tailwatch.yolo.study_result import Study

__all__ = ["policies_from", "yolo_loop"]

# What tailwatch.yolo.detector says: nothing of it is imported before the command runs.
MOST = {
    "epochs": 100_000,
    "imgsz": 8_192,
    "batch": 4_096,
    "threads": 1_024,
    "workers": 256,
    "seeds": 1_000,
    "size": 10**9,
    "generations": 10_000,
}


def yolo_loop(
    data: Annotated[
        Path, typer.Argument(metavar="DATA.yaml", help="A data set as Ultralytics has it.")
    ],
    *,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="An architecture (yolo26n.yaml) to begin from nothing, or weights on disk (.pt).",
            show_default="yolo26n.yaml, or yolo26n-seg.yaml to segment",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="What MODEL does, and what the labels are: detect (boxes) or segment (polygons).",
            show_default="what MODEL does",
        ),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who made the labels of DATA.yaml, as you know it: human or unknown. "
            "Else what tailwatch wrote beside them, or unknown.",
        ),
    ] = None,
    bad_files: BadFiles = "refuse",
    single_cls: SingleCls = False,
    generations: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST["generations"],
            metavar="N",
            help="Detectors, one after the other.",
        ),
    ] = 5,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POLICY",
            help=f"What each next one learns from: {POLICIES}; or your own, as module:attribute. "
            "Again for another arm.",
            show_default="replace",
        ),
    ] = None,
    control: Annotated[
        bool,
        typer.Option(
            "--control/--no-control", help="Add an arm that learns from human data alone, as long."
        ),
    ] = True,
    epochs: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST["epochs"],
            metavar="N",
            help="Passes over the human data in each training.",
        ),
    ] = 10,
    imgsz: Annotated[
        int, typer.Option(min=32, max=MOST["imgsz"], metavar="PIXELS", help="Size of images.")
    ] = 640,
    batch: Annotated[
        int,
        typer.Option(
            min=-1,
            max=MOST["batch"],
            metavar="N",
            help="Images in a batch; -1 for as many as are estimated to fit into the GPU.",
        ),
    ] = 16,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Where each training begins: scratch, base (the weights of MODEL), previous.",
            show_default="base for weights, else scratch",
        ),
    ] = None,
    confidence: Annotated[
        float, typer.Option(metavar="SHARE", help="Confidence at which a box becomes a label.")
    ] = 0.25,
    class_confidence: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS=SHARE", help="The same for one class. Again for others."),
    ] = None,
    uncertain: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="What becomes of an image without a box: background or drop."
        ),
    ] = "background",
    pool: Annotated[
        str, typer.Option(metavar="SPLIT", help="Set of DATA.yaml whose images are labelled.")
    ] = "train",
    test: Annotated[
        str, typer.Option(metavar="SPLIT", help="Set of DATA.yaml that measures, and no more.")
    ] = "val",
    size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST["size"],
            metavar="N",
            help="Images that each labels.",
            show_default="as many as human ones",
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1, max=MOST["seeds"], metavar="N", help="Runs of each arm; intervals are over them."
        ),
    ] = 3,
    stop_on: StopOn = None,
    threads: Annotated[
        int,
        typer.Option(
            min=1, max=MOST["threads"], metavar="N", help="Threads; another number, other weights."
        ),
    ] = 1,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            max=MOST["workers"],
            metavar="N",
            help="Processes that load images; another number, other weights.",
        ),
    ] = 0,
    amp: Annotated[
        bool, typer.Option("--amp/--no-amp", help="Train in mixed precision, on a GPU.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Another training argument of Ultralytics, such as mosaic=0. Again for others.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="Where to compute, as Ultralytics names it.")
    ] = "cpu",
    ndjson: Annotated[
        bool,
        typer.Option(
            "--ndjson/--no-ndjson",
            help="Keep each training set as NDJSON too, with whose labels each image has.",
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the study is kept; it goes on if cut short.")
    ] = Path("tailwatch-yolo"),
    as_json: AsJson = False,
) -> None:
    r"""Train YOLO26 on its own labels, generation after generation, and watch its classes.

    Needs pip install 'tailwatch\[yolo]': Ultralytics, licensed under AGPL-3.0.
    Nothing is downloaded: data and weights must be on disk. DIR has all runs,
    frame.parquet and report.html. With --stop-on alarm, exit code 1 says that an
    alarm rang.

    [bold]Examples[/bold]

      tailwatch yolo-loop coco8.yaml --model yolo26n.pt --epochs 5
      tailwatch yolo-loop data.yaml --policy mix:0.25 --imgsz 160 --out study
      tailwatch yolo-loop data.yaml --bad-files leave-out
      tailwatch yolo-loop data.yaml --task segment --model yolo26n-seg.pt
    """
    arms = policies_from(policy or ["replace"])
    thresholds = _thresholds(class_confidence or [])
    if origin not in {None, "human", "unknown"}:
        raise InputError(argument="--origin", expected="human or unknown", got=shown(origin))
    from tailwatch.yolo.problems import check_bad_files

    check_bad_files(bad_files, "--bad-files")
    asked = task_named(task)
    check_directory("--out", out)
    from tailwatch.yolo import DetectionDataset, Experiment, YoloLearner, check_data, study
    from tailwatch.yolo.checks import little_shown
    from tailwatch.yolo.environment import remove_private_folder
    from tailwatch.yolo.train_arguments import settings_from

    chosen = settings_from(settings or [], "--set")
    model, kind = _model_and_task(model, asked)
    # All that is wrong with the sets that tell something, at once.
    splits = sorted({"train", test}, reverse=True)
    checked = check_data(
        data,
        splits=splits,
        origin=origin,
        task=kind,
        single_cls=single_cls,
        directory=out,
        trainings=generations * seeds * (len(arms) + control),
    )
    checked.require(bad_files)
    sets = dict(checked.sets)
    if pool not in sets:
        # The labels of the pool are not looked at, so nothing is said of them: boxes will do.
        sets[pool] = DetectionDataset.from_yaml(
            data, split=pool, bad_files=bad_files, single_cls=single_cls
        )
    if Path(model).suffix != ".pt" and (few := little_shown(len(sets["train"]), epochs)):
        warnings.warn(few, TailwatchWarning, stacklevel=2)
    try:
        learner = YoloLearner(
            pool=sets[pool],
            model=model,
            task=kind,
            epochs=epochs,
            imgsz=imgsz,
            batch=batch,
            start=start,
            confidence=confidence,
            class_confidence=thresholds,
            uncertain=uncertain,
            threads=threads,
            workers=workers,
            amp=amp,
            device=device,
            settings=chosen,
            ndjson=ndjson,
        )
        # In the main thread: it writes files, and Ctrl-C is heard between two batches.
        with blaming():
            found = study(
                Experiment(sets["train"], sets[test], learner),
                policies=arms,
                generations=generations,
                seeds=seeds,
                size=size,
                directory=out,
                control=control,
                stop_on=stop_on,
                progress=True,
            )
    except BaseException:
        # An interrupted command ends without a word to those who clean up when a process ends.
        remove_private_folder()
        raise
    _show(found, out, as_json=as_json)
    if stop_on is not None and any(
        run.alarm for arms in found.runs.values() for run in arms.values()
    ):
        raise typer.Exit(ExitCode.GATE_FAILED)


def policies_from(texts: Sequence[str]) -> dict[str, Policy]:
    """Return the policies of an option that was given again and again, by their texts."""
    from tailwatch.recursion.participants import text_of

    made = [policy_named(text) for text in texts]
    arms = {text_of(policy): policy for policy in made}
    if len(arms) < len(texts):
        raise InputError(
            argument="--policy", expected="different policies", got=shown(", ".join(texts))
        )
    return arms


def _model_and_task(model: str | None, asked: Task | None) -> tuple[str, Task]:
    """Return the model, and what it does."""
    from tailwatch.yolo.checkpoints import check_model, model_task

    chosen = model or ("yolo26n-seg.yaml" if asked == "segment" else "yolo26n.yaml")
    check_model(chosen, asked)
    return chosen, model_task(chosen)


def _thresholds(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise InputError(argument="--class-confidence", expected="CLASS=SHARE", got=shown(text))
    return found


def _show(found: Study, out: Path, *, as_json: bool) -> None:
    """Print the finding: for people on standard error, for machines on standard output."""
    from tailwatch.cli.table import for_people

    console = for_people()
    console.print(visible(found.sentence), markup=False)
    for words in found.alarms_in_words():
        console.print(visible(words), markup=False)
    names = (path_text(out / name) for name in ("report.html", "frame.parquet"))
    console.print(f"wrote {' and '.join(names)}", markup=False)
    if as_json:
        typer.echo(found.frame.write_json())
