"""How often a comparison finds what is not there, and how often what is.

Pairs of samples of n rows each are drawn from one law, and compared: whatever is found is false.
Then candidates to which something has happened, at three strengths, are compared with fresh rows.
What was found of each pair is kept as it is done, so that the same command goes on where it was
stopped; ``--seconds`` stops it itself. Prints both tables, and writes them to
docs/calibration/findings.md with ``--write``::

    nice python -m benches.findings --seconds 3000 --write
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import tailwatch as tw
from benches.tied_tails import LAWS as TIED
from benches.tied_tails import draw as draw_tied
from benches.tied_tails import read
from tailwatch.comparison.findings import findings_of
from tailwatch.comparison.questions import NAMES, READ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[Any]
    Draw = Callable[[np.random.Generator, int], Rows]

RESULTS = Path("benches/results/findings.jsonl")
DOCUMENT = Path("docs/calibration/findings.md")
SIZES = (300, 1_000, 5_000)
PAIRS = 400
ENOUGH = 40
"""Cells of fewer pairs say nothing and are left out."""

INTRODUCTION = """\
# What a comparison finds, and how often it is there

Made by `python -m benches.findings --write`, which has the laws, seeds and pairs: `tw.compare` of n
and n rows, and the findings that it has at its default confidence of 0.95. Behind a share that is
not of {pairs} pairs stands how many it is of; a dash is for what has not been run.

## Nothing happened

Share of pairs of one law in which anything is found: 5 % at most is what is said. A rate of 5 % is
within 2.5 and 8 % of 400 pairs in 99 of 100 cells. *Most often* names what is found most often.

{null}
## Something happened

Share of pairs in which the finding that names it is there. Human rows are normal in 16 columns.

