"""Runs side by side: their names, one frame, verdicts on each, and files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError
from tailwatch.recursion import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    Gaussian,
    HumanOnly,
    Mix,
    Overlay,
    Replace,
    Run,
    Verified,
)
from tailwatch.recursion.theory.plan import plan_of
from tailwatch.recursion.verdicts import judge
from tailwatch.recursion.verdicts.diagnosis import diagnose
from tests.support.errors import refused
from tests.support.page import Page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.recursion_learners import Opaque

    from tailwatch.recursion.policies import Policy

GENERATIONS = 4


def loop(policy: Policy, label: str | None = None) -> Run:
    human = np.random.default_rng(2).normal(size=(400, 3))
    return tw.recursion.run(
        Gaussian(),
        human,
        policy=policy,
        generations=GENERATIONS,
        size=100,
        holdout=0.5,
        metrics=("tail_mass", "recall", "total_variance"),
        seed=4,
        label=label,
    )


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return [loop(Replace()), loop(Accumulate()), loop(Mix(0.5))]


@pytest.fixture(scope="module")
def both(runs: list[Run]) -> Overlay:
    return tw.recursion.overlay(runs)


def test_the_frames_stand_below_each_other(runs: list[Run], both: Overlay) -> None:
    names = ["replace", "accumulate", "mix:0.5"]
    assert both.frame["run"].unique(maintain_order=True).to_list() == names
    for name, one in zip(names, runs, strict=True):
        assert both.frame.filter(run=name).equals(one.frame)
        assert both.arguments[name] == one.arguments


def test_each_run_is_judged_as_if_it_were_alone(runs: list[Run], both: Overlay) -> None:
    for name, one in zip(both.arguments, runs, strict=True):
        found = both.verdicts.filter(run=name)
        assert found.height == 8
        assert found.drop("run").equals(judge(one.frame))
        assert both.diagnosis.filter(run=name).drop("run").equals(diagnose(one.frame).frame)


def test_runs_of_one_name_are_numbered(runs: list[Run]) -> None:
    again = [runs[0], loop(Replace(), "replace (2)"), runs[0], runs[0]]
    found = tw.recursion.overlay(again)
    names = ["replace", "replace (2)", "replace (3)", "replace (4)"]
    assert list(found.arguments) == names
    assert found.verdicts["run"].unique(maintain_order=True).to_list() == names


def test_files_of_every_form(both: Overlay, tmp_path: Path) -> None:
    for suffix in ("html", "parquet", "json", "csv"):
        assert both.save(tmp_path / f"runs.{suffix}") == tmp_path / f"runs.{suffix}"
    assert pl.read_parquet(tmp_path / "runs.parquet").equals(both.frame)
    assert pl.read_csv(tmp_path / "runs.csv").shape == both.frame.shape
    document = json.loads((tmp_path / "runs.json").read_text())
    assert list(document) == [
        "sentence",
        "arguments",
        "stopped",
        "alarms",
        "findings",
        "verdicts",
        "diagnosis",
        "onsets",
        "frame",
    ]
    assert document["sentence"] == both.sentence
    assert len(document["verdicts"]) == 24
    assert len(document["frame"]) == both.frame.height
    page = Page((tmp_path / "runs.html").read_text())
    assert "The evidence for accumulate" in page.text("summary")
    assert "The plan of accumulate" in page.text("summary")
    with refused(InputError, "path", got="'runs.xlsx'"):
        both.save(tmp_path / "runs.xlsx")


def test_one_run_has_the_page_of_one_run(runs: list[Run]) -> None:
    alone = tw.recursion.overlay(runs[:1])
    assert alone.sentence.startswith("Under replace, ")
    page = Page(alone.to_html())
    assert page.text("h1") == ["replace"]
    assert "What was run" in page.text("h2")
    settings = dict(zip(page.text("dt"), page.text("dd"), strict=False))
    assert settings["size"] == "100"
    # The curve of theory is drawn, and told, where there is one.
    told = next(text for text in page.text("desc") if text.startswith("Total variance"))
    theory = runs[0].frame.filter(metric="total_variance")["theory"].drop_nulls()
    assert f"theory {theory[-1]:.3f}" in told


def test_a_notebook_shows_the_finding_and_the_verdicts(both: Overlay) -> None:
    assert Page(both._repr_html_()).text("p")[0] == both.sentence
    assert repr(both).startswith(both.sentence)


def test_what_is_no_run_is_refused(runs: list[Run]) -> None:
    with refused(InputError, "runs", "at least one run", "none"):
        tw.recursion.overlay([])
    with refused(InputError, "runs[1]", "a Run", "DataFrame"):
        tw.recursion.overlay([runs[0], runs[0].frame])


@pytest.mark.parametrize(
    "policy",
    [
        Replace(),
        Accumulate(),
        AccumulateSubsample(),
        AccumulateSubsample(7),
        HumanOnly(),
        Mix(0.25),
        Mix(0.25, fresh=True),
        Augment(20),
    ],
    ids=repr,
)
def test_a_run_is_planned_from_its_arguments_as_from_its_policy(policy: Policy) -> None:
    human = np.random.default_rng(0).normal(size=(600, 1))
    done = tw.recursion.run(
        Gaussian(ddof=1), human, policy=policy, generations=2, size=60, metrics=()
    )
    found = plan_of(json.loads(json.dumps(done.arguments)))
    assert found is not None
    assert found.equals(tw.recursion.plan(60, 2, policy, ddof=1))


def test_a_policy_without_a_closed_form_has_no_plan() -> None:
    human = np.random.default_rng(0).normal(size=(60, 1))
    filtered = Verified(Replace(), keep=lambda rows: np.isfinite(rows[:, 0]))
    done = tw.recursion.run(Gaussian(), human, policy=filtered, generations=2, metrics=())
    assert plan_of(done.arguments) is None
    assert tw.recursion.overlay([done]).plan is None
    page = Page(tw.recursion.overlay([done]).to_html())
    assert "The plan" not in page.text("h3")
    assert (
        "verified:replace. Each generation learns only from what the one before it produced. What "
        "a generation produced passes a filter before the next one learns from it."
    ) in page.text("dd")


@dataclass(frozen=True)
class LastTwo:
    """A policy of a user's own, with words and a closed form."""

    loss: float
    words = "Each generation learns from what the two before it produced."

    def compose(self, history: Opaque, *, rng: np.random.Generator) -> Opaque:
        return history.samples[-2:]

    def variance_kept(
        self, generations: Opaque, size: int, *, first: int | None = None, ddof: int = 0
    ) -> Opaque:
        return (1 - self.loss / size) ** generations

    def variance_limit(self, size: int, *, ddof: int = 0) -> float:
        return 0.0


