"""``tailwatch compare``: how far a data set has moved from the human one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tailwatch.background import wait_for
from tailwatch.cli.options import (
    FINDINGS,
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
from tailwatch.cli.outputs import check_file, say_written, write_page, write_text
from tailwatch.cli.wording import ExitCode, in_options
from tailwatch.exceptions import InputError
from tailwatch.progress import reporting
from tailwatch.text_form import shown, visible

if TYPE_CHECKING:
    from tailwatch.comparison.by_class.result import ClassComparison
    from tailwatch.comparison.findings import GateState
    from tailwatch.comparison.result import Comparison
    from tailwatch.embeddings import Embeddings

__all__ = ["compare"]

CODES: dict[GateState, ExitCode] = {
    "passed": ExitCode.FINE,
    "failed": ExitCode.GATE_FAILED,
    "inconclusive": ExitCode.INCONCLUSIVE,
}


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
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="OLD",
            help="What the candidate is to replace: say what became worse and what better.",
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
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Gate: exit 1 if any of these is found, 3 if one cannot be told, else 0: "
            f"{FINDINGS}; or any; with --baseline also worse: nothing may be worse than it.",
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=X",
            help="What the size of a finding may reach, as in junk=0.02; may be repeated.",
        ),
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(metavar="ODDS", help="Odds of tail rows to keep: the limit of tails_lost."),
    ] = None,
    html: Html = None,
    parquet: Parquet = None,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the findings to this .md file, for a summary."),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the findings of the gate to this .xml file."),
    ] = None,
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
      tailwatch compare human.tailwatch new.npy --fail-on junk,copies
      tailwatch compare human.tailwatch new.npy --baseline old.npy --fail-on worse
    """
    levels = None if tail_levels is None else _shares("--tail-levels", tail_levels)
    files = {"--html": html, "--parquet": parquet, "--markdown": markdown, "--junit": junit}
    suffixes = {"--markdown": ".md", "--junit": ".xml"}
    wanted = {option: path for option, path in files.items() if path is not None}
    for option, path in wanted.items():
        suffix = suffixes.get(option, f".{option.removeprefix('--')}")
        sources = (reference, candidate, *(() if baseline is None else (baseline,)))
        check_file(option, path, suffix=suffix, sources=sources)
    if per is not None and baseline is not None:
        raise InputError(argument="--baseline", expected="none with --per", got="both")
    asked = _gate(fail_on, limit, keep, junit=junit is not None, paired=baseline is not None)

    with reporting(progress=True) as report:

        def work() -> Comparison | ClassComparison:
            from tailwatch.comparison.compare import compare as compare_embeddings
            from tailwatch.embeddings import open as open_embeddings

            human: str | Embeddings = reference
            if not reference.lower().endswith(".tailwatch"):
                human = open_embeddings(reference, column=column, binary=binary)
            arguments: dict[str, Any] = {
                "metrics": metrics if metrics is None or metrics in PANELS else _names(metrics),
                "k": k,
                "tail_levels": levels,
                "confidence": confidence,
                "max_rows": max_rows,
                "seed": seed,
                "threads": threads,
                "progress": report,
            }
            if baseline is not None:
                arguments["baseline"] = open_embeddings(baseline, column=column, binary=binary)
            new = open_embeddings(candidate, column=column, binary=binary)
            return compare_embeddings(human, new, per=per, **arguments)

        comparison = wait_for(work)

    gate = None if asked is None else comparison.gate(**asked)
    # Numbers first: a page that cannot be drawn must not hold them back.
    _show(comparison, as_json=as_json)
    if parquet is not None:
        comparison.save(parquet)
        say_written(parquet)
    if markdown is not None:
        write_text(markdown, comparison.to_markdown())
    if junit is not None and gate is not None:
        write_text(junit, comparison.to_junit(gate))
    if html is not None:
        write_page(comparison, html)
    if gate is not None:
        typer.echo(visible(str(gate)), err=True)
        raise typer.Exit(CODES[gate.state])


def _gate(
    fail_on: str | None,
    limits: list[str] | None,
    keep: float | None,
    *,
    junit: bool,
    paired: bool,
) -> dict[str, Any] | None:
    """Return the arguments of the gate, checked before the work begins."""
    from tailwatch.comparison.findings import FAIL_ON, GateRequest

    if fail_on is None and not limits and keep is None and not junit:
        return None
    given = {}
    for text in limits or ():
        name, _, value = text.partition("=")
        try:
            given[name.strip().replace("-", "_")] = float(value)
        except ValueError as error:
            raise InputError(
                argument="--limit", expected="NAME=X, X a number", got=shown(text)
            ) from error
    asked: dict[str, Any] = {"fail_on": fail_on or FAIL_ON, "limits": given, "keep": keep}
    with in_options():
        GateRequest.of(**asked, has_baseline=paired)
    return asked


def _show(comparison: Comparison | ClassComparison, *, as_json: bool) -> None:
    """Print the result: for people on standard error, for machines on standard output."""
    from tailwatch.cli.table import (
        change_table,
        classes_table,
        comparison_table,
        findings_table,
        for_people,
    )
    from tailwatch.comparison.result import Comparison, PairedComparison
    from tailwatch.comparison.sentence import told, told_of_change

    console = for_people()
    console.print(comparison.sentence)
    console.print()
    if isinstance(comparison, PairedComparison):
        console.print(change_table(told_of_change(comparison.change)))
        console.print()
    if isinstance(comparison, Comparison):
        console.print(findings_table(told(comparison.findings)))
        console.print()
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
