"""What happens to the rare classes of a YOLO26 that labels its own images.

The scenes are of real content: handwritten digits (scikit-learn's, written by people) on
photographs (scikit-image's, those that its package has). Classes are long-tailed: the most frequent
digit has about half of the boxes, the rarest about one in a hundred. A detector learns from human
boxes; then it labels new scenes, the next generation goes on from its weights and learns from its
labels, and so on. Three arms have the same budget:

    replace       each generation learns from the labels of the one before
    mix:0.25      a quarter of the training set is human
    human only    the control

Each seed has scenes, starting weights and training of its own.

    python examples/yolo_recursion.py --out yolo-run            # a quarter of an hour on one core
    python examples/yolo_recursion.py --out yolo-run --small    # a minute, to see that it runs
    python examples/yolo_recursion.py --out yolo-run --task segment

With ``--task segment`` the labels are the masks of the digits, which have holes and, where a stroke
was lifted, parts; scenes are larger, as strokes are thinner than boxes.

Needs ``pip install 'tailwatch[yolo]'``. Nothing is downloaded. A study that was stopped goes on
where it was.
"""

from __future__ import annotations

import argparse
import importlib.resources
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import tailwatch as tw

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHOTOGRAPHS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "grass.png",
    "gravel.png",
    "rocket.jpg",
)
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# From frequent to rare; which digit is rare says nothing of how hard it is.
ORDER = (3, 0, 7, 5, 2, 9, 4, 6, 1, 8)
STEEPNESS = 1.6

INK = 0.4
"""Least ink of a pixel that is in the mask of a digit."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study."""

    human: int = 240
    pool: int = 240
    test: int = 150
    pixels: int = 64
    base_epochs: int = 40
    epochs: int = 5
    generations: int = 4
    seeds: int = 3
    task: str = "detect"
    model: str = str(Path(__file__).with_name("yolo26_compact.yaml"))


SEGMENT = {
    "task": "segment",
    "pixels": 128,
    "model": str(Path(__file__).with_name("yolo26_compact_seg.yaml")),
}

SMALL = Settings(human=24, pool=24, test=20, base_epochs=2, epochs=1, generations=2, seeds=2)


def photographs() -> list[NDArray[np.uint8]]:
    """Read the photographs from scikit-image's package, without its loaders, which may download."""
    from PIL import Image

    folder = importlib.resources.files("skimage") / "data"
    with importlib.resources.as_file(folder) as path:
        return [np.asarray(Image.open(path / name).convert("RGB")) for name in PHOTOGRAPHS]


def digits() -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Read the handwritten digits as ink, 0 to 1."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return [image / 16 for image in found.images], found.target


