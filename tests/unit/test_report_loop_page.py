"""The page of a loop: one file that loads nothing, in the right order, whatever was measured."""

from __future__ import annotations

import itertools
import math
import re

import polars as pl
import pytest

from tailwatch.comparison.registry import LABELS
from tailwatch.recursion.verdicts import ONSETS
from tailwatch.report.loop import run_fragment, run_page
from tailwatch.report.loop.sentence import sentence_of_loop
from tests.support import recursion_sample as sample
from tests.support.page import Page

TWO = ("replace", "mix:0.5")
SECTIONS = [
    "Eight definitions of collapse",
    "Tails and variance by generation",
    "What was found in each generation",
    "The standard panel",
    "Risk",
    "The policy and its plan",
    "What each number means",
    "What was run",
]
NUMBERS = ["value", "low", "high", "null", "null_low", "null_high", "theory"]
NUMBERS += ["retention", "retention_low", "retention_high"]


def page(frame: pl.DataFrame | None = None) -> str:
    return run_page(
        sample.frame() if frame is None else frame,
        verdicts=sample.verdicts(),
        diagnosis=sample.diagnosis(),
        arguments=sample.arguments(),
        plan=sample.plan(),
        labels=LABELS,
    )


@pytest.fixture(scope="module")
def markup() -> str:
    return page()


@pytest.fixture(scope="module")
def parsed(markup: str) -> Page:
    return Page(markup)


@pytest.fixture(scope="module")
def overlay() -> Page:
    markup = run_page(
        sample.frame(TWO),
        verdicts=sample.verdicts(TWO),
        diagnosis=pl.concat([sample.diagnosis().with_columns(run=pl.lit(name)) for name in TWO]),
        arguments={"replace": sample.arguments(), "mix:0.5": sample.arguments("mix:0.5")},
        labels=LABELS,
    )
    assert len(markup.encode()) < 300_000
    return Page(markup)


def test_it_loads_and_runs_nothing(markup: str, parsed: Page) -> None:
    assert len(markup.encode()) < 300_000
    assert "http://" not in markup
    assert "https://" not in markup
    assert "@import" not in markup
    assert not re.search(r"url\(", markup)
    for tag, attributes in parsed.elements:
        assert tag not in {"script", "img", "iframe", "object", "embed", "image", "use"}
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert attributes.get("href", "data:,") == "data:,"


def test_the_verdict_in_a_sentence_comes_first_then_the_sections_in_order(parsed: Page) -> None:
    shown = [text for tag, text in parsed.texts if tag in {"p", "h1", "h2"}]
    assert shown[:2] == ["tailwatch loop", "replace"]
    assert shown[2].startswith(
        "Under replace, two of eight definitions of collapse hold within 6 generations: any "
        "increase of population risk and entanglement of real modes. Of what a fresh human "
        "sample scores, the last generation keeps "
    )
    assert re.search(r"\d\.\d\d \[\d\.\d\d, \d\.\d\d\] in tail mass \(rarest 5", shown[2])
    assert re.search(r"and \d\.\d\d \[\d\.\d\d, \d\.\d\d\] in total variance\.$", shown[2])
    assert parsed.text("h2") == SECTIONS


def test_headings_landmarks_and_language(parsed: Page) -> None:
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    # No level is skipped on the way down.
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
    assert parsed.all("html")[0]["lang"] == "en"
    for landmark in ("main", "header", "footer"):
        assert len(parsed.all(landmark)) == 1


def test_each_verdict_has_its_status_and_evidence(parsed: Page) -> None:
    heads = parsed.text("th")
    for definition in sample.DEFINITIONS:
        assert definition[0].upper() + definition[1:] in heads
    cells = [text.strip() for text in parsed.text("td")]
    for status in sample.STATUSES:
        # Two of eight definitions and one of four failures have each.
        assert cells.count(status) == 3
    # The metric has the name that the charts have.
    evidence = "Tail mass, 5\u202f%, generations 4–6: 0.75 [0.6, 0.9] of the null"
    assert parsed.text("td").count(evidence) == 8
    assert "What_speaks for overfitting: total variance" in parsed.text("td")


