"""How often intervals of a share hold it that know a detector's errors, and one that does not.

``python -m benches.share_from_scores`` draws the error rates of a detector that says yes or no from
n human and n synthetic rows, and its answers for N rows of a target; and the scores of a detector
in the same way. It writes ``docs/calibration/share-from-scores.md``. The interval that is compared
is the usual one: Wilson's of the share of yes, put through (q − FPR)/(TPR − FPR) (Rogan & Gladen
1978) as if both rates were known. A replication has a generator of its own, by its seed and cell.

``--scores FILE.csv`` asks the same of a detector of one's own, whose scores of rows of known origin
are in the columns ``score`` and ``label`` (1 for synthetic, 0 for human): references, half of the
rarer kind each, and a target of known share are drawn from them, no row twice. It prints the table.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import norm

from tailwatch.contamination.fit import LEAST_ROWS
from tailwatch.contamination.histogram import bin_counts, shared_edges
from tailwatch.contamination.likelihood import BinCounts, profile_interval
from tailwatch.distributions import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DOCUMENT = Path("docs/calibration/share-from-scores.md")
CONFIDENCE = 0.95
ANSWERS = [
    (fpr, tpr, rows, size, share)
    for (fpr, tpr), rows, size, share in product(
        ((0.01, 0.7), (0.05, 0.9)), (200, 1000, 10_000), (1000, 100_000), (0.05, 0.2)
    )
]
SCORES = list(product((0.8, 0.92), (200, 1000, 10_000), (100_000,), (0.05, 0.2)))
SHARES = (0.05, 0.2, 0.5)
"""Of targets that are drawn from a file of scores."""

INTRODUCTION = """\
# The share by scores of a detector: coverage

Made by `python -m benches.share_from_scores --replications {replications} --seed {seed}`:
{replications} fresh detectors and targets in each cell, 95 % confidence. The Monte-Carlo error of a
share near 0.95 is {error:.3f} (one standard deviation).

n: human rows, and as many synthetic ones, by which the errors of the detector are known; N: rows of
the target, of which the share π is synthetic. `holds` and `length` are of the interval of
`tailwatch.contamination.share_from_scores`. `usual`: Wilson's interval of the share of yes, put
through (q − FPR)/(TPR − FPR) as if both rates were known, within 0 and 1: how the share is
published as a rule. It is shorter, and the more rows a target has, the less often it holds.

Lengths are means. Of {cells} cells {inside} hold within 0.93 to 0.99, {beyond} of the others are
beyond chance (99 %, Wilson); of the usual intervals {usual} hold within.
The interval holds least often where hardly any false positive is to be expected, 2 of 200 rows in
the first lines: the limit of the likelihood needs a few counts of each kind.

## A detector that says yes or no

"""

BETWEEN = """
## A detector with scores

N(0, 1) for human and N(d, 1) for synthetic rows, d by the AUC. The usual interval takes the
threshold of the largest TPR − FPR among the reference rows.

"""

PUBLISHED = """
## The reference method of the field, on its published sentences

Not made by the command above, since the sentences are not ours to keep. Liang et al. (2024,
*Mapping the Increasing Use of LLMs in Scientific Papers*) publish sentences of human and of
synthetic abstracts in five subjects. Word likelihoods as theirs were learnt from half of them; the
score of a sentence is the logarithm of its ratio of likelihoods (AUC 0.954 to 0.959). From the
other half, 10,799 to 18,875 human sentences and more synthetic ones, 1,000 of each kind are
references and 8,000 others a target, 400 times for each subject and share, seed 1. `published`: the
share that maximises the method's own likelihood, with an interval over sentences of the target.
Means over subjects, and the least and the largest.

| π | holds | usual holds | published holds |
|---|---|---|---|
| 0.05 | 0.950 (0.940 to 0.958) | 0.519 (0.512 to 0.530) | 0.000 (0.000 to 0.000) |
| 0.2 | 0.950 (0.943 to 0.960) | 0.710 (0.682 to 0.733) | 0.279 (0.013 to 0.848) |
| 0.5 | 0.944 (0.927 to 0.960) | 0.770 (0.743 to 0.810) | 0.273 (0.000 to 0.752) |

Mean lengths are 0.022, 0.032 and 0.040; the usual ones 0.019, 0.024 and 0.028; the published ones
0.014, 0.020 and 0.024.

