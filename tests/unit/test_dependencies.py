"""What is imported is declared, and what is declared for all is needed by all."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Names of modules that are not those of their packages.
PACKAGES = {"sklearn": "scikit-learn", "yaml": "pyyaml"}
BASE = {"numpy", "polars", "rich", "scikit-learn", "scipy", "typer"}
# By extra, what it brings besides, and what those packages bring in turn.
EXTRAS = {
    "plot": {"altair"},
    "yaml": {"pyyaml"},
    "yolo": {"torch", "torchvision", "ultralytics", "cv2", "PIL"},
}
# Examined where a caller has imported them, and installed by nobody for tailwatch.
CALLERS = {"pytest", "torch"}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\s<>=!~\[;]", each, maxsplit=1)[0].lower() for each in requirements}


def imported() -> set[str]:
    """Return the packages that some statement of the package imports, lazily or not."""
    found = set()
    for path in (ROOT / "python" / "tailwatch").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "import_module"
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(node.args[0].value)
    tops = {name.split(".")[0] for name in found} - set(sys.stdlib_module_names) - {"tailwatch"}
    return {PACKAGES.get(name, name) for name in tops}


def test_the_base_is_what_all_need() -> None:
    assert names(PROJECT["dependencies"]) == BASE


def test_what_is_imported_is_declared() -> None:
    extras = PROJECT["optional-dependencies"]
    assert all(names(extras[extra]) & EXTRAS[extra] for extra in EXTRAS)
    assert imported() <= BASE | CALLERS | set().union(*EXTRAS.values())
    assert imported() >= BASE


BLOCKED = ("altair", "pyarrow", "torch", "ultralytics", "vl_convert", "yaml")
SCRIPT = """
import json, sys

class Without:
    # Finds what another finder does, but for packages that are taken as not installed.
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        hidden = name.partition(".")[0] in {blocked!r}
        return None if hidden else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
import numpy as np
import tailwatch as tw
from tailwatch.cli import run
from tailwatch.recursion import Gaussian, Replace

human, other = np.random.default_rng(0).standard_normal((2, 300, 2))
np.save("human.npy", human)
np.save("other.npy", other + 1)
tw.compare(human, other, metrics="fast").save("page.html")
loop = tw.recursion.run(Gaussian(), human, policy=Replace(), generations=2, metrics="fast")
loop.save("loop.html")
tw.contamination.fit(human, other + 1).save("model.json")
codes = [
    run(["compare", "human.npy", "other.npy", "--metrics", "fast", "--html", "compare.html"]),
    run(["score", "other.npy", "--model", "model.json", "--out", "out"]),
]
print(json.dumps(codes))
"""


def test_pages_and_jobs_need_no_extra(tmp_path: Path) -> None:
    code = SCRIPT.format(blocked=BLOCKED)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[0, 0]"
    for page in ("page.html", "loop.html", "compare.html", "out/report.html"):
        assert "<svg" in (tmp_path / page).read_text("utf-8")
