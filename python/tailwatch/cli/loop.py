"""``tailwatch loop``: a learner that is trained on its own output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tailwatch.background import wait_for
from tailwatch.cli.options import (
    PANELS,
    SOURCES,
    AsJson,
    Binary,
    Confidence,
    Generations,
    MaxRows,
    OpenReport,
    PolicyText,
    Seed,
    StopOn,
    Threads,
)
from tailwatch.cli.outputs import check_directory, open_page
from tailwatch.cli.parts import (
    LEARNERS,
    blaming,
    data_from,
    part_from,
    policy_named,
    settings_from,
)
from tailwatch.cli.wording import ExitCode
from tailwatch.exceptions import InputError, meant
from tailwatch.progress import reporting
from tailwatch.text_form import path_text, shown

if TYPE_CHECKING:
    from tailwatch.recursion.result import Run

__all__ = ["loop"]

TEXT, WHOLE, NUMBER = ("text", (str,)), ("an integer", (int,)), ("a number", (int, float))
SETTINGS: dict[str, tuple[str, tuple[type, ...]]] = {
    "data": TEXT,
    "column": TEXT,
    "binary": TEXT,
    "learner": TEXT,
    "policy": TEXT,
    "generations": WHOLE,
    "size": WHOLE,
    "holdout": ("a share, or a file", (int, float, str)),
    "metrics": ("a panel, names, or none", (str, list)),
    "max_rows": WHOLE,
    "confidence": NUMBER,
    "seed": WHOLE,
    "label": TEXT,
    "stop_on": TEXT,
    "out": TEXT,
}
"""What a file may set, and the types of it: each option under its name, with underscores."""


def loop(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="A .toml or .yaml file with any of the options by name; options win over it. "
            "Where it names a learner or policy as module:attribute, that code is imported and "
            "run: trust such a file as you trust a program.",
            show_default=False,
        ),
    ] = None,
    *,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help=f"Human data: {SOURCES}; or numbers, categories and documents in .npy, .parquet, "
            ".arrow, .csv, or .txt with a document in each line.",
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Column or array that holds the data.",
            show_default="embedding, if it is there",
        ),
    ] = None,
    binary: Binary = None,
    learner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"{', '.join(LEARNERS)}, with arguments as in 'GaussianMixture(k=10)'; or your "
            "own, as module:attribute: a class (with literal arguments) or an object. The module "
            "is imported, which runs it.",
        ),
    ] = None,
    policy: PolicyText = "replace",
    generations: Generations = 10,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Rows that each generation samples.",
            show_default="as many as there are human ones",
        ),
    ] = None,
    holdout: Annotated[
        str,
        typer.Option(
            metavar="SHARE|FILE",
            help="Human data that no model sees: a share of the data, or a file.",
        ),
    ] = "0.5",
    metrics: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help=f"A panel ({', '.join(PANELS)}), or names of metrics joined by commas, as in "
            "tail_mass,recall; or none, to measure nothing.",
        ),
    ] = "standard",
    max_rows: MaxRows = None,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    label: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the run in tables and charts.")
    ] = None,
    stop_on: StopOn = None,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Directory of the run; one that was cut short goes on."),
    ] = Path("tailwatch-loop"),
    threads: Threads = None,
    as_json: AsJson = False,
    open_report: OpenReport = False,
) -> None:
    """Train a learner on its own output, generation after generation, and measure each one.

    Verdicts go to standard error; the directory has all numbers, the samples and the report.
    An error of a learner of your own is shown with its traceback, and ends with exit code 2.
    With --stop-on alarm, exit code 1 says that the alarm rang.

    [bold]Examples[/bold]

      tailwatch loop --data human.npy --learner 'GaussianMixture(k=10)'
      tailwatch loop --data rows.npz --column emb --learner Bootstrap
      tailwatch loop --data human.npy --learner Gaussian --policy mix:0.25
      tailwatch loop --data corpus.txt --learner 'NGram(3)' --policy accumulate
      tailwatch loop --data human.npy --learner Gaussian --stop-on alarm
      tailwatch loop study.toml --seed 1 --out runs/seed-1
    """
    options = {
        "data": data,
        "column": column,
        "binary": binary,
        "learner": learner,
        "policy": policy,
        "generations": generations,
        "size": size,
        "holdout": holdout,
        "metrics": metrics,
        "max_rows": max_rows,
        "confidence": confidence,
        "seed": seed,
        "label": label,
        "stop_on": stop_on,
        "out": out,
    }
    settings = _settings(config, options, {name for name in options if _is_given(context, name)})
    directory = Path(settings.pop("out"))
    arguments = _arguments(settings)
    check_directory("--out", directory)

    with blaming(), reporting(progress=True) as report:

        def work() -> Run:
            from tailwatch.recursion import run

            # On Ctrl-C this is abandoned in the middle of writing, which a run directory survives.
            return run(**arguments, directory=directory, threads=threads, progress=report)

        found = wait_for(work)

    _show(found, directory, as_json=as_json)
    page = directory / "report.html"
    if open_report and page.exists():
        open_page(page)
    if arguments.get("stop_on") is not None and found.alarm is not None:
        raise typer.Exit(ExitCode.GATE_FAILED)


def _settings(config: Path | None, options: dict[str, Any], given: set[str]) -> dict[str, Any]:
    """Return the options that were given, over what the file says, over their defaults."""
    settings = {} if config is None else settings_from(config)
    unknown = [name for name in settings if name not in SETTINGS]
    if unknown:
        raise InputError(
            problem=f"unknown setting {shown(unknown[0])} in {path_text(config or '')}; "
            f"expected {', '.join(SETTINGS)}",
            argument="CONFIG",
            expected=f"settings among {', '.join(SETTINGS)}",
            got=shown(unknown[0]),
            where=path_text(config or ""),
            hint=meant(unknown[0], SETTINGS),
        )
    for name, value in settings.items():
        expected, types = SETTINGS[name]
        if isinstance(value, bool) or not isinstance(value, types):
            raise InputError(
                argument=f"CONFIG: {name}",
                expected=expected,
                got=shown(value),
                where=f"in {path_text(config or '')}",
            )
    settings |= {
        name: value
        for name, value in options.items()
        if value is not None and (name in given or name not in settings)
    }
    for name in ("data", "learner"):
        if name not in settings:
            raise InputError(
                argument=f"--{name}",
                expected="one, here or in a file",
                got="none",
                hint="see tailwatch loop --help",
            )
    return settings


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _arguments(settings: dict[str, Any]) -> dict[str, Any]:
    """Turn settings into the arguments of a run."""
    column, binary = settings.pop("column", None), settings.pop("binary", None)
    source, holdout = settings.pop("data"), settings.pop("holdout")
    metrics = settings.pop("metrics")
    return {
        **settings,
        "learner": part_from(settings["learner"], "--learner", LEARNERS),
        "policy": policy_named(settings["policy"]),
        "data": data_from(source, "--data", column, binary),
        "holdout": _holdout(holdout, column, binary),
        "metrics": _metrics(metrics),
    }


def _holdout(given: Any, column: str | None, binary: str | None) -> Any:  # noqa: ANN401  (a share or data)
    try:
        return float(given)
    except ValueError:
        return data_from(given, "--holdout", column, binary)
    except OverflowError:
        return given


def _metrics(given: Any) -> Any:  # noqa: ANN401  (names, however they were written)
    if not isinstance(given, str):
        return given
    if given == "none":
        return ()
    return given if given in PANELS else [name.strip() for name in given.split(",")]


def _show(found: Run, directory: Path, *, as_json: bool) -> None:
    """Print the result: for people on standard error, for machines on standard output."""
    import polars as pl

    from tailwatch.cli.table import for_people, verdicts_table
    from tailwatch.comparison.registry import LABELS
    from tailwatch.recursion.verdicts import alarms
    from tailwatch.report.loop.verdicts import named

    console = for_people()
    console.print(found.sentence, markup=False)
    console.print(named(found.diagnosis.sentence, LABELS), markup=False)
    tables = (
        each.select(pl.lit(found.label).alias("run"), pl.all())
        for each in (found.verdicts, alarms(found.alarm))
    )
    console.print(verdicts_table(*tables))
    console.print(f"The run is in {path_text(directory)}", markup=False, soft_wrap=True)
    if as_json:
        typer.echo(found.to_json())
