"""Races: ours and the peers take turns on the same data, round by round.

Each round runs everyone once, in an order that rotates, so that a machine that slows down slows all
of them; a ratio is taken within a round. The first run is a warm-up, and is where a contender that
has a choice of environments is given the best. Jobs of more than `LONG` seconds are warmed up at
smoke size alone, which every worker does when it starts.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from math import comb
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

from benches.recording import installed
from benches.rivals.session import ContenderError, Session
from benches.samples import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benches.rivals.session import Conditions
    from benches.rivals.task import Contender, Task
    from benches.samples import Size

SLOW = 20.0
"""Seconds of a run from which on `SLOW_ROUNDS` are enough."""

SLOW_ROUNDS = 3

LONG = 5.0
"""Seconds of a run from which on none is spent on a warm-up."""

CONFIDENCE = 0.9


class Interval(NamedTuple):
    """A median with an interval that needs no distribution."""

    median: float
    low: float
    high: float
    confidence: float


def interval(values: Sequence[float]) -> Interval:
    """Bound the median of the distribution that values come from by two of their order statistics.

    The k-th smallest and k-th largest of n hold it with probability 1 − 2 P[Bin(n, ½) < k]. k is
    the largest that keeps `CONFIDENCE`, or 1 where n is too small for it: the probability is then
    what it is.
    """
    n = len(values)
    outside, k = 2 / 2**n, 1
    while 2 * (k + 1) <= n and 1 - (wider := outside + 2 * comb(n, k) / 2**n) >= CONFIDENCE:
        outside, k = wider, k + 1
    ordered = sorted(values)
    return Interval(median(ordered), ordered[k - 1], ordered[n - k], 1 - outside)


def rounds_of(seconds: float, rounds: int) -> int:
    """Return how often a job of that length is run."""
    return rounds if seconds <= SLOW else min(rounds, SLOW_ROUNDS)


@dataclass
class Entrant:
    """A contender in a race."""

    session: Session
    rounds: int
    peak: int = 0
    seconds: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run once more."""
        seconds, peak = self.session.run()
        self.seconds.append(seconds)
        self.peak = max(self.peak, peak)


def race(
    task: Task,
    conditions: Conditions,
    peers: Sequence[Contender],
    rounds: int,
    say: Callable[[str], None],
) -> list[dict[str, object]]:
    """Race ours against the peers and return a row of results for each that gave our answer.

    A peer that fails, or whose answer differs, is left out with a line saying so.
    """
    with ExitStack() as sessions:
        ours = _enter(task, task.ours, conditions, rounds, sessions)
        entrants: list[Entrant] = []
        for peer in peers:
            try:
                entrants.append(_enter(task, peer, conditions, rounds, sessions))
            except ContenderError as error:
                say(f"{peer.name} left out: {error}")
        ours.rounds = max((one.rounds for one in entrants), default=0)
        for turn in range(ours.rounds):
            present = [ours, *(one for one in entrants if turn < one.rounds)]
            start = turn % len(present)
            for one in present[start:] + present[:start]:
                name = one.session.contender.name
                try:
                    one.run()
                except ContenderError as error:
                    if one is ours:
                        raise
                    entrants.remove(one)
                    say(f"{name} left out: {error}")
                    continue
                say(f"round {turn + 1} of {one.rounds}: {name} {one.seconds[-1]:.2f} s")
        pair = draw(conditions.size, conditions.kind, conditions.seed)
        answer, rows = ours.session.answer() if entrants else (), []
        for one in entrants:
            peer = one.session.contender
            apart, meaning = task.difference(pair, answer, one.session.answer())
            if apart <= peer.tolerance:
                rows.append(_row(task, conditions, ours, one) | _agreement(peer, apart, meaning))
            else:
                say(f"{peer.name} left out: {meaning}, and {peer.tolerance:.1g} is allowed")
        return rows


def expected(task: Task, contender: Contender, size: Size) -> float:
    """Return about how many seconds a run takes on two Zen 4 cores."""
    return task.operations(size) / contender.rate / 1e9


def _enter(
    task: Task, contender: Contender, conditions: Conditions, rounds: int, sessions: ExitStack
) -> Entrant:
    """Start a contender, in the environment that suits it best, and warm it up."""

    def session(environment: Mapping[str, str]) -> Session:
        return sessions.enter_context(Session(task, contender, conditions, environment))

    seconds = expected(task, contender, conditions.size)
    if seconds > LONG and len(contender.environments) == 1:
        return Entrant(session(contender.environments[0]), rounds_of(seconds, rounds))
    entrants = []
    for environment in contender.environments:
        entrant = Entrant(session(environment), rounds)
        entrant.run()
        entrants.append(entrant)
    best = min(entrants, key=lambda one: one.seconds[0])
    for entrant in entrants:
        if entrant is not best:
            entrant.session.close()
    best.rounds = rounds_of(best.seconds.pop(), rounds)
    return best


def _row(task: Task, conditions: Conditions, our: Entrant, entrant: Entrant) -> dict[str, object]:
    size, kind, seed, threads = conditions
    peer = entrant.session.contender
    ratio = interval([b / a for a, b in zip(our.seconds, entrant.seconds, strict=False)])
    return {
        "task": task.name,
        "title": task.title,
        "rows": size.rows,
        "columns": size.columns,
        "dtype": "float32",
        "data": kind,
        "seed": seed,
        "threads": threads,
        "peer": peer.name,
        "package": peer.package,
        "version": installed(peer.package) or "unknown",
        "environment": " ".join(f"{k}={v}" for k, v in entrant.session.environment.items()),
        "rounds": len(entrant.seconds),
        **_spread("seconds", our.seconds),
        **_spread("peer_seconds", entrant.seconds),
        "ratio": ratio.median,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "ratio_confidence": ratio.confidence,
        "to_reach": peer.to_reach.get(size.rows),
        "effective_gflops": task.operations(size) / median(our.seconds) / 1e9,
        "peak_bytes": our.peak,
        "peer_peak_bytes": entrant.peak,
        "input_bytes": 2 * 4 * size.rows * size.columns,
    }


def _agreement(peer: Contender, apart: float, meaning: str) -> dict[str, object]:
    return {"difference": apart, "tolerance": peer.tolerance, "agreement": meaning}


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    lower, _, upper = (
        quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 3
    )
    return {name: median(seconds), f"{name}_q1": lower, f"{name}_q3": upper}