On the 55 mixtures of known share, 0 to 0.25, that are published with them, 30,000 sentences each,
the published intervals hold in 3, with a mean error of 0.0196; those by scores, all of the other
half being references, hold in 42, with 0.0033. They miss by up to 0.0103, most at large shares,
as they would if synthetic sentences of the mixtures scored higher than those among the references:
no interval allows for drift of a synthetic reference.

`python -m benches.share_from_scores --scores FILE.csv` asks the same of scores of your own.
"""


@dataclass(frozen=True)
class Found:
    """Bounds of both intervals."""

    low: float
    high: float
    usual_low: float
    usual_high: float


def found(counts: BinCounts, positives: tuple[int, int], rows: int, yes: int, size: int) -> Found:
    """Return both intervals: from counts in bins, and from answers."""
    interval = profile_interval(counts, CONFIDENCE)
    fpr, tpr = positives[0] / rows, positives[1] / rows
    ends = wilson_interval(yes, size, CONFIDENCE)
    usual = [min(max((end - fpr) / (tpr - fpr), 0.0), 1.0) for end in ends]
    return Found(interval.low, interval.high, *usual)


def by_answers(cell: tuple[float, float, int, int, float], rng: np.random.Generator) -> Found:
    """Draw error rates and answers."""
    fpr, tpr, rows, size, share = cell
    wrong, right = int(rng.binomial(rows, fpr)), int(rng.binomial(rows, tpr))
    yes = int(rng.binomial(size, (1 - share) * fpr + share * tpr))
    counts = (np.array([n - k, k]) for n, k in ((rows, wrong), (rows, right), (size, yes)))
    return found(BinCounts.of(*counts), (wrong, right), rows, yes, size)


def by_scores(cell: tuple[float, int, int, float], rng: np.random.Generator) -> Found:
    """Draw scores."""
    auc, rows, size, share = cell
    distance = math.sqrt(2) * float(norm.ppf(auc))
    human = rng.normal(size=rows).astype(np.float32)
    synthetic = (distance + rng.normal(size=rows)).astype(np.float32)
    moved = distance * (rng.random(size) < share)
    target = (moved + rng.normal(size=size)).astype(np.float32)
    return of_scores(human, synthetic, target)


def of_scores(
    human: NDArray[np.float32], synthetic: NDArray[np.float32], target: NDArray[np.float32]
) -> Found:
    """Return both intervals by scores of references, of which there are as many of each."""
    rows, size = len(human), len(target)
    edges = shared_edges(human, synthetic)
    counts = [bin_counts(scores, edges) for scores in (human, synthetic, target)]
    known = np.sort(np.concatenate([human, synthetic]))
    above = [
        rows - np.searchsorted(np.sort(scores), known, side="left") for scores in (human, synthetic)
    ]
    best = int((above[1] - above[0]).argmax())
    positives = (int(above[0][best]), int(above[1][best]))
    yes = int((target >= known[best]).sum())
    return found(BinCounts.of(*counts), positives, rows, yes, size)


def read_scores(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return scores of human and of synthetic rows, as their places among all scores."""
    table = pl.read_csv(path)
    missing = {"score", "label"} - set(table.columns)
    if missing:
        msg = f"{path}: expected the columns score and label, got {', '.join(table.columns)}"
        raise SystemExit(msg)
    label, score = table["label"].cast(pl.Float64), table["score"].cast(pl.Float64)
    whole = not label.null_count() and not score.null_count()
    if not (whole and label.is_in([0.0, 1.0]).all() and score.is_finite().all()):
        msg = f"{path}: expected finite scores and labels 0 and 1 in every row"
        raise SystemExit(msg)
    # Only the order of scores counts, and float32 holds places where it would tie scores.
    places = np.unique(score.to_numpy(), return_inverse=True)[1].astype(np.float32)
    is_synthetic = label.to_numpy() == 1
    return places[~is_synthetic], places[is_synthetic]


def sizes_of(human: int, synthetic: int, share: float) -> tuple[int, int]:
    """Return rows of each reference, and of the target that the others give with that share."""
    rows = min(human, synthetic) // 2
    size = min((human - rows) / (1 - share), (synthetic - rows) / share)
    # The number of synthetic rows is drawn too: five of its standard deviations are left.
    spare = 5 * math.sqrt(size * share * (1 - share)) / min(share, 1 - share)
    return rows, int(size - spare)


