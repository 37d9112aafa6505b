"""How often verdicts are wrong where nothing happened, and how often they are right.

Null: learners that hand out fresh human rows in each generation; any "holds" is an error, and so is
an onset of collapse or a failure in the diagnosis. Power: loops that do collapse. Writes
docs/calibration/verdicts.md. Frames are kept in a directory as they are done, and the same command
goes on where it was stopped; ``--seconds`` stops it itself::

    python -m benches.verdict_calibration --frames DIRECTORY --seconds 150
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from scipy.stats import binomtest

from benches import simulated_runs as scenarios
from benches.simulated_runs import frames_of
from tailwatch.recursion.verdicts import DEFINITIONS, early_collapse, judge, late_collapse
from tailwatch.recursion.verdicts.diagnosis import diagnose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

DOCUMENT = Path("docs/calibration/verdicts.md")
FIRST_SEED = 10_000
"""Seeds below were looked at while the rules were made."""

NULL: dict[str, Callable[[int], pl.DataFrame]] = {
    "fresh_gaussian": scenarios.fresh_gaussian,
    "fresh_few_rows": scenarios.fresh_few_rows,
    "fresh_clusters": scenarios.fresh_clusters,
    "fresh_types": scenarios.fresh_types,
}
POWER: dict[str, Callable[[int], pl.DataFrame]] = {
    "replace_gaussian": scenarios.replace_gaussian,
    "replace_unbiased": scenarios.replace_unbiased,
    "replace_flat": scenarios.replace_flat,
    "replace_types": scenarios.replace_types,
    "merged": scenarios.merged,
    "kernel_density_replace": scenarios.kernel_density_replace,
    "kernel_density_accumulate": scenarios.kernel_density_accumulate,
}

SHORT = {
    "catastrophic increase of population risk": "risk × 2",
    "any increase of population risk": "any risk",
    "asymptotically diverging population risk": "diverges",
    "change in scaling law": "scaling",
    "collapsing variance": "variance",
    "entanglement of real modes": "modes",
    "disappearance of real tails": "tails",
    "appearance of hallucinated data": "hallucinated",
}

INTRODUCTION = """\
# How far verdicts can be trusted

`judge` at 95 %: if nothing happened, at most 5 % of runs may show any "holds". Made by
`python -m benches.verdict_calibration`, which has the scenarios (`benches/simulated_runs.py`);
seeds from {first}. The interval of odds and the threshold of tails were chosen after a look at runs
with these seeds, everything else before;
`pytest -m slow tests/reference/test_recursion_calibration.py` asks the same of seeds from 50000, on
which nothing was chosen. Intervals are Clopper–Pearson's at 95 %.

## The null: fresh human rows in every generation

Runs with any definition that holds; with an onset of early or late collapse; with a failure in the
diagnosis.

"""


def share(count: int, runs: int) -> str:
    """Write a count with its Clopper–Pearson interval."""
    low, high = binomtest(count, runs).proportion_ci(0.95, method="exact")
    return f"{count}/{runs} [{low:.3f}, {high:.3f}]"


def what(function: Callable[[int], pl.DataFrame]) -> str:
    """Say what a scenario is, by its docstring."""
    return (function.__doc__ or "").split(": ", 1)[1].rstrip(".")


def of_null(name: str, frames: Sequence[pl.DataFrame]) -> str:
    """Make a row of the table of errors."""
    wrong, onsets, failures = 0, 0, 0
    for frame in frames:
        wrong += bool((judge(frame)["status"] == "holds").any())
        onsets += any(find(frame) is not None for find in (early_collapse, late_collapse))
        failures += diagnose(frame).mode != "none"
    runs = len(frames)
    cells = [what(NULL[name]), *(share(count, runs) for count in (wrong, onsets, failures))]
    return f"| {' | '.join(cells)} |"


def of_power(name: str, frames: Sequence[pl.DataFrame]) -> str:
    """Make a row of the table of what is found."""
    counts: Counter[str] = Counter()
    for frame in frames:
        counts.update(judge(frame).filter(status="holds")["definition"].to_list())
    runs = len(frames)
    cells = [what(POWER[name])]
    cells += [share(counts[definition], runs) for definition in SHORT if definition in SHOWN]
    return f"| {' | '.join(cells)} |"


SHOWN = [definition for definition in DEFINITIONS if definition != "change in scaling law"]
"""One size of run says nothing of a scaling law."""


def document(
    null: dict[str, list[pl.DataFrame]], power: dict[str, list[pl.DataFrame]], last: int
) -> str:
    """Write the tables."""
    lines = [
        "| scenario | any definition holds | any onset | any failure diagnosed |",
        "|---|---|---|---|",
        *(of_null(name, frames) for name, frames in null.items()),
    ]
    heads = [SHORT[definition] for definition in SHOWN]
    found = [
        f"| scenario | {' | '.join(heads)} |",
        "|---" * (len(heads) + 1) + "|",
        *(of_power(name, frames) for name, frames in power.items()),
    ]
    text = INTRODUCTION.format(first=FIRST_SEED, last=last) + "\n".join(lines)
    text += (
        "\n\n## Loops that collapse\n\nRuns in which a definition holds. The last two gain "
        "variance.\n\n"
    )
    return text + "\n".join(found) + "\n" + READING


READING = """
No column says that a run is safe: `does not hold` has an interval of its own, and most runs of a
hundred rows are `undetermined` about their tails. Where the first table shows no errors at all that
is by design: errors are shared by eight definitions, both sides and all metrics, whatever depends
on what, and intervals of few rows are on the long side.

- *Variance* is the total one, or that of the directions it is spread over (effective rank): a
  covariance of 100 rows that learns from itself loses directions long before it loses its trace.
  In two columns single runs differ more: the variance of ln σ² is 2/M per generation and column.
- *Tails* of 100 rows are the 20 rarest of 200: the odds of their mean count over the last third of
  the generations decide.
- *Kernel densities* raise the variance; precision and risk show what it hides. Precision falls
  where samples leave the human rows, and also where a bootstrap keeps few rows, some of them rare.
- *Diverges* asks for growth that gets faster from one doubling of generations to the next. Runs of
  12 generations, or random walks, rarely show it.
- *Risk × 2* and *any risk* use the model's own risk, or the energy score where it has none. The
  log-loss of counts is infinite once a type is gone, often in generation 1 already: undetermined.
"""


def main() -> None:
    """Simulate what is missing, and write the document when nothing is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=200, help="of each null scenario")
    parser.add_argument("--power-runs", type=int, default=100, help="of the first loop")
    parser.add_argument("--other-runs", type=int, default=10, help="of each other loop")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    seeds = dict.fromkeys(NULL, range(FIRST_SEED, FIRST_SEED + options.runs))
    seeds |= dict.fromkeys(POWER, range(FIRST_SEED, FIRST_SEED + options.other_runs))
    seeds["replace_gaussian"] = range(FIRST_SEED, FIRST_SEED + options.power_runs)
    frames = frames_of(options.frames, NULL | POWER, seeds, options.seconds)
    if frames is None:
        return
    null = {name: frames[name] for name in NULL}
    power = {name: frames[name] for name in POWER}
    DOCUMENT.write_text(document(null, power, max(seeds["fresh_gaussian"])), "utf-8")
    print(f"wrote {DOCUMENT}")


if __name__ == "__main__":
    main()
