"""Compare random searches with brute force, to the bit, for as long as it is asked to.

Each case is drawn from the seed and its own number: kind of data, rows, columns, k, type, threads,
instruction set and chunks. Neighbours within and across, PRDC and tail coverage must have the bits
of brute force. Exits with 1 at the first case that does not, and says how to repeat it.

With ``--files N`` it is files that are tried instead: N alterations of small valid ones of each
kind are given to all that reads them (:mod:`tests.fuzz`). Exits with 1 if a process died or hung,
took a gigabyte, or raised an error that is not tailwatch's.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time

import numpy as np

from tailwatch import _core
from tests.fuzz import targets as fuzzed
from tests.fuzz.corpus import FORMATS
from tests.fuzz.harness import fuzz
from tests.reference.trials import COLUMNS, KINDS, Trial, mismatches

EXAMPLES = """\
examples:
  python -m benches.soak                        # ten minutes, a new seed
  python -m benches.soak --minutes 1 --seed 7
  python -m benches.soak --seed 7 --case 123    # one case again
  python -m benches.soak --files 20000          # alterations of each kind of file
  python -m benches.soak --files 1 --kinds parquet --case 123 --seed 7
"""

EVERY = 10.0
"""Seconds between lines of progress."""

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


def damage(kinds: list[str], cases: int, seed: int, first: int, targets: list[str]) -> bool:
    """Alter files of each kind, with and without pyarrow; tell whether all went well."""
    fine = True
    for kind in kinds:
        wanted = targets if kind in FORMATS else ["load"]
        for pyarrow in (True, False) if kind in FORMATS else (True,):
            count = (cases + pyarrow) // 2 if kind in FORMATS else cases
            start = first if pyarrow else first + cases - count
            if not count:
                continue
            found = fuzz(kind, wanted, seed=seed, first=start, cases=count, pyarrow=pyarrow)
            print(f"{found}{'' if pyarrow else ', without pyarrow'}", flush=True)
            for problem in found.problems:
                print(f"  {problem}")
            fine = fine and not found.problems
    return fine


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
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    print(f"seed {seed}", file=sys.stderr)
    if options.files is not None:
        first, kinds, targets = options.case or 0, options.kinds, options.targets.split(",")
        sys.exit(0 if damage(kinds.split(","), options.files, seed, first, targets) else 1)
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
