"""The `tailwatch` command: its name, its version, and the list of its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from tailwatch.cli.compare import compare
from tailwatch.cli.demo import demo
from tailwatch.cli.fit import fit, pack
from tailwatch.cli.loop import loop
from tailwatch.cli.plan import plan
from tailwatch.cli.report import report
from tailwatch.cli.score import score
from tailwatch.cli.wording import EPILOG, ExitCode
from tailwatch.cli.yolo_check import yolo_check
from tailwatch.cli.yolo_loop import yolo_loop

__all__ = ["app"]

app = typer.Typer(
    name="tailwatch",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)


@app.callback(invoke_without_command=True)
def tailwatch(
    context: typer.Context,
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.")
    ] = False,
) -> None:
    """Measure model collapse: what became of the tails of your data.

    Results for people and progress go to standard error; standard output is for machines.
    Set TAILWATCH_TRACEBACK=1 to see where an error came from.
    """
    if show_version:
        from tailwatch import __version__

        typer.echo(f"tailwatch {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(ExitCode.BAD_INPUT)


app.command(epilog=EPILOG)(compare)
app.command(epilog=EPILOG)(demo)
app.command(epilog=EPILOG)(fit)
app.command(epilog=EPILOG)(loop)
app.command(epilog=EPILOG)(pack)
app.command(epilog=EPILOG)(plan)
app.command(epilog=EPILOG)(report)
app.command(epilog=EPILOG)(score)
app.command(name="yolo-check", epilog=EPILOG)(yolo_check)
app.command(name="yolo-loop", epilog=EPILOG)(yolo_loop)
