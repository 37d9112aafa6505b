"""Damaged data.yaml: mutations of good ones, each read within bounds or refused by one error.

``python -m tests.yolo.mutations --count 2000`` tries so many and prints what came of them, the
longest time of one and the most memory; a test runs a few dozen.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from tailwatch.exceptions import TailwatchError
from tailwatch.yolo import DetectionDataset
from tests.yolo.scenes import scenes

GOOD = (
    "train: images\nval: images\nnames: [red, green, blue]\n",
    "path: .\ntrain: [images]\nval: images\nnc: 3\nnames:\n  0: red\n  1: green\n  2: blue\n",
    "train: list.txt\nval: images\nnames: {0: red, 1: green, 2: blue}\ndownload: x\n",
)

PIECES = (
    "&a ", "*a", "<<: *a\n", "!!python/object/apply:os.system [id]", "!!binary ", "? ", "- ", ": ",
    "[" * 200, "{" * 200, "\x00", "\x1b", "\ud7ff", "\U0010ffff", "9" * 5000, "1e999", "-1", ".nan",
    "0x" + "f" * 5000, "~", "null", "true", "'", '"', "|\n", ">\n", "%YAML 9.9\n", "---\n", "...\n",
    "names: [a, b]\n", "train: /dev/zero\n", "train: /proc/self/mem\n",
    "train: " + "a/" * 3000 + "\n",
    "path: /nowhere\n", "train: data.yaml\n", "train: pipe\n", "train: loop\n", "nc: 99999999999\n",
    "a: &x [1,1,1,1,1,1,1,1,1]\nb: &y [*x,*x,*x,*x,*x,*x,*x,*x]\nc: [*y,*y,*y,*y,*y,*y,*y]\n",
    "2001-01-01", "1:1:1:1:1", "=", "!!set {a, b}", "!!omap [a: 1]", "\t", "\r", "\ufeff", "#",
)  # fmt: skip


def mutated(rng: np.random.Generator) -> bytes:
    """One damaged data.yaml."""
    text = str(rng.choice(GOOD))
    content = bytearray(text.encode())
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(len(content) + 1))
        what = int(rng.integers(6))
        if what == 0 and content:
            content[place % len(content)] = int(rng.integers(256))
        elif what == 1:
            del content[place : place + int(rng.integers(1, 9))]
        elif what == 2:
            piece = str(rng.choice(np.array(PIECES, dtype=object)))
            content[place:place] = piece.encode()
        elif what == 3:
            content += content[:place]
        elif what == 4:
            lines = bytes(content).split(b"\n")
            rng.shuffle(lines)
            content = bytearray(b"\n".join(lines))
        else:
            piece = str(rng.choice(np.array(PIECES, dtype=object)))
            content += piece.encode()
    return bytes(content)


def tried(count: int, seed: int, folder: Path) -> tuple[Counter[str], float]:
    """Read so many mutations; count what came of them, and give the longest time of one."""
    scenes(folder / "drawn", 2).save(folder / "set")
    place = folder / "set"
    (place / "list.txt").write_text("./images/000000.png\n")
    (place / "loop").symlink_to("loop")
    if not (place / "pipe").exists():
        os.mkfifo(place / "pipe")
    rng = np.random.default_rng(seed)
    came: Counter[str] = Counter()
    longest = 0.0
    for _ in range(count):
        (place / "data.yaml").write_bytes(mutated(rng))
        start = time.monotonic()
        try:
            DetectionDataset.from_yaml(place / "data.yaml")
            came["read"] += 1
        except TailwatchError:
            came["refused"] += 1
        except Exception as error:  # noqa: BLE001  (to be counted)
            came[f"foreign: {type(error).__name__}: {error}"[:200]] += 1
        longest = max(longest, time.monotonic() - start)
    return came, longest


def main() -> None:
    """Try many."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        came, longest = tried(given.count, given.seed, Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"longest {longest:.2f} s, at most {peak:.0f} MiB\n")
    for name, times in came.most_common():
        sys.stdout.write(f"{times:6} {name}\n")


if __name__ == "__main__":
    main()