def test_every_chart_is_told_to_those_who_do_not_see_it(parsed: Page) -> None:
    charts = [svg for svg in parsed.all("svg") if svg.get("role") == "img"]
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    said = parsed.text("desc")

    # Opening: two tail metrics and the variance. Panel: 2, 1, 1, 1; a parameter, risk, the shares.
    assert len(charts) == len(said) == 3 + 5 + 1 + 1 + 1
    assert len(set(ids)) == len(ids)
    for chart in charts:
        assert {chart["aria-labelledby"], chart["aria-describedby"]} <= set(ids)
    frame = sample.frame().filter(metric="total_variance")
    first, last = frame["value"][0], frame["value"][-1]
    (variance, again) = [text for text in said if text.startswith("Total variance")]
    assert variance == again
    assert f"replace, generation 1: {first:.3f} [" in variance
    assert f"generation 6: {last:.3f} [" in variance
    assert f"theory {frame['theory'][-1]:.3f}" in variance
    assert "A fresh human sample: " in variance
    # Each figure has its numbers as a table too.
    assert parsed.text("summary").count("The numbers of these charts") == 2
    assert parsed.text("summary").count("The numbers of this chart") == 6
    assert "replace, 4" in parsed.text("th")
    assert f"theory {frame['theory'][3]:.3f}" in parsed.text("i")


def test_other_sources_of_pictures_are_hidden_from_those_who_do_not_see(parsed: Page) -> None:
    for svg in parsed.all("svg"):
        assert svg.get("role") == "img" or svg.get("aria-hidden") == "true"


def test_policy_plan_and_arguments_are_told(parsed: Page) -> None:
    settings = dict(zip(parsed.text("dt"), parsed.text("dd"), strict=True))
    assert settings["Generations"] == "1 to 6"
    assert settings["Human rows learned from"] == "120 rows"
    assert settings["replace"].startswith("replace. Each generation learns only from")
    assert settings["fingerprint"] == "0f3a"
    assert settings["numpy"] == "2.4.0"
    # Of twenty generations five are shown, and the quantity is named once.
    assert parsed.text("th").count("Variance kept") == 1
    kept = sample.plan().filter(quantity="variance_kept").row(-1, named=True)
    assert f"[{kept['low']:.3f}, {kept['high']:.3f}]" in parsed.text("i")
    assert "<b>" in parsed.text("td")
    assert parsed.text("footer")[0].startswith("Written by tailwatch 0.1.0.")


def test_a_policy_is_written_as_text_with_its_words() -> None:
    policy = {"class": "mine.Halving", "text": "halving:0.5", "words": "Half < of it."}
    markup = run_page(
        sample.frame(),
        verdicts=sample.verdicts(),
        diagnosis=sample.diagnosis(),
        arguments={"policy": policy},
        labels=LABELS,
    )
    assert "<dd>halving:0.5. Half &lt; of it.</dd>" in markup


def test_several_runs_stand_side_by_side(overlay: Page) -> None:
    shown = [text for tag, text in overlay.texts if tag in {"p", "h1"}]
    assert shown[:2] == ["tailwatch loops side by side", "replace, mix:0.5"]
    assert shown[2].startswith(
        "Definitions of collapse that hold within 6 generations, of eight: two under replace and "
        "two under mix:0.5. Of the total variance of a fresh human sample, the last generation "
        "keeps "
    )
    heads = overlay.text("th")
    at = heads.index("Definition")
    assert heads[at : at + 3] == ["Definition", *TWO]
    variance = next(text for text in overlay.text("desc") if text.startswith("Total variance"))
    for name in TWO:
        assert f"{name}, generation 1: " in variance
        # Of the verdicts, and of the diagnosis.
        assert overlay.text("summary").count(f"The evidence for {name}") == 2
        assert f"All numbers of the last generation of {name}" in overlay.text("summary")
    settings = dict(zip(overlay.text("dt"), overlay.text("dd"), strict=False))
    assert settings["Runs"] == "2"


def test_where_nothing_holds_the_sentence_says_what_is_known() -> None:
    statuses = ["does not hold"] * 2 + ["undetermined"] * 5 + ["not measured"]
    verdicts = sample.verdicts().with_columns(status=pl.Series(statuses))
    bare = sample.frame().with_columns(retention=pl.lit(None, pl.Float64))
    assert sentence_of_loop(bare, verdicts, LABELS) == (
        "Under replace, no definition of collapse holds within 6 generations (two excluded, five "
        "undetermined and one not measured)."
    )


def test_names_cannot_break_out() -> None:
    hostile = "</title><script>alert(1)</script>&'\""
    text = [column for column, kind in sample.SCHEMA.items() if kind == pl.String]
    frame = sample.frame().with_columns(
        pl.lit(hostile).alias(name) for name in text if name not in {"group", "direction"}
    )
    verdicts = sample.verdicts().with_columns(
        pl.lit(hostile).alias(name) for name in ("definition", "metric", "evidence", "status")
    )
    diagnosis = sample.diagnosis().with_columns(pl.all().replace_strict({}, default=hostile))
    markup = run_page(
        frame,
        verdicts=verdicts,
        diagnosis=diagnosis,
        arguments={"policy": hostile, hostile: {hostile: hostile}},
        plan=sample.plan().with_columns(quantity=pl.lit(hostile), unit=pl.lit(hostile)),
        title=hostile,
        labels=LABELS,
    )
    assert not Page(markup).all("script")
    assert "&lt;script&gt;" in markup
    fragment = run_fragment(frame, verdicts=verdicts, arguments={}, labels=LABELS)
    assert not Page(fragment).all("script")


