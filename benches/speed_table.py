"""Put the results of the races into the README.

Reads benches/results/*.parquet, writes between the README's markers. Run after `python -m
benches.rivals` and `python -m benches.ladder`::

    python -m benches.speed_table
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from benches.ladder import flatness
from benches.recording import RESULTS, ROOT, read
from benches.rivals.registry import TASKS

if TYPE_CHECKING:
    from pathlib import Path

PLACE = re.compile(r"(<!-- speed: begin -->\n).*?(<!-- speed: end -->)", re.DOTALL)

NOTHING = "Not measured yet: `make bench-rivals` measures, and writes this table.\n"

HEADINGS = (
    "task",
    "rows × columns",
    "tailwatch",
    "peer",
    "its time",
    "times as long",
    "memory beside the data",
)


def speed(directory: Path = RESULTS) -> str:
    """Write all results as Markdown: the table, and what it was measured on."""
    frames = [frame for name in TASKS if (frame := read(name, directory)) is not None]
    rows = [row for frame in frames for row in frame.to_dicts()]
    if not rows:
        return NOTHING
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|--:|---|--:|--:|--:|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join([*lines, "", *_about(rows)]) + _ladder(directory)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    interval = f"[{row['ratio_low']:.2g}, {row['ratio_high']:.2g}]"
    peaks = (_megabytes(row[name]) for name in ("peak_bytes", "peer_peak_bytes"))
    return (
        row["title"],
        f"{row['rows']:,} × {row['columns']:,}",
        _seconds(row["seconds"]),
        f"{row['peer']} {row['version']}",
        _seconds(row["peer_seconds"]),
        f"{row['ratio']:.2g} {interval}",
        " against ".join(peaks) + " MB",
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f}"


def _about(rows: list[dict[str, Any]]) -> list[str]:
    """Say what was measured where; differences between files are all named."""

    def of(name: str) -> str:
        return ", ".join(sorted({str(row[name]) for row in rows}))

    rounds = [row["rounds"] for row in rows]
    return [
        f"Medians of {min(rounds)} to {max(rounds)} rounds in which all take turns on the same",
        f"float32 data (seed {of('seed')}), {of('threads')} threads each; the interval is one of",
        "order statistics of the ratio within a round, and every answer was checked against ours.",
        f"{of('cpu')}, {of('instruction_set')}; tailwatch {of('tailwatch')}, {of('date')}.",
    ]


def _ladder(directory: Path) -> str:
    found = read("ladder", directory)
    if found is None:
        return "\n"

    def listed(column: str, form: str) -> str:
        return ", ".join(format(value, form) for value in found[column])

    flat = flatness(found["ns_per_pair_and_column"].to_list())
    return (
        f"\n\nExact neighbours of {listed('rows', ',')} rows of {found['columns'][0]}\n"
        f"columns among as many take {listed('ns_per_pair_and_column', '.2g')} ns per pair\n"
        f"and column: {flat}.\n"
    )


def main() -> None:
    """Rewrite the README's section."""
    readme = ROOT / "README.md"
    text, count = PLACE.subn(lambda at: at[1] + speed() + at[2], readme.read_text("utf-8"))
    assert count == 1, "the README has one pair of markers"
    readme.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