class Scenes:
    """Draws scenes: digits in long-tailed frequencies on photographs.

    Parameters
    ----------
    folder
        Where the images are written.
    pixels
        Of a side.
    task
        Whether labels are boxes or masks.
    rng
        Of all that is random.
    """

    def __init__(self, folder: Path, pixels: int, task: str, rng: np.random.Generator) -> None:
        self.folder, self.pixels, self.task, self.rng = folder, pixels, task, rng
        self.photographs = photographs()
        self.ink, labels = digits()
        # No digit is in two sets: the detector is tested on other people's handwriting.
        place = rng.permutation(len(self.ink))
        parts = np.split(place, [len(place) * 2 // 5, len(place) * 4 // 5])
        self.parts = dict(zip(("human", "pool", "test"), parts, strict=True))
        self.labels = labels
        shares = 1 / np.arange(1, 11) ** STEEPNESS
        self.shares = np.zeros(10)
        self.shares[list(ORDER)] = shares / shares.sum()

    def draw(self, name: str, count: int, *, balanced: bool = False) -> tw.yolo.DetectionDataset:
        """Draw a set of scenes with their human labels."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        images, labels = [], []
        for number in range(count):
            path = folder / f"{number:04d}.png"
            labels.append(self._scene(path, self.parts[name], balanced=balanced))
            images.append(path)
        return tw.yolo.DetectionDataset.from_images(images, labels, names=NAMES, task=self.task)

    def _scene(
        self, path: Path, among: NDArray[np.int64], *, balanced: bool
    ) -> list[tuple[float, ...]]:
        from PIL import Image

        rng, side = self.rng, self.pixels
        canvas = self._background()
        taken, labels = np.zeros((side, side), bool), []
        for _ in range(rng.integers(1, 5)):
            number = int(rng.choice(10, p=None if balanced else self.shares))
            glyph = self._glyph(int(rng.choice(among[self.labels[among] == number])))
            height, width = glyph.shape
            top, left = rng.integers(0, side - height), rng.integers(0, side - width)
            where = (slice(top, top + height), slice(left, left + width))
            if taken[where].any():
                continue
            taken[where] = True
            # Ink that stands out from what is below it.
            colour = 255.0 if canvas[where].mean() < 128 else 0.0
            alpha = glyph[..., None]
            canvas[where] = canvas[where] * (1 - alpha) + colour * alpha
            if self.task == "segment":
                mask = np.zeros((side, side), bool)
                mask[where] = glyph >= INK
                labels.append((number, *tw.yolo.polygon_from_mask(mask)))
            else:
                centre = ((left + width / 2) / side, (top + height / 2) / side)
                labels.append((number, *map(float, centre), width / side, height / side))
        Image.fromarray(canvas.round().astype(np.uint8)).save(path)
        return labels

    def _background(self) -> NDArray[np.float64]:
        from PIL import Image

        photograph = self.photographs[self.rng.integers(len(self.photographs))]
        most = min(photograph.shape[:2])
        side = int(self.rng.integers(most // 3, most))
        top = self.rng.integers(0, photograph.shape[0] - side + 1)
        left = self.rng.integers(0, photograph.shape[1] - side + 1)
        cut = Image.fromarray(photograph[top : top + side, left : left + side])
        return np.asarray(cut.resize((self.pixels, self.pixels)), np.float64)

    def _glyph(self, number: int) -> NDArray[np.float64]:
        """Scale a digit to a fifth to two fifths of the scene, cut to its ink."""
        from PIL import Image

        ink = self.ink[number]
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        height = int(self.rng.integers(self.pixels // 5, self.pixels * 2 // 5))
        width = max(height * ink.shape[1] // ink.shape[0], 4)
        scaled = Image.fromarray((ink * 255).astype(np.uint8)).resize((width, height))
        return np.asarray(scaled, np.float64) / 255


def experiment(seed: int, settings: Settings, out: Path) -> tw.yolo.Experiment:
    """Draw the scenes of a seed, and train the weights that all of its arms begin with."""
    folder = out / "scenes" / f"seed-{seed}"
    rng = np.random.default_rng([7, seed])
    scenes = Scenes(folder, settings.pixels, settings.task, rng)
    human = scenes.draw("human", settings.human)
    pool = scenes.draw("pool", settings.pool)
    test = scenes.draw("test", settings.test, balanced=True)
    # A mirrored digit is none, and few images are worth larger steps.
    training = {"mosaic": 0.0, "fliplr": 0.0, "scale": 0.2, "optimizer": "AdamW", "lr0": 0.004}
    learner = tw.yolo.YoloLearner(
        model=settings.model,
        pool=human,
        epochs=settings.base_epochs,
        imgsz=settings.pixels,
        batch=8,
        crop_imgsz=32,
        settings=training,
        directory=folder / "base",
    )
    base = learner.fit(human, rng=np.random.default_rng([8, seed]))
    learner = replace(
        learner,
        model=str(base.weights),
        pool=pool,
        epochs=settings.epochs,
        start="previous",
        directory=None,
    )
    return tw.yolo.Experiment(human, test, learner)


OF_A_DETECTOR = frozenset({"mask_map50", "map50", "matched", "confusion"})
"""Metrics that human data have not: the arm that learns from them alone stands for these."""


def table(study: tw.yolo.Study) -> str:
    """Say in a table what became of each arm: first generation, last one, and human data."""
    metrics = (
        *("mask_map50", "map50", "classes_gone", "class_kl", "tail_class_mass"),
        *("crop_coverage:tail classes", "crop_coverage:all classes"),
        *("matched", "confusion", "fusion", "fused_only"),
        *("mask_area", "mask_compactness", "mask_parts", "mask_vertices"),
        *("confidence", "boxes_per_image", "empty_images"),
    )
    rows = study.frame.filter(pl.col("metric").is_in(metrics))
    first, last = (rows.filter(generation=number) for number in (1, rows["generation"].max()))
    runs = rows["run"].unique(maintain_order=True).to_list()
    head = f"| | generation 1 | {' | '.join(runs)} | human data |"
    lines = [head, "|---" * (3 + len(runs)) + "|"]
    for metric in metrics:
        cells = [_cell(first.filter(metric=metric, run=runs[0]))]
        cells += [_cell(last.filter(metric=metric, run=run)) for run in runs]
        if set(cells) != {""}:
            null = first.filter(metric=metric)["null"].drop_nulls()
            human = "" if metric in OF_A_DETECTOR or null.is_empty() else f"{null[0]:.3f}"
            lines.append(f"| `{metric}` | {' | '.join(cells)} | {human} |")
    return "\n".join(lines)


def _cell(found: pl.DataFrame) -> str:
    """Say a value with its interval; nothing where there is none."""
    for value, low, high in found.select("value", "low", "high").iter_rows():
        if value is not None:
            return f"{value:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")
    return ""


def main() -> None:
    """Run the study, or go on with it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("yolo-run"), help="folder of the study")
    parser.add_argument("--small", action="store_true", help="a minute, to see that it runs")
    parser.add_argument("--task", choices=("detect", "segment"), default="detect")
    parser.add_argument("--generations", type=int, help="generations of each run")
    parser.add_argument("--seeds", type=int, help="how many seeds")
    parser.add_argument("--pixels", type=int, help="side of an image, a multiple of 32")
    parser.add_argument("--model", help="architecture, by default a compact one beside this")
    given = parser.parse_args()
    chosen = {
        name: getattr(given, name)
        for name in ("generations", "seeds", "pixels", "model")
        if getattr(given, name) is not None
    }
    of_task = SEGMENT if given.task == "segment" else {}
    settings = replace(SMALL if given.small else Settings(), **(of_task | chosen))
    study = tw.yolo.study(
        lambda seed: experiment(seed, settings, given.out),
        policies={"replace": tw.recursion.Replace(), "mix:0.25": tw.recursion.Mix(0.25)},
        generations=settings.generations,
        seeds=settings.seeds,
        directory=given.out,
        progress=True,
    )
    print(table(study))


if __name__ == "__main__":
    main()
