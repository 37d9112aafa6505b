"""Put what ``make demo`` found into the README: its table, and its picture under ``docs/``.

Run by ``make docs`` after the demo::

    python benches/refresh_readme.py tailwatch-demo
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

import polars as pl

from tailwatch.report.words import Number, write

ROOT = Path(__file__).resolve().parents[1]
PLACE = re.compile(r"(<!-- demo: begin -->\n).*?(<!-- demo: end -->)", re.DOTALL)

ENDS = ("", "_low", "_high")

HEADINGS = {
    "coverage": "coverage",
    "recall": "recall",
    "total_variance": "total variance",
    "tail_mass": "tail mass, 10 %",
}


def table(frame: pl.DataFrame) -> str:
    """Write retention with its interval, a row per generation, as Markdown."""
    retention = frame.select(f"retention{end}" for end in ENDS).rows()
    written = [write(Number(*each), places=2) for each in retention]
    cells = pl.Series([f"{each.value} {each.interval}" for each in written])
    wide = frame.with_columns(cell=cells).pivot("metric", index="generation", values="cell")
    lines = ["| generation | " + " | ".join(HEADINGS.values()) + " |", "|---" * 5 + "|"]
    lines += [
        f"| {row['generation']} | " + " | ".join(row[metric] for metric in HEADINGS) + " |"
        for row in wide.sort("generation").to_dicts()
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Rewrite the README's table and copy the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="what the demo wrote")
    directory = parser.parse_args().directory
    readme = ROOT / "README.md"
    found = table(pl.read_parquet(directory / "generations.parquet"))
    readme.write_text(PLACE.sub(rf"\g<1>{found}\g<2>", readme.read_text()))
    shutil.copyfile(directory / "generations.svg", ROOT / "docs" / "guide" / "generations.svg")


if __name__ == "__main__":
    main()
