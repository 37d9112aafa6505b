"""How often `tail_test` is wrong about equal laws, on data with ties and without.

For each law and each number of rows n, pairs of samples of n rows each are drawn from the law and
tested at 5 %. Of the first few pairs of a cell, the arguments are swapped too, and a sample is
tested against itself. What is found of each pair is kept as it is done, so that the same command
goes on where it was stopped; ``--seconds`` stops it itself. Prints the table, and writes it to
docs/calibration/tied-tails.md with ``--write``::

    nice python -m benches.tied_tails --seconds 3000 --write
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import tailwatch as tw
from tailwatch import _core
from tailwatch.embeddings import as_embeddings
from tailwatch.metrics.embeddings.tail_test import TailCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Draw = Callable[[np.random.Generator, int], NDArray[Any]]

RESULTS = Path("benches/results/tied_tails.jsonl")
DOCUMENT = Path("docs/calibration/tied-tails.md")
SIZES = (300, 1_000, 5_000)
PAIRS = 400
ENOUGH = 100
"""Cells of fewer pairs say nothing and are left out of the table."""
LOOKED_AT_CLOSELY = 5
"""Pairs of a cell that are also swapped, and of which a sample is tested against itself."""

INTRODUCTION = """\
# Tails of data with ties

How often `tw.metrics.tail_test` rejects at 5 % where both samples are of one law: pairs of n rows
each, `level=0.05`, `k=5`. Made by `python -m benches.tied_tails --write`, which has the laws, seeds
and pairs; behind a share that is not of {pairs} pairs stands how many it is of, and a dash for what
has not been run. A test that rejects 5 % of all pairs rejects 2.5 to 8 % of 400 in 99 of 100
cells.

Rows tied at the edge of the tail count in proportion, and the test is exact given the ties: it can
err on the safe side only. It does where the candidate's rows in the tail, T, take few values.
Without ties T is a whole number with a standard deviation of 3.8 (n = 300) to 15 (n = 5,000), and a
two-sided test at 5 % rejects 3 to 5 % of samples. Where all rows are equally rare, which is so for
data of few different rows, nothing is rarer than anything else: odds are 1, nothing bounds them,
and nothing is rejected.