def test_the_same_input_gives_the_same_bytes(markup: str) -> None:
    assert page() == markup


@pytest.mark.parametrize("filler", [None, math.nan, math.inf, -math.inf, 0.0, 1e300, 5e-324])
def test_any_number_can_stand_anywhere(filler: float | None) -> None:
    chosen = sample.frame().filter(pl.col("metric").is_in(["tail_mass", "total_variance", "risk"]))
    frame = chosen.with_columns(pl.lit(filler, pl.Float64).alias(name) for name in NUMBERS)
    parsed = Page(page(frame))
    assert parsed.text("h2") == SECTIONS
    charts = [svg for svg in parsed.all("svg") if svg.get("role") == "img"]
    assert len(charts) == (0 if filler is None else 2 + 2 + 1)
    assert not any(re.search(r"\b(nan|inf|None)\b", text) for _, text in parsed.texts)


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (pl.col("group") == "risk", "neither tails nor variance"),
        (pl.col("group") != "risk", "Not measured: the models of this run have no risk"),
        (pl.col("generation") == 1, "in the only generation"),
        (pl.lit(value=False), "This run was told to measure nothing."),
    ],
    ids=["only risk", "no risk", "one generation", "nothing"],
)
def test_any_run_can_be_shown(keep: pl.Expr, said: str) -> None:
    markup = page(sample.frame().filter(keep))
    assert said in markup
    assert Page(markup).text("h2") == SECTIONS


def test_a_generation_without_a_value_is_shown_as_missing(parsed: Page) -> None:
    gone = (pl.col("generation") == 3) & (pl.col("metric") == "total_variance")
    frame = sample.frame().with_columns(pl.when(~gone).then(pl.col("value")).alias("value"))
    # In the table of the opening, beside the tails; that of the spread leaves the line out.
    assert Page(page(frame)).text("td").count("–") == parsed.text("td").count("–") + 1


def test_two_hundred_generations_of_six_runs_make_a_small_page() -> None:
    one = sample.frame().filter(pl.col("generation") <= 2)
    long = pl.concat(
        one.filter(pl.col("generation") == 1 + i % 2).with_columns(generation=pl.lit(i + 1))
        for i in range(200)
    )
    names = [f"arm {i}" for i in range(6)]
    markup = run_page(
        pl.concat(long.with_columns(run=pl.lit(name)) for name in names).cast(sample.SCHEMA),
        verdicts=sample.verdicts(tuple(names)),
        diagnosis=sample.diagnosis(),
        arguments={name: sample.arguments() for name in names},
        labels=LABELS,
    )
    assert len(markup.encode()) < 300_000
    said = " ".join(Page(markup).text("li"))
    assert "60 of 200 generations are drawn" in said
    assert re.search("Bars: 95.% intervals of some generations", said)
    assert "Some generations are left out" in markup


def test_fragments_stand_beside_each_other() -> None:
    first = run_fragment(
        sample.frame(), verdicts=sample.verdicts(), arguments=sample.arguments(), labels=LABELS
    )
    second = run_fragment(
        sample.frame(TWO), verdicts=sample.verdicts(TWO), arguments={}, labels=LABELS
    )
    both = Page(first + second)
    ids = [attributes["id"] for _, attributes in both.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert both.text("summary").count("Eight definitions of collapse") == 2


def test_onsets_are_told_run_by_run() -> None:
    numbers = {"generation": 4, "since": 3, "metric": "tail_mass at 0.05", "threshold": 0.9}
    lost = {"collapse": "early", **numbers, "value": 0.31, "low": 0.2, "high": 0.456}
    onsets = pl.DataFrame([lost, {"collapse": "late"}], schema=ONSETS)
    given = {
        "verdicts": sample.verdicts(),
        "diagnosis": sample.diagnosis(),
        "arguments": sample.arguments(),
        "labels": LABELS,
    }
    one = Page(run_page(sample.frame(), onsets=onsets, **given)).text("li")
    early = "Early collapse, of the tails: seen at generation 4. Over generations 3 to 4, "
    early += "tail mass, 5\u202f% retains 0.310 [0.200, 0.456], below 0.9."
    late = "Late collapse, of the variance: not seen, or not measured."
    assert one[:2] == [early, late]
    two = pl.concat([onsets.with_columns(run=pl.lit(name)) for name in ("a", "<b>")])
    both = Page(run_page(sample.frame(), onsets=two, **given)).text("li")
    assert both[:4] == [f"a: {early}", f"a: {late}", f"<b>: {early}", f"<b>: {late}"]