def test_a_policy_of_ones_own_is_on_the_page_as_those_that_ship(tmp_path: Path) -> None:
    human = np.random.default_rng(0).normal(size=(60, 1))
    done = tw.recursion.run(
        Gaussian(), human, policy=LastTwo(0.6), generations=3, directory=tmp_path, metrics=()
    )
    assert (done.policy, done.label) == ("last_two:0.6", "last_two:0.6")
    theory = done.frame.filter(metric="variance")["theory"] / human.var(ddof=1)
    assert theory.to_list() == pytest.approx([0.99, 0.99**2, 0.99**3])
    # What a directory keeps is enough for page and plan: the class is not asked again.
    again = Run.load(tmp_path)
    plan = plan_of(again.arguments)
    assert plan is not None
    assert plan.equals(tw.recursion.plan(60, 3, LastTwo(0.6)))
    page = Page(again.to_html())
    assert f"last_two:0.6. {LastTwo.words}" in page.text("dd")
    assert "Closed form" not in page.text("dt")
    assert "The plan" in page.text("h3")
    # Words may be put better, and a run goes on.
    LastTwo.words = "Two generations teach the next."
    more = tw.recursion.run(
        Gaussian(), human, policy=LastTwo(0.6), generations=5, directory=tmp_path, metrics=()
    )
    assert more.frame["generation"].max() == 5
    assert Run.load(tmp_path).arguments["policy"]["words"] == LastTwo.words


def test_a_run_is_saved_and_loaded(runs: list[Run], tmp_path: Path) -> None:
    again = Run.load(runs[2].save(tmp_path / "run.tailwatch"))
    assert again == runs[2]
    assert again != runs[1]
    assert again.to_json() == runs[2].to_json()
    assert again.to_html() == runs[2].to_html()
    assert (again.policy, again.label) == ("mix:0.5", "mix:0.5")
    with refused(
        InputError,
        "generation",
        "a run with its samples",
        "one loaded from its frame",
        "generation 1",
    ):
        again.samples(1)


def test_runs_side_by_side_are_saved_and_loaded(both: Overlay, tmp_path: Path) -> None:
    again = Overlay.load(both.save(tmp_path / "runs.tailwatch"))
    assert again == both
    assert again.to_html() == both.to_html()
    with refused(
        SourceError,
        "path",
        "what Run.save wrote to a file named *.tailwatch",
        "a result of the kind runs",
        "…/runs.tailwatch",
    ):
        Run.load(tmp_path / "runs.tailwatch")


def test_a_file_of_no_run_is_refused(runs: list[Run], tmp_path: Path) -> None:
    bare = Run(runs[0].frame, runs[0].arguments | {"policy": {"class": "x"}})
    with refused(
        SourceError,
        "path",
        "what Run.save wrote to a file named *.tailwatch",
        "directory: expected policy.text, text, got nothing (arguments)",
        "…/bare.tailwatch",
    ):
        Run.load(bare.save(tmp_path / "bare.tailwatch"))
    empty = Run(runs[0].frame.clear(), runs[0].arguments)
    with refused(
        SourceError,
        "path",
        "what Run.save wrote to a file named *.tailwatch",
        "directory: expected 1 to 10,000,000 rows, got 0 (frame)",
        "…/empty.tailwatch",
    ):
        Run.load(empty.save(tmp_path / "empty.tailwatch"))
