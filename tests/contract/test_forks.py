"""A forked child does what was asked or says that it cannot; it never waits for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a system that forks")

# Each name is done in a child of its own, whose answer is awaited for ten seconds.
SCRIPT = """
import json, os, select, sys, tempfile
from pathlib import Path
import numpy as np
import tailwatch as tw
from tailwatch.recursion import Gaussian, Replace, run

folder = Path(tempfile.mkdtemp())
rows = np.random.default_rng(0).standard_normal((200, 2))
labels = ["a", "b"] * 100

def loop():
    return run(Gaussian(), rows, policy=Replace(), generations=1, metrics=())

def compare(**more):
    return tw.compare(rows, rows[::-1], metrics=["total_variance"], **more)

FIRST, LATER = {first!r}, {later!r}
if FIRST:
    comparison, ran = compare(), loop()
    comparison.save(folder / "parent.parquet")
    np.save(folder / "shard.npy", rows)
    model = tw.contamination.fit(rows, rows + 2)
acts = {{
    "compare": compare,
    "classes": lambda: compare(per=(labels, labels)),
    "parquet": lambda: comparison.save(folder / "child.parquet"),
    "csv": lambda: comparison.save(folder / "child.csv"),
    "json": lambda: comparison.to_json(),
    "page": lambda: comparison.to_html(),
    "notebook": lambda: comparison._repr_html_(),
    "loop": loop,
    "verdicts": lambda: ran.verdicts,
    "score": lambda: model.score_dataset(folder / "shard.npy", folder / "out"),
    "all": lambda: (compare().save(folder / "all.html"), loop().verdicts),
}}

def outcome(act):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            act()
            said = "done"
        except BaseException as error:
            said = f"{{type(error).__name__}}: {{error}}"
        os.write(write, said.encode())
        os._exit(0)
    heard = select.select([read], [], [], 30)[0]
    said = os.read(read, 10_000).decode() if heard else "hangs"
    os.kill(child, 9)
    os.waitpid(child, 0)
    return said

print(json.dumps({{name: outcome(acts[name]) for name in LATER}}))
"""


def outcomes(names: list[str], *, first: bool) -> dict[str, str]:
    """What became of each in a child, with or without the same in the parent before."""
    code = SCRIPT.format(first=first, later=names)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="threads of a process in /proc")
def test_after_the_same_in_the_parent() -> None:
    works = ["compare"]
    refused = ["classes", "parquet", "csv", "json", "page", "notebook", "loop", "verdicts", "score"]
    found = outcomes([*works, *refused], first=True)
    assert {name: found[name] for name in works} == dict.fromkeys(works, "done")
    for name in refused:
        assert found[name].startswith("TailwatchError: process: ")
        assert "by spawn" in found[name]


def test_in_a_child_of_a_process_that_did_nothing_yet() -> None:
    assert outcomes(["all"], first=False) == {"all": "done"}
