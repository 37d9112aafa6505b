"""Compare random searches with brute force, to the bit, for as long as it is asked to.

Each case is drawn from the seed and its own number: kind of data, rows, columns, k, type, threads,
instruction set and chunks. Neighbours within and across, PRDC and tail coverage must have the bits
of brute force. Exits with 1 at the first case that does not, and says how to repeat it.

With ``--files N`` it is files that are tried instead: N alterations of small valid ones of each
format, and N / 10 of each file of ours, are given to all that reads them (:mod:`tests.fuzz`). Exits
with 1 if a process died or hung, took a gigabyte, or raised an error that is not tailwatch's. Kinds
take turns; with ``--log`` what was done is noted, and not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tailwatch import _core
from tests.fuzz import targets as fuzzed
from tests.fuzz.corpus import FORMATS
from tests.fuzz.harness import Found, fuzz
from tests.support.trials import COLUMNS, KINDS, Trial, mismatches

EXAMPLES = """\
examples:
  python -m benches.soak                        # ten minutes, a new seed
  python -m benches.soak --minutes 1 --seed 7
  python -m benches.soak --seed 7 --case 123    # one case again
  python -m benches.soak --files 20000          # alterations of each kind of file
  python -m benches.soak --files 20000 --seed 7 --log soak.jsonl   # goes on from there
  python -m benches.soak --files 1 --kinds parquet --case 123 --seed 7
"""

EVERY = 10.0
"""Seconds between lines of progress."""

PIECE = 2000
"""Altered files of a kind before the next has its turn; every other piece is without pyarrow."""

OURS = 10
"""How many times more often files of data are altered than each of ours."""

FINITE_ONLY_IN_WIDE = {"offset", "large", "small", "heavy tails", "heavy coordinate"}
"""Kinds that overflow, or lose all their digits, in float16."""


def draw(seed: int, case: int, sets: list[str]) -> tuple[Trial, int, str, tuple[int, int]]:
    """Draw a case: the trial, its threads, its instruction set and the chunks of both samples."""
    rng = np.random.default_rng([seed, case])
    kind = str(rng.choice(list(KINDS)))
    columns = int(rng.choice([*COLUMNS, int(rng.integers(1, 200))]))
    most = 900 if columns < 100 else 450 if columns < 600 else 220
    rows, others = (int(count) for count in rng.integers(2, most, size=2))
    wide = kind in FINITE_ONLY_IN_WIDE
    dtype = str(rng.choice(["float32", "float64"] if wide else ["float16", "float32", "float64"]))
    k = int(min(rng.choice([1, 5, rng.integers(1, 201)]), rows - 1, others - 1))
    trial = Trial(kind, rows, others, columns, k, dtype, int(rng.integers(2**32)))
    threads, isa = int(rng.integers(1, 5)), str(rng.choice(sets))
    # Half of the cases whole; more chunks than rows leave some of them empty.
    pieces = (1, 1) if rng.integers(2) else (int(rng.integers(1, 9)), int(rng.integers(1, 9)))
    return trial, threads, isa, pieces


class Log:
    """Pieces of work that are done, in a file of lines of JSON."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        text = path.read_text(encoding="utf-8") if path is not None and path.exists() else ""
        self._known = {
            json.dumps(line["piece"]): line["found"] for line in map(json.loads, text.splitlines())
        }

    def found(self, piece: dict[str, Any]) -> Found:
        """Do a piece of work, or say what was found before."""
        key = json.dumps(piece)
        if key in self._known:
            return Found.of(self._known[key])
        found = fuzz(**piece)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"piece": piece, "found": found.state()}) + "\n")
        return found


def damage(
    kinds: list[str], targets: list[str], *, seed: int, first: int, cases: int, log: Log
) -> bool:
    """Alter files of each kind, with and without pyarrow; tell whether all went well."""
    sums = {kind: Found(kind) for kind in kinds}
    wanted = {kind: cases if kind in FORMATS else -(-cases // OURS) for kind in kinds}
    for number, start in enumerate(range(0, cases, PIECE)):
        for kind in kinds:
            count = min(PIECE, wanted[kind] - start)
            if count <= 0:
                continue
            piece = {
                "kind": kind,
                "targets": targets if kind in FORMATS else ["load"],
                "seed": seed,
                "cases": count,
                "first": first + start,
                "pyarrow": number % 2 == 0 or kind not in FORMATS,
            }
            found = log.found(piece)
            for problem in found.problems:
                print(f"  {kind}: {problem}", flush=True)
            sums[kind].absorb(found)
            print(sums[kind], flush=True)
    return not any(found.problems for found in sums.values())


def main() -> None:
    """Run cases until the time is over."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.soak",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="default 10")
    parser.add_argument("--seed", type=int, help="of all cases; a new one by default")
    parser.add_argument("--case", type=int, help="run this one only")
    parser.add_argument("--files", type=int, help="alterations of each kind of file, instead")
    parser.add_argument("--kinds", default=",".join(fuzzed.KINDS), help="kinds; all by default")
    parser.add_argument(
        "--targets", default=",".join(fuzzed.DATA_TARGETS), help="of data files; all by default"
    )
    parser.add_argument("--log", type=Path, help="file that notes what is done of --files")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    print(f"seed {seed}", file=sys.stderr)
    if options.files is not None:
        first, kinds, targets = options.case or 0, options.kinds, options.targets.split(",")
        fine = damage(
            kinds.split(","),
            targets,
            seed=seed,
            first=first,
            cases=options.files,
            log=Log(options.log),
        )
        sys.exit(0 if fine else 1)
    sets = [name for name, there in _core.instruction_sets() if there]
    started = shown = time.monotonic()
    case = first = options.case or 0
    try:
        while options.case is None or case == options.case:
            trial, threads, isa, pieces = draw(seed, case, sets)
            os.environ["TAILWATCH_ISA"] = isa
            if wrong := mismatches(trial, threads=threads, pieces=pieces):
                print(
                    f"{', '.join(wrong)} differ: {trial}, {threads} threads, {isa}, chunks {pieces}"
                )
                print(f"again: python -m benches.soak --seed {seed} --case {case}")
                sys.exit(1)
            case += 1
            now = time.monotonic()
            if now - started > 60 * options.minutes:
                break
            if now - shown > EVERY:
                shown = now
                print(f"  {case - first} cases, {now - started:.0f} s", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    print(f"{case - first} cases, 0 mismatches, seed {seed}")


if __name__ == "__main__":
    main()
