"""``tailwatch yolo-check``: all that is wrong with a data set, before anything trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from tailwatch.cli.options import AsJson
from tailwatch.cli.wording import ExitCode
from tailwatch.exceptions import InputError
from tailwatch.text_form import shown, visible

if TYPE_CHECKING:
    from tailwatch.yolo import Task
    from tailwatch.yolo.data_check import DataCheck

__all__ = ["BadFiles", "SingleCls", "task_named", "yolo_check"]

BadFiles: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="WHAT",
        help="What becomes of images that Ultralytics passes over with a line in its log: refuse, "
        "or leave-out, which names and counts them.",
    ),
]
SingleCls: TypeAlias = Annotated[
    bool, typer.Option("--single-cls", help="Take all classes for one.")
]


def yolo_check(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA.yaml",
            help="A data set as Ultralytics has it: a .yaml, a folder, or an .ndjson file.",
        ),
    ],
    *,
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPLIT",
            help="A set to look at: train, val or test. Again for another.",
            show_default="all there are",
        ),
    ] = None,
    bad_files: BadFiles = "refuse",
    task: Annotated[
        str, typer.Option(metavar="TASK", help="What the set is for: detect or segment.")
    ] = "detect",
    single_cls: SingleCls = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where a run would be kept: compare its disk, too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    r"""List all that is wrong with a data set, with file and line, before anything trains.

    Needs pip install 'tailwatch\[yolo]': Ultralytics, licensed under AGPL-3.0.
    Nothing is trained, changed or downloaded. Exit code 2 says that there is an error or a
    warning; notes are no problem. With --bad-files leave-out, files that can be left out are
    listed and are no problem either: exit code 4 says that there are some.

    [bold]Examples[/bold]

      tailwatch yolo-check data.yaml
      tailwatch yolo-check data.yaml --split train --split val --json
      tailwatch yolo-check coco8.yaml --bad-files leave-out
    """
    from tailwatch.yolo import check_data
    from tailwatch.yolo.problems import check_bad_files

    check_bad_files(bad_files, "--bad-files")
    task_named(task)
    for name in split or []:
        if name not in {"train", "val", "test"}:
            raise InputError(argument="--split", expected="train, val or test", got=shown(name))
    found = check_data(data, splits=split, task=task, single_cls=single_cls, directory=out)
    _show(found, as_json=as_json)
    kept, left_out = found.apart(bad_files)
    if any(problem.severity != "note" for problem in kept):
        raise typer.Exit(ExitCode.BAD_INPUT)
    if left_out:
        raise typer.Exit(ExitCode.INCOMPLETE)


def task_named(text: str | None) -> Task | None:
    """Return the task of an option; one that is not built is refused before anything is read."""
    from tailwatch.yolo import Task

    return None if text is None else Task.of(text, "--task")


def _show(found: DataCheck, *, as_json: bool) -> None:
    """Print the list: for people on standard error, for machines on standard output."""
    import json

    from tailwatch.cli.table import for_people

    console = for_people()
    for problem in found.problems:
        line = visible(f"{problem.severity}: {problem.text}")
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(visible(found.sentence), markup=False, highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(found.describe()))
