"""``tailwatch report``: the page of runs that are kept in directories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.background import wait_for
from tailwatch.cli.options import AsJson, Csv, OpenReport, Parquet
from tailwatch.cli.outputs import check_file, open_page, say_written, write_page

if TYPE_CHECKING:
    from tailwatch.recursion.result import Overlay

__all__ = ["report"]

PAGE = "report.html"


def report(
    directories: Annotated[
        list[Path],
        typer.Argument(metavar="RUN_DIR...", help="Directories of runs, finished or not."),
    ],
    *,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the page to this .html file.",
            show_default="report.html in the directory of one run, beside you for several",
        ),
    ] = None,
    parquet: Parquet = None,
    csv: Csv = None,
    as_json: AsJson = False,
    open_report: OpenReport = False,
) -> None:
    """Write the report of a run, or of several side by side.

    Only run.json and the frame of each directory are read: neither data nor models are needed.

    [bold]Examples[/bold]

      tailwatch report runs/replace
      tailwatch report runs/replace runs/accumulate --html policies.html --open
      tailwatch report runs/replace --json > result.json
    """
    page = html or (directories[0] / PAGE if len(directories) == 1 else Path(PAGE))
    files = {"--html": page, "--parquet": parquet, "--csv": csv}
    wanted = {option: path for option, path in files.items() if path is not None}

    def work() -> Overlay:
        from tailwatch.recursion.result import Run, overlay

        return overlay(Run.load(directory) for directory in directories)

    runs = wait_for(work)
    for option, path in wanted.items():
        check_file(option, path, suffix=f".{option.removeprefix('--')}")
    # Numbers first: a page that cannot be drawn must not hold them back.
    _show(runs, as_json=as_json)
    for extra in (parquet, csv):
        if extra is not None:
            runs.save(extra)
            say_written(extra)
    write_page(runs, page)
    if open_report:
        open_page(page)


def _show(runs: Overlay, *, as_json: bool) -> None:
    """Print the result: for people on standard error, for machines on standard output."""
    from tailwatch.cli.table import for_people, verdicts_table

    console = for_people()
    console.print(runs.sentence)
    console.print(verdicts_table(runs.verdicts, runs.alarms))
    if as_json:
        typer.echo(runs.to_json())
