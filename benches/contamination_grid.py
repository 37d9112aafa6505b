"""How good the estimates of `contamination` are, by simulation; writes docs/guide/contamination.md.

Scores are Gaussian: N(0, 1) for human rows, N(d, 1) for synthetic ones, with d set by the AUC. The
references are drawn row by row and cut into bins as `fit` does; the target's counts are multinomial
over these bins, so that its size costs nothing. With drift, each of 8 human strata and the human
part of the target have means of their own, N(0, 0.05²). The probe is not part of this.

A cell's random numbers depend on its name and the seed alone. Cells that the results file holds
with as many replications are not computed again, so a run may be stopped and resumed::

    python -m benches.contamination_grid --replications 200 --seconds 170
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.stats import norm

from tailwatch.contamination.estimators import cross_checks, human_thresholds, lower_bound
from tailwatch.contamination.histogram import bin_counts, human_edges, shared_edges
from tailwatch.contamination.likelihood import BinCounts
from tailwatch.contamination.templates import fit_share, widen

if TYPE_CHECKING:
    from numpy.typing import NDArray

AUCS, ROWS, TARGETS, SHARES = (
    (0.76, 0.92, 0.98),
    (1000, 10_000),
    (20_000, 1_000_000),
    (0, 0.02, 0.1, 0.2),
)
STRATA, DRIFT_SD = 8, 0.05
CASES = ("no drift", "drift", "human only")
RESULTS = Path("benches/results/contamination.jsonl")
DOCUMENT = Path("docs/guide/contamination.md")
REAL_TEXT = "## Real text"

Cell = tuple[str, float, int, int, float]


def cells() -> list[Cell]:
    """List the grid, case by case."""
    return [
        (case, auc, rows, target, share)
        for case in CASES
        for auc in AUCS
        for rows in ROWS
        for target in TARGETS
        for share in SHARES
    ]


def shares_of_bins(edges: NDArray[np.float32], mean: float) -> NDArray[np.float64]:
    """Give the probability of each bin under N(mean, 1)."""
    inner = norm.cdf(edges.astype(np.float64) - mean)
    return np.diff(np.concatenate([[0.0], inner, [1.0]]))


def replicate(cell: Cell, rng: np.random.Generator) -> dict[str, float]:
    """Draw references and a target, and estimate the share."""
    case, auc, rows, size, share = cell
    distance = math.sqrt(2) * float(norm.ppf(auc))
    means = (DRIFT_SD if case == "drift" else 0.0) * rng.normal(size=STRATA + 1)
    stratum = np.arange(rows) % STRATA
    human = (means[stratum] + rng.normal(size=rows)).astype(np.float32)

    def target_counts(edges: NDArray[np.float32]) -> NDArray[np.int64]:
        mixture = (1 - share) * shares_of_bins(edges, means[-1])
        return rng.multinomial(size, mixture + share * shares_of_bins(edges, distance))

    if case == "human only":
        # The probe's sample of the target, which only sets bins.
        sample = rng.normal(size=rows) + distance * (rng.random(rows) < share)
        thresholds = human_thresholds(human)
        edges = human_edges(human, sample.astype(np.float32), thresholds)
        preset = np.isin(edges, thresholds)
        bound = lower_bound(bin_counts(human, edges), target_counts(edges), preset, 0.95)
        return {"value": bound.value, "low": bound.low, "high": bound.high}
    synthetic = (distance + rng.normal(size=rows)).astype(np.float32)
    edges = shared_edges(human, synthetic)
    parts = np.stack([bin_counts(human[stratum == part], edges) for part in range(STRATA)])
    of_synthetic, target = bin_counts(synthetic, edges), target_counts(edges)
    found, plain, drift = fit_share(
        parts, of_synthetic, target, stratified=case == "drift", confidence=0.95
    )
    checks = cross_checks(BinCounts.of(parts.sum(axis=0), of_synthetic, target), 0.95)
    row = {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "agrees": float(checks.agree_with(found)),
        "acc": float(checks.acc_low <= share <= checks.acc_high),
    }
    if drift is not None:
        subtracted = widen(plain, drift.half_width * drift.sd / max(drift.spread, 1e-300))
        row |= {
            "plain": float(plain.low <= share <= plain.high),
            "subtracted": float(subtracted.low <= share <= subtracted.high),
        }
    return row


def measure(cell: Cell, replications: int, seed: int) -> dict[str, Any]:
    """Summarise the replications of a cell."""
    rng = np.random.default_rng([seed, *json.dumps(cell).encode()])
    frame = pl.DataFrame([replicate(cell, rng) for _ in range(replications)])
    share = cell[4]
    error = frame["value"] - share
    summary = {
        "coverage": ((frame["low"] <= share) & (share <= frame["high"])).mean(),
        "valid": (frame["low"] <= share).mean(),
        "bias": error.mean(),
        "mae": error.abs().mean(),
        "length": (frame["high"] - frame["low"]).mean(),
        "low": frame["low"].mean(),
    }
    for name in ("agrees", "acc", "plain", "subtracted"):
        if name in frame.columns:
            summary[name] = frame[name].mean()
    names = ("case", "auc", "rows", "target", "share")
    return dict(zip(names, cell, strict=True)) | {
        "replications": replications,
        "seed": seed,
        **summary,
    }


def kept() -> dict[Cell, dict[str, Any]]:
    """Read what is measured; a later line of a cell replaces an earlier one."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    found = map(json.loads, lines)
    return {
        (row["case"], row["auc"], row["rows"], row["target"], row["share"]): row for row in found
    }


