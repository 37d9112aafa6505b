"""Write docs/reference/metrics.md: what each metric of a comparison is, from the registry alone.

Run after an entry of the registry has changed::

    python -m benches.metrics_table
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benches.recording import ROOT
from tailwatch.comparison.registry import METRICS
from tailwatch.comparison.request import PANELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailwatch.comparison.metric import Metric

DOCUMENT = ROOT / "docs" / "reference" / "metrics.md"

INTRODUCTION = """\
# The metrics of `compare`

Made from `python/tailwatch/comparison/registry.py` by `python -m benches.metrics_table`.

X is the reference, Y the candidate; `compare` splits the reference into halves A and B and cuts the
candidate to C, h rows each. `value` is the metric of A and C, `null` that of A and B, `retention`
is value ÷ null, or for distances (better is down) their difference in standard errors of the null.
k is the neighbour asked for, α a tail level, d the number of columns.

| `metrics=` | what it holds |
|---|---|
| `"standard"` | {standard} metrics; the rows of its frame are a promise |
| `"fast"` | what of these is not quadratic in the rows: {fast} |
| `"all"` | all of this document, {all} metrics |
| names | any of them |
"""

DIRECTIONS = {
    "higher": "up",
    "lower": "down",
    "match": "equal to the null: below it is loss, above it widening",
}

Columns = dict[str, "Callable[[Metric], str]"]

MEANING: Columns = {
    "metric": lambda metric: f"`{metric.name}`",
    "what is measured": lambda metric: metric.definition,
    "source": lambda metric: metric.source,
    "better is": lambda metric: DIRECTIONS[metric.direction],
    "rows": lambda metric: "one per tail level" if metric.by_level else "one",
    "panels": lambda metric: ", ".join(panels_of(metric)),
}

INFERENCE: Columns = {
    "metric": lambda metric: f"`{metric.name}`",
    "null": lambda metric: metric.null,
    "interval": lambda metric: str(metric.interval),
}

COST: Columns = {
    "metric": lambda metric: f"`{metric.name}`",
    "cost": lambda metric: metric.cost,
    "bounded by `max_rows`": lambda metric: "yes" if metric.quadratic else "no",
    "work": lambda metric: metric.work,
    "memory besides the embeddings": lambda metric: metric.memory,
}

SECTIONS = {
    "What is measured": MEANING,
    "Null and interval": INFERENCE,
    "Time and memory": COST,
}


def panels_of(metric: Metric) -> list[str]:
    """Return the names of the panels that hold a metric."""
    return [name for name, metrics in PANELS.items() if metric.name in metrics]


def document() -> str:
    """Write the whole document."""
    counts = {name: len(metrics) for name, metrics in PANELS.items()}
    fast = ", ".join(f"`{name}`" for name in PANELS["fast"])
    parts = [INTRODUCTION.format(**counts | {"fast": fast})]
    parts += [f"## {title}\n\n{_table(columns)}" for title, columns in SECTIONS.items()]
    return "\n".join(parts)


def _table(columns: Columns) -> str:
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for metric in METRICS.values():
        cells = (cell(metric).replace("|", "\\|") for cell in columns.values())
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(document(), "utf-8")


if __name__ == "__main__":
    main()
