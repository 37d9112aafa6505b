"""Are the four failures told apart? A confusion table over simulated runs.

Each row is what was simulated, each column what the diagnosis named
(:mod:`tailwatch.recursion.verdicts.diagnosis`). Writes docs/calibration/diagnosis.md. Frames
are kept in a directory, and the same command goes on where it was stopped::

    python -m benches.diagnosis_table --frames DIRECTORY --seconds 150
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from scipy.stats import binomtest

from benches import simulated_runs as scenarios
from benches.simulated_runs import frames_of
from tailwatch.recursion.verdicts.diagnosis import FAILURES, diagnose

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

DOCUMENT = Path("docs/calibration/diagnosis.md")
FIRST_SEED = 20_000
"""Seeds below were looked at while the rules were made."""

SIMULATED: dict[str, Callable[[int], pl.DataFrame]] = {
    "catastrophic forgetting": scenarios.forgetting,
    "overfitting": scenarios.copies,
    "mode collapse": scenarios.few_modes,
    "model collapse": scenarios.collapse,
    "none": scenarios.healthy,
}

INTRODUCTION = """\
# What a run looks like

`diagnose` at 95 % on {runs} simulated runs of each kind, seeds {first} to {last}, none of which was
looked at while the rules were made (`python -m benches.diagnosis_table`; the kinds are in
`benches/simulated_runs.py`). Rows: what was simulated. Columns: what was named.

"""

KINDS = """
| simulated | how |
|---|---|
"""

READING = """
The examples are clear ones: two of ten clusters, copies that are blurred by a hundredth of a
standard deviation, a Gaussian that has lost a third of its directions, a task whose risk doubles.
A weaker failure, or one that is seen in fewer rows, ends in `none`, and the sentence of the
diagnosis says that it is not ruled out.

Several failures may hold in one run; the one that comes first names it, in the order of the
columns. A learner that hands out copies of its training set (a bootstrap) and learns from itself
overfits at once and loses its tails later: it is named overfitting, and the frame of the diagnosis
says that model collapse holds too. Overfitting is only looked for if `authenticity` is among the
metrics of the run, forgetting if the run was given data of earlier tasks.
"""


def main() -> None:
    """Simulate what is missing, and write the document when nothing is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=40, help="of each kind")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + options.runs)
    named = {function.__name__: function for function in SIMULATED.values()}
    frames = frames_of(options.frames, named, dict.fromkeys(named, seeds), options.seconds)
    if frames is None:
        return
    found = {
        kind: Counter(str(diagnose(frame).mode) for frame in frames[function.__name__])
        for kind, function in SIMULATED.items()
    }
    text = INTRODUCTION.format(runs=options.runs, first=seeds[0], last=seeds[-1])
    DOCUMENT.write_text(text + table(found) + KINDS + kinds() + READING, "utf-8")
    print(f"wrote {DOCUMENT}")


def table(found: dict[str, Counter[str]]) -> str:
    """Lay out the counts, and the share that was named rightly with its interval."""
    names = [*FAILURES, "none"]
    lines = [f"| simulated | {' | '.join(names)} | right |", "|---" * (len(names) + 2) + "|"]
    for kind, counts in found.items():
        runs = counts.total()
        low, high = binomtest(counts[kind], runs).proportion_ci(0.95, method="exact")
        right = f"{counts[kind] / runs:.2f} [{low:.2f}, {high:.2f}]"
        cells = [kind, *(str(counts[name]) for name in names), right]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def kinds() -> str:
    """Say how each kind is simulated, by the docstring of its scenario."""
    rows = []
    for kind, function in SIMULATED.items():
        words = " ".join((function.__doc__ or "").split(": ", 1)[1].split())
        rows.append(f"| {kind} | {words.rstrip('.')} |\n")
    return "".join(rows)


if __name__ == "__main__":
    main()
