"""``tailwatch score``: which rows of a data set are synthetic, what share, and a gate on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.cli.options import AsJson, Binary, Column, Confidence, Threads
from tailwatch.cli.wording import ExitCode, in_options, option_words
from tailwatch.exceptions import InputError, OutputError, ShardError
from tailwatch.report.words import Number, percent, written_q, written_share, written_shares
from tailwatch.text_form import path_text, shortened, visible

if TYPE_CHECKING:
    import polars as pl

    from tailwatch.contamination.dataset.report import ContaminationReport
    from tailwatch.contamination.prevalence import Gate, Prevalence, Standing

__all__ = ["score"]

_NAMED, _LONGEST_NAME = 5, 80

CODES: dict[Gate, ExitCode] = {
    "kept": ExitCode.FINE,
    "exceeded": ExitCode.GATE_FAILED,
    "open": ExitCode.INCONCLUSIVE,
}


def score(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Folder of shards, packed or of clip-retrieval too; or files and quoted globs.",
        ),
    ],
    *,
    model: Annotated[Path, typer.Option(metavar="FILE", help="Model of `tailwatch fit`.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for tables, summary.json and report.html.")
    ],
    column: Column = "embedding",
    id_column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Column to copy beside the scores; may be repeated."),
    ] = None,
    binary: Binary = None,
    audit: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Table of rows with verified labels, drawn at random."),
    ] = None,
    audit_label: Annotated[
        str, typer.Option(metavar="NAME", help="Its column of labels, 1 for synthetic.")
    ] = "label",
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Column that names groups of rows, whose shares are estimated too."
        ),
    ] = None,
    copies_of: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Rows whose copies are counted: the synthetic ones."),
    ] = None,
    copy_distance: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Largest distance of a near copy; by default a tenth of that of two such rows.",
        ),
    ] = None,
    fail_above: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Gate: exit 1 if the whole interval is above, or with --by that of a group, 3 if "
            "SHARE is within or human rows alone give as much, else 0.",
        ),
    ] = None,
    confidence: Confidence = 0.95,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first shard that cannot be scored.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Score everything anew; a run in DIR is replaced.")
    ] = False,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Score the shards of a data set: each row, and the share of synthetic ones.

    A run that was stopped, by whatever means, goes on when the same command is given again. A shard
    that cannot be scored is named; the others are scored, and the exit code is 4, or 1 where their
    gate failed. The model comes from `tailwatch fit`.

    [bold]Examples[/bold]

      tailwatch score scrape/ --model web.tailwatch --out scores --id-column url
      tailwatch score scrape/ --model web.tailwatch --out scores --fail-above 0.05
      tailwatch score scrape/ --model web.tailwatch --out scores --by month
    """
    if fail_above is not None and not 0 <= fail_above < 1:
        raise InputError(
            argument="--fail-above", expected="a share from 0 to below 1", got=f"{fail_above}"
        )
    from tailwatch.contamination import ContaminationModel
    from tailwatch.embeddings import open as open_embeddings

    with in_options():
        loaded = ContaminationModel.load(model)
        labelled = (
            None
            if audit is None
            else open_embeddings(audit, column=column, binary=binary).as_argument("--audit")
        )
        templates = (
            None if copies_of is None else open_embeddings(copies_of, column=column, binary=binary)
        )
        failed: ShardError | None = None
        try:
            # It waits for its own threads, so an interruption is heard; what is done stays.
            report = loaded.score_dataset(
                source[0] if len(source) == 1 else source,
                out,
                column=column,
                id_column=id_column,
                binary=binary,
                resume=not restart,
                strict=strict,
                confidence=confidence,
                audit=None if labelled is None else (labelled, labelled.labels(audit_label)),
                by=by,
                copies_of=templates,
                copy_distance=copy_distance,
                threads=threads,
                progress=True,
            )
        except ShardError as error:
            if error.report is None:
                raise
            report, failed = error.report, error
        _show(report, as_json=as_json)
        _check_written(report)
    if failed is not None:
        typer.echo(f"error: {option_words(str(failed))}", err=True)
    code = ExitCode.FINE
    if fail_above is not None:
        standing = report.prevalence.against(fail_above)
        typer.echo(_verdict(report.prevalence, standing), err=True)
        code = CODES[standing.state]
    if failed is not None and code != ExitCode.GATE_FAILED:
        code = ExitCode.INCOMPLETE
    raise typer.Exit(code)


def _show(report: ContaminationReport, *, as_json: bool) -> None:
    """Print the result: for people on standard error, for machines on standard output."""
    from tailwatch.cli.table import for_people
    from tailwatch.io.walking import Omission

    console = for_people()
    console.print(report.sentence, markup=False)
    for each in report.left_out:
        console.print(str(Omission(**each)), markup=False, soft_wrap=True)
    for file in ("report.html", "summary.json"):
        if (report.directory / file).exists():
            console.print(f"wrote {report.directory / file}", markup=False, soft_wrap=True)
    if as_json:
        typer.echo(report.to_json())


def _check_written(report: ContaminationReport) -> None:
    """See to it that every file is there before the exit code says that all is fine."""
    for file in ("summary.json", "report.html"):
        if not (report.directory / file).exists():
            raise OutputError(
                argument="--out",
                expected=f"{file} to be written",
                got=report.page_problem or "none",
                where=path_text(report.directory),
            )


def _verdict(found: Prevalence, standing: Standing) -> str:
    """Return the line of a gate: what it says, and of what."""
    interval, limit = _interval(found.low, found.high), percent(standing.limit)
    if standing.state == "kept":
        return f"gate: passed: {interval} is not above {limit}"
    if standing.state == "exceeded":
        above = [interval] if standing.whole == "above" else []
        return f"gate: failed: {_listed(above, standing.groups, found)} above {limit}"
    reasons = []
    if standing.whole == "around":
        reasons.append(f"{interval} holds {limit}")
    held = [interval] if standing.whole == "held by floor" else []
    if held or len(standing.groups_held):
        floor = written_share(found.null_floor.limit)
        named = _listed(held, standing.groups_held, found)
        reasons.append(f"{named} above {limit}, but human rows alone give up to {floor}")
    return f"gate: inconclusive: {'; '.join(reasons)}"


def _listed(first: list[str], groups: pl.DataFrame, found: Prevalence) -> str:
    """Return intervals, those of groups with their names, and the verb that goes with them."""
    named, by = list(first), "" if found.groups is None else found.groups.by
    for row in groups.head(_NAMED).iter_rows(named=True):
        name = visible(shortened(f"{by}={row['group']}", _LONGEST_NAME))
        sure = f"(q {written_q(row['q_value'])})"
        named.append(f"{name} {_interval(row['low'], row['high'])} {sure}")
    if len(groups) > _NAMED:
        named.append(f"{len(groups) - _NAMED:,} more")
    listed = " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
    return f"{listed} {'is' if len(named) == 1 else 'are'}"


def _interval(low: float, high: float) -> str:
    return str(written_shares(Number(None, low, high)).interval)
