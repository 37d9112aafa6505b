"""How often groups are wrongly called above, and how often their intervals hold the share.

``python -m benches.group_shares`` draws references and 24 months of 1,000 rows, estimates the share
of each as :meth:`ContaminationModel.prevalence` does with ``by=``, and writes
``docs/calibration/groups.md``. Scores are Gaussian: N(0, 1) for human and N(d, 1) for synthetic
rows, with d set by the AUC. A replication has a generator of its own, by its seed and cell.
"""

from __future__ import annotations

import argparse
import json
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import norm

from tailwatch.contamination.groups import GroupCounts, estimate_groups
from tailwatch.contamination.histogram import bin_counts, shared_edges
from tailwatch.contamination.prevalence import null_floor
from tailwatch.contamination.templates import Templates
from tailwatch.distributions import clopper_pearson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

DOCUMENT = Path("docs/calibration/groups.md")
GROUPS, ROWS, STRATA, DRIFT_SD = 24, 1000, 8, 0.05
CONFIDENCE, LIMIT = 0.95, 0.05


@dataclass(frozen=True)
class Cell:
    """What is drawn: shares of the first months, and of the others.

    Attributes
    ----------
    name
        What it is called in the table.
    auc
        Of the scores.
    rows
        Of each reference.
    drift
        Whether human scores drift between strata and months.
    first, share, others
        How many months have `share`; what the others have.
    """

    name: str
    auc: float
    rows: int
    drift: bool
    first: int
    share: float
    others: float


CELLS = [
    Cell(name, auc, rows, drift, first, share, others)
    for auc, rows, drift in (
        (0.92, 2000, False),
        (0.92, 10_000, False),
        (0.92, 10_000, True),
    )
    for name, first, share, others in (
        ("all human", 0, 0.0, 0.0),
        ("6 months at 10 %", 6, 0.1, 0.0),
        ("18 months at the limit of 5 %, 6 at 15 %", 6, 0.15, LIMIT),
    )
]


def replicate(cell: Cell, seed: int, number: int) -> dict[str, float]:
    """Draw references and months, and hold what is said of them against the shares."""
    rng = np.random.default_rng([seed, number, *json.dumps(asdict(cell)).encode()])
    distance = math.sqrt(2) * float(norm.ppf(cell.auc))
    spread = DRIFT_SD if cell.drift else 0.0
    stratum = np.arange(cell.rows) % STRATA
    human = rng.normal(size=cell.rows) + (spread * rng.normal(size=STRATA))[stratum]
    synthetic = (distance + rng.normal(size=cell.rows)).astype(np.float32)
    human = human.astype(np.float32)
    edges = shared_edges(human, synthetic)
    parts = np.stack([bin_counts(human[stratum == part], edges) for part in range(STRATA)])
    templates = Templates(
        edges, np.empty(0, np.float32), parts, bin_counts(synthetic, edges), cell.drift
    )
    shares = np.where(np.arange(GROUPS) < cell.first, cell.share, cell.others)
    counted = GroupCounts(edges, "month")
    for month, share in enumerate(shares):
        counted.absorb(
            pl.Series([f"{month}"]).new_from_index(0, ROWS), _scores(rng, share, distance, spread)
        )
    floor = null_floor(templates, CONFIDENCE)
    found = estimate_groups(templates, counted, floor.limit, CONFIDENCE)
    held = (found.frame["low"].to_numpy() <= shares) & (shares <= found.frame["high"].to_numpy())
    # Above the floor a month without synthetic rows is wrong, above the limit one that is at it.
    limited = cell.others > 0
    judged = found.above(LIMIT) if limited else found.frame
    above, true = judged["above"].to_numpy(), shares > (LIMIT if limited else 0)
    return {
        "holds": float(held.mean()),
        "false": float((above & ~true).sum() / max(above.sum(), 1)),
        "any": float((above & ~true).any()),
        "small": float((judged["p_value"].to_numpy()[~true] <= 1 - CONFIDENCE).mean()),
        "found": float(above[true].mean()) if true.any() else math.nan,
        "limit": LIMIT if limited else floor.limit,
    }


def _scores(
    rng: np.random.Generator, share: float, distance: float, spread: float
) -> NDArray[np.float32]:
    synthetic = rng.random(ROWS) < share
    middle = np.where(synthetic, distance, spread * rng.normal())
    return (middle + rng.normal(size=ROWS)).astype(np.float32)


INTRODUCTION = """\
# Shares of groups: false discoveries and coverage

Made by `python -m benches.group_shares --replications {replications} --seed {seed}`:
{replications} fresh pairs of references and {groups} months of {rows:,} rows in each cell, 95 %
confidence. Scores are Gaussian, with n rows of each reference; with drift, the mean of human scores
varies by {drift} standard deviations from one of {strata} strata, and from one month, to another,
and the intervals allow for it.

A month is called *above* where its q-value is at most 0.05: above the null floor, or in every third
line above a limit of 5 % that most months have just reached.

- `held against`: the limit, or the mean of the null floor. The floor is the upper end of what is
  found in parts of the human rows, an eighth each, so it is high where these are few: with 2,000
  rows most months at 10 % are not told from it.
- `false rate`: mean share of wrong ones among the months called above, 0 where none is. Demanded:
  at most 0.05.
- `any`: share of replications in which a month is wrongly called above, which is no smaller than
  the false rate, with its 98 % interval.
- `p ≤ 0.05`: share of such p-values among months that are not above. A p-value is valid if that is
  at most 0.05; at the limit itself 0.025 is expected, since the interval has two sides.
- `found`: share of the months above that are called so.
- `holds`: share of months whose interval holds their share. Demanded: 0.93 to 0.99 without drift,
  at least 0.95 with it. An interval can miss a share of 0 on one side only, so where there are many
  of these it holds in about 0.975.

"""


def line(cell: Cell, rows: list[dict[str, float]]) -> str:
    """Return the line of a cell."""
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    low, high = clopper_pearson_interval(round(mean["any"] * len(rows)), len(rows), 0.98)
    cells = [
        f"{cell.auc:g}",
        f"{cell.rows:,}",
        "yes" if cell.drift else "no",
        cell.name,
        f"{100 * mean['limit']:.2f} %",
        f"{mean['false']:.4f}",
        f"{mean['any']:.3f} [{low:.3f}, {high:.3f}]",
        f"{mean['small']:.4f}",
        "–" if math.isnan(mean["found"]) else f"{mean['found']:.3f}",
        f"{mean['holds']:.4f}",
    ]
    return f"| {' | '.join(cells)} |"


HEADS = ("AUC", "n", "drift", "months", "held against", "false rate", "any", "p ≤ 0.05", "found")


def main() -> None:
    """Draw all cells and write the document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    heads = [*HEADS, "holds"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    with ProcessPoolExecutor(options.workers) as pool:
        for cell in CELLS:
            draw = partial(replicate, cell, options.seed)
            lines.append(line(cell, list(pool.map(draw, range(options.replications)))))
            print(lines[-1], flush=True)
    text = INTRODUCTION.format(
        replications=options.replications,
        seed=options.seed,
        groups=GROUPS,
        rows=ROWS,
        drift=DRIFT_SD,
        strata=STRATA,
    )
    DOCUMENT.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