Where half of each sample's rows are copies of others *of that sample*, rows are not independent:
copies are in the tail together ("copies within each sample"). Equal rows outside the tail then keep
to one sample, which the test sees and allows for by a design effect. Where copies are of the law,
and not of the sample, as in a set that is split at random, it stays exact ("half of the rows
copied"). Of rows that are equal for both reasons ("copies and a grid") the design effect is an
average, for groups of two or three equal rows, of four to seven, and so on.

- *tied*: mean share of the rows that are as rare as the edge of the tail, where it has no place for
  all of them;
- *one side*: of the cells of a row, the largest share of pairs that reject on the same side;
- *inversion*: largest difference from 1 of the product of the odds and those of swapped arguments;
- *own odds*, *own p*: of a sample against itself.

"""


def one_hot(categories: int) -> Draw:
    """Categories of unequal shares, as rows of zeros and a one."""
    shares = 1 / np.arange(1, categories + 1)
    eye = np.eye(categories, dtype=np.float32)
    return lambda rng, n: eye[rng.choice(categories, size=n, p=shares / shares.sum())]


def binary(columns: int) -> Draw:
    """Fair bits."""
    return lambda rng, n: (rng.random((n, columns), dtype=np.float32) < 0.5).astype(np.float32)


def pool_of_rows(rng: np.random.Generator, n: int) -> NDArray[Any]:
    """Draw rows of a pool of 40, with replacement."""
    pool = np.random.default_rng(40).normal(size=(40, 16)).astype(np.float32)
    return pool[rng.integers(40, size=n)]


def half_duplicated(rng: np.random.Generator, n: int) -> NDArray[Any]:
    """Draw normal rows, half of which are copies of the others."""
    rows = rng.normal(size=(n, 16)).astype(np.float32)
    rows[n // 2 :] = rows[rng.integers(n // 2, size=n - n // 2)]
    return rows


def copies_and_grid(rng: np.random.Generator, n: int) -> NDArray[Any]:
    """Draw pairs of copies, and as many rows of a grid, whose cells samples share by chance."""
    grid = np.round(8 * rng.normal(size=(n - n // 2, 2))) / 8
    return np.concatenate([grid, rng.normal(size=(n // 4, 2)).repeat(2, axis=0)])


@cache
def digits() -> NDArray[np.float32]:
    """Handwritten digits, each pixel ink or paper."""
    from sklearn.datasets import load_digits

    return (load_digits().data > 7).astype(np.float32)


def some_digits(rng: np.random.Generator, n: int) -> NDArray[Any]:
    """Draw digits with replacement: beyond 1,797 rows, most of them several times."""
    return digits()[rng.integers(len(digits()), size=n)]


def signs(rng: np.random.Generator, n: int) -> NDArray[Any]:
    """Draw the signs of 256 projections of rows in ten clusters of 32 correlated columns."""
    fixed = np.random.default_rng(256)
    centres, mixing = fixed.normal(size=(10, 32)), fixed.normal(size=(32, 32)) / 6
    projections = fixed.normal(size=(32, 256))
    rows = centres[rng.integers(10, size=n)] + rng.normal(size=(n, 32)) @ mixing
    return np.where(rows @ projections > 0, 1, -1).astype(np.float32)


LAWS: dict[str, Draw] = {
    "continuous, 16 columns": lambda rng, n: rng.normal(size=(n, 16)).astype(np.float32),
    "one-hot, 5 categories": one_hot(5),
    "one-hot, 50 categories": one_hot(50),
    "one-hot, 500 categories": one_hot(500),
    "binary, 8 columns": binary(8),
    "binary, 64 columns": binary(64),
    "binary, 256 columns": binary(256),
    "binary, 2,048 columns": binary(2_048),
    "Poisson(3)": lambda rng, n: rng.poisson(3, size=(n, 1)).astype(np.float64),
    "integers 1–5, 4 columns": lambda rng, n: rng.integers(1, 6, size=(n, 4)).astype(np.float64),
    "ages in years": lambda rng, n: np.round(18 + 60 * rng.beta(2, 3, size=(n, 1))),
    "a pool of 40 rows": pool_of_rows,
    "copies within each sample": half_duplicated,
    "constant": lambda _, n: np.ones((n, 3)),
    "digits, ink or paper": some_digits,
    "signs of embeddings, 256": signs,
    "half of the rows copied": half_duplicated,
    "copies and a grid": copies_and_grid,
}
SPLIT = frozenset({"half of the rows copied"})
"""Laws of which one set of 2n rows is drawn, and then split at random."""


def draw(law: str, rng: np.random.Generator, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw a pair of samples."""
    if law not in SPLIT:
        return LAWS[law](rng, n), LAWS[law](rng, n)
    rows = rng.permutation(LAWS[law](rng, 2 * n))
    return rows[:n], rows[n:]


def seed_of(law: str, n: int, pair: int) -> list[int]:
    """Return the seed of a pair: no two cells share one."""
    return [list(LAWS).index(law), n, pair]


def look_at(law: str, n: int, pair: int, threads: int) -> dict[str, Any]:
    """Test one pair."""
    rng = np.random.default_rng(seed_of(law, n, pair))
    x, y = draw(law, rng, n)
    line: dict[str, Any] = {"law": law, "n": n, "pair": pair}
    rows = [as_embeddings(sample, "sample").handle() for sample in (x, y)]
    found = _core.pooled_tail(*rows, 0.05, 5, {"threads": threads, "progress": None})
    counts = TailCounts.of(found, n, n)
    # What tail_test gives, without the interval, which takes most of the time.
    line["p"], line["tied"] = counts.p_value(), counts.law.tied / (2 * n)
    line["side"] = counts.law.side(counts.units)
    if pair < LOOKED_AT_CLOSELY:
        found = tw.metrics.tail_test(x, y, threads=threads)
        if found.p_value != line["p"]:
            message = f"{law}: p-values {found.p_value} and {line['p']}"
            raise RuntimeError(message)
        back = tw.metrics.tail_test(y, x, threads=threads)
        itself = tw.metrics.tail_test(x, x, threads=threads)
        line["inversion"] = inversion(found.odds_ratio, back.odds_ratio)
        line |= {"own_odds": itself.odds_ratio, "own_p": itself.p_value}
    return line


def inversion(there: float, back: float) -> float:
    """Return by how much two odds ratios fail to be each other's inverse."""
    if there == 0 or math.isinf(there):
        return 0.0 if back == (math.inf if there == 0 else 0.0) else math.inf
    return abs(there * back - 1)


def read(path: Path) -> list[dict[str, Any]]:
    """Read what is done."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def table(lines: Iterable[dict[str, Any]], sizes: Sequence[int] = SIZES) -> str:
    """Lay out what was found."""
    cells = defaultdict(list)
    for line in lines:
        cells[line["law"], line["n"]].append(line)
    heads = [f"n = {n:,}" for n in sizes]
    head = ["law", "tied", *heads, "one side", "inversion", "own odds", "own p"]
    rows = [head, ["---"] * len(head)]
    for law in LAWS:
        of_law = [line for n in sizes for line in cells[law, n]]
        if not of_law:
            continue
        close = [line for line in of_law if "inversion" in line]
        own = sorted({line["own_odds"] for line in close})
        rows.append(
            [
                law,
                f"{np.mean([line['tied'] for line in of_law]):.0%}",
                *(rejected(cells[law, n]) for n in sizes),
                f"{max(one_sided(cells[law, n]) for n in sizes):.1%}",
                f"{max(line['inversion'] for line in close):.0e}",
                " to ".join(f"{value:g}" for value in own[:1] + own[1:][-1:]),
                f"{min(line['own_p'] for line in close):.3g}",
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def rejected(lines: Sequence[dict[str, Any]]) -> str:
    """Say how often a cell rejects."""
    if len(lines) < ENOUGH:
        return "–"
    share = np.mean([line["p"] <= 0.05 for line in lines])
    return f"{share:.1%}" + (f" of {len(lines)}" if len(lines) != PAIRS else "")


def one_sided(lines: Sequence[dict[str, Any]]) -> float:
    """Return how often a cell rejects on one side, the more frequent one."""
    sides = [line["side"] for line in lines if line["p"] <= 0.05]
    if len(lines) < ENOUGH:
        return 0.0
    return max(sides.count(1), sides.count(-1)) / max(len(lines), 1)


def main() -> None:
    """Go on with the pairs that are missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    until = time.monotonic() + asked.seconds
    done = {(line["law"], line["n"], line["pair"]) for line in read(asked.results)}
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    with asked.results.open("a") as kept:
        # Pair by pair over all laws, so that what is stopped early has all of them.
        for n in asked.sizes:
            for pair in range(asked.pairs):
                for law in LAWS:
                    if (law, n, pair) in done or time.monotonic() > until:
                        continue
                    kept.write(json.dumps(look_at(law, n, pair, asked.threads)) + "\n")
                    kept.flush()
    found = table(read(asked.results))
    print(found)
    if asked.write:
        DOCUMENT.write_text(INTRODUCTION.format(pairs=PAIRS) + found)


if __name__ == "__main__":
    main()
