"""What is done with an altered file: of data all that reads them, of our own files what takes them.

=============  =====================================================================
kind           targets
=============  =====================================================================
formats        ``open`` (all rows, and as compiled code takes them), ``ids`` (with
               labels and the other columns), ``score``, ``pack``, ``loop``
``model``      ``load``: a contamination model
``result``     ``load``: a comparison, with its page
``pack.json``  ``load``: opens the folder
``manifest``   ``load``: goes on with a job of scoring
``table``      ``load``: the same, of an altered table of rows
``summary``    ``load``: draws the page of a job again
``run.json``   ``load``: a run of the loop, with its verdicts
``frame``      ``load``: the same, of an altered ``frame.parquet``
``toml``       ``load``: settings of a loop
``yaml``       ``load``: the same
``data.yaml``  ``load``: a set of labelled images
=============  =====================================================================
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

import tailwatch as tw
from tests.fuzz.corpus import FORMATS, corpus
from tests.fuzz.mutation import mutated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["DATA_TARGETS", "KINDS", "source"]

DATA_TARGETS = ("open", "ids", "score", "pack", "loop")
KINDS = (
    *FORMATS,
    "model",
    "result",
    "pack.json",
    "manifest",
    "table",
    "summary",
    "run.json",
    "frame",
    "toml",
    "yaml",
    "data.yaml",
)


class Source(Protocol):
    """Altered files of a kind, and what is done with one."""

    def write(self, seed: int, number: int) -> Path:
        """Put the altered file of a number where it is read."""
        ...

    def run(self, target: str, path: Path) -> None:
        """Give it to a target."""
        ...


def source(kind: str, folder: Path) -> Source:
    """Make the files of a kind, and whatever must stand around them, in a folder."""
    return _Data(kind, folder) if kind in FORMATS else _Own(kind, folder)


class _Data:
    def __init__(self, kind: str, folder: Path) -> None:
        suffix = "arrow" if kind == "arrows" else kind
        self._files = corpus(kind)
        self._path = folder / f"x.{suffix}"
        self._out = folder / "out"
        self._is_table = suffix in ("parquet", "arrow")

    def write(self, seed: int, number: int) -> Path:
        self._path.write_bytes(mutated(self._files, seed, number))
        return self._path

    def run(self, target: str, path: Path) -> None:
        try:
            getattr(self, f"_{target}")(path)
        finally:
            shutil.rmtree(self._out, ignore_errors=True)

    def _open(self, path: Path) -> None:
        opened = tw.open(path)
        rows = 0
        for batch in opened.batches(16):
            batch.max(initial=-np.inf)
            rows += len(batch)
        assert rows == len(opened)
        tw.open(path).handle()

    def _ids(self, path: Path) -> None:
        if not self._is_table:
            return
        opened = tw.open(path, id_column="url")
        assert opened.ids is not None
        assert len(opened.ids.to_list()) == len(opened)
        for part in opened._parts:
            table = part.others()
            if table is not None:
                assert table.collect().height == part.rows
        assert len(opened.labels("label").to_list()) == len(opened)

    def _score(self, path: Path) -> None:
        from tests.support.datasets import model

        ids = "url" if self._is_table else None
        found = model().score_dataset(path, self._out, id_column=ids, threads=1)
        assert _rows(self._out / "shards") == found.prevalence.n

    def _pack(self, path: Path) -> None:
        from tailwatch.io.pack import pack

        pack(path, self._out, dtype="f16", rows_per_shard=16)
        if self._is_table:
            assert _rows(self._out) == len(tw.open(self._out))

    def _loop(self, path: Path) -> None:
        from tailwatch.cli.parts import data_from

        data_from(str(path), "--data", "embedding" if self._is_table else None)


def _rows(folder: Path) -> int:
    """Count the rows of all tables below a folder."""
    tables = sorted(folder.rglob("*.parquet"))
    return sum(int(pl.scan_parquet(table).select(pl.len()).collect().item()) for table in tables)


class _Own:
    """A file of ours, and the folder that it belongs to."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._folder = folder
        self._work = folder / "work"
        self._path, self._load = _MAKERS[kind](self._work)
        self._clean = folder / "clean"
        shutil.copytree(self._work, self._clean)
        self._files = [self._path.read_bytes()]

    def write(self, seed: int, number: int) -> Path:
        shutil.rmtree(self._work)
        shutil.copytree(self._clean, self._work)
        self._path.write_bytes(mutated(self._files, seed, number))
        return self._path

    def run(self, target: str, path: Path) -> None:
        del target, path
        self._load()


