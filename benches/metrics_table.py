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

    from tailwatch.comparison.metrics.family import Metric

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
| `"fast"` | what of these is linear in the rows: {fast} |
| `"all"` | all of this document, {all} metrics |
| names | any of them |
"""

WITHOUT_ROWS = """\
## A reference without its rows

`tw.Reference(human, metrics=…).save("human.tailwatch", rows=False)` keeps, in place of n rows of d
columns, what the metrics marked *yes* above need of them. `tw.compare` gives the same numbers from
it, to the bit, for candidates of at least n // 2 rows. A and its 30 halves are 31 parts.

| metric | what is kept | bytes |
|---|---|---|
| total variance, effective rank, participation ratio | nulls, total variances of 31 parts | 1,016 |
| Vendi score | nulls | 248 |
| Fréchet distance | the same, means and covariances of 31 parts and all rows | 128·d² + 384·d |
| extrapolated | the same of 31 parts of A and 31 of all rows | 248·d² + 744·d |
| directional tails | directions of A and all rows, thresholds of 31 parts | 4,096·d + 262,392 |

Files of `metrics="fast"`, float32:

| rows | columns | with rows | without |
|---|---|---|---|
| 20,000 | 64 | 5,120,303 bytes | 1,074,720 |
| 100,000 | 256 | 102,400,305 | 9,799,202 |

The size does not grow with n. Where it is no smaller than that of the rows, `save` refuses: moments
that are as many numbers as the rows could be solved for them. Directional tails take 4,032 rows or
more, so that five rows lie beyond each threshold in each half-sample: of fewer, one row that is the
farthest out along d directions could be told from d thresholds. The others need the rows:

- neighbours and kernels: each pair of rows of A and C enters;
- clusters: a cluster of one row has that row as its centre, and small ones are what
  `mode_coverage` is about;
- sliced Wasserstein distance: all projections enter, 256 numbers a row, and d ≤ 256 of them tell
  its d values.

What is kept are statistics of people's data, not anonymous data: whoever has all rows but one can
find that one.
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
    "file without rows": lambda metric: "no" if metric.needs_rows else "yes",
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
    return "\n".join([*parts, WITHOUT_ROWS])


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