def seconds_after_the_pass() -> tuple[float, float]:
    """Time share and interval of 10M rows from their histogram, without and with the null floor."""
    import tailwatch as tw

    rng = np.random.default_rng(0)
    human, synthetic = rng.normal(size=(4000, 8)), 0.6 + rng.normal(size=(4000, 8))
    model = tw.contamination.fit(human, synthetic, strata=np.arange(4000) % STRATA)
    bins, ranks = model.histogram(np.concatenate([human, synthetic[:400]])).finish()
    times = []
    for _ in range(9):
        counted = model.empty_histogram((bins * 2273, ranks * 2273))
        fresh = tw.contamination.ContaminationModel(model.state)
        taken = []
        # The null floor belongs to the model, which makes it once.
        for _ in range(2):
            started = time.perf_counter()
            fresh.prevalence(counted)
            taken.append(time.perf_counter() - started)
        times.append(taken)
    with_floor, alone = np.median(times, axis=0)
    return float(alone), float(with_floor)


INTRODUCTION = """\
# How good the estimates of contamination are

Made by `python -m benches.contamination_grid --replications {replications} --seed {seed}`:
{replications} fresh pairs of references and a target per cell. Scores are Gaussian, N(0, 1) for
human and N(d, 1) for synthetic rows with d set by the AUC; n rows of each reference, N of the
target. The Monte-Carlo error of a share near 0.95 is {error:.3f} (one standard deviation); `*`
marks a share whose distance from what is demanded is more than that of chance (99 %, Wilson). The
seed was not used while the rules were made. The probe, and what an encoder does to data, are not
part of this table: for them see [real text](#real-text). Rate and times are of two cores; how the
file is read is said in `benches/score_rate.py`.

| demanded | found |
|---|---|
| coverage of the 95 % interval, no drift, π > 0: 0.93 to 0.99 in every cell | {plain} |
| the same with human drift of 0.05 sd, 8 strata: at least 0.95 | {drift} |
| mean absolute error at AUC 0.92, n = 10k, N = 1M, no drift: at most 0.003 | {mae} |
| human only: the lower bound is valid in at least 0.95 | {human} |
| scoring rate, float16, 512 columns, 2 threads, warm: at least 60 % of reading | {rate} |
| 10M rows, share and interval from histograms: less than 0.1 s | {seconds} |
"""

SECTIONS = {
    "no drift": """\
## No drift

`holds`: share of the 95 % intervals that hold π. `agrees`: share of replications without the
warning that the references do not explain the target, which they do here. `ACC`: share of the delta
intervals of Rogan and Gladen that hold π. At π = 0 an interval can miss on one side only.
""",
    "drift": """\
## Human drift of 0.05 standard deviations, 8 strata

`profile`: the profile interval as if there were no drift. `τ only`: widened by the variance of the
strata less their mean sampling variance. `holds`: widened by all of the strata's variance, which is
what `prevalence` does. The second falls short because the difference is 0 by chance where drift is
no larger than the sampling error of a stratum (n/8 rows).
""",
    "human only": """\
## Human reference only

`valid`: share of lower bounds that do not exceed π. `bound`: mean lower bound. `value`: mean
best-bin estimate, for which nothing is promised. With π = 0 a bound above 0 is an error.
""",
}


def wilson(share: float, count: int) -> tuple[float, float]:
    """Give the 99 % interval of a share."""
    z = 2.5758
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    root = math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    margin = z * root / (1 + z**2 / count)
    return centre - margin, centre + margin


