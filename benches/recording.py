"""What a measurement was made on, and where it is kept.

Every file under ``benches/results`` is one Parquet table whose rows carry their machine, versions
and date, so that a number is never read without them.
"""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tailwatch import _core

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benches" / "results"


def installed(package: str) -> str | None:
    """Return the version of a distribution, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def revision() -> str:
    """Return the commit of the tree, with a ``+`` if its code was changed since."""
    return _described(("git", "describe", "--always", "--abbrev=12", "--exclude=*"))


def code_revision() -> str:
    """Return the commit that changed the code last, with a ``+`` if it was changed since."""
    return _described(("git", "log", "-1", "--format=%h", "--abbrev=12", "--", "rust", "python"))


def _described(asked: tuple[str, ...]) -> str:
    changed = ("git", "status", "--porcelain", "--untracked-files=no", "--", "rust", "python")
    try:
        commit, dirt = (
            subprocess.run(  # noqa: S603 (fixed words)
                words, cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (asked, changed)
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if dirt else "")


def machine() -> dict[str, str | int]:
    """Describe the processor, the system and what was measured, as columns."""
    fields = {"model name": platform.processor(), "cpu family": "", "model": ""}
    described = Path("/proc/cpuinfo")
    if described.exists():
        lines = described.read_text(encoding="utf-8").split("\n\n", 1)[0].splitlines()
        pairs = (line.partition(":") for line in lines)
        fields |= {name.strip(): value.strip() for name, _, value in pairs}
    family = f" (family {fields['cpu family']}, model {fields['model']})" if fields["model"] else ""
    return {
        "cpu": fields["model name"] + family,
        "instruction_set": [name for name, there in _core.instruction_sets() if there][-1],
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "tailwatch": installed("tailwatch") or "unknown",
        "revision": revision(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def results_of(name: str, kind: str) -> str:
    """Name the results on data of a kind: those of clusters, which the README shows, stay apart."""
    return name if kind == "clusters" else f"{name}-{kind}"


def write(name: str, rows: Sequence[Mapping[str, object]], directory: Path = RESULTS) -> Path:
    """Write rows, each beside the machine, to ``directory/name.parquet`` in one step."""
    about = machine()
    frame = pl.DataFrame([{**row, **about} for row in rows], infer_schema_length=None)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.parquet"
    unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
    try:
        frame.write_parquet(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def read(name: str, directory: Path = RESULTS) -> pl.DataFrame | None:
    """Return the rows of ``directory/name.parquet``, or None where it was never written."""
    path = directory / f"{name}.parquet"
    return pl.read_parquet(path) if path.exists() else None