_Made = "tuple[Path, Callable[[], object]]"


def _model(folder: Path) -> _Made:
    from tailwatch.contamination import ContaminationModel
    from tests.support.datasets import model, rows

    folder.mkdir()
    path = folder / "x.tailwatch"
    model().save(path)
    few = rows(20, 0)
    return path, lambda: ContaminationModel.load(path).score(few)


def _result(folder: Path) -> _Made:
    from tests.support import samples

    folder.mkdir()
    x, y = samples.gaussian(1, 256, 3), samples.gaussian(2, 128, 3)
    path = tw.compare(x, y, metrics=["recall"], threads=1).save(folder / "x.tailwatch")
    return path, lambda: tw.Comparison.load(path).to_html()


def _packed(folder: Path) -> _Made:
    from tailwatch.io.pack import pack
    from tests.support.datasets import rows, table

    folder.mkdir()
    pack(table(rows(40, 0)), folder, rows_per_shard=16)
    return folder / "pack.json", lambda: tw.open(folder, id_column="url").ids


def _job(folder: Path, name: str) -> _Made:
    from tests.support.datasets import model, write_shards

    # Not below: files that are put back are other files, and their job would be refused for it.
    data = write_shards(folder.with_name("data"), 2, 100)
    model().score_dataset(data, folder, threads=1)
    found = next(path for path in sorted(folder.rglob(name)) if path.is_file())
    return found, lambda: model().score_dataset(data, folder, threads=1)


def _run_of(folder: Path, name: str) -> _Made:
    from tailwatch.recursion import Gaussian, Mix, Run, run

    data = np.random.default_rng(0).normal(size=(200, 2))
    run(Gaussian(), data, policy=Mix(0.5), generations=2, directory=folder)

    def load() -> None:
        loaded = Run.load(folder)
        loaded.sentence  # noqa: B018  (a property that computes)
        loaded.diagnosis  # noqa: B018
        loaded.to_json()

    return folder / name, load


_TOML = """data = "human.npy"
learner = "Gaussian(ddof=1)"
policy = "mix:0.25"
generations = 2
metrics = ["total_variance", "recall"]
seed = 3
confidence = 0.9
"""
_YAML = """data: human.npy
learner: Gaussian(ddof=1)
policy: mix:0.25
generations: 2
metrics: [total_variance, recall]
seed: 3
confidence: 0.9
"""


def _settings(folder: Path, name: str, text: str) -> _Made:
    from tailwatch.cli.parts import settings_from

    folder.mkdir()
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path, lambda: settings_from(path)


def _images(folder: Path) -> _Made:
    from tailwatch.yolo import DetectionDataset
    from tests.yolo.scenes import scenes

    scenes(folder / "drawn", 4).save(folder / "set")
    path = folder / "set" / "data.yaml"
    return path, lambda: DetectionDataset.from_yaml(path)


_MAKERS: dict[str, Callable[[Path], _Made]] = {
    "model": _model,
    "result": _result,
    "pack.json": _packed,
    "manifest": lambda folder: _job(folder, "manifest.jsonl"),
    "table": lambda folder: _job(folder, "part-000.parquet"),
    "summary": lambda folder: _job(folder, "summary.json"),
    "run.json": lambda folder: _run_of(folder, "run.json"),
    "frame": lambda folder: _run_of(folder, "frame.parquet"),
    "toml": lambda folder: _settings(folder, "x.toml", _TOML),
    "yaml": lambda folder: _settings(folder, "x.yaml", _YAML),
    "data.yaml": _images,
}
