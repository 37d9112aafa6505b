"""What every test starts from."""

from __future__ import annotations

import os
from importlib.util import find_spec

from hypothesis import settings

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

# A worker for each core: threads that wait for a thread of another worker, some of them in a loop,
# are most of the time. Tests that are about threads ask for a number of their own.
if "PYTEST_XDIST_WORKER" in os.environ:
    for variable in (
        "MKL_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "POLARS_MAX_THREADS",
        "TAILWATCH_NUM_THREADS",
    ):
        os.environ[variable] = "1"

# What needs the extra `yolo` has a folder of its own.
HAS_YOLO = find_spec("ultralytics") is not None
collect_ignore = [] if HAS_YOLO else ["yolo"]


def pytest_report_header() -> str | None:
    """Say what is left out, and why."""
    if HAS_YOLO:
        return None
    return "left out: tests/yolo (ultralytics is not installed: pip install 'tailwatch[yolo]')"


# Every run examines the same cases, so a failure is a change and not luck;
# `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=30)
settings.register_profile("search", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("fixed")
