"""How often a comparison finds what is not there, and how often what is.

Pairs of samples of n rows each are drawn from one law, and compared, as a whole or by class:
whatever is found is false. Then candidates to which something has happened, at three strengths, are
compared with human rows; candidates that have lost as much of the tail as the sentence of fresh
rows says would have been found; and pull requests that a gate lets pass or not.

What was found of each pair is kept as it is done, so that the same command goes on where it was
stopped; ``--seconds`` stops it itself, and ``--only`` takes cases that begin so. Prints the tables
and what a pair costs, and writes the tables to docs/calibration/findings.md with ``--write``::

    nice python -m benches.findings --seconds 3000 --write
    nice python -m benches.findings --only law class --sizes 300 1000 5000 20000

A pair takes one core 0.2 to 0.6 s at n = 300, 0.3 to 3 s at 1,000, 4 to 36 s at 5,000 and 50 s and
more at 20,000, where 768 columns take longest; 20 classes of 300 rows take 3 s.

The file is long because laws, changes and the document that is made of them stand in one place.
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
from benches.tied_tails import LAWS as TIED
from benches.tied_tails import draw as draw_tied
from benches.tied_tails import read
from tailwatch.comparison.findings import findings_of
from tailwatch.comparison.questions import NAMES, READ, detectable_odds, nearest_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[Any]
    Draw = Callable[[np.random.Generator, int], Rows]

RESULTS = Path("benches/results/findings.jsonl")
DOCUMENT = Path("docs/calibration/findings.md")
SIZES = (300, 1_000, 5_000)
PAIRS, CHANGED_PAIRS = 400, 100
ENOUGH, UNKNOWN = 40, "–"
"""Cells of fewer pairs say nothing, and this is said of them."""

INTRODUCTION = """\
# What a comparison finds, and how often it is there

Made by `python -m benches.findings --write`, which has the laws, seeds and pairs: `tw.compare` of n
and n rows, and the findings that it has at its default confidence of 0.95. Behind a share that is
not of {pairs} pairs ({changed} where something happened) stands how many it is of; a dash is for
what has not been run; rows of which nothing has been run are left out.

## Nothing happened

Share of pairs of one law in which anything is found: 5 % at most is what is said. A rate of 5 % is
within 2.5 and 8 % of 400 pairs in 99 of 100 cells. *Most often* names what is found most often.

{null}
By class (`per=`), of n rows of each class on both sides, normal in 8 columns: share of pairs in
which anything is found of any class.

{classes}
## Something happened

Share of pairs in which the finding that names it is there. Human rows are normal in 16 columns, and
in 20 clusters where modes are lost. The strength is a distance of the means in standard deviations
of a column (`elsewhere`, and of one column `moved`), a share of the rows (`copies`, `repeated`,
`junk`), a number of modes, what is kept of the outermost 5 % (`tails_lost`), or a factor of all
deviations.

{power}
## What would have been found

Where nothing is found, the sentence says which loss of the tail would have been found in four of
five samples. Share of pairs in which it is, where the odds of a candidate row in the tail are just
those: human rows are 50 tight clusters and, at 20 %, rows spread evenly between them, which are the
tail.

{detectable}
## Pull requests

What `gate(limits={{"junk": 0.02, "copies": 0.01}}, keep=0.8)` says of candidates of n rows that are
fresh, hold 5 % of junk (rows five times as far out) or of copies, or have kept 0.6 of the outermost
5 %.