{power}"""


def clusters(rng: np.random.Generator, n: int) -> Rows:
    """Draw rows of twenty clusters of unequal sizes."""
    fixed = np.random.default_rng(20)
    centres, shares = 4 * fixed.normal(size=(20, 16)), fixed.dirichlet(np.ones(20))
    return centres[rng.choice(20, size=n, p=shares)] + rng.normal(size=(n, 16))


def anisotropic(rng: np.random.Generator, n: int) -> Rows:
    """Draw rows of variances from 1 to 1e-4, far from 0."""
    return 100 + rng.normal(size=(n, 32)) * np.logspace(0, -2, 32)


def with_outliers(rng: np.random.Generator, n: int) -> Rows:
    """Draw normal rows, of which 5 % are ten times as far out."""
    rows = rng.normal(size=(n, 16))
    return np.where(rng.random((n, 1)) < 0.05, 10 * rows, rows)


def duplicated(rng: np.random.Generator, n: int) -> Rows:
    """Draw normal rows, 10 % of which are copies of others of the sample."""
    rows = rng.normal(size=(n, 16))
    rows[: n // 10] = rows[n // 10 + rng.integers(n - n // 10, size=n // 10)]
    return rng.permutation(rows)


LAWS: dict[str, Draw] = {
    "normal, 8 columns": lambda rng, n: rng.normal(size=(n, 8)),
    "normal, 64 columns": lambda rng, n: rng.normal(size=(n, 64)),
    "normal, 768 columns": lambda rng, n: rng.normal(size=(n, 768)).astype(np.float32),
    "t with 3 degrees of freedom, 16 columns": lambda rng, n: rng.standard_t(3, size=(n, 16)),
    "20 clusters": clusters,
    "anisotropic, with an offset": anisotropic,
    "5 % outliers": with_outliers,
    "10 % duplicates": duplicated,
    **{
        name: TIED[name]
        for name in (
            "one-hot, 50 categories",
            "binary, 64 columns",
            "Poisson(3)",
            "integers 1–5, 4 columns",
            "ages in years",
            "a pool of 40 rows",
            "digits, ink or paper",
        )
    },
}


def junk(rng: np.random.Generator, rows: Rows, share: float) -> Rows:
    """Replace a share of the rows by rows five times as far out."""
    return np.where(rng.random((len(rows), 1)) < share, 5 * rows, rows)


def copied(rng: np.random.Generator, rows: Rows, human: Rows, share: float) -> Rows:
    """Replace a share of the rows by human rows."""
    chosen = rng.random(len(rows)) < share
    rows[chosen] = human[rng.integers(len(human), size=int(chosen.sum()))]
    return rows


def thinned(rng: np.random.Generator, rows: Rows, keep: float) -> Rows:
    """Redraw rows of the outermost 5 % with probability 1 − `keep` from the others."""
    length = np.linalg.norm(rows, axis=1)
    outer = length > np.quantile(length, 0.95)
    gone = outer & (rng.random(len(rows)) > keep)
    rows[gone] = rows[rng.choice(np.flatnonzero(~outer), size=int(gone.sum()))] + 1e-6
    return rows


def shifted(rows: Rows, by: float) -> Rows:
    """Move the first column."""
    rows[:, 0] += by
    return rows


def without_modes(rng: np.random.Generator, n: int, gone: int) -> Rows:
    """Draw rows of the twenty clusters but for the smallest."""
    fixed = np.random.default_rng(20)
    centres, shares = 4 * fixed.normal(size=(20, 16)), fixed.dirichlet(np.ones(20))
    shares[np.argsort(shares)[:gone]] = 0
    chosen = rng.choice(20, size=n, p=shares / shares.sum())
    return centres[chosen] + rng.normal(size=(n, 16))


Change = tuple[str, float]
CHANGES: dict[Change, Callable[[np.random.Generator, Rows, int], Rows]] = {
    **{
        ("elsewhere", by): lambda rng, _, n, by=by: by + rng.normal(size=(n, 16))
        for by in (1.0, 2.0, 4.0)
    },
    **{
        ("copies", share): lambda rng, human, n, share=share: copied(
            rng, rng.normal(size=(n, 16)), human, share
        )
        for share in (0.01, 0.05, 0.5)
    },
    **{
        ("junk", share): lambda rng, _, n, share=share: junk(rng, rng.normal(size=(n, 16)), share)
        for share in (0.05, 0.1, 0.3)
    },
    **{
        ("modes_lost", float(gone)): lambda rng, _, n, gone=gone: without_modes(rng, n, gone)
        for gone in (1, 3, 6)
    },
    **{
        ("tails_lost", keep): lambda rng, _, n, keep=keep: thinned(
            rng, rng.normal(size=(n, 16)), keep
        )
        for keep in (0.8, 0.6, 0.2)
    },
    **{
        ("tails_widened", by): lambda rng, _, n, by=by: by * rng.normal(size=(n, 16))
        for by in (1.02, 1.05, 1.1)
    },
    **{
        ("moved", by): lambda rng, _, n, by=by: shifted(rng.normal(size=(n, 16)), by)
        for by in (0.1, 0.3, 1.0)
    },
    **{
        ("spread_lost", by): lambda rng, _, n, by=by: by * rng.normal(size=(n, 16))
        for by in (0.98, 0.95, 0.9)
    },
    **{
        ("spread_gained", by): lambda rng, _, n, by=by: by * rng.normal(size=(n, 16))
        for by in (1.02, 1.05, 1.1)
    },
}
"""Finding and strength: what happens to a candidate."""


def found_in(human: Rows, candidate: Rows, threads: int) -> list[str]:
    """Return the names of what is found."""
    frame = tw.compare(human, candidate, metrics=READ, threads=threads).frame
    return [one.name for one in findings_of(frame) if one.found]


def look_at(case: str, n: int, pair: int, threads: int) -> dict[str, Any]:
    """Compare one pair: of a law, or of a change."""
    kind, _, name = case.partition(": ")
    place = [*LAWS, *map(str, CHANGES)].index(name)
    rng = np.random.default_rng([place, n, pair])
    if kind == "law":
        human, candidate = (
            draw_tied(name, rng, n) if name in TIED else (LAWS[name](rng, n), LAWS[name](rng, n))
        )
    else:
        change = next(change for change in CHANGES if str(change) == name)
        draw = clusters if change[0] == "modes_lost" else lambda rng, n: rng.normal(size=(n, 16))
        human = draw(rng, n)
        candidate = CHANGES[change](rng, human, n)
    return {"case": case, "n": n, "pair": pair, "found": found_in(human, candidate, threads)}


def tables(lines: Iterable[dict[str, Any]], sizes: Sequence[int]) -> tuple[str, str]:
    """Lay out what was found of equal laws, and of changes."""
    cells: dict[tuple[str, int], list[list[str]]] = defaultdict(list)
    for line in lines:
        cells[line["case"], line["n"]].append(line["found"])
    heads = [f"n = {n:,}" for n in sizes]
    null = [["law", *heads, "most often"], ["---"] * (len(heads) + 2)]
    for law in LAWS:
        of_law = [cells[f"law: {law}", n] for n in sizes]
        names = [name for cell in of_law for found in cell for name in found]
        often = max(NAMES, key=names.count) if names else ""
        null.append([law, *(_share(cell, None) for cell in of_law), often])
    power = [["finding", "strength", *heads], ["---"] * (len(heads) + 2)]
    for name, strength in CHANGES:
        of_change = [cells[f"change: {(name, strength)}", n] for n in sizes]
        power.append([name, f"{strength:g}", *(_share(cell, name) for cell in of_change)])
    return tuple(
        "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n" for rows in (null, power)
    )


def _share(cell: Sequence[Sequence[str]], name: str | None) -> str:
    if len(cell) < ENOUGH:
        return "–"
    count = sum(bool(found) if name is None else name in found for found in cell)
    of = f" of {len(cell)}" if len(cell) != PAIRS else ""
    return f"{count / len(cell):.1%}{of}"


def main() -> None:
    """Go on with the pairs that are missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--changed-pairs", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    until = time.monotonic() + asked.seconds
    done = {(line["case"], line["n"], line["pair"]) for line in read(asked.results)}
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    cases = [(f"law: {law}", asked.pairs) for law in LAWS]
    cases += [(f"change: {change}", asked.changed_pairs) for change in CHANGES]
    with asked.results.open("a") as kept:
        # Pair by pair over all cases, so that what is stopped early has all of them.
        for n in asked.sizes:
            for pair in range(asked.pairs):
                for case, pairs in cases:
                    if pair >= pairs or (case, n, pair) in done or time.monotonic() > until:
                        continue
                    kept.write(json.dumps(look_at(case, n, pair, asked.threads)) + "\n")
                    kept.flush()
    null, power = tables(read(asked.results), asked.sizes)
    print(null, power, sep="\n")
    if asked.write:
        DOCUMENT.write_text(INTRODUCTION.format(pairs=PAIRS, null=null, power=power))


if __name__ == "__main__":
    main()
