"""Small scenes of coloured squares, and a detector of NumPy alone that learns their colours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.yolo import DetectionDataset, Evaluation, YoloLearner
from tailwatch.yolo.detections import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("red", "green", "blue")
COLOURS = np.array([(230, 40, 40), (40, 230, 40), (40, 40, 230)], np.uint8)
SIDE, CELL = 64, 16
SHARES = (0.6, 0.3, 0.1)
# Blue has a tenth of the boxes: 0.2 + 2 · 0.1 is less than this.
BLIND_TO_BLUE = 0.45


def scenes(folder: Path, count: int, *, seed: int = 0) -> DetectionDataset:
    """Draw squares in the cells of a grid, red often and blue seldom; some scenes are empty."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    images, boxes = [], []
    for number in range(count):
        canvas = rng.integers(100, 120, (SIDE, SIDE, 3), dtype=np.uint8)
        cells = rng.permutation(16)[: rng.integers(0, 4)]
        of_image = []
        for cell in cells:
            label = int(rng.choice(3, p=SHARES))
            top, left = (int(cell) // 4) * CELL + 2, (int(cell) % 4) * CELL + 2
            canvas[top : top + 12, left : left + 12] = COLOURS[label]
            of_image.append((label, (left + 6) / SIDE, (top + 6) / SIDE, 12 / SIDE, 12 / SIDE))
        path = folder / f"{number:03d}.png"
        Image.fromarray(canvas).save(path)
        images.append(path)
        boxes.append(of_image)
    return DetectionDataset.from_images(images, boxes, names=NAMES)


def instance_scenes(folder: Path, count: int, *, seed: int = 0) -> DetectionDataset:
    """Draw the same squares with their outlines for boxes."""
    boxes = scenes(folder, count, seed=seed)
    corners = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
    polygons = [
        [
            (label, *(value for a, b in corners for value in (x + a * w, y + b * h)))
            for label, x, y, w, h in of_image
        ]
        for of_image in boxes.boxes_of()
    ]
    return DetectionDataset.from_images(boxes.paths(), polygons, names=NAMES, task="segment")


def three_sets(folder: Path) -> dict[str, DetectionDataset]:
    """Draw human scenes, those of a pool, and those to be tested on."""
    return {
        "human": scenes(folder / "human", 40, seed=3),
        "pool": scenes(folder / "pool", 50, seed=1),
        "test": scenes(folder / "test", 20, seed=2),
    }


def learner(sets: dict[str, DetectionDataset], **given: object) -> YoloLearner:
    """Return what learns with the detector below, which is not sure enough of blue."""
    chosen: dict[str, Any] = {"detector": NumpyDetector(), "confidence": BLIND_TO_BLUE} | given
    return YoloLearner(pool=sets["pool"], **chosen)


class NumpyDetector:
    """Learns the mean colour of each class; is the less sure of a class the rarer it was.

    So a loop of it loses its rare classes, in milliseconds.
    """

    def __init__(self, *, noise: float = 0.0) -> None:
        self.noise = noise
        self.fits: list[dict[str, Any]] = []

    def describe(self) -> dict[str, Any]:
        return {"detector": "numpy", "noise": self.noise}

    def fit(
        self,
        data: DetectionDataset,
        weights: Path,
        *,
        seed: int,
        start: Path | None,
        budget: int | None,
        report: object,
    ) -> None:
        self.fits.append({"seed": seed, "start": start, "budget": budget, "images": len(data)})
        counts = data.class_counts().sum(0).astype(float)
        sums = np.zeros((len(data.names), 3))
        for path, boxes in zip(data.images["path"], data.boxes_of(), strict=True):
            pixels = self._pixels(path)
            for label, *box in boxes:
                sums[label] += self._colour(pixels, box)
        means = sums / np.maximum(counts, 1)[:, None]
        rng = np.random.default_rng(seed)
        shares = counts / max(counts.sum(), 1)
        learnt = {
            "means": (means + self.noise * rng.normal(size=means.shape)).tolist(),
            "shares": shares.tolist(),
            "start": None if start is None else start.stem,
        }
        report("fitting", len(data), len(data))
        weights.write_text(json.dumps(learnt))

    def predict(
        self, weights: Path, images: Sequence[Path], *, least: float, report: object
    ) -> pl.DataFrame:
        learnt = json.loads(weights.read_text())
        means, shares = np.array(learnt["means"]), np.array(learnt["shares"])
        rows = []
        for number, path in enumerate(images):
            pixels = self._pixels(path)
            for cell in range(16):
                top, left = (cell // 4) * CELL + 2, (cell % 4) * CELL + 2
                box = ((left + 6) / SIDE, (top + 6) / SIDE, 12 / SIDE, 12 / SIDE)
                colour = self._colour(pixels, box)
                if colour.max() - colour.min() < 100:
                    continue
                away = np.linalg.norm(means - colour, axis=1)
                away[shares == 0] = np.inf
                label = int(away.argmin())
                confidence = float(min(1.0, 0.2 + 2 * shares[label]))
                if confidence >= least:
                    rows.append((number, label, *box, confidence))
        report("labelling", len(images), len(images))
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def evaluate(self, weights: Path, data: DetectionDataset) -> Evaluation:
        paths = [Path(path) for path in data.images["path"]]
        found = self.predict(weights, paths, least=0.0, report=lambda *_: None)
        keys = ("image", "class", "x", "y")
        right = found.join(data.boxes.select(keys), on=keys, how="semi")
        truth = data.class_counts().sum(0)
        hit = np.bincount(right["class"].to_numpy(), minlength=len(data.names))
        recall = tuple(float(h / n) if n else None for h, n in zip(hit, truth, strict=True))
        there = [value for value in recall if value is not None]
        mean = float(np.mean(there)) if there else 0.0
        return Evaluation(mean, mean, recall, recall)

    def embed(
        self,
        weights: Path,
        images: Sequence[Path],
        boxes: pl.DataFrame | None = None,
        *,
        report: object,
    ) -> np.ndarray:
        if boxes is None:
            rows = [self._colour(self._pixels(path), (0.5, 0.5, 1.0, 1.0)) for path in images]
        else:
            placed = boxes.select("image", "x", "y", "w", "h").iter_rows()
            rows = [self._colour(self._pixels(images[image]), box) for image, *box in placed]
        return np.array(rows, np.float32).reshape(-1, 3)

    @staticmethod
    def _pixels(path: Path | str) -> np.ndarray:
        from PIL import Image

        with Image.open(path) as opened:
            return np.asarray(opened.convert("RGB"), float)

    @staticmethod
    def _colour(pixels: np.ndarray, box: Sequence[float]) -> np.ndarray:
        x, y, w, h = (value * SIDE for value in box)
        rows = slice(round(y - h / 2), round(y + h / 2))
        return pixels[rows, round(x - w / 2) : round(x + w / 2)].mean(axis=(0, 1))
