"""The loop: what it asks of a learner, what it measures, what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.comparison.questions import NAMES
from tailwatch.distributions import false_discovery_rates
from tailwatch.exceptions import DimensionError, InputError, NonFiniteError, TailwatchError
from tailwatch.recursion import (
    Accumulate,
    Augment,
    Bootstrap,
    Gaussian,
    Mix,
    Multinomial,
    NGram,
    Replace,
    Verified,
)
from tailwatch.recursion.frame import GROUPS, SCHEMA
from tests.support.errors import fields, refused
from tests.support.recursion_learners import Folder, Opaque, Tagging, tagged

if TYPE_CHECKING:
    from collections.abc import Callable

HUMAN = np.random.default_rng(0).normal(size=(300, 2))


def run(**changes: Opaque) -> tw.recursion.Run:
    arguments: dict[str, Any] = {
        "learner": Gaussian(),
        "data": HUMAN,
        "policy": Replace(),
        "generations": 2,
        "metrics": (),
    }
    arguments |= changes
    return tw.recursion.run(arguments.pop("learner"), arguments.pop("data"), **arguments)


def panel(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(group="panel")


def test_the_frame_has_its_schema_in_the_order_of_its_groups() -> None:
    found = run(metrics="standard", holdout=0.5)
    frame = found.frame
    assert dict(frame.schema) == SCHEMA
    assert frame["run"].unique().to_list() == ["replace"]
    for _, generation in frame.group_by("generation", maintain_order=True):
        order = [GROUPS.index(group) for group in generation["group"]]
        assert order == sorted(order)
        assert generation.select("metric", "level", "group").is_unique().all()
    assert frame["generation"].unique().to_list() == [1, 2]
    assert (frame["method"].is_null() <= frame["reason"].is_not_null()).all()
    assert set(frame["n_training"]) == {150}
    assert set(frame["n_sample"]) == {150}


def test_the_panel_is_that_of_compare() -> None:
    held_out = np.random.default_rng(1).normal(size=(200, 2))
    found = run(metrics="standard", holdout=held_out, seed=5)
    expected = tw.compare(held_out, found.samples(2), seed=5).frame
    of_second = panel(found.frame).filter(pl.col.generation == 2, pl.col.metric != "authenticity")
    shared = [name for name in expected.columns if name in of_second.columns]
    assert set(expected.columns) - set(shared) == {
        *("value_all", "low_all", "high_all", "n_reference_all", "n_candidate_all"),
        *("tail_rows_all", "variance_ratio_all"),
    }
    # The p-values of a comparison are those of all rows, where there are any.
    shared.remove("p_value")
    assert of_second.select(shared).equals(expected.select(shared))
    assert of_second["p_value"].null_count() < of_second.height


def test_authenticity_is_against_what_the_generation_learnt_from() -> None:
    held_out = np.random.default_rng(1).normal(size=(200, 2))
    found = run(learner=Bootstrap(), metrics="standard", holdout=held_out)
    rows = found.frame.filter(metric="authenticity")
    # Every sample is a copy, of the generation's own training set.
    assert rows["value"].to_list() == [0.0, 0.0]
    expected = tw.metrics.authenticity(HUMAN, held_out)
    assert rows["null"].to_list() == [expected, expected]
    assert set(rows["n_reference"]) == {300}
    assert set(rows["n_candidate"]) == {300}
    assert "authenticity" not in run(metrics="fast", holdout=held_out).frame["metric"]
    assert "authenticity" not in run(metrics=["recall"], holdout=held_out).frame["metric"]


def test_the_entropy_of_the_training_set_is_measured_where_authenticity_is() -> None:
    held_out = np.random.default_rng(1).normal(size=(200, 2))
    found = run(metrics="standard", holdout=held_out)
    measured = found.frame.filter(metric="training_entropy")
    entropies = [tw.metrics.knn_entropy(rows) for rows in (HUMAN, found.samples(1))]
    assert measured["value"].to_list() == entropies
    assert set(measured["group"]) == {"loop"}
    assert "training_entropy" not in run(metrics="fast", holdout=held_out).frame["metric"]
    # Copies of copies: some row is there more than five times.
    copied = run(learner=Bootstrap(), metrics="standard", holdout=held_out, generations=9)
    last = copied.frame.filter(metric="training_entropy").row(-1, named=True)
    assert last["value"] is None
    assert last["reason"].startswith("more than 5 rows are equal")


def test_without_human_data_held_out_every_row_says_so() -> None:
    found = run(metrics="fast")
    measured = found.frame.filter(pl.col.group.is_in(["panel", "risk"]))
    training = measured.filter(metric="training_risk")
    rest = measured.filter(pl.col.metric != "training_risk")
    assert rest["reason"].str.ends_with("nothing was held out").all()
    assert training["reason"].null_count() == training.height > 0
    assert found.arguments["reference"]["held_out"] is False


def test_a_share_is_held_out_by_the_seed() -> None:
    learner = Tagging()
    run(learner=learner, data=tagged(0, 101), holdout=0.3, seed=1)
    trained = learner._seen[0][:, 1].tolist()
    # ⌊0.3 · 101 + ½⌋ = 30 rows are set aside; the others keep their order.
    assert len(trained) == 71
    assert trained == sorted(set(trained))
    others = []
    for seed in (1, 2):
        again = Tagging()
        run(learner=again, data=tagged(0, 101), holdout=0.3, seed=seed)
        others.append(again._seen[0][:, 1].tolist())
    assert others[0] == trained
    assert others[1] != trained


def test_metrics_of_none_leave_parameters_and_counts() -> None:
    frame = run().frame
    assert set(frame["group"]) == {"parameter", "loop"}
    variance = frame.filter(metric="variance")
    assert variance["theory"][0] == pytest.approx(variance["value"][0], rel=1e-12)
    expected = HUMAN.var(axis=0).sum() * (1 - 1 / 300)
    assert variance["theory"][1] == pytest.approx(expected, rel=1e-12)


def test_what_is_human_is_counted() -> None:
    frame = run(policy=Mix(0.25), size=40, generations=3).frame
    share = frame.filter(metric="human_fraction")
    assert share["value"].to_list() == [1.0, 0.25, 0.25]
    assert share["n_training"].to_list() == [300, 40, 40]
    assert frame.filter(metric="training_rows")["value"].to_list() == [300.0, 40.0, 40.0]


class Losses(Tagging):
    """A loss for each row: 1 for those of generation 0, their number for others."""

    def risk(self, data: np.ndarray) -> np.ndarray:
        return np.where(data[:, 0] == 0, 1.0, data[:, 1])


def test_risks_on_held_out_training_and_earlier_data() -> None:
    earlier = {"first": tagged(9, 4)}
    found = run(
        learner=Losses(),
        data=tagged(0, 200),
        holdout=tagged(0, 130),
        size=130,
        earlier=earlier,
        metrics=["total_variance"],
    )
    rows = found.frame.filter(group="risk", generation=2)
    assert rows["metric"].to_list() == ["risk", "training_risk", "earlier_risk:first"]
    assert rows["value"].to_list() == [1.0, np.arange(130).mean(), 1.5]
    # t interval of 0, 1, 2, 3: 1.5 ± 3.182 · 1.291/2.
    low, high = rows.select("low", "high").row(2)
    assert (low, high) == (pytest.approx(-0.554, abs=1e-3), pytest.approx(3.554, abs=1e-3))


def test_a_mean_loss_has_no_interval() -> None:
    class Mean(Tagging):
        def risk(self, data: np.ndarray) -> float:
            return 0.5

    found = run(learner=Mean(), data=tagged(0, 200), metrics=["total_variance"])
    row = found.frame.filter(metric="risk", generation=1).row(0, named=True)
    assert (row["value"], row["low"], row["high"]) == (0.5, None, None)
    assert row["method"] is None
    assert row["reason"].startswith("the model gives the mean loss alone")


class Measured(Tagging):
    """Embeds tags as their numbers, and measures something itself."""

    def embed(self, data: np.ndarray) -> np.ndarray:
        return np.column_stack([data[:, 1], -data[:, 1]]).astype(float)

    def measure(self, reference: np.ndarray, samples: np.ndarray) -> pl.DataFrame:
        return pl.DataFrame({"metric": ["classes"], "value": [float(len(samples))]})


def test_what_a_model_embeds_and_measures_is_used() -> None:
    found = run(learner=Measured(), data=tagged(0, 200), metrics=["total_variance"])
    row = found.frame.filter(group="model", generation=1).row(0, named=True)
    assert (row["metric"], row["value"], row["direction"]) == ("classes", 200.0, "none")
    variance = found.frame.filter(metric="total_variance", generation=1)["value"][0]
    embedded = Measured().embed(tagged(0, 200))
    expected = tw.compare(embedded, embedded, metrics=["total_variance"]).frame["value"][0]
    assert variance == expected


def test_categories_have_a_panel_of_their_own() -> None:
    rng = np.random.default_rng(0)
    human = rng.zipf(1.5, size=1000)
    found = run(learner=Multinomial(), data=human, metrics="standard", holdout=0.5)
    metrics = set(found.frame["metric"])
    assert {"total_variation", "type_coverage", "tail_coverage", "types"} <= metrics
    types = found.frame.filter(group="moments", metric="types", generation=2).row(0, named=True)
    assert types["low"] < types["value"] < types["high"]
    assert types["retention"] == types["value"] / types["null"]
    # As many types in the model as theory expects of the counts it began with.
    model = found.frame.filter(group="parameter", metric="types")
    assert model["theory"][0] == model["value"][0]


def test_documents_have_a_panel_of_their_own() -> None:
    rng = np.random.default_rng(0)
    human = pl.Series([rng.zipf(1.7, size=20).tolist() for _ in range(200)])
    found = run(learner=NGram(2), data=human, metrics="standard", holdout=0.5)
    metrics = set(found.frame["metric"])
    assert {"jensen_shannon", "type_coverage", "distinct_2_pooled", "risk"} <= metrics


def test_each_generation_is_told_once_it_is_kept() -> None:
    told: list[Any] = []
    found = run(on_generation=told.append)
    assert [each.number for each in told] == [1, 2]
    assert np.array_equal(told[1].samples, found.samples(2))
    assert pl.concat([each.frame for each in told]).equals(found.frame)
    assert told[0].model.covariance.shape == (2, 2)


def test_progress_names_generation_and_step() -> None:
    stages: list[str] = []
    run(metrics=["total_variance"], progress=lambda stage, done, total: stages.append(stage))
    assert stages[0] == "generation 1 of 2: composing the training set"
    assert any(stage.startswith("generation 2 of 2") and "fitting" in stage for stage in stages)
    assert stages[-1] == "writing the run"


def test_an_interrupted_run_raises_and_leaves_what_is_done(tmp_path: Opaque) -> None:
    def stop(generation: Opaque) -> None:
        if generation.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(generations=4, directory=tmp_path, on_generation=stop)
    assert tw.recursion.Run.load(tmp_path).frame["generation"].max() == 2


def test_a_run_of_threads_and_one_of_others_agree() -> None:
    one, two = (run(metrics="standard", threads=threads).frame for threads in (1, 2))
    neighbours = ["recall", "coverage", "tail_mass", "authenticity", "energy_distance"]
    for metric in neighbours:
        assert one.filter(metric=metric).equals(two.filter(metric=metric))


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        (
            {"learner": Gaussian},
            InputError,
            fields("learner", "an object with the method fit", "the class Gaussian"),
        ),
        ({"learner": 3}, InputError, fields("learner", "an object with the method fit", "int")),
        (
            {"policy": Replace},
            InputError,
            fields(
                "policy",
                "a text such as 'mix:0.25', or an object with the method compose",
                "the class Replace",
            ),
        ),
        (
            {"policy": "replaced"},
            InputError,
            fields(
                "policy",
                "one of replace | mix:SHARE | mix:SHARE,fresh | a…",
                "'replaced'",
                hint="did you mean replace?",
            ),
        ),
        (
            {"policy": 3},
            InputError,
            fields(
                "policy", "a text such as 'mix:0.25', or an object with the method compose", "int"
            ),
        ),
        ({"generations": 0}, InputError, fields("generations", "an integer of at least 1", "0")),
        ({"size": 0}, InputError, fields("size", "an integer of at least 1", "0")),
        ({"seed": -1}, InputError, fields("seed", "an integer of at least 0", "-1")),
        ({"confidence": 1.0}, InputError, fields("confidence", "a number between 0 and 1", "1.0")),
        ({"label": 3}, InputError, fields("label", "a string", "int")),
        ({"holdout": 1.0}, InputError, fields("holdout", "a number between 0 and 1", "1.0")),
        (
            {"holdout": 0.001},
            InputError,
            fields("holdout", "a share that leaves rows on both sides", "0.001 of 300"),
        ),
        (
            {"holdout": np.ones((3, 3))},
            DimensionError,
            fields("holdout", "rows of shape (2,)", "(3,)"),
        ),
        (
            {"holdout": pl.Series([1.0])},
            InputError,
            fields("holdout", "a NumPy array as data is", "Series"),
        ),
        ({"earlier": [HUMAN]}, InputError, fields("earlier", "data by name of task", "list")),
        ({"earlier": {"a": []}}, InputError, fields("earlier['a']", got="list")),
        (
            {"data": [[1.0]]},
            InputError,
            fields("data", "a NumPy array, a Polars frame or series, what …", "list"),
        ),
        ({"data": np.ones((0, 2))}, InputError, fields("data", "at least one row", "none")),
        (
            {"data": np.array(3.0)},
            DimensionError,
            fields("data", "an array of at least one dimension", "a single value"),
        ),
        (
            {"data": np.array([1, None])},
            InputError,
            fields("data", "numbers, booleans or strings", "dtype object"),
        ),
        (
            {"data": np.array([[1.0], [np.nan]])},
            NonFiniteError,
            fields("data", "finite numbers", "NaN", "row 1"),
        ),
        (
            {"data": pl.DataFrame()},
            DimensionError,
            fields("data", "a frame with at least one column", "none"),
        ),
        (
            {"metrics": "standard", "size": 63},
            InputError,
            fields("size", "at least 64 rows to compare", "63"),
        ),
        (
            {"metrics": "all", "data": HUMAN[:127]},
            InputError,
            fields("data", "at least 128 rows to compare", "127"),
        ),
        (
            {"metrics": ["recal"]},
            InputError,
            fields(
                "metrics", "a panel or metrics out of …", "'recal'", hint="did you mean …recall…?"
            ),
        ),
        ({"policy": Mix(0.5, fresh=True)}, InputError, fields("data", got="300")),
        (
            {"policy": Mix(0.5), "size": 700},
            InputError,
            fields(
                "data",
                "at least 350 rows to train on, for 350 human rows in each generation",
                "300",
            ),
        ),
        (
            {"policy": Augment(301)},
            InputError,
            fields("real", "at most the 300 human rows to train on", "301"),
        ),
        (
            {"policy": Augment(np.ones((3, 1)))},
            DimensionError,
            fields("real", "rows of shape (2,)", "(1,)"),
        ),
        (
            {"data": Folder(["a"]), "directory": "x", "learner": Tagging()},
            InputError,
            fields("model.sample", got="ndarray"),
        ),
    ],
)
def test_bad_arguments(
    changes: dict[str, Any],
    error: type[TailwatchError],
    said: dict[str, str],
    tmp_path: Opaque,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with refused(error, **said):
        run(**changes)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (lambda rows: rows[1:], InputError, fields("model.sample", "300 rows", "299")),
        (
            lambda rows: rows[:, :1],
            DimensionError,
            fields("model.sample", "rows of shape (2,)", "(1,)"),
        ),
        (
            lambda rows: rows.tolist(),
            InputError,
            fields("model.sample", "a NumPy array as data is", "list"),
        ),
        (
            lambda rows: rows + np.inf,
            NonFiniteError,
            fields("model.sample", "finite numbers", "an infinity", "row 0"),
        ),
        (
            lambda rows: rows.astype(str),
            InputError,
            fields("model.sample", "values like float64 as in data", "<U32"),
        ),
    ],
    ids=["rows", "columns", "kind", "infinite", "strings"],
)
def test_samples_that_cannot_be_learnt_from(
    wrong: Callable[[np.ndarray], Any], error: type[TailwatchError], said: dict[str, str]
) -> None:
    class Model:
        def fit(self, data: Opaque, *, rng: np.random.Generator) -> Opaque:
            return self

        def sample(self, size: int, *, rng: np.random.Generator) -> Opaque:
            return wrong(np.zeros((size, 2)))

    with refused(error, **said):
        run(learner=Model())


def test_a_fit_must_return_a_model() -> None:
    class Forgetful:
        def fit(self, data: Opaque, *, rng: np.random.Generator) -> None:
            return None

    with refused(
        InputError,
        "learner.fit",
        "it to return a model with the method sample",
        "NoneType",
        "generation 1",
    ):
        run(learner=Forgetful())


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (
            lambda samples: samples[:, 0],
            fields("keep", "one boolean for each of 300 rows", "float64 of shape (300,)"),
        ),
        (
            lambda samples: samples > 0,
            fields("keep", "one boolean for each of 300 rows", "bool of shape (300, 2)"),
        ),
        (
            lambda samples: np.zeros(len(samples), bool),
            fields("policy", "rows to learn from", "none", "generation 2"),
        ),
    ],
    ids=["numbers", "shape", "none"],
)
def test_filters_that_say_something_else(keep: Opaque, said: dict[str, str]) -> None:
    with refused(InputError, **said):
        run(policy=Verified(Replace(), keep))


def test_a_policy_must_give_portions() -> None:
    class Raw:
        def compose(self, history: Opaque, *, rng: np.random.Generator) -> Opaque:
            return history.human.read()

    with refused(InputError, "policy.compose", got="ndarray"):
        run(policy=Raw())


def test_policies_check_their_own_arguments() -> None:
    for build, said in (
        (lambda: Mix(1.0), fields("real_fraction", "a number between 0 and 1", "1.0")),
        (
            lambda: Mix(0.5, fresh="yes"),
            fields("fresh", "True, False or a function of (size, rng)", "'yes'"),
        ),  # type: ignore[arg-type]
        (lambda: Augment(0), fields("real", "an integer of at least 1", "0")),
        (
            lambda: tw.recursion.AccumulateSubsample(0),
            fields("size", "an integer of at least 1", "0"),
        ),
        (lambda: Verified(3, keep=len), fields("policy", "a policy", "int")),  # type: ignore[arg-type]
        (lambda: Verified(Replace(), keep=3), fields("keep", "a function of samples", "int")),  # type: ignore[arg-type]
    ):
        with refused(InputError, **said):
            build()


def test_a_policy_of_ones_own_takes_five_lines() -> None:
    class LastTwo:
        def compose(self, history: Opaque, *, rng: np.random.Generator) -> Opaque:
            return history.samples[-2:]

    learner = Tagging()
    found = run(learner=learner, data=tagged(0, 5), policy=LastTwo(), generations=4)
    assert [sorted(set(seen[:, 0].tolist())) for seen in learner._seen] == [
        [0],
        [1],
        [1, 2],
        [2, 3],
    ]
    assert found.policy == "last_two"


@pytest.mark.parametrize(
    ("policy", "label"),
    [
        (Replace(), "replace"),
        (Mix(0.25), "mix:0.25"),
        (Mix(0.25, fresh=True), "mix:0.25,fresh"),
        (Augment(8), "augment:8"),
        (tw.recursion.AccumulateSubsample(), "accumulate_subsample"),
        (Verified(Accumulate(), keep=lambda rows: rows[:, 0] < 9), "verified:accumulate"),
    ],
)
def test_runs_are_named_after_their_policies(policy: Opaque, label: str) -> None:
    found = run(policy=policy, size=8, generations=1)
    assert (found.policy, found.label) == (label, label)
    named = run(policy=policy, size=8, generations=1, label="arm")
    assert (named.policy, named.label) == (label, "arm")


def test_a_run_shows_and_saves_itself(tmp_path: Opaque) -> None:
    found = run(metrics="fast", holdout=0.5, label="arm")
    assert found.verdicts.height == 8
    assert found.sentence in repr(found)
    assert found.diagnosis.sentence in repr(found)
    for suffix in ("html", "parquet", "csv", "json"):
        found.save(tmp_path / f"run.{suffix}")
    assert pl.read_parquet(tmp_path / "run.parquet").equals(found.frame)
    assert "<html" in (tmp_path / "run.html").read_text()
    assert found._repr_html_()
    with refused(InputError, "generation", "at most 2", "3"):
        found.samples(3)
    with refused(InputError, "path", got="'run.txt'"):
        found.save(tmp_path / "run.txt")


def test_the_findings_of_a_generation_are_those_of_its_rows() -> None:
    rng = np.random.default_rng(2)
    human, held_out = rng.normal(size=(400, 3)), rng.normal(size=(400, 3))
    found = tw.recursion.run(
        Bootstrap(), human, holdout=held_out, policy="replace", generations=3, metrics="standard"
    )
    by_generation = {one.of for one in found.findings}
    assert by_generation == {"1", "2", "3"}
    # The same questions as of a comparison, decided over all three generations.
    tested = [one.p_value for one in found.findings if one.p_value is not None]
    rates = iter(false_discovery_rates(np.array(tested)).tolist())
    for one in found.findings:
        assert one.q_value == (None if one.p_value is None else next(rates))
        for metric, level in one.evidence:
            same = pl.col("level").eq_missing(pl.lit(level))
            assert found.frame.filter(same, metric=metric, generation=int(one.of or 0)).height == 1
    # A bootstrap draws rows of the generation before: the candidate repeats itself.
    names = {one.name for one in found.findings if one.found and one.of == "3"}
    assert "repeated" in names
    assert "tails_lost" not in names
    listed = found.sentence.partition("Found in generation 3: ")[2].partition(".")[0]
    assert set(listed.replace(" and ", ", ").replace(" ", "_").split(",_")) == names
    assert {one["name"] for one in json.loads(found.to_json())["findings"]} == set(NAMES)
    both = tw.recursion.overlay([found, found])
    assert list(both.findings.values()) == [found.findings] * 2
    # Categories are asked nothing.
    assert run(data=np.arange(300) % 7, learner=Multinomial(), metrics="standard").findings == ()
