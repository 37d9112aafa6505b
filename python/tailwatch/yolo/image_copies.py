"""Images that folders of a run can link to: where they are, or one copy of each.

A hard link does not cross from one device to another. So images of another device are copied once,
into ``images/`` of a folder that all runs below it share, named by their SHA-256; everything else
links to those. How much there is to copy is reported before the first byte is.

Cost: a link is tried once for each folder of images; then O(images), and the copies.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.text_form import path_text
from tailwatch.writing import make_owned, owned_file, write_owned
from tailwatch.yolo.image_files import link

if TYPE_CHECKING:
    from tailwatch.progress import ProgressReport
    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["COPYING", "ImageCopies", "made_within"]

COPYING = "copying images from another device, once"
"""Stage that is reported for each image that is copied."""


def made_within(directory: Path, name: str, *, keeps: str = "fits") -> Path:
    """Make the folder `name` of a directory that is made where it is not there."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            argument="directory",
            expected=f"a folder to keep {keeps} in",
            got=f"{path_text(directory)} ({error.strerror})",
        ) from error
    return make_owned(directory, name).absolute()


@dataclass(frozen=True, slots=True)
class ImageCopies:
    """The copies that a directory has of images on another device.

    Attributes
    ----------
    directory
        The directory; made if it is not there.
    """

    directory: Path
    _linkable: dict[Path, bool] = field(default_factory=dict, init=False, repr=False)

    def bring(self, data: DetectionDataset, *, report: ProgressReport) -> DetectionDataset:
        """Return the same data with image files that can be linked into this directory.

        Parameters
        ----------
        data
            Images anywhere.
        report
            Called with stage, done and total: with the size of what is to be copied before it
            begins, then for each image.
        """
        paths = data.paths()
        names = {
            number: f"images/{sha}{path.suffix.lower()}"
            for number, (path, sha) in enumerate(zip(paths, data.images["sha256"], strict=True))
            if not self._is_linkable(path)
        }
        if not names:
            return data
        folder = made_within(self.directory, "images")
        missing = {
            name: paths[number]
            for number, name in names.items()
            if not owned_file(self.directory, name).exists()
        }
        if missing:
            size = sum(path.stat().st_size for path in missing.values() if path.exists())
            report(f"{size / 1e6:.1f} MB: {COPYING}", 0, len(missing))
        for done, (name, path) in enumerate(missing.items(), start=1):
            write_owned(self.directory, name, partial(link, path))
            report(COPYING, done, len(missing))
        brought = [
            path_text(folder / Path(names[number]).name if number in names else path)
            for number, path in enumerate(paths)
        ]
        images = data.images.with_columns(path=pl.Series(brought, dtype=pl.String))
        return replace(data, images=images)

    def _is_linkable(self, path: Path) -> bool:
        """Return whether files of the folder of `path` can be linked to from here."""
        # The folder of the file itself, where its name is a link.
        folder = Path(os.path.realpath(path)).parent
        if folder not in self._linkable:
            attempt = made_within(self.directory, "images") / f".{secrets.token_hex(8)}.part"
            try:
                os.link(os.path.realpath(path), attempt)
                self._linkable[folder] = True
            except OSError:
                self._linkable[folder] = False
            finally:
                attempt.unlink(missing_ok=True)
                if not any(attempt.parent.iterdir()):
                    attempt.parent.rmdir()
        return self._linkable[folder]