{gates}"""


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


def repeated(rng: np.random.Generator, rows: Rows, share: float) -> Rows:
    """Replace a share of the rows by others of them."""
    count = round(share * len(rows))
    rows[:count] = rows[rng.integers(count, len(rows), size=count)]
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
        ("repeated", share): lambda rng, _, n, share=share: repeated(
            rng, rng.normal(size=(n, 16)), share
        )
        for share in (0.01, 0.05, 0.2)
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


CLASSES = (3, 20, 200)
REQUESTS: dict[str, Callable[[np.random.Generator, Rows, Rows], Rows]] = {
    "fresh": lambda _rng, _human, rows: rows,
    "5 % junk": lambda rng, _human, rows: junk(rng, rows, 0.05),
    "5 % copies": lambda rng, human, rows: copied(rng, rows, human, 0.05),
    "tails kept 0.6": lambda rng, _human, rows: thinned(rng, rows, 0.6),
}
GATE: dict[str, Any] = {"limits": {"junk": 0.02, "copies": 0.01}, "keep": 0.8}
STATES = ("passed", "failed", "inconclusive")

SPARSE = 0.2
"""Share of human rows between the clusters: so many that the tail is made of them alone."""


def sparse(rng: np.random.Generator, n: int, share: float) -> Rows:
    """Draw rows of tight clusters and, at a share, between them."""
    centres = np.random.default_rng(50).uniform(-1, 1, size=(50, 2))
    rows = centres[rng.integers(50, size=n)] + 1e-4 * rng.normal(size=(n, 2))
    between = rng.random(n) < share
    rows[between] = rng.uniform(-1, 1, size=(int(between.sum()), 2))
    return rows


def share_of_odds(odds: float) -> float:
    """Return the share between clusters whose rows have these odds in a pooled tail of 5 %."""

    def found(share: float) -> float:
        # A row between the clusters is in the tail with the same probability, of either sample.
        of_each = 0.1 / (SPARSE + share)
        human, own = of_each * SPARSE, of_each * share
        return own / (1 - own) * (1 - human) / human

    low, high = 0.0, SPARSE
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) < odds else (low, middle)
    return low


@cache
def stated_odds(n: int, threads: int) -> float:
    """Return the odds that the sentence says would have been found, of n fresh rows."""
    rng = np.random.default_rng([50, n])
    rows = sparse(rng, n, SPARSE), sparse(rng, n, SPARSE)
    frame = tw.compare(*rows, metrics=READ, threads=threads).frame
    asked = sum(one.p_value is not None for one in findings_of(frame))
    odds = detectable_odds(nearest_rows(frame.to_dicts()), 0.05 / asked)
    return math.nan if odds is None else odds


def names_found(found: tw.Comparison | tw.ClassComparison) -> list[str]:
    """Return the names of what is found."""
    return sorted({one.name for one in found.findings if one.found})


def look_at(case: str, n: int, pair: int, threads: int) -> dict[str, Any]:
    """Compare one pair."""
    kind, _, name = case.partition(": ")
    rng = np.random.default_rng([CASES.index(case), n, pair])
    start = time.perf_counter()
    line: dict[str, Any] = {"case": case, "n": n, "pair": pair}
    labels = None
    if kind == "law":
        human, candidate = (
            draw_tied(name, rng, n) if name in TIED else (LAWS[name](rng, n), LAWS[name](rng, n))
        )
    elif kind == "class":
        labels = np.repeat(np.arange(int(name)), n)
        human, candidate = rng.normal(size=(2, len(labels), 8))
    elif kind == "gate":
        human, candidate = rng.normal(size=(2, n, 16))
        candidate = REQUESTS[name](rng, human, candidate)
    elif kind == "detectable":
        line["odds"] = stated_odds(n, threads)
        human, candidate = (
            sparse(rng, n, share) for share in (SPARSE, share_of_odds(line["odds"]))
        )
    else:
        change = next(change for change in CHANGES if str(change) == name)
        human = clusters(rng, n) if change[0] == "modes_lost" else rng.normal(size=(n, 16))
        candidate = CHANGES[change](rng, human, n)
    per = None if labels is None else (labels, labels)
    found = tw.compare(human, candidate, per=per, metrics=READ, threads=threads)
    line["found"] = [found.gate(**GATE).state] if kind == "gate" else names_found(found)
    return line | {"seconds": round(time.perf_counter() - start, 3)}


CASES = [
    *(f"law: {law}" for law in LAWS),
    *(f"class: {count}" for count in CLASSES),
    "detectable: tails_lost",
    *(f"gate: {request}" for request in REQUESTS),
    *(f"change: {change}" for change in CHANGES),
]
"""What is looked at, in the order of the tables; a case has its seeds by its place."""


def tables(lines: Iterable[dict[str, Any]], sizes: Sequence[int]) -> dict[str, str]:
    """Lay out what was found, by the names that the document has for tables."""
    cells: dict[tuple[str, int], list[list[str]]] = defaultdict(list)
    odds: dict[int, float] = {}
    for line in lines:
        cells[line["case"], line["n"]].append(line["found"])
        odds |= {line["n"]: line["odds"]} if "odds" in line else {}
    heads = [f"n = {n:,}" for n in sizes]

    def shares(case: str, name: str | None, pairs: int) -> list[str]:
        return [_share(cells[case, n], name, pairs) for n in sizes]

    null = [["law", *heads, "most often"]]
    for law in LAWS:
        names = [name for n in sizes for found in cells[f"law: {law}", n] for name in found]
        often = max(NAMES, key=names.count) if names else ""
        null.append([law, *shares(f"law: {law}", None, PAIRS), often])
    classes = [["classes", *heads]]
    classes += [[str(count), *shares(f"class: {count}", None, PAIRS)] for count in CLASSES]
    power = [["finding", "strength", *heads]]
    power += [
        [name, f"{strength:g}", *shares(f"change: {(name, strength)}", name, CHANGED_PAIRS)]
        for name, strength in CHANGES
    ]
    stated = [f"{1 - odds[n]:.0%}" if n in odds else UNKNOWN for n in sizes]
    detectable = [
        ["", *heads],
        ["stated loss", *stated],
        ["found", *shares("detectable: tails_lost", "tails_lost", PAIRS)],
    ]
    gates = [["candidate", "gate", *heads]]
    gates += [
        [request, state, *shares(f"gate: {request}", state, CHANGED_PAIRS)]
        for request in REQUESTS
        for state in STATES
    ]
    made = {"null": null, "classes": classes, "power": power}
    made |= {"detectable": detectable, "gates": gates}
    return {name: _laid_out(rows) for name, rows in made.items()}


def _laid_out(rows: Sequence[Sequence[str]]) -> str:
    run = [row for row in rows[1:] if any("%" in cell for cell in row[1:])]
    if not run:
        return "Not run yet.\n"
    ruled = [rows[0], ["---"] * len(rows[0]), *run]
    return "\n".join(f"| {' | '.join(row)} |" for row in ruled) + "\n"


def costs(lines: Iterable[dict[str, Any]]) -> str:
    """Say how many seconds a pair of each cell takes."""
    cells: dict[tuple[str, int], list[float]] = defaultdict(list)
    for line in lines:
        cells[line["case"], line["n"]].append(line["seconds"])
    said = (f"{case}, n = {n:,}: {np.mean(cells[case, n]):.2f} s" for case, n in sorted(cells))
    return "\n".join(said)


def _share(cell: Sequence[Sequence[str]], name: str | None, pairs: int) -> str:
    if len(cell) < ENOUGH:
        return UNKNOWN
    count = sum(bool(found) if name is None else name in found for found in cell)
    of = f" of {len(cell)}" if len(cell) != pairs else ""
    return f"{count / len(cell):.1%}{of}"


def main() -> None:
    """Go on with the pairs that are missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--changed-pairs", type=int, default=CHANGED_PAIRS)
    parser.add_argument("--only", nargs="+", default=[""], help="what cases begin with")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    until = time.monotonic() + asked.seconds
    done = {(line["case"], line["n"], line["pair"]) for line in read(asked.results)}
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    few = ("gate", "change")
    cases = [
        (case, asked.changed_pairs if case.startswith(few) else asked.pairs)
        for case in CASES
        if case.startswith(tuple(asked.only))
    ]
    with asked.results.open("a") as kept:
        # Pair by pair over all cases, so that what is stopped early has all of them.
        for n in asked.sizes:
            for pair in range(asked.pairs):
                for case, pairs in cases:
                    if pair >= pairs or (case, n, pair) in done or time.monotonic() > until:
                        continue
                    kept.write(json.dumps(look_at(case, n, pair, asked.threads)) + "\n")
                    kept.flush()
    made = tables(read(asked.results), asked.sizes)
    print(*made.values(), costs(read(asked.results)), sep="\n")
    if asked.write:
        DOCUMENT.write_text(INTRODUCTION.format(pairs=PAIRS, changed=CHANGED_PAIRS, **made))


if __name__ == "__main__":
    main()
