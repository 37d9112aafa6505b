"""The folder of a learner: what it has fitted, and the first data, which it began with.

====================  ========================================================================
path                  content
====================  ========================================================================
``human/``            the data of the first fit, of which no label may be a detector's
``images/``           copies of images on another device, one of each, that folders link to;
                      where links are possible there is none
``sets/DATA/``        what was fitted on, as a ``data.yaml`` with links to the images, by its
                      fingerprint; a set that is the first data is ``human/``
``ndjson/DATA/``      the same as Ultralytics' NDJSON, if that was asked for
``fits/KEY.pt``       weights
``fits/KEY.json``     what they were fitted on, and from which start; written last
``arms/NAME.json``    the fits of one arm, in the order of its generations
``encoder.pt``        the fixed encoder: the weights of the first fit, unless others were given
====================  ========================================================================

A fit is named by all that decides its weights: the detector's settings, the data, the seed, the
budget, the start. One that is there is not done again: a run that was killed after a training goes
on after it, and the arms of a study, which all begin with the same human data and seed, share that
beginning.

The folder may come from someone else. No link in it is followed, names of files are made and not
read, and weights are those that their record says by SHA-256, or an error.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError, SourceError
from tailwatch.text_form import path_text
from tailwatch.writing import (
    owned_directory,
    owned_file,
    read_owned,
    remove_owned,
    write_owned,
)
from tailwatch.yolo.checkpoints import digest
from tailwatch.yolo.dataset import MANIFEST, DetectionDataset
from tailwatch.yolo.folder import read_manifest
from tailwatch.yolo.image_copies import ImageCopies, made_within
from tailwatch.yolo.image_files import link
from tailwatch.yolo.ndjson_writer import write_ndjson
from tailwatch.yolo.origins import PSEUDO

if TYPE_CHECKING:
    from tailwatch.progress import ProgressReport
    from tailwatch.yolo.detector import Detector

__all__ = ["Fits", "Weights"]


MOST_BYTES = 2**24
"""Of a record."""

KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that a detector has learnt.

    Attributes
    ----------
    weights
        The file.
    fingerprint
        Its SHA-256.
    """

    weights: Path
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Fits:
    """The fits of one learner, in one folder.

    Attributes
    ----------
    directory
        The folder; made if it is not there.
    arm
        Name of the run among those that share the folder: its generations follow each other.
    encoder
        Weights to embed with; by default those of the first fit.
    ndjson
        Whether to keep training sets as NDJSON too.
    """

    directory: Path
    arm: str = "run"
    encoder: Path | None = None
    ndjson: bool = False
    _copies: ImageCopies = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_copies", ImageCopies(self.directory))

    def fit(
        self,
        detector: Detector,
        data: DetectionDataset,
        *,
        seed: int,
        budget: int | None,
        go_on: bool,
        report: ProgressReport,
    ) -> Weights:
        """Fit a detector, or return the fit that is in the folder already.

        Parameters
        ----------
        detector
            The detector that learns.
        data
            The data that it learns from.
        seed
            Seed of the training.
        budget
            Images to show, counted each time.
        go_on
            Whether to start from the weights of the fit before this one.
        report
            Called with stage, done and total.
        """
        self._made("fits")
        self._keep_human(data)
        kept = self._keep_set(data)
        done = {"data": data.fingerprint(), "seed": seed, "budget": budget}
        before = self._before(done)
        start = self._weights(before[-1]["key"]) if go_on and before else None
        settings = {
            "detector": detector.describe(),
            **done,
            "start": start.fingerprint if start else None,
        }
        key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]
        record = f"fits/{key}.json"
        if not owned_file(self.directory, record).exists():
            self._remove_unfinished()
            weights = owned_file(self.directory, f"fits/{key}.pt")
            first = None if start is None else start.weights
            try:
                detector.fit(data, weights, seed=seed, start=first, budget=budget, report=report)
            finally:
                # An interrupt may come between the folder and what would remove it.
                self._remove_unfinished()
            self._write(record, settings | {"set": kept, "weights": digest(weights)})
        fit = self._weights(key)
        self._keep_encoder(fit.weights)
        self._write(self._arm_file(), [*before, done | {"key": key}])
        return fit

    def _remove_unfinished(self) -> None:
        """Remove the folders of trainings that did not end."""
        for unfinished in (self.directory / "fits").glob("work-*"):
            remove_owned(self.directory, f"fits/{unfinished.name}")

    def bring(self, data: DetectionDataset, *, report: ProgressReport) -> DetectionDataset:
        """Return the same data with image files that can be linked into this folder."""
        return self._copies.bring(data, report=report)

    def human(self) -> DetectionDataset:
        """Read the data of the first fit."""
        return DetectionDataset.load(owned_directory(self.directory, "human"))

    def encoder_weights(self) -> Path:
        """Return where the weights of the fixed encoder are."""
        return owned_file(self.directory, "encoder.pt")

    def _made(self, name: str) -> Path:
        """Make a folder of this one."""
        return made_within(self.directory, name)

    def _arm_file(self) -> str:
        self._made("arms")
        return f"arms/{self.arm}.json"

    def _before(self, done: dict[str, Any]) -> list[dict[str, Any]]:
        """List the fits of this arm before the one on these data with this seed."""
        name = self._arm_file()
        if not owned_file(self.directory, name).exists():
            return []
        fits = self._read(name)
        if not isinstance(fits, list) or not all(map(_is_fit, fits)):
            raise self._damaged(name, "a list of fits")
        for place, fit in enumerate(fits):
            if {each: fit[each] for each in done} == done:
                # A generation that is computed again, after a run was killed.
                return fits[:place]
        return fits

    def _keep_human(self, data: DetectionDataset) -> None:
        folder = owned_directory(self.directory, "human")
        if owned_file(self.directory, f"human/{MANIFEST}").exists():
            return
        pseudo = data.origins().get(PSEUDO, 0)
        if pseudo:
            raise InputError(
                argument="directory",
                expected="a directory with the human data of a first generation",
                got=f"none, and {pseudo} of {len(data)} images here with labels of a detector",
                where=path_text(self.directory),
                hint="give the directory that the learner had, or human data",
            )
        remove_owned(self.directory, "human")
        data.save(folder)

    def _keep_set(self, data: DetectionDataset) -> str:
        """Keep what is fitted on, unless it is there already; return the name of its folder."""
        fingerprint = data.fingerprint()
        name = f"sets/{fingerprint[:32]}"
        if self.ndjson:
            self._made("ndjson")
            write_ndjson(data, self.directory, f"ndjson/{fingerprint[:32]}")
        _, written = read_manifest(owned_directory(self.directory, "human"))
        if written["fingerprint"] == fingerprint:
            return "human"
        if not owned_file(self.directory, f"{name}/{MANIFEST}").exists():
            self._made("sets")
            remove_owned(self.directory, name)
            data.save(owned_directory(self.directory, name))
        return name

    def _keep_encoder(self, first: Path) -> None:
        if not self.encoder_weights().exists():
            source = first if self.encoder is None else self.encoder
            write_owned(self.directory, "encoder.pt", partial(link, source))

    def _weights(self, key: str) -> Weights:
        """Return the weights of a record, if their SHA-256 is that of the record."""
        record = f"fits/{key}.json"
        found = self._read(record)
        fingerprint = found.get("weights") if isinstance(found, dict) else None
        if not isinstance(fingerprint, str):
            raise self._damaged(record, "the record of a fit")
        weights = owned_file(self.directory, f"fits/{key}.pt")
        if not weights.exists() or digest(weights) != fingerprint:
            raise SourceError(
                argument=path_text(weights),
                expected="the weights that were written",
                got="others" if weights.exists() else "nothing",
                hint=f"remove {Path(record).name} beside them to train again",
            )
        return Weights(weights.absolute(), fingerprint)

    def _read(self, name: str) -> Any:  # noqa: ANN401  (any JSON)
        try:
            return json.loads(read_owned(self.directory, name, most=MOST_BYTES))
        except SourceError:
            raise
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(name, f"JSON ({error})") from error

    def _write(self, name: str, content: object) -> None:
        text = json.dumps(content, indent=2) + "\n"
        write_owned(self.directory, name, lambda file: file.write_text(text, encoding="utf-8"))

    def _damaged(self, name: str, expected: str) -> SourceError:
        return SourceError(
            argument=path_text(self.directory / name),
            expected=expected,
            got="something else",
            hint="a folder of fits is never edited; begin in another directory",
        )


def _is_fit(entry: object) -> bool:
    """Return whether an entry of an arm's file is one that tailwatch wrote."""
    return (
        isinstance(entry, dict)
        and {"data", "seed", "budget", "key"} <= set(entry)
        and isinstance(entry["key"], str)
        and KEY.fullmatch(entry["key"]) is not None
    )
