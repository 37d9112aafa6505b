"""Races: ours and the peers take turns on the same data, round by round.

Each round runs everyone once, in an order that rotates, so that a machine that slows down slows all
of them; a ratio is taken within a round. The first run of each is a warm-up, and is where a peer's
environment is chosen and its answer checked.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from math import comb
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

from benches.recording import installed
from benches.rivals.session import ContenderError, Run, Session
from benches.samples import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benches.rivals.session import Conditions
    from benches.rivals.task import Answer, Contender, Task

SLOW = 20.0
"""Seconds of a run from which on `SLOW_ROUNDS` are enough."""

SLOW_ROUNDS = 3

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
    difference: float = 0.0
    meaning: str = ""
    rounds: int = 0
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
    """Race ours against the peers and return a row of results for each that agreed to run.

    A peer that fails is left out with a line saying so.
    """
    with ExitStack() as sessions:
        ours, first = _warm(task, task.ours, conditions, sessions)
        say(f"{task.ours.name} warm-up {first.seconds:.2f} s")
        our = Entrant(ours, rounds=rounds_of(first.seconds, rounds), peak=first.peak)
        answer = ours.answer()
        entrants = []
        for peer in peers:
            try:
                entrant = _enter(task, peer, conditions, rounds, answer, sessions)
            except ContenderError as error:
                say(f"{peer.name} left out: {error}")
                continue
            say(f"{peer.name} enters for {entrant.rounds} rounds; {entrant.meaning}")
            entrants.append(entrant)
        for turn in range(max((one.rounds for one in entrants), default=0)):
            present = [our, *(one for one in entrants if turn < one.rounds)]
            start = turn % len(present)
            for one in present[start:] + present[:start]:
                one.run()
                say(f"round {turn + 1}: {one.session.contender.name} {one.seconds[-1]:.2f} s")
        return [_row(task, conditions, our, entrant) for entrant in entrants]


def _warm(
    task: Task, contender: Contender, conditions: Conditions, sessions: ExitStack
) -> tuple[Session, Run]:
    """Start a contender in the environment that suits it best."""
    found: list[tuple[Session, Run]] = []
    for environment in contender.environments:
        session = sessions.enter_context(Session(task, contender, conditions, environment))
        found.append((session, session.run()))
    best = min(found, key=lambda one: one[1].seconds)
    for session, _ in found:
        if session is not best[0]:
            session.__exit__()
    return best


def _enter(
    task: Task,
    peer: Contender,
    conditions: Conditions,
    rounds: int,
    answer: Answer,
    sessions: ExitStack,
) -> Entrant:
    session, first = _warm(task, peer, conditions, sessions)
    pair = draw(conditions.size, conditions.kind, conditions.seed)
    difference, meaning = task.difference(pair, answer, session.answer())
    if not difference <= peer.tolerance:
        message = f"its answer differs: {meaning}, and {peer.tolerance:.1g} is allowed"
        raise ContenderError(message)
    return Entrant(session, difference, meaning, rounds_of(first.seconds, rounds), first.peak)


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
        "difference": entrant.difference,
        "tolerance": peer.tolerance,
        "agreement": entrant.meaning,
    }


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    lower, _, upper = (
        quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 3
    )
    return {name: median(seconds), f"{name}_q1": lower, f"{name}_q3": upper}
