"""What every test starts from."""

from __future__ import annotations

import os
from contextlib import nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# A test must not depend on the shell it was started from: threads, and width and colour of output.
for variable in (
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "LINES",
    "NO_COLOR",
    "PY_COLORS",
    "TAILWATCH_ISA",
    "TAILWATCH_NUM_THREADS",
):
    os.environ.pop(variable, None)

# Two workers on two cores: numerical libraries whose threads wait in a loop take the other's core.
if "PYTEST_XDIST_WORKER" in os.environ:
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"

# Every test module that needs the extra `yolo` says so in its name.
HAS_YOLO = find_spec("ultralytics") is not None
collect_ignore_glob = [] if HAS_YOLO else ["*/test_yolo_*"]


def pytest_report_header() -> str | None:
    """Say what is left out, and why."""
    if HAS_YOLO:
        return None
    return "left out: test_yolo_* (ultralytics is not installed: pip install 'tailwatch[yolo]')"


# Every run examines the same cases, so a failure is a change and not luck;
# `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("fixed")


@pytest.fixture(scope="module")
def plain_pages() -> Iterator[None]:
    """Let pages of scoring jobs be text alone: to draw one takes as long as all else of a job."""
    from tailwatch.contamination.dataset.report import ContaminationReport

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContaminationReport, "to_html", ContaminationReport.to_json)
        yield


@pytest.fixture(autouse=True, scope="module")
def charts(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave charts blank where a module is not marked `draws`: V8 takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("draws") is None:
            patch.setattr("tailwatch.report.svg.svg_of", lambda _: '<svg viewBox="0 0 1 1"></svg>')
        yield


@pytest.fixture(scope="module")
def torch_left_alone() -> Iterator[None]:
    """Leave torch's generators as they are: where it was imported, seeding takes 3 ms and more.

    That they are seeded and put back is what tests/unit/test_recursion_torch.py is about.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tailwatch.recursion.randomness.torch_seeded", lambda _: nullcontext())
        yield
