"""The alarm of a loop: when it rings, what it spends, and what ends a run before its last turn."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import nchypergeom_fisher, norm, t

import tailwatch as tw
from tailwatch.arguments import tail_size
from tailwatch.cli import run as command
from tailwatch.exceptions import InputError, SourceError
from tailwatch.recursion import Gaussian, Interrupted, Run
from tailwatch.recursion.frame import frame_of
from tailwatch.recursion.verdicts import ALARMS, alarm, alarms, first_alarm
from tailwatch.recursion.verdicts.evidence import exact_odds
from tailwatch.recursion.verdicts.series import pooled_stretch, series_of, stretch
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.recursion_learners import Opaque

HUMAN = np.random.default_rng(0).normal(size=(800, 8))
METRICS = ["tail_odds_ratio", "total_variance", "effective_rank"]


def row(generation: int, metric: str, value: float, **columns: Opaque) -> dict[str, Any]:
    """Return a row of a run, its interval a tenth of its value to either side."""
    given = {"low": value * 0.9, "high": value * 1.1, "null": 1.0, "null_low": 0.99}
    given |= {"null_high": 1.01, "direction": "match", "n_training": 100, "n_sample": 100}
    return {
        "run": "replace",
        "generation": generation,
        "group": "moments",
        "metric": metric,
        "value": value,
        **given,
        **columns,
    }


def odds(generation: int, rows: float, *, n: int = 500, m: int = 500, level: float = 0.1) -> Any:  # noqa: ANN401
    return row(
        generation,
        "tail_odds_ratio",
        1.0,
        group="panel",
        level=level,
        n_reference=n,
        n_candidate=m,
        tail_rows=rows,
    )


def span(rows: float, error: float, **sizes: int) -> Opaque:
    series = series_of(frame_of([odds(1, rows, **sizes)]), "tail_odds_ratio", level=0.1)
    assert series is not None
    return exact_odds(series, error)


@pytest.mark.parametrize("error", [0.025, 1e-4, 1e-9])
@pytest.mark.parametrize(("rows", "n", "m"), [(20, 200, 200), (7, 300, 100), (31, 50, 300)])
def test_odds_have_the_interval_of_inverted_exact_tests(
    rows: int, n: int, m: int, error: float
) -> None:
    found, tail = span(rows, error, n=n, m=m), tail_size(0.1, n + m)
    if rows < min(tail, m):
        few = nchypergeom_fisher.cdf(rows, n + m, m, tail, found.high)
        assert few == pytest.approx(error, rel=1e-6)
    if rows > max(0, tail - n):
        many = nchypergeom_fisher.sf(rows - 1, n + m, m, tail, found.low)
        assert many == pytest.approx(error, rel=1e-6)
    assert found.low < found.value < found.high


def test_odds_without_a_bound() -> None:
    assert span(0, 0.01).low == 0
    assert span(100, 0.01).high == np.inf


def test_tied_rows_are_rounded_to_the_longer_side() -> None:
    between, fewer, more = (span(rows, 1e-3) for rows in (30.4, 30, 31))
    assert between.low == fewer.low
    assert between.high == more.high


def test_an_exact_interval_misses_no_more_often_than_it_says() -> None:
    """All counts of one law: the chance of those whose interval leaves out the odds."""
    for true in (0.5, 1.0, 2.0):
        counts = np.arange(0, 101)
        chances = nchypergeom_fisher.pmf(counts, 1000, 500, 100, true)
        found = [span(float(count), 0.01) for count in counts]
        above = sum(p for p, one in zip(chances, found, strict=True) if one.high < true)
        below = sum(p for p, one in zip(chances, found, strict=True) if one.low > true)
        assert 0 < above <= 0.01
        assert 0 < below <= 0.01


def test_looks_share_one_error_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that 400 looks spend, on values, nulls and odds, adds up to less than 0.05."""
    values: dict[str, list[float]] = {}
    nulls: dict[str, set[float]] = {}

    def spend(series: Opaque, error: float = 0.0, **given: Opaque) -> None:
        values.setdefault(series.name, []).append(given.get("error", error))
        nulls.setdefault(series.name, set()).add(given.get("null_error") or 0.0)

    monkeypatch.setattr(alarm, "retained", spend)
    monkeypatch.setattr(alarm, "exact_odds", spend)
    watch = alarm.Watch(confidence=0.95)
    for place in range(1, 401):
        watch.look(place, [row(place, "total_variance", 1.0), odds(place, 50)])
    assert set(values) == {"total_variance", "tail_odds_ratio at 0.1"}
    # All windows from the ninth look on: 1, 2, 4, …; from the 64th seven of them.
    assert len(values["total_variance"]) == 8 + 7 * 4 + 16 * 5 + 32 * 6 + 337 * 7
    for name, spent in values.items():
        # One null for all looks.
        assert len(nulls[name] - {0.0}) <= 1
        whole = sum(spent) + max(nulls[name])
        assert 0.98 * 0.025 < whole < 0.025, name


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("freedom", [10, pytest.param(30, marks=pytest.mark.slow)])
def test_pooled_degrees_of_freedom_hold_the_error(ratio: float, freedom: int) -> None:
    """Two normal errors with ν degrees of freedom each: how often their difference is missed.

    2,000 pairs of standard errors, seed 0, each with the exact chance of the normal difference.
    Satterthwaite's quantile at 5 in ten thousand misses up to 1.27 times as often; z = 4 is 0.13.
    """
    rng, error = np.random.default_rng(0), 5e-4
    first = np.sqrt(rng.chisquare(freedom, 2000) / freedom)
    second = ratio * np.sqrt(rng.chisquare(freedom, 2000) / freedom)
    reach = t.isf(0.025, freedom)
    missed = fewest = 0.0
    for a, b in zip(reach * first, reach * second, strict=True):
        together = math.hypot(a, b) / math.hypot(1, ratio)
        missed += norm.sf(pooled_stretch(a, b, 0.95, error) * together) / 2000
        fewest += norm.sf(stretch(0.95, error) * together) / 2000
    assert fewest < missed < 1.4 * error