def mark(share: float, count: int, least: float, most: float = 1.0) -> str:
    """Show a share, marked where chance does not explain that it is outside."""
    low, high = wilson(share, count)
    return f"{share:.3f}{'*' if high < least or low > most else ''}"


def verdict(shares: list[float], count: int, least: float, most: float = 1.0) -> str:
    """Say where shares lie and how many are outside."""
    outside = [share for share in shares if not least <= share <= most]
    beyond = sum("*" in mark(share, count, least, most) for share in outside)
    return (
        f"{min(shares):.3f} to {max(shares):.3f}; {len(outside)} of {len(shares)} outside, "
        f"{beyond} beyond chance"
    )


def write_document(rows: list[dict[str, Any]], seconds: tuple[float, float], rate: str) -> None:
    """Write the tables."""
    count, seed = rows[0]["replications"], rows[0]["seed"]

    def column(case: str, name: str) -> list[float]:
        return [row[name] for row in rows if row["case"] == case and row["share"] > 0]

    best = [
        row["mae"]
        for row in rows
        if (row["case"], row["auc"], row["rows"], row["target"])
        == ("no drift", 0.92, 10_000, 1_000_000)
    ]
    valid = [row["valid"] for row in rows if row["case"] == "human only"]
    text = [
        INTRODUCTION.format(
            replications=count,
            seed=seed,
            error=0.218 / count**0.5,
            plain=verdict(column("no drift", "coverage"), count, 0.93, 0.99),
            drift=verdict(column("drift", "coverage"), count, 0.95),
            mae=f"{min(best):.4f} to {max(best):.4f}, by π",
            human=verdict(valid, count, 0.95),
            seconds="{:.3f} s; {:.3f} s with the null floor of 8 strata (medians of 9)".format(
                *seconds
            ),
            rate=rate,
        )
    ]
    for case, section in SECTIONS.items():
        text += [section, *table(case, [row for row in rows if row["case"] == case]), ""]
    # What follows is of another program.
    _, heading, others = DOCUMENT.read_text().partition(REAL_TEXT)
    DOCUMENT.write_text("\n".join(text) + ("\n" + heading + others if heading else ""))


def table(case: str, rows: list[dict[str, Any]]) -> list[str]:
    """Give the lines of a case."""
    heads = {
        "no drift": ["holds", "bias", "mean abs. error", "length", "agrees", "ACC"],
        "drift": ["profile", "τ only", "holds", "mean abs. error", "length", "agrees"],
        "human only": ["valid", "bound", "value"],
    }
    head = ["AUC", "n", "N", "π", *heads[case]]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        count, band = row["replications"], (0.93, 0.99 if row["share"] else 1.0)
        cells_of = {
            "no drift": lambda row=row, count=count, band=band: [
                mark(row["coverage"], count, *band),
                f"{row['bias']:.4f}",
                f"{row['mae']:.4f}",
                f"{row['length']:.4f}",
                f"{row['agrees']:.3f}",
                f"{row['acc']:.3f}",
            ],
            "drift": lambda row=row, count=count: [
                f"{row['plain']:.3f}",
                f"{row['subtracted']:.3f}",
                mark(row["coverage"], count, 0.95),
                f"{row['mae']:.4f}",
                f"{row['length']:.4f}",
                f"{row['agrees']:.3f}",
            ],
            "human only": lambda row=row, count=count: [
                mark(row["valid"], count, 0.95),
                f"{row['low']:.4f}",
                f"{row['bias'] + row['share']:.4f}",
            ],
        }[case]()
        setting = [f"{row['auc']:g}", f"{row['rows']:,}", f"{row['target']:,}", f"{row['share']:g}"]
        lines.append(f"| {' | '.join([*setting, *cells_of])} |")
    return lines


def main() -> None:
    """Measure what is missing, for some time, and write the document when all is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--seed", type=int, default=800_000)
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after this long")
    options = parser.parse_args()
    started = time.perf_counter()
    have = kept()
    wanted = (options.replications, options.seed)
    for cell in cells():
        row = have.get(cell, {})
        if (row.get("replications"), row.get("seed")) == wanted:
            continue
        if time.perf_counter() - started > options.seconds:
            print("not finished: run again")
            return
        have[cell] = measure(cell, *wanted)
        with RESULTS.open("a") as file:
            file.write(json.dumps(have[cell]) + "\n")
    RESULTS.write_text("".join(json.dumps(have[cell]) + "\n" for cell in cells()))
    from benches.score_rate import rates, said

    rate = said(rates(10**9))
    write_document([have[cell] for cell in cells()], seconds_after_the_pass(), rate)


if __name__ == "__main__":
    main()
