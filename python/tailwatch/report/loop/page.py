"""The page of a loop, from its frames alone: the verdict first, what was run last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.background import uses_polars
from tailwatch.report.comparison.readings import panel_table, read
from tailwatch.report.findings import findings_by_generation
from tailwatch.report.html import details, escape
from tailwatch.report.loop.panels import figures
from tailwatch.report.loop.plots import NEAREST_LEVEL, arms_of, opening_plots, plots_of
from tailwatch.report.loop.sentence import sentence_of_loop
from tailwatch.report.loop.verdicts import (
    by_run,
    failure_table,
    onset_list,
    plan_table,
    policy_words,
    side_by_side,
    verdict_table,
)
from tailwatch.report.loop.words import LOOP_TERMS, describe_loop
from tailwatch.report.page import (
    Section,
    definitions,
    fragment,
    fragment_mark,
    page,
    run_details,
)
from tailwatch.report.words import count, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tailwatch.report.loop.plots import Arm, Plot
    from tailwatch.report.loop.sentence import Findings
    from tailwatch.report.words import Label

__all__ = ["run_fragment", "run_page"]

MOST_PARAMETERS = 12
"""Parameters of the model that are drawn."""

_GROUPS = {
    "tails": "Tails",
    "fidelity": "Fidelity and coverage",
    "spread": "Spread",
    "divergence": "Divergences",
}


def run_page(
    frame: pl.DataFrame,
    *,
    verdicts: pl.DataFrame,
    diagnosis: pl.DataFrame,
    arguments: Mapping[str, Any],
    labels: Mapping[str, Label],
    onsets: pl.DataFrame | None = None,
    plan: pl.DataFrame | None = None,
    findings: Findings | None = None,
    alarms: pl.DataFrame | None = None,
    stops: Mapping[str, str] | None = None,
    title: str | None = None,
) -> str:
    """Return the page of one run, or of several side by side, as one HTML document.

    Parameters
    ----------
    frame
        The frame of a run; those of several runs below each other, told apart by column ``run``.
    verdicts
        One row per definition of collapse: ``definition``, ``status``, ``metric``,
        ``generations``, ``value``, ``low``, ``high``, ``threshold``, ``evidence``; with a column
        ``run`` where there are several runs.
    findings
        Those of each run, by its name, as JSON has them.
    diagnosis
        One row per way to fail: ``mode``, ``status``, ``evidence``; again with ``run``.
    arguments
        What was run. For several runs, what was run under the name of each.
    labels
        What each metric of a comparison is called.
    onsets
        When tails and variance were lost, as :func:`tailwatch.recursion.verdicts.onsets` has it;
        again with ``run``.
    plan
        What theory expects of the policy, as :func:`tailwatch.recursion.plan` has it; again with
        ``run``.
    alarms
        The alarm of the run, as :func:`tailwatch.recursion.verdicts.alarms` has it; again with
        ``run``.
    stops
        Why runs have fewer generations than they were asked for, in words, by name.
    title
        What the page is about; by default the names of the runs.

    Returns
    -------
    str
        A document that needs no other file, no script and no network.
    """
    uses_polars("drawing a page")
    arms = arms_of(frame, alarms)
    told = _by_name(arguments, arms)
    first = next(iter(told.values()), {})
    confidence = percent(_found(first, "confidence", 0.95))
    plots = plots_of(frame, arms, labels)
    opening = _opening(opening_plots(frame, arms, labels), arms, confidence, "opening")
    last = _last(frame, arms, labels, confidence)
    sections = [
        Section(
            "Eight definitions of collapse", _verdicts(verdicts, diagnosis, onsets, alarms, labels)
        ),
        Section("Tails and variance by generation", opening),
        Section("What was found in each generation", _findings(findings or {}, confidence)),
        Section("The standard panel", _panel(plots, arms, confidence, last)),
        Section("Risk", _risk(plots, arms, confidence)),
        Section("The policy and its plan", _policy(plots, arms, told, plan, confidence)),
        Section("What each number means", _meanings(frame, labels)),
        Section("What was run", _run(told)),
    ]
    version = _found(first, "tailwatch", None)
    written = f"Written by tailwatch {version}. " if version else ""
    return page(
        kind="tailwatch loop" if len(arms) == 1 else "tailwatch loops side by side",
        subject=title or ", ".join(arm.name for arm in arms) or "an empty run",
        sentence=sentence_of_loop(
            frame, verdicts, labels, findings=findings, alarms=alarms, stops=stops
        ),
        facts=_facts(frame, arms, confidence) | _ended(stops or {}, arms),
        sections=sections,
        foot=f"{written}This file holds aggregated numbers only and loads nothing.",
    )


def run_fragment(
    frame: pl.DataFrame,
    *,
    verdicts: pl.DataFrame,
    arguments: Mapping[str, Any],
    labels: Mapping[str, Label],
    findings: Findings | None = None,
    alarms: pl.DataFrame | None = None,
    stops: Mapping[str, str] | None = None,
) -> str:
    """Return the sentence, tails and variance, and the verdicts as an element for a notebook.

    The arguments are those of :func:`run_page`.
    """
    uses_polars("drawing a page")
    arms = arms_of(frame, alarms)
    first = next(iter(_by_name(arguments, arms).values()), {})
    confidence = percent(_found(first, "confidence", 0.95))
    sentence = sentence_of_loop(
        frame, verdicts, labels, findings=findings, alarms=alarms, stops=stops
    )
    mark = fragment_mark(sentence, frame)
    table = (
        verdict_table(verdicts, labels)
        if len(arms) == 1
        else side_by_side(verdicts, of="definition", name="Definition")
    )
    opening = _opening(opening_plots(frame, arms, labels), arms, confidence, f"loop-{mark}")
    return fragment(
        sentence=sentence, body=opening + details("Eight definitions of collapse", table)
    )


def _findings(findings: Findings, confidence: str) -> str:
    """Return the findings of each generation: a table for each run."""
    told = {name: found for name, found in findings.items() if found}
    if not told:
        return (
            "<p>No question was asked: they are read from the standard panel of embeddings or "
            "numbers.</p>"
        )
    tables = (
        (f"<h3>{escape(name)}</h3>" if len(told) > 1 else "") + findings_by_generation(found)
        for name, found in told.items()
    )
    return (
        "<p>What a comparison of each generation with the human data finds. Of all that is said to "
        f"be found in a run, {confidence} at least is expected to be there.</p>{''.join(tables)}"
    )


def _facts(frame: pl.DataFrame, arms: Sequence[Arm], confidence: str) -> dict[str, str]:
    facts = {"Runs": str(len(arms))} if len(arms) > 1 else {}
    facts["Generations"] = _span(frame["generation"].unique().sort().to_list())
    for words, column in (
        ("Human rows learned from", "n_training"),
        ("Sampled per generation", "n_sample"),
        ("Compared on", "n_reference"),
    ):
        first, panel = pl.col("generation") == 1, pl.col("group") == "panel"
        rows = frame.filter(first if column == "n_training" else panel)
        found = rows[column].drop_nulls()
        if column == "n_reference":
            # Copies are counted against training sets, which may grow.
            found = found.mode()
        numbers = found.unique().sort().to_list()
        if numbers:
            ends = dict.fromkeys((numbers[0], numbers[-1]))
            facts[words] = " to ".join(count(number) for number in ends) + " rows"
    return facts | {"Intervals": confidence}


def _ended(stops: Mapping[str, str], arms: Sequence[Arm]) -> dict[str, str]:
    """Return a fact for each run that was stopped."""
    several = len(arms) > 1
    return {f"Ended, {name}" if several else "Ended": words for name, words in stops.items()}


def _span(generations: Sequence[int]) -> str:
    return f"1 to {generations[-1]}" if len(generations) > 1 else str(len(generations))


def _verdicts(
    verdicts: pl.DataFrame,
    diagnosis: pl.DataFrame,
    onsets: pl.DataFrame | None,
    alarms: pl.DataFrame | None,
    labels: Mapping[str, Label],
) -> str:
    introduction = (
        "<p>The literature means eight things by collapse. Each is judged on its own, and said to "
        "hold or not only where an interval clears its threshold.</p>"
    )
    began = "" if onsets is None else f"<h3>When it began</h3>{onset_list(onsets, labels, alarms)}"
    table = _judged(verdicts, lambda part: verdict_table(part, labels), "definition")
    return f"{introduction}{table}{began}{_failures(diagnosis, labels)}"


def _failures(diagnosis: pl.DataFrame, labels: Mapping[str, Label]) -> str:
    if not diagnosis.height:
        return ""
    table = _judged(diagnosis, lambda part: failure_table(part, labels), "mode")
    return f"<h3>Which failure this looks like</h3>{table}"


def _judged(judged: pl.DataFrame, table: Callable[[pl.DataFrame], str], of: str) -> str:
    """Return the table of one run; or those of several side by side, with each to unfold."""
    parts = list(by_run(judged))
    if len(parts) == 1:
        return table(parts[0][1])
    name = {"definition": "Definition", "mode": "Failure"}[of]
    return side_by_side(judged, of=of, name=name) + "".join(
        details(f"The evidence for {run}", table(part)) for run, part in parts
    )


def _opening(plots: Sequence[Plot], arms: Sequence[Arm], confidence: str, name: str) -> str:
    """Return the charts of tails and variance: what tells most, and what has a theory."""
    if not plots:
        return "<p>This run measured neither tails nor variance; the standard panel does.</p>"
    return (
        "<p>A loop that collapses leaves the grey band, which is where fresh human samples lie: "
        "tails first, variance later.</p>"
        + figures(plots, arms, name=name, confidence=confidence, large=True, from_zero=True)
    )


def _panel(plots: Sequence[Plot], arms: Sequence[Arm], confidence: str, last: str) -> str:
    """Return the plots of what was measured, by group, and behind them `last`."""
    measured = _about(plots, "panel", "moments", "model")
    parameters = _about(plots, "parameter")
    if not measured and not parameters:
        return "<p>This run was told to measure nothing.</p>"
    parts = []
    for group, words in _GROUPS.items():
        members = [plot for plot in measured if plot.label.group == group]
        if members:
            parts.append(f"<h3>{words}</h3>")
            parts.append(figures(members, arms, name=f"panel-{group}", confidence=confidence))
    if parameters:
        parts.append("<h3>Parameters of the model</h3>")
        if len(parameters) > MOST_PARAMETERS:
            parts.append(
                f"<p>The first {MOST_PARAMETERS} of {len(parameters)}; the frame has all.</p>"
            )
        drawn = parameters[:MOST_PARAMETERS]
        parts.append(figures(drawn, arms, name="parameters", confidence=confidence))
    words = (
        "Everything that was measured on the samples of each generation. Tail metrics are drawn at "
        f"the level nearest to {percent(NEAREST_LEVEL)}. Higher is not always better: samples that "
        "shrink towards the centre gain precision."
    )
    return f"<p>{words}</p>{''.join(parts)}{last}"


def _last(
    frame: pl.DataFrame, arms: Sequence[Arm], labels: Mapping[str, Label], confidence: str
) -> str:
    """Return the whole panel of the last generation of each run, every level of it, to unfold."""
    parts = []
    for arm in arms:
        rows = frame.filter(pl.col("run") == arm.name, pl.col("group") == "panel")
        rows = rows.filter(pl.col("generation") == pl.col("generation").max())
        readings = read(rows, labels)
        if readings:
            where = f" of {arm.name}" if len(arms) > 1 else ""
            table = panel_table(readings, confidence)
            parts.append(details(f"All numbers of the last generation{where}", table))
    return "".join(parts)


def _risk(plots: Sequence[Plot], arms: Sequence[Arm], confidence: str) -> str:
    risks = _about(plots, "risk")
    if not risks:
        return (
            "<p>Not measured: the models of this run have no risk (a method <code>risk(data)</code>"
            " that returns a loss).</p>"
        )
    words = "<p>The loss of each generation's model. Risk on human data that rises while that on "
    words += "its own training set does not is what a loop does when it learns its own errors.</p>"
    return words + figures(risks, arms, name="risk", confidence=confidence)


def _policy(
    plots: Sequence[Plot],
    arms: Sequence[Arm],
    told: Mapping[str, Mapping[str, Any]],
    plan: pl.DataFrame | None,
    confidence: str,
) -> str:
    policies = {name: _found(part, "policy", name) for name, part in told.items()}
    body = policy_words(policies or {arm.name: arm.name for arm in arms})
    varied = _varied(_about(plots, "loop"))
    if varied:
        body += figures(varied, arms, name="loop", confidence=confidence)
    if plan is not None and plan.height:
        body += _plan(plan)
    return body


def _plan(plan: pl.DataFrame) -> str:
    words = (
        "<p>What closed forms expect of such a loop, if its models keep mean and covariance, and "
        "how much human data would keep more.</p>"
    )
    parts = list(by_run(plan))
    if len(parts) == 1:
        tables = plan_table(parts[0][1])
    else:
        tables = "".join(details(f"The plan of {run}", plan_table(part)) for run, part in parts)
    return f"<h3>The plan</h3>{words}{tables}"


def _varied(plots: Sequence[Plot]) -> list[Plot]:
    """Leave out what is one number for all generations of all runs."""
    return [plot for plot in plots if len({point.value.value for point in plot.points}) > 1]


def _meanings(frame: pl.DataFrame, labels: Mapping[str, Label]) -> str:
    shown = frame.filter(pl.col("value").is_not_null(), pl.col("group") != "parameter")
    metrics = shown["metric"].unique(maintain_order=True).to_list()
    described = {name: describe_loop(name, labels) for name in metrics}
    return definitions(metrics, described, LOOP_TERMS)


def _run(told: Mapping[str, Mapping[str, Any]]) -> str:
    if len(told) <= 1:
        return "".join(run_details(part) for part in told.values())
    return "".join(details(name, run_details(part)) for name, part in told.items())


def _about(plots: Sequence[Plot], *groups: str) -> list[Plot]:
    """Return the plots of some groups of the frame."""
    return [plot for plot in plots if plot.group in groups]


def _by_name(arguments: Mapping[str, Any], arms: Sequence[Arm]) -> dict[str, Mapping[str, Any]]:
    """Return what was run under the name of each run."""
    names = {arm.name for arm in arms}
    if len(arms) > 1 and names <= set(arguments):
        return {arm.name: arguments[arm.name] for arm in arms}
    return {arms[0].name if arms else "run": arguments}


def _found(part: Mapping[str, Any], key: str, otherwise: Any) -> Any:  # noqa: ANN401
    """Return an entry of what was run, wherever it stands among its parts."""
    if key in part:
        return part[key]
    inner = (inner[key] for inner in part.values() if isinstance(inner, dict) and key in inner)
    return next(inner, otherwise)
