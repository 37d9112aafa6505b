"""Whole loops in processes of their own: no network, killed and resumed, without the extra."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import tailwatch
from tailwatch.yolo import DetectionDataset
from tests.support.errors import refused
from tests.yolo.scenes import instance_scenes, scenes

if TYPE_CHECKING:
    from collections.abc import Callable

TINY = {
    "detect": Path(__file__).with_name("yolo26_tiny.yaml"),
    "segment": Path(__file__).with_name("yolo26_tiny_seg.yaml"),
}

OFFLINE = """
import sys

asked = []

def hook(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        asked.append((event, arguments))
        raise RuntimeError(f"network: {event} {arguments}")

sys.addaudithook(hook)
"""

RUN = """
from tailwatch.cli import run
code = run(sys.argv[1:])
assert not asked, asked
sys.exit(code)
"""

LOOP = OFFLINE + RUN

# The loop twice, the second time when the first has been killed: torch, which takes most of the
# time of a process, is imported once for both.
KILLED_AND_AGAIN = f"""
{OFFLINE}
import os, signal
import torch, torchvision.models
process = os.fork()
if process:
    print(process, flush=True)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code == -signal.SIGKILL, code
    # What it left is looked at before anything else is written.
    sys.stdin.readline()
{RUN}
"""

# As on a machine where only the core is installed: what the extra brings is not found.
BARE = """
import sys
from importlib.machinery import PathFinder

MISSING = {"ultralytics", "torch", "torchvision", "cv2", "yaml", "PIL", "matplotlib", "skimage"}

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            return None
        return PathFinder.find_spec(name, path, target)

    find_distributions = PathFinder.find_distributions
    invalidate_caches = PathFinder.invalidate_caches

sys.meta_path[:] = [Finder if it is PathFinder else it for it in sys.meta_path]
"""


def python(code: str, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="module", params=["detect", pytest.param("segment", marks=pytest.mark.slow)])
def yaml(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes with boxes, or with masks, in a folder with the name of the task."""
    draw = {"detect": scenes, "segment": instance_scenes}[request.param]
    folder = tmp_path_factory.mktemp("data") / request.param
    for name, count, seed in (("train", 16, 3), ("val", 6, 2)):
        made = draw(folder / "drawn" / name, count, seed=seed).save(folder / "made" / name)
        for kind in ("images", "labels"):
            (folder / kind).mkdir(exist_ok=True)
            (made / kind).rename(folder / kind / name)
    path = folder / "data.yaml"
    path.write_text("train: images/train\nval: images/val\nnames: [red, green, blue]\n")
    return path


def arguments(yaml: Path, out: Path) -> list[str]:
    return [
        "yolo-loop", str(yaml), "--model", str(TINY[yaml.parent.name]),
        "--generations", "2", "--policy", "replace",
        "--epochs", "2", "--imgsz", "64", "--batch", "8", "--seeds", "1", "--no-control",
        "--confidence", "0.0001", "--out", str(out),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def whole(
    yaml: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A study that nobody cut short, in a process that may not use the network."""
    out = tmp_path_factory.mktemp("whole") / "study"
    return out, python(LOOP, *arguments(yaml, out), "--json")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_whole_loop_asks_no_network(
    whole: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, done = whole
    assert done.returncode == 0, done.stderr
    # Said before anything is trained, and once.
    assert done.stderr.count("warning: the model begins at random weights") == 1
    frame = pl.read_parquet(out / "frame.parquet")
    assert frame["generation"].unique().sort().to_list() == [1, 2]
    assert json.loads(done.stdout) == json.loads(frame.write_json())
    assert {"map50", "class_kl", "crop_coverage:red", "type_coverage", "box_size"} <= set(
        frame["metric"]
    )
    page = (out / "report.html").read_text()
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    labels = DetectionDataset.load(out / "seed-0/replace/generations/0001/samples")
    assert labels.boxes.height > 0


def until(moment: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for a moment of a loop that has not ended by then."""
    limit = time.monotonic() + 500
    while not moment():
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.002)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is a POSIX call")
def test_an_interrupted_and_a_killed_loop_go_on_and_end_alike(
    whole: tuple[Path, subprocess.CompletedProcess[str]], yaml: Path, tmp_path: Path
) -> None:
    out, temporary = tmp_path / "study", tmp_path / "temporary"
    temporary.mkdir()
    first = out / "seed-0" / "replace" / "generations" / "0001"

    def is_training() -> bool:
        return any(out.glob("seed-0/fits/fits/work-*"))

    # Ctrl-C in the first training.
    process = subprocess.Popen(
        [sys.executable, "-m", "tailwatch", *arguments(yaml, out)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    until(is_training, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "interrupted"
    assert "Traceback" not in said
    assert not list(temporary.glob("tailwatch-*"))
    assert not is_training()
    # SIGKILL in the second one.
    log = tmp_path / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED_AND_AGAIN, *arguments(yaml, out)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    child = int(process.stdout.readline())
    try:
        until(lambda: (first / "done").exists() and is_training(), process)
    except BaseException:
        process.kill()
        raise
    finally:
        os.kill(child, signal.SIGKILL)
    assert not (first.parent / "0002" / "done").exists()
    before = bytes_of(first)
    times = {file: file.stat().st_mtime_ns for file in first.rglob("*") if file.is_file()}
    process.communicate("\n", timeout=500)
    assert process.returncode == 0, log.read_text()
    assert bytes_of(first) == before
    assert all(file.stat().st_mtime_ns == stamp for file, stamp in times.items())
    assert not is_training()
    # The same seed and threads, in another process, give the same labels.
    one, other = (bytes_of(each / "seed-0/replace/generations") for each in (out, whole[0]))
    assert one == other
    assert pl.read_parquet(out / "frame.parquet").equals(
        pl.read_parquet(whole[0] / "frame.parquet")
    )


def test_bad_input_is_one_line_and_no_network(yaml: Path, tmp_path: Path) -> None:
    changed = [
        ("--model", "yolo26n.pt", "yolo26n.pt: no such file of weights; nothing is downloaded"),
        ("--policy", "mixed", "--policy: expected one of replace |"),
        ("--policy", "mix:much", "--policy: expected mix:SHARE or mix:SHARE,fresh, got"),
        ("yolo-loop", "none.yaml", "error: none.yaml: no such data.yaml; nothing is downloaded"),
    ]
    given = []
    for option, value, _ in changed:
        given.append(arguments(yaml, tmp_path / "study"))
        given[-1][given[-1].index(option) + 1] = value
    code = f"""
{OFFLINE}
import json
from tailwatch.cli import run
for given in json.loads(sys.argv[1]):
    print(run(given), file=sys.stderr, flush=True)
assert not asked, asked
"""
    done = python(code, json.dumps(given))
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[1::2] == ["2"] * len(changed)
    for said, (*_, expected) in zip(lines[::2], changed, strict=True):
        assert expected in said


IMPORTED_BEFORE = """
os.environ["YOLO_CONFIG_DIR"] = sys.argv[1]
os.environ["YOLO_OFFLINE"] = "true"
import ultralytics, ultralytics.utils as utils, ultralytics.utils.checks as checks
utils.ONLINE = checks.ONLINE = True
file = utils.SETTINGS.file
before = file.read_bytes()
from tailwatch.yolo.environment import ultralytics as configured
assert configured() is ultralytics
assert utils.ONLINE is checks.ONLINE is False
assert utils.AUTOINSTALL is False
assert utils.SETTINGS["sync"] is False
# The user's own settings stay as they are.
assert file.read_bytes() == before
assert (utils.USER_CONFIG_DIR / "Arial.ttf").exists()
"""

ANEW = """
import numpy as np
from PIL import Image
import tailwatch.yolo.environment as environment

def state():
    threads = [os.environ.get(name) for name in ("OMP_NUM_THREADS", "NUMEXPR_MAX_THREADS")]
    return np.get_printoptions(), Image.open, threads

before = state()
environment.ultralytics()
import ultralytics.models
assert state() == before, [(a, b) for a, b in zip(state(), before) if a != b]
import ultralytics.utils as utils
print(utils.USER_CONFIG_DIR.parent)
"""

# Torch, which takes most of the time, is imported once; the rest in a process for each.
BOTH = f"""
{OFFLINE}
import os
import torch, torchvision.models
process = os.fork()
if process == 0:
    exec({IMPORTED_BEFORE!r})
else:
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    exec({ANEW!r})
assert not asked, asked
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is a POSIX call")
def test_ultralytics_is_taken_offline_and_the_rest_of_the_process_is_as_it_was(
    tmp_path: Path,
) -> None:
    done = python(BOTH, str(tmp_path))
    assert done.returncode == 0, done.stderr
    # Its private folder goes with the process.
    assert "tailwatch-ultralytics-" in done.stdout
    assert not Path(done.stdout.strip()).exists()


USES = {
    "learner": "tw.yolo.YoloLearner(pool=pool)",
    "weights": 'tw.yolo.YoloLearner(pool=pool, model="yolo26n.pt")',
    "detector": "tw.yolo.UltralyticsDetector().describe()",
    "embed": 'tw.yolo.embed("images", weights="yolo26n.pt")',
    "data": "tw.yolo.DetectionDataset.from_yaml(path)",
}


def test_without_the_extra_one_error_names_it(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    path.write_text("train: images\nnames: [a]\n")
    (tmp_path / "images").mkdir()
    code = f"""
{BARE}
import polars as pl
import tailwatch as tw
from tailwatch.yolo.dataset import IMAGES
from tailwatch.yolo.detections import SCHEMA

path = {str(path)!r}
image = pl.DataFrame([("a.png", "0", 1, 1, "human", None)], schema=IMAGES, orient="row")
pool = tw.yolo.DetectionDataset(("a",), image, pl.DataFrame(schema=SCHEMA))
for use in {list(USES.values())!r}:
    try:
        eval(use)
    except tw.exceptions.MissingDependencyError as error:
        print(error)
assert not any(name in sys.modules for name in MISSING)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("pip install 'tailwatch[yolo]'") == len(USES)
    assert done.stdout.count("AGPL-3.0") == len(USES)


def test_without_the_extra_the_core_and_its_commands_work() -> None:
    code = f"""
{BARE}
import tailwatch as tw
from tailwatch.cli import run
tw.compare, tw.recursion, tw.yolo.DetectionDataset
assert run(["--version"]) == 0
assert run(["yolo-loop", "--help"]) == 0
assert not any(name in sys.modules for name in MISSING)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_a_missing_system_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from tailwatch.exceptions import MissingDependencyError
    from tailwatch.yolo.extra import extra

    def fail(name: str) -> None:
        message = f"libGL.so.1: cannot open shared object file: No such file or directory ({name})"
        raise ImportError(message)

    monkeypatch.setattr(importlib, "import_module", fail)
    got, hint = "libGL.so.1: cannot open …(cv2)", "…apt-get install libgl1 libglib2.0-0…"
    with refused(MissingDependencyError, got=got, hint=hint):
        extra("cv2")


def test_no_module_imports_ultralytics_when_it_is_loaded() -> None:
    # What is licensed otherwise, or large, is imported by name where it is used, in tailwatch.yolo.
    package = Path(tailwatch.__file__).parent
    names = re.compile(r"^\s*(import|from) (ultralytics|torch|torchvision|cv2)\b", re.MULTILINE)
    assert not [file for file in package.rglob("*.py") if names.search(file.read_text())]
    named = re.compile(r"""extra\(["'](ultralytics|torch)""")
    users = [file for file in package.rglob("*.py") if named.search(file.read_text())]
    assert users
    assert {file.parent.name for file in users} == {"yolo"}
