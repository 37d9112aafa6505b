"""``tailwatch demo``: the main job on real data that ships with a dependency."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.background import wait_for
from tailwatch.cli.options import OpenReport, Seed
from tailwatch.cli.outputs import check_directory, open_page
from tailwatch.progress import reporting

if TYPE_CHECKING:
    from tailwatch.demo import Generations

__all__ = ["demo"]


def demo(
    *,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Directory for the report and the numbers.")
    ] = Path("tailwatch-demo"),
    generations: Annotated[
        int, typer.Option(metavar="N", min=1, max=50, help="Models trained one after the other.")
    ] = 5,
    seed: Seed = 0,
    open_report: OpenReport = False,
) -> None:
    """Watch a model collapse: handwritten digits against models trained on their own output.

    The first model learns from one half of scikit-learn's handwritten digits, each next one
    from the pictures of the one before. All are compared with the half that no model saw.

    [bold]Examples[/bold]

      tailwatch demo
      tailwatch demo --generations 10 --out collapse --open
    """
    check_directory("--out", out)

    with reporting(progress=True) as report:

        def work() -> Generations:
            from tailwatch.demo import watch

            return watch(generations, seed, report)

        result = wait_for(work)

    report_page = out / "report.html"
    _show(result)
    _write(result, out)
    if open_report:
        open_page(report_page)


def _write(result: Generations, out: Path) -> None:
    """Write everything under `out`, numbers first and pages last."""
    from tailwatch.cli.outputs import write_page
    from tailwatch.cli.table import for_people
    from tailwatch.demo.generations import generations_svg
    from tailwatch.writing import fill, write_atomically

    result.last.save(out / "comparison.parquet")
    write_atomically(
        out / "generations.parquet", lambda file: fill(file, result.frame.write_parquet)
    )
    picture = wait_for(lambda: generations_svg(result.frame))
    write_atomically(
        out / "generations.svg", lambda file: file.write_text(picture, encoding="utf-8")
    )
    for_people().print()
    write_page(result.last, out / "report.html")
    write_page(result.run, out / "loop.html")


def _show(result: Generations) -> None:
    """Print what was done, the generations, and the whole comparison of the last one."""
    from tailwatch.cli.table import (
        comparison_table,
        findings_table,
        for_people,
        generations_table,
    )
    from tailwatch.comparison.sentence import told

    console = for_people()
    console.print(
        f"A model learned to draw from {result.training_rows} handwritten digits, each next model "
        "from the pictures of the one before. All pictures are compared with the "
        f"{result.reference_rows} digits that no model saw. 1 is what fresh human digits retain."
    )
    console.print()
    console.print(generations_table(result.frame))
    console.print()
    console.print("The last generation:")
    console.print(result.last.sentence)
    console.print()
    console.print(findings_table(told(result.last.findings)))
    console.print()
    console.print(comparison_table(result.last.frame, console.width))
