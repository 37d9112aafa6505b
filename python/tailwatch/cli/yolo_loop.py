"""``tailwatch yolo-loop``: YOLO26 that labels its own training images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.cli.destinations import check_directory
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tailwatch.recursion.protocols import Policy
    from tailwatch.yolo.study import Study

__all__ = ["policies_from", "yolo_loop"]

FORMS = "replace, accumulate, subsample, augment, mix:SHARE, fresh:SHARE"


def yolo_loop(
    data: Annotated[
        Path, typer.Argument(metavar="DATA.yaml", help="A data set as Ultralytics has it.")
    ],
    *,
    model: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="An architecture (yolo26n.yaml) to begin from nothing, or weights on disk (.pt).",
        ),
    ] = "yolo26n.yaml",
    generations: Annotated[
        int, typer.Option(min=1, metavar="N", help="Detectors trained one after the other.")
    ] = 5,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help=f"What each next one learns from: {FORMS}. Again for another arm."
        ),
    ] = None,
    control: Annotated[
        bool,
        typer.Option(
            "--control/--no-control", help="Add an arm that learns from human data alone, as long."
        ),
    ] = True,
    epochs: Annotated[
        int, typer.Option(min=1, metavar="N", help="Passes over the human data in each training.")
    ] = 10,
    imgsz: Annotated[int, typer.Option(min=32, metavar="PIXELS", help="Size of images.")] = 640,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Images in a batch.")] = 16,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Where each training begins: scratch, base (the weights of MODEL), previous. "
            "[default: base for weights, else scratch]",
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
        typer.Option(min=1, metavar="N", help="Images that each labels; as many as human ones."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Runs of each arm; intervals are over them.")
    ] = 3,
    threads: Annotated[
        int, typer.Option(min=1, metavar="N", help="Threads; another number, other weights.")
    ] = 1,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="Where to compute, as Ultralytics names it.")
    ] = "cpu",
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the study is kept; it goes on if cut short.")
    ] = Path("tailwatch-yolo"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the numbers as JSON to standard output.")
    ] = False,
) -> None:
    r"""Train YOLO26 on its own labels, generation after generation, and watch its classes.

    Needs pip install 'tailwatch\[yolo]': Ultralytics, licensed under AGPL-3.0.
    Nothing is downloaded: data and weights must be on disk. DIR has all runs,
    frame.parquet and report.html.

    [bold]Examples[/bold]

      tailwatch yolo-loop coco8.yaml --model yolo26n.pt --epochs 5
      tailwatch yolo-loop data.yaml --policy mix:0.25 --imgsz 160 --out study
    """
    arms = policies_from(policy or ["replace"])
    thresholds = _thresholds(class_confidence or [])
    check_directory("--out", out)
    from tailwatch.yolo import DetectionDataset, Experiment, YoloLearner, study

    sets = {name: DetectionDataset.from_yaml(data, split=name) for name in {"train", pool, test}}
    learner = YoloLearner(
        pool=sets[pool],
        model=model,
        epochs=epochs,
        imgsz=imgsz,
        batch=batch,
        start=start,
        confidence=confidence,
        class_confidence=thresholds,
        uncertain=uncertain,
        threads=threads,
        device=device,
    )
    # In the main thread: it writes files, and Ctrl-C is heard between two batches.
    found = study(
        Experiment(sets["train"], sets[test], learner),
        policies=arms,
        generations=generations,
        seeds=seeds,
        size=size,
        directory=out,
        control=control,
        progress=True,
    )
    _show(found, out, as_json=as_json)


def policies_from(texts: Sequence[str]) -> dict[str, Policy]:
    """Turn ``mix:0.25`` and its like into policies by label."""
    from tailwatch.recursion import Accumulate, AccumulateSubsample, Augment, Mix, Replace

    plain: dict[str, Callable[[], Policy]] = {
        "replace": Replace,
        "accumulate": Accumulate,
        "subsample": AccumulateSubsample,
        "augment": Augment,
    }
    arms: dict[str, Policy] = {}
    for text in texts:
        name, colon, number = text.partition(":")
        if name in plain and not colon:
            arms[name] = plain[name]()
        elif name in {"mix", "fresh"} and colon:
            arms[f"{name}({number})"] = Mix(_share(number, text), fresh=name == "fresh")
        else:
            message = f"--policy: expected one of {FORMS}, got {text!r}"
            raise InputError(message)
    if len(arms) < len(texts):
        message = f"--policy: expected different policies, got {', '.join(texts)}"
        raise InputError(message)
    return arms


def _share(number: str, text: str) -> float:
    try:
        return float(number)
    except ValueError as error:
        message = f"--policy: expected a share after the colon, as in mix:0.25, got {text!r}"
        raise InputError(message) from error


def _thresholds(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            message = f"--class-confidence: expected CLASS=SHARE, got {text!r}"
            raise InputError(message)
    return found


def _show(found: Study, out: Path, *, as_json: bool) -> None:
    """Print the finding: for people on standard error, for machines on standard output."""
    from tailwatch.cli.table import for_people
    from tailwatch.report.detection import sentence_of_study

    console = for_people()
    console.print(sentence_of_study(found.frame), markup=False)
    console.print(f"wrote {out / 'report.html'} and {out / 'frame.parquet'}", markup=False)
    if as_json:
        typer.echo(found.frame.write_json())
