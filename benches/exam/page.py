"""The page of the exam: tables of what metrics and findings showed, and why findings fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benches.exam.readings import COPYING, KINDS, answers_of, score_of
from benches.recording import machine
from tailwatch.comparison.questions import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benches.exam.checks import Check, Question
    from benches.exam.criteria import Score
    from benches.exam.readings import Lines

REASONS: dict[str, str] = {
    "deviation": "in one column a normal sample is taken for one with tails too heavy for an "
    "interval of total variance now and then (1 of 40 samples of 1,000 rows). Spread is then "
    "*cannot tell*, though it is a millionth of what it was.",
    "modes fade": "at 0.94 nine modes have 39 % of their weight left, about what a cluster may "
    "keep without counting as lost, and the rarest of the pooled rows need not be theirs. `moved` "
    "is found.",
    "modes drop": "of total variance and effective rank the one with the smaller p-value decides "
    "for both findings of spread. What is left, one mode, has 1 % of the total variance and eight "
    "times the effective rank, so that `spread_gained` is found and `spread_lost` is not.",
    "mode invention": "with as many new modes as old ones each human mode has half of its rows, "
    "which is where a cluster begins to count as lost: of 23 clusters one is at times, by chance.",
    "sphere": "rows well inside a sphere of many columns are nearer to most human rows than those "
    "are to each other, and lie in their balls. In 128 columns clipped density and coverage are 1; "
    "in 16 they are 0.0 on all 1,000 rows and 0.1 and 0.5 on halves, whose balls are larger. "
    "`tails_lost`, `spread_lost` and `moved` are found.",
    "cube, size": "in 64 columns four of five rows are outside of the human cube, by less than "
    "0.025 in one or two columns. Distances are as they were: `moved` is found, `junk` cannot be.",
    "cube, candidate size": "as for *cube, size*.",
    "one disjoint column": "in 300 columns where nothing happened, one that is moved by 6 adds "
    "3 % to a distance: clipped density is 0.19 [0.14, 0.26], around the limit of 0.25 under which "
    "`elsewhere` is found. `moved` and `junk` are found.",
    "rounding": "human rows that are rounded at a scale of 1,000 are as far from each other as "
    "from rows between whole numbers. Only a look at the digits could tell, which no metric here "
    "is; that a candidate repeats *less* than human rows is no finding.",
    "scaling, as it is": "a column 1,000 times as wide as the one that moved decides over all "
    "distances: columns in different units have to be scaled before a comparison.",
}
"""Why what is asked of findings is not answered as it should be, by check."""

TEXT = """\
# The exam of metrics of fidelity and diversity

Made by `python -m benches.metric_exam --write`: {repeats} repeats of n = {n} rows, {comparisons}
comparisons, with {versions}.
The fifteen checks are those of Räisä, van Breugel & van der Schaar, *Position: All Current
Generative Fidelity and Diversity Metrics are Flawed* (ICML 2025, arXiv 2505.22450). Laws, criteria,
seeds and what differs from the paper are in `benches/exam/checks.py` and `benches/exam/laws.py`.

{described}
Each point of a curve is one candidate. A criterion asks the mean of a metric's {repeats} values at
some points to be 1 (the same as human rows) or 0 (no fidelity, or none of the diversity) within
0.05, to be flat within 0.05, or to fall or rise by 0.2 at least. *Raw* is the value on all rows;
*retention* is that of the halves of `tw.compare`, value over null. Rows are scaled by the human
columns first, as in the paper, but for *sphere*; the last two rows of each table are without, and
do not count.

## Metrics

A check is passed where all criteria are met on all of its curves.

{summary}
### Criteria that are met, check by check

Raw · as retention; bold where the check is passed.

{fidelity}
{supports}
Of tails at the level nearest to 0.05:

{tails}
Of spread. These look at one sample alone, and cannot know where it lies:

{spreads}
Divergences, as 1 − their share of the largest of a curve, or of what is above their null. They have
to fall with fidelity and with diversity, and no bounds are asked of them:

{divergences}
No candidate holds copies, so that the share of rows that are none has to be 0.95 at least
everywhere: authenticity, which is less than that for fresh rows too, and 1 − copies, or 1 − what is
above their null:

{copying}
## Findings

Of each comparison, `found.findings` at its defaults. What has to be found has to be there in nine
of ten comparisons, and what must not be in three of ten at most, at the least favourable point of
each curve (*share of comparisons*: of each curve, in the order above). Checks that are passed:
{passed}; questions, curve by curve: {answered}.

{findings}
### What is not passed, and why