def test_nulls_that_move_are_paid_for_at_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that embeds in its own way has another null in each generation."""
    once: list[bool] = []
    monkeypatch.setattr(
        alarm, "retained", lambda series, **given: once.append(given["null_error"] is not None)
    )
    watch = alarm.Watch(confidence=0.95)
    for place in range(1, 13):
        null = 1.0 if place < 11 else 1.01
        watch.look(place, [row(place, "total_variance", 1.0, null=null)])
    assert once == [False] * 8 + [True] * 8 + [False] * 8


def test_the_first_sure_loss_rings_and_later_ones_change_nothing() -> None:
    values = [1.0, 0.97, 0.6, 0.2]
    frame = frame_of([row(place, "total_variance", value) for place, value in enumerate(values, 1)])
    found = first_alarm(frame)
    assert found is not None
    assert (found.generation, found.finding, found.metric) == (3, "spread_lost", "total_variance")
    assert found.value == pytest.approx(0.6)
    assert found.low < found.value < found.high < found.keep == 0.95
    assert first_alarm(frame.filter(pl.col("generation") <= 3)) == found
    assert first_alarm(frame.filter(pl.col("generation") <= 2)) is None
    strict = first_alarm(frame, keep=0.3)
    assert strict is not None
    assert strict.generation == 4


def test_what_is_gained_does_not_ring() -> None:
    frame = frame_of([row(1, "total_variance", 5.0), odds(1, 90)])
    assert first_alarm(frame) is None


def test_few_rows_in_the_tail_ring_exactly_where_chance_is_spent() -> None:
    """The count at which the test of odds of 0.95 has a p-value below what the look may spend."""
    # Of 0.05 the first look has 8/(8 · 9).
    spent = 0.05 / 9
    chances = nchypergeom_fisher.cdf(np.arange(101), 1000, 500, 100, 0.95)
    most = int(np.flatnonzero(chances < spent)[-1])
    rings, quiet = (first_alarm(frame_of([odds(1, rows)])) for rows in (most, most + 1))
    assert quiet is None
    assert rings is not None
    assert rings.finding == "tails_lost"
    assert rings.metric == "tail_odds_ratio at 0.1"
    assert rings.error == pytest.approx(spent)


def test_tails_of_fewer_than_ten_human_rows_take_no_share() -> None:
    rows = [row(1, "total_variance", 0.2), odds(1, 2, level=0.01)]
    found = first_alarm(frame_of(rows))
    assert found is not None
    assert found.error == pytest.approx(0.6 * 0.05 / 9)


def test_what_a_model_measures_is_compared_with_its_first_generation() -> None:
    def classes(generation: int, value: float) -> dict[str, Any]:
        return row(generation, "type_coverage", value, group="model")

    # A detector that found little from the start has lost nothing since.
    steady = [classes(place, 0.2) for place in range(1, 6)]
    assert first_alarm(frame_of(steady)) is None
    found = first_alarm(frame_of([*steady, classes(6, 0.02)]))
    assert found is not None
    assert (found.generation, found.standard, found.finding) == (6, "generation 1", "types_lost")


def test_nothing_that_can_ring_rings_nothing() -> None:
    assert first_alarm(frame_of([row(1, "entropy", 0.0)])) is None
    assert first_alarm(frame_of([row(1, "total_variance", 0.1, low=None, high=None)])) is None
    assert alarms(None).rows() == [(None,) * len(ALARMS)]


@pytest.mark.parametrize("keep", [0.0, 1.5, "all"])
def test_a_tolerance_is_a_share(keep: Opaque) -> None:
    with refused(InputError, "keep"):
        first_alarm(frame_of([row(1, "total_variance", 1.0)]), keep=keep)


def loop(**changes: Opaque) -> Run:
    arguments: dict[str, Any] = {
        "policy": "replace",
        "generations": 14,
        "size": 100,
        "holdout": 0.5,
        "metrics": METRICS,
        "threads": 1,
    }
    arguments |= changes
    return tw.recursion.run(arguments.pop("learner", Gaussian()), HUMAN, **arguments)


@pytest.fixture(scope="module")
def whole() -> Run:
    """Run to the end, whatever rings."""
    return loop()


def test_a_run_ends_at_its_alarm_and_is_the_beginning_of_the_whole(whole: Run) -> None:
    found = loop(stop_on="alarm")
    assert whole.alarm is not None
    assert 1 < whole.alarm.generation < 14
    assert found.alarm == whole.alarm
    assert found.stopped == "alarm"
    assert whole.stopped is None
    up_to = whole.frame.filter(pl.col("generation") <= whole.alarm.generation)
    # Nothing of a generation depends on whether the run is going to be stopped.
    assert found.frame.equals(up_to)
    assert f"after generation {whole.alarm.generation} of 14" in found.sentence
    assert f"rang at generation {whole.alarm.generation}" in whole.sentence


def test_a_sound_run_is_not_ended() -> None:
    found = loop(policy="human_only", generations=8, stop_on="alarm")
    assert found.stopped is None
    assert found.alarm is None
    assert found.frame["generation"].max() == 8
    assert "alarm" not in found.sentence


def test_a_callback_ends_a_run_by_one_word_alone() -> None:
    told: list[int] = []

    def stop(generation: Opaque) -> object:
        told.append(generation.number)
        return "stop" if generation.number == 3 else "go on"

    found = loop(metrics=(), on_generation=stop)
    assert found.stopped == "on_generation"
    assert told == [1, 2, 3]
    assert found.frame["generation"].max() == 3
    assert "stopped by its callback after generation 3 of 14" in found.sentence
    # There is nothing to stop at the end.
    assert loop(metrics=(), generations=3, on_generation=stop).stopped is None


def test_an_interrupt_hands_over_what_there_is(tmp_path: Path) -> None:
    def interrupt(generation: Opaque) -> None:
        if generation.number == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="after generation 3 of 14") as caught:
        loop(metrics=(), directory=tmp_path / "run", on_generation=interrupt)
    found = caught.value.run
    assert isinstance(caught.value, KeyboardInterrupt)
    assert found.stopped == "interrupted"
    assert found.frame["generation"].max() == 3
    assert len(found.samples(3)) == 100
    assert Run.load(tmp_path / "run") == found
    assert "interrupted, or still at work, after generation 3 of 14" in found.to_html()
    # It goes on whenever it is called again.
    assert loop(metrics=(), directory=tmp_path / "run").stopped is None

    class Impatient:
        def fit(self, data: Opaque, *, rng: np.random.Generator) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as plain:
        loop(learner=Impatient())
    # Nothing was done, so there is nothing to hand over.
    assert not isinstance(plain.value, Interrupted)


def described(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "run.json").read_text())  # type: ignore[no-any-return]


def test_a_stopped_directory_goes_on_only_without_what_stopped_it(
    tmp_path: Path, whole: Run
) -> None:
    at = tmp_path / "run"
    first = loop(directory=at, stop_on="alarm")
    assert whole.alarm is not None
    last = whole.alarm.generation
    assert Run.load(at) == first
    assert (described(at)["stop_on"], described(at)["stopped"]) == ("alarm", "alarm")
    assert "stopped by its alarm" in (at / "report.html").read_text()
    written = {file: file.read_bytes() for file in at.rglob("*.*") if file.name != "times.json"}
    # The same call, and one for more generations, change nothing that is there.
    assert loop(directory=at, stop_on="alarm") == first
    assert {file: file.read_bytes() for file in written} == written
    shutil.copytree(at, tmp_path / "longer")
    longer = loop(directory=tmp_path / "longer", stop_on="alarm", generations=16)
    assert longer.frame.equals(first.frame)
    assert longer.stopped == "alarm"
    # Without it, the run goes on and ends as one that was never stopped.
    again = loop(directory=at)
    assert again.frame.equals(whole.frame)
    assert again.stopped is None
    assert again.alarm == whole.alarm
    assert "stopped" not in described(at)
    assert "stopped" not in (at / "report.html").read_text()
    # What has been done since is not taken back.
    kept = loop(directory=at, stop_on="alarm")
    assert kept.frame.equals(whole.frame)
    assert kept.stopped is None
    assert last < 14


def test_a_directory_that_a_callback_stopped(tmp_path: Path) -> None:
    at = tmp_path / "run"

    def until(number: int) -> Callable[[Opaque], object]:
        return lambda generation: "stop" if generation.number >= number else None

    first = loop(metrics=(), directory=at, on_generation=until(3))
    assert Run.load(at) == first
    assert described(at)["stopped"] == "on_generation"
    assert loop(metrics=(), directory=at, on_generation=until(9)) == first
    assert loop(metrics=(), directory=at).frame["generation"].max() == 14


def test_a_stopped_run_is_kept_in_a_file(tmp_path: Path) -> None:
    found = loop(stop_on="alarm")
    again = Run.load(found.save(tmp_path / "run.tailwatch"))
    assert again == found
    assert (again.stopped, again.alarm) == (found.stopped, found.alarm)
    document = json.loads(found.to_json())
    assert found.alarm is not None
    assert document["alarm"] == asdict(found.alarm)
    assert document["stopped"] == "alarm"
    assert json.loads(loop(generations=1).to_json())["alarm"] is None


def test_alarms_of_several_runs(whole: Run, tmp_path: Path) -> None:
    stopped = loop(stop_on="alarm", label="stopped")
    sound = loop(policy="human_only", generations=3)
    both = tw.recursion.overlay([stopped, sound])
    assert stopped.alarm is not None
    assert both.alarms["generation"].to_list() == [stopped.alarm.generation, None]
    assert both.stopped == {"stopped": "alarm", "human_only": None}
    assert f"rang at generation {stopped.alarm.generation} under stopped" in both.sentence
    assert tw.recursion.Overlay.load(both.save(tmp_path / "runs.tailwatch")) == both
    page = both.to_html()
    assert page.count("the alarm rang") >= 1
    assert "stopped: Alarm: rang at generation" in page
    assert "human_only: Alarm: none rang." in page
    assert "Ended, stopped" in page
    alone = whole.to_html()
    assert whole.alarm is not None
    assert f"its alarm rang at generation {whole.alarm.generation}" in alone
    assert "Ended" not in alone
    # A mark for a reader who sees, in each chart of the opening.
    assert 'stroke-dasharray="1.5,3"' in alone
    assert 'stroke-dasharray="1.5,3"' not in sound.to_html()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stop_on": "collapse"}, "'alarm' or None"),
        ({"stop_on": True}, "'alarm' or None"),
        ({"stop_on": "alarm", "metrics": ()}, "metrics, of which one may ring"),
    ],
)
def test_what_cannot_stop_a_run(changes: dict[str, Any], expected: str) -> None:
    with refused(InputError, "stop_on", expected):
        loop(**changes)


@pytest.mark.parametrize(
    ("name", "value"), [("stopped", "bored"), ("stopped", ["alarm"]), ("stop_on", "collapse")]
)
def test_a_directory_that_no_run_has_stopped(tmp_path: Path, name: str, value: Opaque) -> None:
    at = tmp_path / "run"
    loop(directory=at, metrics=(), generations=1)
    (at / "run.json").write_text(json.dumps(described(at) | {name: value}))
    with refused(SourceError, "directory", f"{name}, null…"):
        Run.load(at)


def test_the_command_ends_with_1_where_the_alarm_rang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("human.npy", HUMAN)
    asked = ["loop", "--data", "human.npy", "--learner", "Gaussian", "--size", "100"]
    asked += ["--metrics", ",".join(METRICS), "--generations", "14"]
    assert command([*asked, "--stop-on", "alarm", "--json", "--out", "one"]) == 1
    said = capsys.readouterr()
    assert "The run was stopped by its alarm after generation" in " ".join(said.err.split())
    assert "alarm while it ran" in said.err
    assert json.loads(said.out)["stopped"] == "alarm"
    sound = [*asked[:-1], "3", "--policy", "human_only", "--stop-on", "alarm", "--out", "two"]
    assert command(sound) == 0
    # Who does not ask for it is told, and that is all.
    assert command([*asked, "--out", "one"]) == 0
    assert "Its alarm rang at generation" in " ".join(capsys.readouterr().err.split())
    assert command([*asked, "--stop-on", "collapse", "--out", "three"]) == 2


def test_sound_runs_hardly_ever_ring() -> None:
    """40 runs of 14 generations of fresh rows: at most 6 ring (5 % of them, z = 4 and more)."""
    rang = 0
    for seed in range(40):
        rng = np.random.default_rng([seed, 77])
        n = m = 200
        tail = tail_size(0.1, n + m)
        # The exact law of what the odds count, independent in each generation, as it hardly is.
        counts = rng.hypergeometric(m, n, tail, size=30)
        frame = frame_of(
            [odds(place, float(count), n=n, m=m) for place, count in enumerate(counts, 1)]
        )
        rang += first_alarm(frame, keep=1) is not None
    assert rang <= 6
