"""Fit, sample, measure, compose: the loop, and the clock that tells where it is."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.background import uses_polars
from tailwatch.exceptions import InputError
from tailwatch.progress import running
from tailwatch.recursion.data import check_like
from tailwatch.recursion.frame import frame_of
from tailwatch.recursion.history import Fit, History, Portion, Samples, join
from tailwatch.recursion.measure.measurement import Measurement
from tailwatch.recursion.participants import asking
from tailwatch.recursion.randomness import replayable
from tailwatch.recursion.request import LoopRequest
from tailwatch.recursion.result import Run
from tailwatch.recursion.store import Memory, RunDirectory
from tailwatch.recursion.verdicts.alarm import Watch

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from tailwatch.progress import ProgressOption, ProgressReport, Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.participants import Learner, Model
    from tailwatch.recursion.policies import Policy
    from tailwatch.recursion.store import Store

__all__ = ["Generation", "Interrupted", "run"]


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """What ``on_generation`` is told of a generation that has just been computed.

    Attributes
    ----------
    number
        1 is the first fit.
    model, samples
        What was learnt, and what was sampled of it.
    frame
        Its rows of the run's frame.
    """

    number: int
    model: Model
    samples: Data
    frame: pl.DataFrame


class Interrupted(KeyboardInterrupt):
    """A run was interrupted: an interrupt like any other, which has what there is.

    Attributes
    ----------
    run
        The generations that were done, as :func:`run` would have returned them.
    """

    def __init__(self, found: Run) -> None:
        done = max(found.frame["generation"].to_list())
        super().__init__(f"after generation {done} of {found.arguments['generations']}")
        self.run = found


def run(
    learner: Learner,
    data: Data,
    *,
    policy: Policy | str,
    generations: int,
    size: int | None = None,
    holdout: Data | float | None = None,
    earlier: Mapping[str, Data] | None = None,
    metrics: str | Sequence[str] = "standard",
    k: int = 5,
    tail_levels: Sequence[float] = (0.10, 0.05, 0.01),
    confidence: float = 0.95,
    max_rows: int | None = None,
    directory: str | os.PathLike[str] | None = None,
    resume: bool = True,
    seed: int = 0,
    label: str | None = None,
    stop_on: str | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
    on_generation: Callable[[Generation], object] | None = None,
) -> Run:
    """Train a learner on its own output, generation after generation, and measure each one.

    Each generation calls ``learner.fit`` once and then ``model.sample(size)`` once, and nothing
    else draws from the learner: what was sampled serves the metrics and the next training set
    alike. Generation 1 learns from human data; then the policy composes the next training set from
    these and from all that was sampled.

    Parameters
    ----------
    learner
        What learns; see :class:`tailwatch.recursion.Learner`.
    data
        Human data: a NumPy array, a Polars frame or series, whatever else :func:`tailwatch.open`
        takes (as an array), or an object with ``len``, ``take`` and ``concat``.
    policy
        What each next generation learns from: a policy, or its text such as ``"mix:0.25"``.
    generations
        How many fits.
    size
        Rows that each generation samples; by default as many as there are human rows to train on.
    holdout
        Human data that no generation trains on: a data set, or a share of `data` that is set aside
        by the seed. With ``None`` all is compared with `data` itself, and ``method`` says so.
    earlier
        Human data of earlier tasks by name, for the risk that the model has on them.
    metrics, k, tail_levels, max_rows
        Of the panel, as :func:`tailwatch.compare` takes them; ``()`` measures nothing.
    confidence
        Of the intervals.
    directory
        Keep the run here, generation by generation. A run that was killed goes on where it was and
        ends with the same bytes; a directory of other arguments is refused. More `generations` than
        before go on too.
    resume
        Whether to go on with a run that is in `directory`; otherwise that is an error.
    seed
        Of the whole run: see :mod:`tailwatch.recursion.randomness`.
    label
        Name of the run in the frame, by default that of its policy.
    stop_on
        ``"alarm"`` ends the run at the generation at which its alarm rings (:attr:`Run.alarm`): one
        of a sound learner, of any length, is ended with probability 1 − `confidence` at most. Of a
        run that is in `directory` no generation is taken back.
    threads
        Threads of the panel; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable ``(stage, done, total)``.
    on_generation
        Called with a :class:`Generation` after each generation that is computed, and kept; not for
        those that a resumed run finds done. If it returns ``"stop"``, the run ends there.

    Returns
    -------
    Run
        ``.frame``, ``.verdicts``, ``.alarm``, ``.stopped``, ``.save(path)``.

    Raises
    ------
    InputError
        Arguments out of range, data of different kinds, samples of another shape or number than was
        asked for, too few rows for the panel, a directory of another run.
    Interrupted
        Ctrl-C, after a generation was done: a `KeyboardInterrupt` whose ``run`` has those that are.

    Notes
    -----
    Without a directory all samples stay in memory. The harness itself costs less than a millisecond
    a generation, and a few with a directory.

    A run that was stopped returns what it has. In a directory it is the same run when it is called
    again, as long as what stopped it is there: the same `stop_on`, or any `on_generation`. Called
    without, it goes on; so does one that was interrupted, in any case.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> from tailwatch.recursion import Gaussian, Replace
    >>> human = np.random.default_rng(0).normal(size=(100, 1))
    >>> run = tw.recursion.run(Gaussian(), human, policy=Replace(), generations=50, metrics=())
    >>> variance = run.frame.filter(metric="variance")["value"]
    >>> bool(variance[-1] < variance[0])
    True

    A loop that ends when a loss is sure:

    >>> human = np.random.default_rng(0).normal(size=(2000, 4))
    >>> run = tw.recursion.run(
    ...     Gaussian(), human, policy=Replace(), generations=50, size=100, holdout=0.5,
    ...     metrics=["total_variance", "tail_odds_ratio"], stop_on="alarm",
    ... )
    >>> run.stopped, run.alarm.finding
    ('alarm', 'spread_lost')
    >>> run.alarm.generation == run.frame["generation"].max() < 50
    True
    """
    uses_polars("a loop")
    request = LoopRequest.of(
        learner,
        data,
        policy=policy,
        generations=generations,
        size=size,
        holdout=holdout,
        earlier=earlier,
        metrics=metrics,
        k=k,
        tail_levels=tail_levels,
        confidence=confidence,
        max_rows=max_rows,
        seed=seed,
        label=label,
        stop_on=stop_on,
    )
    portions: list[Portion] = []
    human = Portion.of(request.human)
    history = History(human, Samples(portions), request.size, request.seed)
    _check_policy(request, history)
    measurement = Measurement(request)
    measurement.check()
    path = None if directory is None else Path(directory)
    store: Store = Memory()
    if path is not None:
        store = RunDirectory(path, request.described, request.human, resume=resume)
    rows: list[Row] = []
    watch = None if stop_on is None else Watch(confidence=request.confidence)
    told = on_generation is not None and store.stopped == "on_generation"
    stopped = None
    with closing(store), running(threads, progress) as settings:
        clock = Clock(request.generations, settings)
        try:
            for number in range(1, request.generations + 1):
                is_done = store.has(number)
                if not is_done:
                    stopped = _reason(watch, told=told)
                    if stopped is not None:
                        break
                    clock.start(number)
                    model, samples, new = _generation(request, history, measurement, clock)
                    store.keep(number, model=model, samples=samples, rows=new, seconds=clock.stop())
                sampled = partial(store.samples, number)
                portions.append(Portion(sampled, number, np.arange(request.size)))
                of_generation = store.rows(number)
                rows += of_generation
                if watch is not None:
                    watch.look(number, of_generation)
                if not is_done and on_generation is not None:
                    answer = on_generation(Generation(number, model, samples, frame_of(new)))
                    told = isinstance(answer, str) and answer == "stop"
        except KeyboardInterrupt as error:
            if not rows:
                raise
            found = Run(frame_of(rows), request.described, path, store.samples, "interrupted")
            raise Interrupted(found) from error
        clock.finish()
        found = Run(frame_of(rows), request.described, path, store.samples, stopped)
        measured = request.comparison is not None
        store.finish(found.frame, found.to_html if measured else None, stopped)
    return found


def _reason(watch: Watch | None, *, told: bool) -> str | None:
    """Say why no other generation is computed, if none is."""
    if watch is not None and watch.alarm is not None:
        return "alarm"
    return "on_generation" if told else None


def _check_policy(request: LoopRequest, history: History) -> None:
    """Let the policy refuse the run before anything is learnt, if it knows how to."""
    check = getattr(request.policy, "check", None)
    if callable(check):
        check(history, request.generations)


def _generation(
    request: LoopRequest, history: History, measurement: Measurement, clock: Clock
) -> tuple[Model, Data, list[Row]]:
    """Compose, fit, sample and measure."""
    number = history.generation
    clock.step("composing the training set")
    portions = _compose(request, history)
    training = join(portions)
    clock.step("fitting")
    where = f"generation {number}"
    with (
        asking(request.learner, "learner.fit", where),
        replayable(request.seed, number, "fit") as rng,
    ):
        model = request.learner.fit(training, rng=rng)
    if not callable(getattr(model, "sample", None)):
        raise InputError(
            argument="learner.fit",
            expected="it to return a model with the method sample",
            got=type(model).__name__,
            where=where,
        )
    clock.step("sampling")
    with asking(model, "model.sample", where), replayable(request.seed, number, "sample") as rng:
        samples = model.sample(request.size, rng=rng)
    check_like(samples, request.human, "model.sample", rows=request.size)
    clock.step("measuring")
    counts = {
        "run": request.label,
        "generation": number,
        "n_training": sum(map(len, portions)),
        "n_sample": request.size,
    }
    with replayable(request.seed, number, "measure"):
        fit = Fit(model, samples, training, portions)
        rows = measurement.rows(number, fit, clock.settings)
    return model, samples, [row | counts for row in rows]


def _compose(request: LoopRequest, history: History) -> list[Portion]:
    if history.generation == 1:
        first = getattr(request.policy, "first", None)
        return [first(history) if callable(first) else history.human]
    where = f"generation {history.generation}"
    with (
        asking(request.policy, "policy.compose", where),
        replayable(request.seed, history.generation, "policy") as rng,
    ):
        return history.require(request.policy.compose(history, rng=rng))


class Clock:
    """Tells the progress of a run.

    The stage that is shown names generation, step and the time left at the pace of the generations
    that this call has computed; its share done is that of the step, where the step can tell.

    Parameters
    ----------
    generations
        Of the run.
    settings
        Threads and progress of the call.
    """

    def __init__(self, generations: int, settings: Settings) -> None:
        self._generations, self._threads = generations, settings["threads"]
        self._report = settings["progress"]
        self._number, self._computed = 0, 0
        self._began = self._started = self._step_started = time.perf_counter()
        self._step, self._seconds = "", dict[str, float]()
        self._stage = ""

    def start(self, number: int) -> None:
        """Begin a generation."""
        self._number, self._seconds, self._step = number, {}, ""
        self._started = time.perf_counter()

    def step(self, name: str) -> None:
        """Begin a step of the generation."""
        self._end_step()
        self._step = name
        self._stage = f"generation {self._number} of {self._generations}{self._left()}: {name}"
        if self._report is not None:
            self._report(self._stage, 0, 0)

    def stop(self) -> dict[str, float]:
        """End a generation, and say how long its steps took."""
        self._end_step()
        self._computed += 1
        return self._seconds

    def finish(self) -> None:
        """Say that what is left is to write down what was found."""
        if self._report is not None:
            self._report("writing the run", 0, 0)

    @property
    def settings(self) -> Settings:
        """What the core takes, for the step that has begun."""
        return {"threads": self._threads, "progress": self._within(self._stage)}

    def _within(self, stage: str) -> ProgressReport | None:
        report = self._report
        if report is None:
            return None
        return lambda inner, done, total: report(f"{stage}, {inner}", done, total)

    def _end_step(self) -> None:
        now = time.perf_counter()
        if self._step:
            self._seconds[self._step] = now - self._step_started
        self._step_started = now

    def _left(self) -> str:
        if not self._computed:
            return ""
        each = (self._started - self._began) / self._computed
        seconds = each * (self._generations - self._number + 1)
        if seconds < 1:
            return ""
        return f", {seconds:.0f} s left" if seconds < 120 else f", {seconds / 60:.0f} min left"
