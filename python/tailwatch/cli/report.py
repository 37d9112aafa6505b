"""``tailwatch report``: the page of runs that are kept in directories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.cli.destinations import check_file
from tailwatch.cli.pages import say_written, write_page
from tailwatch.cli.waiting import wait_for

if TYPE_CHECKING:
    from tailwatch.recursion.overlay import Overlay

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
            help="Write the page to this .html file. [default: report.html in the directory of "
            "one run; beside you for several]",
            show_default=False,
        ),
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the numbers to this .parquet file.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the numbers to this .csv file.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object to standard output.")
    ] = False,
    open_report: Annotated[
        bool, typer.Option("--open", help="Open the report in the browser.")
    ] = False,
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
        from tailwatch.recursion.overlay import overlay
        from tailwatch.recursion.result import Run

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
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def _show(runs: Overlay, *, as_json: bool) -> None:
    """Print the result: for people on standard error, for machines on standard output."""
    from tailwatch.cli.table import for_people, verdicts_table

    console = for_people()
    console.print(runs.sentence)
    console.print(verdicts_table(runs.verdicts))
    if as_json:
        typer.echo(runs.to_json())
