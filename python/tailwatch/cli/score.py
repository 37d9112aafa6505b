"""``tailwatch score``: which rows of a data set are synthetic, what share, and a gate on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.cli.options import AsJson, Binary, Column, Confidence, Threads
from tailwatch.cli.wording import ExitCode, in_options, option_words
from tailwatch.exceptions import InputError, OutputError, ShardError
from tailwatch.report.words import Number, percent, written_q, written_shares
from tailwatch.text_form import path_text, shortened, visible

if TYPE_CHECKING:
    from tailwatch.contamination.dataset.report import ContaminationReport, Gate

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
            "SHARE is within, else 0.",
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
        gate = report.gate(fail_above)
        typer.echo(_verdict(report, gate, fail_above), err=True)
        code = CODES[gate]
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


def _verdict(report: ContaminationReport, gate: Gate, limit: float) -> str:
    found = report.prevalence
    interval = _interval(found.low, found.high)
    if gate == "kept":
        return f"gate: passed: {interval} is not above {percent(limit)}"
    if gate == "open":
        return f"gate: inconclusive: {interval} holds {percent(limit)}"
    groups, by = report.groups_above(limit), "" if found.groups is None else found.groups.by
    above = [interval] if found.low > limit else []
    for row in groups.head(_NAMED).iter_rows(named=True):
        name = visible(shortened(f"{by}={row['group']}", _LONGEST_NAME))
        sure = f"(q {written_q(row['q_value'])})"
        above.append(f"{name} {_interval(row['low'], row['high'])} {sure}")
    if len(groups) > _NAMED:
        above.append(f"{len(groups) - _NAMED:,} more")
    listed = " and ".join(filter(None, [", ".join(above[:-1]), above[-1]]))
    return f"gate: failed: {listed} {'is' if len(above) == 1 else 'are'} above {percent(limit)}"


def _interval(low: float, high: float) -> str:
    return str(written_shares(Number(None, low, high)).interval)
