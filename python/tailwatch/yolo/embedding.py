"""Embeddings of images or of crops, as a frame that ``compare`` and ``contamination`` take."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.progress import reporting
from tailwatch.text_form import path_text, storable
from tailwatch.yolo.dataset import DetectionDataset
from tailwatch.yolo.extra import require_extra
from tailwatch.yolo.image_lists import images_in
from tailwatch.yolo.ultralytics_detector import UltralyticsDetector

if TYPE_CHECKING:
    from tailwatch.progress import ProgressOption

__all__ = ["embed"]

Source: TypeAlias = "DetectionDataset | str | os.PathLike[str] | Sequence[str | os.PathLike[str]]"


def embed(
    source: Source,
    *,
    weights: str | os.PathLike[str],
    crops: bool = False,
    layers: Sequence[int] | None = None,
    imgsz: int = 640,
    crop_imgsz: int = 96,
    device: str = "cpu",
    threads: int = 1,
    progress: ProgressOption = None,
) -> pl.DataFrame:
    """Embed images, or the boxes on them, with a YOLO model.

    Parameters
    ----------
    source
        A data set; or an image file, a folder of images, or a list of these.
    weights
        A ``.pt`` file, or the name of an architecture for random weights. Compare only what one
        and the same file of weights has embedded.
    crops
        Whether to embed each box of a data set on its own, rather than each image.
    layers
        Layers whose pooled features are joined; by default the last one before the head.
    imgsz, crop_imgsz
        Pixels to which an image or a crop is scaled, a multiple of 32.
    device
        Where to compute, as Ultralytics names it.
    threads
        Threads of the CPU.
    progress
        ``None``, ``True`` for a display on standard error, or a callable ``(stage, done, total)``.

    Returns
    -------
    polars.DataFrame
        A row per image: ``path``, ``sha256`` (null outside of a data set) and ``embedding``; with
        `crops` a row per box, with ``class_id`` (its number), ``class`` (its name), ``x``, ``y``,
        ``w``, ``h`` and ``confidence`` besides, and the ``points`` of instances. Write it to
        Parquet, or take its column ``embedding``.

    Raises
    ------
    SourceError
        An image or the weights are not on disk; nothing is downloaded.
    MissingDependencyError
        The extra ``yolo`` is not installed.

    Examples
    --------
    >>> import tailwatch as tw
    >>> human = tw.yolo.embed("human/", weights="yolo26n.pt")           # doctest: +SKIP
    >>> new = tw.yolo.embed("scraped/", weights="yolo26n.pt")           # doctest: +SKIP
    >>> tw.compare(human["embedding"], new["embedding"])                # doctest: +SKIP
    """
    require_extra()
    detector = UltralyticsDetector(
        model=os.fspath(weights),
        imgsz=imgsz,
        crop_imgsz=crop_imgsz,
        device=device,
        threads=threads,
    )
    data = source if isinstance(source, DetectionDataset) else None
    if crops and data is None:
        raise InputError(
            argument="source",
            expected="a DetectionDataset for crops",
            got=type(source).__name__,
        )
    paths = _paths(source)
    with reporting(progress) as report:
        rows = detector.embed(
            Path(weights),
            paths,
            data.boxes if crops and data else None,
            report=report,
            layers=layers,
        )
    width = rows.shape[1]
    column = pl.Series("embedding", rows, dtype=pl.Array(pl.Float32, width))
    named = pl.DataFrame({"path": [path_text(path) for path in paths]}).with_columns(
        sha256=pl.lit(None, pl.String) if data is None else data.images["sha256"]
    )
    if not crops or data is None:
        return named.with_columns(column)
    names = [data.names[number] for number in data.boxes["class"]]
    boxes = data.boxes.rename({"class": "class_id"}).with_columns(
        pl.Series("class", map(storable, names), dtype=pl.String)
    )
    return named[boxes["image"]].hstack(boxes.drop("image")).with_columns(column)


def _paths(source: Source) -> list[Path]:
    """List the image files of a source."""
    if isinstance(source, DetectionDataset):
        return source.paths()
    if isinstance(source, str | os.PathLike):
        given = [Path(source)]
    elif isinstance(source, Sequence):
        given = [Path(each) for each in source]
    else:
        raise InputError(
            argument="source",
            expected="a data set, a path or paths",
            got=type(source).__name__,
        )
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += images_in(path)
        elif path.is_file():
            found.append(path)
        else:
            raise SourceError(
                argument="source",
                expected="images and folders that exist",
                got=f"no {path_text(path)}",
                hint="nothing is downloaded",
            )
    if not found:
        listed = ", ".join(map(path_text, given[:5]))
        raise SourceError(argument="source", expected="images", got=f"none in {listed}")
    return found