{failures}"""


def summary(checks: Sequence[Check], lines: Lines) -> str:
    """Lay out, for each metric, checks that are passed and criteria that are met."""
    head = ["metric", "of", "checks passed, raw", "as retention"]
    rows = [[*head, "criteria met, raw", "as retention"], ["---"] * 2 + ["--:"] * 4]
    for name, kind in KINDS.items():
        cells = list[str]()
        scores = {
            reading: [score_of(check, name, lines, reading) for check in checks if check.counts]
            for reading in ("raw", "retention")
        }
        for of_reading in scores.values():
            cells.append(f"{sum(score.passed for score in of_reading)} of {len(of_reading)}")
        for of_reading in scores.values():
            met, asked = (
                sum(getattr(score, of) for score in of_reading) for of in ("met", "asked")
            )
            cells.append(f"{met / max(asked, 1):.0%}")
        rows.append([f"`{name}`", kind, *cells])
    return laid_out(rows)


def by_check(checks: Sequence[Check], names: Sequence[str], lines: Lines) -> str:
    """Lay out criteria that are met, raw and as retention, for each check and metric."""
    rows = [["check", "criteria", *(f"`{name}`" for name in names)]]
    rows.append(["---", "--:"] + ["--:"] * len(names))
    for check in checks:
        scores = [
            [score_of(check, name, lines, reading) for reading in ("raw", "retention")]
            for name in names
        ]
        cells = [" · ".join(map(_met, of_metric)) for of_metric in scores]
        rows.append([check.name, str(scores[0][0].asked), *cells])
    return laid_out(rows)


def _met(score: Score) -> str:
    return f"**{score.met}**" if score.passed else str(score.met)


def findings_table(checks: Sequence[Check], lines: Lines) -> str:
    """Lay out what has to be found, and how often it is."""
    rows = [["check", "where", "what is asked", "share of comparisons", "passed"], ["---"] * 5]
    for check in checks:
        answers = answers_of(check, lines)
        for question in check.questions:
            own = [answer for answer in answers if answer.question is question]
            shares = " · ".join(f"{answer.share:.2f}" for answer in own)
            passed = "yes" if all(answer.passed for answer in own) else "**no**"
            rows.append([check.name, _place(question), _asked(question), shares, passed])
    return laid_out(rows)


def _place(question: Question) -> str:
    at = question.at
    named = {"first": "first point", "last": "last point", "all": "all", "later": "later half"}
    return named[at] if isinstance(at, str) else f"{at:g}"


def _asked(question: Question) -> str:
    if question.names == NAMES:
        return "nothing"
    names = " or ".join(f"`{name}`" for name in question.names)
    return names if question.expected else f"no {names}"


def failures(checks: Sequence[Check], lines: Lines) -> str:
    """Say of each check whose questions are not all passed why."""
    failed = [
        check.name
        for check in checks
        if not all(answer.passed for answer in answers_of(check, lines))
    ]
    return "".join(f"- **{name}**: {REASONS.get(name, 'unexplained.')}\n" for name in failed)


def laid_out(rows: Iterable[Sequence[str]]) -> str:
    """Write rows as a table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def described(checks: Sequence[Check]) -> str:
    """Say what changes in each check."""
    rows = [["check", "what changes", "curves", "points"], ["---"] * 4]
    for check in checks:
        curves = "; ".join(curve.label for curve in check.curves)
        points = [f"{curve.points[0]:g} to {curve.points[-1]:g}" for curve in check.curves]
        rows.append([check.name, check.changes, curves, "; ".join(dict.fromkeys(points))])
    return laid_out(rows)


def page(checks: Sequence[Check], lines: Lines, n: int) -> str:
    """Write the document."""
    kinds = {kind: [name for name, of in KINDS.items() if of == kind] for kind in KINDS.values()}
    tails = [name for name in kinds["diversity"] if "tail" in name or name == "mode_coverage"]
    supports = [name for name in kinds["diversity"] if name in ("recall", "coverage")]
    supports.append("clipped_coverage")
    spreads = [name for name in kinds["diversity"] if name not in (*tails, *supports)]
    about = machine()
    counting = [check for check in checks if check.counts]
    answers = [answer for check in counting for answer in answers_of(check, lines)]
    done = [
        check.name
        for check in counting
        if all(answer.passed for answer in answers_of(check, lines))
    ]
    repeats = [len(of_curve) for of_curve in lines.values()]
    revisions = sorted({line["revision"] for of_curve in lines.values() for line in of_curve})
    return TEXT.format(
        n=f"{n:,}",
        repeats=min(repeats),
        comparisons=f"{sum(len(line['found']) for each in lines.values() for line in each):,}",
        versions=f"tailwatch {about['tailwatch']} at {' and '.join(revisions)}, "
        f"Python {about['python']}, NumPy {np.__version__}, {about['date']}",
        described=described(checks),
        summary=summary(checks, lines),
        fidelity=by_check(checks, kinds["fidelity"], lines),
        supports=by_check(checks, supports, lines),
        tails=by_check(checks, tails, lines),
        spreads=by_check(checks, spreads, lines),
        divergences=by_check(checks, kinds["divergence"], lines),
        copying=by_check(checks, COPYING, lines),
        findings=findings_table(checks, lines),
        passed=f"{len(done)} of {len(counting)}",
        answered=f"{sum(answer.passed for answer in answers)} of {len(answers)}",
        failures=failures(checks, lines),
    )