def by_table(
    human: NDArray[np.float32],
    synthetic: NDArray[np.float32],
    sizes: tuple[int, int],
    share: float,
    rng: np.random.Generator,
) -> Found:
    """Draw references and a target from scores of known origin, no row into both."""
    rows, size = sizes
    least, most = size - (len(human) - rows), len(synthetic) - rows
    drawn = int(np.clip(rng.binomial(size, share), least, most))
    human = rng.permutation(human)[: rows + size - drawn]
    synthetic = rng.permutation(synthetic)[: rows + drawn]
    target = np.concatenate([human[rows:], synthetic[rows:]])
    return of_scores(human[:rows], synthetic[:rows], target)


def table_of_file(path: Path, replications: int, seed: int) -> list[str]:
    """Return the lines of a table: coverage for targets that are drawn from a file of scores."""
    human, synthetic = read_scores(path)
    lines = ["| n | N | π | holds | length | usual holds | usual length |", "|---" * 7 + "|"]
    for number, share in enumerate(SHARES):
        sizes = sizes_of(len(human), len(synthetic), share)
        if min(sizes) < LEAST_ROWS:
            msg = f"{path}: too few rows: {len(human)} human and {len(synthetic)} synthetic ones"
            raise SystemExit(msg)
        intervals = [
            by_table(human, synthetic, sizes, share, np.random.default_rng([seed, number, each]))
            for each in range(replications)
        ]
        holds, length, usual, usual_length = measured(intervals, share)
        cells = [f"{sizes[0]:,}", f"{sizes[1]:,}", f"{share:g}", f"{holds:.3f}", f"{length:.4f}"]
        lines.append(f"| {' | '.join([*cells, f'{usual:.3f}', f'{usual_length:.4f}'])} |")
    return lines


def measured(intervals: Sequence[Found], share: float) -> tuple[float, float, float, float]:
    """Return coverage and mean length of the interval, and of the usual one."""
    bounds = np.array(
        [[each.low, each.high, each.usual_low, each.usual_high] for each in intervals]
    )
    low, high, usual_low, usual_high = bounds.T
    return (
        float(((low <= share) & (share <= high)).mean()),
        float((high - low).mean()),
        float(((usual_low <= share) & (share <= usual_high)).mean()),
        float((usual_high - usual_low).mean()),
    )


def main() -> None:
    """Draw all cells and write the document, or print the table of a file of scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scores", type=Path, metavar="FILE.csv", help="columns score and label")
    options = parser.parse_args()
    if options.scores is not None:
        print("\n".join(table_of_file(options.scores, options.replications, options.seed)))
        return
    tables: list[list[str]] = []
    shares: list[tuple[float, float]] = []
    for cells, draw, heads in (
        (ANSWERS, by_answers, ("FPR", "TPR", "n", "N", "π")),
        (SCORES, by_scores, ("AUC", "n", "N", "π")),
    ):
        columns = (*heads, "holds", "length", "usual holds", "usual length")
        lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        for number, cell in enumerate(cells):
            random = [
                np.random.default_rng([options.seed, len(tables), number, each])
                for each in range(options.replications)
            ]
            holds, length, usual, usual_length = measured(
                [draw(cell, rng) for rng in random], cell[-1]
            )  # type: ignore[operator]
            shares.append((holds, usual))
            setting = [f"{each:,}" if isinstance(each, int) else f"{each:g}" for each in cell]
            values = [f"{holds:.3f}", f"{length:.4f}", f"{usual:.3f}", f"{usual_length:.4f}"]
            lines.append(f"| {' | '.join([*setting, *values])} |")
            print(lines[-1], flush=True)
        tables.append(lines)
    inside, usual_inside = (sum(0.93 <= pair[at] <= 0.99 for pair in shares) for at in (0, 1))
    intervals = [
        wilson_interval(holds * options.replications, options.replications, 0.99)
        for holds, _ in shares
    ]
    head = INTRODUCTION.format(
        cells=len(shares),
        beyond=sum(high < 0.93 or low > 0.99 for low, high in intervals),
        replications=options.replications,
        seed=options.seed,
        error=math.sqrt(0.95 * 0.05 / options.replications),
        inside=inside,
        usual=usual_inside,
    )
    text = f"{head}{chr(10).join(tables[0])}\n{BETWEEN}{chr(10).join(tables[1])}\n{PUBLISHED}"
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
