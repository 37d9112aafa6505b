"""Write a report page without being deaf to Ctrl-C meanwhile, and say what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.cli.waiting import wait_for
from tailwatch.text_form import path_text
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from tailwatch.comparison.class_result import ClassComparison
    from tailwatch.comparison.result import Comparison
    from tailwatch.recursion.overlay import Overlay
    from tailwatch.recursion.result import Run

__all__ = ["say_written", "write_page"]


def write_page(result: Comparison | ClassComparison | Overlay | Run, path: Path) -> None:
    """Write the report page of a result to `path`, whole or not at all.

    Drawing its charts takes native code half a second, so that is waited for; the file itself is
    written here, where an interruption removes what is unfinished.
    """
    page = wait_for(result.to_html)
    write_atomically(path, lambda file: file.write_text(page, encoding="utf-8"))
    say_written(path)


def say_written(path: Path) -> None:
    """Tell people that a file is there."""
    from tailwatch.cli.table import for_people

    for_people().print(f"wrote {path_text(path)}", soft_wrap=True)
