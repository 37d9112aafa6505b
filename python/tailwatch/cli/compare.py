"""``tailwatch compare``: how far a data set has moved from the human one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.background import wait_for
from tailwatch.cli.options import (
    METRICS,
    PANELS,
    SOURCES,
    AsJson,
    Binary,
    Column,
    Confidence,
    Html,
    MaxRows,
    Parquet,
    Threads,
)
from tailwatch.cli.outputs import check_file, say_written, write_page
from tailwatch.exceptions import InputError
from tailwatch.progress import reporting
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from tailwatch.comparison.by_class.result import ClassComparison
    from tailwatch.comparison.result import Comparison
    from tailwatch.embeddings import Embeddings

__all__ = ["compare"]


def compare(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF",
            help=f"Human data: {SOURCES}; or a reference that was saved, *.tailwatch.",
        ),
    ],
    candidate: Annotated[
        str, typer.Argument(metavar="CAND", help="The data to judge, in any of these forms.")
    ],
    *,
    column: Column = "embedding",
    binary: Binary = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            show_default="standard",
            help=f"A panel ({', '.join(PANELS)}), or some of these joined by commas: {METRICS}.",
        ),
    ] = None,
    per: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Compare class by class: column of both sides with the classes."
        ),
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(
            "--k", "-k", min=1, metavar="N", show_default="5", help="Neighbours within a ball."
        ),
    ] = None,
    tail_levels: Annotated[
        str | None,
        typer.Option(
            metavar="SHARES",
            show_default="0.1,0.05,0.01",
            help="Shares of the data that count as the tail.",
        ),
    ] = None,
    max_rows: MaxRows = None,
    confidence: Confidence = 0.95,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, show_default="0", help="Seed of random choices."),
    ] = None,
    threads: Threads = None,
    html: Html = None,
    parquet: Parquet = None,
    as_json: AsJson = False,
) -> None:
    """Compare two sets of embeddings: what moved, and what became of the tails.

    The verdict and the table go to standard error. Files are written whole or not at all.
    What a saved reference was made with holds where it is not given here.

    [bold]Examples[/bold]

      tailwatch compare human.npy generated.npy --html report.html
      tailwatch compare 'human-*.parquet' new.parquet --max-rows 20000
      tailwatch compare human.npy generated.npy --json > result.json
      tailwatch compare human.parquet new.parquet --per label --html classes.html
      tailwatch compare human.tailwatch new.npy
    """
    levels = None if tail_levels is None else _shares("--tail-levels", tail_levels)
    files = {"--html": html, "--parquet": parquet}
    wanted = {option: path for option, path in files.items() if path is not None}
    for option, path in wanted.items():
        suffix = f".{option.removeprefix('--')}"
        check_file(option, path, suffix=suffix, sources=(reference, candidate))

    with reporting(progress=True) as report:

        def work() -> Comparison | ClassComparison:
            from tailwatch.comparison.compare import compare as compare_embeddings
            from tailwatch.embeddings import open as open_embeddings

            human: str | Embeddings = reference
            if not reference.lower().endswith(".tailwatch"):
                human = open_embeddings(reference, column=column, binary=binary)
            return compare_embeddings(
                human,
                open_embeddings(candidate, column=column, binary=binary),
                per=per,
                metrics=metrics if metrics is None or metrics in PANELS else _names(metrics),
                k=k,
                tail_levels=levels,
                confidence=confidence,
                max_rows=max_rows,
                seed=seed,
                threads=threads,
                progress=report,
            )

        comparison = wait_for(work)

    # Numbers first: a page that cannot be drawn must not hold them back.
    _show(comparison, as_json=as_json)
    if parquet is not None:
        comparison.save(parquet)
        say_written(parquet)
    if html is not None:
        write_page(comparison, html)


def _show(comparison: Comparison | ClassComparison, *, as_json: bool) -> None:
    """Print the result: for people on standard error, for machines on standard output."""
    from tailwatch.cli.table import classes_table, comparison_table, for_people
    from tailwatch.comparison.result import Comparison

    console = for_people()
    console.print(comparison.sentence)
    if isinstance(comparison, Comparison):
        console.print(comparison_table(comparison.frame, console.width))
    else:
        console.print(classes_table(comparison.classes, console.width))
    if as_json:
        typer.echo(comparison.to_json())


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _shares(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(name) for name in _names(text))
    except ValueError as error:
        expected = "numbers joined by commas"
        raise InputError(argument=option, expected=expected, got=shown(text)) from error
