"""The exam of metrics of fidelity and diversity: fifteen checks, ten times each, and findings too.

Each check of :mod:`benches.exam.checks` has curves of candidates, each of which is compared with
human rows of the paper's size. What is asked of a metric is asked of the mean of its ten values at
each point: *raw*, on all rows, and as *retention*, of the halves of :func:`tailwatch.compare`
(value over null). What is asked of findings is asked of each comparison, and counted. A curve is
kept as soon as it is done, so that the same command goes on where it was stopped; ``--seconds``
stops it itself. Prints the tables, and writes them to docs/calibration/metric-exam.md with
``--write``::

    nice python -m benches.metric_exam --seconds 3000 --write
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.distance import pdist

import tailwatch as tw
from benches.exam.checks import CHECKS, drawn
from benches.exam.page import page
from benches.exam.readings import COPYING, KINDS
from benches.recording import code_revision
from benches.tied_tails import read
from tailwatch.comparison.questions import nearest_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benches.exam.checks import Check
    from benches.exam.laws import Rows

RESULTS = Path("benches/results/metric_exam.jsonl")
DOCUMENT = Path("docs/calibration/metric-exam.md")
ROWS, FEWER_ROWS = 1_000, 200
REPEATS = 10

ALONE = ("vendi_score", "rke", "knn_entropy", "authenticity")
"""Metrics that the standard panel does not have."""


@dataclass(slots=True)
class Human:
    """Human rows, prepared once, and what metrics outside of the panel read of their halves."""

    rows: Rows
    threads: int
    reference: tw.Reference = field(init=False)
    bandwidth: float = field(init=False)
    _nulls: dict[int, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reference = tw.Reference(self.rows)
        # The same scale for all candidates, as the panel's Gaussian kernel has.
        self.bandwidth = float(np.median(pdist(self.rows[:500]))) or 1.0

    def alone(self, training: Rows, rows: Rows) -> dict[str, float]:
        """Return the metrics that are of one sample, and authenticity."""
        threads = self.threads
        return {
            "vendi_score": tw.metrics.vendi_score(rows, threads=threads),
            "rke": tw.metrics.rke(rows, bandwidth=self.bandwidth, threads=threads),
            # A scale: that of a normal sample which is twice as wide is twice as large.
            "knn_entropy": math.exp(tw.metrics.knn_entropy(rows, threads=threads) / rows.shape[1]),
            "authenticity": tw.metrics.authenticity(training, rows, threads=threads),
        }

    def measured(self, candidate: Rows) -> tuple[dict[str, list[float | None]], list[str]]:
        """Return raw value, value and null of each metric, and the names of what is found."""
        compared = tw.compare(self.reference, candidate, threads=self.threads)
        rows = nearest_rows(compared.frame.to_dicts())
        values: dict[str, list[float | None]] = {
            name: _shortened(rows[name, None][column] for column in ("value_all", "value", "null"))
            for name in (*KINDS, *COPYING)
            if name not in ALONE
        }
        half = min(len(self.rows) // 2, len(candidate))
        first, second = self.rows[:half], self.rows[half : 2 * half]
        if half not in self._nulls:
            self._nulls[half] = self.alone(first, second)
        of_all, of_half = self.alone(self.rows, candidate), self.alone(first, candidate[:half])
        for name in ALONE:
            values[name] = _shortened((of_all[name], of_half[name], self._nulls[half][name]))
        return values, [one.name for one in compared.findings if one.found]


def _shortened(numbers: Iterable[float | None]) -> list[float | None]:
    return [None if x is None or not math.isfinite(x) else float(f"{x:.6g}") for x in numbers]


def examined(check: Check, curve: int, repeat: int, n: int, threads: int) -> dict[str, Any]:
    """Compare all candidates of a curve with its human rows."""
    values, found = defaultdict[str, list[Any]](list), list[list[str]]()
    human: Human | None = None
    for rows, candidate in drawn(check, curve, repeat, n):
        if human is None or human.rows is not rows:
            human = Human(rows, threads)
        of_point, found_here = human.measured(candidate)
        found.append(found_here)
        for name, triple in of_point.items():
            values[name].append(triple)
    label = check.curves[curve].label
    return {
        "check": check.name,
        "curve": label,
        "repeat": repeat,
        "n": n,
        "revision": code_revision(),
        "values": values,
        "found": found,
    }


def kept(
    lines: Iterable[dict[str, Any]], n: int, repeats: int
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return what was kept of comparisons of n rows in the first repeats, by check and curve."""
    found = defaultdict[tuple[str, str], list[dict[str, Any]]](list)
    for line in lines:
        if line["n"] == n and line["repeat"] < repeats:
            found[line["check"], line["curve"]].append(line)
    return dict(found)


def main(arguments: Sequence[str] | None = None) -> None:
    """Go on with the curves that are missing, then print the tables of the checks that are done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--small", action="store_true", help=f"{FEWER_ROWS} rows, first curves")
    parser.add_argument("--checks", nargs="+", choices=[check.name for check in CHECKS])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(arguments)
    n = FEWER_ROWS if asked.small else ROWS
    checks = [check for check in CHECKS if asked.checks is None or check.name in asked.checks]
    if asked.small:
        checks = [replace(check, curves=check.curves[:1]) for check in checks]
    until = time.monotonic() + asked.seconds
    keys = ("check", "curve", "repeat", "n")
    done = {tuple(line[key] for key in keys) for line in read(asked.results)}
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    with asked.results.open("a") as results:
        # Repeat by repeat over all curves, so that what is stopped early has all of them.
        for repeat in range(asked.repeats):
            for check in checks:
                for place, curve in enumerate(check.curves):
                    key = (check.name, curve.label, repeat, n)
                    if key in done or time.monotonic() > until:
                        continue
                    line = examined(check, place, repeat, n, asked.threads)
                    results.write(json.dumps(line) + "\n")
                    results.flush()
    lines = kept(read(asked.results), n, asked.repeats)
    complete = [
        check
        for check in checks
        if all((check.name, curve.label) in lines for curve in check.curves)
    ]
    if not complete:
        print("no check is done")
        return
    text = page(complete, lines, n)
    print(text)
    if asked.write:
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
